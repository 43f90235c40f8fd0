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

  /** The same object with plain columns; `rings(i)` reads the outline of a site when it is asked for. */
  function read(sites) {
    for (const [name, column] of Object.entries(sites)) {
      if (!column || !column.words) continue;
      const { words, at } = column;
      sites[name] = at.map((v) => (Array.isArray(v) ? v.map((k) => words[k]) : words[v]));
    }
    const packed = sites.shapes;
    sites.rings = (i) => polygons(packed[i], sites.lon[i], sites.lat[i]);
    delete sites.shapes;
    return sites;
  }

  return { read };
})();
