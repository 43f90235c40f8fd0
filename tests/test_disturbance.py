"""How much of an analysis area is disturbed: exact areas, each piece of land once."""

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geosite.disturbance import COLUMNS, OVER, UNSURE, WITHIN, disturbed, proposed_area
from tests.test_inputs import features, scenario

HECTARE = 100.0


def land(*boxes):
    """Boxes of hectares: x0, y0, x1, y1."""
    return features([shapely.box(*(HECTARE * np.array(b))) for b in boxes])


def judged(areas, existing, *, cap=5.0, proposed=1.0, known=True):
    return disturbed(areas, existing, cap=cap, proposed=proposed, known=np.full(len(areas), known))


SQUARE = land((0, 0, 10, 10)).assign(name="Valley")


@pytest.mark.parametrize(
    ("existing", "share", "standing"),
    [
        ([], 1.0, WITHIN),
        ([(0, 0, 2, 2)], 5.0, WITHIN),  # at the cap is not over it
        ([(0, 0, 2, 2), (5, 5, 5.5, 6)], 5.5, OVER),
        ([(0, 0, 2, 2), (0, 0, 2, 2)], 5.0, WITHIN),  # the same land twice
        ([(0, 0, 2, 2), (1, 1, 3, 2)], 6.0, OVER),
        ([(9, 9, 12, 12)], 2.0, WITHIN),  # only what is inside
    ],
)
def test_the_share_is_of_the_land_that_is_disturbed_with_what_is_proposed(
    existing, share, standing
):
    found = judged(SQUARE, land(*existing))
    assert tuple(found.columns[:-1]) == COLUMNS
    row = found.iloc[0]
    assert row["area"] == "Valley"
    assert row["area_ha"] == pytest.approx(100)
    assert row["share_pct"] == pytest.approx(share)
    assert row["standing"] == standing


def test_what_is_not_shown_could_only_add():
    assert judged(SQUARE, land((0, 0, 2, 2)), known=False)["standing"].tolist() == [UNSURE]
    assert judged(SQUARE, land((0, 0, 3, 3)), known=False)["standing"].tolist() == [OVER]
    found = judged(SQUARE, None, known=False)
    assert found["standing"].tolist() == [UNSURE]
    assert np.isnan(found["existing_ha"]).all()
    # A site larger than the cap allows needs no map of others.
    assert judged(SQUARE, None, proposed=5.1, known=False)["standing"].tolist() == [OVER]


def test_each_area_stands_by_itself_and_none_is_no_error():
    areas = land((0, 0, 10, 10), (10, 0, 20, 10), (5, 0, 15, 10))
    found = judged(areas, land((9, 0, 10, 9)))
    assert found["share_pct"].tolist() == pytest.approx([10, 1, 10])
    assert found["standing"].tolist() == [OVER, WITHIN, OVER]
    assert len(judged(areas[:0], land((0, 0, 1, 1)))) == 0


@given(
    st.lists(st.tuples(*[st.integers(0, 12)] * 2, *[st.integers(1, 5)] * 2), min_size=1, max_size=6)
)
def test_the_share_is_that_of_counted_squares(boxes):
    squares = np.zeros((20, 20), bool)
    for x, y, wide, high in boxes:
        squares[y : y + high, x : x + wide] = True
    existing = land(*[(x, y, x + w, y + h) for x, y, w, h in boxes])
    found = judged(SQUARE, existing, proposed=0.0)
    assert found["existing_ha"].iloc[0] == pytest.approx(squares[:10, :10].sum())
    assert (found["standing"].iloc[0] == OVER) == (squares[:10, :10].sum() > 5)


def test_a_site_would_add_its_footprint_or_else_the_smallest_site():
    assert proposed_area(scenario()) == 1
    assert proposed_area(scenario(footprint="30 ha")) == 30
    parcel = {"unit": "parcel", "pad": "4 ha", "max_parcel": "1000 ha"}
    assert proposed_area(scenario(sites=parcel)) == 4


def test_a_region_is_as_large_as_it_is_asked_for():
    region = {"unit": "region", "area": "6 ha", "max_parcel": "1000 ha"}
    assert proposed_area(scenario(sites=region)) == 6
