import csv
import json
import re
import zlib
from dataclasses import replace

import folium
import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Transformer

from geosite.report import (
    CriterionLabel,
    DataYears,
    citations_text,
    palette,
    readme_text,
    render_map,
    site_table,
    write_map,
    write_table,
)
from geosite.report.facts import (
    measure_columns,
    parts_of,
    rank_words,
    rule_said,
    surface_said,
    written,
)
from geosite.report.pictures import png, status_pictures, suitability_picture
from geosite.report.shapes import anchors, outlines
from geosite.report.text import cell, markdown, markup, plain, script_json
from tests.browser.hostile import PAYLOADS, hostile_content
from tests.browser.toycontent import ALBERS, CELL, block, frame, sites, toy_content

DISCLAIMER = "BLM master title plats and case files control"


@pytest.fixture(scope="module")
def page():
    return render_map(toy_content()).get_root().render()


def data_of(page):
    return json.loads(re.search(r'id="geosite-data">(.*?)</script>', page, re.DOTALL)[1])


def part(page, kind):
    return next(d for d in data_of(page)["drawings"] if d["kind"] == kind)


# ── text ──────────────────────────────────────────────────────────────────────────────────────
@given(st.text() | st.sampled_from(PAYLOADS))
def test_no_text_can_leave_its_script_block(text):
    written_ = script_json({"a": [text]})
    assert not set("<>&") & set(written_)
    assert written_.isascii()
    assert json.loads(written_) == {"a": [text]}


@given(st.text() | st.sampled_from(PAYLOADS))
def test_no_text_is_markup_or_template(text):
    safe = markup(text)
    assert not set("<>\"'{}`") & set(safe)
    safe.encode("utf-8")


@given(st.text() | st.sampled_from(PAYLOADS), st.integers(1, 400))
def test_plain_text_is_one_line_within_its_limit(text, limit):
    words = plain(text, limit)
    assert len(words) <= limit
    assert words.isprintable() or not set("\x00\n\r\u2028\u202e") & set(words)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@a", "\t=1", "\n=1", "  =1", "＝1"])
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(text):
    assert str(cell(text)).startswith("'")


def test_numbers_and_missing_values_stay_what_they_are():
    assert cell(-3.5) == -3.5
    assert cell(None) is None
    assert cell("plain") == "plain"
    assert cell(["-a", "b"]) == "'-a; b"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a|b", r"a\|b"), ("<b>", "&lt;b&gt;"), ("[x](y)", r"\[x\](y)"), ("# x", r"\# x"),
     ("sage_grouse well-known", "sage_grouse well-known"), ("_x_", r"\_x\_"),
     ("R&D & mining", "R&D & mining"), ("&lt;b&#62;", "&amp;lt;b&amp;#62;")],
)  # fmt: skip
def test_markdown_shows_marks_and_obeys_none(text, expected):
    assert markdown(text) == expected


# ── the map ───────────────────────────────────────────────────────────────────────────────────
def test_the_map_is_a_folium_map_that_links_nothing_but_leaflet(page):
    assert isinstance(render_map(toy_content()), folium.Map)
    links = re.findall(r'<(?:script src|link rel="stylesheet" href)="([^"]+)"', page)
    assert links
    assert all("/leaflet@" in link for link in links)


