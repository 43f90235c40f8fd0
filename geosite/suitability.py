"""Combination rules: from scores on several criteria to one suitability.

The same functions act on cells and on the decision matrix of sites, so what a
map shows and what a table ranks is one calculation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from geosite.model.combination import Combination

Missing = Literal["unknown", "worst", "renormalise", "best"]


def suitability(
    scores: NDArray[np.float64],
    weights: NDArray[np.float64],
    combination: Combination,
    ids: Sequence[str],
    *,
    missing: Missing,
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
        Weighted sum, weighted geometric mean, or evidence-gated.
    ids : criterion ids
        Only the evidence-gated rule reads them.
    missing : {"unknown", "worst", "renormalise", "best"}
        What a missing score means: the place is unknown; the score is 0; the other
        weights share its weight; the score is 1 (for the upper end of an interval).

    Notes
    -----
    .. math::
        S_{sum} = \sum w_i x_i \qquad S_{geo} = \prod x_i^{w_i} \qquad
        S_{gated} = e^{w_e} \Big(\sum_{i \ne e} w_i x_i / (1 - w_e)\Big)^{1 - w_e}

    Under ``renormalise`` a place with no known score is unknown, and so is one
    whose evidence is not known under the evidence-gated rule.
    """
    w = weights / weights.sum()
    match combination.kind:
        case "weighted_sum":
            return _mean(scores, w, missing)
        case "geometric_mean":
            with np.errstate(divide="ignore"):
                logs = np.log(scores)
            return np.asarray(np.exp(_mean(logs, w, missing, worst=-np.inf, best=0.0)))
        case "evidence_gated":
            e = list(ids).index(combination.evidence)
            evidence, access, we = gated_parts(scores, w, e, missing)
            return np.asarray(evidence**we * access ** (1 - we))


def gated_parts(
    scores: NDArray[np.float64], weights: NDArray[np.float64], e: int, missing: Missing
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Evidence and access of each place, and the weight of evidence."""
    rest = [i for i in range(len(weights)) if i != e]
    evidence = scores[e]
    if missing in ("worst", "best"):
        evidence = np.where(np.isnan(evidence), 0.0 if missing == "worst" else 1.0, evidence)
    we = float(weights[e])
    if not rest:
        return evidence, np.ones_like(evidence), 1.0
    return evidence, _mean(scores[rest], weights[rest] / weights[rest].sum(), missing), we


def _mean(
    values: NDArray[np.float64],
    weights: NDArray[np.float64],
    missing: Missing,
    *,
    worst: float = 0.0,
    best: float = 1.0,
) -> NDArray[np.float64]:
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
        return np.where(known > 0, total / known, np.nan)


def contributions(
    scores: NDArray[np.float64],
    weights: NDArray[np.float64],
    combination: Combination,
    ids: Sequence[str],
    *,
    missing: Missing,
) -> NDArray[np.float64]:
    r"""Contribution of each criterion to each place: (criteria, places).

    They sum to suitability for the weighted sum, and to its natural logarithm for
    the geometric rules, in which a score below the rule's floor, such as zero,
    counts as the floor. A criterion that is missing contributes nothing.

    Notes
    -----
    Evidence-gated: evidence contributes :math:`w_e \ln e`. Access A loses
    :math:`1 - A = \sum w_i (1 - x_i)`; each criterion bears the share of
    :math:`(1 - w_e) \ln A` that it has in this loss.
    """
    w = weights / weights.sum()
    if combination.kind == "weighted_sum":
        return _shares(scores, w, missing) * _filled(scores, missing)
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
