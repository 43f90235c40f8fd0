"""Run folders: written once and whole, opened later."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numba
import numpy as np
import pyogrio
import pyproj
import rasterio
import shapely

from geosite import map as map_
from geosite import report, unfinished
from geosite.bands import write_bands
from geosite.capacity import Layout, Means, arranged
from geosite.catalog import open_scenario
from geosite.comparison import changes
from geosite.context import saved_context
from geosite.crs import parsed_crs
from geosite.disk import UNWRITABLE, flush, placed, sync, unwritable, writing
from geosite.engine import keep_less_memory, peak, summed_peaks
from geosite.errors import GeositeError, LayerDataError, RunError, SchedulerError
from geosite.grid import Grid
from geosite.manifest import manifest, notice, places
from geosite.pipeline import Analysis, Told, analyse
from geosite.planning import Plan
from geosite.prepare import prepare
from geosite.question import asked
from geosite.run_shape import misshapen
from geosite.run_tables import deposit_points, inventory_table, lineage_table
from geosite.store import Store
from geosite.unfinished import Unfinished

if TYPE_CHECKING:
    from numpy.typing import NDArray

_WHOLE = (
    "CITATIONS.md",
    "README.md",
    "inventory.csv",
    "matrix.parquet",
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
        """A layer of ``sites.gpkg``: sites, parcels, exclusions, deposits, aoi or footprints."""
        return report.read_layer(self.path, name)

    def surface(self, name: str, window: Grid) -> NDArray[Any]:
        """One array of the store on a window."""
        with report.reading(self.path / "surfaces.zarr"):
            return self.store.read(name, window)

    @property
    def store(self) -> Store:
        """Surfaces of the run."""
        return report.store_of(self.path, self.manifest)

    def map(self) -> Any:
        """The map of the run, which shows itself in a notebook."""
        return map_.render_map(content(self))


class Interrupted(KeyboardInterrupt):
    """A run that was stopped and can be gone on with; says so."""


def runs_folder(outputs: Path, scenario: str) -> Path:
    """Folder of the runs of a scenario, by its name."""
    return outputs.absolute() / scenario.replace("/", "-").replace(" ", "-")


def begun_on(outputs: Path, scenario: str) -> date | None:
    """Day on which the newest unfinished run of a scenario, by name or file, reads its rules."""
    return unfinished.day_of(runs_folder(outputs, open_scenario(scenario).name))


def execute(
    plan: Plan,
    outputs: Path,
    *,
    allow_missing: bool = False,
    means: Means | None = None,
    resume: bool = False,
    drawn: bool = True,
    told: Told | None = None,
) -> Run:
    """Analyse a plan and save everything; the run's folder appears only when it is whole.

    Parameters
    ----------
    means : Means, optional
        Processors and memory that it may use.
    resume : bool
        Go on with the newest unfinished run that asked the same, if there is an unfinished run.
    drawn : bool
        Draw the map; `render_again` draws it later.
    told : callable, optional
        Told of every step: its name, how many of its parts are done, and of how many.

    Raises
    ------
    RunError
        If the folder cannot be written: no space, no permission. No earlier run is
        touched. Or if the unfinished runs asked something else.
    Interrupted
        If it is stopped after its first tile was finished: the tiles are kept.
    GeositeError
        Whatever the analysis raises.
    """
    started, clock, told = datetime.now(UTC), time.perf_counter(), told or (lambda *_: None)
    keep_less_memory()
    root = runs_folder(outputs, plan.scenario.name)
    # Workers may stand in another folder.
    plan = replace(plan, data=plan.data.absolute())
    means = means or Means()
    if resume:
        means = replace(means, tile=means.tile or unfinished.tile_of(root))
    laid = arranged(plan, means, outputs.absolute())
    if resume:
        unfinished.refuse_changed(root, _asked(plan, laid))
    with _made(root):
        told("preparing", 0, 0)
        decided = plan.reviews.amendments if plan.reviews else None
        ready = prepare(plan, allow_missing=allow_missing, amendments=decided)
        question = _asked(plan, laid) | asked(plan, ready.files)
        prepared = time.perf_counter() - clock
        with _kept(root, question, resume=resume) as folder:
            found = analyse(
                plan,
                folder.path,
                ready=ready,
                laid=laid,
                told=told,
                tiled=partial(_save_surfaces, folder.path),
            )
            reading = {"read": ready.read_s, "prepare": prepared - ready.read_s}
            timings = {**reading, **found.timings}
            told("saving", 0, 0)
            said = _saved(replace(found, timings=timings), folder.path, started, drawn=drawn)
            final = root / f"{started:%Y%m%dT%H%M%SZ}-{said['hash'][:8]}"
            # What a stop could go on from is given up last.
            flush(folder.path)
            folder.strip()
            sync(folder.path)
            final = placed(folder.path, final)
            sync(root)
        unfinished.sweep(root, question)
    return Run(final, said)


def _asked(plan: Plan, laid: Layout) -> dict[str, Any]:
    # What unfinished tiles depend on: the question, and how the tiles lie.
    grid = plan.grid
    return asked(plan) | {
        "grid": f"{grid.shape[0]} × {grid.shape[1]} cells from {grid.row}, {grid.column} on",
        "tile_cells": laid.tile,
        "tiles": laid.tiles,
        "numpy": np.__version__,
        "numba": numba.__version__,
        "GDAL": rasterio.__gdal_version__,
        "PROJ": pyproj.proj_version_str,
        "GEOS": shapely.geos_version_string,
    }


def _saved(analysis: Analysis, folder: Path, started: datetime, *, drawn: bool) -> dict[str, Any]:
    clock = time.perf_counter()
    said = manifest(analysis, started) | {"places": places(analysis.plan, folder)}
    _save_vectors(analysis, folder)
    _save_likelihoods(analysis, folder)
    said["context"] = saved_context(analysis.plan, folder)
    if analysis.plan.reviews:
        before = open_run(analysis.plan.reviews.run)
        said["reviews"] = changes(analysis.plan.reviews, before, Run(folder, said))
        report.write_reviews(analysis.plan.reviews, said, folder)
    _save_pages(Run(folder, said), analysis, drawn=drawn)
    said["engine"]["peak_bytes"] = summed_peaks([*analysis.peaks, peak()])
    said["timings_s"]["save"] = round(time.perf_counter() - clock, 3)
    said["finished"] = datetime.now(UTC).isoformat(timespec="seconds")
    (folder / "run.json").write_text(json.dumps(said, indent=1), encoding="utf-8")
    return said


@contextmanager
def _made(root: Path) -> Iterator[None]:
    # Better to know now that nothing can be written than when all is read.
    try:
        with writing(root / "a run"):
            root.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=root):
                pass
        yield
    finally:
        with suppress(OSError):
            root.rmdir()  # only if it is empty: a scenario's first run that failed


@contextmanager
def _kept(root: Path, question: Mapping[str, Any], *, resume: bool) -> Iterator[Unfinished]:
    # Finished tiles outlive a stop, a lost worker, a full disk and a file that could not be read
    # for once. What cannot be mended by going on leaves nothing behind.
    folder = unfinished.resumed(root, question) if resume else None
    if folder is None:
        with writing(root / "a run"):
            folder = unfinished.begun(root, question)
    try:
        yield folder
    except BaseException as error:
        done = folder.finished
        mended = not isinstance(error, GeositeError) or isinstance(
            error, (SchedulerError, RunError, LayerDataError)
        )
        if not folder.resumed and not (done and mended):
            folder.remove()
            if isinstance(error, UNWRITABLE) and not isinstance(error, GeositeError):
                left = "nothing half-written was kept"
                raise RunError(unwritable(folder.path, error, left)) from None
            raise
        folder.leave()
        so_far = f"{done:,} of {question['tiles']:,} tiles are finished"
        on = f"{so_far}; the same command with --resume goes on"
        if isinstance(error, KeyboardInterrupt):
            msg = f"stopped: {on}"
            raise Interrupted(msg) from None
        if isinstance(error, SchedulerError):
            msg = f"{error}; {on}"
            raise SchedulerError(msg) from None
        if isinstance(error, UNWRITABLE) and not isinstance(error, GeositeError):
            raise RunError(unwritable(folder.path, error, on, "Make room")) from None
        raise
    folder.close()


def _save_surfaces(folder: Path, store: Store, windows: Sequence[Grid]) -> None:
    store.write_cog("suitability", folder / "suitability.tif", nodata=np.nan, windows=windows)
    store.write_cog("status", folder / "status.tif", nodata=0, windows=windows)


def _save_likelihoods(analysis: Analysis, folder: Path) -> None:
    surface = analysis.prepared.surface
    if surface is None:
        return
    write_bands(folder / "likelihood.tif", surface.grid, surface.bands)
    # A file a commodity: dozens of bands in one take a minute to interleave, and are read singly.
    single = folder / "likelihoods"
    single.mkdir()
    for commodity, values in surface.commodities.items():
        write_bands(single / f"{commodity}.tif", surface.grid, {"likelihood": values})


def _save_vectors(analysis: Analysis, folder: Path) -> None:
    ready, plan = analysis.prepared, analysis.plan
    crs = plan.grid.crs
    frames = {
        "sites": analysis.sites,
        "parcels": ready.register.parcels,
        "exclusions": ready.exclusions,
        "deposits": deposit_points(analysis),
        "aoi": gpd.GeoDataFrame({"name": [plan.aoi_name]}, geometry=[plan.aoi], crs=crs),
    }
    frames |= {} if analysis.footprints is None else {"footprints": analysis.footprints}
    if plan.reviews:
        frames["reviews"] = plan.reviews.frame(crs)
    for name, frame in frames.items():
        kind = "Point" if name == "deposits" else "Unknown"
        pyogrio.write_dataframe(
            frame, folder / "sites.gpkg", layer=name, driver="GPKG", geometry_type=kind,
            layer_metadata={"notice": notice(plan)},
        )  # fmt: skip
    analysis.sites.assign(notice=notice(plan)).to_parquet(folder / "sites.parquet")
    analysis.matrix.to_parquet(folder / "matrix.parquet")
    analysis.rule_sets.to_parquet(folder / "rule_sets.parquet")


def _save_pages(run: Run, analysis: Analysis, *, drawn: bool) -> None:
    shown = content(run)
    said = report.notice(shown)
    report.write_table(report.site_table(shown), run.path / "sites.csv")
    tables = {
        "inventory": inventory_table(analysis),
        "deposits": lineage_table(analysis),
        "removed": analysis.removed,
        "robustness": analysis.robust.table,
    }
    for name, table in tables.items():
        report.write_table(table, run.path / f"{name}.csv", notice=said)
    pages = {"README.md": report.readme_text, "CITATIONS.md": report.citations_text}
    for name, text in pages.items():
        (run.path / name).write_text(text(shown), encoding="utf-8")
    report.write_front(shown, run.path / "readiness.svg")
    if drawn:
        map_.saved_map(shown, run.path / "map.html")


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
    map_.saved_map(content(run), run.path / "map.html")
    return run.path / "map.html"
