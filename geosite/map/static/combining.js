/* Combination rules in words, and by what a ranking was made. */
geosite.combining = (function () {
  "use strict";
  const RULES = {
    weighted_sum: ["Weighted sum", "A good score on one criterion makes up for a poor one on another, by their weights."],
    geometric_mean: ["Weighted geometric mean", "A poor score weighs more than in a sum; a score of nothing nearly ends it."],
    evidence_gated: ["Evidence × access", "Evidence multiplies the weighted sum of all the rest: no road makes up for missing ore."],
    minimum: ["Minimum", "A site is as good as its worst side."],
    maximum: ["Maximum", "A site is as good as its best side."],
    owa: ["Ordered weighted average", "Weights go to a site's scores from its best to its worst, whichever criteria they are of."],
    topsis: ["TOPSIS", "How near a site is to the best, and how far from the worst, of the sites that are ranked."],
    fuzzy_gamma: ["Fuzzy gamma", "Between the fuzzy sum and the fuzzy product of all scores."],
  };
  const UNWEIGHTED = new Set(["minimum", "maximum", "owa", "fuzzy_gamma"]);
  const PARAMETER = { geometric_mean: "floor", evidence_gated: "evidence", owa: "order_weights", fuzzy_gamma: "gamma" };

  /** Name of a rule: the run's own words for it, with its parameters, where it has some. */
  function title(rule) {
    if (rule.title) return rule.title.charAt(0).toUpperCase() + rule.title.slice(1);
    return Object.hasOwn(RULES, rule.kind) ? RULES[rule.kind][0] : String(rule.kind);
  }
  const line = (rule) => (Object.hasOwn(RULES, rule.kind) ? RULES[rule.kind][1] : "");
  const isWeighted = (rule) => !UNWEIGHTED.has(rule.kind);

  /** Rules that a reader may choose, the run's own first: `{rule, title}`. */
  function choices(data) {
    const found = [{ rule: data.rule, title: "The run’s: " + title(data.rule) }];
    for (const rule of data.rules) if (rule.kind !== data.rule.kind) found.push({ rule, title: title(rule) });
    return found;
  }

  /** A rule as the command line takes it: `owa:3,2,1`. */
  function written(rule) {
    const value = rule[PARAMETER[rule.kind]];
    return rule.kind + (value === undefined ? "" : ":" + [value].flat().join(","));
  }

  /** Whose ranking it is, by which rule and weights, as it goes with every table and picture. */
  function rankedBy(app) {
    const { weights, rule } = app.state;
    const whose = app.isStated() ? "the run's ranking" : "re-weighted by the reader: not the run's ranking";
    const each = app.data.criteria.map((c, k) => c.id + "=" + (weights[k] / 10).toFixed(1)).join(",");
    return whose + "; rule " + written(rule) + "; weights " + each + (isWeighted(rule) ? "" : " (the rule uses none)");
  }

  return { title, line, isWeighted, choices, rankedBy };
})();
