from __future__ import annotations

import json

import geopandas as gpd
import pytest
import shapely

from geosite.errors import FetchError, LayerDataError
from geosite.model import Layer
from geosite.sources import ogc_features
from geosite.sources.asking import Ask
from geosite.sources.client import Client, Patience, RefusedError
from tests.services.mapserver import COUNT, areas, mines
from tests.services.ogcapi import MOST
from tests.services.pretender import pretending

FACTS = {
    "title": "toy", "agency": "nobody", "purpose": "tests", "absence": "informative",
    "vintage": "2024", "status": "synthetic", "licence": "none", "citation": "none",
}  # fmt: skip
WEST = (-117.005, 37.995, -116.595, 38.045)
"""Holds 21 columns and 3 rows of the mines."""


def asking(url, layer, *, crs="EPSG:4326", box=None, fields=(), geometry="point", **source):
    declared = Layer(
        id="toy/layer", geometry=geometry, crs=crs,
        fields={name: {} for name in fields},
        sources=[{"kind": "ogc-features", "url": url, "layer": layer, **source}], **FACTS,
    )  # fmt: skip
    return Ask(declared, declared.sources[0], box)


def quick():
    return Client(Patience(connect=5, read=20, attempts=2, first=0.01, longest=0.02))


def got(ask, folder, told=lambda *_: None):
    with quick() as client:
        found = ogc_features.fetched(ask, client, folder, told)
    return found, gpd.read_parquet(found.path)


# ── pygeoapi ────────────────────────────────────────────────────────────────────────────────


def test_points_and_attributes_come_as_they_are_from_several_pages(pygeoapi, tmp_path):
    steps = []
    ask = asking(pygeoapi, "mines")
    found, frame = got(ask, tmp_path, lambda *step: steps.append(step))
    wanted = mines()
    assert shapely.equals_exact(frame.geometry.values, wanted.geometry.values, 1e-9).all()
    for column in ("Site_Code", "Name", "Grade", "Owner"):
        assert frame[column].astype(object).where(frame[column].notna(), None).tolist() == (
            wanted[column].astype(object).where(wanted[column].notna(), None).tolist()
        )
    assert frame.crs == wanted.crs
    assert (found.count, found.server_count) == (COUNT, COUNT)
    assert steps == [(min(k * MOST, COUNT), COUNT) for k in range(1, 6)]


def test_a_box_brings_what_lies_in_it(pygeoapi, tmp_path):
    found, frame = got(asking(pygeoapi, "mines", box=WEST, page_size=20), tmp_path)
    wanted = mines()
    wanted = wanted[wanted.within(shapely.box(*WEST))]
    assert frame["Site_Code"].tolist() == wanted["Site_Code"].tolist()
    assert (found.count, found.server_count, found.notes) == (63, COUNT, ())


@pytest.mark.parametrize("crs", ["EPSG:4269", "EPSG:5070"])
@pytest.mark.parametrize("box", [None, WEST])
def test_a_collection_comes_in_the_crs_of_the_layer_if_it_offers_it(pygeoapi, tmp_path, crs, box):
    _, frame = got(asking(pygeoapi, "mines", crs=crs, box=box), tmp_path)
    wanted = mines().to_crs(crs).set_index("Site_Code").geometry[frame["Site_Code"]]
    assert shapely.equals_exact(frame.geometry.values, wanted.values, 1e-4).all()
    assert frame.crs == crs


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:5070"])
def test_holes_and_parts_come_and_are_projected_where_they_have_to_be(pygeoapi, tmp_path, crs):
    found, frame = got(asking(pygeoapi, "areas", crs=crs, geometry="polygon"), tmp_path)
    wanted = areas().set_crs(4326, allow_override=True).to_crs(crs)
    assert shapely.equals_exact(frame.geometry.values, wanted.geometry.values, 1e-6).all()
    assert [shape.geom_type for shape in frame.geometry] == ["Polygon", "MultiPolygon"]
    assert bool(found.notes) == (crs != "EPSG:4326")


def test_where_nothing_is_nothing_comes(pygeoapi, tmp_path):
    ask = asking(pygeoapi, "mines", box=(-100, 30, -99, 31), fields=["grade", "Name"])
    found, frame = got(ask, tmp_path)
    assert (found.count, len(frame), found.server_count) == (0, 0, COUNT)
    assert list(frame.columns[:2]) == ["grade", "Name"]


