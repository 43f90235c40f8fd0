/* A site's score as bars: what each criterion contributes to it, under the weights of the moment. */
geosite.bars = (function () {
  "use strict";
  const { el } = geosite.dom;
  const SAID = {
    sum: "The filled parts add up to the score. A bar is as long as the weight that the criterion has here, and filled as far as its score.",
    logarithm: "Each criterion multiplies the score by the factor beside it, and the factors multiply to the score. The longer a bar, the more the criterion lowers the score.",
    none: "This rule is no sum of single criteria, so the bars show the score of each.",
    minimum: "The criterion of the lowest score decides alone.",
    maximum: "The criterion of the highest score decides alone.",
    owa: "Weights go by the order of the scores, not by criterion. The filled parts add up to the score.",
  };

  /** The bars of a site as a table: criterion, bar, contribution. */
  function bars(app, i) {
    const { criteria, sites, missing } = app.data;
    const { weights, rule, ranking } = app.state;
    const x = criteria.map((_, k) => (sites.scores[k][i] < 0 ? NaN : sites.scores[k][i] / 10000));
    const { adds, shares, parts } = geosite.contributions.of(x, weights, rule, criteria.map((c) => c.id), missing);
    const total = weights.reduce((a, b) => a + b, 0) || 1;
    const longest = Math.max(1e-9, ...weights.map((w) => w / total), ...shares.filter((s) => !Number.isNaN(s)));
    const deepest = Math.max(1e-9, ...parts.filter((p) => !Number.isNaN(p)).map(Math.abs));
    const order = criteria.map((_, k) => k).sort((a, b) => weights[b] - weights[a] || a - b);

    const rows = order.map((k) => {
      const weight = weights[k] / total, known = !Number.isNaN(x[k]);
      const long = adds === "sum" ? (known ? shares[k] : weight) / longest : 1;
      const filled = { sum: x[k], logarithm: Math.abs(parts[k]) / deepest, none: x[k] }[adds];
      const track = el("div", { class: "gs-bar-track", style: `width:${100 * long}%` });
      if (known && !Number.isNaN(filled)) track.appendChild(el("div", { class: "gs-bar-fill", style: `width:${100 * Math.min(1, filled)}%` }));
      return el("tr", { class: known ? "gs-bar" : "gs-bar gs-bar-unknown" },
        el("th", { scope: "row" }, criteria[k].title,
          el("span", { class: "gs-small" }, `weight ${(100 * weight).toFixed(1)} % · score ${known ? x[k].toFixed(2) : "unknown"}`)),
        el("td", { class: "gs-bar-cell", "aria-hidden": "true" }, track),
        el("td", { class: "gs-bar-value" }, known ? said(adds, x[k], parts[k]) : "unknown"));
    });
    const words = [SAID[rule.kind] || SAID[adds]];
    if (x.some(Number.isNaN)) words.push(unknownWords(missing));
    return [
      el("table", { class: adds === "logarithm" ? "gs-bars gs-bars-losses" : "gs-bars" },
        el("caption", {}, "What the score is made of"),
        el("colgroup", {}, ...["56%", "25%", "19%"].map((width) => el("col", { style: `width:${width}` }))),
        el("thead", { class: "gs-unseen" }, el("tr", {}, ...["Criterion", "Bar", adds === "logarithm" ? "Factor" : adds === "sum" ? "Part" : "Score"].map((t) => el("th", { scope: "col" }, t)))),
        el("tbody", {}, ...rows),
        adds === "none" ? null : el("tfoot", {}, totalRow(adds, parts, ranking.score[i]))),
      el("p", { class: "gs-small" }, words.join(" ")),
    ];
  }

  function said(adds, score, part) {
    if (adds === "none") return score.toFixed(2);
    if (Number.isNaN(part)) return "–";
    return adds === "sum" ? part.toFixed(3) : "× " + Math.exp(part).toFixed(3);
  }

  function totalRow(adds, parts, score) {
    const known = parts.filter((p) => !Number.isNaN(p));
    const sum = known.reduce((a, b) => a + b, 0);
    const value = Number.isNaN(score) || !known.length ? "unknown" : (adds === "sum" ? sum : Math.exp(sum)).toFixed(3);
    return el("tr", {}, el("th", { scope: "row" }, adds === "sum" ? "Together" : "Multiplied"), el("td", {}), el("td", { class: "gs-bar-value gs-bar-total" }, value));
  }

  function unknownWords(missing) {
    return {
      renormalise: "What is hatched could not be measured; the other weights share its weight.",
      worst: "What is hatched could not be measured and counts as the worst score.",
      best: "What is hatched could not be measured and counts as the best score.",
      unknown: "What is hatched could not be measured, so the score is not known.",
    }[missing] || "What is hatched could not be measured.";
  }

  return bars;
})();
