"""A reviewer disagrees: the run is repeated with the decisions, and what changed stands beside why.

The hamlet has rules of its own here: a practice about the railway, a plan's about towns, a
statute's and one about sovereign land.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from geosite.amending import amended_land
from geosite.catalog import load_yaml, open_rulebook
from geosite.constraints import CLEAR, EXCLUDED, UNKNOWN
from geosite.crs import WGS84
from geosite.decisions import Decided, Overlay, effect_of, refusals
from geosite.errors import CatalogError
from geosite.model.review import Decision, Reviews
from geosite.prepare import prepare
from geosite.question import asked, differences
from geosite.reviews import open_overlay, reviewed
from geosite.runs import open_run
from geosite.tile import tile
from tests.test_schemas import complaints
from tests.worlds import ALBERS, SOUTH, WEST, box, cli, copied, lonlat, make_hamlet, write_yaml


def rule(id_, layer, treatment, authority, **more):
    told = {"id": id_, "title": id_, "layer": layer, "mine": treatment, "authority": authority}
    return {**told, "citation": f"citation of {id_}", **more}


RULES = [
    rule("quiet-rail", "infrastructure/rail", {"tier": "exclude", "setback": "1.5 km"}, "practice"),
    rule("towns-plan", "infrastructure/towns", {"tier": "exclude", "setback": "2 km"}, "plan"),
    rule(
        "town-noise",
        "infrastructure/towns",
        {"tier": "avoid", "setback": "4 km", "factor": "0.5"},
        "regulation",
    ),
    rule("towns-law", "infrastructure/towns", {"tier": "exclude", "setback": "1 km"}, "statute"),
    rule(
        "nation",
        "land/tribal",
        {"tier": "exclude", "setback": "1 km"},
        "statute",
        sovereign="true",
    ),
]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """The hamlet with its own rules and a run of them; not to be changed."""
    hamlet = make_hamlet(tmp_path_factory.mktemp("reviews") / "it")
    hamlet.ask(own_rules=RULES)
    done = hamlet.cli("run", "--no-map")
    assert done.exit_code == 0, done.output
    return hamlet


@pytest.fixture
def place(home, tmp_path):
    return copied(home, tmp_path / "here")


def first(hamlet):
    return open_run(min((hamlet.outputs / "hamlet").iterdir()))


def last(hamlet):
    return open_run(max((hamlet.outputs / "hamlet").iterdir()))


def written(hamlet, *decisions, name="overlay.yaml", **changes):
    """An overlay of the hamlet's run; keys of a decision that are None are left out."""
    base = {"reason": "seen on the ground", "role": "biologist", "date": "2026-01-01"}
    items = [{k: v for k, v in {**base, **d}.items() if v is not None} for d in decisions]
    path = hamlet.root / name
    write_yaml(
        path, {"run": f"outputs/hamlet/{first(hamlet).path.name}", "decisions": items} | changes
    )
    return path


def again(hamlet, overlay, *more):
    done = hamlet.cli("run", "--no-map", "--reviews", str(overlay), *more)
    assert done.exit_code == 0, done.output
    return done


def refused(hamlet, overlay, *more, verb="run"):
    before = sorted(p.name for p in (hamlet.outputs / "hamlet").iterdir())
    done = hamlet.cli(verb, "--reviews", str(overlay), *more)
    assert done.exit_code == 1
    assert "Traceback" not in done.output
    assert sorted(p.name for p in (hamlet.outputs / "hamlet").iterdir()) == before
    return done.stderr


def degrees(x0, y0, x1, y1):
    (west, south), (east, north) = lonlat(x0, y0), lonlat(x1, y1)
    return f"{west},{south},{east},{north}"


OFF = {"decision": "override", "finding": "does not hold"}
ON = {"decision": "override", "finding": "holds"}


# ── the loop ────────────────────────────────────────────────────────────────────────────────


def test_the_hamlet_has_sites_that_its_rules_touch(home):
    run = first(home)
    assert run.manifest["sites"] >= 2
    removed = pd.read_csv(run.path / "removed.csv").set_index("rule")["removed_ha"]
    assert (removed[["quiet-rail", "towns-plan", "towns-law", "nation"]] > 0).all()


