"""The panel of weights: the sum stays whole, and the ranking follows."""

from __future__ import annotations

import random

import pytest

from geosite.report.content import WeightingLabel
from tests.browser.hostile import PAYLOADS
from tests.browser.reranked import STATED, choose, opened, state, sum_order, written
from tests.browser.toycontent import toy_content

pytestmark = pytest.mark.browser
SLIDE = """([k, values]) => { const s = document.getElementById('gs-w-' + k);
  for (const v of values) { s.value = v; s.dispatchEvent(new Event('input', { bubbles: true })); }
  s.dispatchEvent(new Event('change', { bubbles: true })); }"""


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    return written(tmp_path_factory.mktemp("weights") / "map.html")


@pytest.fixture
def panel(tab, address):
    return opened(tab, address)


def slide(tab, k, *values):
    tab.evaluate(SLIDE, [k, list(values)])
    return state(tab)


def lock(tab, k):
    return tab.locator(".gs-w-lock input").nth(k)


def entry(tab, k):
    return tab.locator(".gs-w-entry").nth(k)


def test_it_opens_with_the_weights_of_the_run(panel):
    assert panel.inner_text(".gs-w-state") == "These are the run’s weights and rule."
    assert [entry(panel, k).input_value() for k in range(4)] == ["40.0", "25.0", "20.0", "15.0"]
    assert panel.locator("#gs-w-0").get_attribute("aria-valuetext") == (
        "40.0\u00a0%; the run has 40.0\u00a0%"
    )
    assert not panel.locator(".gs-banner-map").is_visible()
    assert panel.faults == []


def test_the_others_give_in_their_proportions_and_the_ranking_follows(panel):
    found = slide(panel, 0, 700)
    assert found["weights"] == [700, 125, 100, 75]
    assert found["order"] == sum_order(panel, found["weights"])
    assert "first 10 stay among them" in panel.inner_text(".gs-w-effect")


def test_a_slider_pushed_to_the_end_and_back_changes_nothing(panel):
    assert slide(panel, 0, 600, 1000, 1000, 0, 400)["weights"] == STATED
    assert state(panel)["isStated"]


def test_the_sum_stays_whole_whatever_is_moved_and_locked(panel):
    # The arithmetic alone, 3,000 times; then the panel, 20 times.
    faults = panel.evaluate(
        """() => { let seed = 5; const next = (n) => (seed = (seed * 48271) % 2147483647) % n;
        const faults = [];
        for (let turn = 0; turn < 3000; turn++) {
          const n = 1 + next(11), locked = [...Array(n)].map(() => next(3) === 0);
          let w = [...Array(n)].map(() => 0); for (let p = 0; p < 1000; p++) w[next(n)]++;
          if (turn % 3 === 0) { w = w.map(() => 0); w[next(n)] = 1000; }
          const k = next(n), found = geosite.shares.moved(w, k, next(1400) - 200, locked, w);
          const kept = w.every((v, i) => i === k || !locked[i] || found.weights[i] === v);
          const areWhole = found.weights.every((v) => Number.isInteger(v) && v >= 0)
            && found.weights.reduce((a, b) => a + b) === 1000;
          if (!areWhole || !kept) faults.push([w, k, locked, found]);
        }
        return faults; }"""
    )
    assert faults == []
    draw = random.Random(11)  # noqa: S311 - not a secret
    for _ in range(20):
        k = draw.randrange(4)
        if draw.random() < 0.25:
            lock(panel, k).click()
        locked = [lock(panel, j).is_checked() for j in range(4)]
        before = state(panel)["weights"]
        free = [j for j in range(4) if not locked[j]]
        if not free:
            lock(panel, draw.randrange(4)).click()
            continue
        after = slide(panel, draw.choice(free), draw.randrange(1001))["weights"]
        assert sum(after) == 1000
        assert [b for b, x in zip(before, locked, strict=True) if x] == [
            a for a, x in zip(after, locked, strict=True) if x
        ]
    assert panel.faults == []


def test_a_locked_weight_stays_and_leaves_the_rest_that_much_less(panel):
    lock(panel, 1).click()
    assert panel.locator("#gs-w-1").is_disabled()
    found = slide(panel, 0, 1000)["weights"]
    assert found == [750, 250, 0, 0]
    assert "leave 75.0\u00a0% at most" in panel.inner_text(".gs-w-note:not(:empty)")
    # The others had nothing left to keep proportions of, so they get the same.
    assert slide(panel, 0, 550)["weights"] == [550, 250, 100, 100]


def test_the_last_free_weight_cannot_move_and_the_panel_says_why(panel):
    for k in (1, 2, 3):
        lock(panel, k).click()
    assert slide(panel, 0, 900)["weights"] == STATED
    assert panel.locator("#gs-w-0").input_value() == "400"
    assert "Every other weight is locked" in panel.inner_text("#gs-weights")


def test_direct_entry_and_what_is_no_weight(panel):
    entry(panel, 2).fill("12.5")
    entry(panel, 2).press("Enter")
    found = state(panel)["weights"]
    assert (found[2], sum(found)) == (125, 1000)
    for bad in ("-3", "101", ""):
        entry(panel, 2).fill(bad)
        entry(panel, 2).press("Enter")
        assert state(panel)["weights"] == found
        assert entry(panel, 2).input_value() == "12.5"
        assert "number from 0 to 100" in panel.inner_text("#gs-weights")


