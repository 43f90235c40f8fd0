"""Footprints of a run's sites: what fits, on whose acres, and where it is shown."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import shapely

from geosite import report
from geosite.capacity import Means
from geosite.constraints import CLEAR, UNKNOWN
from geosite.dossier import Means as DossierMeans
from geosite.dossier import of_run
from geosite.runs import content, execute, open_run
from tests.pages import blob_of, data_of
from tests.worlds import SCENARIO, box, earlier_run, put_layer

PARTS = [
    {"id": "pit", "title": "Pit", "area": "120 ha"},
    {"id": "mill", "title": "Mill", "area": "30 ha"},
    {"id": "tailings", "title": "Tailings", "area": "50 ha"},
]
FIT = {"parts": PARTS, "aspect": "2", "rotation": "30", "basis": "made up"}
TENURES = ("open", "claimed", "withdrawn", "unknown")
ACRES = 200 * 10_000 / 4046.8564224


def ran(hamlet, **more):
    return execute(hamlet.plan(), hamlet.outputs, **more)


def told(hamlet, **changes):
    """The hamlet with withdrawn land in the west, claims across it, and a footprint to fit."""
    entry = {"column": "mineral_status", "layer": "land/orders", "value": "withdrawn"}
    put_layer(hamlet, "land/orders", [box(0, 0, 3000, 12_000)], name=["Order 1"])
    put_layer(hamlet, "land/mining_claims", [box(2000, 0, 3500, 12_000)], name=["Claims"])
    land = SCENARIO["land"] | {"tenure": [entry | {"otherwise": "open"}]}
    hamlet.ask(land=land, footprint_fit=FIT | changes)


@pytest.fixture
def found(hamlet):
    told(hamlet)
    return ran(hamlet)


def acres(sites):
    return sites[[f"footprint_acres_{t}" for t in TENURES]]


def test_without_a_footprint_nothing_is_said_of_it(common):
    run = open_run(earlier_run(common))
    assert not [c for c in run.sites if c.startswith("footprint")]
    assert content(run).footprints is None


def test_every_acre_of_what_fits_is_told(found):
    sites = found.sites
    fits = sites["footprint_fits"] == "yes"
    assert fits.any()
    assert set(sites["footprint_fits"]) <= {"yes", "no"}
    assert (sites.loc[fits, "footprint_fit_pct"] == 100).all()
    assert (sites.loc[~fits, "footprint_fit_pct"] < 100).all()
    assert acres(sites)[~fits].isna().all(axis=None)
    np.testing.assert_allclose(sites.loc[fits, "footprint_acres"], ACRES)
    np.testing.assert_allclose(acres(sites)[fits].sum(axis=1), ACRES, atol=1e-6)
    # Within the hamlet everything is withdrawn, claimed or open.
    np.testing.assert_allclose(acres(sites)[fits]["footprint_acres_unknown"], 0, atol=1e-6)
    lacking = fits & (sites["footprint_acres_open"] < ACRES - 1e-3)
    assert lacking.any()
    words = sites["footprint_tenure"]
    assert words[lacking].str.contains("every acre needs its own tenure").all()
    assert (words[~lacking] == "").all()


def test_parts_are_drawn_on_land_that_may_hold_them(found):
    parts = found.layer("footprints")
    sites = found.sites.set_index("site_id")
    assert set(parts["site_id"]) == set(sites.index[sites["footprint_fits"] == "yes"])
    np.testing.assert_allclose(parts.geometry.area / 1e4, np.tile([120, 30, 50], len(parts) // 3))
    by_tenure = parts[[f"acres_{t}" for t in TENURES]]
    np.testing.assert_allclose(by_tenure.sum(axis=1), parts["acres"], atol=1e-6)
    grid = found.store.grid
    status, parcel = (found.store.read(n, grid) for n in ("status", "parcel"))
    for site, some in parts.groupby("site_id"):
        whole = shapely.union_all(some.geometry.to_numpy())
        row = sites.loc[site]
        # The orders and claims of the hamlet are boxes: the same acres by hand.
        order, claims = box(0, 0, 3000, 12_000), box(2000, 0, 3500, 12_000)
        closed = whole.intersection(order).area
        claimed = whole.intersection(claims.difference(order)).area
        assert row["footprint_acres_withdrawn"] * 4046.8564224 == pytest.approx(closed, abs=1)
        assert row["footprint_acres_claimed"] * 4046.8564224 == pytest.approx(claimed, abs=1)
        assert row.geometry.buffer(1e-6).contains(whole.centroid)
        x, y = np.meshgrid(*grid.centres())
        half = grid.resolution / 2
        cells = shapely.box(x - half, y - half, x + half, y + half)
        under = shapely.area(shapely.intersection(cells, whole)) > 1e-3
        assert {*status[under].tolist()} <= {CLEAR, UNKNOWN}
        assert set(parcel[under]) == {row["parcel_id"]}


def test_the_same_footprints_on_any_tiling(hamlet, found):
    other = ran(hamlet, means=Means(tile=17, workers=1))
    pd.testing.assert_frame_equal(other.layer("footprints"), found.layer("footprints"))
    assert (other.path / "sites.csv").read_bytes() == (found.path / "sites.csv").read_bytes()


def test_steep_ground_holds_nothing_and_without_elevations_it_is_said(hamlet, found):
    told(hamlet, max_slope="0.001 %")
    flat = ran(hamlet)
    assert (flat.sites["footprint_fit_pct"] <= found.sites["footprint_fit_pct"] + 1e-9).all()
    assert (flat.sites["footprint_fits"] == "no").any()
    (hamlet.data / "dem.tif").unlink()
    blind = ran(hamlet, allow_missing=True)
    assert (blind.sites["footprint_fits"] == "yes").any()
    assert any("fitted without slope" in n for n in blind.manifest["notes"])


def test_without_the_layer_of_claims_no_acre_is_known_to_be_open(hamlet, found):
    (hamlet.data / "land-mining_claims.gpkg").unlink()
    blind = ran(hamlet)
    assert any("no acre is known to be open or claimed" in n for n in blind.manifest["notes"])
    fits = blind.sites["footprint_fits"] == "yes"
    assert (blind.sites.loc[fits, ["footprint_acres_open", "footprint_acres_claimed"]] == 0).all(
        axis=None
    )
    assert found.sites["footprint_acres_open"].max() > 0


def test_land_off_claims_is_not_open_where_their_layer_does_not_tell_of_none(hamlet, found):
    entry = {"absence": "not_informative"}
    claims = [box(2000, 0, 3500, 12_000)]
    put_layer(hamlet, "land/mining_claims", claims, name=["Claims"], ENTRY=entry)
    unsure = ran(hamlet).sites
    fits = unsure["footprint_fits"] == "yes"
    assert (unsure.loc[fits, "footprint_acres_open"] == 0).all()
    before = found.sites[fits]
    for name in ("claimed", "withdrawn"):
        column = f"footprint_acres_{name}"
        assert unsure.loc[fits, column].tolist() == pytest.approx(before[column].tolist())
    unknown = unsure.loc[fits, "footprint_acres_unknown"].tolist()
    assert unknown == pytest.approx(before["footprint_acres_open"].tolist(), abs=1e-6)
    assert max(unknown) > 0


def test_no_site_has_no_footprint(hamlet):
    told(hamlet)
    hamlet.ask(
        footprint_fit=FIT, sites={"unit": "deposit", "min_area": "90000 ha", "max_area": "99999 ha"}
    )
    run = ran(hamlet)
    assert "footprint_fits" in run.sites
    assert run.layer("footprints").empty


@pytest.mark.parametrize(
    "unit",
    [
        {"unit": "region", "area": "60 ha", "max_parcel": "1000 km2", "count": "2"},
        {"unit": "parcel", "pad": "60 ha", "max_parcel": "1000 km2"},
        {"unit": "patch", "threshold": "0.2", "min_area": "50 ha"},
    ],
    ids=lambda u: u["unit"],
)
def test_footprints_fit_any_unit_of_a_site(hamlet, unit):
    hamlet.ask(sites=unit, footprint_fit=FIT)
    sites = ran(hamlet).sites
    assert (sites["footprint_fits"] == "yes").any()


def test_footprints_are_shown_on_the_map_in_the_popup_and_in_the_dossier(hamlet, found):
    page = (found.path / "map.html").read_text(encoding="utf-8")
    (mine,) = [x for x in data_of(page)["layers"] if x["title"] == "Footprint that fits"]
    assert mine["count"] == len(found.layer("footprints"))
    assert mine["shown"]
    cards = json.loads(blob_of(page, "cards"))
    assert any(fact["title"] == "Footprint" for fact in cards["facts"])
    assert "Footprint that fits" in page
    asked = hamlet.plan()
    means = DossierMeans(asked.catalog, asked.rulebook, hamlet.data)
    pages = of_run(found, means).pages
    said = [x.value for p in pages for x in p.lines if x.label == "Footprint"]
    assert len(said) == len(pages)
    assert any("494 acres fit: " in s for s in said)
    assert report.site_table(content(found))["footprint_acres"].max() == pytest.approx(ACRES)


def test_the_plan_says_what_is_fitted(hamlet):
    told(hamlet, max_slope="15 %")
    said = hamlet.cli("plan").output
    assert "footprint" in said
    assert "494 acres (Pit, Mill, Tailings), 2 : 1, every 30°, slope at most 15 %" in said