def test_accepting_everything_gives_the_same_sites(place):
    run = first(place)
    site = run.sites["site_id"].iloc[0]
    overlay = written(
        place,
        {"site": site, "rule": "quiet-rail", "decision": "accept"},
        {"area": degrees(0, 0, 9000, 9000), "rule": "towns-plan", "decision": "accept"},
        {"site": site.lower(), "rule": "tribal-land", "decision": "accept"},
    )
    again(place, overlay)
    new = last(place)
    assert new.path != run.path
    assert (new.path / "sites.csv").read_bytes() == (run.path / "sites.csv").read_bytes()
    window = run.store.grid
    for name in ("status", "planes", "suitability"):
        assert np.array_equal(new.surface(name, window), run.surface(name, window), equal_nan=True)
    table = pd.read_csv(new.path / "reviews.csv")
    assert (table["moved"] == "as before").all()
    assert (table["effect"] == "the finding stands").all()
    assert new.manifest["reviews"]["since"] == []
    assert new.manifest["hash"] != run.manifest["hash"]


def test_setting_a_rule_aside_frees_its_land_there_and_nowhere_else(place):
    area = degrees(600, 600, 5000, 5000)
    overlay = written(place, {"area": area, "rule": "quiet-rail", **OFF})
    done = again(place, overlay)
    run, new = first(place), last(place)
    row = pd.read_csv(new.path / "reviews.csv").iloc[0]
    assert row["excluded_ha_after"] < row["excluded_ha_before"]
    assert row["clear_ha_after"] > row["clear_ha_before"]
    assert row["reason"] == "seen on the ground"
    assert row["role"] == "biologist"
    window = run.store.grid
    old, now = run.surface("status", window), new.surface("status", window)
    x, y = np.meshgrid(*window.centres())
    land = new.layer("reviews").geometry.iloc[0]
    inside = shapely.contains_xy(land, x, y)
    assert (old[~inside] == now[~inside]).all()
    assert ((old == EXCLUDED) & (now == CLEAR))[inside].any()
    # The spot says why nothing is said against it.
    lon, lat = lonlat(3000, 3000)
    spot = cli("explain", new.path, f"{lon},{lat}").stdout
    assert "reviewed: override (does not hold): quiet-rail" in spot
    assert "(biologist, 2026-01-01: seen on the ground)" in spot
    far = cli("explain", new.path, "{},{}".format(*lonlat(5800, 10_000))).stdout
    assert "reviewed" not in far
    told = cli("explain", new.path, row["site_after"]).stdout
    assert "override (does not hold): quiet-rail: seen on the ground" in told
    assert "seen on the ground" in done.stderr
    assert "excluded" in done.stderr


def test_a_rule_that_is_taken_to_hold_removes_the_site(place):
    run = first(place)
    site = run.sites["site_id"].iloc[0]
    again(place, written(place, {"site": site, "rule": "quiet-rail", **ON}))
    new = last(place)
    rows = pd.read_csv(new.path / "reviews.csv")
    row = rows[rows["site_before"] == site].iloc[0]
    assert row["status_before"] == "candidate"
    assert row["status_after"] == "no site, land mostly excluded"
    assert row["moved"] == "no site any more"
    assert row["rank_before"] == 1
    assert pd.isna(row["rank_after"])
    assert row["clear_ha_after"] == row["unknown_ha_after"] == 0
    assert site in new.manifest["reviews"]["vanished"]
    others = run.sites[run.sites["site_id"] != site]["site_id"]
    assert set(new.sites["site_id"]) >= set(others)


def test_a_dispute_makes_land_unknown_and_not_free(place):
    area = degrees(0, 0, 12_000, 12_000)
    again(place, written(place, {"area": area, "rule": "quiet-rail", "decision": "dispute"}))
    run, new = first(place), last(place)
    window = run.store.grid
    old, now = run.surface("status", window), new.surface("status", window)
    freed = (old == EXCLUDED) & (now != EXCLUDED)
    assert freed.any()
    assert (now[freed] == UNKNOWN).all()
    assert not (now == CLEAR)[old == EXCLUDED].any()


