"""What a dossier finds of drawn areas and of a run's sites, and what it says it could not."""

from __future__ import annotations

import csv
import json
import re
import shutil
from html.parser import HTMLParser

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely

from geosite import catalog
from geosite import dossier as d
from geosite.crs import WGS84, local_equal_area, projected
from geosite.dossier.findings import _judged
from geosite.dossier.nearby import _named
from geosite.errors import CoverageError, CRSMismatchError, LayerDataError, RunError
from geosite.model.rule import Rule
from geosite.report.dossier_content import GAPS, percent
from geosite.report.dossier_pages import far, index_html, page_names, site_html
from geosite.report.dossier_tables import _by_kind, listed
from geosite.runs import open_run
from tests.worlds import ALBERS, box, cli, lonlat, make_hamlet, put_layer


def rule(id_, layer, mine, **more):
    return {
        "id": id_,
        "title": more.pop("title", f"The rule {id_}"),
        "layer": layer,
        "mine": mine,
        "authority": "statute",
        "citation": "made up for the tests",
        **more,
    }


RULES = [
    rule("reserve", "land/tribal", {"tier": "exclude"}, consultation="The Tribe",
         permits=["section-106"], exceptions=["The Tribe asks"]),
    rule("fort", "land/dod", {"tier": "exclude", "setback": "300 m"}, who_can_act="The Army"),
    rule("railway", "infrastructure/rail", {"tier": "mitigate", "setback": "500 m"},
         authority="practice"),
    rule("steep", "terrain/elevation", {"tier": "avoid", "factor": "0.5"},
         subject={"kind": "slope", "above": "1.5 %"}),
    rule("workings", "minerals/usmin", {"tier": "flag", "setback": "100 m"}),
]  # fmt: skip


@pytest.fixture(scope="module")
def hamlet(tmp_path_factory):
    made = make_hamlet(tmp_path_factory.mktemp("dossier") / "it")
    made.ask(rules=[], own_rules=RULES)
    result = made.cli("run")
    assert not result.exit_code, result.output
    return made


@pytest.fixture(scope="module")
def run(hamlet):
    return open_run(next((hamlet.outputs / "hamlet").glob("*Z-*[0-9a-f]")))


def drawing(path, shapes, crs=ALBERS, **columns):
    gpd.GeoDataFrame(columns, geometry=shapes, crs=crs).to_file(path)
    return path


def asked(hamlet, shapes, tmp_path, *, ring=2000.0, scenario=None, layers=None, **columns):
    path = drawing(tmp_path / "drawn.gpkg", shapes, **columns)
    means = d.Means(
        catalog.open_catalog(layers or hamlet.layers), catalog.open_rulebook(), hamlet.data,
        None, ring,
    )  # fmt: skip
    found = catalog.open_scenario(str(scenario or hamlet.scenario))
    return d.of_areas(d.drawn(path), found, means, about="drawn.gpkg")


def table(path):
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def by_rule(page):
    return {f.rule.id: f for f in page.findings}


# ── findings ────────────────────────────────────────────────────────────────────────────────


def test_a_drawn_area_names_what_it_touches_with_acres_and_share(hamlet, tmp_path):
    page = asked(hamlet, [box(0, 0, 3000, 3000)], tmp_path).pages[0]
    found = by_rule(page)["reserve"]
    assert found.group == "touches"
    assert found.standing == "certain"
    assert found.names == ("Toy Reservation",)
    assert found.overlap_ha == pytest.approx(1.4 * 1.6 * 100, rel=1e-3)
    assert found.share == pytest.approx(found.overlap_ha / 900, rel=1e-9)
    assert found.shape.area / 10_000 == pytest.approx(found.overlap_ha)
    assert found.rule.permits == ("Historic properties, section 106",)
    assert page.of("touches")[0] is found, "what excludes comes first"


def test_features_twice_on_one_spot_count_once(hamlet, tmp_path):
    scenario = tmp_path / "twice.yaml"
    hamlet_copy = tmp_path / "copy"
    shutil.copytree(hamlet.root, hamlet_copy)
    tribal = gpd.read_file(hamlet_copy / "data/tribal.geojson")
    two = gpd.GeoDataFrame(
        {"name": ["One", "Two"]}, geometry=[*tribal.geometry, *tribal.geometry], crs=tribal.crs
    )
    two.to_file(hamlet_copy / "data/tribal.geojson")
    shutil.copy(hamlet.scenario, scenario)
    moved = type(hamlet)(hamlet_copy)
    found = by_rule(asked(moved, [box(700, 700, 1900, 2000)], tmp_path).pages[0])["reserve"]
    assert found.share == pytest.approx(1.0)
    assert found.share <= 1.0
    assert found.names == ("One", "Two")


