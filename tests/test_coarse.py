"""A coarse surface read at places, at cells of a finer grid, and over sites."""

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pyproj import CRS

from geosite.coarse import Coarse
from geosite.grid import Grid

ALBERS = CRS.from_epsg(5070)
NAN = np.nan


def surface(values, corner=(0.0, 0.0)):
    values = np.array(values, float)
    left, top = corner[0], corner[1] + 1000.0 * values.shape[0]
    bounds = (left, corner[1], left + 1000.0 * values.shape[1], top)
    return Coarse(Grid.covering(bounds, ALBERS, resolution=1000), values)


DRAWN = surface([[1, 2, 3], [4, NAN, 6]])


def test_a_place_has_the_value_of_the_cell_that_holds_it():
    x, y = (
        np.array([10.0, 2999.0, 1500.0, -1.0, 500.0]),
        np.array([1990.0, 5.0, 500.0, 5.0, 2001.0]),
    )
    assert DRAWN.at(x, y).tolist() == pytest.approx([1, 6, NAN, NAN, NAN], nan_ok=True)


def test_finer_cells_have_the_values_of_the_cells_they_lie_in():
    fine = Grid.covering((0, 0, 3000, 2000), ALBERS, resolution=500)
    at = np.argwhere(np.ones(fine.shape, bool)).astype(np.int32)
    wide = np.repeat(np.repeat(DRAWN.values, 2, axis=0), 2, axis=1)
    assert DRAWN.on(fine, at) == pytest.approx(wide.ravel(), nan_ok=True)


@given(st.integers(1, 5), st.integers(1, 5), st.sampled_from([90.0, 250.0, 333.3]))
def test_no_window_changes_what_a_cell_reads(rows, columns, resolution):
    fine = Grid.covering((0, 0, 3000, 2000), ALBERS, resolution=resolution)
    at = np.argwhere(np.ones(fine.shape, bool)).astype(np.int32)
    whole = DRAWN.on(fine, at).reshape(fine.shape)
    for window in fine.tiles(max(fine.shape) // max(rows, columns)):
        here = np.argwhere(np.ones(window.shape, bool)).astype(np.int32)
        part = whole[fine.window(window)].ravel()
        assert DRAWN.on(window, here) == pytest.approx(part, nan_ok=True)


@pytest.mark.parametrize(
    ("box", "median"),
    [
        ((0, 0, 3000, 2000), 3),  # 1 2 3 4 6, each as much
        ((0, 1000, 1200, 2000), 1),  # mostly in the first cell
        ((1900, 0, 2600, 900), 6),  # what has no value does not count
        ((1100, 100, 1900, 900), NAN),
        ((9000, 0, 9900, 900), NAN),
        ((-500, -500, 200, 200), 4),
    ],
)
def test_a_site_has_the_median_over_its_land(box, median):
    found = DRAWN.medians(np.array([shapely.box(*box)]))
    assert found.tolist() == pytest.approx([median], nan_ok=True)


def test_sites_are_read_one_by_one_and_nothing_is_no_site():
    boxes = np.array(
        [shapely.box(0, 0, 900, 900), shapely.Polygon(), shapely.box(0, 1100, 9, 1109)]
    )
    assert DRAWN.medians(boxes).tolist() == pytest.approx([4, NAN, 1], nan_ok=True)
    assert DRAWN.medians(boxes[:0]).tolist() == []
    many = np.repeat(boxes, 200)
    assert DRAWN.medians(many) == pytest.approx(np.repeat([4, NAN, 1], 200), nan_ok=True)


@given(
    arrays(float, (4, 5), elements=st.integers(0, 9).map(float)),
    st.tuples(*[st.integers(0, 4900)] * 4),
)
def test_a_median_lies_in_the_middle_of_the_land(values, corners):
    x0, y0, x1, y1 = corners
    box = shapely.box(min(x0, x1), min(y0, y1), max(x0, x1) + 7, max(y0, y1) + 7)
    found = surface(values).medians(np.array([box]))[0]
    cells = [
        (surface(values).at(np.array([x + 500.0]), np.array([y + 500.0]))[0], area)
        for x in range(0, 5000, 1000)
        for y in range(0, 4000, 1000)
        if (area := shapely.box(x, y, x + 1000, y + 1000).intersection(box).area) > 0
    ]
    if not cells:
        assert np.isnan(found)
        return
    whole = sum(area for _, area in cells)
    assert sum(area for v, area in cells if v < found) <= whole / 2 + 1e-6
    assert sum(area for v, area in cells if v > found) <= whole / 2 + 1e-6
