"""What a county or another area asks instead of a rule, on the part of each site in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely

from geosite import phrases
from geosite.localities import county_codes
from geosite.needs import local_layer
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
    """Standing of each site where more than one voice speaks, and the words of those heard."""

    standing: list[str]
    words: list[str]


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
    for entry in entries:
        land = _land(entry, near)
        if land is None:
            for said in words:
                said.append(f"where {phrases.local(entry)} holds is unknown: no layer tells it")
            continue
        part = shapely.intersection(left, land)
        left = shapely.difference(left, land)
        some = shapely.area(part) > _LEAST
        for k in np.flatnonzero(some):
            words[k].append(f"instead here: {phrases.local(entry)}")
        if entry.applies and entry.setback is not None:
            best = _surer(best, some, part, sites, features, entry.setback, accuracy)
    best = _surer(best, shapely.area(left) > _LEAST, left, sites, features, reach, accuracy)
    return Heard([_SURE[k] for k in best], ["; ".join(said) for said in words])


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
    layer = local_layer(entry, near.plan.scenario)
    frame = near.frame(layer, entry.where)
    if frame is None or (entry.counties and "fips" not in frame):
        return None
    if entry.counties:
        codes = county_codes(frame, near.plan.catalog[layer])
        frame = frame[[c in entry.counties for c in codes]]
    return shapely.union_all(frame.geometry.to_numpy())
