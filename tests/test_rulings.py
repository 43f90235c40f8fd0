"""Features whose setback is their own: by attribute, boundaries, and areas over a cap."""

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geosite.errors import CatalogError, LayerDataError
from geosite.library import Library
from geosite.model.rule import Scaled
from geosite.prepare import prepare
from geosite.rulings import parts, rulings, scaled_setbacks
from geosite.surfaces import Surfaces
from tests.worlds import SIDE, SOUTH, WEST, box, put_layer

BY_KV = {
    "field": "kv",
    "steps": [{"from": "100", "setback": "50 m"}, {"from": "345", "setback": "200 m"}],
}
STEPS = Scaled.model_validate(BY_KV)
HEIGHTS = Scaled.model_validate({"field": "h", "times": 1.1, "at_most": "150 m"})


# ── setbacks by an attribute ──────────────────────────────────────────────────────────────────
def test_a_step_begins_at_its_value():
    values = np.array([0, 99.9, 100, 344.9, 345, 765])
    metres, unknown = scaled_setbacks(values, STEPS, 10.0)
    assert metres.tolist() == [10, 10, 50, 50, 200, 200]
    assert not unknown.any()


def test_what_is_not_told_has_the_plain_setback():
    metres, unknown = scaled_setbacks(np.array([np.nan, -999999.0, 345]), STEPS, 77.77)
    assert metres.tolist() == [77.77, 77.77, 200]
    assert unknown.tolist() == [True, True, False]
    metres, unknown = scaled_setbacks(np.array([np.nan, 0, -1]), HEIGHTS, 300.0)
    assert metres.tolist() == [300, 300, 300]
    assert unknown.all()


def test_a_height_times_a_factor_to_the_decimetre_and_no_wider_than_the_limit():
    metres, _ = scaled_setbacks(np.array([10, 93.37, 136.36, 200]), HEIGHTS, 5.0)
    assert metres.tolist() == [11, 102.7, 150, 150]


@given(st.lists(st.one_of(st.floats(-1e6, 1e6), st.just(np.nan)), max_size=9), st.floats(0, 400))
def test_no_setback_is_wider_than_what_is_read_round_the_aoi(values, plain):
    for scaled in (STEPS, HEIGHTS):
        metres, _ = scaled_setbacks(np.array(values, float), scaled, plain)
        assert (metres <= max(plain, scaled.widest)).all()
        assert (metres >= 0).all()


LINES = "power/lines"
A_LINE = shapely.LineString([(WEST, SOUTH), (WEST + 900, SOUTH)])


def power(hamlet, kv, **mine):
    """The hamlet with lines across it, one a kilometre from the south, and a rule about them."""
    lines = [
        shapely.LineString([(WEST - 500, y), (WEST + SIDE, y)])
        for y in SOUTH + 1000 * np.arange(1, len(kv) + 1)
    ]
    put_layer(hamlet, LINES, lines, kv=kv)
    treatment = {"tier": "exclude", "setback": "250 m", "scaled": BY_KV}
    ask(hamlet, id="power", layer=LINES, mine=treatment | mine)
    return hamlet.plan()


def ask(hamlet, **written):
    one = {"title": "A rule", "authority": "practice", "citation": "made up", **written}
    hamlet.ask(rules=[], own_rules=[one])


def test_features_of_one_setback_are_one_part(hamlet):
    plan = power(hamlet, [500.0, 120.0, 10.0, np.nan, 400.0])
    features, _, notes = rulings(Library(plan))
    assert features["power"]["metres"].tolist() == [200, 50, 250, 250, 200]
    found = parts(features, plan)["power"]
    assert [p.metres for p in found] == [50, 200, 250]
    assert [len(p.shapes.starts) - 1 for p in found] == [1, 2, 2]
    assert notes == (
        "rule power: 1 of 5 features of power/lines do not tell kv: they have the setback of 250 m",
    )


