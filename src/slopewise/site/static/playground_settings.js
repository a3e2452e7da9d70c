// The design as the form and the address hold it.
export class Settings {
  constructor(root, form) {
    Object.assign(this, { root, form });
  }

  query() {
    const query = new URLSearchParams(new FormData(this.form));
    ["form_token", "step", "guess", "hide", "guess-of-script"].forEach((name) => query.delete(name));
    const inputs = [...query.keys()].filter((name) => name.startsWith("input."));
    inputs.forEach((name) => query.delete(name));
    query.set("features", inputs.map((name) => name.slice(6)).join(","));
    return query.toString();
  }

  // The names of the inputs that are ticked.
  inputs() {
    return [...this.form.querySelectorAll(".ticks input:checked")].map((box) => box.parentElement.textContent.trim());
  }

  // Other rows, or other first weights: the next seed.
  next(name) {
    const field = this.form.elements[name];
    field.value = (Number(field.value) + 1) % (Number(field.max) + 1);
  }

  // A weight set by hand after some update: part of the design, as all that the script must repeat.
  set(step, linear, row, column, value) {
    const edits = this.form.elements.edits;
    const place = `${step}:${linear}.${row}.${column}=`;
    const others = edits.value.split(",").filter((entry) => entry !== "none" && !entry.startsWith(place));
    edits.value = [...others, place + String(Number(value.toFixed(6)))].join(",");
    this.root.querySelector(".by-hand").classList.remove("without-script");
  }

  // Hides hyperparameters that the chosen optimizer or schedule does not have.
  suit() {
    this.form.querySelectorAll("[data-only]").forEach((setting) => {
      const [kind, ...having] = setting.dataset.only.split(" ");
      setting.hidden = !having.includes(this.form.elements[kind].value);
    });
  }

  // What is left out of the page is named in the address.
  leaveOut() {
    const names = this.leftOut();
    this.root.querySelectorAll("[data-part-name]").forEach((part) => part.classList.toggle("left-out", names.includes(part.dataset.partName)));
    const address = new URL(location);
    address.searchParams.delete("hide");
    this.note(address);
  }

  leftOut() {
    return [...this.root.querySelectorAll("[data-shows]:not(:checked)")].map((box) => box.dataset.shows);
  }

  // Writes the address; what the page leaves out stays in it.
  note(address) {
    const made = new URL(address, location);
    const names = this.leftOut();
    if (names.length) made.searchParams.set("hide", names.join(","));
    history.replaceState(null, "", made.pathname + made.search.replaceAll("%2C", ",").replaceAll("%3A", ":"));
  }
}
