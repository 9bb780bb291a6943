// Whose a line is, by what Ray puts before it: as daftray/logs/processes.py reads it.
const PREFIX = /^(?:\u001b\[[0-9;]*m)*\((?:(autoscaler|raylet|gcs_server)(?:[ ,][^()\n]{1,80})?|((?:([^\n\u001b]{1,200}?) )?pid=[0-9]{1,10}(?:, ip=[^()\n]{1,64})?))\)/;
const MOST = 200;
export const DRIVER = "(driver)";

function found(line) {
  const first = line.charCodeAt(0);
  return first === 40 || first === 27 ? PREFIX.exec(line) : null;
}

export function writtenBy(process) {
  if (process === DRIVER) return (line) => !found(line);
  return (line) => {
    const match = found(line);
    return Boolean(match) && (match[1] === process || match[2] === process || match[3] === process);
  };
}

// The processes that wrote in a log so far.
export class Processes {
  #labels = new Map(); // label -> the name that it shares with others, if it has one
  #seen = new Set(); // prefixes, so that each is taken apart once

  get size() {
    return this.#labels.size;
  }

  // Takes labels of the index; they are prefixes without their brackets.
  add(labels) {
    for (const label of labels) this.#take(PREFIX.exec(`(${label})`));
  }

  look(lines) {
    for (const line of lines) {
      const match = this.#labels.size < MOST ? found(line) : null;
      if (match && !this.#seen.has(match[0])) this.#take(match);
    }
  }

  // [{name, labels}]: processes by the name that they share; "" for those that have none.
  choices() {
    const groups = new Map();
    for (const [label, name] of this.#labels) groups.set(name, [...(groups.get(name) ?? []), label]);
    return [...groups].map(([name, labels]) => ({ name, labels }));
  }

  #take(match) {
    if (!match || this.#labels.size >= MOST) return;
    if (this.#seen.size < 10 * MOST) this.#seen.add(match[0]); // "autoscaler +5s" is another each time
    const label = match[1] ?? match[2];
    if (!this.#labels.has(label)) this.#labels.set(label, match[1] ?? match[3] ?? "");
  }
}
