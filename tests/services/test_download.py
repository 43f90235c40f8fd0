"""Layers from files that nginx serves: every format, every way of not being what was said."""

import io
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pyogrio
import pytest
import rasterio
import shapely
from affine import Affine
from rasterio.errors import NotGeoreferencedWarning

from geosite.errors import CRSMismatchError, FetchError, LayerDataError
from geosite.model.layer import Layer
from geosite.model.source import ServiceSource
from geosite.sources import conversion
from geosite.sources.asking import Ask, State
from geosite.sources.client import Client, Patience, RefusedError, digest
from geosite.sources.content import said_ending, said_name
from geosite.sources.download import estimated, fetched, probed
from tests.services.nginx import free_port

HASTE = Patience(read=3, attempts=1, first=0.01, longest=0.02)
NEVADA, UTAH = State("NV", "32"), State("UT", "49")


@pytest.fixture
def client():
    with Client(HASTE) as made:
        yield made


@pytest.fixture
def shop(nginx, tmp_path_factory, request):
    """A folder on nginx of this test alone, and its address."""
    folder = nginx.root / f"shop-{abs(hash(request.node.nodeid))}"
    folder.mkdir()
    return folder, f"{nginx.url}/{folder.name}"


def frame(names=("a", "b"), crs=4326, at=-117.0):
    points = shapely.points(
        [at + k for k in range(len(names))], [38.0 + k for k in range(len(names))]
    )
    return gpd.GeoDataFrame(
        {"NAME": list(names), "Holder": "Jane Doe", "SIZE": range(len(names))},
        geometry=points, crs=crs,
    )  # fmt: skip


def ask(url, states=(), geometry="point", crs="EPSG:4326", fields=("name", "size"), **said):
    raster = geometry == "raster"
    source = ServiceSource(**{"kind": "download", "url": url} | said)
    layer = Layer(
        id="toy/layer", title="Toy", agency="Nobody", purpose="Tests", geometry=geometry, crs=crs,
        sources=(source,), fields={} if raster else {f: {} for f in fields},
        coverage={"kind": "valid_cells" if raster else "everywhere"}, absence="informative",
        vintage="2026", status="synthetic", licence="none", citation="none",
    )  # fmt: skip
    return Ask(layer, source, None, tuple(states))


def got(asked, client, tmp_path):
    return fetched(asked, client, tmp_path, lambda *_: None)


