// Whether the service takes corrections: asked once there is an answer, and what takes them is loaded then.

import { ask } from "./asking.js";

/** @import { Feedback, Subject, Told } from "./feedback.js" */
/** @import { Page } from "../page.d.ts" */

export class Offer {
  #asked = false;
  /** @type {Feedback | null} */
  #feedback = null;
  /** @type {Subject | null} */
  #subject = null;

  /**
   * @param {Page} element
   * @param {Told} told
   */
  constructor(element, told) {
    this.element = element;
    this.told = told;
  }

  /** @param {Subject} subject */
  answered(subject) {
    this.#subject = subject;
    this.#feedback?.about(subject);
    if (!this.#asked) this.#ask();
  }

  /** Nothing is drawn. */
  forget() {
    this.#subject = null;
    this.#feedback?.about(null);
  }

  async #ask() {
    this.#asked = true;
    try {
      if (!(await ask("feedback"))) return;
      const { Feedback } = await import("./feedback.js");
      this.#feedback = await Feedback.ready(this.element, this.told);
      this.#feedback.about(this.#subject);
    } catch {
      this.#asked = false; // the service was away, or the line: again with the next answer
    }
  }
}
