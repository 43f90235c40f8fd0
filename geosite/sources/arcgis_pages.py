"""Features of an ArcGIS layer, page by page, until there are as many as the server counts.

GDAL's Esri JSON driver pages by itself, and is not asked to: it counts nothing, so a page that
fails or forgets to say that there is more is the end of the layer without a word (the tests show
it), and it knows no smaller page when one is too much for the server. Here the count comes first,
pages are asked for side by side, and what is short of the count is asked for by its object ids.
GDAL reads each page.
"""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from geosite.errors import LayerDataError
from geosite.model.lock import Box
from geosite.sources.arcgis_layer import Described, server_name
from geosite.sources.client import MOST_BODY, Body, Client, RefusedError, decoded
from geosite.sources.pages import table

BATCH = 250
"""Most object ids in one request."""
_MOST_PAGE = 32 * 2**20
"""Largest page [bytes]: larger ones are halved, down to one feature, which may be larger."""
_THREADS = 4
_LEAST_SHARED = 100
"""A page that is too much makes later ones smaller, but not smaller than this."""
_BEYOND = 8
"""Most pages after the counted end, while the server says that there is more."""
_HASTE = 2
"""Attempts where less can be asked for instead."""
_SMALL = 2**16
_FEATURES = re.compile(rb'\s*\{(?!\s*"error"\s*:)')
# In Esri JSON it stands at the top, in GeoJSON among the properties; no quoted text looks so.
_EXCEEDED = re.compile(rb'"exceededTransferLimit"\s*:\s*true')
_CURVES = (b'"curveRings"', b'"curvePaths"')
Id = int | str


@dataclass(frozen=True, slots=True)
class Span:
    """Some features by their places in the server's order."""

    offset: int
    size: int

    def __len__(self) -> int:
        return self.size

    def parts(self, size: int) -> list[Span]:
        """The same in spans of at most so many."""
        ends = self.offset + self.size
        return [Span(at, min(size, ends - at)) for at in range(self.offset, ends, size)]


@dataclass(frozen=True, slots=True)
class Picked:
    """Some features by their object ids."""

    ids: tuple[Id, ...]

    def __len__(self) -> int:
        return len(self.ids)

    def parts(self, size: int) -> list[Picked]:
        """The same in batches of at most so many."""
        return [Picked(self.ids[at : at + size]) for at in range(0, len(self.ids), size)]


Piece = Span | Picked


@dataclass(frozen=True, slots=True)
class Page:
    """What came for a piece."""

    piece: Piece
    table: pa.Table
    ids: tuple[Id, ...]
    exceeded: bool


