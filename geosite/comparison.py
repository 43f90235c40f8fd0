"""What decisions changed: sites of two runs on one grid, matched, with the status of their land."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import floor
from typing import TYPE_CHECKING, Any, Protocol

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geosite import constraints, harmonise
from geosite.grid import Grid
from geosite.question import since
from geosite.segments import Shapes

if TYPE_CHECKING:
    from pathlib import Path

    from shapely.geometry.base import BaseGeometry

    from geosite.decisions import Decided, Overlay
    from geosite.store import Store

_STATES = ("not_offered", "excluded", "unknown", "clear")
_TILE = 2048
_LISTED = 10
"""Sites that came or went, that are named."""


class Side(Protocol):
    """One of the two runs; both have the same grid."""

    @property
    def path(self) -> Path:
        """Its folder."""

    @property
    def manifest(self) -> Mapping[str, Any]:
        """What it says of itself."""

    @property
    def sites(self) -> gpd.GeoDataFrame:
        """Ranked sites, in the grid's CRS."""

    @property
    def store(self) -> Store:
        """Its surfaces."""


def matches(before: gpd.GeoDataFrame, after: gpd.GeoDataFrame) -> pd.DataFrame:
    """Sites of two runs that are the same: one row a site of either.

    Columns ``before``, ``after`` (positions, -1 where there is none) and ``share``, of the
    older site's land that the newer one holds. Sites of one id are the same; the others go
    by the largest common land, each at most once, ties by their ids.
    """
    old, new = before["site_id"].astype(str).tolist(), after["site_id"].astype(str).tolist()
    place = {id_: k for k, id_ in enumerate(new)}
    pairs = {i: place[id_] for i, id_ in enumerate(old) if id_ in place}
    shapes, others = before.geometry.to_numpy(), after.geometry.to_numpy()
    free = [i for i in range(len(old)) if i not in pairs]
    left = [j for j in range(len(new)) if j not in set(pairs.values())]
    if free and left:
        i, j = shapely.STRtree(others[left]).query(shapes[free], predicate="intersects")
        common = shapely.area(shapely.intersection(shapes[free][i], others[left][j]))
        order = sorted(range(len(i)), key=lambda k: (-common[k], old[free[i[k]]], new[left[j[k]]]))
        taken: set[int] = set()
        for k in order:
            one, other = free[i[k]], left[j[k]]
            if common[k] > 0 and one not in pairs and other not in taken:
                pairs[one] = other
                taken.add(other)
    rows = [(i, pairs.get(i, -1)) for i in range(len(old))]
    rows += [(-1, j) for j in range(len(new)) if j not in set(pairs.values())]
    table = pd.DataFrame(rows, columns=["before", "after"], dtype=np.int64)
    both = ((table["before"] >= 0) & (table["after"] >= 0)).to_numpy()
    share = np.full(len(table), np.nan)
    one, other = (table.loc[both, c].to_numpy() for c in ("before", "after"))
    common = shapely.area(shapely.intersection(shapes[one], others[other]))
    share[both] = np.minimum(common / shapely.area(shapes[one]), 1.0)
    return table.assign(share=share)


def land_status(store: Store, land: BaseGeometry) -> dict[str, float]:
    """Area of a land by status, of the cells whose centre lies in it [ha]."""
    grid = store.grid
    counts = np.zeros(len(constraints.STATUS_NAMES), np.int64)
    window = _within(Grid.covering(
        land.bounds, grid.crs, resolution=grid.resolution, origin=grid.origin
    ), grid)  # fmt: skip
    if window is not None:
        shapes = Shapes.of(gpd.GeoDataFrame(geometry=[land], crs=grid.crs), grid, "polygon")
        for tile in window.tiles(_TILE):
            inside = harmonise.category(shapes, tile) > 0
            status = store.read("status", tile)[inside]
            counts += np.bincount(status, minlength=len(counts))
    return {n: float(counts[k] * grid.cell_area) for k, n in enumerate(_STATES, 1)}


def _within(window: Grid, grid: Grid) -> Grid | None:
    top, left = max(window.row, grid.row), max(window.column, grid.column)
    bottom = min(window.row + window.shape[0], grid.row + grid.shape[0])
    right = min(window.column + window.shape[1], grid.column + grid.shape[1])
    there = bottom > top and right > left
    return grid.part(top, left, (bottom - top, right - left)) if there else None


def changes(overlay: Overlay, before: Side, after: Side) -> dict[str, Any]:
    """What each decision changed, and what became of all sites, as JSON holds it.

    ``rows``: one a decision and site of either run on its land (or one without a site), in the
    order of the decisions, then by the older rank. ``since``: what else is asked or read
    otherwise than in the reviewed run.
    """
    two = _Two.of(before, after)
    rows = [
        {"decision_no": number, **_said(decided), "together_with": _beside(overlay, number), **row}
        for number, decided in enumerate(overlay.decided, 1)
        for row in two.rows(decided)
    ]
    gone = two.same[two.same["after"] < 0]["before"]
    come = two.same[two.same["before"] < 0]["after"]
    return {
        "run": before.path.name,
        "hash": overlay.run_hash,
        "rows": rows,
        "sites_before": len(two.old),
        "sites_after": len(two.new),
        "vanished": _listed(two.old, gone),
        "appeared": _listed(two.new, come),
        "moved": _moved(two.old, two.new, two.same),
        "since": since(before.manifest, after.manifest),
    }


