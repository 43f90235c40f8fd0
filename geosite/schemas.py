"""JSON schemas of what a person writes, so that an editor completes and checks it.

``python -m geosite.schemas`` rewrites them; a test keeps them in step with the
model.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from geosite.model import Layer, RuleSet, Scenario
from geosite.model.commodity import Commodities
from geosite.model.freight import Freight
from geosite.model.permit import Permits
from geosite.model.potential import PotentialTable
from geosite.model.processing import Processing
from geosite.model.review import Reviews
from geosite.model.weighting import Weighting

_WRITTEN: dict[str, tuple[Any, tuple[str, ...]]] = {
    "layers/layer.schema.json": (Layer, ("id",)),
    "geosite/rulebook/commodities.schema.json": (Commodities, ()),
    "geosite/rulebook/freight.schema.json": (Freight, ()),
    "geosite/rulebook/potential.schema.json": (PotentialTable, ()),
    "geosite/rulebook/processing.schema.json": (Processing, ()),
    "geosite/rulebook/rules.schema.json": (RuleSet, ("id",)),
    "geosite/rulebook/permits.schema.json": (Permits, ()),
    "geosite/scenarios/scenario.schema.json": (Scenario, ()),
    "geosite/scenarios/reviews.schema.json": (Reviews, ()),
    "geosite/weightings/weighting.schema.json": (Weighting, ()),
}
"""File → the spec it describes, and the keys that the file's own path says."""


def schemas() -> dict[str, str]:
    """Text of each schema file, by its path in a checkout."""
    return {path: _text(spec, implied) for path, (spec, implied) in _WRITTEN.items()}


def write(root: Path) -> None:
    """Write every schema below the root of a checkout."""
    for path, text in schemas().items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def _text(spec: Any, implied: tuple[str, ...]) -> str:
    schema = TypeAdapter(spec).json_schema(by_alias=True, mode="validation")
    for key in implied:
        del schema["properties"][key]
        schema["required"].remove(key)
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **_as_written(schema)}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _as_written(node: Any) -> Any:
    """A schema as it reads to the author of a YAML file.

    The catalogue reads every scalar as text, so ``vintage: 2024`` is as good as
    ``vintage: "2024"``, and a key that is not known is left out, never null.
    """
    if isinstance(node, list):
        return [_as_written(item) for item in node]
    if not isinstance(node, dict):
        return node
    choices = node.get("anyOf")
    if choices and {"type": "null"} in choices:
        rest = [choice for choice in choices if choice != {"type": "null"}]
        without = {k: v for k, v in node.items() if k not in ("anyOf", "default")}
        node = {**without, **(rest[0] if len(rest) == 1 else {"anyOf": rest})}
    node = {key: _as_written(value) for key, value in node.items()}
    if node.get("type") != "string" or {"const", "enum", "pattern", "format"} & node.keys():
        return node
    if {"ge", "gt"} & node.keys():  # a length or an area, whose limits hold for the number in it
        kept = {key: value for key, value in node.items() if key not in ("ge", "gt")}
        return {**kept, "pattern": r"^\S+ \S+$"}
    return {**node, "type": ["string", "number", "boolean"]}


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else Path.cwd())
