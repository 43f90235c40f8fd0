"""Run folders: written once and whole, opened later."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pyogrio
import pyproj
import rasterio
import shapely
from rasterio._err import CPLE_BaseError

from geosite import report
from geosite.crs import WGS84, parsed_crs, transformed
from geosite.errors import GeositeError, RunError
from geosite.grid import Grid
from geosite.manifest import manifest, misshapen, notice
from geosite.pipeline import WORKERS, Analysis, analyse
from geosite.planning import TILE, Plan
from geosite.store import Store

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

_WHOLE = (
    "CITATIONS.md",
    "README.md",
    "inventory.csv",
    "removed.csv",
    "rule_sets.parquet",
    "run.json",
    "sites.csv",
    "sites.gpkg",
    "sites.parquet",
    "status.tif",
    "suitability.tif",
    "surfaces.zarr",
)
"""What every finished run has, besides a map that can be rendered again."""
_FAULTS = 5
"""Faults of a damaged manifest that are named."""

_UNWRITABLE = (
    OSError,
    rasterio.errors.RasterioError,
    CPLE_BaseError,
    pyogrio.errors.DataSourceError,
    pyogrio.errors.DataLayerError,
)
"""What the drivers raise where they cannot write; copying a raster lets GDAL's own errors out."""


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run: a folder, and the manifest that says what is in it.

    Reading a file of it raises a `RunError` that names the file if it is damaged.
    """

    path: Path
    manifest: Mapping[str, Any]

    @property
    def sites(self) -> gpd.GeoDataFrame:
        """Ranked sites, in the grid's CRS."""
        return report.read_sites(self.path)

    def layer(self, name: str) -> gpd.GeoDataFrame:
        """A layer of ``sites.gpkg``: sites, parcels, exclusions, deposits or aoi."""
        return report.read_layer(self.path, name)

    def surface(self, name: str, window: Grid) -> NDArray[Any]:
        """One array of the store on a window."""
        with report.reading(self.path / "surfaces.zarr"):
            return self.store.read(name, window)

    @property
    def store(self) -> Store:
        """Surfaces of the run."""
        g = self.manifest["grid"]
        # Runs from before a grid could be snapped do not say their origin.
        x, y = g.get("origin_m", (0.0, 0.0))
        grid = Grid(
            pyproj.CRS(g["crs"]),
            float(g["resolution_m"]),
            g["column"],
            g["row"],
            (g["rows"], g["columns"]),
            (float(x), float(y)),
        )
        return Store(self.path / "surfaces.zarr", grid)

    def map(self) -> Any:
        """The map of the run, which shows itself in a notebook."""
        return report.render_map(content(self))


def execute(
    plan: Plan,
    outputs: Path,
    *,
    allow_missing: bool = False,
    workers: int = WORKERS,
    tile_size: int = TILE,
) -> Run:
    """Analyse a plan and save everything; the run's folder appears only when it is whole.

    Raises
    ------
    RunError
        If the folder cannot be written: no space, no permission. What was written
        so far is removed, and no earlier run is touched.
    GeositeError
        Whatever the analysis raises; nothing is left behind either.
    """
    started = datetime.now(UTC)
    root = outputs / plan.scenario.name.replace("/", "-").replace(" ", "-")
    with _unfinished(root, f"{started:%Y%m%dT%H%M%S%f}Z") as folder:
        analysis = analyse(
            plan,
            folder / "surfaces.zarr",
            allow_missing=allow_missing,
            workers=workers,
            tile_size=tile_size,
        )
        said = manifest(analysis, started)
        _save_surfaces(analysis, folder)
        _save_vectors(analysis, folder)
        (folder / "run.json").write_text(json.dumps(said, indent=1), encoding="utf-8")
        _save_pages(Run(folder, said), analysis)
        final = root / f"{started:%Y%m%dT%H%M%SZ}-{said['hash'][:8]}"
        _flushed(folder)
        final = _placed(folder, final)
        _synced(root)
    return Run(final, said)


