"""Windows of rasters on a real server: the cells that are there, and no more than is needed."""

from __future__ import annotations

import http.server
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import pytest
import rasterio
import rasterio.shutil
from affine import Affine
from pyproj import CRS
from rasterio.transform import from_origin

from geosite.catalog import Catalog
from geosite.crs import WGS84, projected_bounds
from geosite.errors import FetchError, LayerDataError
from geosite.model.layer import Layer
from geosite.sources import cog, open_raster
from geosite.sources.asking import Ask
from geosite.sources.client import AGENT, Client, Patience, RefusedError
from geosite.sources.spans import both, corner, filled, pieces, spans

HASTY = Patience(connect=2, read=2, whole=10, attempts=3, first=0.01, longest=0.05)
NEVADA = (-117.3, 39.2, -117.0, 39.4)


@pytest.fixture
def client():
    with Client(HASTY) as found:
        yield found


def layer(url, *, kind="cog", crs="EPSG:5070", **source):
    return Layer(
        id="terrain/toy", title="Toy", agency="Nobody", purpose="Tests", geometry="raster",
        crs=crs, sources=[{"kind": kind, "url": url, **source}],
        coverage={"kind": "valid_cells"}, absence="informative", vintage="2026",
        status="synthetic", licence="none", citation="none",
    )  # fmt: skip


def ask(url, box=None, **declared):
    made = layer(url, **declared)
    return Ask(made, made.sources[0], box)


def written(path, cells, transform, crs, *, nodata=None, block=128, **more):
    """A COG of these cells."""
    path.parent.mkdir(parents=True, exist_ok=True)
    plain = path.with_suffix(".plain")
    rows, columns = cells.shape
    with rasterio.open(
        plain, "w", driver="GTiff", height=rows, width=columns, count=1, dtype=cells.dtype.name,
        crs=crs, transform=transform, nodata=nodata, **more,
    ) as target:  # fmt: skip
        target.write(cells, 1)
    rasterio.shutil.copy(
        plain, path, driver="COG", compress="DEFLATE", blocksize=block, overviews="AUTO",
        overview_resampling="average",
    )  # fmt: skip
    plain.unlink()
    return path


def noise(rows, columns, dtype="float32"):
    made = np.random.default_rng(rows * columns)
    if dtype == "float32":
        return made.normal(1000, 300, (rows, columns)).astype(dtype)
    return made.integers(0, 100, (rows, columns)).astype(dtype)


def on_map(crs, box=NEVADA, cells=400, wider=3.0):
    """A grid in a CRS, with the box in its middle third."""
    left, bottom, right, top = projected_bounds(box, WGS84, CRS(crs))
    size = wider * max(right - left, top - bottom) / cells
    x, y = (left + right) / 2, (bottom + top) / 2
    return from_origin(x - cells / 2 * size, y + cells / 2 * size, size, size)


def unheard(*_):
    """Nobody wants to know how far it is."""


def fetched(asked, client, folder, told=unheard):
    folder.mkdir(exist_ok=True)
    got = cog.fetched(asked, client, folder, told)
    assert sorted(folder.iterdir()) == [got.path]
    return got


def same_place(path, cells, transform):
    """The window that a file is of a raster, after every one of its cells was compared."""
    with rasterio.open(path) as opened:
        mine, own = opened.read(1), opened.transform
    column, row = corner(own, mine.shape, transform)
    window = cells[row : row + mine.shape[0], column : column + mine.shape[1]]
    np.testing.assert_array_equal(mine, window)
    exact = transform * Affine.translation(column, row)
    assert own.almost_equals(exact, precision=1e-9)
    return column, row, column + mine.shape[1], row + mine.shape[0]


