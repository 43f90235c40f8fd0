"""Options that several verbs have."""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from geosite.model.quantity import parse


class FiniteRange(click.FloatRange):
    """A number within bounds; not nan, which lies within any, and not inf."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number, or a message that it is none."""
        found = super().convert(value, param, ctx)
        if not math.isfinite(found):
            self.fail(f"{value} is no finite number.", param, ctx)
        return found


_WIDEST = 100_000.0  # m; beyond it a ring names half a state


def _metres(_context: object, _option: object, value: str | None) -> float | None:
    if value is None:
        return None
    try:
        metres = parse(value, "m")
    except ValueError as error:
        msg = f"{error}; write e.g. '90 m'"
        raise click.BadParameter(msg) from None
    if metres <= 0:
        msg = f"{value!r} must be above zero"
        raise click.BadParameter(msg)
    return metres


def lengths(_context: object, _option: object, value: str | None) -> tuple[float, ...] | None:
    """Lengths above zero [m] from their words, parted by commas; ``none`` is none of them."""
    if value is None or value.strip().lower() == "none":
        return None if value is None else ()
    found = [_metres(_context, _option, part) for part in value.split(",")]
    return tuple(x for x in found if x is not None)


def length_of(most: float, such: str) -> Callable[[object, object, str], float]:
    """What reads a length [m] from its words, from zero up to a most."""

    def read(_context: object, _option: object, value: str) -> float:
        try:
            metres = parse(value, "m")
        except ValueError as error:
            msg = f"{error}; write e.g. '{such}'"
            raise click.BadParameter(msg) from None
        if not 0 <= metres <= most:
            msg = f"{value!r} must be between 0 and {most / 1000:g} km"
            raise click.BadParameter(msg)
        return metres

    return read


length = length_of(_WIDEST, "5 mi")
"""The radius of a ring [m] from its words; zero is one."""


def _bytes(_context: object, _option: object, value: str) -> float:
    number, _, unit = value.strip().partition(" ")
    factor = {"MB": 1e6, "GB": 1e9, "TB": 1e12}.get(unit.strip())
    try:
        found = float(number) * (factor or 0)
    except ValueError:
        found = 0.0
    if not 0 < found < float("inf"):
        msg = f"{value!r} is no amount of memory; write e.g. '3 GB', '2500 MB' or '0.5 TB'"
        raise click.BadParameter(msg)
    return found


@contextmanager
def _cache_in(folder: Path) -> Iterator[None]:
    before = os.environ.get("GEOSITE_CACHE")
    os.environ["GEOSITE_CACHE"] = str(folder.expanduser().absolute())
    try:
        yield
    finally:
        if before is None:
            del os.environ["GEOSITE_CACHE"]
        else:
            os.environ["GEOSITE_CACHE"] = before


def _cache(context: click.Context, _option: object, folder: Path | None) -> None:
    # By the environment, so that processes that work on tiles know it as well.
    if folder is not None:
        context.with_resource(_cache_in(folder))


LAYERS = click.option(
    "--layers",
    type=click.Path(path_type=Path),
    help="Catalogue folder, or a bundle (.zip); the official catalogue by default.",
)
CACHE = click.option(
    "--cache",
    type=click.Path(path_type=Path, file_okay=False),
    callback=_cache,
    expose_value=False,
    help="Folder of what was fetched and read; GEOSITE_CACHE or the user's own by default.",
)
DATA = click.option(
    "--data",
    type=click.Path(path_type=Path),
    show_default="data",
    help="Root of relative file sources, and of files put there by hand.",
)
OUTPUTS = click.option(
    "--outputs",
    type=click.Path(path_type=Path),
    default=Path("outputs"),
    show_default=True,
    help="Where run folders are written.",
)
AOI = click.option("--aoi", help="A state, a group of states, west,south,east,north, or a file.")
RESOLUTION = click.option("--resolution", callback=_metres, help="Cell size, e.g. '90 m'.")
REVIEWS = click.option(
    "--reviews",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Decisions about a run (YAML): repeat it with them, on its area, cells and day.",
)
QUIET = click.option("--quiet", is_flag=True, help="Print results and errors only.")


def machine(verb: Callable[..., None]) -> Callable[..., None]:
    """A verb with the options that change time and memory, and no answer."""
    options = (
        click.option(
            "--memory",
            callback=_bytes,
            default="3 GB",
            show_default=True,
            help="Memory the run may take, which sets the size of its tiles and how many are "
            "worked on at once; with tcp://, the memory of one worker.",
        ),
        click.option(
            "--workers",
            type=click.IntRange(1),
            help="Most tiles at once; as many as there are processors by default.",
        ),
        click.option(
            "--scheduler",
            default="threads",
            show_default=True,
            help="serial, threads, processes, or a Dask scheduler such as tcp://10.0.0.5:8786.",
        ),
    )
    return functools.reduce(lambda v, option: option(v), reversed(options), verb)
