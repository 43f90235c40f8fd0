from __future__ import annotations

import gzip
import hashlib
import json
import math
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS
from rasterio.transform import from_origin

from geosite.catalog import Catalog
from geosite.errors import CatalogError, CRSMismatchError, LayerDataError, MissingLayerError
from geosite.model import Layer
from geosite.sources import (
    missing_reason,
    open_raster,
    placed,
    read_features,
    selected_features,
)

FACTS = {
    "title": "toy", "agency": "nobody", "purpose": "tests", "absence": "informative",
    "vintage": "2024", "status": "synthetic", "licence": "none", "citation": "none",
}  # fmt: skip
SQUARE = shapely.box(-117, 38, -116, 39)
BOW_TIE = shapely.Polygon([(-117, 38), (-116, 39), (-116, 38), (-117, 39)])
NOWHERE = Catalog(Path(), {})


def layer(path=None, geometry="polygon", *, crs="EPSG:4326", id_="toy/layer", **facts):
    source = {k: facts.pop(k) for k in tuple(facts) if k in SOURCE_KEYS}
    if "sources" not in facts and "union_of" not in facts:
        facts["sources"] = [{"kind": "file", "path": path, **source}]
    return Layer.model_validate(FACTS | {"id": id_, "geometry": geometry, "crs": crs} | facts)


SOURCE_KEYS = ("layer", "member", "xy", "delimiter", "encoding", "format")


def frame(*geometries, crs="EPSG:4326", **columns):
    columns = columns or {"name": [f"n{i}" for i in range(len(geometries))]}
    return gpd.GeoDataFrame(columns, geometry=list(geometries), crs=crs)


def feature(geometry, **properties):
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def point(x, y):
    return {"type": "Point", "coordinates": [x, y]}


def write_geojson(path, *features, **members):
    path.write_text(
        json.dumps({"type": "FeatureCollection", "features": features} | members), encoding="utf-8"
    )


def read(data, *args, **facts):
    return read_features(layer(*args, **facts), NOWHERE, data)


def refusal(error, data, *args, **facts):
    """The message with which a layer is refused: one line, and nothing of the machine in it."""
    with pytest.raises(error) as caught:
        read(data, *args, **facts)
    assert type(caught.value) is error
    message = str(caught.value)
    assert "\n" not in message
    return message


def lawful(features):
    for counts in features.counts:
        assert counts.found == counts.used + counts.not_selected + sum(counts.rejected.values())
    assert sum(c.used for c in features.counts) == len(features.frame)
    return features


# ── formats ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("ending", ["gpkg", "geojson", "fgb", "parquet", "shp", "geojson.gz"])
def test_a_vector_file_of_any_format(tmp_path, ending):
    plain = tmp_path / f"a.{ending.removesuffix('.gz')}"
    squares = frame(SQUARE, shapely.box(0, 0, 1, 1), name=["one", "two"], n=[1.5, 2.5])
    if ending == "parquet":
        squares.to_parquet(plain)
    else:
        # FlatGeobuf orders features for its index, if it has one.
        squares.to_file(plain, **({"SPATIAL_INDEX": "NO"} if ending == "fgb" else {}))
    if ending.endswith(".gz"):
        (tmp_path / f"a.{ending}").write_bytes(gzip.compress(plain.read_bytes()))
    found = lawful(read(tmp_path, f"a.{ending}"))
    assert found.frame["name"].tolist() == ["one", "two"]
    assert found.frame.geometry.geom_equals(squares.geometry).all()
    assert found.frame.crs == CRS.from_epsg(4326)
    assert found.frame.index.equals(pd.RangeIndex(2))
    assert found.counts[0].used == 2


def test_files_are_fingerprinted_with_their_sidecars(tmp_path):
    frame(SQUARE).to_file(tmp_path / "a.shp")
    files = read(tmp_path, "a.shp").files
    assert [f.path for f in files] == ["a.shp", "a.shx", "a.dbf", "a.prj", "a.cpg"]
    for file in files:
        content = (tmp_path / file.path).read_bytes()
        assert (file.sha256, file.size) == (hashlib.sha256(content).hexdigest(), len(content))


def test_a_changed_file_has_another_fingerprint(tmp_path):
    prints = set()
    for x in (1.0, 2.25):
        write_geojson(tmp_path / "a.geojson", feature(point(x, 1)))
        prints.add(read(tmp_path, "a.geojson", "point").files[0].sha256)
    assert len(prints) == 2


def test_topojson_takes_the_declared_crs(tmp_path):
    arcs = [[[-117, 38], [-116, 38], [-116, 39], [-117, 38]]]
    shape = {"type": "Polygon", "arcs": [[0]], "properties": {"name": "Toy"}}
    topology = {"type": "Topology", "arcs": arcs, "objects": {"counties": shape}}
    (tmp_path / "a.topojson").write_text(json.dumps(topology))
    found = lawful(read(tmp_path, "a.topojson", crs="EPSG:4269"))
    assert found.frame.crs == CRS.from_epsg(4269)
    assert found.frame["name"].tolist() == ["Toy"]


