"""Bad input gets one clear message, exit code 1 and no traceback, and leaves nothing behind."""

from __future__ import annotations

import errno
import json
import os
import resource
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from tests.worlds import (
    ALBERS,
    RECORDS,
    SCENARIO,
    SOUTH,
    WEST,
    box,
    cli,
    earlier_run,
    edited_criteria,
    lonlat,
    tree,
    write_elevation,
    write_rows,
    write_yaml,
)

RECORD = "lon,lat,name,record_id,commodities,evidence_class,quality"
ATLANTIC = "-72,30,-71,31"


def refused(hamlet, result, before, *words):
    """One message with these words, and nothing but what there was before."""
    assert result.exit_code == 1, result.output
    assert not result.stdout
    assert result.stderr.count("geosite: ") == 1
    assert "Traceback" not in result.stderr
    for word in words:
        assert word in result.stderr, result.stderr
    assert tree(hamlet.outputs) == before


def rows(name, *values):
    """Write records whose coordinates are these texts."""

    def spoil(hamlet):
        found = [(*at, f"N{k}", k, "Copper", "resource", "A") for k, at in enumerate(values)]
        write_rows(hamlet.data / name, RECORD, found)

    return spoil


def source(layer, path, **more):
    return lambda h: h.declare(layer, sources=[{"kind": "file", "path": path, **more}])


def climbing_zip(hamlet):
    with zipfile.ZipFile(hamlet.data / "blm.zip", "w") as archive:
        archive.write(hamlet.data / "blm.gpkg", "../blm.gpkg")
    source("land/blm", "blm.zip")(hamlet)


