"""Mines and plants paired, as text and as a sketch of a map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import shapely

from geosite.crs import WGS84, projected
from geosite.report.sketch import Line, Mark, Sketch
from geosite.report.text import missing, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd
    import pandas as pd

_COLOURS = {"road": "#8a6d00", "rail": "#4d4d4d", "straight line": "#1f5f99"}
_MINE, _PLANT = "#9f2a63", "#0b5a4e"
_DRAWN = 150
"""Mines whose ways are drawn, the best first."""
_LIGHTER = 300.0
"""Ways are drawn to so many metres [m]."""


@dataclass(frozen=True, slots=True)
class Paired:
    """Mines of one run and plants of another, ranked by one another.

    Attributes
    ----------
    mines, plants, pairs : DataFrame
        By the rank after pairing; pairs are the cheapest plants of each mine.
    links : GeoDataFrame
        The way from each mine to its plant, a row a piece of it.
    notes : words about what the ways rest on
    said : mapping
        What ``pairing.json`` says.
    seconds : float
        Time that it took [s].
    """

    mine_title: str
    plant_title: str
    notice: str
    mines: pd.DataFrame
    plants: pd.DataFrame
    pairs: pd.DataFrame
    links: gpd.GeoDataFrame
    notes: tuple[str, ...]
    said: Mapping[str, Any]
    seconds: float


def pairing_text(found: Paired, best: int = 10) -> str:
    """What `geosite pair` prints: both lists, before and after, and what the ways rest on."""
    said = found.said
    half = said["freight"]["half"]["value"]
    weight = said["weight"]
    unfed = int((found.mines["plant"] == "").sum())
    lines = [
        f"{plain(found.mine_title)} × {plain(found.plant_title)}",
        (
            f"paired = suitability × ({1 - weight:g} + {weight:g} × score). A haul of "
            f"{half:g} USD per short ton counts half. Score of a mine: what is left at its "
            f"cheapest plant; of a plant: ore / (ore + {said['half_ore']:g}), ore in mines of "
            "weight 1."
        ),
        f"plants take ({said['process']}): {', '.join(said['taken']) or 'nothing'}",
        "",
        f"Plants ({len(found.plants):,}), rank after ← before:",
        *(_plant(row) for _, row in found.plants.head(best).iterrows()),
        "",
        f"Mines ({len(found.mines):,}), rank after ← before:",
        *(_mine(row) for _, row in found.mines.head(best).iterrows()),
    ]
    if unfed:
        lines += ["", f"{unfed:,} mines have no plant that takes what they have within the cost."]
    pairs = said["pairs"]
    share = 100 * said["straight_pairs"] / pairs if pairs else 0.0
    lines += [
        "",
        f"{share:.0f} % of the {pairs:,} ways are straight lines: no network is cheaper there.",
        *(plain(note) for note in found.notes),
        "Rates, lengths and routes are for screening and to be confirmed; no tariff was read.",
        "",
        plain(found.notice),
    ]
    return "\n".join(lines)


def pairing_sketch(found: Paired) -> Sketch:
    """Mines, plants and the best mines' ways on a map."""
    links = found.links[found.links["mine_rank_after"] <= _DRAWN]
    light = links.set_geometry(shapely.simplify(links.geometry.to_numpy(), _LIGHTER))
    ways = projected(light, WGS84)
    lines = tuple(
        Line(
            tuple(map(tuple, shapely.get_coordinates(shape).tolist())),
            _COLOURS[by],
            (f"{plain(mine)} → {plain(plant)}", f"{by}; {usd:,.1f} USD per short ton in all"),
            by == "straight line",
        )
        for mine, plant, by, usd, shape in zip(
            ways["mine"], ways["plant"], ways["by"], ways["cost_usd_per_short_ton"],
            ways.geometry, strict=True,
        )
    )  # fmt: skip
    marks = [_mark(row, _MINE, 4.0) for _, row in found.mines.head(_DRAWN).iterrows()]
    marks += [_mark(row, _PLANT, 7.0) for _, row in found.plants.iterrows()]
    legend = (
        (_MINE, f"the {min(_DRAWN, len(found.mines))} best mines after pairing"),
        (_PLANT, "plants"),
        *((colour, f"by {by}") for by, colour in _COLOURS.items()),
    )
    return Sketch(
        "Mines and plants by one another",
        plain(found.notice),
        pairing_text(found),
        legend,
        tuple(marks),
        lines,
    )


def _mark(row: pd.Series, colour: str, size: float) -> Mark:
    words = (
        plain(row["name"], 120) or plain(row["site_id"]),
        plain(row["site_id"]),
        f"rank {int(row['rank_after'])} after pairing, {int(row['rank_before'])} before",
        f"suitability {row['suitability']:.3f}, paired {row['paired']:.3f}",
    )
    return Mark((float(row["longitude"]), float(row["latitude"])), colour, size, words)


def _moved(row: pd.Series) -> str:
    return f"  {int(row['rank_after']):>4} ← {int(row['rank_before']):<4}"


def _plant(row: pd.Series) -> str:
    cheapest = row["cheapest_usd_per_short_ton"]
    near = "no ore in reach" if missing(cheapest) else f"nearest ore {cheapest:,.1f} USD"
    return (
        f"{_moved(row)} {row['paired']:.3f} (suitability {row['suitability']:.3f}, score "
        f"{row['pairing_score']:.2f})  {plain(row['site_id'])} {plain(row['name'], 50)}: "
        f"ore {row['ore_reached']:.2f}, {row['mines_that_count_half_or_more']:,} of "
        f"{row['mines_that_it_takes']:,} mines count half or more, {near}"
    )


def _mine(row: pd.Series) -> str:
    if not row["plant"]:
        way = "no plant of these takes what it has"
    else:
        length = row["road_km"] + row["rail_km"] + row["straight_km"]
        way = (
            f"{plain(row['plant'])} for {plain(row['commodities_taken'])}, "
            f"{row['cost_usd_per_short_ton']:,.1f} USD ({row['way']}, {length:,.0f} km, "
            f"{row['rail_km']:,.0f} of them by rail)"
        )
    return (
        f"{_moved(row)} {row['paired']:.3f} (suitability {row['suitability']:.3f}, score "
        f"{row['pairing_score']:.2f})  {plain(row['site_id'])} {plain(row['name'], 50)}: {way}"
    )
