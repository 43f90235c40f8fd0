// Style of the page's own scripts: plain scripts that share the object `geosite`.
import js from "@eslint/js";
import globals from "globals";

const html = ["innerHTML", "outerHTML", "insertAdjacentHTML"];

export default [
  js.configs.recommended,
  {
    files: ["**/*.js"],
    languageOptions: {
      ecmaVersion: 2023,
      sourceType: "script",
      globals: { ...globals.browser, L: "readonly", geosite: "writable", pmtiles: "readonly", Pbf: "readonly", htmlToImage: "readonly" },
    },
    rules: {
      eqeqeq: "error",
      "no-eval": "error",
      "no-implied-eval": "error",
      "no-new-func": "error",
      "no-redeclare": ["error", { builtinGlobals: false }],
      "no-unused-vars": ["error", { vars: "local" }],
      "no-var": "off",
      "prefer-const": "error",
      "max-lines": ["error", 400],
      // Words of strangers become text nodes.
      "no-restricted-properties": ["error", ...html.map((property) => ({ property })), { object: "document", property: "write" }],
    },
  },
];
