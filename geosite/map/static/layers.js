/* The tree of layers: what is shown, in which order, with its legend under it. */
geosite.layers = function (app, box) {
  "use strict";
  const { el, put, fill } = geosite.dom;
  const { legend } = geosite;
  const { map, data, bases } = app;
  const MANY = 9; // from so many layers on, the tree can be filtered
  const entries = new Map(data.layers.map((entry) => [entry.id, entry]));
  const order = new Map(data.layers.map((entry, i) => [entry.id, data.layers.length - i]));
  const shown = new Set(data.layers.filter((entry) => entry.shown).map((entry) => entry.id));
  const made = new Map(); // id → Leaflet layer; nothing is made before it is first shown
  const failed = new Set();
  const rows = new Map(); // id → the line of the tree
  let isStarted = false;

  /* ── what is drawn ── */
  const makers = {
    tiles: (entry) => geosite.tiles.layer(app, entry),
    sites: () => app.sitesLayer,
    picture(entry) {
      const { url, corners } = app.json("picture-" + entry.source);
      const opacity = entry.style.opacity === undefined ? 1 : entry.style.opacity;
      const overlay = L.imageOverlay(url, corners, { pane: "gs-pictures", opacity, interactive: false, className: "gs-picture", alt: "" });
      // Cells keep their edges where the picture is enlarged; a hatch stays one where it is not.
      const sharpen = () => {
        const image = overlay.getElement();
        if (image && image.naturalWidth) image.style.imageRendering = image.width > image.naturalWidth ? "pixelated" : "auto";
      };
      overlay.on("load add", sharpen);
      map.on("zoomend", sharpen);
      return overlay;
    },
  };

  /** The Leaflet layer of an entry, made when it is first asked for; null if it cannot be. */
  function layer(id) {
    if (!made.has(id)) {
      const entry = entries.get(id);
      let found = null;
      try {
        found = makers[entry.kind](entry);
      } catch (fault) {
        failed.add(id);
        console.error(`layer ${id} could not be drawn:`, fault);
      }
      // What stands higher in the tree is painted over what stands lower.
      if (found && found.setZIndex) found.setZIndex(order.get(id));
      made.set(id, found);
    }
    return made.get(id);
  }

  function draw(id) {
    if (!isStarted || (!shown.has(id) && !made.has(id))) return;
    const drawn = layer(id);
    if (!drawn) return;
    if (shown.has(id)) drawn.addTo(map);
    else drawn.remove();
  }

  /** Show or hide several layers, and tell of it once. */
  function change(ids, on) {
    const changed = ids.filter((id) => entries.has(id) && shown.has(id) !== on);
    for (const id of changed) {
      if (on) shown.add(id);
      else shown.delete(id);
      draw(id);
      refresh(id);
    }
    if (!changed.length) return;
    groups.forEach(count);
    app.emit("layers", changed);
  }

  /** Show these layers and no others. */
  function only(ids) {
    const wanted = new Set(ids);
    change(data.layers.map((entry) => entry.id).filter((id) => !wanted.has(id)), false);
    change([...wanted], true);
  }

  app.layers = {
    shown,
    layer: (id) => made.get(id) || null,
    /** `set(id, true)`, `set([id, …], false)`; `set([id, …])` shows these and no others. */
    set: (ids, on) => (on === undefined ? only(ids) : change([ids].flat(), on)),
    only,
  };

  /* ── the tree ── */
  const groups = []; // every heading, outermost first
  const number = (n) => n.toLocaleString("en-US");
  const root = { title: "", ids: [], groups: new Map(), items: el("ul", { class: "gs-tree" }) };

  /** A heading; its box switches the layers under it that the filter has not hidden. */
  function heading(parent, title) {
    if (parent.groups.has(title)) return parent.groups.get(title);
    const check = el("input", { type: "checkbox", "aria-label": `All of ${title}`, onchange: () => change(node.ids.filter((id) => !rows.get(id).item.hidden), check.checked) });
    const told = el("span", { class: "gs-count" });
    const items = el("ul");
    const details = el("details", {}, el("summary", {}, title, " ", told), items);
    const node = { title, ids: [], groups: new Map(), items, check, told, details };
    put(parent.items, el("li", { class: "gs-group" }, check, details));
    parent.groups.set(title, node);
    groups.push(node);
    return node;
  }

  /** The box of a heading: all, none or some; and how many of how many. */
  function count(node) {
    const on = node.ids.filter((id) => shown.has(id)).length;
    node.check.checked = on === node.ids.length;
    node.check.indeterminate = on > 0 && on < node.ids.length;
    fill(node.told, `${on} of ${node.ids.length} shown`);
  }

  function row(entry) {
    const check = el("input", { type: "checkbox", onchange: () => change([entry.id], check.checked) });
    check.checked = shown.has(entry.id);
    const sign = legend.isOne(entry) && legend.sign(entry.legend.rows[0], entry.style);
    const many = entry.count === null ? "" : number(entry.count);
    const label = el("label", {}, check, sign || null, el("span", { class: "gs-title" }, entry.title), many && el("span", { class: "gs-count" }, many));
    const words = entry.words.map((words) => el("p", { class: "gs-words" }, words));
    if (entry.left_out) words.push(el("p", { class: "gs-words" }, `${number(entry.left_out)} not drawn`));
    const under = el("div", { class: "gs-under", hidden: true });
    const item = el("li", { class: "gs-layer", "data-layer": entry.id }, label, words, under);
    rows.set(entry.id, { item, check, under, text: [entry.title, ...entry.words, ...entry.group].join(" ").toLowerCase() });
    return item;
  }

  /** What stands under a layer while it is shown: its legend, and how much it covers. */
  function refresh(id) {
    const { check, under } = rows.get(id);
    const entry = entries.get(id);
    check.checked = shown.has(id);
    under.hidden = !shown.has(id);
    if (under.hidden) return;
    if (failed.has(id)) return void fill(under, el("p", { class: "gs-fault" }, "This layer could not be drawn."));
    if (under.firstChild) return;
    put(under, legend.of(entry), entry.kind === "picture" ? opacity(entry) : null);
  }

  function opacity(entry) {
    const start = entry.style.opacity === undefined ? 1 : entry.style.opacity;
    const slider = el("input", {
      type: "range", min: "0", max: "100", step: "5", value: Math.round(100 * start), "aria-label": `Opacity of ${entry.title}`,
      oninput() {
        slider.setAttribute("aria-valuetext", `${slider.value} %`);
        const drawn = layer(entry.id);
        if (drawn) drawn.setOpacity(slider.value / 100);
      },
    });
    return el("label", { class: "gs-opacity" }, "Opacity", slider);
  }

  function build() {
    for (const entry of data.layers) {
      let node = root;
      for (const title of entry.group) {
        node = heading(node, title);
        node.ids.push(entry.id);
      }
      put(node.items, row(entry));
    }
    for (const node of groups) {
      count(node);
      node.details.open = node.ids.some((id) => shown.has(id));
    }
    rows.forEach((_, id) => refresh(id));
  }

  /* ── the filter ── */
  function filter() {
    const status = el("p", { class: "gs-words", role: "status" });
    const field = el("input", { type: "search", id: "gs-layer-filter", autocomplete: "off", spellcheck: "false", oninput: narrow });
    const opened = new Map();

    function narrow() {
      const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
      let found = 0;
      for (const { item, text } of rows.values()) {
        item.hidden = !words.every((word) => text.includes(word));
        if (!item.hidden) found += 1;
      }
      for (const { details, ids } of groups) {
        details.parentElement.hidden = ids.every((id) => rows.get(id).item.hidden);
        // What is found is to be seen; what was closed closes again.
        if (words.length && !opened.has(details)) opened.set(details, details.open);
        if (words.length) details.open = true;
        else if (opened.has(details)) details.open = opened.get(details);
      }
      if (!words.length) opened.clear();
      fill(status, words.length ? `${found} of ${rows.size} layers` : "");
    }
    return el("div", { class: "gs-layer-filter" }, el("label", { for: "gs-layer-filter" }, "Find a layer"), field, status);
  }

  /* ── online base maps ── */
  function online() {
    const ids = Object.keys(bases);
    if (!ids.length) return null;
    const note = el("p", { class: "gs-words", role: "status" });
    let current = "";

    function use(id) {
      if (current) bases[current].remove();
      current = id;
      fill(note, "");
      if (!id) return;
      // Said once a map: a server that is not reached fails for every tile.
      bases[id].once("tileerror", () => {
        if (current === id) fill(note, "This map could not be loaded: no network, or its server does not answer.");
      });
      bases[id].addTo(map);
    }
    const choice = (id, title) =>
      el("label", {}, el("input", { type: "radio", name: "gs-base", value: id, checked: !id, onchange: () => use(id) }), title);
    return el(
      "fieldset", { class: "gs-bases" },
      el("legend", {}, "Online map below (needs a network)"),
      choice("", "None"),
      ids.map((id) => choice(id, bases[id].options.title || id)),
      note,
    );
  }

  build();
  fill(box, data.layers.length > MANY ? filter() : null, root.items, online());
  put(box, el("p", { class: "gs-words" }, "Point at the map to read what lies there; click or tap to keep it. With the keyboard: focus the map, move it with the arrow keys, press Enter to read what lies at its centre."));
  legend.box(app);
  geosite.pointing(app);
  app.on("ready", () => {
    isStarted = true;
    // The sites are painted first.
    requestAnimationFrame(() => setTimeout(() => {
      shown.forEach(draw);
      failed.forEach((id) => {
        fill(rows.get(id).under);
        refresh(id);
      });
    }));
    if (!shown.has("sites") && entries.has("sites") && app.sitesLayer) app.sitesLayer.remove();
  });
};
