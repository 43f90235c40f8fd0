"""Containers become GeoParquet some features at a time, and nothing in it differs for that."""

import json
import sqlite3
import subprocess
import sys
import zipfile
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import pytest
import shapely
from pandas.testing import assert_frame_equal

from geosite.errors import CRSMismatchError, FetchError, LayerDataError
from geosite.model.layer import Layer
from geosite.model.source import FileSource, ServiceSource
from geosite.sources import conversion, vector
from geosite.sources.asking import Ask
from geosite.sources.conversion import Raw, made
from geosite.sources.place import Placed
from geosite.sources.spool import Spool

pytestmark = pytest.mark.filterwarnings("ignore:.*layer name.*:RuntimeWarning")
DRIVERS = {".gpkg": "GPKG", ".fgb": "FlatGeobuf", ".shp": "ESRI Shapefile", ".gdb": "OpenFileGDB"}


@pytest.fixture(autouse=True)
def few_at_a_time(monkeypatch):
    monkeypatch.setattr(vector, "_BATCH", 2)


def ask(fields=(), geometry="polygon", crs="EPSG:4326"):
    source = ServiceSource(kind="download", url="https://example.org/x")
    layer = Layer(
        id="toy/layer", title="Toy", agency="Nobody", purpose="Tests", geometry=geometry, crs=crs,
        sources=(source,), fields={f: {} for f in fields}, absence="informative", vintage="2026",
        status="synthetic", licence="none", citation="none",
    )  # fmt: skip
    return Ask(layer, source, None, ())


def squares(count):
    at = np.arange(count)
    return shapely.box(at - 117.0, 38, at - 116.5, 38.5)


def of_every_type(count=7):
    none = [None] * count
    return gpd.GeoDataFrame(
        {
            "NAME": ["ä", None, "", "d", "e", "f", "g"],
            "NUMBER": np.arange(count, dtype="int32"),
            "SPARSE": pd.array([1, 2, 3, 4, None, 6, 7], "Int64"),
            "SHARE": [0.5, np.nan, 1, 2, 3, 4, 5],
            "FLAG": pd.array([True, False, None, True, True, True, True], "boolean"),
            "DAY": pd.Series([None, None, *["2020-01-02"] * 5]).astype("date32[pyarrow]"),
            "ZULU": pd.to_datetime([None, None, *["2020-01-02T03:04:05Z"] * 5]),
            "PLAIN": pd.to_datetime(["2020-01-02T03:04:05.678", *none[1:]]),
            "NEVER": pd.to_datetime(none),
            "EMPTY": pd.Series(none, dtype="string"),
        },
        geometry=squares(count),
        crs=4326,
    )


def written(frame, path, **said):
    pyogrio.write_dataframe(frame, path, driver=DRIVERS[path.suffix], **said)
    return path


def converted(path, folder, asked=None, *others):
    folder.mkdir(exist_ok=True)
    files = [offered(p) for p in (path, *others)]
    raws = [Raw(f, "https://example.org/x", f.name, None, None) for f in files]
    return made(asked or ask(), raws, folder)


def offered(path):
    """A dataset of several files as publishers offer it."""
    if path.suffix not in (".shp", ".gdb"):
        return path
    target = path.with_name(f"{path.stem}{path.suffix}.zip")
    with zipfile.ZipFile(target, "w") as archive:
        whole = path.rglob("*") if path.is_dir() else path.parent.glob(f"{path.stem}.*")
        for file in sorted(f for f in whole if f.is_file() and f != target):
            archive.write(file, file.relative_to(path.parent))
    return target


def at_once(path, folder):
    """What the whole dataset in memory becomes."""
    file = FileSource(kind="file", path=path.name)
    read = vector.dataset(Placed(path, file, by_hand=False, name="x"), "x")
    gpd.GeoDataFrame(read.attributes, geometry=read.geometry, crs=4326).to_parquet(folder / "x")
    return gpd.read_parquet(folder / "x")


@pytest.mark.parametrize("ending", [".gpkg", ".fgb"])
def test_every_type_of_column_comes_as_it_does_at_once(ending, tmp_path):
    frame = of_every_type()
    if ending == ".gpkg":  # a FlatGeobuf has no order of its own where shapes are missing
        frame.loc[3, "geometry"] = None
    path = written(frame, tmp_path / f"x{ending}", use_arrow=True)
    came = converted(path, tmp_path / "out")
    found, expected = gpd.read_parquet(came.path), at_once(path, tmp_path)
    assert_frame_equal(pd.DataFrame(found), pd.DataFrame(expected))
    assert found.crs == expected.crs
    kinds = found.dtypes.astype(str)
    assert kinds[["SPARSE", "ZULU", "PLAIN", "NEVER"]].tolist() == [
        "float64", "datetime64[ms, UTC]", "datetime64[ms]", "datetime64[ms]",
    ]  # fmt: skip
    assert {str(day)[:10] for day in found["DAY"].dropna()} == {"2020-01-02"}
    lost = ("https://example.org/x: 1 features: no geometry",) if ending == ".gpkg" else ()
    assert (came.count, came.notes) == (7, lost)