def cut_in_half(name):
    def spoil(hamlet):
        whole = (hamlet.data / name).read_bytes()
        (hamlet.data / name).write_bytes(whole[: len(whole) // 2])

    return spoil


def garbled(name):
    return lambda h: (h.data / name).write_bytes(b"SQLite format 3\x00" + bytes(range(256)) * 40)


def outline_without_area(hamlet):
    point = gpd.GeoDataFrame(geometry=[shapely.Point(WEST, SOUTH)], crs=ALBERS)
    point.to_file(hamlet.root / "outline.gpkg")
    hamlet.ask(aoi=str(hamlet.root / "outline.gpkg"))


SPOILED = {
    "unknown key": (lambda h: h.ask(colour="red"), "scenario.yaml", "colour", "not known here"),
    "unknown key in a layer": (
        lambda h: h.declare("land/blm", colour="red"),
        "land/blm.yaml",
        "colour",
        "not known here",
    ),
    "missing unit": (
        lambda h: h.ask(grid={"crs": "EPSG:5070", "resolution": "200"}),
        "grid.resolution",
        "'200'",
        "m, km, ft or mi",
    ),
    "weight zero": (
        lambda h: h.ask(criteria=edited_criteria("rail", weight="0")),
        "criteria.1.weight",
        "greater than 0",
    ),
    "weight below zero": (
        lambda h: h.ask(criteria=edited_criteria("rail", weight="-2")),
        "criteria.1.weight",
        "'-2'",
    ),
    "unknown layer": (
        lambda h: h.ask(criteria=edited_criteria("rail", layer="infrastructure/rial")),
        "infrastructure/rial",
        "the catalogue has no layer",
        "criterion rail",
        "--allow-missing",
    ),
    "layer of another kind": (
        lambda h: h.ask(
            criteria=edited_criteria("slope", layer="land/dod"),
            evidence={**SCENARIO["evidence"], "layers": ["land/dod"]},
        ),
        "criterion slope: slope: layer land/dod is a polygon, expected raster",
        "evidence.layers: layer land/dod is a polygon, expected point",
    ),
    "several faults at once": (
        lambda h: h.ask(tint="blue", grid={"crs": "EPSG:5070", "resolution": "-1 m"}, rules="x"),
        "tint",
        "grid.resolution",
        "rules",
    ),
    "unknown rule set and commodity": (
        lambda h: h.ask(rules=["sovereign-lnd"], commodities=["unobtainium"]),
        "sovereign-lnd",
        "unobtainium",
    ),
    "empty aoi": (lambda h: h.ask(aoi=""), "aoi", "at least 1 character"),
    "aoi without area": (outline_without_area, "outline.gpkg", "no polygon with an area"),
    "aoi in the sea": (lambda h: h.ask(aoi=ATLANTIC), "no land of BLM", "land/blm", "--aoi"),
    "aoi beyond the grid": (lambda h: h.ask(aoi="10,45,11,46"), "not meant for that"),
    "aoi unknown": (lambda h: h.ask(aoi="Toylandia"), "'Toylandia'", "known are", "Toyland"),
    "aoi with swapped axes": (lambda h: h.ask(aoi="39,-118,40,-117"), "swapped"),
    "states without names": (
        lambda h: h.declare("aoi/states", fields={"code": {}}),
        "aoi/states",
        "no field name",
    ),
    "geographic grid": (
        lambda h: h.ask(grid={"crs": "EPSG:4326", "resolution": "200 m"}),
        "grid.crs",
        "'WGS 84'",
        "EPSG:5070",
    ),
    "grid in feet": (
        lambda h: h.ask(grid={"crs": "EPSG:2227", "resolution": "200 m"}),
        "grid.crs",
        "in metres",
    ),
    "grid snapped to nowhere": (
        lambda h: h.ask(grid={"crs": "EPSG:5070", "resolution": "200 m", "origin": ["nan", "x"]}),
        "grid.origin.0: 'nan m' is not finite",
        "grid.origin.1: 'x m' does not begin with a number",
    ),
    "grid snapped to a number": (
        lambda h: h.ask(grid={"crs": "EPSG:5070", "resolution": "200 m", "origin": "30 m"}),
        "grid.origin",
    ),
    "no grid at all": (
        lambda h: h.ask(grid={"crs": "a map", "resolution": "200 m"}),
        "'a map' is not a coordinate reference system",
    ),
    "grid beyond reason": (
        lambda h: h.ask(grid={"crs": "EPSG:5070", "resolution": "0.01 m"}),
        "aoi Toyland",
        "cells",
        "coarser --resolution",
    ),
    "nothing left after where": (
        lambda h: h.declare("infrastructure/rail", where="name = 'none'"),
        "rail.fgb",
        "no feature is left",
        "name = 'none'",
    ),
    "where of an unknown field": (
        lambda h: h.ask(criteria=edited_criteria("rail", where="kv >= 115")),
        "infrastructure/rail",
        "no such column: kv",
    ),
    "sum of an unknown field": (
        lambda h: h.ask(
            criteria=edited_criteria(
                "labour", measure={"kind": "sum_within", "field": "folk", "radius": "8 km"}
            )
        ),
        "infrastructure/towns",
        "'folk'",
        "name, population",
    ),
    "sum of words": (
        lambda h: h.ask(
            criteria=edited_criteria(
                "labour", measure={"kind": "sum_within", "field": "name", "radius": "8 km"}
            )
        ),
        "'Middletown'",
        "expected numbers",
        "type: number",
    ),
    "category of an unknown field": (
        lambda h: h.ask(
            criteria=edited_criteria(
                "labour",
                layer="land/dod",
                measure={"kind": "category", "field": "kind"},
                value={"kind": "categorical", "scores": {"none": "0", "fort": "1"}},
            )
        ),
        "land/dod has no field 'kind'",
    ),
    "geopackage cut in half": (cut_in_half("blm.gpkg"), "blm.gpkg"),
    "geopackage of noise": (garbled("blm.gpkg"), "blm.gpkg"),
    "raster cut in half": (cut_in_half("dem.tif"), "dem.tif"),
    "zip that climbs": (climbing_zip, "blm.zip", "../blm.gpkg"),
    "text for coordinates": (
        rows("usmin.csv", ("here", "there"), ("near", "far")),
        "usmin.csv",
        "'here', 'there'",
    ),
    "swapped coordinates": (
        rows("usmin.csv", *(lonlat(x, y)[::-1] for x, y, _ in RECORDS)),
        "usmin.csv",
        "swapped",
    ),
    "nan coordinates": (
        rows("usmin.csv", ("nan", "nan"), ("NaN", "40")),
        "usmin.csv",
        "not finite",
    ),
    "infinite coordinates": (
        rows("usmin.csv", ("inf", "40"), ("-117", "-inf")),
        "usmin.csv",
        "not finite",
    ),
    "wrong tag": (
        lambda h: write_elevation(h.data / "dem.tif", crs="EPSG:32611"),
        "dem.tif",
        "EPSG:32611",
        "EPSG:5070",
    ),
    "no tag": (
        lambda h: write_elevation(h.data / "dem.tif", crs=None),
        "dem.tif",
        "carries no coordinate reference system",
    ),
    "vector with another crs": (
        lambda h: h.declare("infrastructure/rail", crs="EPSG:4326"),
        "rail.fgb",
        "EPSG:5070",
        "EPSG:4326",
    ),
    "no ore of that kind": (
        lambda h: h.ask(commodities=["lithium"]),
        "(lithium)",
        "0 records",
        "recorded there: Copper (",
        "widen",
    ),
    "landscape for a parcel": (
        lambda h: h.ask(sites={"unit": "parcel", "pad": "50 ha", "max_parcel": "1 km2"}),
        "West Tract (56 km²)",
        "sites.unit patch",
    ),
}


@pytest.mark.parametrize("name", SPOILED)
def test_spoiled_input_is_refused(hamlet, name):
    spoil, *words = SPOILED[name]
    before = tree(hamlet.outputs)
    spoil(hamlet)
    refused(hamlet, hamlet.cli("run"), before, *words)


def test_the_first_run_of_a_scenario_that_fails_leaves_no_folder(hamlet):
    shutil.rmtree(hamlet.outputs)
    hamlet.ask(aoi=ATLANTIC)
    assert hamlet.cli("run").exit_code == 1
    assert not (hamlet.outputs / "hamlet").exists()


def test_an_empty_aoi_on_the_command_line_is_no_aoi(hamlet):
    before = tree(hamlet.outputs)
    refused(hamlet, hamlet.cli("run", "--aoi", ""), before, "aoi ''", "Toyland")


def test_check_names_what_does_not_fit(hamlet):
    hamlet.ask(criteria=edited_criteria("rail", layer="terrain/elevation"))
    result = hamlet.cli("check")
    assert result.exit_code == 1
    assert "layer terrain/elevation is a raster, expected point or line or polygon" in result.stderr


def test_a_catalogue_that_is_not_there(tmp_path):
    result = cli("check", "--layers", tmp_path / "none")
    assert result.exit_code == 1
    assert "no catalogue here" in result.stderr


def test_self_crossing_polygons_are_repaired_and_counted(hamlet):
    bow = [(600, 600), (6000, 11_400), (6000, 600), (600, 11_400)]
    shapes = [shapely.Polygon([(WEST + x, SOUTH + y) for x, y in bow]), box(6000, 600, 9000, 9000)]
    frame = gpd.GeoDataFrame({"name": ["Bow Tie", "Sound"]}, geometry=shapes, crs=ALBERS)
    frame.to_file(hamlet.data / "blm.gpkg")
    result = hamlet.cli("run")
    assert result.exit_code == 0, result.stderr
    said = json.loads((Path(result.stdout.strip()) / "run.json").read_text(encoding="utf-8"))
    counts = next(c for c in said["counts"] if c["layer"] == "land/blm")
    assert (counts["found"], counts["used"], counts["repaired"]) == (2, 2, 1)


def test_some_rows_without_a_place_are_rejected_and_counted(hamlet):
    good = [lonlat(x, y) for x, y, _ in RECORDS]
    rows("usmin.csv", *good, ("nan", "40"), ("-117", "inf"), ("x", "y"))(hamlet)
    result = hamlet.cli("run")
    assert result.exit_code == 0, result.stderr
    said = json.loads((Path(result.stdout.strip()) / "run.json").read_text(encoding="utf-8"))
    counts = next(c for c in said["counts"] if c["layer"] == "minerals/usmin")
    assert (counts["found"], counts["used"]) == (6, 3)
    assert sum(counts["rejected"].values()) == 3


@pytest.mark.snapshot
def test_a_real_raster_whose_tag_is_wrong(hamlet, snapshot):
    before = tree(hamlet.outputs)
    shutil.copy(snapshot / "rasters/ri_nlcd_90m.tif", hamlet.data / "nlcd.tif")
    path = [{"kind": "file", "path": "nlcd.tif"}]
    hamlet.declare("terrain/elevation", sources=path, crs="EPSG:32130")
    refused(hamlet, hamlet.cli("run"), before, "nlcd.tif", "EPSG:3653", "EPSG:32130", "gdal_edit")


# ── a disk that is full ───────────────────────────────────────────────────────────────────────
def command(hamlet, **more):
    words = [sys.executable, "-m", "geosite", "run", *hamlet.words("run")]
    return subprocess.run(words, capture_output=True, text=True, timeout=120, check=False, **more)


@pytest.mark.parametrize("step", ["analyse", "_save_vectors", "_save_pages"])
def test_no_room_at_any_step(hamlet, monkeypatch, step):
    def full(*_args, **_kwargs):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    before = tree(hamlet.outputs)
    words = ("No space left on device", "GB are free")
    with monkeypatch.context() as patch:
        patch.setattr(f"geosite.runs.{step}", full)
        if step == "analyse":
            refused(hamlet, hamlet.cli("run"), before, *words, "--outputs")
            return
        result = hamlet.cli("run")
    assert result.exit_code == 1
    for word in (*words, "1 of 1 tiles are finished", "--resume"):
        assert word in result.stderr
    assert hamlet.cli("run", "--resume").exit_code == 0
    assert not list(hamlet.outputs.glob("*/*.partial"))


def test_files_that_may_not_grow(hamlet):
    before = tree(hamlet.outputs)
    limit = (8_000, 8_000)
    done = command(hamlet, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit))
    assert done.returncode == 1
    assert "could not be written" in done.stderr
    assert "Traceback" not in done.stderr
    assert not done.stdout
    assert tree(hamlet.outputs) == before


@pytest.mark.parametrize("room", [80, 140, 280, 400])
def test_a_disk_that_is_really_full(hamlet, room):
    disk = hamlet.root / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={room}k", "tmpfs", str(disk)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no right to mount a small disk")
    try:
        earlier = disk / "hamlet" / "earlier"
        earlier.mkdir(parents=True)
        shutil.copy(earlier_run(hamlet) / "run.json", earlier)
        before = tree(disk)
        words = [*hamlet.words("run")[:-1], str(disk)]
        result = cli("run", *words)
        assert result.exit_code == 1, result.output
        assert "could not be written" in result.stderr
        if "tiles are finished" not in result.stderr:
            assert "nothing half-written was kept" in result.stderr
            assert tree(disk) == before
        more = ["mount", "-o", "remount,size=8m", str(disk)]
        subprocess.run(more, check=True, capture_output=True)
        again = cli("run", *words, "--resume")
        assert again.exit_code == 0, again.output
        first = earlier_run(hamlet) / "sites.csv"
        assert (Path(again.stdout.strip()) / "sites.csv").read_bytes() == first.read_bytes()
        assert not list(disk.glob("*/*.partial"))
    finally:
        subprocess.run(["umount", str(disk)], check=False)


