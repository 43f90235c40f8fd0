import json
import shutil

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from geosite.choices import rule_of
from geosite.errors import CatalogError, RunError
from geosite.reranking import (
    open_saved,
    ranked_again,
    ranking_text,
    relisted,
    write_ranking,
)
from tests.worlds import SCENARIO, cli, edited

IDS = ("evidence", "rail", "labour", "slope")
OTHER = {"evidence": 1, "rail": 2, "labour": 30, "slope": 4}
WORDS = ",".join(f"{i}={w}" for i, w in OTHER.items())


def run_of(hamlet, **changes):
    """Folder of a run of the hamlet with some keys of its scenario changed."""
    hamlet.ask(**changes)
    done = hamlet.cli("run", "--no-map", "--quiet")
    assert done.exit_code == 0, done.output
    return done.stdout.split()[-1]


@pytest.fixture(scope="module")
def run(common, tmp_path_factory):
    from tests.worlds import copied  # noqa: PLC0415

    here = copied(common, tmp_path_factory.mktemp("rank") / "here")
    return here, here.root / run_of(here)


@pytest.fixture
def saved(run):
    return open_saved(run[1])


def test_the_runs_own_weights_give_the_runs_own_ranks(saved):
    again = ranked_again(saved)
    assert saved.ids == IDS
    assert again.rank.tolist() == saved.rank.tolist() == [1, 2, 3]
    sites = gpd.read_parquet(saved.path / "sites.parquet")
    assert again.found.suitability.tobytes() == sites["suitability"].to_numpy().tobytes()
    assert again.found.low.tobytes() == sites["suitability_low"].to_numpy().tobytes()
    assert again.found.high.tobytes() == sites["suitability_high"].to_numpy().tobytes()
    assert again.tier.tolist() == sites["tier"].tolist() == list(saved.tier)
    assert again.reversals is None


@pytest.mark.parametrize(
    "combination",
    [
        {"kind": "evidence_gated"},
        {"kind": "geometric_mean"},
        {"kind": "owa", "order_weights": ["4", "3", "2", "1"]},
        {"kind": "topsis"},
    ],
    ids=lambda c: c["kind"],
)
def test_it_is_what_a_run_with_those_weights_says_bit_for_bit(combination, run, saved):
    hamlet, _ = run
    criteria = [edited(c, {"weight": str(OTHER[c["id"]])}) for c in SCENARIO["criteria"]]
    other = hamlet.root / run_of(hamlet, combination=combination, criteria=criteria)
    asked = open_saved(other)
    found = relisted(saved, ranked_again(saved, asked.weights, asked.combination))
    wanted = gpd.read_parquet(other / "sites.parquet")
    columns = ["rank", "rank_best", "rank_worst", "site_id", "suitability", "suitability_low"]
    columns += ["suitability_high", "tier", "known_weight_pct"]
    columns += [f"{kind}_{i}" for kind in ("contribution", "effective") for i in IDS]
    pd.testing.assert_frame_equal(found[columns], wanted[columns], check_exact=True)


def test_a_criterion_without_weight_is_left_out_of_every_rule(saved):
    weights = np.array([1.0, 1.0, 0.0, 1.0])
    least = ranked_again(saved, weights, rule_of("minimum", IDS))
    wanted = saved.matrix.effective[[0, 1, 3]].min(axis=0)
    assert least.found.suitability.tolist() == wanted.tolist()
    assert least.weights.tolist() == [0.334, 0.333, 0, 0.333]
    assert (relisted(saved, least)["contribution_labour"] == 0).all()
    with pytest.raises(CatalogError, match="evidence_gated needs the criterion evidence"):
        ranked_again(saved, np.array([0.0, 1, 1, 1]))
    with pytest.raises(CatalogError, match="4 order weights, expected 3"):
        ranked_again(saved, weights, rule_of("owa:1,1,1,1", IDS))


def test_the_candidates_and_their_outlines_stay(saved):
    found = relisted(saved, ranked_again(saved, np.array([1.0, 2, 30, 4])))
    sites = gpd.read_parquet(saved.path / "sites.parquet").set_index("site_id")
    assert set(found["site_id"]) == set(sites.index)
    assert found.crs == sites.crs
    same = sites.loc[found["site_id"]]
    assert found.geometry.to_wkb().tolist() == same.geometry.to_wkb().tolist()
    assert found["rank_before"].tolist() == same["rank"].tolist()
    assert "suitability_surface" not in found
    assert not [c for c in found if c.startswith(("top10", "rank_p"))]
    assert found["ranked_by"].iloc[0].startswith("rule evidence × access")
    assert found["notice"].tolist() == same["notice"].tolist()


def test_what_is_printed_says_rule_weights_ranks_and_what_turns_on_the_set(saved):
    again = ranked_again(saved, None, rule_of("topsis", IDS))
    text = ranking_text(saved, again, 2, {"industry": again})
    assert "TOPSIS: closeness to the ideal" in text
    assert "evidence 42.8 %" in text
    assert "… and 1 more" in text
    assert "rank reversal" in text
    assert "among the first 2 of every voice: 2" in text
    assert saved.notice in text
    assert "rank reversal" not in ranking_text(saved, ranked_again(saved), 2)


# ── the verb ──────────────────────────────────────────────────────────────────────────────────
def test_the_verb_prints_the_new_ranking(run):
    done = cli("rank", run[1], "--weights", WORDS, "--rule", "geometric_mean", "--top", "2")
    assert done.exit_code == 0, done.output
    assert "weighted geometric mean" in done.stdout
    assert "labour 81.1 %" in done.stdout
    assert done.stdout.count("BLM-") == 2


