// <log-view api index attempt name>: a log of any length, of which only the rows in sight are in the page.
import { pieces } from "./ansi.js";
import { LogLines, Matches } from "./log-lines.js";

const ROW = 20; // px, as in log.css
const TALLEST = 8e6; // px: browsers place nothing exactly much further down
const LONGEST = 4000;

class LogView extends HTMLElement {
  #log; #box; #space; #rows; #count; #followButton; #said;
  #matches = new Matches();
  #searching = null;
  #top = 0; #own = -1; #drawing = 0; #following = true; #marked = -1;
  #onHash = () => this.#toHash();
  #onResize = () => this.#fit();

  async connectedCallback() {
    const [api, index, attempt] = ["api", "index", "attempt"].map((name) => this.getAttribute(name));
    this.#log = new LogLines({ api, index, attempt });
    try {
      await this.#log.open();
    } catch (error) {
      return void this.prepend(element("p", { className: "notice bad", textContent: error.message }));
    }
    this.#build(`${api}?attempt=${attempt}`);
    this.#log.addEventListener("change", () => this.#draw());
    this.#log.addEventListener("line", ({ detail }) => this.#matches.take(detail.line, detail.message));
    window.addEventListener("hashchange", this.#onHash);
    window.addEventListener("resize", this.#onResize);
    new ResizeObserver(() => this.#fit()).observe(document.body);
    this.#log.follow();
    if (!this.#toHash()) this.#draw();
  }

  disconnectedCallback() {
    this.#log?.close();
    window.removeEventListener("hashchange", this.#onHash);
    window.removeEventListener("resize", this.#onResize);
  }

  #build(download) {
    const search = element("input", { type: "search", placeholder: "Search the log", maxLength: 1000 });
    search.setAttribute("aria-label", "Search the log");
    search.dataset.search = "";
    search.addEventListener("input", () => this.#search(search.value));
    search.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.#step(event.shiftKey ? -1 : 1);
    });
    this.#said = element("span", { className: "said" });
    this.#said.setAttribute("role", "status");
    this.#followButton = button("Follow", () => { this.#following = true; this.#draw(); });
    this.#count = element("span", { className: "soft" });
    const bar = element("div", { className: "log-bar" });
    bar.append(search, button("↑", () => this.#step(-1), "Match before"), button("↓", () => this.#step(1), "Next match"),
      this.#said, this.#followButton, this.#count,
      element("a", { href: download, download: this.getAttribute("name"), textContent: "Download" }));
    this.#rows = element("div", { className: "log-rows" });
    this.#space = element("div", { className: "log-space" });
    this.#space.append(this.#rows);
    this.#box = element("div", { className: "log-box", tabIndex: 0 });
    this.#box.setAttribute("role", "region");
    this.#box.setAttribute("aria-label", "Log");
    this.#box.append(this.#space);
    this.#box.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.#box.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    this.#box.addEventListener("keydown", (event) => this.#key(event));
    this.replaceChildren(bar, this.#box);
  }

  // Down to the end of the window, whatever is above.
  #fit() {
    const room = window.innerHeight - (this.#box.getBoundingClientRect().top + window.scrollY) - 66;
    const height = `${Math.max(256, Math.round(room))}px`;
    if (this.#box.style.height !== height) this.#box.style.height = height;
    this.#draw();
  }

  get #seen() {
    return Math.max(1, Math.floor(this.#box.clientHeight / ROW));
  }

  get #last() {
    return Math.max(0, this.#log.count - this.#seen);
  }

  get #scaled() {
    return this.#log.count * ROW > TALLEST;
  }

  // Where the box is scrolled to while a line is the first in sight, and the other way round.
  #scrollOf(line) {
    const room = this.#space.offsetHeight - this.#box.clientHeight;
    return this.#scaled ? (line / (this.#last || 1)) * room : line * ROW;
  }

  #lineOf(scroll) {
    const room = this.#space.offsetHeight - this.#box.clientHeight;
    return this.#scaled ? (scroll / (room || 1)) * this.#last : scroll / ROW;
  }

  #scrolled() {
    if (Math.abs(this.#box.scrollTop - this.#own) < 1) return;
    this.#top = this.#lineOf(this.#box.scrollTop);
    this.#following = this.#top >= this.#last - 1;
    this.#own = -1;
    this.#draw();
  }

  #wheel(event) {
    if (!this.#scaled || event.ctrlKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) return;
    event.preventDefault();
    this.#go(this.#top + event.deltaY / ROW);
  }

  #key(event) {
    const steps = { ArrowUp: -1, ArrowDown: 1, PageUp: 1 - this.#seen, PageDown: this.#seen - 1, Home: -Infinity, End: Infinity };
    if (!(event.key in steps) || event.target !== this.#box) return;
    event.preventDefault();
    this.#go(this.#top + steps[event.key]);
  }

  #go(line) {
    this.#top = Math.min(Math.max(0, line), this.#last);
    this.#following = this.#top >= this.#last;
    this.#draw();
  }

  #toHash() {
    const match = /^#L(\d{1,12})$/.exec(location.hash);
    if (!match) return false;
    this.#marked = Number(match[1]) - 1;
    this.#show(this.#marked);
    return true;
  }

  #show(line) {
    if (line >= this.#top && line < this.#top + this.#seen - 1) return this.#draw();
    this.#go(line - Math.floor(this.#seen / 2));
  }

  async #search(text) {
    this.#searching?.abort();
    const turn = (this.#searching = new AbortController());
    await new Promise((done) => setTimeout(done, 200));
    if (turn.signal.aborted) return;
    try {
      this.#matches.begin(text, text ? await this.#log.search(text, turn.signal) : { lines: [], more: false });
    } catch (error) {
      if (!turn.signal.aborted) this.#said.textContent = error.message;
      return;
    }
    this.#draw();
  }

  #step(by) {
    const line = this.#matches.step(by);
    if (line === undefined) return;
    this.#marked = line;
    this.#show(line);
  }

  #draw() {
    this.#drawing ||= requestAnimationFrame(() => {
      this.#drawing = 0;
      this.#paint();
    });
  }

  #paint() {
    const { count } = this.#log;
    this.#space.style.height = `${Math.min(count * ROW, TALLEST)}px`;
    if (this.#following) this.#top = this.#last;
    const scroll = this.#scrollOf(this.#top);
    if (Math.abs(this.#box.scrollTop - scroll) >= 1) this.#box.scrollTop = scroll;
    this.#own = this.#box.scrollTop;
    const first = Math.floor(this.#top);
    const rows = [];
    for (let line = first; line < Math.min(count, first + this.#seen + 2); line += 1) rows.push(this.#row(line));
    this.#rows.replaceChildren(...rows);
    this.#rows.style.transform = this.#top === this.#last ? "" : `translateY(${-Math.round((this.#top - first) * ROW)}px)`;
    this.#count.textContent = `${count.toLocaleString("en")} ${count === 1 ? "line" : "lines"}${this.#log.ended ? "" : ", live"}`;
    this.#followButton.setAttribute("aria-pressed", String(this.#following));
    this.#followButton.textContent = this.#log.ended ? "To the end" : "Follow";
    this.#said.textContent = this.#matches.say();
  }

  #row(line) {
    const row = element("div", { className: line === this.#marked ? "log-row marked" : "log-row" });
    const number = element("a", { className: "log-at", href: `#L${line + 1}`, textContent: String(line + 1), tabIndex: -1 });
    const text = element("span", { className: "log-text" });
    const held = this.#log.at(line);
    if (held === undefined) text.className = "log-text soft";
    text.append(...(held === undefined ? ["…"] : shown(held, this.#matches.text)));
    row.append(number, text);
    return row;
  }
}

function shown(line, sought) {
  const visible = line.replace(/\r+$/, "").split("\r").at(-1); // what a progress bar shows in the end
  const cut = visible.slice(0, LONGEST);
  const nodes = pieces(cut).flatMap(({ text, classes }) => {
    const parts = marked(text, sought);
    if (!classes) return parts;
    const span = element("span", { className: classes });
    span.append(...parts);
    return [span];
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
  let from = 0;
  for (let at = lower.indexOf(needle); at >= 0; at = lower.indexOf(needle, from)) {
    parts.push(text.slice(from, at), element("mark", { textContent: text.slice(at, at + needle.length) }));
    from = at + needle.length;
  }
  return [...parts, text.slice(from)];
}

function element(tag, properties) {
  return Object.assign(document.createElement(tag), properties);
}

function button(text, act, label) {
  const made = element("button", { type: "button", textContent: text });
  if (label) Object.assign(made, { title: label, ariaLabel: label });
  made.addEventListener("click", act);
  return made;
}

customElements.define("log-view", LogView);
