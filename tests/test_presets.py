"""The presets say what the tables of defaults say, and name only what exists."""

import re
from importlib import resources

import pandas as pd
import pytest
from pydantic import TypeAdapter

from geosite.catalog import (
    official_layers,
    open_catalog,
    open_rulebook,
    open_scenario,
    preset_names,
)
from geosite.errors import LayerDataError
from geosite.model import Quantity, quantity
from geosite.references import dangling, unfit_layers
from geosite.sources.select import selected
from tests.worlds import cli

Hectares = TypeAdapter(quantity.Hectares)
EVERY = preset_names()
MINES = [name for name in EVERY if name.startswith("mine/")]
FACILITIES = [
    "mine/brine",
    "mine/clay",
    "mine/open-pit",
    "mine/underground",
    "mine/waste",
    "refinery/hydromet",
    "refinery/smelter",
]

OPEN_PIT = {
    "evidence": (35, None, None),
    "water": (15, "6000 acre-ft/yr", "0 acre-ft/yr"),
    "power": (12, "2 km", "60 km"),
    "road": (12, "2 km", "50 km"),
    "buildable_ground": (10, "60 %", "10 %"),
    "legacy_disturbance": (8, None, None),
    "rail": (4, "10 km", "115 km"),
    "labour": (4, "40000 persons", "1000 persons"),
}
HYDROMET = {
    "power": (18, "1 km", "25 km"),
    "water": (14, "2 km", "25 km"),
    "wastewater": (8, "2 km", "25 km"),
    "receiving_water": (4, None, None),
    "rail": (12, "1 km", "35 km"),
    "labour": (10, "300000 persons", "50000 persons"),
    "highway": (8, "2 km", "60 km"),
    "pad": (8, "300 acre", "40 acre"),
    "receptors": (6, "3 km", "0.5 km"),
    "air_attainment": (3, None, None),
    "air_class_one": (3, "100 km", "10 km"),
    "gas": (4, "1 km", "40 km"),
    "industrial_legacy": (2, None, None),
}
UNDERGROUND = {
    "evidence": (45, None, None),
    "power": (15, "2 km", "56 km"),
    "road": (12, "2 km", "50 km"),
    "water": (8, "1200 acre-ft/yr", "0 acre-ft/yr"),
    "legacy_disturbance": (8, None, None),
    # 200 and 50 acres of a disc of 8 km.
    "buildable_ground": (6, "0.4 %", "0.1 %"),
    "rail": (3, "10 km", "115 km"),
    "labour": (3, "40000 persons", "1000 persons"),
}
CLAY = {
    "evidence": (32, None, None),
    "water": (18, "10000 acre-ft/yr", "0 acre-ft/yr"),
    "buildable_ground": (10, "60 %", "10 %"),
    "reagents": (9, "10 km", "115 km"),
    "road": (11, "2 km", "50 km"),
    "power": (10, "2 km", "60 km"),
    "legacy_disturbance": (6, None, None),
    "labour": (4, "40000 persons", "1000 persons"),
}
BRINE = {
    "evidence": (40, None, None),
    "water": (20, "7500 acre-ft/yr", "0 acre-ft/yr"),
    "pond_ground": (12, "80 %", "20 %"),
    "climate": (4, "1500 mm/yr", "500 mm/yr"),
    "reagents": (5, "10 km", "115 km"),
    "road": (8, "2 km", "50 km"),
    "power": (6, "2 km", "60 km"),
    "legacy_disturbance": (2, None, None),
    "labour": (3, "40000 persons", "1000 persons"),
}
WASTE = {
    "evidence": (35, None, None),
    "mapped_waste": (17, None, None),
    "power": (12, "2 km", "60 km"),
    "road": (14, "2 km", "50 km"),
    "water": (8, "1000 acre-ft/yr", "0 acre-ft/yr"),
    "buildable_ground": (4, "30 %", "2 %"),
    "rail": (6, "10 km", "115 km"),
    "labour": (4, "40000 persons", "1000 persons"),
}
SMELTER = {
    "power": (24, "2.5 km", "55 km"),
    "air_attainment": (7, None, None),
    "air_class_one": (7, "100 km", "10 km"),
    "rail": (14, "0.5 km", "22 km"),
    "receptors": (10, "5 km", "0.8 km"),
    "water": (10, None, None),
    "labour": (7, "450000 persons", "35000 persons"),
    "gas": (6, "1 km", "40 km"),
    "port": (6, "5 km", "320 km"),
    "pad": (5, "600 acre", "160 acre"),
    "wastewater": (4, "2 km", "25 km"),
}
TABLES = [BRINE, CLAY, OPEN_PIT, UNDERGROUND, WASTE, HYDROMET, SMELTER]
FOOTPRINTS = {
    "mine/brine": ("2000 acre", "2000 acre"),
    "mine/clay": ("2000 acre", "2000 acre"),
    "mine/open-pit": ("640 acre", "2000 acre"),
    "mine/underground": ("200 acre", "200 acre"),
    "mine/waste": ("40 acre", "150 acre"),
}
"""Smallest site, and what must fit on it."""


