"""By which law each site could be made available: its instruments, or why there are none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from geosite.tenure import COLUMNS, PARTLY, values_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from geosite.model.commodity import Commodities
    from geosite.model.rule import LandAuthorities, LandAuthority, ProjectType

NO_AUTHORITY = "no authority for its minerals"
"""Why a site is not in the list, as the run says it."""
_ORIGINS = frozenset({"public domain", "acquired"})
_CLOSED = frozenset({"withdrawn", "segregated"})
_RIGHTS = "valid existing rights possible, BLM decides"


def instruments(
    table: LandAuthorities, project: ProjectType
) -> dict[str, tuple[LandAuthority, ...]]:
    """Agency → by which laws it could make land available for a type of project, in their order."""
    out: dict[str, list[LandAuthority]] = {}
    for entry in table.authorities:
        if entry.project == project:
            out.setdefault(entry.agency, []).append(entry)
    return {agency: tuple(entries) for agency, entries in sorted(out.items())}


def authority_columns(
    land: pd.DataFrame,
    authorities: Mapping[str, tuple[LandAuthority, ...]],
    table: Commodities,
) -> pd.DataFrame:
    """By which law each site could be made available, and the disposal of its commodities.

    Parameters
    ----------
    land : DataFrame
        ``agency``, ``commodities`` (ids with ``;`` between them), ``land_origin``,
        ``mineral_estate``, ``mineral_status``.
    authorities : mapping of agency to instruments
        Of the project's type only.

    Returns
    -------
    DataFrame
        Indexed as `land`. ``authority``: instruments with their citation in brackets, each
        with its condition where the land's origin is not known. ``disposal``: kinds of
        minerals with their commodities. ``is_available``: whether there is an instrument.

    Notes
    -----
    A locatable mineral and a leasable one in the same ground need different instruments;
    both are named. Land withdrawn or segregated from location has none by location: rights
    that are older may be valid, and whether they are is not for a map to say. A lease is
    not closed by a withdrawal from location (43 CFR 2091); the order says what it closes.
    """
    disposal = {c.id: c.disposal for c in table.commodities}
    rows = []
    for agency, text, origin, estate, status in zip(
        *(land[c] for c in ("agency", "commodities", *COLUMNS)), strict=True
    ):
        kinds: dict[str, list[str]] = {}
        for commodity in filter(None, text.split("; ")):
            kinds.setdefault(disposal.get(commodity, "unknown"), []).append(commodity)
        fitting = [e for e in authorities.get(agency, ()) if _fits(e, kinds)]
        named, why = _named(fitting, origin, estate, status)
        closed = f"none: {why}" if why and not named else f"no location: {why}" if why else ""
        rows.append(
            {
                "authority": "; ".join([*named, closed] if closed else named),
                "disposal": "; ".join(f"{k}: {', '.join(v)}" for k, v in sorted(kinds.items())),
                "is_available": bool(named),
            }
        )
    out = pd.DataFrame(rows, index=land.index, columns=["authority", "disposal", "is_available"])
    return out.astype({"is_available": bool})


def _fits(entry: LandAuthority, kinds: Mapping[str, Sequence[str]]) -> bool:
    return (
        entry.disposal == "any" or not kinds or bool({entry.disposal, "both", "unknown"} & {*kinds})
    )


def _named(
    entries: Sequence[LandAuthority], origin: str, estate: str, status: str
) -> tuple[list[str], str]:
    """Instruments that are open, each once; and why those by location or by estate are not."""
    found: dict[str, tuple[list[str], str]] = {}
    why = ""
    for e in entries:
        if {*values_of(origin)} <= _ORIGINS - {e.land_origin} and e.land_origin != "any":
            continue
        if e.disposal != "any" and estate == "private":
            why = "mineral estate is private"
            continue
        if _is_closed(e, origin, status):
            why = f"{' or '.join(values_of(status))} from location; {_RIGHTS}"
            continue
        conditions = _conditions(e, origin, estate, status)
        known = found.get(e.authority)
        # The same instrument without a condition says more than with one.
        if known is None or len(conditions) < len(known[0]):
            found[e.authority] = (conditions, e.citation)
    named = [
        f"{name} ({', '.join(c)}) [{cited}]" if c else f"{name} [{cited}]"
        for name, (c, cited) in found.items()
    ]
    return named, why


def _is_closed(entry: LandAuthority, origin: str, status: str) -> bool:
    # What is closed to location is public domain: that it might be acquired land after all,
    # and leased, is not supposed where nothing says so.
    if entry.disposal != "locatable" or not {*values_of(status)} <= _CLOSED:
        return False
    return _is_by_location(entry) or "acquired" not in values_of(origin)


def _is_by_location(entry: LandAuthority) -> bool:
    # What is locatable on public domain is leased on acquired land.
    return entry.disposal == "locatable" and entry.land_origin != "acquired"


def _conditions(entry: LandAuthority, origin: str, estate: str, status: str) -> list[str]:
    out = []
    if entry.land_origin not in ("any", origin):
        out.append(f"{'where' if origin.startswith(PARTLY) else 'if'} {entry.land_origin}")
    if entry.disposal != "any" and estate.startswith(PARTLY) and "private" in values_of(estate):
        out.append("where the minerals are federal")
    if _is_by_location(entry) and status.startswith(PARTLY):
        out.append("where open to location")
    return out
