"""What is asked otherwise than before is named in words."""

from __future__ import annotations

import json

import pytest

from geosite.question import asked, differences, hash_of
from geosite.sources import FileRecord
from tests.worlds import edited_criteria

RAIL = {"infrastructure/rail": (FileRecord("rail.fgb", "1" * 64, 5),)}


def of(hamlet, files=None, **more):
    # As it comes back from disk.
    return json.loads(json.dumps(asked(hamlet.plan(**more), files)))


@pytest.fixture
def old(hamlet):
    return of(hamlet, RAIL)


def test_the_same_question_has_the_same_hash(hamlet, old):
    assert differences(old, of(hamlet, RAIL)) == []
    assert hash_of(old) == hash_of(of(hamlet, RAIL))


def test_a_part_of_a_question_is_compared_as_far_as_it_goes(hamlet, old):
    assert differences(old, of(hamlet)) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"criteria": edited_criteria("rail", weight="20")}, ["criterion rail: weight was"]),
        ({"criteria": edited_criteria("rail", basis="seen")}, ["basis was made up, is seen"]),
        ({"as_of": "2026-02-03"}, ["the day that rules are read on was 2026-01-02, is 2026-02-03"]),
        ({"rules": ["sovereign-land"]}, ["rule ", "is no longer asked"]),
        ({"tiers": {"a": "0.7", "b": "0.3"}}, ["scenario: tiers.a was 0.6, is 0.7"]),
        (
            {"combination": {"kind": "weighted_sum"}},
            ["scenario: combination.kind was evidence_gated"],
        ),
    ],
)
def test_what_changed_is_named(hamlet, old, change, words):
    hamlet.ask(**change)
    found = differences(old, of(hamlet, RAIL))
    assert found
    for word in words:
        assert any(word in f for f in found), found


def test_a_criterion_that_is_gone_is_one_line(hamlet, old):
    hamlet.ask(criteria=[c for c in edited_criteria("rail") if c["id"] != "slope"])
    found = differences(old, of(hamlet, RAIL))
    assert "criterion slope is no longer asked" in found
    assert sum("slope" in f and "criterion" in f for f in found) == 1
    back = differences(of(hamlet, RAIL), old)
    assert "criterion slope is new" in back


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (FileRecord("rail.fgb", "2" * 64, 5), "rail.fgb has changed"),
        (FileRecord("track.fgb", "1" * 64, 5), "rail.fgb is no longer asked"),
    ],
)
def test_a_changed_file_is_named_with_its_layer(hamlet, old, file, words):
    found = differences(old, of(hamlet, {"infrastructure/rail": (file,)}))
    assert f"layer infrastructure/rail: {words}" in found


def test_an_outline_and_an_entry_of_the_catalogue(hamlet, old):
    hamlet.declare("infrastructure/rail", vintage="2027")
    found = differences(old, of(hamlet, RAIL, resolution=100.0))
    assert "layer infrastructure/rail: vintage was 2026, is 2027" in found
    assert any(f.startswith("scenario: grid.resolution was 200") for f in found)
    west = old | {"aoi": "0" * 64}
    assert differences(west, old) == ["the outline of the AOI has changed"]