def test_lines_have_a_length_and_no_area(hamlet, tmp_path):
    found = by_rule(asked(hamlet, [box(0, 0, 12_000, 6000)], tmp_path).pages[0])["railway"]
    assert found.group == "touches"
    assert found.length_m == pytest.approx(np.hypot(12_000, 4800), rel=1e-3)
    assert found.overlap_ha == 0


def test_what_is_near_says_how_far_and_where(hamlet, tmp_path):
    page = asked(hamlet, [box(9000, 7000, 10_000, 8000)], tmp_path, ring=2000).pages[0]
    found = by_rule(page)["fort"]
    assert found.group == "near"
    assert found.standing == "clear"
    assert found.nearest_m == pytest.approx(1200, rel=0.02)
    assert found.ring_names == ("Fort Toy",)
    # North on the grid is not north on the ground.
    assert found.direction in {"N", "NNE", "NNW", "NE", "NW"}


def test_within_the_setback_a_rule_touches_without_overlap(hamlet, tmp_path):
    page = asked(hamlet, [box(9000, 7000, 10_000, 9000)], tmp_path).pages[0]
    found = by_rule(page)["fort"]
    assert (found.group, found.standing) == ("touches", "certain")
    assert found.overlap_ha == 0
    assert found.names == ("Fort Toy",)


def test_presence_only_layers_never_make_a_place_clear(hamlet, tmp_path):
    found = by_rule(asked(hamlet, [box(6000, 7000, 6500, 7500)], tmp_path, ring=0).pages[0])
    assert found["workings"].standing == "unknown"
    assert "does not show everything" in found["workings"].why


def test_a_missing_layer_is_unknown_and_said_first(hamlet, tmp_path):
    scenario = tmp_path / "lost.yaml"
    hamlet.ask(rules=[], own_rules=[*RULES, rule("lost", "environment/acec", {"tier": "flag"})])
    shutil.move(hamlet.scenario, scenario)
    hamlet.ask(rules=[], own_rules=RULES)
    made = asked(hamlet, [box(0, 0, 900, 900)], tmp_path, scenario=scenario)
    found = by_rule(made.pages[0])["lost"]
    assert (found.group, found.standing, found.method) == ("unasked", "unknown", "none")
    gap = next(g for g in made.gaps if g.kind == "missing")
    assert gap.layer == "environment/acec"
    html = site_html(made, made.pages[0])
    assert html.index("What was not examined") < html.index("The rule lost")


def test_a_layer_that_stops_short_says_how_much_it_covers(hamlet, tmp_path):
    layers = tmp_path / "layers"
    shutil.copytree(hamlet.layers, layers)
    west, south = lonlat(0, 0)
    east, north = lonlat(3000, 12_500)
    text = (layers / "infrastructure/rail.yaml").read_text()
    cover = f"west: {west - 1}, south: {south - 1}, east: {east}, north: {north + 1}"
    cover = f"coverage: {{kind: box, {cover}}}\n"
    (layers / "infrastructure/rail.yaml").write_text(text + cover)
    shapes = [box(2000, 9000, 4000, 10_000), box(8000, 9000, 8500, 9100)]
    made = asked(hamlet, shapes, tmp_path, layers=layers, ring=0.0)
    part, off = (by_rule(p)["railway"] for p in made.pages)
    assert 0.1 < part.covered < 0.9
    assert part.standing == "unknown"
    assert off.covered == 0
    assert (off.group, off.standing) == ("unasked", "unknown")
    assert all(p.gaps[0].kind == "not covered" for p in made.pages)


def test_a_setback_into_land_that_the_layer_does_not_speak_for_is_unknown(hamlet, tmp_path):
    moved = type(hamlet)(shutil.copytree(hamlet.root, tmp_path / "copy"))
    (west, south), (east, north) = lonlat(-9000, -9000), lonlat(6000, 4050)
    spoken = {"kind": "box", "west": west, "south": south, "east": east, "north": north + 1}
    put_layer(moved, "x/wells", [box(0, 0, 100, 100)], ENTRY={"coverage": spoken})
    moved.ask(rules=[], own_rules=[rule("wells", "x/wells", {"tier": "avoid", "factor": "0.5",
                                                             "setback": "1 km"})])  # fmt: skip
    shapes = [box(4000, 4000, 4100, 4100), box(5300, 4000, 5400, 4100)]
    inland, edge = (by_rule(p)["wells"] for p in asked(moved, shapes, tmp_path).pages)
    assert (inland.standing, edge.standing) == ("clear", "unknown")
    assert edge.covered == 1.0
    assert "within the rule's reach" in edge.why


