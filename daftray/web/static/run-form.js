// The form of a run, while it is filled in: what has changed is marked, the commit is looked at, dependencies are
// checked, and what does the same is kept the same. Without this the form's buttons do all that.
import { pageOf } from "./live.js";
import { differs, isTyped } from "./form-changes.js";

const PAUSE_MS = 600;
const LOOKED_AT = new Set(["ref", "kind", "path", "symbol"]);
const REPLACED = ["trouble", "callable", "arguments"];

// Calls once the typing has paused. A later call overtakes an earlier one that has not been answered.
class Paused {
  #timer = 0;
  #turn = null;

  constructor(act) {
    this.act = act;
  }

  soon(ms = PAUSE_MS) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#begin(), ms);
  }

  stop() {
    clearTimeout(this.#timer);
    this.#turn?.abort();
  }

  async #begin() {
    this.#turn?.abort();
    const turn = (this.#turn = new AbortController());
    try {
      await this.act(AbortSignal.any([turn.signal, AbortSignal.timeout(30000)]));
    } catch {
      // Overtaken, or nobody answers: the buttons are there, and the next change asks again.
    }
  }
}

class RunForm {
  constructor(form) {
    this.form = form;
    this.same = form.querySelector("details.same");
    this.looking = new Paused((signal) => this.#look(signal));
    this.checking = new Paused((signal) => this.#check(signal));
    this.saying = new Paused((signal) => this.#say(signal));
    form.addEventListener("input", (event) => this.#changed(event.target));
    form.addEventListener("change", (event) => this.#chosen(event.target));
    // A button that is being pressed must not move away: what an answer adds above it would do that.
    form.addEventListener("pointerdown", ({ target }) => { if (target.closest("button")) this.looking.stop(); });
    this.same.addEventListener("toggle", () => this.#sayIfSeen(0));
    // Taken out, not hidden: a form's first button is what Enter presses, in sight or not.
    for (const node of form.querySelectorAll(".look, details.same button[name=look]")) node.remove();
    if (!form.querySelector("#files option")) this.looking.soon(0);
    this.#sayIfSeen(0);
  }

  #changed(field) {
    this.#mark(field);
    if (field.name === "dependencies") this.checking.soon();
    if (field.name === "path" || field.name === "ref") this.looking.soon();
    this.#sayIfSeen();
  }

  #chosen(field) {
    this.#mark(field);
    if (LOOKED_AT.has(field.name)) this.looking.soon(0);
    this.#sayIfSeen();
  }

  #mark(field) {
    const around = field.closest(".field");
    const mark = around?.querySelector(".changed-mark");
    if (!mark) return;
    const changed = [...around.querySelectorAll("[data-before]")].some(differs);
    around.classList.toggle("changed", changed);
    mark.hidden = !changed;
  }

  async #ask(address, fields, signal) {
    const answer = await fetch(address, { method: "POST", body: new URLSearchParams(fields), headers: { accept: "text/html" }, signal });
    if (!answer.ok) throw new Error(String(answer.status));
    return pageOf(await answer.text());
  }

  // Secrets stay here: what is asked only looks.
  #fields() {
    return [...new FormData(this.form)].filter(([name]) => !name.startsWith("secret-value."));
  }

  async #look(signal) {
    const asked = JSON.stringify(this.#fields());
    const page = await this.#ask(`${this.form.action}/look`, this.#fields(), signal);
    document.getElementById("files").replaceChildren(...page.getElementById("files").childNodes);
    // What was typed meanwhile is looked at next, and not taken away.
    if (JSON.stringify(this.#fields()) !== asked) return this.looking.soon();
    for (const id of REPLACED) this.#replace(id, page);
    this.#sayIfSeen();
  }

  #replace(id, page) {
    const old = document.getElementById(id), fresh = page.getElementById(id);
    if (!fresh || shapeOf(old) === shapeOf(fresh)) return;
    const { activeElement: focused } = document;
    const name = old.contains(focused) ? focused.name : "";
    const span = name && isTyped(focused) ? [focused.selectionStart, focused.selectionEnd] : null;
    old.replaceChildren(...[...fresh.childNodes].map((node) => document.adoptNode(node)));
    const again = name ? this.form.elements.namedItem(name) : null;
    again?.focus?.();
    if (span && again?.setSelectionRange && isTyped(again)) again.setSelectionRange(...span);
  }

  async #check(signal) {
    const fields = this.#fields().filter(([name]) => name === "csrf_token" || name === "dependencies");
    const page = await this.#ask(this.form.dataset.checks, fields, signal);
    const fresh = page.getElementById("dependency-issues");
    const there = document.getElementById("dependency-issues");
    if (fresh && !there.isEqualNode(fresh)) there.replaceWith(document.adoptNode(fresh));
  }

  #sayIfSeen(ms) {
    if (this.same.open) this.saying.soon(ms);
  }

  async #say(signal) {
    const names = this.#fields().filter(([name, value]) => !name.startsWith("secret-name.") || value);
    // A secret's value is only counted, never sent: any text stands for it.
    const given = names.flatMap(([name]) => name.startsWith("secret-name.") ? [[name.replace("name", "value"), "-"]] : []);
    const page = await this.#ask(`${this.form.action}/same-as`, [...names, ...given], signal);
    const fresh = page.getElementById("same-as");
    if (!fresh) return;
    document.getElementById("same-as").replaceWith(document.adoptNode(fresh));
  }
}

// What a part of the form asks for: which fields, of which kinds, with which choices; not what they hold.
function shapeOf(part) {
  const fields = [...part.querySelectorAll("input, select, textarea")];
  const shape = fields.map((node) => [node.name, node.type, node.type === "hidden" ? node.value : "", node.tagName === "SELECT" ? [...node.options].map((one) => one.value) : []]);
  const said = [...part.querySelectorAll("p, .hint")].map((node) => node.textContent.trim());
  return JSON.stringify([shape, said]);
}

for (const form of document.querySelectorAll("form.run-form")) new RunForm(form);
