// Looks a page over for somebody who writes a first journey: what is there, and by
// which selectors it can be told apart.
const roleOf = (e) => {
  const given = (e.getAttribute("role") || "").trim().split(/\s+/)[0];
  if (given) return given in query.roles ? given : "";
  return Object.keys(query.roles).find((r) => query.roles[r] && e.matches(query.roles[r])) || "";
};
const means = (s, e) => {
  try {
    return pick(s).e === e;
  } catch {
    return false;
  }
};
// A form's own properties may be hidden by fields that are named like them.
const attribute = (e, name) => norm(Element.prototype.getAttribute.call(e, name));
const path = (e) => {
  const parts = [];
  for (let n = e; n && n !== document.body; n = n.parentElement) {
    const id = attribute(n, "id");
    if (id && !/\d{3}/.test(id)) return ["#" + CSS.escape(id), ...parts].join(" > ");
    const same = n.parentElement ? [...n.parentElement.children].filter((o) => o.tagName === n.tagName) : [n];
    parts.unshift(n.tagName.toLowerCase() + (same.length > 1 ? `:nth-of-type(${same.indexOf(n) + 1})` : ""));
  }
  return parts.join(" > ");
};
// The first that means this element alone, from what a user knows to what a designer may change.
const selectorOf = (e) => {
  const role = roleOf(e);
  const name = nameOf(e, role);
  const short = (t) => t && t.length <= 60;
  const label = e.labels && e.labels.length ? wordsIn(e.labels[0]) : norm(e.ariaLabel);
  const field = ["INPUT", "SELECT", "TEXTAREA"].includes(e.tagName);
  const ways = [
    role && short(name) && { by: "role", value: role, name, implicit: query.roles[role] },
    short(label) && { by: "label", value: label },
    e.dataset.testid && { by: "testid", value: e.dataset.testid },
    !field && short(textOf(e)) && { by: "text", value: textOf(e) },
    e.id && !/\d{3}/.test(e.id) && { by: "css", value: "#" + CSS.escape(e.id) },
    e.name && { by: "css", value: `${e.tagName.toLowerCase()}[name=${JSON.stringify(e.name)}]` },
  ];
  return ways.filter(Boolean).find((s) => means(s, e)) || { by: "css", value: path(e) };
};

const fieldOf = (e) => {
  const options = e.tagName === "SELECT" ? [...e.options].filter((o) => !o.disabled && o.value) : [];
  const other = options.find((o) => !o.selected) || options[0];
  return {
    selector: selectorOf(e), type: e.type || "", required: Boolean(e.required),
    hint: [e.name, e.id, e.autocomplete, nameOf(e, roleOf(e))].join(" ").toLowerCase(),
    least: e.min || "", option: other ? norm(other.text) : "",
  };
};
const usable = (e) => visible(e) && !e.disabled && !e.readOnly &&
  !(e.tagName === "INPUT" && ["hidden", "image", ...buttonTypes].includes(e.type));
const submits = "button:not([type]), button[type=submit], input[type=submit], input[type=image]";
const formOf = (form, fields, buttons) => {
  const seen = new Set(); // of a group of radio buttons one is enough
  const first = fields.filter((e) => e.type !== "radio" || !seen.has(e.name) && seen.add(e.name));
  const submit = buttons.find(visible);
  return {
    name: form.tagName === "FORM" ? attribute(form, "aria-label") || attribute(form, "name") || attribute(form, "id") : "",
    fields: first.slice(0, 12).map(fieldOf),
    submit: submit ? { selector: selectorOf(submit), name: textOf(submit) } : null,
  };
};
const fieldsIn = (root) => [...root.querySelectorAll("input, select, textarea")].filter(usable);
const forms = [...document.forms].filter(visible).map((f) => formOf(f, fieldsIn(f), [...f.querySelectorAll(submits)]));
const loose = fieldsIn(document).filter((e) => !e.form);
if (loose.length) {
  forms.push(formOf(document.body, loose, [...document.querySelectorAll("button")].filter((b) => !b.form)));
}

const headings = [...document.querySelectorAll("h1, h2, h3, [role=heading]")].filter(visible)
  .map((e) => norm(e.innerText)).filter((t) => t && t.length <= 80 && shownIn(document).includes(t));
const links = [...document.querySelectorAll("a[href]")].filter((a) => visible(a) && a.origin === location.origin &&
  a.href.split("#")[0] !== location.href.split("#")[0]);
return {
  address: location.href,
  type: document.contentType,
  title: norm(document.title),
  headings: headings.slice(0, 5),
  forms: forms.filter((f) => f.fields.length),
  links: links.slice(0, 8).map((e) => ({ selector: selectorOf(e), name: textOf(e) })),
  login: fieldsIn(document).some((e) => e.type === "password"),
};
