// What the page knows: rows, runs, events, all by the server's clock. No drawing here.

export const ranges = [
  { since: "5m", label: "5 min", ms: 300_000 },
  { since: "15m", label: "15 min", ms: 900_000 },
  { since: "1h", label: "1 h", ms: 3_600_000 },
  { since: "24h", label: "24 h", ms: 86_400_000 },
];

const badness = { ok: 0, warning: 1, unknown: 2, critical: 3 };
export const worse = (a, b) => (badness[b] > badness[a] ? b : a);

export class Model {
  constructor() {
    this.info = {};
    this.rows = new Map(); // by check, in the order of the page
    this.runs = new Map(); // by check, oldest first
    this.buckets = null; // instead of runs, where they would be too many
    this.events = [];
    this.range = ranges[1];
    this.skew = 0;
    this.unstored = false;
  }

  now() { return Date.now() + this.skew; }

  takeChecks(answer) {
    this.info = answer;
    this.skew = answer.now_ms - Date.now();
    const old = this.rows;
    this.rows = new Map(answer.checks.map((c) => [c.name, c]));
    for (const [name, row] of this.rows) { // what came live while the answer was under way
      const known = old.get(name)?.last;
      if (known && (!row.last || known.start_ms > row.last.start_ms)) row.last = known;
    }
  }

  takeTimeline(answer) {
    this.buckets = answer.buckets ? new Map(Object.entries(answer.buckets)) : null;
    this.bucketMS = answer.width_ms;
    this.runs = new Map(Object.entries(answer.runs ?? {}));
    this.events = answer.events.map(event);
  }

  // addResult takes a live result; it says whether a new row came with it.
  addResult(r) {
    const run = {
      start_ms: Date.parse(r.start), ms: r.duration_ns / 1e6, status: r.status,
      cause: r.cause, message: r.message, run: r.run,
    };
    let fresh = false;
    if (!this.rows.has(r.check)) {
      fresh = true;
      this.rows.set(r.check, { name: r.check, kind: r.kind, labels: r.labels, counts: {}, planned: {}, p50_ms: 0, p95_ms: 0 });
    }
    const row = this.rows.get(r.check);
    if (!row.last || run.start_ms >= row.last.start_ms) row.last = run;
    if (!this.buckets) {
      const list = this.runs.get(r.check) ?? [];
      this.runs.set(r.check, list);
      let i = list.length;
      while (i > 0 && list[i - 1].start_ms > run.start_ms) i--;
      list.splice(i, 0, run);
      while (list.length && list[0].start_ms < this.now() - this.range.ms - 60_000) list.shift();
    }
    return fresh;
  }

  addEvent(e) {
    const fresh = event(e);
    const i = this.events.findIndex((o) => o.key === fresh.key);
    if (i >= 0) this.events[i] = fresh;
    else this.events.push(fresh);
    this.events.sort((a, b) => a.from - b.from);
  }

  // oldest is when the first run of the range began.
  oldest() {
    const starts = this.buckets ? [] : [...this.runs.values()].filter((l) => l.length).map((l) => l[0].start_ms);
    return starts.length ? Math.min(...starts) : undefined;
  }

  ofKind(kind) { return this.events.filter((e) => e.kind === kind); }
  faultsAt(t) { return this.ofKind("fault").filter((e) => e.from <= t && t <= (e.to ?? Infinity)); }

  // breakers gives for each breaker the states it was seen in, as spans. It is watched
  // only while a scenario runs: a span ends with the run it was seen in.
  breakers() {
    const ends = new Map(this.ofKind("scenario").map((s) => [s.run, s.to]));
    const found = new Map();
    for (const e of this.ofKind("breaker")) {
      const spans = found.get(e.subject) ?? [];
      found.set(e.subject, spans);
      const before = spans.at(-1);
      if (before && before.run === e.run) before.to = Math.min(before.to ?? Infinity, e.from);
      else if (e.labels.from) {
        const start = this.ofKind("scenario").find((s) => s.run === e.run)?.from;
        if (start !== undefined && start < e.from) spans.push({ state: e.labels.from, from: start, to: e.from, run: e.run });
      }
      spans.push({ state: e.labels.to ?? "unknown", from: e.from, to: e.run ? ends.get(e.run) : undefined, run: e.run, text: e.text });
    }
    return found;
  }

  // overall is the worst newest status, and how many checks have each.
  overall() {
    const n = { ok: 0, warning: 0, critical: 0, unknown: 0, none: 0 };
    let status = "";
    for (const row of this.rows.values()) {
      const s = row.last?.status ?? "none";
      n[s]++;
      if (s !== "none") status = status ? worse(status, s) : s;
    }
    return { status: status || "none", n };
  }
}

function event(e) {
  return {
    kind: e.kind, subject: e.subject, run: e.run ?? "", text: e.text ?? "", labels: e.labels ?? {},
    from: Date.parse(e.start), to: e.end ? Date.parse(e.end) : undefined,
    key: JSON.stringify([e.kind, e.subject, e.run ?? "", e.location, e.start]),
  };
}
