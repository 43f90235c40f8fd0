"""Candidates: pieces of land joined into sites, or pads and regions carved out of each parcel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geosite import constraints
from geosite.delineation import PIECES_PER_TILE, deposit_groups, global_labels, patch_groups
from geosite.model.siting import Carved, ParcelUnit
from geosite.outlines import cell_polygons, numbered_sites, site_outlines
from geosite.pads import best_pad, pad_cells
from geosite.pieces import (
    Piece,
    lattice_step,
    piece_table,
    summed_pieces,
)
from geosite.regions import best_regions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from geosite.grid import Grid
    from geosite.planning import Plan
    from geosite.prepare import Prepared
    from geosite.store import Store

LeftOut = dict[str, tuple[int, float]]


def candidates(
    plan: Plan,
    ready: Prepared,
    store: Store,
    windows: Sequence[Grid],
    tables: Sequence[pd.DataFrame],
    borders: Sequence[tuple[NDArray[np.int64], ...]],
) -> tuple[pd.DataFrame, NDArray[np.int64], LeftOut]:
    """Pieces of all tiles, the site that each belongs to, and what became no site.

    Parameters
    ----------
    tables, borders
        What each window handed on, in the order of the windows.

    Returns
    -------
    pieces : DataFrame
    groups : (pieces,) int64
        Site number, -1 for a piece of no site.
    left_out : mapping of reason to (number, area [ha])
    """
    unit, area = plan.scenario.sites, plan.grid.cell_area
    if isinstance(unit, Carved):
        return _carved(plan, ready, store, unit)
    if unit.unit == "patch":
        tables = [
            t.assign(piece=global_labels(t["piece"].to_numpy(), k)) for k, t in enumerate(tables)
        ]
    pieces = summed_pieces(tables)
    limit = unit.max_area / area
    if pieces.empty:
        groups = np.empty(0, np.int64)
    elif unit.unit == "deposit":
        groups = deposit_groups(
            pieces,
            ready.deposits[["x", "y"]].to_numpy(float),
            reach=plan.scenario.evidence.reach if plan.scenario.evidence else 0.0,
            max_cells=limit,
        )
    else:
        groups = patch_groups(pieces, windows, borders, max_cells=limit)
    cells = pieces["cells"].groupby(groups).sum()
    small = cells[cells * area < unit.min_area]
    groups = np.where(np.isin(groups, small.index), -1, groups)
    return pieces, groups, {"smaller than min_area": (len(small), float(small.sum() * area))}


def _best(
    unit: Carved, suited: NDArray[np.float32], cells: int, resolution: float
) -> list[tuple[NDArray[np.int64], dict[str, float]]]:
    """Pads or regions of one parcel, best first, each with the columns that only it has."""
    if isinstance(unit, ParcelUnit):
        pad = best_pad(suited, cells)
        return [] if pad is None else [(pad, {})]
    found = best_regions(
        suited,
        cells,
        compactness=unit.compactness,
        count=unit.count,
        spacing=unit.spacing / resolution,
    )
    return [(region.cells, {"compactness": region.compactness}) for region in found]


def _carved(
    plan: Plan, ready: Prepared, store: Store, unit: Carved
) -> tuple[pd.DataFrame, NDArray[np.int64], LeftOut]:
    word, area = ("pad", unit.pad) if isinstance(unit, ParcelUnit) else ("region", unit.area)
    cells = pad_cells(area, plan.grid.cell_area)
    readings = [c.reading for c in plan.criteria]
    tables: list[pd.DataFrame] = []
    none = [0, 0.0]
    parcels = ready.register.parcels[ready.inputs.offered[1:]]
    for id_, shape in zip(parcels["parcel_id"], parcels.geometry, strict=True):
        grid = plan.grid
        box = grid.covering(shape.bounds, grid.crs, resolution=grid.resolution, origin=grid.origin)
        box = box.within(grid)
        mine = store.read("piece", box) == id_
        suited = np.where(mine, store.read("suitability", box), np.float32(np.nan))
        pads = _best(unit, suited, cells, grid.resolution)
        if not pads:
            none = [none[0] + 1, none[1] + float(mine.sum() * plan.grid.cell_area)]
            continue
        for pad, more in pads:
            number = int(id_) if word == "pad" else len(tables) + 1
            small, place = _pad_box(box, pad)
            table = _pad_table(plan, store, small, place, (number, int(id_)), suited)
            tables.append(table.assign(**more))
            drawn = store.read("pad", small)
            drawn[tuple(place.T)] = number
            store.write(small, {"pad": drawn})
    left_out = {f"no contiguous {word}": (int(none[0]), float(none[1]))}
    if not tables:
        empty = piece_table(_no_cells(plan), readings, len(plan.rules), None)
        empty[["parcel_mean", "parcel_p90", *(["compactness"] if word == "region" else [])]] = 0.0
        return empty, np.empty(0, np.int64), left_out
    pieces = pd.concat(tables, ignore_index=True)
    return pieces, np.arange(len(pieces)), left_out


def _pad_box(box: Grid, pad: NDArray[np.int64]) -> tuple[Grid, NDArray[np.int64]]:
    # Only the pad's own window is read: an installation may be a thousand times as large.
    (r0, c0), (r1, c1) = pad.min(axis=0).tolist(), pad.max(axis=0).tolist()
    small = box.part(box.row + r0, box.column + c0, (r1 - r0 + 1, c1 - c0 + 1))
    return small, pad - np.array([r0, c0])


def _pad_table(
    plan: Plan,
    store: Store,
    small: Grid,
    place: NDArray[np.int64],
    names: tuple[int, int],
    suited: NDArray[np.float32],
) -> pd.DataFrame:
    r, c = place.T
    piece, parcel = (np.full(len(place), n, np.int32) for n in names)
    cells = Piece(
        window=small,
        at=place,
        piece=piece,
        parcel=parcel,
        unknown=store.read("status", small)[r, c] == constraints.UNKNOWN,
        measures=store.read("measures", small)[:, r, c].astype(float),
        effective=np.round(store.read("effective", small)[:, r, c].astype(float), 6),
        suited=store.read("suitability", small)[r, c].astype(float),
        planes=store.read("planes", small)[:, r, c],
    )
    known = suited[~np.isnan(suited)].astype(float)
    readings = [c.reading for c in plan.criteria]
    return piece_table(cells, readings, len(plan.rules), None).assign(
        parcel_mean=float(known.mean()),
        parcel_p90=float(np.quantile(known, 0.9, method="inverted_cdf")),
    )


def _no_cells(plan: Plan) -> Piece:
    count, none = len(plan.criteria), np.empty(0)
    planes = constraints.plane_count(len(plan.rules))
    whole = none.astype(np.int32)
    return Piece(
        plan.grid,
        np.empty((0, 2), np.int64),
        whole,
        whole,
        none.astype(bool),
        np.empty((count, 0)),
        np.empty((count, 0)),
        none,
        np.empty((planes, 0), constraints.plane_dtype(len(plan.rules))),
    )


def outlined(
    plan: Plan,
    store: Store,
    windows: Sequence[Grid],
    pieces: pd.DataFrame,
    sites: NDArray[np.int64],
) -> NDArray[np.object_]:
    """Outline of each site, from the cells of the store: (sites,) in the grid's CRS.

    Parameters
    ----------
    sites : (pieces,) int64
        Number of the site that each piece belongs to, from 1; 0 is none.
    """
    unit = plan.scenario.sites
    step = lattice_step(unit.max_area, plan.grid.resolution) if unit.unit == "patch" else None
    chosen = pieces[sites > 0]
    name = chosen["piece"].to_numpy()
    # A patch is numbered within its tile, a deposit or a parcel for good.
    tile, name = np.divmod(name, PIECES_PER_TILE) if step else (np.zeros_like(name), name)
    keys = np.stack([name, chosen["parcel"], chosen["lattice"]], axis=1).tolist()
    of: dict[int, dict[tuple[int, int, int], int]] = {}
    for k, key, site in zip(tile.tolist(), keys, sites[sites > 0].tolist(), strict=True):
        of.setdefault(k, {})[tuple(key)] = site
    polygons = []
    for k, window in enumerate(windows):
        site_of = of.get(k if step else 0)
        if not site_of:
            continue
        piece = store.read("pad" if isinstance(unit, Carved) else "piece", window)
        if piece.any():
            parcel = store.read("parcel", window)
            polygons += cell_polygons(numbered_sites(piece, parcel, window, step, site_of), window)
    return site_outlines(polygons, int(sites.max(initial=0)), plan.grid)