@pytest.mark.parametrize("packed", [False, True])
def test_a_table_with_coordinate_columns(tmp_path, packed):
    text = "\ufeffNAME , LONGITUDE ,latitude;x,fips\nCafé, -117.5 ,38,01001\nb,-116,39.25,\n"
    content = text.encode()
    name = "a.csv.gz" if packed else "a.csv"
    (tmp_path / name).write_bytes(gzip.compress(content) if packed else content)
    found = lawful(read(tmp_path, name, "point", xy=("longitude", "Latitude;X")))
    assert found.frame["NAME"].tolist() == ["Café", "b"]
    assert found.frame["fips"].tolist() == ["01001", ""]
    assert shapely.get_coordinates(found.frame.geometry).tolist() == [[-117.5, 38], [-116, 39.25]]


def test_delimiter_encoding_and_an_odd_ending(tmp_path):
    (tmp_path / "a.txt").write_bytes("x|y|name\n-117|38|Mañana".encode("cp1252"))
    found = read(
        tmp_path, "a.txt", "point",
        xy=("x", "y"), delimiter="|", encoding="cp1252", format="csv",
    )  # fmt: skip
    assert found.frame["name"].tolist() == ["Mañana"]


@pytest.mark.parametrize("packed", [False, True])
def test_json_lines_with_nested_properties(tmp_path, packed):
    lines = [
        feature(point(-117, 38), name="a", ore=[{"role": "main", "name": "Li"}]),
        feature(None, name="b"),
        feature({"type": "Point", "coordinates": ["x", 1]}, name="c"),
    ]
    content = "\n\x1e".join(json.dumps(line) for line in lines).encode() + b"\n\n"
    name = "a.jsonl.gz" if packed else "a.jsonl"
    (tmp_path / name).write_bytes(gzip.compress(content) if packed else content)
    found = lawful(read(tmp_path, name, "point"))
    assert json.loads(found.frame["ore"][0]) == [{"role": "main", "name": "Li"}]
    assert found.counts[0].rejected == {"geometry is malformed": 1, "no geometry": 1}


def test_flat_json_lines_with_coordinate_columns(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"lon": -117.5, "lat": 38, "n": 1}\n{"n": 2}\n')
    found = lawful(read(tmp_path, "a.jsonl", "point", xy=("lon", "lat")))
    assert found.frame.geometry[0] == shapely.Point(-117.5, 38)
    assert found.counts[0].rejected == {"no geometry": 1}


@pytest.mark.parametrize("inner", ["shp", "gpkg", "csv"])
def test_a_member_of_a_zip(tmp_path, inner):
    points = frame(shapely.Point(-117, 38), shapely.Point(-116, 39))
    folder = tmp_path / "plain"
    folder.mkdir()
    if inner == "csv":
        (folder / "a.csv").write_text("x,y,name\n-117,38,n0\n-116,39,n1\n")
    else:
        points.to_file(folder / f"a.{inner}")
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("readme.txt", "hello")
        for file in folder.iterdir():
            archive.write(file, f"Deep Folder/{file.name}")
    for member in (None, f"Deep Folder/a.{inner}", f"deep folder/A.{inner}"):
        found = lawful(read(tmp_path, "a.zip", "point", member=member, xy=("x", "y")))
        assert found.frame["name"].tolist() == ["n0", "n1"]
        assert [f.path for f in found.files] == ["a.zip"]


# ── where the file is ─────────────────────────────────────────────────────────────────────────


def test_the_first_source_in_place_is_used(tmp_path):
    write_geojson(tmp_path / "second.geojson", feature(point(1, 1), name="second"))
    sources = [{"kind": "file", "path": f"{n}.geojson"} for n in ("first", "second")]
    chosen = layer(geometry="point", sources=sources)
    assert read_features(chosen, NOWHERE, tmp_path).frame["name"].tolist() == ["second"]
    write_geojson(tmp_path / "first.geojson", feature(point(1, 1), name="first"))
    assert read_features(chosen, NOWHERE, tmp_path).frame["name"].tolist() == ["first"]


def test_a_file_placed_by_hand_is_read_as_its_service_says(tmp_path):
    service = {
        "kind": "arcgis", "url": "https://example.org/0", "layer": "0", "xy": ["lon", "lat"],
        "delimiter": ";",
    }  # fmt: skip
    chosen = layer(geometry="point", sources=[service])
    assert placed(chosen, NOWHERE, tmp_path) is None
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / "layer.csv").write_text("lon;lat\n-117;38\n")
    assert placed(chosen, NOWHERE, tmp_path).by_hand
    assert len(read_features(chosen, NOWHERE, tmp_path).frame) == 1
    frame(shapely.Point(0, 0), shapely.Point(1, 1)).to_file(
        tmp_path / "toy" / "layer.gpkg", layer="whatever"
    )
    assert len(read_features(chosen, NOWHERE, tmp_path).frame) == 2


