// The playground: what is pressed and set becomes wishes; what comes of them is shown, an update at a time.
import { Layers } from "./playground_layers.js";
import { Predictions } from "./playground_predictions.js";
import { Readings } from "./playground_readings.js";
import { Settings } from "./playground_settings.js";
import { Training } from "./playground_training.js";

const LOOK_AGAIN = 3000; // milliseconds until what no worker was free for is asked for anew

class Playground {
  constructor(root) {
    this.root = root;
    this.form = root.querySelector("form");
    this.find = (selector) => root.querySelector(selector);
    this.most = Number(root.dataset.most);
    this.perEpoch = Number(root.dataset.perEpoch);
    this.step = this.seen = 0;
    this.state = "paused";
    this.settings = new Settings(root, this.form);
    this.training = new Training(this);
    this.readings = new Readings(this);
    this.predictions = new Predictions(this);
    this.layers = new Layers(this.find(".layers"), this.form.elements.layers, () => this.change());
    this.listen();
    this.settings.suit();
    const { step, ask, to } = root.dataset;
    this.preview().then(() => {
      if (ask) this.predictions.linked = { ask, step: Number(step), to: Number(to) };
      if (Number(step)) this.offer(Number(step));
      else if (ask) this.predictions.askLinked();
    });
  }

  // An address may name an update: it is offered, as opening a link trains nothing.
  offer(wanted) {
    this.offered = wanted;
    this.find("[data-go=run]").textContent = `Train to update ${wanted}`;
  }

  get isWorking() {
    return Boolean(this.training.job) && !this.isAtRest;
  }

  get isAtRest() {
    return !["running", "waiting"].includes(this.state);
  }

  // ---- what is pressed and set

  listen() {
    this.form.addEventListener("submit", (event) => event.preventDefault());
    this.find(".settings-column").addEventListener("change", (event) => {
      if (event.target.closest(".layers")) return;
      this.settings.suit();
      this.change();
    });
    const press = (event) => this.press(event.target.closest("[data-go]")?.dataset.go);
    this.find(".transport").addEventListener("click", press);
    this.find(".prediction.needs-script").addEventListener("click", press);
    this.find(".scrub").addEventListener("input", (event) => {
      clearTimeout(this.scrubbing);
      this.scrubbing = setTimeout(() => this.go(Number(event.target.value)), 60);
    });
    this.root.addEventListener("keydown", (event) => this.key(event));
    this.root.querySelectorAll("[data-next]").forEach((button) => button.addEventListener("click", () => {
      this.settings.next(button.dataset.next);
      this.change();
    }));
    this.find("[data-forget-edits]").addEventListener("click", () => {
      this.form.elements.edits.value = "none";
      this.change();
    });
    this.root.querySelectorAll("[data-shows]").forEach((box) => box.addEventListener("change", () => this.settings.leaveOut()));
  }

