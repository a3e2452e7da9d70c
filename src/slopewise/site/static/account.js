// Tells the form of a new account the time zone of this machine, and adds to an account what this browser kept without.
import { flush, post, record, soon, whyNot } from "./outbox.js";
import { sendFailed } from "./predictions.js";
import { KINDS, itemsOf, store } from "./site.js";

const zone = document.querySelector("[data-time-zone]");
if (zone) zone.value = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";

// Why it was not added, and the way out.
const SAYS = {
  offline: () => "No connection. Nothing is lost: try again once it is back.",
  busy: () => `The site is busy. Nothing is lost: try again ${soon()}.`,
  "logged out": () => "You are logged out. Nothing is lost: log in again, then add it.",
  "out of date": () => "This page is out of date. Nothing is lost: load it again, then add it.",
  refused: () => "The site refused what was sent. It is still in this browser: load the page again, then add it.",
};

const BEFORE_ANY_ACCOUNT = "2020-01-01T00:00:00Z"; // what the account has already is newer

function keptWithout(name, otherwise) {
  try {
    return JSON.parse(localStorage.getItem(`slopewise.${name}`)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

const reviews = keptWithout("reviews", []);
const items = Object.entries(KINDS).flatMap(([name, kind]) =>
  Object.entries(itemsOf(name, keptWithout(name, name === "last" ? null : {})))
    .filter(([, value]) => value !== null)
    .map(([item, value]) => ({ kind, item, value, at: BEFORE_ANY_ACCOUNT })),
);
const failed = keptWithout("failed", []);
const answers = items.filter(({ kind }) => kind !== "last").length;

function forgetKeptWithout() {
  for (const name of ["reviews", "failed", ...Object.keys(KINDS)]) localStorage.removeItem(`slopewise.${name}`);
}

// Gives "sent", or why nothing was.
async function add() {
  const answer = await post("/api/progress", { items });
  if (!answer.ok) return whyNot(answer);
  for (const { id, card, grade, at } of reviews) record({ id, kind: "review", card, grade, at });
  const unmade = await sendFailed("failed", failed);
  if (unmade.length) store("failed", unmade); // as the account's own, sent by the next page
  forgetKeptWithout(); // the reviews are in the outbox from here on
  await flush();
  document.dispatchEvent(new Event("slopewise:fetch"));
  return "sent";
}

function words() {
  const some = (count, what) => (count ? `${count} ${what}${count > 1 ? "s" : ""}` : "");
  return [some(reviews.length, "graded card"), some(answers, "answer")].filter(Boolean).join(" and ");
}

const box = document.querySelector("[data-merge]");
const isNew = box?.dataset.merge === "new";
if (isNew) history.replaceState(null, "", "/account"); // a reload must not add what somebody else did meanwhile
if (box && (reviews.length || answers)) {
  const text = box.querySelector("[data-merge-text]");
  const merge = async () => {
    const how = await add().catch(() => "offline");
    box.querySelector(".actions").hidden = how === "sent";
    text.textContent = how === "sent" ? `${words()} from this browser now belong to your account.` : SAYS[how]();
  };
  box.hidden = false;
  text.textContent = `This browser keeps ${words()} made without an account. Are they yours?`;
  box.querySelector("[data-merge-add]").addEventListener("click", merge);
  box.querySelector("[data-merge-forget]").addEventListener("click", () => {
    forgetKeptWithout();
    box.hidden = true;
  });
  if (isNew) await merge();
} else if (isNew && items.length) {
  await add().catch(() => {}); // only where one read last: nothing to tell of, and it is noted by the next lesson
}
