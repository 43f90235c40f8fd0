"""Many weightings of one set of sites: each as `suitability` and the ranked table have it."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geosite.reweighting import LEAST, concentration, drawn_weights, ranks, suitabilities
from geosite.sites import in_order
from geosite.suitability import suitability
from tests.strategies import OF_FOUR, matrices_of_sites

POLICIES = ("unknown", "worst", "renormalise", "best")
few = settings(max_examples=25, deadline=None)


@pytest.mark.parametrize("rule", OF_FOUR, ids=lambda r: r.kind)
@pytest.mark.parametrize("missing", POLICIES)
@given(case=matrices_of_sites(), seed=st.integers(0, 99))
@few
def test_each_weighting_gives_what_suitability_gives(rule, missing, case, seed):
    scores, weights, ids = case
    drawn = drawn_weights(weights, 7, seed, 0.5)
    found = suitabilities(scores, drawn, rule, ids, missing=missing)
    wanted = [suitability(scores, w, rule, ids, missing=missing, exact=True) for w in drawn]
    assert found.shape == (7, scores.shape[1])
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-12)


@given(st.lists(st.sampled_from([0.0, 0.25, 0.25 + 1e-12, 0.5, 1.0, np.nan]), max_size=12))
@few
def test_ranks_are_those_of_the_ranked_table(values):
    ids = [f"s{k:02}" for k in range(len(values))]
    table = pd.DataFrame({"site_id": ids, "suitability": np.array(values, float)})
    table = table.assign(suitability_low=0.0, suitability_high=1.0)
    ordered = in_order(table)["site_id"].tolist()
    found = ranks(np.array([values], float).reshape(1, -1))[:, 0]
    assert [ids[k] for k in np.argsort(found)] == ordered
    assert sorted(found) == list(range(1, len(values) + 1))


def test_many_sites_are_sorted_to_the_ninth_decimal():
    rng = np.random.default_rng(1)
    values = rng.random((3, 5000))
    values[:, ::7] = values[:, 1::7][:, : values[:, ::7].shape[1]]
    found = ranks(values)
    for d in range(3):
        wanted = np.argsort(-np.round(values[d], 9), kind="stable")
        assert (np.argsort(found[:, d]) == wanted).all()


@pytest.mark.parametrize("spread", [None, 0.1, 0.5, 1.0])
def test_weightings_are_positive_sum_to_one_and_repeat(spread):
    weights = np.array([5.0, 3.0, 1.0, 1.0])
    drawn = drawn_weights(weights, 400, 3, spread)
    assert drawn.shape == (400, 4)
    assert (drawn >= LEAST / 2).all()
    np.testing.assert_allclose(drawn.sum(axis=1), 1.0)
    assert (drawn == drawn_weights(weights * 10, 400, 3, spread)).all()
    assert (drawn != drawn_weights(weights, 400, 4, spread)).any()


@pytest.mark.parametrize("criteria", [2, 5, 8])
@pytest.mark.parametrize("spread", [0.2, 0.5])
def test_a_weight_of_mean_size_is_doubted_by_the_spread(criteria, spread):
    drawn = drawn_weights(np.ones(criteria), 40_000, 1, spread)
    np.testing.assert_allclose(drawn.mean(axis=0), 1 / criteria, rtol=0.01)
    np.testing.assert_allclose(2 * drawn.std(axis=0) * criteria, spread, rtol=0.03)


def test_without_a_spread_every_weighting_is_as_likely():
    drawn = drawn_weights(np.array([98.0, 1.0, 1.0]), 40_000, 1, None)
    np.testing.assert_allclose(drawn.mean(axis=0), 1 / 3, rtol=0.02)
    # Of the triangle of weightings, a quarter has the first weight above one half.
    assert (drawn[:, 0] > 0.5).mean() == pytest.approx(0.25, abs=0.01)


def test_one_criterion_has_the_whole_weight():
    assert concentration(1, 0.5) == float("inf")
    assert (drawn_weights(np.array([3.0]), 5, 0, 0.5) == 1).all()
