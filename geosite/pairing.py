"""Mines and plants ranked by one another: the ore a plant can reach, the plant a mine can feed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

HALF_ORE = 5.0
"""Ore at which a plant's score is one half: five mines of weight 1 at its gate. Judgement."""
WEIGHT = 0.3
"""Share of its suitability that a site without a partner loses. Judgement."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How a pair counts.

    Attributes
    ----------
    half_usd : float
        A haul of this cost counts half [USD per short ton].
    max_usd : float
        A dearer haul does not count [USD per short ton].
    half_ore : float
        Ore at which a plant's score is one half [mines of weight 1].
    weight : float
        Most of its suitability that a site can lose, 0–1.
    """

    half_usd: float
    max_usd: float = np.inf
    half_ore: float = HALF_ORE
    weight: float = WEIGHT


@dataclass(frozen=True, slots=True)
class Pairing:
    """Both lists by one another.

    Attributes
    ----------
    share : (mines, plants)
        What is left of the ore by the cost of its haul, 0–1; 0 where the plant does not take it
        or the haul is too dear.
    best : (mines,)
        The cheapest plant that takes the ore of each mine; −1 if there is none.
    ore : (plants,)
        Ore that each plant can reach [mines of weight 1].
    mine_score, plant_score : 0–1
    mine_paired, plant_paired : suitability by the pairing
    mine_rank, plant_rank : from 1 on; of equals the one that was first stays first
    """

    share: NDArray[np.float64]
    best: NDArray[np.intp]
    ore: NDArray[np.float64]
    mine_score: NDArray[np.float64]
    plant_score: NDArray[np.float64]
    mine_paired: NDArray[np.float64]
    plant_paired: NDArray[np.float64]
    mine_rank: NDArray[np.int64]
    plant_rank: NDArray[np.int64]


def pairing(
    mines: NDArray[np.float64],
    plants: NDArray[np.float64],
    ore: NDArray[np.float64],
    usd: NDArray[np.float64],
    takes: NDArray[np.bool_],
    terms: Terms,
) -> Pairing:
    """Scores and ranks of mines and plants by one another.

    Parameters
    ----------
    mines, plants : (mines,), (plants,)
        Suitability, 0–1, by rank.
    ore : (mines,)
        Weight of each mine as a source of ore, 0–1.
    usd : (mines, plants)
        Cost of the haul [USD per short ton].
    takes : (mines, plants)
        Whether the plant takes ore of the mine.

    Notes
    -----
    With c the cost of a haul::

        share(m, p) = 2^(−c / half_usd)        where p takes the ore of m and c ≤ max_usd, else 0
        ore(p)      = Σ over m of weight(m) · share(m, p)
        score(p)    = ore(p) / (ore(p) + half_ore)
        score(m)    = share(m, cheapest plant that takes its ore)
        paired      = suitability · (1 − weight + weight · score)

    All of it is absolute: a site more changes no score but by being a partner.

    Examples
    --------
    >>> found = pairing(np.array([0.9, 0.8]), np.array([1.0]), np.ones(2),
    ...                 np.array([[30.0], [0.0]]), np.ones((2, 1), bool), Terms(15.0, weight=0.5))
    >>> found.share.ravel().tolist(), found.mine_rank.tolist()
    ([0.25, 1.0], [2, 1])
    """
    able = takes & (usd <= terms.max_usd)
    share = np.where(able, np.exp2(-np.where(able, usd, 0.0) / terms.half_usd), 0.0)
    reached = (ore[:, None] * share).sum(axis=0)
    best = np.full(len(mines), -1, np.intp)
    fed = able.any(axis=1)
    if fed.any():
        best[fed] = np.argmin(np.where(able[fed], usd[fed], np.inf), axis=1)
    mine_score = share.max(axis=1, initial=0.0)
    plant_score = reached / (reached + terms.half_ore)
    mine_paired = discounted(mines, mine_score, terms.weight)
    plant_paired = discounted(plants, plant_score, terms.weight)
    return Pairing(
        share,
        best,
        reached,
        mine_score,
        plant_score,
        mine_paired,
        plant_paired,
        ranks(mine_paired),
        ranks(plant_paired),
    )


def discounted(
    suitability: NDArray[np.float64], score: NDArray[np.float64], weight: float
) -> NDArray[np.float64]:
    """Suitability less the part that a poor partner takes from it, at most `weight` of it.

    Examples
    --------
    >>> discounted(np.array([0.8]), np.array([0.5]), 0.5).round(3).tolist()
    [0.6]
    """
    return suitability * (1.0 - weight + weight * score)


def ranks(value: NDArray[Any]) -> NDArray[np.int64]:
    """Ranks from 1 on, the highest first; of equals the one that stands first, NaN last.

    Examples
    --------
    >>> ranks(np.array([0.2, 0.9, 0.2])).tolist()
    [2, 1, 3]
    """
    order = np.argsort(-value, kind="stable")
    found = np.empty(len(value), np.int64)
    found[order] = np.arange(1, len(value) + 1)
    return found
