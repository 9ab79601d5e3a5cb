// The board: one row a check, all on one time axis, below the faults and breakers
// that explain them. Rows are made once and changed in place.
import { byId, el, icon, put } from "./dom.js";
import * as draw from "./draw.js";
import * as fmt from "./format.js";
import * as strip from "./strip.js";

export class Board {
  constructor(model, open) {
    this.model = model;
    this.open = open;
    this.root = byId("board");
    this.rows = new Map(); // by key: {node, canvas, ...}
    this.inView = new Set();
    this.watch = new IntersectionObserver((entries) => {
      for (const e of entries) this.inView[e.isIntersecting ? "add" : "delete"](e.target);
      this.paint();
    }, { rootMargin: "100px" });
  }

  // lay makes the rows that the model asks for, and fills in their words.
  lay() {
    const { model } = this;
    if (!model.rows.size) {
      for (const key of [...this.rows.keys()]) this.drop(key);
      put(this.root, empty());
      return;
    }
    const lanes = ["axis", "lane:faults", ...breakerKeys(model)];
    const keys = [...lanes, ...[...model.rows.keys()].map((name) => `check:${name}`)];
    for (const key of [...this.rows.keys()]) {
      if (!keys.includes(key)) this.drop(key);
    }
    for (const key of keys) {
      if (this.rows.has(key)) continue;
      this.rows.set(key, this.make(key));
      this.watch.observe(this.rows.get(key).node);
    }
    this.cross ??= el("div", { class: "cross", hidden: true });
    const nodes = keys.map((key) => this.rows.get(key).node);
    if (nodes.length + 1 !== this.root.children.length || nodes.some((n, i) => this.root.children[i] !== n)) {
      put(this.root, nodes, this.cross);
    }
    for (const [key, row] of this.rows) if (key.startsWith("check:")) this.fill(row, model.rows.get(row.name));
  }

  drop(key) {
    const { node } = this.rows.get(key);
    this.watch.unobserve(node);
    this.inView.delete(node);
    this.rows.delete(key);
  }

  make(key) {
    const canvas = el("canvas"), plot = el("div", { class: "plot" }, canvas);
    if (key === "axis") {
      const range = el("div");
      return { node: el("div", { class: "row row-axis" }, el("div", {}, "Check"), range, plot), canvas, range };
    }
    if (key.startsWith("lane:")) {
      const label = el("div", { class: "label" });
      if (key === "lane:faults") label.append(el("b", {}, "Planned faults"), " and scenarios");
      else label.append(el("b", {}, "Breaker"), ` ${key.slice("lane:breaker:".length) || "as seen from outside"}`);
      return { node: el("div", { class: "row row-lane" }, label, plot), canvas, breaker: key.slice("lane:breaker:".length) };
    }
    const name = key.slice("check:".length);
    const row = { name, canvas, mark: el("span"), says: el("span", { class: "says" }), figures: el("div", { class: "figures" }), kind: el("span", { class: "kind" }) };
    const who = el("button", { class: "who", type: "button", onclick: () => this.open(name) },
      row.mark, el("span", { class: "title" }, el("b", { title: name }, name), row.kind), row.says);
    plot.addEventListener("click", (e) => this.open(name, this.timeAt(e)));
    plot.style.cursor = "pointer";
    row.node = el("div", { class: "row row-check", data: { check: name } }, who, row.figures, plot);
    return row;
  }

  fill(row, check) {
    const { last } = check, now = this.model.now();
    row.node.dataset.status = last?.status ?? "none";
    put(row.mark, icon(last?.status));
    row.kind.textContent = check.kind;
    row.says.dataset.status = last?.status ?? "none";
    put(row.says, says(check, now));
    row.says.title = row.says.textContent;
    put(row.figures, figures(check));
    row.canvas.setAttribute("role", "img");
    row.canvas.setAttribute("aria-label", `${check.name}: ${row.says.textContent}; ${row.figures.textContent}`);
  }

  // paint draws everything for this moment.
  paint() {
    const { model } = this, to = model.now() + model.range.ms * 0.008, from = to - model.range.ms;
    for (const [key, row] of this.rows) {
      if (!this.inView.has(row.node)) continue;
      const a = draw.axis(row.canvas, from, to);
      if (!a.w) continue;
      if (key === "axis") {
        row.range.textContent = `Availability, last ${model.range.label}`;
        draw.axisLabels(a, a.msPerPx * 92 < 60_000 ? fmt.clock : fmt.minute);
        continue;
      }
      draw.grid(a);
      if (key === "lane:faults") this.faults(a);
      else if (key.startsWith("lane:")) this.breaker(a, row.breaker);
      else this.check(a, row.name);
    }
  }

  check(a, name) {
    const { model } = this;
    draw.windows(a, model.events);
    draw.transitions(a, model.events);
    if (model.buckets) {
      const buckets = model.buckets.get(name) ?? [];
      strip.bucketLatency(a, buckets);
      strip.bucketTicks(a, buckets);
      return;
    }
    const runs = model.runs.get(name) ?? [];
    if (model.rows.get(name)?.kind === "scenario") return strip.spans(a, runs);
    strip.latency(a, runs);
    strip.runTicks(a, runs);
  }

