"""Permits and pathways of a run in Markdown, out of what its manifest says."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from geosite.report.content import PathwayLabel, PermitLabel, RelianceLabel
from geosite.report.text import escaped_table, markdown, split_names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geosite.report.content import Content

_SURE = (
    "permits", "consultations", "permits_state", "permits_water", "permits_power", "litigation",
)  # fmt: skip
_WHOSE = {
    "federal": "federal agencies",
    "state": "state and local",
    "water": "water rights",
    "power": "power",
    "litigation": "courts",
}


def permit_labels(manifest: Mapping[str, Any]) -> tuple[PermitLabel, ...]:
    """Permits of a manifest; none if it is older than they are."""
    return tuple(
        PermitLabel(
            p["id"],
            p["title"],
            p["kind"],
            p["track"],
            p["agency"],
            p["citation"],
            p.get("evidence") or "",
            tuple(f"{c['sets']} [{c['citation']}]" for c in p.get("clocks", ())),
            p.get("source") or "",
            p.get("note") or "",
            _months(p),
        )
        for p in manifest.get("permits", ())
    )


def _months(entry: Mapping[str, Any]) -> tuple[float, float, float] | None:
    months = entry.get("months")
    return (months["low"], months["likely"], months["high"]) if months else None


def pathway_labels(manifest: Mapping[str, Any]) -> tuple[PathwayLabel, ...]:
    """Pathways of a manifest; none if it is older than they are."""
    return tuple(
        PathwayLabel(
            p["id"],
            p["title"],
            _months(p),
            p.get("basis") or "",
            p["as_of"],
            p["citation"],
            p["source"],
            p.get("evidence") or "",
            p.get("note") or "",
        )
        for p in manifest.get("pathways", ())
    )


def reliance_labels(manifest: Mapping[str, Any]) -> tuple[RelianceLabel, ...]:
    """Net import reliance of a manifest's commodities."""
    return tuple(
        RelianceLabel(
            c,
            f["percent"],
            f["form"],
            f["year"],
            f["source"],
            f.get("evidence") or "",
            _supplier_words(f.get("main_supplier")),
        )
        for c, f in sorted(manifest.get("import_reliance", {}).items())
    )


def _supplier_words(supplier: Mapping[str, Any] | None) -> str:
    if not supplier:
        return ""
    share = supplier.get("percent")
    told = "share unknown" if share is None else f"{share} %"
    return (
        f"{supplier['country']}, {told} of imports of {supplier['form']}, {supplier['years']} "
        f"[{supplier['source']}; {supplier.get('evidence') or 'to be confirmed'}]"
    )


def pathways_section(content: Content) -> str:
    """Part of README.md: what is asked of the sites, by whom, and how long each pathway takes."""
    if not content.pathways or "permits" not in content.sites:
        return ""
    parts = [
        "## Permits and pathways",
        _lead(content),
        _pathways(content),
        _permits(content),
        _front(content),
    ]
    return "\n\n".join(p for p in parts if p)


def permit_citations(content: Content) -> str:
    """Part of CITATIONS.md: permits, pathways and supply figures with their sources."""
    if not content.pathways:
        return ""
    permits = [
        (p.id, p.title, p.agency, p.citation, p.evidence, p.source, p.note) for p in content.permits
    ]
    pathways = [
        (p.id, p.title, p.citation, p.source, p.as_of, p.evidence, p.note) for p in content.pathways
    ]
    figures = [
        (r.commodity, f"{r.percent} %", r.form, str(r.year), r.source, r.evidence, r.supplier)
        for r in _reliances(content)
    ]
    parts = [
        "## Permits and consultations",
        escaped_table(
            ("permit", "title", "agency", "citation", "evidence", "source of months", "note"),
            permits,
        ),
        "## Pathways",
        escaped_table(
            ("pathway", "title", "citation", "source of months", "as of", "evidence", "note"),
            pathways,
        ),
    ]
    if figures:
        heads = (
            "commodity", "net import reliance", "form", "year", "source", "evidence",
            "main supplier",
        )  # fmt: skip
        parts += ["## Supply figures", escaped_table(heads, figures)]
    if content.potential and "proposed_potential" in content.sites:
        parts += ["## Proposed mineral potential", markdown(content.potential)]
    return "\n\n".join(parts)


