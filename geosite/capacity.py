"""How a plan fits a machine: the size of its tiles, how many at once, and the memory they take."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from geosite.constraints import plane_count, plane_dtype
from geosite.engine import Engine, processors
from geosite.errors import CapacityError, GeositeError, RunError
from geosite.sources import Placed, placed

if TYPE_CHECKING:
    from geosite.planning import Plan

MEMORY = 3_000_000_000
"""Memory that a run may take if nothing else is said [bytes]."""
SIZES = (512, 1024, 1536, 2048)
"""Sides of a tile to choose from [cells]; measured: larger ones take longer a cell."""

BYTES_A_CELL = 35
"""Measured peak of one tile's own surfaces, a cell, besides its reasons."""
BYTES_A_HALO_CELL = 3
"""Measured peak of what distances are found from, a cell of tile and halo."""
BASE_BYTES = 600_000_000
"""Measured: a process with its libraries, compiled loops and what it writes."""
BYTES_A_LAYER_BYTE = 3
"""Measured: vector layers in memory, a byte of their files."""
BYTES_A_SURFACE_CELL = 400
"""Measured: the evidence surface with one of each of 43 commodities, a cell of it."""
HALO_SHARE = 0.02
"""Measured: time that a cell of tile and halo takes for distances, as a share of a cell's own."""
CELLS_A_TILE = 100_000
"""Measured: time that a tile takes whatever its size, in cells."""
_PROBED = 16
"""Files of the data that each worker of a cluster must see before a run begins."""


@dataclass(frozen=True, slots=True)
class Means:
    """What a run may use.

    Attributes
    ----------
    scheduler : str
        ``serial``, ``threads``, ``processes``, or the address of a Dask scheduler.
    workers : int or None
        Tiles that are worked on at once, at most; None for as many as there are processors.
    memory : float
        Of this machine, or of one worker of a cluster [bytes].
    tile : int or None
        Side of a tile [cells]; None to choose it.
    """

    scheduler: str = "threads"
    workers: int | None = None
    memory: float = MEMORY
    tile: int | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """How a plan is worked on; it changes memory and time, never an answer.

    Attributes
    ----------
    engine : Engine
        With as many workers as fit.
    tile : int
        Side of a tile [cells].
    tiles : int
        Number of tiles.
    bytes : int
        Estimated peak memory of all processes on this machine; of one worker of a cluster.
    """

    engine: Engine
    tile: int
    tiles: int
    bytes: int


def arranged(plan: Plan, means: Means, outputs: Path) -> Layout:
    """The layout that suits a plan, after every worker of a cluster was seen to be able to do it.

    Raises
    ------
    CapacityError
        If nothing fits the memory.
    SchedulerError
        If a scheduler cannot be reached, or workers do not see the data or the outputs.
    RunError
        If a cluster is to be probed and the outputs cannot be written.
    """
    engine = Engine(means.scheduler, processors() if means.workers is None else means.workers)
    limit = None
    if engine.kind == "cluster":
        from geosite.cluster import probed  # noqa: PLC0415 -- few runs need it

        with _there(outputs):
            census = probed(means.scheduler, _files(plan), outputs)
        workers = min(means.workers or census.workers, census.workers)
        engine, limit = replace(engine, workers=workers, threads=census.threads), census.memory
    return layout(plan, engine, memory=means.memory, tile=means.tile, limit=limit)