# ── one file ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("crs", ["EPSG:4269", "EPSG:5070", "EPSG:3857"])
@pytest.mark.parametrize(("dtype", "nodata"), [("int16", -32768), ("float32", -999999.0)])
def test_a_window_has_the_cells_of_the_raster(nginx, client, tmp_path, crs, dtype, nodata):
    transform, cells = on_map(crs), noise(400, 400, dtype)
    cells[150:200, 150:250] = nodata
    name = f"{crs[5:]}-{dtype}.tif"
    written(nginx.root / name, cells, transform, crs, nodata=nodata)
    got = fetched(ask(f"{nginx.url}/{name}", NEVADA, crs=crs), client, tmp_path / "to")
    left, top, right, bottom = same_place(got.path, cells, transform)
    assert got.count == (right - left) * (bottom - top) < cells.size / 2
    assert got.edited is not None
    with rasterio.open(got.path) as opened:
        assert (opened.dtypes[0], opened.nodata) == (dtype, nodata)
        assert CRS.from_wkt(opened.crs.to_wkt()) == CRS(crs)
        assert opened.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert opened.overviews(1) == []
        # The box lies inside, with a cell to spare on every side.
        west, south, east, north = projected_bounds(NEVADA, WGS84, CRS(crs))
        size = transform.a
        assert west - 3 * size <= opened.bounds.left <= west - size
        assert east + size <= opened.bounds.right <= east + 3 * size
        assert south - 3 * size <= opened.bounds.bottom <= south - size
        assert north + size <= opened.bounds.top <= north + 3 * size


def test_a_small_window_of_a_large_raster_costs_little(nginx, client, tmp_path):
    transform, cells = on_map("EPSG:5070", cells=2048, wider=40), noise(2048, 2048)
    file = written(nginx.root / "large.tif", cells, transform, "EPSG:5070")
    before = len(nginx.settled())
    got = fetched(ask(f"{nginx.url}/large.tif", NEVADA), client, tmp_path / "to")
    same_place(got.path, cells, transform)
    answers = nginx.settled()[before:]
    assert {a.path for a in answers} == {"/large.tif"}
    assert {a.agent for a in answers} == {AGENT}
    assert {(a.method, a.status) for a in answers} == {("HEAD", 200), ("GET", 206)}
    assert sum(a.sent for a in answers) < file.stat().st_size / 20


def test_without_a_box_all_of_it_comes(nginx, client, tmp_path, monkeypatch):
    monkeypatch.setattr(cog, "_MOST_PIECE", 4 * 100 * 300)
    transform, cells = on_map("EPSG:5070", cells=500), noise(500, 500)
    file = written(nginx.root / "whole.tif", cells, transform, "EPSG:5070", nodata=-1)
    heard = []
    got = fetched(
        ask(f"{nginx.url}/whole.tif"), client, tmp_path / "to", lambda *n: heard.append(n)
    )
    assert same_place(got.path, cells, transform) == (0, 0, 500, 500)
    assert heard[-1] == (cells.nbytes, cells.nbytes)
    assert [n for n, _ in heard] == sorted({n for n, _ in heard})
    assert len(heard) > 4
    whole = ask(f"{nginx.url}/whole.tif", NEVADA, scope="whole")
    again = fetched(whole, client, tmp_path / "again")
    assert again.path.read_bytes() == got.path.read_bytes()
    assert file.stat().st_size > 0


def test_a_window_ends_where_the_raster_ends(nginx, client, tmp_path):
    transform, cells = on_map("EPSG:4269", cells=300, wider=1.0), noise(300, 300)
    written(nginx.root / "edge.tif", cells, transform, "EPSG:4269")
    box = (-118.0, 39.3, -117.15, 41.0)
    got = fetched(ask(f"{nginx.url}/edge.tif", box, crs="EPSG:4269"), client, tmp_path / "to")
    left, top, right, bottom = same_place(got.path, cells, transform)
    assert (left, top) == (0, 0)
    assert right < 300
    assert bottom < 300


def test_scale_and_offset_of_the_cells_are_kept(nginx, client, tmp_path):
    transform, cells = on_map("EPSG:5070"), noise(400, 400, "int16")
    path = written(nginx.root / "scaled.tif", cells, transform, "EPSG:5070")
    plain = tmp_path / "scaled.plain"
    rasterio.shutil.copy(path, plain, driver="GTiff")
    with rasterio.open(plain, "r+") as opened:
        opened.scales, opened.offsets = (0.1,), (5.0,)
    rasterio.shutil.copy(plain, path, driver="COG")
    got = fetched(ask(f"{nginx.url}/scaled.tif", NEVADA), client, tmp_path / "to")
    same_place(got.path, cells, transform)
    with rasterio.open(got.path) as opened:
        assert (opened.scales, opened.offsets) == ((0.1,), (5.0,))


