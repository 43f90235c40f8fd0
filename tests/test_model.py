import copy
import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from geosite.model import Criterion, Layer, Metres, Quantity, Rule, Scenario
from geosite.model.quantity import UNITS, parse
from geosite.model.rule import Value
from geosite.model.scenario import Evidence, Tiers
from geosite.model.siting import DepositUnit, PatchUnit
from geosite.model.source import ServiceSource
from geosite.model.value import ValueFunction
from tests import strategies

LAYER = {
    "id": "infrastructure/rail",
    "title": "Rail",
    "agency": "Somebody",
    "purpose": "A test.",
    "geometry": "line",
    "crs": "EPSG:4326",
    "sources": [{"kind": "file", "path": "rail.gpkg"}],
    "absence": "informative",
    "vintage": "2024",
    "status": "synthetic",
    "licence": "none",
    "citation": "none",
}
CRITERION = {
    "id": "rail",
    "title": "Rail access",
    "layer": "infrastructure/rail",
    "measure": {"kind": "distance"},
    "value": {"kind": "decreasing", "best": "2 km", "worst": "60 km"},
    "weight": "3",
    "basis": "for a test only",
}
SCENARIO = {
    "name": "test",
    "title": "A test",
    "project": "refinery",
    "aoi": "Nevada",
    "grid": {"crs": "EPSG:5070", "resolution": "250 m"},
    "land": {"layers": ["land/dod"], "offered": ["DOD"]},
    "rules": ["federal"],
    "criteria": [CRITERION],
    "combination": {"kind": "weighted_sum"},
    "missing": "unknown",
    "sites": {"unit": "parcel", "pad": "100 acre", "max_parcel": "20000 km2"},
    "tiers": {"a": "0.7", "b": "0.5"},
}
EVIDENCE = {
    "layers": ["minerals/usmin"],
    "reach": "2 km",
    "kernel": "5 km",
    "class_weights": {
        "reserve": "1",
        "resource": "1",
        "plan": "1",
        "producer": "1",
        "past_producer": "1",
        "prospect": "0.5",
        "occurrence": "0.2",
        "unknown": "0",
    },
    "quality_weights": {"A": "1", "B": "1", "C": "1", "D": "0", "E": "0"},
    "basis": "for a test only",
}
RASTER = {
    **LAYER,
    "id": "terrain/elevation",
    "geometry": "raster",
    "unit": "m",
    "coverage": {"kind": "valid_cells"},
}


def changed(spec, path, value):
    """A spec with one key (``a.b.0.c``) changed, or taken out if the value is None."""
    new = copy.deepcopy(spec)
    *way, last = [int(p) if p.isdigit() else p for p in path.split(".")]
    node = new
    for step in way:
        node = node[step]
    if value is None:
        del node[last]
    else:
        node[last] = value
    return new


def complaints(model, spec):
    """``{where: message}`` of every fault; where leaves out the tags of unions."""
    with pytest.raises(ValidationError) as caught:
        model.model_validate(spec)
    return {".".join(map(str, e["loc"])): e["msg"] for e in caught.value.errors()}


# ── quantities ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("2 km", "m", 2000.0),
        ("300 ft", "m", 91.44),
        ("1 mi", "m", 1609.344),
        ("1,500 m", "m", 1500.0),
        ("  5   km ", "m", 5000.0),
        ("100 acre", "ha", 40.468564224),
        ("25 km2", "ha", 2500.0),
        ("60 %", "%", 60.0),
        ("1e3 m", "m", 1000.0),
    ],
)
def test_text_becomes_the_base_unit(text, unit, value):
    assert parse(text, unit) == pytest.approx(value, rel=1e-12)
    assert Quantity.parse(text) == Quantity(parse(text, unit), unit)


@pytest.mark.parametrize(
    "text", ["90", "90 acre", "90 metres", "m", "", "nan m", "inf km", "1e306 km", "ten m"]
)
def test_a_length_without_a_unit_or_a_number_is_refused(text):
    with pytest.raises(ValueError, match=r"is not in|does not begin|is not finite"):
        parse(text, "m")


def test_an_unknown_unit_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"'furlong' is not one of m, km, ft, mi"):
        Quantity.parse("3 furlong")


