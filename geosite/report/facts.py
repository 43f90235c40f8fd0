"""What is said of a site: its columns, in words with units."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from geosite.footprints import TENURES
from geosite.model.combination import PARTS, UNWEIGHTED, rule_words
from geosite.report.text import missing, number, plain, split_names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geosite.model.combination import Parts
    from geosite.report.content import Content, CriterionLabel

FIRST = (
    "rank", "rank_best", "rank_worst", "rank_p05", "rank_p95", "tier", "site_id", "name",
    "deposits", "agency", "parcel", "state", "county", "county_fips", "commodities",
    "host_or_byproduct", "evidence_class", "proposed_potential", "proposed_certainty",
    "deposits_n", "records_n", "acres", "footprint_fits", "footprint_fit_pct", "footprint_acres",
    "footprint_acres_open", "footprint_acres_claimed", "footprint_acres_withdrawn",
    "footprint_acres_unknown", "footprint_rotation_deg", "footprint_tenure", "area_ha",
    "suitability", "suitability_low", "suitability_high",
    "suitability_surface", "suitability_p90", "fatal_flaws", "authority", "disposal",
    "land_origin", "mineral_estate", "mineral_status", "mineral_status_withdrawn_acres",
    "mineral_status_segregated_acres", "mineral_status_open_acres",
    "mineral_status_unknown_acres", "parcel_status", "clear_ha", "unknown_ha", "coverage_pct",
    "coverage_hard_pct", "hard_n", "avoid_n", "mitigate_n", "flag_n", "rules_unknown",
    "rules_possible", "rules_avoid", "rules_mitigate", "rules_flag", "rules_include",
    "rules_share_pct", "not_examined", "rules_not_examined", "known_weight_pct", "likelihood_pct",
    "likelihood_uncertainty",
)  # fmt: skip
"""Columns that a table begins with, in this order."""
LIST_SHARE = re.compile(r"top(\d+)_share_pct")
"""Column of the share of weightings in which a site is among the first so many."""
LAST = ("longitude", "latitude", "data_oldest", "as_of", "notice")
_SCORES = ("effective_", "contribution_")
_UNITS = {
    "m": "m", "km": "km", "pct": "%", "ha": "ha", "acres": "acres", "persons": "persons",
    "kv": "kV", "mgd": "MGD", "deg": "°", "mm": "mm", "t": "t",
}  # fmt: skip
_KILOMETRE = 1000.0
_MILE = 1609.344
_SUM_ERROR = 1e-6
_WHOLE = 100
"""From here on a number needs no decimals."""


def measure_columns(content: Content) -> dict[str, tuple[str, str]]:
    """Column → (title, unit) of every measure of the sites, by criterion.

    A measure is what a criterion names as its `measure`, else the column that
    is called after its id.
    """
    free = [
        str(c)
        for c in content.sites.columns
        if c not in FIRST and c not in LAST and not str(c).startswith(_SCORES)
        and c != content.sites.geometry.name
    ]  # fmt: skip
    found: dict[str, tuple[str, str]] = {}
    for criterion in content.criteria:
        if column := _column_of(criterion, free):
            found[column] = (criterion.title, criterion.unit or _unit(column))
    return found


def _column_of(criterion: CriterionLabel, columns: list[str]) -> str | None:
    if criterion.measure:
        return criterion.measure if criterion.measure in columns else None
    names = (criterion.id, f"measure_{criterion.id}")
    for column in columns:
        if column in names or (_unit(column) and column.rpartition("_")[0] in names):
            return column
    return None


def _unit(column: str) -> str:
    head, _, last = column.rpartition("_")
    return _UNITS.get(last, "") if head else ""


def written(value: object, unit: str, limit: int | None = None) -> str:
    """A value with its unit as people read it; nothing if it is not known.

    Examples
    --------
    >>> written(12400.0, "m")
    '12.4 km (7.7 mi)'
    >>> written(3.26, "%")
    '3.3 %'
    """
    if missing(value):
        return ""
    found = number(value)
    if found is None:
        return plain(value, limit)
    if unit == "m" and abs(found) >= _KILOMETRE:
        return f"{found / _KILOMETRE:,.1f} km ({found / _MILE:,.1f} mi)"
    text = f"{found:,.0f}" if abs(found) >= _WHOLE or found.is_integer() else f"{found:,.3g}"
    if unit == "%":
        text = f"{found:,.1f}"
    return text if unit in ("", "category") else f"{text} {unit}"


def area(hectares: object) -> str:
    """``250 ha (618 acres)``."""
    found = number(hectares)
    if found is None:
        return ""
    return f"{found:,.0f} ha ({found / 0.40468564224:,.0f} acres)"


def footprint_words(site: Mapping[Any, Any]) -> str:
    """What of the scenario's footprint fits a site, and whose its acres are; nothing if none.

    Examples
    --------
    >>> footprint_words({"footprint_fits": "no", "footprint_fit_pct": 61.25})
    'does not fit: 61 % of it at most lies on eligible land'
    >>> acres = {"open": 500, "claimed": 20, "withdrawn": 0, "unknown": 1480}
    >>> named = {f"footprint_acres_{k}": v for k, v in acres.items()}
    >>> footprint_words({"footprint_fits": "yes", "footprint_acres": 2000} | named)
    '2,000 acres fit: 500 open, 20 claimed, 0 withdrawn, 1,480 unknown'
    """
    fits = plain(site.get("footprint_fits"))
    if fits == "no":
        share = number(site.get("footprint_fit_pct"))
        most = (
            "" if share is None else f": {share_words(share)} of it at most lies on eligible land"
        )
        return f"does not fit{most}"
    whole = number(site.get("footprint_acres"))
    if fits != "yes" or whole is None:
        return ""
    acres = [number(site.get(f"footprint_acres_{t}")) or 0.0 for t in TENURES]
    parts = ", ".join(f"{a:,.0f} {t}" for a, t in zip(acres, TENURES, strict=True))
    said = plain(site.get("footprint_tenure"))
    return f"{whole:,.0f} acres fit: {parts}" + (f". {said}" if said else "")


def share_words(percent: float) -> str:
    """A share in whole percent; only all of it is ``100 %``.

    Examples
    --------
    >>> share_words(99.9)
    '99 %'
    >>> share_words(100 - 1e-12)
    '100 %'
    """
    return f"{int(percent + _SUM_ERROR)} %"


def rank_words(site: Mapping[Any, Any]) -> str:
    """The rank, and in brackets the ranks that the site may have once all is known.

    Examples
    --------
    >>> rank_words({"rank": 4, "rank_best": 2, "rank_worst": 11})
    '4 (2–11)'
    >>> rank_words({"rank": 4, "rank_best": 4, "rank_worst": 4})
    '4'
    """
    rank, span = number(site.get("rank")), rank_span(site)
    words = "" if rank is None else f"{rank:.0f}"
    return f"{words} ({span})".strip() if span else words


def rank_span(site: Mapping[Any, Any]) -> str:
    """The ranks that a site may have once all is known; nothing if they are only one."""
    best, worst = number(site.get("rank_best")), number(site.get("rank_worst"))
    return "" if best is None or worst is None or best == worst else f"{best:.0f}–{worst:.0f}"


def rule_names(content: Content, value: object) -> list[str]:
    """Titles of the rules a cell names by id; a name that is no id stays as it is."""
    titles = {r.id: r.title for r in content.rules}
    return [plain(titles.get(name, name)) for name in split_names(value)]


def contributions(
    content: Content, site: Mapping[Any, Any]
) -> list[tuple[str, float, float | None, float | None]]:
    """Per criterion: (title, weight, effective score, contribution), heaviest first."""
    rows = [
        (
            plain(c.title),
            c.weight,
            number(site.get(f"effective_{c.id}")),
            number(site.get(f"contribution_{c.id}")),
        )
        for c in content.criteria
    ]
    return sorted(rows, key=lambda row: -row[1])


def parts_of(content: Content) -> Parts:
    """What contributions add up to: suitability, its logarithm (they are losses), or nothing."""
    if content.combination is not None:
        return PARTS[content.combination["kind"]]
    columns = [c for c in content.sites.columns if str(c).startswith("contribution_")]
    losses = any((content.sites[c].astype(float) < 0).any() for c in columns)
    return "logarithm" if losses else "sum"


def rule_said(content: Content) -> str:
    """By which rule sites are ranked, and what weights have to do with it; empty if not known."""
    if content.combination is None:
        return ""
    said = [f"Sites are ranked by {rule_words(content.combination)}."]
    if content.combination["kind"] in UNWEIGHTED:
        said.append("The weights of criteria have no part in it.")
    if content.combination["kind"] == "topsis":
        said.append(
            "It needs the set of sites, so the surface shows the weighted sum, and another set "
            "may order the same sites otherwise."
        )
    return " ".join(said)


def surface_said(content: Content) -> str:
    """What the evidence surface says and does not say; empty if none was worked out."""
    if content.likelihood is None:
        return ""
    leak = content.likelihood_leak_m
    apart = (
        f" Each place is judged by records more than {leak / 1000:g} km away, so land round a "
        "lone deposit may look poorer than a ring about it: that is no sign against the deposit."
        if leak
        else ""
    )
    return (
        "It orders the land of a state by what deposits recorded elsewhere say of it; it is no "
        f"probability and no assessment of minerals.{apart} It has no part in the ranking unless "
        "a criterion reads it."
    )
