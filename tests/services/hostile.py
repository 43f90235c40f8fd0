"""A server that does what no honest server does; each misbehaviour has a path of its own.

``CASES`` says of each how it is asked (``json``: any JSON of a service; else the kind of source)
and which words the error has to hold. Whatever follows the first part of a path is ignored, so
that a service's own suffixes (``/0/query``) may follow.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import struct
import time
import zipfile
import zlib
from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TABLE = b"NAME,LON,LAT\na,-117.5,38.5\nb,-116.5,39.5\n"
GOOD = json.dumps({"good": True}).encode()
LOGIN = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>Log in</body></html>"
DENIED = b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>'
ZEROS = 2 * 2**30
DRIP = 0.05


@dataclass(frozen=True)
class Case:
    """A misbehaviour, how it is met, and what the error has to say."""

    path: str
    kind: str
    words: tuple[str, ...]
    source: dict[str, Any] = field(default_factory=dict)
    """What else the source says."""
    geometry: str = "point"

    @property
    def id(self) -> str:
        """For pytest."""
        return f"{self.kind}:{self.path}"


@dataclass(frozen=True)
class Hostile:
    """The server: its address without a slash at the end, and how often each path was asked."""

    url: str
    asked: Counter[str]


# ── answers ─────────────────────────────────────────────────────────────────────────────────

Act = "Callable[[_Handler], None]"
_ACTS: dict[str, Act] = {}


def _act(path: str) -> Callable[[Act], Act]:
    def kept(act: Act) -> Act:
        _ACTS[path] = act
        return act

    return kept


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        self.close_connection = True
        path = urlsplit(self.path).path.strip("/").split("/")[0]
        self.server.asked[path] += 1
        act = _ACTS.get(path)
        if act is None:
            self.say(b"no such misbehaviour", status=404)
        else:
            act(self)

    do_GET = do_POST = do_HEAD = answer  # noqa: N815  http.server wants these names

    def say(
        self, body: bytes, *, status: int = 200, length: int | None = None, **said: str
    ) -> None:
        """Status, headers (``Content_Type``) and body, as they are wanted and not as they are."""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in said.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
            self.wfile.flush()

    def raw(self, *pieces: bytes) -> None:
        """Bytes with no HTTP added."""
        for piece in pieces:
            self.wfile.write(piece)
            self.wfile.flush()

    def reset(self) -> None:
        """End the connection as a crash does: with a reset and no farewell."""
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(1, 13, linger)  # SOL_SOCKET, SO_LINGER
        self.connection.close()

    def setup(self) -> None:
        super().setup()
        self.connection.settimeout(20)

    def finish(self) -> None:
        with suppress(OSError):
            super().finish()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_: object) -> None:
        """Clients that turn away are what is wanted."""


def _always(path: str, body: bytes, status: int = 200, **said: str) -> None:
    _ACTS[path] = lambda handler: handler.say(body, status=status, **said)


_always("login", LOGIN, Content_Type="text/html")
_always("denied.parquet", DENIED, Content_Type="application/xml")
_always("login.zip", LOGIN, Content_Type="text/html")
_always("login.csv", LOGIN, Content_Type="text/html")
_always("cut-json", b'{"features": [{"attr')
_always("list", b"[1, 2, 3]")
_always("nested", b"[" * 200_000)
_always("nested-objects", b'{"a":' * 200_000)
_always("not-utf8", b'{"name": "\xff\xfe\xfa"}')
_always("nothing", b"")
_always("nothing.zip", b"")
_always("204.csv", b"", 204)
_always("403", b"Forbidden for you", 403)
_always("404", b"Not here", 404)
_always("410.zip", b"Gone", 410)
_always("300", b"Choose", 300)
_always("401", LOGIN, 401, WWW_Authenticate='Basic realm="x"')
_always("429", b"Slow down", 429, Retry_After="86400")
_always("500", b"Oh no", 500)
_always("503", b"Closed", 503, Retry_After="Fri, 01 Jan 2100 00:00:00 GMT")
_always(
    "error-200", b'{"error": {"code": 400, "message": "Unable to perform query", "details": []}}'
)
_always("token", b'{"error": {"code": 499, "message": "Token Required"}}')
_always("error-words", b'{"error": "out of order"}')
_always("gzip-garbage", b"this was never packed", Content_Encoding="gzip")
_always("gzip-garbage.csv", b"this was never packed", Content_Encoding="gzip")
_always("gzip-cut", gzip.compress(GOOD * 1000)[:40], Content_Encoding="gzip")
_always("file-redirect", b"", 302, Location="file:///etc/hostname")
_always("ftp-redirect", b"", 301, Location="ftp://127.0.0.1/x")
_always("data-redirect", b"", 302, Location="data:application/json,{}")
_always("mad-redirect", b"", 302, Location="http://[not an address")
_always("no-location", b"", 302)
_always("latin1-header", GOOD, X_Said="caf\xe9 \xff")


_always("good", GOOD)


@_act("echo")
def _echo(handler: _Handler) -> None:
    handler.say(handler.rfile.read(int(handler.headers.get("Content-Length", "0"))))


def _moved(path: str, status: int) -> None:
    """A redirect to the address that is the query."""
    _ACTS[path] = lambda h: h.say(b"", status=status, Location=urlsplit(h.path).query)


@_act("moved-to")
def _moved_to(handler: _Handler) -> None:
    asked = parse_qs(urlsplit(handler.path).query)
    handler.say(b"", status=301, Location=asked["to"][0])


@_act("no-head.csv")
def _no_head(handler: _Handler) -> None:
    if handler.command == "HEAD":
        handler.say(b"", status=405)
    else:
        handler.say(b"N", status=206, Content_Range="bytes 0-0/4300")


_moved("moved-for-good", 301)
_moved("moved-for-now", 302)
_moved("see-other", 303)


@_act("redirect-loop")
def _redirect_loop(handler: _Handler) -> None:
    at = int(parse_qs(urlsplit(handler.path).query).get("at", ["0"])[0])
    handler.say(b"", status=302, Location=f"/redirect-loop?at={at + 1}")


@_act("redirect-for-ever")
def _redirect_for_ever(handler: _Handler) -> None:
    handler.raw(b"HTTP/1.1 302 Found\r\nLocation: /404\r\n\r\n")
    for _ in range(4096):
        handler.raw(b"x" * 2**20)


@_act("long-length")
def _long_length(handler: _Handler) -> None:
    handler.say(GOOD, length=1000)


@_act("short-length")
def _short_length(handler: _Handler) -> None:
    handler.say(GOOD, length=5)


@_act("two-lengths")
def _two_lengths(handler: _Handler) -> None:
    handler.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 7\r\n\r\n", GOOD)


@_act("mad-chunks")
def _mad_chunks(handler: _Handler) -> None:
    handler.raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n")


@_act("cut-chunks")
def _cut_chunks(handler: _Handler) -> None:
    handler.raw(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"a":\r\n50\r\n1')


@_act("mad-status")
def _mad_status(handler: _Handler) -> None:
    handler.raw(b"SMTP ready\r\n\r\n")


@_act("hangs-up")
def _hangs_up(handler: _Handler) -> None:
    handler.connection.shutdown(2)


@_act("reset")
def _reset(handler: _Handler) -> None:
    handler.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", GOOD)
    time.sleep(0.02)
    handler.reset()


@_act("long-header")
def _long_header(handler: _Handler) -> None:
    handler.raw(b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 100_000 + b"\r\n\r\n", GOOD)


@_act("many-headers")
def _many_headers(handler: _Handler) -> None:
    many = b"".join(b"X-%d: x\r\n" % n for n in range(500))
    handler.raw(b"HTTP/1.1 200 OK\r\n" + many + b"\r\n", GOOD)


@_act("silent")
def _silent(handler: _Handler) -> None:
    handler.connection.settimeout(5)
    handler.rfile.read(1)


def _drip(handler: _Handler, first: bytes, byte: bytes, seconds: float = 5.0) -> None:
    handler.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", first)
    for _ in range(int(seconds / DRIP)):
        time.sleep(DRIP)
        handler.raw(byte)


@_act("drip")
def _drip_json(handler: _Handler) -> None:
    _drip(handler, b'{"a": "', b"x")


@_act("drip.csv")
def _drip_table(handler: _Handler) -> None:
    _drip(handler, TABLE, b"x")


@_act("for-ever")
def _for_ever(handler: _Handler) -> None:
    handler.raw(b"HTTP/1.1 200 OK\r\n\r\n", b'{"a": "')
    for _ in range(4096):
        handler.raw(b"x" * 2**20)


@lru_cache(maxsize=1)
def bomb() -> bytes:
    """Two GB of zeros, packed with gzip; of the same piece over and over, so that it is quick."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    head = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + head * (ZEROS // 2**20) + b"\x03\0"


