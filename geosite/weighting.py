"""Weights of criteria from what a person says of them: directly, in pairs, by rank, in voices."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geosite.errors import CatalogError, faults

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import ArrayLike, NDArray

    from geosite.model.scenario import Scenario
    from geosite.model.weighting import (
        PairwiseTable,
        Ranking,
        Stakeholders,
        Weighting,
    )

RANDOM_INDEX = (
    0.0, 0.0, 0.58, 0.90, 1.12, 1.24, 1.32, 1.41, 1.45, 1.49, 1.51, 1.48, 1.56, 1.57, 1.59,
)  # fmt: skip
"""Mean consistency index of random tables of 1 to 15 criteria: Saaty, T. L. (1980). The analytic
hierarchy process. McGraw-Hill."""
TOLERATED = 0.1
"""Largest consistency ratio that Saaty takes for consistent enough."""
_EVEN = 0.005
"""Share by which rounding may spoil a reciprocal: 0.333 for a third does, 0.3 does not."""
_MOST = 9.0
"""End of Saaty's scale."""
PER_MILLE = 1000
"""What the weights of a ranking sum to."""
_NOISE = 1e-9


@dataclass(frozen=True, slots=True)
class Consistency:
    """How far a pairwise table contradicts itself.

    Attributes
    ----------
    eigenvalue : float
        Largest eigenvalue λ of the table; the number of criteria if it is consistent.
    index : float
        (λ - n) / (n - 1).
    ratio : float
        Index by that of random tables; above 0.1 the table should be thought over.
    """

    eigenvalue: float
    index: float
    ratio: float


def pairwise_weights(
    table: NDArray[np.float64],
) -> tuple[NDArray[np.float64], Consistency]:
    """Weights (criteria,) that sum to one, and the consistency of the table.

    Parameters
    ----------
    table : (criteria, criteria)
        Positive and reciprocal, of at most 15 criteria.

    Notes
    -----
    The weights are the principal right eigenvector.

    References
    ----------
    Saaty, T. L. (1980). The analytic hierarchy process. McGraw-Hill.

    Examples
    --------
    >>> weights, consistency = pairwise_weights(np.array([[1, 2, 4], [1/2, 1, 2], [1/4, 1/2, 1]]))
    >>> (weights * 7).round(6).tolist(), round(abs(consistency.ratio), 6)
    ([4.0, 2.0, 1.0], 0.0)
    """
    n = len(table)
    values, vectors = np.linalg.eig(table)
    k = int(np.argmax(values.real))
    vector = np.abs(vectors[:, k].real)
    eigenvalue = float(values[k].real)
    # Never below n but by rounding, which must not read as a ratio below zero.
    index = max(0.0, (eigenvalue - n) / (n - 1)) if n > 1 else 0.0
    random = RANDOM_INDEX[n - 1]
    ratio = index / random if random else 0.0
    return vector / vector.sum(), Consistency(eigenvalue, index, ratio)


def rank_order_weights(groups: Sequence[int]) -> list[float]:
    r"""Rank-order centroid weight of a member of each group, most important first.

    Parameters
    ----------
    groups
        How many criteria stand together at each place.

    Notes
    -----
    Of m criteria the k-th has :math:`w_k = \frac{1}{m} \sum_{i=k}^{m} \frac{1}{i}`; those that
    matter alike have the mean of their places.

    References
    ----------
    Barron, F. H., & Barrett, B. E. (1996). Decision quality using ranked attribute weights.
    Management Science 42(11), 1515-1523.

    Examples
    --------
    >>> [round(w, 4) for w in rank_order_weights([1, 1, 1])]
    [0.6111, 0.2778, 0.1111]
    >>> [round(w, 4) for w in rank_order_weights([1, 2])]
    [0.6111, 0.1944]
    """
    m = sum(groups)
    alone = [sum(1 / i for i in range(k, m + 1)) / m for k in range(1, m + 1)]
    found, at = [], 0
    for size in groups:
        found.append(sum(alone[at : at + size]) / size)
        at += size
    return found


def weighting_faults(weighting: Weighting, ids: Sequence[str], at: str = "weighting") -> list[str]:
    """What is wrong with a weighting of these criteria, a line each; empty if nothing is.

    Parameters
    ----------
    at : str
        Where it stands, for the lines.
    """
    match weighting.kind:
        case "direct":
            return name_faults(weighting.weights, ids, f"{at}.weights")
        case "ranking":
            return name_faults(_named(weighting), ids, f"{at}.order")
        case "ahp":
            return _table_faults(weighting, ids, at)
        case "stakeholders":
            # Told apart by what their columns are called.
            names = Counter(slug(v.name) for v in weighting.voices)
            twice = [f"{at}.voices: {n} speaks twice" for n, count in names.items() if count > 1]
            return twice + [
                line
                for v in weighting.voices
                for line in weighting_faults(v.weighting, ids, f"{at}: {v.name}")
            ]


