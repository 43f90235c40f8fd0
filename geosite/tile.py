"""One tile of the analysis: a pure function of a window of the grid.

Everything that must be known of the whole world (parcels, deposits, resolved
rules) comes in frozen `TileInputs`; everything that must be joined across tiles
goes out as small tables of whole numbers. Memory is what limits a tile, so whole
surfaces are few and small, and what is only needed cell by cell is worked out for
some rows or some cells at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from geosite import constraints, discs, harmonise, kernels
from geosite.constraints import CLEAR, EXCLUDED, NOT_OFFERED, OUTSIDE, UNKNOWN
from geosite.grid import SUBCELLS, Grid
from geosite.measures import measures, open_land_margin, scores
from geosite.model.siting import Carved
from geosite.pieces import Piece, border, piece_table, rule_set_table
from geosite.suitability import on_cells, suitability
from geosite.surfaces import Surfaces
from geosite.weighting import per_mille

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from geosite.constraints import Verdict
    from geosite.inputs import TileInputs

_ROWS = 512
"""Rows that the evidence is worked out for at a time."""
_BLOCK = 65_536
"""Cells that are scored at a time: what they need stays in the processor's cache."""


@dataclass(frozen=True, slots=True)
class TileResult:
    """What a tile found.

    Attributes
    ----------
    status : (y, x) uint8
        See `constraints`.
    planes : (planes, y, x) of `constraints.plane_dtype`
        Reasons.
    parcel, piece : (y, x) int32
        Parcel id; nearest deposit or patch label from 1, 0 where there is no candidate.
    suitability : (y, x) float32
        NaN where no candidate may be or where it is unknown.
    active : (y, x) bool
        Land that may hold a site; the next two are listed for it, row by row.
    measures, effective : (criterion, cells) float32
        Measures in their units, and scores after partial factors; NaN where unknown.
        Of a category the measure is its place in the value function.
    pieces, rule_sets : tables to be joined
    border : labels and parcels along the four edges, for patches
    """

    window: Grid
    status: NDArray[np.uint8]
    planes: NDArray[Any]
    parcel: NDArray[np.int32]
    piece: NDArray[np.int32]
    suitability: NDArray[np.float32]
    active: NDArray[np.bool_]
    measures: NDArray[np.float32]
    effective: NDArray[np.float32]
    pieces: pd.DataFrame
    rule_sets: pd.DataFrame
    border: tuple[NDArray[np.int64], ...]


def tile(inputs: TileInputs, window: Grid) -> TileResult:
    """Everything the scenario says about one window of the grid."""
    margin = open_land_margin(inputs, window.resolution)
    work = window.grown(margin)
    inner = work.window(window)
    inside = harmonise.category(inputs.aoi, work) > 0
    if not inside[inner].any():
        return _nothing(inputs, window)
    surfaces = Surfaces(inputs, work)
    lifts = constraints.numbered([r.id for r in inputs.rules], inputs.lifts)
    said = constraints.answer(_verdicts(inputs, surfaces), inputs.treatments, work.shape, lifts)
    parcel = harmonise.category(inputs.parcels, work)
    whole = bool(inside.all())
    if not whole:
        parcel *= inside
    status = _status(inside, parcel, inputs.offered, said)
    planes = said.planes[:, inner[0], inner[1]]
    if not whole:
        planes *= inside[inner].astype(planes.dtype)
    free = status == CLEAR
    if inputs.scenario.unknown_land == "admit":
        free |= status == UNKNOWN
    nearest, strength, active = _evidence(inputs, window, free[inner])
    factor = said.factor[inner][active]
    del said
    at = kernels.places(active)
    measured = measures(inputs, surfaces, window, at, strength, np.where(free, parcel, 0))
    effective, suited = _scored(inputs, measured, factor)
    found = _Candidates(active, at, nearest, measured, effective, suited)
    return _result(inputs, window, status[inner], planes, parcel[inner], found)


@dataclass(frozen=True, slots=True)
class _Candidates:
    # Land that may hold a site: where, the nearest deposit, and its scores cell by cell.
    active: NDArray[np.bool_]
    at: NDArray[np.int32]
    nearest: NDArray[np.int32]
    measures: NDArray[np.float32]
    effective: NDArray[np.float32]
    suited: NDArray[np.float32]


def _verdicts(inputs: TileInputs, surfaces: Surfaces) -> Iterator[Verdict]:
    # One verdict at a time: all of them together would be the largest thing in memory. What a
    # layer shows is let go after the last rule that reads it.
    rules = inputs.rules
    last = {(r.layer, r.where): k for k, r in enumerate(rules)}
    for k, (rule, treatment) in enumerate(zip(rules, inputs.treatments, strict=True)):
        yield surfaces.verdict(rule, treatment)
        if last[rule.layer, rule.where] == k:
            surfaces.forget((rule.layer, rule.where))


