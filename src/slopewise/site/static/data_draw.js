// The sheet to draw points on: by pointer, or with the keys alone. What is drawn is a table at any moment.
const board = document.querySelector("[data-board]");
const sheet = board.querySelector("svg.board");
const points = []; // {x, y, kind}
const past = []; // what undo brings back
const NAMES = ["a", "b", "c"];
const EDGE = 5, MOST = 2000, FEWEST = 10, NEAR = 0.45, SPRAYED = 6, SPREAD = 0.45;
const cross = { x: 0, y: 0 };
const part = (name) => board.querySelector(`[data-${name}]`);
const chosen = (name) => board.querySelector(`[name="board-${name}"]:checked`).value;
const isCurve = () => chosen("kind") === "curve";
const clamp = (value) => Math.min(EDGE, Math.max(-EDGE, value));
const shown = (value) => value.toFixed(2).replace("-", "−");

function svg(name, attributes) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
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
  const [x, y] = [point.x, -point.y];
  if (isCurve() || point.kind === 0) return svg("circle", { class: "c0", cx: x, cy: y, r: 0.11 });
  if (point.kind === 1) return svg("rect", { class: "c1", x: x - 0.1, y: y - 0.1, width: 0.2, height: 0.2 });
  return svg("path", { class: "c2", d: `M${x} ${y - 0.13}L${x + 0.13} ${y + 0.11}H${x - 0.13}z` });
}

function table() {
  const header = isCurve() ? "x,y" : "x1,x2,class";
  const rows = points.map((p) => `${p.x.toFixed(3)},${p.y.toFixed(3)}${isCurve() ? "" : `,${NAMES[p.kind]}`}`);
  return [header, ...rows].join("\n");
}

function count() {
  if (!points.length) return "Nothing is drawn.";
  const total = `${points.length} ${points.length === 1 ? "row" : "rows"}`;
  if (isCurve()) return `${total}.`;
  const sizes = NAMES.map((name, kind) => [name, points.filter((p) => p.kind === kind).length]);
  return `${total}: ${sizes.filter(([, size]) => size).map(([name, size]) => `${size} of ${name}`).join(", ")}.`;
}

function show(words = "") {
  part("points").replaceChildren(...points.map(mark));
  part("head").replaceChildren(...table().split("\n")[0].split(",").map((name) => {
    const cell = document.createElement("th");
    cell.scope = "col";
    cell.textContent = name;
    return cell;
  }));
  part("rows").replaceChildren(...points.slice(-200).reverse().map((p) => {
    const row = document.createElement("tr");
    row.append(...[shown(p.x), shown(p.y), ...(isCurve() ? [] : [NAMES[p.kind]])].map((text) => {
      const cell = document.createElement("td");
      cell.textContent = text;
      return cell;
    }));
    return row;
  }));
  const kinds = new Set(points.map((p) => p.kind)).size;
  const needs = points.length < FEWEST ? "Ten points at least: the split needs rows for training, validation and test."
    : !isCurve() && kinds < 2 ? "Two classes at least: with one there is nothing to tell apart." : "";
  part("needs").textContent = needs;
  part("keep").disabled = Boolean(needs);
  part("told").textContent = `${words} ${count()}`.trim();
  part("classes").hidden = isCurve();
}

function change(next, words) {
  past.push([...points]);
  if (past.length > 200) past.shift();
  points.splice(0, points.length, ...next);
  show(words);
}

function draw(x, y) {
  if (chosen("tool") === "erase") return erase(x, y);
  const kind = isCurve() ? 0 : Number(chosen("class"));
  const made = [];
  const many = chosen("tool") === "spray" ? SPRAYED : 1;
  for (let n = 0; n < many && points.length + made.length < MOST; n += 1) {
    // The sum of a few uniform numbers is near enough to a bell.
    const bell = () => (many === 1 ? 0 : (Math.random() + Math.random() + Math.random() - 1.5) * 2 * SPREAD);
    made.push({ x: clamp(x + bell()), y: clamp(y + bell()), kind });
  }
  const what = isCurve() ? "" : ` of class ${NAMES[kind]}`;
  change([...points, ...made], made.length ? `${made.length === 1 ? "A point" : `${made.length} points`}${what} at ${shown(x)}, ${shown(y)}.` : "The sheet is full.");
}

function erase(x, y) {
  const distance = (p) => Math.hypot(p.x - x, p.y - y);
  const nearest = points.reduce((best, p) => (best && distance(best) <= distance(p) ? best : p), null);
  if (!nearest || distance(nearest) > NEAR) return show("No point is near.");
  change(points.filter((p) => p !== nearest), `The point at ${shown(nearest.x)}, ${shown(nearest.y)} is gone.`);
}

function undo() {
  const before = past.pop();
  if (!before) return show("There is nothing to undo.");
  points.splice(0, points.length, ...before);
  show("Undone.");
}

function place(event) {
  const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(sheet.getScreenCTM().inverse());
  return { x: clamp(at.x), y: clamp(-at.y) };
}

function showCross(isShown) {
  part("cross").toggleAttribute("hidden", !isShown);
  part("cross").setAttribute("transform", `translate(${cross.x} ${-cross.y})`);
}

let last = null;
sheet.addEventListener("pointerdown", (event) => {
  const { x, y } = place(event);
  last = { x, y };
  draw(x, y);
  showCross(false);
  if (event.pointerType !== "touch") sheet.setPointerCapture(event.pointerId);
});
sheet.addEventListener("pointermove", (event) => {
  if (!last || !event.buttons) return;
  const { x, y } = place(event);
  if (Math.hypot(x - last.x, y - last.y) < 0.4) return;
  last = { x, y };
  draw(x, y);
});
addEventListener("pointerup", () => (last = null));

const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
sheet.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  const move = MOVES[event.key];
  if (move) {
    const step = event.shiftKey ? 1 : 0.2;
    cross.x = clamp(Math.round((cross.x + step * move[0]) * 100) / 100);
    cross.y = clamp(Math.round((cross.y + step * move[1]) * 100) / 100);
    showCross(true);
    part("told").textContent = `Cross at ${shown(cross.x)}, ${shown(cross.y)}.`;
  } else if (event.key === "Enter" || event.key === " ") {
    showCross(true);
    draw(cross.x, cross.y);
  } else if (event.key === "Delete" || event.key === "Backspace") {
    erase(cross.x, cross.y);
  } else if (event.key === "u" || event.key === "U") {
    undo();
  } else if (["1", "2", "3"].includes(event.key) && !isCurve()) {
    board.querySelector(`[name="board-class"][value="${event.key - 1}"]`).checked = true;
    part("told").textContent = `Class ${NAMES[event.key - 1]}.`;
  } else {
    return;
  }
  event.preventDefault();
});
sheet.addEventListener("focus", () => showCross(sheet.matches(":focus-visible")));
sheet.addEventListener("blur", () => showCross(false));
board.querySelectorAll('[name="board-kind"]').forEach((radio) => radio.addEventListener("change", () => show()));
part("undo").addEventListener("click", undo);
part("clear").addEventListener("click", () => change([], "The sheet is empty; undo brings it back."));
board.querySelector("form").addEventListener("submit", () => {
  board.querySelector("textarea[name=text]").value = table();
});
show();
