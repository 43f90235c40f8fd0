"""Which pieces of land make one site, joined across tiles from tables alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from geosite.grid import Grid


def deposit_groups(
    pieces: pd.DataFrame, deposits_xy: NDArray[np.float64], *, reach: float, max_cells: float
) -> NDArray[np.int64]:
    """Site number of each piece: (pieces,), where a piece is a deposit's land in one parcel.

    Pieces of one parcel whose deposits' reaches overlap are joined, the nearest
    pair first, as long as the joint area stays within `max_cells`; what is larger
    stays apart, each cell with its nearest deposit.

    Parameters
    ----------
    pieces : DataFrame
        ``piece`` (deposit number from 1), ``parcel``, ``cells``; any order.
    deposits_xy : (deposits, 2) [m]
    reach : float [m]
    """
    deposit = pieces["piece"].to_numpy() - 1
    parcel, cells = pieces["parcel"].to_numpy(), pieces["cells"].to_numpy().copy()
    row_of = {key: i for i, key in enumerate(zip(deposit.tolist(), parcel.tolist(), strict=True))}
    present = np.unique(deposit)
    from scipy.spatial import cKDTree  # noqa: PLC0415 -- slow to import

    pairs = cKDTree(deposits_xy[present]).query_pairs(2 * reach, output_type="ndarray")
    parcels_of: dict[int, list[int]] = {}
    for d, p in zip(deposit.tolist(), parcel.tolist(), strict=True):
        parcels_of.setdefault(d, []).append(p)
    one, other = present[pairs[:, 0]], present[pairs[:, 1]]
    apart = np.hypot(*(deposits_xy[one] - deposits_xy[other]).T)
    order = np.lexsort((np.maximum(one, other), np.minimum(one, other), apart))
    parent = np.arange(len(pieces))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for k in order.tolist():
        a, b = int(one[k]), int(other[k])
        for p in sorted(set(parcels_of[a]) & set(parcels_of[b])):
            i, j = root(row_of[a, p]), root(row_of[b, p])
            if i != j and cells[i] + cells[j] <= max_cells:
                parent[max(i, j)] = min(i, j)
                cells[min(i, j)] = cells[i] + cells[j]
    return np.array([root(i) for i in range(len(pieces))], np.int64)


def global_labels(labels: NDArray[np.int64], tile: int) -> NDArray[np.int64]:
    """Patch labels of one tile as numbers that no other tile uses; 0 stays 0."""
    return np.where(labels > 0, labels + (np.int64(tile) << 32), 0)


def patch_groups(
    pieces: pd.DataFrame,
    windows: Sequence[Grid],
    borders: Sequence[tuple[NDArray[np.int64], ...]],
    *,
    max_cells: float,
) -> NDArray[np.int64]:
    """Site number of each piece: (pieces,), where a piece is part of a patch in one lattice square.

    Patches that touch across the edge of two tiles and lie in one parcel are one.
    A patch of more than `max_cells` is split at the lattice.

    Parameters
    ----------
    pieces : DataFrame
        ``piece`` (from `global_labels`), ``lattice``, ``cells``.
    borders : labels and parcels along the top, bottom, left and right edge of each window
    """
    ids, index = np.unique(pieces["piece"].to_numpy(), return_inverse=True)
    number = {int(v): i for i, v in enumerate(ids)}
    links = [
        (number[a], number[b])
        for a, b in _touching(windows, borders)
        if a in number and b in number
    ]
    rows, columns = np.array(links, np.int64).reshape(-1, 2).T
    from scipy.sparse import coo_array  # noqa: PLC0415 -- slow to import
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    graph = coo_array((np.ones(len(links)), (rows, columns)), shape=(len(ids), len(ids)))
    _, component = connected_components(graph, directed=False)
    patch = component[index]
    area = np.bincount(patch, weights=pieces["cells"].to_numpy())
    square = np.where(area[patch] > max_cells, pieces["lattice"].to_numpy(), 0)
    table = pd.DataFrame({"patch": patch, "square": square})
    return np.asarray(table.groupby(["patch", "square"]).ngroup(), np.int64)


def _touching(
    windows: Sequence[Grid], borders: Sequence[tuple[NDArray[np.int64], ...]]
) -> set[tuple[int, int]]:
    # Pairs of labels that meet across an edge between two tiles, in one parcel.
    at = {(w.row, w.column): k for k, w in enumerate(windows)}
    found: set[tuple[int, int]] = set()
    for k, window in enumerate(windows):
        below = at.get((window.row + window.shape[0], window.column))
        right = at.get((window.row, window.column + window.shape[1]))
        for other, mine, theirs in ((below, 1, 0), (right, 3, 2)):
            if other is None or not borders[k] or not borders[other]:
                continue
            a, b = borders[k][mine], borders[other][theirs]
            meet = (a[0] > 0) & (b[0] > 0) & (a[1] == b[1])
            one = global_labels(a[0][meet], k).tolist()
            two = global_labels(b[0][meet], other).tolist()
            found |= set(zip(one, two, strict=True))
    return found