def test_a_box_across_the_antimeridian_is_one_window_on_a_map_of_alaska(nginx, client, tmp_path):
    box = (178.0, 51.0, -178.0, 53.0)
    bounds = projected_bounds((178.0, 51.0, 182.0, 53.0), WGS84, CRS("EPSG:3338"))
    transform = from_origin(bounds[0] - 5e4, bounds[3] + 5e4, 2000, 2000)
    cells = noise(300, 300)
    written(nginx.root / "alaska.tif", cells, transform, "EPSG:3338")
    asked = ask(f"{nginx.url}/alaska.tif", box, crs="EPSG:3338")
    left, top, right, bottom = same_place(
        fetched(asked, client, tmp_path / "to").path, cells, transform
    )
    wide, high = (bounds[2] - bounds[0]) / 2000, (bounds[3] - bounds[1]) / 2000
    assert wide <= right - left <= wide + 8
    assert high <= bottom - top <= high + 8


def test_longitudes_beyond_180_are_found(nginx, client, tmp_path):
    transform, cells = from_origin(230.0, 50.0, 0.1, 0.1), noise(200, 200)
    written(nginx.root / "turned.tif", cells, transform, "EPSG:4269", nodata=-1)
    asked = ask(f"{nginx.url}/turned.tif", NEVADA, crs="EPSG:4269")
    got = fetched(asked, client, tmp_path / "to")
    left, *_ = same_place(got.path, cells, transform)
    assert left == round((360 - 117.3 - 230) * 10) - 2


def test_what_lies_elsewhere_is_refused_with_both_extents(nginx, client, tmp_path):
    written(nginx.root / "far.tif", noise(99, 99), on_map("EPSG:5070"), "EPSG:5070")
    asked = ask(f"{nginx.url}/far.tif", (-80.0, 30.0, -79.0, 31.0))
    with pytest.raises(FetchError, match=r"covers -11\d.*nothing of -80\.0000, 30\.0000"):
        cog.fetched(asked, client, tmp_path, unheard)


def test_several_are_fetched_at_once(nginx, client, tmp_path):
    transform, grids = on_map("EPSG:5070"), [noise(400, 400) + k for k in range(6)]
    for k, cells in enumerate(grids):
        written(nginx.root / f"at-once-{k}.tif", cells, transform, "EPSG:5070")
    asks = [ask(f"{nginx.url}/at-once-{k}.tif", NEVADA) for k in range(6)]
    folders = [tmp_path / str(k) for k in range(6)]
    with ThreadPoolExecutor(6) as pool:
        came = list(pool.map(lambda a, f: fetched(a, client, f), asks, folders))
    for got, cells in zip(came, grids, strict=True):
        same_place(got.path, cells, transform)


# ── what a raster must be ───────────────────────────────────────────────────────────────────


def test_another_crs_than_declared_is_refused(nginx, client, tmp_path):
    written(nginx.root / "crs.tif", noise(99, 99), on_map("EPSG:3857"), "EPSG:3857")
    asked = ask(f"{nginx.url}/crs.tif", NEVADA)
    with pytest.raises(FetchError, match=r"carries EPSG:3857.*declares EPSG:5070"):
        cog.fetched(asked, client, tmp_path, unheard)
    assert cog.probed(asked, client).health == "schema changed"


def test_several_bands_are_refused(nginx, client, tmp_path):
    with rasterio.open(
        nginx.root / "bands.tif", "w", driver="GTiff", height=9, width=9, count=3,
        dtype="uint8", crs="EPSG:5070", transform=on_map("EPSG:5070"),
    ) as target:  # fmt: skip
        target.write(np.zeros((3, 9, 9), "uint8"))
    asked = ask(f"{nginx.url}/bands.tif", NEVADA)
    with pytest.raises(FetchError, match="3 bands, expected one"):
        cog.fetched(asked, client, tmp_path, unheard)
    finding = cog.probed(asked, client)
    assert finding.health == "schema changed"
    assert "3 bands" in finding.words


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_a_raster_without_a_place_is_refused(nginx, client, tmp_path):
    with rasterio.open(
        nginx.root / "placeless.tif", "w", driver="GTiff", height=9, width=9, count=1,
        dtype="uint8", crs="EPSG:5070",
    ) as target:  # fmt: skip
        target.write(np.zeros((1, 9, 9), "uint8"))
    with pytest.raises(LayerDataError, match="no georeference"):
        cog.fetched(ask(f"{nginx.url}/placeless.tif", NEVADA), client, tmp_path, unheard)


