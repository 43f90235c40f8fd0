import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from geosite import constraints
from geosite.accounting import excluded_ha, no_land, removal
from geosite.constraints import Verdict
from geosite.pieces import rule_set_table, summed_rule_sets
from geosite.resolution import lifted_by
from tests.strategies import rule
from tests.toyworld import world

CELL_HA = 2.5
AREAS = ["removed_ha", "alone_ha", "evidence_removed_ha", "evidence_alone_ha", "all_land_ha"]
SOFT = ({"tier": "avoid", "factor": "0.5"}, {"tier": "flag"})
LIFT = {"tier": "include", "case": "test case 1"}
HARD = ({"tier": "exclude"}, {"tier": "require", "within": "1 km"})


def lifting(rules):
    by_id = lifted_by(rules, [one.mine for one in rules])
    return constraints.numbered([one.id for one in rules], by_id)


def tables(rules, marks, parcel, gate, *, unsure=None):
    """What the tiles hand on, of a world cut in two."""
    treatments = [one.mine for one in rules]
    nothing = np.zeros(parcel.shape, bool)
    verdicts = [
        Verdict(marks[one.id], nothing if unsure is None else unsure & ~marks[one.id])
        for one in rules
    ]
    planes = constraints.answer(verdicts, treatments, parcel.shape).planes
    middle = parcel.shape[1] // 2
    return summed_rule_sets(
        [
            rule_set_table(parcel[:, half], planes[:, :, half], treatments, gate[:, half])
            for half in (np.s_[:middle], np.s_[middle:])
            if parcel[:, half].size
        ]
    )


def accounts(rules, marks, parcel, gate, offered, **other):
    return removal(
        tables(rules, marks, parcel, gate, **other),
        rules,
        [one.mine for one in rules],
        np.array(offered),
        cell_ha=CELL_HA,
        lifts=lifting(rules),
    ).set_index("rule")


def by_hand(rules, marks, parcel, gate, offered):
    """The same cell by cell."""
    names = lifted_by(rules, [one.mine for one in rules])
    standing = {}
    for one in rules:
        if constraints.is_hard(one.mine):
            cases = [marks[by] for by, lifted in names.items() if one.id in lifted]
            standing[one.id] = marks[one.id] & ~np.any([np.zeros(parcel.shape, bool), *cases], 0)
    count = np.sum([np.zeros(parcel.shape, int), *standing.values()], axis=0)
    land = parcel > 0
    may = land & np.array(offered)[parcel]
    rows = {}
    for id_, here in standing.items():
        cells = (
            here & may,
            here & may & (count == 1),
            here & may & gate,
            here & may & gate & (count == 1),
            here & land,
        )
        rows[id_] = [c.sum() * CELL_HA for c in cells]
    return pd.DataFrame.from_dict(rows, orient="index", columns=AREAS)


def drawn(text, symbols):
    _, surface = world(text, {s: s for s in set("".join(text.split()))})
    return np.isin(surface.to_numpy(), list(symbols))


# ── one world, drawn ──────────────────────────────────────────────────────────────────────────
PARCELS = """
    . 1 1 1 1 2 2 2
    . 1 1 1 1 2 2 2
    . 1 1 1 1 3 3 3
"""
PARK = """
    p p p . . . . .
    p p p . . p p .
    . . . . . . . .
"""
LAKE = """
    . . . . . . . .
    . . l l . . l .
    . . l l . . l l
"""
CASE = """
    . . . . . . . .
    . . . . . . . .
    . . . c c c c c
"""
ORE = """
    . . o o . . . .
    . . o o . . . .
    . . . . . . . .
"""


@pytest.fixture
def basin():
    _, surface = world(PARCELS, {".": 0, "1": 1, "2": 2, "3": 3})
    marks = {"park": drawn(PARK, "p"), "lake": drawn(LAKE, "l"), "case": drawn(CASE, "c")}
    # Parcel 3 belongs to somebody who offers nothing.
    return marks, surface.to_numpy().astype(np.int32), drawn(ORE, "o"), [False, True, True, False]


def test_what_each_rule_removes_alone_and_with_others(basin):
    rules = [rule("park"), rule("lake")]
    found = accounts(rules, *basin)
    assert found.index.tolist() == ["park", "lake"]
    #                                        removed alone ore ore-alone all
    assert (found.loc["park"] / CELL_HA).tolist() == [6, 4, 2, 1, 6]
    assert (found.loc["lake"] / CELL_HA).tolist() == [5, 3, 2, 1, 7]


