"""What the rules say of a site: names, numbers, and how much of it they could tell."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geosite.findings import concerned, coverage, rule_shares, rules_touching
from geosite.report.facts import share_words
from tests.strategies import rule
from tests.test_sites import RULES, TREATMENTS, asked, summed

HARD = ("exclude", "require")
LAND = {"land_origin": "unknown", "mineral_estate": "unknown", "mineral_status": "unknown"}


def land(*rows):
    return pd.DataFrame([LAND | {"disposal": ""} | row for row in rows])


def sums(cells, against=(), unsure=()):
    """Sums of one site: cells that each rule touches, and of which it cannot tell."""
    columns = {"cells": [cells]}
    columns |= {f"against{k}": [n] for k, n in enumerate(against)}
    return pd.DataFrame(columns | {f"unsure{k}": [n] for k, n in enumerate(unsure)})


def every(rows, rules):
    return np.ones((rows, rules), bool)


# ── names and numbers ─────────────────────────────────────────────────────────────────────────
def test_rules_that_touch_a_site_are_named_and_counted_by_tier():
    def bits(*rules):
        return sum(1 << (2 * r + doubt) for r, doubt in rules)

    planes = np.array([[bits((2, 0), (1, 1)), bits((3, 0), (4, 0), (5, 0), (4, 1))]], np.uint64)
    found = rules_touching(
        summed(np.full((3, 2), 0.5), asked(), planes=planes), RULES, TREATMENTS, every(2, 6)
    )
    assert {k: list(v) for k, v in found.items()} == {
        "rules_avoid": ["rather-not", ""],
        "rules_mitigate": ["", "mind"],
        "rules_flag": ["", "tell"],
        "rules_include": ["", "case"],
        "rules_unknown": ["stay-near", ""],
        "rules_not_examined": ["", "tell"],
        "hard_n": [1, 0],
        "avoid_n": [1, 0],
        "mitigate_n": [0, 1],
        "flag_n": [0, 1],
    }


def test_no_sites_have_no_names():
    none = summed(np.full((3, 1), 0.5), asked()).iloc[:0]
    found = rules_touching(none, RULES, TREATMENTS, every(0, 6))
    assert all(len(values) == 0 for values in found.values())
    assert all(len(values) == 0 for values in coverage(none, TREATMENTS, every(0, 6)).values())


# ── how much of a site ────────────────────────────────────────────────────────────────────────
def test_a_share_is_of_cells_and_only_all_of_them_is_all():
    soft = [k for k, t in enumerate(TREATMENTS) if t.tier in ("avoid", "mitigate", "flag")][:3]
    against = [0] * 6
    against[soft[0]], against[soft[1]], against[soft[2]] = 5_000, 4_999, 1
    [found] = rule_shares(sums(5_000, against), RULES, TREATMENTS, every(1, 6))
    ids = [RULES[k].id for k in soft]
    assert found == f"{ids[0]}: 100.0; {ids[1]}: 99.9; {ids[2]}: 0.1"


def test_hard_rules_and_rules_that_do_not_speak_of_the_land_have_no_share():
    assert rule_shares(sums(10, [10] * 6), RULES, TREATMENTS, np.zeros((1, 6), bool)) == [""]
    [found] = rule_shares(sums(10, [10] * 6), RULES, TREATMENTS, every(1, 6))
    hard = {r.id for r, t in zip(RULES, TREATMENTS, strict=True) if t.tier in HARD}
    assert not hard & {part.partition(":")[0] for part in found.split("; ")}


# ── land that a rule speaks of ────────────────────────────────────────────────────────────────
FLAG = {"tier": "flag"}


@pytest.mark.parametrize(
    ("asks", "site", "speaks"),
    [
        ({}, {}, True),
        ({"land_origin": "acquired"}, {"land_origin": "acquired"}, True),
        ({"land_origin": "acquired"}, {"land_origin": "public domain"}, False),
        ({"land_origin": "acquired"}, {"land_origin": "unknown"}, True),
        ({"land_origin": "acquired"}, {"land_origin": ""}, True),
        # Words of a register that the rule does not know.
        ({"land_origin": "acquired"}, {"land_origin": "by exchange"}, True),
        (
            {"land_origin": "acquired"},
            {"land_origin": "partly acquired (9 %), public domain (91 %)"},
            True,
        ),
        ({"mineral_estate": "private"}, {"mineral_estate": "federal"}, False),
        ({"mineral_status": "open"}, {"mineral_status": "withdrawn"}, False),
        (
            {"mineral_status": "open"},
            {"mineral_status": "partly withdrawn (50 %), segregated (50 %)"},
            False,
        ),
        ({"mineral_status": "open"}, {"mineral_status": "partly withdrawn (50 %), unknown (50 %)"},
         True),
        ({"disposal": "locatable"}, {"disposal": "leasable: potash"}, False),
        ({"disposal": "locatable"}, {"disposal": "leasable: potash; locatable: gold"}, True),
        ({"disposal": "locatable"}, {"disposal": "both: lithium"}, True),
        ({"disposal": "locatable"}, {"disposal": ""}, True),
    ],
)  # fmt: skip
def test_a_rule_about_other_land_is_not_told(asks, site, speaks):
    rules = (rule("some", FLAG, **asks),)
    assert concerned(land(site), rules, (rules[0].mine,)).tolist() == [[speaks]]


def test_of_no_site_no_rule_speaks():
    rules = (rule("acquired-only", FLAG, land_origin="acquired", disposal="leasable"),)
    assert concerned(land({}).iloc[:0], rules, (rules[0].mine,)).shape == (0, 1)


def test_a_rule_that_does_not_speak_is_neither_named_nor_counted_and_leaves_no_doubt():
    rules = (rule("acquired-only", FLAG, land_origin="acquired"), rule("all", FLAG))
    treatments = tuple(r.mine for r in rules)
    speaks = concerned(land({"land_origin": "public domain"}), rules, treatments)
    found = rules_touching(sums(4, (2, 2), (1, 1)), rules, treatments, speaks)
    assert found["rules_flag"] == ["all"]
    assert found["rules_not_examined"] == ["all"]
    assert found["flag_n"].tolist() == [1]
    assert coverage(sums(4, (2, 2), (1, 1)), treatments, speaks)["coverage_pct"].tolist() == [87.5]


def test_a_hard_rule_is_always_heard():
    rules = (rule("withdrawal", {"tier": "exclude"}, disposal="locatable"),)
    assert concerned(land({"disposal": "leasable: potash"}), rules, (rules[0].mine,)).all()


# ── coverage ──────────────────────────────────────────────────────────────────────────────────
HARD, SOFT = RULES[0].mine, RULES[4].mine


@pytest.mark.parametrize(
    ("unsure", "treatments", "whole", "hard"),
    [
        ((0, 0), (HARD, SOFT), 100.0, 100.0),
        ((10, 0), (HARD, SOFT), 50.0, 0.0),
        ((0, 10), (HARD, SOFT), 50.0, 100.0),
        ((1, 3), (HARD, SOFT), 80.0, 90.0),
        ((5,), (HARD,), 50.0, 50.0),
    ],
)
def test_coverage_is_the_share_that_the_rules_could_tell(unsure, treatments, whole, hard):
    found = coverage(sums(10, (), unsure), treatments, every(1, len(unsure)))
    assert found["coverage_pct"].tolist() == [whole]
    assert found["coverage_hard_pct"].tolist() == [hard]


def test_without_a_rule_there_is_no_share():
    found = coverage(sums(10, (), (3,)), (SOFT,), every(1, 1))
    assert found["coverage_pct"].tolist() == [70.0]
    assert np.isnan(found["coverage_hard_pct"]).all()


@given(st.integers(1, 10**7), st.lists(st.integers(0, 10**7), min_size=1, max_size=6))
def test_only_all_of_it_is_a_hundred(cells, doubts):
    doubts = [min(d, cells) for d in doubts]
    found = coverage(sums(cells, (), doubts), (HARD,) * len(doubts), every(1, len(doubts)))
    share = float(found["coverage_pct"][0])
    assert 0 <= share <= 100
    assert (share == 100) == (not any(doubts))
    assert (share_words(share) == "100 %") == (not any(doubts))
    exact = 100 * (1 - sum(doubts) / (cells * len(doubts)))
    assert share == pytest.approx(exact, abs=0.0100001)
