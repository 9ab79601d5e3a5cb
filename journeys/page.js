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

// Follows whether what the mouse presses is still there when it is let go (see pointer.go).
const followPress = () => {
  const key = Symbol.for("foreshock.press");
  if (!window[key]) {
    const state = {};
    Object.defineProperty(window, key, { value: state });
    addEventListener("mousedown", (ev) => { [state.pressed] = ev.composedPath(); }, true);
    addEventListener("click", () => { state.clicked = true; }, true);
  }
  window[key].pressed = null;
  window[key].clicked = false;
};

// What lies over the middle of e; null is nothing.
const cover = (e) => {
  for (const m of middles(e)) {
    const hit = hitAt(m.e.ownerDocument, m.x, m.y);
    const labels = hit && hit.closest("label") && hit.closest("label").control === m.e;
    // Text in a slot belongs to the host, and shows in e.
    const slotted = hit && hit === m.e.getRootNode().host && m.e.querySelector("slot");
    if (!isIn(m.e, hit) && !labels && !slotted) return hit ? tag(hit) : "nothing that can be clicked";
  }
  return null;
};

// Where a user would click: the middle, scrolled into view, if nothing lies over it.
const point = async (e) => {
  if (!(await still(e))) return { state: "moving" };
  let over = inView(e) && cover(e);
  // What sticks to an edge of the window covers it there only.
  for (const block of ["center", "end", "start"]) {
    if (over === null) break;
    e.scrollIntoView({ block, inline: "center", behavior: "instant" });
    if (query.offset) showPoint(e);
    const now = cover(e);
    if (over === false || now === null) over = now;
  }
  if (over) return { state: "covered", detail: over };
  followPress();
  const { x, y } = middles(e).at(-1);
  return { state: "ready", x, y };
};

// Where in the page a place in frame e is, if nothing lies over it.
const inFrame = (e, x, y) => {
  if (!visible(e)) return { state: "hidden" };
  const climb = () => {
    const path = [];
    for (let f = e, at = { x, y }; f; f = frameOf(f)) {
      const o = f.getBoundingClientRect();
      const style = getComputedStyle(f);
      at = { e: f, x: at.x + o.x + f.clientLeft + parseFloat(style.paddingLeft), y: at.y + o.y + f.clientTop + parseFloat(style.paddingTop) };
      path.push(at);
    }
    return path;
  };
  const outside = (m) => {
    const w = m.e.ownerDocument.defaultView;
    return m.x < 0 || m.y < 0 || m.x > w.innerWidth || m.y > w.innerHeight;
  };
  for (const m of climb().toReversed()) {
    const now = climb().find((o) => o.e === m.e);
    const w = m.e.ownerDocument.defaultView;
    if (outside(now)) w.scrollBy({ left: now.x - w.innerWidth / 2, top: now.y - w.innerHeight / 2, behavior: "instant" });
  }
  const path = climb();
  for (const m of path) {
    const hit = hitAt(m.e.ownerDocument, m.x, m.y);
    if (!isIn(m.e, hit)) return { state: "covered", detail: hit ? tag(hit) : "nothing that can be clicked" };
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
  if (query.secret && e.getRootNode().mode === "closed") { // where capture.js cannot look
    const gray = { filter: "contrast(0) blur(8px)" };
    e.animate([gray, gray], { duration: 1e8 });
  }
  e.focus();
  if (text) e.select();
  else e.ownerDocument.getSelection().selectAllChildren(e);
  return { state: "ready" };
};

const choose = (e, wanted = JSON.parse(query.arg)) => {
  if (e.tagName !== "SELECT") return { state: "no list", detail: tag(e) };
  const options = [...e.options];
  if (wanted.length !== 1 && !e.multiple) return { state: "one option", detail: String(wanted.length) };
  const found = wanted.map((v) => options.find((o) => o.value === v) || options.find((o) => norm(o.text) === norm(v)));
  if (found.some((o) => !o || o.disabled)) {
    return { state: "no option", detail: options.slice(0, 20).map((o) => norm(o.text)).join(", ") };
  }
  if (options.some((o) => o.selected !== found.includes(o))) {
    e.focus();
    for (const o of options) o.selected = found.includes(o);
    changed(e);
  }
  return { state: "ready" };
};
