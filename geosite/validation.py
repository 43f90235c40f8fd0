"""How well a surface finds known sites: success rates, areas under them, and their intervals.

All of it follows from two numbers a site: how much of the land the surface puts above the
site, and how much above or level with it. A score of a site is a function of these two, a figure
is the mean of the scores, and an interval comes from drawing the sites anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

LEVEL = 0.95
"""Of every interval."""
DRAWS = 2000
"""Samples of a bootstrap: its ends then move by less than a tenth of its width."""
_HALVINGS = 60


@dataclass(frozen=True, slots=True)
class Standing:
    """Where sites stand among the land they are ranked against: (sites,), shares 0 to 1.

    Attributes
    ----------
    above : float64
        Share of the land with a higher value than the site's.
    level : float64
        Share of the land with the same value.
    """

    above: NDArray[np.float64]
    level: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.above)

    @property
    def percentile(self) -> NDArray[np.float64]:
        """Share of the land below each site, half of what is level with it counted: 0 to 1."""
        return 1.0 - self.above - self.level / 2

    def found(self, share: ArrayLike) -> NDArray[np.float64]:
        """Whether the best `share` of the land holds each site: (sites, …), 0 to 1.

        Of land that is level with a site nobody knows which comes first: the site is found in
        the proportion in which that land is taken.

        Examples
        --------
        >>> Standing(np.array([0.1]), np.array([0.2])).found([0.05, 0.2, 0.5]).round(3).tolist()
        [[0.0, 0.5, 1.0]]
        """
        taken = np.asarray(share, np.float64)
        column = (slice(None), *(None for _ in taken.shape))
        above, level = self.above[column], self.level[column]
        with np.errstate(invalid="ignore", divide="ignore"):
            part = np.clip((taken - above) / level, 0.0, 1.0)
        return np.where(level > 0, part, (taken >= above).astype(np.float64))


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with the ends of its interval, see `bootstrapped`."""

    value: float
    low: float
    high: float


def standing(land: ArrayLike, at: ArrayLike) -> Standing:
    """Where sites stand among land.

    Parameters
    ----------
    land : (cells,)
        Values of the surface on the land, in any order; NaN is land without a value and does
        not count.
    at : (sites,)
        Values at the sites; none may be NaN.

    Raises
    ------
    ValueError
        If there is no land with a value, or a site has none.

    Examples
    --------
    >>> found = standing([1, 2, 2, 3], [2])
    >>> found.above.tolist(), found.level.tolist(), found.percentile.tolist()
    ([0.25], [0.5], [0.5])
    """
    values = np.asarray(land, np.float64).ravel()
    values = np.sort(values[~np.isnan(values)])
    sites = np.asarray(at, np.float64)
    if not len(values):
        msg = "no land has a value to rank the sites against"
        raise ValueError(msg)
    if np.isnan(sites).any():
        msg = f"{int(np.isnan(sites).sum())} sites have no value; leave them out and say so"
        raise ValueError(msg)
    below = np.searchsorted(values, sites, "left")
    not_above = np.searchsorted(values, sites, "right")
    n = len(values)
    return Standing((n - not_above) / n, (not_above - below) / n)


def standing_within(
    land: ArrayLike, land_group: ArrayLike, at: ArrayLike, group: ArrayLike
) -> Standing:
    """Where each site stands among the land of its own group, such as its state.

    Parameters
    ----------
    land, land_group : (cells,)
    at, group : (sites,)

    Examples
    --------
    >>> standing_within([1, 2, 8, 9], [0, 0, 1, 1], [2, 8], [0, 1]).above.tolist()
    [0.0, 0.5]
    """
    values, groups = np.asarray(land).ravel(), np.asarray(land_group).ravel()
    sites, mine = np.asarray(at, np.float64), np.asarray(group)
    above, level = np.empty(len(sites)), np.empty(len(sites))
    for one in np.unique(mine):
        here = mine == one
        found = standing(values[groups == one], sites[here])
        above[here], level[here] = found.above, found.level
    return Standing(above, level)