def test_a_disputed_statute_is_recorded_and_changes_nothing(place):
    area = degrees(0, 0, 12_000, 12_000)
    overlay = written(
        place,
        {"area": area, "rule": "towns-law", "decision": "dispute"},
        {"area": area, "rule": "nation", "decision": "dispute", "case": "NVNV105"},
    )
    again(place, overlay)
    run, new = first(place), last(place)
    assert (new.path / "sites.csv").read_bytes() == (run.path / "sites.csv").read_bytes()
    effects = set(pd.read_csv(new.path / "reviews.csv")["effect"])
    assert effects == {
        "recorded; without a case a statute is not put in doubt",
        "recorded; nothing puts a rule about sovereign land in doubt",
    }


def test_a_soft_rule_that_is_set_aside_raises_the_score(place):
    run = first(place)
    touched = run.sites[run.sites["rules_avoid"].str.contains("town-noise")].iloc[0]
    again(place, written(place, {"site": touched["site_id"], "rule": "town-noise", **OFF}))
    row = pd.read_csv(last(place).path / "reviews.csv").iloc[0]
    assert row["site_after"] == touched["site_id"]
    assert row["suitability_after"] > row["suitability_before"]
    assert row["rank_after"] <= row["rank_before"]
    assert row["matched"] == "by id, 100 % of its land"


def test_the_later_decision_counts_whatever_the_order_in_the_file(place):
    area = degrees(0, 0, 12_000, 12_000)
    late = {"area": area, "rule": "quiet-rail", "decision": "accept", "date": "2026-01-02"}
    again(place, written(place, late, {"area": area, "rule": "quiet-rail", **OFF}))
    run, new = first(place), last(place)
    assert (new.path / "sites.csv").read_bytes() == (run.path / "sites.csv").read_bytes()


def test_a_second_review_keeps_the_first(place):
    area = degrees(0, 0, 12_000, 12_000)
    again(place, written(place, {"area": area, "rule": "quiet-rail", **OFF}))
    one = last(place)
    site = one.sites["site_id"].iloc[-1]
    overlay = written(
        place,
        {"site": site, "rule": "towns-plan", "decision": "accept"},
        run=f"outputs/hamlet/{one.path.name}",
    )
    again(place, overlay)
    two = last(place)
    assert two.path not in (one.path, first(place).path)
    assert (two.path / "sites.csv").read_bytes() == (one.path / "sites.csv").read_bytes()
    effects = pd.read_csv(two.path / "reviews.csv")["effect"].tolist()
    assert any("(as in the reviewed run)" in e for e in effects)


def test_what_a_run_with_reviews_holds(place):
    site = first(place).sites["site_id"].iloc[0]
    reason = "=cmd|' /C calc'!A0 <b>springs</b> | dry"
    overlay = written(
        place,
        {"site": site, "rule": "town-noise", **OFF, "reason": reason},
        {"area": degrees(0, 0, 3000, 3000), "rule": "quiet-rail", "decision": "dispute"},
    )
    done = place.cli("run", "--reviews", str(overlay))
    assert done.exit_code == 0, done.output
    new = last(place)
    readme = (new.path / "README.md").read_text(encoding="utf-8")
    assert "## What reviewers decided" in readme
    assert "&lt;b&gt;springs" in readme
    assert "reviews.csv" in readme
    assert "<b>springs" not in (new.path / "map.html").read_text(encoding="utf-8")
    assert "What reviewers decided" in (new.path / "map.html").read_text(encoding="utf-8")
    rows = pd.read_csv(new.path / "reviews.csv")
    assert rows["notice"].str.contains("BLM master title plats").all()
    assert rows["reason"].iloc[0].startswith("'=")
    applied = load_yaml(new.path / "reviews.yaml")
    assert [d["rule"] for d in applied["decisions"]] == ["town-noise", "quiet-rail"]
    assert applied["run"] == first(place).path.name
    assert json.loads((new.path / "run.json").read_text())["reviews"]["rows"]
    # It can be applied again, to the same answer.
    shutil.copy(new.path / "reviews.yaml", place.outputs / "hamlet" / "again.yaml")
    again(place, place.outputs / "hamlet" / "again.yaml")
    table = (last_run(place).path / "sites.csv").read_bytes()
    assert table == (new.path / "sites.csv").read_bytes()


