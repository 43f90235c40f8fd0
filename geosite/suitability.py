"""Combination rules: from scores on several criteria to one suitability.

The same functions act on cells and on the decision matrix of sites, so what a
map shows and what a table ranks is one calculation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from geosite.closeness import Ideal, closeness
from geosite.model.combination import WeightedSum

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from geosite.model.combination import (
        Combination,
        EvidenceGated,
        FuzzyGamma,
        GeometricMean,
        Maximum,
        Minimum,
        OrderedWeights,
    )

Missing = Literal["unknown", "worst", "renormalise", "best"]
SCORE_STEPS = 10_000
"""Whole steps of a site's score from 0 to 1: what a ranking is made of."""
LOG_STEPS = 1e10
"""Steps of a natural logarithm of one. No logarithm of a whole ten-thousandth lies so near the
middle between two of them that mathematical libraries could take it to different ones."""


def on_cells(combination: Combination) -> Combination:
    """The rule as it acts on the cells of a surface.

    A rule that needs the ranked set has no value in a cell: what other land is like
    would change it. In its place the surface, and the outlines of patches that are cut
    from it, show the weighted sum; the sites are ranked by the rule itself.
    """
    return WeightedSum(kind="weighted_sum") if combination.kind == "topsis" else combination


def suitability(
    scores: NDArray[np.float64],
    weights: NDArray[np.float64],
    combination: Combination,
    ids: Sequence[str],
    *,
    missing: Missing,
    ideal: Ideal | None = None,
    exact: bool = False,
) -> NDArray[np.float64]:
    r"""Suitability of each place: (places,), 0 to 1, NaN where it is unknown.

    Parameters
    ----------
    scores : (criteria, places), 0 to 1
        Scores, each already multiplied by the partial factors of the place; NaN
        where a criterion could not be measured.
    weights : (criteria,)
        Above zero; scaled here to sum to one.
    combination
        Any rule; all but TOPSIS look at one place at a time.
    ids : criterion ids
        Only the evidence-gated rule reads them.
    missing : {"unknown", "worst", "renormalise", "best"}
        What a missing score means: the place is unknown; the score is 0; the other
        weights share its weight; the score is 1 (for the upper end of an interval).
    ideal : Ideal, optional
        TOPSIS: the ideal points, instead of those of the places that are known here.
    exact : bool
        Whether scores are whole ten-thousandths, as those of a decision matrix are. Their
        sums are then sums of whole numbers, if the weights are whole too, and are divided
        once: whoever adds them, in whichever order, finds the same to the last digit.

    Notes
    -----
    .. math::
        S_{sum} = \sum w_i x_i \qquad S_{geo} = \prod x_i^{w_i} \qquad
        S_{gated} = e^{w_e} \Big(\sum_{i \ne e} w_i x_i / (1 - w_e)\Big)^{1 - w_e}

        S_{owa} = \sum v_j x_{(j)} \qquad
        S_{\gamma} = \Big(1 - \prod (1 - x_i)\Big)^{\gamma}
        \Big(\prod x_i\Big)^{1 - \gamma}

    and the minimum, the maximum, and TOPSIS (see `closeness.closeness`). Weights have no
    part in the minimum, the maximum, OWA and the fuzzy gamma, for which ``renormalise`` is:

    * minimum, maximum: of the scores that are known;
    * OWA: with n of m scores known, the j-th best of them weighs :math:`Q(j/n) - Q((j-1)/n)`,
      where Q runs straight between the sums :math:`Q(j/m) = v_1 + … + v_j`: the order weights
      are stretched over what is known, so that a mean stays a mean and a minimum a minimum;
    * fuzzy gamma: both products are raised to m/n, which takes a missing score as the
      geometric mean of the known ones;
    * TOPSIS: distances over the criteria that are known.

    Under ``renormalise`` a place with no known score is unknown, and so is one
    whose evidence is not known under the evidence-gated rule.

    References
    ----------
    Yager, R. R. (1988). On ordered weighted averaging aggregation operators in multicriteria
    decisionmaking. IEEE Transactions on Systems, Man, and Cybernetics 18(1), 183-190.

    Zimmermann, H.-J., & Zysno, P. (1980). Latent connectives in human decision making. Fuzzy
    Sets and Systems 4(1), 37-51.
    """
    w = weights / weights.sum()
    match combination.kind:
        case "weighted_sum":
            return _score_mean(scores, weights if exact else w, missing, exact=exact)
        case "geometric_mean":
            logs = logarithms(scores, exact=exact)
            whole = LOG_STEPS if exact else 1.0
            v = weights if exact else w
            return np.asarray(np.exp(_mean(logs, v, missing, -np.inf, 0.0, whole)))
        case "evidence_gated":
            e = list(ids).index(combination.evidence)
            evidence, access, we = gated_parts(scores, weights, e, missing, exact=exact)
            return np.asarray(evidence**we * access ** (1 - we))
        case "topsis":
            filled = _assumed(scores, missing)
            if missing == "unknown":
                filled = np.where(np.isnan(filled).any(axis=0), np.nan, filled)
            return closeness(filled, w, ideal or Ideal.of(filled))
        case _:
            return _unweighted(scores, combination, missing, exact=exact)