def test_across_the_antimeridian_there_are_two_boxes(pygeoapi, tmp_path):
    west, south, _, north = WEST
    found, _ = got(asking(pygeoapi, "mines", box=(west, south, -179.9, north)), tmp_path)
    assert found.count == 150


def test_only_declared_fields_are_kept_in_any_letter_case(pygeoapi, tmp_path):
    _, frame = got(asking(pygeoapi, "mines", fields=["site_code", "GRADE", "id"]), tmp_path)
    columns = [c for c in frame.columns if c not in ("geometry", "bbox")]
    assert columns == ["Site_Code", "Grade", "id"]
    assert frame["id"][3] == "mines.3"


@pytest.mark.parametrize("name", ["MINES", "the mines of*", "m*"])
def test_a_collection_is_found_by_its_id_or_title(pygeoapi, tmp_path, name):
    assert got(asking(pygeoapi, name, box=WEST), tmp_path)[0].count == 63


def test_what_is_not_there_is_said_beside_what_is(pygeoapi, tmp_path):
    with pytest.raises(FetchError, match="no 'pits'; collections there: areas, mines"):
        got(asking(pygeoapi, "pits"), tmp_path)
    with pytest.raises(FetchError, match=r"no field 'depth', 'width'.*Site_Code, Name, Grade"):
        got(asking(pygeoapi, "mines", fields=["depth", "Grade", "width"]), tmp_path)


def test_what_would_come_is_counted_and_weighed(pygeoapi):
    with quick() as client:
        known = ogc_features.estimated(asking(pygeoapi, "mines", box=WEST), client)
    assert known.count == 63
    assert 63 * 100 < known.size < 63 * 1000


def test_health_compares_the_server_with_the_catalogue(pygeoapi):
    with quick() as client:
        for source, fields, health in [
            ({"count": 240}, ["grade"], "ok"),
            ({"count": 100}, [], "count changed"),
            ({}, ["depth"], "schema changed"),
        ]:
            ask = asking(pygeoapi, "mines", fields=fields, **source)
            assert ogc_features.probed(ask, client).health == health


# ── what no honest server does ──────────────────────────────────────────────────────────────


def feature(number, **more):
    where = {"type": "Point", "coordinates": [-117 + number * 0.01, 38.5]}
    return {
        "type": "Feature", "id": number, "geometry": where, "properties": {"n": number},
    } | more  # fmt: skip


class Toy:
    """A server of pages that a test writes itself."""

    def __init__(self, pages, *, matched=None, links=None):
        self.pages, self.matched, self.asked = pages, matched, []
        self.links = links or [f"items?page={k + 1}" for k in range(len(pages) - 1)]

    def __call__(self, path, params):
        self.asked.append((path, params))
        if path.endswith("/collections"):
            return json.dumps({"collections": [{"id": "toy"}]}).encode()
        if not path.endswith("/items"):
            return 404, b"not here"
        number = int(params.get("page", 0))
        page = {"type": "FeatureCollection", "features": self.pages[number % len(self.pages)]}
        if number < len(self.links):
            page["links"] = [
                {"rel": "self", "href": "/"},
                {"rel": "next", "href": self.links[number]},
            ]
        if self.matched is not None:
            page["numberMatched"] = self.matched
        return json.dumps(page).encode()


def from_toy(toy, folder, *, fields=(), **more):
    with pretending(toy) as root:
        return got(asking(f"{root}/api/", "toy", fields=fields, **more), folder)


TWO = [[feature(0), feature(1)], [feature(2), feature(3)]]


def test_pages_without_a_count_are_read_to_the_end(tmp_path):
    found, frame = from_toy(Toy([*TWO, []]), tmp_path)
    assert frame["n"].tolist() == [0, 1, 2, 3]
    assert "does not say how many" in found.notes[0]


def test_a_feature_on_two_pages_is_one(tmp_path):
    _, frame = from_toy(Toy([*TWO, [feature(3), feature(4)]], matched=5), tmp_path)
    assert frame["n"].tolist() == [0, 1, 2, 3, 4]