def test_the_dossier_of_a_reviewed_run_says_what_was_decided(place):
    site = first(place).sites["site_id"].iloc[0]
    decision = {"site": site, "rule": "town-noise", **OFF, "reason": "<b>springs</b> | dry"}
    again(place, written(place, decision))
    new = last(place)
    done = cli("review", str(new.path), "--out", str(place.root / "dossier"))
    assert done.exit_code == 0, done.output
    kept = place.root / "dossier" / f"{site}.html"
    text = kept.read_text(encoding="utf-8")
    assert text.index("What was not examined") < text.index("What reviewers decided (1)")
    assert text.index("What reviewers decided (1)") < text.index("<h2>The site</h2>")
    assert "override (does not hold) on 100 % of the site" in text
    assert "&lt;b&gt;springs" in text
    assert "<b>springs" not in text
    rows = pd.read_csv(place.root / "dossier" / "dossier.csv").set_index(["site_id", "rule"])
    said = rows["reviewers"].dropna()
    assert (site, "town-noise") in said.index
    assert "biologist, 2026-01-01" in said[site, "town-noise"]
    assert set(said.index.get_level_values("rule")) == {"town-noise"}
    # A run without decisions has nothing to say of them.
    done = cli("review", str(first(place).path), "--out", str(place.root / "before"))
    assert done.exit_code == 0, done.output
    before = (place.root / "before" / f"{site}.html").read_text(encoding="utf-8")
    assert "What reviewers decided" not in before


def last_run(hamlet):
    return open_run(max(p for p in (hamlet.outputs / "hamlet").iterdir() if p.is_dir()))


def test_data_that_changed_since_are_named(place):
    site = first(place).sites["site_id"].iloc[0]
    overlay = written(place, {"site": site, "rule": "quiet-rail", "decision": "accept"})
    rail = shapely.LineString([(WEST, SOUTH + 300), (WEST + 12_000, SOUTH + 5000)])
    gpd.GeoDataFrame({"name": ["New"]}, geometry=[rail], crs=ALBERS).to_file(
        place.data / "rail.fgb"
    )
    done = again(place, overlay)
    assert "layer infrastructure/rail: rail.fgb has changed" in done.stderr
    assert "not all of this is the decisions' doing" in done.stderr
    assert "rail.fgb has changed" in (last(place).path / "README.md").read_text(encoding="utf-8")


def test_the_cells_and_the_area_are_those_of_the_reviewed_run(home, tmp_path):
    place = copied(home, tmp_path / "here")
    done = place.cli("run", "--no-map", "--resolution", "250 m", "--aoi", degrees(0, 0, 9000, 9000))
    assert done.exit_code == 0, done.output
    coarse = last(place)
    overlay = written(
        place,
        {"area": degrees(0, 0, 4000, 4000), "rule": "quiet-rail", "decision": "accept"},
        run=str(coarse.path),
    )
    again(place, overlay)
    assert last(place).path != coarse.path
    assert last(place).store.grid == coarse.store.grid
    assert (last(place).path / "sites.csv").read_bytes() == (coarse.path / "sites.csv").read_bytes()


def test_a_plan_says_what_each_decision_would_change(place):
    overlay = written(place, {"area": degrees(0, 0, 4000, 4000), "rule": "quiet-rail", **OFF})
    done = place.cli("plan", "--reviews", str(overlay))
    assert done.exit_code == 0, done.output
    assert "override (does not hold): quiet-rail" in done.stdout
    assert "set aside on this land" in done.stdout
    assert "biologist: seen on the ground" in done.stdout


def test_resuming_refuses_another_overlay(place):
    lands = (degrees(0, 0, 4000, 4000), degrees(0, 0, 4000, 5000))
    files = [
        written(place, {"area": a, "rule": "quiet-rail", **OFF}, name=f"{k}.yaml")
        for k, a in enumerate(lands)
    ]
    one, other = (reviewed(place.plan(), open_overlay(f)) for f in files)
    old, new, none = (json.loads(json.dumps(asked(p))) for p in (one, other, place.plan()))
    assert differences(old, old) == []
    assert differences(old, new) == ["the decisions of reviewers have changed"]
    assert differences(none, new) == ["the decisions of reviewers have changed"]


