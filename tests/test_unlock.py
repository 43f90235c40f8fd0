"""What keeps land out: by counting cells, by laws, and on sets drawn by hand."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geosite.unlock import (
    Blocking,
    blocking_sets,
    parcel_table,
    rule_shares,
    rule_table,
    set_table,
    valued_ha,
)

ACTS = {
    "statute": "Congress",
    "withdrawal": "the Secretary, by order",
    "plan": "the field office, by plan amendment",
    "practice": "the project",
}


def rule(id_, authority="plan", **more):
    more = {"hard": True, **more}
    return Blocking(id_, id_.title(), authority, f"citation of {id_}", ACTS[authority], **more)


ACEC, PARK, ROAD = rule("acec"), rule("park", "statute"), rule("road", "practice")


def rule_sets(rows, rules, planes=1):
    """``(parcel, ids of the rules that speak against, cells, evidence)`` → the run's table."""
    index = {r.id: k for k, r in enumerate(rules)}
    found = []
    for parcel, names, cells, evidence in rows:
        bits = [0] * planes
        for name in names.split():
            plane, bit = divmod(index[name], 32)
            bits[plane] |= 1 << (2 * bit)
        found.append([parcel, *bits, cells, evidence])
    columns = ["parcel", *(f"plane{p}" for p in range(planes)), "cells", "evidence"]
    table = pd.DataFrame(found, columns=columns)
    return table.astype({f"plane{p}": np.uint64 for p in range(planes)})


def asked(*parcels, most=9):
    out = np.zeros(most + 1, bool)
    out[list(parcels)] = True
    return out


def land(*ids):
    return pd.DataFrame(
        {
            "parcel_id": ids,
            "agency": "BLM",
            "name": [f"tract {i}" for i in ids],
            "state": "Nevada",
            "county": "Elko",
        }
    )


@pytest.fixture
def basin():
    """Two parcels: one blocked by a plan, one by a park on which a plan lies as well."""
    rules = (ACEC, PARK, ROAD)
    rows = [
        (1, "", 50, 9),
        (1, "acec", 10, 4),
        (1, "acec road", 6, 3),
        (2, "park", 8, 2),
        (2, "acec park", 4, 1),
        (3, "acec", 100, 100),
    ]
    return blocking_sets(rule_sets(rows, rules), rules, asked(1, 2)), rules


def test_each_rule_has_what_it_removes_alone_and_shared_and_its_shapley_share(basin):
    sets, rules = basin
    table = rule_shares(sets, rules, cell_ha=2.0).set_index("rule")
    assert table.loc["acec"].tolist() == [40, 20, 20, 20 + 6 + 4, 16, 8, 8, 8 + 3 + 1]
    assert table.loc["park"].tolist() == [24, 16, 8, 16 + 4, 6, 4, 2, 4 + 1]
    assert table.loc["road"].tolist() == [12, 0, 12, 6, 6, 0, 6, 3]


def test_only_plans_and_practice_have_numbers_and_the_law_names_who_could_act(basin):
    sets, rules = basin
    table = rule_table(sets, rules, cell_ha=2.0)
    assert table["rule"].tolist() == ["acec", "road", "park"]
    park = table.iloc[2]
    assert park["who_can_act"] == "Congress"
    assert park["citation"] == "citation of park"
    assert park.filter(like="_ha").isna().all()
    assert table.iloc[:2].filter(like="_ha").notna().all(axis=None)


def test_a_set_has_a_number_only_if_all_of_it_has(basin):
    sets, rules = basin
    table = set_table(sets, rules, cell_ha=2.0)
    assert table["rules"].tolist() == ["acec", "acec; road", "park", "acec; park"]
    assert table["area_ha"].tolist()[:2] == [20, 12]
    assert table["evidence_ha"].tolist()[:2] == [8, 6]
    assert table["area_ha"].isna().tolist() == [False, False, True, True]
    assert table["basis"].tolist() == ["plan", "plan; practice", "statute", "plan; statute"]


