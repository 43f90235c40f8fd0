"""A layer of the user's own: what its file says is not asked, and what it does not say is."""

from __future__ import annotations

import gzip
import json
import zipfile

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import rasterio
import shapely
from pyproj import CRS
from rasterio.transform import from_origin

from geosite.catalog import open_catalog
from geosite.errors import CatalogError, CRSMismatchError, GeositeError, LayerDataError
from geosite.sources import open_raster, read_features
from geosite.sources.proposal import added, own_id, proposed
from geosite.sources.wording import personal_name

SURE = {"absence": "not_informative"}


@pytest.fixture
def folders(tmp_path):
    """Where the user keeps files, the catalogue, and the data root."""
    made = tmp_path / "mine", tmp_path / "layers", tmp_path / "data"
    for folder in made:
        folder.mkdir()
    return made


@pytest.fixture
def holes():
    """Three drill holes near Winnemucca."""
    return gpd.GeoDataFrame(
        {
            "HOLE_ID": ["0815", "0816", "0817"],
            "Depth (m)": [120.5, 99.0, 310.25],
            "rank": [1, 2, 3],
            "drilled": pd.to_datetime(["2024-05-01", "2024-06-01", "2025-01-31"]),
            "CLAIM_OWNER": ["A. Person", "B. Person", "C. Person"],
        },
        geometry=shapely.points([[430000, 4530000], [431000, 4531000], [432500, 4529000]]),
        crs="EPSG:26911",
    )


@pytest.fixture
def claims():
    """Two squares."""
    return gpd.GeoDataFrame(
        {"SERIAL": ["NV1", "NV2"], "CSE_NAME": ["A. Person", "B. Person"]},
        geometry=shapely.box([0, 400], [0, 0], [400, 800], [400, 400]),
        crs="EPSG:5070",
    )


def table(path, frame, *, delimiter=",", encoding="utf-8", x="Easting", y="Northing"):
    """Points as a table."""
    plain = pd.DataFrame(frame.drop(columns="geometry"))
    plain[x], plain[y] = frame.geometry.x, frame.geometry.y
    plain.to_csv(path, sep=delimiter, encoding=encoding, index=False, date_format="%Y-%m-%d")
    return path


def keys(proposal):
    return [question.key for question in proposal.questions]


def unasked(question):
    pytest.fail(f"asked for {question.key}")


def entry_of(path, folders, **answers):
    """The layer that is written for a file, and its catalogue."""
    _, layers, data = folders
    written = added(path, layers, data, SURE | answers, None)
    catalog = open_catalog(layers)
    id_ = written.relative_to(layers).with_suffix("").as_posix()
    return catalog[id_], catalog


def features_of(path, folders, **answers):
    layer, catalog = entry_of(path, folders, **answers)
    return layer, read_features(layer, catalog, folders[2]).frame


# ── round trips ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("ending", [".gpkg", ".shp", ".fgb", ".parquet"])
def test_a_file_that_says_everything_becomes_a_layer(folders, holes, ending):
    path = folders[0] / f"Drill Holes{ending}"
    frame = holes.rename(columns={"Depth (m)": "Depth_m", "CLAIM_OWNER": "OWNER"})
    if ending == ".shp":
        # Its dates have no time, and pyogrio writes none.
        frame["drilled"] = frame["drilled"].dt.strftime("%Y-%m-%d")
    frame.to_parquet(path) if ending == ".parquet" else frame.to_file(path)
    layer, read = features_of(path, folders)
    read = read.sort_values("hole_id", ignore_index=True)  # FlatGeobuf sorts by place
    assert layer.id == "own/drill-holes"
    assert (layer.geometry, layer.crs, layer.title) == ("point", "EPSG:26911", "Drill Holes")
    assert list(read.columns) == ["hole_id", "depth_m", "rank", "drilled", "geometry"]
    assert list(read["hole_id"]) == ["0815", "0816", "0817"]
    assert list(read["depth_m"]) == [120.5, 99.0, 310.25]
    assert str(read["rank"].dtype) == "Int64"
    assert [str(d)[:10] for d in read["drilled"]] == ["2024-05-01", "2024-06-01", "2025-01-31"]
    assert read.geometry.geom_equals_exact(holes.geometry, 1e-6).all()
    assert (layer.status, layer.licence, layer.agency) == (
        "unofficial", "not for publication", "own data",
    )  # fmt: skip


