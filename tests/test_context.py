"""What a run keeps for its map: from its own layers, and never a reason to fail."""

from __future__ import annotations

import json
import shutil
from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely

from geosite.context import ASPECT, BESIDE, FARTHEST, FILE, MARGIN, _around, context, saved_context
from geosite.runs import content, open_run
from tests.worlds import SOUTH, WEST, box, cli, put_layer, shared_demo


@pytest.fixture
def around(hamlet):
    """A hamlet with counties, a highway, a river, a lake, substations and a mill."""
    put_layer(hamlet, "aoi/counties", [box(-9e4, -9e4, 6000, 9e4), box(6000, -9e4, 9e4, 9e4)],
              name=["West", "East"], state=["NV", "NV"])  # fmt: skip
    lines = [shapely.LineString([(WEST + 1000 * k, SOUTH), (WEST + 1000 * k + 1000, SOUTH)])
             for k in range(-300, 300)]  # fmt: skip
    put_layer(hamlet, "infrastructure/highways", lines, name=["US 50"] * len(lines))
    put_layer(hamlet, "hydrography/rivers", lines[300:302], name=["Big", "Small"], order=[5.0, 1.0])
    put_layer(hamlet, "hydrography/lakes", [box(0, 0, 900, 900)], name=["Dry Lake"])
    put_layer(hamlet, "infrastructure/substations", [lines[300].centroid], name=["Hub"], kv=[230.0],
              ENTRY={"fields": {"name": {}, "kv": {"type": "number", "unit": "kV"}}})  # fmt: skip
    put_layer(hamlet, "infrastructure/runways", [box(0, 0, 9, 9)], name=["no line and no point"])
    hamlet.ask(rules=[])
    shutil.rmtree(hamlet.outputs)
    return hamlet


def folder_of(hamlet):
    """Of its only run."""
    (folder,) = (hamlet.outputs / "hamlet").iterdir()
    return folder


def test_the_base_comes_from_the_layers_of_the_run(around):
    found = context(around.plan())
    assert {"states", "states_named", "counties", "counties_named", "towns", "roads", "rail",
            "rivers", "lakes", "substations"} <= {*found.frames}  # fmt: skip
    assert found.notes == ()
    assert "runways" not in found.frames
    assert sorted(found.frames["counties_named"]["name"]) == ["East", "West"]
    assert found.frames["rivers"]["name"].tolist() == ["Big"], "small streams are not kept"
    assert found.frames["substations"][["name", "kv"]].to_numpy().tolist() == [["Hub", 230.0]]
    (said,) = (x for x in found.layers if x["name"] == "substations")
    assert said["id"] == "infrastructure/substations"
    assert said["units"] == {"kv": "kV"}
    assert said["features"] == 1
    assert said["files"][0]["sha256"]


def test_it_reaches_a_margin_beyond_the_aoi_and_no_further(around):
    # A line of power like the road, to be seen near the AOI only.
    road = gpd.read_file(around.data / "infrastructure-highways.gpkg")
    put_layer(around, "infrastructure/transmission", road.geometry, name=["Line"] * len(road))
    plan = around.plan()
    found = context(plan)
    left, _, right, _ = plan.aoi.bounds
    power, road = found.frames["transmission"], found.frames["roads"]
    assert road.crs == plan.grid.crs
    assert power.total_bounds[[0, 2]].tolist() == pytest.approx([left - 20_000, right + 20_000])
    half = ASPECT * ((right - left) / 2 + 20_000)  # of an AOI as high as wide
    middle = (left + right) / 2
    assert 2 * half > right - left + 40_000
    assert road.total_bounds[[0, 2]].tolist() == pytest.approx([middle - half, middle + half])
    assert road.geometry.count_coordinates().sum() == 2, "its pieces are one line"


@pytest.mark.parametrize(("width", "height", "wider"), [(4e5, 9e5, True), (9e5, 4e5, False)])
def test_the_base_fills_a_screen_and_no_more(width, height, wider):
    near, wide, extent = _around(SimpleNamespace(aoi=shapely.box(0, 0, width, height)))
    assert extent == 9e5
    assert near[0] == -MARGIN * extent
    assert shapely.box(*wide).covers(shapely.box(*near))
    assert (wide[0] < near[0]) == wider
    assert (wide[1] < near[1]) != wider
    assert wide[2] - width <= BESIDE + FARTHEST


def test_same_input_gives_the_same_shapes(around):
    first, second = (context(around.plan()) for _ in range(2))
    for name, frame in first.frames.items():
        assert (frame.geometry.to_wkb() == second.frames[name].geometry.to_wkb()).all(), name


