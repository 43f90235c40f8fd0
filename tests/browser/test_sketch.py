"""A small map in a browser: what is drawn, and that strangers' words do nothing."""

from __future__ import annotations

import pytest

from geosite.report import write_sketch
from geosite.report.sketch import Line, Mark, Sketch

pytestmark = pytest.mark.browser
EVIL = "<img src=x onerror=\"document.title='owned'\"> {{ 7 * 7 }} `${1}` </script>"


@pytest.fixture
def page(tab, tmp_path):
    mark = Mark((-117.0, 40.5), "#9f2a63", 9.0, ("Copper Hill", EVIL))
    line = Line(((-117.0, 40.5), (-116.0, 41.0)), "#1f5f99", (EVIL,), dashed=True)
    legend = (("#9f2a63", "mines"),)
    path = tmp_path / "map.html"
    write_sketch(Sketch(f"Pairs {EVIL}", "Pre-decisional", EVIL, legend, (mark,), (line,)), path)
    tab.goto(path.as_uri())
    tab.wait_for_selector("html[data-geosite=ready]", state="attached")
    return tab


def test_it_opens_without_a_fault_and_asks_for_nothing_but_leaflet(page):
    assert page.faults == []
    assert page.locator("#gs-waiting").count() == 0
    assert page.locator("path.leaflet-interactive").count() == 2


def test_words_are_shown_and_not_obeyed(page):
    assert "<img src=x" in page.inner_text("#gs-words")
    page.locator("path.leaflet-interactive").last.hover()
    shown = page.inner_text(".leaflet-tooltip")
    assert "Copper Hill" in shown
    assert "<img src=x" in shown
    assert page.title().startswith("Pairs ")
    assert page.locator("img[src=x]").count() == 0
