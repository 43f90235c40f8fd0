"""A finished run asked again on other cells, and its cuts and threshold moved: how stable it is."""

from __future__ import annotations

import json
import math
import tempfile
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from geosite import report
from geosite.disk import assembled
from geosite.errors import RunError, faults
from geosite.manifest import manifest
from geosite.pipeline import Told, analyse
from geosite.planning import plan
from geosite.question import since
from geosite.report.stability import Stability, stability_text
from geosite.run_shape import scenario_of
from geosite.stability import matches, steadiness, threshold_moves, tier_moves

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from geosite.catalog import Catalog, Rulebook
    from geosite.grid import Grid
    from geosite.model.scenario import Scenario
    from geosite.planning import Plan
    from geosite.runs import Run

SHIFTS = (-0.1, -0.05, 0.05, 0.1)
"""Of suitability, by which cuts and threshold are moved."""
_TILE = 2048


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a run is asked again: the catalogue, the rulebook and the folders of the layers."""

    catalog: Catalog
    rulebook: Rulebook
    data: Path
    fetched: Path | None = None


def restated(run: Run, sources: Sources, cells: Sequence[float]) -> list[Plan]:
    """Plans that ask a run's question again, on its area and its day: one a cell size.

    Parameters
    ----------
    cells : sequence of float
        Edges of the cells [m].

    Raises
    ------
    RunError
        If the run cannot be asked again, or a cell size is none or its own; every fault at once.
    GeositeError
        Whatever planning raises.
    """
    own = float(run.manifest["grid"]["resolution_m"])
    found = []
    if run.manifest.get("reviews"):
        found.append(
            "it was repeated with decisions of reviewers, which are not applied on other cells; "
            f"name the run that they review, {run.manifest['reviews']['run']}"
        )
    found += [
        f"cells of {edge:g} m are those of the run itself; name others with --cells"
        for edge in cells
        if math.isclose(edge, own)
    ]
    twice = sorted({edge for edge in cells if list(cells).count(edge) > 1})
    found += [f"cells of {edge:g} m are named twice" for edge in twice]
    if found:
        raise RunError(faults(f"{run.path}: its stability cannot be asked:", found))
    scenario = scenario_of(run.manifest, run.path)
    return [
        plan(
            scenario,
            sources.catalog,
            sources.rulebook,
            sources.data,
            resolution=edge,
            today=date.fromisoformat(run.manifest["as_of"]),
            fetched=sources.fetched,
        )
        for edge in cells
    ]


def stability(
    run: Run, plans: Sequence[Plan], scratch: Path, *, told: Told | None = None
) -> Stability:
    """How stable the sites of a run are on other cells, with other cuts and another threshold.

    Parameters
    ----------
    plans : sequence of Plan
        From `restated`.
    scratch : Path
        A folder in which the surfaces of the analyses are put while they are made.
    told : callable, optional
        Told of every step of each analysis.

    Raises
    ------
    GeositeError
        Whatever an analysis raises, and if a file of the run is damaged.
    """
    sites, said = run.sites, run.manifest
    scenario = scenario_of(said, run.path)
    rows: list[dict[str, Any]] = []
    tables = []
    for asked in plans:
        edge = asked.grid.resolution
        with tempfile.TemporaryDirectory(dir=scratch) as folder:
            found = analyse(asked, Path(folder), allow_missing=bool(said["missing"]), told=told)
        other = found.sites
        pairs = matches(sites, other)
        anew = json.loads(json.dumps(manifest(found, datetime.now(UTC))))
        rows.append(
            {
                "cell_m": edge,
                **steadiness(sites, other, pairs),
                # The cells are another, and nothing else should be.
                "also_differs": [w for w in since(_but_cells(said), _but_cells(anew)) if w],
            }
        )
        tables.append(pairs.assign(cell_m=edge))
    columns = ["cell_m", "rank", "site_id", "other_rank", "other_site_id"]
    columns += ["overlap_pct", "covered_pct"]
    pairs = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)
    return Stability(
        title=said["title"],
        aoi=said["aoi"],
        as_of=said["as_of"],
        notice=said["notice"],
        cell_m=float(said["grid"]["resolution_m"]),
        sites=len(sites),
        cells=tuple(rows),
        matches=pairs[columns],
        tiers=tier_moves(sites, scenario.tiers, SHIFTS),
        tier_cuts=(scenario.tiers.a, scenario.tiers.b),
        thresholds=_thresholds(run, scenario),
    )


def _but_cells(said: dict[str, Any] | Any) -> dict[str, Any]:
    scenario = dict(said["scenario"])
    scenario["grid"] = {k: v for k, v in scenario["grid"].items() if k != "resolution"}
    return {**said, "scenario": scenario}


def _thresholds(run: Run, scenario: Scenario) -> pd.DataFrame | None:
    unit = scenario.sites
    if unit.unit != "patch":
        return None
    store, area = run.store, run.store.grid.cell_area

    def read(window: Grid) -> tuple[NDArray[Any], NDArray[Any]]:
        with report.reading(store.path):
            return store.read("suitability", window), store.read("parcel", window)

    windows = list(store.grid.tiles(_TILE))
    found = threshold_moves(read, windows, unit.threshold, SHIFTS, least_cells=unit.min_area / area)
    return found.assign(area_ha=found["cells"] * area).drop(columns="cells")


def saved(found: Stability, folder: Path) -> Path:
    """Write tables, text and ``stability.json`` to a new folder; gives its path, or a free one's.

    Raises
    ------
    RunError
        If it cannot be written.
    """

    def fill(new: Path) -> None:
        tables = {"stability_sites": found.matches, "stability_tiers": found.tiers}
        if found.thresholds is not None:
            tables["stability_thresholds"] = found.thresholds
        for name, table in tables.items():
            report.write_table(table, new / f"{name}.csv", notice=found.notice)
        text = json.dumps(found.said, indent=1, allow_nan=False)
        (new / "stability.json").write_text(text, encoding="utf-8")
        (new / "README.md").write_text(f"{stability_text(found)}\n", encoding="utf-8")

    return assembled(folder, fill)
