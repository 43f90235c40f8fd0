/* Sites on the map: dots and outlines on one canvas, coloured by rank; the first ten are numbered. */
geosite.sites = function (app) {
  "use strict";
  const { sites } = app.data;
  const renderer = L.canvas({ pane: "gs-sites", padding: 0.3 });
  const marks = [];
  for (let i = 0; i < sites.n; i++) {
    const mark = L.circleMarker([sites.lat[i], sites.lon[i]], { renderer, pane: "gs-sites", radius: 4, weight: 1, color: "#fff", fillOpacity: 0.95 });
    mark.on("click", () => app.select(i, "map"));
    marks.push(mark.addTo(app.map));
  }
  app.on("ranking", ({ rank }) => marks.forEach((mark, i) => mark.setStyle({ fillColor: app.colour(rank[i]) })));
};
