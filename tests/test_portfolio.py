"""The best portfolio, against every set of sites there is."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geosite.errors import PortfolioError
from geosite.portfolio import (
    TOLERANCE,
    Ask,
    Candidates,
    Limit,
    best_portfolio,
    least_sites,
    most_sites,
    named,
)


def candidates(value, covers, xy=None, commodities=None):
    covers = np.array(covers, bool).reshape(len(value), -1)
    names = commodities or tuple("abcdefgh"[: covers.shape[1]])
    xy = np.zeros((len(value), 2)) if xy is None else np.array(xy, float)
    return Candidates(
        tuple(f"s{i}" for i in range(len(value))), np.array(value, float), names, covers, xy
    )


def allowed(one, ask, chosen):
    """Whether a set of sites does what is asked, by looking at each condition."""
    chosen = list(chosen)
    ids = {one.ids[i] for i in chosen}
    pairs = itertools.combinations(chosen, 2)
    return (
        (len(chosen) == ask.sites if ask.exactly else len(chosen) <= ask.sites)
        and ask.lock_in <= ids
        and not ask.lock_out & ids
        and (one.covers[chosen].sum(axis=0) >= ask.least).all()
        and all(np.hypot(*(one.xy[i] - one.xy[j])) >= ask.spacing_m for i, j in pairs)
        and all(limit.use[chosen].sum() <= limit.most for limit in ask.limits)
    )


def every_set(one, ask):
    n = len(one.ids)
    sets = (s for k in range(ask.sites + 1) for s in itertools.combinations(range(n), k))
    return [s for s in sets if allowed(one, ask, s)]


@st.composite
def questions(draw):
    n, c = draw(st.integers(2, 8)), draw(st.integers(0, 3))
    value = draw(st.lists(st.integers(0, 20), min_size=n, max_size=n))
    covers = draw(st.lists(st.booleans(), min_size=n * c, max_size=n * c))
    places = st.tuples(st.integers(0, 9), st.integers(0, 9))
    xy = draw(st.lists(places, min_size=n, max_size=n))
    one = candidates(np.array(value) / 20, np.array(covers, bool).reshape(n, c), xy)
    ids = st.sampled_from(one.ids)
    use = np.array(draw(st.lists(st.integers(0, 9), min_size=n, max_size=n)), float)
    ask = Ask(
        draw(st.integers(1, 5)),
        exactly=draw(st.booleans()),
        least=draw(st.integers(1, 2)),
        lock_in=frozenset(draw(st.sets(ids, max_size=1))),
        lock_out=frozenset(draw(st.sets(ids, max_size=2))),
        spacing_m=draw(st.integers(0, 5)),
        limits=draw(st.sampled_from([(), (Limit("acres", use, 15.0),)])),
    )
    return one, ask


@settings(max_examples=120, deadline=None)
@given(questions())
def test_none_of_all_sets_is_better(question):
    one, ask = question
    sets = every_set(one, ask)
    if not sets:
        with pytest.raises(PortfolioError):
            best_portfolio(one, ask)
        return
    found, _ = best_portfolio(one, ask)
    best = max(float(one.value[list(s)].sum()) for s in sets)
    assert allowed(one, ask, found.chosen)
    assert found.proven
    slack = TOLERANCE * ask.sites
    assert best - slack <= found.value <= best + 1e-9
    assert found.bound >= best - 1e-9
    assert found.bound - found.value <= 2 * slack + 1e-9


@settings(max_examples=40, deadline=None)
@given(questions())
def test_another_lock_or_a_wider_spacing_never_helps(question):
    one, ask = question
    try:
        free, _ = best_portfolio(one, ask)
    except PortfolioError:
        return
    for stricter in (
        replace(ask, spacing_m=ask.spacing_m + 1),
        replace(ask, lock_out=ask.lock_out | {"s0"}),
    ):
        try:
            bound, _ = best_portfolio(one, stricter)
        except PortfolioError:
            continue
        assert bound.value <= free.value + TOLERANCE * ask.sites


@settings(max_examples=40, deadline=None)
@given(questions())
def test_the_least_and_the_most_number_of_sites_are_those_of_all_sets(question):
    one, ask = question
    ask = replace(ask, sites=len(one.ids), exactly=False)
    sizes = [len(s) for s in every_set(one, ask)]
    assert least_sites(one, ask) == (min(sizes) if sizes else None)
    assert most_sites(one, ask) == (max(sizes) if sizes else None)


def test_of_equals_the_first_are_taken_every_time():
    one = candidates(np.full(12, 0.5), np.ones((12, 1)))
    found = [best_portfolio(one, Ask(3))[0].chosen.tolist() for _ in range(3)]
    assert found[0] == found[1] == found[2]
    assert best_portfolio(one, Ask(1))[0].chosen.tolist() == [0]


def test_sites_of_no_value_still_cover():
    found, _ = best_portfolio(candidates([0, 0], [[1, 0], [0, 1]]), Ask(2))
    assert found.chosen.tolist() == [0, 1]
    assert found.value == 0
    assert found.gap == 0


def test_more_asked_than_there_are_does_not_widen_the_bound():
    found, _ = best_portfolio(candidates([0.9, 0.5], [[1], [1]]), Ask(100_000_000))
    assert found.value == pytest.approx(1.4)
    assert found.gap < 1e-4


THREE = candidates([0.9, 0.5, 0.4], [[1, 0], [1, 0], [0, 1]], [[0, 0], [50e3, 0], [10e3, 0]])


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (Ask(2, least=2), "b: 1 site has it, and 2 should"),
        (Ask(2, lock_out=frozenset({"s2"})), r"b: no site has it that is not locked out \(of 1\)"),
        (Ask(1, lock_in=frozenset({"s0", "s1"})), "2 sites are locked in, of 1"),
        (Ask(2, lock_in=frozenset({"x"}), lock_out=frozenset({"y"})), "(?s)x: there is.*y: there"),
        (Ask(2, lock_in=frozenset({"s0"}), lock_out=frozenset({"s0"})), "in and locked out"),
        (
            Ask(3, lock_in=frozenset({"s0", "s2"}), spacing_m=20e3),
            "s0 and s2: both are locked in, and are 10.0 km apart where 20 km are asked",
        ),
        (
            Ask(2, lock_in=frozenset({"s0"}), limits=(Limit("acres", np.full(3, 9.0), 5),)),
            "acres: the sites locked in take 9, and at most 5",
        ),
        (Ask(1), "it takes 2 sites at least, and 1 are asked; ask for 2"),
        (Ask(3, exactly=True, spacing_m=20e3), "2 sites fit at most, and exactly 3"),
        (Ask(2, spacing_m=60e3), "without the spacing it takes 2 sites"),
        (Ask(2, limits=(Limit("acres", np.full(3, 9.0), 10),)), "without the limit 'acres' it tak"),
        (
            Ask(2, spacing_m=60e3, limits=(Limit("acres", np.full(3, 9.0), 10),)),
            "by the spacing and the limit 'acres' together",
        ),
    ],
)
def test_what_cannot_be_had_says_why(ask, words):
    with pytest.raises(PortfolioError, match=words):
        best_portfolio(THREE, ask)


def test_every_fault_is_told_at_once():
    ask = Ask(1, least=3, lock_in=frozenset({"s0", "x"}))
    with pytest.raises(PortfolioError) as told:
        best_portfolio(THREE, ask)
    assert len(str(told.value).splitlines()) == 4


def test_a_time_that_is_over_is_told(monkeypatch):
    class Nothing:
        status, x, message = 1, None, "time limit"

    monkeypatch.setattr("geosite.portfolio.milp", lambda *_, **__: Nothing)
    with pytest.raises(PortfolioError, match=r"found in 60 s \(the time was over\)"):
        best_portfolio(THREE, Ask(2))


def test_what_is_not_proven_says_so_with_its_bound(monkeypatch):
    class Early:
        status, x, mip_dual_bound = 1, np.array([0.0, 1.0, 1.0]), -1.5e4

    monkeypatch.setattr("geosite.portfolio.milp", lambda *_, **__: Early)
    found, _ = best_portfolio(THREE, Ask(2))
    assert not found.proven
    assert found.value == pytest.approx(0.9)
    assert found.bound == pytest.approx(1.35, abs=1e-5)
    assert found.gap == pytest.approx(0.5, abs=1e-4)


@pytest.mark.parametrize("seed", range(4))
def test_what_stops_at_a_gap_is_called_proven_only_if_it_is_the_best(seed):
    rng = np.random.default_rng(seed)
    use = rng.integers(20, 60, 40).astype(float)
    xy, covers = rng.random((40, 2)) * 100, rng.random((40, 2)) < 0.2
    one = candidates(rng.random(40) * 0.2 + 0.8, covers, xy)
    ask = Ask(8, spacing_m=25, limits=(Limit("acres", use, 200.0),))
    best, _ = best_portfolio(one, ask)
    early, _ = best_portfolio(one, replace(ask, gap=0.5))
    assert best.proven
    assert early.bound >= best.value - 1e-9
    assert not early.proven or early.value == pytest.approx(best.value, abs=TOLERANCE * 8)


def test_a_number_between_two_that_do_is_told_as_such():
    # a has all and is near to all others, which have one commodity each.
    xy = [(0, 0), (4, 0), (-4, 0), (0, 4)]
    one = candidates([1, 1, 1, 1], [[1, 1, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1]], xy)
    with pytest.raises(PortfolioError, match="some 1 sites do, some 3 do, and no 2"):
        best_portfolio(one, Ask(2, exactly=True, spacing_m=5.0))


def test_few_names_are_given_whole():
    assert named(["a", "b"]) == "a, b"
