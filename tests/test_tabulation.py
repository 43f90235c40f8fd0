"""The table of sites in a whole run: law from the outline, and no authority, no candidate."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest
import shapely

from geosite.authority import NO_AUTHORITY
from geosite.pipeline import analyse
from geosite.prepare import prepare
from geosite.runs import execute
from geosite.tabulation import _covered
from tests.worlds import SCENARIO, SIDE, box, write_yaml

WEST_HALF = box(0, 0, 6000, SIDE)


def tenure(*entries):
    return SCENARIO["land"] | {"tenure": list(entries)}


def entry(column="mineral_status", value="withdrawn", layer="land/withdrawn", **more):
    return {"column": column, "layer": layer, "value": value, **more}


def analysed(hamlet, folder, *shapes, **more):
    """The hamlet with one layer of tenure that shows these polygons."""
    hamlet.ask(land=tenure(entry(**more)))
    hamlet.declare("infrastructure/rail")
    planned = hamlet.plan()
    withdrawn = planned.catalog["land/dod"].model_copy(
        update={"id": "land/withdrawn", "absence": "informative"}
    )
    planned = replace(planned, catalog={**planned.catalog, "land/withdrawn": withdrawn})
    ready = prepare(planned)
    frame = gpd.GeoDataFrame(geometry=list(shapes), crs=planned.grid.crs)
    return analyse(planned, folder, ready=replace(ready, tenure=(frame,)))


def test_without_a_layer_of_tenure_all_is_unknown(common):
    found = execute(common.plan(), common.outputs.parent / "without-tenure")
    sites = found.sites
    for column in ("land_origin", "mineral_estate", "mineral_status"):
        assert (sites[column] == "unknown").all()
    np.testing.assert_allclose(sites["mineral_status_unknown_acres"], sites["acres"])
    assert (sites["rank_best"] <= sites["rank"]).all()
    assert (sites["rank"] <= sites["rank_worst"]).all()
    assert (sites["coverage_pct"] == 100).all()
    assert not (sites[["hard_n", "avoid_n", "mitigate_n", "flag_n"]] < 0).any(axis=None)


def test_a_site_on_withdrawn_land_is_no_candidate_and_is_counted(hamlet, tmp_path):
    every = analysed(hamlet, tmp_path / "a")
    found = analysed(hamlet, tmp_path / "b", WEST_HALF)
    west = every.sites[every.sites.within(WEST_HALF)]
    assert 0 < len(west) < len(every.sites)
    assert set(found.sites["site_id"]) == set(every.sites["site_id"]) - set(west["site_id"])
    number, area = found.left_out[NO_AUTHORITY]
    assert number == len(west)
    assert area == pytest.approx(west["area_ha"].sum())
    assert found.sites["rank"].tolist() == [*range(1, len(found.sites) + 1)]
    assert NO_AUTHORITY not in every.left_out


def test_when_no_site_is_left_the_table_has_its_columns(hamlet, tmp_path):
    some = analysed(hamlet, tmp_path / "a")
    none = analysed(hamlet, tmp_path / "b", box(0, 0, SIDE, SIDE))
    assert none.sites.empty
    assert [*none.sites] == [*some.sites]
    assert none.left_out[NO_AUTHORITY][0] == len(some.sites)


def test_a_part_is_told_with_its_acres(hamlet, tmp_path):
    strip = box(2900, 0, 3100, SIDE)
    sites = analysed(hamlet, tmp_path / "a", strip, otherwise="open").sites
    cut = sites[sites.intersects(strip)]
    assert len(cut)
    assert cut["mineral_status"].str.match(r"partly withdrawn \(\d+ %\), open \(\d+ %\)").all()
    acres = shapely.area(shapely.intersection(cut.geometry.to_numpy(), strip)) / 4046.8564224
    np.testing.assert_allclose(cut["mineral_status_withdrawn_acres"], acres)
    assert cut["authority"].str.contains("where open to location").all()
    assert (sites["mineral_status_unknown_acres"] < 1e-6).all()


def test_off_its_polygons_a_layer_tells_only_where_it_speaks(hamlet):
    hamlet.ask()
    planned = hamlet.plan()
    ready = prepare(planned)
    sites = ready.register.parcels
    asked = {
        "everywhere": {"kind": "everywhere"},
        "states": {"kind": "states", "names": ["toyland"]},
        "except": {"kind": "except_states", "names": ["Toyland"]},
        "inside": {"kind": "inside", "layer": "land/blm"},
        "box": {"kind": "box", "west": "-180", "south": "0", "east": "0", "north": "80"},
    }
    covered = {}
    for name, coverage in asked.items():
        hamlet.declare("infrastructure/rail", coverage=coverage)
        covered[name] = _covered(hamlet.plan(), ready, "infrastructure/rail", sites)
    whole = sites.geometry.union_all()
    assert covered["everywhere"] is None
    assert covered["states"].covers(whole.buffer(-1))
    assert not covered["except"].intersects(whole.buffer(-1))
    assert covered["inside"].is_empty
    assert covered["box"].covers(whole)
    hamlet.declare("infrastructure/rail", absence="not_informative")
    assert _covered(hamlet.plan(), ready, "infrastructure/rail", sites).is_empty


def test_a_rule_that_may_touch_is_named_by_the_accuracy_of_its_layer(hamlet):
    own = {
        "id": "near-rail", "title": "Near rail", "layer": "infrastructure/rail",
        "mine": {"tier": "avoid", "factor": "0.9"}, "authority": "practice",
        "citation": "for a test only",
    }  # fmt: skip
    hamlet.ask(own_rules=[own])
    plain = execute(hamlet.plan(), hamlet.outputs).sites
    hamlet.declare("infrastructure/rail", positional_accuracy="3 km")
    rough = execute(hamlet.plan(), hamlet.outputs).sites
    assert (plain["rules_possible"] == "").all()
    near = rough["rules_possible"] == "near-rail"
    assert near.any()
    assert not (near & (rough["rules_avoid"] != "")).any()


def test_an_instrument_names_its_condition_in_the_run(hamlet, tmp_path):
    write_yaml(tmp_path / "unused.yaml", {})
    found = analysed(hamlet, tmp_path / "a", box(0, 0, SIDE, SIDE), column="land_origin",
                     value="acquired").sites  # fmt: skip
    assert (found["land_origin"] == "acquired").all()
