import shapely

from geosite.map.results import result_layers
from geosite.map.site_block import best_sites
from tests.browser.toycontent import block, frame, toy_content


def footprints():
    acres = {"acres_open": 600.0, "acres_claimed": 100.0, "acres_withdrawn": 0.0}
    return frame(
        {"site_id": ["X-1", "BLM-9"], "part": ["pit", "mill"], "title": ["Pit", "Mill"],
         "acres": [900.0, None], **acres, "acres_unknown": 200.0},
        [block(20, 20, 22, 21), None],
    )  # fmt: skip


def layers_of(most=100, **changed):
    content = toy_content(**changed)
    return result_layers(content, best_sites(content, most))


def test_sites_have_the_classes_of_their_ranks_for_a_legend():
    entry = layers_of().entries[0]
    assert (entry.id, entry.kind, entry.count, entry.left_out) == ("sites", "sites", 14, 0)
    assert [words for _, _, words in entry.legend.rows] == [
        "1", "2–3", "4–10", "11–14",
    ]  # fmt: skip


def test_sites_that_are_not_drawn_are_counted():
    entry = layers_of(most=10).entries[0]
    assert (entry.count, entry.left_out) == (14, 4)
    assert entry.legend.rows[-1][2] == "4–10"


def test_footprints_are_drawn_part_by_part_with_their_acres():
    layers = layers_of(footprints=footprints())
    entry = next(e for e in layers.entries if e.id == "footprints")
    assert (entry.count, entry.left_out, entry.kind) == (2, 1, "tiles")
    assert entry.style["above"]
    (words,) = layers.tiles[0].frames["footprints"]["words"]
    assert words.split("\n") == [
        "Pit: 900 acres", "600 open, 100 claimed, 0 withdrawn, 200 unknown", "X-1",
    ]  # fmt: skip


def test_the_area_of_interest_is_a_line():
    layers = layers_of()
    assert [e.id for e in layers.entries] == ["sites", "aoi"]
    assert layers.entries[1].title == "Area of interest: Toy basin"
    held = layers.tiles[0].frames["aoi"]
    assert all(shapely.get_dimensions(held.geometry.to_numpy()) == 1)


def test_a_run_without_sites_or_area_still_has_a_line_of_sites():
    content = toy_content()
    layers = layers_of(sites=content.sites.iloc[:0], aoi=content.aoi.iloc[:0])
    assert [e.id for e in layers.entries] == ["sites"]
    assert layers.tiles == ()
    assert layers.entries[0].legend.rows == ()
