// Keeps the auction room alive: one stream of server-sent events, the clock by the server's time, the curve, one-key bidding.
"use strict";
(() => {
  const given = document.getElementById("auction-data");
  if (!given) return;
  const data = JSON.parse(given.textContent);
  const words = data.words;
  const by = (id) => document.getElementById(id);
  const clock = window.huangpu.clock;
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const scale = 10 ** data.exponent;
  const format = new Intl.NumberFormat(data.locale, { style: "currency", currency: data.currency });
  const money = (minor) => format.format(minor / scale);  // shown only; what is sent is text
  const plain = (minor) => {
    const digits = String(minor).padStart(data.exponent + 1, "0");
    return data.exponent ? `${digits.slice(0, -data.exponent)}.${digits.slice(-data.exponent)}` : digits;
  };
  const share = new Intl.NumberFormat(data.locale, { style: "percent", maximumFractionDigits: 1 });
  const times = new Intl.DateTimeFormat(data.locale, { timeZone: data.zone, hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
  const time = (ms) => times.format(new Date(ms));
  const exact = (ms) => `${time(ms)}.${String(ms % 1000).padStart(3, "0")}`;
  const set = (id, text) => { const found = by(id); if (found && found.textContent !== text) found.textContent = text; };
  const say = (text) => { by("said").textContent = text; };

  let state = { opens_at: data.opens_at, closes_at: data.closes_at, phase: by("phase").dataset.phase };
  let own = data.own;
  let lastLine = data.sequence;
  let best_ms = Infinity;

  // ---- the clock
  function tick() {
    const now = clock.now();
    set("server-clock", time(now));
    let phase = state.phase;
    if (phase === "scheduled" && now >= state.opens_at) phase = "running";
    if (phase === "running" && now >= state.closes_at) phase = "ending";
    if (phase !== by("phase").dataset.phase) showPhase(phase);
    const until = phase === "scheduled" ? state.opens_at : state.closes_at;
    if (phase === "scheduled" || phase === "running") {
      set("clock-word", phase === "scheduled" ? words.opens_in : words.closes_in);
      set("clock", window.huangpu.left(until - now, "d"));
      by("clock").parentElement.classList.toggle("au-soon", phase === "running" && until - now < 60000);
    } else {
      set("clock", phase === "ending" ? words.over : time(state.closes_at));
    }
  }
  function showPhase(phase) {
    by("phase").dataset.phase = phase;
    const badge = by("phase").querySelector(".hp-status");
    const kinds = { scheduled: "waiting", running: "live", ending: "due", paused: "due", closed: "done", cancelled: "cancelled" };
    badge.className = `hp-status hp-status-${kinds[phase]}`;
    badge.lastChild.textContent = words.phases[phase];
    say(words.phases[phase]);
    if (phase === "closed" || phase === "cancelled" || phase === "paused" || state.seenPause) setTimeout(() => location.reload(), 1500);
    state.seenPause = phase === "paused";
  }

  // ---- the curve
  const points = [[], []];
  let plot = null;
  function drawn() {
    const style = getComputedStyle(document.documentElement);
    const probe = document.createElement("span");
    by("curve").append(probe);
    const colour = (name) => { probe.style.color = `var(${name})`; return getComputedStyle(probe).color; };
    const ink = colour("--hp-ink-2"), line = colour("--hp-line"), river = colour("--hp-river");
    probe.remove();
    const axis = { stroke: ink, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 } };
    const short = new Intl.NumberFormat(data.locale, { notation: "compact", maximumFractionDigits: 2 });
    const options = {
      width: by("curve").clientWidth, height: 260, cursor: { y: false },
      scales: { x: { time: true } },
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1e3), data.zone),
      axes: [{ ...axis, values: (_, ticks) => ticks.map((at) => time(at * 1000)), space: 90 }, { ...axis, size: 74, values: (_, ticks) => ticks.map((value) => short.format(value)) }],
      series: [
        { value: (_, at) => (at == null ? "–" : time(at * 1000)), label: words.time },
        { label: words.lead_axis, stroke: river, width: 2, fill: "transparent", paths: uPlot.paths.stepped({ align: 1 }), points: { show: true, size: 5, fill: river }, value: (_, value) => (value == null ? "–" : format.format(value)) },
      ],
    };
    if (style.fontFamily) options.axes.forEach((one) => { one.font = `12px ${style.fontFamily}`; });
    by("curve").replaceChildren();
    plot = new uPlot(options, series(), by("curve"));
  }
  function series() {
    const now = Math.min(clock.now(), Math.max(state.closes_at, state.opens_at)) / 1000;
    const begin = state.opens_at / 1000, last = points[1].length ? points[1][points[1].length - 1] : data.start / scale;
    return [[begin, ...points[0], Math.max(now, begin + 1)], [data.start / scale, ...points[1], last]];
  }
  function take(curve, whole) {
    if (whole) { points[0].length = 0; points[1].length = 0; }
    for (const [, at, lead] of curve) {
      const x = at / 1000, last = points[0].length ? points[0][points[0].length - 1] : 0;
      if (x > last) { points[0].push(x); points[1].push(lead / scale); }
    }
  }
  function redraw() { if (plot) plot.setData(series()); }

  // ---- what a frame says
  function show(frame, whole) {
    // the offset is that of the frame that came fastest: the others only tell how long they took
    const travelled = Date.now() - frame.now;
    if (travelled < best_ms) { best_ms = travelled; clock.sync(frame.now); }
    const behind = Math.round(best_ms / 100) / 10;
    set("offset", Math.abs(behind) >= 0.5 ? `(${behind > 0 ? "−" : "+"}${Math.abs(behind)} s)` : "");
    if (!whole && frame.extensions > state.extensions) {
      const text = fill(words.extended, { time: time(frame.closes_at) });
      by("notice").hidden = false;
      set("notice-text", text);
      say(text);
    }
    const moved = frame.phase !== state.phase;
    state = { ...frame, seenPause: state.seenPause };
    if (moved && frame.phase !== by("phase").dataset.phase) showPhase(frame.phase);
    set("lead", money(frame.lead));
    set("closes", time(frame.closes_at));
    set("extensions", String(frame.extensions));
    set("saving", `${money(data.start - frame.lead)} (${share.format((data.start - frame.lead) / data.start)})`);
    if (data.budget) {
      set("budget-saving", share.format((data.budget - frame.lead) / data.budget));
      set("budget-amount", money(data.budget - frame.lead));
    }
    if (frame.own) showOwn(frame.own);
    if (frame.standings && by("standings") && frame.phase !== "closed") showStandings(frame.standings);
    showLog(frame.log);
    take(frame.curve, whole && frame.whole);
    redraw();
    tick();
  }
  function showOwn(next) {
    const first = next.rank === 1;
    const before = own;
    own = next;
    set("rank", fill(words.rank_of, { rank: next.rank, count: state.bidders }));
    set("own-amount", money(next.amount));
    by("rank-cell").classList.toggle("au-first", first);
    if (before && before.rank !== next.rank) say(`${words.rank_of.includes("{rank}") ? fill(words.rank_of, { rank: next.rank, count: state.bidders }) : next.rank}`);
    if (by("bid-most")) set("bid-most", next.highest_next > 0 ? money(next.highest_next) : "–");
    const field = by("amount");
    if (field && !armed && document.activeElement !== field && next.highest_next > 0) field.value = plain(next.highest_next);
  }
  function cell(text, kind, tag = "td") {
    const made = document.createElement(tag);
    made.textContent = text;
    if (kind) made.className = kind;
    if (tag === "th") made.scope = "row";
    return made;
  }
  function showStandings(lines) {
    by("standings").replaceChildren(...lines.map((one) => {
      const row = document.createElement("tr");
      row.append(cell(one.rank), cell(fill(words.bidder, { label: one.label }), "", "th"), cell(money(one.amount), "hp-number"), cell(one.sequence || "–", "hp-number"));
      return row;
    }));
  }
  function showLog(lines) {
    for (const one of lines) {
      if (one.sequence <= lastLine) continue;
      lastLine = one.sequence;
      const row = document.createElement("tr");
      row.dataset.sequence = one.sequence;
      const mine = own && data.label === one.label;
      if (mine) row.className = "hp-mine";
      let answer = one.kind === "bid" ? words.reasons[one.reason] : words.kinds[one.kind];
      if (one.leads) answer += ` · ${words.takes_lead}`;
      const who = one.label ? fill(words.bidder, { label: one.label }) : "–";
      row.append(cell(one.sequence, "hp-number"), cell(exact(one.at)), cell(mine ? `${who} (${words.you})` : who), cell(one.amount === null ? "–" : money(one.amount), "hp-number"), cell(answer));
      by("log").prepend(row);
    }
    while (by("log").childElementCount > 200) by("log").lastElementChild.remove();
    if (by("log-empty") && lastLine) by("log-empty").remove();
  }

  // ---- the stream: it comes back by itself, with a fresh pass
  let wait_ms = 500;
  let seen = 0;
  let source = null;
  function link(name) {
    by("connection").dataset.state = name === "connected" ? "live" : name === "lost" ? "lost" : "off";
    set("connection-word", words[name]);
  }
  async function connect() {
    if (state.phase === "closed" || state.phase === "cancelled") return;
    link(wait_ms > 500 ? "lost" : "connecting");
    let address;
    try {
      const answer = await fetch(data.pass, { headers: { Accept: "application/json" }, cache: "no-store" });
      if (!answer.ok) throw new Error(String(answer.status));
      address = (await answer.json()).url;
    } catch (_) { again(); return; }
    source = new EventSource(seen ? `${address}&after=${seen}` : address);
    const heard = (whole) => (event) => {
      wait_ms = 500;
      seen = Number(event.lastEventId);
      link("connected");
      show(JSON.parse(event.data), whole);
    };
    source.addEventListener("snapshot", heard(true));
    source.addEventListener("frame", heard(false));
    source.addEventListener("error", () => { source.close(); again(); });
  }
  function again() {
    link("lost");
    best_ms = Infinity;
    setTimeout(connect, wait_ms * (0.75 + Math.random() / 2));
    wait_ms = Math.min(wait_ms * 1.7, 10000);
  }

  // ---- bidding: Enter arms, Enter again sends, Escape goes back
  const form = by("bid");
  let armed = null;
  function disarm() {
    armed = null;
    by("bid-button").classList.remove("au-armed");
    by("bid-cancel").hidden = true;
    set("bid-word", words.bid.replace("{amount}", "").trim());
  }
  function read() {
    const text = by("amount").value.replace(/[,\s]/g, "");
    return /^\d+(\.\d+)?$/.test(text) ? text : null;
  }
  async function send(text) {
    by("bid-button").setAttribute("aria-busy", "true");
    set("bid-word", words.sending);
    const box = by("bid-answer");
    try {
      const body = new URLSearchParams(new FormData(form));
      body.set("amount", text);
      const answer = await fetch(location.pathname, { method: "POST", body, headers: { Accept: "application/json" } });
      const said = await answer.json();
      if (said.sequence) {
        const values = { sequence: said.sequence, amount: money(said.amount_minor), time: exact(said.at), rank: said.rank, reason: words.reasons[said.reason] };
        box.dataset.answer = said.accepted ? "accepted" : "refused";
        box.textContent = fill(said.accepted ? words.accepted : words.refused, values);
        if (own) showOwn({ ...own, rank: said.rank, amount: said.own_minor, highest_next: said.highest_next_minor });
        set("lead", money(said.leading_minor));
      } else {
        box.dataset.answer = "refused";
        box.textContent = said.detail;
      }
      form.elements.idempotency_key.value = crypto.randomUUID ? crypto.randomUUID() : `${Date.now()}-${Math.random()}`;
    } catch (_) {  // the key stays: sent again, the bid counts once
      box.dataset.answer = "refused";
      box.textContent = words.failed;
    }
    by("bid-button").removeAttribute("aria-busy");
    disarm();
  }
  if (form) {
    by("bid-most").disabled = false;
    const fillMost = () => { if (own && own.highest_next > 0) { by("amount").value = plain(own.highest_next); by("amount").focus(); disarm(); } };
    by("bid-most").addEventListener("click", fillMost);
    by("bid-cancel").addEventListener("click", () => { disarm(); by("amount").focus(); });
    by("amount").addEventListener("input", disarm);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const text = read();
      if (text === null) { by("bid-answer").dataset.answer = "refused"; set("bid-answer", words.unreadable); return; }
      if (armed === text) { armed = null; send(text); return; }
      armed = text;
      by("bid-button").classList.add("au-armed");
      by("bid-cancel").hidden = false;
      const words_now = fill(words.confirm, { amount: format.format(Number(text)) });
      set("bid-word", words_now);
      say(words_now);
    });
    document.addEventListener("keydown", (event) => {
      const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName);
      if (event.key === "Escape" && armed) { disarm(); return; }
      if (event.key.toLowerCase() === "b" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) { event.preventDefault(); fillMost(); }
    });
  }

  drawn();
  new ResizeObserver(() => { if (plot) plot.setSize({ width: by("curve").clientWidth, height: 260 }); }).observe(by("curve"));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawn);
  tick();
  setInterval(tick, 200);
  setInterval(redraw, 2000);
  connect();
})();
