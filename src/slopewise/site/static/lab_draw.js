// Draws a lab's points on the plots of its frames. The text of the setting is what counts: a drawing writes it,
// and a new frame shows it.
import { Sheet } from "./sheet.js";

const PAUSE = 700; // milliseconds without a change, until the lab runs with what was drawn
const SVG = "http://www.w3.org/2000/svg";

export class Drawing {
  constructor(field, view) {
    this.field = field;
    this.view = view;
    this.tools = field.parentElement.querySelector(".drawing-tools");
    this.status = field.parentElement.querySelector(".heard");
    this.sheet = new Sheet({
      x: [0, 1],
      y: [0, 1],
      kinds: field.dataset.kinds ? field.dataset.kinds.split(" ") : [],
      most: Number(field.dataset.most),
      changed: (words) => this.write(words),
      told: (words) => this.tell(words),
      moved: () => this.show(),
    });
    this.sheet.listen(view, (event) => this.place(event));
    this.tools.addEventListener("click", (event) => this.press(event.target.closest("button")));
    view.addEventListener("keydown", (event) => {
      if (!event.target.matches?.(`svg[data-draws="${field.name}"]`) || !this.sheet.key(event)) return;
      event.preventDefault();
      event.stopPropagation();
      this.show();
    });
    view.addEventListener("focusin", (event) => event.target === this.plots()[0] && this.show());
  }

  plots() {
    return [...this.view.querySelectorAll(`svg[data-draws="${this.field.name}"]`)];
  }

  // A new frame has come: its plots become sheets, and what has the focus keeps it.
  attach() {
    this.sheet.points = this.read();
    if (this.field.value !== this.written) this.tell(this.count());
    for (const plot of this.plots()) {
      const [xLow, xHigh, yLow, yHigh] = plot.dataset.ends.split(" ").map(Number);
      if (this.ends !== plot.dataset.ends) {
        this.ends = plot.dataset.ends;
        Object.assign(this.sheet, { x: [xLow, xHigh], y: [yLow, yHigh] });
        if (!this.isUsed) Object.assign(this.sheet.cross, { x: (xLow + xHigh) / 2, y: (yLow + yHigh) / 2 });
      }
      plot.setAttribute("tabindex", "0");
      plot.setAttribute("role", "application");
      plot.setAttribute("aria-roledescription", "drawing sheet");
      plot.setAttribute("aria-keyshortcuts", "Enter M Delete U");
      const title = `${plot.getAttribute("aria-label")}. Arrows move a cross, with Shift further; Enter draws, M moves the nearest point, Delete erases it, U undoes.`;
      plot.setAttribute("aria-label", title);
      plot.append(document.createElementNS(SVG, "g"));
      plot.lastChild.setAttribute("class", "drawn");
    }
    if (this.hadFocus) this.plots()[0]?.focus({ preventScroll: true });
    this.hadFocus = false;
    this.show();
  }

  place(event) {
    const plot = event.target.closest?.(`svg[data-draws="${this.field.name}"]`) ?? (this.sheet.held && this.plots()[0]);
    if (!plot) return null;
    const [left, top, right, bottom] = plot.dataset.frame.split(" ").map(Number);
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(plot.getScreenCTM().inverse());
    const [across, up] = [(at.x - left) / (right - left), (bottom - at.y) / (bottom - top)];
    const isInside = [across, up].every((share) => share >= 0 && share <= 1);
    if (!isInside && !this.sheet.held) return null;
    const { x, y } = this.sheet;
    const on = (share, [low, high]) => Math.round((low + Math.min(1, Math.max(0, share)) * (high - low)) * 1000) / 1000;
    event.preventDefault();
    if (event.type === "pointerdown") plot.focus({ preventScroll: true });
    return { x: on(across, x), y: on(up, y) };
  }

  // ---- the setting's text

  read() {
    const { kinds } = this.sheet;
    return this.field.value.split(/[;\n]/).map((row) => row.trim().split(/[\s,]+/)).filter((cells) => cells.length > 1 && Number.isFinite(Number(cells[0]))).map(([x, y, kind]) => ({ x: Number(x), y: Number(y), kind: Math.max(0, kinds.indexOf(kind)) }));
  }

  write(words) {
    const { kinds, points } = this.sheet;
    this.isUsed = true;
    const number = (value) => String(Math.round(value * 1000) / 1000);
    this.field.value = points.map((point) => [number(point.x), number(point.y), ...(kinds.length ? [kinds[point.kind]] : [])].join(" ")).join("; ");
    this.written = this.field.value;
    this.tell(`${words} ${this.count()}`);
    this.show();
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.run(), PAUSE);
  }

  run() {
    if (this.sheet.held) return;
    this.hadFocus = this.plots().includes(document.activeElement);
    this.field.dispatchEvent(new Event("change", { bubbles: true }));
  }

  count() {
    const { kinds, points } = this.sheet;
    const by = kinds.map((kind, place) => `${points.filter((point) => point.kind === place).length} of ${kind}`);
    return `${points.length} ${points.length === 1 ? "row" : "rows"}${by.length ? `: ${by.join(", ")}` : ""}.`;
  }

  // ---- what is seen

  tell(words) {
    this.status.textContent = words;
  }

  press(button) {
    if (!button) return;
    const { kind, erase, undo, clear } = button.dataset;
    if (undo !== undefined) this.sheet.undo();
    else if (clear !== undefined) this.sheet.clear();
    else if (erase !== undefined) this.sheet.tool = this.sheet.tool === "erase" ? "one" : "erase";
    else {
      this.sheet.kind = Number(kind);
      this.sheet.tool = "one";
    }
    this.show();
  }

  show() {
    const { sheet } = this;
    for (const button of this.tools.querySelectorAll("[aria-pressed]")) {
      const isOn = "erase" in button.dataset ? sheet.tool === "erase" : Number(button.dataset.kind) === sheet.kind;
      button.setAttribute("aria-pressed", String(isOn));
    }
    for (const plot of this.plots()) {
      const [left, top, right, bottom] = plot.dataset.frame.split(" ").map(Number);
      const at = (point) => [left + ((point.x - sheet.x[0]) / (sheet.x[1] - sheet.x[0])) * (right - left), bottom - ((point.y - sheet.y[0]) / (sheet.y[1] - sheet.y[0])) * (bottom - top)];
      const marks = sheet.points.map((point) => {
        const mark = document.createElementNS(SVG, "circle");
        const [x, y] = at(sheet.seen(point));
        const look = sheet.kinds.length ? `k${point.kind}` : "own";
        mark.setAttribute("class", point === sheet.held ? `${look} held` : look);
        for (const [name, value] of Object.entries({ cx: x, cy: y, r: sheet.kinds.length ? 4.5 : 5.5 })) mark.setAttribute(name, value);
        return mark;
      });
      if (sheet.cross.isShown) {
        const [x, y] = at(sheet.cross);
        const cross = document.createElementNS(SVG, "path");
        cross.setAttribute("class", "cross");
        cross.setAttribute("d", `M${x - 11} ${y}H${x + 11}M${x} ${y - 11}V${y + 11}`);
        marks.push(cross);
      }
      plot.querySelector(".drawn")?.replaceChildren(...marks);
    }
  }
}
