"""Every rule of the rulebook on a world small enough to draw: what it does, and where it is silent.

Each world is on disk, with a catalogue entry of the rule's official layer, and goes through the
plan, the preparation and a tile. Two states share it: the layer speaks for the western one only.
The tables below say by themselves what each rule is to do; nothing in them is read off the rule.
"""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely

from geosite import catalog, constraints, references
from geosite.constraints import EXCLUDED
from geosite.model.rule import Rule, RuleSet
from geosite.planning import plan
from geosite.prepare import prepare
from geosite.tile import tile
from tests.test_inputs import criterion, rising, scenario
from tests.toyworld import ALBERS, picture
from tests.worlds import write_yaml

BOOK = catalog.open_rulebook()
RULES = {rule.id: rule for rules in BOOK.sets.values() for rule in rules.rules}
OFFICIAL = catalog.open_catalog(catalog.official_layers())
ROWS, COLUMNS, BORDER = 9, 20, 17
"""Size of a world [cells], and the first column of the state that the layer does not speak for."""
WEST, SOUTH = -1_800_000.0, 1_700_000.0
"""South-western corner of a world [m]; it lies in Nevada."""
MET, UNMET = (4, 4), (4, 12)
"""Cells of a feature that meets the rule's condition, and of one that does not."""
CELLS = 3.1
"""Cells that a setback spans: what is within it is known to a twentieth."""

