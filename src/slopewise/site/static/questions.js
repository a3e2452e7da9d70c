// Questions: the verdict on a choice when the answer is opened; answers and drafts stay in this browser.
import { remember, remembered } from "./site.js";

const answers = remembered("answers", {});
document.querySelectorAll("[data-question]").forEach((question) => {
  const details = question.querySelector("details");
  const before = answers[question.dataset.question];
  if (before !== undefined) {
    question.querySelector(`input[value="${Number(before)}"]`)?.setAttribute("checked", "");
  }
  let isJudged = false; // what is chosen with the answer in sight says nothing of the learner
  const judge = () => {
    const choice = question.querySelector("input:checked");
    if (!details.open || !choice) return;
    const right = choice.value === question.dataset.answer;
    question.classList.toggle("right", right);
    question.classList.toggle("wrong", !right);
    question.querySelector("[data-verdict]").textContent = right ? "Right." : "Not quite. It is:";
    if (isJudged) return;
    isJudged = true;
    answers[question.dataset.question] = Number(choice.value);
    remember("answers", answers);
  };
  details.addEventListener("toggle", judge);
  question.addEventListener("change", judge);
});

const done = remembered("done", {});
document.querySelectorAll("form[data-done]").forEach((form) => {
  const slug = form.dataset.done;
  const show = () => {
    for (const button of form.querySelectorAll("button")) button.hidden = (button.value === "1") === Boolean(done[slug]);
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    done[slug] = event.submitter.value === "1";
    remember("done", done);
    show();
    form.querySelector("button:not([hidden])").focus();
  });
  show();
});

const drafts = remembered("drafts", {});
const verdicts = remembered("prompts", {});
document.querySelectorAll("[data-prompt]").forEach((prompt) => {
  const text = prompt.querySelector("textarea");
  text.value = drafts[prompt.dataset.prompt] ?? "";
  text.addEventListener("change", () => {
    drafts[prompt.dataset.prompt] = text.value;
    remember("drafts", drafts);
    delete prompt.dataset.judged; // other words: hints may mark them again
  });
  const given = verdicts[prompt.dataset.prompt]?.ideas;
  if (given) {
    boxesOf(prompt).forEach((box, place) => (box.checked = Boolean(given[place])));
    prompt.dataset.judged = "";
  }
  prompt.querySelector("details").addEventListener("toggle", ({ target }) => target.open && hint(prompt, text.value));
  prompt.querySelector(".ideas").addEventListener("change", () => keepVerdict(prompt));
});

function boxesOf(prompt) {
  return [...prompt.querySelectorAll(".ideas input")];
}

function keepVerdict(prompt) {
  prompt.dataset.judged = "";
  const ideas = boxesOf(prompt).map((box) => box.checked);
  verdicts[prompt.dataset.prompt] = { ideas };
  remember("prompts", verdicts);
}

// Marks the ideas that the server finds in the text; it keeps nothing of it. The learner has the last word: what
// they ticked stays ticked, and only that is a verdict.
async function hint(prompt, text) {
  if (!text.trim()) return;
  try {
    const token = document.body.dataset.formToken ?? (await fetch("/api/form-token").then((found) => found.json())).token;
    const answer = await fetch(prompt.dataset.compare, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-Form-Token": token },
      body: JSON.stringify({ text }),
    });
    if (!answer.ok) return;
    const { ideas } = await answer.json();
    prompt.querySelectorAll(".ideas label").forEach((label, place) => {
      if (ideas[place] === undefined) return;
      if (!("judged" in prompt.dataset)) label.querySelector("input").checked = ideas[place];
      const small = label.querySelector(".hint");
      small.textContent = ideas[place] ? "seems to be there" : "not seen";
      small.classList.toggle("found", ideas[place]);
    });
    prompt.querySelector("[data-hinted]").hidden = !ideas.length;
  } catch {
    // offline: the model answer is there all the same
  }
}
