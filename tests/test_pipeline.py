"""The whole flow: the same answer on any tiling and in any order, whatever the unit of a site."""

from __future__ import annotations

import multiprocessing
import os
import signal

import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely

from geosite import catalog
from geosite.capacity import Means
from geosite.errors import CoverageError
from geosite.explain import explain_spot
from geosite.pipeline import plan
from geosite.report.shapes import anchors
from geosite.runs import execute, open_run
from tests.worlds import (
    SCENARIO,
    SOUTH,
    WEST,
    earlier_run,
    edited_criteria,
    lonlat,
    shared_demo,
)


def ran(hamlet, **more):
    return execute(hamlet.plan(), hamlet.outputs, **more)


def table_of(run):
    return (run.path / "sites.csv").read_bytes()


def test_any_tiling_gives_the_same_bytes(hamlet, common):
    first = open_run(earlier_run(common))
    other = ran(hamlet, means=Means(tile=17, workers=1))
    assert table_of(other) == table_of(first)
    assert other.sites.geometry.to_wkb().tolist() == first.sites.geometry.to_wkb().tolist()
    grid = first.store.grid
    for name in ("status", "planes", "suitability", "effective", "measures"):
        one, two = (r.store.read(name, grid) for r in (first, other))
        np.testing.assert_array_equal(one, two, err_msg=name)


NAMES = ("status", "planes", "parcel", "suitability", "effective", "measures")


def answer(run):
    """What must be the same, however a run was worked on."""
    store = run.store
    surfaces = {n: store.read(n, store.grid) for n in NAMES}
    return surfaces, table_of(run), run.sites.geometry.to_wkb().tolist()


def same(one, two):
    for name in NAMES:
        np.testing.assert_array_equal(one[0][name], two[0][name], err_msg=name)
    assert one[1:] == two[1:]


def test_every_scheduler_and_size_of_tiles_gives_the_same_bytes(hamlet):
    # 600 cells a side: one tile of 2,048 or 4,096, four of 512.
    unit = {"unit": "patch", "threshold": "0.2", "min_area": "1 ha"}
    hamlet.ask(rules=["military-land"], sites=unit)
    asked = hamlet.plan(resolution=20.0)
    killed = []

    def kill(stage, done, _total):
        # A worker is lost when the first tile is finished, and others are under way.
        if stage == "tiles" and done == 1:
            worker = multiprocessing.active_children()[0]
            os.kill(worker.pid, signal.SIGKILL)
            killed.append(worker.pid)

    runs = [
        execute(asked, hamlet.outputs, means=Means(scheduler, 2, 1e12, tile), told=told)
        for scheduler, tile, told in (
            ("serial", 4096, None),
            ("threads", 512, None),
            ("serial", 2048, None),
            ("processes", 512, kill),
        )
    ]
    assert [r.manifest["engine"]["tiles"] for r in runs] == [1, 4, 1, 4]
    assert len(runs[0].sites)
    assert killed
    first = answer(runs[0])
    for other in runs[1:]:
        same(first, answer(other))


def test_any_tiling_of_the_demo_gives_the_same_table(tmp_path, tmp_path_factory):
    world = shared_demo(tmp_path_factory)
    first = next(world.folder.parent.glob("mine-open-pit/*Z-*"))
    asked = plan(
        catalog.open_scenario("mine/open-pit"),
        catalog.open_catalog(world.layers),
        catalog.open_rulebook(),
        world.data,
        aoi=world.aoi,
        resolution=90.0,
    )
    other = execute(asked, tmp_path, means=Means(tile=120))
    assert len(pd.read_csv(first / "sites.csv"))
    assert table_of(other) == (first / "sites.csv").read_bytes()


def test_the_order_of_layers_rules_and_criteria_means_nothing(hamlet, common):
    land = {**SCENARIO["land"], "layers": SCENARIO["land"]["layers"][::-1]}
    hamlet.ask(land=land, rules=SCENARIO["rules"][::-1])
    assert table_of(ran(hamlet)) == table_of(open_run(earlier_run(common)))
    hamlet.ask(criteria=SCENARIO["criteria"][::-1])
    one, two = open_run(earlier_run(common)).sites, ran(hamlet).sites
    assert one["site_id"].tolist() == two["site_id"].tolist()
    np.testing.assert_allclose(one["suitability"], two["suitability"], rtol=1e-12)


def test_contributions_sum_to_the_logarithm_of_suitability(common):
    sites = open_run(earlier_run(common)).sites
    parts = sites[[c for c in sites if c.startswith("contribution_")]].sum(axis=1)
    np.testing.assert_allclose(parts, np.log(sites["suitability"]), atol=1e-9)


