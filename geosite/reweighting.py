"""One set of sites under many weightings: their suitability and their ranks, compiled.

Each weighting gives what `suitability.suitability` gives for it, and the ranks that
`sites.in_order` gives: by suitability to nine decimals, then by site id.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numba
import numpy as np
from numpy.typing import NDArray

from geosite.closeness import Ideal
from geosite.suitability import LOG_STEPS, SCORE_STEPS, logarithms, suitability

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geosite.model.combination import Combination
    from geosite.suitability import Missing

Cells = NDArray[Any]

STEPS = 1e9
"""Steps of suitability that decide a rank: nine decimals."""
LEAST = 1e-12
"""Smallest weight that is drawn: a weight of zero would ask another question."""
_DIGIT = 10
_LAST = (1 << 3 * _DIGIT) - 1  # of all keys: what is not known comes last


def concentration(criteria: int, spread: float | None) -> float:
    r"""Sum of the parameters of the Dirichlet distribution that weights are drawn from.

    Parameters
    ----------
    criteria : int
        Their number m.
    spread : float or None
        Two standard deviations of a weight of mean size 1/m, as a share of it; None: every
        weighting is as likely, and the parameters are all one.

    Notes
    -----
    A weight w of a Dirichlet distribution about the stated weights with concentration
    :math:`\alpha_0` has the variance :math:`w (1 - w) / (\alpha_0 + 1)`. From
    :math:`2 \sigma = s / m` at :math:`w = 1 / m` follows

    .. math:: \alpha_0 = 4 (m - 1) / s^2 - 1

    A smaller weight is doubted more, as a share of itself, and a larger one less. One
    criterion has the whole weight and no doubt: infinite.

    Examples
    --------
    >>> concentration(8, 0.5)
    111.0
    >>> concentration(8, None)
    8.0
    """
    if criteria == 1:
        return float("inf")
    if spread is None:
        return float(criteria)
    return 4.0 * (criteria - 1) / spread**2 - 1.0


def drawn_weights(
    weights: NDArray[np.float64], draws: int, seed: int, spread: float | None
) -> NDArray[np.float64]:
    """Weightings about the stated one: (draws, criteria), each above zero and summing to one.

    Parameters
    ----------
    weights : (criteria,)
        As stated; above zero.
    spread : float or None
        See `concentration`; None draws them evenly from all weightings there are.

    Notes
    -----
    The same seed gives the same weightings with the same release of numpy.
    """
    stated = np.asarray(weights, float) / np.sum(weights)
    if len(stated) == 1:
        return np.ones((draws, 1))
    share = np.full(len(stated), 1.0 / len(stated)) if spread is None else stated
    alpha = concentration(len(stated), spread) * share
    found = np.random.default_rng(seed).dirichlet(alpha, draws)
    found = np.maximum(found, LEAST)
    return np.asarray(found / found.sum(axis=1, keepdims=True))


def suitabilities(
    scores: NDArray[np.float64],
    weightings: NDArray[np.float64],
    combination: Combination,
    ids: Sequence[str],
    *,
    missing: Missing,
) -> NDArray[np.float64]:
    """Suitability of each site under each weighting: (weightings, sites), as `suitability` gives.

    Parameters
    ----------
    scores : (criteria, sites), 0 to 1, in whole ten-thousandths
        NaN where a criterion could not be measured.
    weightings : (weightings, criteria)
        Above zero, of any sum. Those in whole per mille give what the ranked table has, to the
        last digit.

    Notes
    -----
    TOPSIS takes its ideal points from the sites that are known, as the ranked table does.
    """
    w = np.asarray(weightings, np.float64)
    match combination.kind:
        case "weighted_sum":
            return _score_means(scores, w, missing)
        case "geometric_mean":
            logs = logarithms(scores, exact=True)
            return np.asarray(np.exp(_means(logs, w, missing, -np.inf, 0.0, LOG_STEPS)))
        case "evidence_gated":
            return _gated(scores, w, list(ids).index(combination.evidence), missing)
        case "topsis":
            return _closeness(scores, w / w.sum(axis=1, keepdims=True), missing)
        case _:
            # No weight has a part in it: one ranking, whatever the weighting.
            one = suitability(scores, w[0], combination, ids, missing=missing, exact=True)
            return np.broadcast_to(one, (len(w), len(one)))


def _closeness(
    scores: NDArray[np.float64], w: NDArray[np.float64], missing: Missing
) -> NDArray[np.float64]:
    # Squared distances are sums of squares that no weighting changes, each times a squared weight.
    lost = np.isnan(scores)
    if missing in ("worst", "best"):
        scores = np.where(lost, 0.0 if missing == "worst" else 1.0, scores)
        lost = np.zeros_like(lost)
    nothing = lost.any(axis=0) if missing == "unknown" else lost.all(axis=0)
    scores = np.where(nothing, np.nan, scores)
    ideal = Ideal.of(scores)
    squares = []
    for mark in (ideal.worst, ideal.best):
        part = np.where(np.isnan(scores), 0.0, (scores - mark[:, None]) ** 2)
        squares.append(_means(part, w**2, "worst", 0.0, 1.0, 1.0))
    # The divisor of both means is the same and falls out of the ratio.
    near, far = np.sqrt(squares)
    with np.errstate(invalid="ignore"):
        found = np.where(near + far > 0, near / (near + far), 0.5)
    return np.where(nothing, np.nan, found)


def _gated(
    scores: NDArray[np.float64], w: NDArray[np.float64], e: int, missing: Missing
) -> NDArray[np.float64]:
    evidence = scores[e]
    if missing in ("worst", "best"):
        evidence = np.where(np.isnan(evidence), 0.0 if missing == "worst" else 1.0, evidence)
    rest = [i for i in range(len(scores)) if i != e]
    if not rest:
        return np.broadcast_to(evidence, (len(w), len(evidence)))
    access = _score_means(scores[rest], w[:, rest], missing)
    # Added up one by one: a sum over rows adds in another order.
    we = np.array([v[e] / v.sum() for v in w])[:, None]
    return np.asarray(evidence**we * access ** (1 - we))


def _score_means(
    scores: NDArray[np.float64], w: NDArray[np.float64], missing: Missing
) -> NDArray[np.float64]:
    # Sums of whole numbers, if the weights are.
    steps = float(SCORE_STEPS)
    return _means(np.rint(scores * steps), w, missing, 0.0, steps, steps)


def _means(
    values: NDArray[np.float64],
    w: NDArray[np.float64],
    missing: Missing,
    worst: float,
    best: float,
    whole: float,
) -> NDArray[np.float64]:
    # Of values that are `whole` times what is returned.
    lost = np.isnan(values)
    partial = missing == "renormalise" and bool(lost.any())
    if missing != "unknown":
        fill = {"worst": worst, "best": best, "renormalise": 0.0}[missing]
        values = np.where(lost, fill, values)
    has = np.ascontiguousarray(~lost, np.float64) if partial else np.empty((0, 0))
    out = np.empty((len(w), values.shape[1]))
    _weighted_means(np.ascontiguousarray(values), has, np.ascontiguousarray(w), whole, out)
    return out


@numba.njit(cache=True, nogil=True)
def _weighted_means(
    values: Cells, has: Cells, w: Cells, unit: float, out: Cells
) -> None:  # pragma: no cover - compiled
    # Criterion by criterion, as `suitability` adds: the sums are the same to the last bit.
    criteria, sites = values.shape
    known = np.empty(sites if has.shape[0] else 0)
    for d in range(w.shape[0]):
        row = out[d]
        row[:] = 0.0
        known[:] = 0.0
        whole = 0.0
        for i in range(criteria):
            share = w[d, i]
            whole += share
            for j in range(sites):
                row[j] += share * values[i, j]
            if has.shape[0]:
                for j in range(sites):
                    known[j] += share * has[i, j]
        for j in range(sites):
            divisor = known[j] if has.shape[0] else whole
            row[j] = row[j] / (divisor * unit) if divisor > 0.0 else np.nan


@numba.njit(cache=True, nogil=True)
def _rank(scores: Cells, out: Cells) -> None:  # pragma: no cover - compiled
    # Radix sort, least digit first: stable, so that equals stay in the order of their ids.
    draws, sites = scores.shape
    buckets = 1 << _DIGIT
    keys, other = np.empty(sites, np.uint32), np.empty(sites, np.uint32)
    order, next_ = np.empty(sites, np.uint32), np.empty(sites, np.uint32)
    begins = np.empty((3, buckets), np.int64)
    for d in range(draws):
        begins[:] = 0
        for j in range(sites):
            s = scores[d, j]
            key = np.uint32(_LAST)
            if not np.isnan(s):
                key = np.uint32(STEPS - np.rint(min(max(s, 0.0), 1.0) * STEPS))
            keys[j], order[j] = key, j
            for p in range(3):
                begins[p, (key >> np.uint32(p * _DIGIT)) & np.uint32(buckets - 1)] += 1
        for p in range(3):
            total = 0
            for b in range(buckets):
                here = begins[p, b]
                begins[p, b] = total
                total += here
            for j in range(sites):
                b = (keys[j] >> np.uint32(p * _DIGIT)) & np.uint32(buckets - 1)
                at = begins[p, b]
                begins[p, b] = at + 1
                other[at], next_[at] = keys[j], order[j]
            keys, other = other, keys
            order, next_ = next_, order
        for j in range(sites):
            out[order[j], d] = j + 1


def ranks(scores: NDArray[np.float64]) -> NDArray[np.int32]:
    """Rank of each site under each weighting: (sites, weightings), from 1, none twice.

    Parameters
    ----------
    scores : (weightings, sites)
        Suitability, sites in the order of their ids; what is not known comes last.

    Examples
    --------
    >>> ranks(np.array([[0.2, 0.9, 0.2]])).ravel().tolist()
    [2, 1, 3]
    """
    out = np.empty(scores.shape[::-1], np.int32)
    _rank(np.ascontiguousarray(scores), out)
    return out
