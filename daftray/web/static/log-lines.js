// A log of any length: knows where its lines begin, holds the parts that were looked at last, and grows.
//
// The index names a line about every 256 KiB, so what lies between two of them is asked for by a byte range.
// What comes in while the run goes on fills a part of its own, which joins the others once it is full.
const HELD_CHARS = 16 << 20; // of all parts together, but for the last few
const FEWEST = 3;
const FULL = 2000;
const FULL_CHARS = 512 << 10;
const LONGEST_PART = 4 << 20;
const LONGEST_LINE = 64 << 10;
const MOST_TIMES = 8192;
const AGAIN_MS = 5000;

export class LogLines extends EventTarget {
  #api; #pages; #attempt;
  #marks = []; // {line, offset}, in order
  #times = []; // [line, second at which it came in], in order
  #held = new Map(); // number of a part -> {lines, chars}; the one used last is the last
  #chars = 0;
  #asked = new Set();
  #live = { line: 0, offset: 0, lines: [], chars: 0, end: 0, open: false };
  #source = null;
  #again = 0;
  ended = false;
  processes = [];

  constructor({ api, pages, attempt }) {
    super();
    this.#api = api;
    this.#pages = pages;
    this.#attempt = attempt;
  }

  get count() {
    return this.#live.line + this.#live.lines.length;
  }

  number(row) {
    return row;
  }

  rowOf(line) {
    return line;
  }

  async open() {
    const answer = await fetch(this.address("index"));
    if (!answer.ok) throw new Error(`The log cannot be read: ${answer.status}`);
    const { lines, end, marks, times, processes } = await answer.json();
    this.#marks = lines ? marks.map(([line, offset]) => ({ line, offset })) : [];
    this.#times = times;
    this.processes = processes;
    Object.assign(this.#live, { line: lines, offset: end, end });
  }

  // Of what the log's page tells its modules.
  address(what, query = {}) {
    return `${this.#pages}/${what}?${new URLSearchParams({ ...query, attempt: this.#attempt })}`;
  }

  // The line of a number from zero on; nothing while it is on its way.
  at(line) {
    if (line >= this.#live.line) return this.#live.lines[line - this.#live.line];
    const part = this.#partOf(line);
    const held = this.#held.get(part);
    if (!held) return void this.#load(part);
    this.#held.delete(part);
    this.#held.set(part, held);
    return held.lines[line - this.#marks[part].line] ?? "";
  }

  // When a line came in, in seconds since 1970, as far as it is known.
  timeOf(line) {
    let low = 0, high = this.#times.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#times[middle][0] <= line) low = middle + 1; else high = middle;
    }
    return this.#times[low - 1]?.[1];
  }

  get began() {
    return this.#times[0]?.[1];
  }

  // The first line that came in at a time or later; nothing where none did.
  async since(time) {
    const answer = await fetch(`${this.#api}/since?${new URLSearchParams({ time, attempt: this.#attempt })}`);
    if (!answer.ok) throw new Error(answer.status === 400 ? "That is no time." : "The time cannot be found now.");
    const place = await answer.json();
    return place.time ? place.line - 1 : undefined;
  }

  follow() {
    this.#source = new EventSource(this.address("tail", { from: this.#live.end }));
    this.#source.onmessage = (event) => this.#grow(JSON.parse(event.data), Number(event.lastEventId));
    this.#source.onerror = ({ target }) => {
      // A browser comes again by itself, but not where it was refused: the session was over, say.
      if (target.readyState === EventSource.CLOSED) this.#again = setTimeout(() => this.follow(), AGAIN_MS);
    };
    this.#source.addEventListener("end", () => {
      this.ended = true;
      this.close();
      this.#tell();
    });
  }

  close() {
    clearTimeout(this.#again);
    this.#source?.close();
  }

  #grow({ at, text }, end) {
    const live = this.#live, came = text.split("\n");
    const whole = came.at(-1) === "";
    if (whole) came.pop();
    let first = this.count;
    if (live.open && came.length) {
      first -= 1;
      came[0] = (live.lines.pop() + came[0]).slice(0, LONGEST_LINE);
    }
    for (const line of came) live.lines.push(line);
    live.chars += text.length;
    live.end = end;
    live.open = !whole;
    if (at && at > (this.#times.at(-1)?.[1] ?? 0)) this.#times.push([first, at]);
    if (this.#times.length > MOST_TIMES) this.#times = this.#times.filter((_, number) => number % 2 === 0);
    if (whole && (live.lines.length >= FULL || live.chars >= FULL_CHARS)) this.#seal();
    this.dispatchEvent(new CustomEvent("lines", { detail: { first, lines: came } }));
    this.#tell();
  }

  #seal() {
    const { line, offset, lines, chars, end } = this.#live;
    this.#marks.push({ line, offset });
    this.#hold(this.#marks.length - 1, lines, chars);
    this.#live = { line: line + lines.length, offset: end, lines: [], chars: 0, end, open: false };
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
      const text = await answer.text();
      const lines = text.split("\n");
      if (lines.at(-1) === "") lines.pop();
      this.#hold(part, lines, text.length);
      this.#asked.delete(part);
      this.#tell();
    } catch {
      setTimeout(() => { this.#asked.delete(part); this.#tell(); }, 2000);
    }
  }

  #hold(part, lines, chars) {
    this.#chars += chars - (this.#held.get(part)?.chars ?? 0);
    this.#held.delete(part);
    this.#held.set(part, { lines, chars });
    for (const [oldest, held] of this.#held) {
      if (this.#chars <= HELD_CHARS || this.#held.size <= FEWEST) break;
      this.#held.delete(oldest);
      this.#chars -= held.chars;
    }
  }

  #tell() {
    this.dispatchEvent(new Event("change"));
  }
}