@pytest.fixture(scope="module")
def layers():
    return open_catalog(official_layers())


@pytest.fixture(scope="module")
def rulebook():
    return open_rulebook()


def scenarios():
    """Folder of the presets."""
    return resources.files("geosite") / "scenarios"


def readings(scenario):
    return [(c.id, reading) for c in scenario.criteria for reading in c.readings]


def named_layers(scenario, rulebook):
    """Every layer that a run of a scenario would ask for."""
    land = scenario.land
    named = {reading.layer for _, reading in readings(scenario)} | set(land.layers)
    named |= {c.layer for c in land.confirm} | {land.places, land.counties}
    named |= {t.layer for t in land.tenure} | {*land.offices, *land.plans}
    named |= {rule.layer for rule in scenario.own_rules}
    named |= set(scenario.evidence.layers) if scenario.evidence else set()
    for rule in rulebook.rules(scenario):
        named |= {rule.layer, rule.inside}
    return named - {None}


def declared_table(layer):
    """One row of blanks under the fields that a layer declares."""
    number = ("number", "integer")
    return pd.DataFrame(
        {
            name: pd.Series([0.0] if spec.type in number else ["x"])
            for name, spec in layer.fields.items()
        }
    )


def test_seven_presets_come_with_the_package():
    assert preset_names() == FACILITIES


@pytest.mark.parametrize("name", EVERY)
def test_weights_are_percentages(name):
    assert sum(c.weight for c in open_scenario(name).criteria) == pytest.approx(100)


@pytest.mark.parametrize("name", EVERY)
def test_a_preset_can_be_asked_as_it_is(name):
    said = cli("check", name)
    assert said.exit_code == 0, said.output
    assert f"scenario {name}: valid" in said.output


@pytest.mark.parametrize("name", EVERY)
def test_nothing_in_a_preset_goes_without_saying(name):
    scenario = open_scenario(name)
    assert scenario.name == name
    assert all(len(c.basis) > 15 for c in scenario.criteria)
    assert all(s.note for c in scenario.criteria for s in c.stand_ins)
    if scenario.evidence:
        assert "judgement" in scenario.evidence.basis.casefold()
    # What was only remembered is marked in so many words.
    assert "[M]" not in scenario.model_dump_json()


@pytest.mark.parametrize("name", EVERY)
def test_every_reference_resolves(name, layers, rulebook):
    scenario = open_scenario(name)
    assert dangling(scenario, rulebook) == []
    assert named_layers(scenario, rulebook) <= set(layers)
    assert scenario.aoi in rulebook.groups


@pytest.mark.parametrize("name", EVERY)
def test_official_layers_can_answer(name, layers, rulebook):
    assert unfit_layers(open_scenario(name), layers, rulebook) == []


