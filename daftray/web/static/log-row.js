// Elements of a log's page: a line as a row, with its colours and what of it is sought.
import { pieces } from "./ansi.js";

const LONGEST = 4000;

export function element(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

export function button(text, act, label) {
  const made = element("button", { type: "button", textContent: text });
  if (label) Object.assign(made, { title: label, ariaLabel: label });
  made.addEventListener("click", act);
  return made;
}

// A time in seconds since 1970 as people read it, and as a field of a form takes it.
export function clock(seconds) {
  return `${fieldTime(seconds).replace("T", " ")} UTC`;
}

export function fieldTime(seconds) {
  return new Date(seconds * 1000).toISOString().slice(0, 19);
}

// `line` is the number from zero on, `held` its text or nothing yet, `at` when it came in, if that is known.
export function row({ line, held, at, sought, isMarked }) {
  const number = element("a", { className: "log-at", href: `#L${line + 1}`, textContent: String(line + 1), tabIndex: -1 });
  if (at) number.title = `Came in at about ${clock(at)}`;
  const text = element("span", { className: held === undefined ? "log-text soft" : "log-text" });
  text.append(...(held === undefined ? ["…"] : shown(held, sought)));
  return element("div", { className: isMarked ? "log-row marked" : "log-row" }, number, text);
}

function shown(line, sought) {
  const visible = line.replace(/\r+$/, "").split("\r").at(-1); // what a progress bar shows in the end
  const cut = visible.slice(0, LONGEST);
  const nodes = pieces(cut).flatMap(({ text, classes }) => {
    const parts = marked(text, sought);
    return classes ? [element("span", { className: classes }, ...parts)] : parts;
  });
  if (visible.length > cut.length) {
    nodes.push(element("span", { className: "soft", textContent: ` … ${visible.length - cut.length} more characters` }));
  }
  return nodes;
}

function marked(text, sought) {
  if (!sought) return [text];
  const parts = [];
  const lower = text.toLowerCase(), needle = sought.toLowerCase();
  if (lower.length !== text.length) return [text]; // a character that has another length in lower case
  let from = 0;
  for (let at = lower.indexOf(needle); at >= 0; at = lower.indexOf(needle, from)) {
    parts.push(text.slice(from, at), element("mark", { textContent: text.slice(at, at + needle.length) }));
    from = at + needle.length;
  }
  return [...parts, text.slice(from)];
}
