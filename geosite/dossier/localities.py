"""What a county or another area asks instead of a rule, on the part of each site in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely

from geosite import phrases
from geosite.overlaps import touches

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from geosite.dossier.nearby import Nearby
    from geosite.model.rule import LocalRule

_SURE = ("certain", "possible", "clear")
_LEAST = 1.0  # m²: less of a site is the rounding of a common edge


@dataclass(frozen=True, slots=True)
class Heard:
    """Standing of each site where more than one voice speaks, and the words of those heard.

    ``doubts``: why nobody can tell that a site is clear; empty where it is no question.
    """

    standing: list[str]
    words: list[str]
    doubts: list[str]


def heard(
    entries: Sequence[LocalRule],
    near: Nearby,
    sites: gpd.GeoDataFrame,
    features: gpd.GeoDataFrame,
    reach: Any,
    accuracy: float | None,
) -> Heard:
    """What local rules, the first that holds a piece of land, and else the rule itself say.

    Parameters
    ----------
    sites : GeoDataFrame
        Of what the rule speaks of.
    reach : (features,) array
        The rule's own setbacks [m].
    """
    left = sites.geometry.to_numpy().copy()
    best = np.full(len(sites), len(_SURE) - 1)
    words: list[list[str]] = [[] for _ in left]
    unplaced = []
    for entry in entries:
        land = _land(entry, near)
        if land is None:
            unplaced.append(entry)
            continue
        part = shapely.intersection(left, land)
        left = shapely.difference(left, land)
        some = shapely.area(part) > _LEAST
        for k in np.flatnonzero(some):
            words[k].append(f"instead here: {phrases.local(entry)}")
        if entry.applies and entry.setback is not None:
            best = _surer(best, some, part, sites, features, entry.setback, accuracy)
    best = _surer(best, shapely.area(left) > _LEAST, left, sites, features, reach, accuracy)
    doubts = [""] * len(best)
    for entry in unplaced:
        everywhere = np.full(len(best), len(_SURE) - 1)
        if entry.applies and entry.setback is not None:
            all_ = np.ones(len(best), bool)
            shapes = sites.geometry.to_numpy()
            everywhere = _surer(everywhere, all_, shapes, sites, features, entry.setback, accuracy)
        why = f"where {phrases.local(entry)} holds is unknown: no layer tells it"
        for k in np.flatnonzero(everywhere != best):
            words[k].append(why)
            doubts[k] = why
        # What it would lift if it held here is no longer certain.
        best = np.where((everywhere > best) & (best == 0), 1, best)
    standing = [_SURE[k] for k in best]
    return Heard(standing, ["; ".join(said) for said in words], doubts)


def _surer(
    best: Any, some: Any, part: Any, sites: gpd.GeoDataFrame, features: gpd.GeoDataFrame,
    reach: Any, accuracy: float | None,
) -> Any:  # fmt: skip
    if not some.any():
        return best
    pieces = gpd.GeoDataFrame(geometry=part[some], crs=sites.crs)
    found: pd.DataFrame = touches(pieces, features, reach=reach, accuracy=accuracy)
    out = best.copy()
    out[some] = np.minimum(out[some], found["standing"].map(_SURE.index).to_numpy(int))
    return out


def _land(entry: LocalRule, near: Nearby) -> Any | None:
    """Where a local rule holds; None if nobody can tell."""
    if entry.inside:
        frame = near.frame(entry.inside, entry.where)
    else:
        frame = near.frame(near.plan.scenario.land.counties or "aoi/counties")
        if frame is not None and "fips" not in frame:
            return None
        if frame is not None:
            codes = frame["fips"].astype("string").fillna("").str.removesuffix(".0").str.zfill(5)
            frame = frame[codes.isin(entry.counties)]
    return None if frame is None else shapely.union_all(frame.geometry.to_numpy())
