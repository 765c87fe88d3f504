
"use strict";
// Shows what /view says, every two seconds, for as long as the page is open. All text
// goes in as text, never as markup. What was shown stays while the relay restarts.
(() => {
  const EVERY = 2000, PATIENCE = 8000, MINUTES = 60;
  const SVG = "http://www.w3.org/2000/svg";
  const get = (id) => document.getElementById(id);
  const minutes = new Map();
  const drawn = new Map();
  let token = null, view = null, lostAt = null;
  try { token = sessionStorage.getItem("paxect-token"); } catch { /* not to be had */ }

  // -- words and numbers

  const LETTERS = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
  function size(count) {
    let unit = 0;
    while (unit + 1 < LETTERS.length && count >= 999.95) { count /= 1000; unit += 1; }
    return `${unit ? count.toFixed(1) : count.toFixed(0)} ${LETTERS[unit]}`;
  }
  const number = (count) => count.toLocaleString("en-US");
  const files = (count) => `${number(count)} ${count === 1 ? "file" : "files"}`;
  function span(seconds) {
    if (seconds < 59.95) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
    const whole = Math.round(seconds);
    if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
    if (whole < 86400) return `${Math.floor(whole / 3600)} h ${Math.floor(whole % 3600 / 60)} min`;
    return `${Math.floor(whole / 86400)} d ${Math.floor(whole % 86400 / 3600)} h`;
  }
  const moment = (seconds) => new Date(seconds * 1000).toISOString().slice(0, 19).replace("T", " ") + "Z";
  const clock = (seconds) => new Date(seconds * 1000).toTimeString().slice(0, 5);
  const path = (place) => place ? place.filter(Boolean).join("/") : "";

  // -- parts of the page

  function made(name, about, ...inner) {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(about || {})) {
      if (key === "class") node.className = value; else node.setAttribute(key, value);
    }
    node.append(...inner);
    return node;
  }
  // Only what differs is put in anew, so that what is selected or read out stays.
  function put(id, facts, make) {
    const mark = JSON.stringify(facts);
    if (drawn.get(id) === mark) return;
    drawn.set(id, mark);
    get(id).replaceChildren(...make(facts));
  }
  function say(id, text) {
    if (get(id).textContent !== text) get(id).textContent = text;
  }
  const code = (text) => made("code", {}, text);
  function rows(list, labels, cells, none) {
    if (!list.length) return [made("tr", {}, made("td", { class: "none", colspan: labels.length }, none))];
    return list.map((each) => made("tr", {}, ...cells(each).map(
      (cell, at) => made("td", { "data-label": labels[at] }, made("div", {}, ...[cell].flat())))));
  }

  const VERDICTS = {
    well: ["✓", "All is well"], care: ["!", "Something asks for a look"],
    trouble: ["✕", "In trouble"], unknown: ["…", "Not known yet"],
    lost: ["?", "No answer"],
  };
  function showVerdict(wellness, reasons) {
    const [mark, word] = VERDICTS[wellness];
    get("verdict").className = `card ${wellness}`;
    say("mark", mark);
    say("word", word);
    put("reasons", reasons, (list) => list.map((text) => made("li", {}, text)));
    const share = view ? view.identity.share : "paxect-batch";
    document.title = `${mark} ${share}: ${word.toLowerCase()}`;
  }

  function tile(name, main, rest, kind) {
    return { name, main, rest, kind: kind || "" };
  }
  function showTiles() {
    const seen = view.seen, rate = view.rate, tiles = [
      tile("Now", `${rate.files_per_second.toFixed(1)} files/s`, `${size(rate.bytes_per_second)}/s`)];
    if (seen) {
      const old = (tally, seconds) => `${size(tally.bytes)}${tally.files ? `, oldest ${span(seconds)}` : ""}`;
      tiles.push(tile("In the inbox", number(seen.waiting.files), old(seen.waiting, seen.waiting_seconds)));
      tiles.push(tile("On the wire", number(seen.wire.files), old(seen.wire, seen.wire_seconds)));
      const held = seen.in_flight.reduce((most, each) => Math.max(most, each.age_seconds), 0);
      tiles.push(tile("In flight", number(seen.in_flight_count), seen.in_flight_count ? `oldest ${span(held)}` : "nothing is held"));
      tiles.push(tile("Set aside", number(seen.set_aside_count + seen.given_up_count), `${number(seen.backing_off_count)} to be tried again`, seen.set_aside_count + seen.given_up_count ? "care" : ""));
    }
    const pace = view.doings && view.doings.pace ? view.doings.pace.pace : null;
    if (pace) {
      tiles.push(tile("Pace", `${Math.round(pace.pace * 100)} %`, pace.cause === "none" ? "nothing bounds it" : `for ${pace.cause}`, pace.pace ? "" : "care"));
    }
    if (view.ground && Object.keys(view.ground.free_bytes).length) {
      tiles.push(tile("Free space", size(Math.min(...Object.values(view.ground.free_bytes))), "on the share"));
    }
    put("tiles", tiles, (list) => list.map((each) => made("div", { class: each.kind },
      made("dt", {}, each.name), made("dd", {}, each.main), made("dd", {}, each.rest))));
  }

  const LIVES = {
    alive: ["well", "alive"], silent: ["trouble", "silent"],
    not_running: ["trouble", "not running"], unreadable: ["care", "its lease cannot be read"],
  };
  function showNodes(seen) {
    const labels = ["Node", "State", "Holds", "Delivered", "Its last word"];
    put("nodes", [seen.nodes, seen.over], () => [...rows(seen.nodes, labels, (node) => {
      const [kind, life] = LIVES[node.life] || ["care", node.life];
      const word = node.lease ? node.lease.word : null;
      const doing = !word || node.life !== "alive" ? `last beat ${node.last_beat_at.slice(0, 19).replace("T", " ")}Z`
        : node.claims ? "relaying" : word.waits_for ? `waits for ${word.waits_for}` : word.doing;
      return [node.node,
        [made("span", { class: `state ${kind}` }, life), `, ${doing}`],
        `${number(node.claims)} ${node.claims === 1 ? "claim" : "claims"}${word && word.in_flight_bytes ? `, ${size(word.in_flight_bytes)}` : ""}`,
        word ? `${files(word.delivered_files)}, ${size(word.delivered_bytes)}` : "",
        word ? word.last : ""];
    }, "No node is at work."), ...seen.over.map((each) => made("tr", {},
      made("td", { "data-label": "Node" }, each.node),
      made("td", { "data-label": "State", colspan: 4 }, made("div", {}, made("span", { class: "state trouble" }, "over"),
        each.rescuer_node ? `, node ${each.rescuer_node} recovers it` : ", it waits for a node to recover it"))))]);
  }

  function showSetAside(seen) {
    say("aside-count", seen.set_aside_count > seen.set_aside.length
      ? `the newest ${seen.set_aside.length} of ${number(seen.set_aside_count)}` : "");
    const inPlace = seen.given_up.map((each) => {
      const last = each.failures[each.failures.length - 1];
      return { ...last, source: each.source, retry: "" };
    });
    put("aside", [...seen.set_aside, ...inPlace], (list) => rows(list, ["When", "File", "Reason", "To try it again"],
      (each) => [moment(each.at), code(path(each.source)),
        each.detail ? `${each.code}: ${each.detail}` : each.code,
        each.retry ? code(each.retry) : "it stayed where it was"],
      "Nothing was set aside."));
    say("backing-count", seen.backing_off_count ? number(seen.backing_off_count) : "");
    put("backing", seen.backing_off, (list) => list.length ? list.map((each) => {
      const last = each.failures[each.failures.length - 1];
      return made("li", {}, code(path(each.source)), ` ${last ? `${last.code}: ${last.detail}` : ""}`);
    }) : [made("li", { class: "none" }, "Nothing.")]);
  }

  function showLast(audit) {
    put("last", audit, () => {
      if (!audit) return [made("dd", { class: "none" }, "None yet.")];
      const tally = (each) => `${files(each.files)}, ${size(each.bytes)}`;
      const facts = [
        ["Exit code", audit.exit_code], ["Began", audit.started], ["Took", span(audit.duration_seconds)],
        ["Node", audit.node], ["Run", audit.run], ["Seen", tally(audit.seen)], ["Delivered", tally(audit.delivered)],
        ["Set aside", tally(audit.set_aside)], ["Blocked", tally(audit.blocked)], ["Waiting", tally(audit.waiting)],
        ["Deterministic", audit.deterministic ? "yes" : "NO"], ["Batch digest", audit.batch_digest], ["Codec", audit.codec]];
      return facts.flatMap(([name, value]) => [made("dt", {}, name), made("dd", {}, String(value))]);
    });
  }

  function showEvents(list) {
    put("events", list, () => list.length ? list.map((each) => {
      const kind = { error: "trouble", warn: "care" }[each.level] || "";
      const way = [each.src, each.dst].filter(Boolean).join(" → ");
      return made("li", {}, made("span", { class: "muted" }, each.datetime_utc.slice(11, 19) + " "),
        made("span", { class: `state ${kind}` }, each.event), each.node ? ` ${each.node} ` : " ",
        ...(way ? [code(way), " "] : []), each.message);
    }) : [made("li", { class: "none" }, "None yet.")]);
  }

  // -- the plot

  function drawnNode(name, about, text) {
    const node = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(about)) node.setAttribute(key, value);
    if (text !== undefined) node.textContent = text;
    return node;
  }
  function roundUp(value) {
    if (value <= 4) return 4;
    const power = 10 ** Math.floor(Math.log10(value));
    return [1, 1.2, 1.6, 2, 3, 4, 5, 6, 8, 10].map((each) => each * power).find((each) => each >= value);
  }
  function plot() {
    const host = get("plot"), what = Number(document.querySelector("[name=what]:checked").value);
    const now = Math.floor((view ? view.at : Date.now() / 1000) / 60) * 60;
    const slots = Array.from({ length: MINUTES }, (_, at) => now - (MINUTES - 1 - at) * 60);
    const values = slots.map((at) => (minutes.get(at) || [0, 0, 0])[what]);
    const wide = host.clientWidth, high = host.clientHeight;
    const mark = JSON.stringify([wide, high, now, what, values]);
    if (drawn.get("plot") === mark || !wide) return;
    drawn.set("plot", mark);
    const text = what === 1 ? (count) => number(count) : size;
    const most = roundUp(Math.max(...values));
    const left = 58, bottom = high - 20, top = 10, step = (wide - left) / MINUTES;
    const svg = drawnNode("svg", { width: wide, height: high, "aria-hidden": "true" });
    for (const part of [0, 0.5, 1]) {
      const y = bottom - (bottom - top) * part;
      svg.append(drawnNode("line", { x1: left, x2: wide, y1: y, y2: y }),
        drawnNode("text", { x: left - 6, y: y + 4, "text-anchor": "end" }, text(most * part)));
    }
    values.forEach((value, at) => {
      const tall = Math.max((bottom - top) * value / most, value ? 1.5 : 0);
      const bar = drawnNode("rect", { x: left + at * step, y: bottom - tall, width: Math.max(step - 1.5, 1), height: tall });
      bar.append(drawnNode("title", {}, `${clock(slots[at])}: ${text(value)}`));
      svg.append(bar);
    });
    const marks = wide < 480 ? [0, 30, 59] : [0, 15, 30, 45, 59];
    for (const at of marks) {
      const anchor = at === 0 ? "start" : at === 59 ? "end" : "middle";
      svg.append(drawnNode("text", { x: left + (at + (at === 59 ? 1 : 0)) * step, y: high - 4, "text-anchor": anchor },
        at === 59 ? "now" : clock(slots[at])));
    }
    host.replaceChildren(svg);
    const sum = slots.reduce((all, at) => {
      const each = minutes.get(at) || [0, 0, 0];
      return [all[0] + each[1], all[1] + each[2]];
    }, [0, 0]);
    say("plot-text", `${files(sum[0])}, ${size(sum[1])}, by all nodes, as far as they were watched from here; each bar is a minute.`);
    put("minutes", slots.filter((at) => minutes.has(at)).reverse().map((at) => [clock(at), ...minutes.get(at).slice(1)]),
      (list) => rows(list, ["Minute", "Files", "Bytes"], (each) => [each[0], number(each[1]), size(each[2])], "Nothing yet."));
  }
  function keep(list) {
    // A relay that began anew knows less than was seen here before.
    for (const each of list) {
      const known = minutes.get(each[0]);
      if (!known || each[1] >= known[1]) minutes.set(each[0], each);
    }
    const oldest = view.at - (MINUTES + 1) * 60;
    for (const at of [...minutes.keys()]) if (at < oldest) minutes.delete(at);
  }

  // -- asking, again and again

  function show() {
    const who = view.identity, seen = view.seen;
    say("share", who.share || "paxect-batch");
    say("who", who.run ? `node ${who.node}, ${who.watch ? "watching" : "draining"}, up for ${span(view.uptime_seconds)}` : `looking on, up for ${span(view.uptime_seconds)}`);
    say("version", `paxect-batch ${who.version} (${who.codec})`);
    showVerdict(view.health.wellness, view.health.reasons);
    keep(view.minutes);
    showTiles();
    if (seen) { showNodes(seen); showSetAside(seen); showLast(seen.last_run); }
    showEvents(view.newest.slice(0, 30));
    plot();
  }
  function connected() {
    lostAt = null;
    get("link").className = "muted";
    const age = view.seen ? Math.max(view.at - view.seen.at, 0) : 0;
    say("link", view.seen ? `live; the share as it was ${age < 3 ? "just now" : span(age) + " ago"}` : "live; the share is being looked at");
  }
  function lost(why) {
    lostAt = lostAt || Date.now();
    get("link").className = "lost";
    say("link", `no answer for ${span((Date.now() - lostAt) / 1000)} (${why}); trying again`);
    if (Date.now() - lostAt > EVERY * 2) showVerdict("lost", ["The relay does not answer; what is shown below is old."]);
  }
  async function turn() {
    const abort = new AbortController(), timer = setTimeout(() => abort.abort(), PATIENCE);
    try {
      const headers = token ? { Authorization: `Bearer ${token}` } : {};
      const answer = await fetch("view", { headers, cache: "no-store", signal: abort.signal });
      get("ask").hidden = answer.status !== 401;
      if (answer.status === 401) {
        say("link", "a token is needed");
        say("denied", token ? "That token is not taken." : "");
        return;
      }
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      view = await answer.json();
      show();
      connected();
    } catch (error) {
      lost(error.name === "AbortError" ? "it took too long" : error.message || "no connection");
    } finally {
      clearTimeout(timer);
    }
  }
  async function go() {
    for (;;) {
      await turn();
      await new Promise((done) => setTimeout(done, document.hidden ? EVERY * 5 : EVERY));
    }
  }
  get("ask").addEventListener("submit", (event) => {
    event.preventDefault();
    token = get("token").value.trim();
    try { sessionStorage.setItem("paxect-token", token); } catch { /* for this page only */ }
    get("token").value = "";
    turn();
  });
  for (const each of document.querySelectorAll("[name=what]")) each.addEventListener("change", plot);
  new ResizeObserver(plot).observe(get("plot"));
  go();
})();
