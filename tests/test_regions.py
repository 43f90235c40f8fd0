"""Regions of a wanted area: contiguous, apart, compact as far as asked, and nearly the best."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import label
from scipy.spatial.distance import cdist

from geosite.growth import merits
from geosite.regions import best_regions
from tests.strategies import scores, shapes
from tests.toyworld import draw, picture, world

NAN = float("nan")
LEGEND = {".": NAN} | {str(n): n / 10 for n in range(10)}
WEIGHTS = st.sampled_from((0.0, 0.25, 0.5, 1.0))


def drawn(text, cells, **how):
    """The picture of the regions, numbered from the best."""
    _, land = world(text, LEGEND)
    marked = np.zeros(land.shape, int)
    for k, region in enumerate(best_regions(land.to_numpy().astype(np.float32), cells, **how)):
        marked[tuple(region.cells.T)] = k + 1
    return draw(marked, {".": 0} | {str(n): n for n in range(1, 10)})


def contiguous(cells):
    marked = np.zeros(cells.max(axis=0) + 1, bool)
    marked[tuple(cells.T)] = True
    return label(marked)[1] == 1


def gap(one, two):
    """Distance between the edges of two sets of cells [cells]."""
    return cdist(one, two, lambda a, b: np.hypot(*np.maximum(np.abs(a - b) - 1, 0))).min()


def test_the_best_ground_comes_first_and_regions_share_none():
    land = """
        9 9 1 1 . 5 5
        9 9 1 1 . 5 5
        1 1 1 1 . 5 5
    """
    found = drawn(land, 4, count=3)
    assert found.splitlines()[0].startswith("1 1 ")
    assert found.count("1") == found.count("2") == found.count("3") == 4


def test_suitability_alone_takes_the_best_cells_that_hang_together():
    land = """
        9 9 9 9 9 9
        1 1 1 1 1 9
        1 1 1 1 1 9
    """
    assert drawn(land, 8, compactness=0.0) == picture("""
        1 1 1 1 1 1
        . . . . . 1
        . . . . . 1
    """)
    assert "1 1 1 1 1 1" not in drawn(land, 8, compactness=1.0)


def test_good_land_too_small_does_not_shadow_good_land_beside_it():
    assert drawn(". 9 . 8 8 8 . 1 1 1", 3) == ". . . 1 1 1 . . . ."


def test_corners_do_not_make_land_contiguous():
    assert best_regions(np.array([[0.9, NAN], [NAN, 0.9]], np.float32), 2) == []


def test_no_land_has_no_region():
    assert best_regions(np.full((3, 4), NAN, np.float32), 1) == []
    assert best_regions(np.empty((0, 3), np.float32), 1) == []
    assert len(best_regions(np.zeros((2, 2), np.float32), 4)) == 1


@pytest.mark.parametrize("cells", [50, 300, 1000])
def test_shape_alone_is_nearly_a_disc_on_level_land(cells):
    region = best_regions(np.full((50, 50), 0.5, np.float32), cells, compactness=1.0)[0]
    assert region.compactness == region.objective > 0.98
    # By the smallest circle round it: a square has 0.64.
    corners = np.concatenate([region.cells + d for d in ((0, 0), (0, 1), (1, 0), (1, 1))])
    radius = np.hypot(*(corners - corners.mean(axis=0)).T).max()
    assert cells / (np.pi * radius**2) > 0.75


def test_a_hole_of_poor_land_is_not_left_where_shape_counts():
    land = np.full((9, 9), 0.9, np.float32)
    land[4, 4] = 0.7
    region = best_regions(land, 49, compactness=0.5)[0]
    filled = np.zeros(land.shape, bool)
    filled[tuple(region.cells.T)] = True
    outside, _ = label(np.pad(~filled, 1, constant_values=True))
    assert outside.max() == 1


def test_more_weight_of_the_shape_is_never_less_compact_on_drawn_land():
    rows, columns = np.indices((40, 40))
    ridge = (1 - np.abs(rows - columns) / 40).astype(np.float32)
    found = [best_regions(ridge, 120, compactness=c)[0].compactness for c in (0, 0.25, 0.5, 1)]
    assert found == sorted(found)
    assert found[-1] > found[0] + 0.5


@st.composite
def lands(draw, most=9):
    shape = draw(shapes(most))
    return draw(scores(shape)), draw(st.integers(1, 9))


@given(lands(), WEIGHTS, st.integers(1, 4), st.sampled_from((0.0, 1.0, 1.5, 3.0)))
def test_regions_are_contiguous_of_their_size_disjoint_and_apart(land, weight, count, spacing):
    suitability, cells = land
    before = suitability.copy()
    found = best_regions(suitability, cells, compactness=weight, count=count, spacing=spacing)
    assert np.array_equal(suitability, before, equal_nan=True)
    labels, _ = label(~np.isnan(suitability))
    large = np.bincount(labels.ravel(), minlength=2)[1:].max()
    assert (len(found) == 0) == (large < cells)
    assert len(found) <= count
    for region in found:
        assert len({*map(tuple, region.cells.tolist())}) == len(region.cells) == cells
        assert not np.isnan(suitability[tuple(region.cells.T)]).any()
        assert contiguous(region.cells)
        assert 0 < region.compactness <= 1
    for one, two in combinations(found, 2):
        assert not {*map(tuple, one.cells.tolist())} & {*map(tuple, two.cells.tolist())}
        assert gap(one.cells, two.cells) >= spacing - 1e-9


@given(lands(), st.integers(2, 4))
def test_as_many_regions_as_there_is_room_for_by_themselves(land, count):
    suitability, cells = land
    found = best_regions(suitability, cells, count=count)
    rest = suitability.copy()
    for region in found:
        rest[tuple(region.cells.T)] = NAN
    # What is left has no room for another, or as many as were asked for are there.
    assert len(found) == count or best_regions(rest, cells) == []


@given(lands(), WEIGHTS, st.sampled_from((0.125, 0.5, 3.0, 10.0)))
def test_the_unit_of_suitability_means_nothing(land, weight, factor):
    suitability, cells = land
    one = best_regions(suitability, cells, compactness=weight, count=2)
    two = best_regions(suitability * np.float32(factor), cells, compactness=weight, count=2)
    assert [r.cells.tolist() for r in one] == [r.cells.tolist() for r in two]


@given(lands(), WEIGHTS, st.integers(0, 5), st.integers(0, 5))
def test_regions_go_with_their_land(land, weight, down, right):
    suitability, cells = land
    wide = np.pad(suitability, ((down, 2), (right, 2)), constant_values=NAN)
    one = best_regions(suitability, cells, compactness=weight, count=2)
    two = best_regions(wide, cells, compactness=weight, count=2)
    move = np.array([down, right])
    assert [(r.cells + move).tolist() for r in one] == [r.cells.tolist() for r in two]


@given(lands())
def test_one_cell_is_the_best_cell(land):
    suitability, _ = land
    found = best_regions(suitability, 1, compactness=0.3)
    if found:
        assert suitability[tuple(found[0].cells[0])] == np.nanmax(suitability)


def value(suitability, place, weight):
    """The objective, told anew."""
    r, c = place.T
    most = float(np.nanmax(suitability)) or 1.0
    n, (dr, dc) = len(place), (r - r.mean(), c - c.mean())
    shape = n**2 / (2 * np.pi * ((dr**2 + dc**2).sum() + n / 6))
    return (1 - weight) * suitability[r, c].astype(float).mean() / most + weight * shape


def best_of_all(suitability, cells, weight):
    """The largest objective of any connected region, by trying them all."""
    known = np.argwhere(~np.isnan(suitability))
    some = (known[list(k)] for k in combinations(range(len(known)), cells))
    return max((value(suitability, p, weight) for p in some if contiguous(p)), default=None)


@settings(max_examples=60)
@given(st.tuples(st.integers(1, 3), st.integers(1, 4)).flatmap(scores), st.integers(1, 5), WEIGHTS)
def test_a_region_is_nearly_the_best_of_all_shapes(suitability, cells, weight):
    found, best = best_regions(suitability, cells, compactness=weight), None
    best = best_of_all(suitability, cells, weight)
    assert (found == []) == (best is None)
    if found:
        assert found[0].objective == pytest.approx(
            value(suitability, found[0].cells, weight), abs=2e-6
        )
        assert 0.6 * best - 1e-6 <= found[0].objective <= best + 2e-6


def test_on_average_it_is_the_best_within_a_hundredth():
    rng = np.random.default_rng(7)
    shares = []
    for _ in range(60):
        suitability = (rng.integers(1, 9, (3, 4)) / 8).astype(np.float32)
        best = best_of_all(suitability, 4, 0.5)
        shares.append(best_regions(suitability, 4)[0].objective / best)
    assert np.mean(shares) > 0.99


def test_merits_of_a_square():
    worth = np.full((4, 4), 500_000, np.int32)
    mean, shape = merits(worth, np.array([5, 6, 9, 10]))
    assert mean == 0.5
    assert shape == pytest.approx(3 / np.pi)
