import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from geosite import constraints, harmonise
from geosite.constraints import (
    Verdict,
    against_bits,
    answer,
    lifters_of,
    narrowed,
    numbered,
    unsure_bits,
    verdict,
)
from tests import strategies
from tests.toyworld import draw, picture, world

SHAPE = (4, 5)
MASKS = arrays(bool, SHAPE)
VERDICTS = st.tuples(MASKS, MASKS).map(lambda two: Verdict(two[0], two[1] & ~two[0]))


def treatment(**written):
    return strategies.rule("a", written).mine


EXCLUDE = treatment(tier="exclude")
REQUIRE = treatment(tier="require", within="1 km")
AVOID = treatment(tier="avoid", factor="0.5")
MITIGATE = treatment(tier="mitigate", factor="0.3")
FLAG = treatment(tier="flag")
INCLUDE = treatment(tier="include", case="test case 1")
ALL = (EXCLUDE, REQUIRE, AVOID, MITIGATE, FLAG, INCLUDE)


def within(marked, cells):
    return harmonise.near(marked, cells)


def said(found):
    """The picture of a verdict: # against, ? cannot tell, . nothing."""
    return draw(found.against + 2 * found.unsure, {".": 0, "#": 1, "?": 2, "!": 3})


def state(text):
    """What is drawn: features f, land not covered o, both at once b."""
    _, surface = world(text, {".": 0, "f": 1, "o": 2, "b": 3})
    codes = surface.to_numpy()
    return (codes & 1) > 0, (codes & 2) > 0


# ── three states ──────────────────────────────────────────────────────────────────────────────
LAND = """
    . . . . . . . o o
    . f . . . . . o o
    . . . . . . . o o
    . . . . . f . o o
    . . . . . . . o b
"""


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (
            0,
            """
            . . . . . . . ? ?
            . # . . . . . ? ?
            . . . . . . . ? ?
            . . . . . # . ? ?
            . . . . . . . ? #
            """,
        ),
        (
            1,
            """
            . # . . . . ? ? ?
            # # # . . . ? ? ?
            . # . . . # ? ? ?
            . . . . # # # ? #
            . . . . . # ? # #
            """,
        ),
    ],
)
def test_a_setback_excludes_is_silent_or_clears(cells, expected):
    feature, uncovered = state(LAND)
    found = verdict(within(feature, cells), within(uncovered, cells))
    assert said(found) == picture(expected)


def test_a_requirement_is_met_broken_or_unsure():
    feature, uncovered = state(LAND)
    found = verdict(within(feature, 1), within(uncovered, 1), required=True)
    assert said(found) == picture("""
        # . # # # # ? ? ?
        . . . # # # ? ? ?
        # . # # # . ? ? ?
        # # # # . . . ? .
        # # # # # . ? . .
    """)


def test_where_a_presence_only_layer_shows_nothing_nothing_is_known():
    feature, uncovered = state(LAND)
    near = within(feature, 1)
    for required in (False, True):
        found = verdict(near, uncovered, required=required, absence_informative=False)
        assert (found.unsure == ~near).all()
        assert (found.against == (near & (not required))).all()


def test_a_rule_holds_inside_some_land_only():
    feature, uncovered = state(LAND)
    inside = np.zeros_like(feature)
    inside[2:, 4:] = True
    found = narrowed(verdict(within(feature, 1), within(uncovered, 1)), inside)
    assert said(found) == picture("""
        . . . . . . . . .
        . . . . . . . . .
        . . . . . # ? ? ?
        . . . . # # # ? #
        . . . . . # ? # #
    """)


@given(MASKS, MASKS, st.booleans(), st.booleans())
def test_a_verdict_is_never_both_and_knows_what_it_can(near, uncovered, required, informative):
    found = verdict(near, uncovered, required=required, absence_informative=informative)
    assert not (found.against & found.unsure).any()
    # More coverage can turn "cannot tell" into an answer, never an answer into another.
    more = verdict(near, uncovered & ~near, required=required, absence_informative=informative)
    assert (more.against >= found.against).all()
    assert (more.unsure <= found.unsure).all()


# ── all rules together ────────────────────────────────────────────────────────────────────────
def one(text):
    _, surface = world(text, {".": 0, "#": 1, "?": 2})
    return Verdict(surface.to_numpy() == 1, surface.to_numpy() == 2)


def test_exclusion_goes_before_doubt_and_inclusion_lifts_both():
    found = answer(
        [
            one("""
                # # # ? ? ? . . .
            """),
            one("""
                # ? . # ? . # ? .
            """),
        ],
        [EXCLUDE, REQUIRE],
        (1, 9),
    )
    assert draw(found.excluded + 2 * found.unknown, {".": 0, "x": 1, "?": 2}) == "x x x x ? ? x ? ."
    lifted = answer(
        [
            one("# # # # . . . . ."),
            one("# ? . # ? . # ? ."),
            one("# # # . . . . # ."),
        ],
        [EXCLUDE, REQUIRE, INCLUDE],
        (1, 9),
        {2: frozenset({0, 1})},
    )
    picture_of = draw(lifted.excluded + 2 * lifted.unknown, {".": 0, "x": 1, "?": 2})
    assert picture_of == ". . . x ? . x . ."