def test_a_case_gives_land_back(basin):
    rules = [rule("park"), rule("lake"), rule("case", LIFT)]
    found = accounts(rules, *basin)
    assert "case" not in found.index, "what lifts removes nothing"
    assert (found.loc["park"] / CELL_HA).tolist() == [6, 4, 2, 1, 6]
    assert (found.loc["lake"] / CELL_HA).tolist() == [4, 2, 2, 1, 4]


def test_a_case_gives_back_what_it_lifts_and_no_more(basin):
    rules = [rule("park", authority="statute"), rule("lake"), rule("case", LIFT)]
    found = accounts(rules, *basin)
    assert (found.loc["park"] / CELL_HA).tolist() == [6, 4, 2, 1, 6]
    assert (found.loc["lake"] / CELL_HA).tolist() == [4, 2, 2, 1, 4]
    lake = rule("lake", authority="statute")
    found = accounts([rule("park"), lake, rule("case", LIFT)], *basin)
    assert (found.loc["lake"] / CELL_HA).tolist() == [5, 3, 2, 1, 7]


def test_soft_rules_and_doubt_remove_nothing(basin):
    marks, parcel, gate, offered = basin
    soft = [rule("lake", SOFT[0]), rule("case", SOFT[1])]
    unsure = np.ones(parcel.shape, bool)
    assert accounts(soft, marks, parcel, gate, offered).empty
    found = accounts([rule("park"), *soft], marks, parcel, gate, offered, unsure=unsure)
    assert (found.loc["park"] / CELL_HA).tolist() == [6, 6, 2, 2, 6]


def test_without_rules_there_is_an_empty_table(basin):
    _, parcel, gate, offered = basin
    found = accounts([], {}, parcel, gate, offered)
    assert found.columns.tolist() == AREAS
    assert found.empty


# ── nothing left ──────────────────────────────────────────────────────────────────────────────
def left(rules, marks, parcel, gate, offered):
    treatments, lifts = [one.mine for one in rules], lifting(rules)
    sets, offered = tables(rules, marks, parcel, gate), np.array(offered)
    removed = removal(sets, rules, treatments, offered, cell_ha=CELL_HA, lifts=lifts)
    excluded = excluded_ha(sets, treatments, offered, cell_ha=CELL_HA, lifts=lifts)
    return no_land(sets, removed, offered, excluded, cell_ha=CELL_HA)


def test_a_rule_that_leaves_no_land_is_named():
    parcel = np.array([[0, 1, 1, 2]])
    gate, offered = parcel > 0, [False, True, False]
    marks = {"a": parcel == 1, "b": parcel >= 1, "c": np.array([[True, True, False, True]])}
    all_three = [rule("a"), rule("b"), rule("c")]
    assert left(all_three, marks, parcel, gate, offered) == [
        "rule a excludes all offered land by itself",
        "rule b excludes all offered land by itself",
    ]
    # Land that is not offered is not asked about; one cell that is left is enough.
    assert left([rule("c")], marks, parcel, gate, offered) == []
    assert left([rule("a")], marks, parcel, gate, [False, True, True]) == []
    assert left([rule("a", {"tier": "flag"})], marks, parcel, gate, offered) == []


def test_rules_that_leave_no_land_together_are_told_from_one_that_does():
    parcel = np.ones((1, 3), np.int32)
    marks = {
        "a": np.array([[True, True, False]]),
        "b": np.array([[False, True, True]]),
        "case": np.array([[False, False, True]]),
    }
    rest = (parcel, parcel > 0, [False, True])
    together = ["no rule alone, but together the rules leave no land"]
    assert left([rule("a"), rule("b")], marks, *rest) == together
    assert left([rule("a"), rule("b"), rule("case", LIFT)], marks, *rest) == []


def test_without_offered_land_no_rule_is_to_blame():
    parcel = np.ones((1, 3), np.int32)
    assert left([rule("a")], {"a": parcel > 0}, parcel, parcel > 0, [False, False]) == []


# ── laws ──────────────────────────────────────────────────────────────────────────────────────
@st.composite
def basins(draw):
    shape = draw(st.tuples(st.integers(1, 6), st.integers(1, 8)))
    parcel = draw(arrays(np.int32, shape, elements=st.integers(0, 3)))
    kinds = st.sampled_from((*HARD, *HARD, *SOFT, LIFT))
    authority = st.sampled_from(("statute", "practice", "practice"))
    rules = [
        rule(chr(97 + k), draw(kinds), authority=draw(authority), sovereign=draw(st.booleans()))
        for k in range(draw(st.integers(1, 5)))
    ]
    marks = {one.id: draw(arrays(bool, shape)) for one in rules}
    gate = draw(arrays(bool, shape))
    offered = [False, *draw(st.lists(st.booleans(), min_size=3, max_size=3))]
    return rules, marks, parcel, gate, offered


