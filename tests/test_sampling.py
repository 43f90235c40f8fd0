import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from geosite import sampling

SHAPES = st.tuples(st.integers(1, 9), st.integers(1, 9))


def sampled(values, columns, rows, *, nodata=np.nan, nearest=False):
    """Values at the nodes themselves: each is the centre of a window of one cell."""
    out = np.empty(columns.shape, np.float32)
    for at in np.ndindex(columns.shape):
        # A node a cell, and both its neighbours at the same place.
        nodes = np.repeat([columns[at], rows[at]], 4).reshape(2, 2, 2).astype(float)
        out[at] = sampling.sampled(
            values,
            nodata,
            nodes,
            first=(0, 0, 0, 0),
            step=1,
            samples=1,
            nearest=nearest,
            offset=(0, 0),
            shape=(1, 1),
        )[0, 0]
    return out


QUARTERS = st.integers(-6, 30).map(lambda n: n / 4)


@given(
    arrays(np.float32, SHAPES, elements=st.integers(-9, 99).map(float)),
    arrays(float, (2, 2, 4), elements=QUARTERS),
)
def test_between_cell_centres_values_are_bilinear(values, at):
    columns, rows = at
    expected = ndimage.map_coordinates(
        values.astype(float), [rows - 0.5, columns - 0.5], order=1, cval=np.nan, prefilter=False
    )
    assert sampled(values, columns, rows) == pytest.approx(expected, nan_ok=True, rel=1e-6)


@pytest.mark.parametrize("nodata", [-9999.0, np.nan])
def test_what_is_next_to_nodata_is_not_known(nodata):
    values = np.arange(12, dtype=np.float32).reshape(3, 4)
    values[1, 2] = nodata
    y, x = np.indices((9, 13)) / 4 + 0.5
    found = sampled(values, x, y, nodata=nodata)
    # A weight above zero on the missing cell, whose centre is at column 2.5, row 1.5.
    lost = (np.abs(x - 2.5) < 1) & (np.abs(y - 1.5) < 1)
    assert (np.isnan(found) == lost).all()
    assert found[~lost] == pytest.approx((4 * (y - 0.5) + (x - 0.5))[~lost])


def test_a_code_is_that_of_the_pixel_that_holds_the_place():
    values = np.arange(12, dtype=np.uint8).reshape(3, 4)
    values[1, 2] = 255
    y, x = np.indices((14, 18)) / 4 - 0.25
    found = sampled(values, x, y, nodata=255, nearest=True)
    inside = (x >= 0) & (x < 4) & (y >= 0) & (y < 3)
    expected = 4 * np.floor(y) + np.floor(x)
    known = inside & (expected != 6)
    assert (found == expected)[known].all()
    assert np.isnan(found[~known]).all()
