"""A synthetic world: whole, repeatable, plausible, and nobody's land."""

from __future__ import annotations

import hashlib
import json
import re

import numpy as np
import pytest
import rasterio
import shapely
from pyproj import CRS

from geosite.catalog import open_catalog, open_rulebook, open_scenario, preset_names
from geosite.crs import projected
from geosite.demo import AOI, make_world
from geosite.demo.block import AREA_KM2, BLOCK, Block, spread
from geosite.demo.catalogue import ENTRIES, file_of
from geosite.demo.densities import COUNT_PER_1000_KM2, OWNER_SHARE, PROTECTED_SHARE
from geosite.demo.designations import TABLE
from geosite.demo.land import drawn_land, land
from geosite.demo.minerals import districts, faults
from geosite.demo.network import lines, towns
from geosite.demo.noise import Noise, hashed
from geosite.demo.terrain import ORIGIN, Terrain
from geosite.demo.water import waters
from geosite.demo.world import drawn
from geosite.errors import CoverageError
from geosite.sources.read import read_features, selected_features

ALBERS = CRS.from_epsg(5070)
SMALL = 40_000
SEEDS = (0, 1, 2, 7)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return make_world(tmp_path_factory.mktemp("world"), cells=SMALL)


def fingerprints(folder):
    files = sorted(f for f in folder.rglob("*") if f.is_file())
    return {
        f.relative_to(folder).as_posix(): hashlib.sha256(f.read_bytes()).hexdigest() for f in files
    }


def asked_by_presets():
    rulebook, found = open_rulebook(), {}
    for name in preset_names():
        scenario = open_scenario(name)
        ids = {*scenario.land.layers, *(c.layer for c in scenario.land.confirm)}
        ids |= {i for i in (scenario.land.places, scenario.land.counties) if i}
        ids |= {r.layer for c in scenario.criteria for r in c.readings if r.layer}
        ids |= set(scenario.evidence.layers) if scenario.evidence else set()
        for rule in rulebook.rules(scenario):
            ids |= {rule.layer} | ({rule.inside} if rule.inside else set())
        found[name] = ids
    return found


# ── the world on disk ──


def test_the_presets_find_every_layer_they_name(world):
    catalog = open_catalog(world.layers)
    assert set(catalog) == set(ENTRIES)
    for name in preset_names():
        assert not asked_by_presets()[name] - set(catalog)


def test_every_feature_of_every_layer_is_used(world):
    catalog = open_catalog(world.layers)
    for id_, layer in catalog.items():
        if layer.geometry == "raster":
            continue
        read = read_features(layer, catalog, world.data)
        assert len(read.frame) > 0, id_
        for counts in read.counts:
            assert not counts.rejected, id_
            assert not counts.uncoded, id_
            assert not counts.unreadable, id_
            assert counts.repaired == 0, id_


def test_every_condition_of_a_rule_or_criterion_selects_something(world):
    catalog, rulebook = open_catalog(world.layers), open_rulebook()
    asked = {}
    for name in preset_names():
        scenario = open_scenario(name)
        for reading in [r for c in scenario.criteria for r in c.readings]:
            asked[reading.layer, reading.where] = name
        for rule in rulebook.rules(scenario):
            asked[rule.layer, rule.where] = rule.id
        for confirmation in scenario.land.confirm:
            asked[confirmation.layer, confirmation.where] = "confirm"
    # A law of one real state selects nothing in a world that is none of them.
    for layer, where in sorted((a, b) for a, b in asked if a and b and a != "aoi/states"):
        read = read_features(catalog[layer], catalog, world.data)
        assert len(selected_features(read, where, f"{layer}: {where}").frame) > 0


def test_everything_says_that_it_is_synthetic(world):
    for layer in open_catalog(world.layers).values():
        assert layer.title.startswith("Synthetic: ")
        assert layer.status == "synthetic"
        assert layer.licence == "CC0-1.0"
        assert layer.citation == "geosite synthetic basin, seed 1"
    page = (world.folder / "README.md").read_text(encoding="utf-8")
    assert "Everything here is made up" in page
    assert "the West, measured" in page
    assert world.aoi == AOI == "Synthetic Basin"