TABLE = """
nonattainment | environment/nonattainment | flag | flag
class-one-air | environment/class_one_air | flag, 100 km | flag, 100 km
restricted-airspace | infrastructure/special_use_airspace | flag | avoid 0.8
military-training-routes | infrastructure/military_training_routes | flag, 5 km | avoid 0.9, 5 km
plans-of-operations | land/plans_of_operations | flag | flag
exploration-notices | land/notices | flag | -
solid-mineral-leases | land/non_energy_leases | flag | flag
oil-and-gas-leases | land/oil_gas_leases | flag | flag
geothermal-leases | land/geothermal_leases | flag | flag
rights-of-way | land/rights_of_way | flag | flag
conservation-easements | land/padus_easements | avoid 0.3 | avoid 0.3
gap-status-land | land/padus_fee | avoid 0.4 | avoid 0.4
gap-status-designations | land/padus_designations | avoid 0.4 | avoid 0.4
research-natural-areas | environment/research_natural_areas | avoid 0.3 | avoid 0.2
sagebrush-focal-areas | environment/sagebrush_focal_areas | flag | flag
conservation-opportunity-areas | environment/conservation_opportunity_areas | flag | flag
oklahoma-tribal-areas | land/oklahoma_tribal_areas | flag | flag
tribal-statistical-areas | land/tribal_statistical_areas | flag | flag
historic-landmarks | environment/historic_places | avoid 0.5, 1 km | avoid 0.5, 1 km
historic-places | environment/historic_places | flag, 1 mi | flag, 1 mi
historic-districts | environment/historic_districts | avoid 0.6 | avoid 0.6
sole-source-aquifers-with-federal-money|environment/sole_source_aquifers|mitigate 0.8|avoid 0.5
coastal-barriers-with-federal-money | environment/coastal_barriers | mitigate 0.7 | exclude
strong-shaking | terrain/seismic_hazard | flag | mitigate 0.9
nevada-designated-basins | hydrography/groundwater_basins_nevada | flag | flag
arizona-managed-basins | hydrography/groundwater_basins_arizona | flag | flag
impaired-lakes | environment/impaired_lakes | flag, 2 km | flag, 2 km
holocene-faults | terrain/holocene_faults | - | exclude, 200 ft
hazardous-waste-in-floodplain | environment/flood_zones | - | avoid 0.3
superfund | environment/superfund | flag, 1 km | flag, 1 km
legacy-mine-features | minerals/disturbance | flag, 1 km | -
superfund-boundaries | environment/superfund_boundaries | flag | flag
formerly-used-defense-sites | land/fuds | flag | flag
areas-of-critical-environmental-concern | environment/acec | avoid 0.5 | avoid 0.4
inventoried-roadless | environment/roadless | avoid 0.6 | avoid 0.3
roadless-idaho | environment/roadless_idaho | avoid 0.6 | avoid 0.3
roadless-colorado | environment/roadless_colorado | avoid 0.6 | avoid 0.3
national-forest | land/usfs | flag | avoid 0.3
military-land-not-for-mines | land/dod | exclude | -
foreign-hazardous-material | land/dod | - | flag
military-land-by-lease | land/dod | - | flag
acquired-land | land/acquisitions | flag | -
federal-minerals | land/federal_minerals | flag | flag
withdrawn-from-location | land/withdrawals | exclude | mitigate 0.9
mining-claims | land/mining_claims | flag | flag
segregated-from-location | land/segregations_minerals | avoid 0.3 | flag
withdrawals-pending | land/withdrawals_pending | flag | flag
forest-withdrawals | land/usfs_withdrawals | avoid 0.3 | flag
occupied-buildings | society/receptors | flag, 300 ft | flag, 300 ft
public-roads | infrastructure/roads | flag, 100 ft | flag, 100 ft
coal-leases | land/coal_cases | flag | flag
mineral-materials | land/mineral_materials | flag | flag
solar-energy-zones | land/solar_energy_zones | flag | flag
mines-on-record | minerals/msha_mines | flag, 1 km | flag, 1 km
plans-in-progress | land/blm_plans_in_progress | flag | flag
national-parks | environment/national_parks | exclude | exclude
national-parks-nearby | environment/national_parks | flag, 5 km | flag, 5 km
wilderness | environment/wilderness | exclude | exclude
wilderness-nearby | environment/wilderness | flag, 1 km | flag, 1 km
wilderness-study-areas | environment/wilderness_study_areas | exclude | exclude
wildlife-refuges | environment/wildlife_refuges | exclude | exclude
national-monuments | environment/national_monuments | exclude | avoid 0.2
wild-rivers | environment/wild_scenic_rivers | exclude, 0.25 mi | avoid 0.3, 0.25 mi
scenic-and-recreational-rivers | environment/wild_scenic_rivers | avoid 0.5, 0.25 mi | =
national-trails | environment/national_trails | avoid 0.5, 1 km | avoid 0.5, 1 km
smelter-distance | society/receptors | - | exclude, 0.5 mi
tribal-land | land/tribal | exclude | exclude
tribal-land-nearby | land/tribal | flag, 35 mi | flag, 35 mi
reservations | land/reservations | exclude | exclude
trust-lands | land/trust_lands | exclude | exclude
ceded-lands | land/ceded_lands | flag | flag
critical-habitat | environment/critical_habitat | avoid 0.5 | avoid 0.5
desert-tortoise-areas | environment/desert_tortoise | avoid 0.4 | avoid 0.4
sage-grouse | environment/sage_grouse | avoid 0.6 | avoid 0.5
critical-habitat-lines | environment/critical_habitat_lines | avoid 0.5, 100 m | avoid 0.5, 100 m
critical-habitat-proposed | environment/critical_habitat_proposed | flag | flag
listed-fish-streams | environment/listed_fish_streams | avoid 0.6, 100 m | avoid 0.6, 100 m
big-game-migration | environment/big_game_migration | mitigate 0.9 | mitigate 0.9
wild-horse-areas | environment/wild_horse_areas | flag | flag
montana-cyanide | aoi/states | flag | -
california-backfill | aoi/states | flag | -
open-water | hydrography/lakes | exclude | exclude
wetlands | environment/wetlands | avoid 0.5 | avoid 0.5
streams | hydrography/rivers | flag, 100 ft | flag, 100 ft
floodway | environment/flood_zones | mitigate 0.7 | exclude
flood-one-percent | environment/flood_zones | mitigate 0.8 | avoid 0.4
flood-two-per-mille | environment/flood_zones | - | avoid 0.7
impaired-waters | environment/impaired_waters | flag, 2 km | flag, 2 km
sole-source-aquifers | environment/sole_source_aquifers | mitigate 0.9 | mitigate 0.9
"""
"""Rule, layer, and what it means for a mine and for a plant: tier, factor, setback."""

