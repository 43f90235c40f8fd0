"""What was fetched is whole or not there at all, whoever is killed and whoever else fetches."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st

from geosite.catalog import Catalog
from geosite.errors import FetchError, GeositeError, LayerDataError
from geosite.model import Layer
from geosite.model.lock import contains, words_of
from geosite.sources import missing_reason, open_raster, placed, read_features
from geosite.sources.asking import Ask, Got
from geosite.sources.holdings import Holdings, asked_of, holdings_root, root_if_any
from geosite.sources.lockfile import LOCK
from tests.stores import SERVICE, URL, kept, names, toy
from tests.worlds import write_elevation

BOX = (-118.0, 37.0, -116.0, 39.0)
INNER = (-117.5, 37.5, -116.5, 38.5)
ELSEWHERE = (-90.0, 30.0, -89.0, 31.0)


@pytest.fixture
def holdings(tmp_path):
    return Holdings(tmp_path / "fetched")


def objects(holdings):
    return sorted((holdings.root / "objects").glob("*/*"))


# ── keeping and finding ───────────────────────────────────────────────────────────────────────
def test_what_is_kept_is_found_with_all_that_is_known_of_it(holdings):
    found = kept(holdings, toy(), names("one"), BOX, edited="2026-01-02", server_count=7)
    assert found.before is None
    assert not found.changed
    held = holdings.find(toy(), BOX)
    assert held.entry == found.entry
    assert (held.entry.url, held.entry.edited, held.entry.server_count) == (URL, "2026-01-02", 7)
    assert held.path == objects(holdings)[0]
    assert held.path.name == f"{held.entry.sha256}.parquet"
    assert gpd.read_parquet(held.path)["name"].tolist() == ["one"]
    assert Holdings(holdings.root).entries() == (held.entry,)


def test_the_lock_is_text_that_a_person_can_read(holdings):
    kept(holdings, toy("toy/b"), names("one"), BOX)
    kept(holdings, toy("toy/a"), names("two"), None)
    said = json.loads((holdings.root / LOCK).read_text(encoding="utf-8"))
    assert said["version"] == 1
    assert [e["layer"] for e in said["layers"]] == ["toy/a", "toy/b"]
    assert said["layers"][1]["box"] == list(BOX)
    assert (holdings.root / LOCK).read_text(encoding="utf-8").count("\n") > 20


def test_nothing_is_found_where_nothing_was_kept(holdings):
    assert holdings.entries() == ()
    assert holdings.find(toy(), None) is None
    assert holdings.verify() == []
    holdings.sweep()
    assert not holdings.root.exists()


def test_a_part_does_for_what_lies_in_it_and_the_whole_for_everything(holdings):
    kept(holdings, toy(), names("one"), BOX)
    assert holdings.find(toy(), INNER)
    assert holdings.find(toy(), ELSEWHERE) is None
    assert holdings.find(toy(), None) is None
    kept(holdings, toy(), names("one", "two"), None)
    assert all(holdings.find(toy(), b).entry.count == 2 for b in (None, INNER, ELSEWHERE))


def test_areas_side_by_side_stay_and_an_area_within_a_new_one_goes(holdings):
    kept(holdings, toy(), names("one"), INNER)
    kept(holdings, toy(), names("two"), ELSEWHERE)
    kept(holdings, toy("toy/other"), names("two"), INNER)
    assert len(holdings.entries()) == 3
    kept(holdings, toy(), names("one", "two"), BOX)
    boxes = [e.box for e in holdings.entries() if e.layer == "toy/layer"]
    assert boxes == [BOX, ELSEWHERE]


def test_bytes_that_changed_are_told_of(holdings):
    first = kept(holdings, toy(), names("one"), BOX)
    again = kept(holdings, toy(), names("one"), BOX)
    assert again.before == first.entry
    assert not again.changed
    other = kept(holdings, toy(), names("two"), BOX)
    assert other.changed
    assert other.before.sha256 == first.entry.sha256
    # A larger area is no change of the smaller one.
    assert kept(holdings, toy(), names("three"), None).before is None
    assert kept(holdings, toy(), names("four"), None).changed


def test_another_entry_of_the_catalogue_means_other_bytes(holdings):
    kept(holdings, toy(), names("one"), BOX)
    assert holdings.find(toy(source={"where": "x = 1"}), BOX) is None
    assert holdings.find(toy(crs="EPSG:4269"), BOX) is None
    assert holdings.find(toy(fields={"name": {}, "kind": {}}), BOX) is None
    assert holdings.find(toy(title="Another", citation="new", problems="many"), BOX)


@pytest.mark.parametrize("same", [{"count": 5}, {"note": "slow"}, {"page_size": 10}, {"size": 9}])
def test_what_was_counted_is_no_other_question(same):
    assert asked_of(toy(source=same)) == asked_of(toy())


def test_a_file_for_hands_is_no_question_at_all():
    manual = {"kind": "manual", "instructions": "ask"}
    assert asked_of(toy(sources=[SERVICE, manual])) == asked_of(toy())
    assert asked_of(toy(fields={"NAME": {"from": "Name"}})) == asked_of(toy())


def test_one_download_is_all_of_a_layer_and_one_a_state_is_not(holdings):
    download = {"kind": "download", "url": "https://example.org/all.zip", "layer": None}
    assert kept(holdings, toy(source=download), names("one"), BOX).entry.box is None
    states = download | {"url": "https://example.org/{ST}.zip"}
    assert kept(holdings, toy("toy/s", source=states), names("one"), BOX).entry.box == BOX
    whole = {"scope": "whole"}
    assert kept(holdings, toy("toy/w", source=whole), names("one"), BOX).entry.box is None


def test_what_is_no_file_of_ours_is_refused(holdings, tmp_path):
    ask = Ask(toy(), toy().sources[0], BOX)
    (tmp_path / "a.html").write_text("<html>")
    (tmp_path / "a.parquet").touch()
    for name in ("a.html", "a.parquet"):
        with pytest.raises(LayerDataError, match=r"toy/layer: a\.\w+ has \d bytes, expected"):
            holdings.keep(toy(), ask, Got(tmp_path / name, 0, URL))
    assert holdings.entries() == ()


def test_an_object_from_elsewhere_is_taken_with_its_entry(holdings, tmp_path):
    entry = kept(Holdings(tmp_path / "theirs"), toy(), names("one"), BOX).entry
    theirs = Holdings(tmp_path / "theirs").path(entry)
    with holdings.scratch() as folder:
        copy = folder / "copy.parquet"
        copy.write_bytes(theirs.read_bytes())
        holdings.adopt(entry, copy)
        wrong = folder / "wrong.parquet"
        wrong.write_bytes(b"x")
        with pytest.raises(LayerDataError, match="other bytes"):
            holdings.adopt(entry, wrong)
    assert holdings.entries() == (entry,)
    assert holdings.verify() == []


# ── boxes ─────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("outer", "inner", "inside"),
    [
        (None, None, True),
        (None, BOX, True),
        (BOX, None, False),
        (BOX, BOX, True),
        (BOX, INNER, True),
        (INNER, BOX, False),
        ((170, 50, -130, 70), (-170, 55, -140, 60), True),
        ((170, 50, -130, 70), (172, 55, 180, 60), True),
        ((170, 50, -130, 70), (175, 55, -135, 60), True),
        ((170, 50, -130, 70), (160, 55, -135, 60), False),
        ((-170, 50, -130, 70), (175, 55, -135, 60), False),
        ((-180, -90, 180, 90), (175, 55, -135, 60), True),
    ],
)
def test_areas_lie_in_areas_also_across_the_antimeridian(outer, inner, inside):
    assert contains(outer, inner) is inside


LON, LAT = st.floats(-180, 180), st.floats(-90, 90)


@given(LON, LON, LAT, LAT, st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2))
def test_whatever_lies_in_a_box_is_contained(west, east, one, other, shares):
    south, north = sorted((one, other))
    span = (east - west) % 360
    xs = sorted(x for x, _ in shares[:2])
    ys = sorted(y for _, y in shares[:2])
    lons = [(west + 0.999 * span * x + 180) % 360 - 180 for x in xs]
    inner = (lons[0], south + (north - south) * ys[0], lons[1], south + (north - south) * ys[1])
    if span * (xs[1] - xs[0]) > 1e-6 and inner[3] <= north and xs[0] > 1e-6:
        assert contains((west, south, east, north), inner)


def test_an_area_is_said_in_degrees():
    assert words_of(None) == "everywhere"
    assert words_of(BOX) == "-118.000,37.000,-116.000,39.000"


# ── damage ────────────────────────────────────────────────────────────────────────────────────
def test_damage_of_any_kind_is_found(holdings):
    for id_ in ("toy/a", "toy/b", "toy/c", "toy/d"):
        kept(holdings, toy(id_), names(id_), BOX)
    assert holdings.verify() == []
    paths = {e.layer: holdings.path(e) for e in holdings.entries()}
    paths["toy/a"].unlink()
    paths["toy/b"].write_bytes(paths["toy/b"].read_bytes()[:-1])
    content = bytearray(paths["toy/c"].read_bytes())
    content[len(content) // 2] ^= 1
    paths["toy/c"].write_bytes(content)
    (paths["toy/d"].parent / "loose.parquet").write_bytes(b"x")
    faults = {f.kind: [] for f in holdings.verify()}
    for fault in holdings.verify():
        faults[fault.kind] += fault.layers or [fault.path.name]
    assert faults == {
        "missing": ["toy/a"], "changed": faults["changed"], "unreferenced": ["loose.parquet"],
    }  # fmt: skip
    assert sorted(faults["changed"]) == ["toy/b", "toy/c"]
    assert any("layer toy/a" in f.words and "fetch" in f.words for f in holdings.verify())
    # What is gone or cut short is not held; what only its hash tells is, until it is read.
    assert holdings.find(toy("toy/a"), BOX) is None
    assert holdings.find(toy("toy/b"), BOX) is None
    assert holdings.find(toy("toy/c"), BOX)


def test_a_layer_whose_object_is_damaged_is_repaired_by_fetching_it_again(holdings):
    entry = kept(holdings, toy(), names("one"), BOX).entry
    holdings.path(entry).write_bytes(b"x")
    again = kept(holdings, toy(), names("one"), BOX)
    assert not again.changed
    assert holdings.verify() == []


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"version": 1}', '{"version": 1, "layers": [{"layer": "x"}]}',
     "[" * 100_000, '{"version": "one", "layers": []}'],
)  # fmt: skip
def test_a_lock_that_cannot_be_read_is_said_and_left_as_it_is(holdings, text):
    kept(holdings, toy(), names("one"), BOX)
    path = holdings.root / LOCK
    path.write_text(text, encoding="utf-8")
    for attempt in (
        holdings.entries, holdings.verify, holdings.sweep,
        lambda: holdings.find(toy(), BOX), lambda: kept(holdings, toy(), names("two"), BOX),
    ):  # fmt: skip
        with pytest.raises(GeositeError, match=r"layers\.lock: cannot be read") as caught:
            attempt()
        assert "move it away" in str(caught.value)
    assert path.read_text(encoding="utf-8") == text
    assert len(objects(holdings)) == 1


def test_a_lock_in_other_bytes_than_text_is_said(holdings):
    holdings.root.mkdir()
    (holdings.root / LOCK).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(GeositeError, match="cannot be read"):
        holdings.entries()


def test_a_lock_of_a_newer_version_is_said(holdings):
    holdings.root.mkdir()
    (holdings.root / LOCK).write_text('{"version": 2, "entries": []}', encoding="utf-8")
    with pytest.raises(GeositeError, match="version 2, and this geosite knows 1: a newer one"):
        holdings.entries()


# ── sweeping ──────────────────────────────────────────────────────────────────────────────────
def test_what_nothing_refers_to_goes_once_nobody_can_be_reading_it(holdings):
    old = kept(holdings, toy(), names("one"), BOX).entry
    long_ago = time.time() - 10 * 86_400
    os.utime(holdings.path(old), (long_ago, long_ago))
    new = kept(holdings, toy(), names("two"), BOX).entry
    # A run that began before the fetch may still read it: its time begins now.
    holdings.sweep()
    assert len(objects(holdings)) == 2
    holdings.sweep(grace=-1)
    assert objects(holdings) == [holdings.path(new)]
    assert holdings.verify() == []


def test_broken_downloads_go_after_a_week(holdings):
    for name, days in (("old.part", 8), ("new.part", 1)):
        path = holdings.downloads / name
        path.write_bytes(b"x")
        then = time.time() - days * 86_400
        os.utime(path, (then, then))
    kept(holdings, toy(), names("one"), BOX)
    holdings.sweep()
    assert [p.name for p in holdings.downloads.iterdir()] == ["new.part"]


def test_a_scratch_folder_goes_with_who_made_it_and_no_earlier(holdings):
    with holdings.scratch() as mine:
        (mine / "half").write_bytes(b"x")
        holdings.sweep(grace=-1)
        assert (mine / "half").exists()
    assert not list((holdings.root / "scratch").iterdir())
    code = (
        "import os, sys; from pathlib import Path; from geosite.sources.holdings import Holdings\n"
        "with Holdings(Path(sys.argv[1])).scratch() as f:\n"
        "    (f / 'half').touch(); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, str(holdings.root)], check=False)
    assert list((holdings.root / "scratch").glob("*/half"))
    holdings.sweep()
    assert not list((holdings.root / "scratch").iterdir())


# ── where ─────────────────────────────────────────────────────────────────────────────────────
def test_the_folder_is_named_or_the_users_own(tmp_path, monkeypatch):
    assert holdings_root(tmp_path) == tmp_path / "fetched"
    monkeypatch.setenv("GEOSITE_CACHE", str(tmp_path / "c"))
    assert holdings_root() == tmp_path / "c" / "fetched"
    monkeypatch.delenv("GEOSITE_CACHE")
    monkeypatch.setattr("platformdirs.user_cache_path", lambda _: tmp_path / "user")
    assert holdings_root() == tmp_path / "user" / "fetched"


def test_who_wants_no_cache_cannot_fetch(tmp_path, monkeypatch):
    monkeypatch.setenv("GEOSITE_CACHE", "")
    with pytest.raises(FetchError, match="--cache"):
        holdings_root()
    assert root_if_any() is None
    assert holdings_root(tmp_path) == tmp_path / "fetched"


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(FetchError, match="cannot be made"), Holdings(tmp_path / "file").scratch():
        pass


# ── reading what is held ──────────────────────────────────────────────────────────────────────
def catalog_of(holdings, *layers, box=INNER, whole=()):
    known = {layer.id: layer for layer in layers}
    held, unfit = holdings.fit(known, box, whole)
    return Catalog(Path(), known, held, unfit)


def test_a_held_layer_is_read_and_recorded_as_fetched(holdings, tmp_path):
    entry = kept(holdings, toy(), names("one"), BOX, edited="2026-01-02").entry
    catalog = catalog_of(holdings, toy())
    assert missing_reason(toy(), catalog, tmp_path) is None
    for _ in range(2):  # the second time from the cache of layers that were read
        found = read_features(toy(), catalog, tmp_path)
        assert found.frame["name"].tolist() == ["one"]
        (record,) = found.files
        assert (record.path, record.sha256, record.size) == (
            "fetched/toy/layer", entry.sha256, entry.size,
        )  # fmt: skip
        assert (record.url, record.retrieved) == (URL, entry.retrieved)
        assert record.edited == "2026-01-02"


def test_the_same_bytes_fetched_again_are_read_once_and_recorded_anew(holdings, tmp_path):
    kept(holdings, toy(), names("one"), BOX)
    catalog = catalog_of(holdings, toy())
    first = read_features(toy(), catalog, tmp_path).files[0]
    held = catalog.held["toy/layer"]
    later = replace(held, entry=held.entry.model_copy(update={"retrieved": "2030-01-01T00:00:00Z"}))
    catalog = replace(catalog, held={"toy/layer": later})
    found = read_features(toy(), catalog, tmp_path).files[0]
    assert found.retrieved == "2030-01-01T00:00:00Z"
    assert found.sha256 == first.sha256


def test_files_below_the_data_root_come_before_what_was_fetched(holdings, tmp_path):
    kept(holdings, toy(), names("fetched"), BOX)
    layer = toy(sources=[{"kind": "file", "path": "own.geojson"}, SERVICE])
    catalog = catalog_of(holdings, layer)
    assert placed(layer, catalog, tmp_path).held
    assert read_features(layer, catalog, tmp_path).frame["name"].tolist() == ["fetched"]
    (tmp_path / "toy").mkdir()
    names("by hand").to_file(tmp_path / "toy" / "layer.geojson")
    assert read_features(layer, catalog, tmp_path).frame["name"].tolist() == ["by hand"]
    names("declared").to_file(tmp_path / "own.geojson")
    assert read_features(layer, catalog, tmp_path).frame["name"].tolist() == ["declared"]


@pytest.mark.parametrize("cached", [True, False])
def test_an_object_that_changed_since_is_refused(holdings, tmp_path, monkeypatch, cached):
    entry = kept(holdings, toy(), names("one"), BOX).entry
    catalog = catalog_of(holdings, toy())
    if not cached:
        monkeypatch.setenv("GEOSITE_CACHE", "")
    path = holdings.path(entry)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(LayerDataError, match=r"fetched/toy/layer: .* other bytes .* --layer toy"):
        read_features(toy(), catalog, tmp_path)
    path.unlink()
    with pytest.raises(LayerDataError, match=r"fetched/toy/layer: .* cannot be read .*No such"):
        read_features(toy(), catalog, tmp_path)


def test_a_part_in_which_there_is_nothing_reads_as_nothing(holdings, tmp_path):
    layer = toy(
        fields={"name": {}, "km": {"from": "LENGTH", "type": "number"}}, owner="BLM",
        where="km > 3",
    )  # fmt: skip
    kept(holdings, layer, names(), BOX)
    found = read_features(layer, catalog_of(holdings, layer), tmp_path)
    assert found.frame.columns.tolist() == ["name", "km", "owner", "geometry"]
    assert len(found.frame) == 0
    assert found.frame["km"].dtype == float
    assert found.frame.crs == "EPSG:4326"
    assert (found.counts[0].found, found.counts[0].used) == (0, 0)
    # The same with features of which the layer's own condition selects none.
    kept(holdings, layer, names("one", LENGTH=[1.0]), BOX)
    found = read_features(layer, catalog_of(holdings, layer), tmp_path)
    assert found.frame.columns.tolist() == ["name", "km", "owner", "geometry"]
    assert (found.counts[0].found, found.counts[0].not_selected) == (1, 1)


def test_a_whole_layer_in_which_there_is_nothing_is_a_mistake(holdings, tmp_path):
    kept(holdings, toy(), names(), None)
    with pytest.raises(LayerDataError, match="holds no feature"):
        read_features(toy(), catalog_of(holdings, toy()), tmp_path)
    layer = toy("toy/b", where="name = 'x'")
    kept(holdings, layer, names("one"), None)
    with pytest.raises(LayerDataError, match="no feature is left"):
        read_features(layer, catalog_of(holdings, layer), tmp_path)
    kept(holdings, toy("toy/c"), names(), BOX, server_count=0)
    with pytest.raises(LayerDataError, match="holds no feature"):
        read_features(toy("toy/c"), catalog_of(holdings, toy("toy/c")), tmp_path)


def test_features_that_cannot_be_used_stay_an_error_in_a_part_too(holdings, tmp_path):
    line = toy(geometry="line")
    kept(holdings, line, names("a point"), BOX)
    with pytest.raises(LayerDataError, match="none of the 1 features"):
        read_features(line, catalog_of(holdings, line), tmp_path)


@pytest.mark.parametrize("there", [0, 1])
def test_parts_of_a_union_may_be_empty_near_the_aoi(holdings, tmp_path, there):
    one, two = toy("toy/one"), toy("toy/two")
    both = Layer.model_validate(
        one.model_dump(mode="json", by_alias=True)
        | {"id": "toy/both", "sources": [], "union_of": ["toy/one", "toy/two"]}
        | {"where": "name <> 'x'"}
    )
    kept(holdings, one, names(*["a"] * there), BOX)
    kept(holdings, two, names(), BOX)
    catalog = catalog_of(holdings, one, two, both)
    found = read_features(both, catalog, tmp_path)
    assert len(found.frame) == there
    assert {*found.frame} == {"name", "geometry"}
    assert [f.path for f in found.files] == ["fetched/toy/one", "fetched/toy/two"]
    again = read_features(both, catalog, tmp_path)
    assert (again.frame.shape, again.files) == (found.frame.shape, found.files)


def test_a_held_raster_is_opened(holdings, tmp_path):
    layer = toy(
        geometry="raster", crs="EPSG:5070", fields={}, unit="m", coverage={"kind": "valid_cells"},
        source={"kind": "cog", "url": "https://example.org/dem.tif", "layer": None},
    )  # fmt: skip
    write_elevation(tmp_path / "dem.tif")
    entry = kept(holdings, layer, tmp_path / "dem.tif", BOX).entry
    assert entry.ending == ".tif"
    raster = open_raster(layer, catalog_of(holdings, layer), tmp_path)
    assert raster.path == holdings.path(entry)
    assert raster.files[0].path == "fetched/toy/layer"
    assert raster.files[0].retrieved == entry.retrieved
    with rasterio.open(raster.path) as file:
        assert file.shape == raster.shape == (80, 80)


def test_what_was_remarked_when_it_was_fetched_is_said_by_the_run(holdings, tmp_path):
    kept(holdings, toy(), names("one"), BOX, notes=("3 features simplified",))
    catalog = catalog_of(holdings, toy())
    for _ in range(2):
        found = read_features(toy(), catalog, tmp_path)
        assert found.notes[-1] == "fetched/toy/layer: 3 features simplified"
    layer = toy(
        "toy/ground", geometry="raster", crs="EPSG:5070", fields={}, unit="m",
        coverage={"kind": "valid_cells"},
        source={"kind": "cog", "url": "https://example.org/dem.tif", "layer": None},
    )  # fmt: skip
    write_elevation(tmp_path / "dem.tif")
    kept(holdings, layer, tmp_path / "dem.tif", BOX, notes=("no such tile: n40w117",))
    raster = open_raster(layer, catalog_of(holdings, layer), tmp_path)
    assert raster.notes == ("fetched/toy/ground: no such tile: n40w117",)


def test_why_what_was_fetched_does_not_do_is_said(holdings, tmp_path):
    layer = toy()

    def reason(wanted, box, whole=()):
        return missing_reason(wanted, catalog_of(holdings, wanted, box=box, whole=whole), tmp_path)

    assert "geosite fetch" in reason(layer, BOX)
    assert "--layer toy/layer" in reason(layer, BOX)
    assert "fetched for" not in reason(layer, BOX)
    entry = kept(holdings, layer, names("one"), BOX).entry
    said = reason(layer, ELSEWHERE)
    assert f"it was fetched for {words_of(BOX)}" in said
    assert f"needed {words_of(ELSEWHERE)}" in said
    assert "needed everywhere" in reason(layer, INNER, whole={"toy/layer"})
    assert reason(layer, INNER) is None
    assert "another catalogue entry" in reason(toy(source={"where": "a = 1"}), INNER)
    holdings.path(entry).unlink()
    assert "damaged or gone" in reason(layer, INNER)


# ── processes ─────────────────────────────────────────────────────────────────────────────────
KEEPER = """
import os, sys
from pathlib import Path
from geosite.sources.holdings import Holdings
sys.path.insert(0, sys.argv[2])
from stores import kept, names, toy
def keep(who, count):
    holdings, n = Holdings(Path(sys.argv[1])), 0
    while n != count:
        box = (-118.0, 37.0, -116.0, 38.0 + n % 7 / 10)
        kept(holdings, toy(f"toy/{who}{n % 50}"), names(f"{who} {n}"), box)
        n += 1
