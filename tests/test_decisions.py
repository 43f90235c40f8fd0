"""Who may set aside what, and which of several decisions holds on a piece of land."""

from __future__ import annotations

from pathlib import Path

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from geosite.decisions import Decided, Overlay, contradictions, effect_of, refusals
from geosite.model.review import Decision, Reviews
from geosite.model.rule import Rule

WAYS = [
    {"decision": "accept"},
    {"decision": "dispute"},
    {"decision": "override", "finding": "holds"},
    {"decision": "override", "finding": "does not hold"},
]


def decision(**changes):
    told = {
        "site": "BLM-E1N1",
        "rule": "quiet",
        "reason": "seen on the ground",
        "role": "biologist, field office",
        "date": "2026-01-01",
    }
    return Decision.model_validate({k: v for k, v in {**told, **changes}.items() if v is not None})


def rule(tier="exclude", **changes):
    treatment = {"tier": tier} | ({"factor": 0.5} if tier == "avoid" else {})
    treatment |= {"lifts": ["quiet"]} if tier == "include" else {}
    told = {
        "id": "quiet",
        "title": "Quiet",
        "layer": "land/quiet",
        "mine": treatment,
        "authority": "plan",
        "citation": "made up",
    }
    return Rule.model_validate({**told, **changes})


def decided(effect, *box, **changes):
    return Decided(decision(**changes), "here", shapely.box(*box), effect, "words")


def overlay(*decisions):
    return Overlay(Path("run"), "0" * 64, decisions)


# ── what is written ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"reason": ""}, "reason"),
        ({"reason": "  "}, "reason"),
        ({"reason": None}, "reason"),
        ({"role": None}, "role"),
        ({"date": "yesterday"}, "year-month-day"),
        ({"date": "2026-02-30"}, "date"),
        ({"date": "86400"}, "year-month-day"),
        ({"date": "20260105"}, "year-month-day"),
        ({"area": "1,2,3,4"}, "site or area"),
        ({"site": None}, "site or area"),
        ({"decision": "override"}, "an override needs one"),
        ({"decision": "accept", "finding": "holds"}, "belongs to an override"),
        ({"decision": "reject"}, "accept"),
        ({"decision": "override", "finding": "holds", "case": " "}, "case"),
        ({"name": "Jo"}, "name"),
    ],
)
def test_a_decision_that_is_not_whole_is_refused(changes, words):
    with pytest.raises(ValidationError) as caught:
        decision(**{"decision": "dispute", **changes})
    assert words in str(caught.value)


def test_an_overlay_without_a_decision_is_refused():
    with pytest.raises(ValidationError):
        Reviews.model_validate({"run": "x", "decisions": []})


# ── what it changes ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("way", "effect"), [*zip(WAYS, [None, "in doubt", "holds", "set aside"], strict=True)]
)
@pytest.mark.parametrize("authority", ["regulation", "plan", "practice"])
def test_what_each_decision_changes(way, effect, authority):
    one = decision(**way)
    assert effect_of(one, rule(authority=authority))[0] == effect
    assert refusals(one, rule(authority=authority), rule().mine) == []


@pytest.mark.parametrize("authority", ["statute", "withdrawal"])
def test_a_statute_or_withdrawal_yields_to_a_case_alone(authority):
    firm = rule(authority=authority)
    dispute, aside = decision(decision="dispute"), decision(**WAYS[3])
    effect, words = effect_of(dispute, firm)
    assert effect is None
    assert "recorded" in words
    assert authority in words
    (refused,) = refusals(aside, firm, firm.mine)
    assert refused.startswith("case: ")
    assert "made up" in refused
    case = {"case": "NVNV105"}
    assert effect_of(decision(decision="dispute", **case), firm)[0] == "in doubt"
    assert refusals(decision(**WAYS[3], **case), firm, firm.mine) == []
    effect, words = effect_of(decision(**WAYS[3], **case), firm)
    assert effect == "set aside"
    assert "NVNV105" in words


