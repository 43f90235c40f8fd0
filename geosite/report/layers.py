"""Layers as tables of text: what is held, what fetching would bring, how the sources are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from geosite.fetching import age_days, host, is_stale, megabytes
from geosite.model.lock import words_of
from geosite.sources import placed
from geosite.sources.holdings import asked_of

if TYPE_CHECKING:
    from pathlib import Path

    from geosite.fetching import Forecast, Report
    from geosite.model.layer import Layer
    from geosite.model.lock import Entry
    from geosite.sources.probe import Probed
    from geosite.wants import Stock

_SHELF = ("layer", "held", "status", "amount", "size", "retrieved", "age", "area", "title")
_FORECAST = ("layer", "host", "features", "size", "")
_PROBE = ("layer", "source", "host", "features", "health", "")


def shelf_text(stock: Stock, *, missing: bool = False) -> str:
    """What `geosite layers` prints: every layer of the catalogue, and what is held of it.

    Parameters
    ----------
    missing : bool
        Only layers of which nothing is to be had without a network.
    """
    entries: dict[str, list[Entry]] = {}
    for entry in stock.holdings.entries():
        entries.setdefault(entry.layer, []).append(entry)
    rows = [
        row
        for layer in stock.catalog.values()
        for row in _shelf_rows(layer, entries.get(layer.id, []), stock)
        if not missing or row[1] == "no"
    ]
    absent = sum(row[1] == "no" for row in rows)
    held = len({row[0] for row in rows if row[1] not in ("no", "by hand", "union")})
    counted = f"layers there: {held}, absent: {absent}; fetched are in {stock.holdings.root}"
    # A column in which nothing stands takes room from the titles.
    used = [k for k in range(len(_SHELF)) if any(row[k] for row in rows)]
    table = columns([_SHELF[k] for k in used], [[row[k] for k in used] for row in rows])
    return f"{table}\n\n{counted}"


def _shelf_rows(layer: Layer, entries: Sequence[Entry], stock: Stock) -> list[tuple[str, ...]]:
    if layer.union_of:
        return [(layer.id, "union", layer.status, *[""] * 5, layer.title)]
    rows: list[tuple[str, ...]] = []
    if found := placed(layer, stock.catalog, stock.data):
        size = megabytes(found.path.stat().st_size) if found.path.is_file() else ""
        rows.append((layer.id, "in place", layer.status, "", size, "", "", found.name, layer.title))
    asked = asked_of(layer)
    for entry in entries:
        state = "outdated" if entry.asked != asked else "stale" if is_stale(entry, layer) else "yes"
        words = (layer.status, f"{entry.count:,}", megabytes(entry.size))
        when = (entry.retrieved[:10], f"{age_days(entry)} d", words_of(entry.box))
        rows.append((layer.id, state, *words, *when, layer.title))
    return rows or [(layer.id, "no", layer.status, *[""] * 5, layer.title)]


def forecast_text(forecasts: Sequence[Forecast], root: Path, free: int) -> str:
    """What `geosite fetch --dry-run` prints.

    Parameters
    ----------
    root : Path
        Where layers would be kept.
    free : int
        Space there [bytes].
    """
    rows, total, unsized = [], 0, 0
    for f in forecasts:
        if f.estimate is None:
            rows.append((f.layer, f.host, "", "", "cannot be asked"))
            continue
        size, count = f.estimate.size, f.estimate.count
        total, unsized = total + (size or 0), unsized + (size is None)
        origin = "" if size is None else "from a sample" if f.estimate.measured else "as stated"
        amount = "?" if count is None else f"{count:,}"
        rows.append((f.layer, f.host, amount, "?" if size is None else megabytes(size), origin))
    more = f", and {unsized} of unknown size" if unsized else ""
    end = (
        f"layers to fetch: {len(rows)}, about {megabytes(total)}{more}; {megabytes(free)} are free"
    )
    table = [columns(_FORECAST, rows), ""] if rows else []
    return "\n".join([*table, f"{end} in {root}; nothing was fetched"])


def report_text(report: Report, root: Path) -> str:
    """What `geosite fetch` prints at the end: how much came, what changed, what is left to do."""
    fetched = report.of("fetched")
    size = sum(o.kept.entry.size for o in fetched if o.kept)
    counts = [f"layers fetched: {len(fetched)} ({megabytes(size)})"]
    for state, words in (
        ("held", "held already"),
        ("stale", "held but stale"),
        ("in place", "in place below the data root"),
        ("by hand", "to be got by hand"),
    ):
        if found := report.of(state):
            counts.append(f"{len(found)} {words}")
    near = "" if report.box is None else f" near {words_of(report.box)}"
    lines = [f"{', '.join(counts)}{near}; kept in {root}"]
    changed = tuple(o for o in fetched if o.kept and o.kept.changed)
    for title, found in (
        ("changed", changed), ("stale", report.of("stale")), ("by hand", report.of("by hand")),
    ):  # fmt: skip
        if found:
            lines += ["", title, *(f"  {o.layer}: {o.words}" for o in found)]
    return "\n".join(lines)


def probe_text(found: Sequence[Probed]) -> str:
    """What `geosite layers probe` prints: how every source is."""
    rows = [
        (
            p.layer, f"{p.kind}, {p.role}", host(p.url),
            "" if p.count is None else f"{p.count:,}", p.health, p.words,
        )
        for p in found
    ]  # fmt: skip
    ill = sum(not p.well for p in found)
    manual = sum(p.health == "manual" for p in found)
    end = f"{len(found)} sources: {len(found) - ill - manual} ok, {manual} manual, {ill} to look at"
    return "\n".join([columns(_PROBE, rows), "", end])


def columns(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Rows of text under a header, each column as wide as its widest cell but the last.

    Examples
    --------
    >>> print(columns(("layer", "size", ""), [("land/blm", "3.4 MB", "as stated")]))
    layer     size
    land/blm  3.4 MB  as stated
    """
    table = [tuple(header), *(tuple(row) for row in rows)]
    widths = [max(len(row[k]) for row in table) for k in range(len(header) - 1)]
    return "\n".join(
        "  ".join([*(c.ljust(w) for c, w in zip(row, widths, strict=False)), row[-1]]).rstrip()
        for row in table
    )
