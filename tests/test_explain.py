"""Why: a site by its criteria, a spot by every rule, with the citation."""

from __future__ import annotations

import shutil

import geopandas as gpd
import pytest

from geosite.errors import CoverageError, RunError
from geosite.explain import explain_site, explain_spot
from geosite.report import DISCLAIMER
from geosite.runs import Run, execute, open_run
from tests.worlds import copied, earlier_run, lonlat, shared_hamlet, write_records


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return open_run(earlier_run(shared_hamlet(tmp_path_factory)))


def spot(run, x, y):
    return explain_spot(run, *lonlat(x, y))


def test_a_site_is_explained_by_its_criteria(run):
    best = run.sites.iloc[0]
    text = explain_site(run, best["site_id"].lower())
    assert text.startswith(f"{best['site_id']}  {best['name']}")
    for c in run.manifest["criteria"]:
        assert c["title"] in text
        assert f"{best['contribution_' + c['id']]:.4g}" in text
    assert "rank 1 of 3, tier A" in text
    assert "if others weighed the criteria: stays in the top 10 in 100 % of 10,000" in text
    assert "land origin: unknown; mineral estate: unknown; mineral status: unknown" in text
    assert "of all rules, cell by cell, 100 % could tell" in text
    assert "natural logarithm" in text
    assert "Within 35 miles of tribal land" in text
    assert DISCLAIMER in text


def test_a_site_is_told_its_permits_and_its_pathways(run):
    text = explain_site(run, run.sites.iloc[0]["site_id"])
    for words in (
        "BLM plan of operations; Environmental review of a mine", "Right to the water",
        "ordinary: 1 to 132 months for the federal decision, likely 24; observed, as of 2016-01-21",
        "beside suitability: readiness 0.4 (rests on ordinary: observed), ",
        "environmental conflict 0, supply impact 0.378",
    ):  # fmt: skip
        assert words in text


def test_a_spot_that_is_excluded_says_by_which_law(run):
    text = spot(run, 1000, 1000)
    assert "excluded" in text.splitlines()[0] or "not offered" in text.splitlines()[0]
    assert "25 USC 396a" in text
    assert "Toy Reservation" in text


def test_rules_that_exclude_come_before_the_others(run):
    lines = spot(run, 1000, 1000).splitlines()
    tiers = [line.split(":")[0].strip() for line in lines if line.startswith("   ")]
    known = [t for t in tiers if t in {"exclude", "require", "flag", "avoid"}]
    assert known == sorted(known, key=lambda t: t not in {"exclude", "require"})
    assert {"exclude", "flag"} <= set(known)


def test_land_of_another_owner_says_whose_it_is(run):
    text = spot(run, 10_000, 10_000)
    assert "DOD: Fort Toy" in text
    assert "not offered: the scenario does not offer DOD land" in text


def test_open_land_has_its_scores(run):
    text = spot(run, 3100, 3100)
    assert "BLM: West Tract" in text
    assert "suitability of this cell" in text
    for c in run.manifest["criteria"]:
        assert c["title"] in text


def test_land_without_a_parcel_says_so(run):
    assert "no parcel of the land register" in spot(run, 300, 300)


def test_land_far_from_evidence_has_no_score(run):
    assert "no suitability" in spot(run, 800, 11_200)


@pytest.mark.parametrize(
    ("lon", "lat", "said"),
    [
        (0.0, 0.0, "outside the area of interest Toyland"),
        (40.0, -117.0, "swapped"),
        (float("nan"), 40.0, "longitude,latitude in degrees"),
        (float("inf"), 40.0, "longitude,latitude in degrees"),
    ],
)
def test_a_spot_that_is_not_in_the_run(run, lon, lat, said):
    with pytest.raises(CoverageError, match=said):
        explain_spot(run, lon, lat)


def test_a_site_that_is_not_in_the_run(run):
    with pytest.raises(CoverageError, match=r"no site 'BLM-1'.*sites are BLM-.*LON,LAT"):
        explain_site(run, "BLM-1")


def test_a_run_without_a_site_says_so(tmp_path, tmp_path_factory):
    hamlet = copied(shared_hamlet(tmp_path_factory), tmp_path / "here")
    hamlet.ask(sites={"unit": "deposit", "min_area": "90000 ha", "max_area": "99000 ha"})
    with pytest.raises(CoverageError, match="it found no site at all"):
        explain_site(execute(hamlet.plan(), hamlet.outputs), "BLM-1")


def test_names_cannot_steer_the_terminal(tmp_path, tmp_path_factory):
    hamlet = copied(shared_hamlet(tmp_path_factory), tmp_path / "here")
    write_records(hamlet, [(3100, 3100, "\x1b[2J\x9bCopper Hill")])
    states = gpd.read_file(hamlet.data / "blm.gpkg")
    states.assign(name="West\nTract: clear\x1b]0;x\x07").to_file(hamlet.data / "blm.gpkg")
    found = execute(hamlet.plan(), hamlet.outputs)
    for text in (explain_site(found, found.sites["site_id"].iloc[0]), spot(found, 3100, 3100)):
        assert all(line.isprintable() for line in text.split("\n"))
        assert not [line for line in text.split("\n") if line.startswith("Tract")]


@pytest.mark.parametrize("where", ["surfaces.zarr", "sites.gpkg", "sites.parquet"])
@pytest.mark.parametrize("how", ["empty", "cut"])
def test_a_damaged_run_says_which_file(tmp_path, tmp_path_factory, where, how):
    hamlet = copied(shared_hamlet(tmp_path_factory), tmp_path / "here")
    path = earlier_run(hamlet) / where
    files = [p for p in path.rglob("*") if p.is_file()] if path.is_dir() else [path]
    for file in files:
        whole = file.read_bytes()
        file.write_bytes(whole[: len(whole) // 2])
    if how == "empty":
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        path.mkdir() if path.suffix == ".zarr" else path.touch()
    read = (explain_site, "BLM-1") if where == "sites.parquet" else (spot, 3100, 3100)
    with pytest.raises(RunError, match=rf"{where}: is damaged.*run the scenario again"):
        read[0](open_run(path.parent), *read[1:])


def test_a_missing_layer_cannot_tell(tmp_path, tmp_path_factory):
    hamlet = copied(shared_hamlet(tmp_path_factory), tmp_path / "here")
    (hamlet.data / "tribal.geojson").unlink()
    hamlet.ask(rules=["sovereign-land"])
    found = execute(hamlet.plan(), hamlet.outputs, allow_missing=True)
    assert isinstance(found, Run)
    assert "cannot tell: Tribal trust and reservation land (exclude)" in spot(found, 3100, 3100)
    text = explain_site(found, found.sites["site_id"].iloc[0])
    assert "hard, cannot tell: Tribal trust" in text
    assert "not ranked: no authority is known" in spot(found, 10_000, 10_000)
