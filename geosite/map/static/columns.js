/* Columns of the sites as they are sent: repeated words and outlines are packed, and are read here. */
geosite.columns = (function () {
  "use strict";
  const SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const VALUE = new Int8Array(128).fill(-1);
  for (let i = 0; i < 64; i++) VALUE[SIGNS.charCodeAt(i)] = i;
  const RING = ",".charCodeAt(0), PART = ";".charCodeAt(0);

  /** Steps of 1e-5 degrees: where a point of a site is, which its outline is counted from. */
  const steps = (degrees) => Math.round(degrees * 1e5);

  /** Polygons of rings of flat [x, y, x, y, …] in steps of 1e-5 degrees, of one packed outline. */
  function polygons(text, lon, lat) {
    const found = [];
    if (!text) return found;
    let x = steps(lon), y = steps(lat), value = 0, shift = 0, isY = false;
    let ring = [], part = [ring];
    found.push(part);
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === PART) {
        part = [(ring = [])];
        found.push(part);
      } else if (code === RING) {
        part.push((ring = []));
      } else {
        const bits = VALUE[code];
        value |= (bits & 31) << shift;
        if (bits & 32) {
          shift += 5;
          continue;
        }
        const step = value & 1 ? -(value >>> 1) - 1 : value >>> 1;
        if (isY) ring.push(x, (y += step));
        else x += step;
        isY = !isY;
        value = shift = 0;
      }
    }
    return found;
  }

  /** Rings as differences, the form in which `sites.shapes` is promised. */
  function differences(ring) {
    return ring.map((v, k) => (k < 2 ? v : v - ring[k - 2]));
  }

  /** The same object with plain columns; `shapes` is made when it is first read. */
  function read(sites) {
    for (const [name, column] of Object.entries(sites)) {
      if (!column || !column.words) continue;
      const { words, at } = column;
      sites[name] = at.map((v) => (Array.isArray(v) ? v.map((k) => words[k]) : words[v]));
    }
    const packed = sites.shapes || [];
    if (packed.length && typeof packed[0] !== "string") return sites;
    let made = null;
    const rings = (i) => polygons(packed[i], sites.lon[i], sites.lat[i]);
    Object.defineProperty(sites, "shapes", {
      configurable: true,
      enumerable: false,
      get: () => (made = made || packed.map((_, i) => rings(i).map((part) => part.map(differences)))),
    });
    Object.defineProperty(sites, "rings", { configurable: true, enumerable: false, value: rings });
    return sites;
  }

  return { read };
})();
