import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geosite.deposits import LINEAGE_COLUMNS, deposits, lineage, name_key
from tests.test_occurrences import SPEC, found, layer, records


def merged(*rows, **same):
    return deposits(found((layer(), records(*rows, **same))), SPEC)


# ── from records to deposits ──────────────────────────────────────────────────────────────────
def test_records_that_lie_together_are_one_deposit_named_by_its_strongest_named_record():
    table = merged(
        (0, 0, {"evidence_class": "reserve", "record_id": "r1", "commodities": "Gold"}),
        (300, 400, {"name": "North", "record_id": "r2", "commodities": "RE"}),
        (-400, 0, {"name": "Adit", "record_id": "r3", "evidence_class": "prospect"}),
        (300, 401, {"name": "Far", "record_id": "r4"}),
    )
    assert table["name"].tolist() == ["North", "Far"]
    assert table["records"].tolist() == [3, 1]
    first = table.iloc[0]
    assert (first["x"], first["y"]) == (0, 0)
    assert first["commodities"] == ("gold", "rhenium")
    assert first["record_ids"] == ("r1", "r2", "r3")
    assert first["evidence_class"] == "reserve"
    assert first["layers"] == ("minerals/mrds",)


def test_a_chain_of_records_is_not_one_deposit():
    table = merged(*((400 * k, 0, {"name": f"claim {k}"}) for k in range(10)))
    assert len(table) == 5
    assert table["records"].tolist() == [2] * 5


def test_a_gate_opened_by_any_record_is_the_deposits():
    table = merged(
        (0, 0, {"evidence_class": "reserve", "quality": "D"}),
        (100, 0, {"evidence_class": "occurrence", "quality": "A"}),
    )
    assert table["weight"].tolist() == [0.3]
    assert table["accepted"].tolist() == [True]


def test_a_gate_opens_where_the_record_lies_that_opens_it():
    # The centroid of a basin, and a place in it that was seen: one name, 4 km apart.
    table = merged(
        (0, 0, {"name": "Dry Lake", "evidence_class": "reserve", "quality": "D"}),
        (4000, 0, {"name": "Dry Lake", "evidence_class": "occurrence", "quality": "A"}),
    )
    (deposit,) = table.to_dict("records")
    assert deposit["evidence_class"] == "reserve"
    assert deposit["accepted"]
    assert (deposit["x"], deposit["y"]) == (4000, 0)


def test_each_layer_is_as_good_as_its_best_record():
    one = records((0, 0, {"quality": "E"}), (10, 0, {"quality": "B"}), evidence_class="resource")
    two = records((20, 0, {"quality": "D"}), evidence_class="prospect")
    table = deposits(found((layer(), one), (layer("minerals/usmin"), two)), SPEC)
    assert table["records"].tolist() == [3]
    assert sorted(table["layer_qualities"][0]) == ["B", "D"]


# ── names ─────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("Boss mine", "Boss Mine"),
        ("Boss mine", "The Boss"),
        ("Boss Mine (Copper)", "BOSS NO. 2"),
        ("Boss #3 Prospect", "boss deposit"),
        ("King & Queen claims", "King and Queen Group"),
        ("O'Brien Mine", "OBrien"),
        ("St. Anthony", "St Anthony Shaft"),
    ],
)
def test_one_name_is_written_in_many_ways(one, two):
    assert name_key(one) == name_key(two) != ""


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Unnamed prospect",
        "Mine No. 2",
        "unknown",
        "(none)",
        "12",
        "Copper occurrence",
        "Gold Placer",
        "Unnamed or NA",
        "Unidentified Workings",
        "Reported Occurrences",
        "Unknown - Zn, Pb",
        "Unnamed Lead Mine No. 3",
        "Surface workings",
        "Name unknown",
    ],
)
def test_a_name_that_any_place_may_have_is_no_name(name):
    assert not name_key(name)


@pytest.mark.parametrize("name", ["Gold Hill", "Copper King", "Leadville", "Tungsten Queen No. 2"])
def test_what_is_dug_is_part_of_a_name(name):
    assert name_key(name)


@pytest.mark.parametrize(("one", "two"), [("Boss", "Big Boss"), ("North Star", "South Star")])
def test_other_names_stay_other_names(one, two):
    assert name_key(one) != name_key(two)


BOSS = {"name": "Boss mine", "evidence_class": "reserve"}


