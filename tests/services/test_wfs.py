from __future__ import annotations

import re
from itertools import count

import geopandas as gpd
import pyogrio
import pytest
import shapely

from geosite.errors import FetchError
from geosite.model import Layer
from geosite.sources import wfs
from geosite.sources.asking import Ask
from geosite.sources.client import Client, Patience, RefusedError
from tests.services.mapserver import COUNT, MOST, areas, mines, twins
from tests.services.pretender import pretending

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
    assert list(tmp_path.iterdir()) == [found.path]


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
    assert found.count == COUNT > 2 * MOST


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
    with pytest.raises(FetchError, match=r"no 'pits'; types there: (ms:)?mines, (ms:)?areas, "):
        got(asking(mapserver.whole, "pits"), tmp_path)
    with pytest.raises(FetchError, match=r"2 of them are '\*in\*' \((ms:)?mines, (ms:)?twins"):
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


# ── what no honest server does ──────────────────────────────────────────────────────────────

NEVADA = (-117.0, 38.0, -116.0, 39.0)
PLACES = [(-116.9 + k * 0.007, 38.1 + k * 0.006) for k in range(120)]
SCHEMA = """<schema xmlns="http://www.w3.org/2001/XMLSchema" xmlns:gml="http://www.opengis.net/gml">
<element name="mines" type="t:minesType"/><complexType name="minesType"><complexContent>
<extension base="gml:AbstractFeatureType"><sequence>
<element name="place" type="gml:PointPropertyType"/><element name="code" type="string"/>
<element name="grade" type="double"/></sequence></extension></complexContent></complexType></schema>
"""
SPACES = (
    'xmlns:wfs="http://www.opengis.net/wfs" xmlns:gml="http://www.opengis.net/gml" '
    'xmlns:t="urn:toy" xmlns:xlink="http://www.w3.org/1999/xlink"'
)


class Toy:
    """A WFS of points that is honest by default, and wrong in the ways that it is told."""

    def __init__(self, places=PLACES, extent=NEVADA, **ways):
        self.places, self.extent, self.asked = places, extent, []
        self.version, self.limit, self.told, self.pages = "1.1.0", None, True, False
        self.takes_x_first = self.gives_x_first = self.ignores_boxes = False
        self.ids, self.srs, self.extra, self.grade = True, "urn:ogc:def:crs:EPSG::4326", 0, "1.5"
        self.schema, self.head = SCHEMA, ""
        self.fresh = count()
        vars(self).update(ways)

    def __call__(self, _path, params):
        self.asked.append(params)
        request = params["request"]
        if request == "GetCapabilities":
            return self.capabilities().encode()
        if request == "DescribeFeatureType":
            return self.schema.encode()
        there = [p for p in self.places if self.meets(p, params.get("bbox"))]
        return self.features(there, params).encode()

    def capabilities(self):
        west, south, east, north = self.extent
        said = "DefaultMaxFeatures" if self.version == "1.1.0" else "CountDefault"
        limit = f'<Constraint name="{said}"><Value>{self.limit}</Value></Constraint>'
        paging = "TRUE" if self.pages else "FALSE"
        return f"""<WFS_Capabilities version="{self.version}">{limit if self.told else ""}
        <Constraint name="ImplementsResultPaging"><DefaultValue>{paging}</DefaultValue></Constraint>
        <FeatureTypeList><FeatureType><Name>t:mines</Name><DefaultSRS>EPSG:4326</DefaultSRS>
        <SRS>EPSG:4326</SRS>
        <LatLongBoundingBox minx="{west}" miny="{south}" maxx="{east}" maxy="{north}"/>
        <WGS84BoundingBox><LowerCorner>{west} {south}</LowerCorner>
        <UpperCorner>{east} {north}</UpperCorner></WGS84BoundingBox>
        </FeatureType></FeatureTypeList></WFS_Capabilities>"""

    def meets(self, place, bbox):
        if bbox is None or self.ignores_boxes:
            return True
        a, b, c, d = map(float, bbox.split(",")[:4])
        if self.version != "1.0.0" and not self.takes_x_first:
            a, b, c, d = b, a, d, c
        return a <= place[0] <= c and b <= place[1] <= d

    def features(self, there, params):
        start = int(params.get("startindex", 0)) if self.pages else 0
        most = int(params.get("count", params.get("maxfeatures", 10**6)))
        here = there[start : start + min(most, self.limit or 10**6)]
        number = len(there) + self.extra
        counted = f'numberOfFeatures="{number}" numberMatched="{number}"'
        if params.get("resulttype") == "hits":
            here = []
        members = "".join(map(self.member, here))
        root = "wfs:FeatureCollection"
        return f"<{root} {SPACES} {counted}{self.head}>{members}</{root}>"

    def member(self, place):
        x, y = place
        first, second = (x, y) if self.gives_x_first or self.version == "1.0.0" else (y, x)
        name = self.places.index(place) if self.ids is True else next(self.fresh)
        srs = "EPSG:4326" if self.version == "1.0.0" else self.srs
        return f"""<gml:featureMember><t:mines gml:id="mines.{name}"><t:place>
        <gml:Point srsName="{srs}"><gml:pos>{first} {second}</gml:pos></gml:Point></t:place>
        <t:code>{self.places.index(place):04d}</t:code><t:grade>{self.grade}</t:grade>
        </t:mines></gml:featureMember>"""


