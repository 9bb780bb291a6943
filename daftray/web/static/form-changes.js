// Whether a field says something else than it did at first (data-before), as the server compares them.

export function differs(field) {
  const before = (field.dataset.before ?? "").trim();
  if (field.type === "radio") return field.checked && field.value !== before;
  if (field.type === "checkbox") return (field.checked ? field.value : "") !== before;
  if (field.multiple) return sorted([...field.selectedOptions].map((one) => one.value)) !== sorted(before.split(/\s+/));
  return field.value.replaceAll("\r\n", "\n").trim() !== before;
}

// Whether a field has a caret.
export function isTyped(field) {
  return field.tagName === "TEXTAREA" || (field.tagName === "INPUT" && ["text", "search", "password"].includes(field.type));
}

function sorted(values) {
  return values.filter(Boolean).sort().join(" ");
}
