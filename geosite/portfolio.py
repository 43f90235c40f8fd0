"""The best few sites that together cover a list of commodities, proven by an integer program."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array, vstack

from geosite.errors import PortfolioError, faults
from geosite.spacing import crowds, near_pairs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

TOLERANCE = 1e-6
"""How much of the best site's value a portfolio may lose for a site, so that of portfolios that
are worth the same the same one is always taken."""
_SCALE = 1e4
"""Value of the best site in the program: the solver stops at absolute gaps of 1e-6."""
_HAIR = 1e-9
_GOLDEN = (5**0.5 - 1) / 2
_OPTIMAL, _OUT_OF_TIME, _INFEASIBLE = 0, 1, 2
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Candidates:
    """Sites to choose from.

    Parameters
    ----------
    ids : names of the sites
    value : (sites,)
        What a site adds to a portfolio; finite, none below zero.
    commodities : what is to be covered
    covers : (sites, commodities) bool
    xy : (sites, 2)
        A place a site on a metric grid [m].
    """

    ids: tuple[str, ...]
    value: NDArray[np.float64]
    commodities: tuple[str, ...]
    covers: NDArray[np.bool_]
    xy: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so much of something: sites of a state, acres."""

    title: str
    use: NDArray[np.float64]
    """Of each site."""
    most: float


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked of a portfolio.

    Attributes
    ----------
    sites : int
        At most so many, or with `exactly` just so many.
    least : int
        So many of the sites at least cover each commodity.
    spacing_m : float
        No two of them are nearer to one another [m].
    gap : float
        Relative gap at which the solver may stop; 0 asks for the optimum.
    seconds : float
        Time for one program [s].
    """

    sites: int
    exactly: bool = False
    least: int = 1
    lock_in: frozenset[str] = frozenset()
    lock_out: frozenset[str] = frozenset()
    spacing_m: float = 0.0
    limits: tuple[Limit, ...] = ()
    gap: float = 0.0
    seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Portfolio:
    """Sites that were chosen, and how sure it is that none are better.

    Attributes
    ----------
    chosen : (k,)
        Row numbers of the candidates, in order.
    value : float
        Sum of their values.
    bound : float
        No portfolio is worth more.
    gap : float
        (bound − value) / value; at most `TOLERANCE` × sites / value where it is proven.
    proven : bool
        False: the time was over first, or the search stopped at the gap that was asked.
    """

    chosen: NDArray[np.intp]
    value: float
    bound: float
    gap: float
    proven: bool


@dataclass(frozen=True, slots=True)
class Program:
    """Rows of the integer program over one yes-or-no a site; see `program_of`."""

    candidates: Candidates
    ask: Ask
    rows: Any
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    floor: NDArray[np.float64] = field(repr=False)
    ceiling: NDArray[np.float64] = field(repr=False)

    def with_row(self, members: NDArray[np.intp], most: float) -> Program:
        """The program in which at most so many of some sites are chosen as well."""
        row = _row(members, np.ones(len(members)), len(self.floor))
        return replace(
            self,
            rows=vstack([self.rows, row], format="csr"),
            low=np.append(self.low, -np.inf),
            high=np.append(self.high, most),
        )

    def without(self, site: int) -> Program:
        """The program in which a site cannot be chosen."""
        ceiling = self.ceiling.copy()
        ceiling[site] = 0.0
        return replace(self, ceiling=ceiling)


def program_of(candidates: Candidates, ask: Ask) -> Program:
    """The program of a question: maximise Σ value·x, x in {0, 1}, under its rows.

    Notes
    -----
    With x the choice of a site: Σ x ≤ sites (or = sites); Σ covers·x ≥ least for each commodity;
    Σ x ≤ 1 in each group of sites that are too near one another (`spacing.crowds`); Σ use·x ≤
    most for each limit; x = 1 for a site locked in, x = 0 for one locked out.
    """
    n = len(candidates.ids)
    every = np.arange(n)
    rows = [_row(every, np.ones(n), n)]
    low, high = [float(ask.sites) if ask.exactly else 0.0], [float(ask.sites)]
    for k in range(len(candidates.commodities)):
        members = np.flatnonzero(candidates.covers[:, k])
        rows.append(_row(members, np.ones(len(members)), n))
        low.append(float(ask.least))
        high.append(np.inf)
    for group in crowds(candidates.xy, ask.spacing_m):
        rows.append(_row(group, np.ones(len(group)), n))
        low.append(-np.inf)
        high.append(1.0)
    for limit in ask.limits:
        # Of any size alike: acres go into the millions, and the solver's tolerance is absolute.
        size = max(1.0, float(np.max(np.abs(limit.use), initial=0.0)))
        rows.append(_row(every, limit.use / size, n))
        low.append(-np.inf)
        high.append(limit.most / size)
    ids = np.array(candidates.ids, dtype=object)
    floor = np.isin(ids, list(ask.lock_in)).astype(float)
    ceiling = (~np.isin(ids, list(ask.lock_out))).astype(float)
    return Program(
        candidates, ask, vstack(rows, format="csr"), np.array(low), np.array(high), floor, ceiling
    )


def _row(members: NDArray[np.intp], values: NDArray[np.float64], n: int) -> Any:
    at = (np.zeros(len(members), np.intp), members)
    return csr_array((values, at), shape=(1, n))


def best_portfolio(candidates: Candidates, ask: Ask) -> tuple[Portfolio, Program]:
    """The portfolio of the highest value, and the program that it solves.

    Raises
    ------
    PortfolioError
        If there is none: says which commodity too few sites have, what about the sites that are
        locked in is at odds, or how many sites it would take. Or if none was found in time.

    Notes
    -----
    Exact: branch and cut by HiGHS [1]_. Of portfolios of one value the same one is always taken:
    each site's value is lowered by up to `TOLERANCE` of the largest, by a fixed sequence.

    References
    ----------
    .. [1] Huangfu, Q., Hall, J. A. J. (2018), Parallelizing the dual revised simplex method,
       Mathematical Programming Computation 10, https://doi.org/10.1007/s12532-017-0130-5

    Examples
    --------
    >>> three = Candidates(
    ...     ("a", "b", "c"), np.array([0.9, 0.8, 0.1]), ("gold", "tin"),
    ...     np.array([[True, False], [True, False], [False, True]]), np.zeros((3, 2)))
    >>> best, _ = best_portfolio(three, Ask(2))
    >>> best.chosen.tolist(), round(best.value, 6), best.proven
    ([0, 2], 1.0, True)
    """
    if at_odds := misfits(candidates, ask):
        raise PortfolioError(faults("there is no such portfolio:", at_odds))
    program = program_of(candidates, ask)
    found = solved(program)
    if found is None:
        raise PortfolioError(faults("there is no such portfolio:", _obstacles(candidates, ask)))
    return found, program


def misfits(candidates: Candidates, ask: Ask) -> list[str]:
    """What makes a question unanswerable before anything is solved, in words."""
    at = {id_: i for i, id_ in enumerate(candidates.ids)}
    found = [
        f"{id_}: there is no such site to choose; name one of the site_id of the run"
        for id_ in sorted((ask.lock_in | ask.lock_out) - set(at))
    ]
    found += [f"{id_}: is locked in and locked out" for id_ in sorted(ask.lock_in & ask.lock_out)]
    free = np.array([id_ not in ask.lock_out for id_ in candidates.ids], bool)
    for k, commodity in enumerate(candidates.commodities):
        have, there = (int(candidates.covers[m, k].sum()) for m in (free, slice(None)))
        if have < ask.least:
            locked = f" that is not locked out (of {there})" if there > have else ""
            found.append(
                f"{commodity}: {have or 'no'} {'site has' if have < 2 else 'sites have'} it"
                f"{locked}, and {ask.least} should"
            )
    inside = sorted(at[id_] for id_ in ask.lock_in if id_ in at)
    if len(inside) > ask.sites:
        found.append(f"{len(inside)} sites are locked in, of {ask.sites} that may be chosen")
    for i, j in near_pairs(candidates.xy[inside], ask.spacing_m).tolist():
        one, other = inside[i], inside[j]
        apart = float(np.hypot(*(candidates.xy[one] - candidates.xy[other]))) / 1000
        found.append(
            f"{candidates.ids[one]} and {candidates.ids[other]}: both are locked in, and are "
            f"{apart:.1f} km apart where {ask.spacing_m / 1000:g} km are asked"
        )
    return found + [
        f"{limit.title}: the sites locked in take {limit.use[inside].sum():g}, and at most "
        f"{limit.most:g} may be"
        for limit in ask.limits
        if limit.use[inside].sum() > limit.most
    ]


def solved(program: Program) -> Portfolio | None:
    """The portfolio of the highest value of a program; None if nothing fits its rows.

    Raises
    ------
    PortfolioError
        If the time was over before any portfolio was found.
    """
    ask, value = program.ask, program.candidates.value
    most = max(float(np.max(value, initial=0.0)), np.finfo(float).tiny)
    n = len(value)
    # Irregular, so that two pairs do not weigh the same, and rising, so that the first is taken.
    order = (np.arange(n) + np.modf(np.arange(n) * _GOLDEN)[0]) / max(n, 1)
    worth = _SCALE * (value / most - TOLERANCE * order / 2)
    answer = _answer(program, -worth, ask)
    if answer is None:
        return None
    chosen = np.flatnonzero(answer.x > 0.5)
    total = float(value[chosen].sum())
    fit = min(ask.sites, n)  # more may be asked than there are
    bound = (-float(answer.mip_dual_bound) / _SCALE + TOLERANCE * fit) * most
    bound = max(total, min(bound, fit * most))
    gap = (bound - total) / total if total else 0.0
    # The solver calls optimal what is within the gap that was asked.
    proven = answer.status == _OPTIMAL and bound - total <= most * (TOLERANCE * ask.sites + _HAIR)
    return Portfolio(chosen, total, bound, gap, proven)


def _answer(program: Program, costs: NDArray[np.float64], ask: Ask) -> Any:
    if not len(costs):
        return None
    answer = milp(
        costs,
        integrality=np.ones(len(costs)),
        bounds=Bounds(program.floor, program.ceiling),
        constraints=LinearConstraint(program.rows, program.low, program.high),
        options={"time_limit": ask.seconds, "mip_rel_gap": ask.gap},
    )
    if answer.status == _INFEASIBLE:
        return None
    if answer.x is None:
        why = "the time was over" if answer.status == _OUT_OF_TIME else answer.message
        msg = (
            f"no portfolio was found in {ask.seconds:g} s ({why}); give more time, ask for fewer "
            "commodities or a narrower spacing"
        )
        raise PortfolioError(msg)
    return answer


def least_sites(candidates: Candidates, ask: Ask) -> int | None:
    """So many sites it takes at least to cover everything; None if no number does."""
    return _number(candidates, ask, 1.0)


def most_sites(candidates: Candidates, ask: Ask) -> int | None:
    """So many sites fit beside one another at most; None if nothing fits."""
    return _number(candidates, ask, -1.0)


def _number(candidates: Candidates, ask: Ask, sign: float) -> int | None:
    n = len(candidates.ids)
    free = replace(ask, sites=n, exactly=False, gap=0.0)
    answer = _answer(program_of(candidates, free), np.full(n, sign), free)
    return None if answer is None else int(np.count_nonzero(answer.x > 0.5))


def _obstacles(candidates: Candidates, ask: Ask) -> list[str]:
    least = least_sites(candidates, ask)
    if least is not None:
        if least > ask.sites:
            return [f"it takes {least} sites at least, and {ask.sites} are asked; ask for {least}"]
        most = most_sites(candidates, ask) or least
        if most < ask.sites:
            return [f"{most} sites fit at most, and exactly {ask.sites} are asked"]
        return [
            f"some {least} sites do, some {most} do, and no {ask.sites}; ask for at most so many"
        ]
    relaxed = [("the spacing", replace(ask, spacing_m=0.0))] if ask.spacing_m > 0 else []
    relaxed += [
        (f"the limit {x.title!r}", replace(ask, limits=tuple(y for y in ask.limits if y is not x)))
        for x in ask.limits
    ]
    found = [
        f"without {title} it takes {n} sites; make it less strict"
        for title, asked in relaxed
        if (n := least_sites(candidates, asked)) is not None
    ]
    names = [title for title, _ in relaxed]
    return found or [f"no number of sites does, by {' and '.join(names)} together; loosen both"]


def named(ids: Sequence[str]) -> str:
    """A few names, and how many more there are.

    Examples
    --------
    >>> named(["a", "b", "c", "d", "e", "f", "g"])
    'a, b, c, d, e and 2 more'
    """
    more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
    return ", ".join(ids[:_NAMED]) + more
