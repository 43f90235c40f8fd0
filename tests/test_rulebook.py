"""The rulebook: every rule with its authority, and no rule harder than its source."""

from datetime import date, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geosite.catalog import official_layers, open_catalog, open_rulebook
from geosite.evidence import asked_commodities, commodity_names, named_commodities
from geosite.model import Agency
from geosite.sources.select import selected
from tests.test_presets import declared_table

BOOK = open_rulebook()
RULES = [rule for rules in BOOK.sets.values() for rule in rules.rules]
HARD_FOR_MINES = {
    "national-parks",
    "wilderness",
    "wilderness-study-areas",
    "wildlife-refuges",
    "national-monuments",
    "wild-rivers",
    "tribal-land",
    "military-land-not-for-mines",
    "withdrawn-from-location",
    "open-water",
}
HARD_FOR_PLANTS = {
    "national-parks",
    "wilderness",
    "wilderness-study-areas",
    "wildlife-refuges",
    "tribal-land",
    "open-water",
    "floodway",
    "steep-ground",
    "smelter-distance",
}


def hard(project):
    chosen = ((r.id, r.treatment(project)) for r in RULES)
    return {id_ for id_, t in chosen if t and t.tier == "exclude"}


def commodity(id_):
    return next(c for c in BOOK.commodities.commodities if c.id == id_)


def test_rule_ids_are_unique_over_all_sets():
    ids = [r.id for r in RULES]
    assert len(ids) == len(set(ids)) >= 25


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.id)
def test_a_rule_can_be_cited(rule):
    assert rule.citation.strip()
    law = any(mark in rule.citation for mark in ("USC", "CFR", "Executive Order"))
    assert law or "not law" in rule.citation


@pytest.mark.parametrize(
    "rule", [r for r in RULES if r.authority == "practice"], ids=lambda r: r.id
)
def test_practice_is_never_passed_off_as_law(rule):
    said = f"{rule.citation} {rule.note}".lower()
    assert "not law" in said or "executive order 11988" in said
    assert rule.mine is None or rule.mine.tier != "exclude"


def test_only_what_the_sources_call_hard_excludes():
    assert hard("mine") == HARD_FOR_MINES
    assert hard("refinery") == HARD_FOR_PLANTS


def test_what_a_plan_says_never_excludes():
    tiers = {t.tier for r in RULES if r.authority == "plan" for t in (r.mine, r.refinery) if t}
    assert "exclude" not in tiers


def test_nothing_is_freed_by_a_claim():
    assert all(t.tier != "include" for r in RULES for t in (r.mine, r.refinery) if t)


def test_hard_mining_law_rules_name_their_exceptions():
    for rule in RULES:
        if rule.mine and rule.mine.tier == "exclude" and rule.layer != "hydrography/lakes":
            assert rule.exceptions, rule.id


def test_sovereign_land_is_consulted():
    for rule in BOOK.sets["sovereign-land"].rules:
        assert "trib" in rule.consultation.lower()


def test_every_rule_reads_an_official_layer():
    layers = open_catalog(official_layers())
    for rule in RULES:
        layer = layers[rule.layer]
        if rule.where:
            selected(declared_table(layer), rule.where, rule.id)
        if rule.subject.kind == "slope":
            assert layer.geometry == "raster", rule.id


def test_every_rule_of_today_is_in_force():
    assert all(r.in_force(date(2026, 10, 1)) for r in RULES)


@given(
    start=st.dates(date(2000, 1, 1), date(2030, 1, 1)),
    length=st.integers(0, 4000),
    offset=st.integers(-5000, 5000),
)
def test_a_rule_holds_from_its_first_day_to_its_last(start, length, offset):
    end, day = start + timedelta(length), start + timedelta(offset)
    rule = RULES[0].model_copy(update={"valid_from": start, "valid_to": end})
    assert rule.in_force(day) == (start <= day <= end)
    assert rule.model_copy(update={"valid_to": None}).in_force(day) == (start <= day)
    assert rule.model_copy(update={"valid_from": None}).in_force(day) == (day <= end)


