import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geosite.constraints import RULES_PER_PLANE
from geosite.pieces import (
    BINS,
    KEYS,
    Piece,
    anchor_cell,
    anchor_code,
    border,
    lattice_step,
    piece_table,
    quantile_from_bins,
    rule_set_table,
    summed_pieces,
    summed_rule_sets,
)
from tests.strategies import rule
from tests.test_inputs import criterion, falling
from tests.toyworld import toygrid

NUMBER = criterion("rail", "distance", falling("0 m", "9 m"), "x/rail")
CHOICE = criterion(
    "zone", "category", {"kind": "categorical", "scores": {"a": 1, "b": 0}}, "x/zone"
)
READINGS = (NUMBER, CHOICE, None)
RULES = 40
"""More than fit in one plane."""


def drawn(seed, side=6):
    """Every value of every cell of a square of land."""
    rng, shape = np.random.default_rng(seed), (side, side)

    def thousandths(*lead):
        values = rng.integers(0, 1001, (*lead, *shape)) / 1000
        return np.where(rng.random(values.shape) < 0.2, np.nan, values)

    measures = np.full((3, *shape), np.nan)
    measures[0] = thousandths() * 7000
    measures[1] = rng.choice([0.0, 1.0, np.nan], shape)
    return {
        "piece": rng.integers(0, 4, shape, dtype=np.int32),
        "parcel": rng.integers(1, 3, shape, dtype=np.int32),
        "unknown": rng.random(shape) < 0.5,
        "measures": measures,
        "effective": thousandths(3),
        "suited": thousandths(),
        "planes": rng.integers(0, 2**64, (2, *shape), dtype=np.uint64),
    }


lands = st.builds(drawn, st.integers(0, 10**6))
few = settings(max_examples=8)


def table(land, grid, window, max_area=None):
    here = grid.window(window)
    values = {name: a[(..., *here)] for name, a in land.items()}
    at = np.argwhere(values["piece"] > 0)
    cells = {name: a[(..., *at.T)] for name, a in values.items()}
    return piece_table(Piece(window=window, at=at, **cells), READINGS, RULES, max_area)


@few
@given(lands, st.sampled_from((2, 3, 5)), st.sampled_from((None, 4.0)), st.randoms())
def test_sums_hang_on_no_tiling_and_no_order(land, size, max_area, random):
    grid = toygrid(6, 6, row=-5, column=-3)
    tiles = [table(land, grid, window, max_area) for window in grid.tiles(size)]
    random.shuffle(tiles)
    whole = summed_pieces([table(land, grid, grid, max_area)])
    pd.testing.assert_frame_equal(summed_pieces(tiles), whole)
    assert (whole.dtypes == np.int64).all()


@few
@given(lands)
def test_every_sum_is_that_of_its_cells(land):
    grid = toygrid(6, 6, row=-5, column=-3)
    found = table(land, grid, grid)
    assert found[KEYS].drop_duplicates().shape[0] == len(found)
    for row in found.to_dict("records"):
        here = (land["piece"] == row["piece"]) & (land["parcel"] == row["parcel"])
        assert row["cells"] == here.sum()
        assert row["unknown"] == (here & land["unknown"]).sum()
        assert row["lattice"] == 0
        first = np.argwhere(here)[0] + [grid.row, grid.column]
        assert anchor_cell(row["anchor"]) == tuple(first)
        suited = land["suited"][here]
        assert row["surface_n"] == (~np.isnan(suited)).sum()
        assert row["surface_sum"] == round(np.nansum(suited) * 1e6)
        for i in range(3):
            assert row[f"e{i}_n"] == (~np.isnan(land["effective"][i][here])).sum()
            assert row[f"e{i}_sum"] == round(np.nansum(land["effective"][i][here]) * 1e6)
        assert row["m0_sum"] == round(np.nansum(land["measures"][0][here]) * 1e3)
        assert [row["c1_0"], row["c1_1"]] == [
            (land["measures"][1][here] == k).sum() for k in (0, 1)
        ]
        assert row["m2_n"] == 0
        for r in (0, 31, 32, 39):
            bits = land["planes"][r // 32][here] >> np.uint64(2 * (r % 32))
            assert row[f"against{r}"] == (bits & np.uint64(1)).sum()
            assert row[f"unsure{r}"] == (bits >> np.uint64(1) & np.uint64(1)).sum()
        assert sum(row[f"h{b}"] for b in range(BINS)) == row["surface_n"]


def test_a_table_of_no_cells_has_the_same_columns():
    grid = toygrid(6, 6)
    land = {
        "piece": np.zeros((6, 6), np.int32),
        "parcel": np.ones((6, 6), np.int32),
        "unknown": np.zeros((6, 6), bool),
        "measures": np.zeros((3, 6, 6)),
        "effective": np.zeros((3, 6, 6)),
        "suited": np.zeros((6, 6)),
        "planes": np.zeros((2, 6, 6), np.uint64),
    }
    none = table(land, grid, grid)
    land["piece"] += 1
    assert [*none] == [*table(land, grid, grid)]
    assert none.empty
    assert summed_pieces([none, none]).empty
    assert {*summed_pieces([none])} == {*none}


@given(st.integers(-(2**29), 2**29), st.integers(-(2**29), 2**29))
def test_a_cell_has_one_number_and_a_number_one_cell(row, column):
    assert anchor_cell(int(anchor_code(np.int64(row), np.int64(column)))) == (row, column)


@given(st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=2, max_size=2))
def test_numbers_of_cells_are_in_reading_order(cells):
    codes = [int(anchor_code(np.int64(r), np.int64(c))) for r, c in cells]
    assert (codes[0] < codes[1]) == (cells[0] < cells[1])