def _status(
    inside: NDArray[np.bool_],
    parcel: NDArray[np.int32],
    offered: NDArray[np.bool_],
    said: constraints.Answer,
) -> NDArray[np.uint8]:
    status = np.full(inside.shape, OUTSIDE, np.uint8)
    status[inside] = NOT_OFFERED
    mine = offered[parcel]
    mine &= inside
    status[mine] = CLEAR
    status[mine & said.unknown] = UNKNOWN
    # Land of other owners that a rule excludes says so, because the rule is the reason.
    status[(parcel > 0) & said.excluded] = EXCLUDED
    return status


def _evidence(
    inputs: TileInputs, window: Grid, free: NDArray[np.bool_]
) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.bool_]]:
    """Nearest accepted deposit (y, x), strength at the active cells, and which are active."""
    spec, deposits = inputs.scenario.evidence, inputs.deposits
    nearest = np.full(window.shape, -1, np.int32)
    if spec is None or deposits is None:
        return nearest, np.zeros(np.count_nonzero(free), np.float32), free
    unit = SUBCELLS / window.resolution
    reach, radius = round(spec.reach * unit), round(spec.kernel * unit)
    far = max(reach, radius)
    strengths = []
    for band in window.bands(_ROWS):
        rows, _ = window.window(band)
        xy = deposits.xy - np.array([band.column, band.row]) * SUBCELLS
        limit = np.array([band.shape[1], band.shape[0]]) * SUBCELLS
        near = np.flatnonzero(((xy >= -far) & (xy <= limit + far)).all(axis=1))
        strength, found = discs.strongest(
            np.ascontiguousarray(xy[near]),
            deposits.weights[near],
            deposits.accepted[near],
            reach=reach,
            radius=radius,
            shape=band.shape,
        )
        # From the numbers of this band's deposits to those of all deposits.
        nearest[rows] = np.concatenate([near, [-1]]).astype(np.int32)[found]
        strengths.append(strength[free[rows] & (found >= 0)].astype(np.float32))
    return nearest, np.concatenate(strengths), free & (nearest >= 0)


def _scored(
    inputs: TileInputs, measured: NDArray[np.float32], factor: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Effective scores (criteria, cells) and suitability (cells,)."""
    scenario = inputs.scenario
    weights = per_mille([c.criterion.weight for c in inputs.criteria])
    ids = [c.criterion.id for c in inputs.criteria]
    effective = np.empty_like(measured)
    suited = np.empty(measured.shape[1], np.float32)
    for k in range(0, measured.shape[1], _BLOCK):
        part = np.s_[k : k + _BLOCK]
        values = scores(inputs, measured[:, part]) * factor[part].astype(np.float64)
        values = np.round(values, 6)
        effective[:, part] = values
        suited[part] = suitability(
            values, weights, on_cells(scenario.combination), ids, missing=scenario.missing
        )
    return effective, suited


def _piece(inputs: TileInputs, found: _Candidates, parcel: NDArray[np.int32]) -> NDArray[np.int32]:
    # What a candidate cell belongs to before tiles are joined, from 1; 0 is none.
    unit = inputs.scenario.sites
    if unit.unit == "deposit":
        return np.where(found.active, found.nearest + 1, 0)
    if isinstance(unit, Carved):
        return np.where(found.active, parcel, 0)
    good = np.zeros(found.active.shape, np.int32)
    with np.errstate(invalid="ignore"):
        rows, columns = found.at[found.suited >= np.float32(unit.threshold)].T
    good[rows, columns] = parcel[rows, columns]
    labels, _ = kernels.labelled(good)
    return labels


def _result(
    inputs: TileInputs,
    window: Grid,
    status: NDArray[np.uint8],
    planes: NDArray[Any],
    parcel: NDArray[np.int32],
    found: _Candidates,
) -> TileResult:
    unit = inputs.scenario.sites
    piece = _piece(inputs, found, parcel)
    surface = np.full(window.shape, np.nan, np.float32)
    surface[found.active] = found.suited
    cells = Piece(
        window=window,
        at=found.at,
        piece=piece[found.active],
        parcel=parcel[found.active],
        unknown=status[found.active] == UNKNOWN,
        measures=found.measures,
        effective=found.effective,
        suited=found.suited,
        planes=planes[:, found.active],
    )
    readings = [c.reading for c in inputs.criteria]
    lattice = unit.max_area if unit.unit == "patch" else None
    return TileResult(
        window,
        status,
        planes,
        parcel,
        piece,
        surface,
        found.active,
        found.measures,
        found.effective,
        piece_table(cells, readings, len(inputs.rules), lattice),
        rule_set_table(parcel, planes, inputs.treatments, found.nearest >= 0),
        border(piece, parcel) if unit.unit == "patch" else (),
    )


def _nothing(inputs: TileInputs, window: Grid) -> TileResult:
    empty = np.zeros(window.shape, np.int32)
    none = np.empty((len(inputs.criteria), 0), np.float32)
    at = np.empty((0, 2), np.int32)
    found = _Candidates(empty > 0, at, empty - 1, none, none, np.empty(0, np.float32))
    count = len(inputs.rules)
    planes = np.zeros(
        (constraints.plane_count(count), *window.shape), constraints.plane_dtype(count)
    )
    return _result(inputs, window, empty.astype(np.uint8), planes, empty, found)
