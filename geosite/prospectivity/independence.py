"""Weights of evidence: how much a sign sets deposits apart, and whether signs repeat each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from geosite.prospectivity.logistic import Cases

BEST = 0.9
"""A sign is present on the best tenth of its state's land."""
HALF = 0.5
"""Added to every count, so that none is zero."""


def contrast(
    present_deposits: float, deposits: float, present_share: float
) -> tuple[float, float, float, float]:
    """W⁺, W⁻, contrast C = W⁺ − W⁻ and studentised contrast C / s(C) of a binary sign.

    The variance is that of the deposits, 1/n⁺ + 1/n⁻: the background is all the land,
    so its part is nil. Half a deposit is added to each count.

    References
    ----------
    Bonham-Carter, Agterberg and Wright, 1989, Weights of evidence modelling: a new
    approach to mapping mineral potential, Geological Survey of Canada Paper 89-9.

    Examples
    --------
    >>> [round(v, 2) for v in contrast(50, 100, 0.1)]
    [1.61, -0.59, 2.2, 11.04]
    """
    inside, outside = present_deposits + HALF, deposits - present_deposits + HALF
    whole = deposits + 2 * HALF
    share = min(max(present_share, 1e-6), 1 - 1e-6)
    plus, minus = np.log(inside / whole / share), np.log(outside / whole / (1 - share))
    c = float(plus - minus)
    return float(plus), float(minus), c, c / float(np.sqrt(1 / inside + 1 / outside))


def signs(names: Sequence[str], cases: Cases, single: frozenset[str]) -> dict[str, Any]:
    """Contrast of every feature's best tenth, and how far they are from independent.

    Parameters
    ----------
    names : names of the features
    cases : Cases
        The weights of the background tell how much land a row stands for.
    single : set of names
        Features whose independence is tested: those that do not sum the same records.

    Returns
    -------
    dict
        ``contrasts``: by feature W⁺, W⁻, C and studentised C; ``independence``: deposits
        that weights of evidence would predict from the single features of C > 0, those
        there are, their ratio, and the omnibus statistic.

    Notes
    -----
    With T the sum of the posterior over all land and n the deposits, the omnibus test of
    conditional independence is z = (T − n) / s(T); T above n says that signs repeat each
    other. A ratio n/T below 0.85 or so is taken as a warning.

    References
    ----------
    Agterberg and Cheng, 2002, Conditional independence test for weights-of-evidence
    modeling, Natural Resources Research 11, 249–255.
    """
    deposit, land = cases.deposit, ~cases.deposit
    count = float(deposit.sum())
    area = np.where(land, cases.weights, 0.0) / cases.weights[land].sum()
    odds = np.zeros(len(deposit))
    variance = np.full(len(deposit), 1 / max(count, 1.0))
    contrasts = {}
    for name, values in zip(names, cases.features.T, strict=True):
        present = _present(values, land, cases.states)
        inside = float(present[deposit].sum())
        plus, minus, c, studentised = contrast(inside, count, float(area[present].sum()))
        contrasts[name] = {
            "w_plus": round(plus, 3),
            "w_minus": round(minus, 3),
            "contrast": round(c, 3),
            "studentised": round(studentised, 2),
        }
        if c > 0 and name in single:
            odds += np.where(present, plus, minus)
            variance += np.where(present, 1 / (inside + HALF), 1 / (count - inside + HALF))
    # Odds of a deposit per share of land: small, so posterior and odds are one.
    predicted = count * np.where(land, area * np.exp(np.clip(odds, -50, 50)), 0.0)
    total = float(predicted.sum())
    spread = float(np.sqrt(np.sum(predicted**2 * variance)))
    return {
        "contrasts": contrasts,
        "independence": {
            "signs": sorted(single),
            "deposits": round(count),
            "predicted_if_independent": float(f"{total:.4g}"),
            "ratio": float(f"{count / total:.3g}") if total else None,
            "omnibus_z": round((total - count) / spread, 2) if spread else None,
        },
    }


def _present(
    values: NDArray[np.floating], land: NDArray[np.bool_], states: NDArray[np.integer]
) -> NDArray[np.bool_]:
    cut = np.full(len(values), np.inf)
    for state in np.unique(states):
        among = values[land & (states == state)]
        if len(among):
            cut[states == state] = np.quantile(among, BEST)
    # Where nine tenths of the land have nothing, something is a sign.
    present: NDArray[np.bool_] = (values >= cut) & (values > np.min(values))
    return present
