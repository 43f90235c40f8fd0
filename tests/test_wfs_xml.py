from __future__ import annotations

import pytest

from geosite.sources.client import Body, RefusedError
from geosite.sources.wfs_xml import Field, capabilities, fields, scanned, schema


def body(text):
    return Body(text.encode(), "http://u", 200, {})


CORNERS = """<DefaultCRS>x</DefaultCRS><OtherCRS>y</OtherCRS><o:WGS84BoundingBox xmlns:o='o'>
<o:LowerCorner>-117 38</o:LowerCorner><o:UpperCorner>-116 39</o:UpperCorner></o:WGS84BoundingBox>"""
TYPE = "<FeatureType><Name> t:a </Name>{}</FeatureType>"


@pytest.mark.parametrize(
    ("inner", "crs", "extent"),
    [
        ("<SRS>EPSG:4326</SRS><LatLongBoundingBox minx='-117' miny='38' maxx='-116' maxy='39'/>",
         ("EPSG:4326",), (-117, 38, -116, 39)),
        (CORNERS, ("x", "y"), (-117, 38, -116, 39)),
        # Metres, nothing, one corner, words.
        ("<LatLongBoundingBox minx='0' miny='0' maxx='2e6' maxy='3e6'/>", (), None),
        ("<LatLongBoundingBox minx='0' miny='0' maxx='0' maxy='0'/>", (), None),
        ("<WGS84BoundingBox><LowerCorner>-117 38</LowerCorner></WGS84BoundingBox>", (), None),
        ("<LatLongBoundingBox minx='a'/>", (), None),
        ("", (), None),
    ],
)  # fmt: skip
def test_a_type_says_where_it_is_and_in_which_crs(inner, crs, extent):
    text = f"<WFS_Capabilities version='1.1.0'>{TYPE.format(inner)}</WFS_Capabilities>"
    found = capabilities(body(text))
    assert (found.version, found.pages, found.limit) == ("1.1.0", False, None)
    assert [(t.name, t.crs, t.extent) for t in found.types] == [("t:a", crs, extent)]


@pytest.mark.parametrize(
    ("said", "limit"), [("100", 100), ("0", None), ("many", None), ("²", None)]
)
def test_limits_and_pages_are_told_by_constraints(said, limit):
    found = capabilities(body(
        "<wfs:WFS_Capabilities xmlns:wfs='w' version='2.0.0'><Constraint name='CountDefault'>"
        f"<NoValues/><DefaultValue>{said}</DefaultValue></Constraint><Constraint "
        "name='ImplementsResultPaging'><DefaultValue>true</DefaultValue></Constraint>"
        "</wfs:WFS_Capabilities>"
    ))  # fmt: skip
    assert (found.limit, found.pages) == (limit, True)


XSD = """<s:schema xmlns:s="http://www.w3.org/2001/XMLSchema"><s:complexType name="T"><s:sequence>
<s:element name="code" type="s:string"/><s:element name="n" type="s:long"/>
<s:element name="share"><s:simpleType><s:restriction base="s:decimal"/></s:simpleType></s:element>
<s:element name="shape" type="gml:MultiSurfacePropertyType"/>
<s:element name="odd" type="gml:CodeType"/>
</s:sequence></s:complexType><s:complexType name="U"/>{}</s:schema>"""
FOUND = (
    Field("code", "text"), Field("n", "integer"), Field("share", "number"),
    Field("shape", "geometry"), Field("odd", "text"),
)  # fmt: skip


def test_fields_are_those_of_the_type():
    assert fields(body(XSD.format('<s:element name="a" type="t:T"/>')), "t:a") == FOUND
    assert fields(body(XSD.format('<s:element name="a" type="t:U"/>')), "a") == ()
    assert fields(body(XSD.format('<s:element name="b" type="t:T"/>')), "a") == ()
    inner = '<s:element name="a"><s:complexType><s:element name="n" type="s:int"/></s:complexType>'
    assert fields(body(XSD.format(f"{inner}</s:element>")), "a")[-1] == Field("n", "integer")


def test_our_schema_says_the_same_in_texts():
    found = fields(Body(schema("t:a", FOUND), "http://u", 200, {}), "a")
    assert [one.name for one in found] == [one.name for one in FOUND]
    assert {one.kind for one in found} == {"text", "geometry"}
    assert b"&lt;" in schema("a", (Field('<"', "text"),))


def test_features_are_counted_where_they_stand():
    members = "<m><t/></m>".replace("m>", "featureMember>") + "<member><t><member/></t></member>"
    text = f"<FeatureCollection numberMatched='unknown'>{members}<featureMembers><t/><t/>"
    found = scanned(body(text + "</featureMembers><boundedBy><x/></boundedBy></FeatureCollection>"))
    assert (found.members, found.counted) == (4, None)
    assert scanned(body("<FeatureCollection numberOfFeatures='7'/>")).counted == 7


@pytest.mark.parametrize(
    ("text", "again"),
    [
        ("<ExceptionReport><Exception locator='typeName'/></ExceptionReport>", False),
        ("<ExceptionReport><Exception/></ExceptionReport>", True),
        ("<FeatureCollection>", True),
        ("<other/>", False),
    ],
)
def test_a_refusal_says_whether_to_ask_again(text, again):
    with pytest.raises(RefusedError) as refused:
        scanned(body(text))
    assert refused.value.again is again
