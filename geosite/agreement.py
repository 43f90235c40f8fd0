"""Whether combination rules agree: the same decision matrix ranked by each of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from geosite.model.combination import (
    EvidenceGated,
    FuzzyGamma,
    GeometricMean,
    Maximum,
    Minimum,
    Topsis,
    WeightedSum,
)
from geosite.reweighting import STEPS, ranks
from geosite.suitability import suitability

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from geosite.model.combination import Combination
    from geosite.suitability import Missing

_EVIDENCE = "evidence"


@dataclass(frozen=True, slots=True)
class Agreement:
    """Rankings of the same sites by several rules, the stated one first.

    Attributes
    ----------
    rules : kinds of the rules
    ranks : (rules, sites)
        From 1; NaN where the rule gives the site no suitability.
    kendall, spearman : (rules, rules)
        Rank correlations from -1 to 1; NaN where a rule tells no two sites apart.
    """

    rules: tuple[str, ...]
    ranks: NDArray[np.float64]
    kendall: NDArray[np.float64]
    spearman: NDArray[np.float64]


def rules_beside(stated: Combination, ids: Sequence[str]) -> tuple[Combination, ...]:
    """The stated rule and the others that need nothing but the criteria, one of a kind.

    Examples
    --------
    >>> [r.kind for r in rules_beside(WeightedSum(kind="weighted_sum"), ["rail"])]
    ['weighted_sum', 'geometric_mean', 'minimum', 'maximum', 'topsis', 'fuzzy_gamma']
    """
    others: list[Combination] = [
        WeightedSum(kind="weighted_sum"),
        GeometricMean(kind="geometric_mean"),
        Minimum(kind="minimum"),
        Maximum(kind="maximum"),
        Topsis(kind="topsis"),
        FuzzyGamma(kind="fuzzy_gamma"),
    ]
    if _EVIDENCE in ids:
        others.insert(2, EvidenceGated(kind="evidence_gated", evidence=_EVIDENCE))
    return (stated, *(r for r in others if r.kind != stated.kind))


def agreement(
    scores: NDArray[np.float64],
    weights: NDArray[np.float64],
    rules: Sequence[Combination],
    ids: Sequence[str],
    *,
    missing: Missing,
) -> Agreement:
    """Ranks of the sites under each rule, and how well each two of the rankings agree.

    Parameters
    ----------
    scores : (criteria, sites), 0 to 1
        The decision matrix in whole ten-thousandths, sites in the order of their ids, by which
        ties are broken.
    weights : (criteria,)
        As stated; above zero.
    rules : sequence of combinations
        From `rules_beside`.

    Notes
    -----
    Correlations are of suitability to nine decimals, so that ties are ties: Kendall's τ-b and
    Spearman's ρ, of the sites that both rules give a suitability.
    """
    how: dict[str, Any] = {"missing": missing, "exact": True}
    found = np.stack([suitability(scores, weights, r, ids, **how) for r in rules])
    found = np.rint(found * STEPS) / STEPS
    placed = ranks(found).T.astype(float)
    placed[np.isnan(found)] = np.nan
    kendall, spearman = np.eye(len(rules)), np.eye(len(rules))
    for i in range(len(rules)):
        for k in range(i, len(rules)):
            tau, rho = correlations(found[i], found[k])
            kendall[i, k] = kendall[k, i] = tau
            spearman[i, k] = spearman[k, i] = rho
    return Agreement(tuple(r.kind for r in rules), placed, kendall, spearman)


def correlations(one: NDArray[np.float64], other: NDArray[np.float64]) -> tuple[float, float]:
    """Kendall's τ-b and Spearman's ρ of two rankings; NaN where either has only ties.

    Places where either is NaN are left out.

    Examples
    --------
    >>> correlations(np.array([1.0, 2, 3]), np.array([0.1, 0.2, 0.9]))
    (1.0, 1.0)
    """
    from scipy import stats  # noqa: PLC0415 -- slow to import

    both = ~(np.isnan(one) | np.isnan(other))
    a, b = one[both], other[both]
    if len(a) < 2 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return np.nan, np.nan
    tau, rho = stats.kendalltau(a, b).statistic, stats.spearmanr(a, b).statistic
    # The sums of equal rankings may differ from one by their last digit.
    return round(float(tau), 12), round(float(rho), 12)
