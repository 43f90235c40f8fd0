/* Tables of the ranking that is shown, and a picture of the view, as files. */
geosite.exporting = function (app, box) {
  "use strict";
  const { el, put, fill } = geosite.dom;
  const { data } = app;
  const { sites, criteria } = data;

  const slug = (words, longest) => String(words).normalize("NFKD").replace(/[^A-Za-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, longest).replace(/-+$/, "").toLowerCase();

  /** A name that any disk takes: title of the run, its day, and whose ranking it is. */
  function fileName(kind, extension) {
    const parts = [slug(data.title, 60) || "map", slug(data.as_of || "", 10), kind, app.isStated() ? "" : "re-weighted"];
    return parts.filter(Boolean).join("-") + "." + extension;
  }

  // ---- rows -----------------------------------------------------------------------------
  /** Sites in the order of the ranking: all of them, or those that the filter leaves. */
  function listed(isAll) {
    return Array.from(app.state.ranking.order).filter((i) => isAll || app.state.visible[i]);
  }

  const known = (value) => (value === undefined || value === null || Number.isNaN(value) ? null : value);
  const column = (name, i) => known(sites[name] && sites[name][i]);

  /** What is said of a site: name and value of each column. */
  function row(i, rankedBy) {
    const rank = app.state.ranking.rank[i] || null;
    const first = app.first.rank[i] || null;
    const found = {
      rank, rank_of_run: first,
      // Up is positive, as on the page.
      change: rank && first ? first - rank : null,
      score: known(app.state.ranking.score[i]),
      score_of_run: known(app.first.score[i]),
      site_id: sites.site_id[i], name: sites.name[i],
      tier_of_run: column("tier", i), rank_best_of_run: column("rank_best", i), rank_worst_of_run: column("rank_worst", i),
      agency: column("agency", i), state: column("state", i), county: column("county", i),
      commodities: (sites.commodities[i] || []).join("; "),
      area_ha: column("area_ha", i), longitude: column("lon", i), latitude: column("lat", i),
    };
    criteria.forEach((c, k) => (found["score_" + c.id] = sites.scores[k][i] < 0 ? null : sites.scores[k][i] / 10000));
    found.ranked_by = rankedBy;
    found.marking = data.marking;
    found.notice = data.notice;
    return found;
  }

  // ---- CSV ------------------------------------------------------------------------------
  function csv(isAll) {
    const rankedBy = geosite.combining.rankedBy(app);
    const rows = listed(isAll).map((i) => row(i, rankedBy));
    const names = Object.keys(row(0, rankedBy));
    return geosite.files.csv([names, ...rows.map((r) => names.map((n) => r[n]))]);
  }

  // ---- GeoJSON --------------------------------------------------------------------------
  const STEPS = 1e5;

  /** A closed ring of degrees, of whole steps. */
  function ring(flat) {
    const found = [];
    for (let k = 0; k < flat.length; k += 2) found.push([flat[k] / STEPS, flat[k + 1] / STEPS]);
    found.push(found[0].slice());
    return found;
  }

  function area(points) {
    let sum = 0;
    for (let k = 1; k < points.length; k++) sum += points[k - 1][0] * points[k][1] - points[k][0] * points[k - 1][1];
    return sum / 2;
  }

  /** Outline of a site: outer rings run against the clock, holes with it (RFC 7946, 3.1.6). */
  function geometry(i) {
    const polygons = sites.rings(i)
      .filter((rings) => rings.length && rings[0].length >= 6)
      .map((rings) => rings.filter((r) => r.length >= 6).map((flat, at) => {
        const points = ring(flat);
        return area(points) > 0 === (at === 0) ? points : points.reverse();
      }));
    if (!polygons.length) return { type: "Point", coordinates: [sites.lon[i], sites.lat[i]] };
    return polygons.length === 1 ? { type: "Polygon", coordinates: polygons[0] } : { type: "MultiPolygon", coordinates: polygons };
  }

  function geojson(isAll) {
    const rankedBy = geosite.combining.rankedBy(app);
    const features = listed(isAll).map((i) => ({ type: "Feature", id: sites.site_id[i], geometry: geometry(i), properties: row(i, rankedBy) }));
    return JSON.stringify({ type: "FeatureCollection", name: data.title, ranked_by: rankedBy, notice: data.notice, features });
  }

  // ---- files ----------------------------------------------------------------------------
  function save(content, name, type) {
    geosite.files.save(content, name, type);
    const words = "Saved as " + name;
    fill(line, words);
    app.say(words);
  }

  const scope = (value, words, isOn) => el("label", {}, el("input", { type: "radio", name: "gs-x-scope", value, checked: isOn }), " " + words);
  const isAll = () => box.querySelector("input[name=gs-x-scope]:checked").value === "all";

  async function picture(event) {
    const button = event.currentTarget;
    button.disabled = true;
    fill(line, "Drawing the picture…");
    try {
      save(await geosite.picture(app), fileName("view", "png"));
    } catch (error) {
      fill(line, "The picture could not be made: " + (error && error.message ? error.message : "a part of the map cannot be copied") + ". Switch off online base maps and try again.");
      app.say(line.textContent);
    } finally {
      button.disabled = false;
    }
  }

  const line = el("p", { class: "gs-sub" });
  const button = (id, words, f) => el("button", { type: "button", id, onclick: f }, words);
  put(
    box,
    el("details", { class: "gs-x" },
      el("summary", {}, "Export"),
      el("fieldset", {}, el("legend", {}, "Sites:"), scope("all", "all", true), scope("shown", "only those the filter shows")),
      el("div", { class: "gs-x-buttons" },
        button("gs-save-csv", "Table (CSV)", () => save(csv(isAll()), fileName("sites", "csv"), "text/csv")),
        button("gs-save-geojson", "Outlines (GeoJSON)", () => save(geojson(isAll()), fileName("sites", "geojson"), "application/geo+json")),
        button("gs-save-png", "Picture of the view (PNG)", picture)),
      line,
      el("p", { class: "gs-sub" }, "Every file says by which rule and weights its sites are ranked. Outlines are those of this page, which are simplified; sites.gpkg of the run has them as they are.")),
  );
  app.exports = { csv, geojson, fileName };
};