def test_the_same_content_gives_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        write_map(toy_content(), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_page_carries_the_disclaimer_the_marking_and_the_world(page):
    for words in (
        DISCLAIMER,
        "Data: synthetic; rules as of 2025-11-21",
        "public data only",
        "SYNTHETIC WORLD",
    ):
        assert words in page
    real = render_map(toy_content(synthetic=False, marking="CUI")).get_root().render()
    assert "SYNTHETIC WORLD" not in real
    assert "Data as of 2011 to 2024, 1 layer undated; rules as of 2025-11-21." in real
    assert "CUI" in real


def test_footprints_are_drawn_part_by_part_with_their_acres(page):
    ids = list(toy_content().sites["site_id"][:2])
    shapes = [shapely.box(*g.bounds) for g in toy_content().sites.geometry[:2]]
    acres = {"acres": 10.0, "acres_open": 7.0, "acres_claimed": 1.0, "acres_withdrawn": 0.0}
    table = {"site_id": ids, "part": "pit", "title": "<b>Pit</b>", **acres, "acres_unknown": 2.0}
    frame = gpd.GeoDataFrame(table, geometry=shapes, crs=toy_content().crs)
    shown = render_map(toy_content(footprints=frame)).get_root().render()
    found = part(shown, "footprints")
    assert [len(f[1]) for f in found["features"]] == [3, 3]
    assert found["features"][0][1][:2] == [
        "<b>Pit</b>: 10 acres",
        "7 open, 1 claimed, 0 withdrawn, 2 unknown",
    ]
    assert "<b>Pit</b>" not in shown
    assert "Footprint that fits" in shown
    assert "Footprint that fits" not in page


def test_the_evidence_surface_is_no_probability_and_rings_are_explained():
    land = np.full((4, 4), 50.0, np.float32)
    content = toy_content()
    content = replace(
        content, likelihood=land, likelihood_transform=content.transform, likelihood_leak_m=5000.0
    )
    pages = (render_map(content).get_root().render(), readme_text(content))
    for page_ in pages:
        assert "no probability" in page_
        assert "more than 5 km away" in page_
    assert "`likelihood_pct` is the share of the state's land" in pages[1]
    assert surface_said(replace(content, likelihood_leak_m=None)).count(". ") == 1
    assert surface_said(toy_content()) == ""


def test_hostile_text_stays_text_in_the_page():
    page = render_map(hostile_content()).get_root().render()
    assert page.count("<script") == render_map(toy_content()).get_root().render().count("<script")
    assert "<img" not in page
    assert "{{ 7*7 }}" in json.dumps(data_of(page))
    assert "x" * 400 not in page
    page.encode("utf-8")


def test_one_group_a_rule_and_one_an_agency(page):
    parts = data_of(page)["drawings"]
    assert sum(d["kind"] == "excluded" for d in parts) == 2
    assert sum(d["kind"] == "areas" for d in parts) == 4
    assert any("16 USC 1133(d)" in line for line in part(page, "excluded")["words"]) or any(
        "16 USC 1133(d)" in line for d in parts if d["kind"] == "excluded" for line in d["words"]
    )


def test_groups_of_one_name_are_told_apart():
    rules = tuple(replace(r, title="Same") for r in toy_content().rules)
    page = render_map(toy_content(rules=rules)).get_root().render()
    assert "Same (2)" in page


def test_only_the_best_sites_are_drawn_and_the_page_says_so():
    page = render_map(toy_content(), max_sites=5).get_root().render()
    features = part(page, "sites")["features"]
    assert [site["rank"] for _, site in features] == [1, 2, 3, 4, 5]
    assert "Sites by rank: 9 not drawn" in page


def test_cards_hold_parts_that_sum_to_the_score(page):
    for _, site in part(page, "sites")["features"]:
        assert sum(p[3] for p in site["parts"]) == pytest.approx(site["score"], abs=3e-4)


def test_a_logarithmic_score_is_shown_as_losses():
    table = sites()
    for c in [c for c in table if str(c).startswith("contribution_")]:
        table[c] = np.log(table[c])
    content = toy_content(sites=table)
    assert parts_of(content) == "logarithm"
    assert part(render_map(content).get_root().render(), "sites")["parts"] == "logarithm"
    assert "logarithm" in readme_text(content)


def test_a_rule_is_called_by_its_name_and_what_it_does_not_do_is_said():
    content = toy_content(combination={"kind": "topsis"})
    assert parts_of(content) == "none"
    text, page = readme_text(content), render_map(content).get_root().render()
    for said in (text, page):
        assert "TOPSIS" in said
        assert "the surface shows the weighted sum" in said
    assert "no sum of parts" in text
    assert part(page, "sites")["parts"] == "none"
    assert "no part in it" in rule_said(toy_content(combination={"kind": "minimum"}))
    assert rule_said(toy_content()) == ""


def test_coordinates_are_rounded_to_five_decimals(page):
    numbers = re.findall(r"-?\d+\.(\d+)", json.dumps(part(page, "sites")["features"][0][0]))
    assert max(map(len, numbers)) <= 5


@pytest.mark.parametrize("empty", ["sites", "parcels", "exclusions", "deposits", "aoi"])
def test_a_run_without_something_still_has_its_pages(empty):
    nothing = gpd.GeoDataFrame({"name": []}, geometry=[], crs=ALBERS)
    content = toy_content(**{empty: nothing})
    assert DISCLAIMER in render_map(content).get_root().render()
    assert DISCLAIMER in readme_text(content)


def test_columns_that_are_not_there_are_not_shown():
    bare = toy_content().sites[["rank", "site_id", "geometry"]]
    page = render_map(toy_content(sites=bare)).get_root().render()
    assert part(page, "sites")["features"][0][1]["score"] is None
    assert "unknown" in readme_text(toy_content(sites=bare))


@pytest.mark.parametrize(
    ("years", "expected"),
    [
        (DataYears(2001, 2026, ("a", "b")), "Data as of 2001 to 2026, 2 layers undated; rules"),
        (DataYears(2024, 2024), "Data as of 2024; rules"),
        (DataYears(undated=("a",)), "Data as of no stated year; rules"),
    ],
)
def test_the_notice_says_from_when_the_data_are(years, expected):
    assert (
        f"control. {expected} as of 2025-11-21."
        in toy_content(years=years, synthetic=False).disclaimer
    )


def test_a_card_says_how_sure_its_score_is(page):
    _, site = part(page, "sites")["features"][0]
    first = toy_content().sites.iloc[0]
    assert site["range"] == pytest.approx(
        [first["suitability_low"], first["suitability_high"]], abs=1e-4
    )
    assert site["known"] == "80 % of the weight was measured"
    assert ["Status", "confirmed: Toy roster, 2024"] in dict(site["sections"])["Land"]


# ── shapes and pictures ───────────────────────────────────────────────────────────────────────
def test_outlines_lie_where_the_grid_says():
    square = frame({"n": [1]}, [block(10, 10, 14, 14)])
    found = shapely.from_geojson(outlines(square, tolerance=1, vertices=100).geometries[0].text)
    there = Transformer.from_crs(4326, ALBERS, always_xy=True).transform
    x, y = there(*np.asarray(found.exterior.coords).T)
    assert (
        shapely.hausdorff_distance(shapely.Polygon(np.column_stack([x, y])), block(10, 10, 14, 14))
        < 2
    )


def test_outlines_fit_their_budget_and_say_what_they_leave_out():
    turn = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    rings = [
        shapely.Polygon(np.column_stack([r * np.cos(turn) + 1e5 * i, r * np.sin(turn)]))
        for i, r in enumerate([10.0, 2e4, 3e4, 4e4])
    ]
    found = outlines(frame({"n": range(4)}, rings), tolerance=20, vertices=120)
    assert (
        sum(shapely.get_num_coordinates(shapely.from_geojson(g.text)) for g in found.geometries)
        <= 120
    )
    assert found.rows.tolist() == [1, 2, 3]
    assert found.left_out == 1
    whole = outlines(frame({"n": range(4)}, rings), tolerance=20, vertices=120, keep_all=True)
    assert whole.left_out == 0


def test_outlines_pass_over_missing_geometry():
    found = outlines(frame({"n": [1, 2, 3]}, [None, shapely.Polygon(), block(0, 0, 3, 3)]),
                     tolerance=1, vertices=100)  # fmt: skip
    assert found.rows.tolist() == [2]


def test_an_anchor_lies_inside_its_site():
    ring = block(0, 0, 9, 9).difference(block(1, 1, 8, 8))
    lon, lat = anchors(frame({"n": [1]}, [ring]))[0]
    back = Transformer.from_crs(4326, ALBERS, always_xy=True).transform(lon, lat)
    assert ring.buffer(2).contains(shapely.Point(back))


def test_a_picture_is_a_png_with_a_transparent_zero():
    index = np.array([[0, 1], [2, 0]], np.uint8)
    body = png(index, [(255, 0, 0, 200), (0, 0, 255, 90)])
    at = body.index(b"IDAT")
    size = int.from_bytes(body[at - 4 : at], "big")
    assert zlib.decompress(body[at + 4 : at + 4 + size]) == b"\x00\x00\x01\x00\x02\x00"
    assert b"tRNS" + bytes([0, 200, 90]) in body


def test_pictures_lie_over_the_basin():
    content = toy_content()
    lon, lat = anchors(content.aoi)[0]
    for picture in (suitability_picture(content), *status_pictures(content)):
        assert picture.west < lon < picture.east
        assert picture.south < lat < picture.north
        assert picture.url.startswith("data:image/png;base64,")


def test_rank_classes_cover_every_rank_once():
    rows = palette.rank_classes(14)
    assert [words for words, _ in rows] == ["1", "2–3", "4–10", "11–14"]
    assert [palette.rank_colour(r) for r in (1, 2, 10, 11)] == [c for _, c in rows]
    assert len(palette.rank_classes(1000)) == len(palette.RANKS)


# ── facts, tables, pages ──────────────────────────────────────────────────────────────────────
def test_measures_are_named_by_their_criteria():
    measures = measure_columns(toy_content())
    assert measures["distance_rail_m"] == ("Distance to a railway", "m")
    assert list(measures) == ["distance_rail_m", "distance_power_m", "slope_pct"]


def test_a_measure_is_found_by_the_id_of_its_criterion():
    table = sites().rename(columns={"slope_pct": "terrain_pct"})
    labels = (CriterionLabel("terrain", "Steepness", 1.0, ""),)
    measures = measure_columns(toy_content(sites=table, criteria=labels))
    assert measures == {"terrain_pct": ("Steepness", "%")}


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [(950.0, "m", "950 m"), (12400, "m", "12.4 km (7.7 mi)"), (None, "m", ""),
     ("none", "category", "none"), (0.25, "", "0.25"), (20000, "persons", "20,000 persons")],
)  # fmt: skip
def test_values_are_written_with_their_units(value, unit, expected):
    assert written(value, unit) == expected