def logarithms(scores: NDArray[np.float64], *, exact: bool) -> NDArray[np.float64]:
    """Natural logarithms of scores; if exact, of whole ten-thousandths in steps of 1e-10.

    Examples
    --------
    >>> logarithms(np.array([0.0, 0.5, 1.0]), exact=True).tolist()
    [-inf, -6931471806.0, 0.0]
    """
    with np.errstate(divide="ignore"):
        if not exact:
            return np.asarray(np.log(scores))
        return np.asarray(np.rint(np.log(scores) * LOG_STEPS))


def _score_mean(
    scores: NDArray[np.float64], weights: NDArray[np.float64], missing: Missing, *, exact: bool
) -> NDArray[np.float64]:
    if not exact:
        return _mean(scores, weights, missing)
    steps = float(SCORE_STEPS)
    return _mean(np.rint(scores * steps), weights, missing, 0.0, steps, steps)


def _unweighted(
    scores: NDArray[np.float64],
    combination: Minimum | Maximum | OrderedWeights | FuzzyGamma,
    missing: Missing,
    *,
    exact: bool,
) -> NDArray[np.float64]:
    match combination.kind:
        case "minimum":
            return _reduced(np.minimum, np.fmin, scores, missing)
        case "maximum":
            return _reduced(np.maximum, np.fmax, scores, missing)
        case "owa":
            filled = _assumed(scores, missing)
            shares = _order_shares(filled, combination.order_weights, missing)
            return _share_sum(filled, shares)
        case "fuzzy_gamma":
            return _fuzzy(scores, combination.gamma, missing, exact=exact)


def _reduced(
    strict: np.ufunc, lenient: np.ufunc, scores: NDArray[np.float64], missing: Missing
) -> NDArray[np.float64]:
    # A lenient minimum passes over what is not known, a strict one does not.
    how = lenient if missing == "renormalise" else strict
    return np.asarray(how.reduce(_assumed(scores, missing), axis=0))


