// One look at the page: what query.op asks for of the elements that query.q means.
const ready = (value) => ({ state: "ready", value: value === undefined ? null : value });
const shown = (e) => norm(visible(e) ? e.innerText ?? e.textContent : "");
const optionsOf = (e) => (e.tagName === "SELECT" ? [...e.options] : [...e.querySelectorAll("option")]);
const boxed = (e) => e.tagName === "INPUT" && ["checkbox", "radio"].includes(e.type);
const selected = (e) => {
  if (e.tagName !== "SELECT") return { state: "no list", detail: tag(e) };
  const want = [].concat(query.arg.options);
  const is = (o, i) => want.some((w) => {
    if (typeof w === "number") return w === i;
    if (w.re) return new RegExp(w.re, w.flags).test(o.text);
    return o.value === w || norm(o.text) === norm(w);
  });
  const list = [...e.options];
  const take = list.filter(is);
  if (take.length === 0) return { state: "no option", detail: list.slice(0, 20).map((o) => norm(o.text)).join(", ") };
  if (take.some((o) => o.disabled)) return { state: "disabled" };
  const before = list.map((o) => o.selected).join();
  e.focus();
  const several = e.multiple && (query.arg.add || want.length > 1);
  if (several) list.forEach((o) => { o.selected = take.includes(o) || (query.arg.add && o.selected); });
  else take[0].selected = true;
  if (list.map((o) => o.selected).join() !== before) changed(e);
  return ready();
};
const outlined = (e) => {
  const r = box4(e);
  return ready([r.left + scrollX, r.top + scrollY]);
};
const evaluated = async () => {
  const args = query.arg.args.map((a) => (a && typeof a.element === "number" ? one(query.q[a.element]) : a.value));
  const value = await Function("arguments", query.arg.source).call(window, args);
  return ready(value instanceof Node ? String(value) : value);
};
const rte = (e) => {
  const doc = e.contentDocument;
  if (!doc || !doc.body) return { state: "no frame", detail: tag(e) };
  doc.body.innerHTML = query.arg;
  return ready();
};
const fileField = (e) => (e.tagName === "INPUT" && e.type === "file" ? ready() : { state: "no file field", detail: tag(e) });

const ofPage = {
  title: () => ready(document.title),
  url: () => ready(location.href),
  selection: () => ready(String(getSelection())),
  dom: () => ready(document.documentElement.outerHTML),
  eval: evaluated,
};
const ofAll = {
  count: (list) => ready(list[0].length),
  exists: (list) => ready(list[0].length > 0),
  visible: (list) => ready(list[0].some(visible)),
};
const ofOne = {
  there: () => ready(),
  text: (e) => ready(visible(e) ? (e.innerText ?? e.textContent).trim() : ""),
  value: (e) => ready(e.value === undefined ? null : String(e.value)),
  checked: (e) => ready(e.checked === true || e.getAttribute("aria-checked") === "true"),
  enabled: (e) => ready(!e.matches(":disabled")),
  options: (e) => ready(optionsOf(e).map((o) => (query.arg === "value" ? o.value : norm(o.text)))),
  selectedText: (e) => ready(e.selectedOptions && e.selectedOptions[0] ? norm(e.selectedOptions[0].text) : null),
  attribute: (e) => ready(e.getAttribute(query.arg)),
  property: (e) => ready(["string", "number", "boolean"].includes(typeof e[query.arg]) ? e[query.arg] : null),
  html: (e) => ready(e.innerHTML),
  tag: (e) => ready(e.tagName.toLowerCase()),
  style: (e) => ready(getComputedStyle(e).getPropertyValue(query.arg) || getComputedStyle(e)[query.arg]),
  position: outlined,
  blur: (e) => { e.blur(); return ready(); },
  rte,
  hiddenValue: (e) => { e.value = query.arg; changed(e); return ready(); },
  fileField,
  element: (e) => e,
};
const ofVisible = { seen: () => ready(), place: (e) => { reveal(e); return place(e); } };
const ofActive = {
  point,
  focus,
  caret: (e) => {
    e.focus();
    if (e.setSelectionRange && typeof e.selectionStart === "number") e.setSelectionRange(e.value.length, e.value.length);
    return ready();
  },
  field,
  tick: async (e) => {
    if (!boxed(e)) return { state: "no box", detail: tag(e) };
    return e.checked === query.arg ? { state: "ready", done: true } : point(e);
  },
  ticked: (e) => (e.checked === query.arg ? ready() : { state: "unticked" }),
  select: selected,
};

try {
  // Who asks what is there, means the page when it is.
  const whole = ofAll[query.op] || ["title", "dom", "selection"].includes(query.op);
  if (whole && document.readyState === "loading") return { state: "loading" };
  if (ofPage[query.op]) return await ofPage[query.op]();
  if (ofAll[query.op]) return ofAll[query.op](query.q.map(found));
  const es = query.q.map(one);
  const missing = es.findIndex((e) => !e);
  if (missing >= 0) return { state: "missing", which: missing, near: others(query.q[missing]) };
  if (query.op === "equal") return ready(es[0] === es[1]);
  if (query.op === "contains") return ready(within(es[1], es[0]));
  const e = es[0];
  if (ofOne[query.op]) return ofOne[query.op](e);
  if (!visible(e)) return { state: "hidden" };
  let at;
  if (ofVisible[query.op]) at = await ofVisible[query.op](e);
  else if (e.matches(":disabled")) return { state: "disabled" };
  else at = await ofActive[query.op](e);
  const corner = query.q[0].at;
  if (corner && at.x !== undefined) {
    const r = box4(e);
    return { ...at, x: r.left + corner.x, y: r.top + corner.y };
  }
  return at;
} catch (err) {
  return { state: "threw", detail: String((err && err.message) || err), name: String(err && err.name) };
}