@given(st.floats(1, 10_000), st.sampled_from((30.0, 90.0, 100.0, 250.0)))
def test_a_square_of_the_lattice_is_not_too_large(area, resolution):
    step = lattice_step(area, resolution)
    assert step >= 1
    if step > 1:
        assert (step * resolution) ** 2 / 10_000 <= area * (1 + 1e-12)


# ── the quantile ──────────────────────────────────────────────────────────────────────────────
@given(
    st.lists(st.integers(0, 1000).map(lambda n: n / 1000), min_size=1, max_size=60),
    st.sampled_from((0.5, 0.9, 1.0)),
)
def test_a_quantile_from_bins_is_the_quantile_to_the_width_of_a_bin(values, q):
    bins = np.minimum(np.array(values) * BINS, BINS - 1).astype(int)
    found = quantile_from_bins(np.bincount(bins, minlength=BINS)[None, :], q)[0]
    exact = np.quantile(values, q, method="inverted_cdf")
    assert -1e-9 <= found - exact <= 1 / BINS + 1e-9


def test_a_quantile_of_nothing_is_unknown():
    counts = np.zeros((2, BINS), np.int64)
    counts[1, 100] = 3
    assert np.isnan(quantile_from_bins(counts, 0.9)[0])
    assert quantile_from_bins(counts, 0.9)[1] == pytest.approx(0.505)


# ── rule sets ─────────────────────────────────────────────────────────────────────────────────
TREATMENTS = tuple(
    rule(f"r{k}", mine).mine
    for k, mine in enumerate(
        [{"tier": "exclude"}, {"tier": "flag"}, {"tier": "include", "case": "1"}] * 13
    )
)


@few
@given(lands, st.sampled_from((2, 3, 5)))
def test_sets_of_rules_hang_on_no_tiling_and_lose_no_cell(land, size):
    grid = toygrid(6, 6)
    parcel, gate = land["piece"], land["unknown"]

    def sets(window):
        r, c = grid.window(window)
        planes = np.ascontiguousarray(land["planes"][:, r, c])
        return rule_set_table(parcel[r, c], planes, TREATMENTS, gate[r, c])

    whole = sets(grid)
    pd.testing.assert_frame_equal(summed_rule_sets([sets(w) for w in grid.tiles(size)]), whole)
    assert whole["cells"].sum() == (parcel > 0).sum()
    assert whole["evidence"].sum() == ((parcel > 0) & gate).sum()
    assert not whole.duplicated(["parcel", "plane0", "plane1"]).any()


def test_soft_rules_and_doubt_make_no_set():
    planes = np.zeros((2, 1, 4), np.uint64)
    planes[0, 0] = [0b1, 0b11, 0b101, 0b10001]  # exclude; and unsure; and flag; and include
    planes[1, 0, 3] = np.uint64(1) << np.uint64(2 * (33 - RULES_PER_PLANE))
    found = rule_set_table(np.ones((1, 4), np.int32), planes, TREATMENTS, np.ones((1, 4), bool))
    assert found["plane0"].tolist() == [0b1, 0b10001]
    assert found["cells"].tolist() == [3, 1]
    assert found["plane1"].tolist() == [0, 0b100]


def test_the_border_is_top_bottom_left_right():
    labels = np.arange(6, dtype=np.int32).reshape(2, 3)
    found = border(labels, labels * 10)
    assert [b[0].tolist() for b in found] == [[0, 1, 2], [3, 4, 5], [0, 3], [2, 5]]
    assert all((b[1] == b[0] * 10).all() for b in found)
