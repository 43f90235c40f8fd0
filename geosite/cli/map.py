"""The verbs that show: map, view."""

from __future__ import annotations

from pathlib import Path

import click

from geosite.cli.ending import clean, said
from geosite.cli.options import FiniteRange


@click.command("map")
@click.argument(
    "runs", metavar="RUN [RUN]", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@click.option(
    "--max-mb",
    type=FiniteRange(0, min_open=True),
    default=10.0,
    show_default=True,
    help="Largest size of the file; outlines are simplified until it fits.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where the map goes; map.html in the run's folder by default, or for two runs "
    "comparison.html in the first one's.",
)
@click.option(
    "--tiles",
    "is_served",
    is_flag=True,
    help="Write every outline as it is beside the map, too; geosite view RUN shows them.",
)
@clean
def map_(runs: tuple[Path, ...], max_mb: float, out: Path | None, *, is_served: bool) -> None:
    """Render or re-render the map of a run, or of two on one page; prints its path."""
    from geosite.map import saved_map  # noqa: PLC0415
    from geosite.runs import content, open_run  # noqa: PLC0415

    if len(runs) > 2:
        msg = f"one run, or two to be shown on one page, but not {len(runs)}"
        raise click.UsageError(msg)
    opened = [open_run(run) for run in runs]
    if len(opened) == 1:
        path = out or opened[0].path / "map.html"
        notes = saved_map(content(opened[0]), path, max_mb=max_mb, is_served=is_served)
    else:
        if is_served:
            msg = "--tiles is for the map of one run"
            raise click.UsageError(msg)
        from geosite.side_by_side import write_comparison_map  # noqa: PLC0415

        path = out or opened[0].path / "comparison.html"
        notes = write_comparison_map(opened[0], opened[1], path, max_mb=max_mb)
    for note in notes:
        said(f"note: {note}")
    click.echo(path)


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--port", type=click.IntRange(0, 65_535), default=0, help="Any free one by default.")
@clean
def view(run: Path, port: int) -> None:
    """Serve the map of a run to this machine alone, until Ctrl-C; prints its address."""
    from geosite.runs import open_run  # noqa: PLC0415
    from geosite.viewing import Viewer  # noqa: PLC0415

    with Viewer(open_run(run).path, port) as server:
        click.echo(server.url)
        said("Ctrl-C ends")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            said("ended")
