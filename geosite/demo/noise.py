"""Seeded value noise on the whole plane: the same number at a place whatever window asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MULTIPLIERS = (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)


def hashed(seed: int, channel: int, i: NDArray[Any], j: NDArray[Any]) -> NDArray[np.float64]:
    """Numbers in [0, 1) that depend on a seed, a channel and two integers, and on nothing else.

    Notes
    -----
    The finaliser of SplitMix64 over the three, with 53 bits kept.
    """
    a, b, c = (np.uint64(m) for m in _MULTIPLIERS)
    i, j = np.broadcast_arrays(np.asarray(i, np.int64), np.asarray(j, np.int64))
    key = np.full(i.shape, (seed * 1_000_003 + channel * 7919) % 2**63, np.uint64)
    for part in (i.view(np.uint64), j.view(np.uint64)):
        key = (key ^ part) * a + c
        key = (key ^ (key >> np.uint64(30))) * b
        key = (key ^ (key >> np.uint64(27))) * c
        key ^= key >> np.uint64(31)
    found: NDArray[np.float64] = (key >> np.uint64(11)).astype(np.float64) / 2.0**53
    return found


@dataclass(frozen=True, slots=True)
class Noise:
    """A smooth random surface between −1 and 1.

    Parameters
    ----------
    seed, channel : int
        Two surfaces that differ in either have nothing in common.
    wavelength : float
        Spacing of the random values [m].
    """

    seed: int
    channel: int
    wavelength: float

    def on_grid(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
        """Surface at every pair of coordinates, (y, x)."""
        i, wx = self._position(x)
        j, wy = self._position(y)
        values = self._lattice(i, j)
        i, j = i - i.min(), j - j.min()
        along = values[:, i] * (1 - wx) + values[:, i + 1] * wx
        return np.asarray(along[j] * (1 - wy[:, None]) + along[j + 1] * wy[:, None])

    def at(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
        """Surface at points."""
        x, y = np.broadcast_arrays(np.asarray(x, float), np.asarray(y, float))
        if not x.size:
            return np.zeros(x.shape)
        i, wx = self._position(x)
        j, wy = self._position(y)
        values = self._lattice(i, j)
        i, j = i - i.min(), j - j.min()
        low = values[j, i] * (1 - wx) + values[j, i + 1] * wx
        high = values[j + 1, i] * (1 - wx) + values[j + 1, i + 1] * wx
        return np.asarray(low * (1 - wy) + high * wy)

    def _position(self, x: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Index of the lattice value before a coordinate, and the weight of the one after."""
        # Half a step off, so that no lattice value of any wavelength lies at the origin.
        steps = x / self.wavelength + 0.5
        before = np.floor(steps)
        t = steps - before
        return before.astype(np.int64), t * t * (3 - 2 * t)

    def _lattice(self, i: NDArray[np.int64], j: NDArray[np.int64]) -> NDArray[np.float64]:
        columns = np.arange(i.min(), i.max() + 2)
        rows = np.arange(j.min(), j.max() + 2)
        return hashed(self.seed, self.channel, columns[None, :], rows[:, None]) * 2 - 1
