"""Sites that lie too near one another, as few groups of which a portfolio takes one at most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.spatial import cKDTree

if TYPE_CHECKING:
    from numpy.typing import NDArray


def near_pairs(xy: NDArray[Any], spacing_m: float) -> NDArray[np.intp]:
    """Pairs (i, j), i < j, of places that are less than a spacing apart: (pairs, 2), in order.

    Parameters
    ----------
    xy : (sites, 2)
        Places on a metric grid [m]; none may be NaN.
    spacing_m : float
        Exactly this far apart is far enough [m].

    Examples
    --------
    >>> near_pairs(np.array([[0.0, 0.0], [3.0, 0.0], [8.0, 0.0]]), 5.0).tolist()
    [[0, 1]]
    """
    if spacing_m <= 0 or len(xy) < 2:
        return np.empty((0, 2), np.intp)
    found = cKDTree(xy).query_pairs(spacing_m, output_type="ndarray")
    apart = np.hypot(*(xy[found[:, 0]] - xy[found[:, 1]]).T)
    near = np.sort(found[apart < spacing_m], axis=1)
    return np.asarray(near[np.lexsort((near[:, 1], near[:, 0]))], np.intp)


def crowds(xy: NDArray[Any], spacing_m: float) -> list[NDArray[np.intp]]:
    """Groups of places that are all too near one another, so that every near pair is in one.

    Of a group a portfolio takes at most one. One row of the program a group says more than a
    row a pair: three sites in a triangle at half weight each keep every pair, and not the group.

    Notes
    -----
    A greedy cover of the edges of the conflict graph by cliques: from the first pair that no
    group holds, the group takes the neighbours of both that still have most pairs to cover, the
    first of equals, until nobody is left who is near to all of it.

    Examples
    --------
    >>> [g.tolist() for g in crowds(np.array([[0.0, 0], [3, 0], [4, 0], [40, 0], [44, 0]]), 5)]
    [[0, 1, 2], [3, 4]]
    """
    pairs = near_pairs(xy, spacing_m)
    left: list[set[int]] = [set() for _ in range(len(xy))]
    near: list[set[int]] = [set() for _ in range(len(xy))]
    for i, j in pairs.tolist():
        left[i].add(j)
        left[j].add(i)
        near[i].add(j)
        near[j].add(i)
    groups = []
    for i in range(len(xy)):
        while left[i]:
            groups.append(_grown(i, near, left))
    return groups


def _grown(first: int, near: list[set[int]], left: list[set[int]]) -> NDArray[np.intp]:
    group = [first]
    able, wanted = set(near[first]), set(left[first])
    while able:
        pool = wanted & able or able
        # Those with most pairs to cover first; the lowest number of equals keeps it the same.
        one = max(pool, key=lambda v: (len(left[v]), -v))
        group.append(one)
        able &= near[one]
        wanted |= left[one]
    members = set(group)
    for v in group:
        left[v] -= members
    return np.array(sorted(group), np.intp)