def test_a_file_geodatabase_is_a_folder(folders, claims):
    path = folders[0] / "claims.gdb"
    claims.to_file(path, driver="OpenFileGDB", layer="claims")
    layer, read = features_of(path, folders)
    assert layer.sources[0].path == "own/claims.gdb"
    assert list(read["serial"]) == ["NV1", "NV2"]


def test_geojson_is_in_degrees(folders, holes):
    path = folders[0] / "holes.geojson"
    holes.to_crs(4326).to_file(path)
    layer, read = features_of(path, folders)
    assert layer.crs == "EPSG:4326"
    assert len(read) == 3
    assert layer.coverage.kind == "box"
    assert layer.coverage.west < read.geometry.x.min() < read.geometry.x.max() < layer.coverage.east


@pytest.mark.parametrize(
    ("delimiter", "encoding", "ending"),
    [(",", "utf-8", ".csv"), (";", "cp1252", ".csv"), ("|", "utf-8-sig", ".txt"),
     ("\t", "utf-8", ".tsv")],
)  # fmt: skip
def test_a_table_is_asked_for_its_crs_only(folders, holes, delimiter, encoding, ending):
    path = folders[0] / f"holes{ending}"
    table(path, holes.assign(note="Größe"), delimiter=delimiter, encoding=encoding)
    first = proposed(path, id_="own/holes", answers=SURE)
    assert first.text is None
    assert [q.key for q in first.questions if q.default is None] == ["crs"]
    layer, read = features_of(path, folders, crs="EPSG:26911")
    assert layer.sources[0].xy == ("Easting", "Northing")
    assert layer.sources[0].delimiter == delimiter
    assert list(read["hole_id"]) == ["0815", "0816", "0817"]
    assert list(read["depth_m"]) == [120.5, 99.0, 310.25]
    assert list(read["note"]) == ["Größe"] * 3
    assert layer.fields["drilled"].type == "date"
    assert layer.fields["rank"].type == "integer"
    assert layer.fields["hole_id"].type == "text"
    assert "claim_owner" not in read


def test_a_packed_table_and_json_lines_are_read(folders, holes):
    plain = table(folders[0] / "plain.csv", holes, x="lon", y="lat")
    packed = folders[0] / "packed.csv.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert len(features_of(packed, folders, crs="EPSG:26911")[1]) == 3
    flat = folders[0] / "flat.jsonl"
    flat.write_text("\n".join(json.dumps({"n": k, "x": -117 - k, "y": 40}) for k in range(4)))
    layer, read = features_of(flat, folders, crs="EPSG:4326")
    assert layer.sources[0].xy == ("x", "y")
    assert list(read["n"]) == [0, 1, 2, 3]
    nested = folders[0] / "nested.jsonl"
    point = {"type": "Point", "coordinates": [-117, 40]}
    nested.write_text(json.dumps({"type": "Feature", "properties": {"a": "b"}, "geometry": point}))
    assert list(features_of(nested, folders, crs="EPSG:4326")[1]["a"]) == ["b"]


