
"use strict";

/* The data of this file, and the words for times and states. Foreign text only ever becomes text nodes. */

const raw = JSON.parse(document.getElementById("data").textContent);
const SVG = document.querySelector("svg").namespaceURI;
const WORDS = {
  failed: ["✕", "failed"], doubtful: ["?", "in doubt"], waiting: ["…", "waiting"],
  calling: ["↗", "calling"], copying: ["▸", "copying"], ready: ["✓", "ready"],
};
const page = { zone: "utc", view: "timeline", shown: [] };
const byId = (id) => document.getElementById(id);

function reasonOf(place) {
  const [code, says, advice] = raw.reasons[place];
  return { code, says, advice };
}

function callOf(place) {
  const [id, at, answered, origin, destination, answer, reason, detail, request] = raw.calls[place];
  return { id, at, answered, origin, destination, answer, reason: reason === null ? null : reasonOf(reason), detail, request };
}

function spellsOf(flat) {
  const spells = [];
  for (let place = 0; place < flat.length; place += 3) {
    spells.push({ state: raw.states[flat[place]], since: flat[place + 1], reason: flat[place + 2] });
  }
  spells.forEach((spell, place) => { spell.until = place + 1 < spells.length ? spells[place + 1].since : raw.length; });
  return spells;
}

const copies = raw.copies.map(([image, region, state, reason, detail, made, calls, spells, lineage], number) => {
  const [source, name, family, origin] = raw.images[image];
  return {
    number, source, name, family, origin, rank: state, made, detail, lineage, calls,
    region: raw.regions[region], state: raw.states[state], reason: reasonOf(reason), spells: spellsOf(spells),
  };
});

/* What a text filter looks into, made when it is first asked for. */
function haystack(copy) {
  if (copy.text === undefined) {
    const calls = copy.calls.map((place) => raw.calls[place][0]);
    copy.text = [copy.name, copy.source, copy.family, copy.made, copy.origin, copy.region, copy.state, WORDS[copy.state][1],
      copy.reason.code, copy.reason.says, copy.detail, ...calls, ...copy.lineage].join("\n").toLowerCase();
  }
  return copy.text;
}

/* Seconds from the beginning of its last stay in the cloud's hands to its end; null where it never was. */
function tookOf(copy) {
  const spells = copy.spells.filter((spell) => spell.state === "copying");
  return spells.length ? spells[spells.length - 1].until - spells[spells.length - 1].since : null;
}

function span(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole % 3600 / 60), whole % 60];
  if (hours) return minutes ? `${hours}h ${minutes}m` : `${hours}h`;
  if (minutes) return rest && minutes < 5 ? `${minutes}m ${rest}s` : `${minutes}m`;
  return `${rest}s`;
}

const pad = (number) => String(number).padStart(2, "0");
const dateAt = (offset) => new Date((raw.start + offset) * 1000);

function stamp(date, zone = page.zone) {
  if (Number.isNaN(date.getTime())) return "?";
  if (zone === "utc") return `${date.toISOString().slice(0, 19).replace("T", " ")}Z`;
  const ahead = -date.getTimezoneOffset();
  const offset = `${ahead < 0 ? "-" : "+"}${pad(Math.floor(Math.abs(ahead) / 60))}:${pad(Math.abs(ahead) % 60)}`;
  const day = `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
  return `${day} ${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}${offset}`;
}

function clock(offset) {
  const [, time] = stamp(dateAt(offset)).split(" ");
  return time ? time.slice(0, raw.length < 600 ? 8 : 5) : "?";
}

/* Every time on the page is shown in one zone; its other form is the title. */
function showTimes(root = document) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const date = new Date(time.dateTime);
    time.textContent = stamp(date);
    time.title = stamp(date, page.zone === "utc" ? "local" : "utc");
  }
}

function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children.filter((child) => child !== null));
  return made;
}

function draw(tag, attributes, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function stateWord(state) {
  const [sign, word] = WORDS[state];
  return el("span", { class: `state ${state}` }, el("span", { "aria-hidden": "true" }, sign), ` ${word}`);
}

const some = (number) => `${number.toLocaleString("en")} ${number === 1 ? "copy" : "copies"}`;