def test_a_layer_that_is_nowhere_says_where_to_get_it(tmp_path):
    service = {"kind": "download", "url": "https://example.org/a.zip"}
    manual = {"kind": "manual", "instructions": "Ask the\n land office."}
    one = layer(id_="toy/one", sources=[{"kind": "file", "path": "a/b.gpkg"}, service])
    two = layer(id_="toy/two", sources=[manual])
    three = layer("c.gpkg", id_="toy/three")
    both = layer(id_="toy/both", union_of=["toy/one", "toy/two"])
    catalog = Catalog(Path(), {x.id: x for x in (one, two, three, both)})
    reason = missing_reason(one, catalog, tmp_path)
    for said in ("toy/one", "a/b.gpkg", "geosite fetch", "example.org"):
        assert said in reason
    assert "Ask the land office." in missing_reason(two, catalog, tmp_path)
    assert "--data" in missing_reason(three, catalog, tmp_path)
    assert all(id_ in missing_reason(both, catalog, tmp_path) for id_ in both.union_of)
    for absent in (one, both):
        with pytest.raises(MissingLayerError, match="toy/one: no file in place"):
            read_features(absent, catalog, tmp_path)
    frame(SQUARE).to_file(tmp_path / "c.gpkg")
    assert missing_reason(three, catalog, tmp_path) is None


@pytest.mark.parametrize("path", ["../a.gpkg", "b/../../a.gpkg", "/etc/a.gpkg", "C:/a.gpkg"])
def test_a_path_outside_of_the_data_root_is_refused(tmp_path, path):
    message = refusal(CatalogError, tmp_path, path)
    assert path in message
    assert "--data" in message


# ── attributes ────────────────────────────────────────────────────────────────────────────────


def test_fields_are_renamed_cast_decoded_and_nulled(tmp_path):
    columns = {
        "Site Name  ": [" Anvil ", "", "NA"],
        "DEV_STAT": ["Producer", "past producer", "odd"],
        "KV": [-999999.0, 345.0, 69.0],
        "POP": ["12", "1.5", "many"],
        "SINCE": ["2019-05-01", "5/17/2019", "May"],
        "CODE": [1.0, 2.0, 3.0],
        "unasked": [1, 2, 3],
    }
    points = [feature(point(i, 1), **{k: v[i] for k, v in columns.items()}) for i in range(3)]
    write_geojson(tmp_path / "a.geojson", *points)
    fields = {
        "name": {"from": "site name", "null": ["NA"]},
        "evidence": {
            "from": "dev_stat",
            "codes": {"Producer": "producer", "Past Producer": "past_producer"},
        },
        "kv": {"type": "number", "null": ["-999999"]},
        "pop": {"type": "integer"},
        "since": {"type": "date"},
        "code": {"codes": {"1": "one", "2": "two", "3": "three"}},
    }
    found = read(tmp_path, "a.geojson", "point", fields=fields)
    table = found.frame.drop(columns="geometry")
    assert table.columns.tolist() == list(fields)
    assert table["name"].tolist()[0] == "Anvil"
    assert table["name"].isna().tolist() == [False, True, True]
    assert table["evidence"].tolist() == ["producer", "past_producer", "odd"]
    assert table["kv"].isna().tolist() == [True, False, False]
    assert table["pop"].dtype == "Int64"
    assert table["pop"].tolist() == [12, pd.NA, pd.NA]
    assert table["since"].dt.strftime("%F").tolist()[:2] == ["2019-05-01", "2019-05-17"]
    assert table["code"].tolist() == ["one", "two", "three"]
    assert found.counts[0].unreadable == {"pop": 2, "since": 1}
    assert found.counts[0].uncoded == {"evidence": 1}


@pytest.mark.parametrize("type_", ["text", "number", "integer", "date"])
def test_a_column_of_nothing_can_be_cast(tmp_path, type_):
    write_geojson(tmp_path / "a.geojson", feature(point(1, 1), a=None))
    found = read(tmp_path, "a.geojson", "point", fields={"a": {"type": type_, "codes": {"1": "2"}}})
    assert found.frame["a"].isna().all()
    assert found.counts[0].unreadable == {}


def test_a_layer_without_fields_keeps_every_column(tmp_path):
    write_geojson(tmp_path / "a.geojson", feature(point(1, 1), **{"A ": 1, "b": [1, {"c": 2}]}))
    table = read(tmp_path, "a.geojson", "point").frame
    assert table.columns.tolist() == ["A", "b", "geometry"]
    assert json.loads(table["b"][0]) == [1, {"c": 2}]


def test_columns_that_are_not_there_are_named_all_at_once(tmp_path):
    frame(SQUARE).to_file(tmp_path / "a.gpkg")
    fields = {"kv": {"from": "VOLTAGE"}, "status": {}, "name": {}}
    message = refusal(LayerDataError, tmp_path, "a.gpkg", fields=fields)
    for said in ("a.gpkg", "toy/layer", "'VOLTAGE'", "'status'", "columns: name", "fields.*.from"):
        assert said in message


def test_the_owner_of_a_land_layer(tmp_path):
    squares = frame(SQUARE, SQUARE, owner=["Smith", None], who=["TRIBAL", None])
    squares.to_file(tmp_path / "a.gpkg")
    constant = read(tmp_path, "a.gpkg", owner="BLM").frame
    assert constant["owner"].tolist() == ["BLM", "BLM"]
    stated = read(tmp_path, "a.gpkg", owner="BLM", fields={"owner": {"from": "who"}}).frame
    assert stated["owner"].tolist() == ["TRIBAL", "BLM"]


