"""Weightings that a reader may choose at once."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given

from geosite.map.presets import presets
from geosite.report.content import WeightingLabel
from tests.browser.toycontent import CRITERIA, toy_content

IDS = [c.id for c in CRITERIA]


def test_equal_weights_are_always_offered():
    assert [(p["title"], p["weights"]) for p in presets(toy_content())] == [
        ("Equal weights", [250, 250, 250, 250])
    ]


def test_a_voice_is_offered_with_its_basis_and_its_words_are_words():
    voice = WeightingLabel(
        "state\x00<b>", {"terrain": 0.1, "evidence": 0.6, "rail": 0.2, "power": 0.1}, "a\nmeeting"
    )
    found = presets(toy_content(weightings=(voice,)))[1]
    assert found == {
        "id": "named-0", "title": "state <b>", "basis": "a meeting",
        "weights": [600, 200, 100, 100],
    }  # fmt: skip


def test_a_run_without_criteria_has_none():
    assert presets(toy_content(criteria=())) == []


@given(st.lists(st.floats(0.001, 1), min_size=4, max_size=4))
def test_weights_of_a_preset_sum_to_a_thousand_and_are_near_what_was_said(weights):
    label = WeightingLabel("a", dict(zip(IDS, weights, strict=True)))
    found = presets(toy_content(weightings=(label,)))[1]["weights"]
    assert sum(found) == 1000
    total = sum(weights)
    assert all(abs(f - 1000 * w / total) <= 1 for f, w in zip(found, weights, strict=True))