def test_an_inclusion_that_cannot_tell_lifts_nothing():
    found = answer([one("# #"), one("? .")], [EXCLUDE, INCLUDE], (1, 2), {1: frozenset({0})})
    assert found.excluded.tolist() == [[True, True]]


def test_an_inclusion_lifts_its_own_rules_and_no_others():
    park, order, case, other = (
        one("# # . ? ?"),
        one("# . # ? ."),
        one("# # # # ."),
        one("# . . # #"),
    )
    lifts = {0: frozenset({1}), 3: frozenset({2, 4}), 4: frozenset({1})}
    found = answer(
        [case, park, order, other, other], [INCLUDE, EXCLUDE, EXCLUDE, INCLUDE, FLAG], (1, 5), lifts
    )
    picture_of = draw(found.excluded + 2 * found.unknown, {".": 0, "x": 1, "?": 2})
    assert picture_of == ". . x . ?"
    # What nobody names is lifted by nobody.
    found = answer([case, park], [INCLUDE, EXCLUDE], (1, 5))
    assert found.excluded.tolist() == [[True, True, False, False, False]]
    assert found.unknown.tolist() == [[False, False, False, True, True]]


def test_what_lifts_is_numbered_by_the_rules_that_are_asked():
    lifts = {"case": frozenset({"park", "gone"}), "lost": frozenset({"park"})}
    assert numbered(("case", "lake", "park"), lifts) == {0: frozenset({2})}
    assert lifters_of((INCLUDE, FLAG, EXCLUDE), {0: frozenset({1, 2}), 2: frozenset({2})}) == {
        2: frozenset({0})
    }


@given(st.lists(st.tuples(VERDICTS, st.sampled_from((AVOID, MITIGATE, FLAG))), max_size=4))
def test_soft_rules_exclude_nothing(rules):
    found = answer([v for v, _ in rules], [t for _, t in rules], SHAPE)
    assert not found.excluded.any()
    assert not found.unknown.any()


@given(st.lists(st.tuples(VERDICTS, st.sampled_from(ALL)), max_size=6))
def test_factors_multiply_where_their_rules_touch(rules):
    found = answer([v for v, _ in rules], [t for _, t in rules], SHAPE)
    expected = np.ones(SHAPE)
    for v, t in rules:
        if t in (AVOID, MITIGATE):
            expected = expected * np.where(v.against, t.factor, 1)
    assert found.factor == pytest.approx(expected, rel=1e-6)
    assert found.factor.dtype == np.float32
    assert found.factor.max(initial=0) <= 1


def test_the_product_of_factors_has_no_order():
    # In float32 it has: (0.1 × 0.7) × 0.9 is not 0.1 × (0.7 × 0.9).
    factors = [treatment(tier="avoid", factor=f"0.{n}") for n in (1, 3, 6, 7, 9)]
    found = [one("# #")] * len(factors)
    products = {
        answer(found, order, (1, 2)).factor.tobytes() for order in itertools.permutations(factors)
    }
    assert len(products) == 1


def test_no_rule_leaves_all_land_clear():
    found = answer([], [], SHAPE)
    assert not found.excluded.any()
    assert not found.unknown.any()
    assert (found.factor == 1).all()
    assert not found.planes.any()


@pytest.mark.parametrize("count", [1, 31, 32, 33, 64, 70])
def test_every_rule_has_bits_of_its_own(count):
    random = np.random.default_rng(count)
    codes = random.integers(0, 3, (count, *SHAPE))
    verdicts = [Verdict(c == 1, c == 2) for c in codes]
    treatments = [ALL[k % len(ALL)] for k in range(count)]
    planes = answer(verdicts, treatments, SHAPE).planes
    assert planes.shape == (-(-count // 32), *SHAPE)
    for k, found in enumerate(verdicts):
        assert against_bits(planes, k).tolist() == found.against.tolist()
        assert unsure_bits(planes, k).tolist() == found.unsure.tolist()
    # What the last rule says is in its own two bits and nowhere else.
    shorter = answer(verdicts[:-1], treatments[:-1], SHAPE).planes
    bits = sum(int(p).bit_count() for p in planes.flat) - sum(
        int(p).bit_count() for p in shorter.flat
    )
    assert bits == (codes[-1] > 0).sum()


def test_verdicts_and_treatments_come_in_pairs():
    with pytest.raises(ValueError, match="argument 2"):
        answer([one("#")], [EXCLUDE, EXCLUDE], (1, 1))


def test_only_exclude_and_require_are_hard():
    assert [constraints.is_hard(t) for t in ALL] == [True, True, False, False, False, False]
