"""The verb that asks a run again, on other cells and with other cuts."""

from __future__ import annotations

from pathlib import Path

import click

from geosite.cli.ending import clean, result
from geosite.cli.options import CACHE, DATA, LAYERS, QUIET, lengths
from geosite.cli.places import places_of


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--cells",
    callback=lengths,
    show_default="twice the run's own",
    help="Cell sizes to ask again with, e.g. '180 m,250 m'; 'none' for none. Half the size "
    "takes about four times as long as the run did.",
)
@LAYERS
@DATA
@CACHE
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder for the tables; beside the run, as RUN.stability, by default.",
)
@QUIET
@clean
def stability(
    run: Path,
    cells: tuple[float, ...] | None,
    layers: Path | None,
    data: Path | None,
    out: Path | None,
    *,
    quiet: bool,
) -> None:
    """Say whether the sites of a RUN stay on other cells and with other cuts of tier or patch.

    Prints the folder: README.md, stability.json, stability_sites.csv, stability_tiers.csv.
    """
    from geosite import catalog as c  # noqa: PLC0415
    from geosite import reanalysis as r  # noqa: PLC0415
    from geosite.disk import writing  # noqa: PLC0415
    from geosite.progress import drawn  # noqa: PLC0415
    from geosite.report.stability import stability_text  # noqa: PLC0415
    from geosite.runs import open_run  # noqa: PLC0415

    opened = open_run(run)
    whole = opened.path.resolve()
    if cells is None:
        cells = (2 * float(opened.manifest["grid"]["resolution_m"]),)
    at = places_of(opened, opened.manifest["scenario"]["name"], layers, data)
    sources = r.Sources(c.open_catalog(at.layers), c.open_rulebook(), at.data, at.fetched)
    folder = out or whole.with_name(f"{whole.name}.stability")
    plans = r.restated(opened, sources, cells)
    with writing(folder.parent):
        folder.parent.mkdir(parents=True, exist_ok=True)
    with drawn(quiet=quiet) as told:
        found = r.stability(opened, plans, folder.parent, told=told)
    result(stability_text(found))
    click.echo(r.saved(found, folder))
