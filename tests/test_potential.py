import pandas as pd
import pytest

from geosite.catalog import open_rulebook
from geosite.model.potential import PotentialTable
from geosite.potential import potential_words, proposed

TABLE = open_rulebook().potential


def pair(evidence_class, quality="B", layers=1, table=TABLE):
    best = tuple(quality * layers) if isinstance(layers, int) else tuple(layers)
    row = {"evidence_class": evidence_class, "quality": quality, "layer_qualities": best}
    return tuple(proposed(pd.DataFrame([row]), table).iloc[0])


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (("reserve", "A", 2), ("H", "D")),
        (("resource", "B", 1), ("H", "C")),
        (("resource", "B", "BB"), ("H", "D")),
        # A poor record beside a good one is no second good source.
        (("resource", "B", "BE"), ("H", "C")),
        (("resource", "A", "ACD"), ("H", "C")),
        (("past_producer", "C", 3), ("H", "C")),
        (("prospect", "D", 2), ("M", "B")),
        (("occurrence", "E", 1), ("M", "A")),
        (("permissive", "C", 1), ("L", "C")),
        (("unknown", "A", 3), ("ND", "A")),
        (("rumour", "A", 3), ("ND", "A")),
    ],
)
def test_records_propose_a_level_and_a_certainty(told, expected):
    assert pair(*told) == expected


def test_without_a_table_nothing_is_determined():
    assert pair("reserve", "A", 3, PotentialTable()) == ("ND", "A")


def test_no_record_proposes_that_there_is_nothing():
    assert "O" not in {r.level for r in TABLE.levels}
    assert "3031" in TABLE.citation
    assert "to be confirmed" in TABLE.citation


def test_the_words_say_that_it_is_proposed():
    words = potential_words({"proposed_potential": "ND", "proposed_certainty": "A"})
    assert words.startswith("undetermined potential, certainty A")
    assert "not a determination" in words
    assert not potential_words({"proposed_potential": ""})
    assert not potential_words({})


def test_an_empty_table_has_the_columns():
    none = pd.DataFrame({"evidence_class": [], "quality": [], "layer_qualities": []})
    assert [*proposed(none, TABLE)] == ["proposed_potential", "proposed_certainty"]
