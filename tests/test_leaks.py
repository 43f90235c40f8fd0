"""What lies near a site, in its block, or has its name is told from what does not."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from geosite.leaks import in_blocks, namesakes, near

PLACES = st.lists(st.tuples(*[st.integers(-50, 50)] * 2), min_size=1, max_size=20)


@given(PLACES, PLACES, st.integers(0, 40))
def test_everything_within_the_leak_distance_is_near_and_nothing_else(places, sites, within):
    table = pd.DataFrame(places, columns=["x", "y"], dtype=float)
    found = near(table, np.array(sites, float), within)
    for (x, y), is_near in zip(places, found, strict=True):
        assert is_near == any((x - a) ** 2 + (y - b) ** 2 <= within**2 for a, b in sites)


@given(PLACES, PLACES, st.integers(1, 40))
def test_a_block_is_held_out_whole(places, sites, block):
    table = pd.DataFrame(places, columns=["x", "y"], dtype=float)
    found = in_blocks(table, np.array(sites, float), block)
    held = {(x // block, y // block) for x, y in sites}
    assert found.tolist() == [(x // block, y // block) in held for x, y in places]


CALLED = st.sampled_from(["Boss Mine", "The Boss No. 2", "Queen", "Unnamed prospect", ""])
NAMED = st.lists(st.tuples(CALLED, *[st.integers(-50, 50)] * 2), min_size=1, max_size=12)


@given(NAMED, NAMED, st.integers(0, 60))
def test_a_namesake_has_the_name_of_a_site_near_by(records, sites, within):
    columns = ["name", "x", "y"]
    found = namesakes(
        pd.DataFrame(records, columns=columns), pd.DataFrame(sites, columns=columns), within
    )
    key = {"Boss Mine": "boss", "The Boss No. 2": "boss", "Queen": "queen"}
    for (name, x, y), same in zip(records, found, strict=True):
        assert same == any(
            key.get(name, 0) == key.get(other, 1) and (x - a) ** 2 + (y - b) ** 2 <= within**2
            for other, a, b in sites
        )
