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

from geosite import constraints

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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
    """The candidate cells of a window: n cells, listed row by row.

    Attributes
    ----------
    at : (n, 2) row and column in the window
    piece, parcel : (n,)
    unknown : (n,) bool
        Whether a hard rule cannot tell.
    measures, effective : (criteria, n)
        NaN where not known.
    suited : (n,)
        Suitability of the cell.
    planes : (planes, n) uint64
    """

    window: Grid
    at: NDArray[np.int64]
    piece: NDArray[np.int32]
    parcel: NDArray[np.int32]
    unknown: NDArray[np.bool_]
    measures: NDArray[np.float64]
    effective: NDArray[np.float64]
    suited: NDArray[np.float64]
    planes: NDArray[np.uint64]


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
    row = cells.at[:, 0] + cells.window.row
    column = cells.at[:, 1] + cells.window.column
    lattice = np.zeros(len(row), np.int64)
    if max_area is not None:
        step = lattice_step(max_area, cells.window.resolution)
        lattice = anchor_code(row // step, column // step)
    order = np.lexsort((lattice, cells.parcel, cells.piece))
    keys = np.stack([cells.piece, cells.parcel, lattice]).astype(np.int64)[:, order]
    columns: dict[str, NDArray[np.int64]] = {}
    if not len(order):
        starts = np.empty(0, np.int64)
    else:
        changes = np.flatnonzero((keys[:, 1:] != keys[:, :-1]).any(axis=0)) + 1
        starts = np.concatenate([[0], changes])
    for name, key in zip(KEYS, keys, strict=True):
        columns[name] = key[starts]

    def summed(name: str, values: NDArray[Any]) -> None:
        ordered = np.asarray(values, np.int64)[order]
        columns[name] = np.add.reduceat(ordered, starts) if len(starts) else ordered

    summed("cells", np.ones(len(row), np.int64))
    summed("unknown", cells.unknown)
    codes = anchor_code(row, column)[order]
    columns["anchor"] = np.minimum.reduceat(codes, starts) if len(starts) else codes
    _add_values(summed, "surface", cells.suited, STEPS)
    for i, reading in enumerate(readings):
        _add_values(summed, f"e{i}", cells.effective[i], STEPS)
        if reading is not None and reading.value.kind == "categorical":
            for k in range(len(reading.value.scores)):
                summed(f"c{i}_{k}", cells.measures[i] == k)
        else:
            _add_values(summed, f"m{i}", cells.measures[i], measure_steps(reading))
    for r in range(rules):
        summed(f"against{r}", constraints.against_bits(cells.planes, r))
        summed(f"unsure{r}", constraints.unsure_bits(cells.planes, r))
    with np.errstate(invalid="ignore"):
        bins = np.where(np.isnan(cells.suited), -1, np.minimum(cells.suited * BINS, BINS - 1))
    bins = bins.astype(np.int64)
    group = np.empty(len(order), np.int64)
    group[order] = np.repeat(np.arange(len(starts)), np.diff([*starts, len(order)]))
    counts = np.zeros((len(starts), BINS), np.int64)
    known = bins >= 0
    np.add.at(counts, (group[known], bins[known]), 1)
    columns |= {f"h{b}": counts[:, b] for b in range(BINS)}
    return pd.DataFrame(columns)


def _add_values(
    summed: Callable[[str, NDArray[Any]], None], name: str, values: NDArray[np.float64], steps: int
) -> None:
    known = ~np.isnan(values)
    whole = np.rint(np.where(known, values, 0.0) * steps).astype(np.int64)
    summed(f"{name}_sum", whole)
    summed(f"{name}_n", known)


def rule_set_table(
    parcel: NDArray[np.int32],
    planes: NDArray[np.uint64],
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
    flat = [
        parcel.ravel().astype(np.uint64),
        *((p & m).ravel() for p, m in zip(planes, masks, strict=True)),
    ]
    # Neighbouring cells are mostly alike: runs first, then the few runs are sorted.
    change = np.zeros(parcel.size, bool)
    change[:1] = True
    for values in flat:
        change[1:] |= values[1:] != values[:-1]
    starts = np.flatnonzero(change)
    cells = np.diff([*starts, parcel.size])
    evidence = np.add.reduceat(gate.ravel().astype(np.int64), starts) if len(starts) else cells
    table = pd.DataFrame(
        {"parcel": flat[0][starts].astype(np.int64)}
        | {f"plane{p}": v[starts] for p, v in enumerate(flat[1:])}
        | {"cells": cells, "evidence": evidence}
    )
    return summed_rule_sets([table[table["parcel"] > 0]])


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
