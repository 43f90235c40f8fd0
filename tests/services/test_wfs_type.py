from __future__ import annotations

import pytest
from pyproj import CRS

from geosite.errors import FetchError
from geosite.model import Layer
from geosite.sources.asking import Ask
from geosite.sources.client import Client
from geosite.sources.wfs_type import Kind, declared, kind_of
from geosite.sources.wfs_xml import FeatureType
from tests.services.pretender import pretending

FACTS = {
    "title": "toy", "agency": "nobody", "purpose": "tests", "absence": "informative",
    "vintage": "2024", "status": "synthetic", "licence": "none", "citation": "none",
}  # fmt: skip
EMPTY = b'<wfs:FeatureCollection xmlns:wfs="http://www.opengis.net/wfs/2.0"/>'


def asking(url, crs="EPSG:4326"):
    source = {"kind": "wfs", "url": url, "layer": "a"}
    layer = Layer(id="toy/layer", geometry="point", crs=crs, sources=[source], **FACTS)
    return Ask(layer, layer.sources[0])


def asked(version, crs, box, **ways):
    """The parameters of one question, as the server hears them."""
    heard = []

    def answer(_, params):
        heard.append(params)
        return EMPTY

    with pretending(answer) as root, Client() as client:
        offer = FeatureType("t:a", (), None)
        kind = Kind(asking(root), client, version, offer, CRS(crs), False, None, **ways)
        kind.asked(kind.bounds(box), {"count": "5"})
    return heard[0]


@pytest.mark.parametrize(
    ("version", "crs", "bbox", "srs"),
    [
        ("1.0.0", "EPSG:4326", "-117.0,38.0,-116.0,39.0", "EPSG:4326"),
        ("1.1.0", "EPSG:4326", "38.0,-117.0,39.0,-116.0,{}", "urn:ogc:def:crs:EPSG::4326"),
        ("2.0.0", "EPSG:4326", "38.0,-117.0,39.0,-116.0,{}", "urn:ogc:def:crs:EPSG::4326"),
        ("2.0.0", "OGC:CRS84", "-117.0,38.0,-116.0,39.0,{}", "urn:ogc:def:crs:OGC:1.3:CRS84"),
    ],
)
def test_each_version_and_crs_has_its_order_of_axes(version, crs, bbox, srs):
    found = asked(version, crs, (-117.0, 38.0, -116.0, 39.0))
    assert (found["bbox"], found["srsname"]) == (bbox.format(srs), srs)
    new = version == "2.0.0"
    assert (found.get("typenames"), found.get("count")) == (("t:a", "5") if new else (None, None))


def test_a_projected_box_encloses_the_one_in_degrees():
    found = asked("2.0.0", "EPSG:5070", (-117.0, 38.0, -116.0, 39.0))["bbox"].split(",")
    left, bottom, right, top = map(float, found[:4])
    assert -1.82e6 < left < right < -1.70e6
    assert 1.84e6 < bottom < top < 1.98e6


def test_a_flipped_box_is_the_other_way_round():
    found = asked("1.1.0", "EPSG:4326", (-117.0, 38.0, -116.0, 39.0), flipped=True)
    assert found["bbox"].startswith("-117.0,38.0,")


def offered_crs(uris, wanted, version="2.0.0"):
    said = "".join(f"<OtherCRS>{uri}</OtherCRS>" for uri in uris)
    text = (
        f'<WFS_Capabilities version="{version}"><FeatureType><Name>t:a</Name>{said}'
        "</FeatureType></WFS_Capabilities>"
    )
    with pretending(lambda *_: text.encode()) as root, Client() as client:
        return kind_of(asking(root, wanted), client).crs


@pytest.mark.parametrize(
    ("uris", "wanted", "found"),
    [
        (["EPSG:4267", "urn:ogc:def:crs:EPSG::5070"], "EPSG:5070", 5070),
        (["EPSG:4267", "urn:x-ogc:def:crs:EPSG:6.9:4269"], "EPSG:4269", 4269),
        (["http://www.opengis.net/gml/srs/epsg.xml#4326"], "EPSG:4326", 4326),
        (["http://www.opengis.net/def/crs/EPSG/0/4326"], "EPSG:4326", 4326),
        (["EPSG:4267", "EPSG:4326"], "EPSG:5070", 4267),  # its own, to be projected here
        (["nonsense"], "EPSG:5070", 5070),
        ([], "EPSG:5070", 5070),
    ],
)
def test_the_crs_of_the_layer_is_asked_for_where_it_is_offered(uris, wanted, found):
    assert offered_crs(uris, wanted).to_epsg() == found


def test_a_crs_without_a_code_cannot_be_asked_for():
    local = "+proj=aea +lat_1=30 +lat_2=40 +lon_0=-110 +ellps=GRS80"
    with pytest.raises(FetchError, match="has no code, and a WFS knows a CRS by its code"):
        asked("2.0.0", local, None)


def test_the_declared_crs_is_the_layers():
    assert declared(asking("http://u", "EPSG:4269")).to_epsg() == 4269
