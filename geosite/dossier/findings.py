"""What each rule is to each site: named features, acres, distance, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely

from geosite import phrases
from geosite.attributes import numbers
from geosite.dossier.localities import heard
from geosite.errors import GeositeError
from geosite.overlaps import touches
from geosite.report.dossier_content import Finding, RuleFacts, percent
from geosite.report.text import plain
from geosite.rulings import scaled_setbacks
from geosite.tenure import COLUMNS, UNKNOWN, values_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from geosite.dossier.nearby import Nearby
    from geosite.model.permit import Permits
    from geosite.model.rule import Rule, Scaled, Treatment
    from geosite.report.dossier_content import Group, LayerFacts, Standing

    Cells = Callable[[Rule], Sequence[tuple[float, float]] | None]
    """Shares of each site's cells that a rule speaks against, and cannot tell; None: not read."""

_NOT_INFORMATIVE = "the layer does not show everything there is"


@dataclass(frozen=True, slots=True)
class Asked:
    """One rule in force, and what it means for the project."""

    rule: Rule
    treatment: Treatment
    facts: RuleFacts


def asked(rule: Rule, treatment: Treatment, permits: Permits) -> Asked:
    """A rule as a dossier writes it."""
    titles = {p.id: p.title for p in permits.permits}
    facts = RuleFacts(
        rule.id,
        rule.title,
        treatment.tier,
        phrases.said(treatment),
        rule.authority,
        rule.citation,
        rule.evidence,
        rule.exceptions,
        rule.consultation or "",
        tuple(titles.get(i, i) for i in rule.permits),
        rule.who_can_act or "",
        rule.note or "",
    )
    return Asked(rule, treatment, facts)


def findings(
    ask: Asked, near: Nearby, *, ring: float, cells: Cells, known: Mapping[str, Mapping[str, str]]
) -> list[Finding]:
    """What one rule is to each site, in the order of the sites.

    Parameters
    ----------
    ring : float
        Round each site; features within are named [m].
    cells : callable
        What the cells of a run say of a rule that is read off cells.
    known : mapping of site id to what is known of its land and minerals
    """
    rule, sites = ask.rule, near.sites
    layer = near.plan.catalog.get(rule.layer)
    off_cells = rule.reads_raster or rule.subject.kind == "disturbance"
    if off_cells or (layer is not None and layer.geometry == "raster"):
        return _of_cells(ask, near, cells)
    frame, land, lack = _read(rule, near)
    if frame is None:
        unasked = _unasked(ask, near, lack)
        off = _known_off(rule, near, land)
        return [_elsewhere(f) if k else f for f, k in zip(unasked, off, strict=True)]
    try:
        reach, untold = _setbacks(frame, ask, near)
    except GeositeError as error:
        return _unasked(ask, near, " ".join(str(error).split()))
    if rule.subject.kind == "boundary":
        frame = frame.set_geometry(frame.geometry.boundary)
    facts = near.facts(rule.layer)
    # What lies in land that the layer does not speak for may be within reach all the same.
    voices = near.plan.local.get(rule.id, ())
    far = [e.setback or 0.0 for e in voices]
    told = near.covered(rule.layer, max([ask.treatment.reach, *far])) == 1.0
    spoken = _within(sites, land)
    table = touches(spoken, frame, reach=reach, accuracy=facts.accuracy_m, ring=ring)
    local = heard(voices, near, spoken, frame, reach, facts.accuracy_m) if voices else None
    covered = near.covered(rule.layer)
    doubts = _doubts(rule, near, frame, reach, facts.accuracy_m)
    wider = _untold(ask, spoken, frame[untold], facts.accuracy_m)
    out = []
    for k, site in enumerate(sites.itertuples()):
        found = Finding(
            site.site_id, ask.facts, facts, "examined", "clear", "outline",
            looked_m=near.margin, covered=float(covered[k]), reach_covered=bool(told[k]),
        )  # fmt: skip
        if spoken.geometry.iloc[k].is_empty and not doubts[k]:
            out.append(_elsewhere(found))
            continue
        row = table.iloc[k]
        shape = _cut(spoken.geometry.iloc[k], frame) if row["features_n"] else None
        whole = site.geometry.area
        over = float(row["overlap_ha"])
        found = replace(
            found,
            names=_names(row["names"], row["reach_names"]),
            features_n=max(int(row["features_n"]), int(row["reach_n"])),
            overlap_ha=over,
            share=min(1.0, over * 10_000 / whole) if whole else 0.0,
            length_m=float(row["length_m"]) if row["features_n"] else np.nan,
            ring_n=int(row["ring_n"]),
            ring_names=_names(row["ring_names"]),
            shape=shape,
        )
        # What was read for another site may not be all there is so far from this one.
        if row["nearest_m"] <= near.margin:
            found = replace(
                found,
                nearest_m=float(row["nearest_m"]),
                bearing_deg=float(row["bearing_deg"]),
                direction=str(row["direction"]),
                nearest_name=plain(row["nearest_name"], 120),
            )
        standing = local.standing[k] if local else str(row["standing"])
        judged = _judged(found, standing, known.get(site.site_id, {}), rule)
        if local and local.words[k]:
            judged = replace(judged, why="; ".join(filter(None, (local.words[k], judged.why))))
        doubt = doubts[k] or (local.doubts[k] if local else "") or wider[k]
        if doubt and judged.standing == "clear":
            judged = replace(judged, standing="unknown", why=doubt)
        out.append(judged)
    return out


