// The answers of a placement test are answers to the lessons' questions: they are kept as such, once the test ends.
// Who opens a link to somebody's result comes from elsewhere, and keeps their own.
import { remember, remembered } from "./site.js";

const page = document.querySelector("[data-placement]");
const texts = page.dataset.placement.split(" ").filter(Boolean);
const isTheirs = document.referrer.startsWith(`${location.origin}/placement`);
if (texts.length && isTheirs) {
  const answers = remembered("answers", {});
  for (const text of texts) answers[text.slice(0, text.lastIndexOf(":"))] = Number(text.slice(text.lastIndexOf(":") + 1));
  const note = page.querySelector("[data-kept]");
  note.hidden = !remember("answers", answers);
  const form = page.querySelector("form");
  if (form && !note.hidden) form.hidden = true;
}