def test_a_layer_that_is_missing_is_left_out(around):
    (around.data / "hydrography-lakes.gpkg").unlink()
    (around.layers / "infrastructure/highways.yaml").unlink()
    found = context(around.plan())
    assert not {"lakes", "roads"} & {*found.frames}
    assert found.notes == ()


def test_a_layer_that_cannot_be_read_is_told_and_no_reason_to_fail(around):
    (around.data / "hydrography-lakes.gpkg").write_bytes(b"not a GeoPackage")
    found = context(around.plan())
    assert "lakes" not in found.frames
    assert "states" in found.frames
    (note,) = found.notes
    assert note.startswith("the map's base lacks hydrography/lakes: ")


def test_a_layer_that_cannot_be_cut_is_told_and_no_reason_to_fail(around, monkeypatch):
    def broken(*_, **__):
        msg = "no such\nshape"
        raise ValueError(msg)

    monkeypatch.setattr("geosite.context.borders", broken)
    found = context(around.plan())
    assert "roads" in found.frames
    assert found.notes == tuple(
        f"the map's base lacks aoi/{name}: no such shape" for name in ("states", "counties")
    )


def test_parts_of_a_union_are_not_shown_beside_it(around):
    point = shapely.Point(WEST + 10, SOUTH + 10)
    for part in ("lines_a", "lines_b"):
        put_layer(around, f"infrastructure/{part}", [point], name=[part])
    parts = ["infrastructure/lines_a", "infrastructure/lines_b"]
    put_layer(around, "infrastructure/whole", [point], name=["whole"],
              ENTRY={"sources": None, "crs": None, "union_of": parts})  # fmt: skip
    found = context(around.plan())
    assert "whole" in found.frames
    assert not {"lines_a", "lines_b"} & {*found.frames}


def test_a_run_keeps_it_and_the_map_reads_it(around):
    result = around.cli("run")
    assert not result.exit_code, result.output
    run = open_run(folder_of(around))
    kept = content(run)
    assert {*kept.context} == {str(n) for n, _ in pyogrio.list_layers(run.path / FILE)}
    assert kept.context_labels["lakes"].layer.citation
    assert "context.gpkg" in (run.path / "README.md").read_text(encoding="utf-8")
    assert "hydrography/lakes" in (run.path / "CITATIONS.md").read_text(encoding="utf-8")
    said = pyogrio.read_info(run.path / FILE, layer="lakes")
    assert said["layer_metadata"]["citation"] == kept.context_labels["lakes"].layer.citation


def test_the_answer_does_not_depend_on_it(around):
    assert not around.cli("run").exit_code
    first = folder_of(around).name.rpartition("-")[2]
    (around.layers / "hydrography/lakes.yaml").unlink()
    assert not around.cli("run").exit_code
    after = {p.name.rpartition("-")[2] for p in (around.outputs / "hamlet").iterdir()}
    assert after == {first}


def test_a_run_from_before_it_was_kept_is_shown_without(around):
    assert not around.cli("run").exit_code
    folder = folder_of(around)
    said = json.loads((folder / "run.json").read_text())
    (folder / FILE).unlink()
    assert content(open_run(folder)).context == {}
    del said["context"]
    (folder / "run.json").write_text(json.dumps(said))
    shown = content(open_run(folder))
    assert (shown.context, shown.context_labels, shown.context_notes) == ({}, {}, ())
    assert not cli("map", folder).exit_code


def test_the_demo_has_a_base(tmp_path_factory):
    folders = (p for p in shared_demo(tmp_path_factory).folder.parent.glob("*-*/*Z-*"))
    for folder in folders:
        found = content(open_run(folder)).context
        assert {"states", "counties", "towns", "roads", "rail", "rivers",
                "substations", "transmission"} <= {*found}, folder  # fmt: skip


def test_it_is_written_where_it_is_asked(around, tmp_path):
    said = saved_context(around.plan(), tmp_path)
    assert json.loads(json.dumps(said)) == said
    read = gpd.read_file(tmp_path / FILE, layer="states")
    assert read.crs == around.plan().grid.crs
    assert np.isfinite(read.total_bounds).all()


def test_a_run_whose_base_is_damaged_still_has_its_map_and_says_so(around):
    assert not around.cli("run").exit_code
    folder = folder_of(around)
    (folder / FILE).write_bytes(b"no geopackage")
    shown = content(open_run(folder))
    assert shown.context == {}
    assert "the map has no base" in shown.context_notes[-1]
    assert str(folder / FILE) in shown.context_notes[-1]
    again = cli("map", folder)
    assert again.exit_code == 0, again.output
    assert "the map has no base" in again.stderr
