// The keyboard: "?" shows what there is. A key goes where <a data-key="g r"> goes; "/" is the page's search.
const PATIENCE = 1200;
let before = "", since = 0;

function help() {
  let dialog = document.querySelector("dialog.keys");
  if (!dialog) {
    dialog = Object.assign(document.createElement("dialog"), { className: "keys" });
    dialog.append(Object.assign(document.createElement("h2"), { textContent: "Keys" }));
    const list = document.createElement("dl");
    for (const [keys, what] of [["/", "Search"], ["j, k", "Next and previous in a list"], ["Enter", "Open it"], ...places(), ["?", "This list"]]) {
      list.append(Object.assign(document.createElement("dt"), { textContent: keys }), Object.assign(document.createElement("dd"), { textContent: what }));
    }
    const close = Object.assign(document.createElement("button"), { type: "button", textContent: "Close" });
    close.addEventListener("click", () => dialog.close());
    dialog.append(list, close);
    document.body.append(dialog);
  }
  dialog.showModal();
}

function places() {
  return [...document.querySelectorAll("[data-key]")].map((node) => [node.dataset.key, node.textContent.trim()]);
}

function move(by) {
  const links = [...document.querySelectorAll("tbody th[scope=row] > a, .problem h2 > a")];
  const at = links.findIndex((link) => link === document.activeElement);
  links[Math.min(links.length - 1, Math.max(0, at < 0 ? 0 : at + by))]?.focus();
}

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, textarea, select, dialog, [contenteditable]");
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const keys = event.timeStamp - since < PATIENCE ? `${before} ${event.key}` : event.key;
  before = event.key;
  since = event.timeStamp;
  const target = [...document.querySelectorAll("[data-key]")].find((node) => [keys, event.key].includes(node.dataset.key));
  if (target) target.click();
  else if (event.key === "/") document.querySelector("[data-search], input[type=search]")?.focus();
  else if (event.key === "j" || event.key === "k") move(event.key === "j" ? 1 : -1);
  else if (event.key === "?") help();
  else return;
  event.preventDefault();
});
