"""The portfolio of a finished run: from its sites to tables in another folder."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import pandas as pd
import pyogrio
import shapely

from geosite import report
from geosite.alternatives import Dependence, dependences, next_best
from geosite.disk import assembled
from geosite.errors import PortfolioError, faults
from geosite.evidence import asked_commodities, commodity_names
from geosite.model.commodity import MineralList
from geosite.portfolio import Ask, Candidates, Limit, Portfolio, best_portfolio, named
from geosite.report.text import split_names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import geopandas as gpd

    from geosite.model.commodity import Commodities
    from geosite.runs import Run

BY_AREA = "suitability_x_acres"
_LISTS = tuple(get_args(MineralList))


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked of a portfolio, in words of the run.

    Attributes
    ----------
    commodities : str
        Names with commas between them, or a list of the rulebook: ``critical2025``.
    by : str
        Column whose sum is highest, or `BY_AREA`.
    by_products : bool
        A site with the host of a commodity covers it too.
    cover_possible : bool
        Leave out commodities that too few sites have.
    within : float
        Share of the best value that an alternative may lack.
    per_state, per_agency : int, optional
        So many sites at most of each state, of each agency.
    acres : float, optional
        So many in all at most [acres].
    """

    commodities: str
    sites: int = 5
    exactly: bool = False
    least: int = 1
    lock_in: tuple[str, ...] = ()
    lock_out: tuple[str, ...] = ()
    spacing_m: float = 0.0
    by: str = "suitability"
    by_products: bool = False
    cover_possible: bool = False
    alternatives: int = 5
    within: float = 0.05
    per_state: int | None = None
    per_agency: int | None = None
    acres: float | None = None
    gap: float = 0.0
    seconds: float = 60.0


def portfolio_of(run: Run, wish: Wish, table: Commodities) -> report.Chosen:
    """The best portfolio of the sites of a run, its alternatives, and what depends on which site.

    Raises
    ------
    PortfolioError
        If the question names what the run has not, or no set of sites answers it.
    """
    began = time.perf_counter()
    sites = run.sites.sort_values("rank", kind="stable").reset_index(drop=True)
    wanted = _wanted(wish.commodities, table)
    if "commodities" not in sites or not sites["commodities"].map(split_names).any():
        msg = (
            f"{run.path}: sites of this run name no commodities (a {_project(run)} run); name a "
            "run of a mine scenario"
        )
        raise PortfolioError(msg)
    hosts = {c.id: frozenset(c.hosts) for c in table.commodities if c.id in wanted}
    candidates, direct, dropped = _candidates(sites, wanted, hosts, wish)
    ask = Ask(
        wish.sites,
        wish.exactly,
        wish.least,
        frozenset(wish.lock_in),
        frozenset(wish.lock_out),
        wish.spacing_m,
        tuple(_limits(sites, wish)),
        wish.gap,
        wish.seconds,
    )
    best, program = best_portfolio(candidates, ask)
    others, whole = next_best(best, program, number=wish.alternatives, within=wish.within)
    needs = dependences(best, program, within=wish.within)
    said = run.manifest
    return report.Chosen(
        said["title"],
        said["aoi"],
        ("SYNTHETIC WORLD. " if said["synthetic"] else "") + said["notice"],
        wish.by,
        _chosen_table(sites, candidates, direct, best, needs),
        _alternative_table(candidates, best, others),
        _coverage_table(candidates, direct, best),
        sites.iloc[best.chosen],
        {
            "run": run.path.resolve().name,
            "run_hash": said["hash"],
            "candidates": len(candidates.ids),
            "commodities": list(candidates.commodities),
            "not_covered": dropped,
            "asked": {k: getattr(wish, k) for k in Wish.__slots__},
            "status": _status(best, wish),
            "objective": round(best.value, 9),
            "bound": round(best.bound, 9),
            "gap": round(best.gap, 9),
            "sites": [candidates.ids[i] for i in best.chosen],
            "must_have": [candidates.ids[n.site] for n in needs if n.must_have],
            "alternatives": "all" if whole else "the time was over before all were found",
            "spacing": "between a point inside each site, on the run's grid",
        },
        time.perf_counter() - began,
    )


def _project(run: Run) -> str:
    return str(run.manifest["scenario"]["project"])


def _wanted(text: str, table: Commodities) -> tuple[str, ...]:
    if text.strip() in _LISTS:
        return tuple(sorted(asked_commodities(text.strip(), table)))
    names = commodity_names(table)
    asked = [part.strip() for part in text.split(",") if part.strip()]
    wrong = [
        f"{part!r} is no commodity of the rulebook"
        for part in asked
        if not names.get(part.casefold())
    ]
    if wrong or not asked:
        fix = f"write e.g. lithium,gallium or a list: {', '.join(_LISTS)}"
        raise PortfolioError(faults("--commodities:", [*wrong, fix]))
    return tuple(dict.fromkeys(names[part.casefold()] for part in asked))


