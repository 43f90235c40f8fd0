/* What a second run says of the same sites: its ranks, for the table and the panel of facts. */
geosite.compared = function (app) {
  "use strict";
  const { compare } = app.data;
  app.columns = [];
  if (!compare) return;
  const { el, put } = geosite.dom;
  const { sites } = app.data;
  const LISTED = 100;
  const count = (v) => v.toLocaleString("en-US");
  const rank = Int32Array.from(compare.ranks, (r) => r || 0);

  /** Places that a site stands higher in the right run (negative: lower); NaN where one has no rank. */
  const change = (i) => {
    const here = app.state.ranking.rank[i];
    return here > 0 && rank[i] > 0 ? here - rank[i] : NaN;
  };
  const words = (i) => {
    const by = change(i);
    if (Number.isNaN(by)) return compare.same[i] ? "not ranked" : "no such site";
    return by ? `${by > 0 ? "▲" : "▼"} ${Math.abs(by)}` : "same";
  };
  app.compare = { titles: compare.titles, rank, change, words };
  // The table takes these beside its own.
  document.documentElement.classList.add("gs-two");
  app.columns.push(
    { id: "right-rank", title: "Right", said: `Right: rank in ${compare.titles[1]}`, text: (i) => (rank[i] ? String(rank[i]) : "–"), key: (i) => rank[i] || NaN },
    { id: "right-change", title: "± right", said: "± right: places higher in the right run", live: true, down: true, text: words, key: change },
  );

  const box = document.getElementById("gs-tab-about");
  const body = el("tbody");
  const made = el("section", { class: "gs-compared", "aria-label": "Two runs" },
    el("h2", null, "Two runs"),
    el("p", null, el("b", null, "Left: "), compare.titles[0]),
    el("p", null, el("b", null, "Right: "), compare.titles[1]),
    el("p", null, `${count(sites.n + sites.left_out - compare.gone)} sites are in both, ${count(compare.gone)} only in the left, ${count(compare.new)} only in the right. A rank counts all sites of its own run.`),
    compare.differs.length
      ? [el("p", null, "What was asked or read otherwise, from left to right:"), el("ul", { class: "gs-doubts" }, compare.differs.map((line) => el("li", null, line)))]
      : el("p", null, "Both asked the same of the same data."),
    el("table", { class: "gs-pairs" },
      el("caption", null, `Ranks in both, the largest changes first${sites.n > LISTED ? ` (${LISTED} of ${count(sites.n)})` : ""}`),
      el("thead", null, el("tr", null, ["Left", "Right", "Change", "Site"].map((t) => el("th", { scope: "col" }, t)))), body));
  box.insertBefore(made, box.firstChild);

  // Made when it can be seen: it follows the weights.
  function fillTable() {
    if (box.hidden) return;
    const ranks = app.state.ranking.rank;
    const size = (i) => (Number.isNaN(change(i)) ? -1 : Math.abs(change(i)));
    const order = Array.from({ length: sites.n }, (_, i) => i).sort((a, b) => size(b) - size(a) || (ranks[a] || Infinity) - (ranks[b] || Infinity));
    body.replaceChildren();
    put(body, order.slice(0, LISTED).map((i) => el("tr", null,
      el("td", null, ranks[i] || "–"), el("td", null, rank[i] || "–"), el("td", null, words(i)),
      el("th", { scope: "row" }, el("button", { type: "button", class: "gs-find-link", onclick: () => app.select(i, "find") }, sites.name[i] || "unnamed"),
        compare.same[i] && compare.same[i] !== sites.site_id[i] ? el("small", null, ` right: ${compare.same[i]}`) : null))));
  }
  app.on("tab", fillTable);
  app.on("ranking", fillTable);
};
