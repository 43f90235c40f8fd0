"""What was not examined, or not in full; a dossier opens with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geosite.catalog import open_unseen
from geosite.report.dossier_content import Gap, percent

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from geosite.planning import Plan
    from geosite.report.dossier_content import Finding, LayerFacts


def gaps_of_all(plan: Plan, findings: Sequence[Finding]) -> tuple[Gap, ...]:
    """What holds for every site alike, the first heading first."""
    by_layer: dict[str, tuple[LayerFacts, list[str]]] = {}
    for f in findings:
        # A rule of another state needs no layer here.
        if f.layer.missing and f.method != "none":
            continue
        _, rules = by_layer.setdefault(f.layer.id, (f.layer, []))
        if f.rule.id not in rules:
            rules.append(f.rule.id)
    out = [Gap("never", u.says, u.why, citation=u.citation) for u in open_unseen()]
    out += [
        Gap(
            "missing",
            f"{layer.title} ({id_})" if layer.title else id_,
            layer.missing,
            tuple(rules),
            id_,
        )
        for id_, (layer, rules) in sorted(by_layer.items())
        if layer.missing
    ]
    out += [Gap("not asked", i, why, (i,)) for i, why in sorted(plan.not_asked.items())]
    out += _unasked_everywhere(findings)
    there = [
        (i, facts, rules) for i, (facts, rules) in sorted(by_layer.items()) if not facts.missing
    ]
    out += [
        Gap("presence only", f"{facts.title} ({i})", "", tuple(rules), i)
        for i, facts, rules in there
        if not facts.absence_informative
    ]
    out += [
        Gap(
            "stale", f"{facts.title} ({i})",
            f"retrieved {facts.retrieved}, {facts.age_days:,} days before the day of the rules",
            tuple(rules), i,
        )
        for i, facts, rules in there
        if facts.stale
    ]  # fmt: skip
    if undated := [(i, rules) for i, facts, rules in there if not facts.retrieved]:
        out.append(
            Gap(
                "age not known",
                ", ".join(i for i, _ in undated),
                "files put there by hand: the vintage in the catalogue is all that is known",
                tuple(dict.fromkeys(r for _, rules in undated for r in rules)),
            )
        )
    return tuple(out)


def _unasked_everywhere(findings: Iterable[Finding]) -> list[Gap]:
    """Rules that were asked of no site although their layer is there."""
    asked: dict[str, list[Finding]] = {}
    for f in findings:
        asked.setdefault(f.rule.id, []).append(f)
    return [
        Gap("not asked", f"{some[0].rule.title} ({id_})", some[0].why, (id_,), some[0].layer.id)
        for id_, some in sorted(asked.items())
        if all(f.method == "none" for f in some) and not some[0].layer.missing
    ]


def gaps_of_site(site_id: str, findings: Sequence[Finding]) -> tuple[Gap, ...]:
    """What was not examined in full at one site only."""
    by_layer: dict[str, list[Finding]] = {}
    for f in findings:
        if f.method != "none" and f.covered < 1.0:
            by_layer.setdefault(f.layer.id, []).append(f)
    return tuple(
        Gap(
            "not covered",
            f"{some[0].layer.title} ({id_})",
            f"it speaks for {percent(some[0].covered)} of the site"
            if some[0].covered
            else "it does not speak for the site",
            tuple(f.rule.id for f in some),
            id_,
            site_id,
        )
        for id_, some in sorted(by_layer.items())
    )
