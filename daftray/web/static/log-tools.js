// The bar above a log: search, whose lines are shown, jump to a time, follow, download.
import { DRIVER } from "./log-processes.js";
import { button, element, fieldTime } from "./log-row.js";

const SETTLED_MS = 800;

export class Tools {
  bar;
  #said; #told; #count; #follow; #process; #jump; #time; #choices = -1; #telling = 0;

  // `acts`: search(text), step(by), choose(process), jump(time), follow().
  constructor(acts, { download, name }) {
    const search = element("input", { type: "search", placeholder: "Search the log", maxLength: 1000, ariaLabel: "Search the log" });
    search.dataset.search = "";
    search.addEventListener("input", () => acts.search(search.value));
    search.addEventListener("keydown", (event) => {
      if (event.key === "Enter") acts.step(event.shiftKey ? -1 : 1);
    });
    this.#process = element("select", { ariaLabel: "Lines of" });
    this.#process.addEventListener("change", () => acts.choose(this.#process.value));
    this.#time = element("input", { type: "datetime-local", step: "1", required: true });
    this.#jump = element("form", { className: "log-jump", hidden: true },
      element("label", {}, "Time (UTC) ", this.#time), element("button", { textContent: "Jump" }));
    this.#jump.addEventListener("submit", (event) => {
      event.preventDefault();
      acts.jump(`${this.#time.value}Z`);
    });
    this.#said = element("span", { className: "said" });
    this.#told = element("span", { className: "hidden-label" });
    this.#told.setAttribute("role", "status");
    this.#follow = button("Follow", acts.follow);
    this.#count = element("span", { className: "soft" });
    this.bar = element("div", { className: "log-bar" }, search,
      button("↑", () => acts.step(-1), "Match before"), button("↓", () => acts.step(1), "Next match"), this.#said, this.#told,
      this.#process, this.#jump, this.#follow, this.#count,
      element("a", { href: download, download: name, textContent: "Download" }));
  }

  // Whose lines there are to choose among. The one that is chosen stays.
  offer(processes) {
    if (processes.size === this.#choices) return;
    this.#choices = processes.size;
    const chosen = this.#process.value;
    this.#process.hidden = processes.size === 0;
    this.#process.replaceChildren(option("All lines", ""), option("The driver alone", DRIVER), ...processes.choices().flatMap(group));
    this.#process.value = chosen;
  }

  // Since when lines have come in, in seconds since 1970, where that is known.
  began(seconds) {
    if (!seconds || !this.#jump.hidden) return;
    this.#jump.hidden = false;
    this.#time.min = fieldTime(seconds);
    this.#time.value ||= fieldTime(seconds);
  }

  show({ said, count, of, ended, following }) {
    const lines = of === count ? "" : ` of ${of.toLocaleString("en")}`;
    put(this.#count, `${count.toLocaleString("en")}${lines} ${of === 1 ? "line" : "lines"}${ended ? "" : ", live"}`);
    this.#follow.setAttribute("aria-pressed", String(following));
    put(this.#follow, ended ? "To the end" : "Follow");
    if (put(this.#said, said)) this.#tell(said);
  }

  // What is said changes with each line that comes in; a screen reader says it once it has settled.
  #tell(said) {
    clearTimeout(this.#telling);
    this.#telling = setTimeout(() => put(this.#told, said), SETTLED_MS);
  }
}

function group({ name, labels }) {
  if (labels.length === 1) return [option(labels[0], labels[0])];
  const made = element("optgroup", { label: name || "without a name" });
  if (name) made.append(option(`${name}: all of them`, name));
  made.append(...labels.map((label) => option(label, label)));
  return [made];
}

function option(text, value) {
  return element("option", { textContent: text, value });
}

// Only what has changed; tells whether it has.
function put(node, text) {
  const changed = node.textContent !== text;
  if (changed) node.textContent = text;
  return changed;
}
