"""Every change of coordinates.

The only module that may call ``to_crs``, ``reproject`` or make a transformer:
a test says so. Axis order is always (x, y), that is (longitude, latitude).
There is no default CRS anywhere.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import rasterio
import shapely
from pyproj import CRS, Geod, Proj, Transformer
from pyproj.exceptions import CRSError
from rasterio.warp import Resampling, reproject

from geosite.errors import CRSMismatchError

if TYPE_CHECKING:
    import geopandas as gpd
    from affine import Affine
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

WGS84 = CRS.from_epsg(4326)
WEB_MERCATOR = CRS.from_epsg(3857)
_ELLIPSOID = Geod(ellps="WGS84")
_BEYOND = 30.0
"""Degrees that an AOI may reach beyond a CRS's area of use; a projection bends slowly."""


def parsed_crs(text: str, where: str) -> CRS:
    """The CRS that a file names, or an error that says where it was named."""
    try:
        return CRS.from_user_input(text)
    except CRSError:
        msg = f"{where}: {text!r} is not a coordinate reference system; write e.g. EPSG:5070"
        raise CRSMismatchError(msg) from None


def local_equal_area(lon: float, lat: float) -> CRS:
    """A metric CRS round a place that keeps areas everywhere, and has north up at the place."""
    place = f"+lat_0={lat:.6f} +lon_0={lon:.6f}"
    return CRS.from_proj4(f"+proj=laea {place} +datum=WGS84 +units=m +no_defs")


def same_crs(one: CRS, other: CRS) -> bool:
    """Whether two definitions mean the same system, whatever their spelling and axis order."""
    return one.equals(other, ignore_axis_order=True)


@lru_cache(maxsize=64)
def _transformer(source: str, target: str) -> Transformer:
    return Transformer.from_crs(CRS(source), CRS(target), always_xy=True)


def transformed(
    x: NDArray[Any], y: NDArray[Any], source: CRS, target: CRS
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Coordinates in another CRS: (x, y); infinite where they have no image."""
    out_x, out_y = _transformer(source.to_wkt(), target.to_wkt()).transform(x, y)
    return np.asarray(out_x, float), np.asarray(out_y, float)


def projected(frame: gpd.GeoDataFrame, crs: CRS) -> gpd.GeoDataFrame:
    """Features in another CRS.

    Raises
    ------
    CRSMismatchError
        If the features carry no CRS.
    """
    if frame.crs is None:
        msg = "these features carry no CRS; declare it in the layer's catalogue entry"
        raise CRSMismatchError(msg)
    return frame if same_crs(frame.crs, crs) else frame.to_crs(crs)


def projected_geometry(geometry: BaseGeometry, source: CRS, target: CRS) -> BaseGeometry:
    """One geometry in another CRS."""
    run = _transformer(source.to_wkt(), target.to_wkt()).transform
    return shapely.transform(geometry, lambda xy: np.column_stack(run(xy[:, 0], xy[:, 1])))


def projected_bounds(
    bounds: tuple[float, float, float, float], source: CRS, target: CRS
) -> tuple[float, float, float, float]:
    """Bounds in another CRS, edges densified so that a curved edge does not cut a corner."""
    left, bottom, right, top = _transformer(source.to_wkt(), target.to_wkt()).transform_bounds(
        *bounds, densify_pts=21
    )
    return left, bottom, right, top


def areal_scale(crs: CRS, lon: float, lat: float) -> float:
    """Area on the map over area on the ellipsoid, at a place; 1 in an equal-area CRS."""
    return float(Proj(crs).get_factors(lon, lat).areal_scale)


def linear_scales(
    crs: CRS, bounds: tuple[float, float, float, float], *, points: int = 5
) -> tuple[float, float]:
    """Least and most metres on the map for a metre on the ellipsoid, over bounds of the map.

    Parameters
    ----------
    bounds : (left, bottom, right, top) in the CRS
    points : int
        Places along each side at which the projection is asked.
    """
    left, bottom, right, top = bounds
    x, y = np.meshgrid(np.linspace(left, right, points), np.linspace(bottom, top, points))
    lon, lat = transformed(x.ravel(), y.ravel(), crs, WGS84)
    factors = Proj(crs).get_factors(lon, lat)
    return float(np.min(factors.tissot_semiminor)), float(np.max(factors.tissot_semimajor))


def geodesic(
    start: NDArray[Any], end: NDArray[Any], crs: CRS
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Distance [m] and bearing [degrees from north, clockwise, 0-360] on WGS84, each (n,).

    Parameters
    ----------
    start, end : (n, 2) x and y in the CRS
        The bearing is that at the start.
    """
    there = [transformed(xy[:, 0], xy[:, 1], crs, WGS84) for xy in (start, end)]
    azimuth, _, distance = _ELLIPSOID.inv(*there[0], *there[1])
    return np.asarray(distance, float), np.asarray(azimuth, float) % 360.0


def strays(bounds: tuple[float, float, float, float], crs: CRS) -> bool:
    """Whether bounds in degrees lie outside a CRS's area of use, or reach far beyond it."""
    use = crs.area_of_use
    if use is None:
        return False
    west, south, east, north = bounds
    apart = west > use.east or east < use.west or south > use.north or north < use.south
    # An area of use that crosses the antimeridian has west above east.
    if use.west > use.east:
        return south > use.north or north < use.south
    beyond = max(use.west - west, east - use.east, use.south - south, north - use.north)
    return apart or beyond > _BEYOND


def warped_to_web_mercator(
    values: NDArray[np.float32], crs: CRS, transform: Affine, *, width: int
) -> tuple[NDArray[np.float32], tuple[float, float, float, float]]:
    """A surface on Web Mercator, and its WGS84 bounds (west, south, east, north).

    Leaflet stretches an image linearly in Web Mercator, so only an image that
    is already in it lies where it should. Nearest neighbour: a picture must not
    invent a value between two cells.

    Parameters
    ----------
    values : (rows, columns), float32
        NaN is transparent.
    width : int
        Columns of the picture.
    """
    target, across, down = _picture(crs, transform, values.shape, width)
    picture = np.full((down, across), np.nan, np.float32)
    reproject(
        values,
        picture,
        src_transform=transform,
        src_crs=crs,
        dst_transform=target,
        dst_crs=WEB_MERCATOR,
        src_nodata=np.nan,
        dst_nodata=np.nan,
        resampling=Resampling.nearest,
    )
    edges = rasterio.transform.array_bounds(down, across, target)
    return picture, projected_bounds(edges, WEB_MERCATOR, WGS84)


def _picture(
    crs: CRS, transform: Affine, shape: tuple[int, int], width: int
) -> tuple[Affine, int, int]:
    rows, columns = shape
    bounds = rasterio.transform.array_bounds(rows, columns, transform)
    left, bottom, right, top = projected_bounds(bounds, crs, WEB_MERCATOR)
    size = (right - left) / width
    down = int(np.ceil((top - bottom) / size))
    return rasterio.transform.from_origin(left, top, size, size), width, down
