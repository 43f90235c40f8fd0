"""Criteria, their weights per mille, and the rules that a reader may choose, for the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geosite.map.presets import presets
from geosite.model.combination import (
    NAMES,
    Combination,
    EvidenceGated,
    GeometricMean,
    Minimum,
    WeightedSum,
    rule_words,
)
from geosite.report.text import plain
from geosite.weighting import per_mille

if TYPE_CHECKING:
    from geosite.report.content import Content

_EVIDENCE = "evidence"
"""Criterion that gates where the run's own rule names no other."""


def weight_block(content: Content) -> dict[str, Any]:
    """Parts of the data block that a ranking in the browser rests on.

    Notes
    -----
    ``rule`` and each of ``rules`` is a rule as a scenario has it, and its ``title``; the run's
    own comes first. ``missing`` says what a score that is not known counts as.
    """
    shares = [c.weight for c in content.criteria]
    whole = per_mille(shares).astype(int).tolist() if any(shares) else [0] * len(shares)
    rules = _rules(content)
    return {
        "criteria": [
            {
                "id": c.id, "title": plain(c.title, 120), "unit": plain(c.unit, 40),
                "critical": c.critical,
                "weight": weight,
            }
            for c, weight in zip(content.criteria, whole, strict=True)
        ],
        "rule": rules[0],
        "rules": rules,
        "presets": presets(content),
        "missing": content.missing,
    }  # fmt: skip


def _rules(content: Content) -> list[dict[str, Any]]:
    ids = [c.id for c in content.criteria]
    own = dict(content.combination or {"kind": "weighted_sum"})
    offered: list[Combination] = [
        WeightedSum(kind="weighted_sum"),
        GeometricMean(kind="geometric_mean"),
        Minimum(kind="minimum"),
    ]
    if _EVIDENCE in ids:
        offered.append(EvidenceGated(kind="evidence_gated", evidence=_EVIDENCE))
    said = [own, *(r.model_dump(mode="json") for r in offered if r.kind != own["kind"])]
    return [rule | {"title": _title(rule)} for rule in said]


def _title(rule: dict[str, Any]) -> str:
    # A run from elsewhere may name a rule that this version does not know.
    return plain(rule_words(rule) if rule["kind"] in NAMES else rule["kind"], 120)