def test_a_demo_that_finds_no_room_leaves_no_world(tmp_path, monkeypatch):
    def full(*_args, **_kwargs):
        (tmp_path / "outputs/demo-world-40000-1/data").mkdir(parents=True)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("geosite.demo.make_world", full)
    result = cli("demo", "--cells", 40_000, "--outputs", tmp_path / "outputs")
    assert result.exit_code == 1
    assert "No space left on device" in result.stderr
    assert not list((tmp_path / "outputs").iterdir())


def test_outputs_that_are_a_file(hamlet):
    shutil.rmtree(hamlet.outputs)
    hamlet.outputs.write_text("in the way", encoding="utf-8")
    result = hamlet.cli("run")
    assert result.exit_code == 1
    assert "could not be written" in result.stderr
    assert hamlet.outputs.read_text(encoding="utf-8") == "in the way"


# ── a run that is killed ──────────────────────────────────────────────────────────────────────
KILLED = """
import os, shutil, signal, sys, time
from pathlib import Path
from geosite.cli import main
import geosite.catalog, geosite.pipeline, geosite.runs
outputs, kept, words = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]
for delay in (0.0, 0.1, 0.25, 0.4, 0.55, 0.7):
    there = set(outputs.glob("*/*"))
    child = os.fork()
    if not child:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        main(words)
    until = time.monotonic() + 30
    while set(outputs.glob("*/*")) == there and time.monotonic() < until:
        time.sleep(0.002)
    time.sleep(delay)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    # A run that finishes removes what an earlier one has left.
    for folder in outputs.glob("*/*.partial"):
        shutil.copytree(folder, kept / folder.name, dirs_exist_ok=True)
"""


