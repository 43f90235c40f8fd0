import json

import jsonschema
import pytest
import yaml

from geosite import schemas


class EditorLoader(yaml.SafeLoader):
    """YAML as an editor reads it: numbers are numbers, dates and the key ``null`` stay text."""


TEXT = ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:null")
EditorLoader.yaml_implicit_resolvers = {
    first: [(tag, rule) for tag, rule in rules if tag not in TEXT]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def complaints(schema, text):
    validator = jsonschema.Draft202012Validator(json.loads(schema))
    found = yaml.load(text, Loader=EditorLoader)  # noqa: S506 -- a SafeLoader with less
    return [f"{'.'.join(map(str, e.path))}: {e.message}" for e in validator.iter_errors(found)]


@pytest.mark.parametrize("path", sorted(schemas.schemas()))
def test_schema_file_is_in_step_with_the_model(path, root):
    assert (root / path).read_text(encoding="utf-8") == schemas.schemas()[path], (
        f"{path} is out of date: make schemas"
    )


def test_schemas_are_valid_schemas():
    for text in schemas.schemas().values():
        jsonschema.Draft202012Validator.check_schema(json.loads(text))


def test_writing_makes_the_folders(tmp_path):
    schemas.write(tmp_path)
    written = {f.relative_to(tmp_path).as_posix() for f in tmp_path.rglob("*.json")}
    assert written == set(schemas.schemas())


@pytest.mark.parametrize(
    ("path", "files"),
    [
        ("layers/layer.schema.json", "layers/**/*.yaml"),
        ("geosite/rulebook/rules.schema.json", "geosite/rulebook/rules/*.yaml"),
        ("geosite/rulebook/permits.schema.json", "geosite/rulebook/permits.yaml"),
        ("geosite/scenarios/scenario.schema.json", "geosite/scenarios/**/*.yaml"),
        ("geosite/weightings/weighting.schema.json", "geosite/weightings/**/*.yaml"),
        *(
            (f"geosite/rulebook/{table}.schema.json", f"geosite/rulebook/{table}.yaml")
            for table in ("commodities", "freight", "potential", "processing")
        ),
    ],
)
def test_an_editor_finds_nothing_wrong_with_our_files(path, files, root):
    schema = schemas.schemas()[path]
    found = {
        file.relative_to(root).as_posix(): complaints(schema, file.read_text(encoding="utf-8"))
        for file in sorted(root.glob(files))
    }
    assert found
    assert not {file: wrong for file, wrong in found.items() if wrong}


def test_an_editor_sees_a_misspelt_key_and_a_length_without_unit():
    schema = schemas.schemas()["geosite/rulebook/rules.schema.json"]
    wrong = complaints(
        schema,
        """
        title: Test
        rules:
          - id: wilderness
            titel: Wilderness
            title: Wilderness
            layer: environment/wilderness
            mine: {tier: exclude, setback: 300}
            authority: statute
            citation: 16 USC 1133
        """,
    )
    assert any("titel" in line for line in wrong)
    assert len(wrong) == 2


@pytest.mark.parametrize("judged", ["1/3", "0.5", "3"])
def test_a_pairwise_table_may_say_fractions(judged):
    schema = schemas.schemas()["geosite/weightings/weighting.schema.json"]
    table = f"kind: ahp\ncriteria: [road, rail]\ntable: [[1, {judged}], [1, 1]]"
    assert not complaints(schema, table)
    assert complaints(schema, table.replace(f"{judged}]", "much]"))