def test_a_raster_becomes_a_layer_that_speaks_where_it_has_cells(folders):
    path = folders[0] / "gravity.tif"
    with rasterio.open(
        path, "w", driver="GTiff", height=4, width=5, count=1, dtype="float32", nodata=-9999,
        crs="EPSG:5070", transform=from_origin(0, 400, 100, 100),
    ) as target:  # fmt: skip
        target.write(np.ones((1, 4, 5), "float32"))
    _, layers, data = folders
    added(path, layers, data, {"unit": "m"}, None)
    catalog = open_catalog(layers)
    layer = catalog["own/gravity"]
    assert (layer.geometry, layer.coverage.kind, layer.unit) == ("raster", "valid_cells", "m")
    assert open_raster(layer, catalog, data).shape == (4, 5)
    with zipfile.ZipFile(folders[0] / "packed.zip", "w") as archive:
        archive.write(path, "grids/gravity.tif")
    added(folders[0] / "packed.zip", layers, data, {}, None)
    catalog = open_catalog(layers)
    assert open_raster(catalog["own/packed"], catalog, data).shape == (4, 5)


def test_a_zip_with_one_dataset_is_not_asked_which(folders, claims):
    claims.to_file(folders[0] / "claims.shp")
    path = folders[0] / "claims.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in folders[0].glob("claims.[!z]*"):
            archive.write(file, f"inner/{file.name}")
    layer, read = features_of(path, folders)
    assert layer.sources[0].member == "inner/claims.shp"
    assert (layer.geometry, list(read["serial"])) == ("polygon", ["NV1", "NV2"])


def test_a_zip_with_several_datasets_and_a_file_with_several_layers_are_asked_which(
    folders, claims, holes
):
    claims.to_file(folders[0] / "two.gpkg", layer="claims")
    holes.to_file(folders[0] / "two.gpkg", layer="holes")
    holes.to_crs(4326).to_file(folders[0] / "more.geojson")
    path = folders[0] / "all.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(folders[0] / "two.gpkg", "two.gpkg")
        archive.write(folders[0] / "more.geojson", "more.geojson")
        archive.writestr("readme.md", "words")
    first = proposed(path, id_="own/all", answers=SURE)
    assert (first.text, keys(first)) == (None, ["member"])
    assert first.questions[0].choices == ("more.geojson", "two.gpkg")
    second = proposed(path, id_="own/all", answers=SURE | {"member": "two.gpkg"})
    assert (second.text, keys(second)) == (None, ["layer"])
    layer, read = features_of(path, folders, member="two.gpkg", layer="claims")
    assert (layer.sources[0].layer, len(read)) == ("claims", 2)


def test_a_table_beside_the_layer_of_a_file_is_no_choice(folders, claims):
    path = folders[0] / "one.gpkg"
    claims.to_file(path, layer="claims")
    pyogrio.write_dataframe(pd.DataFrame({"a": [1]}), path, layer="notes")
    layer, _ = features_of(path, folders)
    assert layer.sources[0].layer == "claims"


# ── what is asked ───────────────────────────────────────────────────────────────────────────


def test_what_a_file_cannot_say_is_asked_once_and_in_order(folders, claims):
    path = folders[0] / "claims.gpkg"
    claims.to_file(path)
    asked = []

    def ask(question):
        asked.append(question.key)
        return question.default if question.default is not None else "informative"

    _, layers, data = folders
    added(path, layers, data, {"title": "Our claims"}, ask)
    assert asked == [
        "agency", "purpose", "coverage", "absence", "positional_accuracy", "vintage", "licence",
        "citation",
    ]  # fmt: skip
    layer = open_catalog(layers)["own/claims"]
    assert (layer.title, layer.absence) == ("Our claims", "informative")


def test_what_is_needed_and_not_answered_is_said_all_at_once(folders, holes):
    path = table(folders[0] / "holes.csv", holes)
    _, layers, data = folders
    with pytest.raises(CatalogError, match="answers are needed") as caught:
        added(path, layers, data, {}, None)
    assert "crs: in which" in str(caught.value)
    assert "absence: is a place" in str(caught.value)
    assert "(informative, not_informative)" in str(caught.value)
    assert not list(layers.rglob("*"))
    assert not list(data.rglob("*"))


