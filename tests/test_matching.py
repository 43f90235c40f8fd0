"""Two runs paired, from their folders to another one."""

import json
import shutil

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from pyproj import CRS

from geosite import report
from geosite.crs import projected
from geosite.runs import open_run
from tests import worlds


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return worlds.shared_demo(tmp_path_factory)


@pytest.fixture(scope="module")
def runs(world):
    def one(name):
        return next(p.parent for p in sorted(world.folder.parent.rglob(f"{name}/*/run.json")))

    return one("mine-open-pit"), one("refinery-hydromet")


@pytest.fixture(scope="module")
def folder(runs, tmp_path_factory):
    out = tmp_path_factory.mktemp("pair") / "out"
    done = worlds.cli("pair", *runs, "--out", out, "--top", 3)
    assert done.exit_code == 0, done.output
    (out.parent / "stdout").write_text(done.stdout, encoding="utf-8")
    return out


def test_the_verb_prints_both_lists_and_the_folder(folder):
    said = (folder.parent / "stdout").read_text(encoding="utf-8")
    assert said.splitlines()[-1] == str(folder)
    assert "Plants (" in said
    assert "Mines (" in said
    assert "paired = suitability × (0.7 + 0.3 × score)" in said
    assert "to be confirmed" in said
    assert {p.name for p in folder.iterdir()} == {
        "README.txt",
        "links.gpkg",
        "map.html",
        "mines.csv",
        "pairing.json",
        "pairs.csv",
        "plants.csv",
    }


def test_both_lists_hold_every_site_and_both_ranks(folder, runs):
    for name, run in zip(("mines", "plants"), runs, strict=True):
        table = pd.read_csv(folder / f"{name}.csv")
        sites = open_run(run).sites
        assert set(table["site_id"]) == set(sites["site_id"])
        assert table["rank_after"].tolist() == list(range(1, len(table) + 1))
        assert sorted(table["rank_before"]) == sorted(sites["rank"])
        factor = 0.7 + 0.3 * table["pairing_score"]
        assert table["paired"].tolist() == pytest.approx(
            (table["suitability"] * factor).tolist(), abs=1e-5
        )
        assert table["paired"].is_monotonic_decreasing
        assert table["notice"].str.contains("Pre-decisional").all()


def test_each_way_is_drawn_from_the_plant_to_the_mine(folder, runs):
    links = gpd.read_file(folder / "links.gpkg")
    mines = pd.read_csv(folder / "mines.csv")
    fed = mines[mines["plant"].notna()]
    assert set(links["mine"]) == set(fed["site_id"])
    sites = open_run(runs[0]).sites.set_index("site_id")
    for id_, pieces in links.sort_values("part").groupby("mine"):
        end = shapely.Point(pieces.geometry.iloc[-1].coords[-1])
        assert end.distance(sites.geometry[id_]) < 1
    assert links.crs == sites.crs


def test_the_cheapest_pair_is_the_mines_plant(folder):
    mines = pd.read_csv(folder / "mines.csv").set_index("site_id")
    pairs = pd.read_csv(folder / "pairs.csv")
    first = pairs[pairs["nth_cheapest"] == 1].set_index("mine")
    assert first["plant"].to_dict() == mines["plant"].dropna().to_dict()
    assert set(pairs["way"]) <= {"network", "straight line", "same place"}


def test_the_same_runs_are_the_same_tables(folder, runs, tmp_path):
    assert worlds.cli("pair", *runs, "--out", tmp_path / "again").exit_code == 0
    for name in ("mines.csv", "plants.csv", "pairs.csv", "map.html"):
        assert (tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes()


def test_a_run_of_the_other_kind_is_told(runs):
    mine, plant = runs
    done = worlds.cli("pair", plant, mine)
    assert done.exit_code == 1
    assert "is a refinery run; the first run is of a mine" in done.stderr
    assert "is a mine run; the second run is of a refinery" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--road", "infrastructure/canals"), "infrastructure/canals: is not in the catalogue"),
        (("--rail", "land/blm"), "land/blm: holds polygons; name a layer of lines"),
    ],
)
def test_a_layer_that_cannot_be_had_is_told(runs, words, said):
    done = worlds.cli("pair", *runs, *words)
    assert done.exit_code == 1
    assert said in done.stderr


