// Loads the dialog for corrections after the first answer, if the service stores them.

import { ask } from "./requests.js";

/** @import { Feedback, Subject, Callbacks } from "./feedback.js" */
/** @import { Page } from "../page.d.ts" */

export class FeedbackLoader {
  #asked = false;
  /** @type {Feedback | null} */
  #feedback = null;
  /** @type {Subject | null} */
  #subject = null;

  /**
   * @param {Page} element
   * @param {Callbacks} callbacks
   */
  constructor(element, callbacks) {
    this.element = element;
    this.callbacks = callbacks;
  }

  /** @param {Subject} subject */
  answered(subject) {
    this.#subject = subject;
    this.#feedback?.about(subject);
    if (!this.#asked) this.#ask();
  }

  /** Nothing is drawn. */
  clear() {
    this.#subject = null;
    this.#feedback?.about(null);
  }

  async #ask() {
    this.#asked = true;
    try {
      if (!(await ask("feedback"))) return;
      const { Feedback } = await import("./feedback.js");
      this.#feedback = await Feedback.ready(this.element, this.callbacks);
      this.#feedback.about(this.#subject);
    } catch {
      this.#asked = false; // service or network not available; retry with the next answer
    }
  }
}