@pytest.mark.parametrize("ending", DRIVERS)
def test_every_container_comes_as_it_does_at_once(ending, tmp_path):
    frame = of_every_type()[["NAME", "NUMBER", "SHARE", "geometry"]]
    path = written(frame, tmp_path / f"x{ending}")
    came = converted(path, tmp_path / "out")
    expected = at_once(path, tmp_path)
    expected = expected.drop(columns=["Shape_Length", "Shape_Area"], errors="ignore")
    found = gpd.read_parquet(came.path)[expected.columns]
    assert_frame_equal(pd.DataFrame(found), pd.DataFrame(expected))
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["layer.parquet"]


@pytest.mark.parametrize(
    "texts",
    [
        ["2020-01-02T03:04:05-07:00"] * 5,
        ["2020-01-02T03:04:05-07:00"] * 3 + ["2020-07-02T03:04:05-06:00"] * 2,
        ["2020-01-02T03:04:05-07:00"] * 3 + ["2020-07-02T03:04:05"] * 2,
        ["2020-01-02T03:04:05"] * 2 + [None] * 2 + ["2020-07-02T03:04:05+01:00"],
    ],
)
def test_points_in_time_of_several_zones_are_in_utc_as_they_are_at_once(texts, tmp_path):
    moments = [text and datetime.fromisoformat(text) for text in texts]
    frame = gpd.GeoDataFrame(
        {"at": pd.Series(moments, dtype=object)}, geometry=squares(5), crs=4326
    )
    path = written(frame, tmp_path / "x.fgb", SPATIAL_INDEX="NO")
    assert str(pyogrio.read_info(path)["dtypes"][0]) == "datetime64[ms]"
    came = converted(path, tmp_path / "out", ask())
    found, expected = gpd.read_parquet(came.path), at_once(path, tmp_path)
    assert_frame_equal(pd.DataFrame(found), pd.DataFrame(expected))


def test_codes_come_as_their_meanings_and_json_as_text(tmp_path):
    frame = gpd.GeoDataFrame(
        {"CODE": pd.array([0, 1, 2, None, 9], "Int32"), "MORE": ['{"a":1}', "[1,2]", *"abc"]},
        geometry=squares(5), crs=4326,
    )  # fmt: skip
    path = written(frame, tmp_path / "x.gpkg", layer="x")
    with closing(sqlite3.connect(path)) as base:
        base.executescript(
            """
            CREATE TABLE gpkg_data_columns (table_name TEXT NOT NULL, column_name TEXT NOT NULL,
                name TEXT, title TEXT, description TEXT, mime_type TEXT, constraint_name TEXT);
            CREATE TABLE gpkg_data_column_constraints (constraint_name TEXT NOT NULL,
                constraint_type TEXT NOT NULL, value TEXT, min NUMERIC, min_is_inclusive BOOLEAN,
                max NUMERIC, max_is_inclusive BOOLEAN, description TEXT);
            INSERT INTO gpkg_extensions VALUES
                ('gpkg_data_columns', NULL, 'gpkg_schema', 'x', 'read-write'),
                ('gpkg_data_column_constraints', NULL, 'gpkg_schema', 'x', 'read-write');
            INSERT INTO gpkg_data_columns VALUES
                ('x', 'CODE', NULL, NULL, NULL, NULL, 'codes'),
                ('x', 'MORE', NULL, NULL, NULL, 'application/json', NULL);
            INSERT INTO gpkg_data_column_constraints VALUES
                ('codes', 'enum', '0', NULL, NULL, NULL, NULL, 'zero'),
                ('codes', 'enum', '1', NULL, NULL, NULL, NULL, 'one'),
                ('codes', 'enum', '3', NULL, NULL, NULL, NULL, 'three');
            """
        )
    found = gpd.read_parquet(converted(path, tmp_path / "out").path)
    assert found["CODE"].fillna("").tolist() == ["zero", "one", "2", "", "9"]
    assert found["MORE"].tolist() == ['{"a": 1}', "[1, 2]", *"abc"]


