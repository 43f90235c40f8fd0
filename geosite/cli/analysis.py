"""The verbs that ask: check, plan, run, explain, demo."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from geosite.cli.ending import clean, result, said, silent
from geosite.cli.options import (
    AOI,
    CACHE,
    DATA,
    LAYERS,
    OUTPUTS,
    QUIET,
    RESOLUTION,
    REVIEWS,
    machine,
)
from geosite.cli.places import Places, places, planned_at, reviewed_at
from geosite.errors import CatalogError


@contextmanager
def _importing() -> Iterator[None]:
    # Importing makes many objects and no garbage; looking for it takes a quarter of the time,
    # and afterwards they stay.
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@click.command()
@click.argument("scenario", required=False)
@LAYERS
@CACHE
@clean
def check(scenario: str | None, layers: Path | None) -> None:
    """Say whether the catalogue and a scenario are valid; nothing is fetched or read."""
    from geosite import catalog as c  # noqa: PLC0415
    from geosite import references as r  # noqa: PLC0415

    at = places(scenario or "", layers, None)
    catalog = c.open_catalog(at.layers)
    rulebook = c.open_rulebook()
    rules = sum(len(s.rules) for s in rulebook.sets.values())
    click.echo(f"{len(catalog)} layers, {len(rulebook.sets)} rule sets with {rules} rules: valid")
    for name in [at.scenario] if at.scenario else c.preset_names():
        found = c.open_scenario(name)
        if wrong := [
            *r.dangling(found, rulebook),
            *r.unknown_layers(found, catalog, rulebook),
            *r.unfit_layers(found, catalog, rulebook),
        ]:
            msg = "\n".join([f"scenario {found.name} is not complete:", *(f"  {w}" for w in wrong)])
            raise CatalogError(msg)
        click.echo(f"scenario {found.name}: valid")


@click.command()
@click.argument("scenario")
@LAYERS
@DATA
@CACHE
@OUTPUTS
@AOI
@RESOLUTION
@REVIEWS
@machine
@clean
def plan(
    scenario: str,
    layers: Path | None,
    data: Path | None,
    outputs: Path,
    aoi: str | None,
    resolution: float | None,
    reviews: Path | None,
    **means: Any,
) -> None:
    """Say what will be read and computed, what it will cost, and what is missing.

    With tcp://, also whether every worker sees the data and the outputs.
    """
    from geosite.capacity import Means, arranged  # noqa: PLC0415
    from geosite.report import overlay_text, plan_text  # noqa: PLC0415

    at = places(scenario, layers, data)
    planned = (
        reviewed_at(at, reviews, aoi, resolution) if reviews else planned_at(at, aoi, resolution)
    )
    result(plan_text(planned, arranged(planned, Means(**means), outputs)))
    if planned.reviews:
        result(f"\n{overlay_text(planned.reviews)}")


@click.command()
@click.argument("scenario")
@LAYERS
@DATA
@CACHE
@OUTPUTS
@AOI
@RESOLUTION
@REVIEWS
@click.option("--allow-missing", is_flag=True, help="Go on without missing layers, as unknown.")
@click.option(
    "--resume",
    is_flag=True,
    help="Go on with the newest run of this scenario that was stopped; begin one if none was.",
)
@click.option("--no-map", is_flag=True, help="Draw no map; geosite map RUN draws it later.")
@machine
@QUIET
@clean
def run(
    scenario: str,
    layers: Path | None,
    data: Path | None,
    outputs: Path,
    aoi: str | None,
    resolution: float | None,
    reviews: Path | None,
    *,
    allow_missing: bool,
    no_map: bool,
    resume: bool,
    quiet: bool,
    **means: Any,
) -> None:
    """Analyse and save; prints the run folder."""
    with _importing():
        from geosite.capacity import Means  # noqa: PLC0415
        from geosite.progress import drawn  # noqa: PLC0415
        from geosite.runs import begun_on, execute  # noqa: PLC0415

    say = silent if quiet else said
    # A run that was stopped yesterday reads the rules as of yesterday.
    at = places(scenario, layers, data)
    day = begun_on(outputs, at.scenario) if resume else None
    if reviews:
        planned = reviewed_at(at, reviews, aoi, resolution)
    else:
        planned = planned_at(at, aoi, resolution, day)
    for note in planned.notes:
        say(f"note: {note}")
    if resume:
        say(
            f"going on with rules as of {planned.as_of}" if day else "no run was stopped: a new one"
        )
    with drawn(quiet=quiet) as told:
        done = execute(
            planned,
            outputs,
            allow_missing=allow_missing,
            drawn=not no_map,
            means=Means(**means),
            resume=resume,
            told=told,
        )
    _summary(done, say)
    if planned.reviews:
        from geosite.report import changes_text  # noqa: PLC0415

        say(f"\n{changes_text(done.manifest['reviews'])}")
    click.echo(done.path)


# A longitude that begins with a minus is no option.
@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("what", metavar="SITE|LON,LAT")
@clean
def explain(run: Path, what: str) -> None:
    """Explain a site's score by criterion, or every rule against a spot, with its citation."""
    from geosite.explain import explain_site, explain_spot  # noqa: PLC0415
    from geosite.runs import open_run  # noqa: PLC0415

    opened = open_run(run)
    numbers = what.split(",")
    try:
        lon, lat = (float(n) for n in numbers)
    except ValueError:
        result(explain_site(opened, what))
        return
    result(explain_spot(opened, lon, lat))


