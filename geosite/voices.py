"""The ranking under each single voice, and the sites that all of them keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geosite.closeness import order
from geosite.matrix import scored
from geosite.weighting import per_mille, slug

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from geosite.matrix import Matrix
    from geosite.model.combination import Combination
    from geosite.suitability import Missing

LISTED = 10
"""The first sites of every voice, among which a site of no regret is."""


def voice_ranks(
    matrix: Matrix,
    voices: Mapping[str, NDArray[np.float64]],
    combination: Combination,
    missing: Missing,
    sites: Sequence[str],
) -> dict[str, NDArray[np.float64]]:
    """Rank of each site (sites,) under each voice: from 1; NaN where suitability is unknown.

    Parameters
    ----------
    voices : mapping of name to (criteria,) weights
        Above zero; taken in whole per mille.
    """
    return {
        name: ranks(scored(matrix, per_mille(weights), combination, missing).suitability, sites)
        for name, weights in voices.items()
    }


def ranks(suitability: NDArray[np.float64], sites: Sequence[str]) -> NDArray[np.float64]:
    """Rank of each site (sites,): from 1; NaN where suitability is unknown.

    Examples
    --------
    >>> ranks(np.array([0.5, np.nan, 0.75]), ["a", "b", "c"]).tolist()
    [2.0, nan, 1.0]
    """
    found = np.empty(len(sites))
    found[order(suitability, sites)] = np.arange(1, len(sites) + 1)
    return np.where(np.isnan(suitability), np.nan, found)


def no_regret(ranks: Sequence[NDArray[np.float64]], top: int = LISTED) -> NDArray[np.int64]:
    """Positions of the sites that are among the first `top` in every ranking, best mean first.

    Examples
    --------
    >>> no_regret([np.array([1.0, 2.0, 3.0]), np.array([2.0, 3.0, 1.0])], 2).tolist()
    [0]
    """
    if not len(ranks):
        return np.empty(0, np.int64)
    table = np.array(ranks)
    always = np.flatnonzero((np.nan_to_num(table, nan=np.inf) <= top).all(axis=0))
    return always[np.argsort(table[:, always].mean(axis=0), kind="stable")]


def voice_column(name: str) -> str:
    """Column that holds the rank under a voice.

    Examples
    --------
    >>> voice_column("State & local agencies")
    'rank_under_state_local_agencies'
    """
    return f"rank_under_{slug(name)}"
