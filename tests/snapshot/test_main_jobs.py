"""The main jobs on real data, on coarser cells than a planner would take."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import geosite as gs
from geosite.crs import WGS84, projected

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.snapshot
Made = Callable[[str, str, float], gs.Run]


@pytest.fixture(scope="session")
def made(snapshot: Path, root: Path, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A run of a preset; in whatever order the tests come, each is made once a worker."""
    done: dict[tuple[str, str, float], gs.Run] = {}

    def run(preset: str, aoi: str, resolution: float) -> gs.Run:
        if (preset, aoi, resolution) not in done:
            planned = gs.plan(
                gs.open_scenario(preset),
                gs.open_catalog(root / "tests/snapshot/layers"),
                gs.open_rulebook(),
                snapshot,
                aoi=aoi,
                resolution=resolution,
            )
            outputs = tmp_path_factory.mktemp("runs")
            done[preset, aoi, resolution] = gs.execute(planned, outputs, allow_missing=True)
        return done[preset, aoi, resolution]

    return run


@pytest.fixture
def run(request: pytest.FixtureRequest, made: Made) -> gs.Run:
    return made(*request.param)


WEST = pytest.param(("mine/open-pit", "west", 1000.0), id="west")
NEVADA = pytest.param(("mine/open-pit", "nevada", 500.0), id="nevada")
PLANTS = pytest.param(("refinery/hydromet", "conus", 1000.0), id="plants")
SHAFTS = pytest.param(("mine/underground", "nevada", 250.0), id="shafts")
# One state where the whole west would do: its land takes ten times as long to cut up.
CLAY = pytest.param(("mine/clay", "nevada", 1000.0), id="clay")
BRINE = pytest.param(("mine/brine", "nevada", 500.0), id="brine")
WASTE = pytest.param(("mine/waste", "colorado", 500.0), id="waste")
SMELTERS = pytest.param(("refinery/smelter", "conus", 1000.0), id="smelters")
west = pytest.mark.parametrize("run", [WEST], indirect=True)
nevada = pytest.mark.parametrize("run", [NEVADA], indirect=True)
plants = pytest.mark.parametrize("run", [PLANTS], indirect=True)
shafts = pytest.mark.parametrize("run", [SHAFTS], indirect=True)
clay = pytest.mark.parametrize("run", [CLAY], indirect=True)
brine = pytest.mark.parametrize("run", [BRINE], indirect=True)
waste = pytest.mark.parametrize("run", [WASTE], indirect=True)
smelters = pytest.mark.parametrize("run", [SMELTERS], indirect=True)
EVERY = [WEST, NEVADA, PLANTS, SHAFTS, CLAY, BRINE, WASTE, SMELTERS]
every = pytest.mark.parametrize("run", EVERY, indirect=True)


@every
def test_no_feature_is_lost_on_the_way(run):
    for c in run.manifest["counts"]:
        assert c["found"] == c["used"] + c["not_selected"] + sum(c["rejected"].values()), c


@every
def test_what_was_not_asked_is_said(run):
    unasked = {m["layer"] for m in run.manifest["missing"]}
    assert "hydrography/water_rights" in unasked or "infrastructure/wastewater_plants" in unasked
    readme = (run.path / "README.md").read_text(encoding="utf-8")
    assert "Could not be asked" in readme
    # Layers of withdrawals or monuments are not here, so nothing can be called clear.
    assert run.manifest["status_ha"]["clear"] == 0
    assert run.manifest["status_ha"]["unknown"] > 0


@every
def test_scores_are_decomposed_and_in_order(run):
    sites = run.sites
    ids = [c["id"] for c in run.manifest["criteria"]]
    whole = sites[[f"contribution_{i}" for i in ids]].sum(axis=1)
    gated = run.manifest["scenario"]["combination"]["kind"] == "evidence_gated"
    # In the gated form a score below its floor counts as the floor.
    above = sites["suitability"] > 0.05
    expected = np.log(sites.loc[above, "suitability"]) if gated else sites.loc[above, "suitability"]
    np.testing.assert_allclose(whole[above], expected, atol=1e-9)
    assert all(a >= b for a, b in pairwise(sites["suitability"].round(9)))
    assert sites["site_id"].is_unique
    assert (sites["suitability_low"] <= sites["suitability"] + 1e-12).all()
    assert (sites["suitability"] <= sites["suitability_high"] + 1e-12).all()


