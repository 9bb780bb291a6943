// <copy-button for="id">: copies the text of that element. Where the browser keeps the clipboard to itself (a page
// that is neither https nor of this machine), the text is marked, to be copied by hand. Without a script it is nothing.
class CopyButton extends HTMLElement {
  connectedCallback() {
    if (this.firstChild) return;
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: "Copy" });
    const said = document.createElement("span");
    said.setAttribute("role", "status");
    button.addEventListener("click", async () => { said.textContent = await this.#copy(); });
    this.append(button, said);
  }

  async #copy() {
    const from = document.getElementById(this.getAttribute("for"));
    if (!from) return "There is nothing to copy.";
    try {
      await navigator.clipboard.writeText(from.textContent.trim());
      return "Copied.";
    } catch {
      getSelection().selectAllChildren(from);
      return "Marked: copy it with Ctrl+C, or ⌘C.";
    }
  }
}

customElements.define("copy-button", CopyButton);
