"""What a run found, in the shape that a map, a page or a table can be made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import geopandas as gpd
    from affine import Affine
    from numpy.typing import NDArray
    from pyproj import CRS

DISCLAIMER = (
    "Pre-decisional screening. Not a land-status, title, mineral-potential or validity "
    "determination; BLM master title plats and case files control."
)
"""What every table, map and page says; `Content.disclaimer` adds the day of the data."""

OUTSIDE, NOT_OFFERED, EXCLUDED, UNKNOWN, CLEAR = range(5)
"""Codes of `Content.status`."""


MOSTLY = 0.9
"""Share of the land that is not excluded from which on drawing the unknown hides the rest."""


@dataclass(frozen=True, slots=True)
class CriterionLabel:
    """How a criterion is written."""

    id: str
    title: str
    weight: float
    """Share of all weights, 0–1."""
    unit: str
    critical: bool = False
    measure: str = ""
    """Column of `Content.sites` that holds its measure; found by the id if not given."""


@dataclass(frozen=True, slots=True)
class RuleLabel:
    """How a rule is written, and the land it took."""

    id: str
    title: str
    tier: str
    authority: str
    citation: str
    layer: str
    removed_ha: float
    """Land that this rule speaks against, whatever the others say."""
    alone_ha: float
    """Land that no other rule speaks against."""


@dataclass(frozen=True, slots=True)
class LayerLabel:
    """How a layer is cited."""

    id: str
    title: str
    agency: str
    vintage: str
    licence: str
    citation: str
    status: str


@dataclass(frozen=True, slots=True)
class OwnerLabel:
    """Land of one owner and status, and why it is not ranked."""

    agency: str
    status: str
    parcels: int
    area_ha: float
    reason: str
    """Empty where it is ranked."""


@dataclass(frozen=True, slots=True)
class Content:
    """Everything that is shown of a run; all geometry in the grid CRS.

    `sites`, `parcels`, `exclusions` and `deposits` may be empty and may lack
    columns: what is not there is not shown.
    """

    title: str
    aoi_name: str
    as_of: str
    marking: str
    synthetic: bool
    project: str
    criteria: tuple[CriterionLabel, ...]
    rules: tuple[RuleLabel, ...]
    sites: gpd.GeoDataFrame
    parcels: gpd.GeoDataFrame
    exclusions: gpd.GeoDataFrame
    deposits: gpd.GeoDataFrame
    aoi: gpd.GeoDataFrame
    suitability: NDArray[np.float32]
    """(rows, columns), NaN where there is none."""
    status: NDArray[np.uint8]
    """(rows, columns), one of the codes above."""
    transform: Affine
    crs: CRS
    warnings: tuple[str, ...] = ()
    unknown_rules: tuple[str, ...] = ()
    """Rules that could not be asked, by id or in words."""
    layers: tuple[LayerLabel, ...] = ()
    owners: tuple[OwnerLabel, ...] = ()
    offered_ha: tuple[float, float, float] | None = None
    """Offered land that is excluded, unknown and clear [ha]; from `status` if not given,
    which cannot tell whose the excluded land is."""

    @property
    def disclaimer(self) -> str:
        """The sentence that every table, map and page carries."""
        return f"{DISCLAIMER} Data as of {self.as_of}."

    @property
    def offered(self) -> tuple[float, float, float]:
        """Offered land that is excluded, unknown and clear [ha]."""
        if self.offered_ha is not None:
            return self.offered_ha
        there = np.bincount(self.status.ravel(), minlength=CLEAR + 1) * self.cell_ha
        return float(there[EXCLUDED]), float(there[UNKNOWN]), float(there[CLEAR])

    @property
    def is_mostly_unknown(self) -> bool:
        """Whether hardly any offered land that no rule excludes is clear."""
        _, unknown, clear = self.offered
        return unknown > MOSTLY * (unknown + clear)

    @property
    def cell_ha(self) -> float:
        """Area of one cell [ha]."""
        return abs(self.transform.a * self.transform.e) / 10_000
