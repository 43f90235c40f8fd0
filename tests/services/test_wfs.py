from __future__ import annotations

import contextlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import geopandas as gpd
import pyogrio
import pytest
import shapely

from geosite.errors import FetchError, LayerDataError
from geosite.model import Layer
from geosite.sources import wfs
from geosite.sources.asking import Ask
from geosite.sources.client import Client, Patience, RefusedError
from tests.services.mapserver import COUNT, MOST, areas, mines, twins

FACTS = {
    "title": "toy", "agency": "nobody", "purpose": "tests", "absence": "informative",
    "vintage": "2024", "status": "synthetic", "licence": "none", "citation": "none",
}  # fmt: skip
VERSIONS = ["1.0.0", "1.1.0", "2.0.0"]
WEST = (-117.005, 37.995, -116.595, 38.045)
"""Holds 21 columns and 3 rows of the mines."""


def asking(url, layer, *, crs="EPSG:4326", box=None, fields=(), geometry="point", **source):
    declared = Layer(
        id="toy/layer", geometry=geometry, crs=crs,
        fields={name: {} for name in fields},
        sources=[{"kind": "wfs", "url": url, "layer": layer, **source}], **FACTS,
    )  # fmt: skip
    return Ask(declared, declared.sources[0], box)


def quick():
    return Client(Patience(connect=5, read=5, attempts=2, first=0.01, longest=0.02))


def got(ask, folder):
    folder.mkdir(exist_ok=True)
    with quick() as client:
        found = wfs.fetched(ask, client, folder, lambda *_: None)
    return found, gpd.read_parquet(found.path)


def same(found, wanted, key):
    """Whether features are the same, to the six digits that MapServer writes."""
    found, wanted = found.sort_values(key), wanted.sort_values(key)
    near = shapely.equals_exact(
        shapely.normalize(merged(found)), shapely.normalize(merged(wanted)), 2e-6
    )
    return len(found) == len(wanted) and near.all()


def merged(frame):
    # One polygon comes as a multipolygon of one.
    return shapely.union_all(frame.geometry.to_numpy().reshape(-1, 1), axis=1)


# ── MapServer ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("version", VERSIONS)
def test_points_and_attributes_come_as_they_are(mapserver, tmp_path, version):
    found, frame = got(asking(mapserver.whole, "mines", version=version), tmp_path)
    wanted = mines()
    assert same(frame, wanted, "Site_Code")
    assert frame.crs == wanted.crs
    assert list(frame["Site_Code"]) == list(wanted["Site_Code"])
    assert frame["Name"].fillna("").tolist() == wanted["Name"].fillna("").tolist()
    assert frame["Grade"].to_numpy() == pytest.approx(wanted["Grade"].to_numpy())
    assert (found.count, found.server_count) == (COUNT, None if version == "1.0.0" else COUNT)
    assert "gml_id" not in frame


@pytest.mark.parametrize("version", VERSIONS)
def test_a_box_brings_what_lies_in_it(mapserver, tmp_path, version):
    _, frame = got(asking(mapserver.whole, "mines", version=version, box=WEST), tmp_path)
    wanted = mines()
    assert same(frame, wanted[wanted.within(shapely.box(*WEST))], "Site_Code")
    assert len(frame) == 63


@pytest.mark.parametrize("version", VERSIONS)
def test_a_service_that_gives_few_an_answer_is_asked_until_all_are_there(
    mapserver, tmp_path, version
):
    found, frame = got(asking(mapserver.limited, "mines", version=version), tmp_path)
    assert same(frame, mines(), "Site_Code")
    assert found.count == COUNT > 4 * MOST


def test_gdals_own_driver_leaves_out_most_of_them_without_a_word(mapserver):
    # Why there is a client here. Where this fails, GDAL has learnt it.
    frame = pyogrio.read_dataframe(f"WFS:{mapserver.limited}?version=1.0.0", layer="mines")
    assert len(frame) == MOST


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:4269", "EPSG:5070"])
def test_holes_and_parts_come_in_the_crs_of_the_layer(mapserver, tmp_path, version, crs):
    ask = asking(mapserver.whole, "areas", version=version, crs=crs, geometry="polygon")
    found, frame = got(ask, tmp_path)
    wanted = areas().to_crs(crs)
    near = 1e-5 if crs != "EPSG:5070" else 0.2
    pairs = zip(frame.sort_values("kind").geometry, wanted.geometry, strict=True)
    assert all(shapely.hausdorff_distance(a, b) < near for a, b in pairs)
    assert frame.crs == wanted.crs
    holes = [len(part.interiors) for shape in frame.geometry for part in shape.geoms]
    assert sorted(holes) == [0, 0, 1]
    # This server gives its own first CRS in 1.0.0, whatever it is asked for.
    assert any("projected" in note for note in found.notes) == (
        version == "1.0.0" and crs != "EPSG:4326"
    )


