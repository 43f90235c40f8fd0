"""TOPSIS: how close a site is to the ideal of the ranked set, and what another set reorders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

TIES = 9
"""Decimals of suitability that decide a rank; what agrees in them is a tie, broken by site id."""
_NEITHER = 0.5
"""Closeness where the best and the worst of the set are one: nothing tells the sites apart."""


@dataclass(frozen=True, slots=True)
class Ideal:
    """The best and the worst score of a set in each criterion: (criteria,), 0 to 1."""

    best: NDArray[np.float64]
    worst: NDArray[np.float64]

    @classmethod
    def of(cls, scores: NDArray[np.float64]) -> Ideal:
        """Of (criteria, places) scores, NaN where unknown; 1 and 0 where no place knows one.

        Examples
        --------
        >>> Ideal.of(np.array([[0.25, 0.5], [1.0, np.nan]])).best.tolist()
        [0.5, 1.0]
        """
        best = np.fmax.reduce(scores, axis=1, initial=np.nan)
        worst = np.fmin.reduce(scores, axis=1, initial=np.nan)
        return cls(np.where(np.isnan(best), 1.0, best), np.where(np.isnan(worst), 0.0, worst))


def closeness(
    scores: NDArray[np.float64], weights: NDArray[np.float64], ideal: Ideal
) -> NDArray[np.float64]:
    r"""Closeness of each place to the ideal: (places,), 0 to 1, NaN where nothing is known.

    Parameters
    ----------
    scores : (criteria, places), 0 to 1
        As they are: nothing is scaled by the data. A score beyond the ideal points
        counts as they do, so that a worse score never brings a place nearer.
    weights : (criteria,)
        Of any sum.

    Notes
    -----
    .. math::
        C = \frac{d^-}{d^+ + d^-} \qquad
        d^\pm = \sqrt{\sum w_i^2 (x_i - a^\pm_i)^2}

    A criterion that is not known at a place has no part in its distances, which is to
    share its weight among the others: a common factor leaves the ratio as it is. Where
    the best and the worst of the set are the same in all criteria, closeness is ½.

    References
    ----------
    Hwang, C. L., & Yoon, K. (1981). Multiple attribute decision making. Springer.

    Examples
    --------
    >>> scores = np.array([[0.0, 0.5, 1.0], [0.0, 0.5, 1.0]])
    >>> closeness(scores, np.array([3.0, 1.0]), Ideal.of(scores)).tolist()
    [0.0, 0.5, 1.0]
    """
    to_best = np.zeros(scores.shape[1])
    to_worst = np.zeros(scores.shape[1])
    known = np.zeros(scores.shape[1], bool)
    share = weights / weights.sum()
    # Criterion by criterion, so that a place's sum does not depend on how many there are.
    for x, w, best, worst in zip(scores, share, ideal.best, ideal.worst, strict=True):
        has = ~np.isnan(x)
        known |= has
        held = np.where(has, np.clip(x, worst, best), np.nan)
        to_best += np.where(has, (w * (best - held)) ** 2, 0.0)
        to_worst += np.where(has, (w * (held - worst)) ** 2, 0.0)
    near, far = np.sqrt(to_worst), np.sqrt(to_best)
    with np.errstate(invalid="ignore"):
        found = np.where(near + far > 0, near / (near + far), _NEITHER)
    return np.where(known, found, np.nan)


@dataclass(frozen=True, slots=True)
class Reversal:
    """What leaving one site out of the set does to the order of the others.

    Attributes
    ----------
    site : str
    moved : int
        Other sites that then stand elsewhere among the others.
    most : int
        Places that one of them moves at most.
    first : int
        Best place at which the order differs, from 1.
    """

    site: str
    moved: int
    most: int
    first: int


def reversals(
    scores: NDArray[np.float64], weights: NDArray[np.float64], sites: Sequence[str]
) -> tuple[Reversal, ...]:
    """Sites without which the others would stand in another order, by how many move.

    Parameters
    ----------
    scores : (criteria, sites), 0 to 1
        Of the ranked set; a site of which nothing is known is left out.

    Notes
    -----
    The set speaks through its ideal points only, so a removal can reorder the rest only
    if the site alone holds the best or the worst score in some criterion: at most two
    sites a criterion are tried, and the answer holds for all of them.

    Examples
    --------
    >>> scores = np.array([[1.0, 0.6, 0.5, 0.0], [0.0, 0.4, 0.6, 0.1]])
    >>> [r.site for r in reversals(scores, np.array([1.0, 1.0]), ["p", "q", "r", "s"])]
    ['p', 's']
    """
    there = ~np.isnan(scores).all(axis=0)
    scores, names = scores[:, there], [sites[int(k)] for k in np.flatnonzero(there)]
    ideal = Ideal.of(scores)
    whole = order(closeness(scores, weights, ideal), names)
    tried: dict[int, None] = {}
    for x, best, worst in zip(scores, ideal.best, ideal.worst, strict=True):
        for extreme in (best, worst):
            holders = np.flatnonzero(x == extreme)
            if len(holders) == 1:
                tried[int(holders[0])] = None
    found = []
    for k in sorted(tried):
        rest = np.delete(np.arange(len(names)), k)
        left = scores[:, rest]
        others = [names[j] for j in rest]
        now = rest[order(closeness(left, weights, Ideal.of(left)), others)]
        before = whole[whole != k]
        if len(moved := np.flatnonzero(now != before)):
            place = np.empty(len(names), np.int64)
            place[before] = np.arange(len(before))
            shift = np.abs(place[now] - np.arange(len(now)))
            steps = int(np.count_nonzero(shift))
            found.append(Reversal(names[k], steps, int(shift.max()), int(moved[0]) + 1))
    return tuple(sorted(found, key=lambda r: (-r.moved, r.site)))


def order(suitability: NDArray[np.float64], sites: Sequence[str]) -> NDArray[np.int64]:
    """Positions of sites, best first: by suitability to nine decimals, then by id; unknown last.

    Examples
    --------
    >>> order(np.array([0.5, np.nan, 0.75, 0.5]), ["d", "c", "b", "a"]).tolist()
    [2, 3, 0, 1]
    """
    return np.lexsort((np.array(sites, dtype=np.str_), -np.round(suitability, TIES)))
