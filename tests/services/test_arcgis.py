"""ArcGIS services: Koop, which the project did not write, and a fickle one, which it had to."""

import json
import re
import warnings

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely
from pyproj import CRS

from geosite.crs import WGS84, same_crs, transformed
from geosite.errors import FetchError, LayerDataError
from geosite.model.layer import Layer
from geosite.sources import arcgis, arcgis_pages
from geosite.sources.arcgis_layer import server_name
from geosite.sources.asking import Ask
from geosite.sources.client import Client, Patience, RefusedError
from tests.services import fickle as fickle_server
from tests.services.koop import feature

HASTE = Patience(connect=5, read=5, whole=20, attempts=3, first=0.001, longest=0.01)


@pytest.fixture
def client():
    with Client(HASTE) as made:
        yield made


@pytest.fixture
def fickle():
    with fickle_server.running() as made:
        yield made


def ask(url, *, box=None, fields=("NAME",), geometry="point", crs="EPSG:4326", **source):
    source = {"kind": "arcgis", "url": url} | ({"layer": "*"} | source)
    layer = Layer(
        id="toy/layer", title="Toys", agency="nobody", purpose="tests", geometry=geometry, crs=crs,
        sources=[source], fields={f.lower().replace(".", "_"): {"from": f} for f in fields},
        absence="informative", vintage="2026", status="synthetic", licence="none", citation="none",
    )  # fmt: skip
    return Ask(layer, layer.sources[0], box)


def fetched(asked, client, folder, told=lambda done, of: None):
    got = arcgis.fetched(asked, client, folder, told)
    frame = gpd.read_parquet(got.path)
    assert len(frame) == got.count
    assert same_crs(frame.crs, CRS(asked.layer.crs))
    return got, frame


def point(x, y):
    return {"type": "Point", "coordinates": [x, y]}


# ── Koop ────────────────────────────────────────────────────────────────────────────────────

MINES = [
    feature(k, point(-117 + k / 10, 39 + k / 20), NAME=name, TONS=tons, SEEN=seen, OWNER="a person")
    for k, (name, tons, seen) in enumerate(
        [
            ("Ruby Hill", 12.5, "2024-03-01T00:00:00Z"),
            ("Mina Señorita 鉱山", None, "1999-12-31T00:00:00Z"),
            (None, -999999, None),
            ("Comstock", 0, "2026-11-22T05:00:00Z"),
            ('quoted "exceededTransferLimit": true', 7, None),
        ],
        1,
    )
]


def mines(koop, name, **metadata):
    fields = [("OBJECTID", "Integer"), ("NAME", "String"), ("TONS", "Double"), ("SEEN", "Date")]
    fields.append(("OWNER", "String"))
    described = [{"name": n, "type": t} for n, t in fields]
    return koop.offer(name, MINES, fields=described, **metadata)


def test_points_come_with_the_declared_columns_and_their_types(koop, client, tmp_path):
    url = mines(koop, "types", maxRecordCount=2)
    got, frame = fetched(ask(url, fields=("name", "TONS", "SEEN")), client, tmp_path)
    assert list(frame.columns) == ["name", "TONS", "SEEN", "geometry"]
    assert frame.name.fillna("null").tolist() == [f["properties"]["NAME"] or "null" for f in MINES]
    assert frame.TONS.tolist() == pytest.approx([12.5, np.nan, -999999, 0, 7], nan_ok=True)
    assert str(frame.SEEN.dt.tz_localize(None)[3]) == "2026-11-22 05:00:00"
    assert frame.geometry[1].equals(shapely.Point(-116.8, 39.1))
    assert (got.count, got.server_count, got.notes) == (5, 5, ())
    assert got.url.startswith(f"{url}/0/query?where=1%3D1&outFields=NAME%2CTONS%2CSEEN%2COBJECTID")


def test_what_is_not_declared_is_not_asked_for(koop, client, tmp_path):
    got, frame = fetched(ask(mines(koop, "private")), client, tmp_path)
    assert "OWNER" not in got.url
    assert "OWNER" not in frame.columns


