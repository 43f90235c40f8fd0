import pytest
from hypothesis import given
from hypothesis import strategies as st

from geosite.evidence import (
    Question,
    asked_commodities,
    commodity_names,
    named_commodities,
    possible_names,
)
from geosite.model import Commodities


def _commodity(name, title, *names, lists=(), **other):
    written = {"id": name, "title": title, "names": names, "lists": lists} | other
    return written | {"citation": "for a test only"}


HOST = {"hosts": ["gold"], "by_product": "always", "host_note": "for a test only"}
TABLE = Commodities.model_validate(
    {
        "commodities": [
            _commodity("rhenium", "Rhenium", "RE", lists=["critical2025"], **HOST),
            _commodity("rare-earths", "Rare earths", "REE", lists=["critical2025", "eo14241"],
                       members=["cerium"]),
            _commodity("cerium", "Cerium", "CE"),
            _commodity("gold", "Gold", "AU", lists=["eo14241"], possible_names=["Placer"]),
            _commodity("silver", "Silver", "AG"),
            _commodity("kaolin", "Kaolin", "Clay, Kaolin"),
        ],
        "qualifiers": ["General", "Refinery"],
        "none_of_these": ["Silver, Refinery"],
    }
)  # fmt: skip
NAMES = commodity_names(TABLE)
ALL = frozenset(NAMES.values()) - {""}


# ── what a record is about ────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("RE", ("rhenium",)),
        ("REE", ("rare-earths",)),
        ("re; ree", ("rare-earths", "rhenium")),
        ("Rare", ()),
        ("earths", ()),
        ("Gold", ("gold",)),
        ("Golden", ()),
        ("AU, REE", ("gold", "rare-earths")),
        ("AU,REE , RE", ("gold", "rare-earths", "rhenium")),
        ("Clay, Kaolin", ("kaolin",)),
        ("Clay, Kaolin; Gold", ("gold", "kaolin")),
        ("gold; GOLD; au", ("gold",)),
        ("Gold|RE", ("gold", "rhenium")),
        (" ; ,, ", ()),
        ("", ()),
        (None, ()),
        (float("nan"), ()),
        ("AU CLY AG REE", ("gold", "rare-earths", "silver")),
        ("AU_X CLY3\tAG", ("silver",)),
        ("Silver, Refinery", ()),
        ("Gold, Silver, Refinery, RE", ("gold", "rhenium")),
        ("Silver, General; General, Gold", ("gold", "silver")),
        ("Silver  Refinery", ()),
    ],
)
def test_commodities_are_named_by_whole_words(text, expected):
    assert named_commodities(text, NAMES) == expected


@given(st.permutations(["RE", "Gold", "Clay, Kaolin", "unobtainium"]))
def test_the_order_of_names_in_a_record_says_nothing(parts):
    assert named_commodities("; ".join(parts), NAMES) == ("gold", "kaolin", "rhenium")


def test_a_scenario_asks_by_list_or_one_by_one():
    assert asked_commodities("eo14241", TABLE) == {"rare-earths", "gold"}
    assert asked_commodities("critical2025", TABLE) == {"rare-earths", "rhenium"}
    assert asked_commodities(("kaolin",), TABLE) == {"kaolin"}
    assert asked_commodities("critical2022", TABLE) == frozenset()


def test_a_group_and_its_members_are_asked_together():
    assert asked_commodities(("cerium",), TABLE) == {"cerium", "rare-earths"}
    assert asked_commodities(("rare-earths",), TABLE) == {"cerium", "rare-earths"}


def test_a_host_is_opened_by_who_asks_for_the_by_product_by_name():
    named, listed = Question.of(("rhenium",), TABLE), Question.of("critical2025", TABLE)
    assert named.hosts == listed.hosts == {"rhenium": {"gold"}}
    assert named.opens_hosts
    assert not listed.opens_hosts


def test_what_a_name_may_mean_is_not_what_it_means():
    assert possible_names(TABLE) == {"placer": "gold"}
    assert named_commodities("Placer", NAMES) == ()