def from_toy(toy, folder, *, box=NEVADA, answer=None, **source):
    with pretending(answer or toy) as root:
        found, frame = got(asking(root, "mines", box=box, version=toy.version, **source), folder)
    return found, frame, [(round(p.x, 6), round(p.y, 6)) for p in frame.geometry]


def rounded(places):
    return [(round(x, 6), round(y, 6)) for x, y in places]


@pytest.mark.parametrize("version", VERSIONS)
def test_an_honest_toy_is_read_as_it_is(tmp_path, version):
    found, frame, places = from_toy(Toy(version=version), tmp_path)
    assert places == rounded(PLACES)
    assert frame["code"].tolist()[:2] == ["0000", "0001"]
    assert frame["grade"].tolist()[:2] == [1.5, 1.5]
    assert not any("axes" in note for note in found.notes)


@pytest.mark.parametrize("version", ["1.1.0", "2.0.0"])
@pytest.mark.parametrize("takes", [False, True])
@pytest.mark.parametrize("gives", [False, True])
def test_axes_the_other_way_round_are_seen_and_said(tmp_path, version, takes, gives):
    toy = Toy(version=version, takes_x_first=takes, gives_x_first=gives)
    found, _, places = from_toy(toy, tmp_path)
    assert places == rounded(PLACES)
    notes = " ".join(found.notes)
    assert ("takes boxes" in notes, "were turned" in notes) == (takes, gives)


def test_turned_coordinates_are_seen_without_a_box_too(tmp_path):
    found, _, places = from_toy(Toy(gives_x_first=True), tmp_path, box=None)
    assert places == rounded(PLACES)
    assert "were turned" in " ".join(found.notes)


def test_an_empty_place_stays_empty_although_its_mirror_image_is_not(tmp_path):
    # Latitude 28 and longitude 34, or the other way round: both are places on Earth.
    toy = Toy(places=[(28.5, 34.5), (28.6, 34.6)], extent=(-180, -90, 180, 90))
    found, _, places = from_toy(toy, tmp_path, box=(34, 28, 35, 29))
    assert (found.count, places) == (0, [])


def test_a_box_is_not_refused_for_its_mirror_image_beyond_the_pole(tmp_path):
    toy = Toy()

    def answer(path, params):
        if params.get("bbox", "").startswith("-110"):
            return REPORTS["ows"]
        return toy(path, params)

    found, _, _ = from_toy(toy, tmp_path, box=(-110, 30, -109, 31), answer=answer)
    assert found.count == 0


def test_features_from_somewhere_else_are_refused(tmp_path):
    toy = Toy(ignores_boxes=True, places=[(10.0, 50.0)], extent=(-180, -90, 180, 90))
    with pytest.raises(FetchError, match=r"features lie in 10 50 10 50, were expected in -117 38"):
        from_toy(toy, tmp_path)


def test_another_crs_than_the_one_asked_for_is_refused(tmp_path):
    with pytest.raises(FetchError, match=r"was asked for EPSG:4326, answers in EPSG:4267"):
        from_toy(Toy(srs="urn:ogc:def:crs:EPSG::4267"), tmp_path)


def test_a_service_that_speaks_another_version_is_said(tmp_path):
    with (
        pretending(Toy(version="1.1.0")) as root,
        pytest.raises(FetchError, match=r"speaks WFS 1\.1\.0, was asked for 2\.0\.0"),
    ):
        got(asking(root, "mines", version="2.0.0"), tmp_path)


def test_without_a_declared_version_the_service_chooses(tmp_path):
    with pretending(Toy(version="1.1.0")) as root:
        assert got(asking(root, "mines"), tmp_path)[0].count == len(PLACES)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("told", [False, True])
def test_a_limit_is_found_whether_it_is_told_or_not(tmp_path, version, told):
    toy = Toy(version=version, limit=100, told=told)
    assert sorted(from_toy(toy, tmp_path)[2]) == sorted(rounded(PLACES))
    assert sorted(from_toy(toy, tmp_path, box=None)[2]) == sorted(rounded(PLACES))


def test_ids_that_are_made_up_anew_make_no_doublets(tmp_path):
    # On the edge of every quarter: the middle of the box.
    places = [*PLACES, (-116.5, 38.5)]
    toy = Toy(version="1.0.0", limit=100, ids=False, places=places)
    assert sorted(from_toy(toy, tmp_path)[2]) == sorted(rounded(places))


def test_more_features_at_one_place_than_an_answer_holds_are_refused(tmp_path):
    toy = Toy(version="1.0.0", limit=5, places=[(-116.3, 38.3)] * 9)
    with pytest.raises(RefusedError, match=r"no more than 5 features .* more near -116\.300\d+ 38"):
        from_toy(toy, tmp_path)