def test_polygons_keep_their_holes_and_parts(koop, client, tmp_path):
    box, lake = shapely.box(-118, 38, -116, 40), shapely.box(-117.5, 38.5, -117, 39)
    islands = shapely.MultiPolygon([box - lake, shapely.box(-115, 38, -114, 39)])
    shapes = [islands, shapely.box(-110, 30, -109, 31)]
    features = [
        feature(k, shapely.geometry.mapping(shape), NAME=f"{k}") for k, shape in enumerate(shapes)
    ]
    _, frame = fetched(ask(koop.offer("holes", features), geometry="polygon"), client, tmp_path)
    assert all(frame.geometry.normalize() == [shapely.normalize(s) for s in shapes])


def test_lines_come_in_the_declared_crs(koop, client, tmp_path):
    xy = np.array([[-117.0, 39.0], [-116.5, 39.2], [-116.0, 38.9]])
    features = [feature(1, {"type": "LineString", "coordinates": xy.tolist()}, NAME="rail")]
    asked = ask(koop.offer("lines", features), geometry="line", crs="EPSG:5070")
    _, frame = fetched(asked, client, tmp_path)
    wanted = np.column_stack(transformed(*xy.T, WGS84, CRS("EPSG:5070")))
    assert shapely.get_coordinates(frame.geometry) == pytest.approx(wanted, abs=0.05)


def test_only_what_meets_the_box_comes(koop, client, tmp_path):
    asked = ask(mines(koop, "box"), box=(-116.85, 39.0, -116.65, 39.3))
    got, frame = fetched(asked, client, tmp_path)
    assert frame.geometry.x.tolist() == pytest.approx([-116.8, -116.7])
    assert (got.count, got.server_count) == (2, 5)


def test_a_source_that_is_asked_for_as_a_whole_knows_no_box(koop, client, tmp_path):
    asked = ask(mines(koop, "whole"), box=(-116.85, 39.0, -116.65, 39.3), scope="whole")
    assert fetched(asked, client, tmp_path)[0].count == 5


def test_a_box_across_the_antimeridian_is_two_and_no_feature_comes_twice(koop, client, tmp_path):
    spots = [(179.5, 52), (-179.5, 52), (-170, 52), (170, 52)]
    features = [feature(k, point(*xy), NAME=f"{k}") for k, xy in enumerate(spots)]
    world = [[[-180, 51], [180, 51], [180, 53], [-180, 53], [-180, 51]]]
    features.append(feature(9, {"type": "Polygon", "coordinates": world}, NAME="both"))
    asked = ask(koop.offer("antimeridian", features), box=(179, 50, -179, 55))
    _, frame = fetched(asked, client, tmp_path)
    assert frame.NAME.tolist() == ["0", "1", "both"]


def test_an_area_without_features_is_a_file_without_features(koop, client, tmp_path):
    got, frame = fetched(ask(mines(koop, "nothing"), box=(0, 0, 1, 1)), client, tmp_path)
    assert got.count == 0
    assert "NAME" in frame.columns


def test_the_server_applies_the_condition(koop, client, tmp_path):
    asked = ask(mines(koop, "condition"), where="NAME = 'Comstock'")
    assert fetched(asked, client, tmp_path)[1].NAME.tolist() == ["Comstock"]


def test_a_layer_without_its_own_object_ids_comes_whole(koop, client, tmp_path):
    # Koop makes ids of what a feature says, so that two alike have the same one.
    features = [feature(None, point(k % 9, 1), NAME=f"{k % 9}") for k in range(10)]
    url = koop.offer("idless", features, idField=None, maxRecordCount=3)
    got, frame = fetched(ask(url), client, tmp_path)
    assert sorted(frame.NAME) == [f"{k}" for k in range(9)]
    assert got.notes == ("1 features came twice and are kept once",)


