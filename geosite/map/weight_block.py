"""Criteria, their weights per mille, and the rules that a reader may choose, for the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geosite.map.presets import presets
from geosite.report.text import plain

if TYPE_CHECKING:
    from geosite.report.content import Content


def weight_block(content: Content) -> dict[str, Any]:
    """Parts of the data block that a ranking in the browser rests on."""
    return {
        "criteria": [
            {
                "id": c.id, "title": plain(c.title, 120), "unit": c.unit, "critical": c.critical,
                "weight": round(1000 * c.weight),
            }
            for c in content.criteria
        ],
        "rule": dict(content.combination or {"kind": "weighted_sum"}),
        "rules": [],
        "presets": presets(content),
        "missing": "renormalise",
    }  # fmt: skip
