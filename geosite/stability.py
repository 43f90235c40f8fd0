"""Whether sites stay where they are: on other cells, with other cuts, above another threshold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from geosite.agreement import correlations
from geosite.delineation import global_labels, patch_groups
from geosite.kernels import labelled
from geosite.matrix import tiers_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

    from geosite.grid import Grid
    from geosite.model.scenario import Tiers

LISTS = (10, 50)
"""Lists whose membership is compared."""
HALF = 0.5
"""Share of the smaller of two sites that both must cover to be the same place."""


def matches(sites: gpd.GeoDataFrame, others: gpd.GeoDataFrame) -> pd.DataFrame:
    """The site of another analysis that each site is: one row a site, in the same order.

    Parameters
    ----------
    sites, others : GeoDataFrame
        ``rank``, ``site_id`` and outlines, in one equal-area CRS.

    Returns
    -------
    DataFrame
        ``rank``, ``site_id``; ``other_rank`` and ``other_site_id`` of the site that shares the
        most area with it, empty where none has half of the smaller of the two in common, or
        shares more with another: each is the same place as one site at most; ``overlap_pct``,
        the share with the one it shares the most area with [%]; ``covered_pct``, the share of
        the site's own area that any site of the other analysis covers [%].
    """
    mine, theirs = sites.geometry.to_numpy(), others.geometry.to_numpy()
    i, k = shapely.STRtree(theirs).query(mine, predicate="intersects")
    shared = shapely.area(shapely.intersection(mine[i], theirs[k]))
    pairs = pd.DataFrame({"i": i, "k": k, "shared": shared})
    covered = pairs.groupby("i")["shared"].sum().reindex(range(len(sites)), fill_value=0.0)
    smaller = np.minimum(shapely.area(mine[pairs["i"]]), shapely.area(theirs[pairs["k"]]))
    pairs["share"] = pairs["shared"] / smaller
    # Of equal shares the better ranked: both are in the order of their ranks.
    pairs = pairs.sort_values(["shared", "i", "k"], ascending=[False, True, True])
    share = pairs.groupby("i")["share"].first().reindex(range(len(sites)), fill_value=0.0)
    which = np.full(len(sites), -1)
    taken: set[int] = set()
    alike = pairs[pairs["share"] >= HALF]
    for site, other in zip(alike["i"].tolist(), alike["k"].tolist(), strict=True):
        # Sites that have grown together are one place, and only one of them is found again.
        if which[site] < 0 and other not in taken:
            which[site] = other
            taken.add(other)
    same = which >= 0
    ranks = pd.array(others["rank"], "Int64")
    ids = others["site_id"].to_numpy(object)
    found = pd.DataFrame(
        {
            "rank": pd.array(sites["rank"], "Int64"),
            "site_id": sites["site_id"].to_numpy(object),
            "other_rank": pd.array([pd.NA] * len(sites), "Int64"),
            "other_site_id": pd.Series([""] * len(sites), dtype=object),
            "overlap_pct": 100 * share.to_numpy(float),
            "covered_pct": 100 * covered.to_numpy(float) / shapely.area(mine),
        }
    )
    if same.any():
        found.loc[same, "other_rank"] = ranks[which[same]]
        found.loc[same, "other_site_id"] = ids[which[same]]
    return found


def steadiness(
    sites: gpd.GeoDataFrame, others: gpd.GeoDataFrame, found: pd.DataFrame
) -> dict[str, Any]:
    r"""How much two analyses of one question agree on where, and in which order.

    Parameters
    ----------
    found : DataFrame
        From `matches`.

    Returns
    -------
    dict
        ``sites`` and ``matched``, numbers; ``kept``, of each list's length the share of its
        sites that are the same place as a site of the other's list [%]; ``kendall`` and
        ``spearman`` of the ranks of the matched sites; ``jaccard`` of all their land.

    Notes
    -----
    .. math:: J = \frac{|A \cap B|}{|A \cup B|}

    A site that is found again at another cell size has another outline, so that J is below one
    even where every site is found again.
    """
    both = found["rank"].notna() & found["other_rank"].notna()
    tau, rho = correlations(
        found.loc[both, "rank"].to_numpy(float), found.loc[both, "other_rank"].to_numpy(float)
    )
    kept = {}
    for k in LISTS:
        first = found[found["rank"] <= k]
        kept[k] = _share(int((first["other_rank"] <= k).sum()), len(first))
    one = shapely.union_all(sites.geometry.to_numpy())
    other = shapely.union_all(others.geometry.to_numpy())
    union = shapely.area(shapely.union(one, other))
    shared = shapely.area(shapely.intersection(one, other))
    return {
        "sites": len(others),
        "area_ha": float(shapely.area(other)) / 10_000,
        "matched": int(found["other_rank"].notna().sum()),
        "kept": kept,
        "kendall": tau,
        "spearman": rho,
        "jaccard": float(shared / union) if union > 0 else float("nan"),
    }


def _share(part: int, whole: int) -> float:
    return 100.0 * part / whole if whole else float("nan")


def tier_moves(sites: pd.DataFrame, cuts: Tiers, shifts: Sequence[float]) -> pd.DataFrame:
    """How many sites change their tier if its cuts are shifted: one row a shift and cut.

    Parameters
    ----------
    sites : DataFrame
        As `sites.ranked` gives them.
    shifts : sequence of float
        Of suitability; each is added to the cut of tier A, of tier B, and of both. A shift that
        would put a cut out of its range or order is left out.

    Returns
    -------
    DataFrame
        ``cut``, ``shift``, ``a``, ``b``, numbers of sites ``tier_a``, ``tier_b``, ``tier_c``,
        ``up`` and ``down``, those that change their tier.
    """

    def tiers(cut: Tiers) -> NDArray[np.object_]:
        return tiers_of(
            sites["suitability"].to_numpy(float),
            sites["suitability_low"].to_numpy(float),
            sites["known_weight_pct"].to_numpy(float),
            (sites["fatal_flaws"].fillna("") != "").to_numpy(),
            cut,
        )

    now = tiers(cuts)
    grade = {"A": 3, "B": 2, "C": 1, "": 0}
    stated = np.array([grade[t] for t in now], int)
    rows = []
    for cut in ("both", "a", "b"):
        for shift in shifts:
            a = cuts.a + shift * (cut != "b")
            b = cuts.b + shift * (cut != "a")
            if not 0 < b < a <= 1:
                continue
            then = tiers(cuts.model_copy(update={"a": a, "b": b}))
            moved = np.array([grade[t] for t in then], int)
            rows.append(
                {
                    "cut": cut,
                    "shift": shift,
                    "a": a,
                    "b": b,
                    **{f"tier_{t.lower()}": int((then == t).sum()) for t in "ABC"},
                    "up": int((moved > stated).sum()),
                    "down": int((moved < stated).sum()),
                }
            )
    columns = ["cut", "shift", "a", "b", "tier_a", "tier_b", "tier_c", "up", "down"]
    return pd.DataFrame(rows, columns=columns)


def threshold_moves(
    read: Callable[[Grid], tuple[NDArray[np.float32], NDArray[np.int32]]],
    windows: Sequence[Grid],
    threshold: float,
    shifts: Sequence[float],
    *,
    least_cells: float,
) -> pd.DataFrame:
    """What becomes of patches if the threshold is shifted: one row a shift, the stated one first.

    Parameters
    ----------
    read : callable
        Suitability, NaN where there is none, and parcel, 0 where there is none, of a window.
    windows : sequence of Grid
        That make up the whole.
    threshold : float
        Of suitability; land from it on, contiguous in one parcel, is a patch.
    least_cells : float
        Patches of fewer cells are none.

    Returns
    -------
    DataFrame
        ``threshold``, ``shift``, ``patches``, before large ones are split; ``cells`` in them;
        ``jaccard`` of them and the patches of the stated threshold.
    """
    levels = [threshold, *(threshold + s for s in shifts if 0 <= threshold + s <= 1)]
    held = [_kept(read, windows, level, least_cells) for level in levels]
    both, either = np.zeros(len(levels), np.int64), np.zeros(len(levels), np.int64)
    for k, window in enumerate(windows):
        suited, parcel = read(window)
        land = [
            np.isin(global_labels(_patches(suited, parcel, level), k), kept)
            for level, (kept, _) in zip(levels, held, strict=True)
        ]
        both += [int((land[0] & x).sum()) for x in land]
        either += [int((land[0] | x).sum()) for x in land]
    with np.errstate(invalid="ignore"):
        shared = np.where(either > 0, both / np.maximum(either, 1), np.nan)
    return pd.DataFrame(
        {
            "threshold": np.round(levels, 9),
            "shift": np.round(np.array(levels) - threshold, 9),
            "patches": [n for _, (n, _) in held],
            "cells": [cells for _, (_, cells) in held],
            "jaccard": shared,
        }
    )


def _patches(
    suited: NDArray[np.float32], parcel: NDArray[np.int32], threshold: float
) -> NDArray[np.int64]:
    # As a tile labels them: single precision on both sides.
    with np.errstate(invalid="ignore"):
        good = np.where(suited >= np.float32(threshold), parcel, 0).astype(np.int32)
    return labelled(good)[0].astype(np.int64)


def _kept(
    read: Callable[[Grid], tuple[NDArray[np.float32], NDArray[np.int32]]],
    windows: Sequence[Grid],
    threshold: float,
    least: float,
) -> tuple[NDArray[np.int64], tuple[int, int]]:
    # Labels of the patches that are large enough, their number and their cells.
    pieces, borders = [], []
    for k, window in enumerate(windows):
        suited, parcel = read(window)
        labels = _patches(suited, parcel, threshold)
        count = np.bincount(labels.ravel())
        named = np.flatnonzero(count[1:]) + 1
        pieces.append(
            pd.DataFrame({"piece": global_labels(named, k), "cells": count[named], "lattice": 0})
        )
        pair = np.stack([labels, parcel.astype(np.int64)])
        borders.append((pair[:, 0], pair[:, -1], pair[:, :, 0], pair[:, :, -1]))
    table = pd.concat(pieces, ignore_index=True)
    if table.empty:
        return np.empty(0, np.int64), (0, 0)
    patch = patch_groups(table, windows, borders, max_cells=float("inf"))
    area = table["cells"].groupby(patch).transform("sum")
    large = table[area.to_numpy() >= least]
    return large["piece"].to_numpy(np.int64), (
        int(np.unique(patch[area.to_numpy() >= least]).size),
        int(large["cells"].sum()),
    )
