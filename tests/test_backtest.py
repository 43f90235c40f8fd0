"""Back-tests of the hamlet: what is taken out, how sites are ranked, what the rules say."""

import json

import geopandas as gpd
import matplotlib.image
import numpy as np
import pandas as pd
import pytest
import shapely
from sklearn.metrics import roc_auc_score

from geosite import prospectivity
from geosite.backtest import Means, of_folds, of_known
from geosite.crs import WGS84
from geosite.errors import CatalogError, CoverageError, MissingLayerError
from geosite.report.backtest import backtest_json, page_text, write_backtest
from geosite.report.backtest_content import ALL_LAND, LIKELIHOOD, PLAIN, WITHIN_STATE
from tests.worlds import (
    ALBERS,
    RECORDS,
    SCENARIO,
    SOUTH,
    WEST,
    box,
    cli,
    lonlat,
    make_hamlet,
    put_layer,
    shared_demo,
    tree,
    write_records,
    write_rows,
)

MEANS = Means(leak=1000.0, seed=3)
KNOWN = [("Copper Hill Mine", 3100, 3200), ("In the Fort", 10_000, 10_000), ("Hill", 6000, 6000)]


def known(*sites):
    points = [shapely.Point(WEST + x, SOUTH + y) for _, x, y in sites]
    return gpd.GeoDataFrame({"name": [n for n, *_ in sites]}, geometry=points, crs=ALBERS)


def quiet(_words):
    pass


def made_hamlet(folder):
    made = make_hamlet(folder / "hamlet")
    surface = {"cell": "1 km", "covariates": ["terrain/elevation"]}
    made.ask(evidence=SCENARIO["evidence"] | {"surface": surface})
    return made


@pytest.fixture
def hamlet(tmp_path):
    return made_hamlet(tmp_path)


@pytest.fixture(scope="module")
def tested(tmp_path_factory):
    planned = made_hamlet(tmp_path_factory.mktemp("tested")).plan()
    return of_known(planned, known(*KNOWN), "known.gpkg", MEANS, quiet)


# ── what is taken out ─────────────────────────────────────────────────────────────────────────
def test_the_surface_is_worked_out_without_what_lies_near_a_site(hamlet, monkeypatch):
    read = []

    def spied(records, ground, spec, _real=prospectivity.likelihood):
        read.append(records)
        return _real(records, ground, spec)

    monkeypatch.setattr(prospectivity, "likelihood", spied)
    found = of_known(hamlet.plan(), known(*KNOWN), "known.gpkg", MEANS, quiet)
    (records,) = read
    assert sorted(records["name"]) == ["Far Pit", "Iron Cap"]
    assert found.removed == {"minerals/usmin": 1}


def test_no_site_is_found_by_its_own_record_in_another_place(hamlet):
    # Layers place one deposit kilometres apart: what has the site's name goes, and what lies
    # near goes with the rest of its deposit.
    write_records(
        hamlet,
        [
            (3100, 3100, "Old Glory"),
            (3100, 4700, "Old Glory"),  # one deposit with what lies at the site
            (6600, 3200, "COPPER HILL"),  # the site's name, 3.5 km away
            (3100, 10_000, "Copper Hill"),  # a namesake, too far to be the site
            (8600, 6200, "Far Pit"),
        ],
    )
    found = of_known(hamlet.plan(), known(*KNOWN[:1]), "known.gpkg", MEANS, quiet)
    assert found.removed == {"minerals/usmin": 3}
    assert backtest_json(found)["namesake_m"] == 5000
    assert "of a site's own name within 5 km" in page_text(backtest_json(found))


def test_a_site_outside_the_aoi_takes_out_what_lies_near_it_too(hamlet):
    write_records(hamlet, [*RECORDS, (3000, 12_500, "Beyond")])
    there = known(*KNOWN, ("Beyond", 3000, 12_600))
    found = of_known(hamlet.plan(), there, "known.gpkg", MEANS, quiet)
    assert found.removed == {"minerals/usmin": 2}
    assert found.counted == {"in": 3, "off land": 0, "outside": 1}


