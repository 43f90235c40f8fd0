"""The base and the infrastructure in the tree of layers."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import pytest
from shapely.geometry import LineString, Point

from geosite.map.context_layers import _COLOURS, context_layers
from geosite.report.content import ContextLabel, LayerLabel
from geosite.report.palette import rgb
from tests.browser.toycontent import ALBERS, at, toy_content

HOSTILE = '</script><img src=x onerror="document.title=1">\u202e\n{{ 7*7 }}'


def label(id_, title, **units):
    layer = LayerLabel(id_, title, "Toy Office", "2024", "public domain", f"Toy Office, {title}",
                       "synthetic", "")  # fmt: skip
    return ContextLabel(layer, units)


def frame(shapes, **columns):
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=ALBERS)


LINE = LineString([at(3, 3), at(50, 40)])
FRAMES = {
    "states": frame([LINE]),
    "states_named": frame([Point(at(9, 9))], name=["Nevada"]),
    "roads": frame([LINE, LINE], name=["US 50", ""]),
    "towns": frame([Point(at(k, 9)) for k in (5, 6, 7, 8)], name=["Ely", "Reno", "Elko", HOSTILE],
                   population=[4000.0, 264_000.0, 20_000.0, float("nan")]),
    "substations": frame([Point(at(4, 4)), Point(at(5, 5)), Point(at(6, 6))],
                         name=["Hub", "", ""], kv=[230.0, 69.0, float("nan")],
                         owner=["Toy Power", "", ""]),
    "transmission": frame([LINE], name=["Line 1"], kv=[345.0]),
}  # fmt: skip
LABELS = {
    "states": label("aoi/states", "States"),
    "roads": label("infrastructure/highways", "Highways"),
    "towns": label("infrastructure/towns", "Places", population="persons"),
    "substations": label("infrastructure/substations", "Substations", kv="kV"),
    "transmission": label("infrastructure/transmission", "Power lines", kv="kV"),
}


@pytest.fixture
def layers():
    return context_layers(
        toy_content(context=FRAMES, context_labels=LABELS, context_notes=("no rivers",))
    )


def test_the_base_is_shown_and_the_infrastructure_waits(layers):
    assert {e.group: e.shown for e in layers.entries} == {
        ("Base",): True, ("Infrastructure",): False,
    }  # fmt: skip
    assert [t.name for t in layers.tiles] == ["base", "infrastructure"]
    assert layers.notes == ("no rivers",)


def test_every_entry_is_drawn_from_features_that_are_there(layers):
    frames = {(t.name, name): f for t in layers.tiles for name, f in t.frames.items()}
    for e in layers.entries:
        features = frames[e.source, e.layer]
        if e.match:
            field, values = e.match
            features = features[features[field].isin(values)]
        assert len(features) == e.count, e.id
        if "label" in e.style:
            assert e.style["label"] in features
    assert len({e.id for e in layers.entries}) == len(layers.entries)


def test_places_are_told_apart_by_their_people(layers):
    counts = {e.match[1][0]: e.count for e in layers.entries if e.layer == "towns"}
    assert counts == {"city": 1, "town": 1, "place": 2}
    zooms = [e.style["from_zoom"] for e in layers.entries if e.layer == "towns"]
    assert zooms == sorted(zooms)
    (towns,) = (t.frames["towns"] for t in layers.tiles if t.name == "base")
    assert towns["words"][1] == "Reno\n264,000 persons"


def test_places_of_no_known_people_are_places():
    towns = {"towns": frame([Point(at(5, 5))], name=["Ely"])}
    (entry,) = context_layers(toy_content(context=towns, context_labels=LABELS)).entries
    assert entry.title == "Places"


def test_what_a_feature_is_stands_in_lines(layers):
    (built,) = (t.frames for t in layers.tiles if t.name == "infrastructure")
    assert built["substations"]["words"].tolist() == [
        "Hub\n230 kV\nowner: Toy Power", "Substations\n69 kV", "",
    ]  # fmt: skip
    assert built["transmission"]["words"].tolist() == ["Line 1\n345 kV"]
    assert set(built["substations"].columns) == {"geometry", "words"}


def test_a_stranger_s_words_are_words_on_one_line(layers):
    (base,) = (t.frames for t in layers.tiles if t.name == "base")
    name = base["towns"]["name"][3]
    assert "\n" not in name
    assert "\u202e" not in name


def test_the_source_is_cited(layers):
    (entry,) = (e for e in layers.entries if e.id == "built-substations")
    assert entry.words[:2] == ("Toy Office, Substations", "vintage 2024")


def test_a_run_without_a_base_has_no_entries():
    layers = context_layers(toy_content())
    assert (layers.entries, layers.tiles) == ((), ())


def test_features_that_no_label_speaks_of_are_passed_over():
    layers = context_layers(toy_content(context=FRAMES))
    assert layers.entries == ()


def test_a_large_area_is_not_drawn_finer_than_it_was_kept():
    content = toy_content(context=FRAMES, context_labels=LABELS)
    near = context_layers(content).tiles[0].finest
    step = content.transform
    far = replace(content, transform=step * step.scale(40))
    assert context_layers(far).tiles[0].finest < near


def contrast(colour):
    parts = [c / 255 for c in rgb(colour)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    light = sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
    return 1.05 / (light + 0.05)


@pytest.mark.parametrize("colour", _COLOURS)
def test_signs_of_infrastructure_are_dark_enough(colour):
    assert contrast(colour) >= 4.5
