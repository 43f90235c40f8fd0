"""The toy map with rules to choose, opened; and its ranking worked out in Python."""

from __future__ import annotations

import pytest

from geosite.map import content_block
from geosite.map.page import write_map
from geosite.report.content import WeightingLabel
from tests.browser.toycontent import toy_content

READY = "html[data-geosite=ready]"
VOICE = WeightingLabel(
    "industry", {"evidence": 0.6, "rail": 0.2, "power": 0.1, "terrain": 0.1}, "Nobody was asked."
)
RULES = (
    {"kind": "weighted_sum"},
    {"kind": "minimum"},
    {"kind": "geometric_mean", "floor": 0.001},
    {"kind": "evidence_gated", "evidence": "evidence", "floor": 0.001},
)
STATED = [400, 250, 200, 150]


def written(path, content=None):
    """Address of a map that offers several rules, on disk."""
    block = content_block.weight_block
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            content_block, "weight_block", lambda c: {**block(c), "rules": [*map(dict, RULES)]}
        )
        write_map(content or toy_content(weightings=(VOICE,)), path)
    return path.as_uri()


def opened(tab, address, panel="weights"):
    """The map of an address with a panel open."""
    tab.goto("about:blank")  # another hash alone would not load the page anew
    tab.goto(address)
    tab.wait_for_selector(READY, state="attached")
    if panel:
        tab.evaluate("id => geosite.current.openTab('gs-tab-' + id)", panel)
    return tab


def state(tab):
    """Weights, kind of rule, ranks and order of the page, after it has come to rest."""
    tab.evaluate("() => new Promise(f => requestAnimationFrame(() => requestAnimationFrame(f)))")
    return tab.evaluate(
        """() => { const { weights, rule, ranking } = geosite.current.state;
        return { weights, rule: rule.kind, rank: [...ranking.rank], order: [...ranking.order],
                 score: [...ranking.score], isStated: geosite.current.isStated() }; }"""
    )


def choose(tab, weights, rule=None):
    """Lay weights, and a rule by its kind, on the page."""
    tab.evaluate("([w, r]) => geosite.current.choose(w, r && { kind: r })", [weights, rule])
    return state(tab)


def sum_order(tab, weights):
    """Sites by weighted sum, best first, ties by id: worked out here and not in the page."""
    sites = tab.evaluate(
        "() => { const s = geosite.current.data.sites;"
        " return { id: s.site_id, scores: s.scores }; }"
    )
    total = [
        sum(w * row[i] for w, row in zip(weights, sites["scores"], strict=True))
        for i in range(len(sites["id"]))
    ]
    return sorted(range(len(total)), key=lambda i: (-total[i], sites["id"][i]))