def test_the_leak_distance_is_the_scenarios_if_none_is_given(hamlet):
    surface = {"cell": "1 km", "leak": "2.5 km"}
    hamlet.ask(evidence=SCENARIO["evidence"] | {"surface": surface})
    sites = known(("Hill", 3900, 10_500))
    found = of_known(hamlet.plan(), sites, "known.gpkg", Means(), quiet)
    assert found.leak_m == 2500
    assert found.removed == {"minerals/usmin": 1}


# ── how sites are ranked ──────────────────────────────────────────────────────────────────────
@pytest.fixture
def sloping(monkeypatch):
    """Surfaces that rise to the east: likelihood within a state, the plain sum not at all."""

    def likelihood(records, ground, spec):
        x, _ = ground.grid.centres()
        share = (x - x.min()) / np.ptp(x)
        values = np.where(ground.land, np.broadcast_to(share, ground.grid.shape), np.nan)
        values = values.astype(np.float32)
        return prospectivity.Likelihood(values, values, ground, {"method": "drawn"})

    def plain_sum(records, ground):
        return np.where(ground.land, 1.0, np.nan).astype(np.float32)

    monkeypatch.setattr(prospectivity, "likelihood", likelihood)
    monkeypatch.setattr(prospectivity, "plain_sum", plain_sum)


def two_states(hamlet):
    frame = gpd.GeoDataFrame(
        {"name": ["Toyland", "Eastland"], "code": ["TL", "EL"]},
        geometry=[box(0, 0, 6000, 12_000), box(6000, 0, 12_000, 12_000)],
        crs=ALBERS,
    )
    frame.to_file(hamlet.data / "states.gpkg")
    hamlet.ask(
        aoi=",".join(map(str, (*lonlat(-1500, -1500), *lonlat(13_500, 13_500)))),
        evidence=SCENARIO["evidence"] | {"surface": {"cell": "1 km"}},
    )
    return hamlet.plan()


def test_within_the_state_only_land_of_the_sites_own_state_counts(hamlet, sloping):
    planned = two_states(hamlet)
    # Best in the west, worst in the east: good and bad at home, in the middle of all land.
    sites = known(("West", 5500, 5500), ("East", 6500, 5500))
    found = of_known(planned, sites, "known.gpkg", MEANS, quiet)
    assert found.sites["state"].tolist() == ["Toyland", "Eastland"]
    home = found.standings[LIKELIHOOD][WITHIN_STATE].percentile
    assert home == pytest.approx([11 / 12, 1 / 12], abs=0.02)
    assert found.sites["likelihood_pct"].to_numpy() / 100 == pytest.approx(home, abs=1e-6)
    assert found.standings[LIKELIHOOD][ALL_LAND].percentile == pytest.approx(0.5, abs=0.1)
    assert found.standings[PLAIN][ALL_LAND].percentile == pytest.approx([0.5, 0.5])


def test_the_numbers_are_those_of_scikit_learn(hamlet, sloping):
    put_layer(hamlet, "hydrography/lakes", [box(0, 0, 12_000, 2000)], name=["Lake"])
    sites = known(("A", 9500, 5500), ("B", 2500, 9500), ("Drowned", 5000, 1000))
    said = backtest_json(of_known(hamlet.plan(), sites, "known.gpkg", MEANS, quiet))
    assert said["sites"] == {"given": 3, "in": 2, "off land": 1, "outside": 0}
    assert said["background"]["land_km2"] == {"Toyland": 120.0}
    assert "hydrography/lakes" in said["background"]["left_out"]
    land = np.repeat(np.arange(12), 10)
    truth = [0] * 120 + [1, 1]
    expected = roc_auc_score(truth, [*land, 9, 2])
    for scope in (WITHIN_STATE, ALL_LAND):
        figures = said["surfaces"][LIKELIHOOD][scope]
        assert figures["sites"] == 2
        assert figures["auc"]["value"] == pytest.approx(expected, abs=1e-5)
        assert figures["auc"]["low"] <= expected <= figures["auc"]["high"]
        assert set(figures["share_in_best_pct"]) == {"1", "5", "10", "20"}
        assert said["surfaces"][PLAIN][scope]["auc"] == {"value": 0.5, "low": 0.5, "high": 0.5}
        gain = said["gain_over_plain_sum"][scope]["auc"]["value"]
        assert gain == pytest.approx(expected - 0.5, abs=1e-5)


