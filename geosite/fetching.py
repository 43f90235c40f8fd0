"""Layers from their official sources into the holdings: several at once, each kept when whole."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar
from urllib.parse import urlsplit

import pyarrow as pa
import rasterio
import shapely

from geosite.aoi import STATES, is_name
from geosite.errors import FetchError, GeositeError, faults
from geosite.model.source import ManualSource
from geosite.sources import placed
from geosite.sources.client import Client, RefusedError
from geosite.sources.dataset import one_line
from geosite.sources.services import service
from geosite.wants import Order, Stock, Wanted, asks, needs_states, wanted

if TYPE_CHECKING:
    from geosite.model.layer import Layer
    from geosite.model.lock import Box, Entry
    from geosite.sources.asking import Ask, Estimate
    from geosite.sources.holdings import Kept

T = TypeVar("T")
_FAULTS = (
    RefusedError, GeositeError, OSError, MemoryError, pa.ArrowException, shapely.GEOSException,
    rasterio.errors.RasterioError,
)  # fmt: skip
"""What may go wrong with one layer; the others still come."""
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


class Listener(Protocol):
    """What is told of each layer, from the thread that fetches it."""

    def __call__(self, layer: str, done: int, total: int | None) -> None:
        """Take note of how many features or bytes have come."""

    def ended(self, layer: str, words: str) -> None:
        """Say what came of a layer."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a layer.

    Parameters
    ----------
    state : str
        ``in place`` is a file that a person put below the data root.
    words : str
        For people; of a failure, every source and what it said.
    kept : Kept, optional
        Of a layer that was fetched.
    """

    layer: str
    state: Literal["fetched", "held", "stale", "in place", "by hand", "failed"]
    words: str
    kept: Kept | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What came of every layer that was ordered, sorted by id, and for which box."""

    outcomes: tuple[Outcome, ...]
    box: Box | None

    def of(self, *states: str) -> tuple[Outcome, ...]:
        """Outcomes of some kinds."""
        return tuple(o for o in self.outcomes if o.state in states)


@dataclass(frozen=True, slots=True)
class Forecast:
    """What fetching a layer would bring; `words` alone where no source can say."""

    layer: str
    host: str
    estimate: Estimate | None
    words: str = ""


def fetch(
    order: Order,
    stock: Stock,
    client: Client,
    told: Listener,
    *,
    refresh: bool = False,
    jobs: int = 4,
) -> Report:
    """Fetch what is ordered and not held yet; what has come is kept whatever fails or stops.

    Parameters
    ----------
    refresh : bool
        Also what is held but stale; and layers that are ordered by name, whatever their age.
    jobs : int
        Layers at a time.

    Raises
    ------
    FetchError
        If layers could not be had: all of them in one message.
    GeositeError
        If what is ordered does not exist, see `wants.wanted`, or the lock cannot be read.
    """
    stock.holdings.sweep()
    one = partial(_outcome, order=order, stock=stock, client=client, told=told, refresh=refresh)
    first: list[Outcome] = []
    if needs_states(order, stock):
        # An area is looked up among the states, so they come before all else, and whole.
        states = stock.catalog[STATES]
        whole = Wanted((states,), None, ())
        # In a thread, as all others are: who waits for a server cannot be told to stop.
        first = _at_once(lambda layer: one(layer, whole), [states], 1, client)
        named = any(is_name(area) for area in order.areas)
        if first[0].state == "failed" and named and not stock.knows_states:
            raise FetchError(_failed(first))
    want = wanted(order, stock)
    rest = [la for la in want.layers if la.id not in {o.layer for o in first}]
    found = _at_once(lambda layer: one(layer, want), rest, jobs, client)
    outcomes = sorted([*first, *found], key=lambda o: o.layer)
    if failed := [o for o in outcomes if o.state == "failed"]:
        _refuse_offline(client, (o.layer for o in failed), stock)
        raise FetchError(_failed(failed))
    return Report(tuple(outcomes), want.box)


def forecasts(
    order: Order, stock: Stock, client: Client, *, refresh: bool = False, jobs: int = 4
) -> tuple[Forecast, ...]:
    """What `fetch` would bring; servers are asked how much there is, and nothing is kept.

    Raises
    ------
    FetchError
        If there seems to be no network.
    GeositeError
        If what is ordered does not exist, see `wants.wanted`, or the lock cannot be read.
    """
    want = wanted(order, stock)
    due = [
        layer
        for layer in want.layers
        if asks(layer, want) and _there(layer, want, order, stock, refresh=refresh) is None
    ]
    found = _at_once(lambda layer: _forecast(layer, want, client), due, jobs, client)
    _refuse_offline(client, (f.layer for f in found if f.estimate is None), stock)
    return tuple(found)


