"""Regions of a wanted area grown inside one parcel: good ground in a compact shape."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from math import ceil, isqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from geosite.growth import STEPS, blocked, exchange, merits, next_seed, settled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Cells = NDArray[Any]

SEEDS = 64
"""Places from which regions are grown before the best of them is taken."""
_DIGITS = 9
"""Decimals of the objective that decide; what agrees in them is a tie."""


@dataclass(frozen=True, slots=True)
class Region:
    """A region of the wanted area.

    Attributes
    ----------
    cells : (cells, 2) int64
        Rows and columns, in reading order.
    objective : float
        See `best_regions`, 0 to 1.
    compactness : float
        1 for a disc, 0.955 for a square, less for all that is longer or has holes.
    """

    cells: NDArray[np.int64]
    objective: float
    compactness: float


def best_regions(
    suitability: NDArray[np.float32],
    cells: int,
    *,
    compactness: float = 0.5,
    count: int = 1,
    spacing: float = 0.0,
) -> list[Region]:
    r"""Contiguous regions of so many cells, best first: at most `count`, none if there is no room.

    Parameters
    ----------
    suitability : (rows, columns)
        NaN outside the parcel and where no candidate may be.
    cells : int
        Size of each region.
    compactness : float
        Weight c of the shape, 0 (suitability alone) to 1 (shape alone).
    spacing : float
        Least distance between the edges of two regions [cells].

    Notes
    -----
    The objective of a region of n cells is

    .. math:: J = (1 - c)\,\frac{\bar s}{s_{max}} + c\,\frac{n^2}{2\pi I}

    with the mean suitability of its cells, the largest of the parcel, and the second moment
    of area I about the centroid in cells (a cell has 1/6 of its own). The last term is the
    normalised moment of inertia: one for a disc. A cell at distance d from the middle of a
    nearly round region of radius ρ adds to J in proportion to
    :math:`(1 - c)\,s/s_{max} - 2\,c\,(d/\rho)^2`, so regions grow by always taking the
    neighbour of which this is largest, of equals the nearest to the middle, then the first in
    reading order. Each is then grown again round its own centroid for as long as J rises, and
    cells at its edge are exchanged for better ones beside it or in a hole of it. They are
    started from the best cells and from the middles of the best surroundings, well apart; the
    one with the largest J is kept, its land and the spacing round it are taken away, and so on.
    This finds good regions, not provably the best of all shapes; it finds one wherever
    there is room for one. Nothing depends on the unit of suitability.

    References
    ----------
    Li, W., Goodchild, M. F., Church, R. (2013): An efficient measure of compactness for
    two-dimensional shapes and its application in regionalization problems. International
    Journal of Geographical Information Science 27(6), 1227-1250.

    Examples
    --------
    >>> s = np.array([[0.9, np.nan, 0.5], [np.nan, 0.6, 0.6], [0.2, 0.7, 0.7]], np.float32)
    >>> best_regions(s, 4)[0].cells.tolist()
    [[1, 1], [1, 2], [2, 1], [2, 2]]
    """
    worth = _worth(suitability)
    free = worth >= 0
    found: list[Region] = []
    while len(found) < count:
        some = _candidates(worth, free, cells, compactness, max(SEEDS, 2 * count))
        if not some.kept:
            break
        while len(found) < count and (place := some.popped(free)) is not None:
            found.append(_region(worth, place, compactness))
            _taken_away(free, place, spacing)
    return found


def _worth(suitability: NDArray[np.float32]) -> NDArray[np.int32]:
    # Millionths of the largest, -1 where there is no land; with a border of one cell.
    out = np.full((suitability.shape[0] + 2, suitability.shape[1] + 2), -1, np.int32)
    known = ~np.isnan(suitability)
    if known.any():
        most = float(suitability[known].max()) or 1.0
        out[1:-1, 1:-1][known] = np.rint(suitability[known].astype(np.float64) / most * STEPS)
    return out


class _Candidates:
    """Regions that may overlap, each grown from a seed of its own."""

    def __init__(self, worth: Cells, cells: int, compactness: float) -> None:
        self.worth, self.cells, self.compactness = worth, cells, compactness
        self.kept: list[tuple[tuple[float, float, int], int, int, Cells]] = []
        """A heap by objective, mean, first cell and turn: seed and cells of each."""
        self._stamps = np.zeros(worth.shape, np.int32)
        self._stamp = 0

    def grown(self, free: Cells, seed: int) -> bool:
        """Grow a region from a cell and keep it; land too small for one is never tried again."""
        out = np.empty(self.cells, np.int64)
        size, self._stamp = settled(
            self.worth, free, seed, self.compactness, self._stamps, self._stamp, out
        )
        if size < self.cells:
            free.reshape(-1)[out[:size]] = False
            return False
        self._stamp += 1
        exchange(self.worth, free, self.compactness, self._stamps, self._stamp, out)
        mean, shape = merits(self.worth, out)
        value = (1 - self.compactness) * mean + self.compactness * shape
        key = (-round(value, _DIGITS), -round(mean, _DIGITS), int(out.min()))
        heapq.heappush(self.kept, (key, self._stamp, seed, out))
        return True

    def popped(self, free: Cells) -> Cells | None:
        """Take out the best: (cells, 2) rows and columns in reading order; None if none is left."""
        flat = free.reshape(-1)
        while self.kept:
            _, _, seed, out = heapq.heappop(self.kept)
            if flat[out].all():
                return np.stack(np.divmod(np.sort(out), self.worth.shape[1]), axis=1) - 1
            # What has lost some of its land since is grown again on what is left.
            if flat[seed]:
                self.grown(free, seed)
        return None


def _candidates(
    worth: Cells, free: Cells, cells: int, compactness: float, most: int
) -> _Candidates:
    out = _Candidates(worth, cells, compactness)
    step = isqrt(cells) // 2
    # Half of them where the best surroundings are, half at the best cells themselves.
    for values in (_surroundings(worth, free, step, compactness), np.where(free, worth, -1)):
        taken = ~free
        rank = np.argsort(-values, axis=None, kind="stable")
        rank = rank[: int(np.count_nonzero(free))]
        at, wanted = 0, len(out.kept) + (most + 1) // 2
        while len(out.kept) < wanted:
            at = next_seed(rank, at, taken, free)
            if at == len(rank):
                break
            seed = int(rank[at])
            if out.grown(free, seed):
                r, c = divmod(seed, worth.shape[1])
                taken[max(r - step, 0) : r + step + 1, max(c - step, 0) : c + step + 1] = True
    return out


def _surroundings(worth: Cells, free: Cells, step: int, compactness: float) -> Cells:
    # Sum over a square about as large as a region: no land is worth nothing.
    value = np.rint((1 - compactness) * worth + compactness * STEPS).astype(np.int64)
    total = np.zeros((worth.shape[0] + 2 * step + 1, worth.shape[1] + 2 * step + 1), np.int64)
    total[step + 1 : -step or None, step + 1 : -step or None] = np.where(free, value, 0)
    np.cumsum(total, axis=0, out=total)
    np.cumsum(total, axis=1, out=total)
    side = 2 * step + 1
    found = (
        total[side:, side:] - total[:-side, side:] - total[side:, :-side] + total[:-side, :-side]
    )
    return np.where(free, found, -1)


def _region(worth: Cells, place: Cells, compactness: float) -> Region:
    flat = (place[:, 0] + 1) * worth.shape[1] + place[:, 1] + 1
    mean, shape = merits(worth, flat)
    value = (1 - compactness) * mean + compactness * shape
    return Region(place, float(value), float(shape))


def _taken_away(free: Cells, place: Cells, spacing: float) -> None:
    # Cells of the region, and those whose edges are nearer to its edges than the spacing.
    most = ceil(spacing)
    around = np.arange(-most, most + 1)
    gap = np.maximum(np.abs(around) - 1, 0) ** 2
    near = gap[:, None] + gap[None, :] < spacing**2 - 1e-9
    near[most, most] = True
    blocked(free, place + 1, np.argwhere(near) - most)
