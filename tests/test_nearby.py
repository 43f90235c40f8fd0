"""Of a large layer that was fetched only what is near is read, and the answer is the same."""

from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import shapely
from pandas.testing import assert_frame_equal

from geosite.catalog import Catalog
from geosite.errors import CRSMismatchError, LayerDataError
from geosite.sources import nearby, read_features
from geosite.sources.holdings import Holdings
from geosite.sources.nearby import near
from tests.stores import kept, toy

WINDOW = (-116.6, 37.0, -114.4, 39.0)
ACROSS = (179.0, 50.0, -179.0, 52.0)
FIELDS = {
    "name": {}, "size": {"from": "SIZE", "type": "integer"}, "code": {"codes": {"1": "one"}},
    "day": {"type": "date"},
}  # fmt: skip
COUNT = 12


@pytest.fixture
def holdings(tmp_path):
    return Holdings(tmp_path / "fetched")


@pytest.fixture
def in_part(monkeypatch):
    def switch(on):
        monkeypatch.setattr(nearby, "LARGE", 0 if on else 2**60)

    switch(True)
    return switch


def squares(crs="EPSG:4326"):
    at = np.arange(COUNT)
    shapes = shapely.box(at - 120.0, 38, at - 119.5, 38.5)
    shapes[0] = None
    # A bow tie is repaired.
    shapes[4] = shapely.Polygon([(-116, 38), (-115.5, 38.5), (-115.5, 38), (-116, 38.5)])
    shapes[5] = shapely.Point(-115, 38)
    return gpd.GeoDataFrame(
        {
            "name": [f" {k}" for k in range(COUNT)],
            "SIZE": [None, *range(1, COUNT)],
            "code": ["1", "2"] * 6,
            "day": ["2020-01-01", "never"] * 6,
        },
        geometry=shapes,
        crs=crs,
    )


def held(holdings, frame, box=None, **changes):
    layer = toy(**{"geometry": "polygon", "fields": FIELDS} | changes)
    kept(holdings, layer, frame, box)
    known = {layer.id: layer}
    found, unfit = holdings.fit(known, None, ())
    return layer, Catalog(Path(), known, found, unfit)


def read(of, tmp_path, bounds=WINDOW):
    layer, catalog = of
    return read_features(layer, catalog, tmp_path, bounds)


@pytest.mark.parametrize("cached", [True, False])
@pytest.mark.parametrize(("where", "rows"), [(None, [3, 4]), ("size > 3", [4]), ("size > 9", [])])
def test_the_features_are_those_of_the_whole(
    holdings, tmp_path, in_part, monkeypatch, cached, where, rows
):
    if not cached:
        monkeypatch.setenv("GEOSITE_CACHE", "")
    of = held(holdings, squares(), where=where)
    found = [read(of, tmp_path) for _ in range(2)]
    in_part(False)
    whole = read(of, tmp_path)
    for one in found:
        assert one.frame.index.tolist() == rows
        same = one.frame.reset_index(drop=True), whole.frame.reset_index(drop=True)
        assert_frame_equal(*(pd.DataFrame(f) for f in same))
        assert (one.files, one.notes, one.layer) == (whole.files, whole.notes, whole.layer)
        assert one.frame.crs == whole.frame.crs


def test_the_counts_are_those_of_what_was_read(holdings, tmp_path, in_part):
    of = held(holdings, squares(), where="size <> 3")
    for _ in range(2):
        (counts,) = read(of, tmp_path).counts
        assert (counts.found, counts.used, counts.not_selected, counts.repaired) == (3, 1, 1, 1)
        assert dict(counts.rejected) == {"a point where the layer declares polygon": 1}
        assert counts.found == counts.used + counts.not_selected + sum(counts.rejected.values())
        assert (dict(counts.unreadable), dict(counts.uncoded)) == ({"day": 2}, {"code": 2})
    (counts,) = read(of, tmp_path, None).counts
    assert counts.found == COUNT


def test_each_window_is_kept_by_itself(holdings, tmp_path, in_part, monkeypatch):
    of = held(holdings, squares())
    windows = (WINDOW, (-113.6, 37, -112.4, 39))
    first = [read(of, tmp_path, w).frame["name"].tolist() for w in windows]
    assert first == [["3", "4"], ["6", "7"]]
    monkeypatch.setattr(nearby, "near", lambda *_: pytest.fail("read again"))
    assert [read(of, tmp_path, w).frame["name"].tolist() for w in windows] == first