@given(st.sampled_from(sorted(UNITS)), st.integers(0, 10**6))
def test_a_quantity_written_and_read_again_is_itself(symbol, number):
    first = Quantity.parse(f"{number} {symbol}".strip())
    again = Quantity.parse(str(first))
    assert again == first


def test_equal_quantities_hash_alike_whatever_they_were_written_in():
    assert len({Quantity.parse("2 km"), Quantity.parse("2000 m")}) == 1
    assert Quantity.parse("2 km") != Quantity.parse("2000")


@pytest.mark.parametrize("text", ["nan %", "inf km", "1e306 km"])
def test_a_quantity_that_is_not_finite_is_refused(text):
    with pytest.raises(ValueError, match="is not finite"):
        Quantity.parse(text)


def test_a_negative_length_is_refused():
    with pytest.raises(ValidationError, match="greater than or equal to 0"):
        TypeAdapter(Metres).validate_python("-5 m")


def test_a_length_is_written_with_its_unit():
    assert TypeAdapter(Metres).dump_json(2500.0) == b'"2500 m"'


# ── every spec ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("model", "spec"), [(Layer, LAYER), (Criterion, CRITERION), (Scenario, SCENARIO)]
)
def test_a_valid_spec_is_frozen_and_survives_json(model, spec):
    one = model.model_validate(spec)
    assert model.model_validate_json(one.model_dump_json(by_alias=True)) == one
    with pytest.raises(ValidationError, match="frozen"):
        one.title = "other"


@pytest.mark.parametrize(
    ("model", "spec"), [(Layer, LAYER), (Criterion, CRITERION), (Scenario, SCENARIO)]
)
def test_every_required_key_is_missed_by_name(model, spec):
    required = [n for n, f in model.model_fields.items() if f.is_required() and n in spec]
    assert required
    for name in required:
        assert complaints(model, changed(spec, name, None))[name] == "Field required"


@given(strategies.rules(tiers=("exclude", "require", "avoid", "mitigate", "flag", "include")))
def test_any_rule_survives_json(chosen):
    for rule in chosen:
        assert Rule.model_validate_json(rule.model_dump_json()) == rule


@pytest.mark.parametrize("number", ["inf", "-inf", "nan"])
@pytest.mark.parametrize(
    ("model", "spec", "path"),
    [
        (Criterion, CRITERION, "weight"),
        (Scenario, SCENARIO, "tiers.a"),
        (Scenario, SCENARIO, "tiers.known"),
        (Evidence, EVIDENCE, "class_weights.plan"),
        (Evidence, EVIDENCE, "quality_weights.A"),
        (Value, {"kind": "value", "at_most": "1"}, "at_most"),
    ],
)
def test_a_number_that_is_not_finite_is_refused_by_its_key(model, spec, path, number):
    said = complaints(model, changed(spec, path, number))
    assert path in said
    assert re.search(r"finite|greater|less", said[path])


def test_every_fault_is_reported_at_once():
    wrong = changed(SCENARIO, "grid.resolution", "90")
    wrong = changed(wrong, "criteria", [{**CRITERION, "weight": "0"}, {**CRITERION, "id": "road"}])
    wrong = changed(wrong, "project", "quarry")
    wrong["colour"] = "red"
    found = complaints(Scenario, wrong)
    assert set(found) == {"grid.resolution", "criteria.0.weight", "project", "colour"}
    assert "'90' is not in m, km, ft or mi" in found["grid.resolution"]
    assert found["colour"] == "Extra inputs are not permitted"


# ── layers ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("path", "value", "where", "what"),
    [
        ("colour", "red", "colour", "Extra inputs"),
        ("sources.0.colour", "red", "sources.0.file.colour", "Extra inputs"),
        ("sources.0.kind", "ftp", "sources.0", "'ftp' found using 'kind'"),
        ("sources", [], "", "either sources or union_of"),
        ("union_of", ["a/b"], "", "either sources or union_of"),
        ("crs", None, "", "declare the CRS"),
        ("coverage", {"kind": "valid_cells"}, "", "rasters only"),
        ("coverage", {"kind": "states", "names": []}, "coverage.states.names", "at least 1"),
        ("id", "Rail", "id", "match pattern"),
        ("id", "rail", "id", "match pattern"),
        ("absence", "maybe", "absence", "'informative' or 'not_informative'"),
        ("title", "  ", "title", "at least 1 character"),
    ],
)
def test_a_wrong_layer_is_told_what_is_wrong(path, value, where, what):
    assert what in complaints(Layer, changed(LAYER, path, value))[where]


