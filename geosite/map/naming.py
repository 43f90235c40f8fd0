"""Names as headings of the page."""

from __future__ import annotations

from geosite.report.text import plain


def area_title(name: str) -> str:
    """Name of an area as a heading: what was asked for in small letters gets capitals.

    >>> area_title("new mexico"), area_title("NV"), area_title("lease_12")
    ('New Mexico', 'NV', 'lease_12')
    """
    words = plain(name, 120)
    return words.title() if words.islower() and words.replace(" ", "").isalpha() else words
