"""Which rules are asked, and in whose voice: project before local before generic."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geosite.catalog import open_rulebook
from geosite.model import RuleSet, Scenario
from geosite.model.rule import LocalRules
from geosite.resolution import lifted_by, resolved, spoken
from tests.strategies import rule
from tests.test_model import SCENARIO

DAY = date(2026, 1, 2)
DAYS = st.dates(date(2020, 1, 1), date(2030, 1, 1))
COUNTY = {"counties": ["32013"], "citation": "county code 17.2"}
ROADLESS = rule("roadless", {"tier": "avoid", "factor": "0.6"}, authority="regulation")
HOUSES = rule("houses", {"tier": "exclude", "setback": "300 ft"})
PARK = rule("park", authority="statute")
ORDER = rule("order", authority="withdrawal")
TRIBE = rule("tribe", authority="statute", sovereign=True)
HABITAT = rule("habitat", authority="plan")


@cache
def rulebook():
    return open_rulebook()


def question(*rules, local=(), own_local=(), **keys):
    """A scenario about a mine with local rules of its own, and the rulebook it names."""
    book = replace(
        rulebook(),
        sets={"book": RuleSet.model_construct(id="book", title="Book", rules=rules)},
        local=LocalRules.model_validate({"local": list(local)}),
    )
    asked = {**SCENARIO, "project": "mine", "rules": ["book"], "commodities": ["lithium"]}
    return Scenario.model_validate({**asked, "local": list(own_local), **keys}), book


def found(*rules, day=DAY, **keys):
    return resolved(*question(*rules, **keys), day)


def own(one):
    return [one.model_dump(by_alias=True)]


# ── one voice ─────────────────────────────────────────────────────────────────────────────────
def test_a_rule_that_only_the_rulebook_speaks_of_has_no_line():
    r = found(ROADLESS, HOUSES)
    assert [one.id for one in r.rules] == ["houses", "roadless"]
    assert r.treatments == (HOUSES.mine, ROADLESS.mine)
    assert (r.order, r.notes, r.not_asked) == ((), (), {})
    assert (r.local, r.overrides, r.lifts) == ({}, {}, {})


# ── several voices ────────────────────────────────────────────────────────────────────────────
def test_a_project_override_goes_before_the_rulebook():
    change = {"rule": "roadless", "treatment": {"tier": "flag"}, "basis": "a road exists"}
    r = found(ROADLESS, HOUSES, overrides=[change])
    assert [t.tier for t in r.treatments] == ["exclude", "flag"]
    assert r.order == (
        "roadless: project override (flag: a road exists) before generic (avoid 0.6)",
    )
    assert r.overrides["roadless"].basis == "a road exists"
    assert r.rules[1] == ROADLESS


def test_the_case_of_an_override_is_said():
    change = {"rule": "park", "basis": "permit", "case": "NVN-7", "treatment": {"tier": "flag"}}
    assert found(PARK, overrides=[change]).order == (
        "park: project override (flag: permit; case NVN-7) before generic (exclude)",
    )


def test_a_rule_that_is_overridden_away_is_not_asked_and_says_why():
    r = found(ROADLESS, HOUSES, overrides=[{"rule": "roadless", "basis": "rescinded"}])
    assert [one.id for one in r.rules] == ["houses"]
    assert r.not_asked == {"roadless": "project override: rescinded"}
    assert set(r.overrides) == {"roadless"}
    assert r.order == ()


def test_an_override_may_ask_a_rule_that_says_nothing_of_the_project():
    plant = rule("noise", mine=None, refinery={"tier": "exclude"}).model_copy(update={"mine": None})
    change = {"rule": "noise", "treatment": {"tier": "flag"}, "basis": "camps"}
    r = found(plant, overrides=[change])
    assert [t.tier for t in r.treatments] == ["flag"]
    assert r.order == ("noise: project override (flag: camps) before generic (not asked)",)
    assert found(plant).rules == ()
    assert found(plant, overrides=[{"rule": "noise", "basis": "x"}]).not_asked == {}


def test_a_local_rule_goes_before_the_rulebook():
    r = found(HOUSES, local=[{"rule": "houses", "setback": "1 mi", **COUNTY}])
    assert r.order == ("houses: local 32013 (1 mi, county code 17.2) before generic (300 ft)",)
    assert [e.setback for e in r.local["houses"]] == [1609.344]
    # The rule itself is as it was: elsewhere its own setback holds.
    assert r.treatments == (HOUSES.mine,)


def test_local_rules_of_the_scenario_go_before_those_of_the_rulebook_and_then_as_written():
    here = {"inside": "x/town", "citation": "town code"}
    one = {"rule": "houses", "setback": "500 m", **here}
    two = {"rule": "houses", "applies": "false", **here, "where": "name = 'B'"}
    three = {"rule": "houses", "setback": "1 mi", **COUNTY}
    r = found(HOUSES, local=[three], own_local=[one, two])
    assert r.order == (
        (
            "houses: project local x/town (500 m, town code) before project local x/town where "
            "name = 'B' (does not hold, town code) before local 32013 (1 mi, county code 17.2) "
            "before generic (300 ft)"
        ),
    )
    assert [e.setback for e in r.local["houses"]] == [500.0, None, 1609.344]


def test_an_overridden_rule_has_no_local_rules_and_says_so():
    change = {"rule": "houses", "treatment": {"tier": "flag"}, "basis": "ours"}
    entry = {"rule": "houses", "setback": "1 mi", **COUNTY}
    r = found(HOUSES, overrides=[change], local=[entry])
    assert r.local == {}
    assert r.order == (
        (
            "houses: project override (flag: ours) before local 32013 (1 mi, county code 17.2) "
            "before generic (exclude 300 ft); the local rules are not asked"
        ),
    )


def test_an_own_rule_of_the_same_id_goes_before_local_and_generic():
    mine = rule("houses", {"tier": "exclude", "setback": "2 km"}, citation="our promise")
    entry = {"rule": "houses", "setback": "1 mi", **COUNTY}
    r = found(HOUSES, own_rules=own(mine), local=[entry])
    assert r.local == {}
    assert r.order == (
        (
            "houses: project rule (exclude 2 km, our promise) before local 32013 (1 mi, county "
            "code 17.2) before generic (exclude 300 ft); the local rules are not asked"
        ),
    )
    assert [t.setback for t in r.treatments] == [2000.0]


def test_an_own_rule_of_its_own_id_is_one_voice_and_may_be_local():
    r = found(HOUSES, own_rules=own(rule("ours")))
    assert r.order == ()
    entry = {"rule": "ours", "setback": "1 mi", **COUNTY}
    assert set(found(own_rules=own(rule("ours")), own_local=[entry]).local) == {"ours"}


def test_an_override_of_an_own_rule_goes_before_it():
    mine = rule("houses", {"tier": "exclude", "setback": "2 km"}, citation="our promise")
    change = {"rule": "houses", "treatment": {"tier": "flag"}, "basis": "withdrawn promise"}
    assert found(HOUSES, own_rules=own(mine), overrides=[change]).order == (
        (
            "houses: project override (flag: withdrawn promise) before project rule (exclude 2 km, "
            "our promise) before generic (exclude 300 ft)"
        ),
    )


# ── days ──────────────────────────────────────────────────────────────────────────────────────
def test_a_local_rule_that_does_not_hold_on_the_day_is_dropped_and_said():
    old = {"rule": "houses", "setback": "1 mi", **COUNTY, "valid_to": "2025-12-31"}
    new = {"rule": "houses", "setback": "2 mi", **COUNTY, "valid_from": "2026-06-01"}
    r = found(HOUSES, local=[old, new])
    assert r.local == {}
    assert r.order == (
        "houses: local 32013 (1 mi, county code 17.2) expired on 2025-12-31",
        "houses: local 32013 (2 mi, county code 17.2) holds from 2026-06-01 only",
    )


@given(DAYS, st.integers(1, 400), st.booleans())
def test_a_local_rule_that_does_not_hold_changes_nothing(day, days, over):
    away = timedelta(days=days)
    when = {"valid_to": str(day - away)} if over else {"valid_from": str(day + away)}
    entry = {"rule": "houses", "setback": "1 mi", **COUNTY, **when}
    plain, local = found(HOUSES, PARK, day=day), found(HOUSES, PARK, day=day, local=[entry])
    assert (local.rules, local.treatments) == (plain.rules, plain.treatments)
    assert (local.local, local.lifts, local.not_asked) == ({}, {}, {})


@given(DAYS)
def test_a_local_rule_holds_on_its_first_and_last_day(day):
    entry = {"rule": "houses", "setback": "1 mi", **COUNTY}
    entry |= {"valid_from": str(day), "valid_to": str(day)}
    assert set(found(HOUSES, day=day, local=[entry]).local) == {"houses"}


def test_a_rule_that_is_not_in_force_has_no_voice():
    over = HOUSES.model_copy(update={"valid_to": DAY - timedelta(days=1)})
    change = {"rule": "houses", "treatment": {"tier": "flag"}, "basis": "x"}
    entry = {"rule": "houses", "setback": "1 mi", **COUNTY}
    r = found(over, overrides=[change], local=[entry])
    assert (r.rules, r.order, r.local, r.overrides) == ((), (), {}, {})
    assert r.not_asked == {"houses": "not in force on 2026-01-02"}


def test_what_goes_stale_next_is_noted_soonest_first():
    ends = {"soon": 30, "later": 300, "far": 366}
    rules = [
        rule(n).model_copy(update={"valid_to": DAY + timedelta(days=d)}) for n, d in ends.items()
    ]
    entry = {"rule": "houses", "setback": "1 mi", **COUNTY, "valid_to": "2026-03-01"}
    assert found(HOUSES, *rules, local=[entry]).notes == (
        "goes stale next: rule soon holds until 2026-02-01; read it anew after that day",
        (
            "goes stale next: rule houses, local 32013 (1 mi, county code 17.2), holds until "
            "2026-03-01; read it anew after that day"
        ),
        "goes stale next: rule later holds until 2026-10-29; read it anew after that day",
    )


# ── minerals ──────────────────────────────────────────────────────────────────────────────────
def test_a_rule_about_located_minerals_is_not_asked_where_all_are_leased():
    located, leased = rule("located", disposal="locatable"), rule("leased", disposal="leasable")
    r = found(located, leased, commodities=["potash"])
    assert [one.id for one in r.rules] == ["leased"]
    assert r.not_asked == {"located": "speaks of locatable minerals; potash is leased"}
    r = found(located, leased, commodities=["copper"])
    assert [one.id for one in r.rules] == ["located"]
    assert r.not_asked == {"leased": "speaks of leasable minerals; copper is located"}


def test_with_minerals_of_both_kinds_either_rule_is_asked_and_says_so():
    located, leased = rule("located", disposal="locatable"), rule("leased", disposal="leasable")
    r = found(located, leased, rule("any"), commodities=["copper", "potash"])
    assert [one.id for one in r.rules] == ["any", "leased", "located"]
    head = "rules that speak of {} minerals are asked of all land; of the commodities "
    assert r.order == (
        head.format("locatable") + "potash is leased: located",
        head.format("leasable") + "copper is located: leased",
    )


def test_a_plant_is_asked_every_rule_whatever_it_refines():
    located = rule("located", refinery={"tier": "mitigate"}, disposal="locatable")
    r = found(located, project="refinery", commodities=["potash"])
    assert [one.id for one in r.rules] == ["located"]


def test_of_a_mineral_that_may_be_either_nothing_is_assumed():
    table = rulebook().commodities
    both = next(c.id for c in table.commodities if c.disposal in ("both", "unknown"))
    for disposal in ("locatable", "leasable"):
        assert len(found(rule("x", disposal=disposal), commodities=[both]).rules) == 1


# ── inclusions ────────────────────────────────────────────────────────────────────────────────
def mercy(*names, **more):
    keys = {"tier": "include", "lifts": list(names), **more}
    return rule("mercy", {k: v for k, v in keys.items() if v})


def test_an_inclusion_by_itself_lifts_what_is_no_statute_no_withdrawal_and_not_sovereign():
    r = found(PARK, ORDER, TRIBE, HABITAT, HOUSES, ROADLESS, mercy())
    assert r.lifts == {"mercy": {"habitat", "houses"}}
    assert r.order == ("mercy: lifts habitat, houses",)


def test_what_binds_is_lifted_where_it_is_named_and_its_case_is():
    rules = (PARK, ORDER, TRIBE, HABITAT)
    assert found(*rules, mercy("park", case="NVN-1")).lifts == {"mercy": {"park"}}
    assert found(*rules, mercy("order", "habitat", case="NVN-1")).order == (
        "mercy: lifts habitat, order (case NVN-1)",
    )
    # Each of these is refused before a plan is made; whoever comes here all the same lifts nothing.
    assert found(*rules, mercy("park")).lifts == {"mercy": frozenset()}
    assert found(*rules, mercy("tribe", case="NVN-1")).lifts == {"mercy": frozenset()}
    assert found(*rules, mercy(case="NVN-1")).lifts == {"mercy": {"habitat"}}


def test_claims_lift_nothing():
    claims = mercy().model_copy(update={"layer": "land/mining_claims"})
    r = found(HOUSES, claims)
    assert r.lifts == {"mercy": frozenset()}
    assert r.order == ("mercy: lifts no rule that is asked",)


def test_a_rule_that_is_made_soft_is_not_lifted():
    change = {"rule": "houses", "treatment": {"tier": "flag"}, "basis": "x"}
    assert found(HOUSES, mercy(), overrides=[change]).lifts == {"mercy": frozenset()}


@given(st.permutations((PARK, ORDER, TRIBE, HABITAT, HOUSES, mercy("order", case="NVN-1"))))
def test_the_order_of_rules_means_nothing(rules):
    assert found(*rules) == found(*sorted(rules, key=lambda one: one.id))
    assert lifted_by(rules, [one.mine for one in rules]) == {"mercy": {"order"}}


# ── whatever the day ──────────────────────────────────────────────────────────────────────────
def test_what_is_spoken_of_is_there_whatever_the_day_and_as_the_project_decided():
    over = HOUSES.model_copy(update={"valid_to": date(2000, 1, 1)})
    plant = rule("noise", refinery={"tier": "exclude"}).model_copy(update={"mine": None})
    change = {"rule": "roadless", "treatment": {"tier": "flag", "setback": "9 km"}, "basis": "x"}
    pairs = spoken(
        *question(over, plant, ROADLESS, PARK, overrides=[change, {"rule": "park", "basis": "x"}])
    )
    assert [(one.id, t.tier) for one, t in pairs] == [("houses", "exclude"), ("roadless", "flag")]
    assert pairs[1][1].reach == 9000


@pytest.mark.parametrize("funded", [True, False])
def test_rules_for_federal_money_are_asked_of_federal_money_only(funded):
    one = HOUSES.model_copy(update={"needs_federal_funding": True})
    r = found(one, federal_funding=str(funded).lower())
    assert (r.rules == (one,)) is funded
    assert bool(r.not_asked) is not funded
