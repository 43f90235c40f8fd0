"""Progress is a bar on a terminal, a few lines elsewhere, and nothing if it is not wanted."""

from __future__ import annotations

import io

import pytest

from geosite.progress import Bar, Lines, Silence, drawn


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Gone(io.StringIO):
    def write(self, _):
        raise BrokenPipeError

    def isatty(self):
        return True


def told(progress):
    with progress:
        progress("preparing", 0, 0)
        for n in range(101):
            progress("tiles", n, 100)
        progress("joining", 0, 0)


def test_a_terminal_gets_a_bar_that_goes_away():
    stream = Terminal()
    told(drawn(stream=stream))
    text = stream.getvalue()
    for word in ("preparing", "tiles: 0 of 100", "left", "joining"):
        assert word in text
    assert not text.rpartition("\r")[2].strip()


def test_tiles_of_an_earlier_process_do_not_count_as_speed():
    bar = Bar(Terminal())
    bar("tiles", 90, 100)
    assert (bar._bar.initial, bar._bar.n) == (90, 90)
    bar("tiles", 91, 100)
    assert bar._bar.n == 91
    bar.__exit__(None, None, None)


@pytest.mark.parametrize("seconds", [0.01, 1.0, 10.0, 1000.0])
def test_elsewhere_there_are_few_lines(seconds):
    stream, now = io.StringIO(), 0.0

    def clock():
        nonlocal now
        now += seconds
        return now

    told(Lines(stream, clock))
    lines = stream.getvalue().splitlines()
    assert lines[0] == "preparing …"
    assert lines[1] == "tiles: 0 of 100"
    assert lines[-2].startswith("tiles: 100 of 100")
    assert len(lines) <= (24 if seconds < 60 else 103)
    assert all("left" in line for line in lines[2:-2])


def test_time_left_follows_from_the_tiles_done():
    stream, times = io.StringIO(), iter([0.0, 100.0, 4000.0])
    lines = Lines(stream, lambda: next(times))
    lines("tiles", 40, 100)
    lines("tiles", 50, 100)
    lines("tiles", 60, 100)
    assert stream.getvalue().splitlines() == [
        "tiles: 40 of 100",
        "tiles: 50 of 100, 0.1 a second, 8 min 20 s left",
        "tiles: 60 of 100, 0.005 a second, 2 h 13 min left",
    ]


def test_quiet_is_quiet():
    stream = Terminal()
    told(drawn(quiet=True, stream=stream))
    assert not stream.getvalue()
    assert isinstance(drawn(quiet=True), Silence)


@pytest.mark.parametrize("kind", [Bar, Lines])
def test_a_terminal_that_is_gone_stops_no_run(kind):
    told(kind(Gone()))