  faults(a) {
    const { model } = this;
    let any = false;
    for (const e of model.events) {
      const to = e.to ?? model.now();
      if (to < a.from) continue;
      if (e.kind === "scenario") draw.bar(a, e.from, to, "", { fill: draw.colour("faint"), top: 4, height: a.h - 8 });
      if (e.kind === "fault") draw.bar(a, e.from, to, "", { fill: draw.colour("fault"), hatched: true });
      if (e.kind === "scenario" || (e.kind === "fault" && !e.labels.scenario)) draw.beside(a, e.from, to, e.subject);
      if (e.kind === "down") draw.bar(a, e.from, to, "Foreshock was not running", { fill: draw.colour("unknown"), hatched: true });
      any ||= e.kind !== "breaker";
    }
    if (!any) none(a, "none in this time");
  }

  breaker(a, subject) {
    const spans = this.model.breakers().get(subject) ?? [];
    for (const s of spans) {
      draw.bar(a, s.from, s.to ?? this.model.now(), "", { fill: draw.stateColour(s.state), hatched: s.state === "half-open", top: 6, height: a.h - 12 });
    }
    for (const run of new Set(spans.map((s) => s.run))) {
      const of = spans.filter((s) => s.run === run), to = of.at(-1).to ?? this.model.now();
      const open = of.filter((s) => s.state === "open").reduce((sum, s) => sum + (s.to ?? this.model.now()) - s.from, 0);
      if (to > a.from) draw.beside(a, of[0].from, to, `open for ${fmt.duration(open)}`);
    }
    if (!spans.some((s) => (s.to ?? a.to) > a.from)) none(a, "no transition seen in this time");
  }

  timeAt(e) {
    const box = this.rows.get("axis").canvas.getBoundingClientRect(), { model } = this;
    const to = model.now() + model.range.ms * 0.008;
    return to - model.range.ms * (1 - (e.clientX - box.left) / box.width);
  }
}

const breakerKeys = (model) => {
  const subjects = [...model.breakers().keys()].sort();
  return (subjects.length ? subjects : [""]).map((s) => `lane:breaker:${s}`);
};

function none(a, text) {
  a.g.fillStyle = draw.colour("faint");
  a.g.textAlign = "left";
  a.g.textBaseline = "middle";
  a.g.fillText(text, 12, a.h / 2);
}

function says(check, now) {
  const { last } = check;
  if (!last) return ["waiting for the first run", check.every_ms ? ` · every ${fmt.every(check.every_ms)}` : ""];
  const when = now - last.start_ms > Math.max(60_000, 3 * (check.every_ms ?? 0)) ? ` · ${fmt.ago(last.start_ms, now)}` : "";
  if (last.status === "ok") return [el("b", {}, "ok"), ` · ${fmt.duration(last.ms)}`, check.every_ms ? ` · every ${fmt.every(check.every_ms)}` : "", when];
  const what = last.status === "unknown" ? "could not look" : last.status;
  return [el("b", {}, what), last.cause ? ` · ${last.cause}` : "", when, last.message ? ` — ${last.message}` : ""];
}

// figures shows availability of what counted; planned faults and unknown stand apart.
function figures(check) {
  const a = check.availability, apart = [];
  if (check.kind === "scenario") return passed(check);
  const big = a === undefined
    ? el("span", { class: "big", data: { good: "none" } }, "–")
    : el("span", { class: "big", data: { good: String(a >= 0.99) } }, fmt.percent(a), el("small", {}, " %"));
  if (check.planned_availability !== undefined) apart.push(el("span", { class: "planned", title: "while a planned fault acted" }, `planned ${fmt.percent(check.planned_availability)} %`));
  const unknown = (check.counts?.unknown ?? 0) + (check.planned?.unknown ?? 0);
  if (unknown) apart.push(el("span", { class: "unknown", title: "could not look; counts neither way" }, `${unknown} unknown`));
  const lat = el("span", { class: "lat" });
  if (check.p50_ms) lat.append(el("span", {}, "p50 ", el("b", {}, fmt.duration(check.p50_ms))), el("br"), "p95 ", el("b", {}, fmt.duration(check.p95_ms)));
  return [big, lat, el("span", { class: "apart" }, apart.flatMap((x, i) => (i ? [" · ", x] : [x])))];
}

// passed counts a scenario's verdicts: it has no availability.
function passed(check) {
  const sum = (s) => (check.counts?.[s] ?? 0) + (check.planned?.[s] ?? 0);
  const good = sum("ok") + sum("warning"), all = good + sum("critical") + sum("unknown");
  if (!all) return [el("span", { class: "big", data: { good: "none" } }, "–")];
  return [el("span", { class: "big", data: { good: String(good === all) } }, `${good}`, el("small", {}, ` of ${all} passed`)), el("span"),
    el("span", { class: "apart" }, sum("unknown") ? el("span", { class: "unknown" }, `${sum("unknown")} not told`) : "")];
}

function empty() {
  const config = "checks:\n  - name: storefront\n    every: 10s\n    timeout: 3s\n    http: {url: \"http://127.0.0.1:8080/\"}\n";
  return el("div", { class: "empty" },
    el("h2", {}, "Nothing is being watched yet"),
    el("p", {}, "Write a first check into ", el("code", {}, "foreshock.yaml"), " and start ", el("code", {}, "foreshock serve -c foreshock.yaml"), " again:"),
    el("pre", {}, config),
    el("p", {}, "Or look at the whole loop with a sample shop: ", el("code", {}, "foreshock demo")));
}
