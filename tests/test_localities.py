"""Local rules find their land, or say why not."""

from dataclasses import replace

import numpy as np
import pytest

from geosite.catalog import open_rulebook
from geosite.errors import CapacityError, CatalogError, CoverageError, MissingLayerError
from geosite.library import Library
from geosite.localities import localities
from geosite.model.rule import LocalRule, LocalRules
from geosite.needs import named_layers, reach
from geosite.planning import _uses
from geosite.prepare import prepare
from geosite.surfaces import Surfaces
from tests.worlds import SCENARIO, SIDE, box, put_layer, write_towns

COUNTIES = "aoi/counties"
TOWNS = {
    "id": "towns", "title": "Towns", "layer": "infrastructure/towns", "authority": "practice",
    "citation": "made up", "mine": {"tier": "exclude", "setback": "1 km"},
}  # fmt: skip


def local(**written):
    return LocalRule.model_validate({"rule": "towns", "citation": "made up", **written})


def planned(hamlet, *entries, counties=True, **ask):
    """The hamlet's plan with local rules that hold; counties meet at x = 5 km."""
    if counties:
        halves = [box(0, 0, 5000, SIDE), box(5000, 0, SIDE, SIDE), box(9e5, 0, 9.1e5, 9)]
        put_layer(hamlet, COUNTIES, halves, fips=["32001", "06003", "32005"])
    write_towns(hamlet, [(5100, 5100, "Middletown", 700)])
    hamlet.ask(rules=[], own_rules=[TOWNS], **ask)
    plan = hamlet.plan()
    held = {"towns": entries}
    uses = _uses(plan.scenario, plan.catalog, plan.data, plan.rules, plan.criteria, held)
    return replace(plan, local=held, uses=uses)


def row(plan, **more):
    """Cells along y = 5.1 km that the rule speaks against, and of which it cannot tell."""
    ready = prepare(plan, **more)
    found = Surfaces(ready.inputs, plan.grid).verdict(plan.rules[0], plan.treatments[0])
    return np.flatnonzero(found.against[34]).tolist(), np.flatnonzero(found.unsure[34]).tolist()


def test_without_local_rules_the_generic_one_holds_everywhere(hamlet):
    assert row(planned(hamlet)) == ([*range(20, 31)], [])


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"counties": ["32001"], "setback": "2 km"}, [*range(15, 31)]),
        ({"counties": ["32001"], "setback": "400 m"}, [*range(23, 31)]),
        ({"counties": ["06003"], "applies": "false"}, [*range(20, 25)]),
        ({"counties": ["06003", "32001"], "setback": "0 m"}, [25]),
        ({"inside": COUNTIES, "where": "fips = '32001'", "setback": "2 km"}, [*range(15, 31)]),
    ],
)
def test_a_county_or_an_area_has_its_own_setback(hamlet, entry, expected):
    entry = {**entry, "applies": entry.get("applies") != "false"}
    plan = planned(hamlet, local(**entry))
    assert row(plan) == (expected, [])
    drawn = prepare(plan).exclusions.union_all()
    x = [box(200 * c + 90, 5090, 200 * c + 110, 5110) for c in range(60)]
    on_the_map = [c for c in range(60) if drawn.intersects(x[c])]
    assert set(on_the_map) ^ set(expected) <= {expected[0], expected[-1]}


def test_the_first_entry_goes_before_the_next(hamlet):
    one = local(counties=["32001"], setback="400 m")
    two = local(inside=COUNTIES, setback="2 km")
    assert row(planned(hamlet, one, two)) == ([*range(23, 36)], [])
    assert row(planned(hamlet, two, one)) == ([*range(15, 36)], [])


def test_a_wider_local_setback_is_read_as_far(hamlet):
    plain = planned(hamlet)
    wide = planned(hamlet, local(counties=["32001"], setback="90 km"))
    assert plain.halo * 200 < 10_000
    assert wide.halo * 200 == 90_000


def test_counties_may_have_another_layer_and_numbers_for_codes(hamlet):
    put_layer(hamlet, "my/counties", [box(0, 0, 5000, SIDE)], fips=[6003])
    land = SCENARIO["land"] | {"counties": "my/counties"}
    # A name is asked of counties for parcels; without one they have none.
    plan = planned(hamlet, local(counties=["06003"], setback="0 m"), counties=False, land=land)
    assert localities(Library(plan))["towns"][0].land.area == pytest.approx(5000 * SIDE)