def test_rasters_are_not_examined_without_a_run_and_read_off_its_cells_with_one(
    hamlet, run, tmp_path
):
    means = d.Means(catalog.open_catalog(hamlet.layers), catalog.open_rulebook(), hamlet.data)
    drawn = asked(hamlet, [box(1000, 4000, 4000, 9000)], tmp_path)
    assert by_rule(drawn.pages[0])["steep"].why == "raster: not examined here"
    with_run = d.of_areas(
        d.drawn(tmp_path / "drawn.gpkg"),
        catalog.open_scenario(str(hamlet.scenario)), means, about="x", run=run,
    )  # fmt: skip
    found = by_rule(with_run.pages[0])["steep"]
    assert found.method == "cells"
    assert found.standing in {"certain", "possible"}
    assert 0 < found.share <= 1


def test_setbacks_and_boundaries_are_those_of_a_run(hamlet, tmp_path):
    moved = type(hamlet)(shutil.copytree(hamlet.root, tmp_path / "copy"))
    # A height that is not told is written as -999 in some tables: the plain setback, not a hole.
    put_layer(moved, "x/walls", [box(0, 0, 1000, 1000), box(5000, 0, 6000, 1000)],
              high=[-999.0, 100.0])  # fmt: skip
    tall = {"field": "high", "times": 3, "at_most": "900 m"}
    walls = rule("walls", "x/walls", {"tier": "exclude", "setback": "100 m", "scaled": tall})
    edge = rule("edge", "x/walls", {"tier": "flag"}, subject={"kind": "boundary"})
    moved.ask(rules=[], own_rules=[walls, edge])
    near, far_off = box(1050, 400, 1090, 500), box(6250, 400, 6290, 500)
    middle, across = box(400, 400, 500, 500), box(950, 400, 1040, 500)
    made = [by_rule(p) for p in asked(moved, [near, far_off, middle, across], tmp_path).pages]
    assert [found["walls"].standing for found in made] == ["certain"] * 4
    assert [found["edge"].standing for found in made] == ["clear", "clear", "clear", "certain"]
    # The wall of unknown height may reach as far as any; the other one is known not to.
    unsure, off = box(1400, 400, 1440, 500), box(6350, 400, 6390, 500)
    made = [by_rule(p)["walls"] for p in asked(moved, [unsure, off], tmp_path).pages]
    assert [found.standing for found in made] == ["unknown", "clear"]
    assert "does not tell high lies within 900 m" in made[0].why


@pytest.mark.parametrize(
    ("entry", "far"), [({}, "certain"), ({"absence": "not_informative"}, "unknown")]
)
def test_what_a_rule_asks_for_is_missed_only_where_its_layer_would_show_it(
    hamlet, tmp_path, entry, far
):
    moved = type(hamlet)(shutil.copytree(hamlet.root, tmp_path / "copy"))
    put_layer(moved, "x/corridor", [box(4000, 4000, 6000, 6000)], name=["C"], ENTRY=entry)
    wanted = rule("corridor", "x/corridor", {"tier": "require", "within": "200 m"})
    moved.ask(rules=[], own_rules=[wanted])
    shapes = [box(4100, 4100, 4200, 4200), box(9000, 6000, 9100, 6100)]
    made = [by_rule(p)["corridor"].standing for p in asked(moved, shapes, tmp_path).pages]
    assert made == ["clear", far]


def test_a_rule_of_other_land_needs_no_layer_here(hamlet, tmp_path):
    moved = type(hamlet)(shutil.copytree(hamlet.root, tmp_path / "copy"))
    put_layer(moved, "x/lost", [box(1000, 1000, 2000, 2000)], name=["L"])
    (moved.data / "x-lost.gpkg").unlink()
    west = rule("west-only", "x/lost", {"tier": "exclude"}, inside="land/blm",
                inside_where="name = 'West Tract'")  # fmt: skip
    moved.ask(rules=[], own_rules=[west])
    there, off = box(2000, 3000, 2500, 3500), box(9000, 6500, 9500, 7000)
    made = asked(moved, [there, off], tmp_path)
    assert [by_rule(p)["west-only"].standing for p in made.pages] == ["unknown", "clear"]
    assert "x/lost" in str(made.gaps)
    alone = asked(moved, [off], tmp_path)
    assert "x/lost" not in str(alone.gaps)