@contextmanager
def _there(folder: Path) -> Iterator[None]:
    # A plan leaves nothing behind.
    made = [p for p in (folder, *folder.parents) if not p.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except GeositeError:
        raise
    except OSError as error:
        msg = f"{folder}: cannot be written ({error.strerror}); name another folder with --outputs"
        raise RunError(msg) from None
    finally:
        for path in made:
            with suppress(OSError):
                path.rmdir()


def _files(plan: Plan) -> list[tuple[Path, int]]:
    # Files that the plan will read, with their sizes; first those that every worker opens.
    every, vectors = _places(plan, rasters=True), _places(plan, rasters=False)
    first = sorted(every, key=lambda path: (path in vectors, path))[:_PROBED]
    return [(path, _size(path)) for path in first]


def _places(plan: Plan, *, rasters: bool) -> dict[Path, Placed]:
    found: dict[Path, Placed] = {}
    for use in plan.uses:
        if use.missing:
            continue
        layer = plan.catalog[use.layer]
        for part in [plan.catalog[i] for i in layer.union_of] or [layer]:
            there = placed(part, plan.catalog, plan.data)
            if there and (rasters or part.geometry != "raster"):
                found[there.path] = there
    return found


def _unpacked_size(path: Path) -> int:
    # GeoParquet is packed, and says what it unpacks to.
    if path.suffix == ".parquet":
        with suppress(OSError, pa.ArrowException), pq.ParquetFile(path) as file:
            groups = (file.metadata.row_group(k) for k in range(file.metadata.num_row_groups))
            return max(_size(path), sum(int(group.total_byte_size) for group in groups))
    return _size(path)


def _size(path: Path) -> int:
    # A file geodatabase is a folder.
    files = (path, *path.rglob("*")) if path.is_dir() else (path,)
    return sum(f.stat().st_size for f in files if f.is_file())


def layout(
    plan: Plan,
    engine: Engine,
    *,
    memory: float = MEMORY,
    tile: int | None = None,
    limit: int | None = None,
) -> Layout:
    """The layout of least work that fits the memory.

    Parameters
    ----------
    engine : Engine
        With the most workers that may be used.
    memory : float
        That the run may take [bytes]; on a cluster, one worker.
    tile : int, optional
        Side of a tile [cells], if it is not to be chosen.
    limit : int, optional
        What the machine has [bytes]; a worker's own limit on a cluster.

    Raises
    ------
    CapacityError
        If nothing fits, with the least memory that would do.
    """
    there = limit if limit is not None or engine.kind == "cluster" else _machine()
    base = _base(plan)
    found = [
        Layout(some, size, _count(plan, size), _bytes(plan, some, size, base))
        for size in ((tile,) if tile else SIZES)
        for some in _engines(engine)
    ]
    most = min(memory, there or memory)
    fitting = [f for f in found if f.bytes <= most]
    if not fitting:
        raise CapacityError(_too_large(plan, min(found, key=lambda f: f.bytes), memory, there))
    return min(fitting, key=lambda f: (_work(plan, f), f.bytes))


def _engines(engine: Engine) -> list[Engine]:
    # The workers of a cluster are as many as they are; their memory is their own.
    if engine.kind in ("serial", "cluster"):
        return [engine]
    return [replace(engine, workers=n) for n in range(1, engine.workers + 1)]


def _count(plan: Plan, size: int) -> int:
    rows, columns = plan.grid.shape
    return -(-rows // size) * -(-columns // size)


def _wide(plan: Plan, size: int) -> int:
    rows, columns = (min(size, n) + 2 * plan.halo for n in plan.grid.shape)
    return rows * columns


def _work(plan: Plan, found: Layout) -> float:
    rounds = -(-found.tiles // found.engine.most)
    rows, columns = (min(found.tile, n) for n in plan.grid.shape)
    return rounds * (rows * columns + HALO_SHARE * _wide(plan, found.tile) + CELLS_A_TILE)


def _bytes(plan: Plan, engine: Engine, size: int, base: int) -> int:
    rows, columns = (min(size, n) for n in plan.grid.shape)
    count = len(plan.rules)
    reasons = plane_count(count) * plane_dtype(count).itemsize
    tile = rows * columns * (BYTES_A_CELL + reasons) + _wide(plan, size) * BYTES_A_HALO_CELL
    at_once = min(engine.most, _count(plan, size))
    # The surface is worked out and kept where the run is begun, beside the tiles.
    match engine.kind:
        case "cluster":
            return base + engine.threads * tile
        case "processes":
            return base + _surface_bytes(plan) + at_once * (base + tile)
        case _:
            return base + _surface_bytes(plan) + at_once * tile


def _surface_bytes(plan: Plan) -> int:
    evidence = plan.scenario.evidence
    if evidence is None or evidence.surface is None:
        return 0
    rows, columns = plan.grid.shape
    cells = rows * columns * (plan.grid.resolution / evidence.surface.cell) ** 2
    return round(cells * BYTES_A_SURFACE_CELL)


def _base(plan: Plan) -> int:
    # A process with the vector layers, which are read whole before what is near is kept.
    sizes = map(_unpacked_size, _places(plan, rasters=False))
    return BASE_BYTES + BYTES_A_LAYER_BYTE * sum(sizes)


def _machine() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _too_large(plan: Plan, least: Layout, memory: float, there: int | None) -> str:
    needed = least.bytes / 1e9
    whose = "a worker" if least.engine.kind == "cluster" else "this machine"
    if there is not None and least.bytes > there:
        has = f"{whose} has {there / 1e9:.1f} GB"
        fix = ""
    else:
        has = f"--memory allows {memory / 1e9:.1f} GB"
        fix = f"give --memory '{-(-least.bytes // 100_000_000) / 10:.1f} GB', "
    if (base := _base(plan)) > min(memory, there or memory) and base > 2 * BASE_BYTES:
        largest = max(_places(plan, rasters=False).values(), key=lambda p: _unpacked_size(p.path))
        name, size = PurePosixPath(largest.name).name, _unpacked_size(largest.path)
        return (
            f"the files of the layers need about {base / 1e9:.1f} GB of memory, and {has}; "
            f"{fix}or keep of the largest, {name} ({size / 1e9:.2f} GB), only the part near "
            "the AOI"
        )
    surface = _surface_bytes(plan) if least.engine.kind != "cluster" else 0
    if 2 * surface > least.bytes:
        return (
            f"the evidence surface needs about {surface / 1e9:.1f} GB of memory, the run "
            f"{needed:.1f} GB, and {has}; {fix}give a smaller --aoi, larger cells at "
            "evidence.surface.cell, or leave out evidence.surface"
        )
    return (
        f"grid: cells of {plan.grid.resolution:g} m with a halo of {plan.halo:,} cells need at "
        f"least {needed:.1f} GB of memory (tiles of {least.tile:,} cells, "
        f"{_at_once(least.engine)}), and {has}; {fix}give a coarser --resolution or a smaller "
        f"--aoi, or shorten what reaches {plan.halo * plan.grid.resolution / 1000:,.0f} km: the "
        "farthest setback, worst point or radius of the scenario"
    )


def _at_once(engine: Engine) -> str:
    return f"{engine.most} at once" if engine.most > 1 else "one at a time"