# ── conditions ────────────────────────────────────────────────────────────────────────────────


def test_where_speaks_of_the_declared_fields(tmp_path):
    frame(SQUARE, BOW_TIE, SQUARE, TYP=["a", "b", "b"]).to_file(tmp_path / "a.gpkg")
    found = lawful(read(tmp_path, "a.gpkg", where="kind = 'b'", fields={"kind": {"from": "typ"}}))
    counts = found.counts[0]
    assert (counts.found, counts.used, counts.not_selected, counts.repaired) == (3, 2, 1, 1)
    one = selected_features(found, "kind = 'b'", "rule toy/rule: where")
    assert one.counts == found.counts
    assert one.files == found.files
    with pytest.raises(LayerDataError) as caught:
        selected_features(found, "kind = 'a'", "rule toy/rule: where")
    for said in ("rule toy/rule: where", "toy/layer", "kind = 'a'", "of 2 before"):
        assert said in str(caught.value)


def test_no_feature_left_after_where(tmp_path):
    frame(SQUARE, SQUARE).to_file(tmp_path / "a.gpkg")
    message = refusal(LayerDataError, tmp_path, "a.gpkg", where="name = 'N0'")
    for said in ("a.gpkg", "toy/layer", "name = 'N0'", "of 2 before", "check the values"):
        assert said in message


# ── unions ────────────────────────────────────────────────────────────────────────────────────


def test_a_union_brings_its_parts_to_one_crs(tmp_path):
    near = frame(shapely.Point(-117, 38), name=["a"])
    far = frame(shapely.Point(-116, 39), shapely.Point(), name=["b", "c"])
    near.to_file(tmp_path / "one.gpkg")
    far.to_crs("EPSG:5070").to_file(tmp_path / "two.gpkg")
    one = layer("one.gpkg", "point", id_="toy/one", owner="BLM")
    two = layer("two.gpkg", "point", id_="toy/two", crs="EPSG:5070", owner="NPS")
    both = layer(geometry="point", id_="toy/both", crs=None, union_of=["toy/one", "toy/two"])
    catalog = Catalog(Path(), {x.id: x for x in (one, two, both)})
    found = lawful(read_features(both, catalog, tmp_path))
    assert found.frame.crs == CRS.from_epsg(4326)
    assert found.frame["owner"].tolist() == ["BLM", "NPS"]
    assert np.allclose(shapely.get_coordinates(found.frame.geometry), [[-117, 38], [-116, 39]])
    assert [c.layer for c in found.counts] == ["toy/one", "toy/two"]
    assert [f.path for f in found.files] == ["one.gpkg", "two.gpkg"]
    some = both.model_copy(update={"where": "name = 'b'", "crs": "EPSG:5070"})
    found = lawful(read_features(some, catalog, tmp_path))
    assert found.frame.crs == CRS.from_epsg(5070)
    assert [(c.used, c.not_selected) for c in found.counts] == [(0, 1), (1, 0)]


def test_a_union_without_owners_and_a_union_with_its_own(tmp_path):
    for name in ("one", "two"):
        frame(SQUARE, name=[name]).to_file(tmp_path / f"{name}.gpkg")
    parts = [layer(f"{name}.gpkg", id_=f"toy/{name}") for name in ("one", "two")]
    catalog = Catalog(Path(), {part.id: part for part in parts})
    plain = layer(id_="toy/both", crs=None, union_of=list(catalog))
    assert read_features(plain, catalog, tmp_path).frame.columns.tolist() == ["name", "geometry"]
    owned = plain.model_copy(update={"owner": "USFS"})
    assert read_features(owned, catalog, tmp_path).frame["owner"].tolist() == ["USFS", "USFS"]
    none = plain.model_copy(update={"where": "name = 'three'"})
    with pytest.raises(LayerDataError, match=r"toy/both.*no feature is left.*of 2 before"):
        read_features(none, catalog, tmp_path)


# ── the law of coordinate reference systems ──────────────────────────────────────────────────


def test_a_file_that_contradicts_the_declared_crs(tmp_path):
    frame(SQUARE).to_file(tmp_path / "a.gpkg")
    message = refusal(CRSMismatchError, tmp_path, "a.gpkg", crs="EPSG:4269")
    for said in ("a.gpkg", "carries EPSG:4326", "declares EPSG:4269", "write crs: EPSG:4326"):
        assert said in message


def test_a_file_without_the_crs_it_could_carry(tmp_path):
    frame(SQUARE).to_file(tmp_path / "a.shp")
    (tmp_path / "a.prj").unlink()
    message = refusal(CRSMismatchError, tmp_path, "a.shp")
    for said in ("a.shp", "carries no", "declares EPSG:4326", "never guessed", ".prj"):
        assert said in message


@pytest.mark.parametrize("code", ["ESRI:102008", "EPSG:5070", "EPSG:3338", "EPSG:4269"])
@pytest.mark.parametrize("ending", ["gpkg", "shp"])
def test_one_crs_in_two_spellings(tmp_path, code, ending):
    frame(shapely.box(1, 1, 2, 2), crs=code).to_file(tmp_path / f"a.{ending}")
    assert read(tmp_path, f"a.{ending}", crs=code).frame.crs == CRS(code)


