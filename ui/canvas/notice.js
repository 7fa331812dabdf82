// Error messages, and the notice that shows them.

import { say } from "./say.js";

/** @import { RequestError } from "./requests.js" */

/** @type {Record<string, string>} */
const BY_CODE = {
  feedback_away: "feedback_away",
  feedback_full: "feedback_full",
  feedback_off: "feedback_off",
  service_away: "service_away",
  service_strange: "service_away",
  service_slow: "service_slow",
  no_model: "no_model",
};
/** @type {Record<number, string>} */
const BY_STATUS = {
  0: "page_away",
  401: "unauthorized",
  413: "too_large",
  415: "wrong_kind",
  400: "unreadable",
  429: "busy",
  503: "busy",
  502: "page_away",
  504: "service_slow",
};

/**
 * The message for an error.
 * @param {RequestError} error
 */
export function sentenceOf({ code, status, message }) {
  const name = BY_CODE[code] ?? BY_STATUS[status];
  return name ? say(name) : message || say("service_error", { status });
}

export class Notice {
  /** @param {HTMLElement} element */
  constructor(element) {
    this.element = element;
  }

  /** Whether the message stays until the person continues, not only until the next answer. */
  #lasting = false;

  /** The person continues drawing, so a lasting message has been read. */
  dismiss() {
    if (!this.#lasting) return;
    this.#lasting = false;
    this.hide();
  }

  hide() {
    if (this.#lasting) return;
    this.element.hidden = true;
    this.element.textContent = "";
  }

  /** @param {(string | false)[]} sentences */
  say(...sentences) {
    this.#lasting = false;
    const text = sentences.filter(Boolean).join(" ");
    if (this.element.textContent !== text) this.element.textContent = text;
    this.element.hidden = false;
  }

  /** @param {boolean} drawn */
  slow(drawn) {
    this.say(say("service_slow"), drawn && say("kept"));
  }

  /**
   * Show a message that stays until the person continues.
   * @param {(string | false)[]} sentences
   */
  sayLasting(...sentences) {
    this.say(...sentences);
    this.#lasting = true;
  }

  /**
   * Show a failed request; `drawn`: whether there is a drawing, which is kept.
   * @param {RequestError} error
   * @param {boolean} drawn
   */
  showError(error, drawn) {
    const sentence = sentenceOf(error);
    if (error.isTransient) this.say(sentence, drawn && say("kept"), say("again"));
    else this.sayLasting(sentence, drawn && say("kept"));
  }
}
