"""From a layer in its own CRS to surfaces on a window of the grid.

Each geometry keeps its own rasterisation rule: a *point* marks the cell that
holds it; a *line* marks every cell it touches; a *polygon* fills an exact share
of each cell, marks a cell from a share of one half on, and if it is thinner than a cell marks, for
distances only, every cell it touches, so that nothing small vanishes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import rasterio
from rasterio.windows import Window

from geosite import distances, kernels
from geosite.crs import transformed
from geosite.errors import LayerDataError
from geosite.grid import SUBCELLS, Grid
from geosite.sampling import sampled
from geosite.segments import Shapes

if TYPE_CHECKING:
    from pathlib import Path

    from affine import Affine
    from numpy.typing import NDArray
    from pyproj import CRS

    from geosite.model.measure import SlopeMethod

NODE_STEP = 16
"""Raster coordinates are exact at every 16th cell edge and linear between."""
NODE_SNAP = 2.0**-20
"""Part of a raster cell that its coordinates are snapped to."""
MOST_PIXELS = 2**24
"""Pixels of a raster that are read at a time."""
_ROWS = 512
"""Rows that are worked on at a time."""


def share(shapes: Shapes, window: Grid) -> NDArray[np.float64]:
    """How much of each cell the polygons fill: (y, x), 0 to 1."""
    full = kernels.filled(shapes.segments(window), window.shape)
    return np.minimum(full / kernels.FULL, 1.0)


def presence(shapes: Shapes, window: Grid) -> NDArray[np.bool_]:
    """Cells that the features mark, each geometry by its own rule: (y, x), bool."""
    if shapes.kind != "polygon":
        return kernels.touched(shapes.segments(window), window.shape).view(bool)
    out = np.zeros(window.shape, bool)
    # Some rows at a time: shares take four times the memory of the answer.
    for band in window.bands(_ROWS):
        segments = shapes.segments(band)
        if len(segments):
            rows, _ = window.window(band)
            # A share of one half and more; compared in integers.
            out[rows] = kernels.filled(segments, band.shape) * 2 >= kernels.FULL
    return out


def origins(shapes: Shapes, window: Grid) -> NDArray[np.bool_]:
    """Cells that distances are measured from: as `presence`, and no polygon is left out."""
    marked = presence(shapes, window)
    if len(shapes.thin):
        marked |= presence(shapes.thin_lines, window)
    return marked


def near(marked: NDArray[np.bool_], reach: float, margin: int = 0) -> NDArray[np.bool_]:
    """Cells within a reach [cells] of a marked one, less a margin of the window: (y, x), bool."""
    rows, columns = marked.shape
    inner = np.s_[margin : rows - margin, margin : columns - margin]
    if reach < 1 or not marked.any():
        return marked[inner]
    along = distances.along_columns(marked, margin, rows - 2 * margin, reach)
    return distances.within(along, reach)[:, inner[1]]


def distance_at(
    marked: NDArray[np.bool_], at: NDArray[np.int32], reach: float, margin: int = 0
) -> NDArray[np.float64]:
    """Squared distance of some cells to the nearest marked cell: (cells,) [cells²].

    Exact whole numbers, the same in any window; infinite beyond the reach.

    Parameters
    ----------
    at : (cells, 2)
        Rows and columns in the window less its margin; row by row is quickest.
    reach : float
        How far it matters [cells].
    """
    along = distances.along_columns(marked, margin, marked.shape[0] - 2 * margin, reach)
    return distances.squared_at(along, at, margin, reach)


def category(shapes: Shapes, window: Grid) -> NDArray[np.int32]:
    """Number of the polygon over each cell's centre, counted from 1: (y, x), 0 where none is."""
    left, top = window.column * SUBCELLS, window.row * SUBCELLS
    shift = np.array([left, top, left, top])
    near = np.flatnonzero(_meets(shapes.boxes - shift, window.shape))
    if not len(near):
        return np.zeros(window.shape, np.int32)
    pieces = [shapes.edges[shapes.starts[i] : shapes.starts[i + 1]] for i in near]
    starts = np.concatenate([[0], np.cumsum([len(p) for p in pieces])]).astype(np.int64)
    return kernels.painted(
        np.concatenate(pieces) - shift,
        starts,
        (near + 1).astype(np.int32),
        shapes.boxes[near] - shift,
        window.shape,
    )


def _meets(boxes: NDArray[np.int64], shape: tuple[int, int]) -> NDArray[np.bool_]:
    rows, columns = shape
    left, top, right, bottom = boxes.T
    meets: NDArray[np.bool_] = (
        (right >= 0) & (bottom >= 0) & (left <= columns * SUBCELLS) & (top <= rows * SUBCELLS)
    )
    return meets


