from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import shapely

from geosite.candidates import candidates, outlined
from geosite.pieces import STEPS
from geosite.store import Store
from geosite.tile import tile
from tests.strategies import rule
from tests.test_inputs import (
    criterion,
    evidence_section,
    features,
    rising,
    scenario,
    toyinputs,
    toyplan,
)
from tests.toyworld import points, squares, toygrid

PLACE = {"row": -300, "column": -200}
OPEN = criterion("open", {"kind": "open_land", "radius": "1 m"}, rising("0 ha", "1 ha"))
PATCH = {"unit": "patch", "threshold": "0.5", "min_area": "1 ha"}
DEPOSIT = {"unit": "deposit", "min_area": "1 ha"}
PARCEL = {"unit": "parcel", "pad": "4 ha", "max_parcel": "1000 ha"}
REGION = {"unit": "region", "area": "4 ha", "max_parcel": "1000 ha", "count": 3}


def joined(folder, grid, inputs, size, deposits=()):
    """What the pipeline makes of tiles: store, windows, pieces, groups, what is left out."""
    plan = toyplan(inputs, grid)
    count = max(1, -(-len(inputs.rules) // 32))
    arrays = {
        "status": (None, "u1", 0),
        "planes": (count, "u8", 0),
        "parcel": (None, "i4", 0),
        "piece": (None, "i4", 0),
        "pad": (None, "i4", 0),
        "suitability": (None, "f4", np.nan),
        "measures": (len(inputs.criteria), "f4", np.nan),
        "effective": (len(inputs.criteria), "f4", np.nan),
    }
    store = Store.create(folder / f"{size}.zarr", grid, arrays, chunk=size)
    windows = list(grid.tiles(size))
    results = [tile(inputs, w) for w in windows]
    for found in results:
        names = ("status", "planes", "parcel", "piece", "suitability")
        store.write(found.window, {n: getattr(found, n) for n in names})
        store.write_cells("measures", found.window, found.active, found.measures)
        store.write_cells("effective", found.window, found.active, found.effective)
    parcels = inputs.parcels_frame.assign(parcel_id=range(1, len(inputs.parcels_frame) + 1))
    ready = SimpleNamespace(
        inputs=inputs.shared,
        deposits=pd.DataFrame(deposits, columns=["x", "y", "weight", "accepted"]),
        register=SimpleNamespace(parcels=parcels),
    )
    pieces, groups, left = candidates(
        plan, ready, store, windows, [r.pieces for r in results], [r.border for r in results]
    )
    return SimpleNamespace(
        plan=plan, store=store, windows=windows, pieces=pieces, groups=groups, left=left
    )


def world(grid, unit, *rules, parcels=None, offered=None, **more):
    """Inputs, with the features of their parcels beside them."""
    parcels = features([shapely.box(*grid.bounds)]) if parcels is None else parcels
    asked = scenario(
        *more.pop("criteria", (OPEN,)),
        sites=unit,
        **({"evidence": more.pop("evidence")} if "evidence" in more else {}),
    )
    shared = toyinputs(grid, scenario=asked, rules=rules, parcels=parcels, offered=offered, **more)
    return _World(shared, parcels)


class _World:
    """Inputs of tiles that also know the shapes of their parcels."""

    def __init__(self, shared, parcels_frame):
        self.shared, self.parcels_frame = shared, parcels_frame

    def __getattr__(self, name):
        return getattr(self.shared, name)


def outlines(found):
    """Outlines of the sites, as the pipeline draws them, in order of their first cell."""
    pieces, groups = found.pieces, found.groups
    anchors = pieces["anchor"].groupby(groups).min().drop(-1, errors="ignore").sort_values()
    number = {site: k + 1 for k, site in enumerate(anchors.index)}
    sites = np.array([number.get(g, 0) for g in groups.tolist()], np.int64)
    drawn = outlined(found.plan, found.store, found.windows, pieces, sites)
    cells = pieces["cells"].groupby(groups).sum()[anchors.index]
    assert [s.area for s in drawn] == (cells * found.plan.grid.resolution**2).tolist()
    return [shapely.to_wkb(s) for s in drawn]


LAKES = """
    . . . . # . . . .
    . . . . # . . . .
    . . # # # # # # .
    . . # . . . . # .
    . . # . . . . # .
    # # # . . . . # .
    . . . # # # # # .
    . . . . . . . . .
"""


def lakeland(unit, **more):
    grid = toygrid(8, 9, **PLACE)
    lakes = points(LAKES, {"#": {}}, **PLACE)
    return grid, world(grid, unit, rule("lake"), layers={"x/lake": lakes}, **more)


# ── patches ───────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("size", [3, 4, 5])
def test_patches_are_the_same_in_any_tiling(tmp_path, size):
    one = joined(tmp_path, *lakeland(PATCH), 9)
    two = joined(tmp_path, *lakeland(PATCH), size)
    assert outlines(one) == outlines(two)
    assert len({*one.groups.tolist()}) == len({*two.groups.tolist()}) == 3
    assert two.left == one.left == {"smaller than min_area": (0, 0.0)}


@pytest.mark.parametrize("size", [3, 9])
def test_patches_that_are_too_small_are_no_sites_but_are_told(tmp_path, size):
    found = joined(tmp_path, *lakeland(PATCH | {"min_area": "14 ha"}), size)
    cells = found.pieces["cells"].groupby(found.groups).sum()
    # The land inside the ring of lakes has 12 cells, the north-west exactly 14.
    assert sorted(cells.drop(-1)) == [14, 25]
    assert found.left == {"smaller than min_area": (1, 12.0)}


@pytest.mark.parametrize("size", [3, 5, 9])
def test_a_patch_that_is_too_large_is_split_the_same_way_in_any_tiling(tmp_path, size):
    unit = PATCH | {"max_area": "16 ha"}
    one, two = (joined(tmp_path / str(s), *lakeland(unit), s) for s in (9, size))
    assert outlines(one) == outlines(two)
    assert two.pieces["cells"].groupby(two.groups).sum().max() <= 16


# ── deposits ──────────────────────────────────────────────────────────────────────────────────
def test_sites_of_deposits_are_the_same_in_any_tiling_and_keep_to_their_parcels(tmp_path):
    grid = toygrid(6, 12, **PLACE)
    land = squares("\n".join(["a a a a a a b b b b b b"] * 6), {"a": {}, "b": {}}, **PLACE)
    left, _, _, top = grid.bounds
    places = [(150, 250), (450, 250), (750, 250), (1150, 550)]
    deposits = [(left + x, top - y, 1.0, 1) for x, y in places]
    inputs = world(
        grid,
        DEPOSIT,
        parcels=land,
        evidence=evidence_section(reach="200 m", kernel="300 m"),
        deposits=deposits,
    )
    found = [joined(tmp_path, grid, inputs, size, deposits) for size in (12, 5, 3)]
    assert outlines(found[0]) == outlines(found[1]) == outlines(found[2])
    pd.testing.assert_frame_equal(found[0].pieces, found[1].pieces)
    pd.testing.assert_frame_equal(found[0].pieces, found[2].pieces)
    parcels = found[0].pieces["parcel"].groupby(found[0].groups)
    assert parcels.nunique().max() == 1
    # Reaches overlap in chains of 300 m; the last deposit is alone, and so is a parcel.
    assert parcels.ngroups == 3


# ── pads ──────────────────────────────────────────────────────────────────────────────────────
def pads(folder, size=9, *rules, unit=PARCEL, lakes=LAKES, **more):
    grid = toygrid(8, 9, **PLACE)
    land = squares("\n".join(["a a a a a b b b b"] * 8), {"a": {}, "b": {}}, **PLACE)
    layers = {"x/lake": points(lakes, {"#": {}}, **PLACE)} | more.pop("layers", {})
    rules = (rule("lake"), *rules)
    inputs = world(grid, unit, *rules, parcels=land, layers=layers, **more)
    return joined(folder, grid, inputs, size)


@pytest.mark.parametrize("size", [3, 4, 9])
def test_pads_are_the_same_in_any_tiling(tmp_path, size):
    poor = rule("poor", {"tier": "avoid", "factor": "0.5", "setback": "200 m"}, layer="x/house")
    house = {"x/house": points(LAKES.replace("#", ".", 19), {"#": {}}, **PLACE)}
    one = pads(tmp_path / "one", 9, poor, layers=house)
    two = pads(tmp_path / "two", size, poor, layers=house)
    pd.testing.assert_frame_equal(one.pieces, two.pieces)
    assert outlines(one) == outlines(two)
    assert one.pieces["cells"].tolist() == [4, 4]
    assert one.pieces["parcel"].tolist() == [1, 2]


def test_a_pad_sums_its_own_cells_and_remembers_its_parcel(tmp_path):
    poor = rule("poor", {"tier": "avoid", "factor": "0.5"}, layer="x/house")
    south = features([shapely.box(*toygrid(4, 9, row=-296, column=-200).bounds)])
    found = pads(tmp_path, 9, poor, layers={"x/house": south})
    first = found.pieces.iloc[0]
    # The best pad lies in the north; half of the candidate land of the parcel does.
    assert first["surface_sum"] == 4 * STEPS
    assert first["parcel_mean"] == 0.75
    assert first["parcel_p90"] == 1
    assert first["against1"] == 0
    kept = found.store.read("pad", found.plan.grid)
    assert (kept == 1).sum() == (kept == 2).sum() == 4


def test_a_parcel_without_a_contiguous_pad_is_no_site_but_is_told(tmp_path):
    unit = PARCEL | {"pad": "17 ha"}
    found = pads(tmp_path, 4, unit=unit)
    assert found.left["no contiguous pad"][0] == 2 - len(found.pieces)
    kept = found.store.read("pad", found.plan.grid)
    assert set(np.unique(kept)) - {0} == {*found.pieces["parcel"].tolist()}


def test_parcels_that_nobody_offers_have_no_pad(tmp_path):
    found = pads(tmp_path, offered=[False, True])
    assert found.pieces["parcel"].tolist() == [2]


# ── regions ───────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("size", [3, 4, 9])
def test_regions_are_the_same_in_any_tiling(tmp_path, size):
    poor = rule("poor", {"tier": "avoid", "factor": "0.5", "setback": "200 m"}, layer="x/house")
    house = {"x/house": points(LAKES.replace("#", ".", 19), {"#": {}}, **PLACE)}
    one = pads(tmp_path / "one", 9, poor, layers=house, unit=REGION)
    two = pads(tmp_path / "two", size, poor, layers=house, unit=REGION)
    pd.testing.assert_frame_equal(one.pieces, two.pieces)
    assert outlines(one) == outlines(two)
    assert one.pieces["cells"].tolist() == [4] * 6
    assert one.pieces["parcel"].tolist() == [1, 1, 1, 2, 2, 2]
    assert one.pieces["compactness"].between(0, 1).all()
    kept = one.store.read("pad", one.plan.grid)
    assert np.bincount(kept.ravel())[1:].tolist() == [4] * 6


def test_regions_keep_apart_and_a_parcel_without_room_is_told(tmp_path):
    apart = pads(tmp_path / "apart", unit=REGION | {"spacing": "300 m"})
    shapes = [shapely.from_wkb(o) for o in outlines(apart)]
    parcel = apart.pieces["parcel"].to_numpy()
    for k, one in enumerate(shapes):
        for j in range(k):
            if parcel[k] == parcel[j]:
                assert one.distance(shapes[j]) >= 300
    large = pads(tmp_path / "large", unit=REGION | {"area": "17 ha"})
    assert large.left["no contiguous region"][0] == 2 - large.pieces["parcel"].nunique()


# ── nothing ───────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("unit", [PATCH, DEPOSIT, PARCEL, REGION], ids=lambda u: u["unit"])
def test_without_a_candidate_there_is_a_table_without_rows(tmp_path, unit):
    grid = toygrid(4, 4, **PLACE)
    # More rules than one plane holds, and all land excluded by the last.
    rules = [rule(f"r{k}", {"tier": "flag"}) for k in range(33)]
    more = {"evidence": evidence_section(), "deposits": [(-19_900, 29_900, 1, 1)]}

    def made(folder, last):
        layers = {"x/last": features([shapely.box(*grid.bounds)])}
        inputs = world(grid, unit, *rules, rule("last", last), layers=layers, **more)
        return joined(folder, grid, inputs, 4, more["deposits"])

    none = made(tmp_path / "none", {"tier": "exclude"})
    some = made(tmp_path / "some", {"tier": "flag"})
    assert none.pieces.empty
    assert len(some.pieces)
    assert {*none.pieces} == {*some.pieces}
    assert len(none.groups) == 0
    assert outlines(none) == []
