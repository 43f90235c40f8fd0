"""pygeoapi, from PyPI, as OGC API Features on loopback over GeoJSON made here."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from importlib.util import find_spec

import pytest
import requests
import yaml

from tests.services.mapserver import areas, mines

_CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
_EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
MOST = 60
"""Features that it gives on one page."""


def _collection(folder, name, frame, extra):
    path = folder / f"{name}.geojson"
    said = json.loads(frame.to_json())
    for number, feature in enumerate(said["features"]):
        feature["id"] = f"{name}.{number}"
    path.write_text(json.dumps(said))
    return {
        "type": "collection",
        "title": f"The {name} of the toy world",
        "description": name,
        "keywords": ["toy"],
        "extents": {"spatial": {"bbox": [-180, -90, 180, 90], "crs": _CRS84}},
        "limits": {"default_items": 10, "max_items": MOST, "on_exceed": "throttle"},
        "providers": [
            {
                "type": "feature", "name": "GeoJSON", "data": str(path), "id_field": "id",
                "crs": [_CRS84, *extra], "storage_crs": _CRS84,
            }
        ],
    }  # fmt: skip


def _config(folder, port):
    url = f"http://127.0.0.1:{port}"
    contact = {"name": "nobody", "url": url, "email": "nobody@example.org"}
    return {
        "server": {
            "bind": {"host": "127.0.0.1", "port": port},
            "url": url, "mimetype": "application/json; charset=UTF-8", "encoding": "utf-8",
            "languages": ["en-US"], "gzip": False, "map": {"url": url, "attribution": ""},
            "limits": {"default_items": 10, "max_items": MOST},
        },
        "logging": {"level": "ERROR"},
        "metadata": {
            "identification": {
                "title": "toy", "description": "toy", "keywords": ["toy"],
                "terms_of_service": url, "url": url,
            },
            "license": {"name": "none", "url": url},
            "provider": {"name": "nobody", "url": url},
            "contact": contact,
        },
        "resources": {
            "mines": _collection(folder, "mines", mines(), [_EPSG + "4269", _EPSG + "5070"]),
            # As the server has it, in longitude and latitude only.
            "areas": _collection(folder, "areas", areas().set_crs(4326, allow_override=True), []),
        },
    }  # fmt: skip


def _missing(reason):
    if os.environ.get("GEOSITE_REQUIRE_BROWSER") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def _answers(url, server):
    ends = time.monotonic() + 90
    while time.monotonic() < ends and server.poll() is None:
        try:
            return requests.get(url, timeout=5).ok
        except requests.RequestException:
            time.sleep(0.1)
    return False


@pytest.fixture(scope="session")
def pygeoapi(tmp_path_factory):
    """Address of pygeoapi, one for all tests of a worker."""
    if find_spec("pygeoapi") is None:
        _missing("pygeoapi is not installed; pip install pygeoapi")
    folder = tmp_path_factory.mktemp("pygeoapi")
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    config, described, log = folder / "config.yml", folder / "openapi.yml", folder / "log.txt"
    config.write_text(yaml.safe_dump(_config(folder, port)))
    described.write_text("openapi: 3.0.2\npaths: {}\n")
    environment = os.environ | {"PYGEOAPI_CONFIG": str(config), "PYGEOAPI_OPENAPI": str(described)}
    command = [sys.executable, "-m", "flask", "--app", "pygeoapi.flask_app:APP", "run"]
    with (
        log.open("wb") as said,
        subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(port)],
            env=environment, cwd=folder, stdout=said, stderr=said,
        ) as server,
    ):  # fmt: skip
        try:
            url = f"http://127.0.0.1:{port}"
            if not _answers(f"{url}/collections?f=json", server):
                _missing(f"pygeoapi does not answer: {log.read_text()[-500:]}")
            yield url
        finally:
            server.terminate()