@given(basins())
def test_accounts_agree_with_counting_cells(basin):
    found, expected = accounts(*basin), by_hand(*basin)
    assert found.index.tolist() == expected.index.tolist()
    assert found[AREAS].to_numpy().tolist() == expected.to_numpy().tolist()


@given(basins())
def test_excluded_land_is_what_the_tiles_exclude(basin):
    rules, marks, parcel, gate, offered = basin
    out = excluded(rules, marks, parcel) & np.array(offered)[parcel] & (parcel > 0)
    found = excluded_ha(
        tables(rules, marks, parcel, gate),
        [one.mine for one in rules],
        np.array(offered),
        cell_ha=CELL_HA,
        lifts=lifting(rules),
    )
    assert found == out.sum() * CELL_HA


@given(basins(), st.randoms(use_true_random=False))
def test_the_order_of_rules_changes_no_account(basin, random):
    rules, *rest = basin
    shuffled = list(rules)
    random.shuffle(shuffled)
    one, two = accounts(rules, *rest), accounts(shuffled, *rest)
    assert one.sort_index().equals(two.sort_index())


@given(basins())
def test_what_a_rule_removes_alone_is_part_of_what_it_removes(basin):
    rules, marks, parcel, _, offered = basin
    found = accounts(*basin)
    assert (found["alone_ha"] <= found["removed_ha"]).all()
    assert (found["evidence_removed_ha"] <= found["removed_ha"]).all()
    assert (found["evidence_alone_ha"] <= found["evidence_removed_ha"]).all()
    assert (found["removed_ha"] <= found["all_land_ha"]).all()
    # Dropping a rule frees exactly what it removes alone.
    for dropped in found.index:
        rest = [one for one in rules if one.id != dropped]
        freed = excluded(rules, marks, parcel) & ~excluded(rest, marks, parcel)
        may = freed & np.array(offered)[parcel]
        assert found.loc[dropped, "alone_ha"] == may.sum() * CELL_HA


def excluded(rules, marks, parcel):
    nothing = np.zeros(parcel.shape, bool)
    verdicts = [Verdict(marks[one.id], nothing) for one in rules]
    treatments = [one.mine for one in rules]
    return constraints.answer(verdicts, treatments, parcel.shape, lifting(rules)).excluded


@given(basins())
def test_another_inclusion_never_adds_to_an_account(basin):
    rules, marks, *rest = basin
    lifting = [*rules, rule("more", LIFT)]
    rules_only = accounts(rules, marks, *rest)
    lifted = accounts(lifting, marks | {"more": rest[1]}, *rest)
    removed = ["removed_ha", "evidence_removed_ha", "all_land_ha"]
    assert (lifted[removed] <= rules_only[removed]).all(axis=None)


@pytest.mark.parametrize("count", [33, 70, 360])
def test_many_rules_keep_their_own_accounts(count):
    # Each rule removes its own cell, and shares one with the rule before it.
    rules = [rule(f"r{k}") for k in range(count)]
    cells = np.arange(2 * count).reshape(1, -1)
    marks = {f"r{k}": (cells >= 2 * k) & (cells <= 2 * k + 2) for k in range(count)}
    parcel = np.ones(cells.shape, np.int32)
    found = accounts(rules, marks, parcel, cells < 0, [False, True]) / CELL_HA
    inner = found.iloc[1:-1]
    assert (inner["removed_ha"] == 3).all()
    assert (inner["alone_ha"] == 1).all()
    assert found.index.tolist() == [one.id for one in rules]
    assert found[["removed_ha", "alone_ha"]].iloc[[0, -1]].to_numpy().tolist() == [[3, 2], [2, 1]]


def test_tables_of_tiles_add_up_to_the_table_of_the_whole(basin):
    marks, parcel, gate, _ = basin
    rules = [rule("park"), rule("lake"), rule("case", LIFT)]
    treatments = [one.mine for one in rules]
    verdicts = [Verdict(marks[one.id], np.zeros(parcel.shape, bool)) for one in rules]
    planes = constraints.answer(verdicts, treatments, parcel.shape).planes
    whole = rule_set_table(parcel, planes, treatments, gate)
    assert whole["cells"].sum() == (parcel > 0).sum()
    assert whole["evidence"].sum() == (gate & (parcel > 0)).sum()
    cuts = [np.s_[r : r + 2, c : c + 3] for r, c in itertools.product((0, 2), (0, 3, 6))]
    parts = [rule_set_table(parcel[s], planes[:, *s], treatments, gate[s]) for s in cuts]
    assert summed_rule_sets(parts).equals(whole)
