"""Sums of records round every cell, under Gaussian kernels with a hole in the middle."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geosite.grid import Grid

CUT = 3.5
"""Kernels end at this many standard deviations."""
FLOOR = 1e-6
"""Share of the largest sum below which a sum is the transform's rounding, so zero."""


def reach(widths: tuple[float, ...]) -> float:
    """Distance beyond which no record counts [m].

    Examples
    --------
    >>> reach((4000.0, 32000.0))
    112000.0
    """
    return CUT * max(widths)


class RingSums:
    """Kernel sums on one grid, by fast Fourier transform; kernels are kept.

    A record of weight 1 at the centre of a cell adds exp(−r²/2s²) to a cell at the
    distance r: at most 1, whatever the width s, and 0 within the hole and beyond
    `CUT` widths. Records outside the grid count as far as they reach in.
    """

    def __init__(self, grid: Grid, widths: tuple[float, ...]) -> None:
        """Lay the margin that the widest kernel needs."""
        from scipy import fft  # noqa: PLC0415 -- slow to import

        self.grid = grid
        self.margin = int(np.ceil(reach(widths) / grid.resolution))
        self.padded = tuple(fft.next_fast_len(n + 2 * self.margin, real=True) for n in grid.shape)
        self._kernels: dict[tuple[float, float], NDArray[np.complex64]] = {}

    def spectrum(
        self, xy: NDArray[np.float64], weights: NDArray[np.float64] | None = None
    ) -> NDArray[np.complex64]:
        """Transform of records at (x, y) [m], ready for `summed`."""
        from scipy import fft  # noqa: PLC0415 -- slow to import

        left, _, _, top = self.grid.bounds
        rows, columns = (n + 2 * self.margin for n in self.grid.shape)
        column = np.floor((xy[:, 0] - left) / self.grid.resolution).astype(int) + self.margin
        row = np.floor((top - xy[:, 1]) / self.grid.resolution).astype(int) + self.margin
        near = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
        flat = row[near] * self.padded[1] + column[near]
        given = None if weights is None else weights[near]
        counts = np.bincount(flat, given, minlength=self.padded[0] * self.padded[1])
        return fft.rfft2(counts.reshape(self.padded).astype(np.float32))  # type: ignore[no-any-return]

    def summed(
        self, spectrum: NDArray[np.complex64], width: float, hole: float
    ) -> NDArray[np.float32]:
        """Sums of the records farther than `hole` [m] from each cell, (y, x)."""
        from scipy import fft  # noqa: PLC0415 -- slow to import

        product = spectrum * self._kernel(width, hole)
        rows, columns = self.grid.shape
        m = self.margin
        sums = fft.irfft2(product, s=self.padded)[m : m + rows, m : m + columns]
        sums[sums < FLOOR * max(float(sums.max()), 1.0)] = 0
        return np.ascontiguousarray(sums, np.float32)

    def _kernel(self, width: float, hole: float) -> NDArray[np.complex64]:
        from scipy import fft  # noqa: PLC0415 -- slow to import

        if (width, hole) not in self._kernels:
            steps = [np.minimum(np.arange(n), n - np.arange(n)) for n in self.padded]
            r = self.grid.resolution * np.hypot(*np.meshgrid(*steps, indexing="ij", sparse=True))
            kernel = np.exp(-0.5 * (r / width) ** 2)
            # Half a cell more: a record and a place are known to their cells only.
            kernel[(r > CUT * width) | ((r <= hole + self.grid.resolution / 2) & (hole > 0))] = 0
            self._kernels[width, hole] = fft.rfft2(kernel.astype(np.float32))
        return self._kernels[width, hole]
