"""The analysis grid: one CRS, one resolution, shared cell edges."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, floor
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from affine import Affine

from geosite.errors import CRSMismatchError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import xarray as xr
    from numpy.typing import NDArray
    from pyproj import CRS

Bounds = tuple[float, float, float, float]
"""``(left, bottom, right, top)``, always in this order."""

SUBCELLS = 4096
"""Vertices snap to this many steps a cell, so that no tiling can move an edge."""


@dataclass(frozen=True, slots=True)
class Grid:
    """A north-up lattice of square cells in a projected CRS.

    Cell edges lie at whole multiples of the resolution from an origin, so any two grids
    of one CRS, resolution and origin line up, and a tile is a grid like any other.

    Parameters
    ----------
    crs : pyproj.CRS
        Projected, in metres; equal-area for a scenario.
    resolution : float
        Edge of a cell [m].
    column, row : int
        Index of the top-left cell, counted from the origin; rows grow southwards.
    shape : (rows, columns)
    origin : (x, y)
        A corner that cell edges meet [m], the origin of the CRS if not given. Where the
        cells lie depends on its remainder by the resolution alone; their indices count
        from it.

    Raises
    ------
    CRSMismatchError
        If the CRS is geographic or not in metres.
    """

    crs: CRS
    resolution: float
    column: int
    row: int
    shape: tuple[int, int]
    origin: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        """Refuse a CRS in which metres mean nothing."""
        if not self.crs.is_projected or self.crs.axis_info[0].unit_name != "metre":
            msg = (
                f"grid.crs: a grid needs a projected CRS in metres, not {self.crs.name!r}; "
                "use EPSG:5070 (conterminous US) or EPSG:3338 (Alaska)"
            )
            raise CRSMismatchError(msg)

    @classmethod
    def covering(
        cls,
        bounds: Bounds,
        crs: CRS,
        *,
        resolution: float,
        origin: tuple[float, float] = (0.0, 0.0),
    ) -> Self:
        """Smallest grid over some bounds.

        Examples
        --------
        >>> from pyproj import CRS
        >>> Grid.covering((5, 5, 25, 15), CRS(5070), resolution=10).bounds
        (0.0, 0.0, 30.0, 20.0)
        >>> Grid.covering((5, 5, 25, 15), CRS(5070), resolution=10, origin=(2, 5)).bounds
        (2, 5, 32, 15)
        """
        left, bottom, right, top = bounds
        x, y = origin
        column, row = floor((left - x) / resolution), -ceil((top - y) / resolution)
        columns = ceil((right - x) / resolution) - column
        rows = -floor((bottom - y) / resolution) - row
        return cls(crs, resolution, column, row, (rows, columns), origin)

    @property
    def bounds(self) -> Bounds:
        """Outer edges [m]."""
        rows, columns = self.shape
        x, y = self.origin
        left, right = (x + c * self.resolution for c in (self.column, self.column + columns))
        top, bottom = (y - r * self.resolution for r in (self.row, self.row + rows))
        return left, bottom, right, top

    @property
    def transform(self) -> Affine:
        """From ``(column, row)`` to ``(x, y)``."""
        left, _, _, top = self.bounds
        return Affine(self.resolution, 0, left, 0, -self.resolution, top)

    @property
    def cell_area(self) -> float:
        """Area of one cell [ha]."""
        return self.resolution**2 / 10_000

    @property
    def cells(self) -> int:
        """Number of cells."""
        return self.shape[0] * self.shape[1]

    def grown(self, cells: int) -> Grid:
        """The grid with a margin of so many cells on every side.

        Examples
        --------
        >>> from pyproj import CRS
        >>> Grid.covering((0, 0, 30, 20), CRS(5070), resolution=10).grown(1).bounds
        (-10.0, -10.0, 40.0, 30.0)
        """
        rows, columns = self.shape
        shape = (rows + 2 * cells, columns + 2 * cells)
        return self.part(self.row - cells, self.column - cells, shape)

    def part(self, row: int, column: int, shape: tuple[int, int]) -> Grid:
        """Other cells of the same lattice, within this grid or beyond it.

        Parameters
        ----------
        row, column : int
            Index of the top-left cell, counted from the origin as this grid's own.
        shape : (rows, columns)

        Examples
        --------
        >>> from pyproj import CRS
        >>> Grid.covering((0, 0, 30, 20), CRS(5070), resolution=10).part(-1, 2, (1, 1)).bounds
        (20.0, 0.0, 30.0, 10.0)
        """
        return replace(self, row=row, column=column, shape=shape)

    def within(self, other: Grid) -> Grid:
        """The cells that another grid of the same lattice has as well.

        Examples
        --------
        >>> from pyproj import CRS
        >>> grid = Grid.covering((0, 0, 30, 20), CRS(5070), resolution=10)
        >>> grid.grown(2).within(grid) == grid
        True
        """
        r0, c0 = max(self.row, other.row), max(self.column, other.column)
        r1 = min(self.row + self.shape[0], other.row + other.shape[0])
        c1 = min(self.column + self.shape[1], other.column + other.shape[1])
        return self.part(r0, c0, (max(r1 - r0, 0), max(c1 - c0, 0)))

    def tiles(self, size: int) -> Iterator[Grid]:
        """Windows of at most `size` × `size` cells that fill this grid, row by row."""
        rows, columns = self.shape
        for r in range(0, rows, size):
            for c in range(0, columns, size):
                shape = (min(size, rows - r), min(size, columns - c))
                yield self.part(self.row + r, self.column + c, shape)

    def bands(self, rows: int) -> Iterator[Grid]:
        """Windows of full width and at most so many rows that fill this grid, from the top."""
        for r in range(0, self.shape[0], rows):
            shape = (min(rows, self.shape[0] - r), self.shape[1])
            yield self.part(self.row + r, self.column, shape)

    def window(self, inner: Grid) -> tuple[slice, slice]:
        """Where another grid on the same lattice lies in this one: (rows, columns)."""
        r, c = inner.row - self.row, inner.column - self.column
        return slice(r, r + inner.shape[0]), slice(c, c + inner.shape[1])

    def indices(self, x: NDArray[Any], y: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Fractional (column, row) of coordinates, snapped to 1/`SUBCELLS` of a cell.

        Counted from this grid's own top-left corner; the snapping is done from
        the lattice's origin, so every tile sees the same point in the same place.
        """
        left, top = self.origin
        columns = np.rint((np.asarray(x) - left) / self.resolution * SUBCELLS) / SUBCELLS
        rows = np.rint((top - np.asarray(y)) / self.resolution * SUBCELLS) / SUBCELLS
        return columns - self.column, rows - self.row

    def subcells(self, xy: NDArray[np.float64]) -> NDArray[np.int64]:
        """Whole sub-cells of coordinates, counted from the origin: (n, 2) column, row."""
        steps = (xy - np.array(self.origin)) / self.resolution * np.array([SUBCELLS, -SUBCELLS])
        whole: NDArray[np.int64] = np.rint(steps).astype(np.int64)
        return whole

    def centres(self) -> tuple[NDArray[np.floating[Any]], NDArray[np.floating[Any]]]:
        """Coordinates of the cell centres: x (columns,), y (rows,) [m]."""
        rows, columns = self.shape
        left, top = self.origin
        x = left + (self.column + np.arange(columns, dtype=np.float64) + 0.5) * self.resolution
        y = top - (self.row + np.arange(rows, dtype=np.float64) + 0.5) * self.resolution
        return x, y

    def surface(self, values: NDArray[Any], name: str, **attrs: str) -> xr.DataArray:
        """Values labelled with the centres of this grid's cells, (y, x)."""
        x, y = self.centres()
        import xarray as xr  # noqa: PLC0415 -- slow to import

        return xr.DataArray(
            values, coords={"y": y, "x": x}, dims=("y", "x"), name=name, attrs=attrs
        )
