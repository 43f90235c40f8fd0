from dataclasses import replace
from functools import partial
from math import ceil, cos, pi, sin

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS
from scipy import ndimage

from geosite import harmonise
from geosite.crs import projected, transformed
from geosite.errors import LayerDataError
from geosite.grid import SUBCELLS, Grid
from geosite.harmonise import RasterSurface
from geosite.segments import Shapes
from tests.strategies import grids
from tests.toyworld import ALBERS, draw, picture, points, squared, squares, toygrid

SIDES = st.integers(1, 12)


def shapes(geometry, grid, kind="polygon", *, merge=True):
    return Shapes.of(gpd.GeoDataFrame(geometry=geometry, crs=ALBERS), grid, kind, merge=merge)


@st.composite
def polygons(draw, grid):
    """A polygon in or round a grid, often with a hole, sometimes in two parts."""
    left, bottom, right, top = grid.bounds
    cell = grid.resolution
    parts = []
    for _ in range(draw(st.integers(1, 2))):
        x = draw(st.floats(left - 3 * cell, right + 3 * cell))
        y = draw(st.floats(bottom - 3 * cell, top + 3 * cell))
        spokes = draw(st.lists(st.floats(0.05, 6), min_size=3, max_size=8))
        turns = [2 * pi * k / len(spokes) for k in range(len(spokes))]

        def ring(scale, x=x, y=y, spokes=spokes, turns=turns):
            legs = zip(spokes, turns, strict=True)
            return [(x + scale * r * cell * cos(t), y + scale * r * cell * sin(t)) for r, t in legs]

        holes = [ring(0.5)] if len(spokes) > 4 and draw(st.booleans()) else []
        parts.append(shapely.make_valid(shapely.Polygon(ring(1), holes)))
    return shapely.union_all(parts)


@st.composite
def lines(draw, grid):
    left, bottom, right, top = grid.bounds
    x = st.floats(left - 500, right + 500)
    y = st.floats(bottom - 500, top + 500)
    parts = st.lists(st.tuples(x, y), min_size=2, max_size=4).map(shapely.LineString)
    return shapely.MultiLineString(draw(st.lists(parts, min_size=1, max_size=2)))


@st.composite
def spots(draw, grid):
    left, bottom, right, top = grid.bounds
    return shapely.Point(draw(st.floats(left, right)), draw(st.floats(bottom, top)))


@st.composite
def worlds(draw, *kinds):
    """A grid, a kind, and up to three features of it."""
    grid = draw(grids(most=12))
    kind = draw(st.sampled_from(kinds))
    feature = {"polygon": polygons, "line": lines, "point": spots}[kind](grid)
    return grid, kind, draw(st.lists(feature, max_size=3))


@st.composite
def windows(draw, grid):
    """A window of a grid, in it or partly beyond it."""
    top, left = draw(st.integers(0, grid.shape[0] - 1)), draw(st.integers(0, grid.shape[1] - 1))
    rows = draw(st.integers(1, grid.shape[0] - top))
    columns = draw(st.integers(1, grid.shape[1] - left))
    return grid.part(grid.row + top, grid.column + left, (rows, columns))


def same_bytes(whole, part):
    return np.ascontiguousarray(whole).tobytes() == np.ascontiguousarray(part).tobytes()


def cells_of(grid):
    left, _, _, top = grid.bounds
    r, c = np.indices(grid.shape)
    size = grid.resolution
    x, y = left + c * size, top - r * size
    return shapely.box(x, y - size, x + size, y)


# ── polygons ──────────────────────────────────────────────────────────────────────────────────
@given(worlds("polygon"))
def test_a_share_is_the_area_of_the_intersection(world):
    grid, _, features = world
    share = harmonise.share(shapes(features, grid), grid)
    # What two features cover is counted once.
    land = shapely.union_all(features)
    expected = shapely.area(shapely.intersection(cells_of(grid), land)) / grid.resolution**2
    assert np.abs(share - expected).max() <= 3e-3
    assert share.max() <= 1