OPEN_CASE = ({"disposition": "Authorized"}, {"disposition": "Closed"})
MANAGED = (
    {"gap_status": "biodiversity, disturbance suppressed"},
    {"gap_status": "multiple uses, extraction allowed"},
)
FEATURES: dict[str, tuple[dict[str, object], dict[str, object] | None]] = {
    "arizona-managed-basins": ({"name": "Toy Valley AMA"}, {"name": "Toy Valley"}),
    "coal-leases": OPEN_CASE,
    "coastal-barriers-with-federal-money": (
        {"kind": "system unit"},
        {"kind": "otherwise protected area"},
    ),
    "flood-one-percent": ({"zone": "AE"}, {"zone": "X"}),
    "flood-two-per-mille": (
        {"subtype": "0.2 PCT ANNUAL CHANCE FLOOD HAZARD"},
        {"subtype": "FLOODWAY"},
    ),
    "floodway": ({"subtype": "FLOODWAY"}, {"subtype": "0.2 PCT ANNUAL CHANCE FLOOD HAZARD"}),
    "gap-status-designations": MANAGED,
    "gap-status-land": MANAGED,
    "geothermal-leases": OPEN_CASE,
    "hazardous-waste-in-floodplain": ({"zone": "A"}, {"zone": "D"}),
    "historic-landmarks": ({"landmark": "X"}, {"landmark": ""}),
    "mineral-materials": OPEN_CASE,
    "nevada-designated-basins": ({"designated": "yes"}, {"designated": "no"}),
    "exploration-notices": OPEN_CASE,
    "oil-and-gas-leases": OPEN_CASE,
    "plans-of-operations": ({"disposition": None}, {"disposition": "Closed"}),
    "restricted-airspace": ({"kind": "prohibited"}, {"kind": "warning"}),
    "rights-of-way": OPEN_CASE,
    "solar-energy-zones": ({"status": "Developable"}, {"status": "Non-developable"}),
    "solid-mineral-leases": ({"disposition": "Pending"}, {"disposition": "Closed"}),
    "strong-shaking": ({"pga": 0.4}, {"pga": 0.39}),
    "superfund-boundaries": ({"status": "proposed"}, {"status": "deleted"}),
    "wild-rivers": ({"classification": "wild"}, {"classification": "scenic"}),
    # The condition is the layer's own.
    "impaired-lakes": ({"listed": "Y"}, {"listed": "N"}),
    "impaired-waters": ({"listed": "Y"}, {"listed": "N"}),
    "foreign-hazardous-material": ({"country": "usa"}, {"country": "kor"}),
    "military-land-by-lease": ({"country": "usa"}, {"country": "kor"}),
    "military-land-not-for-mines": ({"country": "usa"}, {"country": "kor"}),
    "mining-claims": ({"quality": "30"}, {"quality": "11"}),
    "national-forest": ({"classification": "USDA FOREST SERVICE"}, {"classification": "NON-FS"}),
    "national-monuments": ({"designation": "national monument"}, {"designation": "wilderness"}),
    "occupied-buildings": ({"kind": "Education"}, {"kind": "Commercial"}),
    "open-water": ({"kind": "reservoir"}, {"kind": "playa"}),
    "smelter-distance": ({"kind": "Residential"}, {"kind": "Industrial"}),
    "streams": ({"name": "Toy River"}, {"name": None}),
}
"""Attributes of a feature that the rule is about, and of one that it is not about."""
INSIDE = {
    "arizona-managed-basins": "Arizona",
    "inventoried-roadless": "Westland",
    "nevada-designated-basins": "Nevada",
    "oklahoma-tribal-areas": "Oklahoma",
    "roadless-colorado": "Colorado",
    "roadless-idaho": "Idaho",
}
"""Rules that hold in one state only, or not in the other one."""
EAST = {"inventoried-roadless": "Idaho"}
STATES = {"montana-cyanide": "Montana", "california-backfill": "California"}
"""Rules whose feature is the state itself."""
DRAWN_APART = {
    "installation-edge",
    "sage-grouse-disturbance-cap",
    "sloping-ground",
    "steep-ground",
    "transmission-lines",
}
WITH_MONEY = {"sole-source-aquifers-with-federal-money", "coastal-barriers-with-federal-money"}
SYMBOLS = {"exclude": "X", "avoid": "a", "mitigate": "m", "flag": "f"}