  key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || event.target.closest("input, select, textarea, .scroll")) return;
    const action = { ArrowRight: "on", ArrowLeft: "back", Home: "first", e: "epoch", p: "run" }[event.key];
    if (!action) return;
    event.preventDefault();
    this.press(action);
  }

  press(action) {
    const { predictions } = this;
    const known = this.state === "running" ? this.step : (this.wanted ?? this.step);
    if (action === "first") predictions.back(0);
    else if (action === "back") predictions.back(Math.max(0, known - 1));
    else if (action === "on") predictions.forward("update", Math.min(this.most, known + 1));
    else if (action === "epoch") predictions.forward("train", Math.min(this.most, this.step + this.perEpoch - (this.step % this.perEpoch)));
    else if (action === "run" && this.isWorking) this.pause();
    else if (action === "run" && this.offered > this.step) predictions.forward("train", this.offered);
    else if (action === "run") predictions.forward("train", this.most);
    else if (action === "commit") predictions.commit();
    else if (action === "skip") predictions.goOn();
  }

  // A weight is set by hand at the update that is shown, and the training goes there again.
  set(...numbers) {
    this.settings.set(this.step, ...numbers);
    this.after = this.step;
    this.change();
  }

  // ---- wishes

  go(step) {
    this.wanted = step;
    this.training.go(step);
  }

  pause() {
    this.training.wish(async () => {
      if (this.training.job) await this.training.send("pause", {});
      this.wanted = undefined;
    });
  }

  openTest() {
    this.training.wish(async () => {
      if (!this.training.job) await this.training.start(this.step);
      if (!this.training.job) return;
      const answer = await this.training.send("open-test", {});
      if (answer.overlay) this.readings.showTest(answer.overlay);
    });
  }

  // ---- another design

  change() {
    if (!this.form.reportValidity()) return;
    this.training.leave();
    this.offered = undefined;
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.preview(), 150);
  }

  async preview() {
    const number = (this.previews = (this.previews ?? 0) + 1);
    const answer = await this.training.ask(`/playground/preview?${this.settings.query()}`);
    if (number !== this.previews) return;
    this.say(answer.error ?? "");
    if (answer.error) return;
    this.address = answer.address;
    this.perEpoch = answer.per_epoch;
    this.readings.begin(answer);
    this.find(".download").href = `/playground/program.py?${this.settings.query()}`;
    this.predictions.begin();
    this.seen = 0;
    this.wanted = undefined;
    this.take({ state: "paused", step: 0, points: [] });
    if (!this.offered && !this.root.dataset.ask) this.settings.note(answer.address);
    delete this.root.dataset.ask;
    const { after } = this;
    this.after = undefined;
    if (after) this.go(after);
    else await this.untrained(number);
  }

  // What the network says before its first update needs a worker: while none is free, the rows are there to see.
  async untrained(number) {
    const answer = await this.training.ask("/playground/untrained", { query: this.settings.query() });
    if (number !== this.previews || this.readings.view) return;
    if (answer.view) {
      this.busy = "";
      if (!this.training.job) this.take({ state: "paused", step: 0, points: [answer.view.scores], view: answer.view });
    } else if (answer.busy) {
      this.busy = "All workers are taken; the untrained network is drawn when one is free.";
      this.told({ state: this.state });
      setTimeout(() => number === this.previews && this.untrained(number), LOOK_AGAIN);
    } else this.say(answer.error);
  }

  // ---- what comes of it

  begun() {
    this.offered = undefined;
    this.busy = "";
    this.say("");
  }

  lost(why) {
    this.wanted = undefined;
    this.say(why);
    this.told({ state: "paused" });
  }

  take(message) {
    this.readings.add(message);
    if (message.state === "ended") {
      this.training.lose(message.why === "stopped" ? "" : `The training has ended: ${message.why}.`);
    }
    this.state = message.state;
    this.step = message.step;
    this.seen = Math.max(this.seen, this.step);
    if (this.state === "paused") this.wanted = undefined;
    if (message.openings?.length) this.readings.opened(message.openings);
    if (message.view) {
      this.readings.show(message.view);
      this.predictions.judge(message.view);
    }
    this.readings.draw(this.step);
    this.told(message);
    if (this.state === "paused" && this.training.job) this.rest();
  }

  // Where a training rests, address, script and tables are those of its update.
  rest() {
    const query = new URLSearchParams((this.address.split("?")[1] ?? ""));
    query.set("step", this.step);
    this.settings.note(`/playground?${query}`);
    this.find(".download").href = `/playground/program.py?${this.settings.query()}&step=${this.step}`;
    this.find(".program .mi").textContent = this.step; // UPDATES, the first number of the script
    this.readings.fillCurveTable();
    if (this.predictions.linked?.step === this.step) this.predictions.askLinked();
  }

  told(message) {
    const working = ["running", "waiting"].includes(message.state);
    const button = this.find("[data-go=run]");
    if (!this.offered) button.textContent = working ? "Pause" : "Train";
    const scrub = this.find(".scrub");
    scrub.max = Math.max(this.step, this.readings.furthest);
    if (document.activeElement !== scrub || working) scrub.value = this.step;
    this.find(".place").textContent = `update ${this.step} · epoch ${(this.step / this.perEpoch).toFixed(1)}`;
    this.find("[data-go=first]").disabled = this.find("[data-go=back]").disabled = this.step === 0 && !working;
    const status = message.place ? `All workers are taken: you are number ${message.place} in the queue.` : (this.busy ?? "");
    if (this.find(".status").textContent !== status) this.find(".status").textContent = status;
  }

  say(text) {
    const place = this.find(".problem");
    place.textContent = text;
    place.hidden = !text;
  }
}

document.querySelectorAll(".playground").forEach((root) => new Playground(root));
