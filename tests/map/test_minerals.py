import json
import math
from itertools import combinations

import numpy as np
import pytest
from shapely.geometry import Point

from geosite.map import minerals
from geosite.map.minerals import COMMODITIES, STATUS, deposit_layers
from geosite.model.scenario import EvidenceClass
from geosite.report import palette
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


# Full protanopia, deuteranopia and tritanopia in linear sRGB: Machado, Oliveira and Fernandes,
# IEEE Transactions on Visualization and Computer Graphics 15(6), 2009.
SEEN = np.array(
    [
        np.eye(3),
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
         [-0.003882, -0.048116, 1.051998]],
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
         [-0.011820, 0.042940, 0.968881]],
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
         [0.004733, 0.691367, 0.303900]],
    ]
)  # fmt: skip
XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750],
     [0.0193339, 0.1191920, 0.9503041]]
)  # fmt: skip
WHITE = XYZ.sum(axis=1)
GROUND = "#f4f3ef"


def linear(colour):
    part = np.array(palette.rgb(colour)) / 255
    return np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)


def lab(light):
    ratio = XYZ @ np.clip(light, 0, 1) / WHITE
    f = np.where(ratio > 0.008856, np.cbrt(ratio), 7.787 * ratio + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("eye", SEEN, ids=["all", "no red", "no green", "no blue"])
def test_every_class_of_evidence_is_told_apart_by_every_eye(eye):
    assert {*EvidenceClass.__args__} <= {*STATUS}
    seen = [lab(eye @ linear(colour)) for _, colour, _ in STATUS.values()]
    apart = [np.linalg.norm(a - b) for a, b in combinations(seen, 2)]
    assert min(apart) > 20


def test_dots_stand_out_from_the_ground():
    for _, colour, _ in STATUS.values():
        light, dark = (XYZ[1] @ linear(c) + 0.05 for c in (GROUND, colour))
        assert light / dark >= 3


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


def test_of_very_many_deposits_the_strongest_are_drawn_and_all_are_counted(monkeypatch):
    monkeypatch.setattr(minerals, "MOST", 3)
    layers = layers_of(
        some(
            evidence_class=["unknown", "producer", "prospect", "prospect", "prospect", "unknown"],
            quality=["A", "D", "C", "A", "B", "A"],
            commodities=["gold"] * 6,
        )
    )
    assert sorted(w.partition("\n")[0] for w in drawn(layers)["words"]) == ["D1", "D3", "D4"]
    found = {e.title: (e.count, e.left_out) for e in layers.entries}
    assert found == {
        "Producer": (1, 0), "Prospect": (3, 1), "Status not known": (2, 2), "Gold": (6, 3),
    }  # fmt: skip
    assert "Deposits: the 3 of the strongest evidence are drawn; 3 are in deposits.csv only" in (
        layers.notes
    )