@pytest.mark.parametrize("pages", [False, True])
def test_fewer_features_than_counted_are_refused(tmp_path, pages):
    toy = Toy(version="2.0.0", pages=pages, extra=3, places=PLACES[:20])
    with pytest.raises(RefusedError, match=r"there are 23 features, gives 20"):
        from_toy(toy, tmp_path, box=None)


def test_features_counted_but_not_given_are_refused(tmp_path):
    with pytest.raises(RefusedError, match=r"there are 3 features, gives none"):
        from_toy(Toy(places=[], extra=3), tmp_path)


def test_a_page_that_comes_for_ever_ends(tmp_path):
    toy = Toy(version="2.0.0", pages=True, extra=10**6)

    def answer(path, params):
        return toy(path, params | {"startindex": "0"})

    with pytest.raises(RefusedError, match=r"the same features again from 50 on"):
        from_toy(toy, tmp_path, answer=answer, page_size=50)


def test_pages_that_overlap_lose_nothing_unseen(tmp_path):
    toy = Toy(version="2.0.0", pages=True)

    def answer(path, params):
        start = max(int(params.get("startindex", 0)) - 1, 0)
        return toy(path, params | {"startindex": str(start)})

    found, _, places = from_toy(toy, tmp_path, answer=answer, page_size=50)
    assert places == rounded(PLACES)
    assert found.count == len(PLACES)


def test_a_word_among_numbers_is_not_made_zero(tmp_path):
    _, frame, _ = from_toy(Toy(grade="unknown"), tmp_path)
    assert set(frame["grade"]) == {"unknown"}


def test_a_type_without_a_schema_is_read_all_the_same(tmp_path):
    toy = Toy(schema='<schema xmlns="http://www.w3.org/2001/XMLSchema"><include/></schema>')
    _, frame, places = from_toy(toy, tmp_path)
    assert places == rounded(PLACES)
    assert "code" in frame


def test_nobody_else_is_asked_for_a_schema(tmp_path):
    others = []

    def other(path, _):
        others.append(path)
        return b"<schema/>"

    with pretending(other) as elsewhere:
        head = (
            ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
            f'xsi:schemaLocation="urn:toy {elsewhere}/toy.xsd"'
        )
        for number, schema in enumerate([SCHEMA, "<schema/>"]):
            from_toy(Toy(head=head, schema=schema), tmp_path / str(number))
    assert others == []


REPORTS = {
    "ows": b"""<ows:ExceptionReport xmlns:ows="http://www.opengis.net/ows"><ows:Exception
    exceptionCode="NoApplicableCode"><ows:ExceptionText>the database
    sleeps</ows:ExceptionText></ows:Exception></ows:ExceptionReport>""",
    "ogc": b"""<ServiceExceptionReport xmlns="http://www.opengis.net/ogc"><ServiceException
    code="NoApplicableCode"> the database sleeps</ServiceException></ServiceExceptionReport>""",
}
BOMB = b"""<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]>
<wfs:FeatureCollection xmlns:wfs="http://www.opengis.net/wfs">&b;</wfs:FeatureCollection>"""
OUTSIDE = b"""<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]><WFS_Capabilities>&a;
</WFS_Capabilities>"""


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (REPORTS["ows"], "said: NoApplicableCode - .*the database sleeps"),
        (REPORTS["ogc"], "said: NoApplicableCode - the database sleeps"),
        (b"<!doctype html><html><p>log in<br></html>", "a web page .*not whole XML"),
        (b'<html xmlns="http://www.w3.org/1999/xhtml"/>', "answered <html>, expected"),
        (BOMB, "a document type"),
        (BOMB.decode().encode("utf-16"), "a document type"),
        (OUTSIDE, "a document type"),
        (b"", "nothing.*not whole XML"),
        (b"\x1f\x8b\x00\xff" * 9, "not whole XML"),
        (b'<?xml version="1.0" encoding="none"?><a/>', "not whole XML"),
    ],
)
@pytest.mark.parametrize("when", ["GetCapabilities", "DescribeFeatureType", "GetFeature"])
def test_what_is_no_answer_is_refused_in_the_servers_words(tmp_path, body, words, when):
    toy = Toy()

    def answer(path, params):
        return body if params["request"] == when else toy(path, params)

    with pytest.raises(RefusedError, match=re.compile(words, re.DOTALL)) as refused:
        from_toy(toy, tmp_path, answer=answer)
    assert refused.value.url.startswith("http://127.0.0.1")


def test_half_an_answer_is_refused(tmp_path):
    toy = Toy()

    def answer(path, params):
        whole = toy(path, params)
        return whole[: len(whole) // 2] if params["request"] == "GetFeature" else whole

    with pytest.raises(RefusedError, match="not whole XML"):
        from_toy(toy, tmp_path, answer=answer)


def test_a_server_that_names_the_wrong_parameter_is_not_asked_again():
    report = REPORTS["ogc"].replace(b"code=", b'locator="typeName" code=')
    asked = []

    def answer(_, params):
        asked.append(params)
        return report

    with pretending(answer) as root, quick() as client, pytest.raises(RefusedError):
        wfs.probed(asking(root, "mines"), client)
    assert len(asked) == 1
