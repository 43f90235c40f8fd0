"""A sign that says nothing has no contrast; a sign counted twice is found out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geosite.prospectivity.independence import contrast, signs
from geosite.prospectivity.logistic import Cases


@given(st.integers(20, 500), st.floats(0.1, 0.9))
def test_deposits_as_the_land_have_no_contrast(deposits, share):
    *_, c, studentised = contrast(deposits * share, deposits, share)
    assert abs(studentised) < 0.6
    assert abs(c) < 0.35


@given(st.integers(1, 99))
def test_more_deposits_on_the_sign_more_contrast(inside):
    assert contrast(inside + 1, 100, 0.1)[2] > contrast(inside, 100, 0.1)[2]


def cases(features):
    rng = np.random.default_rng(3)
    deposit = np.r_[np.zeros(2000, bool), np.ones(200, bool)]
    base = rng.normal(size=(2200, 2)) + 1.5 * deposit[:, None]
    columns = base[:, features]
    return Cases(columns, deposit, np.ones(2200, int), np.ones(2200))


def test_independent_signs_predict_about_the_deposits_there_are():
    told = signs(["a", "b"], cases([0, 1]), frozenset("ab"))
    assert told["independence"]["ratio"] == pytest.approx(1, abs=0.3)
    assert told["contrasts"]["a"]["studentised"] > 5


def test_the_same_sign_thrice_predicts_too_many():
    told = signs(["a", "b", "c"], cases([0, 0, 0]), frozenset("abc"))
    assert told["independence"]["ratio"] < 0.6
    assert told["independence"]["predicted_if_independent"] > 300


def test_signs_that_sum_the_same_records_are_not_asked():
    told = signs(["a", "b"], cases([0, 0]), frozenset("a"))
    assert told["independence"]["signs"] == ["a"]
    assert told["independence"]["ratio"] == pytest.approx(1, abs=0.1)
