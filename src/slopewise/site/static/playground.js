// The playground: wishes go by POST, what the worker makes comes by server-sent events, each message a delta.
import { predicted } from "./predictions.js";
import { remember, remembered } from "./site.js";
import { Chart, brief } from "./playground_chart.js";
import { Layers } from "./playground_layers.js";
import { Network, curvePath, paint } from "./playground_pictures.js";

const LINES = (score) => [
  { name: "training", look: "forward", column: score ? 3 : 2 },
  { name: "validation", look: "backward dashed", column: score ? 5 : 4 },
  { name: "test", look: "ink", column: score ? 7 : 6 },
];

const PREDICTED = 200; // the update that a prediction about a training is about
const LOOK_AGAIN = 3000; // milliseconds until what no worker was free for is asked for anew

class Playground {
  constructor(root) {
    this.root = root;
    this.form = root.querySelector("form");
    this.find = (selector) => root.querySelector(selector);
    this.most = Number(root.dataset.most);
    this.perEpoch = Number(root.dataset.perEpoch);
    this.points = [];
    this.step = this.seen = 0;
    this.asked = new Set(); // the kinds of predictions that were asked of this design
    this.state = "paused";
    this.wishes = Promise.resolve();
    this.charts = {
      loss: new Chart(this.find("[data-chart=loss]"), "loss", LINES(false), (step) => this.go(step)),
      score: new Chart(this.find("[data-chart=score]"), "score", LINES(true), (step) => this.go(step)),
    };
    this.network = new Network(this.find(".diagram"), this.find(".neuron"), () => this.inputs(), (map, name) => this.look(map, name), (...numbers) => this.set(...numbers));
    this.caption = this.find(".surface figcaption").textContent;
    this.layers = new Layers(this.find(".layers"), this.form.elements.layers, () => this.change());
    this.canvas = this.find(".stack canvas");
    this.skip = this.find("[data-skip]");
    this.skip.checked = remembered("skip-predictions", false);
    this.listen();
    this.suit();
    this.furthest = Number(root.dataset.furthest);
    const { step, ask, to } = root.dataset;
    this.preview().then(() => {
      if (ask) this.linked = { ask, step: Number(step), to: Number(to) };
      if (Number(step)) this.offer(Number(step));
      else if (this.linked) this.askLinked();
    });
  }

  // An address may name an update: it is offered, as opening a link trains nothing.
  offer(wanted) {
    this.offered = wanted;
    this.find("[data-go=run]").textContent = `Train to update ${wanted}`;
  }