def criterion_weights(
    weighting: Weighting, ids: Sequence[str], at: str = "weighting"
) -> NDArray[np.float64]:
    """Weight of each criterion (criteria,): as written if direct, else of sum one.

    Raises
    ------
    CatalogError
        With every fault of the weighting.
    """
    if found := weighting_faults(weighting, ids, at):
        title = "the weights cannot be taken from what is written:"
        raise CatalogError(faults(title, found))
    match weighting.kind:
        case "direct":
            return np.array([weighting.weights[i] for i in ids])
        case "ranking":
            groups = _groups(weighting)
            each = rank_order_weights([len(g) for g in groups])
            found_ = {i: w for g, w in zip(groups, each, strict=True) for i in g}
            return np.array([found_[i] for i in ids])
        case "ahp":
            weights, _ = pairwise_weights(np.array(weighting.table))
            order = [weighting.criteria.index(i) for i in ids]
            return weights[order]
        case "stakeholders":
            return _combined(weighting, ids)


def per_mille(weights: ArrayLike) -> NDArray[np.float64]:
    """Weights (criteria,) in whole per mille that sum to 1000: those by which sites are ranked.

    By largest remainder, ties to the criterion that is named first. A weight above zero has at
    least one per mille, a weight of zero none. Every ranking takes its weights from here, so
    that a run, `geosite rank` and the page of the map add up the same whole numbers; what AHP,
    rank order or voices give stays as exact as it is until then.

    Parameters
    ----------
    weights : (criteria,)
        Zero or more, not all zero, at most 1000 above zero; of any sum.

    Examples
    --------
    >>> per_mille([1, 1, 1]).tolist()
    [334.0, 333.0, 333.0]
    >>> per_mille([30, 0, 69.99, 0.01]).tolist()
    [300.0, 0.0, 699.0, 1.0]
    """
    w = np.asarray(weights, np.float64)
    share = w / w.sum() * PER_MILLE
    # The last digit of a sum must not decide what is a tie, or a whole number.
    floor = np.floor(share + _NOISE)
    found = np.where(w > 0, np.maximum(floor, 1.0), 0.0)
    rest = np.round(share - found, 9)
    while (over := int(PER_MILLE - found.sum())) != 0:
        # Given to who is most short of its share, or taken from who is most above it and can.
        at = int(np.argmax(rest)) if over > 0 else int(np.argmin(np.where(found > 1, rest, np.inf)))
        found[at] += np.sign(over)
        rest[at] -= np.sign(over)
    return np.asarray(found, np.float64)


def consistency_lines(weighting: Weighting | None, of: str = "") -> list[str]:
    """How far each pairwise table of a weighting contradicts itself, in words, a line each.

    Parameters
    ----------
    of : str
        Whose weighting it is.
    """
    if weighting is None:
        return []
    if weighting.kind == "stakeholders":
        return [x for v in weighting.voices for x in consistency_lines(v.weighting, v.name)]
    if weighting.kind != "ahp":
        return []
    _, found = pairwise_weights(np.array(weighting.table))
    return [
        f"pairwise table{f' of {of}' if of else ''}: consistency ratio {found.ratio:.3f}"
        + (
            f", above {TOLERATED}: its judgements contradict each other"
            if found.ratio > TOLERATED
            else ""
        )
    ]


def voices(weighting: Weighting | None, ids: Sequence[str]) -> dict[str, NDArray[np.float64]]:
    """Weights of each single voice, of sum one, by its name; empty where there are no voices."""
    if weighting is None or weighting.kind != "stakeholders":
        return {}
    each = {v.name: criterion_weights(v.weighting, ids) for v in weighting.voices}
    return {name: w / w.sum() for name, w in each.items()}


def slug(name: str) -> str:
    """A voice's name as a part of a column's name.

    Examples
    --------
    >>> slug("State & local agencies")
    'state_local_agencies'
    """
    words = "".join(c if c.isalnum() and c.isascii() else " " for c in name.lower()).split()
    return "_".join(words) or "a_voice"


def weighted(scenario: Scenario) -> Scenario:
    """The scenario with the weights that its weighting gives the criteria; itself without one.

    Raises
    ------
    CatalogError
        With every fault of the weighting.
    """
    if scenario.weighting is None:
        return scenario
    ids = [c.id for c in scenario.criteria]
    weights = criterion_weights(scenario.weighting, ids).tolist()
    criteria = tuple(
        c.model_copy(update={"weight": w}) for c, w in zip(scenario.criteria, weights, strict=True)
    )
    return scenario.model_copy(update={"criteria": criteria})


