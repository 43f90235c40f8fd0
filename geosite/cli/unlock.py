"""The verb that asks what keeps land out."""

from __future__ import annotations

from pathlib import Path

import click

from geosite.cli.ending import clean, result


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder for the tables; beside the run, as RUN.unlock, by default.",
)
@click.option("--top", type=click.IntRange(1), default=10, show_default=True, help="Rows printed.")
@clean
def unlock(run: Path, out: Path | None, top: int) -> None:
    """Say which rules block excluded land, alone and together; prints the folder of tables.

    Only rules of a plan or of practice have numbers: statutes, withdrawals and treaties are
    listed with who could act, and sovereign land is outside the analysis.
    """
    from geosite.report import unlock_text  # noqa: PLC0415
    from geosite.runs import open_run  # noqa: PLC0415
    from geosite.unlocking import saved, unlocked  # noqa: PLC0415

    opened = open_run(run)
    found = unlocked(opened)
    result(unlock_text(found, top))
    whole = opened.path.resolve()
    click.echo(saved(found, out or whole.with_name(f"{whole.name}.unlock")))
