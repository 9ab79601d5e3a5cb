// The only place that talks to the server. Addresses are relative, so that the page
// works below any prefix.

async function get(path) {
  const res = await fetch(`api/v1/${path}`, { headers: { Accept: "application/json" } });
  const body = await res.json().catch(() => ({}));
  if (!res.ok) throw new Error(body.error ?? `the server answered ${res.status}`);
  return body;
}

export const checks = (since) => get(`checks?since=${since}`);
export const timeline = (since) => get(`timeline?since=${since}`);
export const artifactURL = (id) => `api/v1/artifacts/${encodeURIComponent(id)}`;

export async function runs(check, { limit = 50, until } = {}) {
  const q = new URLSearchParams({ check, limit });
  if (until) q.set("until_ms", Math.round(until));
  return (await get(`results?${q}`)).results;
}

// json gives what is in an artifact of JSON.
export async function json(id) {
  const res = await fetch(artifactURL(id));
  if (!res.ok) throw new Error(res.status === 404 ? "not kept, or no longer" : `not there: ${res.status}`);
  return res.json();
}

// listen calls on.record for each fresh record, and on.state with live or
// reconnecting. After a break on.again is called: records may have been missed.
export function listen(on) {
  const source = new EventSource("api/v1/live");
  let broken = false;
  source.addEventListener("open", () => {
    on.state("live");
    if (broken) on.again();
    broken = false;
  });
  source.addEventListener("error", () => {
    broken = true;
    on.state(source.readyState === EventSource.CLOSED ? "not live" : "reconnecting");
  });
  source.addEventListener("record", (e) => on.record(JSON.parse(e.data)));
}
