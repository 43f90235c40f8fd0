"""The verb that reviews sites: what official layers and the rulebook say of each outline."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from geosite.cli.ending import clean
from geosite.cli.options import CACHE, DATA, LAYERS, length
from geosite.cli.places import places_of


@click.command()
@click.argument("run", required=False, type=click.Path(path_type=Path))
@click.option(
    "--top",
    type=click.IntRange(1),
    default=10,
    show_default=True,
    help="So many of the best sites.",
)
@click.option("--site", help="This site only, by its id.")
@click.option(
    "--polygon",
    type=click.Path(path_type=Path),
    help="Areas drawn in a vector file instead, one a feature.",
)
@click.option(
    "--scenario",
    help="Whose rules a drawn area is reviewed by; those of RUN, else mine/open-pit.",
)
@LAYERS
@DATA
@CACHE
@click.option(
    "--ring", callback=length, default="5 mi", show_default=True, help="Features so near are named."
)
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder to write; beside the run by default."
)
@clean
def review(  # noqa: PLR0917 -- one parameter an option
    run: Path | None,
    top: int,
    site: str | None,
    polygon: Path | None,
    scenario: str | None,
    layers: Path | None,
    data: Path | None,
    ring: float,
    out: Path | None,
) -> None:
    """Write an overlap dossier of the best sites of a RUN, of one of them, or of drawn areas.

    Prints the folder: index.html, a page a site, dossier.csv, not_examined.csv, dossier.gpkg.
    """
    if run is None and polygon is None:
        msg = "name a run folder, or areas with --polygon FILE"
        raise click.UsageError(msg)
    if site is not None and polygon is not None:
        msg = "--site is of a run and --polygon of a drawing; give one of them"
        raise click.UsageError(msg)
    if scenario is not None and (run is not None or polygon is None):
        msg = "--scenario goes with --polygon alone: a run has its own"
        raise click.UsageError(msg)

    from geosite import catalog as c  # noqa: PLC0415
    from geosite import dossier as d  # noqa: PLC0415
    from geosite.run_shape import scenario_of  # noqa: PLC0415
    from geosite.runs import open_run  # noqa: PLC0415

    opened = open_run(run) if run is not None else None
    areas = d.drawn(polygon) if polygon is not None else None
    at = places_of(opened, scenario, layers, data)
    means = d.Means(c.open_catalog(at.layers), c.open_rulebook(), at.data, at.fetched, ring)
    if opened is not None and areas is None:
        found = d.of_run(opened, means, top=top, site=site)
        folder = opened.path.resolve()
        made = d.written(found, out or folder.with_name(f"{folder.name}.review"))
    elif areas is not None and polygon is not None:
        asked = (
            c.open_scenario(at.scenario)
            if opened is None
            else scenario_of(opened.manifest, opened.path)
        )
        found = d.of_areas(areas, asked, means, about=polygon.name, run=opened)
        day = f"{datetime.now(UTC):%Y%m%d}"
        made = d.written(found, out or Path("outputs") / f"review-{polygon.stem}-{day}")
    click.echo(made / "index.html")
