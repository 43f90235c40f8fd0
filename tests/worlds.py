"""Worlds on disk for tests of the whole flow: a hamlet made by hand, and the demo's basin.

The hamlet is 12 km square: two tracts of BLM land side by side, an installation, a reservation,
a railway and three mineral records. A run of it takes half a second.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import rasterio
import shapely
import yaml
from click.testing import CliRunner
from pyproj import CRS

from geosite import catalog
from geosite.cli import main
from geosite.crs import WGS84, transformed
from geosite.demo import AOI, World
from geosite.pipeline import plan

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result

    from geosite.planning import Plan

ALBERS = CRS.from_epsg(5070)
WEST, SOUTH, SIDE = -1_800_000.0, 1_900_000.0, 12_000.0
"""Corner and side of the hamlet [m]; it lies in Nevada."""
DEMO = {"cells": 40_000, "seed": 3}


@dataclass(frozen=True, slots=True)
class Hamlet:
    """A catalogue, its data, a scenario, and a place for outputs."""

    root: Path

    @property
    def layers(self) -> Path:
        return self.root / "layers"

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def outputs(self) -> Path:
        return self.root / "outputs"

    @property
    def scenario(self) -> Path:
        return self.root / "scenario.yaml"

    def ask(self, **changes: Any) -> None:
        """Write the scenario with some keys changed; None leaves a key out."""
        write_yaml(self.scenario, edited(SCENARIO, changes))

    def declare(self, layer: str, **changes: Any) -> None:
        """Write the entry of a layer with some keys changed; None leaves a key out."""
        write_yaml(self.layers / f"{layer}.yaml", edited(entry(layer), changes))

    def plan(self, **more: Any) -> Plan:
        return plan(
            catalog.open_scenario(str(self.scenario)),
            catalog.open_catalog(self.layers),
            more.pop("rulebook", None) or catalog.open_rulebook(),
            self.data,
            **more,
        )

    def cli(self, verb: str, *more: str) -> Result:
        """A verb on the scenario: check, plan or run."""
        return cli(verb, *self.words(verb), *more)

    def words(self, verb: str) -> list[str]:
        words = [str(self.scenario), "--layers", str(self.layers)]
        words += ["--data", str(self.data)] if verb != "check" else []
        return words + (["--outputs", str(self.outputs)] if verb == "run" else [])


def cli(*words: object) -> Result:
    """What a command line gives; an error that is not ours is raised, as a traceback would be."""
    result = CliRunner().invoke(main, [str(w) for w in words])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def edited(values: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in {**values, **changes}.items() if v is not None}


def write_yaml(path: Path, values: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")


def lonlat(x: float, y: float) -> tuple[float, float]:
    """Degrees of a place in the hamlet [m from its corner]."""
    lon, lat = transformed(np.array([WEST + x]), np.array([SOUTH + y]), ALBERS, WGS84)
    return round(float(lon[0]), 6), round(float(lat[0]), 6)


def box(x0: float, y0: float, x1: float, y1: float) -> shapely.Polygon:
    """A rectangle in the hamlet [m from its corner]."""
    return shapely.box(WEST + x0, SOUTH + y0, WEST + x1, SOUTH + y1)


RECORDS = ((3100, 3100, "Copper Hill"), (3900, 8100, "Iron Cap"), (8600, 6200, "Far Pit"))
SCENARIO: dict[str, Any] = {
    "name": "hamlet",
    "title": "A mine in the hamlet",
    "project": "mine",
    "aoi": "Toyland",
    "grid": {"crs": "EPSG:5070", "resolution": "200 m"},
    "commodities": "eo14241",
    "land": {
        "layers": ["land/tribal", "land/dod", "land/blm"],
        "offered": ["BLM"],
        "places": "infrastructure/towns",
        "sliver": "1 ha",
    },
    "rules": ["sovereign-land", "military-land"],
    "evidence": {
        "layers": ["minerals/usmin"],
        "reach": "2 km",
        "kernel": "5 km",
        "class_weights": {
            "resource": "1",
            "prospect": "0.5",
            "reserve": "0",
            "plan": "0",
            "producer": "0",
            "past_producer": "0",
            "occurrence": "0",
            "unknown": "0",
        },
        "quality_weights": {"A": "1", "B": "0.5", "C": "0.5", "D": "0", "E": "0"},
        "basis": "made up for the tests",
    },
    "combination": {"kind": "evidence_gated"},
    "missing": "unknown",
    "sites": {"unit": "deposit", "min_area": "10 ha"},
    "tiers": {"a": "0.6", "b": "0.3"},
    "as_of": "2026-01-02",
    "criteria": [
        {
            "id": "evidence",
            "title": "Evidence",
            "measure": {"kind": "evidence"},
            "value": {"kind": "increasing", "best": "1", "worst": "0"},
            "weight": "3",
            "basis": "made up",
        },
        {
            "id": "rail",
            "title": "Distance to rail",
            "layer": "infrastructure/rail",
            "measure": {"kind": "distance"},
            "value": {"kind": "decreasing", "best": "1 km", "worst": "9 km"},
            "weight": "2",
            "basis": "made up",
        },
        {
            "id": "labour",
            "title": "People",
            "layer": "infrastructure/towns",
            "measure": {"kind": "sum_within", "field": "population", "radius": "8 km"},
            "value": {"kind": "increasing", "best": "900 persons", "worst": "0 persons"},
            "weight": "1",
            "basis": "made up",
        },
        {
            "id": "slope",
            "title": "Slope",
            "layer": "terrain/elevation",
            "measure": {"kind": "slope"},
            "value": {"kind": "decreasing", "best": "2 %", "worst": "20 %"},
            "weight": "1",
            "basis": "made up",
        },
    ],
}
_FILES: dict[str, tuple[str, str, str, dict[str, Any]]] = {
    "aoi/states": ("states.gpkg", "polygon", "EPSG:5070", {"fields": {"name": {}, "code": {}}}),
    "land/blm": ("blm.gpkg", "polygon", "EPSG:5070", {"owner": "BLM", "fields": {"name": {}}}),
    "land/dod": ("dod.gpkg", "polygon", "EPSG:5070", {"owner": "DOD", "fields": {"name": {}}}),
    "land/tribal": (
        "tribal.geojson",
        "polygon",
        "EPSG:4326",
        {"owner": "TRIBAL", "fields": {"name": {}}},
    ),
    **{
        # The rules about sovereign land ask for them, too; their land lies far from the hamlet.
        f"land/{i}": ("nations.gpkg", "polygon", "EPSG:5070", {"fields": {"name": {}}})
        for i in ("ceded_lands", "reservations", "trust_lands")
    },
    "infrastructure/rail": ("rail.fgb", "line", "EPSG:5070", {"fields": {"name": {}}}),
    "infrastructure/towns": (
        "towns.csv",
        "point",
        "EPSG:4326",
        {"fields": {"name": {}, "population": {"type": "integer"}}},
    ),
    "minerals/usmin": (
        "usmin.csv",
        "point",
        "EPSG:4326",
        {
            "fields": {
                "name": {},
                "record_id": {},
                "commodities": {},
                "evidence_class": {},
                "quality": {},
            },
            "absence": "not_informative",
        },
    ),
    "terrain/elevation": ("dem.tif", "raster", "EPSG:5070", {"unit": "m"}),
}


def entry(layer: str) -> dict[str, Any]:
    """Catalogue entry of a layer of the hamlet."""
    file, geometry, crs, more = _FILES[layer]
    source: dict[str, Any] = {"kind": "file", "path": file}
    if file.endswith(".csv"):
        source["xy"] = ["lon", "lat"]
    return {
        "title": layer,
        "agency": "nobody",
        "purpose": "tests",
        "geometry": geometry,
        "crs": crs,
        "sources": [source],
        "absence": "informative",
        "vintage": "2026",
        "status": "synthetic",
        "licence": "CC0-1.0",
        "citation": "made up for the tests",
        **more,
    }


def make_hamlet(root: Path) -> Hamlet:
    """The hamlet on disk, with its catalogue and scenario."""
    hamlet = Hamlet(root)
    hamlet.data.mkdir(parents=True)
    for layer in _FILES:
        hamlet.declare(layer)
    hamlet.ask()
    _polygons(hamlet, "states.gpkg", {"Toyland": box(0, 0, SIDE, SIDE)}, code="TL")
    _polygons(
        hamlet,
        "blm.gpkg",
        {"West Tract": box(600, 600, 6000, 11_400), "East Tract": box(6000, 600, 11_000, 9000)},
    )
    _polygons(hamlet, "dod.gpkg", {"Fort Toy": box(9000, 9200, 11_400, 11_400)})
    _polygons(hamlet, "nations.gpkg", {"Far Nation": box(400_000, 0, 401_000, 1000)})
    corners = [lonlat(*at) for at in ((600, 600), (2000, 600), (2000, 2200), (600, 2200))]
    tribal = gpd.GeoDataFrame(
        {"name": ["Toy Reservation"]}, geometry=[shapely.Polygon(corners)], crs=WGS84
    )
    tribal.to_file(hamlet.data / "tribal.geojson")
    rail = shapely.LineString([(WEST, SOUTH + 200), (WEST + SIDE, SOUTH + 5000)])
    lines = gpd.GeoDataFrame({"name": ["Toy Railway"]}, geometry=[rail], crs=ALBERS)
    lines.to_file(hamlet.data / "rail.fgb")
    write_towns(hamlet, [(5000, 5000, "Middletown", 700), (11_000, 300, "Corner", 60)])
    write_records(hamlet, RECORDS)
    write_elevation(hamlet.data / "dem.tif")
    return hamlet


def _polygons(hamlet: Hamlet, file: str, shapes: dict[str, Any], **more: str) -> None:
    frame = gpd.GeoDataFrame(
        {"name": list(shapes), **more}, geometry=list(shapes.values()), crs=ALBERS
    )
    frame.to_file(hamlet.data / file)


def put_layer(hamlet: Hamlet, layer: str, shapes: Any, **more: Any) -> None:
    """A layer of the hamlet's own: its features, columns and (in capitals) keys of its entry."""
    columns = {k: v for k, v in more.items() if k != "ENTRY"}
    file = f"{layer.replace('/', '-')}.gpkg"
    frame = gpd.GeoDataFrame(columns, geometry=list(shapes), crs=ALBERS)
    frame.to_file(hamlet.data / file)
    kind = {"Point": "point", "LineString": "line"}.get(frame.geom_type.iloc[0], "polygon")
    number = {"type": "number"}
    fields = {c: number if frame[c].dtype.kind in "if" else {} for c in columns}
    declared = entry("land/dod") | {"sources": [{"kind": "file", "path": file}], "owner": None}
    declared |= {"title": layer, "geometry": kind, "fields": fields}
    write_yaml(hamlet.layers / f"{layer}.yaml", edited(declared, more.get("ENTRY", {})))


