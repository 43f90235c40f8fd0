"""The rulebook: every rule with its authority, and no rule harder than its source."""

from datetime import date, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geosite.catalog import official_layers, open_catalog, open_rulebook, open_scenario
from geosite.evidence import asked_commodities, commodity_names, named_commodities
from geosite.model import Agency
from geosite.sources.select import selected
from tests.test_presets import declared_table

BOOK = open_rulebook()
RULES = [rule for rules in BOOK.sets.values() for rule in rules.rules]
CLAIMS = {"land/mining_claims", "land/mining_claims_closed", "land/plans_of_operations"}
COAL_LAW = ("30 USC 1272", "30 CFR 761", "30 CFR 816")
PRESETS = ("mine/open-pit", "refinery/hydromet")
HARD_FOR_MINES = {
    "national-parks",
    "wilderness",
    "wilderness-study-areas",
    "wildlife-refuges",
    "national-monuments",
    "wild-rivers",
    "tribal-land",
    "reservations",
    "trust-lands",
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
    "reservations",
    "trust-lands",
    "open-water",
    "floodway",
    "steep-ground",
    "smelter-distance",
    "coastal-barriers-with-federal-money",
    "holocene-faults",
}


def hard(project):
    chosen = ((r.id, r.treatment(project)) for r in RULES)
    return {id_ for id_, t in chosen if t and t.tier == "exclude"}


def commodity(id_):
    return next(c for c in BOOK.commodities.commodities if c.id == id_)


def test_rule_ids_are_unique_over_all_sets():
    ids = [r.id for r in RULES]
    assert len(ids) == len(set(ids)) >= 45


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_asks_at_least_45_rules(name):
    scenario = open_scenario(name)
    assert sum(r.treatment(scenario.project) is not None for r in BOOK.rules(scenario)) >= 45


def test_a_mine_and_a_plant_are_told_apart():
    differ = {r.id for r in RULES if r.mine != r.refinery}
    assert len(differ) >= 25
    assert {"national-monuments", "military-land-not-for-mines", "national-forest"} <= differ


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.id)
def test_a_rule_can_be_cited(rule):
    assert rule.citation.strip()
    law = any(mark in rule.citation for mark in ("USC", "CFR", "Executive Order", "State law of"))
    assert law or "not law" in rule.citation or rule.authority == "plan"


@pytest.mark.parametrize(
    "rule", [r for r in RULES if r.authority == "practice"], ids=lambda r: r.id
)
def test_practice_is_never_passed_off_as_law(rule):
    said = f"{rule.citation} {rule.note}".lower()
    assert "not law" in said or "executive order 11988" in said
    assert rule.mine is None or rule.mine.tier != "exclude"


def test_who_could_change_it_is_said_of_every_rule_that_excludes():
    silent = [
        r.id
        for r in RULES
        if {"exclude", "require"} & {t.tier for t in (r.mine, r.refinery) if t}
        if not r.who_can_act
    ]
    assert silent == []


def test_only_the_tribe_can_act_on_sovereign_land_and_a_statute_says_so():
    sovereign = [r for r in RULES if r.sovereign]
    assert {r.layer for r in sovereign} == {"land/tribal", "land/reservations", "land/trust_lands"}
    for rule in sovereign:
        assert (rule.authority, rule.who_can_act) == ("statute", "The tribe")
        assert {t.tier for t in (rule.mine, rule.refinery)} == {"exclude"}


def test_coal_law_is_an_analogue_and_no_more_than_a_flag():
    coal = [r for r in RULES if any(mark in r.citation for mark in COAL_LAW)]
    assert {r.id for r in coal} == {"occupied-buildings", "public-roads", "streams"}
    for rule in coal:
        assert "not law for hardrock" in rule.citation, rule.id
        assert {t.tier for t in (rule.mine, rule.refinery) if t} == {"flag"}, rule.id


def test_a_distance_that_no_law_sets_says_so():
    """Of rules with a setback, all but those whose law or regulation states the distance."""
    stated = {"holocene-faults", "wild-rivers", "scenic-and-recreational-rivers"}
    for rule in RULES:
        if rule.id not in stated and any(t and t.reach for t in (rule.mine, rule.refinery)):
            said = f"{rule.citation} {rule.note} {rule.title}".lower()
            assert any(w in said for w in ("not law", "practice", "no statute")), rule.id


def test_a_withdrawal_from_location_speaks_of_locatable_minerals():
    for layer in (
        "withdrawals",
        "segregations_minerals",
        "withdrawals_pending",
        "usfs_withdrawals",
    ):
        for rule in RULES:
            if rule.layer == f"land/{layer}":
                assert (rule.disposal, rule.authority) == ("locatable", "withdrawal"), rule.id


