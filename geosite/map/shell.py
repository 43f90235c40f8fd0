"""The panels beside the map, as HTML: question, boxes for the scripts, what is not known."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from geosite import assets
from geosite.map.naming import area_title
from geosite.report.facts import rule_said
from geosite.report.text import markup, plain

if TYPE_CHECKING:
    from geosite.map.content_block import Block
    from geosite.report.content import Content

_LISTED = 12
"""Warnings and unknown rules that the sidebar lists; README.md has them all."""


_TABS = (
    ("gs-tab-sites", "Sites"),
    ("gs-tab-weights", "Weights"),
    ("gs-tab-layers", "Layers"),
    ("gs-tab-about", "About"),
)


def shell(content: Content, block: Block) -> str:
    """The panels; every stranger's word in them is escaped. Scripts fill the empty boxes."""
    synthetic = '<p class="gs-synthetic">SYNTHETIC WORLD</p>' if content.synthetic else ""
    marking = markup(content.marking, 200)
    tabs = "".join(
        f'<button type="button" role="tab" id="{id_}-tab" aria-controls="{id_}" '
        f'aria-selected="{str(not i).lower()}" tabindex="{-1 if i else 0}">{words}</button>'
        for i, (id_, words) in enumerate(_TABS)
    )
    return f"""
<a class="gs-skip" href="#gs-tab-sites">Skip the map: to the table of sites</a>
<main id="gs-side" aria-label="Sites, weights and layers">
<header>
<p class="gs-marking">{marking}</p>{synthetic}
<h1>{markup(content.title, 200)}</h1>
<p class="gs-sub">{markup(area_title(content.aoi_name), 120)} ·
{markup(content.data_words, 120)}</p></header>
<p id="gs-waiting">The map is drawn by scripts. If you can read this, they could not be run or
could not be loaded. {markup(assets.note())}</p>
<div id="gs-tabs" role="tablist" aria-label="Panels">{tabs}</div>
<section id="gs-tab-sites" class="gs-panel" role="tabpanel" aria-labelledby="gs-tab-sites-tab"
 tabindex="0"><div id="gs-find"></div><div id="gs-table"></div><div id="gs-export"></div></section>
<section id="gs-tab-weights" class="gs-panel" role="tabpanel"
 aria-labelledby="gs-tab-weights-tab" tabindex="0" hidden><div id="gs-weights"></div></section>
<section id="gs-tab-layers" class="gs-panel" role="tabpanel"
 aria-labelledby="gs-tab-layers-tab" tabindex="0" hidden><div id="gs-layers"></div></section>
<section id="gs-tab-about" class="gs-panel" role="tabpanel"
 aria-labelledby="gs-tab-about-tab" tabindex="0" hidden>{_facts(content)}
{_linked()}{_doubts(content)}{_simplified(block)}</section>
<footer><p>{markup(content.disclaimer)}</p><p class="gs-marking">{marking}</p></footer>
</main>
<section id="gs-card" aria-label="Selected site" tabindex="-1" hidden></section>
<div id="gs-status" role="status" aria-live="polite"></div>
"""


def _linked() -> str:
    words = assets.note()
    return f'<p class="gs-linked">{markup(words)}</p>' if words else ""


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


def _doubts(content: Content) -> str:
    asked = {r.id: r.title for r in content.rules}
    unknown = [f"Could not be asked: {asked.get(r, r)}" for r in content.unknown_rules]
    hidden = []
    if content.is_mostly_unknown:
        hidden.append(
            "Nearly all land that no rule excludes is unknown to at least one hard rule, so its "
            "hatching is switched off at first; each site names the rules",
        )
    lines = [*unknown, *hidden, *content.warnings]
    if not lines:
        return ""
    more = (
        f"<li>and {len(lines) - _LISTED:,} more in README.md</li>" if len(lines) > _LISTED else ""
    )
    items = "".join(f"<li>{markup(line, 300)}</li>" for line in lines[:_LISTED])
    return f'<h2>What the ranking does not know</h2><ul class="gs-doubts">{items}{more}</ul>'


def _simplified(block: Block) -> str:
    """What the page leaves out to be small; all of it, for nothing else says so."""
    if not block.notes:
        return ""
    items = "".join(f"<li>{markup(line, 300)}</li>" for line in block.notes)
    return f'<h2>What this page simplifies</h2><ul class="gs-doubts">{items}</ul>'