  listen() {
    this.form.addEventListener("submit", (event) => event.preventDefault());
    this.find(".settings-column").addEventListener("change", (event) => {
      if (event.target.closest(".layers")) return;
      this.suit();
      this.change();
    });
    this.find(".transport").addEventListener("click", (event) => this.press(event.target.closest("[data-go]")?.dataset.go));
    this.find(".scrub").addEventListener("input", (event) => {
      clearTimeout(this.scrubbing);
      this.scrubbing = setTimeout(() => this.go(Number(event.target.value)), 60);
    });
    this.find(".prediction.needs-script").addEventListener("click", (event) => this.press(event.target.closest("[data-go]")?.dataset.go));
    this.skip.addEventListener("change", () => remember("skip-predictions", this.skip.checked));
    this.root.addEventListener("keydown", (event) => this.key(event));
    this.root.querySelectorAll("[data-next]").forEach((button) => button.addEventListener("click", () => this.next(button.dataset.next)));
    this.find("[data-forget-edits]").addEventListener("click", () => {
      this.form.elements.edits.value = "none";
      this.change();
    });
    this.root.querySelectorAll("[data-shows]").forEach((box) => box.addEventListener("change", () => this.leaveOut()));
    this.find("[data-open-test]").addEventListener("click", () => this.openTest());
    this.find("[data-discrete]").addEventListener("change", () => this.view && this.show(this.view));
    this.root.querySelectorAll("details.numbers").forEach((part) => part.addEventListener("toggle", () => {
      this.fillTable();
      this.fillPictureTable();
    }));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.view && this.show(this.view));
    addEventListener("pagehide", () => this.job && this.send("stop", {}, true));
  }

  key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || event.target.closest("input, select, textarea, .scroll")) return;
    const action = { ArrowRight: "on", ArrowLeft: "back", Home: "first", e: "epoch", p: "run" }[event.key];
    if (!action) return;
    event.preventDefault();
    this.press(action);
  }

  press(action) {
    const known = this.state === "running" ? this.step : (this.wanted ?? this.step);
    const isWorking = this.job && ["running", "waiting"].includes(this.state);
    if (action === "first") this.back(0);
    else if (action === "back") this.back(Math.max(0, known - 1));
    else if (action === "on") this.forward("update", Math.min(this.most, known + 1));
    else if (action === "epoch") this.forward("train", Math.min(this.most, this.step + this.perEpoch - (this.step % this.perEpoch)));
    else if (action === "run" && isWorking) this.pause();
    else if (action === "run" && this.offered > this.step) this.forward("train", this.offered);
    else if (action === "run") this.forward("train", this.most);
    else if (action === "commit") this.commit();
    else if (action === "skip") this.goOn();
  }

  // ---- predictions: what is shown for the first time is asked about before, once for each kind and design

  forward(ask, to) {
    const about = ask === "train" && to > this.furthest && this.step < PREDICTED ? PREDICTED : to;
    const question = { ask, step: this.step, to: about, then: to };
    if (about > this.seen && !this.linked && this.mayAsk(question)) this.ask(question);
    else this.go(to);
  }

  back(to) {
    const question = { ask: "rewind", step: this.step, to, then: to };
    if (to < this.step && this.mayAsk(question)) this.ask(question);
    else this.go(to);
  }

  mayAsk({ ask, step, to }) {
    const isAtRest = !["running", "waiting"].includes(this.state);
    return isAtRest && !this.skip.checked && !this.asked.has(ask) && Math.max(step, to) <= this.furthest;
  }

  askLinked() {
    const { ask, step, to } = this.linked;
    this.linked = undefined;
    this.ask({ ask, step, to, then: to });
  }

  async ask(question) {
    const { ask, step, to } = question;
    this.asked.add(ask);
    this.question = question;
    const answer = await this.fetch(`/playground/question?${this.query()}&${new URLSearchParams({ ask, step, to })}`);
    if (this.question !== question) return; // another wish came meanwhile
    if (answer.error) {
      this.goOn();
      return;
    }
    const box = this.find(".prediction.needs-script");
    box.querySelector("p").textContent = answer.question;
    box.querySelector(".choices").replaceChildren(...answer.choices.map((text, k) => {
      const label = document.createElement("label");
      const field = Object.assign(document.createElement("input"), { type: "radio", name: "guess-of-script", value: k });
      label.append(field, " ", Object.assign(document.createElement("span"), { textContent: text }));
      return label;
    }));
    box.hidden = false;
    this.find(".verdict").hidden = true;
    box.querySelector("input").focus();
  }

  commit() {
    const guess = this.find(".prediction.needs-script input:checked");
    if (!guess) {
      this.say("Choose one of the answers first, or skip.");
      this.find(".prediction.needs-script input").focus();
      return;
    }
    const { ask, step, to } = this.question;
    this.guess = { ask, step, to, guess: guess.value };
    this.goOn(to);
  }

  // Goes where the question stood in the way, or to what it is about.
  goOn(to = this.question?.then) {
    this.say("");
    this.dropQuestion();
    this.find("[data-go=run]").focus();
    if (to !== undefined) this.go(to);
  }

  dropQuestion() {
    this.question = undefined;
    this.find(".prediction.needs-script").hidden = true;
  }

  // Once the step is shown that a guess was about, the server says what the numbers say of it.
  async judge(view) {
    const { guess } = this;
    if (!guess || view.step !== guess.to) return;
    this.guess = undefined;
    const query = `${this.query()}&${new URLSearchParams(guess)}`;
    let verdict = await this.fetch("/playground/verdicts", { query });
    for (let tries = 0; verdict.busy && tries < 5; tries++) {
      await new Promise((done) => setTimeout(done, LOOK_AGAIN));
      verdict = await this.fetch("/playground/verdicts", { query });
    }
    if (verdict.error) {
      this.say(`No verdict on your prediction: ${verdict.error}`);
      return;
    }
    const box = this.find(".verdict");
    box.className = `verdict ${verdict.right ? "right" : "other"}`;
    const told = document.createElement("p");
    told.append(Object.assign(document.createElement("strong"), { textContent: verdict.right ? "You were right." : "It went otherwise." }));
    told.append(` You predicted: ${verdict.guess}.${verdict.right ? "" : ` It was: ${verdict.answer}.`} ${verdict.because}`);
    box.replaceChildren(told);
    box.hidden = false;
    const note = await predicted({ slug: "playground", step: guess.step, query: verdict.query, verdict, title: "Playground", question: verdict.question });
    if (note) box.append(Object.assign(document.createElement("p"), { className: "aside", textContent: note }));
  }

  // ---- settings

  query() {
    const query = new URLSearchParams(new FormData(this.form));
    query.delete("form_token");
    query.delete("step");
    query.delete("guess");
    query.delete("hide");
    query.delete("guess-of-script");
    const inputs = [...query.keys()].filter((name) => name.startsWith("input."));
    inputs.forEach((name) => query.delete(name));
    query.set("features", inputs.map((name) => name.slice(6)).join(","));
    return query.toString();
  }

  // Other rows, or other first weights: the next seed.
  next(name) {
    const field = this.form.elements[name];
    field.value = (Number(field.value) + 1) % (Number(field.max) + 1);
    this.change();
  }

  // A weight set by hand at the update that is shown: part of the design, as all that the script must repeat.
  set(linear, row, column, value) {
    const edits = this.form.elements.edits;
    const place = `${this.step}:${linear}.${row}.${column}=`;
    const others = edits.value.split(",").filter((entry) => entry !== "none" && !entry.startsWith(place));
    edits.value = [...others, place + String(Number(value.toFixed(6)))].join(",");
    this.find(".by-hand").classList.remove("without-script");
    this.after = this.step;
    this.change();
  }

  // What is left out of the page is named in the address.
  leaveOut() {
    const names = [...this.root.querySelectorAll("[data-shows]:not(:checked)")].map((box) => box.dataset.shows);
    this.root.querySelectorAll("[data-part-name]").forEach((part) => part.classList.toggle("left-out", names.includes(part.dataset.partName)));
    const address = new URL(location);
    if (names.length) address.searchParams.set("hide", names.join(","));
    else address.searchParams.delete("hide");
    this.note(address);
  }

  // Writes the address; what the page leaves out stays in it.
  note(address) {
    const made = new URL(address, location);
    const names = [...this.root.querySelectorAll("[data-shows]:not(:checked)")].map((box) => box.dataset.shows);
    if (names.length) made.searchParams.set("hide", names.join(","));
    history.replaceState(null, "", made.pathname + made.search.replaceAll("%2C", ",").replaceAll("%3A", ":"));
  }

  inputs() {
    return this.columns ?? [...this.form.querySelectorAll(".ticks input:checked")].map((box) => box.parentElement.textContent.trim());
  }

  // Hides hyperparameters that the chosen optimizer or schedule does not have.
  suit() {
    this.form.querySelectorAll("[data-only]").forEach((setting) => {
      const [kind, ...having] = setting.dataset.only.split(" ");
      setting.hidden = !having.includes(this.form.elements[kind].value);
    });
  }

  change() {
    if (!this.form.reportValidity()) return;
    this.leave();
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.preview(), 150);
  }

  async preview() {
    const number = (this.previews = (this.previews ?? 0) + 1);
    const answer = await this.fetch(`/playground/preview?${this.query()}`);
    if (number !== this.previews) return;
    this.say(answer.error ?? "");
    if (answer.error) return;
    this.fresh = answer;
    this.view = undefined;
    this.perEpoch = answer.per_epoch;
    this.find(".overlay").innerHTML = answer.overlay;
    this.canvas.hidden = true;
    this.placeCanvas();
    this.find(".formulas").innerHTML = answer.formula;
    this.find(".program").innerHTML = answer.code;
    this.find(".download").href = `/playground/program.py?${this.query()}`;
    this.tellOwn(answer);
    this.find(".words").textContent = answer.words;
    this.find(".parameters").textContent = `${answer.parameters} parameters. The layer that makes the outputs is added by itself.`;
    this.root.querySelectorAll(".score-name").forEach((place) => {
      const name = answer.metric === "r2" ? "R²" : "Accuracy";
      place.textContent = place.tagName === "TH" ? name : `${name} over updates`;
    });
    this.root.querySelectorAll("[data-part] > td:nth-child(2)").forEach((cell, k) => {
      cell.textContent = Object.values(answer.rows)[k];
    });
    this.seal();
    this.asked = new Set();
    this.guess = undefined;
    this.seen = 0;
    this.dropQuestion();
    this.find(".verdict").hidden = true;
    this.points = [];
    this.wanted = undefined;
    this.take({ state: "paused", step: 0, points: [] });
    if (!this.offered && !this.root.dataset.ask) this.note(answer.address);
    delete this.root.dataset.ask;
    const { after } = this;
    this.after = undefined;
    if (after) this.go(after);
    else await this.untrained(number);
  }

  // What the network says before its first update needs a worker: while none is free, the rows are there to see.
  async untrained(number) {
    const answer = await this.fetch("/playground/untrained", { query: this.query() });
    if (number !== this.previews || this.view) return;
    if (answer.view) {
      this.busy = "";
      if (!this.job) this.take({ state: "paused", step: 0, points: [answer.view.scores], view: answer.view });
    } else if (answer.busy) {
      this.busy = "All workers are taken; the untrained network is drawn when one is free.";
      this.told({ state: this.state });
      setTimeout(() => number === this.previews && this.untrained(number), LOOK_AGAIN);
    } else this.say(answer.error);
  }

  // The pixels lie within the axes of the picture.
  placeCanvas() {
    const [left, top, right, bottom] = this.fresh.frame;
    const [width, height] = this.fresh.size;
    const share = (part, whole) => `${(100 * part) / whole}%`;
    Object.assign(this.canvas.style, { left: share(left, width), top: share(top, height), width: share(right - left, width), height: share(bottom - top, height) });
  }

  // What the colours mean; of own data with more than two columns all are inputs.
  tellOwn(answer) {
    this.find(".legend.classes").replaceChildren(...answer.legend.map((name, k) => Object.assign(document.createElement("span"), { className: `class-${k}`, textContent: name })));
    this.find(".discrete").hidden = answer.metric !== "accuracy" || answer.axes[0] === "x";
    this.columns = answer.inputs ?? undefined;
    this.find(".ticks").hidden = Boolean(answer.inputs);
    const place = this.find(".own-inputs");
    place.hidden = !answer.own;
    if (answer.own) place.textContent = `${answer.inputs ? `All columns of numbers: ${answer.inputs.join(", ")}. ` : ""}The target is ${answer.own.target}. Columns are standardised by the training rows.`;
  }

  // ---- wishes

  go(step) {
    this.wanted = step;
    this.wish(() => (this.job ? this.send("go", { step }) : this.start(step)));
  }

  pause() {
    this.wish(async () => {
      if (this.job) await this.send("pause", {});
      this.wanted = undefined;
    });
  }

  // One wish after the other, so that none overtakes the start of the training.
  wish(work) {
    this.wishes = this.wishes.then(work).catch((error) => this.say(String(error)));
  }

  async start(step, isForTest = false) {
    if (step === 0 && this.step === 0 && !isForTest) return;
    const answer = await this.fetch("/playground/jobs", { query: this.query(), step });
    if (answer.error) {
      this.say(answer.error);
      return;
    }
    this.offered = undefined;
    this.busy = "";
    this.job = answer.job;
    this.say("");
    this.source = new EventSource(`/playground/jobs/${this.job}/events`);
    this.source.addEventListener("message", (event) => this.take(JSON.parse(event.data)));
    this.source.addEventListener("error", () => {
      if (this.source?.readyState === EventSource.CLOSED) this.lost("The training has ended; train again to go on where you were.");
    });
  }

  async send(action, fields, keepalive = false) {
    const answer = await this.fetch(`/playground/jobs/${this.job}/${action}`, fields, keepalive);
    if (answer.error) this.lost(answer.error);
    return answer;
  }

  async fetch(address, fields, keepalive = false) {
    const options = { headers: { Accept: "application/json" }, keepalive };
    if (fields) {
      options.method = "POST";
      options.body = JSON.stringify(fields);
      options.headers["Content-Type"] = "application/json";
      options.headers["X-Form-Token"] = this.form.elements.form_token.value;
    }
    try {
      const response = await fetch(address, options);
      return { busy: response.status === 503, ...(await response.json()) };
    } catch {
      return { error: "The server does not answer. Is it still running?" };
    }
  }

  lost(why) {
    this.source?.close();
    this.source = this.job = undefined;
    this.wanted = undefined;
    this.say(why);
    this.told({ state: "paused" });
  }

  leave() {
    if (this.job) this.send("stop", {}, true);
    this.source?.close();
    this.source = this.job = undefined;
    this.offered = undefined;
  }

  async openTest() {
    this.wish(async () => {
      if (!this.job) await this.start(this.step, true);
      if (!this.job) return;
      const answer = await this.send("open-test", {});
      if (answer.overlay) {
        this.find(".overlay").innerHTML = answer.overlay;
        if (this.view) this.show(this.view);
      }
    });
  }

  seal() {
    const row = this.find('[data-part="6"]');
    if (row.querySelector(".sealed")) return;
    row.replaceChildren(...[...row.children].slice(0, 2));
    const cell = row.insertCell();
    cell.className = "sealed";
    cell.colSpan = 2;
    const button = Object.assign(document.createElement("button"), { type: "button", className: "quiet", textContent: "Open the test set" });
    button.addEventListener("click", () => this.openTest());
    cell.append("sealed ", button);
    this.find(".openings").hidden = true;
  }

  say(text) {
    const place = this.find(".problem");
    place.textContent = text;
    place.hidden = !text;
  }

  // ---- what comes

  take(message) {
    if (message.from === -1) this.points = [];
    this.points.push(...message.points);
    if (message.state === "ended") {
      this.lost(message.why === "stopped" ? "" : `The training has ended: ${message.why}.`);
    }
    this.state = message.state;
    this.step = message.step;
    this.seen = Math.max(this.seen, this.step);
    if (this.state === "paused") this.wanted = undefined;
    if (message.openings?.length) this.opened(message.openings);
    if (message.view) {
      this.show(message.view);
      this.judge(message.view);
    }
    this.charts.loss.draw(this.points, this.step);
    this.charts.score.draw(this.points, this.step);
    this.told(message);
    if (this.state === "paused" && this.job) {
      const query = new URLSearchParams((this.fresh.address.split("?")[1] ?? ""));
      query.set("step", this.step);
      this.note(`/playground?${query}`);
      this.find(".download").href = `/playground/program.py?${this.query()}&step=${this.step}`;
      this.find(".program .mi").textContent = this.step; // UPDATES, the first number of the script
      this.fillTable();
      if (this.linked?.step === this.step) this.askLinked();
    }
  }

  told(message) {
    const working = ["running", "waiting"].includes(message.state);
    const button = this.find("[data-go=run]");
    if (!this.offered) button.textContent = working ? "Pause" : "Train";
    const furthest = Math.max(this.step, this.points.at(-1)?.[0] ?? 0);
    const scrub = this.find(".scrub");
    scrub.max = furthest;
    if (document.activeElement !== scrub || working) scrub.value = this.step;
    this.find(".place").textContent = `update ${this.step} · epoch ${(this.step / this.perEpoch).toFixed(1)}`;
    this.find("[data-go=first]").disabled = this.find("[data-go=back]").disabled = this.step === 0 && !working;
    const status = message.place ? `All workers are taken: you are number ${message.place} in the queue.` : (this.busy ?? "");
    if (this.find(".status").textContent !== status) this.find(".status").textContent = status;
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
    const numbers = view.scores;
    this.root.querySelectorAll("[data-part]").forEach((row) => {
      const place = Number(row.dataset.part);
      if (numbers[place] === undefined) return;
      if (row.querySelector(".sealed")) {
        row.querySelector(".sealed").remove();
        row.insertCell();
        row.insertCell();
      }
      row.cells[2].textContent = numbers[place] === null ? "not a number" : numbers[place].toFixed(4);
      row.cells[3].textContent = numbers[place + 1] === null ? "not a number" : numbers[place + 1].toFixed(3);
    });
    this.find(".words").textContent = view.words;
    this.fillPictureTable();
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

  fillPictureTable() {
    const table = this.find(".picture-table");
    if (!this.view || !table.closest("details").open) return;
    const row = (cells, tag) => {
      const made = document.createElement("tr");
      cells.forEach((text, k) => made.append(Object.assign(document.createElement(k && tag === "td" ? "td" : "th"), { scope: tag === "td" ? "row" : "col", textContent: text })));
      return made;
    };
    const [across, up] = this.fresh.axes;
    table.tHead.replaceChildren(row([`${up} \\ ${across}`, ...this.view.table.columns], "th"));
    table.tBodies[0].replaceChildren(...this.view.table.rows.map((cells) => row(cells, "td")));
  }

  opened(openings) {
    const place = this.find(".openings");
    place.hidden = false;
    place.textContent = `Log: this test set was opened ${openings.length === 1 ? "once" : `${openings.length} times`}, at update ${openings.join(", ")}. Whatever you choose from now on may be fitted to it; new rows (another data seed) make a new one.`;
  }

  fillTable() {
    const table = this.find(".curve-table");
    if (!table.closest("details").open) return;
    const names = ["Update", "Loss of the batch", "Training loss", "Training score", "Validation loss", "Validation score", "Test loss", "Test score"];
    const columns = this.points[0]?.length ?? 6;
    const row = (cells, tag) => {
      const made = document.createElement("tr");
      cells.forEach((text, k) => made.append(Object.assign(document.createElement(k && tag === "td" ? "td" : "th"), { scope: tag === "td" ? "row" : "col", textContent: text })));
      return made;
    };
    table.tHead.replaceChildren(row(names.slice(0, columns), "th"));
    table.tBodies[0].replaceChildren(...this.points.map((point) => row(point.map((value, k) => (k ? (value === null ? "–" : brief(value)) : value)), "td")));
  }
}

document.querySelectorAll(".playground").forEach((root) => new Playground(root));
