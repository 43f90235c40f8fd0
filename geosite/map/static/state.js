/* What the reader has chosen: weights, rule, selected site, filter; and the ranking of it. */
geosite.state = function (app) {
  "use strict";
  const { sites, criteria, rule, missing } = app.data;
  const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
  const stated = criteria.map((c) => c.weight);

  // Ties are broken by site id, so the order of ids is worked out once.
  const byId = Array.from({ length: sites.n }, (_, i) => i);
  byId.sort((a, b) => (sites.site_id[a] < sites.site_id[b] ? -1 : sites.site_id[a] > sites.site_id[b] ? 1 : 0));
  const matrix = { n: sites.n, ids: criteria.map((c) => c.id), scores: sites.scores.map((row) => Int32Array.from(row)), missing, byId: Int32Array.from(byId) };

  const state = {
    weights: stated.slice(),
    rule,
    selected: -1,
    visible: new Uint8Array(sites.n).fill(1),
    ranking: null,
  };
  app.state = state;
  app.matrix = matrix;
  app.stated = { weights: stated, rule };
  // Ranks of the run itself, which changes are counted from.
  app.first = { rank: Int32Array.from(sites.rank, (r) => r || 0), score: Float64Array.from(sites.suitability, (s) => (s === null ? NaN : s)) };

  function own() {
    const order = Array.from({ length: sites.n }, (_, i) => i).sort((a, b) => (app.first.rank[a] || Infinity) - (app.first.rank[b] || Infinity));
    return { score: app.first.score, rank: app.first.rank, order: Int32Array.from(order) };
  }

  /** Whether the weights and the rule are those of the run. */
  app.isStated = () => same(state.weights, stated) && same(state.rule, rule);

  function rerank() {
    state.ranking = app.isStated() ? own() : geosite.ranking.rank(matrix, state.weights, state.rule);
    app.emit("ranking", state.ranking);
  }

  /** Other weights, per mille, of sum 1000; and another rule if given. */
  app.choose = (weights, other) => {
    if (weights) state.weights = weights.slice();
    if (other) state.rule = other;
    rerank();
  };

  /** Select a site by its index, or none (-1); `from` says who asks: "map", "table", "find". */
  app.select = (index, from) => {
    state.selected = index;
    app.emit("select", { index, from });
  };

  /** Show only the sites of a mask (one byte a site). */
  app.show = (mask) => {
    state.visible = mask;
    app.emit("visible", mask);
  };

  /** Colour of a rank. */
  app.colour = (rank) => {
    for (const [last, colour] of app.data.palette.ranks) if (!last || (rank > 0 && rank <= last)) return colour;
    return app.data.palette.ranks.at(-1)[1];
  };

  state.ranking = own();
  app.on("ready", () => app.emit("ranking", state.ranking));
};