def _order_shares(
    scores: NDArray[np.float64], order_weights: Sequence[float], missing: Missing
) -> NDArray[np.float64]:
    # The order weight that each score has at its place; scores that tie share theirs, so
    # that the order in which criteria are written means nothing.
    m = len(scores)
    v = np.asarray(order_weights, float)
    sums = np.concatenate([[0.0], np.cumsum(v)])
    sums = np.append(sums / sums[-1], 1.0)
    # Q(k/n) between the sums at j/m and (j + 1)/m, by whole numbers.
    stretched = np.ones((m + 1, m + 1))
    for n in range(1, m + 1):
        j, over = np.divmod(np.arange(n + 1) * m, n)
        stretched[n, : n + 1] = sums[j] + (sums[j + 1] - sums[j]) * (over / n)
    known = np.count_nonzero(~np.isnan(scores), axis=0)
    out = np.zeros_like(scores)
    for i, x in enumerate(scores):
        above = np.zeros(scores.shape[1], np.int64)
        tied = np.zeros(scores.shape[1], np.int64)
        for other in scores:
            above += other > x
            tied += other == x
        here = stretched[known, above + tied] - stretched[known, above]
        out[i] = np.where(tied > 0, here / np.maximum(tied, 1), 0.0)
    if missing == "unknown":
        out[:, known < m] = np.nan
    return out


def _share_sum(scores: NDArray[np.float64], shares: NDArray[np.float64]) -> NDArray[np.float64]:
    total = np.zeros(scores.shape[1])
    whole = np.zeros(scores.shape[1])
    for x, share in zip(scores, shares, strict=True):
        total += share * np.where(np.isnan(x), 0.0, x)
        whole += share
    with np.errstate(invalid="ignore"):
        return np.where(whole != 0, total / whole, np.nan)


def _fuzzy(
    scores: NDArray[np.float64], gamma: float, missing: Missing, *, exact: bool
) -> NDArray[np.float64]:
    m = len(scores)
    same, whole = np.ones(m), LOG_STEPS if exact else 1.0
    good = logarithms(scores, exact=exact)
    if exact:
        # One less a score is a whole number of steps too.
        rest = SCORE_STEPS - np.rint(scores * SCORE_STEPS)
        bad = logarithms(rest / SCORE_STEPS, exact=True)
    else:
        with np.errstate(divide="ignore"):
            bad = np.log1p(-scores)
    product = np.exp(m * _mean(good, same, missing, -np.inf, 0.0, whole))
    union = 1.0 - np.exp(m * _mean(bad, same, missing, 0.0, -np.inf, whole))
    # Above every score or equal: a sum of logarithms may differ in its last digit.
    return np.asarray(union**gamma * np.minimum(product, union) ** (1.0 - gamma))


