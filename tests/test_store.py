import numpy as np
import pytest
import rasterio
from pyproj import CRS

from geosite.crs import same_crs
from geosite.store import Store
from tests.toyworld import ALBERS, toygrid

NAN = float("nan")
GRID = toygrid(7, 10, row=-31, column=-17, resolution=90.0, origin=(-2_100_007.5, 41.0))
ARRAYS = {
    "status": (None, "u1", 0),
    "planes": (2, "u8", 0),
    "piece": (None, "i4", 0),
    "suitability": (None, "f4", NAN),
    "measures": (3, "f4", NAN),
}


@pytest.fixture
def store(tmp_path):
    return Store.create(tmp_path / "surfaces.zarr", GRID, ARRAYS, chunk=4)


def chunks(store, name):
    return sum(p.is_file() and p.name != "zarr.json" for p in (store.path / name).rglob("*"))


def values(name, seed=0):
    layers, dtype, _ = ARRAYS[name]
    shape = GRID.shape if layers is None else (layers, *GRID.shape)
    rng = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "f":
        return rng.random(shape).astype(dtype)
    return rng.integers(0, np.iinfo(dtype).max, shape, dtype=dtype)


# ── the store ─────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("name", ARRAYS)
def test_a_new_store_holds_nothing_and_takes_no_room(store, name):
    layers, dtype, fill = ARRAYS[name]
    found = store.read(name, GRID)
    assert found.shape == (GRID.shape if layers is None else (layers, *GRID.shape))
    assert found.dtype == np.dtype(dtype)
    assert np.array_equal(found, np.full_like(found, fill), equal_nan=np.isnan(fill))
    assert chunks(store, name) == 0


@pytest.mark.parametrize("name", ARRAYS)
def test_what_the_tiles_write_is_read_back_whole(store, name):
    written = values(name)
    for window in GRID.tiles(4):
        store.write(window, {name: written[(..., *GRID.window(window))]})
    assert store.read(name, GRID).tobytes() == written.tobytes()
    inner = GRID.part(-29, -14, (3, 4))
    part = written[..., 2:5, 3:7]
    assert store.read(name, inner).tobytes() == part.tobytes()


def test_writing_one_window_leaves_the_others(store):
    first, second, *_ = GRID.tiles(4)
    store.write(first, {"piece": np.full(first.shape, 5, np.int32)})
    store.write(second, {"piece": np.full(second.shape, -6, np.int32)})
    assert store.read("piece", GRID)[:4].tolist() == [[5] * 4 + [-6] * 4 + [0] * 2] * 4
    assert not store.read("piece", GRID)[4:].any()
    assert chunks(store, "piece") == 2


def test_chunks_of_nothing_take_no_room(store):
    for window in GRID.tiles(4):
        store.write(window, {"suitability": np.full(window.shape, NAN, np.float32)})
    assert chunks(store, "suitability") == 0


def test_some_cells_are_written_in_reading_order_into_every_layer(store):
    window = list(GRID.tiles(4))[4]
    where = np.zeros(window.shape, bool)
    where[[0, 1, 2], [3, 0, 2]] = True
    cells = np.arange(9, dtype=np.float32).reshape(3, 3)
    store.write_cells("measures", window, where, cells)
    found = store.read("measures", window)
    assert found[:, where].tolist() == cells.tolist()
    assert np.isnan(found[:, ~where]).all()
    whole = store.read("measures", GRID)
    assert np.isfinite(whole).sum() == 9


def test_a_store_is_made_anew(tmp_path):
    path = tmp_path / "surfaces.zarr"
    first = Store.create(path, GRID, ARRAYS, chunk=4)
    first.write(GRID, {"piece": values("piece")})
    again = Store.create(path, GRID, {"piece": ARRAYS["piece"]}, chunk=4)
    assert not again.read("piece", GRID).any()
    assert "status" not in again.dataset()


def test_the_dataset_lies_where_the_grid_lies(store):
    written = values("suitability")
    store.write(GRID, {"suitability": written})
    found = store.dataset()
    x, y = GRID.centres()
    assert found["x"].to_numpy().tolist() == x.tolist()
    assert found["y"].to_numpy().tolist() == y.tolist()
    assert found["suitability"].dims == ("y", "x")
    assert found["measures"].dims == ("measures_layer", "y", "x")
    assert found["suitability"].sel(x=x[3], y=y[5]) == written[5, 3]


# ── the GeoTIFF ───────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(("name", "nodata"), [("suitability", NAN), ("status", 0)])
def test_a_cog_holds_the_surface_where_it_lies(store, tmp_path, name, nodata):
    written = values(name)
    written[:4, :4] = nodata
    store.write(GRID, {name: written})
    path = tmp_path / f"{name}.tif"
    store.write_cog(name, path, nodata=nodata, windows=list(GRID.tiles(4)))
    with rasterio.open(path) as file:
        assert file.read(1).tobytes() == written.tobytes()
        assert file.transform.almost_equals(GRID.transform, 0)
        assert same_crs(ALBERS, CRS.from_wkt(file.crs.to_wkt()))
        assert file.nodata == nodata or (np.isnan(file.nodata) and np.isnan(nodata))
        assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert file.profile["tiled"]
    assert [p.name for p in tmp_path.iterdir() if "rough" in p.name] == []


def test_a_large_cog_has_overviews_and_takes_no_room_where_nothing_is(tmp_path):
    grid = toygrid(1100, 1100)
    store = Store.create(tmp_path / "s.zarr", grid, {"s": (None, "f4", NAN)}, chunk=512)
    noise = np.random.default_rng(0).random((512, 512)).astype(np.float32)
    windows = list(grid.tiles(512))
    store.write(windows[0], {"s": noise})
    store.write_cog("s", tmp_path / "s.tif", nodata=NAN, windows=windows)
    for window in windows:
        store.write(window, {"s": np.resize(noise, window.shape)})
    store.write_cog("s", tmp_path / "full.tif", nodata=NAN, windows=windows)
    with rasterio.open(tmp_path / "s.tif") as file:
        assert file.overviews(1)
        found = file.read(1)
        assert (found[:512, :512] == noise).all()
        assert np.isnan(found[512:]).all()
        assert np.isnan(found[:, 512:]).all()
    assert (tmp_path / "s.tif").stat().st_size < (tmp_path / "full.tif").stat().st_size / 3


def test_a_cog_of_nothing_is_still_one(store, tmp_path):
    path = tmp_path / "piece.tif"
    store.write_cog("piece", path, nodata=0, windows=list(GRID.tiles(4)))
    with rasterio.open(path) as file:
        assert file.shape == GRID.shape
        assert not file.read(1).any()
