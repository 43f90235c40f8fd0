"""A run folder is whole, says what it is, and is never changed again."""

from __future__ import annotations

import json
import os
import shutil

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import rasterio

from geosite.crs import WGS84, transformed
from geosite.errors import RunError
from geosite.report import DISCLAIMER
from geosite.runs import content, execute, open_run, render_again
from tests.worlds import earlier_run, shared_demo, tree

FILES = {
    "sites.csv",
    "sites.gpkg",
    "sites.parquet",
    "inventory.csv",
    "deposits.csv",
    "suitability.tif",
    "status.tif",
    "run.json",
    "map.html",
    "CITATIONS.md",
    "README.md",
}


@pytest.fixture(scope="module")
def folders(common, tmp_path_factory):
    demo = shared_demo(tmp_path_factory).folder.parent
    return [earlier_run(common), *sorted(demo.glob("*-*/*Z-*"))]


def test_every_file_is_there(folders):
    assert len(folders) == 3
    for folder in folders:
        assert {p.name for p in folder.iterdir()} >= FILES
        assert not list(folder.rglob("*.partial"))
        assert not list(folder.rglob("*.rough.tif"))


def test_every_table_and_page_carries_the_disclaimer(folders):
    for folder in folders:
        for table in ("sites.csv", "inventory.csv", "deposits.csv", "removed.csv"):
            read = pd.read_csv(folder / table)
            assert read["notice"].str.contains(DISCLAIMER, regex=False).all(), table
        for page in ("README.md", "CITATIONS.md", "map.html", "run.json"):
            text = (folder / page).read_text(encoding="utf-8")
            assert DISCLAIMER in text, page
        assert gpd.read_parquet(folder / "sites.parquet")["notice"].str.contains(DISCLAIMER).all()
        said = pyogrio.read_info(folder / "sites.gpkg", layer="sites")
        assert DISCLAIMER in said["layer_metadata"]["notice"]


def test_every_page_names_the_day_of_the_rules(common):
    for page in ("README.md", "map.html", "run.json", "sites.csv"):
        text = (earlier_run(common) / page).read_text(encoding="utf-8")
        assert "Data: synthetic; rules as of 2026-01-02" in text


def test_rasters_are_cogs_on_the_grid(folders):
    for folder in folders:
        grid = open_run(folder).store.grid
        for name in ("suitability.tif", "status.tif"):
            with rasterio.open(folder / name) as file:
                assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
                assert file.shape == grid.shape
                assert tuple(file.bounds) == grid.bounds


def test_the_folder_is_named_by_scenario_time_and_hash(folders):
    for folder in folders:
        said = open_run(folder).manifest
        assert folder.parent.name == said["scenario"]["name"].replace("/", "-")
        assert folder.name.endswith(said["hash"][:8])


def test_a_second_run_gives_the_same_table_and_leaves_the_first_alone(hamlet):
    before = tree(earlier_run(hamlet))
    found = [execute(hamlet.plan(), hamlet.outputs) for _ in range(2)]
    assert tree(earlier_run(hamlet)) == before
    assert len(list((hamlet.outputs / "hamlet").iterdir())) == 3
    first = earlier_run(hamlet)
    for run in found:
        assert run.manifest["hash"] == open_run(first).manifest["hash"]
        for name in ("sites.csv", "inventory.csv", "deposits.csv", "removed.csv"):
            assert (run.path / name).read_bytes() == (first / name).read_bytes()


def test_a_map_rendered_again_is_the_same_map(hamlet):
    run = open_run(earlier_run(hamlet))
    before = tree(run.path)
    assert render_again(run) == run.path / "map.html"
    assert tree(run.path) == before
    (run.path / "map.html").unlink()
    render_again(run)
    assert tree(run.path) == before


def test_the_old_map_stays_where_a_new_one_cannot_be_written(hamlet, monkeypatch):
    def full(path, _text):
        path.touch()
        raise OSError(28, "No space left on device")

    run = open_run(earlier_run(hamlet))
    before = tree(run.path)
    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(RunError, match=r"No space left|no space left"):
        render_again(run)
    assert tree(run.path) == before


def test_a_run_knows_its_sites_and_surfaces(common):
    run = open_run(earlier_run(common))
    assert len(run.sites) == run.manifest["sites"]
    assert set(run.store.dataset()) >= {"status", "suitability", "planes"}
    assert run.store.grid == common.plan().grid


def test_a_run_from_before_grids_were_snapped_opens(hamlet):
    path = earlier_run(hamlet) / "run.json"
    said = json.loads(path.read_text(encoding="utf-8"))
    assert said["grid"].pop("origin_m") == [0.0, 0.0]
    path.write_text(json.dumps(said), encoding="utf-8")
    assert open_run(path.parent).store.grid == hamlet.plan().grid


