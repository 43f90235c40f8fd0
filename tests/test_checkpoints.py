"""A tile is finished when its tables are whole and its chunks are as it left them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from geosite.checkpoints import Checkpoints, count
from geosite.errors import RunError
from geosite.store import Store
from tests.toyworld import toygrid

GRID = toygrid(8, 8, row=-31, column=17, resolution=90.0)
WINDOWS = list(GRID.tiles(4))
TABLES = {
    "pieces": pd.DataFrame({"b": [1, -(2**40)], "a": [3, 4]}).assign(
        plane=np.array([2**63, 1], "u8"), share=[0.1, np.nan]
    ),
    "none": pd.DataFrame({"x": np.empty(0, np.int64)}),
    "border0": np.arange(8).reshape(2, 4),
    "histogram": np.arange(6, dtype="i4").reshape(2, 3),
}


@pytest.fixture
def done(tmp_path):
    store = Store.create(
        tmp_path / "it.zarr",
        GRID,
        {"piece": (None, "i4", 0), "measures": (2, "f4", np.nan)},
        chunk=2,
    )
    (tmp_path / "tiles").mkdir()
    found = Checkpoints(tmp_path / "tiles", store)
    for k, window in enumerate(WINDOWS[:2]):
        store.write(window, {"piece": np.full((4, 4), k + 1, "i4")})
        store.write(window, {"measures": np.full((2, 4, 4), k + 1, "f4")})
        found.write(window, TABLES)
    return found


def test_tables_come_back_as_they_were(done):
    found = done.read(WINDOWS[0])
    assert set(found) == set(TABLES)
    for name, table in TABLES.items():
        if isinstance(table, pd.DataFrame):
            pd.testing.assert_frame_equal(found[name], table)
        else:
            np.testing.assert_array_equal(found[name], table)
            assert found[name].dtype == table.dtype


def test_a_tile_is_finished_when_its_file_is_there(done):
    assert [done.is_finished(w) for w in WINDOWS] == [True, True, False, False]
    assert count(done.folder) == 2
    with pytest.raises(RunError, match="is damaged"):
        done.read(WINDOWS[3])


@pytest.mark.parametrize("share", [0, 0.5, 0.99])
def test_a_file_cut_short_is_not_finished(done, share):
    path = done.folder / f"{WINDOWS[0].row}_{WINDOWS[0].column}.tile"
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    assert [done.is_finished(w) for w in WINDOWS[:2]] == [False, True]


def test_a_flipped_bit_is_seen(done):
    path = done.folder / f"{WINDOWS[0].row}_{WINDOWS[0].column}.tile"
    whole = path.read_bytes()
    for at in range(0, len(whole), 97):
        damaged = bytearray(whole)
        damaged[at] ^= 1
        path.write_bytes(damaged)
        assert not done.is_finished(WINDOWS[0])
        with pytest.raises(RunError, match="not those that were written"):
            done.read(WINDOWS[0])


@pytest.mark.parametrize("spoil", ["gone", "empty", "other"])
@pytest.mark.parametrize("surface", ["piece", "measures"])
def test_a_chunk_that_is_lost_or_changed_is_seen(done, surface, spoil):
    # The first chunk is one of the first window.
    path = min(p for p in (done.store.path / surface / "c").rglob("*") if p.is_file())
    if spoil == "gone":
        path.unlink()
    else:
        path.write_bytes(b"" if spoil == "empty" else path.read_bytes()[::-1])
    assert [done.is_finished(w) for w in WINDOWS[:2]] == [False, True]


def test_what_cannot_be_read_without_pickle_is_not_written(done):
    with pytest.raises(ValueError, match="allow_pickle"):
        done.write(WINDOWS[2], {"names": np.array(["a", None], object)})
    assert not done.is_finished(WINDOWS[2])
