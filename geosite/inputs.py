"""What every tile shares; nothing in it depends on the tiling."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from geosite.coarse import Coarse
    from geosite.harmonise import RasterSurface
    from geosite.model.criterion import Criterion, Reading
    from geosite.model.rule import Rule, Treatment
    from geosite.model.scenario import Scenario
    from geosite.segments import Shapes

Effect = Literal["holds", "set aside", "in doubt"]
"""What a decision makes of a rule: it speaks against the land, it does not, nobody can tell."""
LayerKey = tuple[str, str | None]
"""A layer and the condition that selects some of its features."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A criterion with the reading that is really used; None where no layer is to be had."""

    criterion: Criterion
    reading: Reading | None

    @property
    def key(self) -> LayerKey:
        """What the reading reads."""
        if self.reading is None or self.reading.layer is None:
            return ("", None)
        return (self.reading.layer, self.reading.where)


@dataclass(frozen=True, slots=True)
class Points:
    """Points with whole amounts: xy (n, 2) int64 [sub-cells from the grid's origin]."""

    xy: NDArray[np.int64]
    amounts: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Zones:
    """Polygons that are read for their category; apart from `vectors`, where they are united."""

    shapes: Shapes
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DepositPoints:
    """Deposits as the tiles need them, strongest first."""

    xy: NDArray[np.int64]
    weights: NDArray[np.float64]
    accepted: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Part:
    """Features of a rule that have a setback of their own [m]."""

    shapes: Shapes
    metres: float
    sure: bool = True
    """False: whether the rule speaks of them cannot be told."""


@dataclass(frozen=True, slots=True)
class Local:
    """Land on which a rule has another setback [m]; None: there it does not hold."""

    land: Shapes | None
    """None: nobody can tell where it is."""
    metres: float | None
    sure: bool = True
    """False: whether it holds on this land cannot be told."""


@dataclass(frozen=True, slots=True)
class Amendment:
    """Land on which a reviewer has decided about a rule."""

    land: Shapes
    effect: Effect


@dataclass(frozen=True, slots=True)
class TileInputs:
    """What every tile shares; nothing in it depends on the tiling.

    Attributes
    ----------
    parcels
        One feature a parcel; its number counted from 1 is the parcel id.
    offered : (parcels + 1,) bool
        Whether a parcel may hold a candidate; 0 is land without a parcel.
    vectors, rasters
        What is read, by layer and condition, or by layer.
    zones
        Polygons that are read for their category.
    coverage
        Land each layer speaks for; a layer that is not in it speaks everywhere.
    silent
        Presence-only layers: where they show nothing, nothing is known.
    parts
        By rule id, in place of `vectors`: features whose setback is their own, boundaries, and
        areas over a cap.
    local
        By rule id, in order of precedence: the first that holds a cell decides.
    amendments
        By rule id, in the order in which they were decided; applied last.
    lifts
        By the id of a rule that includes: the rules it lifts.
    likelihood
        Land of the same state that the evidence surface puts below a place [%], if it was
        worked out.
    """

    scenario: Scenario
    rules: tuple[Rule, ...]
    treatments: tuple[Treatment, ...]
    criteria: tuple[Chosen, ...]
    aoi: Shapes
    parcels: Shapes
    offered: NDArray[np.bool_]
    vectors: Mapping[LayerKey, Shapes]
    rasters: Mapping[str, RasterSurface]
    zones: Mapping[LayerKey, Zones]
    points: Mapping[tuple[str, str | None, str], Points]
    coverage: Mapping[str, Shapes]
    silent: frozenset[str]
    deposits: DepositPoints | None
    parts: Mapping[str, tuple[Part, ...]] = field(default_factory=dict)
    local: Mapping[str, tuple[Local, ...]] = field(default_factory=dict)
    amendments: Mapping[str, tuple[Amendment, ...]] = field(default_factory=dict)
    lifts: Mapping[str, frozenset[str]] = field(default_factory=dict)
    likelihood: Coarse | None = None
