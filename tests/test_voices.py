import json

import geopandas as gpd
import numpy as np
import pytest

from geosite.choices import filed_weights
from geosite.matrix import Matrix, scored
from geosite.model.combination import WeightedSum
from geosite.voices import no_regret, voice_column, voice_ranks
from tests.worlds import cli

SUM = WeightedSum(kind="weighted_sum")


def test_each_voice_ranks_by_its_own_weights():
    matrix = Matrix(("a", "b"), np.array([[0.9, 0.5, 0.1], [0.2, 0.6, np.nan]]), np.ones((2, 3)))
    matrix.known[1, 2] = 0
    weights = {"one": np.array([0.9, 0.1]), "two": np.array([0.1, 0.9])}
    found = voice_ranks(matrix, weights, SUM, "unknown", ["p", "q", "r"])
    assert found["one"] == pytest.approx([1, 2, np.nan], nan_ok=True)
    assert found["two"] == pytest.approx([2, 1, np.nan], nan_ok=True)
    alone = scored(matrix, weights["one"], SUM, "unknown").suitability
    assert alone[0] > alone[1]


def test_no_regret_is_in_every_list_however_it_is_weighed():
    ranks = [np.array([1.0, 2, 3, np.nan]), np.array([3.0, 2, 1, np.nan])]
    assert no_regret(ranks, 2).tolist() == [1]
    assert no_regret(ranks, 3).tolist() == [0, 1, 2]
    assert no_regret([], 3).tolist() == []


def test_a_voice_that_is_written_in_signs_has_a_column_all_the_same():
    assert voice_column("§§") == "rank_under_a_voice"


def test_a_run_says_how_each_voice_ranks_and_what_all_of_them_keep(hamlet):
    order = ["evidence", "rail", "labour", "slope"]
    ranking = {"kind": "ranking", "order": order}
    weights = {"kind": "direct", "weights": {"evidence": 1, "rail": 1, "labour": 9, "slope": 1}}
    each = [{"name": "Industry", "weighting": ranking}, {"name": "Towns", "weighting": weights}]
    hamlet.ask(weighting={"kind": "stakeholders", "voices": each})
    done = hamlet.cli("run", "--no-map", "--quiet")
    assert done.exit_code == 0, done.output
    run = hamlet.root / done.stdout.split()[-1]
    said = json.loads((run / "run.json").read_text())
    assert [v["name"] for v in said["voices"]] == ["Industry", "Towns"]
    roc, direct = np.array([25, 13, 7, 3]) / 48, np.array([1, 1, 9, 1]) / 12
    assert list(said["voices"][0]["weights"].values()) == pytest.approx(roc)
    # The criteria have the weights that the voices have together, wherever they are read.
    assert [c["weight"] for c in said["criteria"]] == pytest.approx((roc + direct) / 2)
    sites = gpd.read_parquet(run / "sites.parquet")
    assert sorted(sites["rank_under_industry"]) == [1, 2, 3]
    assert said["voices"][1]["best"][0] == sites.set_index("rank_under_towns")["site_id"][1]
    assert said["no_regret"] == list(sites["site_id"])
    assert any(n.startswith("among the first 10 under each") for n in said["notes"])
    again = cli("rank", run)
    assert again.exit_code == 0
    assert "+" not in again.stdout.split("site\n")[1].split("\n\n")[0]


def test_a_scenario_whose_weighting_does_not_fit_is_refused_before_anything_is_read(hamlet):
    table = {"kind": "ahp", "criteria": ["evidence", "road"], "table": [["1", "3"], ["1/2", "1"]]}
    hamlet.ask(weighting=table)
    for verb in ("check", "plan", "run"):
        done = hamlet.cli(verb)
        assert done.exit_code == 1
        assert "there is no criterion road; there are evidence, rail, labour, slope" in done.stderr
        assert "not reciprocal, expected 1/3" in done.stderr


def test_the_example_of_three_voices_fits_its_preset(root):
    file = root / "geosite" / "weightings" / "mine" / "open-pit.yaml"
    from geosite.catalog import open_scenario  # noqa: PLC0415

    ids = [c.id for c in open_scenario("mine/open-pit").criteria]
    weights, each = filed_weights(file, ids)
    assert list(each) == ["industry", "agency", "conservation"]
    assert weights.sum() == pytest.approx(1)
    assert file.read_text().count("Judgement, no stakeholder was asked") == 3
