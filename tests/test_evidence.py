import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geosite.evidence import (
    OCCURRENCE_COLUMNS,
    asked_commodities,
    commodity_names,
    deposits,
    named_commodities,
    occurrences,
)
from geosite.model import Commodities, Evidence, Layer
from tests.test_inputs import evidence_section
from tests.toyworld import ALBERS

SPEC = Evidence.model_validate(evidence_section())


def _commodity(name, title, *names, lists=()):
    written = {"id": name, "title": title, "names": names, "lists": lists}
    return written | {"citation": "for a test only"}


TABLE = Commodities.model_validate(
    {
        "commodities": [
            _commodity("rhenium", "Rhenium", "RE", lists=["critical2025"]),
            _commodity("rare-earths", "Rare earths", "REE", lists=["critical2025", "eo14241"]),
            _commodity("gold", "Gold", "AU", lists=["eo14241"]),
            _commodity("kaolin", "Kaolin", "Clay, Kaolin"),
        ]
    }
)
NAMES = commodity_names(TABLE)
ALL = frozenset(NAMES.values())


def layer(name="mrds", **other):
    written = {
        "id": f"minerals/{name}",
        "title": name,
        "agency": "USGS",
        "purpose": "a test",
        "geometry": "point",
        "crs": "EPSG:5070",
        "sources": [{"kind": "file", "path": "x.csv"}],
        "absence": "not_informative",
        "vintage": "2025",
        "status": "synthetic",
        "licence": "none",
        "citation": "for a test only",
    }
    return Layer.model_validate(written | other)


def records(*rows, **same):
    """Records at (x, y) with attributes; a good record of gold if nothing is said."""
    usual = {"name": "", "record_id": "", "commodities": "Gold", "evidence_class": "resource"}
    usual |= {"quality": "A"} | same
    table = pd.DataFrame([usual | attributes for _, _, attributes in rows])
    return gpd.GeoDataFrame(table, geometry=[shapely.Point(x, y) for x, y, _ in rows], crs=ALBERS)


def found(*pairs, asked=ALL, spec=SPEC):
    return occurrences(pairs, asked, NAMES, spec)


def one(error=None, **attributes):
    """The only record there is."""
    table = found((layer(positional_accuracy=error), records((0, 0, attributes))))
    return table.iloc[0]


# ── what a record is about ────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("RE", ("rhenium",)),
        ("REE", ("rare-earths",)),
        ("re; ree", ("rare-earths", "rhenium")),
        ("Rare", ()),
        ("earths", ()),
        ("Gold", ("gold",)),
        ("Golden", ()),
        ("AU, REE", ("gold", "rare-earths")),
        ("AU,REE , RE", ("gold", "rare-earths", "rhenium")),
        ("Clay, Kaolin", ("kaolin",)),
        ("Clay, Kaolin; Gold", ("gold", "kaolin")),
        ("gold; GOLD; au", ("gold",)),
        ("Gold|RE", ("gold", "rhenium")),
        (" ; ,, ", ()),
        ("", ()),
        (None, ()),
        (float("nan"), ()),
    ],
)
def test_commodities_are_named_by_whole_words(text, expected):
    assert named_commodities(text, NAMES) == expected


@given(st.permutations(["RE", "Gold", "Clay, Kaolin", "unobtainium"]))
def test_the_order_of_names_in_a_record_says_nothing(parts):
    assert named_commodities("; ".join(parts), NAMES) == ("gold", "kaolin", "rhenium")


def test_a_scenario_asks_by_list_or_one_by_one():
    assert asked_commodities("eo14241", TABLE) == {"rare-earths", "gold"}
    assert asked_commodities("critical2025", TABLE) == {"rare-earths", "rhenium"}
    assert asked_commodities(("kaolin",), TABLE) == {"kaolin"}
    assert asked_commodities("critical2022", TABLE) == frozenset()


def test_what_was_not_asked_for_is_dropped_and_so_are_records_of_nothing_else():
    frame = records(
        (0, 0, {"commodities": "Gold; RE"}),
        (9e3, 0, {"commodities": "RE"}),
        (0, 9e3, {"commodities": "sand"}),
    )
    table = found((layer(), frame), asked=frozenset({"gold"}))
    assert table["commodities"].tolist() == [("gold",)]


# ── how good a record is ──────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("quality", ["", None, np.nan, "F", "good", "d"])
def test_an_unknown_quality_is_a_poor_one_and_opens_no_gate(quality):
    record = one(quality=quality)
    assert record["quality"] == "D"
    assert not record["accepted"]
    assert record["weight"] == pytest.approx(0.9 * 0.3)


