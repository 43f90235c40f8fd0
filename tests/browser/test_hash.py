"""The view in the address: it can be sent, and what is wrong in it does nothing."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pandas as pd
import pytest

from tests.browser.hostile import PAYLOADS
from tests.browser.reranked import STATED, choose, opened, state, written
from tests.browser.resting import frames
from tests.browser.toycontent import toy_content

pytestmark = pytest.mark.browser
NOTE = ".gs-link-note"


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    return written(tmp_path_factory.mktemp("hash") / "map.html")


def hash_of(tab):
    """The hash of the page once it says what is shown."""
    tab.wait_for_function("() => geosite.current.link().split('#')[1] === location.hash.slice(1)")
    return tab.evaluate("() => location.hash")


def test_a_page_that_nothing_was_changed_on_has_no_hash(tab, address):
    assert hash_of(opened(tab, address, panel="")) == ""


def test_a_view_goes_into_the_address_and_comes_out_of_it(tab, address):
    opened(tab, address)
    first = choose(tab, [100, 200, 300, 400], "minimum")
    tab.evaluate("() => { const a = geosite.current; a.select(3, 'map');"
                 " a.map.setView([39.25, -116.5], 9, { animate: false }); }")  # fmt: skip
    text = hash_of(tab)
    assert text.startswith("#w=evidence:100,rail:200,power:300,terrain:400&r=minimum&s=BLM-")
    assert "&m=39.25" in text
    assert text.endswith("&t=weights")
    opened(tab, address + text, panel="")
    assert state(tab) == first
    found = tab.evaluate(
        "() => { const a = geosite.current, c = a.map.getCenter();"
        " return [a.state.selected, c.lat, c.lng, a.map.getZoom()]; }"
    )
    assert found[0] == 3
    assert found[1:] == pytest.approx([39.25, -116.5, 9], abs=1e-3)
    assert tab.locator("#gs-w-0").is_visible()
    assert not tab.locator(NOTE).is_visible()
    assert tab.faults == []


def test_the_same_link_gives_the_same_ranking_for_many_weightings(tab, address):
    opened(tab, address)
    sent = {}
    for k in range(6):
        first = choose(tab, [100 + 37 * k, 250, 400 - 37 * k, 250])
        sent[hash_of(tab)] = first
    assert len(sent) == 6
    for text, first in sent.items():
        assert state(opened(tab, address + text, panel="")) == first


def test_back_to_the_weights_of_the_run_takes_them_out_of_the_address(tab, address):
    opened(tab, address)
    choose(tab, [250, 250, 250, 250])
    assert "w=" in hash_of(tab)
    tab.click("#gs-w-reset-all")
    assert hash_of(tab) == "#t=weights"


def test_layers_and_filters_go_with_the_view(tab, address):
    opened(tab, address)
    wanted = tab.evaluate(
        """() => { const a = geosite.current, ids = a.data.layers.map(l => l.id);
        const wanted = ids.filter((_, k) => k % 2 === 0);
        a.layers.set(wanted);
        a.filter.set({ text: 'toy prospect, 1 & é', agency: a.data.sites.agency[0], top: 12 });
        return wanted.sort(); }"""
    )
    shown = "() => [geosite.current.layers.shown, geosite.current.state.visible].map(x => [...x])"
    before = tab.evaluate(shown)
    text = hash_of(tab)
    assert "&q=toy%20prospect" in text or "#q=toy%20prospect" in text
    assert "&f=agency:" in text
    assert ",top:12" in text
    opened(tab, address + text, panel="")
    after = tab.evaluate(shown)
    assert sorted(after[0]) == sorted(before[0]) == wanted
    assert after[1] == before[1]
    assert not tab.locator(NOTE).is_visible()
    assert tab.faults == []


def test_another_hash_is_followed_without_loading_anew(tab, address):
    opened(tab, address)
    tab.evaluate("() => { location.hash = '#w=evidence:0,rail:0,power:0,terrain:1000'; }")
    frames(tab)
    assert state(tab)["weights"] == [0, 0, 0, 1000]
    tab.evaluate("() => { location.hash = ''; }")
    frames(tab)
    assert state(tab)["weights"] == STATED


def test_an_anchor_of_the_page_is_no_view(tab, address):
    opened(tab, address)
    choose(tab, [250, 250, 250, 250])
    tab.evaluate("() => { location.hash = '#gs-tab-sites'; }")
    frames(tab)
    assert state(tab)["weights"] == [250, 250, 250, 250]
    assert not tab.locator(NOTE).is_visible()


GOOD = "w=evidence:100,rail:200,power:300,terrain:400"
FAULTY = {
    "w=evidence:100,rail:200,power:300": "no weight for terrain",
    "w=evidence:100,rail:200,power:300,terrain:401": "sum to 1001, expected 1000",
    "w=evidence:-100,rail:400,power:300,terrain:400": "expected a whole number",
    "w=evidence:NaN,rail:400,power:300,terrain:400": "expected a whole number",
    "w=evidence:1e3,rail:0,power:0,terrain:0": "expected a whole number",
    "w=evidence:99999999999999999999,rail:0,power:0,terrain:0": "expected a whole number",
    "w=evidence:500,evidence:500,rail:0,power:0,terrain:0": "said twice",
    "w=slope:500,water:500": "of another run",
    "w=__proto__:1000": "of another run",
    "w=": "of another run",
    f"{GOOD}&{GOOD}": "said twice",
    f"{GOOD}&r=constructor": "no rule",
    f"{GOOD}&r=": "no rule",
    f"{GOOD}&s=nowhere": "no site",
    f"{GOOD}&m=91,0,5": "its place is",
    f"{GOOD}&m=39,-116,99": "its place is",
    f"{GOOD}&m=NaN,Infinity,5": "its place is",
    f"{GOOD}&l=no-such-layer": "no layer",
    f"{GOOD}&t=gs-card": "no panel",
    f"{GOOD}&f=hasOwnProperty:1": "no filter",
    f"{GOOD}&__proto__=1": "no part of a view",
    f"{GOOD}&r=%E0%A4%A": "cannot be decoded",
    f"{GOOD}&q=" + "x" * 500: "longer than 200",
    f"{GOOD}&q=" + "x" * 30_000: "more than 20000",
}


def test_a_faulty_hash_is_told_and_nothing_of_it_is_followed(tab, address):
    opened(tab, address)
    before = state(tab)
    for text, words in FAULTY.items():
        tab.evaluate("h => { history.replaceState(null, '', '#'); location.hash = h; }", text)
        frames(tab)
        assert state(tab) == before, text
        assert words in tab.inner_text(NOTE), text
    opened(tab, address + "#" + next(iter(FAULTY)), panel="")
    assert state(tab) == before
    assert "was not followed" in tab.inner_text(NOTE)
    tab.wait_for_selector("#gs-status >> text=was not followed", state="attached")
    tab.click(f"{NOTE} button")
    assert not tab.locator(NOTE).is_visible()
    assert tab.faults == []


def test_a_hostile_hash_is_text(tab, address):
    opened(tab, address)
    tab.evaluate(
        """async (payloads) => {
          window.read = 0;
          addEventListener("hashchange", () => { window.read += 1; });
          for (const p of payloads) for (const k of "wrsmlqft") {
            location.hash = k + "=" + encodeURIComponent(p).slice(0, 3000);
            await new Promise((f) => setTimeout(f));
            location.hash = k + "=" + p;
            await new Promise((f) => setTimeout(f));
          }
        }""",
        [p.encode("utf-8", "replace").decode() for p in PAYLOADS],
    )
    assert frames(tab).evaluate("window.read") > 8 * len(PAYLOADS)
    assert tab.evaluate("() => window.__hit") is None
    assert tab.locator(f"{NOTE} img").count() == 0
    assert state(tab)["weights"] == STATED
    assert tab.faults == []


def test_a_site_of_any_name_can_be_sent(tab, tmp_path):
    content = toy_content()
    names = [f"{p[:50]}{k}" for k, p in enumerate(PAYLOADS * 2)][: len(content.sites)]
    content.sites["site_id"] = pd.Series(names, dtype=object)
    address = written(tmp_path / "hostile.html", content)
    opened(tab, address, panel="")
    sent = []
    for k in range(len(content.sites)):
        tab.evaluate("k => geosite.current.select(k, 'table')", k)
        sent.append(hash_of(tab))
    assert len({*sent}) == len(names)
    chosen = "k => geosite.current.state.selected === k"
    for k, text in enumerate(sent):
        tab.evaluate("h => { location.hash = h; }", text)
        tab.wait_for_function(chosen, arg=k)
    for k in (0, 7):
        opened(tab, address + sent[k], panel="")
        assert tab.evaluate(chosen, k)
    assert tab.faults == []


def test_the_link_is_copied_or_shown(tab, address):
    opened(tab, address, panel="sites")
    choose(tab, [250, 250, 250, 250])
    tab.click("#gs-copy-link")
    field = tab.locator(".gs-x input[type=text]")
    assert field.input_value() == f"{address}#w=evidence:250,rail:250,power:250,terrain:250"
    tab.wait_for_function("() => document.getElementById('gs-status').textContent.length > 0")
    assert "this view for whoever has this file" in tab.inner_text("#gs-export")


def test_a_page_within_a_page_gives_the_text_alone(tab, address, tmp_path):
    html = Path(url2pathname(urlsplit(address).path)).read_text(encoding="utf-8")
    outer = tmp_path / "outer.html"
    outer.write_text("<!doctype html><iframe style='width:900px;height:700px'></iframe>")
    tab.goto(outer.as_uri())
    tab.evaluate("html => { document.querySelector('iframe').srcdoc = html; }", html)
    frame = tab.frames[-1]
    frame.wait_for_selector("html[data-geosite=ready]", state="attached")
    frame.evaluate("() => geosite.current.choose([250, 250, 250, 250])")
    frame.wait_for_function("() => !geosite.current.isStated()")
    assert frame.evaluate("() => geosite.current.link()").startswith("#w=evidence:250,")
    assert tab.faults == []
