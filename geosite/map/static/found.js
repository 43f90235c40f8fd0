/* What was found at a point or in an outline: a panel under the search box. */
geosite.found = function (app) {
  "use strict";
  const { el, fill } = geosite.dom;
  const { sites } = app.data;
  const { geodesy, inside } = geosite;
  const LISTED = 50;
  const NEAREST = 5;
  const box = () => document.getElementById("gs-found");

  const title = (i) => {
    const rank = app.state.ranking.rank[i];
    return `${rank ? `${rank} · ` : ""}${sites.name[i] || "unnamed"}`;
  };
  const site = (i, more) =>
    el("li", null, el("button", { type: "button", class: "gs-find-link", onclick: () => app.select(i, "find") }, title(i)), ` (${sites.site_id[i]})${more || ""}`);
  const listed = (rows, write) =>
    el("ul", null, rows.slice(0, LISTED).map(write), rows.length > LISTED ? el("li", null, `and ${(rows.length - LISTED).toLocaleString("en-US")} more`) : null);
  const count = (n, noun) => `${n.toLocaleString("en-US")} ${noun}${n === 1 ? "" : "s"}`;

  function show(heading, close, ...children) {
    const made = el("section", { class: "gs-result", "aria-label": heading, tabindex: "-1" }, el("h2", null, heading), ...children,
      el("div", { class: "gs-buttons" }, el("button", { type: "button", class: "gs-quiet", onclick: () => { close(); document.getElementById("gs-search").focus(); } }, "Close")));
    fill(box(), made);
    app.openTab("gs-tab-sites");
    return made;
  }

  /** Land, rules and deposits that the map's tiles have somewhere, as lines under headings. */
  async function ground(asked, into, generation) {
    let rows;
    try {
      rows = await asked();
    } catch {
      rows = null;
    }
    if (generation !== turn) return;
    if (rows === null) return fill(into, el("p", { class: "gs-sub" }, "What the layers have here could not be read."));
    const lines = new Map();
    for (const { entry, words } of rows) {
      const key = entry.title;
      if (!lines.has(key)) lines.set(key, { entry, seen: new Set() });
      if (words) lines.get(key).seen.add(words);
    }
    if (!lines.size) return fill(into, el("p", { class: "gs-sub" }, "No outline of the map’s layers is here. Rules without outlines, and rules that cannot tell, may still speak of it."));
    fill(into, Array.from(lines.values(), ({ entry, seen }) => [
      el("h3", null, [...(entry.group || []), entry.title].join(" · ")),
      el("ul", null, Array.from(seen).slice(0, LISTED).map((words) => el("li", null, words)),
        seen.size > LISTED ? el("li", null, `and ${(seen.size - LISTED).toLocaleString("en-US")} more`) : null),
      (entry.words || []).map((line) => el("p", { class: "gs-sub" }, line)),
    ]).flat(2));
  }
  let turn = 0;

  const layers = () => (app.data.layers || []).filter((e) => e.kind === "tiles");

  /** A point: the sites that hold it, the nearest ones, and what the layers have there. */
  function point(lat, lon, close) {
    const { held, near } = inside.sitesAt(sites, lat, lon, NEAREST);
    const land = el("div");
    const made = show(
      geodesy.point(lat, lon), close,
      el("p", null, held.length ? `Within ${count(held.length, "site")}:` : "Within no site."),
      held.length ? listed(held, (i) => site(i)) : null,
      near.length ? [el("h3", null, "Nearest sites, by the point each is marked with"), el("ul", null, near.map(({ index, metres }) => site(index, `, ${geodesy.way(metres)}`)))] : null,
      land,
      el("p", { class: "gs-sub" }, geosite.pointing.doubt(lat, lon)),
    );
    turn += 1;
    if (layers().length) ground(async () => listedAt(await geosite.tiles.at(app, L.latLng(lat, lon), layers())), land, turn);
    app.say(held.length ? `Within ${count(held.length, "site")}` : "Within no site");
    return made;
  }

  // The tiles say which entry a feature is of, and its attributes.
  const listedAt = (rows) => (rows || []).map((row) => ({ entry: row.entry, words: worded(row) }));
  const worded = (row) => String((row.props && (row.props.words || row.props.name)) || row.words || "");

  /** An outline: its size, the sites and the rules in it. */
  function outline(ring, close) {
    const held = inside.sitesIn(sites, ring);
    const whole = held.filter((h) => h.whole).length;
    const rank = app.state.ranking.rank;
    held.sort((a, b) => (rank[a.index] || Infinity) - (rank[b.index] || Infinity));
    const json = JSON.stringify({ type: "Feature", properties: {}, geometry: { type: "Polygon", coordinates: [[...ring, ring[0]].map(([x, y]) => [round(x), round(y)])] } });
    const text = el("textarea", { readonly: true, rows: 4, "aria-label": "The outline as GeoJSON", onfocus: (event) => event.target.select() });
    text.value = json;
    const land = el("div");
    const made = show(
      "Drawn outline", close,
      el("p", null, el("b", null, geodesy.ground(geodesy.area(ring))), ` · perimeter ${geodesy.way(geodesy.length(ring, true))}`),
      el("p", null, `${count(held.length, "site")} with land in it, ${whole.toLocaleString("en-US")} wholly inside.`),
      held.length ? el("div", { class: "gs-buttons" },
        el("button", { type: "button", class: "gs-quiet", onclick: () => app.filter.set({ within: ring }) }, "Show only these"),
        el("button", { type: "button", class: "gs-quiet", onclick: () => geosite.files.save(table(held), "sites-in-outline.csv", "text/csv") }, "Save as CSV")) : null,
      listed(held, ({ index, whole: all }) => site(index, all ? "" : ", in part")),
      land,
      el("p", { class: "gs-sub" }, "Outlines on the map are simplified. For the exact answer save this as outline.geojson and run: geosite review RUN --polygon outline.geojson"),
      text,
      el("div", { class: "gs-buttons" },
        geosite.copying.button(app, "Copy", () => json, "Copy the outline as GeoJSON"),
        el("button", { type: "button", class: "gs-quiet", onclick: () => geosite.files.save(json, "outline.geojson", "application/geo+json") }, "Save as GeoJSON")),
    );
    turn += 1;
    if (layers().length) ground(async () => listedAt(await geosite.tiles.within(app, ring, layers())), land, turn);
    app.say(`${geodesy.ground(geodesy.area(ring))}, ${count(held.length, "site")}`);
    return made;
  }

  const round = (v) => Math.round(v * 1e6) / 1e6;

  /** A table of sites as CSV. */
  function table(held) {
    const { rank, score } = app.state.ranking;
    // A table that leaves the page says whose ranking it is, as the exports do.
    const said = [geosite.combining.rankedBy(app), app.data.marking, app.data.notice];
    const head = ["rank", "site_id", "name", "score", "area_ha", "agency", "state", "county", "longitude", "latitude", "wholly_inside", "ranked_by", "marking", "notice"];
    const rows = held.map(({ index: i, whole }) => [
      rank[i] || "", sites.site_id[i], sites.name[i], Number.isNaN(score[i]) ? "" : score[i], sites.area_ha[i], sites.agency[i], sites.state[i], sites.county[i],
      sites.lon[i], sites.lat[i], whole ? "yes" : "no", ...said,
    ]);
    return geosite.files.csv([head, ...rows]);
  }

  return { point, outline, show, clear: () => { turn += 1; fill(box()); } };
};