def test_coordinate_columns_of_unusual_names_are_asked_for(folders, holes):
    path = table(folders[0] / "odd.csv", holes, x="rechts", y="hoch")
    first = proposed(path, id_="own/odd", answers={})
    assert keys(first) == ["x", "y"]
    assert "rechts" in first.questions[0].choices
    layer, read = features_of(path, folders, x="rechts", y="hoch", crs="EPSG:26911")
    assert layer.sources[0].xy == ("rechts", "hoch")
    assert len(read) == 3


def test_of_several_pairs_of_coordinates_one_is_offered(folders, holes):
    path = table(folders[0] / "both.csv", holes.assign(lon=-117.5, lat=41.0))
    found = proposed(path, id_="own/both", answers=SURE | {"crs": "EPSG:4326"})
    assert [(q.key, q.default) for q in found.questions[:2]] == [("x", "lon"), ("y", "lat")]
    layer, _ = features_of(path, folders, crs="EPSG:26911", x="Easting", y="Northing")
    assert layer.sources[0].xy == ("Easting", "Northing")


def test_geometries_of_several_kinds_are_asked_about(folders):
    path = folders[0] / "mixed.geojson"
    shapes = [*shapely.points([[-117, 40], [-117, 41]]), shapely.box(-118, 40, -117, 41)]
    gpd.GeoDataFrame({"n": [1, 2, 3]}, geometry=shapes, crs=4326).to_file(path)
    found = proposed(path, id_="own/mixed", answers=SURE)
    assert next(q for q in found.questions if q.key == "geometry").choices == ("point", "polygon")
    layer, read = features_of(path, folders, geometry="polygon")
    assert (layer.geometry, len(read)) == ("polygon", 1)


@pytest.mark.parametrize(
    ("said", "kind"), [("everywhere", "everywhere"), ("-118, 40, -117, 41.5", "box")]
)
def test_coverage_is_what_was_answered(folders, claims, said, kind):
    path = folders[0] / "claims.gpkg"
    claims.to_file(path)
    layer, _ = entry_of(path, folders, coverage=said, positional_accuracy="30 ft")
    assert layer.coverage.kind == kind
    assert layer.positional_accuracy == pytest.approx(9.144)


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({"absence": "perhaps"}, "'perhaps' is none of informative, not_informative"),
        ({"colour": "red"}, "colour: not asked of claims.gpkg"),
        ({"crs": "EPSG:4326"}, "crs: not asked of claims.gpkg"),
        ({"coverage": "Nevada"}, "'Nevada' is not extent, everywhere"),
        ({"positional_accuracy": "near"}, "positional_accuracy"),
        ({"title": ""}, "title"),
    ],
)
def test_wrong_answers_are_said_and_nothing_is_left(folders, claims, answers, words):
    path = folders[0] / "claims.gpkg"
    claims.to_file(path)
    _, layers, data = folders
    with pytest.raises(CatalogError, match=words) as caught:
        added(path, layers, data, SURE | answers, None)
    assert "geosite-" not in str(caught.value)
    assert not [f for f in (*layers.rglob("*"), *data.rglob("*")) if f.is_file()]


def test_a_crs_is_never_guessed(folders, holes):
    path = folders[0] / "bare.shp"
    holes[["HOLE_ID", "geometry"]].to_file(path)
    path.with_suffix(".prj").unlink()
    with pytest.raises(CRSMismatchError, match="none is ever guessed"):
        proposed(path, id_="own/bare", answers={})
    path = table(folders[0] / "wrong.csv", holes)
    _, layers, data = folders
    with pytest.raises(CRSMismatchError, match="'EPSG:nonsense' is not a coordinate"):
        added(path, layers, data, SURE | {"crs": "EPSG:nonsense"}, None)
    with pytest.raises(LayerDataError, match="none of the 3 features"):
        added(path, layers, data, SURE | {"crs": "EPSG:4326", "coverage": "everywhere"}, None)


