// Labs without reloading: the form's answers come as one piece of HTML from the server, which runs the engine.
import { Drawing } from "./lab_draw.js";
import { predicted } from "./predictions.js";
import { remember, remembered } from "./site.js";

const LOOK_AGAIN = 700; // milliseconds until a run that waits is asked after
let noting = 0;

// Notes where in the lesson one is, once one stays there.
function whereabouts(address) {
  const { lesson, title } = document.querySelector("article.lesson").dataset;
  clearTimeout(noting);
  noting = setTimeout(() => remember("last", { slug: lesson, title, address: `${address}#lab` }), 2000);
}

class LabPanel {
  constructor(root) {
    this.root = root;
    this.form = root.querySelector("form");
    this.view = root.querySelector(".view");
    this.scrub = root.querySelector(".scrub");
    this.place = root.querySelector(".place");
    this.problem = root.querySelector(".problem");
    this.skip = root.querySelector("[data-skip]");
    this.stepName = this.place.textContent.trim().split(" ")[0];
    this.state = root.dataset.state;
    this.step = Number(root.dataset.step);
    this.steps = Number(root.dataset.steps);
    this.gates = root.dataset.gates ? root.dataset.gates.split(",").map(Number) : [];
    this.passed = new Set(this.gates.filter((gate) => gate < this.step));
    this.answers = new Map(); // address of a frame -> promise of its answer
    this.request = 0;
    this.skip.checked = remembered("skip-predictions", false);
    this.drawings = [...root.querySelectorAll("[data-points]")].map((field) => new Drawing(field, this.view));
    this.listen();
    this.dress();
    this.showWhatCounts();
    if (this.state === "waiting") this.lookAgain(root.dataset.guess);
  }

