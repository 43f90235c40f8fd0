from itertools import pairwise

import pytest
import yaml

from geosite import catalog, references
from geosite.errors import CatalogError, CRSMismatchError
from geosite.model import Scenario
from geosite.model.rule import Rule
from tests.test_model import LAYER, SCENARIO, changed

RULE = {
    "id": "wilderness",
    "title": "Wilderness",
    "layer": "environment/wilderness",
    "mine": {"tier": "exclude", "setback": "300 m"},
    "authority": "statute",
    "citation": "for a test only",
}
COMMODITY = {
    "id": "lithium",
    "title": "Lithium",
    "names": ["lithium", "li"],
    "citation": "for a test only",
}
PERMIT = {
    "id": "section-7",
    "title": "Section 7",
    "kind": "consultation",
    "track": "federal",
    "agency": "for a test only",
    "projects": ["mine"],
    "citation": "for a test only",
}
PATHWAY = {
    "id": "ordinary",
    "title": "Ordinary",
    "projects": ["mine"],
    "months": {"low": "1", "likely": "24", "high": "132"},
    "as_of": "2026-01-01",
    "citation": "for a test only",
    "source": "for a test only",
}
LAYER_FILE = {key: value for key, value in LAYER.items() if key != "id"}


def asking(**changes):
    return Scenario.model_validate({**SCENARIO, **changes})


def write(file, content):
    file.parent.mkdir(parents=True, exist_ok=True)
    text = content if isinstance(content, str) else yaml.safe_dump(content)
    file.write_text(text, encoding="utf-8")
    return file


@pytest.fixture
def layers(tmp_path):
    """Write a catalogue: ``layers(rail=…)`` makes ``x/rail.yaml``; gives its root."""

    def written(**files):
        for name, content in files.items():
            write(tmp_path / "layers" / "x" / f"{name}.yaml", content)
        return tmp_path / "layers"

    return written


@pytest.fixture
def rulebook(tmp_path):
    """Write a rulebook: each keyword is a rule set; gives its root."""

    def written(**sets):
        root = tmp_path / "rulebook"
        for name, rules in sets.items():
            write(root / "rules" / f"{name}.yaml", {"title": name, "rules": rules})
        write(root / "authorities.yaml", {"authorities": []})
        write(root / "commodities.yaml", {"commodities": [COMMODITY]})
        write(root / "aoi_groups.yaml", {"groups": {"west": ["Nevada", "Utah"]}})
        write(root / "permits.yaml", {"permits": [PERMIT], "pathways": [PATHWAY]})
        write(root / "local.yaml", {"local": []})
        return root

    return written


def complaint(call, *args):
    """The message of the one error; never more than one, never a traceback of another kind."""
    with pytest.raises(CatalogError) as caught:
        call(*args)
    return str(caught.value)


# ── layers ──────────────────────────────────────────────────────────────────────────────────


def test_the_path_of_a_file_is_the_id_of_its_layer(layers):
    found = catalog.open_catalog(layers(rail=LAYER_FILE, road=LAYER_FILE))
    assert list(found) == ["x/rail", "x/road"]
    assert (len(found), found["x/rail"].id) == (2, "x/rail")


def test_numbers_dates_and_country_codes_stay_as_they_were_written(layers):
    text = yaml.safe_dump({**LAYER_FILE, "vintage": "V"}).replace("vintage: V", "vintage: 1.10")
    text = text.replace("agency: Somebody", "agency: NO")
    layer = catalog.open_catalog(layers(rail=text))["x/rail"]
    assert (layer.vintage, layer.agency) == ("1.10", "NO")


@pytest.mark.parametrize("make", [True, False])
def test_a_folder_without_layers_is_no_catalogue(tmp_path, make):
    root = tmp_path / "nothing"
    if make:
        root.mkdir()
    said = complaint(catalog.open_catalog, root)
    assert str(root) in said
    assert "--layers" in said


@pytest.mark.parametrize(
    ("path", "value", "key", "what"),
    [
        ("colour", "red", "colour", "not known here; check its spelling (found 'red')"),
        ("title", None, "title", "this key is missing"),
        ("positional_accuracy", "40", "positional_accuracy", "'40' is not in m, km, ft or mi"),
        ("geometry", "blob", "geometry", "(found 'blob')"),
        ("sources.0.kind", "ftp", "sources.0", "'ftp'"),
        ("coverage", {"kind": "everwhere"}, "coverage", "'everwhere'"),
    ],
)
def test_a_wrong_layer_names_file_and_key(layers, path, value, key, what):
    said = complaint(catalog.open_catalog, layers(rail=changed(LAYER_FILE, path, value)))
    line = next(line for line in said.splitlines() if line.strip().startswith(f"{key}:"))
    assert "rail.yaml" in said
    assert what in line


