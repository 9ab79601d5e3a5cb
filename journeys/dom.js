// Copies the page as it stands, with its shadow roots and the frames of its origin, into
// a document that is alive in nothing: no script, no request, no secret by its name.
const limits = { nodes: 50000, length: query.limit };
const isSecret = (name) => {
  const n = (name || "").toLowerCase();
  return n.endsWith("key") || query.names.includes(n) || query.words.some((w) => n.includes(w));
};
const inert = document.implementation.createHTMLDocument("");
const hidden = new Set(); // texts that must not be shown
let nodes = 0;
const hide = (c, name) => {
  if (c.getAttribute(name)) c.setAttribute(name, "***");
};
const clean = (e, c) => {
  for (const a of [...c.attributes]) {
    if (isSecret(a.name)) hide(c, a.name);
    if (a.name.startsWith("on")) c.removeAttribute(a.name);
  }
  const named = ["name", "id", "property", "autocomplete"].some((n) => isSecret(c.getAttribute(n)));
  if (e.type === "password" && e.value) hidden.add(e.value);
  if (e.tagName === "INPUT" && (e.type === "password" || named)) hide(c, "value");
  if (e.tagName === "META" && named) hide(c, "content");
};
const copy = (n) => {
  if (++nodes > limits.nodes) return null;
  if (n.nodeType === Node.ELEMENT_NODE && n.tagName === "META" && /refresh|security-policy/i.test(n.httpEquiv)) return null;
  const c = inert.importNode(n, false);
  if (n.nodeType !== Node.ELEMENT_NODE) return c;
  clean(n, c);
  if (n.tagName === "SCRIPT") {
    if (n.textContent) c.textContent = `/* ${n.textContent.length} characters */`;
    return c;
  }
  if (n.shadowRoot) {
    const t = inert.createElement("template");
    t.setAttribute("shadowrootmode", "open");
    for (const child of n.shadowRoot.childNodes) t.content.append(copy(child) ?? "");
    c.append(t);
  }
  for (const child of n.childNodes) c.append(copy(child) ?? "");
  return c;
};
const html = (doc) => copy(doc.documentElement)?.outerHTML ?? "";
let text = html(document);
for (const f of document.querySelectorAll("iframe, frame")) {
  if (f.contentDocument?.documentElement) text += `\n<!-- frame ${f.src.replaceAll("-", "%2D")} -->\n` + html(f.contentDocument);
}
const length = text.length;
return { html: text.slice(0, 2 * limits.length), length, cut: nodes > limits.nodes || length > 2 * limits.length, hidden: [...hidden] };
