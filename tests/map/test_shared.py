"""Tables of texts and sets: each once, and what is empty is at place 0."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from geosite.map.shared import Shared


@given(
    st.lists(st.text(max_size=5), max_size=20), st.lists(st.lists(st.integers(0, 5)), max_size=9)
)
def test_what_is_at_a_place_is_what_was_asked_for(texts, sets):
    shared = Shared()
    words, groups = [shared.text(t) for t in texts], [shared.set_of(s) for s in sets]
    assert [shared.texts[k] for k in words] == texts
    assert [shared.sets[k] for k in groups] == sets
    assert len(set(shared.texts)) == len(shared.texts)
    assert shared.texts[0] == ""
    assert shared.sets[0] == []
