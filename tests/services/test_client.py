"""Asking and downloading: from nginx what works, from the hostile server what does not."""

import hashlib
import json
import os
import threading
import time
from pathlib import Path

import pytest

from geosite.errors import FetchError
from geosite.sources.answers import refusal_of_status
from geosite.sources.client import Client, Patience, RefusedError, digest
from geosite.sources.hosts import Seats, pauses
from geosite.sources.partial import Begun, span, whole_size
from tests.services.hostile import GOOD, TABLE
from tests.services.nginx import free_port

HASTE = Patience(read=2, window=0.2, attempts=2, first=0.01, longest=0.05)
CONTENT = bytes(range(256)) * 4000


@pytest.fixture
def client():
    with Client(HASTE) as made:
        yield made


@pytest.fixture
def served(nginx, request):
    """A file on nginx under a name of its own: its path and its address."""
    path = nginx.root / f"{hashlib.md5(request.node.name.encode()).hexdigest()}.bin"  # noqa: S324
    path.write_bytes(CONTENT)
    return path, f"{nginx.url}/{path.name}"


def cut(path, size):
    """What is left of a download that broke after so many bytes."""
    part, note = Path(f"{path}.part"), Path(f"{path}.part.json")
    said = json.loads(note.read_text())
    part.write_bytes(part.read_bytes()[:size])
    note.write_text(json.dumps(said | {"size": size}))


def broken(client, url, path, size):
    """Break a download after at least so many bytes."""

    def enough(have, _total):
        if have > size:
            client.stop.set()

    with pytest.raises(RefusedError, match="stopped"):
        client.download(url, path, enough)
    client.stop.clear()
    cut(path, size)


# ── downloads ───────────────────────────────────────────────────────────────────────────────


def test_a_file_comes_whole_with_its_digest(client, served, tmp_path):
    told = []
    got = client.download(served[1], tmp_path / "x", lambda *said: told.append(said))
    assert (tmp_path / "x").read_bytes() == CONTENT
    assert got.sha256 == hashlib.sha256(CONTENT).hexdigest() == digest(tmp_path / "x")
    assert (got.size, got.path, got.url) == (len(CONTENT), tmp_path / "x", served[1])
    assert got.etag
    assert got.modified
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert [p.name for p in tmp_path.iterdir()] == ["x"]


def test_of_a_broken_download_only_the_rest_is_asked_for(client, nginx, served, tmp_path):
    path, url = served
    broken(client, url, tmp_path / "x", 100_000)
    assert not (tmp_path / "x").exists()
    got = client.download(url, tmp_path / "x")
    assert got.sha256 == hashlib.sha256(CONTENT).hexdigest()
    assert (tmp_path / "x").read_bytes() == CONTENT
    last = nginx.asked(f"/{path.name}", at_least=2)[-1]
    assert (last.status, last.range) == (206, "bytes=100000-")
    assert last.sent == len(CONTENT) - 100_000
    assert [p.name for p in tmp_path.iterdir()] == ["x"]


