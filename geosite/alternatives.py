"""Portfolios that are nearly as good as the best one, and the sites that all of them share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geosite.errors import PortfolioError
from geosite.portfolio import solved

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geosite.portfolio import Portfolio, Program


@dataclass(frozen=True, slots=True)
class Dependence:
    """What the best portfolio loses if a site of it cannot be had.

    Attributes
    ----------
    site : int
        Row number of the candidate.
    value : float
        Of the best portfolio without it; NaN if there is none, or none was found in time.
    loss_pct : float
        How much less that is [%]; NaN as before.
    replaced_by : (n,)
        Sites that this portfolio has and the best one has not.
    must_have : bool
        Every portfolio within the tolerance has the site.
    proven : bool
        False: the time was over first.
    """

    site: int
    value: float
    loss_pct: float
    replaced_by: NDArray[np.intp]
    must_have: bool
    proven: bool


def next_best(
    best: Portfolio, program: Program, *, number: int, within: float, others: int = 1
) -> tuple[list[Portfolio], bool]:
    """Portfolios after the best one, from the next best down; False: the time was over first.

    Parameters
    ----------
    number : int
        So many at most.
    within : float
        None is worth less than (1 − within) of the best.
    others : int
        So many sites at least are others than in the best and in each one before.

    Notes
    -----
    After a portfolio S was found, Σ over S of x ≤ (number of S) − others is a row of the program.
    """
    floor = _least(best, within)
    found: list[Portfolio] = []
    last = best
    while len(found) < number and len(last.chosen) >= others:
        program = program.with_row(last.chosen, len(last.chosen) - others)
        try:
            following = solved(program)
        except PortfolioError:
            return found, False
        if following is None or following.value < floor:
            break
        found.append(following)
        last = following
    return found, True


def dependences(best: Portfolio, program: Program, *, within: float) -> list[Dependence]:
    """What each chosen site is worth to the portfolio: the program is solved without it.

    Parameters
    ----------
    within : float
        A site is a must if no portfolio without it is worth (1 − within) of the best.
    """
    floor = _least(best, within)
    found = []
    for site in best.chosen.tolist():
        nobody = np.empty(0, np.intp)
        try:
            rest = None if program.floor[site] else solved(program.without(site))
        except PortfolioError:
            # Whether there is one is not known: the best is no worse for that.
            found.append(Dependence(site, np.nan, np.nan, nobody, must_have=False, proven=False))
            continue
        if rest is None:
            found.append(Dependence(site, np.nan, np.nan, nobody, must_have=True, proven=True))
            continue
        loss = 100 * (best.value - rest.value) / best.value if best.value else 0.0
        # A bound that is still too high does not say that nothing better is left.
        must = (rest.value if rest.proven else rest.bound) < floor
        swapped = np.setdiff1d(rest.chosen, best.chosen)
        found.append(Dependence(site, rest.value, loss, swapped, must, rest.proven))
    return found


def _least(best: Portfolio, within: float) -> float:
    # A portfolio of the very same value is within 0 %.
    return best.value * (1 - within) - 1e-9 * max(best.value, 1.0)
