"""100,000 features of a real ArcGIS server on loopback: geosite's client beside GDAL's driver.

    python benchmarks/fetching.py --repeat 3

Koop serves both, in turns; it holds the features in memory and takes the requests of both alike.
geosite counts, pages, checks and writes GeoParquet. GDAL's ESRIJSON driver pages by itself into
an Arrow table, with the same columns and page size; a third figure has it written by the same
writer. Not a part of run.py: it needs node and npm. Nothing here is timed by the test suite.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil
import pyogrio
from machine import ROOT, machine, stamp, versions
from measured import busy_s

from geosite.crs import WGS84
from geosite.model.layer import Layer
from geosite.sources import arcgis
from geosite.sources.asking import Ask
from geosite.sources.client import Client
from geosite.sources.pages import written
from tests.services import koop

if TYPE_CHECKING:
    from collections.abc import Callable

COUNT, PAGE = 100_000, 2000
FIELDS = {"name": "NAME", "kind": "KIND", "tons": "TONS", "year": "YEAR"}
RESULTS = ROOT / "benchmarks/work/fetching.json"


def features(feature: Callable[..., Any]) -> list[Any]:
    """Points at places drawn by chance, with four attributes."""
    random = np.random.default_rng(7)
    places = random.uniform((-120, 36), (-112, 41), (COUNT, 2)).round(8).tolist()
    tons = random.lognormal(3, 2, COUNT).round(3).tolist()
    return [
        feature(
            k + 1,
            {"type": "Point", "coordinates": places[k]},
            NAME=f"site {k}",
            KIND=("adit", "shaft", "pit")[k % 3],
            TONS=tons[k],
            YEAR=1850 + k % 170,
        )
        for k in range(COUNT)
    ]


def layer(url: str) -> Layer:
    """The catalogue's entry of what is served."""
    source = {"kind": "arcgis", "url": url, "layer": "sites", "page_size": PAGE}
    return Layer(
        id="bench/sites", title="Sites", agency="nobody", purpose="benchmark", geometry="point",
        crs="EPSG:4326", sources=[source], fields={k: {"from": v} for k, v in FIELDS.items()},
        absence="informative", vintage="2026", status="synthetic", licence="none",
        citation="none",
    )  # fmt: skip


def by_geosite(entry: Layer, folder: Path) -> int:
    """Count, pages, checks and a GeoParquet file."""
    with Client() as client:
        ask = Ask(entry, entry.sources[0])
        return arcgis.fetched(ask, client, folder, lambda _done, _of: None).count


def by_gdal(url: str, folder: Path | None) -> int:
    """GDAL's own paging, into memory, or on into a GeoParquet file."""
    query = (
        f"ESRIJSON:{url}/0/query?where=1%3D1&outFields={','.join(FIELDS.values())},OBJECTID"
        f"&outSR=4326&orderByFields=OBJECTID&resultRecordCount={PAGE}&f=json"
    )
    meta, found = pyogrio.read_arrow(query)
    if folder is not None:
        at = meta["geometry_name"] or "wkb_geometry"
        names = ["geometry" if c == at else c for c in found.column_names]
        return written([found.rename_columns(names)], folder / "gdal.parquet", WGS84)
    return int(found.num_rows)


def measured(ways: dict[str, Callable[[], int]], repeat: int) -> dict[str, list[dict[str, float]]]:
    """Seconds of every way, in turns, with the processor time of client and server."""
    found: dict[str, list[dict[str, float]]] = {name: [] for name in ways}
    for _ in range(repeat):
        for name, way in ways.items():
            busy, client, server, started = busy_s(), *_used_s(), time.perf_counter()
            count = way()
            wall = time.perf_counter() - started
            busy, own = (
                busy_s() - busy,
                [b - a for a, b in zip((client, server), _used_s(), strict=True)],
            )
            if count != COUNT:
                msg = f"{name}: {count} features, expected {COUNT}"
                raise SystemExit(msg)
            run = {"wall_s": wall, "client_cpu_s": own[0], "server_cpu_s": own[1]}
            run["elsewhere"] = max(busy - sum(own), 0.0) / wall
            found[name].append({key: round(value, 3) for key, value in run.items()})
    return found


def _used_s() -> tuple[float, float]:
    """Processor time so far, of this process and of Koop, which it started."""
    here = psutil.Process()
    used = [p.cpu_times() for p in (here, *here.children(recursive=True))]
    own, *others = (float(u.user + u.system) for u in used)
    return own, sum(others)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--results", type=Path, default=RESULTS)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        with koop.running(folder) as running:
            url = running.offer("sites", features(koop.feature), provider="held")
            entry = layer(url)
            ways = {
                "geosite, to GeoParquet": lambda: by_geosite(entry, folder),
                "GDAL ESRIJSON, to memory": lambda: by_gdal(url, None),
                "GDAL ESRIJSON, to GeoParquet": lambda: by_gdal(url, folder),
            }
            measured(ways, 1)  # the server reads its file, and libraries load
            runs = measured(ways, asked.repeat)
    medians = {n: statistics.median(r["wall_s"] for r in took) for n, took in runs.items()}
    first = next(iter(medians.values()))
    print("| | median | of geosite's | runs | client's processor | cores taken elsewhere |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for name, median in medians.items():
        walls, used, elsewhere = (
            ", ".join(f"{r[key]:.2f}" for r in runs[name])
            for key in ("wall_s", "client_cpu_s", "elsewhere")
        )
        ratio = f"{median / first:.2f} ×"
        print(f"| {name} | {median:.2f} s | {ratio} | {walls} | {used} | {elsewhere} |")
    results = {"features": COUNT, "page": PAGE, "medians_s": medians, "runs": runs}
    results |= {"measured": stamp(), "machine": machine() | {"versions": versions()}}
    asked.results.parent.mkdir(parents=True, exist_ok=True)
    asked.results.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
