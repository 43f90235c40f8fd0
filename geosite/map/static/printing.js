/* On paper: the map as it is seen, as wide as the page, and what it is over it and the whole legend under it. */
geosite.printing = function (app) {
  "use strict";
  const WIDE = 700, HIGH = 520; // pixels of CSS that a page has room for beside its margins
  const root = document.documentElement, held = app.map.getContainer(), legend = document.querySelector(".gs-legend");
  const side = document.getElementById("gs-side"), header = side.querySelector("header");
  let home = null, wasOpen = false;

  function begin() {
    if (home) return;
    const { x, y } = app.map.getSize();
    // Nothing is drawn anew: what is not on the screen could not be drawn in time.
    root.style.setProperty("--map-wide", `${x}px`);
    root.style.setProperty("--map-high", `${y}px`);
    root.style.setProperty("--map-part", String(Math.min(WIDE / x, HIGH / y, 1)));
    // What it is stands over the map.
    held.before(header);
    home = legend.parentElement;
    wasOpen = legend.open;
    legend.open = true;
    app.refreshLegend();
    held.after(legend);
  }

  function end() {
    if (!home) return;
    side.querySelector("#gs-tabs").before(header);
    home.append(legend);
    legend.open = wasOpen;
    home = null;
  }
  window.addEventListener("beforeprint", begin);
  window.addEventListener("afterprint", end);
};
