// The drawing of one scenario run: phases, the fault, how fast callers were answered,
// and every connection attempt that reached the dependency.
import { axis, bar, colour, hatch, stateColour } from "./draw.js";
import { duration } from "./format.js";

const TOP = 28, FOOT = 36, LEFT = 74;
const outcomes = { success: "ok", rejected: "latency", fallback: "latency", failed: "critical", failure: "critical" };

export function figure(canvas, report) {
  const end = Math.max(...report.phases.map((p) => p.to_ms), report.duration_ms ?? 0, 1);
  const perPx = end / Math.max(canvas.clientWidth - LEFT - 12, 1);
  const a = axis(canvas, -LEFT * perPx, end + 12 * perPx);
  if (!a.w) return;
  for (const f of report.faults ?? []) {
    const x = a.x(f.armed_ms ?? 0), w = a.x(f.healed_ms ?? end) - x;
    a.g.globalAlpha = 0.13;
    hatch(a.g, x, TOP, w, a.h - TOP - 18, colour("fault"), 6);
    a.g.globalAlpha = 0.09;
    a.g.fillStyle = colour("fault");
    a.g.fillRect(x, TOP, w, a.h - TOP - 18);
    a.g.globalAlpha = 1;
  }
  for (const p of report.phases) {
    const fill = { open: stateColour("open"), "half-open": stateColour("half-open") }[p.name] ?? (p.name === "closed" ? colour("fault") : colour("ok"));
    bar(a, p.from_ms, p.to_ms, p.name, { fill, hatched: p.name === "half-open", top: 5, height: 17 });
  }
  calls(a, report);
  attempts(a, report);
  scaleOfTime(a, end);
}

// calls draws answers on a logarithmic scale: a rejection takes microseconds, a
// timeout seconds, and both matter.
function calls(a, report) {
  const bottom = a.h - FOOT - 4, top = TOP + 8, most = Math.log10(Math.max(10, ...report.phases.map((p) => p.max_ms ?? 0)) * 1.3);
  const y = (ms) => bottom - ((Math.log10(Math.max(ms, 0.1)) + 1) / (most + 1)) * (bottom - top);
  a.g.textAlign = "right";
  a.g.textBaseline = "middle";
  for (const ms of [1, 10, 100, 1000, 10_000].filter((v) => Math.log10(v) <= most)) {
    a.g.fillStyle = colour("line");
    a.g.fillRect(a.x(0), Math.round(y(ms)), a.w, 1);
    a.g.fillStyle = colour("faint");
    a.g.fillText(duration(ms).replace(".0 ", " ").replace(".00 ", " "), a.x(0) - 8, y(ms));
  }
  const points = (report.timeline ?? []).filter((e) => e.type === "call");
  for (const e of points) {
    a.g.fillStyle = colour(outcomes[e.outcome ?? e.class ?? e.result] ?? "unknown");
    a.g.globalAlpha = 0.85;
    a.g.beginPath();
    a.g.arc(a.x(e.at_ms), y(e.duration_ms ?? e.ms ?? 0), 2.1, 0, 7);
    a.g.fill();
  }
  a.g.globalAlpha = 1;
  if (points.length) return;
  for (const p of report.phases.filter((q) => q.calls)) { // without single calls: p50 to the slowest
    a.g.fillStyle = colour("latency");
    a.g.fillRect(a.x(p.from_ms) + 2, y(p.max_ms), Math.max(a.x(p.to_ms) - a.x(p.from_ms) - 4, 2), Math.max(y(p.p50_ms) - y(p.max_ms), 2));
  }
}

function attempts(a, report) {
  const y = a.h - FOOT + 2;
  a.g.fillStyle = colour("faint");
  a.g.textAlign = "right";
  a.g.textBaseline = "middle";
  a.g.fillText("attempts", a.x(0) - 8, y + 6);
  a.g.fillStyle = colour("ink");
  for (const e of (report.timeline ?? []).filter((t) => t.type === "attempt")) a.g.fillRect(a.x(e.at_ms), y, 1.5, 12);
}

function scaleOfTime(a, end) {
  const step = [0.5, 1, 2, 5, 10, 20, 30, 60, 120].map((s) => s * 1000).find((s) => (s / a.span) * a.w >= 60) ?? end;
  a.g.fillStyle = colour("muted");
  a.g.textAlign = "center";
  a.g.textBaseline = "alphabetic";
  for (let t = 0; t < end; t += step) a.g.fillText(`${t / 1000} s`, a.x(t), a.h - 5);
}
