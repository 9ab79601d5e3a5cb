// Makes what was typed as a secret unreadable for a picture, and takes that back. It
// runs in a world of its own, where the page's scripts see neither it nor the secrets,
// and it changes nothing in the document: an animation is not a part of it.
(secrets) => {
  for (const a of globalThis.hidden || []) a.cancel();
  globalThis.hidden = [];
  const has = (text) => secrets.some((s) => (text || "").includes(s));
  const hide = (e) => {
    const gray = { filter: "contrast(0) blur(8px)" };
    globalThis.hidden.push(e.animate([gray, gray], { duration: 1e8 }));
  };
  const look = (root) => {
    for (const e of root.querySelectorAll("*")) {
      if (e.shadowRoot) look(e.shadowRoot);
      if ((e.tagName === "IFRAME" || e.tagName === "FRAME") && e.contentDocument) look(e.contentDocument);
      const own = e.tagName === "SELECT" ? e.selectedOptions[0]?.text : e.value;
      const words = ["SCRIPT", "STYLE"].includes(e.tagName) || e.isContentEditable ? "" : [...e.childNodes].map((n) => n.data || "").join("");
      if (has(typeof own === "string" ? own : "") || has(words) || (e.isContentEditable && has(e.textContent))) hide(e);
    }
  };
  if (secrets.length) look(document);
  return globalThis.hidden.length;
}
