"""Two runs on one map in a browser: the divider, the sides, the ranks of both."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from geosite.map.comparing import Compared, write_comparison
from tests.browser.accessibility import findings
from tests.browser.hostile import PAYLOADS, hostile_content
from tests.browser.resting import frames
from tests.browser.toycontent import toy_content

pytestmark = pytest.mark.browser
READY = "html[data-geosite=ready]"
DIVIDER = ".gs-swipe"


def reversed_run():
    """The toy run with its ranks turned round, its last four sites gone, and no suitability."""
    content = toy_content()
    sites = content.sites.iloc[::-1].assign(rank=range(1, 15)).iloc[:10]
    bare = np.full_like(content.suitability, np.nan)
    return dataclasses.replace(content, title="Refinery", sites=sites, suitability=bare)


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    left, right = toy_content(), reversed_run()
    same = {i: i for i in right.sites["site_id"]}
    said = Compared((left.title, right.title), same, ("the weight of rail was 1 and is 2",))
    path = tmp_path_factory.mktemp("swipe") / "map.html"
    write_comparison(left, right, said, path)
    return path.as_uri()


@pytest.fixture
def page(tab, both):
    tab.goto(both)
    tab.wait_for_selector(READY, state="attached")
    yield tab
    assert tab.faults == []


def clip(page, pane):
    """Left and right edge of what is seen of a pane [pixels of the map]."""
    return page.evaluate(
        """name => {
          const text = map_run.getPane(name).style.clipPath.match(/-?[\\d.]+px/g).map(parseFloat);
          const xs = text.filter((_, i) => i % 2 === 0);
          const p = x => map_run.layerPointToContainerPoint([x, 0]).x;
          return [p(Math.min(...xs)), p(Math.max(...xs))];
        }""",
        pane,
    )


def test_the_divider_parts_the_sides_and_is_moved_by_keys(page):
    width = page.evaluate("map_run.getSize().x")
    range_ = page.locator(DIVIDER)
    label = range_.get_attribute("aria-label")
    assert "Open-pit mine" in label
    assert "Refinery" in label
    left, right = clip(page, "gs-sites"), clip(page, "gs-right-sites")
    assert left == pytest.approx([0, width / 2], abs=1)
    assert right == pytest.approx([width / 2, width], abs=1)
    range_.focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    assert clip(page, "gs-sites")[1] > left[1] + 50
    assert "60 %" in range_.get_attribute("aria-valuetext")
    page.keyboard.press("Home")
    assert clip(page, "gs-sites")[1] < 30
    centre = page.evaluate("map_run.getCenter().lng")
    page.keyboard.press("End")
    assert page.evaluate("map_run.getCenter().lng") == centre


def test_the_divider_is_dragged_and_stays_when_the_map_moves(page):
    box = page.locator(DIVIDER).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 200, y, steps=4)
    page.mouse.up()
    there = clip(page, "gs-right-sites")[0]
    assert there == pytest.approx(box["width"] / 2 - 200, abs=8)
    page.evaluate("void map_run.panBy([120, 60], { animate: false })")
    assert clip(page, "gs-right-sites")[0] == pytest.approx(there, abs=1)
    page.evaluate("void map_run.setZoom(map_run.getZoom() + 1, { animate: false })")
    assert clip(page, "gs-sites")[1] == pytest.approx(there, abs=1)


def test_beside_the_thumb_the_map_is_dragged(page):
    box = page.locator(DIVIDER).bounding_box()
    before = page.evaluate("map_run.getCenter().lng")
    x, y = box["x"] + 200, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 80, y, steps=5)
    page.mouse.up()
    assert page.evaluate("map_run.getCenter().lng") < before


def test_sites_of_the_right_run_say_whose_they_are(page):
    page.locator(DIVIDER).focus()
    page.keyboard.press("Home")
    x, y = page.evaluate(
        "(() => { const s = geosite.current.data.compare.sites, r = map_run.getContainer()"
        ".getBoundingClientRect(), p = map_run.latLngToContainerPoint([s.lat[0], s.lon[0]]);"
        "return [p.x + r.x, p.y + r.y]; })()"
    )
    page.mouse.move(x - 30, y)
    frames(page)  # Leaflet passes over moves that come faster than it looks
    page.mouse.move(x, y)
    page.wait_for_selector(".leaflet-tooltip >> text=Refinery")


def test_surfaces_of_the_right_run_are_switched(page):
    images = page.locator(".leaflet-gs-right-pictures-pane img")
    shown = images.count()
    assert shown == 3
    page.click("#gs-tab-layers-tab")
    box = page.locator(".gs-right-layers label", has_text="Excluded")
    box.locator("input").uncheck()
    assert images.count() == 2
    box.locator("input").check()
    assert images.count() == 3


def test_ranks_of_both_stand_side_by_side_and_follow_the_weights(page):
    page.click("#gs-tab-about-tab")
    text = page.inner_text(".gs-compared")
    assert "the weight of rail was 1 and is 2" in text
    assert "10 sites are in both, 4 only in the left, 0 only in the right" in text
    rows = page.locator(".gs-pairs tbody tr")
    assert rows.count() == 14
    cells = rows.nth(0).locator("td").all_inner_texts()
    assert cells == ["14", "1", "▲ 13"]
    found = page.evaluate("(c => [c.rank[0], c.words(0), c.words(13)])(geosite.current.compare)")
    assert found == [0, "no such site", "▲ 13"]
    page.evaluate("geosite.current.choose([0, 0, 0, 1000])")
    page.wait_for_function("!geosite.current.isStated()")
    frames(page)
    here, right, change = rows.nth(0).locator("td").all_inner_texts()
    assert change == ("▲" if int(here) > int(right) else "▼") + f" {abs(int(here) - int(right))}"
    ranks = page.evaluate("Array.from(geosite.current.state.ranking.rank)")
    ours = page.evaluate("Array.from(geosite.current.compare.rank)")
    assert int(here) in ranks
    most = max(abs(a - b) for a, b in zip(ranks, ours, strict=True) if a and b)
    assert abs(int(here) - int(right)) == most
    rows.nth(0).locator("button").click()
    assert page.evaluate("geosite.current.state.selected") >= 0


def test_a_page_of_one_run_has_no_divider(tab, tmp_path):
    from geosite.map.page import write_map  # noqa: PLC0415

    write_map(toy_content(), tmp_path / "map.html")
    tab.goto((tmp_path / "map.html").as_uri())
    tab.wait_for_selector(READY, state="attached")
    assert tab.locator(".gs-swiping, .gs-compared, .gs-right-layers").count() == 0
    assert tab.faults == []


def test_hostile_words_of_both_runs_are_words(tab, tmp_path):
    left = hostile_content()
    said = Compared((PAYLOADS[0], PAYLOADS[1]), {PAYLOADS[4]: PAYLOADS[7]}, PAYLOADS)
    write_comparison(left, left, said, tmp_path / "map.html")
    tab.goto((tmp_path / "map.html").as_uri())
    tab.wait_for_selector(READY, state="attached")
    tab.click("#gs-tab-about-tab")
    for i in range(4):
        tab.mouse.move(500 + 200 * i, 450)
    assert PAYLOADS[0] in tab.inner_text(".gs-compared")
    assert tab.evaluate("window.__hit") is None
    assert tab.faults == []


def test_the_table_has_the_rank_of_the_right_run_and_is_sorted_by_it(page):
    heads = page.locator("#gs-table [role=columnheader]").all_inner_texts()
    assert "Right" in heads
    row = page.locator("#gs-table .gs-rows [role=row]").filter(has_text="Toy prospect 14")
    assert row.locator(".gs-c-right-rank").inner_text() == "1"
    assert row.locator(".gs-c-right-change").inner_text() == "▲ 13"
    page.click(".gs-c-right-rank button")
    first = page.locator('#gs-table .gs-rows [aria-rowindex="2"] .gs-c-name')
    assert "Toy prospect 14" in first.inner_text()
    page.click(".gs-widen")
    assert row.locator(".gs-c-right-change").is_visible()


@pytest.mark.parametrize("width", [1440, 360])
def test_axe_finds_nothing_serious_in_two_runs(page, width):
    page.set_viewport_size({"width": width, "height": 740})
    for panel in ("gs-tab-sites", "gs-tab-layers", "gs-tab-about"):
        page.evaluate("id => geosite.current.openTab(id)", panel)
        frames(page)
        assert findings(page, f"#{panel}", ".folium-map") == []