@click.command()
@OUTPUTS
@RESOLUTION
@click.option("--cells", type=click.IntRange(40_000), default=1_000_000, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--aoi", help="Part of the basin, as west,south,east,north; all of it by default.")
@click.option("--data", type=click.Path(path_type=Path), help="Keep the synthetic layers here.")
@QUIET
@clean
def demo(
    outputs: Path,
    resolution: float | None,
    cells: int,
    seed: int,
    aoi: str | None,
    data: Path | None,
    *,
    quiet: bool,
) -> None:
    """Make a synthetic basin and rank mines and refineries in it; no network, no data."""
    from geosite.demo import make_world  # noqa: PLC0415
    from geosite.disk import writing  # noqa: PLC0415
    from geosite.progress import drawn  # noqa: PLC0415
    from geosite.runs import execute  # noqa: PLC0415

    say = silent if quiet else said
    folder = data or outputs / f"demo-world-{cells}-{seed}"
    with writing(folder):
        world = make_world(folder, cells=cells, seed=seed)
    say(f"a synthetic basin of {cells:,} cells was made in {world.folder}")
    for preset in ("mine/open-pit", "refinery/hydromet"):
        at = Places(preset, world.layers, world.data, None)
        planned = planned_at(at, aoi or world.aoi, resolution or 90.0)
        with drawn(quiet=quiet) as told:
            done = execute(planned, outputs, told=told)
        _summary(done, say)
        click.echo(done.path / "map.html")


def _summary(done: Any, say: Callable[[str], None]) -> None:
    best = done.sites.head(10)
    say(f"\n{done.manifest['title']}: {done.manifest['sites']} sites")
    if best.empty:
        from geosite.report import no_site_text  # noqa: PLC0415

        say(no_site_text(done.manifest))
    for row in best.itertuples():
        value = "unknown" if row.suitability != row.suitability else f"{row.suitability:.3f}"
        say(
            f"  {row.rank:>3} {row.tier or '-'} {value:>7}  {row.site_id:<26} {str(row.name)[:60]}"
            f" ({row.county}, {row.state})"
        )
    if (drawn := done.path / "map.html").is_file():
        from geosite.map.saving import size_notes  # noqa: PLC0415

        for note in size_notes(drawn):
            say(f"note: {note}")