def test_points_may_stand_in_columns(koop, client, tmp_path):
    features = [feature(k, point(0, 0), LON=-117.0 + k, LAT=39.0, NAME=f"{k}") for k in range(3)]
    url = koop.offer("columns", features)
    _, frame = fetched(ask(url, xy=["lon", "lat"]), client, tmp_path)
    assert frame.geometry.x.tolist() == [-117.0, -116.0, -115.0]
    assert "LON" not in frame.columns


def test_a_field_that_is_not_there_is_named_with_those_that_are(koop, client, tmp_path):
    with pytest.raises(FetchError, match=r"'SECRET', 'OTHER'.*OBJECTID, NAME, TONS, SEEN, OWNER"):
        fetched(ask(mines(koop, "f1"), fields=("SECRET", "NAME", "OTHER")), client, tmp_path)


def test_another_geometry_is_a_contradiction(koop, client, tmp_path):
    with pytest.raises(FetchError, match=r"geometry is point .*expected polygon"):
        fetched(ask(mines(koop, "f2"), geometry="polygon"), client, tmp_path)


def test_a_layer_that_is_not_there_is_answered_with_those_that_are(koop, client, tmp_path):
    url = mines(koop, "f3")
    for wanted in ({"layer": "Quarries"}, {"layer": "Quarries", "layer_id": 0}):
        with pytest.raises(FetchError, match=r"no layer 'Quarries'; its layers: 0 'f3'"):
            fetched(ask(url, **wanted), client, tmp_path)
    with pytest.raises(FetchError, match="no layer 7; its layers: 0 'f3'"):
        fetched(ask(url, layer=None, layer_id=7), client, tmp_path)


def test_a_service_that_is_gone_is_refused_in_its_own_words(koop, client, tmp_path):
    with pytest.raises(RefusedError, match=r"said error 404: .*gone.json not found"):
        fetched(ask(f"{koop.address}/file-geojson/rest/services/gone/FeatureServer"), client,
                tmp_path)  # fmt: skip


def test_a_bad_condition_is_refused_in_the_servers_words(koop, client, tmp_path):
    with pytest.raises(RefusedError, match='Invalid "where" parameter'):
        fetched(ask(mines(koop, "f4"), where="NAME = = "), client, tmp_path)


def test_an_estimate_counts_and_weighs_a_sample(koop, client):
    estimate = arcgis.estimated(
        ask(mines(koop, "estimate"), box=(-116.85, 39, -116.65, 40)), client
    )
    assert estimate.count == 2
    assert estimate.measured
    assert 100 < estimate.size / 2 < 2000
    assert arcgis.estimated(ask(mines(koop, "estimate"), box=(0, 0, 1, 1)), client).size == 0


@pytest.mark.parametrize(
    ("source", "fields", "health", "words"),
    [
        ({"count": 5}, ("NAME",), "ok", "0 'probe': 5 features"),
        ({"count": 6}, ("NAME",), "ok", "5 features"),
        ({"count": 10}, ("NAME",), "count changed", "counts 5 features, 10 when last attested"),
        ({"layer": "PROBE", "layer_id": 3}, ("NAME",), "moved", "number 0 now, 3 in the catalogue"),
        ({"layer": "Other"}, ("NAME",), "moved", "its layers: 0 'probe'"),
        ({}, ("NAME", "LOST"), "schema changed", "no field 'LOST'"),
        ({"where": "NAME IS NULL", "count": 5}, ("NAME",), "ok", "5 features"),
        ({"where": "NAME = = "}, ("NAME",), "dead", "Invalid"),
    ],
)
def test_a_probe_says_how_a_source_is(koop, client, source, fields, health, words):
    finding = arcgis.probed(ask(mines(koop, "probe"), fields=fields, **source), client)
    assert finding.health == health
    assert words in finding.words


def test_a_probe_of_a_server_that_is_not_there_finds_it_dead(client):
    assert arcgis.probed(ask("http://127.0.0.1:9/x/FeatureServer"), client).health == "dead"


MANY = 100_000


