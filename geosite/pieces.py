"""What a tile hands on to be joined: small tables of whole numbers.

Sums of integers do not depend on the order in which tiles come, so nothing that
is joined from these tables can depend on the tiling.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geosite import constraints, tallies

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from geosite.grid import Grid
    from geosite.model.criterion import Reading
    from geosite.model.rule import Treatment

STEPS = 1_000_000
"""Scores and suitability are summed in whole millionths."""
BINS = 200
"""Bins of the histogram of suitability that p90 is read from."""
_OFFSET = 2**30
KEYS = ["piece", "parcel", "lattice"]


@dataclass(frozen=True, slots=True)
class Piece:
    """Cells of a window that may hold a site: n cells, listed row by row.

    Attributes
    ----------
    at : (n, 2) row and column in the window
    piece, parcel : (n,)
        A cell of piece 0 is in no piece.
    unknown : (n,) bool
        Whether a hard rule cannot tell.
    measures, effective : (criteria, n)
        NaN where not known.
    suited : (n,)
        Suitability of the cell.
    planes : (planes, n) of `constraints.plane_dtype`
    """

    window: Grid
    at: NDArray[np.integer[Any]]
    piece: NDArray[np.int32]
    parcel: NDArray[np.int32]
    unknown: NDArray[np.bool_]
    measures: NDArray[np.floating[Any]]
    effective: NDArray[np.floating[Any]]
    suited: NDArray[np.floating[Any]]
    planes: NDArray[Any]


def anchor_code(row: NDArray[np.int64], column: NDArray[np.int64]) -> NDArray[np.int64]:
    """One number for a cell of the lattice, in reading order."""
    return (row + _OFFSET) * 2 * _OFFSET + (column + _OFFSET)


def anchor_cell(code: int) -> tuple[int, int]:
    """Row and column of a cell of the lattice from its number."""
    return code // (2 * _OFFSET) - _OFFSET, code % (2 * _OFFSET) - _OFFSET


def measure_steps(reading: Reading | None) -> int:
    """Steps a unit in which a measure is summed: thousandths, of bare numbers millionths."""
    return STEPS if reading is None or not reading.measure.unit else 1_000


def lattice_step(max_area: float, resolution: float) -> int:
    """Side [cells] of the squares that split a patch larger than an area [ha]."""
    return max(1, floor(sqrt(max_area * 10_000) / resolution))


def piece_table(
    cells: Piece, readings: Sequence[Reading | None], rules: int, max_area: float | None
) -> pd.DataFrame:
    """Sums over the candidate cells of each piece, one row a piece.

    Columns: the keys; ``cells``, ``unknown``; ``anchor`` (first cell in reading
    order); ``surface_sum``, ``surface_n``; ``e<i>_sum``, ``e<i>_n`` (effective score of
    criterion i); ``m<i>_sum``, ``m<i>_n`` (its measure) or ``c<i>_<k>`` (cells of its
    category k); ``against<r>``, ``unsure<r>`` (cells that rule r touches); ``h<b>``.
    """
    window = cells.window
    lattice = np.zeros(1, np.int64)
    if max_area is not None:
        step = lattice_step(max_area, window.resolution)
        row = (cells.at[:, 0].astype(np.int64) + window.row) // step
        column = (cells.at[:, 1].astype(np.int64) + window.column) // step
        lattice = anchor_code(row, column)
    keys, group = _grouped(cells.piece, cells.parcel, np.broadcast_to(lattice, cells.piece.shape))
    count = len(keys)
    columns: dict[str, NDArray[np.int64]] = dict(zip(KEYS, keys.T, strict=True))
    columns["cells"] = tallies.group_counts(group, None, count)
    columns["unknown"] = tallies.group_counts(group, cells.unknown, count)
    first = cells.at[tallies.group_firsts(group, count)].astype(np.int64)
    columns["anchor"] = anchor_code(first[:, 0] + window.row, first[:, 1] + window.column)

    def add(name: str, values: NDArray[Any], steps: int) -> None:
        sums, known = tallies.group_sums(group, values, steps, count)
        columns[f"{name}_sum"], columns[f"{name}_n"] = sums, known

    add("surface", cells.suited, STEPS)
    for i, reading in enumerate(readings):
        add(f"e{i}", cells.effective[i], STEPS)
        if reading is not None and reading.value.kind == "categorical":
            for k in range(len(reading.value.scores)):
                columns[f"c{i}_{k}"] = tallies.group_counts(group, cells.measures[i] == k, count)
        else:
            add(f"m{i}", cells.measures[i], measure_steps(reading))
    bits = [tallies.group_bits(group, plane, count) for plane in cells.planes]
    for r in range(rules):
        plane, bit = divmod(r, constraints.RULES_PER_PLANE)
        columns[f"against{r}"] = bits[plane][:, 2 * bit]
        columns[f"unsure{r}"] = bits[plane][:, 2 * bit + 1]
    bins = tallies.group_bins(group, cells.suited, BINS, count)
    columns |= {f"h{b}": bins[:, b] for b in range(BINS)}
    return pd.DataFrame(columns)


def _grouped(
    piece: NDArray[np.int32], parcel: NDArray[np.int32], lattice: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Distinct keys (groups, 3), sorted, and the group of each cell, -1 for a cell of no piece."""
    # Neighbouring cells are mostly alike: runs first, then the few runs are sorted.
    head = np.ones(len(piece), bool)
    head[1:] = (piece[1:] != piece[:-1]) | (parcel[1:] != parcel[:-1])
    head[1:] |= lattice[1:] != lattice[:-1]
    starts = np.flatnonzero(head)
    runs = np.stack([k[starts].astype(np.int64) for k in (piece, parcel, lattice)], axis=1)
    keys, of = np.unique(runs, axis=0, return_inverse=True)
    # Sorted, so a piece of 0 comes first.
    none = int((keys[:, 0] == 0).sum())
    group = np.maximum(of.reshape(-1) - none, -1).astype(np.int32)
    return keys[none:], np.repeat(group, np.diff([*starts, len(piece)]))


