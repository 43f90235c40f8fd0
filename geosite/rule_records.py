"""What ``run.json`` says of the rules: as they were resolved, and the land they left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geosite import phrases
from geosite.accounting import excluded_ha, no_land
from geosite.constraints import numbered

if TYPE_CHECKING:
    import pandas as pd

    from geosite.model.rule import Rule, Treatment
    from geosite.pipeline import Analysis
    from geosite.planning import Plan


def rule_records(plan: Plan, removed: pd.DataFrame) -> list[dict[str, Any]]:
    """Rules in force, in the plan's order: treatment, voices, source, and the land they take.

    Parameters
    ----------
    removed : DataFrame
        From `accounting.removal`.
    """
    taken = removed.set_index("rule").to_dict("index")
    return [
        {**_rule(plan, r, t), **{str(k): v for k, v in taken.get(r.id, {}).items()}}
        for r, t in zip(plan.rules, plan.treatments, strict=True)
    ]


def _rule(plan: Plan, rule: Rule, treatment: Treatment) -> dict[str, Any]:
    found = rule.model_dump(
        mode="json",
        include={
            "id", "title", "layer", "authority", "citation", "evidence", "note", "exceptions",
            "consultation", "permits", "who_can_act", "sovereign", "disposal", "valid_from",
            "valid_to",
        },
    )  # fmt: skip
    found |= {"tier": treatment.tier, "treatment": treatment.model_dump(mode="json")}
    if treatment.tier == "include":
        found["lifts"] = sorted(plan.lifts.get(rule.id, ()))
    if entries := plan.local.get(rule.id):
        found["local"] = [
            e.model_dump(mode="json", exclude={"rule"})
            | {"place": phrases.place(e), "instead": phrases.instead(e)}
            for e in entries
        ]
    if override := plan.overrides.get(rule.id):
        found["override"] = {
            "basis": override.basis,
            "case": override.case,
            "instead": phrases.said(treatment),
            "of": phrases.said(rule.treatment(plan.scenario.project)),
        }
    return found


def unasked_records(plan: Plan) -> list[dict[str, Any]]:
    """Rules of the chosen sets that are not asked, each with its citation and the reason."""
    return [
        r.model_dump(mode="json", include={"id", "title", "authority", "citation", "evidence"})
        | {"reason": plan.not_asked[r.id]}
        for r in plan.rulebook.rules(plan.scenario)
        if r.id in plan.not_asked
    ]


def excluded_land(analysis: Analysis) -> tuple[float, list[str]]:
    """Offered land that the rules exclude [ha], and lines that say so where nothing is left."""
    plan, offered = analysis.plan, analysis.prepared.inputs.offered
    sets, area = analysis.rule_sets, plan.grid.cell_area
    lifts = numbered([r.id for r in plan.rules], plan.lifts)
    excluded = excluded_ha(sets, plan.treatments, offered, cell_ha=area, lifts=lifts)
    return excluded, no_land(sets, analysis.removed, offered, excluded, cell_ha=area)
