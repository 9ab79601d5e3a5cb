// The line under the pointer through all rows, and what was at that moment.
import { byId, el, icon, put } from "./dom.js";
import * as fmt from "./format.js";
import { worstOf } from "./strip.js";

export function follow(board, model) {
  const tip = byId("tip");
  const hide = () => {
    tip.hidden = true;
    if (board.cross) board.cross.hidden = true;
  };
  board.root.addEventListener("pointerleave", hide);
  board.root.addEventListener("pointermove", (e) => {
    const plot = e.target.closest?.(".plot"), node = plot?.closest(".row");
    if (!plot || !board.rows.has("axis")) return hide();
    const t = board.timeAt(e), box = plot.getBoundingClientRect();
    board.cross.hidden = false;
    board.cross.style.left = `${e.clientX - board.root.getBoundingClientRect().left - 1}px`;
    const lines = [el("p", { class: "when" }, fmt.when(t, model.now())),
      ...atRow(model, node.dataset.check, t, (model.range.ms / box.width) * 10), ...atTime(model, t)];
    put(tip, lines);
    tip.hidden = false;
    const width = tip.offsetWidth, height = tip.offsetHeight;
    tip.style.left = `${Math.max(8, e.clientX + 16 + width > innerWidth ? e.clientX - width - 16 : e.clientX + 16)}px`;
    tip.style.top = `${Math.max(8, Math.min(e.clientY + 14, innerHeight - height - 8))}px`;
  });
}

function atRow(model, name, t, reach) {
  if (!name) return [];
  if (model.buckets) {
    const b = (model.buckets.get(name) ?? []).find((x) => x.start_ms <= t && t < x.end_ms);
    if (!b) return [el("p", {}, "no run here")];
    const n = Object.entries(b.counts).filter(([, v]) => v).map(([k, v]) => `${v} ${k}`).join(", ") || "only planned faults";
    return [el("p", { class: "what" }, icon(worstOf(b.counts) ?? worstOf(b.planned)), n), el("p", {}, `p50 ${fmt.duration(b.p50_ms)} · p95 ${fmt.duration(b.p95_ms)}`)];
  }
  let near;
  for (const r of model.runs.get(name) ?? []) {
    const far = Math.abs(r.start_ms - t);
    if (far < reach && (!near || far < near.far)) near = { r, far };
  }
  if (!near) return [];
  const { r } = near;
  return [el("p", { class: "what" }, icon(r.status), [r.status, r.cause].filter(Boolean).join(" · "), ` · ${fmt.duration(r.ms)}`),
    el("p", { class: "when" }, `run at ${fmt.when(r.start_ms, model.now())}${r.run ? " for a scenario" : ""}`),
    r.message ? el("p", {}, r.message) : null].filter(Boolean);
}

function atTime(model, t) {
  const lines = [];
  for (const e of model.events) {
    if (t < e.from || t > (e.to ?? Infinity)) continue;
    if (e.kind === "fault") lines.push(`planned fault at ${e.subject}${e.labels.scenario ? ` for ${e.labels.scenario}` : ""}`);
    if (e.kind === "scenario") lines.push(`scenario ${e.subject}${e.text ? `: ${e.text}` : ""}`);
    if (e.kind === "down") lines.push("Foreshock was not running");
  }
  for (const [subject, spans] of model.breakers()) {
    const s = spans.find((x) => x.from <= t && t < (x.to ?? Infinity));
    if (s) lines.push(`breaker ${subject}: ${s.state}`);
  }
  return lines.map((text) => el("p", {}, text));
}
