"""The benchmark of the map draws its world from a seed, and says what it found as a table."""

import importlib
import json

import pytest

pytest.importorskip("psutil")
pytest.importorskip("playwright")


@pytest.fixture
def speed(root, monkeypatch):
    monkeypatch.syspath_prepend(str(root / "benchmarks"))
    return importlib.import_module("map_speed")


def test_the_world_is_drawn_from_a_seed_and_ranked(speed):
    content, again = speed.drawn(50), speed.drawn(50)
    assert content.sites.equals(again.sites)
    assert not content.sites.equals(speed.drawn(50, 12).sites)
    assert content.sites["suitability"].is_monotonic_decreasing
    assert content.sites["site_id"].is_unique
    assert content.sites.geometry.is_valid.all()
    assert sum(round(1000 * c.weight) for c in content.criteria) == 1000


def test_what_was_found_is_a_table(speed):
    found = {"map": "drawn", "sites": 1000, "file_mb": 1.5, "paint_ms": 500.4, "follow_ms": 21.0,
             "follow_p95_ms": 30.0, "work_ms": 3.25}  # fmt: skip
    lines = speed.table({"maps": [found]}).splitlines()
    assert lines[2] == "| drawn | 1,000 | 1.50 MB | 500 ms | 21 ms | 30 ms | 3.2 ms |"
    assert len({line.count("|") for line in lines}) == 1


def test_the_kept_results_say_with_what_they_were_measured(speed):
    kept = json.loads(speed.RESULTS.read_text())
    assert {"maps", "bars", "machine", "measured", "seed"} <= set(kept)
