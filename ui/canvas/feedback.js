// Corrections: a person gives the correct label of a picture, and the service stores both.

import { sentenceOf } from "./notice.js";
import { ask, RequestError } from "./requests.js";
import { say } from "./say.js";
import { styled } from "./start.js";

/** @import { Reading, Sent } from "./requests.js" */
/** @import { Paper } from "./drawing.js" */
/** @import { Page } from "../page.d.ts" */

/**
 * The subject of a correction: an answer, the file that was read, and the paper from which it was made.
 * @typedef {{ reading: Reading, file: Sent, paper: Paper }} Subject
 * @typedef {{ onThanks: (sentence: string) => void, onError: (sentence: string) => void }} Callbacks
 */

const NOT_A_DIGIT = "not_a_digit";
const SLOW_AFTER = 1500; // ms until the page says that it is still waiting
const SEEN = 400; // ms that the dialog stays after success, so that a double tap does not hit a button under it
const LONG = 12; // characters; a longer label is not repeated in the thanks

export class Feedback {
  /** @type {Subject | null} */
  #subject = null;
  /** @type {WeakMap<Paper, string>} */
  #labels = new WeakMap();
  /** @type {Paper | null} The paper of the last dialog, whose input is restored. */
  #paper = null;
  #off = false;

  /**
   * @param {Page} element
   * @param {Callbacks} callbacks
   */
  static async ready(element, callbacks) {
    await styled(new URL("feedback.css", import.meta.url).href);
    return new Feedback(element, callbacks);
  }

  /**
   * @param {Page} element
   * @param {Callbacks} callbacks
   */
  constructor(element, { onThanks, onError }) {
    this.onThanks = onThanks;
    this.onError = onError;
    this._card = element.querySelector("#answer");
    this._wrong = element.querySelector("#wrong");
    this._dialog = element.querySelector("#feedback");
    this._number = element.querySelector("#feedback-number");
    this._said = element.querySelector("#feedback-said");
    const none = element.querySelector("#feedback-none");
    /** @type {Map<string, HTMLButtonElement>} */
    this._buttons = new Map([...Array.from("0123456789", digitButton), [NOT_A_DIGIT, none]]);
    for (const [label, button] of this._buttons) button.addEventListener("click", () => this.#send(label));
    const digits = [...this._buttons.values()].filter((button) => button !== none);
    element.querySelector("#feedback-digits").replaceChildren(...digits);
    this._wrong.addEventListener("click", () => this.#open());
    element.querySelector("#feedback-close").addEventListener("click", () => this._dialog.close());
    element.querySelector("#feedback-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#sendNumber();
    });
    this.#listenToDialog();
  }

  /**
   * Set the answer that is shown, null for none.
   * @param {Subject | null} subject
   */
  about(subject) {
    this.#subject = subject;
    if (subject?.paper !== this.#paper) this._dialog.close(); // a picture was pasted
    // A single label cannot say which cell of a table is wrong, and cells are corrected in place.
    this._wrong.hidden = this.#off || !subject || subject.reading.tables.length > 0;
    const said = subject && this.#labels.has(subject.paper);
    this._wrong.textContent = say(said ? "feedback_change" : "wrong");
  }

  #listenToDialog() {
    this._dialog.addEventListener("click", (event) => {
      if (event.target === this._dialog) this._dialog.close(); // a click on the backdrop
    });
    this._dialog.addEventListener("keydown", (event) => {
      const { key, target, ctrlKey, metaKey, altKey, isComposing } = event;
      if (ctrlKey || metaKey || altKey || isComposing) return;
      if (target === this._number) {
        if (key !== "Enter" || event.shiftKey) return;
        this.#sendNumber();
      } else if (/^\d$/.test(key)) this.#send(key);
      else return;
      event.preventDefault();
    });
    addEventListener("resize", () => this.#place());
  }

  #open() {
    if (!this.#subject) return;
    const { reading, paper } = this.#subject;
    const several = reading.text.length > 1;
    const label = this.#labels.get(paper);
    if (paper !== this.#paper) {
      this.#paper = paper;
      this._said.textContent = "";
      this._number.value = several ? (label ?? reading.text) : "";
      this._number.rows = reading.text.split("\n").length > 1 ? 2 : 1;
    }
    this.#press(label);
    this.#place();
    this._dialog.showModal();
    // On a phone, the keyboard would open immediately and cover the other choices.
    if (several && matchMedia("(pointer: fine)").matches) this._number.select();
    else this._buttons.get("0")?.focus();
  }

  /** Place the dialog: on a wide screen, under the answer and next to the drawing. */
  #place() {
    const { left, bottom, width } = this._card.getBoundingClientRect();
    for (const [name, value] of Object.entries({ left, bottom, width })) {
      this._dialog.style.setProperty(`--${name}`, `${value}px`);
    }
  }

  /** @param {string | undefined} label */
  #press(label) {
    for (const [each, button] of this._buttons) button.ariaPressed = String(each === label);
  }

  #sendNumber() {
    const label = this._number.value.replaceAll(/[−–]/g, "-").trim(); // minus sign and en dash, as on phones
    if (/\d/.test(label) && /^[\d.,\-\s]+$/.test(label)) this.#send(label);
    else {
      this._said.textContent = say("feedback_label");
      this._number.focus();
    }
  }

  /** @param {string} label */
  async #send(label) {
    const subject = this.#subject;
    if (!subject || this._dialog.ariaBusy === "true") return;
    this._dialog.ariaBusy = "true";
    this._said.textContent = "";
    this.#press(label);
    const slow = setTimeout(() => {
      this._said.textContent = say("feedback_slow");
    }, SLOW_AFTER);
    try {
      await ask("feedback", subject.file, label);
      clearTimeout(slow);
      this._said.textContent = "";
      await new Promise((resolve) => setTimeout(resolve, SEEN));
      this.#thank(label, subject);
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      this.#fail(error);
    } finally {
      clearTimeout(slow);
      this._dialog.ariaBusy = "false";
    }
  }

  /**
   * @param {string} label
   * @param {Subject} subject
   */
  #thank(label, subject) {
    this.#labels.set(subject.paper, label);
    this._dialog.close();
    if (this.#subject?.paper !== subject.paper) return; // the drawing has changed meanwhile
    this.about(this.#subject);
    const named = label === NOT_A_DIGIT ? say("feedback_none").toLowerCase() : label;
    this.onThanks(
      label.length > LONG ? say("feedback_thanks_long") : say("feedback_thanks", { label: named }),
    );
  }

  /** @param {RequestError} error */
  #fail(error) {
    const sentence = sentenceOf(error);
    this._said.textContent = error.isTransient ? `${sentence} ${say("feedback_lost")}` : sentence;
    if (!this._dialog.open) this.onError(this._said.textContent);
    if (error.code === "feedback_off") {
      this.#off = true;
      this._wrong.hidden = true;
    }
  }
}

/**
 * @param {string} digit
 * @returns {[string, HTMLButtonElement]}
 */
function digitButton(digit) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = digit;
  return [digit, button];
}
