// The page to draw a data set on: shows a sheet of points, and what is drawn as a table at any moment.
import { Sheet, shown } from "./sheet.js";

const board = document.querySelector("[data-board]");
const picture = board.querySelector("svg.board");
const NAMES = ["a", "b", "c"];
const EDGE = 5, MOST = 2000, FEWEST = 10, ROWS = 200;
const part = (name) => board.querySelector(`[data-${name}]`);
const chosen = (name) => board.querySelector(`[name="board-${name}"]:checked`).value;
const clamp = (value) => Math.min(EDGE, Math.max(-EDGE, value));
const sheet = new Sheet({ x: [-EDGE, EDGE], y: [-EDGE, EDGE], kinds: NAMES, most: MOST, changed: show, told: tell, moved: draw });
const isCurve = () => !sheet.kinds.length;

function svg(name, attributes) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

function cell(kind, text) {
  const made = document.createElement(kind);
  made.textContent = text;
  if (kind === "th") made.scope = "col";
  return made;
}

for (let line = -EDGE; line <= EDGE; line += 1) {
  const kind = line === 0 ? "axis" : "grid";
  part("grid").append(
    svg("path", { class: kind, d: `M${line} ${-EDGE}V${EDGE}` }),
    svg("path", { class: kind, d: `M${-EDGE} ${line}H${EDGE}` }),
  );
}

// A class has a colour and a shape, so that it can be told without colours.
function mark(point) {
  const at = sheet.seen(point);
  const [x, y, held] = [at.x, -at.y, point === sheet.held ? " held" : ""];
  if (isCurve() || point.kind === 0) return svg("circle", { class: `c0${held}`, cx: x, cy: y, r: 0.11 });
  if (point.kind === 1) return svg("rect", { class: `c1${held}`, x: x - 0.1, y: y - 0.1, width: 0.2, height: 0.2 });
  return svg("path", { class: `c2${held}`, d: `M${x} ${y - 0.13}L${x + 0.13} ${y + 0.11}H${x - 0.13}z` });
}

function columns() {
  return isCurve() ? ["x", "y"] : ["x1", "x2", "class"];
}

function table() {
  const rows = sheet.points.map((p) => `${p.x.toFixed(3)},${p.y.toFixed(3)}${isCurve() ? "" : `,${NAMES[p.kind]}`}`);
  return [columns().join(","), ...rows].join("\n");
}

function count() {
  const { points } = sheet;
  if (!points.length) return "Nothing is drawn.";
  const total = `${points.length} ${points.length === 1 ? "row" : "rows"}`;
  if (isCurve()) return `${total}.`;
  const sizes = NAMES.map((name, kind) => [name, points.filter((p) => p.kind === kind).length]);
  return `${total}: ${sizes.filter(([, size]) => size).map(([name, size]) => `${size} of ${name}`).join(", ")}.`;
}

function tell(words) {
  part("told").textContent = words;
}

function draw() {
  const { cross } = sheet;
  part("points").replaceChildren(...sheet.points.map(mark));
  part("cross").toggleAttribute("hidden", !cross.isShown);
  part("cross").setAttribute("transform", `translate(${cross.x} ${-cross.y})`);
  board.querySelector(`[name="board-class"][value="${sheet.kind}"]`).checked = true;
}

function show(words = "") {
  const { points } = sheet;
  draw();
  part("head").replaceChildren(...columns().map((name) => cell("th", name)));
  part("rows").replaceChildren(...points.slice(-ROWS).reverse().map((p) => {
    const row = document.createElement("tr");
    row.append(...[shown(p.x), shown(p.y), ...(isCurve() ? [] : [NAMES[p.kind]])].map((text) => cell("td", text)));
    return row;
  }));
  const kinds = new Set(points.map((p) => p.kind)).size;
  const needs = points.length < FEWEST ? "Ten points at least: the split needs rows for training, validation and test."
    : !isCurve() && kinds < 2 ? "Two classes at least: with one there is nothing to tell apart." : "";
  part("needs").textContent = needs;
  part("keep").disabled = Boolean(needs);
  tell(`${words} ${count()}`.trim());
  part("classes").hidden = isCurve();
}

function read() {
  sheet.kinds = chosen("kind") === "curve" ? [] : NAMES;
  sheet.kind = Number(chosen("class"));
  sheet.tool = chosen("tool");
}

sheet.listen(picture, (event) => {
  const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(picture.getScreenCTM().inverse());
  return { x: clamp(at.x), y: clamp(-at.y) };
}, { isFree: true });
picture.addEventListener("pointerdown", (event) => {
  picture.setPointerCapture(event.pointerId); // a line may leave the sheet and come back
  draw();
});
picture.addEventListener("keydown", (event) => {
  if (!sheet.key(event)) return;
  event.preventDefault();
  draw();
});
function showCross(isShown) {
  sheet.cross.isShown = isShown;
  draw();
}
picture.addEventListener("focus", () => showCross(picture.matches(":focus-visible")));
picture.addEventListener("blur", () => showCross(false));
board.querySelectorAll(".tools input").forEach((radio) => radio.addEventListener("change", () => {
  read();
  if (radio.name === "board-kind") show();
}));
part("undo").addEventListener("click", () => sheet.undo());
part("clear").addEventListener("click", () => sheet.clear());
board.querySelector("form").addEventListener("submit", () => {
  board.querySelector("textarea[name=text]").value = table();
});
read();
show();