def _candidates(
    sites: gpd.GeoDataFrame,
    wanted: Sequence[str],
    hosts: Mapping[str, frozenset[str]],
    wish: Wish,
) -> tuple[Candidates, Any, list[str]]:
    has = [frozenset(split_names(text)) for text in sites["commodities"]]
    direct = np.array([[c in mine for c in wanted] for mine in has], bool)
    direct = direct.reshape(len(sites), len(wanted))
    covers = direct.copy()
    if wish.by_products:
        covers |= np.array([[bool(hosts[c] & mine) for c in wanted] for mine in has], bool)
    free = ~sites["site_id"].isin(wish.lock_out).to_numpy()
    enough = covers[free].sum(axis=0) >= wish.least
    dropped: list[str] = []
    if wish.cover_possible:
        dropped = [c for c, able in zip(wanted, enough, strict=True) if not able]
        covers, direct = covers[:, enough], direct[:, enough]
        wanted = [c for c, able in zip(wanted, enough, strict=True) if able]
    elif not enough.all():
        raise PortfolioError(_uncovered(covers, free, wanted, has, wish))
    points = shapely.point_on_surface(sites.geometry.to_numpy())
    candidates = Candidates(
        tuple(sites["site_id"].astype(str)),
        _values(sites, wish.by),
        tuple(wanted),
        covers,
        shapely.get_coordinates(points),
    )
    return candidates, direct, dropped


def _uncovered(
    covers: Any, free: Any, wanted: Sequence[str], has: list[frozenset[str]], wish: Wish
) -> str:
    number = covers[free].sum(axis=0)
    whole = covers.sum(axis=0)
    lines = []
    for k, commodity in enumerate(wanted):
        if number[k] < wish.least:
            out = f" of {whole[k]} that are not locked out" if whole[k] > number[k] else ""
            lines.append(f"{commodity}: {number[k]} sites{out}, asked {wish.least}")
    there = sorted(frozenset().union(*has))
    lines.append(f"sites of this run have {', '.join(there) or 'none'}")
    lines.append("--cover-possible leaves out what cannot be covered")
    if not wish.by_products:
        lines.append("--by-products counts a site that has the host of a commodity")
    return faults("too few sites of this run have:", lines)


def _status(best: Portfolio, wish: Wish) -> str:
    if not best.proven:
        return "time limit; not proven"
    return "within the asked gap" if wish.gap > 0 else "proven optimal"


_LESS_IS_BETTER = re.compile(
    r"^rank|_distance_m$|_months_|_error_m$|^environmental_conflict|uncertainty|unknown|withdrawn"
    r"|segregated|claimed|^(hard|avoid|mitigate|flag|permits|permits_possible)_n$"
    r"|^(longitude|latitude|area_id)$|_deg$"
)
"""Columns of numbers of which the most is the worst, or is nothing to choose by."""


def _values(sites: pd.DataFrame, by: str) -> Any:
    numeric = [str(c) for c in sites.columns if sites[c].dtype.kind in "iuf"]
    numbers = [c for c in numeric if not _LESS_IS_BETTER.search(c)]
    if by in numeric and by not in numbers:
        msg = (
            f"--by {by}: of it less is better or more says nothing, and a portfolio takes the "
            f"highest sum; write {BY_AREA} or one of {', '.join(numbers)}"
        )
        raise PortfolioError(msg)
    if by == BY_AREA:
        value = sites["suitability"].to_numpy(float) * sites["acres"].to_numpy(float)
    elif by in numbers:
        value = sites[by].to_numpy(float, na_value=np.nan)
    else:
        msg = (
            f"--by {by}: is no column of numbers of this run; write {BY_AREA} or one of "
            f"{', '.join(numbers)}"
        )
        raise PortfolioError(msg)
    below = np.flatnonzero(value < 0)
    if len(below):
        ids = sites["site_id"].iloc[below].tolist()
        msg = f"--by {by}: is below zero at {named(ids)}; take a column of which more is better"
        raise PortfolioError(msg)
    # What is not known adds nothing, and may still cover a commodity.
    return np.where(np.isfinite(value), value, 0.0)


