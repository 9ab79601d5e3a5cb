// One check in detail, beside the board: its runs, the steps of one of them, what
// went wrong, and the picture of it.
import * as api from "./api.js";
import { byId, el, icon, put } from "./dom.js";
import { evidence } from "./evidence.js";
import * as fmt from "./format.js";

export class Detail {
  constructor(model) {
    this.model = model;
    this.root = byId("detail");
    this.name = "";
    document.addEventListener("keydown", (e) => { if (e.key === "Escape") this.close(); });
  }

  // open shows a check: its newest run, or the one nearest to a time.
  async open(name, at) {
    if (!this.name) this.before = document.activeElement;
    this.name = name;
    history.replaceState(null, "", `#check=${encodeURIComponent(name)}`);
    for (const row of document.querySelectorAll(".row-check")) row.dataset.open = String(row.dataset.check === name);
    try {
      const reach = this.model.range.ms / 40;
      this.runs = await api.runs(name, { until: at ? at + reach : undefined });
    } catch (err) {
      this.runs = [];
      this.error = String(err.message ?? err);
    }
    if (this.name !== name) return; // another was opened meanwhile
    this.picked = at ? nearest(this.runs, at) : this.runs[0];
    this.following = !at;
    this.show();
    this.root.hidden = false;
    this.root.focus({ preventScroll: true });
    this.root.scrollTop = 0;
  }

  close() {
    if (!this.name) return;
    this.name = "";
    this.root.hidden = true;
    history.replaceState(null, "", location.pathname + location.search);
    for (const row of document.querySelectorAll(".row-check")) row.dataset.open = "false";
    this.before?.focus?.({ preventScroll: true });
  }

  // add takes a live result of the check that is shown.
  add(result) {
    if (result.check !== this.name || !this.following) return;
    const followed = this.picked === this.runs[0];
    this.runs = [result, ...this.runs].slice(0, 50);
    if (followed) this.picked = result;
    this.show();
  }

  show() {
    const check = this.model.rows.get(this.name) ?? { name: this.name, kind: "" }, run = this.picked;
    const failed = this.runs.find((r) => r.status === "critical" || r.status === "warning");
    put(this.root,
      el("header", {}, icon(run?.status), el("h2", {}, check.name), el("span", { class: "kind" }, check.kind),
        el("button", { class: "close", type: "button", onclick: () => this.close() }, "Close")),
      el("div", { class: "labels" }, check.every_ms ? el("span", {}, `every ${fmt.every(check.every_ms)}`) : null,
        Object.entries(check.labels ?? {}).map(([k, v]) => el("span", {}, `${k}: ${v}`))),
      this.error ? el("p", { class: "said", data: { status: "unknown" } }, this.error) : null,
      run ? this.one(run, failed) : el("p", { class: "said" }, "This check has not run yet."),
      this.runs.length ? [el("h3", {}, "Runs"), this.table()] : null);
  }

  one(run, failed) {
    const now = this.model.now(), start = Date.parse(run.start);
    const word = run.status === "unknown" ? "could not look" : run.status;
    const faults = this.model.faultsAt(start);
    return [
      el("div", { class: "said", data: { status: run.status } },
        el("b", {}, [word, run.cause].filter(Boolean).join(" · "), ` · ${fmt.duration(run.duration_ns / 1e6)}`),
        run.message || "Everything was as expected.",
        faults.length ? el("div", {}, `A planned fault acted at ${faults.map((f) => f.subject).join(", ")}.`) : null),
      failed && failed !== run
        ? el("h3", {}, el("span", {}, ""), el("button", { type: "button", class: "close", onclick: () => this.pick(failed) }, `last failure: ${fmt.ago(Date.parse(failed.start), now)}`))
        : null,
      run.steps?.length ? [el("h3", {}, el("span", {}, "Steps"), el("span", {}, `${fmt.when(start, now)} · ${fmt.ago(start, now)}`)), steps(run)] : null,
      evidence(this.name, run, () => { if (this.picked === run) this.show(); }),
    ];
  }

  pick(run) {
    this.picked = run;
    this.show();
  }

