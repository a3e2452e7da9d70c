// A training on the server: wishes go by POST, one after the other; what it makes comes by server-sent events.
export class Training {
  constructor(page) {
    this.page = page; // hears of it: `take`, `lost`, `begun`
    this.wishes = Promise.resolve();
    addEventListener("pagehide", () => this.job && this.send("stop", {}, true));
  }

  // One wish after the other, so that none overtakes the start of the training.
  wish(work) {
    this.wishes = this.wishes.then(work).catch((error) => this.page.say(String(error)));
  }

  go(step) {
    this.wish(() => (this.job ? this.send("go", { step }) : step || this.page.step ? this.start(step) : undefined));
  }

  async start(step) {
    const answer = await this.ask("/playground/jobs", { query: this.page.settings.query(), step });
    if (answer.error) {
      this.page.say(answer.error);
      return;
    }
    this.job = answer.job;
    this.page.begun();
    this.source = new EventSource(`/playground/jobs/${this.job}/events`);
    this.source.addEventListener("message", (event) => this.page.take(JSON.parse(event.data)));
    this.source.addEventListener("error", () => {
      if (this.source?.readyState === EventSource.CLOSED) this.lose("The training has ended; train again to go on where you were.");
    });
  }

  async send(action, fields, keepalive = false) {
    const answer = await this.ask(`/playground/jobs/${this.job}/${action}`, fields, keepalive);
    if (answer.error) this.lose(answer.error);
    return answer;
  }

  // Asks the server for anything; with fields by POST.
  async ask(address, fields, keepalive = false) {
    const options = { headers: { Accept: "application/json" }, keepalive };
    if (fields) {
      options.method = "POST";
      options.body = JSON.stringify(fields);
      options.headers["Content-Type"] = "application/json";
      options.headers["X-Form-Token"] = this.page.form.elements.form_token.value;
    }
    try {
      const response = await fetch(address, options);
      return { busy: response.status === 503, ...(await response.json()) };
    } catch {
      return { error: "The server does not answer. Is it still running?" };
    }
  }

  lose(why) {
    this.close();
    this.page.lost(why);
  }

  leave() {
    if (this.job) this.send("stop", {}, true);
    this.close();
  }

  close() {
    this.source?.close();
    this.source = this.job = undefined;
  }
}
