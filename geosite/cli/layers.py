"""The verbs that bring layers, and look after them: fetch, layers, layer, bundle."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from geosite.cli.ending import clean, listing, result, said
from geosite.cli.options import AOI, CACHE, DATA, LAYERS, QUIET, RESOLUTION
from geosite.cli.places import is_bundle, places, planned_at
from geosite.errors import CatalogError, FetchError, GeositeError, faults

if TYPE_CHECKING:
    from geosite.sources.questions import Question


def _pairs(_context: object, _option: object, said: tuple[str, ...]) -> dict[str, str]:
    if wrong := [text for text in said if "=" not in text]:
        msg = f"{', '.join(map(repr, wrong))}: write KEY=VALUE, such as vintage=2026"
        raise click.BadParameter(msg)
    return dict(text.split("=", 1) for text in said)


def _is_asked() -> bool:
    return sys.stdin.isatty()


def _answer(question: Question) -> str:
    kind = click.Choice(question.choices) if question.choices else click.STRING

    def fit(text: str) -> str:
        found = str(kind(text))
        if wrong := question.wrong(found):
            raise click.BadParameter(wrong)
        return found

    given = question.default
    words = question.words[:1].upper() + question.words[1:]
    try:
        return str(
            click.prompt(
                words, given, type=kind, value_proc=fit, show_default=bool(given), err=True
            )
        )
    except click.Abort:
        raise KeyboardInterrupt from None


@click.command()
@click.argument("scenario", required=False)
@AOI
@click.option("--layer", "ids", multiple=True, metavar="ID", help="This layer; may be repeated.")
@click.option("--all", "every", is_flag=True, help="Every layer of the catalogue.")
@click.option("--dry-run", is_flag=True, help="Say how much would come; fetch nothing.")
@click.option(
    "--refresh",
    is_flag=True,
    help="Also what is held but stale; with --layer, those layers whatever their age.",
)
@click.option(
    "--jobs", type=click.IntRange(1, 32), default=4, show_default=True, help="Layers at a time."
)
@LAYERS
@DATA
@CACHE
@QUIET
@clean
def fetch(
    scenario: str | None,
    aoi: str | None,
    ids: tuple[str, ...],
    layers: Path | None,
    data: Path | None,
    jobs: int,
    *,
    every: bool,
    dry_run: bool,
    refresh: bool,
    quiet: bool,
) -> None:
    """Get what a scenario needs near its AOI from the official sources, once.

    SCENARIO is a preset, a scenario file, or the first part of presets' names:
    mine stands for all mines. What is held already is not fetched again.
    """
    if not (scenario or ids or every):
        msg = "say what to fetch: a SCENARIO, --layer ID or --all"
        raise click.UsageError(msg)
    if ids and every:
        msg = "--all is every layer; leave out --layer"
        raise click.UsageError(msg)
    if is_bundle(layers):
        msg = f"{layers} is a bundle, which holds what it needs; fetch wants a catalogue folder"
        raise click.UsageError(msg)
    from geosite.fetching import fetch as fetched  # noqa: PLC0415
    from geosite.fetching import forecasts  # noqa: PLC0415
    from geosite.progress import layers_drawn  # noqa: PLC0415
    from geosite.wants import Order, open_scenarios  # noqa: PLC0415

    order = Order(open_scenarios(scenario) if scenario else (), aoi, ids, every)
    stock = _stock(layers, data)
    root = stock.holdings.root
    with _client(stock) as client:
        if dry_run:
            from geosite.report.layers import forecast_text  # noqa: PLC0415

            found = forecasts(order, stock, client, refresh=refresh, jobs=jobs)
            result(forecast_text(found, root, _free(root)))
            if mute := [f"layer {f.layer}: {f.words}" for f in found if f.estimate is None]:
                raise FetchError(faults("layers cannot be asked for:", mute))
            return
        with layers_drawn(quiet=quiet) as told:
            report = fetched(order, stock, client, told, refresh=refresh, jobs=jobs)
    # Not before: drawing takes time to import, and servers take time to answer.
    from geosite.report.layers import report_text  # noqa: PLC0415

    result(report_text(report, root))


@click.group(invoke_without_command=True)
@click.option("--missing", is_flag=True, help="Only layers that are not there.")
@LAYERS
@DATA
@CACHE
@click.pass_context
@clean
def layers(
    context: click.Context, layers: Path | None, data: Path | None, *, missing: bool
) -> None:
    """List the layers of the catalogue: what is held, for which area, how old it is."""
    if context.invoked_subcommand:
        return
    from geosite.report.layers import shelf_text  # noqa: PLC0415

    listing(shelf_text(_stock(layers, data), missing=missing))


@layers.command()
@CACHE
@clean
def verify() -> None:
    """Hash everything again that was fetched, and name what is damaged."""
    from geosite.sources.holdings import Holdings, holdings_root  # noqa: PLC0415

    holdings = Holdings(holdings_root())
    found = holdings.verify()
    for fault in found:
        if fault.kind == "unreferenced":
            said(f"note: {fault.words}; the next fetch clears it away")
    if wrong := [f.words for f in found if f.kind != "unreferenced"]:
        raise GeositeError(faults("what was fetched is damaged:", wrong))
    click.echo(f"{len(holdings.entries())} entries in {holdings.root}: every byte as fetched")


@layers.command()
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write it here as JSON.")
@click.option(
    "--jobs", type=click.IntRange(1, 64), default=8, show_default=True, help="Sources at a time."
)
@LAYERS
@QUIET
@clean
def probe(
    ids: tuple[str, ...], json_file: Path | None, jobs: int, layers: Path | None, *, quiet: bool
) -> None:
    """Ask every source for its metadata: ok, moved, schema changed, count changed or dead."""
    from geosite import catalog as c  # noqa: PLC0415
    from geosite.progress import drawn  # noqa: PLC0415
    from geosite.report.layers import probe_text  # noqa: PLC0415
    from geosite.sources.client import Client, Patience  # noqa: PLC0415
    from geosite.sources.hosts import pauses  # noqa: PLC0415
    from geosite.sources.probe import probed  # noqa: PLC0415

    catalog = c.open_catalog(places("", layers, None).layers)
    if lost := [i for i in ids if i not in catalog]:
        msg = f"there is no layer {', '.join(lost)} in {catalog.root}; geosite layers lists all"
        raise CatalogError(msg)
    # Metadata come soon or not at all.
    patience = Patience(read=30.0, attempts=2)
    with Client(patience, pauses=pauses()) as client, drawn(quiet=quiet) as told:
        found = probed(
            [catalog[i] for i in ids or catalog],
            client,
            jobs=jobs,
            told=lambda done, total: told("sources", done, total),
        )
    if client.reach.offline:
        raise FetchError(client.reach.offline)
    result(probe_text(found))
    if json_file:
        text = json.dumps([asdict(p) for p in found], indent=1, ensure_ascii=False)
        json_file.write_text(text + "\n", encoding="utf-8")
    sys.exit(any(not p.well for p in found))


@click.group()
def layer() -> None:
    """Look after the entry of one layer."""


@layer.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--id", "id_", help="Of the layer, such as own/drill-holes; from the file's name.")
@click.option(
    "--answer", "answers", multiple=True, metavar="KEY=VALUE",
    callback=_pairs, help="Answer a question beforehand; may be repeated.",
)  # fmt: skip
@click.option("--yes", is_flag=True, help="Ask nothing where there is a usual answer.")
@LAYERS
@DATA
@clean
def add(
    file: Path,
    id_: str | None,
    answers: dict[str, str],
    layers: Path | None,
    data: Path | None,
    *,
    yes: bool,
) -> None:
    """Write a catalogue entry for a file of your own, and put the file below the data root.

    It is looked at; only what it cannot tell is asked. Prints the path of the entry, which
    is in the catalogue that --layers names.
    """
    from geosite.catalog import official_layers  # noqa: PLC0415
    from geosite.sources.proposal import added  # noqa: PLC0415

    ask = _answer if _is_asked() and not yes else None
    root = layers or official_layers()
    if layers is None and root.parent.name == "geosite":
        msg = (
            f"the official catalogue came with the package, in {root}, and an update would take "
            "your entry away; copy that folder, and name the copy with --layers here and later"
        )
        raise CatalogError(msg)
    click.echo(added(file, root, data or Path("data"), answers, ask, id_=id_))


@click.command()
@click.argument("scenario")
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
@AOI
@RESOLUTION
@click.option("--allow-missing", is_flag=True, help="Also without layers that are missing.")
@LAYERS
@DATA
@CACHE
@clean
def bundle(
    scenario: str,
    out: Path,
    aoi: str | None,
    resolution: float | None,
    layers: Path | None,
    data: Path | None,
    *,
    allow_missing: bool,
) -> None:
    """Put a scenario and all that it reads in one file, for a machine without network.

    There: geosite run SCENARIO --layers OUT
    """
    from geosite.bundles import bundle as bundled  # noqa: PLC0415

    planned = planned_at(places(scenario, layers, data), aoi, resolution)
    done = bundled(planned, out, allow_missing=allow_missing)
    for id_ in done.missing:
        said(f"note: {id_} is not in it, because it is not here")
    click.echo(f"{done.path}: {len(done.layers)} layers, {done.size / 1e6:,.1f} MB")


def _stock(layers: Path | None, data: Path | None) -> Any:
    from geosite import catalog as c  # noqa: PLC0415
    from geosite.sources.holdings import Holdings, holdings_root  # noqa: PLC0415
    from geosite.wants import Stock  # noqa: PLC0415

    at = places("", layers, data)
    held = Holdings(at.fetched or holdings_root())
    return Stock(c.open_catalog(at.layers), c.open_rulebook(), at.data, held)


def _client(stock: Any) -> Any:
    from geosite.sources.client import Client  # noqa: PLC0415
    from geosite.sources.hosts import pauses  # noqa: PLC0415

    return Client(pauses=pauses(), downloads=stock.holdings.downloads)


def _free(root: Path) -> int:
    return shutil.disk_usage(next(p for p in (root, *root.parents) if p.exists())).free
