// Numbers and times as people read them; times in the viewer's zone.

export function duration(ms) {
  if (ms === undefined || ms === null) return "–";
  if (ms < 1) return `${ms.toFixed(2)} ms`;
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
  return `${(ms / 3_600_000).toFixed(1)} h`;
}

// percent never rounds a loss away: 99.97 is not 100.
export function percent(share) {
  const p = share * 100;
  if (p === 100 || p === 0) return `${p}`;
  return (Math.floor(p * 100) / 100).toFixed(p >= 99.9 ? 2 : 1);
}

const timeFormat = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const minuteFormat = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const dayFormat = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric", month: "short" });

export const clock = (ms) => timeFormat.format(ms);
export const minute = (ms) => minuteFormat.format(ms);
export const dayAndTime = (ms) => `${dayFormat.format(ms)} ${timeFormat.format(ms)}`;

export function when(ms, now) {
  return now - ms < 20 * 3_600_000 ? clock(ms) : dayAndTime(ms);
}

export function ago(ms, now) {
  const s = Math.max(0, Math.round((now - ms) / 1000));
  if (s < 5) return "just now";
  if (s < 90) return `${s} s ago`;
  if (s < 5400) return `${Math.round(s / 60)} min ago`;
  if (s < 172_800) return `${Math.round(s / 3600)} h ago`;
  return `${Math.round(s / 86_400)} days ago`;
}

export function every(ms) {
  if (ms % 3_600_000 === 0) return `${ms / 3_600_000} h`;
  if (ms % 60_000 === 0) return `${ms / 60_000} min`;
  return `${ms / 1000} s`;
}

export const zone = () => new Intl.DateTimeFormat(undefined, { timeZoneName: "short" })
  .formatToParts(new Date()).find((p) => p.type === "timeZoneName")?.value ?? "";

// verdict is the word of the number that a scenario's step holds.
export const verdict = (n) => ["pass", "fail", "inconclusive", "invalid", "aborted", "skipped"][n];

export function bytes(n) {
  if (n < 1000) return `${n} B`;
  return n < 1e6 ? `${(n / 1e3).toFixed(1)} kB` : `${(n / 1e6).toFixed(1)} MB`;
}

export const plural = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`;
