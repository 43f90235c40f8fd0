"""A rectangle on eligible cells: it fits where it was cut out, and never on other land."""

from math import cos, hypot, radians, sin

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from geosite.rectangles import bearings, best_fit, strips
from tests.strategies import scores
from tests.toyworld import world

STEP = 30.0


def fit(eligible, sides, *, inside=None, suitability=None, rotation=STEP):
    inside = eligible if inside is None else inside
    if suitability is None:
        suitability = np.where(eligible, 0.5, np.nan).astype(np.float32)
    return best_fit(eligible, inside, suitability, sides, rotation=rotation)


def ring(found, sides):
    """The rectangle, told anew: x to the right, y down, in cells."""
    s, c = sin(radians(found.bearing)), cos(radians(found.bearing))
    along, across = np.array([s, -c]) * sides[0] / 2, np.array([c, s]) * sides[1] / 2
    middle = np.array([found.centre[1], found.centre[0]])
    corners = [along + across, along - across, -along - across, across - along]
    return shapely.Polygon([middle + corner for corner in corners])


def union(eligible):
    at = np.argwhere(eligible)
    return shapely.union_all(shapely.box(at[:, 1], at[:, 0], at[:, 1] + 1, at[:, 0] + 1))


def cut(centre, bearing, sides, shape=(14, 14)):
    """Cells that a rectangle touches, by shapely."""

    class Found:
        pass

    found = Found()
    found.centre, found.bearing = centre, bearing
    r, c = np.indices(shape)
    cells = shapely.box(c, r, c + 1, r + 1)
    return shapely.area(shapely.intersection(cells, ring(found, sides))) > 1e-6


def test_every_rotation_has_its_quarter_turn():
    assert bearings(90) == (0.0, 90.0)
    assert bearings(45) == (0.0, 45.0, 90.0, 135.0)
    assert bearings(40) == (0.0, 30.0, 40.0, 70.0, 80.0, 90.0, 120.0, 130.0, 160.0, 170.0)


def test_it_lies_on_the_better_ground_with_its_first_part_ahead():
    _, land = world("1 1 1 1 1 1 9 9", {"1": 0.1, "9": 0.9})
    suitability = land.to_numpy().astype(np.float32)
    found = fit(np.ones((1, 8), bool), (4.0, 1.0), suitability=suitability)
    assert (found.fits, found.bearing, found.centre) == (True, 90.0, (0.5, 6.0))
    assert found.mean == pytest.approx(0.5)
    other = fit(np.ones((1, 8), bool), (4.0, 1.0), suitability=suitability[:, ::-1])
    assert (other.bearing, other.centre) == (270.0, (0.5, 2.0))


def test_its_middle_lies_on_the_site_and_it_may_reach_beyond():
    land, site = np.ones((5, 9), bool), np.zeros((5, 9), bool)
    site[2, 6] = True
    found = fit(land, (4.0, 2.0), inside=site)
    assert found.fits
    assert 6 <= found.centre[1] <= 7
    assert 2 <= found.centre[0] <= 3
    assert fit(land, (4.0, 2.0), inside=np.zeros_like(site)) is None


def test_a_no_says_how_much_would_fit():
    found = fit(np.ones((2, 3), bool), (4.0, 2.0))
    assert not found.fits
    assert found.share == pytest.approx(0.75)
    # Land beyond the window is nobody's.
    alone = fit(np.ones((1, 1), bool), (10.0, 10.0))
    assert alone.share == pytest.approx(0.01)


@settings(max_examples=60)
@given(
    st.sampled_from(bearings(STEP)),
    st.tuples(st.integers(10, 18), st.integers(10, 18)),
    st.sampled_from(((5.0, 3.0), (6.0, 2.0), (4.5, 4.5), (3.3, 1.1))),
)
def test_a_rectangle_cut_out_of_the_land_fits_again(bearing, middle, sides):
    eligible = cut((middle[0] / 2, middle[1] / 2), bearing, sides)
    found = fit(eligible, sides)
    assert found.fits
    assert found.share == 1


lands = arrays(bool, (9, 9), elements=st.sampled_from((True, True, True, True, False)))
SIDES = st.sampled_from(((3.0, 2.0), (4.0, 1.5), (2.5, 2.5), (1.0, 0.5)))


@given(lands, SIDES, scores((9, 9)))
def test_no_point_of_it_lies_on_other_land(eligible, sides, suitability):
    found = fit(eligible, sides, suitability=suitability)
    if found is None:
        assert not eligible.any()
        return
    whole = ring(found, sides)
    assert whole.area == pytest.approx(sides[0] * sides[1])
    on = whole.intersection(union(eligible)).area / whole.area
    assert on == pytest.approx(found.share)
    assert found.fits == (on > 1 - 1e-9)
    row, column = found.centre
    near = eligible[
        max(int(row - 0.5), 0) : int(row + 0.5) + 1,
        max(int(column - 0.5), 0) : int(column + 0.5) + 1,
    ]
    assert near.any()


@given(lands, lands, SIDES)
def test_more_land_never_makes_a_fit_vanish(eligible, more, sides):
    inside = eligible
    one = fit(eligible, sides, inside=inside)
    two = fit(eligible | more, sides, inside=inside)
    if one is not None:
        assert two.fits >= one.fits


@given(lands, SIDES, scores((9, 9)), st.integers(0, 3), st.integers(0, 3))
def test_it_goes_with_its_land(eligible, sides, suitability, down, right):
    room = ((down, 2), (right, 1))
    wide = np.pad(eligible, room)
    one = fit(eligible, sides, suitability=suitability)
    two = fit(wide, sides, suitability=np.pad(suitability, room, constant_values=np.nan))
    assert (one is None) == (two is None)
    if one is not None:
        assert (one.fits, one.bearing, one.mean) == (two.fits, two.bearing, two.mean)
        assert (one.centre[0] + down, one.centre[1] + right) == two.centre


def test_strips_fill_the_rectangle_in_order():
    parts = strips((100.0, 50.0), (60.0, 20.0), 30.0, (3.0, 1.0, 2.0))
    assert shapely.area(parts) == pytest.approx([600, 200, 400])
    whole = shapely.union_all(parts)
    assert whole.area == pytest.approx(1200)
    assert whole.centroid.coords[0] == pytest.approx((100, 50))
    first, last = parts[0].centroid, parts[2].centroid
    assert (first.x - last.x, first.y - last.y) == pytest.approx(
        (sin(radians(30)) * 35, cos(radians(30)) * 35)
    )
    assert hypot(first.x - last.x, first.y - last.y) == pytest.approx(35)
