"""run.json accounts for every feature, and its hash for everything an answer depends on."""

from __future__ import annotations

import json

import geopandas as gpd
import pytest
import shapely

from geosite.manifest import data_years, notice
from geosite.report import DataYears
from geosite.report.text import markdown
from geosite.run_shape import misshapen
from geosite.runs import open_run
from tests.worlds import (
    _FILES as ENTRIES,
)
from tests.worlds import (
    ALBERS,
    SCENARIO,
    SIDE,
    SOUTH,
    WEST,
    box,
    earlier_run,
    edited_criteria,
    entry,
    shared_demo,
    write_towns,
    write_yaml,
)


@pytest.fixture(scope="module")
def said(common):
    return open_run(earlier_run(common)).manifest


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = shared_demo(tmp_path_factory).folder.parent
    return [open_run(p).manifest for p in sorted(folder.glob("*-*/*Z-*"))]


def hash_of(hamlet, *words):
    result = hamlet.cli("run", *words)
    assert result.exit_code == 0, result.stderr
    return open_run(type(hamlet.root)(result.stdout.strip())).manifest["hash"]


def test_every_feature_is_accounted_for(said, demo):
    assert len(demo) == 2
    for manifest in (said, *demo):
        assert manifest["counts"]
        for c in manifest["counts"]:
            lost = c["not_selected"] + sum(c["rejected"].values())
            assert c["found"] == c["used"] + lost, c["layer"]


def test_it_is_json_that_any_reader_takes(common):
    def refuse(word):
        raise AssertionError(word)

    text = (earlier_run(common) / "run.json").read_text(encoding="utf-8")
    json.loads(text, parse_constant=refuse)


def test_it_holds_what_the_run_was(said):
    assert said["scenario"]["name"] == "hamlet"
    assert said["grid"]["cells"] == 3600
    assert said["synthetic"] is True
    assert {x["id"] for x in said["layers"]} >= {"land/blm", "minerals/usmin", "terrain/elevation"}
    for layer in said["layers"]:
        assert all(len(f["sha256"]) == 64 and f["size"] > 0 for f in layer["files"])
    assert set(said["timings_s"]) >= {"prepare", "tiles", "join", "sites"}
    assert set(said["versions"]) >= {"geosite", "gdal", "proj", "numpy"}
    assert said["missing"] == []
    assert "Pre-decisional screening" in said["notice"]


def test_it_says_from_when_the_data_are(common, said):
    assert said["data_years"] == {"oldest": 2026, "newest": 2026, "undated": []}
    assert "Data: synthetic; rules as of 2026-01-02." in said["notice"]


def test_years_are_those_of_the_layers_that_are_read(hamlet):
    vintages = {
        "land/blm": "FY2019",
        "land/dod": "1.4, March 2001 (maps of 1888)",
        "land/tribal": "service, read on the day of fetching",
        "aoi/states": "20240930",
    }
    for layer in ENTRIES:
        hamlet.declare(layer, vintage=vintages.get(layer, "2020"), status="official")
    (hamlet.data / "tribal.geojson").rename(hamlet.data / "other.geojson")
    assert data_years(hamlet.plan()) == DataYears(2001, 2020, ("aoi/states",))
    (hamlet.data / "other.geojson").rename(hamlet.data / "tribal.geojson")
    plan = hamlet.plan()
    assert data_years(plan) == DataYears(2001, 2020, ("aoi/states", "land/tribal"))
    said = "Data as of 2001 to 2020, 2 layers undated; rules as of 2026-01-02."
    assert said in notice(plan)


def test_a_layer_made_of_others_is_as_old_as_they_are(hamlet):
    hamlet.declare("land/blm", vintage="2011")
    write_yaml(hamlet.layers / "land" / "part.yaml", entry("land/blm") | {"vintage": "1999"})
    hamlet.declare(
        "land/blm", vintage="as its parts", sources=None, crs=None, fields=None,
        union_of=["land/part"],
    )  # fmt: skip
    assert data_years(hamlet.plan()) == DataYears(1999, 2026)


def test_every_rule_in_force_has_its_line_in_the_citations(demo, tmp_path_factory):
    folder = shared_demo(tmp_path_factory).folder.parent
    for path in sorted(folder.glob("*-*/*Z-*")):
        said = open_run(path).manifest
        text = (path / "CITATIONS.md").read_text(encoding="utf-8")
        lines = [x for x in text.splitlines() if x.startswith("| ")]
        assert said["rules"]
        for r in [*said["rules"], *said["unasked"]]:
            line = f"| {markdown(r['id'])} | {markdown(r['title'])} |"
            (found,) = [x for x in lines if x.startswith(line)]
            assert markdown(r["citation"]) in found
            assert markdown(r["evidence"]) in found


def test_a_manifest_that_is_whole_has_no_fault(said, demo):
    for manifest in (said, *demo):
        assert misshapen(manifest) == []


def test_the_area_is_accounted_for(said):
    assert sum(said["status_ha"].values()) == pytest.approx(SIDE**2 / 1e4)


def test_land_that_is_not_ranked_has_a_reason(said, demo):
    for manifest in (said, *demo):
        for row in manifest["parcels"]:
            assert bool(row["reason"]) != row["ranked"]


def test_same_inputs_give_the_same_hash_wherever_they_lie(said, hamlet):
    assert hash_of(hamlet) == said["hash"]


def test_a_changed_file_changes_the_hash(said, hamlet):
    write_towns(hamlet, [(5000, 5000, "Middletown", 701), (11_000, 300, "Corner", 60)])
    assert hash_of(hamlet) != said["hash"]


def test_an_outline_of_another_shape_changes_the_hash(hamlet):
    path = hamlet.root / "outline.gpkg"
    found = []
    for side in (9000, 11_000):
        frame = gpd.GeoDataFrame(geometry=[box(0, 0, side, side)], crs=ALBERS)
        frame.to_file(path)
        found.append(hash_of(hamlet, "--aoi", str(path)))
    assert found[0] != found[1]


@pytest.mark.parametrize("change", ["weight", "resolution", "origin", "entry"])
def test_another_question_has_another_hash(said, hamlet, change):
    words = ["--resolution", "400 m"] if change == "resolution" else []
    if change == "weight":
        hamlet.ask(criteria=edited_criteria("rail", weight="3"))
    if change == "origin":
        hamlet.ask(grid=SCENARIO["grid"] | {"origin": ["1 m", "0 m"]})
    if change == "entry":  # the same bytes, read otherwise
        hamlet.declare("infrastructure/rail", coverage={"kind": "states", "names": ["Toyland"]})
    assert hash_of(hamlet, *words) != said["hash"]


def test_the_outline_is_kept(common):
    aoi = gpd.read_file(earlier_run(common) / "sites.gpkg", layer="aoi")
    assert shapely.box(WEST, SOUTH, WEST + SIDE, SOUTH + SIDE).equals(aoi.geometry.iloc[0])