def _read(rule: Rule, near: Nearby) -> tuple[gpd.GeoDataFrame | None, gpd.GeoDataFrame | None, str]:
    """Features of a rule and the land that it speaks of; no features, and why, if one lacks."""
    try:
        frame = near.frame(rule.layer, rule.where)
        land = near.frame(rule.inside, rule.inside_where) if rule.inside else None
    except GeositeError as error:
        return None, None, " ".join(str(error).split())
    if frame is None:
        return None, land, near.lack(rule.layer)
    if rule.inside and land is None:
        return None, None, near.lack(rule.inside)
    return frame, land, ""


def _known_off(rule: Rule, near: Nearby, land: gpd.GeoDataFrame | None) -> list[bool]:
    # Whether each site is known to lie off the land that the rule speaks of.
    if not rule.inside or land is None or not near.facts(rule.inside).absence_informative:
        return [False] * len(near.sites)
    off = _within(near.sites, land).geometry.is_empty
    known = near.covered(rule.inside) == 1.0
    return [bool(o and k) for o, k in zip(off, known, strict=True)]


def _elsewhere(found: Finding) -> Finding:
    why = "the site is outside the land that the rule speaks of"
    return replace(found, group="examined", standing="clear", method="outline", why=why)


def _within(sites: gpd.GeoDataFrame, land: gpd.GeoDataFrame | None) -> gpd.GeoDataFrame:
    """Sites, or the part of each that lies in the land that a rule speaks of."""
    if land is None:
        return sites
    whole = shapely.union_all(land.geometry.to_numpy())
    shapely.prepare(whole)
    return sites.set_geometry(
        gpd.GeoSeries(
            shapely.intersection(sites.geometry.to_numpy(), whole), sites.index, sites.crs
        )
    )


def _doubts(
    rule: Rule, near: Nearby, frame: gpd.GeoDataFrame, reach: Any, accuracy: float | None
) -> list[str]:
    """Of each site, why nobody can tell whether the rule speaks of it; empty if that is known.

    It matters only where the rule would touch the site if it spoke of all of it.
    """
    out = [""] * len(near.sites)
    if not rule.inside:
        return out
    shown = near.facts(rule.inside)
    covered = near.covered(rule.inside)
    asked = np.flatnonzero((covered < 1.0) | (not shown.absence_informative))
    if not len(asked):
        return out
    said = "does not show everything there is" if not shown.absence_informative else ""
    found = touches(near.sites.iloc[asked], frame, reach=reach, accuracy=accuracy)["standing"]
    for k, standing in zip(asked.tolist(), found, strict=True):
        if standing != "clear":
            why = said or f"speaks for {percent(float(covered[k]))} of the site"
            out[k] = f"whether the rule speaks of this land is unknown: {rule.inside} {why}"
    return out