BOX = {"kind": "box", "west": "-118", "south": "38", "east": "-117", "north": "39"}


@pytest.mark.parametrize(
    ("path", "value", "where", "what"),
    [
        ("west", "-116", "coverage.box", "west -116 must be less than east -117"),
        ("west", "-117", "coverage.box", "west -117 must be less than east -117"),
        ("north", "37", "coverage.box", "south 38 must be less than north 37"),
        ("west", "-181", "coverage.box.west", "greater than or equal to -180"),
        ("east", "181", "coverage.box.east", "less than or equal to 180"),
        ("south", "-91", "coverage.box.south", "greater than or equal to -90"),
        ("north", "91", "coverage.box.north", "less than or equal to 90"),
        ("north", "nan", "coverage.box.north", "finite"),
    ],
)
def test_a_box_that_is_none_is_refused(path, value, where, what):
    assert Layer.model_validate({**LAYER, "coverage": BOX}).coverage.east == -117
    wrong = {**LAYER, "coverage": changed(BOX, path, value)}
    assert what in complaints(Layer, wrong)[where]


@pytest.mark.parametrize(
    "coverage", [BOX, {"kind": "states", "names": ["Utah"]}, {"kind": "inside", "layer": "a/b"}]
)
def test_a_raster_is_silent_where_its_cells_are_and_nowhere_else(coverage):
    assert Layer.model_validate(RASTER).unit == "m"
    said = complaints(Layer, {**RASTER, "coverage": coverage})[""]
    assert f"coverage: {coverage['kind']} is not for rasters" in said


def test_a_union_needs_no_crs_of_its_own():
    spec = changed(changed(LAYER, "sources", None), "crs", None)
    assert Layer.model_validate({**spec, "union_of": ["a/b", "a/c"]}).union_of == ("a/b", "a/c")


def test_a_field_is_read_from_another_name():
    spec = {**LAYER, "fields": {"name": {"from": "RROWNER1", "codes": {"1": "one"}}}}
    field = Layer.model_validate(spec).fields["name"]
    assert (field.from_, field.type) == ("RROWNER1", "text")


# ── rules ───────────────────────────────────────────────────────────────────────────────────


def test_a_rule_for_no_facility_is_refused():
    spec = strategies.rule("a").model_dump(exclude={"mine"})
    with pytest.raises(ValidationError, match="say what the rule means"):
        Rule.model_validate(spec)


def test_a_rule_is_about_the_facilities_it_names():
    rule = strategies.rule("a", {"tier": "avoid", "factor": "0.4", "setback": "1 km"})
    assert rule.treatment("mine").setback == 1000
    assert rule.treatment("refinery") is None


@pytest.mark.parametrize(
    ("treatment", "what"),
    [
        ({"tier": "forbid"}, "does not match any of the expected tags"),
        ({"tier": "avoid", "factor": "1"}, "less than 1"),
        ({"tier": "avoid"}, "Field required"),
        ({"tier": "mitigate", "factor": "0"}, "greater than 0"),
        ({"tier": "exclude", "setback": "300"}, "is not in m, km, ft or mi"),
        ({"tier": "exclude", "within": "300 m"}, "Extra inputs"),
    ],
)
def test_a_wrong_treatment_is_told_what_is_wrong(treatment, what):
    with pytest.raises(ValidationError, match=what):
        strategies.rule("a", treatment)


@pytest.mark.parametrize(
    ("subject", "where", "what"),
    [
        ({"kind": "slope", "above": "12"}, "slope.above", "'12' is not in %"),
        ({"kind": "slope", "above": "12 m"}, "slope.above", "'12 m' is not in %"),
        ({"kind": "slope", "above": "-1 %"}, "slope.above", "below zero"),
        ({"kind": "value"}, "value", "give at_least, at_most or both"),
        (
            {"kind": "value", "at_least": "2", "at_most": "1"},
            "value",
            "at_least 2 is more than at_most 1",
        ),
        ({"kind": "value", "at_least": "nan"}, "value.at_least", "finite"),
        ({"kind": "value", "at_least": "-inf"}, "value.at_least", "finite"),
    ],
)
def test_a_wrong_subject_is_told_what_is_wrong(subject, where, what):
    spec = strategies.rule("a").model_dump(mode="json", exclude_none=True)
    assert what in complaints(Rule, {**spec, "subject": subject})[f"subject.{where}"]