def test_shares_of_a_farm_with_a_pond():
    grid = toygrid(3, 4)
    farm = shapely.Polygon(
        shapely.box(50, -250, 350, -50).exterior.coords,
        [shapely.box(150, -175, 250, -100).exterior.coords],
    )
    assert harmonise.share(shapes([farm], grid), grid).tolist() == [
        [0.25, 0.5, 0.5, 0.25],
        [0.5, 0.625, 0.625, 0.5],
        [0.25, 0.5, 0.5, 0.25],
    ]
    assert draw(harmonise.presence(shapes([farm], grid), grid)) == picture("""
        . # # .
        # # # #
        . # # .
    """)


@pytest.mark.parametrize("kind", ["point", "line", "polygon"])
def test_a_layer_without_features_marks_nothing(kind):
    grid = toygrid(3, 3)
    empty = shapes([], grid, kind)
    assert not harmonise.share(empty, grid).any()
    assert not harmonise.origins(empty, grid).any()
    assert not harmonise.category(empty, grid).any()
    assert np.isinf(squared(harmonise.origins(empty, grid))).all()


@given(worlds("polygon"))
def test_a_small_polygon_does_not_vanish_from_distances(world):
    grid, _, features = world
    layer = shapes(features, grid)
    wide = grid.grown(20)
    origins = harmonise.origins(layer, wide)
    parts = shapely.get_parts(shapely.get_parts(shapely.union_all(features)))
    boxes = shapely.buffer(cells_of(wide), grid.resolution / SUBCELLS)
    for part in parts[shapely.area(parts) > 0]:
        assert origins[shapely.intersects(boxes, part)].any()
    assert (origins >= harmonise.presence(layer, wide)).all()
    # Nothing is marked where no polygon is.
    assert not origins[~shapely.intersects(boxes, shapely.union_all(features))].any()


def test_an_island_smaller_than_a_cell_keeps_its_setback():
    grid = toygrid(5, 5)
    islet = shapes([shapely.box(210, -260, 240, -230)], grid)
    assert not harmonise.presence(islet, grid).any()
    near = squared(harmonise.origins(islet, grid)) <= 1
    assert draw(near) == picture("""
        . . . . .
        . . # . .
        . # # # .
        . . # . .
        . . . . .
    """)


@given(worlds("polygon"))
def test_the_polygon_over_the_centre_is_the_category(world):
    grid, _, features = world
    found = harmonise.category(shapes(features, grid, merge=False), grid)
    x, y = np.meshgrid(*grid.centres())
    centres = shapely.points(x, y)
    expected = np.zeros(grid.shape, int)
    sure = np.ones(grid.shape, bool)
    for number, feature in reversed(list(enumerate(features, 1))):
        expected[shapely.contains(feature, centres)] = number
        outline = shapely.boundary(feature)
        sure &= shapely.distance(outline, centres) > 4 * grid.resolution / SUBCELLS
    assert (found == expected)[sure].all()


def test_of_overlapping_features_the_first_is_the_category():
    land = """
        . a a .
        . a a .
        . . . .
    """
    whole = toygrid(3, 4)
    a = squares(land, {"a": {}})
    frame = gpd.GeoDataFrame(geometry=[*a.geometry, shapely.box(*whole.bounds)], crs=ALBERS)
    found = harmonise.category(Shapes.of(frame, whole, "polygon", merge=False), whole)
    assert draw(found, {".": 2, "a": 1}) == picture(land)
    backwards = Shapes.of(frame.iloc[::-1], whole, "polygon", merge=False)
    assert (harmonise.category(backwards, whole) == 1).all()