def test_what_a_local_rule_asks_instead_is_heard(hamlet, tmp_path):
    scenario = tmp_path / "local.yaml"
    local = [{"rule": "railway", "inside": "land/blm", "where": "name = 'West Tract'",
              "setback": "3 km", "citation": "county code 7"}]  # fmt: skip
    hamlet.ask(rules=[], own_rules=RULES, local=local)
    shutil.move(hamlet.scenario, scenario)
    hamlet.ask(rules=[], own_rules=RULES)
    shapes = [box(2000, 3000, 2500, 3500), box(9000, 6500, 9500, 7000)]
    made = asked(hamlet, shapes, tmp_path, scenario=scenario)
    west, east = (by_rule(p)["railway"] for p in made.pages)
    # Each lies about 2 km from the line: farther than 500 m, nearer than 3 km.
    assert west.standing == "certain"
    assert "county code 7" in west.why
    assert east.standing == "clear"
    assert "county code 7" not in east.why


def _with_layer_text(hamlet, tmp_path, layer, more):
    layers = tmp_path / "layers"
    shutil.copytree(hamlet.layers, layers)
    path = layers / f"{layer}.yaml"
    path.write_text(path.read_text() + more)
    return layers


def test_land_that_a_rule_speaks_of_is_unknown_where_its_layer_is_silent(hamlet, tmp_path):
    scenario = tmp_path / "inside.yaml"
    held = [rule("held", "land/tribal", {"tier": "flag"}, inside="land/dod")]
    hamlet.ask(rules=[], own_rules=held)
    shutil.move(hamlet.scenario, scenario)
    hamlet.ask(rules=[], own_rules=RULES)
    shapes = [box(700, 700, 1200, 1200), box(4000, 700, 4500, 1200)]
    whole = asked(hamlet, shapes, tmp_path, scenario=scenario)
    assert [by_rule(p)["held"].standing for p in whole.pages] == ["clear", "clear"]
    # The layer that says where the rule holds stops far from here.
    west, south = lonlat(9000, 9000)
    cover = f"west: {west}, south: {south}, east: {west + 1}, north: {south + 1}"
    layers = _with_layer_text(
        hamlet, tmp_path, "land/dod", f"coverage: {{kind: box, {cover}}}\n"
    )  # fmt: skip
    made = asked(hamlet, shapes, tmp_path, scenario=scenario, layers=layers)
    on, off = (by_rule(p)["held"] for p in made.pages)
    assert on.standing == "unknown"
    assert "land/dod" in on.why
    assert off.standing == "clear", "nothing is there, wherever the rule holds"


def test_what_is_read_for_another_area_is_not_called_the_nearest(hamlet, tmp_path, monkeypatch):
    # The fort lies between 9 and 12 km north; for the second area it is read, for the first
    # nobody has looked so far.
    monkeypatch.setattr("geosite.dossier.asking.LOOK", 1000.0)
    shapes = [box(9000, 200, 9500, 700), box(9000, 9000, 9500, 9100)]
    far_off, close = asked(hamlet, shapes, tmp_path, ring=600.0).pages
    assert np.isnan(by_rule(far_off)["fort"].nearest_m)
    assert by_rule(far_off)["fort"].nearest_name == ""
    assert by_rule(close)["fort"].nearest_m < 1000


@pytest.mark.parametrize(
    ("origin", "group", "why"),
    [
        ("acquired", "touches", ""),
        ("partly acquired (37 %), public domain (63 %)", "touches", "partly acquired"),
        ("unknown", "touches", "land origin of the site is unknown"),
        ("public domain", "examined", "here it is public domain"),
        ("partly public domain (37 %), unknown (63 %)", "touches", "partly public domain"),
    ],
)
def test_a_site_of_several_origins_is_spoken_of(hamlet, tmp_path, origin, group, why):
    page = asked(hamlet, [box(700, 700, 1200, 1200)], tmp_path).pages[0]
    held = Rule.model_validate(rule("x", "land/tribal", {"tier": "flag"}, land_origin="acquired"))
    found = _judged(by_rule(page)["reserve"], "certain", {"land_origin": origin}, held)
    assert found.group == group
    assert why in found.why


@pytest.mark.parametrize(
    ("local", "near_line", "far_off"),
    [
        ({"setback": "3 km"}, "certain", "unknown"),
        ({"applies": False}, "possible", "clear"),
    ],
)
def test_a_local_rule_whose_land_nobody_tells_leaves_it_open(
    hamlet, tmp_path, local, near_line, far_off
):
    scenario = tmp_path / "local.yaml"
    entry = {"rule": "railway", "inside": "land/nowhere", "citation": "county code 7", **local}
    hamlet.ask(rules=[], own_rules=RULES, local=[entry])
    shutil.move(hamlet.scenario, scenario)
    hamlet.ask(rules=[], own_rules=RULES)
    shapes = [box(0, 0, 12_000, 6000), box(2000, 3000, 2500, 3500)]
    made = asked(hamlet, shapes, tmp_path, scenario=scenario)
    assert [by_rule(p)["railway"].standing for p in made.pages] == [near_line, far_off]