@pytest.fixture(scope="module")
def many(koop):
    random = np.random.default_rng(7)
    features = [
        feature(k + 1, point(*xy), NAME=f"site {k}", TONS=float(k))
        for k, xy in enumerate(random.uniform((-120, 36), (-112, 41), (MANY, 2)).round(7).tolist())
    ]
    return koop.offer("many", features, provider="held"), features


def test_a_hundred_thousand_features_come_without_loss_or_duplicate(many, client, tmp_path):
    url, features = many
    progress = []
    asked = ask(url, fields=("OBJECTID", "NAME", "TONS"))
    got, frame = fetched(asked, client, tmp_path, lambda *at: progress.append(at))
    assert got.count == got.server_count == MANY
    assert frame.OBJECTID.tolist() == list(range(1, MANY + 1))
    assert frame.NAME.tolist() == [f["properties"]["NAME"] for f in features]
    wanted = [f["geometry"]["coordinates"] for f in features]
    assert np.allclose(shapely.get_coordinates(frame.geometry), wanted, rtol=0, atol=1e-9)
    assert progress[-1] == (MANY, MANY)
    assert len(progress) == 50


def test_where_pages_do_not_say_that_there_is_more_gdal_stops_and_geosite_does_not(
    koop, client, tmp_path
):
    features = [feature(k, point(k / 10, 1), NAME=f"{k}") for k in range(1, 51)]
    url = koop.offer("silent", features, provider="held", maxRecordCount=10, silent=True)
    query = f"{url}/0/query?where=1%3D1&outFields=*&orderByFields=OBJECTID&f=json"
    _, alone = pyogrio.read_arrow(f"ESRIJSON:{query}&resultRecordCount=10")
    assert alone.num_rows == 10
    assert fetched(ask(url), client, tmp_path)[0].count == 50


@pytest.mark.parametrize("refusal", [(503, b"busy"), b"<html>", {"error": {"code": 400}}])
def test_a_page_that_fails_is_the_end_for_gdal_and_not_for_geosite(
    fickle, client, tmp_path, refusal
):
    fickle.points(300)
    fickle.answer = lambda a: refusal if a.get("resultOffset") == "200" else None
    query = f"{fickle.address}/0/query?where=1%3D1&outFields=*&orderByFields=OBJECTID&f=json"
    _, alone = pyogrio.read_arrow(f"ESRIJSON:{query}&resultRecordCount=100")
    assert alone.num_rows == 200
    assert fetched(ask(fickle.address), client, tmp_path)[0].count == 300


# ── names of layers and fields ──────────────────────────────────────────────────────────────


def test_a_name_decides_and_a_number_only_between_equals(fickle, client, tmp_path):
    fickle.points(3)
    fickle.layers = [
        {"id": 1, "name": "Reservations", "type": "Group Layer", "subLayerIds": [2]},
        {"id": 2, "name": "Federal Reservations", "type": "Feature Layer"},
        {"id": 14, "name": "Federal Reservations"},
        {"id": 5, "name": "Off-Reservation Trust", "subLayerIds": None},
    ]
    url = fickle.address + "/"

    def number(**source):
        got, _ = fetched(ask(url, **source), client, tmp_path)
        return int(re.search(r"FeatureServer/(\d+)/query", got.url)[1]), got.notes

    assert number(layer="federal RESERVATIONS", layer_id=14) == (14, ())
    assert number(layer="off*trust") == (5, ())
    moved = "layer 'Off-Reservation Trust' is number 5 now, 14 in the catalogue"
    assert number(layer="*Trust", layer_id=14) == (5, (moved,))
    assert number(layer=None, layer_id=2) == (2, ())
    for more in ({}, {"layer_id": 99}):
        with pytest.raises(FetchError, match=r"2 layers 'Federal\*' \(2 .*, 14 "):
            number(layer="Federal*", **more)


