"""The smallest change of one weight that drops a site: it drops it, and a smaller one does not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geosite.model.combination import UNWEIGHTED, WeightedSum
from geosite.reweighting import ranks, suitabilities
from geosite.tipping import STEP, tippings
from tests.strategies import OF_FOUR, matrices_of_sites

SUM = WeightedSum(kind="weighted_sum")
TOP = (1, 4)


def ranks_with(scores, weights, j, shares, rule, ids, missing):
    """(sites, shares): ranks if a criterion has some shares of the weight."""
    w = weights / weights.sum()
    shares = np.atleast_1d(shares)
    many = np.outer((1 - shares) / (1 - w[j]), w)
    many[:, j] = shares
    return ranks(suitabilities(scores, many, rule, ids, missing=missing))


def cases(**more):
    """Matrices without ties: a tie is decided at the ninth decimal, which the formula ignores."""
    return st.tuples(st.integers(0, 10**6), st.integers(2, 25)).map(lambda c: _case(*c, **more))


def _case(seed, sites, gaps=0.0):
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, 10_001, (4, sites)) / 10_000
    scores[1:][rng.random((3, sites)) < gaps] = np.nan
    return scores, rng.uniform(1, 9, 4), ("evidence", "rail", "power", "water")


@pytest.mark.parametrize("rule", OF_FOUR, ids=lambda r: r.kind)
@pytest.mark.parametrize("missing", ["worst", "renormalise"])
@given(case=cases(gaps=0.2))
@settings(max_examples=12, deadline=None)
def test_the_change_drops_the_site_and_none_smaller_does(rule, missing, case):
    scores, weights, ids = case
    w = weights / weights.sum()
    how = (rule, ids, missing)
    stated = ranks(suitabilities(scores, w[None], rule, ids, missing=missing))[:, 0]
    found = tippings(scores, weights, rule, ids, missing=missing, top=TOP)
    for k, tipping in zip(TOP, found, strict=True):
        outside = stated > k
        assert (tipping.criterion[outside] == -1).all()
        assert np.isnan(tipping.change[outside]).all()
        for site in np.flatnonzero(~outside):
            j, share = tipping.criterion[site], tipping.share[site]
            most = abs(tipping.change[site]) if j >= 0 else np.inf
            if j >= 0:
                assert tipping.change[site] == pytest.approx(share / w[j] - 1, abs=1e-9)
                beyond = np.clip(share + np.sign(share - w[j]) * 1e-6, 1e-9, 1 - 1e-9)
                if 1e-6 < share < 1 - 1e-6:
                    assert ranks_with(scores, weights, j, beyond, *how)[site, 0] > k
            for i in range(4):
                shares = np.linspace(0.004, 0.996, 249)
                shares = shares[np.abs(shares / w[i] - 1) < most - STEP * 2 / w[i]]
                if len(shares):
                    assert (ranks_with(scores, weights, i, shares, *how)[site] <= k).all()


@pytest.mark.parametrize("rule", [r for r in OF_FOUR if r.kind in UNWEIGHTED], ids=lambda r: r.kind)
def test_a_rule_that_reads_no_weight_has_none_to_change(rule):
    scores, weights, ids = _case(1, 9)
    for tipping in tippings(scores, weights, rule, ids, missing="worst", top=TOP):
        assert (tipping.criterion == -1).all()


def test_by_hand():
    # Half and half, a leads by 0.1; they meet where 0.9 (1 - t) + 0.1 t = 0.4, at t = 5/8.
    scores = np.array([[0.9, 0.4], [0.1, 0.4]])
    (found,) = tippings(scores, np.ones(2), SUM, ("rail", "power"), missing="unknown", top=(1,))
    assert found.criterion[0] in (0, 1)
    assert abs(found.change[0]) == pytest.approx(0.25)
    assert found.criterion[1] == -1


def test_a_site_that_is_best_in_everything_cannot_be_dropped():
    scores = np.array([[0.9, 0.4, 0.1], [0.8, 0.4, 0.7]])
    (found,) = tippings(
        scores, np.array([1.0, 2.0]), SUM, ("rail", "power"), missing="unknown", top=(1,)
    )
    assert found.criterion.tolist() == [-1, -1, -1]
    assert np.isnan(found.share).all()


def test_equal_sites_stay_in_the_order_of_their_ids():
    scores = np.array([[0.5, 0.5], [0.5, 0.5]])
    (found,) = tippings(scores, np.ones(2), SUM, ("rail", "power"), missing="unknown", top=(1,))
    assert found.criterion.tolist() == [-1, -1]


@given(case=matrices_of_sites(known=True), rule=st.sampled_from(OF_FOUR))
@settings(max_examples=25, deadline=None)
def test_ties_and_zeros_do_no_harm(case, rule):
    scores, weights, ids = case
    for tipping in tippings(scores, weights, rule, ids, missing="worst", top=TOP):
        listed = tipping.criterion >= 0
        assert (np.isnan(tipping.share) == ~listed).all()
        assert (tipping.share[listed] >= 0).all()
        assert (tipping.share[listed] <= 1).all()


def test_one_criterion_or_no_site_has_nothing_to_change():
    one = tippings(np.array([[0.2, 0.4]]), np.ones(1), SUM, ("rail",), missing="worst", top=(1,))
    assert one[0].criterion.tolist() == [-1, -1]
    none = tippings(np.empty((2, 0)), np.ones(2), SUM, ("a", "b"), missing="worst", top=(1,))
    assert none[0].criterion.size == 0


@pytest.mark.parametrize("rule", [r for r in OF_FOUR if r.kind in {"topsis", "evidence_gated"}])
def test_a_tie_at_the_whole_of_a_weight_drops_nobody(rule):
    # The second is never behind the first but alone in evidence, where they are alike.
    scores = np.array([[1.0, 1.0, 0.0], [0.1, 0.9, 0.5], [0.2, 0.8, 0.4], [0.1, 0.7, 0.3]])
    ids = ("evidence", "rail", "power", "water")
    (found,) = tippings(scores, np.ones(4), rule, ids, missing="worst", top=(1,))
    assert found.criterion.tolist() == [-1, -1, -1]
