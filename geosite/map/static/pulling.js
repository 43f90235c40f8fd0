/* A small screen has map and panels one over the other: a button gives the panels all of it. */
geosite.pulling = function (app) {
  "use strict";
  const { el, fill } = geosite.dom;
  const root = document.documentElement, side = document.getElementById("gs-side"), head = side.querySelector("header");
  const pull = el("button", { type: "button", id: "gs-pull", "aria-expanded": "false", "aria-controls": "gs-side", onclick: () => set(!root.classList.contains("gs-tall")) });
  side.prepend(pull);

  function set(isTall) {
    root.classList.toggle("gs-tall", isTall);
    pull.setAttribute("aria-expanded", String(isTall));
    fill(pull, isTall ? "Show the map" : "More room for the panel");
  }
  set(false);
  // The head is scrolled away with what was read: another panel is read from its beginning.
  app.on("tab", () => {
    const top = head.offsetTop + head.offsetHeight;
    if (side.scrollTop > top) side.scrollTop = top;
  });
};