def test_each_line_excludes_as_far_as_its_voltage_says(hamlet):
    plan = power(hamlet, [500.0, 120.0])
    ready = prepare(plan)
    assert ready.inputs.parts.keys() == {"power"}
    assert (LINES, None) not in ready.inputs.vectors
    one, treatment = plan.rules[0], plan.treatments[0]
    column = Surfaces(ready.inputs, plan.grid).verdict(one, treatment).against[:, 30]
    rows = np.flatnonzero(column[::-1])
    # Lines along the edges of rows 5 and 10 from the south, cells of 200 m; the first has 200 m.
    assert rows.tolist() == [3, 4, 5, 9]
    drawn = ready.exclusions
    assert set(drawn["rule"]) == {"power"}
    assert sorted(round(g.bounds[3] - g.bounds[1]) for g in drawn.geometry) == [100, 400]


def test_how_far_a_line_of_unknown_voltage_reaches_is_unknown_and_not_clear(hamlet):
    plan = power(hamlet, [np.nan], setback="0 m")
    ready = prepare(plan)
    found = Surfaces(ready.inputs, plan.grid).verdict(plan.rules[0], plan.treatments[0])
    against, unsure = (
        np.flatnonzero(bits[:, 30][::-1]).tolist() for bits in (found.against, found.unsure)
    )
    # The line lies on the edge of row 4; the widest step is a cell of 200 m.
    assert (against, unsure) == ([4], [3, 5])
    assert any("from there to 200 m the rule cannot tell" in note for note in ready.notes)
    # On the map is what is sure.
    assert ready.exclusions.geometry.area.sum() == pytest.approx(0)


def test_a_polygon_with_a_wider_setback_counts_for_a_narrower_one(hamlet):
    wide, strip = box(1000, 1000, 2080, 3000), box(2080, 2000, 2120, 2200)
    put_layer(hamlet, "x/houses", [wide, strip], kv=[120.0, 10.0])
    ask(hamlet, id="a", layer="x/houses", mine={"tier": "exclude", "scaled": BY_KV})
    plan = hamlet.plan()
    found = parts(rulings(Library(plan))[0], plan)["a"]
    assert [p.metres for p in found] == [0, 50]
    ready = prepare(plan)
    seen = Surfaces(ready.inputs, plan.grid).verdict(plan.rules[0], plan.treatments[0])
    # Of the cell between them they fill 40 % and 20 %: together more than half.
    assert np.flatnonzero(seen.against[-11]).tolist() == [5, 6, 7, 8, 9, 10]
    assert np.flatnonzero(seen.against[-12]).tolist() == [5, 6, 7, 8, 9]


def test_a_field_that_is_not_declared_is_found_by_check(hamlet):
    power(hamlet, [500.0])
    scaled = BY_KV | {"field": "volts"}
    ask(hamlet, id="power", layer=LINES, mine={"tier": "flag", "scaled": scaled})
    for words in ("check", "plan"):
        said = hamlet.cli(words)
        assert said.exit_code != 0
        text = " ".join(said.output.split())
        assert (
            "rule power: mine.scaled.field: layer power/lines has no field 'volts'; it has kv"
            in text
        )


def test_a_field_of_text_is_found_by_check(hamlet):
    put_layer(hamlet, LINES, [A_LINE], kv=["345"], ENTRY={"geometry": "line"})
    ask(hamlet, id="power", layer=LINES, mine={"tier": "flag", "scaled": BY_KV})
    with pytest.raises(
        CatalogError, match=r"kv of layer power/lines is declared as text, expected"
    ):
        hamlet.plan()


def test_of_undeclared_fields_the_file_is_asked(hamlet):
    undeclared = {"fields": None}
    put_layer(
        hamlet,
        LINES,
        [A_LINE],
        kv=["high"],
        ENTRY=undeclared | {"geometry": "line"},
    )
    ask(hamlet, id="power", layer=LINES, mine={"tier": "flag", "scaled": BY_KV})
    with pytest.raises(LayerDataError, match="field kv holds 'high', expected numbers"):
        prepare(hamlet.plan())
    ask(hamlet, id="power", layer=LINES, mine={"tier": "flag", "scaled": BY_KV | {"field": "no"}})
    with pytest.raises(CatalogError, match=r"no field 'no'; .* another in the rule"):
        prepare(hamlet.plan())


