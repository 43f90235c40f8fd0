import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pyproj import CRS

from geosite.errors import CRSMismatchError
from geosite.grid import SUBCELLS, Grid
from tests.strategies import ORIGINS, grids
from tests.toyworld import ALBERS, draw, picture, points, squares, toygrid, world

COORDINATES = st.floats(-2_500_000, 2_500_000, allow_nan=False)
METRES = st.integers(-2_500_000, 2_500_000)


@pytest.mark.parametrize("code", [4326, 4269, 2227, 4978])
def test_a_crs_without_metres_is_refused_with_advice(code):
    with pytest.raises(CRSMismatchError, match=r"projected CRS in metres.*EPSG:5070"):
        Grid(CRS.from_epsg(code), 90, 0, 0, (2, 2))


@given(
    COORDINATES,
    COORDINATES,
    st.floats(0, 50_000),
    st.floats(0, 50_000),
    st.sampled_from((30, 90, 250)),
    ORIGINS,
)
def test_a_grid_covers_its_bounds_and_is_the_smallest_that_does(
    left, bottom, width, height, cell, origin
):
    bounds = (left, bottom, left + width, bottom + height)
    grid = Grid.covering(bounds, ALBERS, resolution=cell, origin=origin)
    west, south, east, north = grid.bounds
    assert west <= left < west + cell
    assert south <= bottom < south + cell
    assert east - cell < bounds[2] <= east
    assert north - cell < bounds[3] <= north


@given(grids())
def test_bounds_and_covering_undo_each_other(grid):
    lattice = {"resolution": grid.resolution, "origin": grid.origin}
    assert Grid.covering(grid.bounds, grid.crs, **lattice) == grid


@given(grids(), METRES, METRES, st.integers(-9, 9), st.integers(-9, 9))
def test_an_origin_on_a_corner_of_the_lattice_is_as_good_as_any(grid, x, y, right, down):
    bounds = (x, y, x + 5_000, y + 4_000)
    size = grid.resolution
    other = (grid.origin[0] + right * size, grid.origin[1] - down * size)
    one, two = (
        Grid.covering(bounds, ALBERS, resolution=size, origin=o) for o in (grid.origin, other)
    )
    assert one.bounds == two.bounds
    assert (one.column - two.column, one.row - two.row) == (right, down)


@given(grids(), st.integers(1, 30))
def test_tiles_keep_the_lattice(grid, size):
    for tile in (*grid.tiles(size), grid.grown(3), grid.part(1, 2, (3, 4))):
        assert tile.origin == grid.origin
        corner = np.array([[*tile.bounds[:1], *tile.bounds[3:]]])
        assert grid.subcells(corner).tolist() == [[tile.column * SUBCELLS, tile.row * SUBCELLS]]


@given(grids(), st.integers(1, 30))
def test_tiles_cover_every_cell_exactly_once(grid, size):
    seen = np.zeros(grid.shape, int)
    for tile in grid.tiles(size):
        assert max(tile.shape) <= size
        seen[grid.window(tile)] += 1
    assert (seen == 1).all()


@given(grids(), st.integers(1, 30))
def test_a_tile_of_a_surface_has_the_coordinates_of_the_tile(grid, size):
    whole = grid.surface(np.zeros(grid.shape), "zero")
    for tile in grid.tiles(size):
        part = tile.surface(np.zeros(tile.shape), "zero")
        rows, columns = grid.window(tile)
        assert whole[rows, columns].identical(part)


@given(grids(), st.integers(0, 5))
def test_a_margin_grows_every_side_and_holds_the_grid(grid, cells):
    grown = grid.grown(cells)
    left, bottom, right, top = grid.bounds
    m = cells * grid.resolution
    assert grown.bounds == (left - m, bottom - m, right + m, top + m)
    rows, columns = grown.window(grid)
    assert (rows.start, columns.start) == (cells, cells)
    assert grown.grown(-cells) == grid


@given(grids(), st.lists(st.tuples(COORDINATES, COORDINATES), min_size=1, max_size=20))
def test_every_tile_sees_a_point_in_the_same_place(grid, xy):
    x, y = np.array(xy).T
    columns, rows = grid.indices(x, y)
    for tile in grid.tiles(7):
        tile_columns, tile_rows = tile.indices(x, y)
        assert (tile_columns + tile.column == columns + grid.column).all()
        assert (tile_rows + tile.row == rows + grid.row).all()


@given(grids(), COORDINATES, COORDINATES)
def test_snapping_moves_a_point_by_half_a_step_at_most(grid, x, y):
    columns, rows = grid.indices(np.array([x]), np.array([y]))
    left, _, _, top = grid.bounds
    back_x, back_y = left + columns[0] * grid.resolution, top - rows[0] * grid.resolution
    step = grid.resolution / SUBCELLS
    assert abs(back_x - x) <= step * 0.51
    assert abs(back_y - y) <= step * 0.51


@given(grids())
def test_the_centre_of_a_cell_is_half_way_in_it(grid):
    x, y = grid.centres()
    columns, rows = grid.indices(x, np.full_like(x, y[0]))
    assert (columns == np.arange(grid.shape[1]) + 0.5).all()
    assert (rows == 0.5).all()


@given(grids(), st.integers(-3, 3), st.integers(-3, 3))
def test_shifting_a_grid_shifts_its_bounds_by_whole_cells(grid, right, down):
    moved = grid.part(grid.row + down, grid.column + right, grid.shape)
    dx, dy = right * grid.resolution, -down * grid.resolution
    assert moved.bounds == tuple(
        edge + d for edge, d in zip(grid.bounds, (dx, dy, dx, dy), strict=True)
    )


def test_area_and_number_of_cells():
    grid = toygrid(3, 4, resolution=250)
    assert (grid.cells, grid.cell_area) == (12, 6.25)


def test_equal_places_are_equal_grids():
    assert hash(toygrid(3, 4)) == hash(toygrid(3, 4))
    assert toygrid(3, 4) != toygrid(3, 4, column=1)


# ── toy worlds are what they look like ──────────────────────────────────────────────────────

PICTURE = """
    . . W
    . W W
    . . .
"""


def test_a_picture_drawn_again_is_the_picture():
    _, water = world(PICTURE)
    assert draw(water, {".": False, "W": True}) == picture(PICTURE)


@given(grids(most=6).flatmap(lambda g: st.tuples(st.just(g), st.integers(0, 2**31))))
def test_any_surface_drawn_and_read_is_itself(grid_and_seed):
    grid, seed = grid_and_seed
    values = np.random.default_rng(seed).choice([0.0, 0.5, np.nan], grid.shape)
    legend = {"0": 0.0, "h": 0.5, "?": np.nan}
    _, again = world(draw(values, legend), legend)
    np.testing.assert_array_equal(again.values, values)


def test_points_lie_on_the_centres_of_their_cells():
    where = points(PICTURE, {"W": {"name": "well"}})
    assert [(p.x, p.y) for p in where.geometry] == [(250, -50), (150, -150), (250, -150)]
    assert set(where["name"]) == {"well"}


def test_squares_share_their_edges_and_are_one_feature():
    lake = squares(PICTURE, {"W": {"name": "lake"}}, resolution=10)
    assert lake.geometry.area.tolist() == [300]
    assert lake.geometry.iloc[0].geom_type == "Polygon"


def test_a_ragged_picture_is_refused():
    with pytest.raises(ValueError, match="differ in length"):
        world(". .\n.")


@given(st.integers(1, 4))
def test_a_picture_without_the_symbol_has_no_feature(rows):
    assume(rows > 0)
    assert points("\n".join([". ."] * rows), {"W": {"name": "well"}}).empty
