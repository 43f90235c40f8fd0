import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from geosite.outlines import cell_polygons, numbered_sites, site_outlines
from tests.strategies import ORIGINS, shapes
from tests.toyworld import toygrid, world

PLACE = {"row": -20_000, "column": -15_000}


def outlined(sites, grid, size):
    parts = [
        part
        for window in grid.tiles(size)
        for part in cell_polygons(np.ascontiguousarray(sites[grid.window(window)]), window)
    ]
    return site_outlines(parts, int(sites.max()), grid)


@st.composite
def numbered(draw):
    shape = draw(shapes(10))
    sites = draw(arrays(np.int32, shape, elements=st.sampled_from((0, 1, 1, 2))))
    return sites, toygrid(*shape, **PLACE, origin=draw(ORIGINS))


@given(numbered(), st.sampled_from((1, 2, 3, 5)))
def test_the_same_cells_have_the_same_outline_in_any_tiling(land, size):
    sites, grid = land
    if not sites.any():
        assert cell_polygons(sites, grid) == []
        return
    whole, tiled = outlined(sites, grid, 99), outlined(sites, grid, size)
    assert [shapely.to_wkb(s) for s in whole] == [shapely.to_wkb(s) for s in tiled]


@given(numbered(), st.sampled_from((2, 3, 99)))
def test_an_outline_holds_its_cells_and_no_others(land, size):
    sites, grid = land
    if not sites.any():
        return
    x, y = np.meshgrid(*grid.centres())
    for k, outline in enumerate(outlined(sites, grid, size), start=1):
        assert outline.is_valid
        assert outline.area == (sites == k).sum() * grid.resolution**2
        assert (shapely.contains_xy(outline, x, y) == (sites == k)).all()


def test_vertices_stand_at_corners_only():
    _, land = world(". # # \n . # # \n . # .", **PLACE)
    sites = land.to_numpy().astype(np.int32)
    grid = toygrid(3, 3, **PLACE)
    for size in (1, 2, 3):
        (outline,) = outlined(sites, grid, size)
        assert len(outline.exterior.coords) == 7
    left, bottom, right, top = grid.bounds
    assert outline.bounds == (left + 100, bottom, right, top)


def test_sites_that_touch_at_a_corner_are_two_parts():
    _, land = world("# . \n . #")
    (outline,) = outlined(land.to_numpy().astype(np.int32), toygrid(2, 2), 2)
    assert len(shapely.get_parts(outline)) == 2


def test_pieces_become_sites_and_pieces_of_no_site_nothing():
    piece = np.array([[0, 1, 1], [2, 2, 3]], np.int64)
    parcel = np.array([[1, 1, 2], [1, 1, 1]], np.int64)
    lattice = np.array([[0, 0, 0], [7, 8, 0]], np.int64)
    site_of = {(1, 1, 0): 1, (1, 2, 0): 2, (2, 1, 7): 3, (2, 1, 8): 1}
    found = numbered_sites(piece, parcel, lattice, site_of)
    assert found.tolist() == [[0, 1, 2], [3, 1, 0]]
    assert found.dtype == np.int32


@pytest.mark.parametrize("site_of", [{}, {(1, 1, 0): 1}])
def test_a_window_without_pieces_has_no_sites(site_of):
    nothing = np.zeros((2, 3), np.int64)
    assert not numbered_sites(nothing, nothing, nothing, site_of).any()


def test_without_sites_there_are_no_outlines():
    assert len(site_outlines([], 0, toygrid(2, 2))) == 0