def test_the_verb_reads_voices_pairs_and_saves(run, tmp_path):
    file = tmp_path / "voices.yaml"
    one = "{kind: direct, weights: {evidence: 4, rail: 1, labour: 1, slope: 1}}"
    two = "{kind: ranking, order: [labour, rail, slope, evidence]}"
    file.write_text(
        "kind: stakeholders\nvoices:\n"
        f"  - {{name: industry, weighting: {one}}}\n  - {{name: towns, weighting: {two}}}\n"
    )
    out = tmp_path / "ranking.csv"
    done = cli("rank", run[1], "--weights", file, "--out", out)
    assert done.exit_code == 0, done.output
    assert "industry" in done.stdout
    assert "of every voice: 3" in done.stdout
    table = pd.read_csv(out)
    assert table["rank"].tolist() == [1, 2, 3]
    assert {"rank_before", "ranked_by", "notice", "contribution_rail"} <= set(table)
    pairs = tmp_path / "pairs.csv"
    pairs.write_text("evidence,rail,labour,slope\n1,2,2,2\n1/2,1,1,1\n1/2,1,1,1\n1/2,1,1,1\n")
    done = cli("rank", run[1], "--ahp", pairs, "--out", tmp_path / "ranking.gpkg")
    assert done.exit_code == 0, done.output
    assert "evidence 40 %" in done.stdout
    assert len(gpd.read_file(tmp_path / "ranking.gpkg")) == 3


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--weights", "rail=1"], 1, "nothing is said of evidence, labour, slope"),
        (
            ["--weights", "nowhere.yaml"],
            1,
            "nowhere.yaml: cannot be read as YAML: there is no such file",
        ),
        (["--rule", "best"], 1, "there is no rule 'best'"),
        (["--weights", WORDS, "--ahp", "x.csv"], 2, "give one of them"),
        (["--weights", ""], 2, "'--weights' is empty"),
        (["--rule", " "], 2, "'--rule' is empty"),
        (["--out", "x.txt"], 1, "expected .csv or .gpkg"),
    ],
)
def test_a_mistake_of_the_user_is_a_message(words, code, said, run):
    done = cli("rank", run[1], *words)
    assert done.exit_code == code
    assert said in done.stderr


# ── runs that cannot be ranked again ──────────────────────────────────────────────────────────
@pytest.fixture
def spoilt(run, tmp_path):
    """A copy of what is read of a run, to spoil."""
    for name in ("run.json", "matrix.parquet", "sites.parquet"):
        shutil.copy(run[1] / name, tmp_path / name)
    return tmp_path


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(RunError, match="this is not a finished run"):
        open_saved(tmp_path)


def test_a_run_from_before_matrices_were_kept_is_refused(spoilt):
    (spoilt / "matrix.parquet").unlink()
    with pytest.raises(RunError, match=r"has no matrix.parquet.*run the scenario again"):
        open_saved(spoilt)


def test_a_damaged_run_names_the_file(spoilt):
    sites = (spoilt / "sites.parquet").read_bytes()
    (spoilt / "sites.parquet").write_bytes(b"nonsense")
    with pytest.raises(RunError, match=r"sites.parquet: is damaged"):
        open_saved(spoilt)
    (spoilt / "sites.parquet").write_bytes(sites)
    matrix = pd.read_parquet(spoilt / "matrix.parquet")
    matrix.drop(columns="known_rail").to_parquet(spoilt / "matrix.parquet")
    with pytest.raises(RunError, match=r"matrix.parquet: is damaged: .*known_rail"):
        open_saved(spoilt)
    matrix.assign(effective_rail=7.5).to_parquet(spoilt / "matrix.parquet")
    with pytest.raises(RunError, match=r"effective_rail: holds values that are no share"):
        open_saved(spoilt)
    matrix.iloc[::-1].to_parquet(spoilt / "matrix.parquet")
    with pytest.raises(RunError, match="of different sites"):
        open_saved(spoilt)
    said = json.loads((spoilt / "run.json").read_text())
    said["scenario"]["combination"] = {"kind": "guess"}
    (spoilt / "run.json").write_text(json.dumps(said))
    with pytest.raises(RunError, match=r"run.json: is damaged"):
        open_saved(spoilt)


def test_what_is_unknown_in_the_matrix_is_read_as_unknown(spoilt):
    matrix = pd.read_parquet(spoilt / "matrix.parquet")
    matrix.loc[1, ["effective_rail", "known_rail"]] = [np.nan, 0.0]
    matrix.to_parquet(spoilt / "matrix.parquet")
    saved = open_saved(spoilt)
    assert np.isnan(saved.matrix.effective[1]).tolist() == [False, True, False]
    again = ranked_again(saved)
    assert np.isnan(again.rank).tolist() == [False, True, False]
    assert "–" in ranking_text(saved, again, 3)


def test_a_ranking_goes_where_it_can_be_written_only(saved, tmp_path):
    with pytest.raises(RunError, match=r"there is no folder .*nowhere; make it.*with --out$"):
        write_ranking(saved, ranked_again(saved), tmp_path / "nowhere" / "x.csv")
    (tmp_path / "x.gpkg").mkdir()
    with pytest.raises(RunError, match="name another folder with --out;"):
        write_ranking(saved, ranked_again(saved), tmp_path / "x.gpkg")
