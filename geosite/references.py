"""What a scenario names or decides, against what the catalogue and the rulebook hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geosite.limits import overstepped
from geosite.model.fit import condition_misfits, geometry_misfits, reading_misfits, rule_misfits

if TYPE_CHECKING:
    from geosite.catalog import Catalog, Rulebook
    from geosite.model.layer import Geometry
    from geosite.model.scenario import Scenario


def dangling(scenario: Scenario, rulebook: Rulebook) -> list[str]:
    """What a scenario names that is not there, or decides that is not its to decide.

    Layers that the catalogue lacks are not among them: `plan` reports those.
    """
    found = [
        f"rules: there is no rule set {name!r}; there are {', '.join(sorted(rulebook.sets))}"
        for name in scenario.rules
        if name not in rulebook.sets
    ]
    chosen = rulebook.rules(scenario)
    rules = {r.id for r in chosen}
    found += [
        f"{key}: the chosen rule sets have no rule {name!r}"
        for key, names in (
            ("overrides", [o.rule for o in scenario.overrides]),
            ("local", [x.rule for x in scenario.local]),
        )
        for name in names
        if name not in rules
    ]
    found += overstepped(scenario, rulebook.generic(scenario), chosen, rulebook.local.local)
    known = {c.id for c in rulebook.commodities.commodities}
    lists = {"eo14241", "critical2025", "critical2022"}
    if isinstance(scenario.commodities, str):
        if scenario.commodities not in lists:
            found.append(
                f"commodities: {scenario.commodities!r} is not a list; "
                f"write {', '.join(sorted(lists))} or [lithium, …]"
            )
    else:
        found += [
            f"commodities: there is no commodity {name!r}"
            for name in scenario.commodities
            if name not in known
        ]
    return found


def unknown_layers(scenario: Scenario, catalog: Catalog, rulebook: Rulebook) -> list[str]:
    """Layers that a scenario or its rules name and a catalogue has no entry for."""
    land, evidence = scenario.land, scenario.evidence
    wanted = [*land.layers, *(c.layer for c in land.confirm), land.places, land.counties]
    wanted += evidence.layers if evidence else ()
    wanted += [t.layer for t in land.tenure] + [*land.offices, *land.plans]
    wanted += [e.inside for e in scenario.local]
    for rule in rulebook.rules(scenario):
        wanted += [rule.layer, rule.inside, getattr(rule.subject, "existing", None)]
    wanted += [r.layer for c in scenario.criteria for r in c.readings]
    return [
        f"layer {layer} has no entry in {catalog.root}"
        for layer in dict.fromkeys(wanted)
        if layer and layer not in catalog
    ]


def unfit_layers(scenario: Scenario, catalog: Catalog, rulebook: Rulebook) -> list[str]:
    """What layers of a catalogue cannot answer: by geometry, unit or declared fields.

    Layers that the catalogue lacks are not among them.
    """
    land, evidence = scenario.land, scenario.evidence
    wanted: list[tuple[str, str | None, Geometry]]
    wanted = [("land.layers", i, "polygon") for i in land.layers]
    wanted += [("land.confirm", c.layer, "point") for c in land.confirm]
    wanted += [("land.places", land.places, "point"), ("land.counties", land.counties, "polygon")]
    wanted += [("land.tenure", t.layer, "polygon") for t in land.tenure]
    wanted += [("land.offices", i, "polygon") for i in land.offices]
    wanted += [("land.plans", i, "polygon") for i in land.plans]
    wanted += [("local", e.inside, "polygon") for e in scenario.local]
    wanted += [("evidence.layers", i, "point") for i in (evidence.layers if evidence else ())]
    surface = evidence.surface if evidence else None
    wanted += [
        ("evidence.surface.records", i, "point") for i in (surface.records if surface else ())
    ]
    found = [
        line
        for key, i, kind in wanted
        if i is not None and i in catalog
        for line in geometry_misfits(catalog[i], (kind,), key)
    ]
    asked = [("land.confirm", c.layer, c.where) for c in land.confirm]
    asked += [("land.tenure", t.layer, t.where) for t in land.tenure]
    asked += [("local", e.inside, e.where) for e in scenario.local if e.inside]
    found += [
        f"{key}: {line}"
        for key, i, where in asked
        if i in catalog
        for line in condition_misfits(catalog[i], where)
    ]
    found += [
        f"rule {rule.id}: {line}"
        for rule in rulebook.rules(scenario)
        for line in rule_misfits(rule, catalog)
    ]
    found += [
        f"criterion {c.id}: {line}"
        for c in scenario.criteria
        for reading in c.readings
        if reading.layer is not None and reading.layer in catalog
        for line in reading_misfits(reading, catalog[reading.layer])
    ]
    return list(dict.fromkeys(found))
