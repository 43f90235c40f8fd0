"""Surfaces in the tree of layers, and every rule that excludes without an outline."""

from __future__ import annotations

import numpy as np
import pytest
from affine import Affine

from geosite.map.surface_layers import surface_layers
from geosite.report import palette
from geosite.report.content import RuleLabel
from tests.browser.toycontent import CELL, COLUMNS, LEFT, ROWS, RULES, TOP, toy_content

STEEP = RuleLabel(
    "steep",
    "Steep\nland",
    "exclude",
    "practice",
    "20 % is the most",
    "terrain/elevation",
    80.0,
    7.0,
)
RAIL = RuleLabel("near-rail", "Near a railway", "require", "practice", "", "infrastructure/rail",
                 40.0, 4.0)  # fmt: skip


def by_id(layers):
    return {e.id: e for e in layers.entries}


def asked_of(masks):
    asked = []

    def excluded_by(rules):
        asked.extend(rules)
        return {id_: mask for id_, mask in masks.items() if id_ in rules}

    return excluded_by, asked


def test_the_surfaces_stand_in_the_tree_with_their_legends():
    layers = surface_layers(toy_content())
    found = by_id(layers)
    assert [*found] == ["surface-suitability", "surface-excluded", "surface-unknown"]
    assert {e.group for e in layers.entries} == {("Surfaces",)}
    assert found["surface-suitability"].legend.kind == "ramp"
    assert [row[1] for row in found["surface-suitability"].legend.rows] == [*palette.SUITABILITY]
    assert found["surface-unknown"].legend.rows[0][0] == "hatch"
    assert {e.source for e in layers.entries} == {*layers.pictures}
    assert all(e.kind == "picture" and e.count is None for e in layers.entries)


def test_unknown_land_waits_where_it_would_hide_the_rest():
    assert by_id(surface_layers(toy_content()))["surface-unknown"].shown
    mostly = toy_content(offered_ha=(1.0, 99.0, 1.0))
    assert not by_id(surface_layers(mostly))["surface-unknown"].shown


def test_the_likelihood_is_there_if_the_run_has_one():
    likely = np.linspace(0, 100, ROWS * COLUMNS, dtype=np.float32).reshape(ROWS, COLUMNS)
    at = Affine(CELL, 0, LEFT, 0, -CELL, TOP)
    content = toy_content(likelihood=likely, likelihood_transform=at, likelihood_leak_m=5000.0)
    entry = by_id(surface_layers(content))["surface-likelihood"]
    assert not entry.shown
    assert [row[2] for row in entry.legend.rows] == [words for _, _, words in palette.LIKELIHOOD]
    assert "Records within 5 km of a place say nothing of it" in entry.words


def test_a_rule_without_an_outline_is_shown_by_its_cells():
    mask = np.zeros((ROWS, COLUMNS), bool)
    mask[3:9, 3:9] = True
    excluded_by, asked = asked_of({"steep": mask, "wilderness": mask})
    layers = surface_layers(toy_content(rules=(*RULES, RAIL, STEEP), excluded_by=excluded_by))
    assert asked == ["near-rail", "steep"], "neither what has an outline nor what only warns"
    entry = by_id(layers)["rule-steep"]
    assert entry.group == ("Excluded by rule",)
    assert entry.title == "Steep land"
    assert entry.words[0] == "practice · 20 % is the most"
    assert "takes 80 ha" in entry.words[-1]
    assert entry.source in layers.pictures
    assert not entry.shown
    assert "rule-near-rail" not in by_id(layers), "it excludes nothing"


def test_land_without_what_a_rule_requires_is_named_so():
    excluded_by, _ = asked_of({"near-rail": np.ones((ROWS, COLUMNS), bool)})
    layers = surface_layers(toy_content(rules=(RAIL,), excluded_by=excluded_by))
    assert "Land without what this rule requires" in by_id(layers)["rule-near-rail"].words


@pytest.mark.parametrize("rules", [RULES, ()])
def test_a_run_whose_rules_all_have_outlines_is_not_read_again(rules):
    excluded_by, asked = asked_of({})
    surface_layers(toy_content(rules=rules, excluded_by=excluded_by))
    assert asked == []
