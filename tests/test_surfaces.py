import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geosite.surfaces import Surfaces
from tests.strategies import presences, rule, shapes
from tests.test_inputs import features, raster, toyinputs
from tests.toyworld import draw, picture, points, squares, toygrid

NAN = float("nan")
PLACE = {"row": -300, "column": -200}
SAYS = {".": 0, "x": 1, "?": 2}


def box(grid, r0, r1, c0, c1):
    """A polygon of whole cells of a grid."""
    left, _, _, top = grid.bounds
    size = grid.resolution
    return shapely.box(left + c0 * size, top - r1 * size, left + c1 * size, top - r0 * size)


def verdict(grid, one, **world):
    inputs = toyinputs(grid, rules=(one,), **world)
    found = Surfaces(inputs, grid).verdict(one, one.mine)
    assert not (found.against & found.unsure).any()
    return found


def says(grid, mine=None, *, subject=None, inside=None, **world):
    """The picture of what a rule about layer x/a says: ``x`` against, ``?`` cannot tell."""
    more = ({"subject": subject} if subject else {}) | ({"inside": inside} if inside else {})
    found = verdict(grid, rule("a", mine, **more), **world)
    return draw(found.against + 2 * found.unsure, SAYS)


def exclude(setback):
    return {"tier": "exclude", "setback": setback}


# ── features ──────────────────────────────────────────────────────────────────────────────────
LINE = toygrid(1, 9, **PLACE)
HOUSE = {"x/a": points(". . . h . . . . .", {"h": {}}, **PLACE)}
WEST = {"x/a": features([box(LINE, -9, 9, -9, 7)])}


@pytest.mark.parametrize(
    ("mine", "expected"),
    [
        (exclude("0 m"), ". . . x . . . . ."),
        (exclude("99 m"), ". . . x . . . . ."),
        (exclude("200 m"), ". x x x x x . . ."),
        ({"tier": "require", "within": "100 m"}, "x x . . . x x x x"),
        ({"tier": "flag"}, ". . . x . . . . ."),
        ({"tier": "include", "case": "1"}, ". . . x . . . . ."),
    ],
)
def test_a_rule_speaks_of_land_near_its_features(mine, expected):
    assert says(LINE, mine, layers=HOUSE) == expected


@pytest.mark.parametrize(
    ("mine", "expected"),
    [
        (exclude("0 m"), ". . . x . . . ? ?"),
        (exclude("200 m"), ". x x x x x ? ? ?"),
        ({"tier": "require", "within": "100 m"}, "x x . . . x ? ? ?"),
    ],
)
def test_a_rule_cannot_tell_within_its_setback_of_land_that_is_not_covered(mine, expected):
    assert says(LINE, mine, layers=HOUSE, coverage=WEST) == expected


def test_a_layer_of_presence_only_says_nothing_where_it_shows_nothing():
    assert says(LINE, exclude("100 m"), layers=HOUSE, silent=["x/a"]) == "? ? x x x ? ? ? ?"
    require = {"tier": "require", "within": "100 m"}
    assert says(LINE, require, layers=HOUSE, silent=["x/a"]) == "? ? . . . ? ? ? ?"


def test_a_rule_without_its_layer_cannot_tell_anywhere():
    assert says(LINE, exclude("100 m")) == " ".join("?" * 9)
    slope = {"kind": "slope", "above": "10 %"}
    assert says(LINE, subject=slope) == " ".join("?" * 9)


def test_a_layer_without_features_near_is_an_answer():
    assert says(LINE, exclude("1 km"), layers={"x/a": features([])}) == " ".join("." * 9)


def test_a_feature_beyond_the_window_has_its_setback():
    away = {"x/a": features([shapely.Point(LINE.bounds[0] - 150, LINE.bounds[3] - 50)])}
    assert says(LINE, exclude("300 m"), layers=away) == "x x . . . . . . ."


def test_a_polygon_too_small_to_fill_a_cell_still_has_a_setback():
    small = {"x/a": features([box(LINE, 0.4, 0.6, 4.4, 4.6)])}
    assert says(LINE, exclude("0 m"), layers=small) == " ".join("." * 9)
    assert says(LINE, exclude("100 m"), layers=small) == ". . . x x x . . ."


# ── inside some land only ─────────────────────────────────────────────────────────────────────
EXTENT = {"x/in": features([box(LINE, 0, 1, 0, 4)])}


def test_a_rule_holds_inside_its_extent_only():
    found = says(LINE, exclude("200 m"), inside="x/in", layers=HOUSE | EXTENT)
    assert found == ". x x x . . . . ."
    require = {"tier": "require", "within": "0 m"}
    assert says(LINE, require, inside="x/in", layers=HOUSE | EXTENT) == "x x x . . . . . ."


def test_without_its_extent_a_rule_cannot_tell_where_it_would_speak():
    assert says(LINE, exclude("100 m"), inside="x/in", layers=HOUSE) == ". . ? ? ? . . . ."


def test_where_the_extent_is_not_covered_a_rule_cannot_tell():
    covered = {"x/in": features([box(LINE, -1, 2, -1, 5)])}
    found = says(LINE, exclude("200 m"), inside="x/in", layers=HOUSE | EXTENT, coverage=covered)
    assert found == ". x x x . ? . . ."


