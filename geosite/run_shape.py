"""Whether a ``run.json`` has the shape that a run writes."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from geosite.catalog import misfits
from geosite.errors import RunError, faults
from geosite.model.combination import PARTS
from geosite.model.scenario import Scenario

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_LOCAL = {
    "place": str,
    "instead": str,
    "authority": str,
    "citation": str,
    "evidence": str,
}
_SHAPE: dict[str, Any] = {
    "notice": str,
    "hash": str,
    "title": str,
    "scenario": {
        "name": str,
        "aoi": str,
        "marking": str,
        "project": str,
        "combination": {"kind": tuple(PARTS)},
        "land": {"layers": [str]},
        "tiers": {"a": float, "b": float, "known": float},
    },
    "aoi": str,
    "as_of": date,
    "synthetic": bool,
    "grid": {
        "crs": str,
        "resolution_m": float,
        "column": int,
        "row": int,
        "rows": int,
        "columns": int,
        "origin_m?": [float, float],
    },
    "criteria": [
        {"id": str, "title": str, "weight": float, "unit": str, "critical": bool, "measure": str}
    ],
    "rules": [
        {
            "id": str,
            "title": str,
            "tier": ("include", "exclude", "require", "avoid", "mitigate", "flag"),
            "authority": str,
            "citation": str,
            "layer": str,
            "exceptions": [str],
            "sovereign?": bool,
            "disposal?": ("locatable", "leasable", "any"),
            "lifts?": [str],
            "local?": [_LOCAL],
            "override?": {"basis": str, "instead": str, "of": str},
        }
    ],
    "resolution?": [str],
    "unasked?": [{"id": str, "title": str, "citation": str, "evidence": str, "reason": str}],
    "no_land?": [str],
    "layers": [
        {
            "id": str,
            "title": str,
            "agency": str,
            "vintage": str,
            "licence": str,
            "citation": str,
            "status": str,
            "files?": [{"path": str, "url?": str, "retrieved?": str, "edited?": str}],
        }
    ],
    "places?": {"layers?": str, "data?": str},
    "context?": {
        "layers": [
            {
                "name": str,
                "id": str,
                "title": str,
                "agency": str,
                "vintage": str,
                "licence": str,
                "citation": str,
                "status": str,
            }
        ],
        "notes": [str],
    },
    "missing": [{"layer": str}],
    "notes": [str],
    "parcels": [{"agency": str, "status": str, "parcels": int, "area_ha": float, "reason": str}],
    "reviews?": {
        "run": str,
        "rows": [
            {
                "decision_no": int,
                **dict.fromkeys(
                    (
                        "place",
                        "rule",
                        "decision",
                        "finding",
                        "effect",
                        "role",
                        "date",
                        "reason",
                        "together_with",
                        "site_before",
                        "site_after",
                        "status_before",
                        "status_after",
                        "moved",
                    ),
                    str,
                ),
            }
        ],
        "sites_before": int,
        "sites_after": int,
        "moved": int,
        "vanished": [str],
        "appeared": [str],
        "since": [str],
    },
    "offered_ha": {"excluded": float, "unknown": float, "clear": float},
    "sites": int,
    "robustness?": {
        "draws": int,
        "reads_weights": bool,
        "lists": [{"k": int, "sites": int, "stay": int, "ever": int}],
        "rules": [str],
        "agreement": [{"rule": str, "other": str, "of_top_10": int}],
    },
    "rank_reversals?": [{"site": str, "moved": int, "most": int, "first": int}],
    "voices?": [{"name": str, "best": [str]}],
    "no_regret?": [str],
    "permits?": [
        {"id": str, "title": str, "kind": str, "track": str, "agency": str, "citation": str}
    ],
    "pathways?": [{"id": str, "title": str, "as_of": str, "citation": str, "source": str}],
}
"""What a map, a page or an explanation takes from ``run.json``; there may be more.

What ends in a question mark may be missing; a list of one shape may be of any length.
"""


def misshapen(said: object, shape: object = None, where: str = "") -> list[str]:
    """Where a ``run.json`` is not what a run writes: ``criteria[2].weight is text``.

    Empty if it is whole.
    """
    shape = _SHAPE if shape is None else shape
    if isinstance(shape, dict):
        if not isinstance(said, dict):
            return [f"{where or 'it'} is no mapping"]
        lost = [
            f"{where}.{k}".lstrip(".") + " is not there"
            for k in shape
            if k not in said and not k.endswith("?")
        ]
        there = [(k, s) for k, s in ((k.rstrip("?"), s) for k, s in shape.items()) if k in said]
        return lost + [
            w for k, s in there for w in misshapen(said[k], s, f"{where}.{k}".lstrip("."))
        ]
    if isinstance(shape, list):
        if not isinstance(said, list):
            return [f"{where} is no list"]
        wrong = len(shape) > 1 and len(said) != len(shape)
        lost = [f"{where} has {len(said)} values, expected {len(shape)}"] if wrong else []
        return lost + [
            w for i, v in enumerate(said) for w in misshapen(v, shape[0], f"{where}[{i}]")
        ]
    if isinstance(shape, tuple):
        return [] if said in shape else [f"{where} is {said!r:.40}, expected {', '.join(shape)}"]
    kinds = (int, float) if shape is float else (str,) if shape is date else (shape,)
    wrong = type(said) not in kinds or (shape is date and not _is_a_day(str(said)))
    return [f"{where} is {said!r:.40}, expected {_WORDS[shape]}"] if wrong else []


def _is_a_day(said: str) -> bool:
    try:
        date.fromisoformat(said)
    except ValueError:
        return False
    return True


def scenario_of(said: Mapping[str, Any], run: Path) -> Scenario:
    """The scenario that a ``run.json`` holds, to be asked again.

    Raises
    ------
    RunError
        If it is none, or one of another version.
    """
    try:
        return Scenario.model_validate(said["scenario"])
    except ValidationError as error:
        fix = "run the scenario again, or draw its areas and review them with --polygon"
        title = f"{run / 'run.json'}: its scenario cannot be asked again by this version:"
        raise RunError(faults(title, [*misfits(error), fix])) from None


_WORDS: dict[object, str] = {
    str: "text",
    date: "a day",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
}
