"""Every asked record is in one kind of evidence; gravel is effort and nothing else."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geosite.errors import LayerDataError
from geosite.model.prospectivity import Prospectivity
from geosite.prospectivity import known_deposits, removed_near
from geosite.prospectivity.strata import EFFORT, WEIGHTED, strata
from tests.prospectivity.worlds import table

SPEC = Prospectivity()
record = st.fixed_dictionaries(
    {
        "x": st.integers(0, 9000).map(float),
        "y": st.integers(0, 9000).map(float),
        "evidence_class": st.sampled_from(["resource", "prospect", "unknown"]),
        "quality": st.sampled_from("ABCDE"),
        "weight": st.sampled_from([0.0, 0.1, 0.3, 0.9]),
        "asked": st.booleans(),
        "commodities": st.sampled_from([("gold",), ("gold", "silver"), ("sand",)]),
        "name": st.sampled_from(["", "A", "B"]),
    }
)


@given(st.lists(record, min_size=1, max_size=8))
def test_every_record_is_in_one_kind(rows):
    records = table(rows)
    kinds = [
        s for s in strata(records, SPEC) if s.name != WEIGHTED and not s.name.startswith("family_")
    ]
    assert np.sum([s.rows for s in kinds], axis=0).tolist() == [1] * len(records)
    effort = [s.rows for s in kinds if s.name == EFFORT]
    assert not effort or (effort[0] == ~records["asked"].to_numpy()).all()


def test_a_plant_says_nothing_of_the_ground_nor_of_where_people_looked():
    mill = {"evidence_class": "plant", "asked": False, "weight": 0.0}
    records = table([{"x": 0.0, "y": 0.0}, {"x": 5.0, "y": 5.0, **mill}])
    assert not any(s.rows[1] for s in strata(records, SPEC) if s.name != WEIGHTED)
    assert EFFORT not in {s.name for s in strata(records, SPEC)}


def test_a_family_counts_a_record_of_several_commodities_in_each():
    records = table([{"x": 0.0, "y": 0.0, "commodities": ("gold", "silver")}])
    names = {s.name for s in strata(records, SPEC)}
    assert {"family_gold", "family_silver"} <= names
    assert "family_copper" not in names


def test_a_large_layer_is_a_stratum_and_a_small_one_is_not():
    rows = [{"x": 0.0, "y": 0.0, "layer": "a/large"}] * 100 + [{"x": 0.0, "y": 0.0, "layer": "b"}]
    names = {s.name for s in strata(table(rows), SPEC)}
    assert "layer_a/large" in names
    assert "layer_b" not in names


@given(st.lists(record, min_size=1, max_size=8))
def test_known_deposits_are_named_asked_and_apart(rows):
    found = known_deposits(table(rows), SPEC)
    assert found["asked"].all()
    assert (found["name"] != "").all()
    assert found["evidence_class"].isin(SPEC.known_classes).all()
    xy = found[["x", "y"]].to_numpy(float)
    gaps = np.hypot(*(xy[:, None] - xy[None]).T)[~np.eye(len(xy), dtype=bool)]
    assert (gaps > SPEC.merge_within).all()


@given(st.lists(record, min_size=1, max_size=8), st.integers(0, 5000))
def test_what_is_removed_is_near_and_what_stays_is_far(rows, distance):
    records, place = table(rows), np.array([[4000.0, 4000.0]])
    left = removed_near(records, place, distance)
    gap = np.hypot(left["x"] - 4000, left["y"] - 4000)
    assert (gap > distance).all()
    assert len(left) == (np.hypot(records["x"] - 4000, records["y"] - 4000) > distance).sum()


def test_a_table_without_its_columns_is_refused():
    with pytest.raises(LayerDataError, match="without weight, asked"):
        strata(table([{"x": 0.0, "y": 0.0}]).drop(columns=["weight", "asked"]), SPEC)
    assert removed_near(pd.DataFrame(), np.empty((0, 2)), 1.0).empty
