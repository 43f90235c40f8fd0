/* What lies in a drawn outline or near a point: sites by their own outlines, land and rules from the tiles. */
geosite.inside = (function () {
  "use strict";
  const STEP = 1e-5; // degrees, as in columns.js
  const decoded = new WeakMap();

  /** Whether a point lies in a ring, by counting the sides to the east of it. */
  function holds(ring, [x, y]) {
    let odd = false;
    for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
      const [ax, ay] = ring[i];
      const [bx, by] = ring[j];
      if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) odd = !odd;
    }
    return odd;
  }

  const turn = (a, b, c) => Math.sign((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]));

  /** Whether two sides cross at a point within both. */
  const cross = (a, b, c, d) => turn(a, b, c) * turn(a, b, d) < 0 && turn(c, d, a) * turn(c, d, b) < 0;

  function crossing(one, other) {
    for (let i = 0, j = one.length - 1; i < one.length; j = i++)
      for (let k = 0, l = other.length - 1; k < other.length; l = k++) if (cross(one[j], one[i], other[l], other[k])) return true;
    return false;
  }

  /** Whether two sides of a ring that are not neighbours cross. */
  function crossesItself(ring) {
    const n = ring.length;
    for (let i = 0; i < n; i++)
      for (let k = i + 2; k < n; k++) if ((k + 1) % n !== i && cross(ring[i], ring[(i + 1) % n], ring[k], ring[(k + 1) % n])) return true;
    return false;
  }

  function boxOf(ring) {
    const found = [Infinity, Infinity, -Infinity, -Infinity];
    for (const [x, y] of ring) {
      found[0] = Math.min(found[0], x);
      found[1] = Math.min(found[1], y);
      found[2] = Math.max(found[2], x);
      found[3] = Math.max(found[3], y);
    }
    return found;
  }

  const meet = (a, b) => a[0] <= b[2] && b[0] <= a[2] && a[1] <= b[3] && b[1] <= a[3];

  /** Outer rings and holes of each site, in degrees, decoded when first asked for. */
  function outlines(sites) {
    if (!decoded.has(sites)) {
      const corners = (flat) => Array.from({ length: flat.length / 2 }, (_, k) => [flat[2 * k] * STEP, flat[2 * k + 1] * STEP]);
      decoded.set(
        sites,
        Array.from({ length: sites.n }, (_, i) => {
          const parts = sites.rings(i).map((part) => part.map(corners));
          return { parts, box: boxOf([...parts.flatMap((p) => p[0]), [sites.lon[i], sites.lat[i]]]) };
        }),
      );
    }
    return decoded.get(sites);
  }

  const within = (part, point) => holds(part[0], point) && !part.slice(1).some((hole) => holds(hole, point));

  /** Sites that share land with a ring: [{index, whole}], whole where nothing of the site is outside. */
  function sitesIn(sites, ring) {
    const box = boxOf(ring);
    const found = [];
    outlines(sites).forEach((site, index) => {
      if (!meet(site.box, box)) return;
      if (!site.parts.length) {
        if (holds(ring, [sites.lon[index], sites.lat[index]])) found.push({ index, whole: true });
        return;
      }
      const cut = site.parts.some((part) => part.some((r) => crossing(r, ring)));
      const held = site.parts.map((part) => part[0].every((p) => holds(ring, p)));
      const touches = cut || site.parts.some((part) => part[0].some((p) => holds(ring, p)) || ring.some((p) => within(part, p)));
      if (touches) found.push({ index, whole: !cut && held.every(Boolean) });
    });
    return found;
  }

  /** Sites whose land holds a point, and the nearest ones by the points they are marked with: [{index, metres}]. */
  function sitesAt(sites, lat, lon, most) {
    const point = [lon, lat];
    const held = [];
    outlines(sites).forEach((site, i) => {
      if (meet(site.box, [lon, lat, lon, lat]) && site.parts.some((part) => within(part, point))) held.push(i);
    });
    // Sorted by a rough distance first: the exact one is dear for 10,000 sites.
    const narrow = Math.cos((lat * Math.PI) / 180);
    const rough = Float64Array.from({ length: sites.n }, (_, i) => Math.hypot((sites.lon[i] - lon) * narrow, sites.lat[i] - lat));
    const near = Array.from({ length: sites.n }, (_, i) => i)
      .sort((a, b) => rough[a] - rough[b])
      .slice(0, 4 * most)
      .map((index) => ({ index, metres: geosite.geodesy.metres(point, [sites.lon[index], sites.lat[index]]) }));
    return { held, near: near.sort((a, b) => a.metres - b.metres).slice(0, most) };
  }

  return { crossesItself, sitesIn, sitesAt, outlines };
})();
