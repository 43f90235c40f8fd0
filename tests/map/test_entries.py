import json

import geopandas as gpd
from hypothesis import given
from hypothesis import strategies as st

from geosite.map.entries import Entry, Layers, Legend, Tiles, ids_of

PLAIN = set("abcdefghijklmnopqrstuvwxyz0123456789-")


@given(st.lists(st.text(), unique=True, max_size=12))
def test_ids_are_distinct_plain_and_the_same_every_time(names):
    found = ids_of(names, "x")
    assert [*found] == names
    assert len({*found.values()}) == len(names)
    assert all(set(i) <= PLAIN and i.startswith("x-") for i in found.values())
    assert ids_of(names, "x") == found


def test_the_id_of_a_long_name_is_cut():
    (id_,) = ids_of(["a" * 1000], "rule").values()
    assert len(id_) < 60


def test_a_name_that_looks_like_a_second_is_still_its_own():
    assert len({*ids_of(["a b", "a-b", "a b 2"], "x").values()}) == 3


def test_the_data_of_an_entry_are_json_and_say_all_of_it():
    legend = Legend("ramp", (("", "#fff", ""),), ("low", "high"))
    entry = Entry("a", "A", ("G", "H"), "tiles", match=("k", ("v",)), legend=legend, count=3)
    told = json.loads(json.dumps(entry.data))
    assert told["match"] == ["k", ["v"]]
    assert told["legend"] == {"kind": "ramp", "rows": [["", "#fff", ""]], "ends": ["low", "high"]}
    assert (told["group"], told["count"], told["shown"]) == (["G", "H"], 3, False)
    assert Entry("b", "B", (), "sites").data["match"] is None


def test_several_layers_are_one_in_their_order():
    one = Layers((Entry("a", "A", (), "sites"),), (), {"p": 1}, ("first",))
    two = Layers((Entry("b", "B", (), "sites"),), (Tiles("t", {"t": gpd.GeoDataFrame()}),))
    whole = Layers.of(one, two)
    assert [e.id for e in whole.entries] == ["a", "b"]
    assert [t.name for t in whole.tiles] == ["t"]
    assert whole.pictures == {"p": 1}
    assert whole.notes == ("first",)
