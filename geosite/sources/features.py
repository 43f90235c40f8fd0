"""A layer that was read: its features, and what became of each one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd
    from numpy.typing import NDArray

    from geosite.model.layer import Layer
    from geosite.sources.place import FileRecord

Bounds = tuple[float, float, float, float]
"""Left, bottom, right, top; in degrees, left > right where they cross the antimeridian."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the features of one layer.

    Always ``found == used + not_selected + sum(rejected.values())``. Of a large layer that was
    fetched whole, these are the features whose boxes meet the bounds that were asked for.

    Parameters
    ----------
    layer : str
    found : int
        Features in the file, or of them those that were looked at.
    used : int
    not_selected : int
        Features that the layer's own ``where`` leaves out.
    repaired : int
        Used features whose geometry was made valid.
    rejected : reason → number of features
    unreadable : field → number of values
        Values that were not of the declared type, and are null now.
    uncoded : field → number of values
        Values that are not among the declared codes, and stay as they were.
    """

    layer: str
    found: int
    used: int
    not_selected: int
    repaired: int
    rejected: Mapping[str, int]
    unreadable: Mapping[str, int] = field(default_factory=dict)
    uncoded: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Features:
    """A layer that was read.

    Parameters
    ----------
    layer : Layer
    frame : GeoDataFrame
        Declared CRS; declared fields (or every column of the source), ``owner``
        if the layer has one, geometry. Numbered from 0 in file order; a part of the
        layer keeps the numbers of the whole, or of the rows of a file that is read in part.
    counts : tuple of Counts
        One for each file-backed layer.
    files : tuple of FileRecord
    notes : tuple of str
        Remarks of the drivers.
    """

    layer: Layer
    frame: gpd.GeoDataFrame
    counts: tuple[Counts, ...]
    files: tuple[FileRecord, ...]
    notes: tuple[str, ...] = ()


def meeting(boxes: NDArray[np.float64], bounds: Bounds) -> NDArray[np.bool_]:
    """Which boxes (features, 4) meet bounds, edges included: (features,)."""
    left, bottom, right, top = bounds
    west, east = boxes[:, 0] <= right, boxes[:, 2] >= left
    # Bounds in degrees that cross the antimeridian, as Alaska's do, have left > right.
    found: NDArray[np.bool_] = west & east if left <= right else west | east
    return found & (boxes[:, 1] <= top) & (boxes[:, 3] >= bottom)


def windowed(features: Features, bounds: Bounds | None) -> Features:
    """The features whose boxes meet bounds; what is said of the layer stays that of the whole."""
    if bounds is None:
        return features
    boxes = shapely.bounds(features.frame.geometry.to_numpy())
    rows = np.flatnonzero(meeting(boxes, bounds))
    frame = features.frame.iloc[rows]
    frame.index = pd.Index(features.frame.index.to_numpy()[rows])
    return replace(features, frame=frame)