@dataclass(frozen=True, slots=True)
class RasterSurface:
    """A raster file in its own CRS, and how it is brought onto a grid.

    Values are sampled by one rule that knows nothing of windows: bilinear
    between the four nearest raster cells, at the cell's centre, or at the
    centres of n × n sub-cells and averaged where the raster is finer than the
    grid; n is fixed for a run, at most `rasters.MOST_SAMPLES`. Codes of a categorical
    raster are taken at the cell's centre.
    """

    path: Path
    crs: CRS
    transform: Affine
    shape: tuple[int, int]
    nodata: float | None
    subsamples: int

    def values(self, window: Grid) -> NDArray[np.float32]:
        """Values on a window: (y, x), NaN where the raster has none."""
        return self._sampled(window, self.subsamples, nearest=False)

    def values_at(self, window: Grid, at: NDArray[np.int32]) -> NDArray[np.float32]:
        """The same at some cells of a window: (cells,)."""
        return self._sampled(window, self.subsamples, nearest=False, at=at)

    def codes(self, window: Grid) -> NDArray[np.float32]:
        """Codes at the cell centres: (y, x), NaN where the raster has none."""
        return self._sampled(window, 1, nearest=True)

    def _nodes(self, window: Grid) -> tuple[NDArray[np.float64], tuple[int, int]]:
        # Pixel columns and rows of a lattice that every window shares.
        rows, columns = window.shape
        first = (window.row // NODE_STEP, window.column // NODE_STEP)
        last = ((window.row + rows) // NODE_STEP + 1, (window.column + columns) // NODE_STEP + 1)
        left, top = window.origin
        y = top - np.arange(first[0], last[0] + 1) * NODE_STEP * window.resolution
        x = left + np.arange(first[1], last[1] + 1) * NODE_STEP * window.resolution
        across, down = np.meshgrid(x.astype(float), y.astype(float))
        lon, lat = transformed(across, down, window.crs, self.crs)
        nodes = np.stack(~self.transform * (lon, lat))
        # Cells that lie on the raster's own must not read a neighbour by a rounding error.
        return np.rint(nodes / NODE_SNAP) * NODE_SNAP, first

    def _sampled(
        self,
        window: Grid,
        samples: int,
        *,
        nearest: bool,
        at: NDArray[np.int32] | None = None,
    ) -> NDArray[np.float32]:
        nodes, first = self._nodes(window)
        height, width = self.shape
        finite = np.isfinite(nodes).all(axis=0)
        c0, c1 = _span(nodes[0][finite], width)
        r0, r1 = _span(nodes[1][finite], height)
        if c0 >= c1 or r0 >= r1:
            return np.full(window.shape if at is None else len(at), np.nan, np.float32)
        rows, columns = window.shape
        if (c1 - c0) * (r1 - r0) > MOST_PIXELS and rows > 1:
            # A fine raster under coarse cells would fill the memory: half of the rows at a time.
            half = window.part(window.row, window.column, (rows // 2, columns))
            rest = window.part(window.row + rows // 2, window.column, (rows - rows // 2, columns))
            if at is None:
                parts = [self._sampled(w, samples, nearest=nearest) for w in (half, rest)]
                return np.concatenate(parts)
            upper, out = at[:, 0] < rows // 2, np.empty(len(at), np.float32)
            below = at[~upper] - np.array([rows // 2, 0], np.int32)
            out[upper] = self._sampled(half, samples, nearest=nearest, at=at[upper])
            out[~upper] = self._sampled(rest, samples, nearest=nearest, at=below)
            return out
        if at is not None and not len(at):
            return np.empty(0, np.float32)
        try:
            with rasterio.open(self.path) as file:
                pixels = file.read(1, window=Window(c0, r0, c1 - c0, r1 - r0))
        except rasterio.errors.RasterioError as error:
            msg = f"{self.path.name}: the raster cannot be read: {error}; get the file again"
            raise LayerDataError(msg) from None
        return sampled(
            pixels,
            np.nan if self.nodata is None else self.nodata,
            nodes,
            first=(window.row, window.column, *first),
            step=NODE_STEP,
            samples=samples,
            nearest=nearest,
            offset=(c0, r0),
            shape=window.shape,
            at=at,
        )


def _span(places: NDArray[np.float64], size: int) -> tuple[int, int]:
    if not len(places):
        return 0, 0
    return max(int(places.min()) - 2, 0), min(int(places.max()) + 3, size)


def slope(
    elevation: NDArray[np.float32], resolution: float, method: SlopeMethod = "horn"
) -> NDArray[np.float32]:
    """Steepness of the ground: (y - 2, x - 2) [%].

    One cell is lost on every side; NaN where any of the nine heights is missing.

    Parameters
    ----------
    method : {"horn", "zevenbergen-thorne"}
        From all eight neighbours, which smooths, or from the four beside a cell.

    References
    ----------
    Horn, B. K. P. (1981). Hill shading and the reflectance map. Proceedings of
    the IEEE 69(1), 14-47. doi:10.1109/PROC.1981.11918

    Zevenbergen, L. W. and Thorne, C. R. (1987). Quantitative analysis of land
    surface topography. Earth Surface Processes and Landforms 12(1), 47-56.
    doi:10.1002/esp.3290120107
    """
    rows, columns = elevation.shape
    out = np.empty((max(rows - 2, 0), max(columns - 2, 0)), np.float32)
    corners = 1.0 if method == "horn" else 0.0
    kernels.steepness(elevation, corners, 100.0 / ((4.0 + 4.0 * corners) * resolution), out)
    return out
