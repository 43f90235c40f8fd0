"""The map of a run as a file, and its full tiles beside it."""

from __future__ import annotations

import json
import re

import pytest

from geosite.errors import RunError
from geosite.map import content_block
from geosite.map.entries import Entry, Layers, Tiles
from geosite.map.saving import saved_map, size_notes
from tests.browser.toycontent import toy_content
from tests.tilereader import archive_of


@pytest.fixture
def content(monkeypatch):
    def parcels(content):
        entry = Entry("land", "Land", ("Land",), "tiles", "parcels", "parcels")
        return Layers((entry,), (Tiles("parcels", {"parcels": content.parcels}),))

    monkeypatch.setattr(content_block, "parcel_layers", parcels)
    return toy_content()


def block(path):
    text = path.read_text(encoding="utf-8")
    return json.loads(re.search(r'id="gs-data">(.*?)</script>', text, re.DOTALL)[1])


def test_one_file_no_larger_than_asked(content, tmp_path):
    path = tmp_path / "map.html"
    saved_map(content, path)
    assert [p.name for p in tmp_path.iterdir()] == ["map.html"]
    assert path.stat().st_size < 10e6
    assert "file" not in block(path)["archives"]["parcels"]


def test_full_tiles_beside_it(content, tmp_path):
    (tmp_path / "here-tiles").mkdir()
    (tmp_path / "here-tiles/old.pmtiles").write_bytes(b"old")
    path = tmp_path / "here.html"
    saved_map(content, path, is_served=True)
    files = sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file())
    held = block(path)["archives"]
    assert files == sorted(["here.html", *(facts["file"] for facts in held.values())])
    found = archive_of((tmp_path / "here-tiles/parcels.pmtiles").read_bytes())
    assert found.max_zoom == 12
    assert next(found.features("parcels", 12))[2].props["agency"]


def test_a_page_that_cannot_be_as_small_as_asked_is_written_and_said_to_be_larger(
    content, tmp_path
):
    path = tmp_path / "map.html"
    notes = saved_map(content, path, max_mb=0.01)
    found = re.search(r"^map.html takes (\S+) MB and was to take 0.01", notes[-1])
    assert path.stat().st_size <= float(found[1]) * 1e6
    assert block(path)["sites"]["n"] == len(content.sites)
    assert size_notes(path, float(found[1])) == ()
    assert size_notes(path) == ()
    assert not any("was to take" in note for note in saved_map(content, path))


def test_where_nothing_can_be_written(content, tmp_path):
    with pytest.raises(RunError, match=r"there is no folder .*nowhere; make it.*--out"):
        saved_map(content, tmp_path / "nowhere" / "map.html")
    (tmp_path / "map-tiles").write_text("a file", encoding="utf-8")
    with pytest.raises(RunError, match="no map was left there"):
        saved_map(content, tmp_path / "map.html", is_served=True)
    assert [p.name for p in tmp_path.iterdir()] == ["map-tiles"]
