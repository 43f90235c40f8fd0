"""The map's third-party files: put into the page where they are packed, else linked."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path

import pytest

from geosite import assets

ROOT = Path(assets.HERE)


def test_a_packed_page_holds_every_file_and_names_no_address():
    if not assets.are_built():
        pytest.skip("the map's files are not packed; run: make assets")
    text = assets.markup(assets.MAP)
    assert text.count("<script>") == sum(a.kind == "js" for a in assets.MAP)
    assert text.count("<style>") == sum(a.kind == "css" for a in assets.MAP)
    assert "<link" not in text
    # Each file goes with its licence.
    assert all(f"{a.package} {assets.versions()[a.package]}\n" in text for a in assets.MAP)
    assert "Permission is hereby granted" in text
    assert "src=" not in re.sub(r"<(script|style)>.*?</\1>", "", text, flags=re.DOTALL)
    assert "sourceMappingURL" not in text
    styles = "".join(re.findall(r"<style>(.*?)</style>", text, flags=re.DOTALL))
    assert not re.search(r"url\((?!['\"]?(data:|#|%23))", styles)
    assert assets.note() == ""


def test_without_packed_files_the_same_releases_are_linked_and_the_page_says_so(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(assets, "BUILT", tmp_path)
    text = assets.markup(assets.LEAFLET)
    assert '<script src="https://cdn.jsdelivr.net/npm/leaflet@1.9.4/dist/leaflet.js">' in text
    assert "<style>" not in text
    assert "make assets" in assets.note()


def test_the_lock_file_names_no_registry_and_has_a_checksum_a_package():
    lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: p for name, p in lock["packages"].items() if name}
    assert len(packages) > 10
    assert [name for name, p in packages.items() if "resolved" in p] == []
    assert [name for name, p in packages.items() if "integrity" not in p] == []


def test_every_asset_is_of_a_package_that_is_asked_for_in_one_release():
    said = assets.versions()
    assert {a.package for a in assets.MAP} == {*said}
    assert [v for v in said.values() if not re.fullmatch(r"\d+\.\d+\.\d+", v)] == []
    assert len({a.name for a in assets.MAP}) == len(assets.MAP)


def test_the_wheel_holds_the_packed_files_and_no_node_modules(root, tmp_path):
    if not assets.are_built():
        pytest.skip("the map's files are not packed; run: make assets")
    from hatchling.builders.wheel import WheelBuilder  # noqa: PLC0415

    [wheel] = WheelBuilder(str(root)).build(directory=str(tmp_path), versions=["standard"])
    names = zipfile.ZipFile(wheel).namelist()
    packed = {f"geosite/assets/built/{a.name}" for a in assets.MAP}
    assert packed | {"geosite/assets/built/LICENSES.txt"} <= {*names}
    assert [n for n in names if "node_modules" in n] == []
    assert "geosite/map/static/start.js" in names
