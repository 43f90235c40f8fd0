"""The benchmark's questions are whole, and its page says what its results say."""

import importlib.util
import json
import re
import subprocess
import sys
import tomllib

import pytest
from packaging.requirements import Requirement

from geosite import catalog as c
from geosite import references
from geosite.demo import AOI, make_world
from geosite.planning import plan


@pytest.fixture(scope="module")
def folder(root):
    return root / "benchmarks"


@pytest.fixture(scope="module")
def tables(folder):
    spec = importlib.util.spec_from_file_location("benchmark_tables", folder / "tables.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def conus(folder):
    return c.open_scenario(str(folder / "conus/scenario.yaml"))


def faults(scenario, catalog):
    rulebook = c.open_rulebook()
    return [
        *references.dangling(scenario, rulebook),
        *references.unknown_layers(scenario, catalog, rulebook),
        *references.unfit_layers(scenario, catalog, rulebook),
    ]


def test_the_workload_fits_its_catalogue(folder):
    scenario = c.open_scenario(str(folder / "nv90/scenario.yaml"))
    assert faults(scenario, c.open_catalog(folder / "nv90/layers")) == []


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return make_world(tmp_path_factory.mktemp("world"), cells=40_000)


def test_growth_is_asked_with_eight_criteria_and_eight_exclusions(conus, world):
    catalog = c.open_catalog(world.layers)
    assert faults(conus, catalog) == []
    planned = plan(conus, catalog, c.open_rulebook(), world.data, aoi=AOI)
    assert [t.tier for t in planned.treatments] == ["exclude"] * 8
    assert len(planned.criteria) == 8
    assert all(chosen.reading is not None for chosen in planned.criteria)
    assert not planned.missing
    assert planned.scenario.sites.unit == "deposit"


def test_growth_asks_by_the_rules_of_the_rulebook(conus):
    rulebook = c.open_rulebook()
    ours = {rule.id: rule for s in rulebook.sets.values() for rule in s.rules}
    assert {rule.id: rule for rule in conus.own_rules} == {
        rule.id: ours[rule.id] for rule in conus.own_rules
    }


def test_growth_has_the_anchors_of_the_preset(conus):
    def asked(scenario):
        return {k.id: (k.layer, k.where, k.measure, k.value, k.weight) for k in scenario.criteria}

    assert asked(conus) == asked(c.open_scenario("mine/open-pit"))


# ── the page ────────────────────────────────────────────────────────────────────────────────


def test_the_page_asks_for_every_table_once(folder, tables):
    page = (folder / "README.md").read_text(encoding="utf-8")
    assert sorted(tables.marked(page)) == sorted(tables.tables({}))


def test_the_page_shows_what_the_results_say(folder, tables):
    path = folder / "results.json"
    if not path.exists():
        pytest.skip("nothing was measured yet: make bench")
    page = (folder / "README.md").read_text(encoding="utf-8")
    made = tables.tables(json.loads(path.read_text(encoding="utf-8")))
    assert page == tables.filled(page, made), "make bench BENCH=--tables"


def test_a_table_replaces_what_stood_between_its_markers(tables):
    page = "before\n<!-- table: growth -->\nold\n<!-- end -->\nafter\n"
    assert tables.filled(page, {"growth": "new\n"}) == page.replace("old", "new")
    with pytest.raises(KeyError):
        tables.filled(page, {})


def test_a_missed_bar_is_called_missed(tables):
    nv90 = {
        "ratios": {"wall_naive": 3.9, "laps_naive": 5.0},
        "bars": {"wall_naive": 4.0, "laps_naive": 5.0},
        "tools": {"grass": {"failed": "not installed: grass"}},
        "agreement": {"patches": {}},
        "not_compared": ["read"],
    }
    made = tables.tables({"nv90": nv90})
    assert re.findall(r"\b(met|missed)\b", made["ratios"]) == ["missed", "met"]
    assert "not installed: grass" in made["tools"]


def test_answers_that_differ_are_not_hidden(tables):
    row = {
        "scheduler": "threads",
        "workers": 1,
        "wall_s": 1.0,
        "cpu_s": 1.0,
        "peak_bytes": 1e9,
        "speed_up": 1.0,
        "speed_up_tiles": 1.0,
    }
    scaling = {
        "rows": [row],
        "cells": 10**6,
        "same_answer": False,
        "compared": ["status"],
        "differing": ["status"],
        "means_something": False,
    }
    made = tables.tables({"scaling": scaling})["scaling"]
    assert "differ**: status" in made
    assert "smaller than 200 M" in made


# ── the instrument ──────────────────────────────────────────────────────────────────────────


def test_a_command_is_measured_with_its_children(folder, tmp_path):
    pytest.importorskip("psutil", reason="the bench group is not installed")
    # A parent that is small, and a child that holds 200 MB for half a second.
    child = "import time; held = b'x' * 200_000_000; time.sleep(0.5)"
    parent = f"""
import subprocess, sys
subprocess.run([sys.executable, "-c", {child!r}])
print("a lap: 1.25")
"""
    script = f"""
import json, sys
from pathlib import Path
from measured import measured
took = measured([sys.executable, "-c", {parent!r}], folder=Path(sys.argv[1]))
print(json.dumps([took.said(), took.laps]))
"""
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    said, laps = json.loads(done.stdout)
    assert 200e6 < said["peak_bytes"] < 400e6
    assert said["wall_s"] >= 0.5
    assert laps == {"a lap": 1.25}


def test_make_bench_installs_what_the_scripts_import(root, folder):
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lists = [project["dependencies"], project["optional-dependencies"]["bench"]]
    named = {Requirement(line).name for lines in lists for line in lines}
    called = {"cv2": "opencv-python-headless", "xrspatial": "xarray-spatial"}
    ours = {path.stem for path in folder.glob("*.py")} | {"geosite", "tests"}
    texts = [p.read_text(encoding="utf-8") for p in folder.rglob("*.py") if "work" not in p.parts]
    imported = {
        name
        for text in texts
        for name in re.findall(r"^ *(?:from|import) (\w+)", text, re.MULTILINE)
    }
    foreign = imported - ours - set(sys.stdlib_module_names)
    assert {called.get(name, name) for name in foreign} <= named
