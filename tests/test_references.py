"""What a scenario names or decides, against what the catalogue and the rulebook hold."""

# ruff: noqa: F811 -- fixtures of the catalogue's tests are arguments here

import pytest

from geosite import catalog, references
from geosite.model import Scenario
from tests.test_catalog import (  # noqa: F401 -- two of them are fixtures
    LAYER_FILE,
    RULE,
    asking,
    layers,
    rulebook,
)
from tests.test_model import CRITERION, EVIDENCE, RASTER, SCENARIO, changed


@pytest.mark.parametrize(
    ("path", "value", "what"),
    [
        ("rules", ["state"], "rules: there is no rule set 'state'; there are federal"),
        ("commodities", ["mithril"], "commodities: there is no commodity 'mithril'"),
        ("commodities", "eo1", "commodities: 'eo1' is not a list; write critical2022"),
    ],
)
def test_references_to_nothing_are_told(rulebook, layers, path, value, what):
    book = catalog.open_rulebook(rulebook(federal=[RULE]))
    good = Scenario.model_validate({**SCENARIO, "commodities": ["lithium"]})
    wrong = Scenario.model_validate(changed({**SCENARIO, "commodities": ["lithium"]}, path, value))
    assert references.dangling(good, book) == []
    (said,) = references.dangling(wrong, book)
    assert said.startswith(what)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (["litium"], "there is no commodity 'litium'; the nearest are lithium"),
        (["rare-earth"], "there is no commodity 'rare-earth'; the nearest are rare-earths"),
        (["columbium"], "there is no commodity 'columbium'; the nearest are niobium"),
        (["unobtainium"], "there is no commodity 'unobtainium'; no name is near it"),
        ("lithium", "'lithium' is not a list (the commodity is written [lithium]); write"),
        ("nedc", "the list nedc names no commodity as yet"),
    ],
)
def test_a_commodity_that_is_not_there_has_its_nearest_names(wanted, said):
    asks = Scenario.model_validate({**SCENARIO, "commodities": wanted, "rules": []})
    (told,) = references.dangling(asks, catalog.open_rulebook())
    assert told.startswith(f"commodities: {said}")


# ── whether layers fit what they are asked ──────────────────────────────────────────────────


YES_NO = {"kind": "categorical", "scores": {"yes": "1", "no": "0"}}
RISING = {"kind": "increasing", "worst": "0 %", "best": "9 %"}
FILES = {
    "rail": {"fields": {"name": {}, "kv": {"type": "number"}}},
    "land": {"geometry": "polygon", "owner": "DOD", "fields": {"name": {}}},
    "part": {"geometry": "polygon", "absence": "not_informative"},
    "towns": {"geometry": "point", "fields": {"name": {}, "population": {"type": "integer"}}},
    "bare": {"geometry": "point"},
    "heights": {**RASTER, "id": None},
    "feet": {**RASTER, "id": None, "unit": "ft"},
    "water": {**RASTER, "id": None, "unit": "mm/yr"},
}


@pytest.fixture
def unfit(layers, rulebook):
    """Faults of a scenario, given its changes; ``rule={…}`` changes the only rule."""
    known = {n: {k: v for k, v in (LAYER_FILE | f).items() if v} for n, f in FILES.items()}
    root = layers(**known)

    def said(rule=None, **changes):
        spec = {**RULE, "layer": "x/land", **(rule or {})}
        book = catalog.open_rulebook(rulebook(federal=[spec]))
        scenario = {
            **SCENARIO,
            "land": {"layers": ["x/land"], "offered": ["DOD"], **changes.pop("land", {})},
            "criteria": [{**CRITERION, "layer": "x/rail", **changes.pop("criterion", {})}],
            **changes,
        }
        found = Scenario.model_validate(scenario)
        return references.unfit_layers(found, catalog.open_catalog(root), book)

    return said


def test_layers_that_fit_are_not_told(unfit):
    flat = {"kind": "flat_share", "radius": "1 km", "slope": "5 %"}
    assert unfit() == []
    assert unfit(criterion={"where": "kv >= 115 AND lower(name) LIKE 'a%'"}) == []
    assert unfit(criterion={"measure": flat, "layer": "x/heights", "value": RISING}) == []
    assert unfit(rule={"where": "owner = 'DOD'", "inside": "x/land"}) == []
    assert unfit(land={"places": "x/towns", "counties": "x/land"}) == []


