"""Which of the layers that a service offers a name in the catalogue means."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from geosite.errors import FetchError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


def offered(wanted: str, names: Sequence[Sequence[str]], url: str, *, what: str) -> int:
    """Place in a list of the one name that is meant.

    In any letter case, with or without a prefix (``ms:mrds``), ``*`` for any letters; a name
    that is exactly the wanted one comes before all that are like it.

    Raises
    ------
    FetchError
        If none is meant, or several.
    """
    parts = wanted.strip().split("*")
    pattern = re.compile(".*".join(map(re.escape, parts)), re.IGNORECASE | re.DOTALL)
    bare = re.compile(".*".join(map(re.escape, _bare(wanted).split("*"))), re.IGNORECASE)
    tests: tuple[Callable[[str], object], ...] = (
        lambda name: name == wanted,
        lambda name: pattern.fullmatch(name.strip()),
        lambda name: bare.fullmatch(_bare(name)),
    )
    ways = ([k for k, own in enumerate(names) if any(map(test, own))] for test in tests)
    found = next(filter(None, ways), [])
    if len(found) == 1:
        return found[0]
    several = ", ".join(names[k][0] for k in found)
    sought = f"{len(found)} of them are {wanted!r} ({several})" if found else f"no {wanted!r}"
    there = ", ".join(own[0] for own in names) or "none"
    msg = f"{url}: {sought}; {what} there: {there}; correct layer of this source"
    raise FetchError(msg)


def refuse_missing(columns: Mapping[str, str | None], there: Sequence[str], where: str) -> None:
    """Refuse a source that lacks declared fields, all of them at once.

    Parameters
    ----------
    columns : mapping
        Declared name at the source → the name that it has there, None if it is not there.
    there : sequence of str
    where : str
        What lacks them, in the message.

    Raises
    ------
    FetchError
        If one is not there.
    """
    missing = [repr(name) for name, found in columns.items() if found is None]
    if missing:
        msg = (
            f"{where}: no field {', '.join(missing)} (or several); its fields: "
            f"{', '.join(there) or 'none'}; correct fields.*.from"
        )
        raise FetchError(msg)


def _bare(name: str) -> str:
    return name.strip().rpartition(":")[2]