def _refuse_offline(client: Client, lost: Iterable[str], stock: Stock) -> None:
    """One message in place of as many as there are layers, if nobody can be asked at all."""
    if not client.reach.offline:
        return
    missing = [*lost]
    lines = [
        f"{len(missing)} layers did not come: {', '.join(missing)}",
        "what may help: a network; or, behind a proxy, its address in HTTPS_PROXY",
        "what needs no network:",
        "  geosite layers, which lists what is here",
        f"  files that you put at {stock.data}/<layer id>.<ending>",
        "  geosite run --allow-missing, with what is here",
        "  geosite run --layers OUT.zip, with a file that geosite bundle wrote elsewhere",
    ]
    raise FetchError(faults(f"{client.reach.offline}:", lines))


def _at_once(
    one: Callable[[Layer], T], layers: Iterable[Layer], jobs: int, client: Client
) -> list[T]:
    with ThreadPoolExecutor(jobs, thread_name_prefix="fetch") as pool:
        running = [pool.submit(one, layer) for layer in layers]
        try:
            for future in as_completed(running):
                future.result()
        except BaseException:
            # Ctrl-C too: whoever waits for a server stops waiting.
            client.end()
            pool.shutdown(wait=True, cancel_futures=True)
            raise
        return [future.result() for future in running]


def _outcome(
    layer: Layer,
    want: Wanted,
    *,
    order: Order,
    stock: Stock,
    client: Client,
    told: Listener,
    refresh: bool,
) -> Outcome:
    there = _there(layer, want, order, stock, refresh=refresh)
    if there is not None:
        return there
    if not asks(layer, want):
        return _by_hand(layer, stock, wrong=layer.id in order.layers)
    refused: list[str] = []
    for ask in asks(layer, want):
        try:
            kept = _kept(ask, stock, client, told)
        except _FAULTS as error:
            if client.stop.is_set():
                break
            if getattr(error, "errno", None) in _NO_ROOM:
                return _unkept(layer, error, stock, told)
            refused.append(_said(ask, error))
            continue
        words = "; ".join([_came(kept.entry), *_news(kept), *kept.entry.notes])
        if hiding := placed(layer, stock.catalog, stock.data):
            words += f"; {hiding.path} is read instead as long as it is there"
        if refused:
            words += "; other sources failed: " + "; ".join(refused)
        told.ended(layer.id, words)
        return Outcome(layer.id, "fetched", words, kept)
    found = Outcome(layer.id, "failed", _no_source(layer, refused, stock))
    if not (client.stop.is_set() or client.reach.offline):
        told.ended(layer.id, f"failed: {refused[-1]}")
    return found


def _unkept(layer: Layer, error: Exception, stock: Stock, told: Listener) -> Outcome:
    root = stock.holdings.root
    words = f"{root}: {one_line(error)}; make room there, or name another folder with --cache"
    told.ended(layer.id, f"failed: {words}")
    return Outcome(layer.id, "failed", f"layer {layer.id} came and could not be kept: {words}")


def _kept(ask: Ask, stock: Stock, client: Client, told: Listener) -> Kept:
    with stock.holdings.scratch() as folder:
        got = service(ask.source.kind).fetched(
            ask, client, folder, lambda done, total: told(ask.layer.id, done, total)
        )
        if not got.count and (got.server_count == 0 or not ask.is_part):
            # A part may be empty; a whole layer never is, whatever has become of its condition.
            msg = (
                f"{got.url}: has no feature at all; see whether where and layer of the source are "
                "still right"
            )
            raise FetchError(msg)
        return stock.holdings.keep(ask.layer, ask, got)