def _limits(sites: pd.DataFrame, wish: Wish) -> list[Limit]:
    found = []
    for column, most in (("state", wish.per_state), ("agency", wish.per_agency)):
        if most is None:
            continue
        names = sites[column].fillna("") if column in sites else pd.Series("", sites.index)
        found += [
            Limit(f"sites of {name or 'no ' + column}", (names == name).to_numpy(float), most)
            for name in sorted(set(names))
        ]
    if wish.acres is not None:
        found.append(Limit("acres", sites["acres"].fillna(0.0).to_numpy(float), wish.acres))
    return found


def _chosen_table(
    sites: gpd.GeoDataFrame,
    candidates: Candidates,
    direct: Any,
    best: Portfolio,
    needs: Sequence[Dependence],
) -> pd.DataFrame:
    chosen = best.chosen
    kept = [c for c in _KEPT if c in sites]
    table = pd.DataFrame(sites.iloc[chosen][kept]).reset_index(drop=True)
    names = np.array(candidates.commodities, dtype=object)
    ids = np.array(candidates.ids, dtype=object)
    covers = candidates.covers[chosen]
    apart = np.hypot(*(candidates.xy[chosen][:, None] - candidates.xy[chosen][None]).T)
    np.fill_diagonal(apart, np.inf)
    nearest = apart.min(axis=1, initial=np.inf) / 1000
    points = report.site_points(sites.iloc[chosen])
    return table.assign(
        value=candidates.value[chosen],
        covers=["; ".join(names[row]) for row in direct[chosen]],
        covers_as_by_product=[
            "; ".join(names[c & ~d]) for c, d in zip(covers, direct[chosen], strict=True)
        ],
        must_have=[n.must_have for n in needs],
        loss_without_pct=[n.loss_pct for n in needs],
        replaced_by=["; ".join(ids[n.replaced_by]) for n in needs],
        nearest_chosen_km=np.where(np.isfinite(nearest), nearest, np.nan),
        longitude=points[:, 0],
        latitude=points[:, 1],
    )


_KEPT = (
    "rank", "site_id", "name", "tier", "suitability", "commodities", "agency", "state", "county",
    "acres",
)  # fmt: skip


def _alternative_table(
    candidates: Candidates, best: Portfolio, others: Sequence[Portfolio]
) -> pd.DataFrame:
    ids = np.array(candidates.ids, dtype=object)
    rows = [
        {
            "portfolio": n,
            "value": p.value,
            "of_best_pct": 100 * p.value / best.value if best.value else 100.0,
            "sites": "; ".join(ids[p.chosen]),
            "instead_of": "; ".join(ids[np.setdiff1d(best.chosen, p.chosen)]),
            "takes": "; ".join(ids[np.setdiff1d(p.chosen, best.chosen)]),
            "proven": p.proven,
        }
        for n, p in enumerate((best, *others), start=1)
    ]
    return pd.DataFrame(rows)


def _coverage_table(candidates: Candidates, direct: Any, best: Portfolio) -> pd.DataFrame:
    ids = np.array(candidates.ids, dtype=object)
    rows = []
    for k, commodity in enumerate(candidates.commodities):
        mine = best.chosen[candidates.covers[best.chosen, k]]
        rows.append(
            {
                "commodity": commodity,
                "chosen_n": len(mine),
                "chosen": "; ".join(ids[mine]),
                "as_by_product_n": int((~direct[mine, k]).sum()),
                "sites_that_have_it_n": int(candidates.covers[:, k].sum()),
            }
        )
    columns = ["commodity", "chosen_n", "chosen", "as_by_product_n", "sites_that_have_it_n"]
    return pd.DataFrame(rows, columns=columns)


def saved(found: report.Chosen, folder: Path) -> Path:
    """Write a portfolio to a new folder; gives its path, or the first numbered one that is free.

    Raises
    ------
    RunError
        If it cannot be written.
    """

    def fill(new: Path) -> None:
        for name, table in (
            ("portfolio", found.table),
            ("alternatives", found.alternatives),
            ("coverage", found.coverage),
        ):
            report.write_table(table, new / f"{name}.csv", notice=found.notice)
        said = {**found.said, "notice": found.notice}
        # The time is the one part of it that differs from one computer to the next.
        timed = {**said, "timings_s": {"solve": round(found.seconds, 3)}}
        (new / "portfolio.json").write_text(json.dumps(timed, indent=1), encoding="utf-8")
        pyogrio.write_dataframe(
            found.sites,
            new / "portfolio.gpkg",
            layer="portfolio",
            driver="GPKG",
            layer_metadata={"notice": found.notice},
        )
        text = report.portfolio_text(found)
        (new / "README.txt").write_text(f"{text}\n", encoding="utf-8")
        report.write_sketch(report.portfolio_sketch(found), new / "map.html")

    return assembled(folder, fill)
