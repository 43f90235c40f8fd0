"""A server on loopback that gives a toy world as ArcGIS would, and files as they are.

It speaks just enough for a fetch; what real servers do is tested in tests/services.
"""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import geopandas as gpd
import pandas as pd
import shapely

from geosite.crs import WGS84, projected, projected_geometry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.worlds import Hamlet

SERVED = (
    "aoi/states", "land/blm", "land/dod", "land/tribal", "infrastructure/rail",
    "infrastructure/towns", "minerals/usmin", "land/ceded_lands", "land/reservations",
    "land/trust_lands",
)  # fmt: skip
"""Layers of the hamlet that a server gives; the elevation stays a file."""
FAR = ("land/ceded_lands", "land/reservations", "land/trust_lands")
"""Those that show nothing near it."""
_FILES = {
    "aoi/states": "states.gpkg",
    "land/blm": "blm.gpkg",
    "land/dod": "dod.gpkg",
    "land/tribal": "tribal.geojson",
    "infrastructure/rail": "rail.fgb",
    **dict.fromkeys(FAR, "nations.gpkg"),
}
_KINDS = {
    "Point": "esriGeometryPoint",
    "LineString": "esriGeometryPolyline",
    "MultiLineString": "esriGeometryPolyline",
    "Polygon": "esriGeometryPolygon",
    "MultiPolygon": "esriGeometryPolygon",
}
_TYPES = {"i": "esriFieldTypeInteger", "f": "esriFieldTypeDouble"}


class Toyservice:
    """Layers at ``/rest/<id>/FeatureServer`` and files at ``/files/<name>``.

    Attributes
    ----------
    frames : what each layer holds; may be changed while it serves
    asked : paths and queries in order
    dead : beginnings of paths that answer 404
    pause : seconds before each answer that has features
    """

    def __init__(self, frames: dict[str, gpd.GeoDataFrame], files: Path | None = None) -> None:
        self.frames = frames
        self.files = files
        self.asked: list[str] = []
        self.dead: set[str] = set()
        self.pause = 0.0
        self.page = 1000
        self.url = ""

    def source(self, layer: str, **more: Any) -> dict[str, Any]:
        """A source for the layer's catalogue entry."""
        url = f"{self.url}/rest/{layer}/FeatureServer"
        return {"kind": "arcgis", "url": url, "layer": layer, "layer_id": "0", **more}

    def layers_asked(self) -> list[str]:
        """Layers of which features were asked for, in order; once for each page."""
        found = [urlsplit(a) for a in self.asked]
        pages = [u for u in found if u.path.endswith("/query") and _is_page(u.query)]
        return [u.path.removeprefix("/rest/").partition("/FeatureServer")[0] for u in pages]

    @contextmanager
    def serving(self) -> Iterator[Toyservice]:
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                service._answer(self, "")

            def do_HEAD(self) -> None:
                self.do_GET()

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                service._answer(self, self.rfile.read(length).decode())

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def _answer(self, request: BaseHTTPRequestHandler, posted: str) -> None:
        said = request.path if not posted else f"{request.path}?{posted}"
        self.asked.append(said)
        url = urlsplit(said)
        asked = {k: v[-1] for k, v in parse_qs(url.query).items()}
        if any(url.path.startswith(d) for d in self.dead):
            _send(request, b"gone", "text/plain", 404)
        elif url.path.startswith("/files/") and self.files:
            _send_file(request, self.files / url.path.removeprefix("/files/"))
        else:
            found = self._arcgis(url.path, asked)
            _send(request, json.dumps(found).encode(), "application/json")

    def _arcgis(self, path: str, asked: dict[str, str]) -> dict[str, Any]:
        id_, _, rest = path.removeprefix("/rest/").partition("/FeatureServer")
        frame = self.frames.get(id_)
        if frame is None:
            return {"error": {"code": 400, "message": "Invalid URL", "details": []}}
        if rest in ("", "/"):
            return {"layers": [{"id": 0, "name": id_, "type": "Feature Layer"}], "tables": []}
        if rest == "/0":
            return self._description(id_, frame)
        return self._query(frame, asked)

    def _description(self, id_: str, frame: gpd.GeoDataFrame) -> dict[str, Any]:
        return {
            "id": 0,
            "name": id_,
            "type": "Feature Layer",
            "geometryType": _KINDS[frame.geom_type.iloc[0]] if len(frame) else _KINDS["Polygon"],
            "objectIdField": "OBJECTID",
            "maxRecordCount": self.page,
            "fields": _fields(frame),
            "extent": {"spatialReference": {"wkid": frame.crs.to_epsg()}},
            "editingInfo": {"lastEditDate": 1_700_000_000_000},
            "advancedQueryCapabilities": {"supportsPagination": True, "supportsOrderBy": True},
            "capabilities": "Query",
            "supportedQueryFormats": "JSON, geoJSON",
        }

    def _query(self, frame: gpd.GeoDataFrame, asked: dict[str, str]) -> dict[str, Any]:
        frame = frame.assign(OBJECTID=range(1, len(frame) + 1))
        if "geometry" in asked:
            frame = frame[shapely.intersects(frame.geometry.to_numpy(), _envelope(frame, asked))]
        if "objectIds" in asked:
            frame = frame[frame["OBJECTID"].isin([int(i) for i in asked["objectIds"].split(",")])]
        if asked.get("returnCountOnly") == "true":
            return {"count": len(frame)}
        if asked.get("returnIdsOnly") == "true":
            return {"objectIdFieldName": "OBJECTID", "objectIds": frame["OBJECTID"].tolist()}
        time.sleep(self.pause)
        start = int(asked.get("resultOffset", 0))
        end = start + min(int(asked.get("resultRecordCount", self.page)), self.page)
        more, frame = end < len(frame), frame.iloc[start:end]
        crs = _crs(asked, frame)
        frame = projected(frame, crs)
        wanted = [c for c in asked.get("outFields", "*").split(",") if c in frame.columns]
        return {
            "objectIdFieldName": "OBJECTID",
            "geometryType": _KINDS[frame.geom_type.iloc[0]] if len(frame) else None,
            "spatialReference": {"wkid": crs.to_epsg()},
            "fields": [f for f in _fields(frame) if f["name"] in wanted],
            "features": [
                {
                    "attributes": {c: _plain(row[c]) for c in wanted},
                    "geometry": _esri(row[frame.geometry.name]),
                }
                for _, row in frame.iterrows()
            ],
            "exceededTransferLimit": more,
        }


