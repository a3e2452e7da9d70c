// Questions: the verdict on a choice when the answer is opened; answers and drafts stay in this browser.
import { remember, remembered } from "./site.js";

const answers = remembered("answers", {});
document.querySelectorAll("[data-question]").forEach((question) => {
  const details = question.querySelector("details");
  const before = answers[question.dataset.question];
  if (before !== undefined) {
    question.querySelector(`input[value="${Number(before)}"]`)?.setAttribute("checked", "");
  }
  const judge = () => {
    const choice = question.querySelector("input:checked");
    if (!details.open || !choice) return;
    const right = choice.value === question.dataset.answer;
    question.classList.toggle("right", right);
    question.classList.toggle("wrong", !right);
    question.querySelector("[data-verdict]").textContent = right ? "Right." : "Not quite. It is:";
    answers[question.dataset.question] = Number(choice.value);
    remember("answers", answers);
  };
  details.addEventListener("toggle", judge);
  question.addEventListener("change", judge);
});

const drafts = remembered("drafts", {});
document.querySelectorAll("[data-prompt]").forEach((prompt) => {
  const text = prompt.querySelector("textarea");
  text.value = drafts[prompt.dataset.prompt] ?? "";
  text.addEventListener("change", () => {
    drafts[prompt.dataset.prompt] = text.value;
    remember("drafts", drafts);
  });
});
