from __future__ import annotations

import gzip
import json
import os
import threading
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from pyproj import CRS

from geosite.catalog import Catalog
from geosite.errors import LayerDataError
from geosite.model import Layer
from geosite.sources import cache, read_features
from geosite.sources.features import Counts, Features, windowed
from geosite.sources.geoparquet import read_geoparquet, write_geoparquet
from geosite.sources.place import FileRecord

FACTS = {
    "title": "toy", "agency": "nobody", "purpose": "tests", "absence": "informative",
    "vintage": "2024", "status": "synthetic", "licence": "none", "citation": "none",
    "crs": "EPSG:4326",
}  # fmt: skip
WGS84 = CRS.from_epsg(4326)
NOWHERE = Catalog(Path(), {})


def layer(path="a.geojson", geometry="point", id_="toy/layer", **facts):
    if "union_of" not in facts:
        facts["sources"] = [{"kind": "file", "path": path}]
    return Layer.model_validate(FACTS | {"id": id_, "geometry": geometry} | facts)


def same(one, other):
    """Two layers that no reader could tell apart."""
    assert one.layer == other.layer
    assert (one.counts, one.files, one.notes) == (other.counts, other.files, other.notes)
    plain, also = (pd.DataFrame(f.frame.drop(columns="geometry")) for f in (one, other))
    assert_frame_equal(
        plain, also, check_exact=True, check_index_type="exact", check_column_type="exact"
    )
    assert list(one.frame.columns) == list(other.frame.columns)
    assert one.frame.crs == other.frame.crs
    shapes = [f.frame.geometry.to_numpy() for f in (one, other)]
    assert shapely.to_wkb(shapes[0]).tolist() == shapely.to_wkb(shapes[1]).tolist()
    assert shapely.get_type_id(shapes[0]).tolist() == shapely.get_type_id(shapes[1]).tolist()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A cache of the test's own."""
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "kept"))
    return tmp_path / "kept" / "layers"


def write_points(path, *names, step=1.0):
    features = [
        {
            "type": "Feature",
            "properties": {"name": name, "n": k},
            "geometry": {"type": "Point", "coordinates": [-117 + k * step, 38]},
        }
        for k, name in enumerate(names)
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), "utf-8")


def kept_files(folder):
    return sorted(folder.glob("*.parquet"))


# ── what is kept is what was read ─────────────────────────────────────────────────────────────


@st.composite
def shapes(draw, kind):
    x = draw(st.floats(-179, 179, allow_subnormal=False))
    y = draw(st.floats(-89, 89, allow_subnormal=False))
    point, square = shapely.Point(x, y), shapely.box(x, y, x + 0.5, y + 0.25)
    away = shapely.box(x + 0.6, y, x + 0.7, y + 0.1)
    return draw(
        st.sampled_from(
            {
                "point": [point, shapely.MultiPoint([(x, y), (-x, y)])],
                "polygon": [square, shapely.MultiPolygon([square, away])],
                "line": [square.exterior.segmentize(0.2), shapely.MultiLineString([away.exterior])],
            }[kind]
        )
    )


COLUMNS = {
    "text": st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=4),
    "whole": st.none() | st.integers(-(2**53), 2**53),
    "number": st.none() | st.floats(allow_infinity=False),
    "day": st.none() | st.datetimes(min_value=pd.Timestamp(1700, 1, 1).to_pydatetime()),
    "yes": st.booleans(),
}
TYPES = {
    "text": "str", "whole": "Int64", "number": float, "day": "datetime64[s]", "yes": bool,
}  # fmt: skip


@st.composite
def layers(draw):
    kind = draw(st.sampled_from(["point", "polygon", "line"]))
    geometry = draw(st.lists(shapes(kind), min_size=1, max_size=12))
    size = len(geometry)
    chosen = draw(st.lists(st.sampled_from(sorted(COLUMNS)), unique=True))
    columns = {
        name: pd.Series(
            draw(st.lists(COLUMNS[name], min_size=size, max_size=size)), dtype=TYPES[name]
        )
        for name in chosen
    }
    frame = gpd.GeoDataFrame(
        pd.DataFrame(columns, index=pd.RangeIndex(size)), geometry=geometry, crs=WGS84
    )
    counts = Counts("toy/layer", size + 3, size, 2, 1, {"no geometry": 1}, {"n": 2}, {"k": 1})
    files = (FileRecord("é.gpkg", "0" * 64, 12),)
    return Features(layer(geometry=kind), frame, (counts,), files, ("a remark",))


