"""What a run asks, as its hash covers it, and in words what is asked otherwise."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import shapely

if TYPE_CHECKING:
    from geosite.planning import Plan
    from geosite.sources import FileRecord

_NOUNS = {
    "aoi": "the outline of the AOI",
    "as_of": "the day that rules are read on",
    "commodities": "the rulebook's commodities",
    "authorities": "the rulebook's authorities",
    "permits": "the rulebook's permits",
    "potential": "the rules that propose a potential",
    "reviews": "the decisions of reviewers",
    "grid": "the grid",
    "local": "the local rules",
    "tile_cells": "the side of a tile",
    "tiles": "the number of tiles",
}
_LONG = 60
"""Longest value that is said [characters]."""


def asked(plan: Plan, files: Mapping[str, tuple[FileRecord, ...]] | None = None) -> dict[str, Any]:
    """What the answer of a plan depends on, as JSON holds it.

    Parameters
    ----------
    files : mapping of layer to what was read, optional
        Without it, the part that is known before anything is read.
    """
    used = {u.layer for u in plan.uses if not u.missing} | set(files or ())
    scenario = plan.scenario.model_dump(mode="json", by_alias=True, exclude={"as_of"})
    found: dict[str, Any] = {
        # Where the file of an AOI lies means nothing: its outline is below, as is the day.
        "scenario": scenario | {"aoi": plan.aoi_name},
        "as_of": plan.as_of.isoformat(),
        # A name may mean another outline tomorrow, an entry another reading of the same bytes.
        "aoi": hashlib.sha256(shapely.to_wkb(plan.aoi)).hexdigest(),
        "layers": [plan.catalog[i].model_dump(mode="json") for i in sorted(used)],
        "rules": [r.model_dump(mode="json") for r in plan.rules],
        # The scenario's own are in it; the rulebook's may change under it.
        "local": [e.model_dump(mode="json") for held in plan.local.values() for e in held],
        "commodities": plan.rulebook.commodities.model_dump(mode="json"),
        "authorities": plan.rulebook.authorities.model_dump(mode="json"),
        "permits": plan.rulebook.permits.model_dump(mode="json"),
        "potential": plan.rulebook.potential.model_dump(mode="json"),
        "reviews": plan.reviews.asked if plan.reviews else [],
        "geosite": version("geosite"),
    }
    if files is not None:
        found["files"] = {
            layer: [{"path": f.path, "sha256": f.sha256, "size": f.size} for f in records]
            for layer, records in files.items()
        }
    return found


def hash_of(question: Mapping[str, Any]) -> str:
    """Two runs of equal hash asked the same of the same data."""
    return hashlib.sha256(json.dumps(question, sort_keys=True).encode()).hexdigest()


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """What is asked otherwise than before, in words; of what both of them know."""
    one, two = (dict(_leaves(_known(a, b))) for a, b in ((old, new), (new, old)))
    before, now = ({_item(path) for path in leaves} for leaves in (one, two))
    found: dict[str, None] = {}
    for path in [*one, *(p for p in two if p not in one)]:
        if one.get(path, _NONE) == two.get(path, _NONE):
            continue
        item = _item(path)
        if item in before and item in now:
            found[_words(path, one.get(path, _NONE), two.get(path, _NONE))] = None
        else:
            found[f"{_noun(item)} {'is new' if item in now else 'is no longer asked'}"] = None
    return list(found)


def since(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """What two runs say that they asked or read otherwise, in words, from their ``run.json``.

    Reviews are left out: they are what the two are compared for.
    """
    return differences(_told(old), _told(new))


def _told(manifest: Mapping[str, Any]) -> dict[str, Any]:
    scenario = {k: v for k, v in manifest["scenario"].items() if k not in ("as_of", "aoi")}
    entries = [{k: v for k, v in x.items() if k != "files"} for x in manifest["layers"]]
    # What a rule took is an answer, not a part of the question.
    rules = [
        {k: v for k, v in r.items() if not k.endswith(("_ha", "_pct"))} for r in manifest["rules"]
    ]
    files = {
        x["id"]: [{k: f.get(k) for k in ("path", "sha256", "size")} for f in x.get("files", ())]
        for x in manifest["layers"]
    }
    return {
        "scenario": scenario,
        "as_of": manifest["as_of"],
        "layers": entries,
        "rules": rules,
        "files": files,
        "geosite": manifest.get("versions", {}).get("geosite"),
    }


_NONE = object()
_Path = tuple[str, ...]


def _known(said: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    known = {k: said[k] for k in said if k in other}
    if "files" not in known and "layers" in known:
        # Before anything is read, nobody knows of the layers that others are made of.
        ids = {x.get("id") for x in other["layers"]}
        known["layers"] = [x for x in known["layers"] if x.get("id") in ids]
    return known


def _leaves(value: Any, path: _Path = ()) -> Iterable[tuple[_Path, Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, (*path, str(key)))
    elif isinstance(value, list) and value and all(isinstance(v, Mapping) for v in value):
        for k, inner in enumerate(value):
            name = inner.get("id") or inner.get("path") or inner.get("agency") or str(k + 1)
            yield from _leaves(inner, (*path, str(name)))
    else:
        yield path, value


def _item(path: _Path) -> _Path:
    # What is named as one thing: a file, a criterion, a rule, an entry of the catalogue.
    match path:
        case ("files", _, _, *_) | ("scenario", "criteria", _, *_):
            return path[:3]
        case ("layers" | "rules", _, *_):
            return path[:2]
        case _:
            return path[:1]


def _noun(item: _Path) -> str:
    match item:
        case ("files", layer, file):
            return f"layer {layer}: {file}"
        case ("scenario", _, name):
            return f"criterion {name}"
        case ("layers" | "rules" as kind, name):
            return f"{kind.removesuffix('s')} {name}"
        case (key, *_):
            return _NOUNS.get(key, key)
        case _:
            return " ".join(item)


def _words(path: _Path, old: object, new: object) -> str:
    item = _item(path)
    match path:
        case ("files", *_) | ("aoi", *_):
            return f"{_noun(item)} has changed"
        case ("commodities" | "authorities" | "local" | "permits" | "potential" | "reviews", *_):
            return f"{_noun(item)} have changed"
        case _:
            rest = path[len(item) :]
            return f"{_noun(item)}{':' if rest else ''} {_was(rest, old, new)}"


def _was(path: Iterable[str], old: object, new: object) -> str:
    name = ".".join(path)
    lead = f"{name} " if name else ""
    if old is _NONE:
        return f"{lead}is new: {_short(new)}"
    if new is _NONE:
        return f"{lead}was {_short(old)}, is not said any more"
    return f"{lead}was {_short(old)}, is {_short(new)}"


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _LONG else f"{text[: _LONG - 1]}…"
