// Asking the service: one question at a time, always about the newest drawing, again by itself after a failure.

const BREATH = 40; // ms between an answer and the next question, while the pen is still down
const SLOW_AFTER = 1500; // ms until the page says that it is still waiting
const FIRST_WAIT = 500; // ms before the first new try; doubled each time
const LONGEST_WAIT = 5000;

/** A question that got no answer: HTTP's status (0: the page's own server is away), the service's word and sentence. */
export class Trouble extends Error {
  constructor(status, content, retryAfter) {
    super(content?.error ?? "");
    this.status = status;
    this.code = content?.code ?? "";
    this.retryAfter = retryAfter;
  }

  /** Whether the same question can be answered later. */
  get passes() {
    return ![400, 404, 405, 413, 415, 422].includes(this.status);
  }
}

/** Ask the page's server; throws `Trouble`. */
export async function ask(path, file) {
  let body;
  if (file) {
    body = new FormData();
    body.append("image", file, file.name ?? "drawing.png");
  }
  const address = new URL(`ask/${path}`, document.baseURI);
  let response;
  let content;
  try {
    response = await fetch(address, { method: file ? "POST" : "GET", body });
    content = await response.json();
  } catch {
    throw new Trouble(response?.status ?? 0, null, null);
  }
  if (response.ok) return content;
  throw new Trouble(response.status, content, Number(response.headers.get("Retry-After")) || null);
}

export class Asking {
  #wanted = 0; // the number of the newest drawing
  #cleared = 0; // answers about drawings before this one are not shown any more
  #running = false;
  #failures = 0;
  #wake = null;

  /** `picture()` gives {file, place} of the drawing as it is now; the others are told what came of it. */
  constructor({ picture, onBusy, onAnswer, onSlow, onTrouble }) {
    Object.assign(this, { picture, onBusy, onAnswer, onSlow, onTrouble });
  }

  /** The drawing has changed, or an answer is wanted once more. */
  changed() {
    this.#wanted++;
    if (!this.#running) this.#run();
  }

  /** As `changed`, and a wait ends at once. */
  now() {
    this.changed();
    this.#wake?.();
  }

  /** The drawing is gone: nothing is asked, and an answer on its way is not shown. */
  forget() {
    this.#cleared = ++this.#wanted;
    this.#wake?.();
  }

  async #run() {
    this.#running = true;
    this.onBusy(true);
    let answered = 0;
    while (answered < this.#wanted && this.#cleared !== this.#wanted) {
      const asked = this.#wanted;
      try {
        await this.#once(asked);
        this.#failures = 0;
        answered = asked;
        if (answered < this.#wanted) await this.#sleep(BREATH);
      } catch (trouble) {
        if (!(trouble instanceof Trouble)) throw trouble;
        if (!trouble.passes) answered = asked;
        if (asked > this.#cleared) this.onTrouble(trouble);
        if (trouble.passes) await this.#sleep(this.#waitAfter(trouble));
      }
    }
    this.#running = false;
    this.onBusy(false);
  }

  async #once(asked) {
    const start = performance.now();
    const slow = setTimeout(() => asked > this.#cleared && this.onSlow(), SLOW_AFTER);
    try {
      const { file, place } = await this.picture();
      const answer = await ask("read", file);
      if (asked > this.#cleared) this.onAnswer(answer, place, performance.now() - start, file);
    } finally {
      clearTimeout(slow);
    }
  }

  #waitAfter(trouble) {
    const backoff = FIRST_WAIT * 2 ** this.#failures++;
    return Math.min(trouble.retryAfter ? trouble.retryAfter * 1000 : backoff, LONGEST_WAIT);
  }

  async #sleep(milliseconds) {
    await new Promise((resolve) => {
      this.#wake = resolve;
      setTimeout(resolve, milliseconds);
    });
    this.#wake = null;
  }
}