def test_a_crs_without_a_code_is_written_out(folders, holes):
    own = CRS("+proj=tmerc +lat_0=40 +lon_0=-117.25 +k=0.9996 +x_0=1000 +y_0=0 +datum=NAD83")
    path = folders[0] / "local.gpkg"
    holes.to_crs(own).to_file(path)
    layer, read = features_of(path, folders)
    assert "EPSG" not in layer.crs.split("[")[0]
    assert read.crs.equals(CRS(layer.crs))


# ── what is taken, and what is not ──────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "column",
    ["OWNER", "Claimant", "claimantName", "CSE_NAME", "casename", "created_user", "LAST_EDITED_BY",
     "Permit Holder", "SURF_OWNER1", "e-mail", "contact_phone", "Lessee", "FIRST_NAME", "logged_by",
     "CUST_NM_SEC"],
)  # fmt: skip
def test_columns_that_may_name_a_person_are_left_out(column):
    assert personal_name(column)


@pytest.mark.parametrize(
    "column",
    ["HOLE_ID", "name", "deposit_name", "ownership", "byproduct", "Au_ppm", "standby", "used",
     "telluride_pct", "commodity"],
)  # fmt: skip
def test_columns_that_name_none_are_kept(column):
    assert not personal_name(column)


def test_a_file_of_nothing_but_names_gives_none_of_them(folders, claims):
    path = folders[0] / "names.gpkg"
    claims[["CSE_NAME", "geometry"]].to_file(path)
    _, read = features_of(path, folders)
    assert list(read.columns) == ["dataset", "geometry"]
    text = (folders[1] / "own/names.yaml").read_text()
    assert "left out, since it may name a person: CSE_NAME" in text
    assert text.startswith("# yaml-language-server: $schema=../layer.schema.json\n")


def test_columns_with_awkward_names_are_declared(folders):
    path = folders[0] / "awkward.csv"
    path.write_text('"a, b",A B,geometry,"{x}: #1",é,lon,lat\n1,2,3,4,5,-117,40\n')
    layer, read = features_of(path, folders, crs="EPSG:4326")
    assert list(layer.fields) == ["a_b", "a_b_2", "geometry_", "x_1", "field", "lon", "lat"]
    assert [int(read[c].iloc[0]) for c in list(layer.fields)[:5]] == [1, 2, 3, 4, 5]


def test_a_file_below_the_data_root_stays_where_it_is(folders, claims):
    _, layers, data = folders
    (data / "deep").mkdir()
    claims.to_file(data / "deep/claims.gpkg")
    layer, read = features_of(data / "deep/claims.gpkg", folders)
    assert layer.sources[0].path == "deep/claims.gpkg"
    assert len(read) == 2
    assert [f.name for f in data.rglob("*") if f.is_file()] == ["claims.gpkg"]
    with pytest.raises(CatalogError, match="not overwritten"):
        added(data / "deep/claims.gpkg", layers, data, SURE, unasked)


def test_another_file_is_copied_and_none_is_overwritten(folders, claims):
    mine, layers, data = folders
    claims.to_file(mine / "claims.shp")
    added(mine / "claims.shp", layers, data, SURE, None, id_="own/ours/claims")
    there = data / "own/ours/claims.shp"
    assert there.read_bytes() == (mine / "claims.shp").read_bytes()
    assert there.with_suffix(".dbf").is_file()
    assert "../../layer.schema.json" in (layers / "own/ours/claims.yaml").read_text()
    (layers / "own/ours/claims.yaml").unlink()
    with pytest.raises(CatalogError, match=r"claims\.shp: is there already"):
        added(mine / "claims.shp", layers, data, SURE, None, id_="own/ours/claims")


@pytest.mark.parametrize("id_", ["../outside", "own/../../x", "Own/Holes", "holes", "/own/x"])
def test_an_id_that_leaves_the_catalogue_is_refused(folders, claims, id_):
    mine, layers, data = folders
    claims.to_file(mine / "claims.gpkg")
    with pytest.raises(CatalogError, match="no id of a layer"):
        added(mine / "claims.gpkg", layers, data, SURE, None, id_=id_)


