/* Lengths and areas on the WGS84 ellipsoid, and how they are written. Points are [longitude, latitude], degrees. */
geosite.geodesy = (function () {
  "use strict";
  const A = 6378137; // semi-major axis [m], WGS84
  const F = 1 / 298.257223563;
  const B = A * (1 - F);
  const E2 = F * (2 - F);
  const E = Math.sqrt(E2);
  const RAD = Math.PI / 180;

  const q = (sine) => (1 - E2) * (sine / (1 - E2 * sine * sine) + Math.atanh(E * sine) / E);
  const POLE = q(1);
  const AUTHALIC = A * Math.sqrt(POLE / 2); // radius of the sphere of the same area [m]

  /** Shortest way between two points [m], by Vincenty's inverse formula (Survey Review 23, 1975). */
  function metres([lon1, lat1], [lon2, lat2]) {
    const L = (lon2 - lon1) * RAD;
    const u1 = Math.atan((1 - F) * Math.tan(lat1 * RAD));
    const u2 = Math.atan((1 - F) * Math.tan(lat2 * RAD));
    const [s1, c1, s2, c2] = [Math.sin(u1), Math.cos(u1), Math.sin(u2), Math.cos(u2)];
    let lambda = L;
    for (let turn = 0; turn < 100; turn++) {
      const sl = Math.sin(lambda);
      const cl = Math.cos(lambda);
      const ss = Math.hypot(c2 * sl, c1 * s2 - s1 * c2 * cl);
      if (ss === 0) return 0;
      const cs = s1 * s2 + c1 * c2 * cl;
      const sigma = Math.atan2(ss, cs);
      const sa = (c1 * c2 * sl) / ss;
      const ca2 = 1 - sa * sa;
      const c2m = ca2 ? cs - (2 * s1 * s2) / ca2 : 0;
      const C = (F / 16) * ca2 * (4 + F * (4 - 3 * ca2));
      const before = lambda;
      lambda = L + (1 - C) * F * sa * (sigma + C * ss * (c2m + C * cs * (2 * c2m * c2m - 1)));
      if (Math.abs(lambda - before) > 1e-12) continue;
      const w = (ca2 * (A * A - B * B)) / (B * B);
      const p = 1 + (w / 16384) * (4096 + w * (-768 + w * (320 - 175 * w)));
      const r = (w / 1024) * (256 + w * (-128 + w * (74 - 47 * w)));
      const six = (r / 6) * c2m * (4 * ss * ss - 3) * (4 * c2m * c2m - 3);
      const change = r * ss * (c2m + (r / 4) * (cs * (2 * c2m * c2m - 1) - six));
      return B * p * (sigma - change);
    }
    // Nearly opposite points, where the formula does not settle: the sphere's answer.
    const h = Math.sin(((lat2 - lat1) * RAD) / 2) ** 2 + Math.cos(lat1 * RAD) * Math.cos(lat2 * RAD) * Math.sin(L / 2) ** 2;
    return 2 * AUTHALIC * Math.asin(Math.min(1, Math.sqrt(h)));
  }

  /** Length of a line [m]; of a ring with its last side if `closed`. */
  function length(points, closed) {
    let sum = 0;
    for (let i = 1; i < points.length; i++) sum += metres(points[i - 1], points[i]);
    return closed && points.length > 2 ? sum + metres(points.at(-1), points[0]) : sum;
  }

  /**
   * Area of a ring [m²], its sides taken as shortest ways: the spherical excess under each side on the sphere of
   * the ellipsoid's area, at authalic latitudes (Snyder, USGS Professional Paper 1395, equations 3-11, 3-12).
   */
  function area(ring) {
    const half = ring.map(([, lat]) => {
      const s = Math.max(-1, Math.min(1, q(Math.sin(lat * RAD)) / POLE));
      return Math.tan(Math.asin(s) / 2);
    });
    let excess = 0;
    for (let i = 0; i < ring.length; i++) {
      const j = (i + 1) % ring.length;
      let turn = (ring[j][0] - ring[i][0]) * RAD;
      if (turn > Math.PI) turn -= 2 * Math.PI;
      if (turn < -Math.PI) turn += 2 * Math.PI;
      excess += 2 * Math.atan2(Math.tan(turn / 2) * (half[i] + half[j]), 1 + half[i] * half[j]);
    }
    return Math.abs(excess) * AUTHALIC * AUTHALIC;
  }

  function written(value) {
    const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
    return value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  }

  /** "12.3 km (7.64 mi)"; below 1 km "420 m (1,378 ft)". */
  const way = (m) =>
    m < 1000
      ? `${Math.round(m).toLocaleString("en-US")} m (${Math.round(m / 0.3048).toLocaleString("en-US")} ft)`
      : `${written(m / 1000)} km (${written(m / 1609.344)} mi)`;

  /** "247 acres (100 ha)"; the international acre, 4046.8564224 m². */
  const ground = (m2) => `${written(m2 / 4046.8564224)} acres (${written(m2 / 1e4)} ha)`;

  /** "39.50000° N, 117.10000° W". */
  const point = (lat, lon) =>
    `${Math.abs(lat).toFixed(5)}° ${lat < 0 ? "S" : "N"}, ${Math.abs(lon).toFixed(5)}° ${lon < 0 ? "W" : "E"}`;

  return { metres, length, area, way, ground, point };
})();
