// Predictions in labs: what came of each is kept for what comes next; a failed one becomes a card. Without an account
// cards are kept in this browser, and made again by the server once there is one.
import { isSignedIn, post } from "./outbox.js";
import { remember, remembered } from "./site.js";

const MOST_FAILED = 200;

// Notes a prediction, and returns what to say of it, or "".
export async function predicted({ slug, step, query, verdict, title, question }) {
  const all = remembered("predictions", {});
  all[`${slug}/${step}`] = { right: verdict.right, choices: verdict.choices };
  remember("predictions", all);
  if (verdict.right) return "";
  if (isSignedIn) {
    try {
      const answer = await post("/api/predictions", { failed: [{ slug, query }] });
      if (answer.ok && (await answer.json()).kept.length) return "Kept as a card of your own.";
    } catch {
      // offline: the browser keeps it below
    }
  }
  const failed = remembered("failed", []).filter((row) => row.slug !== slug || row.query !== query);
  failed.push({ slug, query, title, question, answer: verdict.answer, at: new Date().toISOString() });
  return remember("failed", failed.slice(-MOST_FAILED)) ? "Kept as a card in this browser." : "";
}

// Sends what waits; whoever is logged in has the cards made by the server.
export async function sendFailed(name = "failed", waiting = remembered(name, [])) {
  while (waiting.length) {
    const part = waiting.slice(0, 20);
    const answer = await post("/api/predictions", { failed: part.map(({ slug, query }) => ({ slug, query })) });
    if (!answer.ok) return waiting;
    const { kept, refused } = await answer.json();
    const told = new Set([...kept, ...refused.map(({ place }) => place)]);
    if (!told.size) return waiting;
    waiting = [...part.filter((_, place) => !told.has(place)), ...waiting.slice(20)];
  }
  return waiting;
}

function show(place, failed) {
  place.hidden = !failed.length;
  const list = place.querySelector("ul");
  list.replaceChildren(
    ...failed.toReversed().map(({ slug, query, title, question, answer }) => {
      const item = document.createElement("li");
      const parameters = new URLSearchParams(query);
      parameters.delete("guess");
      const link = document.createElement("a");
      link.href = slug === "playground" ? `/playground?${parameters}` : `/lessons/${encodeURIComponent(slug)}?${parameters}#lab`;
      link.textContent = "Back to that step";
      const details = document.createElement("details");
      const summary = document.createElement("summary");
      summary.textContent = "Turn the card";
      const back = document.createElement("p");
      back.append(`${answer} `, link);
      details.append(summary, back);
      const front = document.createElement("p");
      front.textContent = question;
      const meta = document.createElement("p");
      meta.className = "meta";
      meta.textContent = title;
      item.append(meta, front, details);
      return item;
    }),
  );
}

const place = document.querySelector("[data-failed-cards]");
if (isSignedIn) {
  const left = remembered("failed", []);
  if (left.length) sendFailed().then((waiting) => remember("failed", waiting)).catch(() => {});
} else if (place) show(place, remembered("failed", []));
