/* What the reader has chosen: weights, rule, selected site, filter; and the ranking of it. */
geosite.state = function (app) {
  "use strict";
  const { criteria, rule, missing } = app.data;
  const sites = geosite.columns.read(app.data.sites);
  const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
  const stated = criteria.map((c) => c.weight);

  // Ties are broken by site id, so the order of ids is worked out once.
  const byId = Array.from({ length: sites.n }, (_, i) => i);
  byId.sort((a, b) => (sites.site_id[a] < sites.site_id[b] ? -1 : sites.site_id[a] > sites.site_id[b] ? 1 : 0));
  const matrix = { n: sites.n, ids: criteria.map((c) => c.id), scores: sites.scores.map((row) => Int32Array.from(row)), missing, byId: Int32Array.from(byId) };

  // Ranks of the run itself, which changes are counted from.
  app.first = { rank: Int32Array.from(sites.rank, (r) => r || 0), score: Float64Array.from(sites.suitability, (s) => (s === null ? NaN : s)) };
  const order = Int32Array.from({ length: sites.n }, (_, i) => i).sort((a, b) => (app.first.rank[a] || Infinity) - (app.first.rank[b] || Infinity) || a - b);
  const own = { score: app.first.score, rank: app.first.rank, order };

  let ranking = own, stale = false, asked = 0;
  const state = {
    weights: stated.slice(),
    rule,
    selected: -1,
    visible: new Uint8Array(sites.n).fill(1),
    /** The ranking of the weights as they are now, even before the panels follow. */
    get ranking() {
      if (stale) {
        stale = false;
        ranking = app.isStated() ? own : geosite.ranking.rank(matrix, state.weights, state.rule);
      }
      return ranking;
    },
  };
  app.state = state;
  app.matrix = matrix;
  app.stated = { weights: stated, rule };

  /** Whether the weights and the rule are those of the run. */
  app.isStated = () => same(state.weights, stated) && same(state.rule, rule);

  /** Let all panels follow now what they would follow in the next frame. */
  app.settle = () => {
    if (!asked) return;
    cancelAnimationFrame(asked);
    asked = 0;
    app.emit("ranking", state.ranking);
  };

  /**
   * Other weights, per mille, of sum 1000; and another rule if given. A slider asks more often
   * than a screen can show, so all that is asked between two frames is answered once; a page
   * that nobody sees has no frames and does no work.
   */
  app.choose = (weights, other) => {
    if (weights) state.weights = weights.slice();
    if (other) state.rule = other;
    stale = true;
    asked = asked || requestAnimationFrame(app.settle);
  };

  /** Select a site by its index, or none (-1); `from` says who asks: "map", "table", "find". */
  app.select = (index, from) => {
    app.settle();
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

  app.on("ready", () => app.emit("ranking", state.ranking));
};
