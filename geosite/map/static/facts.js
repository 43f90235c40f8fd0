/* Facts of a site in the sections of its card, as people read them. */
geosite.facts = (function () {
  "use strict";
  const { el } = geosite.dom;
  const round = (value, decimals = 0) => value.toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
  const ACRE = 0.40468564224, MILE = 1609.344;

  /** A value with its unit: the same words as Python's `facts.written`. */
  function written(value, unit) {
    if (unit === "share") return `${value} %`;
    if (unit === "area") return `${round(value)} ha (${round(value / ACRE)} acres)`;
    if (unit === "score") return String(value);
    if (unit === "m" && Math.abs(value) >= 1000) return `${round(value / 1000, 1)} km (${round(value / MILE, 1)} mi)`;
    if (unit === "%") return `${round(value, 1)} %`;
    const text = Math.abs(value) >= 100 || Number.isInteger(value) ? round(value) : String(Number(value.toPrecision(3)));
    return !unit || unit === "category" ? text : `${text} ${unit}`;
  }

  /** One value of a column of facts in words; nothing where it is not known. */
  function words(cards, fact, i) {
    const value = fact.values.length === 1 ? fact.values[0] : fact.values[i];
    if (fact.unit === undefined) return cards.texts[value] || "";
    if (value === null || value === undefined) return "";
    return [fact.before, written(value, fact.unit), fact.after].filter(Boolean).join(" ");
  }

  /** Terms and words of a section: what the page's own columns hold, then the facts. */
  function rows(app, cards, section, i) {
    const { sites } = app.data;
    const own = {
      Land: [["Area", sites.area_ha[i] === null ? "" : written(sites.area_ha[i], "area")], ["Agency", sites.agency[i]], ["County", sites.county[i]], ["State", sites.state[i]]],
      Minerals: [["Commodities", (sites.commodities[i] || []).join(", ")]],
    }[section] || [];
    const facts = cards.facts.filter((f) => f.section === section).map((f) => [f.title, words(cards, f, i)]);
    return [...own, ...facts].filter(([, said]) => said);
  }

  /** A list of terms. */
  function list(pairs) {
    return el("dl", { class: "gs-facts" }, ...pairs.flatMap(([term, said]) => [el("dt", {}, term), el("dd", {}, said)]));
  }

  return { written, rows, list };
})();