DEGREES = st.floats(-180, 180)


@given(
    features=layers(),
    bounds=st.none() | st.tuples(DEGREES, st.floats(-90, 0), DEGREES, st.floats(0, 90)),
    group=st.integers(1, 4),
)
def test_what_is_kept_is_what_was_read_whole_or_in_any_window(
    tmp_path_factory, features, bounds, group
):
    """Windows whose left is right of their right cross the antimeridian, as in half of these."""
    path = tmp_path_factory.mktemp("kept") / "a.parquet"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("geosite.sources.geoparquet.ROW_GROUP", group)
        # A closed line may be a ring, which WKB does not know; then nothing is kept.
        rings = (shapely.get_type_id(features.frame.geometry.to_numpy()) == 2).any()
        assert write_geoparquet(features, path) is not bool(rings)
    if not rings:
        back = read_geoparquet(path, features.layer, WGS84, bounds)
        same(back, windowed(features, bounds))


def test_only_the_row_groups_that_a_window_meets_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr("geosite.sources.geoparquet.ROW_GROUP", 10)
    at = [(x, y) for x in range(10) for y in range(10)]
    frame = gpd.GeoDataFrame({"n": range(100)}, geometry=shapely.points(at), crs=WGS84)
    features = Features(layer(), frame, (), ())
    assert write_geoparquet(features, tmp_path / "a.parquet")
    read = []
    plain = pq.ParquetFile.read_row_groups

    def noted(self, groups, **more):
        read.append(len(groups))
        return plain(self, groups, **more)

    monkeypatch.setattr(pq.ParquetFile, "read_row_groups", noted)
    same(
        read_geoparquet(tmp_path / "a.parquet", features.layer, WGS84, (0, 0, 1, 1)),
        windowed(features, (0, 0, 1, 1)),
    )
    assert 0 < read.pop() < 5
    nothing = read_geoparquet(tmp_path / "a.parquet", features.layer, WGS84, (50, 50, 51, 51))
    same(nothing, windowed(features, (50, 50, 51, 51)))
    assert read == [0]


def test_any_gis_can_open_what_is_kept(tmp_path):
    frame = gpd.GeoDataFrame(
        {"name": ["a", "b"]}, geometry=shapely.points([(1, 2), (30, 40)]), crs=WGS84
    )
    assert write_geoparquet(Features(layer(), frame, (), ()), tmp_path / "a.parquet")
    opened = gpd.read_parquet(tmp_path / "a.parquet", bbox=(0, 0, 5, 5))
    assert opened["name"].tolist() == ["a"]
    assert opened.crs == WGS84


def test_a_column_that_has_no_one_type_is_not_kept(tmp_path, folder):
    mixed = pd.Series([1, "one", None], dtype=object)
    frame = gpd.GeoDataFrame({"n": mixed}, geometry=shapely.points([(0, 0)] * 3), crs=WGS84)
    assert not write_geoparquet(Features(layer(), frame, (), ()), tmp_path / "a.parquet")
    lines = [
        json.dumps({
            "type": "Feature", "properties": {"n": n},
            "geometry": {"type": "Point", "coordinates": [0, 1]},
        })
        for n in (1, "one", None)
    ]  # fmt: skip
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    one, two = (read_features(layer("a.jsonl.gz"), NOWHERE, tmp_path) for _ in range(2))
    same(one, two)
    assert kept_files(folder) == []
    assert list(folder.iterdir()) == []


# ── the cache ─────────────────────────────────────────────────────────────────────────────────


def parsed(monkeypatch):
    """Names of the files that are really parsed from now on."""
    from geosite.sources import read  # noqa: PLC0415

    names = []
    plain = read.dataset

    def noted(found, name):
        names.append(name)
        return plain(found, name)

    monkeypatch.setattr(read, "dataset", noted)
    read._last_read.cache_clear()
    return names


def test_a_source_is_parsed_once(tmp_path, folder, monkeypatch):
    names = parsed(monkeypatch)
    write_points(tmp_path / "a.geojson", "one", "two", "three")
    first = read_features(layer(), NOWHERE, tmp_path)
    same(read_features(layer(), NOWHERE, tmp_path), first)
    window = (-117.5, 37, -115.5, 39)
    same(read_features(layer(), NOWHERE, tmp_path, window), windowed(first, window))
    assert windowed(first, window).frame["name"].tolist() == ["one", "two"]
    assert windowed(first, window).counts[0].used == 3
    assert names == ["a.geojson"]
    assert len(kept_files(folder)) == 1


