// The page: fetch, draw, then follow what happens.
import * as api from "./api.js";
import { Board } from "./board.js";
import { Detail } from "./detail.js";
import { byId, el, icon, put } from "./dom.js";
import { readColours } from "./draw.js";
import * as fmt from "./format.js";
import { Model, ranges } from "./model.js";
import { Scenarios } from "./scenarios.js";
import { follow } from "./tip.js";

const model = new Model();
const detail = new Detail(model);
const board = new Board(model, (name, at) => detail.open(name, at));
const scenarios = new Scenarios(model);
let loads = 0, summaryDue, frame, loadedAt = 0;

// load fetches everything of the range; the newest call wins.
async function load() {
  const mine = ++loads, range = model.range;
  try {
    const [checks, timeline] = await Promise.all([api.checks(range.since), api.timeline(range.since)]);
    if (mine !== loads) return;
    model.takeChecks(checks);
    model.takeTimeline(timeline);
    loadedAt = Date.now();
    trouble("");
  } catch (err) {
    if (mine === loads) trouble(`The server does not answer: ${err.message}`);
    return;
  }
  render();
  await scenarios.load().catch((err) => trouble(`A scenario could not be read: ${err.message}`));
}

// summarize fetches the figures again, soon and not for each record.
function summarize() {
  summaryDue ??= setTimeout(async () => {
    summaryDue = undefined;
    try {
      model.takeChecks(await api.checks(model.range.since));
      render();
      await scenarios.load();
    } catch { /* the live state says it */ }
  }, 3000);
}

// soon draws with the next frame, once for however many records.
function soon() {
  frame ??= requestAnimationFrame(() => {
    frame = undefined;
    render();
  });
}

function take(record) {
  model.unstored = !record.seq;
  if (record.result) {
    model.addResult(record.result);
    detail.add(record.result);
    summarize();
  }
  if (record.event) model.addEvent(record.event);
  soon();
}

function render() {
  byId("title").textContent = model.info.title ?? "Foreshock";
  byId("where").textContent = [model.info.location, model.info.version].filter(Boolean).join(" · ") || "\u00a0";
  overall();
  const active = model.ofKind("fault").filter((e) => !e.to), chip = byId("fault");
  chip.hidden = !active.length;
  chip.textContent = `planned fault: ${[...new Set(active.map((e) => e.labels.scenario ?? e.subject))].join(", ")}`;
  if (model.unstored) trouble("Results come in but are not being stored.");
  board.lay();
  board.paint();
}

function overall() {
  const { status, n } = model.overall(), total = model.rows.size, node = byId("overall");
  node.dataset.status = status;
  const parts = ["critical", "unknown", "warning"].filter((s) => n[s]).map((s) => `${n[s]} ${s}`);
  const text = { ok: "All well", none: total ? "Waiting for first runs" : "No checks" }[status] ?? parts.join(" · ");
  const rest = status === "none" ? "" : status === "ok" ? fmt.plural(n.ok, "check") : `${n.ok} of ${total} ok`;
  const key = `${status} ${text} ${rest}`;
  if (node.dataset.key !== key) { // said aloud only when it changes
    node.dataset.key = key;
    put(node, icon(status), el("span", {}, text), el("small", {}, rest));
  }
  document.title = `${status === "ok" || status === "none" ? "" : `${parts[0]} – `}${model.info.title ?? "Foreshock"}`;
}

function trouble(text) {
  byId("trouble").hidden = !text;
  byId("trouble").textContent = text;
}

function chooseRange() {
  put(byId("range"), el("legend", { class: "hidden" }, "Time shown"), ranges.map((r) => el("label", {},
    el("input", { type: "radio", name: "range", value: r.since, checked: r === model.range, onchange: () => { model.range = r; load(); } }),
    el("span", {}, r.label))));
}

// zoom begins with the shortest range while there is no longer history to show.
function zoom() {
  const oldest = model.oldest();
  if (oldest === undefined || model.now() - oldest > ranges[0].ms * 0.9) return;
  model.range = ranges[0];
  chooseRange();
  render();
}

function foot() {
  const sign = (word, text) => el("span", {}, icon(word), text);
  put(byId("foot"), sign("ok", "ok"), sign("warning", "warning"), sign("critical", "critical: the service is to blame"),
    sign("unknown", "unknown: could not look, counts neither way"), el("span", {}, `times in ${fmt.zone()}`),
    el("a", { href: "metrics" }, "metrics"), el("a", { href: "api/v1/checks" }, "JSON"));
}

function live(state) {
  byId("live").dataset.state = state;
  byId("live").textContent = state;
}

readColours();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { readColours(); board.paint(); scenarios.paint(); });
new ResizeObserver(() => { board.paint(); scenarios.paint(); }).observe(byId("board"));
chooseRange();
foot();
follow(board, model);
await load();
zoom();
const asked = new URLSearchParams(location.hash.slice(1)).get("check");
if (asked) detail.open(asked);
api.listen({ record: take, state: live, again: load });
setInterval(() => {
  if (document.hidden) return;
  board.paint();
  if (Date.now() - loadedAt > (model.buckets ? 60_000 : 300_000)) load();
}, 1000);
