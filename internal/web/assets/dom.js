// Making elements. Text from outside becomes text nodes and nothing else.

export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (key === "class") node.className = value;
    else if (key === "data") Object.assign(node.dataset, value);
    else if (key === "style") Object.assign(node.style, value);
    else if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((c) => c !== undefined && c !== null && c !== false));
  return node;
}

// put replaces what is in node.
export function put(node, ...children) {
  node.replaceChildren(...children.flat(Infinity).filter((c) => c !== undefined && c !== null && c !== false));
}

export const byId = (id) => document.getElementById(id);

const SVG = "http://www.w3.org/2000/svg";
const shapes = {
  ok: { fill: "var(--ok)", d: "M10 1a9 9 0 1 0 0 18 9 9 0 0 0 0-18Z", mark: "M5.8 10.3l2.8 2.8 5.6-6" },
  warning: { fill: "var(--warning)", d: "M10 1.6 19.2 18H.8Z", mark: "M10 7.4v4.6M10 15v.1" },
  critical: { fill: "var(--critical)", d: "M6.2 1h7.6L19 6.2v7.6L13.8 19H6.2L1 13.8V6.2Z", mark: "M6.8 6.8l6.4 6.4M13.2 6.8l-6.4 6.4" },
  unknown: { hatch: true, d: "M10 1.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17Z", mark: "M7.4 7.6c.2-1.6 1.2-2.4 2.6-2.4s2.6.9 2.6 2.3c0 2-2.6 2-2.6 4M10 14.6v.1" },
  none: { hollow: true, d: "M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14Z", mark: "" },
};
shapes.pass = shapes.ok;
shapes.fail = shapes.critical;
shapes.inconclusive = { ...shapes.unknown };
shapes.invalid = shapes.warning;
shapes.aborted = { fill: "var(--warning)", d: shapes.ok.d, mark: "M6.6 6.6h6.8v6.8H6.6Z" };
shapes.skipped = { hollow: true, d: shapes.none.d, mark: "M6.5 10h7" };

// icon tells statuses and verdicts apart by shape, not by colour alone.
export function icon(word) {
  const shape = shapes[word] ?? shapes.none;
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("class", "icon");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", word);
  const path = (d, attrs) => {
    const p = document.createElementNS(SVG, "path");
    p.setAttribute("d", d);
    for (const [k, v] of Object.entries(attrs)) p.setAttribute(k, v);
    svg.append(p);
  };
  const plain = shape.hatch || shape.hollow;
  path(shape.d, plain
    ? { fill: "var(--panel)", stroke: "var(--unknown)", "stroke-width": shape.hatch ? 2 : 1.6, "stroke-dasharray": shape.hatch ? "3 1.8" : "none" }
    : { fill: shape.fill });
  path(shape.mark, { fill: "none", stroke: plain ? "var(--unknown-ink)" : "var(--panel)", "stroke-width": 2, "stroke-linecap": "round", "stroke-linejoin": "round" });
  return svg;
}