@pytest.mark.parametrize("bounds", [{"at_least": "1"}, {"at_most": "1"}])
def test_one_bound_or_two_equal_ones_make_a_range(bounds):
    assert Value.model_validate({"kind": "value", **bounds})
    assert Value.model_validate({"kind": "value", "at_least": "1", "at_most": "1"})


def test_a_rule_is_in_force_on_both_its_last_days_and_not_beyond():
    rule = strategies.rule("a", valid_from="2020-01-01", valid_to="2020-12-31")
    days = (date(2019, 12, 31), date(2020, 1, 1), date(2020, 12, 31), date(2021, 1, 1))
    assert [rule.in_force(day) for day in days] == [False, True, True, False]
    assert strategies.rule("a").in_force(date(1872, 5, 10))


def test_a_rule_that_ends_before_it_begins_is_refused():
    with pytest.raises(ValidationError, match="2021-01-01 is after valid_to 2020-01-01"):
        strategies.rule("a", valid_from="2021-01-01", valid_to="2020-01-01")


# ── value functions and criteria ────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("value", "what"),
    [
        (
            {"kind": "decreasing", "best": "60 km", "worst": "2 km"},
            "must be less than worst 2000 m",
        ),
        ({"kind": "decreasing", "best": "2 km", "worst": "2 km"}, "must be less than"),
        ({"kind": "increasing", "best": "2 %", "worst": "60 %"}, "must be less than best"),
        ({"kind": "logistic", "best": "5 m", "worst": "5 m"}, "best and worst are both 5 m"),
        ({"kind": "log", "best": "5 m", "worst": "0 m"}, "above zero"),
        ({"kind": "piecewise", "points": [["1 m", "0"], ["1 m", "1"]]}, "rise strictly"),
        ({"kind": "piecewise", "points": [["1 m", "0"]]}, "at least 2"),
        ({"kind": "piecewise", "points": [["1 m", "0"], ["2 m", "7"]]}, "less than or equal to 1"),
        ({"kind": "categorical", "scores": {}}, "at least 1"),
        ({"kind": "categorical", "scores": {"a": "-1"}}, "greater than or equal to 0"),
        ({"kind": "cubic"}, "does not match any of the expected tags"),
        ({"kind": "decreasing", "best": "2 km"}, "Field required"),
    ],
)
def test_a_wrong_value_function_is_told_what_is_wrong(value, what):
    with pytest.raises(ValidationError, match=what):
        TypeAdapter(ValueFunction).validate_python(value)


BETWEEN = ("worst_below", "best_from", "best_to", "worst_above")


@given(st.lists(st.integers(0, 5), min_size=4, max_size=4))
def test_between_wants_its_four_points_in_order(points):
    low, start, end, high = points
    spec = {"kind": "between", **{n: f"{p} m" for n, p in zip(BETWEEN, points, strict=True)}}
    if low < start <= end < high:
        found = TypeAdapter(ValueFunction).validate_python(spec)
        assert [q.value for q in found.anchors] == points
    else:
        with pytest.raises(ValidationError, match="the order must be"):
            TypeAdapter(ValueFunction).validate_python(spec)


@pytest.mark.parametrize(
    ("path", "value", "what"),
    [
        ("weight", "0", "greater than 0"),
        ("weight", "-1", "greater than 0"),
        ("weight", "heavy", "valid number"),
        ("layer", None, "measure distance needs a layer"),
        ("measure", {"kind": "evidence"}, "reads no layer; leave it out"),
        ("measure", {"kind": "slope"}, "is in %, but these anchors are not: 2000 m, 60000 m"),
        ("measure", {"kind": "nearby", "within": "1 km"}, "does not go with a decreasing"),
        ("measure", {"kind": "density", "radius": "5 km"}, r"no unit \(a bare number\)"),
        ("measure", {"kind": "distance", "radius": "5 km"}, "Extra inputs"),
        ("value.best", "2", "anchors are not: 2$"),
        ("value.best", "2 acre", "anchors are not: 0.8093"),
        (
            "value",
            {"kind": "categorical", "scores": {"yes": "1"}},
            "does not go with a categorical",
        ),
    ],
)
def test_a_wrong_criterion_is_told_what_is_wrong(path, value, what):
    with pytest.raises(ValidationError) as caught:
        Criterion.model_validate(changed(CRITERION, path, value))
    lines = [e["msg"] for e in caught.value.errors()]
    assert any(re.search(what, line) for line in lines), lines