@dataclass(slots=True)
class Gathering:
    """All features of a layer that meet one box.

    Parameters
    ----------
    layer : Described
    client : Client
    box : west, south, east, north in degrees, optional
    offset : float, optional
        How far a feature may be simplified that is too big as it is [units of the CRS].
    hasty : bool
        Whether a count that fails is not asked for again and again: the box can be quartered.
    """

    layer: Described
    client: Client
    box: Box | None
    offset: float | None = None
    hasty: bool = False
    seen: set[Id] = field(default_factory=set)
    rows: int = 0
    repeats: bool = False
    generalised: list[Id] = field(default_factory=list)
    _size: int = 0
    _beyond: int = _BEYOND
    _deaf: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def counted(self) -> int:
        """How many the server says there are.

        Raises
        ------
        RefusedError
            If it does not say.
        """
        found = self._said({"returnCountOnly": "true"}).get("count")
        if not isinstance(found, int) or isinstance(found, bool) or found < 0:
            raise RefusedError(self._url, f"said count {found!r}, expected a number of features")
        return found

    def pages(self, count: int) -> Iterator[Page]:
        """Every page, as it comes, until there are `count` features.

        Raises
        ------
        RefusedError
            If there are fewer, in the end, than the server counts.
        LayerDataError
            If a page cannot be what was asked for.
        """
        if count == 0:
            return
        self._size = self.layer.page
        if self.layer.paged or count <= self._size:
            yield from self._run(Span(0, count).parts(self._size), count)
        if self.layer.oid is None:
            self._refuse_short(self.rows, count)
        elif len(self.seen) < count and not (self.repeats and self.rows >= count):
            yield from self._rest_by_ids(count)

    def sample(self, size: int) -> tuple[int, int]:
        """Features of a small page, and its bytes.

        Raises
        ------
        RefusedError
            If there is none.
        """
        asked = self.layer.wanted() | self.layer.filter(self.box) | self._place(Span(0, size))
        body = self.client.body(self._url, asked, most=_MOST_PAGE)
        found = decoded(body).get("features")
        if not isinstance(found, list):
            raise RefusedError(self._url, "answered no features")
        return len(found), len(body.content)

    @property
    def _url(self) -> str:
        return f"{self.layer.url}/query"

    def _said(self, params: Mapping[str, str]) -> dict[str, Any]:
        asked = {**self.layer.filter(self.box), **params, "f": "json"}
        return self.client.again(
            lambda: decoded(self.client.once(self._url, asked)), _HASTE if self.hasty else None
        )

    def _rest_by_ids(self, count: int) -> Iterator[Page]:
        ids = self._ids()
        missing = dict.fromkeys(i for i in ids if i not in self.seen)
        self._deaf = False
        yield from self._run(Picked(tuple(missing)).parts(min(BATCH, self._size)), count)
        if self.seen.issuperset(ids) and len(ids) >= count:
            return
        # The layer may have been edited meanwhile: what is counted now decides.
        now = self.counted()
        if not self.seen.issuperset(ids) or len(ids) < now:
            self._refuse_short(len(self.seen), now)

    def _ids(self) -> list[Id]:
        found = self._said({"returnIdsOnly": "true"}).get("objectIds") or []
        if not isinstance(found, list) or not all(isinstance(i, int | str) for i in found):
            raise RefusedError(self._url, "said no list of object ids")
        return found

    def _refuse_short(self, got: int, count: int) -> None:
        if got < count:
            words = (
                f"counts {count:,} features and gives {got:,}, by pages and by object ids; "
                "expected all of them"
            )
            raise RefusedError(self._url, words)

    def _run(self, pieces: Sequence[Piece], count: int) -> Iterator[Page]:
        todo, waiting = deque(pieces), set[Future[tuple[Page | None, Sequence[Piece]]]]()
        with ThreadPoolExecutor(_THREADS) as pool:
            try:
                while todo or waiting:
                    while todo and len(waiting) < 2 * _THREADS:
                        waiting.add(pool.submit(self._answered, todo.popleft(), count))
                    done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                    for page, left in [one.result() for one in done]:
                        todo.extendleft(reversed(left))
                        if page is not None:
                            yield page
            finally:
                # After a failure the pieces that wait are not worth a request.
                pool.shutdown(wait=False, cancel_futures=True)

    def _answered(self, piece: Piece, count: int) -> tuple[Page | None, Sequence[Piece]]:
        """What came for a piece, and what is still to be asked for instead of it or after it."""
        if self._deaf:
            return None, ()
        if len(piece) > self._size and (self.layer.paged or isinstance(piece, Picked)):
            return None, piece.parts(self._size)
        try:
            page = self._page(piece)
        except RefusedError as error:
            if self.client.stop.is_set() or not (error.again or error.status in (None, 413)):
                raise
            if len(piece) == 1 or not (self.layer.paged or isinstance(piece, Picked)):
                return self._alone(piece, error), ()
            half = (len(piece) + 1) // 2
            self._smaller(half)
            return None, piece.parts(half)
        return page, self._after(page, self._noted(page), count)

    def _smaller(self, size: int) -> None:
        with self._lock:
            self._size = min(self._size, max(size, _LEAST_SHARED))

    def _noted(self, page: Page) -> int:
        """Count a page; how many features of it are new."""
        with self._lock:
            before = len(self.seen)
            self.seen.update(page.ids)
            # Where tables are joined, features share an id, and ids tell nothing of their number.
            self.repeats |= len({*page.ids}) < len(page.ids)
            self.rows += page.table.num_rows
            return len(self.seen) - before if self.layer.oid else page.table.num_rows

    def _after(self, page: Page, new: int, count: int) -> Sequence[Piece]:
        piece, came = page.piece, page.table.num_rows
        if came == 0 or new == 0:
            # A server that repeats itself does not listen: more of it would bring no more.
            self._deaf = self._deaf or came > 0
            return ()
        if isinstance(piece, Picked):
            left = tuple(i for i in piece.ids if i not in self.seen)
            return [Picked(left)] if 0 < len(left) < len(piece) else ()
        if not page.exceeded or not self.layer.paged:
            return ()
        if came < len(piece):
            self._smaller(came)
            return [Span(piece.offset + came, len(piece) - came)]
        with self._lock:
            self._beyond -= piece.offset + piece.size >= count
            more = piece.offset + piece.size >= count and self._beyond >= 0
        return [Span(piece.offset + piece.size, self._size)] if more else ()

    def _alone(self, piece: Piece, error: RefusedError) -> Page | None:
        """One feature that the server cannot give: simplified, if that may be."""
        if isinstance(piece, Span):
            if self.layer.oid is None:
                raise error
            return None  # it will be missed, and asked for by its id
        name = f"object id {piece.ids[0]}"
        if self.offset is None:
            words = f"does not give the feature with {name}: {error.words}"
            raise RefusedError(error.url, words, status=error.status) from None
        try:
            page = self._page(piece, {"maxAllowableOffset": f"{self.offset:.12g}"})
        except RefusedError as again:
            words = f"does not give the feature with {name}, not even simplified: {again.words}"
            raise RefusedError(error.url, words, status=again.status) from None
        if self._noted(page):
            self.generalised.append(piece.ids[0])
        return page

    def _page(self, piece: Piece, more: Mapping[str, str] | None = None) -> Page:
        asked = self.layer.wanted() | dict(more or {})
        if isinstance(piece, Picked):
            asked["objectIds"] = ",".join(map(str, piece.ids))
        else:
            asked |= self.layer.filter(self.box) | self._place(piece)
        alone, by_id = len(piece) == 1, isinstance(piece, Picked)
        most = MOST_BODY if alone else _MOST_PAGE
        last = alone and (by_id or self.layer.oid is None)

        def once() -> Page:
            return self._read(piece, self.client.once(self._url, asked, post=by_id, most=most))

        try:
            return self.client.again(once, None if last else _HASTE)
        except RefusedError as error:
            if error.status != 429:
                raise
            # Too many requests: patience helps, and smaller pages would be more of them.
            return self.client.again(once)

    def _place(self, span: Span) -> dict[str, str]:
        if not self.layer.paged:
            return {}
        said = {"resultOffset": str(span.offset), "resultRecordCount": str(span.size)}
        if self.layer.ordered and self.layer.oid is not None:
            said["orderByFields"] = self.layer.oid
        return said

    def _read(self, piece: Piece, body: Body) -> Page:
        content = body.content
        if len(content) < _SMALL or not _FEATURES.match(content):
            # An error is short. A long page is parsed once, by GDAL.
            found = decoded(body)
            if not isinstance(found.get("features"), list):
                raise RefusedError(body.url, "answered no features", again=True)
        if any(content.find(mark) >= 0 for mark in _CURVES):
            msg = f"{body.url}: answered true curves, which were not asked for and cannot be read"
            raise LayerDataError(msg)
        try:
            features = table(content, body.url)
        except LayerDataError as error:
            raise RefusedError(self._url, str(error), again=True) from None
        return Page(piece, features, self._ids_of(features), bool(_EXCEEDED.search(content)))

    def _ids_of(self, features: pa.Table) -> tuple[Id, ...]:
        if self.layer.oid is None or features.num_rows == 0:
            return ()
        column = server_name(self.layer.oid, features.column_names)
        if column is None:
            msg = f"{self._url}: features without their {self.layer.oid}, which was asked for"
            raise LayerDataError(msg)
        return tuple(features.column(column).to_pylist())
