// A log of any length: knows where its lines begin, holds the parts that were looked at last, and grows.
//
// The index names a line about every 256 KiB, so what lies between two of them is asked for by a byte range.
// What comes in while the run goes on fills a part of its own, which joins the others once it is full.
const HELD = 48;
const FULL = 2000;
const LONGEST_PART = 4 << 20;
const MOST_MATCHES = 1000;

export class LogLines extends EventTarget {
  #api; #indexUrl; #attempt;
  #marks = []; // {line, offset}, in order
  #held = new Map(); // number of a part -> its lines; the one used last is the last
  #asked = new Set();
  #live = { line: 0, offset: 0, lines: [], end: 0 };
  #source = null;
  ended = false;

  constructor({ api, index, attempt }) {
    super();
    this.#api = api;
    this.#indexUrl = index;
    this.#attempt = attempt;
  }

  get count() {
    return this.#live.line + this.#live.lines.length;
  }

  async open() {
    const answer = await fetch(`${this.#indexUrl}?attempt=${this.#attempt}`);
    if (!answer.ok) throw new Error(`The log cannot be read: ${answer.status}`);
    const { lines, end, marks } = await answer.json();
    this.#marks = lines ? marks.map(([line, offset]) => ({ line, offset })) : [];
    this.#live = { line: lines, offset: end, lines: [], end };
  }

  // The line of a number from zero on; nothing while it is on its way.
  at(line) {
    if (line >= this.#live.line) return this.#live.lines[line - this.#live.line];
    const part = this.#partOf(line);
    const lines = this.#held.get(part);
    if (!lines) return void this.#load(part);
    this.#held.delete(part);
    this.#held.set(part, lines);
    return lines[line - this.#marks[part].line] ?? "";
  }

  follow() {
    this.#source = new EventSource(`${this.#api}/tail?from=${this.#live.offset}&attempt=${this.#attempt}`);
    this.#source.onmessage = (event) => this.#grow(JSON.parse(event.data).message, Number(event.lastEventId));
    this.#source.addEventListener("end", () => {
      this.ended = true;
      this.close();
      this.#tell();
    });
  }

  close() {
    this.#source?.close();
  }

  async search(text, signal) {
    const query = new URLSearchParams({ q: text, attempt: this.#attempt });
    const answer = await fetch(`${this.#api}?${query}`, { signal });
    if (!answer.ok) throw new Error("The log cannot be searched now.");
    const { matches, more } = await answer.json();
    return { lines: matches.map((match) => match.line - 1), more };
  }

  #grow(message, end) {
    this.#live.lines.push(message);
    this.#live.end = end;
    this.dispatchEvent(new CustomEvent("line", { detail: { line: this.count - 1, message } }));
    if (this.#live.lines.length >= FULL) this.#seal();
    this.#tell();
  }

  #seal() {
    const { line, offset, lines, end } = this.#live;
    this.#marks.push({ line, offset });
    this.#hold(this.#marks.length - 1, lines);
    this.#live = { line: line + lines.length, offset: end, lines: [], end };
  }

  #partOf(line) {
    let low = 0, high = this.#marks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#marks[middle].line <= line) low = middle; else high = middle - 1;
    }
    return low;
  }

  async #load(part) {
    if (this.#asked.has(part)) return;
    this.#asked.add(part);
    try {
      const { offset } = this.#marks[part];
      const end = Math.min(this.#marks[part + 1]?.offset ?? this.#live.offset, offset + LONGEST_PART);
      const headers = { range: `bytes=${offset}-${end - 1}` };
      const answer = await fetch(`${this.#api}?attempt=${this.#attempt}`, { headers });
      if (!answer.ok) throw new Error(String(answer.status));
      const lines = (await answer.text()).split("\n");
      if (lines.at(-1) === "") lines.pop();
      this.#hold(part, lines);
      this.#asked.delete(part);
      this.#tell();
    } catch {
      setTimeout(() => { this.#asked.delete(part); this.#tell(); }, 2000);
    }
  }

  #hold(part, lines) {
    this.#held.set(part, lines);
    for (const oldest of this.#held.keys()) {
      if (this.#held.size <= HELD) break;
      this.#held.delete(oldest);
    }
  }

  #tell() {
    this.dispatchEvent(new Event("change"));
  }
}

// Which lines hold a text: those that the server found, and those that come in after.
export class Matches {
  lines = []; more = false; at = -1; text = "";

  begin(text, { lines, more }) {
    Object.assign(this, { text, lines, more, at: -1 });
  }

  take(line, message) {
    if (!this.text || this.more || !message.toLowerCase().includes(this.text.toLowerCase())) return;
    if (this.lines.length >= MOST_MATCHES) this.more = true;
    else if (line > (this.lines.at(-1) ?? -1)) this.lines.push(line);
  }

  step(by) {
    if (!this.lines.length) return undefined;
    this.at = (this.at + by + this.lines.length) % this.lines.length;
    return this.lines[this.at];
  }

  say() {
    if (!this.text) return "";
    const count = `${this.lines.length.toLocaleString("en")}${this.more ? "+" : ""}`;
    const noun = this.lines.length === 1 ? "match" : "matches";
    return this.at < 0 ? `${count} ${noun}` : `${this.at + 1} of ${count}`;
  }
}
