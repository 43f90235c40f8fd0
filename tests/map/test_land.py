import json

import numpy as np
import pytest
from shapely.geometry import Polygon

from geosite.map.land import drawable, exclusion_layers, parcel_layers, rule_words
from geosite.report import palette
from tests.browser.hostile import hostile_content
from tests.browser.toycontent import block, frame, toy_content


def by_id(layers):
    return {e.id: e for e in layers.entries}


def drawn(layers, layer):
    return next(t for t in layers.tiles if layer in t.frames).frames[layer]


def test_each_agency_is_a_line_with_its_parcels_and_its_legend():
    layers = parcel_layers(toy_content())
    found = by_id(layers)
    assert [*found] == ["land-tribal", "land-dod", "land-usfs", "land-blm"]
    assert [e.title for e in layers.entries] == [palette.agency(c)[0] for c in (
        "TRIBAL", "DOD", "USFS", "BLM")]  # fmt: skip
    assert all(e.count == 1 and e.left_out == 0 and e.shown for e in layers.entries)
    assert found["land-blm"].legend.rows == (
        ("fill", palette.AGENCIES["BLM"][1], "Bureau of Land Management"),
    )
    tiles = drawn(layers, "parcels")
    assert len(tiles) == 4
    assert tiles.crs == toy_content().crs
    assert layers.tiles[0].coverage == {"parcels"}


def test_entries_match_each_feature_once_and_no_other():
    content = toy_content()
    for layers, layer in (
        (parcel_layers(content), "parcels"),
        (exclusion_layers(content), "exclusions"),
    ):
        tiles = drawn(layers, layer)
        matched = np.zeros(len(tiles), int)
        for entry in layers.entries:
            attribute, values = entry.match
            mine = tiles[attribute].isin(values).to_numpy()
            assert mine.sum() == entry.count - entry.left_out
            matched += mine
        assert (matched == 1).all()


def test_a_parcel_says_its_name_place_area_and_status():
    tiles = drawn(parcel_layers(toy_content()), "parcels")
    lines = tiles["words"].iloc[2].split("\n")
    assert lines[:2] == ["Toy Army Depot", "Nye, Nevada"]
    assert lines[2].startswith("24,000 ha (")
    assert lines[3] == "status unconfirmed"


@pytest.mark.parametrize("held", [{}, {"agency": ["", None]}])
def test_land_without_an_owner_is_one_line(held):
    land = frame({"name": ["a", "b"], **held}, [block(2, 2, 4, 4), block(5, 5, 7, 7)])
    (entry,) = parcel_layers(toy_content(parcels=land)).entries
    assert (entry.title, entry.count) == ("Owner not named", 2)


def test_each_rule_is_a_line_with_its_citation_and_what_it_takes():
    found = exclusion_layers(toy_content()).entries
    assert [e.id for e in found] == ["rule-wilderness", "rule-lakes"]
    wilderness = found[0]
    assert wilderness.title == "Designated wilderness"
    assert wilderness.count == 2
    assert wilderness.words == (
        "statute · 16 USC 1133(d)",
        "takes 61,000 ha (150,734 acres), of these 52,000 ha (128,495 acres) alone",
    )
    assert wilderness.shown
    names = drawn(exclusion_layers(toy_content()), "exclusions")["words"]
    assert [*names] == ["Toy Peak", "Grey Range", "Dry Lake"]


def test_an_outline_of_a_rule_that_is_not_described_keeps_its_id_for_a_title():
    lone = frame({"rule": ["mystery"], "name": [None]}, [block(3, 3, 5, 5)])
    (entry,) = exclusion_layers(toy_content(exclusions=lone)).entries
    assert (entry.title, entry.words) == ("mystery", ())
    assert rule_words(None) == ()


def test_many_outlines_wait_to_be_switched_on():
    shape = block(3, 3, 5, 5)
    many = frame({"rule": ["lakes"] * 1501, "name": [""] * 1501}, [shape] * 1501)
    (entry,) = exclusion_layers(toy_content(exclusions=many)).entries
    assert not entry.shown


def test_what_has_no_geometry_is_counted_and_not_drawn():
    land = frame(
        {"agency": ["BLM"] * 3, "name": ["a", "b", "c"]}, [block(2, 2, 4, 4), None, Polygon()]
    )
    assert drawable(land).tolist() == [True, False, False]
    layers = parcel_layers(toy_content(parcels=land))
    assert (layers.entries[0].count, layers.entries[0].left_out) == (3, 2)
    assert len(drawn(layers, "parcels")) == 1


def test_nothing_is_no_layer():
    content = toy_content()
    assert parcel_layers(toy_content(parcels=content.parcels.iloc[:0])).entries == ()
    assert exclusion_layers(toy_content(exclusions=content.exclusions.iloc[:0])).entries == ()


def test_strangers_words_stay_words_and_ids_are_plain():
    content = hostile_content()
    for layers in (parcel_layers(content), exclusion_layers(content)):
        ids = [e.id for e in layers.entries]
        assert len({*ids}) == len(ids)
        assert all(set(i) <= set("abcdefghijklmnopqrstuvwxyz0123456789-") for i in ids)
        json.dumps([e.data for e in layers.entries], allow_nan=False)
        for tiles in layers.tiles:
            for held in tiles.frames.values():
                assert all(isinstance(w, str) and "\x00" not in w for w in held["words"])
    titles = " ".join(e.title for e in exclusion_layers(content).entries)
    assert "<" in titles