def test_heights_are_dropped_with_their_axis(tmp_path):
    write_geojson(tmp_path / "a.geojson", feature({"type": "Point", "coordinates": [1, 2, 3]}))
    assert not read(tmp_path, "a.geojson", "point").frame.geometry.has_z.any()


def test_geojson_with_the_crs_of_its_old_standard(tmp_path):
    named = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::3338"}}
    write_geojson(tmp_path / "a.geojson", feature(point(1, 2)), crs=named)
    assert "carries EPSG:3338" in refusal(CRSMismatchError, tmp_path, "a.geojson", "point")
    assert len(read(tmp_path, "a.geojson", "point", crs="EPSG:3338").frame) == 1


# ── the law of geometries ─────────────────────────────────────────────────────────────────────


def test_a_self_crossing_polygon_is_repaired_and_counted(tmp_path):
    frame(BOW_TIE, SQUARE).to_file(tmp_path / "a.gpkg")
    found = lawful(read(tmp_path, "a.gpkg"))
    assert found.counts[0].repaired == 1
    assert found.frame.geometry.is_valid.all()
    assert found.frame.geometry[0].area == pytest.approx(0.5)
    assert found.frame.geometry[1].equals(SQUARE)


def test_geometries_that_cannot_be_used_are_rejected_with_a_reason(tmp_path):
    collapsed = shapely.Polygon([(0, 0), (1, 1), (2, 2), (0, 0)])
    mixed = shapely.GeometryCollection(
        [shapely.GeometryCollection([shapely.box(0, 0, 2, 1)]), shapely.box(1, 0, 3, 1),
         shapely.Point(9, 9)]
    )  # fmt: skip
    infinite = shapely.Polygon([(0, 0), (math.inf, 0), (1, 1), (0, 0)])
    shapes = [
        SQUARE, None, shapely.Polygon(), infinite, shapely.LineString([(0, 0), (1, 1)]), collapsed,
        shapely.box(200, 0, 201, 1), shapely.GeometryCollection([shapely.Point(1, 1)]), mixed,
    ]  # fmt: skip
    frame(*shapes).to_parquet(tmp_path / "a.parquet")
    found = lawful(read(tmp_path, "a.parquet"))
    counts = found.counts[0]
    assert counts.rejected == {
        "a linestring where the layer declares polygon": 1,
        "coordinates are not finite": 1,
        "coordinates are outside of longitude -180..180 and latitude -90..90": 1,
        "no geometry": 2,
        "no polygon is left of an invalid geometry": 2,
    }
    assert (counts.used, counts.repaired) == (2, 1)
    assert found.frame["name"].tolist() == ["n0", "n8"]
    assert found.frame.geometry[1].equals(shapely.box(0, 0, 3, 1))


def test_lines_and_points_of_collections(tmp_path):
    line, spot = shapely.LineString([(0, 0), (1, 1)]), shapely.Point(5, 5)
    mixed = shapely.GeometryCollection([line, spot, shapely.MultiPoint([(1, 2), (3, 4)])])
    still = shapely.LineString([(0, 0), (0, 0)])
    frame(mixed, still).to_parquet(tmp_path / "a.parquet")
    lines = lawful(read(tmp_path, "a.parquet", "line"))
    assert lines.frame.geometry[0].equals(line)
    assert lines.counts[0].rejected == {"no line is left of an invalid geometry": 1}
    points = lawful(read(tmp_path, "a.parquet", "point"))
    assert shapely.get_num_geometries(points.frame.geometry[0]) == 3


def test_a_layer_of_the_wrong_kind_altogether(tmp_path):
    frame(shapely.LineString([(0, 0), (1, 1)])).to_file(tmp_path / "a.gpkg")
    message = refusal(LayerDataError, tmp_path, "a.gpkg")
    for said in ("a.gpkg", "none of the 1 features", "linestring", "declares polygon", "check"):
        assert said in message


@pytest.mark.parametrize("x", ["nan", "inf", "-Infinity", "NaN"])
def test_a_coordinate_that_is_not_finite(tmp_path, x):
    (tmp_path / "a.csv").write_text(f"x,y\n{x},38\n-117,38\n")
    found = lawful(read(tmp_path, "a.csv", "point", xy=("x", "y")))
    assert found.counts[0].rejected == {"coordinates are not finite": 1}


def test_text_in_some_coordinates(tmp_path):
    (tmp_path / "a.csv").write_text("x,y\n117 W,38\n-117,38\n,38\n-117,\n")
    found = lawful(read(tmp_path, "a.csv", "point", xy=("x", "y")))
    assert found.counts[0].rejected == {"coordinates are not numbers": 1, "no geometry": 2}


def test_text_in_all_coordinates(tmp_path):
    (tmp_path / "a.csv").write_text("x,y,name\n117 W,38 N,a\n116 W,39 N,b\n")
    message = refusal(LayerDataError, tmp_path, "a.csv", "point", xy=("x", "y"))
    for said in ("a.csv", "x, y", "'117 W', '38 N'", "decimal degrees", "xy"):
        assert said in message


