"""A catalogue entry as text, as a person would write it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import yaml

from geosite.model.source import FileSource

_PERSONAL = re.compile(
    r"owner(?!ship)|claimant|holder|lessee|permittee|licensee|applicant|grantee|grantor|contact"
    r"|customer|surname|(first|last|full|case|cse|cust)_?(name|nm)|e_?mail|phone|(^|_)fax(_|$)"
    r"|(^|_)(user|by|editor|creator|author|person|name_of_person)(_|$)"
)
"""Columns that may name a person."""


def entry_text(
    id_: str, entry: Mapping[str, Any], source: FileSource, columns: Mapping[str, str]
) -> str:
    """The entry as a person would write it into the catalogue."""
    lines = [f"# yaml-language-server: $schema={'../' * id_.count('/')}layer.schema.json"]
    for key, value in entry.items():
        if value in ("", None):
            continue
        lines.append(f"{key}: {_flow(value)}")
        if key == "crs":
            lines += ["sources:", *_source_lines(source), *_field_lines(columns, entry)]
    return "\n".join(lines) + "\n"


def _source_lines(source: FileSource) -> list[str]:
    said = source.model_dump(exclude_defaults=True)
    pairs = [f"{key}: {_flow(list(v) if key == 'xy' else v)}" for key, v in said.items()]
    return [f"  {'- ' if k == 0 else '  '}{pair}" for k, pair in enumerate(pairs)]


def _field_lines(columns: Mapping[str, str], entry: Mapping[str, Any]) -> list[str]:
    personal = [c for c in columns if personal_name(c)]
    fields: dict[str, dict[str, str]] = {}
    for column, kind in columns.items():
        if column in personal:
            continue
        name = _free(re.sub(r"[^a-z0-9]+", "_", column.lower()).strip("_") or "field", fields)
        spec = {} if name == column else {"from": column}
        fields[name] = spec | ({} if kind == "text" else {"type": kind})
    if personal and not fields:
        # Without any field, every column would be taken.
        fields["dataset"] = {"constant": entry["title"]}
    lines = [f"  {_flow(name)}: {_flow(spec)}" for name, spec in fields.items()]
    lines += [
        f"  # left out, since it may name a person: {' '.join(column.split())}"
        for column in personal
    ]
    return ["fields:", *lines] if lines else []


def personal_name(column: str) -> bool:
    """Whether a column may hold the name of a person: none is taken unasked.

    Examples
    --------
    >>> [personal_name(c) for c in ("CSE_NAME", "ClaimOwner", "created_user")]
    [True, True, True]
    >>> [personal_name(c) for c in ("ownership", "standby", "Au_ppm")]
    [False, False, False]
    """
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])|[^A-Za-z]+", "_", column).lower()
    return _PERSONAL.search(apart) is not None


def _free(name: str, taken: Mapping[str, object]) -> str:
    wanted = "geometry_" if name == "geometry" else name
    numbered = (f"{wanted}_{n}" for n in range(2, len(taken) + 3))
    return wanted if wanted not in taken else next(n for n in numbered if n not in taken)


def _flow(value: Any) -> str:
    """A value on one line of YAML."""
    text: str = yaml.safe_dump(
        value, default_flow_style=True, sort_keys=False, allow_unicode=True, width=math.inf
    )
    return text.removesuffix("...\n").strip()