def gated_parts(
    scores: NDArray[np.float64],
    weights: NDArray[np.float64],
    e: int,
    missing: Missing,
    *,
    exact: bool = False,
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Evidence and access of each place, and the share of the weight that evidence has."""
    rest = [i for i in range(len(weights)) if i != e]
    evidence = scores[e]
    if missing in ("worst", "best"):
        evidence = np.where(np.isnan(evidence), 0.0 if missing == "worst" else 1.0, evidence)
    if not rest:
        return evidence, np.ones_like(evidence), 1.0
    we = float(weights[e] / weights.sum())
    others = weights[rest] if exact else weights[rest] / weights[rest].sum()
    return evidence, _score_mean(scores[rest], others, missing, exact=exact), we


def _mean(
    values: NDArray[np.float64],
    weights: NDArray[np.float64],
    missing: Missing,
    worst: float = 0.0,
    best: float = 1.0,
    whole: float = 1.0,
) -> NDArray[np.float64]:
    # Of values that are `whole` times what is returned.
    # Added criterion by criterion, so that a place's sum does not depend on how
    # many places are computed with it.
    total = np.zeros(values.shape[1])
    known = np.zeros(values.shape[1])
    for x, w in zip(values, weights, strict=True):
        has = ~np.isnan(x)
        match missing:
            case "unknown":
                total += w * x
                known += w
            case "worst" | "best":
                total += w * np.where(has, x, worst if missing == "worst" else best)
                known += w
            case "renormalise":
                total += np.where(has, w * np.where(has, x, 0.0), 0.0)
                known += np.where(has, w, 0.0)
    with np.errstate(invalid="ignore"):
        return np.where(known > 0, total / (known * whole), np.nan)


def contributions(
    scores: NDArray[np.float64],
    weights: NDArray[np.float64],
    combination: Combination,
    ids: Sequence[str],
    *,
    missing: Missing,
) -> NDArray[np.float64]:
    r"""Contribution of each criterion to each place: (criteria, places).

    They sum to suitability for the weighted sum, OWA, the minimum and the maximum, and to
    its natural logarithm for the geometric rules, in which a score below the rule's floor,
    such as zero, counts as the floor. A criterion that is missing contributes nothing.
    TOPSIS and the fuzzy gamma are no sum of parts of single criteria: all are NaN.

    Notes
    -----
    Evidence-gated: evidence contributes :math:`w_e \ln e`. Access A loses
    :math:`1 - A = \sum w_i (1 - x_i)`; each criterion bears the share of
    :math:`(1 - w_e) \ln A` that it has in this loss. OWA: a score times the order weight of
    its place. Minimum and maximum: the criterion that decides has it all. Scores that tie
    share what their places have.
    """
    w = weights / weights.sum()
    match combination.kind:
        case "weighted_sum":
            return _shares(scores, w, missing) * _filled(scores, missing)
        case "owa" | "minimum" | "maximum":
            v = _order_weights(combination, len(scores))
            filled = _assumed(scores, missing)
            shares = _order_shares(filled, v, missing)
            return shares * np.where(np.isnan(filled), 0.0, filled)
        case "topsis" | "fuzzy_gamma":
            return np.full(scores.shape, np.nan)
        case "geometric_mean" | "evidence_gated":
            return _logarithms(scores, w, combination, ids, missing)


def _order_weights(combination: OrderedWeights | Minimum | Maximum, m: int) -> Sequence[float]:
    match combination.kind:
        case "owa":
            return combination.order_weights
        case "minimum":
            return (*[0.0] * (m - 1), 1.0)
        case "maximum":
            return (1.0, *[0.0] * (m - 1))


def _logarithms(
    scores: NDArray[np.float64],
    w: NDArray[np.float64],
    combination: GeometricMean | EvidenceGated,
    ids: Sequence[str],
    missing: Missing,
) -> NDArray[np.float64]:
    floor = combination.floor
    if combination.kind == "geometric_mean":
        logs = np.log(np.maximum(_filled(scores, missing), floor))
        return _shares(scores, w, missing) * logs
    e = list(ids).index(combination.evidence)
    evidence, access, we = gated_parts(scores, w, e, missing)
    rest = [i for i in range(len(w)) if i != e]
    out = np.zeros_like(scores)
    out[e] = we * np.log(np.maximum(evidence, floor))
    if rest:
        part = _shares(scores[rest], w[rest] / w[rest].sum(), missing)
        loss = part * (1.0 - _filled(scores[rest], missing))
        whole = loss.sum(axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            split = np.where(whole > 0, loss / whole, 0.0)
        out[rest] = split * (1 - we) * np.log(np.maximum(access, floor))
    return out


def _filled(scores: NDArray[np.float64], missing: Missing) -> NDArray[np.float64]:
    if missing == "unknown":
        return scores
    return np.where(np.isnan(scores), 1.0 if missing == "best" else 0.0, scores)


def _assumed(scores: NDArray[np.float64], missing: Missing) -> NDArray[np.float64]:
    # Scores with what is assumed of the missing ones; NaN where nothing is.
    return scores if missing == "renormalise" else _filled(scores, missing)


def _shares(
    scores: NDArray[np.float64], weights: NDArray[np.float64], missing: Missing
) -> NDArray[np.float64]:
    # The weight that each criterion really has at each place.
    w = np.repeat(weights[:, None], scores.shape[1], axis=1)
    if missing != "renormalise":
        return w
    w = np.where(np.isnan(scores), 0.0, w)
    with np.errstate(invalid="ignore"):
        return np.where(w.sum(axis=0) > 0, w / w.sum(axis=0), 0.0)
