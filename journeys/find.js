// Finds elements as a user would name them, also in shadow roots and, if the page
// itself has none, in its frames of the same origin; frames.go does the others.
const textOf = (e) => norm(e.tagName === "INPUT" && buttonTypes.includes(e.type) ? e.value : e.textContent);
const frameOf = (e) => e.ownerDocument.defaultView && e.ownerDocument.defaultView.frameElement;
const visible = (e) => {
  const r = e.getBoundingClientRect();
  const own = r.width > 0 && r.height > 0 && e.checkVisibility({ visibilityProperty: true });
  return own && (!frameOf(e) || visible(frameOf(e)));
};
const tag = (e) => {
  const id = e.id ? "#" + e.id : e.classList.length ? "." + e.classList[0] : "";
  return e.tagName.toLowerCase() + id;
};
const describe = (e) => {
  const text = textOf(e).slice(0, 30);
  return tag(e) + (text && e.children.length === 0 ? " " + JSON.stringify(text) : "");
};

// The shadow root of e, also one that the page keeps closed (see setting.go).
const rootOf = (e) => {
  if (e.shadowRoot) return e.shadowRoot;
  const closed = e.ownerDocument.defaultView && e.ownerDocument.defaultView[Symbol.for("foreshock.roots")];
  return closed ? closed(e) : null;
};

// There is a frame of another origin, into which one cannot look from here.
let blind = false;

// The trees in which to look: top, and those inside it.
const trees = (top, frames) => {
  const out = [];
  const add = (root) => {
    out.push(root);
    const hosts = root === top && root !== document ? [root] : [];
    for (const e of [...hosts, ...root.querySelectorAll("*")]) {
      if (rootOf(e)) add(rootOf(e));
      if (!frames || (e.tagName !== "IFRAME" && e.tagName !== "FRAME")) continue;
      if (e.contentDocument) add(e.contentDocument);
      else blind = true;
    }
  };
  add(top);
  return out;
};
const all = (roots, css) => roots.flatMap((r) => [...r.querySelectorAll(css)]);
const innermost = (list) => list.filter((e) => !list.some((o) => o !== e && e.contains(o)));
const best = (list, nameFor, v) => {
  const exact = list.filter((e) => nameFor(e) === v);
  return exact.length ? exact : list.filter((e) => nameFor(e).includes(v));
};
const withRole = (roots, s) => all(roots, s.implicit ? s.implicit + ", [role]" : "[role]").filter((e) => {
  const given = e.getAttribute("role");
  return given ? given.trim().split(/\s+/)[0] === s.value : s.implicit && e.matches(s.implicit);
});

const xpath = (root, v) => {
  const doc = root.ownerDocument || root;
  const take = (path, from) => {
    const it = doc.evaluate(path, from, null, XPathResult.ORDERED_NODE_SNAPSHOT_TYPE);
    return Array.from({ length: it.snapshotLength }, (_, i) => it.snapshotItem(i)).filter((n) => n.nodeType === Node.ELEMENT_NODE);
  };
  if (root === doc) return take(v, root);
  if (root.nodeType === Node.ELEMENT_NODE) return take(v.startsWith("/") ? "." + v : v, root);
  // A shadow root cannot be where a path starts; the elements in it can.
  return v.startsWith("//") ? [...root.children].flatMap((c) => take("descendant-or-self::" + v.slice(2), c)) : [];
};

const finders = {
  aria: (roots, s) => all(roots, speaking).filter((e) => e.checkVisibility() && plays(e, s) && nameOf(e, spokenRole(e)) === norm(s.value)),
  css: (roots, s) => all(roots, s.value),
  xpath: (roots, s) => roots.flatMap((r) => xpath(r, s.value)),
  testid: (roots, s) => all(roots, "[data-testid]").filter((e) => e.dataset.testid === s.value),
  role: (roots, s) => {
    const list = withRole(roots, s);
    return s.name ? best(list.filter((e) => e.checkVisibility()), (e) => nameOf(e, s.value), norm(s.name)) : list;
  },
  label: (roots, s) => {
    const v = norm(s.value);
    const is = (l) => norm(l.textContent) === v || wordsIn(l) === v;
    const labelled = all(roots, "label").filter((l) => l.control && is(l)).map((l) => l.control);
    return [...labelled, ...all(roots, "[aria-label], [aria-labelledby]").filter((e) => nameOf(e) === v)];
  },
  text: (roots, s) => {
    const skip = ["SCRIPT", "STYLE", "NOSCRIPT", "TEMPLATE"];
    const in_ = roots.flatMap((r) => [...r.querySelectorAll(r.body ? "body *" : "*")]);
    return innermost(best(in_.filter((e) => !skip.includes(e.tagName)), textOf, norm(s.value)));
  },
};