def test_a_folder_that_is_missing_or_unfinished_is_no_run(hamlet, monkeypatch):
    run = earlier_run(hamlet)
    unfinished = run.with_name("20260101T000000Z-1.partial")
    shutil.copytree(run, unfinished)
    monkeypatch.chdir(unfinished)
    for path in (run.parent, run / "none", unfinished, type(run)()):
        with pytest.raises(RunError, match="not a finished run"):
            open_run(path)


@pytest.mark.parametrize("name", ["sites.parquet", "sites.gpkg", "status.tif", "README.md"])
def test_a_run_that_has_lost_a_file_is_refused(hamlet, name):
    (earlier_run(hamlet) / name).unlink()
    with pytest.raises(RunError, match=f"has lost {name}"):
        open_run(earlier_run(hamlet))


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"hash": "1"}'])
def test_a_damaged_manifest_is_refused(hamlet, text):
    (earlier_run(hamlet) / "run.json").write_text(text, encoding="utf-8")
    with pytest.raises(RunError, match=r"run\.json: is damaged"):
        open_run(earlier_run(hamlet))


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"criteria": 5}, "criteria is no list"),
        ({"title": None}, "title is None, expected text"),
        ({"grid": {}}, r"grid\.crs is not there"),
        ({"grid": {"origin_m": [1]}}, r"grid\.origin_m has 1 values, expected 2"),
        ({"grid": {"origin_m": [1, "2"]}}, r"grid\.origin_m\[1\] is '2', expected a number"),
        ({"rules": [{"id": "a"}]}, r"rules\[0\]\.title is not there.*and \d more"),
        ({"sites": True}, "sites is True, expected a whole number"),
        ({"missing": [3]}, r"missing\[0\] is no mapping"),
    ],
)
def test_a_manifest_of_wrong_types_is_refused(hamlet, change, where):
    path = earlier_run(hamlet) / "run.json"
    said = json.loads(path.read_text(encoding="utf-8"))
    if change.get("grid"):
        change = {"grid": said["grid"] | change["grid"]}
    path.write_text(json.dumps(said | change), encoding="utf-8")
    with pytest.raises(RunError, match=rf"run\.json: is damaged.*{where}.*run the scenario again"):
        open_run(earlier_run(hamlet))


@pytest.mark.parametrize("name", ["sites.parquet", "sites.gpkg", "suitability.tif", "status.tif"])
@pytest.mark.parametrize("share", [0, 0.3, 0.9])
def test_a_damaged_file_is_named_when_it_is_read(hamlet, name, share):
    run = open_run(earlier_run(hamlet))
    whole = (run.path / name).read_bytes()
    (run.path / name).write_bytes(whole[: int(share * len(whole))])
    before = tree(run.path)
    for read in (content, render_again):
        with pytest.raises(RunError, match=name) as caught:
            read(run)
        assert str(caught.value).count("run the scenario again") == 1
        assert "could not be written" not in str(caught.value)
    assert tree(run.path) == before


def test_the_inventory_has_its_places_in_degrees(common):
    run = open_run(earlier_run(common))
    table = pd.read_csv(run.path / "inventory.csv")
    assert len(table) == 3
    assert set(table["crs"]) == {run.manifest["grid"]["crs"]}
    x, y = transformed(table["longitude"], table["latitude"], WGS84, run.store.grid.crs)
    assert np.hypot(x - table["x_m"], y - table["y_m"]).max() < 0.3


def test_the_table_is_rounded_and_the_parquet_is_not(common):
    run = open_run(earlier_run(common))
    table = pd.read_csv(run.path / "sites.csv", index_col="site_id")
    exact = run.sites.set_index("site_id")
    assert (table["suitability"] == exact["suitability"].round(6)).all()
    assert (exact["suitability"] != exact["suitability"].round(6)).any()


def test_every_file_and_folder_reaches_the_disk_before_its_name(hamlet, monkeypatch):
    synced = []
    monkeypatch.setattr("geosite.disk.os.fsync", lambda n: synced.append(os.fstat(n).st_ino))
    run = execute(hamlet.plan(), hamlet.outputs)
    there = {p.stat().st_ino for p in (*run.path.rglob("*"), run.path, run.path.parent)}
    assert there <= set(synced)


def test_the_manifest_is_what_was_saved(common):
    run = open_run(earlier_run(common))
    assert run.manifest == json.loads((run.path / "run.json").read_text(encoding="utf-8"))
