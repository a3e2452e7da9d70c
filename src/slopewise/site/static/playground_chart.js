// Live curves as SVG: lines with axes, a cursor that pointer and arrow keys move, and words for what it stands on.
const NS = "http://www.w3.org/2000/svg";
const LEFT = 52, RIGHT = 14, TOP = 12, BOTTOM = 40, WIDTH = 440, HEIGHT = 220;

function element(name, attributes, text) {
  const made = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

function dot([cx, cy], look) {
  const made = element("g", { class: `dots ${look}` });
  made.append(element("circle", { cx, cy, r: 3 }));
  return made;
}

// Returns round numbers between two ends.
function ticks(low, high, count) {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => size >= rough * 0.999);
  const made = [];
  for (let n = Math.ceil(low / step - 1e-9); n * step <= high + step * 1e-9; n++) made.push(n * step);
  return made;
}

export function brief(value, digits = 4) {
  if (value === null || value === undefined) return "not a number";
  return String(Number(value.toPrecision(digits))).replace("-", "−");
}

export class Chart {
  // lines: [{ name, look, column }], columns of the points that `draw` is given; column 0 is the update.
  constructor(root, title, lines, onCursor, unit = "update") {
    Object.assign(this, { root, title, lines, onCursor, unit, points: [], current: 0, cursor: undefined });
    this.svg = element("svg", { class: "plot live", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", tabindex: 0 });
    this.said = document.createElement("p");
    this.said.className = "reading meta";
    this.said.setAttribute("aria-live", "polite");
    root.replaceChildren(this.svg, this.said);
    this.svg.addEventListener("pointermove", (event) => this.point(event));
    this.svg.addEventListener("pointerleave", () => this.move(undefined));
    this.svg.addEventListener("blur", () => this.move(undefined));
    this.svg.addEventListener("keydown", (event) => this.key(event));
  }

  draw(points, current) {
    this.points = points;
    this.current = current;
    if (!this.waiting) this.waiting = requestAnimationFrame(() => this.paint());
  }

  paint() {
    this.waiting = 0;
    const values = this.points.flatMap((point) => this.lines.map((line) => point[line.column])).filter((value) => Number.isFinite(value));
    const last = Math.max(1, this.current, ...this.points.map((point) => point[0]));
    let low = Math.min(...values, this.title === "loss" ? 0 : 1), high = Math.max(...values, this.title === "loss" ? 0.1 : 1);
    if (this.title !== "loss") low = Math.max(low, -1);
    if (high <= low) high = low + 1;
    high += (high - low) * 0.05;
    this.across = (x) => LEFT + (x / last) * (WIDTH - LEFT - RIGHT);
    const up = (y) => HEIGHT - BOTTOM - ((Math.max(y, low) - low) / (high - low)) * (HEIGHT - TOP - BOTTOM);
    const parts = [];
    for (const y of ticks(low, high, 4)) {
      parts.push(element("path", { class: "grid", d: `M${LEFT} ${up(y)}H${WIDTH - RIGHT}` }));
      parts.push(element("text", { class: "tick", x: LEFT - 7, y: up(y) + 4, "text-anchor": "end" }, brief(y)));
    }
    for (const x of ticks(0, last, 5)) {
      if (Number.isInteger(x)) parts.push(element("text", { class: "tick", x: this.across(x), y: HEIGHT - BOTTOM + 17, "text-anchor": "middle" }, x));
    }
    parts.push(element("path", { class: "axis", d: `M${LEFT} ${HEIGHT - BOTTOM}H${WIDTH - RIGHT}` }));
    parts.push(element("text", { class: "axis-title", x: (LEFT + WIDTH - RIGHT) / 2, y: HEIGHT - 5, "text-anchor": "middle" }, this.unit));
    parts.push(element("path", { class: "rule now", d: `M${this.across(this.current)} ${TOP}V${HEIGHT - BOTTOM}` }));
    for (const line of this.lines) {
      let path = "", pen = "M";
      for (const point of this.points) {
        const y = point[line.column];
        if (!Number.isFinite(y)) pen = "M";
        else {
          path += `${pen}${this.across(point[0]).toFixed(1)} ${up(y).toFixed(1)}`;
          pen = "L";
        }
      }
      if (path) parts.push(element("path", { class: `line ${line.look}`, d: path }));
      if (path && !path.includes("L")) parts.push(dot(path.slice(1).split(" "), line.look)); // one point makes no line
    }
    this.mark = element("path", { class: "rule cursor", d: "" });
    parts.push(this.mark);
    this.svg.replaceChildren(...parts);
    const newest = this.points.at(-1);
    this.svg.setAttribute("aria-label", newest ? `${this.title} over ${this.unit}s. ${this.words(newest)} Arrow keys read the points.` : this.title);
    if (this.cursor !== undefined) this.move(this.cursor, false);
  }

  words(point) {
    const parts = this.lines.filter((line) => point[line.column] !== undefined).map((line) => `${line.name} ${brief(point[line.column])}`);
    return `${this.unit[0].toUpperCase()}${this.unit.slice(1)} ${point[0]}: ${parts.join(", ")}.`;
  }

  point(event) {
    if (!this.points.length || !this.across) return;
    const x = new DOMPoint(event.clientX, event.clientY).matrixTransform(this.svg.getScreenCTM().inverse()).x;
    let best = 0;
    this.points.forEach((point, place) => {
      if (Math.abs(this.across(point[0]) - x) < Math.abs(this.across(this.points[best][0]) - x)) best = place;
    });
    this.move(best);
  }

  key(event) {
    const last = this.points.length - 1;
    const at = this.cursor ?? last;
    const move = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: last }[event.key];
    if (event.key === "Enter" && this.cursor !== undefined) this.onCursor(this.points[this.cursor][0]);
    if (move === undefined || last < 0) return;
    event.preventDefault();
    event.stopPropagation();
    this.move(Math.max(0, Math.min(move, last)));
  }

  move(place) {
    this.cursor = place === undefined || !this.points.length ? undefined : Math.min(place, this.points.length - 1);
    const point = this.cursor === undefined ? undefined : this.points[this.cursor];
    this.mark?.setAttribute("d", point ? `M${this.across(point[0])} ${TOP}V${HEIGHT - BOTTOM}` : "");
    this.said.textContent = point ? this.words(point) : "";
  }
}
