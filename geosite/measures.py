"""Measures and scores of the criteria, at the candidate cells only."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np

from geosite import discs, harmonise
from geosite.criteria import category_score, saturation, score
from geosite.grid import SUBCELLS, Grid
from geosite.model.measure import Density, FlatShare, Nearby, OpenLand, SlopePercent, SumWithin
from geosite.model.value import Categorical
from geosite.surfaces import Surfaces

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from geosite.grid import Grid
    from geosite.inputs import TileInputs
    from geosite.model.criterion import Reading

KNOWN_DISC = 0.9
"""A share of flat land is known where this share of the disc has a known slope."""


def measures(
    inputs: TileInputs,
    surfaces: Surfaces,
    window: Grid,
    at: NDArray[np.int32],
    strength: NDArray[np.floating[Any]],
    free: NDArray[np.int32],
) -> NDArray[np.float32]:
    """Measures of the criteria at some cells of a window: (criteria, cells).

    NaN where unknown. Of a category the measure is its place in the value function.

    Parameters
    ----------
    surfaces
        Of the window, with the margin that `free` has.
    at : (cells, 2)
        Rows and columns in the window.
    strength : (cells,)
        Mineral evidence.
    free : (y, x) int32
        Parcel of each cell that no rule excludes, 0 elsewhere; on the window with
        a margin of at least the radius of every measure of open land.
    """
    out = np.full((len(inputs.criteria), len(at)), np.nan, np.float32)
    if not len(at):
        return out
    margin = (free.shape[0] - window.shape[0]) // 2
    box, place = _box(window, at)
    for k, chosen in enumerate(inputs.criteria):
        reading = chosen.reading
        if reading is None:
            continue
        if isinstance(reading.value, Categorical):
            codes = _category(inputs, box, place, reading, reading.value)
            out[k] = np.where(codes >= 0, codes, np.nan)
        elif reading.measure.kind == "evidence":
            out[k] = strength
        elif reading.measure.kind == "likelihood":
            if inputs.likelihood is not None:
                out[k] = inputs.likelihood.on(window, at)
        elif isinstance(reading.measure, OpenLand):
            cells = reading.measure.radius / window.resolution
            out[k] = discs.same_label_counts(free, at + margin, cells) * window.cell_area
        elif isinstance(reading.measure, SlopePercent | FlatShare):
            out[k] = _STEEPNESS[reading.measure.kind](surfaces, at + margin, reading)
        else:
            out[k] = _READERS[reading.measure.kind](inputs, box, place, reading)
    return out


def scores(inputs: TileInputs, measured: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Scores of measures: (criteria, cells), NaN where unknown."""
    out = np.full(measured.shape, np.nan)
    for k, chosen in enumerate(inputs.criteria):
        if chosen.reading is None:
            continue
        value = chosen.reading.value
        if isinstance(value, Categorical):
            codes = np.where(np.isnan(measured[k]), -1, measured[k]).astype(np.int64)
            out[k] = category_score(value, codes, list(value.scores))
        else:
            out[k] = score(value, measured[k])
    return out


def open_land_margin(inputs: TileInputs, resolution: float) -> int:
    """Cells that measures of open land reach beyond a window."""
    radii = [
        c.reading.measure.radius
        for c in inputs.criteria
        if c.reading and isinstance(c.reading.measure, OpenLand)
    ]
    return ceil(max(radii, default=0.0) / resolution)


def _box(window: Grid, at: NDArray[np.int32]) -> tuple[Grid, NDArray[np.int32]]:
    # The smallest window round the active cells: what lies farther need not be made.
    (r0, c0), (r1, c1) = at.min(axis=0), at.max(axis=0)
    shape = (int(r1 - r0) + 1, int(c1 - c0) + 1)
    box = window.part(window.row + int(r0), window.column + int(c0), shape)
    return box, at - np.array([r0, c0], np.int32)


def _layer(reading: Reading) -> str:
    return reading.layer or ""


def _distances(
    inputs: TileInputs, box: Grid, at: NDArray[np.int32], reading: Reading
) -> NDArray[np.float64]:
    far = saturation(reading)
    reach = far / box.resolution
    margin = ceil(reach)
    wide = box.grown(margin)
    marked = harmonise.origins(inputs.vectors[_layer(reading), reading.where], wide)
    metres = np.sqrt(harmonise.distance_at(marked, at, reach, margin)) * box.resolution
    metres = np.minimum(metres, far)
    if _layer(reading) in inputs.coverage:
        outside = harmonise.category(inputs.coverage[_layer(reading)], wide) == 0
        if outside.any():
            # Certain only where no nearer feature can hide in land not covered.
            silent = np.sqrt(harmonise.distance_at(outside, at, reach, margin))
            metres[silent * box.resolution < metres] = np.nan
    return metres