def test_reset_of_one_and_of_all(panel):
    choose(panel, [100, 300, 300, 300])
    panel.locator(".gs-w-reset").nth(0).click()
    assert state(panel)["weights"] == [400, 200, 200, 200]
    assert panel.locator(".gs-banner-map").is_visible()
    lock(panel, 3).click()
    panel.click("#gs-w-reset-all")
    found = state(panel)
    assert (found["weights"], found["isStated"]) == (STATED, True)
    assert not lock(panel, 3).is_checked()
    ranks = panel.evaluate("() => [...geosite.current.first.rank]")
    assert found["rank"] == ranks


def test_presets_are_laid_whole_and_named_while_they_hold(panel):
    options = panel.locator("#gs-w-preset option").all_inner_texts()
    assert options == ["own choice", "The run’s weights", "Equal weights", "industry"]
    panel.select_option("#gs-w-preset", label="industry")
    assert state(panel)["weights"] == [600, 200, 100, 100]
    assert "Nobody was asked." in panel.inner_text("#gs-weights")
    slide(panel, 0, 610)
    assert panel.locator("#gs-w-preset").input_value() == ""
    panel.select_option("#gs-w-preset", label="The run’s weights")
    assert state(panel)["isStated"]


def test_another_rule_is_said_and_weights_rest_where_they_have_no_part(panel):
    panel.select_option("#gs-w-rule", label="Minimum")
    found = state(panel)
    assert (found["rule"], found["isStated"]) == ("minimum", False)
    assert "as good as its worst side" in panel.inner_text("#gs-w-about")
    assert panel.locator("#gs-w-0").is_disabled()
    assert "Weights have no part" in panel.inner_text("#gs-weights")
    panel.select_option("#gs-w-rule", label="Weighted geometric mean")
    assert state(panel)["rule"] == "geometric_mean"
    assert panel.locator("#gs-w-0").is_enabled()
    panel.click(".gs-banner-map button")
    assert state(panel)["isStated"]
    assert panel.locator("#gs-w-rule").input_value() == "0"


def test_a_gate_without_weight_ranks_nothing_and_says_why(panel):
    panel.select_option("#gs-w-rule", label="Evidence × access")
    found = slide(panel, 0, 0)
    assert set(found["rank"]) == {0}
    assert "No site has a rank: the rule needs the criterion evidence" in panel.inner_text(
        ".gs-w-effect"
    )
    assert all(slide(panel, 0, 10)["rank"])
    assert panel.faults == []


def test_keys_move_a_slider(panel):
    slider = panel.locator("#gs-w-3")
    slider.focus()
    for key, expected in (("ArrowRight", 160), ("Shift+ArrowRight", 161), ("PageUp", 211),
                          ("ArrowDown", 201), ("Home", 0), ("End", 1000)):  # fmt: skip
        slider.press(key)
        found = state(panel)["weights"]
        assert (key, found[3], sum(found)) == (key, expected, 1000)
    assert slider.get_attribute("aria-valuetext") == "100.0\u00a0%; the run has 15.0\u00a0%"


def test_the_banner_stands_over_the_table_and_on_paper(panel):
    choose(panel, [250, 250, 250, 250])
    panel.evaluate("() => geosite.current.openTab('gs-tab-sites')")
    words = panel.inner_text(".gs-banner-table")
    assert "not the run’s ranking" in words
    assert "Rank intervals, tiers and the surface are of the run’s weights" in words
    panel.emulate_media(media="print")
    assert panel.locator(".gs-banner-table").is_visible()
    assert not panel.locator(".gs-banner-table button").is_visible()


def test_many_inputs_of_one_frame_are_ranked_once(panel):
    count = panel.evaluate(
        """async () => { let n = 0; geosite.current.on('ranking', () => n++);
        const s = document.getElementById('gs-w-0');
        for (let v = 500; v < 540; v++) { s.value = v; s.dispatchEvent(new Event('input')); }
        await new Promise(f => setTimeout(f, 300)); return n; }"""
    )
    assert count == 1
    assert state(panel)["weights"][0] == 539


def test_it_fits_a_telephone(panel):
    panel.set_viewport_size({"width": 360, "height": 720})
    slide(panel, 0, 700)
    wide = panel.evaluate(
        "() => [...document.querySelectorAll('#gs-weights *, .gs-banner-map')]"
        ".filter(e => e.getBoundingClientRect().right > innerWidth + 1).length"
    )
    assert wide == 0


def test_hostile_names_are_text(tab, tmp_path):
    voices = tuple(
        WeightingLabel(p, {"evidence": 0.7, "rail": 0.1, "power": 0.1, "terrain": 0.1}, p)
        for p in PAYLOADS
    )
    address = written(tmp_path / "map.html", toy_content(weightings=voices))
    panel = opened(tab, address)
    panel.select_option("#gs-w-preset", index=4)
    assert "alert" not in panel.inner_text("#gs-weights")
    assert panel.evaluate("() => window.__hit") is None
    assert panel.locator("#gs-weights img, #gs-weights script").count() == 0
    assert panel.faults == []
