"""Texts and sets of numbers that many cards share, each written once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Shared:
    """Two tables: of texts, and of sets of whole numbers; what is asked of it is a place in one.

    Thousands of sites lie under the same forty rules and have the same sentence on tenure; a
    card holds places in these tables instead. Place 0 is the empty text and the empty set.

    Examples
    --------
    >>> shared = Shared()
    >>> [shared.text(t) for t in ("BLM", "", "BLM", "USFS")]
    [1, 0, 1, 2]
    >>> shared.set_of([3, 4]), shared.sets
    (1, [[], [3, 4]])
    """

    def __init__(self) -> None:
        self._texts: dict[str, int] = {"": 0}
        self._sets: dict[tuple[int, ...], int] = {(): 0}

    def text(self, text: str) -> int:
        """Place of a text in `texts`."""
        return self._texts.setdefault(text, len(self._texts))

    def set_of(self, members: Iterable[int]) -> int:
        """Place of a set in `sets`; the order of its members is kept."""
        return self._sets.setdefault(tuple(members), len(self._sets))

    @property
    def texts(self) -> list[str]:
        """Every text that was asked for, by its place."""
        return list(self._texts)

    @property
    def sets(self) -> list[list[int]]:
        """Every set that was asked for, by its place."""
        return [list(s) for s in self._sets]
