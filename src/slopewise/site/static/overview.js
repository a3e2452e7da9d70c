// What comes next and how far one is, without an account: the server computes it from what this browser remembers,
// and keeps nothing of it.
import { KINDS, itemsOf, learner, remembered } from "./site.js";

const ANY_TIME = "2020-01-01T00:00:00Z"; // the server asks for a time; of these only the reviews' own count
const MOST_ITEMS = 500;
const MOST_REVIEWS = 3000;

function items() {
  return Object.entries(KINDS)
    .filter(([name]) => !["drafts", "last"].includes(name))
    .flatMap(([name, kind]) =>
      Object.entries(itemsOf(name, remembered(name, {}))).map(([item, value]) => ({ kind, item, value, at: ANY_TIME })),
    )
    .slice(-MOST_ITEMS);
}

export async function ask() {
  const token = await fetch("/api/form-token").then((answer) => answer.json());
  const answer = await fetch("/api/overview", {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json", "X-Form-Token": token.token },
    body: JSON.stringify({
      items: items(),
      reviews: remembered("reviews", []).slice(-MOST_REVIEWS).map(({ id, card, grade, at }) => ({ id, card, grade, at })),
      time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone ?? "UTC",
    }),
  });
  return answer.ok ? answer.json() : null;
}

if (!learner && (items().length || remembered("reviews", []).length || document.querySelector("[data-overview]"))) {
  try {
    const parts = await ask();
    for (const [name, html] of Object.entries(parts ?? {})) {
      const place = document.querySelector(`[data-${name}]`);
      if (place) {
        place.innerHTML = html; // made by our own server from our own template
        place.hidden = false;
      }
    }
  } catch {
    // offline: the page says what it can without
  }
}
