"""Progress is a bar on a terminal, a few lines elsewhere, and nothing if it is not wanted."""

from __future__ import annotations

import io

import pytest

from geosite.progress import Bar, LayerBars, LayerLines, Lines, Silence, drawn, layers_drawn


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


# ── layers that are fetched ───────────────────────────────────────────────────────────────────
def layers_told(progress):
    with progress:
        for done in (0, 500, 1000):
            progress("land/blm", done, 1000)
            progress("land/dod", done, None)
        progress.ended("land/blm", "1,000 features")
        progress.ended("land/dod", "failed: answered 404")
        progress("land/nps", 3, 9)


def test_each_layer_is_a_line_when_it_has_come():
    stream = io.StringIO()
    layers_told(layers_drawn(stream=stream))
    assert stream.getvalue().splitlines() == [
        "land/blm: 1,000 features",
        "land/dod: failed: answered 404",
    ]


def test_a_layer_that_takes_long_is_a_line_a_minute():
    stream, now = io.StringIO(), 0.0

    def clock():
        nonlocal now
        now += 31.0
        return now

    layers_told(LayerLines(stream, clock))
    lines = stream.getvalue().splitlines()
    assert "land/blm: 500 of 1,000" in lines
    assert "land/dod: 500 so far" in lines


def test_a_terminal_has_a_bar_for_each_layer_that_is_coming():
    stream = Terminal()
    progress = layers_drawn(stream=stream)
    assert isinstance(progress, LayerBars)
    layers_told(progress)
    text = stream.getvalue()
    for word in ("land/blm: 1,000 features", "land/dod: failed", "/1.00k"):
        assert word in text
    assert not text.rpartition("\r")[2].strip()


@pytest.mark.parametrize("kind", [LayerBars, LayerLines])
def test_a_terminal_that_has_gone_away_does_not_stop_a_fetch(kind):
    layers_told(kind(Gone()))


def test_no_layer_is_told_if_it_is_not_wanted():
    stream = Terminal()
    layers_told(layers_drawn(quiet=True, stream=stream))
    assert not stream.getvalue()