def _setbacks(
    frame: gpd.GeoDataFrame, ask: Asked, near: Nearby
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Setback of each feature [m], and which of them do not tell the attribute it hangs on."""
    scaled: Scaled | None = getattr(ask.treatment, "scaled", None)
    plain_one = float(getattr(ask.treatment, "setback", ask.treatment.reach))
    if scaled is None:
        return np.full(len(frame), plain_one), np.zeros(len(frame), bool)
    values = numbers(frame, scaled.field, near.plan.catalog[ask.rule.layer])
    return scaled_setbacks(values, scaled, plain_one)


def _untold(
    ask: Asked, sites: gpd.GeoDataFrame, frame: gpd.GeoDataFrame, accuracy: float | None
) -> list[str]:
    """Of each site, that a feature of unknown attribute may reach it; empty if none may."""
    if frame.empty:
        return [""] * len(sites)
    widest = ask.treatment.reach
    found = touches(sites, frame, reach=widest, accuracy=accuracy)["standing"]
    field = ask.treatment.scaled.field  # type: ignore[union-attr]  # only such has untold ones
    why = f"a feature that does not tell {field} lies within {phrases.distance(widest)}"
    return ["" if standing == "clear" else why for standing in found]


def _cut(site: Any, frame: gpd.GeoDataFrame) -> Any:
    shapes = frame.geometry.to_numpy()
    hit = frame.sindex.query(site, predicate="intersects")
    return shapely.intersection(site, shapely.union_all(shapes[np.sort(hit)]))


def _names(*lists: tuple[str, ...]) -> tuple[str, ...]:
    """Distinct names of several lists, safe to print, sorted."""
    return tuple(sorted({text for names in lists for n in names if (text := plain(n, 120))}))


def _judged(found: Finding, standing: str, known: Mapping[str, str], rule: Rule) -> Finding:
    """A finding with its group and standing, from what was measured."""
    for key in COLUMNS:
        wanted, said = getattr(rule, key), known.get(key, "")
        values = {*values_of(said)} if said else {UNKNOWN}
        if wanted != "any" and not values & {UNKNOWN, wanted}:
            words = f"the rule asks for {key.replace('_', ' ')} {wanted}; here it is {said}"
            return replace(found, why=words, standing="clear", group="examined")
        if wanted != "any" and values != {wanted}:
            lies = f"is {said or UNKNOWN}"
            found = replace(
                found, why=f"{key.replace('_', ' ')} of the site {lies}; it matters to the rule"
            )
    if found.rule.tier == "require" and standing == "certain":
        return replace(found, standing="clear", group="examined")
    if found.rule.tier == "require" and standing == "clear" and not _lack(found):
        # What the rule asks for is not there.
        standing = "certain"
    if standing != "clear":
        sure: Standing = "certain" if standing == "certain" else "possible"
        return replace(found, standing=sure, group="touches")
    group: Group = "near" if found.ring_n else "examined"
    if lack := _lack(found):
        group = "unasked" if group == "examined" and found.covered == 0.0 else group
        return replace(found, standing="unknown", group=group, why=lack)
    return replace(found, standing="clear", group=group)


def _lack(found: Finding) -> str:
    # Why a layer that shows nothing on a site does not say that there is nothing; empty if it does.
    if found.covered == 0.0:
        return "the layer does not speak for this land"
    if found.covered < 1.0:
        return f"the layer speaks for {percent(found.covered)} of the site"
    if not found.reach_covered:
        return "the layer does not speak for all land within the rule's reach of the site"
    return "" if found.layer.absence_informative else _NOT_INFORMATIVE


def _unasked(ask: Asked, near: Nearby, why: str) -> list[Finding]:
    layer = near.facts(ask.rule.layer)
    return [
        Finding(str(i), ask.facts, layer, "unasked", "unknown", "none", why=plain(why))
        for i in near.sites["site_id"]
    ]


def _of_cells(ask: Asked, near: Nearby, cells: Cells) -> list[Finding]:
    """What the cells of the run say, for rules that have no outlines."""
    read = cells(ask.rule)
    if read is None:
        why = near.lack(ask.rule.layer) or "raster: not examined here"
        return _unasked(ask, near, why)
    layer: LayerFacts = near.facts(ask.rule.layer)
    out = []
    for site, (against, unsure) in zip(near.sites.itertuples(), read, strict=True):
        group: Group = "touches" if against else "unasked" if unsure == 1 else "examined"
        standing: Standing = "certain" if against == 1 else "possible" if against else "clear"
        if not against and unsure:
            standing = "unknown"
        why = "read off the cells of the run"
        if unsure:
            why += f"; on {percent(unsure)} of them the rule cannot tell"
        out.append(
            Finding(
                site.site_id,
                ask.facts,
                layer,
                group,
                standing,
                "cells",
                why=why,
                share=against,
                overlap_ha=against * site.geometry.area / 10_000,
            )
        )
    return out
