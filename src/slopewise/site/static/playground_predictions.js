// Predictions: what is shown for the first time is asked about before, once for each kind and design.
import { predicted } from "./predictions.js";
import { remember, remembered } from "./site.js";

const PREDICTED = 200; // the update that a prediction about a training is about
const LOOK_AGAIN = 3000; // milliseconds until a verdict that no worker was free for is asked for anew

export class Predictions {
  constructor(page) {
    this.page = page;
    this.find = page.find;
    this.furthest = Number(page.root.dataset.furthest);
    this.asked = new Set(); // the kinds that were asked of this design
    this.box = this.find(".prediction.needs-script");
    this.skip = this.find("[data-skip]");
    this.skip.checked = remembered("skip-predictions", false);
    this.skip.addEventListener("change", () => remember("skip-predictions", this.skip.checked));
  }

  // Another design: nothing was asked of it yet.
  begin() {
    this.asked = new Set();
    this.guess = undefined;
    this.drop();
    this.find(".verdict").hidden = true;
  }

  forward(ask, to) {
    const { step, seen } = this.page;
    const about = ask === "train" && to > this.furthest && step < PREDICTED ? PREDICTED : to;
    const question = { ask, step, to: about, then: to };
    if (about > seen && !this.linked && this.mayAsk(question)) this.ask(question);
    else this.page.go(to);
  }

  back(to) {
    const { step } = this.page;
    const question = { ask: "rewind", step, to, then: to };
    if (to < step && this.mayAsk(question)) this.ask(question);
    else this.page.go(to);
  }

  mayAsk({ ask, step, to }) {
    return this.page.isAtRest && !this.skip.checked && !this.asked.has(ask) && Math.max(step, to) <= this.furthest;
  }

  // The question that an address names.
  askLinked() {
    const { ask, step, to } = this.linked;
    this.linked = undefined;
    this.ask({ ask, step, to, then: to });
  }

  async ask(question) {
    const { ask, step, to } = question;
    this.asked.add(ask);
    this.question = question;
    const query = `${this.page.settings.query()}&${new URLSearchParams({ ask, step, to })}`;
    const answer = await this.page.training.ask(`/playground/question?${query}`);
    if (this.question !== question) return; // another wish came meanwhile
    if (answer.error) {
      this.goOn();
      return;
    }
    this.box.querySelector("p").textContent = answer.question;
    this.box.querySelector(".choices").replaceChildren(...answer.choices.map((text, k) => {
      const label = document.createElement("label");
      const field = Object.assign(document.createElement("input"), { type: "radio", name: "guess-of-script", value: k });
      label.append(field, " ", Object.assign(document.createElement("span"), { textContent: text }));
      return label;
    }));
    this.box.hidden = false;
    this.find(".verdict").hidden = true;
    this.box.querySelector("input").focus();
  }

  commit() {
    const guess = this.box.querySelector("input:checked");
    if (!guess) {
      this.page.say("Choose one of the answers first, or skip.");
      this.box.querySelector("input").focus();
      return;
    }
    const { ask, step, to } = this.question;
    this.guess = { ask, step, to, guess: guess.value };
    this.goOn(to);
  }

  // Goes where the question stood in the way, or to what it is about.
  goOn(to = this.question?.then) {
    this.page.say("");
    this.drop();
    this.find("[data-go=run]").focus();
    if (to !== undefined) this.page.go(to);
  }

  drop() {
    this.question = undefined;
    this.box.hidden = true;
  }

  // Once the step is shown that a guess was about, the server says what the numbers say of it.
  async judge(view) {
    const { guess } = this;
    if (!guess || view.step !== guess.to) return;
    this.guess = undefined;
    const verdict = await this.verdictOn(`${this.page.settings.query()}&${new URLSearchParams(guess)}`);
    if (verdict.error) {
      this.page.say(`No verdict on your prediction: ${verdict.error}`);
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

  async verdictOn(query) {
    let verdict = await this.page.training.ask("/playground/verdicts", { query });
    for (let tries = 0; verdict.busy && tries < 5; tries++) {
      await new Promise((done) => setTimeout(done, LOOK_AGAIN));
      verdict = await this.page.training.ask("/playground/verdicts", { query });
    }
    return verdict;
  }
}
