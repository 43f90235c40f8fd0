/* What the law says of a site, on its card: rules with citation and distance, permits, pathways. */
geosite.law = (function () {
  "use strict";
  const { el } = geosite.dom;
  const WAYS = ["N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE", "S", "SSW", "SW", "WSW", "W", "WNW", "NW", "NNW"];
  const TIERS = [
    ["rules_avoid", "Avoid", "not excluded, but scored lower"],
    ["rules_mitigate", "Mitigate", "not excluded, but at a cost"],
    ["rules_flag", "Flag", "changes no number; to be looked at"],
    ["rules_include", "Include", "lifts exclusions"],
    ["rules_possible", "Possible", "touched or not, within the accuracy of the data"],
  ];
  const CANNOT = [
    ["rules_unknown", "hard", "cannot tell: the land may be excluded"],
    ["rules_not_examined", "other", "cannot tell"],
  ];
  const TRACKS = { federal: "federal agencies", state: "state and local", water: "water rights", power: "power", litigation: "courts" };

  /** Entries of a table that a column names for a site. */
  function named(cards, column, table, i) {
    const places = cards.named[column];
    return places ? cards.sets[places[i]].map((k) => cards[table][k]) : [];
  }

  /** How far: on the site, or within the setback; and on how much of it, where the run says so. */
  function distance(rule, tenths) {
    const { written } = geosite.facts;
    const share = tenths === undefined ? "" : tenths === 1000 ? "all of the site" : `${Math.max(tenths / 10, 0.1)} % of the site`;
    const far = rule.reach_m ? `on it or within its setback (${written(rule.setback_m || 0, "m")} to ${written(rule.reach_m, "m")}, by feature)`
      : rule.setback_m ? `on it or within its setback of ${written(rule.setback_m, "m")}`
      : "on it (0 m)";
    return [share, far].filter(Boolean).join(", ");
  }

  /** Share of the site that each rule touches, in tenths of a percent, by rule. */
  function shares(cards, i) {
    const found = new Map(), pairs = cards.shares.length ? cards.sets[cards.shares[i]] : [];
    for (let k = 0; k + 1 < pairs.length; k += 2) found.set(cards.rules[pairs[k]], pairs[k + 1]);
    return found;
  }

  function cited(entry) {
    const by = [entry.authority || entry.agency, entry.citation].filter(Boolean).join(": ");
    return el("span", { class: "gs-small" }, by, entry.evidence ? ` (citation ${entry.evidence})` : "");
  }

  /** What is folded away under an entry; nothing if there is nothing more. */
  function more(pairs) {
    const there = pairs.filter(([, said]) => said && said.length);
    if (!there.length) return null;
    return el("details", { class: "gs-more" }, el("summary", {}, "More"),
      geosite.facts.list(there.map(([term, said]) => [term, Array.isArray(said) ? said.map((t) => el("p", {}, t)) : said])));
  }

  function rule(cards, entry, touches, tenths) {
    const told = [
      touches ? distance(entry, tenths) : "",
      touches && entry.factor !== undefined && entry.factor !== 1 ? `scores × ${entry.factor} there` : "",
    ].filter(Boolean).join("; ");
    return el("li", {}, el("b", {}, entry.title), told ? el("span", { class: "gs-small" }, told) : null, cited(entry), more([
      ["Dates", entry.dates],
      ["Exceptions", entry.exceptions],
      ["Consultation", entry.consultation],
      ["Permits", (entry.permits || []).map((k) => cards.permits[k].title)],
      ["Who can act", entry.who],
      ["Elsewhere", entry.local],
      ["Decided", entry.decided],
      ["Note", entry.note],
    ]));
  }

  /** Rules that touch a site, by tier; land that is excluded near it. */
  function touching(cards, i) {
    const found = [], share = shares(cards, i);
    for (const [column, title, means] of TIERS) {
      const rules = named(cards, column, "rules", i);
      if (!rules.length) continue;
      found.push(el("h3", { class: "gs-tier" }, title, el("span", { class: "gs-small" }, means)),
        el("ul", { class: "gs-law" }, ...rules.map((r) => rule(cards, r, column !== "rules_possible", share.get(r)))));
    }
    const near = (cards.near[i] || []).map(([k, name, tens, way]) => el("li", {},
      el("b", {}, cards.rules[k].title), cards.texts[name] ? `: ${cards.texts[name]}` : "",
      el("span", { class: "gs-small" }, tens ? `${geosite.facts.written(10 * tens, "m")} ${WAYS[way] || ""}` : "adjoins it"), cited(cards.rules[k])));
    if (!found.length) found.push(el("p", {}, "No rule that could be asked touches it. Rules that cannot tell are listed under “What is not known”."));
    if (near.length) found.push(el("h3", { class: "gs-tier" }, "Excluded land nearby", el("span", { class: "gs-small" }, "the nearest of each hard rule, setbacks included")), el("ul", { class: "gs-law" }, ...near));
    return found;
  }

  /** Number of rules that touch a site. */
  function touched(cards, i) {
    return TIERS.reduce((n, [column]) => n + named(cards, column, "rules", i).length, 0);
  }

  /** Rules that cannot tell, folded away: they are many. */
  function silent(cards, i) {
    return CANNOT.map(([column, kind, means]) => {
      const rules = named(cards, column, "rules", i);
      if (!rules.length) return null;
      return el("details", { class: "gs-more" },
        el("summary", {}, `${rules.length} ${kind} ${rules.length === 1 ? "rule" : "rules"} ${means}`),
        el("ul", { class: "gs-law" }, ...rules.map((r) => rule(cards, r, false))));
    }).filter(Boolean);
  }

  function months(entry) {
    if (!entry.months) return "";
    const [low, likely, high] = entry.months;
    return `${low} to ${high} months for the federal decision, likely ${likely}${entry.basis ? ` (${entry.basis})` : ""}`;
  }

  function permit(entry) {
    const kind = [entry.kind, TRACKS[entry.track] || entry.track].filter(Boolean).join(", ");
    return el("li", {}, el("b", {}, entry.title), kind ? el("span", { class: "gs-small" }, kind) : null,
      months(entry) ? el("span", { class: "gs-small" }, months(entry)) : null, cited(entry), more([
        ["Clocks", entry.clocks],
        ["Months from", entry.source],
        ["As of", entry.as_of],
        ["Note", entry.note],
      ]));
  }

  /** Number of permits that a site needs in any case. */
  function needed(cards, i) {
    return named(cards, "permits", "permits", i).length;
  }

  /** Permits and consultations of a site, those that it may need, and its pathways. */
  function permits(cards, i) {
    const [sure, perhaps, ways] = [["permits", "permits"], ["permits_possible", "permits"], ["pathways", "pathways"]]
      .map(([column, table]) => named(cards, column, table, i));
    const found = [];
    if (sure.length) found.push(el("ul", { class: "gs-law" }, ...sure.map(permit)));
    if (perhaps.length) found.push(el("details", { class: "gs-more" },
      el("summary", {}, `${perhaps.length} more, possibly: by rules that cannot tell, or land or minerals that are not known`),
      el("ul", { class: "gs-law" }, ...perhaps.map(permit))));
    if (ways.length) found.push(el("h3", { class: "gs-tier" }, "Pathways", el("span", { class: "gs-small" }, "open means that it may be asked for")), el("ul", { class: "gs-law" }, ...ways.map(permit)));
    return found;
  }

  return { touching, touched, silent, permits, needed };
})();