def test_an_id_is_made_from_any_name(tmp_path):
    assert own_id(tmp_path / "Bohrlöcher (neu).GPKG") == "own/bohrl-cher-neu"
    assert own_id(tmp_path / "été.csv") == "own/t"
    assert own_id(tmp_path / "日本.csv") == "own/layer"


# ── what cannot be a layer ──────────────────────────────────────────────────────────────────


def test_what_cannot_be_read_is_said(folders):
    mine, layers, data = folders
    with pytest.raises(CatalogError, match="there is no such file"):
        added(mine / "none.gpkg", layers, data, {}, None)
    cases = {
        "words.gpkg": (b"no database", "cannot be opened"),
        "words.zip": (b"no archive", "not a readable zip"),
        "words.tif": (b"no raster", "cannot be read as a raster"),
        "words.parquet": (b"no columns", "cannot be read as GeoParquet"),
    }
    for name, (content, words) in cases.items():
        (mine / name).write_bytes(content)
        with pytest.raises(LayerDataError, match=words):
            added(mine / name, layers, data, SURE, None)
    with zipfile.ZipFile(mine / "empty.zip", "w") as archive:
        archive.writestr("readme.md", "words")
    with pytest.raises(LayerDataError, match="no dataset in this zip"):
        added(mine / "empty.zip", layers, data, SURE, None)


def test_a_raster_of_several_bands_and_a_table_without_places_are_refused(folders, claims):
    mine, layers, data = folders
    with rasterio.open(
        mine / "rgb.tif", "w", driver="GTiff", height=4, width=5, count=3, dtype="uint8",
        crs="EPSG:5070", transform=from_origin(0, 400, 100, 100),
    ) as target:  # fmt: skip
        target.write(np.ones((3, 4, 5), "uint8"))
    with pytest.raises(LayerDataError, match="has 3 bands"):
        added(mine / "rgb.tif", layers, data, {}, None)
    pyogrio.write_dataframe(pd.DataFrame({"a": [1]}), mine / "table.gpkg", layer="notes")
    with pytest.raises(LayerDataError, match="tables without geometry only"):
        added(mine / "table.gpkg", layers, data, {}, None)
    claims.iloc[:0].to_file(mine / "empty.gpkg")
    with pytest.raises(LayerDataError, match=r"none of its 0 features|holds no feature"):
        added(mine / "empty.gpkg", layers, data, {}, None)
    (mine / "placeless.csv").write_text("a,lon,lat\n1,,\n2,,\n")
    with pytest.raises(LayerDataError, match="none of its 2 features has a place"):
        added(mine / "placeless.csv", layers, data, {}, None)


def test_a_question_says_what_is_wrong_with_an_answer(folders, holes):
    path = table(folders[0] / "holes.csv", holes)
    _, layers, data = folders
    asked = {}

    def ask(question):
        asked[question.key] = question
        sure = {"crs": "EPSG:26911", "absence": "informative"}
        return sure.get(question.key, question.default)

    added(path, layers, data, {}, ask)
    for key, wrong, right in (
        ("coverage", "yes", "everywhere"),
        ("coverage", "-100,40,-120,39", "-120, 39, -100, 40"),
        ("crs", "wherever", "EPSG:5070"),
    ):
        assert wrong.split(",")[0] in asked[key].wrong(wrong)
        assert asked[key].wrong(right) == ""


@pytest.mark.parametrize("which", ["layers", "data"])
def test_a_folder_that_cannot_be_written_is_said_and_nothing_stays(tmp_path, holes, which):
    path = tmp_path / "holes.gpkg"
    holes.to_file(path)
    folders = {name: tmp_path / name for name in ("layers", "data")}
    # A file where a folder should be stops the administrator as well.
    folders[which].write_text("not a folder", encoding="utf-8")
    with pytest.raises(GeositeError, match=f"{which}.*cannot be written"):
        added(path, folders["layers"], folders["data"], SURE, None)
    assert not [p for f in folders.values() if f.is_dir() for p in f.rglob("*") if p.is_file()]
