"""What the law says of each site, for its card: rules, permits and pathways, each written once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from geosite.report.text import number, plain, split_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from geosite.map.shared import Shared
    from geosite.report.content import Content, LocalLabel, PathwayLabel, PermitLabel, RuleLabel

LISTS = (
    "rules_avoid", "rules_mitigate", "rules_flag", "rules_include", "rules_possible",
    "rules_unknown", "rules_not_examined",
)  # fmt: skip
"""Columns of sites that name rules; the last two are of rules that cannot tell."""
CERTAIN = (
    "permits", "consultations", "permits_state", "permits_water", "permits_power", "litigation",
)  # fmt: skip
"""Columns of sites that name permits which are asked in any case."""
_LONG = 600
_SHARE = re.compile(r"\d{1,3}(\.\d)?")


def law_block(
    content: Content, sites: Sequence[Mapping[Any, Any]], shared: Shared
) -> dict[str, Any]:
    """Tables of rules, permits and pathways, and which of them each site names.

    Returns
    -------
    mapping
        ``rules``, ``permits``, ``pathways``: a mapping an entry, without what is empty;
        ``named``: column → a place in the table of sets for each site; ``shares``: the same, of
        sets that hold a rule, then the share of the site's cells that it touches [0.1 %], a rule
        after another. A name that the run does not explain is an entry with a title alone.
    """
    rules = {plain(r.id): _rule(r) for r in content.rules}
    permits = {plain(p.id): _permit(p) for p in content.permits}
    pathways = {plain(p.id): _pathway(p) for p in content.pathways}
    named = {c: _sets(rules, (split_names(s.get(c)) for s in sites), shared) for c in LISTS}
    named["permits"] = _sets(
        permits, ([i for c in CERTAIN for i in split_names(s.get(c))] for s in sites), shared
    )
    named["permits_possible"] = _sets(
        permits, (split_names(s.get("permits_possible")) for s in sites), shared
    )
    # A duration that is not known is said in brackets after the name.
    named["pathways"] = _sets(
        pathways,
        ([n.partition(" (")[0] for n in split_names(s.get("pathways"))] for s in sites),
        shared,
    )
    places = {name: k for k, name in enumerate(rules)}
    shares = [shared.set_of(_shares(s.get("rules_share_pct"), places)) for s in sites]
    asked = {name: k for k, name in enumerate(permits)}
    for rule in content.rules:
        some = [asked[p] for p in map(plain, rule.permits) if p in asked]
        rules[plain(rule.id)] |= {"permits": some} if some else {}
    return {
        "rules": list(rules.values()),
        "permits": list(permits.values()),
        "pathways": list(pathways.values()),
        "named": {c: sets for c, sets in named.items() if any(sets)},
        "shares": shares if any(shares) else [],
    }


def _sets(
    table: dict[str, dict[str, Any]], named: Iterable[list[str]], shared: Shared
) -> list[int]:
    places = {name: k for k, name in enumerate(table)}
    found = []
    for names in named:
        for name in names:
            if name not in places:
                places[name] = len(table)
                table[name] = {"title": plain(name, _LONG)}
        found.append(shared.set_of(places[n] for n in dict.fromkeys(names)))
    return found


def _shares(said: object, places: Mapping[str, int]) -> list[int]:
    pairs = (part.rpartition(": ")[::2] for part in split_names(said))
    return [
        value
        for name, share in pairs
        if name in places and _SHARE.fullmatch(share)
        for value in (places[name], round(10 * float(share)))
    ]


def _rule(rule: RuleLabel) -> dict[str, Any]:
    decision = rule.decision
    return _said(
        title=plain(rule.title, _LONG),
        tier=plain(rule.tier, 20),
        authority=plain(rule.authority, _LONG),
        citation=plain(rule.citation, _LONG),
        evidence=_doubt(rule.evidence),
        setback_m=number(rule.setback_m),
        reach_m=number(rule.reach_m) if rule.reach_m > rule.setback_m else None,
        factor=number(rule.factor),
        exceptions=plain("; ".join(rule.exceptions), _LONG),
        consultation=plain(rule.consultation, _LONG),
        who=plain(rule.who_can_act, _LONG),
        note=plain(rule.note, _LONG),
        dates=plain(rule.dates, 60),
        local=[_local(x) for x in rule.local],
        decided=plain(
            f"the project decided {decision.instead} instead of {decision.of}: {decision.basis}"
            + (f" ({decision.case})" if decision.case else ""),
            _LONG,
        )
        if decision
        else "",
    )


def _local(local: LocalLabel) -> str:
    parts = [f"{local.place}: {local.instead}", f"[{local.authority}: {local.citation}]"]
    parts += [t for t in (_doubt(local.evidence), local.note) if t]
    return plain(" ".join(parts), _LONG)


def _permit(permit: PermitLabel) -> dict[str, Any]:
    return _said(
        title=plain(permit.title, _LONG),
        kind=plain(permit.kind, 40),
        track=plain(permit.track, 40),
        agency=plain(permit.agency, _LONG),
        citation=plain(permit.citation, _LONG),
        evidence=_doubt(permit.evidence),
        months=[f"{m:g}" for m in permit.months] if permit.months else [],
        source=plain(permit.source, _LONG),
        clocks=[plain(c, _LONG) for c in permit.clocks],
        note=plain(permit.note, _LONG),
    )


def _pathway(pathway: PathwayLabel) -> dict[str, Any]:
    return _said(
        title=plain(pathway.title, _LONG),
        months=[f"{m:g}" for m in pathway.months] if pathway.months else [],
        basis=plain(pathway.basis, 80),
        as_of=plain(pathway.as_of, 40),
        citation=plain(pathway.citation, _LONG),
        source=plain(pathway.source, _LONG),
        evidence=_doubt(pathway.evidence),
        note=plain(pathway.note, _LONG),
    )


def _doubt(evidence: str) -> str:
    # That a citation was confirmed is what a reader expects; anything else is to be said.
    return "" if evidence == "confirmed" else plain(evidence, 80)


def _said(**entry: Any) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if value}
