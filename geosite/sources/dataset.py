"""Features as a file holds them, before a layer's declaration is applied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from geosite.errors import LayerDataError, printable

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray
    from pyproj import CRS

    from geosite.model.layer import Geometry


@dataclass(frozen=True, slots=True)
class Dataset:
    """What a reader of one format hands on.

    Parameters
    ----------
    attributes : DataFrame
        One row a feature, in file order, without geometry.
    geometry : (features,) of shapely geometries or None
    refused : (features,) of str
        Why a feature has no usable geometry already; '' if nothing speaks against it.
    crs : CRS or None
        What the file carries.
    can_carry_crs : bool
        False for TopoJSON, CSV and JSON lines, which have no place for a CRS:
        only there is the declared one taken at its word.
    notes : tuple of str
        Remarks of the driver.
    """

    attributes: pd.DataFrame
    geometry: NDArray[np.object_]
    refused: NDArray[np.object_]
    crs: CRS | None
    can_carry_crs: bool
    notes: tuple[str, ...] = ()


def one_line(error: BaseException | str) -> str:
    """An error's own words on one line, safe to print."""
    return printable(" ".join(str(error).split())) or type(error).__name__


def matched(name: str, columns: list[Any]) -> Any | None:
    """The column that a name means: exactly, else without outer blanks and regard to case.

    None if there is none, or if several columns match and none of them exactly.
    """
    if name in columns:
        return name
    wanted = name.strip().casefold()
    found = [column for column in columns if str(column).strip().casefold() == wanted]
    return found[0] if len(found) == 1 else None


KINDS: dict[Geometry, tuple[int, ...]] = {"point": (0, 4), "line": (1, 2, 5), "polygon": (3, 6)}
"""GEOS type numbers of each declared geometry, parts and collections of parts."""

# Files of these kinds are not data: they send GDAL to other files and to the network.
_REDIRECTIONS = (
    b"<OGRVRTDataSource", b"<OGRWFSDataSource", b"<VRTDataset", b"<GDAL_WMS", b"<GDAL_WMTS",
    b"<WCS_GDAL",
)  # fmt: skip
_HEAD = 4096


def refuse_redirections(path: Path, name: str) -> None:
    """Refuse a file that only points to others.

    Raises
    ------
    LayerDataError
        If it is a GDAL VRT or the description of a service.
    """
    if not path.is_file():
        return
    with path.open("rb") as file:
        refuse_pointer(file.read(_HEAD), name)


def refuse_pointer(content: bytes, name: str) -> None:
    """Refuse bytes that begin like a file that only points to others.

    Raises
    ------
    LayerDataError
        If they are a GDAL VRT or the description of a service.
    """
    head = content[:_HEAD]
    if any(mark in head for mark in _REDIRECTIONS):
        msg = (
            f"{name}: is not data but a pointer to other files or services (VRT, WMS, WFS); "
            "expected a file that holds the data; convert it, e.g. to GeoPackage or GeoTIFF"
        )
        raise LayerDataError(msg)
