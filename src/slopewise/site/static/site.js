// What all pages share: the mark that script runs, and what this browser remembers.
import "./scrollers.js";

document.documentElement.classList.add("js");

// What is remembered for somebody who is logged in is apart from what is remembered for nobody.
export const learner = document.body.dataset.learner ?? "";
const KEY = learner ? `slopewise.${learner}` : "slopewise";
export const KINDS = { answers: "answer", drafts: "draft", last: "last", predictions: "prediction", prompts: "prompt", done: "done" }; // what an account keeps too

// Returns what was remembered under a name; private windows may refuse, then nothing is.
export function remembered(name, otherwise) {
  try {
    const text = localStorage.getItem(`${KEY}.${name}`);
    return text === null ? otherwise : JSON.parse(text);
  } catch {
    return otherwise;
  }
}

export function remember(name, value) {
  if (learner && name in KINDS) noteChanges(name, value);
  const kept = store(name, value);
  if (learner && name in KINDS) document.dispatchEvent(new Event("slopewise:changed"));
  return kept;
}

export function store(name, value) {
  try {
    localStorage.setItem(`${KEY}.${name}`, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}

// An account's answers have items; the last lesson is one item.
export function itemsOf(name, value) {
  return name === "last" ? { last: value } : value;
}

function noteChanges(name, value) {
  const before = itemsOf(name, remembered(name, {}));
  const unsent = remembered("unsent", {});
  for (const [item, now] of Object.entries(itemsOf(name, value))) {
    if (JSON.stringify(now) !== JSON.stringify(before[item])) unsent[`${name} ${item}`] = new Date().toISOString();
  }
  store("unsent", unsent);
}

const lesson = document.querySelector("article.lesson");
if (lesson) {
  const address = location.search ? `${location.pathname}${location.search}#lab` : location.pathname;
  remember("last", { slug: lesson.dataset.lesson, title: lesson.dataset.title, address });
}

// The hub offers to go on where one left.
const resume = document.querySelector("[data-resume]");
const last = remembered("last", null);
if (resume && last && /^[a-z0-9-]+$/.test(last.slug)) {
  const own = `/lessons/${last.slug}`;
  resume.href = [`${own}?`, `${own}#`].some((start) => last.address?.startsWith(start)) ? last.address : own;
  resume.textContent = `Go on with ${last.title.toLowerCase()}`;
}
