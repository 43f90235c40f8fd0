"""The words beside the map, as HTML: question, ten best, legend, what is not known."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from geosite.report import palette
from geosite.report.facts import rule_said, surface_said
from geosite.report.text import markup, number, plain

if TYPE_CHECKING:
    from geosite.report.content import Content
    from geosite.report.drawings import Drawing

_LISTED = 12
"""Warnings and unknown rules that the sidebar lists; README.md has them all."""


def sidebar(content: Content, parts: list[Drawing]) -> str:
    """The sidebar; every stranger's word in it is escaped."""
    synthetic = '<p class="gs-synthetic">SYNTHETIC WORLD</p>' if content.synthetic else ""
    marking = markup(content.marking, 200)
    return f"""
<aside id="gs-side">
<header><p class="gs-marking">{marking}</p>{synthetic}
<h1>{markup(content.title, 200)}</h1>
<p class="gs-sub">{markup(content.aoi_name, 120)} ·
{markup(content.data_words, 120)}</p></header>
<div class="gs-scroll">
<p id="gs-waiting">The map is drawn by Leaflet, which this page loads from
cdn.jsdelivr.net. If you can read this, it could not be loaded.</p>
{_facts(content)}
<h2>Ten best</h2><ol id="gs-best"></ol>
{_legend(content)}
{_doubts(content, parts)}
</div>
<footer><p>{markup(content.disclaimer)}</p><p class="gs-marking">{marking}</p></footer>
</aside>
"""


def _facts(content: Content) -> str:
    offered = sum(content.offered)
    rows = list(zip(("excluded", "unknown", "clear"), content.offered, strict=True))
    shares = "".join(
        f'<span class="gs-{label}" style="flex-grow:{area:.0f}"></span>' for label, area in rows
    )
    words = " · ".join(f"{label} {_share(area, offered)}" for label, area in rows)
    noun = "site" if len(content.sites) == 1 else "sites"
    tiers = Counter(plain(t) for t in content.sites.get("tier", []))
    split = ", ".join(f"{tiers[t]} in tier {t}" for t in "ABC" if t in tiers)
    return (
        f"<p><b>{len(content.sites):,} {noun}</b>{f' ({split})' if split else ''} on "
        f"{offered:,.0f} ha of offered land.</p>"
        f'<div class="gs-shares">{shares}</div><p class="gs-sub">Offered land: {words}</p>'
        + (f'<p class="gs-sub">{markup(rule)}</p>' if (rule := rule_said(content)) else "")
    )


def _share(area: float, whole: float) -> str:
    if not whole:
        return "–"
    share = 100 * area / whole
    return f"{share:.0f} %" if share >= 1 or not area else "< 1 %"


def _legend(content: Content) -> str:
    ranks = [r for r in map(number, content.sites.get("rank", [])) if r is not None]
    classes = "".join(
        f'<li><i class="gs-swatch gs-fill" style="--c:{colour}"></i>{words}</li>'
        for words, colour in palette.rank_classes(int(max(ranks, default=1)))
    )
    footprint = (
        f'<li><i class="gs-swatch gs-line" style="--c:{palette.FOOTPRINT}"></i>Footprint that '
        "fits: a rectangle of all parts on eligible land of one parcel, drawn from near by; click "
        "an edge for its acres by tenure</li>"
        if content.footprints is not None and len(content.footprints)
        else ""
    )
    ramp = "".join(f'<i style="background:{c}"></i>' for c in palette.SUITABILITY)
    return f"""<h2>Legend</h2>
<p class="gs-key">Sites by rank</p><ul class="gs-row">{classes}</ul>
<p class="gs-key">Suitability of a cell</p><div class="gs-ramp">{ramp}</div>
<div class="gs-ends"><span>0 worst</span><span>1 best</span></div>
<ul class="gs-list">
<li><i class="gs-swatch gs-hatch" style="--c:{palette.UNKNOWN}"></i>Unknown: a hard rule cannot
tell here. Not the same as clear.</li>
<li><i class="gs-swatch gs-fill" style="--c:{palette.EXCLUDED}"></i>Excluded by at least one hard
rule; hover an outline for the rule and its citation</li>
<li><i class="gs-swatch gs-dot" style="--c:{palette.DEPOSIT}"></i>Mineral deposit or occurrence</li>
{footprint}</ul>
{_likelihood(content)}
<p class="gs-sub">Tiers: A, B and C by the scenario's stated cuts; a fatal flaw caps a site at C.
Small differences in suitability do not decide between two sites.
Pale fills are land by agency, as named in the layer list. Outlines are simplified for the
screen; sites.gpkg has them exactly.</p>"""


def _likelihood(content: Content) -> str:
    if content.likelihood is None:
        return ""
    classes = "".join(
        f'<li><i class="gs-swatch gs-fill" style="--c:{colour}"></i>{words}</li>'
        for _, colour, words in palette.LIKELIHOOD
    )
    return f"""<p class="gs-key">Mineral likelihood: share of its state's land that lies lower</p>
<ul class="gs-row">{classes}</ul>
<p class="gs-sub">Switched off at first. {markup(surface_said(content))}</p>"""


def _doubts(content: Content, parts: list[Drawing]) -> str:
    asked = {r.id: r.title for r in content.rules}
    unknown = [f"Could not be asked: {asked.get(r, r)}" for r in content.unknown_rules]
    hidden = [
        f"{p.title}: {p.left_out:,} not drawn at this scale or beyond the page's limit"
        for p in parts
        if p.left_out
    ]
    if content.is_mostly_unknown:
        hidden.insert(
            0,
            "Nearly all land that no rule excludes is unknown to at least one hard rule, so its "
            "hatching is switched off at first; each site names the rules",
        )
    lines = [*unknown, *hidden[:1], *content.warnings, *hidden[1:]]
    if not lines:
        return ""
    more = (
        f"<li>and {len(lines) - _LISTED:,} more in README.md</li>" if len(lines) > _LISTED else ""
    )
    items = "".join(f"<li>{markup(line, 300)}</li>" for line in lines[:_LISTED])
    return f'<h2>What the ranking does not know</h2><ul class="gs-doubts">{items}{more}</ul>'
