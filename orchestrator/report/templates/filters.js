
/* What of the copies is shown, and how; then everything is drawn for the first time. */

function choice(name, value, label, count) {
  const box = el("input", { type: "checkbox", name, value, checked: "" });
  return el("label", {}, box, label, el("span", { class: "none" }, count.toLocaleString("en")));
}

function chosen(name) {
  return new Set([...document.querySelectorAll(`input[name=${name}]:checked`)].map((box) => box.value));
}

function matching() {
  const [states, regions] = [chosen("state"), chosen("region")];
  const words = byId("by-text").value.toLowerCase().split(/\s+/).filter(Boolean);
  return copies.filter((copy) => states.has(copy.state) && regions.has(copy.region) && words.every((word) => haystack(copy).includes(word)));
}

function redraw() {
  hideTip();
  const shown = matching();
  page.view = byId("by-view").value;
  byId("matching").textContent = shown.length === copies.length ? `All ${some(copies.length)}.` : `${shown.length.toLocaleString("en")} of ${some(copies.length)}.`;
  const table = page.view === "table";
  byId("table").hidden = !table;
  byId("timeline").hidden = byId("legend").hidden = table;
  if (table) drawTable(shown);
  else drawTimeline(shown);
}

function prepareFilters() {
  const counted = (key, value) => copies.filter((copy) => copy[key] === value).length;
  const states = raw.states.filter((state) => counted("state", state));
  byId("by-state").append(...states.map((state) => choice("state", state, stateWord(state), counted("state", state))));
  byId("by-region").append(...[...raw.regions].sort().map((region) => choice("region", region, region, counted("region", region))));
  const form = byId("filters");
  let later = 0;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("change", (event) => {
    if (event.target.id === "by-zone") {
      page.zone = event.target.value;
      showTimes();
    }
    redraw();
  });
  byId("by-text").addEventListener("input", () => {
    clearTimeout(later);
    later = setTimeout(redraw, 120);
  });
  form.addEventListener("reset", () => setTimeout(() => {
    page.zone = "utc";
    showTimes();
    redraw();
  }));
  form.hidden = false;
}

showTimes();
if (copies.length) {
  prepareFilters();
  drawLegend();
  redraw();
} else {
  byId("matching").textContent = "The run wanted no copies.";
}
