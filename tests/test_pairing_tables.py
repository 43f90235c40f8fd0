"""Tables of a pairing by hand."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from pyproj import CRS

from geosite.catalog import open_freight
from geosite.haulage import Haulage
from geosite.network import lines_graph
from geosite.pairing import Terms, pairing
from geosite.pairing_tables import links, mine_table, pair_table, plant_table

ALBERS = CRS.from_epsg(5070)


def sites(prefix, places, suitability):
    n = len(places)
    return gpd.GeoDataFrame(
        {
            "site_id": [f"{prefix}{k}" for k in range(n)],
            "name": [f"{prefix} {k}" for k in range(n)],
            "rank": range(1, n + 1),
            "suitability": suitability,
        },
        geometry=[shapely.Point(xy).buffer(10) for xy in places],
        crs=ALBERS,
    )


@pytest.fixture(scope="module")
def found():
    mines = sites("m", [(0, 0), (200_000, 0), (9_000, 9_000)], [0.9, 0.8, 0.7])
    plants = sites("p", [(0, 0), (100_000, 0)], [0.6, 0.5])
    road = lines_graph([shapely.LineString([(0, 0), (200_000, 0)])], ALBERS)
    none = lines_graph([], ALBERS)
    places = [np.array([(g.centroid.x, g.centroid.y) for g in x.geometry]) for x in (mines, plants)]
    haulage = Haulage(*places, road, none, open_freight(), ALBERS)
    hauls = haulage.hauls()
    takes = np.array([[True, True], [True, True], [False, False]])
    ore = np.array([0.9, 0.8, 0.7])
    one = pairing(ore, np.array([0.6, 0.5]), ore, hauls.usd, takes, Terms(15.0))
    return mines, plants, one, hauls, haulage, ore


def test_a_mine_is_told_its_plant_and_one_that_nobody_takes_is_told_none(found):
    mines, plants, one, hauls, _, _ = found
    table = mine_table(mines, plants, one, hauls, [["gold"], ["tin"], []]).set_index("site_id")
    assert table["plant"].to_dict() == {"m0": "p0", "m1": "p1", "m2": ""}
    assert table["way"].to_dict()["m0"] == "same place"
    assert table["way"].to_dict()["m1"] == "network"
    assert np.isnan(table["cost_usd_per_short_ton"]["m2"])
    assert table["commodities_taken"].to_dict()["m2"] == ""


def test_a_plant_is_told_where_its_ore_is_from(found):
    mines, plants, one, hauls, _, ore = found
    table = plant_table(mines, plants, one, hauls, ore).set_index("site_id")
    assert table["most_ore_from"]["p0"].startswith("m0")
    assert "m2" not in table["most_ore_from"]["p0"]
    assert table["mines_that_it_takes"].tolist() == [2, 2]
    assert table["mines_it_is_cheapest_for"].to_dict() == {"p0": 1, "p1": 1}


def test_pairs_are_listed_cheapest_first_and_only_what_counts(found):
    mines, plants, one, hauls, _, _ = found
    table = pair_table(mines, plants, one, hauls)
    assert table[["mine", "plant"]].to_numpy().tolist() == [
        ["m0", "p0"],
        ["m0", "p1"],
        ["m1", "p1"],
        ["m1", "p0"],
    ]


def test_ways_are_lines_of_one_kind_each(found):
    mines, plants, one, hauls, haulage, _ = found
    table = links(mines, plants, one, hauls, haulage)
    assert set(table["mine"]) == {"m0", "m1"}
    road = table[(table["mine"] == "m1") & (table["by"] == "road")]
    assert road.length.sum() == pytest.approx(100_000, rel=0.03)
