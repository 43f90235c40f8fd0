from math import inf, log, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from geosite.criteria import category_score, saturation, score
from geosite.model.criterion import Reading
from geosite.model.value import ValueFunction


def function(kind, **written):
    return TypeAdapter(ValueFunction).validate_python({"kind": kind, **written})


NEAR = function("decreasing", best="2 km", worst="60 km")
FAR = function("increasing", worst="500 m", best="5 km")
BELL = function("logistic", best="1 km", worst="9 km")
RISING = function("logistic", worst="1 km", best="9 km")
LOG = function("log", worst="1 ha", best="1000 ha")
LESS = function("log", worst="1000 ha", best="1 ha")
MIDDLE = function(
    "between", worst_below="1 km", best_from="2 km", best_to="4 km", worst_above="8 km"
)
PEAK = function("between", worst_below="1 km", best_from="2 km", best_to="2 km", worst_above="8 km")
BENT = function("piecewise", points=[["0 %", "1"], ["5 %", "0.8"], ["15 %", "0.1"]])
NUMERIC = (NEAR, FAR, BELL, RISING, LOG, LESS, MIDDLE, PEAK, BENT)
MONOTONE = {NEAR: -1, FAR: 1, BELL: -1, RISING: 1, LOG: 1, LESS: -1, BENT: -1}
MEASURES = st.floats(0, 1e9)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (NEAR, {0: 1, 2000: 1, 31_000: 0.5, 45_500: 0.25, 60_000: 0, 1e9: 0, inf: 0}),
        (FAR, {0: 0, 500: 0, 2750: 0.5, 5000: 1, inf: 1}),
        (BELL, {1000: 0.95, 5000: 0.5, 9000: 0.05, inf: 0}),
        (RISING, {1000: 0.05, 5000: 0.5, 9000: 0.95, inf: 1}),
        (LOG, {0: 0, 0.5: 0, 1: 0, 10: 1 / 3, 100: 2 / 3, 1000: 1, inf: 1}),
        (LESS, {0: 1, 1: 1, 10: 2 / 3, 1000: 0, inf: 0}),
        (MIDDLE, {0: 0, 1000: 0, 1500: 0.5, 2000: 1, 3000: 1, 4000: 1, 7000: 0.25, inf: 0}),
        (PEAK, {1500: 0.5, 2000: 1, 5000: 0.5}),
        (BENT, {0: 1, 2.5: 0.9, 5: 0.8, 10: 0.45, 15: 0.1, 100: 0.1, inf: 0.1, -1: 1}),
    ],
)
def test_scores_at_and_between_the_anchors(value, expected):
    assert score(value, list(expected)) == pytest.approx(list(expected.values()), abs=1e-12)


def test_the_middle_of_a_logarithm_is_the_geometric_mean():
    assert score(LOG, [1000**0.5])[0] == pytest.approx(0.5)
    assert score(LOG, [7.0])[0] == pytest.approx(log(7) / log(1000))


@pytest.mark.parametrize("value", NUMERIC)
@given(st.lists(st.one_of(MEASURES, st.sampled_from((nan, inf))), max_size=8))
def test_a_score_is_within_bounds_and_known_where_the_measure_is(value, measures):
    found = score(value, measures)
    known = ~np.isnan(measures)
    assert (np.isnan(found) == ~known).all()
    assert ((found[known] >= 0) & (found[known] <= 1)).all()


@pytest.mark.parametrize(("value", "sign"), MONOTONE.items())
@given(MEASURES, MEASURES)
def test_a_score_follows_its_measure(value, sign, one, other):
    low, high = sorted((one, other))
    worse, better = score(value, [low, high])[::sign]
    assert worse <= better


@given(st.lists(MEASURES, min_size=2, max_size=6))
def test_a_score_depends_on_nothing_but_its_own_measure(measures):
    for value in NUMERIC:
        alone = [score(value, [m])[0] for m in measures]
        assert score(value, measures).tolist() == alone
        assert score(value, np.reshape(measures, (1, -1))).shape == (1, len(measures))


def test_categories_have_stated_scores():
    value = function("categorical", scores={"low": "1", "high": "0.25"})
    codes = np.array([[0, 1, 2], [-1, 1, 0]])
    found = category_score(value, codes, ["low", "extreme", "high"])
    assert found[[0, 0, 1], [0, 2, 2]].tolist() == [1, 0.25, 1]
    assert np.isnan(found).tolist() == [[False, True, False], [True, True, False]]


def test_numbers_and_categories_are_not_mixed_up():
    with pytest.raises(TypeError, match="categorical value function scores categories"):
        score(function("categorical", scores={"low": "1"}), [1.0])
    with pytest.raises(TypeError, match="decreasing value function scores numbers"):
        category_score(NEAR, np.array([0]), ["low"])


def reading(value, kind="distance"):
    return Reading.model_validate(
        {"layer": "x/a", "measure": {"kind": kind}, "value": value.model_dump(mode="json")}
    )


@pytest.mark.parametrize("value", [NEAR, FAR, BELL, RISING, MIDDLE, PEAK])
@given(beyond=st.floats(0, 1e7))
def test_beyond_saturation_nothing_changes(value, beyond):
    far = saturation(reading(value))
    at, past = score(value, [far, far + beyond])
    assert past == pytest.approx(at, abs=1e-6)


@pytest.mark.parametrize("value", [NEAR, FAR, MIDDLE, PEAK])
def test_saturation_is_no_farther_than_it_must_be(value):
    far = saturation(reading(value))
    at, before = score(value, [far, 0.99 * far])
    assert abs(before - at) > 1e-4


def test_what_is_no_distance_has_no_saturation():
    assert saturation(reading(BENT, "slope")) == 0
