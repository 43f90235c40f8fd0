"""MapServer, from the system, as a WFS on loopback over a GeoPackage made here.

It is run as CGI, one process a request: nothing to supervise, and nothing that stays behind.
It is asked what the client asked, with the names of parameters in lower case.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

import geopandas as gpd
import pytest
import shapely

from tests.services.pretender import pretending

COUNT = 250
"""Points of the toy world."""
MOST = 90
"""Features that the limited service gives in one answer."""

_MAP = """
MAP
  NAME "toy"
  SIZE 10 10
  EXTENT -180 -90 180 90
  PROJECTION "init=epsg:4326" END
  WEB METADATA
    "wfs_title" "toy"
    "wfs_onlineresource" "http://127.0.0.1:1/?"
    "wfs_srs" "EPSG:4326 EPSG:4269 EPSG:5070"
    "wfs_enable_request" "*"
    {limit}
  END END
{layers}
END
"""
_LAYER = """
  LAYER
    NAME "{name}"
    TYPE {kind}
    CONNECTIONTYPE OGR
    CONNECTION "toy.gpkg"
    DATA "{name}"
    PROJECTION "init=epsg:{epsg}" END
    METADATA
      "wfs_title" "{name}"
      "gml_include_items" "all"
      "gml_types" "auto"
      {more}
    END
  END
"""


def mines():
    """Points with text that looks like numbers, text that XML must escape, and nulls."""
    rows = range(COUNT)
    return gpd.GeoDataFrame(
        {
            "Site_Code": [f"{k:05d}" for k in rows],
            "Name": [f"Mine & <{k}> “ä”" if k % 7 else None for k in rows],
            "Grade": [k / 7 for k in rows],
            "Owner": ["a person"] * COUNT,
        },
        geometry=[shapely.Point(-117 + (k % 50) * 0.02, 38 + (k // 50) * 0.02) for k in rows],
        crs=4326,
    )


def areas():
    """A polygon with a hole, and one in two parts."""
    hole = shapely.box(-117, 38, -116, 39).difference(shapely.box(-116.7, 38.3, -116.3, 38.7))
    parts = shapely.MultiPolygon(
        [shapely.box(-115, 38, -114.5, 38.5), shapely.box(-114, 38, -113.5, 38.5)]
    )
    return gpd.GeoDataFrame({"kind": ["hole", "parts"]}, geometry=[hole, parts], crs=4269)


def twins():
    """Points without any id at the source, two of which are the same in everything."""
    places = [(-117, 38), (-117, 38), (-116.5, 38.5), (-116, 39)]
    points = list(map(shapely.Point, places))
    return gpd.GeoDataFrame(
        {"kind": ["twin", "twin", "middle", "corner"]}, geometry=points, crs=4326
    )


@dataclass
class MapServer:
    """Where it is; services ``/whole``, and ``/limited`` to `MOST` features an answer."""

    root: str
    asked: list[dict[str, str]] = field(default_factory=list)
    """Parameters of each request so far, names in lower case."""

    @property
    def whole(self) -> str:
        return f"{self.root}/whole"

    @property
    def limited(self) -> str:
        return f"{self.root}/limited"


def _answer(folder: Path, name: str, query: str) -> tuple[int, bytes]:
    environment = os.environ | {
        "MAPSERVER_CONFIG_FILE": str(folder / "toy.conf"),
        "MS_MAPFILE": str(folder / f"{name}.map"),
        "REQUEST_METHOD": "GET",
        "QUERY_STRING": query,
    }
    run = subprocess.run(
        ["mapserv"], env=environment, cwd=folder, capture_output=True, check=True, timeout=60
    )
    head, _, body = run.stdout.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
    return int(headers.get("Status", "200")[:3]), body


def _files(folder: Path) -> None:
    for name, frame in (("mines", mines()), ("areas", areas()), ("twins", twins())):
        frame.to_file(folder / "toy.gpkg", layer=name, driver="GPKG", engine="pyogrio")
    layers = "".join(
        _LAYER.format(name=name, kind=kind, epsg=epsg, more=more)
        for name, kind, epsg, more in (
            ("mines", "POINT", 4326, '"gml_featureid" "Site_Code"'),
            ("areas", "POLYGON", 4269, ""),
            ("twins", "POINT", 4326, ""),
        )
    )
    (folder / "toy.conf").write_text('CONFIG\n ENV\n  MS_MAP_PATTERN "."\n END\nEND\n')
    for name, limit in (("whole", ""), ("limited", f'"wfs_maxfeatures" "{MOST}"')):
        (folder / f"{name}.map").write_text(_MAP.format(limit=limit, layers=layers))


@pytest.fixture(scope="session")
def mapserver(tmp_path_factory):
    """MapServer, one for all tests of a worker."""
    if shutil.which("mapserv") is None:
        reason = "mapserv is not on PATH; apt-get install cgi-mapserver"
        if os.environ.get("GEOSITE_REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("mapserver")
    _files(folder)
    found = MapServer("")

    def answered(path, params):
        found.asked.append(params)
        return _answer(folder, path.strip("/"), urlencode(params))

    with pretending(answered) as found.root:
        yield found