def test_a_feature_in_both_boxes_is_one(tmp_path):
    wide = feature(0, geometry={"type": "LineString", "coordinates": [[-180, 38], [180, 38]]})
    _, frame = from_toy(Toy([[wide]], matched=1), tmp_path, box=(179, 37, -179, 39))
    assert len(frame) == 1


def test_features_without_ids_may_be_the_same(tmp_path):
    alike = [{k: v for k, v in feature(0).items() if k != "id"}] * 2
    _, frame = from_toy(Toy([alike], matched=2), tmp_path)
    assert len(frame) == 2


def test_types_that_differ_between_pages_lose_nothing(tmp_path):
    values = [[1, None], ["007", 2.5], [{"a": [1]}, 2**70], [None, None], ["2020-01-02", True]]
    pages = [
        [feature(2 * k + j, properties={"v": v}) for j, v in enumerate(page)]
        for k, page in enumerate(values)
    ]
    _, frame = from_toy(Toy(pages, matched=10), tmp_path)
    found = frame["v"].astype(object).where(frame["v"].notna(), None).tolist()
    assert found == [
        "1", None, "007", "2.5", '{"a": [1]}', str(2**70), None, None, "2020-01-02", "true",
    ]  # fmt: skip


def test_null_geometry_is_kept_null(tmp_path):
    _, frame = from_toy(Toy([[feature(0), feature(1, geometry=None)]]), tmp_path)
    assert frame.geometry.isna().tolist() == [False, True]


@pytest.mark.parametrize(
    ("toy", "words"),
    [
        (Toy(TWO, matched=5), "there are 5 features, gives 4"),
        (Toy([*TWO, []], matched=5), "there are 5 features, gives 4"),
        (Toy(TWO, links=["items?page=1", "items?page=1"]), "in a circle, back to http"),
        (Toy(TWO, links=[f"items?page={k}" for k in range(1, 9)]), "the same features again"),
        (Toy(TWO, links=["https://elsewhere.example/items?page=1"]), "another host"),
        (Toy(TWO, links=["//elsewhere.example/items"]), "another host"),
        (lambda *_: b'{"code": "x"}', "lists no collections .it says code"),
        (lambda *_: b"<!doctype html><html>log in</html>", "a web page"),
        (lambda *_: b'{"error": {"code": 500, "message": "asleep"}}', "asleep"),
        (lambda *_: b"[]", "expected an object"),
    ],
)
def test_what_is_wrong_is_refused_in_words(tmp_path, toy, words):
    with pytest.raises(RefusedError, match=words):
        from_toy(toy, tmp_path)


@pytest.mark.parametrize("body", [{"description": "no such thing"}, {"features": {}}, {"a": 1}])
def test_an_answer_without_features_is_refused(tmp_path, body):
    toy = Toy(TWO)

    def answer(path, params):
        return json.dumps(body).encode() if path.endswith("/items") else toy(path, params)

    with pytest.raises(RefusedError, match=r"without features: (no such thing|features|a)"):
        from_toy(answer, tmp_path)


def test_the_next_page_is_asked_for_at_the_declared_port(tmp_path):
    # Behind a proxy a server does not know how it is reached.
    toy = Toy(TWO, matched=4, links=["https://127.0.0.1:5000/api/collections/toy/items?page=1"])
    assert from_toy(toy, tmp_path)[0].count == 4


def test_latitude_first_is_turned_and_said(tmp_path):
    turned = feature(0, geometry={"type": "Point", "coordinates": [38.5, -117]})
    for box in (None, (-118, 38, -116, 39)):
        found, frame = from_toy(Toy([[turned]], matched=1), tmp_path, box=box)
        assert (frame.geometry[0].x, frame.geometry[0].y) == (-117, 38.5)
        assert "were turned" in found.notes[0]


def test_features_from_somewhere_else_are_refused(tmp_path):
    with pytest.raises(FetchError, match=r"features lie in -117 38.5 -116.99 38.5, were expected"):
        from_toy(Toy(TWO), tmp_path, box=(10, 50, 11, 51))


def test_a_geometry_that_is_none_is_named(tmp_path):
    bad = feature(0, geometry={"type": "Polygon", "coordinates": [[[1, 2]]]})
    with pytest.raises(LayerDataError, match=r"collections/toy/items: holds a geometry"):
        from_toy(Toy([[bad]]), tmp_path)
