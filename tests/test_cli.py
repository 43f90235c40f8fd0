"""The verbs: results on standard output, words on standard error, codes 0, 1 and 2."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from click.testing import CliRunner

from geosite.catalog import preset_names
from geosite.cli import main
from geosite.runs import open_run
from tests.worlds import (
    ALBERS,
    AOI,
    box,
    cli,
    earlier_run,
    lonlat,
    shared,
    shared_demo,
    tree,
)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return shared_demo(tmp_path_factory)


def words(world):
    return ["--layers", world.layers, "--data", world.data, "--aoi", AOI, "--resolution", "90 m"]


# ── the demo ──────────────────────────────────────────────────────────────────────────────────
def test_demo_prints_its_maps_and_nothing_else(world):
    base = world.folder.parent.parent
    maps = [Path(line) for line in (base / "stdout").read_text(encoding="utf-8").splitlines()]
    assert [m.parent.parent.name for m in maps] == ["mine-open-pit", "refinery-hydromet"]
    assert all(m.name == "map.html" and m.is_file() for m in maps)
    said = (base / "stderr").read_text(encoding="utf-8")
    assert "a synthetic basin of 40,000 cells" in said
    assert "geosite: " not in said


def test_demo_finds_sites_of_both_kinds(world):
    for name in ("mine-open-pit", "refinery-hydromet"):
        folder = next((world.folder.parent / name).iterdir())
        sites = pd.read_csv(folder / "sites.csv")
        assert len(sites) == open_run(folder).manifest["sites"] > 0
        assert sites["notice"].str.contains("SYNTHETIC WORLD").all()


def test_demo_takes_an_aoi_and_a_resolution(tmp_path, tmp_path_factory):
    outline = gpd.read_file(shared_demo(tmp_path_factory).data / "aoi/states.geojson")
    west, south, east, north = outline.total_bounds
    part = f"{west + 0.02},{south + 0.02},{east - 0.02},{north - 0.02}"
    result = cli(
        *("demo", "--cells", 40_000, "--seed", 3, "--outputs", tmp_path / "outputs"),
        *("--aoi", part, "--resolution", "180 m", "--data", tmp_path / "world"),
    )
    assert result.exit_code == 0, result.stderr
    for line in result.stdout.splitlines():
        said = open_run(Path(line).parent).manifest
        assert said["aoi"] == part
        assert said["grid"]["resolution_m"] == 180
    assert (tmp_path / "world/layers").is_dir()


@pytest.mark.parametrize("option", [["--cells", 5], ["--resolution", "90"]])
def test_demo_refuses_what_is_no_number_of_cells_or_metres(tmp_path, option):
    result = cli("demo", "--outputs", tmp_path / "outputs", *option)
    assert result.exit_code == 2
    assert not (tmp_path / "outputs").exists()


def test_demo_refuses_a_seed_below_zero(tmp_path):
    result = cli("demo", "--outputs", tmp_path / "outputs", "--seed", -1)
    assert result.exit_code == 1
    assert "seed" in result.stderr
    assert not (tmp_path / "outputs").exists()


# ── check ─────────────────────────────────────────────────────────────────────────────────────
def test_check_finds_the_official_catalogue_and_the_presets_valid():
    result = cli("check")
    assert result.exit_code == 0, result.stderr
    said = result.stdout.splitlines()
    assert len(said) == 1 + len(preset_names())
    assert all(line.endswith("valid") for line in said)
    assert not result.stderr


def test_check_finds_the_demo_and_a_scenario_valid(world, hamlet):
    assert cli("check", "mine/open-pit", "--layers", world.layers).exit_code == 0
    assert hamlet.cli("check").exit_code == 0


def test_check_reads_no_data(hamlet):
    for file in hamlet.data.iterdir():
        file.unlink()
    assert hamlet.cli("check").exit_code == 0


def test_check_names_a_scenario_that_is_not_there():
    result = cli("check", "mine/under-the-sea")
    assert result.exit_code == 1
    assert "presets are mine/brine, mine/clay, mine/open-pit, mine/underground" in result.stderr


# ── plan ──────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("preset", ["mine/open-pit", "refinery/hydromet"])
def test_plan_says_what_it_will_cost(world, preset):
    result = cli("plan", preset, *words(world))
    assert result.exit_code == 0, result.stderr
    for word in ("cells of 90 m", "halo", "memory", "rules as of", "criteria", "layers"):
        assert word in result.stdout
    assert "missing (run refuses" not in result.stdout
    assert not result.stderr


def test_plan_lists_what_is_missing(hamlet):
    before = tree(hamlet.root)
    (hamlet.data / "rail.fgb").unlink()
    result = hamlet.cli("plan")
    assert result.exit_code == 0
    assert "run refuses unless --allow-missing" in result.stdout
    assert "infrastructure/rail (criterion rail)" in result.stdout
    del before["data/rail.fgb"]
    assert tree(hamlet.root) == before


# ── run ───────────────────────────────────────────────────────────────────────────────────────
def test_run_prints_the_folder_and_nothing_else(common):
    base = common.root.parent
    folder = (base / "stdout").read_text(encoding="utf-8").removesuffix("\n")
    assert Path(folder) == earlier_run(common)
    said = (base / "stderr").read_text(encoding="utf-8")
    assert "3 sites" in said
    assert "Copper Hill" in said


def test_run_draws_no_map_if_asked_and_map_draws_it_later(hamlet):
    result = hamlet.cli("run", "--no-map")
    assert result.exit_code == 0, result.stderr
    folder = Path(result.stdout.strip())
    assert (folder / "sites.csv").is_file()
    assert not (folder / "map.html").exists()
    assert cli("map", folder).exit_code == 0
    assert (folder / "map.html").is_file()


def test_run_refuses_missing_layers_and_goes_on_when_allowed(hamlet):
    for name in ("rail.fgb", "tribal.geojson"):
        (hamlet.data / name).unlink()
    before = tree(hamlet.outputs)
    refused = hamlet.cli("run")
    assert refused.exit_code == 1
    for word in (
        "infrastructure/rail (criterion rail)",
        "land/tribal (land, rule tribal-land, rule tribal-land-nearby)",
        "geosite fetch hamlet",
    ):
        assert word in refused.stderr
    assert "--allow-missing" in refused.stderr
    assert tree(hamlet.outputs) == before
    allowed = hamlet.cli("run", "--allow-missing")
    assert allowed.exit_code == 0, allowed.stderr
    assert "note: criterion rail runs as unknown" in allowed.stderr
    folder = Path(allowed.stdout.strip())
    sites = pd.read_csv(folder / "sites.csv")
    assert (sites["not_examined"] == "Distance to rail").all()
    assert (sites["rules_unknown"] == "tribal-land").all()
    readme = (folder / "README.md").read_text(encoding="utf-8")
    assert "land/tribal" in readme or "Tribal" in readme


@pytest.mark.parametrize("kind", ["box", "file", "name"])
def test_run_takes_an_aoi_and_a_resolution(hamlet, kind):
    path = hamlet.root / "part.gpkg"
    gpd.GeoDataFrame(geometry=[box(1000, 1000, 9000, 9000)], crs=ALBERS).to_file(path)
    (west, south), (east, north) = lonlat(1000, 1000), lonlat(9000, 9000)
    aoi = {"box": f"{west},{south},{east},{north}", "file": str(path), "name": "TL"}[kind]
    result = hamlet.cli("run", f"--aoi={aoi}", "--resolution", "0.25 km")
    assert result.exit_code == 0, result.stderr
    said = open_run(Path(result.stdout.strip())).manifest
    assert said["grid"]["resolution_m"] == 250
    assert said["aoi"] == ("part" if kind == "file" else aoi)
    assert (said["grid"]["cells"] == 48 * 48) == (kind == "name")


@pytest.mark.parametrize("text", ["90", "-1 m", "0 m", "ninety", "5 kg"])
def test_a_resolution_needs_a_length_above_zero(text):
    result = cli("plan", "mine/open-pit", f"--resolution={text}")
    assert result.exit_code == 2
    assert "--resolution" in result.stderr


# ── map, explain ──────────────────────────────────────────────────────────────────────────────
def test_map_prints_the_path_of_the_same_map(hamlet):
    run = earlier_run(hamlet)
    before = tree(run)
    result = cli("map", run)
    assert (result.exit_code, result.stdout) == (0, f"{run / 'map.html'}\n")
    assert tree(run) == before


def test_explain_takes_a_site_or_a_spot(common):
    run = earlier_run(common)
    site = open_run(run).sites["site_id"].iloc[0]
    result = cli("explain", run, site)
    assert result.exit_code == 0
    assert result.stdout.startswith(site)
    lon, lat = lonlat(3100, 3100)
    assert lon < 0
    result = cli("explain", run, "--", f"{lon},{lat}")
    assert result.exit_code == 0
    assert "West Tract" in result.stdout


def test_explain_on_the_demo(world):
    run = next((world.folder.parent / "refinery-hydromet").iterdir())
    sites = pd.read_csv(run / "sites.csv")
    result = cli("explain", run, sites["site_id"][0])
    assert result.exit_code == 0
    assert "contributions sum to suitability" in result.stdout
    spot = f"{sites['longitude'][0]},{sites['latitude'][0]}"
    result = cli("explain", run, "--", spot)
    assert result.exit_code == 0
    assert "suitability of this cell" in result.stdout


@pytest.mark.parametrize("what", ["BLM-1", "0,0", "nan,nan", "1,2,3", "Copper Hill"])
def test_explain_refuses_what_is_not_in_the_run(common, what):
    result = cli("explain", earlier_run(common), what)
    assert result.exit_code == 1
    assert result.stderr.startswith("geosite: ")
    assert not result.stdout


@pytest.mark.parametrize("verb", ["map", "explain"])
def test_a_folder_that_is_no_run(tmp_path, verb):
    result = cli(verb, tmp_path, *(["BLM-1"] if verb == "explain" else []))
    assert result.exit_code == 1
    assert "not a finished run" in result.stderr


# ── the program ───────────────────────────────────────────────────────────────────────────────
def test_the_module_is_the_program(hamlet):
    (hamlet.data / "rail.fgb").unlink()
    command = [sys.executable, "-W", "error", "-m", "geosite", "run", *hamlet.words("run")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    assert "geosite: layers are missing:" in done.stderr
    assert "Traceback" not in done.stderr
    assert not done.stdout


def test_help_and_version():
    help_ = cli("--help")
    assert help_.exit_code == 0
    for verb in (
        "fetch",
        "layers",
        "layer",
        "bundle",
        "check",
        "plan",
        "run",
        "map",
        "explain",
        "demo",
    ):
        assert verb in help_.stdout
        assert cli(verb, "-h").exit_code == 0
    assert cli("--version").exit_code == 0
    assert cli("dig").exit_code == 2


def test_what_is_shared_is_made_once(tmp_path_factory, common):
    assert shared(tmp_path_factory, "hamlet", pytest.fail) == common.root.parent


# ── a layer of one's own ──────────────────────────────────────────────────────────────────────
def test_the_catalogue_that_came_with_the_package_takes_no_entry(tmp_path, monkeypatch):
    packed = tmp_path / "site-packages/geosite/layers"
    packed.mkdir(parents=True)
    monkeypatch.setattr("geosite.catalog._PACKAGE", packed.parent)
    table = tmp_path / "holes.csv"
    table.write_text("name,lon,lat\na,-117,38\n", encoding="utf-8")
    sure = ["--yes", "--answer", "crs=EPSG:4326", "--answer", "absence=informative"]
    result = cli("layer", "add", table, *sure, "--data", tmp_path / "data")
    assert result.exit_code == 1
    assert f"came with the package, in {packed}" in result.stderr
    assert not list(packed.iterdir())
    own = ["--layers", tmp_path / "own", "--data", tmp_path / "data"]
    assert cli("layer", "add", table, *sure, *own).exit_code == 0


def test_words_that_do_not_answer_are_asked_again(tmp_path, monkeypatch):
    monkeypatch.setattr("geosite.cli.layers._is_asked", lambda: True)
    table = tmp_path / "holes.csv"
    table.write_text("name,lon,lat\na,-117,38\n", encoding="utf-8")
    given = ["--answer=title=t", "--answer=agency=a", "--answer=purpose=p", "--answer=vintage=2026"]
    given += ["--answer=licence=none", "--answer=citation=none", "--answer=positional_accuracy=5 m"]
    own = ["--layers", str(tmp_path / "own"), "--data", str(tmp_path / "data")]
    said = "wherever\nEPSG:4326\nyes\neverywhere\nno\ninformative\n"
    result = CliRunner().invoke(main, ["layer", "add", str(table), *given, *own], input=said)
    assert result.exit_code == 0, result.output
    assert "coverage: 'yes' is not extent, everywhere or west, south" in result.stderr
    assert "'wherever'" in result.stderr


def test_names_in_data_do_not_command_the_terminal(hamlet):
    table = hamlet.data / "usmin.csv"
    rows = table.read_text(encoding="utf-8")
    assert "Copper Hill" in rows
    table.write_text(rows.replace("Copper Hill", "Copper\x1b[2J Hill"), encoding="utf-8")
    result = hamlet.cli("run", "--no-map")
    assert result.exit_code == 0, result.stderr
    assert "\x1b" not in result.stderr
    assert "Copper\N{REPLACEMENT CHARACTER}[2J Hill" in result.stderr
    run = Path(result.stdout.strip())
    site = pd.read_csv(run / "sites.csv")["site_id"][0]
    assert "\x1b" not in cli("explain", run, site).stdout