@pytest.mark.parametrize(
    "text",
    ["title: [1, 2", "- a\n- b", "just words", "", "\ttitle: tab", "a: *nowhere"],
)
def test_a_file_that_is_not_keys_and_values_is_named(layers, text):
    said = complaint(catalog.open_catalog, layers(rail=text))
    assert "rail.yaml" in said
    assert "expected keys and values" in said or "cannot be read as YAML" in said


def test_a_key_written_twice_is_named_with_its_line(layers):
    text = yaml.safe_dump({k: LAYER_FILE[k] for k in sorted(LAYER_FILE)})
    lines = len(text.splitlines())
    text += "title: Another\nfields:\n  name: {type: text, type: number}\n"
    said = complaint(catalog.open_catalog, layers(rail=text))
    assert "rail.yaml: keys are written twice:" in said
    first = text.splitlines().index("title: Rail") + 1
    assert f"line {lines + 1}: title: already on line {first}" in said
    assert f"line {lines + 3}: type: already on line {lines + 3}" in said


def test_a_key_may_come_again_in_another_mapping(layers):
    text = yaml.safe_dump({**LAYER_FILE, "fields": {"a": {"from": "x"}, "b": {"from": "y"}}})
    assert len(catalog.open_catalog(layers(rail=text))["x/rail"].fields) == 2


def test_a_file_that_is_not_utf8_is_named(layers):
    root = layers(rail=LAYER_FILE)
    (root / "x" / "rail.yaml").write_bytes(b"title: caf\xe9")
    assert "rail.yaml: cannot be read as YAML" in complaint(catalog.open_catalog, root)


def test_aliases_that_unfold_without_end_and_deep_nests_are_refused(tmp_path):
    file = tmp_path / "weights.yaml"
    tens = "".join(f"{b}: &{b} [{','.join([f'*{a}'] * 10)}]\n" for a, b in pairwise("abcdefgh"))
    file.write_text(f"a: &a [{','.join('x' * 10)}]\n{tens}")
    assert "aliases unfold to more than 1,000,000 values" in complaint(catalog.load_yaml, file)
    file.write_text("[" * 5000)
    assert "nested too deeply" in complaint(catalog.load_yaml, file)
    assert "there is no such file" in complaint(catalog.load_yaml, tmp_path / "none.yaml")


def test_every_fault_of_every_file_is_told_at_once(layers):
    root = layers(
        rail={**LAYER_FILE, "colour": "red", "absence": "maybe"},
        road=changed(LAYER_FILE, "citation", None),
        river={**changed(changed(LAYER_FILE, "sources", None), "crs", None), "union_of": ["x/sea"]},
        town={**LAYER_FILE, "coverage": {"kind": "states", "names": ["Nevada"]}},
        park={**LAYER_FILE, "coverage": {"kind": "inside", "layer": "aoi/parks"}},
    )
    said = complaint(catalog.open_catalog, root)
    for fault in (
        "colour: this key",
        "absence:",
        "citation: this key is missing",
        "x/river.yaml: union_of: there is no layer 'x/sea'",
        "x/town.yaml: coverage.names: there is no layer 'aoi/states'",
        "x/park.yaml: coverage.layer: there is no layer 'aoi/parks'",
    ):
        assert fault in said


def test_a_union_of_unions_is_refused(layers):
    union = changed(changed(LAYER_FILE, "sources", None), "crs", None)
    root = layers(
        rail=LAYER_FILE,
        lines={**union, "union_of": ["x/rail"]},
        all={**union, "union_of": ["x/lines"]},
    )
    assert "x/all.yaml: union_of: x/lines is a union itself" in complaint(
        catalog.open_catalog, root
    )


# ── the rulebook ────────────────────────────────────────────────────────────────────────────


def test_rules_come_in_order_of_id_however_their_sets_are_named(rulebook):
    book = catalog.open_rulebook(
        rulebook(one=[{**RULE, "id": "z"}, {**RULE, "id": "b"}], two=[{**RULE, "id": "a"}])
    )
    one, other = (asking(rules=names) for names in (("one", "two"), ("two", "one")))
    assert [r.id for r in book.rules(one)] == ["a", "b", "z"]
    assert book.rules(one) == book.rules(other)
    assert book.groups["west"] == ("Nevada", "Utah")


def test_a_rule_of_the_scenario_takes_the_place_of_one_of_the_sets(rulebook):
    book = catalog.open_rulebook(rulebook(one=[{**RULE, "id": "a"}, {**RULE, "id": "b"}]))
    own = Rule.model_validate({**RULE, "id": "a", "title": "ours"})
    found = book.rules(asking(rules=("one",), own_rules=(own,)))
    assert [(r.id, r.title) for r in found] == [("a", "ours"), ("b", RULE["title"])]


def test_rules_of_a_scenario_are_given_once():
    with pytest.raises(ValueError, match="own_rules: rules given twice: wilderness"):
        asking(rules=(), own_rules=(Rule.model_validate(RULE),) * 2)


