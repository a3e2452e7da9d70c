// A deck, one card at a time. Each grade is added to a log in this browser: nothing in it is ever changed.
// Of somebody who is logged in, the server keeps it.
import { flush, isSignedIn, record } from "./outbox.js";
import { remember, remembered } from "./site.js";

const log = isSignedIn ? [] : remembered("reviews", []);

function latestGrades() {
  return new Map(log.map((review) => [review.card, review.grade]));
}

class Deck {
  constructor(root) {
    this.root = root;
    this.cards = [...root.querySelectorAll(".card")];
    this.progress = root.querySelector(".progress");
    const named = this.cards.findIndex((card) => `#${card.id}` === location.hash);
    this.show(Math.max(named, 0));
    root.addEventListener("click", (event) => this.click(event));
    document.addEventListener("keydown", (event) => this.key(event));
    window.addEventListener("hashchange", () => {
      const place = this.cards.findIndex((card) => `#${card.id}` === location.hash);
      if (place >= 0) this.show(place);
    });
  }

  get card() {
    return this.cards[this.place];
  }

  show(place) {
    this.place = (place + this.cards.length) % this.cards.length;
    this.cards.forEach((card, number) => card.classList.toggle("shown", number === this.place));
    this.card.querySelector("details").open = false;
    this.tell();
  }

  tell() {
    const grades = latestGrades();
    const done = this.cards.filter((card) => grades.has(card.dataset.card)).length;
    this.progress.textContent = `Card ${this.place + 1} of ${this.cards.length}; ${done} graded`;
    for (const button of this.card.querySelectorAll("[data-grade]")) {
      button.setAttribute("aria-pressed", String(grades.get(this.card.dataset.card) === button.dataset.grade));
    }
  }

  grade(grade) {
    log.push({
      id: crypto.randomUUID(),
      card: this.card.dataset.card,
      grade,
      at: new Date().toISOString(),
      scheduler: "none",
    });
    if (isSignedIn) {
      record({ kind: "review", card: this.card.dataset.card, grade });
      flush();
    } else if (!remember("reviews", log)) this.progress.textContent = "This browser keeps nothing: the grade is lost when you leave.";
    this.show(this.place + 1);
    this.card.querySelector("summary").focus();
  }

  click(event) {
    const button = event.target.closest("button");
    if (button?.dataset.grade) this.grade(button.dataset.grade);
    else if (button?.dataset.leaf) this.show(this.place + Number(button.dataset.leaf));
  }

  key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || event.target.closest("input, textarea")) return;
    const details = this.card.querySelector("details");
    const grade = ["again", "hard", "good", "easy"]["1234".indexOf(event.key)];
    if (event.key === " " && !event.target.closest("button, summary, a")) details.open = !details.open;
    else if (event.key === "ArrowRight") this.show(this.place + 1);
    else if (event.key === "ArrowLeft") this.show(this.place - 1);
    else if (grade && details.open) this.grade(grade);
    else return;
    event.preventDefault();
  }
}

document.querySelectorAll(".deck[data-deck]").forEach((root) => new Deck(root));
