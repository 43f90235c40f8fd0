"""Acres of a footprint by tenure: every one of them open, claimed, withdrawn or unknown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from geosite.tenure import SQUARE_METRES_AN_ACRE, UNKNOWN, off, told_land, under

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from geosite.tenure import Shown

    Geometries = NDArray[Any]

TENURES = ("open", "claimed", "withdrawn", "unknown")
"""What an acre under a footprint may be; it is exactly one of them."""
ROSEMONT = (
    "Center for Biological Diversity v. U.S. Fish and Wildlife Service, 33 F.4th 1202 "
    "(9th Cir. 2022) (Rosemont)"
)
_OPEN = "open"


@dataclass(frozen=True, slots=True)
class Claims:
    """Mining claims on record.

    Attributes
    ----------
    land : GeoDataFrame
        Their polygons, in the CRS of the sites.
    covered : geometry or None
        Land of which the layer says that it has no other claims; None: all land. An empty one:
        land off its polygons may have claims all the same.
    """

    land: gpd.GeoDataFrame
    covered: BaseGeometry | None = None


def tenure_acres(
    parts: Geometries,
    shown: Sequence[Shown],
    claims: Claims | None,
    register: Sequence[str],
) -> pd.DataFrame:
    """Acres of each part by `TENURES`, one row a part: every acre is exactly one of them.

    Parameters
    ----------
    parts : (n,) polygons
        In the CRS of the layers, which keeps areas.
    shown : sequence
        Entries of the scenario's tenure about the mineral status, in order: the first that
        tells of a piece of land decides.
    claims : Claims or None
        None where no layer of claims is to be had.
    register : (n,)
        Mineral status that the land register says of each part's parcel; it is asked last.

    Notes
    -----
    *Withdrawn* is land that is said to be anything but open (withdrawn, segregated …); else
    *claimed* where a claim is on record, whoever's it is and whether or not it is valid; else
    *open* where it is said to be open and the layer of claims speaks for it: no claim on record,
    and one without a footprint is not seen. The rest is *unknown*. Exact overlays, by the union
    of polygons, so land under two of them counts once.
    """
    closed = np.zeros(len(parts))
    free: list[Geometries] = []
    untold: list[Geometries] = []
    about = [s for s in shown if s.entry.column == "mineral_status"]
    for value, there in told_land(parts, about, register):
        if value not in (_OPEN, UNKNOWN):
            closed += shapely.area(there)
        else:
            (free if value == _OPEN else untold).append(there)
    claimed, opened = np.zeros(len(parts)), np.zeros(len(parts))
    if claims is not None:
        shapes = claims.land.geometry.to_numpy()
        for pieces in (*free, *untold):
            claimed += shapely.area(under(pieces, shapes))
        for pieces in free:
            there = off(pieces, under(pieces, shapes))
            if claims.covered is not None:
                there = shapely.intersection(there, claims.covered)
            opened += shapely.area(there)
    rest = np.maximum(shapely.area(parts) - closed - claimed - opened, 0.0)
    areas = (opened, claimed, closed, rest)
    return pd.DataFrame(
        {name: a / SQUARE_METRES_AN_ACRE for name, a in zip(TENURES, areas, strict=True)}
    )


def tenure_words(acres: float, opened: float) -> str:
    """What a footprint whose land is not all open still needs, with the case that says so.

    Examples
    --------
    >>> tenure_words(2000.0, 2000.0)
    ''
    >>> tenure_words(2000.0, 500.0).partition(" (")[0]
    '1,500 of 2,000 acres are not known to be open: every acre needs its own tenure'
    """
    lacking = acres - opened
    if lacking < 1e-6 * acres:
        return ""
    return (
        f"{lacking:,.0f} of {acres:,.0f} acres are not known to be open: every acre needs its own "
        f"tenure ({ROSEMONT})"
    )