def _there(
    layer: Layer, want: Wanted, order: Order, stock: Stock, *, refresh: bool
) -> Outcome | None:
    """What there is already; None if it is to be fetched."""
    by_name = refresh and layer.id in order.layers
    if not by_name and (found := placed(layer, stock.catalog, stock.data)):
        return Outcome(layer.id, "in place", f"in place at {found.path}")
    held = stock.holdings.find(layer, want.box_of(layer))
    if held is None or by_name:
        return None
    day = held.entry.retrieved[:10]
    if not is_stale(held.entry, layer):
        return Outcome(layer.id, "held", f"held since {day}")
    if refresh:
        return None
    words = (
        f"held, but stale: fetched {day}, {age_days(held.entry)} days ago, and stale after "
        f"{layer.stale_after_days}; --refresh fetches it again"
    )
    return Outcome(layer.id, "stale", words)


def age_days(entry: Entry) -> int:
    """Days since something was fetched."""
    return (datetime.now(UTC) - datetime.fromisoformat(entry.retrieved)).days


def is_stale(entry: Entry, layer: Layer) -> bool:
    """Whether something was fetched longer ago than the layer's own cadence allows."""
    return layer.stale_after_days is not None and age_days(entry) > layer.stale_after_days


def _by_hand(layer: Layer, stock: Stock, *, wrong: bool) -> Outcome:
    words = _instructions(layer) or f"put its file at {stock.data / layer.id}.<ending>"
    if not wrong:
        return Outcome(layer.id, "by hand", words)
    msg = f"layer {layer.id} cannot be fetched by a program: {words}"
    return Outcome(layer.id, "failed", msg)


def _instructions(layer: Layer) -> str:
    manual = (s for s in layer.sources if isinstance(s, ManualSource))
    return " ".join(one_line(s.instructions) for s in manual)


def _came(entry: Entry) -> str:
    unit = "cells" if entry.ending == ".tif" else "features"
    return f"{entry.count:,} {unit}, {megabytes(entry.size)} from {host(entry.url)}"


def host(url: str) -> str:
    """Who is asked."""
    return urlsplit(url).netloc or url


def megabytes(size: float) -> str:
    """A size in the unit that suits it.

    Examples
    --------
    >>> megabytes(12_345), megabytes(3_400_000), megabytes(2.5e9)
    ('0.01 MB', '3.4 MB', '2.5 GB')
    """
    if size >= 1e9:
        return f"{size / 1e9:,.1f} GB"
    return f"{size / 1e6:,.1f} MB" if size >= 1e5 else f"{size / 1e6:.2f} MB"


def _news(kept: Kept) -> list[str]:
    before, entry = kept.before, kept.entry
    if before is None:
        return []
    day = before.retrieved[:10]
    if not kept.changed:
        return [f"the same as on {day}"]
    parts = [f"{before.count:,} → {entry.count:,}"]
    if entry.edited and entry.edited != before.edited:
        parts.append(f"edited {before.edited or 'at a time unknown'} → {entry.edited}")
    parts.append(f"sha256 {before.sha256[:8]}… → {entry.sha256[:8]}…")
    return [f"changed since {day}: {', '.join(parts)}"]


def _said(ask: Ask, error: Exception) -> str:
    if isinstance(error, RefusedError):
        words = f"{error.url}: {error.words}"
        # An item may point to files elsewhere.
        return words if host(error.url) == host(ask.source.url) else f"{ask.source.url}: {words}"
    words = one_line(error)
    return words if ask.source.url in words else f"{ask.source.url}: {words}"


def _no_source(layer: Layer, refused: list[str], stock: Stock) -> str:
    count = "its one source" if len(refused) == 1 else f"any of its {len(refused)} sources"
    fix = _instructions(layer) or (
        f"ask again later, see how its sources are with geosite layers probe {layer.id}, or get "
        f"the file yourself and put it at {stock.data / layer.id}.<ending>"
    )
    lines = [f"layer {layer.id} could not be had from {count}:", *(f"  {r}" for r in refused)]
    return "\n".join([*lines, f"  what may help: {fix}"])


def _failed(outcomes: Iterable[Outcome]) -> str:
    lines = [line for o in outcomes for line in o.words.splitlines()]
    return faults("not every layer came; those that did are kept:", lines)


def _forecast(layer: Layer, want: Wanted, client: Client) -> Forecast:
    refused = []
    for ask in asks(layer, want):
        try:
            found = service(ask.source.kind).estimated(ask, client)
        except (RefusedError, GeositeError) as error:
            refused.append(_said(ask, error))
            continue
        return Forecast(layer.id, host(ask.source.url), found)
    return Forecast(layer.id, host(asks(layer, want)[0].source.url), None, "; ".join(refused))