def name_faults(given: Iterable[str], ids: Sequence[str], at: str) -> list[str]:
    """Criteria that are named twice, that do not exist, or that are left out.

    Examples
    --------
    >>> for line in name_faults(["rail", "road"], ["rail", "slope"], "weights"):
    ...     print(line)
    weights: there is no criterion road; there are rail, slope
    weights: nothing is said of slope
    """
    count = Counter(iter(given))
    found = [f"{at}: {i} is named twice" for i, n in count.items() if n > 1]
    if unknown := [i for i in count if i not in ids]:
        noun = "criterion" if len(unknown) == 1 else "criteria"
        found.append(f"{at}: there is no {noun} {', '.join(unknown)}; there are {', '.join(ids)}")
    if missing := [i for i in ids if i not in count]:
        found.append(f"{at}: nothing is said of {', '.join(missing)}")
    return found


def _groups(ranking: Ranking) -> list[tuple[str, ...]]:
    return [(g,) if isinstance(g, str) else g for g in ranking.order]


def _named(ranking: Ranking) -> list[str]:
    return [i for g in _groups(ranking) for i in g]


def _combined(weighting: Stakeholders, ids: Sequence[str]) -> NDArray[np.float64]:
    each = np.array(list(voices(weighting, ids).values()))
    influence = np.array([v.influence for v in weighting.voices])
    influence = influence / influence.sum()
    if weighting.combined == "geometric_mean":
        found = np.exp((influence[:, None] * np.log(each)).sum(axis=0))
    else:
        found = (influence[:, None] * each).sum(axis=0)
    return np.asarray(found / found.sum())


def _table_faults(weighting: PairwiseTable, ids: Sequence[str], at: str) -> list[str]:
    names, table = weighting.criteria, weighting.table
    found = name_faults(names, ids, f"{at}.criteria")
    n = len(names)
    if len(names) > len(RANDOM_INDEX):
        found.append(
            f"{at}.criteria: {n} criteria; Saaty's random indices go to {len(RANDOM_INDEX)}: "
            "rank the criteria instead (kind: ranking)"
        )
    wide = [f"row {k + 1} has {len(row)}" for k, row in enumerate(table) if len(row) != n]
    if len(table) != n or wide:
        found.append(
            f"{at}.table: is not square: {len(table)} rows for {n} criteria"
            + (f", {', '.join(wide)} values" if wide else "")
        )
        return found
    cells = [(i, j) for i in range(n) for j in range(n)]
    for i, j in cells:
        value, mirrored = table[i][j], table[j][i]
        where = f"{at}.table: {names[i]} against {names[j]}"
        if i == j:
            if value != 1:
                found.append(f"{where} is {value:g}, expected 1")
            continue
        if not (1 - _EVEN) / _MOST <= value <= _MOST * (1 + _EVEN):
            found.append(f"{where} is {value:g}, expected 1/9 to 9")
        if i < j and abs(value * mirrored - 1) > _EVEN:
            found.append(
                f"{where} is {value:g} and the other way round {mirrored:g}: not reciprocal, "
                f"expected {_inverse(value)}"
            )
    if not found and not weighting.allow_inconsistent:
        found += _inconsistent(weighting, at)
    return found


def _inverse(value: float) -> str:
    whole = round(value) if value >= 1 else round(1 / value)
    near = whole if value >= 1 else 1 / whole
    if abs(value - near) < _EVEN:
        return f"1/{whole}" if value > 1 else f"{whole}"
    return f"{1 / value:.6g}"


def _inconsistent(weighting: PairwiseTable, at: str) -> list[str]:
    table = np.array(weighting.table)
    weights, consistency = pairwise_weights(table)
    if consistency.ratio <= TOLERATED:
        return []
    # The pair that says most otherwise than all others together.
    off = np.abs(np.log(table * weights[None, :] / weights[:, None]))
    i, j = (int(k) for k in np.unravel_index(np.argmax(off), off.shape))
    one, other = weighting.criteria[i], weighting.criteria[j]
    implied = weights[i] / weights[j]
    line = (
        f"{at}.table: consistency ratio {consistency.ratio:.3f}, expected at most {TOLERATED}; "
        f"farthest off is {one} against {other}: {table[i, j]:.3g}, where the other judgements "
        f"together say {implied:.3g}; think it over, or write allow_inconsistent: true"
    )
    return [line]