def test_the_example_of_the_readme_is_an_overlay(root):
    text = (root / "README.md").read_text(encoding="utf-8")
    example = text.split("### Disagree with a finding")[1].split("```yaml")[1].split("```")[0]
    reviews = Reviews.model_validate(yaml.load(example, yaml.BaseLoader))  # noqa: S506
    book = {r.id: r for s in open_rulebook().sets.values() for r in s.rules}
    for one in reviews.decisions:
        assert effect_of(one, book[one.rule])[0] is not None
        assert refusals(one, book[one.rule], book[one.rule].mine) == []
    schema = (root / "geosite/scenarios/reviews.schema.json").read_text(encoding="utf-8")
    assert complaints(schema, example) == []
    wrong = complaints(schema, example.replace("reason:", "reasons:", 1))
    assert any("reasons" in line for line in wrong)


# ── what is refused ─────────────────────────────────────────────────────────────────────────


def test_every_fault_of_a_file_is_named_at_once(place):
    site = first(place).sites["site_id"].iloc[0]
    bow = [lonlat(*at) for at in ((1000, 1000), (4000, 4000), (4000, 1000), (1000, 4000))]
    gpd.GeoDataFrame(geometry=[shapely.Polygon(bow)], crs=WGS84).to_file(place.root / "bow.gpkg")
    overlay = written(
        place,
        {"site": "BLM-W1N1", "rule": "quiet-rail", "decision": "accept"},
        {"site": site, "rule": "no-such-rule", "decision": "accept"},
        {"site": site, "rule": "wilderness", "decision": "accept"},
        {"site": site, "rule": "quiet-rail", "decision": "accept", "date": "soon"},
        {"site": site, "rule": "quiet-rail", "decision": "accept", "date": "2026-01-03"},
        {"area": "bow.gpkg", "rule": "quiet-rail", "decision": "accept"},
        {"area": "179,51,-179,53", "rule": "quiet-rail", "decision": "accept"},
        {"area": "-100,40,-99,41", "rule": "quiet-rail", "decision": "accept"},
        {"site": site, "rule": "quiet-rail", "decision": "override", "reason": None},
        {"site": site, "rule": "quiet-rail", **OFF, "reason": "  "},
        {"site": site, "rule": "towns-law", **OFF},
        {"site": site, "rule": "nation", **OFF, "case": "NVNV105"},
        {"site": site, "rule": "towns-plan", "decision": "accept"},
        {"site": site, "rule": "towns-plan", "decision": "dispute"},
        {"area": "nothing.gpkg", "rule": "quiet-rail", "decision": "accept", "colour": "red"},
    )
    said = refused(place, overlay)
    for words in (
        "decisions.0.site: there is no site 'BLM-W1N1'",
        "decisions.1.rule: there is no rule 'no-such-rule'",
        "decisions.2.rule: wilderness was not asked in that run",
        "decisions.3.date: write the day as year-month-day",
        "decisions.4.date: 2026-01-03 lies after the day that rules are read on, 2026-01-02",
        "decisions.5.area: bow.gpkg: feature 1 crosses itself",
        "decisions.6.area: '179,51,-179,53': crosses the antimeridian",
        "decisions.7.area: '-100,40,-99,41': lies outside the area of the run",
        "decisions.8.reason: this key is missing",
        "decisions.9.reason: ",
        "decisions.10.case: rule towns-law rests on a statute",
        "decisions.11.finding: rule nation is about land of another sovereign",
        "decisions.13: decisions.12 says otherwise",
        "decisions.14.colour: this key is not known here",
    ):
        assert words in said, words
    assert "decisions.12." not in said


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("run: [", "cannot be read as YAML"),
        ("- a\n- b\n", "expected keys and values"),
        ("run: a\nrun: b\ndecisions: []\n", "keys are written twice"),
        ("decisions: []\n", "run: this key is missing"),
        ("run: nowhere\ndecisions: []\n", "this is not a finished run"),
        ("run: nowhere\ndecisions: 5\n", "decisions"),
        ("run: ''\ndecisions: [{}]\n", "run"),
    ],
)
def test_a_file_that_is_no_overlay(place, text, words):
    path = place.root / "overlay.yaml"
    path.write_text(text, encoding="utf-8")
    assert words in refused(place, path)
    with pytest.raises(CatalogError):
        open_overlay(path)


def test_a_file_that_is_not_there(place):
    assert "cannot be read" in refused(place, place.root / "none.yaml")


