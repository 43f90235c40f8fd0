"""Archives of tiles, against a reader of the specification."""

from __future__ import annotations

import gzip

import numpy as np
from pmtiles.tile import zxy_to_tileid

from geosite.map.archives import Level, archived, gzipped
from tests.tilereader import archive_of, place_of

BOUNDS = (-120.0, 35.0, -114.0, 42.0)


def test_gzip_has_no_time():
    assert gzipped(b"words") == gzipped(b"words")
    assert gzip.decompress(gzipped(b"words")) == b"words"


def test_tiles_come_back_and_equal_ones_are_kept_once():
    numbers = [zxy_to_tileid(2, x, 0) for x in range(4)]
    tiles = {n: gzipped(b"sea" if i < 3 else b"land") for i, n in enumerate(numbers)}
    raw = archived([Level(0, {0: gzipped(b"all")}), Level(2, tiles)], BOUNDS, {"name": "toy"})
    found = archive_of(raw)
    assert (found.min_zoom, found.max_zoom, found.metadata) == (0, 2, {"name": "toy"})
    assert found.bounds == BOUNDS
    texts = {place: gzip.decompress(t) for place, t in found.raw.items()}
    assert texts[0, 0, 0] == b"all"
    assert [texts[2, x, 0] for x in range(4)] == [b"sea", b"sea", b"sea", b"land"]
    assert raw.count(gzipped(b"sea")) == 1
    assert raw == archived(
        [Level(0, {0: gzipped(b"all")}), Level(2, tiles)], BOUNDS, {"name": "toy"}
    )


def test_many_tiles_get_directories_below_the_first():
    random = np.random.default_rng(5)
    numbers = np.sort(random.choice(4**8, 30_000, replace=False)) + (4**8 - 1) // 3
    tiles = {int(n): bytes(random.integers(0, 256, 3 + int(n) % 7, np.uint8)) for n in numbers}
    level = Level(8, tiles)
    raw = archived([level], BOUNDS, {})
    assert level.size == sum(map(len, tiles.values()))
    assert int.from_bytes(raw[16:24], "little") < 16_384
    found = archive_of(raw)
    assert found.raw == {place_of(n): t for n, t in tiles.items()}


def test_an_archive_of_nothing():
    for levels in ([], [Level(0, {})]):
        found = archive_of(archived(levels, BOUNDS, {"name": "none"}))
        assert (found.raw, found.metadata) == ({(0, 0, 0): gzipped(b"")}, {"name": "none"})


def test_no_time_stands_in_an_archive(monkeypatch):
    level = Level(0, {0: gzipped(b"all")})
    monkeypatch.setattr("time.time", lambda: 1e9)
    first = archived([level], BOUNDS, {"name": "toy"})
    monkeypatch.setattr("time.time", lambda: 2e9)
    assert archived([level], BOUNDS, {"name": "toy"}) == first