@every
def test_every_table_and_page_says_what_it_is(run):
    # A table without a row has nothing to say it of.
    tables = ["sites.csv"] + ["inventory.csv"] * (run.manifest["scenario"]["evidence"] is not None)
    said = "Pre-decisional screening. Not a land-status, title, mineral-potential or validity"
    for name in (*tables, "README.md", "CITATIONS.md", "map.html", "run.json"):
        assert said in (run.path / name).read_text(encoding="utf-8"), name


@west
def test_the_west_finds_the_districts_that_geologists_know(run):
    names = "; ".join(run.sites.loc[run.sites["tier"].isin(["A", "B"]), "deposits"])
    for known in ("Carlin", "Resolution", "Mountain Pass", "Thacker Pass", "Red  Mountain"):
        assert known in names, known
    assert set(run.sites["agency"]) == {"BLM", "USFS"}
    assert (run.sites["authority"] != "").all()


@west
def test_protected_land_holds_no_site(run, snapshot):
    sites = run.sites
    for name in (
        "constraints/usfs_wilderness_national.geojson",
        "constraints/nps_national_parks_padus30.geojson",
        "lands/indian_lands_indlanp010g.gpkg",
    ):
        there = projected(gpd.read_file(snapshot / name), sites.crs)
        land = shapely.union_all(shapely.make_valid(there.geometry.to_numpy()))
        # A cell turns at a share of one half: a site may overlap by no more than half cells.
        core = land.buffer(-1500)
        assert shapely.area(shapely.intersection(sites.geometry.to_numpy(), core)).max() == 0, name


@west
def test_military_land_is_reported_with_the_reason_that_it_is_not_ranked(run):
    military = [p for p in run.manifest["parcels"] if p["agency"] == "DOD"]
    assert sum(p["parcels"] for p in military) > 50
    assert all("no authority" in p["reason"] for p in military)
    assert "Department of Defense" in (run.path / "README.md").read_text(encoding="utf-8")


@west
def test_the_inventory_joins_parcels_and_deposits(run):
    table = pd.read_csv(run.path / "inventory.csv")
    assert len(table) > 1000
    assert {"BLM", "USFS", "DOD", "TRIBAL"} <= set(table["agency"])
    assert table["evidence_class"].notna().all()


@nevada
def test_slope_is_unknown_where_the_model_of_the_ground_ends(run):
    sites = run.sites
    latitude = projected(sites.set_geometry(sites.representative_point()), WGS84).geometry.y
    unknown = sites["effective_buildable_ground"].isna()
    assert unknown[latitude > 40.2].all()
    assert not unknown[(latitude > 37) & (latitude < 39.5)].any()
    column = "buildable_ground_flat_share_at_500m_pct"
    assert sites[column].isna().equals(unknown)


@plants
def test_plants_are_ranked_by_their_best_pad(run):
    sites = run.sites
    assert (sites["suitability"] >= sites["suitability_parcel_mean"] - 1e-4).all()
    assert (sites["agency"] == "DOD").all()
    assert (sites["parcel_status"] == "available").all()
    assert sites["authority"].str.contains("10 USC 2667").all()
    # Offered by the services themselves for leases: large ranges whose mean would hide them.
    best = "; ".join(sites.loc[sites["tier"] != "C", "name"])
    for known in ("Edwards", "Fort Bliss", "Davis-Monthan", "Arnold"):
        assert known in best, known


@plants
def test_closed_bases_are_not_ranked(run):
    closed = [
        p for p in run.manifest["parcels"] if (p["agency"], p["status"]) == ("DOD", "unconfirmed")
    ]
    assert sum(p["parcels"] for p in closed) > 50
    assert all(not p["ranked"] for p in closed)
    assert "Fitzsimons" not in "; ".join(run.sites["name"])


