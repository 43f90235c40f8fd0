"""Success rates and areas under them: by counting, by laws, and against scikit-learn."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from geosite.validation import (
    auc,
    block_folds,
    bootstrapped,
    crossing,
    interval,
    standing,
    standing_within,
    success_rate,
)

VALUES = st.integers(0, 12).map(lambda n: n / 4)  # few values, so that many are level
LAND = st.lists(VALUES, min_size=1, max_size=60)
SITES = st.lists(VALUES, min_size=1, max_size=20)
ON_LAND = LAND.flatmap(
    lambda land: st.tuples(st.just(land), st.lists(st.sampled_from(land), min_size=1, max_size=20))
)
"""Land and sites on it: each is level with its own cell at least."""
SHARES = np.linspace(0, 1, 41)


def drawn(picture):
    """A raster drawn in digits, blanks for land without a value."""
    rows = [list(line) for line in picture.splitlines()]
    return np.array([[np.nan if c == "." else float(c) for c in row] for row in rows])


RASTER = drawn("""\
9877.
55431
..210""")


def test_shares_of_the_best_land_are_counted_on_a_drawn_raster():
    # Twelve cells have a value: 9, 8, 7, 7, 5, 5, 4, 3, 2, 1, 1, 0.
    found = standing(RASTER, [9, 7, 1])
    assert (found.above * 12).round(9).tolist() == [0, 2, 9]
    assert (found.level * 12).round(9).tolist() == [1, 2, 2]
    assert success_rate(found, 1 / 12) == pytest.approx(1 / 3)
    assert success_rate(found, 3 / 12) == pytest.approx(1 / 3 + 1 / 6)  # half of the sevens
    assert success_rate(found, 4 / 12) == pytest.approx(2 / 3)
    assert auc(found) == pytest.approx(1 - np.mean([0.5, 3, 10]) / 12)


@given(LAND, SITES)
def test_the_area_is_that_of_scikit_learn(land, sites):
    from sklearn.metrics import roc_auc_score  # noqa: PLC0415 -- slow to import

    truth = [0] * len(land) + [1] * len(sites)
    assert auc(standing(land, sites)) == pytest.approx(roc_auc_score(truth, [*land, *sites]))


@given(ON_LAND)
def test_the_area_is_the_area_under_the_curve(drawn_world):
    land, sites = drawn_world
    found = standing(land, sites)
    # The curve is straight between multiples of one cell.
    shares = np.arange(len(land) + 1) / len(land)
    assert auc(found) == pytest.approx(np.trapezoid(success_rate(found, shares), shares))


@given(ON_LAND)
def test_more_land_never_holds_fewer_sites_and_all_land_holds_all(drawn_world):
    land, sites = drawn_world
    rate = success_rate(standing(land, sites), SHARES)
    assert (np.diff(rate) >= -1e-12).all()
    assert rate[0] == 0
    assert rate[-1] == 1


@given(LAND, SITES, st.sampled_from([np.exp, np.arctan, lambda v: 3 * v - 7]))
def test_only_the_order_of_the_values_counts(land, sites, rising):
    one, other = standing(land, sites), standing(rising(np.array(land)), rising(np.array(sites)))
    assert one.above.tolist() == other.above.tolist()
    assert one.level.tolist() == other.level.tolist()


@given(LAND, SITES)
def test_turning_the_surface_round_turns_the_area_round(land, sites):
    turned = standing(-np.array(land), -np.array(sites))
    assert auc(standing(land, sites)) == pytest.approx(1 - auc(turned))


@given(LAND, SITES, st.integers(1, 5))
def test_land_without_a_value_and_repeated_land_change_nothing(land, sites, times):
    found = standing(land, sites)
    more = standing([*land * times, *[np.nan] * times], sites)
    assert more.above == pytest.approx(found.above)
    assert more.level == pytest.approx(found.level)


@given(LAND, LAND, SITES, SITES)
def test_a_site_is_ranked_against_the_land_of_its_own_group_only(here, there, mine, yours):
    found = standing_within(
        [*here, *there], [1] * len(here) + [2] * len(there),
        [*mine, *yours], [1] * len(mine) + [2] * len(yours),
    )  # fmt: skip
    alone = [standing(here, mine).above, standing(there, yours).above]
    assert found.above.tolist() == np.concatenate(alone).tolist()


@given(SITES, st.integers(0, 9))
def test_one_group_is_all_the_land(sites, group):
    land = np.arange(40) / 8
    all_ = standing(land, sites)
    mine = standing_within(land, np.full(40, group), sites, np.full(len(sites), group))
    assert auc(all_) == auc(mine)


@given(LAND, SITES)
def test_the_curves_cross_where_both_shares_make_one(land, sites):
    found = standing(land, sites)
    at = crossing(found)
    assert 0 < at <= 1
    assert success_rate(found, at) + at >= 1 - 1e-9
    before = max(0.0, at - 1e-9)
    assert success_rate(found, before) + before <= 1 + 1e-9


def test_a_surface_that_tells_nothing_crosses_at_one_half():
    assert crossing(standing(np.ones(9), np.ones(4))) == pytest.approx(0.5)
    assert auc(standing(np.ones(9), np.ones(4))) == 0.5


@given(arrays(float, st.integers(1, 30), elements=st.floats(0, 1)), st.integers(0, 99))
def test_an_interval_holds_the_mean_and_lies_among_the_scores(scores, seed):
    found = bootstrapped(scores, seed=seed, draws=200)
    assert scores.min() - 1e-9 <= found.low <= found.high <= scores.max() + 1e-9
    assert found == bootstrapped(scores, seed=seed, draws=200)


def test_an_interval_is_as_wide_as_theory_says():
    scores = np.random.default_rng(4).random(400)
    low, high = interval(scores[:, None], seed=2)
    wide = 2 * 1.96 * scores.std() / np.sqrt(400)
    assert (high - low)[0] == pytest.approx(wide, rel=0.1)


def test_every_column_draws_the_same_sites():
    scores = np.random.default_rng(4).random(50)
    low, high = interval(np.stack([scores, 2 * scores], axis=1), seed=2)
    assert low[1] == pytest.approx(2 * low[0])
    assert high[1] == pytest.approx(2 * high[0])


PLACES = arrays(float, st.tuples(st.integers(1, 40), st.just(2)), elements=st.floats(-9000, 9000))


@given(PLACES, st.integers(1, 6), st.integers(0, 9))
def test_a_block_is_never_torn_apart_and_every_place_has_a_fold(xy, folds, seed):
    fold = block_folds(xy, block=2000, folds=folds, seed=seed)
    assert ((fold >= 0) & (fold < folds)).all()
    blocks = np.floor(xy / 2000)
    for block in np.unique(blocks, axis=0):
        assert len(set(fold[(blocks == block).all(axis=1)])) == 1


@given(PLACES, st.integers(1, 6))
def test_no_fold_is_larger_than_another_by_more_than_a_block(xy, folds):
    fold = block_folds(xy, block=2000, folds=folds, seed=1)
    _, sizes = np.unique(np.floor(xy / 2000), axis=0, return_counts=True)
    held = np.bincount(fold, minlength=folds)
    assume(len(sizes) >= folds)
    assert held.max() - held.min() <= sizes.max()


def test_land_or_sites_without_a_value_are_refused():
    with pytest.raises(ValueError, match="no land has a value"):
        standing([np.nan], [1.0])
    with pytest.raises(ValueError, match="1 sites have no value"):
        standing([1.0], [1.0, np.nan])