def test_no_feature_is_named_like_a_real_place(world):
    catalog = open_catalog(world.layers)
    for id_, layer in catalog.items():
        if "name" not in layer.fields:
            continue
        names = read_features(layer, catalog, world.data).frame["name"]
        assert names.str.match(r"Demo |DEMO\d|Synthetic Basin$").all(), id_


def test_the_files_mix_systems_and_formats(world):
    catalog = open_catalog(world.layers)
    assert {layer.crs for layer in catalog.values()} == {"EPSG:5070", "EPSG:4326"}
    endings = {f.suffix for f in world.data.rglob("*") if f.is_file()}
    assert endings == {".fgb", ".gpkg", ".geojson", ".csv", ".tif"}


def test_one_state_is_the_area_of_interest_and_counties_fill_it(world):
    catalog = open_catalog(world.layers)
    state, counties = (
        projected(read_features(catalog[i], catalog, world.data).frame, ALBERS)
        for i in ("aoi/states", "aoi/counties")
    )
    assert state["name"].tolist() == [AOI]
    assert len(counties) == 4
    assert counties.area.sum() == pytest.approx(SMALL * 90.0**2, rel=1e-9)
    assert state.area.sum() == pytest.approx(SMALL * 90.0**2, rel=1e-4)
    assert world.cells == SMALL


def test_a_corner_of_the_ground_and_a_third_of_the_wetlands_are_unknown(world):
    with rasterio.open(world.data / "terrain/elevation.tif") as file:
        height = file.read(1, masked=True)
        assert file.block_shapes == [(512, 512)]
        assert file.bounds.left < ORIGIN[0]
    assert 0.005 < height.mask.mean() < 0.2
    assert height.mask[0, -1]
    assert open_catalog(world.layers)["environment/wetlands"].coverage.kind == "box"


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not(world, tmp_path):
    again = make_world(tmp_path / "again", cells=SMALL)
    other = make_world(tmp_path / "other", cells=SMALL, seed=2)
    assert fingerprints(again.folder) == fingerprints(world.folder)
    theirs, ours = fingerprints(other.data), fingerprints(world.data)
    assert set(theirs) == set(ours)
    # Outlines of states, counties and offices are the lattice's own.
    tiles = {file_of(i)[0] for i, row in TABLE.items() if row.kind == "tiles"}
    same = {f for f in ours if ours[f] == theirs[f]}
    assert same == {"aoi/states.geojson", "aoi/counties.fgb"} | tiles


def test_a_world_is_made_anew_over_an_earlier_one(world, tmp_path):
    make_world(tmp_path, cells=10_000, seed=5)
    make_world(tmp_path, cells=SMALL)
    assert fingerprints(tmp_path) == fingerprints(world.folder)


def test_a_larger_world_agrees_with_a_smaller_one(tmp_path):
    # At 500 m, 62,500 cells are 125 km: four blocks instead of one.
    small = make_world(tmp_path / "small", cells=10_000, resolution=500.0)
    large = make_world(tmp_path / "large", cells=62_500, resolution=500.0)
    with (
        rasterio.open(small.data / "terrain/elevation.tif") as one,
        rasterio.open(large.data / "terrain/elevation.tif") as two,
    ):
        window = rasterio.windows.from_bounds(*one.bounds, transform=two.transform)
        a, b = one.read(1), two.read(1, window=window)
    known = a != one.nodata
    assert known.mean() > 0.95
    np.testing.assert_array_equal(a[known], b[known])
    for id_ in (
        "minerals/mrds",
        "land/blm",
        "infrastructure/towns",
        "environment/wilderness",
        *TABLE,
        "land/reservations",
    ):
        parts = [open_catalog(w.layers) for w in (small, large)]
        mine = read_features(parts[0][id_], parts[0], small.data).frame
        theirs = read_features(parts[1][id_], parts[1], large.data).frame
        assert len(theirs) > len(mine)
        assert set(mine.geometry.to_wkb()) <= set(theirs.geometry.to_wkb())


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"cells": 5}, "cells"),
        ({"resolution": 0.0}, "resolution"),
        ({"resolution": float("nan")}, "resolution"),
        ({"seed": -1}, "seed"),
    ],
)
def test_a_world_that_cannot_be_is_refused_before_anything_is_written(tmp_path, wrong, said):
    with pytest.raises(CoverageError, match=said):
        make_world(tmp_path / "none", **wrong)
    assert not (tmp_path / "none").exists()


