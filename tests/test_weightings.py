"""Named weightings of a finished run."""

from __future__ import annotations

import pytest

from geosite.catalog import open_scenario
from geosite.report.weightings import weighting_labels

PRESET = open_scenario("mine/open-pit")


def manifest(name="mine/open-pit", weights=None, **more):
    weights = weights or {c.id: c.weight for c in PRESET.criteria}
    criteria = [{"id": k, "weight": w} for k, w in weights.items()]
    return {"scenario": {"name": name}, "criteria": criteria, **more}


def test_a_preset_run_may_be_read_with_the_voices_that_the_package_holds():
    found = weighting_labels(manifest())
    assert [w.name for w in found] == ["industry", "agency", "conservation"]
    for label in found:
        assert sum(label.weights.values()) == pytest.approx(1)
        assert label.basis.startswith("Judgement, no stakeholder was asked")


def test_the_weights_of_the_preset_are_offered_where_the_run_has_others():
    weights = {c.id: 1.0 for c in PRESET.criteria}
    first = weighting_labels(manifest(weights=weights))[0]
    assert first.name == "Preset mine/open-pit"
    total = sum(c.weight for c in PRESET.criteria)
    assert first.weights == {c.id: pytest.approx(c.weight / total) for c in PRESET.criteria}


def test_voices_that_the_run_heard_stand_instead_of_those_of_the_package():
    weights = {c.id: 1 / len(PRESET.criteria) for c in PRESET.criteria}
    found = weighting_labels(manifest(voices=[{"name": "tribe", "weights": weights, "best": []}]))
    assert [w.name for w in found] == ["tribe"]


@pytest.mark.parametrize(
    "name", ["my-own", "../model/base", "/etc/passwd", "mine/../mine/open-pit\x00"]
)
def test_a_name_that_is_no_preset_finds_nothing(name):
    assert weighting_labels(manifest(name)) == ()


def test_other_criteria_than_the_preset_has_find_nothing():
    assert weighting_labels(manifest(weights={"rail": 1.0, "slope": 2.0})) == ()