def test_a_field_may_carry_the_name_of_its_table(fickle, client, tmp_path):
    fickle.fields = [
        {"name": "Wetlands.OBJECTID", "type": "esriFieldTypeOID"},
        {"name": "Wetlands.ATTRIBUTE", "type": "esriFieldTypeString"},
        {"name": "Codes.KIND", "type": "esriFieldTypeString"},
    ]
    fickle.description = {"objectIdField": "Wetlands.OBJECTID"}
    page = json.dumps(
        fickle.page([]) | {"features": [
            {"attributes": {"Wetlands.OBJECTID": 1, "Wetlands.ATTRIBUTE": "PEM1A",
                            "Codes.KIND": "marsh"}, "geometry": {"x": 1, "y": 2}}]}
    ).encode()  # fmt: skip
    fickle.answer = lambda asked: page if "outFields" in asked else {"count": 1}
    asked = ask(fickle.address, fields=("ATTRIBUTE", "Wetlands.KIND"))
    got, frame = fetched(asked, client, tmp_path)
    assert "Wetlands.ATTRIBUTE%2CCodes.KIND%2CWetlands.OBJECTID" in got.url
    assert frame[["ATTRIBUTE", "Wetlands.KIND"]].values.tolist() == [["PEM1A", "marsh"]]


def test_a_tail_that_two_tables_share_means_neither():
    there = ["A.NAME", "B.NAME", "C.CODE"]
    assert server_name("name", there) is None
    assert server_name("b.name", there) == "B.NAME"
    assert server_name("X.code", there) == "C.CODE"


def test_the_day_of_the_last_edit_is_told(fickle, client, tmp_path):
    fickle.points(1)
    fickle.description = {"editingInfo": {"lastEditDate": 1, "dataLastEditDate": 1795323600000}}
    assert fetched(ask(fickle.address), client, tmp_path)[0].edited == "2026-11-22T05:00:00Z"


def test_an_edit_while_it_is_read_is_told(fickle, client, tmp_path, monkeypatch):
    fickle.points(3)
    fickle.description = {"editingInfo": {"dataLastEditDate": 1795323600000}}
    honest = fickle.query

    def edited(asked):
        fickle.description = {"editingInfo": {"dataLastEditDate": 1795327200000}}
        return honest(asked)

    monkeypatch.setattr(fickle, "query", edited)
    got, _ = fetched(ask(fickle.address), client, tmp_path)
    assert any("2026-11-22T05:00:00Z, then 2026-11-22T06:00:00Z" in note for note in got.notes)


def test_an_address_that_lists_no_layers_is_refused(fickle, client, tmp_path):
    with pytest.raises(RefusedError, match="lists no layers"):
        fetched(ask(f"{fickle.address}/0"), client, tmp_path)


# ── pages ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("flag", ["top", "properties", "nowhere"])
def test_pages_shorter_than_promised_lose_nothing(fickle, client, tmp_path, flag):
    fickle.points(450)
    fickle.gives, fickle.flag = 30, flag
    got, frame = fetched(ask(fickle.address), client, tmp_path)
    assert frame.NAME.tolist() == [f"toy {k}" for k in range(1, 451)]
    assert got.server_count == 450
    by_ids = [a for a in fickle.pages() if "objectIds" in a]
    assert bool(by_ids) == (flag == "nowhere")
    assert all(len(a["objectIds"].split(",")) <= 250 for a in by_ids)


def test_a_service_that_cannot_skip_features_is_asked_by_their_ids(fickle, client, tmp_path):
    fickle.points(450)
    fickle.description = {"advancedQueryCapabilities": {}}
    assert fetched(ask(fickle.address), client, tmp_path)[0].count == 450
    assert not any("resultOffset" in a for a in fickle.pages())
    assert len(fickle.pages()) == 5


def test_a_page_that_repeats_for_ever_ends(fickle, client, tmp_path):
    fickle.points(2000)
    first = fickle.page(fickle.features[:100], more=True)
    fickle.answer = lambda asked: first if "outFields" in asked else None
    with pytest.raises(RefusedError, match="counts 2,000 features and gives 100"):
        fetched(ask(fickle.address), client, tmp_path)
    assert len(fickle.pages()) < 40