def test_a_county_elsewhere_is_no_matter_and_one_that_is_not_there_is_named(hamlet, monkeypatch):
    assert row(planned(hamlet, local(counties=["32005"], setback="9 km")))[0] == [*range(20, 31)]
    plan = planned(hamlet, local(counties=["32001", "99999"], setback="0 m"))
    with pytest.raises(CoverageError, match=r"99999 \(rule towns\): layer aoi/counties has no"):
        prepare(plan)
    # Of counties that were fetched for the AOI only, nobody knows.
    monkeypatch.setattr(Library, "boxes", lambda _, layer: [(-120.0, 30.0, -110.0, 50.0)])
    assert row(plan) == ([*range(25, 31)], [])


def test_counties_without_codes_are_refused(hamlet):
    put_layer(hamlet, COUNTIES, [box(0, 0, 5000, SIDE)], name=["One"])
    with pytest.raises(CatalogError, match="aoi/counties has no field 'fips'"):
        prepare(planned(hamlet, local(counties=["32001"], setback="0 m"), counties=False))


def test_without_counties_a_run_is_refused_or_the_local_land_is_in_doubt(hamlet):
    plan = planned(hamlet, local(counties=["32001"], setback="2 km"), counties=False)
    with pytest.raises(MissingLayerError, match=r"aoi/counties \(local land of rule towns\)"):
        prepare(plan)
    against, unsure = row(plan, allow_missing=True)
    assert against == [*range(20, 31)]
    assert unsure == [*range(15, 20), *range(31, 36)]


ELSEWHERE = {"kind": "box", "west": -117, "south": 39, "east": -116, "north": 40}


@pytest.mark.parametrize("said", [{"absence": "not_informative"}, {"coverage": ELSEWHERE}])
def test_where_the_layer_of_an_area_says_nothing_the_local_land_is_in_doubt(hamlet, said):
    put_layer(hamlet, "my/district", [box(0, 0, 5000, SIDE)], ENTRY=said)
    plan = planned(hamlet, local(inside="my/district", setback="2 km"), counties=False)
    against, unsure = row(plan)
    # Inside the district as it asks; east of it nobody knows of another.
    assert against == [*range(15, 31)]
    assert unsure == [*range(31, 36)]


def test_what_needs_fetching_knows_local_rules_on_any_day(hamlet):
    plan = planned(hamlet)
    rulebook = replace(
        open_rulebook(),
        local=LocalRules(local=(local(inside=COUNTIES, setback="80 km"),)),
    )
    assert COUNTIES in named_layers(plan.scenario, plan.catalog, rulebook)
    assert COUNTIES not in named_layers(plan.scenario, plan.catalog, open_rulebook())
    assert reach(plan.scenario, rulebook) == 80_000
    other = LocalRules(local=(local(rule="another", inside=COUNTIES, setback="80 km"),))
    assert reach(plan.scenario, replace(rulebook, local=other)) < 80_000


def test_a_local_rule_of_the_scenario_is_obeyed_and_its_layer_asked_for(hamlet):
    entry = {"rule": "towns", "counties": ["32001"], "setback": "2 km", "citation": "made up"}
    planned(hamlet)
    hamlet.ask(rules=[], own_rules=[TOWNS], local=[entry])
    plan = hamlet.plan()
    assert "local land of rule towns" in {u.purpose for u in plan.uses}
    assert row(plan) == ([*range(15, 31)], [])
    (hamlet.data / "aoi-counties.gpkg").unlink()
    assert [u.layer for u in hamlet.plan().missing] == [COUNTIES]


def test_a_local_setback_of_more_cells_than_are_counted_is_refused(hamlet):
    entry = {"rule": "towns", "inside": "land/blm", "setback": "700 km", "citation": "made up"}
    hamlet.ask(rules=[], own_rules=[TOWNS], local=[entry])
    with pytest.raises(CapacityError, match=r"700 km spans 70,000 cells of 10 m"):
        hamlet.plan(resolution=10.0)
