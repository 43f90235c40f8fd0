"""Exact overlaps of many sites with the features of a rule: areas, names, distances, standing.

The features are united before any area is taken, so that land under two of them counts once
and no share exceeds one. Everything is measured on the outlines themselves, not on cells.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from geosite import crs
from geosite.cuts import parts, valid
from geosite.errors import CRSMismatchError
from geosite.meetings import TOUCH_M, Features, firsts, united

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from geosite.meetings import Pairs

    Geometries = NDArray[Any]
    Numbers = NDArray[np.float64]
    Places = NDArray[np.int64]

_SAFE = 1.01
"""A distance on the grid is looked up this much further than its scale says."""
_ROUND = 16
"""Segments of a quarter of a circle."""
_INWARD = 1 / np.cos(np.pi / (4 * _ROUND))
"""A shrink by a polygon of so many segments is nowhere less than by the circle."""
DIRECTIONS = (
    *("N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE"),
    *("S", "SSW", "SW", "WSW", "W", "WNW", "NW", "NNW"),
)


# ── areas ─────────────────────────────────────────────────────────────────────────────────────
def areas(sites: Geometries, features: Geometries) -> Numbers:
    """Area of each site under the union of the features, (n,) [m²]; 0 where there is nothing.

    Parameters
    ----------
    sites : (n,) of geometry or None
    features : (m,) of geometry or None
        In the plane of the sites; points and lines cover nothing.

    Notes
    -----
    Exact but for rounding: sites and features of many corners are cut along the grid's
    axes; each piece of a site is laid against the pieces near it; where those of several
    features meet it they are united first; the sum is over the pieces of the site.

    Examples
    --------
    >>> site, one, same = shapely.box(0, 0, 10, 10), shapely.box(4, 0, 20, 10), None
    >>> areas(np.array([site]), np.array([one, one, same]))
    array([60.])
    """
    whole = valid(sites)
    cut = Features(parts(valid(features)).of(2))
    return _at_most(cut.met(parts(whole).of(2), len(whole)).area, whole)


def _at_most(area: Numbers, sites: Geometries) -> Numbers:
    # The pieces of a site add up to it but for rounding.
    return np.minimum(area, np.nan_to_num(shapely.area(sites)))


# ── touches ───────────────────────────────────────────────────────────────────────────────────
def touches(
    sites: gpd.GeoDataFrame,
    features: gpd.GeoDataFrame,
    *,
    reach: float | Numbers = 0.0,
    accuracy: float | None = None,
    ring: float = 0.0,
) -> pd.DataFrame:
    """What each site has to do with the features of a rule, one row a site.

    Parameters
    ----------
    sites : GeoDataFrame
        Its index holds the ids of the sites.
    features : GeoDataFrame
        In the same projected CRS, in metres; names are read from column ``name``.
    reach : float or (features,) array
        Setback of the rule, or of each feature [m].
    accuracy : float, optional
        How far a feature may lie from where it is drawn [m]; None if the layer does not say.
    ring : float
        Features within this distance are counted and named as well [m].

    Returns
    -------
    pandas.DataFrame
        Indexed as `sites`:

        ``overlap_ha``, ``share``
            Under the union of the polygons; share of the site, 0–1, NaN of a site without area.
        ``length_m``
            Of the union of the lines inside the site; NaN if the features hold no line.
        ``names``, ``features_n``
            Of the features that the site overlaps or touches: distinct names, sorted; number.
        ``nearest_m``, ``bearing_deg``, ``direction``, ``nearest_name``
            Geodesic distance and bearing from the site to the nearest feature: 0, NaN and
            "" where they touch; NaN, NaN and "" if there is no feature.
        ``ring_n``, ``ring_names``
            Of the features within the ring, those that touch included.
        ``reach_n``, ``reach_names``
            Of the features that are certainly or possibly within reach.
        ``standing``, ``accuracy_known``
            "certain", "possible" or "clear"; whether `accuracy` was given.

    Raises
    ------
    CRSMismatchError
        If a frame carries no CRS, they differ, or it is not projected in metres.

    Notes
    -----
    With d the distance to a feature, s its reach and a its accuracy: *certain* where
    d + a ≤ s; or, for a > s, where a point of the feature lies a − s or deeper inside the
    site, or a point of the site so deep inside the union of the features: wherever within
    a of its drawn place the feature is, it meets the reach. *Possible* where d − a ≤ s;
    *clear* elsewhere. A polygon of no reach that only touches the site along an edge or at
    a point covers none of it, yet a hair's breadth would change that: *possible*. Without
    a stated accuracy, a counts as 0. Which feature is nearest is decided in the plane.
    """
    _checked(sites, features, reach)
    return _Meeting(sites, features, reach, accuracy).table(ring)


class _Meeting:
    """Sites and the features of a rule; each method answers one question."""

    def __init__(
        self,
        sites: gpd.GeoDataFrame,
        features: gpd.GeoDataFrame,
        reach: float | Numbers,
        accuracy: float | None,
    ) -> None:
        self.index, self.crs = sites.index, sites.crs
        self.sites = valid(sites.geometry.to_numpy())
        self.cut = parts(self.sites)
        self.features = Features(parts(valid(features.geometry.to_numpy())))
        self.count = len(features)
        self.reach = np.broadcast_to(np.asarray(reach, float), (self.count,))
        self.accuracy = accuracy
        self.names, self.name = _names(features)

    def table(self, ring: float) -> pd.DataFrame:
        """One row a site; see `touches`."""
        met = self.features.met(self.cut, len(self.sites))
        overlap = _at_most(met.area, self.sites)
        own = np.nan_to_num(shapely.area(self.sites))
        with np.errstate(invalid="ignore", divide="ignore"):
            share = np.where(own > 0, np.minimum(overlap / own, 1.0), np.nan)
        lines = bool((self.features.pieces.dimension == 1).any())
        out = pd.DataFrame(
            {
                "overlap_ha": overlap / 10_000,
                "share": share,
                "length_m": met.length if lines else np.nan,
            },
            index=self.index,
        )
        hits = (met.site, met.feature, np.zeros(len(met.site)))
        touching = self._named(hits)
        out["names"], out["features_n"] = touching
        self._nearest(out, met.site)
        ringed = self._named(self._ringed(hits, ring)) if ring > 0 else touching
        out["ring_names"], out["ring_n"] = ringed
        within, reached = self._reached(hits), touching
        if within is not hits:
            reached = self._named(within)
        out["reach_names"], out["reach_n"] = reached
        out["standing"] = self._standing(within, overlap)
        out["accuracy_known"] = self.accuracy is not None
        return out

    def _nearest(self, out: pd.DataFrame, touching: Places) -> None:
        n = len(self.sites)
        far, bearing = np.full(n, np.nan), np.full(n, np.nan)
        names = np.full(n, "", object)
        far[touching] = 0.0
        asked = self.cut.at(np.flatnonzero(np.isnan(far)[self.cut.owner]))
        at, piece = self.features.nearest(asked)
        site = asked.owner[at]
        far[site], bearing[site] = self._ground(asked.geometry[at], piece)
        names[site] = self.names[self.name[self.features.pieces.owner[piece]]]
        out["nearest_m"], out["bearing_deg"] = far, bearing
        out["direction"], out["nearest_name"] = directions(bearing), names

    def _ground(self, own: Geometries, piece: Places) -> tuple[Numbers, Numbers]:
        # Geodesic distance and bearing between the points that are nearest in the plane.
        links = shapely.shortest_line(own, self.features.pieces.geometry[piece])
        xy = shapely.get_coordinates(links).reshape(-1, 2, 2)
        return crs.geodesic(xy[:, 0], xy[:, 1], self.crs)

    def _near(self, distance: float) -> Pairs:
        # Pairs of site and feature that are about so near on the ground, how far apart they are.
        _, most = self._scales
        at, piece = self.features.within(self.cut, distance * most * _SAFE)
        far, _ = self._ground(self.cut.geometry[at], piece)
        return firsts([(self.cut.owner[at], self.features.pieces.owner[piece], far)])

    @cached_property
    def _scales(self) -> tuple[float, float]:
        # Metres of the plane in a metre of the ground: least and most, round the sites.
        there = self.sites[~shapely.is_missing(self.sites)]
        if not len(there):
            return 1.0, 1.0
        return crs.linear_scales(self.crs, tuple(shapely.total_bounds(there)))

    def _ringed(self, hits: Pairs, ring: float) -> Pairs:
        # Most are within the ring by any scale; the ground is asked about the others only.
        least, most = self._scales
        owner = self.features.pieces.owner
        at, piece = self.features.within(self.cut, ring * least / _SAFE)
        sure = firsts([hits, (self.cut.owner[at], owner[piece], np.zeros(len(at)))])
        at, piece = self.features.within(self.cut, ring * most * _SAFE)
        pair = self.cut.owner[at] * self.count + owner[piece]
        other = ~np.isin(pair, sure[0] * self.count + sure[1])
        at, piece = at[other], piece[other]
        far, _ = self._ground(self.cut.geometry[at], piece)
        at, piece = at[far <= ring], piece[far <= ring]
        return firsts([sure, (self.cut.owner[at], owner[piece], far[far <= ring])])

    def _reached(self, hits: Pairs) -> Pairs:
        # Pairs that are certainly or possibly within reach, and how far apart they are.
        a = self.accuracy or 0.0
        most = float(self.reach.max(initial=0.0)) + a
        if most <= 0:
            return hits
        site, feature, far = self._near(most)
        some = far - a <= self.reach[feature]
        return firsts([hits, (site[some], feature[some], far[some])])

    def _named(self, pairs: Pairs) -> tuple[NDArray[Any], Places]:
        # Distinct names of the features of each site, sorted, and how many features there are.
        site, name = pairs[0], self.name[pairs[1]]
        out = np.empty(len(self.sites), object)
        out[:] = [()] * len(out)
        both = np.unique((site * len(self.names) + name)[self.names[name] != ""])
        at, start = np.unique(both // len(self.names), return_index=True)
        said = self.names[both % len(self.names)].tolist()
        ends = [*start[1:].tolist(), len(said)]
        for k, low, high in zip(at.tolist(), start.tolist(), ends[: len(at)], strict=True):
            out[k] = tuple(said[low:high])
        return out, np.bincount(site, minlength=len(out))

    def _standing(self, within: Pairs, overlap: Numbers) -> NDArray[Any]:
        # Each pair makes its site possible; some make it certain.
        site, feature, far = within
        out = np.full(len(self.sites), "clear", object)
        out[site] = "possible"
        a, s = self.accuracy or 0.0, self.reach[feature]
        # An overlap no wider than a touch is the rounding of a common edge.
        wide = overlap > TOUCH_M * np.nan_to_num(shapely.length(self.sites))
        drawn = np.zeros(self.count, bool)
        drawn[self.features.pieces.of(2).owner] = True
        inside = (far > 0) | (s > 0) | ~drawn[feature] | wide[site]
        out[site[(far + a <= s) & inside]] = "certain"
        deep = (a > s) & (far == 0) & inside
        for depth in np.unique(a - s[deep]):
            at = deep & (a - s == depth) & (out[site] != "certain")
            asked = np.unique(site[at])
            out[asked[self._deep(asked, feature[at], float(depth))]] = "certain"
        return out

    def _deep(self, site: Places, feature: Places, depth: float) -> NDArray[np.bool_]:
        # Whether features reach so deep into a site, or the site into their union.
        d = depth * _INWARD
        pieces = self.features.pieces
        some = pieces.at(np.flatnonzero(np.isin(pieces.owner, feature)))
        tree, own = shapely.STRtree(some.geometry), self.sites[site]
        found = np.zeros(len(site), bool)
        shrunk = shapely.buffer(own, -d, quad_segs=_ROUND)
        found[tree.query(shrunk, predicate="intersects")[0]] = True
        # What is further than the depth from the site cannot change what lies deep in it.
        boxes = shapely.box(*(shapely.bounds(own) + np.array([-2, -2, 2, 2]) * d).T)
        near, piece = tree.query(boxes)
        area = (some.dimension[piece] == 2) & ~found[near]
        near, piece = near[area], piece[area]
        if len(near):
            at, unions = united(shapely.intersection(some.geometry[piece], boxes[near]), near)
            cores = shapely.buffer(unions, -d, quad_segs=_ROUND)
            found[at] = shapely.intersects(cores, own[at])
        return found


def _names(features: gpd.GeoDataFrame) -> tuple[NDArray[Any], Places]:
    # Distinct names, sorted, and the place of each feature's among them.
    if "name" not in features.columns:
        return np.array([""], object), np.zeros(len(features), np.int64)
    names = features["name"].astype(object).where(features["name"].notna(), "").astype(str)
    found, place = np.unique(names.to_numpy(object), return_inverse=True)
    return found, np.asarray(place, np.int64)


def directions(bearing: Numbers) -> NDArray[Any]:
    """Name of the nearest of sixteen directions, (n,); "" where the bearing is NaN.

    Examples
    --------
    >>> directions(np.array([0.0, 100.0, 350.0, np.nan])).tolist()
    ['N', 'E', 'N', '']
    """
    sector = np.rint(np.nan_to_num(bearing) / 22.5).astype(int) % 16
    found: NDArray[Any] = np.where(np.isnan(bearing), "", np.array(DIRECTIONS, object)[sector])
    return found


def _checked(sites: gpd.GeoDataFrame, features: gpd.GeoDataFrame, reach: float | Numbers) -> None:
    said = {"sites": sites.crs, "features": features.crs}
    if lost := [name for name, known in said.items() if known is None]:
        msg = f"overlaps: the {' and the '.join(lost)} carry no CRS; both need that of the grid"
        raise CRSMismatchError(msg)
    if not crs.same_crs(sites.crs, features.crs):
        msg = (
            f"overlaps: the sites are in {sites.crs.name}, the features in {features.crs.name}; "
            "bring both into the CRS of the grid (geosite.crs.projected)"
        )
        raise CRSMismatchError(msg)
    if not sites.crs.is_projected or any(a.unit_name != "metre" for a in sites.crs.axis_info):
        msg = (
            f"overlaps: {sites.crs.name} is not projected in metres, so no area follows from it; "
            "bring sites and features into the CRS of the grid, e.g. EPSG:5070"
        )
        raise CRSMismatchError(msg)
    if np.ndim(reach) and np.shape(reach) != (len(features),):
        msg = f"overlaps: {np.size(reach)} reaches for {len(features)} features; give one for each"
        raise ValueError(msg)
