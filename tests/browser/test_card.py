"""The card of a site in a browser: what it says, how it follows the weights, how it is used."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from geosite.map.page import render_map
from geosite.model.combination import NAMES
from geosite.report.content import PathwayLabel, PermitLabel
from geosite.suitability import contributions
from tests.browser.hostile import hostile_content
from tests.browser.resting import frames, still
from tests.browser.toycontent import CRITERIA, toy_content

pytestmark = pytest.mark.browser
READY = "html[data-geosite=ready]"
CARD = "#gs-card"
WEIGHTS = [400, 250, 200, 150]
FULL = "() => document.querySelectorAll('#gs-card details').forEach((d) => { d.open = true; })"
PERMITS = (
    PermitLabel("plan", "Plan of operations", "approval", "federal", "BLM field office",
                "43 CFR 3809.11", "confirmed", (), "a toy report", "", (1.0, 24.0, 132.0)),
    PermitLabel("section-7", "Section 7", "consultation", "federal", "FWS", "50 CFR 402.14"),
)  # fmt: skip
PATHWAYS = (
    PathwayLabel("ordinary", "Ordinary approval", (1.0, 24.0, 132.0), "measured", "2016",
                 "43 CFR 3809", "a toy report", "confirmed"),
)  # fmt: skip


def written(content, folder):
    path = folder / "map.html"
    path.write_text(render_map(content).get_root().render(), encoding="utf-8", newline="\n")
    return path


def full_content(**changed):
    """The toy run with everything a card shows: intervals, an unknown criterion, permits."""
    sites = toy_content().sites.copy()
    sites.loc[sites.index[2], ["effective_rail", "contribution_rail"]] = np.nan
    n = len(sites)
    sites["rank_best"], sites["rank_worst"] = np.arange(1, n + 1), np.arange(1, n + 1) + 5
    sites["rank_p05"], sites["rank_p95"] = np.arange(1, n + 1), np.arange(1, n + 1) + 2
    sites["top10_share_pct"] = 83.0
    sites["permits"], sites["permits_possible"] = "plan", "section-7"
    sites["pathways"], sites["rules_unknown"] = "ordinary", "wilderness"
    sites["rules_flag"], sites["rules_share_pct"] = "lakes", "sage-grouse: 37.2; lakes: 100.0"
    said = {
        "sites": sites, "permits": PERMITS, "pathways": PATHWAYS,
        "robustness": {"draws": 10_000, "reads_weights": True},
    }  # fmt: skip
    return toy_content(**{**said, **changed})


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    return written(full_content(), tmp_path_factory.mktemp("card")).as_uri()


def opened(tab, address):
    tab.goto(address)
    tab.wait_for_selector(READY, state="attached")
    return tab


def select(tab, index, source="map"):
    tab.evaluate("([i, from]) => geosite.current.select(i, from)", [index, source])
    return tab.locator(CARD)


def choose(tab, words):
    """Other weights, and perhaps another rule; the ranking may follow with the next frame."""
    tab.evaluate(
        f"() => {{ geosite.current.choose({words}); return new Promise((done) => "
        "requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done)))); }"
    )


def values(card):
    """What stands beside the bars, by criterion."""
    names = card.locator("tbody th").evaluate_all("ths => ths.map((t) => t.firstChild.textContent)")
    return dict(zip(names, card.locator("tbody .gs-bar-value").all_inner_texts(), strict=True))


# ── what it says ──────────────────────────────────────────────────────────────────────────────
def test_a_click_on_the_map_opens_the_card(tab, page):
    opened(tab, page)
    assert tab.locator(CARD).is_hidden()
    place = tab.evaluate(
        "() => { const { map, data } = geosite.current; map.setView("
        "[data.sites.lat[5], data.sites.lon[5]], 13, { animate: false });"
        "const p = map.latLngToContainerPoint([data.sites.lat[5], data.sites.lon[5]]);"
        "const box = map.getContainer().getBoundingClientRect();"
        "return [box.left + p.x, box.top + p.y]; }"
    )
    still(tab).mouse.click(*place)
    assert tab.locator(f"{CARD} h2").inner_text() == "Toy prospect 6"
    assert tab.faults == []


def test_the_card_says_who_and_how_good_a_site_is_and_how_sure_that_is(tab, page):
    site = full_content().sites.iloc[0]
    text = select(opened(tab, page), 0).inner_text()
    for words in (
        site["name"], site["site_id"], "Bureau of Land Management", "Nye", "Nevada", "Rank 1",
        f"Score {site['suitability']:.3f}", "Tier A", "rank 1–6",
        f"score {site['suitability_low']:.2f}–{site['suitability_high']:.2f}",
        "stays in the top 10 in 83 % of 10,000 weightings; rank 1–3 in nine of ten weightings",
        "80 % of the run's weights",
    ):  # fmt: skip
        assert words in text, words


def test_every_section_stands_on_the_card(tab, page):
    card = select(opened(tab, page), 0)
    tab.evaluate(FULL)
    text = card.inner_text()
    for words in (
        "400 ha (988 acres)", "confirmed: Toy roster, 2024", "43 CFR 3809 plan of operations",
        "lithium, tungsten", "past producer", "1.4 km (0.8 mi)", "3 %",
        "Rules that touch it (2)", "Sage-grouse habitat", "plan: land use plan",
        "37.2 % of the site, on it (0 m)", "all of the site, on it (0 m)",
        "Lakes and reservoirs", "project practice", "Excluded land nearby",
        "Permits and time (1)", "Plan of operations", "43 CFR 3809.11",
        "1 to 132 months for the federal decision, likely 24", "Section 7", "50 CFR 402.14",
        "Ordinary approval", "1 hard rule cannot tell", "Designated wilderness",
        "16 USC 1133(d)", "Oldest data", "2011", "Rules as of", "2025-11-21",
    ):  # fmt: skip
        assert words in text, words


def test_a_section_that_was_folded_stays_so_at_the_next_site(tab, page):
    card = select(opened(tab, page), 0)
    card.locator("summary", has_text="Land").first.click()
    select(tab, 1)
    assert card.locator(".gs-section", has_text="Land").first.get_attribute("open") is None
    assert card.locator(".gs-section", has_text="Minerals").first.get_attribute("open") is not None


# ── bars ──────────────────────────────────────────────────────────────────────────────────────
def test_the_bars_of_a_weighted_sum_add_up_to_the_score(tab, page):
    card = select(opened(tab, page), 0)
    site = full_content().sites.iloc[0]
    shown = [float(v) for v in values(card).values()]
    assert len(shown) == len(CRITERIA)
    assert sum(shown) == pytest.approx(site["suitability"], abs=0.002)
    assert float(card.locator(".gs-bar-total").inner_text()) == pytest.approx(
        site["suitability"], abs=0.001
    )
    for criterion in CRITERIA:
        assert float(values(card)[criterion.title]) == pytest.approx(
            site[f"contribution_{criterion.id}"], abs=0.001
        )


def test_a_bar_is_as_long_as_the_weight_and_filled_as_far_as_the_score(tab, page):
    select(opened(tab, page), 0)
    shares = tab.evaluate(
        "[...document.querySelectorAll('.gs-bar-track')].map((t) => [t.offsetWidth, "
        "t.firstChild.getBoundingClientRect().width / t.clientWidth])"
    )
    site = full_content().sites.iloc[0]
    whole = shares[0][0]
    for (wide, filled), c in zip(shares, CRITERIA, strict=True):
        assert wide / whole == pytest.approx(c.weight / CRITERIA[0].weight, abs=0.03)
        assert filled == pytest.approx(site[f"effective_{c.id}"], abs=0.03)


def test_an_unknown_criterion_is_said_to_be_unknown_and_hatched(tab, page):
    card = select(opened(tab, page), 2)
    assert values(card)["Distance to a railway"] == "unknown"
    row = card.locator(".gs-bar-unknown")
    assert row.count() == 1
    assert "score unknown" in row.inner_text()
    assert row.locator(".gs-bar-fill").count() == 0
    drawn = row.locator(".gs-bar-track").evaluate("t => getComputedStyle(t).backgroundImage")
    assert "repeating-linear-gradient" in drawn
    assert "the other weights share its weight" in card.inner_text()
    assert "0.00" not in row.inner_text()


def test_the_card_follows_the_weights_and_says_what_moved(tab, page):
    card = select(opened(tab, page), 11)
    assert "→" not in card.inner_text()
    choose(tab, "[0, 0, 0, 1000]")
    was, now = tab.evaluate(
        "() => [geosite.current.first.rank[11], geosite.current.state.ranking.rank[11]]"
    )
    assert was != now
    text = card.inner_text()
    assert f"{was} → {now}, {'up' if now < was else 'down'} {abs(now - was)}" in text
    assert f"Rank {now}" in text
    assert "as in the run" in text.lower()
    steep = full_content().sites.iloc[11]["effective_terrain"]
    assert float(values(card)["Steepness"]) == pytest.approx(steep, abs=0.001)
    choose(tab, f"{WEIGHTS}")
    assert "→" not in card.inner_text()


@pytest.mark.parametrize("kind", ["geometric_mean", "evidence_gated"])
def test_the_factors_of_a_geometric_rule_multiply_to_the_score(tab, page, kind):
    card = select(opened(tab, page), 0)
    choose(tab, f"{WEIGHTS}, {{ kind: '{kind}', evidence: 'evidence' }}")
    factors = [float(v.removeprefix("× ")) for v in values(card).values()]
    shown = float(card.locator(".gs-bar-total").inner_text())
    assert math.prod(factors) == pytest.approx(shown, abs=0.004)
    assert "multiply to the score" in card.inner_text()


def test_under_the_minimum_one_criterion_decides(tab, page):
    card = select(opened(tab, page), 0)
    choose(tab, f"{WEIGHTS}, {{ kind: 'minimum' }}")
    site = full_content().sites.iloc[0]
    least = min(site[f"effective_{c.id}"] for c in CRITERIA)
    shown = sorted(float(v) for v in values(card).values())
    assert shown[:-1] == [0.0] * (len(CRITERIA) - 1)
    assert shown[-1] == pytest.approx(least, abs=0.001)
    assert "decides alone" in card.inner_text()


def test_parts_are_those_of_python_for_every_rule_and_whatever_is_missing(tab, page):
    opened(tab, page)
    random = np.random.default_rng(11)
    ids = ["evidence", "rail", "power"]
    rules = [
        {"kind": kind}
        | ({"floor": 0.001} if kind in ("geometric_mean", "evidence_gated") else {})
        | ({"evidence": "evidence"} if kind == "evidence_gated" else {})
        | ({"order_weights": [0.5, 0.3, 0.2]} if kind == "owa" else {})
        | ({"gamma": 0.9} if kind == "fuzzy_gamma" else {})
        for kind in NAMES
    ]
    scores = np.round(random.uniform(0, 1, (3, 12)), 2)
    scores[:, 0], scores[0, 1], scores[1, 2], scores[:2, 3] = 0.5, np.nan, np.nan, np.nan
    scores[1:, 4], scores[1, 5], scores[:, 6] = np.nan, 0.0, np.nan
    weights = np.array([500, 300, 200])
    for said, missing in itertools.product(rules, ("renormalise", "worst", "best", "unknown")):
        asked = [[None if np.isnan(v) else v for v in column] for column in scores.T.tolist()]
        found = tab.evaluate(
            "([asked, w, rule, ids, missing]) => asked.map((x) => geosite.contributions.of("
            "x.map((v) => v === null ? NaN : v), w, rule, ids, missing).parts"
            ".map((p) => Number.isNaN(p) ? null : p))",
            [asked, weights.tolist(), said, ids, missing],
        )
        rule = rule_of(said)
        expected = contributions(scores, weights / 1000, rule, ids, missing=missing).T
        for mine, theirs, x in zip(found, expected, scores.T, strict=True):
            for m, t, v in zip(mine, theirs, x, strict=True):
                # What is not known contributes nothing in Python, and is said to be unknown here.
                unknown = np.isnan(t) or (np.isnan(v) and missing == "renormalise")
                assert m is None if unknown else m == pytest.approx(t, abs=1e-9), (said, missing)


def rule_of(said):
    from pydantic import TypeAdapter  # noqa: PLC0415

    from geosite.model.combination import Combination  # noqa: PLC0415

    return TypeAdapter(Combination).validate_python(said)


# ── using it ──────────────────────────────────────────────────────────────────────────────────
def test_escape_and_the_button_close_it_and_the_focus_goes_back(tab, page):
    opened(tab, page)
    tab.evaluate(
        "() => { const b = geosite.dom.el('button', { type: 'button', id: 'row' }, 'row');"
        "document.getElementById('gs-table').appendChild(b);"
        "b.addEventListener('click', () => geosite.current.select(3, 'table')); }"
    )
    for close in (lambda: tab.keyboard.press("Escape"), lambda: tab.click(".gs-card-close")):
        tab.focus("#row")
        tab.keyboard.press("Enter")
        assert tab.evaluate("document.activeElement.id") == "gs-card-title"
        close()
        assert tab.locator(CARD).is_hidden()
        assert tab.evaluate("document.activeElement.id") == "row"
        assert tab.evaluate("geosite.current.state.selected") == -1


def test_escape_in_a_field_that_is_written_in_leaves_the_card(tab, page):
    card = select(opened(tab, page), 3)
    tab.evaluate("() => document.getElementById('gs-find').appendChild("
                 "geosite.dom.el('input', { id: 'word', 'aria-label': 'word' }))")  # fmt: skip
    tab.focus("#word")
    tab.keyboard.press("Escape")
    assert card.is_visible()


def test_the_focus_goes_to_the_panels_where_it_came_from_nowhere(tab, page):
    select(opened(tab, page), 3, "table")
    tab.keyboard.press("Escape")
    assert tab.evaluate("document.activeElement.closest('#gs-side') !== null")


def test_the_neighbours_by_rank_are_a_button_away_and_hidden_sites_are_passed_over(tab, page):
    card = select(opened(tab, page), 0)
    before, after = card.locator(".gs-card-bar button").all()[:2]
    assert before.get_attribute("aria-disabled") == "true"
    before.click(force=True)
    assert card.locator("h2").inner_text() == "Toy prospect 1"
    after.click()
    assert card.locator("h2").inner_text() == "Toy prospect 2"
    tab.evaluate(
        "() => { const mask = new Uint8Array(geosite.current.data.sites.n).fill(1);"
        "mask[2] = 0; geosite.current.show(mask); }"
    )
    after.press("Enter")
    assert card.locator("h2").inner_text() == "Toy prospect 4"
    assert after.evaluate("b => b === document.activeElement")
    assert "Rank 5: Toy prospect 5" in after.get_attribute("aria-label")


@pytest.mark.parametrize("clipboard", ["there", "refused"])
def test_coordinates_are_copied_with_and_without_a_clipboard(tab, page, clipboard):
    opened(tab, page)
    tab.evaluate(
        "(refused) => { window.copied = []; const clipboard = { writeText: async (t) => {"
        "if (refused) throw new Error('refused'); window.copied.push(t); } };"
        "Object.defineProperty(navigator, 'clipboard', { value: clipboard, configurable: true });"
        "document.addEventListener('copy', () => "
        "window.copied.push(document.activeElement.value)); }",
        clipboard == "refused",
    )
    card = select(tab, 0)
    lat, lon = tab.evaluate("() => { const s = geosite.current.data.sites; "
                            "return [s.lat[0], s.lon[0]]; }")  # fmt: skip
    for button in card.locator(".gs-where button", has_text="Copy").all():
        button.click()
        frames(tab)
    decimal, angular = tab.evaluate("window.copied")
    assert decimal == f"{lat:.5f}, {lon:.5f}"
    assert angular.endswith("W")
    degrees, minutes, seconds = (
        float(v) for v in angular.split("N")[0].replace("°", " ").replace("′", " ")
        .replace("″", "").split()
    )  # fmt: skip
    assert degrees + minutes / 60 + seconds / 3600 == pytest.approx(lat, abs=2e-5)
    assert "Copied: " in tab.inner_text("#gs-status")
    assert tab.locator(".gs-copied").count() == 0


def test_zooming_brings_the_site_into_the_free_part_of_the_map(tab, page):
    card = select(opened(tab, page), 4)
    card.locator("button", has_text="Zoom to the site").click()
    still(tab)
    at, edge = tab.evaluate(
        "() => { const { map, data } = geosite.current; const p = map.latLngToContainerPoint("
        "[data.sites.lat[4], data.sites.lon[4]]); const box = map.getContainer()"
        ".getBoundingClientRect(); return [box.left + p.x, "
        "document.getElementById('gs-card').getBoundingClientRect().left]; }"
    )
    assert 400 < at < edge
    assert tab.evaluate("geosite.current.map.getZoom()") >= 9


def test_a_dossier_is_linked_if_there_is_one_and_else_the_command_is_there(tab, tmp_path):
    ids = full_content().sites["site_id"]
    run = tmp_path / "20260101T120000Z-1a2b3c4d"
    run.mkdir()
    paths = {ids.iloc[0]: "../a.review/BLM-1.html", ids.iloc[1]: "javascript:window.__hit=1"}
    opened(tab, written(full_content(dossier=paths), run).as_uri())
    link = select(tab, 0).locator(".gs-dossier a")
    assert link.get_attribute("href") == "../a.review/BLM-1.html"
    card = select(tab, 1)
    assert card.locator("a").count() == 0
    command = card.locator(".gs-dossier code").inner_text()
    assert command == f"geosite review {run} --site {ids.iloc[1]}"


def test_a_map_that_lies_nowhere_links_no_folder_beside_it(tab):
    ids = full_content().sites["site_id"]
    linked = full_content(dossier={ids.iloc[0]: "../a.review/BLM-1.html"})
    tab.set_content(render_map(linked).get_root().render())
    tab.wait_for_selector(READY, state="attached")
    card = select(tab, 0)
    assert card.locator("a").count() == 0
    command = card.locator(".gs-dossier code").inner_text()
    assert command == f"geosite review RUN --site {ids.iloc[0]}"


def test_the_card_is_spoken_and_is_a_named_region(tab, page):
    select(opened(tab, page), 0)
    tab.wait_for_function("document.getElementById('gs-status').textContent.includes('rank 1 of')")
    assert tab.get_by_role("region", name="Toy prospect 1").count() == 1


def test_strangers_words_are_words(tab, tmp_path):
    content = hostile_content()
    opened(tab, written(content, tmp_path).as_uri())
    seen = ""
    for i in range(len(content.sites)):
        card = select(tab, i, "table")
        tab.evaluate(FULL)
        seen += card.inner_text()
        assert card.locator("img, script, svg, iframe, a").count() == 0
        assert card.locator(".gs-dossier code").inner_text().startswith("geosite review RUN")
    assert "<img src=x onerror=window.__hit=1>" in seen
    assert tab.evaluate("window.__hit") is None
    assert tab.faults == []


def test_it_fits_a_phone_and_lies_over_the_panels(tab, page):
    tab.set_viewport_size({"width": 360, "height": 740})
    card = select(opened(tab, page), 0)
    tab.evaluate(FULL)
    box = card.bounding_box()
    assert (box["x"], box["width"]) == (0, 360)
    assert card.evaluate("c => c.scrollWidth <= c.clientWidth")
    top = tab.evaluate("([x, y]) => document.elementFromPoint(x, y).closest('#gs-card') !== null",
                       [180, box["y"] + box["height"] - 30])  # fmt: skip
    assert top


def test_an_open_card_is_printed_whole_and_after_the_map(tab, page):
    card = select(opened(tab, page), 0)
    tab.emulate_media(media="print")
    assert card.evaluate("c => getComputedStyle(c).overflowY") == "visible"
    assert card.evaluate("c => c.scrollHeight <= c.clientHeight + 1")
    box = card.bounding_box()
    assert box["y"] >= tab.locator(".folium-map").bounding_box()["height"] - 1
    assert box["width"] == tab.viewport_size["width"]
    assert card.locator(".gs-card-close").is_hidden()
