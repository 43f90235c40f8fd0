/* What lies under the pointer, of all layers that are shown; and kept, on a click or a tap. */
geosite.pointing = function (app) {
  "use strict";
  const { el, fill } = geosite.dom;
  const { map, data } = app;
  const MOST = 6; // things that the tip names at most; a click lists all
  const EACH = 110; // pixels that one may take
  const BRIEF = 2; // lines of its own that the tip says of each
  const SITES = 3;
  const order = new Map(data.layers.map((entry, i) => [entry.id, i]));
  const pen = el("canvas", { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
  const canHover = window.matchMedia("(hover: hover)").matches;
  const isBusy = () => Boolean(map.pm && map.pm.globalDrawModeEnabled && map.pm.globalDrawModeEnabled());
  const shownEntries = () => data.layers.filter((entry) => app.layers.shown.has(entry.id));
  const sitesAt = (latlng) => (app.sitesAt && app.layers.shown.has("sites") ? app.sitesAt(latlng) : []);

  /* ── what lies at a place ── */

  /** Words of a picture at a place: of the class of its legend that its colour is of. */
  function read(entry, latlng) {
    const drawn = app.layers.layer(entry.id);
    const image = drawn && drawn.getElement && drawn.getElement();
    if (!image || !image.naturalWidth) return null;
    const crs = map.options.crs, bounds = drawn.getBounds();
    const nw = crs.project(bounds.getNorthWest()), se = crs.project(bounds.getSouthEast()), at = crs.project(latlng);
    const x = Math.floor(((at.x - nw.x) / (se.x - nw.x)) * image.naturalWidth);
    const y = Math.floor(((at.y - nw.y) / (se.y - nw.y)) * image.naturalHeight);
    if (x < 0 || y < 0 || x >= image.naturalWidth || y >= image.naturalHeight) return null;
    pen.clearRect(0, 0, 1, 1);
    pen.drawImage(image, x, y, 1, 1, 0, 0, 1, 1);
    const [r, g, b, a] = pen.getImageData(0, 0, 1, 1).data;
    if (!a) return null;
    const { kind, rows, ends } = entry.legend || { rows: [] };
    if (rows.length < 2) return { entry, words: [] };
    const far = ([, colour]) => [1, 3, 5].reduce((sum, k, i) => sum + Math.abs(parseInt(colour.slice(k, k + 2), 16) - [r, g, b][i]), 0);
    const nearest = rows.reduce((best, row, i) => (far(row) < far(rows[best]) ? i : best), 0);
    return { entry, words: [kind === "ramp" ? `step ${nearest + 1} of ${rows.length}, from ${ends[0]} to ${ends[1]}` : rows[nearest][2]], isClass: true };
  }

  // What is painted above is told first: dots, outlines of rules, pictures, land.
  const level = ({ kind, style }) => (style.radius !== undefined ? 0 : kind === "picture" ? 2 : style.fill && !style.dash ? 3 : 1);

  /** Everything that is shown at a place: [{entry, words, isClass}], from above down. */
  app.at = async (latlng) => {
    const entries = shownEntries();
    const tiled = entries.filter((entry) => entry.kind === "tiles");
    const features = tiled.length ? await geosite.tiles.at(app, latlng, tiled) : [];
    const found = features.map(({ entry, id, words }) => ({ entry, id, words: words.split("\n").filter(Boolean) }));
    for (const entry of entries) {
      const told = entry.kind === "picture" && read(entry, latlng);
      if (told) found.push(told);
    }
    const seen = new Set();
    return found
      .filter(({ entry, id, words }) => {
        // Lines of the base without a name tell nothing.
        if (entry.kind === "tiles" && !words.length && !entry.words.length) return false;
        // A deposit is drawn by its status and by its commodities, and is one deposit.
        const key = id === undefined || id < 0 ? `${entry.id} ${words}` : `${entry.source} ${entry.layer} ${id}`;
        return !seen.has(key) && seen.add(key);
      })
      .sort((a, b) => level(a.entry) - level(b.entry) || order.get(a.entry.id) - order.get(b.entry.id));
  };

  /* ── in words ── */
  function told({ entry, words, isClass }, isBrief) {
    const [first, ...rest] = words;
    const head = isClass || !first ? entry.title : first;
    const sub = head === entry.title ? entry.group[0] : `${entry.group[0]} · ${entry.title}`;
    return el(
      "li", { class: "gs-found" },
      el("p", { class: "gs-found-head" }, head),
      el("p", { class: "gs-words" }, sub),
      (isClass ? words : rest).slice(0, isBrief ? BRIEF : Infinity).map((line) => el("p", {}, line)),
      entry.words.map((line) => el("p", { class: "gs-words" }, line)),
    );
  }

  function site(i) {
    const rank = app.state.ranking.rank[i];
    return el("li", { class: "gs-found" }, el("p", { class: "gs-found-head" }, `${rank ? `Rank ${rank}` : "Not ranked"} · ${data.sites.name[i] || "unnamed"}`));
  }

  /* ── the tip ── */
  const tip = el("div", { class: "gs-tip", "aria-hidden": "true" });
  tip.hidden = true;
  map.getContainer().appendChild(tip);
  let pointed = null, asked = 0, turn = 0;

  async function point() {
    asked = 0;
    const mine = ++turn;
    const here = pointed;
    if (!here || isBusy()) return void (tip.hidden = true);
    const sites = sitesAt(here.latlng), found = await app.at(here.latlng);
    // The pointer has moved on.
    if (mine !== turn || here !== pointed) return;
    const all = [...sites.slice(0, SITES).map(site), ...found.map((feature) => told(feature, true))];
    if (!all.length) return void (tip.hidden = true);
    const room = map.getSize(), most = Math.min(MOST, Math.max(2, Math.floor(room.y / EACH)));
    const more = sites.length + found.length - Math.min(most, all.length);
    fill(tip, el("ul", {}, all.slice(0, most)), more > 0 ? el("p", { class: "gs-words" }, `and ${more} more`) : null);
    tip.hidden = false;
    const x = here.at.x + 14 + tip.offsetWidth > room.x ? here.at.x - 14 - tip.offsetWidth : here.at.x + 14;
    const y = here.at.y + 14 + tip.offsetHeight > room.y ? here.at.y - 14 - tip.offsetHeight : here.at.y + 14;
    tip.style.transform = `translate(${Math.max(4, x)}px, ${Math.max(4, y)}px)`;
  }

  function hide() {
    pointed = null;
    turn += 1;
    tip.hidden = true;
  }
  if (canHover) {
    map.on("mousemove", (event) => {
      // Over a control, the control is what is pointed at.
      if (event.originalEvent.target.closest(".leaflet-control, .leaflet-popup")) return hide();
      pointed = { latlng: event.latlng, at: event.containerPoint };
      asked = asked || requestAnimationFrame(point);
    });
  }
  map.on("mouseout movestart zoomstart", hide);
  app.on("layers", hide);

  /* ── kept, on a click, a tap or Enter ── */
  const popup = L.popup({ className: "gs-here", maxWidth: 300, minWidth: 200, maxHeight: 320, autoPanPaddingBottomRight: [12, 12] });

  async function identify(latlng, byKeys) {
    const features = await app.at(latlng);
    const place = latlng.wrap();
    const head = el("h3", { tabindex: "-1" }, `${place.lat.toFixed(5)}, ${place.lng.toFixed(5)}`);
    const list = features.length ? el("ul", {}, features.map((feature) => told(feature, false))) : el("p", {}, "No layer that is shown says anything of this place: that is no finding that no rule does.");
    // Where there is room, it opens beside the legend and not under it.
    const legend = map.getContainer().querySelector(".gs-legend");
    const beside = legend && map.getSize().x > 700 ? legend.offsetWidth + 20 : 12;
    popup.options.autoPanPaddingTopLeft = [beside, 12];
    popup.setContent(el("div", {}, head, list, el("p", { class: "gs-words" }, geosite.pointing.doubt(place.lat, place.lng)))).setLatLng(latlng).openOn(map);
    hide();
    if (!byKeys) return;
    head.focus();
    popup.once("remove", () => map.getContainer().focus());
  }

  function chosen(latlng, byKeys) {
    if (isBusy()) return;
    const [first] = sitesAt(latlng);
    // A site tells all in its card; who clicks it asks for that.
    if (first === undefined) identify(latlng, byKeys);
    else if (byKeys) app.select(first, "map");
    else popup.remove();
  }
  map.on("click", (event) => chosen(event.latlng, false));
  map.getContainer().addEventListener("keydown", (event) => {
    if (event.key === "Escape") popup.remove();
    if (event.key === "Enter" && event.target === map.getContainer()) chosen(map.getCenter(), true);
  });
};

/** Why the map may say otherwise of a place than the run, and what says it as the run has it. */
geosite.pointing.doubt = (lat, lon) =>
  `Outlines are simplified, and rules act cell by cell. Every rule at this place, with those that cannot tell: geosite explain RUN ${lon.toFixed(5)},${lat.toFixed(5)}`;