def test_sites_are_ranked_and_lie_on_offered_land(common):
    sites = open_run(earlier_run(common)).sites
    assert len(sites) == 3
    assert sites["rank"].tolist() == [1, 2, 3]
    assert sites["suitability"].is_monotonic_decreasing
    assert set(sites["agency"]) == {"BLM"}
    assert sites["site_id"].is_unique
    np.testing.assert_allclose(sites["clear_ha"] + sites["unknown_ha"], sites["area_ha"])
    np.testing.assert_allclose(sites.geometry.area / 1e4, sites["area_ha"])


@pytest.mark.parametrize(
    "sites",
    [
        {"unit": "deposit", "min_area": "90000 ha", "max_area": "99999 ha"},
        {"unit": "patch", "threshold": "0.2", "min_area": "90000 ha", "max_area": "99999 ha"},
        {"unit": "patch", "threshold": "1", "min_area": "1 ha"},
        {"unit": "parcel", "pad": "90000 ha", "max_parcel": "1000 km2"},
        {"unit": "region", "area": "90000 ha", "max_parcel": "1000 km2"},
    ],
    ids=["deposit", "patch", "patch above all", "parcel", "region"],
)
def test_a_run_without_a_site_is_whole_and_empty(hamlet, sites):
    hamlet.ask(sites=sites)
    found = ran(hamlet)
    assert found.manifest["sites"] == len(found.sites) == 0
    assert "site_id" in pd.read_csv(found.path / "sites.csv").columns
    assert (found.path / "map.html").stat().st_size > 10_000
    assert "no site" in (found.path / "README.md").read_text(encoding="utf-8").casefold()


def test_patches_are_sites_end_to_end(hamlet):
    hamlet.ask(sites={"unit": "patch", "threshold": "0.2", "min_area": "50 ha"})
    sites = ran(hamlet).sites
    assert len(sites)
    assert (sites["area_ha"] >= 50).all()
    # What is not one deposit's land lists the deposits behind it, and is called by the first.
    assert (sites["deposits_n"] > 0).all()
    assert (sites["commodities"] == "copper").all()
    assert set(sites["name"]) <= {"Copper Hill", "Iron Cap", "Far Pit"}
    tiled = ran(hamlet, means=Means(tile=17)).sites
    pd.testing.assert_frame_equal(pd.DataFrame(sites), pd.DataFrame(tiled))


def test_pads_are_sites_end_to_end(hamlet):
    hamlet.ask(sites={"unit": "parcel", "pad": "60 ha", "max_parcel": "1000 km2"})
    sites = ran(hamlet).sites
    assert sorted(sites["name"]) == ["East Tract", "West Tract"]
    np.testing.assert_allclose(sites["area_ha"], 60)
    assert (sites["suitability_parcel_p90"] >= sites["suitability_parcel_mean"]).all()


def test_regions_are_sites_end_to_end(hamlet):
    unit = {"unit": "region", "area": "60 ha", "max_parcel": "1000 km2"}
    hamlet.ask(sites=unit | {"count": "3", "spacing": "1 km", "compactness": "0.7"})
    sites = ran(hamlet).sites
    assert sites["name"].value_counts().to_dict() == {"East Tract": 3, "West Tract": 3}
    np.testing.assert_allclose(sites["area_ha"], 60)
    assert (sites["compactness"] > 0.8).all()
    for _, some in sites.groupby("parcel_id"):
        apart = [a.distance(b) for a in some.geometry for b in some.geometry if a is not b]
        assert min(apart) >= 1000


