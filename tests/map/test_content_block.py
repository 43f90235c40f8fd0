"""What the page holds: one block of data, and what is read when it is first needed."""

from __future__ import annotations

import json

import geopandas as gpd
import pytest

from geosite.crs import WGS84
from geosite.map.content_block import block_of, extent
from tests.browser.toycontent import ALBERS, toy_content


@pytest.fixture(scope="module")
def block():
    return block_of(toy_content(), max_mb=10.0, max_sites=100)


def test_the_view_is_that_of_the_area_of_interest(block):
    content = toy_content()
    west, south, east, north = content.aoi.to_crs(WGS84).total_bounds
    assert block.data["view"] == [[south, west], [north, east]]


def test_without_an_area_of_interest_the_surfaces_say_where_it_is():
    content = toy_content(aoi=gpd.GeoDataFrame({"name": []}, geometry=[], crs=ALBERS))
    rows, columns = content.status.shape
    left, bottom, right, top = extent(content)
    assert (right - left, top - bottom) == (columns * 1000, rows * 1000)


def test_every_layer_is_drawn_from_something_that_the_page_holds(block):
    kinds = {"tiles": 0, "picture": 0}
    for layer in block.data["layers"]:
        if layer["kind"] == "picture":
            assert f"picture-{layer['source']}" in block.blobs
            kinds["picture"] += 1
        if layer["kind"] == "tiles":
            assert layer["source"] in block.data["archives"]
            kinds["tiles"] += 1
    assert min(kinds.values()) >= 3
    ids = [layer["id"] for layer in block.data["layers"]]
    assert len(ids) == len({*ids})


def test_all_of_it_is_text_and_the_data_is_plain_json(block):
    assert json.loads(json.dumps(block.data)) == block.data
    assert all(isinstance(text, str) and "<" not in text for text in block.blobs.values())


def test_less_room_gives_a_smaller_page_with_the_same_sites(block):
    def size(of):
        return sum(map(len, of.blobs.values()))

    small = block_of(toy_content(), max_mb=0.75, max_sites=100)
    assert size(small) <= size(block)
    assert small.data["sites"]["n"] == block.data["sites"]["n"]
