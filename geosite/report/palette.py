"""Colours of the map, written out so that the legend, the pictures and the page agree.

Blue for the surface and dark-red-to-yellow for the sites is a pair that the
common colour-vision deficiencies keep apart; both scales change steadily in
lightness. Green is not used for a result: it would read as "allowed"; the evidence surface,
which is none, has it and is switched off at first.
"""

from __future__ import annotations

AGENCIES: dict[str, tuple[str, str]] = {
    "TRIBAL": ("Tribal land", "#e8b27d"),
    "NPS": ("National Park Service", "#b9acd2"),
    "FWS": ("Fish and Wildlife Service", "#7fbfa6"),
    "DOD": ("Department of Defense", "#dfa3b8"),
    "DOE": ("Department of Energy", "#c99ac6"),
    "USFS": ("Forest Service", "#b4d3ac"),
    "BLM": ("Bureau of Land Management", "#ecd98f"),
    "USBR": ("Bureau of Reclamation", "#e9e7a8"),
    "OTHER_FEDERAL": ("Other federal", "#cdb99a"),
    "STATE": ("State", "#a9cfdd"),
    "OTHER": ("Other", "#d0d0cc"),
}
"""Code → (title, fill), after the customary colours of land-status maps, muted."""

SUITABILITY = (
    "#f0f5fa",
    "#d6e4f0",
    "#b3cde3",
    "#8ab3d4",
    "#6096c4",
    "#3b79af",
    "#205d94",
    "#0c4276",
)
"""0 → 1, eight steps."""

LIKELIHOOD = (
    (50.0, "#e7efe3", "50–80 %"),
    (80.0, "#b9d4ae", "80–90 %"),
    (90.0, "#7db07f", "90–95 %"),
    (95.0, "#3f8361", "95–99 %"),
    (99.0, "#12503f", "99 % and more"),
)
"""Land of the same state below the place [%] from which a class begins, colour, words."""

RANKS: tuple[tuple[int, str], ...] = (
    (1, "#2d0b4e"),
    (3, "#65156e"),
    (10, "#9f2a63"),
    (30, "#d44842"),
    (100, "#f57d15"),
    (300, "#fac127"),
    (0, "#f3e68c"),
)
"""(last rank of the class, colour), dark to light; 0 is the rest."""

EXCLUDED = "#8c8782"
EXCLUSION_LINE = "#6d4038"
UNKNOWN = "#5d4a7e"
AOI = "#222222"
FOOTPRINT = "#0a4f8f"
TIERS = {"A": "#2d0b4e", "B": "#9f2a63", "C": "#8a7a5c"}
ELSE = "#c9c9c4"
"""Fill of a code that no table here knows."""


def agency(code: str) -> tuple[str, str]:
    """Title and fill of an owner code; an unknown code is its own title."""
    return AGENCIES.get(code, (code, ELSE))


def rank_classes(ranks: int) -> list[tuple[str, str]]:
    """Words and colour of each class that so many ranks reach."""
    rows: list[tuple[str, str]] = []
    first = 1
    for last, colour in RANKS:
        if first > ranks:
            break
        end = min(last, ranks) if last else ranks
        rows.append((f"{first:,}–{end:,}" if end > first else f"{first:,}", colour))
        first = last + 1
    return rows


def darker(colour: str) -> str:
    """The same hue for a line round its fill."""
    return "#" + "".join(f"{part * 3 // 5:02x}" for part in rgb(colour))


def rgb(colour: str) -> tuple[int, int, int]:
    """Red, green, blue 0–255 of ``#rrggbb``."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