@pytest.mark.parametrize("kind", ["point", "polygon"])
def test_longitude_and_latitude_swapped(tmp_path, kind):
    shapes = [shapely.Point(38, -117), shapely.Point(39, -116), shapely.Point(-117, 38)]
    if kind == "polygon":
        shapes = [shape.buffer(0.1) for shape in shapes]
    frame(*shapes).to_file(tmp_path / "a.gpkg")
    message = refusal(LayerDataError, tmp_path, "a.gpkg", kind)
    for said in ("a.gpkg", "look swapped", "2 of 3", "exchange the two names of xy"):
        assert said in message


# ── bytes that are not what they seem ────────────────────────────────────────────────────────


def damaged(path, keep=0.5):
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])


@pytest.mark.parametrize("ending", ["gpkg", "geojson", "fgb", "parquet", "shp", "zip", "csv.gz"])
@pytest.mark.parametrize("keep", [0.0, 0.05, 0.9])
def test_a_file_that_is_cut_short(tmp_path, ending, keep):
    points = frame(*(shapely.Point(i / 10, 1) for i in range(500)))
    path = tmp_path / f"a.{ending}"
    if ending == "parquet":
        points.to_parquet(path)
    elif ending == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a.geojson", points.to_json())
    elif ending == "csv.gz":
        path.write_bytes(gzip.compress(np.random.default_rng(1).bytes(9000).hex().encode()))
    else:
        points.to_file(path)
    damaged(path, keep)
    message = refusal(LayerDataError, tmp_path, f"a.{ending}", "point", xy=("x", "y"))
    assert f"a.{ending}" in message
    assert str(tmp_path) not in message
    assert "again" in message


def test_a_shapefile_whose_table_is_cut_short(tmp_path):
    frame(SQUARE, SQUARE, SQUARE).to_file(tmp_path / "a.shp")
    damaged(tmp_path / "a.dbf")
    message = refusal(LayerDataError, tmp_path, "a.shp")
    assert "a.dbf is cut short" in message
    (tmp_path / "a.dbf").unlink()
    assert "a.dbf is missing" in refusal(LayerDataError, tmp_path, "a.shp")


def test_a_geopackage_with_damage_inside(tmp_path):
    frame(*(shapely.Point(i / 1000, 1) for i in range(9000))).to_file(tmp_path / "a.gpkg")
    content = bytearray((tmp_path / "a.gpkg").read_bytes())
    content[200_000:209_000] = b"\xff" * 9000  # GDAL hands on what lies before, and is silent
    (tmp_path / "a.gpkg").write_bytes(content)
    message = refusal(LayerDataError, tmp_path, "a.gpkg", "point")
    for said in ("a.gpkg", "of the 9000 it says it holds", "get the file again"):
        assert said in message


@pytest.mark.parametrize(
    "name", ["../a.geojson", "b/../../a.geojson", "/a.geojson", "C:\\a.geojson", "..\\a.geojson"]
)
def test_a_zip_that_would_write_outside_of_itself(tmp_path, name):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("good.geojson", frame(SQUARE).to_json())
        archive.writestr(name, frame(SQUARE).to_json())
    message = refusal(LayerDataError, tmp_path, "a.zip", member="good.geojson")
    for said in ("a.zip", repr(name), "without '..'", "official source"):
        assert said in message
    assert [f.name for f in tmp_path.iterdir()] == ["a.zip"]


