// Requests to the service: one at a time, always for the newest drawing, and retried after a failure.
// See docs/decisions/drawing.md.

/** @import { Place } from "./drawing.js" */

const REST = 150; // ms without movement after which an unfinished stroke is read
const SLOW_AFTER = 1500; // ms until the page says that it is still waiting
const FIRST_WAIT = 500; // ms before the first retry; doubled each time
const LONGEST_WAIT = 5000;

/**
 * The service's answers, as in service/answers.py.
 * @typedef {[left: number, top: number, right: number, bottom: number]} Box in pixels of the picture sent
 * @typedef {"-" | "." | ","} Sign
 * @typedef {{ digit: number, confidence: number, sign: null }} Digit
 * @typedef {Digit | { digit: null, confidence: null, sign: Sign | null }} Judgement
 * @typedef {Judgement & { probabilities: number[], box: Box }} Mark
 * @typedef {{ text: string, confidence: number | null, printed: boolean }} WrittenNumber
 *   whose confidence is null if a mark is rejected
 * @typedef {{ row: number, column: number, box: Box, numbers: number[] }} TableCell `numbers`: their indices
 * @typedef {{ rows: number, columns: number, cells: TableCell[] }} Table
 * @typedef {{ text: string, numbers: WrittenNumber[], digits: Mark[], tables: Table[], model: string }} Reading
 * @typedef {"too_small" | "too_faint" | "several_digits"} Hint
 * @typedef {{ box: Box, seen: string, saliency: number[][], hint: Hint | null }} View `seen`: a PNG in base64
 * @typedef {{ test_accuracy?: number, canvas_accuracy?: number }} Metrics
 * @typedef {{ version: string, created: string, git_commit?: string, metrics?: Metrics }} Manifest
 * @typedef {Manifest & { run_link: string | null }} Model with the link that the page's server adds
 * @typedef {{ kept: number, most: number } | null} Room for feedback; null if none is stored
 * @typedef {{ read: Reading, explain: View[], model: Model, feedback: Room | { id: string } }} Answers by path
 */

/**
 * The picture to send: a file, or the drawing, which has no name.
 * @typedef {Blob & { name?: string }} Sent
 */

/** A failed request: HTTP status (0 if the page's server is unreachable), error code and message. */
export class RequestError extends Error {
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

  /** Whether a retry can succeed. */
  get isTransient() {
    return ![400, 404, 405, 413, 415, 422].includes(this.status);
  }
}

/**
 * Send a request to the page's server; throws `RequestError`.
 * @template {keyof Answers} Path
 * @param {Path} path
 * @param {Sent} [file]
 * @param {string} [label] the correct label of the file
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
    throw new RequestError(response?.status ?? 0, null, null);
  }
  if (response.ok) return content;
  throw new RequestError(response.status, content, Number(response.headers.get("Retry-After")) || null);
}

export class LiveReading {
  #wanted = 0; // the number of the newest drawing
  #cleared = 0; // answers for older drawings are not shown
  #running = false;
  #resting = 0;
  #failures = 0;
  /** @type {(() => void) | null} */
  #wake = null;

  /**
   * `picture()` returns {file, place} of the current drawing; the other callbacks report the result.
   * @param {{
   *   picture: () => Promise<{ file: Sent, place: Place }>,
   *   onBusy: (busy: boolean) => void,
   *   onAnswer: (reading: Reading, place: Place, milliseconds: number, file: Sent) => void,
   *   onSlow: () => void,
   *   onError: (error: RequestError) => void,
   * }} callbacks
   */
  constructor({ picture, onBusy, onAnswer, onSlow, onError }) {
    this.picture = picture;
    this.onBusy = onBusy;
    this.onAnswer = onAnswer;
    this.onSlow = onSlow;
    this.onError = onError;
  }

  /** A stroke is being drawn. It is read when the pen rests or is lifted, because half a 7 is not a digit. */
  soon() {
    clearTimeout(this.#resting);
    this.#resting = setTimeout(() => this.now(), REST);
  }

  /** The drawing has changed, or is to be read again; ends a wait before a retry. */
  now() {
    clearTimeout(this.#resting);
    this.#wanted++;
    if (!this.#running) this.#run();
    this.#wake?.();
  }

  /** The drawing was cleared: send no request, and ignore answers to come. */
  cancel() {
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
      } catch (error) {
        if (!(error instanceof RequestError)) throw error;
        if (!error.isTransient) answered = asked;
        if (asked > this.#cleared) this.onError(error);
        if (error.isTransient) await this.#sleep(this.#waitAfter(error));
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

  /** @param {RequestError} error */
  #waitAfter(error) {
    const backoff = FIRST_WAIT * 2 ** this.#failures++;
    return Math.min(error.retryAfter ? error.retryAfter * 1000 : backoff, LONGEST_WAIT);
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