def auc(found: Standing) -> float:
    """Area under the success-rate curve: chance that a site outranks a place of the land.

    Half of what is level counts. Against land of the sites' own group it is the mean over the
    sites of the share of that land below them.

    References
    ----------
    Hanley, J. A. and McNeil, B. J. (1982). The meaning and use of the area under a receiver
    operating characteristic (ROC) curve. Radiology 143(1), 29-36.

    Examples
    --------
    >>> auc(standing([1, 2, 3, 4], [4, 2]))
    0.625
    """
    return float(found.percentile.mean())


def success_rate(found: Standing, share: ArrayLike) -> NDArray[np.float64]:
    """Share of the sites that the best `share` of the land holds: as `share`, 0 to 1.

    Never falls as more land is taken; 1 where all of it is.

    References
    ----------
    Chung, C.-J. F. and Fabbri, A. G. (2003). Validation of spatial prediction models for
    landslide hazard mapping. Natural Hazards 30, 451-472.

    Examples
    --------
    >>> success_rate(standing([1, 2, 3, 4], [4, 2]), [0.25, 0.5, 0.75, 1]).tolist()
    [0.5, 0.5, 1.0, 1.0]
    """
    return np.asarray(found.found(share).mean(axis=0), np.float64)


def crossing(found: Standing) -> float:
    """Share of the land A at which the success rate is 1 - A: where the P-A curves meet.

    A surface that tells nothing crosses at one half. Sites are then (1 - A) / A times as dense
    on the best A of the land as on all of it.

    References
    ----------
    Yousefi, M. and Carranza, E. J. M. (2015). Prediction-area (P-A) plot and C-A fractal
    analysis to classify and evaluate evidential maps for mineral prospectivity modeling.
    Computers & Geosciences 79, 69-81.

    Examples
    --------
    >>> round(crossing(standing(range(100), [95, 90, 85, 20])), 3)
    0.25
    """
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if success_rate(found, middle) + middle >= 1 else (middle, high)
    return high


def bootstrapped(scores: NDArray[np.float64], *, seed: int, draws: int = DRAWS) -> Figure:
    """Mean of the sites' scores, and the middle 95 % of the means of sites drawn anew.

    Parameters
    ----------
    scores : (sites,)
        Such as `Standing.percentile`, or one share of `Standing.found`.
    draws : int
        Samples of as many sites, with replacement.

    Examples
    --------
    >>> bootstrapped(np.array([0.5, 0.5, 0.5]), seed=1)
    Figure(value=0.5, low=0.5, high=0.5)
    """
    low, high = interval(scores[:, None], seed=seed, draws=draws)
    return Figure(float(scores.mean()), float(low[0]), float(high[0]))


def interval(
    scores: NDArray[np.float64], *, seed: int, draws: int = DRAWS
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Ends of the interval of each column's mean: (columns,) low, (columns,) high.

    Parameters
    ----------
    scores : (sites, columns)
        The same sites are drawn for every column.
    """
    n = len(scores)
    rng = np.random.default_rng(seed)
    times = rng.multinomial(n, np.full(n, 1.0 / n), size=draws).astype(np.float64)
    means = times @ scores / n
    tail = (1.0 - LEVEL) / 2
    low, high = np.quantile(means, [tail, 1.0 - tail], axis=0)
    return low, high


def block_folds(
    xy: NDArray[np.float64], *, block: float, folds: int, seed: int
) -> NDArray[np.int64]:
    """Fold of each place, all of a square block in one: (places,), 0 to `folds` - 1.

    Parameters
    ----------
    xy : (places, 2)
        [m]; blocks lie on whole multiples of their side from the origin of the CRS.
    block : float
        Side of a block [m].

    Notes
    -----
    Blocks are shuffled, then dealt to whichever fold has fewest places.

    Examples
    --------
    >>> xy = np.array([[10.0, 10], [20, 20], [1500, 10], [2600, 10]])
    >>> fold = block_folds(xy, block=1000, folds=3, seed=0)
    >>> bool(fold[0] == fold[1]), len(set(fold.tolist()))
    (True, 3)
    """
    squares = np.floor(xy / block).astype(np.int64)
    blocks, which, sizes = np.unique(squares, axis=0, return_inverse=True, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(blocks))
    dealt, held = np.empty(len(blocks), np.int64), np.zeros(folds, np.int64)
    for k in order:
        dealt[k] = held.argmin()
        held[dealt[k]] += sizes[k]
    return dealt[which.ravel()]