def test_what_changes_the_answer_changes_the_name(tmp_path, folder, monkeypatch):
    names = parsed(monkeypatch)
    write_points(tmp_path / "a.geojson", "one", "two")
    read_features(layer(), NOWHERE, tmp_path)
    write_points(tmp_path / "a.geojson", "one", "2wo")
    assert read_features(layer(), NOWHERE, tmp_path).frame["name"].tolist() == ["one", "2wo"]
    some = layer(where="name = 'one'")
    assert read_features(some, NOWHERE, tmp_path).frame["name"].tolist() == ["one"]
    monkeypatch.setattr(cache, "_makers", lambda: ["another program"])
    read_features(some, NOWHERE, tmp_path)
    assert len(kept_files(folder)) == 4
    # The bytes were read twice; what is made of them, four times.
    assert names == ["a.geojson"] * 2


def test_a_union_is_kept_with_all_that_its_parts_are_made_of(tmp_path, folder, monkeypatch):
    names = parsed(monkeypatch)
    write_points(tmp_path / "a.geojson", "one", "two")
    write_points(tmp_path / "b.geojson", "three", step=5)
    parts = {i: layer(f"{i}.geojson", id_=f"toy/{i}") for i in "ab"}
    both = layer(id_="toy/both", union_of=["toy/a", "toy/b"], where="n = 0")
    catalog = Catalog(tmp_path, {"toy/both": both, **{p.id: p for p in parts.values()}})
    first = read_features(both, catalog, tmp_path)
    same(read_features(both, catalog, tmp_path), first)
    assert first.frame["name"].tolist() == ["one", "three"]
    assert names == ["a.geojson", "b.geojson"]
    write_points(tmp_path / "b.geojson", "four", step=5)
    assert read_features(both, catalog, tmp_path).frame["name"].tolist() == ["one", "four"]
    assert names == ["a.geojson", "b.geojson", "b.geojson"]


@pytest.mark.parametrize("damage", ["cut", "empty", "flipped", "other", "unsealed"])
def test_a_damaged_file_is_thrown_away_and_the_source_read_anew(
    tmp_path, folder, monkeypatch, damage
):
    write_points(tmp_path / "a.geojson", "one", "two")
    first = read_features(layer(), NOWHERE, tmp_path)
    (path,) = kept_files(folder)
    whole = path.read_bytes()
    spoilt = {
        "cut": whole[:-20],
        "empty": b"",
        "flipped": whole[:200] + bytes([whole[200] ^ 1]) + whole[201:],
        "other": b"PAR1 is not all there is to it",
        "unsealed": b"neither is a seal",
    }[damage]
    path.write_bytes(spoilt)
    if damage == "unsealed":
        # Whole as far as its name goes, and still nothing that can be read.
        name = path.name.rpartition("-")[0]
        path.replace(folder / f"{name}-{cache._seal(path)}.parquet")
    parsed_again = parsed(monkeypatch)
    same(read_features(layer(), NOWHERE, tmp_path), first)
    same(read_features(layer(), NOWHERE, tmp_path), first)
    assert parsed_again == ["a.geojson"]
    assert [p.read_bytes() == whole for p in kept_files(folder)] == [True]


def test_an_empty_variable_switches_the_cache_off(tmp_path, folder, monkeypatch):
    write_points(tmp_path / "a.geojson", "one", "two")
    monkeypatch.setenv(cache.VARIABLE, "")
    first = read_features(layer(), NOWHERE, tmp_path)
    assert not folder.exists()
    monkeypatch.setenv(cache.VARIABLE, str(folder.parent))
    same(read_features(layer(), NOWHERE, tmp_path), first)
    monkeypatch.delenv(cache.VARIABLE)
    assert cache.folder().parts[-2:] == ("geosite", "layers")


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "file"))
    write_points(tmp_path / "a.geojson", "one", "two")
    assert len(read_features(layer(), NOWHERE, tmp_path).frame) == 2


