"""The verb that ranks mines and plants by one another."""

from __future__ import annotations

from pathlib import Path

import click

from geosite.cli.ending import clean, result
from geosite.cli.options import CACHE, DATA, LAYERS, FiniteRange
from geosite.cli.places import places_of


@click.command()
@click.argument("mine_run", type=click.Path(path_type=Path))
@click.argument("plant_run", type=click.Path(path_type=Path))
@click.option("--rail", help="Layer of railways; infrastructure/rail if it is there.")
@click.option("--road", help="Layer of roads; infrastructure/freeways if it is there.")
@click.option(
    "--process",
    type=click.Choice(["hydromet", "smelter", "any"]),
    help="What the plants do; by their scenario's name if not given.",
)
@click.option(
    "--weight",
    type=FiniteRange(0, 1),
    default=0.3,
    show_default=True,
    help="Share of its suitability that a site without a partner loses.",
)
@click.option(
    "--max-cost", type=FiniteRange(min=0), help="Dearest haul that counts [USD per short ton]."
)
@click.option(
    "--half-ore",
    type=FiniteRange(min=0, min_open=True),
    default=5.0,
    show_default=True,
    help="Ore at which a plant's score is a half [mines of weight 1 at its gate].",
)
@click.option("--top", type=click.IntRange(1), default=10, show_default=True, help="Rows printed.")
@LAYERS
@DATA
@CACHE
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder to write; beside the mine run, as MINE_RUN.pair, by default.",
)
@clean
def pair(  # noqa: PLR0917 -- one parameter an option
    mine_run: Path,
    plant_run: Path,
    rail: str | None,
    road: str | None,
    process: str | None,
    weight: float,
    max_cost: float | None,
    half_ore: float,
    top: int,
    layers: Path | None,
    data: Path | None,
    out: Path | None,
) -> None:
    """Rank plants by the ore they can reach and mines by the plant they can feed.

    Ways lead over the rail and road layers of the mine run's own catalogue, and in a straight
    line where there is none. Prints both lists and the folder of tables, routes and a map.
    """
    from geosite.catalog import open_catalog, open_rulebook  # noqa: PLC0415
    from geosite.matching import Match, Means, paired_runs, saved  # noqa: PLC0415
    from geosite.report import pairing_text  # noqa: PLC0415
    from geosite.runs import open_run  # noqa: PLC0415

    mines, plants = open_run(mine_run), open_run(plant_run)
    at = places_of(mines, None, layers, data)
    means = Means(open_catalog(at.layers), open_rulebook(), at.data, at.fetched)
    most = float("inf") if max_cost is None else max_cost
    match = Match(rail, road, process, weight, most, half_ore)
    found = paired_runs(mines, plants, match, means)
    result(pairing_text(found, top))
    whole = mines.path.resolve()
    click.echo(saved(found, out or whole.with_name(f"{whole.name}.pair")))
