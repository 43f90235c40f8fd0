/* The panel of weights: sliders, locks, presets, the rule, and what they change. */
geosite.weights = function (app, box) {
  "use strict";
  const { el, put, fill } = geosite.dom;
  const { moved, percent, WHOLE } = geosite.shares;
  const { criteria, presets } = app.data;
  const { combining } = geosite;
  const rules = combining.choices(app.data);
  const LISTED = 10;
  // Told apart by lightness too; each stands beside its name in any case.
  const COLOURS = ["#1f4e79", "#d98c2b", "#3f7f5f", "#8c3b6e", "#6f9fc8", "#b7a42c", "#5b5b5b", "#c8665a", "#2f8f9d", "#9c7fc0"];
  const colour = (k) => COLOURS[k % COLOURS.length];

  if (!criteria.length) {
    put(box, el("p", {}, "This run has no criteria to weigh."));
    return;
  }

  // What the rows show; the page follows with the next frame.
  let weights = app.state.weights.slice();
  const locked = criteria.map(() => false);
  // Which weight is being moved, and all weights from before that.
  let held = null;

  // ---- what the change does -------------------------------------------------------------
  const state = el("p", { class: "gs-w-state" });
  const effect = el("p", { class: "gs-w-effect" });

  function changes({ rank: now }) {
    const first = app.first.rank;
    let stay = 0, listed = 0, moves = 0, largest = 0, who = -1;
    for (let i = 0; i < first.length; i++) {
      const was = first[i], is = now[i];
      if (was && was <= LISTED) {
        listed += 1;
        stay += is && is <= LISTED ? 1 : 0;
      }
      if (was === is) continue;
      moves += 1;
      const far = was && is ? Math.abs(was - is) : 0;
      if (far > largest) [largest, who] = [far, i];
    }
    return { stay, listed, moves, who };
  }

  function said(ranking) {
    const misfit = geosite.ranking.misfit(app.state.rule, app.state.weights, criteria.map((c) => c.id));
    if (misfit) return `No site has a rank: ${misfit}.`;
    const { stay, listed, moves, who } = changes(ranking);
    const { sites } = app.data;
    if (!moves) return "No site has another rank than in the run.";
    const noun = moves === 1 ? "site has" : "sites have";
    const far = who < 0 ? "" : ` Largest move: ${sites.name[who] || sites.site_id[who]}, ${app.first.rank[who]} → ${ranking.rank[who]}.`;
    return `${stay} of the run’s first ${listed} stay among them; ${moves.toLocaleString("en")} of ${sites.n.toLocaleString("en")} ${noun} another rank.${far}`;
  }

  // ---- strips ---------------------------------------------------------------------------
  function strip(words) {
    const parts = criteria.map((c, k) => el("span", { "--c": colour(k), title: c.title }));
    const row = el("div", { class: "gs-w-strip" }, el("span", { class: "gs-sub" }, words), el("div", { class: "gs-w-parts" }, parts));
    return { row, show: (values) => parts.forEach((part, k) => (part.style.flexGrow = values[k])) };
  }
  const stripOfRun = strip("run");
  const stripOfReader = strip("now");
  stripOfRun.show(app.stated.weights);

  // ---- rows -----------------------------------------------------------------------------
  const note = el("p", { class: "gs-w-note", role: "alert" });

  function row(c, k) {
    const id = "gs-w-" + k;
    const stated = app.stated.weights[k];
    const slider = el("input", {
      type: "range", min: 0, max: WHOLE, step: 1, id, class: "gs-w-slider",
      "aria-label": "Weight of " + c.title,
      oninput: () => take(k, Number(slider.value)),
      onchange: () => (held = null),
      onblur: () => (held = null),
      onkeydown: (event) => step(event, k),
    });
    const entry = el("input", {
      type: "number", min: 0, max: 100, step: 0.1, class: "gs-w-entry", "aria-label": "Weight of " + c.title + " in percent",
      onchange: () => enter(k, entry),
    });
    const lock = el("input", { type: "checkbox", "aria-label": "Lock the weight of " + c.title, onchange: () => setLock(k, lock.checked) });
    const reset = el("button", {
      type: "button", class: "gs-w-reset", "aria-label": `run ${percent(stated)}: set the weight of ${c.title} to it`,
      title: "Set to the run’s " + percent(stated), onclick: () => take(k, stated, true),
    }, "run " + percent(stated));
    const whole = el(
      "div", { class: "gs-w-row", role: "group", "aria-label": c.title },
      el("div", { class: "gs-w-line" },
        el("span", { class: "gs-w-sign", "--c": colour(k), "aria-hidden": "true" }),
        el("label", { for: id, class: "gs-w-title" }, c.title, c.unit && c.unit !== "category" ? el("small", {}, " measured in " + c.unit) : "",
          c.critical ? el("small", {}, " · critical") : ""),
        el("span", { class: "gs-w-number" }, entry, "\u00a0%")),
      el("div", { class: "gs-w-line" },
        el("span", { class: "gs-w-track", "--run": stated / WHOLE }, slider),
        reset,
        el("label", { class: "gs-w-lock" }, lock, "lock")),
    );
    return { whole, slider, entry, lock, reset };
  }

  /** Arrows move by a percent, with Shift by a tenth; the page keys by five. */
  function step(event, k) {
    const far = { ArrowRight: 10, ArrowUp: 10, ArrowLeft: -10, ArrowDown: -10, PageUp: 50, PageDown: -50 }[event.key];
    if (!far || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    take(k, weights[k] + (event.shiftKey ? far / Math.abs(far) : far));
  }

  /** Set one weight; the others that are not locked give or take in their proportions. */
  function take(k, value, once) {
    if (!held || held.k !== k) held = { k, base: weights.slice() };
    const found = moved(weights, k, value, locked, held.base);
    if (once) held = null;
    weights = found.weights;
    fill(note, found.limit === "locked" ? "Every other weight is locked, so this one cannot move: unlock one."
      : found.limit === "room" ? `The locked weights leave ${percent(found.room)} at most.` : "");
    show();
    app.choose(weights);
  }

  function enter(k, entry) {
    const value = entry.valueAsNumber;
    if (Number.isNaN(value) || value < 0 || value > 100) {
      fill(note, `A weight is a number from 0 to 100 %; ${criteria[k].title} stays at ${percent(weights[k])}.`);
      show();
      return;
    }
    take(k, 10 * value, true);
  }

  function setLock(k, isLocked) {
    locked[k] = isLocked;
    held = null;
    fill(note);
    show();
  }

  const rows = criteria.map(row);

  // ---- presets, rule, reset -------------------------------------------------------------
  const named = [{ id: "run", title: "The run’s weights", basis: "", weights: app.stated.weights }, ...presets];
  const basis = el("p", { class: "gs-sub" });
  const preset = el("select", { id: "gs-w-preset", onchange: () => {
    const found = named.find((p) => p.id === preset.value);
    if (found) lay(found.weights);
  } }, el("option", { value: "" }, "own choice"), named.map((p) => el("option", { value: p.id }, p.title)));

  const about = el("p", { class: "gs-sub", id: "gs-w-about" });
  const rule = el("select", { id: "gs-w-rule", "aria-describedby": "gs-w-about", onchange: () => app.choose(weights, rules[Number(rule.value)].rule) },
    rules.map((r, k) => el("option", { value: k }, r.title)));

  /** All weights at once; locks are for moving single ones. */
  function lay(values) {
    weights = values.slice();
    locked.fill(false);
    held = null;
    fill(note);
    show();
    app.choose(weights);
  }

  const resetAll = el("button", { type: "button", id: "gs-w-reset-all", onclick: () => {
    lay(app.stated.weights);
    app.choose(weights, app.stated.rule);
  } }, "Reset all");

  // ---- showing --------------------------------------------------------------------------
  const sliders = el("fieldset", { class: "gs-w-rows" }, el("legend", {}, "Weights of the criteria"), rows.map((r) => r.whole));
  const idle = el("p", { class: "gs-w-note", hidden: true });

  function show() {
    const isWeighted = combining.isWeighted(app.state.rule);
    rows.forEach((r, k) => {
      const w = weights[k];
      r.slider.value = w;
      r.slider.setAttribute("aria-valuetext", `${percent(w)}; the run has ${percent(app.stated.weights[k])}`);
      r.entry.value = (w / 10).toFixed(1);
      r.lock.checked = locked[k];
      r.slider.disabled = r.entry.disabled = locked[k] || !isWeighted;
      r.reset.disabled = locked[k] || !isWeighted || w === app.stated.weights[k];
      r.lock.disabled = !isWeighted;
    });
    stripOfReader.show(weights);
    const current = named.find((p) => p.weights.every((w, k) => w === weights[k]));
    preset.value = current ? current.id : "";
    preset.disabled = !isWeighted;
    fill(basis, current ? current.basis : "");
    sliders.classList.toggle("gs-w-idle", !isWeighted);
    idle.hidden = isWeighted;
    fill(idle, isWeighted ? "" : "Weights have no part in this rule, so the sliders rest. A criterion at 0 % is left out of it.");
  }

  let saying = 0;
  app.on("ranking", (ranking) => {
    // A link or the banner may have chosen.
    weights = app.state.weights.slice();
    rule.value = rules.findIndex((r) => r.rule.kind === app.state.rule.kind);
    fill(about, combining.line(app.state.rule));
    const isStated = app.isStated();
    state.classList.toggle("gs-w-other", !isStated);
    fill(state, isStated ? "These are the run’s weights and rule." : "Not the run’s: re-weighted by the reader.");
    resetAll.disabled = isStated;
    const words = isStated ? "" : said(ranking);
    fill(effect, words);
    clearTimeout(saying);
    if (words) saying = setTimeout(() => app.say(words), 700);
    show();
  });

  put(
    box,
    el("div", { class: "gs-w-top" }, state, resetAll),
    effect,
    stripOfRun.row,
    stripOfReader.row,
    el("div", { class: "gs-w-choice" }, el("label", { for: "gs-w-preset" }, "Preset"), preset),
    basis,
    el("div", { class: "gs-w-choice" }, el("label", { for: "gs-w-rule" }, "Rule"), rule),
    about,
    idle,
    note,
    sliders,
    el("p", { class: "gs-sub" }, "Arrow keys move a slider by 1 %, with Shift by 0.1 %, the page keys by 5 %. Outlines of sites, tiers, rank intervals and the suitability surface stay as the run made them."),
  );
  show();
};
