"""Deposits by status and by commodity, as layers of the tree."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geosite.map.entries import Entry, Layers, Legend, Tiles, ids_of
from geosite.map.land import drawable
from geosite.potential import potential_words
from geosite.report.text import LIMIT, number, plain, split_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import geopandas as gpd
    from numpy.typing import NDArray

    from geosite.report.content import Content

STATUS: dict[str, tuple[str, str, float]] = {
    "reserve": ("Reserve", "#5a00a5", 5.0),
    "resource": ("Resource", "#4b0fff", 4.5),
    "plan": ("Mine plan", "#c34bff", 4.5),
    "producer": ("Producer", "#000000", 4.5),
    "past_producer": ("Past producer", "#780f00", 4.0),
    "prospect": ("Prospect", "#ff3c0f", 3.5),
    "occurrence": ("Occurrence", "#1e96c3", 3.0),
    "permissive": ("Permissive ground", "#c3785a", 3.0),
    "plant": ("Plant", "#003c69", 4.0),
    "unknown": ("Status not known", "#876978", 2.5),
}
"""Class of evidence → (title, colour, radius [pixels]), strongest first; a plant is none.

Colours were searched for that stay apart from each other for the three kinds of colour
blindness, apart from those of ranks, and 3 : 1 from the ground; the size says the order again."""
COLOURS = tuple(colour for _, colour, _ in STATUS.values())
RINGS = ("#ffffff", "#000000", "#f0c000")
"""Edges of the dots of commodities, so that a colour that comes back is told apart."""
CROWD = 1500
"""More deposits than this wait to be switched on, the weakest evidence first."""
MOST = 100_000
"""Deposits that are drawn, those of the strongest evidence: a page can show and hold no more."""
COMMODITIES = 80
"""Commodities that get a line of their own, those of most deposits."""
_SAID = (
    "name", "commodities", "evidence_class", "deposit_type", "quality", "records", "layers",
    "proposed_potential", "proposed_certainty",
)  # fmt: skip
"""Columns that `_words` reads."""
_RADIUS = 3.5


def deposit_layers(content: Content) -> Layers:
    """Each deposit once by its status and once by each commodity, from the tiles ``deposits``.

    Notes
    -----
    Deposits that have a place are drawn, up to `MOST` of them. An attribute a commodity says
    whether a deposit has it, called by number: names of commodities are strangers' words.
    """
    frame = content.deposits
    if frame.empty:
        return Layers()
    if "quality" in frame:
        # The best is painted last.
        frame = frame.sort_values("quality", kind="stable", na_position="first", ascending=False)
    status = np.array([_status(v) for v in _column(frame, "evidence_class")], dtype=object)
    there = _strongest(status, drawable(frame))
    named = [_commodities(v) for v in _column(frame, "commodities")]
    often = Counter(c for names in named for c in names)
    order = sorted(often, key=lambda c: (-often[c], c))
    listed = order[:COMMODITIES]
    records = frame.loc[there, [c for c in _SAID if c in frame]].to_dict("records")
    shapes = np.asarray(frame.geometry.array, dtype=object)[there]
    columns: dict[str, Any] = {
        "status": status[there],
        "words": ["\n".join(_words(r)) for r in records],
    }
    has = {c: np.zeros(len(frame), bool) for c in listed}
    for k, names in enumerate(named):
        for c in names:
            if c in has:
                has[c][k] = True
    for n, commodity in enumerate(listed):
        # Tiles hold no attribute that is None.
        columns[f"c{n}"] = ["1" if known else None for known in has[commodity][there]]
    drawn = (
        frame.loc[there, [frame.geometry.name]]
        .set_geometry(shapely.point_on_surface(shapes), crs=frame.crs)
        .assign(**columns)
    )
    entries = (*_by_status(status, there), *_by_commodity(listed, has, there))
    notes: tuple[str, ...] = ()
    if left := len(frame) - int(there.sum()) if len(frame) > MOST else 0:
        drawn_of = f"the {MOST:,} of the strongest evidence are drawn"
        notes = (f"Deposits: {drawn_of}; {left:,} are in deposits.csv only",)
    if rest := len(order) - len(listed):
        notes += (f"Deposits: {rest:,} rare commodities have no layer of their own",)
    return Layers(entries, (Tiles("deposits", {"deposits": drawn}),), notes=notes)


def _column(frame: gpd.GeoDataFrame, name: str) -> Iterable[object]:
    found: Iterable[object] = frame[name] if name in frame else [None] * len(frame)
    return found


def _strongest(status: NDArray[np.object_], there: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Those with a place, or the `MOST` of the strongest evidence and best quality of them."""
    if len(status) <= MOST:
        return there
    known = {name: k for k, name in enumerate(STATUS)}
    weakness = np.array([known.get(s, len(known)) for s in status])
    # The best stand last.
    kept = np.lexsort((-np.arange(len(status)), weakness, ~there))[:MOST]
    found = np.zeros(len(status), bool)
    found[kept] = True
    return found & there