def _rows():
    rows = [[cell.strip() for cell in row.split("|")] for row in TABLE.strip().splitlines()]
    return {
        id_: (layer, {"mine": mine, "refinery": mine if plant == "=" else plant})
        for id_, layer, mine, plant in rows
    }


EXPECTED = _rows()
CASES = [
    pytest.param(id_, project, id=f"{id_}-{project}")
    for id_, (_, means) in EXPECTED.items()
    for project in ("mine", "refinery")
    if means[project] != "-"
]


def meaning(text):
    """A line of the table as a treatment: ``avoid 0.5, 1 km``."""
    said, _, setback = text.partition(", ")
    tier, _, factor = said.partition(" ")
    written = {"tier": tier} | ({"factor": factor} if factor else {})
    return written | ({"setback": setback} if setback else {})


# ── worlds ────────────────────────────────────────────────────────────────────────────────────
def at(cell, size):
    """Bounds of a cell [m]."""
    row, column = cell
    left, bottom = WEST + column * size, SOUTH + (ROWS - 1 - row) * size
    return left, bottom, left + size, bottom + size


def feature(geometry, cell, size):
    """A feature of one cell: most of it, its centre, or a stroke in it."""
    x0, y0, x1, y1 = at(cell, size)
    middle = (y0 + y1) / 2
    if geometry == "polygon":
        edge = size * 0.1
        return shapely.box(x0 + edge, y0 + edge, x1 - edge, y1 - edge)
    if geometry == "point":
        return shapely.Point((x0 + x1) / 2, middle)
    return shapely.LineString([(x0 + size * 0.2, middle), (x1 - size * 0.2, middle)])


def land(top, bottom, left, right, size):
    """A rectangle of whole cells, ends included."""
    west, _, _, north = at((top, left), size)
    _, south, east, _ = at((bottom, right), size)
    return shapely.box(west, south, east, north)


def attributes(layer, given):
    """A value for every declared field, those given and some that mean nothing."""
    blank = {"text": "x", "number": 1.0, "integer": 1, "date": pd.Timestamp(2020, 1, 1)}
    for name, value in given.items():
        codes = set(layer.fields[name].codes.values())
        assert not codes or value in codes or value == "wilderness", (name, value)
    return {name: given.get(name, blank[spec.type]) for name, spec in layer.fields.items()}


def declare(root, layer, *, covered=None, crs="EPSG:5070"):
    """The official entry of a layer, read from one file of this world."""
    written = catalog.load_yaml(catalog.official_layers() / f"{layer.id}.yaml")
    for key in ("union_of", "coverage"):
        written.pop(key, None)
    ending = "tif" if layer.geometry == "raster" else "gpkg"
    file = f"{layer.id.replace('/', '-')}.{ending}"
    written["sources"] = [{"kind": "file", "path": file}]
    written["crs"] = crs
    written["fields"] = {
        name: {"type": spec.type} | ({"unit": spec.unit} if spec.unit else {})
        for name, spec in layer.fields.items()
    }
    if covered:
        written["coverage"] = {"kind": "states", "names": [covered]}
    write_yaml(root / "layers" / f"{layer.id}.yaml", written)
    return root / "data" / file


def write(path, layer, found):
    """Features with their attributes."""
    rows = [attributes(layer, given) | {"geometry": shape} for given, shape in found]
    frame = gpd.GeoDataFrame(rows, geometry="geometry", crs=ALBERS)
    for name, spec in layer.fields.items():
        if spec.type in ("text", "number"):
            frame[name] = frame[name].astype("string" if spec.type == "text" else float)
    frame.to_file(path)


def world(root, size, west="Westland", east="Eastland"):
    """Two states and the land of both, called as asked."""
    (root / "data").mkdir(parents=True)
    states, blm = OFFICIAL["aoi/states"], OFFICIAL["land/blm"]
    right, north = at((0, COLUMNS - 1), size)[2:]
    border = WEST + BORDER * size
    # Wider than the land on all sides, so that only the border between them is one of coverage.
    far = 9 * size
    halves = [
        ({"name": west}, shapely.box(WEST - far, SOUTH - far, border, north + far)),
        ({"name": east}, shapely.box(border, SOUTH - far, right + far, north + far)),
    ]
    write(declare(root, states), states, halves)
    whole = shapely.box(WEST, SOUTH, right, north)
    write(declare(root, blm), blm, [({"manager": "BLM"}, whole)])
    gpd.GeoDataFrame(geometry=[whole], crs=ALBERS).to_file(root / "data" / "aoi.gpkg")