const scopeOf = (s) => {
  if (!s.in) return { top: document };
  const outer = pick(s.in);
  return outer.e ? { top: outer.e } : { ...outer, outer: (outer.outer || 0) + 1 };
};

// Every element that s means, be it visible or not.
const present = (s, top) => {
  if (s.by === "any") return alternatives(s, top).find((list) => list.length > 0) || [];
  const found = (frames) => [...new Set(finders[s.by](trees(top, frames), s))];
  const here = found(false);
  return here.length ? here : found(true);
};
// The visible ones, if there are any.
const matches = (s, top) => {
  const list = s.by === "any" ? chosen(alternatives(s, top)) : present(s, top);
  const shown = list.filter(visible);
  return shown.length ? shown : list;
};

// The one element that s means, as e; or why there is none, as a state.
const pick = (s) => {
  const scope = scopeOf(s);
  if (!scope.top) return scope;
  const found = matches(s, scope.top);
  if (found.length === 0) return { state: "missing" };
  if (s.nth) {
    const e = found.at(s.nth > 0 ? s.nth - 1 : s.nth);
    return e ? { e } : { state: "few", detail: String(found.length) };
  }
  if (found.length > 1) {
    return { state: "several", detail: `${found.length} elements: ${found.slice(0, 3).map(describe).join(", ")}` };
  }
  return { e: found[0] };
};

// What is there of a role, those with like names first, and what else has such a name.
const actable = {
  button: "button, summary, input[type=button], input[type=submit], input[type=reset], [role=button]",
  link: "a[href], area[href], [role=link]",
  tab: "[role=tab]",
  menuitem: "[role=menuitem]",
};
const nearRole = (roots, s) => {
  const v = norm(s.name).toLowerCase();
  const alike = (name) => v && name && (name.toLowerCase().includes(v) || v.includes(name.toLowerCase()));
  const named = (list, role) => list.filter(visible).map((e) => [role, nameOf(e, role)]).filter(([, name]) => name);
  const same = named(withRole(roots, s), s.value);
  if (same.some(([, n]) => n === norm(s.name))) return []; // it is there, and not as it should be
  const others = Object.entries(actable).filter(([role]) => role !== s.value)
    .flatMap(([role, css]) => named(all(roots, css), role)).filter(([, name]) => alike(name));
  const sorted = [...same.filter(([, n]) => alike(n)), ...others, ...same.filter(([, n]) => !alike(n))];
  const say = ([role, name]) => `${role} ${JSON.stringify(name.length > 40 ? name.slice(0, 39) + "…" : name)}`;
  return [...new Set(sorted.map(say))].slice(0, 8);
};

// What is there of the kind that s looks for.
const near = (s) => {
  const roots = trees(scopeOf(s).top || document, true);
  const short = (list) => [...new Set(list)].filter((t) => t && t.length <= 40).slice(0, 100);
  switch (s.by) {
    case "css": return short(all(roots, "[id]").map((e) => "#" + e.id));
    case "xpath": return [];
    case "testid": return short(all(roots, "[data-testid]").map((e) => e.dataset.testid));
    case "label": return short(all(roots, "label").map(wordsIn));
    case "role": return nearRole(roots, s);
  }
  return short(all(roots, "button, a, input, summary, [role=button]").filter(visible).map(textOf));
};

// What a user reads in a part of the page, with its shadow roots and frames.
const shownIn = (top) => norm(trees(top, true).map((r) => {
  if (r.nodeType === Node.ELEMENT_NODE) return r.innerText;
  const inside = r.nodeType === Node.DOCUMENT_NODE ? r.body && [r.body] : [...r.children];
  return (inside || []).filter(visible).map((e) => e.innerText || "").join(" ");
}).join(" "));