@_act("gzip-bomb")
@_act("gzip-bomb.csv")
def _gzip_bomb(handler: _Handler) -> None:
    handler.say(bomb(), Content_Encoding="gzip")


@_act("503-then-good")
def _good_at_last(handler: _Handler) -> None:
    if handler.server.asked["503-then-good"] % 3:
        handler.say(b"Closed", status=503)
    else:
        handler.say(GOOD)


# ── files ───────────────────────────────────────────────────────────────────────────────────


def zipped(*members: tuple[str | zipfile.ZipInfo, bytes], **said: Any) -> bytes:
    """A zip archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, **said) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


def _linked() -> bytes:
    link = zipfile.ZipInfo("t.csv")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    return zipped((link, b"/etc/passwd"))


def _flagged() -> bytes:
    """An archive that says its member is encrypted."""
    content = bytearray(zipped(("t.csv", TABLE)))
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


def _corrupt() -> bytes:
    content = bytearray(zipped(("t.csv", TABLE * 50)))
    for at in range(45, 60):
        content[at] ^= 0x5A
    return bytes(content)


@lru_cache(maxsize=1)
def _zip_bomb() -> bytes:
    """One member that says honestly that it is 2 GB."""
    body = bomb()[10:]
    crc = zlib.crc32(b"")
    head = struct.pack("<4s5H3I2H", b"PK\x03\x04", 20, 0, 8, 0, 33, crc, len(body), ZEROS, 5, 0)
    centre = struct.pack(
        "<4s6H3I5H2I",
        b"PK\x01\x02",
        20,
        20,
        0,
        8,
        0,
        33,
        crc,
        len(body),
        ZEROS,
        5,
        0,
        0,
        0,
        0,
        0,
        0,
    )
    at = len(head) + 5 + len(body)
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 1, 1, len(centre) + 5, at, 0)
    return head + b"t.csv" + body + centre + b"t.csv" + end


def _sheet_bomb() -> bytes:
    return _zip_bomb().replace(b"t.csv", b"x.xml")


_LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "' + b"ha" * 50 + b'">'
    + b"".join(
        b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(12)
    )
    + b']><kml xmlns="http://www.opengis.net/kml/2.2"><Document><Placemark><name>&m;</name>'
    b"<Point><coordinates>-117,38</coordinates></Point></Placemark></Document></kml>"
)  # fmt: skip

_ACTS["bomb.zip"] = lambda handler: handler.say(_zip_bomb())
_ACTS["bomb.xlsx"] = lambda handler: handler.say(_sheet_bomb())
_always("up.zip", zipped(("../out.csv", TABLE)))
_always("up-windows.zip", zipped(("..\\out.csv", TABLE)))
_always("absolute.zip", zipped(("/etc/out.csv", TABLE)))
_always("drive.zip", zipped(("C:/out.csv", TABLE)))
_always("link.zip", _linked())
_always("encrypted.zip", _flagged())
_always("corrupt.zip", _corrupt())
_always("cut.zip", zipped(("t.csv", os.urandom(5000)))[:3000])
_always("long-name.zip", zipped((f"{'n' * 300}.csv", TABLE)))
_always("two.zip", zipped(("a.csv", TABLE), ("b.csv", TABLE)))
_always("no-member.zip", zipped(("readme.txt", b"nothing here")))
_always("mad-names.zip", zipped(("t.csv", TABLE)).replace(b"t.csv", b"\xff\xfe.sv"))
_always("other-columns.csv", b"X,LON,LAT\n1,-117,38\n")
_always("no-rows.csv", b"NAME,LON,LAT\n")
_always("binary.csv", b"NAME,LON,LAT\n" + bytes(range(256)) * 10)
_always("latin.csv", "NAME,LON,LAT\nPi\xf1on,-117,38\n".encode("latin-1"))
_always("mad.parquet", b"PAR1" + os.urandom(500) + b"PAR1")
_always("mad.gpkg", b"SQLite format 3\0" + os.urandom(5000))
_always("mad.tif", b"II*\0" + os.urandom(500))
_always("laughs.kml", _LAUGHS)
_always(
    "pointer.kml",
    b'<OGRVRTDataSource><OGRVRTLayer name="x"><SrcDataSource>/etc</SrcDataSource>'
    b"</OGRVRTLayer></OGRVRTDataSource>",
)
_always("changed.csv", TABLE)


def _file_in_pieces(handler: _Handler, rest: Callable[[_Handler, int], None]) -> None:
    """Half of a file, and what `rest` does where the other half is asked for."""
    asked = handler.headers.get("Range", "")
    if asked:
        rest(handler, int(asked.removeprefix("bytes=").rstrip("-")))
        return
    whole = TABLE * 100
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(whole)))
    handler.send_header("ETag", '"one"')
    handler.end_headers()
    handler.raw(whole[: len(whole) // 2])


def _part(handler: _Handler, said: str, body: bytes, etag: str = '"one"') -> None:
    handler.say(body, status=206, Content_Range=said, ETag=etag)


@_act("always-half.csv")
def _always_half(handler: _Handler) -> None:
    """Of the rest it never sends a byte."""
    size = len(TABLE * 100)

    def rest(handler: _Handler, start: int) -> None:
        said = f"Content-Range: bytes {start}-{size - 1}/{size}\r\nContent-Length: {size - start}"
        handler.raw(f'HTTP/1.1 206 Partial\r\n{said}\r\nETag: "one"\r\n\r\n'.encode())

    _file_in_pieces(handler, rest)


@_act("wrong-range.csv")
def _wrong_range(handler: _Handler) -> None:
    """Half a file once, and ever after the same bytes of it."""
    if handler.server.asked["wrong-range.csv"] == 1:
        _file_in_pieces(handler, lambda *_: None)
    else:
        _part(handler, "bytes 0-9/4300", b"0123456789")


@_act("other-version.csv")
def _other_version(handler: _Handler) -> None:
    """The rest is of another version; but asked for once more, the whole of that one comes."""

    def rest(handler: _Handler, start: int) -> None:
        size = len(TABLE * 100)
        said = f"bytes {start}-{size - 1}/{size}"
        handler.say(bytes(size - start), status=206, Content_Range=said, ETag='"two"')

    if handler.server.asked["other-version.csv"] == 3:
        handler.say(TABLE, ETag='"two"')
    else:
        _file_in_pieces(handler, rest)


@_act("uninvited-part.csv")
def _uninvited(handler: _Handler) -> None:
    _part(handler, "bytes 10-19/4300", b"0123456789")


# ── ScienceBase ─────────────────────────────────────────────────────────────────────────────


def _item(path: str, **file: Any) -> None:
    def act(handler: _Handler) -> None:
        host = f"http://{handler.headers['Host']}"
        said = {"name": "t.csv", "url": f"{host}/changed.csv", "size": len(TABLE)} | file
        said["url"] = said["url"].replace("{host}", host)
        handler.say(json.dumps({"id": "x", "files": [said]}).encode())

    _ACTS[path] = act


_item("item-other-file", name="other.csv")
_item("item-other-size", size=7)
_item("item-other-md5", checksum={"type": "MD5", "value": "0" * 32})
_item("item-login", url="{host}/login")
_item("item-local", url="file:///etc/hostname")
_item("item-dead", url="{host}/404")
_always("item-no-files", b'{"id": "x", "files": {"name": "t.csv"}}')

# ── ArcGIS ──────────────────────────────────────────────────────────────────────────────────

_FIELDS = [
    {"name": "OBJECTID", "type": "esriFieldTypeOID"},
    {"name": "NAME", "type": "esriFieldTypeString"},
]
_LAYER = {
    "id": 0, "name": "Mines", "type": "Feature Layer", "geometryType": "esriGeometryPoint",
    "objectIdField": "OBJECTID", "fields": _FIELDS, "maxRecordCount": 2,
    "capabilities": "Query", "currentVersion": 11.1,
    "advancedQueryCapabilities": {"supportsPagination": True, "supportsOrderBy": True},
    "extent": {
        "xmin": -120, "ymin": 35, "xmax": -110, "ymax": 42, "spatialReference": {"wkid": 4326},
    },
}  # fmt: skip


def _arcgis(path: str, count: int, page: Callable[[int], tuple[list[int], bool]]) -> None:
    """A FeatureServer that says a count and gives object ids by `page` of an offset."""

    def features(ids: list[int]) -> list[dict[str, Any]]:
        return [
            {"attributes": {"OBJECTID": i, "NAME": f"m{i}"}, "geometry": {"x": -117, "y": 38}}
            for i in ids
        ]

    def answered(where: str, asked: dict[str, str]) -> dict[str, Any]:
        if not where.endswith("/query"):
            number = where.rsplit("/", 1)[-1].isdigit()
            return (
                _LAYER
                if number
                else {"layers": [{"id": 0, "name": "Mines"}], "currentVersion": 11.1}
            )
        if asked.get("returnCountOnly") == "true":
            return {"count": count}
        if asked.get("returnIdsOnly") == "true":
            return {"objectIdFieldName": "OBJECTID", "objectIds": list(range(1, count + 1))}
        ids, more = page(int(asked.get("resultOffset", "0")))
        return {
            "objectIdFieldName": "OBJECTID", "geometryType": "esriGeometryPoint",
            "spatialReference": {"wkid": 4326}, "fields": _FIELDS, "features": features(ids),
            "exceededTransferLimit": more,
        }  # fmt: skip

    def act(handler: _Handler) -> None:
        parts = urlsplit(handler.path)
        length = int(handler.headers.get("Content-Length", "0"))
        query = parts.query + "&" + handler.rfile.read(length).decode()
        asked = {key: values[0] for key, values in parse_qs(query).items()}
        handler.say(json.dumps(answered(parts.path, asked)).encode())

    _ACTS[path] = act


_arcgis("same-page-for-ever", 10, lambda _: ([1, 2], True))
_arcgis("too-few", 10, lambda offset: ([1, 2], False) if not offset else ([], False))
_arcgis("never-any", 10, lambda _: ([], True))

# ── the table ───────────────────────────────────────────────────────────────────────────────

_XY = {"xy": ("LON", "LAT")}


def _json(path: str, *words: str) -> Case:
    return Case(path, "json", words)


def _file(path: str, *words: str, geometry: str = "point", **said: Any) -> Case:
    return Case(path, "download", words, said or _XY, geometry)


def _sb(path: str, *words: str) -> Case:
    return Case(path, "sciencebase", words, {"file": "t.csv", **_XY})


CASES = (
    _json("login", "a web page", "Sign in", "expected JSON"),
    _json("cut-json", "expected JSON"),
    _json("list", "answered list, expected an object"),
    _json("nested", "expected JSON"),
    _json("nested-objects", "expected JSON"),
    _json("not-utf8", "expected JSON"),
    _json("nothing", "answered nothing, expected JSON"),
    _json("403", "answered 403", "Forbidden for you"),
    _json("404", "answered 404", "Not here"),
    _json("300", "answered 300"),
    _json("401", "answered 401", "a web page"),
    _json("429", "answered 429", "Slow down"),
    _json("500", "answered 500", "Oh no"),
    _json("503", "answered 503", "Closed"),
    _json("error-200", "said error 400", "Unable to perform query"),
    _json("token", "said error 499", "Token Required"),
    _json("error-words", "said: out of order"),
    _json("gzip-garbage", "gzip"),
    _json("gzip-cut", "expected JSON"),
    _json("gzip-bomb", "the answer is larger than"),
    _json("drip", "the answer took more than"),
    _json("for-ever", "the answer is larger than"),
    _json("silent", "Read timed out"),
    _json("redirect-loop", "redirects more than"),
    _json("redirect-for-ever", "answered 404"),
    _json("no-location", "redirects more than"),
    _json("file-redirect", "redirects to 'file:///etc/hostname'", "no web address"),
    _json("ftp-redirect", "redirects to 'ftp://", "no web address"),
    _json("data-redirect", "no web address"),
    _json("mad-redirect", "no web address", "not an address"),
    _json("long-length", "IncompleteRead"),
    _json("short-length", "expected JSON"),
    _json("two-lengths", "Content-Length"),
    _json("mad-chunks", "onnection broken"),
    _json("cut-chunks", "onnection broken"),
    _json("mad-status", "BadStatusLine"),
    _json("hangs-up", "Remote end closed connection"),
    _json("reset", "onnection reset"),
    _json("long-header", "header line"),
    _json("many-headers", "100 headers"),
    _file("login.zip", "a web page", "Sign in", "expected a zip archive"),
    _file("login.csv", "a web page", "expected a file of data"),
    _file("denied.parquet", "AccessDenied", "expected a Parquet file", encoding="utf-8"),
    _file("410.zip", "answered 410"),
    _file("204.csv", "answered 204"),
    _file("nothing.zip", "sent 0 bytes"),
    _file("gzip-garbage.csv", "gzip"),
    _file("gzip-bomb.csv", "unpacks to far too much"),
    _file("drip.csv", "sends less than"),
    _file("always-half.csv", "IncompleteRead"),
    _file("wrong-range.csv", "sent the part 'bytes 0-9/4300' where"),
    _file("uninvited-part.csv", "where the whole file was asked for"),
    _file("bomb.zip", "expected at most 200 for one"),
    _file("bomb.xlsx", "expected at most 200 for one"),
    _file("up.zip", "would be written outside of it"),
    _file("up-windows.zip", "would be written outside of it"),
    _file("absolute.zip", "would be written outside of it"),
    _file("drive.zip", "would be written outside of it"),
    _file("link.zip", "is a link to another file"),
    _file("encrypted.zip", "is encrypted"),
    _file("corrupt.zip", "not a readable zip archive"),
    _file("cut.zip", "not a readable zip archive"),
    _file("long-name.zip", "cannot be unpacked", "name too long"),
    _file("two.zip", "2 datasets in this zip archive", "a.csv, b.csv"),
    _file("no-member.zip", "0 datasets in this zip archive"),
    _file("other-columns.csv", "there is no field 'name'", "it holds X, LON, LAT"),
    _file("no-rows.csv", "holds no feature"),
    _file("binary.csv", "encoding 'utf-8'"),
    _file("latin.csv", "encoding 'utf-8'"),
    _file("mad.parquet", "cannot be read as GeoParquet", encoding="utf-8"),
    _file("mad.gpkg", "mad.gpkg", encoding="utf-8"),
    _file("mad.tif", "cannot be made into a raster", geometry="raster", encoding="utf-8"),
    _file("laughs.kml", "laughs.kml", encoding="utf-8"),
    _file("pointer.kml", "a pointer to other files", encoding="utf-8"),
    _file("changed.csv", "the catalogue attests", sha256="0" * 64, **_XY),
    _sb("login", "a person has to log in", "by hand"),
    _sb("404", "answered 404"),
    _sb("item-other-file", "holds no single file 't.csv'", "it lists other.csv"),
    _sb("item-no-files", "it lists none"),
    _sb("item-other-size", f"sent {len(TABLE)} bytes, the item says 7"),
    _sb("item-other-md5", "the MD5 of what it sent is", "0" * 32),
    _sb("item-login", "a person has to log in"),
    _sb("item-local", "file:///etc/hostname"),
    _sb("item-dead", "answered 404"),
)
"""Every misbehaviour that a client, a download or an item of ScienceBase can meet."""

SERVICES = (
    Case("same-page-for-ever", "arcgis", ("counts 10 features", "gives 2"), {"layer": "Mines"}),
    Case("too-few", "arcgis", ("counts 10 features", "gives 2"), {"layer": "Mines"}),
    Case("never-any", "arcgis", ("counts 10 features", "gives 0"), {"layer": "Mines"}),
)
"""What only a service of features can do wrong; asked at ``<url>/<path>/FeatureServer``."""


@contextmanager
def misbehaving() -> Iterator[Hostile]:
    """The server, which has not been asked for anything yet."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.asked = Counter()
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield Hostile(f"http://127.0.0.1:{server.server_address[1]}", server.asked)
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def hostile() -> Iterator[Hostile]:
    """The server, for all tests."""
    with misbehaving() as server:
        yield server