def _placed(folder: Path, path: Path) -> Path:
    # Two runs of one question in one second: the second one gets a number. Whether a name
    # is free is asked by taking it, since another run may take it in between.
    for n in range(1, 10_000):
        place = path if n == 1 else path.with_name(f"{path.name}-{n}")
        if place.exists():
            continue
        try:
            return folder.rename(place)
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                raise
    raise FileExistsError(errno.EEXIST, "every name for this run is taken", str(path))


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Say a failure to write in one message; a folder that was not there before is taken away.

    Raises
    ------
    RunError
        If what is written inside fails: no space, no permission.
    """
    fresh, whole = not folder.exists(), False
    try:
        yield
        whole = True
    except GeositeError:
        raise
    except _UNWRITABLE as error:
        place = folder.parent
        free = shutil.disk_usage(next(p for p in (place, *place.parents) if p.exists())).free
        left = "nothing half-written was kept" if fresh else f"{folder} may be incomplete now"
        msg = (
            f"{place}: {folder.name} could not be written: {' '.join(str(error).split())}; "
            f"{free / 1e9:.2f} GB are free there. Make room or name another folder with --outputs; "
            f"{left}, and earlier runs are untouched"
        )
        raise RunError(msg) from None
    finally:
        if fresh and not whole:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _unfinished(root: Path, name: str) -> Iterator[Path]:
    folder = root / f"{name}-{os.getpid()}.partial"
    try:
        with writing(folder):
            folder.mkdir(parents=True)
            yield folder
    finally:
        with suppress(OSError):
            root.rmdir()  # only if it is empty: a scenario's first run that failed


def _flushed(folder: Path) -> None:
    # The rename must not reach the disk before the bytes it promises.
    for path in (*folder.rglob("*"), folder):
        _synced(path)


def _synced(path: Path) -> None:
    # A folder's own bytes are the names in it; Windows opens no folder and keeps them itself.
    if path.is_dir() and os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _save_surfaces(analysis: Analysis, folder: Path) -> None:
    windows = analysis.windows
    analysis.store.write_cog(
        "suitability", folder / "suitability.tif", nodata=np.nan, windows=windows
    )
    analysis.store.write_cog("status", folder / "status.tif", nodata=0, windows=windows)


def _save_vectors(analysis: Analysis, folder: Path) -> None:
    ready, plan = analysis.prepared, analysis.plan
    crs = plan.grid.crs
    deposits = ready.deposits
    points = gpd.GeoDataFrame(geometry=[], crs=crs)
    if len(deposits):
        flat = deposits.drop(columns=["x", "y"]).copy()
        for column in ("commodities", "layers", "record_ids"):
            flat[column] = flat[column].map("; ".join)
        at = shapely.points(deposits[["x", "y"]].to_numpy(float))
        points = gpd.GeoDataFrame(flat, geometry=at, crs=crs)
        points = points[points.within(plan.aoi)]
    frames = {
        "sites": analysis.sites,
        "parcels": ready.register.parcels,
        "exclusions": ready.exclusions,
        "deposits": points,
        "aoi": gpd.GeoDataFrame({"name": [plan.aoi_name]}, geometry=[plan.aoi], crs=crs),
    }
    for name, frame in frames.items():
        kind = "Point" if name == "deposits" else "Unknown"
        pyogrio.write_dataframe(
            frame,
            folder / "sites.gpkg",
            layer=name,
            driver="GPKG",
            geometry_type=kind,
            layer_metadata={"notice": notice(plan)},
        )
    analysis.sites.assign(notice=notice(plan)).to_parquet(folder / "sites.parquet")
    analysis.rule_sets.to_parquet(folder / "rule_sets.parquet")


def _save_pages(run: Run, analysis: Analysis) -> None:
    shown = content(run)
    report.write_table(report.site_table(shown), run.path / "sites.csv")
    report.write_table(
        _inventory(analysis), run.path / "inventory.csv", notice=report.notice(shown)
    )
    report.write_table(analysis.removed, run.path / "removed.csv", notice=report.notice(shown))
    for name, text in (
        ("README.md", report.readme_text(shown)),
        ("CITATIONS.md", report.citations_text(shown)),
    ):
        (run.path / name).write_text(text, encoding="utf-8")
    report.write_map(shown, run.path / "map.html")


def _inventory(analysis: Analysis) -> pd.DataFrame:
    """Parcel × deposit, with the place of each deposit in degrees as well."""
    table, crs = analysis.inventory, analysis.plan.grid.crs
    x, y = table["x_m"].to_numpy(float), table["y_m"].to_numpy(float)
    lon, lat = transformed(x, y, crs, WGS84)
    at = list(table.columns).index("y_m") + 1
    placed = table.assign(longitude=lon, latitude=lat, crs=crs.to_string())
    first = [*table.columns[:at], "crs", "longitude", "latitude"]
    return placed[[*first, *table.columns[at:]]]


def open_run(path: Path) -> Run:
    """Open a finished run.

    Raises
    ------
    RunError
        If the folder is not a finished run.
    """
    manifest = path / "run.json"
    if path.resolve().name.endswith(".partial") or not manifest.is_file():
        msg = (
            f"{path}: this is not a finished run (expected a folder with run.json, such as "
            "outputs/mine-open-pit/20260101T120000Z-1a2b3c4d)"
        )
        raise RunError(msg)
    if lost := [name for name in _WHOLE if not (path / name).exists()]:
        msg = f"{path}: this run has lost {', '.join(lost)}; run the scenario again"
        raise RunError(msg)
    try:
        said = json.loads(manifest.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        msg = f"{manifest}: is damaged: {error}; run the scenario again"
        raise RunError(msg) from None
    if wrong := misshapen(said):
        more = f" and {len(wrong) - _FAULTS} more" if len(wrong) > _FAULTS else ""
        msg = (
            f"{manifest}: is damaged: it does not describe a run: {'; '.join(wrong[:_FAULTS])}"
            f"{more}; run the scenario again"
        )
        raise RunError(msg)
    with report.reading(manifest):
        parsed_crs(said["grid"]["crs"], "grid.crs")
    return Run(path, said)


def content(run: Run) -> report.Content:
    """What a map and the pages show of a run, from its folder alone."""
    return report.content_of(run.path, run.manifest)


def render_again(run: Run) -> Path:
    """Render the map of a run anew, in place; the old one stays until the new one is whole."""
    new = run.path / ".map.html.partial"
    try:
        report.write_map(content(run), new)
        new.replace(run.path / "map.html")
    except GeositeError:
        new.unlink(missing_ok=True)
        raise
    except OSError as error:
        new.unlink(missing_ok=True)
        msg = f"{run.path}: map.html could not be written: {error}; the old map is untouched"
        raise RunError(msg) from None
    return run.path / "map.html"
