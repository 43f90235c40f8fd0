"""The presets say what the tables of defaults say, and name only what exists."""

from pathlib import Path

import pandas as pd
import pytest

from geosite.catalog import (
    official_layers,
    open_catalog,
    open_rulebook,
    open_scenario,
    preset_names,
)
from geosite.errors import LayerDataError
from geosite.model import Quantity
from geosite.references import dangling, unfit_layers
from geosite.sources.select import selected

HELD = sorted(p.stem for p in (Path(__file__).parent / "presets").glob("*.yaml"))
EVERY = [*preset_names(), *HELD]

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


@pytest.fixture(scope="module")
def layers():
    return open_catalog(official_layers())


@pytest.fixture(scope="module")
def rulebook():
    return open_rulebook()


def opened(name):
    """A preset of the package, or one that is only held by the model."""
    held = Path(__file__).parent / "presets" / f"{name}.yaml"
    return open_scenario(str(held) if held.is_file() else name)


def readings(scenario):
    return [(c.id, reading) for c in scenario.criteria for reading in c.readings]


def named_layers(scenario, rulebook):
    """Every layer that a run of a scenario would ask for."""
    land = scenario.land
    named = {reading.layer for _, reading in readings(scenario)} | set(land.layers)
    named |= {c.layer for c in land.confirm} | {land.places, land.counties}
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


def test_the_two_presets_come_with_the_package():
    assert preset_names() == ["mine/open-pit", "refinery/hydromet"]
    assert HELD == ["brine", "clay", "smelter", "underground"]


@pytest.mark.parametrize("name", EVERY)
def test_weights_are_percentages(name):
    assert sum(c.weight for c in opened(name).criteria) == pytest.approx(100)


@pytest.mark.parametrize("name", EVERY)
def test_every_reference_resolves(name, layers, rulebook):
    scenario = opened(name)
    assert dangling(scenario, rulebook) == []
    assert named_layers(scenario, rulebook) <= set(layers)
    assert scenario.aoi in rulebook.groups


@pytest.mark.parametrize("name", EVERY)
def test_official_layers_can_answer(name, layers, rulebook):
    assert unfit_layers(opened(name), layers, rulebook) == []


@pytest.mark.parametrize("name", EVERY)
def test_conditions_fit_the_official_fields(name, layers):
    scenario = opened(name)
    asked = [(r.layer, r.where) for _, r in readings(scenario)]
    asked += [(c.layer, c.where) for c in scenario.land.confirm]
    for layer, where in asked:
        if where:
            selected(declared_table(layers[layer]), where, layer)


@pytest.mark.parametrize("name", EVERY)
def test_measures_fit_the_official_layers(name, layers):
    for id_, reading in readings(opened(name)):
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
    scenario = opened(name)
    owners = [id_.removeprefix("land/").upper() for id_ in scenario.land.layers]
    assert owners == ["TRIBAL", "NPS", "FWS", "DOD", "DOE", "USFS", "BLM"]
    by_law = {a.agency for a in rulebook.authorities.authorities if a.project == scenario.project}
    assert set(scenario.land.offered) <= by_law


@pytest.mark.parametrize(
    ("name", "table"), [("mine/open-pit", OPEN_PIT), ("refinery/hydromet", HYDROMET)]
)
def test_preset_holds_its_table(name, table):
    criteria = {c.id: c for c in open_scenario(name).criteria}
    assert {id_: c.weight for id_, c in criteria.items()} == {
        id_: weight for id_, (weight, _, _) in table.items()
    }
    for id_, (_, best, worst) in table.items():
        if best:
            value = criteria[id_].value
            assert (value.best, value.worst) == (Quantity.parse(best), Quantity.parse(worst)), id_


def test_evidence_gates_a_mine():
    scenario = open_scenario("mine/open-pit")
    assert scenario.combination.kind == "evidence_gated"
    assert scenario.sites.unit == "deposit"
    assert (scenario.evidence.reach, scenario.evidence.kernel) == (2000, 5000)
    strength = scenario.evidence.class_weights
    order = ["plan", "resource", "past_producer", "prospect", "occurrence"]
    assert [strength[c] for c in order] == sorted((strength[c] for c in order), reverse=True)
    assert len({strength[c] for c in order}) == len(order)


def test_evidence_reads_nothing_that_a_mine_has_built():
    layers = open_scenario("mine/open-pit").evidence.layers
    assert {id_.partition("/")[0] for id_ in layers} == {"minerals"}
    assert "minerals/disturbance" not in layers


def test_slope_never_excludes_a_mine(rulebook):
    scenario = open_scenario("mine/open-pit")
    rules = rulebook.rules(scenario)
    slopes = [r.id for r in rules if r.subject.kind == "slope" and r.treatment("mine")]
    assert slopes == []


def test_power_water_and_wastewater_are_critical():
    critical = {c.id for c in open_scenario("refinery/hydromet").criteria if c.critical}
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
