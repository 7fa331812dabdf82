// Asking the service: one question at a time, always about the newest drawing, again by itself after a failure.
// Why it is so: docs/decisions/drawing.md

/** @import { Place } from "./drawing.js" */

const REST = 150; // ms that the pen must rest on the paper before a stroke that is not finished is read
const SLOW_AFTER = 1500; // ms until the page says that it is still waiting
const FIRST_WAIT = 500; // ms before the first new try; doubled each time
const LONGEST_WAIT = 5000;

/**
 * The service's answers, as service/answers.py makes them.
 * @typedef {[left: number, top: number, right: number, bottom: number]} Box in pixels of what was sent
 * @typedef {"-" | "." | ","} Sign
 * @typedef {{ digit: number, confidence: number, sign: null }} Digit
 * @typedef {Digit | { digit: null, confidence: null, sign: Sign | null }} Judgement
 * @typedef {Judgement & { probabilities: number[], box: Box }} Mark
 * @typedef {{ text: string, confidence: number | null, printed: boolean }} WrittenNumber null: a mark of it is rejected
 * @typedef {{ row: number, column: number, box: Box, numbers: number[] }} TableCell `numbers`: their indices
 * @typedef {{ rows: number, columns: number, cells: TableCell[] }} Table
 * @typedef {{ text: string, numbers: WrittenNumber[], digits: Mark[], tables: Table[], model: string }} Reading
 * @typedef {"too_small" | "too_faint" | "several_digits"} Hint
 * @typedef {{ box: Box, seen: string, saliency: number[][], hint: Hint | null }} View `seen`: a PNG in base64
 * @typedef {{ test_accuracy?: number, canvas_accuracy?: number }} Metrics
 * @typedef {{ version: string, created: string, git_commit?: string, metrics?: Metrics }} Manifest
 * @typedef {Manifest & { run_link: string | null }} Model with what the page's server adds
 * @typedef {{ kept: number, most: number } | null} Room for feedback; null: none is kept
 * @typedef {{ read: Reading, explain: View[], model: Model, feedback: Room | { id: string } }} Answers by the path
 */

/**
 * What is sent: a file, or the drawing, which has no name.
 * @typedef {Blob & { name?: string }} Sent
 */

/** A question that got no answer: HTTP's status (0: the page's own server is away), the service's word and sentence. */
export class Trouble extends Error {
  /**
   * @param {number} status
   * @param {{ error?: string, code?: string } | null} content
   * @param {number | null} retryAfter in seconds
   */
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

/**
 * Ask the page's server; throws `Trouble`.
 * @template {keyof Answers} Path
 * @param {Path} path
 * @param {Sent} [file]
 * @param {string} [label] what the file shows
 * @returns {Promise<Answers[Path]>}
 */
export async function ask(path, file, label) {
  let body;
  if (file) {
    body = new FormData();
    body.append("image", file, file.name ?? "drawing.png");
    if (label !== undefined) body.append("label", label);
  }
  const address = new URL(`../ask/${path}`, import.meta.url);
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
  #resting = 0;
  #failures = 0;
  /** @type {(() => void) | null} */
  #wake = null;

  /**
   * `picture()` gives {file, place} of the drawing as it is now; the others are told what came of it.
   * @param {{
   *   picture: () => Promise<{ file: Sent, place: Place }>,
   *   onBusy: (busy: boolean) => void,
   *   onAnswer: (reading: Reading, place: Place, milliseconds: number, file: Sent) => void,
   *   onSlow: () => void,
   *   onTrouble: (trouble: Trouble) => void,
   * }} others
   */
  constructor({ picture, onBusy, onAnswer, onSlow, onTrouble }) {
    this.picture = picture;
    this.onBusy = onBusy;
    this.onAnswer = onAnswer;
    this.onSlow = onSlow;
    this.onTrouble = onTrouble;
  }

  /** A stroke goes on: half a 7 is no digit, so it is read where the pen rests or is lifted. */
  soon() {
    clearTimeout(this.#resting);
    this.#resting = setTimeout(() => this.now(), REST);
  }

  /** The drawing has changed, or an answer is wanted once more; a wait ends at once. */
  now() {
    clearTimeout(this.#resting);
    this.#wanted++;
    if (!this.#running) this.#run();
    this.#wake?.();
  }

  /** The drawing is gone: nothing is asked, and an answer on its way is not shown. */
  forget() {
    clearTimeout(this.#resting);
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

  /** @param {number} asked */
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

  /** @param {Trouble} trouble */
  #waitAfter(trouble) {
    const backoff = FIRST_WAIT * 2 ** this.#failures++;
    return Math.min(trouble.retryAfter ? trouble.retryAfter * 1000 : backoff, LONGEST_WAIT);
  }

  /** @param {number} milliseconds */
  async #sleep(milliseconds) {
    await /** @type {Promise<void>} */ (
      new Promise((resolve) => {
        this.#wake = resolve;
        setTimeout(resolve, milliseconds);
      })
    );
    this.#wake = null;
  }
}
