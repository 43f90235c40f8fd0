"""Laws of the evidence surface, on a belt of deposits."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geosite.prospectivity import RingSums, likelihood, per_commodity, plain_sum, removed_near
from tests.prospectivity.worlds import SPEC, belt, gravel, ground, table

LAND = ground()
BELT = belt(LAND)
FOUND = likelihood(BELT, LAND, SPEC)


def test_likelihood_is_a_share_beside_its_uncertainty():
    assert FOUND.values.dtype == FOUND.uncertainty.dtype == np.float32
    assert ((FOUND.values > 0) & (FOUND.values < 1)).all()
    assert ((FOUND.uncertainty >= 0) & (FOUND.uncertainty < 0.5)).all()
    assert FOUND.rank.mean() == pytest.approx(0.5, abs=1e-5)
    assert FOUND.report["method"] == "logistic model beside weighted kernels"


def test_the_belt_is_likelier_than_the_rest():
    assert FOUND.values[:, 27:33].min() > FOUND.values[:, :5].max()
    assert FOUND.rank[:, 28:32].mean() > 0.85


def test_same_input_same_answer():
    again = likelihood(BELT, LAND, SPEC)
    assert again.values.tobytes() == FOUND.values.tobytes()
    assert again.uncertainty.tobytes() == FOUND.uncertainty.tobytes()


def test_the_order_of_the_records_says_nothing():
    mixed = BELT.sample(frac=1, random_state=4)
    assert likelihood(mixed, LAND, SPEC).values == pytest.approx(FOUND.values, abs=1e-3)


@given(st.integers(-300, 300), st.integers(-300, 300))
@settings(deadline=None, max_examples=3)
def test_shifting_the_world_shifts_the_answer(columns, rows):
    moved = ground(column=columns, row=rows)
    records = BELT.assign(x=BELT["x"] + 1000 * columns, y=BELT["y"] - 1000 * rows)
    assert likelihood(records, moved, SPEC).values == pytest.approx(FOUND.values, abs=1e-3)


@given(st.integers(0, 59), st.integers(0, 59), st.integers(1, 200))
@settings(deadline=None, max_examples=5)
def test_gravel_pits_do_not_raise_the_likelihood_round_them(column, row, count):
    left, _, _, top = LAND.grid.bounds
    pits = gravel(left + 1000 * column + 500, top - 1000 * row - 500, count)
    more = likelihood(pd.concat([BELT, pits], ignore_index=True), LAND, SPEC)
    far = np.hypot(*np.ogrid[-row : 60 - row, -column : 60 - column])
    # Nearer is the hole, where nothing recorded counts, pits no more than ore.
    near = (far > 4) & (far <= 8)
    # The fit to the other signs moves a little, too.
    assert (more.values[near] <= FOUND.values[near] + 0.02).all()


def test_what_is_recorded_at_a_place_does_not_flatter_it():
    left, _, _, top = LAND.grid.bounds
    spec = SPEC.model_copy(update={"least_known": 10_000})
    here = table([{"x": left + 5500, "y": top - 5500, "weight": 0.9, "evidence_class": "unknown"}])
    before = likelihood(BELT, LAND, spec)
    after = likelihood(pd.concat([BELT, here], ignore_index=True), LAND, spec)
    assert after.values[5, 5] <= before.values[5, 5]
    assert after.values[5, 10] > before.values[5, 10]


def test_a_record_beyond_reach_changes_nothing():
    left, _, _, top = LAND.grid.bounds
    spec = SPEC.model_copy(update={"least_known": 10_000})
    far = table([{"x": left - 30_000, "y": top - 5500, "weight": 0.9}])
    before = likelihood(BELT, LAND, spec)
    after = likelihood(pd.concat([BELT, far], ignore_index=True), LAND, spec)
    assert after.values == pytest.approx(before.values, abs=1e-5)


def test_a_state_that_records_more_is_not_better_for_it():
    land = ground(two=True)
    left, bottom, right, top = land.grid.bounds
    rng = np.random.default_rng(7)
    east = rng.uniform([(left + right) / 2, bottom], [right, top], (3000, 2))
    crowd = table([{"x": x, "y": y} for x, y in east.tolist()])
    found = likelihood(pd.concat([belt(land), crowd], ignore_index=True), land, SPEC)
    for part in (found.values[:, :30], found.values[:, 30:]):
        assert np.median(part) < 0.6
    assert found.rank[:, :30].mean() == pytest.approx(found.rank[:, 30:].mean(), abs=1e-5)


def test_few_records_of_a_commodity_fall_back_on_kernels():
    left, _, _, top = LAND.grid.bounds
    tin = [
        {"name": "T", "x": left + 10_000, "y": top - 10_000, "commodities": ("tin",), "weight": 0.7}
    ]
    records = pd.concat([BELT, table(tin)], ignore_index=True)
    found = per_commodity(records, LAND, SPEC, "tin")
    assert found.report["method"] == "weighted kernels"
    assert "fewer than 20" in found.report["not_fitted"]
    assert found.values[10, 15] > found.values[40, 40]
    assert np.median(found.uncertainty) > np.median(FOUND.uncertainty)


def test_a_commodity_with_deposits_is_fitted():
    found = per_commodity(BELT, LAND, SPEC, "gold")
    assert found.report["method"] == FOUND.report["method"]
    assert any(n.startswith("commodity_") for n in found.report["coefficients"])


def test_no_record_at_all_is_ordinary_land():
    nothing = likelihood(BELT.iloc[:0], LAND, SPEC)
    assert (nothing.values == 0.5).all()


def test_the_plain_sum_counts_every_record_alike():
    both = plain_sum(BELT, LAND)
    assert both == pytest.approx(plain_sum(BELT.assign(weight=0.5), LAND))
    assert plain_sum(BELT.assign(weight=0.5), LAND, weighted=True) == pytest.approx(both / 2)
    assert plain_sum(BELT.assign(asked=False), LAND).max() == 0


def test_water_is_judged_by_nobody():
    land = LAND.land.copy()
    land[:, :10] = False
    found = likelihood(BELT, dataclasses.replace(LAND, land=land), SPEC)
    assert np.isnan(found.values[:, :10]).all()
    assert np.isfinite(found.values[:, 10:]).all()


def test_a_held_out_deposit_is_found_by_its_belt():
    one = BELT[BELT["name"] == "D007"]
    left = removed_near(BELT, one[["x", "y"]].to_numpy(float), SPEC.leak)
    found = likelihood(left, LAND, SPEC)
    at = LAND.cells_of(one[["x", "y"]].to_numpy(float))
    assert found.rank[LAND.land][at[0]] > 0.7


def test_surfaces_that_share_their_kernels_are_the_same():
    sums = RingSums(LAND.grid, SPEC.widths)
    shared = likelihood(BELT, LAND, SPEC, sums)
    np.testing.assert_array_equal(shared.values, FOUND.values)
    for _ in range(2):  # what one surface leaves in the kernels must not tell on the next
        one = per_commodity(BELT, LAND, SPEC, "gold", sums)
        np.testing.assert_array_equal(one.values, per_commodity(BELT, LAND, SPEC, "gold").values)
