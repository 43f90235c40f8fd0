"""Who waits for a silent server can be told to stop."""

import socket
import threading

import pytest

from geosite.sources.client import Client, Patience, RefusedError


@pytest.fixture
def mute():
    """Address of a server that takes every connection and never says a word; and its callers."""
    callers = threading.Semaphore(0)
    kept = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept():
            while True:
                try:
                    kept.append(server.accept()[0])
                except OSError:
                    return
                kept[-1].recv(1)
                callers.release()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", callers
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
        for one in kept:
            one.close()


def test_the_end_is_heard_by_who_waits_for_an_answer(mute):
    url, callers = mute
    said = []

    def ask():
        try:
            client.body(f"{url}/x")
        except RefusedError as error:
            said.append(str(error))

    # Nobody waits so long: without the end the test would not end.
    with Client(Patience(read=3600, attempts=1000, first=1000, longest=1000)) as client:
        threads = [threading.Thread(target=ask, daemon=True) for _ in range(2)]
        for thread in threads:
            thread.start()
        assert callers.acquire(timeout=30)
        assert callers.acquire(timeout=30)
        client.end()
        for thread in threads:
            thread.join(timeout=30)
            assert not thread.is_alive()
    assert len(said) == 2
    assert all(url in words for words in said)


def test_who_connects_after_the_end_is_cut_at_once(mute):
    url, _ = mute
    with Client(Patience(read=3600, attempts=1)) as client:
        client.end()
        with pytest.raises(RefusedError, match="stopped"):
            client.body(f"{url}/x")
        client.stop.clear()
        with pytest.raises(RefusedError):
            client.body(f"{url}/x")


def test_who_waits_for_a_silent_proxy_hears_the_end_too(mute, monkeypatch):
    url, callers = mute
    target = "http://a.example/x"
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, url)
    said = []

    def ask():
        with pytest.raises(RefusedError) as error:
            client.body(target)
        said.append(str(error.value))

    with Client(Patience(connect=20, read=3600, attempts=1)) as client:
        thread = threading.Thread(target=ask, daemon=True)
        thread.start()
        assert callers.acquire(timeout=30)
        client.end()
        thread.join(timeout=30)
        assert not thread.is_alive()
    assert target in said[0]
