"""Sites on the map and in the table, in a browser: they follow the ranking and each other."""

from __future__ import annotations

import numpy as np
import pytest

from geosite.map import write_map
from geosite.map.comparing import Compared, write_comparison
from tests.browser.hostile import hostile_content
from tests.browser.resting import frames
from tests.browser.toycontent import sites, toy_content

pytestmark = pytest.mark.browser
READY = "html[data-geosite=ready]"
RAIL = "geosite.current.choose([0, 1000, 0, 0], { kind: 'weighted_sum' }); geosite.current.settle()"
PIXEL = """(i) => {
  const app = geosite.current, map = app.map, s = app.data.sites;
  const p = map.latLngToContainerPoint([s.lat[i], s.lon[i]]);
  const canvas = document.querySelector("canvas.gs-sheet");
  const box = canvas.getBoundingClientRect(), at = map.getContainer().getBoundingClientRect();
  const k = canvas.width / box.width;
  const x = (p.x + at.left - box.left) * k, y = (p.y + at.top - box.top) * k;
  const one = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  one.drawImage(canvas, -Math.round(x), -Math.round(y));
  return [...one.getImageData(0, 0, 1, 1).data];
}"""
AT = """(i) => {
  const { map, data } = geosite.current;
  const p = map.latLngToContainerPoint([data.sites.lat[i], data.sites.lon[i]]);
  const box = map.getContainer().getBoundingClientRect();
  return [p.x + box.left, p.y + box.top];
}"""
GO = """([i, zoom]) => {
  const { map, data } = geosite.current;
  map.setView([data.sites.lat[i], data.sites.lon[i]], zoom, { animate: false });
}"""
HIT = """(i) => {
  const { sites } = geosite.current.data;
  return geosite.current.sitesAt(L.latLng(sites.lat[i], sites.lon[i]));
}"""
TO_HEX = "(i) => geosite.current.colour(geosite.current.state.ranking.rank[i])"


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    path = tmp_path_factory.mktemp("many") / "map.html"
    write_map(toy_content(sites=sites(10_000)), path, max_mb=20)
    return path.as_uri()


def opened(tab, address):
    tab.goto(address)
    tab.wait_for_selector(READY, state="attached")
    return tab


def rgb(colour):
    return [int(colour[k : k + 2], 16) for k in (1, 3, 5)]


def names(tab):
    return tab.evaluate(
        "[...document.querySelectorAll('.gs-rows .gs-row')]"
        ".sort((a, b) => a.ariaRowIndex - b.ariaRowIndex)"
        ".map((r) => r.querySelector('.gs-c-name span').textContent)"
    )


def ranked(tab, last=10):
    return tab.evaluate(
        f"[...geosite.current.state.ranking.order].slice(0, {last})"
        ".map((i) => geosite.current.data.sites.name[i])"
    )


def test_sites_are_filled_with_the_colour_of_their_rank_and_follow_it(tab, toy):
    opened(tab, toy)
    for how in ("", RAIL):
        if how:
            tab.evaluate(how)
        for i in (0, 4, 13):
            # Alone on the map, no other site is painted over it.
            tab.evaluate(
                f"geosite.current.show(Uint8Array.from({{ length: 14 }}, (_, k) => k === {i}))"
            )
            tab.evaluate(GO, [i, 10])
            frames(tab)
            seen, asked = tab.evaluate(PIXEL, i), rgb(tab.evaluate(TO_HEX, i))
            assert np.abs(np.array(seen[:3]) - asked).max() <= 3, (how, i)
    assert tab.faults == []


def test_pins_are_the_first_ten_of_the_ranking(tab, toy):
    opened(tab, toy)
    for how in ("", RAIL):
        if how:
            tab.evaluate(how)
        labels = tab.evaluate(
            "[...document.querySelectorAll('.gs-pin-at')]"
            ".map((p) => p.getAttribute('aria-label')).sort((a, b) => "
            "parseInt(a.slice(5)) - parseInt(b.slice(5)))"
        )
        wanted = [f"Rank {k}: {name}" for k, name in enumerate(ranked(tab), start=1)]
        assert [label.split(",")[0] for label in labels] == wanted
        figures = {t.strip("▲▼\n") for t in tab.locator(".gs-pin").all_inner_texts()}
        assert figures == {str(k) for k in range(1, 11)}
    assert any("from rank" in label for label in labels)