def rule_set_table(
    parcel: NDArray[np.int32],
    planes: NDArray[Any],
    treatments: Sequence[Treatment],
    gate: NDArray[np.bool_],
) -> pd.DataFrame:
    """Cells of each parcel by the set of rules that exclude them, one row a set.

    Columns: ``parcel``; ``plane<p>`` (bits of the hard and the lifting rules that
    speak); ``cells``; ``evidence`` (those of them within reach of evidence). From
    it follows what each rule removes, alone and together, in any order.
    """
    masks = np.zeros(len(planes), np.uint64)
    for k, treatment in enumerate(treatments):
        if constraints.is_hard(treatment) or treatment.tier == "include":
            plane, bit = divmod(k, constraints.RULES_PER_PLANE)
            masks[plane] |= np.uint64(1) << np.uint64(2 * bit)
    keys, counts = tallies.runs(parcel, planes, masks, gate)
    table = pd.DataFrame(
        {"parcel": keys[:, 0].astype(np.int64)}
        | {f"plane{p}": keys[:, 1 + p] for p in range(len(planes))}
        | {"cells": counts[:, 0], "evidence": counts[:, 1]}
    )
    return summed_rule_sets([table])


def summed_rule_sets(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Rule-set tables of several tiles as one."""
    whole = pd.concat(tables, ignore_index=True)
    keys = [c for c in whole.columns if c not in ("cells", "evidence")]
    return whole.groupby(keys, sort=True, as_index=False)[["cells", "evidence"]].sum()


def summed_pieces(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Piece tables of several tiles as one: sums, and the first anchor."""
    filled = [t for t in tables if len(t)]
    whole = pd.concat(filled or list(tables[:1]), ignore_index=True)
    grouped = whole.groupby(KEYS, sort=True)
    sums = grouped[[c for c in whole.columns if c not in (*KEYS, "anchor")]].sum()
    sums["anchor"] = grouped["anchor"].min()
    return sums.reset_index()


def border(labels: NDArray[np.int32], parcel: NDArray[np.int32]) -> tuple[NDArray[np.int64], ...]:
    """Labels and parcels along the top, bottom, left and right edge: four (2, n) arrays."""
    edges = (np.s_[0, :], np.s_[-1, :], np.s_[:, 0], np.s_[:, -1])
    return tuple(np.stack([labels[e], parcel[e]]).astype(np.int64) for e in edges)


def quantile_from_bins(counts: NDArray[np.int64], q: float) -> NDArray[np.float64]:
    """Quantile of binned suitability: (n,), the upper edge of the bin it falls in.

    Parameters
    ----------
    counts : (n, BINS)
    q : float, 0 to 1
    """
    total = counts.sum(axis=1)
    wanted = np.ceil(q * total)
    reached = np.cumsum(counts, axis=1) >= wanted[:, None]
    return np.where(total > 0, (reached.argmax(axis=1) + 1) / BINS, np.nan)
