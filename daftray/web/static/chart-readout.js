// Reads charts out: a line and the time and amount at the pointer, or at the arrow keys where one has the focus.
// The page is made anew under it every few seconds, so nothing is kept but which chart, and which time.
const WIDTH = 600;
let shown = null; // {chart, offset, held}: an id, seconds since the chart's start, whether the focus holds it

export function figuresOf(text) {
  return text.split(" ").filter(Boolean).map((pair) => pair.split(":").map(Number));
}

export function nearest(figures, offset) {
  let best = 0;
  figures.forEach(([at], number) => { if (Math.abs(at - offset) < Math.abs(figures[best][0] - offset)) best = number; });
  return best;
}

export function amount(value) {
  return new Intl.NumberFormat("en-US", { maximumSignificantDigits: 4 }).format(value);
}

function show() {
  const figure = shown && document.getElementById(shown.chart);
  const canvas = figure?.querySelector(".canvas");
  if (!canvas) return;
  const figures = figuresOf(canvas.dataset.figures ?? "");
  if (!figures.length) return;
  const number = nearest(figures, shown.offset), [offset, value] = figures[number];
  const whole = figures.at(-1)[0] || 1;
  const at = new Date(Date.parse(canvas.dataset.start) + offset * 1000);
  const text = `${at.toISOString().slice(0, 19).replace("T", " ")} UTC: ${amount(value)}`;
  const line = figure.querySelector(".cursor");
  for (const end of ["x1", "x2"]) line.setAttribute(end, (offset / whole * WIDTH).toFixed(1));
  line.setAttribute("visibility", "visible");
  figure.querySelector(".readout").textContent = text;
  canvas.setAttribute("aria-valuenow", String(number));
  canvas.setAttribute("aria-valuetext", text);
}

function hide() {
  const figure = shown && document.getElementById(shown.chart);
  shown = null;
  figure?.querySelector(".cursor")?.setAttribute("visibility", "hidden");
  const readout = figure?.querySelector(".readout");
  if (readout) readout.textContent = "Times are UTC.";
}

function look(canvas, offset, held) {
  const chart = canvas.closest("figure").id;
  if (shown && shown.chart !== chart) hide();
  shown = { chart, offset, held };
  show();
}

function atPointer(event) {
  const canvas = event.target.closest?.(".chart .canvas");
  if (!canvas) {
    if (shown && !shown.held) hide();
    return;
  }
  const box = canvas.getBoundingClientRect(), figures = figuresOf(canvas.dataset.figures ?? "");
  if (figures.length) look(canvas, (event.clientX - box.left) / (box.width || 1) * figures.at(-1)[0], document.activeElement === canvas);
}

const STEPS = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10, Home: -Infinity, End: Infinity };

function atKey(event) {
  const canvas = event.target.closest?.(".chart .canvas"), step = STEPS[event.key];
  if (!canvas || step === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
  const figures = figuresOf(canvas.dataset.figures ?? "");
  if (!figures.length) return;
  const from = shown ? nearest(figures, shown.offset) : figures.length - 1;
  look(canvas, figures[Math.min(figures.length - 1, Math.max(0, from + step))][0], true);
  event.preventDefault();
}

if (globalThis.document) {
  document.addEventListener("pointermove", atPointer);
  document.addEventListener("pointerdown", atPointer);
  document.documentElement.addEventListener("pointerleave", () => { if (shown && !shown.held) hide(); });
  document.addEventListener("keydown", atKey);
  document.addEventListener("focusin", ({ target }) => {
    const canvas = target.closest?.(".chart .canvas");
    if (canvas && !(shown && shown.chart === canvas.closest("figure").id)) look(canvas, figuresOf(canvas.dataset.figures ?? "").at(-1)?.[0] ?? 0, true);
  });
  document.addEventListener("focusout", (event) => { if (event.target.closest?.(".chart .canvas")) hide(); });
  document.addEventListener("live-change", show);
}