MEASURES = {
    "distance": ({}, "m"),
    "share": ({}, "%"),
    "slope": ({}, "%"),
    "flat_share": ({"radius": "1 km", "slope": "5 %"}, "%"),
    "open_land": ({"radius": "1 km"}, "ha"),
    "density": ({"radius": "1 km"}, ""),
    "evidence": ({}, ""),
    "sum_within": ({"field": "population", "radius": "50 km"}, "persons"),
    "value": ({"unit": "mm/yr"}, "mm/yr"),
}


@pytest.mark.parametrize("kind", MEASURES)
def test_anchors_are_in_the_unit_of_the_measure(kind):
    more, unit = MEASURES[kind]
    spec = changed(CRITERION, "measure", {"kind": kind, **more})
    if kind in ("evidence", "open_land"):
        del spec["layer"]
    spec["value"] = {
        "kind": "increasing",
        "worst": f"1 {unit}".strip(),
        "best": f"2 {unit}".strip(),
    }
    assert Criterion.model_validate(spec).measure.unit == unit


@pytest.mark.parametrize(
    ("measure", "where", "what"),
    [
        ({"kind": "flat_share", "radius": "1 km", "slope": "5"}, "slope", "'5' is not in %"),
        ({"kind": "flat_share", "radius": "1 km", "slope": "5 m"}, "slope", "'5 m' is not in %"),
        ({"kind": "flat_share", "radius": "0 m", "slope": "5 %"}, "radius", "greater than 0"),
        ({"kind": "open_land", "radius": "0 m"}, "radius", "greater than 0"),
        ({"kind": "sum_within", "field": "n", "radius": "0 m"}, "radius", "greater than 0"),
        ({"kind": "density", "radius": "0 m"}, "radius", "greater than 0"),
        ({"kind": "nearby", "within": "-1 m"}, "within", "greater than or equal to 0"),
    ],
)
def test_a_wrong_measure_is_told_what_is_wrong(measure, where, what):
    found = complaints(Criterion, changed(CRITERION, "measure", measure))
    assert what in found[f"measure.{measure['kind']}.{where}"]


def test_categories_need_scores():
    spec = changed(CRITERION, "measure", {"kind": "category", "field": "zone"})
    spec["value"] = {"kind": "categorical", "scores": {"none": "1", "A": "0"}}
    assert Criterion.model_validate(spec).value.anchors == ()


def test_a_criterion_reads_itself_first_and_then_its_stand_ins():
    stand_in = {"measure": {"kind": "distance"}, "value": CRITERION["value"], "layer": "a/b"}
    spec = {**CRITERION, "stand_ins": [stand_in]}
    layers = [reading.layer for reading in Criterion.model_validate(spec).readings]
    assert layers == ["infrastructure/rail", "a/b"]