def test_a_zip_bomb(tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", b"0" * 2_000_000)
    monkeypatch.setattr("geosite.sources.archive.SMALL", 1_000_000)
    message = refusal(LayerDataError, tmp_path, "a.zip", "point")
    for said in ("a.zip", "'a.csv'", "to 2000000 bytes", "at most 200", "by hand"):
        assert said in message
    monkeypatch.setattr("geosite.sources.archive.LARGEST", 1_000_000)
    assert "would unpack to" in refusal(LayerDataError, tmp_path, "a.zip", "point")


def test_a_zip_with_several_datasets_or_none(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("readme.txt", "")
        archive.writestr("x.gdb/a0001.gdbtable", "")
        archive.writestr("y.csv", "")
    message = refusal(LayerDataError, tmp_path, "a.zip")
    assert "2 datasets" in message
    assert "holds x.gdb, y.csv" in message
    message = refusal(LayerDataError, tmp_path, "a.zip", member="z.csv")
    assert "no member 'z.csv'" in message


def test_a_container_with_several_layers(tmp_path):
    for name in ("roads", "rails"):
        frame(SQUARE).to_file(tmp_path / "a.gpkg", layer=name)
    message = refusal(LayerDataError, tmp_path, "a.gpkg")
    assert "several layers; name one with layer: roads, rails" in message
    message = refusal(LayerDataError, tmp_path, "a.gpkg", layer="canals")
    assert "canals" in message
    assert "roads, rails" in message
    assert len(read(tmp_path, "a.gpkg", layer="rails").frame) == 1


@pytest.mark.parametrize(
    ("text", "facts", "said"),
    [
        ("x,y\n1,2,3\n", {"xy": ("x", "y")}, "delimiter"),
        ("x,y\n1,2\n1,2,3\n", {"xy": ("x", "y")}, "Expected 2 fields in line 3"),
        ("", {"xy": ("x", "y")}, "No columns"),
        ("x,y\n", {"xy": ("x", "y")}, "holds no feature"),
        ("x,y\n1,2\n", {}, "declare xy: [x, y]"),
        ("x;y\n1;2\n", {"xy": ("x", "y")}, "no column 'x', 'y' for xy; columns: x;y"),
        ("x,y\n1,2\n", {"xy": ("x", "y"), "encoding": "klingon"}, "encoding"),
    ],
)
def test_a_table_that_is_not_as_declared(tmp_path, text, facts, said):
    (tmp_path / "a.csv").write_text(text)
    message = refusal(LayerDataError, tmp_path, "a.csv", "point", **facts)
    assert message.startswith("a.csv: ")
    assert said in message


def test_a_table_in_another_encoding(tmp_path):
    (tmp_path / "a.csv").write_bytes("x,y,name\n1,2,Mañana".encode("cp1252"))
    message = refusal(LayerDataError, tmp_path, "a.csv", "point", xy=("x", "y"))
    for said in ("a.csv", "'utf-8'", "0xf1", "cp1252"):
        assert said in message


@pytest.mark.parametrize("line", ["{", "[1]", "7"])
def test_json_lines_with_a_bad_line(tmp_path, line):
    (tmp_path / "a.jsonl").write_text(f"{json.dumps(feature(point(1, 1)))}\n{line}\n")
    message = refusal(LayerDataError, tmp_path, "a.jsonl", "point")
    for said in ("a.jsonl", "line 2", "one JSON object a line"):
        assert said in message


@pytest.mark.parametrize("ending", ["geojson", "gpkg", "vrt"])
def test_a_file_that_points_elsewhere_is_not_followed(tmp_path, ending):
    text = "<OGRVRTDataSource><OGRVRTLayer name='a'><SrcDataSource>/etc/a.csv</SrcDataSource>"
    (tmp_path / f"a.{ending}").write_text(text)
    message = refusal(LayerDataError, tmp_path, f"a.{ending}")
    assert "pointer to other files" in message


def test_a_table_without_geometry(tmp_path):
    gpd.pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "a.parquet")
    assert "GeoParquet" in refusal(LayerDataError, tmp_path, "a.parquet")
    write_geojson(tmp_path / "a.geojson")
    assert "a.geojson" in refusal(LayerDataError, tmp_path, "a.geojson")


# ── the law of counts ─────────────────────────────────────────────────────────────────────────

COORDINATE = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True).map(str),
    st.sampled_from(["", "west", "-117.5", "38", "200"]),
)


@given(
    rows=st.lists(
        st.tuples(COORDINATE, COORDINATE, st.sampled_from(["a", "b", ""])), min_size=1, max_size=12
    )
)
def test_every_row_is_used_left_out_or_rejected(tmp_path_factory, rows):
    data = tmp_path_factory.mktemp("counts")
    lines = ["x,y,kind", *(",".join(row) for row in rows), "-117,38,a"]
    (data / "a.csv").write_text("\n".join(lines))
    try:
        found = read(data, "a.csv", "point", xy=("x", "y"), where="kind = 'a'")
    except LayerDataError as error:
        assert "swapped" in str(error)  # noqa: PT017  an honest refusal of these very rows
        return
    lawful(found)
    counts = found.counts[0]
    assert counts.found == len(rows) + 1
    assert counts.not_selected == sum(row[2] != "a" for row in rows)
    assert np.isfinite(shapely.get_coordinates(found.frame.geometry)).all()


# ── rasters ───────────────────────────────────────────────────────────────────────────────────


def write_raster(path, values, *, crs="EPSG:5070", transform=None, **options):
    values = np.atleast_3d(values.T).T
    with rasterio.open(
        path, "w", driver="GTiff", width=values.shape[2], height=values.shape[1],
        count=values.shape[0], dtype=values.dtype, crs=crs,
        transform=transform or from_origin(0, 1000, 10, 10), **options,
    ) as file:  # fmt: skip
        file.write(values)


def raster(data, path, **facts):
    return open_raster(layer(path, "raster", **{"crs": "EPSG:5070"} | facts), NOWHERE, data)


def test_a_raster_is_opened_and_not_read(tmp_path):
    write_raster(tmp_path / "a.tif", np.ones((3, 4), np.int16), nodata=-9)
    found = raster(tmp_path, "a.tif")
    assert found.shape == (3, 4)
    assert (found.nodata, found.dtype) == (-9, "int16")
    assert found.crs == CRS.from_epsg(5070)
    assert found.transform == from_origin(0, 1000, 10, 10)
    assert [f.path for f in found.files] == ["a.tif"]
    assert found.notes == ()


def test_a_raster_in_a_zip(tmp_path):
    write_raster(tmp_path / "a.tif", np.arange(12, dtype=np.int16).reshape(3, 4))
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(tmp_path / "a.tif", "deep/a.tif")
    found = raster(tmp_path, "a.zip")
    with rasterio.open(found.path) as file:
        assert file.read(1).tolist() == np.arange(12).reshape(3, 4).tolist()


