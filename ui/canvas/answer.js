// The answer: digit or number, confidence, probability bars, and the boxes on the drawing.

import { HEIGHT, WIDTH } from "./drawing.js";
import { percent, say, sureness } from "./say.js";
import { howSure } from "./table.js";

/** @import { Box, Hint, Mark, Reading, Sign } from "./requests.js" */
/** @import { Place } from "./drawing.js" */
/** @import { Bar, Page } from "../page.d.ts" */

const DOUBTFUL = 0.95; // confidence below which the label of a box shows it
const SPOKEN_AFTER = 700; // ms without a new answer until it is announced to a screen reader
/** @type {Record<Sign, string>} */
const SIGNS = { "-": "sign_minus", ".": "sign_point", ",": "sign_comma" };

export class Answer {
  /** @type {Mark[]} */
  marks = [];
  /** @type {Place} */
  place = { left: 0, top: 0, scale: 1 };
  chosen = 0;
  hurry = false;
  onPhoto = false;
  #speaking = 0;

  /**
   * @param {Page} element
   * @param {(index: number) => void} onChoose
   */
  constructor(element, onChoose) {
    this.onChoose = onChoose;
    this._whole = element.querySelector(".digits");
    this._big = element.querySelector("#big");
    this._copy = element.querySelector("#copy");
    this._verdict = element.querySelector("#verdict");
    this._detail = element.querySelector("#detail");
    this._took = element.querySelector("#took");
    this._spoken = element.querySelector("#spoken");
    this._bars = element.querySelector("#bars");
    this._marks = element.querySelector("#marks");
    this._copy.addEventListener("click", () => this.#copy());
    this._big.addEventListener("copy", (event) => {
      if (getSelection()?.containsNode(this._big, true)) this.#putText(event);
    });
    this.#makeBars();
    this.reset();
  }

  /** Show that nothing is drawn. */
  reset() {
    this.marks = [];
    this._whole.classList.add("blank");
    this.#showWords(say("ready"), say("ready_more"), "");
    this.#showBig("");
    this.#showBars(null);
    this._marks.replaceChildren();
    clearTimeout(this.#speaking);
    this._spoken.textContent = "";
  }

  /**
   * Show the answer of `POST /read`; `place` is the position of its pixels on the paper.
   * @param {Reading} reading
   * @param {Place} place
   * @param {number} milliseconds
   * @param {boolean} onPhoto whether a file was read, such as a photo
   */
  show(reading, place, milliseconds, onPhoto) {
    this._whole.classList.remove("blank");
    this.marks = reading.digits;
    this.place = place;
    this.onPhoto = onPhoto;
    if (reading.tables.length) {
      this.#showTables(reading, milliseconds);
      return;
    }
    const sure = this.marks.map((mark) => (isUnread(mark) ? -1 : (mark.confidence ?? Infinity)));
    this.chosen = Math.max(sure.indexOf(Math.min(...sure)), 0);
    this.#showBig(reading.text);
    this.#showBoxes();
    this.#choose(this.chosen);
    const [verdict, detail] = this.#words();
    this.#showWords(verdict, detail, say("took", { ms: Math.round(milliseconds) }));
    const { text } = reading;
    this.#speak(
      /\d/.test(text)
        ? say("spoken", { text, words: verdict, more: detail })
        : say("spoken_rejected", { words: verdict, more: detail }),
    );
  }

  /**
   * Show only the size of a table, because its cells are in the table view.
   * @param {Reading} reading
   * @param {number} milliseconds
   */
  #showTables({ text, tables, numbers }, milliseconds) {
    const [{ rows, columns }, ...others] = tables;
    const inCells = tables.flatMap((table) => table.cells.flatMap((cell) => cell.numbers));
    const beside = numbers.filter((_, i) => !inCells.includes(i)).map((number) => number.text);
    const check = inCells.filter((i) => howSure([numbers[i].confidence])).length;
    const verdict = others.length
      ? say("tables_found", { count: tables.length })
      : say("table_found", { rows, columns });
    const detail = [
      check ? say("table_check", { count: check }) : say("table_sure"),
      beside.length ? say("table_beside", { text: beside.join(" ") }) : "",
    ].join(" ");
    this.#showBig("");
    this._big.dataset.text = text;
    this.showCell(null);
    this.#showBars(null);
    this.#showWords(verdict, detail, say("took", { ms: Math.round(milliseconds) }));
    this.#speak(`${verdict}. ${detail}`);
  }