@pytest.mark.parametrize(
    "unit",
    [
        {"unit": "deposit", "min_area": "10 ha"},
        {"unit": "patch", "threshold": "0.2", "min_area": "50 ha"},
        {"unit": "parcel", "pad": "60 ha", "max_parcel": "1000 km2"},
        {"unit": "region", "area": "60 ha", "max_parcel": "1000 km2", "count": "2"},
    ],
    ids=lambda u: u["unit"],
)
def test_a_run_on_a_snapped_grid_lies_where_its_cells_lie(hamlet, unit):
    corner = np.array([WEST + 70, SOUTH - 30])
    hamlet.ask(sites=unit, grid=SCENARIO["grid"] | {"origin": [str(corner[0]), f"{corner[1]} m"]})
    found = ran(hamlet)
    assert found.manifest["grid"]["origin_m"] == corner.tolist()
    grid = open_run(found.path).store.grid
    assert grid == hamlet.plan().grid
    with rasterio.open(found.path / "status.tif") as file:
        assert file.transform == grid.transform
        assert (file.transform.c, file.transform.f) == (WEST - 130, SOUTH + 12_170)
    sites = found.sites
    assert len(sites) > 1
    vertices = shapely.get_coordinates(sites.geometry.to_numpy())
    assert ((vertices - corner) % 200 == 0).all()
    np.testing.assert_allclose(sites.geometry.area / 1e4, sites["area_ha"])
    # Every site's own land, seen through the store's coordinates, is candidate land.
    piece = found.store.dataset()["piece"].to_numpy() > 0
    x, y = np.meshgrid(*grid.centres())
    land = shapely.contains_xy(shapely.union_all(sites.geometry.to_numpy()), x, y)
    assert land.sum() * grid.cell_area == pytest.approx(sites["area_ha"].sum())
    assert piece[land].all()
    assert explain_spot(found, *anchors(sites)[0]).splitlines()[0].endswith(": clear")
    tiled = ran(hamlet, means=Means(tile=17))
    assert table_of(tiled) == table_of(found)
    assert tiled.sites.geometry.to_wkb().tolist() == sites.geometry.to_wkb().tolist()


def test_another_corner_of_the_same_lattice_gives_the_same_sites(hamlet, common):
    first = open_run(earlier_run(common))
    hamlet.ask(grid=SCENARIO["grid"] | {"origin": [str(WEST), str(SOUTH)]})
    other = ran(hamlet)
    assert other.store.grid.bounds == first.store.grid.bounds
    assert (other.store.grid.column, other.store.grid.row) == (0, -60)
    assert other.sites.geometry.to_wkb().tolist() == first.sites.geometry.to_wkb().tolist()
    # Indices count from the origin, and ids are made of them.
    assert other.sites["site_id"].str.match(r"BLM-E\d+N\d+").all()
    one, two = (pd.DataFrame(r.sites.drop(columns=["site_id", "geometry"])) for r in (first, other))
    pd.testing.assert_frame_equal(one, two, rtol=1e-5)


def test_a_landscape_is_no_parcel(hamlet):
    hamlet.ask(sites={"unit": "region", "area": "60 ha", "max_parcel": "50 km2"})
    with pytest.raises(CoverageError, match=r"sites\.unit region: 1 parcels are larger"):
        ran(hamlet)
    hamlet.ask(sites={"unit": "parcel", "pad": "60 ha", "max_parcel": "50 km2"})
    with pytest.raises(CoverageError, match=r"West Tract \(56 km²\).*sites\.unit patch"):
        ran(hamlet)


def test_what_a_missing_score_means(hamlet):
    (hamlet.data / "rail.fgb").unlink()
    found = {}
    for missing in ("unknown", "worst", "renormalise"):
        hamlet.ask(missing=missing)
        found[missing] = ran(hamlet, allow_missing=True).sites.set_index("site_id")
    assert found["unknown"]["suitability"].isna().all()
    assert found["unknown"]["rank"].isna().all()
    worst, renormalised = (found[k]["suitability"] for k in ("worst", "renormalise"))
    assert (worst < renormalised.loc[worst.index]).all()
    for sites in found.values():
        assert (sites["not_examined"] == "Distance to rail").all()


def test_a_rule_without_its_layer_cannot_tell(hamlet, common):
    (hamlet.data / "tribal.geojson").unlink()
    found = ran(hamlet, allow_missing=True)
    assert (found.sites["rules_unknown"] == "tribal-land").all()
    assert (found.sites["rules_not_examined"] == "tribal-land-nearby").all()
    np.testing.assert_allclose(found.sites["unknown_ha"], found.sites["area_ha"])
    assert found.manifest["status_ha"]["clear"] == 0
    assert open_run(earlier_run(common)).manifest["status_ha"]["clear"] > 0
    assert {m["layer"] for m in found.manifest["missing"]} == {"land/tribal"}


def test_features_outside_of_the_aoi_count_within_reach(hamlet):
    west, south = lonlat(600, 5000)
    east, north = lonlat(6000, 11_000)
    asked = hamlet.plan(aoi=f"{west},{south},{east},{north}")
    found = execute(asked, hamlet.outputs)
    # The railway runs south of this box.
    assert (found.sites["rail_distance_m"] > 0).all()
    assert found.sites["labour_sum_within_persons"].max() >= 700


def test_a_condition_that_selects_nothing_is_a_measure_of_nothing(hamlet):
    hamlet.ask(criteria=edited_criteria("rail", where="name = 'none'"))
    sites = ran(hamlet).sites
    assert (sites["effective_rail"] == 0).all()
