"""Features that a condition selects: an SQL expression over their attributes."""

from __future__ import annotations

import re
import sqlite3
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geosite.errors import LayerDataError
from geosite.sources.dataset import one_line

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FUNCTIONS = frozenset({
    "abs", "coalesce", "glob", "hex", "ifnull", "iif", "instr", "length", "like", "lower", "ltrim",
    "max", "min", "nullif", "replace", "round", "rtrim", "sign", "substr", "substring", "trim",
    "typeof", "upper",
})  # fmt: skip
"""Functions a condition may call: none reads a clock, a file or a random number."""
_LITERAL = re.compile(r"'(?:[^']|'')*'")
_QUOTED = re.compile(r'"((?:[^"]|"")*)"')
_STEP = 10_000  # virtual machine instructions between two looks at the budget
_COLUMN_LIMIT = 2000


def selected(frame: pd.DataFrame, where: str, place: str) -> NDArray[np.bool_]:
    """Which features a condition selects: (features,).

    Parameters
    ----------
    frame : DataFrame or GeoDataFrame
        Its geometry is not part of what a condition sees.
    where : str
        SQL expression as SQLite reads it. Column names are matched without
        regard to case; text is compared exactly; null is never selected. A
        comparison follows the type of the column, so ``kv >= 345`` needs
        ``kv`` declared as a number.
    place : str
        Where the condition is written down, in messages.

    Raises
    ------
    LayerDataError
        If it is not one expression over the columns there are.
    """
    columns = _columns(frame)
    bare = _LITERAL.sub("''", where)
    fault = _fault(bare, columns)
    if fault is None:
        # A condition can only mean the columns whose names are in its text.
        text = where.casefold()
        used = {name: values for name, values in columns.items() if name.casefold() in text}
        connection = sqlite3.connect(":memory:", isolation_level=None)
        try:
            _fill(connection, used, len(frame))
            return _answers(connection, where, len(frame), len(used))
        except sqlite3.Error as error:
            fault = one_line(error)
        finally:
            connection.close()
    msg = (
        f"{place}: the condition {where!r} cannot be applied: {fault}; expected one SQL "
        f"expression over the columns {', '.join(columns) or '(none)'}"
    )
    raise LayerDataError(msg)


def _columns(frame: pd.DataFrame) -> dict[str, pd.Series[Any]]:
    """Attribute columns by name; of those that differ in case only, the first."""
    found: dict[str, pd.Series[Any]] = {}
    seen: set[str] = set()
    for position, column in enumerate(frame.columns):
        values = frame.iloc[:, position]
        name = str(column)
        if str(values.dtype) != "geometry" and name.casefold() not in seen:
            seen.add(name.casefold())
            found[name] = values
    return found


def _fault(bare: str, columns: dict[str, pd.Series[Any]]) -> str | None:
    """What keeps a condition, its literals emptied, from being one expression."""
    known = {name.casefold() for name in columns}
    for name in _QUOTED.findall(bare):
        # SQLite would take an unknown name in double quotes for text.
        if name.replace('""', '"').casefold() not in known:
            return f'no such column: "{name}" (text goes in single quotes)'
    plain = _QUOTED.sub('""', bare)
    if not plain.strip():
        return "it is empty"
    if any(mark in plain for mark in (";", "--", "/*", "\0", "?", "@", "$", ":")):
        return "it holds a statement, a comment or a parameter"
    depth = 0
    for letter in plain:
        depth += (letter == "(") - (letter == ")")
        if depth < 0:
            break
    return "its parentheses do not match" if depth else None


def _fill(connection: sqlite3.Connection, columns: dict[str, pd.Series[Any]], rows: int) -> None:
    if len(columns) > _COLUMN_LIMIT:
        msg = f"{len(columns)} columns, expected at most {_COLUMN_LIMIT}"
        raise sqlite3.DataError(msg)
    names = ["row_number_ INTEGER PRIMARY KEY"]
    for name, values in columns.items():
        quoted = name.replace('"', '""')
        names.append(f'"{quoted}" {_affinity(values)}')
    connection.execute(f"CREATE TABLE features ({', '.join(names)})")
    marks = ", ".join("?" * len(names))
    data = zip(range(rows), *(_sql_values(v) for v in columns.values()), strict=True)
    connection.execute("BEGIN")
    connection.executemany(f"INSERT INTO features VALUES ({marks})", data)  # noqa: S608
    connection.execute("COMMIT")


def _affinity(values: pd.Series[Any]) -> str:
    number = pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values)
    return "NUMERIC" if number else "TEXT"


def _sql_values(values: pd.Series[Any]) -> list[Any]:
    known = values.notna().to_numpy(bool)
    if pd.api.types.is_datetime64_any_dtype(values):
        text = values.dt.strftime("%Y-%m-%dT%H:%M:%S").str.removesuffix("T00:00:00")
        found = text.astype(object).tolist()
    elif pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
        found = values.astype(object).tolist()
    else:
        found = [str(value) for value in values]
    return [value if is_ else None for value, is_ in zip(found, known, strict=True)]


def _answers(
    connection: sqlite3.Connection, where: str, rows: int, columns: int
) -> NDArray[np.bool_]:
    selects = 0

    def allowed(action: int, one: str | None, two: str | None, *_: str | None) -> int:
        nonlocal selects
        if action == sqlite3.SQLITE_SELECT:
            selects += 1
            return sqlite3.SQLITE_OK if selects == 1 else sqlite3.SQLITE_DENY
        if action == sqlite3.SQLITE_READ:
            return sqlite3.SQLITE_OK if one == "features" else sqlite3.SQLITE_DENY
        if action == sqlite3.SQLITE_FUNCTION:
            return sqlite3.SQLITE_OK if (two or "").lower() in _FUNCTIONS else sqlite3.SQLITE_DENY
        return sqlite3.SQLITE_DENY

    # Counted in instructions, not seconds: the same condition always ends the same way.
    budget = 1000 + rows * (columns + 10)

    def spent() -> int:
        nonlocal budget
        budget -= 1
        return int(budget < 0)

    connection.execute("PRAGMA query_only = ON")
    connection.setlimit(sqlite3.SQLITE_LIMIT_EXPR_DEPTH, 200)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 200)
    connection.set_authorizer(allowed)
    connection.set_progress_handler(spent, _STEP)
    found = np.zeros(rows, bool)
    query = f"SELECT row_number_ FROM features WHERE (\n{where}\n)"  # noqa: S608
    chosen = [row for (row,) in connection.execute(query)]
    found[chosen] = True
    return found
