"""Where a facility may not go, and why not: three answers for every rule and cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from geosite import kernels

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from geosite.model.rule import Treatment

OUTSIDE, NOT_OFFERED, EXCLUDED, UNKNOWN, CLEAR = 0, 1, 2, 3, 4
"""Values of the status surface: outside the AOI, land nobody offers, and the three states."""
STATUS_NAMES = ("outside", "not offered", "excluded", "unknown", "clear")
RULES_PER_PLANE = 32


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one rule says of each cell: (y, x), bool; never both.

    Attributes
    ----------
    against
        The rule speaks against the cell (for avoid, mitigate and flag: it touches it).
    unsure
        The rule cannot tell, for want of coverage.
    """

    against: NDArray[np.bool_]
    unsure: NDArray[np.bool_]


def verdict(
    near: NDArray[np.bool_],
    uncovered: NDArray[np.bool_],
    *,
    required: bool = False,
    absence_informative: bool = True,
) -> Verdict:
    """What a rule says, from where its features are near and where its layer is silent.

    Parameters
    ----------
    near : (y, x) bool
        Within the setback of a feature: d ≤ s.
    uncovered : (y, x) bool
        Within the setback of land the layer does not cover: u ≤ s.
    required : bool
        The facility needs the feature instead of shunning it.
    absence_informative : bool
        False for a presence-only layer: where it shows nothing, nothing is known.

    Notes
    -----
    Against where d ≤ s; silent where d > s and u ≤ s; clear where d > s and u > s.
    A requirement is met where d ≤ s, broken where d > s and u > s.

    Examples
    --------
    >>> near = np.array([[True, False, False]])
    >>> uncovered = np.array([[True, True, False]])
    >>> v = verdict(near, uncovered)
    >>> v.against.tolist(), v.unsure.tolist()
    ([[True, False, False]], [[False, True, False]])
    """
    silent = uncovered if absence_informative else np.ones_like(uncovered)
    unsure = ~near & silent
    return Verdict(~near & ~silent if required else near, unsure)


def narrowed(found: Verdict, inside: NDArray[np.bool_]) -> Verdict:
    """A verdict that holds only inside some land."""
    return Verdict(found.against & inside, found.unsure & inside)


def is_hard(treatment: Treatment) -> bool:
    """Whether a treatment can exclude land."""
    return treatment.tier in ("exclude", "require")


@dataclass(frozen=True, slots=True)
class Answer:
    """What all rules together say of each cell, (y, x).

    Attributes
    ----------
    excluded, unknown : bool
        Three states: excluded if any hard rule excludes; else unknown if any hard
        rule cannot tell; else clear.
    planes : (planes, y, x) of `plane_dtype`
        Reasons: rule k has bit 2·(k mod 32) "speaks against" and the bit above it
        "cannot tell" in plane k // 32.
    factor : float32
        Product of the factors of the rules to avoid or mitigate that touch the cell.
    """

    excluded: NDArray[np.bool_]
    unknown: NDArray[np.bool_]
    planes: NDArray[Any]
    factor: NDArray[np.float32]


