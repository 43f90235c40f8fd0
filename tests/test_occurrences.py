import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geosite.deposits import deposits
from geosite.evidence import Question
from geosite.model import Evidence, Layer
from geosite.occurrences import COLUMNS, occurrences, recorded
from tests.test_evidence import ALL, NAMES
from tests.test_inputs import evidence_section
from tests.toyworld import ALBERS

SPEC = Evidence.model_validate(evidence_section())


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
    usual |= {"quality": "A", "cited_report": "a report"} | same
    table = pd.DataFrame([usual | attributes for _, _, attributes in rows])
    return gpd.GeoDataFrame(table, geometry=[shapely.Point(x, y) for x, y, _ in rows], crs=ALBERS)


def found(*pairs, asked=ALL, spec=SPEC, **other):
    return occurrences(pairs, Question(frozenset(asked), NAMES, {}, **other), spec)


def one(error=None, **attributes):
    """The only record there is."""
    table = found((layer(positional_accuracy=error), records((0, 0, attributes))))
    return table.iloc[0]


# ── what counts ───────────────────────────────────────────────────────────────────────────────
def test_what_was_not_asked_for_stays_in_the_table_and_is_no_evidence():
    frame = records(
        (0, 0, {"commodities": "Gold; RE"}),
        (9e3, 0, {"commodities": "RE"}),
        (0, 9e3, {"commodities": "sand"}),
    )
    table = found((layer(), frame), asked=["gold"])
    assert table["commodities"].tolist() == [("gold",), (), ()]
    assert sorted(table["commodities_all"]) == [(), ("gold", "rhenium"), ("rhenium",)]
    assert table["asked"].tolist() == [True, False, False]
    assert table["weight"].tolist() == [0.9, 0, 0]
    assert table["accepted"].tolist() == [True, False, False]
    assert recorded(table, {"gold": "Gold"}) == ["rhenium (2)", "Gold (1)"]


HOSTS = {"rhenium": frozenset({"gold"})}


def through(text, *, opens=True):
    question = Question(frozenset({"rhenium"}), NAMES, HOSTS, opens)
    return occurrences([(layer(), records((0, 0, {"commodities": text})))], question, SPEC).iloc[0]


def test_a_by_product_is_looked_for_through_its_host():
    record = through("Gold")
    assert (record["commodities"], record["asked"]) == (("gold",), True)
    assert record["host_or_byproduct"] == "rhenium through its host gold"
    assert record["weight"] == pytest.approx(0.9 * SPEC.through_host)
    direct = through("Gold; RE")
    assert direct["commodities"] == ("rhenium",)
    assert direct["host_or_byproduct"] == "rhenium, by-product of gold"
    assert direct["weight"] == pytest.approx(0.9)
    assert not through("Silver")["asked"]
    assert not through("Gold", opens=False)["asked"]


def test_a_plant_is_never_evidence():
    record = one(evidence_class="plant")
    assert (record["asked"], record["accepted"], record["weight"]) == (False, False, 0)
    assert record["commodities_all"] == ("gold",)


def test_a_reserve_without_a_cited_report_is_a_resource():
    record = one(evidence_class="reserve", cited_report="")
    assert record["evidence_class"] == "resource"
    assert "without a cited report" in record["note"]
    cited = one(evidence_class="reserve", cited_report="S-K 1300 of 2024")
    assert (cited["evidence_class"], cited["note"]) == ("reserve", "")


@pytest.mark.parametrize(
    ("given_", "tonnes"),
    [
        ({"tonnage": "1,500 metric tons of ore"}, 1500),
        ({"tonnage": "2.5 Million tonnes"}, 2.5e6),
        ({"tonnage": "100 short tons"}, 90.718474),
        ({"tonnage": "3000 mt ore"}, np.nan),
        ({"tonnage": "12"}, np.nan),
        ({"tonnage": "3 tonnes; 4 tonnes"}, np.nan),
        ({"tonnage_mt": 2.0, "tonnage": "7 tonnes"}, 2e6),
        ({"tonnage_mt": "0"}, np.nan),
        ({"tonnage_t": 5.0, "tonnage_mt": 2.0}, 5),
        ({}, np.nan),
    ],
)
def test_a_tonnage_is_a_number_with_a_unit_or_unknown(given_, tonnes):
    assert one(**given_)["tonnage_t"] == pytest.approx(tonnes, nan_ok=True)


def test_a_record_with_an_error_of_its_own_is_not_judged_by_its_layer():
    frame = records((0, 0, {"error_m": 5000.0}), (9e3, 0, {"error_m": np.nan}))
    table = found((layer(positional_accuracy="100 m"), frame))
    assert sorted(table["error_m"]) == [100, 5000]
    assert sorted(table["accepted"]) == [False, True]


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
    assert [*table] == COLUMNS
    assert [*found((layer(), records((0, 0, {})).iloc[:0]))] == COLUMNS
    assert [*found((layer(), records((0, 0, {"commodities": "sand"}))))] == COLUMNS
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
