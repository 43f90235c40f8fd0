"""A plan reads nothing but the outline, and says all that is missing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import geopandas as gpd
import pytest
import shapely
from pyproj import CRS

from geosite.capacity import layout
from geosite.catalog import open_rulebook
from geosite.crs import WGS84
from geosite.engine import Engine
from geosite.errors import CapacityError, CatalogError, CoverageError, CRSMismatchError
from geosite.planning import reading_bounds
from geosite.report import plan_text
from tests.worlds import (
    ALBERS,
    SCENARIO,
    SIDE,
    SOUTH,
    WEST,
    box,
    edited_criteria,
    lonlat,
    write_yaml,
)


def bbox_of(x0, y0, x1, y1):
    west, south = lonlat(x0, y0)
    east, north = lonlat(x1, y1)
    return f"{west},{south},{east},{north}"


def test_the_grid_covers_the_outline_on_its_own_lattice(hamlet):
    found = hamlet.plan()
    assert found.grid.bounds == (WEST, SOUTH, WEST + SIDE, SOUTH + SIDE)
    assert found.grid.shape == (60, 60)
    assert found.aoi.area == pytest.approx(SIDE**2)
    assert found.missing == ()


def test_the_grid_is_snapped_to_the_scenarios_origin(hamlet):
    hamlet.ask(grid=SCENARIO["grid"] | {"origin": [str(WEST + 30), str(SOUTH - 50)]})
    found = hamlet.plan()
    assert found.grid.origin == (WEST + 30, SOUTH - 50)
    left, bottom = WEST - 170, SOUTH - 50
    assert found.grid.bounds == (left, bottom, left + 61 * 200, bottom + 61 * 200)
    assert "edges through -1,799,970, 1,899,950 m" in plan_text(found, layout(found, Engine()))
    # Another cell size is snapped to the same corner.
    assert hamlet.plan(resolution=100.0).grid.origin == found.grid.origin


def test_a_distance_of_more_cells_than_are_counted_is_refused(hamlet):
    with pytest.raises(CapacityError, match=r"56 km spans 112,\d+ cells of 0\.5 m"):
        hamlet.plan(resolution=0.5)


def test_the_halo_is_the_reach_of_the_widest_rule(hamlet):
    found = hamlet.plan()
    assert found.halo == 282  # 35 miles in cells of 200 m
    hamlet.ask(rules=[])
    assert hamlet.plan().halo == 45  # the worst distance to rail, 9 km
    assert hamlet.plan(resolution=100.0).halo == 90


@pytest.mark.parametrize("name", ["Toyland", "toyland", "TL", "tl"])
def test_a_state_is_found_by_name_or_code(hamlet, name):
    assert hamlet.plan(aoi=name).aoi_name == name
    assert hamlet.plan(aoi=name).grid.shape == (60, 60)


def test_a_group_stands_for_its_states(hamlet):
    rulebook = replace(
        open_rulebook(), groups={"Both": ("toyland",), "More": ("Toyland", "Atlantis")}
    )
    assert hamlet.plan(aoi="both", rulebook=rulebook).grid.shape == (60, 60)
    with pytest.raises(CatalogError, match="no state called Atlantis; check the spelling"):
        hamlet.plan(aoi="more", rulebook=rulebook)


def test_a_box_in_degrees_is_an_outline_on_the_grid(hamlet):
    found = hamlet.plan(aoi=bbox_of(2000, 2000, 8000, 8000))
    assert shapely.box(*found.grid.bounds).contains(found.aoi)
    assert found.aoi.contains(box(3500, 3500, 6500, 6500))


def test_a_file_is_an_outline_in_its_own_crs(hamlet):
    path = hamlet.root / "valley.geojson"
    corners = [lonlat(*at) for at in ((2000, 2000), (8000, 2000), (8000, 8000))]
    gpd.GeoDataFrame(geometry=[shapely.Polygon(corners)], crs=WGS84).to_file(path)
    found = hamlet.plan(aoi=str(path))
    assert found.aoi_name == "valley"
    assert found.aoi.area == pytest.approx(18e6, rel=0.001)


@pytest.mark.parametrize(
    "text", ["-117,40,-118,41", "40,-118,41,-117", "-117,40,-117,41", "-117,91,-116,92"]
)
def test_a_box_that_is_none_is_refused(hamlet, text):
    with pytest.raises(CoverageError, match="west < east"):
        hamlet.plan(aoi=text)


def test_a_box_of_words_is_refused(hamlet):
    with pytest.raises(CoverageError, match="four numbers"):
        hamlet.plan(aoi="a,b,c,d")


def test_a_file_that_is_not_there_is_taken_for_a_name(hamlet):
    with pytest.raises(CoverageError, match="no state, group of states or file"):
        hamlet.plan(aoi=str(hamlet.root / "none.gpkg"))


def test_a_name_without_a_layer_of_states(hamlet):
    (hamlet.layers / "aoi/states.yaml").unlink()
    with pytest.raises(CoverageError, match="no layer aoi/states"):
        hamlet.plan()
    assert hamlet.plan(aoi=bbox_of(2000, 2000, 8000, 8000)).missing == ()


def test_overrides_change_the_question_and_not_the_scenario(hamlet):
    found = hamlet.plan(aoi=bbox_of(2000, 2000, 8000, 8000), resolution=100.0)
    assert found.scenario.grid.resolution == found.grid.resolution == 100
    assert hamlet.plan().scenario.grid.resolution == 200


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:2227"])
def test_a_grid_needs_metres(hamlet, crs):
    hamlet.ask(grid={"crs": crs, "resolution": "200 m"})
    with pytest.raises(CRSMismatchError, match=r"grid\.crs"):
        hamlet.plan()


def test_a_slip_of_the_pen_is_no_grid(hamlet):
    with pytest.raises(CapacityError, match="coarser --resolution"):
        hamlet.plan(resolution=0.001)


def test_missing_layers_are_uses_with_a_reason(hamlet):
    (hamlet.data / "rail.fgb").unlink()
    (hamlet.layers / "land/tribal.yaml").unlink()
    found = hamlet.plan()
    assert {(u.layer, u.purpose) for u in found.missing} == {
        ("infrastructure/rail", "criterion rail"),
        ("land/tribal", "land"),
        ("land/tribal", "rule tribal-land"),
        ("land/tribal", "rule tribal-land-nearby"),
    }
    assert "criterion rail runs as unknown" in found.notes[0]


def test_the_layer_that_bounds_another_is_a_use(hamlet):
    entry = {"title": "x", "agency": "x", "purpose": "x", "geometry": "polygon"}
    entry |= {"crs": "EPSG:5070", "sources": [{"kind": "file", "path": "gone.gpkg"}]}
    entry |= {"absence": "informative", "vintage": "2026", "status": "synthetic"}
    write_yaml(hamlet.layers / "aoi/survey.yaml", {**entry, "licence": "x", "citation": "x"})
    hamlet.declare("infrastructure/rail", coverage={"kind": "inside", "layer": "aoi/survey"})
    assert [(u.layer, u.purpose) for u in hamlet.plan().missing] == [
        ("aoi/survey", "coverage of infrastructure/rail")
    ]


def test_the_first_reading_to_be_had_is_used(hamlet):
    stand_in = {
        "layer": "infrastructure/towns",
        "measure": {"kind": "distance"},
        "value": {"kind": "decreasing", "best": "1 km", "worst": "9 km"},
        "note": "Towns instead.",
    }
    hamlet.ask(criteria=edited_criteria("rail", stand_ins=[stand_in]))
    assert hamlet.plan().criteria[1].reading.layer == "infrastructure/rail"
    (hamlet.data / "rail.fgb").unlink()
    found = hamlet.plan()
    assert found.criteria[1].reading.layer == "infrastructure/towns"
    assert found.notes == (
        "criterion rail reads the stand-in infrastructure/towns: Towns instead.",
    )
    assert found.missing == ()


def test_rules_are_those_in_force_on_the_day(hamlet):
    book = open_rulebook()
    chosen = book.sets["sovereign-land"]
    rules = [
        chosen.rules[0].model_copy(update={"valid_from": date(2030, 1, 1)}),
        chosen.rules[1].model_copy(update={"needs_federal_funding": True}),
    ]
    sets = {**book.sets, "sovereign-land": chosen.model_copy(update={"rules": tuple(rules)})}
    hamlet.ask(rules=["sovereign-land"], as_of=None)
    found = hamlet.plan(rulebook=replace(book, sets=sets), today=date(2029, 1, 1))
    assert found.rules == ()
    assert found.not_asked["tribal-land"] == "not in force on 2029-01-01"
    assert "federally funded" in found.not_asked["tribal-land-nearby"]
    later = hamlet.plan(rulebook=replace(book, sets=sets), today=date(2031, 1, 1))
    assert [r.id for r in later.rules] == ["tribal-land"]


def test_references_that_resolve_to_nothing_are_all_named(hamlet):
    hamlet.ask(rules=["nope"], commodities=["unobtainium"])
    with pytest.raises(CatalogError, match=r"(?s)nope.*unobtainium"):
        hamlet.plan()


def test_the_order_of_rule_sets_means_nothing(hamlet):
    one = hamlet.plan()
    hamlet.ask(rules=SCENARIO["rules"][::-1])
    assert hamlet.plan().rules == one.rules


def test_bounds_that_cross_the_antimeridian_are_said_so(hamlet):
    # Alaska in degrees: left is larger than right, which readers must expect.
    hamlet.ask(grid={"crs": "EPSG:3338", "resolution": "3 km"}, rules=[])
    found = hamlet.plan(aoi="-179,52,-140,70")
    left, _, right, _ = reading_bounds(found, CRS(4269))
    assert left > right
    assert reading_bounds(found, ALBERS)[0] < reading_bounds(found, ALBERS)[2]


def test_a_rule_that_needs_the_set_says_what_cells_show_instead(hamlet):
    hamlet.ask(combination={"kind": "topsis"})
    assert "the suitability surface, and patches cut from it, show the weighted sum" in "".join(
        hamlet.plan().notes
    )


def test_weights_are_those_of_the_weighting_wherever_a_plan_says_them(hamlet):
    order = ["slope", ["rail", "labour"], "evidence"]
    hamlet.ask(weighting={"kind": "ranking", "order": order})
    planned = hamlet.plan()
    weights = {c.criterion.id: c.criterion.weight for c in planned.criteria}
    assert weights == pytest.approx(planned.scenario.weights)
    assert weights["slope"] == pytest.approx(25 / 48)
    assert weights["rail"] == weights["labour"] > weights["evidence"]
