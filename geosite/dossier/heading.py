"""Whose land a site is and who would decide there: the lines that head its page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from geosite.aoi import STATES
from geosite.parcels import PRECEDENCE
from geosite.report.dossier_content import Gap, Line
from geosite.report.text import missing, plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import geopandas as gpd

    from geosite.dossier.nearby import Nearby

Manager = tuple[str, str, float]
"""Code of an owner, names of its units, and its land in the site [ha]."""
_LEAST = 0.0005
"""A smaller share of a site is the rounding of a common edge."""
_MOST = 6
"""Names written out in a line."""
_OFFICES = (
    ("BLM field office", ("land/blm_field_offices",), ("name", "parent")),
    ("Ranger district", ("land/ranger_districts",), ("name", "forest")),
)
_PLANS = ("land/blm_land_use_plans",)
_SURVEY = (("Public land survey", ("land/plss_townships",), ("label", "meridian", "plss_id")),)
_PLAN_FIELDS = ("name", "decided", "year", "status")


def managers(near: Nearby) -> list[list[Manager] | None]:
    """Land of each site by owner, from the scenario's land layers; None if there is no layer.

    Where layers overlap the more protected owner has the land; no land counts twice.
    """
    frames = [near.frame(i) for i in near.plan.scenario.land.layers]
    there = [f for f in frames if f is not None and len(f) and "owner" in f]
    if not any(f is not None for f in frames):
        return [None] * len(near.sites)
    return [_managed(shape, there) for shape in near.sites.geometry]


def _managed(site: Any, frames: Sequence[gpd.GeoDataFrame]) -> list[Manager]:
    claims: dict[str, list[tuple[Any, str]]] = {}
    for frame in frames:
        hit = np.sort(frame.sindex.query(site, predicate="intersects"))
        some = frame.iloc[hit]
        names = some["name"] if "name" in some else pd.Series("", some.index)
        for shape, owner, name in zip(some.geometry, some["owner"], names, strict=True):
            claims.setdefault(str(owner), []).append((shape, plain(name, 80)))
    left, out = site, []
    for owner in sorted(claims, key=_precedence):
        mine = shapely.union_all([shape for shape, _ in claims[owner]])
        part = shapely.intersection(left, mine)
        if part.area > _LEAST * site.area:
            named = tuple(sorted({n for shape, n in claims[owner] if n and shape.intersects(part)}))
            out.append((owner, _some(named), part.area / 10_000))
        left = shapely.difference(left, mine)
    out.sort(key=lambda m: (-m[2], m[0]))
    if left.area > _LEAST * site.area:
        out.append(("", "in none of the land layers (private, state or not listed)",
                    left.area / 10_000))  # fmt: skip
    return out


def register_managers(sites: gpd.GeoDataFrame, parcels: gpd.GeoDataFrame) -> list[list[Manager]]:
    """Land of each site by owner, from a run's register, whose parcels share no land."""
    parcels = parcels.assign(owner=parcels["agency"])
    return [_managed(shape, [parcels]) for shape in sites.geometry]


def _precedence(owner: str) -> tuple[int, str]:
    return (PRECEDENCE.index(owner) if owner in PRECEDENCE else len(PRECEDENCE)), owner


def _some(names: Sequence[str]) -> str:
    more = len(names) - _MOST
    return "; ".join(names[:_MOST]) + (f"; and {more} more" if more > 0 else "")


def places(near: Nearby) -> tuple[list[tuple[Line, ...]], tuple[Gap, ...]]:
    """Lines of each site that layers of areas tell, and those that none could tell."""
    land = near.plan.scenario.land
    counties = (land.counties or "aoi/counties",)
    offices = [_office(i, near) for i in land.offices] or list(_OFFICES)
    wanted = [
        ("State", (STATES,), ("name",)),
        ("County", counties, ("name",)),
        *_SURVEY,
        *offices,
        ("Land-use plan", land.plans or _PLANS, _PLAN_FIELDS),
    ]
    lines: list[list[Line]] = [[] for _ in near.sites.index]
    gaps = []
    for label, ids, fields in wanted:
        told = _told(near, ids, fields)
        lost = "; ".join(f"layer {i} is not to be had" for i in ids if near.frame(i) is None)
        if lost:
            gaps.append(Gap("heading", label, f"unknown: {lost}", layer=ids[0]))
        for k, said in enumerate(told):
            value = said or (f"unknown: {lost}" if lost else "none in the layer here")
            lines[k].append(Line(label, value, ", ".join(ids)))
    return [tuple(some) for some in lines], tuple(gaps)


