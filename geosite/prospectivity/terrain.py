"""Terrain as a sign of ore: what of the elevation says more than its height."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_KNOWN = 0.05
"""Share of known ground round a place below which its terrain is unknown."""


def terrain(elevation: NDArray[np.float32], cell: float) -> dict[str, NDArray[np.float32]]:
    """Relief, slope and position of every cell, at scales of kilometres.

    Parameters
    ----------
    elevation : (y, x) float32
        Metres, NaN unknown.
    cell : float
        Edge of a cell [m].

    Returns
    -------
    dict of (y, x) float32
        ``relief_5km``: standard deviation of the elevation under a Gaussian of 5 km
        [m]; ``slope_1500m``: slope of the elevation smoothed by 1.5 km [m/m];
        ``position_20km`` and ``position_60km``: height above the mean of the
        surroundings [m], negative in basins. NaN where too little is known.

    Notes
    -----
    The position is the topographic position index, z − mean(z), under Gaussian weights.

    Examples
    --------
    >>> flat = terrain(np.full((4, 4), 1200.0, np.float32), 1000.0)
    >>> sorted(flat)
    ['position_20km', 'position_60km', 'relief_5km', 'slope_1500m']
    >>> float(flat["relief_5km"].max())
    0.0
    """
    known = np.isfinite(elevation)
    base = float(np.mean(elevation[known])) if known.any() else 0.0
    filled = np.where(known, elevation - base, 0.0)
    near = _mean(filled, known, 2000 / cell)
    smooth = _mean(filled, known, 1500 / cell)
    middle = _mean(filled, known, 5000 / cell)
    spread = _mean(filled**2, known, 5000 / cell) - middle**2
    slope = np.hypot(*np.gradient(smooth, cell)) if min(elevation.shape) > 1 else 0 * smooth
    found = {
        "relief_5km": np.sqrt(np.maximum(spread, 0)),
        "slope_1500m": slope,
        "position_20km": near - _mean(filled, known, 20_000 / cell),
        "position_60km": near - _mean(filled, known, 60_000 / cell),
    }
    return {name: a.astype(np.float32) for name, a in found.items()}


def _mean(
    values: NDArray[np.floating], known: NDArray[np.bool_], sigma: float
) -> NDArray[np.float64]:
    from scipy.ndimage import gaussian_filter  # noqa: PLC0415 -- slow to import

    share = gaussian_filter(known.astype(np.float64), sigma, mode="constant")
    total = gaussian_filter(values.astype(np.float64), sigma, mode="constant")
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(share > LEAST_KNOWN * min(1.0, share.max()), total / share, np.nan)
