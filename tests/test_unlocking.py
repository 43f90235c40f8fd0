"""The unlock analysis of a run: read from its folder, printed, saved whole."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from geosite.errors import RunError
from geosite.runs import open_run
from geosite.unlocking import blocking_rules, saved, unlocked
from tests import worlds


@pytest.fixture(scope="module")
def demo_run(tmp_path_factory):
    world = worlds.shared_demo(tmp_path_factory)
    return next(p.parent for p in sorted(world.folder.parent.rglob("mine-open-pit/*/run.json")))


@pytest.fixture(scope="module")
def found(demo_run):
    return unlocked(open_run(demo_run))


def test_the_run_and_its_analysis_agree_on_the_land_excluded(demo_run, found):
    said = open_run(demo_run).manifest
    sovereign = [r for r in said["rules"] if r.get("sovereign", r["layer"] == "land/tribal")]
    assert sovereign
    assert 0 <= found.excluded_ha <= said["offered_ha"]["excluded"] + 1e-6
    assert found.sets["rules"].str.contains("tribal-land").sum() == 0
    assert set(found.parcels["agency"]) <= {"BLM", "USFS"}
    assert found.parcels["excluded_ha"].sum() <= found.excluded_ha + 1e-6


def test_no_statute_regulation_or_withdrawal_has_a_number(found):
    law = found.rules[~found.rules["authority"].isin(["plan", "practice"])]
    assert len(law)
    assert law.filter(like="_ha").isna().all(axis=None)
    assert (
        found.parcels.loc[
            found.parcels["basis"].str.contains("statute|withdrawal|regulation"),
            ["freed_ha", "evidence_freed_ha", "excluded_ha"],
        ]
        .isna()
        .all(axis=None)
    )


def test_the_verb_prints_and_saves_beside_the_run(demo_run, tmp_path):
    run = shutil.copytree(demo_run, tmp_path / "run")
    before = worlds.tree(run)
    done = worlds.cli("unlock", run)
    assert done.exit_code == 0, done.output
    assert "without a number:" in done.stdout
    assert "Pre-decisional screening" in done.stdout
    folder = tmp_path / "run.unlock"
    assert done.stdout.splitlines()[-1] == str(folder)
    assert worlds.tree(run) == before
    rules = pd.read_csv(folder / "unlock_rules.csv")
    assert rules["notice"].str.startswith("Pre-decisional").all()
    assert {p.name for p in folder.iterdir()} == {
        "README.txt",
        "unlock_parcels.csv",
        "unlock_rules.csv",
        "unlock_sets.csv",
    }
    again = worlds.cli("unlock", run)
    assert again.stdout.splitlines()[-1] == f"{folder}-2"
    assert (folder / "unlock_rules.csv").read_bytes() == (
        tmp_path / "run.unlock-2/unlock_rules.csv"
    ).read_bytes()


def test_a_folder_that_cannot_be_written_leaves_nothing(found, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Exception, match="could not be written"):
        saved(found, tmp_path / "file" / "out")
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_what_is_no_run_is_told(tmp_path):
    done = worlds.cli("unlock", tmp_path)
    assert done.exit_code == 1
    assert "not a finished run" in done.stderr


def test_a_damaged_table_is_named(demo_run, tmp_path):
    run = shutil.copytree(demo_run, tmp_path / "run")
    (run / "rule_sets.parquet").write_bytes(b"nonsense")
    done = worlds.cli("unlock", run)
    assert done.exit_code == 1
    assert "rule_sets.parquet" in done.stderr


RULE = {"title": "T", "authority": "plan", "citation": "c", "layer": "x/y", "tier": "exclude"}


def test_an_inclusion_lifts_what_the_run_says_it_lifted():
    def lifted(**said):
        case = {**RULE, "id": "case", "tier": "include", **said}
        rules = [{**RULE, "id": "law", "authority": "statute"}, {**RULE, "id": "plan"}, case]
        return blocking_rules(rules)[2].lifts

    assert lifted(lifts=["plan"]) == (1,)
    assert lifted(lifts=["not asked"]) == ()
    # A run from before rules said what they lift.
    assert lifted() == (0, 1, 2)


def test_an_old_run_knows_tribal_land_by_its_layer():
    old = blocking_rules([{**RULE, "id": "a", "layer": "land/tribal", "authority": "statute"}])
    assert old[0].sovereign
    assert old[0].who_can_act == ""


def test_names_that_nobody_can_write_are_told_and_a_killed_one_is_not_in_the_way(
    found, tmp_path, monkeypatch
):
    with pytest.raises(RunError, match=r"could not be written.*--out"):
        saved(found, tmp_path / ("x" * 300))
    assert list(tmp_path.iterdir()) == []
    # What an analysis that was killed left behind.
    (tmp_path / ".it.partial").mkdir()
    assert saved(found, tmp_path / "it") == tmp_path / "it"
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert saved(found, Path()) == tmp_path / "here-2"
