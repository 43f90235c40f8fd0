"""What a scenario may not decide: statutes and withdrawals, sovereign land, claims, rasters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geosite.limits import overstepped, weaker
from geosite.model import Scenario
from geosite.model.rule import LocalRule
from tests.strategies import metres, rule, treatments
from tests.test_model import SCENARIO

PARK = rule("park", {"tier": "exclude", "setback": "1 km"}, authority="statute")
ORDER = rule("order", {"tier": "exclude"}, authority="withdrawal")
TRIBE = rule("tribe", {"tier": "avoid", "factor": "0.5"}, authority="statute", sovereign=True)
HABIT = rule("habit", {"tier": "exclude", "setback": "1 km"})
STEEP = rule("steep", subject={"kind": "slope", "above": "25 %"})
CAP = rule("cap", subject={"kind": "disturbance", "cap": "3 %", "existing": "x/old"})
NEAR = rule("near", {"tier": "require", "within": "5 km"})
SPLIT = rule("split", {"tier": "flag"}, mineral_estate="private")
BOOK = (PARK, ORDER, TRIBE, HABIT, STEEP, CAP, NEAR, SPLIT)


def said(*, own=(), local=(), rulebook=(), **keys):
    """Faults of a scenario about a mine that names the rules above."""
    asked = Scenario.model_validate(
        {**SCENARIO, "project": "mine", "own_rules": [o.model_dump(by_alias=True) for o in own]}
        | {"local": [{"citation": "code", **x} for x in local], **keys}
    )
    generic = {r.id: r for r in BOOK}
    chosen = generic | {o.id: o for o in own}
    entries = [LocalRule.model_validate({"citation": "code", **x}) for x in rulebook]
    return overstepped(asked, generic, [chosen[i] for i in sorted(chosen)], entries)


def override(name, treatment=None, **more):
    given = {"treatment": treatment} if treatment else {}
    return said(overrides=[{"rule": name, "basis": "decided", **given, **more}])


def changed(one, **keys):
    return type(one).model_validate({**one.model_dump(by_alias=True), **keys})


# ── decisions about single rules ──────────────────────────────────────────────────────────────
@pytest.mark.parametrize("name", ["park", "order"])
@pytest.mark.parametrize("treatment", [None, {"tier": "flag"}, {"tier": "avoid", "factor": "0"}])
def test_a_statute_or_a_withdrawal_is_made_weaker_with_its_case_only(name, treatment):
    (found,) = override(name, treatment)
    assert found.startswith(f"overrides: rule {name} rests on a ")
    assert "is weaker than exclude" in found
    assert "case" in found
    assert override(name, treatment, case="NVN-1234") == []
    assert len(override(name, treatment, case="  ")) == 1


def test_a_shorter_setback_is_weaker_and_a_longer_one_is_not():
    assert override("park", {"tier": "exclude", "setback": "999 m"})
    assert override("park", {"tier": "exclude", "setback": "1 km"}) == []
    assert override("park", {"tier": "exclude", "setback": "2 km"}) == []


def test_practice_is_the_projects_to_decide():
    assert override("habit") == []
    assert override("habit", {"tier": "flag"}) == []


@pytest.mark.parametrize("treatment", [None, {"tier": "flag"}, {"tier": "avoid", "factor": "0.6"}])
def test_no_case_makes_a_sovereign_rule_weaker(treatment):
    (found,) = override("tribe", treatment, case="1")
    assert found.startswith("overrides: rule tribe is about sovereign land")
    assert override("tribe", {"tier": "exclude"}) == []
    assert override("tribe", {"tier": "avoid", "factor": "0.4"}) == []


def test_what_is_known_of_sites_only_excludes_no_cell():
    (found,) = override("split", {"tier": "exclude"})
    assert "known of sites, not of cells: it cannot exclude" in found
    assert override("split", {"tier": "avoid", "factor": "0.5"}) == []


# ── rules of the project's own ────────────────────────────────────────────────────────────────
def test_an_own_rule_does_not_take_the_place_of_a_statute_to_weaken_it():
    (found,) = said(own=[changed(PARK, mine={"tier": "flag"})])
    assert found == (
        "own_rules: rule park rests on a statute: flag is weaker than exclude 1 km; "
        "write an override and its case"
    )
    assert said(own=[changed(PARK, mine={"tier": "exclude", "setback": "2 km"})]) == []


@pytest.mark.parametrize(
    "keys",
    [
        {"layer": "x/empty"},
        {"where": "name = 'nothing'"},
        {"authority": "practice"},
        {"valid_to": "2020-01-01"},
        {"disposal": "leasable"},
        {"needs_federal_funding": "true"},
        {"inside": "x/empty"},
        {"subject": {"kind": "boundary"}},
    ],
)
def test_nor_does_it_speak_of_something_else_in_its_place(keys):
    (found,) = said(own=[changed(PARK, **keys)])
    assert f"its {next(iter(keys))} would be another; give your rule an id of its own" in found
    assert said(own=[changed(HABIT, **keys)]) == []


def test_a_rule_that_is_sovereign_stays_so():
    (found,) = said(own=[changed(TRIBE, sovereign="false")])
    assert "is about sovereign land, and its sovereign would be another" in found


# ── inclusions ────────────────────────────────────────────────────────────────────────────────
def lift(*names, layer="x/case", **more):
    return said(own=[rule("mercy", {"tier": "include", "lifts": list(names), **more}, layer=layer)])


def test_an_inclusion_names_rules_that_there_are_and_may_be_lifted():
    assert lift("habit") == []
    assert lift("park", "order", case="NVN-1") == []
    found = lift("park", "order", "tribe", "nobody")
    assert [line.partition("(include): ")[2] for line in found] == [
        "lifts: rule park rests on a statute; give the number or file of the case (case: …)",
        "lifts: rule order rests on a withdrawal; give the number or file of the case (case: …)",
        "lifts: rule tribe is about sovereign land, and nothing lifts it",
        "lifts: the chosen rule sets have no rule 'nobody'",
    ]


def test_no_case_lifts_a_sovereign_rule():
    (found,) = lift("tribe", case="NVN-1")
    assert "nothing lifts it" in found


@pytest.mark.parametrize(
    "layer",
    ["land/mining_claims", "land/mining_claims_closed", "land/plans_of_operations", "land/notices"],
)
def test_a_claim_lifts_nothing(layer):
    (found,) = lift(layer=layer)
    assert "a claim lifts no withdrawal: valid existing rights are possible; BLM decides" in found
    assert len(lift("order", layer=layer, case="NVN-1")) == 1


def test_an_override_that_includes_is_weighed_as_an_inclusion():
    found = override("habit", {"tier": "include", "lifts": ["park"]})
    assert len(found) == 1
    assert found[0].startswith("rule habit (include): lifts: rule park rests on a statute")


# ── local rules ───────────────────────────────────────────────────────────────────────────────
COUNTY = {"counties": ["32013"]}


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("steep", "is about cells of a raster and has no setback to replace"),
        ("cap", "has a cap and no setback to replace"),
        ("near", "says require within 5 km and has no setback to replace"),
    ],
)
def test_what_has_no_setback_has_no_local_one(name, why):
    (found,) = said(local=[{"rule": name, "setback": "1 km", **COUNTY}])
    assert found.startswith(
        f"local: rule {name} in 32013: the rule {why}; write a rule of your own"
    )
    (found,) = said(rulebook=[{"rule": name, "setback": "1 km", **COUNTY}])
    assert found.startswith(f"local.yaml: rule {name} in 32013")


def test_a_county_may_be_stricter_than_a_statute_and_not_more_permissive():
    assert said(local=[{"rule": "park", "setback": "2 km", **COUNTY}]) == []
    for entry in ({"setback": "100 m"}, {"applies": "false"}):
        (found,) = said(local=[{"rule": "park", **entry, **COUNTY}])
        assert "rests on a statute, which a regulation does not make weaker" in found
        assert said(local=[{"rule": "park", "authority": "statute", **entry, **COUNTY}]) == []
        assert said(local=[{"rule": "habit", **entry, **COUNTY}]) == []


def test_no_local_rule_weakens_a_sovereign_one():
    (found,) = said(local=[{"rule": "tribe", "applies": "false", "authority": "statute", **COUNTY}])
    assert "sovereign land; nothing lifts or weakens it" in found


def test_local_rules_about_rules_that_are_not_chosen_are_no_fault_of_the_scenario():
    assert said(rulebook=[{"rule": "elsewhere", "setback": "1 km", **COUNTY}]) == []


def test_all_faults_are_told_at_once():
    found = said(
        own=[rule("mercy", {"tier": "include", "lifts": ["tribe"]}, layer="land/notices")],
        local=[{"rule": "steep", "setback": "1 km", **COUNTY}],
        overrides=[{"rule": "park", "basis": "x"}, {"rule": "tribe", "basis": "x"}],
    )
    assert len(found) == 5


# ── weaker ────────────────────────────────────────────────────────────────────────────────────
TREATMENTS = treatments(("exclude", "require", "avoid", "mitigate", "flag")).map(
    lambda mine: rule("x", mine).mine
)


@given(TREATMENTS)
def test_nothing_is_weaker_than_itself_and_no_rule_is_weaker_than_any(one):
    assert not weaker(one, one)
    assert weaker(None, one)
    assert not weaker(one, None)


@given(TREATMENTS, TREATMENTS, TREATMENTS)
def test_not_weaker_is_handed_on(one, two, three):
    if not weaker(one, two) and not weaker(two, three):
        assert not weaker(one, three)


@given(metres(), metres(), st.sampled_from(("exclude", "flag")))
def test_of_two_setbacks_the_shorter_is_weaker(one, two, tier):
    a, b = (rule("x", {"tier": tier, "setback": f"{m:g} m"}).mine for m in (one, two))
    assert weaker(a, b) == (one < two)


def scaled(setback, *steps):
    keys = {"field": "kv", "steps": [{"from": str(v), "setback": s} for v, s in steps]}
    return rule("x", {"tier": "exclude", "setback": setback, "scaled": keys}).mine


def test_a_scaled_setback_is_weaker_where_any_feature_could_have_less():
    plain = rule("x", {"tier": "exclude", "setback": "100 m"}).mine
    assert weaker(plain, scaled("50 m", (230, "200 m")))
    assert weaker(scaled("50 m", (230, "200 m")), plain)
    assert not weaker(scaled("100 m", (230, "200 m")), plain)
    assert weaker(scaled("100 m", (230, "90 m")), plain)
    assert not weaker(scaled("100 m", (230, "200 m")), scaled("50 m", (230, "200 m")))
    by_height = {"field": "h", "times": "1.1", "at_most": "500 m"}
    assert weaker(
        rule("x", {"tier": "exclude", "setback": "1 km", "scaled": by_height}).mine, plain
    )
