"""The portfolio of a run, from its folder to another one."""

import json
import shutil

import geopandas as gpd
import pandas as pd
import pytest

from geosite.catalog import open_rulebook
from geosite.choosing import Wish, portfolio_of
from geosite.errors import PortfolioError
from geosite.model.commodity import Commodities
from geosite.report.text import split_names
from geosite.runs import open_run
from tests import worlds

BOOK = open_rulebook().commodities


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    world = worlds.shared_demo(tmp_path_factory)
    return world.folder.parent


@pytest.fixture(scope="module")
def mine(demo):
    return open_run(next(p.parent for p in sorted(demo.rglob("mine-open-pit/*/run.json"))))


@pytest.fixture(scope="module")
def pair(mine):
    """Two commodities that sites of the demo have."""
    has = sorted({c for text in mine.sites["commodities"] for c in split_names(text)})
    return has[:2]


def test_the_verb_prints_and_writes_beside_the_run(mine, pair, tmp_path):
    run = shutil.copytree(mine.path, tmp_path / "run")
    before = worlds.tree(run)
    done = worlds.cli("portfolio", run, "--commodities", ",".join(pair), "--sites", "3")
    assert done.exit_code == 0, done.output
    assert "proven" in done.stdout
    folder = tmp_path / "run.portfolio"
    assert done.stdout.splitlines()[-1] == str(folder)
    assert worlds.tree(run) == before
    assert {p.name for p in folder.iterdir()} == {
        "README.txt",
        "alternatives.csv",
        "coverage.csv",
        "map.html",
        "portfolio.csv",
        "portfolio.gpkg",
        "portfolio.json",
    }
    table = pd.read_csv(folder / "portfolio.csv")
    said = json.loads((folder / "portfolio.json").read_text())
    assert said["sites"] == table["site_id"].tolist()
    assert said["status"] == "proven optimal"
    assert table["value"].sum() == pytest.approx(said["objective"], abs=1e-5)
    covered = {c for text in table["covers"].dropna() for c in split_names(text)}
    assert covered >= set(pair)
    assert len(gpd.read_file(folder / "portfolio.gpkg")) == len(table)
    assert table["notice"].str.contains("Pre-decisional").all()
    assert set(pd.read_csv(folder / "coverage.csv")["commodity"]) == set(pair)


def test_what_is_of_a_made_up_world_says_so_on_every_page(mine, pair, tmp_path):
    done = worlds.cli("portfolio", mine.path, "--commodities", pair[0], "--out", tmp_path / "out")
    assert "SYNTHETIC WORLD" in done.stdout
    for name in ("map.html", "portfolio.csv", "portfolio.json", "README.txt"):
        assert "SYNTHETIC WORLD" in (tmp_path / "out" / name).read_text(), name


