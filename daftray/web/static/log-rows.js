// The rows of a log that are in sight, in a box that scrolls over all of them however many there are.
const ROW = 20; // px, as in log.css
const TALLEST = 8e6; // px: browsers place nothing exactly much further down

export class Rows {
  box; following = true;
  #list; #made; #space; #rows;
  #top = 0; #own = -1; #drawing = 0;
  #kept = new Map(); // row -> {what, node}, as drawn last

  // `list` knows {count}; `made` gives a row as {what, make}: it is made anew only once `what` has changed.
  // `drawn` is called after each drawing.
  constructor({ list, made, drawn }) {
    this.#list = list;
    this.#made = made;
    this.drawn = drawn;
    this.#rows = Object.assign(document.createElement("div"), { className: "log-rows" });
    this.#space = Object.assign(document.createElement("div"), { className: "log-space" });
    this.#space.append(this.#rows);
    this.box = Object.assign(document.createElement("div"), { className: "log-box", tabIndex: 0, ariaLabel: "Log" });
    this.box.setAttribute("role", "region");
    this.box.append(this.#space);
    this.box.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.box.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    this.box.addEventListener("keydown", (event) => this.#key(event));
  }

  get list() {
    return this.#list;
  }

  // Shows another list, at the row that is given, or at its end.
  show(list, row) {
    this.#list = list;
    this.#kept.clear();
    if (row === undefined) this.follow(); else this.go(row);
  }

  // Down to the end of the window, whatever is above.
  fit() {
    const room = window.innerHeight - (this.box.getBoundingClientRect().top + window.scrollY) - 66;
    const height = `${Math.max(256, Math.round(room))}px`;
    if (this.box.style.height !== height) this.box.style.height = height;
    this.draw();
  }

  get top() {
    return Math.floor(this.#top);
  }

  follow() {
    this.following = true;
    this.draw();
  }

  go(row) {
    this.#top = Math.min(Math.max(0, row), this.#last);
    this.following = this.#top >= this.#last;
    this.draw();
  }

  reveal(row) {
    if (row >= this.#top && row < this.#top + this.#seen - 1) {
      this.following = false;
      return this.draw();
    }
    this.go(row - Math.floor(this.#seen / 2));
  }

  draw() {
    this.#drawing ||= requestAnimationFrame(() => {
      this.#drawing = 0;
      this.#paint();
    });
  }

  get #seen() {
    return Math.max(1, Math.floor(this.box.clientHeight / ROW));
  }

  get #last() {
    return Math.max(0, this.#list.count - this.#seen);
  }

  get #scaled() {
    return this.#list.count * ROW > TALLEST;
  }

  // Where the box is scrolled to while a row is the first in sight, and the other way round.
  #scrollOf(row) {
    const room = this.#space.offsetHeight - this.box.clientHeight;
    return this.#scaled ? (row / (this.#last || 1)) * room : row * ROW;
  }

  #rowOf(scroll) {
    const room = this.#space.offsetHeight - this.box.clientHeight;
    return this.#scaled ? (scroll / (room || 1)) * this.#last : scroll / ROW;
  }

  #scrolled() {
    if (Math.abs(this.box.scrollTop - this.#own) < 1) return;
    this.#top = this.#rowOf(this.box.scrollTop);
    this.following = this.#top >= this.#last - 1;
    this.#own = -1;
    this.draw();
  }

  #wheel(event) {
    if (!this.#scaled || event.ctrlKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) return;
    event.preventDefault();
    this.go(this.#top + event.deltaY / ROW);
  }

  #key(event) {
    const steps = { ArrowUp: -1, ArrowDown: 1, PageUp: 1 - this.#seen, PageDown: this.#seen - 1, Home: -Infinity, End: Infinity };
    if (!(event.key in steps) || event.target !== this.box) return;
    event.preventDefault();
    this.go(this.#top + steps[event.key]);
  }

  #paint() {
    const { count } = this.#list;
    this.#space.style.height = `${Math.min(count * ROW, TALLEST)}px`;
    if (this.following || this.#top > this.#last) this.#top = this.#last;
    const scroll = this.#scrollOf(this.#top);
    if (Math.abs(this.box.scrollTop - scroll) >= 1) this.box.scrollTop = scroll;
    this.#own = this.box.scrollTop;
    const first = this.top, kept = new Map(), before = this.#kept;
    for (let row = first; row < Math.min(count, first + this.#seen + 2); row += 1) {
      const { what, make } = this.#made(row), old = before.get(row);
      const same = old?.what.length === what.length && what.every((one, at) => one === old.what[at]);
      kept.set(row, same ? old : { what, node: make() });
    }
    this.#kept = kept;
    this.#place([...kept.values()].map(({ node }) => node));
    this.#rows.style.transform = this.#top === this.#last ? "" : `translateY(${-Math.round((this.#top - first) * ROW)}px)`;
    this.drawn();
  }

  // Rows that stay are not moved: while one scrolls, a few come and a few go.
  #place(nodes) {
    const stay = new Set(nodes);
    for (const node of [...this.#rows.children]) if (!stay.has(node)) node.remove();
    nodes.forEach((node, at) => {
      const there = this.#rows.children[at] ?? null;
      if (there !== node) this.#rows.insertBefore(node, there);
    });
  }
}