def _office(layer: str, near: Nearby) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    for label, ids, fields in _OFFICES:
        if layer in ids:
            return label, ids, fields
    title = near.plan.catalog[layer].title if layer in near.plan.catalog else layer
    return title, (layer,), ("name",)


def _told(near: Nearby, layers: Sequence[str], fields: Sequence[str]) -> list[str]:
    """Of each site, what the polygons that hold some of it are called."""
    out: list[list[str]] = [[] for _ in near.sites.index]
    for layer in layers:
        frame = near.frame(layer)
        if frame is None or frame.empty:
            continue
        texts = _labelled(frame, fields)
        shapes = frame.geometry.to_numpy()
        for k, site in enumerate(near.sites.geometry):
            hit = np.sort(frame.sindex.query(site, predicate="intersects"))
            share = shapely.area(shapely.intersection(shapes[hit], site)) / site.area
            order = hit[np.argsort(-share, kind="stable")]
            share = share[np.argsort(-share, kind="stable")]
            out[k] += [
                f"{texts[i]} ({100 * s:.0f} %)" if s < 1 - _LEAST else texts[i]
                for i, s in zip(order, share, strict=True)
                if s > _LEAST and texts[i]
            ]
    return [_some(list(dict.fromkeys(texts))) for texts in out]


def _labelled(frame: gpd.GeoDataFrame, fields: Sequence[str]) -> list[str]:
    there = [f for f in fields if f in frame]
    return [
        ", ".join(text for v in row if (text := plain(v, 120)))
        for row in frame[there].itertuples(index=False)
    ]


def deposits_inside(near: Nearby) -> list[str]:
    """Names of the mineral records inside each site, from the scenario's evidence layers."""
    evidence = near.plan.scenario.evidence
    found: list[list[str]] = [[] for _ in near.sites.index]
    read = False
    for layer in evidence.layers if evidence else ():
        frame = near.frame(layer)
        if frame is None:
            continue
        read = True
        names = _labelled(frame, ("name", "commodities"))
        tree = shapely.STRtree(frame.geometry.to_numpy())
        for k, site in enumerate(near.sites.geometry):
            hit = np.sort(tree.query(site, predicate="intersects"))
            found[k] += [names[i] or "unnamed record" for i in hit]
    if not read:
        return ["unknown: no layer of mineral records is to be had"] * len(found)
    return [_some(sorted(set(some))) or "none in the layers read" for some in found]


def ranked_lines(row: Mapping[str, Any], sites: int) -> tuple[Line, ...]:
    """What a run says of a site: rank, tier, score, deposits, authority."""
    low, high = row.get("rank_p05"), row.get("rank_p95")
    between = "" if missing(low) or missing(high) else f" (between {low:.0f} and {high:.0f})"
    lines = [
        Line("Rank", f"{row['rank']} of {sites}{between}, tier {plain(row.get('tier')) or 'none'}"),
        Line("Agency", plain(row.get("agency"))),
        Line("Parcel", plain(row.get("parcel"))),
        Line(
            "County", ", ".join(filter(None, (plain(row.get("county")), plain(row.get("state")))))
        ),
        Line("Deposits", plain(row.get("deposits")) or "none named"),
        Line("Could be made available by", plain(row.get("authority")) or "no authority known"),
    ]
    lines += [
        Line(key.replace("_", " ").capitalize(), plain(row.get(key)) or "unknown")
        for key in ("land_origin", "mineral_estate", "mineral_status")
    ]
    return tuple(line for line in lines if line.value)
