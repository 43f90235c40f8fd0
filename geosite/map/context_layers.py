"""The quiet base and the infrastructure, from what the run kept of what lies around its AOI."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from geosite.map.entries import Entry, Layers, Legend, Tiles
from geosite.report.text import LIMIT, number, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd
    from numpy.typing import NDArray

    from geosite.report.content import Content, ContextLabel

BASE = ("Base",)
BUILT = ("Infrastructure",)
GREY, PALE_GREY, INK = "#8f8a84", "#b9b4ad", "#4a4642"
NAMES = "#5f5a54"
"""Of names without a dot: quieter than those of towns, and dark enough to be read."""
WATER, WATER_FILL = "#8db4cc", "#d5e5ee"
CITY, TOWN = 50_000, 5_000
"""People from which on a place is drawn as a city, and as a town."""
_BASE: tuple[tuple[str, str, dict[str, Any], str], ...] = (
    ("lakes", "Lakes", {"fill": WATER_FILL, "stroke": WATER, "width": 0.5, "opacity": 1.0}, "fill"),
    ("rivers", "Rivers", {"stroke": WATER, "width": 1.0, "opacity": 1.0, "from_zoom": 6}, "line"),
    ("counties", "Counties",
     {"stroke": PALE_GREY, "width": 0.8, "dash": "3 3", "opacity": 1.0, "from_zoom": 6}, "line"),
    ("states", "States", {"stroke": GREY, "width": 1.6, "opacity": 1.0}, "line"),
    ("rail", "Railways",
     {"stroke": "#6f6a66", "width": 1.0, "dash": "6 3", "opacity": 1.0, "from_zoom": 6}, "line"),
    ("roads", "Main roads", {"stroke": "#c2a878", "width": 1.6, "opacity": 1.0}, "line"),
)  # fmt: skip
"""Lines and areas of the base from the bottom up: name, title, style, sign of the legend."""
_NAMED = (
    ("states", "Names of states", {"fill": NAMES, "radius": 0, "label": "name"}),
    ("counties", "Names of counties",
     {"fill": NAMES, "radius": 0, "label": "name", "from_zoom": 8}),
)  # fmt: skip
_PLACES = (
    ("city", f"Cities of {CITY:,} people and more", 2.8, 4),
    ("town", f"Towns of {TOWN:,} people and more", 2.2, 7),
    ("place", "Smaller places", 1.6, 9),
)
_COLOURS = ("#7a3b8f", "#a3491f", "#1f6f8b", "#8a6d00", "#3d6b35", "#9c2f4f", "#44518f", "#5e5e5e")
"""Of infrastructure, by turns in the order of the catalogue; each 4.5 to 1 on white."""
_FINEST = ((100_000.0, 11), (400_000.0, 10), (np.inf, 9))
"""Up to which side of the AOI [m] tiles are drawn to which zoom."""
_SIZE, _NAME = "size", "name"


def context_layers(content: Content) -> Layers:
    """What the run kept: the base, shown at first, and the infrastructure, which is not."""
    frames, labels = content.context, content.context_labels
    base, base_entries = _base(frames, labels)
    built, built_entries = _built(frames, labels)
    found = (("base", base), ("infrastructure", built))
    tiles = [Tiles(n, f, finest=_finest(content)) for n, f in found if f]
    return Layers((*base_entries, *built_entries), tuple(tiles), notes=content.context_notes)


def _finest(content: Content) -> int:
    """Zoom beyond which nothing more is to be seen: what was kept is as coarse."""
    rows, columns = content.status.shape
    side = max(rows * abs(content.transform.e), columns * abs(content.transform.a))
    return next(zoom for most, zoom in _FINEST if side <= most)


def _base(
    frames: Mapping[str, gpd.GeoDataFrame], labels: Mapping[str, ContextLabel]
) -> tuple[dict[str, gpd.GeoDataFrame], list[Entry]]:
    layers: dict[str, gpd.GeoDataFrame] = {}
    entries = []
    for name, title, style, sign in _BASE:
        if name not in frames or name not in labels:
            continue
        layers[name] = _pointed_at(frames[name], labels[name])
        colour = style.get("stroke", "")
        entries.append(_entry(name, title, style, sign, colour, labels[name], len(layers[name])))
    for name, title, style in _NAMED:
        key = f"{name}_named"
        if key not in frames or name not in labels:
            continue
        layers[key] = _slim(frames[key], {_NAME: _names(frames[key])})
        words = _cited(labels[name])
        entries.append(
            Entry(f"base-{key}", title, BASE, "tiles", "base", key, style=style, shown=True,
                  count=len(layers[key]), words=words)
        )  # fmt: skip
    if "towns" in frames and "towns" in labels:
        layers["towns"], found = _towns(frames["towns"], labels["towns"])
        entries += found
    return layers, entries


def _towns(frame: gpd.GeoDataFrame, label: ContextLabel) -> tuple[gpd.GeoDataFrame, list[Entry]]:
    people = frame["population"].map(number).to_numpy(float) if "population" in frame else None
    sizes = np.full(len(frame), "place", object)
    if people is not None:
        sizes[people >= TOWN] = "town"
        sizes[people >= CITY] = "city"
    said = _words(frame, label)
    shown = _slim(frame, {_NAME: _names(frame), _SIZE: sizes, "words": said})
    entries = []
    for size, title, radius, from_zoom in _PLACES:
        count = int((sizes == size).sum())
        # Where no place tells its people, all are simply places.
        words = title if people is not None else "Places"
        style = {"fill": INK, "stroke": "#ffffff", "width": 1, "radius": radius, "opacity": 1.0,
                 "label": _NAME, "from_zoom": from_zoom}  # fmt: skip
        if count:
            entries.append(
                Entry(f"base-{size}", words, BASE, "tiles", "base", "towns", (_SIZE, (size,)),
                      style, count, shown=True, words=_cited(label),
                      legend=Legend("classes", (("dot", INK, words),)))
            )  # fmt: skip
    return shown, entries


def _entry(
    name: str, title: str, style: Mapping[str, Any], sign: str, colour: str,
    label: ContextLabel, count: int,
) -> Entry:  # fmt: skip
    legend = Legend("classes", ((sign, style.get("fill", colour), title),))
    return Entry(
        f"base-{name}", title, BASE, "tiles", "base", name, style=style, count=count,
        shown=True, legend=legend, words=_cited(label),
    )  # fmt: skip


def _built(
    frames: Mapping[str, gpd.GeoDataFrame], labels: Mapping[str, ContextLabel]
) -> tuple[dict[str, gpd.GeoDataFrame], list[Entry]]:
    layers, entries = {}, []
    names = [n for n in labels if n in frames and n not in _OF_BASE]
    for k, name in enumerate(names):
        frame, label = frames[name], labels[name]
        colour = _COLOURS[k % len(_COLOURS)]
        is_point = bool((frame.geom_type == "Point").all())
        style: dict[str, Any] = {"opacity": 0.9}
        if is_point:
            style |= {"fill": colour, "stroke": "#ffffff", "width": 1, "radius": 3}
        else:
            style |= {"stroke": colour, "width": 1.4}
        title = plain(label.layer.title, LIMIT)
        layers[name] = _pointed_at(frame, label)
        entries.append(
            Entry(f"built-{name}", title, BUILT, "tiles", "infrastructure", name, style=style,
                  count=len(frame), words=_cited(label),
                  legend=Legend("classes", (("dot" if is_point else "line", colour, title),)))
        )  # fmt: skip
    return layers, entries


_OF_BASE = frozenset((*(name for name, *_ in _BASE), "towns"))


def _cited(label: ContextLabel) -> tuple[str, ...]:
    layer = label.layer
    vintage = plain(layer.vintage, 80)
    lines = (plain(layer.citation, LIMIT), f"vintage {vintage}" if vintage else "",
             plain(layer.licence, 120), plain(layer.problems, LIMIT))  # fmt: skip
    return tuple(line for line in lines if line)


def _pointed_at(frame: gpd.GeoDataFrame, label: ContextLabel) -> gpd.GeoDataFrame:
    """Only what is shown on pointing at a feature; nothing, where nothing is known of any."""
    said = _words(frame, label)
    return _slim(frame, {"words": said} if any(said) else {})


def _words(frame: gpd.GeoDataFrame, label: ContextLabel) -> NDArray[Any]:
    """Name, then each field with its unit, in lines; empty where nothing is known."""
    fields = [c for c in frame if c not in (_NAME, frame.geometry.name)]
    kind = plain(label.layer.title, 120)
    columns = [frame[c].tolist() for c in fields]
    names = _names(frame)
    said = []
    for i in range(len(frame)):
        lines = [
            _value(c, v[i], label.units.get(c, "")) for c, v in zip(fields, columns, strict=True)
        ]
        found = [t for t in lines if t]
        # What has a name says of itself what it is; what has none is called after its layer.
        named = names[i] or (kind if found else "")
        said.append("\n".join(t for t in (named, *found) if t))
    return np.array(said, object)


def _value(field: str, value: Any, unit: str) -> str:
    amount = number(value)
    if amount is not None:
        return f"{amount:,.10g} {unit}" if unit else f"{field.replace('_', ' ')}: {amount:,.10g}"
    text = plain(value, 120)
    return f"{field.replace('_', ' ')}: {text}" if text else ""


def _names(frame: gpd.GeoDataFrame) -> NDArray[Any]:
    values = frame[_NAME].tolist() if _NAME in frame else [""] * len(frame)
    return np.array([plain(v, 120) for v in values], object)


def _slim(frame: gpd.GeoDataFrame, columns: Mapping[str, Any]) -> gpd.GeoDataFrame:
    found = frame[[frame.geometry.name]]
    return found.assign(**columns)
