"""A surface on a grid of its own, coarser than the analysis grid, read at places and sites."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geosite.grid import Grid

_SITES = 256
"""Sites whose cells are cut out at a time."""


@dataclass(frozen=True, slots=True)
class Coarse:
    """Values of cells; a place has the value of the cell that holds it.

    Attributes
    ----------
    grid : Grid
        In the CRS of the analysis grid.
    values : (y, x)
        NaN where there is none.
    """

    grid: Grid
    values: NDArray[Any]

    def at(self, x: NDArray[Any], y: NDArray[Any]) -> NDArray[np.float64]:
        """Values at places of the grid's CRS: as `x`; NaN beyond the grid.

        Examples
        --------
        >>> from pyproj import CRS
        >>> from geosite.grid import Grid
        >>> grid = Grid.covering((0, 0, 2000, 1000), CRS(5070), resolution=1000)
        >>> Coarse(grid, np.array([[3.0, 4.0]])).at(np.array([1500, 2500]), np.array([10, 10]))
        array([ 4., nan])
        """
        columns, rows = self.grid.indices(x, y)
        c, r = np.floor(columns).astype(np.int64), np.floor(rows).astype(np.int64)
        down, across = self.grid.shape
        inside = (r >= 0) & (c >= 0) & (r < down) & (c < across)
        out = np.full(np.shape(x), np.nan)
        out[inside] = self.values[r[inside], c[inside]]
        return out

    def on(self, window: Grid, at: NDArray[np.int32]) -> NDArray[np.float64]:
        """Values at the centres of some cells of a window of another grid: (cells,).

        Parameters
        ----------
        at : (cells, 2)
            Rows and columns in the window.
        """
        x, y = window.centres()
        return self.at(x[at[:, 1]], y[at[:, 0]])

    def medians(self, shapes: NDArray[Any]) -> NDArray[np.float64]:
        """Median over the land of each polygon: (polygons,); NaN where no cell has a value.

        Each cell counts by the land that the polygon takes of it; of two middle values the
        lower one.
        """
        out = np.full(len(shapes), np.nan)
        for begin in range(0, len(shapes), _SITES):
            some = shapes[begin : begin + _SITES]
            owner, values, area = self._cells(some)
            order = np.lexsort((values, owner))
            owner, values, area = owner[order], values[order], area[order]
            for k in np.unique(owner):
                mine = owner == k
                filled = np.cumsum(area[mine])
                middle = int(np.searchsorted(filled, filled[-1] / 2))
                out[begin + k] = values[mine][min(middle, len(filled) - 1)]
        return out

    def _cells(
        self, shapes: NDArray[Any]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
        # Cells under each shape: whose, their values, and how much of each is taken.
        boxes = shapely.bounds(shapes)
        down, across = self.grid.shape
        (c0, r1), (c1, r0) = (self.grid.indices(boxes[:, k], boxes[:, k + 1]) for k in (0, 2))
        owner, row, column = [], [], []
        for k in np.flatnonzero(np.isfinite(boxes).all(axis=1)):
            rows = np.arange(max(int(np.floor(r0[k])), 0), min(int(np.ceil(r1[k])), down))
            columns = np.arange(max(int(np.floor(c0[k])), 0), min(int(np.ceil(c1[k])), across))
            r, c = np.meshgrid(rows, columns, indexing="ij")
            owner.append(np.full(r.size, k, np.int64))
            row.append(r.ravel())
            column.append(c.ravel())
        if not owner:
            nothing = np.empty(0)
            return np.empty(0, np.int64), nothing, nothing
        of, r, c = (np.concatenate(parts) for parts in (owner, row, column))
        left, _, _, top = self.grid.bounds
        step = self.grid.resolution
        cells = shapely.box(
            left + c * step, top - (r + 1) * step, left + (c + 1) * step, top - r * step
        )
        area = shapely.area(shapely.intersection(cells, shapes[of]))
        values = self.values[r, c].astype(np.float64)
        good = (area > 0) & ~np.isnan(values)
        return of[good], values[good], area[good]
