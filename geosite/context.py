"""What a run keeps for its map: borders, towns, roads, rail, water, and what people have built.

None of it is part of the answer: it is read from the same catalogue and the same folder of data
as the run, cut to the area of interest and a margin, and made as light as a screen needs it.
What cannot be read is said and left out; a map with less on it is no reason to lose a run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely

from geosite.aoi import STATES
from geosite.errors import GeositeError
from geosite.generalisation import borders, generalised, named_points
from geosite.library import Library
from geosite.needs import WATER
from geosite.sources import missing_reason

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from geosite.grid import Bounds
    from geosite.model.layer import Layer
    from geosite.planning import Plan

FILE = "context.gpkg"
"""Where a run keeps it."""
MARGIN = 0.15
"""How far beyond the AOI it reaches, as a share of the AOI's longer side."""
NEAREST, FARTHEST = 20_000.0, 150_000.0
"""Least and most of that margin [m]."""
ASPECT = 1.5
"""How much wider than high the view is, which the base fills as far as `BESIDE`."""
BESIDE = 300_000.0
"""How far beyond the margin the base may reach to fill a screen [m]."""
FINEST, COARSEST = 20.0, 100.0
"""Least and most that lines are simplified by at first [m]; 100 m is a pixel at zoom 10."""
SEEN = 10_000
"""Steps that an extent may be told apart by on a screen that is zoomed in on."""
_ROADS = ("infrastructure/highways", "infrastructure/roads", "infrastructure/freeways")
_BASE: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("states", (STATES,)),
    ("counties", ("aoi/counties",)),
    ("towns", ("infrastructure/towns",)),
    ("roads", _ROADS),
    ("rail", ("infrastructure/rail",)),
    ("rivers", ("hydrography/rivers",)),
    ("lakes", (WATER,)),
)
"""Parts of the base, and the layers that each is read from: the first that is to be had."""
BASE = tuple(name for name, _ in _BASE)
_BORDERS = ("states", "counties")
_BUILT = "infrastructure/"
_SIZES = ("population", "mw", "kv", "capacity_mgd")
"""Fields that say which of two points is the larger."""
_NO_WORDS = frozenset(
    ("code", "country", "fips", "geoid", "length_km", "name", "network", "order", "rank", "state")
)
"""Fields that mean nothing to who points at a feature, or are said otherwise."""
_MOST_FIELDS = 5
_STREAMS = ((100_000.0, 3), (300_000.0, 4), (1_000_000.0, 5), (np.inf, 6))
"""Up to which side of the AOI [m] streams from which Strahler order on are kept."""


