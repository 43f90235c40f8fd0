"""Overlapping claims to land made into pieces that share none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import pandas as pd
import shapely

from geosite.model.layer import Agency

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

PRECEDENCE: tuple[Agency, ...] = get_args(Agency)
"""Owners from the most protected to the least: doubt goes to the one named first."""
SNAP = 0.01
"""Vertices snap to this [m], so that borders which differ by rounding only are one border."""
SPECK = 1.0
"""Leftovers below this [m²] are noise of the overlay: counted, and in no table."""

Geometries = Any  # an object array of shapely geometries; numpy cannot say so


def polygons_of(shapes: Geometries) -> tuple[Geometries, NDArray[np.intp]]:
    """Single polygons of some geometries, and the index each came from; lines and points go."""
    # Twice, because a repaired geometry may be a collection of multipolygons.
    once, first = shapely.get_parts(shapes, return_index=True)
    twice, second = shapely.get_parts(once, return_index=True)
    polygon = shapely.get_type_id(twice) == shapely.GeometryType.POLYGON
    polygon &= ~shapely.is_empty(twice)
    return twice[polygon], first[second][polygon]


def tracts_of(parts: pd.DataFrame, counts: dict[str, int]) -> pd.DataFrame:
    """Contiguous land of each unit, in order of precedence; sets ``parts.tract``.

    Within one owner a unit with a name goes first, and a small before a large one.
    """
    found = []
    for (agency, key), group in parts.groupby(["agency", "key"], sort=True)["shape"]:
        whole = _united(_in_order(group.to_numpy()))
        rank = (PRECEDENCE.index(agency), key == "", float(shapely.area(whole)), key)
        own, _ = polygons_of(np.array([whole], dtype=object))
        box = shapely.bounds(own).tolist()
        found += [(rank, *b, agency, key, shape) for b, shape in zip(box, own, strict=True)]
    found.sort(key=lambda row: row[:5])
    agencies, keys, shapes = zip(*(row[5:] for row in found), strict=True)
    tracts = pd.DataFrame({"agency": agencies, "key": keys, "shape": shapes}, dtype=object)
    tracts["unit_no"] = tracts.groupby(["agency", "key"], sort=False).ngroup()
    parts["tract"] = _home(parts, tracts)
    counts["tracts"] = len(tracts)
    counts["merged"] = len(parts) - len(tracts)
    return tracts


def _in_order(shapes: Geometries) -> Geometries:
    """Geometries in an order that the order of the input has no part in."""
    return shapes[np.lexsort([*shapely.bounds(shapes).T, shapely.area(shapes)])]


def _home(parts: pd.DataFrame, tracts: pd.DataFrame) -> NDArray[np.intp]:
    """Tract that each part went into: the one of its unit that holds its inner point."""
    inner = shapely.point_on_surface(parts["shape"].to_numpy())
    tree = shapely.STRtree(tracts["shape"].to_numpy())
    part, tract = tree.query(inner, predicate="dwithin", distance=SNAP)
    unit = parts[["agency", "key"]].iloc[part].reset_index(drop=True)
    same = (unit == tracts[["agency", "key"]].iloc[tract].reset_index(drop=True)).all(axis=1)
    home = np.zeros(len(parts), np.intp)
    home[part[same]] = tract[same]
    return home


def _united(shapes: Geometries) -> shapely.Geometry:
    """Union of some geometries."""
    first: shapely.Geometry = shapes[0]
    return first if len(shapes) == 1 else shapely.union_all(shapes)


def _overlay(
    operation: Callable[..., shapely.Geometry], one: shapely.Geometry, other: shapely.Geometry
) -> shapely.Geometry:
    """Exact where GEOS can; snapped to a grid of `SNAP` where its topology fails."""
    try:
        return operation(one, other)
    except shapely.errors.GEOSException:
        return operation(one, other, grid_size=SNAP)


def pieces_of(tracts: pd.DataFrame, aoi: shapely.Geometry, counts: dict[str, int]) -> pd.DataFrame:
    """What is left of each tract in the AOI once all tracts before it have theirs."""
    shapes: Geometries = tracts["shape"].to_numpy()
    left: Geometries = np.array(shapes, dtype=object)
    later, earlier = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    before = earlier < later
    for tract, those in pd.Series(earlier[before]).groupby(later[before]):
        taken = _united(shapes[np.sort(those.to_numpy())])
        left[tract] = _overlay(shapely.difference, shapes[tract], taken)
    for k in np.flatnonzero(~shapely.contains_properly(aoi, left)):
        left[k] = _overlay(shapely.intersection, left[k], aoi)
    polygons, tract = polygons_of(left)
    large = shapely.area(polygons) >= SPECK
    counts["pieces"] = int(large.sum())
    counts["specks"] = int((~large).sum())
    pieces = tracts.iloc[tract[large]][["agency", "key", "unit_no"]].reset_index(drop=True)
    pieces["tract"] = tract[large]
    pieces["shape"] = polygons[large]
    pieces["area_ha"] = shapely.area(polygons[large]) / 10_000
    return pieces


def conflicts_of(
    tracts: pd.DataFrame, pieces: pd.DataFrame, counts: dict[str, int]
) -> pd.DataFrame:
    """Land that another owner claims too: pieces ``has`` and ``lost`` (-1: none left), ``ha``."""
    shapes, claimed = pieces["shape"].to_numpy(), tracts["shape"].to_numpy()
    has, tract = shapely.STRtree(claimed).query(shapes, predicate="intersects")
    yields = tract > pieces["tract"].to_numpy()[has]
    has, tract = has[yields], tract[yields]
    pairs = zip(shapes[has], claimed[tract], strict=True)
    area = np.array([shapely.area(_overlay(shapely.intersection, a, b)) for a, b in pairs])
    owner, claimant = pieces["agency"].to_numpy()[has], tracts["agency"].to_numpy()[tract]
    real = area >= SPECK
    counts["overlaps_within_owner"] = int((real & (owner == claimant)).sum())
    real &= owner != claimant
    counts["conflicts"] = int(real.sum())
    has, tract = has[real], tract[real]
    return pd.DataFrame(
        {
            "has": has,
            "lost": _losers(has, tract, pieces),
            "owner": owner[real],
            "claimant": claimant[real],
            "ha": area[real] / 10_000,
        }
    )


def _losers(
    has: NDArray[np.intp], tract: NDArray[np.intp], pieces: pd.DataFrame
) -> NDArray[np.intp]:
    """Largest remaining piece of each tract, of those that adjoin the land it lost if any does."""
    shapes = pieces["shape"].to_numpy()
    winners = np.unique(has)
    w, near = shapely.STRtree(shapes).query(shapes[winners], predicate="dwithin", distance=SNAP)
    ranked = pieces[["tract", "area_ha"]].assign(piece=np.arange(len(pieces)))
    adjoining = _largest(ranked.iloc[near].assign(has=winners[w]), ["has", "tract"])
    found = pd.DataFrame({"has": has, "tract": tract})
    beside = found.merge(adjoining, how="left", on=["has", "tract"])["piece"]
    anywhere = found.merge(_largest(ranked, ["tract"]), how="left", on="tract")["piece"]
    return np.asarray(beside.fillna(anywhere).fillna(-1), np.intp)


def _largest(pieces: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    ordered = pieces.sort_values(["area_ha", "piece"], ascending=[False, True])
    return ordered.drop_duplicates(by)


def parcel_numbers(pieces: pd.DataFrame) -> None:
    """Set ``parcel``: pieces of one named unit that touch; each nameless piece is its own."""
    from scipy.sparse import coo_array  # noqa: PLC0415 -- slow to import
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    shapes, named = pieces["shape"].to_numpy(), (pieces["key"] != "").to_numpy()
    some = np.flatnonzero(named)
    a, b = shapely.STRtree(shapes[some]).query(shapes[some], predicate="dwithin", distance=SNAP)
    unit = pieces["unit_no"].to_numpy()[some]
    same = unit[a] == unit[b]
    links = (np.ones(same.sum(), bool), (some[a[same]], some[b[same]]))
    graph = coo_array(links, shape=(len(pieces), len(pieces)))
    pieces["parcel"] = connected_components(graph, directed=False)[1]


def dissolved(pieces: pd.DataFrame) -> Geometries:
    """Shape of each parcel, by its number."""
    order = np.argsort(pieces["parcel"].to_numpy(), kind="stable")
    shapes, parcel = pieces["shape"].to_numpy()[order], pieces["parcel"].to_numpy()[order]
    found: Geometries = shapely.multipolygons(shapes, indices=parcel)
    alone = shapely.get_num_geometries(found) == 1
    found[alone] = shapely.get_geometry(found[alone], 0)
    # Pieces that touch in more than points do so by rounding: their seam goes.
    seam = ~shapely.is_valid(found)
    found[seam] = [_united(shapely.get_parts(shape)) for shape in found[seam]]
    return found
