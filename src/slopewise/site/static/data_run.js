// The curve of a training on own data, live: what is new comes by server-sent events. A stream that breaks is
// taken up again by the browser, from the last point that it has.
import { Chart, brief } from "./playground_chart.js";

const ROWS = 200; // of the table
const root = document.querySelector("[data-events]");
const words = document.querySelector("[data-words]");
const reading = root.querySelector("[data-reading]");
const body = root.querySelector("tbody");
const lines = [{ name: "training", look: "forward", column: 1 }, { name: "validation", look: "backward dashed", column: 2 }];
const chart = new Chart(root.querySelector("[data-chart]"), "loss", lines, () => {}, "epoch");
const points = [];

function row(point) {
  const made = document.createElement("tr");
  made.append(...point.map((value, column) => {
    const cell = document.createElement(column ? "td" : "th");
    if (!column) cell.scope = "row";
    cell.textContent = value === null ? "–" : brief(value);
    return cell;
  }));
  return made;
}

function take(message) {
  const fresh = message.points.filter(([epoch]) => !points.length || epoch > points.at(-1)[0]);
  if (words.textContent !== message.words) words.textContent = message.words;
  if (!fresh.length) return;
  points.push(...fresh);
  const [epoch, training, validation] = points.at(-1);
  reading.textContent = `Epoch ${epoch}: loss ${brief(training)} on the training rows${validation === null ? "" : `, ${brief(validation)} on the validation rows`}.`;
  body.prepend(...fresh.slice(-ROWS).reverse().map(row));
  while (body.rows.length > ROWS) body.lastChild.remove();
  chart.draw(points, epoch);
}

const source = new EventSource(root.dataset.events);
source.addEventListener("message", (event) => {
  const message = JSON.parse(event.data);
  take(message);
  if (["waiting", "running"].includes(message.state)) return;
  source.close();
  location.reload(); // the report is there, or the reason why it is not
});
addEventListener("submit", () => source.close()); // who ends it goes elsewhere: no reload may come between
source.addEventListener("error", () => {
  if (source.readyState === EventSource.CLOSED) words.textContent = "The server does not tell how it goes; load the page again.";
});
