"""The vector layers of the map as plain data: parcels, exclusions, deposits, AOI, sites."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from geosite.footprints import TENURES
from geosite.potential import potential_words
from geosite.report import palette
from geosite.report.facts import area, parts_of, rule_said
from geosite.map.cards import site_cards
from geosite.report.shapes import anchors, outlines, tolerance_of
from geosite.report.text import LIMIT, number, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd

    from geosite.report.content import Content, RuleLabel

VERTICES = {
    "parcels": 130_000,
    "exclusions": 130_000,
    "aoi": 15_000,
    "sites": 100_000,
    "footprints": 40_000,
}
"""What each kind of outline may cost the page; together about 10 MB."""
DEPOSITS = 4000
"""Deposits that are drawn, best quality first."""
CROWD = 1500
"""More outlines of exclusions than this, or a third as many deposits, wait to be switched on."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """One entry of the layer control, and what it draws."""

    head: str
    """Heading it stands under."""
    title: str
    swatch: Literal["line", "fill", "dot", "rank"]
    colour: str
    data: dict[str, Any]
    left_out: int = 0
    """Features that are not drawn."""
    shown: bool = True


def drawings(content: Content, *, max_sites: int) -> list[Drawing]:
    """Every vector layer, in the order of the layer control; sites are drawn last."""
    tolerance = tolerance_of(content.aoi if not content.aoi.empty else content.sites)
    return [
        *_sites(content, max_sites, tolerance),
        *_footprints(content),
        *_deposits(content),
        *_parcels(content, tolerance),
        *_exclusions(content, tolerance),
        *_aoi(content, tolerance),
    ]


def _sites(content: Content, max_sites: int, tolerance: float) -> list[Drawing]:
    sites = content.sites
    if "rank" in sites:
        sites = sites.sort_values("rank", kind="stable")
    best = sites.iloc[:max_sites]
    points = anchors(best) if len(best) else np.empty((0, 2))
    shape = outlines(best, tolerance=tolerance / 8, vertices=VERTICES["sites"], keep_all=True)
    cards = site_cards(content, best, points)
    features = [[g, cards[i]] for g, i in zip(shape.geometries, shape.rows, strict=True)]
    how = {"parts": parts_of(content), "rule": rule_said(content)}
    data = {"kind": "sites", "features": features, **how}
    left_out = len(sites) - len(features)
    return [Drawing("Result", "Sites by rank", "rank", palette.RANKS[1][1], data, left_out)]


def _footprints(content: Content) -> list[Drawing]:
    frame = content.footprints
    if frame is None or frame.empty:
        return []
    shape = outlines(frame, tolerance=0.0, vertices=VERTICES["footprints"], keep_all=True)
    names = dict(zip(content.sites["site_id"], content.sites["name"], strict=True))
    records = _records(frame)
    features = [
        [g, _footprint_words_of(records[i], plain(names.get(records[i].get("site_id")), LIMIT))]
        for g, i in zip(shape.geometries, shape.rows, strict=True)
    ]
    data = {"kind": "footprints", "colour": palette.FOOTPRINT, "features": features}
    left_out = len(frame) - len(features)
    title = "Footprint that fits"
    return [Drawing("Result", title, "line", palette.FOOTPRINT, data, left_out)]


def _footprint_words_of(part: dict[Any, Any], site: str) -> list[str]:
    acres = [(t, number(part.get(f"acres_{t}"))) for t in TENURES]
    return [
        f"{plain(part.get('title'), 80)}: {number(part.get('acres')) or 0.0:,.0f} acres",
        ", ".join(f"{found or 0.0:,.0f} {tenure}" for tenure, found in acres),
        " · ".join(t for t in (site, plain(part.get("site_id"), 80)) if t),
    ]


def _deposits(content: Content) -> list[Drawing]:
    all_ = content.deposits
    if all_.empty:
        return []
    if "quality" in all_:
        all_ = all_.sort_values("quality", kind="stable", na_position="last")
    best = all_.iloc[:DEPOSITS]
    rows = [
        [
            lat,
            lon,
            [
                *(
                    plain(r.get(k), LIMIT)
                    for k in ("name", "commodities", "evidence_class", "quality")
                ),
                _of_records(r),
                potential_words(r),
            ],
        ]
        for r, (lon, lat) in zip(_records(best), anchors(best).tolist(), strict=True)
        if lon == lon  # noqa: PLR0124 - NaN: a record without a place
    ]
    data = {"kind": "points", "colour": palette.DEPOSIT, "features": rows}
    left_out = len(all_) - len(rows)
    shown = len(rows) <= CROWD // 3
    return [Drawing("Result", "Mineral deposits", "dot", palette.DEPOSIT, data, left_out, shown)]


def _of_records(deposit: Mapping[str, Any]) -> str:
    """From how many records of which layers a deposit was merged, in words."""
    number, layers = deposit.get("records"), plain(deposit.get("layers"), LIMIT)
    if not number:
        return ""
    of = f" of {layers}" if layers else ""
    return f"{number:,} record{'' if number == 1 else 's'}{of}"


def _parcels(content: Content, tolerance: float) -> list[Drawing]:
    if content.parcels.empty:
        return []
    frame = content.parcels
    codes = (
        frame["agency"].map(lambda v: plain(v, 60))
        if "agency" in frame
        else pd.Series("", frame.index)
    )
    shape = outlines(frame, tolerance=tolerance, vertices=VERTICES["parcels"])
    records = _records(frame)
    order = [*palette.AGENCIES, *sorted(set(codes) - set(palette.AGENCIES))]
    found = []
    for code in (c for c in order if c in set(codes)):
        title, colour = palette.agency(code)
        mine = (codes == code).to_numpy()
        features = [
            [g, _parcel_words(records[i], title)]
            for g, i in zip(shape.geometries, shape.rows, strict=True)
            if mine[i]
        ]
        data = {
            "kind": "areas",
            "colour": colour,
            "edge": palette.darker(colour),
            "features": features,
        }
        left_out = int(mine.sum()) - len(features)
        words = title or "Owner not named"
        found.append(Drawing("Land by agency", words, "fill", colour, data, left_out))
    return found


def _parcel_words(parcel: dict[Any, Any], agency: str) -> list[str]:
    place = ", ".join(t for k in ("county", "state") if (t := plain(parcel.get(k), 80)))
    # The parcels of some runs call it as the sites do.
    conflict = parcel.get("ownership_conflict", parcel.get("parcel_ownership_conflict"))
    conflict = plain(conflict, 120)
    lines = [
        plain(parcel.get("name"), LIMIT) or "unnamed parcel",
        " · ".join(t for t in (agency, place) if t),
        area(parcel.get("area_ha")),
        plain(parcel.get("status"), 120),
        f"ownership conflict: {conflict}" if conflict not in ("", "False", "no", "0") else "",
    ]
    return [line for line in lines if line]


def _exclusions(content: Content, tolerance: float) -> list[Drawing]:
    frame = content.exclusions
    if frame.empty:
        return []
    labels = {r.id: r for r in content.rules}
    shape = outlines(frame, tolerance=tolerance, vertices=VERTICES["exclusions"])
    records = _records(frame)
    rules = [plain(r.get("rule")) for r in records]
    shown = len(shape.rows) <= CROWD
    found = []
    for rule in sorted(set(rules)):
        label = labels.get(rule)
        title = plain(label.title, LIMIT) if label else rule
        words = _rule_words(rule, label)
        pairs = zip(shape.geometries, shape.rows, strict=True)
        features = [[g, plain(records[i].get("name"), LIMIT)] for g, i in pairs if rules[i] == rule]
        colour = palette.EXCLUSION_LINE
        data = {"kind": "excluded", "colour": colour, "words": words, "features": features}
        left_out = rules.count(rule) - len(features)
        found.append(Drawing("Excluded by rule", title, "line", colour, data, left_out, shown))
    return found


def _rule_words(rule: str, label: RuleLabel | None) -> list[str]:
    if label is None:
        return [f"Excluded: {plain(rule, LIMIT)}"]
    return [
        f"Excluded: {plain(label.title, LIMIT)}",
        " · ".join(t for t in (plain(label.authority, 80), plain(label.citation, LIMIT)) if t),
        f"takes {area(label.removed_ha)}, of these {area(label.alone_ha)} alone",
    ]


def _aoi(content: Content, tolerance: float) -> list[Drawing]:
    if content.aoi.empty:
        return []
    shape = outlines(content.aoi, tolerance=tolerance, vertices=VERTICES["aoi"])
    data = {"kind": "outline", "colour": palette.AOI, "features": shape.geometries}
    title = plain(f"Area of interest: {content.aoi_name}", 60)
    return [Drawing("Extent", title, "line", palette.AOI, data)]


def _records(frame: gpd.GeoDataFrame) -> list[dict[Any, Any]]:
    found: list[dict[Any, Any]] = frame.drop(columns=frame.geometry.name).to_dict("records")
    return found