@dataclass(frozen=True, slots=True)
class _Two:
    # Two runs, read once.
    old: gpd.GeoDataFrame
    new: gpd.GeoDataFrame
    stores: tuple[Store, Store]
    same: pd.DataFrame

    @classmethod
    def of(cls, before: Side, after: Side) -> _Two:
        old, new = before.sites, after.sites
        return cls(old, new, (before.store, after.store), matches(old, new))

    def rows(self, decided: Decided) -> list[dict[str, Any]]:
        """One a site of either run on the land of a decision; one without a site if none is."""
        status = [land_status(store, decided.land) for store in self.stores]
        old, new = _on(self.old, decided.land), _on(self.new, decided.land)
        here = self.same[self.same["before"].isin(old) | self.same["after"].isin(new)]
        pairs = list(zip(here["before"], here["after"], here["share"], strict=True))
        if decided.decision.site is not None:
            # Its own land; what else is told is what is new there.
            own = np.flatnonzero(self.old["site_id"].astype(str) == decided.place)
            pairs = [p for p in pairs if p[0] in own or p[0] < 0]
        pairs = pairs or [(-1, -1, np.nan)]
        return [self._row(int(i), int(j), share, status) for i, j, share in pairs]

    def _row(self, i: int, j: int, share: float, status: list[dict[str, float]]) -> dict[str, Any]:
        old, new = _ranked(self.old, i), _ranked(self.new, j)
        return {
            "site_before": old["site_id"],
            "site_after": new["site_id"],
            "matched": _matched(old, new, share),
            "status_before": "candidate" if i >= 0 else self._without(0, self.new, j, status),
            "status_after": "candidate" if j >= 0 else self._without(1, self.old, i, status),
            "suitability_before": old["suitability"],
            "suitability_after": new["suitability"],
            "rank_before": old["rank"],
            "rank_after": new["rank"],
            "moved": _way(i, j, old["rank"], new["rank"]),
            **_areas(status),
        }

    def _without(
        self, side: int, sites: gpd.GeoDataFrame, k: int, status: list[dict[str, float]]
    ) -> str:
        # What the land of the other run's site is in this one; without any, that of the decision.
        there = land_status(self.stores[side], sites.geometry.iloc[k]) if k >= 0 else status[side]
        return _mostly(there)


def _beside(overlay: Overlay, number: int) -> str:
    # Decisions that change something on the same land: what is found there is of all together.
    land = overlay.decided[number - 1].land
    return "; ".join(
        str(k)
        for k, other in enumerate(overlay.decided, 1)
        if k != number and other.effect and land.intersection(other.land).area > 0
    )


def _listed(sites: gpd.GeoDataFrame, places: Iterable[int]) -> list[str]:
    ids = [str(sites["site_id"].iloc[k]) for k in places]
    more = len(ids) - _LISTED
    return ids if more <= 0 else [*ids[:_LISTED], f"and {more} more"]


def _moved(before: gpd.GeoDataFrame, after: gpd.GeoDataFrame, same: pd.DataFrame) -> int:
    both = same[(same["before"] >= 0) & (same["after"] >= 0)]
    old = before["rank"].astype("Float64").iloc[both["before"]].to_numpy(float, na_value=np.nan)
    new = after["rank"].astype("Float64").iloc[both["after"]].to_numpy(float, na_value=np.nan)
    return int(((old != new) & ~(np.isnan(old) & np.isnan(new))).sum())


def _on(sites: gpd.GeoDataFrame, land: BaseGeometry) -> list[int]:
    # Neighbours share an edge and no land.
    near = np.sort(sites.sindex.query(land, predicate="intersects"))
    common = shapely.area(shapely.intersection(sites.geometry.to_numpy()[near], land))
    return [int(k) for k in near[common > 0]]


def _said(decided: Decided) -> dict[str, Any]:
    d = decided.decision
    return {
        "place": decided.place,
        "rule": d.rule,
        "decision": d.decision,
        "finding": d.finding or "",
        "effect": f"{decided.words} (as in the reviewed run)" if decided.carried else decided.words,
        "role": d.role,
        "date": d.date.isoformat(),
        "case": d.case or "",
        "reason": d.reason,
    }


def _areas(status: list[dict[str, float]]) -> dict[str, float]:
    return {
        f"{state}_ha_{when}": found[state]
        for state in ("excluded", "unknown", "clear")
        for when, found in zip(("before", "after"), status, strict=True)
    }


def _ranked(sites: gpd.GeoDataFrame, k: int) -> dict[str, Any]:
    if k < 0:
        return {"site_id": "", "suitability": None, "rank": None}
    row = sites.iloc[k]
    score, rank = row["suitability"], row["rank"]
    return {
        "site_id": str(row["site_id"]),
        "suitability": None if pd.isna(score) else float(score),
        "rank": None if pd.isna(rank) else int(rank),
    }


def _matched(old: dict[str, Any], new: dict[str, Any], share: float) -> str:
    if not (old["site_id"] and new["site_id"]):
        return ""
    by = "by id" if old["site_id"] == new["site_id"] else "by land"
    # 99.97 % is not all of it.
    return f"{by}, {floor(1000 * share + 1e-6) / 10:g} % of its land"


def _mostly(status: dict[str, float]) -> str:
    most = max(_STATES, key=lambda s: status[s])
    return f"no site, land mostly {most.replace('_', ' ')}" if status[most] else "no site"


def _way(i: int, j: int, old: int | None, new: int | None) -> str:
    if i < 0 and j < 0:
        return "no site before or after"
    if j < 0:
        return "no site any more"
    if i < 0:
        return "new site"
    if old == new:
        return "as before"
    if old is None or new is None:
        return "ranked now" if old is None else "not ranked any more"
    return f"up {old - new}" if new < old else f"down {new - old}"
