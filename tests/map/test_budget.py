"""Tiles and pictures in the room that there is, and what is said of it."""

from __future__ import annotations

import base64
import json

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS

from geosite.map.budget import attributes_drawn, halved, packed, page_frame, zooms_drawn
from geosite.map.entries import Entry, Layers, Tiles
from geosite.map.pictures import Picture, png
from tests.tilereader import archive_of

ALBERS = CRS.from_epsg(5070)


def circles(count, seed=1, **columns):
    random = np.random.default_rng(seed)
    points = shapely.points(np.add(random.uniform(0, 200_000, (count, 2)), [-1_780_000, 2_060_000]))
    shapes = shapely.buffer(points, random.uniform(500, 8000, count), quad_segs=20)
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=ALBERS)


def layers(count=12):
    land = circles(count, agency=["BLM"] * count, words=["Toy\nwords"] * count)
    entries = (
        Entry("a", "A", (), "tiles", "parcels", "land", ("agency", ("BLM",)), {"label": "name"}),
        Entry("b", "B", (), "tiles", "parcels", "land", ("state", ("NV",))),
        Entry("c", "C", (), "tiles", "rules", "rules"),
        Entry("s", "S", (), "sites"),
    )
    tiles = (
        Tiles("parcels", {"land": land}),
        Tiles("rules", {"rules": circles(count // 2, 2)}),
        Tiles("none", {"none": circles(0)}),
    )
    return Layers(entries, tiles)


def picture(columns=900, rows=500):
    cells = np.random.default_rng(2).integers(0, 4, (rows, columns)).astype(np.uint8)
    colours = [(0, 0, 0, 200), (9, 9, 9, 200), (99, 99, 99, 200)]
    url = "data:image/png;base64," + base64.b64encode(png(cells, colours)).decode()
    return Picture(url, -120, 38, -118, 40)


def test_what_decides_how_features_are_drawn():
    assert attributes_drawn(layers().entries) == {
        "parcels": {"agency", "state", "name"}, "rules": set(),
    }  # fmt: skip


def test_with_room_all_is_drawn_and_nothing_is_said():
    blobs, archives, notes = packed(layers(), 1e7)
    assert notes == []
    assert set(blobs) == {"tiles-parcels", "tiles-rules"}
    for name, facts in archives.items():
        found = archive_of(base64.b64decode(blobs[f"tiles-{name}"]))
        # The coarsest zooms have no tile where all is too small to be seen.
        assert facts["min_zoom"] == 0 <= found.min_zoom
        assert found.max_zoom == 11 == facts["max_zoom"]
        assert facts["bytes"] == pytest.approx(len(base64.b64decode(blobs[f"tiles-{name}"])), abs=3)
        assert facts["simplified_m"] < 20
        assert "file" not in facts
    assert json.dumps(archives)


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 200_000))
def test_never_more_than_the_room(room):
    blobs, archives, notes = packed(layers(), room)
    assert sum(map(len, blobs.values())) <= room
    said = " ".join(notes)
    for name in ("parcels", "rules"):
        facts = archives.get(name)
        if facts is None:
            assert f"{name.capitalize()}: not drawn" in said
        elif facts["max_zoom"] < 11:
            assert f"{name.capitalize()}: drawn to zoom {facts['max_zoom'] + 1} of the map" in said
        else:
            assert name.capitalize() not in said


def test_less_room_is_less_detail():
    zooms = [
        packed(layers(), room)[1]["parcels"]["max_zoom"] for room in (20_000, 60_000, 200_000, 1e7)
    ]
    assert zooms == sorted(zooms)
    assert zooms[0] < zooms[-1]


def test_no_room_at_all_is_said_plainly():
    blobs, archives, notes = packed(layers(), -2.5e6)
    assert (blobs, archives) == ({}, {})
    assert "2.5 MB more than it was to take" in notes[0]


def test_archives_beside_the_page_are_named():
    _, archives, _ = packed(layers(), 1e7, beside="map-tiles")
    assert archives["rules"]["file"] == "map-tiles/rules.pmtiles"


def test_pictures_are_made_coarser_before_they_crowd_out_the_rest():
    held = Layers(pictures={"suitability": picture()})
    whole = len(picture().url)
    blobs, _, notes = packed(held, whole)
    assert len(blobs["picture-suitability"]) < whole / 2
    assert notes == [
        "Suitability: its picture is coarser than the surface; the run's own files have every cell"
    ]
    blobs, _, notes = packed(held, 1000)
    assert blobs == {}
    assert "is not shown" in notes[0]
    assert packed(held, 3 * whole)[2] == []


def test_half_a_picture_has_every_other_cell():
    smaller = halved(picture().url)
    raw = base64.b64decode(smaller.partition(",")[2])
    assert int.from_bytes(raw[16:20]) == 450
    assert int.from_bytes(raw[20:24]) == 250
    assert halved(halved(smaller)) is None
    assert halved("data:image/webp;base64,AAAA") is None


def test_the_page_is_not_free():
    assert page_frame() > 60_000


def test_what_is_drawn_from_which_zoom_on():
    entries = (
        Entry("a", "A", (), "tiles", "base", "towns", ("size", ("city",)), {"from_zoom": 4}),
        Entry("b", "B", (), "tiles", "base", "towns", ("size", ("town",)), {"from_zoom": 7}),
        Entry("c", "C", (), "tiles", "base", "states"),
        Entry("s", "S", (), "sites"),
    )
    assert zooms_drawn(entries) == {
        "base": {
            "towns": [(("size", ("city",)), 4), (("size", ("town",)), 7)],
            "states": [(None, 0)],
        }
    }


def test_the_quiet_base_has_its_first_zooms_before_all_others():
    names = ("parcels", "deposits", "base")
    tiles = tuple(Tiles(n, {"land": circles(60, k)}) for k, n in enumerate(names))
    zooms = []
    for room in (10_000, 40_000, 100_000, 250_000):
        blobs, archives, _ = packed(Layers(tiles=tiles), room)
        assert sum(map(len, blobs.values())) <= room
        zooms.append([archives.get(n, {}).get("max_zoom", -1) for n in names])
    for parcels, deposits, base in zooms:
        assert base >= 5 or parcels < 1 > deposits
        assert parcels >= deposits
        assert parcels >= base or base <= 7
    assert zooms == sorted(zooms)
    assert zooms[-1][0] > 7