def test_a_file_that_changed_meanwhile_is_begun_anew(client, nginx, served, tmp_path):
    path, url = served
    broken(client, url, tmp_path / "x", 100_000)
    path.write_bytes(b"another" * 50_000)
    client.download(url, tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == b"another" * 50_000
    assert nginx.asked(f"/{path.name}", at_least=2)[-1].status == 200


def test_what_is_left_of_another_address_is_not_gone_on_from(client, nginx, served, tmp_path):
    path, url = served
    broken(client, url, tmp_path / "x", 100_000)
    client.download(f"{url}?other", tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == CONTENT
    assert nginx.asked(f"/{path.name}?other")[-1].status == 200


def test_more_than_there_is_is_begun_anew(client, served, tmp_path):
    _, url = served
    broken(client, url, tmp_path / "x", 100_000)
    part, note = tmp_path / "x.part", tmp_path / "x.part.json"
    part.write_bytes(CONTENT + b"more")
    note.write_text(json.dumps(json.loads(note.read_text()) | {"size": len(CONTENT) + 4}))
    client.download(url, tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == CONTENT


@pytest.mark.parametrize("said", ["", "[]", '{"url": 1}', "no json", '{"size": "9"}'])
def test_a_note_that_cannot_be_read_is_no_note(said, client, served, tmp_path):
    (tmp_path / "x.part").write_bytes(b"junk")
    (tmp_path / "x.part.json").write_text(said)
    client.download(served[1], tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == CONTENT


def test_bytes_that_were_not_seen_to_the_disk_are_not_trusted(client, served, tmp_path):
    broken(client, served[1], tmp_path / "x", 100_000)
    with (tmp_path / "x.part").open("ab") as part:
        part.write(bytes(5000))
    client.download(served[1], tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == CONTENT


def test_another_version_of_the_rest_is_no_part_of_what_is_here(hostile, tmp_path):
    with Client(Patience(attempts=5, first=0.01, longest=0.02)) as client:
        hostile.asked["other-version.csv"] = 0
        client.download(f"{hostile.url}/other-version.csv", tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == TABLE


def test_what_is_too_large_is_refused_before_it_comes(client, served, tmp_path):
    with pytest.raises(RefusedError, match=r"has 1,024,000 bytes, expected at most 1,000"):
        client.download(served[1], tmp_path / "x", most=1000)
    assert not list(tmp_path.iterdir())


def test_what_never_ends_is_refused(client, hostile, tmp_path):
    with pytest.raises(RefusedError, match="larger than 5,000,000 bytes"):
        client.download(f"{hostile.url}/for-ever", tmp_path / "x", most=5_000_000)
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the machine has no full device")
def test_a_full_disk_is_said_and_leaves_nothing_that_looks_whole(client, served, tmp_path):
    (tmp_path / "x.part").symlink_to("/dev/full")
    with pytest.raises(FetchError, match=r"No space left on device; .* GB are free there; make"):
        client.download(served[1], tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_the_pace_is_that_of_a_while_and_not_of_a_moment(nginx, served, tmp_path):
    url = f"{nginx.url}/slowly/{served[0].name}"
    patient = Patience(window=0.5, slowest=10_000, attempts=1)
    with Client(patient) as client:
        assert client.download(url, tmp_path / "x").size == len(CONTENT)
    with (
        Client(Patience(window=0.5, slowest=10**8, attempts=1)) as client,
        pytest.raises(RefusedError, match="sends less than"),
    ):
        client.download(url, tmp_path / "y")


# ── files that are shared ───────────────────────────────────────────────────────────────────


def test_a_shared_file_comes_once_while_its_server_says_the_same(nginx, served, tmp_path):
    path, url = served
    with Client(HASTE, downloads=tmp_path) as client:
        one, two = client.stored(url), client.stored(url)
    assert one == two
    assert one.path.read_bytes() == CONTENT
    asked = [r.method for r in nginx.asked(f"/{path.name}", at_least=2)]
    assert asked == ["GET", "HEAD"]


def test_a_shared_file_that_is_used_again_is_not_old(served, tmp_path):
    with Client(HASTE, downloads=tmp_path) as client:
        path = client.stored(served[1]).path
        for file in (path, path.with_name("file.json")):
            os.utime(file, (0, 0))
        client.stored(served[1])
        assert path.stat().st_mtime > 0
        assert path.with_name("file.json").stat().st_mtime > 0


def test_a_shared_file_that_changed_comes_again(served, tmp_path):
    path, url = served
    with Client(HASTE, downloads=tmp_path) as client:
        client.stored(url)
        path.write_bytes(b"other")
        assert client.stored(url).path.read_bytes() == b"other"


def test_a_shared_file_of_which_its_server_says_no_version_comes_again(hostile, tmp_path):
    with Client(HASTE, downloads=tmp_path) as client:
        before = hostile.asked["changed.csv"]
        client.stored(f"{hostile.url}/changed.csv")
        client.stored(f"{hostile.url}/changed.csv")
    # Twice the file, once its headers.
    assert hostile.asked["changed.csv"] - before == 3


def test_a_shared_file_that_was_cut_comes_again(served, tmp_path):
    with Client(HASTE, downloads=tmp_path) as client:
        client.stored(served[1]).path.write_bytes(b"cut")
        assert client.stored(served[1]).path.read_bytes() == CONTENT


def test_many_at_a_time_share_one_file(nginx, served, tmp_path):
    path, url = served
    with Client(HASTE, downloads=tmp_path) as client:
        threads = [threading.Thread(target=client.stored, args=(url,)) for _ in range(6)]
        [t.start() for t in threads]
        [t.join(20) for t in threads]
    methods = [r.method for r in nginx.asked(f"/{path.name}", at_least=6)]
    assert methods.count("GET") == 1


def test_what_broke_is_gone_on_from_by_the_next_client(nginx, served, tmp_path):
    path, url = served
    with Client(HASTE, downloads=tmp_path) as client, pytest.raises(RefusedError):
        client.stored(url, lambda *_: client.stop.set())
    with Client(HASTE, downloads=tmp_path) as client:
        assert client.stored(url).path.read_bytes() == CONTENT
    assert nginx.asked(f"/{path.name}", at_least=2)[-1].status == 206


def test_without_a_folder_nothing_is_shared(client):
    with pytest.raises(FetchError, match="no folder"):
        client.stored("http://127.0.0.1:1/x")


# ── answers ─────────────────────────────────────────────────────────────────────────────────


def test_a_head_says_size_and_address(client, served):
    size, headers, url = client.head(served[1])
    assert (size, url) == (len(CONTENT), served[1])
    assert headers["ETag"]


def test_a_file_that_is_not_there_has_no_head(client, nginx):
    with pytest.raises(RefusedError, match="answered 404"):
        client.head(f"{nginx.url}/nowhere.zip")


def test_a_port_where_nobody_is_refuses(client):
    url = f"http://127.0.0.1:{free_port()}/x"
    with pytest.raises(RefusedError, match="refused") as error:
        client.body(url)
    assert error.value.again


def test_a_host_that_does_not_exist_is_said(client):
    with pytest.raises(RefusedError, match=r"(?i)resol|blocked"):
        client.body("http://no-such-host.invalid/x")


@pytest.mark.parametrize("url", ["http://", "http://[", "gopher://x/y", "nonsense"])
def test_what_is_no_address_is_said(url, client, tmp_path):
    with pytest.raises(RefusedError, match="no address that can be asked"):
        client.download(url, tmp_path / "x")


def test_a_moved_host_is_remembered_if_it_moved_for_good(client, hostile):
    other = hostile.url.replace("127.0.0.1", "localhost")
    client.body(f"{hostile.url}/moved-for-good?{other}/good")
    client.body(f"{hostile.url}/moved-for-now?{other}/good")
    client.body(f"{hostile.url}/moved-for-good?{hostile.url}/good")
    assert client.moved == {f"{hostile.url}/moved-for-good?{other}/good": f"{other}/good"}


@pytest.mark.parametrize(("path", "echo"), [("moved-for-good", b"a=1"), ("see-other", b"")])
def test_what_was_posted_is_sent_again_where_the_server_wants_it(path, echo, client, hostile):
    url = f"{hostile.url}/{path}?{hostile.url}/echo"
    assert client.body(url, {"a": "1"}, post=True).content == echo


def test_nothing_leads_from_a_safe_address_to_an_open_one(client):
    class Said:
        headers = {"Location": "http://127.0.0.1/x"}  # noqa: RUF012

    with pytest.raises(RefusedError, match="nothing protects"):
        client._target("https://a", "https://a", Said())


@pytest.mark.parametrize(
    ("said", "wait"),
    [
        ("7", 7.0), ("²", None), ("soon", None), ("-1", None), ("", None),
        ("Fri, 01 Jan 1999 00:00:00 GMT", 0.0), ("Fri, 01 Jan 1999 00:00:00 -0000", 0.0),
    ],
)  # fmt: skip
def test_how_long_a_server_asks_to_wait(said, wait):
    class Response:
        status_code, reason, headers = 429, "Slow", {"Retry-After": said}

    assert refusal_of_status("u", Response(), b"").wait == wait


def test_a_server_does_not_say_for_how_long_we_wait(hostile):
    began = time.monotonic()
    with Client(HASTE) as client, pytest.raises(RefusedError):
        client.body(f"{hostile.url}/429")
    assert time.monotonic() - began < 30


def test_a_part_that_says_no_end_is_taken_at_its_word():
    begun = Begun("u", '"e"', None, 10)
    found = span(begun, 206, {"Content-Range": "bytes 10-19/*", "ETag": '"e"'})
    assert found == (begun, None)
    assert whole_size(206, {"Content-Range": "bytes 0-0/99"}) == 99
    assert whole_size(200, {"Content-Length": "9", "Content-Encoding": "gzip"}) is None


def test_a_weak_tag_does_not_tell_bytes_apart():
    assert "If-Range" not in Begun("u", 'W/"e"', None, 10).headers
    assert Begun("u", 'W/"e"', "Monday", 10).headers["If-Range"] == "Monday"


# ── politeness ──────────────────────────────────────────────────────────────────────────────


def test_who_has_a_seat_does_not_wait_for_another():
    seats = Seats(1, {}, threading.Event())
    with seats.at("http://a/1"), seats.at("http://a/2"), seats.at("http://b/3"):
        pass
    with seats.at("http://a/4"):
        pass


def test_a_seat_is_free_again_whatever_happened():
    seats = Seats(1, {}, threading.Event())
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), seats.at("http://a/1"):
            raise ZeroDivisionError


def test_no_more_than_its_seats_are_at_a_host_at_a_time():
    seats, here, most = Seats(2, {}, threading.Event()), [], []

    def sit():
        with seats.at("http://a/x"):
            here.append(1)
            most.append(len(here))
            time.sleep(0.01)
            here.pop()

    threads = [threading.Thread(target=sit) for _ in range(8)]
    [t.start() for t in threads]
    [t.join(10) for t in threads]
    assert max(most) <= 2


def test_nobody_waits_for_a_seat_or_a_pause_once_all_is_to_stop():
    stop = threading.Event()
    seats = Seats(1, {"a": 600}, stop)
    with seats.at("http://www.a/1"):
        pass
    threading.Timer(0.05, stop.set).start()
    with pytest.raises(RefusedError, match="stopped"), seats.at("http://www.a/2"):
        pytest.fail("nobody waited")


def test_a_stopped_client_asks_nothing(hostile):
    with Client(HASTE) as client:
        client.stop.set()
        with pytest.raises(RefusedError, match="stopped"):
            client.body(f"{hostile.url}/good")


def test_hosts_that_want_pauses_are_known():
    assert pauses() == {"gbp-blm-egis.hub.arcgis.com": 60.0, "data.gov": 10.0}


def test_a_drip_inside_a_callback_cannot_lock_the_client(hostile, tmp_path):
    with Client(HASTE, per_host=1) as client:
        said = []
        client.download(
            f"{hostile.url}/changed.csv",
            tmp_path / "x",
            lambda *_: said.append(client.json(f"{hostile.url}/good")),
        )
    assert said == [json.loads(GOOD)]
