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
LINE_TALL = toygrid(9, 9, row=PLACE["row"] - 4, column=PLACE["column"])
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


# ── setbacks of their own ─────────────────────────────────────────────────────────────────────
def at(*columns):
    """Points at the centres of some cells of the line."""
    x, y = LINE.centres()
    return features([shapely.Point(x[c], y[0]) for c in columns])


def test_each_part_has_its_own_setback():
    parts = {"a": [(at(1), 100.0), (at(6), 200.0)]}
    assert says(LINE, exclude("0 m"), parts=parts) == "x x x . x x x x x"


def test_where_its_layer_is_silent_a_scaled_rule_cannot_tell_as_far_as_it_could_reach():
    scaled = {"field": "kv", "steps": [{"from": 345, "setback": "300 m"}]}
    mine = {"tier": "exclude", "setback": "100 m", "scaled": scaled}
    world = {"parts": {"a": [(at(1), 100.0)]}, "coverage": WEST}
    assert says(LINE, mine, **world) == "x x x . ? ? ? ? ?"


def test_of_a_part_that_is_not_sure_nobody_can_tell():
    parts = {"a": [(at(2), 0.0), (at(2, 5), 100.0, False)]}
    assert says(LINE, exclude("0 m"), parts=parts) == ". ? x ? ? ? ? . ."
    assert says(LINE, {"tier": "require", "within": "0 m"}, parts=parts) == "x ? . ? ? ? ? x x"


def test_a_rule_whose_parts_are_none_is_an_answer_and_one_without_parts_is_none():
    assert says(LINE, exclude("1 km"), parts={"a": []}) == " ".join("." * 9)
    boundary = {"kind": "boundary"}
    # Features of the layer are no boundaries, though another rule reads them.
    assert says(LINE, exclude("0 m"), subject=boundary, layers=HOUSE) == " ".join("?" * 9)


def test_an_inward_buffer_is_a_boundary_inside_its_own_layer():
    grid = toygrid(7, 8, **PLACE)
    parcels = [box(grid, 0, 7, 0, 5), box(grid, 0, 7, 5, 8)]
    lines = features([p.exterior for p in parcels])
    lines["geometry"] = lines.geometry.apply(lambda ring: shapely.LineString(ring.coords))
    one = rule("a", exclude("100 m"), subject={"kind": "boundary"}, inside="x/land")
    land = features([parcels[0]])
    inputs = toyinputs(grid, rules=(one,), parts={"a": [(lines, 100.0)]}, layers={"x/land": land})
    found = Surfaces(inputs, grid).verdict(one, one.mine)
    # A line along an edge marks the cells right of it and below, and a setback begins there.
    assert draw(found.against) == picture("""
        # # # # # . . .
        # # # # # . . .
        # # . . # . . .
        # # . . # . . .
        # # . . # . . .
        # # . . # . . .
        # # # # # . . .
    """)


# ── local land ────────────────────────────────────────────────────────────────────────────────
COUNTY = box(LINE, 0, 1, 4, 7)


@pytest.mark.parametrize(
    ("metres", "expected"),
    [
        (500.0, ". . x x x x x . ."),  # stricter
        (0.0, ". . x x . . . . ."),  # more permissive
        (None, ". . x x . . . . ."),  # it does not hold there
        (100.0, ". . x x x . . . ."),  # as it is
    ],
)
def test_on_local_land_the_local_setback_holds(metres, expected):
    found = says(LINE, exclude("100 m"), layers=HOUSE, local={"a": [(COUNTY, metres)]})
    assert found == expected


def test_the_first_that_holds_a_cell_decides():
    both = [(box(LINE, 0, 1, 6, 9), 0.0), (COUNTY, 500.0)]
    assert says(LINE, exclude("100 m"), layers=HOUSE, local={"a": both}) == ". . x x x x . . ."
    both.reverse()
    assert says(LINE, exclude("100 m"), layers=HOUSE, local={"a": both}) == ". . x x x x x . ."


def test_a_local_setback_decides_how_far_silence_reaches():
    world = {"layers": HOUSE, "coverage": WEST}
    found = says(LINE, exclude("300 m"), local={"a": [(COUNTY, 100.0)]}, **world)
    assert found == "x x x x x . ? ? ?"


def test_a_local_setback_is_that_of_all_parts():
    parts = {"a": [(at(1), 0.0), (at(8), 400.0)]}
    found = says(LINE, exclude("0 m"), parts=parts, local={"a": [(COUNTY, 200.0)]})
    assert found == ". x . . . . x x x"


def test_a_local_setback_of_a_raster_rule(tmp_path):
    surface = raster(tmp_path / "a.tif", [[0, 0, 1, 0, 0, 0, 0, 0, 0]] * 9, LINE_TALL)
    value = {"kind": "value", "at_least": "1"}
    world = {"subject": value, "rasters": {"x/a": surface}}
    assert says(LINE, exclude("0 m"), **world) == ". . x . . . . . ."
    local = {"a": [(box(LINE, 0, 1, 3, 7), 200.0)]}
    assert says(LINE, exclude("0 m"), local=local, **world) == ". . x x x . . . ."


def test_local_land_that_nobody_can_place_is_doubt_where_it_would_matter():
    found = says(LINE, exclude("100 m"), layers=HOUSE, local={"a": [(None, 200.0)]})
    assert found == ". ? x x x ? . . ."
    found = says(LINE, exclude("100 m"), layers=HOUSE, local={"a": [(None, None)]})
    assert found == ". . ? ? ? . . . ."
    # A county that is known goes before.
    both = {"a": [(COUNTY, 0.0), (None, None)]}
    assert says(LINE, exclude("100 m"), layers=HOUSE, local=both) == ". . ? ? . . . . ."


