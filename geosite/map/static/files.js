/* Files that the page gives: a table as CSV, and anything as a download. */
geosite.files = (function () {
  "use strict";
  const FORMULA = /^[=+\-@＝＋－＠]/;
  // Control and direction marks, as Python's `report.text.plain` takes them out.
  // eslint-disable-next-line no-control-regex
  const UNSEEN = /[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]+/g;
  const BEGUN = 60000; // milliseconds; by then the browser has begun to save

  /** A cell: text that a spreadsheet would run gets a leading apostrophe. */
  function cell(value) {
    if (value === null || value === undefined) return "";
    if (typeof value === "number") return String(value);
    let text = String(value).replace(UNSEEN, " ").trim();
    if (FORMULA.test(text)) text = "'" + text;
    return /[",]/.test(text) ? '"' + text.replaceAll('"', '""') + '"' : text;
  }

  /** Rows of cells as CSV (RFC 4180). */
  const csv = (rows) => rows.map((cells) => cells.map(cell).join(",")).join("\r\n") + "\r\n";

  /** Offer a file to be saved: text of a type, or what is a file already. */
  function save(content, name, type) {
    const blob = content instanceof Blob ? content : new Blob([content], { type: type + ";charset=utf-8" });
    const url = URL.createObjectURL(blob);
    geosite.dom.el("a", { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), BEGUN);
  }

  return { csv, save };
})();
