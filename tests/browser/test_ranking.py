"""The page ranks as Python does: other weights, every rule, every way to take what is not known."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from geosite.errors import CatalogError
from geosite.map.page import write_map
from geosite.matrix import Matrix, stepped
from geosite.model.combination import (
    EvidenceGated,
    FuzzyGamma,
    GeometricMean,
    Maximum,
    Minimum,
    OrderedWeights,
    Topsis,
    WeightedSum,
)
from geosite.reranking import Cuts, Saved, ranked_again
from geosite.runs import content, open_run
from geosite.suitability import SCORE_STEPS, logarithms
from geosite.weighting import per_mille
from tests.worlds import cli, shared_demo

pytestmark = pytest.mark.browser

STATIC = Path(__file__).resolve().parents[2] / "geosite/map/static"
IDS = ("rail", "evidence", "water", "power", "slope")
SITES = 80
WEIGHTINGS = 190
"""Of each rule and policy: 8 × 4 × 190 are 6,080, less those that a rule refuses."""
RULES = (
    WeightedSum(kind="weighted_sum"),
    GeometricMean(kind="geometric_mean"),
    EvidenceGated(kind="evidence_gated"),
    Minimum(kind="minimum"),
    Maximum(kind="maximum"),
    OrderedWeights(kind="owa", order_weights=(1, 0, 3, 2.5, 0.1)),
    FuzzyGamma(kind="fuzzy_gamma", gamma=0.8),
    Topsis(kind="topsis"),
)
POLICIES = ("renormalise", "worst", "best", "unknown")
RANK = """({matrix, weightings, rule}) => weightings.map((weights) => {
  matrix.scores = matrix.scores.map((row) => Int32Array.from(row));
  const found = geosite.ranking.rank(matrix, weights, rule);
  return {
    score: Array.from(found.score, (s) => (Number.isNaN(s) ? null : s)),
    rank: Array.from(found.rank),
    order: Array.from(found.order),
    misfit: geosite.ranking.misfit(rule, weights, matrix.ids),
  };
})"""


@pytest.fixture
def page(tab):
    tab.goto("about:blank")
    for name in ("dom.js", "ranking.js"):
        tab.add_script_tag(content=(STATIC / name).read_text(encoding="utf-8"))
    yield tab
    assert tab.faults == []


def saved(seed, rule, missing):
    """A ranking of sites with gaps, twins, and others that tie under like weights."""
    rng = np.random.default_rng(seed)
    shape = (len(IDS), SITES)
    effective = np.where(rng.random(SITES) < 0.6, rng.integers(0, 6, shape) / 5, rng.random(shape))
    twin = rng.integers(0, SITES, SITES // 4)
    effective[:, : len(twin)] = rng.permuted(effective[:, twin], axis=0)
    effective[:, -len(twin) :] = effective[:, twin]
    known = rng.choice([0.0, 0.3, 0.75, 1, 1, 1, 1, 1], shape)
    effective[known == 0] = np.nan
    names = tuple(f"BLM-W{n}N{rng.integers(10, 99)}" for n in rng.permutation(10 * SITES)[:SITES])
    return Saved(
        path=Path(),
        matrix=Matrix(IDS, stepped(effective), known),
        titles=IDS,
        weights=np.ones(len(IDS)),
        combination=rule,
        missing=missing,
        cuts=Cuts(0.7, 0.4, 0.5),
        sites=names,
        names=names,
        tier=("A",) * SITES,
        rank=np.arange(1.0, SITES + 1),
        flawed=np.zeros(SITES, bool),
        notice="",
    )


def weightings(seed, count=WEIGHTINGS):
    rng = np.random.default_rng(seed)
    found = [np.full(len(IDS), 200.0)]
    while len(found) < count:
        w = rng.choice([0, 1, 2, 3, 10], len(IDS)) if rng.random() < 0.4 else rng.random(len(IDS))
        if w.any():
            found.append(per_mille(w))
    return np.array(found)


def sent(ranking):
    """The matrix as the page's data block has it."""
    steps = np.rint(ranking.matrix.scores(ranking.missing) * SCORE_STEPS)
    return {
        "n": SITES,
        "ids": list(IDS),
        "scores": np.where(np.isnan(steps), -1, steps).astype(int).tolist(),
        "missing": ranking.missing,
        "byId": np.argsort(np.array(ranking.sites)).tolist(),
    }


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.kind)
def test_random_weightings_give_the_order_that_python_gives(rule, page):
    for seed, missing in enumerate(POLICIES):
        ranking = saved(seed, rule, missing)
        drawn = weightings(seed)
        if rule.kind == "owa":
            drawn = drawn[(drawn > 0).all(axis=1)]
        asked = {"matrix": sent(ranking), "weightings": drawn.tolist()}
        found = page.evaluate(RANK, asked | {"rule": rule.model_dump(mode="json")})
        for weights, mine in zip(drawn, found, strict=True):
            try:
                wanted = ranked_again(ranking, weights)
            except CatalogError:
                assert mine["misfit"]
                assert mine["score"] == [None] * SITES
                continue
            assert not mine["misfit"]
            assert mine["order"] == wanted.order.tolist(), (missing, weights)
            assert mine["rank"] == np.nan_to_num(wanted.rank).astype(int).tolist()
            np.testing.assert_allclose(
                np.array(mine["score"], float), wanted.found.suitability, rtol=0, atol=1e-13
            )


