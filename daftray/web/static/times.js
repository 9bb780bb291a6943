// Keeps relative times true while a page is open: <time data-ago datetime="…">. The exact one is its title.
const UNITS = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];

export function ago(at, now) {
  const seconds = Math.floor((now - at) / 1000);
  if (seconds < 5) return "just now";
  const [unit, size] = UNITS.find(([, size]) => seconds >= size);
  return `${Math.floor(seconds / size)} ${unit} ago`;
}

export function duration(seconds) {
  if (seconds < 60) return `${(Math.floor(seconds * 10) / 10).toFixed(1)} s`;
  const whole = Math.floor(seconds);
  const two = (value) => String(value).padStart(2, "0");
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  if (whole < 86400) return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
  return `${Math.floor(whole / 86400)} d ${two(Math.floor((whole % 86400) / 3600))} h`;
}

// The clock here may be wrong: what the page says of the server's time is what counts.
const served = Date.parse(document.body?.dataset.now ?? "") || Date.now();
const skew = served - Date.now();

function tick() {
  const now = Date.now() + skew;
  for (const node of document.querySelectorAll("time[data-ago]")) {
    node.textContent = ago(Date.parse(node.dateTime), now);
  }
  for (const node of document.querySelectorAll("time[data-since]")) {
    node.textContent = duration(Math.max(0, (now - Date.parse(node.dataset.since)) / 1000));
  }
}

setInterval(() => { if (!document.hidden) tick(); }, 1000);
