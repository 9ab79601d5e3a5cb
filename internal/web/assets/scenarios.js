// The scenarios: the newest verdict of each, and what it was made from.
import * as api from "./api.js";
import { byId, el, icon, put } from "./dom.js";
import * as fmt from "./format.js";
import { figure } from "./figure.js";

const order = ["fail", "inconclusive", "invalid", "aborted", "pass", "skipped"];

// sentences say in plain words what each property asks of the service.
const sentences = {
  "trips-at-threshold": "It opens as soon as the declared number of failures is reached.",
  "not-before-threshold": "It stays closed while there are fewer failures than declared.",
  "quiet-while-open": "While it is open, no connection attempt reaches the dependency.",
  "fails-fast": "While it is open, callers get their answer at once.",
  "half-open-limit": "Half open, it lets through no more calls than its probes.",
  "reopens-on-failed-probe": "When a probe fails, it opens again.",
  "closes-on-success": "It closes again once the dependency answers.",
  "sliding-window": "Failures count over the declared window, across its edges too.",
  "slow-calls-count": "Calls that are too slow count as failures.",
  "no-herd-on-recovery": "Recovery does not let a stampede of calls loose.",
  isolated: "Checks that should notice nothing noticed nothing.",
  "answer-while-open": "Users were still served while it was open.",
  "self-report-agrees": "What the service says of its breaker is what was seen.",
  "not-stuck": "It does not stay half open for ever.",
  "retry-discipline": "One call makes no more attempts than declared.",
};

export class Scenarios {
  constructor(model) {
    this.model = model;
    this.root = byId("scenarios");
    this.cards = new Map(); // by check: {start, node, paint}
  }

  // load fetches what is new since the last time.
  async load() {
    const checks = [...this.model.rows.values()].filter((c) => c.kind === "scenario");
    await Promise.all(checks.map((c) => this.one(c)));
    for (const name of [...this.cards.keys()]) if (!checks.some((c) => c.name === name)) this.cards.delete(name);
    const nodes = checks.map((c) => this.cards.get(c.name)?.node).filter(Boolean);
    put(this.root, nodes.length ? [el("h2", {}, "Scenarios"), nodes] : []);
    this.paint();
  }

  async one(check) {
    if (this.cards.get(check.name)?.start === (check.last?.start_ms ?? 0)) return;
    const run = check.last ? (await api.runs(check.name, { limit: 1 }))[0] : undefined;
    const all = (run?.steps ?? []).flatMap((s) => s.artifacts ?? []);
    const json = all.find((a) => a.name === "report.json"), html = all.find((a) => a.media_type.startsWith("text/html"));
    const report = json ? await api.json(json.id).catch(() => undefined) : undefined;
    this.cards.set(check.name, { start: check.last?.start_ms ?? 0, ...card(this.model, check, run, report, { json, html }) });
  }

  paint() { for (const c of this.cards.values()) c.paint?.(); }
}

function card(model, check, run, report, files) {
  if (!run) return { node: el("article", { class: "card" }, el("div", { class: "sum" }, el("h3", {}, check.name), el("p", { class: "verdict", data: { verdict: "none" } }, icon(), "not run yet"))) };
  const verdict = report?.verdict ?? fmt.verdict(run.steps?.find((s) => s.name === "verdict")?.values?.verdict) ?? run.status;
  const canvas = report?.phases?.length ? el("canvas", { role: "img", "aria-label": phasesText(report) }) : null;
  const node = el("article", { class: "card", data: { scenario: check.name } },
    el("div", { class: "sum" },
      el("h3", {}, report?.scenario ?? check.name),
      el("p", { class: "verdict", data: { verdict } }, icon(verdict), verdict),
      el("p", { class: "reason" }, report?.reason || run.message || ""),
      facts(model, run, report),
      el("p", { class: "links" },
        files.html ? el("a", { href: api.artifactURL(files.html.id) }, "Report") : null,
        files.json ? el("a", { href: api.artifactURL(files.json.id) }, "Report as JSON") : null)),
    el("div", { class: "body" }, canvas ? el("div", { class: "figure" }, canvas) : null, properties(run, report)));
  return { node, paint: canvas ? () => figure(canvas, report) : undefined };
}

function facts(model, run, report) {
  const start = Date.parse(run.start), list = [["ran", `${fmt.when(start, model.now())}, for ${fmt.duration(run.duration_ns / 1e6)}`]];
  for (const f of report?.faults ?? []) {
    list.push(["fault", `${f.kind} → ${f.to}`]);
    list.push(["evidence", `${fmt.plural(f.packets ?? 0, "packet")}, ${fmt.plural(f.attempts ?? 0, "attempt")}`]);
    if (f.healed_ms) list.push(["healed", `by ${f.healed_by}, after ${fmt.duration(f.healed_ms - (f.armed_ms ?? 0))}`]);
  }
  return el("dl", {}, list.map(([k, v]) => [el("dt", {}, k), el("dd", {}, v)]));
}

function properties(run, report) {
  const found = report?.properties ?? (run.steps ?? [])
    .filter((s) => s.name !== "verdict" && s.values?.verdict !== undefined)
    .map((s) => ({ id: s.name, verdict: fmt.verdict(s.values.verdict), detail: s.error }));
  const sorted = [...found].sort((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict));
  return el("ul", { class: "props" },
    el("li", { class: "head" }, el("span"), el("span", {}, "Property"), el("span", { class: "want" }, "Expected"), el("span", {}, "Observed")),
    sorted.map((p) => el("li", { data: { property: p.id, verdict: p.verdict } }, icon(p.verdict),
      el("div", {}, el("h4", {}, p.id, el("span", { class: "verdict", data: { verdict: p.verdict } }, p.verdict)),
        el("p", {}, sentences[p.id] ?? ""), p.detail ? el("p", {}, text(p.detail)) : null),
      el("div", { class: "fig want" }, text(p.expected)),
      el("div", { class: "fig seen" }, text(p.observed), p.expected ? el("small", {}, `wanted ${text(p.expected)}`) : null))));
}

const text = (v) => (v === undefined || v === null || v === "" ? "–" : typeof v === "object" ? JSON.stringify(v) : String(v));

const phasesText = (report) => report.phases
  .map((p) => `${p.name}: ${p.calls ?? 0} calls, ${p.attempts ?? 0} attempts, slowest ${fmt.duration(p.max_ms)}`).join("; ");
