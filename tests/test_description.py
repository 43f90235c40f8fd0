import geopandas as gpd
import pandas as pd
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geosite.description import (
    LISTED,
    deposit_columns,
    deposits_in_reach,
    inventory,
    land_columns,
)
from tests.test_authority import LAWS, TABLE
from tests.toyworld import ALBERS


def deposits(*rows):
    usual = {
        "name": "",
        "x": 0.0,
        "y": 0.0,
        "commodities": ("gold",),
        "evidence_class": "prospect",
        "quality": "B",
        "error_m": 100.0,
        "deposit_type": "vein",
        "accepted": True,
        "records": 1,
        "layers": ("minerals/mrds",),
        "record_ids": ("r1",),
        "names": (),
        "host_or_byproduct": "",
        "through_host": (),
        "proposed_potential": "M",
        "proposed_certainty": "C",
        "status": "",
        "size": "",
        "grade": "",
        "tonnage_t": float("nan"),
        "cited_report": "",
    }
    return pd.DataFrame([usual | row for row in rows], columns=[*usual])


def parcels(*shapes, **columns):
    count = len(shapes)
    usual = {
        "parcel_id": [*range(1, count + 1)],
        "agency": ["BLM"] * count,
        "name": [f"parcel {k}" for k in range(1, count + 1)],
        "unit": "",
        "state": "Nevada",
        "county": "Nye",
        "status": "available",
        "status_source": "",
        "ownership_conflict": "",
        "surface_estate": "",
        "mineral_estate": "",
        "land_origin": "",
        "mineral_status": "",
        "claims": 0,
    }
    return gpd.GeoDataFrame(usual | columns, geometry=list(shapes), crs=ALBERS)


def box(left, right):
    return shapely.box(left, 0, right, 10)


# ── deposits of a site ────────────────────────────────────────────────────────────────────────
def described(known, *pieces, sites=(0,)):
    table = pd.DataFrame(index=pd.Index(sites))
    return deposit_columns(table, pd.DataFrame(pieces, columns=["site", "piece"]), known)


def test_a_site_tells_its_deposits_strongest_first():
    known = deposits(
        {"name": "East", "quality": "A", "records": 3, "record_ids": ("a", "b")},
        {"name": "Elsewhere"},
        {"name": "West", "commodities": ("gold", "lithium"), "layers": ("minerals/usmin",)},
    )
    row = described(known, (0, 3), (0, 1), (0, 1)).iloc[0]
    assert row["deposits"] == "East; West"
    assert (row["deposits_n"], row["records_n"]) == (2, 4)
    assert row["commodities"] == "gold; lithium"
    assert row["record_quality"] == "A"
    assert row["evidence_layers"] == "minerals/mrds; minerals/usmin"
    assert row["record_ids"] == "a; b; r1"


def test_of_many_deposits_some_are_named_and_the_others_counted():
    known = deposits(*({"name": f"n{k}", "record_ids": (f"r{k}",)} for k in range(LISTED + 2)))
    row = described(known, *((0, k + 1) for k in range(LISTED + 2))).iloc[0]
    assert row["deposits"] == "n0; n1; n2; n3; n4; and 2 more"
    assert row["record_ids"].count(";") == LISTED - 1


def test_deposits_without_a_name_are_counted_and_not_named():
    known = deposits({}, {"name": "East"}, {"name": "East"})
    row = described(known, (0, 1), (0, 2), (0, 3)).iloc[0]
    assert (row["deposits"], row["deposits_n"]) == ("East", 3)
    assert described(known, (0, 1)).iloc[0]["deposits"] == ""


def test_sites_keep_their_rows():
    known = deposits({"name": "East"}, {"name": "West"})
    found = described(known, (7, 1), (4, 2), sites=(7, 4))
    assert found["deposits"].to_dict() == {7: "East", 4: "West"}


def test_without_sites_the_columns_are_still_there():
    known = deposits({"name": "East"})
    none = described(known, sites=())
    assert none.empty
    assert [*none] == [*described(known, (0, 1))]


