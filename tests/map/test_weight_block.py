"""The page's weights are whole per mille, and its rules begin with the run's own."""

from __future__ import annotations

import pytest

from geosite.map.weight_block import weight_block
from geosite.model.combination import NAMES
from geosite.report.content import CriterionLabel
from tests.browser.hostile import PAYLOADS
from tests.browser.toycontent import toy_content

GATED = {"kind": "evidence_gated", "evidence": "evidence", "floor": 0.01}


def test_weights_are_whole_per_mille_by_largest_remainder():
    labels = tuple(CriterionLabel(i, i, 1 / 3, "") for i in ("rail", "power", "water"))
    found = weight_block(toy_content(criteria=labels))["criteria"]
    assert [c["weight"] for c in found] == [334, 333, 333]
    assert sum(c["weight"] for c in weight_block(toy_content())["criteria"]) == 1000


def test_the_runs_own_rule_comes_first_with_its_parameters_and_its_words():
    found = weight_block(toy_content(combination=GATED, missing="worst"))
    assert found["missing"] == "worst"
    assert found["rule"] == found["rules"][0] == GATED | {"title": NAMES["evidence_gated"]}
    kinds = [r["kind"] for r in found["rules"]]
    assert kinds == ["evidence_gated", "weighted_sum", "geometric_mean", "minimum"]
    assert [r["title"] for r in found["rules"]] == [NAMES[k] for k in kinds]


def test_the_gate_is_offered_where_there_is_evidence_only():
    found = weight_block(toy_content(combination={"kind": "topsis"}))["rules"]
    assert [r["kind"] for r in found] == [
        "topsis", "weighted_sum", "geometric_mean", "minimum", "evidence_gated",
    ]  # fmt: skip
    assert found[-1]["evidence"] == "evidence"
    plant = tuple(c for c in toy_content().criteria if c.id != "evidence")
    kinds = {r["kind"] for r in weight_block(toy_content(criteria=plant))["rules"]}
    assert "evidence_gated" not in kinds


def test_a_run_without_criteria_or_with_a_rule_of_another_day_is_shown():
    assert weight_block(toy_content(criteria=()))["criteria"] == []
    (own, *_) = weight_block(toy_content(combination={"kind": "new_rule"}))["rules"]
    assert own["title"] == "new_rule"


@pytest.mark.parametrize("payload", PAYLOADS)
def test_hostile_titles_stay_words(payload):
    labels = (CriterionLabel("rail", payload, 1.0, ""),)
    (found,) = weight_block(toy_content(criteria=labels))["criteria"]
    assert len(found["title"]) <= 121
