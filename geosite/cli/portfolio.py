"""The verb that chooses the best few sites that together cover a list of commodities."""

from __future__ import annotations

from pathlib import Path

import click

from geosite.cli.ending import clean, result
from geosite.cli.options import FiniteRange, length_of


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--commodities",
    required=True,
    help="To be covered: lithium,gallium or a list such as critical2025.",
)
@click.option("--sites", type=click.IntRange(1), default=5, show_default=True, help="So many.")
@click.option("--exactly", is_flag=True, help="Just so many sites, not at most.")
@click.option(
    "--at-least",
    "least",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Sites that cover each commodity.",
)
@click.option("--lock-in", multiple=True, metavar="ID", help="A site that is in; again for more.")
@click.option("--lock-out", multiple=True, metavar="ID", help="A site that is not.")
@click.option(
    "--spacing",
    callback=length_of(5_000_000.0, "50 km"),
    default="0 km",
    show_default=True,
    help="No two sites nearer than this, point to point.",
)
@click.option(
    "--by",
    default="suitability",
    show_default=True,
    help="What is summed, more being better: a column of numbers, or suitability_x_acres.",
)
@click.option("--by-products", is_flag=True, help="A host's site covers its by-products too.")
@click.option("--cover-possible", is_flag=True, help="Leave out what too few sites have.")
@click.option("--per-state", type=click.IntRange(1), help="Most sites in one state.")
@click.option("--per-agency", type=click.IntRange(1), help="Most sites of one agency.")
@click.option("--acres", type=FiniteRange(min=0), help="Most acres in all.")
@click.option(
    "--alternatives", type=click.IntRange(0), default=5, show_default=True, help="Next best ones."
)
@click.option(
    "--within",
    type=FiniteRange(0, 100),
    default=5.0,
    show_default=True,
    help="Percent of the best that an alternative may lack.",
)
@click.option(
    "--gap",
    type=FiniteRange(0, 100),
    default=0.0,
    show_default=True,
    help="Percent at which the search may stop; 0 proves the optimum.",
)
@click.option(
    "--seconds",
    type=FiniteRange(min=0.1),
    default=60.0,
    show_default=True,
    help="Time for one search.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder to write; beside the run, as RUN.portfolio, by default.",
)
@clean
def portfolio(  # noqa: PLR0917 -- one parameter an option
    run: Path,
    commodities: str,
    sites: int,
    exactly: bool,
    least: int,
    lock_in: tuple[str, ...],
    lock_out: tuple[str, ...],
    spacing: float,
    by: str,
    by_products: bool,
    cover_possible: bool,
    per_state: int | None,
    per_agency: int | None,
    acres: float | None,
    alternatives: int,
    within: float,
    gap: float,
    seconds: float,
    out: Path | None,
) -> None:
    """Choose the sites of a RUN that together cover commodities; prints them and the folder.

    The sum is proven to be the highest there is, unless --gap or --seconds end the search before:
    that is said. So are the sites that every nearly as good choice shares.
    """
    from geosite.catalog import open_rulebook  # noqa: PLC0415
    from geosite.choosing import Wish, portfolio_of, saved  # noqa: PLC0415
    from geosite.report import portfolio_text  # noqa: PLC0415
    from geosite.runs import open_run  # noqa: PLC0415

    opened = open_run(run)
    wish = Wish(
        commodities,
        sites,
        exactly,
        least,
        lock_in,
        lock_out,
        spacing,
        by,
        by_products,
        cover_possible,
        alternatives,
        within / 100,
        per_state,
        per_agency,
        acres,
        gap / 100,
        seconds,
    )
    found = portfolio_of(opened, wish, open_rulebook().commodities)
    result(portfolio_text(found))
    whole = opened.path.resolve()
    click.echo(saved(found, out or whole.with_name(f"{whole.name}.portfolio")))
