"""A dossier as HTML that can be printed: a page a site, and an index; no script, no network."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from geosite.report.dossier_content import ACRES, GAPS, MILE, percent
from geosite.report.dossier_links import page_files
from geosite.report.dossier_map import COLOURS, site_map
from geosite.report.dossier_tables import listed
from geosite.report.text import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geosite.report.dossier_content import Dossier, Finding, Gap, Page

_NAMED = 12
"""Names written out on a page; the table has more."""
_FAR = 1000.0
_FOOT = 0.3048
STANDINGS = {
    "certain": "touches the site, whatever the stated accuracy of the layer",
    "possible": "may touch the site: nearer than the layer is accurate",
    "clear": "examined; nothing recorded here",
    "unknown": "unknown",
}


def page_names(dossier: Dossier) -> dict[str, str]:
    """File name of each site's page, by site id: letters, digits and dashes, each once."""
    return page_files(page.site_id for page in dossier.pages)


def site_html(dossier: Dossier, page: Page) -> str:
    """The page of one site."""
    return (
        _environment()
        .get_template("dossier_site.html")
        .render(
            dossier=dossier,
            page=page,
            gaps=_by_kind((*dossier.gaps, *page.gaps)),
            titles={f.rule.id: f.rule.title for f in page.findings},
            map=site_map(dossier, page),
            colours=COLOURS,
            standings=STANDINGS,
        )
    )


def index_html(dossier: Dossier) -> str:
    """The index: every site with a link to its page, and what was not examined in all."""
    gaps = (*dossier.gaps, *_once(dossier))
    titles = {f.rule.id: f.rule.title for p in dossier.pages for f in p.findings}
    return (
        _environment()
        .get_template("dossier_index.html")
        .render(dossier=dossier, names=page_names(dossier), gaps=_by_kind(gaps), titles=titles)
    )


def _once(dossier: Dossier) -> list[Gap]:
    """Gaps of single sites, once a layer, with the sites."""
    found: dict[tuple[str, str], list[Gap]] = {}
    for page in dossier.pages:
        for gap in page.gaps:
            found.setdefault((gap.kind, gap.what), []).append(gap)
    return [
        replace(
            some[0],
            site_id="",
            why=f"of {len(some):,} of {len(dossier.pages):,} sites: "
            + listed(tuple(g.site_id for g in some), _NAMED),
        )
        for some in found.values()
    ]


def _by_kind(gaps: Sequence[Gap]) -> list[tuple[str, str, list[Gap]]]:
    return [
        (kind, head, some)
        for kind, head in GAPS.items()
        if (some := [g for g in gaps if g.kind == kind])
    ]


def measured(f: Finding) -> list[str]:
    """What was measured of a rule at a site, in words.

    Lengths and areas in both systems; what is not known is not said.
    """
    said = []
    if f.share == f.share and f.overlap_ha > 0:
        said.append(f"{area(f.overlap_ha)}, {percent(f.share)} of the site")
    if f.length_m == f.length_m and f.length_m > 0:
        said.append(f"{far(f.length_m)} of line inside the site")
    if f.nearest_m == 0 and not said:
        said.append("inside the outline or on its edge")
    if f.nearest_m == f.nearest_m and f.nearest_m > 0:
        name = f": {f.nearest_name}" if f.nearest_name else ""
        said.append(f"nearest {far(f.nearest_m)} {f.direction}{name}")
    elif f.method == "outline" and f.nearest_m != f.nearest_m and f.group != "unasked":
        said.append(f"none within {far(f.looked_m)}")
    return said


def area(ha: float) -> str:
    """An area in acres and hectares.

    Examples
    --------
    >>> area(100.0)
    '247 acres (100 ha)'
    """
    return f"{_number(ha * ACRES)} acres ({_number(ha)} ha)"


def far(metres: float) -> str:
    """A distance in kilometres and miles.

    Examples
    --------
    >>> far(12_400.0)
    '12.4 km (7.7 mi)'
    """
    if metres < _FAR:
        return f"{metres:,.0f} m ({metres / _FOOT:,.0f} ft)"
    return f"{metres / 1000:,.1f} km ({metres / MILE:,.1f} mi)"


def _number(value: float) -> str:
    if not math.isfinite(value):
        return "unknown"
    return f"{value:,.0f}" if value >= 100 else f"{value:,.1f}" if value >= 1 else f"{value:.2g}"


def layer_words(f: Finding) -> str:
    """The layer a rule is read off: what it is, how old and how exact."""
    x = f.layer
    if not x.title:
        return x.id
    words = [f"{x.title} ({x.id}), {x.agency}", f"vintage {x.vintage}"]
    words.append(f"retrieved {x.retrieved}" if x.retrieved else "day of retrieval on no record")
    if x.stale:
        words.append(f"STALE: {x.age_days:,} days old on the day of the rules")
    accuracy = "not stated" if x.accuracy_m is None else f"{x.accuracy_m:,.0f} m"
    words.append(f"positional accuracy {accuracy}")
    return "; ".join(words)


def _shown(value: Any) -> Any:
    # Names of features are strangers' words: no control or direction marks reach a page.
    return plain(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@lru_cache(maxsize=1)
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("geosite.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(
        measured=measured, percent=percent, area=area, far=far, layer_words=layer_words
    )
    made.filters["listed"] = lambda names: listed(tuple(names), _NAMED)
    return made