def test_a_raster_has_no_feature_to_tell_a_setback(hamlet):
    slope = {"kind": "slope", "above": "10 %"}
    mine = {"tier": "exclude", "scaled": BY_KV}
    ask(hamlet, id="steep", layer="terrain/elevation", subject=slope, mine=mine)
    with pytest.raises(CatalogError, match=r"subject\.kind slope has no features"):
        hamlet.plan()


# ── boundaries ────────────────────────────────────────────────────────────────────────────────
def test_neighbours_keep_the_boundary_between_them(hamlet):
    ask(hamlet, id="line", layer="land/blm", subject={"kind": "boundary"},
        mine={"tier": "exclude", "setback": "300 m"}, inside="land/blm")  # fmt: skip
    plan = hamlet.plan()
    features, _, _ = rulings(Library(plan))
    assert features["line"]["name"].tolist() == ["West Tract", "East Tract"]
    assert set(features["line"].geom_type) == {"LineString"}
    ready = prepare(plan)
    found = Surfaces(ready.inputs, plan.grid).verdict(plan.rules[0], plan.treatments[0])
    # Along y = 6 km the tracts begin at 600 m, meet at 6 km and end at 11 km; a line along an
    # edge of cells of 200 m marks those right of it.
    row = np.flatnonzero(found.against[30])
    assert row.tolist() == [3, 4, 29, 30, 31, 54]
    inside = ready.exclusions.union_all()
    tracts = shapely.union(box(600, 600, 6000, 11_400), box(6000, 600, 11_000, 9000))
    assert inside.difference(tracts).area < 1
    assert inside.contains(box(5800, 3000, 6200, 3100))
    assert not inside.intersects(box(1000, 3000, 5600, 3100))


def test_an_inward_buffer_asks_nothing_of_what_the_layer_does_not_show(hamlet):
    hamlet.declare("land/blm", absence="not_informative")
    ask(hamlet, id="line", layer="land/blm", subject={"kind": "boundary"},
        mine={"tier": "exclude", "setback": "300 m"}, inside="land/blm")  # fmt: skip
    plan = hamlet.plan()
    ready = prepare(plan)
    found = Surfaces(ready.inputs, plan.grid).verdict(plan.rules[0], plan.treatments[0])
    assert np.flatnonzero(found.against[30]).tolist() == [3, 4, 29, 30, 31, 54]
    assert not found.unsure.any()
    # Another layer's extent must show every place that is inside.
    ask(hamlet, id="line", layer="land/dod", subject={"kind": "boundary"},
        mine={"tier": "flag"}, inside="land/blm")  # fmt: skip
    with pytest.raises(CatalogError, match="inside: layer land/blm is not_informative"):
        hamlet.plan()


def test_a_line_has_no_boundary(hamlet):
    ask(hamlet, id="a", layer="infrastructure/rail", subject={"kind": "boundary"},
        mine={"tier": "flag"})  # fmt: skip
    with pytest.raises(
        CatalogError, match=r"subject\.kind boundary: .* is a line, expected polygon"
    ):
        hamlet.plan()


# ── caps ──────────────────────────────────────────────────────────────────────────────────────
AREAS, PADS = "habitat/areas", "habitat/disturbed"
WEST_AREA, BEYOND = box(0, 0, 4000, 4000), box(8000, 8000, 8000 + SIDE, 8000 + SIDE)


def capped(hamlet, existing=(), *, cap="5 %", entry=None, footprint="10 ha", **subject):
    put_layer(hamlet, AREAS, [WEST_AREA, BEYOND], name=["West", "Beyond"])
    put_layer(hamlet, PADS, [*existing, box(-900, -900, -800, -800)], ENTRY=entry or {})
    about = {"kind": "disturbance", "cap": cap, "existing": PADS, **subject}
    ask(hamlet, id="cap", layer=AREAS, subject=about, mine={"tier": "exclude"})
    text = hamlet.scenario.read_text() + f"\nfootprint: {footprint}\n"
    hamlet.scenario.write_text(text)
    return hamlet.plan()


def standings(plan, **more):
    ready = prepare(plan, **more)
    table = ready.disturbance
    assert set(table["rule"]) == {"cap"}
    assert (table["cap_pct"] == 5).all()
    return dict(zip(table["area"], table["standing"], strict=True)), ready