def zip_of(folder, path, inside=""):
    """Every file of a folder, in a zip archive."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(p for p in folder.rglob("*") if p.is_file()):
            archive.write(file, f"{inside}{file.relative_to(folder).as_posix()}")


def written(folder, name, layer=None, driver=None, **said):
    folder.mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pyogrio.raw.warnings.warn", lambda *_, **__: None)
        pyogrio.write_dataframe(frame(**said), folder / name, layer=layer, driver=driver)
    return folder


# ── formats ─────────────────────────────────────────────────────────────────────────────────


def zipped_shapefile(folder, tmp):
    zip_of(written(tmp / "in", "points.shp"), folder / "x.zip")
    return {"url": "x.zip"}


def zipped_geodatabase(folder, tmp):
    made = written(tmp / "in", "Some.gdb", "PointsOf2026", "OpenFileGDB")
    zip_of(made, folder / "data")
    # As an archive that hides behind an address without an ending; in other letters.
    return {"url": "data", "member": "some.gdb", "layer": "pointsof*"}


def zipped_geopackage(folder, tmp):
    zip_of(written(tmp / "in", "x.gpkg", "Points"), folder / "x.zip", "deep/inside/")
    return {"url": "x.zip", "layer": "points"}


def plain_geopackage(folder, tmp):
    written(folder, "x.gpkg", "Points")
    return {"url": "x.gpkg"}


def geojson(folder, tmp):
    written(folder, "x.geojson")
    return {"url": "x.geojson"}


def geoparquet(folder, tmp):
    frame().to_parquet(folder / "x.parquet", write_covering_bbox=True)
    return {"url": "x.parquet"}


def table_text(separator):
    return separator.join(["NAME", "Holder", "SIZE", "LON", "LAT"]) + "\n" + "".join(
        separator.join([n, "Jane Doe", str(k), str(-117.0 + k), str(38.0 + k)]) + "\n"
        for k, n in enumerate("ab")
    )  # fmt: skip


def zipped_table(folder, tmp):
    with zipfile.ZipFile(folder / "x.zip", "w") as archive:
        archive.writestr("points.csv", table_text(","))
        archive.writestr("readme.txt", "Read me")
    return {"url": "x.zip", "xy": ("lon", "lat")}


def zipped_pipes(folder, tmp):
    with zipfile.ZipFile(folder / "x.zip", "w") as archive:
        archive.writestr("Mines.txt", table_text("|").encode("latin-1"))
    return {
        "url": "x.zip", "member": "mines.txt", "xy": ("LON", "LAT"), "delimiter": "|",
        "encoding": "latin-1",
    }  # fmt: skip


def plain_pipes(folder, tmp):
    (folder / "x.psv").write_text(table_text("|"))
    return {"url": "x.psv", "xy": ("LON", "LAT"), "delimiter": "|"}


def query_table(folder, tmp):
    (folder / "get").write_text(table_text(","))
    return {"url": "get?name=points.csv", "xy": ("LON", "LAT")}


def spreadsheet(folder, tmp):
    table = pd.read_csv(io.StringIO(table_text(",")))
    pyogrio.write_dataframe(table, folder / "x.xlsx", driver="XLSX", layer="Sheet1")
    pyogrio.write_dataframe(table[:1], folder / "x.xlsx", driver="XLSX", layer="Two", append=True)
    return {"url": "x.xlsx", "xy": ("LON", "LAT"), "layer": "sheet1"}


def zipped_spreadsheet(folder, tmp):
    spreadsheet(tmp, tmp)
    with zipfile.ZipFile(folder / "x.zip", "w") as archive:
        archive.write(tmp / "x.xlsx", "book.xlsx")
    return {"url": "x.zip", "xy": ("LON", "LAT"), "layer": "Sheet1", "delimiter": "|"}


FORMATS = (
    zipped_shapefile, zipped_geodatabase, zipped_geopackage, plain_geopackage, geojson, geoparquet,
    zipped_table, zipped_pipes, plain_pipes, query_table, spreadsheet, zipped_spreadsheet,
)  # fmt: skip


@pytest.mark.parametrize("form", FORMATS, ids=lambda f: f.__name__)
def test_every_format_comes_as_the_declared_columns_and_points(
    form, shop, client, tmp_path, tmp_path_factory
):
    folder, url = shop
    said = form(folder, tmp_path_factory.mktemp("made"))
    asked = ask(f"{url}/{said.pop('url')}", **said)
    came = got(asked, client, tmp_path)
    found = gpd.read_parquet(came.path)
    assert came.path == tmp_path / "layer.parquet"
    assert list(found.columns) == ["NAME", "SIZE", "geometry"]
    assert found.crs == 4326
    assert list(found["NAME"]) == ["a", "b"]
    assert [int(n) for n in found["SIZE"]] == [0, 1]
    assert shapely.get_coordinates(found.geometry).tolist() == [[-117, 38], [-116, 39]]
    assert (came.count, came.server_count, came.url) == (2, 2, asked.source.url)
    served = next(p for p in folder.iterdir() if p.is_file())
    assert came.source_sha256 == digest(served)
    assert came.edited.startswith("20")
    assert b"Jane" not in came.path.read_bytes()


def test_a_box_beside_each_feature_lets_a_window_be_read(shop, client, tmp_path):
    written(shop[0], "x.gpkg")
    came = got(ask(f"{shop[1]}/x.gpkg"), client, tmp_path)
    assert len(gpd.read_parquet(came.path, bbox=(-118, 37, -116.5, 38.5))) == 1
    assert b"covering" in pq.read_schema(came.path).metadata[b"geo"]


def test_a_layer_without_declared_fields_keeps_every_column(shop, client, tmp_path):
    frame().assign(bbox="x").to_file(shop[0] / "x.gpkg")
    came = got(ask(f"{shop[1]}/x.gpkg", fields=()), client, tmp_path)
    assert list(gpd.read_parquet(came.path).columns) == [
        "NAME", "Holder", "SIZE", "geometry"
    ]  # fmt: skip


def test_rows_without_coordinates_are_kept_and_counted(shop, client, tmp_path):
    (shop[0] / "x.csv").write_text("NAME,SIZE,X,Y\na,1,-117,38\nb,2,,\nc,3,west,38\n")
    came = got(ask(f"{shop[1]}/x.csv", xy=("X", "Y")), client, tmp_path)
    assert came.count == 3
    assert len(came.notes) == 2
    assert gpd.read_parquet(came.path).geometry.isna().sum() == 2


# ── states ──────────────────────────────────────────────────────────────────────────────────


def test_one_file_a_state_is_one_layer(shop, client, tmp_path):
    folder, url = shop
    zip_of(written(tmp_path / "nv", "a.gpkg", "NV_Points", names=("a",)), folder / "NV_32_nv.zip")
    zip_of(written(tmp_path / "ut", "a.gpkg", "UT_Points", names=("b",)), folder / "UT_49_ut.zip")
    asked = ask(f"{url}/{{ST}}_{{FIPS}}_{{st}}.zip", (NEVADA, UTAH), layer="{ST}_points")
    told = []
    came = fetched(asked, client, tmp_path, lambda *said: told.append(said))
    assert list(gpd.read_parquet(came.path)["NAME"]) == ["a", "b"]
    assert (came.count, came.url, came.source_sha256) == (2, asked.source.url, None)
    sizes = [(folder / n).stat().st_size for n in ("NV_32_nv.zip", "UT_49_ut.zip")]
    assert told == [(sizes[0], None), (sum(sizes), None)]
    assert any(digest(folder / "UT_49_ut.zip") in note for note in came.notes)
    assert estimated(asked, client).size == sum(sizes)


def test_states_that_write_their_columns_otherwise_are_joined(shop, client, tmp_path):
    frame(("a",)).to_file(shop[0] / "NV.geojson")
    other = frame(("b",)).rename(columns={"NAME": "name"}).assign(SIZE="many")
    other.to_file(shop[0] / "UT.geojson")
    came = got(ask(f"{shop[1]}/{{ST}}.geojson", (NEVADA, UTAH)), client, tmp_path)
    found = gpd.read_parquet(came.path)
    assert list(found.columns) == ["NAME", "SIZE", "geometry"]
    assert list(found["SIZE"]) == ["0", "many"]


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:5070"])
def test_of_a_file_a_state_what_is_near_is_kept(shop, client, tmp_path, crs):
    for state in ("NV", "UT"):
        frame(("a", "b", "c")).to_crs(crs).to_file(shop[0] / f"{state}.gpkg")
    asked = ask(f"{shop[1]}/{{ST}}.gpkg", (NEVADA, UTAH), crs=crs)
    near = got(replace(asked, box=(-116.5, 38.5, -115.5, 39.5)), client, tmp_path)
    assert gpd.read_parquet(near.path)["NAME"].tolist() == ["b", "b"]
    assert (near.count, near.server_count) == (2, 6)
    none = got(replace(asked, box=(-100.0, 38.5, -99.0, 39.5)), client, tmp_path)
    assert (len(gpd.read_parquet(none.path)), none.server_count) == (0, 6)
    every = got(replace(ask(f"{shop[1]}/NV.gpkg", crs=crs), box=(1, 2, 3, 4)), client, tmp_path)
    assert every.count == 3


def test_layers_are_made_one_at_a_time(shop, client, tmp_path, monkeypatch):
    frame().to_file(shop[0] / "one.gpkg")
    busy, most, honest = [], [], conversion._made

    def watched(*said):
        busy.append(1)
        most.append(len(busy))
        made = honest(*said)
        busy.pop()
        return made

    monkeypatch.setattr(conversion, "_made", watched)
    folders = [tmp_path / str(k) for k in range(4)]
    with ThreadPoolExecutor(4) as pool:
        for folder in folders:
            folder.mkdir()
        list(pool.map(lambda f: got(ask(f"{shop[1]}/one.gpkg"), client, f), folders))
    assert most == [1, 1, 1, 1]


def test_a_state_with_nothing_is_no_gap_in_the_others(shop, client, tmp_path):
    (shop[0] / "NV.csv").write_text("NAME,SIZE,X,Y\n")
    (shop[0] / "UT.csv").write_text("NAME,SIZE,X,Y\nb,2,-112,40\n")
    came = got(ask(f"{shop[1]}/{{ST}}.csv", (NEVADA, UTAH), xy=("X", "Y")), client, tmp_path)
    assert came.count == 1


def test_an_area_without_states_has_no_file_of_one(client, tmp_path):
    asked = ask("http://127.0.0.1:1/{ST}.zip")
    with pytest.raises(FetchError, match="one file a state, but the area"):
        got(asked, client, tmp_path)
    with pytest.raises(FetchError, match="one file a state"):
        estimated(asked, client)


# ── contradictions ──────────────────────────────────────────────────────────────────────────


def test_a_layer_that_is_not_there_is_answered_with_those_that_are(shop, client, tmp_path):
    written(shop[0], "x.gpkg", "Points")
    with pytest.raises(FetchError, match=r"there is no layer 'Lines'; it holds Points"):
        got(ask(f"{shop[1]}/x.gpkg", layer="Lines"), client, tmp_path)


def test_a_name_that_means_several_layers_is_refused(shop, client, tmp_path):
    written(shop[0], "x.gpkg", "Points_1")
    pyogrio.write_dataframe(frame(), shop[0] / "x.gpkg", layer="Points_2")
    with pytest.raises(FetchError, match=r"layers Points_1, Points_2 all mean 'points\*'"):
        got(ask(f"{shop[1]}/x.gpkg", layer="points*"), client, tmp_path)


def test_several_layers_of_which_none_is_named_are_refused(shop, client, tmp_path):
    written(shop[0], "x.gpkg", "Points")
    pyogrio.write_dataframe(frame(), shop[0] / "x.gpkg", layer="Lines")
    with pytest.raises(LayerDataError, match=r"name one with layer: Points, Lines"):
        got(ask(f"{shop[1]}/x.gpkg"), client, tmp_path)


def test_a_field_that_is_not_there_is_answered_with_those_that_are(shop, client, tmp_path):
    written(shop[0], "x.gpkg")
    with pytest.raises(FetchError, match=r"no field 'owner', 'use'; it holds NAME, Holder, SIZE"):
        got(ask(f"{shop[1]}/x.gpkg", fields=("name", "owner", "use")), client, tmp_path)


def test_another_crs_than_the_declared_one_is_refused(shop, client, tmp_path):
    written(shop[0], "x.gpkg", crs=4269)
    with pytest.raises(CRSMismatchError, match="layer toy/layer declares EPSG:4326"):
        got(ask(f"{shop[1]}/x.gpkg"), client, tmp_path)


def test_a_member_of_what_is_no_archive_is_refused(shop, client, tmp_path):
    written(shop[0], "x.gpkg")
    with pytest.raises(FetchError, match="is no zip archive"):
        got(ask(f"{shop[1]}/x.gpkg", member="y.gpkg"), client, tmp_path)


def test_the_attested_digest_is_that_of_the_file(shop, client, tmp_path):
    written(shop[0], "x.gpkg")
    true = digest(shop[0] / "x.gpkg")
    assert got(ask(f"{shop[1]}/x.gpkg", sha256=true), client, tmp_path).source_sha256 == true


def test_a_broken_file_is_not_kept_for_the_next_time(shop, tmp_path):
    (shop[0] / "x.zip").write_bytes(b"PK\x03\x04 and no more")
    with Client(HASTE, downloads=tmp_path / "shared") as client:
        with pytest.raises(LayerDataError, match="not a readable zip"):
            got(ask(f"{shop[1]}/x.zip"), client, tmp_path)
        assert not list((tmp_path / "shared").glob("*/file"))


def test_layers_of_one_archive_share_its_bytes(shop, nginx, tmp_path):
    folder, url = shop
    written(tmp_path / "in", "x.gpkg", "One")
    pyogrio.write_dataframe(frame(("c",)), tmp_path / "in" / "x.gpkg", layer="Two")
    zip_of(tmp_path / "in", folder / "x.zip")
    with Client(HASTE, downloads=tmp_path / "shared") as client:
        for layer, count in (("One", 2), ("Two", 1)):
            (tmp_path / layer).mkdir()
            came = got(ask(f"{url}/x.zip", layer=layer), client, tmp_path / layer)
            assert came.count == count
            assert [p.name for p in (tmp_path / layer).iterdir()] == ["layer.parquet"]
    asked = nginx.asked(f"/{folder.name}/x.zip", at_least=2)
    assert [r.method for r in asked] == ["GET", "HEAD"]


# ── rasters ─────────────────────────────────────────────────────────────────────────────────

LAID = Affine(30, 0, -2e6, 0, -30, 2e6)
CELLS = np.arange(700 * 600, dtype="float32").reshape(700, 600)


def tiff(path, crs="EPSG:5070", bands=1, transform=LAID):
    with rasterio.open(
        path, "w", driver="GTiff", width=600, height=700, count=bands, dtype="float32",
        crs=crs, transform=transform, nodata=-1,
    ) as made:  # fmt: skip
        for band in range(1, bands + 1):
            made.write(CELLS, band)


def raster(url, **said):
    return ask(url, geometry="raster", crs="EPSG:5070", **said)


@pytest.mark.parametrize("packed", [False, True])
def test_a_raster_comes_as_a_cog_with_the_same_cells(packed, shop, client, tmp_path):
    tiff(shop[0] / "x.tif")
    if packed:
        with zipfile.ZipFile(shop[0] / "x.zip", "w") as archive:
            archive.write(shop[0] / "x.tif", "deep/mag.tif")
    came = got(raster(f"{shop[1]}/x.{'zip' if packed else 'tif'}"), client, tmp_path)
    with rasterio.open(came.path) as opened:
        assert np.array_equal(opened.read(1), CELLS)
        assert opened.crs == rasterio.CRS.from_epsg(5070)
        assert opened.transform == LAID
        assert opened.nodata == -1
        assert opened.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert opened.compression.value == "DEFLATE"
        assert opened.overviews(1)
    assert (came.count, came.server_count) == (420_000, None)


def test_a_raster_that_ends_early_is_refused(shop, client, tmp_path):
    tiff(shop[0] / "whole.tif")
    whole = (shop[0] / "whole.tif").read_bytes()
    (shop[0] / "x.tif").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(LayerDataError, match="cannot be made into a raster"):
        got(raster(f"{shop[1]}/x.tif"), client, tmp_path)


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
@pytest.mark.parametrize(
    ("said", "error", "words"),
    [
        ({"bands": 3}, FetchError, "has 3 bands"),
        ({"transform": Affine.identity()}, FetchError, "no georeference"),
        ({"crs": "EPSG:3338"}, CRSMismatchError, "declares EPSG:5070"),
    ],
)
def test_a_raster_that_is_not_what_is_declared_is_refused(
    said, error, words, shop, client, tmp_path
):
    tiff(shop[0] / "x.tif", **said)
    with pytest.raises(error, match=words):
        got(raster(f"{shop[1]}/x.tif"), client, tmp_path)
    assert issubclass(NotGeoreferencedWarning, UserWarning)


def test_a_raster_is_one_file(client, shop, tmp_path):
    for state in ("NV", "UT"):
        tiff(shop[0] / f"{state}.tif")
    asked = replace(raster(f"{shop[1]}/{{ST}}.tif"), states=(NEVADA, UTAH))
    with pytest.raises(FetchError, match="2 rasters of one layer"):
        got(asked, client, tmp_path)


# ── estimates and health ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("size", "health"),
    [(None, "ok"), (1000, "ok"), (900, "ok"), (700, "count changed"), (1300, "count changed")],
)
def test_the_size_says_whether_a_file_is_the_attested_one(size, health, shop, client):
    (shop[0] / "x.zip").write_bytes(bytes(1000))
    asked = ask(f"{shop[1]}/x.zip", size=size, count=7)
    assert probed(asked, client).health == health
    assert "1,000 bytes" in probed(asked, client).words
    estimate = estimated(asked, client)
    assert (estimate.count, estimate.size) == (7, 1000)


def test_a_page_where_a_file_was_is_dead(shop, client):
    (shop[0] / "login.html").write_text("<html>")
    found = probed(ask(f"{shop[1]}/login.html"), client)
    assert (found.health, "text/html" in found.words) == ("dead", True)


def test_a_file_that_is_gone_is_dead(shop, client):
    found = probed(ask(f"{shop[1]}/x.zip"), client)
    assert (found.health, "answered 404" in found.words) == ("dead", True)
    nobody = probed(ask(f"http://127.0.0.1:{free_port()}/x.zip"), client)
    assert (nobody.health, "refused" in nobody.words) == ("dead", True)


def test_a_file_on_another_host_has_moved(shop, client, hostile):
    (shop[0] / "x.zip").write_bytes(b"PK")
    target = f"{shop[1]}/x.zip".replace("127.0.0.1", "localhost")
    found = probed(ask(f"{hostile.url}/moved-for-good?{target}"), client)
    assert (found.health, target in found.words) == ("moved", True)
    assert probed(ask(f"{hostile.url}/moved-for-now?{target}"), client).health == "ok"


def test_one_state_speaks_for_all(shop, client):
    (shop[0] / "NV.zip").write_bytes(bytes(10))
    assert probed(ask(f"{shop[1]}/{{ST}}.zip", size=10**6), client).health == "ok"
    assert probed(ask(f"{shop[1]}/{{ST}}.zip", (UTAH,)), client).health == "dead"


def test_a_server_that_knows_no_head_is_asked_for_a_byte(hostile, client):
    asked = ask(f"{hostile.url}/no-head.csv")
    assert estimated(asked, client).size == 4300
    with pytest.raises(RefusedError, match="404"):
        estimated(ask(f"{hostile.url}/nowhere"), client)


# ── names ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("url", "name", "ending"),
    [
        ("https://a/b/SMA_WM.gdb.zip", "SMA_WM.gdb.zip", ".zip"),
        ("https://a/items/6bf2/data", "", ""),
        ("https://a/file/get/1?name=Some%20file.ZIP", "Some file.ZIP", ".zip"),
        ("https://a/x.csv.gz?y=1", "x.csv.gz", ".csv.gz"),
        ("https://a/v1.0/x", "", ""),
    ],
)
def test_what_a_file_is_called(url, name, ending):
    assert said_name(url) == name
    assert said_ending(said_name(url)) == ending


def test_nothing_is_left_outside_of_the_folder(shop, client, tmp_path):
    written(shop[0], "x.gpkg")
    mine = tmp_path / "mine"
    mine.mkdir()
    came = got(ask(f"{shop[1]}/x.gpkg"), client, mine)
    assert [p.name for p in tmp_path.iterdir()] == ["mine"]
    assert Path(came.path).parent == mine
