"""The shape of the land: parallel ranges and basins, and where things lie between them.

Everything hangs on one coordinate, `u`: it grows by one from range to range.
A basin's axis is at u = k + ½, a crest at u = k, a range front between. A road
or a river along a basin is a line of constant u, a fault is a front's, so that
all of them agree with the ground without looking at it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from geosite.demo.noise import Noise, hashed

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


ORIGIN = (-1_890_000.0, 1_710_000.0)
"""Lower-left corner of every world, EPSG:5070 [m]; divisible by 30, 90, 100, 250 and 1000 m."""

SPACING = 26_000.0
"""From one range to the next [m]."""

TILT = 0.22
"""Eastward step of the ranges for a step northwards: they run north by west."""

FRONT = 0.15
"""Distance from a basin's axis to the foot of the range, in u."""

FAULT = 0.215
"""Distance from a basin's axis to the faults of the range front, in u."""

PASS_SPACING = 100_000.0
"""From one east–west corridor to the next [m]."""

_ROUGHNESS = ((6000.0, 370.0), (3000.0, 250.0), (1500.0, 165.0), (750.0, 95.0), (375.0, 48.0))
"""Wavelength and amplitude of the fractal detail [m]."""


@dataclass(frozen=True, slots=True)
class Terrain:
    """Elevation of a seeded world, anywhere on the plane."""

    seed: int

    def elevation(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
        """Elevation over a grid of coordinates, (y, x) [m]."""
        return self._height(x[None, :], y[:, None], lambda n: n.on_grid(x, y), detail=True)

    def elevation_at(self, x: Any, y: Any, *, detail: bool = True) -> NDArray[np.float64]:
        """Elevation at points [m]; without detail, the large forms only."""
        x, y = np.broadcast_arrays(np.asarray(x, float), np.asarray(y, float))
        return self._height(x, y, lambda n: n.at(x, y), detail=detail)

    def u_at(self, x: Any, y: Any) -> NDArray[np.float64]:
        """Position across the ranges at points."""
        x, y = np.broadcast_arrays(np.asarray(x, float), np.asarray(y, float))
        return self._u(x, y, lambda n: n.at(x, y))

    def x_at(self, u: Any, y: Any) -> NDArray[np.float64]:
        """Easting of points given across the ranges and north [m].

        Notes
        -----
        A fixed-point iteration: the warp's slope stays below 0.6 and mostly below
        0.3, so 20 rounds settle to less than a metre, mostly to a millimetre.
        """
        u, y = np.broadcast_arrays(np.asarray(u, float), np.asarray(y, float))
        straight = u * SPACING - TILT * y
        x = straight.copy()
        for _ in range(20):
            x = straight - self._warp(partial(Noise.at, x=x, y=y))
        return np.asarray(x)

    def corridor_at(self, j: Any, x: Any) -> NDArray[np.float64]:
        """Northing of the j-th east–west corridor at eastings [m]: the ranges are low there."""
        j, x = np.broadcast_arrays(np.asarray(j, np.int64), np.asarray(x, float))
        # The first corridor is near the origin, so that the smallest world has one.
        offset = np.where(j == 0, 10_000.0, 15_000.0 + 70_000.0 * hashed(self.seed, 31, j, j))
        meander = Noise(self.seed, 32, 40_000.0).at(x, j * 1e6) * 4_000.0
        return np.asarray(ORIGIN[1] + j * PASS_SPACING + offset + meander)

    def floor_at(self, x: Any, y: Any) -> NDArray[np.float64]:
        """Elevation of the basin floors, ranges left out [m]."""
        x, y = np.broadcast_arrays(np.asarray(x, float), np.asarray(y, float))
        return self._base(lambda n: n.at(x, y))

    def relief_at(self, x: Any, y: Any) -> NDArray[np.float64]:
        """Height of the range that a point belongs to, above its basins [m]."""
        x, y = np.broadcast_arrays(np.asarray(x, float), np.asarray(y, float))
        return self._relief(x, y, lambda n: n.at(x, y))

    def _u(self, x: Any, y: Any, read: Callable[[Noise], Any]) -> NDArray[np.float64]:
        return np.asarray((x + TILT * y + self._warp(read)) / SPACING)

    def _warp(self, read: Callable[[Noise], Any]) -> NDArray[np.float64]:
        wide = read(Noise(self.seed, 1, 90_000.0)) * 8_000.0
        return np.asarray(wide + read(Noise(self.seed, 2, 28_000.0)) * 2_500.0)

    def _base(self, read: Callable[[Noise], Any]) -> NDArray[np.float64]:
        wide = 1450.0 + read(Noise(self.seed, 3, 260_000.0)) * 350.0
        return np.asarray(wide + read(Noise(self.seed, 4, 60_000.0)) * 130.0)

    def _relief(self, x: Any, y: Any, read: Callable[[Noise], Any]) -> NDArray[np.float64]:
        relief = 980.0 + read(Noise(self.seed, 5, 48_000.0)) * 950.0
        if not np.size(y):
            return np.asarray(relief)
        first = int((np.min(y) - ORIGIN[1]) // PASS_SPACING) - 1
        last = int((np.max(y) - ORIGIN[1]) // PASS_SPACING) + 1
        for j in range(first, last + 1):
            away = (y - self.corridor_at(j, x)) / 4_500.0
            relief = relief * (1 - 0.85 * np.exp(-np.minimum(away * away, 60.0)))
        return np.asarray(np.maximum(relief, 40.0))

    def _height(
        self, x: Any, y: Any, read: Callable[[Noise], Any], *, detail: bool
    ) -> NDArray[np.float64]:
        u = self._u(x, y, read)
        away = np.abs(u - np.floor(u) - 0.5)
        t = np.clip((away - FRONT) / (0.5 - FRONT), 0.0, 1.0)
        rise = t * (2 - t)
        fan = np.clip((away - 0.07) / (FRONT - 0.07), 0.0, 1.0)
        relief = self._relief(x, y, read)
        height = self._base(read) + 170.0 * fan * fan + relief * rise
        if not detail:
            return np.asarray(height)
        wash = away * SPACING / 350.0
        height = height - 9.0 * np.exp(-np.minimum(wash * wash, 60.0))
        rough = (0.085 + 0.915 * rise) * np.minimum(0.25 + relief / 1200.0, 1.2)
        for channel, (wavelength, amplitude) in enumerate(_ROUGHNESS, start=10):
            height = height + read(Noise(self.seed, channel, wavelength)) * (amplitude * rough)
        return np.asarray(height)
