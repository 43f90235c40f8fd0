"""Which mineral records would tell a back-test of the sites that it has to find."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geosite.deposits import name_key

if TYPE_CHECKING:
    from numpy.typing import NDArray


def near(found: pd.DataFrame, xy: NDArray[np.float64], within: float) -> NDArray[np.bool_]:
    """Which records lie within a distance of any place: (records,).

    Parameters
    ----------
    found : DataFrame
        ``x``, ``y`` [m].
    xy : (places, 2)
        [m]
    within : float
        [m]; what lies just as far is near.

    Examples
    --------
    >>> near(pd.DataFrame({"x": [0.0, 9.0], "y": 0.0}), np.array([[4.0, 0.0]]), 4).tolist()
    [True, False]
    """
    from scipy.spatial import cKDTree  # noqa: PLC0415 -- slow to import

    if not len(found) or not len(xy):
        return np.zeros(len(found), bool)
    # The tree's own bound leaves out what lies just as far.
    distance, _ = cKDTree(xy).query(found[["x", "y"]].to_numpy(float))
    return np.asarray(distance <= within, bool)


def in_blocks(found: pd.DataFrame, xy: NDArray[np.float64], block: float) -> NDArray[np.bool_]:
    """Which records lie in a square block with one of the places: (records,).

    Parameters
    ----------
    block : float
        Side [m]; blocks lie on whole multiples of it from the origin of the CRS.
    """
    held = {tuple(b) for b in np.floor(xy / block).astype(int).tolist()}
    mine = np.floor(found[["x", "y"]].to_numpy(float) / block).astype(int).tolist()
    return np.array([tuple(b) in held for b in mine], bool)


def namesakes(found: pd.DataFrame, sites: pd.DataFrame, within: float) -> NDArray[np.bool_]:
    """Which records lie so near to a site of their own name: (records,).

    Names are compared by `deposits.name_key`; what names no place is nobody's namesake.

    Parameters
    ----------
    found : DataFrame
        ``name``, ``x``, ``y`` [m].
    sites : DataFrame
        ``name``, ``x``, ``y`` [m].
    within : float
        [m]

    Examples
    --------
    >>> records = pd.DataFrame({"name": ["Boss", "Queen"], "x": 8.0, "y": 0.0})
    >>> sites = pd.DataFrame({"name": ["The Boss Mine"], "x": 0.0, "y": 0.0})
    >>> namesakes(records, sites, 9).tolist(), namesakes(records, sites, 7).tolist()
    ([True, False], [False, False])
    """
    out = np.zeros(len(found), bool)
    close = np.flatnonzero(near(found, sites[["x", "y"]].to_numpy(float), within))
    called = found["name"].iloc[close].map(name_key).to_numpy(object)
    records_of = pd.Series(close).groupby(called).indices
    for key, some in sites.groupby(sites["name"].map(name_key)):
        rows = close[records_of.get(key, [])] if key else close[:0]
        out[rows] = near(found.iloc[rows], some[["x", "y"]].to_numpy(float), within)
    return out