@pytest.mark.parametrize(("quality", "accepted"), [("A", 1), ("b", 1), (" C ", 1), ("E", 0)])
def test_a_stated_quality_is_taken_at_its_word(quality, accepted):
    record = one(quality=quality)
    assert record["quality"] == quality.strip().upper()
    assert record["accepted"] == accepted


@pytest.mark.parametrize(
    ("error", "accepted"), [("0 m", 1), ("999 m", 1), ("1000 m", 1), ("1000.1 m", 0), (None, 1)]
)
def test_an_error_up_to_the_limit_is_accepted(error, accepted):
    record = one(error=error)
    assert record["accepted"] == accepted
    # The strength of the evidence does not hang on where it is.
    assert record["weight"] == pytest.approx(0.9)


@pytest.mark.parametrize("given_class", ["", "unknown", "producer", "rumour"])
def test_a_class_without_a_weight_weighs_nothing_and_opens_no_gate(given_class):
    record = one(evidence_class=given_class)
    assert record["weight"] == 0
    assert not record["accepted"]
    assert record["evidence_class"] == (given_class or "unknown")


def test_a_layer_may_have_none_of_the_columns_but_commodities():
    frame = gpd.GeoDataFrame({"commodities": ["Gold"]}, geometry=[shapely.Point(1, 2)], crs=ALBERS)
    record = found((layer(), frame)).iloc[0]
    assert (record["x"], record["y"], record["name"], record["quality"]) == (1, 2, "", "D")


def test_every_place_of_a_multipoint_is_an_occurrence():
    frame = records((0, 0, {"record_id": "r1"}))
    frame.geometry = [shapely.MultiPoint([(0, 0), (5000, 0)])]
    table = found((layer(), frame))
    assert sorted(table["x"]) == [0, 5000]
    assert set(table["record_id"]) == {"r1"}


def test_without_records_there_is_a_table_without_rows():
    table = found()
    assert table.empty
    assert {*OCCURRENCE_COLUMNS, "layer", "x", "y", "error_m", "weight", "accepted"} == {*table}
    assert {*found((layer(), records((0, 0, {})).iloc[:0]))} == {*table}
    assert {*found((layer(), records((0, 0, {"commodities": "sand"}))))} == {*table}
    for nothing in (table, found((layer(), records((0, 0, {"commodities": "sand"}))))):
        merged = deposits(nothing, SPEC)
        assert merged.empty
        assert {"records", "layers", "record_ids", "accepted", "x", "y"} <= {*merged}


@st.composite
def two_layers(draw):
    row = st.fixed_dictionaries(
        {
            "name": st.sampled_from(["", "a", "b"]),
            "record_id": st.sampled_from(["1", "2"]),
            "evidence_class": st.sampled_from(["reserve", "prospect"]),
            "quality": st.sampled_from(["A", "D"]),
        }
    )
    place = st.integers(0, 6).map(lambda n: n * 200)
    rows = st.lists(st.tuples(place, place, row), min_size=1, max_size=6)
    return draw(rows), draw(rows)


@settings(max_examples=8)
@given(two_layers())
def test_the_order_of_the_layers_says_nothing(rows):
    one_, two = (records(*r) for r in rows)
    a, b = layer("a"), layer("b")
    there = found((a, one_), (b, two))
    pd.testing.assert_frame_equal(there, found((b, two), (a, one_)))
    assert (np.diff(there["weight"]) <= 0).all()


# ── from records to deposits ──────────────────────────────────────────────────────────────────
def merged(*rows, **same):
    return deposits(found((layer(), records(*rows, **same))), SPEC)


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


@settings(max_examples=8)
@given(two_layers())
def test_every_record_is_in_one_deposit_whose_founder_is_near_and_no_weaker(rows):
    table = found((layer(), records(*rows[0])), (layer("b"), records(*rows[1])))
    made = deposits(table, SPEC)
    assert made["records"].sum() == len(table)
    assert (np.diff(made["weight"]) <= 0).all()
    xy = made[["x", "y"]].to_numpy(float)
    apart = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
    # No founder lies within reach of another: the stronger would have taken it.
    assert (apart + np.eye(len(made)) * 1e9 > SPEC.merge_within).all()
    for x, y, weight in table[["x", "y", "weight"]].to_numpy(float):
        near = np.hypot(*(xy - [x, y]).T) <= SPEC.merge_within
        assert (made["weight"].to_numpy()[near] >= weight).any()
