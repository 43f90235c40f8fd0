"""The verb that tests the evidence surface against known sites."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import click

from geosite.cli.ending import clean, said, silent
from geosite.cli.options import AOI, CACHE, DATA, LAYERS, OUTPUTS, QUIET, RESOLUTION, length
from geosite.cli.places import places, planned_at


@click.command()
@click.argument("scenario")
@click.option(
    "--known",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Known sites: CSV with longitude and latitude, GeoJSON, GeoPackage …",
)
@click.option(
    "--folds",
    type=click.IntRange(2, 50),
    help="Hold out the scenario's own deposits instead, in so many folds of blocks.",
)
@click.option(
    "--block",
    callback=length,
    default="25 km",
    show_default=True,
    help="Side of the blocks that --folds holds out whole.",
)
@click.option(
    "--leak",
    callback=lambda c, o, v: None if v is None else length(c, o, v),
    help="Take out evidence so near to a site; the scenario's distance by default (5 km).",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Of the folds and of the samples that intervals come from.",
)
@AOI
@RESOLUTION
@LAYERS
@DATA
@CACHE
@click.option("--allow-missing", is_flag=True, help="Go on without missing layers, as unknown.")
@OUTPUTS
@QUIET
@clean
def backtest(  # noqa: PLR0917 -- one parameter an option
    scenario: str,
    known: Path | None,
    folds: int | None,
    block: float,
    leak: float | None,
    seed: int,
    aoi: str | None,
    resolution: float | None,
    layers: Path | None,
    data: Path | None,
    outputs: Path,
    *,
    allow_missing: bool,
    quiet: bool,
) -> None:
    """Say how well a SCENARIO's evidence surface finds known sites; prints the folder.

    Evidence near the sites is taken out first. The folder holds backtest.json, sites.csv,
    success_rate.png, prediction_area.png and README.md. --resolution is that of the rules and
    the suitability at the sites; the surface has the cells that the scenario gives it.
    """
    if (known is None) == (folds is None):
        msg = "name known sites with --known FILE, or hold out deposits with --folds 5; not both"
        raise click.UsageError(msg)
    if block <= 0:
        msg = "'--block' must be above zero"
        raise click.UsageError(msg)

    from geosite.backtest import Means, of_folds, of_known  # noqa: PLC0415
    from geosite.disk import assembled  # noqa: PLC0415
    from geosite.report.backtest import write_backtest  # noqa: PLC0415
    from geosite.sources.known import read_known  # noqa: PLC0415

    say = silent if quiet else said
    # A file that cannot be read is known before anything large is.
    sites = read_known(known) if known is not None else None
    planned = planned_at(places(scenario, layers, data), aoi, resolution)
    for note in planned.notes:
        say(f"note: {note}")
    means = Means(leak, folds or 0, block, seed, allow_missing)
    if sites is not None and known is not None:
        found = of_known(planned, sites, known.name, means, say)
    else:
        found = of_folds(planned, means, say)
    name = planned.scenario.name.replace("/", "-").replace(" ", "-")
    folder = outputs / f"backtest-{name}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    click.echo(assembled(folder, partial(write_backtest, found)))
