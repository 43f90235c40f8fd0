"""What a scenario needs is known before anything is there."""

from __future__ import annotations

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS

from geosite import catalog
from geosite.crs import WGS84, projected_bounds, projected_geometry
from geosite.grid import Grid
from geosite.model import Scenario
from geosite.model.lock import contains
from geosite.needs import fetch_box, named_layers, needed_box, reach, wanted_layers
from tests.worlds import ALBERS, SCENARIO, SIDE, edited_criteria, entry, write_yaml

RULEBOOK = catalog.open_rulebook()


def opened(hamlet):
    return catalog.open_scenario(str(hamlet.scenario)), catalog.open_catalog(hamlet.layers)


def asking(**changes):
    return Scenario.model_validate({**SCENARIO, **changes})


def resolved(scenario, resolution):
    grid = scenario.grid.model_copy(update={"resolution": resolution})
    return scenario.model_copy(update={"grid": grid})


def test_every_layer_that_is_named_is_wanted_whatever_is_there(hamlet):
    scenario, known = opened(hamlet)
    for file in hamlet.data.iterdir():
        file.unlink()
    assert wanted_layers(scenario, known, RULEBOOK) == (
        "aoi/states", "infrastructure/rail", "infrastructure/towns", "land/blm",
        "land/ceded_lands", "land/dod", "land/reservations", "land/tribal", "land/trust_lands",
        "minerals/usmin", "terrain/elevation",
    )  # fmt: skip


def test_a_rule_that_the_project_asks_or_drops_by_its_own_decision(hamlet):
    scenario, known = opened(hamlet)
    about_plants = "foreign-hazardous-material"
    asked = {r.id: r.treatment("mine") for r in RULEBOOK.rules(scenario)}
    assert asked[about_plants] is None
    land = {"layers": ["land/blm"], "offered": ["BLM"]}

    def wanted(*overrides):
        keys = {"land": land, "rules": ["military-land"], "overrides": list(overrides)}
        return named_layers(asking(**keys), known, RULEBOOK)

    drop = [{"rule": i, "basis": "x"} for i, t in asked.items() if t and "tribal" not in i]
    assert "land/dod" in wanted()
    assert "land/dod" not in wanted(*drop)
    flag = {"rule": about_plants, "treatment": {"tier": "flag"}, "basis": "x"}
    assert "land/dod" in wanted(*drop, flag)


def test_stand_ins_bounds_and_parts_of_unions_are_wanted(hamlet):
    union = {"sources": None, "crs": None, "union_of": ["land/one", "land/two"]}
    hamlet.declare("land/blm", **union)
    for part in ("land/one", "land/two"):
        write_yaml(hamlet.layers / f"{part}.yaml", entry("land/dod"))
    hamlet.declare("infrastructure/rail", coverage={"kind": "inside", "layer": "land/extent"})
    write_yaml(hamlet.layers / "land/extent.yaml", entry("land/dod"))
    stand_in = {
        "layer": "infrastructure/roads",
        "measure": {"kind": "distance"},
        "value": {"kind": "decreasing", "best": "1 km", "worst": "90 km"},
    }
    write_yaml(hamlet.layers / "infrastructure/roads.yaml", entry("infrastructure/rail"))
    hamlet.ask(criteria=edited_criteria("rail", stand_ins=[stand_in]))
    scenario, known = opened(hamlet)
    wanted = wanted_layers(scenario, known, RULEBOOK)
    assert {"land/one", "land/two", "land/extent", "infrastructure/roads"} <= {*wanted}
    assert "land/blm" not in wanted
    assert "land/blm" in named_layers(scenario, known, RULEBOOK)
    assert reach(scenario, RULEBOOK) == 90_000


def test_the_reach_is_that_of_the_widest_rule_on_any_day(hamlet):
    scenario, _ = opened(hamlet)
    assert reach(scenario, RULEBOOK) == pytest.approx(35 * 1609.344)
    assert reach(asking(rules=[]), RULEBOOK) == 9000
    rule = {
        "id": "later", "title": "Later", "layer": "land/dod", "authority": "statute",
        "citation": "made up", "mine": {"tier": "exclude", "setback": "70 km"},
        "valid_from": "2100-01-01",
    }  # fmt: skip
    own = asking(rules=[], own_rules=[rule])
    assert reach(own, RULEBOOK) == 70_000
    assert reach(asking(rules=[], own_rules=[rule], project="refinery"), RULEBOOK) == 9000


def test_all_that_a_plan_reads_lies_in_the_box(hamlet):
    plan = hamlet.plan()
    box = needed_box(plan.scenario, plan.rulebook, plan.aoi, ALBERS)
    read = projected_bounds(plan.grid.grown(plan.halo + 1).bounds, ALBERS, WGS84)
    assert contains(box, read)
    around = plan.grid.grown(plan.halo + 20).bounds
    assert contains(projected_bounds(around, ALBERS, WGS84), box)


@given(
    st.floats(-2.2e6, 2.1e6), st.floats(3e5, 3e6), st.floats(100, 9e5), st.floats(100, 9e5),
    st.sampled_from([10.0, 30.0, 90.0, 123.4, 250.0, 500.0, 1000.0]),
    st.sampled_from([30.0, 200.0, 1000.0]),
)  # fmt: skip
def test_what_is_fetched_does_for_any_cells_up_to_a_kilometre(x, y, wide, high, cell, fetched):
    scenario = asking()
    outline = shapely.box(x, y, x + wide, y + high)
    box = fetch_box(resolved(scenario, fetched), RULEBOOK, outline, ALBERS)
    needed = needed_box(resolved(scenario, cell), RULEBOOK, outline, ALBERS)
    assert contains(box, needed)
    grid = Grid.covering(outline.bounds, ALBERS, resolution=cell)
    halo = -(-reach(scenario, RULEBOOK) // cell)
    assert contains(needed, projected_bounds(grid.grown(int(halo) + 1).bounds, ALBERS, WGS84))
    # Every corner of what is read lies in it as well.
    for corner in shapely.get_coordinates(shapely.box(*grid.grown(int(halo) + 1).bounds)):
        lon, lat = projected_geometry(shapely.Point(*corner), ALBERS, WGS84).coords[0]
        assert contains(box, (lon, lat, lon, lat))


def test_coarser_cells_than_that_are_fetched_for_if_they_are_asked_for(hamlet):
    outline = shapely.box(0, 2e6, SIDE, 2e6 + SIDE)
    coarse = resolved(asking(), 5000.0)
    needed = needed_box(coarse, RULEBOOK, outline, ALBERS)
    assert not contains(fetch_box(asking(), RULEBOOK, outline, ALBERS), needed)
    assert contains(fetch_box(coarse, RULEBOOK, outline, ALBERS), needed)


def test_a_box_may_cross_the_antimeridian():
    alaska = CRS.from_epsg(3338)
    outline = projected_geometry(shapely.box(-179.9, 51, -178, 52), WGS84, alaska)
    west, _, east, _ = fetch_box(asking(), RULEBOOK, outline, alaska)
    assert west > 170
    assert -178 < east < -170


def test_a_footprint_wants_the_claims_that_it_may_lie_on(hamlet):
    write_yaml(hamlet.layers / "land/mining_claims.yaml", entry("land/dod"))
    part = {"id": "pit", "title": "Pit", "area": "100 ha"}
    fit = {"parts": [part], "basis": "made up"}
    known = catalog.open_catalog(hamlet.layers)
    assert "land/mining_claims" not in named_layers(asking(), known, RULEBOOK)
    assert "land/mining_claims" in named_layers(asking(footprint_fit=fit), known, RULEBOOK)
