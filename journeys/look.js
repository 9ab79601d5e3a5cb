// One look at the page: finds the element that query means, and answers.
if (query.op === "explain") return explain();
if (query.op === "see" && !query.value) {
  return shownIn(document).includes(query.arg) ? { state: "ready" } : { state: "unseen" };
}
if (query.op === "url") {
  return location.href.includes(query.arg) ? { state: "ready" } : { state: "other address", detail: location.href };
}
if (query.op === "title") {
  const title = norm(document.title);
  return title.includes(norm(query.arg)) ? { state: "ready" } : { state: "other title", detail: title };
}
if (query.op === "arrived") return arrived();
if (query.op === "in frame") return inFrame(owner, query.x, query.y);
if (query.op === "inside") {
  const around = pick(query).e;
  return { state: around && isIn(around, owner) ? "ready" : "missing" };
}
if (query.op === "loaded") {
  const blank = location.href === "about:blank" && document.body && document.body.childElementCount === 0;
  return { state: document.readyState === "complete" && !blank ? "ready" : "loading" };
}
let found;
try {
  if (query.op === "compare") return elements();
  if (query.op === "count" || query.op === "gone") return number();
  found = pick(query);
} catch (err) {
  return { state: "invalid", detail: String(err.message) };
}
const e = found.e;
if (!e) return found;
if (query.op === "see") {
  const shown = shownIn(e);
  return shown.includes(query.arg) ? { state: "ready", detail: shown.slice(0, 120) } : { state: "unseen" };
}
if (query.op === "element") return e;
if (query.op === "files") return files(e);
if (query.op === "text") return { state: "ready", detail: shownIn(e).slice(0, 10000) };
if (query.op === "read") return read(e);
if (query.op === "value") return value(e);
if (query.op === "scroll" && e === document.documentElement) return scrollIn(e);
if (!visible(e)) return { state: "hidden" };
const looks = { visible: () => ({ state: "ready" }), place, reveal, wheel, ticked, scroll: scrollIn };
if (looks[query.op]) return looks[query.op](e);
if (e.matches(":disabled") || e.closest("[aria-disabled=true]")) return { state: "disabled" };
if (query.op === "enabled") return { state: "ready" };
return { point, type: field, fill, choose, tick, focus }[query.op](e);