def test_the_table_begins_with_the_vocabulary_and_ends_with_the_notice():
    table = site_table(toy_content())
    assert list(table)[:4] == ["rank", "tier", "site_id", "name"]
    assert list(table)[-1] == "notice"
    assert table["notice"].str.contains(DISCLAIMER).all()
    assert table["notice"].str.contains("SYNTHETIC WORLD").all()
    assert table["rank"].is_monotonic_increasing
    assert "geometry" not in table


def test_csv_holds_no_formula_and_one_line_a_site(tmp_path):
    content = hostile_content()
    write_table(site_table(content), tmp_path / "sites.csv")
    raw = (tmp_path / "sites.csv").read_text(encoding="utf-8")
    rows = list(csv.reader(raw.splitlines()))
    assert len(rows) == len(content.sites) + 1
    assert not [v for row in rows for v in row if v.startswith(("=", "+", "@"))]
    longest = max(len(v) for row in rows for v in row)
    assert longest >= 10_000


def test_numbers_are_rounded_to_what_they_mean(tmp_path):
    third = [1 / 3, -1e-9, np.nan]
    columns = {
        "suitability": 6, "contribution_rail": 6, "area_ha": 2, "acres": 2, "rail_distance_m": 1,
        "longitude": 6, "known_weight_pct": 2,
    }  # fmt: skip
    write_table(pd.DataFrame(dict.fromkeys(columns, third)), tmp_path / "t.csv")
    raw = (tmp_path / "t.csv").read_text(encoding="utf-8").splitlines()
    assert raw[1].split(",") == [f"{1 / 3:.{n}f}" for n in columns.values()]
    assert raw[2].split(",") == ["0.0"] * len(columns)
    assert set(raw[3]) == {","}