def test_a_raster_that_names_no_datum_takes_the_declared_one_and_says_so(tmp_path):
    nameless = (
        "+proj=tmerc +lat_0=41.0833333333333 +lon_0=-71.5 +k=0.99999375 +x_0=100000 +y_0=0 "
        "+ellps=GRS80 +units=m +no_defs"
    )
    write_raster(tmp_path / "a.tif", np.ones((2, 2)), crs=nameless)
    found = raster(tmp_path, "a.tif", crs="EPSG:32130")
    assert "North American Datum 1983" in found.notes[0]
    with pytest.raises(CRSMismatchError):
        raster(tmp_path, "a.tif", crs="EPSG:26919")


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"crs": "EPSG:3338"}, CRSMismatchError, "carries EPSG:3338"),
        ({"crs": None}, CRSMismatchError, "carries no coordinate reference system"),
        ({"transform": rasterio.Affine.identity()}, LayerDataError, "has no georeference"),
    ],
)
def test_a_raster_that_contradicts_its_declaration(tmp_path, options, error, said, recwarn):
    with pytest.warns() if "transform" in options else np.errstate():
        write_raster(tmp_path / "a.tif", np.ones((2, 2)), **options)
    with pytest.raises(error) as caught:
        raster(tmp_path, "a.tif")
    assert type(caught.value) is error
    assert str(caught.value).startswith("a.tif: ")
    assert said in str(caught.value)


def test_a_raster_with_several_bands(tmp_path):
    write_raster(tmp_path / "a.tif", np.ones((3, 2, 2)))
    with pytest.raises(LayerDataError, match=r"a.tif: has 3 bands, expected one"):
        raster(tmp_path, "a.tif")


@pytest.mark.parametrize("keep", [0.0, 0.3, 0.95])
@pytest.mark.parametrize("tiled", [False, True])
def test_a_raster_that_is_cut_short(tmp_path, keep, tiled):
    noise = np.random.default_rng(3).normal(size=(200, 200))
    blocks = {"tiled": True, "blockxsize": 64, "blockysize": 64} if tiled else {}
    write_raster(tmp_path / "a.tif", noise, compress="deflate", **blocks)
    damaged(tmp_path / "a.tif", keep)
    with pytest.raises(LayerDataError) as caught:
        raster(tmp_path, "a.tif")
    assert "a.tif" in str(caught.value)
    assert "get the file again" in str(caught.value)


def test_a_vector_layer_is_no_raster_and_the_other_way_round(tmp_path):
    with pytest.raises(LayerDataError, match="expected a raster"):
        open_raster(layer("a.tif"), NOWHERE, tmp_path)
    assert "open_raster" in refusal(LayerDataError, tmp_path, "a.tif", "raster")


# ── real data ─────────────────────────────────────────────────────────────────────────────────


def test_booleans_and_dates_as_text(tmp_path):
    table = frame(SQUARE, SQUARE, open=[True, False], day=pd.to_datetime(["2020-01-02", None]))
    table.to_parquet(tmp_path / "a.parquet")
    fields = {"open": {}, "day": {}, "on": {"from": "day", "type": "date"}}
    found = read(tmp_path, "a.parquet", fields=fields).frame
    assert found["open"].tolist() == ["true", "false"]
    assert found["day"][0] == "2020-01-02"
    assert found["on"][0] == pd.Timestamp("2020-01-02")


@pytest.mark.snapshot
def test_a_raster_whose_crs_tag_is_wrong(snapshot):
    name = "rasters/ri_nlcd_90m.tif"
    with pytest.raises(CRSMismatchError) as caught:
        raster(snapshot, name, crs="EPSG:32130")
    for said in (name, "carries EPSG:3653", "declares EPSG:32130", "gdal_edit"):
        assert said in str(caught.value)
    assert raster(snapshot, "rasters/ri_padus_90m.tif", crs="EPSG:32130").shape == (1434, 972)


@pytest.mark.snapshot
@pytest.mark.parametrize(
    ("path", "kind", "facts", "found", "used"),
    [
        ("constraints/mojave_desert_tortoise_conservation_areas.gpkg", "polygon",
         {"crs": "ESRI:102008"}, 17, 17),
        ("constraints/epa_superfund_npl_2019_with_climate_flags.geojson", "point", {}, 1571, 1571),
        ("infrastructure/hifld_natural_gas_pipelines_2018.gpkg", "line", {}, 33642, 33538),
        ("lands/indian_lands_indlanp010g.gpkg", "polygon", {"crs": "EPSG:4269"}, 558, 558),
        ("lands/us_counties_5m_2015.topojson", "polygon", {"crs": "EPSG:4269"}, 3233, 3233),
        ("minerals/usgs_mrdata_us_features.jsonl.gz", "point", {}, 11326, 11326),
        ("minerals/usmin_critical_sites.csv", "point", {"xy": ("longitude", "latitude")}, 977, 973),
    ],
)  # fmt: skip
def test_real_layers_are_read_whole(snapshot, path, kind, facts, found, used):
    features = lawful(read(snapshot, path, kind, **facts))
    assert (features.counts[0].found, features.counts[0].used) == (found, used)