def test_a_layer_that_never_ends_ends(fickle, client, tmp_path):
    fickle.points(200)

    def endless(asked):
        if "outFields" not in asked:
            return None
        first = int(asked["resultOffset"])
        rows = [(k, {"x": 1, "y": 1}, {"NAME": ""}) for k in range(first, first + 100)]
        return fickle.page(rows, more=True)

    fickle.answer = endless
    assert fetched(ask(fickle.address), client, tmp_path)[0].count == 1000
    assert len(fickle.pages()) == 2 + 8


def test_features_that_come_twice_are_kept_once(fickle, client, tmp_path):
    fickle.points(250)
    honest = fickle.query

    def overlapping(asked):
        if int(asked.get("resultOffset", 0)) == 100:
            return fickle.page(fickle.features[90:200], more=True)
        return honest(asked)

    fickle.answer = overlapping
    got, frame = fetched(ask(fickle.address), client, tmp_path)
    assert frame.NAME.is_unique
    assert got.count == 250
    assert got.notes == ("10 features came twice and are kept once",)


def test_features_that_a_join_gives_one_id_are_all_kept(fickle, client, tmp_path):
    fickle.points(3)
    cession = {"x": -120.0, "y": 40.0}
    tribes = [(2, cession, {"NAME": name}) for name in ("Shoshone", "Paiute", "Paiute")]
    fickle.features = [fickle.features[0], *tribes, fickle.features[2]]
    honest = fickle.query
    fickle.answer = lambda asked: (
        {"objectIds": [1, 2, 3]} if "returnIdsOnly" in asked else honest(asked)
    )
    got, frame = fetched(ask(fickle.address), client, tmp_path)
    assert frame.NAME.tolist() == ["toy 1", "Shoshone", "Paiute", "toy 3"]
    assert (
        got.notes[0] == "several features have one OBJECTID; they are told apart by all they hold"
    )


def test_a_layer_without_object_ids_must_give_what_it_counts(fickle, client, tmp_path):
    fickle.points(150)
    fickle.fields = fickle.fields[1:]
    fickle.description = {"objectIdField": None}
    assert fetched(ask(fickle.address), client, tmp_path)[0].count == 150
    fickle.gives, fickle.flag = 60, "nowhere"
    with pytest.raises(RefusedError, match="counts 150 features and gives 110"):
        fetched(ask(fickle.address), client, tmp_path)


def test_a_layer_that_was_edited_meanwhile_is_taken_as_it_is_now(fickle, client, tmp_path):
    fickle.points(130)
    counts = iter([135])
    honest = fickle.query
    fickle.answer = lambda asked: (
        {"count": next(counts, 130)} if "returnCountOnly" in asked else honest(asked)
    )
    assert fetched(ask(fickle.address), client, tmp_path)[0].count == 130


def test_ids_that_are_never_given_are_refused_with_both_numbers(fickle, client, tmp_path):
    fickle.points(300)
    honest = fickle.query

    def forgetful(asked):
        found = honest(asked)
        if "outFields" in asked:
            found["features"] = [f for f in found["features"] if f["attributes"]["OBJECTID"] != 77]
        return found

    fickle.answer = forgetful
    with pytest.raises(RefusedError, match="counts 300 features and gives 299") as caught:
        fetched(ask(fickle.address), client, tmp_path)
    assert caught.value.url.endswith("/FeatureServer/0/query")


# ── a server that cannot ────────────────────────────────────────────────────────────────────

BUSY = (503, b"busy")
UNABLE = {"error": {"code": 400, "message": "Unable to perform query", "details": []}}
CUT = b'{"geometryType": "esriGeometryPoint", "features": [{"attributes": {"OBJ'
LOGIN = b"<!DOCTYPE html><html><title>Sign in</title></html>"


def size_of(asked):
    if "objectIds" in asked:
        return asked["objectIds"].count(",") + 1
    return int(asked["resultRecordCount"])