def test_a_table_with_geometry_gets_its_notice(tmp_path):
    write_table(toy_content().parcels, tmp_path / "inventory.csv", notice="screening")
    rows = list(
        csv.DictReader((tmp_path / "inventory.csv").read_text(encoding="utf-8").splitlines())
    )
    assert {r["notice"] for r in rows} == {"screening"}
    assert "geometry" not in rows[0]


def test_the_readme_answers_and_says_what_it_does_not_know():
    text = readme_text(toy_content())
    for words in ("SYNTHETIC WORLD", DISCLAIMER, "Toy prospect 10", "BLM-", "critical habitat",
                  "3 occurrences had no coordinates", "sum to `suitability`", "16 USC 1133(d)",
                  "Not examined at one site or more: Lakes and reservoirs"):  # fmt: skip
        assert words in text
    assert "Toy prospect 11" not in text


def test_the_readme_says_how_sure_the_best_are():
    first = toy_content().sites.iloc[0]
    text = readme_text(toy_content())
    assert f"{first['suitability_low']:.2f}–{first['suitability_high']:.2f} | 80 %" in text
    assert "a suitability of 0.7 with at least 75 % of the weight" in text
    assert "tier B at 0.55" in text


def test_the_readme_lists_every_file_and_the_problems_of_decisive_layers():
    text = readme_text(toy_content())
    for name in ("removed.csv", "rule_sets.parquet", "surfaces.zarr", "exclusions, deposits, aoi"):
        assert name in text
    assert "its outline & its list differ" in text
    assert "sidings are left out" not in text


