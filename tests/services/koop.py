"""Koop, a real ArcGIS FeatureServer, over GeoJSON that a test makes."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.npm import installed, missing

HERE = Path(__file__).resolve().parent
PATIENCE = 60
"""Seconds for it to start."""


@dataclass(frozen=True)
class Koop:
    """A running server; names of collections are for one test only, as it remembers them."""

    address: str
    folder: Path

    def offer(self, name, features, *, provider="file-geojson", **metadata):
        """Serve GeoJSON features; the address of their FeatureServer.

        The provider ``held`` keeps them in memory; ``file-geojson`` is Koop's own.
        """
        metadata = {"idField": "OBJECTID", "name": name, "maxRecordCount": 2000} | metadata
        metadata = {key: value for key, value in metadata.items() if value is not None}
        collection = {"type": "FeatureCollection", "metadata": metadata, "features": features}
        (self.folder / f"{name}.geojson").write_text(json.dumps(collection), encoding="utf-8")
        return f"{self.address}/{provider}/rest/services/{name}/FeatureServer"


def feature(oid, geometry, **properties):
    """One GeoJSON feature with an object id, or without one."""
    own = {} if oid is None else {"OBJECTID": oid}
    return {"type": "Feature", "properties": own | properties, "geometry": geometry}


@contextmanager
def running(folder):
    """A Koop that serves the GeoJSON files of a folder, until the end of the block."""
    modules = installed(HERE / "package.json", "Koop")
    node = shutil.which("node")
    if node is None:
        missing("node is not on PATH; apt-get install nodejs")
    environment = os.environ | {"NODE_PATH": str(modules), "SUPPRESS_NO_CONFIG_WARNING": "1"}
    log = folder / "printed.txt"
    with log.open("w") as printed:
        server = subprocess.Popen(
            [node, HERE / "koop.js"],
            cwd=folder, env=environment, stdout=printed, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        yield Koop(f"http://127.0.0.1:{_port(server, log)}", folder)
    finally:
        server.terminate()
        server.wait(timeout=10)


def _port(server, log):
    ends = time.monotonic() + PATIENCE
    while server.poll() is None and time.monotonic() < ends:
        if found := re.search(r"^port (\d+)$", log.read_text(encoding="utf-8"), re.MULTILINE):
            return int(found[1])
        time.sleep(0.05)
    return missing(f"Koop does not start: {log.read_text(encoding='utf-8').strip()[-300:]}")
