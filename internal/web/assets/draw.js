// Drawing on the common time axis. Every canvas has the same width and so the same
// axis; colours come from the style sheet, so that light and dark need nothing here.

const names = ["ink", "muted", "faint", "line", "panel", "ok", "warning", "critical", "unknown", "fault", "fault-ink", "latency"];
let colours = {};

export function readColours() {
  const style = getComputedStyle(document.documentElement);
  colours = Object.fromEntries(names.map((n) => [n, style.getPropertyValue(`--${n}`).trim()]));
}

// axis maps time to pixels of one canvas.
export function axis(canvas, from, to) {
  const scale = window.devicePixelRatio || 1;
  const w = canvas.clientWidth, h = canvas.clientHeight;
  if (canvas.width !== Math.round(w * scale) || canvas.height !== Math.round(h * scale)) {
    canvas.width = Math.round(w * scale);
    canvas.height = Math.round(h * scale);
  }
  const g = canvas.getContext("2d");
  g.setTransform(scale, 0, 0, scale, 0, 0);
  g.clearRect(0, 0, w, h);
  g.font = `11px ${getComputedStyle(document.body).fontFamily}`;
  const span = to - from;
  return { g, w, h, from, to, span, x: (t) => ((t - from) / span) * w, msPerPx: span / w };
}

const steps = [1, 2, 5, 10, 15, 30].map((s) => s * 1000)
  .concat([1, 2, 5, 10, 15, 30].map((m) => m * 60_000), [1, 2, 3, 6, 12, 24].map((h) => h * 3_600_000));

// marks are round times, in the viewer's zone, far enough apart for their labels.
export function marks(a) {
  const step = steps.find((s) => s / a.msPerPx >= 92) ?? steps.at(-1);
  const zone = -new Date(a.to).getTimezoneOffset() * 60_000;
  const found = [];
  for (let t = Math.ceil((a.from + zone) / step) * step - zone; t <= a.to; t += step) found.push(t);
  return found;
}

export function grid(a) {
  a.g.fillStyle = colours.line;
  a.g.globalAlpha = 0.7;
  for (const t of marks(a)) a.g.fillRect(Math.round(a.x(t)), 0, 1, a.h);
  a.g.globalAlpha = 1;
}

export function axisLabels(a, label) {
  const { g } = a;
  g.textBaseline = "middle";
  for (const t of marks(a)) {
    const x = Math.round(a.x(t)), text = label(t), half = g.measureText(text).width / 2;
    g.fillStyle = colours.line;
    g.fillRect(x, a.h - 5, 1, 5);
    if (x - half < 2 || x + half > a.w - 40) continue;
    g.fillStyle = colours.muted;
    g.textAlign = "center";
    g.fillText(text, x, a.h / 2 - 1);
  }
  g.textAlign = "right";
  g.fillStyle = colours.ink;
  g.fillText("now", a.w - 8, a.h / 2 - 1);
}

// hatch fills a box with slanted lines, on the page's own grid so that it stands still.
export function hatch(g, x, y, w, h, colour, gap = 5, width = 1) {
  g.save();
  g.beginPath();
  g.rect(x, y, w, h);
  g.clip();
  g.strokeStyle = colour;
  g.lineWidth = width;
  g.beginPath();
  for (let i = Math.floor((x - h) / gap) * gap; i < x + w + h; i += gap) {
    g.moveTo(i, y + h);
    g.lineTo(i + h, y);
  }
  g.stroke();
  g.restore();
}

// windows shades planned faults, and times in which nobody watched, through a row.
export function windows(a, events) {
  for (const e of events) {
    if (e.kind !== "fault" && e.kind !== "down") continue;
    const x = Math.max(a.x(e.from), -2), to = Math.min(a.x(e.to ?? a.to), a.w), w = Math.max(to - x, 2);
    if (to < 0 || x > a.w) continue;
    const colour = e.kind === "fault" ? colours.fault : colours.unknown;
    a.g.globalAlpha = 0.1;
    a.g.fillStyle = colour;
    a.g.fillRect(x, 0, w, a.h);
    a.g.globalAlpha = 0.16;
    hatch(a.g, x, 0, w, a.h, colour, 7);
    a.g.globalAlpha = 0.65;
    a.g.fillStyle = colour;
    a.g.fillRect(Math.round(x), 0, 1, a.h);
    if (e.to) a.g.fillRect(Math.round(x + w) - 1, 0, 1, a.h);
    a.g.globalAlpha = 1;
  }
}

// transitions marks where a breaker changed its state.
export function transitions(a, events) {
  for (const e of events) {
    if (e.kind !== "breaker") continue;
    a.g.strokeStyle = stateColour(e.labels.to);
    a.g.globalAlpha = 0.8;
    a.g.setLineDash([2, 3]);
    a.g.beginPath();
    a.g.moveTo(Math.round(a.x(e.from)) + 0.5, 0);
    a.g.lineTo(Math.round(a.x(e.from)) + 0.5, a.h);
    a.g.stroke();
    a.g.setLineDash([]);
    a.g.globalAlpha = 1;
  }
}

export const stateColour = (state) =>
  ({ open: colours.critical, "half-open": colours.warning, closed: colours.ok })[state] ?? colours.unknown;

export const colour = (name) => colours[name];

// beside writes next to a span: after it, or before it where there is no room.
export function beside(a, from, to, text) {
  const { g } = a, need = g.measureText(text).width, after = a.x(to) + 6;
  g.textBaseline = "middle";
  g.textAlign = "left";
  g.fillStyle = colours.muted;
  g.fillText(text, after + need + 4 < a.w ? after : Math.max(Math.min(a.x(from), a.w) - need - 6, 4), a.h / 2 + 0.5);
}

// bar is a span on a lane, with a label if there is room.
export function bar(a, from, to, text, { fill, hatched = false, top = 7, height = a.h - 14 }) {
  const x = Math.max(a.x(from), -4), w = Math.max(Math.min(a.x(to), a.w + 4) - x, 3), { g } = a;
  if (x > a.w || x + w < 0) return;
  g.fillStyle = fill;
  g.globalAlpha = 0.22;
  g.fillRect(x, top, w, height);
  if (hatched) hatch(g, x, top, w, height, fill, 5);
  g.globalAlpha = 1;
  g.strokeStyle = fill;
  g.strokeRect(x + 0.5, top + 0.5, w - 1, height - 1);
  if (!text || g.measureText(text).width + 8 > w) return;
  g.fillStyle = colours.ink;
  g.textAlign = "left";
  g.textBaseline = "middle";
  g.fillText(text, Math.max(x, 0) + 5, top + height / 2 + 0.5);
}