@contextmanager
def serving_hamlet(hamlet: Hamlet) -> Iterator[Toyservice]:
    """A server of all layers of a hamlet but its elevation, whose files go."""
    frames = {id_: gpd.read_file(hamlet.data / file) for id_, file in _FILES.items()}
    for id_, file in (("infrastructure/towns", "towns.csv"), ("minerals/usmin", "usmin.csv")):
        rows = pd.read_csv(hamlet.data / file)
        points = gpd.points_from_xy(rows.pop("lon"), rows.pop("lat"))
        frames[id_] = gpd.GeoDataFrame(rows, geometry=points, crs=WGS84)
    with Toyservice(frames, hamlet.data).serving() as service:
        for id_ in SERVED:
            hamlet.declare(id_, sources=[service.source(id_)])
        for file in [f for f in hamlet.data.iterdir() if f.name != "dem.tif"]:
            file.unlink()
        yield service


def _is_page(query: str) -> bool:
    return "returnCountOnly=true" not in query and "returnIdsOnly=true" not in query


def _fields(frame: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    names = [c for c in frame.columns if c not in (frame.geometry.name, "OBJECTID")]
    typed = [
        {"name": c, "type": _TYPES.get(frame[c].dtype.kind, "esriFieldTypeString"), "alias": c}
        for c in names
    ]
    return [{"name": "OBJECTID", "type": "esriFieldTypeOID", "alias": "OBJECTID"}, *typed]


def _crs(asked: dict[str, str], frame: gpd.GeoDataFrame) -> Any:
    from pyproj import CRS  # noqa: PLC0415

    said = asked.get("outSR")
    if said is None:
        return frame.crs
    spec = json.loads(said)
    code = spec if isinstance(spec, int) else spec.get("latestWkid", spec.get("wkid"))
    return CRS.from_epsg(code) if code else CRS.from_wkt(spec["wkt"])


def _envelope(frame: gpd.GeoDataFrame, asked: dict[str, str]) -> shapely.Geometry:
    said = asked["geometry"]
    if said.startswith("{"):
        box = [json.loads(said)[k] for k in ("xmin", "ymin", "xmax", "ymax")]
    else:
        box = [float(n) for n in said.split(",")]
    shape = shapely.segmentize(shapely.box(*box), 0.1)
    return projected_geometry(shape, WGS84, frame.crs)


def _plain(value: Any) -> Any:
    if pd.isna(value):
        return None
    return value.item() if hasattr(value, "item") else value


def _esri(shape: shapely.Geometry) -> dict[str, Any]:
    if shape.geom_type == "Point":
        return {"x": shape.x, "y": shape.y}
    parts = shapely.get_parts(shape)
    if shape.geom_type.endswith("LineString"):
        return {"paths": [shapely.get_coordinates(p).tolist() for p in parts]}
    rings = [
        shapely.get_coordinates(ring).tolist()
        for part in parts
        for ring in shapely.get_rings(shapely.orient_polygons(part, exterior_cw=True))
    ]
    return {"rings": rings}


def _send_file(request: BaseHTTPRequestHandler, path: Path) -> None:
    if not path.is_file():
        _send(request, b"no such file", "text/plain", 404)
        return
    content, span = path.read_bytes(), request.headers.get("Range")
    more = {"Accept-Ranges": "bytes", "ETag": f'"{path.stat().st_mtime_ns}"'}
    if not span:
        _send(request, content, "application/octet-stream", 200, **more)
        return
    first, _, last = span.removeprefix("bytes=").partition("-")
    begin, end = int(first), min(int(last or len(content)), len(content) - 1)
    more["Content-Range"] = f"bytes {begin}-{end}/{len(content)}"
    _send(request, content[begin : end + 1], "application/octet-stream", 206, **more)


def _send(
    request: BaseHTTPRequestHandler, content: bytes, kind: str, status: int = 200, **more: str
) -> None:
    try:
        request.send_response(status)
        for key, value in {"Content-Type": kind, **more}.items():
            request.send_header(key, value)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        if request.command != "HEAD":
            request.wfile.write(content)
    except (BrokenPipeError, ConnectionResetError):
        # Whoever asked has been killed.
        request.close_connection = True
