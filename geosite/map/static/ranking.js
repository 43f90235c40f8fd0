/* Scores and ranks under given weights; to be the same as Python's to the last rank. */
geosite.ranking = (function () {
  "use strict";

  function rank(matrix, weights) {
    const score = new Float64Array(matrix.n);
    for (let i = 0; i < matrix.n; i++) {
      let sum = 0, known = 0;
      for (let k = 0; k < weights.length; k++) {
        const s = matrix.scores[k][i];
        if (s < 0) continue;
        sum += weights[k] * s;
        known += weights[k];
      }
      score[i] = known ? sum / (10000 * known) : NaN;
    }
    const order = Array.from(matrix.byId).sort((a, b) => (score[b] || -1) - (score[a] || -1));
    const ranks = new Int32Array(matrix.n);
    order.forEach((site, i) => (ranks[site] = Number.isNaN(score[site]) ? 0 : i + 1));
    return { score, rank: ranks, order: Int32Array.from(order) };
  }

  return { rank };
})();
