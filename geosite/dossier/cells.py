"""What the cells of a run say of rules that have no outlines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from geosite.constraints import against_bits, unsure_bits

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import geopandas as gpd
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from geosite.model.rule import Rule
    from geosite.runs import Run


def cells_of(
    run: Run, sites: gpd.GeoDataFrame
) -> Callable[[Rule], Sequence[tuple[float, float]] | None]:
    """Answers of the run's cells: rule → for each site the shares against, and unsure.

    A cell belongs to a site if its centre lies in the outline; a site without any has the cell
    of a point inside it. Cells beyond the grid are unsure.
    """
    order = {r["id"]: k for k, r in enumerate(run.manifest["rules"])}
    planes = [_planes(run, shape) for shape in sites.geometry]

    def answer(rule: Rule) -> Sequence[tuple[float, float]] | None:
        if rule.id not in order:
            return None
        k = order[rule.id]
        return [_shares(found, k) for found in planes]

    return answer


def not_read(_rule: Rule) -> None:
    """Where there is no run there are no cells."""


def _planes(run: Run, shape: BaseGeometry) -> NDArray[np.generic] | None:
    """Reason planes of the cells of a site: (planes, cells); None if it is off the grid."""
    grid = run.store.grid
    left, bottom, right, top = shape.bounds
    columns, rows = grid.indices(np.array([left, right]), np.array([top, bottom]))
    c0, c1 = max(int(np.floor(columns[0])), 0), min(int(np.ceil(columns[1])), grid.shape[1])
    r0, r1 = max(int(np.floor(rows[0])), 0), min(int(np.ceil(rows[1])), grid.shape[0])
    if c0 >= c1 or r0 >= r1:
        return None
    window = grid.part(grid.row + r0, grid.column + c0, (r1 - r0, c1 - c0))
    west, north = window.bounds[0], window.bounds[3]
    x = west + (np.arange(c1 - c0) + 0.5) * grid.resolution
    y = north - (np.arange(r1 - r0) + 0.5) * grid.resolution
    across, down = np.meshgrid(x, y)
    inside = shapely.contains_xy(shape, across, down)
    if not inside.any():
        point = shape.representative_point()
        inside.flat[np.argmin(np.hypot(across - point.x, down - point.y))] = True
    found: NDArray[np.generic] = run.surface("planes", window)[:, inside]
    return found


def _shares(planes: NDArray[np.generic] | None, rule: int) -> tuple[float, float]:
    if planes is None:
        return 0.0, 1.0
    return float(against_bits(planes, rule).mean()), float(unsure_bits(planes, rule).mean())
