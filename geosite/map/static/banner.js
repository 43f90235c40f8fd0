/* Says on the map and over the table that what is shown is not the run's ranking. */
geosite.banner = function (app) {
  "use strict";
  const { el, fill } = geosite.dom;
  const makers = [];

  function banner(parent, place) {
    const box = el("div", { class: "gs-banner gs-banner-" + place, role: "note", hidden: true });
    const back = el("button", { type: "button", onclick: () => app.choose(app.stated.weights, app.stated.rule) }, "Back to the run’s");
    parent.prepend(box);
    makers.push((isStated) => {
      box.hidden = isStated;
      if (isStated === (box.childNodes.length === 0)) return;
      fill(
        box,
        isStated ? "" : [
          el("b", {}, "Re-weighted by the reader: not the run’s ranking."),
          place === "table" ? " Rank intervals, tiers and the surface are of the run’s weights. " : " ",
          back,
        ],
      );
    });
    return box;
  }

  banner(document.getElementById("gs-tab-sites"), "table");
  L.DomEvent.disableClickPropagation(banner(app.map.getContainer(), "map"));
  app.on("ranking", () => {
    const isStated = app.isStated();
    document.documentElement.classList.toggle("gs-reweighted", !isStated);
    for (const make of makers) make(isStated);
  });
};