def named(sites, first):
    """Names and deposits of the first sites, in one line."""
    best = sites.head(first)
    return "; ".join([*best["name"].astype(str), *best.get("deposits", best["name"]).astype(str)])


def off_protected_land(run, snapshot):
    """Whether no site lies in the core of a wilderness, a park or Indian land."""
    cell = run.manifest["grid"]["resolution_m"]
    for name in (
        "constraints/usfs_wilderness_national.geojson",
        "constraints/nps_national_parks_padus30.geojson",
        "lands/indian_lands_indlanp010g.gpkg",
    ):
        there = projected(gpd.read_file(snapshot / name, bbox=run.sites), run.sites.crs)
        land = shapely.union_all(shapely.make_valid(there.geometry.to_numpy())).buffer(-1.5 * cell)
        if shapely.area(shapely.intersection(run.sites.geometry.to_numpy(), land)).max() > 0:
            return False
    return True


@shafts
def test_underground_mines_are_sought_in_the_known_gold_belts(run, snapshot):
    sites = run.sites
    best = named(sites, 20)
    assert sum(name in best for name in ("Carlin", "SSX", "Burns Basin", "Sleeper")) >= 2
    # The pad decides the least size, not a pit.
    assert sites["area_ha"].min() >= 80
    assert (sites["area_ha"] < 259).any()
    assert off_protected_land(run, snapshot)


@clay
def test_lithium_clay_is_found_where_it_is_being_developed(run, snapshot):
    sites = run.sites
    best = named(sites, 10)
    for known in ("Thacker Pass", "Clayton Valley", "TLC"):
        assert known in best, known
    every_one = named(sites, len(sites))
    for known in ("Rhyolite Ridge", "Bonnie Claire"):
        assert known in every_one, known
    # Brine opens no gate here.
    for other in ("Silver Peak", "brine"):
        assert other not in every_one, other
    assert set(sites["commodities"]) == {"lithium"}
    assert off_protected_land(run, snapshot)


@brine
def test_lithium_brine_is_found_under_known_basin_floors(run, snapshot):
    sites = run.sites
    assert "Clayton Valley" in named(sites, 1)
    good = sites[sites["tier"] == "A"]
    assert good["deposits"].str.contains("Clayton Valley").any()
    # No one deposit has the land of a patch: each lists those that stand behind it.
    assert (sites["deposits_n"] > 0).all()
    assert "Thacker Pass" not in named(sites, len(sites))
    assert (sites["agency"] == "BLM").all()
    assert sites["area_ha"].between(2000 * 0.4047 - 25, 6000 * 0.4047 + 25).all()
    assert off_protected_land(run, snapshot)


@waste
def test_mine_waste_is_found_at_great_mines(run, snapshot):
    sites = run.sites
    best = named(sites, 12)
    for known in ("Henderson", "Climax", "Urad"):
        assert known in best, known
    # Some of it is already known for its liability, and says so.
    told = sites["rules_flag"].fillna("").astype(str)
    assert told.str.contains("superfund").any()
    assert off_protected_land(run, snapshot)


@smelters
def test_a_smelter_is_sought_on_industrial_military_land(run):
    sites = run.sites
    assert set(sites["agency"]) <= {"DOD", "DOE"}
    best = named(sites, 10)
    for known in ("Joliet Army Ammunition Plant", "Arnold Air Force Base"):
        assert known in best, known
    # Too near to a town: the middle of a city is no place for one.
    assert "Fort Hamilton" not in best
    assert sites["authority"].str.contains("10 USC 2667|42 USC 7256").all()
    flawed = sites[sites["effective_power"] == 0]
    assert (flawed["tier"] == "C").all()
    assert "Fitzsimons" not in "; ".join(sites["name"])


@nevada
def test_the_manifest_is_json_without_surprises(run):
    text = (run.path / "run.json").read_text(encoding="utf-8")
    assert json.loads(text) == json.loads(json.dumps(run.manifest))
    assert "NaN" not in text
