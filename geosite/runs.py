"""Run folders: written once and whole, opened later."""

from __future__ import annotations

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
import pyarrow as pa
import pyogrio
import pyproj
import rasterio
import shapely
from rasterio._err import CPLE_BaseError
from rasterio.enums import Resampling

from geosite import report
from geosite.engine import Store
from geosite.errors import GeositeError, RunError
from geosite.grid import Grid
from geosite.manifest import manifest, notice
from geosite.pipeline import WORKERS, Analysis, analyse
from geosite.planning import TILE, Plan

if TYPE_CHECKING:
    from numpy.typing import NDArray

PICTURE = 2400
"""Largest side of the surfaces that a map shows [cells]; the COGs keep every cell."""
_LAYERS = ("sites", "parcels", "exclusions", "deposits", "aoi")
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
_SAID = frozenset({"notice", "hash", "scenario", "grid", "criteria", "rules", "layers", "sites"})


_UNWRITABLE = (
    OSError,
    rasterio.errors.RasterioError,
    CPLE_BaseError,
    pyogrio.errors.DataSourceError,
    pyogrio.errors.DataLayerError,
)
"""What the drivers raise where they cannot write; copying a raster lets GDAL's own errors out."""
_UNREADABLE = (
    pyogrio.errors.DataSourceError,
    pyogrio.errors.DataLayerError,
    rasterio.errors.RasterioError,
    pa.ArrowInvalid,
)
"""What the drivers raise on bytes that are not what they were."""


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run: a folder, and the manifest that says what is in it."""

    path: Path
    manifest: Mapping[str, Any]

    @property
    def sites(self) -> gpd.GeoDataFrame:
        """Ranked sites, in the grid's CRS."""
        return gpd.read_parquet(self.path / "sites.parquet")

    @property
    def store(self) -> Store:
        """Surfaces of the run."""
        g = self.manifest["grid"]
        grid = Grid(
            pyproj.CRS(g["crs"]),
            float(g["resolution_m"]),
            g["column"],
            g["row"],
            (g["rows"], g["columns"]),
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
        final = _free(final)
        _flushed(folder)
        folder.rename(final)
    return Run(final, said)


def _free(path: Path) -> Path:
    # Two runs of one question in one second: the second one gets a number.
    if not path.exists():
        return path
    return next(
        p for n in range(2, 10_000) if not (p := path.with_name(f"{path.name}-{n}")).exists()
    )


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
    for file in folder.rglob("*"):
        if file.is_file() and "surfaces.zarr" not in file.parts:
            with file.open("rb") as f:
                os.fsync(f.fileno())


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
    report.write_table(analysis.inventory, run.path / "inventory.csv", notice=report.notice(shown))
    report.write_table(analysis.removed, run.path / "removed.csv", notice=report.notice(shown))
    for name, text in (
        ("README.md", report.readme_text(shown)),
        ("CITATIONS.md", report.citations_text(shown)),
    ):
        (run.path / name).write_text(text, encoding="utf-8")
    report.write_map(shown, run.path / "map.html")


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
    except (OSError, ValueError) as error:
        msg = f"{manifest}: is damaged: {error}; run the scenario again"
        raise RunError(msg) from None
    if not isinstance(said, dict) or not said.keys() >= _SAID:
        msg = f"{manifest}: is damaged: it does not describe a run; run the scenario again"
        raise RunError(msg)
    return Run(path, said)


def content(run: Run) -> report.Content:
    """What a map and the pages show of a run, from its folder alone."""
    m = run.manifest
    try:
        frames = {n: pyogrio.read_dataframe(run.path / "sites.gpkg", layer=n) for n in _LAYERS}
        frames["sites"] = run.sites.drop(columns="notice")
        suitability, transform = _picture(run.path / "suitability.tif")
        status, _ = _picture(run.path / "status.tif")
    except _UNREADABLE as error:
        msg = (
            f"{run.path}: a file of this run is damaged: {' '.join(str(error).split())}; "
            "run the scenario again"
        )
        raise RunError(msg) from None
    total = sum(c["weight"] for c in m["criteria"])
    lost = {x["layer"] for x in m["missing"]}
    return report.Content(
        title=m["title"],
        aoi_name=m["aoi"],
        as_of=m["as_of"],
        marking=m["scenario"]["marking"],
        synthetic=m["synthetic"],
        project=m["scenario"]["project"],
        criteria=tuple(
            report.CriterionLabel(
                c["id"], c["title"], c["weight"] / total, c["unit"], c["critical"], c["measure"]
            )
            for c in m["criteria"]
        ),
        rules=tuple(
            report.RuleLabel(
                r["id"],
                r["title"],
                r["tier"],
                r["authority"],
                r["citation"],
                r["layer"],
                r.get("removed_ha", 0.0),
                r.get("alone_ha", 0.0),
            )
            for r in m["rules"]
        ),
        sites=frames["sites"],
        parcels=frames["parcels"],
        exclusions=frames["exclusions"],
        deposits=frames["deposits"],
        aoi=frames["aoi"],
        suitability=suitability,
        status=status,
        transform=transform,
        crs=frames["aoi"].crs,
        owners=tuple(
            report.OwnerLabel(p["agency"], p["status"], p["parcels"], p["area_ha"], p["reason"])
            for p in m["parcels"]
        ),
        offered_ha=tuple(m["offered_ha"].values()),
        warnings=tuple(m["notes"]),
        unknown_rules=tuple(
            f"{r['title']} ({r['tier']}): no layer {r['layer']}"
            for r in m["rules"]
            if r["layer"] in lost
        ),
        layers=tuple(
            report.LayerLabel(
                x["id"],
                x["title"],
                x["agency"],
                x["vintage"],
                x["licence"],
                x["citation"],
                x["status"],
            )
            for x in m["layers"]
        ),
    )


def _picture(path: Path) -> tuple[NDArray[Any], Any]:
    with rasterio.open(path) as file:
        scale = max(1.0, max(file.shape) / PICTURE)
        shape = tuple(int(np.ceil(n / scale)) for n in file.shape)
        values = file.read(1, out_shape=shape, resampling=Resampling.nearest)
        across, down = file.width / shape[1], file.height / shape[0]
        return values, file.transform * file.transform.scale(across, down)


def render_again(run: Run) -> Path:
    """Render the map of a run anew, in place; the old one stays until the new one is whole."""
    new = run.path / ".map.html.partial"
    try:
        report.write_map(content(run), new)
        new.replace(run.path / "map.html")
    except OSError as error:
        new.unlink(missing_ok=True)
        msg = f"{run.path}: map.html could not be written: {error}; the old map is untouched"
        raise RunError(msg) from None
    return run.path / "map.html"