@pytest.mark.parametrize("name", EVERY)
def test_conditions_fit_the_official_fields(name, layers):
    scenario = open_scenario(name)
    asked = [(r.layer, r.where) for _, r in readings(scenario)]
    asked += [(c.layer, c.where) for c in scenario.land.confirm]
    for layer, where in asked:
        if where:
            selected(declared_table(layers[layer]), where, layer)


@pytest.mark.parametrize("name", EVERY)
def test_measures_fit_the_official_layers(name, layers):
    for id_, reading in readings(open_scenario(name)):
        measure = reading.measure
        layer = layers[reading.layer] if reading.layer else None
        if measure.kind == "category":
            known = set(layer.fields[measure.field].codes.values())
            assert set(reading.value.scores) <= known, id_
        elif measure.kind == "value":
            assert (layer.geometry, layer.unit) == ("raster", measure.unit), id_
        elif measure.kind == "sum_within":
            assert layer.geometry == "point", id_
            assert layer.fields[measure.field].type in ("number", "integer"), id_
        elif measure.kind in ("flat_share", "slope"):
            assert (layer.geometry, layer.unit) == ("raster", "m"), id_


@pytest.mark.parametrize("name", EVERY)
def test_protected_owners_come_first(name, rulebook):
    scenario = open_scenario(name)
    owners = [id_.removeprefix("land/").upper() for id_ in scenario.land.layers]
    assert owners == ["TRIBAL", "NPS", "FWS", "DOD", "DOE", "USFS", "BLM"]
    by_law = {a.agency for a in rulebook.authorities.authorities if a.project == scenario.project}
    assert set(scenario.land.offered) <= by_law


@pytest.mark.parametrize(("name", "table"), [*zip(FACILITIES, TABLES, strict=True)])
def test_preset_holds_its_table(name, table):
    criteria = {c.id: c for c in open_scenario(name).criteria}
    assert {id_: c.weight for id_, c in criteria.items()} == {
        id_: weight for id_, (weight, _, _) in table.items()
    }
    for id_, (_, best, worst) in table.items():
        if best:
            value = criteria[id_].value
            assert (value.best, value.worst) == (Quantity.parse(best), Quantity.parse(worst)), id_


@pytest.mark.parametrize("name", MINES)
def test_evidence_gates_a_mine(name):
    scenario = open_scenario(name)
    assert scenario.combination.kind == "evidence_gated"
    assert scenario.sites.unit == ("patch" if name == "mine/brine" else "deposit")
    assert scenario.evidence.reach < scenario.evidence.kernel


@pytest.mark.parametrize("name", MINES)
def test_what_is_known_of_a_deposit_orders_its_evidence(name):
    scenario = open_scenario(name)
    if name == "mine/waste":
        # Waste is what is left of production, and ground that was never dug has none.
        strength = scenario.evidence.class_weights
        order = ["resource", "past_producer", "producer", "unknown", "prospect", "occurrence"]
        assert [strength[c] for c in order] == sorted((strength[c] for c in order), reverse=True)
        return
    strength = scenario.evidence.class_weights
    order = ["plan", "resource", "past_producer", "prospect", "occurrence"]
    assert [strength[c] for c in order] == sorted((strength[c] for c in order), reverse=True)
    assert len({strength[c] for c in order}) == len(order)


@pytest.mark.parametrize("name", MINES)
def test_evidence_reads_nothing_that_a_mine_has_built(name):
    layers = open_scenario(name).evidence.layers
    assert {id_.partition("/")[0] for id_ in layers} == {"minerals"}
    assert "minerals/disturbance" not in layers


@pytest.mark.parametrize("name", MINES)
def test_a_footprint_is_split_into_its_parts(name):
    scenario = open_scenario(name)
    least, whole = (Hectares.validate_python(text) for text in FOOTPRINTS[name])
    assert scenario.sites.min_area == pytest.approx(least)
    assert scenario.footprint_fit.area == pytest.approx(whole)
    assert "judgement" in scenario.footprint_fit.basis.casefold()


