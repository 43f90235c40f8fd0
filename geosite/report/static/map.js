/* Draws the data block of the page. Every text becomes a text node: nothing is read as HTML. */
function geositeMap(map, groups, control) {
  "use strict";
  const data = JSON.parse(document.getElementById("geosite-data").textContent);
  document.getElementById("gs-waiting").remove();
  // From the bottom up: fills of the land, pictures, borders of the land and of the AOI,
  // what is excluded, deposits, sites. Only one canvas may listen: the topmost hears all.
  const pane = (name, level, deaf) => {
    const made = map.getPane(name) || map.createPane(name);
    made.style.zIndex = level;
    if (deaf) made.style.pointerEvents = "none";
    return name;
  };
  const land = L.canvas({ pane: pane("gs-land", 330), padding: 0.3 });
  pane("gs-pictures", 350, true);
  const borders = L.canvas({ pane: pane("gs-borders", 370, true), padding: 0.3 });
  const rules = L.svg({ pane: pane("gs-rules", 410), padding: 0.3 });
  const dotted = L.svg({ pane: pane("gs-points", 430), padding: 0.3 });
  const above = L.svg({ pane: pane("gs-sites", 450), padding: 0.3 });
  const FOOTPRINT_PIXELS = 16;
  const TIERS = { A: "#2d0b4e", B: "#9f2a63", C: "#75654a" };

  // Beside the layer control where there is room, not below it.
  const size = map.getSize();
  const right = size.x > 700 ? control.getContainer().offsetWidth + 20 : 0;
  map.fitBounds(data.view, { paddingTopLeft: [10, 10], paddingBottomRight: [right, 10], animate: false });

  function node(tag, name, text) {
    const made = document.createElement(tag);
    if (name) made.className = name;
    if (text !== undefined && text !== null) made.textContent = String(text);
    return made;
  }

  function lines(texts) {
    const box = node("div");
    for (const text of texts) if (text) box.appendChild(node("div", "", text));
    return box;
  }

  const tip = { className: "gs-tip", sticky: true };

  function areas(group, part) {
    const fill = { renderer: land, pane: "gs-land", stroke: false, fillColor: part.colour, fillOpacity: 0.45 };
    const line = { renderer: borders, pane: "gs-borders", color: part.edge, weight: 0.9, opacity: 0.9, fill: false, interactive: false };
    for (const [geometry, words] of part.features) {
      group.addLayer(L.geoJSON(geometry, fill).bindTooltip(() => lines(words), tip));
      group.addLayer(L.geoJSON(geometry, line));
    }
  }

  function excluded(group, part) {
    const style = {
      renderer: rules, pane: "gs-rules", color: part.colour, weight: 1, dashArray: "3 2", fillColor: part.colour, fillOpacity: 0.04,
    };
    for (const [geometry, name] of part.features) {
      const drawn = L.geoJSON(geometry, style);
      group.addLayer(drawn.bindTooltip(() => lines([name, ...part.words]), tip));
    }
  }

  function outline(group, part) {
    const style = { renderer: borders, pane: "gs-borders", color: part.colour, weight: 1.8, fill: false, interactive: false };
    for (const geometry of part.features) group.addLayer(L.geoJSON(geometry, style));
  }

  // The parts of what would be built. Only their edges listen: what lies within is the site.
  // From far away they would be specks that hide the colours of the sites, so they wait.
  function footprints(group, part) {
    const style = { renderer: above, pane: "gs-sites", color: part.colour, weight: 2, fill: false };
    for (const [geometry, words] of part.features) {
      const drawn = L.geoJSON(geometry, style);
      const bounds = drawn.getBounds();
      const wait = () => {
        const far = map.latLngToLayerPoint(bounds.getNorthEast()).distanceTo(map.latLngToLayerPoint(bounds.getSouthWest())) < FOOTPRINT_PIXELS;
        drawn.eachLayer((shape) => shape.getElement() && (shape.getElement().style.display = far ? "none" : ""));
      };
      drawn.on("add", wait);
      map.on("zoomend", wait);
      group.addLayer(drawn.bindTooltip(() => lines(words), tip).bindPopup(() => lines(words)));
    }
  }

  function points(group, part) {
    const style = { renderer: dotted, pane: "gs-points", radius: 2.6, weight: 0.8, color: "#fff", fillColor: part.colour, fillOpacity: 0.9 };
    for (const [lat, lon, words] of part.features) {
      group.addLayer(L.circleMarker([lat, lon], style).bindTooltip(() => {
        const [name, commodities, evidence, quality, records, potential] = words;
        return lines([name || "unnamed deposit", commodities, evidence.replaceAll("_", " "), quality && "record quality " + quality, records, potential]);
      }, tip));
    }
  }

  function bar(part, parts, heaviest) {
    const [title, weight, effective, contribution] = part;
    const known = effective !== null;
    const row = node("div", known ? "gs-bar" : "gs-bar gs-missing");
    row.appendChild(node("span", "gs-label", title));
    const whole = node("span");
    const track = node("div", "gs-track");
    track.style.width = 100 * (weight / heaviest) + "%";
    const done = node("div", "gs-done");
    done.style.width = 100 * Math.max(0, Math.min(1, known ? effective : 0)) + "%";
    track.appendChild(done);
    whole.appendChild(track);
    row.appendChild(whole);
    const shown = parts === "none" ? effective : contribution;
    const text = shown === null ? "unknown" : shown.toFixed(parts === "sum" ? 3 : 2).replace(/^-(?=[0.]+$)/, "");
    row.appendChild(node("span", "gs-value", text));
    row.title = "weight " + (100 * weight).toFixed(1) + " %, score " + (known ? effective.toFixed(2) : "unknown");
    return row;
  }

  function interval(site) {
    const [low, high] = (site.range || []).map((v) => v.toFixed(2));
    if (low === undefined) return "";
    return low === high && site.score !== null && low === site.score.toFixed(2) ? ""
      : "Suitability from " + low + " to " + high + " with what is not known";
  }

  function ranked(site) {
    return (site.rank === null ? "–" : site.rank) + (site.span ? " (" + site.span + ")" : "");
  }

  const MADE = {
    sum: "What the suitability is made of",
    logarithm: "What lowers it (parts of the logarithm)",
    none: "Scores (the rule is no sum of parts)",
  };

  function card(site, parts, rule) {
    const box = node("div", "gs-card");
    box.appendChild(node("h3", "", site.name));
    box.appendChild(node("p", "gs-sub", site.id));
    box.appendChild(node("p", "gs-sub", site.place));
    const badges = node("div", "gs-badges");
    const tier = node("span", "gs-badge gs-tier", "Tier " + (site.tier || "–"));
    tier.style.setProperty("--c", TIERS[site.tier] || "#75654a");
    badges.appendChild(tier);
    badges.appendChild(node("span", "gs-badge", "Rank " + ranked(site)));
    badges.appendChild(node("span", "gs-badge", "Suitability " + (site.score === null ? "unknown" : site.score.toFixed(2))));
    if (site.interval) badges.appendChild(node("span", "gs-sub", site.interval));
    box.appendChild(badges);
    const span = site.span ? "Rank " + site.span + " with what is not known" : "";
    const doubt = [interval(site), span, site.known].filter(Boolean).join("; ");
    if (doubt) box.appendChild(node("p", "gs-sub gs-doubt", doubt));
    box.appendChild(node("h4", "", MADE[parts]));
    const bars = node("div", "gs-bars");
    const heaviest = Math.max(1e-9, ...site.parts.map((p) => p[1]));
    for (const part of site.parts) bars.appendChild(bar(part, parts, heaviest));
    box.appendChild(bars);
    box.appendChild(node("p", "gs-sub", "Length of a bar: weight. Filled: score at this site. " + (rule || "")));
    for (const [title, rows] of site.sections) {
      box.appendChild(node("h4", "", title));
      const list = node("dl", "gs-facts");
      for (const [term, text] of rows) {
        list.appendChild(node("dt", "", term));
        list.appendChild(node("dd", "", text));
      }
      box.appendChild(list);
    }
    const [lat, lon] = site.point;
    box.appendChild(node("p", "gs-sub", "Point inside: " + lat.toFixed(5) + ", " + lon.toFixed(5) + " (WGS 84)"));
    return box;
  }

  function sites(group, part) {
    const best = document.getElementById("gs-best");
    const dots = [];
    // The best are drawn last, so that they lie on top.
    for (const [geometry, site] of part.features.slice().reverse()) {
      const shape = L.geoJSON(geometry, {
        renderer: above, pane: "gs-sites", color: "#fff", weight: 1.2, fillColor: site.colour, fillOpacity: 0.85,
      });
      const marks = [shape];
      if (site.rank !== null && site.rank <= 10) {
        const pin = node("div", "gs-pin", site.rank);
        pin.style.setProperty("--c", site.colour);
        const icon = L.divIcon({ className: "gs-marker", html: pin, iconSize: [22, 22] });
        marks.push(L.marker(site.point, { icon, zIndexOffset: 1000 - site.rank, alt: "site of rank " + site.rank, keyboard: true }));
      } else {
        const dot = L.circleMarker(site.point, {
          renderer: above, pane: "gs-sites", radius: 4, weight: 1, color: "#fff", fillColor: site.colour, fillOpacity: 0.95,
        });
        dots.push([dot, shape]);
        marks.push(dot);
      }
      for (const mark of marks) {
        mark.bindTooltip(() => lines([(site.rank === null ? "" : site.rank + " · ") + site.name, site.place]), tip);
        mark.bindPopup(() => card(site, part.parts, part.rule), { minWidth: 320, maxWidth: 360 });
        group.addLayer(mark);
      }
      if (site.rank !== null && site.rank <= 10) best.prepend(entry(site, marks));
    }
    // A dot stands for a site that is too small to see, and yields to its outline.
    const yieldDots = () => {
      for (const [dot, shape] of dots) {
        const box = shape.getBounds();
        const a = map.latLngToLayerPoint(box.getSouthWest()), b = map.latLngToLayerPoint(box.getNorthEast());
        const seen = Math.max(Math.abs(a.x - b.x), Math.abs(a.y - b.y)) > 14;
        dot.setStyle({ opacity: seen ? 0 : 1, fillOpacity: seen ? 0 : 0.95 });
      }
    };
    map.on("zoomend", yieldDots);
    yieldDots();
  }

  function entry(site, marks) {
    const row = node("li"), button = node("button");
    button.type = "button";
    const pin = node("span", "gs-pin", site.rank);
    pin.style.setProperty("--c", site.colour);
    const words = node("span", "gs-name", site.name);
    words.appendChild(node("small", "", site.place));
    const score = node("span", "gs-sub gs-score", (site.tier ? site.tier + " · " : "") + (site.score === null ? "–" : site.score.toFixed(2)));
    if (interval(site)) score.appendChild(node("small", "", site.range.map((v) => v.toFixed(2)).join("–")));
    button.append(pin, words, score);
    button.title = ["Rank " + ranked(site), interval(site), site.known].filter(Boolean).join("; ");
    button.addEventListener("click", () => {
      const bounds = marks[0].getBounds().pad(3);
      map.once("moveend", () => marks[marks.length - 1].openPopup());
      map.fitBounds(bounds, { maxZoom: 12, animate: false });
    });
    row.appendChild(button);
    return row;
  }

  const draw = { areas, excluded, footprints, outline, points, sites };
  data.drawings.forEach((part, i) => draw[part.kind](groups[i], part));

  // Headings in the layer control, which Leaflet rebuilds now and then.
  const update = control._update;
  control._update = function () {
    update.call(this);
    const labels = Array.from(this._overlaysList.querySelectorAll("label"));
    let at = 0;
    for (const [title, count] of data.heads) {
      if (labels[at]) labels[at].before(node("div", "gs-head", title));
      at += count;
    }
    return this;
  };
  control._update();
  document.documentElement.dataset.geosite = "ready";
}