@pytest.mark.parametrize("case", [None, "NVNV105"])
@pytest.mark.parametrize("tier", ["exclude", "flag", "avoid"])
@pytest.mark.parametrize("authority", ["statute", "practice"])
def test_nothing_makes_a_rule_about_sovereign_land_weaker(case, tier, authority):
    nation = rule(tier, sovereign=True, authority=authority)
    for way in WAYS:
        one = decision(**way, case=case)
        allowed = not refusals(one, nation, nation.mine)
        assert not (allowed and effect_of(one, nation)[0] in ("set aside", "in doubt"))
    assert effect_of(decision(**WAYS[2]), nation)[0] == "holds"


def test_an_overlay_lifts_no_exclusion_by_a_rule_that_includes():
    lifting = rule("include")
    (refused,) = refusals(decision(**WAYS[2]), lifting, lifting.mine)
    assert "lifts" in refused
    assert refusals(decision(**WAYS[3]), lifting, lifting.mine) == []


# ── which one holds ─────────────────────────────────────────────────────────────────────────


def test_decisions_keep_their_order_and_those_without_effect_are_left_out():
    found = overlay(
        decided("in doubt", 0, 0, 2, 2, decision="dispute"),
        decided(None, 0, 0, 1, 1, decision="dispute"),
        decided("holds", 1, 1, 3, 3, **WAYS[2], rule="other"),
        decided("set aside", 0, 0, 1, 1, **WAYS[3]),
    ).amendments
    assert [effect for _, effect in found["quiet"]] == ["in doubt", "set aside"]
    assert [*found] == ["other", "quiet"]
    assert found["quiet"][0][0].area == 4


def test_what_is_accepted_later_stands_again():
    dispute = decided("in doubt", 0, 0, 2, 2, decision="dispute")
    found = overlay(dispute, decided(None, 0, 0, 1, 2, decision="accept")).amendments
    ((left, effect),) = found["quiet"]
    assert effect == "in doubt"
    assert left.equals(shapely.box(1, 0, 2, 2))
    whole = decided(None, 0, 0, 2, 2, decision="accept")
    assert overlay(dispute, whole).amendments == {}
    assert [*overlay(whole, dispute).amendments] == ["quiet"]
    other = decided(None, 0, 0, 2, 2, decision="accept", rule="other")
    assert overlay(dispute, other).amendments["quiet"][0][0].area == 4


@given(st.lists(st.sampled_from(["quiet", "loud"]), max_size=6))
def test_accepting_changes_no_rule(rules):
    accepts = [
        decided(None, k, 0, k + 2, 2, decision="accept", rule=r) for k, r in enumerate(rules)
    ]
    assert overlay(*accepts).amendments == {}


def test_the_question_covers_every_word_and_the_land():
    one = decided("in doubt", 0, 0, 2, 2, decision="dispute")
    asked = overlay(one).asked
    assert overlay(one).asked == asked
    for other in (
        decided("in doubt", 0, 0, 2, 3, decision="dispute"),
        decided("in doubt", 0, 0, 2, 2, decision="dispute", reason="heard of"),
        decided("in doubt", 0, 0, 2, 2, decision="dispute", date="2026-01-02"),
        decided("in doubt", 0, 0, 2, 2, decision="dispute", role="geologist"),
    ):
        assert overlay(other).asked != asked


def test_two_words_on_one_day_contradict():
    yes, no = decision(decision="accept"), decision(decision="dispute")
    assert contradictions({0: yes, 1: yes}) == []
    (line,) = contradictions({0: yes, 3: no})
    assert line.startswith("decisions.3: decisions.0 says otherwise")
    assert contradictions({0: yes, 1: decision(decision="dispute", date="2026-01-02")}) == []
    assert contradictions({0: yes, 1: decision(decision="dispute", rule="other")}) == []
