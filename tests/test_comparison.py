"""Sites of two runs: the same by id, else by their land, each once; the land by its status."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS

from geosite.comparison import changes, land_status, matches
from geosite.decisions import Decided, Overlay
from geosite.grid import Grid
from geosite.model.review import Decision
from geosite.report.reviews import changes_text, reviews_section
from geosite.store import Store

ALBERS = CRS.from_epsg(5070)
GRID = Grid.covering((0, 0, 1000, 600), ALBERS, resolution=100)


def sites(**boxes):
    """Sites by id, best first."""
    n = len(boxes)
    table = {
        "site_id": [*boxes],
        "suitability": [0.9 - k / 10 for k in range(n)],
        "rank": [*range(1, n + 1)],
    }
    return gpd.GeoDataFrame(table, geometry=[shapely.box(*b) for b in boxes.values()], crs=ALBERS)


def pairs(before, after):
    """Ids of the older and the newer site, and the share in per cent."""
    found = matches(before, after)
    old, new = [*before["site_id"], None], [*after["site_id"], None]
    return [
        (old[b], new[a], None if np.isnan(s) else round(100 * s))
        for b, a, s in found.itertuples(index=False)
    ]


def test_the_same_id_is_the_same_site_wherever_it_lies():
    before = sites(a=(0, 0, 200, 200), b=(400, 0, 600, 200))
    after = sites(b=(0, 0, 100, 200), a=(400, 0, 600, 200))
    assert pairs(before, after) == [("a", "a", 0), ("b", "b", 0)]


def test_others_go_by_the_largest_common_land():
    before = sites(a=(0, 0, 400, 100), b=(400, 0, 600, 100))
    after = sites(x=(100, 0, 600, 100), y=(0, 0, 100, 100))
    assert pairs(before, after) == [("a", "x", 75), ("b", None, None), (None, "y", None)]


def test_a_tie_goes_by_the_ids():
    before = sites(b=(0, 0, 100, 100), a=(100, 0, 200, 100))
    after = sites(y=(0, 0, 200, 50), x=(0, 50, 200, 100))
    assert pairs(before, after) == [("b", "y", 50), ("a", "x", 50)]


def test_an_edge_is_no_common_land():
    assert pairs(sites(a=(0, 0, 100, 100)), sites(x=(100, 0, 200, 100))) == [
        ("a", None, None),
        (None, "x", None),
    ]


def test_no_site_on_either_side():
    none = sites(a=(0, 0, 1, 1)).iloc[:0]
    assert pairs(none, none) == []
    assert pairs(none, sites(x=(0, 0, 1, 1))) == [(None, "x", None)]
    assert pairs(sites(a=(0, 0, 1, 1)), none) == [("a", None, None)]


squares = st.dictionaries(
    st.sampled_from("abcdefgh"),
    st.tuples(st.integers(0, 5), st.integers(0, 5)).map(lambda p: (*p, p[0] + 2, p[1] + 2)),
    max_size=5,
)


@given(squares, squares)
def test_every_site_is_told_once_and_the_order_means_nothing(old, new):
    before, after = sites(**old), sites(**new)
    found = pairs(before, after)
    assert sorted(b for b, _, _ in found if b) == sorted(old)
    assert sorted(a for _, a, _ in found if a) == sorted(new)
    assert all(b == a for b, a, _ in found if b in new or a in old)
    turned = pairs(before.iloc[::-1], after.iloc[::-1])
    assert sorted(map(str, turned)) == sorted(map(str, found))


CODES = {".": 0, "o": 1, "#": 2, "?": 3, "+": 4}


class Side:
    """A run with a picture for its status: one character a cell."""

    def __init__(self, folder, picture, found):
        status = np.array([[CODES[c] for c in row] for row in picture.split()], np.uint8)
        self.path, self.sites = Path(folder), found
        self.store = Store.create(
            folder / "surfaces.zarr", GRID, {"status": (None, "u1", 0)}, chunk=16
        )
        self.store.write(GRID, {"status": status})
        self.manifest = {"scenario": {}, "as_of": "2026-01-01", "layers": [], "rules": []}


OLD = """
++++++++++
++##??++++
++##??++++
++++++oooo
++++++oooo
........##
"""
NEW = OLD.replace("##", "+#")


@pytest.fixture
def two(tmp_path):
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    before = sites(a=(0, 100, 600, 600), b=(600, 300, 1000, 600))
    after = sites(c=(100, 100, 600, 600), d=(800, 0, 1000, 100))
    return Side(tmp_path / "old", OLD, before), Side(tmp_path / "new", NEW, after)


def test_land_is_told_by_status_of_the_cells_whose_centre_it_holds(two):
    old, _ = two
    whole = land_status(old.store, shapely.box(*GRID.bounds))
    assert whole == {"not_offered": 8, "excluded": 6, "unknown": 4, "clear": 34}
    assert land_status(old.store, shapely.box(240, 340, 360, 560))["excluded"] == 4
    assert land_status(old.store, shapely.box(251, 349, 349, 451)) == dict.fromkeys(whole, 0.0)
    beyond = shapely.box(-5000, 300, 400, 9000)
    assert land_status(old.store, beyond)["excluded"] == 4
    assert sum(land_status(old.store, shapely.box(5000, 0, 6000, 1)).values()) == 0


def decided(place, effect, *land, **where):
    told = {"rule": "quiet", "decision": "dispute", "reason": "r", "role": "q"}
    one = Decision.model_validate({**told, **where, "date": "2026-01-01"})
    return Decided(one, place, shapely.box(*land), effect, "words")


def test_what_a_decision_changed_is_told_beside_it(two):
    overlay = Overlay(
        two[0].path,
        "0" * 64,
        (
            decided("a", "in doubt", 0, 100, 600, 600, site="a"),
            decided("b", None, 600, 300, 1000, 600, site="b"),
            decided("1,2,3,4", "in doubt", 200, 0, 1000, 500, area="1,2,3,4"),
            decided("5,6,7,8", None, 0, 0, 50, 50, area="5,6,7,8"),
        ),
    )
    found = changes(overlay, *two)
    told = [
        (r["decision_no"], r["site_before"], r["site_after"], r["matched"], r["moved"])
        for r in found["rows"]
    ]
    assert told == [
        (1, "a", "c", "by land, 83.3 % of its land", "as before"),
        (2, "b", "", "", "no site any more"),
        (3, "a", "c", "by land, 83.3 % of its land", "as before"),
        (3, "b", "", "", "no site any more"),
        (3, "", "d", "", "new site"),
        (4, "", "", "", "no site before or after"),
    ]
    one, two_, *_, none = found["rows"]
    assert (one["excluded_ha_before"], one["excluded_ha_after"]) == (4, 2)
    assert (one["clear_ha_before"], one["clear_ha_after"]) == (22, 24)
    assert (one["suitability_before"], one["rank_after"]) == (0.9, 1)
    assert two_["status_after"] == "no site, land mostly clear"
    # Of the new site's own land; that of the decision is mostly clear.
    assert found["rows"][4]["status_before"] == "no site, land mostly excluded"
    assert none["status_before"] == "no site"
    assert [r["together_with"] for r in found["rows"]] == ["3", "3", "1", "1", "1", ""]
    assert found["vanished"] == ["b"]
    assert found["appeared"] == ["d"]
    assert (found["sites_before"], found["sites_after"], found["moved"]) == (2, 2, 0)
    assert changes(overlay, *two) == found


def test_many_sites_that_came_or_went_are_counted(two):
    old, new = two
    old.sites = sites(**{f"s{k:02}": (k * 10, 0, k * 10 + 5, 5) for k in range(14)})
    overlay = Overlay(old.path, "", (decided("s00", None, 0, 0, 5, 5, site="s00"),))
    found = changes(overlay, old, new)
    assert found["vanished"][-1] == "and 4 more"


def test_the_first_sites_of_a_decision_are_shown_and_the_others_counted(two):
    old, new = two
    old.sites = sites(**{f"s{k:02}": (k * 10, 0, k * 10 + 5, 5) for k in range(14)})
    new.sites = old.sites.iloc[:13]
    overlay = Overlay(old.path, "", (decided("1,2,3,4", None, 0, 0, 900, 50, area="1,2,3,4"),))
    said = changes(overlay, old, new)
    assert len(said["rows"]) == 14
    text, page = changes_text(said), reviews_section(said)
    for shown in (text, page):
        assert shown.count("as before") == 9
        assert "s13" in shown
        assert "s12" not in shown
        assert "4 more sites" in shown
