"""A ridge logistic regression with one intercept for each state."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

STEPS = 30
CLOSE = 1e-5
LOOSE = 1e-3
"""Penalty of the intercepts, so small that it only keeps the equations solvable."""
LARGEST = 30.0
"""Log odds beyond which a probability is 0 or 1 to rounding."""


@dataclass(frozen=True, slots=True)
class Cases:
    """Deposits and background, a row each.

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
    """

    features: NDArray[np.float64]
    deposit: NDArray[np.bool_]
    states: NDArray[np.integer]
    weights: NDArray[np.float64]

    @property
    def weighty(self) -> Cases:
        """Rows that weigh something: states without a deposit teach nothing."""
        on = self.weights > 0
        return Cases(self.features[on], self.deposit[on], self.states[on], self.weights[on])

    def told_by(self, features: NDArray[np.bool_]) -> Cases:
        """The same rows with some of the features."""
        return replace(self, features=self.features[:, features])

    @property
    def _design(self) -> NDArray[np.float64]:
        names = np.unique(self.states)
        intercepts = (self.states[:, None] == names).astype(np.float64)
        design: NDArray[np.float64] = np.concatenate([self.features, intercepts], axis=1)
        return design

    def _ridge(self, penalty: float) -> NDArray[np.float64]:
        intercepts = len(np.unique(self.states))
        ridge = np.full(self.features.shape[1] + intercepts, penalty)
        ridge[self.features.shape[1] :] = LOOSE
        return ridge


@dataclass(frozen=True, slots=True)
class Fit:
    """Coefficients per standard deviation of a feature, and how sure they are.

    `studentised` is a coefficient over its standard error, from the penalised
    information matrix: beyond about ±2 a feature says something on its own.
    """

    coefficients: NDArray[np.float64]
    studentised: NDArray[np.float64]
    intercepts: NDArray[np.float64]
    """Log odds of each state, in the order of their numbers."""
    covariance: NDArray[np.float64]
    """Inverse of the information about coefficients and intercepts."""


def fitted(cases: Cases, penalty: float) -> Fit:
    """Logistic model of deposit against background, told apart within each state only.

    The ridge penalty is that of the coefficients; the intercepts are free.

    Notes
    -----
    Maximum of Σ w (y η − log(1 + e^η)) − ½ λ Σ β², η = α_state + xβ, by Newton's method
    (iteratively reweighted least squares).

    Examples
    --------
    >>> x = np.array([[-1.0], [-1.0], [0.0], [1.0], [1.0], [0.0]])
    >>> y = np.array([False, False, False, True, True, True])
    >>> one = fitted(Cases(x, y, np.ones(6, int), np.ones(6)), 1.0)
    >>> bool(one.coefficients[0] > 0)
    True
    """
    count = cases.features.shape[1]
    design, ridge = cases._design, cases._ridge(penalty)  # noqa: SLF001 -- one module
    beta = np.zeros(design.shape[1])
    information = np.diag(ridge)
    for _ in range(STEPS):
        share = _share(design @ beta)
        curve = cases.weights * share * (1 - share)
        information = (design * curve[:, None]).T @ design + np.diag(ridge)
        slope = design.T @ (cases.weights * (cases.deposit - share)) - ridge * beta
        step = np.linalg.solve(information, slope)
        # No step is longer than four standard deviations' worth of odds: no overshooting.
        beta = beta + step / max(1.0, float(np.abs(step).max()) / 4)
        if float(np.abs(step).max()) < CLOSE:
            break
    covariance: NDArray[np.float64] = np.linalg.inv(information).astype(np.float64)
    error = np.sqrt(np.diag(covariance))[:count]
    return Fit(beta[:count], beta[:count] / error, beta[count:], covariance)


def refitted(fit: Fit, cases: Cases, penalty: float, steps: int = 3) -> NDArray[np.float64]:
    """Coefficients of the same model under other weights, by a few steps from a fit.

    Notes
    -----
    Each step is β + I⁻¹ u, with the score u of the new weights and the information I
    of the fit: the score bootstrap, which needs no new matrix.

    References
    ----------
    Kline and Santos, 2012, A score based approach to wild bootstrap inference, Journal of
    Econometric Methods 1, 23–41.

    Examples
    --------
    >>> x = np.array([[-1.0], [-1.0], [0.0], [1.0], [1.0], [0.0]])
    >>> y = np.array([False, False, False, True, True, True])
    >>> cases = Cases(x, y, np.ones(6, int), np.ones(6))
    >>> fit = fitted(cases, 1.0)
    >>> bool(np.allclose(refitted(fit, cases, 1.0), fit.coefficients))
    True
    """
    design, ridge = cases._design, cases._ridge(penalty)  # noqa: SLF001 -- one module
    beta = np.concatenate([fit.coefficients, fit.intercepts])
    for _ in range(steps):
        score = design.T @ (cases.weights * (cases.deposit - _share(design @ beta))) - ridge * beta
        beta = np.add(beta, fit.covariance @ score)
    return beta[: cases.features.shape[1]]


def _share(odds: NDArray[np.float64]) -> NDArray[np.float64]:
    share: NDArray[np.float64] = 1 / (1 + np.exp(-np.clip(odds, -LARGEST, LARGEST)))
    return share


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
