"""The text pages of a run folder, in Markdown: README.md and CITATIONS.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geosite.report.facts import parts_of, rank_words, rule_said, share_words, surface_said
from geosite.report.palette import agency
from geosite.report.pathways import pathways_section, permit_citations
from geosite.report.reviews import reviews_section
from geosite.report.robustness import robustness_section
from geosite.report.text import escaped_table as _escaped
from geosite.report.text import markdown, number, plain, split_names
from geosite.report.text import table as _table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from geosite.report.content import Content, CriterionLabel, LayerLabel

_QUESTION = {
    "mine": "Where on the land that was asked about could a mine go?",
    "refinery": "Where on the land that was asked about could a mineral processing plant go?",
}
_FILES = (
    ("map.html", "the map; opens in a browser"),
    ("sites.csv", "all sites with every measure, score and reason"),
    ("sites.parquet", "the same with exact outlines and every digit"),
    (
        "sites.gpkg",
        "for a GIS; layers sites, parcels (the register), exclusions, deposits, aoi",
    ),
    (
        "robustness.csv",
        "per site: ranks under other weights and other rules, and what weight would drop it",
    ),
    ("readiness.svg", "readiness against supply impact, where both are known of a site or more"),
    ("inventory.csv", "parcels and the deposits on them, with longitude and latitude"),
    ("deposits.csv", "the records of each deposit, one row a record, with their source"),
    ("removed.csv", "land that each hard rule takes, and takes alone"),
    ("matrix.parquet", "decision matrix of the sites, from which `geosite rank` ranks them anew"),
    ("rule_sets.parquet", "cells by the set of rules that speak against them or cannot tell"),
    (
        "surfaces.zarr",
        "cell by cell: status, planes (rules as bits), parcel, measures, effective scores",
    ),
    ("suitability.tif", "0–1 per cell, nodata where there is none"),
    ("status.tif", "0 outside, 1 not offered, 2 excluded, 3 unknown, 4 clear"),
    ("CITATIONS.md", "every dataset with its licence, every rule with its authority"),
    ("run.json", "what was asked, with versions, hashes, counts and warnings"),
)
_LIKELIHOOD = (
    "evidence surface, a band each: likelihood L / (1 + L), where L is the density of deposits "
    "over that of the state's land (0.5 is ordinary land; no probability), its uncertainty, the "
    "percentile within the state [%]; its method stands in run.json"
)
_LIKELIHOOD_FILES = (
    ("likelihood.tif", _LIKELIHOOD),
    ("likelihoods/", "the likelihood of single commodities, a file each"),
)
_AROUND = (
    "what the map is drawn on (borders, towns, roads, rail, water, infrastructure), simplified"
)
_CONTEXT_FILES = (("context.gpkg", _AROUND),)
_REVIEW_FILES = (
    ("reviews.csv", "what each decision of a reviewer changed, beside its reason"),
    (
        "reviews.yaml",
        "the decisions as they were applied; their land is layer reviews of sites.gpkg",
    ),
)
_RULE_HEADS = (
    "rule", "title", "tier", "authority", "citation", "evidence", "layer", "exceptions",
    "consultation", "permits", "who can act", "in force", "note",
)  # fmt: skip
_NOT_LAW = "practice, not law"


def readme_text(content: Content) -> str:
    """README.md of a run: question, ten best, what is not known, how to read it, disclaimer."""
    parts = [
        _head(content, content.title),
        _question(content),
        _best(content),
        robustness_section(content),
        reviews_section(content.reviews),
        _removed(content),
        pathways_section(content),
        _owners(content),
        _left_out(content),
        _not_known(content),
        _reading(content),
        "## Files",
        _table(("file", "what it holds"), _files(content)),
        _foot(content),
    ]
    return "\n\n".join(p for p in parts if p) + "\n"


def _files(content: Content) -> tuple[tuple[str, str], ...]:
    surface = () if content.likelihood is None else _LIKELIHOOD_FILES
    around = _CONTEXT_FILES if content.context else ()
    return _FILES + surface + around + (_REVIEW_FILES if content.reviews else ())


def citations_text(content: Content) -> str:
    """CITATIONS.md of a run: every dataset with licence, every rule with authority."""
    layers = [
        (x.id, x.title, x.agency, x.vintage, x.licence, x.citation, x.status)
        for x in _by_id({**_around(content), **{x.id: x for x in content.layers}}.values())
    ]
    rules = [
        (
            r.id, r.title, r.tier, r.authority, r.citation, r.evidence, r.layer,
            "; ".join(r.exceptions), r.consultation, "; ".join(r.permits), r.who_can_act, r.dates,
            "; ".join(t for t in (_NOT_LAW if r.authority == "practice" else "", r.note) if t),
        )
        for r in sorted(content.rules, key=lambda r: r.id)
    ]  # fmt: skip
    parts = [
        _head(content, f"Sources of: {plain(content.title)}"),
        "## Datasets",
        _escaped(("layer", "title", "agency", "vintage", "licence", "citation", "status"), layers),
        _fetched(content),
        _problems(content),
        "## Rules",
        _escaped(_RULE_HEADS, rules),
        _resolved(content),
        _unasked(content),
        _authorities(content),
        permit_citations(content),
        _foot(content),
    ]
    return "\n\n".join(p for p in parts if p) + "\n"


def _fetched(content: Content) -> str:
    if not content.fetched:
        return ""
    rows = [(f.path, f.retrieved, f.edited, f.url) for f in content.fetched]
    heads = ("file", "retrieved", "last edited", "from")
    text = "What was fetched from official services; its SHA-256 stands in `run.json`."
    return f"## Retrieved\n\n{text}\n\n{_escaped(heads, rows)}"


def _problems(content: Content) -> str:
    known = [f"{x.id}: {x.problems}" for x in _by_id(content.layers) if x.problems]
    return "## Known problems of the datasets\n\n" + _bullets(known) if known else ""


def _resolved(content: Content) -> str:
    """Whose voice is heard of each rule, with the sources of local rules and decisions."""
    if not content.resolution:
        return ""
    local = [
        (r.id, x.place, x.instead, x.authority, x.citation, x.evidence, x.note)
        for r in content.rules
        for x in r.local
    ]
    decided = [(r.id, d.instead, d.of, d.basis, d.case) for r in content.rules if (d := r.decision)]
    heads = ("rule", "where", "instead", "authority", "citation", "evidence", "note")
    text = "A decision of the project goes before a local rule, and that before the rulebook's."
    parts = ["## Whose voice is heard", text, _bullets(content.resolution)]
    if local:
        parts += ["### Local rules", _escaped(heads, local)]
    if decided:
        parts += [
            "### Decisions of the project",
            _escaped(("rule", "it says", "instead of", "basis", "case"), decided),
        ]
    return "\n\n".join(parts)


def _unasked(content: Content) -> str:
    if not content.unasked:
        return ""
    rows = [(x.id, x.title, x.citation, x.evidence, x.reason) for x in content.unasked]
    heads = ("rule", "title", "citation", "evidence", "why")
    return f"## Rules that were not asked\n\n{_escaped(heads, rows)}"


def _authorities(content: Content) -> str:
    if not content.authorities:
        return ""
    rows = [
        (a.agency, a.authority, a.disposal, a.citation, a.evidence, a.note)
        for a in content.authorities
    ]
    heads = ("owner", "authority", "minerals", "citation", "evidence", "note")
    text = "By which law land of these owners could be made available."
    return f"## Land authorities\n\n{text}\n\n{_escaped(heads, rows)}"


def _around(content: Content) -> dict[str, LayerLabel]:
    return {x.layer.id: x.layer for x in content.context_labels.values()}


def _by_id(layers: Iterable[LayerLabel]) -> list[LayerLabel]:
    return sorted(layers, key=lambda x: x.id)


def _head(content: Content, title: str) -> str:
    lines = [f"# {markdown(title, 300)}"]
    if content.synthetic:
        lines.append("**SYNTHETIC WORLD: nothing below is a real place.**")
    lines.append(f"*{markdown(content.disclaimer)}*")
    lines.append(f"Marking: {markdown(content.marking, 300)}")
    return "\n\n".join(lines)


def _foot(content: Content) -> str:
    return f"---\n\n{markdown(content.disclaimer)} {markdown(content.marking, 300)}"


def _question(content: Content) -> str:
    words = ("excluded by a hard rule", "unknown", "clear")
    offered = sum(content.offered)
    table = [
        (word, _ha(area), f"{100 * area / offered:.1f} %")
        for word, area in zip(words, content.offered, strict=True)
        if offered
    ]
    question = _QUESTION.get(content.project, f"Project: {markdown(content.project)}")
    return (
        f"## The question\n\n{question}\n\nArea: {markdown(content.aoi_name, 300)}. Sites found: "
        f"{len(content.sites):,}.\n\n{_table(('offered land', 'area', 'share'), table)}"
    )


def _best(content: Content) -> str:
    sites = content.sites
    if sites.empty:
        return "## Ten best\n\nNo site was found."
    if "rank" in sites:
        sites = sites.sort_values("rank", kind="stable")
    heads = (
        "rank", "tier", "site", "name", "agency", "county", "suitability", "low–high",
        "weight measured", "rules could tell", "area", "unknown",
    )  # fmt: skip
    rows = [_best_row(site) for site in sites.head(10).to_dict("records")]
    text = (
        "Low–high is the suitability with all that is not known at its worst and at its best; the "
        "ranks in brackets are those that the site may have once it is known. The weight measured "
        "is the share of the criteria's weight that was known; the rules could tell of a share of "
        "the site, each rule and each cell counted once."
    )
    return f"## Ten best\n\n{_escaped(heads, rows)}\n\n{text}"


def _best_row(site: Mapping[object, object]) -> tuple[str, ...]:
    score, told = number(site.get("suitability")), number(site.get("coverage_pct"))
    low, high = number(site.get("suitability_low")), number(site.get("suitability_high"))
    known = number(site.get("known_weight_pct"))
    place = ", ".join(t for k in ("county", "state") if (t := plain(site.get(k), 80)))
    return (
        rank_words(site),
        plain(site.get("tier"), 12),
        plain(site.get("site_id"), 80),
        plain(site.get("name"), 120) or "unnamed",
        agency(plain(site.get("agency"), 60))[0],
        place,
        "unknown" if score is None else f"{score:.2f}",
        "" if low is None or high is None else f"{low:.2f}–{high:.2f}",
        "" if known is None else share_words(known),
        "" if told is None else share_words(told),
        _ha(number(site.get("area_ha"))),
        _ha(number(site.get("unknown_ha"))),
    )


def _removed(content: Content) -> str:
    hard = sorted(
        (r for r in content.rules if r.tier in ("exclude", "require")),
        key=lambda r: (-r.removed_ha, r.id),
    )
    if not hard:
        return ""
    rows = [(r.title, _ha(r.removed_ha), _ha(r.alone_ha), r.authority, r.citation) for r in hard]
    table = _escaped(("rule", "speaks against", "alone", "authority", "citation"), rows)
    return f"## What the rules took\n\nRules overlap, so the areas do not add up.\n\n{table}"


def _owners(content: Content) -> str:
    if not content.owners:
        return ""
    rows = [
        (agency(o.agency)[0], o.status, f"{o.parcels:,}", _ha(o.area_ha), o.reason or "ranked")
        for o in content.owners
    ]
    heads = ("owner", "status", "parcels", "area", "why it is not ranked")
    return f"## Whose land it is\n\n{_escaped(heads, rows)}"


def _left_out(content: Content) -> str:
    if not content.left_out:
        return ""
    rows = [(reason, f"{n:,}", _ha(area)) for reason, n, area in content.left_out]
    return f"## What became no site\n\n{_escaped(('reason', 'number', 'area'), rows)}"


def _not_known(content: Content) -> str:
    titles = {r.id: r.title for r in content.rules}
    unseen, warnings = _unseen(content)
    names = content.sites.get("not_examined", ())
    examined = {titles.get(n, n) for value in names for n in split_names(value)}
    examined -= {plain(c.title) for c in unseen}
    lines = [
        *(f"Could not be asked: {titles.get(r, r)}" for r in content.unknown_rules),
        *(f"Criterion without a score at any site: {c.title}{why}" for c, why in unseen.items()),
        *(f"Not examined at one site or more: {name}" for name in sorted(examined)),
        *warnings,
        *(f"{x.title} ({x.id}): {x.problems}" for x in _decisive(content)),
        (
            "What only people know: conditions on the ground, title and records, consultation with "
            "Tribal Nations and the public. No layer here stands in for them."
        ),
    ]
    return "## What the ranking does not know\n\n" + _bullets(lines)


def _unseen(content: Content) -> tuple[dict[CriterionLabel, str], list[str]]:
    """Criteria without a score anywhere, each with the warning that says why; other warnings."""
    found: dict[CriterionLabel, str] = {}
    warnings = list(content.warnings)
    for c in content.criteria:
        said = [w for w in warnings if w.startswith(f"criterion {c.id} runs as unknown")]
        scores = content.sites.get(f"effective_{c.id}")
        if said or (scores is not None and len(scores) and scores.isna().all()):
            found[c] = "".join(f" ({w.partition(': ')[2]})" for w in said if ": " in w)
            warnings = [w for w in warnings if w not in said]
    return found, warnings


def _decisive(content: Content) -> list[LayerLabel]:
    return [x for x in _by_id(content.layers) if x.decisive and x.problems]


def _tiers(content: Content) -> str:
    if content.tiers is None:
        return ""
    a, b, known = content.tiers
    return (
        f"Tier A begins at a suitability of {a:g} with at least {100 * known:g} % of the weight "
        f"measured, tier B at {b:g}; the rest is tier C. A site with a fatal flaw is in tier C."
    )


def _reading(content: Content) -> str:
    total = {
        "sum": "For each site the columns `contribution_…` sum to `suitability`.",
        "logarithm": (
            "For each site the columns `contribution_…` sum to the logarithm of `suitability`."
        ),
        "none": "The rule is no sum of parts: the columns `contribution_…` are empty.",
    }[parts_of(content)]
    weights = [
        (c.title, f"{100 * c.weight:.1f} %", "yes" if c.critical else "") for c in content.criteria
    ]
    parts = [
        "## How to read it",
        (
            "*Excluded* means that a hard rule speaks against the place. *Unknown* means that "
            "none does, but one cannot tell. *Clear* means that every hard rule was asked and "
            "none speaks against it; it does not mean that the place is allowed."
        ),
        (
            f"Scores run from 0 (worst) to 1 (best) between stated points. {total} Small "
            "differences in suitability are no ground for preferring one site to another."
        ),
        rule_said(content),
        _surface(content),
        _tiers(content),
        _escaped(("criterion", "weight", "critical"), weights),
    ]
    return "\n\n".join(p for p in parts if p)


def _surface(content: Content) -> str:
    said = surface_said(content)
    share = "`likelihood_pct` is the share of the state's land that lies lower on it [%], "
    return said and f"The evidence surface, `likelihood.tif`: {said} {share}a median over the site."


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"* {markdown(line, 1000)}" for line in lines)


def _ha(hectares: float | None) -> str:
    return "" if hectares is None else f"{hectares:,.0f} ha"
