// Finds elements as Sakuli does: by their kind, what they are called, and where they
// are in relation to others. query.q are the elements, in the order of the arguments.
const fileOf = (u) => (u || "").split(/[?#]/)[0].split("/").pop();
const formText = (e) => ["INPUT", "TEXTAREA", "SELECT"].includes(e.tagName);
const callsItself = (e) => [
  e.ariaLabel, ...[...(e.labels || [])].map(wordsIn), e.getAttribute("name"), e.id, e.getAttribute("class"),
  formText(e) ? "" : e.innerText === undefined ? e.textContent : e.innerText,
  e.type === "password" ? "" : typeof e.value === "object" ? "" : String(e.value ?? ""),
  e.getAttribute("alt"), e.getAttribute("title"), e.getAttribute("placeholder"),
  e.getAttribute("src"), fileOf(e.getAttribute("src")), e.getAttribute("href"),
  e.getAttribute("aria-describedby"),
].filter(Boolean);
const wanted = (id) => {
  if (id.re === undefined) return (e) => callsItself(e).some((v) => norm(v) === norm(id.text));
  const re = new RegExp(id.re, (id.flags || "").replace(/[gy]/g, ""));
  return (e) => callsItself(e).some((v) => re.test(v) || re.test(norm(v)));
};
const identified = (list, id) => {
  if (!id) return list;
  if (id.class) list = list.filter((e) => id.class.split(/\s+/).every((c) => e.classList.contains(c)));
  if (id.text !== undefined || id.re !== undefined) list = list.filter(wanted(id));
  return id.index === undefined ? list : list.slice(id.index, id.index + 1);
};

// The node around n, also out of a shadow root and out of a frame.
const around = (n) => n.assignedSlot || n.parentNode || n.host || (n.defaultView && n.defaultView.frameElement);
const within = (e, outer) => {
  for (let n = around(e); n; n = around(n)) if (n === outer) return true;
  return false;
};
const path = (e) => {
  const out = [e];
  for (let n = around(e); n; n = around(n)) out.push(n);
  return out;
};
// How many steps through the tree lead from one element to the other.
const steps = (a, b) => {
  const up = path(a);
  const down = path(b);
  const meet = up.findIndex((n) => down.includes(n));
  return meet < 0 ? Infinity : meet + down.indexOf(up[meet]);
};
const box4 = (e) => {
  const r = e.getBoundingClientRect();
  const m = middles(e);
  const dx = m.at(-1).x - m[0].x;
  const dy = m.at(-1).y - m[0].y;
  return { left: r.left + dx, right: r.right + dx, top: r.top + dy, bottom: r.bottom + dy, x: m.at(-1).x, y: m.at(-1).y };
};
const overlap = (a1, a2, b1, b2) => Math.min(a2, b2) - Math.max(a1, b1) > 0;
const column = (a, b) => overlap(a.left, a.right, b.left, b.right);
const line = (a, b) => overlap(a.top, a.bottom, b.top, b.bottom);
const sides = {
  under: (a, b) => column(a, b) && b.y > a.y && b.y - a.y,
  above: (a, b) => column(a, b) && b.y < a.y && a.y - b.y,
  underOrAbove: (a, b) => column(a, b) && Math.abs(b.y - a.y),
  rightOf: (a, b) => line(a, b) && b.x > a.x && b.x - a.x,
  leftOf: (a, b) => line(a, b) && b.x < a.x && a.x - b.x,
  leftOrRightOf: (a, b) => line(a, b) && Math.abs(b.x - a.x),
};
const nearest = (list, distance) => list.map((e) => ({ e, d: distance(e) })).filter((o) => o.d !== false && o.d !== Infinity)
  .sort((a, b) => a.d - b.d).map((o) => o.e);
const related = (list, r) => {
  const anchor = one(r.of);
  if (!anchor) return [];
  if (r.kind === "in") return list.filter((e) => within(e, anchor));
  list = list.filter((e) => e !== anchor);
  if (r.kind === "near") return nearest(list, (e) => steps(anchor, e));
  const a = box4(anchor);
  const apart = list.filter((e) => !within(e, anchor) && !within(anchor, e) && visible(e));
  return nearest(apart, (e) => sides[r.kind](a, box4(e))).slice(r.offset || 0);
};

const focused = (doc) => {
  const e = doc.activeElement;
  if (e && e.shadowRoot && e.shadowRoot.activeElement) return e.shadowRoot.activeElement;
  return e && e.contentDocument ? focused(e.contentDocument) : e;
};
const climb = ({ of, tag: name, n }) => {
  const e = one(of);
  const ups = e ? path(e).slice(1).filter((o) => o.tagName && o.tagName.toLowerCase() === name.toLowerCase()) : [];
  return ups.slice(n - 1, n);
};
const cellOf = (c) => {
  const table = one(c.of);
  if (!table || !table.rows) return [];
  const rows = [...table.rows];
  const shows = (e, t) => norm(e.innerText) === norm(t);
  const row = c.inRow ? rows.find((r) => [...r.cells].some((e) => shows(e, c.inRow))) : rows[c.row];
  if (!row) return [];
  const column = c.under ? rows.map((r) => [...r.cells].findIndex((e) => shows(e, c.under))).find((i) => i >= 0) : c.column;
  return row.cells[column] ? [row.cells[column]] : [];
};
const elementsOf = (q, frames) => {
  const roots = trees(document, frames);
  let list;
  if (q.active) list = [focused(document)].filter(Boolean);
  else if (q.parent) list = climb(q.parent);
  else if (q.cell) list = cellOf(q.cell);
  else if (q.xpath) list = roots.flatMap((r) => xpath(r, q.xpath));
  else list = all(roots, q.css);
  list = [...new Set(list)];
  for (const r of q.rel || []) list = related(list, r);
  list = identified(list, q.id);
  return q.nth === undefined ? list : list.slice(q.nth, q.nth + 1);
};
// Every element that q means: in the page itself, or else also in its frames.
const found = (q) => {
  const here = elementsOf(q, false);
  return here.length ? here : elementsOf(q, true);
};
// The element that q means: the first one that can be seen, if there is one.
const one = (q) => {
  const list = found(q);
  return list.find(visible) || list[0];
};
// What there is of the kind that q looks for.
const others = (q) => [...new Set((q.css ? all(trees(document, true), q.css) : []).filter(visible)
  .flatMap(callsItself).map(norm))].filter((t) => t && t.length <= 40).slice(0, 100);
