"""From a layer in its own CRS to surfaces on a window of the grid.

Each geometry keeps its own rasterisation rule: a *point* marks the cell that
holds it; a *line* marks every cell it touches; a *polygon* fills an exact share
of each cell, marks a cell from a share of one half on, and if it is thinner than a cell marks, for
distances only, every cell it touches, so that nothing small vanishes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import cv2
import numpy as np
import rasterio
import shapely
from rasterio.windows import Window

from geosite import kernels
from geosite.crs import transformed
from geosite.errors import LayerDataError
from geosite.grid import SUBCELLS, Grid
from geosite.sampling import sampled

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd
    import xarray as xr
    from affine import Affine
    from numpy.typing import NDArray
    from pyproj import CRS

Kind = Literal["point", "line", "polygon"]
NODE_STEP = 16
"""Raster coordinates are exact at every 16th cell edge and linear between."""
FAR = np.float32(np.inf)
EXACT_CELLS = 2048
"""Distances are exact, on any window, up to so many cells."""


@dataclass(frozen=True)
class Shapes:
    """Features of one kind in whole sub-cells of a grid, counted from the CRS origin.

    Attributes
    ----------
    kind
        Decides the rasterisation rule.
    edges : (n, 4) int64
        Segments x0, y0, x1, y1; for points x, y, x, y. Rows grow southwards.
    starts : (features + 1,) int64
        First segment of each feature.
    thin : (m, 4) int64
        Segments of the polygons that are thinner than a cell: twice the area over
        the perimeter is less than the resolution.
    """

    kind: Kind
    edges: NDArray[np.int64]
    starts: NDArray[np.int64]
    thin: NDArray[np.int64]

    @classmethod
    def of(cls, frame: gpd.GeoDataFrame, grid: Grid, kind: Kind, *, merge: bool = True) -> Shapes:
        """Shapes of features that are in the grid's CRS already.

        Parameters
        ----------
        merge : bool
            Polygons are united first, so that land under two features is counted
            once; without it each feature keeps its own segments, for `category`.
        """
        geometry = frame.geometry.to_numpy()
        thin = _thin(geometry, grid) if kind == "polygon" else np.empty((0, 4), np.int64)
        if kind == "polygon" and merge and len(geometry):
            geometry = np.array([shapely.union_all(geometry)])
        parts, owner = shapely.get_parts(geometry, return_index=True)
        if kind == "polygon":
            # A union of lines and areas may hold both; only areas fill a cell.
            area = shapely.get_type_id(parts) == shapely.GeometryType.POLYGON
            parts, owner = shapely.orient_polygons(parts[area]), owner[area]
        if kind == "point":
            snapped = _subcells(shapely.get_coordinates(parts), grid)
            edges, of = np.c_[snapped, snapped], owner
        else:
            rings, ring_of = _rings(parts) if kind == "polygon" else (parts, np.arange(len(parts)))
            edges, ring = _segments(rings, grid)
            of = owner[ring_of[ring]]
        starts = np.searchsorted(of, np.arange(len(geometry) + 1)).astype(np.int64)
        return cls(kind, np.ascontiguousarray(edges, np.int64), starts, thin)

    @cached_property
    def boxes(self) -> NDArray[np.int64]:
        """Bounding box of each feature: (features, 4) left, top, right, bottom."""
        n = len(self.starts) - 1
        out = np.zeros((n, 4), np.int64)
        out[:, :2] = np.iinfo(np.int64).max // 4
        filled = np.diff(self.starts) > 0
        if filled.any():
            at = self.starts[:-1][filled]
            low = np.minimum(self.edges[:, :2], self.edges[:, 2:])
            high = np.maximum(self.edges[:, :2], self.edges[:, 2:])
            out[filled, :2] = np.minimum.reduceat(low, at)
            out[filled, 2:] = np.maximum.reduceat(high, at)
        return out

    def segments(self, window: Grid) -> NDArray[np.int64]:
        """Segments that matter to a window, counted from its top-left corner.

        Of polygons, those left of the window matter too: they decide what is inside.
        """
        rows, columns = window.shape
        left, top = window.column * SUBCELLS, window.row * SUBCELLS
        right, bottom = left + columns * SUBCELLS, top + rows * SUBCELLS
        e = self.edges
        near = (
            (np.minimum(e[:, 0], e[:, 2]) <= right)
            & (np.minimum(e[:, 1], e[:, 3]) <= bottom)
            & (np.maximum(e[:, 1], e[:, 3]) >= top)
        )
        if self.kind != "polygon":
            near &= np.maximum(e[:, 0], e[:, 2]) >= left
        moved: NDArray[np.int64] = e[near] - np.array([left, top, left, top])
        return moved


def _subcells(xy: NDArray[np.float64], grid: Grid) -> NDArray[np.int64]:
    snapped: NDArray[np.int64] = np.rint(
        xy / grid.resolution * np.array([SUBCELLS, -SUBCELLS])
    ).astype(np.int64)
    return snapped


def _segments(rings: NDArray[Any], grid: Grid) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    # Segments of rings or lines, and which of them each belongs to.
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    snapped = _subcells(xy, grid)
    same = ring[1:] == ring[:-1]
    return np.c_[snapped[:-1][same], snapped[1:][same]], ring[:-1][same]


def _thin(geometry: NDArray[Any], grid: Grid) -> NDArray[np.int64]:
    # Before features are united, so that a neighbour never makes one vanish.
    parts = shapely.get_parts(geometry)
    width = 2 * shapely.area(parts) / np.maximum(shapely.length(parts), 1e-9)
    polygon = shapely.get_type_id(parts) == shapely.GeometryType.POLYGON
    rings, _ = _rings(parts[polygon & (width < grid.resolution)])
    return np.ascontiguousarray(_segments(rings, grid)[0], np.int64)


def _rings(polygons: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    return shapely.get_rings(polygons, return_index=True)


def share(shapes: Shapes, window: Grid) -> NDArray[np.float64]:
    """How much of each cell the polygons fill: (y, x), 0 to 1."""
    full = kernels.filled(shapes.segments(window), window.shape)
    return np.minimum(full / kernels.FULL, 1.0)


def presence(shapes: Shapes, window: Grid) -> NDArray[np.bool_]:
    """Cells that the features mark, each geometry by its own rule: (y, x), bool."""
    segments = shapes.segments(window)
    if shapes.kind == "polygon":
        # A share of one half and more; compared in integers.
        return kernels.filled(segments, window.shape) * 2 >= kernels.FULL
    return kernels.touched(segments, window.shape).astype(bool)


def origins(shapes: Shapes, window: Grid) -> NDArray[np.bool_]:
    """Cells that distances are measured from: as `presence`, and no polygon is left out."""
    marked = presence(shapes, window)
    if len(shapes.thin):
        line = Shapes("line", shapes.thin, np.array([0, len(shapes.thin)]), shapes.thin[:0])
        marked |= presence(line, window)
    return marked


def distance(marked: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Squared Euclidean distance to the nearest marked cell: (y, x) [cells²], whole numbers.

    Infinite where nothing is marked. OpenCV's transform is exact but for the
    rounding of its square root, which is undone here: squared distances between
    cell centres are whole numbers, and stay exact up to 2,048 cells; beyond, a
    root in float32 no longer tells neighbouring whole numbers apart.
    """
    if not marked.any():
        return np.full(marked.shape, FAR)
    # Intel's primitives, which OpenCV takes for small windows and on one core, are exact
    # for 884 cells only; the switch is each thread's own.
    cv2.ipp.setUseIPP(False)
    cells = cv2.distanceTransform((~marked).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.rint(np.multiply(cells, cells, out=cells), out=cells)


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
    grid; n is fixed for a run, at most `prepare.MOST_SAMPLES`. Codes of a categorical
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

    def codes(self, window: Grid) -> NDArray[np.float32]:
        """Codes at the cell centres: (y, x), NaN where the raster has none."""
        return self._sampled(window, 1, nearest=True)

    def _nodes(self, window: Grid) -> tuple[NDArray[np.float64], tuple[int, int]]:
        # Pixel columns and rows of a lattice that every window shares.
        rows, columns = window.shape
        first = (window.row // NODE_STEP, window.column // NODE_STEP)
        last = ((window.row + rows) // NODE_STEP + 1, (window.column + columns) // NODE_STEP + 1)
        y = -np.arange(first[0], last[0] + 1) * NODE_STEP * window.resolution
        x = np.arange(first[1], last[1] + 1) * NODE_STEP * window.resolution
        across, down = np.meshgrid(x.astype(float), y.astype(float))
        lon, lat = transformed(across, down, window.crs, self.crs)
        return np.stack(~self.transform * (lon, lat)), first

    def _sampled(self, window: Grid, samples: int, *, nearest: bool) -> NDArray[np.float32]:
        nodes, first = self._nodes(window)
        height, width = self.shape
        finite = np.isfinite(nodes).all(axis=0)
        c0, c1 = _span(nodes[0][finite], width)
        r0, r1 = _span(nodes[1][finite], height)
        if c0 >= c1 or r0 >= r1:
            return np.full(window.shape, np.nan, np.float32)
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
        )


def _span(places: NDArray[np.float64], size: int) -> tuple[int, int]:
    if not len(places):
        return 0, 0
    return max(int(places.min()) - 2, 0), min(int(places.max()) + 3, size)


def slope(elevation: NDArray[np.float32], resolution: float) -> NDArray[np.float32]:
    """Steepness of the ground by Horn's method: (y - 2, x - 2) [%].

    One cell is lost on every side; NaN where any of the nine heights is missing.

    References
    ----------
    Horn, B. K. P. (1981). Hill shading and the reflectance map. Proceedings of
    the IEEE 69(1), 14-47. doi:10.1109/PROC.1981.11918
    """
    z = elevation.astype(np.float64)
    east = z[:-2, 2:] + 2 * z[1:-1, 2:] + z[2:, 2:]
    west = z[:-2, :-2] + 2 * z[1:-1, :-2] + z[2:, :-2]
    north = z[:-2, :-2] + 2 * z[:-2, 1:-1] + z[:-2, 2:]
    south = z[2:, :-2] + 2 * z[2:, 1:-1] + z[2:, 2:]
    steep = np.hypot(east - west, south - north) / (8 * resolution) * 100
    # The centre has no weight in the formula, but ground that is not known there
    # has no known slope.
    out: NDArray[np.float32] = (steep + 0 * z[1:-1, 1:-1]).astype(np.float32)
    return out


def surface(values: NDArray[Any], window: Grid, name: str, **attrs: str) -> xr.DataArray:
    """Values of a window as a labelled surface, (y, x)."""
    return window.surface(values, name, **attrs)
