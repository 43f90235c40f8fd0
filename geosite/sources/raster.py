"""Rasters: opened and checked against their declaration, not yet read."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import rasterio
from pyproj import CRS
from rasterio.errors import NotGeoreferencedWarning, RasterioError, RasterioIOError
from rasterio.windows import Window

from geosite.crs import parsed_crs
from geosite.errors import LayerDataError
from geosite.sources.archive import chosen_member
from geosite.sources.dataset import one_line, refuse_redirections
from geosite.sources.declared_crs import checked_crs
from geosite.sources.place import FileRecord, in_place, records

if TYPE_CHECKING:
    from affine import Affine
    from rasterio.io import DatasetReader

    from geosite.catalog import Catalog
    from geosite.model.layer import Layer


@dataclass(frozen=True, slots=True)
class Raster:
    """A raster that is in place and is what its layer declares.

    Parameters
    ----------
    path : Path
        Ready for ``rasterio.open``; a member of a zip keeps GDAL's ``/vsizip/`` form.
    crs : pyproj.CRS
        The declared one, which the file carries too.
    shape : (rows, columns)
    nodata : float or None
    dtype : str
        Of the first and only band.
    """

    layer: Layer
    path: Path
    crs: CRS
    transform: Affine
    shape: tuple[int, int]
    nodata: float | None
    dtype: str
    files: tuple[FileRecord, ...]
    notes: tuple[str, ...] = ()


def open_raster(layer: Layer, catalog: Catalog, data: Path) -> Raster:
    """A raster layer, checked against the catalogue.

    Parameters
    ----------
    layer : Layer
    catalog : Catalog
        Knows what was fetched.
    data : Path
        Root of file sources.

    Raises
    ------
    MissingLayerError
        If no file is in place.
    LayerDataError
        If it cannot be opened, is cut short, has no georeference or several bands.
    CRSMismatchError
        If it carries no CRS, or another one than its layer declares.
    """
    if layer.geometry != "raster" or layer.union_of:
        msg = f"layer {layer.id} is declared as {layer.geometry}, expected a raster of its own"
        raise LayerDataError(msg)
    found = in_place(layer, catalog, data)
    name, path = found.name, found.path
    if path.suffix.lower() == ".zip":
        path = Path(f"/vsizip/{{{path.resolve()}}}") / chosen_member(
            path, found.source.member, name
        )
    refuse_redirections(path, name)
    declared = parsed_crs(layer.crs or "", f"layer {layer.id}: crs")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with rasterio.open(path) as opened:
                checked = _checked(opened, layer, path, declared, name, records(found, data))
                return replace(checked, notes=(*checked.notes, *found.notes))
    except RasterioError as error:
        msg = f"{name}: cannot be read as a raster: {one_line(error)}; get the file again"
        raise LayerDataError(msg) from None


def _checked(
    opened: DatasetReader,
    layer: Layer,
    path: Path,
    declared: CRS,
    name: str,
    files: tuple[FileRecord, ...],
) -> Raster:
    if opened.count != 1:
        msg = (
            f"{name}: has {opened.count} bands, expected one for layer {layer.id}; write the "
            "band that is meant to a file of its own"
        )
        raise LayerDataError(msg)
    carried = CRS.from_wkt(opened.crs.to_wkt()) if opened.crs else None
    notes = checked_crs(carried, declared, layer, name)
    if opened.transform.is_identity or opened.transform.is_degenerate:
        msg = f"{name}: has no georeference, expected a GeoTIFF with one; get the file again"
        raise LayerDataError(msg)
    _refuse_cut_short(opened, path, name)
    shape = (int(opened.height), int(opened.width))
    return Raster(
        layer,
        path,
        declared,
        opened.transform,
        shape,
        opened.nodata,
        opened.dtypes[0],
        files,
        notes,
    )


def _refuse_cut_short(opened: DatasetReader, path: Path, name: str) -> None:
    """Refuse a file that ends before its cells do, which opening it does not show."""
    rows, columns = opened.block_shapes[0]
    down, across = -(-opened.height // rows), -(-opened.width // columns)
    # The last block written lies last in the file; a COG may write its rows in any order.
    every = ((r, c) for r in range(down) for c in range(across))
    end, last = 0, (down - 1, across - 1)
    for r, c in every if opened.driver == "GTiff" else ():
        offset = opened.get_tag_item(f"BLOCK_OFFSET_{c}_{r}", "TIFF", bidx=1)
        size = opened.get_tag_item(f"BLOCK_SIZE_{c}_{r}", "TIFF", bidx=1)
        if offset and size and int(offset) + int(size) > end:
            end, last = int(offset) + int(size), (r, c)
    there = path.stat().st_size if path.exists() else end
    if end > there:
        msg = (
            f"{name}: is cut short: its cells reach to byte {end}, but it has {there}; "
            "get the file again"
        )
        raise LayerDataError(msg)
    window = Window(last[1] * columns, last[0] * rows, 1, 1)
    try:
        opened.read(1, window=window)
    except RasterioIOError as error:
        msg = f"{name}: its cells cannot be read: {one_line(error)}; get the file again"
        raise LayerDataError(msg) from None
