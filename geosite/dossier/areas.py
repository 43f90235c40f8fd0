"""Areas that a user drew: named outlines from a vector file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pyogrio
import shapely

from geosite.crs import WGS84, projected, projected_bounds, strays
from geosite.errors import CRSMismatchError, LayerDataError, faults
from geosite.report.text import plain

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pyproj import CRS

_NAMES = ("name", "site_id", "label", "title", "project")
"""Columns that a name is taken from, in this order, without regard to case."""
_POLYGONS = (3, 6)
_HALF = 180.0


@dataclass(frozen=True, slots=True)
class Areas:
    """Drawn areas.

    Attributes
    ----------
    frame : GeoDataFrame
        Columns ``site_id, name, geometry``, in the file's CRS.
    remarks : mapping of site id to what was done to its outline
    """

    frame: gpd.GeoDataFrame
    remarks: Mapping[str, tuple[str, ...]]


def drawn(path: Path) -> Areas:
    """Areas of a file, one a feature; an outline that crosses itself is repaired and said.

    Raises
    ------
    LayerDataError
        If the file cannot be read, holds no feature, or one that is no area.
    CRSMismatchError
        If the file carries no CRS.
    """
    frame, told = _read(path)
    if frame.crs is None:
        msg = (
            f"{path}: carries no CRS, which is never guessed; declare it in the file, e.g. save it "
            "as GeoPackage or GeoJSON, or put its .prj beside a shapefile"
        )
        raise CRSMismatchError(msg)
    if frame.empty:
        msg = f"{path}: holds no feature; draw at least one polygon"
        raise LayerDataError(msg)
    shapes = np.asarray(frame.geometry.array, dtype=object)
    labels = _labels(frame, path.stem)
    wrong, remarks = [], {}
    for k, shape in enumerate(shapes):
        found, fault, remark = _area(shape, frame.crs)
        shapes[k] = found
        if fault:
            wrong.append(f"feature {k + 1} ({labels[k]}): {fault}")
        if said := (*told, *filter(None, [remark])):
            remarks[labels[k]] = said
    if wrong:
        raise LayerDataError(faults(f"{path}: expected areas to review:", wrong))
    made = gpd.GeoDataFrame({"site_id": labels, "name": labels}, geometry=shapes, crs=frame.crs)
    return Areas(made, remarks)


def _read(path: Path) -> tuple[gpd.GeoDataFrame, tuple[str, ...]]:
    # The first layer, and what is to be said where there are others.
    if not path.exists():
        msg = f"{path}: there is no such file; give a vector file of polygons with --polygon"
        raise LayerDataError(msg)
    try:
        names = [str(n) for n in pyogrio.list_layers(path)[:, 0]]
        frame = pyogrio.read_dataframe(path, layer=names[0] if names else None)
    except (
        pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError,
        pyogrio.errors.FeatureError, OSError, ValueError, RuntimeError, shapely.GEOSException,
    ) as error:  # fmt: skip
        said = " ".join(str(error).split()).split(";")[0]
        msg = f"{path}: cannot be read as a vector file: {said}; save it anew, e.g. as GeoPackage"
        raise LayerDataError(msg) from None
    if not isinstance(frame, gpd.GeoDataFrame):
        msg = f"{path}: holds a table without geometry, expected polygons"
        raise LayerDataError(msg)
    if not (others := ", ".join(plain(n, 80) for n in names[1:])):
        return frame, ()
    first = plain(names[0], 80)
    return frame, (f"read from layer {first}, the first of the file; not read: {others}",)


def _labels(frame: gpd.GeoDataFrame, stem: str) -> list[str]:
    columns = {str(c).casefold(): c for c in frame.columns if c != frame.geometry.name}
    column = next((columns[n] for n in _NAMES if n in columns), None)
    said = [plain(v, 80) for v in frame[column]] if column is not None else [""] * len(frame)
    one = len(said) == 1
    labels = [text or (stem if one else f"{stem} {k + 1}") for k, text in enumerate(said)]
    # Two features of one name are two areas.
    return [
        text if labels.count(text) == 1 else f"{text} ({labels[: k + 1].count(text)})"
        for k, text in enumerate(labels)
    ]


def _area(shape: Any, crs: CRS) -> tuple[Any, str, str]:
    """An outline that can be overlaid, what is wrong with it, and what was done to it."""
    if shape is None or shape.is_empty:
        return shape, "has no geometry; draw a polygon", ""
    shape = shapely.force_2d(shape)
    kind = shapely.get_type_id(shape)
    if kind not in _POLYGONS and not shapely.area(shape):
        return shape, f"is a {shape.geom_type.lower()}, expected a polygon; draw its outline", ""
    if not np.isfinite(shapely.get_coordinates(shape)).all():
        return shape, "has coordinates that are no numbers; draw it anew", ""
    if fault := _misplaced(shape, crs):
        return shape, fault, ""
    remark = ""
    if not shapely.is_valid(shape):
        said = shapely.is_valid_reason(shape)
        shape = shapely.make_valid(shape, method="structure")
        remark = f"The outline as drawn is not valid ({said}); it was repaired, check the map"
    parts = [p for p in shapely.get_parts(shape) if p.geom_type == "Polygon" and p.area > 0]
    if not parts:
        return shape, "encloses no land; draw a polygon", remark
    return (parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)), "", remark


def _misplaced(shape: Any, crs: CRS) -> str:
    if not crs.is_geographic:
        return ""
    left, bottom, right, top = shape.bounds
    if right - left > _HALF or right > _HALF or left < -_HALF:
        return (
            f"reaches from longitude {left:.2f} to {right:.2f}, across the antimeridian or round "
            "the globe; draw its parts east and west of 180° as features of their own, and review "
            "them one by one"
        )
    if max(abs(bottom), abs(top)) > _HALF / 2:
        return (
            f"reaches from latitude {bottom:.2f} to {top:.2f}, expected -90 to 90; are longitude "
            "and latitude swapped?"
        )
    return ""


def suited_crs(frame: gpd.GeoDataFrame, named: tuple[CRS, ...], local: CRS) -> CRS:
    """The first named CRS that is meant for where the areas are, else the local one."""
    box = tuple(float(b) for b in projected(frame, WGS84).total_bounds)
    return next((crs for crs in named if not strays(box, crs)), local)  # type: ignore[arg-type]


def degrees_around(frame: gpd.GeoDataFrame, margin: float) -> str:
    """Box round areas in a metric CRS, as ``west,south,east,north`` in degrees.

    Raises
    ------
    LayerDataError
        If the box crosses the antimeridian.
    """
    left, bottom, right, top = frame.total_bounds
    around = (left - margin, bottom - margin, right + margin, top + margin)
    west, south, east, north = projected_bounds(around, frame.crs, WGS84)
    if not west < east:
        msg = (
            "the areas lie on both sides of the antimeridian, or too near to it; review those on "
            "each side by themselves"
        )
        raise LayerDataError(msg)
    return f"{west:.6f},{south:.6f},{east:.6f},{north:.6f}"
