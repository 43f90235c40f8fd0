/* Weights as whole per mille: what the others become when one is moved. The sum is always 1000. */
geosite.shares = (function () {
  "use strict";
  const WHOLE = 1000;

  /** So many per mille parted in proportion to whole numbers, by largest remainder; ties go to the first. */
  function parted(amount, sizes) {
    let total = sizes.reduce((a, b) => a + b, 0);
    // Where all are nothing there is no proportion to keep, so all get the same.
    const parts = total > 0 ? sizes : sizes.map(() => 1);
    total = total > 0 ? total : sizes.length;
    const found = parts.map((size) => Math.floor((amount * size) / total));
    const left = parts.map((size) => (amount * size) % total);
    let short = amount - found.reduce((a, b) => a + b, 0);
    const order = left.map((_, k) => k).sort((a, b) => left[b] - left[a] || a - b);
    for (const k of order) {
      if (short <= 0) break;
      found[k] += 1;
      short -= 1;
    }
    return found;
  }

  /** Most that a weight can be while the locked ones stay. */
  function most(weights, k, locked) {
    return WHOLE - weights.reduce((sum, w, i) => (i !== k && locked[i] ? sum + w : sum), 0);
  }

  /**
   * Weights after one is set to a value, and what of it could not be had.
   *
   * `base` are the weights whose proportions the free ones keep: those from before a slider was
   * taken hold of, so that pushing it to the end and back changes nothing.
   */
  function moved(weights, k, value, locked, base) {
    const free = weights.map((_, i) => i).filter((i) => i !== k && !locked[i]);
    const room = most(weights, k, locked);
    const wish = Math.min(WHOLE, Math.max(0, Math.round(value)));
    if (!free.length) return { weights: weights.slice(), limit: "locked", room };
    const own = Math.min(wish, room);
    const others = parted(room - own, free.map((i) => (base || weights)[i]));
    const found = weights.slice();
    found[k] = own;
    free.forEach((i, at) => (found[i] = others[at]));
    return { weights: found, limit: own < wish ? "room" : "", room };
  }

  /** A weight as people read it: `34.5 %`. */
  const percent = (w) => (w / 10).toFixed(1) + "\u00a0%";

  return { WHOLE, moved, percent };
})();
