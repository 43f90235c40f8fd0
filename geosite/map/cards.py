"""What a reader sees of one site, as data for the page's card script.

What the page has in its own columns of sites (who a site is, its ranks, scores and area) is not
said again; the rest is a column a fact, with texts and sets that many sites share in tables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geosite.map.card_facts import fact_columns
from geosite.map.card_law import law_block
from geosite.map.nearest_land import nearest_land
from geosite.map.shared import Shared
from geosite.report.facts import rule_said
from geosite.report.reviews import review_facts
from geosite.report.robustness import weighting_words
from geosite.report.text import number, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd

    from geosite.report.content import Content

_DECIMALS = 4
_LONG = 1000


def card_block(content: Content, sites: gpd.GeoDataFrame) -> dict[str, Any]:
    """The cards of the sites, in their order, for the blob ``cards``.

    Parameters
    ----------
    sites : GeoDataFrame
        From `site_block.best_sites`, in the grid CRS.

    Returns
    -------
    mapping
        ``texts``, ``sets``: see `shared.Shared`; ``facts``: see `card_facts.fact_columns`;
        ``rules``, ``permits``, ``pathways``, ``named``: see `card_law.law_block`; ``near``: see
        `nearest_land.nearest_land`; ``low``, ``high``: suitability with all that is not known
        at its worst and at its best; ``known``: share of the weight that was measured [%];
        ``weighting``: what other weights would do, places in ``texts``; ``rule``: how the run
        ranks, in words; ``reviews``: place of a site → rows of title and text; ``dossier``:
        place of a site → path from the map to its page.
    """
    shared = Shared()
    rows = sites.drop(columns=sites.geometry.name).to_dict("records")
    law = law_block(content, rows, shared)
    places = {plain(r.id): k for k, r in enumerate(content.rules)}
    facts = fact_columns(content, rows, shared)
    near = nearest_land(content, sites, places, shared)
    weighting = [shared.text(weighting_words(content.robustness, r)) for r in rows]
    return {
        **law,
        "facts": facts,
        "near": near if any(near) else [],
        "low": [_rounded(r.get("suitability_low")) for r in rows],
        "high": [_rounded(r.get("suitability_high")) for r in rows],
        "known": [_percent(r.get("known_weight_pct")) for r in rows],
        "weighting": weighting if any(weighting) else [],
        "rule": rule_said(content),
        "reviews": _reviews(content, rows),
        "dossier": _dossier(content, rows),
        "texts": shared.texts,
        "sets": shared.sets,
    }


def _reviews(content: Content, rows: list[dict[Any, Any]]) -> dict[str, list[list[str]]]:
    if not content.reviews:
        return {}
    found = (review_facts(content.reviews, str(r.get("site_id"))) for r in rows)
    return {
        str(i): [[plain(text, _LONG) for text in row] for row in said]
        for i, said in enumerate(found)
        if said
    }


def _dossier(content: Content, rows: list[dict[Any, Any]]) -> dict[str, str]:
    there: Mapping[str, str] = content.dossier
    paths = (there.get(str(r.get("site_id")), "") for r in rows)
    # What no file can be called is no page of a dossier.
    return {str(i): path for i, path in enumerate(paths) if path and path == plain(path, _LONG)}


def _rounded(value: object) -> float | None:
    found = number(value)
    return None if found is None else round(found, _DECIMALS)


def _percent(value: object) -> int | None:
    found = number(value)
    # Only all of it is 100 %.
    return None if found is None else int(found + 1e-6)