  listen() {
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.press(event.submitter);
    });
    this.skip.addEventListener("change", () => remember("skip-predictions", this.skip.checked));
    this.scrub.addEventListener("input", () => this.go(Number(this.scrub.value)));
    this.form.querySelectorAll(".settings [name]").forEach((field) => {
      field.addEventListener("change", () => this.restart());
    });
    this.form.querySelectorAll(".settings [data-for]").forEach((slider) => this.pair(slider));
    this.root.addEventListener("keydown", (event) => this.key(event));
    this.view.addEventListener("click", (event) => this.follow(event));
    this.view.addEventListener("pointerdown", (event) => event.pointerType !== "touch" && this.pick(event));
    this.view.addEventListener("click", (event) => event.pointerType === "touch" && this.pick(event));
    this.view.addEventListener("pointermove", (event) => event.buttons && this.picking && this.pick(event));
    addEventListener("pointerup", () => (this.picking = undefined));
  }

  // A link inside of a picture sets a setting, and goes on at a step.
  follow(event) {
    const link = event.target.closest?.("a[data-sets]");
    if (!link || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const [name, value] = link.dataset.sets.split("=");
    const step = Number(link.dataset.step);
    this.form.elements[name].value = value;
    this.passed = new Set(this.gates.filter((gate) => gate < step));
    this.show(step, undefined, true);
  }

  // A press on a plot that picks settings sets them to that place. A mouse may drag; a finger taps, as its drag
  // scrolls the page.
  pick(event) {
    const plot = event.target.closest?.("svg[data-picks]");
    if (!plot && !this.picking) return;
    if (event.pointerType !== "touch") this.picking = true;
    if (!plot) return;
    event.preventDefault();
    const numbers = (name) => plot.dataset[name].split(" ").map(Number);
    const [left, top, right, bottom] = numbers("frame");
    const [xLow, xHigh, yLow, yHigh] = numbers("ends");
    const place = new DOMPoint(event.clientX, event.clientY).matrixTransform(plot.getScreenCTM().inverse());
    const values = [
      xLow + ((place.x - left) / (right - left)) * (xHigh - xLow),
      yLow + ((bottom - place.y) / (bottom - top)) * (yHigh - yLow),
    ];
    plot.dataset.picks.split(" ").forEach((name, k) => {
      const field = this.form.elements[name];
      const slider = this.form.querySelector(`[data-for="${field.id}"]`);
      slider.value = values[k]; // which rounds to its steps, and keeps within its ends
      field.value = slider.value;
    });
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => {
      this.answers.clear();
      this.show(Math.min(this.step, this.steps - 1), undefined, true);
    }, 40);
  }

  // Only the settings that count at the values of the others; a form lists a setting after those that it rests on.
  showWhatCounts() {
    for (const part of this.form.querySelectorAll(".settings [data-when]")) {
      const other = this.form.elements[part.dataset.when];
      part.hidden = Boolean(other.closest("[hidden]")) || !part.dataset.values.split(" ").includes(other.value);
      part.querySelectorAll("input, select").forEach((field) => {
        field.disabled = part.hidden; // so that nothing unseen is sent, nor holds the form up
      });
    }
  }

  // What a frame needs of us: sliders that move their numbers, plots that are drawn on.
  dress() {
    this.view.querySelectorAll("[data-for]").forEach((slider) => this.pair(slider, false));
    this.drawings.forEach((drawing) => drawing.attach());
  }

  // A slider beside a number field: either moves the other.
  pair(slider, restarts = true) {
    const field = document.getElementById(slider.dataset.for);
    let waiting = 0;
    slider.addEventListener("input", () => {
      field.value = slider.value;
      if (!restarts) return;
      clearTimeout(waiting);
      waiting = setTimeout(() => this.restart(), 120);
    });
    field.addEventListener("input", () => {
      slider.value = field.value;
    });
  }

  key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || event.target.closest("input, select, textarea, [tabindex='0']")) return;
    const move = { ArrowRight: this.step + 1, ArrowLeft: this.step - 1, Home: 0, End: this.steps - 1 }[event.key];
    if (move === undefined) return;
    event.preventDefault();
    this.go(move);
  }

  press(button) {
    const action = button?.dataset.go;
    if (action === "run") this.show(this.step, this.root.dataset.guess, true);
    else if (action === "commit") {
      const guess = this.form.querySelector("[name=guess]:checked");
      if (!guess) {
        this.say("Choose one of the answers first, or skip.");
        this.form.querySelector("[name=guess]").focus();
        return;
      }
      this.passed.add(this.step);
      this.go(this.step + 1, guess.value);
    } else if (action === "skip") {
      this.passed.add(this.step);
      this.go(this.step + 1);
    } else if (action === "choose") {
      const chosen = this.form.querySelector(".offer input[type=number], .offer input:checked");
      if (chosen && !chosen.reportValidity()) return;
      if (!chosen) {
        this.say("Choose one of the lines first.");
        this.form.querySelector(".offer input").focus();
        return;
      }
      const step = Number(button.dataset.step);
      this.form.querySelector(`.settings [name="${chosen.name}"]`).value = chosen.value;
      this.passed = new Set(this.gates.filter((gate) => gate < step));
      this.show(step, undefined, true);
    } else if (action === "back") this.go(this.step - 1);
    else if (action === "on") this.go(this.step + 1);
    else if (action === "last") this.go(this.steps - 1);
    else if (action === "first") this.go(0);
    else this.restart();
  }

  restart() {
    this.showWhatCounts();
    if (!this.form.reportValidity()) return;
    this.passed.clear();
    this.answers.clear();
    this.form.querySelectorAll(".settings [data-default]").forEach((field) => {
      field.value = field.dataset.default; // what was chosen in a frame belonged to the run before
    });
    this.show(0, undefined, true);
  }

  // Goes to a step, but not past a prediction that was neither made nor skipped.
  go(wanted, guess) {
    const step = Math.max(0, Math.min(wanted, this.steps - 1));
    const gate = this.skip.checked ? undefined : this.gates.find((at) => at < step && !this.passed.has(at));
    if (gate === undefined) {
      this.show(step, guess);
    } else if (gate === this.step) {
      this.scrub.value = this.step;
      this.say("Predict first, or skip.");
      this.form.querySelector("[name=guess]")?.focus();
    } else {
      this.show(gate);
    }
  }

  parameters(step, guess) {
    const query = new URLSearchParams();
    this.form.querySelectorAll(".settings [name]").forEach((field) => {
      if (field.tagName !== "BUTTON" && !field.disabled) query.set(field.name, field.value);
    });
    query.set("step", step);
    if (guess !== undefined) query.set("guess", guess);
    return query.toString();
  }

  // Frames that are kept are looked at; only what the learner does by hand may run the lab.
  ask(step, guess, runs = false) {
    const query = this.parameters(step, guess);
    if (runs || !this.answers.has(query)) {
      const { frames, runs: address } = this.root.dataset;
      const answer = (runs ? this.post(address, query) : fetch(`${frames}?${query}`, { headers: { Accept: "application/json" } }))
        .then((response) => response.json())
        .catch(() => ({ error: "The server does not answer. Is it still running?" }))
        .then((found) => {
          if (found.state !== "shown") this.answers.delete(query);
          return found;
        });
      this.answers.set(query, answer);
    }
    return this.answers.get(query);
  }

  post(address, query) {
    const token = this.form.querySelector("[name=form_token]").value;
    return fetch(address, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-Form-Token": token },
      body: JSON.stringify({ query }),
    });
  }

  async show(step, guess, runs = false) {
    const number = ++this.request;
    const busy = setTimeout(() => this.view.setAttribute("aria-busy", "true"), 200);
    const answer = await this.ask(step, guess, runs);
    clearTimeout(busy);
    if (number !== this.request) return; // a later wish has overtaken this one
    this.view.removeAttribute("aria-busy");
    if (answer.error) {
      this.say(answer.error);
      return;
    }
    if (answer.state === "ready" && this.state === "shown" && !runs && !answer.problem) {
      this.show(step, guess, true); // a step within a run whose frames have gone meanwhile
      return;
    }
    if (answer.state !== "shown") {
      this.hold(answer, guess);
      return;
    }
    this.apply(answer);
    if (guess !== undefined && answer.verdict) this.keep(answer.verdict);
    if (this.step + 1 < this.steps) this.ask(this.step + 1);
  }

  // Shows a lab without frames: its place in the queue, or the button that runs it.
  hold(answer, guess) {
    const within = this.view.contains(document.activeElement);
    this.state = answer.state;
    this.step = answer.step;
    this.say(answer.problem);
    this.form.querySelector(".transport").hidden = true;
    if (this.view.innerHTML !== answer.html) {
      this.view.innerHTML = answer.html;
      if (within) this.view.querySelector("h3")?.focus({ preventScroll: true });
    }
    history.replaceState(null, "", answer.address);
    if (answer.state === "waiting") this.lookAgain(guess);
  }

  lookAgain(guess) {
    const number = this.request;
    setTimeout(() => number === this.request && this.show(this.step, guess), LOOK_AGAIN);
  }

  apply(answer) {
    const within = this.view.contains(document.activeElement);
    const open = this.view.querySelector("details.numbers")?.open;
    const scrolled = [...this.view.querySelectorAll(".drawing")].map((drawing) => drawing.scrollLeft);
    this.step = answer.step;
    this.steps = answer.steps;
    this.gates = answer.gates;
    if (this.state !== "shown") this.passed = new Set(this.gates.filter((gate) => gate < this.step));
    this.state = "shown";
    this.form.querySelector(".transport").hidden = false;
    this.say("");
    this.view.innerHTML = answer.html;
    this.dress();
    if (open) this.view.querySelector("details.numbers")?.setAttribute("open", "");
    this.view.querySelectorAll(".drawing").forEach((drawing, place) => {
      drawing.scrollLeft = scrolled[place] ?? 0;
    });
    if (within && !this.view.contains(document.activeElement)) this.view.querySelector("h3").focus({ preventScroll: true });
    this.scrub.max = this.steps - 1;
    this.scrub.value = this.step;
    this.place.textContent = `${this.stepName} ${this.step} of ${this.steps - 1}`;
    for (const button of this.form.querySelectorAll(".transport button")) {
      const atEnd = ["on", "last"].includes(button.dataset.go) ? this.step + 1 >= this.steps : this.step === 0;
      if (atEnd && document.activeElement === button) this.view.querySelector("h3").focus({ preventScroll: true });
      button.disabled = atEnd;
    }
    history.replaceState(null, "", answer.address);
    whereabouts(answer.address);
  }

  // Keeps a prediction for what comes next; one that failed becomes a card, and the page says so.
  async keep(verdict) {
    const lesson = document.querySelector("article.lesson").dataset;
    const place = this.view.querySelector(".verdict");
    const note = await predicted({ slug: lesson.lesson, title: lesson.title, question: verdict.question, step: verdict.step, query: verdict.query, verdict });
    if (!note || !place?.isConnected) return;
    const line = document.createElement("p");
    line.className = "aside";
    line.textContent = note;
    place.append(line);
  }

  say(text) {
    this.problem.textContent = text;
    this.problem.hidden = !text;
  }
}

document.querySelectorAll(".lab").forEach((root) => new LabPanel(root));
