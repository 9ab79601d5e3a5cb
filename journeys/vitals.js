// Tells Foreshock of each document how fast its user saw it. It runs in a world of its
// own, so that the page neither sees nor changes it. The definitions are those of
// github.com/GoogleChrome/web-vitals (src/onLCP.ts, onCLS.ts, onINP.ts, lib/interactions.ts).
// Times are milliseconds since the navigation began.
(() => {
  if (window !== window.top || !location.protocol.startsWith("http")) return;
  const v = {};
  const activated = () => performance.getEntriesByType("navigation")[0]?.activationStart ?? 0;
  const send = () => {
    const n = performance.getEntriesByType("navigation")[0];
    if (n) v.navigation = n.toJSON();
    foreshockVitals(JSON.stringify(v));
  };
  const observers = [];
  // A browser that lacks a type of entry tells nothing of it.
  const observe = (type, take, options = {}) => {
    if (!PerformanceObserver.supportedEntryTypes.includes(type)) return;
    const takeAll = (list) => list.forEach(take);
    const o = new PerformanceObserver((list) => { takeAll(list.getEntries()); send(); });
    o.observe({ type, buffered: true, ...options });
    observers.push(() => takeAll(o.takeRecords()));
  };

  observe("paint", (e) => { if (e.name === "first-contentful-paint") v.fcp = Math.max(e.startTime - activated(), 0); });
  // The browser itself stops to tell of larger ones at the first input.
  observe("largest-contentful-paint", (e) => { v.lcp = Math.max(e.startTime - activated(), 0); });

  // CLS is the worst session window: shifts less than 1 s apart, of 5 s at most.
  let window_ = { value: 0, first: 0, last: 0 };
  if (PerformanceObserver.supportedEntryTypes.includes("layout-shift")) v.cls = 0;
  observe("layout-shift", (e) => {
    if (e.hadRecentInput) return;
    if (window_.value && e.startTime - window_.last < 1000 && e.startTime - window_.first < 5000) {
      window_.value += e.value;
      window_.last = e.startTime;
    } else {
      window_ = { value: e.value, first: e.startTime, last: e.startTime };
    }
    v.cls = Math.max(v.cls, window_.value);
  });

  // INP is the worst interaction, leaving out one of each 50.
  const interactions = new Map(); // the longest ten, by id
  const ids = { least: Infinity, most: 0 };
  const interaction = (e) => {
    if (!e.interactionId) return;
    ids.least = Math.min(ids.least, e.interactionId);
    ids.most = Math.max(ids.most, e.interactionId);
    interactions.set(e.interactionId, Math.max(interactions.get(e.interactionId) ?? 0, e.duration));
    const sorted = [...interactions].sort((a, b) => b[1] - a[1]);
    for (const [id] of sorted.splice(10)) interactions.delete(id);
    const count = performance.interactionCount ?? (ids.most - ids.least) / 7 + 1; // ids grow by 7
    v.inp = sorted[Math.min(sorted.length - 1, Math.floor(count / 50))][1];
  };
  observe("event", interaction, { durationThreshold: 16 });
  observe("first-input", interaction);

  const flush = () => {
    observers.forEach((take) => take());
    send();
  };
  addEventListener("load", () => setTimeout(send, 0)); // when its own end is known
  addEventListener("pagehide", flush, { capture: true });
  addEventListener("foreshock", flush); // an event that only we know is not worth hiding
  send();
})();