def test_states_of_other_types_and_spellings_are_one_layer(tmp_path):
    one = gpd.GeoDataFrame(
        {"NAME": ["a", "b"], "SIZE": [1, 2], "N": [1, 2], "AT": pd.to_datetime(["2020-01-01"] * 2)},
        geometry=squares(2), crs=4326,
    )  # fmt: skip
    two = gpd.GeoDataFrame(
        {"name": ["c"], "SIZE": ["many"], "N": [0.5], "AT": pd.to_datetime(["2020-01-01T00:00Z"])},
        geometry=squares(1), crs=4326,
    )  # fmt: skip
    none = one.iloc[:0].assign(SIZE="x", MORE=1)
    paths = [written(f, tmp_path / f"{k}.gpkg") for k, f in enumerate((one, two, none))]
    came = converted(paths[0], tmp_path / "out", None, *paths[1:])
    found = gpd.read_parquet(came.path)
    assert list(found.columns) == ["NAME", "SIZE", "N", "AT", "geometry"]
    assert found["NAME"].tolist() == ["a", "b", "c"]
    assert found["SIZE"].tolist() == ["1", "2", "many"]
    assert found["N"].tolist() == [1, 2, 0.5]
    assert str(found["AT"].dtype) == "datetime64[ms, UTC]"
    assert came.count == 3
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["layer.parquet"]


def test_values_of_mixed_types_in_one_file_are_text(tmp_path):
    point = {"type": "Point", "coordinates": [-117, 38]}
    lines = [
        json.dumps({"type": "Feature", "properties": {"NAME": name}, "geometry": point})
        for name in ("a", 1, None)
    ]
    path = tmp_path / "x.jsonl"
    path.write_text("\n".join(lines))
    found = gpd.read_parquet(converted(path, tmp_path / "out", ask(geometry="point")).path)
    assert found["NAME"].fillna("").tolist() == ["a", "1", ""]


def test_what_is_no_point_in_time_stays_text():
    texts = pa.chunked_array([["2020-01-02", "never"]])
    assert vector._moments(texts).to_pylist() == ["2020-01-02", "never"]


def test_what_is_written_is_geoparquet_of_which_a_window_can_be_read(tmp_path, monkeypatch):
    monkeypatch.setattr("geosite.sources.spool._ROWS", 3)
    frame = of_every_type()
    frame.loc[3, "geometry"] = None
    came = converted(written(frame, tmp_path / "x.gpkg"), tmp_path / "out", ask(["name"]))
    file = pq.ParquetFile(came.path)
    assert file.metadata.num_row_groups == 3
    assert file.schema_arrow.names == ["NAME", "geometry", "bbox"]
    geo = json.loads(file.schema_arrow.metadata[b"geo"])
    assert (geo["version"], geo["primary_column"]) == ("1.1.0", "geometry")
    said = geo["columns"]["geometry"]
    assert (said["encoding"], said["geometry_types"]) == ("WKB", [])
    assert said["covering"]["bbox"]["xmax"] == ["bbox", "xmax"]
    assert said["crs"]["id"] == {"authority": "EPSG", "code": 4326}
    box = (-116.2, 38, -115.9, 39)
    assert gpd.read_parquet(came.path, bbox=box)["NAME"].isna().tolist() == [True]
    assert gpd.read_parquet(came.path).geometry.isna().sum() == 1


def test_of_nothing_the_columns_are_written(tmp_path):
    frame = of_every_type()
    with Spool(tmp_path, frame.crs) as spool:
        spool.add(frame[["NAME", "SHARE"]].iloc[:0], np.array([], dtype=object))
        found = gpd.read_parquet(spool.finish(tmp_path / "x"))
    assert (list(found.columns), len(found), spool.count) == (["NAME", "SHARE", "geometry"], 0, 0)


def test_large_features_are_fewer_together(tmp_path, monkeypatch):
    monkeypatch.setattr("geosite.sources.spool._BYTES", 500)
    came = converted(written(of_every_type()[["geometry"]], tmp_path / "x.gpkg"), tmp_path / "out")
    file = pq.ParquetFile(came.path)
    assert (file.metadata.num_rows, file.metadata.num_row_groups > 1) == (7, True)