@pytest.mark.parametrize(
    ("criterion", "what"),
    [
        (
            {"layer": "x/feet", "measure": {"kind": "slope"}, "value": RISING},
            "slope: layer x/feet declares unit 'ft', expected unit: m",
        ),
        (
            {
                "layer": "x/water",
                "measure": {"kind": "flat_share", "radius": "1 km", "slope": "5 %"},
                "value": RISING,
            },
            "flat_share: layer x/water declares unit 'mm/yr', expected unit: m",
        ),
        (
            {"layer": "x/water", "measure": {"kind": "value", "unit": "%"}, "value": RISING},
            "measure.unit: layer x/water declares unit 'mm/yr', expected unit: %",
        ),
        (
            {
                "layer": "x/towns",
                "measure": {"kind": "sum_within", "field": "people", "radius": "1 km", "unit": "%"},
                "value": RISING,
            },
            "measure.field: layer x/towns has no field 'people'; it has name, population",
        ),
        (
            {"measure": {"kind": "nearby", "within": "0 m"}, "value": YES_NO},
            "measure.within: 0 m of the lines of layer x/rail",
        ),
        (
            {"where": "volts > 1"},
            "where: 'volts > 1' is no condition on layer x/rail: no such column: volts; ",
        ),
        ({"where": "kv >"}, "where: 'kv >' is no condition on layer x/rail: "),
        ({"where": "kv > 1); DROP TABLE features; ("}, "where: 'kv > 1); DROP"),
        ({"where": "kv > ?"}, "where: 'kv > ?' is no condition"),
        ({"layer": "x/heights"}, "distance: layer x/heights is a raster, expected point or line"),
    ],
)
def test_a_criterion_that_its_layer_cannot_answer_is_told(unfit, criterion, what):
    (line,) = unfit(criterion=criterion)
    assert line.startswith(f"criterion rail: {what}")


def test_a_stand_in_has_to_fit_as_well(unfit):
    same = {key: CRITERION[key] for key in ("measure", "value")}
    stand_in = {"layer": "x/rail", "where": "volts > 1", **same}
    (line,) = unfit(criterion={"stand_ins": [stand_in]})
    assert line.startswith("criterion rail: where: 'volts > 1'")


def test_only_declared_fields_can_be_checked(unfit):
    assert unfit(criterion={"layer": "x/bare", "where": "anything = 1"}) == []


def test_a_place_may_be_asked_to_lie_on_a_polygon(unfit):
    on = {"layer": "x/land", "measure": {"kind": "nearby", "within": "0 m"}, "value": YES_NO}
    assert unfit(criterion=on) == []


@pytest.mark.parametrize(
    ("rule", "what"),
    [
        ({"layer": "x/heights"}, "subject.kind presence: layer x/heights is a raster"),
        ({"subject": {"kind": "value", "at_least": "1"}}, "subject.kind value: layer x/land is a"),
        ({"subject": {"kind": "category", "codes": ["1"]}}, "subject.kind category: layer x/land"),
        ({"subject": {"kind": "slope", "above": "5 %"}}, "subject.kind slope: layer x/land is a"),
        (
            {"layer": "x/feet", "subject": {"kind": "slope", "above": "5 %"}},
            "subject.kind slope: layer x/feet declares unit 'ft', expected unit: m",
        ),
        ({"where": "zone = 'A'"}, "where: \"zone = 'A'\" is no condition on layer x/land"),
        ({"inside": "x/rail"}, "inside: layer x/rail is a line, expected polygon"),
        ({"inside": "x/part"}, "inside: layer x/part is not_informative"),
    ],
)
def test_a_rule_that_its_layers_cannot_answer_is_told(unfit, rule, what):
    (line,) = unfit(rule=rule)
    assert line.startswith(f"rule wilderness: {what}")


@pytest.mark.parametrize(
    ("land", "what"),
    [
        ({"layers": ["x/rail"]}, "land.layers: layer x/rail is a line, expected polygon"),
        ({"places": "x/land"}, "land.places: layer x/land is a polygon, expected point"),
        ({"counties": "x/towns"}, "land.counties: layer x/towns is a point, expected polygon"),
        (
            {"confirm": [{"agency": "DOD", "layer": "x/land", "within": "1 km"}]},
            "land.confirm: layer x/land is a polygon, expected point",
        ),
        (
            {"confirm": [{"agency": "DOD", "layer": "x/towns", "within": "1 km", "where": "a=1"}]},
            "land.confirm: where: 'a=1' is no condition on layer x/towns",
        ),
    ],
)
def test_land_that_its_layers_cannot_show_is_told(unfit, land, what):
    (line,) = unfit(land=land)
    assert line.startswith(what)


def test_evidence_is_read_from_points(unfit):
    (line,) = unfit(evidence={**EVIDENCE, "layers": ["x/land"]})
    assert line == "evidence.layers: layer x/land is a polygon, expected point"
