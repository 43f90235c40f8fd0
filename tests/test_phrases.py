"""A treatment, a distance or a local rule as it is said in one line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geosite import phrases
from geosite.model.quantity import parse
from geosite.model.rule import LocalRule
from tests.strategies import rule


def treatment(**keys):
    return rule("x", keys).mine


@pytest.mark.parametrize(
    "text", ["0 m", "300 ft", "1 mi", "0.25 mi", "100 m", "2 km", "1.5 km", "35 mi", "100 km"]
)
def test_a_distance_is_said_as_it_was_written(text):
    assert phrases.distance(parse(text, "m")) == text


@given(st.floats(0, 1e6))
def test_what_is_said_of_a_distance_is_off_by_half_a_metre_at_most(metres):
    said = phrases.distance(metres).replace(",", "")
    assert abs(parse(said, "m") - metres) <= 0.5 + 1e-9


@pytest.mark.parametrize(
    ("keys", "said", "setback"),
    [
        ({"tier": "exclude"}, "exclude", "0 m"),
        ({"tier": "exclude", "setback": "300 ft"}, "exclude 300 ft", "300 ft"),
        ({"tier": "avoid", "factor": "0.6"}, "avoid 0.6", "0 m"),
        (
            {"tier": "avoid", "factor": "0.6", "setback": "2 km"},
            "avoid 0.6 within 2 km",
            "2 km",
        ),
        ({"tier": "mitigate"}, "mitigate 1", "0 m"),
        ({"tier": "flag", "setback": "1 km"}, "flag within 1 km", "1 km"),
        ({"tier": "require", "within": "5 mi"}, "require within 5 mi", "5 mi"),
        ({"tier": "include"}, "include", "0 m"),
        (
            {
                "tier": "exclude",
                "setback": "30 m",
                "scaled": {"field": "kv", "steps": [{"from": "230", "setback": "100 m"}]},
            },
            "exclude 30 m, by kv up to 100 m",
            "30 m, by kv up to 100 m",
        ),
    ],
)
def test_a_treatment_is_said_with_its_reach(keys, said, setback):
    assert phrases.said(treatment(**keys)) == said
    assert phrases.setback(treatment(**keys)) == setback


def test_no_treatment_is_not_asked():
    assert phrases.said(None) == "not asked"


def local(**keys):
    return LocalRule.model_validate({"rule": "x", "citation": "code 17.2", **keys})


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (
            {"counties": ["32013"], "setback": "1 mi"},
            "local 32013 (1 mi, code 17.2)",
        ),
        (
            {"counties": ["32013", "32007"], "applies": "false"},
            "local 32013, 32007 (does not hold, code 17.2)",
        ),
        ({"inside": "x/a", "setback": "0 m"}, "local x/a (0 m, code 17.2)"),
        (
            {"inside": "x/a", "where": "name = 'B'", "setback": "9 m"},
            "local x/a where name = 'B' (9 m, code 17.2)",
        ),
    ],
)
def test_a_local_rule_is_said_with_its_place_and_source(keys, said):
    assert phrases.local(local(**keys)) == said


def test_of_many_names_the_first_are_said_and_the_rest_counted():
    assert phrases.some(["a", "b", "c"]) == "a, b, c"
    assert phrases.some(["a", "b", "c", "d"]) == "a, b, c and 1 more"