@pytest.mark.parametrize("version", VERSIONS)
def test_a_box_is_asked_for_in_the_projected_crs_too(mapserver, tmp_path, version):
    ask = asking(
        mapserver.whole, "areas", version=version, crs="EPSG:5070", geometry="polygon",
        box=(-114.2, 38.1, -113.6, 38.2),
    )  # fmt: skip
    _, frame = got(ask, tmp_path)
    assert list(frame["kind"]) == ["parts"]


@pytest.mark.parametrize("version", VERSIONS)
def test_where_nothing_is_nothing_comes(mapserver, tmp_path, version):
    ask = asking(mapserver.whole, "mines", version=version, box=(-100, 30, -99, 31))
    found, frame = got(ask, tmp_path)
    assert (found.count, len(frame), frame.crs) == (0, 0, mines().crs)
    assert list(frame.columns[:4]) == ["Site_Code", "Name", "Grade", "Owner"]


@pytest.mark.parametrize("version", VERSIONS)
def test_features_that_are_the_same_in_all_are_as_many_as_they_are(mapserver, tmp_path, version):
    # A page of two makes quarters of a service without pages, and cuts the twins from others.
    ask = asking(mapserver.whole, "twins", version=version, page_size=3)
    _, frame = got(ask, tmp_path)
    assert same(frame, twins(), "kind")


def test_across_the_antimeridian_there_are_two_boxes(mapserver, tmp_path):
    west, south, _, north = WEST
    ask = asking(mapserver.whole, "mines", box=(west, south, -179.9, north))
    _, frame = got(ask, tmp_path)
    # East of the west edge and on to 180 there are all of these rows.
    assert len(frame) == 150


def test_only_declared_fields_are_kept_in_any_letter_case(mapserver, tmp_path):
    _, frame = got(asking(mapserver.whole, "mines", fields=["site_code", "GRADE"]), tmp_path)
    assert [c for c in frame.columns if c not in ("geometry", "bbox")] == ["Site_Code", "Grade"]


def test_a_field_that_is_not_there_is_named_beside_those_that_are(mapserver, tmp_path):
    with pytest.raises(FetchError, match=r"no field 'depth', 'width'.*Site_Code, Name, Grade"):
        got(asking(mapserver.whole, "mines", fields=["depth", "Grade", "width"]), tmp_path)


@pytest.mark.parametrize("name", ["MINES", "ms:mines", "min*"])
def test_a_type_is_found_by_its_name(mapserver, tmp_path, name):
    assert got(asking(mapserver.whole, name), tmp_path)[0].count == COUNT


def test_a_type_that_is_not_there_is_said_beside_those_that_are(mapserver, tmp_path):
    with pytest.raises(FetchError, match=r"no 'pits'; types there: mines, areas, twins"):
        got(asking(mapserver.whole, "pits"), tmp_path)
    with pytest.raises(FetchError, match=r"2 of them are '\*in\*' \(mines, twins\)"):
        got(asking(mapserver.whole, "*in*"), tmp_path)


def test_only_a_box_is_ever_sent(mapserver, tmp_path):
    mapserver.asked.clear()
    got(asking(mapserver.whole, "mines", version="1.0.0", box=WEST), tmp_path)
    sent = {name for request in mapserver.asked for name in request}
    assert sent <= {
        "service", "version", "request", "typename", "srsname", "bbox", "maxfeatures",
    }  # fmt: skip


def test_what_would_come_is_counted_and_weighed(mapserver):
    with quick() as client:
        known = wfs.estimated(asking(mapserver.whole, "mines", box=WEST), client)
        unknown = wfs.estimated(asking(mapserver.whole, "mines", version="1.0.0"), client)
    assert known.count == 63
    assert 63 * 300 < known.size < 63 * 3000
    assert (unknown.count, unknown.size) == (None, None)


def test_health_compares_the_service_with_the_catalogue(mapserver):
    with quick() as client:
        for source, fields, health in [
            ({"count": 240}, ["grade"], "ok"),
            ({"count": 100}, [], "count changed"),
            ({}, ["depth"], "schema changed"),
        ]:
            ask = asking(mapserver.whole, "mines", fields=fields, **source)
            assert wfs.probed(ask, client).health == health
