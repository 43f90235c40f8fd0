"""What a scenario names or decides, against what the catalogue and the rulebook hold."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, get_args

from geosite.evidence import asked_commodities, commodity_names
from geosite.limits import overstepped
from geosite.model.commodity import MineralList
from geosite.model.fit import condition_misfits, geometry_misfits, reading_misfits, rule_misfits
from geosite.weighting import weighting_faults

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geosite.catalog import Catalog, Rulebook
    from geosite.model.commodity import Commodities
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
    if scenario.weighting is not None:
        found += weighting_faults(scenario.weighting, [c.id for c in scenario.criteria])
    return found + _unknown_commodities(scenario.commodities, rulebook.commodities)


def _unknown_commodities(wanted: str | Sequence[str], table: Commodities) -> list[str]:
    lists = get_args(MineralList)
    if isinstance(wanted, str):
        if wanted not in lists:
            near = _nearest(wanted, table)
            one = f" (the commodity is written [{near[0]}])" if near else ""
            lines = f"{', '.join(sorted(lists))} or [lithium, …]"
            return [f"commodities: {wanted!r} is not a list{one}; write {lines}"]
        if not asked_commodities(wanted, table):
            return [f"commodities: the list {wanted} names no commodity as yet; ask for another"]
        return []
    known = {c.id for c in table.commodities}
    found = []
    for name in wanted:
        if name not in known:
            near = _nearest(name, table)
            rest = f"the nearest are {', '.join(near)}" if near else "no name is near it"
            found.append(
                f"commodities: there is no commodity {name!r}; {rest}; "
                "commodities.yaml of the rulebook has them all"
            )
    return found


def _nearest(name: str, table: Commodities) -> list[str]:
    """Ids of commodities whose id, title or a name is like a name, the likest first."""
    names = commodity_names(table)
    like = get_close_matches(name.casefold().replace("_", " "), names, n=6, cutoff=0.7)
    return list(dict.fromkeys(names[n] for n in like if names[n]))[:3]


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
