import geopandas as gpd
import numpy as np
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geosite import segments
from geosite.grid import SUBCELLS
from geosite.segments import Shapes
from tests.toyworld import ALBERS, toygrid


def drawn(seed, count):
    """Lines of all lengths, some of them hundreds of rows high, wherever the seed says."""
    rng = np.random.default_rng(seed)
    starts = rng.integers(-90_000, 90_000, (count, 2)).astype(float)
    lengths = 10.0 ** rng.uniform(0, 5, (count, 1)) * rng.choice([-1, 1], (count, 2))
    lines = shapely.linestrings(np.stack([starts, starts + lengths], axis=1))
    return gpd.GeoDataFrame(geometry=lines, crs=ALBERS)


@given(
    st.integers(0, 10**6),
    st.integers(0, 30),
    st.tuples(st.integers(-900, 900), st.integers(-900, 900)),
    st.sampled_from([(1, 1), (300, 10), (700, 900)]),
)
def test_a_window_sees_each_segment_that_meets_its_rows_once(seed, count, corner, shape):
    grid = toygrid(*shape, row=corner[0], column=corner[1])
    shapes = Shapes.of(drawn(seed, count), grid, "line")
    found = shapes.segments(grid)
    edges = shapes.edges - np.array([grid.column, grid.row] * 2) * SUBCELLS
    low = np.minimum(edges[:, :2], edges[:, 2:])
    high = np.maximum(edges[:, :2], edges[:, 2:])
    meets = (low <= np.array(shape[::-1]) * SUBCELLS).all(axis=1) & (high >= 0).all(axis=1)
    assert sorted(found.tolist()) == sorted(edges[meets].tolist())


def test_a_polygon_left_of_the_window_matters_and_one_right_of_it_does_not():
    squares = [shapely.box(x, -300, x + 100, -100) for x in (0, 900)]
    frame = gpd.GeoDataFrame(geometry=squares, crs=ALBERS)
    grid = toygrid(3, 2, column=4)
    assert len(Shapes.of(frame, grid, "polygon").segments(grid)) == 4


def test_a_layer_of_nothing_has_no_segment_anywhere():
    empty = Shapes.of(gpd.GeoDataFrame(geometry=[], crs=ALBERS), toygrid(2, 2), "line")
    assert empty.segments(toygrid(2, 2)).shape == (0, 4)


def test_long_segments_are_listed_in_every_band_they_reach():
    edges = np.array([[0, 0, 0, 5 * segments._BAND], [0, 10, 9, 20]])
    bands = segments._Bands.of(edges)
    assert sorted(bands.meeting(0, 10)) == [0, 1]
    for k in range(1, 6):
        assert bands.meeting(k * segments._BAND, k * segments._BAND + 5).tolist() == [0]
    assert bands.meeting(6 * segments._BAND, 7 * segments._BAND).tolist() == []
