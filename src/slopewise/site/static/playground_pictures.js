// The surface and the network: bytes from the server become pixels in the colours of the page.
import { brief } from "./playground_chart.js";

const CLASSES = ["--backward", "--forward", "--right", "--class-3", "--class-4", "--class-5"];

function bytes(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

function colour(name) {
  const text = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  return [1, 3, 5].map((place) => parseInt(text.slice(place, place + 2), 16));
}

function mix(a, b, share) {
  return a.map((part, k) => Math.round(part + (b[k] - part) * share));
}

// Paints rows from the lowest up: 0 is the colour of the first class, 255 that of the second, the sheet between.
// With `discrete` only the likelier class shows.
export function paint(canvas, values, classes, discrete = false) {
  const given = bytes(values);
  const of = classes ? bytes(classes) : undefined;
  const side = Math.round(Math.sqrt(given.length));
  const sheet = colour("--sheet");
  const ends = CLASSES.map(colour);
  canvas.width = canvas.height = side;
  const context = canvas.getContext("2d");
  const image = context.createImageData(side, side);
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const value = discrete ? (of ? 1 : Number(given[row * side + column] > 127)) : given[row * side + column] / 255;
      const at = 4 * ((side - 1 - row) * side + column);
      const pixel = of
        ? mix(sheet, ends[of[row * side + column]], 0.62 * Math.max(0, (value - 0.33) / 0.67))
        : mix(sheet, value < 0.5 ? ends[0] : ends[1], 0.62 * Math.abs(2 * value - 1));
      image.data.set([...pixel, 255], at);
    }
  }
  context.putImageData(image, 0, 0);
}

// The curve of a network over one input: an SVG path over the picture of the rows. `ends` are the picture's own
// places of left, top, right and bottom.
export function curvePath(values, frame, svg, ends) {
  const [left, top, right, bottom] = ends;
  const points = values.map((value, k) => {
    const y = Number.isFinite(value) ? Math.max(0, Math.min(1, (value - frame[2]) / (frame[3] - frame[2]))) : 0;
    return `${(left + (k / (values.length - 1)) * (right - left)).toFixed(1)} ${(bottom - y * (bottom - top)).toFixed(1)}`;
  });
  let path = svg.querySelector(".answer");
  if (!path) {
    path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("class", "line forward answer");
    svg.append(path);
  }
  path.setAttribute("d", `M${points.join("L")}`);
}

export class Network {
  // `looks` is told of the map that a pointer or the focus is on, and of nothing when it leaves.
  // `sets` is told of a number that is set by hand: which Linear, row and column, all from 1, and its value.
  constructor(root, words, names, looks, sets) {
    Object.assign(this, { root, words, names, looks, sets, chosen: [1, 0], shape: "" });
    new ResizeObserver(() => this.lines()).observe(root);
  }

  draw(groups) {
    this.groups = groups;
    const shape = JSON.stringify(groups.map((group) => [group.title, group.units]));
    if (shape !== this.shape) this.build(shape);
    this.root.querySelectorAll("[data-neuron]").forEach((button) => {
      const [layer, place] = button.dataset.neuron.split(" ").map(Number);
      const map = groups[layer].maps[place];
      const canvas = button.querySelector("canvas");
      const given = bytes(map);
      if (given.length === 12) paint(canvas, btoa(String.fromCharCode(...Array.from({ length: 144 }, (_, k) => given[k % 12]))));
      else paint(canvas, map);
    });
    this.lines();
    this.tell();
  }

  build(shape) {
    this.shape = shape;
    this.root.replaceChildren();
    this.svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    this.svg.setAttribute("class", "weights");
    this.svg.setAttribute("aria-hidden", "true");
    this.root.append(this.svg);
    this.groups.forEach((group, layer) => {
      const column = document.createElement("div");
      column.className = "layer";
      const title = document.createElement("p");
      title.textContent = layer === 0 ? "inputs" : group.title.replaceAll("_", " ");
      column.append(title);
      group.maps.forEach((_, place) => {
        const button = document.createElement("button");
        button.type = "button";
        button.className = "quiet";
        button.dataset.neuron = `${layer} ${place}`;
        button.setAttribute("aria-label", layer === 0 ? `input ${this.names()[place]}` : `layer ${layer}, neuron ${place + 1}`);
        button.append(document.createElement("canvas"));
        button.addEventListener("click", () => {
          this.chosen = [layer, place];
          this.lines();
          this.tell();
        });
        const look = () => this.looks(this.groups[layer].maps[place], button.getAttribute("aria-label"));
        button.addEventListener("pointerenter", look);
        button.addEventListener("focus", look);
        button.addEventListener("pointerleave", () => this.looks());
        button.addEventListener("blur", () => this.looks());
        button.addEventListener("keydown", (event) => this.key(event, layer, place));
        column.append(button);
      });
      if (group.units > group.maps.length) {
        const more = document.createElement("p");
        more.textContent = `and ${group.units - group.maps.length} more`;
        column.append(more);
      }
      this.root.append(column);
    });
  }

