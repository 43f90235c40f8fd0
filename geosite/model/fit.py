"""Whether a layer can answer what it is asked: its geometry, its unit and its fields."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geosite.model.criterion import Reading
    from geosite.model.layer import Geometry, Layer
    from geosite.model.rule import Rule

_VECTOR: tuple[Geometry, ...] = ("point", "line", "polygon")
_MEASURES: dict[str, tuple[Geometry, ...]] = {
    "value": ("raster",),
    "slope": ("raster",),
    "flat_share": ("raster",),
    "share": ("polygon",),
    "category": ("polygon", "raster"),
    "sum_within": ("point",),
    "density": ("point",),
    "distance": _VECTOR,
    "nearby": _VECTOR,
}
"""Geometries that a measure can be taken of; a measure without a layer is not here."""
_SUBJECTS: dict[str, tuple[Geometry, ...]] = {
    "presence": _VECTOR,
    "boundary": ("polygon",),
    "disturbance": ("polygon",),
}
"""Geometries that the subject of a rule is read off; of others it is a raster."""


def reading_misfits(reading: Reading, layer: Layer) -> list[str]:
    """What keeps a layer from being measured as a reading says, a line a fault."""
    measure = reading.measure
    found = geometry_misfits(layer, _MEASURES.get(measure.kind, ()), measure.kind)
    if found:
        return found
    if measure.kind in ("slope", "flat_share"):
        found += _unit_misfits(layer, "m", measure.kind)
    if measure.kind == "value":
        found += _unit_misfits(layer, measure.unit, "measure.unit")
    if measure.kind == "nearby" and measure.within == 0 and layer.geometry != "polygon":
        found.append(
            f"measure.within: 0 m of the {layer.geometry}s of layer {layer.id} is no place at all; "
            "write a distance above zero"
        )
    field = getattr(measure, "field", None)
    if field and layer.fields and field not in (names := known_fields(layer)):
        found.append(
            f"measure.field: layer {layer.id} has no field {field!r}; it has {', '.join(names)}"
        )
    return found + condition_misfits(layer, reading.where)


def rule_misfits(rule: Rule, catalog: Mapping[str, Layer]) -> list[str]:
    """What keeps a rule from being read off its layers, a line a fault.

    Layers that the catalogue lacks are not among them.
    """
    found = []
    kind = rule.subject.kind
    if (layer := catalog.get(rule.layer)) is not None:
        wrong = geometry_misfits(layer, _SUBJECTS.get(kind, ("raster",)), f"subject.kind {kind}")
        if not wrong and kind == "slope":
            wrong = _unit_misfits(layer, "m", "subject.kind slope")
        found += wrong or condition_misfits(layer, rule.where)
        found += _scaled_misfits(rule, layer)
    if rule.subject.kind == "disturbance" and (shown := catalog.get(rule.subject.existing)):
        wrong = geometry_misfits(shown, ("polygon",), "subject.existing")
        found += wrong or [
            f"subject.existing_{line}"
            for line in condition_misfits(shown, rule.subject.existing_where)
        ]
    found += [] if (inside := catalog.get(rule.inside or "")) is None else _inside(rule, inside)
    return found


def _inside(rule: Rule, inside: Layer) -> list[str]:
    found = geometry_misfits(inside, ("polygon",), "inside")
    found += [f"inside_{line}" for line in condition_misfits(inside, rule.inside_where)]
    if inside.absence == "not_informative" and not rule.is_inward:
        found.append(
            f"inside: layer {inside.id} is not_informative: where it shows nothing, nobody "
            "knows whether the rule holds; name a layer that shows every such place"
        )
    return found


def _scaled_misfits(rule: Rule, layer: Layer) -> list[str]:
    found = []
    for project in ("mine", "refinery"):
        scaled = getattr(rule.treatment(project), "scaled", None)
        if scaled is None:
            continue
        key, field = f"{project}.scaled", scaled.field
        if rule.subject.kind not in ("presence", "boundary"):
            found.append(
                f"{key}: subject.kind {rule.subject.kind} has no features whose attribute could "
                "tell a setback; leave out scaled, or write kind presence or boundary"
            )
        elif layer.fields and field not in (names := known_fields(layer)):
            found.append(
                f"{key}.field: layer {layer.id} has no field {field!r}; it has {', '.join(names)}"
            )
        elif layer.fields and (kind := _type(layer, field)) not in ("number", "integer"):
            found.append(
                f"{key}.field: {field} of layer {layer.id} is declared as {kind}, expected "
                "numbers; declare it with type: number, or name another field"
            )
    return found


def _type(layer: Layer, field: str) -> str:
    return layer.fields[field].type if field in layer.fields else "text"


def geometry_misfits(layer: Layer, kinds: tuple[Geometry, ...], key: str) -> list[str]:
    """A line if the geometry of a layer is none of some kinds."""
    if layer.geometry in kinds:
        return []
    return [f"{key}: layer {layer.id} is a {layer.geometry}, expected {' or '.join(kinds)}"]


def condition_misfits(layer: Layer, where: str | None) -> list[str]:
    """A line if a condition is none over the declared fields of a layer.

    Of a layer that declares none, only its file knows the fields.
    """
    if where is None or not layer.fields or layer.geometry == "raster":
        return []
    known = known_fields(layer)
    names = {name.casefold(): name.replace('"', '""') for name in known}
    columns = ", ".join(f'"{name}"' for name in names.values())
    connection = sqlite3.connect(":memory:")
    try:
        connection.execute(f"CREATE TABLE features ({columns})")
        # EXPLAIN reads the condition and runs nothing.
        connection.execute(f"EXPLAIN SELECT 1 FROM features WHERE (\n{where}\n)")  # noqa: S608
    except (sqlite3.Error, sqlite3.Warning, ValueError) as error:
        there = ", ".join(known)
        return [f"where: {where!r} is no condition on layer {layer.id}: {error}; it has {there}"]
    finally:
        connection.close()
    return []


def known_fields(layer: Layer) -> list[str]:
    """Declared fields, and ``owner`` of layers that get one from their entry or their parts."""
    added = {"owner"} if layer.owner or layer.union_of else set()
    return [*layer.fields, *sorted(added - set(layer.fields))]


def _unit_misfits(layer: Layer, unit: str, key: str) -> list[str]:
    if (layer.unit or "") == unit:
        return []
    declared = f"declares unit {layer.unit!r}" if layer.unit else "declares no unit"
    wanted = f"unit: {unit}" if unit else "no unit"
    return [f"{key}: layer {layer.id} {declared}, expected {wanted}"]