for line in sys.stdin:
    who, count = line.split()
    child = os.fork()
    if not child:
        keep(who, int(count))
        os._exit(0)
    print(child, flush=True)
    print(os.waitpid(child, 0)[1], flush=True)
"""


@contextmanager
def keeper(holdings):
    """A process that makes others: one that keeps so many layers for each line, -1 for ever."""
    words = [sys.executable, "-c", KEEPER, str(holdings.root), str(Path(__file__).parent)]
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as process:
        yield process
        process.stdin.close()


def started(process, who, count):
    process.stdin.write(f"{who} {count}\n")
    return int(process.stdout.readline())


def test_two_processes_lose_nothing_of_each_other(holdings):
    with keeper(holdings) as one, keeper(holdings) as two:
        for process, who in ((one, "a"), (two, "b")):
            started(process, who, 50)
        assert [int(p.stdout.readline()) for p in (one, two)] == [0, 0]
    assert {e.layer for e in holdings.entries()} == {f"toy/{w}{n}" for w in "ab" for n in range(50)}
    assert holdings.verify() == []


def test_whoever_is_killed_at_any_moment_leaves_every_object_whole(holdings):
    moments = np.random.default_rng(20).uniform(0.0, 0.2, 20)
    with keeper(holdings) as process:
        for k, moment in enumerate(moments):
            before = holdings.entries()
            child = started(process, "killed", -1)
            # The first are killed before they have kept anything, the others after.
            while k >= 5 and holdings.entries() == before:
                time.sleep(0.001)
            time.sleep(moment)
            os.kill(child, signal.SIGKILL)
            assert int(process.stdout.readline()) == signal.SIGKILL
            assert {f.kind for f in holdings.verify()} <= {"unreferenced"}
    assert holdings.entries()
    holdings.sweep(grace=-1)
    assert holdings.verify() == []
    assert not list((holdings.root / "scratch").iterdir())
    assert {p.name for p in holdings.root.iterdir()} <= {LOCK, ".lock", "objects", "scratch"}
