"""One tile of the analysis: a pure function of a window of the grid.

Everything that must be known of the whole world (parcels, deposits, resolved
rules) comes in frozen `TileInputs`; everything that must be joined across tiles
goes out as small tables of whole numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from geosite import constraints, harmonise, kernels
from geosite.constraints import CLEAR, EXCLUDED, NOT_OFFERED, OUTSIDE, UNKNOWN, Verdict
from geosite.criteria import category_score, saturation, score
from geosite.grid import SUBCELLS, Grid
from geosite.pieces import Piece, border, piece_table, rule_set_table
from geosite.suitability import suitability

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from geosite.harmonise import RasterSurface, Shapes
    from geosite.model.criterion import Criterion, Reading
    from geosite.model.rule import Rule, Treatment
    from geosite.model.scenario import Scenario

LayerKey = tuple[str, str | None]
"""A layer and the condition that selects some of its features."""

KNOWN_DISC = 0.9
"""A share of flat land is known where this share of the disc has a known slope."""


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
    """Points with whole amounts: xy (n, 2) int64 [sub-cells from the CRS origin]."""

    xy: NDArray[np.int64]
    amounts: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class DepositPoints:
    """Deposits as the tiles need them, strongest first."""

    xy: NDArray[np.int64]
    weights: NDArray[np.float64]
    accepted: NDArray[np.bool_]


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
    categories
        Name of each feature of a layer that is read for its category.
    coverage
        Land each layer speaks for; a layer that is not in it speaks everywhere.
    silent
        Presence-only layers: where they show nothing, nothing is known.
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
    categories: Mapping[LayerKey, tuple[str, ...]]
    points: Mapping[tuple[str, str | None, str], Points]
    coverage: Mapping[str, Shapes]
    silent: frozenset[str]
    deposits: DepositPoints | None


@dataclass(frozen=True, slots=True)
class TileResult:
    """What a tile found.

    Attributes
    ----------
    status : (y, x) uint8
        See `constraints`.
    planes : (planes, y, x) uint64
        Reasons.
    parcel, piece : (y, x) int32
        Parcel id; nearest deposit or patch label from 1, 0 where there is no candidate.
    suitability : (y, x) float32
        NaN where no candidate may be or where it is unknown.
    measures, effective : (criterion, y, x) float32
        Measures in their units, and scores after partial factors; NaN where unknown
        or not asked. Of a category the measure is its place in the value function.
    pieces, rule_sets : tables to be joined
    border : labels and parcels along the four edges, for patches
    """

    window: Grid
    status: NDArray[np.uint8]
    planes: NDArray[np.uint64]
    parcel: NDArray[np.int32]
    piece: NDArray[np.int32]
    suitability: NDArray[np.float32]
    measures: NDArray[np.float32]
    effective: NDArray[np.float32]
    pieces: pd.DataFrame
    rule_sets: pd.DataFrame
    border: tuple[NDArray[np.int64], ...]


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
        metres = treatment.within if treatment.tier == "require" else getattr(treatment, "setback", 0.0)
        if not self._is_readable(rule):
            nothing = np.zeros(self.window.shape, bool)
            return Verdict(nothing, ~nothing)
        if rule.subject.kind == "presence":
            near = self.near((rule.layer, rule.where), metres)
            uncovered = self.uncovered(rule.layer, metres)
        else:
            near, uncovered = self._raster_subject(rule, metres)
        found = constraints.verdict(
            near, uncovered, required=treatment.tier == "require",
            absence_informative=rule.layer not in self.inputs.silent,
        )
        if rule.inside is None:
            return found
        if (rule.inside, None) not in self.inputs.vectors:
            return Verdict(np.zeros_like(near), found.against | found.unsure)
        return constraints.narrowed(found, self.near((rule.inside, None), 0.0))

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
        match subject.kind:
            case "slope":
                values = wide.slope(rule.layer)
                marked = values > subject.above.value
            case "value":
                values = raster.values(wide.window)
                low = -np.inf if subject.at_least is None else subject.at_least
                high = np.inf if subject.at_most is None else subject.at_most
                marked = (values >= low) & (values <= high)
            case _:
                values = raster.codes(wide.window)
                marked = np.isin(values, subject.codes)
        reach = metres / self.window.resolution
        return _grown(marked, margin, reach), _grown(np.isnan(values), margin, reach)


def _within(shapes: Shapes, window: Grid, metres: float) -> NDArray[np.bool_]:
    margin = ceil(metres / window.resolution)
    marked = harmonise.origins(shapes, window.grown(margin))
    return _grown(marked, margin, metres / window.resolution)


def _grown(
    marked: NDArray[np.bool_], margin: int, reach_cells: float
) -> NDArray[np.bool_]:
    # Cells within reach of a marked one, on the window that the margin was added to.
    if margin == 0:
        return marked
    inner = slice(margin, -margin)
    near: NDArray[np.bool_] = harmonise.distance(marked)[inner, inner] <= reach_cells**2
    return near


def tile(inputs: TileInputs, window: Grid) -> TileResult:
    """Everything the scenario says about one window of the grid."""
    scenario = inputs.scenario
    margin = max(
        (ceil(c.reading.measure.radius / window.resolution)
         for c in inputs.criteria if c.reading and c.reading.measure.kind == "open_land"),
        default=0,
    )
    work = window.grown(margin)
    inner = work.window(window)
    inside = harmonise.category(inputs.aoi, work) > 0
    if not inside[inner].any():
        return _nothing(inputs, window)
    surfaces = Surfaces(inputs, work)
    verdicts = [
        surfaces.verdict(r, t) for r, t in zip(inputs.rules, inputs.treatments, strict=True)
    ]
    said = constraints.answer(verdicts, inputs.treatments, work.shape)
    parcel = np.where(inside, harmonise.category(inputs.parcels, work), 0).astype(np.int32)
    status = _status(inside, parcel, inputs.offered, said)
    admitted = (CLEAR, UNKNOWN) if scenario.unknown_land == "admit" else (CLEAR,)
    free = np.where(np.isin(status, admitted), parcel, 0).astype(np.int32)

    strength, nearest = _evidence(inputs, window, scenario)
    active = free[inner] > 0
    if scenario.evidence is not None:
        active &= nearest >= 0
    at = np.argwhere(active)
    measures, scores = _scored(inputs, window, at, strength, free, margin)
    factor = said.factor[inner][active].astype(np.float64)
    effective = np.round(scores * factor, 6)
    weights = np.array([c.criterion.weight for c in inputs.criteria])
    ids = [c.criterion.id for c in inputs.criteria]
    suited = suitability(
        effective, weights, scenario.combination, ids, missing=scenario.missing
    )
    piece = _piece(inputs, active, suited, nearest, parcel[inner])
    return _result(
        inputs, window, status[inner], said.planes[:, inner[0], inner[1]] * inside[inner],
        parcel[inner], piece, active, measures, effective, suited, nearest >= 0,
    )


def _status(
    inside: NDArray[np.bool_], parcel: NDArray[np.int32], offered: NDArray[np.bool_],
    said: constraints.Answer,
) -> NDArray[np.uint8]:
    status = np.full(inside.shape, OUTSIDE, np.uint8)
    status[inside] = NOT_OFFERED
    mine = inside & offered[parcel]
    status[mine] = CLEAR
    status[mine & said.unknown] = UNKNOWN
    # Land of other owners that a rule excludes says so, because the rule is the reason.
    status[inside & (parcel > 0) & said.excluded] = EXCLUDED
    return status


def _evidence(
    inputs: TileInputs, window: Grid, scenario: Scenario
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    spec, deposits = scenario.evidence, inputs.deposits
    if spec is None or deposits is None:
        return np.zeros(window.shape), np.full(window.shape, -1, np.int32)
    unit = SUBCELLS / window.resolution
    reach, radius = round(spec.reach * unit), round(spec.kernel * unit)
    far = max(reach, radius)
    xy = deposits.xy - np.array([window.column, window.row]) * SUBCELLS
    limit = np.array([window.shape[1], window.shape[0]]) * SUBCELLS
    near = np.flatnonzero(((xy >= -far) & (xy <= limit + far)).all(axis=1))
    strength, nearest = kernels.kernel_sum(
        np.ascontiguousarray(xy[near]), deposits.weights[near], deposits.accepted[near],
        reach=reach, radius=radius, shape=window.shape,
    )
    return strength, np.where(nearest >= 0, near.astype(np.int32)[nearest], -1).astype(
        np.int32
    ) if len(near) else nearest


def _scored(
    inputs: TileInputs, window: Grid, at: NDArray[np.int64], strength: NDArray[np.float64],
    free: NDArray[np.int32], margin: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    # Measures and scores at the active cells only: (criteria, cells).
    shape = (len(inputs.criteria), len(at))
    measures, scores = np.full(shape, np.nan), np.full(shape, np.nan)
    if not len(at):
        return measures, scores
    for k, chosen in enumerate(inputs.criteria):
        if chosen.reading is None:
            continue
        reading = chosen.reading
        if reading.measure.unit == "category":
            codes, names = _category(inputs, window, chosen, at)
            scores[k] = category_score(reading.value, codes, names)
            measures[k] = np.where(codes >= 0, codes, np.nan)
            continue
        match reading.measure.kind:
            case "evidence":
                measures[k] = strength[at[:, 0], at[:, 1]]
            case "open_land":
                cells = reading.measure.radius / window.resolution
                counts = kernels.same_label_counts(free, at + margin, cells)
                measures[k] = counts * window.cell_area
            case _:
                measures[k] = _measured(inputs, window, chosen, at)
        scores[k] = score(reading.value, measures[k])
    return measures, scores


def _measured(
    inputs: TileInputs, window: Grid, chosen: Chosen, at: NDArray[np.int64]
) -> NDArray[np.float64]:
    reading = chosen.reading
    if reading is None:
        return np.full(len(at), np.nan)
    measure, (layer, where) = reading.measure, chosen.key
    box, place = _box(window, at)
    rows, columns = place.T
    match measure.kind:
        case "distance":
            return _distances(inputs, box, place, chosen)
        case "share":
            values = 100.0 * harmonise.share(inputs.vectors[chosen.key], box)
            values[Surfaces(inputs, box).uncovered(layer, 0.0)] = np.nan
            return values[rows, columns].astype(np.float64)
        case "value":
            return inputs.rasters[layer].values(box)[rows, columns].astype(np.float64)
        case "slope":
            return Surfaces(inputs, box).slope(layer)[rows, columns].astype(np.float64)
        case "flat_share":
            return _flat_share(inputs, box, place, chosen)
        case "sum_within" | "density":
            return _summed(inputs, box, place, chosen)
        case _:
            msg = f"measure {measure.kind} is not read from a layer {layer} {where}"
            raise TypeError(msg)


def _box(window: Grid, at: NDArray[np.int64]) -> tuple[Grid, NDArray[np.int64]]:
    # The smallest window round the active cells: what lies farther need not be made.
    (r0, c0), (r1, c1) = at.min(axis=0), at.max(axis=0)
    box = Grid(
        window.crs, window.resolution, window.column + int(c0), window.row + int(r0),
        (int(r1 - r0) + 1, int(c1 - c0) + 1),
    )
    return box, at - np.array([r0, c0])


def _distances(
    inputs: TileInputs, box: Grid, at: NDArray[np.int64], chosen: Chosen
) -> NDArray[np.float64]:
    far = saturation(chosen.reading) if chosen.reading else 0.0
    margin = ceil(far / box.resolution)
    wide = box.grown(margin)
    rows, columns = (at + margin).T
    marked = harmonise.origins(inputs.vectors[chosen.key], wide)
    metres = np.sqrt(harmonise.distance(marked)[rows, columns].astype(np.float64))
    metres = np.minimum(metres * box.resolution, far)
    layer = chosen.key[0]
    if layer in inputs.coverage:
        outside = harmonise.category(inputs.coverage[layer], wide) == 0
        if outside.any():
            silent = np.sqrt(harmonise.distance(outside)[rows, columns].astype(np.float64))
            metres[silent * box.resolution < metres] = np.nan
    return metres


def _flat_share(
    inputs: TileInputs, box: Grid, at: NDArray[np.int64], chosen: Chosen
) -> NDArray[np.float64]:
    if chosen.reading is None or chosen.reading.measure.kind != "flat_share":
        return np.full(len(at), np.nan)
    measure = chosen.reading.measure
    cells = measure.radius / box.resolution
    margin = int(cells) + 1
    steep = Surfaces(inputs, box.grown(margin)).slope(chosen.key[0])
    known = kernels.disc_counts(~np.isnan(steep), at + margin, cells)
    flat = kernels.disc_counts(steep <= measure.slope.value, at + margin, cells)
    whole = int((2 * kernels.disc_widths(cells) + 1).sum())
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(known >= KNOWN_DISC * whole, 100.0 * flat / known, np.nan)


def _summed(
    inputs: TileInputs, box: Grid, at: NDArray[np.int64], chosen: Chosen
) -> NDArray[np.float64]:
    if chosen.reading is None:
        return np.full(len(at), np.nan)
    measure, (layer, where) = chosen.reading.measure, chosen.key
    if measure.kind not in ("sum_within", "density"):
        return np.full(len(at), np.nan)
    points = inputs.points[layer, where, measure.field or ""]
    radius = round(measure.radius * SUBCELLS / box.resolution)
    xy = points.xy - np.array([box.column, box.row]) * SUBCELLS
    limit = np.array([box.shape[1], box.shape[0]]) * SUBCELLS
    near = ((xy >= -radius) & (xy <= limit + radius)).all(axis=1)
    xy, amounts = np.ascontiguousarray(xy[near]), points.amounts[near]
    if measure.kind == "sum_within":
        sums = kernels.disc_sums(xy, amounts, radius=radius, shape=box.shape)
        values = sums.astype(np.float64)
    else:
        # A quartic kernel of unit volume has height 3 / (π r²) at its centre.
        height = 3.0 / (np.pi * (measure.radius / 1000.0) ** 2)
        values, _ = kernels.kernel_sum(
            xy, amounts * height, np.zeros(len(xy), bool), reach=0, radius=radius, shape=box.shape
        )
    values[Surfaces(inputs, box).uncovered(layer, measure.radius)] = np.nan
    return values[at[:, 0], at[:, 1]]


def _category(
    inputs: TileInputs, window: Grid, chosen: Chosen, at: NDArray[np.int64]
) -> tuple[NDArray[np.int64], list[str]]:
    # Codes into the categories of the value function, -1 where not known.
    reading = chosen.reading
    if reading is None or reading.value.kind != "categorical":
        return np.full(len(at), -1), []
    names = list(reading.value.scores)
    code = {name: i for i, name in enumerate(names)}
    layer = chosen.key[0]
    box, place = _box(window, at)
    rows, columns = place.T
    surfaces = Surfaces(inputs, box)
    if reading.measure.kind == "nearby":
        yes = surfaces.near(chosen.key, reading.measure.within)[rows, columns]
        silent = surfaces.uncovered(layer, reading.measure.within)[rows, columns]
        no = -1 if layer in inputs.silent else code.get("no", -1)
        codes = np.where(yes, code.get("yes", -1), np.where(silent, -1, no))
    elif layer in inputs.rasters:
        values = inputs.rasters[layer].codes(box)[rows, columns]
        known = {int(v): code.get(str(int(v)), -1) for v in np.unique(values[~np.isnan(values)])}
        codes = np.array([-1 if np.isnan(v) else known[int(v)] for v in values])
    else:
        which = harmonise.category(inputs.vectors[chosen.key], box)[rows, columns]
        none = -1 if layer in inputs.silent else code.get("none", -1)
        table = np.array([none, *(code.get(n, -1) for n in inputs.categories[chosen.key])])
        silent = surfaces.uncovered(layer, 0.0)[rows, columns]
        codes = np.where((which == 0) & silent, -1, table[which])
    return codes.astype(np.int64), names


def _piece(
    inputs: TileInputs, active: NDArray[np.bool_], suited: NDArray[np.float64],
    nearest: NDArray[np.int32], parcel: NDArray[np.int32],
) -> NDArray[np.int32]:
    # What a candidate cell belongs to before tiles are joined, from 1; 0 is none.
    unit = inputs.scenario.sites
    if unit.unit == "deposit":
        return np.where(active, nearest + 1, 0).astype(np.int32)
    if unit.unit == "parcel":
        return np.where(active, parcel, 0).astype(np.int32)
    good = np.zeros(active.shape, bool)
    with np.errstate(invalid="ignore"):
        good[active] = suited >= unit.threshold
    labels, _ = kernels.labelled(np.where(good, parcel, 0).astype(np.int32))
    return labels


def _result(
    inputs: TileInputs, window: Grid, status: NDArray[np.uint8], planes: NDArray[np.uint64],
    parcel: NDArray[np.int32], piece: NDArray[np.int32], active: NDArray[np.bool_],
    measures: NDArray[np.float64], effective: NDArray[np.float64], suited: NDArray[np.float64],
    gate: NDArray[np.bool_],
) -> TileResult:
    surface = np.full(window.shape, np.nan, np.float32)
    surface[active] = suited.astype(np.float32)
    shape = (len(inputs.criteria), *window.shape)
    measured, scored = np.full(shape, np.nan, np.float32), np.full(shape, np.nan, np.float32)
    measured[:, active], scored[:, active] = measures, effective
    of_piece = piece[active]
    chosen = of_piece > 0
    found = Piece(
        window=window, at=np.argwhere(active)[chosen], piece=of_piece[chosen],
        parcel=parcel[active][chosen], unknown=(status[active] == UNKNOWN)[chosen],
        measures=measures[:, chosen], effective=effective[:, chosen], suited=suited[chosen],
        planes=planes[:, active][:, chosen],
    )
    lattice = getattr(inputs.scenario.sites, "max_area", None)
    unit = inputs.scenario.sites.unit
    return TileResult(
        window, status, planes, parcel, piece, surface, measured, scored,
        piece_table(
            found, [c.reading for c in inputs.criteria], len(inputs.rules),
            lattice if unit == "patch" else None,
        ),
        rule_set_table(parcel, planes, inputs.treatments, gate),
        border(piece, parcel) if unit == "patch" else (),
    )


def _nothing(inputs: TileInputs, window: Grid) -> TileResult:
    count = max(1, -(-len(inputs.rules) // constraints.RULES_PER_PLANE))
    empty = np.zeros(window.shape, np.int32)
    return _result(
        inputs, window, np.zeros(window.shape, np.uint8),
        np.zeros((count, *window.shape), np.uint64), empty, empty, empty > 0,
        np.empty((len(inputs.criteria), 0)), np.empty((len(inputs.criteria), 0)),
        np.empty(0), empty > 0,
    )