@pytest.mark.parametrize(
    ("metres", "other", "number"),
    [
        (4999, {"name": "BOSS No. 2"}, 1),
        (5001, {"name": "BOSS No. 2"}, 2),
        (4999, {"name": "Boss", "commodities": "RE"}, 2),
        (4999, {"name": "Boss", "commodities": "RE; Gold"}, 1),
        (499, {"name": "Boss", "commodities": "RE"}, 1),
        (499, {"name": "Chief"}, 1),
        (501, {"name": "Chief"}, 2),
        (501, {"name": ""}, 2),
    ],
)
def test_a_name_reaches_farther_than_a_place(metres, other, number):
    assert len(merged((0, 0, BOSS), (metres, 0, other))) == number


def test_places_without_a_name_are_not_one_by_it():
    unnamed = {"name": "Unnamed prospect"}
    assert len(merged((0, 0, unnamed), (2000, 0, unnamed))) == 2


def test_two_names_at_one_place_are_both_kept():
    table = merged((0, 0, BOSS), (10, 0, {"name": "Chief"}))
    assert table["names"].tolist() == [("Boss mine", "Chief")]
    assert table["name"].tolist() == ["Boss mine"]


def test_a_deposit_says_what_any_of_its_records_states():
    table = merged(
        (0, 0, BOSS | {"tonnage_mt": np.nan}),
        (10, 0, {"tonnage_mt": 2.0, "grade": "1 %", "status": "closed", "url": "there"}),
    )
    row = table.iloc[0]
    assert (row["tonnage_t"], row["grade"], row["status"], row["url"]) == (
        2e6,
        "1 %",
        "closed",
        "there",
    )


def test_plants_and_what_was_not_asked_for_are_no_part_of_a_deposit():
    frame = records(
        (0, 0, BOSS), (1, 0, {"evidence_class": "plant"}), (2, 0, {"commodities": "RE"})
    )
    table = deposits(found((layer(), frame), asked=["gold"]), SPEC)
    assert table["records"].tolist() == [1]


# ── laws ──────────────────────────────────────────────────────────────────────────────────────
@st.composite
def belt(draw):
    """Records on a line, near enough to chain, some of one name."""
    row = st.fixed_dictionaries(
        {
            "name": st.sampled_from(["", "Boss", "Boss mine", "Chief", "Unnamed"]),
            "record_id": st.sampled_from(["1", "2"]),
            "evidence_class": st.sampled_from(["reserve", "prospect"]),
            "commodities": st.sampled_from(["Gold", "RE", "Gold; RE", "sand"]),
        }
    )
    place = st.integers(0, 40).map(lambda n: n * 300)
    return draw(st.lists(st.tuples(place, st.just(0), row), min_size=1, max_size=12))


@settings(max_examples=25)
@given(belt())
def test_the_records_of_the_deposits_are_the_occurrences(rows):
    table = found((layer(), records(*rows)))
    made = deposits(table, SPEC)
    parts = [i for rows in made["rows"] for i in rows]
    assert sorted(parts) == np.flatnonzero(table["asked"]).tolist()
    assert made["records"].tolist() == [len(r) for r in made["rows"]]
    assert (np.diff(made["weight"]) <= 0).all()
    for x, members in zip(made["x"], made["rows"], strict=True):
        far = (table["x"].iloc[list(members)] - x).abs().max()
        assert far <= SPEC.merge_same_name_within + SPEC.merge_within
    told = lineage(table, made)
    assert [*told] == list(LINEAGE_COLUMNS)
    assert told["deposit"].value_counts().sort_index().tolist() == made["records"].tolist()
    assert told.loc[told["founder"], "x"].tolist() == made["x"].tolist()


@settings(max_examples=25)
@given(belt())
def test_merging_again_merges_nothing(rows):
    table = found((layer(), records(*rows)))
    made = deposits(table, SPEC)
    heads = table.iloc[[rows[0] for rows in made["rows"]]].reset_index(drop=True)
    again = deposits(heads, SPEC)
    assert again["records"].tolist() == [1] * len(made)
    assert again["x"].tolist() == made["x"].tolist()


@settings(max_examples=25)
@given(belt())
def test_a_record_far_away_changes_nothing(rows):
    near = deposits(found((layer(), records(*rows))), SPEC)
    far = (9e5, 0, {"name": "Boss", "evidence_class": "resource", "commodities": "Gold; RE"})
    other = deposits(found((layer(), records(*rows, far))), SPEC)
    other = other[other["x"] < 9e5].reset_index(drop=True)
    pd.testing.assert_frame_equal(near.drop(columns="rows"), other.drop(columns="rows"))


@settings(max_examples=15)
@given(belt(), belt())
def test_the_order_of_the_layers_is_not_seen_in_the_deposits(one, two):
    a, b = (layer("a"), records(*one)), (layer("b"), records(*two))
    pd.testing.assert_frame_equal(deposits(found(a, b), SPEC), deposits(found(b, a), SPEC))
