"""What must hold of land and rules whatever the world looks like."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geosite import constraints, harmonise
from geosite.accounting import excluded_ha
from geosite.resolution import lifted_by, resolved
from geosite.tile import tile
from geosite.unlock import Blocking, blocking_sets, rule_shares
from tests.strategies import metres, presences, rule, rules, shapes, treatments
from tests.test_inputs import features, toyinputs, whole
from tests.test_resolution import question
from tests.toyworld import draw, picture, toygrid, world

CELL = 100.0
TIERS = {"tiers": ("exclude", "require", "avoid", "mitigate", "flag")}
WITH_CASES = {"tiers": (*TIERS["tiers"], "include")}


def reach(treatment):
    return getattr(treatment, "within", getattr(treatment, "setback", 0.0)) / CELL


def within(marked, cells):
    return harmonise.near(marked, cells)


def verdicts(asked, features, unknown):
    """What each rule says, from where its layer has features and where it is not covered."""
    out = []
    for one in asked:
        near = within(features[one.layer], reach(one.mine))
        uncovered = within(unknown[one.layer], reach(one.mine))
        required = one.mine.tier == "require"
        out.append(constraints.verdict(near, uncovered, required=required))
    return out


def answer(asked, features, unknown):
    shape = next(iter(features.values())).shape
    treatments = [one.mine for one in asked]
    lifts = constraints.numbered([one.id for one in asked], lifted_by(asked, treatments))
    found = verdicts(asked, features, unknown)
    return constraints.answer(found, treatments, shape, lifts)


def free(asked, features, unknown):
    return ~answer(asked, features, unknown).excluded


def clear(asked, features, unknown):
    found = answer(asked, features, unknown)
    return ~found.excluded & ~found.unknown


@st.composite
def lands(draw, **kinds):
    """Rules, and a world of features and gaps for each of their layers."""
    asked = draw(rules(**(kinds or TIERS)))
    shape = draw(shapes(10))
    layers = [one.layer for one in asked] + ["x/more"]
    features = {layer: draw(presences(shape)) for layer in layers}
    unknown = {layer: draw(presences(shape)) for layer in layers}
    return asked, features, unknown


@given(lands(**WITH_CASES), treatments(("exclude", "require")))
def test_another_exclusion_never_frees_land(land, treatment):
    asked, features, unknown = land
    # Before the rules that lift: those lift the new one too, on the same land.
    more = (rule("more", treatment), *asked)
    assert (free(more, features, unknown) <= free(asked, features, unknown)).all()
    assert (clear(more, features, unknown) <= clear(asked, features, unknown)).all()


@given(lands(), metres(), metres())
def test_a_wider_setback_never_frees_land(land, one, other):
    asked, features, unknown = land
    narrow, wide = (
        (rule("more", {"tier": "exclude", "setback": f"{m:g} m"}), *asked)
        for m in sorted((one, other))
    )
    assert (free(wide, features, unknown) <= free(narrow, features, unknown)).all()
    assert (clear(wide, features, unknown) <= clear(narrow, features, unknown)).all()


@given(lands(), metres(), metres())
def test_a_shorter_requirement_never_frees_land(land, one, other):
    asked, features, unknown = land
    near, far = (
        (rule("more", {"tier": "require", "within": f"{m:g} m"}), *asked)
        for m in sorted((one, other))
    )
    # Where all is covered; a farther requirement may also reach land that is not covered.
    known = {layer: np.zeros_like(gap) for layer, gap in unknown.items()}
    assert (free(near, features, known) <= free(far, features, known)).all()


@given(lands())
def test_another_feature_never_frees_land_from_an_exclusion(land):
    asked, features, unknown = land
    hard = [one for one in asked if one.mine.tier != "require"]
    more = {layer: marked | features["x/more"] for layer, marked in features.items()}
    assert (free(hard, more, unknown) <= free(hard, features, unknown)).all()


@given(lands())
def test_coverage_settles_doubt_and_unsettles_nothing(land):
    asked, features, unknown = land
    hard = [one for one in asked if one.mine.tier != "require"]
    all_known = {layer: np.zeros_like(gap) for layer, gap in unknown.items()}
    before, after = answer(hard, features, unknown), answer(hard, features, all_known)
    assert not after.unknown.any()
    assert (before.excluded == after.excluded).all()


@given(lands())
def test_every_ineligible_cell_has_a_reason_and_only_those(land):
    asked, features, unknown = land
    found = answer(asked, features, unknown)
    hard = [k for k, one in enumerate(asked) if constraints.is_hard(one.mine)]
    against = np.zeros_like(found.excluded)
    unsure = np.zeros_like(found.excluded)
    for k in hard:
        against |= constraints.against_bits(found.planes, k)
        unsure |= constraints.unsure_bits(found.planes, k)
    assert (found.excluded == against).all()
    assert (found.unknown == (unsure & ~against)).all()


@given(lands(**WITH_CASES), st.randoms(use_true_random=False))
def test_rules_commute(land, random):
    asked, features, unknown = land
    shuffled = list(asked)
    random.shuffle(shuffled)
    one, two = answer(asked, features, unknown), answer(shuffled, features, unknown)
    for surface in ("excluded", "unknown", "factor"):
        assert getattr(one, surface).tobytes() == getattr(two, surface).tobytes()
    for k, moved in enumerate(asked):
        there = shuffled.index(moved)
        for bits in (constraints.against_bits, constraints.unsure_bits):
            assert (bits(one.planes, k) == bits(two.planes, there)).all()


@given(lands(**WITH_CASES), st.integers(0, 5), st.integers(0, 5))
def test_shifting_the_world_by_whole_cells_shifts_the_answer(land, down, right):
    asked, features, unknown = land
    # Nothing but empty, covered land comes in beyond the edge of the world.
    far = 11

    def placed(marked, r, c):
        rows, columns = marked.shape
        out = np.zeros((rows + 2 * far + 5, columns + 2 * far + 5), bool)
        out[far + r : far + r + rows, far + c : far + c + columns] = marked
        return out

    def answers(r, c):
        shifted = [{k: placed(v, r, c) for k, v in part.items()} for part in (features, unknown)]
        found = answer(asked, *shifted)
        rows, columns = next(iter(features.values())).shape
        here = np.s_[..., r : r + rows + 2 * far, c : c + columns + 2 * far]
        return [s[here].tobytes() for s in (found.excluded, found.unknown, found.factor)] + [
            found.planes[here].tobytes()
        ]

    assert answers(0, 0) == answers(down, right)


@given(lands(**WITH_CASES))
def test_force_inclusion_never_shrinks_land(land):
    asked, features, unknown = land
    lift = rule("more", {"tier": "include", "case": "test case 1"})
    for function in (free, clear):
        before = function(asked, features, unknown)
        after = function((*asked, lift), features, unknown)
        assert (after >= before).all()
        # And lifts on its own land only.
        assert (after == before)[~features["x/more"]].all()
        assert after[features["x/more"]].all()


AUTHORITIES = ("statute", "regulation", "withdrawal", "plan", "practice")


@st.composite
def bound(draw):
    """Lands whose rules rest on any authority; some are about sovereign land, some are lifted."""
    asked, features, unknown = draw(lands(**WITH_CASES))
    ids = [one.id for one in asked]
    given_ = []
    for one in asked:
        update = {
            "authority": draw(st.sampled_from(AUTHORITIES)),
            "sovereign": draw(st.booleans()),
        }
        if one.mine.tier == "include":
            named = tuple(draw(st.lists(st.sampled_from(ids), unique=True)))
            case = draw(st.sampled_from((None, "NVN-1")))
            update["mine"] = one.mine.model_copy(update={"lifts": named, "case": case})
        given_.append(one.model_copy(update=update))
    return tuple(given_), features, unknown


def ruled_one_by_one(asked, features, unknown):
    """The same by the definition: each rule is struck out where something lifts it."""
    found = verdicts(asked, features, unknown)
    shape = next(iter(features.values())).shape
    excluded, doubtful = np.zeros(shape, bool), np.zeros(shape, bool)
    for one, said in zip(asked, found, strict=True):
        if not constraints.is_hard(one.mine):
            continue
        lifted = np.zeros(shape, bool)
        for other, case in zip(asked, found, strict=True):
            if other.mine.tier == "include":
                named, binding = other.mine.lifts, one.authority in ("statute", "withdrawal")
                may = (one.id in named if named else True) and not one.sovereign
                if may and not (binding and not (named and other.mine.case)):
                    lifted |= case.against
        excluded |= said.against & ~lifted
        doubtful |= said.unsure & ~lifted
    return excluded, doubtful & ~excluded


@given(bound())
def test_each_rule_is_struck_out_where_something_lifts_it_and_nowhere_else(land):
    found = answer(*land)
    excluded, unknown = ruled_one_by_one(*land)
    assert (found.excluded == excluded).all()
    assert (found.unknown == unknown).all()


@given(bound())
def test_an_inclusion_frees_no_land_of_what_it_may_not_lift(land):
    asked, features, unknown = land
    lift = rule("more", {"tier": "include"})
    before = answer(asked, features, unknown)
    after = answer((*asked, lift), features, unknown)
    assert (after.excluded <= before.excluded).all()
    assert (after.unknown <= before.unknown | before.excluded).all()
    kept = [one for one in asked if one.sovereign or one.authority in ("statute", "withdrawal")]
    cases = [one for one in asked if one.mine.tier == "include" and one not in kept]
    alone = answer((*kept, *cases), features, unknown).excluded
    assert (after.excluded >= alone).all()


@given(bound())
def test_no_inclusion_lifts_a_sovereign_rule(land):
    asked, features, unknown = land
    found = answer(asked, features, unknown)
    for one, said in zip(asked, verdicts(asked, features, unknown), strict=True):
        if one.sovereign and constraints.is_hard(one.mine):
            assert found.excluded[said.against].all()
            assert (found.excluded | found.unknown)[said.unsure].all()


@given(bound(), st.sampled_from(("sovereign", "statute", "withdrawal", "claims", "soft")))
def test_an_inclusion_that_lifts_nothing_changes_nothing(land, why):
    asked, features, unknown = land
    update = {
        "sovereign": {"sovereign": True},
        "statute": {"authority": "statute", "sovereign": False},
        "withdrawal": {"authority": "withdrawal", "sovereign": False},
        "claims": {},
        "soft": {"mine": rule("x", {"tier": "flag"}).mine},
    }[why]
    asked = tuple(one.model_copy(update=update) for one in asked if one.mine.tier != "include")
    lift = rule("more", {"tier": "include"})
    layers = features
    if why == "claims":
        lift = lift.model_copy(update={"layer": "land/mining_claims"})
        layers = features | {"land/mining_claims": features["x/more"]}
        unknown = unknown | {"land/mining_claims": unknown["x/more"]}
    before, after = answer(asked, layers, unknown), answer((*asked, lift), layers, unknown)
    for surface in ("excluded", "unknown", "factor"):
        assert (getattr(before, surface) == getattr(after, surface)).all()


@given(lands())
def test_a_rule_without_a_feature_in_covered_land_changes_nothing(land):
    asked, features, unknown = land
    nothing = np.zeros_like(features["x/more"])
    features, unknown = features | {"x/more": nothing}, unknown | {"x/more": nothing}
    one = answer(asked, features, unknown)
    two = answer((*asked, rule("more", {"tier": "exclude", "setback": "1 km"})), features, unknown)
    for surface in ("excluded", "unknown", "factor", "planes"):
        assert (getattr(one, surface) == getattr(two, surface)).all()


# ── which rules are asked at all ──────────────────────────────────────────────────────────────
DAYS = st.dates(date(2020, 1, 1), date(2030, 1, 1))


def in_force(found, day, **scenario):
    r = resolved(*question(*found, **scenario), day)
    return r.rules, r.treatments, r.not_asked


@given(lands(), DAYS, st.integers(1, 400))
def test_an_expired_rule_changes_nothing(land, day, ago):
    asked, features, unknown = land
    over = rule("more", valid_to=day - timedelta(days=ago))
    coming = rule("later", valid_from=day + timedelta(days=ago))
    rules_now, treated, not_asked = in_force((*asked, over, coming), day)
    assert rules_now == asked
    assert treated == tuple(one.mine for one in asked)
    assert set(not_asked) == {"more", "later"}
    assert str(day) in not_asked["more"]
    assert (free(rules_now, features, unknown) == free(asked, features, unknown)).all()


@given(DAYS)
def test_a_rule_is_in_force_on_its_first_and_last_day(day):
    one = rule("more", valid_from=day, valid_to=day)
    assert one.in_force(day)
    assert not one.in_force(day - timedelta(days=1))
    assert not one.in_force(day + timedelta(days=1))


def test_a_rule_for_federal_money_is_asked_of_federal_money_only():
    one = rule("more", needs_federal_funding="true")
    assert in_force((one,), date(2025, 1, 1))[2] == {
        "more": "applies to federally funded projects only"
    }
    assert in_force((one,), date(2025, 1, 1), federal_funding="true")[0] == (one,)


def test_a_rule_about_refineries_is_not_asked_of_a_mine():
    one = rule("more", mine=None, refinery={"tier": "exclude"})
    one = one.model_copy(update={"mine": None})
    assert in_force((one,), date(2025, 1, 1)) == ((), (), {})
    assert in_force((one,), date(2025, 1, 1), project="refinery")[0] == (one,)


# ── one world, drawn ──────────────────────────────────────────────────────────────────────────
def test_a_park_a_power_line_and_a_case():
    _, park = world("""
        . . . . . . .
        . # # . . . .
        . # # . . . .
        . . . . . . .
    """)
    _, line = world("""
        . . . . . . #
        . . . . . . #
        . . . . . . #
        . . . . . . #
    """)
    _, case = world("""
        . . . . . . .
        . . . . . . .
        . . . . . . .
        . . # # # . .
    """)
    asked = (
        rule("park", {"tier": "exclude", "setback": "100 m"}),
        rule("line", {"tier": "require", "within": "250 m"}),
        rule("case", {"tier": "include", "case": "test case 1"}),
    )
    features = {"x/park": park.to_numpy(), "x/line": line.to_numpy(), "x/case": case.to_numpy()}
    gaps = {layer: np.zeros((4, 7), bool) for layer in features}
    assert draw(free(asked, features, gaps)) == picture("""
        . . . . # # #
        . . . . # # #
        . . . . # # #
        . . # # # # #
    """)
    gaps["x/line"][0, 0] = True
    found = answer(asked, features, gaps)
    assert draw(found.excluded + 2 * found.unknown, {".": 0, "x": 1, "?": 2}) == picture("""
        ? x x x . . .
        x x x x . . .
        x x x x . . .
        x x . . . . .
    """)


@pytest.mark.parametrize("setback", [0, 99, 100, 141, 142, 200, 300])
def test_a_setback_is_one_euclidean_distance(setback):
    marked = np.zeros((9, 9), bool)
    marked[4, 4] = True
    asked = (rule("more", {"tier": "exclude", "setback": f"{setback} m"}),)
    found = ~free(asked, {"x/more": marked}, {"x/more": np.zeros_like(marked)})
    y, x = np.indices(marked.shape) - 4
    assert (found == (np.hypot(x, y) * CELL <= setback)).all()


# ── the law in the cells ──────────────────────────────────────────────────────────────────────
def _plot(grid, rng):
    """A rectangle somewhere in or beside a grid."""
    left, _, _, top = grid.bounds
    row, column, high, wide = rng.uniform([-4, -4, 0.3, 0.3], [*grid.shape, 6, 6])
    size = grid.resolution
    x, y = left + column * size, top - row * size
    return shapely.box(x, y - high * size, x + wide * size, y)


def _many_voices(grid, count, rng):
    """Rules of every tier, some with local land and decisions, over layers with holes."""
    layers = [f"x/{k}" for k in range(8)]
    tiers = ("exclude", "exclude", "require", "avoid", "mitigate", "flag", "include")
    more = {"require": {"within": "900 m"}, "avoid": {"factor": "0.5"}, "mitigate": {}, "flag": {}}
    asked, local, decided = [], {}, {}
    for k in range(count):
        tier, id_ = str(rng.choice(tiers)), f"r{k:02d}"
        lifted = [f"r{j:02d}" for j in sorted({*rng.integers(0, count, 3).tolist()})]
        special = {
            "exclude": {"setback": f"{rng.choice([0, 0, 100, 150, 250])} m"},
            "include": {"case": "1", "lifts": lifted} if rng.random() < 0.5 else {},
        }
        inside = {"inside": str(rng.choice([*layers, "x/none"]))} if rng.random() < 0.2 else {}
        asked.append(
            rule(
                id_,
                {"tier": tier, **(more | special)[tier]},
                layer=str(rng.choice(layers)),
                authority=str(rng.choice(["statute", "withdrawal", "plan", "practice"])),
                sovereign=bool(rng.random() < 0.05),
                **inside,
            )
        )
        if rng.random() < 0.2:
            land = _plot(grid, rng) if rng.random() < 0.8 else None
            local[id_] = [(land, rng.choice([None, 0.0, 200.0]), bool(rng.random() < 0.8))]
        if rng.random() < 0.2:
            effect = str(rng.choice(["holds", "set aside", "in doubt"]))
            decided[id_] = [(_plot(grid, rng), effect)]
    return {
        "rules": tuple(asked),
        "local": local,
        "amendments": decided,
        "layers": {i: features([_plot(grid, rng) for _ in range(3)]) for i in layers},
        "coverage": {i: features([_plot(grid, rng), _plot(grid, rng)]) for i in layers[:3]},
        "silent": layers[3:4],
    }


@pytest.mark.parametrize(("count", "seed"), [(3, 1), (30, 2), (34, 3), (66, 4), (70, 5), (70, 6)])
def test_accounts_tiles_and_order_agree_whoever_speaks(count, seed):
    """On one plane of reasons, on two and on three."""
    rng = np.random.default_rng(seed)
    grid = toygrid(11, 14, row=-300, column=-200)
    parcels = [_plot(grid, rng).buffer(200.0), whole(grid).geometry.iloc[0]]
    parcels[1] = parcels[1].difference(parcels[0])
    world = _many_voices(grid, count, rng)
    inputs = toyinputs(grid, parcels=features(parcels), offered=[True, True], **world)
    found = tile(inputs, grid)
    excluded = np.count_nonzero(found.status == constraints.EXCLUDED)
    lifts = constraints.numbered([r.id for r in inputs.rules], inputs.lifts)
    said = (found.rule_sets, inputs.treatments, inputs.offered)
    assert excluded_ha(*said, cell_ha=1.0, lifts=lifts) == excluded
    rules = [
        Blocking(r.id, r.title, r.authority, r.citation, "", hard=constraints.is_hard(t),
                 lifts=tuple(sorted(lifts.get(k, ()))))
        for k, (r, t) in enumerate(zip(inputs.rules, inputs.treatments, strict=True))
    ]  # fmt: skip
    shares = rule_shares(blocking_sets(said[0], rules, inputs.offered), rules, cell_ha=1.0)
    assert shares["shapley_ha"].sum() == pytest.approx(excluded)
    for window in grid.tiles(5):
        part = tile(inputs, window)
        assert (part.status == found.status[grid.window(window)]).all()
        assert (part.planes == found.planes[:, *grid.window(window)]).all()
    order = rng.permutation(count)
    shuffled = replace(
        inputs,
        rules=tuple(inputs.rules[k] for k in order),
        treatments=tuple(inputs.treatments[k] for k in order),
    )
    assert (tile(shuffled, grid).status == found.status).all()
