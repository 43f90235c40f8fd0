"""Who cannot be reached is not waited for, and no network is said as such."""

import socket

import pytest
import requests
import urllib3

from geosite.sources.client import Client, Patience, RefusedError
from geosite.sources.reach import Reach, is_out_of_reach

HASTE = Patience(connect=2, read=2, attempts=5, first=0.001, longest=0.002)


def unknown(name="a.invalid"):
    """What the libraries raise of a name that nobody knows."""
    cause = socket.gaierror(-2, "unknown")
    reason = urllib3.exceptions.NameResolutionError(name, None, cause)
    reason.__cause__ = cause
    return requests.ConnectionError(urllib3.exceptions.MaxRetryError(None, "/", reason))


@pytest.fixture
def lost(monkeypatch):
    """No name is known to anybody; gives the names that were asked for."""
    asked = []

    def looked_up(host, *_args, **_said):
        asked.append(host)
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", looked_up)
    return asked


def test_an_unknown_host_is_tried_twice_and_then_never_again(lost):
    with Client(HASTE) as client:
        for _ in range(2):
            with pytest.raises(RefusedError, match="is there a network"):
                client.json("http://a.invalid/x")
        assert lost == ["a.invalid"] * 2
        assert client.reach.offline == ""


def test_after_three_unknown_hosts_there_is_no_network(lost):
    with Client(HASTE) as client:
        for host in "abc":
            with pytest.raises(RefusedError, match="Failed to resolve"):
                client.json(f"http://{host}.invalid/x")
        assert "none of a.invalid, b.invalid, c.invalid can be reached" in client.reach.offline
        with pytest.raises(RefusedError, match="there seems to be no network"):
            client.json("http://d.invalid/x")
    assert "d.invalid" not in lost


def test_where_one_host_answers_there_is_a_network(hostile, monkeypatch):
    with Client(HASTE) as client:
        client.json(f"{hostile.url}/good")
        monkeypatch.setattr(
            socket, "getaddrinfo", lambda *_a, **_k: (_ for _ in ()).throw(socket.gaierror(-2, ""))
        )
        for host in "abcd":
            with pytest.raises(RefusedError, match="Failed to resolve"):
                client.json(f"http://{host}.invalid/x")
        assert client.reach.offline == ""


def test_a_host_that_was_reached_once_is_worth_every_attempt():
    reach = Reach()
    reach.reached("http://a.invalid/x")
    for _ in range(5):
        assert reach.refused("http://a.invalid/y", "http://a.invalid/y", unknown()).again
    reach.look("http://a.invalid/z")


@pytest.mark.parametrize(
    ("error", "out"),
    [
        (unknown(), True),
        (requests.ConnectTimeout("slow"), True),
        (requests.ConnectionError(OSError(101, "Network is unreachable")), True),
        (requests.ConnectionError(ConnectionRefusedError(111, "Connection refused")), False),
        (requests.ReadTimeout("slow"), False),
    ],
)
def test_out_of_reach_is_who_is_not_found_and_not_who_refuses(error, out):
    assert is_out_of_reach(error) is out
