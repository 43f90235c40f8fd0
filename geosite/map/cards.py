"""What a reader sees on clicking a site, as data: the page's script writes it as text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from geosite.potential import merged_words, potential_words
from geosite.report import palette
from geosite.report.facts import (
    area,
    contributions,
    footprint_words,
    measure_columns,
    rank_span,
    rule_names,
    share_words,
    written,
)
from geosite.report.reviews import review_facts
from geosite.report.robustness import weighting_words
from geosite.report.shapes import anchors
from geosite.report.text import LIMIT, number, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd
    import numpy as np
    from numpy.typing import NDArray

    from geosite.report.content import Content

_CITATION = re.compile(r" \[[^\[\]]*\]")
"""Citation of an instrument; the instrument names its part, and the table cites it in full."""


def card_block(content: Content, sites: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    """One card a site, in the order of the sites, for the blob ``cards``."""
    return site_cards(content, sites, anchors(sites))


def site_cards(
    content: Content, sites: gpd.GeoDataFrame, points: NDArray[np.float64]
) -> list[dict[str, Any]]:
    """One card a site: heading, place, score with its parts, facts in sections.

    Parameters
    ----------
    points : (sites, 2)
        Longitude and latitude of a point inside each site.
    """
    measures = measure_columns(content)
    table = sites.drop(columns=sites.geometry.name)
    return [
        _card(content, measures, site, (float(lon), float(lat)))
        for site, (lon, lat) in zip(table.to_dict("records"), points, strict=True)
    ]


def _card(
    content: Content,
    measures: Mapping[str, tuple[str, str]],
    site: Mapping[Any, Any],
    point: tuple[float, float],
) -> dict[str, Any]:
    rank = number(site.get("rank"))
    code = plain(site.get("agency"), 60)
    parts = [
        [title[:LIMIT], round(weight, 4), _rounded(effective), _rounded(contribution)]
        for title, weight, effective, contribution in contributions(content, site)
    ]
    place = [palette.agency(code)[0], plain(site.get("county"), 80), plain(site.get("state"), 80)]
    return {
        "id": plain(site.get("site_id"), 80),
        "name": plain(site.get("name"), LIMIT) or "unnamed",
        "tier": plain(site.get("tier"), 12),
        "rank": None if rank is None else int(rank),
        "span": rank_span(site),
        "interval": weighting_words(content.robustness, site),
        "place": " · ".join(p for p in place if p),
        "score": _rounded(number(site.get("suitability"))),
        "range": _range(site),
        "known": _known(site),
        "point": [round(point[1], 5), round(point[0], 5)],
        "parts": parts,
        "sections": [s for s in _sections(content, measures, site) if s[1]],
        "colour": palette.rank_colour(rank),
    }


def _status(site: Mapping[Any, Any]) -> str:
    """Status of the parcel, and what it was confirmed by."""
    status, source = plain(site.get("parcel_status"), 120), plain(site.get("status_source"), LIMIT)
    return ": ".join(t for t in (status, source) if t)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _range(site: Mapping[Any, Any]) -> list[float]:
    """What the score would be if all that is not known were at its worst, and at its best."""
    low, high = number(site.get("suitability_low")), number(site.get("suitability_high"))
    return [] if low is None or high is None else [round(low, 4), round(high, 4)]


def _known(site: Mapping[Any, Any]) -> str:
    share = number(site.get("known_weight_pct"))
    return "" if share is None else f"{share_words(share)} of the weight was measured"


def _likelihood(site: Mapping[Any, Any]) -> str:
    """Where the evidence surface puts a site, and how sure that is."""
    share, doubt = number(site.get("likelihood_pct")), number(site.get("likelihood_uncertainty"))
    if share is None:
        return ""
    sure = "" if doubt is None else f"; its likelihood (0 to 1) is uncertain by {doubt:.2g}"
    return f"above {share_words(share)} of the land of its state{sure}"


def _covered(site: Mapping[Any, Any]) -> str:
    """Share of the rules, cell by cell, that could tell; of the hard ones apart."""
    all_, hard = number(site.get("coverage_pct")), number(site.get("coverage_hard_pct"))
    if all_ is None:
        return ""
    of_hard = "" if hard is None else f", of the hard rules {share_words(hard)}"
    return f"of all rules, cell by cell, {share_words(all_)}{of_hard}"


def _listed(content: Content, site: Mapping[Any, Any], column: str) -> str:
    return plain("; ".join(rule_names(content, site.get(column))), LIMIT)


def _sections(
    content: Content, measures: Mapping[str, tuple[str, str]], site: Mapping[Any, Any]
) -> list[tuple[str, list[list[str]]]]:
    land = [
        ["Area", area(site.get("area_ha"))],
        ["Clear of hard rules", area(site.get("clear_ha"))],
        ["Unknown to a hard rule", area(site.get("unknown_ha"))],
        ["Status", _status(site)],
        ["Authority", plain(_CITATION.sub("", plain(site.get("authority"))), LIMIT)],
        ["Land origin", plain(site.get("land_origin"), LIMIT)],
        ["Mineral estate", plain(site.get("mineral_estate"), LIMIT)],
        ["Mineral status", plain(site.get("mineral_status"), LIMIT)],
        ["Footprint", plain(footprint_words(site), LIMIT)],
    ]
    rules = [
        [title, _listed(content, site, column)]
        for title, column in (
            ("Avoid", "rules_avoid"), ("Mitigate", "rules_mitigate"), ("Flag", "rules_flag"),
            ("Possible, within the accuracy of the data", "rules_possible"),
        )
    ]  # fmt: skip
    decided = [
        [title, plain(text, LIMIT)]
        for title, text in review_facts(content.reviews, str(site.get("site_id")))
    ]
    doubts = [
        ["Rules could tell", _covered(site)],
        ["Hard rules that cannot", _listed(content, site, "rules_unknown")],
        ["Fatal flaws", plain(site.get("fatal_flaws"), LIMIT)],
        ["Not examined", _listed(content, site, "not_examined")],
        ["Oldest data", plain(content.years.oldest or site.get("data_oldest"), 40)],
        ["Rules as of", plain(site.get("as_of"), 40)],
    ]
    ground = [
        ["Commodities", plain(site.get("commodities"), LIMIT)],
        ["Host or by-product", plain(site.get("host_or_byproduct"), LIMIT)],
        ["Evidence", plain(site.get("evidence_class"), LIMIT).replace("_", " ")],
        ["Deposits", merged_words(site)],
        ["Proposed potential", potential_words(site)],
        *([plain(t, 80), written(site.get(c), u, LIMIT)] for c, (t, u) in measures.items()),
        ["Mineral likelihood (evidence surface)", _likelihood(site)],
        ["90th percentile of its cells", written(site.get("suitability_p90"), "")],
    ]
    named = (
        ("Land", land), ("Rules that touch it", rules), ("What reviewers decided", decided),
        ("Measures", ground),
        ("What is not known", doubts),
    )  # fmt: skip
    return [(title, [row for row in rows if row[1]]) for title, rows in named]