def test_lines_and_points_in_a_layer_of_polygons_fill_nothing():
    grid = toygrid(2, 3)
    mixed = shapely.GeometryCollection(
        [shapely.box(0, -100, 100, 0), shapely.LineString([(0, -150), (300, -150)])]
    )
    for merge in (True, False):
        layer = shapes([mixed], grid, merge=merge)
        assert harmonise.share(layer, grid).tolist() == [[1, 0, 0], [0, 0, 0]]
        assert harmonise.category(layer, grid).tolist() == [[1, 0, 0], [0, 0, 0]]


# ── lines and points ──────────────────────────────────────────────────────────────────────────
@given(worlds("line"))
def test_a_line_marks_the_cells_it_crosses(world):
    grid, _, features = world
    marked = harmonise.presence(shapes(features, grid, "line"), grid)
    track = shapely.union_all(features)
    step = grid.resolution / SUBCELLS
    crossed = shapely.intersects(shapely.buffer(cells_of(grid), -step, join_style="mitre"), track)
    met = shapely.intersects(shapely.buffer(cells_of(grid), step, join_style="mitre"), track)
    assert marked[crossed].all()
    assert not marked[~met].any()


def test_parts_of_a_line_are_not_joined():
    grid = toygrid(3, 6)
    track = shapely.MultiLineString([[(10, -50), (190, -50)], [(410, -50), (510, -250)]])
    assert draw(harmonise.presence(shapes([track], grid, "line"), grid)) == picture("""
        # # . . # .
        . . . . # .
        . . . . # #
    """)


@given(worlds("point"))
def test_a_point_marks_the_cell_that_holds_it(world):
    grid, _, features = world
    marked = harmonise.presence(shapes(features, grid, "point"), grid.grown(1))
    expected = np.zeros(grid.grown(1).shape, bool)
    for point in features:
        column, row = grid.grown(1).indices(point.x, point.y)
        expected[int(row), int(column)] = True
    assert marked.tolist() == expected.tolist()


def test_a_point_on_an_edge_is_in_one_cell_only():
    grid = toygrid(3, 3)
    corner = shapes([shapely.Point(100, -200)], grid, "point")
    assert draw(harmonise.presence(corner, grid)) == picture("""
        . . .
        . . .
        . # .
    """)
    found = [harmonise.presence(corner, window).sum() for window in grid.tiles(1)]
    assert found == [0, 0, 0, 0, 0, 0, 0, 1, 0]


# ── distance ──────────────────────────────────────────────────────────────────────────────────
def test_a_setback_is_round():
    mine = """
        . . . . . . . . .
        . . . . . . . . .
        . . . . . . . . .
        . . . . . . . . .
        . . . . x . . . .
        . . . . . . . . .
        . . . . . . . . .
        . . . . . . . . .
        . . . . . . . . .
    """
    grid = toygrid(9, 9)
    layer = Shapes.of(points(mine, {"x": {}}), grid, "point")
    assert draw(squared(harmonise.origins(layer, grid)) <= 3**2) == picture("""
        . . . . . . . . .
        . . . . # . . . .
        . . # # # # # . .
        . . # # # # # . .
        . # # # # # # # .
        . . # # # # # . .
        . . # # # # # . .
        . . . . # . . . .
        . . . . . . . . .
    """)


# ── windows ───────────────────────────────────────────────────────────────────────────────────
@given(worlds("polygon", "line", "point"), st.data())
def test_every_window_shows_the_same_world(world, data):
    grid, kind, features = world
    layer = shapes(features, grid, kind)
    each = shapes(features, grid, kind, merge=False)
    surfaces = [partial(harmonise.presence, layer), partial(harmonise.origins, layer)]
    if kind == "polygon":
        surfaces += [partial(harmonise.share, layer), partial(harmonise.category, each)]
    window = data.draw(windows(grid))
    for surface in surfaces:
        assert same_bytes(surface(grid)[grid.window(window)], surface(window))