def test_a_pin_is_reached_and_pressed_by_keyboard(tab, toy):
    opened(tab, toy)
    for key in ("Enter", " "):
        tab.evaluate("geosite.current.select(-1, 'map')")
        tab.locator(".gs-pin-at", has_text="4").first.focus()
        tab.keyboard.press(key)
        assert tab.evaluate("geosite.current.state.selected") == 3


def test_what_is_filtered_out_is_neither_drawn_nor_hit_nor_listed(tab, toy):
    opened(tab, toy)
    assert 2 in tab.evaluate(HIT, 2)
    tab.evaluate("geosite.current.show(Uint8Array.from({ length: 14 }, (_, k) => k % 3 === 0))")
    frames(tab)
    assert 2 not in tab.evaluate(HIT, 2)
    assert 3 in tab.evaluate(HIT, 3)
    assert names(tab) == [f"Toy prospect {k}" for k in (1, 4, 7, 10, 13)]
    assert tab.locator(".gs-pin-at").count() == 5
    tab.evaluate("geosite.current.show(new Uint8Array(14))")
    frames(tab)
    assert "No site passes the filter" in tab.inner_text("#gs-table")
    drawn = tab.evaluate(
        "(() => { const c = document.querySelector('canvas.gs-sheet'); return c.getContext('2d')"
        ".getImageData(0, 0, c.width, c.height).data.some((v) => v); })()"
    )
    assert not drawn


def test_outlines_contain_their_points_at_every_zoom(tab, toy):
    opened(tab, toy)
    for zoom in (9, 12, 15):
        for i in range(0, 14, 3):
            tab.evaluate(GO, [i, zoom])
            assert i in tab.evaluate(HIT, i)


def test_a_click_on_the_map_selects_and_marks_the_row(tab, toy):
    opened(tab, toy)
    tab.evaluate(GO, [12, 12])
    at = tab.evaluate(AT, 12)
    tab.mouse.move(*at)
    frames(tab)
    tab.mouse.click(*at)
    chosen = tab.evaluate("geosite.current.state.selected")
    assert chosen in tab.evaluate(HIT, 12)
    row = tab.locator(".gs-row[aria-selected=true]")
    assert row.count() == 1
    assert row.get_attribute("data-site") == str(chosen)
    row_box, grid = row.bounding_box(), tab.locator(".gs-grid").bounding_box()
    assert grid["y"] <= row_box["y"]
    assert row_box["y"] + row_box["height"] <= grid["y"] + grid["height"] + 1


def test_a_row_selects_and_brings_the_site_into_view(tab, toy):
    opened(tab, toy)
    tab.evaluate("geosite.current.map.setView([30, -90], 8, { animate: false })")
    tab.emulate_media(reduced_motion="reduce")
    tab.locator(".gs-row[data-site='2']").click()
    assert tab.evaluate("geosite.current.state.selected") == 2
    left, top = tab.evaluate(AT, 2)
    assert 400 < left < 1440
    assert 0 < top < 900


def test_pointing_at_a_row_lights_the_site_and_back(tab, toy):
    opened(tab, toy)
    heard = "window.__lit = []; geosite.current.on('light', (v) => window.__lit.push(v.index)); 0"
    tab.evaluate(heard)
    tab.locator(".gs-row[data-site='2']").hover()
    assert tab.evaluate("window.__lit.at(-1)") == 2
    tab.locator(".gs-pin-at", has_text="5").first.hover()
    assert tab.locator(".gs-row.gs-lit").get_attribute("data-site") == "4"


def test_the_table_follows_the_ranking_and_says_the_change(tab, toy):
    opened(tab, toy)
    assert names(tab)[:10] == ranked(tab)
    assert tab.locator(".gs-c-change.gs-up").count() == 0
    tab.evaluate(RAIL)
    assert names(tab)[:10] == ranked(tab)
    ups = tab.locator(".gs-rows .gs-c-change.gs-up").first
    assert ups.inner_text().startswith("▲")
    assert ups.get_attribute("aria-label").startswith("up ")


def test_a_table_that_is_not_seen_waits(tab, toy):
    opened(tab, toy)
    tab.evaluate("geosite.current.openTab('gs-tab-weights')")
    before = names(tab)
    tab.evaluate(RAIL)
    assert names(tab) == before
    tab.evaluate("geosite.current.openTab('gs-tab-sites')")
    assert names(tab)[:10] == ranked(tab)


