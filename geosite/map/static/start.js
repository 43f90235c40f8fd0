/* Starts the page: every panel is told of the application, in the order of their events. */
geosite.start = function (map, bases) {
  "use strict";
  document.documentElement.lang = "en";
  // Folium forbids to enlarge the page on a phone; who reads poorly has to.
  const viewport = document.querySelector("meta[name=viewport]");
  if (viewport) viewport.content = "width=device-width, initial-scale=1";
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
    Object.assign(map.options, { zoomAnimation: false, fadeAnimation: false, markerZoomAnimation: false, inertia: false });
    // Leaflet reads the options when the map is made, which Folium has done before.
    map._zoomAnimated = map._fadeAnimated = false;
  }
  const waiting = document.getElementById("gs-waiting");
  if (waiting) waiting.remove();
  const app = geosite.app(map, bases);
  const box = (id) => document.getElementById(id);

  // Quarter steps of zoom: with whole ones an area may fill a fourth of the map.
  map.options.zoomSnap = 0.25;
  const stepped = () => map.getContainer().classList.toggle("gs-between", map.getZoom() % 1 !== 0);
  map.on("zoomend", stepped);
  app.home = (options) => map.fitBounds(app.data.view, { padding: map.getSize().x > 500 ? [45, 30] : [12, 12], ...options });
  app.home({ animate: false });
  map.getContainer().setAttribute("role", "region");
  map.getContainer().setAttribute("aria-label", "Map");
  L.control.zoom({ position: "bottomright" }).addTo(map);

  const tabs = Array.from(document.querySelectorAll("#gs-tabs [role=tab]"));
  app.openTab = (id) => {
    for (const tab of tabs) {
      const mine = tab.getAttribute("aria-controls") === id;
      tab.setAttribute("aria-selected", String(mine));
      tab.tabIndex = mine ? 0 : -1;
      box(tab.getAttribute("aria-controls")).hidden = !mine;
    }
    app.emit("tab", id);
  };
  tabs.forEach((tab, i) => {
    tab.addEventListener("click", () => app.openTab(tab.getAttribute("aria-controls")));
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const next = tabs[(i + step + tabs.length) % tabs.length];
      next.focus();
      next.click();
    });
  });

  geosite.pulling(app);
  geosite.state(app);
  geosite.compared(app);
  geosite.sites(app);
  geosite.layers(app, box("gs-layers"));
  geosite.card(app, box("gs-card"));
  geosite.table(app, box("gs-table"));
  geosite.banner(app);
  geosite.weights(app, box("gs-weights"));
  geosite.exporting(app, box("gs-export"));
  geosite.find(app, box("gs-find"));
  geosite.tools(app);
  geosite.swipe(app);
  geosite.hash(app, box("gs-export"));
  geosite.printing(app);
  app.emit("ready");
  window.addEventListener("resize", () => map.invalidateSize());
  geosite.current = app;
  document.documentElement.dataset.geosite = "ready";
};