def test_a_claim_or_a_case_is_a_flag_and_frees_nothing():
    for rule in RULES:
        if rule.layer in CLAIMS:
            assert {t.tier for t in (rule.mine, rule.refinery) if t} == {"flag"}, rule.id


def test_what_federal_money_triggers_is_asked_of_federal_money_only():
    triggered = {r.id for r in RULES if r.needs_federal_funding}
    assert triggered == {r.id for r in BOOK.sets["federal-money"].rules}
    for name in PRESETS:
        assert "federal-money" in open_scenario(name).rules


def test_a_hazardous_waste_unit_is_asked_for_by_name():
    for name in PRESETS:
        assert "hazardous-waste-unit" not in open_scenario(name).rules


def test_classes_of_habitat_are_not_read_before_they_are_confirmed():
    assert all(r.where is None for r in RULES if r.layer == "environment/sage_grouse")


def test_every_permit_that_a_rule_triggers_is_in_the_table():
    known = {p.id: p.projects for p in BOOK.permits.permits}
    for rule in RULES:
        for id_ in rule.permits:
            assert any(rule.treatment(project) for project in known[id_]), (rule.id, id_)


def test_what_a_law_asks_for_by_name_is_triggered():
    """Of permits that are not asked of every site, those of a rule that names their law."""
    triggered = {(r.id, i) for r in RULES for i in r.permits}
    assert triggered >= {
        ("withdrawn-from-location", "valid-existing-rights"),
        ("wilderness", "valid-existing-rights"),
        ("national-monuments", "valid-existing-rights"),
        ("wild-rivers", "wild-scenic-determination"),
        ("scenic-and-recreational-rivers", "wild-scenic-determination"),
        ("military-land-not-for-mines", "defense-concurrence"),
        ("foreign-hazardous-material", "hazardous-material-2692"),
        ("tribal-land", "tribal-lease"),
        ("reservations", "tribal-lease"),
        ("trust-lands", "tribal-lease"),
        ("critical-habitat-proposed", "section-7-conference"),
        ("restricted-airspace", "siting-clearinghouse"),
        ("military-training-routes", "siting-clearinghouse"),
        ("sole-source-aquifers-with-federal-money", "sole-source-aquifer-review"),
        ("coastal-barriers-with-federal-money", "coastal-barrier-consultation"),
        ("superfund-boundaries", "superfund-coordination"),
        ("holocene-faults", "hazardous-waste"),
        ("wetlands", "floodplain-review"),
        ("floodway", "floodplain-review"),
    }


def test_no_page_calls_land_approvable_or_free_of_constraints():
    for rule in RULES:
        said = f"{rule.title} {rule.citation} {rule.note} {rule.exceptions}".lower()
        assert "approvable" not in said
        assert "no constraint" not in said


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
        if rule.inside_where:
            selected(declared_table(layers[rule.inside]), rule.inside_where, rule.id)
        if rule.subject.kind == "disturbance":
            assert layers[rule.subject.existing].geometry == "polygon"
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
    entries = BOOK.authorities.authorities
    rows = [(a.agency, a.project, a.disposal, a.land_origin) for a in entries]
    assert len(rows) == len(set(rows))
    assert {agency for agency, *_ in rows} <= set(get_args(Agency))
    for agency in ("BLM", "USFS"):
        assert {tuple(rest) for a, p, *rest in rows if (a, p) == (agency, "mine")} == {
            ("locatable", "public domain"),
            ("locatable", "acquired"),
            ("leasable", "any"),
        }


def test_hardrock_on_acquired_land_is_leased_and_not_located():
    for entry in BOOK.authorities.authorities:
        located = "3809" in entry.authority or "228A" in entry.authority
        assert located == (entry.land_origin == "public domain"), entry.authority
        if entry.land_origin == "acquired":
            assert "43 CFR 3500" in entry.authority


@pytest.mark.parametrize("name", PRESETS)
def test_presets_name_tenure_offices_and_plans_of_the_catalogue(name):
    land, layers = open_scenario(name).land, open_catalog(official_layers())
    assert {(t.column, t.value) for t in land.tenure} == {
        ("land_origin", "acquired"),
        ("mineral_status", "withdrawn"),
        ("mineral_status", "segregated"),
        ("mineral_estate", "federal"),
    }
    for id_ in (*(t.layer for t in land.tenure), *land.offices, *land.plans):
        assert layers[id_].geometry == "polygon"


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
        (
            "Copper; Zinc; Silver; Molybdenum; Cobalt",
            ("cobalt", "copper", "molybdenum", "silver", "zinc"),
        ),
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
    by_products = {c.id: c.by_product for c in BOOK.commodities.commodities if c.hosts}
    always = dict.fromkeys(["gallium", "germanium", "indium", "rhenium", "tellurium"], "always")
    assert by_products == always | {"cobalt": "in part"}


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
