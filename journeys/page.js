// Runs in the page, once a look: finds the element that a query means, says whether
// a user could act on it now, and if so prepares the act. It changes nothing before.
(query) => {
  const norm = (s) => (s || "").replace(/\s+/g, " ").trim();
  const buttonTypes = ["submit", "button", "reset"];
  const textOf = (e) => norm(e.tagName === "INPUT" && buttonTypes.includes(e.type) ? e.value : e.textContent);
  const visible = (e) => {
    const r = e.getBoundingClientRect();
    return r.width > 0 && r.height > 0 && e.checkVisibility({ visibilityProperty: true });
  };
  const name = (e) => {
    const id = e.id ? "#" + e.id : e.classList.length ? "." + e.classList[0] : "";
    return e.tagName.toLowerCase() + id;
  };
  const all = (css) => [...document.querySelectorAll(css)];
  const innermost = (list) => list.filter((e) => !list.some((o) => o !== e && e.contains(o)));

  const finders = {
    css: (v) => all(v),
    testid: (v) => all("[data-testid]").filter((e) => e.dataset.testid === v),
    label: (v) => {
      const labelled = all("label").filter((l) => l.control && norm(l.textContent) === v).map((l) => l.control);
      return [...labelled, ...all("[aria-label]").filter((e) => norm(e.ariaLabel) === v)];
    },
    text: (v) => {
      const skip = ["SCRIPT", "STYLE", "NOSCRIPT", "TEMPLATE"];
      const own = all("body *").filter((e) => !skip.includes(e.tagName) && textOf(e).includes(v));
      const exact = own.filter((e) => textOf(e) === v);
      return innermost(exact.length ? exact : own);
    },
  };

  const near = () => {
    const short = (list) => [...new Set(list)].filter((s) => s && s.length <= 40).slice(0, 100);
    switch (query.by) {
      case "css": return short(all("[id]").map((e) => "#" + e.id));
      case "testid": return short(all("[data-testid]").map((e) => e.dataset.testid));
      case "label": return short(all("label").map((l) => norm(l.textContent)));
    }
    return short(all("button, a, input, summary, [role=button]").filter(visible).map(textOf));
  };

  const explain = () => ({
    url: location.href,
    title: norm(document.title),
    says: norm(document.body ? document.body.innerText : "").slice(0, 2000),
    near: query.value ? near() : [],
  });

  const frame = () => new Promise((drawn) => {
    requestAnimationFrame(() => drawn(true));
    setTimeout(() => drawn(false), 200);
  });

  // Whether an element moves shows only from one drawn frame to the next.
  const still = async (e) => {
    const running = document.getAnimations().filter((a) => a.playState === "running");
    if (running.length === 0) return true;
    if (running.some((a) => a.pending)) return false;
    const before = e.getBoundingClientRect();
    const drawn = (await frame()) && (await frame());
    const after = e.getBoundingClientRect();
    return drawn && before.x === after.x && before.y === after.y;
  };

  // Where a user would click: the middle, scrolled into view, if nothing lies over it.
  const point = async (e) => {
    if (!(await still(e))) return { state: "moving" };
    let r = e.getBoundingClientRect();
    if (r.top < 0 || r.left < 0 || r.bottom > innerHeight || r.right > innerWidth) {
      e.scrollIntoView({ block: "center", inline: "center", behavior: "instant" });
      r = e.getBoundingClientRect();
    }
    const at = { x: r.x + r.width / 2, y: r.y + r.height / 2 };
    const hit = document.elementFromPoint(at.x, at.y);
    const inside = hit && (hit === e || e.contains(hit) || (hit.shadowRoot && hit.shadowRoot.contains(e)));
    const labels = hit && hit.closest("label") && hit.closest("label").control === e;
    if (!inside && !labels && e.getRootNode() === document) {
      return { state: "covered", detail: hit ? name(hit) : "nothing that can be clicked" };
    }
    return { state: "ready", ...at };
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
    if (!text && !e.isContentEditable) return { state: "no field", detail: name(e) };
    if (text && e.readOnly) return { state: "read-only" };
    e.focus();
    if (text) e.select();
    else getSelection().selectAllChildren(e);
    return { state: "ready" };
  };

  const choose = (e) => {
    if (e.tagName !== "SELECT") return { state: "no list", detail: name(e) };
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

  if (query.op === "explain") return explain();
  let found;
  try {
    found = finders[query.by](query.value);
  } catch (err) {
    return { state: "invalid", detail: String(err.message) };
  }
  const e = found.find(visible) || found[0];
  if (!e) return { state: "missing" };
  if (query.op === "see") {
    const shown = norm(e.innerText);
    return shown.includes(query.arg) ? { state: "ready", detail: shown.slice(0, 120) } : { state: "unseen" };
  }
  if (!visible(e)) return { state: "hidden" };
  if (query.op === "visible") return { state: "ready" };
  if (e.matches(":disabled") || e.closest("[aria-disabled=true]")) return { state: "disabled" };
  return { point, type: field, choose }[query.op](e);
}
