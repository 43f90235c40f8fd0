/* Columns of the table of sites: what each says, what it is sorted by, and the order of that. */
geosite.ordering = function (app) {
  "use strict";
  const { sites } = app.data;
  const { n } = sites;
  const count = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
  const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
  const ranking = () => app.state.ranking;

  /** Places that a site has risen against the run (negative: fallen); 0 where either has no rank. */
  function change(i) {
    const was = app.first.rank[i], is = ranking().rank[i];
    return was > 0 && is > 0 ? was - is : 0;
  }
  function moved(i) {
    const by = change(i), was = app.first.rank[i], is = ranking().rank[i];
    if (was > 0 && !is) return "no rank";
    if (!was && is > 0) return "new";
    return by > 0 ? "▲ " + count.format(by) : by < 0 ? "▼ " + count.format(-by) : "";
  }
  const filled = (column) => (Array.isArray(column) && column.length === n ? column : new Array(n).fill(null));
  const best = filled(sites.rank_p05), worst = filled(sites.rank_p95);
  const lowest = filled(sites.rank_best), highest = filled(sites.rank_worst);
  const low = (i) => best[i] ?? lowest[i], high = (i) => worst[i] ?? highest[i];
  const span = (i) => (low(i) === null || high(i) === null ? "" : low(i) === high(i) ? count.format(low(i)) : `${count.format(low(i))}–${count.format(high(i))}`);

  const text = (name) => (i) => sites[name][i] || "";
  const place = (i) => [sites.county[i], sites.state[i]].filter(Boolean).join(", ") || sites.agency[i];

  // `key`: a number a site, NaN last whatever the direction; `words`: sorted as words.
  // `live`: follows the weights. `down`: first sorted from large to small.
  const columns = [
    { id: "rank", title: "Rank", live: true, text: (i) => (ranking().rank[i] ? count.format(ranking().rank[i]) : "–"), key: (i) => ranking().rank[i] || NaN },
    { id: "change", title: "±", said: "Change of rank", live: true, down: true, text: moved, key: change },
    { id: "name", title: "Name", text: (i) => sites.name[i] || "unnamed", words: text("name"), under: place },
    { id: "score", title: "Score", live: true, down: true, text: (i) => (Number.isNaN(ranking().score[i]) ? "–" : ranking().score[i].toFixed(3)), key: (i) => ranking().score[i] },
    { id: "tier", title: "Tier", text: text("tier"), words: text("tier") },
    { id: "commodities", title: "Commodities", text: (i) => sites.commodities[i].join(", "), words: (i) => sites.commodities[i].join(", ") },
    { id: "agency", title: "Agency", text: text("agency"), words: text("agency") },
    { id: "state", title: "State", text: text("state"), words: text("state") },
    { id: "county", title: "County", text: text("county"), words: text("county") },
    { id: "area", title: "Area, ha", down: true, text: (i) => (sites.area_ha[i] === null ? "" : count.format(sites.area_ha[i])), key: (i) => sites.area_ha[i] ?? NaN },
    { id: "span", title: "Rank interval", said: "Rank interval of the run's weights", text: span, key: (i) => low(i) ?? NaN },
    // Of a second run, see compared.js.
    ...(app.columns || []),
  ];

  // Words are compared once; what follows the weights is compared anew, as numbers.
  const places = new Map();
  function keys(column) {
    if (!column.live && places.has(column.id)) return places.get(column.id);
    const found = new Float64Array(n);
    if (column.words) {
      const words = Array.from({ length: n }, (_, i) => column.words(i));
      const unlike = [...new Set(words)].sort(collator.compare);
      const at = new Map(unlike.map((w, k) => [w, w ? k : NaN]));
      for (let i = 0; i < n; i++) found[i] = at.get(words[i]);
    } else for (let i = 0; i < n; i++) found[i] = column.key(i);
    if (!column.live) places.set(column.id, found);
    return found;
  }

  /** Visible sites in the order of a column; those with nothing in it come last, ties by rank. */
  function rows(id, isDown) {
    const { order } = ranking(), visible = app.state.visible;
    const shown = order.filter((i) => visible[i]);
    if (id === "rank" && !isDown) return shown;
    const key = keys(columns.find((c) => c.id === id));
    const known = shown.filter((i) => !Number.isNaN(key[i])), unknown = shown.filter((i) => Number.isNaN(key[i]));
    const at = new Int32Array(n);
    order.forEach((i, k) => (at[i] = k));
    known.sort(isDown ? (a, b) => key[b] - key[a] || at[a] - at[b] : (a, b) => key[a] - key[b] || at[a] - at[b]);
    const all = new Int32Array(shown.length);
    all.set(known);
    all.set(unknown, known.length);
    return all;
  }

  return { columns, rows, change };
};