@pytest.mark.parametrize("refusal", [BUSY, UNABLE, CUT, LOGIN, (413, b"")])
def test_a_page_that_is_too_much_is_halved(fickle, client, tmp_path, refusal):
    fickle.points(400)
    fickle.answer = lambda a: refusal if "outFields" in a and size_of(a) > 30 else None
    assert fetched(ask(fickle.address), client, tmp_path)[0].count == 400


def test_a_page_that_is_too_large_is_halved(fickle, client, tmp_path, monkeypatch):
    monkeypatch.setattr(arcgis_pages, "_MOST_PAGE", 5000)
    fickle.points(200)
    assert fetched(ask(fickle.address), client, tmp_path)[0].count == 200


def test_a_refusal_that_passes_is_nobodys_business(fickle, client, tmp_path):
    fickle.points(80)
    refusals = iter([(429, b"slow down"), (429, b""), (429, b""), BUSY])
    fickle.answer = lambda a: next(refusals, None) if "outFields" in a else None
    got, _ = fetched(ask(fickle.address), client, tmp_path)
    assert (got.count, got.notes) == (80, ())
    assert {size_of(a) for a in fickle.pages()} == {80}


def giant(fickle):
    """The feature 77 is too much for the server, unless it is simplified."""

    def answer(asked):
        if "outFields" not in asked or "maxAllowableOffset" in asked:
            return None
        if "objectIds" in asked:
            return BUSY if "77" in asked["objectIds"].split(",") else None
        first, size = int(asked["resultOffset"]), int(asked["resultRecordCount"])
        return BUSY if first < 77 <= first + size else None

    fickle.points(150)
    fickle.answer = answer


def test_a_giant_is_simplified_if_the_catalogue_says_how_far(fickle, client, tmp_path):
    giant(fickle)
    got, frame = fetched(ask(fickle.address, generalise="50 m"), client, tmp_path)
    assert len(frame) == 150
    said = "1 features simplified by up to 50 m, which the server could not give as they are"
    assert got.notes == (f"{said}: OBJECTID 77",)
    (offset,) = {a["maxAllowableOffset"] for a in fickle.pages() if "maxAllowableOffset" in a}
    assert float(offset) == pytest.approx(50 / 111_320)


def test_a_giant_is_refused_by_its_id_if_it_says_nothing(fickle, client, tmp_path):
    giant(fickle)
    with pytest.raises(RefusedError, match=r"feature with object id 77: answered 503"):
        fetched(ask(fickle.address), client, tmp_path)


def test_the_offset_is_in_units_of_the_crs(fickle, client, tmp_path):
    giant(fickle)
    fickle.spatial_reference = {"wkid": 2227}
    fetched(ask(fickle.address, generalise="50 m", crs="EPSG:2227"), client, tmp_path)
    (offset,) = {a["maxAllowableOffset"] for a in fickle.pages() if "maxAllowableOffset" in a}
    assert float(offset) == pytest.approx(50 * 3937 / 1200)


def test_a_box_in_which_the_server_cannot_count_is_quartered(fickle, client, tmp_path):
    fickle.points(250)

    def answer(asked):
        if "geometry" not in asked:
            return None
        box = json.loads(asked["geometry"])
        return BUSY if box["xmax"] - box["xmin"] > 0.3 else None

    fickle.answer = answer
    got, frame = fetched(ask(fickle.address, box=(-120, 39.5, -119, 40.5)), client, tmp_path)
    assert frame.NAME.tolist() == [f"toy {k}" for k in range(1, 251)]
    assert "asked in 21 boxes" in got.notes[-1]
    assert arcgis.estimated(ask(fickle.address, box=(-120, 39, -119, 41)), client).count is None


def test_quarters_come_to_an_end(fickle, client, tmp_path):
    fickle.points(5)
    fickle.answer = lambda asked: BUSY if "geometry" in asked else None
    with pytest.raises(RefusedError, match="answered 503"):
        fetched(ask(fickle.address, box=(-120, 39.5, -119, 40.5)), client, tmp_path)
    assert len(fickle.asked) < 20