# ── scenarios ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("path", "value", "where", "what"),
    [
        ("criteria", [CRITERION, CRITERION], "", "criteria used twice: rail"),
        ("criteria", [], "criteria", "at least 1"),
        ("rules", ["federal", "federal"], "", "a rule set is named twice"),
        ("sites", {"unit": "deposit", "min_area": "1 km2"}, "", "needs an evidence section"),
        ("combination", {"kind": "evidence_gated"}, "", "no criterion is called evidence"),
        ("tiers", {"a": "0.5", "b": "0.7"}, "tiers", "b 0.7 must be below a 0.5"),
        ("land.offered", ["ARMY"], "land.offered.0", "Input should be"),
        ("grid.resolution", "0 m", "grid.resolution", "greater than 0"),
        ("grid.origin", ["0 m", "nan"], "grid.origin.1", "is not finite"),
        ("grid.origin", [float("inf"), 0.0], "grid.origin.0", "finite"),
        ("grid.origin", ["west", "0"], "grid.origin.0", "does not begin with a number"),
        ("grid.origin", ["5 acre", "0"], "grid.origin.0", "is not in m, km, ft or mi"),
        ("grid.origin", ["1e9", "0"], "grid.origin.0", "no place in a CRS in metres"),
        ("grid.origin", ["30 m"], "grid.origin.1", "Field required"),
        ("grid.origin", ["1", "2", "3"], "grid.origin", "at most 2"),
        ("grid.origin", "30 m", "grid.origin", "tuple"),
        ("name", "../../etc", "name", "match pattern"),
        ("commodities", [], "commodities.tuple", "at least 1"),
        ("as_of", "yesterday", "as_of", "year-month-day"),
        # Not two days after the beginning of 1970.
        ("as_of", "86400", "as_of", "year-month-day"),
    ],
)
def test_a_wrong_scenario_is_told_what_is_wrong(path, value, where, what):
    found = complaints(Scenario, changed(SCENARIO, path, value))
    said = [message for place, message in found.items() if place.startswith(where)]
    assert any(what in message for message in said), found


@pytest.mark.parametrize(
    "origin", [["-2100 km", "30 m"], ["-2,100,000", "30"], [-2_100_000, 30.0], ["-2.1e6 m", 30]]
)
def test_an_origin_is_a_place_in_metres_with_or_without_its_unit(origin):
    asked = Scenario.model_validate(changed(SCENARIO, "grid.origin", origin))
    assert asked.grid.origin == (-2_100_000.0, 30.0)
    assert asked.model_dump(mode="json")["grid"]["origin"] == ["-2100000 m", "30 m"]
    assert Scenario.model_validate(SCENARIO).grid.origin == (0.0, 0.0)


def test_faults_between_sections_are_told_together():
    wrong = changed(SCENARIO, "sites", {"unit": "deposit", "min_area": "1 km2"})
    wrong = changed(wrong, "combination", {"kind": "evidence_gated"})
    assert complaints(Scenario, wrong)[""].count(";") == 1


@given(st.integers(1, 5).flatmap(strategies.weights), st.sampled_from((0.1, 2.0, 7.0)))
def test_weights_sum_to_one_and_scaling_them_changes_nothing(chosen, factor):
    def shares(scale):
        criteria = [{**CRITERION, "id": f"c{i}", "weight": w * scale} for i, w in enumerate(chosen)]
        return Scenario.model_validate({**SCENARIO, "criteria": criteria}).weights

    assert sum(shares(1.0).values()) == pytest.approx(1)
    assert shares(factor) == pytest.approx(shares(1.0))


@pytest.mark.parametrize(
    ("path", "value", "where", "what"),
    [
        ("reach", "0 m", "reach", "greater than 0"),
        (
            "class_weights",
            {"plan": "1", "resource": "1"},
            "class_weights",
            "no weight for reserve, producer, past_producer, prospect, occurrence, unknown",
        ),
        ("quality_weights", {"A": "1", "B": "1"}, "quality_weights", "no weight for C, D, E;"),
    ],
)
def test_evidence_that_leaves_something_out_is_refused(path, value, where, what):
    assert Evidence.model_validate(EVIDENCE).reach == 2000
    assert what in complaints(Evidence, changed(EVIDENCE, path, value))[where]


@pytest.mark.parametrize(("model", "more"), [(DepositUnit, {}), (PatchUnit, {"threshold": "0.5"})])
def test_the_least_area_is_not_above_the_most(model, more):
    spec = {"unit": model.model_fields["unit"].annotation.__args__[0], "min_area": "10 ha", **more}
    assert model.model_validate({**spec, "max_area": "10 ha"}).max_area == 10
    said = complaints(model, {**spec, "max_area": "9 ha"})[""]
    assert "min_area 10 ha is more than max_area 9 ha" in said


def test_tiers_are_in_order():
    assert Tiers(a=0.7, b=0.5).a > 0.5


@pytest.mark.parametrize("url", ["https://me:secret@example.org/x", "https://example.org/\x1b[2J"])
def test_an_address_holds_no_password_and_commands_no_terminal(url):
    with pytest.raises(ValidationError, match="must hold no user name, password or control"):
        ServiceSource(kind="arcgis", url=url, layer="x")