def test_a_criterion_that_is_unknown_everywhere_is_listed_once():
    table = sites().assign(effective_rail=np.nan, not_examined="Distance to a railway")
    why = "criterion rail runs as unknown: the catalogue has no layer infrastructure/rail"
    text = readme_text(toy_content(sites=table, warnings=(why, "another")))
    gaps = text.partition("## What the ranking does not know")[2].partition("## ")[0]
    assert gaps.count("railway") == 1
    assert "runs as unknown" not in gaps
    assert "Distance to a railway (the catalogue has no layer infrastructure/rail)" in gaps
    assert "* another" in gaps


def test_every_row_of_every_page_table_has_the_columns_of_its_head():
    for text in (readme_text(hostile_content()), citations_text(hostile_content())):
        width = None
        for line in text.splitlines():
            if not line.startswith("|"):
                width = None
                continue
            cells = len(re.findall(r"(?<!\\)\|", line))
            assert width in (None, cells)
            width = cells
        assert "<script" not in text


def test_citations_name_every_dataset_and_every_rule():
    content = toy_content()
    text = citations_text(content)
    for label in (*content.layers, *content.rules):
        assert markdown(label.id) in text
        assert markdown(label.citation) in text
    for words in ("valid existing rights", "no permit is possible", "30 USC 22", "open land only",
                  "its outline & its list differ", "sidings are left out",
                  "| confirmed |"):  # fmt: skip
        assert words in text


def test_the_status_counts_are_hectares():
    assert toy_content().cell_ha == CELL**2 / 1e4


# ── what is not known of a site ───────────────────────────────────────────────────────────────
LAW = {
    "rank_best": 2, "rank_worst": 9, "coverage_pct": 99.99, "coverage_hard_pct": 50.0,
    "land_origin": "partly acquired (37 %), unknown (63 %)", "rules_possible": "sage-grouse",
    "authority": "plan (if public domain) [30 USC 22; 43 CFR 3809]; lease (if acquired) [x]",
}  # fmt: skip


def doubtful():
    content = toy_content()
    return replace(content, sites=content.sites.assign(**LAW))


def test_a_rank_is_shown_with_the_ranks_that_may_be():
    assert rank_words({"rank": 4, "rank_best": 2, "rank_worst": 11}) == "4 (2–11)"
    assert rank_words({"rank": 4, "rank_best": 4, "rank_worst": 4}) == "4"
    assert rank_words({"rank": pd.NA, "rank_best": 2, "rank_worst": 3}) == "(2–3)"
    # A run of an earlier version has no interval.
    assert rank_words({"rank": 4}) == "4"
    text = readme_text(doubtful())
    assert "| 4 (2–9) |" in text
    assert "the rules could tell of a share" in " ".join(text.split())


def test_a_card_tells_law_coverage_and_what_is_possible():
    card = part(render_map(doubtful()).get_root().render(), "sites")["features"][0][1]
    assert card["span"] == "2–9"
    facts = {row[0]: row[1] for _, rows in card["sections"] for row in rows}
    assert facts["Land origin"] == "partly acquired (37 %), unknown (63 %)"
    assert facts["Rules could tell"] == ("of all rules, cell by cell, 99 %, of the hard rules 50 %")
    assert facts["Authority"] == "plan (if public domain); lease (if acquired)"
    assert facts["Possible, within the accuracy of the data"]
    without = part(render_map(toy_content()).get_root().render(), "sites")["features"][0][1]
    assert without["span"] == ""
    assert not {"Land origin", "Rules could tell"} & {
        row[0] for _, rows in without["sections"] for row in rows
    }


def test_law_and_coverage_stand_before_measures_in_the_table():
    columns = list(site_table(doubtful()))
    assert columns[:3] == ["rank", "rank_best", "rank_worst"]
    assert columns.index("coverage_pct") < columns.index("distance_rail_m")


def test_what_became_no_site_is_said_with_number_and_area():
    left = (("no authority for its minerals", 3, 120.4), ("=a|b", 1, 2.0))
    text = readme_text(toy_content(left_out=left))
    assert "## What became no site" in text
    assert "| no authority for its minerals | 3 | 120 ha |" in text
    assert "a\\|b" in text
    assert "became no site" not in readme_text(toy_content())
