from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import label

from geosite.pads import best_pad, pad_cells
from tests.strategies import scores, shapes
from tests.toyworld import draw, picture, world

NAN = float("nan")
LEGEND = {".": NAN} | {str(n): n / 10 for n in range(10)}


def pads(text, cells):
    """The picture of the best pad."""
    _, land = world(text, LEGEND)
    found = best_pad(land.to_numpy().astype(np.float32), cells)
    if found is None:
        return None
    marked = np.zeros(land.shape, bool)
    marked[tuple(found.T)] = True
    return draw(marked)


def contiguous(pad):
    marked = np.zeros(pad.max(axis=0) + 1, bool)
    marked[tuple(pad.T)] = True
    return label(marked)[1] == 1


@pytest.mark.parametrize(
    ("pad_ha", "cell_ha", "cells"),
    [(1, 1, 1), (0.1, 1, 1), (1.01, 1, 2), (40, 0.81, 50), (0.3, 0.1, 3), (0.9, 0.09, 10)],
)
def test_a_pad_is_at_least_its_area(pad_ha, cell_ha, cells):
    assert pad_cells(pad_ha, cell_ha) == cells


def test_a_pad_stays_on_its_land():
    land = """
        9 . 3 3
        9 . 3 3
        . . . 3
    """
    assert pads(land, 2) == picture("""
        # . . .
        # . . .
        . . . .
    """)
    assert pads(land, 4) == picture("""
        . . # #
        . . # #
        . . . .
    """)
    assert pads(land, 6) is None


def test_corners_do_not_make_land_contiguous():
    assert pads("9 . \n . 9", 2) is None


def test_good_land_too_small_does_not_shadow_good_land_beside_it():
    assert pads(". 9 . 8 8 8 . 1 1 1", 3) == ". . . # # # . . . ."


def test_land_with_a_hole():
    found = pads(
        """
        5 5 5
        5 . 5
        5 5 5
        """,
        8,
    )
    assert found == picture("""
        # # #
        # . #
        # # #
    """)


def test_no_land_has_no_pad():
    assert best_pad(np.full((3, 4), NAN, np.float32), 1) is None
    assert best_pad(np.empty((0, 3), np.float32), 1) is None


def test_of_equal_land_the_pad_is_compact():
    found = best_pad(np.full((9, 9), 0.5, np.float32), 9)
    assert np.ptp(found, axis=0).max() <= 3


@st.composite
def lands(draw, most=9):
    shape = draw(shapes(most))
    return draw(scores(shape)), draw(st.integers(1, 9))


@given(lands())
def test_a_pad_is_contiguous_of_its_size_and_on_known_land(land):
    suitability, cells = land
    before = suitability.copy()
    pad = best_pad(suitability, cells)
    assert np.array_equal(suitability, before, equal_nan=True)
    labels, _ = label(~np.isnan(suitability))
    large = np.bincount(labels.ravel(), minlength=2)[1:].max()
    assert (pad is None) == (large < cells)
    if pad is None:
        return
    assert len({*map(tuple, pad.tolist())}) == len(pad) == cells
    assert not np.isnan(suitability[tuple(pad.T)]).any()
    assert contiguous(pad)


@given(lands())
def test_one_cell_is_the_best_cell(land):
    suitability, _ = land
    pad = best_pad(suitability, 1)
    if pad is not None:
        assert suitability[tuple(pad[0])] == np.nanmax(suitability)


def brute_force(suitability, cells):
    known = np.argwhere(~np.isnan(suitability))
    best = None
    for chosen in combinations(range(len(known)), cells):
        pad = known[list(chosen)]
        if contiguous(pad):
            mean = suitability[tuple(pad.T)].astype(float).mean()
            best = mean if best is None else max(best, mean)
    return best


@given(st.tuples(st.integers(1, 3), st.integers(1, 4)).flatmap(scores), st.integers(1, 4))
def test_a_grown_pad_is_nearly_the_best_of_all_shapes(suitability, cells):
    best = brute_force(suitability, cells)
    pad = best_pad(suitability, cells)
    assert (pad is None) == (best is None)
    if pad is not None:
        mean = suitability[tuple(pad.T)].astype(float).mean()
        assert mean <= best + 1e-9
        # A pad holds the best cell of its land or does better than that.
        assert mean >= max(best / 2, np.nanmin(suitability)) - 1e-9


@given(lands(), st.integers(0, 5), st.integers(0, 5))
def test_a_pad_goes_with_its_land(land, down, right):
    suitability, cells = land
    wide = np.pad(suitability, ((down, 2), (right, 2)), constant_values=np.nan)
    one, two = best_pad(suitability, cells), best_pad(wide, cells)
    assert (one is None) == (two is None)
    if one is not None:
        assert (one + np.array([down, right])).tolist() == two.tolist()
