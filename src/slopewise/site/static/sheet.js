// Points on a plane, put there by pointer or with the keys alone. It knows nothing of how they are shown: who
// shows them is told, in words, of each change and of each move of the cross.
const GRAB = 0.022, NEAR = 0.045; // of the sheet's width: to take a point up, and to find one for the eraser
const PATH = 0.04; // of it: how far apart a drag draws
const SPRAYED = 6, SPREAD = 0.045, STEPS_BACK = 200;
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
export const shown = (value) => value.toFixed(2).replace("-", "−");

export class Sheet {
  // x, y: the ends of the plane; kinds: names of the classes, [] for none; most: points it holds.
  // changed, told and moved are called after a change, with words for who cannot see, and while a point is dragged.
  constructor({ x, y, kinds, most, changed, told, moved }) {
    Object.assign(this, { x, y, kinds, most, changed, told, moved });
    this.points = []; // {x, y, kind}
    this.past = [];
    this.kind = 0;
    this.tool = "one";
    this.held = null; // the point that is being moved
    this.carried = null; // where the pointer has it
    this.cross = { x: (x[0] + x[1]) / 2, y: (y[0] + y[1]) / 2, isShown: false };
  }

  within(value, [low, high]) {
    return Math.min(high, Math.max(low, value));
  }

  nearest(x, y, reach) {
    const span = [this.x[1] - this.x[0], this.y[1] - this.y[0]];
    const far = (point) => Math.hypot((point.x - x) / span[0], (point.y - y) / span[1]);
    const found = this.points.reduce((best, point) => (best && far(best) <= far(point) ? best : point), null);
    return found && far(found) <= reach ? found : null;
  }

  // Where a point is seen.
  seen(point) {
    return point === this.held ? (this.carried ?? point) : point;
  }

  // ---- changes

  change(next, words) {
    this.past.push(this.points);
    if (this.past.length > STEPS_BACK) this.past.shift();
    this.points = next;
    this.changed(words);
  }

  press(x, y) {
    if (this.tool === "erase") return this.erase(x, y);
    if (this.held) return this.putDown(x, y);
    const made = [];
    const many = this.tool === "spray" ? SPRAYED : 1;
    // The sum of a few uniform numbers is near enough to a bell.
    const bell = (ends) => (many === 1 ? 0 : (Math.random() + Math.random() + Math.random() - 1.5) * 2 * SPREAD * (ends[1] - ends[0]));
    for (let n = 0; n < many && this.points.length + made.length < this.most; n += 1) {
      made.push({ x: this.within(x + bell(this.x), this.x), y: this.within(y + bell(this.y), this.y), kind: this.kinds.length ? this.kind : 0 });
    }
    if (!made.length) return this.told("The sheet is full.");
    const what = this.kinds.length ? ` of class ${this.kinds[this.kind]}` : "";
    this.change([...this.points, ...made], `${made.length === 1 ? "A point" : `${made.length} points`}${what} at ${shown(x)}, ${shown(y)}.`);
  }

  erase(x, y) {
    const found = this.nearest(x, y, NEAR);
    if (!found) return this.told("No point is near.");
    this.change(this.points.filter((point) => point !== found), `The point at ${shown(found.x)}, ${shown(found.y)} is gone.`);
  }

  takeUp(x, y, reach = GRAB) {
    this.held = this.nearest(x, y, reach);
    if (this.held) this.told(`The point at ${shown(this.held.x)}, ${shown(this.held.y)} is taken up.`);
    return this.held;
  }

  putDown(x, y) {
    const { held } = this;
    this.held = this.carried = null;
    const put = { ...held, x: this.within(x, this.x), y: this.within(y, this.y) };
    Object.assign(this.cross, { x: put.x, y: put.y }); // where the keys go on
    this.change(this.points.map((point) => (point === held ? put : point)), `The point is at ${shown(put.x)}, ${shown(put.y)} now.`);
  }

  clear() {
    this.held = this.carried = null;
    this.change([], "The sheet is empty; undo brings it back.");
  }

  undo() {
    this.held = this.carried = null;
    if (!this.past.length) return this.told("There is nothing to undo.");
    this.points = this.past.pop();
    this.changed("Undone.");
  }

  // ---- hands

  // Returns whether the key meant the sheet.
  key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return false;
    const move = MOVES[event.key];
    const { cross } = this;
    if (move) {
      const part = event.shiftKey ? 0.1 : 0.02;
      const to = (value, ends, way) => this.within(Math.round((value + way * part * (ends[1] - ends[0])) * 1000) / 1000, ends);
      Object.assign(cross, { x: to(cross.x, this.x, move[0]), y: to(cross.y, this.y, move[1]), isShown: true });
      this.told(`Cross at ${shown(cross.x)}, ${shown(cross.y)}.`);
    } else if (event.key === "Enter" || event.key === " ") {
      cross.isShown = true;
      this.press(cross.x, cross.y);
    } else if (event.key === "m" || event.key === "M") {
      if (this.held) this.putDown(cross.x, cross.y);
      else if (!this.takeUp(cross.x, cross.y, NEAR)) this.told("No point is near.");
    } else if (event.key === "Escape" && this.held) {
      this.held = this.carried = null;
      this.told("It stays where it was.");
    } else if (event.key === "Delete" || event.key === "Backspace") {
      this.erase(cross.x, cross.y);
    } else if (event.key === "u" || event.key === "U") {
      this.undo();
    } else if (this.kinds[Number(event.key) - 1]) {
      this.kind = Number(event.key) - 1;
      this.told(`Class ${this.kinds[this.kind]}.`);
    } else {
      return false;
    }
    return true;
  }

  // A mouse draws while it moves, or drags the point that it began on. A finger scrolls the page, so it taps:
  // on a point to take it up, elsewhere to put it down. `place` says where on the plane an event is, or null.
  listen(element, place, { isFree = false } = {}) {
    let last = null;
    const begin = (event) => {
      const at = place(event);
      if (!at) return;
      this.cross.isShown = false;
      Object.assign(this.cross, at);
      if (this.tool === "one" && !this.held && this.takeUp(at.x, at.y)) {
        last = event.pointerType === "touch" && !isFree ? null : at;
        return;
      }
      last = at;
      this.press(at.x, at.y);
    };
    element.addEventListener("pointerdown", (event) => {
      if (event.pointerType === "touch" && !isFree) return;
      begin(event);
    });
    element.addEventListener("click", (event) => event.pointerType === "touch" && !isFree && begin(event));
    element.addEventListener("pointermove", (event) => {
      const at = last && event.buttons ? place(event) : null;
      if (at && this.held) {
        this.carried = at;
        this.moved();
      }
      if (!at || this.held || this.tool === "erase") return;
      const far = Math.hypot((at.x - last.x) / (this.x[1] - this.x[0]), (at.y - last.y) / (this.y[1] - this.y[0]));
      if (far < PATH) return;
      last = at;
      this.press(at.x, at.y);
    });
    addEventListener("pointerup", (event) => {
      const at = last && this.held ? place(event) : null;
      last = null;
      if (at) this.putDown(at.x, at.y);
    });
  }
}
