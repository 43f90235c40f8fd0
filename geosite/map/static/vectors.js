/*
 * Vector tiles decoded into arrays, and what of a tile lies at a place.
 * The bytes are read by pbf. Not by @mapbox/vector-tile above it: it has no file that can stand
 * in a page without a build step, and in Node 24 its objects took 1.3 s for 40 tiles of 25,000
 * parcels, one of them 0.57 s in one go, where these arrays took 0.17 s.
 */
geosite.vectors = (function () {
  "use strict";
  const POINT = 1, LINE = 2, POLYGON = 3;

  function value(pbf, end) {
    return pbf.readFields((field, found) => {
      if (field === 1) found.is = pbf.readString();
      else if (field === 3) found.is = pbf.readDouble();
      else if (field === 4 || field === 5) found.is = pbf.readVarint(true);
      else if (field === 6) found.is = pbf.readSVarint();
      else if (field === 7) found.is = pbf.readBoolean();
    }, { is: null }, end).is;
  }

  /** Where the bytes of a field end. */
  function ending(pbf) {
    const size = pbf.readVarint();
    return pbf.pos + size;
  }

  function layer(pbf, end) {
    const keys = [], values = [], features = [];
    const made = { name: "", extent: 4096 };
    pbf.readFields((field) => {
      if (field === 1) made.name = pbf.readString();
      else if (field === 2) {
        const stop = ending(pbf);
        features.push(pbf.pos, stop);
        pbf.pos = stop;
      } else if (field === 3) keys.push(pbf.readString());
      else if (field === 4) values.push(value(pbf, ending(pbf)));
      else if (field === 5) made.extent = pbf.readVarint();
    }, null, end);
    const n = features.length / 2;
    Object.assign(made, {
      n, kinds: new Uint8Array(n), ids: new Float64Array(n).fill(-1), tags: new Array(n).fill([]),
      first: new Uint32Array(n + 1), boxes: new Int16Array(4 * n),
    });
    const rings = [];
    let size = 0;
    const places = [];
    for (let i = 0; i < n; i++) {
      pbf.pos = features[2 * i];
      pbf.readFields((field) => {
        if (field === 1) made.ids[i] = pbf.readVarint();
        else if (field === 2) made.tags[i] = pbf.readPackedVarint();
        else if (field === 3) made.kinds[i] = pbf.readVarint();
        else if (field === 4) {
          const stop = ending(pbf);
          places.push(pbf.pos, stop);
          size += stop - pbf.pos;
          pbf.pos = stop;
        }
      }, null, features[2 * i + 1]);
      if (places.length < 2 * (i + 1)) places.push(0, 0);
    }
    // A point takes two bytes at least.
    const xy = new Int16Array(size);
    let used = 0;
    for (let i = 0; i < n; i++) {
      made.first[i] = rings.length;
      let x = 0, y = 0, west = 32767, north = 32767, east = -32768, south = -32768;
      pbf.pos = places[2 * i];
      while (pbf.pos < places[2 * i + 1]) {
        const command = pbf.readVarint();
        let count = command >> 3;
        if ((command & 7) === 7) continue;
        if ((command & 7) === 1) rings.push(used / 2);
        for (; count > 0; count--) {
          x += pbf.readSVarint();
          y += pbf.readSVarint();
          xy[used++] = x;
          xy[used++] = y;
          if (x < west) west = x;
          if (x > east) east = x;
          if (y < north) north = y;
          if (y > south) south = y;
        }
      }
      made.boxes.set([west, north, east, south], 4 * i);
    }
    made.first[n] = rings.length;
    rings.push(used / 2);
    made.rings = Uint32Array.from(rings);
    made.xy = xy.slice(0, used);

    /** Attributes of a feature. */
    made.props = (i) => {
      const found = Object.create(null);
      for (let k = 0; k + 1 < made.tags[i].length; k += 2) found[keys[made.tags[i][k]]] = values[made.tags[i][k + 1]];
      return found;
    };
    const picked = new Map();
    /** Features that an entry draws: all, or those whose attribute is one of its values. */
    made.matching = (match) => {
      const name = match ? JSON.stringify(match) : "";
      if (!picked.has(name)) {
        let rows = Array.from({ length: n }, (_, i) => i);
        if (match) {
          const key = keys.indexOf(match[0]);
          const wanted = new Set(values.flatMap((v, k) => (match[1].includes(String(v)) ? [k] : [])));
          rows = wanted.size ? rows.filter((i) => made.tags[i].some((t, k) => k % 2 === 0 && t === key && wanted.has(made.tags[i][k + 1]))) : [];
        }
        picked.set(name, rows);
      }
      return picked.get(name);
    };
    return made;
  }

  /** Layers of a tile by name, from its uncompressed bytes. */
  function decoded(buffer) {
    const pbf = new Pbf.PbfReader(buffer), found = new Map();
    pbf.readFields((field) => {
      if (field !== 3) return;
      const stop = ending(pbf), made = layer(pbf, stop);
      found.set(made.name, made);
      pbf.pos = stop;
    });
    return found;
  }

  /** Whether a point lies within rings, each [from, to) in `xy`; an odd number of crossings is inside. */
  function isInside(xy, rings, x, y) {
    let inside = false;
    for (const [from, to] of rings) {
      for (let i = from, j = to - 1; i < to; j = i++) {
        const yi = xy[2 * i + 1], yj = xy[2 * j + 1];
        if (yi > y !== yj > y && x < ((xy[2 * j] - xy[2 * i]) * (y - yi)) / (yj - yi) + xy[2 * i]) inside = !inside;
      }
    }
    return inside;
  }

  function distance(xy, i, j, x, y) {
    const ax = xy[2 * i], ay = xy[2 * i + 1], dx = xy[2 * j] - ax, dy = xy[2 * j + 1] - ay;
    const along = dx || dy ? Math.max(0, Math.min(1, ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy))) : 0;
    return Math.hypot(x - ax - along * dx, y - ay - along * dy);
  }

  /** Rings of a feature as pairs of indices. */
  function ringsOf(made, i) {
    const found = [];
    for (let k = made.first[i]; k < made.first[i + 1]; k++) found.push([made.rings[k], made.rings[k + 1]]);
    return found;
  }

  /** Whether a feature lies at a place: polygons exactly, lines and points within `reach` steps. */
  function isAt(made, i, x, y, reach) {
    const [west, north, east, south] = made.boxes.subarray(4 * i, 4 * i + 4);
    if (x < west - reach || x > east + reach || y < north - reach || y > south + reach) return false;
    const rings = ringsOf(made, i);
    if (made.kinds[i] === POLYGON) return isInside(made.xy, rings, x, y);
    return rings.some(([from, to]) => {
      if (made.kinds[i] === LINE) {
        for (let k = from + 1; k < to; k++) if (distance(made.xy, k - 1, k, x, y) <= reach) return true;
        return false;
      }
      for (let k = from; k < to; k++) if (distance(made.xy, k, k, x, y) <= reach) return true;
      return false;
    });
  }

  function crosses(ax, ay, bx, by, cx, cy, dx, dy) {
    const side = (px, py, qx, qy, x, y) => Math.sign((qx - px) * (y - py) - (qy - py) * (x - px));
    return side(ax, ay, bx, by, cx, cy) !== side(ax, ay, bx, by, dx, dy) && side(cx, cy, dx, dy, ax, ay) !== side(cx, cy, dx, dy, bx, by);
  }

  /** Whether any of a feature lies within an outline: flat array of x and y in steps of the tile. */
  function isWithin(made, i, outline) {
    const n = outline.length / 2, around = [[0, n]], rings = ringsOf(made, i), { xy } = made;
    for (const [from, to] of rings) {
      for (let k = from; k < to; k++) if (isInside(outline, around, xy[2 * k], xy[2 * k + 1])) return true;
    }
    if (made.kinds[i] === POINT) return false;
    if (made.kinds[i] === POLYGON && isInside(xy, rings, outline[0], outline[1])) return true;
    for (const [from, to] of rings) {
      for (let k = from; k < to; k++) {
        const next = k + 1 < to ? k + 1 : made.kinds[i] === POLYGON ? from : k;
        for (let m = 0; m < n; m++) {
          const o = (m + 1) % n;
          if (crosses(xy[2 * k], xy[2 * k + 1], xy[2 * next], xy[2 * next + 1], outline[2 * m], outline[2 * m + 1], outline[2 * o], outline[2 * o + 1])) return true;
        }
      }
    }
    return false;
  }

  return { POINT, LINE, POLYGON, decoded, isAt, isWithin };
})();
