
/* A lane per destination, in it a line per copy; copies of one family are one line until it is opened. */

const LINES = 100;
const SLICES = 80;
const HEIGHTS = { waiting: [6, 4], calling: [3, 10], copying: [1, 14], doubtful: [1, 14], ready: [5, 6], failed: [1, 14] };

/* Each state has its own height and texture, so that the bars can be read without colour. */
function block(state, x, width) {
  const [y, height] = HEIGHTS[state];
  const place = { x: x.toFixed(1), y, width: Math.max(width, 2).toFixed(1), height };
  const parts = [draw("rect", { class: state, ...place })];
  if (state === "failed" || state === "doubtful") parts.push(draw("rect", { class: `over-${state}`, ...place }));
  return parts;
}

const canvas = (...parts) =>
  draw("svg", { class: "bar", viewBox: "0 0 1000 16", preserveAspectRatio: "none", "aria-hidden": "true" }, ...parts);

function barOf(copy) {
  const scale = 1000 / raw.length;
  return canvas(...copy.spells.flatMap((s) => block(s.state, Math.min(s.since * scale, 998), (s.until - s.since) * scale)));
}

/* Many copies at once: in every slice of the night, how many were in which state. */
function crowdOf(members) {
  const slices = Array.from({ length: SLICES }, () => new Array(raw.states.length).fill(0));
  const places = Object.fromEntries(raw.states.map((state, place) => [state, place]));
  for (const copy of members) {
    for (const spell of copy.spells) {
      const last = Math.min(SLICES - 1, Math.ceil(spell.until / raw.length * SLICES - 0.5) - 1);
      for (let n = Math.max(0, Math.ceil(spell.since / raw.length * SLICES - 0.5)); n <= last; n += 1) slices[n][places[spell.state]] += 1;
    }
  }
  const paths = raw.states.map(() => "");
  const width = 1000 / SLICES;
  slices.forEach((counts, n) => {
    let top = 16;
    counts.forEach((count, state) => {
      const height = 16 * count / members.length;
      top -= height;
      if (count) paths[state] += `M${(n * width).toFixed(1)} ${top.toFixed(2)}h${width}v${height.toFixed(2)}h-${width}z`;
    });
  });
  const textured = (state) => ["failed", "doubtful"].includes(state) ? [state, `over-${state}`] : [state];
  const drawn = (d, state) => textured(raw.states[state]).map((name) => draw("path", { class: name, d }));
  return canvas(...paths.flatMap((d, state) => d ? drawn(d, state) : []));
}

function howOf(copy) {
  const took = tookOf(copy);
  const [sign, word] = WORDS[copy.state];
  return el("span", { class: "how" }, el("span", { class: `state ${copy.state}` }, el("span", { "aria-hidden": "true" }, sign), ` ${word}`),
    took === null ? null : `, ${span(took)}`);
}

function rowOf(copy) {
  const who = el("bdi", { class: "who" }, copy.name || copy.source);
  const row = el("button", { class: "row", type: "button", "aria-expanded": "false", tabindex: "-1" }, who, barOf(copy), howOf(copy));
  row.addEventListener("click", () => toggleDetails(row, copy));
  row.addEventListener("focus", () => { if (row.matches(":focus-visible") && row.getAttribute("aria-expanded") === "false") showTip(row, copy); });
  row.addEventListener("blur", hideTip);
  row.addEventListener("mouseenter", () => { if (row.getAttribute("aria-expanded") === "false") showTip(row, copy); });
  row.addEventListener("mouseleave", hideTip);
  return row;
}

function tally(members) {
  const counts = raw.states.map((state) => [state, members.filter((copy) => copy.state === state).length]);
  return counts.filter(([, count]) => count).map(([state, count]) => `${count} ${WORDS[state][1]}`).join(", ");
}

function familyOf(members) {
  const worst = members.reduce((rank, copy) => Math.min(rank, copy.rank), raw.states.length);
  const how = el("span", { class: "how" }, el("span", { class: `state ${raw.states[worst]}`, "aria-hidden": "true" }, WORDS[raw.states[worst]][0]), ` ${tally(members)}`);
  how.title = tally(members);
  const summary = el("summary", {}, el("bdi", { class: "who" }, `${members[0].family} × ${members.length}`), crowdOf(members), how);
  return opening(el("details", { class: "family" }, summary), () => linesOf(members.map((copy) => () => rowOf(copy))));
}

