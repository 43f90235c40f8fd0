/* A divider between two runs: the page's own on its left, the other's sites and surfaces on its right. */
geosite.swipe = function (app) {
  "use strict";
  const { compare } = app.data;
  if (!compare) return;
  const { el, put } = geosite.dom;
  const { map } = app;
  const THUMB = 44; // pixels, as in find.css
  const sites = geosite.columns.read(compare.sites);

  for (const [name, z] of [["gs-right-pictures", 351], ["gs-right-sites", 451]]) {
    map.createPane(name).style.zIndex = z;
    map.getPane(name).style.pointerEvents = name === "gs-right-sites" ? "auto" : "none";
  }

  // ── the right run ──
  const renderer = L.canvas({ pane: "gs-right-sites", padding: 0.3 });
  const words = (i) => `${sites.rank[i] ? sites.rank[i] : "not ranked"} · ${sites.name[i] || "unnamed"} (${sites.site_id[i]}), ${compare.titles[1]}`;
  const marks = [];
  // The best come last, so they lie on top.
  for (let i = sites.n - 1; i >= 0; i--) {
    if (sites.lat[i] === null) continue;
    const mark = L.circleMarker([sites.lat[i], sites.lon[i]], { renderer, pane: "gs-right-sites", radius: 4.5, weight: 1, color: "#fff", fillColor: app.colour(sites.rank[i] || 0), fillOpacity: 0.95 });
    mark.bindTooltip(() => el("span", null, words(i)));
    marks.push(mark);
  }
  L.layerGroup(marks).addTo(map);

  // Near enough, a site has an outline: of those in view alone.
  const NEAR = 10;
  const outlined = L.layerGroup().addTo(map);
  function outline() {
    outlined.clearLayers();
    if (map.getZoom() < NEAR) return;
    const seen = map.getBounds();
    geosite.inside.outlines(sites).forEach(({ parts, box: [west, south, east, north] }, i) => {
      if (!parts.length || !seen.intersects([[south, west], [north, east]])) return;
      const rings = parts.map((part) => part.map((ring) => ring.map(([x, y]) => [y, x])));
      const shape = L.polygon(rings, { renderer, pane: "gs-right-sites", color: "#55524c", weight: 1, fillColor: app.colour(sites.rank[i] || 0), fillOpacity: 0.7 });
      outlined.addLayer(shape.bindTooltip(() => el("span", null, words(i)), { sticky: true }));
    });
  }
  map.on("moveend", outline);

  const drawn = new Map();
  function show(name, on) {
    if (on && !drawn.has(name)) {
      const { url, corners } = app.json(`picture-right-${name}`);
      drawn.set(name, L.imageOverlay(url, corners, { pane: "gs-right-pictures", className: "gs-right-picture" }));
    }
    if (on) drawn.get(name).addTo(map);
    else if (drawn.has(name)) drawn.get(name).remove();
  }
  const layers = document.getElementById("gs-tab-layers");
  put(layers, el("fieldset", { class: "gs-right-layers" }, el("legend", null, `Right of the divider: ${compare.titles[1]}`),
    compare.pictures.map(([name, title, shown]) =>
      el("label", null, el("input", { type: "checkbox", checked: shown, onchange: (event) => show(name, event.target.checked) }), ` ${title}`))));
  for (const [name, , shown] of compare.pictures) if (shown) show(name, true);

  // ── the divider ──
  const line = el("div", { class: "gs-divider", "aria-hidden": "true" });
  const titles = compare.titles.map((t, i) => el("p", { class: `gs-side-title gs-side-${i ? "right" : "left"}` }, t));
  const range = el("input", { type: "range", class: "gs-swipe", min: 0, max: 100, step: 1, value: 50,
    "aria-label": `Divider between ${compare.titles[0]}, on the left, and ${compare.titles[1]}, on the right`, oninput: () => cut() });
  L.DomEvent.disableClickPropagation(range);
  const box = el("div", { class: "gs-swiping" }, line, titles, range);
  // Keys of the divider do not move the map too.
  range.addEventListener("keydown", (event) => event.stopPropagation());
  map.getContainer().appendChild(box);

  const edge = () => THUMB / 2 + (map.getSize().x - THUMB) * (Number(range.value) / 100);
  const isShared = (name) => /^gs-(base|tools|right-.*)$/.test(name);
  function cut() {
    const x = edge();
    const size = map.getSize();
    range.setAttribute("aria-valuetext", `${range.value} % of the map shows the left run`);
    box.style.setProperty("--x", `${x}px`);
    const nw = map.containerPointToLayerPoint([0, 0]);
    const se = map.containerPointToLayerPoint(size);
    const middle = nw.x + x;
    const clip = (from, to) => `polygon(${from}px ${nw.y}px, ${to}px ${nw.y}px, ${to}px ${se.y}px, ${from}px ${se.y}px)`;
    for (const [name, pane] of Object.entries(map.getPanes())) {
      if (name === "markerPane" || (name.startsWith("gs-") && !isShared(name))) pane.style.clipPath = clip(nw.x, middle);
      if (name.startsWith("gs-right-")) pane.style.clipPath = clip(middle, se.x);
    }
  }
  map.on("move zoomend viewreset resize layeradd", cut);
  cut();

  // What is cut off cannot be pointed at.
  const under = app.sitesAt;
  if (under)
    app.sitesAt = (where) => {
      const at = where.lat === undefined ? L.point(where) : map.latLngToContainerPoint(where);
      return at.x <= edge() ? under(where) : [];
    };
};