def test_nothing_near_is_no_mistake(holdings, tmp_path, in_part):
    of = held(holdings, squares())
    found = read(of, tmp_path, (0, 0, 1, 1))
    assert list(found.frame.columns) == ["name", "size", "code", "day", "geometry"]
    assert (len(found.frame), found.counts[0].found) == (0, 0)
    in_part(False)
    assert_frame_equal(found.frame.iloc[:0], read(of, tmp_path, (0, 0, 1, 1)).frame)


def test_bounds_across_the_antimeridian_are_two_windows(holdings, tmp_path, in_part):
    frame = squares()
    at = [*range(-179, -168), 179.5]
    frame["geometry"] = shapely.box(np.array(at) - 0.2, 51, np.array(at) + 0.2, 51.5)
    of = held(holdings, frame)
    assert read(of, tmp_path, ACROSS).frame["name"].tolist() == ["0", "11"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: f.rename(columns={"SIZE": "other"}), "declares columns that are not there"),
        (lambda f: f.assign(geometry=shapely.Point(-115, 38)), "none of the 12 features"),
        (
            lambda f: f.set_geometry(shapely.box(38, np.arange(COUNT) - 120.0, 38.5, -119)),
            "swapped",
        ),
        (lambda f: f.iloc[:0], "holds no feature"),
    ],
)
def test_what_is_wrong_is_said_as_of_the_whole(holdings, tmp_path, in_part, change, words):
    frame = change(squares()).set_crs(4326, allow_override=True)
    with pytest.raises(LayerDataError, match=words):
        read(held(holdings, frame), tmp_path)


def test_another_crs_is_refused(holdings, tmp_path, in_part):
    with pytest.raises(CRSMismatchError, match="declares EPSG:4326"):
        read(held(holdings, squares(4269)), tmp_path)


def test_bytes_that_changed_are_refused(holdings, tmp_path, in_part):
    of = held(holdings, squares())
    path = next(iter(of[1].held.values())).path
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(LayerDataError, match="other bytes"):
        read(of, tmp_path)


def test_only_files_that_say_where_each_feature_is_are_read_in_part(tmp_path):
    path = tmp_path / "x.parquet"
    frame = squares()
    frame.to_parquet(path)
    assert near(path, WINDOW) is None
    frame.to_parquet(path, write_covering_bbox=True, geometry_encoding="WKB", row_group_size=2)
    found = near(path, WINDOW)
    assert found.attributes.index.tolist() == [3, 4, 5]
    assert found.attributes["name"].tolist() == [" 3", " 4", " 5"]
    assert pq.ParquetFile(path).num_row_groups == 6
    path.write_bytes(path.read_bytes()[:-20])
    assert near(path, WINDOW) is None


def test_row_groups_that_are_far_are_not_read(tmp_path, monkeypatch):
    path, asked = tmp_path / "x.parquet", []
    squares().to_parquet(path, write_covering_bbox=True, row_group_size=2)
    monkeypatch.setattr(nearby, "_TOGETHER", 1)

    class Watched(pq.ParquetFile):
        def iter_batches(self, size, groups, *more, **said):
            asked.append(groups)
            return super().iter_batches(size, groups, *more, **said)

    monkeypatch.setattr(nearby.pq, "ParquetFile", Watched)
    assert near(path, (-115.8, 37, -115.6, 39)).attributes.index.tolist() == [4]
    assert asked == [[2]]


@pytest.mark.parametrize("fields", [{}, FIELDS])
def test_small_files_and_those_without_declared_fields_are_read_whole(
    holdings, tmp_path, in_part, monkeypatch, fields
):
    if fields:
        in_part(False)
    monkeypatch.setattr(nearby, "near", lambda *_: pytest.fail("read in part"))
    assert len(read(held(holdings, squares(), fields=fields), tmp_path).frame) == 2


def test_a_part_is_recorded_as_it_was_fetched_last(holdings, tmp_path, in_part):
    layer, catalog = held(holdings, squares())
    read((layer, catalog), tmp_path)
    one = catalog.held[layer.id]
    later = replace(one, entry=one.entry.model_copy(update={"retrieved": "2030-01-01T00:00:00Z"}))
    catalog = replace(catalog, held={layer.id: later})
    assert read((layer, catalog), tmp_path).files[0].retrieved == "2030-01-01T00:00:00Z"
