/* Elements of the page. Every text becomes a text node: nothing is read as HTML. */
var geosite = {};

geosite.dom = (function () {
  "use strict";

  /** An element: `el("button", { class: "x", type: "button", "aria-pressed": "false" }, "words", child…)`. */
  function el(tag, attributes, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value === undefined || value === null || value === false) continue;
      if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
      else if (name.startsWith("--")) made.style.setProperty(name, value);
      else made.setAttribute(name, value === true ? "" : String(value));
    }
    return put(made, ...children);
  }

  /** Append words (as text) or elements; empty ones are passed over. */
  function put(parent, ...children) {
    for (const child of children.flat()) {
      if (child === undefined || child === null || child === "") continue;
      parent.appendChild(child instanceof Node ? child : document.createTextNode(String(child)));
    }
    return parent;
  }

  /** Replace what an element holds. */
  function fill(parent, ...children) {
    parent.replaceChildren();
    return put(parent, ...children);
  }

  return { el, put, fill };
})();
