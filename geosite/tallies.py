"""Counts and sums of cells by group: compiled loops over whole numbers.

Coverage tools cannot look into them; tests compare each with a plain oracle.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

Cells = NDArray[Any]


@numba.njit(cache=True, nogil=True)
def _counts(group: Cells, where: Cells, out: Cells) -> None:  # pragma: no cover - compiled
    for i in range(group.shape[0]):
        if group[i] >= 0 and where[i]:
            out[group[i]] += 1


def group_counts(
    group: NDArray[np.int32], where: NDArray[np.bool_] | None, count: int
) -> NDArray[np.int64]:
    """Number of cells of each group, or of those that are marked: (groups,).

    Parameters
    ----------
    group : (cells,) int32
        From 0; -1 is none.
    count : int
        Number of groups.
    """
    out = np.zeros(count, np.int64)
    _counts(group, np.ones(len(group), bool) if where is None else where, out)
    return out


@numba.njit(cache=True, nogil=True)
def _sums(
    group: Cells, values: Cells, steps: float, sums: Cells, known: Cells
) -> None:  # pragma: no cover - compiled
    for i in range(group.shape[0]):
        v = np.float64(values[i])
        if group[i] >= 0 and not np.isnan(v):
            sums[group[i]] += np.int64(np.rint(v * steps))
            known[group[i]] += 1


def group_sums(
    group: NDArray[np.int32], values: NDArray[np.floating[Any]], steps: int, count: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Sum of the values in whole steps and number of known values, of each group: (groups,).

    Parameters
    ----------
    values : (cells,)
        NaN where not known.
    steps : int
        Steps a unit; each value is rounded to them before it is added.
    """
    sums, known = np.zeros(count, np.int64), np.zeros(count, np.int64)
    _sums(group, values, float(steps), sums, known)
    return sums, known


@numba.njit(cache=True, nogil=True)
def _bits(group: Cells, words: Cells, out: Cells) -> None:  # pragma: no cover - compiled
    for i in range(group.shape[0]):
        word = np.uint64(words[i])
        k = 0
        while group[i] >= 0 and word:
            if word & np.uint64(1):
                out[group[i], k] += 1
            word >>= np.uint64(1)
            k += 1


def group_bits(group: NDArray[np.int32], words: NDArray[Any], count: int) -> NDArray[np.int64]:
    """How many cells of each group have each bit set: (groups, 64)."""
    out = np.zeros((count, 64), np.int64)
    _bits(group, words, out)
    return out


@numba.njit(cache=True, nogil=True)
def _bins(group: Cells, values: Cells, out: Cells) -> None:  # pragma: no cover - compiled
    bins = out.shape[1]
    for i in range(group.shape[0]):
        v = np.float64(values[i])
        if group[i] >= 0 and not np.isnan(v):
            out[group[i], min(np.int64(v * bins), bins - 1)] += 1


def group_bins(
    group: NDArray[np.int32], values: NDArray[np.floating[Any]], bins: int, count: int
) -> NDArray[np.int64]:
    """Histogram of values from 0 to 1 of each group: (groups, bins)."""
    out = np.zeros((count, bins), np.int64)
    _bins(group, values, out)
    return out


def group_firsts(group: NDArray[np.int32], count: int) -> NDArray[np.int64]:
    """Place of the first cell of each group in the list: (groups,)."""
    out = np.zeros(count, np.int64)
    # Written from the last to the first, so that the first one stays.
    places = np.flatnonzero(group[::-1] >= 0)
    out[group[::-1][places]] = len(group) - 1 - places
    return out


@numba.njit(cache=True, nogil=True)
def _runs(
    parcel: Cells, planes: Cells, masks: Cells, gate: Cells, keys: Cells, counts: Cells
) -> int:  # pragma: no cover - compiled
    n = -1
    for r in range(parcel.shape[0]):
        for c in range(parcel.shape[1]):
            p = parcel[r, c]
            if p == 0:
                continue
            same = n >= 0 and keys[n, 0] == np.uint64(p)
            for k in range(planes.shape[0]):
                word = np.uint64(planes[k, r, c]) & masks[k]
                same = same and keys[n, k + 1] == word
            if not same:
                n += 1
                if n == keys.shape[0]:
                    return -1
                keys[n, 0] = p
                for k in range(planes.shape[0]):
                    keys[n, k + 1] = np.uint64(planes[k, r, c]) & masks[k]
                counts[n, 0] = counts[n, 1] = 0
            counts[n, 0] += 1
            counts[n, 1] += gate[r, c]
    return n + 1


def runs(
    parcel: NDArray[np.int32],
    planes: NDArray[Any],
    masks: NDArray[np.uint64],
    gate: NDArray[np.bool_],
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Runs of cells of one parcel and one set of bits, in reading order.

    Parameters
    ----------
    parcel : (rows, columns)
        Cells of parcel 0 are passed over.
    planes : (planes, rows, columns)
    masks : (planes,)
        Bits that count.
    gate : (rows, columns) bool

    Returns
    -------
    keys : (runs, 1 + planes)
        Parcel and bits.
    counts : (runs, 2)
        Cells, and those of them that are marked by the gate.
    """
    room = 65_536
    while True:
        keys = np.empty((room, 1 + len(planes)), np.uint64)
        counts = np.empty((room, 2), np.int64)
        found = _runs(parcel, planes, masks, gate, keys, counts)
        if found >= 0:
            return keys[:found], counts[:found]
        room *= 4