def write_towns(hamlet: Hamlet, towns: list[tuple[float, float, str, int]]) -> None:
    rows = [(*lonlat(x, y), name, people) for x, y, name, people in towns]
    write_rows(hamlet.data / "towns.csv", "lon,lat,name,population", rows)


def write_records(hamlet: Hamlet, records: Any, *, commodity: str = "Copper") -> None:
    rows = [
        (*lonlat(x, y), name, f"R{k}", commodity, "resource", "A")
        for k, (x, y, name) in enumerate(records)
    ]
    header = "lon,lat,name,record_id,commodities,evidence_class,quality"
    write_rows(hamlet.data / "usmin.csv", header, rows)


def write_rows(path: Path, header: str, rows: Any) -> None:
    lines = [header, *(",".join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_elevation(path: Path, *, crs: str | None = "EPSG:5070") -> None:
    """A hill in the middle of the hamlet."""
    n, size = 80, 200.0
    rows, columns = np.mgrid[:n, :n]
    values = (1500 - 4 * np.hypot(rows - n / 2, columns - n / 2)).astype("float32")
    top_left = rasterio.transform.from_origin(WEST - 2000, SOUTH + SIDE + 2000, size, size)
    with rasterio.open(
        path, "w", driver="GTiff", height=n, width=n, count=1, dtype="float32", crs=crs,
        transform=top_left, nodata=-9999,
    ) as file:  # fmt: skip
        file.write(values, 1)


def copied(hamlet: Hamlet, root: Path) -> Hamlet:
    """The same hamlet elsewhere, with the runs it has, to be spoiled."""
    shutil.copytree(hamlet.root, root, dirs_exist_ok=True)
    return Hamlet(root)


def edited_criteria(id_: str, **changes: Any) -> list[dict[str, Any]]:
    """The hamlet's criteria, one of them changed; None leaves a key out."""
    return [edited(c, changes) if c["id"] == id_ else c for c in SCENARIO["criteria"]]


def tree(root: Path) -> dict[str, str]:
    """Every file and folder below a folder, with the hash of its bytes."""
    return {
        p.relative_to(root).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        if p.is_file()
        else "folder"
        for p in sorted(root.rglob("*"))
    }


# ── shared by all tests of a session ──────────────────────────────────────────────────────────
def shared(factory: Any, name: str, make: Callable[[Path], object]) -> Path:
    """A folder that is made once a session, whichever worker comes first; read it, never write."""
    base = Path(factory.getbasetemp())
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    folder = base / f"shared-{name}"
    with (base / f"shared-{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / ".whole").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            (folder / ".whole").touch()
    return folder


def shared_hamlet(factory: Any) -> Hamlet:
    """The hamlet with one run in its outputs, made once a session; its data are not to be changed.

    Beside them lie the words of the command: ``stdout`` and ``stderr``.
    """
    return Hamlet(shared(factory, "hamlet", _run_hamlet) / "it")


def _run_hamlet(folder: Path) -> None:
    hamlet = make_hamlet(folder / "it")
    _keep(hamlet.cli("run"), folder)


def earlier_run(hamlet: Hamlet) -> Path:
    """The run that the hamlet comes with."""
    return min((hamlet.outputs / "hamlet").iterdir())


def shared_demo(factory: Any) -> World:
    """The demo's basin with both presets run through the command line, made once a session.

    Beside ``demo-world-…`` and the runs lie the words of the command: ``stdout`` and ``stderr``.
    """
    folder = shared(factory, "demo", _run_demo)
    world = folder / "outputs" / "demo-world-{cells}-{seed}".format(**DEMO)
    return World(world, world / "layers", world / "data", AOI, DEMO["cells"], DEMO["seed"])


def _run_demo(folder: Path) -> None:
    words = [f"--{k}={v}" for k, v in DEMO.items()]
    result = cli("demo", "--outputs", folder / "outputs", *words)
    _keep(result, folder)


def _keep(result: Result, folder: Path) -> None:
    (folder / "stdout").write_text(result.stdout, encoding="utf-8")
    (folder / "stderr").write_text(result.stderr, encoding="utf-8")
    if result.exit_code:
        raise RuntimeError(result.output)