# ── rasters ───────────────────────────────────────────────────────────────────────────────────
def test_steep_ground_is_spoken_against_and_unknown_ground_is_unknown(tmp_path):
    grid = toygrid(1, 6, **PLACE)
    wide = grid.grown(1)
    heights = np.tile([0, 0, 0, 0, 40, 80, 120, NAN], (3, 1))
    dem = {"rasters": {"x/a": raster(tmp_path / "dem.tif", heights, wide)}}
    slope = {"kind": "slope", "above": "20 %"}
    # Slopes 0 0 20 40 40 ?: the limit itself is not above the limit.
    assert says(grid, subject=slope, **dem) == ". . . x x ?"
    # With a setback the unknown ground above and below the picture is within reach, too.
    assert says(grid, exclude("100 m"), subject=slope, **dem) == "? ? x x x x"


def test_values_in_a_range_ends_included(tmp_path):
    grid = toygrid(1, 6, **PLACE)
    surface = raster(tmp_path / "a.tif", [[1, 2, 3, 4, NAN, 9]], grid)
    world = {"rasters": {"x/a": surface}}
    both = {"kind": "value", "at_least": "2", "at_most": "3"}
    assert says(grid, subject=both, **world) == ". x x . ? ."
    assert says(grid, subject={"kind": "value", "at_least": "4"}, **world) == ". . . x ? x"
    assert says(grid, subject={"kind": "value", "at_most": "1"}, **world) == "x . . . ? ."


def test_codes_of_a_category(tmp_path):
    grid = toygrid(1, 5, **PLACE)
    surface = raster(tmp_path / "a.tif", [[11, 12, 21, NAN, 11]], grid)
    codes = {"kind": "category", "codes": ["11", "21"]}
    assert says(grid, subject=codes, rasters={"x/a": surface}) == "x . x ? x"
    require = {"tier": "require", "within": "0 m"}
    assert says(grid, require, subject=codes, rasters={"x/a": surface}) == ". x . ? ."


def test_beyond_its_edge_a_raster_says_nothing(tmp_path):
    grid = toygrid(1, 5, **PLACE)
    surface = raster(tmp_path / "a.tif", [[11, 12, 12]], toygrid(1, 3, **PLACE))
    codes = {"kind": "category", "codes": ["11"]}
    world = {"rasters": {"x/a": surface}}
    assert says(grid, subject=codes, **world) == "x . . ? ?"
    # Above and below the picture nothing is known, either.
    assert says(grid, exclude("100 m"), subject=codes, **world) == "x x ? ? ?"


# ── in common ─────────────────────────────────────────────────────────────────────────────────
def test_a_surface_is_made_once():
    inputs = toyinputs(LINE, layers=HOUSE)
    surfaces = Surfaces(inputs, LINE)
    assert surfaces.near(("x/a", None), 200.0) is surfaces.near(("x/a", None), 200.0)
    assert surfaces.near(("x/a", None), 100.0) is not surfaces.near(("x/a", None), 200.0)


def test_a_setback_round_a_square_is_rounded_at_the_corners():
    grid = toygrid(7, 7, **PLACE)
    # Of three cells a side, so that it is no thin polygon.
    house = squares(
        """
        . . . . . . .
        . . . . . . .
        . . h h h . .
        . . h h h . .
        . . h h h . .
        . . . . . . .
        . . . . . . .
        """,
        {"h": {}},
        **PLACE,
    )
    assert says(grid, exclude("100 m"), layers={"x/a": house}) == picture("""
        . . . . . . .
        . . x x x . .
        . x x x x x .
        . x x x x x .
        . x x x x x .
        . . x x x . .
        . . . . . . .
    """)


@settings(max_examples=25)
@given(
    shapes(7).flatmap(lambda s: st.tuples(presences(s), presences(s))),
    st.sampled_from((0, 50, 100, 150, 300)),
    st.booleans(),
    st.sampled_from((1, 2, 3)),
)
def test_a_verdict_is_that_of_the_distances_in_any_tiling(drawn, metres, required, size):
    marked, gap = drawn
    grid = toygrid(*marked.shape, **PLACE)
    x, y = np.meshgrid(*grid.centres())
    boxes = shapely.box(x - 50, y - 50, x + 50, y + 50)
    around = shapely.difference(shapely.box(*grid.grown(9).bounds), shapely.union_all(boxes[gap]))
    tier = {"tier": "require", "within": f"{metres} m"} if required else exclude(f"{metres} m")
    one = rule("a", tier)
    inputs = toyinputs(
        grid,
        rules=(one,),
        layers={"x/a": features(shapely.points(x[marked], y[marked]))},
        coverage={"x/a": features([around])},
    )

    def reached(places):
        d = np.hypot(x[..., None] - x[places], y[..., None] - y[places])
        return (d <= metres + 1e-9).any(axis=-1)

    near, silent = reached(marked), reached(gap)
    unsure = ~near & silent
    against = ~near & ~silent if required else near
    for window in grid.tiles(size):
        found = Surfaces(inputs, window).verdict(one, one.mine)
        at = grid.window(window)
        assert (found.against == against[at]).all()
        assert (found.unsure == unsure[at]).all()