def test_a_rule_id_used_twice_is_refused(rulebook):
    said = complaint(catalog.open_rulebook, rulebook(one=[RULE], two=[RULE]))
    assert "two.yaml: rule wilderness is already in one.yaml" in said


def test_wrong_rules_are_told_together(rulebook):
    root = rulebook(
        one=[{**RULE, "mine": {"tier": "exclude", "setback": "300"}}, {**RULE, "id": "Bad Id"}],
        two=[changed(RULE, "citation", None)],
    )
    said = complaint(catalog.open_rulebook, root)
    assert "one.yaml" in said
    assert "'300' is not in m, km, ft or mi" in said
    assert "rules.1.id" in said
    assert "rules.0.citation: this key is missing" in said


@pytest.mark.parametrize(
    "name",
    [
        "authorities.yaml",
        "commodities.yaml",
        "aoi_groups.yaml",
        "permits.yaml",
        "local.yaml",
    ],
)
def test_a_missing_table_of_the_rulebook_is_named(rulebook, name):
    root = rulebook(one=[RULE])
    (root / name).unlink()
    assert name in complaint(catalog.open_rulebook, root)


def test_faults_of_every_file_of_the_rulebook_are_told_at_once(rulebook):
    root = rulebook(one=[changed(RULE, "citation", None)])
    (root / "permits.yaml").write_text("permits: 5\npathways: []\n", encoding="utf-8")
    (root / "local.yaml").write_text("local:\n  - {rule: no-such, counties: [x]}\n", "utf-8")
    said = complaint(catalog.open_rulebook, root)
    assert "rules.0.citation: this key is missing" in said
    assert "permits: expected a list (found '5')" in said
    assert "pathways: expected at least 1, found 0" in said
    assert "local.0.counties.0" in said
    assert "local.0.citation: this key is missing" in said
    assert "tuple" not in said.lower()


# ── scenarios ───────────────────────────────────────────────────────────────────────────────


def test_a_scenario_is_read_by_its_path(tmp_path):
    file = write(tmp_path / "mine.yaml", SCENARIO)
    assert catalog.open_scenario(str(file)).grid.resolution == 250


def test_an_aoi_file_is_looked_for_beside_the_scenario(tmp_path):
    file = write(tmp_path / "mine.yaml", {**SCENARIO, "aoi": "county.geojson"})
    assert catalog.open_scenario(str(file)).aoi == "county.geojson"
    (tmp_path / "county.geojson").touch()
    assert catalog.open_scenario(str(file)).aoi == str(tmp_path / "county.geojson")


def test_a_scenario_that_is_not_there_lists_the_presets():
    said = complaint(catalog.open_scenario, "mine/open-sky")
    assert "mine/open-sky" in said
    assert all(name in said for name in catalog.preset_names())


def test_a_wrong_scenario_names_its_file_and_every_key(tmp_path):
    wrong = changed(changed(SCENARIO, "grid.resolution", "90"), "criteria.0.weight", "0")
    wrong["colour"] = "red"
    said = complaint(catalog.open_scenario, str(write(tmp_path / "mine.yaml", wrong)))
    assert said.startswith(f"{tmp_path / 'mine.yaml'} is not a valid scenario:")
    for key in ("grid.resolution: ", "criteria.0.weight: ", "colour: "):
        assert key in said
    assert "Value error" not in said


@pytest.mark.parametrize(
    ("crs", "what"),
    [
        ("a map", "grid.crs: 'a map' is not a coordinate reference system"),
        ("EPSG:4326", "grid.crs: a grid needs a projected CRS in metres"),
        ("EPSG:2227", "grid.crs: a grid needs a projected CRS in metres"),
    ],
)
def test_a_scenario_without_a_crs_for_its_grid_is_refused(tmp_path, crs, what):
    file = write(tmp_path / "mine.yaml", changed(SCENARIO, "grid.crs", crs))
    with pytest.raises(CRSMismatchError) as caught:
        catalog.open_scenario(str(file))
    said = str(caught.value)
    assert "mine.yaml is not a valid scenario" in said
    assert what in said


def test_a_folder_is_no_scenario(tmp_path):
    assert "no such scenario file" in complaint(catalog.open_scenario, str(tmp_path))


# ── what comes with the package ─────────────────────────────────────────────────────────────


def test_the_official_catalogue_is_valid():
    assert len(catalog.open_catalog(catalog.official_layers())) > 40


@pytest.mark.parametrize("name", catalog.preset_names())
def test_every_preset_is_valid_and_its_references_resolve(name):
    scenario = catalog.open_scenario(name)
    known = catalog.open_catalog(catalog.official_layers())
    book = catalog.open_rulebook()
    assert references.dangling(scenario, book) == []
    named = {r.layer for c in scenario.criteria for r in c.readings if r.layer}
    named |= {rule.layer for rule in book.rules(scenario)}
    named |= set(scenario.land.layers)
    assert sorted(named - set(known)) == []
