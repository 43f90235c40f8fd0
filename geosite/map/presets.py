"""Weightings that a reader may choose at once, in whole per mille."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geosite.report.text import plain
from geosite.weighting import per_mille

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geosite.report.content import Content


def presets(content: Content) -> list[dict[str, Any]]:
    """Presets for the page's data block: equal weights, and the named weightings of the run.

    Notes
    -----
    ``weights`` go by the order of the criteria. The run's own weights are not among them: the
    page has them as the weights of the criteria.
    """
    ids = [c.id for c in content.criteria]
    if not ids:
        return []
    found = [
        {"id": "equal", "title": "Equal weights", "basis": "", "weights": _whole([1.0] * len(ids))}
    ]
    for k, label in enumerate(content.weightings):
        found.append(
            {
                "id": f"named-{k}",
                "title": plain(label.name, 80),
                "basis": plain(label.basis, 400),
                "weights": _whole([label.weights.get(i, 0.0) for i in ids]),
            }
        )
    return found


def _whole(weights: Sequence[float]) -> list[int]:
    found: list[int] = per_mille(weights).astype(int).tolist()
    return found
