"""Two finished runs paired, mines with plants: from their folders to tables in another one."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyogrio
import shapely

from geosite import report
from geosite.catalog import Catalog, Rulebook, open_freight, open_processing
from geosite.crs import WGS84, projected, projected_bounds
from geosite.disk import assembled
from geosite.errors import MissingLayerError, RunError, faults
from geosite.evidence import asked_commodities
from geosite.haulage import Haulage
from geosite.network import Lines, lines_graph
from geosite.pairing import HALF_ORE, WEIGHT, Terms, pairing
from geosite.pairing_tables import links, mine_table, pair_table, plant_table
from geosite.report.text import split_names
from geosite.sources import declared_crs, missing_reason, placed, read_features
from geosite.sources.holdings import Holdings

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd
    import pandas as pd
    from numpy.typing import NDArray
    from pyproj import CRS

    from geosite.grid import Bounds
    from geosite.runs import Run

RAIL_LAYER, ROAD_LAYER = "infrastructure/rail", "infrastructure/freeways"
KINDS = ("hydromet", "smelter")
_AROUND = 300_000.0
"""The network is read so far beyond the sites, for ways that lead out and back in [m]."""


@dataclass(frozen=True, slots=True)
class Match:
    """What is asked of a pairing.

    Attributes
    ----------
    rail, road : str, optional
        Layers of lines; None takes the usual one if it is there.
    process : str, optional
        What the plants do, ``hydromet``, ``smelter`` or ``any``; None goes by their scenario.
    """

    rail: str | None = None
    road: str | None = None
    process: str | None = None
    weight: float = WEIGHT
    max_usd: float = np.inf
    half_ore: float = HALF_ORE


@dataclass(frozen=True, slots=True)
class Means:
    """Where layers are: the catalogue, the root of its files, and what was fetched."""

    catalog: Catalog
    rulebook: Rulebook
    data: Path
    fetched: Path | None = None


def paired_runs(mine_run: Run, plant_run: Run, match: Match, means: Means) -> report.Paired:
    """Mines of one run and plants of another, ranked by one another.

    Raises
    ------
    RunError
        If the first run is not of mines, the second one not of plants, or one has no site.
    MissingLayerError
        If a layer that was named is not there.
    """
    began = time.perf_counter()
    _refuse(mine_run, plant_run)
    mines, plants = (
        run.sites.sort_values("rank", kind="stable").reset_index(drop=True)
        for run in (mine_run, plant_run)
    )
    if "commodities" not in mines:
        msg = (
            f"{mine_run.path / 'sites.parquet'}: is damaged: it has no column commodities; run "
            "the scenario again"
        )
        raise RunError(msg)
    crs = mines.crs
    plants = projected(plants, crs)
    freight = open_freight()
    notes: list[str] = []
    bounds = _bounds(mines, plants)
    road = _lines(match.road, ROAD_LAYER, "road", means, (bounds, crs), notes)
    rail = _lines(match.rail, RAIL_LAYER, "rail", means, (bounds, crs), notes)
    haulage = Haulage(_points(mines), _points(plants), road, rail, freight, crs)
    hauls = haulage.hauls()
    kind = _kind(match, plant_run, notes)
    taken = open_processing().taken(kind)
    wanted = plant_run.manifest["scenario"]["commodities"]
    taken &= asked_commodities(wanted, means.rulebook.commodities)
    ores = [[c for c in split_names(text) if c in taken] for text in mines["commodities"]]
    takes = np.repeat(np.array([bool(c) for c in ores], bool)[:, None], len(plants), axis=1)
    classes = _class_weights(mine_run)
    ore = mines["suitability"].to_numpy(float) * _weights(mines, classes)
    terms = Terms(freight.half.value, match.max_usd, match.half_ore, match.weight)
    found = pairing(
        mines["suitability"].fillna(0.0).to_numpy(float),
        plants["suitability"].fillna(0.0).to_numpy(float),
        np.nan_to_num(ore),
        hauls.usd,
        takes,
        terms,
    )
    said = mine_run.manifest
    if hauls.is_straight.all() and (len(road.nodes) or len(rail.nodes)):
        notes.append("no way over the network is cheaper than a truck in a straight line")
    return report.Paired(
        said["title"],
        plant_run.manifest["title"],
        ("SYNTHETIC WORLD. " if said["synthetic"] else "") + said["notice"],
        mine_table(mines, plants, found, hauls, ores),
        plant_table(mines, plants, found, hauls, ore),
        pair_table(mines, plants, found, hauls),
        links(mines, plants, found, hauls, haulage),
        tuple(notes),
        {
            "mine_run": {"name": mine_run.path.resolve().name, "hash": said["hash"]},
            "plant_run": {
                "name": plant_run.path.resolve().name, "hash": plant_run.manifest["hash"],
            },
            "process": kind,
            "taken": sorted(taken),
            "weight": match.weight,
            "half_ore": match.half_ore,
            "max_usd_per_short_ton": None if np.isinf(match.max_usd) else match.max_usd,
            "evidence_class_weights": classes,
            "freight": freight.model_dump(mode="json"),
            "nodes": {"road": len(road.nodes), "rail": len(rail.nodes)},
            "straight_pairs": int(hauls.is_straight.sum()),
            "pairs": int(hauls.is_straight.size),
            "notes": notes,
        },
        time.perf_counter() - began,
    )  # fmt: skip


def _refuse(mine_run: Run, plant_run: Run) -> None:
    found = []
    for run, want, place in ((mine_run, "mine", "first"), (plant_run, "refinery", "second")):
        project = run.manifest["scenario"]["project"]
        if project != want:
            found.append(f"{run.path}: is a {project} run; the {place} run is of a {want}")
        elif not int(run.manifest["sites"]):
            found.append(f"{run.path}: this run has no site")
    if not found and mine_run.manifest["synthetic"] != plant_run.manifest["synthetic"]:
        made_up = mine_run if mine_run.manifest["synthetic"] else plant_run
        found.append(f"{made_up.path}: is of a synthetic world, the other of real places")
    if found:
        raise RunError(faults("these runs cannot be paired (MINE_RUN PLANT_RUN):", found))


def _points(sites: gpd.GeoDataFrame) -> NDArray[np.float64]:
    points = shapely.point_on_surface(sites.geometry.to_numpy())
    return np.asarray(shapely.get_coordinates(points), float)


def _bounds(mines: gpd.GeoDataFrame, plants: gpd.GeoDataFrame) -> Bounds:
    left, bottom, right, top = np.concatenate(
        [mines.total_bounds.reshape(1, 4), plants.total_bounds.reshape(1, 4)]
    ).T
    whole = (float(left.min()), float(bottom.min()), float(right.max()), float(top.max()))
    return _grown(whole, _AROUND)


def _grown(bounds: Bounds, by: float) -> Bounds:
    left, bottom, right, top = bounds
    return left - by, bottom - by, right + by, top + by


def _lines(
    named: str | None,
    usual: str,
    kind: str,
    means: Means,
    place: tuple[Bounds, CRS],
    notes: list[str],
) -> Lines:
    bounds, crs = place
    catalog = means.catalog
    if means.fetched is not None:
        # What was fetched for the sites may end before the network around them does.
        box = projected_bounds(_grown(bounds, -_AROUND), crs, WGS84)
        held, unfit = Holdings(means.fetched).fit(catalog, box)
        catalog = replace(catalog, held=held, unfit=unfit)
    id_ = named or usual
    layer = catalog.get(id_)
    if layer is None or (not layer.union_of and placed(layer, catalog, means.data) is None):
        why = "is not in the catalogue" if layer is None else (
            missing_reason(layer, catalog, means.data) or "is not in place"
        )  # fmt: skip
        if named:
            msg = f"--{kind} {id_}: {why}; name a layer of lines of {catalog.root}"
            raise MissingLayerError(msg)
        notes.append(f"no {kind} layer ({id_} {why}): its part of every way is a straight line")
        return lines_graph([], crs)
    if layer.geometry != "line":
        msg = f"--{kind} {id_}: holds {layer.geometry}s; name a layer of lines"
        raise MissingLayerError(msg)
    native = declared_crs(layer, catalog)
    found = read_features(layer, catalog, means.data, projected_bounds(bounds, crs, native))
    frame = projected(found.frame, crs)
    stated = frame["length_km"].to_numpy(float) * 1000 if "length_km" in frame else None
    if frame.empty:
        notes.append(f"layer {id_} shows nothing near the sites")
    if layer.problems:
        notes.append(f"{id_}: {layer.problems.strip()}")
    return lines_graph(frame.geometry.to_numpy(), crs, stated_m=stated)


def _kind(match: Match, plant_run: Run, notes: list[str]) -> str:
    if match.process:
        return match.process
    name = str(plant_run.manifest["scenario"]["name"])
    found = [k for k in KINDS if k in name.split("/")]
    if found:
        return found[0]
    notes.append(f"scenario {name} does not say what its plants do: they take any ore")
    return "any"


def _class_weights(run: Run) -> dict[str, float]:
    spec = run.manifest["scenario"].get("evidence") or {}
    return {str(k): float(v) for k, v in (spec.get("class_weights") or {}).items()}


def _weights(mines: pd.DataFrame, classes: Mapping[str, float]) -> NDArray[np.float64]:
    # A class without a stated weight, and a site without a class, counts as it would if unknown.
    if not classes or "evidence_class" not in mines:
        return np.ones(len(mines))
    least = classes.get("unknown", 0.0)
    return np.array([classes.get(str(c), least) for c in mines["evidence_class"]], float)


def saved(found: report.Paired, folder: Path) -> Path:
    """Write a pairing to a new folder; gives its path, or the first numbered one that is free.

    Raises
    ------
    RunError
        If it cannot be written.
    """

    def fill(new: Path) -> None:
        for name in ("mines", "plants", "pairs"):
            table = getattr(found, name)
            report.write_table(table, new / f"{name}.csv", notice=found.notice)
        timed = {**found.said, "notice": found.notice}
        timed["timings_s"] = {"pair": round(found.seconds, 3)}
        (new / "pairing.json").write_text(json.dumps(timed, indent=1), encoding="utf-8")
        pyogrio.write_dataframe(
            found.links,
            new / "links.gpkg",
            layer="links",
            driver="GPKG",
            geometry_type="LineString",
            layer_metadata={"notice": found.notice},
        )
        text = report.pairing_text(found, best=len(found.plants))
        (new / "README.txt").write_text(f"{text}\n", encoding="utf-8")
        report.write_sketch(report.pairing_sketch(found), new / "map.html")

    return assembled(folder, fill)
