
/* The same copies as a table: what the timeline draws, in words. */

const TABLE_LINES = 200;
const HEADS = ["State", "Name", "Source image", "From", "To", "Destination image", "Reason", "Copying took", "Made of", "Last call"];

function tableRowOf(copy) {
  const took = tookOf(copy);
  const call = copy.calls.length ? callOf(copy.calls[copy.calls.length - 1]).id : "–";
  const why = copy.detail ? `${copy.reason.says}: ${copy.detail}` : copy.reason.says;
  return el("tr", {},
    el("td", {}, stateWord(copy.state)),
    el("th", { scope: "row" }, el("bdi", {}, copy.name || "–")),
    el("td", {}, el("code", {}, copy.source)), el("td", {}, copy.origin), el("td", {}, copy.region),
    el("td", {}, copy.made ? el("code", {}, copy.made) : "–"),
    el("td", {}, why),
    el("td", { class: "number" }, took === null ? "–" : span(took)),
    el("td", {}, copy.lineage.length ? copy.lineage.join(" → ") : "the original"),
    el("td", {}, el("code", {}, call)));
}

function drawTable(shown) {
  const body = el("tbody");
  const more = el("button", { class: "more", type: "button" });
  let drawn = 0;
  const next = () => {
    const batch = shown.slice(drawn, drawn + TABLE_LINES);
    body.append(...batch.map(tableRowOf));
    drawn += batch.length;
    more.hidden = drawn >= shown.length;
    more.textContent = `Show ${Math.min(TABLE_LINES, shown.length - drawn)} more of ${shown.length - drawn}`;
  };
  more.addEventListener("click", next);
  next();
  const heads = el("tr", {}, ...HEADS.map((head) => el("th", { scope: "col" }, head)));
  const caption = el("caption", {}, "Copies, those first that ask for attention");
  byId("table").replaceChildren(el("table", {}, caption, el("thead", {}, heads), body), more);
}
