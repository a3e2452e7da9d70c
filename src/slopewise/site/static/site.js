// What all pages share: the mark that script runs, and what this browser remembers.
document.documentElement.classList.add("js");

const KEY = "slopewise";

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
  try {
    localStorage.setItem(`${KEY}.${name}`, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}

const lesson = document.querySelector("article.lesson");
if (lesson) {
  remember("last", { slug: lesson.dataset.lesson, title: lesson.dataset.title });
}

// The hub offers to go on where one left.
const resume = document.querySelector("[data-resume]");
const last = remembered("last", null);
if (resume && last && /^[a-z0-9-]+$/.test(last.slug)) {
  resume.href = `/lessons/${last.slug}`;
  resume.textContent = `Go on with ${last.title.toLowerCase()}`;
}