def test_a_mark_for_no_name_is_no_name():
    frame = gpd.GeoDataFrame(
        {"name": ["NOT AVAILABLE", None, "Elm Line"], "kind": ["AC", "DC", "AC"]},
        geometry=[shapely.Point(0, 0)] * 3,
    )
    assert _named(frame)["name"].tolist() == ["AC", "DC", "Elm Line"]
    alone = _named(frame[["name", "geometry"]])
    assert alone["name"].notna().tolist() == [False, False, True]


# ── the heading ─────────────────────────────────────────────────────────────────────────────


def test_land_managers_share_no_land_and_make_up_the_site(hamlet, tmp_path):
    page = asked(hamlet, [box(0, 0, 12_000, 12_000)], tmp_path).pages[0]
    land = {owner: ha for owner, _, ha in page.managers}
    assert sum(land.values()) == pytest.approx(page.area_ha, rel=1e-6)
    assert land["TRIBAL"] == pytest.approx(224, rel=1e-2)
    assert {"BLM", "DOD", "TRIBAL", ""} == set(land)


def test_an_office_whose_layer_is_missing_is_unknown_by_name(hamlet, tmp_path):
    page = asked(hamlet, [box(0, 0, 900, 900)], tmp_path).pages[0]
    said = {line.label: line.value for line in page.lines}
    assert said["BLM field office"] == "unknown: layer land/blm_field_offices is not to be had"
    assert said["State"] == "Toyland"


def test_permits_asked_of_every_site_are_those_of_its_land_and_minerals(hamlet, run, tmp_path):
    means = d.Means(catalog.open_catalog(hamlet.layers), catalog.open_rulebook(), hamlet.data)
    site = d.of_run(run, means, top=1).pages[0]
    drawn = asked(hamlet, [box(3000, 3000, 3200, 3200)], tmp_path).pages[0]
    licence = "licence for source material"
    for page, certain in ((site, True), (drawn, False)):
        said = {line.label: line.value.casefold() for line in page.lines}
        assert ("plan of operations" in said["Asked of every such site"]) is certain
        assert licence not in said["Asked of every such site"]
        assert (licence in said.get("Perhaps asked", "")) is not certain
        assert "section 106" in said["Asked of every such site"]
    said = {line.label: line.value for line in drawn.lines}
    assert said["Could be made available by"].startswith("BLM: 43 CFR 3809")
    assert "on acquired land" in said["Could be made available by"]


def test_records_inside_are_named(hamlet, tmp_path):
    page = asked(hamlet, [box(3000, 3000, 3200, 3200)], tmp_path).pages[0]
    said = {line.label: line.value for line in page.lines}
    assert said["Mineral records inside"].startswith("Copper Hill")


# ── a run ───────────────────────────────────────────────────────────────────────────────────


def test_review_of_a_run_needs_no_options_and_leaves_the_run_alone(hamlet, run):
    before = sorted(p.name for p in run.path.iterdir())
    result = cli("review", run.path)
    assert not result.exit_code, result.output
    index = result.stdout.strip()
    folder = run.path.with_name(f"{run.path.name}.review")
    assert index == str(folder / "index.html")
    assert sorted(p.name for p in run.path.iterdir()) == before
    names = {p.name for p in folder.iterdir()}
    assert {"index.html", "dossier.csv", "not_examined.csv", "dossier.gpkg"} <= names
    assert len([n for n in names if n.endswith(".html")]) == len(run.sites) + 1
    sites = run.sites
    rows = table(folder / "dossier.csv")
    assert len(rows) == len(sites) * len(RULES)
    text = (folder / f"{sites.iloc[0]['site_id']}.html").read_text(encoding="utf-8")
    assert re.search(r"Rank</th><td>1( \(\d+–\d+\))? of 3 sites", text)
    assert re.search(r"Permit pathways</th><td>[^<]*months, likely", text)
    assert re.search(r"Coverage of rules and land</th><td>\d+ %", text)


def test_places_of_a_run_are_relative(run):
    said = json.loads((run.path / "run.json").read_text())["places"]
    assert said == {"layers": "../../../layers", "data": "../../../data"}


def test_one_site_by_its_id_whatever_its_case(hamlet, run, tmp_path):
    site = run.sites.iloc[1]["site_id"]
    result = cli("review", run.path, "--site", site.lower(), "--out", tmp_path / "one")
    assert not result.exit_code, result.output
    assert (tmp_path / "one" / f"{site}.html").is_file()
    assert len(list((tmp_path / "one").glob("*.html"))) == 2


