/* Sites on the map: dots from afar, outlines from near, coloured by rank, on a canvas of our own. */
geosite.sites = function (app) {
  "use strict";
  const { map, data } = app;
  const sites = data.sites;
  const { n } = sites;
  const OUTLINE = 12; // pixels: smaller than this, a site is a dot
  // Of a dot, pixels, by class of rank: the few best are seen, the many others leave land to be seen.
  const RADII = [6, 5.5, 5, 4.5, 4, 3.2, 2.6];
  const CROWD = 3; // pixels within which dots hide each other
  const EDGE = [["#fff", 2.4], ["rgba(60, 50, 30, 0.75)", 0.7]];
  const NEAR = 4; // pixels beside a dot that still mean it
  // Corners are kept as pixels of this zoom from the point of their site: near enough to zero
  // for the single precision of a canvas at any zoom.
  const HELD = 12;
  const world = (lat, lon) => map.options.crs.latLngToPoint(L.latLng(lat, lon), 0);

  // Points in pixels of zoom 0, and about how wide each site is there.
  const x = new Float64Array(n).fill(NaN), y = new Float64Array(n).fill(NaN), wide = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    if (sites.lat[i] === null || sites.lon[i] === null) continue;
    const at = world(sites.lat[i], sites.lon[i]);
    x[i] = at.x;
    y[i] = at.y;
    const metres = 156543 * Math.cos((sites.lat[i] * Math.PI) / 180);
    wide[i] = sites.area_ha[i] ? Math.sqrt(1e4 * sites.area_ha[i]) / metres : 0;
  }

  /* ── outlines: read when a site is first large enough to have one ── */
  const held = new Array(n); // {rings, path, box}: of zoom HELD, from the point of the site
  let reach = null; // boxes of all sites in pixels of zoom 0, from the first outline on

  function outline(i) {
    if (held[i]) return held[i];
    const path = new Path2D(), rings = [];
    const box = [Infinity, Infinity, -Infinity, -Infinity];
    for (const part of sites.rings(i)) {
      for (const ring of part) {
        const flat = new Float64Array(ring.length);
        for (let k = 0; k < ring.length; k += 2) {
          const at = world(ring[k + 1] / 1e5, ring[k] / 1e5);
          const px = (flat[k] = (at.x - x[i]) * 2 ** HELD), py = (flat[k + 1] = (at.y - y[i]) * 2 ** HELD);
          if (k) path.lineTo(px, py);
          else path.moveTo(px, py);
          if (px < box[0]) box[0] = px;
          if (py < box[1]) box[1] = py;
          if (px > box[2]) box[2] = px;
          if (py > box[3]) box[3] = py;
        }
        path.closePath();
        rings.push(flat);
      }
    }
    return (held[i] = { rings, path, box });
  }

  function boxes() {
    if (reach) return reach;
    reach = new Float64Array(4 * n);
    for (let i = 0; i < n; i++) {
      const { box, rings } = outline(i);
      for (let k = 0; k < 4; k++) reach[4 * i + k] = (k % 2 ? y : x)[i] + (rings.length ? box[k] / 2 ** HELD : 0);
    }
    return reach;
  }

  const isOutlined = (i, scale) => wide[i] * scale >= OUTLINE && outline(i).rings.length > 0;

  /** Bounds of a site on the earth. */
  function bounds(i) {
    const b = boxes();
    const corner = (px, py) => map.options.crs.pointToLatLng(L.point(px, py), 0);
    return L.latLngBounds(corner(b[4 * i], b[4 * i + 1]), corner(b[4 * i + 2], b[4 * i + 3]));
  }

  /* ── a sheet of the map: a canvas that Leaflet moves, and that we paint ── */
  // Leaflet's own canvas knows shapes and not sheets, so this stands beside it and fills in the same
  // members; the version is exact (assets/package.json), and the browser tests see them move.
  const Sheet = L.Renderer.extend({
    initialize(paint) {
      L.Renderer.prototype.initialize.call(this, { pane: "gs-sites", padding: 0.2 });
      this._paint = paint;
    },
    _initContainer() {
      this._container = L.DomUtil.create("canvas", "gs-sheet");
      this._container.setAttribute("aria-hidden", "true");
      this._context = this._container.getContext("2d");
    },
    _destroyContainer() {
      cancelAnimationFrame(this._asked);
      this._asked = 0;
      this._container.remove();
      delete this._context;
      delete this._container;
    },
    _updatePaths() {},
    _update() {
      if (this._map._animatingZoom && this._bounds) return;
      L.Renderer.prototype._update.call(this);
      const size = this._bounds.getSize(), dots = window.devicePixelRatio || 1, canvas = this._container;
      L.DomUtil.setPosition(canvas, this._bounds.min);
      // Setting a size clears a canvas and makes a new store, also where it is the same size.
      if (canvas.width !== Math.round(dots * size.x) || canvas.height !== Math.round(dots * size.y)) {
        canvas.width = Math.round(dots * size.x);
        canvas.height = Math.round(dots * size.y);
        canvas.style.width = size.x + "px";
        canvas.style.height = size.y + "px";
      }
      this.repaint();
    },
    /** Paint now. */
    repaint() {
      if (!this._context || !this._bounds) return;
      cancelAnimationFrame(this._asked);
      this._asked = 0;
      const dots = window.devicePixelRatio || 1, c = this._context;
      const size = this._bounds.getSize();
      c.setTransform(dots, 0, 0, dots, 0, 0);
      c.clearRect(0, 0, size.x, size.y);
      const scale = 2 ** this._zoom;
      const origin = map.getPixelOrigin().add(this._bounds.min);
      this._paint(c, { scale, dots, left: origin.x, top: origin.y, width: size.x, height: size.y });
    },
    /** Paint once before the next frame is shown. */
    repaintSoon() {
      this._asked = this._asked || requestAnimationFrame(() => this.repaint());
    },
  });

  /* ── painting ── */
  const dotsOf = new Map();
  // A dot is painted once for each colour, and stamped.
  function dot(k, dots) {
    const key = `${k} ${dots}`, colour = colours[k][1], radius = radiusOf(k);
    if (!dotsOf.has(key)) {
      const side = Math.ceil((2 * radius + 3) * dots);
      const made = new OffscreenCanvas(side, side), c = made.getContext("2d");
      c.beginPath();
      c.arc(side / 2, side / 2, radius * dots, 0, 2 * Math.PI);
      c.fillStyle = colour;
      c.fill();
      // White parts a dot from its neighbours, and a dark hairline the palest from the ground.
      c.lineWidth = (radius < 4 ? 0.6 : 1) * dots;
      c.strokeStyle = "#fff";
      c.stroke();
      c.beginPath();
      c.arc(side / 2, side / 2, (radius + 0.7) * dots, 0, 2 * Math.PI);
      c.lineWidth = 0.6 * dots;
      c.strokeStyle = "rgba(60, 50, 30, 0.75)";
      c.stroke();
      // A bitmap is stamped without asking each time whether a canvas has changed.
      dotsOf.set(key, made.transferToImageBitmap());
    }
    return dotsOf.get(key);
  }

  const colours = data.palette.ranks;
  const radiusOf = (k) => RADII[Math.min(k, RADII.length - 1)];
  function classes(rank) {
    let k = 0;
    while (k < colours.length - 1 && !(rank > 0 && rank <= colours[k][0])) k++;
    return k;
  }

  function place(c, i, view) {
    const s = view.scale / 2 ** HELD;
    c.setTransform(s * view.dots, 0, 0, s * view.dots, (x[i] * view.scale - view.left) * view.dots, (y[i] * view.scale - view.top) * view.dots);
    return s;
  }

  function isSeen(i, view) {
    const left = x[i] * view.scale - view.left, top = y[i] * view.scale - view.top;
    if (left > -8 && top > -8 && left < view.width + 8 && top < view.height + 8) return true;
    if (!(wide[i] * view.scale >= OUTLINE)) return false;
    const b = boxes(), k = 4 * i;
    return b[k + 2] * view.scale > view.left && b[k] * view.scale < view.left + view.width && b[k + 3] * view.scale > view.top && b[k + 1] * view.scale < view.top + view.height;
  }

  // Sites to paint, best first. Of dots that lie on one another to within a few pixels only the
  // best is painted: where thousands crowd, the others would be hidden by it.
  const taken = new Map();
  function seen(view) {
    const { order } = app.state.ranking, visible = app.state.visible, found = [];
    taken.clear();
    for (let at = 0; at < n; at++) {
      const i = order[at];
      if (!visible[i] || !isSeen(i, view)) continue;
      if (!isOutlined(i, view.scale)) {
        const cell = Math.floor((x[i] * view.scale) / CROWD) * 2 ** 26 + Math.floor((y[i] * view.scale) / CROWD);
        if (taken.has(cell)) continue;
        taken.set(cell, i);
      }
      found.push(i);
    }
    return found;
  }

  // The best are painted last, over the others.
  function paint(c, view) {
    if (!isStarted) return;
    const { rank } = app.state.ranking;
    const stamps = colours.map((_, k) => dot(k, view.dots));
    const found = seen(view);
    let isMoved = true;
    for (let at = found.length - 1; at >= 0; at--) {
      const i = found[at];
      const k = classes(rank[i]);
      if (isOutlined(i, view.scale)) {
        const s = place(c, i, view);
        isMoved = true;
        c.fillStyle = colours[k][1];
        c.globalAlpha = 0.85;
        c.fill(outline(i).path, "evenodd");
        c.globalAlpha = 1;
        for (const [colour, width] of EDGE) {
          c.lineWidth = width / s;
          c.strokeStyle = colour;
          c.stroke(outline(i).path);
        }
      } else {
        if (isMoved) c.setTransform(1, 0, 0, 1, 0, 0);
        isMoved = false;
        // On whole pixels of the screen a stamp is copied and not resampled.
        const half = stamps[k].width / 2;
        c.drawImage(stamps[k], Math.round((x[i] * view.scale - view.left) * view.dots - half), Math.round((y[i] * view.scale - view.top) * view.dots - half));
      }
    }
  }

  // A ring, dark within white, is seen on any ground.
  function ring(c, i, view, width) {
    if (i < 0 || !app.state.visible[i] || !isSeen(i, view)) return;
    const outlined = isOutlined(i, view.scale);
    const s = outlined ? place(c, i, view) : 1;
    let path = outlined && outline(i).path;
    if (!path) {
      c.setTransform(view.dots, 0, 0, view.dots, 0, 0);
      path = new Path2D();
      path.arc(x[i] * view.scale - view.left, y[i] * view.scale - view.top, radiusOf(classes(app.state.ranking.rank[i])) + 3, 0, 2 * Math.PI);
    }
    for (const [colour, more] of [["#fff", 3], ["#111", 0]]) {
      c.lineWidth = (width + more) / s;
      c.strokeStyle = colour;
      c.stroke(path);
    }
  }

  let lit = -1, isStarted = false;
  const sheet = new Sheet(paint);
  const rings = new Sheet((c, view) => {
    ring(c, app.state.selected, view, 2.5);
    if (lit !== app.state.selected) ring(c, lit, view, 1.5);
  });
  app.sitesLayer = L.layerGroup([sheet, rings]).addTo(map);
  const isShown = () => map.hasLayer(app.sitesLayer);

  /* ── what lies under a place ── */
  function isInside(i, px, py) {
    let inside = false;
    for (const r of outline(i).rings) {
      for (let a = 0, b = r.length - 2; a < r.length; b = a, a += 2) {
        if (r[a + 1] > py !== r[b + 1] > py && px < ((r[b] - r[a]) * (py - r[a + 1])) / (r[b + 1] - r[a + 1]) + r[a]) inside = !inside;
      }
    }
    return inside;
  }

  /** Sites that are drawn at a place (L.LatLng, or a point of the map's container), best first. */
  app.sitesAt = (where) => {
    if (!isShown()) return [];
    const latlng = where.lat === undefined ? map.containerPointToLatLng(where) : where;
    const scale = 2 ** map.getZoom(), at = world(latlng.lat, latlng.lng);
    const { order } = app.state.ranking, visible = app.state.visible, found = [];
    const { rank } = app.state.ranking;
    for (let k = 0; k < n; k++) {
      const i = order[k];
      if (!visible[i]) continue;
      const far = radiusOf(classes(rank[i])) + NEAR;
      const dx = (at.x - x[i]) * scale, dy = (at.y - y[i]) * scale;
      if (wide[i] * scale < OUTLINE) {
        if (dx * dx + dy * dy <= far * far) found.push(i);
        continue;
      }
      const b = boxes();
      if (at.x < b[4 * i] || at.x > b[4 * i + 2] || at.y < b[4 * i + 1] || at.y > b[4 * i + 3]) {
        if (outline(i).rings.length || dx * dx + dy * dy > far * far) continue;
        found.push(i);
      } else if (isInside(i, (at.x - x[i]) * 2 ** HELD, (at.y - y[i]) * 2 ** HELD)) found.push(i);
    }
    return found;
  };

  /** Mark a site on the map and in the table, or none (-1), without selecting it. */
  app.light = (index, from) => {
    if (index === lit) return;
    lit = index;
    rings.repaintSoon();
    app.emit("light", { index, from });
  };

  /* ── pointing and clicking ── */
  const busy = () => Boolean(map.pm && map.pm.globalDrawModeEnabled && map.pm.globalDrawModeEnabled());
  let pointed = null, asked = 0;

  function point() {
    asked = 0;
    const first = pointed && !busy() ? app.sitesAt(pointed) : [];
    const i = first.length ? first[0] : -1;
    map.getContainer().classList.toggle("gs-on-site", i >= 0);
    app.light(i, "map");
  }
  const soon = () => (asked = asked || requestAnimationFrame(point));
  map.on("mousemove", (event) => {
    // Over a control, the control is what is pointed at; a pin speaks for itself.
    const on = event.originalEvent.target.closest(".leaflet-control, .leaflet-popup, .gs-pin-at");
    if (on && on.classList.contains("gs-pin-at")) return;
    pointed = on ? null : event.latlng;
    soon();
  });
  map.on("mouseout dragstart zoomstart", () => {
    pointed = null;
    soon();
  });
  map.on("click", (event) => {
    if (busy()) return;
    const [i] = app.sitesAt(event.latlng);
    if (i !== undefined) app.select(i, "map");
  });

  /* ── following ── */
  function show(i) {
    if (Number.isNaN(x[i])) return;
    const animate = !window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    const size = map.getSize();
    // Where there is room, between the legend and the card.
    const hasRoom = size.x > 800;
    const pad = { paddingTopLeft: [hasRoom ? 230 : 30, 60], paddingBottomRight: [hasRoom ? 400 : 30, 30], animate };
    const zoom = Math.max(map.getZoom(), Math.min(map.getBoundsZoom(bounds(i), false, [size.x / 2, size.y / 2]), 11));
    if (zoom > map.getZoom()) map.fitBounds(bounds(i), { ...pad, maxZoom: zoom });
    else map.panInside([sites.lat[i], sites.lon[i]], pad);
  }
  app.on("select", ({ index, from }) => {
    if (index >= 0 && from !== "map" && from !== "hash") show(index);
    rings.repaintSoon();
  });
  app.on("ranking", () => {
    isStarted = true;
    sheet.repaint();
  });
  app.on("visible", () => {
    sheet.repaintSoon();
    rings.repaintSoon();
  });
  geosite.pins(app);
};