def test_clay_brine_and_waste_each_read_records_of_their_own_kind():
    read = {name: set(open_scenario(name).evidence.layers) for name in MINES}
    assert read["mine/open-pit"] == read["mine/underground"]
    kinds = [read[f"mine/{kind}"] for kind in ("brine", "clay", "open-pit", "waste")]
    assert len(set.union(*kinds)) == sum(map(len, kinds))


def test_direct_extraction_differs_from_ponds_as_the_brine_preset_says():
    """The variant is a table in a comment: it must stay a whole of 100, and true of the file."""
    text = (scenarios() / "mine/brine.yaml").read_text(encoding="utf-8")
    rows = re.findall(r"^#   (\w[\w ]*?) +(\d+) +(\d+|-)(?=\s)", text, re.MULTILINE)
    table = {id_: (int(ponds), int(direct.replace("-", "0"))) for id_, ponds, direct in rows}
    weights = {c.id: c.weight for c in open_scenario("mine/brine").criteria}
    assert len(table) == 5
    for id_, (ponds, _) in table.items():
        if id_ in weights:
            assert weights.pop(id_) == ponds
    assert table["the others"][0] == sum(weights.values())
    assert [sum(column) for column in zip(*table.values(), strict=True)] == [100, 100]


def test_a_smelter_keeps_a_floor_to_dwellings(rulebook):
    rules = {r.id: r for r in rulebook.rules(open_scenario("refinery/smelter"))}
    assert rules["smelter-distance"].treatment("refinery").tier == "exclude"


def test_a_record_of_a_claim_says_that_the_waste_may_be_someones():
    (rule,) = open_scenario("mine/waste").own_rules
    assert (rule.layer, rule.mine.tier) == ("land/mining_claims", "flag")


@pytest.mark.parametrize("name", MINES)
def test_slope_never_excludes_a_mine(name, rulebook):
    scenario = open_scenario(name)
    rules = rulebook.rules(scenario)
    slopes = [r.id for r in rules if r.subject.kind == "slope" and r.treatment("mine")]
    assert slopes == []


@pytest.mark.parametrize("name", ["refinery/hydromet", "refinery/smelter"])
def test_power_water_and_wastewater_are_critical(name):
    critical = {c.id for c in open_scenario(name).criteria if c.critical}
    assert critical == {"power", "water", "wastewater"}


def test_a_layer_of_many_readings_stands_in_for_a_missing_one():
    criteria = {c.id: c for c in open_scenario("mine/open-pit").criteria}
    assert [s.layer for s in criteria["road"].stand_ins] == ["infrastructure/freeways"]
    freeway = criteria["road"].stand_ins[0].value
    assert freeway.worst == Quantity.parse("135 km")


def test_official_conditions_name_declared_fields(layers):
    for id_, layer in layers.items():
        if layer.where:
            selected(declared_table(layer), layer.where, id_)


def test_an_undeclared_field_in_a_condition_is_found(layers):
    with pytest.raises(LayerDataError, match="no such column"):
        selected(declared_table(layers["infrastructure/substations"]), "voltage > 1", "here")


def test_a_layer_of_records_never_says_that_nothing_is_there(layers):
    records = [i for i in layers if i.startswith("minerals/") and i != "minerals/disturbance"]
    records += ["land/mining_claims", "environment/critical_habitat", "environment/impaired_waters"]
    assert {layers[i].absence for i in records} == {"not_informative"}


def test_every_layer_file_names_its_schema():
    root = official_layers()
    for file in root.rglob("*.yaml"):
        first = file.read_text(encoding="utf-8").splitlines()[0]
        assert first.startswith("# yaml-language-server: $schema="), file
        assert (file.parent / first.partition("=")[2]).resolve() == root / "layer.schema.json"
