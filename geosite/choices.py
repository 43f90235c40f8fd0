"""Weights and rules as a command line or a file says them."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

from geosite.errors import CatalogError, faults
from geosite.model.combination import PARTS, Combination
from geosite.model.weighting import PairwiseTable, Weighting
from geosite.weighting import consistency_lines, criterion_weights, name_faults, voices

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

_WEIGHTING: TypeAdapter[Weighting] = TypeAdapter(Weighting)
_RULE: TypeAdapter[Combination] = TypeAdapter(Combination)
_EXAMPLES = (
    "weighted_sum, geometric_mean, evidence_gated:evidence, minimum, maximum, owa:3,2,1, topsis, "
    "fuzzy_gamma:0.9"
)
_HEAVIEST = 1e12
"""Largest weight; what is nearer to the end of the numbers makes sums that are none."""
_PARAMETERS = {
    "geometric_mean": "floor",
    "evidence_gated": "evidence",
    "owa": "order_weights",
    "fuzzy_gamma": "gamma",
}
"""What the words after the colon are."""


def rule_of(words: str, ids: Sequence[str]) -> Combination:
    """A combination rule from its words, such as ``geometric_mean`` or ``owa:3,2,1``.

    Parameters
    ----------
    ids : criterion ids
        That it will combine.

    Raises
    ------
    CatalogError
        If there is no such rule, or it does not fit the criteria.

    Examples
    --------
    >>> rule_of("fuzzy_gamma:0.8", ["rail"]).gamma
    0.8
    >>> rule_of("owa:2,1", ["rail", "slope"]).order_weights
    (2.0, 1.0)
    """
    kind, _, parameter = words.strip().partition(":")
    if kind not in PARTS:
        msg = f"--rule: there is no rule {kind!r}; write {_EXAMPLES}"
        raise CatalogError(msg)
    said: dict[str, Any] = {"kind": kind}
    if words.strip().endswith(":") and kind in _PARAMETERS:
        msg = f"--rule: nothing stands behind the colon of {words!r}; write {_EXAMPLES}"
        raise CatalogError(msg)
    if parameter:
        if kind not in _PARAMETERS:
            msg = f"--rule: {kind} takes no {parameter!r}; write {kind}"
            raise CatalogError(msg)
        said[_PARAMETERS[kind]] = parameter.split(",") if kind == "owa" else parameter
    try:
        rule = _RULE.validate_python(said)
    except ValidationError as error:
        title = f"--rule: {words!r} is no rule (write {_EXAMPLES}):"
        raise CatalogError(faults(title, _misfits(error))) from None
    if misfit := rule_misfit(rule, ids):
        msg = f"--rule: {misfit}"
        raise CatalogError(msg)
    return rule


def rule_misfit(rule: Combination, ids: Sequence[str]) -> str:
    """Why a rule does not fit the criteria; empty if it does.

    Examples
    --------
    >>> rule_misfit(rule_of("owa:2,1", ["a", "b"]), ["a", "b", "c"])
    '2 order weights, expected 3, one a criterion, from the best score to the worst'
    """
    if rule.kind == "owa" and len(rule.order_weights) != len(ids):
        return (
            f"{len(rule.order_weights)} order weights, expected {len(ids)}, one a criterion, "
            "from the best score to the worst"
        )
    if rule.kind == "evidence_gated" and rule.evidence not in ids:
        return (
            f"evidence_gated needs the criterion {rule.evidence} with a weight above zero; "
            f"there are {', '.join(ids)}"
        )
    return ""


def named_weights(words: str, ids: Sequence[str]) -> NDArray[np.float64]:
    """Weight of each criterion (criteria,), from ``rail=30,slope=20``; zero leaves one out.

    Raises
    ------
    CatalogError
        With every fault: criteria that do not exist or are left out, no numbers, negative
        numbers, all zero.

    Examples
    --------
    >>> named_weights("slope=20, rail=30", ["rail", "slope"]).tolist()
    [30.0, 20.0]
    """
    pairs = [p.partition("=") for p in words.split(",") if p.strip()]
    return _weights([(n.strip(), v.strip()) for n, _, v in pairs], ids, "--weights")


def _weights(
    pairs: Sequence[tuple[str, object]], ids: Sequence[str], at: str
) -> NDArray[np.float64]:
    found = name_faults([n for n, _ in pairs], ids, at)
    numbers: dict[str, float] = {}
    for name, value in pairs:
        try:
            numbers[name] = float(str(value))
        except ValueError:
            short = repr(str(value)[:60]) if isinstance(value, str) else type(value).__name__
            found.append(f"{at}: {name} is {short}, expected a number such as {name}=20")
            continue
        if not 0 <= numbers[name] <= _HEAVIEST:
            expected = f"zero or more, at most {_HEAVIEST:g}"
            found.append(f"{at}: {name} is {numbers[name]:g}, expected {expected}")
    if numbers and not any(numbers.values()):
        found.append(f"{at}: all weights are zero, expected at least one above zero")
    if found:
        raise CatalogError(faults("the weights cannot be taken from what is written:", found))
    return np.array([numbers[i] for i in ids])


def filed_weights(
    path: Path, ids: Sequence[str]
) -> tuple[NDArray[np.float64], dict[str, NDArray[np.float64]]]:
    """Weight of each criterion (criteria,) from a YAML file, and of each voice where it has some.

    The file holds what a scenario has under ``weighting``, or a weight a criterion.

    Raises
    ------
    CatalogError
        If it cannot be read, with every fault of it.
    """
    from geosite.catalog import load_yaml, misfits  # noqa: PLC0415

    said: Mapping[str, Any] = load_yaml(path)
    said = said.get("weighting", said)
    if isinstance(said, dict) and "kind" not in said:
        return _weights(list(said.items()), ids, str(path)), {}
    try:
        weighting = _WEIGHTING.validate_python(said)
    except ValidationError as error:
        raise CatalogError(faults(f"{path} is not a valid weighting:", misfits(error))) from None
    return criterion_weights(weighting, ids, str(path)), voices(weighting, ids)


def paired_weights(path: Path, ids: Sequence[str]) -> tuple[NDArray[np.float64], str]:
    """Weight of each criterion (criteria,) from a pairwise table of YAML or CSV; its consistency.

    A CSV names the criteria in its first row and, if it likes, in its first column.

    Raises
    ------
    CatalogError
        If it cannot be read, with every fault of it.
    """
    from geosite.catalog import load_yaml, misfits  # noqa: PLC0415

    if path.suffix.lower() == ".csv":
        said = _csv_table(path)
    else:
        said = load_yaml(path)
        said = {"kind": "ahp"} | dict(said.get("weighting", said))
    try:
        table = PairwiseTable.model_validate(said)
    except ValidationError as error:
        found = misfits(error)
        raise CatalogError(faults(f"{path} is not a pairwise table:", found)) from None
    return criterion_weights(table, ids, str(path)), consistency_lines(table)[0]


def _csv_table(path: Path) -> dict[str, Any]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            text = file.read()
            # Where commas part decimals, spreadsheets part columns by semicolons.
            mark = ";" if ";" in text.partition("\n")[0] else ","
            read = csv.reader(io.StringIO(text, newline=""), delimiter=mark)
            rows = [[v.strip() for v in row] for row in read if any(row)]
            if mark == ";":
                rows = [[v.replace(",", ".") for v in row] for row in rows]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        msg = f"{path}: cannot be read as CSV: {' '.join(str(error).split())}"
        raise CatalogError(msg) from None
    names, *table = rows or [[]]
    # A first column of names leaves a corner that names no criterion.
    labelled = len(names) == len(table) + 1
    names = names[1:] if labelled else names
    labels = [row[0] for row in table if row] if labelled else names
    if labels != names:
        msg = (
            f"{path}: rows are {', '.join(labels)}, columns {', '.join(names)}; expected the same "
            "criteria in the same order"
        )
        raise CatalogError(msg)
    return {
        "kind": "ahp",
        "criteria": names,
        "table": [row[1:] if labelled else row for row in table],
    }


def _misfits(error: ValidationError) -> list[str]:
    # The first part of a place is the kind of rule, which the title says.
    places = [(".".join(str(p) for p in e["loc"][1:]), e["msg"]) for e in error.errors()]
    return [f"{place}: {said}" if place else said for place, said in places]