def said(root, rule, project, size, **asked):
    """What a run says of the world by one rule: a symbol a cell, and suitability.

    The score of every cell is one, so suitability is the factor.
    """
    open_land = criterion(
        "open", {"kind": "open_land", "radius": f"{size:.6f} m"}, rising("0 ha", "0.000001 ha")
    )
    question = scenario(
        open_land,
        project=project,
        aoi=str(root / "data" / "aoi.gpkg"),
        grid={"crs": "EPSG:5070", "resolution": f"{size:.6f} m", "origin": [WEST, SOUTH]},
        land={"layers": ["land/blm"], "offered": ["BLM"], "sliver": "0.000001 ha"},
        rules=["one"],
        sites={
            "unit": "patch",
            "threshold": "0",
            "min_area": "0.000001 ha",
            "max_area": "1000000000 ha",
        },
        as_of="2026-10-01",
        **asked,
    )
    book = replace(BOOK, sets={"one": RuleSet(id="one", title="One rule", rules=(rule,))})
    planned = plan(question, catalog.open_catalog(root / "layers"), book, root / "data")
    assert planned.grid.shape == (ROWS, COLUMNS)
    ready = prepare(planned)
    result = tile(ready.inputs, planned.grid)
    (treatment,) = ready.inputs.treatments
    against = constraints.against_bits(result.planes, 0)
    unsure = constraints.unsure_bits(result.planes, 0)
    assert ((result.status == EXCLUDED) == (against & (treatment.tier == "exclude"))).all()
    symbols = np.where(against, SYMBOLS[treatment.tier], np.where(unsure, "?", "."))
    return "\n".join(" ".join(row) for row in symbols), result.suitability, against


def expected(touched, symbol, silent):
    """The picture of a world from which cells are touched and which nobody knows."""
    rows = [
        [symbol if (r, c) in touched else "?" if (r, c) in silent else "." for c in range(COLUMNS)]
        for r in range(ROWS)
    ]
    return "\n".join(" ".join(row) for row in rows)


EVERY = {(r, c) for r in range(ROWS) for c in range(COLUMNS)}


def near(cell, cells):
    """Cells within so many cells of one."""
    return {(r, c) for r, c in EVERY if (r - cell[0]) ** 2 + (c - cell[1]) ** 2 <= cells**2}


# ── every rule ────────────────────────────────────────────────────────────────────────────────
def test_every_rule_has_its_world():
    assert set(EXPECTED) | DRAWN_APART == set(RULES)
    assert not set(EXPECTED) & DRAWN_APART


def test_a_condition_has_a_feature_that_does_not_meet_it():
    filtered = {i for i, r in RULES.items() if r.where and i not in DRAWN_APART}
    assert filtered - set(STATES) <= {i for i, (_, unmet) in FEATURES.items() if unmet}


@pytest.mark.parametrize("id_", sorted(EXPECTED))
def test_a_rule_reads_its_layer_and_means_what_the_table_says(id_):
    layer, means = EXPECTED[id_]
    rule = RULES[id_]
    assert (rule.layer, rule.needs_federal_funding) == (layer, id_ in WITH_MONEY)
    assert rule.inside == ("aoi/states" if id_ in INSIDE else None)
    for project, text in means.items():
        found = rule.treatment(project)
        if text == "-":
            assert found is None
        else:
            like = Rule.model_validate(
                {"id": "a", "title": "a", "layer": "x/a", "authority": "practice"}
                | {"citation": "a", "mine": meaning(text)}
            )
            assert found == like.mine


