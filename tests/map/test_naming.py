"""Names as headings of the page."""

import pytest

from geosite.map.naming import area_title


@pytest.mark.parametrize(
    ("asked", "shown"),
    [("nevada", "Nevada"), ("new mexico", "New Mexico"), ("Nevada", "Nevada"), ("NV", "NV"),
     ("lease_12", "lease_12"), ("-117,39,-116,40", "-117,39,-116,40"), ("", "")],
)  # fmt: skip
def test_an_area_asked_for_in_small_letters_gets_capitals(asked, shown):
    assert area_title(asked) == shown
