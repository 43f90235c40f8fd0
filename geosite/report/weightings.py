"""Weightings with a name, which a reader may lay on a finished run instead of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from geosite.report.content import WeightingLabel

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_PACKAGE = Path(__file__).resolve().parents[1]
_SAME = 1e-9


def weighting_labels(manifest: Mapping[str, Any]) -> tuple[WeightingLabel, ...]:
    """Weightings of the criteria of a run, besides its own: voices, and those of its preset.

    Parameters
    ----------
    manifest
        What ``run.json`` holds.

    Notes
    -----
    Voices are those that the run heard, else those that the package holds for its scenario. A
    scenario of the package that no longer has the criteria of the run is passed over: what it
    would say of them is not what was asked.
    """
    stated = {c["id"]: float(c["weight"]) for c in manifest["criteria"]}
    total = sum(stated.values())
    own = {k: w / total for k, w in stated.items()}
    voices = tuple(
        WeightingLabel(
            v["name"], {k: float(w) for k, w in v["weights"].items()}, v.get("basis", "")
        )
        for v in manifest.get("voices", ())
    )
    name = str(manifest["scenario"]["name"])
    found = (*_preset(name, list(stated)), *(voices or _packaged_voices(name, list(stated))))
    return tuple(w for w in found if set(w.weights) == set(own) and _differ(w.weights, own))


def _differ(weights: Mapping[str, float], own: Mapping[str, float]) -> bool:
    return any(abs(weights[k] - own[k]) > _SAME for k in own)


def _preset(name: str, ids: list[str]) -> Iterable[WeightingLabel]:
    from geosite.catalog import open_scenario, preset_names  # noqa: PLC0415
    from geosite.weighting import weighted  # noqa: PLC0415

    if name not in preset_names():
        return ()
    said = {c.id: c.weight for c in weighted(open_scenario(name)).criteria}
    total = sum(said.values())
    if set(said) != set(ids):
        return ()
    return (WeightingLabel(f"Preset {name}", {k: w / total for k, w in said.items()}),)


def _packaged_voices(name: str, ids: list[str]) -> Iterable[WeightingLabel]:
    from geosite.catalog import load_yaml  # noqa: PLC0415
    from geosite.choices import filed_weights  # noqa: PLC0415
    from geosite.errors import CatalogError  # noqa: PLC0415

    # Looked up and not put together: the name is whatever a run says.
    root = _PACKAGE / "weightings"
    files = {f.relative_to(root).with_suffix("").as_posix(): f for f in root.rglob("*.yaml")}
    path = files.get(name)
    if path is None:
        return ()
    try:
        _, each = filed_weights(path, ids)
    except CatalogError:
        # Written for other criteria than the run has.
        return ()
    bases = {v["name"]: v.get("basis", "") for v in load_yaml(path).get("voices", ())}
    return tuple(
        WeightingLabel(
            voice, dict(zip(ids, weights.tolist(), strict=True)), " ".join(bases[voice].split())
        )
        for voice, weights in each.items()
    )