def test_an_area_over_its_cap_is_excluded_whole(hamlet):
    # West: 71 ha and 10 ha of 1600 ha are 5.06 %; without the site 4.4 %.
    found, ready = standings(capped(hamlet, [box(0, 0, 1000, 710)]))
    assert found == {"West": "over", "Beyond": "within"}
    plan = hamlet.plan()
    seen = Surfaces(ready.inputs, plan.grid).verdict(plan.rules[0], plan.treatments[0])
    assert seen.against.sum() == 400
    assert seen.against[-20:, :20].all()
    assert not seen.unsure.any()
    assert ready.exclusions["name"].tolist() == ["West"]
    row = ready.disturbance.set_index("area").loc["West"]
    assert row["existing_ha"] == pytest.approx(71, rel=1e-6)
    assert row["share_pct"] == pytest.approx(81 / 16, rel=1e-6)


def test_disturbance_far_beyond_the_aoi_counts_for_an_area_that_reaches_there(hamlet):
    far = box(SIDE + 2000, SIDE + 2000, SIDE + 7000, SIDE + 4000)
    plan = capped(hamlet, [far])
    assert plan.halo * plan.grid.resolution < 10_000
    found, _ = standings(plan)
    # 1000 ha of 14,400 ha.
    assert found == {"West": "within", "Beyond": "over"}


def test_what_is_not_informative_leaves_doubt(hamlet):
    plan = capped(hamlet, entry={"absence": "not_informative"})
    found, ready = standings(plan)
    assert found == {"West": "cannot tell", "Beyond": "cannot tell"}
    seen = Surfaces(ready.inputs, plan.grid).verdict(plan.rules[0], plan.treatments[0])
    assert not seen.against.any()
    assert seen.unsure.sum() == 800
    assert ready.exclusions.empty


def test_where_disturbance_is_not_covered_nobody_can_tell(hamlet):
    plan = capped(hamlet, entry={"coverage": {"kind": "inside", "layer": "aoi/states"}})
    assert standings(plan)[0] == {"West": "within", "Beyond": "cannot tell"}


def test_without_the_layer_of_disturbance_nobody_can_tell(hamlet):
    plan = capped(hamlet)
    (hamlet.data / "habitat-disturbed.gpkg").unlink()
    plan = hamlet.plan()
    assert [u.purpose for u in plan.missing] == ["disturbance of rule cap"]
    found, ready = standings(plan, allow_missing=True)
    assert set(found.values()) == {"cannot tell"}
    assert ready.disturbance["existing_ha"].isna().all()


def test_what_was_fetched_in_part_knows_its_part_only(hamlet, monkeypatch):
    plan = capped(hamlet)
    monkeypatch.setattr(Library, "boxes", lambda _, layer: [(-119.0, 38.0, -117.6, 40.9)])
    found, _ = standings(plan)
    assert set(found.values()) == {"cannot tell"}
    monkeypatch.setattr(Library, "boxes", lambda _, layer: [(-130.0, 30.0, -100.0, 50.0)])
    assert set(standings(plan)[0].values()) == {"within"}


def test_a_condition_chooses_what_counts_as_disturbed(hamlet):
    put_layer(hamlet, PADS, [box(0, 0, 1000, 710)], kind=["old"])
    about = {"kind": "disturbance", "cap": "5 %", "existing": PADS}
    for where, standing in (("kind = 'old'", "over"), ("kind = 'new'", "within")):
        put_layer(hamlet, AREAS, [WEST_AREA], name=["West"])
        ask(hamlet, id="cap", layer=AREAS, subject=about | {"existing_where": where},
            mine={"tier": "exclude"})  # fmt: skip
        assert prepare(hamlet.plan()).disturbance["standing"].tolist() == [standing]
    ask(hamlet, id="cap", layer=AREAS, subject=about | {"existing_where": "sort = 1"},
        mine={"tier": "exclude"})  # fmt: skip
    with pytest.raises(CatalogError, match=r"subject\.existing_where: 'sort = 1' is no condition"):
        hamlet.plan()


def test_plain_rules_need_nothing_of_their_own(common):
    features, caps, notes = rulings(Library(common.plan()))
    assert features == {}
    assert caps.empty
    assert notes == ()
