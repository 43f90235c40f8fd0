"""Decisions of reviewers and what they changed: for a terminal, a page, a table and a file."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

import pandas as pd
import shapely
import yaml

from geosite.report.tables import write_table
from geosite.report.text import markdown, number, plain, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    import geopandas as gpd

    from geosite.decisions import Overlay

COLUMNS = (
    "decision_no", "place", "rule", "decision", "finding", "effect", "role", "date", "case",
    "reason", "together_with", "site_before", "site_after", "matched", "status_before",
    "status_after",
    "suitability_before", "suitability_after", "rank_before", "rank_after", "moved",
    "excluded_ha_before", "excluded_ha_after", "unknown_ha_before", "unknown_ha_after",
    "clear_ha_before", "clear_ha_after",
)  # fmt: skip
"""Columns of ``reviews.csv``; one row a decision and site on its land."""
_SITES = 10
"""Sites of a decision that are shown; ``reviews.csv`` has them all."""
_CHANGED = 20
"""Differences of question and data that are listed."""


def write_reviews(overlay: Overlay, said: Mapping[str, Any], folder: Path) -> None:
    """Write ``reviews.csv`` and ``reviews.yaml`` into the folder of a run.

    Parameters
    ----------
    said : mapping
        What ``run.json`` says.
    """
    found = reviews_table(said["reviews"])
    write_table(found, folder / "reviews.csv", notice=said["notice"])
    (folder / "reviews.yaml").write_text(overlay_yaml(overlay), encoding="utf-8")


def reviews_table(said: Mapping[str, Any]) -> pd.DataFrame:
    """What ``reviews.csv`` holds, from what ``run.json`` says under ``reviews``."""
    found = pd.DataFrame(said["rows"], columns=list(COLUMNS))
    return found.astype({"rank_before": "Int64", "rank_after": "Int64"})


def overlay_text(overlay: Overlay) -> str:
    """What `geosite plan` prints of an overlay: each decision and what it will change."""
    lines = [f"reviews of {plain(overlay.run.name)} (by day; a later one covers an earlier)"]
    for one in overlay.decided:
        d = one.decision
        lines += [
            (
                f"  {d.date}  {d.decision}{_finding(d.finding)}: {d.rule} on {plain(one.place)}, "
                f"{one.land.area / 10_000:,.1f} ha; {plain(one.words)}"
            ),
            f"              {plain(d.role)}: {plain(d.reason)}",
        ]
    return "\n".join(lines)


def overlay_yaml(overlay: Overlay) -> str:
    """The overlay as it was applied: its decisions by day, each with what it changes, as YAML.

    It can be applied again, beside the files of its areas.
    """
    lines = [f"# Applied to {plain(overlay.run.name)}, {overlay.run_hash}."]
    lines += [_dumped({"run": overlay.run.name}).rstrip(), "decisions:"]
    for one in overlay.decided:
        told = one.decision.model_dump(mode="json", exclude_none=True)
        body = _dumped([told]).rstrip().splitlines()
        area = f"{one.land.area / 10_000:,.1f} ha"
        lines += [f"  # {area}: {plain(one.words)}", *(f"  {line}" for line in body)]
    return "\n".join(lines) + "\n"


def _dumped(value: object) -> str:
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=10_000)


def changes_text(said: Mapping[str, Any]) -> str:
    """What a terminal shows after the run: each decision, its reason, and what it changed."""
    lines = [f"reviewed: {plain(said['run'])}; {_sites(said)}"]
    for rows, more in _shown(said["rows"]):
        one = rows[0]
        lines += [
            (
                f"  {one['decision_no']}. {one['decision']}{_finding(one['finding'])}: "
                f"{plain(one['rule'])} on {plain(one['place'])}; {plain(_effect(one))}"
            ),
            f"      {plain(one['role'])}, {plain(one['date'])}: {plain(one['reason'])}",
            f"      its land: {_land(one)}",
            *(f"      {_change(row)}" for row in rows),
            *([f"      and {more:,} more sites in reviews.csv"] if more else []),
        ]
    return "\n".join([*lines, *(f"  {line}" for line in _since(said))])


def _shown(
    rows: Sequence[Mapping[str, Any]],
) -> Iterable[tuple[list[Mapping[str, Any]], int]]:
    # The first sites of each decision, those that changed before the others, and how many more.
    for _, found in groupby(rows, key=lambda row: row["decision_no"]):
        ordered = sorted(found, key=lambda row: row["moved"] == "as before")
        yield ordered[:_SITES], max(0, len(ordered) - _SITES)


def reviews_section(said: Mapping[str, Any] | None) -> str:
    """The section of a run's README.md; empty for a run without reviews."""
    if not said:
        return ""
    heads = (
        "no.", "decision", "rule", "place", "what it does", "status", "suitability", "rank",
        "excluded", "unknown", "reason", "by",
    )  # fmt: skip
    shown = list(_shown(said["rows"]))
    rows = [_cells(row) for some, _ in shown for row in some]
    more = sum(n for _, n in shown)
    run = markdown(said["run"], 300)
    parts = [
        "## What reviewers decided",
        (
            f"This run repeats {run} with the decisions below. They are judgements of their "
            "authors, each with its reason; no rule was changed anywhere else. What is found on "
            "the land of a decision is found with all of them, and a rank also moves when "
            "another site does."
        ),
        table(heads, rows),
        f"{more:,} more sites on the land of these decisions are in `reviews.csv`." if more else "",
        markdown(_sites(said), 2000),
        "\n".join(f"* {markdown(line, 1000)}" for line in _since(said)),
    ]
    return "\n\n".join(p for p in parts if p)