def test_local_land_that_is_not_sure_is_doubt_on_that_land_only():
    found = says(LINE, exclude("100 m"), layers=HOUSE, local={"a": [(COUNTY, 500.0, False)]})
    assert found == ". . x x x ? ? . ."
    found = says(LINE, exclude("100 m"), layers=HOUSE, local={"a": [(COUNTY, None, False)]})
    assert found == ". . x x ? . . . ."


# ── decisions ─────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("effect", "expected"),
    [
        ("holds", ". x x x x x x ? ?"),
        ("set aside", ". x x x . . . ? ?"),
        ("in doubt", ". x x x ? ? ? ? ?"),
    ],
)
def test_a_decision_goes_before_what_the_layers_say(effect, expected):
    world = {"layers": HOUSE, "coverage": WEST}
    decided = {"a": [(COUNTY, effect)]}
    assert says(LINE, exclude("200 m"), amendments=decided, **world) == expected


def test_the_later_decision_wins_also_over_local_land_and_extents():
    decided = {"a": [(box(LINE, 0, 1, 0, 9), "set aside"), (box(LINE, 0, 1, 6, 9), "holds")]}
    world = {"layers": HOUSE | EXTENT, "local": {"a": [(COUNTY, 500.0)]}}
    found = says(LINE, exclude("200 m"), inside="x/in", amendments=decided, **world)
    assert found == ". . . . . . x x x"


def test_a_decision_needs_no_layer():
    assert says(LINE, exclude("0 m"), amendments={"a": [(COUNTY, "set aside")]}) == (
        "? ? ? ? . . . ? ?"
    )


def test_a_cell_belongs_to_a_decision_that_holds_its_centre():
    decided = {"a": [(box(LINE, 0, 1, 2.45, 4.45), "holds")]}
    # The whole of cell 3, the middle of 2 and less than half of 4.
    assert says(LINE, exclude("0 m"), layers={"x/a": features([])}, amendments=decided) == (
        ". . x x . . . . ."
    )


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


# ── laws ──────────────────────────────────────────────────────────────────────────────────────
METRES = st.sampled_from((0.0, 50.0, 100.0, 141.5, 230.0, 300.0))
EFFECTS = st.sampled_from(("holds", "set aside", "in doubt"))


@st.composite
def drawn_parts(draw):
    """A grid and a few boxes and points round it, each with a setback."""
    grid = toygrid(*draw(shapes(9)), **PLACE)
    found = []
    for _ in range(draw(st.integers(1, 4))):
        c, r = draw(st.integers(-80, 160)) / 16, draw(st.integers(-80, 160)) / 16
        size = draw(st.sampled_from((0, 0.25, 1.5, 3)))
        cell = box(grid, r, r + size, c, c + size)
        found.append((features([cell if size else cell.centroid]), draw(METRES)))
    return grid, found


def found(grid, mine="0 m", **world):
    one = rule("a", exclude(mine))
    return Surfaces(toyinputs(grid, rules=(one,), **world), grid).verdict(one, one.mine)


@given(drawn_parts(), st.data())
def test_wider_setbacks_never_free_land(drawn, data):
    grid, parts = drawn
    wider = [(f, m + data.draw(METRES)) for f, m in parts]
    narrow, wide = (found(grid, parts={"a": p}) for p in (parts, wider))
    assert not (narrow.against & ~wide.against).any()


@given(drawn_parts(), METRES)
def test_parts_of_one_setback_are_the_plain_rule(drawn, metres):
    grid, parts = drawn
    points = features([f.geometry.iloc[0].centroid for f, _ in parts])
    split = [(points.iloc[[k]], metres) for k in range(len(points))]
    plain = found(grid, f"{metres} m", layers={"x/a": points})
    assert (found(grid, parts={"a": split}).against == plain.against).all()


@given(drawn_parts(), METRES, st.integers(1, 7), st.integers(0, 9))
def test_a_local_setback_as_the_rules_own_changes_nothing(drawn, metres, size, place):
    grid, parts = drawn
    world = {"layers": {"x/a": features([f.geometry.iloc[0].centroid for f, _ in parts])}}
    county = box(grid, place - 3, place - 3 + size, place - 2, place - 2 + size)
    plain = found(grid, f"{metres} m", **world)
    for land in (county, None):
        local = found(grid, f"{metres} m", local={"a": [(land, metres)]}, **world)
        assert (local.against == plain.against).all()
        assert (local.unsure == plain.unsure).all()


@given(drawn_parts(), EFFECTS, st.integers(0, 140), st.integers(0, 140), st.integers(1, 60))
def test_a_decision_touches_no_cell_outside_its_area(drawn, effect, x, y, size):
    grid, parts = drawn
    r, c, size = y / 16, x / 16, size / 16
    area = box(grid, r, r + size, c, c + size)
    plain = found(grid, parts={"a": parts})
    after = found(grid, parts={"a": parts}, amendments={"a": [(area, effect)]})
    across, down = np.meshgrid(*grid.centres())
    cells = shapely.box(across - 50, down - 50, across + 50, down + 50)
    outside = ~shapely.intersects(cells, area)
    assert (after.against == plain.against)[outside].all()
    assert (after.unsure == plain.unsure)[outside].all()
    within = shapely.contains(area, cells)
    assert (after.against[within] == (effect == "holds")).all()
    assert (after.unsure[within] == (effect == "in doubt")).all()
