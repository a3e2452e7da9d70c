// The list of layers, edited with buttons and keys; the line of text below it is what the server reads.
export class Layers {
  constructor(root, field, changed) {
    Object.assign(this, { root, field, changed });
    this.list = root.querySelector("ol");
    this.kinds = root.querySelector("select");
    root.querySelector("[data-add-layer]").addEventListener("click", () => this.add());
    field.closest(".layers-text").hidden = true;
    this.show();
  }

  read() {
    return this.field.value.split(/[,\s]+/).filter((entry) => entry && entry !== "none").map((entry) => entry.split(":"));
  }

  write(entries, focus) {
    this.field.value = entries.map(([kind, number]) => (number === undefined ? kind : `${kind}:${number}`)).join(",") || "none";
    this.show();
    if (focus) this.list.children[Math.min(focus[0], entries.length - 1)]?.querySelector(focus[1])?.focus();
    this.changed();
  }

  add() {
    const { value, dataset } = this.kinds.selectedOptions[0];
    this.write([...this.read(), dataset.number ? [value, String(Number(dataset.usual))] : [value]]);
  }

  move(place, by, focus) {
    const entries = this.read();
    const to = place + by;
    if (to < 0 || to >= entries.length) return;
    [entries[place], entries[to]] = [entries[to], entries[place]];
    this.write(entries, [to, focus]);
  }

  show() {
    const entries = this.read();
    this.list.replaceChildren(...entries.map(([kind, number], place) => this.row(kind, number, place, entries.length)));
  }

  row(kind, number, place, count) {
    const option = [...this.kinds.options].find((known) => known.value === kind);
    const label = option?.textContent ?? kind;
    const row = document.createElement("li");
    row.append(Object.assign(document.createElement("span"), { className: "kind", textContent: label }));
    if (option?.dataset.number) {
      const field = document.createElement("input");
      const { low, high, usual } = option.dataset;
      Object.assign(field, { type: "number", value: number ?? Number(usual), min: Number(low), max: Number(high), step: option.hasAttribute("data-whole") ? 1 : "any" });
      field.setAttribute("aria-label", `${label} ${place + 1}, ${option.dataset.number}`);
      field.addEventListener("change", () => {
        if (!field.reportValidity()) return;
        const entries = this.read();
        entries[place][1] = field.value;
        this.write(entries, [place, "input"]);
      });
      row.append(field);
    }
    const button = (text, name, action, disabled) => {
      const made = Object.assign(document.createElement("button"), { type: "button", className: `quiet ${name}`, textContent: text, disabled });
      made.setAttribute("aria-label", `${name === "drop" ? "Remove" : name === "up" ? "Move up" : "Move down"} ${label} ${place + 1}`);
      made.addEventListener("click", action);
      return made;
    };
    row.append(
      button("↑", "up", () => this.move(place, -1, ".up"), place === 0),
      button("↓", "down", () => this.move(place, 1, ".down"), place === count - 1),
      button("×", "drop", () => this.write(this.read().filter((_, k) => k !== place), [place, ".drop"]), false),
    );
    return row;
  }
}