@given(worlds("polygon", "line", "point"), st.integers(0, 6), st.data())
def test_a_halo_is_as_good_as_the_whole(world, reach, data):
    grid, kind, features = world
    layer = shapes(features, grid, kind)
    window = data.draw(windows(grid))
    far = grid.grown(15)
    whole = squared(harmonise.origins(layer, far))[far.window(window)]
    wide = window.grown(reach)
    part = squared(harmonise.origins(layer, wide))[wide.window(window)]
    known = whole <= reach**2
    assert (part == whole)[known].all()
    assert (part[~known] > reach**2).all()


@given(worlds("polygon", "line", "point"), st.integers(-9, 9), st.integers(-9, 9))
def test_a_world_shifted_by_whole_cells_gives_shifted_surfaces(world, right, down):
    # In whole sub-cells, so that the shift itself rounds nothing.
    grid, kind, features = world
    step = grid.resolution / SUBCELLS
    snapped = [shapely.transform(f, lambda xy: np.rint(xy / step) * step) for f in features]
    moved = [
        shapely.transform(f, lambda xy: xy + np.array([right, -down]) * grid.resolution)
        for f in snapped
    ]
    other = grid.part(grid.row + down, grid.column + right, grid.shape)
    one, two = shapes(snapped, grid, kind, merge=False), shapes(moved, other, kind, merge=False)
    assert same_bytes(harmonise.presence(one, grid), harmonise.presence(two, other))
    if kind == "polygon":
        assert same_bytes(harmonise.category(one, grid), harmonise.category(two, other))


@given(
    worlds("polygon", "line", "point"),
    st.integers(-3_000_000, 3_000_000),
    st.integers(-3_000_000, 3_000_000),
)
def test_a_world_shifted_with_the_origin_gives_the_same_surfaces(world, east, north):
    # In steps of a binary fraction, so that the shift itself rounds nothing.
    grid, kind, features = world
    snapped = [shapely.transform(f, lambda xy: np.rint(xy * 64) / 64) for f in features]
    moved = [shapely.transform(f, lambda xy: xy + np.array([east, north])) for f in snapped]
    other = replace(grid, origin=(grid.origin[0] + east, grid.origin[1] + north))
    one, two = shapes(snapped, grid, kind, merge=False), shapes(moved, other, kind, merge=False)
    assert same_bytes(one.edges, two.edges)
    assert same_bytes(harmonise.presence(one, grid), harmonise.presence(two, other))
    if kind == "polygon":
        assert same_bytes(harmonise.share(one, grid), harmonise.share(two, other))


# ── rasters ───────────────────────────────────────────────────────────────────────────────────
NODATA = -999.5
GEOGRAPHIC = CRS.from_epsg(4269)


def raster(folder, values, crs, transform, *, subsamples=1, nodata=NODATA):
    path = folder / "raster.tif"
    profile = {"driver": "GTiff", "count": 1, "dtype": values.dtype, "nodata": nodata}
    height, width = values.shape
    with rasterio.open(
        path, "w", height=height, width=width, crs=crs, transform=transform, **profile
    ) as file:
        file.write(values, 1)
    return RasterSurface(path, crs, transform, values.shape, nodata, subsamples)


@pytest.fixture(scope="module")
def terrain(tmp_path_factory):
    """Rough ground in degrees round the origin of the grid's CRS, with a hole."""
    values = np.random.default_rng(3).normal(900, 300, (90, 110)).astype(np.float32)
    values[40:44, 50:53] = NODATA
    place = Affine(0.001, 0, -96.055, 0, -0.001, 23.045)
    return partial(raster, tmp_path_factory.mktemp("terrain"), values, GEOGRAPHIC, place), values


def test_a_raster_on_the_grids_own_cells_is_taken_as_it_is(tmp_path):
    grid = toygrid(5, 6)
    values = np.arange(30, dtype=np.float32).reshape(5, 6)
    values[2, 3] = NODATA
    surface = raster(tmp_path, values, ALBERS, grid.transform)
    expected = np.where(values == NODATA, np.nan, values)
    inside = np.s_[1:-1, 1:-1]
    assert surface.values(grid)[inside] == pytest.approx(expected[inside], nan_ok=True, abs=1e-3)
    assert surface.codes(grid) == pytest.approx(expected, nan_ok=True, abs=0)