def test_once_stopped_nothing_more_is_asked(fickle, client, tmp_path):
    fickle.points(1000)

    def stopping(asked):
        if "outFields" in asked:
            client.stop.set()
        return BUSY if "outFields" in asked else None

    fickle.answer = stopping
    with pytest.raises(RefusedError):
        fetched(ask(fickle.address), client, tmp_path)
    assert len(fickle.pages()) <= 4


# ── what cannot be taken at its word ────────────────────────────────────────────────────────


@pytest.mark.parametrize("said", [{"wkid": 102100, "latestWkid": 3857}, None])
def test_coordinates_in_another_crs_are_refused(fickle, client, tmp_path, said):
    fickle.points(3)
    fickle.spatial_reference = said
    found = "EPSG:3857" if said else "no stated CRS"
    with pytest.raises(LayerDataError, match=f"coordinates in {found}, asked for 4326"):
        fetched(ask(fickle.address), client, tmp_path)


def test_true_curves_are_refused_in_words(fickle, client, tmp_path):
    arc = {"curveRings": [[[0, 0], {"c": [[1, 1], [0.5, 1]]}, [0, 0]]]}
    fickle.points(1)
    fickle.geometry = "esriGeometryPolygon"
    fickle.features = [(1, arc, {"NAME": "round"})]
    with pytest.raises(LayerDataError, match="true curves"):
        fetched(ask(fickle.address, geometry="polygon"), client, tmp_path)


def test_an_answer_that_points_to_other_files_is_not_followed(fickle, client, tmp_path):
    fickle.points(1)
    pointer = b"<OGRVRTDataSource><OGRVRTLayer name='x'/></OGRVRTDataSource>"
    fickle.answer = lambda asked: pointer if "outFields" in asked else None
    with pytest.raises(RefusedError, match="expected JSON"):
        fetched(ask(fickle.address), client, tmp_path)


def test_features_without_what_was_asked_for_are_refused(fickle, client, tmp_path):
    fickle.points(2)
    page = fickle.page(fickle.features)
    for lost, words in (
        ("OBJECTID", "without their OBJECTID"),
        ("NAME", "without the fields NAME"),
    ):
        left = [{"attributes": {k: v for k, v in f["attributes"].items() if k != lost},
                 "geometry": f["geometry"]} for f in page["features"]]  # fmt: skip
        fields = [f for f in page["fields"] if f["name"] != lost]
        answer = page | {"features": left, "fields": fields}
        fickle.answer = lambda a, answer=answer: answer if "outFields" in a else None
        with pytest.raises(LayerDataError, match=words):
            fetched(ask(fickle.address), client, tmp_path)


def test_a_table_with_coordinates_is_asked_for_a_box_by_them(fickle, client, tmp_path):
    fickle.points(0)
    fickle.fields += [{"name": n, "type": "esriFieldTypeDouble"} for n in ("LON", "LAT")]
    fickle.geometry = None
    rows = [(k, None, {"NAME": f"{k}", "LON": -117.0, "LAT": 39.0}) for k in range(2)]
    rows.append((2, None, {"NAME": "2", "LON": None, "LAT": None}))
    fickle.answer = lambda a: fickle.page(rows) if "outFields" in a else {"count": 3}
    asked = ask(fickle.address, xy=["Lon", "Lat"], box=(-118.5, 38.5, -116.5, 40.5), where="A = 1")
    _, frame = fetched(asked, client, tmp_path)
    assert frame.geometry.isna().tolist() == [False, False, True]
    near = "(A = 1) AND LON >= -118.5 AND LON <= -116.5 AND LAT >= 38.5 AND LAT <= 40.5"
    assert fickle.pages()[0]["where"] == near


def test_threads_leave_the_filters_of_warnings_alone(many, client, tmp_path):
    before = list(warnings.filters)
    fetched(ask(many[0]), client, tmp_path)
    assert warnings.filters == before