  table() {
    const now = this.model.now();
    return el("table", { class: "runs" },
      el("colgroup", {}, el("col", { class: "c1" }), el("col", { class: "c2" }), el("col", { class: "c3" }), el("col")),
      el("thead", {}, el("tr", {}, ["Time", "Status", "Took", "Message"].map((t) => el("th", { scope: "col" }, t)))),
      el("tbody", {}, this.runs.map((r) => el("tr", { "aria-selected": String(r === this.picked), tabindex: "0",
        onclick: () => this.pick(r), onkeydown: (e) => { if (e.key === "Enter") this.pick(r); } },
      el("td", {}, fmt.when(Date.parse(r.start), now)),
      el("td", {}, el("span", { class: "st" }, icon(r.status), r.status)),
      el("td", {}, fmt.duration(r.duration_ns / 1e6)),
      el("td", { title: r.message ?? "" }, [r.cause, r.message].filter(Boolean).join(" — "))))));
  }
}

function nearest(runs, at) {
  return runs.reduce((best, r) => (best && Math.abs(Date.parse(best.start) - at) <= Math.abs(Date.parse(r.start) - at) ? best : r), undefined);
}

// steps draws the waterfall of one run.
function steps(run) {
  const whole = Math.max(run.duration_ns, ...run.steps.map((s) => s.offset_ns + s.duration_ns), 1);
  const depth = (s, n = 0) => (s.parent && n < 8 ? depth(run.steps[s.parent - 1] ?? {}, n + 1) : n);
  return el("ol", { class: "steps" }, run.steps.map((s) => el("li", {},
    el("span", { class: "nm", title: s.name, style: { paddingLeft: `${depth(s) * 14}px` } }, icon(fmt.verdict(s.values?.verdict) ?? s.status), el("span", {}, s.name)),
    el("span", { class: "track" }, el("span", { class: "bar", data: { status: s.status },
      style: { left: `${(s.offset_ns / whole) * 100}%`, width: `${(s.duration_ns / whole) * 100}%` } })),
    el("span", { class: "took" }, fmt.duration(s.duration_ns / 1e6)),
    s.error && !within(run, s) ? el("span", { class: "more", data: { status: s.status } }, s.error.split("\n")[0]) : null,
    values(s))));
}

// within says that a step failed with one of its parts, which tells of it. The rest of
// what was said then is above, with the run.
const within = (run, s) => run.steps.some((o) => run.steps[(o.parent ?? 0) - 1] === s && o.error);

// What Google calls good and poor, for the values that pages tell of themselves.
const vitals = {
  lcp_seconds: { name: "LCP", good: 2.5, poor: 4 }, inp_seconds: { name: "INP", good: 0.2, poor: 0.5 }, cls: { name: "CLS", good: 0.1, poor: 0.25 },
  fcp_seconds: { name: "FCP", good: 1.8, poor: 3 }, ttfb_seconds: { name: "TTFB", good: 0.8, poor: 1.8 },
};

// The others in the order of what they tell, before those that are not known here.
const order = ["status_code", "resolve_seconds", "connect_seconds", "tls_seconds", "processing_seconds", "transfer_seconds", "dom_content_loaded_seconds", "load_seconds"];
const place = ([key]) => (order.includes(key) ? order.indexOf(key) : order.length);

function values(s) {
  const all = s.values ?? {};
  const told = Object.entries(vitals).filter(([k]) => all[k] !== undefined).map(([k, v]) => el("span", {
    class: "vital", data: { rating: all[k] <= v.good ? "good" : all[k] <= v.poor ? "fair" : "poor" },
    title: `good is at most ${number(k, v.good)}, poor more than ${number(k, v.poor)}` }, `${v.name} `, el("b", {}, number(k, all[k]))));
  const list = Object.entries(all).filter(([k]) => !vitals[k]).sort((a, b) => place(a) - place(b)).map(([k, v]) => (k === "verdict" ? fmt.verdict(v) : `${k.replace(/_seconds$/, "").replaceAll("_", " ")} ${number(k, v)}`));
  return [
    told.length ? el("span", { class: "more vitals" }, told) : null,
    list.length ? el("span", { class: "more" }, list.join(" · ")) : null,
  ];
}

function number(key, v) {
  if (key.endsWith("_seconds")) return fmt.duration(v * 1000);
  if (key === "cls") return v.toFixed(v ? 3 : 0);
  return Number.isInteger(v) ? String(v) : String(Number(v.toPrecision(3)));
}
