"""Facts of the sites for their cards: a column a fact, in the sections of a card."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from geosite.potential import merged_words, potential_words
from geosite.report.facts import footprint_words, measure_columns, rule_names, written
from geosite.report.text import LIMIT, missing, number, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from geosite.map.shared import Shared
    from geosite.report.content import Content

    Row = Mapping[Any, Any]
    Rows = Sequence[Row]

_CITATION = re.compile(r" \[[^\[\]]*\]")
"""Citation of an instrument; the instrument names its part, and the table cites it in full."""
_STATUSES = ("open", "segregated", "withdrawn", "unknown")
_DIGITS = 3
_WHOLE = 100
_SHARE_ERROR = 1e-6


def fact_columns(content: Content, sites: Rows, shared: Shared) -> list[dict[str, Any]]:
    """Every fact that some site has: section, title, unit, and a value for each site.

    Returns
    -------
    list of mapping
        ``section``, ``title``; ``values``, which is one value where all sites have the same;
        with ``unit`` (of `facts.written`, or ``share``: whole percent,
        ``area``: hectares, ``score``) the values are numbers, None where not known; without it
        they are places in the table of texts. ``after`` are words that follow a value.
    """
    columns = [*_land(sites, shared), *_ground(content, sites, shared)]
    columns += [*_times(sites, shared), *_doubts(content, sites, shared)]
    return [_once(c) for c in columns if _says(c)]


def _says(column: Mapping[str, Any]) -> bool:
    # A number may be 0 and known; place 0 of the texts is none.
    nothing = None if "unit" in column else 0
    return any(v != nothing for v in column["values"])


def _once(column: dict[str, Any]) -> dict[str, Any]:
    values = column["values"]
    same = all(v == values[0] for v in values)
    return {**column, "values": values[:1]} if same else column


def _land(sites: Rows, shared: Shared) -> list[dict[str, Any]]:
    def texts(title: str, words: Callable[[Row], object]) -> dict[str, Any]:
        return _texts("Land", title, sites, words, shared)

    return [
        _numbers("Land", "Clear of hard rules", "area", sites, "clear_ha"),
        _numbers("Land", "Unknown to a hard rule", "area", sites, "unknown_ha"),
        texts("Parcel", lambda s: _unless_name(s, "parcel")),
        texts("Status", _status),
        texts("Ownership conflict", lambda s: s.get("parcel_ownership_conflict")),
        texts("Authority", lambda s: _CITATION.sub("", plain(s.get("authority")))),
        texts("Disposal", lambda s: s.get("disposal")),
        texts("Land origin", lambda s: s.get("land_origin")),
        texts("Mineral estate", lambda s: s.get("mineral_estate")),
        texts("Mineral status", _mineral_status),
        texts("Claims", lambda s: s.get("claims")),
        texts("Footprint", footprint_words),
    ]


def _ground(content: Content, sites: Rows, shared: Shared) -> list[dict[str, Any]]:
    def texts(title: str, words: Callable[[Row], object]) -> dict[str, Any]:
        return _texts("Minerals", title, sites, words, shared)

    measures = [
        _measure(plain(title, 120), column, plain(unit, 40), sites, shared)
        for column, (title, unit) in measure_columns(content).items()
    ]
    likelihood = _shares("Minerals", "Mineral likelihood (evidence surface)", sites,
                         "likelihood_pct")  # fmt: skip
    return [
        texts("Deposits", lambda s: _unless_name(s, "deposits")),
        texts("Host or by-product", lambda s: s.get("host_or_byproduct")),
        texts("Evidence", lambda s: plain(s.get("evidence_class")).replace("_", " ")),
        texts("Records", merged_words),
        texts("Proposed potential", potential_words),
        texts("Deposit type", lambda s: s.get("deposit_type")),
        texts("Deposit status", lambda s: s.get("deposit_status")),
        texts("Size and grade", _size),
        texts("Quality of the record", lambda s: s.get("record_quality")),
        texts("Cited report", lambda s: s.get("cited_report")),
        {**likelihood, "before": "above", "after": "of the land of its state"},
        _numbers("Minerals", "Uncertainty of that likelihood (0 to 1)", "score", sites,
                 "likelihood_uncertainty"),
        *measures,
        _numbers("Measures", "90th percentile of its cells", "score", sites, "suitability_p90"),
        _numbers("Measures", "Mean of its cells", "score", sites, "suitability_surface"),
    ]  # fmt: skip


def _times(sites: Rows, shared: Shared) -> list[dict[str, Any]]:
    section = "Permits and time"
    return [
        _texts(section, "Pathways open", sites, lambda s: s.get("pathways"), shared),
        _texts(section, "Not open", sites, lambda s: s.get("pathways_not_open"), shared),
        _numbers(section, "Readiness (0 to 1)", "score", sites, "readiness"),
        _texts(section, "Readiness rests on", sites, lambda s: s.get("readiness_rests_on"), shared),
        _numbers(section, "Environmental conflict (0 to 1)", "score", sites,
                 "environmental_conflict"),
        _numbers(section, "Supply impact (0 to 1)", "score", sites, "supply_impact"),
        _texts(section, "No supply figure for", sites, lambda s: s.get("supply_unknown"), shared),
    ]  # fmt: skip


def _doubts(content: Content, sites: Rows, shared: Shared) -> list[dict[str, Any]]:
    def texts(title: str, words: Callable[[Row], object]) -> dict[str, Any]:
        return _texts("What is not known", title, sites, words, shared)

    cells = "of them, cell by cell"
    return [
        {**_shares("What is not known", "Rules that could tell", sites, "coverage_pct"),
         "after": cells},
        {**_shares("What is not known", "Hard rules that could tell", sites, "coverage_hard_pct"),
         "after": cells},
        texts("Fatal flaws", lambda s: s.get("fatal_flaws")),
        texts("Not measured", lambda s: "; ".join(rule_names(content, s.get("not_examined")))),
        texts("Oldest data", lambda s: content.years.oldest or s.get("data_oldest")),
        texts("Rules as of", lambda s: s.get("as_of")),
    ]  # fmt: skip


def _status(site: Row) -> str:
    """Status of the parcel, and what it was confirmed by."""
    said = (plain(site.get("parcel_status"), 120), plain(site.get("status_source"), LIMIT))
    return ": ".join(t for t in said if t)


def _mineral_status(site: Row) -> str:
    """Open, segregated or withdrawn, with acres where a site is more than one of them."""
    acres = [(s, number(site.get(f"mineral_status_{s}_acres")) or 0.0) for s in _STATUSES]
    parts = [f"{a:,.0f} acres {s}" for s, a in acres if a > 0]
    said = plain(site.get("mineral_status"))
    return f"{said} ({', '.join(parts)})" if len(parts) > 1 else said


def _size(site: Row) -> str:
    named = (("", "deposit_size"), ("grade ", "deposit_grade"), ("", "deposit_tonnage_t"))
    said = [
        f"{lead}{written(site.get(c), 't' if c.endswith('_t') else '', 120)}"
        for lead, c in named
        if not missing(site.get(c)) and plain(site.get(c))
    ]
    return "; ".join(said)


def _unless_name(site: Row, column: str) -> str:
    # A site is mostly called after its deposits, and the card's heading is the name.
    said = plain(site.get(column), LIMIT)
    return "" if said == plain(site.get("name"), LIMIT) else said


def _texts(
    section: str, title: str, sites: Rows, words: Callable[[Row], object], shared: Shared
) -> dict[str, Any]:
    values = [shared.text(plain(words(s), LIMIT)) for s in sites]
    return {"section": section, "title": title, "values": values}


def _numbers(section: str, title: str, unit: str, sites: Rows, column: str) -> dict[str, Any]:
    values = [_short(number(s.get(column))) for s in sites]
    return {"section": section, "title": title, "unit": unit, "values": values}


def _shares(section: str, title: str, sites: Rows, column: str) -> dict[str, Any]:
    # Cut, not rounded: only all of it is 100 %.
    found = [number(s.get(column)) for s in sites]
    values = [None if v is None else int(v + _SHARE_ERROR) for v in found]
    return {"section": section, "title": title, "unit": "share", "values": values}


def _measure(title: str, column: str, unit: str, sites: Rows, shared: Shared) -> dict[str, Any]:
    values = [s.get(column) for s in sites]
    if all(missing(v) or number(v) is not None for v in values):
        return _numbers("Measures", title, unit, sites, column)
    return _texts("Measures", title, sites, lambda s: written(s.get(column), unit, LIMIT), shared)


def _short(value: float | None) -> float | int | None:
    """A number with no more digits than a card shows.

    Examples
    --------
    >>> [_short(v) for v in (12345.67, 0.123456, 12.0, 0.0, None)]
    [12346, 0.123, 12, 0, None]
    """
    if value is None:
        return None
    if value == 0 or abs(value) >= _WHOLE:
        return round(value)
    found = round(value, _DIGITS - 1 - math.floor(math.log10(abs(value))))
    return int(found) if found.is_integer() else found
