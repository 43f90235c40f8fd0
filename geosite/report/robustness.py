"""How firm a ranking is, in words: under other weights, and under other rules of combination."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geosite.model.combination import NAMES
from geosite.report.facts import LIST_SHARE, share_words
from geosite.report.text import escaped_table, markdown, number, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geosite.report.content import Content

_TEN = 10


def weighting_words(said: Mapping[str, Any] | None, site: Mapping[Any, Any]) -> str:
    """What other weights would do to a site, by what ``run.json`` says of its robustness.

    ``stays in the top 10 in 83 % of 10,000 weightings; rank 2–14 in nine of ten``; nothing
    where it was not asked, or the rule reads no weight.
    """
    said = said or {}
    low, high = number(site.get("rank_p05")), number(site.get("rank_p95"))
    if low is None or high is None or not said.get("reads_weights", True):
        return ""
    span = f"{low:.0f}–{high:.0f}" if low != high else f"{low:.0f}"
    ranks = f"rank {span} in nine of ten weightings"
    found = _own_list(site)
    if found is None:
        return ranks
    k, share, inside = found
    draws = said.get("draws")
    drawn = "the weightings" if draws is None else f"{draws:,} weightings"
    verb = "stays" if inside else "comes"
    into = "in" if inside else "into"
    return f"{verb} {into} the top {k} in {share_words(share)} of {drawn}; {ranks}"


def _own_list(site: Mapping[Any, Any]) -> tuple[int, float, bool] | None:
    """The shortest list that holds a site, else the longest; the share, and whether it is in it."""
    lists = sorted(
        (int(m[1]), share)
        for column, value in site.items()
        if (m := LIST_SHARE.fullmatch(str(column))) and (share := number(value)) is not None
    )
    rank = number(site.get("rank"))
    if not lists or rank is None:
        return None
    for k, share in lists:
        if rank <= k:
            return k, share, True
    k, share = lists[-1]
    return k, share, False


def robustness_section(content: Content) -> str:
    """What README.md says of the ranking's firmness; nothing of a run that did not ask."""
    said = content.robustness
    if not said or content.sites.empty:
        return ""
    parts = ["## How firm the ranking is", _INTERVALS, _asked(said)]
    if said["reads_weights"]:
        parts += [_sites(content, said), *(_list(content, x) for x in said["lists"])]
    parts += [_rules(said)]
    return "\n\n".join(p for p in parts if p)


_INTERVALS = (
    "Two intervals of ranks stand beside each rank and say two things. `rank_best` to "
    "`rank_worst` (in brackets above) is what a site may have *once all is known that is not*, "
    "at the stated weights. `rank_p05` to `rank_p95` is where nine in ten *other weightings* of "
    "the criteria put it, with what is known today."
)


def _asked(said: Mapping[str, Any]) -> str:
    if not said["reads_weights"]:
        return "The rule of combination reads no weights, so every weighting gives the same ranks."
    spread = number(said.get("spread"))
    how = (
        "evenly from all weightings there are"
        if spread is None
        else f"about the stated one (Dirichlet; a weight of mean size by ± {100 * spread:g} % of "
        "itself, as two standard deviations)"
    )
    return (
        f"{said['draws']:,} weightings were drawn {how}, seed {said.get('seed', 0)}, and each "
        "ranked the same sites (SMAA-2: Lahdelma & Salminen 2001, "
        "doi:10.1287/opre.49.3.444.11220)."
    )


def _sites(content: Content, said: Mapping[str, Any]) -> str:
    lists = [x["k"] for x in said["lists"] if f"top{x['k']}_share_pct" in content.sites]
    sites = content.sites.sort_values("rank", kind="stable").head(_TEN)
    rows = []
    for site in sites.drop(columns=sites.geometry.name).to_dict("records"):
        low, high = number(site.get("rank_p05")), number(site.get("rank_p95"))
        if low is None or high is None:
            continue
        best, worst = number(site.get("rank_best")), number(site.get("rank_worst"))
        shares = (number(site.get(f"top{k}_share_pct")) for k in lists)
        rows.append(
            (
                f"{number(site.get('rank')) or 0:.0f}",
                plain(site.get("site_id"), 80),
                f"{low:.0f}–{high:.0f}",
                "" if best is None or worst is None else f"{best:.0f}–{worst:.0f}",
                *("" if s is None else share_words(s) for s in shares),
            )
        )
    heads = ("rank", "site", "other weights", "what is unknown", *(f"in top {k}" for k in lists))
    return escaped_table(heads, rows) if rows else ""


def _list(content: Content, said: Mapping[str, Any]) -> str:
    k, sites = said["k"], said["sites"]
    if len(content.sites) <= k:
        return ""
    words = (
        f"Top {k}: {said['stay']} of {sites} stay in it in at least 90 % of the weightings; "
        f"{said['ever']:,} sites are in it in one or more."
    )
    if first := said.get("first_to_drop"):
        titles = {c.id: c.title for c in content.criteria}
        title = titles.get(first.get("criterion"), first.get("criterion"))
        words += (
            f" The smallest change of one weight that changes the list: {plain(title, 120)} from "
            f"{number(first.get('from_pct')) or 0:.1f} % to "
            f"{number(first.get('to_pct')) or 0:.1f} % drops {plain(first.get('site_id'), 80)}."
        )
    return markdown(words, 600)


def _rules(said: Mapping[str, Any]) -> str:
    if not said["agreement"]:
        return ""
    rows = [
        (
            _name(pair["other"]),
            _correlation(pair.get("kendall")),
            _correlation(pair.get("spearman")),
            f"{pair['of_top_10']}",
        )
        for pair in said["agreement"]
        if pair["rule"] == said["rules"][0]
    ]
    heads = ("rule", "Kendall τ-b", "Spearman ρ", "of both top tens")
    text = (
        "How far other rules of combination agree with the one that was asked for "
        f"({_name(said['rules'][0])}) on the same scores and weights; 1 is the same order. "
        "`run.json` has every pair of rules, and `robustness.csv` every site's rank by each."
    )
    return f"{text}\n\n{escaped_table(heads, rows)}"


def _correlation(value: object) -> str:
    found = number(value)
    return "" if found is None else f"{found:.2f}"


def _name(rule: str) -> str:
    # Its formula stands elsewhere.
    return NAMES.get(rule, rule).partition(":")[0].partition(",")[0]