def test_the_overlap_agrees_with_the_outline(run, hamlet, tmp_path):
    means = d.Means(catalog.open_catalog(hamlet.layers), catalog.open_rulebook(), hamlet.data)
    for page in d.of_run(run, means).pages:
        for f in page.findings:
            assert not f.share > 1.0
            if f.shape is not None:
                assert shapely.covers(page.outline.buffer(1e-6), f.shape)


def test_an_unknown_site_is_told(run):
    result = cli("review", run.path, "--site", "XX-1")
    assert result.exit_code == 1
    assert "there is no site 'XX-1'" in result.stderr
    assert "BLM-" in result.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "--polygon"),
        (["--top", "0"], "0 is not in the range"),
        (["here", "--site", "a", "--polygon", "b"], "give one of them"),
        (["here", "--scenario", "x"], "--scenario goes with --polygon"),
        (["here", "--ring", "5"], "5"),
        (["here", "--ring", "-1 km"], "must be between"),
    ],
)
def test_wrong_usage_is_explained(words, said):
    result = cli("review", *words)
    assert result.exit_code == 2
    assert said in result.stderr


def test_a_folder_that_is_no_run_is_told(tmp_path):
    result = cli("review", tmp_path)
    assert result.exit_code == 1
    assert "not a finished run" in result.stderr


# ── drawings that are none ──────────────────────────────────────────────────────────────────


def test_an_outline_that_crosses_itself_is_repaired_and_said(tmp_path, hamlet):
    x, y = -1_799_000.0, 1_901_000.0
    bow = shapely.Polygon([(x, y), (x + 900, y + 900), (x + 900, y), (x, y + 900)])
    areas = d.drawn(drawing(tmp_path / "bow.gpkg", [bow], name=["Bow"]))
    assert areas.frame.geometry.is_valid.all()
    assert areas.frame.geometry.area.sum() == pytest.approx(2 * 900 * 450 / 2)
    assert "repaired" in areas.remarks["Bow"][0]
    made = asked(hamlet, [bow], tmp_path, name=["Bow"])
    assert "repaired" in index_html(made)


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        (shapely.Point(-117, 41), "is a point, expected a polygon"),
        (shapely.LineString([(-117, 41), (-118, 42)]), "is a linestring, expected a polygon"),
        (None, "has no geometry"),
        (shapely.Polygon(), "has no geometry"),
        (shapely.box(-179, 60, 179, 61), "antimeridian"),
        (shapely.box(170, 60, 190, 61), "antimeridian"),
        (shapely.box(41, -118, 42, -117), "latitude"),
    ],
)
def test_what_is_no_area_is_refused_with_where(tmp_path, shape, said):
    good = shapely.box(-118, 41, -117.9, 41.1)
    path = drawing(tmp_path / "drawn.gpkg", [good, shape], WGS84, name=["good", "wrong"])
    with pytest.raises(LayerDataError, match=said) as error:
        d.drawn(path)
    assert "feature 2 (wrong)" in str(error.value)


def test_all_wrong_features_are_told_at_once(tmp_path):
    shapes = [shapely.Point(0, 0), shapely.Point(1, 1)]
    with pytest.raises(LayerDataError, match=r"(?s)feature 1.*feature 2"):
        d.drawn(drawing(tmp_path / "drawn.gpkg", shapes, WGS84))


