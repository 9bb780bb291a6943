// <log-view api pages attempt name>: a log of any length, of which only the rows in sight are in the page.
import { Filtered, Matches, parts } from "./log-found.js";
import { LogLines } from "./log-lines.js";
import { Processes } from "./log-processes.js";
import { element, row } from "./log-row.js";
import { Rows } from "./log-rows.js";
import { Tools } from "./log-tools.js";

const PATIENCE_MS = 200;

class LogView extends HTMLElement {
  #log; #rows; #tools; #watch;
  #processes = new Processes();
  #matches = new Matches();
  #filtered = null;
  #searching = null; #filtering = null;
  #marked = -1; #note = "";
  #onHash = () => this.#toHash();
  #onResize = () => this.#rows.fit();

  // How many lines there are so far.
  get lines() {
    return this.#log?.count ?? 0;
  }

  async connectedCallback() {
    const [api, pages, attempt, name] = ["api", "pages", "attempt", "name"].map((key) => this.getAttribute(key));
    this.#log = new LogLines({ api, pages, attempt });
    try {
      await this.#log.open();
    } catch (error) {
      return void this.prepend(element("p", { className: "notice bad", textContent: error.message }));
    }
    this.#build({ download: `${api}?attempt=${attempt}`, name });
    this.#processes.add(this.#log.processes);
    this.#log.addEventListener("change", () => this.#rows.draw());
    this.#log.addEventListener("lines", ({ detail: { first, lines } }) => {
      this.#processes.look(lines);
      if (this.#matches.text) this.#matches.take(first, this.#filtered ? this.#ofFilter(lines) : lines);
      this.#filtered?.take(first, lines);
    });
    window.addEventListener("hashchange", this.#onHash);
    window.addEventListener("resize", this.#onResize);
    this.#watch = new ResizeObserver(this.#onResize);
    this.#watch.observe(document.body);
    this.#log.follow();
    if (!this.#toHash()) this.#rows.draw();
  }

  disconnectedCallback() {
    this.#log?.close();
    this.#watch?.disconnect();
    this.#searching?.abort();
    this.#filtering?.abort();
    window.removeEventListener("hashchange", this.#onHash);
    window.removeEventListener("resize", this.#onResize);
  }

  #build(named) {
    const acts = {
      search: (text) => this.#search(text),
      step: (by) => this.#step(by),
      choose: (process) => this.#choose(process),
      jump: (time) => this.#jump(time),
      follow: () => this.#rows.follow(),
    };
    this.#tools = new Tools(acts, named);
    this.#rows = new Rows({ list: this.#log, made: (at) => this.#made(at), drawn: () => this.#say() });
    this.replaceChildren(this.#tools.bar, this.#rows.box);
  }

  // `#L120` is a line, `#T2026-01-31T10:30:00Z` the first one that came in then.
  #toHash() {
    const [, line, time] = /^#(?:L(\d{1,12})|T([0-9T:.Z+-]{10,40}))$/.exec(decodeURIComponent(location.hash)) ?? [];
    if (line) this.#mark(Number(line) - 1);
    else if (time) this.#jump(time);
    return Boolean(line || time);
  }

  #mark(line) {
    this.#marked = line;
    this.#rows.reveal(this.#rows.list.rowOf(line));
  }

  async #jump(time) {
    this.#note = "";
    try {
      const line = await this.#log.since(time);
      if (line === undefined) {
        this.#note = "No line came in so late.";
        this.#rows.follow();
      } else this.#mark(line);
    } catch (error) {
      this.#note = error.message;
      this.#rows.draw();
    }
  }

  async #search(text) {
    this.#searching?.abort();
    const turn = (this.#searching = new AbortController());
    await new Promise((done) => setTimeout(done, PATIENCE_MS));
    if (turn.signal.aborted) return;
    this.#note = "";
    const matches = (this.#matches = new Matches(text));
    if (this.#filtered) matches.within(this.#filtered);
    else if (text) await this.#fill(matches, { q: text }, turn);
    this.#rows.draw();
  }

  // Shows the lines of one process alone, or all of them again, around the line that was in sight.
  async #choose(process) {
    this.#filtering?.abort();
    const turn = (this.#filtering = new AbortController()), { list, following, top } = this.#rows;
    const line = list.count ? list.number(Math.min(top, list.count - 1)) ?? 0 : 0;
    this.#filtered = process ? new Filtered(process) : null;
    const shown = this.#filtered ?? this.#log;
    this.#rows.show(shown, following ? undefined : shown.rowOf(line));
    if (this.#filtered) await this.#fill(this.#filtered, { process }, turn);
    if (turn.signal.aborted) return;
    if (!following) this.#rows.go(shown.rowOf(line));
    if (this.#matches.text) this.#search(this.#matches.text);
  }

  async #fill(found, query, turn) {
    try {
      await found.fill(parts(this.#log.address("lines", query), turn.signal), () => this.#rows.draw());
    } catch (error) {
      if (!turn.signal.aborted) this.#note = error.message;
    }
    this.#rows.draw();
  }

  #ofFilter(lines) {
    return lines.map((line) => (this.#filtered.fits(line) ? line : ""));
  }

  #step(by) {
    const { list, top } = this.#rows;
    const line = this.#matches.step(by, list.number(top) ?? 0);
    if (line !== undefined) this.#mark(line);
  }

  #made(at) {
    const { list } = this.#rows, line = list.number(at), held = list.at(at);
    const sought = this.#matches.text, isMarked = line === this.#marked;
    const make = () => row({ line, held, at: this.#log.timeOf(line), sought, isMarked });
    return { what: [line, held, sought, isMarked], make };
  }

  #say() {
    const { list, following } = this.#rows;
    const short = this.#filtered?.more ? "These are not all lines: there are too many to show." : "";
    const said = [this.#note || this.#matches.say(), this.#filtered && !this.#filtered.done && !this.#note ? "Looking …" : short];
    this.#tools.offer(this.#processes);
    this.#tools.began(this.#log.began);
    this.#tools.show({
      said: said.filter(Boolean).join(" "), count: list.count, of: this.#log.count, ended: this.#log.ended, following,
    });
  }
}

customElements.define("log-view", LogView);
