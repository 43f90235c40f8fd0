"""Tables of a dossier: one row a site and rule, what was not examined, and layers for a GIS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geosite.report.dossier_content import GAPS, MILE
from geosite.report.text import plain

if TYPE_CHECKING:
    from geosite.report.dossier_content import Dossier, Finding, Page

NAMED = 50
"""Names written into a cell; the others are counted."""
_MULTI = 4
"""Numbers of geometry types from here on are of several parts."""
_KINDS: tuple[tuple[int, str, Any], ...] = (
    (2, "", shapely.multipolygons),
    (1, "_lines", shapely.multilinestrings),
    (0, "_points", shapely.multipoints),
)
_TEXT = 250
"""Longest text of a field that ArcGIS reads without cutting it [characters]."""


def listed(names: tuple[str, ...], most: int = NAMED) -> str:
    """Names in one text; beyond so many the rest is counted.

    Examples
    --------
    >>> listed(("a", "b", "c"), 2)
    'a; b; and 1 more'
    """
    more = len(names) - most
    return "; ".join(names[:most]) + (f"; and {more:,} more" if more > 0 else "")


def finding_table(dossier: Dossier) -> pd.DataFrame:
    """One row a site and rule: what touches first."""
    rows = [
        _row(dossier, page, f)
        for page in dossier.pages
        for group in ("touches", "near", "examined", "unasked")
        for f in page.of(group)
    ]
    return pd.DataFrame(rows)


def _row(dossier: Dossier, page: Page, f: Finding) -> dict[str, Any]:
    rule, layer = f.rule, f.layer
    return {
        "site_id": page.site_id,
        "site_name": page.name,
        "rule": rule.id,
        "title": rule.title,
        "tier": rule.tier,
        "says": rule.says,
        "result": f.group,
        "standing": f.standing,
        "why": f.why,
        "features": listed(f.names),
        "features_n": f.features_n,
        "overlap_acres": f.acres,
        "overlap_ha": f.overlap_ha,
        "overlap_pct": 100 * f.share,
        "length_km": f.length_m / 1000,
        "length_mi": f.length_m / MILE,
        "nearest": f.nearest_name,
        "nearest_km": f.nearest_m / 1000,
        "nearest_mi": f.nearest_m / MILE,
        "direction": f.direction,
        "bearing_deg": f.bearing_deg,
        "ring_mi": dossier.ring_m / MILE,
        "ring_n": f.ring_n,
        "ring_features": listed(f.ring_names),
        "law": "law" if rule.is_law else "not law",
        "authority": rule.authority,
        "citation": rule.citation,
        "evidence": rule.evidence,
        "exceptions": "; ".join(rule.exceptions),
        "consultation": rule.consultation,
        "permits": "; ".join(rule.permits),
        "who_can_act": rule.who_can_act,
        "layer": layer.id,
        "layer_title": layer.title,
        "publisher": layer.agency,
        "vintage": layer.vintage,
        "retrieved": layer.retrieved,
        "stale": {True: "stale", False: "no", None: "unknown"}[layer.stale],
        "accuracy_m": layer.accuracy_m,
        "covered_pct": 100 * f.covered,
        "method": f.method,
        "reviewers": " | ".join(v.words for v in page.verdicts if v.rule == rule.id),
        "as_of": dossier.as_of,
    }


def gap_table(dossier: Dossier) -> pd.DataFrame:
    """What was not examined, of every site and of single ones."""
    rows = [
        {
            "site_id": g.site_id or "every site",
            "kind": GAPS[g.kind],
            "what": g.what,
            "why": g.why,
            "rules": "; ".join(g.rules),
            "layer": g.layer,
            "citation": g.citation,
            "as_of": dossier.as_of,
        }
        for g in (*dossier.gaps, *(g for page in dossier.pages for g in page.gaps))
    ]
    return pd.DataFrame(rows)


def spatial_layers(dossier: Dossier) -> dict[str, gpd.GeoDataFrame]:
    """Layers for a GIS, in the dossier's CRS: sites, overlaps, near_features.

    Polygons are in the layer of that name; lines and points, if there are any, in
    ``overlaps_lines``, ``near_features_points`` …, because ArcGIS reads one kind of geometry
    a layer. Names of fields are short, lower case and without a sign, and no text is longer
    than ArcGIS reads.
    """
    sites = [
        {
            "site_id": plain(p.site_id, _TEXT),
            "site_name": plain(p.name, _TEXT),
            "acres": round(p.acres, 2),
            "area_ha": round(p.area_ha, 2),
            "rules_n": len(p.findings),
            "touches_n": len(p.of("touches")),
            "notice": plain(dossier.notice, _TEXT),
            "geometry": p.outline,
        }
        for p in dossier.pages
    ]
    overlaps = [
        {
            "site_id": plain(p.site_id, _TEXT),
            "rule_id": f.rule.id,
            "title": plain(f.rule.title, _TEXT),
            "tier": f.rule.tier,
            "standing": f.standing,
            "features": plain(listed(f.names, 10), _TEXT),
            "acres": round(f.acres, 2),
            "pct_site": round(100 * f.share, 2),
            "length_m": None if f.length_m != f.length_m else round(f.length_m, 1),
            "citation": plain(f.rule.citation, _TEXT),
            "layer_id": f.layer.id,
            "notice": plain(dossier.notice, _TEXT),
            "geometry": f.shape,
        }
        for p in dossier.pages
        for f in p.of("touches")
        if f.shape is not None and not f.shape.is_empty
    ]
    near = dossier.near.rename(columns={"rule": "rule_id", "layer": "layer_id"})
    for column in ("title", "name", "site_ids"):
        near[column] = [plain(v, _TEXT) for v in near[column]]
    near["notice"] = plain(dossier.notice, _TEXT)
    return {
        **_by_kind("sites", _frame(sites, dossier)),
        **_by_kind("overlaps", _frame(overlaps, dossier)),
        **_by_kind("near_features", near),
    }


def _by_kind(name: str, frame: gpd.GeoDataFrame) -> dict[str, gpd.GeoDataFrame]:
    """A layer for each kind of geometry, all of several parts; that of polygons always."""
    shapes = frame.geometry.to_numpy()
    parts, owner = shapely.get_parts(shapes, return_index=True)
    while (nested := shapely.get_type_id(parts) >= _MULTI).any():
        inner, of = shapely.get_parts(parts[nested], return_index=True)
        parts = np.concatenate([parts[~nested], inner])
        owner = np.concatenate([owner[~nested], owner[nested][of]])
    order = np.argsort(owner, kind="stable")
    parts, owner = parts[order], owner[order]
    kind = shapely.get_dimensions(parts)
    out = {}
    for dimension, suffix, made in _KINDS:
        mine = kind == dimension
        if not mine.any() and suffix:
            continue
        some, where = np.unique(owner[mine], return_inverse=True)
        whole = made(parts[mine], indices=where) if len(some) else []
        out[name + suffix] = frame.iloc[some].set_geometry(
            gpd.GeoSeries(list(whole), index=frame.index[some], crs=frame.crs)
        )
    return out


def _frame(rows: list[dict[str, Any]], dossier: Dossier) -> gpd.GeoDataFrame:
    if not rows:
        return gpd.GeoDataFrame({"site_id": []}, geometry=[], crs=dossier.crs)
    return gpd.GeoDataFrame(rows, geometry="geometry", crs=dossier.crs)
