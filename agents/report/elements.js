"use strict";
// Making elements, unpacking data, writing numbers.

/** An element. Properties are set as attributes, functions as listeners; children are elements or text. */
function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value != null) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child != null));
  return made;
}

/** A table with row headings in the first column. Cells are texts or elements; a cell may be given as [content, class]. */
function table(caption, headings, rows) {
  const cell = (tag, content, properties = {}) => {
    const [inner, style] = Array.isArray(content) ? content : [content, null];
    return element(tag, { class: style, ...properties }, inner ?? "–");
  };
  return element("div", { class: "scroll", role: "region", "aria-label": caption, tabindex: 0 },
    element("table", {},
      element("caption", { class: "hidden" }, caption),
      element("thead", {}, element("tr", {}, ...headings.map((text) => cell("th", text, { scope: "col" })))),
      element("tbody", {}, ...rows.map(([first, ...rest]) =>
        element("tr", {}, cell("th", first, { scope: "row" }), ...rest.map((content) => cell("td", content)))))));
}

const unpacked = new Map();

/** The text of a compressed block of the page. */
async function unpackText(name) {
  const bytes = Uint8Array.from(atob(document.getElementById(name).textContent), (char) => char.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
}

/** The data of a compressed block, which is unpacked once. */
function unpack(name) {
  if (!unpacked.has(name)) unpacked.set(name, unpackText(name).then(JSON.parse));
  return unpacked.get(name);
}

/** One item of a list that is divided into pieces. */
async function unpackItem(name, index, atOnce) {
  return (await unpack(`${name}-${Math.floor(index / atOnce)}`))[index % atOnce];
}

/** A number in about three digits. */
function number(value) {
  if (value == null) return "–";
  if (Number.isInteger(value)) return value.toLocaleString("en");
  const size = Math.abs(value);
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : size >= 0.1 ? 3 : 4;
  return size < 1e-4 ? value.toExponential(1) : value.toFixed(digits);
}

function signed(value, digits = 3) {
  return (value < 0 ? "−" : "+") + Math.abs(value).toFixed(digits);
}

/** The colour that a custom property of the style sheet has now. */
function colour(name) {
  const probe = element("span", { hidden: true });
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}

/** A label of a curve with its mark. */
function swatch(curve, text) {
  const mark = element("span", { class: "swatch", "aria-hidden": "true" });
  mark.style.color = `var(--series-${curve % SERIES})`;
  mark.style.borderTopStyle = ["solid", "dashed", "dotted", "double"][Math.floor(curve / SERIES) % 4];
  return element("span", { class: "curve" }, mark, text);
}
const SERIES = 6;