@pytest.mark.parametrize("origin", [(-2_100_000.0, 2_300_000.0), (12.3, -45.6)])
def test_a_raster_the_grid_is_snapped_to_is_read_value_for_value(tmp_path, origin):
    grid = toygrid(70, 60, resolution=90.0, row=-9, column=-7, origin=origin)
    values = np.random.default_rng(2).normal(900, 300, grid.shape).astype(np.float32)
    values[::7, ::9] = NODATA
    surface = raster(tmp_path, values, ALBERS, grid.transform)
    # Nor does a hole reach into the cells beside it.
    values[values == NODATA] = np.nan
    for window in (grid, *grid.tiles(23)):
        for read in (surface.codes, surface.values):
            np.testing.assert_array_equal(read(window), values[grid.window(window)])


def test_a_raster_read_in_parts_and_at_some_cells_says_the_same(tmp_path, monkeypatch):
    fine = toygrid(70, 60, resolution=30.0)
    heights = np.random.default_rng(2).random(fine.shape).astype(np.float32)
    heights[10:13, 40:] = np.nan
    surface = raster(tmp_path, heights, ALBERS, fine.transform)
    surface = replace(surface, subsamples=3)
    grid = toygrid(17, 15, row=3, column=2)
    whole, codes = surface.values(grid), surface.codes(grid)
    at = np.random.default_rng(3).permutation(np.argwhere(np.ones(grid.shape, bool)))[:50]
    at = at.astype(np.int32)
    assert np.isnan(whole).any()
    for most in (harmonise.MOST_PIXELS, 900, 1):
        monkeypatch.setattr(harmonise, "MOST_PIXELS", most)
        assert surface.values(grid).tobytes() == whole.tobytes()
        assert surface.codes(grid).tobytes() == codes.tobytes()
        assert surface.values_at(grid, at).tobytes() == whole[tuple(at.T)].tobytes()
        assert surface.values_at(grid, at[:0]).shape == (0,)


def test_beyond_a_raster_nothing_is_known(tmp_path):
    grid = toygrid(4, 4)
    surface = raster(tmp_path, np.ones((4, 4), np.float32), ALBERS, grid.transform)
    known = ~np.isnan(surface.codes(grid.grown(1)))
    assert draw(known) == picture("""
        . . . . . .
        . # # # # .
        . # # # # .
        . # # # # .
        . # # # # .
        . . . . . .
    """)
    assert np.isnan(surface.values(toygrid(3, 3, row=500))).all()
    assert np.isnan(surface.values(toygrid(3, 3, column=-500))).all()


@pytest.mark.parametrize("row", [-12, -5, 0, 4, 9, 17])
@pytest.mark.parametrize("column", [-9, -1, 6, 12])
def test_a_raster_that_begins_beside_a_window_is_read_where_they_meet(tmp_path, row, column):
    heights = np.random.default_rng(4).random((8, 7)).astype(np.float32)
    grid = toygrid(8, 7, row=row, column=column)
    surface = raster(tmp_path, heights, ALBERS, grid.transform)
    window = toygrid(6, 5)
    expected = np.full(window.shape, np.nan, np.float32)
    for r, c in np.ndindex(window.shape):
        if 0 <= r - row < 8 and 0 <= c - column < 7:
            expected[r, c] = heights[r - row, c - column]
    assert np.array_equal(surface.values(window), expected, equal_nan=True)
    assert np.array_equal(surface.codes(window), expected, equal_nan=True)


