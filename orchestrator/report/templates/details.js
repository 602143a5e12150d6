
/* All that is known of one copy: beside the pointer and for the focused row, and open below it on request. */

function factsOf(copy, whole) {
  const facts = [
    ["Name", copy.name ? el("bdi", {}, copy.name) : "not known"],
    ["Source image", `${copy.source} (${copy.origin})`],
    ["Destination image", copy.made ? `${copy.made} (${copy.region})` : `none yet (${copy.region})`],
    ["State", stateWord(copy.state)],
    ["Reason", `${copy.reason.says} (${copy.reason.code})`],
  ];
  if (copy.reason.advice && copy.state !== "ready") facts.push(["What to do", copy.reason.advice]);
  if (copy.detail) facts.push(["Details", copy.detail]);
  if (copy.lineage.length) facts.push(["Made of", copy.lineage.join(" → ")]);
  if (copy.calls.length) facts.push(["Call", whole ? listed(copy.calls.map(callWords)) : callWords(copy.calls[copy.calls.length - 1])]);
  if (whole && copy.spells.length) facts.push(["Course", listed(copy.spells.map(spellWords))]);
  return el("dl", {}, ...facts.flatMap(([term, fact]) => [el("dt", {}, term), el("dd", {}, fact)]));
}

function listed(lines) {
  return lines.length === 1 ? lines[0] : el("ul", {}, ...lines.map((line) => el("li", {}, line)));
}

function callWords(place) {
  const call = callOf(place);
  const answer = call.answer || "no answer yet";
  const why = call.reason ? `, ${call.reason.says} (${call.reason.code})` : "";
  const took = call.answered === null ? "" : ` after ${span(call.answered - call.at)}`;
  const request = call.request ? `, request ${call.request}` : "";
  return `${call.id} at ${stamp(dateAt(call.at))} from ${call.origin}: ${answer}${took}${why}${request}`;
}

function spellWords(spell) {
  return `${stamp(dateAt(spell.since))} ${WORDS[spell.state][1]} for ${span(spell.until - spell.since)}, ${reasonOf(spell.reason).says}`;
}

const tip = byId("tip");
let described = null;

function showTip(row, copy) {
  hideTip();
  tip.replaceChildren(factsOf(copy, false));
  tip.hidden = false;
  described = row;
  row.setAttribute("aria-describedby", "tip");
  const [at, own] = [row.getBoundingClientRect(), tip.getBoundingClientRect()];
  const above = at.bottom + own.height + 8 > window.innerHeight && at.top > own.height + 8;
  tip.style.top = `${above ? at.top - own.height - 4 : at.bottom + 4}px`;
  tip.style.left = `${Math.max(8, Math.min(at.left + at.width * 0.3, window.innerWidth - own.width - 8))}px`;
}

function hideTip() {
  if (described) described.removeAttribute("aria-describedby");
  described = null;
  tip.hidden = true;
}

function toggleDetails(row, copy) {
  hideTip();
  const open = row.getAttribute("aria-expanded") === "true";
  row.setAttribute("aria-expanded", String(!open));
  if (open) row.nextElementSibling.remove();
  else row.after(el("div", { class: "details" }, factsOf(copy, true)));
}

document.addEventListener("keydown", (event) => { if (event.key === "Escape") hideTip(); });
document.addEventListener("scroll", hideTip, { passive: true, capture: true });
