from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geosite.errors import LayerDataError
from geosite.sources import selected

PLACE = "layer toy/sites: where"


@pytest.fixture(name="sites")
def _sites():
    return gpd.GeoDataFrame(
        {
            "Name": ["Anvil", "O'Hara", None, "anvil"],
            "kv": [345.0, 69.0, np.nan, 500.0],
            "fips": ["01001", "32031", "32031", None],
            "active": [True, False, True, True],
            "seen": pd.to_datetime(["2019-05-01", "2021-01-01", None, "2020-06-30"]),
            "odd name": [1, 2, 3, 4],
        },
        geometry=shapely.points(np.arange(4.0), 0.0),
        crs="EPSG:5070",
    )


@pytest.mark.parametrize(
    ("where", "rows"),
    [
        ("name = 'Anvil'", [0]),
        ("NAME = 'Anvil' OR Kv > 400", [0, 3]),
        ("name LIKE 'anvil'", [0, 3]),
        ("name = 'O''Hara'", [1]),
        ("name IS NULL", [2]),
        ("name <> 'Anvil'", [1, 3]),  # null is never selected
        ("kv >= 69 AND kv < 400", [0, 1]),
        ("kv = '345'", [0]),
        ("fips = '01001'", [0]),
        ("fips = 32031", [1, 2]),
        ("active", [0, 2, 3]),
        ("seen >= '2020-06-30'", [1, 3]),
        ('"odd name" IN (2, 4)', [1, 3]),
        ("lower(trim(name)) = 'anvil'", [0, 3]),
        ("CASE WHEN kv > 100 THEN 1 ELSE 0 END", [0, 3]),
        ("name = 'a;b--(' OR 1", [0, 1, 2, 3]),
        ("0", []),
    ],
)
def test_a_condition_selects_rows(sites, where, rows):
    found = selected(sites, where, PLACE)
    assert found.dtype == bool
    assert np.flatnonzero(found).tolist() == rows


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("status = 'active'", "no such column: status"),
        ("\"Anvle\" <> 'x'", 'no such column: "Anvle"'),
        ("", "empty"),
        ("name =", "syntax error"),
        ("name = 'x", "unrecognized token"),
        ("1) OR (1", None),
        ("1); DROP TABLE features; --", "statement"),
        ("1 /* */", "statement"),
        ("(1", "parentheses"),
        ("kv = ?", "parameter"),
        ("kv = :kv", "parameter"),
        ("1) UNION SELECT (1", None),
        ("kv > (SELECT max(kv) FROM features)", "authorized"),
        ("load_extension('x')", "authorized"),
        ("kv > random()", "authorized"),
        ("seen < date('now')", "authorized"),
        ("name IN sqlite_master", None),
        ("name LIKE '" + "%a" * 200 + "'", "LIKE"),
        ("sum(kv) > 1", "authorized"),
        ("kv = 1 ORDER BY kv", "syntax error"),
    ],
)
def test_a_condition_that_is_not_one_expression_is_refused(sites, where, said):
    with pytest.raises(LayerDataError) as caught:
        selected(sites, where, PLACE)
    message = str(caught.value)
    assert message.startswith(PLACE)
    assert repr(where) in message
    assert "Name, kv, fips, active, seen, odd name" in message
    assert said is None or said in message
    assert "\n" not in message


def test_the_geometry_is_not_a_column(sites):
    with pytest.raises(LayerDataError, match="no such column: geometry"):
        selected(sites, "geometry IS NULL", PLACE)


def test_columns_that_differ_in_case_only_are_the_first_of_them():
    frame = pd.DataFrame([[1, 2], [3, 4]], columns=["a", "A"])
    assert selected(frame, "A = 3", PLACE).tolist() == [False, True]


def test_a_condition_that_never_ends_is_stopped(monkeypatch):
    monkeypatch.setattr("geosite.sources.select._STEP", 1)
    frame = pd.DataFrame({"a": range(2000)})
    endless = " + ".join(["abs(a)"] * 150) + " > 0"
    with pytest.raises(LayerDataError, match="interrupted"):
        selected(frame, endless, PLACE)


def test_nothing_to_select_from():
    assert selected(pd.DataFrame({"a": []}), "a = 1", PLACE).shape == (0,)


@given(
    values=st.lists(st.one_of(st.none(), st.integers(-50, 50)), max_size=30),
    cut=st.integers(-50, 50),
)
def test_a_condition_its_negation_and_null_share_the_rows(values, cut):
    frame = pd.DataFrame({"v": pd.array(values, dtype="Int64")})
    parts = [
        selected(frame, where, PLACE) for where in (f"v > {cut}", f"NOT v > {cut}", "v IS NULL")
    ]
    assert np.sum(parts, axis=0).tolist() == [1] * len(values)


@given(text=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40))
def test_any_text_can_be_asked_for(text):
    frame = pd.DataFrame({"name": [text, f"{text}x", None]})
    quoted = text.replace("'", "''")
    assert selected(frame, f"name = '{quoted}'", PLACE).tolist() == [True, False, False]