/* Fill a <details> when it is first opened: what nobody looks at is not drawn. */
function opening(details, fill) {
  let filled = false;
  details.addEventListener("toggle", () => {
    if (!details.open || filled) return;
    filled = true;
    details.append(...[fill()].flat());
  });
  return details;
}

/* The first lines of a list, and a button for the next ones. */
function linesOf(makers) {
  const items = el("ul", { class: "items" });
  const more = el("button", { class: "more", type: "button" });
  let drawn = 0;
  const next = () => {
    const batch = makers.slice(drawn, drawn + LINES).map((make) => el("li", {}, make()));
    items.append(...batch);
    const first = batch[0] && batch[0].querySelector(".row, summary");
    if (first && drawn) first.focus();
    drawn += batch.length;
    more.hidden = drawn >= makers.length;
    more.textContent = `Show ${Math.min(LINES, makers.length - drawn)} more of ${makers.length - drawn}`;
    const row = items.querySelector(".row");
    if (row && !items.querySelector(".row[tabindex='0']")) row.tabIndex = 0;
  };
  more.addEventListener("click", next);
  next();
  return [items, more];
}

function axisOf() {
  const ticks = el("div", { class: "ticks" });
  for (const part of [0, 0.25, 0.5, 0.75, 1]) {
    const tick = el("span", {}, clock(raw.length * part));
    tick.style.left = `${part * 100}%`;
    ticks.append(tick);
  }
  const zone = el("span", {}, page.zone === "utc" ? "UTC" : "local time");
  return el("div", { class: "axis", "aria-hidden": "true" }, zone, ticks, el("span"));
}

function makersOf(members) {
  const families = new Map();
  for (const copy of members) {
    if (!families.has(copy.family)) families.set(copy.family, []);
    families.get(copy.family).push(copy);
  }
  const groups = [...families.values()];
  const rank = (group) => group.reduce((least, copy) => Math.min(least, copy.rank), raw.states.length);
  const sorted = groups.map((group) => [rank(group), group]).sort(([a], [b]) => a - b).map(([, group]) => group);
  return sorted.map((group) => () => group.length === 1 ? rowOf(group[0]) : familyOf(group));
}

function laneOf(region, members, open) {
  const summary = el("summary", {}, region, el("span", { class: "tally" }, `${some(members.length)}: ${tally(members)}`));
  const lane = opening(el("details", { class: "lane" }, summary), () => el("div", { class: "body" }, axisOf(), ...linesOf(makersOf(members))));
  lane.open = open;
  return lane;
}

function drawTimeline(shown) {
  const lanes = new Map([...raw.regions].sort().map((region) => [region, []]));
  for (const copy of shown) lanes.get(copy.region).push(copy);
  const filled = [...lanes].filter(([, members]) => members.length);
  const open = filled.length === 1 || shown.length <= 2000;
  byId("timeline").replaceChildren(...filled.map(([region, members]) => laneOf(region, members, open)));
}

function drawLegend() {
  const parts = raw.states.map((state) => {
    const icon = draw("svg", { viewBox: "0 0 48 16", "aria-hidden": "true" }, ...block(state, 0, 48));
    return el("li", {}, icon, WORDS[state][1]);
  });
  byId("legend").replaceChildren(...parts, el("li", { class: "keys" }, "Arrow keys go from line to line, Enter opens the details."));
}

/* Arrow keys go from line to line; one row of each list is in the order of the Tab key. */
byId("timeline").addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const from = event.target.closest(".row, summary");
  if (!step || !from) return;
  const lines = [...byId("timeline").querySelectorAll(".row, summary")].filter((line) => line.checkVisibility());
  const to = lines[lines.indexOf(from) + step];
  if (!to) return;
  event.preventDefault();
  to.focus();
});
byId("timeline").addEventListener("focusin", (event) => {
  const row = event.target.closest(".row");
  if (!row) return;
  for (const other of row.closest(".items").querySelectorAll(".row[tabindex='0']")) other.tabIndex = -1;
  row.tabIndex = 0;
});