# ── one block at a time ──


@pytest.mark.parametrize("seed", SEEDS)
def test_the_first_block_holds_one_of_everything(seed):
    found = {id_ for id_, features in drawn(Block(seed, 0, 0)).items() if features.geometry}
    rest = {"aoi/states", "aoi/counties", "terrain/elevation", "hydrography/water_rights"}
    rest |= {"climate/net_evaporation"}
    assert found == set(ENTRIES) - rest


def test_shares_and_densities_are_those_stated():
    blocks = [Block(3, row, column) for row in (1, 2, 3) for column in (1, 2)]
    layers = [drawn(block) for block in blocks]
    whole = len(blocks) * AREA_KM2

    def km2(id_):
        return sum(shapely.area(np.asarray(d[id_].geometry, object)).sum() for d in layers) / 1e6

    for code in ("USFS", "BLM", "TRIBAL", "NPS", "FWS"):
        # Installations are cut out of all of them but refuges.
        assert km2(f"land/{code.lower()}") / whole == pytest.approx(
            OWNER_SHARE[code], rel=0.15, abs=0.002
        )
    federal = sum(km2(f"land/{c}") for c in ("usfs", "blm", "nps", "fws", "dod", "doe")) / whole
    stated = sum(share for code, share in OWNER_SHARE.items() if code != "TRIBAL")
    assert federal == pytest.approx(stated, abs=0.04)
    wild = km2("environment/wilderness") / whole
    assert wild == pytest.approx(PROTECTED_SHARE["wilderness"], rel=0.2)
    records = sum(len(d["minerals/mrds"].geometry) for d in layers)
    assert records == pytest.approx(COUNT_PER_1000_KM2["mrds"] * whole / 1000, rel=0.15)


def test_no_land_has_two_owners_but_the_refuge_that_an_installation_reaches_into():
    block = Block(1, 0, 0)
    found = drawn_land(block, land(block, towns(block)))
    areas = {
        id_: shapely.union_all(np.asarray(features.geometry, object))
        for id_, features in found.items()
        if id_ != "land/dod_active_sites" and features.geometry
    }
    assert len(areas) == 7
    shared = {
        (a, b): shapely.area(shapely.intersection(areas[a], areas[b]))
        for a in areas
        for b in areas
        if a < b
    }
    assert shared.pop(("land/dod", "land/fws")) > 1e6
    assert max(shared.values()) == pytest.approx(0.0, abs=1.0)


def test_neighbouring_blocks_meet_without_gap_or_overlap():
    units = [land(Block(1, 0, c), []).units for c in (0, 1)]
    left, right = (shapely.union_all(u) for u in units)
    assert shapely.area(shapely.intersection(left, right)) == pytest.approx(0.0, abs=1e-3)
    both = shapely.union(left, right)
    assert both.geom_type == "Polygon"
    assert not both.interiors
    first, second = (lines(Block(1, 0, c))["roads"] for c in (0, 1))
    edge = ORIGIN[0] + BLOCK
    ends = [
        {round(y, 3) for part in parts for x, y in part.coords if abs(x - edge) < 1e-6}
        for parts in (first, second)
    ]
    assert ends[0]
    assert ends[0] == ends[1]


def test_rivers_lie_in_valleys_and_ranges_between():
    block = Block(1, 2, 2)
    ground = block.terrain
    stems = waters(block).rivers
    xy = np.concatenate([shapely.get_coordinates(line) for line in stems])
    left, bottom, right, top = block.bounds
    x, y = np.meshgrid(np.linspace(left, right, 60), np.linspace(bottom, top, 60))
    river = ground.elevation_at(*xy.T) - ground.floor_at(*xy.T)
    land_ = ground.elevation_at(x, y) - ground.floor_at(x, y)
    assert np.median(river) < 60.0
    assert np.median(land_) > 150.0


