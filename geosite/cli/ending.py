"""How a verb ends: one clean message for each error, and what a script may rely on.

Results go to standard output, words to standard error. Exit codes: 0 done, 1 a
mistake that the message explains, 2 wrong usage, 130 stopped by Ctrl-C, 143 by a
signal to terminate.
"""

from __future__ import annotations

import functools
import shutil
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

import click

from geosite.errors import GeositeError, printable


def clean(verb: Callable[..., None]) -> Callable[..., None]:
    """A verb whose mistakes are messages, and which tidies up when it is stopped."""

    @functools.wraps(verb)
    def run(*args: Any, **kwargs: Any) -> None:
        ended: list[int] = []

        def end(number: int, _frame: object) -> None:
            ended.append(number)
            raise KeyboardInterrupt

        # Who is asked to terminate tidies up as after Ctrl-C.
        here = threading.current_thread() is threading.main_thread()
        before = signal.signal(signal.SIGTERM, end) if here else None
        try:
            verb(*args, **kwargs)
        except GeositeError as error:
            click.echo(f"geosite: {error}", err=True)
            sys.exit(1)
        except KeyboardInterrupt as error:
            click.echo(f"geosite: {str(error) or 'stopped'}", err=True)
            sys.exit(128 + (ended or [signal.SIGINT])[0])
        finally:
            if here:
                signal.signal(signal.SIGTERM, before)

    return run


def said(words: str) -> None:
    """Say something that is no result."""
    click.echo(printable(words), err=True)


def listing(words: str) -> None:
    """Print a table of which a terminal shows as much as fits; a file or pipe gets it all."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    lines = printable(words).splitlines()
    click.echo(
        "\n".join(x if not width or len(x) <= width else f"{x[: width - 1]}…" for x in lines)
    )


def result(words: str) -> None:
    """Print a result; names in data and words of servers may be in it."""
    click.echo(printable(words))


def silent(_words: str) -> None:
    """Say nothing."""
