// What the actions beyond clicking, typing and choosing ask of an element.
const box = (e) => {
  const role = e.getAttribute("role") || "";
  if (e.tagName === "INPUT" && ["checkbox", "radio"].includes(e.type)) return e.checked ? "checked" : "unchecked";
  if (!["checkbox", "radio", "switch", "menuitemcheckbox", "menuitemradio"].includes(role)) return "";
  return e.getAttribute("aria-checked") === "true" ? "checked" : "unchecked";
};
const tick = async (e) => {
  const now = box(e);
  if (!now) return { state: "no box", detail: tag(e) };
  if (now === query.arg) return { state: "ready", done: true };
  return point(e);
};
const ticked = (e) => (box(e) === query.arg ? { state: "ready" } : { state: "still " + box(e) });

const files = (e) => {
  if (e.tagName !== "INPUT" || e.type !== "file") return { state: "no file field", detail: tag(e) };
  if (Number(query.arg) > 1 && !e.multiple) return { state: "one file", detail: query.arg };
  return { state: "ready" };
};

const place = (e) => ({ state: "ready", x: middles(e).at(-1).x, y: middles(e).at(-1).y });
const reveal = (e) => {
  if (!inView(e)) e.scrollIntoView({ block: "center", inline: "center", behavior: "instant" });
  return { state: "ready" };
};
// Where the wheel turns for e: its middle, as far as the window shows it.
// Done says that nothing there can scroll: then only scripts can tell what the wheel does.
const wheel = async (e) => {
  const by = Number(query.arg);
  const around = [];
  const outside = (n) => (n.nodeType === Node.DOCUMENT_NODE ? n.defaultView.frameElement : composedParent(n));
  for (let n = e; n; n = outside(n)) if (n.nodeType === Node.ELEMENT_NODE) around.push(n);
  const can = (n) => {
    const clips = n !== n.ownerDocument.scrollingElement && !["auto", "scroll"].includes(getComputedStyle(n).overflowY);
    return !clips && (by > 0 ? n.scrollTop + n.clientHeight < n.scrollHeight - 1 : n.scrollTop > 0);
  };
  if (e !== document.documentElement && !inView(e)) {
    reveal(e);
    await frame(); // or the wheel would turn over what was here before
    await frame();
  }
  const now = { done: !around.some(can), detail: around.map((n) => n.scrollTop).join() };
  if (e === document.documentElement) return { state: "ready", x: innerWidth / 2, y: innerHeight / 2, ...now };
  const at = { ...place(e), ...now };
  return { ...at, x: Math.min(Math.max(at.x, 1), innerWidth - 1), y: Math.min(Math.max(at.y, 1), innerHeight - 1) };
};
const focus = (e) => {
  e.focus();
  return { state: "ready" };
};

const number = () => {
  const scope = scopeOf(query);
  const list = scope.top ? matches(query, scope.top).filter(visible) : [];
  const n = query.nth ? list.slice(query.nth > 0 ? query.nth - 1 : query.nth).length : list.length;
  if (query.op === "count") return String(n) === query.arg ? { state: "ready" } : { state: "other count", detail: String(n) };
  return n === 0 ? { state: "ready" } : { state: "still there" };
};
const read = (e) => {
  const now = query.attribute ? e.getAttribute(query.attribute) : e.value;
  if (now === null || now === undefined) return { state: "no value", detail: tag(e) };
  return { state: "ready", detail: String(now).slice(0, 10000) };
};
const value = (e) => {
  const { state, detail: now } = read(e);
  if (state !== "ready") return { state, detail: now };
  if (now === query.arg) return { state };
  return { state: "other value", detail: e.type === "password" ? "***" : now };
};