def test_the_same_question_gives_the_same_numbers(hamlet, tested):
    again = of_known(hamlet.plan(), known(*KNOWN), "known.gpkg", MEANS, quiet)
    assert backtest_json(again) == backtest_json(tested)


# ── what the rules say ────────────────────────────────────────────────────────────────────────
def test_known_sites_that_a_rule_excludes_are_counted_and_named_by_rule(tested):
    rules = backtest_json(tested)["rules"]
    assert (rules["sites"], rules["excluded"]) == (3, 1)
    by_rule = {r["rule"]: r for r in rules["by_rule"]}
    military = by_rule["military-land-not-for-mines"]
    assert military["excluded_sites"] == ["In the Fort"]
    assert military["citation"]
    assert rules["on_offered_land"] + rules["not_on_offered_land"] == 3
    sites = tested.sites.set_index("name")
    assert sites.loc["In the Fort", "status"] == "excluded"
    assert not sites.loc["In the Fort", "offered"]
    assert sites.loc["Copper Hill Mine", "offered"]


def test_suitability_stands_beside_it_and_is_called_no_test(tested):
    said = backtest_json(tested)["suitability"]
    assert said["label"].startswith("not a test")
    assert said["sites_with_a_score"] + said["sites_without"] == 3
    assert np.isfinite(tested.sites.set_index("name").loc["Copper Hill Mine", "suitability"])


