"""How little one weight must change for a site to drop out of the first k."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geosite.model.combination import UNWEIGHTED
from geosite.reweighting import ranks, suitabilities

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from geosite.model.combination import Combination
    from geosite.suitability import Missing

STEP = 0.005
"""Step of a weight's share in which rules without a formula are searched."""
_EDGE = 0.001
"""Nearest to none and to all of the weight that is searched."""
_HALVINGS = 20
_NEAR = 1e-9
"""Beside the stated weight, and where a site's lead over another is none."""


@dataclass(frozen=True, slots=True)
class Tipping:
    """The smallest change of one weight that drops each site from the first k.

    Attributes
    ----------
    criterion : (sites,) int
        Whose weight changes; -1 where no change of one weight drops the site, and for a
        site that is not among the first k.
    share : (sites,)
        The weight, as a share of all, at which the site drops out; NaN where none does.
    change : (sites,)
        The same as a share of the stated weight: 0.2 is a fifth more, -1 is its loss.
    """

    criterion: NDArray[np.int64]
    share: NDArray[np.float64]
    change: NDArray[np.float64]


def tippings(
    scores: NDArray[np.float64],
    weights: NDArray[np.float64],
    combination: Combination,
    ids: Sequence[str],
    *,
    missing: Missing,
    top: Sequence[int],
) -> list[Tipping]:
    r"""Smallest change of one weight that drops each of the first k sites, for each list's k.

    Parameters
    ----------
    scores : (criteria, sites), 0 to 1
        The decision matrix, sites in the order of their ids; each has a known suitability.
    weights : (criteria,)
        As stated; above zero.

    Notes
    -----
    One weight goes up or down and the others share the rest as they did. What is smallest is
    the change of its share relative to the stated share, :math:`|w_j' / w_j - 1|`.

    For the weighted sum and, by logarithms, the geometric mean it is exact. With t in the
    place of :math:`w_j`, a site's suitability is :math:`(A + t p) / (B + t h)`, where A and B
    sum the other criteria's scores and weights where they are known, h tells whether this one
    is, and p is its score. Two sites change places at the roots of a polynomial in t of at
    most the second degree; going through all roots in order, the first at which k sites are
    ahead is the answer. Suitabilities are not rounded to nine decimals there.

    For other rules shares from 0.1 to 99.9 % are searched, beyond which all sites tie that tie in
    what is left, in steps of 0.5 percentage points, and the first step
    at which the site has dropped is halved to within a millionth of a step: a site that
    drops out and returns within one step may be missed.
    """
    found = _Search(np.asarray(weights, float) / np.sum(weights), scores.shape[1], top)
    if combination.kind in UNWEIGHTED or len(weights) == 1 or not scores.shape[1]:
        return found.tippings
    stated = suitabilities(scores, weights[None], combination, ids, missing=missing)
    rank = ranks(stated)[:, 0]
    if combination.kind in ("weighted_sum", "geometric_mean"):
        _exact(found, scores, rank, missing, logs=combination.kind == "geometric_mean")
    else:

        def ranked(w: NDArray[np.float64]) -> NDArray[np.int32]:
            return ranks(suitabilities(scores, w, combination, ids, missing=missing))

        _searched(found, rank, ranked)
    return found.tippings


class _Search:
    """The smallest changes so far."""

    def __init__(self, weights: NDArray[np.float64], sites: int, top: Sequence[int]) -> None:
        self.weights, self.top = weights, tuple(top)
        self.tippings = [
            Tipping(np.full(sites, -1), np.full(sites, np.nan), np.full(sites, np.nan)) for _ in top
        ]

    def change(self, j: int, share: float) -> float:
        """Change of a weight relative to itself."""
        return share / float(self.weights[j]) - 1.0

    def is_less(self, k: int, site: int, j: int, share: float) -> bool:
        """Whether a change is smaller than the smallest so far."""
        before = self.tippings[k].change[site]
        return bool(np.isnan(before) or abs(self.change(j, share)) < abs(before))

    def note(self, k: int, site: int, j: int, share: float) -> None:
        """Keep a change if it is the smallest."""
        if self.is_less(k, site, j, share):
            self.tippings[k].criterion[site] = j
            self.tippings[k].share[site] = share
            self.tippings[k].change[site] = self.change(j, share)

    def weightings(self, j: int, shares: NDArray[np.float64]) -> NDArray[np.float64]:
        """Weightings in which one criterion has some shares: (shares, criteria)."""
        rest = 1.0 - self.weights[j]
        found = np.outer((1.0 - shares) / rest, self.weights)
        found[:, j] = shares
        return np.asarray(found, np.float64)


# ── exact: where two sites change places ──────────────────────────────────────────────────────


