/* The toolbar on the map: outlines, lengths, places, the whole view, full screen. */

// Geoman takes up every layer that is made unless it is told first to wait until it is asked.
L.PM.setOptIn(true);

geosite.tools = function (app) {
  "use strict";
  const { el, fill } = geosite.dom;
  const { map } = app;
  const { geodesy } = geosite;
  const found = geosite.found(app);
  const COLOUR = "#a3145c";
  const LINE = { color: COLOUR, weight: 3, fillColor: COLOUR, fillOpacity: 0.08, pmIgnore: false, interactive: false };

  const level = map.createPane("gs-tools");
  level.style.zIndex = 640;
  level.style.pointerEvents = "none";
  const drawn = L.featureGroup([], { pane: "gs-tools" }).addTo(map);
  let drawing = "", working = null; // the shape that is drawn, and Geoman's layer of it

  // A click that sets a corner does not also open the site under it.
  const select = app.select;
  app.select = (index, from) => {
    if (!(drawing && from === "map")) select(index, from);
  };

  // ── buttons ──
  const SIGNS = {
    outline: "M4 8 12 3 20 9 17 20 6 18Z",
    corners: "M3 6h18v12H3Z M6 10h.01 M10 10h.01 M14 10h.01 M18 10h.01 M8 14h8",
    measure: "M3 17 17 3l4 4L7 21Z M7 13l2 2 M10 10l3 3 M13 7l2 2",
    clear: "M5 7h14 M10 7V4h4v3 M7 7l1 13h8l1-13",
    home: "M4 11 12 4l8 7 M6 10v10h12V10",
    full: "M4 9V4h5 M15 4h5v5 M20 15v5h-5 M9 20H4v-5",
  };
  const TITLES = {
    outline: "Draw an outline: its area, the sites and rules in it", corners: "Type or paste the corners of an outline", measure: "Measure a line",
    clear: "Clear what was drawn", home: "The whole area", full: "Full screen",
  };
  function sign(path) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
    line.setAttribute("d", path);
    svg.appendChild(line);
    return svg;
  }
  const buttons = {};
  for (const name of Object.keys(SIGNS))
    buttons[name] = el("button", { type: "button", id: `gs-tool-${name}`, title: TITLES[name], "aria-label": TITLES[name],
      "aria-pressed": ["outline", "measure", "full"].includes(name) ? "false" : null, onclick: () => press(name) }, sign(SIGNS[name]));
  const line = el("b");
  const note = el("small");
  const done = el("div", { class: "gs-buttons", hidden: true },
    el("button", { type: "button", class: "gs-quiet", id: "gs-tool-done", onclick: () => finish() }, "Done"),
    el("button", { type: "button", class: "gs-quiet", id: "gs-tool-cancel", onclick: () => { stop(); app.say("Cancelled"); } }, "Cancel"));
  const readout = el("div", { class: "gs-readout", hidden: true }, line, note, done);
  L.DomEvent.disableClickPropagation(readout);
  const Bar = L.Control.extend({
    options: { position: "topleft" },
    onAdd() {
      const made = el("div", { class: "gs-tools leaflet-bar", role: "toolbar", "aria-label": "Tools of the map" }, Object.values(buttons));
      L.DomEvent.disableClickPropagation(made);
      return made;
    },
  });
  const Words = L.Control.extend({ options: { position: "topleft" }, onAdd: () => readout });
  new Bar().addTo(map);
  new Words().addTo(map);

  // The plugin's own button is a link that the space bar does not press; ours presses it.
  const full = new L.Control.FullScreen({ fullscreenElement: document.documentElement, forceSeparateButton: true }).addTo(map);
  full.getContainer().hidden = true;
  map.on("enterFullscreen exitFullscreen", ({ type }) => {
    const on = type === "enterFullscreen";
    document.documentElement.classList.toggle("gs-full", on);
    buttons.full.setAttribute("aria-pressed", String(on));
    map.invalidateSize();
  });

  const calm = () => ({ animate: !matchMedia("(prefers-reduced-motion: reduce)").matches });
  const acts = {
    outline: () => draw("Polygon"),
    measure: () => draw("Line"),
    corners: () => { stop(); type(); },
    clear: () => { clear(); app.say("Cleared"); },
    home: () => app.home(calm()),
    // Refused where a frame may not fill the screen.
    full: () => full.toggleFullScreen().catch(() => app.say("This page may not fill the screen here")),
  };
  const press = (name) => acts[name]();

  function say(words, more) {
    readout.hidden = !words;
    fill(line, words || "");
    fill(note, more || "");
    done.hidden = !drawing;
  }

  // ── drawing ──
  const HOW = "A click sets a corner; Enter or a double click ends, Escape cancels";
  function draw(shape) {
    const again = drawing === shape;
    stop();
    if (again) return;
    clear();
    drawing = shape;
    buttons[shape === "Polygon" ? "outline" : "measure"].setAttribute("aria-pressed", "true");
    map.doubleClickZoom.disable();
    map.pm.enableDraw(shape, {
      snappable: false, tooltips: false, allowSelfIntersection: shape === "Line", finishOn: "dblclick",
      pathOptions: LINE, templineStyle: { color: COLOUR, weight: 3 }, hintlineStyle: { color: COLOUR, weight: 2, dashArray: "5 5" },
    });
    say(shape === "Polygon" ? "Drawing an outline" : "Measuring", HOW);
    app.say(HOW);
  }

  const corners = (layer) => (layer.getLatLngs().flat(3)).map((p) => [p.lng, p.lat]);
  function running(at) {
    if (!drawing) return;
    const set = working ? corners(working) : [];
    const points = at ? [...set, [at.lng, at.lat]] : set;
    if (!set.length) return;
    say(drawing === "Line" || points.length < 3 ? geodesy.way(geodesy.length(points)) : geodesy.ground(geodesy.area(points)), HOW);
  }
  map.on("mousemove", (event) => running(event.latlng));
  // Leaflet makes buttons of Geoman's signs of corners; the keyboard has its own way to draw.
  const hush = () => {
    for (const sign of map.getContainer().querySelectorAll(".marker-icon")) {
      sign.removeAttribute("role");
      sign.removeAttribute("tabindex");
      sign.setAttribute("aria-hidden", "true");
    }
  };
  map.on("pm:drawstart", ({ workingLayer }) => {
    working = workingLayer;
    hush();
    workingLayer.on("pm:vertexadded", () => {
      hush();
      running();
    });
  });

  function stop() {
    if (!drawing) return;
    map.pm.disableDraw();
    drawing = "";
    working = null;
    say("");
    buttons.outline.setAttribute("aria-pressed", "false");
    buttons.measure.setAttribute("aria-pressed", "false");
    // The click that ends a drawing is not also a zoom.
    setTimeout(() => drawing || map.doubleClickZoom.enable(), 300);
  }

  function finish() {
    const needed = drawing === "Polygon" ? 3 : 2;
    // Geoman ends a drawing by a click alone: a key has to use what the click does.
    if (working && corners(working).length >= needed) map.pm.Draw[drawing]._finishShape();
    else app.say(`At least ${needed} corners are needed`);
  }

  map.on("pm:create", ({ shape, layer }) => {
    const points = corners(layer);
    map.removeLayer(layer);
    stop();
    if (shape === "Polygon") outline(points);
    else {
      put1(L.polyline(points.map(([x, y]) => [y, x]), { ...LINE, pane: "gs-tools" }));
      const words = geodesy.way(geodesy.length(points));
      say(words, "length of the line, on the ellipsoid");
      app.say(words);
    }
  });
  const put1 = (layer) => drawn.clearLayers().addLayer(layer);

  document.addEventListener("keydown", (event) => {
    if (!drawing) return;
    if (event.key === "Escape") {
      event.preventDefault();
      stop();
      app.say("Cancelled");
    } else if (event.key === "Enter") {
      // On a button, Enter presses it.
      if (event.target.closest && event.target.closest("button, input, textarea, select, a")) {
        const tool = { Polygon: "gs-tool-outline", Line: "gs-tool-measure" }[drawing];
        if (event.target.id !== tool) return;
      }
      event.preventDefault();
      finish();
    }
  }, true);

  /** An outline, however it came: its shape on the map, what is in it beside it. */
  function outline(ring, fit) {
    put1(L.polygon(ring.map(([x, y]) => [y, x]), { ...LINE, pane: "gs-tools" }));
    if (fit) map.fitBounds(drawn.getBounds(), { ...calm(), padding: [30, 30] });
    const panel = found.outline(ring, clear);
    // What was typed into is gone; the answer stands in its place.
    if (fit) panel.focus({ preventScroll: true });
    app.emit("outline", ring);
  }

  function clear() {
    stop();
    drawn.clearLayers();
    found.clear();
    say("");
    if (app.filter && app.filter.chosen.within) app.filter.set({ within: null });
  }

  // ── corners by keyboard ──
  function type() {
    clear();
    const text = el("textarea", { rows: 6, id: "gs-corners", spellcheck: "false" });
    const faults = el("div", { role: "alert" });
    const use = () => {
      const read = geosite.coordinates.outline(text.value, app.data.view);
      fill(faults, read.faults.slice(0, 8).map((fault) => el("p", { class: "gs-fault" }, fault)));
      if (!read.faults.length) outline(read.ring, true);
    };
    found.show("Corners of an outline", clear,
      el("label", { for: "gs-corners" }, "One corner a line, such as 39.5, -117.1 or N 39 30 W 117 6; or GeoJSON of one polygon (WGS84)"),
      text, faults, el("div", { class: "gs-buttons" }, el("button", { type: "button", class: "gs-quiet", id: "gs-use-corners", onclick: use }, "Use this outline")));
    text.focus();
  }

  /** Go to a place, mark it and say what is there. */
  app.goTo = (lat, lon) => {
    clear();
    const icon = L.divIcon({ className: "gs-mark", iconSize: [22, 22] });
    put1(L.marker([lat, lon], { icon, pane: "gs-tools", interactive: false, keyboard: false }));
    map.setView([lat, lon], Math.max(map.getZoom(), 10), calm());
    found.point(lat, lon, clear);
  };
  app.outline = (ring) => outline(ring, true);
};
