"""An ArcGIS layer on loopback that misbehaves as real ones do, and Koop does not."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit


class Fickle:
    """What the layer holds, and how it behaves; a test sets what it needs.

    Attributes
    ----------
    features : list of (object id, geometry as Esri JSON, attributes)
    says, gives : int
        Largest page by its own description, and in truth.
    flag : str
        Where it says that there is more: ``top``, ``properties``, or nowhere.
    answer : callable
        Asked first, with the parameters of a query; bytes or (status, bytes) or None.
    asked : list of dict
        Parameters of every query so far.
    """

    def __init__(self):
        self.features = []
        self.says = self.gives = 100
        self.flag = "top"
        self.geometry = "esriGeometryPoint"
        self.fields = [{"name": "OBJECTID", "type": "esriFieldTypeOID"}]
        self.description = {}
        self.layers = [{"id": 0, "name": "Toys", "type": "Feature Layer"}]
        self.spatial_reference = {"wkid": 4326}
        self.answer = lambda asked: None
        self.asked = []
        self.address = ""

    def points(self, count):
        """Fill it with points along a line, in order of their ids."""
        self.fields.append({"name": "NAME", "type": "esriFieldTypeString", "length": 20})
        self.features = [
            (i, {"x": -120 + i / 1000, "y": 40.0}, {"NAME": f"toy {i}"})
            for i in range(1, count + 1)
        ]

    def pages(self):
        """Parameters of every request for features."""
        return [a for a in self.asked if "outFields" in a]

    def said(self, path, asked):
        """The answer to one request."""
        if path.endswith("/query"):
            self.asked.append(asked)
            found = self.answer(asked)
            return self.query(asked) if found is None else found
        if path.endswith("/FeatureServer"):
            return {"layers": self.layers, "tables": []}
        return {
            "id": 0, "name": "Toys", "fields": self.fields, "geometryType": self.geometry,
            "objectIdField": "OBJECTID", "maxRecordCount": self.says,
            "advancedQueryCapabilities": {"supportsPagination": True, "supportsOrderBy": True},
        } | self.description  # fmt: skip

    def query(self, asked):
        """What an honest server would say, but for `gives` and `flag`."""
        found = [f for f in self.features if _near(f[1], asked.get("geometry"))]
        if "objectIds" in asked:
            wanted = set(map(int, asked["objectIds"].split(",")))
            found = [f for f in found if f[0] in wanted]
        if asked.get("returnCountOnly") == "true":
            return {"count": len(found)}
        if asked.get("returnIdsOnly") == "true":
            return {"objectIdFieldName": "OBJECTID", "objectIds": [f[0] for f in found] or None}
        first = int(asked.get("resultOffset", 0))
        size = min(int(asked.get("resultRecordCount", 10**9)), self.gives)
        return self.page(found[first : first + size], more=first + size < len(found))

    def page(self, features, *, more=False):
        """A page of features as Esri JSON."""
        more = {"exceededTransferLimit": True} if more else {}
        return {
            "objectIdFieldName": "OBJECTID", "geometryType": self.geometry,
            "spatialReference": self.spatial_reference, "fields": self.fields,
            "features": [
                {"attributes": {"OBJECTID": i} | rest, "geometry": geometry}
                for i, geometry, rest in features
            ],
        } | (more if self.flag == "top" else {}) | (
            {"properties": more} if self.flag == "properties" else {}
        )  # fmt: skip


def _near(geometry, envelope):
    if envelope is None:
        return True
    e = json.loads(envelope)
    inside = e["xmin"] <= geometry["x"] <= e["xmax"] and e["ymin"] <= geometry["y"] <= e["ymax"]
    return inside and e["spatialReference"] == {"wkid": 4326}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet, so that neither waits for the other

    def do_GET(self):
        url = urlsplit(self.path)
        self._answer(url.path, dict(parse_qsl(url.query)))

    def do_POST(self):
        size = int(self.headers["Content-Length"])
        said = dict(parse_qsl(self.rfile.read(size).decode()))
        self._answer(urlsplit(self.path).path, said)

    def _answer(self, path, asked):
        found = self.server.fickle.said(path.rstrip("/"), asked)
        status, content = found if isinstance(found, tuple) else (200, found)
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextmanager
def running():
    """A fickle server, until the end of the block."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.fickle = fickle = Fickle()
    fickle.address = (
        f"http://127.0.0.1:{server.server_port}/arcgis/rest/services/Toys/FeatureServer"
    )
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield fickle
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