def test_the_smallest_set_of_a_parcel_frees_what_no_other_rule_excludes(basin):
    sets, rules = basin
    table = parcel_table(sets, rules, land(1, 2, 3), cell_ha=2.0).set_index("parcel_id")
    assert table["rules"].to_dict() == {1: "acec", 2: "park"}
    assert table.loc[1, "excluded_ha"] == 32
    assert math.isnan(table.loc[2, "excluded_ha"]), "the number of a statute"
    assert table.loc[1, ["freed_ha", "evidence_freed_ha"]].tolist() == [20, 8]
    assert math.isnan(table.loc[2, "freed_ha"])
    assert table.loc[2, "who_can_act"] == "Congress"


def test_of_equal_sets_the_one_that_blocks_most_is_named_then_the_first_by_id():
    rules = (ACEC, ROAD)
    for cells, name in ((7, "road"), (5, "acec")):
        rows = [(1, "acec", 5, 0), (1, "road", cells, 0)]
        sets = blocking_sets(rule_sets(rows, rules), rules, asked(1))
        assert parcel_table(sets, rules, land(1), cell_ha=1.0)["rules"].tolist() == [name]


def test_a_set_of_two_frees_the_land_of_each_of_them_too():
    rules = (ACEC, PARK, ROAD)
    rows = [(1, "acec road", 5, 5), (1, "acec park road", 9, 9)]
    sets = blocking_sets(rule_sets(rows, rules), rules, asked(1))
    found = parcel_table(sets, rules, land(1), cell_ha=1.0).iloc[0]
    assert (found["rules"], found["freed_ha"]) == ("acec; road", 5)
    # 14 − 5 would be the number of the park.
    assert math.isnan(found["excluded_ha"])
    assert valued_ha(sets, rules, cell_ha=1.0) == 5


def test_sovereign_land_is_outside_whatever_else_lies_on_it():
    rules = (ACEC, rule("tribal-land", "statute", sovereign=True))
    rows = [(1, "acec", 5, 1), (1, "acec tribal-land", 7, 7), (1, "tribal-land", 9, 9)]
    sets = blocking_sets(rule_sets(rows, rules), rules, asked(1))
    assert sets["cells"].sum() == 5
    table = rule_table(sets, rules, cell_ha=1.0)
    assert table["rule"].tolist() == ["acec"]
    assert table["removed_ha"].tolist() == [5]


def test_a_sovereign_rule_of_practice_would_have_no_number_either():
    assert not rule("tribal-custom", "practice", sovereign=True).is_valued


def test_what_a_case_lifts_is_not_blocked():
    rules = (ACEC, PARK, rule("case", "plan", hard=False, lifts=(0,)))
    rows = [(1, "acec case", 5, 0), (1, "acec park case", 7, 0), (1, "acec", 2, 0)]
    sets = blocking_sets(rule_sets(rows, rules), rules, asked(1))
    assert set_table(sets, rules, cell_ha=1.0)["rules"].tolist() == ["acec", "park"]
    assert rule_shares(sets, rules, cell_ha=1.0)["removed_ha"].tolist() == [2, 7]


def test_soft_rules_block_nothing_and_no_exclusion_gives_empty_tables():
    rules = (rule("acec", hard=False),)
    sets = blocking_sets(rule_sets([(1, "acec", 5, 0)], rules), rules, asked(1))
    assert sets.empty
    assert rule_table(sets, rules, cell_ha=1.0).empty
    assert set_table(sets, rules, cell_ha=1.0).empty
    assert parcel_table(sets, rules, land(1), cell_ha=1.0).empty


@st.composite
def basins(draw):
    count = draw(st.integers(1, 40))
    authority = st.sampled_from(sorted(ACTS))
    rules = tuple(rule(f"r{k:02}", draw(authority)) for k in range(count))
    names = st.lists(st.sampled_from([r.id for r in rules]), max_size=4, unique=True).map(" ".join)
    amount = st.integers(0, 1000)
    row = st.tuples(st.integers(0, 3), names, amount, amount)
    rows = draw(st.lists(row, min_size=1, max_size=12))
    return rule_sets(rows, rules, planes=2), rules, rows


