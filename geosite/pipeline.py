"""The whole flow on one page: from a plan to ranked sites."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geosite import constraints
from geosite.accounting import removal
from geosite.authority import NO_AUTHORITY
from geosite.candidates import candidates
from geosite.capacity import Layout, layout
from geosite.checkpoints import Checkpoints
from geosite.description import inventory
from geosite.engine import Engine, Peak, mapped, peak
from geosite.errors import CoverageError
from geosite.fitting import fitted
from geosite.model.siting import Carved
from geosite.pieces import summed_rule_sets
from geosite.planning import Plan, plan
from geosite.prepare import Prepared, prepare
from geosite.robustness import Robust, robustness
from geosite.store import Store
from geosite.tabulation import shown, site_table
from geosite.tile import TileResult, tile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geosite.grid import Grid
    from geosite.inputs import TileInputs

__all__ = ["Analysis", "Plan", "analyse", "plan"]

Told = Callable[[str, int, int], None]
"""Told of each step: its name, how many of its parts are done, and of how many (0: not counted)."""
CHUNK = 1024
"""Side of a chunk of the store [cells]: a parcel is read by itself, and many files take time."""


@dataclass(frozen=True, slots=True)
class Analysis:
    """What was found.

    Attributes
    ----------
    sites : GeoDataFrame, in the grid's CRS
        Ranked; best first.
    matrix : DataFrame
        Decision matrix of the sites, in their order, see `sites.matrix_table`.
    removed : DataFrame
        Land that each hard rule removes, see `accounting.removal`.
    inventory : DataFrame
        Parcel × deposit.
    status_ha : mapping of state to area [ha]
        Of the AOI: not offered, excluded, unknown, clear.
    left_out : mapping of reason to (number, area [ha])
        Candidate land that became no site.
    robust : Robust
        How far the ranking holds under other weights and other rules of combination.
    layout : Layout
        How the work was laid out.
    resumed : int
        Tiles that an earlier process had finished.
    peaks : sequence
        Measured peak memory of this process and its workers.
    """

    plan: Plan
    prepared: Prepared
    store: Store
    windows: tuple[Grid, ...]
    sites: gpd.GeoDataFrame
    matrix: pd.DataFrame
    rule_sets: pd.DataFrame
    removed: pd.DataFrame
    inventory: pd.DataFrame
    status_ha: Mapping[str, float]
    left_out: Mapping[str, tuple[int, float]]
    robust: Robust
    layout: Layout
    resumed: int
    peaks: tuple[Peak, ...]
    timings: Mapping[str, float]
    footprints: gpd.GeoDataFrame | None = None
    """Parts of the footprint that fits each site, see `fitting.fitted`; None: none is asked."""


@dataclass(frozen=True, slots=True)
class _Found:
    # The small part of a tile's result, which is joined; the large part is in the store.
    pieces: pd.DataFrame
    rule_sets: pd.DataFrame
    border: tuple[NDArray[np.int64], ...]
    status: NDArray[np.int64]

    @property
    def tables(self) -> dict[str, pd.DataFrame | NDArray[Any]]:
        """As they are kept on disk."""
        edges = {f"border{k}": edge for k, edge in enumerate(self.border)}
        return {"pieces": self.pieces, "rule_sets": self.rule_sets, "status": self.status, **edges}

    @classmethod
    def of(cls, tables: Mapping[str, Any]) -> _Found:
        """As they were kept."""
        edges = tuple(tables[n] for n in sorted(tables) if n.startswith("border"))
        return cls(tables["pieces"], tables["rule_sets"], edges, tables["status"])


@dataclass(frozen=True, slots=True)
class TileWork:
    """A tile from its inputs to its chunks and tables on disk; can be sent to other processes."""

    inputs: TileInputs
    done: Checkpoints

    def __call__(self, window: Grid) -> Peak:
        """Work on a window; gives what this process has taken of memory so far."""
        found = tile(self.inputs, window)
        _write(self.done.store, found)
        counts = np.bincount(found.status.ravel(), minlength=len(constraints.STATUS_NAMES))
        kept = _Found(found.pieces, found.rule_sets, found.border, counts)
        self.done.write(window, kept.tables)
        return peak()


def analyse(
    plan: Plan,
    folder: Path,
    *,
    allow_missing: bool = False,
    ready: Prepared | None = None,
    laid: Layout | None = None,
    told: Told | None = None,
    tiled: Callable[[Store, Sequence[Grid]], None] | None = None,
) -> Analysis:
    """Read, tile and join: everything a plan promises.

    Parameters
    ----------
    folder : Path
        For the surfaces and, in ``tiles``, what is joined of each tile; made if it is not
        there. Tiles that are finished there are not worked on again: the caller knows that
        they answer the same question.
    allow_missing : bool
        Go on without layers that are missing: what they would say is unknown.
    ready : Prepared, optional
        What has been read already.
    laid : Layout, optional
        Size of the tiles and where they are worked on; by default what suits this machine.
    told : callable, optional
        Told of every step.
    tiled : callable, optional
        Given the store and its windows when all tiles are finished; works beside the joining.

    Raises
    ------
    CapacityError
        If the tiles do not fit the machine's memory.
    SchedulerError
        If workers are lost for good.
    MissingLayerError, LayerDataError, CRSMismatchError, CoverageError
        See `prepare` and the readers.
    """
    clock, told = _Clock(), told or (lambda *_: None)
    laid = laid or layout(plan, Engine())
    if ready is None:
        told("preparing", 0, 0)
        decided = plan.reviews.amendments if plan.reviews else None
        ready = prepare(plan, allow_missing=allow_missing, amendments=decided)
        clock.lap("prepare")
    _refuse_landscapes(plan, ready)
    windows = plan.tiles(laid.tile)
    done = _checkpoints(plan, folder, laid)
    left = [w for w in windows if not done.is_finished(w)]
    earlier = len(windows) - len(left)
    peaks = _worked(TileWork(ready.inputs, done), left, laid.engine, earlier, told)
    clock.lap("tiles")
    told("joining", 0, 0)
    # Pictures of the surfaces are compressed by one processor while another joins the tiles.
    with ThreadPoolExecutor(1) as beside:
        surfaced = beside.submit(tiled or (lambda *_: None), done.store, windows)
        found = _joined(plan, ready, done, windows, clock)
        surfaced.result()
    clock.lap("surfaces")
    return Analysis(
        plan, ready, done.store, tuple(windows), **found,
        layout=laid, resumed=earlier, peaks=tuple(peaks), timings=clock.laps,
    )  # fmt: skip


def _joined(
    plan: Plan, ready: Prepared, done: Checkpoints, windows: Sequence[Grid], clock: _Clock
) -> dict[str, Any]:
    surfaces = done.store
    found = [_Found.of(done.read(w)) for w in windows]
    pieces, groups, left_out = candidates(
        plan, ready, surfaces, windows, [f.pieces for f in found], [f.border for f in found]
    )
    clock.lap("join")
    sites, matrix, without = site_table(plan, ready, surfaces, windows, pieces, groups)
    sites, footprints = fitted(plan, ready, surfaces, sites, shown(plan, ready))
    left_out |= {NO_AUTHORITY: without} if without[0] else {}
    clock.lap("sites")
    robust = robustness(sites, plan.scenario, [c.criterion.weight for c in plan.criteria])
    beside = list(sites.columns).index("rank_worst") + 1
    for n, (column, values) in enumerate(robust.columns.items()):
        sites.insert(beside + n, str(column), values)
    clock.lap("robustness")
    rule_sets = summed_rule_sets([f.rule_sets for f in found])
    area = plan.grid.cell_area
    status = sum((f.status for f in found), np.zeros(len(constraints.STATUS_NAMES), np.int64))
    return {
        "sites": sites,
        "matrix": matrix,
        "rule_sets": rule_sets,
        "removed": removal(
            rule_sets,
            plan.rules,
            plan.treatments,
            ready.inputs.offered,
            cell_ha=area,
            lifts=constraints.numbered([r.id for r in plan.rules], plan.lifts),
        ),
        "inventory": inventory(
            ready.deposits, ready.register.parcels, ready.authorities, plan.rulebook.commodities
        ),
        "status_ha": {
            n: float(status[k] * area) for k, n in enumerate(constraints.STATUS_NAMES) if k
        },
        "left_out": left_out,
        "robust": robust,
        "footprints": footprints,
    }


def _checkpoints(plan: Plan, folder: Path, laid: Layout) -> Checkpoints:
    # An empty store has all there is but chunks. Where the old one has the same, its chunks
    # can be told from their sums; where it has not, nothing in it can be relied on.
    path, tiles = folder / "surfaces.zarr", folder / "tiles"
    tiles.mkdir(parents=True, exist_ok=True)
    fresh = _store(plan, folder / "empty.zarr", laid.tile)
    if not _holds(path, fresh.path):
        shutil.rmtree(path, ignore_errors=True)
        shutil.rmtree(tiles)
        tiles.mkdir()
        fresh.path.rename(path)
    shutil.rmtree(fresh.path, ignore_errors=True)
    return Checkpoints(tiles, Store(path, plan.grid))


def _holds(path: Path, other: Path) -> bool:
    files = [f for f in other.rglob("*") if f.is_file()]
    there = [path / f.relative_to(other) for f in files]
    return all(
        b.is_file() and a.read_bytes() == b.read_bytes() for a, b in zip(files, there, strict=True)
    )


def _worked(
    work: TileWork, windows: Sequence[Grid], engine: Engine, earlier: int, told: Told
) -> list[Peak]:
    finished, total = earlier, earlier + len(windows)
    told("tiles", finished, total)

    def after(_: int) -> None:
        nonlocal finished
        finished += 1
        told("tiles", finished, total)

    return mapped(work, windows, engine, desk=work.done.folder, finished=after)


class _Clock:
    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name] = now - self._last
        self._last = now


def _refuse_landscapes(plan: Plan, ready: Prepared) -> None:
    unit = plan.scenario.sites
    if not isinstance(unit, Carved):
        return
    parcels = ready.register.parcels
    large = parcels[ready.inputs.offered[1:] & (parcels["area_ha"] > unit.max_parcel)]
    if len(large):
        names = ", ".join(
            f"{n} ({a / 100:,.0f} km²)"
            for n, a in zip(large["name"].head(5), large["area_ha"].head(5), strict=True)
        )
        msg = (
            f"sites.unit {unit.unit}: {len(large)} parcels are larger than max_parcel "
            f"({unit.max_parcel / 100:,.0f} km²): {names}; such land is no installation. "
            "Use sites.unit patch (or deposit for a mine), raise max_parcel, or offer other land"
        )
        raise CoverageError(msg)


def _store(plan: Plan, path: Path, tile_size: int) -> Store:
    rules, criteria = len(plan.rules), len(plan.criteria)
    pads = {"pad": (None, "i4", 0)} if isinstance(plan.scenario.sites, Carved) else {}
    return Store.create(
        path,
        plan.grid,
        {
            "status": (None, "u1", 0),
            "planes": (constraints.plane_count(rules), constraints.plane_dtype(rules), 0),
            "parcel": (None, "i4", 0),
            "piece": (None, "i4", 0),
            "suitability": (None, "f4", np.nan),
            "measures": (criteria, "f4", np.nan),
            "effective": (criteria, "f4", np.nan),
            **pads,
        },
        chunk=CHUNK if tile_size % CHUNK == 0 else tile_size,
    )


def _write(store: Store, found: TileResult) -> None:
    if not found.status.any():
        return
    store.write(found.window, {n: getattr(found, n) for n in ("status", "planes", "parcel")})
    if found.active.any():
        store.write(found.window, {n: getattr(found, n) for n in ("piece", "suitability")})
        store.write_cells("measures", found.window, found.active, found.measures)
        store.write_cells("effective", found.window, found.active, found.effective)
