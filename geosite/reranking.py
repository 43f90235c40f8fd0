"""Rank the sites of a finished run anew: other weights, another rule, the same candidates.

Everything is worked out from the saved decision matrix by the code that ranked the run, so
the answer is the run's own, without its analysis. Nothing is read but what a ranking needs.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from pydantic import TypeAdapter, ValidationError

from geosite.choices import rule_misfit
from geosite.closeness import Reversal, order
from geosite.errors import CatalogError, RunError
from geosite.matrix import Matrix, Scored, matrix_of, scored, set_reversals, tiers_of
from geosite.model.combination import UNWEIGHTED, Combination, rule_words
from geosite.voices import no_regret, ranks
from geosite.weighting import PER_MILLE, per_mille

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import geopandas as gpd
    from numpy.typing import NDArray

    from geosite.suitability import Missing

_RULE: TypeAdapter[Combination] = TypeAdapter(Combination)
_SITE = ("site_id", "name", "tier", "fatal_flaws", "rank", "suitability")
_OF_WEIGHTS = (
    "suitability_surface", "suitability_p90", "suitability_parcel", "rank_p", "rank_under_",
    "no_regret",
)  # fmt: skip
"""Columns that rest on the old weights and are not worked out anew."""
_ROUNDED = 1e-6
_NAMED = 5
"""Reversals that are named."""


class Cuts(NamedTuple):
    """Stated cuts of the tiers."""

    a: float
    b: float
    known: float


@dataclass(frozen=True, slots=True)
class Saved:
    """What a run keeps of its ranking; arrays go by site, in the order of the old ranks.

    Attributes
    ----------
    titles, weights : (criteria,)
    rank : (sites,)
        From 1; NaN where suitability is unknown.
    flawed : (sites,)
        Whether the site has a fatal flaw.
    """

    path: Path
    matrix: Matrix
    titles: tuple[str, ...]
    weights: NDArray[np.float64]
    combination: Combination
    missing: Missing
    cuts: Cuts
    sites: tuple[str, ...]
    names: tuple[str, ...]
    tier: tuple[str, ...]
    rank: NDArray[np.float64]
    flawed: NDArray[np.bool_]
    notice: str

    @property
    def ids(self) -> tuple[str, ...]:
        """Criterion ids."""
        return self.matrix.ids


@dataclass(frozen=True, slots=True)
class Ranked:
    """A new ranking of the saved sites.

    Attributes
    ----------
    weights : (criteria,)
        Of sum one, in whole per mille; zero for a criterion that is left out.
    order : (sites,)
        Positions in the saved table, best first.
    rank : (sites,)
        From 1; NaN where suitability is unknown.
    reversals
        Of a rule that needs the set; None for one that does not.
    """

    combination: Combination
    weights: NDArray[np.float64]
    found: Scored
    order: NDArray[np.int64]
    rank: NDArray[np.float64]
    tier: NDArray[np.object_]
    reversals: tuple[Reversal, ...] | None


def open_saved(path: Path) -> Saved:
    """What a finished run keeps of its ranking.

    Raises
    ------
    RunError
        If the folder is not a finished run, is from before matrices were kept, or is damaged.
    """
    manifest = path / "run.json"
    if path.resolve().name.endswith(".partial") or not manifest.is_file():
        msg = (
            f"{path}: this is not a finished run (expected a folder with run.json, such as "
            "outputs/mine-open-pit/20260101T120000Z-1a2b3c4d)"
        )
        raise RunError(msg)
    if not (path / "matrix.parquet").is_file():
        msg = (
            f"{path}: this run has no matrix.parquet: it is from before runs kept their decision "
            "matrix, or has lost it; run the scenario again"
        )
        raise RunError(msg)
    try:
        said = json.loads(manifest.read_text(encoding="utf-8"))
        scenario, criteria = said["scenario"], said["criteria"]
        combination = _RULE.validate_python(scenario["combination"])
        weights = np.array([float(c["weight"]) for c in criteria])
        cuts = Cuts(*(float(scenario["tiers"][k]) for k in Cuts._fields))
        titles = tuple(str(c["title"]) for c in criteria)
        ids, missing, notice = [str(c["id"]) for c in criteria], scenario["missing"], said["notice"]
    except (OSError, ValueError, LookupError, TypeError, ValidationError) as error:
        raise RunError(_damaged(manifest, error)) from None
    columns = _columns(path / "matrix.parquet", None)
    sites = _columns(path / "sites.parquet", _SITE)
    try:
        matrix = matrix_of(columns, ids)
        _refuse_no_scores(matrix)
    except (LookupError, ValueError) as error:
        raise RunError(_damaged(path / "matrix.parquet", error)) from None
    if list(columns["site_id"]) != list(sites["site_id"]):
        msg = f"{path}: matrix.parquet and sites.parquet are of different sites; run again"
        raise RunError(msg)
    names, shown, tier = (tuple(map(str, sites[c])) for c in ("site_id", "name", "tier"))
    return Saved(
        path=path,
        matrix=matrix,
        titles=titles,
        weights=weights,
        combination=combination,
        missing=missing,
        cuts=cuts,
        sites=names,
        names=shown,
        tier=tier,
        rank=np.array([np.nan if r is None else r for r in sites["rank"]], float),
        flawed=np.array([bool(f) for f in sites["fatal_flaws"]], bool),
        notice=str(notice),
    )


def _refuse_no_scores(matrix: Matrix) -> None:
    for name, values in (("effective", matrix.effective), ("known", matrix.known)):
        off = (values < -_ROUNDED) | (values > 1 + _ROUNDED)
        if off.any():
            which = ", ".join(f"{name}_{matrix.ids[k]}" for k in np.flatnonzero(off.any(axis=1)))
            msg = f"{which}: holds values that are no share from 0 to 1"
            raise ValueError(msg)


def _columns(file: Path, names: Sequence[str] | None) -> dict[str, Any]:
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        with pq.ParquetFile(file) as opened:
            table = opened.read(None if names is None else list(names))
            return {
                name: _numbers(column) if pa.types.is_float64(column.type) else column.to_pylist()
                for name, column in zip(table.column_names, table.columns, strict=True)
            }
    except (pa.ArrowException, OSError, LookupError, ValueError) as error:
        raise RunError(_damaged(file, error)) from None


def _numbers(column: Any) -> NDArray[np.float64]:
    # Off the buffers, because pyarrow's own way imports pandas, which takes longer than all else.
    whole = []
    for chunk in column.chunks:
        valid, data = chunk.buffers()
        end = chunk.offset + len(chunk)
        numbers = np.frombuffer(data, np.float64, end)[chunk.offset :]
        if valid is not None:
            bits = np.unpackbits(np.frombuffer(valid, np.uint8), bitorder="little")
            numbers = np.where(bits[chunk.offset : end] > 0, numbers, np.nan)
        whole.append(numbers)
    return np.concatenate(whole) if whole else np.empty(0)


def _damaged(file: Path, error: Exception) -> str:
    said = " ".join(str(error).split()) or type(error).__name__
    return f"{file}: is damaged: {said}; run the scenario again"


def ranked_again(
    saved: Saved,
    weights: NDArray[np.float64] | None = None,
    combination: Combination | None = None,
) -> Ranked:
    """The ranking that the run would have had with other weights or another rule.

    Parameters
    ----------
    weights : (criteria,), optional
        Zero or more, not all zero; those of the run if not given. Taken in whole per mille,
        see `weighting.per_mille`. A criterion without weight is left out, also of rules in
        which weights have no part.
    combination : optional
        That of the run if not given.

    Raises
    ------
    CatalogError
        If the rule does not fit the criteria that are left.
    """
    weights = per_mille(saved.weights if weights is None else weights)
    combination = saved.combination if combination is None else combination
    kept = weights > 0
    matrix = saved.matrix.of(kept)
    if misfit := rule_misfit(combination, matrix.ids):
        msg = f"the rule does not fit the criteria that have a weight: {misfit}"
        raise CatalogError(msg)
    found = scored(matrix, weights[kept], combination, saved.missing)
    needs_set = combination.kind == "topsis"
    return Ranked(
        combination,
        weights / PER_MILLE,
        found,
        order(found.suitability, saved.sites),
        ranks(found.suitability, saved.sites),
        tiers_of(found.suitability, found.low, found.known_pct, saved.flawed, saved.cuts),
        set_reversals(matrix, weights[kept], saved.sites, saved.missing) if needs_set else None,
    )


def ranking_text(
    saved: Saved, ranked: Ranked, top: int, each: Mapping[str, Ranked] | None = None
) -> str:
    """What `geosite rank` prints: rule, weights, the best sites, and what turns on the set.

    Parameters
    ----------
    top : int
        Sites that are listed.
    each : mapping of voice to its own ranking, optional
    """
    each = each or {}
    lines = [_rule_line(ranked), _weight_line(saved, ranked), ""]
    heads = "".join(f" {name[:12]:>12}" for name in each)
    lines.append(f"  rank   old  change tier  suitability{heads}  site")
    for k in ranked.order[:top].tolist():
        score = ranked.found.suitability[k]
        row = (
            f"{_whole(ranked.rank[k]):>4}",
            f"{_whole(saved.rank[k]):>5}",
            f"{_change(saved, ranked, k):>7}",
            f"{ranked.tier[k] or '-':>4}",
            f"{'unknown' if np.isnan(score) else f'{score:.3f}':>12}",
            *(f"{_whole(r.rank[k]):>12}" for r in each.values()),
            f" {saved.sites[k]}  {saved.names[k][:50]}",
        )
        lines.append(f"  {' '.join(row)}")
    if left := len(saved.sites) - top:
        lines += [f"  … and {left:,} more"] if left > 0 else []
    if each:
        kept = no_regret([r.rank for r in each.values()], top)
        lines += ["", f"among the first {top} of every voice: {len(kept)}"]
        lines += [f"  {saved.sites[k]}  {saved.names[k][:50]}" for k in kept.tolist()]
    return "\n".join([*lines, *_reversal_lines(ranked), "", saved.notice])


def _rule_line(ranked: Ranked) -> str:
    kind = ranked.combination.kind
    said = f"rule     {rule_words(ranked.combination.model_dump(mode='json'))}"
    return said + ("; weights have no part in it" if kind in UNWEIGHTED else "")


def _weight_line(saved: Saved, ranked: Ranked) -> str:
    shares = zip(saved.ids, (100 * ranked.weights).tolist(), strict=True)
    return "weights  " + ", ".join(f"{i} {w:.3g} %" if w else f"{i} left out" for i, w in shares)


def _whole(rank: float) -> str:
    return "–" if np.isnan(rank) else f"{rank:.0f}"


def _change(saved: Saved, ranked: Ranked, k: int) -> str:
    up = saved.rank[k] - ranked.rank[k]
    return "" if np.isnan(up) else f"{up:+.0f}" if up else "="


def _reversal_lines(ranked: Ranked) -> list[str]:
    if ranked.reversals is None:
        return []
    if not ranked.reversals:
        return ["", "rank reversal: leaving out any one site reorders no others"]
    lines = ["", f"rank reversal: {len(ranked.reversals)} sites whose leaving reorders the others"]
    lines += [
        f"  without {r.site}: {r.moved} others move, by {r.most} at most, from rank {r.first} on"
        for r in ranked.reversals[:_NAMED]
    ]
    more = len(ranked.reversals) - _NAMED
    return lines + ([f"  … and {more} more"] if more > 0 else [])


def relisted(saved: Saved, ranked: Ranked) -> gpd.GeoDataFrame:
    """Sites of the run with their new ranks and scores, best first, in the grid's CRS.

    ``rank_before`` is the old rank, ``ranked_by`` says the rule and the weights. Columns of
    the old weights that cannot be told from the matrix are left out.
    """
    import pandas as pd  # noqa: PLC0415

    from geosite.report import read_sites  # noqa: PLC0415
    from geosite.report.facts import LIST_SHARE  # noqa: PLC0415
    from geosite.sites import in_order  # noqa: PLC0415

    sites = read_sites(saved.path)
    gone = [c for c in sites if str(c).startswith(_OF_WEIGHTS) or LIST_SHARE.fullmatch(str(c))]
    sites = sites.drop(columns=gone)
    found = ranked.found
    kept = [i for i, w in zip(saved.ids, ranked.weights.tolist(), strict=True) if w]
    parts = dict(zip(kept, found.parts, strict=True))
    nothing = np.zeros(len(saved.sites))
    sites = sites.assign(
        suitability=found.suitability,
        suitability_low=found.low,
        suitability_high=found.high,
        known_weight_pct=found.known_pct,
        tier=ranked.tier,
        **{f"contribution_{i}": parts.get(i, nothing) for i in saved.ids},
    )
    sites = in_order(sites)
    old = pd.Series(saved.rank, index=sites.index.sort_values()).astype("Int64")
    sites.insert(3, "rank_before", old.loc[sites.index])
    said = f"{_rule_line(ranked)}; {_weight_line(saved, ranked)}"
    return sites.assign(ranked_by=" ".join(said.split())).reset_index(drop=True)


def write_ranking(saved: Saved, ranked: Ranked, out: Path) -> None:
    """Save the new ranking of all sites as CSV or GeoPackage, by the ending of its name.

    Raises
    ------
    RunError
        If the ending is another, or the file cannot be written.
    """
    from geosite.disk import writing  # noqa: PLC0415

    if out.suffix.lower() not in (".csv", ".gpkg"):
        msg = f"{out}: ends in {out.suffix or 'nothing'}, expected .csv or .gpkg"
        raise RunError(msg)
    if not out.parent.is_dir():
        msg = f"{out}: there is no folder {out.parent}; make it, or name another with --out"
        raise RunError(msg)
    table = relisted(saved, ranked)
    with writing(out, "--out"):
        if out.suffix.lower() == ".csv":
            from geosite.report import write_table  # noqa: PLC0415

            write_table(table, out)
        else:
            import pyogrio  # noqa: PLC0415

            pyogrio.write_dataframe(table, out, layer="sites", driver="GPKG")
