// A check's row: a tick for each run, and the time it took.
import { bar, beside, colour, hatch } from "./draw.js";
import { duration } from "./format.js";
import { worse } from "./model.js";

const heights = { ok: 9, warning: 12, unknown: 12, critical: 15 };
const STRIP = 17; // the lower part of the row

// tick draws one run. Statuses differ in height and fill, not in colour alone.
function tick(a, x, w, status, planned) {
  const h = heights[status] ?? 9, y = a.h - 5 - h, { g } = a;
  if (status === "unknown") {
    g.globalAlpha = 1;
    hatch(g, x, y, Math.max(w, 3), h, colour("unknown"), 3.5);
    g.strokeStyle = colour("unknown");
    g.lineWidth = 1;
    g.strokeRect(x + 0.5, y + 0.5, Math.max(w, 3) - 1, h - 1);
    return;
  }
  g.globalAlpha = planned ? 0.55 : 1;
  g.fillStyle = colour(status);
  g.beginPath();
  g.roundRect(x, y, w, h, Math.min(1.5, w / 2));
  g.fill();
  g.globalAlpha = 1;
}

// group joins runs that are too close to be told apart; the worst one shows.
function group(a, runs) {
  const quantum = a.msPerPx * 3, groups = [];
  for (const r of runs) {
    if (r.start_ms < a.from - quantum) continue;
    const slot = Math.floor(r.start_ms / quantum), last = groups.at(-1);
    if (last?.slot === slot) last.status = worse(last.status, r.status);
    else groups.push({ slot, at: r.start_ms, status: r.status });
  }
  return groups;
}

export function runTicks(a, runs) {
  const groups = group(a, runs);
  groups.forEach((gr, i) => {
    const x = a.x(gr.at), before = groups[i - 1] ? x - a.x(groups[i - 1].at) : 12;
    const next = groups[i + 1] ? a.x(groups[i + 1].at) : x + before;
    tick(a, x, Math.max(2, Math.min(9, next - x - 1.5)), gr.status);
  });
}

// latency draws the time that runs took: a line through the looks, broken where the
// check could not look, and a dot on each that was not well.
export function latency(a, runs) {
  const seen = runs.filter((r) => r.status !== "unknown" && r.start_ms > a.from - 60_000);
  if (!seen.length) return;
  const most = scale(seen.map((r) => r.ms)), { g } = a;
  const bottom = a.h - STRIP - 7, y = (ms) => bottom - (Math.min(ms, most) / most) * (bottom - 9);
  rule(a, most);
  let part = [];
  const flush = () => { line(g, part, bottom); part = []; };
  for (const r of runs) {
    if (r.status === "unknown") flush();
    else if (r.start_ms > a.from - 60_000) part.push([a.x(r.start_ms), y(r.ms)]);
  }
  flush();
  for (const r of seen) {
    if (r.status === "ok") continue;
    g.fillStyle = colour("panel");
    g.strokeStyle = colour(r.status);
    g.lineWidth = 1.8;
    g.beginPath();
    g.arc(a.x(r.start_ms), y(r.ms), 2.6, 0, 7);
    g.fill();
    g.stroke();
  }
  g.lineWidth = 1;
}

function line(g, points, bottom) {
  if (!points.length) return;
  if (points.length === 1) points = [[points[0][0] - 3, points[0][1]], [points[0][0] + 3, points[0][1]]];
  g.beginPath();
  points.forEach(([x, y], i) => (i ? g.lineTo(x, y) : g.moveTo(x, y)));
  g.strokeStyle = colour("latency");
  g.lineWidth = 1.6;
  g.lineJoin = "round";
  g.stroke();
  g.lineTo(points.at(-1)[0], bottom);
  g.lineTo(points[0][0], bottom);
  g.closePath();
  g.globalAlpha = 0.13;
  g.fillStyle = colour("latency");
  g.fill();
  g.globalAlpha = 1;
}

// rule names the height of the scale.
function rule(a, most) {
  const { g } = a, text = duration(most);
  g.strokeStyle = colour("line");
  g.setLineDash([1, 3]);
  g.beginPath();
  g.moveTo(0, 8.5);
  g.lineTo(a.w, 8.5);
  g.stroke();
  g.setLineDash([]);
  g.font = g.font.replace(/^\d+px/, "10px");
  g.textAlign = "left";
  g.textBaseline = "top";
  const w = g.measureText(text).width;
  g.globalAlpha = 0.8;
  g.fillStyle = colour("panel");
  g.fillRect(3, 2, w + 6, 13);
  g.globalAlpha = 1;
  g.fillStyle = colour("faint");
  g.fillText(text, 6, 3);
}

function scale(values) {
  const most = Math.max(...values, 0.001), power = 10 ** Math.floor(Math.log10(most));
  return [1, 1.5, 2, 3, 5, 7.5, 10].map((f) => f * power).find((v) => v >= most);
}

// spans draws runs that last, such as scenarios: from start to end, with what they came to.
export function spans(a, runs) {
  for (const r of runs) {
    const word = `${{ ok: "pass", critical: "fail", warning: "pass", unknown: "not told" }[r.status]} · ${duration(r.ms)}`;
    bar(a, r.start_ms, r.start_ms + r.ms, "", { fill: colour(r.status), hatched: r.status === "unknown", top: a.h / 2 - 12, height: 24 });
    beside(a, r.start_ms, r.start_ms + r.ms, word);
  }
}

// bucketTicks and bucketLatency draw the same from summaries.
export function bucketTicks(a, buckets) {
  for (const b of buckets) {
    const status = worstOf(b.counts) ?? worstOf(b.planned);
    if (!status) continue;
    const x = a.x(b.start_ms);
    tick(a, x, Math.max(2, Math.min(9, a.x(b.end_ms) - x - 1)), status, !worstOf(b.counts));
  }
}

export function bucketLatency(a, buckets) {
  const seen = buckets.filter((b) => b.p95_ms > 0);
  latency(a, seen.map((b) => ({ start_ms: (b.start_ms + b.end_ms) / 2, ms: b.p95_ms, status: "ok" })));
}

export const worstOf = (counts) => ["critical", "unknown", "warning", "ok"].find((s) => counts[s] > 0);