def answer(
    verdicts: Iterable[Verdict],
    treatments: Sequence[Treatment],
    shape: tuple[int, int],
    lifts: Mapping[int, frozenset[int]] | None = None,
) -> Answer:
    """What all rules together say; the order of the rules changes bits, not answers.

    Parameters
    ----------
    lifts : mapping of rule to rules, optional
        By the place of a rule that includes: the places of the rules it lifts. One that is
        not in it lifts nothing. See `numbered`.

    Notes
    -----
    Force-inclusion is applied last: it lifts exclusion and doubt alike, of its rules only.
    """
    excluded, unknown = np.zeros(shape, bool), np.zeros(shape, bool)
    planes = np.zeros((plane_count(len(treatments)), *shape), plane_dtype(len(treatments)))
    none = np.zeros((0, 0), bool)
    factors: list[tuple[float, NDArray[np.bool_]]] = []
    lifters = lifters_of(treatments, lifts or {})
    lifted: dict[int, NDArray[np.bool_]] = {}
    # What may be lifted is kept apart by what lifts it: without an inclusion it costs nothing.
    apart: dict[frozenset[int], tuple[NDArray[np.bool_], NDArray[np.bool_]]] = {
        by: (np.zeros(shape, bool), np.zeros(shape, bool)) for by in set(lifters.values())
    }
    for k, (found, treatment) in enumerate(zip(verdicts, treatments, strict=True)):
        # Most rules are silent in most tiles, and then cost nothing more.
        against = found.against if found.against.any() else none
        unsure = found.unsure if found.unsure.any() else none
        plane, bit = divmod(k, RULES_PER_PLANE)
        out, doubt = (none, none)
        if is_hard(treatment):
            out, doubt = apart[lifters[k]] if k in lifters else (excluded, unknown)
        kernels.mark(planes[plane], 2 * bit, against, out)
        kernels.mark(planes[plane], 2 * bit + 1, unsure, doubt)
        if treatment.tier == "include":
            lifted[k] = found.against
        elif treatment.tier in ("avoid", "mitigate") and against.size:
            factors.append((treatment.factor, against))
    # Sorted, so that nothing hangs on the order of a set.
    for by in sorted(apart, key=sorted):
        kept = ~np.logical_or.reduce([lifted[k] for k in sorted(by)])
        out, doubt = apart[by]
        excluded |= out & kept
        unknown |= doubt & kept
    unknown &= ~excluded
    factor = np.broadcast_to(np.float32(1.0), shape)
    if factors:
        factor = np.ones(shape, np.float32)
    # Sorted, so that the product does not depend on the order of the rules.
    for value, where in sorted(factors, key=lambda f: f[0]):
        factor[where] *= np.float32(value)
    return Answer(excluded, unknown, planes, factor)


def numbered(ids: Sequence[str], lifts: Mapping[str, frozenset[str]]) -> dict[int, frozenset[int]]:
    """Which rules lift which, by their places among `ids` instead of by id.

    Examples
    --------
    >>> numbered(("a", "b", "c"), {"c": frozenset({"a", "not asked"})})
    {2: frozenset({0})}
    """
    at = {id_: k for k, id_ in enumerate(ids)}
    return {
        at[by]: frozenset(at[id_] for id_ in names if id_ in at)
        for by, names in lifts.items()
        if by in at
    }


def lifters_of(
    treatments: Sequence[Treatment], lifts: Mapping[int, frozenset[int]]
) -> dict[int, frozenset[int]]:
    """By the place of each hard rule that something may lift: the places of what lifts it."""
    found: dict[int, frozenset[int]] = {}
    for by, places in lifts.items():
        if treatments[by].tier != "include":
            continue
        for k in places:
            if is_hard(treatments[k]):
                found[k] = found.get(k, frozenset()) | {by}
    return found


def plane_count(rules: int) -> int:
    """Planes of reasons that so many rules need."""
    return max(1, -(-rules // RULES_PER_PLANE))


def plane_dtype(rules: int) -> np.dtype[Any]:
    """Smallest whole number that holds two bits a rule; 64 bits where one plane is not enough."""
    fits = next((n for n in (8, 16, 32, 64) if 2 * rules <= n), 64)
    return np.dtype(f"u{fits // 8}")


def against_bits(planes: NDArray[Any], rule: int) -> NDArray[np.bool_]:
    """Where a rule speaks against, from the reason planes."""
    return _bits(planes, rule, 0)


def unsure_bits(planes: NDArray[Any], rule: int) -> NDArray[np.bool_]:
    """Where a rule cannot tell, from the reason planes."""
    return _bits(planes, rule, 1)


def _bits(planes: NDArray[Any], rule: int, which: int) -> NDArray[np.bool_]:
    plane, bit = divmod(rule, RULES_PER_PLANE)
    found: NDArray[np.bool_] = (planes[plane] >> planes.dtype.type(2 * bit + which)) & 1 == 1
    return found
