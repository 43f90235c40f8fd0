"""Parcels that share no land: owner, name, status and what is known of their estate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geosite.crs import same_crs
from geosite.errors import CoverageError, CRSMismatchError, LayerDataError, faults
from geosite.parcels.naming import located, text
from geosite.parcels.overlay import (
    PRECEDENCE,
    SNAP,
    Geometries,
    conflicts_of,
    dissolved,
    parcel_numbers,
    pieces_of,
    polygons_of,
    tracts_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray
    from pyproj import CRS

    from geosite.model.layer import Agency
    from geosite.model.scenario import Land

ESTATE = ("mineral_estate", "land_origin", "disposal", "mineral_status", "claims")
"""What a mine must know of a parcel; ``unknown`` until a land layer has such a column."""
_NOT_FEDERAL = {"TRIBAL": "tribal", "STATE": "state", "OTHER": "unknown"}
_COLUMNS = (
    "agency", "name", "unit", "state", "county", "county_fips", "area_ha", "status",
    "status_source", "ownership_conflict", "surface_estate", *ESTATE, "parts_merged", "geometry",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Register:
    """Parcels that share no land, and how they came about."""

    parcels: gpd.GeoDataFrame
    """One row a parcel, index 0…n-1, in the order of `parcel_id`; columns:

    ``parcel_id`` (int32 from 1: by owner's precedence, then north to south and
    west to east), ``agency``, ``name``, ``unit``, ``state``, ``county``,
    ``county_fips``, ``area_ha``, ``status`` (``available``, ``unconfirmed`` or
    ``not offered``), ``status_source`` (why), ``ownership_conflict`` (text,
    empty if none), ``surface_estate``, the columns of `ESTATE`,
    ``parts_merged`` (polygons of the source that its tracts were made of) and
    ``geometry``: a polygon, or a multipolygon whose parts meet at points.
    """
    slivers: gpd.GeoDataFrame
    """The same columns but `parcel_id`: land too small to offer; status ``not offered``."""
    counts: Mapping[str, int]
    """How it came about, in the order in which it happened.

    ``features``, ``repaired``, ``without_polygon``, ``parts`` (exploded),
    ``parts_in_aoi``, ``tracts``, ``merged``, ``pieces``, ``specks``,
    ``overlaps_within_owner``, ``conflicts``, ``slivers``, ``parcels``,
    ``unconfirmed``.
    """


def land_register(
    lands: Sequence[gpd.GeoDataFrame],
    land: Land,
    *,
    aoi: shapely.Geometry,
    confirmations: Mapping[Agency, gpd.GeoDataFrame],
    counties: gpd.GeoDataFrame | None,
    states: gpd.GeoDataFrame | None,
    places: gpd.GeoDataFrame | None,
) -> Register:
    """Parcels of every owner in the AOI, disjoint, named and with their status.

    Parameters
    ----------
    lands : sequence of GeoDataFrame
        Polygons with a column ``owner`` and, if known, ``name``, ``unit`` and
        any of `ESTATE`. All frames are in one projected CRS, the grid's.
    land : Land
        What the scenario offers, what confirms it, and the size of a sliver.
    aoi : shapely.Geometry
        Area of interest, in the same CRS. Land outside it is cut off.
    confirmations : mapping of agency to GeoDataFrame
        Points that confirm an agency's land, already filtered.
    counties, states, places : GeoDataFrame or None
        Polygons (``name``, ``fips``), polygons (``name``) and points
        (``name``) to say where a parcel is. None leaves the columns empty.

    Returns
    -------
    Register

    Raises
    ------
    CoverageError
        If no land of an offered owner lies in the AOI.
    CRSMismatchError
        If the frames do not share one CRS.
    LayerDataError
        If a frame lacks ``owner``, or names an owner that has no code.

    Notes
    -----
    Parts of one unit (same owner, same unit or else name, letter case ignored)
    are united; nameless parts of one owner are united where they share a border,
    but not where they meet at a corner only. Of two units that overlap,
    the one of the owner named first in `PRECEDENCE` keeps its land whole; within
    one owner a unit with a name goes before one without, and a small before a
    large one, so that an enclave is not lost. Each conflict between owners is
    said on both parcels, in hectares; the loser's side is the largest of its
    parcels that adjoins the land it lost. No area is lost: parcels and slivers
    make up the union of the inputs inside the AOI, but for specks (< `SPECK`).
    The order of frames and rows means nothing.

    A unit is confirmed as a source feature, before it is cut: a point counts for
    a whole installation even where the AOI or another owner took its corner.
    """
    _check(lands, [*confirmations.values(), counties, states, places])
    counts: dict[str, int] = {}
    if not shapely.is_valid(aoi):
        aoi = shapely.make_valid(aoi)
    shapely.prepare(aoi)
    parts = _parts(lands, land, aoi, confirmations, counts) if len(lands) else pd.DataFrame()
    if parts.empty:
        raise _nothing_offered(land, [], aoi)
    tracts = tracts_of(parts, counts)
    pieces = pieces_of(tracts, aoi, counts)
    if pieces.empty:
        raise _nothing_offered(land, [], aoi)
    conflicts = conflicts_of(tracts, pieces, counts)
    parcel_numbers(pieces)
    table = _described(pieces, parts, conflicts, land, lands[0].crs)
    located(table, counties, states, places)
    small = (table["area_ha"] < land.sliver).to_numpy()
    slivers = table[small].reset_index(drop=True)
    slivers["status"] = "not offered"
    slivers["status_source"] = f"sliver: less than {land.sliver:g} ha"
    parcels = table[~small].reset_index(drop=True)
    parcels.insert(0, "parcel_id", np.arange(1, len(parcels) + 1, dtype=np.int32))
    if not parcels["agency"].isin(land.offered).any():
        raise _nothing_offered(land, parcels["agency"], aoi)
    counts["slivers"] = len(slivers)
    counts["parcels"] = len(parcels)
    counts["unconfirmed"] = int((parcels["status"] == "unconfirmed").sum())
    return Register(parcels, slivers, counts)


def _check(lands: Sequence[gpd.GeoDataFrame], others: Sequence[gpd.GeoDataFrame | None]) -> None:
    frames = [*lands, *(f for f in others if f is not None)]
    crs: Any = frames[0].crs if frames else None
    for frame in frames:
        if frame.crs is None or not same_crs(frame.crs, crs):
            msg = (
                f"the land register got layers in {crs} and in {frame.crs}; "
                "project them all to the grid's CRS first"
            )
            raise CRSMismatchError(msg)
    found = []
    for k, frame in enumerate(lands):
        if "owner" not in frame:
            found.append(
                f"land frame {k}: there is no column owner; set Layer.owner or map a field"
            )
        elif wrong := sorted({str(o) for o in frame["owner"].unique()} - set(PRECEDENCE)):
            found.append(
                f"land frame {k}: owner {', '.join(wrong)} has no code; "
                f"map it by codes to one of {', '.join(PRECEDENCE)}"
            )
    if found:
        raise LayerDataError(faults("the land layers cannot make a register:", found))


def _nothing_offered(land: Land, owners: Iterable[str], aoi: shapely.Geometry) -> CoverageError:
    box = ", ".join(f"{v:.0f}" for v in shapely.bounds(aoi))
    there = ", ".join(dict.fromkeys(owners)) or "no owner"
    return CoverageError(
        f"no land of {', '.join(land.offered)} in the area of interest (grid coordinates {box}): "
        f"{', '.join(land.layers)} were asked and hold land of {there} there; "
        "choose another --aoi, or offer another agency in land.offered"
    )


def _parts(
    lands: Sequence[gpd.GeoDataFrame],
    land: Land,
    aoi: shapely.Geometry,
    confirmations: Mapping[Agency, gpd.GeoDataFrame],
    counts: dict[str, int],
) -> pd.DataFrame:
    """Exploded polygons that reach into the AOI, with their unit and what confirms them."""
    rows = pd.concat([_features(frame) for frame in lands], ignore_index=True)
    counts["features"] = len(rows)
    shapes = np.array(rows.pop("geometry"), dtype=object)
    invalid = ~shapely.is_valid(shapes) & ~shapely.is_missing(shapes)
    shapes[invalid] = shapely.make_valid(shapes[invalid], method="structure", keep_collapsed=False)
    counts["repaired"] = int(invalid.sum())
    # An installation is confirmed as its owner drew it, so before anything is cut.
    rows["confirmed_by"] = _confirmed_by(rows["agency"].to_numpy(), shapes, land, confirmations)
    polygons, row = polygons_of(shapes)
    counts["without_polygon"] = len(rows) - len(np.unique(row))
    counts["parts"] = len(polygons)
    inside = shapely.intersects(aoi, polygons)
    # Snapped, then freed of the grid again, so that what follows is computed exactly.
    on_grid = shapely.set_precision(shapely.set_precision(polygons[inside], SNAP), 0)
    snapped, kept = polygons_of(on_grid)
    counts["parts_in_aoi"] = int(inside.sum())
    parts = rows.iloc[row[inside][kept]].reset_index(drop=True)
    parts["shape"] = snapped
    return parts


def _features(frame: gpd.GeoDataFrame) -> pd.DataFrame:
    name, unit = text(frame, "name"), text(frame, "unit")
    columns: dict[str, Any] = {"agency": frame["owner"].astype(object).to_numpy()}
    columns |= {"name": name, "unit": unit}
    columns["key"] = [(u or n).casefold() for u, n in zip(unit, name, strict=True)]
    for column in ESTATE:
        columns[column] = [v or "unknown" for v in text(frame, column)]
    columns["geometry"] = np.asarray(frame.geometry.array, dtype=object)
    return pd.DataFrame(columns).astype({"agency": object, "geometry": object})


def _confirmed_by(
    agency: NDArray[Any],
    shapes: Geometries,
    land: Land,
    confirmations: Mapping[Agency, gpd.GeoDataFrame],
) -> list[str]:
    """Name of the nearest confirming point and its distance; empty if there is none in reach."""
    said = [""] * len(shapes)
    for wanted in land.confirm:
        points = confirmations.get(wanted.agency)
        if points is None or points.empty:
            continue
        points = points[~(points.geometry.is_empty | points.geometry.isna())]
        names = text(points, "name")
        own = np.flatnonzero((agency == wanted.agency) & ~shapely.is_missing(shapes))
        (which, point), metres = shapely.STRtree(points.geometry.array).query_nearest(
            shapes[own], max_distance=wanted.within, return_distance=True
        )
        # Ties are broken by name, so that the order of the points means nothing.
        for w, p, m in sorted(zip(which, point, metres, strict=True), key=lambda t: names[t[1]]):
            near = f"{names[p] or 'a point'} of {wanted.layer}, {m / 1000:.1f} km"
            said[own[w]] = said[own[w]] or near
    return said


def _described(
    pieces: pd.DataFrame, parts: pd.DataFrame, conflicts: pd.DataFrame, land: Land, crs: CRS
) -> gpd.GeoDataFrame:
    """Parcels with all they inherit from their parts, in the order of their ids."""
    whole = dissolved(pieces)
    table = _inherited(pieces[["parcel", "tract"]].drop_duplicates(), parts)
    table["agency"] = pieces.groupby("parcel")["agency"].first()
    table["area_ha"] = shapely.area(whole) / 10_000
    said = _said(pieces, conflicts)
    table["ownership_conflict"] = [said.get(parcel, "") for parcel in table.index]
    table["surface_estate"] = table["agency"].map(lambda a: _NOT_FEDERAL.get(a, a))
    decided = [
        _status(a, c, land) for a, c in zip(table["agency"], table["confirmed_by"], strict=True)
    ]
    table["status"] = [status for status, _ in decided]
    table["status_source"] = [source for _, source in decided]
    table[["state", "county", "county_fips"]] = ""
    table["geometry"] = whole
    anchor = np.rint(shapely.get_coordinates(shapely.point_on_surface(whole)) / SNAP)
    rank = table["agency"].map(PRECEDENCE.index).to_numpy()
    table = table.iloc[np.lexsort([anchor[:, 0], -anchor[:, 1], rank])]
    return gpd.GeoDataFrame(table[list(_COLUMNS)].reset_index(drop=True), crs=crs)


def _inherited(links: pd.DataFrame, parts: pd.DataFrame) -> pd.DataFrame:
    """Attributes of the parts behind each parcel: the only value, or all of them in order."""
    own = links.merge(parts.drop(columns=["shape", "agency", "key"]), on="tract")
    table = pd.DataFrame({"parts_merged": own.groupby("parcel").size()})
    for column in ("unit", "name", *ESTATE, "confirmed_by"):
        pairs = own.loc[own[column] != "", ["parcel", column]].drop_duplicates()
        pairs = pairs.sort_values(column)
        found = pairs.drop_duplicates("parcel").set_index("parcel")[column]
        several = pairs[pairs["parcel"].duplicated(keep=False)].groupby("parcel")[column]
        if column == "name":
            # A unit may hold parts of many names; the unit is what they have in common.
            unit = table["unit"].reindex(several.size().index)
            found.update(unit[unit != ""])
        elif column != "confirmed_by":
            found.update(several.agg("; ".join))
        table[column] = found.reindex(table.index, fill_value="")
    return table


def _said(pieces: pd.DataFrame, conflicts: pd.DataFrame) -> dict[int, str]:
    """Conflicts of each parcel in words, those with the most protected owner first."""
    parcel = np.append(pieces["parcel"].to_numpy(), -1)
    has = conflicts.assign(parcel=parcel[conflicts["has"]], other=conflicts["claimant"], lost=False)
    lost = conflicts.assign(parcel=parcel[conflicts["lost"]], other=conflicts["owner"], lost=True)
    both = pd.concat([has, lost])
    both["rank"] = both["other"].map(PRECEDENCE.index)
    total = both.groupby(["parcel", "lost", "rank", "other"], sort=True)["ha"].sum().reset_index()
    columns = (total[c] for c in ("parcel", "lost", "other", "ha"))
    said: dict[int, list[str]] = {}
    for number, lost_it, other, ha in zip(*columns, strict=True):
        words = f"{ha:,.1f} ha went to {other}" if lost_it else f"{other} also claims {ha:,.1f} ha"
        said.setdefault(number, []).append(words)
    return {number: "; ".join(words) for number, words in said.items()}


def _status(agency: str, confirmed_by: str, land: Land) -> tuple[str, str]:
    """Whether an owner's parcel can be offered, and on what ground."""
    if agency not in land.offered:
        return "not offered", f"the scenario does not offer {agency} land"
    asked = [c for c in land.confirm if c.agency == agency]
    if not asked:
        return "available", f"the scenario offers {agency} land and asks for no confirmation"
    if confirmed_by:
        return "available", f"confirmed by {confirmed_by}"
    wanted = ", ".join(f"{c.layer} within {c.within / 1000:g} km" for c in asked)
    return "unconfirmed", f"no confirming point of {wanted}"
