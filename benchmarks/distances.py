"""Distance transforms of kept libraries, timed on the workload's railways: tile by tile, with halo.

For each library: one thread, two threads mapped over the tiles (a library that holds Python's
lock gains nothing), and how many cells differ from the transform of the whole raster.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

import cv2
import edt
import geopandas as gpd
import numpy as np
from measured import busy_s
from rasterio import features
from rasterio.transform import from_origin
from scipy import ndimage
from scipy.spatial import cKDTree

from geosite.distances import along_columns, squared_at
from geosite.kernels import places

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

NY, NX, RES = 6000, 8000, 90.0
TILE, HALO = 3000, 556
SHARES = (0.01, 0.05, 0.2)
"""Shares of active cells for which the tree is asked."""
REACH = 22
"""Active cells lie within so many cells of a deposit."""


def distances(folder: Path, *, repeat: int) -> dict[str, Any]:
    """Rows of the table: library, active share, seconds, speed-up, cells that differ."""
    rail = gpd.read_file(folder / "rail.gpkg").geometry
    transform = from_origin(-2_100_000, 2_300_000, RES, RES)
    near = features.rasterize(
        rail, out_shape=(NY, NX), transform=transform, all_touched=True, dtype="uint8"
    ).astype(bool)
    whole = _capped(edt.edtsq(~near, parallel=0))
    rows = [
        _row(name, transform_of, near, whole, repeat=repeat)
        for name, transform_of in {
            "edt (edtsq)": _edt,
            "OpenCV (precise)": _opencv,
            "SciPy (distance_transform_edt)": _scipy,
        }.items()
    ]
    for share in SHARES:
        active = _active(share, near.shape)
        row = _row("SciPy (cKDTree)", _tree, near, whole, active=active, repeat=1)
        rows.append(row)
    for share in (*SHARES, 1.0):
        active = _active(share, near.shape) if share < 1 else np.ones(near.shape, bool)
        row = _row("geosite (sweeps)", _sweeps, near, whole, active=active, repeat=repeat)
        rows.append(row)
    return {
        "tile": TILE,
        "halo": HALO,
        "burnt_pct": round(100 * near.mean(), 2),
        "opencv_roots_that_differ_pct": {
            "ipp": round(100 * _roots_that_differ(near, ipp=True), 2),
            "own": round(100 * _roots_that_differ(near, ipp=False), 2),
        },
        "rows": rows,
    }


def _roots_that_differ(near: NDArray[np.bool_], *, ipp: bool) -> float:
    # OpenCV's distances as they come: the same place in two windows, rounded differently.
    # Intel's primitives are taken on one thread only, where the processor has them.
    cv2.setNumThreads(1)
    cv2.ipp.setUseIPP(ipp)

    def roots(marked: NDArray[np.bool_]) -> NDArray[np.float32]:
        return cv2.distanceTransform((~marked).view("u1"), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)

    whole, differ = roots(near), 0
    for rows, columns, inner_rows, inner_columns in _windows():
        tile = roots(near[rows, columns])[inner_rows, inner_columns]
        same_place = whole[rows, columns][inner_rows, inner_columns]
        differ += int(((tile != same_place) & (same_place <= HALO)).sum())
    return differ / near.size


def _edt(near: NDArray[np.bool_], _active: object, threads: int) -> NDArray[np.float32]:
    return edt.edtsq(~near, parallel=threads)


def _opencv(near: NDArray[np.bool_], _active: object, threads: int) -> NDArray[np.float32]:
    cv2.setNumThreads(threads)
    # Intel's primitives are another algorithm, taken on some machines only.
    cv2.ipp.setUseIPP(False)
    far = cv2.distanceTransform((~near).view("u1"), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.rint(far * far)


def _scipy(near: NDArray[np.bool_], _active: object, _threads: int) -> NDArray[np.float32]:
    far = ndimage.distance_transform_edt(~near)
    return np.rint(far * far).astype("f4")


def _tree(
    near: NDArray[np.bool_], active: NDArray[np.bool_] | None, threads: int
) -> NDArray[np.float32]:
    out = np.full(near.shape, np.inf, "f4")
    places = np.argwhere(near)
    if len(places) and active is not None:
        wanted = np.argwhere(active)
        far, _ = cKDTree(places).query(wanted, distance_upper_bound=HALO + 0.5, workers=threads)
        out[active] = np.rint(far * far)
    return out


def _sweeps(
    near: NDArray[np.bool_], active: NDArray[np.bool_] | None, _threads: int
) -> NDArray[np.float32]:
    out = np.full(near.shape, np.inf, "f4")
    if active is not None and active.any():
        asked = np.flatnonzero(active.any(axis=1))
        first, last = int(asked[0]), int(asked[-1]) + 1
        along = along_columns(near, first, last - first, HALO)
        out[active] = squared_at(along, places(active[first:last]), 0, HALO)
    return out


def _windows() -> list[tuple[slice, slice, slice, slice]]:
    # Tile with halo in the whole, then the tile within that.
    found = []
    for top in range(0, NY, TILE):
        for left in range(0, NX, TILE):
            bottom, right = min(top + TILE, NY), min(left + TILE, NX)
            r0, c0 = max(top - HALO, 0), max(left - HALO, 0)
            found.append(
                (
                    slice(r0, min(bottom + HALO, NY)),
                    slice(c0, min(right + HALO, NX)),
                    slice(top - r0, bottom - r0),
                    slice(left - c0, right - c0),
                )
            )
    return found


def _row(
    name: str,
    transform_of: Callable[..., NDArray[np.float32]],
    near: NDArray[np.bool_],
    whole: NDArray[np.float32],
    *,
    repeat: int,
    active: NDArray[np.bool_] | None = None,
) -> dict[str, Any]:
    out = np.empty_like(whole)

    def work(window: tuple[slice, slice, slice, slice], own: int = 1) -> None:
        rows, columns, inner_rows, inner_columns = window
        # The halo is there to be measured from; only the tile's own cells are asked about.
        asked = None
        if active is not None:
            asked = np.zeros((rows.stop - rows.start, columns.stop - columns.start), bool)
            asked[inner_rows, inner_columns] = active[
                rows.start + inner_rows.start : rows.start + inner_rows.stop,
                columns.start + inner_columns.start : columns.start + inner_columns.stop,
            ]
        found = transform_of(near[rows, columns], asked, own)[inner_rows, inner_columns]
        at = (
            slice(rows.start + inner_rows.start, rows.start + inner_rows.stop),
            slice(columns.start + inner_columns.start, columns.start + inner_columns.stop),
        )
        out[at] = found

    busy, own, started = busy_s(), time.process_time(), time.perf_counter()
    one = min(_seconds(work, 1) for _ in range(repeat))
    two = min(_seconds(work, 2) for _ in range(repeat))
    threaded = transform_of not in (_scipy, _sweeps)
    inside = min(_seconds(partial(work, own=2), 1) for _ in range(repeat)) if threaded else None
    taken = busy_s() - busy - (time.process_time() - own)
    elsewhere = max(taken, 0.0) / (time.perf_counter() - started)
    differs = _capped(out) != whole
    if active is not None:
        differs &= active
    asked = NY * NX if active is None else int(active.sum())
    row = {
        "library": name,
        "active_pct": round(100 * asked / (NY * NX), 1),
        "one_thread_s": round(one, 2),
        "two_threads_s": round(two, 2),
        "speed_up": round(one / two, 2),
        "own_two_threads_s": None if inside is None else round(inside, 2),
        "longest_hold_pct": round(100 * _longest_hold(lambda: work(_windows()[0]))),
        "ns_per_active_cell": round(1e9 * one / asked, 1),
        "elsewhere": round(elsewhere, 2),
        "cells_that_differ_pct": round(100 * int(differs.sum()) / asked, 4),
    }
    print(f"{name}: {row}", flush=True)
    return row


def _seconds(work: Callable[..., None], threads: int) -> float:
    started = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, _windows()))
    return time.perf_counter() - started


def _longest_hold(call: Callable[[], None]) -> float:
    # Of a call's time, the longest piece in which no other Python code could run. Unlike the
    # speed-up it says the same on a busy machine.
    took = []

    def timed() -> None:
        started = time.perf_counter()
        call()
        took.append(time.perf_counter() - started)

    thread = threading.Thread(target=timed)
    thread.start()
    last, longest = time.perf_counter(), 0.0
    while thread.is_alive():
        now = time.perf_counter()
        last, longest = now, max(longest, now - last)
    return min(longest / took[0], 1.0)


def _capped(squared: NDArray[np.float32]) -> NDArray[np.float32]:
    # Beyond the halo a distance is "far", whatever it is.
    return np.minimum(squared, np.float32(HALO**2 + 1))


def _active(share: float, shape: tuple[int, int]) -> NDArray[np.bool_]:
    # Discs round places drawn by chance, as land near deposits is.
    if share >= 1:
        return np.ones(shape, bool)
    rng = np.random.default_rng(7)
    cells = shape[0] * shape[1]
    number = round(-np.log1p(-share) * cells / (np.pi * REACH**2))
    far = np.ones(shape, bool)
    far[rng.integers(0, shape[0], number), rng.integers(0, shape[1], number)] = False
    return edt.edtsq(far, parallel=0) <= REACH**2
