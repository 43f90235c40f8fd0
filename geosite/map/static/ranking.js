/* Scores and ranks under given weights: Python's own (geosite.matrix, geosite.suitability), to the last rank.
 *
 * Scores are whole ten-thousandths and weights whole, so that every weighted sum is one of whole
 * numbers and is divided once. Logarithms are taken in whole steps of 1e-10 for the same reason.
 * What is left to a mathematical library (exp, pow) may differ in its last digit, and is rounded
 * away: ranks go by suitability to nine decimals, then by site id. Sums go criterion by criterion,
 * in the order of the criteria, as Python's do.
 */
geosite.ranking = (function () {
  "use strict";
  const SCORES = 10000;
  const LOGS = 1e10;
  const KEYS = 1e9;
  const EVEN = 4503599627370496;
  const UNWEIGHTED = ["minimum", "maximum", "owa", "fuzzy_gamma"];

  /** The nearest whole number, halves to the even one, as numpy rounds (Math.round takes them up). */
  const nearest = (x) => (x < 0 ? -(-x + EVEN - EVEN) : x + EVEN - EVEN);

  let table = null;
  /** Logarithm of each score, in steps. */
  function logs() {
    if (table) return table;
    table = new Float64Array(SCORES + 1).fill(-Infinity);
    for (let q = 1; q <= SCORES; q++) table[q] = nearest(Math.log(q / SCORES) * LOGS);
    return table;
  }

  /** Weighted means, `whole` times too large before; `of` says what a score of so many steps counts as. */
  function means(rows, weights, n, missing, whole, of, worst, best) {
    const total = new Float64Array(n);
    const known = new Float64Array(n);
    const lost = missing === "worst" ? worst : missing === "best" ? best : NaN;
    for (let k = 0; k < rows.length; k++) {
      const row = rows[k], w = weights[k];
      for (let i = 0; i < n; i++) {
        const q = row[i];
        if (q >= 0) total[i] += w * (of ? of[q] : q);
        else if (missing === "renormalise") continue;
        else total[i] += w * lost;
        known[i] += w;
      }
    }
    for (let i = 0; i < n; i++) total[i] = known[i] > 0 ? total[i] / (known[i] * whole) : NaN;
    return total;
  }

  const ones = (rows) => rows.map(() => 1);
  const sum = (values) => values.reduce((a, b) => a + b, 0);
  /** What an unknown score counts as where a rule fills gaps, in steps; NaN where it does not. */
  const filling = (missing) => (missing === "worst" ? 0 : missing === "best" ? SCORES : NaN);

  /** The worst or the best score of each site. */
  function extreme(rows, n, missing, less) {
    const found = new Float64Array(n).fill(NaN);
    const filled = filling(missing);
    for (let i = 0; i < n; i++) {
      let held = NaN;
      for (const row of rows) {
        const q = row[i] >= 0 ? row[i] : filled;
        if (Number.isNaN(q)) {
          if (missing === "renormalise") continue;
          held = NaN;
          break;
        }
        if (Number.isNaN(held) || (less ? q < held : q > held)) held = q;
      }
      found[i] = held / SCORES;
    }
    return found;
  }

  function gated(rows, weights, n, missing, e) {
    const lost = filling(missing) / SCORES;
    const evidence = Float64Array.from(rows[e], (q) => (q >= 0 ? q / SCORES : lost));
    const other = (_, k) => k !== e;
    const rest = rows.filter(other);
    if (!rest.length) return evidence;
    const access = means(rest, weights.filter(other), n, missing, SCORES, null, 0, SCORES);
    const share = weights[e] / sum(weights);
    for (let i = 0; i < n; i++) evidence[i] = Math.pow(evidence[i], share) * Math.pow(access[i], 1 - share);
    return evidence;
  }

  /** Ordered weighted average; scores that tie share the weights of their places. */
  function ordered(rows, n, missing, orderWeights) {
    const m = rows.length;
    const sums = [0];
    for (const v of orderWeights) sums.push(sums.at(-1) + v);
    const whole = sums.at(-1);
    const at = [...sums.map((s) => s / whole), 1];
    // With `count` scores known, the order weights are stretched over them.
    const stretched = [null];
    for (let count = 1; count <= m; count++) {
      const row = [];
      for (let k = 0; k <= count; k++) {
        const j = Math.floor((k * m) / count);
        row.push(at[j] + (at[j + 1] - at[j]) * ((k * m - j * count) / count));
      }
      stretched.push(row);
    }
    const filled = filling(missing);
    const found = new Float64Array(n).fill(NaN);
    for (let i = 0; i < n; i++) {
      const values = rows.map((row) => (row[i] >= 0 ? row[i] : filled));
      const count = values.filter((q) => !Number.isNaN(q)).length;
      if (!count || (missing === "unknown" && count < m)) continue;
      let total = 0, shares = 0;
      for (const x of values) {
        if (Number.isNaN(x)) continue;
        let above = 0, tied = 0;
        for (const other of values) {
          if (other > x) above++;
          else if (other === x) tied++;
        }
        const share = (stretched[count][above + tied] - stretched[count][above]) / tied;
        total += share * (x / SCORES);
        shares += share;
      }
      found[i] = shares !== 0 ? total / shares : NaN;
    }
    return found;
  }

  function fuzzy(rows, n, missing, gamma) {
    const m = rows.length;
    const good = means(rows, ones(rows), n, missing, LOGS, logs(), -Infinity, 0);
    const bad = means(rows, ones(rows), n, missing, LOGS, logs().slice().reverse(), 0, -Infinity);
    for (let i = 0; i < n; i++) {
      const product = Math.exp(m * good[i]);
      const union = 1 - Math.exp(m * bad[i]);
      good[i] = Math.pow(union, gamma) * Math.pow(Math.min(product, union), 1 - gamma);
    }
    return good;
  }

  /** Closeness to the best and the worst of the ranked sites. */
  function closeness(rows, weights, n, missing) {
    const filled = filling(missing) / SCORES;
    const scores = rows.map((row) => Float64Array.from(row, (q) => (q >= 0 ? q / SCORES : filled)));
    if (missing === "unknown") {
      for (let i = 0; i < n; i++) if (scores.some((row) => Number.isNaN(row[i]))) for (const row of scores) row[i] = NaN;
    }
    const whole = sum(weights);
    const near = new Float64Array(n), far = new Float64Array(n), known = new Uint8Array(n);
    scores.forEach((row, k) => {
      let best = NaN, worst = NaN;
      for (const x of row) {
        if (Number.isNaN(x)) continue;
        if (!(x <= best)) best = x;
        if (!(x >= worst)) worst = x;
      }
      if (Number.isNaN(best)) return;
      const w = weights[k] / whole;
      for (let i = 0; i < n; i++) {
        if (Number.isNaN(row[i])) continue;
        const up = w * (best - row[i]), down = w * (row[i] - worst);
        far[i] += up * up;
        near[i] += down * down;
        known[i] = 1;
      }
    });
    for (let i = 0; i < n; i++) {
      const d = Math.sqrt(near[i]), rest = Math.sqrt(far[i]);
      near[i] = !known[i] ? NaN : d + rest > 0 ? d / (d + rest) : 0.5;
    }
    return near;
  }

  function scores(rows, weights, n, missing, rule, e) {
    switch (rule.kind) {
      case "weighted_sum":
        return means(rows, weights, n, missing, SCORES, null, 0, SCORES);
      case "geometric_mean":
        return means(rows, weights, n, missing, LOGS, logs(), -Infinity, 0).map(Math.exp);
      case "evidence_gated":
        return gated(rows, weights, n, missing, e);
      case "minimum":
        return extreme(rows, n, missing, true);
      case "maximum":
        return extreme(rows, n, missing, false);
      case "owa":
        return ordered(rows, n, missing, rule.order_weights.map(Number));
      case "fuzzy_gamma":
        return fuzzy(rows, n, missing, Number(rule.gamma));
      case "topsis":
        return closeness(rows, weights, n, missing);
      default:
        return new Float64Array(n).fill(NaN);
    }
  }

  /** Positions best first: by score to nine decimals, then in the order of ids; unknown ones last. */
  function sorted(score, byId) {
    // Radix sort, least digit first: stable, so that equals stay in the order of their ids.
    const n = score.length;
    const bits = 15, buckets = 1 << bits, last = 2 ** (2 * bits) - 1;
    let keys = new Uint32Array(n), otherKeys = new Uint32Array(n);
    let order = Int32Array.from(byId), other = new Int32Array(n);
    for (let i = 0; i < n; i++) {
      const s = score[order[i]];
      keys[i] = Number.isNaN(s) ? last : KEYS - nearest(Math.min(Math.max(s, 0), 1) * KEYS);
    }
    for (let pass = 0; pass < 2; pass++) {
      const begins = new Int32Array(buckets + 1), shift = pass * bits;
      for (let i = 0; i < n; i++) begins[((keys[i] >>> shift) & (buckets - 1)) + 1]++;
      for (let b = 0; b < buckets; b++) begins[b + 1] += begins[b];
      for (let i = 0; i < n; i++) {
        const to = begins[(keys[i] >>> shift) & (buckets - 1)]++;
        otherKeys[to] = keys[i];
        other[to] = order[i];
      }
      [keys, otherKeys] = [otherKeys, keys];
      [order, other] = [other, order];
    }
    return order;
  }

  /**
   * Why a rule does not fit the criteria that have a weight, in words; empty if it does.
   * `ids` are the ids of all criteria.
   */
  function misfit(rule, weights, ids) {
    const kept = ids.filter((_, k) => weights[k] > 0);
    if (!kept.length) return "no criterion has a weight";
    if (rule.kind === "owa" && rule.order_weights.length !== kept.length)
      return `${rule.order_weights.length} order weights for ${kept.length} criteria with a weight; give each criterion a weight`;
    if (rule.kind === "evidence_gated" && !kept.includes(rule.evidence))
      return `the rule needs the criterion ${rule.evidence}; give it a weight`;
    return "";
  }

  /**
   * Score, rank and order of all sites.
   *
   * matrix  {n, ids, scores: a row a criterion (whole ten-thousandths; -1 unknown), missing, byId}
   * weights one a criterion, whole, per mille; a criterion without one is left out of every rule
   * rule    {kind, …} as a scenario has it
   *
   * Gives score (NaN: unknown), rank (0: unknown) and order (unknown ones last). Where the rule does
   * not fit the criteria that are left (`misfit`), no score is known.
   */
  function rank(matrix, weights, rule) {
    const { n, missing } = matrix;
    const kept = [];
    for (let k = 0; k < weights.length; k++) if (weights[k] > 0) kept.push(k);
    const ids = matrix.ids || [];
    const fits = !misfit(rule, weights, ids.length ? ids : Array.from(weights, (_, k) => String(k)));
    const score = fits
      ? scores(kept.map((k) => matrix.scores[k]), kept.map((k) => weights[k]), n, missing, rule, kept.indexOf(ids.indexOf(rule.evidence)))
      : new Float64Array(n).fill(NaN);
    const order = sorted(score, matrix.byId);
    const ranks = new Int32Array(n);
    for (let place = 0; place < n; place++) ranks[order[place]] = Number.isNaN(score[order[place]]) ? 0 : place + 1;
    return { score, rank: ranks, order };
  }

  /** Weights in whole per mille of sum 1000, as `geosite.weighting.per_mille` has them. */
  function perMille(weights) {
    const whole = sum(weights);
    const share = weights.map((w) => (w / whole) * 1000);
    const found = weights.map((w, k) => (w > 0 ? Math.max(Math.floor(share[k] + 1e-9), 1) : 0));
    const rest = share.map((x, k) => nearest((x - found[k]) * KEYS) / KEYS);
    for (let over = 1000 - sum(found); over !== 0; over = 1000 - sum(found)) {
      const step = Math.sign(over);
      let at = -1;
      for (let k = 0; k < rest.length; k++) {
        if (over < 0 && found[k] <= 1) continue;
        if (at < 0 || step * rest[k] > step * rest[at]) at = k;
      }
      if (at < 0) return found;
      found[at] += step;
      rest[at] -= step;
    }
    return found;
  }

  return { rank, misfit, perMille, logs, UNWEIGHTED };
})();
