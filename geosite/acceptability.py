"""How acceptable a rank is: what share of all weightings put a site among the first k, and where.

Stochastic multicriteria acceptability analysis of the decision matrix: weightings are drawn
about the stated one, and each ranks the same sites.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numba
import numpy as np
from numpy.typing import NDArray

from geosite.reweighting import ranks, suitabilities

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from geosite.model.combination import Combination
    from geosite.suitability import Missing

Cells = NDArray[Any]

LOW, HIGH = 0.05, 0.95
"""Quantiles between which nine weightings in ten lie."""
_BLOCK = 2_000_000
"""Most scores that are held at once."""
_COUNTS = 2 << 27
"""Most bytes for the counts of ranks."""
_THREADS = 4


@dataclass(frozen=True, slots=True)
class Acceptability:
    """What many weightings make of each site; ranks from 1.

    Attributes
    ----------
    top : (sites, lists)
        Share of the weightings in which the site is among the first k, 0–1, of each list's k.
    first : (sites,)
        Share of the weightings in which it is the first.
    low, high : (sites,) int
        Smallest rank that 5 % and 95 % of the weightings do not exceed.
    expected : (sites,)
        Mean rank.
    central : (sites, criteria)
        Mean of the weightings in which it is among the first of the shortest list: who
        weighs so, likes this site. NaN where there is none.
    """

    top: NDArray[np.float64]
    first: NDArray[np.float64]
    low: NDArray[np.int64]
    high: NDArray[np.int64]
    expected: NDArray[np.float64]
    central: NDArray[np.float64]


def acceptability(
    scores: NDArray[np.float64],
    weightings: NDArray[np.float64],
    combination: Combination,
    ids: Sequence[str],
    *,
    missing: Missing,
    top: Sequence[int],
) -> Acceptability:
    r"""Share of the weightings in which each site is among the first, and the ranks it takes.

    Parameters
    ----------
    scores : (criteria, sites), 0 to 1
        The decision matrix, sites in the order of their ids, by which ties are broken.
    weightings : (weightings, criteria)
        From `reweighting.drawn_weights`.
    ids : criterion ids
    top : sequence of int
        Lengths k of the lists.

    Notes
    -----
    With :math:`\mathrm{rank}_i(w)` the rank of site i under the weighting w, drawn D times,

    .. math::
        b_i^k = \frac{1}{D} \, |\{w : \mathrm{rank}_i(w) \le k\}| \qquad
        w_i^c = \mathrm{mean}\{w : \mathrm{rank}_i(w) \le k\}

    Ranks are exact and counts are whole numbers, so the result does not depend on how many
    threads there are. Quantiles are exact too: of very many sites the ranks are counted in
    bins first, and in the bin of the quantile a second time.

    References
    ----------
    Lahdelma & Salminen (2001), SMAA-2: stochastic multicriteria acceptability analysis for
    group decision making, Operations Research 49(3), 444–454,
    doi:10.1287/opre.49.3.444.11220. There a central weight belongs to the first rank; here
    to the shortest list, since of many sites few are ever first.
    """
    draws, sites = len(weightings), scores.shape[1]
    if not sites:
        none, whole = np.empty(0), np.empty(0, np.int64)
        return Acceptability(
            np.empty((0, len(top))), none, whole, whole, none, np.empty((0, len(scores)))
        )
    found = _Counts.empty(sites, weightings.shape, top)
    with ThreadPoolExecutor(min(_THREADS, os.cpu_count() or 1)) as pool:

        def ranked() -> Iterator[tuple[NDArray[np.float64], NDArray[np.int32]]]:
            return _blocks(pool, scores, weightings, combination, ids, missing)

        for drawn, block in ranked():
            _spread(pool, sites, partial(found.add, drawn, block))
        low, high = (_quantile(pool, found, draws, q, ranked) for q in (LOW, HIGH))
    often = found.top[:, [int(np.argmin(top))]]
    with np.errstate(invalid="ignore", divide="ignore"):
        central = np.where(often > 0, found.central / often, np.nan)
    return Acceptability(
        found.top / draws, found.first / draws, low, high, found.sums / draws, central
    )


@dataclass(frozen=True, slots=True)
class _Counts:
    # Counts of ranks in bins of 2^shift, and what is summed beside them.
    shift: int
    bins: NDArray[Any]
    top: NDArray[np.int64]
    first: NDArray[np.int64]
    sums: NDArray[np.int64]
    central: NDArray[np.float64]
    lists: NDArray[np.int64]

    @classmethod
    def empty(cls, sites: int, drawn: tuple[int, ...], top: Sequence[int]) -> _Counts:
        draws, criteria = drawn
        kind = np.uint16 if draws <= np.iinfo(np.uint16).max else np.uint32
        most = max(_COUNTS // (sites * np.dtype(kind).itemsize), 1)
        shift = 0
        while (sites - 1) >> shift >= most:
            shift += 1
        return cls(
            shift,
            np.zeros((sites, ((sites - 1) >> shift) + 1), kind),
            np.zeros((sites, len(top)), np.int64),
            np.zeros(sites, np.int64),
            np.zeros(sites, np.int64),
            np.zeros((sites, criteria)),
            np.array(top, np.int64),
        )

    def add(
        self, drawn: NDArray[np.float64], block: NDArray[np.int32], begin: int, end: int
    ) -> None:
        """Count the ranks of some sites in a block of weightings."""
        _tally(
            block, drawn, begin, end, self.shift, self.lists,
            self.bins, self.top, self.first, self.sums, self.central,
        )  # fmt: skip


@numba.njit(cache=True, nogil=True)
def _tally(
    block: Cells, drawn: Cells, begin: int, end: int, shift: int, lists: Cells,
    bins: Cells, top: Cells, first: Cells, sums: Cells, central: Cells,
) -> None:  # pragma: no cover - compiled  # fmt: skip
    least, most = lists.min(), lists.max()
    for s in range(begin, end):
        for d in range(block.shape[1]):
            rank = block[s, d]
            bins[s, (rank - 1) >> shift] += 1
            sums[s] += rank
            if rank <= most:
                for k in range(lists.shape[0]):
                    if rank <= lists[k]:
                        top[s, k] += 1
                if rank <= least:
                    for i in range(drawn.shape[1]):
                        central[s, i] += drawn[d, i]
                if rank == 1:
                    first[s] += 1


@numba.njit(cache=True, nogil=True)
def _tally_within(
    block: Cells, lowest: Cells, fine: Cells, begin: int, end: int
) -> None:  # pragma: no cover - compiled
    width = fine.shape[1]
    for s in range(begin, end):
        for d in range(block.shape[1]):
            at = block[s, d] - lowest[s]
            if 0 <= at < width:
                fine[s, at] += 1


def _quantile(
    pool: ThreadPoolExecutor,
    found: _Counts,
    draws: int,
    share: float,
    ranked: Callable[[], Iterator[tuple[NDArray[np.float64], NDArray[np.int32]]]],
) -> NDArray[np.int64]:
    # So many weightings are at this rank or a better one; less a hair, for 0.05 × draws is
    # no whole number in binary.
    need = int(np.ceil(share * draws - 1e-6))
    sites = len(found.bins)
    bin_, before = np.empty(sites, np.int64), np.empty(sites, np.int64)
    _reached(found.bins, np.full(sites, need), bin_, before)
    if not found.shift:
        return bin_ + 1
    lowest = (bin_ << found.shift) + 1
    fine = np.zeros((sites, 1 << found.shift), found.bins.dtype)
    for _, block in ranked():
        _spread(pool, sites, partial(_tally_within, block, lowest, fine))
    at = np.empty(sites, np.int64)
    _reached(fine, need - before, at, before)
    return np.asarray(lowest + at)


@numba.njit(cache=True, nogil=True)
def _reached(
    counts: Cells, need: Cells, at: Cells, before: Cells
) -> None:  # pragma: no cover - compiled
    for s in range(counts.shape[0]):
        total, k = 0, 0
        while total + counts[s, k] < need[s]:
            total += counts[s, k]
            k += 1
        at[s], before[s] = k, total


def _blocks(
    pool: ThreadPoolExecutor,
    scores: NDArray[np.float64],
    weightings: NDArray[np.float64],
    combination: Combination,
    ids: Sequence[str],
    missing: Missing,
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.int32]]]:
    # Weightings and the ranks that they give, so many at a time as fit.
    step = int(min(max(_BLOCK // scores.shape[1], 8), 1024))

    def part(w: NDArray[np.float64]) -> NDArray[np.int32]:
        return ranks(suitabilities(scores, w, combination, ids, missing=missing))

    for k in range(0, len(weightings), step):
        drawn = weightings[k : k + step]
        parts = [p for p in np.array_split(drawn, _THREADS) if len(p)]
        yield np.ascontiguousarray(drawn), np.hstack(list(pool.map(part, parts)))


def _spread(pool: ThreadPoolExecutor, sites: int, work: Callable[[int, int], None]) -> None:
    # Each thread has sites of its own, so that no two of them write to one place.
    edges = np.linspace(0, sites, _THREADS + 1).astype(int).tolist()
    list(pool.map(work, edges[:-1], edges[1:]))