def test_a_run_of_another_question_is_refused(place):
    one = {"area": degrees(0, 0, 4000, 4000), "rule": "quiet-rail", "decision": "accept"}
    overlay = written(place, one)
    said = refused(place, overlay, "--resolution", "300 m")
    assert "run: has cells of 200 m, expected 300 m" in said
    said = refused(place, overlay, "--aoi", degrees(0, 0, 9000, 9000), verb="plan")
    assert "run: is about another area (Toyland)" in said
    place.ask(name="village", own_rules=RULES)
    assert "run: is of scenario 'hamlet', expected 'village'" in refused(place, overlay)
    place.ask(own_rules=RULES, grid={"crs": "EPSG:6350", "resolution": "200 m"})
    assert "run: its grid is in EPSG:5070, expected EPSG:6350" in refused(place, overlay)
    place.ask(own_rules=RULES, grid={"crs": "EPSG:5070", "resolution": "200 m", "origin": [100, 0]})
    assert "run: has other cells" in refused(place, overlay)


def test_a_rule_that_is_not_asked_any_more(place):
    overlay = written(
        place, {"area": degrees(0, 0, 4000, 4000), "rule": "quiet-rail", "decision": "accept"}
    )
    place.ask(own_rules=RULES[1:])
    assert "quiet-rail was asked in that run and is not asked any more" in refused(place, overlay)


def test_a_damaged_run_is_refused(place):
    overlay = written(
        place, {"area": degrees(0, 0, 4000, 4000), "rule": "quiet-rail", "decision": "accept"}
    )
    (first(place).path / "sites.csv").unlink()
    assert "has lost sites.csv" in refused(place, overlay)


# ── laws ────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def ready(home):
    plan = home.plan()
    return plan, prepare(plan).inputs


def candidates(ready, *decisions):
    """Cells that may hold a candidate, and the status of all, with some decisions."""
    plan, inputs = ready
    rules = {r.id: r for r in plan.rules}
    overlay = Overlay(
        plan.data,
        "",
        tuple(Decided(d, "", land, effect_of(d, rules[d.rule])[0], "") for d, land in decisions),
    )
    amended, _ = amended_land(overlay.amendments, plan)
    status = tile(replace(inputs, amendments=amended), plan.grid).status
    return np.isin(status, (UNKNOWN, CLEAR)), status


def one(rule_, **way):
    told = {"site": "x", "rule": rule_, "reason": "r", "role": "r", "date": "2026-01-01", **way}
    return Decision.model_validate(told)


sides = st.integers(0, 11_500)
boxes = st.tuples(sides, sides, st.integers(300, 9000), st.integers(300, 9000)).map(
    lambda b: box(b[0], b[1], b[0] + b[2], b[1] + b[3])
)
asked_rules = st.sampled_from([r["id"] for r in RULES])


@settings(max_examples=15)
@given(asked_rules, boxes)
def test_an_override_that_it_does_not_hold_never_shrinks_candidate_land(ready, rule_, land):
    before, _ = candidates(ready)
    after, _ = candidates(ready, (one(rule_, **OFF, case="c"), land))
    assert (after | ~before).all()


@settings(max_examples=15)
@given(asked_rules, boxes)
def test_an_override_that_it_holds_never_grows_candidate_land(ready, rule_, land):
    before, _ = candidates(ready)
    after, _ = candidates(ready, (one(rule_, **ON), land))
    assert (before | ~after).all()


@settings(max_examples=15)
@given(asked_rules, boxes)
def test_a_dispute_makes_nothing_clear(ready, rule_, land):
    _, before = candidates(ready)
    _, after = candidates(ready, (one(rule_, decision="dispute"), land))
    assert not ((after == CLEAR) & (before != CLEAR)).any()
    if rule_ in ("towns-law", "nation"):
        assert (after == before).all()


@settings(max_examples=15)
@given(asked_rules, boxes, boxes)
def test_accepting_undoes_what_was_decided_before(ready, rule_, land, other):
    _, before = candidates(ready)
    both = shapely.union_all([land, other])
    _, after = candidates(
        ready, (one(rule_, **OFF, case="c"), land), (one(rule_, decision="accept"), both)
    )
    assert (after == before).all()