# ── sites that are no deposit's own ──
def reached(known, reach, *shapes):
    sites = gpd.GeoDataFrame(index=[5, 2][: len(shapes)], geometry=list(shapes), crs=ALBERS)
    near = deposits_in_reach(sites, known, reach)
    return sorted(zip(near["site"], near["piece"], strict=True))


def test_a_patch_lists_every_deposit_within_reach_of_its_outline():
    known = deposits({"x": 5.0, "y": 5.0}, {"x": 13.0, "y": 5.0}, {"x": 13.1, "y": 5.0})
    assert reached(known, 3.0, box(0, 10)) == [(5, 1), (5, 2)]
    assert reached(known, 3.0, box(0, 10), box(20, 30)) == [(5, 1), (5, 2)]
    assert reached(known, 7.0, box(0, 10), box(20, 30)) == [
        *((2, n) for n in (2, 3)),
        *((5, n) for n in (1, 2, 3)),
    ]


def test_a_deposit_that_opens_no_gate_is_not_listed_for_a_patch():
    known = deposits({"x": 5.0, "y": 5.0, "accepted": False}, {"x": 6.0, "y": 5.0})
    assert reached(known, 3.0, box(0, 10)) == [(5, 2)]
    assert reached(known.iloc[:0], 3.0, box(0, 10)) == []
    assert reached(known, 3.0) == []


# ── land ──────────────────────────────────────────────────────────────────────────────────────
def test_a_site_carries_what_the_register_says_of_its_parcel():
    land = parcels(box(0, 1), box(1, 2), claims=[3, 5]).set_index("parcel_id")
    found = land_columns(pd.Index([9, 4]), land.loc[[2, 2]])
    assert found["parcel_id"].tolist() == [2, 2]
    assert found["parcel"].tolist() == ["parcel 2"] * 2
    assert found["claims"].tolist() == [5, 5]
    assert found["parcel_status"].tolist() == ["available"] * 2
    assert found.index.tolist() == [9, 4]
    assert [*land_columns(pd.Index([]), land.iloc[:0])] == [*found]


# ── the inventory ─────────────────────────────────────────────────────────────────────────────
def test_every_deposit_in_a_parcel_is_listed_whatever_its_quality():
    known = deposits(
        {"name": "in", "x": 5.0, "y": 5.0, "accepted": False},
        {"name": "out", "x": 50.0, "y": 5.0},
        {"name": "there", "x": 15.0, "y": 5.0, "commodities": ("gold", "lithium")},
    )
    found = inventory(known, parcels(box(0, 10), box(10, 20)), LAWS, TABLE)
    assert found["deposit"].tolist() == ["in", "there"]
    assert found["parcel_id"].tolist() == [1, 2]
    assert found["commodities"].tolist() == ["gold", "gold; lithium"]
    assert found["accepted"].tolist() == [False, True]
    # The register says nothing of the land's origin.
    assert found["disposal"].tolist() == ["locatable: gold", "both: lithium; locatable: gold"]
    assert found["authority"].str.startswith("plan (if public domain) [law of plan]").all()


def test_an_inventory_of_nothing_has_the_same_columns():
    land = parcels(box(0, 10))
    some = inventory(deposits({"x": 5.0, "y": 5.0}), land, LAWS, TABLE)
    assert [*inventory(deposits(), land, LAWS, TABLE)] == [*some]
    nowhere = inventory(deposits({"x": 50.0}), land, LAWS, TABLE)
    assert nowhere.empty
    assert [*nowhere] == [*some]


@given(st.permutations(range(12)))
def test_a_deposit_on_a_shared_edge_lies_in_the_first_parcel(order):
    # Twelve parcels that all meet at one point, in any order.
    corners = [shapely.affinity.rotate(shapely.Point(9, 0), 30 * k, (0, 0)) for k in order]
    ends = [shapely.affinity.rotate(shapely.Point(9, 0), 30 * k + 30, (0, 0)) for k in order]
    shapes = [
        shapely.Polygon([(0, 0), (a.x, a.y), (b.x, b.y)])
        for a, b in zip(corners, ends, strict=True)
    ]
    found = inventory(deposits({}), parcels(*shapes), LAWS, TABLE)
    assert found["parcel_id"].tolist() == [1]