def test_the_same_question_has_the_same_answer(mine, pair, tmp_path):
    words = ("portfolio", mine.path, "--commodities", ",".join(pair))
    for name in ("a", "b"):
        assert worlds.cli(*words, "--out", tmp_path / name).exit_code == 0
    for name in ("portfolio.csv", "alternatives.csv", "coverage.csv", "map.html", "README.txt"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    said = [json.loads((tmp_path / n / "portfolio.json").read_text()) for n in ("a", "b")]
    assert [x.pop("timings_s") is None for x in said] == [False, False]
    assert said[0] == said[1]


def test_locks_spacing_and_limits_hold(mine, pair):
    sites = mine.sites.sort_values("rank")
    last, first = sites["site_id"].iloc[-1], sites["site_id"].iloc[0]
    found = portfolio_of(
        mine,
        Wish(
            pair[0],
            sites=4,
            lock_in=(last,),
            lock_out=(first,),
            spacing_m=3000,
            per_state=4,
            per_agency=4,
            acres=1e6,
        ),
        BOOK,
    )
    assert last in found.said["sites"]
    assert first not in found.said["sites"]
    apart = found.table["nearest_chosen_km"].dropna()
    assert (apart >= 3).all()


def test_another_column_is_another_portfolio(mine, pair):
    found = portfolio_of(mine, Wish(pair[0], by="acres", sites=2), BOOK)
    big = mine.sites["acres"].nlargest(2).sum()
    assert found.said["objective"] <= big + 1e-6
    area = portfolio_of(mine, Wish(pair[0], by="suitability_x_acres", sites=1), BOOK)
    assert area.said["objective"] > 1


def test_what_nobody_has_is_named_with_what_there_is(mine, pair, tmp_path):
    asked = f"{pair[0]},hafnium"
    done = worlds.cli("portfolio", mine.path, "--commodities", asked)
    assert done.exit_code == 1
    assert "hafnium: 0 sites, asked 1" in done.stderr
    assert pair[1] in done.stderr
    assert "--cover-possible" in done.stderr
    words = ("--cover-possible", "--out", tmp_path / "out")
    done = worlds.cli("portfolio", mine.path, "--commodities", asked, *words)
    assert done.exit_code == 0
    assert "left out, since too few sites have them: hafnium" in done.stdout


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--commodities", "gold,unobtainium"), "'unobtainium' is no commodity"),
        (("--commodities", ","), "write e.g. lithium,gallium or a list"),
        (("--commodities", "eo14241", "--cover-possible", "--by", "beauty"), "--by beauty"),
        (("--commodities", "gold", "--by", "rank"), "--by rank: of it less is better"),
        (("--commodities", "gold", "--by", "road_distance_m"), "of it less is better"),
    ],
)
def test_a_question_that_means_nothing_is_told(mine, more, words):
    done = worlds.cli("portfolio", mine.path, *more)
    assert done.exit_code == 1
    assert words in done.stderr


@pytest.mark.parametrize("option", ["--acres", "--within", "--gap", "--seconds"])
def test_nan_lies_within_no_bounds(mine, option):
    done = worlds.cli("portfolio", mine.path, "--commodities", "gold", option, "nan")
    assert done.exit_code == 2
    assert "no finite number" in done.stderr


def test_a_search_that_may_stop_at_a_gap_calls_nothing_proven(mine, pair, tmp_path):
    words = ("--gap", "50", "--out", tmp_path / "out")
    done = worlds.cli("portfolio", mine.path, "--commodities", pair[0], *words)
    assert done.exit_code == 0, done.output
    assert "proven" not in done.stdout
    assert "--gap let the search stop" in done.stdout


@pytest.mark.parametrize("spacing", ["50", "-1 km", "9000 km"])
def test_a_spacing_is_a_length(mine, spacing):
    done = worlds.cli("portfolio", mine.path, "--commodities", "gold", "--spacing", spacing)
    assert done.exit_code == 2


def test_a_run_of_plants_has_no_commodities(demo):
    plant = next(p.parent for p in sorted(demo.rglob("refinery-hydromet/*/run.json")))
    done = worlds.cli("portfolio", plant, "--commodities", "gold")
    assert done.exit_code == 1
    assert "name no commodities (a refinery run)" in done.stderr


def test_a_host_covers_its_by_product_only_if_asked(mine, pair):
    # In a world in which the by-product of the first commodity is hafnium.
    hosted = {"hosts": (pair[0],), "by_product": "always", "host_note": "drawn for this test"}
    table = Commodities(
        commodities=tuple(
            c.model_copy(update=hosted) if c.id == "hafnium" else c for c in BOOK.commodities
        )
    )
    with pytest.raises(PortfolioError, match="--by-products"):
        portfolio_of(mine, Wish("hafnium"), table)
    found = portfolio_of(mine, Wish("hafnium", by_products=True), table)
    assert found.coverage["as_by_product_n"].sum() >= 1
    assert "hafnium" in set(found.table["covers_as_by_product"])
