"""A run's folder on the loopback address: ranges, tricks with paths, one reader."""

from __future__ import annotations

import http.client
import socket
import threading
from contextlib import contextmanager

import pytest

from geosite.errors import RunError
from geosite.viewing import Viewer

TILES = bytes(range(256)) * 2000


@contextmanager
def served(folder, port=0):
    server = Viewer(folder, port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def folder(tmp_path):
    run = tmp_path / "run"
    (run / "map-tiles").mkdir(parents=True)
    (run / "map.html").write_text("<!doctype html><title>toy é</title>", encoding="utf-8")
    (run / "map-tiles/parcels.pmtiles").write_bytes(TILES)
    (run / "empty.csv").write_bytes(b"")
    (run / ".hidden").write_text("hidden", encoding="utf-8")
    (tmp_path / "secret.txt").write_text("secret", encoding="utf-8")
    (run / "way-out.txt").symlink_to(tmp_path / "secret.txt")
    return run


@pytest.fixture
def server(folder):
    with served(folder) as made:
        yield made


def ask(server, path, method="GET", **headers):
    port = server.server_address[1]
    headers = {"Host": f"127.0.0.1:{port}"} | {k.replace("_", "-"): v for k, v in headers.items()}
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    line.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    for name, value in headers.items():
        line.putheader(name, value)
    line.endheaders()
    answer = line.getresponse()
    body = answer.read()
    line.close()
    return answer, body


def test_the_root_is_the_map(server, folder):
    assert server.url == f"http://127.0.0.1:{server.server_address[1]}/map.html"
    for path in ("/", "/map.html", "/map.html?weights=1#x"):
        answer, body = ask(server, path)
        assert (answer.status, body) == (200, (folder / "map.html").read_bytes())
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-126", 0, 126),
        ("bytes=500-", 500, len(TILES) - 1),
        ("bytes=-10", len(TILES) - 10, len(TILES) - 1),
        ("bytes=511990-999999999", 511_990, len(TILES) - 1),
        ("bytes=-999999999", 0, len(TILES) - 1),
    ],
)
def test_a_range_of_bytes(server, asked, first, last):
    answer, body = ask(server, "/map-tiles/parcels.pmtiles", Range=asked)
    assert (answer.status, body) == (206, TILES[first : last + 1])
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{len(TILES)}"
    assert answer.headers["Content-Length"] == str(last - first + 1)


@pytest.mark.parametrize(
    "asked", ["bytes=512000-", "bytes=9-5", "bytes=-0", "bytes=999999-9999999"]
)
def test_a_range_that_is_not_there(server, asked):
    answer, _ = ask(server, "/map-tiles/parcels.pmtiles", Range=asked)
    assert answer.status == 416
    assert answer.headers["Content-Range"] == f"bytes */{len(TILES)}"


@pytest.mark.parametrize(
    "asked", ["bytes=a-b", "rows=0-5", "bytes=0-5,7-9", "bytes=-", "", "bytes"]
)
def test_what_is_no_range_gets_the_whole(server, asked):
    answer, body = ask(server, "/map-tiles/parcels.pmtiles", Range=asked)
    assert (answer.status, len(body)) == (200, len(TILES))


def test_a_range_of_another_version_gets_the_whole(server):
    tag = ask(server, "/map-tiles/parcels.pmtiles")[0].headers["ETag"]
    for held, status in ((tag, 206), ('"other"', 200)):
        path = "/map-tiles/parcels.pmtiles"
        assert ask(server, path, Range="bytes=0-5", If_Range=held)[0].status == status


def test_head_says_and_does_not_send(server):
    answer, body = ask(server, "/map-tiles/parcels.pmtiles", "HEAD")
    assert (answer.status, body) == (200, b"")
    assert answer.headers["Content-Length"] == str(len(TILES))
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert ask(server, "/map-tiles/parcels.pmtiles", "HEAD", Range="bytes=0-9")[0].status == 206
    assert ask(server, "/none", "HEAD")[0].status == 404


def test_no_icon_is_no_fault(server):
    answer, body = ask(server, "/favicon.ico")
    assert (answer.status, body) == (204, b"")


def test_an_empty_file(server):
    assert ask(server, "/empty.csv")[1] == b""
    assert ask(server, "/empty.csv", Range="bytes=0-0")[0].status == 416


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/map-tiles/../../secret.txt",
        "//etc/passwd", "/%2fetc/passwd", "/way-out.txt", "/.hidden", "/map-tiles/", "/map-tiles",
        "/none.html", "/map.html%00.txt", "/map.html/", "/" + "a" * 5000, "/%ff%fe", "/C:\\x",
        "/..\\secret.txt",
    ],
)  # fmt: skip
def test_nothing_but_files_of_the_folder(server, path):
    answer, body = ask(server, path)
    assert answer.status == 404
    assert b"secret" not in body
    assert b"root:" not in body


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "0.0.0.0:1", ""])
def test_pages_of_other_sites_are_not_answered(server, host):
    assert ask(server, "/map.html", Host=host)[0].status == 421


def test_nothing_is_written_or_run(server):
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        assert ask(server, "/map.html", method)[0].status == 501


def test_only_this_machine_is_listened_to(server):
    assert server.server_address[0] == "127.0.0.1"


def test_it_is_quiet(server, capfd):
    ask(server, "/none")
    assert capfd.readouterr() == ("", "")


def test_a_reader_who_goes_away_is_no_fault(server, capfd):
    with socket.create_connection(server.server_address) as line:
        line.sendall(b"GET /map.html HTTP/1.1\r\n")
    assert ask(server, "/")[0].status == 200
    assert capfd.readouterr() == ("", "")


def test_a_port_that_is_taken(server, folder):
    port = server.server_address[1]
    with pytest.raises(RunError, match=f"port {port} of 127.0.0.1 cannot be used"):
        Viewer(folder, port)


def test_a_folder_without_a_map(tmp_path):
    with pytest.raises(RunError, match="geosite map"):
        Viewer(tmp_path)
