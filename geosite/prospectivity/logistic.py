"""A ridge logistic regression with one intercept for each state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

STEPS = 30
CLOSE = 1e-7
LOOSE = 1e-3
"""Penalty of the intercepts, so small that it only keeps the equations solvable."""
LARGEST = 30.0
"""Log odds beyond which a probability is 0 or 1 to rounding."""


@dataclass(frozen=True, slots=True)
class Fit:
    """Coefficients per standard deviation of a feature, and how sure they are.

    `studentised` is a coefficient over its standard error, from the penalised
    information matrix: beyond about ±2 a feature says something on its own.
    """

    coefficients: NDArray[np.float64]
    studentised: NDArray[np.float64]


def fitted(
    features: NDArray[np.float64],
    deposit: NDArray[np.bool_],
    states: NDArray[np.integer],
    weights: NDArray[np.float64],
    penalty: float,
) -> Fit:
    """Logistic model of deposit against background, told apart within each state only.

    Parameters
    ----------
    features : (rows, features) float64
        Standardised.
    deposit : (rows,) bool
        False: background.
    states : (rows,) integer
        Each state has an intercept, so that how much a state recorded says nothing.
    weights : (rows,) float64
        Case weights.
    penalty : float
        Ridge penalty of the coefficients; the intercepts are free.

    Notes
    -----
    Maximum of Σ w (y η − log(1 + e^η)) − ½ λ Σ β², η = α_state + xβ, by Newton's method
    (iteratively reweighted least squares).

    Examples
    --------
    >>> x = np.array([[-1.0], [-1.0], [0.0], [1.0], [1.0], [0.0]])
    >>> y = np.array([False, False, False, True, True, True])
    >>> one = fitted(x, y, np.ones(6, int), np.ones(6), 1.0)
    >>> bool(one.coefficients[0] > 0)
    True
    """
    count = features.shape[1]
    names = np.unique(states)
    design = np.hstack([features, (states[:, None] == names).astype(float)])
    ridge = np.r_[np.full(count, penalty), np.full(len(names), LOOSE)]
    beta = np.zeros(design.shape[1])
    information = np.diag(ridge)
    for _ in range(STEPS):
        odds = np.clip(design @ beta, -LARGEST, LARGEST)
        share = 1 / (1 + np.exp(-odds))
        information = (design * (weights * share * (1 - share))[:, None]).T @ design + np.diag(ridge)
        step = np.linalg.solve(information, design.T @ (weights * (deposit - share)) - ridge * beta)
        # A step is never longer than one standard deviation's worth of odds: no overshooting.
        beta = beta + step / max(1.0, float(np.abs(step).max()) / 4)
        if float(np.abs(step).max()) < CLOSE:
            break
    error = np.sqrt(np.diag(np.linalg.inv(information)))
    return Fit(beta[:count], beta[:count] / error[:count])


def case_weights(
    deposit: NDArray[np.bool_], states: NDArray[np.integer], power: float = 0.7
) -> NDArray[np.float64]:
    """Weights by which no state rules: n^power of its deposits, as much for its background.

    Together they are as heavy as twice the number of deposits; states without a
    deposit weigh nothing, because nothing is learned where nothing is known.

    Examples
    --------
    >>> case_weights(np.array([True, False, False]), np.array([1, 1, 2])).tolist()
    [1.0, 1.0, 0.0]
    """
    out = np.zeros(len(deposit))
    shares = {s: float(deposit[states == s].sum()) ** power for s in np.unique(states[deposit])}
    whole = sum(shares.values())
    for state, share in shares.items():
        for kind in (deposit, ~deposit):
            rows = kind & (states == state)
            if rows.any():
                out[rows] = deposit.sum() * share / whole / rows.sum()
    return out
