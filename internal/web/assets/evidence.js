// What a run saw: the film strip, the picture of its failure, the requests that failed,
// the console, and the files to take away. What is in them came from a checked service
// and becomes text and nothing else.
import * as api from "./api.js";
import { el } from "./dom.js";
import * as fmt from "./format.js";

const loaded = new Map(); // by artifact id: what is in it, or why it is not there
const shownLines = 40;

const isImage = (a) => a.media_type.startsWith("image/");

// evidence draws all of a run; again is called when something more has been loaded.
export function evidence(check, run, again) {
  const all = (run.steps ?? []).flatMap((step) => (step.artifacts ?? []).map((a) => ({ ...a, step })));
  const film = all.filter((a) => a.name === "film");
  const pictures = all.filter((a) => isImage(a) && a.name !== "film");
  const files = all.filter((a) => !isImage(a));
  const har = files.find((a) => a.name.endsWith(".har"));
  const lines = files.find((a) => a.name === "console.json");
  return [
    film.length ? [el("h3", {}, "Film"), strip(film, pictures)] : null,
    pictures.map(picture),
    har ? requests(take(har, again)) : null,
    lines ? console_(take(lines, again)) : null,
    files.length ? el("p", { class: "files" }, files.map((a) => file(check, run, a))) : null,
  ];
}

function strip(film, pictures) {
  const ends = (a) => (a.step.offset_ns + a.step.duration_ns) / 1e6;
  const last = pictures.filter((a) => a.name === "failure" || a.name === "end");
  return el("ol", { class: "film" }, [...film, ...last].map((a) => el("li", { data: { failed: String(a.name === "failure") } },
    el("a", { href: api.artifactURL(a.id) }, el("img", { src: api.artifactURL(a.id), alt: `the page after ${a.step.name}`, loading: "lazy" })),
    el("span", { class: "at" }, `+${fmt.duration(ends(a))}`), el("span", { title: a.step.name }, a.step.name))));
}

function picture(a) {
  const url = api.artifactURL(a.id);
  return el("figure", { class: "shot" }, el("a", { href: url }, el("img", { src: url, alt: `${a.name} of step ${a.step.name}`, loading: "lazy" })),
    el("figcaption", {}, `${a.name} · step ${a.step.name}`));
}

// take gives what is in a file of JSON, or undefined while it is on its way.
function take(a, again) {
  if (!loaded.has(a.id)) {
    loaded.set(a.id, undefined);
    api.json(a.id).catch((err) => ({ gone: String(err.message ?? err) })).then((v) => {
      loaded.set(a.id, v);
      again();
    });
  }
  return loaded.get(a.id);
}

const head = (title, note) => el("h3", {}, el("span", {}, title), el("span", {}, note));

function requests(har) {
  if (!har?.log) return har ? [head("Requests", ""), el("p", { class: "none" }, har.gone)] : null;
  const all = har.log.entries;
  const failed = all.filter((e) => e.response.status >= 400 || (e.response._error && e.response._error !== "net::ERR_ABORTED"));
  const slow = all.filter((e) => !failed.includes(e)).sort((a, b) => b.time - a.time).slice(0, failed.length ? 3 : 5);
  const bytes = all.reduce((n, e) => n + Math.max(e.response.content.size, 0), 0);
  return [
    head("Requests", `${fmt.plural(all.length, "request")} · ${fmt.bytes(bytes)} · ${failed.length} failed`),
    el("table", { class: "requests" }, el("tbody", {}, [...failed.slice(0, 20), ...slow].map((e) => el("tr", { data: { failed: String(failed.includes(e)) } },
      el("td", {}, String(e.response.status || (e._unfinished ? "…" : "–"))), el("td", {}, e.request.method),
      el("td", { title: e.request.url }, path(e.request.url), e.response._error && !e.response.status ? el("small", {}, ` ${e.response._error}`) : null),
      el("td", {}, fmt.duration(e.time)))))),
  ];
}

function path(url) {
  try {
    const u = new URL(url);
    return u.pathname + u.search;
  } catch {
    return url;
  }
}

function console_(lines) {
  if (!Array.isArray(lines)) return lines ? [head("Console", ""), el("p", { class: "none" }, lines.gone)] : null;
  if (!lines.length) return [head("Console", "nothing was written")];
  const errors = lines.filter((l) => l.level === "error").length;
  return [
    head("Console", `${fmt.plural(lines.length, "line")} · ${fmt.plural(errors, "error")}`),
    el("ol", { class: "console" }, lines.slice(-shownLines).map((l) => el("li", { data: { level: l.level } },
      el("span", { class: "at" }, `+${fmt.duration(l.at_ms)}`), el("span", { class: "level" }, l.level),
      el("span", { class: "text" }, l.text, l.source ? el("small", {}, ` ${path(l.source)}${l.line ? `:${l.line}` : ""}`) : null)))),
  ];
}

function file(check, run, a) {
  const at = new Date(run.start).toISOString().slice(0, 19).replaceAll(":", "");
  const keep = a.name.endsWith(".har") ? `${check}-${at}-${a.name}` : undefined;
  return el("a", { href: api.artifactURL(a.id), download: keep, title: `of step ${a.step.name}` }, a.name);
}
