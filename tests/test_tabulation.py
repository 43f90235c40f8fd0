"""The table of sites in a whole run: law from the outline, and no authority, no candidate."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely

from geosite.authority import NO_AUTHORITY
from geosite.pipeline import analyse
from geosite.runs import execute
from tests.worlds import ALBERS, SCENARIO, SIDE, box, write_yaml
from tests.worlds import entry as world_entry

WEST_HALF = box(0, 0, 6000, SIDE)
AWAY = box(11_900, 0, 12_000, 100)
"""Land that no site lies on."""


def tenure(*entries):
    return SCENARIO["land"] | {"tenure": list(entries)}


def entry(column="mineral_status", value="withdrawn", layer="land/withdrawn", **more):
    return {"column": column, "layer": layer, "value": value, **more}


def withdrawn(hamlet, *shapes, **declared):
    """Put a layer of withdrawn land into the catalogue of a hamlet."""
    layer = world_entry("land/dod") | {"title": "Withdrawn", "fields": {"name": {}}}
    layer["sources"] = [{"kind": "file", "path": "withdrawn.gpkg"}]
    del layer["owner"]
    write_yaml(hamlet.layers / "land/withdrawn.yaml", layer | declared)
    frame = gpd.GeoDataFrame(
        {"name": [f"order {k}" for k in range(len(shapes))]}, geometry=list(shapes), crs=ALBERS
    )
    frame.to_file(hamlet.data / "withdrawn.gpkg")


def analysed(hamlet, folder, *shapes, **more):
    """The hamlet with one layer of tenure that shows these polygons."""
    hamlet.ask(land=tenure(entry(**more)))
    withdrawn(hamlet, *shapes or [AWAY])
    return analyse(hamlet.plan(), folder)


def test_without_a_layer_of_tenure_all_is_unknown(common, tmp_path):
    found = execute(common.plan(), tmp_path)
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


@pytest.mark.parametrize(
    ("declared", "status"),
    [
        ({}, "open"),
        ({"coverage": {"kind": "states", "names": ["toyland"]}}, "open"),
        ({"coverage": {"kind": "except_states", "names": ["Toyland"]}}, "unknown"),
        ({"coverage": {"kind": "box", "west": "-180", "south": "0", "east": "0", "north": "80"}},
         "open"),
        ({"coverage": {"kind": "inside", "layer": "land/blm"}}, "open"),
        ({"coverage": {"kind": "inside", "layer": "land/tribal"}}, "unknown"),
        # That layer is not to be had, so nobody knows where this one speaks.
        ({"coverage": {"kind": "inside", "layer": "land/extent"}}, "unknown"),
        ({"absence": "not_informative"}, "unknown"),
    ],
)  # fmt: skip
def test_off_its_polygons_a_layer_tells_only_where_it_speaks(hamlet, tmp_path, declared, status):
    hamlet.ask(land=tenure(entry(otherwise="open")))
    withdrawn(hamlet, AWAY, **declared)
    extent = world_entry("land/blm") | {"sources": [{"kind": "file", "path": "nowhere.gpkg"}]}
    write_yaml(hamlet.layers / "land/extent.yaml", extent)
    sites = analyse(hamlet.plan(), tmp_path / "a").sites
    assert set(sites["mineral_status"]) == {status}


def test_a_layer_of_tenure_that_is_missing_refuses_no_run(hamlet, tmp_path):
    hamlet.ask(land=tenure(entry(otherwise="open")))
    planned = hamlet.plan()
    assert any("land/withdrawn" in note for note in planned.notes)
    assert set(analyse(planned, tmp_path / "a").sites["mineral_status"]) == {"unknown"}


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