# ── deposits held out block by block ──────────────────────────────────────────────────────────
@pytest.fixture
def districts(hamlet):
    places = [(1000 + 2000 * (k % 6), 1000 + 3000 * (k // 6), f"Pit {k}") for k in range(24)]
    write_records(hamlet, places)
    return hamlet


def test_every_deposit_is_held_out_once_and_found_without_its_block(districts, monkeypatch):
    read = []

    def spied(records, ground, spec, _real=prospectivity.likelihood):
        read.append(set(records["name"]))
        return _real(records, ground, spec)

    monkeypatch.setattr(prospectivity, "likelihood", spied)
    means = Means(leak=500.0, folds=3, block=4000.0, seed=1)
    found = of_folds(districts.plan(), means, quiet)
    assert sorted(found.sites["name"]) == sorted(f"Pit {k}" for k in range(24))
    assert set(found.sites["fold"]) == {1, 2, 3}
    for fold, names in found.sites.groupby("fold")["name"]:
        assert not set(names) & read[fold - 1]
    assert len(found.standings[LIKELIHOOD][ALL_LAND]) == 24
    said = backtest_json(found)
    assert "rules" not in said
    assert "4 km" in said["tested"]


def test_another_seed_deals_the_blocks_otherwise(districts):
    one, other = (
        of_folds(districts.plan(), Means(500.0, 3, 2000.0, seed), quiet) for seed in (1, 2)
    )
    folds = [f.sites.set_index("name")["fold"].sort_index().tolist() for f in (one, other)]
    assert folds[0] != folds[1]


# ── bad input ─────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("sites", "words"),
    [
        ([("Far", 400_000, 0)], "none of its 1 sites lies in the AOI Toyland"),
        ([("Hill", 3900, 3200), ("Iron", 3900, 8100), ("Pit", 8600, 6200)], "no record of the"),
    ],
)
def test_what_cannot_be_tested_is_refused_in_words(hamlet, sites, words):
    with pytest.raises(CoverageError) as refused:
        of_known(hamlet.plan(), known(*sites), "known.gpkg", MEANS, quiet)
    assert words in str(refused.value)


def test_sites_in_lakes_only_are_refused(hamlet):
    put_layer(hamlet, "hydrography/lakes", [box(0, 0, 12_000, 2000)], name=["Lake"])
    with pytest.raises(CoverageError, match="none on land"):
        of_known(hamlet.plan(), known(("Drowned", 5000, 900)), "known.gpkg", MEANS, quiet)


def test_more_folds_than_blocks_are_refused(hamlet):
    with pytest.raises(CoverageError, match=r"--folds 9: 3 named deposits"):
        of_folds(hamlet.plan(), Means(folds=9, block=4000.0), quiet)


def test_a_scenario_without_evidence_has_nothing_to_test(hamlet):
    hamlet.ask(
        evidence=None,
        combination={"kind": "weighted_sum"},
        criteria=SCENARIO["criteria"][1:],
        sites={"unit": "patch", "threshold": "0.5", "min_area": "10 ha"},
    )
    with pytest.raises(CatalogError, match="reads no mineral evidence"):
        of_known(hamlet.plan(), known(*KNOWN), "known.gpkg", MEANS, quiet)


def test_missing_layers_are_refused_or_allowed(hamlet):
    (hamlet.data / "rail.fgb").unlink()
    with pytest.raises(MissingLayerError, match="infrastructure/rail"):
        of_known(hamlet.plan(), known(*KNOWN), "known.gpkg", MEANS, quiet)
    means = Means(leak=1000.0, allow_missing=True)
    found = of_known(hamlet.plan(), known(*KNOWN), "known.gpkg", means, quiet)
    assert any("infrastructure/rail" in line for line in found.missing)


# ── what is written ───────────────────────────────────────────────────────────────────────────
def test_a_folder_holds_numbers_pictures_a_table_and_a_page(tested, tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    write_backtest(tested, folder)
    names = {"backtest.json", "sites.csv", "success_rate.png", "prediction_area.png", "README.md"}
    assert {p.name for p in folder.iterdir()} == names
    said = json.loads((folder / "backtest.json").read_text(encoding="utf-8"))
    assert said == json.loads(json.dumps(backtest_json(tested)))
    for name in ("success_rate.png", "prediction_area.png"):
        assert matplotlib.image.imread(folder / name).std() > 0.05
    page = (folder / "README.md").read_text(encoding="utf-8")
    assert page == page_text(said)
    for words in ("SYNTHETIC WORLD", "not a test", "In the Fort", "Within the state", "95 %"):
        assert words in page
    table = pd.read_csv(folder / "sites.csv")
    assert table["name"].tolist() == [n for n, *_ in KNOWN]
    assert "Pre-decisional" in table["notice"].iloc[0]


def test_pictures_are_the_same_bytes_every_time(tested, tmp_path):
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        write_backtest(tested, tmp_path / name)
    assert tree(tmp_path / "one") == tree(tmp_path / "other")


def test_a_name_from_a_strangers_file_steers_nothing(hamlet, tmp_path):
    sites = known(("=HYPERLINK(1)|<b>$x$\x1b[2J", 10_000, 10_000))
    found = of_known(hamlet.plan(), sites, "known.gpkg", MEANS, quiet)
    write_backtest(found, tmp_path)
    page = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "<b>" not in page
    assert "\x1b" not in page
    assert pd.read_csv(tmp_path / "sites.csv")["name"].iloc[0].startswith("'=")


# ── on the command line ───────────────────────────────────────────────────────────────────────
def words_for(hamlet, *more):
    return [*hamlet.words("plan"), "--outputs", str(hamlet.outputs), "--quiet", *more]


def write_known(hamlet, rows):
    found = [(name, *lonlat(x, y)) for name, x, y in rows]
    write_rows(hamlet.data / "known.csv", "mine,longitude,latitude", found)
    return str(hamlet.data / "known.csv")


def test_the_verb_writes_a_folder_and_prints_it(hamlet):
    path = write_known(hamlet, [*KNOWN, ("Atlantic", 4_000_000, 0)])
    result = cli("backtest", *words_for(hamlet, "--known", path, "--leak", "1 km"))
    assert result.exit_code == 0, result.output
    (folder,) = hamlet.outputs.iterdir()
    assert result.stdout.strip() == str(folder)
    said = json.loads((folder / "backtest.json").read_text(encoding="utf-8"))
    assert said["sites"] == {"given": 4, "in": 3, "off land": 0, "outside": 1}
    assert said["leak_m"] == 1000
    assert said["tested"] == "4 known sites of known.csv"
    outside = next(x for x in said["listed"] if x["place"] == "outside")
    assert outside["name"] == "Atlantic"


def test_polygons_and_other_crs_are_understood(hamlet):
    shapes = [box(3000, 3000, 3300, 3300), box(6000, 6000, 6600, 6100)]
    frame = gpd.GeoDataFrame({"name": ["A", "B"]}, geometry=shapes, crs=ALBERS).to_crs(WGS84)
    frame.to_crs(32611).to_file(hamlet.data / "known.gpkg")
    path = str(hamlet.data / "known.gpkg")
    result = cli("backtest", *words_for(hamlet, "--known", path, "--leak", "500 m"))
    assert result.exit_code == 0, result.output
    (folder,) = hamlet.outputs.iterdir()
    table = pd.read_csv(folder / "sites.csv")
    assert table["place"].tolist() == ["in", "in"]


def test_folds_on_the_command_line(districts):
    more = ["--folds", "2", "--block", "5 km", "--leak", "500 m", "--seed", "4"]
    result = cli("backtest", *words_for(districts, *more))
    assert result.exit_code == 0, result.output
    (folder,) = districts.outputs.iterdir()
    said = json.loads((folder / "backtest.json").read_text(encoding="utf-8"))
    assert "2 folds of blocks of 5 km" in said["tested"]
    assert said["interval"].endswith("seed 4")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("mine,longitude,latitude\nA,-72,31\n", "none of its 1 sites lies in the AOI Toyland"),
        ("mine,longitude,latitude\nA,38.4,-116.9\n", "longitude and latitude swapped"),
        ("mine,place\nA,here\n", "no columns of longitude and latitude; it has mine, place"),
        ("mine,longitude,latitude\n", "holds no site"),
        ("", "no columns of longitude and latitude"),
    ],
)
def test_a_file_that_cannot_be_used_leaves_nothing_behind(hamlet, text, words):
    path = hamlet.data / "known.csv"
    path.write_text(text, encoding="utf-8")
    result = cli("backtest", *words_for(hamlet, "--known", str(path)))
    assert result.exit_code == 1
    assert words in result.stderr
    assert result.stderr.count("geosite: ") == 1
    assert not result.stdout
    assert not hamlet.outputs.exists()


def test_one_of_known_sites_and_folds_is_asked_for(hamlet):
    for more in ([], ["--known", "known.csv", "--folds", "3"]):
        result = cli("backtest", *words_for(hamlet, *more))
        assert result.exit_code == 2
        assert "--known FILE" in result.stderr


def test_the_demo_basin_can_be_tested_by_folds(tmp_path_factory, tmp_path):
    world = shared_demo(tmp_path_factory)
    words = ["mine/open-pit", "--layers", world.layers, "--data", world.data, "--aoi", world.aoi]
    more = ["--folds", 3, "--block", "3 km", "--leak", "500 m", "--outputs", tmp_path, "--quiet"]
    result = cli("backtest", *words, *more)
    assert result.exit_code == 0, result.output
    (folder,) = tmp_path.iterdir()
    said = json.loads((folder / "backtest.json").read_text(encoding="utf-8"))
    assert said["synthetic"]
    assert said["sites"]["in"] == said["surfaces"][LIKELIHOOD][WITHIN_STATE]["sites"] > 3
