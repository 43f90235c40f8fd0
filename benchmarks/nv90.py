"""The workload of 48 million cells, asked of geosite and of its peers in turn."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import agreement
from command import Command
from differences import ladder
from machine import ROOT
from measured import FailedCommandError, Measured, apart, measured

if TYPE_CHECKING:
    from collections.abc import Callable

PEERS = Path(__file__).resolve().parent / "peers"
SCENARIO = ROOT / "benchmarks/nv90/scenario.yaml"
NOT_COMPARED = ("import", "read", "save", "write")
"""Laps that do not lie between opened files and ranked patches, of whatever tool."""
SAME_PART = ("rasterise", "distance", "slope", "score")
"""Laps of the naive script that xarray-spatial's part takes the place of."""
BARS = {
    "wall_naive": 4.0,
    "wall_grass": 10.0,
    "laps_naive": 5.0,
    "memory_naive": 3.0,
}
"""How many times better than the peer geosite has to be."""


def workload(peers: Path, data: Path) -> None:
    """Make the workload's files unless they are there."""
    if (data / "nv90/dem.tif").exists():
        return
    data.mkdir(parents=True, exist_ok=True)
    print("making the workload nv90 (not timed)", flush=True)
    subprocess.run([sys.executable, peers / "workload.py"], cwd=data, check=True)


def nv90(peers: Path, data: Path, work: Path, *, repeat: int) -> dict[str, Any]:
    """Results of every tool, their ratios and how far they agree."""
    workload(peers, data)
    _read_once(data)
    work.mkdir(parents=True, exist_ok=True)
    command = Command(work / "geosite")
    asked = [SCENARIO, "--layers", ROOT / "benchmarks/nv90/layers", "--data", data]

    def geosite() -> tuple[Measured, dict[str, float], Path]:
        done = command.run(asked)
        return done.took, dict(done.manifest["timings_s"]), done.folder

    def mapless() -> tuple[Measured, dict[str, float], Path]:
        done = command.run([*asked, "--no-map"])
        return done.took, dict(done.manifest["timings_s"]), done.folder

    def naive() -> tuple[Measured, dict[str, float], Path]:
        folder = _fresh(work / "naive")
        (folder / "nv90").symlink_to((data / "nv90").resolve())
        took = measured([sys.executable, peers / "naive.py"], folder=folder)
        return took, took.laps, folder

    def grass() -> tuple[Measured, dict[str, float], Path]:
        folder = _fresh(work / "grass")
        job = ["bash", peers / "grass_job.sh", (data / "nv90").resolve()]
        (folder / "db").mkdir()
        place = ["-c", "EPSG:5070", folder / "db/loc", "--exec"]
        return measured(["grass", *place, *job], folder=folder), {}, folder

    def peer(script: str) -> Callable[[], tuple[Measured, dict[str, float], Path]]:
        def run() -> tuple[Measured, dict[str, float], Path]:
            folder = _fresh(work / Path(script).stem)
            took = measured([sys.executable, PEERS / script, data / "nv90"], folder=folder)
            return took, took.laps, folder

        return run

    shutil.rmtree(command.work, ignore_errors=True)
    tools: dict[str, dict[str, Any]] = {}
    folders: dict[str, Path] = {}
    command.cool()
    _tell("geosite, cold", tools, folders, "geosite_cold", geosite)
    missing = [n for n in ("grass", "bc") if shutil.which(n) is None]
    for n in range(repeat):
        # In turn, so that a busy minute of the machine falls on all of them.
        _tell(f"geosite, warm, {n + 1}", tools, folders, "geosite", geosite)
        _tell(f"geosite, no map, {n + 1}", tools, folders, "geosite_mapless", mapless)
        _tell(f"naive.py, {n + 1}", tools, folders, "naive", naive)
        if missing:
            tools["grass"] = {"failed": f"not installed: {', '.join(missing)}"}
        else:
            _tell(f"grass_job.sh, {n + 1}", tools, folders, "grass", grass)
        _tell(
            f"xarray-spatial, {n + 1}", tools, folders, "xarray_spatial", peer("xarray_spatial.py")
        )
        _tell(f"atlite, {n + 1}", tools, folders, "atlite", peer("atlite_exclusion.py"))
    print("comparing the answers", flush=True)
    result = {
        "cells": 48_000_000,
        "repeat": repeat,
        "not_compared": list(NOT_COMPARED),
        "bars": BARS,
        "tools": {name: _median(tool) for name, tool in tools.items()},
        "agreement": apart(_agreement, folders),
    }
    result["ratios"] = ratios(result["tools"])
    if {"geosite", "naive"} <= folders.keys():
        print("naming the differences", flush=True)
        result["differences"] = apart(ladder, data / "nv90", folders)
    return result


