"""Surfaces of the layers on one window, each made once, and what each rule says there."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from geosite import constraints, harmonise
from geosite.constraints import Verdict
from geosite.model.measure import FlatShare
from geosite.model.rule import Category, Slope, Value

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geosite.grid import Grid
    from geosite.inputs import LayerKey, TileInputs
    from geosite.model.measure import SlopeMethod
    from geosite.model.rule import Rule, Treatment


class Surfaces:
    """Surfaces of the layers on one window, each made once."""

    def __init__(self, inputs: TileInputs, window: Grid) -> None:
        """Remember what to read and where; nothing is made yet."""
        self.inputs = inputs
        self.window = window
        self._near: dict[tuple[LayerKey, float], NDArray[np.bool_]] = {}
        self._marked: dict[LayerKey, tuple[int, NDArray[np.bool_]]] = {}
        self._slope: dict[tuple[str, SlopeMethod], tuple[int, NDArray[np.float32]]] = {}

    def near(self, key: LayerKey, metres: float) -> NDArray[np.bool_]:
        """Cells within a distance of the features: (y, x)."""
        if (key, metres) not in self._near:
            self._near[key, metres] = self._made_near(key, metres)
        return self._near[key, metres]

    def _made_near(self, key: LayerKey, metres: float) -> NDArray[np.bool_]:
        shapes = self.inputs.vectors[key]
        if metres == 0:
            return harmonise.presence(shapes, self.window)
        reach = metres / self.window.resolution
        if key not in self._marked:
            # As far as the widest setback that reads the layer, so that it is burnt once.
            margin = ceil(max(reach, self._setback(key) / self.window.resolution))
            self._marked[key] = (margin, harmonise.origins(shapes, self.window.grown(margin)))
        margin, marked = self._marked[key]
        return harmonise.near(marked, reach, margin)

    def _setback(self, key: LayerKey) -> float:
        setbacks = [
            treatment.reach
            for rule, treatment in zip(self.inputs.rules, self.inputs.treatments, strict=True)
            if (rule.layer, rule.where) == key
        ]
        return max(setbacks, default=0.0)

    def forget(self, key: LayerKey) -> None:
        """Let go of a layer's cells: no rule that comes asks for them."""
        self._marked.pop(key, None)
        for known in [k for k in self._near if k[0] == key]:
            del self._near[known]

    def uncovered(self, layer: str, metres: float) -> NDArray[np.bool_]:
        """Cells within a distance of land that the layer does not cover: (y, x)."""
        if layer not in self.inputs.coverage:
            return np.zeros(self.window.shape, bool)
        margin = ceil(metres / self.window.resolution)
        wide = self.window.grown(margin)
        outside = harmonise.category(self.inputs.coverage[layer], wide) == 0
        return harmonise.near(outside, metres / self.window.resolution, margin)

    def slope(
        self, layer: str, margin: int = 0, method: SlopeMethod = "horn"
    ) -> NDArray[np.float32]:
        """Steepness of the ground, with a margin of cells: (y, x) [%], NaN if not known."""
        key = (layer, method)
        if key not in self._slope or self._slope[key][0] < margin:
            # With the widest margin that any criterion asks for, so that it is made once.
            wide = max(margin, self._flat_margin(layer))
            heights = self.inputs.rasters[layer].values(self.window.grown(wide + 1))
            self._slope[key] = wide, harmonise.slope(heights, self.window.resolution, method)
        wide, steep = self._slope[key]
        return steep[_inner(wide - margin)]

    def _flat_margin(self, layer: str) -> int:
        radii = [
            c.reading.measure.radius
            for c in self.inputs.criteria
            if c.reading and c.reading.layer == layer and isinstance(c.reading.measure, FlatShare)
        ]
        return int(max(radii, default=0.0) / self.window.resolution) + 1 if radii else 0

    def verdict(self, rule: Rule, treatment: Treatment) -> Verdict:
        """What one rule says of the window."""
        metres = treatment.reach
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
        if (rule.inside, rule.inside_where) not in self.inputs.vectors:
            return Verdict(np.zeros_like(near), touched)
        inside = self.near((rule.inside, rule.inside_where), 0.0)
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
                values = wide.slope(rule.layer, method=subject.method)
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
        return (
            harmonise.near(marked, reach, margin),
            harmonise.near(np.isnan(values), reach, margin),
        )


def _inner(margin: int) -> tuple[slice, slice]:
    # A window without the margin that was added to it.
    cut = slice(margin, -margin) if margin else slice(None)
    return cut, cut
