import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geosite.measures import measures, open_land_margin, scores
from geosite.surfaces import Surfaces
from tests.strategies import presences, shapes
from tests.test_inputs import (
    criterion,
    evidence_section,
    falling,
    raster,
    rising,
    scenario,
    toyinputs,
    whole,
)
from tests.toyworld import ALBERS, points, squares, toygrid, world

NAN = float("nan")
PLACE = {"row": -300, "column": -200}


def scored(inputs, grid, at, strength, free):
    """Measures and scores of some cells: two (criteria, cells)."""
    at = np.asarray(at, np.int32)
    margin = (free.shape[0] - grid.shape[0]) // 2
    surfaces = Surfaces(inputs, grid.grown(margin))
    found = measures(inputs, surfaces, grid, at, strength[tuple(at.T)], free)
    return found, scores(inputs, found)


def measured(grid, measure, value, layer=None, *, free=None, margin=0, strength=None, **world_):
    """Measure and score of every cell of a grid: two (y, x)."""
    one = criterion("one", measure, value, layer)
    inputs = toyinputs(grid, criteria=(one,), **world_)
    at = np.argwhere(np.ones(grid.shape, bool))
    shape = tuple(n + 2 * margin for n in grid.shape)
    free = np.ones(shape, np.int32) if free is None else free
    strength = np.zeros(grid.shape) if strength is None else strength
    found, score = scored(inputs, grid, at, strength, free)
    return found[0].reshape(grid.shape), score[0].reshape(grid.shape)


def rounded(values, digits=1):
    """As lists, None where unknown."""
    return [[None if np.isnan(v) else round(v, digits) for v in row] for row in np.asarray(values)]


def box(grid, r0, r1, c0, c1):
    """A polygon of whole cells of a grid."""
    left, _, _, top = grid.bounds
    size = grid.resolution
    return shapely.box(left + c0 * size, top - r1 * size, left + c1 * size, top - r0 * size)


def area(*shapes_):
    return gpd.GeoDataFrame(geometry=list(shapes_), crs=ALBERS)


# ── distance ──────────────────────────────────────────────────────────────────────────────────
def test_a_distance_is_between_cells_and_ends_where_the_score_does():
    grid = toygrid(1, 6, **PLACE)
    rail = points("r . . . . .", {"r": {}}, **PLACE)
    metres, score = measured(
        grid, "distance", falling("100 m", "300 m"), "x/rail", layers={"x/rail": rail}
    )
    assert rounded(metres) == [[0, 100, 200, 300, 300, 300]]
    assert rounded(score) == [[1, 1, 0.5, 0, 0, 0]]


def test_without_a_feature_in_covered_land_all_is_far():
    metres, score = measured(
        toygrid(2, 2), "distance", falling("0 m", "300 m"), "x/rail", layers={"x/rail": area()}
    )
    assert (metres == 300).all()
    assert (score == 0).all()


def test_a_distance_is_certain_only_where_no_nearer_feature_can_hide():
    grid = toygrid(1, 8, **PLACE)
    rail = points(". . r . . . . .", {"r": {}}, **PLACE)
    covered = area(box(grid, -9, 10, -9, 6))
    metres, score = measured(
        grid,
        "distance",
        falling("0 m", "300 m"),
        "x/rail",
        layers={"x/rail": rail},
        coverage={"x/rail": covered},
    )
    # Uncovered from the seventh cell on: there the next train may stand.
    assert rounded(metres) == [[200, 100, 0, 100, 200, None, None, None]]
    assert np.isnan(score[0, 5:]).all()


def test_beyond_saturation_a_feature_outside_the_covered_land_does_not_matter():
    grid = toygrid(1, 8, **PLACE)
    metres, _ = measured(
        grid,
        "distance",
        falling("0 m", "200 m"),
        "x/rail",
        layers={"x/rail": area()},
        coverage={"x/rail": area(box(grid, -9, 10, -9, 4))},
    )
    assert rounded(metres) == [[200, 200, 200, None, None, None, None, None]]


