"""What servers answer: JSON, an error in words, or what nobody asked for."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import requests
import urllib3

from geosite.errors import printable
from geosite.sources.dataset import one_line

_BUSY = (408, 425, 429, 500, 502, 503, 504)
_UNASKABLE = (
    requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema, urllib3.exceptions.LocationValueError,
)  # fmt: skip
_MARKUP = re.compile(rb"\s*(<!doctype\s+html|<html|<head|<body)", re.IGNORECASE)


class RefusedError(Exception):
    """A server did not give what was asked.

    Not for users: who fetches a layer says it as a `FetchError` that names the layer.

    Parameters
    ----------
    url : str
    words : str
        What the server said or did, on one line.
    again : bool
        Whether the same request may succeed later.
    status : int, optional
        HTTP status, if there was one.
    wait : float, optional
        How long the server asks to wait [s].
    """

    def __init__(
        self, url: str, words: str, *, again: bool = False, status: int | None = None,
        wait: float | None = None,
    ) -> None:  # fmt: skip
        """Remember what was said."""
        url, words = printable(url), printable(words)
        super().__init__(f"{url}: {words}")
        self.url, self.words, self.again, self.status, self.wait = url, words, again, status, wait


@dataclass(frozen=True, slots=True)
class Body:
    """An answer held in memory, unpacked; `url` after every redirect."""

    content: bytes
    url: str
    status: int
    headers: Mapping[str, str]


def decoded(body: Body) -> dict[str, Any]:
    """The JSON object of an answer.

    Raises
    ------
    RefusedError
        If it is none, or says an error.
    """
    try:
        found = json.loads(body.content)
    except (ValueError, RecursionError):
        words = f"answered {glimpse(body.content)}, expected JSON"
        raise RefusedError(body.url, words, again=True, status=body.status) from None
    if not isinstance(found, dict):
        raise RefusedError(body.url, f"answered {type(found).__name__}, expected an object")
    error = found.get("error")
    if error is not None:
        said = error if isinstance(error, dict) else {"message": error}
        code = said.get("code")
        details = said.get("details")
        parts = [said.get("message"), *(details if isinstance(details, list) else [details])]
        words = "; ".join(one_line(str(p)) for p in parts if p) or one_line(json.dumps(error))
        # 498 and 499: a token is wanted, and asking again brings none.
        again = code not in (403, 404, 498, 499)
        number = code if isinstance(code, int) else None
        msg = f"said error {code}: {words[:300]}" if code is not None else f"said: {words[:300]}"
        raise RefusedError(body.url, msg, again=again, status=number)
    return found


def refusal_of_status(url: str, response: requests.Response, start: bytes) -> RefusedError:
    """What a status that is no success means; `start` of the body often says why."""
    status = response.status_code
    words = f"answered {status} {response.reason or ''}".strip()
    return RefusedError(
        url, f"{words}: {glimpse(start)}" if start else words, again=status in _BUSY,
        status=status, wait=_wait(response.headers.get("Retry-After", "")),
    )  # fmt: skip


def _wait(said: str) -> float | None:
    if re.fullmatch(r"[0-9]{1,9}", said):
        return float(said)
    try:
        until = parsedate_to_datetime(said)
    except ValueError:
        return None
    # A date without a zone is in UTC (RFC 5322: -0000).
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max((until - datetime.now(UTC)).total_seconds(), 0.0)


def refusal(url: str, error: Exception) -> RefusedError:
    """What an error of the HTTP library means."""
    passing = (
        requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError,
        urllib3.exceptions.ProtocolError, urllib3.exceptions.TimeoutError,
    )  # fmt: skip
    of_http = isinstance(error, requests.RequestException | urllib3.exceptions.HTTPError)
    unaskable = not of_http or isinstance(error, _UNASKABLE)
    lead = "leads to no address that can be asked: " if unaskable else ""
    return RefusedError(url, f"{lead}{_words(error)[:300]}", again=isinstance(error, passing))


def _words(error: BaseException) -> str:
    """The reason alone: the libraries wrap it several times over, each time with the address."""
    if isinstance(error, urllib3.exceptions.MaxRetryError) and error.reason is not None:
        return _words(error.reason)
    first, *more = error.args or (None,)
    if isinstance(first, Exception):
        return _words(first)
    said = re.sub(
        r"<[^>]*>: |HTTPS?Connection(Pool)?\([^)]*\): ", "", one_line(str(first or error))
    )
    inner = [repr(e) for e in more if isinstance(e, Exception) and repr(e) not in said]
    return " ".join([said, *inner])


def is_web_page(start: bytes) -> bool:
    """Whether bytes begin as HTML does: a login, a notice, a captcha."""
    return _MARKUP.match(start.removeprefix(b"\xef\xbb\xbf")) is not None


def glimpse(content: bytes) -> str:
    """The first words of what came, safe to print."""
    text = one_line(content[:2000].decode("utf-8", "replace")) if content.strip() else ""
    short = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[:120])
    if not short:
        return "nothing"
    return f"a web page ({short!r})" if is_web_page(content) else repr(short)
