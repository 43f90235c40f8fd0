"""Worlds, grids and rules for property tests, as hypothesis strategies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pydantic import TypeAdapter

from geosite.grid import SUBCELLS, Grid
from geosite.model import Rule
from geosite.model.combination import Combination
from tests.toyworld import ALBERS

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

RESOLUTIONS = (30.0, 90.0, 100.0, 250.0)
ORIGINS = st.one_of(
    st.just((0.0, 0.0)),
    st.tuples(*[st.integers(-20_000_000, 20_000_000).map(lambda n: n / 8)] * 2),
)
"""Exact in binary, so that moving an origin rounds nothing."""
HARD_TIERS = ("exclude", "require")


def shapes(most: int = 24) -> SearchStrategy[tuple[int, int]]:
    """(rows, columns), each from 1 up."""
    side = st.integers(1, most)
    return st.tuples(side, side)


@st.composite
def grids(draw: Any, most: int = 24) -> Grid:
    """Small grids anywhere on a lattice of the conterminous states."""
    index = st.integers(-25_000, 25_000)
    resolution = draw(st.sampled_from(RESOLUTIONS))
    return Grid(ALBERS, resolution, draw(index), draw(index), draw(shapes(most)), draw(ORIGINS))


def presences(shape: tuple[int, int]) -> SearchStrategy[Any]:
    """Where a layer has a feature: (rows, columns) of bool, mostly without."""
    return arrays(bool, shape, elements=st.sampled_from((False, False, False, True)))


def scores(shape: tuple[int, int]) -> SearchStrategy[Any]:
    """Scores of 0 to 1, NaN where unknown: (rows, columns), float32."""
    eighths = st.integers(0, 8).map(lambda n: n / 8)
    return arrays(np.float32, shape, elements=st.one_of(eighths, st.just(float("nan"))))


def weights(count: int) -> SearchStrategy[list[float]]:
    """So many weights above zero."""
    return st.lists(st.integers(1, 9).map(float), min_size=count, max_size=count)


def metres(most: int = 1000) -> SearchStrategy[float]:
    """Whole metres, from zero."""
    return st.integers(0, most).map(float)


@st.composite
def treatments(draw: Any, tiers: tuple[str, ...] = ("exclude", "avoid", "mitigate", "flag")) -> Any:
    """What a rule says about a facility, as it would be written."""
    tier = draw(st.sampled_from(tiers))
    reach = f"{draw(metres()):g} m"
    match tier:
        case "require":
            return {"tier": tier, "within": reach}
        case "avoid" | "mitigate":
            factor = draw(st.integers(1, 9)) / 10
            return {"tier": tier, "setback": reach, "factor": str(factor)}
        case "include":
            return {"tier": tier, "case": "test case 1"}
        case _:
            return {"tier": tier, "setback": reach}


def rule(name: str, mine: dict[str, str] | None = None, **other: Any) -> Rule:
    """A rule about the layer ``x/<name>``; an exclusion without setback if nothing is said."""
    written = {
        "id": name,
        "title": name,
        "layer": f"x/{name}",
        "mine": mine or {"tier": "exclude"},
        "authority": "practice",
        "citation": "for a test only",
    }
    return Rule.model_validate({**written, **other})


@st.composite
def rules(draw: Any, most: int = 4, **kinds: Any) -> tuple[Rule, ...]:
    """Rules a, b, c …, each about a layer of its own."""
    count = draw(st.integers(1, most))
    return tuple(rule(chr(ord("a") + i), draw(treatments(**kinds))) for i in range(count))


def places(shape, margin=3):
    """Points in and round a window, in sub-cells; often on the edge or the centre of a cell."""
    rows, columns = shape

    def along(cells):
        anywhere = st.integers(-margin * SUBCELLS, (cells + margin) * SUBCELLS)
        halves = st.integers(-2 * margin, 2 * (cells + margin)).map((SUBCELLS // 2).__mul__)
        return st.one_of(anywhere, halves)

    point = st.tuples(along(columns), along(rows))
    return st.lists(point, max_size=6).map(lambda xy: np.array(xy, np.int64).reshape(-1, 2))


OF_FOUR = tuple(
    TypeAdapter(Combination).validate_python(rule)
    for rule in (
        *({"kind": k} for k in ("weighted_sum", "geometric_mean", "evidence_gated", "topsis")),
        *({"kind": k} for k in ("minimum", "maximum", "fuzzy_gamma")),
        {"kind": "owa", "order_weights": [1, 2, 3, 4]},
    )
)
"""Every rule of combination, for four criteria."""


@st.composite
def matrices_of_sites(draw: Any, *, known: bool = False, most: int = 20) -> Any:
    """A decision matrix (criteria, sites), with ties and unknowns, weights, and criterion ids.

    Its scores are whole ten-thousandths, as those of sites are.
    """
    ids = ("evidence", "rail", "power", "water")
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    found = rng.integers(0, 11, (len(ids), draw(st.integers(1, most)))) / 10
    if draw(st.booleans()):
        found = np.where(found > 0.3, found, rng.integers(0, 10_001, found.shape) / 10_000)
    if not known:
        found[rng.random(found.shape) < 0.15] = np.nan
    return found, np.array(draw(weights(len(ids)))), ids
