/*
 * Draws entries from vector tiles on canvas, a little at a time, so that the page stays quick.
 * Not by protomaps-leaflet: it decodes a tile anew for each entry and paints the whole of it in
 * one go, which makes frames too long where there are very many parcels.
 */
geosite.painting = (function () {
  "use strict";
  const SLICE = 7; // milliseconds of drawing a frame
  const BATCH = 1500; // vertices that are filled or stroked as one path
  const STROKE = 0.85; // opacity of outlines at least
  const { POINT, LINE, POLYGON } = geosite.vectors;

  /* ── a little at a time ── */
  const waiting = [];
  let running = 0;
  function work() {
    const until = performance.now() + SLICE;
    while (waiting.length && performance.now() < until) {
      const job = waiting[0];
      let step = { done: true };
      try {
        step = job.isStale() ? step : job.steps.next();
      } catch (fault) {
        console.error("a tile could not be drawn:", fault);
      }
      if (step.done) {
        waiting.splice(waiting.indexOf(job), 1);
        job.done();
      }
    }
    running = waiting.length ? requestAnimationFrame(work) : 0;
  }
  function later(job) {
    waiting.push(job);
    // A page in the background gets no frames; it has no frame to spoil either.
    if (document.hidden) while (waiting.length) work();
    else running = running || requestAnimationFrame(work);
  }

  /* ── signs ── */
  const hatches = new Map();
  function hatch(ctx, colour, ratio) {
    const key = colour + ratio;
    if (!hatches.has(key)) {
      const side = Math.round(8 * ratio), tile = document.createElement("canvas");
      tile.width = tile.height = side;
      const pen = tile.getContext("2d");
      pen.strokeStyle = colour;
      pen.lineWidth = 1.2 * ratio;
      for (const shift of [-side, 0, side]) {
        pen.moveTo(shift - 1, side + 1);
        pen.lineTo(shift + side + 1, -1);
      }
      pen.stroke();
      hatches.set(key, tile);
    }
    const pattern = ctx.createPattern(hatches.get(key), "repeat");
    pattern.setTransform(new DOMMatrix().scale(1 / ratio));
    return pattern;
  }
  const dashes = (dash) => (dash ? (Array.isArray(dash) ? dash : String(dash).split(/[ ,]+/)).map(Number).filter((n) => n > 0) : []);

  /** Draw one layer of a tile by the style of an entry; yields now and then. */
  function* strokes(ctx, made, rows, style, { scale, left, top }, ratio) {
    const k = (512 * scale) / made.extent, dx = -left * 512, dy = -top * 512, { xy, rings, first, kinds, boxes } = made;
    const opacity = style.opacity === undefined ? 0.5 : style.opacity, width = style.width === undefined ? 1 : style.width;
    const margin = Math.max(style.radius || 0, width) + 2;
    ctx.lineWidth = width;
    ctx.lineJoin = "round";
    ctx.setLineDash(dashes(style.dash));
    const fill = style.hatch && style.fill ? hatch(ctx, style.fill, ratio) : style.fill;
    let path = new Path2D(), held = 0, of = 0;
    function flush() {
      if (held && of === POLYGON && fill) {
        ctx.globalAlpha = opacity;
        ctx.fillStyle = fill;
        ctx.fill(path);
      }
      if (held && of === POINT && style.fill) {
        ctx.globalAlpha = opacity;
        ctx.fillStyle = style.fill;
        ctx.fill(path);
      }
      if (held && style.stroke && width > 0) {
        ctx.globalAlpha = of === LINE ? opacity : Math.max(opacity, STROKE);
        ctx.strokeStyle = style.stroke;
        ctx.stroke(path);
      }
      path = new Path2D();
      held = 0;
    }
    for (const i of rows) {
      if (boxes[4 * i + 2] * k + dx < -margin || boxes[4 * i] * k + dx > 512 + margin || boxes[4 * i + 3] * k + dy < -margin || boxes[4 * i + 1] * k + dy > 512 + margin) continue;
      if (held && kinds[i] !== of) flush();
      of = kinds[i];
      for (let r = first[i]; r < first[i + 1]; r++) {
        const from = rings[r], to = rings[r + 1];
        held += to - from;
        if (of === POINT) {
          if (!style.radius) continue;
          for (let p = from; p < to; p++) {
            const x = xy[2 * p] * k + dx, y = xy[2 * p + 1] * k + dy;
            path.moveTo(x + style.radius, y);
            path.arc(x, y, style.radius, 0, 2 * Math.PI);
          }
          continue;
        }
        path.moveTo(xy[2 * from] * k + dx, xy[2 * from + 1] * k + dy);
        for (let p = from + 1; p < to; p++) path.lineTo(xy[2 * p] * k + dx, xy[2 * p + 1] * k + dy);
        if (of === POLYGON) path.closePath();
        // One outline of very many vertices is begun anew within a feature only where it may be.
      }
      if (held >= BATCH) {
        flush();
        yield;
      }
    }
    flush();
  }

  /* ── one canvas a tile for all entries of a pane ── */
  const Pane = L.GridLayer.extend({
    options: { tileSize: 512, keepBuffer: 1, updateWhenIdle: false, minZoom: 1, noWrap: false },

    initialize(app, pane) {
      L.setOptions(this, { pane });
      this.app = app;
      this.drawn = [];
      this.edition = 0;
    },

    createTile(coords, done) {
      const canvas = document.createElement("canvas");
      canvas.className = "leaflet-tile";
      this.paint(canvas, coords, done);
      return canvas;
    },

    /** Draw a tile; a canvas that shows something is exchanged only when all is drawn. */
    async paint(canvas, coords, done) {
      // Between whole zooms a tile is stretched: it is painted as large as it is shown.
      const stretch = this._map.getZoomScale(this._map.getZoom(), coords.z);
      const ratio = stretch * Math.min(2, Math.max(1, window.devicePixelRatio || 1)), edition = this.edition, z = coords.z - 1;
      const shown = this.drawn.filter(({ entry }) => (entry.style.from_zoom || 0) <= coords.z);
      const tiles = await Promise.all(shown.map(({ archive }) => archive.covering(z, coords.x, coords.y).catch((fault) => void console.error("a tile could not be read:", fault))));
      const isStale = () => edition !== this.edition || !this._map || this._tileZoom !== coords.z;
      if (isStale()) return done && done(null, canvas);
      const isBlank = !canvas.width || !canvas.dataset.drawn;
      const onto = isBlank ? canvas : document.createElement("canvas");
      onto.width = onto.height = Math.round(512 * ratio);
      const ctx = onto.getContext("2d");
      ctx.scale(onto.width / 512, onto.height / 512);
      function* all() {
        for (let i = 0; i < shown.length; i++) {
          const made = tiles[i] && tiles[i].tile.get(shown[i].entry.layer);
          if (made) yield* strokes(ctx, made, made.matching(shown[i].entry.match), shown[i].entry.style, tiles[i], ratio);
        }
      }
      later({
        steps: all(),
        isStale,
        done: () => {
          if (!isBlank && !isStale()) {
            canvas.width = canvas.height = onto.width;
            canvas.getContext("2d").drawImage(onto, 0, 0);
          }
          canvas.dataset.drawn = "1";
          if (done) done(null, canvas);
        },
      });
    },

    /** Draw all tiles that are on the map anew. */
    again() {
      this.edition += 1;
      if (this.asked) return;
      // Several entries that are switched at once are one change.
      this.asked = Promise.resolve().then(() => {
        this.asked = null;
        if (!this._map) return;
        // Leaflet has no other list of the tiles that are shown, and would make them all anew.
        for (const tile of Object.values(this._tiles)) if (tile.current) this.paint(tile.el, this._wrapCoords(Object.assign(L.point(tile.coords), { z: tile.coords.z })), tile.loaded ? null : (f, el) => this._tileReady(tile.coords, f, el));
      });
    },
  });

  function paneOf(app, name) {
    app.panes = app.panes || new Map();
    if (!app.panes.has(name)) {
      // The base lies under everything, but its names are to be read.
      const names = name === "gs-base" ? "gs-lines" : name;
      app.panes.set(name, { grid: new Pane(app, name), labels: geosite.labels(app, names) });
    }
    return app.panes.get(name);
  }

  /** Areas lie under pictures; lines, dots and what only outlines lie above them; parts of a site above it. */
  function paneName({ source, style }) {
    if (source === "base") return "gs-base";
    if (style.above) return "gs-above";
    if (style.radius !== undefined) return "gs-points";
    return style.fill && !style.dash ? "gs-land" : "gs-lines";
  }
  // Within a pane areas lie lowest, dots highest, whatever their order in the tree.
  const level = ({ style }) => (style.radius !== undefined ? 2 : style.fill ? 0 : 1);

  const Drawn = L.Layer.extend({
    initialize(app, entry, archive) {
      Object.assign(this, { entry, archive, order: -app.data.layers.indexOf(entry), room: paneOf(app, paneName(entry)) });
    },
    setZIndex(order) {
      this.order = order;
      return this;
    },
    onAdd(map) {
      const { grid, labels } = this.room;
      grid.drawn.push(this);
      grid.drawn.sort((a, b) => level(a.entry) - level(b.entry) || a.order - b.order);
      if (map.hasLayer(grid)) grid.again();
      else grid.addTo(map);
      if (this.entry.style.label) labels.show(this);
    },
    onRemove(map) {
      const { grid, labels } = this.room;
      grid.drawn = grid.drawn.filter((other) => other !== this);
      if (grid.drawn.length) grid.again();
      else grid.removeFrom(map);
      labels.hide(this);
    },
  });

  return { layer: (app, entry, archive) => new Drawn(app, entry, archive), waiting };
})();
