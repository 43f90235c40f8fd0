"""One tile; and the worlds of all rules and measures that any tiling must see alike."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geosite import harmonise
from geosite.constraints import against_bits, unsure_bits
from geosite.pieces import STEPS, summed_pieces, summed_rule_sets
from geosite.tile import tile
from tests.strategies import rule
from tests.test_inputs import (
    criterion,
    evidence_section,
    falling,
    features,
    raster,
    rising,
    scenario,
    toyinputs,
)
from tests.toyworld import draw, picture, points, squares, toygrid

STATES = {" ": 0, "-": 1, "x": 2, "?": 3, ".": 4}
PLACE = {"row": -300, "column": -200}
PATCH, DEPOSIT, PARCEL = (
    {"unit": "patch", "threshold": "0.5", "min_area": "1 ha"},
    {"unit": "deposit", "min_area": "1 ha"},
    {"unit": "parcel", "pad": "4 ha", "max_parcel": "1000 ha"},
)
OPEN = criterion("open", {"kind": "open_land", "radius": "1 m"}, rising("0 ha", "1 ha"))
"""Full marks for any land: what is left of them says the factors."""


def box(grid, r0, r1, c0, c1):
    """A polygon of whole cells of a grid."""
    left, _, _, top = grid.bounds
    size = grid.resolution
    return shapely.box(left + c0 * size, top - r1 * size, left + c1 * size, top - r0 * size)


def status(found):
    """The picture of the states: ``-`` not offered, ``x`` excluded, ``?`` unknown, ``.`` clear."""
    pictured = {"o": 0} | {k: v for k, v in STATES.items() if v}
    return draw(found.status, pictured)


# ── one row of land, drawn ────────────────────────────────────────────────────────────────────
ROW = toygrid(1, 9, **PLACE)
LAND = squares("a a a a a a b b .", {"a": {}, "b": {}}, **PLACE)
AOI = features([box(ROW, 0, 1, 1, 9)])


def row(*rules, **world):
    world = {"parcels": LAND, "offered": [True, False], "aoi": AOI, "criteria": [OPEN]} | world
    return tile(toyinputs(ROW, rules=rules, **world), ROW)


def layer(symbols):
    return points(symbols, {"h": {}}, **PLACE)


def test_land_is_outside_not_offered_or_clear():
    assert status(row()) == "o . . . . . - - -"


def test_land_of_other_owners_says_so_where_a_rule_excludes_it():
    found = row(rule("a"), layers={"x/a": layer("h . h . . . . h h")})
    # Outside the AOI and on land without a parcel there is nobody to be told.
    assert status(found) == "o . x . . . - x -"


def test_doubt_is_unknown_on_offered_land_only_and_exclusion_goes_before_it():
    covered = features([box(ROW, -1, 2, -1, 3)])
    rules = (rule("a"), rule("b"))
    layers = {"x/a": layer(". . . . . . . . ."), "x/b": layer(". . . . h . . . .")}
    assert status(row(*rules, layers=layers, coverage={"x/a": covered})) == "o . . ? x ? - - -"


def test_reasons_are_kept_inside_the_area_of_interest():
    found = row(rule("a"), rule("b"), layers={"x/a": layer("h h . . . . . . h")})
    assert draw(against_bits(found.planes, 0)) == ". # . . . . . . #"
    assert draw(unsure_bits(found.planes, 1)) == ". # # # # # # # #"


def test_a_case_lifts_exclusion_and_doubt():
    lift = rule("c", {"tier": "include", "case": "1"})
    layers = {"x/a": layer(". h h . . . . . ."), "x/c": layer(". . h h . . . . .")}
    found = row(rule("a"), rule("b"), lift, layers=layers)
    assert status(found) == "o x . . ? ? - - -"


def test_land_in_doubt_may_be_refused():
    asked = scenario(OPEN, unknown_land="refuse")
    world = {"layers": {"x/a": layer(". . h . . . . . .")}, "silent": ["x/b"]}
    one, two = rule("a"), rule("b")
    found = row(one, two, scenario=asked, **world)
    assert not found.active.any()
    assert status(found) == "o ? x ? ? ? - - -"
    admitted = row(one, two, **world)
    assert draw(admitted.active) == ". # . # # # . . ."
    assert admitted.pieces["unknown"].sum() == 4


def test_factors_multiply_the_scores_of_the_land_they_touch():
    rules = (
        rule("a", {"tier": "avoid", "factor": "0.5"}),
        rule("b", {"tier": "mitigate", "factor": "0.8", "setback": "100 m"}),
        rule("c", {"tier": "flag"}),
    )
    layers = {
        "x/a": layer(". h h . . . . . ."),
        "x/b": layer(". . . h . . . . ."),
        "x/c": layer(". h h h h h . . ."),
    }
    found = row(*rules, layers=layers)
    assert found.effective.tolist() == [pytest.approx([0.5, 0.4, 0.8, 0.8, 1.0])]
    assert found.suitability[0, 1:6] == pytest.approx([0.5, 0.4, 0.8, 0.8, 1.0])
    assert np.isnan(found.suitability[0, [0, 6, 7, 8]]).all()
    # A measure is what it is, whatever the rules say.
    assert found.measures.tolist() == [[1] * 5]


def test_evidence_opens_the_gate_and_land_beyond_it_is_no_candidate():
    left, _, _, top = ROW.bounds
    strong = criterion("evidence", "evidence", rising("0", "1"))
    asked = scenario(
        strong, sites=DEPOSIT, evidence=evidence_section(reach="150 m", kernel="200 m")
    )
    y = top - 50
    deposits = [(left + 150, y, 1.0, 1), (left + 450, y, 0.9, 0), (left + 550, y, 0.5, 1)]
    found = row(scenario=asked, deposits=deposits)
    # Cells 2 and 3 from the left lie within 150 m of the first, 5 and 6 of the third.
    assert draw(found.active) == ". # # . # # . . ."
    assert found.piece.tolist() == [[0, 1, 1, 0, 3, 3, 0, 0, 0]]
    assert status(found) == "o . . . . . - - -"
    # An unaccepted deposit counts as evidence where the gate is open.
    assert found.measures[0, 2] == pytest.approx(0.9)
    assert found.rule_sets[["parcel", "cells", "evidence"]].to_numpy().tolist() == [
        [1, 5, 4],
        [2, 2, 1],
    ]


def test_of_two_deposits_as_near_the_stronger_has_the_cell():
    left, _, _, top = ROW.bounds
    asked = scenario(sites=DEPOSIT, evidence=evidence_section(reach="1 km", kernel="1 km"))
    deposits = [(left + 450, top - 50, 1.0, 1), (left + 250, top - 50, 0.5, 1)]
    found = row(scenario=asked, deposits=deposits)
    assert found.piece.tolist() == [[0, 2, 2, 1, 1, 1, 0, 0, 0]]


def test_pieces_of_a_parcel_and_of_a_patch():
    layers = {"x/a": layer(". . . h . . . . .")}
    world = {"layers": layers, "offered": [True, True]}
    found = row(rule("a"), scenario=scenario(OPEN, sites=PARCEL), **world)
    assert found.piece.tolist() == [[0, 1, 1, 0, 1, 1, 2, 2, 0]]
    assert found.border == ()
    found = row(rule("a"), scenario=scenario(OPEN, sites=PATCH), **world)
    assert found.piece.tolist() == [[0, 1, 1, 0, 2, 2, 3, 3, 0]]
    assert len(found.border) == 4


def test_land_below_the_threshold_is_in_no_patch():
    world = {"layers": {"x/a": layer(". . . h . . . . .")}}
    poor = rule("a", {"tier": "avoid", "factor": "0.4"})
    found = row(poor, scenario=scenario(OPEN, sites=PATCH), **world)
    assert found.piece.tolist() == [[0, 1, 1, 0, 2, 2, 0, 0, 0]]
    assert found.suitability[0, 3] == np.float32(0.4)
    assert found.pieces["cells"].tolist() == [2, 2]


def test_open_land_beyond_the_window_counts():
    land = criterion("land", {"kind": "open_land", "radius": "200 m"}, rising("0 ha", "9 ha"))
    inputs = toyinputs(ROW, rules=[rule("a")], criteria=[land], parcels=LAND, aoi=AOI)
    inputs = replace(
        inputs,
        vectors={("x/a", None): harmonise.Shapes.of(layer(". . . . h . . . ."), ROW, "point")},
    )
    whole = tile(inputs, ROW)
    assert whole.measures.tolist() == [[3, 3, 4, 2, 2, 2]]
    alone = tile(inputs, toygrid(1, 1, row=-300, column=-197))
    assert alone.measures.tolist() == [[4]]


def test_a_window_outside_the_area_of_interest_has_the_tables_of_any_other():
    inputs = toyinputs(ROW, rules=[rule(f"r{k}") for k in range(40)], criteria=[OPEN], aoi=AOI)
    nothing, something = tile(inputs, toygrid(1, 1, **PLACE)), tile(inputs, ROW)
    assert not nothing.status.any()
    assert [*nothing.pieces] == [*something.pieces]
    assert nothing.pieces.empty
    assert [*nothing.rule_sets] == [*something.rule_sets]
    assert nothing.planes.shape == (2, 1, 1)
    assert (nothing.pieces.dtypes == something.pieces.dtypes).all()


# ── a world of every rule and every measure ───────────────────────────────────────────────────
SIDE = 16
RULES = (
    rule("ban", {"tier": "exclude", "setback": "150 m"}),
    rule("steep", layer="x/dem", subject={"kind": "slope", "above": "25 %"}),
    rule("high", layer="x/dem", subject={"kind": "value", "at_least": "160"}),
    rule("swamp", layer="x/cover", subject={"kind": "category", "codes": ["90"]}),
    rule("near", {"tier": "require", "within": "900 m"}, layer="x/road"),
    rule("poor", {"tier": "avoid", "factor": "0.5", "setback": "100 m"}, layer="x/zones"),
    rule("dear", {"tier": "mitigate", "factor": "0.7"}, layer="x/road"),
    rule("tell", {"tier": "flag", "setback": "300 m"}, layer="x/towns"),
    rule("case", {"tier": "include", "case": "1"}, layer="x/case"),
    rule("local", {"tier": "exclude", "setback": "100 m"}, layer="x/towns", inside="x/state"),
    rule("lost", {"tier": "avoid", "factor": "0.9"}, layer="x/lost"),
    rule("lines", {"tier": "flag"}, layer="x/lines"),
    rule("edge", {"tier": "flag", "setback": "100 m"}, layer="x/ban", subject={"kind": "boundary"}),
    rule("county", {"tier": "mitigate", "factor": "0.9", "setback": "200 m"}, layer="x/ban"),
    rule("decided", {"tier": "avoid", "factor": "0.6", "setback": "50 m"}, layer="x/road"),
)
CRITERIA = (
    criterion("road", "distance", falling("100 m", "600 m"), "x/road", weight=3),
    criterion("wet", "share", falling("0 %", "100 %"), "x/ban"),
    criterion(
        "people",
        {"kind": "sum_within", "field": "people", "radius": "450 m"},
        rising("0 persons", "90 persons"),
        "x/towns",
    ),
    criterion("dense", {"kind": "density", "radius": "500 m"}, rising("0", "9"), "x/towns"),
    criterion("height", {"kind": "value", "unit": "m"}, falling("0 m", "200 m"), "x/dem"),
    criterion("slope", "slope", falling("0 %", "30 %"), "x/dem"),
    criterion(
        "flat",
        {"kind": "flat_share", "radius": "200 m", "slope": "10 %"},
        rising("0 %", "100 %"),
        "x/dem",
    ),
    criterion("land", {"kind": "open_land", "radius": "300 m"}, rising("0 ha", "30 ha")),
    criterion(
        "by",
        {"kind": "nearby", "within": "250 m"},
        {"kind": "categorical", "scores": {"yes": 1, "no": 0.3}},
        "x/road",
    ),
    criterion(
        "zone",
        {"kind": "category", "field": "zone"},
        {"kind": "categorical", "scores": {"p": 0.2, "q": 0.9, "none": 0.5}},
        "x/zones",
    ),
    criterion(
        "cover",
        "category",
        {"kind": "categorical", "scores": {"10": 0.1, "20": 1.0}},
        "x/cover",
    ),
    criterion("evidence", "evidence", rising("0", "1"), weight=2),
    criterion("lost", "distance", falling("0 m", "1 km"), "x/lost"),
)


def everything(folder, *, seed=1, unit=DEPOSIT, down=0, right=0, side=SIDE, origin=(0.0, 0.0)):
    """A grid, and a world of every rule and measure on it, moved by whole cells."""
    rng = np.random.default_rng(seed)
    grid = toygrid(side, side, row=-300 + down, column=-200 + right, origin=origin)
    left, _, _, top = grid.bounds
    # Exact in binary, so that moving the world moves every coordinate exactly.
    spots = rng.integers(0, side * 64, (40, 2)) / 64 * 100

    def at(k):
        return left + spots[k, 0], top - spots[k, 1]

    def blob(k, r):
        x, y = at(k)
        return shapely.box(x - r, y - r, x + r, y + r)

    towns = features([shapely.Point(at(k)) for k in range(6)]).assign(people=range(10, 70, 10))
    road = features([shapely.LineString([at(6), at(7), at(8)])])
    zones = features([box(grid, 2, 7, 1, 6), box(grid, 8, 13, 9, 15)]).assign(zone=["p", "q"])
    wide = grid.grown(9)
    y, x = np.indices(wide.shape)
    dem = np.abs(x - 12.0) * 8 + np.maximum(y - 14, 0) * rng.integers(0, 4) * 4
    dem[:, 22:] += 60
    dem[20:22, 11:13] = np.nan
    cover = rng.choice([10, 20, 20, 20, 90], wide.shape)
    parcels = [box(grid, 0, 9, 0, 8), box(grid, 0, 9, 8, 16), box(grid, 9, 15, 0, 16)]
    deposits = [(*at(k), w, ok) for k, w, ok in ((20, 1, 1), (21, 0.8, 1), (22, 0.5, 0))]
    deposits += [(*at(k), 0.3, 1) for k in (23, 24, 25)]
    asked = scenario(
        *CRITERIA,
        sites=unit,
        evidence=evidence_section(reach="500 m", kernel="600 m"),
        missing="renormalise",
    )
    inputs = toyinputs(
        grid,
        scenario=asked,
        rules=RULES,
        aoi=features([box(grid, 0.2, 16, 0.7, 15.6)]),
        parcels=features(parcels),
        offered=[True, True, seed % 2 == 0],
        layers={
            "x/ban": features([blob(9, 130), blob(10, 20)]),
            "x/road": road,
            "x/zones": zones,
            "x/towns": towns,
            "x/case": features([blob(11, 210)]),
            "x/state": features([box(grid, -5, 21, -5, 9)]),
        },
        categories={"x/zones": "zone"},
        points={("x/towns", "people"): towns, ("x/towns", ""): towns},
        rasters={
            "x/dem": raster(folder / f"dem{seed}{wide.bounds}.tif", dem, wide),
            "x/cover": raster(folder / f"cover{seed}{wide.bounds}.tif", cover, wide),
        },
        coverage={
            "x/ban": features([box(grid, -9, 25, -9, 13)]),
            "x/road": features([box(grid, -9, 14, -9, 25)]),
            "x/state": features([box(grid, -9, 25, 2, 25)]),
        },
        silent=["x/zones"],
        deposits=deposits,
        unread=["x/lost"],
        parts={
            "lines": [(features([road.geometry.iloc[0]]), 0.0), (towns.iloc[:2], 130.0),
                      (features([blob(12, 90)]), 60.0, False)],
            "edge": [(features([shapely.LineString(blob(9, 130).exterior.coords)]), 100.0)],
        },
        local={
            "county": [(box(grid, 0, 20, 3.3, 8), 350.0), (box(grid, 0, 9, 0, 16), None)],
            "tell": [(None, 100.0)],
        },
        amendments={
            "decided": [(blob(13, 260), "holds"), (blob(14, 300), "set aside"),
                        (blob(15, 200), "in doubt")],
        },
    )  # fmt: skip
    return grid, inputs


def answers(grid, inputs, size):
    """Surfaces and joined tables of a world from tiles of a size."""
    names = ("status", "planes", "parcel", "piece", "suitability", "active")
    out, results = {}, []
    spread = np.full((2 * len(inputs.criteria), *grid.shape), np.nan, np.float32)
    for window in grid.tiles(size):
        found = tile(inputs, window)
        results.append(found)
        rows, columns = grid.window(window)
        for name in names:
            part = getattr(found, name)
            where = out.setdefault(name, np.zeros((*part.shape[:-2], *grid.shape), part.dtype))
            where[..., rows, columns] = part
        both = np.concatenate([found.measures, found.effective])
        part = np.full((len(both), *window.shape), np.nan, np.float32)
        part[:, found.active] = both
        spread[:, rows, columns] = part
    tables = (
        summed_pieces([r.pieces for r in results]),
        summed_rule_sets([r.rule_sets for r in results]),
    )
    return out | {"spread": spread}, tables


@pytest.mark.parametrize("seed", [1, 2])
def test_any_tiling_gives_the_same_surfaces_and_tables(tmp_path, seed):
    grid, inputs = everything(tmp_path, seed=seed)
    surfaces, tables = answers(grid, inputs, SIDE)
    # The world is worth the test: every state, and every criterion known and unknown somewhere.
    assert set(np.unique(surfaces["status"])) == {0, 1, 2, 3, 4}
    assert surfaces["active"].sum() > 20
    assert len(tables[0]) > 1
    for size in (3, 5, 8):
        there, joined = answers(grid, inputs, size)
        for name, surface in surfaces.items():
            assert there[name].tobytes() == surface.tobytes(), (name, size)
        for one, other in zip(tables, joined, strict=True):
            pd.testing.assert_frame_equal(one, other)


def test_every_criterion_of_the_world_says_something(tmp_path):
    found = [answers(*everything(tmp_path, seed=s), SIDE)[0]["spread"] for s in (1, 2, 4)]
    for k, one in enumerate(CRITERIA):
        values = np.concatenate([f[k][~np.isnan(f[k])] for f in found])
        assert (len(values) == 0) == (one.id == "lost"), one.id
        assert one.id == "lost" or len(np.unique(values)) > 1, one.id


def test_every_rule_of_the_world_speaks(tmp_path):
    planes = [answers(*everything(tmp_path, seed=s), SIDE)[0]["planes"] for s in (1, 2, 4)]
    for k, one in enumerate(RULES):
        speaks = any(against_bits(p, k).any() for p in planes)
        assert speaks == (one.id != "lost"), one.id


@pytest.mark.parametrize(("down", "right"), [(1, 0), (0, 7), (203, -145)])
def test_moving_the_world_by_whole_cells_moves_the_answer(tmp_path, down, right):
    here, (pieces, sets) = answers(*everything(tmp_path), SIDE)
    there, (moved, moved_sets) = answers(*everything(tmp_path, down=down, right=right), SIDE)
    for name in ("status", "planes", "parcel", "piece", "active"):
        assert there[name].tobytes() == here[name].tobytes(), name
    np.testing.assert_allclose(there["spread"], here["spread"], rtol=1e-5, atol=1e-5)
    pd.testing.assert_frame_equal(sets, moved_sets)
    for column in ("piece", "parcel", "cells", "unknown"):
        assert pieces[column].tolist() == moved[column].tolist()
    assert (moved["anchor"] - pieces["anchor"] == down * 2**31 + right).all()
    apart = (moved["surface_sum"] - pieces["surface_sum"]).abs() / pieces["cells"]
    assert (apart <= 1e-5 * STEPS).all()


@pytest.mark.parametrize("origin", [(1.0, -37.0), (-2_100_013.0, 2_300_049.0)])
def test_moving_the_world_and_the_origin_by_any_metres_changes_nothing_else(tmp_path, origin):
    here, (pieces, sets) = answers(*everything(tmp_path), SIDE)
    there, (moved, moved_sets) = answers(*everything(tmp_path, origin=origin), SIDE)
    for name in ("status", "planes", "parcel", "piece", "active"):
        assert there[name].tobytes() == here[name].tobytes(), name
    # Rasters are read at places whose rounding depends on how far from zero they are.
    np.testing.assert_allclose(there["spread"], here["spread"], rtol=1e-5, atol=1e-5)
    pd.testing.assert_frame_equal(sets, moved_sets)
    for column in ("piece", "parcel", "lattice", "anchor", "cells", "unknown"):
        assert pieces[column].tolist() == moved[column].tolist()
    apart = (moved["surface_sum"] - pieces["surface_sum"]).abs() / pieces["cells"]
    assert (apart <= 1e-5 * STEPS).all()
    again, _ = answers(*everything(tmp_path, origin=origin), 5)
    for name, surface in there.items():
        assert again[name].tobytes() == surface.tobytes(), name


@settings(max_examples=5)
@given(st.permutations(range(len(RULES))), st.permutations(range(len(CRITERIA))))
def test_the_order_of_rules_and_criteria_says_nothing(tmp_path_factory, rules, criteria):
    grid, inputs = everything(tmp_path_factory.mktemp("world"))
    shuffled = replace(
        inputs,
        rules=tuple(inputs.rules[k] for k in rules),
        treatments=tuple(inputs.treatments[k] for k in rules),
        criteria=tuple(inputs.criteria[k] for k in criteria),
    )
    one, two = tile(inputs, grid), tile(shuffled, grid)
    for name in ("status", "parcel", "piece", "active"):
        assert getattr(one, name).tobytes() == getattr(two, name).tobytes()
    assert one.effective[list(criteria)].tobytes() == two.effective.tobytes()
    assert one.measures[list(criteria)].tobytes() == two.measures.tobytes()
    for k, old in enumerate(rules):
        for bits in (against_bits, unsure_bits):
            assert (bits(one.planes, old) == bits(two.planes, k)).all()
    np.testing.assert_allclose(one.suitability, two.suitability, atol=1e-6)


@pytest.mark.parametrize("unit", [PATCH, PARCEL], ids=lambda u: u["unit"])
def test_the_unit_of_sites_changes_no_surface(tmp_path, unit):
    one, _ = answers(*everything(tmp_path), 5)
    two, _ = answers(*everything(tmp_path, unit=unit), 5)
    for name in ("status", "planes", "suitability", "spread"):
        assert one[name].tobytes() == two[name].tobytes()


def test_a_world_drawn():
    grid = toygrid(4, 6, **PLACE)
    park = squares(
        """
        . . . . . .
        . # # . . .
        . # # . . .
        . . . . . .
        """,
        {"#": {}},
        **PLACE,
    )
    one = rule("park", {"tier": "exclude", "setback": "100 m"})
    land = features([box(grid, 0, 4, 0, 5)])
    found = tile(toyinputs(grid, rules=[one], layers={"x/park": park}, parcels=land), grid)
    assert status(found) == picture("""
        . x x . . -
        x x x x . -
        x x x x . -
        . x x . . -
    """)
