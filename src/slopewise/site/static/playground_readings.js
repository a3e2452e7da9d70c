// What there is to see and to read of a training: picture, curves, scores, network, words and tables.
import { Chart, brief } from "./playground_chart.js";
import { Network, curvePath, paint } from "./playground_pictures.js";

const LINES = (score) => [
  { name: "training", look: "forward", column: score ? 3 : 2 },
  { name: "validation", look: "backward dashed", column: score ? 5 : 4 },
  { name: "test", look: "ink", column: score ? 7 : 6 },
];
const COLUMNS = ["Update", "Loss of the batch", "Training loss", "Training score", "Validation loss", "Validation score", "Test loss", "Test score"];

function row(cells, tag) {
  const made = document.createElement("tr");
  cells.forEach((text, k) => made.append(Object.assign(document.createElement(k && tag === "td" ? "td" : "th"), { scope: tag === "td" ? "row" : "col", textContent: text })));
  return made;
}

export class Readings {
  constructor(page) {
    this.root = page.root;
    this.find = page.find;
    this.openTest = () => page.openTest();
    this.points = [];
    const chart = (name, isScore) => new Chart(this.find(`[data-chart=${name}]`), name, LINES(isScore), (step) => page.go(step));
    this.charts = [chart("loss", false), chart("score", true)];
    const inputs = () => this.columns ?? page.settings.inputs();
    this.network = new Network(this.find(".diagram"), this.find(".neuron"), inputs, (map, name) => this.look(map, name), (...numbers) => page.set(...numbers));
    this.caption = this.find(".surface figcaption").textContent;
    this.canvas = this.find(".stack canvas");
    this.find("[data-open-test]").addEventListener("click", this.openTest);
    this.find("[data-discrete]").addEventListener("change", () => this.again());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.again());
    this.root.querySelectorAll("details.numbers").forEach((part) => part.addEventListener("toggle", () => {
      this.fillCurveTable();
      this.fillPictureTable();
    }));
  }

  // The last update of the curves.
  get furthest() {
    return this.points.at(-1)?.[0] ?? 0;
  }

  // Another design, of which nothing but its rows is known.
  begin(fresh) {
    this.fresh = fresh;
    this.view = undefined;
    this.points = [];
    this.find(".overlay").innerHTML = fresh.overlay;
    this.canvas.hidden = true;
    this.placeCanvas();
    this.find(".formulas").innerHTML = fresh.formula;
    this.find(".program").innerHTML = fresh.code;
    this.tellOwn();
    this.find(".words").textContent = fresh.words;
    this.find(".parameters").textContent = `${fresh.parameters} parameters. The layer that makes the outputs is added by itself.`;
    this.root.querySelectorAll(".score-name").forEach((place) => {
      const name = fresh.metric === "r2" ? "R²" : "Accuracy";
      place.textContent = place.tagName === "TH" ? name : `${name} over updates`;
    });
    this.root.querySelectorAll("[data-part] > td:nth-child(2)").forEach((cell, k) => {
      cell.textContent = Object.values(fresh.rows)[k];
    });
    this.seal();
  }

  // The pixels lie within the axes of the picture.
  placeCanvas() {
    const [left, top, right, bottom] = this.fresh.frame;
    const [width, height] = this.fresh.size;
    const share = (part, whole) => `${(100 * part) / whole}%`;
    Object.assign(this.canvas.style, { left: share(left, width), top: share(top, height), width: share(right - left, width), height: share(bottom - top, height) });
  }

  // What the colours mean; of own data with more than two columns all are inputs.
  tellOwn() {
    const { legend, metric, axes, inputs, own } = this.fresh;
    this.find(".legend.classes").replaceChildren(...legend.map((name, k) => Object.assign(document.createElement("span"), { className: `class-${k}`, textContent: name })));
    this.find(".discrete").hidden = metric !== "accuracy" || axes[0] === "x";
    this.columns = inputs ?? undefined;
    this.find(".ticks").hidden = Boolean(inputs);
    const place = this.find(".own-inputs");
    place.hidden = !own;
    if (own) place.textContent = `${inputs ? `The inputs are ${inputs.join(", ")}. ` : ""}The target is ${own.target}. Columns are standardised by the training rows.`;
  }

  // ---- what comes

  // New points of the curves; all of them anew where a stream begins.
  add(message) {
    if (message.from === -1) this.points = [];
    this.points.push(...message.points);
  }

  draw(step) {
    this.charts.forEach((chart) => chart.draw(this.points, step));
  }

  show(view) {
    this.view = view;
    const plot = this.find(".overlay svg");
    if (view.surface.curve) {
      this.canvas.hidden = true;
      curvePath(view.surface.curve, view.frame, plot, this.fresh.frame);
    } else {
      plot.querySelectorAll(".contour").forEach((old) => old.closest("svg svg")?.remove());
      this.canvas.hidden = false;
      this.paintSurface();
    }
    this.network.draw(view.network);
    this.tellScores(view.scores);
    this.find(".words").textContent = view.words;
    this.fillPictureTable();
  }

  again() {
    if (this.view) this.show(this.view);
  }

  paintSurface() {
    const { values, classes } = this.view.surface;
    paint(this.canvas, values, classes, this.find("[data-discrete]").checked && this.fresh.metric === "accuracy");
  }

  // A neuron under the pointer or the focus is shown large, in the place of the network's answer.
  look(map, name) {
    if (!this.view || this.view.surface.curve) return;
    this.find(".surface figcaption").textContent = map ? `Only ${name}, over the inputs` : this.caption;
    if (map) paint(this.canvas, map);
    else this.paintSurface();
  }

  // ---- scores, and the sealed ones of the test set

  tellScores(numbers) {
    this.root.querySelectorAll("[data-part]").forEach((part) => {
      const place = Number(part.dataset.part);
      if (numbers[place] === undefined) return;
      if (part.querySelector(".sealed")) {
        part.querySelector(".sealed").remove();
        part.insertCell();
        part.insertCell();
      }
      part.cells[2].textContent = numbers[place] === null ? "not a number" : numbers[place].toFixed(4);
      part.cells[3].textContent = numbers[place + 1] === null ? "not a number" : numbers[place + 1].toFixed(3);
    });
  }

  seal() {
    const part = this.find('[data-part="6"]');
    if (part.querySelector(".sealed")) return;
    part.replaceChildren(...[...part.children].slice(0, 2));
    const cell = part.insertCell();
    cell.className = "sealed";
    cell.colSpan = 2;
    const button = Object.assign(document.createElement("button"), { type: "button", className: "quiet", textContent: "Open the test set" });
    button.addEventListener("click", this.openTest);
    cell.append("sealed ", button);
    this.find(".openings").hidden = true;
  }

  // The rows of the test set, among the others.
  showTest(overlay) {
    this.find(".overlay").innerHTML = overlay;
    this.again();
  }

  opened(openings) {
    const place = this.find(".openings");
    place.hidden = false;
    place.textContent = `Log: this test set was opened ${openings.length === 1 ? "once" : `${openings.length} times`}, at update ${openings.join(", ")}. Whatever you choose from now on may be fitted to it; new rows (another data seed) make a new one.`;
  }

  // ---- tables

  fillPictureTable() {
    const table = this.find(".picture-table");
    if (!this.view || !table.closest("details").open) return;
    const [across, up] = this.fresh.axes;
    table.tHead.replaceChildren(row([`${up} \\ ${across}`, ...this.view.table.columns], "th"));
    table.tBodies[0].replaceChildren(...this.view.table.rows.map((cells) => row(cells, "td")));
  }

  fillCurveTable() {
    const table = this.find(".curve-table");
    if (!table.closest("details").open) return;
    table.tHead.replaceChildren(row(COLUMNS.slice(0, this.points[0]?.length ?? 6), "th"));
    table.tBodies[0].replaceChildren(...this.points.map((point) => row(point.map((value, k) => (k ? (value === null ? "–" : brief(value)) : value)), "td")));
  }
}
