// Arrow keys in a tree of <details>: right opens or goes in, left folds or goes out, up and down move, * opens all below.
// Without it the tree is as usable by Tab and Enter.
function visible(tree) {
  return [...tree.querySelectorAll("summary")].filter((one) => !one.parentElement.parentElement.closest("details:not([open])"));
}

function go(summary, key) {
  const branch = summary.parentElement, tree = summary.closest(".tree");
  const all = visible(tree), at = all.indexOf(summary);
  const inner = branch.querySelector(":scope > details > summary"), outer = branch.parentElement.closest("details")?.querySelector(":scope > summary");
  if (key === "ArrowRight" && !branch.open) branch.open = true;
  else if (key === "ArrowRight") inner?.focus();
  else if (key === "ArrowLeft" && branch.open) branch.open = false;
  else if (key === "ArrowLeft") outer?.focus();
  else if (key === "ArrowDown") all[at + 1]?.focus();
  else if (key === "ArrowUp") all[at - 1]?.focus();
  else if (key === "Home") all[0]?.focus();
  else if (key === "End") all.at(-1)?.focus();
  else if (key === "*") for (const one of [branch, ...branch.querySelectorAll("details")]) one.open = true;
  else return false;
  return true;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const summary = event.target.closest?.(".tree summary");
  if (summary && go(summary, event.key)) event.preventDefault();
});
