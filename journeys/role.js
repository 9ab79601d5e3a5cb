// Accessible names: what a screen reader would call an element.
const norm = (s) => (s || "").replace(/\s+/g, " ").trim();
const buttonTypes = ["submit", "button", "reset"];

// The words in a node, without those of the controls and of the hidden parts in it.
const words = (n) => {
  if (n.nodeType === Node.TEXT_NODE) return n.data;
  if (n.nodeType !== Node.ELEMENT_NODE) return "";
  if (["SCRIPT", "STYLE", "SELECT", "TEXTAREA", "TEMPLATE", "NOSCRIPT"].includes(n.tagName)) return "";
  const display = getComputedStyle(n).display;
  if (n.ariaHidden === "true" || display === "none") return "";
  if (norm(n.ariaLabel)) return n.ariaLabel;
  if (n.tagName === "IMG") return n.alt;
  const slotted = n.tagName === "SLOT" ? n.assignedNodes() : [];
  const text = [...(slotted.length ? slotted : (rootOf(n) || n).childNodes)].map(words).join("");
  return display.startsWith("inline") ? text : " " + text + " ";
};
const wordsIn = (e) => norm([...(rootOf(e) || e).childNodes].map(words).join(""));

// Roles that are named by their author only, and not by what is in them.
const unnamed = ["textbox", "searchbox", "combobox", "listbox", "slider", "spinbutton", "progressbar", "meter",
  "list", "table", "grid", "form", "main", "navigation", "region", "dialog", "group", "banner", "contentinfo",
  "complementary", "article", "figure", "img"];

const nameOf = (e, role) => {
  const ids = (e.getAttribute("aria-labelledby") || "").split(/\s+/).filter(Boolean);
  const by = ids.map((id) => e.getRootNode().getElementById(id)).filter(Boolean);
  if (by.length) return norm(by.map((o) => norm(o.ariaLabel) || wordsIn(o)).join(" "));
  if (norm(e.ariaLabel)) return norm(e.ariaLabel);
  if (e.labels && e.labels.length) return norm([...e.labels].map(wordsIn).join(" "));
  if (e.tagName === "INPUT" && buttonTypes.includes(e.type)) {
    return norm(e.value) || { submit: "Submit", reset: "Reset" }[e.type] || norm(e.title);
  }
  const caption = { FIELDSET: "legend", TABLE: "caption", FIGURE: "figcaption" }[e.tagName];
  const inside = caption && e.querySelector(caption);
  const own = inside ? wordsIn(inside) : norm(e.alt) || (unnamed.includes(role) ? "" : wordsIn(e));
  return own || norm(e.title) || norm(e.placeholder);
};