@dataclass(frozen=True, slots=True)
class Context:
    """Features around the AOI in the grid's CRS, by name, and what is said of them.

    Attributes
    ----------
    frames : mapping of name to GeoDataFrame
        ``name`` and up to five fields of the catalogue. Borders are lines, drawn once where two
        areas share one; ``states_named`` and ``counties_named`` are points inside them.
    layers
        What each name was read from, as ``run.json`` says it.
    notes
        What could not be read, and what was left out, in words.
    """

    frames: Mapping[str, gpd.GeoDataFrame]
    layers: tuple[Mapping[str, Any], ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def said(self) -> dict[str, Any]:
        """The entry ``context`` of ``run.json``."""
        return {"layers": [dict(x) for x in self.layers], "notes": list(self.notes)}


def saved_context(plan: Plan, folder: Path) -> dict[str, Any]:
    """Write the context of a plan into a run's folder; gives what ``run.json`` says of it."""
    found = context(plan)
    cited = {x["name"]: x["citation"] for x in found.layers}
    for name, frame in found.frames.items():
        source = cited[name.removesuffix("_named")]
        pyogrio.write_dataframe(
            frame, folder / FILE, layer=name, driver="GPKG", geometry_type="Unknown",
            layer_metadata={"citation": source},
        )  # fmt: skip
    return found.said


def context(plan: Plan) -> Context:
    """Borders, towns, roads, rail, water and infrastructure in and around the AOI of a plan."""
    library = Library(plan)
    near, wide, extent = _around(plan)
    tolerance = float(np.clip(extent / SEEN, FINEST, COARSEST))
    frames: dict[str, gpd.GeoDataFrame] = {}
    layers: list[Mapping[str, Any]] = []
    notes: list[str] = []
    for name, id_ in chain(_base(plan), _infrastructure(plan)):
        box = wide if name in BASE else near
        try:
            frame = library.around(id_, None, box)
        except (GeositeError, shapely.errors.ShapelyError) as error:
            notes.append(f"the map's base lacks {id_}: {' '.join(str(error).split())}")
            continue
        layer = plan.catalog[id_]
        slim = _fields(_main(frame, extent), layer)
        if name in _BORDERS:
            found = {name: borders(slim, box, tolerance), f"{name}_named": named_points(slim, box)}
        else:
            light, left_out = generalised(slim, box, tolerance, largest_by=_SIZES)
            found = {name: light}
            if left_out:
                notes.append(f"the map leaves out {left_out:,} smaller features of {id_}")
        found = {n: f for n, f in found.items() if len(f)}
        if not found:
            continue
        frames |= found
        read = library.read[id_]
        layers.append(_said(name, layer, len(found.get(name, ())), read.files))
    return Context(frames, tuple(layers), tuple(notes))


def _around(plan: Plan) -> tuple[Bounds, Bounds, float]:
    """The AOI with its margin, what a screen shows around it, and the AOI's longer side [m]."""
    left, bottom, right, top = plan.aoi.bounds
    extent = max(right - left, top - bottom)
    margin = float(np.clip(MARGIN * extent, NEAREST, FARTHEST))
    near = (left - margin, bottom - margin, right + margin, top + margin)
    # The view of a tall area is wider than the area, and that of a wide one higher.
    half_x, half_y = (right - left) / 2 + margin, (top - bottom) / 2 + margin
    high = max(half_y, half_x / ASPECT)
    across = min(margin + max(ASPECT * high - half_x, 0.0), margin + BESIDE)
    down = min(margin + high - half_y, margin + BESIDE)
    return near, (left - across, bottom - down, right + across, top + down), extent


# ── which layers ──────────────────────────────────────────────────────────────────────────────
def _is_there(id_: str, plan: Plan) -> bool:
    layer = plan.catalog.get(id_)
    if layer is None or layer.geometry == "raster":
        return False
    return missing_reason(layer, plan.catalog, plan.data) is None


def _base(plan: Plan) -> Iterator[tuple[str, str]]:
    land = plan.scenario.land
    own = {"counties": land.counties, "towns": land.places}
    for name, usual in _BASE:
        wanted = [i for i in (own.get(name), *usual) if i]
        if found := next((i for i in wanted if _is_there(i, plan)), None):
            yield name, found


def _infrastructure(plan: Plan) -> Iterator[tuple[str, str]]:
    """What people have built and is no part of the base; and what a criterion measures to."""
    catalog, scenario = plan.catalog, plan.scenario
    base = {id_ for _, id_ in _base(plan)} | {id_ for _, usual in _BASE for id_ in usual}
    records = set(scenario.evidence.layers) if scenario.evidence else set()
    read = {c.reading.layer for c in plan.criteria if c.reading and c.reading.layer}
    # Mills and mine plants stand among the minerals of the catalogue.
    wanted = {i for i in catalog if i.startswith(_BUILT)}
    wanted |= {i for i in read if i.startswith("minerals/") and i not in records}
    wanted = {i for i in wanted - base if catalog[i].geometry in ("line", "point")}
    there = {i for i in wanted if _is_there(i, plan)}
    whole = (there | base) & {*catalog}
    parts = {p for i in whole for p in catalog[i].union_of if _is_there(i, plan)}
    taken: set[str] = {*BASE}
    for id_ in sorted(there - parts):
        name = id_.rpartition("/")[2]
        name = name if name not in taken else id_.replace("/", "-")
        taken.add(name)
        yield name, id_


def _said(name: str, layer: Layer, features: int, files: Any) -> dict[str, Any]:
    kept = {"id", "title", "agency", "vintage", "licence", "citation", "status", "problems"}
    units = {n: f.unit for n, f in layer.fields.items() if f.unit}
    records = [{k: v for k, v in asdict(f).items() if v is not None} for f in files]
    said = layer.model_dump(mode="json", include=kept)
    return {"name": name, **said, "features": features, "units": units, "files": records}


# ── what is kept of them ───────────────────────────────────────────────────────────────────────
def _main(frame: gpd.GeoDataFrame, extent: float) -> gpd.GeoDataFrame:
    """Streams that are seen on a map of such an extent [m]; of other layers all features."""
    if "order" not in frame:
        return frame
    least = next(order for side, order in _STREAMS if extent <= side)
    # A stream of no known order may be a large one.
    return frame[~(frame["order"] < least)]


def _fields(frame: gpd.GeoDataFrame, layer: Layer) -> gpd.GeoDataFrame:
    """Name and a few fields, as text or numbers; nothing else of the source."""
    shown = [c for c in layer.fields if c in frame and c not in _NO_WORDS][:_MOST_FIELDS]
    names = frame["name"] if "name" in frame else pd.Series("", frame.index, dtype=object)
    columns: dict[str, Any] = {"name": _text(names)}
    for c in shown:
        is_number = pd.api.types.is_numeric_dtype(frame[c].dtype)
        columns[c] = frame[c].astype(float).to_numpy() if is_number else _text(frame[c])
    return gpd.GeoDataFrame(columns, geometry=frame.geometry.to_numpy(), crs=frame.crs)


def _text(values: pd.Series[Any]) -> NDArray[Any]:
    found: NDArray[Any] = values.astype(object).where(values.notna(), "").astype(str).to_numpy()
    return found
