"""The land that is judged: its cells, the state of each, and what is known of its geology."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from geosite.errors import CoverageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from geosite.grid import Grid


@dataclass(frozen=True, slots=True)
class Ground:
    """Land on a coarse grid, by the state that recorded its deposits.

    Parameters
    ----------
    grid : Grid
        Equal-area, cells of about 1 km.
    land : (y, x) bool
        Cells that are judged and stand for the background.
    state : (y, x) int16
        Whose survey recorded there; 0 where nobody's, which is judged apart.
    covariates : mapping of name to (y, x) float32
        Geology and terrain; NaN is unknown and never zero.

    Raises
    ------
    CoverageError
        If an array does not fit the grid, or there is no land.
    """

    grid: Grid
    land: NDArray[np.bool_]
    state: NDArray[np.int16]
    covariates: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse arrays of another shape, all at once."""
        arrays = {"land": self.land, "state": self.state, **self.covariates}
        wrong = [f"{n} {a.shape}" for n, a in arrays.items() if a.shape != self.grid.shape]
        if wrong:
            msg = (
                f"ground: {', '.join(wrong)} on a grid of {self.grid.shape} cells; "
                "bring every array to the grid of the evidence surface"
            )
            raise CoverageError(msg)
        if not self.land.any():
            msg = "ground: no cell is land, so nothing can be judged; widen the AOI"
            raise CoverageError(msg)

    @property
    def states(self) -> NDArray[np.int16]:
        """State of every land cell, in the order of the cells."""
        return self.state[self.land]

    def cells_of(self, xy: NDArray[np.float64]) -> NDArray[np.int64]:
        """Place of each point among the land cells, −1 off the land."""
        rows, columns = self.grid.shape
        left, _, _, top = self.grid.bounds
        column = np.floor((xy[:, 0] - left) / self.grid.resolution).astype(np.int64)
        row = np.floor((top - xy[:, 1]) / self.grid.resolution).astype(np.int64)
        inside = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
        flat = np.where(inside, row * columns + column, 0)
        order = np.cumsum(self.land.ravel()) - 1
        return np.where(inside & self.land.ravel()[flat], order[flat], -1)

    def surface(self, values: NDArray[np.floating]) -> NDArray[np.float32]:
        """Values of the land cells as a (y, x) surface, NaN off the land."""
        out = np.full(self.grid.shape, np.nan, np.float32)
        out[self.land] = values
        return out


def ranks_within(values: NDArray[np.floating], states: NDArray[np.integer]) -> NDArray[np.float32]:
    """Share of its state's land that each cell is better than, ties by halves, 0–1.

    Examples
    --------
    >>> ranks_within(np.array([3.0, 1.0, 9.0, 1.0]), np.array([1, 1, 2, 1])).round(2).tolist()
    [0.8299999833106995, 0.33000001311302185, 0.5, 0.33000001311302185]
    """
    out = np.empty(len(values), np.float32)
    for state in np.unique(states):
        mine = states == state
        among = np.sort(values[mine])
        below = np.searchsorted(among, values[mine], "left")
        upto = np.searchsorted(among, values[mine], "right")
        out[mine] = (below + upto) / (2 * len(among))
    return out
