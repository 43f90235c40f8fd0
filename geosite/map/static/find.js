/* Search and filters: which sites the table and the map show. */
geosite.find = function (app, box) {
  "use strict";
  const { el, fill } = geosite.dom;
  const { sites } = app.data;
  const EMPTY = { text: "", agency: "", state: "", commodity: "", tier: "", least: 0, top: 0, view: false, within: null };
  let chosen = { ...EMPTY };
  let said = 0;

  // ── what is searched: letters without their marks and case, once for all sites ──
  const fold = (words) => words.normalize("NFKD").replace(/\p{M}+/gu, "").toLowerCase();
  const column = (name) => sites[name] || [];
  const text = Array.from({ length: sites.n }, (_, i) =>
    fold(["name", "site_id", "state", "county", "agency"].map((c) => column(c)[i] || "").concat(column("commodities")[i] || []).join("\n")),
  );

  function matches(words) {
    const asked = fold(words).split(/\s+/).filter(Boolean);
    return Uint8Array.from(text, (t) => (asked.every((w) => t.includes(w)) ? 1 : 0));
  }

  function kept() {
    let mask = matches(chosen.text);
    // A coordinate is a place to go to, not a word that no site has.
    if (chosen.text && !mask.includes(1) && places().length) mask = mask.fill(1);
    const drop = (test) => {
      for (let i = 0; i < sites.n; i++) if (mask[i] && !test(i)) mask[i] = 0;
    };
    for (const name of ["agency", "state", "tier"]) if (chosen[name]) drop((i) => column(name)[i] === chosen[name]);
    if (chosen.commodity) drop((i) => (column("commodities")[i] || []).includes(chosen.commodity));
    const { rank, score } = app.state.ranking || { rank: app.first.rank, score: app.first.score };
    if (chosen.least > 0) drop((i) => score[i] >= chosen.least);
    if (chosen.top > 0) drop((i) => rank[i] > 0 && rank[i] <= chosen.top);
    if (chosen.view) {
      const seen = app.map.getBounds();
      drop((i) => seen.contains([sites.lat[i], sites.lon[i]]));
    }
    if (chosen.within) {
      const held = new Uint8Array(sites.n);
      for (const { index } of geosite.inside.sitesIn(sites, chosen.within)) held[index] = 1;
      drop((i) => held[i]);
    }
    return mask;
  }

  const places = () => (chosen.text.trim() ? geosite.coordinates.read(chosen.text, app.data.view) : []);

  // ── controls ──
  const field = (label, control) => el("label", { class: "gs-field" }, el("span", null, label), control);
  const search = el("input", {
    type: "search", id: "gs-search", autocomplete: "off", spellcheck: "false", placeholder: "name, state, county, commodity, or 39.5, -117.1",
    "aria-describedby": "gs-count", oninput: () => set({ text: search.value }),
  });
  const choice = (name, values) =>
    el("select", { onchange: (event) => set({ [name]: event.target.value }) }, el("option", { value: "" }, "any"), values.map((v) => el("option", { value: v }, v)));
  const distinct = (values) => Array.from(new Set(values.filter(Boolean))).sort((a, b) => a.localeCompare(b, "en"));
  const controls = {
    agency: choice("agency", distinct(column("agency"))),
    state: choice("state", distinct(column("state"))),
    commodity: choice("commodity", distinct(column("commodities").flat())),
    tier: choice("tier", distinct(column("tier"))),
    least: el("input", { type: "number", min: 0, max: 1, step: 0.05, oninput: (event) => set({ least: Number(event.target.value) || 0 }) }),
    top: el("input", { type: "number", min: 0, max: sites.n, step: 1, oninput: (event) => set({ top: Math.floor(Number(event.target.value)) || 0 }) }),
    view: el("input", { type: "checkbox", onchange: (event) => set({ view: event.target.checked }) }),
  };
  const count = el("p", { id: "gs-count" });
  const clear = el("button", { type: "button", class: "gs-quiet", hidden: true, onclick: () => { set(EMPTY); search.focus(); } }, "Clear");
  const outline = el("p", { class: "gs-outlined", hidden: true }, "only sites in the drawn outline ",
    el("button", { type: "button", class: "gs-quiet", onclick: () => set({ within: null }) }, "Show all"));
  const offers = el("div", { class: "gs-offers" });
  const summary = el("summary", null, "Filters");
  fill(
    box,
    el("div", { class: "gs-search", role: "search" }, el("label", { for: "gs-search", class: "gs-hidden" }, "Search sites, or give a coordinate; the key / comes here"), search, clear),
    offers,
    el("details", { class: "gs-filters" }, summary,
      el("div", { class: "gs-fields" },
        field("Agency", controls.agency), field("State", controls.state), field("Commodity", controls.commodity), field("Tier", controls.tier),
        field("Score at least", controls.least), field("Rank within", controls.top),
        el("label", { class: "gs-check" }, controls.view, " only in the map's view"))),
    outline,
    count,
    el("div", { id: "gs-found" }),
  );

  function controlsFollow() {
    if (search.value !== chosen.text) search.value = chosen.text;
    for (const name of ["agency", "state", "commodity", "tier"]) controls[name].value = chosen[name];
    for (const name of ["least", "top"]) if ((Number(controls[name].value) || 0) !== chosen[name]) controls[name].value = chosen[name] || "";
    controls.view.checked = chosen.view;
    outline.hidden = !chosen.within;
    const used = ["agency", "state", "commodity", "tier", "least", "top", "view"].filter((n) => chosen[n]).length;
    fill(summary, used ? `Filters (${used} on)` : "Filters");
    clear.hidden = !(used || chosen.text || chosen.within);
  }

  function offer() {
    fill(offers, places().map(({ lat, lon, how }) =>
      el("button", { type: "button", class: "gs-offer", onclick: () => app.goTo(lat, lon) }, `Go to ${geosite.geodesy.point(lat, lon)}`, el("small", null, ` (read ${how})`))));
  }

  let before = -1;
  function refresh() {
    const mask = kept();
    const n = mask.reduce((sum, m) => sum + m, 0);
    const words = `${n.toLocaleString("en-US")} of ${sites.n.toLocaleString("en-US")} ${sites.n === 1 ? "site" : "sites"}`;
    fill(count, words);
    app.show(mask);
    if (n === before) return;
    // What is typed fast is said once.
    if (before >= 0) {
      clearTimeout(said);
      said = setTimeout(() => app.say(words), 400);
    }
    before = n;
  }

  /** Change some of the filters; unknown names and values that no control has are left out. */
  function set(changes) {
    const next = { ...chosen };
    for (const name of Object.keys(EMPTY)) {
      if (!Object.hasOwn(changes, name)) continue;
      const value = changes[name];
      if (["agency", "state", "commodity", "tier"].includes(name)) {
        const known = value === "" || Array.from(controls[name].options).some((o) => o.value === value);
        if (known) next[name] = value;
      } else if (name === "text") next.text = String(value);
      else if (name === "view") next.view = Boolean(value);
      else if (name === "within") next.within = Array.isArray(value) && value.length > 2 ? value : null;
      else next[name] = Number.isFinite(Number(value)) ? Math.max(0, Number(value)) : 0;
    }
    const other = JSON.stringify(next) !== JSON.stringify(chosen);
    chosen = next;
    controlsFollow();
    if (!other) return;
    offer();
    refresh();
    app.emit("filter", app.filter);
  }

  // ── the rest of the page ──
  app.filter = { set, clear: () => set(EMPTY), get chosen() { return { ...chosen }; } };
  search.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && search.value) {
      event.preventDefault();
      set({ text: "" });
    }
    if (event.key !== "Enter") return;
    const mask = kept();
    const [place] = places();
    if (offers.firstChild && place) return app.goTo(place.lat, place.lon);
    const order = app.state.ranking ? app.state.ranking.order : [];
    const best = Array.from(order).find((i) => mask[i]);
    if (chosen.text && best !== undefined) app.select(best, "find");
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest && event.target.closest("input, select, textarea, [contenteditable]")) return;
    event.preventDefault();
    app.openTab("gs-tab-sites");
    search.focus();
    search.select();
  });
  app.on("ranking", () => {
    if (chosen.least || chosen.top) refresh();
  });
  app.map.on("moveend", () => {
    if (chosen.view) refresh();
  });
  controlsFollow();
  refresh();
};
