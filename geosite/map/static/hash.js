/* The view in the address: weights, rule, site, place, layers, filter; written, read, and sent. */
geosite.hash = function (app, box) {
  "use strict";
  const { el, put, fill } = geosite.dom;
  const { written, read } = geosite.view;
  const rules = geosite.combining.choices(app.data);
  const TABS = Array.from(document.querySelectorAll("#gs-tabs [role=tab]"), (t) => t.getAttribute("aria-controls"));
  const initial = { tab: TABS[0], layers: shownLayers() };
  let tab = TABS[0], isRead = false, later = 0, isMoved = false, isRestoring = false;

  function shownLayers() {
    const shown = app.layers && app.layers.shown;
    if (!shown) return null;
    // Online maps are none of these: a link must not make another's page ask the network.
    return app.data.layers.map((entry) => entry.id).filter((id) => shown.has(id)).sort();
  }

  /** Filters that are set, by name; those that need the screen or a drawing cannot be sent. */
  function filters() {
    const sent = Object.entries(app.filter ? app.filter.chosen : {}).filter(([name, v]) => !["view", "within"].includes(name) && (typeof v === "string" || typeof v === "number"));
    return { known: sent.map(([name]) => name), set: Object.fromEntries(sent.filter(([, v]) => v).map(([name, v]) => [name, String(v)])) };
  }

  /** What is shown now, where it differs from how the page opens. */
  function now() {
    const { weights, rule, selected } = app.state;
    const isStated = app.isStated();
    const centre = app.map.getCenter();
    const layers = shownLayers();
    return {
      weights: isStated ? null : app.data.criteria.map((c, k) => [c.id, weights[k]]),
      rule: isStated || rule.kind === app.data.rule.kind ? "" : rule.kind,
      site: selected < 0 ? null : app.data.sites.site_id[selected],
      place: isMoved ? [centre.lat, centre.lng, app.map.getZoom()] : null,
      layers: layers && String(layers) !== String(initial.layers) ? layers : null,
      filter: filters().set,
      tab: tab === initial.tab ? "" : tab.replace("gs-tab-", ""),
    };
  }

  function write() {
    if (!isRead || isRestoring) return;
    clearTimeout(later);
    later = setTimeout(() => {
      const text = written(now());
      if (text === location.hash.slice(1)) return;
      try {
        // Without a hash the address must lose it too, or a reload would bring it back.
        history.replaceState(history.state, "", text ? "#" + text : location.pathname + location.search);
      } catch {
        // A page within a page has no address of its own: the button gives the text.
      }
    }, 250);
  }

  // ---- reading --------------------------------------------------------------------------
  const fault = el("p", { class: "gs-link-note", role: "alert", hidden: true });
  const tabs = document.getElementById("gs-tabs");
  tabs.before(fault);

  function complain(faults) {
    fault.hidden = !faults.length;
    if (!faults.length) return;
    const words = "The link was not followed, and nothing of it is shown: " + faults.join("; ") + ".";
    fill(fault, words, " ", el("button", { type: "button", onclick: () => complain([]) }, "Close"));
    app.say(words);
  }

  function restore() {
    const text = location.hash.slice(1);
    // An anchor of the page, such as the link that skips the map.
    if (text && !text.includes("=")) return;
    const view = read(text, {
      criteria: app.data.criteria.map((c) => c.id),
      rules: rules.map((r) => r.rule.kind),
      sites: app.data.sites.site_id,
      layers: new Set(app.data.layers.map((entry) => entry.id)),
      filters: filters().known,
      tabs: TABS.map((t) => t.replace("gs-tab-", "")),
    });
    complain(view.faults);
    if (view.faults.length) return;
    isRestoring = true;
    try {
      follow(view);
    } finally {
      isRestoring = false;
    }
  }

  function follow(view) {
    const rule = view.rule === null ? app.data.rule : rules[view.rule].rule;
    const weights = view.weights || app.stated.weights;
    if (String(weights) !== String(app.state.weights) || rule !== app.state.rule) app.choose(weights, rule);
    if (view.place) app.map.setView(view.place.slice(0, 2), view.place[2], { animate: false });
    if (app.layers && initial.layers) app.layers.set(view.layers || initial.layers);
    if (app.filter) {
      app.filter.clear();
      app.filter.set(view.filter);
    }
    if (view.site !== app.state.selected) app.select(view.site, "hash");
    app.openTab("gs-tab-" + (view.tab || initial.tab.replace("gs-tab-", "")));
    app.emit("hash", view);
  }

  // ---- sending --------------------------------------------------------------------------
  const field = el("input", { type: "text", readonly: true, hidden: true, "aria-label": "Link to this view" });

  /** The address of what is shown now. */
  app.link = () => {
    const text = written(now());
    const isOwn = /^(file|https?):$/.test(location.protocol);
    return (isOwn ? location.href.split("#")[0] : "") + "#" + text;
  };

  async function copy() {
    field.hidden = false;
    field.value = app.link();
    const isCopied = await geosite.copying.copy(app, field.value);
    const whole = field.value.startsWith("#") ? " Put it behind the address of the map." : " It opens this view for whoever has this file at the same place; behind another address, only the part from # is needed.";
    fill(hint, (isCopied ? "Copied." : "Copy the link from the field.") + whole);
  }

  const hint = el("p", { class: "gs-sub" });
  put(box, el("div", { class: "gs-x" }, el("div", { class: "gs-x-buttons" }, el("button", { type: "button", id: "gs-copy-link", onclick: copy }, "Copy link to this view")), field, hint));

  app.on("ready", () => {
    initial.layers = shownLayers();
    if (location.hash.length > 1) restore();
    isRead = true;
    for (const event of ["ranking", "select", "layers", "visible"]) app.on(event, write);
    app.map.on("moveend", () => ((isMoved = true), write()));
  });
  app.on("tab", (id) => ((tab = id), write()));
  window.addEventListener("hashchange", restore);
};
