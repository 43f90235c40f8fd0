"""Which commodities are asked for, and what a record's words for them mean.

What geology says, and nothing that came after a mine: no infrastructure, claims,
plans or plants are read here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from geosite.model.commodity import Commodities

PLANT = "plant"
"""Class of a mill, smelter or works: industry, and never evidence of ore."""
_CODE = re.compile(r"[A-Z][A-Z0-9]{0,3}(_[A-Z0-9]{1,3})?")
"""One code of MRDS, such as AU, REE, PGE_PT or W_C."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a scenario asks of mineral records.

    Attributes
    ----------
    asked
        Ids that count: those that were named, the members of a group that was named, and the
        group of a member that was named, because records often name the group only.
    names
        Lower-case name → commodity id; an empty id: the name is of no commodity of the table.
    hosts
        By-product that was asked for and that nobody mines for itself → ids of its hosts.
    opens_hosts
        Whether a host's record is evidence of a by-product that it does not name: only where
        the by-products were asked for by name. A list asks for what it lists, and would
        otherwise take every molybdenum prospect for rhenium.
    """

    asked: frozenset[str]
    names: Mapping[str, str]
    hosts: Mapping[str, frozenset[str]]
    opens_hosts: bool = True

    @classmethod
    def of(cls, wanted: str | Sequence[str], table: Commodities) -> Question:
        """What is asked by a list's name or commodity by commodity."""
        asked = asked_commodities(wanted, table)
        hosts = {
            c.id: frozenset(c.hosts)
            for c in table.commodities
            if c.id in asked and c.hosts and c.by_product == "always"
        }
        return cls(asked, commodity_names(table), hosts, not isinstance(wanted, str))


def asked_commodities(wanted: str | Sequence[str], table: Commodities) -> frozenset[str]:
    """Ids of the commodities that a scenario asks for, by list name or one by one.

    Who asks for a group asks for its members, and who asks for a member also for what is
    recorded as the group: records of rare earths seldom say which.
    """
    if isinstance(wanted, str):
        return frozenset(c.id for c in table.commodities if wanted in c.lists)
    named = set(wanted)
    members = {m for c in table.commodities if c.id in named for m in c.members}
    groups = {c.id for c in table.commodities if named & set(c.members)}
    return frozenset(named | members | groups)


def commodity_names(table: Commodities) -> dict[str, str]:
    """Every name and code that records use → commodity id, in lower case.

    Names that hold the name of a commodity and are none, such as ``Silver, Refinery``, and the
    qualifiers that stand after a name lead to the empty id.
    """
    none = {name.casefold(): "" for name in (*table.none_of_these, *table.qualifiers)}
    return none | {
        name.casefold(): c.id for c in table.commodities for name in (c.id, c.title, *c.names)
    }


def possible_names(table: Commodities) -> dict[str, str]:
    """Names that may mean a commodity and cannot be told → its id, in lower case."""
    return {name.casefold(): c.id for c in table.commodities for name in c.possible_names}


def named_commodities(text: object, names: Mapping[str, str]) -> tuple[str, ...]:
    """Commodities that a record names, in order of id.

    Names are compared whole: ``RE`` is rhenium and no part of ``REE``. A record is split at
    semicolons first, then at commas; because names themselves contain commas, the longest run
    of pieces that is a name counts. A list of nothing but codes is split at blanks too.

    Examples
    --------
    >>> names = {"barium-barite": "barite", "clay, kaolin": "kaolin", "gold": "gold", "au": "gold"}
    >>> named_commodities("Gold; Clay, Kaolin", names)
    ('gold', 'kaolin')
    >>> named_commodities("AU AL3 COA", names)
    ('gold',)
    """
    return tuple(sorted(_found(str(text), names) - {""}))


def _found(text: str, names: Mapping[str, str]) -> set[str]:
    found: set[str] = set()
    for part in re.split(r"[;|]", text):
        tokens = re.split(r"[\s,]+", part.strip())
        if part.strip().casefold() not in names and all(map(_CODE.fullmatch, tokens)):
            found.update(names.get(t.casefold(), "") for t in tokens)
            continue
        pieces = [p for p in (" ".join(t.split()) for t in part.casefold().split(",")) if p]
        at = 0
        while at < len(pieces):
            runs = (", ".join(pieces[at:end]) for end in range(len(pieces), at, -1))
            run = next((r for r in runs if r in names), pieces[at])
            found.add(names.get(run, ""))
            at += run.count(", ") + 1
    return found
