"""What a run says of its rules: run.json, CITATIONS.md, plan and explain tell the same."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from geosite.capacity import layout
from geosite.catalog import open_rulebook, open_scenario
from geosite.engine import Engine
from geosite.errors import CatalogError
from geosite.explain import explain_site, explain_spot
from geosite.model.rule import LocalRules
from geosite.question import asked, differences, hash_of
from geosite.references import dangling
from geosite.report import plan_text
from geosite.report.text import markdown
from geosite.run_shape import misshapen
from geosite.runs import content, execute, open_run
from tests.strategies import rule
from tests.worlds import copied, lonlat, shared_hamlet

RAIL = {"layer": "infrastructure/rail", "who_can_act": "the project", "evidence": "confirmed"}
OWN = (
    rule(
        "noise",
        {"tier": "exclude", "setback": "1 km"},
        **RAIL,
        note="A matter of taste.",
        disposal="locatable",
    ),
    rule("dust", {"tier": "flag", "setback": "2 km"}, **RAIL, valid_to="2026-06-30"),
    rule("old", {"tier": "exclude"}, **RAIL, valid_to="2020-01-01", citation="an order of 1999"),
    rule("moot", {"tier": "exclude", "setback": "9 km"}, **RAIL, citation="a promise"),
    rule(
        "variance",
        {"tier": "include", "lifts": ["noise"]},
        layer="land/blm",
        where="name = 'West Tract'",
        citation="variance 7",
    ),
)
LINES = [
    (
        "dust: project override (avoid 0.5 within 2 km: measured in 2025) before generic "
        "(flag within 2 km)"
    ),
    (
        "noise: project local land/dod where name = 'Fort Toy' (3 km, base order 3) before "
        "generic (1 km)"
    ),
    "variance: lifts noise",
    (
        "rules that speak of locatable minerals are asked of all land; of the commodities "
        "metallurgical-coal, phosphate, potash are leased: noise"
    ),
]


def ask(hamlet, *own, **keys):
    hamlet.ask(
        own_rules=[one.model_dump(mode="json", by_alias=True, exclude_none=True) for one in own],
        **keys,
    )


@pytest.fixture(scope="module")
def village(tmp_path_factory):
    hamlet = copied(shared_hamlet(tmp_path_factory), tmp_path_factory.mktemp("rules") / "here")
    ask(
        hamlet,
        *OWN,
        overrides=[
            {
                "rule": "dust",
                "treatment": {"tier": "avoid", "factor": "0.5", "setback": "2 km"},
                "basis": "measured in 2025",
            },
            {"rule": "moot", "basis": "withdrawn by the project"},
        ],
        local=[
            {
                "rule": "noise",
                "inside": "land/dod",
                "where": "name = 'Fort Toy'",
                "setback": "3 km",
                "citation": "base order 3",
            }
        ],
    )
    return hamlet


@pytest.fixture(scope="module")
def planned(village):
    return village.plan()


@pytest.fixture(scope="module")
def run(village, planned):
    return open_run(execute(planned, village.outputs, drawn=False).path)


@pytest.fixture(scope="module")
def cited(run):
    return (run.path / "CITATIONS.md").read_text(encoding="utf-8")


def test_the_plan_prints_whose_voice_is_heard(planned):
    assert list(planned.order) == LINES
    text = plan_text(planned, layout(planned, Engine()))
    for line in LINES:
        assert f"\n  {line}\n" in text
    assert "not asked moot: project override: withdrawn by the project" in text
    assert "not asked old: not in force on 2026-01-02" in text
    assert "goes stale next: rule dust holds until 2026-06-30" in text


def test_a_plan_of_generic_rules_prints_no_order(hamlet):
    found = hamlet.plan()
    assert "whose voice" not in plan_text(found, layout(found, Engine()))


def test_run_json_says_what_was_resolved(run, planned):
    said = run.manifest
    assert misshapen(said) == []
    assert said["resolution"] == LINES
    rules = {r["id"]: r for r in said["rules"]}
    assert list(rules) == [r.id for r in planned.rules]
    noise, dust, variance = rules["noise"], rules["dust"], rules["variance"]
    assert (noise["who_can_act"], noise["sovereign"], noise["disposal"]) == (
        "the project",
        False,
        "locatable",
    )
    (local,) = noise["local"]
    assert (local["place"], local["instead"]) == ("land/dod where name = 'Fort Toy'", "3 km")
    assert local["citation"] == "base order 3"
    assert dust["tier"] == dust["treatment"]["tier"] == "avoid"
    assert dust["override"] == {
        "basis": "measured in 2025",
        "case": None,
        "instead": "avoid 0.5 within 2 km",
        "of": "flag within 2 km",
    }
    assert (dust["valid_from"], dust["valid_to"]) == (None, "2026-06-30")
    assert variance["lifts"] == ["noise"]
    assert noise["removed_ha"] > 0
    assert "removed_ha" not in dust
    assert {x["id"]: x["citation"] for x in said["unasked"]} == {
        "old": "an order of 1999",
        "moot": "a promise",
    }
    assert said["rules_not_asked"] == {x["id"]: x["reason"] for x in said["unasked"]}


def test_citations_hold_every_rule_with_its_source_and_mark(run, cited):
    rows = [line for line in cited.splitlines() if line.startswith("| ")]
    for r in run.manifest["rules"]:
        (row,) = [
            x for x in rows if x.startswith(f"| {markdown(r['id'])} | {markdown(r['title'])}")
        ]
        for words in (r["authority"], r["citation"], r["evidence"]):
            assert markdown(words) in row
        assert ("practice, not law" in row) == (r["authority"] == "practice")
    (noise,) = [x for x in rows if x.startswith("| noise | noise |")]
    assert "practice, not law; A matter of taste." in noise
    assert "the project" in noise
    (dust,) = [x for x in rows if x.startswith("| dust | dust |")]
    assert f"until {markdown('2026-06-30')}" in dust


def test_citations_hold_local_rules_decisions_and_what_was_not_asked(cited):
    for line in LINES:
        assert f"* {markdown(line)}" in cited
    for words in ("base order 3", "measured in 2025", "an order of 1999", "not in force on"):
        assert markdown(words) in cited
    _, _, rest = cited.partition("## Rules that were not asked")
    assert "| moot | moot | a promise | confirmed | project override: withdrawn by" in rest


def test_a_spot_tells_the_voice_and_what_lifts(run):
    west = explain_spot(run, *lonlat(4000, 1800))
    east = explain_spot(run, *lonlat(8000, 3400))
    assert west.splitlines()[0].endswith("clear")
    assert east.splitlines()[0].endswith("excluded")
    for text in (west, east):
        assert "project local land/dod where name = 'Fort Toy' (3 km, base order 3) before" in text
        assert "project override (avoid 0.5 within 2 km: measured in 2025)" in text
        assert "speaks of locatable minerals only" in text
    assert "lifted here by variance [variance 7]" in west
    assert "lifted here" not in east


def test_a_site_tells_the_voice_of_the_rules_that_touch_it(run):
    touched = run.sites[run.sites["rules_avoid"].str.contains("dust")]
    assert "project override (avoid" in explain_site(run, touched["site_id"].iloc[0])


def test_a_run_of_before_opens_and_is_cited_as_it_was(village, run):
    path = run.path / "run.json"
    said = json.loads(path.read_text(encoding="utf-8"))
    for key in ("resolution", "unasked", "no_land"):
        del said[key]
    for r in said["rules"]:
        for key in ("lifts", "local", "override", "who_can_act", "sovereign", "valid_to"):
            r.pop(key, None)
    assert misshapen(said) == []
    older = type(run)(run.path, said)
    assert content(older).resolution == ()
    assert "lifted here" not in explain_spot(older, *lonlat(4000, 1800))


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (("resolution",), "noise"),
        (("unasked", 0, "reason"), None),
        (("rules", 0, "sovereign"), "no"),
    ],
)
def test_a_damaged_record_is_found(run, where, value):
    said = json.loads(json.dumps(run.manifest))
    *way, last = where
    node = said
    for step in way:
        node = node[step]
    node[last] = value
    assert len(misshapen(said)) == 1


def test_another_local_rule_of_the_rulebook_is_another_question(hamlet):
    # The scenario is the same: what the rulebook says of the place has changed under it.
    ask(hamlet, OWN[0])
    book = open_rulebook()
    entry = {"rule": "noise", "inside": "land/dod", "setback": "3 km", "citation": "code"}
    plain = asked(hamlet.plan())
    local = [
        asked(hamlet.plan(rulebook=replace(book, local=LocalRules.model_validate({"local": [x]}))))
        for x in (entry, entry | {"setback": "4 km"})
    ]
    assert len({hash_of(q) for q in (plain, *local)}) == 3
    assert differences(plain, local[0]) == ["the local rules have changed"]
    assert differences(*local) == ["the local rules have changed"]


# ── no land is left ───────────────────────────────────────────────────────────────────────────
def test_a_rule_that_leaves_no_land_is_told_in_the_run_and_at_its_end(hamlet):
    ask(hamlet, rule("everything", layer="land/blm"))
    result = hamlet.cli("run", "--no-map")
    assert result.exit_code == 0
    line = "rule everything excludes all offered land by itself"
    assert line in result.stderr
    found = open_run(type(hamlet.root)(result.stdout.strip()))
    assert found.manifest["no_land"] == [line]
    assert line in found.manifest["notes"]
    assert line in (found.path / "README.md").read_text(encoding="utf-8")
    assert found.sites.empty


def test_rules_that_leave_no_land_together_are_told(hamlet):
    halves = [
        rule(f"half-{name[0].lower()}", layer="land/blm", where=f"name = '{name}'")
        for name in ("West Tract", "East Tract")
    ]
    ask(hamlet, *halves)
    said = execute(hamlet.plan(), hamlet.outputs, drawn=False).manifest
    assert said["no_land"] == ["no rule alone, but together the rules leave no land"]


def test_land_that_is_left_is_no_news(run):
    assert run.manifest["no_land"] == []


# ── what is not the scenario's to decide ──────────────────────────────────────────────────────
@pytest.mark.parametrize("verb", ["check", "plan", "run"])
def test_every_verb_refuses_what_oversteps_all_at_once(hamlet, verb):
    # A layer of claims stands in the catalogue of the hamlet for no other reason.
    ask(
        hamlet,
        rule("mercy", {"tier": "include", "lifts": ["tribal-land"]}, layer="land/mining_claims"),
        overrides=[{"rule": "military-land-not-for-mines", "basis": "we would like to"}],
    )
    result = hamlet.cli(verb)
    assert result.exit_code == 1
    said = " ".join(result.stderr.split())
    assert "rule military-land-not-for-mines rests on a statute: not asked is weaker" in said
    assert "land/mining_claims shows claims, and a claim lifts no withdrawal" in said
    assert "lifts: rule tribal-land" in said
    assert not any(hamlet.outputs.glob("hamlet/*.partial"))


def test_the_presets_overstep_nothing(hamlet):
    scenario = open_scenario(str(hamlet.scenario))
    assert dangling(scenario, open_rulebook()) == []
    ask(hamlet, overrides=[{"rule": "tribal-land", "basis": "x"}])
    with pytest.raises(CatalogError, match="rule tribal-land"):
        hamlet.plan()
