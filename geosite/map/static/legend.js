/* Signs of layers: beside a line of the tree, under it, and in the box on the map. */
geosite.legend = (function () {
  "use strict";
  const { el, fill } = geosite.dom;

  /** How a layer is drawn, small: a row of a legend is [sign, colour, words]. */
  function sign([kind, colour], style) {
    const { opacity, radius, stroke } = style || {};
    return el("span", {
      class: "gs-sign gs-sign-" + (["fill", "line", "dash", "dot", "hatch"].includes(kind) ? kind : "fill"),
      "aria-hidden": "true",
      "--c": colour,
      "--edge": stroke || "rgba(0,0,0,.35)",
      // What is pale on the map is as pale here.
      "--part": opacity === undefined ? undefined : `${Math.round(100 * Math.max(opacity, 0.12))}%`,
      "--size": radius === undefined ? undefined : `${Math.round(2 * radius + 1)}px`,
    });
  }

  /** Whether a legend is one sign, which then stands beside the title. */
  const isOne = (entry) => Boolean(entry.legend) && entry.legend.kind === "classes" && entry.legend.rows.length === 1;

  /** The legend of a layer as rows or as a ramp; null where one sign says it all. */
  function of(entry) {
    const { legend, style } = entry;
    if (!legend || !legend.rows.length || isOne(entry)) return null;
    if (legend.kind === "ramp") {
      const colours = legend.rows.map((row) => row[1]);
      const [low, high] = legend.ends;
      return el(
        "div", { class: "gs-ramp" },
        el("span", { class: "gs-ramp-bar", role: "img", "aria-label": `colours from ${low} to ${high}`, "--ramp": `linear-gradient(to right, ${colours.join(", ")})` }),
        el("span", { class: "gs-ramp-ends" }, el("span", {}, low), el("span", {}, high)),
      );
    }
    return el("ul", { class: "gs-classes" }, legend.rows.map((row) => el("li", {}, sign(row, style), row[2])));
  }

  /** The box on the map: what is shown now, by heading. It is filled while it is open only. */
  function box(app) {
    const { map, data } = app;
    const body = el("div", { class: "gs-legend-body", tabindex: "0", role: "group", "aria-label": "Legend" });
    const whole = el("details", { class: "gs-legend" }, el("summary", {}, "Legend"), body);
    whole.open = map.getSize().x > 700 && map.getSize().y > 520;

    function refresh() {
      if (!whole.open) return;
      const heads = new Map();
      for (const entry of data.layers) {
        if (!entry.legend || !app.layers.shown.has(entry.id)) continue;
        const head = entry.group[0] || "";
        if (!heads.has(head)) heads.set(head, []);
        const row = isOne(entry) ? el("p", {}, sign(entry.legend.rows[0], entry.style), entry.title) : el("div", {}, el("p", {}, entry.title), of(entry));
        heads.get(head).push(row);
      }
      const parts = Array.from(heads, ([head, rows]) => el("section", {}, el("h3", {}, head), rows));
      fill(body, parts.length ? parts : el("p", {}, "No layer is shown."));
    }

    app.refreshLegend = refresh;
    const Box = L.Control.extend({ options: { position: "bottomleft" }, onAdd: () => whole });
    new Box().addTo(map);
    L.DomEvent.disableClickPropagation(whole);
    L.DomEvent.disableScrollPropagation(whole);
    whole.addEventListener("toggle", refresh);
    app.on("layers", refresh);
    app.on("ready", refresh);
  }

  return { sign, isOne, of, box };
})();
