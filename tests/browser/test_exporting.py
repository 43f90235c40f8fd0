"""Files of the ranking that is shown, read again with other programs."""

from __future__ import annotations

import io
import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from PIL import Image

from tests.browser.hostile import hostile_content
from tests.browser.reranked import choose, opened, sum_order, written
from tests.browser.toycontent import CRITERIA, toy_content

pytestmark = pytest.mark.browser
OTHER = [100, 200, 300, 400]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    return written(tmp_path_factory.mktemp("exporting") / "map.html")


@pytest.fixture
def page(tab, address):
    found = opened(tab, address, panel="sites")
    found.click("#gs-export summary")
    return found


def saved(page, button):
    with page.expect_download() as waiting:
        page.click(button)
    found = waiting.value
    return found.suggested_filename, found.path().read_bytes()


def table(text):
    return pd.read_csv(io.BytesIO(text), keep_default_na=False, na_values=[""])


def test_the_table_is_the_ranking_that_is_shown(page):
    choose(page, OTHER)
    name, text = saved(page, "#gs-save-csv")
    assert name == "open-pit-mine-for-critical-minerals-2025-11-21-sites-re-weighted.csv"
    found = table(text)
    sites = toy_content().sites
    order = sum_order(page, OTHER)
    assert list(found["site_id"]) == [sites["site_id"][i] for i in order]
    assert list(found["rank"]) == list(range(1, len(sites) + 1))
    assert list(found["rank_of_run"]) == [sites["rank"][i] for i in order]
    assert list(found["change"]) == list(found["rank_of_run"] - found["rank"])
    scores = found[[f"score_{c.id}" for c in CRITERIA]].to_numpy()
    assert found["score"].to_numpy() == pytest.approx(scores @ OTHER / 1000, abs=1e-9)
    assert set(found["ranked_by"]) == {
        (
            "re-weighted by the reader: not the run's ranking; rule weighted_sum; "
            "weights evidence=10.0,rail=20.0,power=30.0,terrain=40.0"
        )
    }
    assert set(found["notice"]) == {toy_content().disclaimer}
    assert page.faults == []


def test_the_table_of_the_run_says_so(page):
    name, text = saved(page, "#gs-save-csv")
    assert name == "open-pit-mine-for-critical-minerals-2025-11-21-sites.csv"
    found = table(text)
    assert found["ranked_by"][0].startswith("the run's ranking; rule weighted_sum")
    assert list(found["rank"]) == list(toy_content().sites["rank"])
    assert set(found["change"]) == {0}


def test_only_what_the_filter_shows_if_that_is_wished(page):
    page.evaluate("() => geosite.current.show(Uint8Array.from({ length: 14 }, (_, i) => i % 2))")
    assert len(table(saved(page, "#gs-save-csv")[1])) == len(toy_content().sites)
    page.check("input[name=gs-x-scope][value=shown]")
    assert list(table(saved(page, "#gs-save-csv")[1])["rank"]) == [2, 4, 6, 8, 10, 12, 14]


def test_outlines_are_geojson_that_others_read(page):
    choose(page, OTHER)
    name, text = saved(page, "#gs-save-geojson")
    assert name.endswith("-sites-re-weighted.geojson")
    said = json.loads(text)
    assert said["notice"] == toy_content().disclaimer
    found = gpd.read_file(io.BytesIO(text))
    sites = toy_content().sites
    order = sum_order(page, OTHER)
    assert found.crs.to_epsg() == 4326
    assert list(found["site_id"]) == [sites["site_id"][i] for i in order]
    assert found.is_valid.all()
    true = sites.geometry.iloc[order].reset_index(drop=True)
    apart = found.to_crs(sites.crs).geometry.symmetric_difference(true).area / true.area
    assert apart.max() < 0.01
    for shape in found.geometry:
        for polygon in shapely.get_parts(shape):
            assert polygon.exterior.is_ccw
            assert not any(ring.is_ccw for ring in polygon.interiors)


def test_holes_and_parts_keep_their_turn(tab, tmp_path):
    content = toy_content()
    shape = content.sites.geometry[0]
    middle = shape.centroid
    content.sites.loc[0, "geometry"] = shapely.unary_union(
        [shape.difference(middle.buffer(300)), shapely.affinity.translate(shape, 9000)]
    )
    page = opened(tab, written(tmp_path / "map.html", content), panel="sites")
    text = page.evaluate("() => geosite.current.exports.geojson(true)")
    first = json.loads(text)["features"][0]
    assert first["geometry"]["type"] == "MultiPolygon"
    found = shapely.from_geojson(json.dumps(first["geometry"]))
    assert found.is_valid
    assert sum(len(p.interiors) for p in found.geoms) == 1
    for polygon in found.geoms:
        assert polygon.exterior.is_ccw
        assert not any(ring.is_ccw for ring in polygon.interiors)


def test_the_picture_is_a_picture_of_the_view(page):
    choose(page, OTHER)
    name, data = saved(page, "#gs-save-png")
    assert name.endswith("-view-re-weighted.png")
    picture = Image.open(io.BytesIO(data)).convert("RGB")
    wide = page.evaluate("() => geosite.current.map.getContainer().clientWidth")
    assert picture.width == 2 * wide
    pixels = np.asarray(picture)
    colours = {tuple(c) for c in pixels.reshape(-1, 3)[::7]}
    assert len(colours) > 50
    # The sites are on it, at the colours of their ranks; so is the strip of the reader's weights.
    for colour in ((0x2D, 0x0B, 0x4E), (0x9F, 0x2A, 0x63), (0xFF, 0xF3, 0xD6)):
        near = (np.abs(pixels.astype(int) - colour).max(axis=2) <= 3).sum()
        assert near > 60, colour
    assert page.faults == []


def test_strangers_text_stays_text_in_every_file(tab, tmp_path):
    content = hostile_content()
    page = opened(tab, written(tmp_path / "map.html", content), panel="sites")
    page.click("#gs-export summary")
    name, text = saved(page, "#gs-save-csv")
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-.")
    found = table(text)
    assert len(found) == len(content.sites)
    for value in found.select_dtypes(exclude="number").to_numpy().ravel():
        assert not str(value).startswith(("=", "+", "-", "@", "\t", "\r"))
    gpd.read_file(io.BytesIO(saved(page, "#gs-save-geojson")[1]))
    Image.open(io.BytesIO(saved(page, "#gs-save-png")[1])).verify()
    assert page.evaluate("() => window.__hit") is None
    assert page.faults == []


def test_keys_reach_every_export(page):
    page.focus("#gs-export summary")
    seen = []
    for _ in range(6):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("() => String(document.activeElement.id)"))
    assert [s for s in seen if s.startswith("gs-save")] == [
        "gs-save-csv", "gs-save-geojson", "gs-save-png",
    ]  # fmt: skip
