// What somebody who is logged in does with cards. Each entry is kept in this browser under a key of its own until
// the server says that it has it; it may be sent twice, since its id tells.
const { learner, formToken } = document.body.dataset;
const PREFIX = `slopewise.outbox.${learner}.`;
const RETRY_MILLISECONDS = 20_000;
const MOST_AT_ONCE = 200;
const kept = new Map(); // for browsers that keep nothing
let sending = Promise.resolve("sent");

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

// Sends what waits, after what is being sent already. Gives "sent", "offline" or, when the session has ended,
// "logged out".
export function flush() {
  if (isSignedIn) sending = sending.then(send);
  return sending;
}

async function send() {
  try {
    for (let entries = waiting(); entries.length; entries = waiting()) {
      const part = entries.slice(0, MOST_AT_ONCE);
      const answer = await post("/api/log", { sent_at: new Date().toISOString(), entries: part });
      if (answer.status === 401 || answer.status === 403) return "logged out";
      if (!answer.ok) return "offline";
      const { stored, refused } = await answer.json();
      for (const id of [...stored, ...refused.map((entry) => entry.id)]) forget(id);
    }
    return "sent";
  } catch {
    return "offline";
  }
}

export function record(entry) {
  const whole = { id: crypto.randomUUID(), at: new Date().toISOString(), ...entry };
  keep(whole);
  return whole;
}

if (isSignedIn) {
  flush();
  window.addEventListener("online", flush);
  setInterval(() => waiting().length && flush(), RETRY_MILLISECONDS);
}