  /**
   * Outline a cell of the table on the paper.
   * @param {Box | null} box
   */
  showCell(box) {
    this._marks.replaceChildren(...(box ? [this.#outline(box)] : []));
  }

  /**
   * Show why a mark is hard to read, from /explain.
   * @param {(Hint | null)[]} hints
   */
  hint(hints) {
    const found =
      hints.find((hint, i) => hint && isUnread(this.marks[i])) ??
      hints.find((hint, i) => hint && !this.marks[i]?.sign);
    if (found) this._detail.textContent = say(this.onPhoto ? `hint_${found}_photo` : `hint_${found}`);
  }

  /**
   * Show the thanks for a correction, and announce it to a screen reader.
   * @param {string} sentence
   */
  thank(sentence) {
    this._took.textContent = sentence;
    this.speakNow();
    this.#speak(sentence);
  }

  /** Announce the answer to a screen reader immediately, as after "Recognise". */
  speakNow() {
    this.hurry = true;
  }

  /** @returns {[verdict: string, detail: string]} */
  #words() {
    if (!this.marks.length) return [say("blank"), say("blank_more")];
    const sure = this.marks.flatMap((mark) => mark.confidence ?? []);
    if (!sure.length) return [say("not_a_digit"), say("not_a_digit_more")];
    const unread = this.marks.filter(isUnread).length;
    if (unread)
      return [say("read_in_part"), say(unread > 1 ? "some_unclear" : "one_unclear", { count: unread })];
    const least = Math.min(...sure);
    if (sure.length === 1) return [sureness(least), say("percent", { percent: percent(least) })];
    return [sureness(least), say("sure_number", { percent: percent(least) })];
  }

  /**
   * @param {string} verdict
   * @param {string} detail
   * @param {string} took
   */
  #showWords(verdict, detail, took) {
    this._verdict.textContent = verdict;
    this._detail.textContent = detail;
    this._took.textContent = took;
  }

  /**
   * Show one digit in large letters, or several marks as buttons, grouped by number.
   * @param {string} text
   */
  #showBig(text) {
    const single = text.length <= 1;
    this._whole.classList.toggle("single", single);
    this._big.dataset.text = text;
    this._copy.disabled = !text.length;
    if (single) {
      const letter = document.createElement("span");
      letter.textContent = text.length ? text : "–";
      letter.className = text.length && text !== "?" ? "" : "nothing";
      if (!text.length) letter.ariaHidden = "true";
      this._big.replaceChildren(letter);
      return;
    }
    let index = 0;
    /** @param {string} letters */
    const word = (letters) => {
      const element = document.createElement("span");
      element.className = "word";
      element.append(...[...letters].map((letter) => this.#button(letter, index++)));
      return element;
    };
    const lines = text.split("\n");
    // look.css chooses a font size with these, so that every line fits without a break.
    this._big.style.setProperty("--letters", String(Math.max(...lines.map((line) => line.length))));
    this._big.style.setProperty("--lines", String(lines.length));
    this._big.replaceChildren(
      ...lines.map((line) => {
        const element = document.createElement("span");
        element.className = "line";
        element.append(...line.split(" ").map(word));
        return element;
      }),
    );
    this._big.scrollTo(0, 0);
  }

  async #copy() {
    try {
      await navigator.clipboard.writeText(this._big.dataset.text ?? "");
      this._took.textContent = say("copied");
    } catch {
      this._took.textContent = say("not_copied");
    }
  }

  /**
   * Copy a selection with the spaces and line breaks that are shown.
   * @param {ClipboardEvent} event
   */
  #putText(event) {
    event.clipboardData?.setData("text/plain", this._big.dataset.text ?? "");
    event.preventDefault();
  }

  /**
   * @param {string} letter
   * @param {number} index
   */
  #button(letter, index) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = letter;
    button.ariaLabel = nameOf(this.marks[index]);
    button.addEventListener("click", () => this.#choose(index));
    return button;
  }

