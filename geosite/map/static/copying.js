/* Text to the clipboard: over https and from a file, where the newer way may be refused. */
geosite.copying = (function () {
  "use strict";
  const { el } = geosite.dom;

  /** Copy a text and say so; gives whether it could be. */
  async function copy(app, text) {
    let done;
    try {
      await navigator.clipboard.writeText(text);
      done = true;
    } catch {
      done = byField(text);
    }
    app.say(done ? `Copied: ${text}` : `Could not copy. Mark the text and copy it by hand: ${text}`);
    return done;
  }

  /** The older way: a field that holds the text is selected for a moment. */
  function byField(text) {
    const focused = document.activeElement;
    const field = el("textarea", { class: "gs-copied", readonly: true, "aria-hidden": "true", tabindex: "-1" });
    field.value = text;
    document.body.appendChild(field);
    field.select();
    let done;
    try {
      done = document.execCommand("copy");
    } catch {
      done = false;
    }
    field.remove();
    if (focused) focused.focus({ preventScroll: true });
    return done;
  }

  /** A button that copies what `text()` gives and shows for a moment that it did. */
  function button(app, words, text, label) {
    const made = el("button", { type: "button", class: "gs-button", "aria-label": label });
    made.textContent = words;
    made.addEventListener("click", async () => {
      const done = await copy(app, text());
      made.textContent = done ? "Copied" : "Not copied";
      setTimeout(() => (made.textContent = words), 1500);
    });
    return made;
  }

  return { copy, button };
})();