@pytest.mark.parametrize(("id_", "project"), CASES)
def test_a_rule_touches_its_feature_and_nothing_else(id_, project, tmp_path):
    layer, means = EXPECTED[id_]
    treatment = RULES[id_].treatment(project)
    official = OFFICIAL[layer]
    # A multiple of 1/64 m, so that no cell edge is rounded.
    size = round(treatment.setback / CELLS * 64) / 64 or 100.0
    reach = CELLS if treatment.setback else 0
    met, unmet = FEATURES.get(id_, ({}, None))
    west = INSIDE.get(id_) or STATES.get(id_) or "Westland"
    world(tmp_path, size, west, EAST.get(id_, "Eastland"))
    if id_ in STATES:
        touched, silent = {(r, c) for r, c in EVERY if c < BORDER}, set()
    else:
        found = [(met, feature(official.geometry, MET, size))]
        found += [(unmet, feature(official.geometry, UNMET, size))] if unmet else []
        if id_ in INSIDE:
            found.append((met, feature(official.geometry, (4, BORDER + 1), size)))
        path = declare(tmp_path, official, covered=None if id_ in INSIDE else west)
        write(path, official, found)
        touched = near(MET, reach)
        silent = {(r, c) for r, c in EVERY if c >= BORDER - int(reach)}
        if official.absence == "not_informative":
            silent = EVERY
        if id_ in INSIDE:
            silent = {(r, c) for r, c in silent if c < BORDER}
            silent = silent if official.absence == "not_informative" else set()
    money = {"federal_funding": True} if id_ in WITH_MONEY else {}
    drawn, suited, against = said(tmp_path, RULES[id_], project, size, **money)
    symbol = SYMBOLS[meaning(means[project])["tier"]]
    assert drawn == expected(touched, symbol, silent)
    if symbol == "X":
        assert np.isnan(suited[against]).all()
    else:
        factor = float(meaning(means[project]).get("factor", 1))
        assert suited[against] == pytest.approx(factor)
    assert suited[~against] == pytest.approx(1)


@pytest.mark.parametrize("id_", sorted(WITH_MONEY))
def test_without_federal_money_its_rules_are_not_asked(id_, tmp_path):
    world(tmp_path, 100.0)
    official = OFFICIAL[RULES[id_].layer]
    write(declare(tmp_path, official), official, [({}, feature("polygon", MET, 100.0))])
    book = replace(BOOK, sets={"one": RuleSet(id="one", title="One", rules=(RULES[id_],))})
    question = scenario(rules=["one"], aoi=str(tmp_path / "data" / "aoi.gpkg"))
    found = plan(question, catalog.open_catalog(tmp_path / "layers"), book, tmp_path / "data")
    assert found.rules == ()
    assert list(found.not_asked) == [id_]


# ── ground, lines, boundaries, caps ───────────────────────────────────────────────────────────
def test_steep_and_sloping_ground(tmp_path):
    size = 100.0
    world(tmp_path, size)
    layer = OFFICIAL["terrain/elevation"]
    path = declare(tmp_path, layer)
    # Flat, then a rise of 8 %, then one of 20 %: 4 % and 14 % where they meet.
    rise = np.cumsum(np.repeat([0.0, 8.0, 20.0], [9, 8, 5]))
    heights = np.tile(rise, (ROWS + 2, 1)).astype("float32")
    corner = rasterio.transform.from_origin(WEST - size, SOUTH + (ROWS + 1) * size, size, size)
    with rasterio.open(
        path, "w", driver="GTiff", height=ROWS + 2, width=COLUMNS + 2, count=1, dtype="float32",
        crs="EPSG:5070", transform=corner, nodata=-9999,
    ) as file:  # fmt: skip
        file.write(heights, 1)
    drawn = {
        id_: said(tmp_path, RULES[id_], "refinery", size)[0].splitlines()[4]
        for id_ in ("steep-ground", "sloping-ground")
    }
    assert drawn["sloping-ground"] == ". . . . . . . . m m m m m m m m m m m m"
    assert drawn["steep-ground"] == ". . . . . . . . . . . . . . . X X X X X"
    assert (RULES["steep-ground"].mine, RULES["sloping-ground"].mine) == (None, None)


