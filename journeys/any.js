// Elements as recordings name them: by several alternatives, by what a screen reader
// says whatever the role, and by a point in them.
const spoken = "a[href], area[href], button, summary, option, h1, h2, h3, h4, h5, h6, th, td, " +
  "input[type=submit], input[type=button], input[type=reset]";
const speaking = spoken + ", input, select, textarea, img, fieldset, table, figure, [role], [title], " +
  "[aria-label], [aria-labelledby], [contenteditable]";
// A role for nameOf: of what has none that is named by its content, one that is not.
const spokenRole = (e) => e.getAttribute("role") || (e.matches(spoken) ? "" : "group");

// Whether e has the role that a screen reader would tell. That is said of some fields
// which ARIA has no role for; of a role that only browsers know, nothing is held.
const plays = (e, s) => {
  const given = e.getAttribute("role");
  if (!s.role || given === s.role) return true;
  if (given) return false;
  if (s.role === "textbox" && e.matches("input[type=password]")) return true;
  return s.implicit ? e.matches(s.implicit) : s.implicit === undefined;
};

const through = (chain, top) => chain.reduce(
  (tops, part, i) => [...new Set(tops.flatMap((t) => present(part, i > 0 && rootOf(t) || t)))], [top]);
const alternatives = (s, top) => s.any.map((chain) => through(chain, top));
// The list of the alternative that serves: one visible element is better than several,
// and those are better than hidden ones.
const chosen = (lists) => {
  const shown = lists.map((list) => list.filter(visible));
  return shown.find((l) => l.length === 1) || shown.find((l) => l.length > 0) || lists.find((l) => l.length > 0) || [];
};

// Where in the box of an element to point: at the offset that is asked for, if the box
// is large enough, else at the middle.
const pointIn = (r) => {
  const at = query.offset;
  if (at && at.x <= r.width && at.y <= r.height) return { x: r.x + at.x, y: r.y + at.y };
  return { x: r.x + r.width / 2, y: r.y + r.height / 2 };
};
// Of a large element the middle may be in view, and the point not.
const showPoint = (e) => {
  const { x, y } = middles(e)[0];
  const w = e.ownerDocument.defaultView;
  if (x >= 0 && y >= 0 && x < w.innerWidth && y < w.innerHeight) return;
  w.scrollBy({ left: x - w.innerWidth / 2, top: y - w.innerHeight / 2, behavior: "instant" });
};

// What of query.elements does not hold, or "".
const wrongOf = (want) => {
  const list = scopeOf(query).top ? present(query, scopeOf(query).top) : [];
  const n = list.length;
  if (want.atLeast !== undefined && n < want.atLeast) return `there are ${n}`;
  if (want.atMost !== undefined && n > want.atMost) return `there are ${n}`;
  const same = (a, b) => a === b || a instanceof Object && b instanceof Object && Object.entries(a).every(([k, v]) => same(v, b[k]));
  for (const e of list) {
    for (const [k, v] of Object.entries(want.attributes || {})) {
      if (e.getAttribute(k) !== v) return `${tag(e)} has ${k} ${JSON.stringify(e.getAttribute(k))}`;
    }
    for (const [k, v] of Object.entries(want.properties || {})) {
      const now = e[k] instanceof Object ? "another value" : JSON.stringify(e[k]);
      if (!same(v, e[k])) return `${tag(e)} has ${k} ${e.type === "password" ? "***" : now}`;
    }
  }
  return "";
};
const elements = () => {
  const wrong = wrongOf(query.elements);
  if (query.elements.gone) return wrong ? { state: "ready" } : { state: "still so" };
  return wrong ? { state: "other elements", detail: wrong } : { state: "ready" };
};

// Gives a field a value, whatever kind of field it is.
const fill = async (e) => {
  if (e.tagName === "SELECT") return { ...choose(e, [query.arg]), done: true };
  if (e.tagName !== "INPUT" || !box(e)) return field(e);
  const want = { true: "checked", false: "unchecked" }[query.arg] || (e.value === query.arg ? box(e) : "");
  if (!want) return { state: "no box value", detail: tag(e) };
  if (box(e) === want) return { state: "ready", done: true };
  return { ...await point(e), detail: "box" };
};
const scrollIn = (e) => {
  const [left, top] = query.arg.split(",").map(Number);
  const what = e === e.ownerDocument.documentElement ? e.ownerDocument.defaultView : e;
  what.scrollTo({ left, top, behavior: "instant" });
  return { state: "ready" };
};
// A * in what is wanted stands for any text.
const like = (text, wanted) => new RegExp("^" + wanted.split("*").map((s) => s.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join(".*") + "$", "s").test(text);
const arrived = () => {
  if (query.arg && !like(location.href, query.arg)) return { state: "other address", detail: location.href };
  const title = norm(document.title);
  if (query.attribute && !like(title, norm(query.attribute))) return { state: "other title", detail: title };
  return { state: "ready" };
};