@given(basins())
def test_the_shares_of_all_rules_sum_to_the_land_removed(basin):
    table, rules, rows = basin
    sets = blocking_sets(table, rules, asked(1, 2, 3))
    shares = rule_shares(sets, rules, cell_ha=0.81)
    removed = sum(c for p, names, c, _ in rows if p and names) * 0.81
    near = sum(e for p, names, _, e in rows if p and names) * 0.81
    assert shares["shapley_ha"].sum() == pytest.approx(removed, rel=1e-12, abs=1e-9)
    assert shares["evidence_shapley_ha"].sum() == pytest.approx(near, rel=1e-12, abs=1e-9)
    assert shares["alone_ha"].add(shares["shared_ha"]).to_numpy() == pytest.approx(
        shares["removed_ha"].to_numpy()
    )
    assert (shares["alone_ha"] <= shares["shapley_ha"] + 1e-9).all()


@given(basins(), st.randoms())
def test_the_order_of_rules_and_rows_changes_no_number(basin, random):
    table, rules, _ = basin
    one = rule_table(blocking_sets(table, rules, asked(1, 2, 3)), rules, cell_ha=1.0)
    order = list(range(len(rules)))
    random.shuffle(order)
    mixed = tuple(rules[k] for k in order)
    moved = table.copy()
    for p in range(2):
        moved[f"plane{p}"] = np.uint64(0)
    for new, old in enumerate(order):
        speaks = table[f"plane{old // 32}"].to_numpy() >> np.uint64(2 * (old % 32)) & np.uint64(1)
        moved[f"plane{new // 32}"] |= speaks << np.uint64(2 * (new % 32))
    moved = moved.sample(frac=1, random_state=random.randint(0, 99))
    two = rule_table(blocking_sets(moved, mixed, asked(1, 2, 3)), mixed, cell_ha=1.0)
    pd.testing.assert_frame_equal(one, two)


@given(basins())
def test_the_shapley_share_is_the_mean_over_all_orders(basin):
    table, rules, rows = basin
    sets = blocking_sets(table, rules, asked(1, 2, 3))
    shares = rule_shares(sets, rules, cell_ha=1.0).set_index("rule")["shapley_ha"]
    present = sorted({n for p, names, _, _ in rows if p for n in names.split()})
    if not 0 < len(present) <= 5:
        return
    total = dict.fromkeys(present, 0.0)
    orders = list(itertools.permutations(present))
    for order in orders:
        taken = set()
        for name in order:
            taken.add(name)
            total[name] += sum(
                c
                for p, names, c, _ in rows
                if p and name in names.split() and set(names.split()) & taken == {name}
            )
    for name in present:
        assert shares[name] == pytest.approx(total[name] / len(orders), abs=1e-6)


@given(basins())
def test_the_smallest_set_is_the_smallest_by_counting(basin):
    table, rules, rows = basin
    sets = blocking_sets(table, rules, asked(1, 2, 3))
    found = parcel_table(sets, rules, land(1, 2, 3), cell_ha=1.0).set_index("parcel_id")
    valued = {r.id for r in rules if r.is_valued}
    for parcel in (1, 2, 3):
        mine = [(set(n.split()), c) for p, n, c, _ in rows if p == parcel and n]
        if not mine:
            assert parcel not in found.index
            continue
        row = found.loc[parcel]
        named = set(row["rules"].split("; "))
        assert len(named) == min(len(s) for s, _ in mine)
        law = any(s - valued for s, _ in mine)
        assert (
            math.isnan(row["excluded_ha"]) if law else row["excluded_ha"] == sum(c for _, c in mine)
        )
        freed = sum(c for s, c in mine if s <= named)
        assert math.isnan(row["freed_ha"]) if named - valued else row["freed_ha"] == freed