def _share(
    inputs: TileInputs, box: Grid, at: NDArray[np.int32], reading: Reading
) -> NDArray[np.float64]:
    values = 100.0 * harmonise.share(inputs.vectors[_layer(reading), reading.where], box)
    values[Surfaces(inputs, box).uncovered(_layer(reading), 0.0)] = np.nan
    return np.asarray(values[tuple(at.T)], np.float64)


def _value(
    inputs: TileInputs, box: Grid, at: NDArray[np.int32], reading: Reading
) -> NDArray[np.float64]:
    return inputs.rasters[_layer(reading)].values_at(box, at).astype(np.float64)


def _slope(surfaces: Surfaces, at: NDArray[np.int32], reading: Reading) -> NDArray[np.float64]:
    measure = reading.measure
    if not isinstance(measure, SlopePercent):
        raise TypeError(measure.kind)
    rows, columns = at.T
    steep = surfaces.slope(_layer(reading), method=measure.method)
    return np.asarray(steep[rows, columns], np.float64)


def _flat_share(surfaces: Surfaces, at: NDArray[np.int32], reading: Reading) -> NDArray[np.float64]:
    measure = reading.measure
    if not isinstance(measure, FlatShare):
        raise TypeError(measure.kind)
    cells = measure.radius / surfaces.window.resolution
    margin = int(cells) + 1
    steep = surfaces.slope(_layer(reading), margin)
    known = discs.disc_counts(~np.isnan(steep), at + margin, cells)
    flat = discs.disc_counts(steep <= measure.slope.value, at + margin, cells)
    whole = int((2 * discs.disc_widths(cells) + 1).sum())
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(known >= KNOWN_DISC * whole, 100.0 * flat / known, np.nan)


_STEEPNESS: Mapping[str, Callable[[Surfaces, NDArray[np.int32], Reading], NDArray[np.float64]]] = {
    "slope": _slope,
    "flat_share": _flat_share,
}


def _summed(
    inputs: TileInputs, box: Grid, at: NDArray[np.int32], reading: Reading
) -> NDArray[np.float64]:
    measure = reading.measure
    if not isinstance(measure, SumWithin | Density):
        raise TypeError(measure.kind)
    points = inputs.points[_layer(reading), reading.where, measure.field or ""]
    radius = round(measure.radius * SUBCELLS / box.resolution)
    xy = points.xy - np.array([box.column, box.row]) * SUBCELLS
    limit = np.array([box.shape[1], box.shape[0]]) * SUBCELLS
    near = ((xy >= -radius) & (xy <= limit + radius)).all(axis=1)
    xy, amounts = np.ascontiguousarray(xy[near]), points.amounts[near]
    if isinstance(measure, SumWithin):
        sums = discs.disc_sums(xy, amounts, radius=radius, shape=box.shape)
        values = sums.astype(np.float64)
    else:
        # A quartic kernel of unit volume has height 3 / (π r²) at its centre.
        height = 3.0 / (np.pi * (measure.radius / 1000.0) ** 2)
        values = discs.kernel_sum(xy, amounts * height, radius=radius, shape=box.shape)
    values[Surfaces(inputs, box).uncovered(_layer(reading), measure.radius)] = np.nan
    return np.asarray(values[tuple(at.T)], np.float64)


_READERS: Mapping[
    str, Callable[[TileInputs, Grid, NDArray[np.int32], Reading], NDArray[np.float64]]
] = {
    "distance": _distances,
    "share": _share,
    "value": _value,
    "sum_within": _summed,
    "density": _summed,
}


def _category(
    inputs: TileInputs,
    box: Grid,
    at: NDArray[np.int32],
    reading: Reading,
    value: Categorical,
) -> NDArray[np.int64]:
    # Codes into the categories of the value function, -1 where not known.
    code = {name: i for i, name in enumerate(value.scores)}
    layer, key = _layer(reading), (_layer(reading), reading.where)
    here = tuple(at.T)
    surfaces = Surfaces(inputs, box)
    # A presence-only layer that shows nothing says nothing.
    nothing = "no" if isinstance(reading.measure, Nearby) else "none"
    absent = -1 if layer in inputs.silent else code.get(nothing, -1)
    if isinstance(reading.measure, Nearby):
        yes = surfaces.near(key, reading.measure.within)[here]
        silent = surfaces.uncovered(layer, reading.measure.within)[here]
        codes = np.where(yes, code.get("yes", -1), np.where(silent, -1, absent))
    elif layer in inputs.rasters:
        values = inputs.rasters[layer].codes(box)[here]
        known, index = np.unique(values, return_inverse=True)
        table = [-1 if np.isnan(v) else code.get(str(int(v)), -1) for v in known]
        codes = np.array(table, np.int64)[index]
    else:
        zones = inputs.zones[key]
        which = harmonise.category(zones.shapes, box)[here]
        table = [absent, *(code.get(n, -1) for n in zones.names)]
        silent = surfaces.uncovered(layer, 0.0)[here]
        codes = np.where((which == 0) & silent, -1, np.array(table, np.int64)[which])
    return codes.astype(np.int64)
