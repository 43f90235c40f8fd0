"""The decision matrix: sites × criteria, and what a rule and weights make of it.

It holds all that a ranking rests on, so that a saved one is ranked again exactly as the
run would have done it: by the command line, and by the page of the map. To that end its scores
are whole ten-thousandths and the weights whole per mille (`weighting.per_mille`): a weighted
sum is one of whole numbers. What lies on cells, such as ``suitability_surface``, is not rounded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from geosite.closeness import Ideal, Reversal, reversals
from geosite.suitability import SCORE_STEPS, contributions, suitability

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from geosite.model.combination import Combination
    from geosite.suitability import Missing


@dataclass(frozen=True, slots=True)
class Matrix:
    """The decision matrix: sites × criteria, and what the ranking is made of.

    Attributes
    ----------
    ids : criterion ids
    effective : (criteria, sites)
        Mean over the site's known cells of (partial factors × score), in whole
        ten-thousandths (`stepped`); NaN where none is known.
    known : (criteria, sites)
        Share of the site's cells on which the criterion is known.
    """

    ids: tuple[str, ...]
    effective: NDArray[np.float64]
    known: NDArray[np.float64]

    @property
    def least(self) -> NDArray[np.float64]:
        """Scores if every cell on which a criterion is not known were at its worst."""
        return stepped(np.nan_to_num(self.effective) * self.known)

    @property
    def most(self) -> NDArray[np.float64]:
        """Scores if every cell on which a criterion is not known were at its best."""
        return stepped(np.nan_to_num(self.effective) * self.known + (1.0 - self.known))

    def scores(self, missing: Missing) -> NDArray[np.float64]:
        """Scores that are combined: what a partly known criterion counts as.

        Each is a whole number of ten-thousandths, or NaN.

        Examples
        --------
        >>> half = Matrix(("rail",), np.array([[0.8]]), np.array([[0.5]]))
        >>> [half.scores(m).tolist() for m in ("renormalise", "worst", "unknown")]
        [[[0.8]], [[0.4]], [[nan]]]
        """
        match missing:
            case "renormalise":
                return self.effective
            case "worst":
                return self.least
            case "best":
                return self.most
            case "unknown":
                return np.where(self.known < 1, np.nan, self.effective)

    def of(self, criteria: NDArray[np.bool_]) -> Matrix:
        """The matrix of some of the criteria."""
        ids = tuple(i for i, k in zip(self.ids, criteria.tolist(), strict=True) if k)
        return Matrix(ids, self.effective[criteria], self.known[criteria])


def stepped(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scores in whole ten-thousandths, the nearest; a score above zero stays above zero.

    Zero is a flaw, and makes a product zero, however small the weight: rounding must make none.

    Examples
    --------
    >>> stepped(np.array([0.0, 0.00001, 0.34567, np.nan])).tolist()
    [0.0, 0.0001, 0.3457, nan]
    """
    found = np.rint(scores * SCORE_STEPS)
    return np.asarray(np.where((scores > 0) & (found < 1), 1.0, found) / SCORE_STEPS)


@dataclass(frozen=True, slots=True)
class Scored:
    """What a rule and weights make of a matrix.

    Attributes
    ----------
    scores, parts : (criteria, sites)
        Scores that were combined, and their contributions.
    suitability, low, high : (sites,)
        With what is not known as the scenario says, at its worst, and at its best.
    known_pct : (sites,)
        Share of the weight that was measured [%].
    """

    scores: NDArray[np.float64]
    parts: NDArray[np.float64]
    suitability: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    known_pct: NDArray[np.float64]


def scored(
    matrix: Matrix, weights: NDArray[np.float64], combination: Combination, missing: Missing
) -> Scored:
    """Suitability of each site, its interval and its decomposition.

    Parameters
    ----------
    weights : (criteria,)
        Above zero; from `weighting.per_mille`, so that sums are of whole numbers.

    Notes
    -----
    TOPSIS takes its ideal points from the scores of the sites that are ranked, and keeps
    them for the interval: what one site may turn out to be moves no other site's mark.
    """
    scores = matrix.scores(missing)
    ideal = Ideal.of(_of_ranked(scores, missing)) if combination.kind == "topsis" else None

    def combined(of: NDArray[np.float64]) -> NDArray[np.float64]:
        how: dict[str, Any] = {"missing": missing, "ideal": ideal, "exact": True}
        return suitability(of, weights, combination, matrix.ids, **how)

    share = weights / weights.sum()
    return Scored(
        scores,
        contributions(scores, weights, combination, matrix.ids, missing=missing),
        combined(scores),
        combined(matrix.least),
        combined(matrix.most),
        100 * (matrix.known * share[:, None]).sum(axis=0),
    )


def _of_ranked(scores: NDArray[np.float64], missing: Missing) -> NDArray[np.float64]:
    # A site without a rank has no part in the set.
    if missing != "unknown":
        return scores
    return np.where(np.isnan(scores).any(axis=0), np.nan, scores)


def set_reversals(
    matrix: Matrix, weights: NDArray[np.float64], sites: Sequence[str], missing: Missing
) -> tuple[Reversal, ...]:
    """Sites without which TOPSIS would put the others in another order, see `closeness`."""
    return reversals(_of_ranked(matrix.scores(missing), missing), weights, sites)


def matrix_of(table: Mapping[str, ArrayLike], ids: Sequence[str]) -> Matrix:
    """The matrix from its columns, ``effective_<id>`` and ``known_<id>``; rows are sites.

    Scores of a run from before they were whole ten-thousandths are rounded to them.
    """

    def stacked(name: str) -> NDArray[np.float64]:
        return np.array([np.asarray(table[f"{name}_{i}"], np.float64) for i in ids])

    return Matrix(tuple(ids), stepped(stacked("effective")), stacked("known"))


class Cuts(Protocol):
    """Stated cuts of the tiers, see `model.scenario.Tiers`."""

    @property
    def a(self) -> float:
        """Suitability from which on a site is in tier A."""

    @property
    def b(self) -> float:
        """Suitability from which on it is in tier B."""

    @property
    def known(self) -> float:
        """Share of the weight that must be measured for tier A."""


def tiers_of(
    suitability: NDArray[np.float64],
    low: NDArray[np.float64],
    known_pct: NDArray[np.float64],
    flawed: NDArray[np.bool_],
    tiers: Cuts,
) -> NDArray[np.object_]:
    """Tier of each site, A, B or C; empty where suitability is unknown.

    Parameters
    ----------
    flawed : (sites,)
        Whether the site has a fatal flaw.
    """
    tier = np.where(suitability >= tiers.a, "A", np.where(suitability >= tiers.b, "B", "C"))
    # Half a hundred-thousandth absorbs the rounding of a sum of shares.
    little = known_pct < 100 * tiers.known - 5e-6
    tier = np.where((little | (low < tiers.b)) & (tier == "A"), "B", tier)
    tier = np.where(flawed, "C", tier).astype(object)
    tier[np.isnan(suitability)] = ""
    return np.asarray(tier)