def test_tributaries_run_downhill_to_their_river():
    for row, column in ((0, 0), (1, 1), (2, 2), (3, 1)):
        block = Block(1, row, column)
        for line in waters(block).rivers:
            u = block.terrain.u_at(*np.array([line.coords[0], line.coords[-1]]).T)
            away = np.abs(u - np.floor(u) - 0.5)
            if away[0] > 0.2:
                z = block.terrain.elevation_at(*np.array([line.coords[0], line.coords[-1]]).T)
                assert z[1] < z[0]
                assert away[1] < 0.02


def test_districts_lie_on_faults_and_faults_along_range_fronts():
    for seed in SEEDS:
        block = Block(seed, 0, 0)
        broken = faults(block)
        fronts = {round(u, 6) for u, _ in broken}
        assert all(round(d.u, 6) in fronts for d in districts(block, broken))
        for u, y in broken:
            x = block.terrain.x_at(np.full(y.shape, u), y)
            assert block.holds(x, y).all()
            np.testing.assert_allclose(block.terrain.u_at(x, y), u, atol=1e-3)


def test_towns_stand_apart_on_roads():
    for column in range(4):
        block = Block(1, 1, column)
        roads = shapely.union_all(lines(block)["roads"])
        places = towns(block)
        for i, town in enumerate(places):
            assert roads.distance(shapely.Point(town.x, town.y)) < 200.0
            assert all(np.hypot(town.x - t.x, town.y - t.y) > 8_000.0 for t in places[:i])


# ── ground and noise ──


def test_the_ground_is_the_same_from_any_window_and_at_any_point():
    ground = Terrain(4)
    x = ORIGIN[0] + np.arange(90) * 90.0
    y = ORIGIN[1] + np.arange(70)[::-1] * 90.0
    whole = ground.elevation(x, y)
    np.testing.assert_array_equal(ground.elevation(x[31:57], y[11:40]), whole[11:40, 31:57])
    points = ground.elevation_at(*np.meshgrid(x, y))
    np.testing.assert_allclose(points, whole, atol=1e-6)


def test_the_ground_is_as_high_and_as_steep_as_the_basin_and_range():
    ground = Terrain(1)
    x = ORIGIN[0] + np.arange(700) * 90.0
    height = ground.elevation(x, ORIGIN[1] + np.arange(700)[::-1] * 90.0)
    assert 700 < height.min() < 1600
    assert 2300 < height.max() < 4200
    steep = np.hypot(*np.gradient(height, 90.0)) * 100
    # Measured on the 90 m model of the Great Basin: 14 % of the land is steeper than 30 %.
    assert 0.05 < (steep > 30).mean() < 0.2
    # Measured: the median share of land up to 10 % slope within 5 km is 34 %.
    assert 0.25 < (steep <= 10).mean() < 0.55


def test_noise_is_bounded_smooth_and_seeded():
    x = np.linspace(-5e4, 5e4, 2001)
    one, other = (Noise(seed, 1, 10_000.0).at(x, 0 * x) for seed in (1, 2))
    assert np.abs(one).max() <= 1
    assert np.abs(np.diff(one)).max() < 0.02
    assert not np.allclose(one, other)
    assert Noise(1, 1, 10.0).at(np.empty(0), np.empty(0)).shape == (0,)


def test_hashed_numbers_are_even_and_independent():
    i, j = np.meshgrid(np.arange(-200, 200), np.arange(-200, 200))
    found = hashed(1, 1, i, j)
    assert 0 <= found.min() < found.max() < 1
    counts, _ = np.histogram(found, bins=10, range=(0, 1))
    assert np.ptp(counts) < 0.05 * found.size / 10 * 2
    assert abs(np.corrcoef(found[:, 1:].ravel(), found[:, :-1].ravel())[0, 1]) < 0.01
    assert abs(np.corrcoef(found.ravel(), hashed(2, 1, i, j).ravel())[0, 1]) < 0.01


def test_spread_members_hold_their_share_in_any_run():
    for start in (-500, 0, 12_345):
        got = spread(np.arange(start, start + 100), 0.3, 1, 50).mean()
        assert got == pytest.approx(0.3, abs=0.03)


def test_catalogue_texts_are_ours():
    text = json.dumps([entry.title for entry in ENTRIES.values()])
    assert not re.search(r"real|official", text)
