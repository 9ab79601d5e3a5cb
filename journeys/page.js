// Says whether a user could act on the element that a query means, and if so prepares
// the act. It changes nothing before.
const explain = () => ({
  url: location.href,
  title: norm(document.title),
  state: document.readyState,
  says: shownIn(document).slice(0, 2000),
  near: query.value ? near(query) : [],
});

const frame = () => new Promise((drawn) => {
  requestAnimationFrame(() => drawn(true));
  setTimeout(() => drawn(false), 200);
});

// Whether an element moves shows only from one drawn frame to the next.
const still = async (e) => {
  const running = e.ownerDocument.getAnimations().filter((a) => a.playState === "running");
  if (running.length === 0) return true;
  if (running.some((a) => a.pending)) return false;
  const before = e.getBoundingClientRect();
  const drawn = (await frame()) && (await frame());
  const after = e.getBoundingClientRect();
  return drawn && before.x === after.x && before.y === after.y;
};

const composedParent = (n) => n.assignedSlot || n.parentNode || n.host;
const isIn = (e, n) => {
  while (n && n !== e) n = composedParent(n);
  return n === e;
};
const hitAt = (doc, x, y) => {
  let hit = doc.elementFromPoint(x, y);
  while (hit && rootOf(hit)) {
    const inner = rootOf(hit).elementFromPoint(x, y);
    if (!inner || inner === hit) break;
    hit = inner;
  }
  return hit;
};

// The middle of e, in its own window first and in the page last.
const middles = (e) => {
  const r = e.getBoundingClientRect();
  const path = [{ e, ...pointIn(r) }];
  for (let f = frameOf(e); f; f = frameOf(f)) {
    const { x, y } = path.at(-1);
    const o = f.getBoundingClientRect();
    const style = getComputedStyle(f);
    path.push({ e: f, x: x + o.x + f.clientLeft + parseFloat(style.paddingLeft), y: y + o.y + f.clientTop + parseFloat(style.paddingTop) });
  }
  return path;
};
const inView = (e) => {
  const r = e.getBoundingClientRect();
  const w = e.ownerDocument.defaultView;
  return r.top >= 0 && r.left >= 0 && r.bottom <= w.innerHeight && r.right <= w.innerWidth &&
    middles(e).every((m) => {
      const mw = m.e.ownerDocument.defaultView;
      return m.x >= 0 && m.y >= 0 && m.x <= mw.innerWidth && m.y <= mw.innerHeight;
    });
};

// Where a user would click: the middle, scrolled into view, if nothing lies over it.
const point = async (e) => {
  if (!(await still(e))) return { state: "moving" };
  if (!inView(e)) e.scrollIntoView({ block: "center", inline: "center", behavior: "instant" });
  if (query.offset) showPoint(e);
  const path = middles(e);
  for (const m of path) {
    const hit = hitAt(m.e.ownerDocument, m.x, m.y);
    const labels = hit && hit.closest("label") && hit.closest("label").control === m.e;
    // Text in a slot belongs to the host, and shows in e.
    const slotted = hit && hit === m.e.getRootNode().host && m.e.querySelector("slot");
    if (!isIn(m.e, hit) && !labels && !slotted) {
      return { state: "covered", detail: hit ? tag(hit) : "nothing that can be clicked" };
    }
  }
  return { state: "ready", x: path.at(-1).x, y: path.at(-1).y };
};

const changed = (e) => {
  e.dispatchEvent(new Event("input", { bubbles: true }));
  e.dispatchEvent(new Event("change", { bubbles: true }));
};

const field = (e) => {
  const pickers = ["date", "time", "datetime-local", "month", "week", "color", "range"];
  const noText = ["checkbox", "radio", "file", "image", "hidden", ...buttonTypes];
  if (e.tagName === "INPUT" && pickers.includes(e.type)) {
    // The native setter, or frameworks that shadow value would not notice.
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(e, query.arg);
    changed(e);
    return { state: "ready", done: true };
  }
  const text = e.tagName === "TEXTAREA" || (e.tagName === "INPUT" && !noText.includes(e.type));
  if (!text && !e.isContentEditable) return { state: "no field", detail: tag(e) };
  if (text && e.readOnly) return { state: "read-only" };
  e.focus();
  if (text) e.select();
  else e.ownerDocument.getSelection().selectAllChildren(e);
  return { state: "ready" };
};

const choose = (e) => {
  if (e.tagName !== "SELECT") return { state: "no list", detail: tag(e) };
  const options = [...e.options];
  const found = options.find((o) => o.value === query.arg) || options.find((o) => norm(o.text) === norm(query.arg));
  if (!found || found.disabled) {
    return { state: "no option", detail: options.slice(0, 20).map((o) => norm(o.text)).join(", ") };
  }
  if (!found.selected) {
    e.focus();
    found.selected = true;
    changed(e);
  }
  return { state: "ready" };
};
