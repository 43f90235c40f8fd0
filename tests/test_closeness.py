import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymcdm.methods import TOPSIS

from geosite.closeness import Ideal, closeness, order, reversals


@st.composite
def matrices(draw, most=8):
    """Scores (criteria, sites) on twentieths, weights, and the sites' ids."""
    shape = (draw(st.integers(1, 5)), draw(st.integers(1, most)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    scores = rng.integers(0, 21, shape) / 20
    return scores, rng.integers(1, 10, shape[0]).astype(float), [f"s{k}" for k in range(shape[1])]


def ranked(scores, weights):
    return closeness(scores, weights, Ideal.of(scores))


@given(st.integers(0, 2**32 - 1))
def test_it_agrees_with_an_independent_library(seed):
    rng = np.random.default_rng(seed)
    count, sites = rng.integers(2, 12), rng.integers(2, 40)
    scores, weights = rng.random((count, sites)), rng.random(count) + 0.01
    # Absolute scores: nothing is scaled by the data.
    theirs = TOPSIS(normalization_function=lambda x, cost: x)(
        scores.T, weights / weights.sum(), np.ones(count), validation=False
    )
    assert np.abs(ranked(scores, weights) - theirs).max() <= 1e-9


@given(matrices(), st.data())
def test_a_better_score_never_makes_a_site_worse_before_the_same_ideal(case, data):
    scores, weights, _ = case
    ideal = Ideal.of(scores)
    gain = data.draw(st.floats(-0.5, 1))
    better = scores.copy()
    better[0] = np.clip(better[0] + abs(gain), 0, 1)
    worse = scores.copy()
    worse[0] = np.clip(worse[0] - abs(gain), 0, 1)
    now = closeness(scores, weights, ideal)
    assert (closeness(better, weights, ideal) >= now - 1e-12).all()
    assert (closeness(worse, weights, ideal) <= now + 1e-12).all()


def test_what_is_not_known_has_no_part_and_nothing_known_is_unknown():
    scores = np.array([[0.0, 0.5, 1.0, np.nan], [0.0, np.nan, 1.0, np.nan]])
    assert ranked(scores, np.array([1.0, 9.0])).tolist() == pytest.approx(
        [0, 0.5, 1, np.nan], nan_ok=True
    )


def test_a_set_of_equals_is_told_apart_by_nothing():
    assert ranked(np.full((3, 2), 0.7), np.ones(3)).tolist() == [0.5, 0.5]
    assert ranked(np.full((3, 1), 0.7), np.ones(3)).tolist() == [0.5]
    assert ranked(np.empty((3, 0)), np.ones(3)).tolist() == []


def test_a_criterion_that_nobody_knows_counts_from_its_anchors():
    ideal = Ideal.of(np.array([[np.nan, np.nan], [0.2, 0.4]]))
    assert ideal.best.tolist() == [1.0, 0.4]
    assert ideal.worst.tolist() == [0.0, 0.2]


@settings(max_examples=60)
@given(matrices())
def test_the_removals_that_reorder_are_all_that_do(case):
    scores, weights, ids = case
    found = {r.site: r for r in reversals(scores, weights, ids)}
    whole = [ids[k] for k in order(ranked(scores, weights), ids)]
    for k, gone in enumerate(ids):
        keep = np.arange(len(ids)) != k
        others = [i for i in ids if i != gone]
        left = [others[j] for j in order(ranked(scores[:, keep], weights), others)]
        before = [i for i in whole if i != gone]
        assert (left != before) == (gone in found)
        if gone in found:
            shifts = [abs(before.index(i) - left.index(i)) for i in left]
            reversal = found[gone]
            assert reversal.moved == sum(s > 0 for s in shifts)
            assert reversal.most == max(shifts)
            assert reversal.first == 1 + next(j for j, s in enumerate(shifts) if s)


def test_who_holds_an_extreme_alone_may_reverse_the_others():
    scores = np.array([[1.0, 0.6, 0.5, 0.0], [0.0, 0.4, 0.6, 0.1]])
    found = reversals(scores, np.array([1.0, 1.0]), ["p", "q", "r", "s"])
    assert [(r.site, r.moved, r.most, r.first) for r in found] == [("p", 2, 1, 1), ("s", 2, 2, 1)]
    # Held by two, an extreme stays when one of them goes.
    twice = np.repeat(scores, 2, axis=1)
    assert reversals(twice, np.array([1.0, 1.0]), list("abcdefgh")) == ()


def test_the_order_is_by_nine_decimals_then_by_id():
    assert order(np.array([0.5, 0.5 + 1e-12, np.nan]), ["b", "c", "a"]).tolist() == [0, 1, 2]
