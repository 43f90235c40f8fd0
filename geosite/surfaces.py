"""Surfaces of the layers on one window, each made once, and what each rule says there."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from geosite import constraints, harmonise
from geosite.constraints import Verdict
from geosite.model.rule import Category, Slope, Value

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geosite.grid import Grid
    from geosite.harmonise import Shapes
    from geosite.inputs import LayerKey, TileInputs
    from geosite.model.rule import Rule, Treatment


class Surfaces:
    """Surfaces of the layers on one window, each made once."""

    def __init__(self, inputs: TileInputs, window: Grid) -> None:
        """Remember what to read and where; nothing is made yet."""
        self.inputs = inputs
        self.window = window
        self._near: dict[tuple[LayerKey, float], NDArray[np.bool_]] = {}
        self._slope: dict[str, NDArray[np.float32]] = {}

    def near(self, key: LayerKey, metres: float) -> NDArray[np.bool_]:
        """Cells within a distance of the features: (y, x)."""
        if (key, metres) not in self._near:
            shapes = self.inputs.vectors[key]
            self._near[key, metres] = (
                harmonise.presence(shapes, self.window)
                if metres == 0
                else _within(shapes, self.window, metres)
            )
        return self._near[key, metres]

    def uncovered(self, layer: str, metres: float) -> NDArray[np.bool_]:
        """Cells within a distance of land that the layer does not cover: (y, x)."""
        if layer not in self.inputs.coverage:
            return np.zeros(self.window.shape, bool)
        margin = ceil(metres / self.window.resolution)
        wide = self.window.grown(margin)
        outside = harmonise.category(self.inputs.coverage[layer], wide) == 0
        return _grown(outside, margin, metres / self.window.resolution)

    def slope(self, layer: str) -> NDArray[np.float32]:
        """Steepness of the ground: (y, x) [%], NaN where no height is known."""
        if layer not in self._slope:
            heights = self.inputs.rasters[layer].values(self.window.grown(1))
            self._slope[layer] = harmonise.slope(heights, self.window.resolution)
        return self._slope[layer]

    def verdict(self, rule: Rule, treatment: Treatment) -> Verdict:
        """What one rule says of the window."""
        metres = (
            treatment.within if treatment.tier == "require" else getattr(treatment, "setback", 0.0)
        )
        if not self._is_readable(rule):
            nothing = np.zeros(self.window.shape, bool)
            return Verdict(nothing, ~nothing)
        if rule.subject.kind == "presence":
            near = self.near((rule.layer, rule.where), metres)
            uncovered = self.uncovered(rule.layer, metres)
        else:
            near, uncovered = self._raster_subject(rule, metres)
        found = constraints.verdict(
            near,
            uncovered,
            required=treatment.tier == "require",
            absence_informative=rule.layer not in self.inputs.silent,
        )
        if rule.inside is None:
            return found
        touched = found.against | found.unsure
        if (rule.inside, None) not in self.inputs.vectors:
            return Verdict(np.zeros_like(near), touched)
        inside = self.near((rule.inside, None), 0.0)
        found = constraints.narrowed(found, inside)
        # Where the extent itself is not covered, nobody knows whether the rule holds.
        doubtful = self.uncovered(rule.inside, 0.0) & ~inside
        return Verdict(found.against, found.unsure | (touched & doubtful))

    def _is_readable(self, rule: Rule) -> bool:
        if rule.subject.kind == "presence":
            return (rule.layer, rule.where) in self.inputs.vectors
        return rule.layer in self.inputs.rasters

    def _raster_subject(
        self, rule: Rule, metres: float
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        margin = ceil(metres / self.window.resolution)
        wide = self if margin == 0 else Surfaces(self.inputs, self.window.grown(margin))
        raster = self.inputs.rasters[rule.layer]
        subject = rule.subject
        match subject:
            case Slope():
                values = wide.slope(rule.layer)
                marked = values > subject.above.value
            case Value():
                values = raster.values(wide.window)
                low = -np.inf if subject.at_least is None else subject.at_least
                high = np.inf if subject.at_most is None else subject.at_most
                marked = (values >= low) & (values <= high)
            case Category():
                values = raster.codes(wide.window)
                marked = np.isin(values, subject.codes)
            case _:
                raise TypeError(subject.kind)
        reach = metres / self.window.resolution
        return _grown(marked, margin, reach), _grown(np.isnan(values), margin, reach)


def _within(shapes: Shapes, window: Grid, metres: float) -> NDArray[np.bool_]:
    margin = ceil(metres / window.resolution)
    marked = harmonise.origins(shapes, window.grown(margin))
    return _grown(marked, margin, metres / window.resolution)


def _grown(marked: NDArray[np.bool_], margin: int, reach_cells: float) -> NDArray[np.bool_]:
    # Cells within reach of a marked one, on the window that the margin was added to.
    if margin == 0:
        return marked
    inner = slice(margin, -margin)
    near: NDArray[np.bool_] = harmonise.distance(marked)[inner, inner] <= reach_cells**2
    return near