  key(event, layer, place) {
    const to = { ArrowUp: [layer, place - 1], ArrowDown: [layer, place + 1], ArrowLeft: [layer - 1, place], ArrowRight: [layer + 1, place] }[event.key];
    if (!to) return;
    event.preventDefault();
    event.stopPropagation();
    const last = (this.groups[to[0]]?.maps.length ?? 0) - 1;
    this.root.querySelector(`[data-neuron="${to[0]} ${Math.min(to[1], last)}"]`)?.focus();
  }

  // Lines between neurons, as thick as their weights.
  lines() {
    if (!this.groups || !this.svg) return;
    const frame = this.root.getBoundingClientRect();
    this.svg.setAttribute("width", this.root.scrollWidth);
    this.svg.setAttribute("height", this.root.scrollHeight);
    const place = (layer, neuron, side) => {
      const box = this.root.querySelector(`[data-neuron="${layer} ${neuron}"]`)?.getBoundingClientRect();
      return box && [(side ? box.right : box.left) - frame.left + this.root.scrollLeft, box.top + box.height / 2 - frame.top + this.root.scrollTop];
    };
    const parts = [];
    this.groups.forEach((group, layer) => {
      const largest = Math.max(1e-9, ...(group.weight ?? []).flat().map((weight) => Math.abs(weight ?? 0)));
      (group.weight ?? []).forEach((row, neuron) => row.forEach((weight, from) => {
        const start = place(layer - 1, from, true), end = place(layer, neuron, false);
        if (!start || !end) return;
        const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
        const middle = (start[0] + end[0]) / 2;
        const chosen = this.chosen[0] === layer && this.chosen[1] === neuron;
        line.setAttribute("d", `M${start}C${middle} ${start[1]} ${middle} ${end[1]} ${end}`);
        line.setAttribute("class", `${weight >= 0 ? "above" : "below"}${chosen ? " chosen" : ""}`);
        line.setAttribute("stroke-width", (0.4 + (3.2 * Math.abs(weight ?? 0)) / largest).toFixed(2));
        parts.push(line);
      }));
    });
    this.svg.replaceChildren(...parts);
    this.root.querySelectorAll("[data-neuron]").forEach((button) => {
      button.setAttribute("aria-pressed", String(button.dataset.neuron === this.chosen.join(" ")));
    });
  }

  field(name, value, sets) {
    const made = Object.assign(document.createElement("input"), { type: "number", step: "any", min: -9999, max: 9999, value: value ?? "", required: true });
    made.setAttribute("aria-label", `${name}, value`);
    made.addEventListener("change", () => made.reportValidity() && sets(Number(made.value)));
    return made;
  }

  // The chosen neuron's numbers in a table.
  tell() {
    if (this.words.contains(document.activeElement) && this.told === this.chosen.join(" ")) return; // being typed into
    const [layer, place] = this.chosen;
    this.told = this.chosen.join(" ");
    const group = this.groups[layer] ?? this.groups.at(-1);
    const linear = this.groups.slice(0, layer + 1).filter((other) => other.weight).length;
    const rows = [];
    const names = layer === 1 ? this.names() : undefined;
    if (group.weight?.[place]) {
      group.weight[place].forEach((weight, from) => rows.push([`weight of ${names ? names[from] : `neuron ${from + 1}`}`, weight, group.weight_gradient?.[place][from], from + 1]));
      rows.push(["bias", group.bias[place], group.bias_gradient?.[place], "b"]);
    }
    for (const other of group.others ?? []) {
      if (other.size === group.units) rows.push([other.name.replaceAll("_", " "), other.values[place], other.gradients?.[place]]);
      else other.values.slice(0, 6).forEach((value, k) => rows.push([`${other.name}, number ${k + 1} of ${other.size}`, value, other.gradients?.[k]]));
    }
    if (!rows.length) {
      this.words.replaceChildren(Object.assign(document.createElement("p"), { className: "aside", textContent: layer ? "This layer has no numbers of its own." : "An input: it has no weights." }));
      return;
    }
    const table = document.createElement("table");
    table.append(Object.assign(document.createElement("caption"), { textContent: `Layer ${layer} (${group.title.replaceAll("_", " ")}), neuron ${place + 1}` }));
    const head = table.createTHead().insertRow();
    for (const text of ["Parameter", "Value", "Gradient of the last batch"]) head.append(Object.assign(document.createElement("th"), { scope: "col", textContent: text }));
    const body = table.createTBody();
    for (const [name, value, gradient, column] of rows) {
      const row = body.insertRow();
      row.append(Object.assign(document.createElement("th"), { scope: "row", textContent: name }));
      const cell = row.insertCell();
      if (column === undefined) cell.textContent = brief(value);
      else cell.append(this.field(name, value, (made) => this.sets(linear, place + 1, column, made)));
      row.insertCell().textContent = gradient === undefined || gradient === null ? "none yet" : brief(gradient);
    }
    this.words.replaceChildren(table);
  }
}