def review_facts(said: Mapping[str, Any] | None, site: str) -> list[list[str]]:
    """What the card of a site says of the decisions on its land: title and text."""
    rows = said["rows"] if said else []
    return [
        [
            f"{plain(row['decision'])}{_finding(row['finding'])}",
            (
                f"{plain(row['rule'])}: {plain(row['reason'])} ({plain(row['role'])}, "
                f"{plain(row['date'])}; {_moved(row)})"
            ),
        ]
        for row in rows
        if row["site_after"] == site
    ]


def spot_lines(reviews: gpd.GeoDataFrame, x: float, y: float) -> list[str]:
    """What `explain` prints of the decisions on a spot; `reviews` is the layer of the run."""
    here = reviews[reviews.intersects(shapely.Point(x, y))]
    return [
        f"      reviewed: {d['decision']}{_finding(d['finding'])}: {d['rule']}; {d['effect']} "
        f"({d['role']}, {d['date']}: {d['reason']})"
        for d in here.to_dict("records")
    ]


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    words = [
        str(row["decision_no"]),
        f"{row['decision']}{_finding(row['finding'])}",
        row["rule"],
        _place(row),
        _effect(row),
        _to(row["status_before"], row["status_after"]),
        _to(_score(row.get("suitability_before")), _score(row.get("suitability_after"))),
        f"{_to(_rank(row.get('rank_before')), _rank(row.get('rank_after')))} ({row['moved']})",
        _to(_ha(row.get("excluded_ha_before")), _ha(row.get("excluded_ha_after"))),
        _to(_ha(row.get("unknown_ha_before")), _ha(row.get("unknown_ha_after"))),
        row["reason"],
        f"{row['role']}, {row['date']}",
    ]
    return tuple(markdown(w, 1000) for w in words)


def _effect(row: Mapping[str, Any]) -> str:
    others = row["together_with"]
    return f"{row['effect']} (together with no. {others})" if others else f"{row['effect']}"


def _place(row: Mapping[str, Any]) -> str:
    site, place = row["site_after"] or row["site_before"], row["place"]
    return f"{site} in {place}" if site and row["site_before"] != place else f"{site or place}"


def _change(row: Mapping[str, Any]) -> str:
    site = _to(row["site_before"] or "no site", row["site_after"] or "no site")
    status = _to(row["status_before"], row["status_after"])
    return plain(f"{site}: {status}; {_moved(row)}")


def _land(row: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{state} {_to(_ha(row.get(f'{state}_ha_before')), _ha(row.get(f'{state}_ha_after')))}"
        for state in ("excluded", "unknown", "clear")
    )


def _moved(row: Mapping[str, Any]) -> str:
    ranks = _to(_rank(row.get("rank_before")), _rank(row.get("rank_after")))
    scores = _to(_score(row.get("suitability_before")), _score(row.get("suitability_after")))
    return f"rank {ranks} ({row['moved']}), suitability {scores}"


def _to(before: object, after: object) -> str:
    return f"{before}" if before == after else f"{before} → {after}"


def _score(value: object) -> str:
    found = number(value)
    return "none" if found is None else f"{found:.3f}"


def _rank(value: object) -> str:
    found = number(value)
    return "none" if found is None else f"{found:.0f}"


def _ha(value: object) -> str:
    return f"{number(value) or 0.0:,.1f} ha"


def _finding(finding: str | None) -> str:
    return f" ({finding})" if finding else ""


def _sites(said: Mapping[str, Any]) -> str:
    words = [f"sites {said['sites_before']:,} before, {said['sites_after']:,} now"]
    words += [f"{said['moved']:,} of another rank"] if said["moved"] else []
    words += _named("no site any more", said["vanished"]) + _named("new", said["appeared"])
    return "; ".join(words)


def _named(word: str, ids: Sequence[str]) -> list[str]:
    return [f"{word}: {', '.join(plain(i) for i in ids)}"] if ids else []


def _since(said: Mapping[str, Any]) -> Iterable[str]:
    changed = [plain(c) for c in said["since"]]
    if not changed:
        return []
    more = len(changed) - _CHANGED
    rest = [f"and {more} more"] if more > 0 else []
    lead = "also changed since the reviewed run, so not all of this is the decisions' doing: "
    return [lead + "; ".join([*changed[:_CHANGED], *rest])]
