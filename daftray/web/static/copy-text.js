// <copy-text from="ID" label="Copy">: a button that copies the text of another element, be it folded or not.
// Where the clipboard is closed to pages (plain http on another machine), the text is marked to be copied by hand.
const SHOWN_MS = 2000;

class CopyText extends HTMLElement {
  #timer = 0;

  connectedCallback() {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: this.#label() });
    const told = document.createElement("span");
    told.className = "soft";
    told.setAttribute("role", "status");
    button.addEventListener("click", async () => {
      const done = await this.#copy();
      told.textContent = done ? " Copied." : " Marked: press Ctrl+C or ⌘C.";
      clearTimeout(this.#timer);
      if (done) this.#timer = setTimeout(() => { told.textContent = ""; }, SHOWN_MS);
    });
    this.replaceChildren(button, told);
  }

  disconnectedCallback() {
    clearTimeout(this.#timer);
  }

  #label() {
    return this.getAttribute("label") ?? "Copy";
  }

  async #copy() {
    const source = document.getElementById(this.getAttribute("from") ?? "");
    if (!source) return false;
    try {
      await navigator.clipboard.writeText((source.textContent ?? "").trim());
      return true;
    } catch {
      source.closest("details")?.setAttribute("open", "");
      getSelection()?.selectAllChildren(source);
      return false;
    }
  }
}

customElements.define("copy-text", CopyText);