def test_one_criterion_and_no_site_are_ranked_too(page):
    for rule, missing in product(RULES, POLICIES):
        ranking = saved(3, rule, missing)
        weights = np.array([0.0, 1000, 0, 0, 0])
        own = rule.model_copy(update={"order_weights": (2.0,)}) if rule.kind == "owa" else rule
        asked = {"matrix": sent(ranking), "weightings": [weights.tolist()]}
        asked["rule"] = own.model_dump(mode="json")
        (found,) = page.evaluate(RANK, asked)
        assert found["order"] == ranked_again(ranking, weights, own).order.tolist()
        asked["matrix"] |= {"n": 0, "scores": [[]] * len(IDS), "byId": []}
        assert page.evaluate(RANK, asked)[0]["order"] == []


def test_logarithms_of_scores_are_those_of_python(page):
    wanted = logarithms(np.arange(SCORE_STEPS + 1) / SCORE_STEPS, exact=True)
    found = page.evaluate("() => Array.from(geosite.ranking.logs().slice(1))")
    assert page.evaluate("() => geosite.ranking.logs()[0] === -Infinity")
    assert found == wanted[1:].tolist()


def test_weights_are_rounded_as_python_rounds_them(page):
    rng = np.random.default_rng(5)
    drawn = [rng.random(rng.integers(1, 13)) ** rng.integers(1, 20) for _ in range(600)]
    drawn += [rng.integers(0, 4, 7).astype(float) + np.eye(7)[0] for _ in range(200)]
    found = page.evaluate("(all) => all.map(geosite.ranking.perMille)", [w.tolist() for w in drawn])
    assert found == [per_mille(w).tolist() for w in drawn]


# ── a run ─────────────────────────────────────────────────────────────────────────────────────
@pytest.fixture(scope="module")
def run(tmp_path_factory):
    world = shared_demo(tmp_path_factory)
    path = next(p.parent for p in sorted(world.folder.parent.rglob("mine-open-pit/*/run.json")))
    return open_run(path)


@pytest.fixture
def opened(run, tab, tmp_path):
    write_map(content(run), tmp_path / "map.html")
    tab.goto((tmp_path / "map.html").as_uri())
    tab.wait_for_selector("html[data-geosite=ready]", state="attached")
    return tab


RANKS = """() => Array.from(geosite.current.state.ranking.rank)"""


def test_a_run_opens_with_its_own_ranks_and_returns_to_them(opened, run):
    stated = run.sites["rank"].fillna(0).astype(int).tolist()
    assert opened.evaluate(RANKS) == stated
    # Not only remembered: its weights and its rule give them.
    again = """() => {
      const { matrix, stated } = geosite.current;
      return Array.from(geosite.ranking.rank(matrix, stated.weights, stated.rule).rank);
    }"""
    assert opened.evaluate(again) == stated
    opened.evaluate(
        "() => geosite.current.choose(geosite.current.stated.weights.map((_, k) => (k ? 0 : 1000)))"
    )
    opened.evaluate("() => geosite.current.choose(geosite.current.stated.weights)")
    assert opened.evaluate("() => geosite.current.isStated()")
    assert opened.evaluate(RANKS) == stated


def test_the_verb_and_the_page_put_a_run_in_one_order(opened, run, tmp_path):
    data = opened.evaluate(
        "() => ({criteria: geosite.current.data.criteria, rules: geosite.current.data.rules})"
    )
    ids = [c["id"] for c in data["criteria"]]
    assert sum(c["weight"] for c in data["criteria"]) == 1000
    rng = np.random.default_rng(11)
    for rule in data["rules"]:
        weights = per_mille(rng.random(len(ids)))
        out = tmp_path / f"{rule['kind']}.csv"
        words = ",".join(f"{i}={w:.0f}" for i, w in zip(ids, weights, strict=True))
        done = cli("rank", run.path, "--weights", words, "--rule", rule["kind"], "--out", out)
        assert done.exit_code == 0, done.output
        opened.evaluate(
            "([weights, rule]) => geosite.current.choose(weights, rule)", [weights.tolist(), rule]
        )
        found = opened.evaluate(
            """() => {
              const { state, data } = geosite.current;
              return Array.from(state.ranking.order, (i) => data.sites.site_id[i]);
            }"""
        )
        assert found == pd.read_csv(out)["site_id"].tolist()