def test_a_finer_raster_is_averaged(tmp_path):
    grid = toygrid(2, 3)
    fine = np.random.default_rng(1).normal(size=(28, 32)).astype(np.float32)
    fine[21, 21] = NODATA
    place = Affine(25, 0, -200, 0, -25, 200)
    surface = raster(tmp_path, fine, ALBERS, place, subsamples=4)
    blocks = fine[8:16, 8:20].astype(float).reshape(2, 4, 3, 4).mean(axis=(1, 3))
    assert surface.values(grid) == pytest.approx(blocks, abs=1e-3)
    # One missing cell in sixteen leaves the mean unknown.
    assert draw(np.isnan(surface.values(toygrid(3, 3, row=2, column=2)))) == picture("""
        . . .
        . # .
        . . .
    """)


def test_values_between_are_bilinear_in_the_rasters_own_crs(terrain):
    make, values = terrain
    grid = Grid(ALBERS, 250.0, -14, -12, (25, 27))
    x, y = np.meshgrid(*grid.centres())
    lon, lat = transformed(x, y, ALBERS, GEOGRAPHIC)
    columns, rows = ~make().transform * (lon, lat)
    known = np.where(values == NODATA, np.nan, values).astype(float)
    expected = ndimage.map_coordinates(
        known, [rows - 0.5, columns - 0.5], order=1, cval=np.nan, prefilter=False
    )
    found = make().values(grid)
    assert np.isnan(found).any()
    assert (np.isnan(found) == np.isnan(expected)).all()
    # Coordinates are linear between every 16th cell, off by less than a hundredth of a pixel.
    assert found == pytest.approx(expected, nan_ok=True, abs=6)
    assert np.nanmean(np.abs(found - expected)) < 0.6
    nearest = known[np.floor(rows).astype(int), np.floor(columns).astype(int)]
    codes = make().codes(grid)
    assert (np.isnan(codes) == np.isnan(nearest)).mean() > 0.99
    assert (codes == nearest.astype(np.float32))[~np.isnan(nearest)].mean() > 0.99


def test_interpolated_places_stay_near_the_exact_ones(terrain, tmp_path):
    # A raster that says where it is read: the column of each pixel, then its row.
    grid = Grid(ALBERS, 250.0, -200, -5000, (40, 400))
    lon, lat = transformed(*np.meshgrid(*grid.centres()), ALBERS, GEOGRAPHIC)
    place = Affine(0.005, 0, lon.min() - 0.1, 0, -0.005, lat.max() + 0.1)
    columns, rows = ~place * (lon, lat)
    size = (int(rows.max()) + 9, int(columns.max()) + 9)
    for index, exact in zip(np.indices(size, np.float32), (rows, columns), strict=True):
        found = raster(tmp_path, index + 0.5, GEOGRAPHIC, place).values(grid)
        assert np.abs(found - exact).max() < 0.01


@pytest.mark.parametrize("subsamples", [1, 5])
def test_a_raster_is_the_same_in_every_window(terrain, subsamples):
    # Round the CRS origin, where what is counted from a window is least exact.
    make, _ = terrain
    surface = make(subsamples=subsamples)
    grid = Grid(ALBERS, 250.0, -20, -18, (37, 41))
    values, codes = surface.values(grid), surface.codes(grid)
    slope = harmonise.slope(surface.values(grid.grown(1)), grid.resolution)
    for size in (1, 11, 16, 23):
        for window in grid.tiles(size):
            rows, columns = grid.window(window)
            if size == 1 and (window.row + window.column) % 20:
                continue
            assert same_bytes(values[rows, columns], surface.values(window))
            assert same_bytes(codes[rows, columns], surface.codes(window))
            steep = harmonise.slope(surface.values(window.grown(1)), grid.resolution)
            assert same_bytes(slope[rows, columns], steep)


def test_a_finer_raster_with_holes_is_the_same_in_every_window(tmp_path):
    # Three samples a cell, each on the centre of a pixel but for its rounding: whether a hole
    # beside it counts hangs on the last bit, which must not be the window's own.
    fine = np.random.default_rng(5).normal(size=(240, 240)).astype(np.float32)
    fine[::5, ::7] = NODATA
    place = Affine(30, 0, -3600, 0, -30, 3600)
    surface = raster(tmp_path, fine, ALBERS, place, subsamples=3)
    grid = Grid(ALBERS, 90.0, -150, -150, (300, 300))
    values = surface.values(grid)
    assert 0 < np.isnan(values[120:180, 120:180]).mean() < 1
    for size in (7, 41, 170):
        for window in grid.tiles(size):
            if size > 7 or (window.row + window.column) % 9 == 0:
                assert same_bytes(values[grid.window(window)], surface.values(window))


