"""From measures to scores: value functions with absolute anchors."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from geosite.model.criterion import Reading
    from geosite.model.value import ValueFunction


def score(function: ValueFunction, measure: ArrayLike) -> NDArray[np.float64]:
    r"""Scores of a measure: same shape, 0 to 1, up is good, NaN where the measure is NaN.

    Parameters
    ----------
    function
        A value function on numbers; categories have `category_score`.
    measure : array
        In the unit of the anchors; infinite means beyond every anchor.

    Notes
    -----
    linear: :math:`s = (x - worst) / (best - worst)`, cut to 0 … 1;
    logistic: :math:`s = 1 / (1 + e^{-k (x - m)})` with m midway between worst and
    best and k such that s(best) = 0.95; log: linear in :math:`\ln x`.

    Examples
    --------
    >>> from geosite.model.value import Decreasing
    >>> score(Decreasing(kind="decreasing", best="2 km", worst="60 km"), [0, 31_000, 90_000])
    array([1. , 0.5, 0. ])
    """
    x = np.asarray(measure, np.float64)
    match function.kind:
        case "decreasing" | "increasing":
            worst, best = function.worst.value, function.best.value
            return np.clip((x - worst) / (best - worst), 0.0, 1.0)
        case "log":
            worst, best = math.log(function.worst.value), math.log(function.best.value)
            with np.errstate(divide="ignore"):
                return np.clip((np.log(np.maximum(x, 0.0)) - worst) / (best - worst), 0.0, 1.0)
        case "logistic":
            worst, best = function.worst.value, function.best.value
            steepness = 2 * math.log(19) / (best - worst)
            # Beyond ±700 the exponential overflows and the score has long been 0 or 1.
            power = np.clip(-steepness * (x - (worst + best) / 2), -700.0, 700.0)
            return np.asarray(1.0 / (1.0 + np.exp(power)))
        case "between":
            points = [
                (q.value, s) for q, s in zip(function.anchors, (0.0, 1.0, 1.0, 0.0), strict=True)
            ]
            return _interpolated(x, points)
        case "piecewise":
            return _interpolated(x, [(q.value, s) for q, s in function.points])
        case _:
            msg = f"a {function.kind} value function scores categories, not numbers"
            raise TypeError(msg)


def _interpolated(x: NDArray[np.float64], points: list[tuple[float, float]]) -> NDArray[np.float64]:
    at, scores = zip(*points, strict=True)
    return np.where(np.isnan(x), np.nan, np.interp(x, at, scores))


def category_score(
    function: ValueFunction, codes: NDArray[np.int64], names: list[str]
) -> NDArray[np.float64]:
    """Scores of categories: same shape; NaN for code -1 and for a category without a score.

    Parameters
    ----------
    codes : int array
        Index into `names`, -1 where the category is not known.
    """
    if function.kind != "categorical":
        msg = f"a {function.kind} value function scores numbers, not categories"
        raise TypeError(msg)
    table = np.array([function.scores.get(n, np.nan) for n in names] + [np.nan])
    return table[codes]


def saturation(reading: Reading) -> float:
    """Distance [m] beyond which a distance score no longer changes.

    A distance need only be known up to here: beyond it is "far".
    """
    function = reading.value
    if reading.measure.kind != "distance" or not function.anchors:
        return 0.0
    largest = max(q.value for q in function.anchors)
    if function.kind != "logistic":
        return largest
    # From 4.8 half-widths beyond its middle a logistic is flat to a millionth.
    worst, best = function.worst.value, function.best.value
    return (worst + best) / 2 + 4.8 * abs(worst - best) / 2