@pytest.mark.parametrize(
    ("asked", "error", "words"),
    [
        (ask(crs="EPSG:5070"), CRSMismatchError, "declares EPSG:5070"),
        (ask(["use"]), FetchError, "there is no field 'use'; it holds NAME, NUMBER"),
    ],
)
def test_what_contradicts_the_catalogue_is_said_before_anything_is_read(
    asked, error, words, tmp_path, monkeypatch
):
    path, taken = written(of_every_type(), tmp_path / "x.gpkg"), []
    monkeypatch.setattr(conversion.Spool, "add", lambda _, table, __: taken.append(len(table)))
    with pytest.raises(error, match=words):
        converted(path, tmp_path / "out", asked)
    assert not any(taken)
    assert not list((tmp_path / "out").iterdir())


def test_a_dataset_that_is_damaged_is_refused_and_nothing_left(tmp_path):
    many = pd.concat([of_every_type()] * 300, ignore_index=True)
    path = written(many, tmp_path / "x.gpkg", SPATIAL_INDEX="NO")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 2 // 3])
    with pytest.raises(LayerDataError, match="get the file again"):
        converted(path, tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())
    assert not path.exists()


def test_fewer_features_than_are_said_to_be_there_are_damage(tmp_path):
    path = written(of_every_type(), tmp_path / "x.gpkg")
    with closing(sqlite3.connect(path)) as base:
        base.execute("UPDATE gpkg_ogr_contents SET feature_count = 8")
        base.commit()
    with pytest.raises(LayerDataError, match="7 features can be read of the 8 it says it holds"):
        converted(path, tmp_path / "out")


def test_a_shapefile_cut_short_is_refused(tmp_path):
    path = written(of_every_type()[["NUMBER", "geometry"]], tmp_path / "x.shp")
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(LayerDataError, match=r"raw.shp|x.shp is cut short"):
        converted(path, tmp_path / "out")


def test_a_shapefile_is_read_in_the_declared_encoding(tmp_path):
    frame = of_every_type()[["NAME", "geometry"]]
    path = written(frame, tmp_path / "x.shp", encoding="cp1252")
    path.with_suffix(".cpg").unlink()
    asked = ask()
    source = asked.source.model_copy(update={"encoding": "cp1252"})
    came = converted(path, tmp_path / "out", replace(asked, source=source))
    assert gpd.read_parquet(came.path)["NAME"].iloc[0] == "ä"


def test_text_in_no_known_encoding_is_refused(tmp_path):
    frame = of_every_type().assign(NAME="Mountain")
    path = written(frame[["NAME", "geometry"]], tmp_path / "x.gpkg")
    path.write_bytes(path.read_bytes().replace(b"Mountain", b"Mo\xffntain"))
    with pytest.raises(LayerDataError, match=r"(?i)utf-?8"):
        converted(path, tmp_path / "out")


def test_a_table_without_shapes_is_refused(tmp_path):
    path = tmp_path / "x.gpkg"
    pyogrio.write_dataframe(pd.DataFrame({"a": [1]}), path, layer="x", driver="GPKG")
    with pytest.raises(LayerDataError, match="holds a table without geometry"):
        converted(path, tmp_path / "out")


def test_a_dataset_of_nothing_is_a_mistake(tmp_path):
    path = written(of_every_type().iloc[:0], tmp_path / "x.gpkg")
    with pytest.raises(FetchError, match="holds no feature"):
        converted(path, tmp_path / "out")


MEMORY = """
import sys
from pathlib import Path
from geosite.sources import spool, vector
from tests.test_conversion import ask, converted
path, folder = map(Path, sys.argv[1:])
vector._BATCH, spool._BYTES = 16, 2**20
converted(path, folder, ask(["number"]))
said = Path("/proc/self/status").read_text()
print(next(line.split()[1] for line in said.splitlines() if line.startswith("VmHWM")))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says what a program needed")
def test_a_large_dataset_needs_hardly_more_memory_than_a_small_one(tmp_path):
    turn = np.linspace(0, 2 * np.pi, 1000, endpoint=False)
    ring = np.stack([np.cos(turn), np.sin(turn)], -1)
    peaks = {}
    for count in (100, 6000):
        at = np.stack([np.linspace(-120, -80, count), np.full(count, 38.0)], -1)
        shapes = shapely.polygons(at[:, None, :] + 0.01 * ring)
        frame = gpd.GeoDataFrame({"NUMBER": range(count)}, geometry=shapes, crs=4326)
        path = written(frame, tmp_path / f"{count}.gpkg")
        said = subprocess.run(
            [sys.executable, "-c", MEMORY, str(path), str(tmp_path / f"{count}")],
            cwd=Path(__file__).parents[1], check=True, capture_output=True, text=True,
        )  # fmt: skip
        peaks[count] = int(said.stdout) * 1024
    # All 96 MB of coordinates at once, and as bytes, would be more than that.
    assert peaks[6000] - peaks[100] < 80e6