@settings(max_examples=20)
@given(shapes(8).flatmap(presences), st.sampled_from((0, 1, 2, 5)))
def test_a_distance_is_that_of_the_nearest_cell(marked, cells):
    grid = toygrid(*marked.shape, **PLACE)
    x, y = np.meshgrid(*grid.centres())
    at = area(*shapely.points(x[marked], y[marked]))
    most = 100.0 * cells + 50
    found, _ = measured(
        grid, "distance", falling("0 m", f"{most} m"), "x/rail", layers={"x/rail": at}
    )
    near = np.full(marked.shape, most)
    for px, py in zip(x[marked], y[marked], strict=True):
        near = np.minimum(near, np.hypot(x - px, y - py))
    np.testing.assert_allclose(found, near, atol=1e-9)


# ── polygons ──────────────────────────────────────────────────────────────────────────────────
def test_a_share_is_of_the_cell_and_unknown_where_nothing_is_covered():
    grid = toygrid(1, 4, **PLACE)
    found, score = measured(
        grid,
        "share",
        falling("0 %", "100 %"),
        "x/wet",
        layers={"x/wet": area(box(grid, 0, 1, 0, 1.25), box(grid, 0, 0.5, 1, 2))},
        coverage={"x/wet": area(box(grid, 0, 1, 0, 3))},
    )
    assert rounded(found, 2) == [[100, 62.5, 0, None]]
    assert rounded(score, 3) == [[0, 0.375, 1, None]]


ZONES = {"kind": "categorical", "scores": {"high": 0.0, "low": 0.8, "none": 1.0}}


NAMES = {"h": "high", "l": "low", "m": "moderate"}


def test_a_category_is_that_of_the_polygon_and_none_where_there_is_none():
    grid = toygrid(1, 5, **PLACE)
    zones = squares("h l m . .", {k: {"zone": v} for k, v in NAMES.items()}, **PLACE)
    drawn = {
        "layers": {"x/zones": zones},
        "categories": {"x/zones": "zone"},
        "coverage": {"x/zones": area(box(grid, 0, 1, 0, 4))},
    }
    what = {"kind": "category", "field": "zone"}
    found, score = measured(grid, what, ZONES, "x/zones", **drawn)
    # A category without a score is unknown, and so is land that is not covered.
    assert rounded(score) == [[0, 0.8, None, 1, None]]
    assert rounded(found) == [[0, 1, None, 2, None]]
    # A layer that knows only presence says nothing where it shows nothing.
    _, score = measured(grid, what, ZONES, "x/zones", **drawn, silent=["x/zones"])
    assert rounded(score) == [[0, 0.8, None, None, None]]
    # What is not in the value function is not known.
    fewer = {"kind": "categorical", "scores": {"low": 0.8}}
    _, score = measured(grid, what, fewer, "x/zones", **drawn)
    assert rounded(score) == [[None, 0.8, None, None, None]]


def test_a_category_of_a_raster_is_its_code(tmp_path):
    grid = toygrid(1, 4, **PLACE)
    codes = raster(tmp_path / "codes.tif", [[11, 21, 99, NAN]], grid)
    _, score = measured(
        grid,
        "category",
        {"kind": "categorical", "scores": {"11": 0.25, "21": 0.75}},
        "x/cover",
        rasters={"x/cover": codes},
    )
    assert rounded(score, 2) == [[0.25, 0.75, None, None]]


YES_NO = {"kind": "categorical", "scores": {"yes": 1.0, "no": 0.2}}


def test_nearby_is_yes_no_or_unknown():
    grid = toygrid(1, 7, **PLACE)
    drawn = {
        "layers": {"x/well": points("w . . . . . .", {"w": {}}, **PLACE)},
        "coverage": {"x/well": area(box(grid, -9, 9, -9, 6))},
    }
    near = {"kind": "nearby", "within": "200 m"}
    _, score = measured(grid, near, YES_NO, "x/well", **drawn)
    assert rounded(score) == [[1, 1, 1, 0.2, None, None, None]]
    _, score = measured(grid, near, YES_NO, "x/well", **drawn, silent=["x/well"])
    assert rounded(score) == [[1, 1, 1, None, None, None, None]]


