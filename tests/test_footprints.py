"""Acres under a footprint: every one of them open, claimed, withdrawn or unknown."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geosite.footprints import ROSEMONT, TENURES, Claims, tenure_acres, tenure_words
from geosite.model.scenario import Tenure
from geosite.tenure import Shown
from tests.toyworld import ALBERS

ACRE = 4046.8564224


def frame(*shapes):
    return gpd.GeoDataFrame(geometry=list(shapes), crs=ALBERS)


def box(left, right):
    return shapely.box(left, 0, right, 100)


def status(value, *shapes, otherwise=None, covered=None, column="mineral_status"):
    entry = Tenure(column=column, layer="land/some", value=value, otherwise=otherwise)
    return Shown(entry, frame(*shapes), covered)


def shares(*shown, claims=None, said="unknown"):
    """Percent of a square by tenure."""
    found = tenure_acres(np.array([box(0, 100)], object), shown, claims, [said])
    assert list(found) == list(TENURES)
    return [round(v * ACRE / 100, 6) for v in found.iloc[0]]


def test_nothing_is_known_until_layers_say_so():
    assert shares() == [0, 0, 0, 100]
    # Open to location, but nobody can tell whether it is claimed.
    assert shares(said="open") == [0, 0, 0, 100]
    assert shares(said="open", claims=Claims(frame())) == [100, 0, 0, 0]


def test_withdrawn_goes_before_claimed_and_claimed_before_open():
    closed = status("withdrawn", box(0, 30), otherwise="open")
    assert shares(closed, claims=Claims(frame(box(20, 50), box(40, 60)))) == [40, 30, 30, 0]


def test_segregated_land_is_closed_as_well():
    assert shares(status("segregated", box(0, 25)), claims=Claims(frame())) == [0, 0, 25, 75]


def test_claims_speak_only_for_the_land_that_their_layer_covers():
    closed = status("withdrawn", box(0, 10), otherwise="open")
    claims = Claims(frame(box(20, 40)), covered=box(0, 60))
    assert shares(closed, claims=claims) == [30, 20, 10, 40]


def test_a_claim_on_land_of_unknown_status_is_a_claim():
    assert shares(claims=Claims(frame(box(0, 20)))) == [0, 20, 0, 80]


def test_other_columns_say_nothing_of_it():
    origin = status("acquired", box(0, 100), column="land_origin")
    assert shares(origin, claims=Claims(frame())) == [0, 0, 0, 100]


def test_the_first_that_tells_of_a_piece_decides():
    one = status("open", box(0, 50))
    two = status("withdrawn", box(0, 100))
    assert shares(one, two, claims=Claims(frame())) == [50, 0, 50, 0]


def test_no_part_has_the_same_columns():
    found = tenure_acres(np.empty(0, object), [], Claims(frame()), [])
    assert list(found) == list(TENURES)
    assert found.empty


intervals = st.lists(
    st.tuples(st.integers(-20, 110), st.integers(1, 60)).map(lambda t: box(t[0], t[0] + t[1])),
    max_size=4,
)


@given(intervals, intervals, st.sampled_from(("open", "unknown", "withdrawn")), st.booleans())
def test_acres_sum_to_the_part(withdrawn, claimed, said, there):
    parts = np.array([box(0, 100), box(50, 80), shapely.box(-30, -30, 40, 40)], object)
    claims = Claims(frame(*claimed), covered=box(0, 70)) if there else None
    found = tenure_acres(parts, [status("withdrawn", *withdrawn)], claims, [said] * 3)
    np.testing.assert_allclose(found.sum(axis=1), shapely.area(parts) / ACRE, rtol=1e-9)
    assert (found >= 0).all(axis=None)


@given(intervals, intervals)
def test_another_claim_never_opens_land(claimed, more):
    parts = np.array([box(0, 100)], object)
    land = [status("withdrawn", box(0, 10), otherwise="open")]
    one, two = (
        tenure_acres(parts, land, Claims(frame(*some)), ["unknown"])
        for some in (claimed, claimed + more)
    )
    assert two["open"][0] <= one["open"][0] + 1e-9
    assert two["claimed"][0] >= one["claimed"][0] - 1e-9


@pytest.mark.parametrize(("opened", "lacking"), [(0.0, "2,000"), (1999.0, "1")])
def test_what_is_lacking_is_said_with_its_case(opened, lacking):
    words = tenure_words(2000.0, opened)
    assert words.startswith(f"{lacking} of 2,000 acres")
    assert ROSEMONT in words
    assert "33 F.4th 1202" in ROSEMONT
