"""Exact overlaps of many sites with the features of a rule: areas, names, distances, standing.

The features are united before any area is taken, so that land under two of them counts once
and no share exceeds one. Everything is measured on the outlines themselves, not on cells.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from geosite import crs
from geosite.cuts import Parts, parts, threaded, valid
from geosite.errors import CRSMismatchError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import geopandas as gpd
    from numpy.typing import NDArray

    Geometries = NDArray[Any]
    Numbers = NDArray[np.float64]
    Places = NDArray[np.int64]

TOUCH_M = 1e-6
"""Nearer than this, outlines touch; an overlap that is nowhere wider is a touch, too [m]."""
_BLOCK = 4096
"""Sites, or pieces of sites, that are laid against the features at once."""
_SAFE = 1.01
"""A distance on the grid is looked up this much further than its scale says."""
_ROUND = 16
"""Segments of a quarter of a circle."""
_INWARD = 1 / np.cos(np.pi / (4 * _ROUND))
"""A shrink by a polygon of so many segments is nowhere less than by the circle."""
DIRECTIONS = tuple("N NNE NE ENE E ESE SE SSE S SSW SW WSW W WNW NW NNW".split())


# ── areas ─────────────────────────────────────────────────────────────────────────────────────
def areas(sites: Geometries, features: Geometries) -> Numbers:
    """Area of each site under the union of the features, (n,) [m²].

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
    """
    cut = parts(valid(features)).of(2)
    return _inside(parts(valid(sites)).of(2), cut, len(sites), shapely.area)


def _inside(sites: Parts, features: Parts, count: int, size: Any) -> Numbers:
    # Area (of polygons) or length (of lines) of the union of the features inside each site.
    out = np.zeros(count)
    if not len(sites) or not len(features):
        return out
    tree = shapely.STRtree(features.geometry)
    for block in _blocks(len(sites)):
        near, piece = _pairs(tree, sites.geometry[block])
        own = sites.geometry[block]
        clips = threaded(shapely.intersection, own[near], features.geometry[piece])
        clips, of = shapely.get_parts(clips, return_index=True)
        sizes = size(clips)
        some = sizes > 0
        clips, of, sizes = clips[some], of[some], sizes[some]
        found = _united_size(
            clips, sizes, near[of], features.owner[piece[of]], len(own), size, shapely.area(own)
        )
        np.add.at(out, sites.owner[block], found)
    return out


def _united_size(
    clips: Geometries,
    sizes: Numbers,
    group: Places,
    owner: Places,
    count: int,
    size: Any,
    most: Numbers,
) -> Numbers:
    # Size of the union of the clips of each group. Those of one feature share no inside.
    found = np.bincount(group, sizes, count).astype(np.float64)
    first = np.full(count, -1)
    first[group[::-1]] = owner[::-1]
    mixed = np.zeros(count, bool)
    mixed[group[owner != first[group]]] = True
    if size is shapely.area:
        whole = np.zeros(count)
        np.maximum.at(whole, group, sizes)
        full = whole >= most * (1 - 1e-12)
        found[full] = most[full]
        mixed &= ~full
    asked = mixed[group]
    if asked.any():
        at, unions = _united(clips[asked], group[asked])
        found[at] = size(unions)
    return np.minimum(found, most) if size is shapely.area else found


def _united(clips: Geometries, group: Places) -> tuple[Places, Geometries]:
    # Groups, ascending, and the union of each. Unions of like many are taken at one go.
    order = np.argsort(group, kind="stable")
    at, start, number = np.unique(group[order], return_index=True, return_counts=True)
    out = np.empty(len(at), object)
    rank = np.ceil(np.log2(number)).astype(int)
    for power in np.unique(rank):
        rows = np.flatnonzero(rank == power)
        table = np.full((len(rows), 2**power), None, object)
        line = np.repeat(np.arange(len(rows)), number[rows])
        column = np.arange(len(line)) - np.repeat(
            np.cumsum(number[rows]) - number[rows], number[rows]
        )
        table[line, column] = clips[order[start[rows][line] + column]]
        chunk = max(1, 1024 // 2**power)
        out[rows] = threaded(lambda t: shapely.union_all(t, axis=1), table, chunk=chunk)
    return at, out


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
    return _Meeting(sites, features, reach, accuracy).table(ring)


class _Meeting:
    """Sites and features, laid on each other once; each method answers one question."""

    def __init__(
        self,
        sites: gpd.GeoDataFrame,
        features: gpd.GeoDataFrame,
        reach: float | Numbers,
        accuracy: float | None,
    ) -> None:
        _checked(sites, features)
        self.index, self.crs = sites.index, sites.crs
        self.sites = valid(sites.geometry.to_numpy())
        self.pieces = parts(valid(features.geometry.to_numpy()))
        self.tree = shapely.STRtree(self.pieces.geometry)
        self.count = len(features)
        self.reach = np.broadcast_to(np.asarray(reach, float), (self.count,))
        self.accuracy = accuracy
        self.names = (
            features["name"].fillna("").astype(str).to_numpy(object)
            if "name" in features.columns
            else np.full(self.count, "", object)
        )
        self.scales = self._scales()

    def table(self, ring: float) -> pd.DataFrame:
        """One row a site; see `touches`."""
        n = len(self.sites)
        own = np.nan_to_num(shapely.area(self.sites))
        polygons, lines = self.pieces.of(2), self.pieces.of(1)
        cut = parts(self.sites).of(2)
        overlap = np.minimum(_inside(cut, polygons, n, shapely.area), own)
        length = _inside(cut, lines, n, shapely.length) if len(lines) else np.full(n, np.nan)
        hits = self._within(TOUCH_M)
        with np.errstate(invalid="ignore", divide="ignore"):
            share = np.where(own > 0, np.minimum(overlap / own, 1.0), np.nan)
        out = pd.DataFrame(
            {"overlap_ha": overlap / 10_000, "share": share, "length_m": length}, index=self.index
        )
        out["names"], out["features_n"] = self._named(*hits)
        self._nearest(out, hits[0])
        rings = self._geodesic(ring, hits)
        out["ring_names"], out["ring_n"] = self._named(*rings[:2])
        a = self.accuracy or 0.0
        site, feature, far = self._geodesic(float(self.reach.max(initial=0)) + a, hits)
        wanted = far - a <= self.reach[feature]
        site, feature, far = site[wanted], feature[wanted], far[wanted]
        out["reach_names"], out["reach_n"] = self._named(site, feature)
        out["standing"] = self._standing(site, feature, far, overlap)
        out["accuracy_known"] = self.accuracy is not None
        return out

    def _scales(self) -> tuple[float, float]:
        # Metres of the plane in a metre of the ground: least and most, round the sites.
        there = self.sites[~shapely.is_missing(self.sites)]
        if not len(there):
            return 1.0, 1.0
        return crs.linear_scales(self.crs, tuple(shapely.total_bounds(there)))

    def _within(self, distance: float) -> tuple[Places, Places]:
        # Pairs of site and feature that are so near in the plane, each once, in order.
        found = []
        for block in _blocks(len(self.sites)):
            near, piece = self.tree.query(self.sites[block], predicate="dwithin", distance=distance)
            pairs = (near + block.start) * max(self.count, 1) + self.pieces.owner[piece]
            found.append(np.unique(pairs))
        pairs = np.concatenate([np.empty(0, np.int64), *found])
        return pairs // max(self.count, 1), pairs % max(self.count, 1)

    def _geodesic(
        self, distance: float, hits: tuple[Places, Places]
    ) -> tuple[Places, Places, Numbers]:
        # Pairs that are so near on the ground, in order, and how far apart they are.
        far = np.zeros(len(hits[0]))
        if distance <= 0:
            return *hits, far
        touching = hits[0] * self.count + hits[1]
        keys, distances = [touching], [far]
        for block in _blocks(len(self.sites)):
            near, piece = self.tree.query(
                self.sites[block],
                predicate="dwithin",
                distance=distance * self.scales[1] * _SAFE,
            )
            site = near + block.start
            pair = site * self.count + self.pieces.owner[piece]
            apart = ~np.isin(pair, touching)
            site, piece, pair = site[apart], piece[apart], pair[apart]
            ground, _ = self._ground(site, piece)
            order = np.lexsort((ground, pair))
            pair, ground = pair[order], ground[order]
            first = np.ones(len(pair), bool)
            first[1:] = pair[1:] != pair[:-1]
            first &= ground <= distance
            keys.append(pair[first])
            distances.append(ground[first])
        pairs, far = np.concatenate(keys), np.concatenate(distances)
        order = np.argsort(pairs, kind="stable")
        pairs = pairs[order]
        return pairs // self.count, pairs % self.count, far[order]

    def _ground(self, site: Places, piece: Places) -> tuple[Numbers, Numbers]:
        # Geodesic distance and bearing between the points that are nearest in the plane.
        links = threaded(shapely.shortest_line, self.sites[site], self.pieces.geometry[piece])
        xy = shapely.get_coordinates(links).reshape(-1, 2, 2)
        return crs.geodesic(xy[:, 0], xy[:, 1], self.crs)

    def _nearest(self, out: pd.DataFrame, touching: Places) -> None:
        n = len(self.sites)
        far, bearing = np.full(n, np.nan), np.full(n, np.nan)
        names = np.full(n, "", object)
        far[touching] = 0.0
        asked = np.flatnonzero(np.isnan(far) & ~shapely.is_missing(self.sites))
        if len(asked) and len(self.pieces):
            near, piece = self.tree.query_nearest(self.sites[asked], all_matches=True)
            # Of several that are equally near, the first feature.
            order = np.lexsort((piece, self.pieces.owner[piece], near))
            near, piece = near[order], piece[order]
            near, first = np.unique(near, return_index=True)
            site, piece = asked[near], piece[first]
            far[site], bearing[site] = self._ground(site, piece)
            names[site] = self.names[self.pieces.owner[piece]]
        out["nearest_m"], out["bearing_deg"] = far, bearing
        out["direction"], out["nearest_name"] = directions(bearing), names

    def _named(self, site: Places, feature: Places) -> tuple[list[tuple[str, ...]], Places]:
        names: list[set[str]] = [set() for _ in self.sites]
        for k, name in zip(site.tolist(), self.names[feature], strict=True):
            if name:
                names[k].add(name)
        return [tuple(sorted(each)) for each in names], np.bincount(site, minlength=len(names))

    def _standing(
        self, site: Places, feature: Places, far: Numbers, overlap: Numbers
    ) -> NDArray[Any]:
        # Pairs within reach + accuracy; each makes its site possible, some make it certain.
        out = np.full(len(self.sites), "clear", object)
        out[site] = "possible"
        a, s = self.accuracy or 0.0, self.reach[feature]
        # An overlap no wider than a touch is the rounding of a common edge.
        wide = overlap > TOUCH_M * np.nan_to_num(shapely.length(self.sites))
        drawn = np.zeros(self.count, bool)
        drawn[self.pieces.of(2).owner] = True
        inside = (far > 0) | (s > 0) | ~drawn[feature] | wide[site]
        sure = (far + a <= s) & inside
        deep = (a > s) & (far == 0) & inside
        out[site[sure]] = "certain"
        for depth in np.unique(a - s[deep]):
            at = deep & (a - s == depth) & (out[site] != "certain")
            asked = np.unique(site[at])
            out[asked[self._deep(asked, feature[at], float(depth))]] = "certain"
        return out

    def _deep(self, site: Places, feature: Places, depth: float) -> NDArray[np.bool_]:
        # Whether features reach so deep into a site, or the site into their union.
        d = depth * _INWARD
        some = self.pieces.at(np.flatnonzero(np.isin(self.pieces.owner, feature)))
        tree, own = shapely.STRtree(some.geometry), self.sites[site]
        found = np.zeros(len(site), bool)
        shrunk = threaded(lambda g: shapely.buffer(g, -d, quad_segs=_ROUND), own, chunk=64)
        found[tree.query(shrunk, predicate="intersects")[0]] = True
        # What is further than the depth from the site cannot change what lies deep in it.
        boxes = shapely.box(*(shapely.bounds(own) + np.array([-2, -2, 2, 2]) * d).T)
        near, piece = tree.query(boxes)
        area = (some.dimension[piece] == 2) & ~found[near]
        near, piece = near[area], piece[area]
        if len(near):
            clips = threaded(shapely.intersection, some.geometry[piece], boxes[near])
            at, unions = _united(clips, near)
            cores = threaded(lambda g: shapely.buffer(g, -d, quad_segs=_ROUND), unions, chunk=64)
            found[at] = shapely.intersects(cores, own[at])
        return found


def directions(bearing: Numbers) -> list[str]:
    """Name of the nearest of sixteen directions, (n,); "" where the bearing is NaN.

    Examples
    --------
    >>> directions(np.array([0.0, 100.0, 350.0, np.nan]))
    ['N', 'E', 'N', '']
    """
    sector = np.rint(np.nan_to_num(bearing) / 22.5).astype(int) % 16
    return ["" if np.isnan(b) else DIRECTIONS[k] for b, k in zip(bearing, sector, strict=True)]


def _blocks(count: int) -> Iterator[slice]:
    return (slice(k, min(k + _BLOCK, count)) for k in range(0, count, _BLOCK))


def _pairs(tree: shapely.STRtree, sites: Geometries) -> tuple[Places, Places]:
    near, piece = tree.query(sites)
    return near, piece


def _checked(sites: gpd.GeoDataFrame, features: gpd.GeoDataFrame) -> None:
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
