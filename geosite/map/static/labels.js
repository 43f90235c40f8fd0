/* Names beside the points of tiles: on one canvas over the map, where no other name stands. */
geosite.labels = function (app, pane) {
  "use strict";
  const SIZE = 12;
  const { map } = app;
  const drawn = [];
  const canvas = document.createElement("canvas");
  canvas.className = "leaflet-zoom-hide gs-labels";
  canvas.setAttribute("aria-hidden", "true");
  let turn = 0;

  /** Points of an entry in the view: [{x, y, words}] in pixels of the view. */
  async function points({ entry, archive }) {
    // Between whole zooms a tile is larger or smaller on the map than it is.
    const near = Math.max(1, Math.round(map.getZoom())), z = near - 1, side = 512 * map.getZoomScale(map.getZoom(), near);
    const bounds = map.getPixelBounds(), found = [];
    const world = 1 << z;
    for (let x = Math.floor(bounds.min.x / side); x <= Math.floor(bounds.max.x / side); x++) {
      for (let y = Math.max(0, Math.floor(bounds.min.y / side)); y <= Math.min(world - 1, Math.floor(bounds.max.y / side)); y++) {
        const over = await archive.covering(z, ((x % world) + world) % world, y);
        const made = over.tile.get(entry.layer);
        if (!made) continue;
        const k = (side * over.scale) / made.extent;
        for (const i of made.matching(entry.match)) {
          if (made.kinds[i] !== geosite.vectors.POINT) continue;
          const p = made.rings[made.first[i]];
          const px = made.xy[2 * p] * k - over.left * side, py = made.xy[2 * p + 1] * k - over.top * side;
          // Each tile names its own points, not those of its margin.
          if (px < 0 || py < 0 || px >= side || py >= side) continue;
          const words = made.props(i)[entry.style.label];
          if (words) found.push({ x: x * side + px - bounds.min.x, y: y * side + py - bounds.min.y, words: String(words) });
        }
      }
    }
    return found;
  }

  async function draw() {
    const mine = ++turn, zoom = map.getZoom();
    const shown = drawn.filter(({ entry }) => (entry.style.from_zoom || 0) <= Math.round(zoom));
    const all = await Promise.all(shown.map((layer) => points(layer).catch(() => [])));
    if (mine !== turn) return;
    const size = map.getSize(), ratio = Math.min(2, window.devicePixelRatio || 1);
    L.DomUtil.setPosition(canvas, map.containerPointToLayerPoint([0, 0]));
    canvas.width = size.x * ratio;
    canvas.height = size.y * ratio;
    canvas.style.width = `${size.x}px`;
    canvas.style.height = `${size.y}px`;
    const ctx = canvas.getContext("2d");
    ctx.scale(ratio, ratio);
    ctx.lineJoin = "round";
    ctx.textBaseline = "middle";
    const taken = [];
    all.forEach((found, k) => {
      const { style } = shown[k].entry;
      ctx.font = `${style.label_size || SIZE}px system-ui, sans-serif`;
      for (const { x, y, words } of found) {
        const gap = (style.radius || 0) + 3, wide = ctx.measureText(words).width;
        // A name without a dot stands in the middle of its place.
        const left = style.radius ? x + gap : x - wide / 2;
        const box = [left - 2, y - SIZE / 2 - 1, left + wide + 2, y + SIZE / 2 + 1];
        if (box[2] < 0 || box[0] > size.x || box[3] < 0 || box[1] > size.y) continue;
        if (taken.some((t) => box[0] < t[2] && box[2] > t[0] && box[1] < t[3] && box[3] > t[1])) continue;
        taken.push(box);
        ctx.strokeStyle = "rgba(255, 255, 255, 0.9)";
        ctx.lineWidth = 3;
        ctx.strokeText(words, left, y);
        ctx.fillStyle = style.fill || style.stroke || "#4a4642";
        ctx.fillText(words, left, y);
      }
    });
  }

  function change() {
    if (drawn.length && !canvas.parentNode) {
      map.getPane(pane).appendChild(canvas);
      map.on("moveend zoomend resize", draw);
    }
    if (!drawn.length && canvas.parentNode) {
      canvas.remove();
      map.off("moveend zoomend resize", draw);
      turn += 1;
    } else if (drawn.length) draw();
  }

  return {
    show(layer) {
      drawn.push(layer);
      // Names of what is asked for first, such as cities, stand before others.
      drawn.sort((a, b) => (a.entry.style.from_zoom || 0) - (b.entry.style.from_zoom || 0) || b.order - a.order);
      change();
    },
    hide(layer) {
      const at = drawn.indexOf(layer);
      if (at >= 0) drawn.splice(at, 1);
      change();
    },
  };
};
