"""What the README shows can be pasted."""

import re
from pathlib import Path

import pytest

from geosite import catalog
from geosite.model.review import Reviews
from geosite.model.scenario import Scenario
from geosite.references import dangling, unfit_layers, unknown_layers

README = Path(__file__).parent.parent / "README.md"


def shown(title):
    """The first YAML below a title of the README, as text."""
    words = README.read_text(encoding="utf-8").partition(f"### {title}\n")[2]
    return re.search(r"```yaml\n(.*?)```", words, re.DOTALL)[1]


def test_rules_of_your_own_do_in_a_copy_of_a_preset(tmp_path):
    preset = Path(catalog.__file__).parent / "scenarios/mine/open-pit.yaml"
    file = tmp_path / "mine.yaml"
    file.write_text(preset.read_text("utf-8") + shown("Rules of your own"), encoding="utf-8")
    asked = catalog.open_scenario(str(file))
    layers, book = catalog.open_catalog(catalog.official_layers()), catalog.open_rulebook()
    assert dangling(asked, book) == []
    assert unknown_layers(asked, layers, book) == []
    assert unfit_layers(asked, layers, book) == []
    assert {r.subject.kind for r in asked.own_rules} == {"presence", "boundary", "disturbance"}


def test_the_decisions_shown_are_decisions(tmp_path):
    file = tmp_path / "reviews.yaml"
    file.write_text(shown("Disagree with a finding"), encoding="utf-8")
    found = Reviews.model_validate(catalog.load_yaml(file))
    assert [d.decision for d in found.decisions] == ["dispute", "override"]


@pytest.mark.parametrize("key", ["overrides", "local", "own_rules", "footprint", "as_of"])
def test_every_key_about_rules_is_shown(key):
    assert key in Scenario.model_fields
    assert re.search(rf"^{key}:", shown("Rules of your own"), re.MULTILINE)
