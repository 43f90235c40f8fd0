"""The verb that ranks a finished run anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from geosite.cli.ending import clean, result, said


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--weights",
    help="rail=30,slope=20,… for every criterion (zero leaves one out), or a YAML file of "
    "weights: direct, ahp, ranking or stakeholders. Weights are shares of one whole, so all are "
    "given; without this option they are the run's.",
)
@click.option(
    "--ahp",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A pairwise table of the criteria (YAML or CSV), instead of --weights.",
)
@click.option(
    "--rule",
    "--combination",
    help="weighted_sum, geometric_mean, evidence_gated:evidence, minimum, maximum, owa:3,2,1 "
    "(an order weight a criterion, best score first), topsis or fuzzy_gamma:0.9; the run's by "
    "default.",
)
@click.option(
    "--top", type=click.IntRange(1), default=20, show_default=True, help="Sites that are listed."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Save all sites in the new order here (.csv or .gpkg).",
)
@clean
def rank(
    run: Path, weights: str | None, ahp: Path | None, rule: str | None, top: int, out: Path | None
) -> None:
    """Rank a run's sites with other weights or another rule, without analysing again.

    Candidates and their outlines stay as they are; scores are those of the run.
    """
    from geosite import choices, reranking  # noqa: PLC0415

    if weights and ahp:
        msg = "--weights and --ahp both say the weights; give one of them"
        raise click.UsageError(msg)
    # An empty word is a mistake, such as a variable that was not set, and no wish for the run's.
    for option, said_ in (("--weights", weights), ("--rule", rule)):
        if said_ is not None and not said_.strip():
            msg = f"'{option}' is empty; leave it out to take what the run has"
            raise click.UsageError(msg)
    saved = reranking.open_saved(run)
    given: Any = None
    each: dict[str, Any] = {}
    if ahp:
        given, consistency = choices.paired_weights(ahp, saved.ids)
        said(consistency)
    elif weights and "=" in weights:
        given = choices.named_weights(weights, saved.ids)
    elif weights:
        given, each = choices.filed_weights(Path(weights), saved.ids)
    left = saved.ids if given is None else [i for i, w in zip(saved.ids, given, strict=True) if w]
    chosen = choices.rule_of(rule, left) if rule else None
    again = reranking.ranked_again(saved, given, chosen)
    heard = {name: reranking.ranked_again(saved, w, chosen) for name, w in each.items()}
    result(reranking.ranking_text(saved, again, top, heard))
    if out:
        reranking.write_ranking(saved, again, out)
        said(f"saved {out}")
