// <live-region id every="3">: asks for its own page again, and puts in place what has changed in it.
// Another page that has the region too may be named by `src`, where its own costs more to make.
// The server makes one kind of page; without a script it is as good, only still.

// The one place where text becomes markup: pages of ours, which hold no code and escape what they show.
const asMarkup = window.trustedTypes
  ? window.trustedTypes.createPolicy("daftray", { createHTML: (text) => text })
  : { createHTML: (text) => text };
const SLOWEST_S = 60;

export function pageOf(text) {
  return new DOMParser().parseFromString(asMarkup.createHTML(text), "text/html");
}

class LiveRegion extends HTMLElement {
  #timer = 0;
  #failures = 0;
  #onShow = () => { if (!document.hidden) this.#soon(0); };

  connectedCallback() {
    document.addEventListener("visibilitychange", this.#onShow);
    this.#soon(this.#every());
  }

  disconnectedCallback() {
    document.removeEventListener("visibilitychange", this.#onShow);
    clearTimeout(this.#timer);
  }

  #every() {
    return Number(this.getAttribute("every") ?? 0);
  }

  #soon(seconds) {
    clearTimeout(this.#timer);
    if (this.#every()) this.#timer = setTimeout(() => this.#look(), seconds * 1000);
  }

  async #look() {
    if (document.hidden) return;
    try {
      const answer = await fetch(this.getAttribute("src") ?? location.href, { headers: { accept: "text/html" }, signal: AbortSignal.timeout(15000) });
      if (answer.redirected) return location.reload();
      if (answer.ok) {
        this.#take(pageOf(await answer.text()));
        this.#failures = 0;
      } else this.#failures += 1;
    } catch {
      this.#failures += 1;
    }
    this.#soon(Math.min(SLOWEST_S, this.#every() * 2 ** this.#failures));
  }

  #take(page) {
    const fresh = page.getElementById(this.id);
    if (!fresh) return location.reload();
    this.setAttribute("every", fresh.getAttribute("every") ?? "0");
    if (this.contains(document.activeElement?.closest("input[type=text], textarea"))) return;
    merge(this, fresh);
    this.dispatchEvent(new Event("live-change", { bubbles: true })); // for what draws upon what was made anew
  }
}

// Keeps every node that has not changed: focus, ticks, selection and open parts stay.
function merge(old, fresh) {
  const named = new Map([...old.children].filter((node) => node.id).map((node) => [node.id, node]));
  const kept = [...fresh.childNodes].map((node, at) => {
    const there = old.childNodes[at];
    const before = node.id ? named.get(node.id) : there?.id ? undefined : there;
    return before ? settled(before, node) : document.adoptNode(node.cloneNode(true));
  });
  const same = kept.length === old.childNodes.length && kept.every((node, at) => node === old.childNodes[at]);
  if (!same) old.replaceChildren(...kept);
}

function settled(before, node) {
  if (before.isEqualNode(node)) return before;
  const alike = before.nodeType === 1 && node.nodeType === 1 && before.tagName === node.tagName
    && !before.tagName.includes("-") && before.childNodes.length && node.childNodes.length;
  if (!alike) return document.adoptNode(node.cloneNode(true));
  for (const { name } of [...before.attributes]) {
    if (!node.hasAttribute(name) && name !== "open") before.removeAttribute(name);
  }
  for (const { name, value } of node.attributes) {
    if (before.getAttribute(name) !== value) before.setAttribute(name, value);
  }
  merge(before, node);
  return before;
}

customElements.define("live-region", LiveRegion);