def test_kill_at_any_moment_leaves_nothing_that_looks_finished(hamlet):
    earlier = earlier_run(hamlet)
    before, listing = tree(earlier), {p.name for p in earlier.iterdir()}
    words = ["run", *hamlet.words("run")]
    kept = hamlet.root / "kept"
    command = [sys.executable, "-c", KILLED, hamlet.outputs, kept, *words]
    subprocess.run(command, check=True, timeout=200)
    folders = [p for p in (hamlet.outputs / "hamlet").iterdir() if p != earlier]
    folders += kept.iterdir()
    assert any(p.suffix == ".partial" for p in folders)
    for folder in folders:
        if folder.suffix == ".partial":
            result = cli("map", folder)
            assert result.exit_code == 1
            assert "not a finished run" in result.stderr
        else:
            assert {p.name for p in folder.iterdir()} == listing
            assert cli("map", folder).exit_code == 0
    assert tree(earlier) == before
    assert hamlet.cli("run").exit_code == 0
    assert not list(hamlet.outputs.glob("*/*.partial"))


def test_a_catalogue_file_that_is_no_yaml(hamlet):
    write_yaml(hamlet.layers / "land/extra.yaml", {})
    (hamlet.layers / "land/blm.yaml").write_text("title: [", encoding="utf-8")
    before = tree(hamlet.outputs)
    refused(hamlet, hamlet.cli("run"), before, "land/blm.yaml", "cannot be read as YAML")
