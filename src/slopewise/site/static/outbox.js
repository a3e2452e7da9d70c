// What somebody who is logged in does with cards. Each entry is kept in this browser under a key of its own until
// the server says that it has it; it may be sent twice, since its id tells.
const { learner, formToken } = document.body.dataset;
const PREFIX = `slopewise.outbox.${learner}.`;
export const RETRY_SECONDS = 20;
const LONGEST_PAUSE_SECONDS = 15 * 60;
const MOST_AT_ONCE = 200;
const kept = new Map(); // for browsers that keep nothing
let sending = Promise.resolve("sent");
let pauseUntil = 0; // the site asked for patience until then

export const isSignedIn = Boolean(learner);

export function waiting() {
  const entries = new Map(kept);
  try {
    for (const key of Object.keys(localStorage)) {
      if (key.startsWith(PREFIX)) entries.set(key, JSON.parse(localStorage.getItem(key)));
    }
  } catch {
    // private windows may refuse; what is in memory is all there is
  }
  return [...entries.values()].sort((a, b) => (a.at < b.at ? -1 : 1));
}

function keep(entry) {
  try {
    localStorage.setItem(PREFIX + entry.id, JSON.stringify(entry));
  } catch {
    kept.set(PREFIX + entry.id, entry);
  }
}

function forget(id) {
  kept.delete(PREFIX + id);
  try {
    localStorage.removeItem(PREFIX + id);
  } catch {
    // nothing was kept there
  }
}

export async function post(address, value) {
  return fetch(address, {
    method: "POST",
    keepalive: JSON.stringify(value).length < 60_000,
    headers: { "Content-Type": "application/json", Accept: "application/json", "X-Form-Token": formToken },
    body: JSON.stringify(value),
  });
}

// Sends what waits, after what is being sent already. Gives "sent", or why it was not: "offline", "busy",
// "logged out", "out of date" (the page's token is not the session's) or "refused".
export function flush() {
  if (isSignedIn) sending = sending.then(send).then(tell);
  return sending;
}

// Gives in how many seconds it is tried again, while the site is busy.
export function patience() {
  return Math.max(0, Math.ceil((pauseUntil - Date.now()) / 1000));
}

export function soon() {
  const seconds = patience();
  if (seconds > 90) return `in ${Math.ceil(seconds / 60)} minutes`;
  return seconds > 1 ? `in ${seconds} seconds` : "in a moment";
}

function tell(how) {
  document.dispatchEvent(new CustomEvent("slopewise:outbox", { detail: how }));
  return how;
}

async function send() {
  if (patience()) return "busy";
  try {
    for (let entries = waiting(); entries.length; entries = waiting()) {
      const part = entries.slice(0, MOST_AT_ONCE);
      const answer = await post("/api/log", { sent_at: new Date().toISOString(), entries: part });
      if (!answer.ok) return whyNot(answer);
      const { stored, refused } = await answer.json();
      for (const id of [...stored, ...refused.map((entry) => entry.id)]) forget(id);
    }
    return "sent";
  } catch {
    return "offline";
  }
}

// Gives in a word why an answer is none. Who is busy is left alone for as long as it asks.
export function whyNot(answer) {
  if (answer.status === 401) return "logged out";
  if (answer.status === 403) return "out of date";
  if (answer.status < 500 && ![408, 425, 429].includes(answer.status)) return "refused";
  pause(answer.headers.get("Retry-After"));
  return "busy";
}

// What the header holds is a number of seconds or a date.
function pause(header) {
  const asked = /^\d+$/.test(header ?? "") ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
  const seconds = Math.min(Math.max(Number.isFinite(asked) ? asked : RETRY_SECONDS, 1), LONGEST_PAUSE_SECONDS);
  pauseUntil = Date.now() + seconds * 1000;
  setTimeout(flush, seconds * 1000 + 50);
}

export function record(entry) {
  const whole = { id: crypto.randomUUID(), at: new Date().toISOString(), ...entry };
  keep(whole);
  return whole;
}

if (isSignedIn) {
  flush();
  window.addEventListener("online", flush);
  setInterval(() => waiting().length && flush(), RETRY_SECONDS * 1000);
}