def test_giant_blocks_are_refused_before_they_are_read(nginx, client, tmp_path, monkeypatch):
    written(nginx.root / "block.tif", noise(400, 400), on_map("EPSG:5070"), "EPSG:5070")
    monkeypatch.setattr("geosite.sources.sheets.MOST_BLOCK", 1000)
    with pytest.raises(LayerDataError, match="blocks of 128 × 128 cells"):
        cog.fetched(ask(f"{nginx.url}/block.tif", NEVADA), client, tmp_path, unheard)


def test_an_area_that_fills_the_disk_is_refused(nginx, client, tmp_path, monkeypatch):
    written(nginx.root / "huge.tif", noise(400, 400), on_map("EPSG:5070"), "EPSG:5070")
    monkeypatch.setattr(cog, "MOST_FILE", 1000)
    with pytest.raises(FetchError, match="ask for a smaller area"):
        cog.fetched(ask(f"{nginx.url}/huge.tif", NEVADA), client, tmp_path, unheard)


def test_a_disk_that_cannot_be_written_is_said(nginx, client, tmp_path):
    written(nginx.root / "disk.tif", noise(400, 400), on_map("EPSG:5070"), "EPSG:5070")
    (tmp_path / "cells.tif").mkdir()
    with pytest.raises(FetchError, match=r"could not be written.*GB are free"):
        cog.fetched(ask(f"{nginx.url}/disk.tif", NEVADA), client, tmp_path, unheard)


# ── what servers do ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("path", "words", "status"),
    [
        ("/nowhere.tif", "answered 404", 404),
        ("/403/dem.tif", "answered 403", 403),
        ("/500/dem.tif", "answered 500", 500),
        ("/login/dem.tif", "answered a web page", None),
        ("/undivided/good.tif", "does not offer parts of files", None),
    ],
)
def test_a_refusal_names_the_address_and_what_was_said(
    nginx, client, tmp_path, path, words, status
):
    written(nginx.root / "good.tif", noise(400, 400), on_map("EPSG:5070"), "EPSG:5070")
    asked = ask(f"{nginx.url}{path}", NEVADA)
    with pytest.raises(RefusedError, match=words) as caught:
        cog.fetched(asked, client, tmp_path, unheard)
    assert caught.value.url == asked.source.url
    assert caught.value.status == status
    finding = cog.probed(asked, client)
    assert finding.health == "dead"
    assert words in finding.words


def test_a_file_that_was_not_there_is_found_once_it_is(nginx, client, tmp_path):
    asked = ask(f"{nginx.url}/late.tif", NEVADA)
    with pytest.raises(RefusedError, match="404"):
        cog.fetched(asked, client, tmp_path, unheard)
    transform, cells = on_map("EPSG:5070"), noise(400, 400)
    written(nginx.root / "late.tif", cells, transform, "EPSG:5070")
    got = fetched(asked, client, tmp_path / "to")
    same_place(got.path, cells, transform)
    # And what is there now is read, not what was there before.
    written(nginx.root / "late.tif", cells + 1, transform, "EPSG:5070")
    same_place(fetched(asked, client, tmp_path / "again").path, cells + 1, transform)


def test_a_file_that_is_cut_short_on_the_server_is_refused(nginx, client, tmp_path):
    file = written(nginx.root / "cut.tif", noise(400, 400), on_map("EPSG:5070"), "EPSG:5070")
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(LayerDataError, match=r"cut\.tif: is cut short on the server.*byte"):
        cog.fetched(ask(f"{nginx.url}/cut.tif"), client, tmp_path, unheard)