def _reliances(content: Content) -> list[RelianceLabel]:
    columns = [content.sites.get(c, ()) for c in ("commodities", "through_host")]
    there = {c for column in columns for text in column for c in split_names(text)}
    return [r for r in content.reliances if r.commodity in there]


def _lead(content: Content) -> str:
    notice = (
        "A mine needs an approved plan of operations or a lease: it is never notice-level. "
        if content.project == "mine"
        else ""
    )
    return (
        f"{notice}Months are of the federal decision only, as a source measured or stated them. "
        "State, water, power and court time stand apart; nothing is summed, because steps run side "
        "by side or one after another as the agencies decide. That a pathway is open says what may "
        "be asked for, not what will be decided."
    )


def _pathways(content: Content) -> str:
    named = [w for text in content.sites["pathways"] for w in split_names(text)]
    opened = Counter(w.partition(" (")[0] for w in named)
    rows = []
    for p in content.pathways:
        months = [f"{m:g}" for m in p.months] if p.months else ["unknown"] * 3
        rows.append(
            (
                p.title, f"{opened[p.id]:,} of {len(content.sites):,}", *months,
                p.basis if p.months else "", p.as_of, p.evidence, p.source,
            )
        )  # fmt: skip
    heads = (
        "pathway", "open to sites", "months: low", "likely", "high", "basis", "as of", "evidence",
        "source",
    )  # fmt: skip
    return escaped_table(heads, rows)


def _permits(content: Content) -> str:
    sites = content.sites
    sure = Counter(i for c in _SURE if c in sites for text in sites[c] for i in split_names(text))
    perhaps = Counter(i for text in sites.get("permits_possible", ()) for i in split_names(text))
    rows = [
        (
            p.title, p.agency, _WHOSE.get(p.track, p.track), f"{sure[p.id]:,}",
            f"{perhaps[p.id]:,}", "; ".join(p.clocks) or "none known", p.citation,
        )
        for p in content.permits
        if sure[p.id] or perhaps[p.id]
    ]  # fmt: skip
    heads = (
        "permit or consultation", "agency", "whose time", "sites", "sites, possible",
        "times that the law sets for a step", "citation",
    )  # fmt: skip
    return escaped_table(heads, rows) if rows else ""


def _front(content: Content) -> str:
    sites = content.sites
    if "readiness_front" not in sites:
        return ""
    unknown = int((sites["readiness"].isna() | sites["supply_impact"].isna()).sum())
    lacking = sorted({c for text in sites["supply_unknown"] for c in split_names(text)})
    names = (
        f" No figure of net import reliance was read for {', '.join(lacking)}." if lacking else ""
    )
    front = int(sites["readiness_front"].sum())
    drawn = (
        f"[readiness.svg](readiness.svg) draws readiness against supply impact: {front:,} "
        f"{'site is' if front == 1 else 'sites are'} on the front, where no other site is "
        "better in one of the two and as good in the other."
        if front
        else "Of no site are readiness and supply impact both known, so no front is drawn."
    )
    rest = markdown(
        f"Sites of which one of the two is unknown: {unknown:,} of {len(sites):,}.{names}"
        f"{_rests(content)} "
        "Supply impact is the net import reliance × (1 + the main supplier's share of the imports) "
        "/ 2 × the weight of the evidence, by judgement. "
        "Readiness, environmental conflict and supply impact stand beside suitability and do not "
        "enter it."
    )
    return f"{drawn} {rest}"


def _rests(content: Content) -> str:
    # An agency's word for a time is not a time that was measured, and readiness may rest on it.
    if "readiness_rests_on" not in content.sites:
        return ""
    counts = content.sites["readiness_rests_on"].value_counts()
    said = [
        f"{p.title} ({', '.join(filter(None, [p.basis, p.evidence]))}) of {counts[p.id]:,}"
        for p in content.pathways
        if counts.get(p.id, 0)
    ]
    if not said:
        return ""
    return f" Readiness rests on the quickest open pathway that has months: {'; '.join(said)}."