# ── points ────────────────────────────────────────────────────────────────────────────────────
def test_a_sum_within_is_of_the_disc_and_unknown_near_land_that_is_not_covered():
    grid = toygrid(1, 7, **PLACE)
    towns = points("a . b . . . .", {"a": {"people": 5}, "b": {"people": 40}}, **PLACE)
    drawn = {
        "points": {("x/towns", "people"): towns},
        "coverage": {"x/towns": area(box(grid, -9, 9, -9, 6))},
    }
    what = {"kind": "sum_within", "field": "people", "radius": "200 m"}
    found, score = measured(grid, what, rising("0 persons", "90 persons"), "x/towns", **drawn)
    assert rounded(found) == [[45, 45, 45, 40, None, None, None]]
    assert rounded(score, 2) == [[0.5, 0.5, 0.5, 0.44, None, None, None]]


def test_towns_beyond_the_window_count():
    grid = toygrid(1, 2, row=-300, column=-197)
    towns = points("a . b . . . . .", {"a": {"people": 5}, "b": {"people": 40}}, **PLACE)
    what = {"kind": "sum_within", "field": "people", "radius": "100 m"}
    found, _ = measured(
        grid,
        what,
        rising("0 persons", "90 persons"),
        "x/towns",
        points={("x/towns", "people"): towns},
    )
    assert rounded(found) == [[40, 0]]


def test_a_density_is_per_square_kilometre_whatever_its_radius():
    wells = points("w . . . .", {"w": {}}, row=-302, column=-202)
    grid = toygrid(41, 41, row=-322, column=-222)
    for radius in (900, 1500):
        found, _ = measured(
            grid,
            {"kind": "density", "radius": f"{radius} m"},
            rising("0", "1"),
            "x/wells",
            points={("x/wells", ""): wells},
        )
        # One well, however it is spread: the sum over cells of 0.01 km².
        assert found.sum() * 0.01 == pytest.approx(1, rel=0.01)
        assert found[20, 20] == pytest.approx(3 / np.pi / (radius / 1000) ** 2)
        assert found.argmax() == 20 * 41 + 20


# ── ground ────────────────────────────────────────────────────────────────────────────────────
def ramp(path, grid, *, steep_from):
    """Flat ground that rises by 10 % to the east from a column on."""
    wide = grid.grown(4)
    x = np.arange(wide.shape[1]) - 4 - steep_from
    return raster(path, np.tile(np.maximum(x, 0) * 10.0, (wide.shape[0], 1)), wide)


def test_slope_and_value_are_read_off_the_ground(tmp_path):
    grid = toygrid(2, 6, **PLACE)
    ground = {"rasters": {"x/dem": ramp(tmp_path / "dem.tif", grid, steep_from=2)}}
    found, score = measured(grid, "slope", falling("0 %", "10 %"), "x/dem", **ground)
    assert rounded(found) == [[0, 0, 5, 10, 10, 10]] * 2
    assert rounded(score) == [[1, 1, 0.5, 0, 0, 0]] * 2
    found, _ = measured(
        grid, {"kind": "value", "unit": "m"}, rising("0 m", "40 m"), "x/dem", **ground
    )
    assert rounded(found) == [[0, 0, 0, 10, 20, 30]] * 2


def test_a_flat_share_is_of_the_disc_and_of_the_ground_that_is_known(tmp_path):
    grid = toygrid(1, 6, **PLACE)
    dem = ramp(tmp_path / "dem.tif", grid, steep_from=2)
    what = {"kind": "flat_share", "radius": "100 m", "slope": "5 %"}
    found, _ = measured(grid, what, rising("0 %", "100 %"), "x/dem", rasters={"x/dem": dem})
    # Discs of five cells; from the fourth column on the ground is too steep.
    assert rounded(found) == [[100, 100, 80, 20, 0, 0]]


def test_a_flat_share_is_unknown_where_the_ground_is(tmp_path):
    grid = toygrid(9, 9, **PLACE)
    values = np.zeros((9, 9))
    values[4, 0] = NAN
    dem = raster(tmp_path / "dem.tif", values, grid)
    what = {"kind": "flat_share", "radius": "100 m", "slope": "5 %"}
    found, _ = measured(grid, what, rising("0 %", "100 %"), "x/dem", rasters={"x/dem": dem})
    # The slope is known from the second to the last row but one, but not beside the hole.
    known = np.zeros((9, 9), bool)
    known[2:7, 2:7] = True
    known[3:6, 2] = False
    assert (np.isnan(found) == ~known).all()
    assert (found[known] == 100).all()


