"""Mines and plants paired as tables: both lists, the pairs, and the ways as lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geosite.haulage import RAIL, ROAD, STRAIGHT
from geosite.report import site_points

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from geosite.haulage import Haulage, Hauls
    from geosite.pairing import Pairing

_LISTED = 5
"""Plants that are listed for each mine, cheapest first."""
_NAMED = 3
_KIND_WORDS = {ROAD: "road", RAIL: "rail", STRAIGHT: "straight line"}


def _way(hauls: Hauls, m: NDArray[Any], p: NDArray[Any]) -> dict[str, Any]:
    words = np.where(hauls.is_straight[m, p], "straight line", "network")
    same = hauls.is_straight[m, p] & (hauls.off_m[m, p] == 0)
    return {
        "cost_usd_per_short_ton": hauls.usd[m, p],
        "way": np.where(same, "same place", words),
        "road_km": hauls.road_m[m, p] / 1000,
        "rail_km": hauls.rail_m[m, p] / 1000,
        "straight_km": hauls.off_m[m, p] / 1000,
        "transfers": hauls.transfers[m, p],
    }


def _head(sites: gpd.GeoDataFrame, after: NDArray[Any]) -> pd.DataFrame:
    kept = [c for c in ("site_id", "name", "agency", "state", "county", "tier") if c in sites]
    table = pd.DataFrame(sites[kept])
    table.insert(0, "rank_before", sites["rank"].to_numpy())
    table.insert(0, "rank_after", after)
    return table


def mine_table(
    mines: gpd.GeoDataFrame,
    plants: gpd.GeoDataFrame,
    found: Pairing,
    hauls: Hauls,
    ores: Sequence[Sequence[str]],
) -> pd.DataFrame:
    """Mines by their rank after pairing, each with its cheapest plant and the way there."""
    fed = found.best >= 0
    p = np.where(fed, found.best, 0)
    way = _way(hauls, np.arange(len(mines)), p)
    points = site_points(mines)
    table = _head(mines, found.mine_rank).assign(
        suitability=mines["suitability"].to_numpy(),
        pairing_score=found.mine_score,
        paired=found.mine_paired,
        commodities_taken=["; ".join(c) for c in ores],
        plant=np.where(fed, plants["site_id"].to_numpy(object)[p], ""),
        plant_name=np.where(fed, plants["name"].to_numpy(object)[p], ""),
        **{k: pd.Series(v).where(fed) for k, v in way.items()},
        longitude=points[:, 0],
        latitude=points[:, 1],
    )
    return table.sort_values("rank_after", kind="stable").reset_index(drop=True)


def plant_table(
    mines: gpd.GeoDataFrame,
    plants: gpd.GeoDataFrame,
    found: Pairing,
    hauls: Hauls,
    ore: NDArray[np.float64],
) -> pd.DataFrame:
    """Plants by their rank after pairing, each with the ore that it can reach."""
    given = np.nan_to_num(ore)[:, None] * found.share
    ids = mines["site_id"].to_numpy(object)
    able = found.share > 0
    points = site_points(plants)
    cheapest = np.where(able, hauls.usd, np.inf).min(axis=0, initial=np.inf)
    first = np.argsort(-given, axis=0, kind="stable")[:_NAMED]
    table = _head(plants, found.plant_rank).assign(
        suitability=plants["suitability"].to_numpy(),
        ore_reached=found.ore,
        pairing_score=found.plant_score,
        paired=found.plant_paired,
        mines_that_it_takes=able.sum(axis=0),
        mines_that_count_half_or_more=(found.share >= 0.5).sum(axis=0),
        mines_it_is_cheapest_for=[(found.best == k).sum() for k in range(len(plants))],
        cheapest_usd_per_short_ton=np.where(np.isfinite(cheapest), cheapest, np.nan),
        most_ore_from=[
            "; ".join(ids[m] for m in first[:, k] if given[m, k] > 0) for k in range(len(plants))
        ],
        longitude=points[:, 0],
        latitude=points[:, 1],
    )
    return table.sort_values("rank_after", kind="stable").reset_index(drop=True)


def pair_table(
    mines: gpd.GeoDataFrame, plants: gpd.GeoDataFrame, found: Pairing, hauls: Hauls
) -> pd.DataFrame:
    """The cheapest plants of each mine, cheapest first."""
    cost = np.where(found.share > 0, hauls.usd, np.inf)
    order = np.argsort(cost, axis=1, kind="stable")[:, :_LISTED]
    m = np.repeat(np.arange(len(mines)), order.shape[1])
    p, nth = order.ravel(), np.tile(np.arange(1, order.shape[1] + 1), len(mines))
    there = np.isfinite(cost[m, p])
    m, p, nth = m[there], p[there], nth[there]
    return pd.DataFrame(
        {
            "mine": mines["site_id"].to_numpy(object)[m],
            "plant": plants["site_id"].to_numpy(object)[p],
            "nth_cheapest": nth,
            "share": found.share[m, p],
            **_way(hauls, m, p),
        }
    )


def links(
    mines: gpd.GeoDataFrame,
    plants: gpd.GeoDataFrame,
    found: Pairing,
    hauls: Hauls,
    haulage: Haulage,
) -> gpd.GeoDataFrame:
    """The way from each mine to its plant as lines in the grid's CRS, a row a piece of it."""
    rows: list[dict[str, Any]] = []
    shapes = []
    for m in np.flatnonzero(found.best >= 0).tolist():
        p = int(found.best[m])
        if hauls.is_straight[m, p]:
            pieces = [(STRAIGHT, np.stack([haulage.plants[p], haulage.mines[m]]))]
        else:
            pieces = haulage.route(m, p)
        for part, (kind, corners) in enumerate(pieces):
            rows.append(
                {
                    "mine": mines["site_id"].iloc[m],
                    "plant": plants["site_id"].iloc[p],
                    "mine_rank_after": int(found.mine_rank[m]),
                    "part": part,
                    "by": _KIND_WORDS[kind],
                    "cost_usd_per_short_ton": float(hauls.usd[m, p]),
                }
            )
            shapes.append(shapely.linestrings(corners))
    columns = ["mine", "plant", "mine_rank_after", "part", "by", "cost_usd_per_short_ton"]
    return gpd.GeoDataFrame(pd.DataFrame(rows, columns=columns), geometry=shapes, crs=mines.crs)
