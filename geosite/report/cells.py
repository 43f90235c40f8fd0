"""Cells of a run's folder: its store, and where each rule excludes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyproj

from geosite.constraints import against_bits
from geosite.grid import Grid
from geosite.store import Store

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

HARD = ("exclude", "require")
"""Tiers of the rules that can exclude land."""
_WINDOW = 1024
"""Side of the windows that are read at a time [cells]."""


def store_of(folder: Path, manifest: Mapping[str, Any]) -> Store:
    """Surfaces of a run."""
    g = manifest["grid"]
    # Runs from before a grid could be snapped do not say their origin.
    x, y = g.get("origin_m", (0.0, 0.0))
    grid = Grid(
        pyproj.CRS(g["crs"]),
        float(g["resolution_m"]),
        g["column"],
        g["row"],
        (g["rows"], g["columns"]),
        (float(x), float(y)),
    )
    return Store(folder / "surfaces.zarr", grid)


def excluded_by(
    folder: Path, manifest: Mapping[str, Any], shape: tuple[int, int], rules: Collection[str]
) -> dict[str, NDArray[np.bool_]]:
    """Where each of some hard rules excludes, by id; rules that exclude nothing are left out.

    Parameters
    ----------
    shape : (rows, columns)
        Of the picture: of each of its cells, the run's cell in the middle is asked, as the
        pictures of the other surfaces do.

    Notes
    -----
    Land that another rule includes, and so lifts this rule there, is not excluded by it.
    """
    asked = manifest["rules"]
    wanted = {
        r["id"]: k
        for k, r in enumerate(asked)
        # Runs from before the land of each rule was kept do not say whether it has any.
        if r["id"] in rules and r["tier"] in HARD and r.get("all_land_ha", 1.0) > 0
    }
    if not wanted:
        return {}
    lifters = {
        id_: [
            k for k, r in enumerate(asked) if r["tier"] == "include" and id_ in r.get("lifts", ())
        ]
        for id_ in wanted
    }
    store = store_of(folder, manifest)
    found = {id_: np.zeros(shape, bool) for id_ in wanted}
    down, across = (_middles(n, of) for n, of in zip(shape, store.grid.shape, strict=True))
    for window in store.grid.tiles(_WINDOW):
        rows, columns = store.grid.window(window)
        r, c = _within(down, rows), _within(across, columns)
        if r.stop == r.start or c.stop == c.start:
            continue
        planes = store.read("planes", window)
        planes = planes[:, (down[r] - rows.start)[:, None], across[c] - columns.start]
        if not planes.any():
            continue
        for id_, k in wanted.items():
            here = against_bits(planes, k)
            for by in lifters[id_]:
                here &= ~against_bits(planes, by)
            found[id_][r, c] = here
    return {id_: mask for id_, mask in found.items() if mask.any()}


def _middles(steps: int, cells: int) -> NDArray[np.intp]:
    """Cells in the middle of so many equal steps."""
    return np.floor((np.arange(steps) + 0.5) * cells / steps).astype(np.intp)


def _within(at: NDArray[np.intp], cells: slice) -> slice:
    first, end = np.searchsorted(at, [cells.start, cells.stop])
    return slice(int(first), int(end))
