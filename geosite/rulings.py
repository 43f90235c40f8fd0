"""Features of rules whose setback is not simply the rule's: by attribute, boundaries, caps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geosite.attributes import numbers
from geosite.coverage import covered_land
from geosite.crs import WGS84, projected_bounds
from geosite.disturbance import COLUMNS, OVER, WITHIN, disturbed, proposed_area
from geosite.inputs import Part
from geosite.model.lock import contains
from geosite.model.rule import Disturbance
from geosite.segments import Shapes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from geosite.library import Library
    from geosite.model.rule import Rule, Scaled, Treatment
    from geosite.planning import Plan


def rulings(
    library: Library,
) -> tuple[dict[str, gpd.GeoDataFrame], pd.DataFrame, tuple[str, ...]]:
    """Features of the rules that need their own, the table of caps, and what is to be said.

    Returns
    -------
    features : mapping of rule id to GeoDataFrame
        ``name, metres, sure, geometry``: setback [m], and whether it is certain that the rule
        speaks of the feature. Rules whose layer is not to be had are left out.
    caps : DataFrame
        ``rule`` and the columns of `disturbance.disturbed`: one row an analysis area.
    notes
        In words.
    """
    plan = library.plan
    features, caps, notes = {}, [], []
    for rule, treatment in zip(plan.rules, plan.treatments, strict=True):
        if not is_particular(rule, treatment) or not library.has(rule.layer):
            continue
        frame = library.frame(rule.layer, rule.where)
        if isinstance(rule.subject, Disturbance):
            found = _capped(rule.subject, frame, library)
            caps.append(pd.DataFrame(found[list(COLUMNS)]).assign(rule=rule.id))
            found = found[found["standing"] != WITHIN]
            own = _told(found, found["area"], treatment.reach, found["standing"] == OVER)
        else:
            metres, untold, said = _setbacks(frame, rule, treatment, plan)
            notes += said
            bounded = _bounded(frame) if rule.subject.kind == "boundary" else frame
            name = bounded["name"] if "name" in bounded else pd.Series("", bounded.index)
            own = _told(bounded, name, metres.loc[bounded.index], sure=True)
            if untold.any():
                # What does not tell its attribute may reach as far as any of its kind.
                far = own[untold.loc[bounded.index].to_numpy()]
                far = far.assign(metres=treatment.reach, sure=False)
                own = pd.concat([own, far], ignore_index=True)
        features[rule.id] = own
    table = pd.concat(caps, ignore_index=True) if caps else pd.DataFrame(columns=["rule", *COLUMNS])
    return features, table[["rule", *COLUMNS]], tuple(notes)


def is_particular(rule: Rule, treatment: Treatment) -> bool:
    """Whether a rule is read off features that its layer and setback alone do not tell."""
    return rule.subject.kind in ("boundary", "disturbance") or (
        rule.subject.kind == "presence" and getattr(treatment, "scaled", None) is not None
    )


def parts(features: Mapping[str, gpd.GeoDataFrame], plan: Plan) -> dict[str, tuple[Part, ...]]:
    """The features of `rulings` on the grid, those of one setback together."""
    rules = {r.id: r for r in plan.rules}
    out = {}
    for id_, frame in features.items():
        rule, grid = rules[id_], plan.grid
        kind = "line" if rule.subject.kind == "boundary" else plan.catalog[rule.layer].geometry
        if kind == "raster":
            continue
        found = []
        for sure, some in frame.groupby("sure", sort=True):
            for metres in sorted(some["metres"].unique()):
                # Polygons share cells: what has a wider setback counts for a narrower one, too.
                wide = some["metres"] >= metres if kind == "polygon" else some["metres"] == metres
                found.append(Part(Shapes.of(some[wide], grid, kind), float(metres), bool(sure)))
        out[id_] = tuple(found)
    return out


def _told(frame: gpd.GeoDataFrame, name: Any, metres: Any, sure: Any) -> gpd.GeoDataFrame:
    names = pd.Series(name, frame.index).fillna("").astype(str)
    told = gpd.GeoDataFrame(
        {"name": names, "metres": metres, "sure": sure},
        geometry=frame.geometry.to_numpy(),
        index=frame.index,
        crs=frame.crs,
    )
    return told.reset_index(drop=True)


# ── setbacks ──────────────────────────────────────────────────────────────────────────────────
def _setbacks(
    frame: gpd.GeoDataFrame, rule: Rule, treatment: Treatment, plan: Plan
) -> tuple[pd.Series[float], pd.Series[bool], list[str]]:
    # Of each feature its setback [m], and whether a wider one may be its own.
    scaled: Scaled | None = getattr(treatment, "scaled", None)
    if scaled is None:
        every = pd.Series(treatment.reach, frame.index, dtype=float)
        return every, pd.Series(data=False, index=frame.index), []
    values = numbers(frame, scaled.field, plan.catalog[rule.layer])
    plain = float(getattr(treatment, "setback", 0.0))
    metres, unknown = scaled_setbacks(values, scaled, plain)
    notes = []
    wider = treatment.reach > plain
    if unknown.any():
        doubt = f", and from there to {treatment.reach:g} m the rule cannot tell" if wider else ""
        notes.append(
            f"rule {rule.id}: {np.count_nonzero(unknown)} of {len(frame)} features of "
            f"{rule.layer} do not tell {scaled.field}: they have the setback of {plain:g} m{doubt}"
        )
    return pd.Series(metres, frame.index), pd.Series(unknown & wider, frame.index), notes


def scaled_setbacks(
    values: NDArray[np.float64], scaled: Scaled, plain: float
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Setbacks by an attribute, to 0.1 m: (features,) [m], and where it tells none.

    Parameters
    ----------
    values : (features,)
        NaN where it is not known. No voltage and no height is below zero, and none is no
        height: such a value is taken for one that is not told.
    plain : float
        Setback of a feature that does not tell it, or that is below the first step [m].
    """
    if scaled.times is not None:
        unknown = ~(values > 0)
        metres = np.minimum(np.where(unknown, plain, values * scaled.times), scaled.at_most or 0.0)
    else:
        unknown = ~(values >= 0)
        steps = np.array([plain, *(s.setback for s in scaled.steps)])
        froms = [s.from_ for s in scaled.steps]
        metres = steps[np.searchsorted(froms, np.where(unknown, -np.inf, values), side="right")]
    # Rounding must not widen it beyond what was read around the AOI.
    near = np.minimum(np.round(metres, 1), max(scaled.widest, plain))
    return np.where(unknown, plain, near), unknown


