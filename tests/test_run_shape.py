"""Whether a ``run.json`` has the shape that a run writes."""

from datetime import date

import pytest

from geosite.catalog import open_scenario
from geosite.errors import RunError
from geosite.run_shape import misshapen, scenario_of

SHAPE = {"a": str, "b": [{"n": int}], "c": (1, 2), "d?": float, "e": [float, float]}
WHOLE = {"a": "x", "b": [{"n": 1}, {"n": 2}], "c": 2, "e": [1, 2.5]}


def test_what_is_whole_has_no_fault_and_there_may_be_more():
    assert misshapen(WHOLE, SHAPE) == []
    assert misshapen({**WHOLE, "d": 1.5, "more": None}, SHAPE) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"a": 3}, "a is 3, expected text"),
        ({"a": None}, "a is None, expected text"),
        ({"b": [{"n": 1}, {"n": True}]}, "b[1].n is True, expected a whole number"),
        ({"b": {}}, "b is no list"),
        ({"b": [{}]}, "b[0].n is not there"),
        ({"b": [5]}, "b[0] is no mapping"),
        ({"d": "x"}, "d is 'x', expected a number"),
        ({"e": [1.0]}, "e has 1 values, expected 2"),
    ],
)
def test_every_fault_is_named_with_its_place(change, said):
    assert misshapen({**WHOLE, **change}, SHAPE) == [said]


def test_what_is_lost_is_named():
    assert misshapen({}, {"a": str, "b?": str}) == ["a is not there"]
    assert misshapen([], {"a": str}) == ["it is no mapping"]


def test_no_run_at_all_lacks_everything():
    lost = misshapen({})
    assert "scenario is not there" in lost
    assert "rules is not there" in lost


@pytest.mark.parametrize("day", ["yesterday", "2026-02-30", 20260101, None])
def test_a_day_that_is_none_is_named(day):
    assert misshapen({"as_of": day}, {"as_of": date}) == [f"as_of is {day!r}, expected a day"]
    assert misshapen({"as_of": "2026-02-28"}, {"as_of": date}) == []


def test_a_scenario_of_another_version_is_told_with_what_would_fix_it(tmp_path):
    asked = open_scenario("mine/open-pit").model_dump(mode="json", by_alias=True)
    assert scenario_of({"scenario": asked}, tmp_path).name == "mine/open-pit"
    del asked["grid"]
    with pytest.raises(RunError, match="cannot be asked again") as told:
        scenario_of({"scenario": {**asked, "since_removed": "1"}}, tmp_path)
    said = str(told.value)
    assert "run.json" in said
    assert "grid: this key is missing" in said
    assert "since_removed: this key is not known here" in said
    assert "run the scenario again" in said
