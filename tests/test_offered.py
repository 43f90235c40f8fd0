from __future__ import annotations

import pytest

from geosite.errors import FetchError
from geosite.sources.offered import offered, refuse_missing


def place(wanted, *names):
    return offered(wanted, [(n,) if isinstance(n, str) else n for n in names], "u", what="types")


@pytest.mark.parametrize(
    ("wanted", "names", "found"),
    [
        ("mrds", ["deposit", "mrds"], 1),
        ("MRDS", ["deposit", "mrds"], 1),
        ("mrds", ["ms:mrds", "ms:deposit"], 0),
        ("ms:mrds", ["mrds", "deposit"], 0),
        ("points", ["Points", "points"], 1),  # exactly before alike
        ("mrds", ["old:mrds", "mrds"], 1),
        ("*_2024", ["roads_2023", "roads_2024"], 1),
        ("a.c", ["abc", "a.c"], 1),  # a dot is a dot
        ("the roads", [("r1", "The Roads"), ("r2", "The Rails")], 0),
    ],
)
def test_a_name_means_one_layer(wanted, names, found):
    assert place(wanted, *names) == found


def test_none_and_several_are_said_with_what_is_there():
    with pytest.raises(FetchError, match=r"u: no 'x'; types there: a, b; correct layer"):
        place("x", "a", "b")
    with pytest.raises(FetchError, match=r"2 of them are 'r\*' \(r1, r2\)"):
        place("r*", "r1", "r2", "s")
    with pytest.raises(FetchError, match="types there: none"):
        place("x")


def test_every_missing_field_is_said_at_once():
    with pytest.raises(FetchError, match=r"w: no field 'a', 'c' .*its fields: B, D; correct"):
        refuse_missing({"a": None, "b": "B", "c": None}, ["B", "D"], "w")
    refuse_missing({"b": "B"}, ["B"], "w")