@pytest.mark.parametrize(("project", "symbol"), [("mine", "f"), ("refinery", "m")])
@pytest.mark.parametrize(
    ("kv", "feet"), [(None, 50), (69, 50), (100, 75), (138, 75), (345, 100), (765, 125)]
)
def test_a_line_of_a_higher_voltage_has_a_wider_right_of_way(kv, feet, project, symbol, tmp_path):
    size = round(feet * 0.3048 / CELLS * 64) / 64
    world(tmp_path, size)
    layer = OFFICIAL["infrastructure/transmission"]
    lines = [({"kv": kv, "status": "IN SERVICE"}, feature("line", MET, size))]
    lines += [({"kv": kv, "status": "INACTIVE"}, feature("line", UNMET, size))]
    write(declare(tmp_path, layer, covered="Westland"), layer, lines)
    drawn, suited, against = said(tmp_path, RULES["transmission-lines"], project, size)
    # Where the layer is silent a line of the highest voltage may stand.
    widest = int(125 * 0.3048 / size)
    silent = {(r, c) for r, c in EVERY if c >= BORDER - widest}
    if kv is None:
        # So may this one be.
        silent |= near(MET, 125 * 0.3048 / size)
    assert drawn == expected(near(MET, CELLS), symbol, silent)
    assert suited[against] == pytest.approx(0.9 if project == "refinery" else 1)


def test_the_edge_of_an_installation_is_kept_on_its_inner_side(tmp_path):
    size = 83.0  # 100 m are 1.2 cells
    world(tmp_path, size)
    layer = OFFICIAL["land/dod"]

    # Three quarters of each cell along its edge.
    base = ({"country": "usa"}, land(1, 7, 2, 11, size).buffer(-size / 4, join_style="mitre"))
    abroad = ({"country": "kor"}, land(2, 6, 14, 18, size).buffer(-size / 4, join_style="mitre"))
    write(declare(tmp_path, layer), layer, [base, abroad])
    drawn, suited, against = said(tmp_path, RULES["installation-edge"], "refinery", size)
    assert drawn == picture("""
        . . . . . . . . . . . . . . . . . . . .
        . . m m m m m m m m m m . . . . . . . .
        . . m m m m m m m m m m . . . . . . . .
        . . m m . . . . . . m m . . . . . . . .
        . . m m . . . . . . m m . . . . . . . .
        . . m m . . . . . . m m . . . . . . . .
        . . m m m m m m m m m m . . . . . . . .
        . . m m m m m m m m m m . . . . . . . .
        . . . . . . . . . . . . . . . . . . . .
    """)
    assert suited[against] == pytest.approx(0.9)
    assert RULES["installation-edge"].mine is None


@pytest.mark.parametrize(("project", "symbol"), [("mine", "f"), ("refinery", "a")])
def test_sage_grouse_habitat_is_over_its_cap_by_what_is_shown(project, symbol, tmp_path):
    size = 100.0
    world(tmp_path, size)
    habitat, shown = OFFICIAL["environment/sage_grouse"], OFFICIAL["minerals/disturbance_areas"]

    areas = [({"unit": "A"}, land(1, 7, 1, 6, size)), ({"unit": "B"}, land(1, 7, 9, 14, size))]
    write(declare(tmp_path, habitat), habitat, areas)
    # Of 42 cells two are 4.8 %, one is 2.4 %; what is not shown may make it more than 3 %.
    pits = [({}, land(2, 2, 2, 3, size)), ({}, land(2, 2, 10, 10, size))]
    write(declare(tmp_path, shown), shown, pits)
    rule = RULES["sage-grouse-disturbance-cap"]
    drawn, suited, against = said(tmp_path, rule, project, size, footprint="0.01 ha")
    cells = {(r, c) for r, c in EVERY if 1 <= r <= 7}
    over = {(r, c) for r, c in cells if 1 <= c <= 6}
    doubtful = {(r, c) for r, c in cells if 9 <= c <= 14}
    assert drawn == expected(over, symbol, doubtful)
    assert suited[against] == pytest.approx(0.3 if project == "refinery" else 1)
    assert rule.subject.cap.value == 3


# ── the snapshot catalogue ────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("name", ["mine/open-pit", "refinery/hydromet"])
def test_what_the_snapshot_catalogue_holds_can_answer_the_rules(name, root):
    layers = catalog.open_catalog(root / "tests/snapshot/layers")
    assert references.unfit_layers(catalog.open_scenario(name), layers, BOOK) == []
    for id_ in ("environment/listed_fish_streams", "environment/big_game_migration"):
        assert layers[id_].absence == "not_informative"
