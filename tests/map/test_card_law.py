"""Rules, permits and pathways of the cards: each once, with its citation."""

from __future__ import annotations

import dataclasses

from geosite.map.card_law import CERTAIN, LISTS, law_block
from geosite.map.shared import Shared
from geosite.report.content import DecisionLabel, LocalLabel, PathwayLabel, PermitLabel
from tests.browser.toycontent import RULES, toy_content

PERMITS = (
    PermitLabel("plan", "Plan of operations", "approval", "federal", "BLM", "43 CFR 3809.11",
                "confirmed", ("30 days [43 CFR 3809.411]",), "a toy report", "",
                (1.0, 24.0, 132.0)),
    PermitLabel("water-right", "Water right", "permit", "water", "State engineer", "NRS 533",
                "to be confirmed"),
)  # fmt: skip
PATHWAYS = (
    PathwayLabel("ordinary", "Ordinary approval", (1.0, 24.0, 132.0), "measured", "2016", "43 CFR",
                 "a toy report", "confirmed"),
    PathwayLabel("lease", "Lease", None, "", "2016", "43 CFR 3500", "none"),
)  # fmt: skip


def block(rows, **changed):
    shared = Shared()
    content = toy_content(permits=PERMITS, pathways=PATHWAYS, **changed)
    return law_block(content, rows, shared), shared


def titles(law, shared, column, table, i):
    return [law[table][k]["title"] for k in shared.sets[law["named"][column][i]]]


def test_every_list_of_rules_of_a_site_is_kept_in_its_order():
    rows = [dict.fromkeys(LISTS, "sage-grouse; lakes"), dict.fromkeys(LISTS, ""), {}]
    law, shared = block(rows)
    for column in LISTS:
        assert titles(law, shared, column, "rules", 0) == [
            "Sage-grouse habitat", "Lakes and reservoirs",
        ]  # fmt: skip
        assert titles(law, shared, column, "rules", 1) == []
        assert titles(law, shared, column, "rules", 2) == []


def test_a_name_that_the_run_does_not_explain_stays_as_it_is():
    law, shared = block([{"rules_flag": "a rule of old"}, {"rules_flag": "a rule of old"}])
    assert titles(law, shared, "rules_flag", "rules", 1) == ["a rule of old"]
    assert len(law["rules"]) == len(RULES) + 1


def test_permits_of_every_clock_are_those_that_are_needed():
    row = dict.fromkeys(CERTAIN, "water-right") | {"permits": "plan", "permits_possible": "plan"}
    law, shared = block([row])
    assert titles(law, shared, "permits", "permits", 0) == ["Plan of operations", "Water right"]
    assert titles(law, shared, "permits_possible", "permits", 0) == ["Plan of operations"]
    plan, water = law["permits"]
    assert plan["months"] == ["1", "24", "132"]
    assert plan["clocks"] == ["30 days [43 CFR 3809.411]"]
    assert plan["citation"] == "43 CFR 3809.11"
    assert "evidence" not in plan
    assert "months" not in water
    assert water["evidence"] == "to be confirmed"


def test_a_pathway_of_unknown_duration_is_found_by_its_name():
    law, shared = block([{"pathways": "ordinary; lease (duration unknown)"}])
    assert titles(law, shared, "pathways", "pathways", 0) == ["Ordinary approval", "Lease"]


def test_a_rule_says_all_that_the_run_says_of_it():
    full = dataclasses.replace(
        RULES[2], exceptions=("valid rights", "trails"), consultation="the State",
        permits=("plan", "unheard-of"), who_can_act="BLM", note="A note", dates="until 2030-01-01",
        evidence="to be confirmed", setback_m=100.0, reach_m=400.0, factor=0.5,
        local=(LocalLabel("Nye", "200 m", "ordinance", "Nye 1", "to be confirmed", "a note"),),
        decision=DecisionLabel("50 m", "setback 100 m", "a study", "case 7"),
    )  # fmt: skip
    law, _ = block([{}], rules=(full,))
    assert law["rules"] == [
        {
            "title": "Sage-grouse habitat", "tier": "avoid", "authority": "plan",
            "citation": "land use plan", "evidence": "to be confirmed", "setback_m": 100.0,
            "reach_m": 400.0, "factor": 0.5, "exceptions": "valid rights; trails",
            "consultation": "the State", "who": "BLM", "note": "A note",
            "dates": "until 2030-01-01",
            "local": ["Nye: 200 m [ordinance: Nye 1] to be confirmed a note"],
            "decided": "the project decided 50 m instead of setback 100 m: a study (case 7)",
            "permits": [0],
        }
    ]  # fmt: skip


def test_the_share_of_a_site_stands_beside_its_rule():
    rows = [{"rules_share_pct": "sage-grouse: 37.2; lakes: 100.0"}, {"rules_share_pct": ""}]
    law, shared = block(rows)
    ids = [r.id for r in RULES]
    assert shared.sets[law["shares"][0]] == [
        ids.index("sage-grouse"),
        372,
        ids.index("lakes"),
        1000,
    ]
    assert shared.sets[law["shares"][1]] == []


def test_a_share_that_is_none_and_a_run_that_kept_none_give_none():
    law, shared = block([{"rules_share_pct": "lakes: much; unheard-of: 3.0; lakes"}, {}])
    assert law["shares"] == []
    assert shared.sets == [[]]
