"""Rank acceptability: against brute force, and the laws it keeps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geosite import acceptability as module
from geosite.acceptability import acceptability
from geosite.model.combination import WeightedSum
from geosite.reweighting import drawn_weights
from geosite.suitability import suitability
from tests.strategies import OF_FOUR, matrices_of_sites

SUM = WeightedSum(kind="weighted_sum")
few = settings(max_examples=15, deadline=None)
every_rule = pytest.mark.parametrize("rule", OF_FOUR, ids=lambda r: r.kind)


def asked(scores, weights, ids, rule=SUM, *, draws=60, top=(2, 5), **more):
    drawn = drawn_weights(weights, draws, more.pop("seed", 0), more.pop("spread", 0.5))
    missing = more.pop("missing", "renormalise")
    return drawn, acceptability(scores, drawn, rule, ids, missing=missing, top=top)


def ranks_by_hand(scores, drawn, rule, ids, missing):
    """(draws, sites)."""
    out = []
    for w in drawn:
        suited = np.round(suitability(scores, w, rule, ids, missing=missing, exact=True), 9)
        order = np.lexsort((np.arange(len(suited)), -np.nan_to_num(suited, nan=-1)))
        rank = np.empty(len(suited), int)
        rank[order] = np.arange(1, len(suited) + 1)
        out.append(rank)
    return np.array(out)


@every_rule
@pytest.mark.parametrize("missing", ["unknown", "worst", "renormalise"])
@given(case=matrices_of_sites(), seed=st.integers(0, 9))
@few
def test_it_is_what_ranking_each_weighting_gives(rule, missing, case, seed):
    scores, weights, ids = case
    drawn, found = asked(scores, weights, ids, rule, seed=seed, missing=missing)
    by_hand = ranks_by_hand(scores, drawn, rule, ids, missing)
    for n, k in enumerate((2, 5)):
        np.testing.assert_allclose(found.top[:, n], (by_hand <= k).mean(axis=0), atol=1e-12)
    np.testing.assert_allclose(found.first, (by_hand == 1).mean(axis=0), atol=1e-12)
    np.testing.assert_allclose(found.expected, by_hand.mean(axis=0))
    for share, mine in ((0.05, found.low), (0.95, found.high)):
        wanted = np.quantile(by_hand, share, axis=0, method="inverted_cdf")
        assert mine.tolist() == wanted.tolist()
    for s in range(scores.shape[1]):
        inside = by_hand[:, s] <= 2
        wanted = drawn[inside].mean(axis=0) if inside.any() else np.full(len(ids), np.nan)
        np.testing.assert_allclose(found.central[s], wanted)


@given(case=matrices_of_sites())
@few
def test_shares_sum_to_the_length_of_the_list(case):
    scores, weights, ids = case
    _, found = asked(scores, weights, ids)
    places = [min(k, scores.shape[1]) for k in (2, 5)]
    np.testing.assert_allclose(found.top.sum(axis=0), places)
    assert (found.low <= found.high).all()
    assert ((found.low - 1e-9 <= found.expected) | (found.expected <= found.high)).all()


@every_rule
@given(case=matrices_of_sites(known=True), seed=st.integers(0, 9))
@few
def test_a_dominated_site_is_never_above_its_dominator(rule, case, seed):
    scores, weights, ids = case
    scores = np.column_stack([scores, np.maximum(scores[:, 0] - 0.2, 0)])
    _, found = asked(scores, weights, ids, rule, seed=seed, spread=None)
    worse, better = -1, 0
    assert (found.top[worse] <= found.top[better]).all()
    assert found.low[worse] >= found.low[better]
    assert found.high[worse] >= found.high[better]


@given(case=matrices_of_sites(), seed=st.integers(0, 9))
@few
def test_the_same_seed_gives_the_same_bytes_on_any_number_of_threads(case, seed):
    scores, weights, ids = case
    one = asked(scores, weights, ids, seed=seed)[1]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_THREADS", 1)
        patch.setattr(module, "_BLOCK", 1)
        other = asked(scores, weights, ids, seed=seed)[1]
    for name in ("top", "first", "low", "high", "expected", "central"):
        assert getattr(one, name).tobytes() == getattr(other, name).tobytes()


@every_rule
def test_without_doubt_about_the_weights_the_rank_is_the_rank(rule):
    rng = np.random.default_rng(5)
    scores, ids = rng.random((4, 40)), ("evidence", "rail", "power", "water")
    weights = np.array([5.0, 3.0, 2.0, 1.0])
    _, found = asked(scores, weights, ids, rule, spread=1e-7)
    rank = ranks_by_hand(scores, weights[None], rule, ids, "renormalise")[0]
    assert found.low.tolist() == found.high.tolist() == rank.tolist()
    assert set(np.unique(found.top)) <= {0.0, 1.0}


@pytest.mark.parametrize("bins", [1, 3, 64])
def test_ranks_counted_in_bins_first_give_the_same_quantiles(monkeypatch, bins):
    rng = np.random.default_rng(2)
    scores, ids = rng.random((4, 131)), ("evidence", "rail", "power", "water")
    whole = asked(scores, np.ones(4), ids, draws=200, spread=None)[1]
    monkeypatch.setattr(module, "_COUNTS", 131 * 2 * bins)
    found = asked(scores, np.ones(4), ids, draws=200, spread=None)[1]
    assert found.low.tolist() == whole.low.tolist()
    assert found.high.tolist() == whole.high.tolist()


def test_many_weightings_are_counted_in_wider_numbers():
    scores = np.array([[0.9, 0.1], [0.1, 0.2]])
    _, found = asked(scores, np.ones(2), ("rail", "power"), draws=70_000, top=(1,))
    assert found.first.sum() == pytest.approx(1)
    assert found.low.tolist() == [1, 1] or found.first[0] > 0.95


def test_no_site_and_one_site():
    _, none = asked(np.empty((2, 0)), np.ones(2), ("rail", "power"))
    assert none.top.shape == (0, 2)
    _, one = asked(np.array([[0.4], [0.2]]), np.ones(2), ("rail", "power"))
    assert (one.top == 1).all()
    assert one.low.tolist() == one.high.tolist() == [1]


def test_a_drawn_matrix_gives_what_it_gave():
    """Golden: what moves a number here belongs under *Results* in the changelog."""
    cells = np.arange(4)[:, None] * 389 + np.arange(60) * (241 + np.arange(4)[:, None])
    ids = ("evidence", "rail", "power", "water")
    weights = np.array([4.0, 3.0, 2.0, 1.0])
    drawn, found = asked(cells % 997 / 996, weights, ids, draws=1000, top=(5,))
    best = np.argsort(found.expected)[:6]
    assert drawn[0].round(6).tolist() == [0.376185, 0.322167, 0.149338, 0.15231]
    assert best.tolist() == [33, 56, 37, 23, 4, 41]
    assert found.low[best].tolist() == [1, 1, 2, 2, 3, 4]
    assert found.high[best].tolist() == [6, 10, 9, 11, 11, 13]
    assert found.top[best, 0].tolist() == [0.948, 0.751, 0.788, 0.667, 0.593, 0.332]