def _bounded(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Boundaries of each feature's own polygons, as lines; a neighbour's edge stays."""
    polygons = frame.explode(ignore_index=False)
    polygons = polygons[polygons.geom_type == "Polygon"]
    return polygons.set_geometry(polygons.geometry.boundary)


# ── caps ──────────────────────────────────────────────────────────────────────────────────────
def _capped(subject: Disturbance, areas: gpd.GeoDataFrame, library: Library) -> gpd.GeoDataFrame:
    layer = subject.existing
    existing, known = None, np.zeros(len(areas), bool)
    if len(areas) and library.has(layer):
        # An area ends where it ends, not where the AOI does.
        left, bottom, right, top = areas.total_bounds.tolist()
        existing = library.around(layer, subject.existing_where, (left, bottom, right, top))
        known = _known(layer, areas, library)
    return disturbed(
        areas,
        existing,
        cap=subject.cap.value,
        proposed=proposed_area(library.plan.scenario),
        known=known,
    )


def _known(layer: str, areas: gpd.GeoDataFrame, library: Library) -> NDArray[np.bool_]:
    # Whether a layer shows all there is in each area: (areas,).
    plan = library.plan
    if plan.catalog[layer].absence == "not_informative":
        return np.zeros(len(areas), bool)
    shapes = areas.geometry.to_numpy()
    known = np.ones(len(areas), bool)
    left, bottom, right, top = areas.total_bounds.tolist()
    covered = covered_land(library, layer, (left, bottom, right, top))
    if covered is not None:
        land = shapely.union_all(shapely.make_valid(covered.geometry.to_numpy()))
        known &= shapely.area(shapely.difference(shapes, land)) <= 1e-6 * shapely.area(shapes)
    if boxes := library.boxes(layer):
        around = [projected_bounds(tuple(b), plan.grid.crs, WGS84) for b in areas.bounds.to_numpy()]
        known &= np.array([all(contains(box, a) for box in boxes) for a in around])
    return known