def _fresh(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _read_once(data: Path) -> None:
    # So that the first tool does not pay for the disk alone.
    for path in (data / "nv90").iterdir():
        path.read_bytes()


def _tell(
    label: str,
    tools: dict[str, dict[str, Any]],
    folders: dict[str, Path],
    name: str,
    run: Callable[[], tuple[Measured, dict[str, float], Path]],
) -> None:
    tool = tools.setdefault(name, {"runs": []})
    if "failed" in tool:
        return
    try:
        took, laps, folder = run()
    except FailedCommandError as error:
        tools[name] = {"failed": str(error)}
        print(f"{label}: {error}", flush=True)
        return
    tool["runs"].append(took.said() | {"laps_s": laps, "said": _last(took.output)})
    folders[name] = folder
    print(f"{label}: {took.wall_s:.1f} s, {took.peak_bytes / 1e9:.2f} GB", flush=True)


def _last(output: str) -> str:
    lines = [
        line for line in output.strip().splitlines() if " patches " in line or "eligible" in line
    ]
    return lines[-1] if lines else ""


def _median(tool: dict[str, Any]) -> dict[str, Any]:
    """Medians of the repeats beside the repeats themselves."""
    if not tool.get("runs"):
        return tool
    runs = tool["runs"]
    names = list(runs[0]["laps_s"])
    laps = {n: round(statistics.median(r["laps_s"][n] for r in runs), 3) for n in names}
    sums = [sum(s for n, s in r["laps_s"].items() if n not in NOT_COMPARED) for r in runs]
    return {
        "wall_s": round(statistics.median(r["wall_s"] for r in runs), 2),
        "cpu_s": round(statistics.median(r["cpu_s"] for r in runs), 2),
        "peak_bytes": round(statistics.median(r["peak_bytes"] for r in runs)),
        "elsewhere": round(statistics.median(r["elsewhere"] for r in runs), 2),
        "laps_s": laps,
        "files_to_patches_s": round(statistics.median(sums), 2) if laps else None,
        "said": runs[-1]["said"],
        "runs": runs,
    }


def ratios(tools: dict[str, dict[str, Any]]) -> dict[str, float]:
    """How many times the peer's time and memory geosite's are, of the medians."""
    ours = tools.get("geosite", {})
    found = {}
    for name in ("naive", "grass"):
        theirs = tools.get(name, {})
        if "wall_s" not in ours or "wall_s" not in theirs:
            continue
        found[f"wall_{name}"] = theirs["wall_s"] / ours["wall_s"]
        found[f"wall_mapless_{name}"] = theirs["wall_s"] / tools["geosite_mapless"]["wall_s"]
        found[f"wall_cold_{name}"] = theirs["wall_s"] / tools["geosite_cold"]["wall_s"]
        found[f"memory_{name}"] = theirs["peak_bytes"] / ours["peak_bytes"]
        if theirs["files_to_patches_s"] and ours["files_to_patches_s"]:
            found[f"laps_{name}"] = theirs["files_to_patches_s"] / ours["files_to_patches_s"]
    naive = tools.get("naive", {}).get("laps_s", {})
    spatial = tools.get("xarray_spatial", {}).get("laps_s", {})
    if naive and spatial:
        same = [sum(t[n] for n in SAME_PART) for t in (naive, spatial)]
        found["same_part_naive_over_xarray_spatial"] = same[0] / same[1]
    return {name: round(value, 2) for name, value in found.items()}


def _agreement(folders: dict[str, Path]) -> dict[str, Any]:
    patches = {
        name: opened(folders[name])
        for name, opened in {
            "geosite": agreement.geosite_patches,
            "naive": lambda f: agreement.naive_patches(f / "naive_patches.gpkg"),
            "grass": lambda f: agreement.grass_patches(f / "grass_univar.txt"),
        }.items()
        if name in folders
    }
    found: dict[str, Any] = {"patches": {n: agreement.summary(p) for n, p in patches.items()}}
    surfaces = {
        name: folders[name] / file
        for name, file in {
            "geosite": "suitability.tif",
            "naive": "naive_suitability.tif",
            "grass": "grass_suitability.tif",
            "xarray_spatial": "xarray_spatial_suitability.tif",
        }.items()
        if name in folders
    }
    for one, other in (("geosite", "naive"), ("geosite", "grass"), ("naive", "grass")):
        if one in patches and other in patches:
            found[f"{one}_{other}"] = agreement.agree(
                found["patches"][one], found["patches"][other]
            ) | {"surface": agreement.surface_difference(surfaces[other], surfaces[one])}
    if {"naive", "xarray_spatial"} <= surfaces.keys():
        found["xarray_spatial_naive"] = {
            "surface": agreement.surface_difference(surfaces["naive"], surfaces["xarray_spatial"])
        }
    if {"geosite", "naive"} <= patches.keys():
        found["geosite_naive"]["shared_area_pct"] = agreement.shared_area_pct(
            patches["geosite"], patches["naive"]
        )
    return found
