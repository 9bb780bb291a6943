// Terminal colours (ECMA-48, SGR) as text with classes: [{text, classes}]. All other control sequences go.
const SEQUENCE = /\u001b\[([0-9;:]*)([@-~])|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)|\u001b[@-Z\\^_]/g;
const STYLES = { 1: "bold", 2: "dim", 3: "italic", 4: "under", 7: "turned" };
const ENDS = { 22: ["bold", "dim"], 23: ["italic"], 24: ["under"], 27: ["turned"] };

export function pieces(line) {
  if (!line.includes("\u001b")) return [{ text: line, classes: "" }];
  const found = [];
  const state = { styles: new Set(), front: "", back: "" };
  let from = 0;
  const add = (text) => {
    if (text) found.push({ text, classes: [...state.styles, state.front, state.back].filter(Boolean).join(" ") });
  };
  for (const match of line.matchAll(SEQUENCE)) {
    add(line.slice(from, match.index));
    from = match.index + match[0].length;
    if (match[2] === "m") apply(match[1].split(/[;:]/).map(Number), state);
  }
  add(line.slice(from));
  return found;
}

function apply(codes, state) {
  for (let at = 0; at < codes.length; at += 1) {
    const code = codes[at];
    if (code === 0) Object.assign(state, { styles: new Set(), front: "", back: "" });
    else if (STYLES[code]) state.styles.add(STYLES[code]);
    else if (ENDS[code]) ENDS[code].forEach((style) => state.styles.delete(style));
    else if (code === 38 || code === 48) {
      const key = code === 38 ? "front" : "back";
      const few = codes[at + 1] === 5 && codes[at + 2] < 16; // of the many others none: they would not suit both themes
      state[key] = few ? named(key, codes[at + 2]) : "";
      at += codes[at + 1] === 5 ? 2 : 4;
    } else if (code === 39) state.front = "";
    else if (code === 49) state.back = "";
    else if (code >= 30 && code <= 37) state.front = named("front", code - 30);
    else if (code >= 40 && code <= 47) state.back = named("back", code - 40);
    else if (code >= 90 && code <= 97) state.front = named("front", code - 90);
    else if (code >= 100 && code <= 107) state.back = named("back", code - 100);
  }
}

function named(key, colour) {
  return `${key === "front" ? "f" : "b"}${colour % 8}`;
}