# ── land ──────────────────────────────────────────────────────────────────────────────────────
def test_open_land_lies_in_one_parcel():
    _, free = world(
        """
        1 1 1 2 2
        1 1 1 2 2
        1 1 1 2 2
        1 0 1 2 2
        1 1 1 2 2
        """,
        {str(n): n for n in range(3)},
    )
    grid = toygrid(3, 3)
    found, score = measured(
        grid,
        {"kind": "open_land", "radius": "100 m"},
        rising("0 ha", "5 ha"),
        free=free.to_numpy().astype(np.int32),
        margin=1,
    )
    assert rounded(found) == [[5, 4, 4], [4, 4, 4], [1, 3, 4]]
    assert rounded(score) == [[1, 0.8, 0.8], [0.8, 0.8, 0.8], [0.2, 0.6, 0.8]]


def test_the_margin_of_open_land_is_its_radius():
    land = {"kind": "open_land", "radius": "250 m"}
    inputs = toyinputs(toygrid(1, 1), criteria=(criterion("o", land, rising("0 ha", "1 ha")),))
    assert open_land_margin(inputs, 100.0) == 3
    assert open_land_margin(inputs, 250.0) == 1
    assert open_land_margin(toyinputs(toygrid(1, 1), scored=False), 100.0) == 0


def test_evidence_is_what_the_tile_says():
    strength = np.array([[0.0, 0.4, 1.7]])
    one = criterion("evidence", "evidence", rising("0", "0.8"))
    inputs = toyinputs(toygrid(1, 3), scenario=scenario(one, evidence=evidence_section()))
    at = np.argwhere(np.ones((1, 3), bool))
    found, score = scored(inputs, toygrid(1, 3), at, strength, np.ones((1, 3), np.int32))
    assert found.tolist() == strength.astype(np.float32).tolist()
    assert np.round(score, 6).tolist() == [[0, 0.5, 1]]


# ── in common ─────────────────────────────────────────────────────────────────────────────────
def test_a_criterion_whose_layer_is_not_to_be_had_is_unknown_everywhere():
    found, score = measured(
        toygrid(2, 2), "distance", falling("0 m", "1 km"), "x/rail", unread=["x/rail"]
    )
    assert np.isnan(found).all()
    assert np.isnan(score).all()


def test_without_cells_nothing_is_read():
    one = criterion("one", "distance", falling("0 m", "1 km"), "x/nowhere")
    inputs = toyinputs(toygrid(2, 2), criteria=(one,))
    nothing = np.empty((0, 2), np.int64)
    found = scored(inputs, toygrid(2, 2), nothing, np.zeros((2, 2)), np.ones((2, 2), np.int32))
    assert [f.shape for f in found] == [(1, 0), (1, 0)]


@settings(max_examples=20)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=5))
def test_a_cell_measures_the_same_in_any_company(cells):
    grid = toygrid(7, 7, **PLACE)
    rail = points("r . . . . . .", {"r": {}}, **PLACE)
    what = (
        criterion("rail", "distance", falling("0 m", "300 m"), "x/rail"),
        criterion("share", "share", rising("0 %", "9 %"), "x/wet"),
        criterion("dense", {"kind": "density", "radius": "400 m"}, rising("0", "9"), "x/wells"),
    )
    inputs = toyinputs(
        grid,
        criteria=what,
        layers={"x/rail": rail, "x/wet": area(box(grid, 1.3, 4, 2.2, 5))},
        points={("x/wells", ""): rail},
        coverage={"x/rail": whole(grid)},
    )
    free = np.ones(grid.shape, np.int32)
    everywhere = np.argwhere(np.ones(grid.shape, bool))
    whole_, _ = scored(inputs, grid, everywhere, np.zeros(grid.shape), free)
    some, _ = scored(inputs, grid, np.array(cells), np.zeros(grid.shape), free)
    rows, columns = np.array(cells).T
    there = whole_.reshape(3, *grid.shape)[:, rows, columns]
    assert some.tobytes() == there.tobytes()