def test_without_layers_ways_are_straight_and_that_is_said(runs, world, tmp_path):
    layers = shutil.copytree(world.layers, tmp_path / "layers")
    for name in ("rail", "freeways"):
        (layers / "infrastructure" / f"{name}.yaml").unlink(missing_ok=True)
    done = worlds.cli(
        "pair", *runs, "--layers", layers, "--data", world.data, "--out", tmp_path / "out"
    )
    assert done.exit_code == 0, done.output
    assert "no road layer (infrastructure/freeways is not in the catalogue)" in done.stdout
    assert "100 % of the" in done.stdout
    said = json.loads((tmp_path / "out" / "pairing.json").read_text())
    assert said["straight_pairs"] == said["pairs"]
    assert len(said["notes"]) == 2


def test_nothing_within_a_cost_of_nothing(runs, tmp_path):
    words = ("--max-cost", "0", "--weight", "1", "--process", "any", "--out", tmp_path / "out")
    done = worlds.cli("pair", *runs, *words)
    assert done.exit_code == 0, done.output
    mines = pd.read_csv(tmp_path / "out" / "mines.csv")
    assert (mines["paired"] == 0).all()
    assert mines["rank_before"].tolist() == mines["rank_after"].tolist()
    assert "no ore in reach" in done.stdout
    assert gpd.read_file(tmp_path / "out" / "links.gpkg").empty


def test_a_made_up_world_and_real_places_are_not_paired(runs, tmp_path):
    done = worlds.cli("pair", *runs, "--out", tmp_path / "out")
    assert "SYNTHETIC WORLD" in done.stdout
    run = shutil.copytree(runs[1], tmp_path / "run")
    said = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**said, "synthetic": False}))
    done = worlds.cli("pair", runs[0], run)
    assert done.exit_code == 1
    assert "is of a synthetic world, the other of real places" in done.stderr


def test_a_run_without_sites_is_told(runs, tmp_path):
    run = shutil.copytree(runs[1], tmp_path / "run")
    said = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**said, "sites": 0}))
    done = worlds.cli("pair", runs[0], run)
    assert done.exit_code == 1
    assert "this run has no site" in done.stderr


def test_a_scenario_that_does_not_say_what_its_plants_do_takes_any_ore(runs, tmp_path):
    run = shutil.copytree(runs[1], tmp_path / "run")
    said = json.loads((run / "run.json").read_text())
    said["scenario"]["name"] = "my-plant"
    (run / "run.json").write_text(json.dumps(said))
    done = worlds.cli("pair", runs[0], run, "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert "scenario my-plant does not say what its plants do" in done.stdout


def test_two_runs_need_not_share_a_crs(folder, runs, tmp_path, monkeypatch):
    read = report.read_sites

    def elsewhere(path):
        sites = read(path)
        utm = CRS.from_epsg(32611)
        return projected(sites, utm) if "refinery" in str(path) else sites

    monkeypatch.setattr(report, "read_sites", elsewhere)
    done = worlds.cli("pair", *runs, "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    one, other = (
        pd.read_csv(f / "mines.csv").set_index("site_id") for f in (folder, tmp_path / "out")
    )
    assert one["plant"].to_dict() == other["plant"].to_dict()
    cost = "cost_usd_per_short_ton"
    # The point inside an outline is another one in another CRS.
    assert other.loc[one.index, cost].tolist() == pytest.approx(
        one[cost].tolist(), abs=0.05, nan_ok=True
    )


def test_mines_that_lost_their_commodities_are_told(runs, world, tmp_path):
    run = shutil.copytree(runs[0], tmp_path / "run")
    sites = gpd.read_parquet(run / "sites.parquet")
    sites.drop(columns="commodities").to_parquet(run / "sites.parquet")
    places = ("--layers", world.layers, "--data", world.data, "--out", tmp_path / "out")
    done = worlds.cli("pair", run, runs[1], *places)
    assert done.exit_code == 1
    assert "sites.parquet: is damaged: it has no column commodities; run the" in done.stderr
    assert not (tmp_path / "out").exists()
