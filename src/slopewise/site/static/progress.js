// Answers, drafts and the last lesson of somebody who is logged in: sent when they change, fetched now and then.
import { post } from "./outbox.js";
import { KINDS, itemsOf, learner, remembered, store } from "./site.js";

const FETCH_AFTER_MILLISECONDS = 5 * 60_000;

async function send() {
  const unsent = remembered("unsent", {});
  const items = Object.entries(unsent).map(([key, at]) => {
    const [name, item] = [key.slice(0, key.indexOf(" ")), key.slice(key.indexOf(" ") + 1)];
    return { kind: KINDS[name], item, value: itemsOf(name, remembered(name, {}))[item] ?? null, at };
  });
  if (!items.length) return true;
  try {
    const answer = await post("/api/progress", { items: items.slice(0, 200) });
    if (!answer.ok) return false;
  } catch {
    return false; // offline: what is unsent stays noted, and goes with the next change or page
  }
  const left = remembered("unsent", {});
  for (const [key, at] of Object.entries(unsent).slice(0, 200)) if (left[key] === at) delete left[key];
  store("unsent", left);
  return true;
}

async function fetchProgress() {
  try {
    const answer = await fetch("/api/progress", { headers: { Accept: "application/json" } });
    if (!answer.ok) return;
    const found = Object.fromEntries(Object.keys(KINDS).map((name) => [name, {}]));
    found.last = remembered("last", null);
    for (const { kind, item, value } of (await answer.json()).items) {
      const name = Object.keys(KINDS).find((candidate) => KINDS[candidate] === kind);
      if (name === "last") found.last = value;
      else found[name][item] = value;
    }
    for (const [name, value] of Object.entries(found)) if (value !== null) store(name, value);
    store("fetched", Date.now());
  } catch {
    // offline: what this browser remembers has to do
  }
}

if (learner) {
  document.addEventListener("slopewise:changed", send);
  document.addEventListener("slopewise:fetch", fetchProgress);
  if (await send()) {
    if (Date.now() - remembered("fetched", 0) > FETCH_AFTER_MILLISECONDS) await fetchProgress();
  }
  // Nothing of theirs stays for the next person; cards that were not sent yet wait for them.
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-log-out]")) return;
    for (const key of Object.keys(localStorage)) if (key.startsWith(`slopewise.${learner}.`)) localStorage.removeItem(key);
  });
}
