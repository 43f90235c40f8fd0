"""The logistic model finds what made its data, and states' intercepts take what is theirs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geosite.prospectivity.logistic import Cases, case_weights, fitted


def drawn(seed, slope=1.0, rows=4000):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 2))
    states = rng.integers(1, 3, rows)
    odds = slope * x[:, 0] - 1 + 2.0 * (states == 2)
    return x, rng.uniform(size=rows) < 1 / (1 + np.exp(-odds)), states


def test_it_finds_the_slope_that_made_the_deposits():
    x, deposit, states = drawn(1)
    fit = fitted(Cases(x, deposit, states, np.ones(len(x))), 1e-3)
    assert fit.coefficients == pytest.approx([1.0, 0.0], abs=0.15)
    assert fit.intercepts == pytest.approx([-1.0, 1.0], abs=0.2)
    assert fit.studentised[0] > 10
    assert abs(fit.studentised[1]) < 3


@given(st.floats(1, 1e4), st.floats(1.5, 10))
@settings(deadline=None, max_examples=20)
def test_more_penalty_never_lengthens_the_coefficients(penalty, factor):
    x, deposit, states = drawn(2, rows=300)
    cases = Cases(x, deposit, states, np.ones(len(x)))
    lengths = [np.linalg.norm(fitted(cases, p).coefficients) for p in (penalty, penalty * factor)]
    assert lengths[1] <= lengths[0] + 1e-6


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 3)), min_size=1, max_size=30))
def test_weights_give_each_state_as_much_background_as_deposits(rows):
    deposit = np.array([r[0] for r in rows])
    states = np.array([r[1] for r in rows])
    weights = case_weights(deposit, states)
    for state in np.unique(states):
        mine = states == state
        if (mine & deposit).any() and (mine & ~deposit).any():
            halves = weights[mine & deposit].sum(), weights[mine & ~deposit].sum()
            assert halves[0] == pytest.approx(halves[1])
        elif not (mine & deposit).any():
            assert not weights[mine].any()
    assert weights[deposit].sum() == pytest.approx(deposit.sum())
