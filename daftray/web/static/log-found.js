// What is found in a log: lines that hold a text, and lines of one process; those that come in after, too.
import { writtenBy } from "./log-processes.js";

const MOST = 100_000; // as many as the server gives

// The parts of an answer of JSON, one in each line, as they come.
export async function* parts(url, signal) {
  const answer = await fetch(url, { signal });
  if (!answer.ok) throw new Error(`The log cannot be looked through now: ${answer.status}`);
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "", ended = false;
  for (;;) {
    const { done, value } = await reader.read();
    const lines = (rest + (value ?? "")).split("\n");
    rest = lines.pop();
    for (const line of lines) {
      const part = JSON.parse(line);
      ended ||= "total" in part;
      yield part;
    }
    if (done) break;
  }
  if (!ended) throw new Error("The log was not looked through to its end. Try again.");
}

// Where in sorted numbers the first one is that is not less.
export function placeIn(numbers, wanted) {
  let low = 0, high = numbers.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle] < wanted) low = middle + 1; else high = middle;
  }
  return low;
}

// Lines of one kind, by their numbers from zero on. What comes in while the server still looks waits its turn.
class Found {
  numbers = []; total = 0; more = false; done = false;
  #waiting = [];

  // Takes what the server finds; calls back after each part.
  async fill(found, told) {
    for await (const part of found) {
      if (part.lines) {
        part.lines.forEach((line, at) => this.#keep(line - 1, part.texts?.[at]));
        this.total = this.numbers.length;
      } else {
        Object.assign(this, { total: part.total, more: part.more, done: true });
        for (const [line, text] of this.#waiting) if (line >= part.next - 1) this.add(line, text);
        this.#waiting = [];
      }
      told();
    }
  }

  // Takes lines that came in just now. The first may be one that has grown.
  take(first, lines) {
    lines.forEach((text, at) => { if (this.fits(text)) this.add(first + at, text); });
  }

  add(line, text) {
    if (!this.done) {
      if (this.#waiting.length < MOST) this.#waiting.push([line, text]);
      return;
    }
    if (line <= (this.numbers.at(-1) ?? -1)) return this.grown(line, text);
    this.total += 1;
    if (this.more || this.numbers.length >= MOST) this.more = true;
    else this.#keep(line, text);
  }

  #keep(line, text) {
    this.numbers.push(line);
    this.keepText(text);
  }

  keepText() {}
  grown() {}
}

// The lines of one process, with their texts: the server looks for them, since they lie all over the log.
export class Filtered extends Found {
  #texts = [];

  constructor(process) {
    super();
    this.process = process;
    this.fits = writtenBy(process);
  }

  get count() {
    return this.numbers.length;
  }

  at(row) {
    return this.#texts[row];
  }

  number(row) {
    return this.numbers[row];
  }

  rowOf(line) {
    return placeIn(this.numbers, line);
  }

  keepText(text) {
    this.#texts.push(text);
  }

  grown(line, text) {
    if (line === this.numbers.at(-1)) this.#texts[this.#texts.length - 1] = text;
  }
}

// Which lines hold a text, and the one that was gone to last.
export class Matches extends Found {
  text = ""; at = -1;
  #needle = "";

  constructor(text = "") {
    super();
    this.text = text;
    this.#needle = text.toLowerCase();
  }

  fits(line) {
    return this.#needle !== "" && line.toLowerCase().includes(this.#needle);
  }

  // Looks through lines that are here.
  within(filtered) {
    this.done = true;
    for (let row = 0; row < filtered.count; row += 1) {
      if (this.fits(filtered.at(row))) this.add(filtered.number(row));
    }
    this.more ||= filtered.more;
  }

  // The next match or the one before; at first the one that is nearest below a line.
  step(by, from) {
    const { numbers } = this;
    if (!numbers.length) return undefined;
    const next = this.at < 0 ? placeIn(numbers, from) - (by < 0 ? 1 : 0) : this.at + by;
    this.at = (next + numbers.length) % numbers.length;
    return numbers[this.at];
  }

  say() {
    if (!this.text) return "";
    const count = `${this.total.toLocaleString("en")}${this.done ? "" : " so far"}`;
    if (this.at >= 0) return `${(this.at + 1).toLocaleString("en")} of ${count}`;
    return `${count} ${this.total === 1 ? "line matches" : "lines match"}`;
  }
}
