"""Run folders: written once and whole, opened later."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pyproj
import rasterio
import shapely
from rasterio.enums import Resampling

from geosite import report
from geosite.engine import Store
from geosite.errors import GeositeError, RunError
from geosite.grid import Grid
from geosite.pipeline import WORKERS, Analysis, analyse
from geosite.planning import TILE, Plan
from geosite.sites import measure_column

if TYPE_CHECKING:
    from numpy.typing import NDArray

PICTURE = 2400
"""Largest side of the surfaces that a map shows [cells]; the COGs keep every cell."""
_LAYERS = ("sites", "parcels", "exclusions", "deposits", "aoi")


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
        manifest = _manifest(analysis, started)
        _save_surfaces(analysis, folder)
        _save_vectors(analysis, folder)
        (folder / "run.json").write_text(
            json.dumps(manifest, indent=1, sort_keys=False, default=str), encoding="utf-8"
        )
        _save_pages(Run(folder, manifest), analysis)
        final = root / f"{started:%Y%m%dT%H%M%SZ}-{manifest['hash'][:8]}"
        final = _free(final)
        _flushed(folder)
        folder.rename(final)
    return Run(final, manifest)


def _free(path: Path) -> Path:
    # Two runs of one question in one second: the second one gets a number.
    if not path.exists():
        return path
    return next(
        p for n in range(2, 10_000) if not (p := path.with_name(f"{path.name}-{n}")).exists()
    )


@contextmanager
def _unfinished(root: Path, name: str) -> Iterator[Path]:
    folder = root / f"{name}-{os.getpid()}.partial"
    try:
        folder.mkdir(parents=True)
        yield folder
    except GeositeError:
        raise
    except (OSError, rasterio.errors.RasterioError, pyogrio.errors.DataSourceError) as error:
        free = shutil.disk_usage(next(p for p in (root, *root.parents) if p.exists())).free
        msg = (
            f"{root}: the run could not be written: {' '.join(str(error).split())}; "
            f"{free / 1e9:.2f} GB are free there. Make room or name another folder with --outputs; "
            "nothing half-written was kept, and earlier runs are untouched"
        )
        raise RunError(msg) from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)


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
            layer_metadata={"notice": _notice(plan)},
        )
    analysis.sites.assign(notice=_notice(plan)).to_parquet(folder / "sites.parquet")
    analysis.rule_sets.to_parquet(folder / "rule_sets.parquet")


def _notice(plan: Plan) -> str:
    return f"{report.DISCLAIMER} Data as of {plan.as_of}. [{plan.scenario.marking}]"


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


def _manifest(analysis: Analysis, started: datetime) -> dict[str, Any]:
    plan, ready = analysis.plan, analysis.prepared
    removed = analysis.removed.set_index("rule")
    files = {
        layer: [{"path": f.path, "sha256": f.sha256, "size": f.size} for f in found]
        for layer, found in ready.files.items()
    }
    rules = [
        {
            "id": r.id,
            "title": r.title,
            "layer": r.layer,
            "authority": r.authority,
            "citation": r.citation,
            "evidence": r.evidence,
            "tier": t.tier,
            "note": r.note,
            "treatment": t.model_dump(mode="json"),
            "exceptions": list(r.exceptions),
            "consultation": r.consultation,
            "permits": list(r.permits),
            **(
                removed.loc[[r.id]].to_dict("records")[0] if r.id in removed.index else {}
            ),
        }
        for r, t in zip(plan.rules, plan.treatments, strict=True)
    ]
    criteria = [
        {
            "id": c.criterion.id,
            "title": c.criterion.title,
            "weight": c.criterion.weight,
            "critical": c.criterion.critical,
            "basis": c.criterion.basis,
            "unit": (c.reading or c.criterion).measure.unit,
            "measure": measure_column(c),
            "reading": c.reading.model_dump(
                mode="json", include={"layer", "where", "measure", "value", "note"}
            )
            if c.reading
            else None,
        }
        for c in plan.criteria
    ]
    used = {u.layer for u in plan.uses if not u.missing}
    layers = [
        plan.catalog[i].model_dump(
            mode="json",
            include={
                "id",
                "title",
                "agency",
                "vintage",
                "licence",
                "citation",
                "status",
                "absence",
                "problems",
            },
        )
        | {"files": files.get(i, [])}
        for i in sorted(used | set(files))
    ]
    scenario = plan.scenario.model_dump(mode="json", by_alias=True)
    asked = {
        "scenario": scenario,
        "as_of": plan.as_of.isoformat(),
        "files": files,
        "rules": [r.model_dump(mode="json") for r in plan.rules],
        "geosite": version("geosite"),
    }
    grid = plan.grid
    return {
        "notice": _notice(plan),
        "hash": hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest(),
        "title": plan.scenario.title,
        "scenario": scenario,
        "aoi": plan.aoi_name,
        "as_of": plan.as_of.isoformat(),
        "synthetic": any(layer["status"] == "synthetic" for layer in layers),
        "grid": {
            "crs": grid.crs.to_string(),
            "resolution_m": grid.resolution,
            "column": grid.column,
            "row": grid.row,
            "rows": grid.shape[0],
            "columns": grid.shape[1],
            "cells": grid.cells,
            "halo_cells": plan.halo,
        },
        "criteria": criteria,
        "rules": rules,
        "rules_not_asked": dict(plan.not_asked),
        "layers": layers,
        "missing": [
            {"layer": u.layer, "purpose": u.purpose, "reason": u.missing} for u in plan.missing
        ],
        "notes": [*plan.notes, *ready.notes],
        "counts": [
            {
                "layer": c.layer,
                "found": c.found,
                "used": c.used,
                "not_selected": c.not_selected,
                "repaired": c.repaired,
                "rejected": dict(c.rejected),
            }
            for c in ready.counts
        ],
        "register": dict(ready.register.counts),
        "parcels": _parcel_counts(analysis),
        "status_ha": dict(analysis.status_ha),
        "left_out": {k: {"number": n, "area_ha": a} for k, (n, a) in analysis.left_out.items()},
        "sites": len(analysis.sites),
        "authorities": {
            agency: [e.model_dump(mode="json") for e in entries]
            for agency, entries in ready.authorities.items()
        },
        "versions": {
            "geosite": version("geosite"),
            "python": platform.python_version(),
            "gdal": rasterio.__gdal_version__,
            "proj": pyproj.proj_version_str,
            "geos": shapely.geos_version_string,
            "numpy": np.__version__,
            "pandas": pd.__version__,
        },
        "timings_s": {k: round(v, 3) for k, v in analysis.timings.items()},
        "started": started.isoformat(timespec="seconds"),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _parcel_counts(analysis: Analysis) -> list[dict[str, Any]]:
    parcels = analysis.prepared.register.parcels.assign(ranked=analysis.prepared.inputs.offered[1:])
    grouped = parcels.groupby(["agency", "status", "ranked"], sort=True)["area_ha"]
    table = grouped.agg(["size", "sum"]).reset_index()
    return [
        {
            "agency": r.agency,
            "status": r.status,
            "ranked": bool(r.ranked),
            "parcels": int(r.size_),
            "area_ha": round(float(r.area), 1),
            "reason": _why_not(analysis.plan, r.agency, r.status) if not r.ranked else "",
        }
        for r in table.rename(columns={"size": "size_", "sum": "area"}).itertuples()
    ]


def _why_not(plan: Plan, agency: str, status: str) -> str:
    project = plan.scenario.project
    known = {a.agency for a in plan.rulebook.authorities.authorities if a.project == project}
    if agency not in known:
        return (
            f"no authority is known by which {agency} land could be made available for a {project}"
        )
    if agency not in plan.scenario.land.offered:
        return f"the scenario asks for {', '.join(plan.scenario.land.offered)} land only"
    return f"status {status}"


def open_run(path: Path) -> Run:
    """Open a finished run.

    Raises
    ------
    RunError
        If the folder is not a finished run.
    """
    manifest = path / "run.json"
    if path.name.endswith(".partial") or not manifest.is_file():
        msg = (
            f"{path}: this is not a finished run (expected a folder with run.json, such as "
            "outputs/mine-open-pit/20260101T120000Z-1a2b3c4d)"
        )
        raise RunError(msg)
    try:
        return Run(path, json.loads(manifest.read_text(encoding="utf-8")))
    except ValueError as error:
        msg = f"{manifest}: is damaged: {error}; run the scenario again"
        raise RunError(msg) from None


def content(run: Run) -> report.Content:
    """What a map and the pages show of a run, from its folder alone."""
    m = run.manifest
    frames = {n: pyogrio.read_dataframe(run.path / "sites.gpkg", layer=n) for n in _LAYERS}
    frames["sites"] = run.sites.drop(columns="notice")
    suitability, transform = _picture(run.path / "suitability.tif")
    status, _ = _picture(run.path / "status.tif")
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
