"""Whether a ``run.json`` has the shape that a run writes."""

import pytest

from geosite.run_shape import misshapen

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