def test_a_raster_that_is_no_raster_is_said_so(tmp_path):
    path = tmp_path / "relief.tif"
    path.write_text("not a raster")
    surface = RasterSurface(path, ALBERS, toygrid(2, 2).transform, (2, 2), None, 1)
    with pytest.raises(LayerDataError, match=r"relief\.tif: the raster cannot be read"):
        surface.values(toygrid(2, 2))


@given(st.integers(-40, 40), st.integers(-40, 40), st.sampled_from((30.0, 90.0, 250.0)))
def test_the_slope_of_a_plane_is_its_gradient(east, north, resolution):
    y, x = np.indices((5, 6)) * resolution
    plane = (1000 + east / 100 * x - north / 100 * y).astype(np.float32)
    steep = harmonise.slope(plane, resolution)
    assert steep.shape == (3, 4)
    assert steep == pytest.approx(np.hypot(east, north), abs=2e-3)


def test_slope_weighs_the_neighbours_as_horn_does():
    heights = np.zeros((3, 3), np.float32)
    found = []
    for cell in np.ndindex(3, 3):
        heights[:] = 0
        heights[cell] = 8
        found.append(float(harmonise.slope(heights, 1.0)[0, 0]) / 100)
    diagonal = pytest.approx(2**0.5)
    assert found == [diagonal, 2, diagonal, 2, 0, 2, diagonal, 2, diagonal]


def test_zevenbergen_and_thorne_look_at_four_neighbours():
    heights = np.random.default_rng(1).random((9, 8)).astype(np.float32)
    down, across = np.gradient(heights.astype(float), 30.0)
    expected = 100 * np.hypot(down, across)[1:-1, 1:-1]
    found = harmonise.slope(heights, 30.0, "zevenbergen-thorne")
    assert found == pytest.approx(expected, rel=1e-6)


def test_slope_is_not_known_next_to_unknown_ground():
    heights = np.zeros((7, 7), np.float32)
    heights[3, 3] = np.nan
    assert draw(np.isnan(harmonise.slope(heights, 30.0))) == picture("""
        . . . . .
        . # # # .
        . # # # .
        . # # # .
        . . . . .
    """)


# ── real outlines ─────────────────────────────────────────────────────────────────────────────
@pytest.mark.snapshot
def test_every_forest_service_wilderness_keeps_its_area(snapshot):
    file = snapshot / "constraints" / "usfs_wilderness_national.geojson"
    land = projected(gpd.read_file(file), ALBERS)
    land.geometry = shapely.make_valid(land.geometry.to_numpy())
    large = land[land.area > 10e6]
    assert len(large) > 300
    off = {}
    for number, outline in zip(large.index, large.geometry, strict=True):
        grid = Grid.covering(outline.bounds, ALBERS, resolution=250.0)
        filled = harmonise.share(shapes([outline], grid), grid).sum() * 250.0**2
        off[number] = abs(filled / outline.area - 1)
    assert max(off.values()) < 0.005, max(off, key=off.get)
    # And in one piece: the layer as a whole, tile by tile, counted once where it overlaps.
    whole = shapely.union_all(large.geometry.to_numpy())
    grid = Grid.covering(whole.bounds, ALBERS, resolution=1000.0)
    layer = shapes([whole], grid)
    filled = sum(harmonise.share(layer, tile).sum() for tile in grid.tiles(ceil(grid.shape[0] / 2)))
    assert filled * 1000.0**2 == pytest.approx(whole.area, rel=1e-4)