def test_files_that_hold_no_area(tmp_path):
    with pytest.raises(LayerDataError, match="there is no such file"):
        d.drawn(tmp_path / "none.gpkg")
    (tmp_path / "empty.geojson").write_text("")
    with pytest.raises(LayerDataError, match="cannot be read"):
        d.drawn(tmp_path / "empty.geojson")
    (tmp_path / "zero.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    with pytest.raises(LayerDataError, match="holds no"):
        d.drawn(tmp_path / "zero.geojson")
    (tmp_path / "table.csv").write_text("a,b\n1,2\n")
    with pytest.raises(LayerDataError, match="without geometry"):
        d.drawn(tmp_path / "table.csv")
    drawing(tmp_path / "bare.shp", [box(0, 0, 9, 9)], name=["a"])
    (tmp_path / "bare.prj").unlink()
    with pytest.raises(CRSMismatchError, match="declare it"):
        d.drawn(tmp_path / "bare.shp")


def test_features_of_one_name_are_two_areas(tmp_path):
    shapes = [box(0, 0, 9, 9), box(20, 0, 29, 9), box(40, 0, 49, 9)]
    named = d.drawn(drawing(tmp_path / "a.gpkg", shapes, NAME=["Pit", "Pit", None]))
    assert named.frame["site_id"].tolist() == ["Pit (1)", "Pit (2)", "a 3"]
    assert d.drawn(drawing(tmp_path / "one.gpkg", shapes[:1])).frame["name"].tolist() == ["one"]


@pytest.mark.parametrize("where", [(8.0, 47.0), (-155.5, 19.6), (-150.0, 64.0)])
def test_an_area_outside_all_coverage_is_unknown_and_says_so_first(hamlet, tmp_path, where):
    lon, lat = where
    shape = shapely.box(lon, lat, lon + 0.05, lat + 0.05)
    path = drawing(tmp_path / "far.gpkg", [shape], WGS84)
    means = d.Means(catalog.open_catalog(hamlet.layers), catalog.open_rulebook(), hamlet.data)
    made = d.of_areas(
        d.drawn(path), catalog.open_scenario(str(hamlet.scenario)), means, about="far.gpkg"
    )
    page = made.pages[0]
    assert "outside every land layer" in page.remarks[0]
    assert {f.standing for f in page.findings} == {"unknown"}
    assert page.area_ha == pytest.approx(
        projected(d.drawn(path).frame, local_equal_area(lon, lat)).geometry.area[0] / 10_000,
        rel=1e-3,
    )
    html = site_html(made, page)
    assert html.index("outside every land layer") < html.index("What was not examined")


# ── pages and files ─────────────────────────────────────────────────────────────────────────


class Reader(HTMLParser):
    """Tags, attributes and text of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.words = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, *a) for a in attrs]

    def handle_data(self, data):
        self.words.append(data)


HOSTILE = '"><script>alert(1)</script>{{ 7*7 }}\u202e=cmd|calc'


def test_names_from_strangers_stay_text(hamlet, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(hamlet.root, copy)
    tribal = gpd.read_file(copy / "data/tribal.geojson")
    tribal.assign(name=HOSTILE).to_file(copy / "data/tribal.geojson")
    moved = type(hamlet)(copy)
    made = asked(moved, [box(0, 0, 3000, 3000)], tmp_path, name=["=1+1<img src=x>"])
    folder = d.written(made, tmp_path / "out")
    for file in folder.glob("*.html"):
        page = Reader(file.read_text(encoding="utf-8"))
        assert not {"script", "img", "link", "iframe"} & set(page.tags)
        assert not [a for a in page.attributes if a[1].startswith("on")]
        assert not [v for _, k, v in page.attributes if k in {"src", "href"} and ":" in (v or "")]
        assert "\u202e" not in "".join(page.words)
    shown = "".join(Reader(site_html(made, made.pages[0])).words)
    assert "<script>alert(1)</script>{{ 7*7 }}" in shown
    rows = table(folder / "dossier.csv")
    assert all(row["site_id"].startswith("'=1+1") for row in rows)
    assert {n.split(".")[-1] for n in page_names(made).values()} == {"html"}


def test_every_page_and_row_carries_the_notice_and_the_unknown_comes_first(hamlet, tmp_path):
    made = asked(hamlet, [box(0, 0, 3000, 3000), box(4000, 4000, 5000, 5000)], tmp_path)
    folder = d.written(made, tmp_path / "out")
    for file in folder.glob("*.html"):
        text = file.read_text(encoding="utf-8")
        assert "Pre-decisional screening" in text
        assert "SYNTHETIC WORLD" in text
        assert "cultural: unknown, consult tribes and shpo" in text.lower()
        assert text.index("What was not examined") < text.index('<table class="data">')
        assert "no constraint" not in text.lower()
        assert "approvable" not in text.lower()
    for name in ("dossier.csv", "not_examined.csv"):
        rows = table(folder / name)
        assert rows
        assert all("Pre-decisional" in row["notice"] for row in rows)


def test_layers_for_a_gis_have_fields_that_arcgis_reads(hamlet, tmp_path):
    folder = d.written(asked(hamlet, [box(0, 0, 3000, 3000)], tmp_path), tmp_path / "out")
    file = folder / "dossier.gpkg"
    kinds = {str(n): str(kind) for n, kind in pyogrio.list_layers(file)}
    assert {"sites", "overlaps", "near_features", "near_features_lines"} <= {*kinds}
    for layer, kind in kinds.items():
        lines, points = layer.endswith("_lines"), layer.endswith("_points")
        assert kind == ("MultiLineString" if lines else "MultiPoint" if points else "MultiPolygon")
        frame = pyogrio.read_dataframe(file, layer=layer)
        assert set(frame.geom_type) == {kind}
        assert len(frame)
        assert frame.crs.is_projected
        assert all(re.fullmatch(r"[a-z][a-z0-9_]{0,30}", c) for c in frame.columns)
    found = pyogrio.read_dataframe(file, layer="overlaps").set_index("rule_id").loc["reserve"]
    assert found["acres"] == pytest.approx(224 * 2.47105, rel=1e-2)


def test_same_question_same_bytes(hamlet, tmp_path):
    made = asked(hamlet, [box(0, 0, 3000, 3000)], tmp_path)
    again = asked(hamlet, [box(0, 0, 3000, 3000)], tmp_path)
    one, two = d.written(made, tmp_path / "one"), d.written(again, tmp_path / "two")
    for file in sorted(one.iterdir()):
        if file.suffix != ".gpkg":
            assert file.read_bytes() == (two / file.name).read_bytes()


def test_written_whole_or_not_at_all(hamlet, tmp_path, monkeypatch):
    made = asked(hamlet, [box(0, 0, 3000, 3000)], tmp_path)

    def full(*_args, **_more):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("geosite.dossier.writing.write_table", full)
    place = tmp_path / "out"
    place.mkdir()
    with pytest.raises(RunError, match="nothing half-written was kept"):
        d.written(made, place / "dossier")
    assert not list(place.iterdir())


def test_an_earlier_dossier_is_not_written_over(hamlet, tmp_path):
    made = asked(hamlet, [box(0, 0, 3000, 3000)], tmp_path)
    assert d.written(made, tmp_path / "out").name == "out"
    assert d.written(made, tmp_path / "out").name == "out-2"


def test_words():
    assert far(30.48) == "30 m (100 ft)"
    assert percent(0.9999) == "99.9 %"
    assert listed(("a",)) == "a"
    assert next(iter(GAPS)) == "never"


def test_a_run_without_sites_is_told(run, hamlet):
    means = d.Means(catalog.open_catalog(hamlet.layers), catalog.open_rulebook(), hamlet.data)
    with pytest.raises(CoverageError, match="there is no site"):
        d.of_run(run, means, site="none")


def test_of_a_file_of_several_layers_the_first_is_read_and_that_is_said(tmp_path):
    file = tmp_path / "drawn.gpkg"
    for layer in ("mine", "road"):
        frame = gpd.GeoDataFrame(geometry=[shapely.box(-117, 41, -116.9, 41.1)], crs=WGS84)
        pyogrio.write_dataframe(frame, file, layer=layer)
    (said,) = d.drawn(file).remarks.values()
    assert said == ("read from layer mine, the first of the file; not read: road",)


def test_a_run_away_from_its_catalogue_is_not_reviewed_by_another_one(run, hamlet, tmp_path):
    away = shutil.copytree(run.path, tmp_path / "far" / "away")
    done = cli("review", str(away), "--out", str(tmp_path / "out"))
    assert done.exit_code == 1
    assert "its catalogue was at" in done.stderr
    assert "--layers" in done.stderr
    assert not (tmp_path / "out").exists()
    named = ("--layers", str(hamlet.layers), "--data", str(hamlet.data))
    done = cli("review", str(away), "--out", str(tmp_path / "out"), *named)
    assert done.exit_code == 0, done.output


def test_a_place_that_is_no_path_is_no_place(run, hamlet, tmp_path):
    away = shutil.copytree(run.path, tmp_path / "away")
    said = json.loads((away / "run.json").read_text())
    said["places"] = {"layers": "\x00", "data": "\x00"}
    (away / "run.json").write_text(json.dumps(said))
    done = cli("review", str(away), "--layers", str(hamlet.layers), "--data", str(hamlet.data))
    assert done.exit_code == 0, done.output


def test_a_layer_of_several_kinds_is_one_layer_a_kind():
    mixed = shapely.GeometryCollection(
        [
            shapely.box(0, 0, 1, 1),
            shapely.GeometryCollection([shapely.Point(5, 5), shapely.LineString([(0, 0), (2, 2)])]),
            shapely.MultiPolygon([shapely.box(3, 3, 4, 4)]),
        ]
    )
    frame = gpd.GeoDataFrame(
        {"name": ["mixed", "point"]}, geometry=[mixed, shapely.Point(1, 1)], crs=ALBERS
    )
    found = _by_kind("near", frame)
    assert {k: v["name"].tolist() for k, v in found.items()} == {
        "near": ["mixed"], "near_lines": ["mixed"], "near_points": ["mixed", "point"],
    }  # fmt: skip
    assert found["near"].geometry.iloc[0].area == 2
    assert found["near_points"].crs == frame.crs
    assert _by_kind("near", frame.iloc[:0])["near"].empty
