from __future__ import annotations

import pyarrow as pa
import pytest
import shapely

from geosite.errors import LayerDataError
from geosite.sources.gml import digest, features, nothing, typed, united, unlike
from geosite.sources.wfs_xml import Field

FIELDS = (Field("n", "integer"), Field("share", "number"), Field("code", "text"))


def table(*rows, ids=None):
    columns = {name: [row[k] for row in rows] for k, name in enumerate(("code", "geometry"))}
    named = {"code": pa.array(columns["code"], pa.string())}
    named |= {"gml_id": pa.array(ids, pa.string())} if ids else {}
    return pa.table(named | {"geometry": pa.array(columns["geometry"], pa.binary())})


def codes(tables):
    return [code for one in tables for code in one.column("code").to_pylist()]


A, B, C = ("a", b"1"), ("b", b"2"), ("c", b"3")


def test_what_lies_in_two_areas_is_kept_once():
    assert codes(united([table(A, B), table(B, C), table(C, A)])) == ["a", "b", "c"]


def test_twins_are_kept_as_often_as_one_answer_has_them():
    assert codes(united([table(A, A), table(A, A, B)])) == ["a", "a", "b"]
    assert codes(united([table(A), table(A, A, A)])) == ["a", "a", "a"]


def test_ids_do_not_tell_features_of_two_areas_apart_but_those_of_two_pages():
    one, two = table(A, B, ids=["x1", "x2"]), table(B, C, ids=["x3", "x4"])
    assert codes(united([one, two])) == ["a", "b", "c"]
    assert digest(one) == digest(table(A, B, ids=["y1", "y2"])) != digest(two)
    seen = set()
    pages = [unlike(page, seen) for page in (one, table(B, A, ids=["x2", "x5"]))]
    assert codes(pages) == ["a", "b", "a"]


def test_a_server_that_numbers_each_page_anew_loses_nothing():
    seen = set()
    pages = [table(A, B, ids=["x1", "x2"]), table(C, A, ids=["x1", "x2"])]
    assert codes([unlike(page, seen) for page in pages]) == ["a", "b", "c", "a"]


def test_features_without_an_id_are_all_kept():
    assert codes([unlike(table(A, A, ids=["", ""]), set())]) == ["a", "a"]


def test_texts_become_numbers_only_where_all_of_a_column_are():
    texts = pa.table({"n": ["1", None], "share": ["1e3", "abc"], "code": ["007", "8"]})
    found = typed(texts, FIELDS)
    assert found.to_pydict() == {"n": [1, None], "share": ["1e3", "abc"], "code": ["007", "8"]}
    assert typed(pa.table({"n": ["1.5"]}), FIELDS).to_pydict() == {"n": ["1.5"]}


def test_a_table_of_nothing_has_the_columns_of_the_type():
    found = nothing([*FIELDS, Field("place", "geometry")])
    assert (found.num_rows, found.column_names) == (0, ["n", "share", "code", "geometry"])


@pytest.mark.parametrize("content", [b"", b"<a/>", b"{}", b"<OGRVRTDataSource/>"])
def test_what_is_no_gml_is_named(content):
    with pytest.raises(LayerDataError, match="toy: cannot be read as GML"):
        features(content, "toy", schema=None, authority_order=False)


GML = """<wfs:FeatureCollection xmlns:wfs="http://www.opengis.net/wfs" xmlns:t="urn:t"
xmlns:gml="http://www.opengis.net/gml"><gml:featureMember><t:mine><t:place>{}</t:place><t:n>1</t:n>
</t:mine></gml:featureMember></wfs:FeatureCollection>"""


@pytest.mark.parametrize(
    ("shape", "authority_order", "wkt"),
    [
        ('<gml:Point srsName="EPSG:4326"><gml:coordinates>-117,38</gml:coordinates></gml:Point>',
         False, "POINT (-117 38)"),
        ('<gml:Point srsName="EPSG:4326"><gml:pos>38 -117</gml:pos></gml:Point>',
         True, "POINT (-117 38)"),
        ('<gml:Point srsName="urn:ogc:def:crs:EPSG::4326"><gml:pos>38 -117</gml:pos></gml:Point>',
         False, "POINT (-117 38)"),
        ('<gml:Point srsName="urn:ogc:def:crs:EPSG::5070"><gml:pos>1 2</gml:pos></gml:Point>',
         True, "POINT (1 2)"),
    ],
)  # fmt: skip
def test_x_comes_first_whatever_the_crs_is_called(shape, authority_order, wkt):
    content = GML.format(shape).encode()
    found, crs = features(content, "toy", schema=None, authority_order=authority_order)
    assert shapely.from_wkb(found.column("geometry")[0].as_py()).wkt == wkt
    assert crs.to_epsg() in (4326, 5070)
    assert found.column("n").to_pylist() == ["1"]


def test_rows_without_geometry_are_no_features():
    with pytest.raises(LayerDataError, match="without geometry, expected features"):
        features(GML.format("x").encode(), "toy", schema=None, authority_order=False)