def test_columns_sort_both_ways_and_say_so(tab, toy):
    opened(tab, toy)
    tab.click(".gs-widen")
    everyone = sorted((f"Toy prospect {k}" for k in range(1, 15)), key=lambda n: int(n[13:]))
    head = tab.locator("[role=columnheader]", has_text="Name")
    head.locator("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    assert names(tab) == everyone
    head.locator("button").press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    assert names(tab) == everyone[::-1]
    assert (
        tab.locator("[role=columnheader]", has_text="Rank").first.get_attribute("aria-sort")
        == "none"
    )
    tab.locator("[role=columnheader] button", has_text="Score").click()
    tab.evaluate(RAIL)
    assert names(tab) == ranked(tab, 14)


def test_the_wide_table_has_every_column_and_gives_the_room_back(tab, toy):
    opened(tab, toy)
    tab.click(".gs-widen")
    heads = tab.locator("[role=columnheader]:visible").all_inner_texts()
    assert [h.strip() for h in heads] == [
        "Rank", "±", "Name", "Score", "Tier", "Commodities", "Agency", "State", "County",
        "Area, ha", "Rank interval",
    ]  # fmt: skip
    assert "lithium, tungsten" in tab.inner_text(".gs-rows")
    tab.click(".gs-widen")
    assert tab.locator("[role=columnheader]:visible").count() == 4


def test_what_a_cell_has_no_room_for_is_read_on_pointing_at_it(tab, tmp_path):
    path, table = tmp_path / "map.html", sites()
    table.loc[0, "name"] = "A very long name of a prospect that no column has the room for"
    write_map(toy_content(sites=table), path)
    opened(tab, path.as_uri())
    tab.locator(".gs-row[data-site='0'] .gs-c-name").hover()
    said = tab.get_attribute(".gs-row[data-site='0'] .gs-c-name", "title")
    assert said == "A very long name of a prospect that no column has the room for, Nye, Nevada"
    tab.locator(".gs-row[data-site='1'] .gs-c-name").hover()
    assert tab.get_attribute(".gs-row[data-site='1'] .gs-c-name", "title") is None


def test_on_a_phone_the_wide_table_is_scrolled(tab, toy):
    tab.set_viewport_size({"width": 360, "height": 740})
    opened(tab, toy).click(".gs-widen")
    tops = tab.evaluate(
        "[...document.querySelectorAll('.gs-rows .gs-row')].map((r) => r.offsetHeight)"
    )
    assert set(tops) == {28}
    assert tab.evaluate("document.querySelector('.gs-grid').scrollWidth") > 800
    assert tab.evaluate("document.documentElement.scrollWidth") <= 360


def test_the_table_is_used_by_keyboard(tab, many):
    opened(tab, many)
    tab.locator(".gs-rows .gs-row[tabindex='0']").focus()
    focused = "Number(document.activeElement.getAttribute('aria-rowindex')) - 2"
    for key, row in (("ArrowDown", 1), ("ArrowDown", 2), ("ArrowUp", 1), ("End", 9999),
                     ("ArrowDown", 9999), ("Home", 0), ("ArrowUp", 0)):  # fmt: skip
        tab.keyboard.press(key)
        assert tab.evaluate(focused) == row, key
    tab.keyboard.press("PageDown")
    page = tab.evaluate(focused)
    assert 5 < page < 40
    tab.keyboard.press("Enter")
    assert tab.evaluate("geosite.current.state.selected") == page
    assert tab.locator(".gs-rows .gs-row[tabindex='0']").count() == 1
    # The card has the focus now; wherever the row has gone meanwhile, it comes back to it.
    tab.evaluate("document.querySelector('.gs-grid').scrollTop = 200000")
    frames(tab)
    tab.keyboard.press("Escape")
    assert tab.evaluate("geosite.current.state.selected") == -1
    assert tab.evaluate(focused) == page
    # The place is kept though the row is scrolled far out of sight, and found again.
    tab.evaluate("document.querySelector('.gs-grid').scrollTop = 200000")
    frames(tab)
    assert tab.evaluate(focused) == page
    tab.keyboard.press("PageUp")
    assert tab.evaluate(focused) < page


def test_rows_stand_in_their_order_and_the_focus_stays_on_its_site(tab, many):
    opened(tab, many)
    tab.locator(".gs-row[data-site='3']").focus()
    orders = "[...document.querySelectorAll('.gs-rows .gs-row')].map((r) => +r.ariaRowIndex)"
    scroll = "document.querySelector('.gs-grid').scrollTop = "
    back = "geosite.current.choose([400, 250, 200, 150]); geosite.current.settle()"
    for script in (RAIL, f"{scroll} 7000", f"{scroll} 300", back):
        tab.evaluate(script)
        frames(tab)
        found = tab.evaluate(orders)
        assert found == sorted(found)
        assert tab.evaluate("document.activeElement.dataset.site") == "3"
    assert tab.faults == []


def test_only_rows_that_are_seen_are_in_the_page(tab, many):
    opened(tab, many)
    assert tab.get_attribute(".gs-grid", "aria-rowcount") == "10001"
    for top in (0, 1000, 123_456, 1e9):
        tab.evaluate(f"document.querySelector('.gs-grid').scrollTop = {top}")
        frames(tab)
        assert 10 < tab.locator(".gs-row").count() < 100
    assert names(tab)[-1] == "Toy prospect 10000"


def test_ten_thousand_sites_keep_their_outlines_readable(tab, many):
    opened(tab, many)
    best, last = tab.evaluate("[0, 9999].map((i) => geosite.current.data.sites.rings(i))")
    assert len(best) == 1
    assert len(last) <= 1  # the outlines of the last are left out where there is no room
    lon, lat = tab.evaluate("(s => [s.lon[0], s.lat[0]])(geosite.current.data.sites)")
    ring = np.array(best[0][0]).reshape(-1, 2) / 1e5
    assert (ring.min(axis=0) <= [lon, lat]).all()
    assert (ring.max(axis=0) >= [lon, lat]).all()
    assert tab.faults == []


def test_the_layer_of_sites_can_be_taken_off_and_put_back(tab, toy):
    opened(tab, toy)
    tab.evaluate("geosite.current.map.removeLayer(geosite.current.sitesLayer)")
    assert tab.locator(".gs-pin-at").count() == tab.locator("canvas.gs-sheet").count() == 0
    tab.evaluate(RAIL)
    tab.evaluate("geosite.current.select(3, 'table')")
    tab.evaluate("geosite.current.map.addLayer(geosite.current.sitesLayer)")
    assert tab.locator("canvas.gs-sheet").count() == 2
    assert tab.locator(".gs-pin-at").count() == 10
    assert tab.faults == []


def test_many_choices_between_two_frames_are_one_ranking(tab, toy):
    opened(tab, toy)
    count = tab.evaluate(
        """async () => {
          const app = geosite.current; let heard = 0;
          app.on("ranking", () => heard++);
          for (let k = 0; k < 50; k++) app.choose([k, 1000 - k, 0, 0]);
          const at_once = app.state.ranking.order[0];
          await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
          return [heard, at_once === app.state.ranking.order[0]];
        }"""
    )
    assert count == [1, True]


def test_the_first_hundred_are_printed(tab, many, tmp_path):
    opened(tab, many)
    tab.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert tab.locator(".gs-rows .gs-row").count() == 100
    assert tab.text_content(".gs-printed") == "The first 100 of 10,000 sites."
    tab.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert tab.locator(".gs-rows .gs-row").count() < 100


def test_strangers_words_stay_words(tab, tmp_path):
    path = tmp_path / "map.html"
    write_map(hostile_content(), path)
    opened(tab, path.as_uri()).click(".gs-widen")
    tab.evaluate("geosite.current.openTab('gs-tab-sites')")
    tab.locator(".gs-pin-at").first.hover(force=True)
    frames(tab)
    text = tab.inner_text(".gs-rows")
    assert "<img src=x" in text
    assert tab.evaluate("window.__hit") is None
    assert tab.faults == []


def test_columns_of_a_second_run_stand_beside_the_tables_own(tab, tmp_path):
    left, path = toy_content(), tmp_path / "map.html"
    right = toy_content(sites=left.sites.iloc[::-1].assign(rank=range(1, 15)))
    same = {i: i for i in right.sites["site_id"]}
    write_comparison(left, right, Compared((left.title, "Refinery"), same, ()), path)
    opened(tab, path.as_uri())
    heads = tab.locator("[role=columnheader]:visible").all_inner_texts()
    assert [h.strip() for h in heads[-2:]] == ["Right", "± right"]
    first = tab.locator(".gs-row[data-site='0']")
    assert first.locator(".gs-c-right-rank").inner_text() == "14"
    assert first.locator(".gs-c-right-change").inner_text() == "▼ 13"
    tab.click("[role=columnheader] >> text=Right >> nth=0")
    assert names(tab)[0] == "Toy prospect 14"
    assert tab.faults == []


def test_a_run_without_sites_has_an_empty_table(tab, tmp_path):
    path = tmp_path / "map.html"
    content = toy_content()
    write_map(toy_content(sites=content.sites.iloc[:0]), path)
    opened(tab, path.as_uri())
    assert tab.get_attribute(".gs-grid", "aria-rowcount") == "1"
    assert tab.faults == []
