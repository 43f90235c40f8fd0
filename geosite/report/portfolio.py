"""A portfolio as text and as a sketch of a map."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING, Any

from geosite.report.sketch import Mark, Sketch
from geosite.report.text import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Chosen:
    """A portfolio of the sites of a run.

    Attributes
    ----------
    by : str
        What was maximised.
    table, alternatives, coverage : DataFrame
        A row a chosen site, a portfolio, a commodity.
    sites : GeoDataFrame
        The chosen sites with all their columns.
    said : mapping
        What ``portfolio.json`` says.
    seconds : float
        Time that it took [s].
    """

    title: str
    aoi: str
    notice: str
    by: str
    table: pd.DataFrame
    alternatives: pd.DataFrame
    coverage: pd.DataFrame
    sites: gpd.GeoDataFrame
    said: Mapping[str, Any]
    seconds: float


def portfolio_text(found: Chosen) -> str:
    """What `geosite portfolio` prints: sites, coverage, what depends on which, alternatives."""
    said, table = found.said, found.table
    lines = [
        f"{plain(found.title)}, {plain(found.aoi)}: {len(table)} of {said['candidates']:,} sites",
        f"sum of {found.by}: {said['objective']:,.4f}; {_certainty(said)}",
        "",
    ]
    lines += [_site(row) for _, row in table.iterrows()]
    if said["commodities"]:
        lines += ["", "Covers:"]
        lines += [_covered(row) for _, row in found.coverage.iterrows()]
    if said["not_covered"]:
        lines.append(f"  left out, since too few sites have them: {', '.join(said['not_covered'])}")
    within = 100 * said["asked"]["within"]
    others = found.alternatives.iloc[1:]
    lines += ["", f"Next best, within {within:g} % of it:"]
    lines += [_alternative(row) for _, row in others.iterrows()]
    if said["alternatives"] != "all":
        lines.append(f"  {said['alternatives']}")
    elif others.empty:
        lines.append("  none")
    musts = said["must_have"]
    shared = ", ".join(musts) if musts else "none: each of them can be replaced"
    lines += ["", f"In every portfolio within {within:g} %: {shared}", "", plain(found.notice)]
    return "\n".join(lines)


def portfolio_sketch(found: Chosen) -> Sketch:
    """The chosen sites as places on a map."""
    marks = tuple(
        Mark(
            (float(row["longitude"]), float(row["latitude"])),
            "#9f2a63",
            8.0,
            (
                plain(row["name"], 120) or plain(row["site_id"]),
                plain(row["site_id"]),
                f"{found.by}: {row['value']:,.3f}",
                f"covers {plain(row['covers']) or 'nothing that was asked'}",
            ),
        )
        for _, row in found.table.iterrows()
    )
    title = f"Portfolio: {plain(found.title, 120)}"
    legend = (("#9f2a63", "chosen sites"),)
    return Sketch(title, plain(found.notice), portfolio_text(found), legend, marks, ())


def _certainty(said: Mapping[str, Any]) -> str:
    bound, gap = said["bound"], 100 * said["gap"]
    if said["status"] == "within the asked gap":
        return f"no set of sites exceeds {bound:,.4f} ({gap:.4f} % more); --gap let the search stop"
    if said["status"] == "proven optimal":
        return f"proven: no set of sites exceeds {bound:,.4f} (gap {gap:.4f} %)"
    end = "within the gap that was asked" if said["asked"]["gap"] else "in the time given"
    return f"not proven {end}: the best is at most {bound:,.4f} (gap {gap:.2f} %)"


def _site(row: pd.Series) -> str:
    place = ", ".join(plain(row.get(c)) for c in ("county", "state") if plain(row.get(c)))
    by_product = plain(row["covers_as_by_product"])
    also = f"; as by-product {by_product}" if by_product else ""
    loss = row["loss_without_pct"]
    if row["must_have"]:
        without = "nothing does as well without it"
    elif isnan(loss):
        without = "what is without it was not found in the time given"
    else:
        without = f"without it {loss:.2f} % less, by {plain(row['replaced_by']) or 'fewer sites'}"
    return (
        f"  {int(row['rank']):>4}  {row['value']:.3f}  {plain(row['site_id']):<18} "
        f"{plain(row['name'], 60)} ({place})\n"
        f"        {plain(row['covers']) or 'nothing that was asked'}{also}; {without}"
    )


def _covered(row: pd.Series) -> str:
    by_product = f", {row['as_by_product_n']} as by-product" if row["as_by_product_n"] else ""
    return (
        f"  {plain(row['commodity']):<20} {row['chosen_n']} chosen{by_product}, of "
        f"{row['sites_that_have_it_n']:,} sites that have it"
    )


def _alternative(row: pd.Series) -> str:
    swapped = f"{plain(row['takes']) or 'nothing'} instead of {plain(row['instead_of'])}"
    return f"  {int(row['portfolio'])}  {row['value']:,.4f} ({row['of_best_pct']:.2f} %): {swapped}"
