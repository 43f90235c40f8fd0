"""Errors a user can act on.

Every message says what was found, where, what was expected and what would fix
it, all faults at once. Each class is also the built-in it specialises, so a
caller need not import this module. The command line prints these without a
traceback; anything else that escapes is a bug of ours.
"""

import re

_COMMANDS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def printable(words: str) -> str:
    r"""Words, whoever wrote them, without what commands a terminal or turns writing round.

    Examples
    --------
    >>> ascii(printable("Copper\x1b[2J Hill"))
    "'Copper\\ufffd[2J Hill'"
    """
    return _COMMANDS.sub("\N{REPLACEMENT CHARACTER}", words)


class GeositeError(Exception):
    """Base of every error geosite raises on purpose."""

    def __str__(self) -> str:
        """The message, safe to print: names in data and words of servers are in it."""
        return printable(super().__str__())


class CatalogError(GeositeError, ValueError):
    """A layer, rule or scenario file is wrong.

    Not for a layer whose *data* is wrong: that is a `LayerDataError`.
    """


class LayerDataError(GeositeError, ValueError):
    """The bytes of a layer contradict what its catalogue entry declares, or cannot be read."""


class CRSMismatchError(GeositeError, ValueError):
    """Two things that must share a coordinate reference system do not."""


class CoverageError(GeositeError, ValueError):
    """The question asks about land where no layer, parcel or feature is."""


class MissingLayerError(GeositeError, FileNotFoundError):
    """A layer that the scenario names is not in the catalogue, or its file is not in place."""


class FetchError(GeositeError, ConnectionError):
    """A layer cannot be had from its official source, or what came is not what was asked for."""


class CapacityError(GeositeError, MemoryError):
    """The plan does not fit the memory it was given."""


class SchedulerError(GeositeError, ConnectionError):
    """A Dask scheduler cannot be reached, or its workers cannot do the work."""


class PortfolioError(GeositeError, ValueError):
    """No set of sites does what is asked, or none was found in time."""


class RunError(GeositeError, OSError):
    """A run folder cannot be written, or is not a finished run."""


def faults(title: str, found: list[str]) -> str:
    """One message that lists every fault under a title."""
    return "\n".join([title, *(f"  {line}" for line in found)])
