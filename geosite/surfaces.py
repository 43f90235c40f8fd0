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
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from geosite.grid import Grid
    from geosite.inputs import Amendment, LayerKey, Local, Part, TileInputs
    from geosite.model.measure import SlopeMethod
    from geosite.model.rule import Rule, Treatment
    from geosite.segments import Shapes


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
        if key not in self._marked or self._marked[key][0] < reach:
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
        setbacks += [
            entry.metres or 0.0
            for rule in self.inputs.rules
            if (rule.layer, rule.where) == key
            for entry in self.inputs.local.get(rule.id, ())
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
        """What one rule says of the window: by itself, then locally, then as decided in review."""
        found = self._generic(rule, treatment, None)
        # The first that holds a cell decides: it is laid over the others.
        for entry in reversed(self.inputs.local.get(rule.id, ())):
            found = self._localised(found, entry, rule, treatment)
        if rule.inside is not None:
            found = self._inside(found, (rule.inside, rule.inside_where))
        for decided in self.inputs.amendments.get(rule.id, ()):
            found = self._amended(found, decided)
        return found

    def _generic(self, rule: Rule, treatment: Treatment, setback: float | None) -> Verdict:
        # With the rule's own setbacks, or with one in their place.
        metres = treatment.reach if setback is None else setback
        parts = self.inputs.parts.get(rule.id)
        doubtful = None
        if parts is not None:
            near, doubtful = self._parts(parts, setback)
            uncovered = self.uncovered(rule.layer, metres)
        elif not self._is_readable(rule):
            nothing = np.zeros(self.window.shape, bool)
            return Verdict(nothing, ~nothing)
        elif rule.reads_raster:
            near, uncovered = self._raster_subject(rule, metres)
        else:
            near = self.near((rule.layer, rule.where), metres)
            uncovered = self.uncovered(rule.layer, metres)
        found = constraints.verdict(
            near,
            uncovered,
            required=treatment.tier == "require",
            absence_informative=rule.is_inward or rule.layer not in self.inputs.silent,
        )
        if doubtful is None:
            return found
        doubtful &= ~near
        return Verdict(found.against & ~doubtful, found.unsure | doubtful)

    def _parts(
        self, parts: Sequence[Part], setback: float | None
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_] | None]:
        # Cells near the features that the rule is sure of, and near others; None without any.
        near = np.zeros(self.window.shape, bool)
        doubtful = np.zeros(self.window.shape, bool)
        for part in parts:
            reached = self._reached(part.shapes, part.metres if setback is None else setback)
            if part.sure:
                near |= reached
            else:
                doubtful |= reached
        return near, None if all(p.sure for p in parts) else doubtful

    def _reached(self, shapes: Shapes, metres: float) -> NDArray[np.bool_]:
        if metres == 0:
            return harmonise.presence(shapes, self.window)
        margin = ceil(metres / self.window.resolution)
        marked = harmonise.origins(shapes, self.window.grown(margin))
        return harmonise.near(marked, metres / self.window.resolution, margin)

    def _localised(self, found: Verdict, entry: Local, rule: Rule, treatment: Treatment) -> Verdict:
        here = None
        if entry.land is not None:
            here = harmonise.category(entry.land, self.window) > 0
            if not here.any():
                return found
        if entry.metres is None:
            nothing = np.zeros(self.window.shape, bool)
            other = Verdict(nothing, nothing)
        else:
            other = self._generic(rule, treatment, entry.metres)
        if here is None or not entry.sure:
            # Nobody can tell whether it holds: where it would matter, nobody can tell what does.
            differ = (found.against ^ other.against) | (found.unsure ^ other.unsure)
            if here is not None:
                differ &= here
            return Verdict(found.against & ~differ, found.unsure | differ)
        return Verdict(
            np.where(here, other.against, found.against), np.where(here, other.unsure, found.unsure)
        )

    def _inside(self, found: Verdict, key: LayerKey) -> Verdict:
        touched = found.against | found.unsure
        if key not in self.inputs.vectors:
            return Verdict(np.zeros_like(touched), touched)
        inside = self.near(key, 0.0)
        found = constraints.narrowed(found, inside)
        # Where the extent itself is not covered, nobody knows whether the rule holds.
        doubtful = self.uncovered(key[0], 0.0) & ~inside
        return Verdict(found.against, found.unsure | (touched & doubtful))

    def _amended(self, found: Verdict, decided: Amendment) -> Verdict:
        here = harmonise.category(decided.land, self.window) > 0
        if not here.any():
            return found
        against, unsure = found.against & ~here, found.unsure & ~here
        match decided.effect:
            case "holds":
                against |= here
            case "in doubt":
                unsure |= here
            case "set aside":
                pass
        return Verdict(against, unsure)

    def _is_readable(self, rule: Rule) -> bool:
        if rule.reads_raster:
            return rule.layer in self.inputs.rasters
        return rule.subject.kind == "presence" and (rule.layer, rule.where) in self.inputs.vectors

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
