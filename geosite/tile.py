"""One tile of the analysis: a pure function of a window of the grid.

Everything that must be known of the whole world (parcels, deposits, resolved
rules) comes in frozen `TileInputs`; everything that must be joined across tiles
goes out as small tables of whole numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geosite import constraints, discs, harmonise, kernels
from geosite.constraints import CLEAR, EXCLUDED, NOT_OFFERED, OUTSIDE, UNKNOWN
from geosite.grid import SUBCELLS, Grid
from geosite.measures import open_land_margin, scored
from geosite.pieces import Piece, border, piece_table, rule_set_table
from geosite.suitability import suitability
from geosite.surfaces import Surfaces

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from geosite.inputs import TileInputs
    from geosite.model.scenario import Scenario


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
    planes: NDArray[np.uint64]
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
    scenario = inputs.scenario
    margin = open_land_margin(inputs, window.resolution)
    work = window.grown(margin)
    inner = work.window(window)
    inside = harmonise.category(inputs.aoi, work) > 0
    if not inside[inner].any():
        return _nothing(inputs, window)
    surfaces = Surfaces(inputs, work)
    # One verdict at a time: all of them together would be the largest thing in memory.
    said = constraints.answer(
        (surfaces.verdict(r, t) for r, t in zip(inputs.rules, inputs.treatments, strict=True)),
        inputs.treatments,
        work.shape,
    )
    parcel = np.where(inside, harmonise.category(inputs.parcels, work), 0).astype(np.int32)
    status = _status(inside, parcel, inputs.offered, said)
    admitted = (CLEAR, UNKNOWN) if scenario.unknown_land == "admit" else (CLEAR,)
    free = np.where(np.isin(status, admitted), parcel, 0).astype(np.int32)

    strength, nearest = _evidence(inputs, window, scenario)
    active = free[inner] > 0
    if scenario.evidence is not None:
        active &= nearest >= 0
    measures, scores = scored(inputs, window, np.argwhere(active), strength, free)
    effective = np.round(scores * said.factor[inner][active].astype(np.float64), 6)
    weights = np.array([c.criterion.weight for c in inputs.criteria])
    ids = [c.criterion.id for c in inputs.criteria]
    suited = suitability(effective, weights, scenario.combination, ids, missing=scenario.missing)
    found = _Candidates(active, nearest, measures, effective, suited)
    planes = said.planes[:, inner[0], inner[1]] * inside[inner]
    return _result(inputs, window, status[inner], planes, parcel[inner], found)


@dataclass(frozen=True, slots=True)
class _Candidates:
    # Land that may hold a site: where, the nearest deposit, and its scores cell by cell.
    active: NDArray[np.bool_]
    nearest: NDArray[np.int32]
    measures: NDArray[np.float64]
    effective: NDArray[np.float64]
    suited: NDArray[np.float64]


def _status(
    inside: NDArray[np.bool_],
    parcel: NDArray[np.int32],
    offered: NDArray[np.bool_],
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
    strength, nearest = discs.strongest(
        np.ascontiguousarray(xy[near]),
        deposits.weights[near],
        deposits.accepted[near],
        reach=reach,
        radius=radius,
        shape=window.shape,
    )
    # From the numbers of this window's deposits to those of all deposits.
    number = np.concatenate([near, [-1]]).astype(np.int32)
    return strength, number[nearest]


def _piece(inputs: TileInputs, found: _Candidates, parcel: NDArray[np.int32]) -> NDArray[np.int32]:
    # What a candidate cell belongs to before tiles are joined, from 1; 0 is none.
    unit = inputs.scenario.sites
    if unit.unit == "deposit":
        return np.where(found.active, found.nearest + 1, 0).astype(np.int32)
    if unit.unit == "parcel":
        return np.where(found.active, parcel, 0).astype(np.int32)
    good = np.zeros(found.active.shape, bool)
    with np.errstate(invalid="ignore"):
        good[found.active] = found.suited >= unit.threshold
    labels, _ = kernels.labelled(np.where(good, parcel, 0).astype(np.int32))
    return labels


def _result(
    inputs: TileInputs,
    window: Grid,
    status: NDArray[np.uint8],
    planes: NDArray[np.uint64],
    parcel: NDArray[np.int32],
    found: _Candidates,
) -> TileResult:
    active, unit = found.active, inputs.scenario.sites
    piece = _piece(inputs, found, parcel)
    surface = np.full(window.shape, np.nan, np.float32)
    surface[active] = found.suited
    member = piece[active] > 0
    cells = Piece(
        window=window,
        at=np.argwhere(active)[member],
        piece=piece[active][member],
        parcel=parcel[active][member],
        unknown=(status[active] == UNKNOWN)[member],
        measures=found.measures[:, member],
        effective=found.effective[:, member],
        suited=found.suited[member],
        planes=planes[:, active][:, member],
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
        active,
        found.measures.astype(np.float32),
        found.effective.astype(np.float32),
        piece_table(cells, readings, len(inputs.rules), lattice),
        rule_set_table(parcel, planes, inputs.treatments, found.nearest >= 0),
        border(piece, parcel) if unit.unit == "patch" else (),
    )


def _nothing(inputs: TileInputs, window: Grid) -> TileResult:
    count = max(1, -(-len(inputs.rules) // constraints.RULES_PER_PLANE))
    empty = np.zeros(window.shape, np.int32)
    none = np.empty((len(inputs.criteria), 0))
    found = _Candidates(empty > 0, empty - 1, none, none, np.empty(0))
    planes = np.zeros((count, *window.shape), np.uint64)
    return _result(inputs, window, empty.astype(np.uint8), planes, empty, found)