def _by_status(status: NDArray[np.object_], there: NDArray[np.bool_]) -> list[Entry]:
    known = [*STATUS]
    order = sorted({*status}, key=lambda s: (known.index(s) if s in known else len(known) - 1.5, s))
    ids = ids_of(order, "deposits")
    found, so_far = [], 0
    for name in order:
        title, colour, radius = STATUS.get(name, (name.replace("_", " "), COLOURS[-1], 3.0))
        mine = status == name
        so_far += int(mine.sum())
        found.append(
            Entry(
                id=ids[name], title=title, group=("Mineral deposits", "By status"), kind="tiles",
                source="deposits", layer="deposits", match=("status", (name,)),
                style=_dot(colour, RINGS[0], radius), count=int(mine.sum()),
                left_out=int((mine & ~there).sum()), shown=so_far <= CROWD,
                legend=Legend("classes", (("dot", colour, title),)),
            )
        )  # fmt: skip
    return found


def _by_commodity(
    names: list[str], has: Mapping[str, NDArray[np.bool_]], there: NDArray[np.bool_]
) -> list[Entry]:
    ids = ids_of(names, "commodity")
    found = []
    for n, name in enumerate(names):
        colour = COLOURS[n % len(COLOURS)]
        ring = RINGS[n // len(COLOURS) % len(RINGS)]
        title = name[:1].upper() + name[1:]
        found.append(
            Entry(
                id=ids[name], title=title, group=("Mineral deposits", "By commodity"),
                kind="tiles", source="deposits", layer="deposits", match=(f"c{n}", ("1",)),
                style=_dot(colour, ring, _RADIUS), count=int(has[name].sum()),
                left_out=int((has[name] & ~there).sum()),
                legend=Legend("classes", (("dot", colour, title),)),
            )
        )  # fmt: skip
    return found


def _dot(colour: str, ring: str, radius: float) -> dict[str, Any]:
    return {"fill": colour, "stroke": ring, "width": 1.0, "radius": radius, "opacity": 0.9}


def _status(value: object) -> str:
    return plain(value, 60) or "unknown"


def _commodities(value: object) -> list[str]:
    return [c for c in dict.fromkeys(plain(c, 80) for c in split_names(value)) if c]


def _words(deposit: Mapping[Any, Any]) -> list[str]:
    quality = plain(deposit.get("quality"), LIMIT)
    lines = [
        plain(deposit.get("name"), LIMIT) or "unnamed deposit",
        plain(deposit.get("commodities"), LIMIT),
        plain(deposit.get("evidence_class"), LIMIT).replace("_", " "),
        plain(deposit.get("deposit_type"), LIMIT),
        f"record quality {quality}" if quality else "",
        _of_records(deposit),
        potential_words(deposit),
    ]
    return [line for line in lines if line]


def _of_records(deposit: Mapping[Any, Any]) -> str:
    """From how many records of which layers a deposit was merged, in words."""
    records, layers = number(deposit.get("records")), plain(deposit.get("layers"), LIMIT)
    if not records:
        return ""
    of = f" of {layers}" if layers else ""
    return f"{records:,.0f} record{'' if records == 1 else 's'}{of}"