@pytest.mark.parametrize("error", [pa.ArrowNotImplementedError, KeyError, TypeError])
def test_what_parquet_cannot_hold_is_no_error(folder, error):
    def fails(_path):
        raise error

    cache.keep("layer", fails)
    assert not [p for p in folder.rglob("*") if p.is_file()]


def test_what_cannot_be_read_is_not_kept(tmp_path, folder):
    (tmp_path / "a.geojson").write_text("{")
    for _ in range(2):
        with pytest.raises(LayerDataError):
            read_features(layer(), NOWHERE, tmp_path)
    assert not folder.exists()


def test_a_file_that_changes_while_it_is_read_is_not_kept(tmp_path, folder, monkeypatch):
    from geosite.sources import read  # noqa: PLC0415

    write_points(tmp_path / "a.geojson", "one", "two")
    plain = read.dataset

    def overtaken(found, name):
        done = plain(found, name)
        write_points(tmp_path / "a.geojson", "three")
        return done

    monkeypatch.setattr(read, "dataset", overtaken)
    assert read_features(layer(), NOWHERE, tmp_path).frame["name"].tolist() == ["one", "two"]
    assert not folder.exists()


def test_formats_with_files_that_are_not_hashed_are_not_kept(tmp_path, folder):
    points = gpd.GeoDataFrame({"n": [1, 2]}, geometry=shapely.points([(0, 0), (1, 1)]), crs=WGS84)
    points.to_file(tmp_path / "a.gml", driver="GML")
    points.to_file(tmp_path / "a.gpkg")
    read_features(layer("a.gml"), NOWHERE, tmp_path)
    (tmp_path / "a.gpkg-wal").touch()
    read_features(layer("a.gpkg"), NOWHERE, tmp_path)
    assert not folder.exists()


def test_what_was_not_used_for_longest_makes_room(tmp_path, folder, monkeypatch):
    def read(name):
        return read_features(layer(f"{name}.geojson"), NOWHERE, tmp_path)

    for name in ("a", "b", "c"):
        write_points(tmp_path / f"{name}.geojson", name, "other")
    read("a")
    read("b")
    old = {path: path.stat() for path in kept_files(folder)}
    for age, path in enumerate(old):
        os.utime(path, (1000 + age, 1000 + age))
    forgotten = next(iter(old))
    stale, fresh = folder / "stale.part", folder / "fresh.part"
    stale.touch()
    fresh.touch()
    os.utime(stale, (1000, 1000))
    room = sum(stat.st_size for stat in old.values()) + 100
    monkeypatch.setattr(cache, "LIMIT", room)
    read("c")
    assert not forgotten.exists()
    assert len(kept_files(folder)) == 2
    assert not stale.exists()
    assert fresh.exists()


def test_a_layer_larger_than_the_folder_is_not_kept(tmp_path, folder, monkeypatch):
    monkeypatch.setattr(cache, "LIMIT", 10)
    write_points(tmp_path / "a.geojson", "one", "two")
    read_features(layer(), NOWHERE, tmp_path)
    assert list(folder.iterdir()) == []


def test_what_is_used_is_kept_longest(tmp_path, folder):
    write_points(tmp_path / "a.geojson", "one", "two")
    read_features(layer(), NOWHERE, tmp_path)
    (path,) = kept_files(folder)
    os.utime(path, (1000, 1000))
    read_features(layer(), NOWHERE, tmp_path)
    assert path.stat().st_mtime > 1000


def test_many_may_read_and_keep_the_same_at_once(tmp_path, folder):
    write_points(tmp_path / "a.geojson", *(f"n{k}" for k in range(50)), step=0.1)
    found = []

    def work():
        found.append(read_features(layer(), NOWHERE, tmp_path))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in found:
        same(one, found[0])
    assert len(found) == 4
    assert kept_files(folder)
    assert not list(folder.glob("*.part"))
    same(read_features(layer(), NOWHERE, tmp_path), found[0])


def test_the_curve_of_one_place_is_a_point(tmp_path):
    frame = gpd.GeoDataFrame({"n": [2, 1]}, geometry=[shapely.Point(1, 1)] * 2, crs=WGS84)
    features = Features(layer(), frame, (), ())
    assert write_geoparquet(features, tmp_path / "a.parquet")
    same(read_geoparquet(tmp_path / "a.parquet", features.layer, WGS84), features)
    assert np.diff(frame.total_bounds[[0, 2]]) == 0
