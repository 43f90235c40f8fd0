"""Mineral potential and certainty that records propose: never a determination."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geosite.model.potential import PotentialTable

COLUMNS = ("proposed_potential", "proposed_certainty")


def proposed(deposits: pd.DataFrame, table: PotentialTable) -> pd.DataFrame:
    """Proposed potential (O, L, M, H, ND) and certainty (A–D) of each deposit: `COLUMNS`.

    Parameters
    ----------
    deposits : DataFrame
        From `deposits.deposits`: ``evidence_class``, ``quality`` and ``layer_qualities`` are
        read.

    Notes
    -----
    A layer counts for a certainty by the best quality of its own records: a poor record beside
    a good one is no second good one. A level that is not determined has certainty A: there is
    nothing to be certain of.
    """
    levels = {c: r.level for r in reversed(table.levels) for c in r.classes}
    rows = []
    for class_, quality, best in zip(
        deposits["evidence_class"], deposits["quality"], deposits["layer_qualities"], strict=True
    ):
        level = levels.get(class_, "ND")
        certain = next(
            (
                r.certainty
                for r in table.certainties
                if quality in r.qualities
                and sum(q in r.qualities for q in best) >= r.layers_at_least
            ),
            "A",
        )
        rows.append((level, "A" if level == "ND" else certain))
    return pd.DataFrame(rows, index=deposits.index, columns=list(COLUMNS), dtype=object)


def merged_words(site: Mapping[str, Any]) -> str:
    """How many records the deposits of a site were merged from, in words.

    Examples
    --------
    >>> merged_words({"deposits_n": 2, "records_n": 5, "evidence_layers": "minerals/mrds"})
    '2 deposits from 5 records of minerals/mrds'
    """
    deposits, records = (int(site.get(k) or 0) for k in ("deposits_n", "records_n"))
    if not records:
        return ""
    of = f" of {site['evidence_layers']}" if site.get("evidence_layers") else ""
    many = [
        f"{n:,} {w}{'' if n == 1 else 's'}" for n, w in ((deposits, "deposit"), (records, "record"))
    ]
    return f"{many[0]} from {many[1]}{of}"


def potential_words(row: Mapping[str, Any]) -> str:
    """A proposed pair in words, for people; empty where there is none.

    Examples
    --------
    >>> potential_words({"proposed_potential": "H", "proposed_certainty": "C"})
    'high potential, certainty C (proposed from records; not a determination)'
    """
    names = {"O": "no", "L": "low", "M": "moderate", "H": "high", "ND": "undetermined"}
    level = names.get(str(row.get("proposed_potential")))
    if level is None:
        return ""
    certainty = row.get("proposed_certainty")
    return f"{level} potential, certainty {certainty} (proposed from records; not a determination)"
