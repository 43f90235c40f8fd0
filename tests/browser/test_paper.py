"""The printed page: what it is, the map as it was seen, its whole legend, the table."""

from __future__ import annotations

from itertools import pairwise

import pytest

from geosite.map import write_map
from tests.browser.crawl import opened
from tests.browser.toycontent import toy_content

pytestmark = pytest.mark.browser
PAGE = 703
"""Pixels between the margins of a sheet of A4."""


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    path = tmp_path_factory.mktemp("map") / "map.html"
    write_map(toy_content(), path)
    return path


def test_head_map_legend_and_table_follow_one_another_within_the_sheet(tab, toy):
    opened(tab, toy.as_uri())
    tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    tab.emulate_media(media="print")
    tab.set_viewport_size({"width": PAGE, "height": 1000})
    parts = ("header", ".folium-map", ".gs-legend", "#gs-table")
    boxes = [tab.locator(part).bounding_box() for part in parts]
    for above, below in pairwise(boxes):
        assert above["y"] + above["height"] <= below["y"] + 1
    assert all(b["x"] + b["width"] <= PAGE for b in boxes)
    # Nothing of the map is cut off, and the legend is not scrolled.
    assert boxes[1]["width"] / boxes[1]["height"] == pytest.approx(1040 / 900, rel=0.02)
    fits = "b => b.scrollHeight <= b.clientHeight + 1"
    assert tab.locator(".gs-legend-body").evaluate(fits)


def test_after_printing_all_is_as_before(tab, toy):
    opened(tab, toy.as_uri())
    where = """() => [...document.querySelectorAll('header, .gs-legend')]
      .map((e) => e.parentElement.className + e.parentElement.id + e.open)"""
    before = tab.evaluate(where)
    tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert tab.evaluate(where) != before
    tab.evaluate("dispatchEvent(new Event('afterprint'))")
    assert tab.evaluate(where) == before
    head = tab.locator("#gs-side header")
    assert head.evaluate("e => e.nextElementSibling.id") == "gs-tabs"
