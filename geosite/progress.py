"""How far a run is, or each layer of a fetch: bars on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol, TextIO

from geosite.errors import printable

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Never, Self

    from tqdm import tqdm

_SECONDS = 5.0
"""Least time between two lines [s]."""
_PATIENCE_S = 60.0
"""Longest silence while tiles come in [s]."""
_SHARE = 0.1
"""Share of the tiles after which a line is due."""


class Progress(Protocol):
    """What is told of each step: its name, and how many of its parts are done."""

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Take note."""

    def __enter__(self) -> Self:
        """Begin."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave a tidy terminal."""


def drawn(*, quiet: bool = False, stream: TextIO | None = None) -> Progress:
    """Progress as it suits the stream, which is standard error unless another is given."""
    stream = stream or sys.stderr
    if quiet:
        return Silence()
    return Bar(stream) if stream.isatty() else Lines(stream)


class Silence:
    """Nothing is said."""

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Take no note."""

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """End."""


class Bar:
    """A bar with tiles done, rate and time left; it is gone when the work is done."""

    def __init__(self, stream: TextIO) -> None:
        """Draw nothing yet."""
        self._stream = stream
        self._stage = ""
        self._bar: tqdm[Never] | None = None

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Draw the bar anew."""
        # A terminal that has gone away is no reason to give up a run.
        with suppress(OSError):
            if stage != self._stage or self._bar is None:
                self._begin(stage, done, total)
            elif done > self._bar.n:
                self._bar.update(done - self._bar.n)

    def _begin(self, stage: str, done: int, total: int) -> None:
        from tqdm import tqdm  # noqa: PLC0415 -- only where there is a terminal

        self._end()
        self._stage = stage
        counted = "{desc}: {n_fmt} of {total_fmt} |{bar}| {rate_fmt}, {remaining} left"
        self._bar = tqdm(
            desc=stage,
            initial=done,
            total=total or None,
            unit=" tiles",
            file=self._stream,
            leave=False,
            dynamic_ncols=True,
            bar_format=counted if total else "{desc} …",
        )

    def _end(self) -> None:
        if self._bar is not None:
            with suppress(OSError):
                self._bar.close()
            self._bar = None

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """Wipe the bar."""
        self._end()


class Lines:
    """A line at the beginning of each step, and now and then while tiles come in."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        """Say nothing yet."""
        self._stream = stream
        self._clock = clock
        self._stage = ""
        self._first = self._last = (0.0, 0)

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Write a line, if one is due."""
        now = self._clock()
        if stage != self._stage:
            self._stage = stage
            self._first = self._last = (now, done)
            self._write(f"{stage} …" if not total else f"{stage}: {done:,} of {total:,}")
            return
        since, before = now - self._last[0], self._last[1]
        due = since >= _SECONDS and done - before >= _SHARE * total
        if due or since >= _PATIENCE_S or done == total > before:
            self._last = (now, done)
            self._write(f"{stage}: {done:,} of {total:,}{self._pace(now, done, total)}")

    def _pace(self, now: float, done: int, total: int) -> str:
        seconds, tiles = now - self._first[0], done - self._first[1]
        if not tiles or seconds <= 0:
            return ""
        left = (total - done) * seconds / tiles
        rest = f", {_duration(left)} left" if done < total else ""
        return f", {tiles / seconds:.2g} a second{rest}"

    def _write(self, line: str) -> None:
        # A terminal that has gone away is no reason to give up a run.
        with suppress(OSError):
            print(line, file=self._stream, flush=True)

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """End."""


class LayerProgress(Protocol):
    """What is told of each layer that is fetched, from the thread that fetches it."""

    def __call__(self, layer: str, done: int, total: int | None) -> None:
        """Take note of how many features or bytes have come, and of how many if that is known."""

    def ended(self, layer: str, words: str) -> None:
        """Say what came of a layer."""

    def __enter__(self) -> Self:
        """Begin."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave a tidy terminal."""


def layers_drawn(*, quiet: bool = False, stream: TextIO | None = None) -> LayerProgress:
    """Progress of layers as it suits the stream, standard error unless another is given."""
    stream = stream or sys.stderr
    if quiet:
        return LayerSilence()
    return LayerBars(stream) if stream.isatty() else LayerLines(stream)


class LayerSilence(Silence):
    """Nothing is said."""

    def __call__(self, layer: str, done: int, total: int | None) -> None:
        """Take no note."""

    def ended(self, layer: str, words: str) -> None:
        """Say nothing."""


class LayerLines:
    """A line for each layer when it has come, and one a minute while it comes."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        """Say nothing yet."""
        self._stream = stream
        self._clock = clock
        self._said: dict[str, float] = {}
        self._lock = threading.Lock()

    def __call__(self, layer: str, done: int, total: int | None) -> None:
        """Write a line, if one is due."""
        now = self._clock()
        with self._lock:
            if now - self._said.setdefault(layer, now) < _PATIENCE_S:
                return
            self._said[layer] = now
        self._write(f"{layer}: {done:,} of {total:,}" if total else f"{layer}: {done:,} so far")

    def ended(self, layer: str, words: str) -> None:
        """Write what came of a layer."""
        self._write(printable(f"{layer}: {words}"))

    def _write(self, line: str) -> None:
        with self._lock, suppress(OSError):
            print(line, file=self._stream, flush=True)

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """End."""


class LayerBars:
    """A bar for each layer that is coming; what came of it stays above them."""

    def __init__(self, stream: TextIO) -> None:
        """Draw nothing yet."""
        self._stream = stream
        self._bars: dict[str, tqdm[Never]] = {}
        self._lock = threading.Lock()

    def __call__(self, layer: str, done: int, total: int | None) -> None:
        """Draw the layer's bar anew."""
        from tqdm import tqdm  # noqa: PLC0415 -- only where there is a terminal

        with self._lock, suppress(OSError):
            bar = self._bars.get(layer)
            if bar is None:
                bar = self._bars[layer] = tqdm(
                    desc=layer, total=total, unit="", unit_scale=True, file=self._stream,
                    leave=False, dynamic_ncols=True,
                )  # fmt: skip
            bar.total = total
            bar.update(done - bar.n)

    def ended(self, layer: str, words: str) -> None:
        """Take the layer's bar away, and write what came of it."""
        from tqdm import tqdm  # noqa: PLC0415

        with self._lock, suppress(OSError):
            bar = self._bars.pop(layer, None)
            if bar is not None:
                bar.close()
            tqdm.write(printable(f"{layer}: {words}"), file=self._stream)

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """Wipe every bar."""
        with self._lock, suppress(OSError):
            while self._bars:
                self._bars.popitem()[1].close()


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
