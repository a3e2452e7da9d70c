// The cards of the day without a page between them: graded here, sent in the background, shown also while offline.
import { RETRY_SECONDS, flush, patience, record, soon, waiting, whyNot } from "./outbox.js";

// What has gone wrong, and what becomes of the answers that this browser keeps.
const SAYS = {
  offline: () => ["No connection.", "sent as soon as it is back"],
  busy: () => ["The site is busy.", `sent again ${soon()}`],
  "logged out": () => ["You are logged out.", "sent when you log in again"],
  "out of date": () => ["This page is out of date: load it again.", "sent then"],
  refused: () => ["The site refused what was sent: load the page again.", "not lost"],
};

class Review {
  constructor(root) {
    this.root = root;
    this.place = root.querySelector("[data-place]");
    this.cards = [];
    this.acts = 0; // a queue that was asked for before the last act is out of date
    this.last = root.querySelector("[data-undo] [name=review]").value;
    root.addEventListener("submit", (event) => this.submit(event));
    document.addEventListener("keydown", (event) => this.key(event));
    window.addEventListener("online", () => this.load());
    document.addEventListener("slopewise:outbox", ({ detail }) => this.tell(detail));
    this.load();
  }

  get card() {
    return this.place.querySelector("[data-card]")?.dataset.card;
  }

  async load() {
    clearTimeout(this.again);
    const how = await this.fetchQueue();
    this.tell(how);
    if (how === "offline" || how === "busy") this.again = setTimeout(() => this.load(), 1000 * (patience() || RETRY_SECONDS));
  }

  // Gives what came of sending what waits, or why no queue came. While grades wait, the site's queue is out of date.
  async fetchQueue() {
    const how = await flush();
    if (how !== "sent" && how !== "refused") return how;
    const acts = this.acts;
    try {
      const answer = await fetch(`/api/queue?deck=${this.root.dataset.deck}`, { headers: { Accept: "application/json" } });
      if (!answer.ok) return whyNot(answer);
      const queue = await answer.json();
      if (acts !== this.acts) return this.fetchQueue();
      this.cards = queue.cards;
      this.root.querySelector("[data-left]").textContent = `${queue.left[0].toUpperCase()}${queue.left.slice(1)}.`;
      if (!queue.cards.length && !this.place.querySelector(".done")) location.reload();
      else if (queue.cards.length && queue.cards[0].card !== this.card) this.show();
      return how;
    } catch {
      return "offline";
    }
  }

  show() {
    if (!this.cards.length) return;
    this.place.innerHTML = this.cards[0].html; // made by our own server from our own template
    this.root.querySelector("[data-suspend]").hidden = false;
    this.place.querySelector("summary").focus({ preventScroll: true });
  }

  async act(entry) {
    const made = record(entry);
    this.acts += 1;
    this.last = entry.kind === "review" ? made.id : "";
    this.root.querySelector("[data-undo]").hidden = !this.last;
    if (entry.kind !== "undo") this.cards.shift();
    if (entry.kind !== "undo" && this.cards.length) {
      this.show();
      const left = this.root.querySelector("[data-left]");
      left.textContent = `${this.cards.length} more at hand.`;
      flush(); // what came of it is told
      return;
    }
    if (entry.kind !== "undo") this.place.replaceChildren(); // what was graded is not graded again while offline
    await this.load();
  }

  submit(event) {
    event.preventDefault();
    const grade = event.submitter?.name === "grade" ? event.submitter.value : "";
    if (grade) this.act({ kind: "review", card: this.card, grade });
    else if (event.target.matches("[data-undo]")) this.act({ kind: "undo", review: this.last });
    else if (event.target.matches("[data-suspend]")) this.act({ kind: "suspend", card: this.card });
  }

  key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || event.target.closest("input, textarea, select")) return;
    const details = this.place.querySelector("details");
    const grade = ["again", "hard", "good", "easy"]["1234".indexOf(event.key)];
    if (event.key === " " && details && !event.target.closest("button, summary, a")) details.open = !details.open;
    else if (grade && details?.open) this.act({ kind: "review", card: this.card, grade });
    else if (event.key === "u" && this.last) this.act({ kind: "undo", review: this.last });
    else if (event.key === "s" && this.card) this.act({ kind: "suspend", card: this.card });
    else return;
    event.preventDefault();
  }

  tell(how) {
    const told = this.root.querySelector("[data-told]");
    const count = waiting().length;
    const goesOn = !count && this.card && (how === "offline" || how === "busy");
    told.hidden = !(how in SAYS) || Boolean(goesOn);
    if (told.hidden) return;
    const [what, then] = SAYS[how]();
    const kept = count === 1 ? "One answer is" : `${count} answers are`;
    told.textContent = count ? `${what} ${kept} kept in this browser, and ${then}.` : what;
  }
}

document.querySelectorAll(".review[data-deck]").forEach((root) => new Review(root));