def test_damaged_cells_are_refused(nginx, client, tmp_path):
    file = written(nginx.root / "bad.tif", noise(400, 400), on_map("EPSG:5070"), "EPSG:5070")
    whole = bytearray(file.read_bytes())
    whole[len(whole) // 2 :] = bytes(len(whole) - len(whole) // 2)
    file.write_bytes(whole)
    with pytest.raises(LayerDataError, match=r"bad\.tif: its cells cannot be read"):
        cog.fetched(ask(f"{nginx.url}/bad.tif"), client, tmp_path, unheard)


def test_a_pointer_to_another_file_is_not_followed(nginx, client, tmp_path):
    secret = written(tmp_path / "secret.tif", noise(9, 9), on_map("EPSG:5070"), "EPSG:5070")
    (nginx.root / "pointer.tif").write_text(
        f'<VRTDataset rasterXSize="9" rasterYSize="9"><VRTRasterBand dataType="Float32" band="1">'
        f"<SimpleSource><SourceFilename>{secret}</SourceFilename></SimpleSource></VRTRasterBand>"
        "</VRTDataset>"
    )
    with pytest.raises(RefusedError, match="no beginning of a GeoTIFF"):
        cog.fetched(ask(f"{nginx.url}/pointer.tif"), client, tmp_path, unheard)


def test_a_redirect_is_followed_and_said_by_the_probe(nginx, client, tmp_path):
    transform, cells = on_map("EPSG:5070"), noise(400, 400)
    written(nginx.root / "new.tif", cells, transform, "EPSG:5070")
    asked = ask(f"{nginx.url}/old/new.tif", NEVADA)
    same_place(fetched(asked, client, tmp_path / "to").path, cells, transform)
    finding = cog.probed(asked, client)
    assert finding.health == "moved"
    assert f"{nginx.url}/new.tif" in finding.words


def test_a_file_that_is_replaced_while_it_is_read_is_refused(nginx, client, tmp_path, monkeypatch):
    transform, cells = on_map("EPSG:5070"), noise(400, 400)
    path = written(nginx.root / "swap.tif", cells, transform, "EPSG:5070")
    read = cog.piece

    def and_replaced(*given):
        found = read(*given)
        written(path, cells[:300, :300], transform, "EPSG:5070")
        return found

    monkeypatch.setattr(cog, "piece", and_replaced)
    with pytest.raises(RefusedError, match="replaced on the server") as caught:
        cog.fetched(ask(f"{nginx.url}/swap.tif", NEVADA), client, tmp_path, unheard)
    assert caught.value.again


def test_stopping_ends_it_between_two_pieces(nginx, client, tmp_path, monkeypatch):
    monkeypatch.setattr(cog, "_MOST_PIECE", 4 * 128 * 128)
    written(nginx.root / "stop.tif", noise(400, 400), on_map("EPSG:5070"), "EPSG:5070")
    with pytest.raises(RefusedError, match="stopped"):
        cog.fetched(ask(f"{nginx.url}/stop.tif"), client, tmp_path, lambda *_: client.stop.set())


@contextmanager
def unsteady(content, spoilt):
    """A server of one file that gives parts, and spoils the requests that `spoilt` names."""

    class Answers(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        seen = 0

        def log_message(self, *_):
            pass

        def do_HEAD(self):
            self.headed(200, len(content))

        def headed(self, status, size, **more):
            self.send_response(status)
            self.send_header("Accept-Ranges", "bytes")
            self.send_header("Content-Length", str(size))
            for key, value in more.items():
                self.send_header(key.replace("_", "-"), value)
            self.end_headers()

        def do_GET(self):
            Answers.seen += 1
            start, end = map(int, re.findall(r"\d+", self.headers["Range"]))
            part = content[start : end + 1]
            what = spoilt(Answers.seen)
            if what == "broken off":
                self.headed(206, len(part), Content_Range=f"bytes {start}-{end}/{len(content)}")
                self.wfile.write(part[: len(part) // 2])
                self.close_connection = True
            elif what:
                self.headed(what, 0)
            else:
                self.headed(206, len(part), Content_Range=f"bytes {start}-{end}/{len(content)}")
                self.wfile.write(part)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        running = threading.Thread(target=server.serve_forever)
        running.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/dem.tif"
        finally:
            server.shutdown()
            running.join()


@pytest.mark.parametrize("what", [503, 500, "broken off"])
def test_an_unsteady_server_is_asked_again(client, tmp_path, what):
    transform, cells = on_map("EPSG:5070", cells=600), noise(600, 600)
    file = written(tmp_path / "dem.tif", cells, transform, "EPSG:5070")
    with unsteady(file.read_bytes(), lambda n: what if n in (2, 5) else None) as url:
        got = fetched(ask(url, NEVADA), client, tmp_path / "to")
    same_place(got.path, cells, transform)


@pytest.mark.parametrize(
    ("what", "words"),
    [(500, "500|broke off|no beginning"), ("broken off", "broke off|closed|no beginning")],
)
def test_patience_with_an_unsteady_server_has_an_end(client, tmp_path, what, words):
    file = written(tmp_path / "dem.tif", noise(600, 600), on_map("EPSG:5070"), "EPSG:5070")
    content = file.read_bytes()
    with (
        unsteady(content, lambda n: what if n > 1 else None) as url,
        pytest.raises(RefusedError, match=words) as caught,
    ):
        cog.fetched(ask(url), client, tmp_path, unheard)
    assert caught.value.again


# ── one file a degree ───────────────────────────────────────────────────────────────────────

CELL = 1 / 36
"""Of the toy tiles, in degrees: 36 cells a degree, and three more on each side."""


def tile(folder, name, west, north, *, field, nodata=-999999.0, **more):
    """A tile as the 3D Elevation Program cuts it: a degree and a few cells around it."""
    transform = from_origin(west - 3 * CELL, north + 3 * CELL, CELL, CELL)
    cells = field(west * 36 - 3, -north * 36 - 3, 42, 42)
    written(folder / f"toy_{name}.tif", cells, transform, "EPSG:4269", nodata=nodata, **more)


def field(column, row, columns, rows):
    """Cells that are the same in every tile that holds them."""
    x, y = np.arange(column, column + columns), np.arange(row, row + rows)
    return (x[None, :] * 7 + y[:, None] * 100_003).astype("float32")


def tiles(server, folder, **source):
    url = f"{server.url}/{folder}/toy_{{tile}}.tif"
    return lambda box: ask(url, box, kind="cog-tiles", crs="EPSG:4269", **source)


def test_tiles_that_overlap_become_one_raster_and_one_that_is_missing_becomes_nodata(
    nginx, client, tmp_path
):
    folder = nginx.root / "four"
    tile(folder, "n40w118", -118, 40, field=field)
    tile(folder, "n40w117", -117, 40, field=field)
    tile(folder, "n39w118", -118, 39, field=field)
    got = fetched(tiles(nginx, "four")((-117.5, 38.5, -116.5, 39.5)), client, tmp_path / "to")
    assert "n39w117" in " ".join(got.notes)
    assert "n40" not in " ".join(got.notes)
    with rasterio.open(got.path) as opened:
        cells, bounds, nodata = opened.read(1), opened.bounds, opened.nodata
    assert bounds == pytest.approx(
        (-117.5 - 2 * CELL, 38.5 - 2 * CELL, -116.5 + 2 * CELL, 39.5 + 2 * CELL)
    )
    assert cells.shape == (40, 40)
    expected = field(round(bounds.left * 36), round(-bounds.top * 36), 40, 40)
    # The missing tile, but for the three cells that its neighbours hold of it.
    there = np.ones((40, 40), bool)
    there[20 + 3 :, 20 + 3 :] = False
    np.testing.assert_array_equal(cells, np.where(there, expected, nodata))


def test_where_a_tile_has_nodata_its_neighbour_speaks(nginx, client, tmp_path):
    folder = nginx.root / "gaps"

    def gap(*place):
        found = field(*place)
        found[:, -6:] = -999999.0
        return found

    tile(folder, "n40w118", -118, 40, field=gap)
    tile(folder, "n40w117", -117, 40, field=field)
    got = fetched(tiles(nginx, "gaps")((-117.2, 39.4, -116.8, 39.6)), client, tmp_path / "to")
    with rasterio.open(got.path) as opened:
        assert (opened.read(1) != -999999.0).all()


def test_when_no_tile_is_there_the_source_is_wrong(nginx, client, tmp_path):
    asked = tiles(nginx, "no-such-folder")((-117.5, 38.5, -116.5, 39.5))
    with pytest.raises(FetchError, match=r"none of the 4 tiles .*n40w118, n40w117"):
        cog.fetched(asked, client, tmp_path, unheard)
    with pytest.raises(FetchError, match="none of the 4 tiles"):
        cog.estimated(asked, client)
    assert cog.probed(asked, client).health == "dead"


@pytest.mark.parametrize(("path", "status"), [("500", 500), ("403", 403)])
def test_a_tile_that_is_refused_is_not_taken_for_sea(nginx, client, tmp_path, path, status):
    asked = tiles(nginx, path)((-117.5, 38.5, -116.5, 39.5))
    with pytest.raises(RefusedError) as caught:
        cog.fetched(asked, client, tmp_path, unheard)
    assert caught.value.status == status


def test_what_is_not_there_is_told_from_what_cannot_be_had():
    s3 = "https://prd-tnm.s3.amazonaws.com/StagedProducts/x.tif"
    assert cog.absent(RefusedError(s3, "", status=404))
    assert cog.absent(RefusedError(s3, "", status=403))
    assert not cog.absent(RefusedError(s3, "", status=503))
    assert not cog.absent(RefusedError(s3, "timed out"))
    assert not cog.absent(RefusedError("https://gis.blm.gov/x.tif", "", status=403))
    assert not cog.absent(RefusedError("https://amazonaws.com.example.org/x", "", status=403))


def test_tiles_that_do_not_share_a_grid_are_refused_all_at_once(nginx, client, tmp_path):
    folder = nginx.root / "askew"
    tile(folder, "n40w118", -118, 40, field=field)
    tile(folder, "n40w117", -117.004, 40, field=lambda *_: noise(42, 42))
    tile(folder, "n39w118", -118, 39, field=field, nodata=-1.0)
    tile(folder, "n39w117", -117, 39, field=lambda *_: noise(42, 42, "int16"), nodata=-1)
    asked = tiles(nginx, "askew")((-117.5, 38.5, -116.5, 39.5))
    with pytest.raises(FetchError, match="do not fit together") as caught:
        cog.fetched(asked, client, tmp_path, unheard)
    assert [line.split("toy_")[1][:7] for line in str(caught.value).splitlines()[1:]] == [
        "n40w117", "n39w118", "n39w117",
    ]  # fmt: skip


def test_whole_numbers_without_nodata_cannot_say_that_a_tile_is_missing(nginx, client, tmp_path):
    def whole(*place):
        return (field(*place) % 250).astype("uint8")

    def real(*place):
        return field(*place)

    tile(nginx.root / "bytes", "n40w118", -118, 40, field=whole, nodata=None)
    tile(nginx.root / "reals", "n40w118", -118, 40, field=real, nodata=None)
    asked = tiles(nginx, "bytes")
    with pytest.raises(FetchError, match="declare no nodata"):
        cog.fetched(asked((-117.2, 39.4, -116.8, 39.6)), client, tmp_path, unheard)
    (tmp_path / "cells.tif").unlink(missing_ok=True)
    inside = fetched(asked((-117.6, 39.4, -117.4, 39.6)), client, tmp_path / "inside")
    with rasterio.open(inside.path) as opened:
        assert opened.nodata is None
    got = fetched(tiles(nginx, "reals")((-117.2, 39.4, -116.8, 39.6)), client, tmp_path / "to")
    with rasterio.open(got.path) as opened:
        assert np.isnan(opened.nodata)
        assert np.isnan(opened.read(1)).any()


def test_tiles_on_both_sides_of_the_antimeridian_are_one_raster(nginx, client, tmp_path):
    folder = nginx.root / "dateline"
    tile(folder, "n52e179", 179, 52, field=field)
    tile(folder, "n52w180", -180, 52, field=field)
    got = fetched(tiles(nginx, "dateline")((179.5, 51.2, -179.5, 51.8)), client, tmp_path / "to")
    with rasterio.open(got.path) as opened:
        east = opened.read(1, window=opened.window(179.6, 51.4, 179.9, 51.6))
        west = opened.read(1, window=opened.window(-179.9, 51.4, -179.6, 51.6))
        middle = opened.read(1, window=opened.window(-1, 51.4, 1, 51.6))
        assert (east != opened.nodata).all()
        assert (west != opened.nodata).all()
        assert (middle == opened.nodata).all()
    # What is mostly empty is a whole file all the same.
    data = tmp_path / "data"
    (data / "terrain").mkdir(parents=True)
    got.path.rename(data / "terrain/toy.tif")
    made = layer("https://example.org", crs="EPSG:4269")
    assert open_raster(made, Catalog(data, {made.id: made}), data).nodata == -999999.0


def test_tiles_without_a_box_are_refused(nginx, client, tmp_path):
    with pytest.raises(FetchError, match="for an area only"):
        cog.fetched(tiles(nginx, "four")(None), client, tmp_path, unheard)


@pytest.mark.parametrize(
    ("lon", "lat", "name"),
    [
        (-122.45, 37.75, "n38w123"),
        (-116.5, 39.5, "n40w117"),
        (177.9, 51.6, "n52e177"),
        (144.8, 13.4, "n14e144"),
        (-170.7, -14.3, "s14w171"),
        (-65.5, 18.2, "n19w066"),
    ],
)
def test_a_tile_is_named_by_its_north_west_corner(lon, lat, name):
    assert cog.tile_names([(lon, lat, lon, lat)]) == (name,)


def test_every_tile_that_a_box_meets_is_named_once():
    assert cog.tile_names([(-117.0, 39.0, -116.0, 40.0)]) == ("n40w117",)
    assert cog.tile_names([(-117.1, 38.9, -116.9, 39.1)]) == (
        "n40w118", "n40w117", "n39w118", "n39w117",
    )  # fmt: skip
    assert cog.tile_names([(179.5, 51.5, 180.0, 51.6), (-180.0, 51.5, -179.5, 51.6)]) == (
        "n52w180", "n52e179",
    )  # fmt: skip


# ── what would come, and how it is ──────────────────────────────────────────────────────────


def test_an_estimate_bounds_what_comes(nginx, client, tmp_path):
    transform = on_map("EPSG:5070")
    written(nginx.root / "guess.tif", noise(400, 400), transform, "EPSG:5070")
    asked = ask(f"{nginx.url}/guess.tif", NEVADA)
    before = len(nginx.settled())
    estimate = cog.estimated(asked, client)
    assert sum(a.sent for a in nginx.settled()[before:]) < 40_000
    got = fetched(asked, client, tmp_path / "to")
    assert (estimate.count, estimate.size) == (got.count, 4 * got.count)
    assert estimate.size >= got.path.stat().st_size
    assert not estimate.measured


def test_an_estimate_of_tiles_counts_them(nginx, client):
    tile(nginx.root / "count", "n39w118", -118, 39, field=field)
    estimate = cog.estimated(tiles(nginx, "count")((-117.5, 38.5, -116.5, 39.5)), client)
    assert (estimate.count, estimate.size) == (4, 40 * 40 * 4)


def test_a_probe_looks_at_the_header_only(nginx, client):
    written(nginx.root / "well.tif", noise(400, 400), on_map("EPSG:5070"), "EPSG:5070")
    before = len(nginx.settled())
    finding = cog.probed(ask(f"{nginx.url}/well.tif"), client)
    assert (finding.health, finding.count) == ("ok", 160_000)
    assert sum(a.sent for a in nginx.settled()[before:]) < 40_000
    tile(nginx.root / "probe", "n40w117", -117, 40, field=field)
    assert cog.probed(tiles(nginx, "probe")(None), client).health == "ok"


# ── windows in whole cells ──────────────────────────────────────────────────────────────────


def test_pieces_cover_a_window_once_and_never_share_a_block():
    span, blocks = (5, 7, 143, 99), (16, 32)
    seen, owner = np.zeros((128, 160), int), {}
    for number, (left, top, right, bottom) in enumerate(pieces(span, blocks, 2000)):
        seen[top:bottom, left:right] += 1
        for row in range(top, bottom):
            for column in range(left, right):
                assert owner.setdefault((row // 16, column // 32), number) == number
    expected = np.zeros_like(seen)
    expected[7:99, 5:143] = 1
    np.testing.assert_array_equal(seen, expected)


def test_cells_of_another_size_lie_askew():
    grid = from_origin(-118, 40, CELL, CELL)
    assert corner(from_origin(-117, 39, CELL, CELL), (36, 36), grid) == (36, 36)
    assert corner(from_origin(-117, 39, CELL * 1.001, CELL), (36, 36), grid) is None
    assert corner(from_origin(-117 + CELL / 2, 39, CELL, CELL), (36, 36), grid) is None


def test_windows_that_leave_a_cell_free_do_not_fill():
    assert filled((0, 0, 4, 4), [(0, 0, 4, 2), (0, 2, 4, 4)])
    assert not filled((0, 0, 4, 4), [(0, 0, 4, 2), (0, 2, 3, 4)])
    assert both((0, 0, 1, 1), (1, 0, 2, 1)) is None


def test_a_box_without_a_place_in_a_crs_has_no_window():
    globe = CRS("+proj=ortho +lat_0=40 +lon_0=-100")
    assert spans((79.0, -41.0, 81.0, -39.0), globe, Affine.identity()) == ()