def test_no_authority_offers_military_land_to_a_mine_or_a_forest_to_a_plant():
    offered = {(a.agency, a.project) for a in BOOK.authorities.authorities}
    assert offered == {
        ("BLM", "mine"), ("USFS", "mine"), ("DOD", "refinery"), ("DOE", "refinery"),
        ("BLM", "refinery"),
    }  # fmt: skip


def test_authorities_are_unique_and_of_known_agencies():
    rows = [(a.agency, a.project, a.disposal) for a in BOOK.authorities.authorities]
    assert len(rows) == len(set(rows))
    assert {agency for agency, _, _ in rows} <= set(get_args(Agency))
    for agency in ("BLM", "USFS"):
        assert {d for a, p, d in rows if (a, p) == (agency, "mine")} == {"locatable", "leasable"}


def test_the_lists_have_the_length_of_the_notices():
    groups = {"rare-earths", "platinum-group"}
    lists = {
        name: {c.id for c in BOOK.commodities.commodities if name in c.lists} - groups
        for name in ("critical2022", "critical2025", "eo14241")
    }
    assert len(lists["critical2022"]) == 50
    assert len(lists["critical2025"]) == 60
    assert lists["critical2025"] - lists["critical2022"] == {
        "boron", "copper", "lead", "metallurgical-coal", "phosphate", "potash", "rhenium",
        "silicon", "silver", "uranium",
    }  # fmt: skip
    assert lists["eo14241"] == lists["critical2025"] | {"gold"}


def test_no_name_means_two_commodities():
    owner = {}
    for c in BOOK.commodities.commodities:
        for name in {n.casefold() for n in (c.id, c.title, *c.names)}:
            assert owner.setdefault(name, c.id) == c.id, name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("RE", ("rhenium",)),
        ("REE", ("rare-earths",)),
        ("Copper; Zinc; Silver; Molybdenum; Cobalt", ("cobalt", "copper", "silver", "zinc")),
        ("Platinum-group elements; Osmium", ("platinum-group",)),
        ("Barium-Barite", ("barite",)),
        ("Fluorine-Fluorite", ("fluorspar",)),
        ("Fluorspar", ("fluorspar",)),
        ("Phosphorus-Phosphates", ("phosphate",)),
        ("phosphate rock", ("phosphate",)),
        ("Potassium, Potash", ("potash",)),
        ("Aluminum, High Alumina Clay", ("aluminum",)),
        ("titanium, zirconium, rare earth elements", ("rare-earths", "titanium", "zirconium")),
        ("Potassium, Alum", ("alum",)),
        ("Silica; Quartz; Sand and Gravel, Construction", ()),
        ("Coal", ()),
        ("Iron-Pyrite; Thorium; Thallium", ()),
    ],
)
def test_records_are_read_by_whole_names(text, expected):
    assert named_commodities(text, commodity_names(BOOK.commodities)) == expected


def test_coal_records_are_not_taken_for_metallurgical_coal():
    names = {n.casefold() for n in commodity("metallurgical-coal").names}
    assert names.isdisjoint({"coal", "coa", "bit", "coal, bituminous"})


def test_mineral_law_by_commodity():
    leased = {c.id for c in BOOK.commodities.commodities if c.disposal == "leasable"}
    assert leased == {"potash", "phosphate", "metallurgical-coal"}
    assert commodity("lithium").disposal == "locatable"
    by_products = {c.id for c in BOOK.commodities.commodities if c.host}
    assert by_products == {"cobalt", "gallium", "germanium", "indium", "rhenium", "tellurium"}


def test_the_order_asks_for_gold_and_the_list_does_not():
    assert "gold" in asked_commodities("eo14241", BOOK.commodities)
    assert "alum" not in asked_commodities("eo14241", BOOK.commodities)
    assert "gold" not in asked_commodities("critical2025", BOOK.commodities)


def test_groups_of_states():
    assert len(BOOK.groups["west"]) == 11
    conus = BOOK.groups["conus"]
    assert len(set(conus)) == 49
    assert {"Alaska", "Hawaii"}.isdisjoint(conus)
    for states in BOOK.groups.values():
        assert set(states) <= set(conus)
