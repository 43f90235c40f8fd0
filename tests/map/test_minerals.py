import json
import math

import numpy as np
from shapely.geometry import Point

from geosite.map.minerals import COMMODITIES, STATUS, deposit_layers
from geosite.model.scenario import EvidenceClass
from tests.browser.hostile import hostile_content
from tests.browser.toycontent import at, block, frame, toy_content


def some(**columns):
    n = len(next(iter(columns.values())))
    return frame(
        {"name": [f"D{i}" for i in range(n)], **columns},
        [Point(*at(5 + i % 40, 9)) for i in range(n)],
    )


def layers_of(deposits):
    return deposit_layers(toy_content(deposits=deposits))


def counts(layers, group):
    return {e.title: e.count for e in layers.entries if e.group[1] == group}


def drawn(layers):
    return layers.tiles[0].frames["deposits"]


def test_deposits_are_counted_by_status_strongest_first():
    found = counts(
        layers_of(some(evidence_class=["unknown", "producer", "past_producer", "producer", ""])),
        "By status",
    )
    assert found == {"Producer": 2, "Past producer": 1, "Status not known": 2}
    assert [*found] == ["Producer", "Past producer", "Status not known"]


def test_a_deposit_counts_for_each_of_its_commodities_once():
    layers = layers_of(some(commodities=["gold; silver", "silver; silver", "", None]))
    assert counts(layers, "By commodity") == {"Silver": 2, "Gold": 1}


def test_entries_match_what_they_count():
    layers = layers_of(
        some(commodities=["gold; silver", "silver", ""], evidence_class=["prospect", "odd", None])
    )
    tiles = drawn(layers)
    for entry in layers.entries:
        attribute, values = entry.match
        assert tiles[attribute].isin(values).sum() == entry.count
    assert [e.title for e in layers.entries[:3]] == ["Prospect", "odd", "Status not known"]


def test_every_class_of_evidence_has_a_colour_of_its_own():
    assert {*EvidenceClass.__args__} <= {*STATUS}
    assert len({colour for _, colour, _ in STATUS.values()}) == len(STATUS)


def test_signs_of_commodities_are_told_apart_by_fill_or_ring():
    names = [f"c{i:02d}" for i in range(24)]
    entries = layers_of(some(commodities=names)).entries
    signs = [(e.style["fill"], e.style["stroke"]) for e in entries if e.group[1] == "By commodity"]
    assert len({*signs}) == 24


def test_rare_commodities_beyond_the_list_are_said_to_have_no_line():
    names = [f"c{i:03d}" for i in range(COMMODITIES + 3)]
    layers = layers_of(some(commodities=names))
    assert len(counts(layers, "By commodity")) == COMMODITIES
    assert layers.notes == ("Deposits: 3 rare commodities have no layer of their own",)
    assert len(drawn(layers)) == COMMODITIES + 3


def test_the_weak_evidence_of_many_waits():
    layers = layers_of(some(evidence_class=["producer"] * 900 + ["unknown"] * 900))
    assert [e.shown for e in layers.entries] == [True, False]


def test_no_number_of_deposits_is_too_many():
    n = 9000
    layers = layers_of(some(evidence_class=["unknown"] * n))
    assert len(drawn(layers)) == n


def test_a_deposit_says_what_is_known_of_it():
    row = {
        "commodities": ["gold"], "evidence_class": ["past_producer"], "quality": ["B"],
        "records": [2.0], "layers": ["minerals/mrds"], "proposed_potential": ["H"],
        "proposed_certainty": ["C"],
    }  # fmt: skip
    lines = drawn(layers_of(some(**row)))["words"].iloc[0].split("\n")
    assert lines[:5] == [
        "D0", "gold", "past producer", "record quality B", "2 records of minerals/mrds",
    ]  # fmt: skip
    assert lines[5].startswith("high potential")
    bare = drawn(layers_of(some(records=[math.nan])))["words"].iloc[0]
    assert bare == "D0"


def test_records_without_a_place_are_counted_as_not_drawn_and_areas_become_points():
    held = frame(
        {"name": ["a", "b"], "evidence_class": ["producer"] * 2}, [None, block(3, 3, 5, 5)]
    )
    layers = layers_of(held)
    assert (layers.entries[0].count, layers.entries[0].left_out) == (2, 1)
    assert [*drawn(layers).geom_type] == ["Point"]


def test_the_best_records_are_painted_last():
    tiles = drawn(layers_of(some(quality=["A", "E", None, "B"])))
    assert [w.split("\n")[0] for w in tiles["words"]] == ["D2", "D1", "D3", "D0"]


def test_none_is_no_layer():
    assert deposit_layers(toy_content(deposits=toy_content().deposits.iloc[:0])).entries == ()


def test_strangers_words_stay_words():
    layers = deposit_layers(hostile_content())
    ids = [e.id for e in layers.entries]
    assert len({*ids}) == len(ids)
    json.dumps([e.data for e in layers.entries], allow_nan=False)
    tiles = drawn(layers)
    assert {c for c in tiles.columns if c not in ("status", "words", "geometry")} <= {
        f"c{i}" for i in range(COMMODITIES)
    }
    assert any("<img" in e.title for e in layers.entries)
    assert np.all([isinstance(w, str) for w in tiles["words"]])
