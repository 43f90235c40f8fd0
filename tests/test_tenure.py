"""Origin, estate and status of sites: exact areas, and unknown until a layer says so."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geosite.model.scenario import Tenure
from geosite.tenure import COLUMNS, Shown, tenure_columns, values_of, worded
from tests.toyworld import ALBERS


def frame(*shapes):
    return gpd.GeoDataFrame(geometry=list(shapes), crs=ALBERS)


def box(left, right, top=100):
    return shapely.box(left, 0, right, top)


def shown(column, value, *shapes, otherwise=None, covered=None, missing=False):
    entry = Tenure(column=column, layer="land/some", value=value, otherwise=otherwise)
    return Shown(entry, None if missing else frame(*shapes), covered)


def told(entries, *sites, **register):
    said = {c: register.get(c, ["unknown"] * len(sites)) for c in COLUMNS}
    return tenure_columns(frame(*sites), entries, said)


def status(*entries, site=None, **register):
    row = told(entries, site or box(0, 100), **register).iloc[0]
    return row["mineral_status"]


STATUS = "mineral_status"


def test_nothing_is_known_until_a_layer_says_so():
    row = told([], box(0, 100)).iloc[0]
    assert [row[c] for c in COLUMNS] == ["unknown"] * 3
    assert row["mineral_status_unknown_acres"] == pytest.approx(10_000 / 4046.8564224)
    assert row["mineral_status_open_acres"] == 0


@pytest.mark.parametrize(
    ("land", "words"),
    [
        (box(-10, 110), "withdrawn"),
        (box(0, 100), "withdrawn"),
        (box(0, 37), "partly withdrawn (37 %), unknown (63 %)"),
        # A line's width is no land.
        (box(0, 99.6), "withdrawn"),
        (box(0, 0.4), "unknown"),
        (box(0, 99.4), "partly withdrawn (99 %), unknown (1 %)"),
        (box(200, 300), "unknown"),
        (box(100, 200), "unknown"),
        (shapely.LineString([(0, 50), (100, 50)]), "unknown"),
    ],
)
def test_a_site_is_what_its_outline_lies_under(land, words):
    assert status(shown(STATUS, "withdrawn", land)) == words


def test_land_under_two_polygons_counts_once():
    assert status(shown(STATUS, "withdrawn", box(0, 30), box(20, 40))) == (
        "partly withdrawn (40 %), unknown (60 %)"
    )


def test_off_the_polygons_it_is_what_the_layer_says_where_it_speaks():
    entry = shown(STATUS, "withdrawn", box(0, 20), otherwise="open")
    assert status(entry) == "partly withdrawn (20 %), open (80 %)"
    half = shown(STATUS, "withdrawn", box(0, 20), otherwise="open", covered=box(0, 50))
    assert status(half) == "partly withdrawn (20 %), open (30 %), unknown (50 %)"
    nowhere = shown(STATUS, "withdrawn", box(0, 20), otherwise="open", covered=shapely.Polygon())
    assert status(nowhere) == "partly withdrawn (20 %), unknown (80 %)"


def test_the_first_that_tells_of_a_piece_of_land_decides():
    first = shown(STATUS, "withdrawn", box(0, 20))
    second = shown(STATUS, "segregated", box(10, 50), otherwise="open")
    row = told([first, second], box(0, 100)).iloc[0]
    assert row[STATUS] == "partly withdrawn (20 %), segregated (30 %), open (50 %)"
    acres = [row[f"mineral_status_{s}_acres"] for s in ("withdrawn", "segregated", "open")]
    np.testing.assert_allclose(acres, np.array([2000, 3000, 5000]) / 4046.8564224)
    assert status(second, first) == "partly segregated (40 %), open (60 %)"


def test_a_layer_that_is_missing_tells_nothing_and_the_register_is_asked_last():
    entry = shown(STATUS, "withdrawn", missing=True, otherwise="open")
    assert status(entry) == "unknown"
    assert status(entry, mineral_status=["open"]) == "open"
    part = shown(STATUS, "withdrawn", box(0, 20))
    assert status(part, mineral_status=["open"]) == "partly withdrawn (20 %), open (80 %)"


def test_each_column_has_its_own_layers_and_each_site_its_own_row():
    entries = [
        shown("land_origin", "acquired", box(0, 100), otherwise="public domain"),
        shown("mineral_estate", "federal", box(0, 1000)),
    ]
    found = told(entries, box(0, 100), box(300, 400))
    assert found["land_origin"].tolist() == ["acquired", "public domain"]
    assert found["mineral_estate"].tolist() == ["federal"] * 2
    assert found[STATUS].tolist() == ["unknown"] * 2


def test_no_sites_have_the_same_columns():
    entries = [shown(STATUS, "withdrawn", box(0, 20), otherwise="open")]
    assert [*told(entries)] == [*told(entries, box(0, 1))]
    assert [*told([shown(STATUS, "withdrawn")], box(0, 1))] == [*told(entries)]


def test_what_is_written_can_be_read():
    assert values_of(worded({"a": 1.0, "b": 2.0, "unknown": 3.0}, 6.0)) == ("a", "b", "unknown")
    assert values_of("public domain") == ("public domain",)
    assert values_of("") == ("unknown",)
    assert worded({}, 0.0) == "unknown"


edges = st.lists(st.tuples(st.integers(0, 100), st.integers(1, 60)), max_size=5)


@given(edges, edges, st.booleans())
def test_areas_of_a_site_sum_to_the_site(one, two, speaks):
    def boxes(of):
        return [box(left, left + width) for left, width in of]

    entries = [
        shown(STATUS, "withdrawn", *boxes(one)),
        shown(STATUS, "segregated", *boxes(two), otherwise="open" if speaks else None),
    ]
    row = told(entries, box(0, 100)).iloc[0]
    whole = 10_000 / 4046.8564224
    parts = [
        row[f"mineral_status_{s}_acres"] for s in ("withdrawn", "segregated", "open", "unknown")
    ]
    assert sum(parts) == pytest.approx(whole, rel=1e-9)
    united = shapely.union_all(boxes(one)).intersection(box(0, 100)).area / 4046.8564224
    assert parts[0] == pytest.approx(united, rel=1e-9, abs=1e-9)
    assert not (speaks and parts[3])


@given(edges)
def test_the_order_of_features_changes_nothing(one):
    shapes = [box(left, left + width) for left, width in one]
    forth = told([shown(STATUS, "withdrawn", *shapes)], box(0, 100))
    back = told([shown(STATUS, "withdrawn", *shapes[::-1])], box(0, 100))
    assert forth[STATUS].tolist() == back[STATUS].tolist()
