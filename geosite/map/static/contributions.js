/* What each criterion contributes to a site's score: the same shares as Python's `suitability.contributions`. */
geosite.contributions = (function () {
  "use strict";
  /** What contributions add up to, by rule: the score, its logarithm (as factors), or nothing. */
  const ADDS = {
    weighted_sum: "sum", minimum: "sum", maximum: "sum", owa: "sum",
    geometric_mean: "logarithm", evidence_gated: "logarithm",
    topsis: "none", fuzzy_gamma: "none",
  };

  /**
   * Parts of one site's score.
   *
   * `x` holds a score 0–1 a criterion, NaN where it is not known; `weights` any weights of a sum
   * above zero; `missing` what an unknown score means. The answer has `adds`, `shares` (the
   * weight that each criterion really has here) and `parts` (NaN where there is none).
   */
  function of(x, weights, rule, ids, missing) {
    const adds = ADDS[rule.kind] || "none";
    const assumed = x.map((v) => (Number.isNaN(v) ? ({ worst: 0, best: 1 })[missing] ?? NaN : v));
    const none = x.map(() => NaN);
    // Where nothing stands in for an unknown score, weights stay as they are and the sum is unknown.
    const lost = missing === "unknown" && assumed.some(Number.isNaN);
    const scaled = (w) => (lost ? w.map((v) => v / w.reduce((a, b) => a + b, 0)) : sharesOf(assumed, w));
    if (adds === "none") return { adds, shares: none, parts: none };
    if (rule.kind === "weighted_sum") {
      const shares = scaled(weights);
      return { adds, shares, parts: assumed.map((v, k) => part(shares[k], v)) };
    }
    if (adds === "sum") {
      if (lost) return { adds, shares: none, parts: none };
      const shares = ordered(assumed, orderWeights(rule, x.length));
      return { adds, shares, parts: assumed.map((v, k) => part(shares[k], v)) };
    }
    const floor = rule.floor || 0.001;
    if (rule.kind === "geometric_mean") {
      const shares = scaled(weights);
      return { adds, shares, parts: assumed.map((v, k) => part(shares[k], Math.log(Math.max(v, floor)))) };
    }
    const e = Math.max(0, ids.indexOf(rule.evidence || "evidence"));
    const found = gated(assumed, weights, e, floor);
    // Access is one sum of all that is not evidence: a lost part loses it whole.
    if (lost && assumed.some((v, k) => k !== e && Number.isNaN(v))) found.parts = found.parts.map((p, k) => (k === e ? p : NaN));
    return { adds, ...found };
  }

  /** A share of a value; NaN where the value is not known. */
  function part(share, value) {
    return Number.isNaN(value) ? NaN : share * value;
  }

  /** Weights scaled to one over the criteria that are known. */
  function sharesOf(x, weights) {
    const known = x.map((v, k) => (Number.isNaN(v) ? 0 : weights[k]));
    const sum = known.reduce((a, b) => a + b, 0);
    return known.map((w) => (sum > 0 ? w / sum : 0));
  }

  function orderWeights(rule, m) {
    if (rule.kind === "owa") return rule.order_weights;
    return Array.from({ length: m }, (_, k) => Number(k === (rule.kind === "minimum" ? m - 1 : 0)));
  }

  /** The order weight that each score has at its place; order weights are stretched over what is known, scores that tie share theirs. */
  function ordered(x, v) {
    const known = x.filter((s) => !Number.isNaN(s)).length;
    const whole = v.reduce((a, b) => a + b, 0);
    const sums = [0];
    for (const w of v) sums.push(sums.at(-1) + w / whole);
    const upTo = (place) => {
      const at = (Math.min(place / Math.max(known, 1), 1)) * v.length;
      const low = Math.min(Math.floor(at), v.length - 1);
      return sums[low] + (at - low) * (sums[low + 1] - sums[low]);
    };
    return x.map((s) => {
      if (Number.isNaN(s)) return 0;
      const above = x.filter((o) => o > s).length, tied = x.filter((o) => o === s).length;
      return (upTo(above + tied) - upTo(above)) / tied;
    });
  }

  /** Evidence bears its own factor; of what access loses each criterion bears the share that it causes. */
  function gated(x, weights, e, floor) {
    const total = weights.reduce((a, b) => a + b, 0);
    const we = weights.length > 1 ? weights[e] / total : 1;
    const others = sharesOf(x.map((v, k) => (k === e ? NaN : v)), weights);
    const loss = x.map((v, k) => (k === e || Number.isNaN(v) ? 0 : others[k] * (1 - v)));
    const lost = loss.reduce((a, b) => a + b, 0);
    const log = Math.log(Math.max(1 - lost, floor));
    const parts = x.map((v, k) => {
      if (Number.isNaN(v)) return NaN;
      if (k === e) return we * Math.log(Math.max(v, floor));
      return lost > 0 ? (loss[k] / lost) * (1 - we) * log : 0;
    });
    return { shares: others.map((s, k) => (k === e ? we : s * (1 - we))), parts };
  }

  return { of, ADDS };
})();