def _exact(
    found: _Search,
    scores: NDArray[np.float64],
    rank: NDArray[np.int32],
    missing: Missing,
    *,
    logs: bool,
) -> None:
    if missing != "renormalise":
        scores = np.where(np.isnan(scores), 0.0 if missing == "worst" else 1.0, scores)
    known = ~np.isnan(scores)
    values = scores
    if logs:
        # A score of zero makes the product zero, whatever its weight: it has no place to change.
        nothing = (scores == 0).any(axis=0)
        with np.errstate(divide="ignore"):
            values = np.where(nothing, 0.0, np.log(scores))
    else:
        nothing = np.zeros(scores.shape[1], bool)
    p, h = np.where(known, values, 0.0), known.astype(float)
    listed = np.flatnonzero((rank <= max(found.top)) & ~nothing)
    for j, weight in enumerate(found.weights):
        others = np.arange(len(p)) != j
        a = (found.weights[others, None] * p[others]).sum(axis=0)
        b = (found.weights[others, None] * h[others]).sum(axis=0)
        for site in listed.tolist():
            lead = _lead(a, b, p[j], h[j], site)
            rival = ~nothing
            rival[site] = False
            for up in (True, False):
                start = float(weight) * (1 + _NEAR if up else 1 - _NEAR)
                points, ahead = _walked(start, lead[:, rival], np.flatnonzero(rival) < site, up=up)
                for k, length in enumerate(found.top):
                    dropped = np.flatnonzero(ahead >= length)
                    if rank[site] <= length and len(dropped):
                        t = float(points[dropped[0]])
                        found.note(k, site, j, t / (1.0 - float(weight) + t))


def _lead(
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    p: NDArray[np.float64],
    h: NDArray[np.float64],
    i: int,
) -> NDArray[np.float64]:
    # Coefficients, from the constant up, of a polynomial above zero where others are ahead of i.
    if (h == 1).all() and (b == b[0]).all():
        return np.stack([a - a[i], p - p[i], np.zeros(len(a))])
    return np.stack(
        [
            a * b[i] - a[i] * b,
            a * h[i] + p * b[i] - a[i] * h - p[i] * b,
            p * h[i] - p[i] * h,
        ]
    )


def _roots(lead: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    c0, c1, c2 = lead
    with np.errstate(invalid="ignore", divide="ignore"):
        line = np.where(c1 != 0, -c0 / c1, np.nan)
        # The form that loses no digits where two roots are far apart.
        q = -0.5 * (c1 + np.copysign(np.sqrt(c1**2 - 4 * c2 * c0), c1))
        one, other = np.where(c2 != 0, q / c2, line), np.where(c2 != 0, c0 / q, np.nan)
    return one, other


def _walked(
    start: float, lead: NDArray[np.float64], before: NDArray[np.bool_], *, up: bool
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    # Weights, from a start on, at which a rival goes past, and how many are ahead from there.
    at = lead[0] + start * (lead[1] + start * lead[2])
    same = (np.abs(lead) < _NEAR * _NEAR).all(axis=0)
    ahead = np.where(same, before, at > 0)
    roots = np.concatenate(_roots(lead[:, ~same]))
    who = np.tile(np.flatnonzero(~same), 2)
    beyond = (roots > start) if up else ((roots < start) & (roots > 0))
    order = np.argsort(np.where(up, 1, -1) * roots[beyond], kind="stable")
    roots, who = roots[beyond][order], who[beyond][order]
    # A rival that was behind comes ahead at its first root and falls behind at its second.
    turns = np.where(ahead[who] != _again(who), -1, 1)
    count = int(ahead.sum()) + np.concatenate([[0], np.cumsum(turns)])
    return np.concatenate([[start], roots]), count


def _again(who: NDArray[np.int64]) -> NDArray[np.bool_]:
    # Whether the same number stood before in the row; none stands more than twice.
    _, first = np.unique(who, return_index=True)
    again = np.ones(len(who), bool)
    again[first] = False
    return again


# ── searched: other rules ─────────────────────────────────────────────────────────────────────


def _searched(
    found: _Search,
    rank: NDArray[np.int32],
    ranked: Callable[[NDArray[np.float64]], NDArray[np.int32]],
) -> None:
    brackets: list[tuple[float, int, int, int, float, float]] = []
    for j, weight in enumerate(found.weights.tolist()):
        for shares in (
            np.append(np.arange(weight + STEP, 1.0 - _EDGE, STEP), max(weight, 1.0 - _EDGE)),
            np.append(np.arange(weight - STEP, _EDGE, -STEP), min(weight, _EDGE)),
        ):
            moved = ranked(found.weightings(j, shares))
            inner = np.concatenate([[weight], shares])
            for k, length in enumerate(found.top):
                for site in np.flatnonzero(rank <= length).tolist():
                    out = np.flatnonzero(moved[site] > length)
                    if len(out):
                        a, b = float(inner[out[0]]), float(inner[out[0] + 1])
                        brackets.append((abs(found.change(j, a)), k, site, j, a, b))
    # The nearest first: most of the rest need not be halved.
    for _, k, site, j, a, b in sorted(brackets):
        if not found.is_less(k, site, j, a):
            continue
        stays, drops = a, b
        for _ in range(_HALVINGS):
            half = (stays + drops) / 2
            moved = ranked(found.weightings(j, np.array([half])))
            if moved[site, 0] > found.top[k]:
                drops = half
            else:
                stays = half
        found.note(k, site, j, drops)
