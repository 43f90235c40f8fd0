/* Numbered pins on the best ten sites: elements of the page, so that a keyboard reaches them. */
geosite.pins = function (app) {
  "use strict";
  const { sites } = app.data;
  const { el, fill } = geosite.dom;
  const BEST = 10;
  const group = L.layerGroup().addTo(app.sitesLayer);
  const pins = [];

  function pin() {
    const box = el("span", { class: "gs-pin" });
    const made = { box, site: -1, marker: null };
    const icon = L.divIcon({ html: box, className: "gs-pin-at", iconSize: [22, 22], iconAnchor: [11, 11] });
    made.marker = L.marker([0, 0], { icon, keyboard: true, riseOnHover: true, pmIgnore: true });
    made.marker.on("click", (event) => {
      L.DomEvent.stop(event);
      app.select(made.site, "map");
    });
    // A button is pressed by Enter and by Space, also one that Leaflet made.
    made.marker.on("keydown", ({ originalEvent }) => {
      if (originalEvent.key !== "Enter" && originalEvent.key !== " ") return;
      L.DomEvent.stop(originalEvent);
      app.select(made.site, "map");
    });
    made.marker.on("mouseover", () => app.light(made.site, "map"));
    made.marker.on("mouseout", () => app.light(-1, "map"));
    // An icon is made anew each time it comes back to the map, and Leaflet gives it no words.
    made.marker.on("add", () => say(made));
    pins.push(made);
    return made;
  }

  function say(made) {
    const shown = made.marker.getElement();
    if (!shown || made.site < 0) return;
    const { site } = made, rank = app.state.ranking.rank[site], was = app.first.rank[site];
    const moved = !app.isStated() && was && was !== rank ? (rank < was ? `up ${was - rank}` : `down ${rank - was}`) : "";
    const words = [`Rank ${rank}: ${sites.name[site] || "unnamed site"}`, moved && `${moved} from rank ${was}`].filter(Boolean).join(", ");
    shown.setAttribute("aria-label", words);
    shown.title = words;
    shown.classList.toggle("gs-chosen", app.state.selected === site);
    made.box.style.setProperty("--c", app.colour(rank));
    // Light fills carry dark figures.
    made.box.classList.toggle("gs-on-light", rank > 10);
    fill(made.box, String(rank), moved && el("i", { class: rank < was ? "gs-up" : "gs-down", "aria-hidden": "true" }, rank < was ? "▲" : "▼"));
  }

  function place() {
    const { rank, order } = app.state.ranking, visible = app.state.visible;
    const best = [];
    for (let k = 0; k < order.length && best.length < BEST; k++) {
      const i = order[k];
      if (visible[i] && rank[i] > 0 && sites.lat[i] !== null) best.push(i);
    }
    for (let k = 0; k < BEST; k++) {
      const made = pins[k] || pin();
      if (k >= best.length) {
        made.site = -1;
        group.removeLayer(made.marker);
        continue;
      }
      if (made.site !== best[k]) {
        made.site = best[k];
        made.marker.setLatLng([sites.lat[made.site], sites.lon[made.site]]);
        // The best lies on top where pins crowd.
        made.marker.setZIndexOffset(100 * (BEST - k));
      }
      if (group.hasLayer(made.marker)) say(made);
      else group.addLayer(made.marker);
    }
  }

  app.on("ranking", place);
  app.on("visible", place);
  app.on("select", () => pins.forEach(say));
};
