"""What a scenario may not decide about the rules: faults, a line each.

A statute or a withdrawal is not made weaker without a case, sovereign land never, and no
claim lifts anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from geosite.model.rule import Include, Require
from geosite.phrases import place, said

if TYPE_CHECKING:
    from geosite.model.rule import LocalRule, Override, Rule, Treatment
    from geosite.model.scenario import Scenario

CLAIMS = frozenset(
    {
        "land/mining_claims",
        "land/mining_claims_closed",
        "land/plans_of_operations",
        "land/notices",
    }
)
"""Layers that record what somebody claims or plans; none of them is proof of a right."""
BINDING = frozenset({"statute", "withdrawal"})
"""Authorities that no scenario sets aside without a case."""
_HARD = ("exclude", "require")
_SOFT = {"flag": 0, "mitigate": 1, "avoid": 2}
_SCOPE = (
    "layer", "where", "subject", "inside", "inside_where", "disposal", "land_origin",
    "mineral_estate", "mineral_status", "authority", "sovereign", "valid_from", "valid_to",
    "needs_federal_funding",
)  # fmt: skip
"""Keys of a rule by which it speaks of some land or minerals, on some days, and how it binds."""


def overstepped(
    scenario: Scenario,
    generic: Mapping[str, Rule],
    rules: Sequence[Rule],
    local: Sequence[LocalRule],
) -> list[str]:
    """What a scenario decides that is not its to decide; empty if nothing.

    Parameters
    ----------
    generic : mapping of rule id to Rule
        Rules of the rule sets that the scenario names.
    rules : sequence of Rule
        The same with the scenario's own rules in their place.
    local : sequence of LocalRule
        Local rules of the rulebook.
    """
    project = scenario.project
    chosen = {r.id: r for r in rules}
    overrides = {o.rule: o for o in scenario.overrides if o.rule in chosen}
    found = [
        f"own_rules: {line}"
        for own in scenario.own_rules
        if own.id in generic
        for line in _replaced(own, generic[own.id])
    ]
    for id_, override in overrides.items():
        rule = generic.get(id_, chosen[id_])
        found += [f"overrides: {x}" for x in _overridden(override, rule, rule.treatment(project))]
    for rule in rules:
        treatment = rule.treatment(project)
        if rule.id in overrides:
            treatment = overrides[rule.id].treatment
        if treatment is not None and treatment.tier == "include":
            found += [
                f"rule {rule.id} (include): {x}"
                for x in _lifted(rule, treatment.lifts, treatment.case, {**generic, **chosen})
            ]
    entries = [("local", e) for e in scenario.local] + [("local.yaml", e) for e in local]
    for key, entry in entries:
        if entry.rule in chosen:
            rule = generic.get(entry.rule, chosen[entry.rule])
            found += [
                f"{key}: rule {rule.id} in {place(entry)}: {line}"
                for line in _localised(entry, rule, rule.treatment(project))
            ]
    return found


def weaker(new: Treatment | None, old: Treatment | None) -> bool:
    """Whether a treatment may let more pass than another; in doubt it may."""
    if new is not None and new.tier == "include":
        return True
    if old is None:
        return False
    if new is None or old.tier == "include":
        return new is None
    if new.tier == "require" or old.tier == "require":
        return not (new.tier == old.tier and new.reach <= old.reach)
    nearer = new.setback < old.setback if new.scaled == old.scaled else _least(new) < old.reach
    return nearer or _softer(new, old)


def _softer(new: Treatment, old: Treatment) -> bool:
    if new.tier in _HARD:
        return False
    if old.tier in _HARD:
        return True
    factor = float(getattr(new, "factor", 1.0)) > float(getattr(old, "factor", 1.0))
    return factor or _SOFT[new.tier] < _SOFT[old.tier]


def _least(treatment: Treatment) -> float:
    # Shortest setback that a treatment gives to any feature.
    if isinstance(treatment, Require | Include):
        return 0.0
    plain, scaled = treatment.setback, treatment.scaled
    if scaled is None:
        return plain
    # A factor times a small height is next to nothing.
    return min([plain, *(s.setback for s in scaled.steps)]) if scaled.steps else 0.0


def _binds(rule: Rule, treatment: Treatment | None) -> bool:
    # Whether nobody makes the treatment weaker without a case.
    return rule.authority in BINDING and treatment is not None and treatment.tier in _HARD


def _replaced(own: Rule, rule: Rule) -> Iterator[str]:
    # A rule of a project's own that takes the place of one that binds, for either project.
    pairs = ((rule.mine, own.mine), (rule.refinery, own.refinery))
    if not (rule.sovereign or any(_binds(rule, old) for old, _ in pairs)):
        return
    what = "is about sovereign land" if rule.sovereign else f"rests on a {rule.authority}"
    if changed := [k for k in _SCOPE if getattr(own, k) != getattr(rule, k)]:
        yield (
            f"rule {own.id} {what}, and its {', '.join(changed)} would be another; "
            "give your rule an id of its own, and leave this one as it is"
        )
    for old, new in pairs:
        if weaker(new, old) and (rule.sovereign or _binds(rule, old)):
            fix = (
                "nothing lifts or weakens it"
                if rule.sovereign
                else "write an override and its case"
            )
            yield f"rule {own.id} {what}: {said(new)} is weaker than {said(old)}; {fix}"


def _overridden(override: Override, rule: Rule, old: Treatment | None) -> Iterator[str]:
    new = override.treatment
    if weaker(new, old):
        change = f"{said(new)} is weaker than {said(old)}"
        if rule.sovereign:
            yield f"rule {rule.id} is about sovereign land: {change}; nothing lifts or weakens it"
        elif _binds(rule, old) and not _given(override.case):
            yield (
                f"rule {rule.id} rests on a {rule.authority}: {change}; give the number or file "
                "of the case (case: …)"
            )
    known_of_sites = {rule.land_origin, rule.mineral_estate, rule.mineral_status} != {"any"}
    if new is not None and new.tier in _HARD and known_of_sites:
        yield (
            f"rule {rule.id} speaks of an origin, estate or status of land that is known of "
            f"sites, not of cells: it cannot {new.tier}; use avoid, mitigate or flag"
        )


def _lifted(
    rule: Rule, names: Sequence[str], case: str | None, chosen: Mapping[str, Rule]
) -> Iterator[str]:
    if rule.layer in CLAIMS:
        yield (
            f"{rule.layer} shows claims, and a claim lifts no withdrawal: valid existing rights "
            "are possible; BLM decides"
        )
    for name in names:
        if name not in chosen:
            yield f"lifts: the chosen rule sets have no rule {name!r}"
        elif chosen[name].sovereign:
            yield f"lifts: rule {name} is about sovereign land, and nothing lifts it"
        elif chosen[name].authority in BINDING and not _given(case):
            yield (
                f"lifts: rule {name} rests on a {chosen[name].authority}; give the number or "
                "file of the case (case: …)"
            )


def _localised(entry: LocalRule, rule: Rule, old: Treatment | None) -> Iterator[str]:
    if old is None:
        return
    fix = f"write a rule of your own that is active inside {entry.inside or 'a layer of the area'}"
    if rule.reads_raster:
        yield f"the rule is about cells of a raster and has no setback to replace; {fix}"
    elif rule.subject.kind == "disturbance":
        yield f"the rule has a cap and no setback to replace; {fix}, with another cap"
    elif old.tier in ("require", "include"):
        yield f"the rule says {said(old)} and has no setback to replace; {fix}"
    else:
        new = old.model_copy(update={"setback": entry.setback, "scaled": None})
        if not weaker(new if entry.applies else None, old):
            return
        if rule.sovereign:
            yield "the rule is about sovereign land; nothing lifts or weakens it"
        elif _binds(rule, old) and entry.authority not in BINDING:
            yield (
                f"the rule rests on a {rule.authority}, which a {entry.authority} does not make "
                "weaker; say the authority that does, or override the rule with its case"
            )


def _given(case: str | None) -> bool:
    return bool(case and case.strip())
