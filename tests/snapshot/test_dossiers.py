"""Dossiers of two real project boundaries in the McDermitt caldera, on the snapshot."""

from __future__ import annotations

import csv
import re

import pytest

from tests.worlds import cli

pytestmark = pytest.mark.snapshot
PLACES = {
    "thacker": "constraints/mcdermitt_thacker_pass_project_boundary.geojson",
    "hitech": "constraints/mcdermitt_hitech_exploration_boundary.geojson",
}


@pytest.fixture(scope="module")
def dossiers(snapshot, root, tmp_path_factory):
    out = tmp_path_factory.mktemp("dossiers")
    for name, file in PLACES.items():
        result = cli(
            "review", "--polygon", snapshot / file, "--layers", root / "tests/snapshot/layers",
            "--data", snapshot, "--out", out / name,
        )  # fmt: skip
        assert not result.exit_code, result.output
    return out


def pages(folder):
    files = sorted(p for p in folder.glob("*.html") if p.name != "index.html")
    return [p.read_text(encoding="utf-8") for p in files]


def rows(folder, layer):
    text = (folder / "dossier.csv").read_text(encoding="utf-8")
    return [r for r in csv.DictReader(text.splitlines()) if r["layer"] == layer]


@pytest.mark.parametrize("name", PLACES)
def test_it_opens_with_what_was_not_examined(dossiers, name):
    for page in pages(dossiers / name):
        body = page[page.index("<h1>") :]
        assert re.search(r"<h2>(.*?)</h2>", body)[1] == "What was not examined"
        assert "cultural: unknown, consult tribes and shpo" in body.lower()


@pytest.mark.parametrize("name", PLACES)
def test_it_names_the_land_manager_with_acres(dossiers, name):
    for page in pages(dossiers / name):
        assert re.search(r"Land manager</th><td>BLM: [^<]*acres", page)


def test_thacker_pass_names_its_pronghorn_range(dossiers):
    found = rows(dossiers / "thacker", "environment/big_game_migration")
    assert {r["result"] for r in found} == {"touches"}
    assert all("Montana M" in r["features"] for r in found)
    assert all(80 < float(r["overlap_pct"]) <= 100 for r in found)


def test_streams_of_listed_fish_are_named(dossiers):
    found = rows(dossiers / "hitech", "environment/listed_fish_streams")
    assert "McDermitt Creek" in " ".join(r["ring_features"] + r["features"] for r in found)
    assert all(float(r["nearest_km"]) < 1 for r in found)


def test_claims_are_named_by_serial_and_never_more_than_the_site(dossiers):
    (found,) = rows(dossiers / "hitech", "land/mining_claims")
    assert re.search(r"\bOR10\d+", found["features"])
    # 417 claims in stacks cover some 84 % of the land.
    assert int(found["features_n"]) > 100
    assert 50 < float(found["overlap_pct"]) <= 100


@pytest.mark.parametrize("name", PLACES)
def test_nothing_that_could_not_be_asked_is_called_clear(dossiers, name):
    text = (dossiers / name / "dossier.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        if row["method"] == "none" or row["covered_pct"] == "0.0":
            assert row["standing"] in {"unknown", "certain", "possible"}
    for page in pages(dossiers / name):
        assert "no constraint" not in page.lower()
