import csv
import json
import re
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Transformer

from geosite.cogs import optimized
from geosite.report import (
    CriterionLabel,
    DataYears,
    citations_text,
    folder,
    palette,
    readme_text,
    site_table,
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
from geosite.report.shapes import anchors, outlines
from geosite.report.text import cell, markdown, markup, plain, script_json
from tests.browser.hostile import PAYLOADS, hostile_content
from tests.browser.toycontent import ALBERS, CELL, block, frame, sites, toy_content
from tests.pages import page_of

DISCLAIMER = "BLM master title plats and case files control"


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
def test_the_evidence_surface_is_no_probability_and_rings_are_explained():
    land = np.full((4, 4), 50.0, np.float32)
    content = toy_content()
    content = replace(
        content, likelihood=land, likelihood_transform=content.transform, likelihood_leak_m=5000.0
    )
    page, text = page_of(content), readme_text(content)
    assert "No probability" in page
    assert "Records within 5 km of a place say nothing of it" in page
    assert "no probability" in text
    assert "more than 5 km away" in text
    assert "`likelihood_pct` is the share of the state's land" in text
    assert surface_said(replace(content, likelihood_leak_m=None)).count(". ") == 1
    assert surface_said(toy_content()) == ""


def test_a_logarithmic_score_is_shown_as_losses():
    table = sites()
    for c in [c for c in table if str(c).startswith("contribution_")]:
        table[c] = np.log(table[c])
    content = toy_content(sites=table)
    assert parts_of(content) == "logarithm"
    assert "logarithm" in readme_text(content)


def test_a_rule_is_called_by_its_name_and_what_it_does_not_do_is_said():
    content = toy_content(combination={"kind": "topsis"})
    assert parts_of(content) == "none"
    text, page = readme_text(content), page_of(content)
    for said in (text, page):
        assert "TOPSIS" in said
        assert "the surface shows the weighted sum" in said
    assert "no sum of parts" in text
    assert "no part in it" in rule_said(toy_content(combination={"kind": "minimum"}))
    assert rule_said(toy_content()) == ""


@pytest.mark.parametrize("empty", ["sites", "parcels", "exclusions", "deposits", "aoi"])
def test_a_run_without_something_still_has_its_pages(empty):
    nothing = gpd.GeoDataFrame({"name": []}, geometry=[], crs=ALBERS)
    content = toy_content(**{empty: nothing})
    assert DISCLAIMER in page_of(content)
    assert DISCLAIMER in readme_text(content)


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


def test_rank_classes_cover_every_rank_once():
    rows = palette.rank_classes(14)
    assert [words for words, _ in rows] == ["1", "2–3", "4–10", "11–14"]
    assert [c for _, c in rows] == [c for _, c in palette.RANKS[: len(rows)]]
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


def test_a_picture_has_the_cell_in_the_middle_of_each_of_its_own(tmp_path, monkeypatch):
    side, out = 1400, 280  # five cells a picture's cell, and overviews that keep the first
    rough, path = tmp_path / "rough.tif", tmp_path / "surface.tif"
    values = np.arange(side * side, dtype=np.float32).reshape(side, side)
    profile = {"driver": "GTiff", "width": side, "height": side, "count": 1, "dtype": "float32"}
    place = {"crs": ALBERS, "transform": Affine(90, 0, 0, 0, -90, 0)}
    with rasterio.open(rough, "w", **profile, **place) as file:
        file.write(values, 1)
    optimized(rough, path)
    monkeypatch.setattr(folder, "PICTURE", out)
    with rasterio.open(path) as file:
        assert file.overviews(1)
    found, transform = folder._picture(path)
    assert (found == values[2::5, 2::5]).all()
    assert transform.a == 450