  /** @param {number} index */
  #choose(index) {
    this.chosen = index;
    [...this._big.querySelectorAll("button")].forEach((button, i) => {
      button.ariaPressed = String(i === index);
    });
    const mark = this.marks[index];
    this.#showBars(mark?.digit == null ? null : mark.probabilities);
    this.onChoose(index);
  }

  #makeBars() {
    for (let digit = 0; digit < 10; digit++) {
      const row = document.createElement("li");
      row.innerHTML = `<span class="track"><i></i></span><span class="name">${digit}</span><span class="percent"></span>`;
      this._bars.append(row);
    }
  }

  /** @param {number[] | null} probabilities */
  #showBars(probabilities) {
    const top = probabilities ? probabilities.indexOf(Math.max(...probabilities)) : -1;
    const rows = /** @type {Iterable<Bar>} */ (this._bars.children);
    [...rows].forEach((row, digit) => {
      const share = probabilities?.[digit] ?? 0;
      row.classList.toggle("top", digit === top);
      row.querySelector("i").style.setProperty("--p", share.toFixed(4));
      row.querySelector(".percent").textContent = probabilities
        ? say("percent", { percent: percent(share) })
        : "";
    });
  }

  #showBoxes() {
    const boxes = this.marks.length > 1 ? this.marks.map((mark) => this.#box(mark)) : [];
    this._marks.replaceChildren(...boxes);
    makeRoom(boxes.flatMap((box) => [...box.children].map((label) => /** @type {HTMLElement} */ (label))));
  }

  /** @param {Mark} mark */
  #box(mark) {
    const box = this.#outline(mark.box);
    box.classList.toggle("unclear", isUnread(mark));
    const label = document.createElement("span");
    label.textContent = mark.digit === null ? (mark.sign ?? "?") : String(mark.digit);
    if (mark.digit !== null && mark.confidence < DOUBTFUL) {
      const share = document.createElement("i");
      share.textContent = ` ${say("percent", { percent: Math.floor(mark.confidence * 100) })}`;
      label.append(share);
    }
    box.append(label);
    return box;
  }

  /** @param {Box} place */
  #outline(place) {
    const box = document.createElement("div");
    box.className = "mark";
    const { x, y, width, height } = this.onPaper(place);
    Object.assign(box.style, {
      left: `${(x / WIDTH) * 100}%`,
      top: `${(y / HEIGHT) * 100}%`,
      width: `${(width / WIDTH) * 100}%`,
      height: `${(height / HEIGHT) * 100}%`,
    });
    box.classList.toggle("under", y < 0.06 * HEIGHT);
    return box;
  }

  /**
   * Convert a box from pixels of the picture sent to pixels of the paper.
   * @param {Box} box
   */
  onPaper([left, top, right, bottom]) {
    const { left: x, top: y, scale } = this.place;
    return {
      x: x + left * scale,
      y: y + top * scale,
      width: (right - left) * scale,
      height: (bottom - top) * scale,
    };
  }

  /** @param {string} sentence */
  #speak(sentence) {
    clearTimeout(this.#speaking);
    const wait = this.hurry ? 0 : SPOKEN_AFTER;
    this.hurry = false;
    this.#speaking = setTimeout(() => {
      this._spoken.textContent = sentence;
    }, wait);
  }
}

/**
 * Neither a digit nor a sign.
 * @param {Mark | undefined} mark
 */
function isUnread(mark) {
  return mark?.digit === null && !mark.sign;
}

/**
 * The text of a mark for a screen reader.
 * @param {Mark} mark
 */
function nameOf({ digit, confidence, sign }) {
  if (sign) return say(SIGNS[sign]);
  return digit === null
    ? say("unclear_button")
    : say("digit_button", { digit, percent: percent(confidence) });
}

/**
 * Resolve overlapping labels: first remove their percentages, then the later label, whose digit is in the answer
 * too.
 * @param {HTMLElement[]} labels
 */
function makeRoom(labels) {
  for (const shorten of [true, false]) {
    /** @type {HTMLElement[]} */
    const standing = [];
    for (const label of labels) {
      const hit = standing.filter((other) => overlap(label, other));
      if (shorten && hit.length) {
        for (const one of [label, ...hit]) one.querySelector("i")?.remove();
      } else if (hit.length) {
        label.remove();
        continue;
      }
      standing.push(label);
    }
  }
}

/**
 * @param {HTMLElement} one
 * @param {HTMLElement} other
 */
function overlap(one, other) {
  const [a, b] = [one.getBoundingClientRect(), other.getBoundingClientRect()];
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}
