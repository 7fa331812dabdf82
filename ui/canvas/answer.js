// The answer: the digit or number, how sure it is, its ten bars, and the boxes on the drawing.

import { HEIGHT, WIDTH } from "./drawing.js";
import { percent, say, sureness } from "./say.js";
import { howSure } from "./table.js";

/** @import { Box, Hint, Mark, Reading, Sign } from "./asking.js" */
/** @import { Place } from "./drawing.js" */
/** @import { Bar, Page } from "../page.d.ts" */

const SPOKEN_AFTER = 700; // ms without a new answer until a screen reader is told
/** @type {Record<Sign, string>} */
const SIGNS = { "-": "sign_minus", ".": "sign_point", ",": "sign_comma" };

export class Answer {
  /** @type {Mark[]} */
  marks = [];
  /** @type {Place} */
  place = { left: 0, top: 0, scale: 1 };
  chosen = 0;
  hurry = false;
  #speaking = 0;

  /**
   * @param {Page} element
   * @param {(index: number) => void} onChoose
   */
  constructor(element, onChoose) {
    this.onChoose = onChoose;
    this._big = element.querySelector("#big");
    this._verdict = element.querySelector("#verdict");
    this._detail = element.querySelector("#detail");
    this._took = element.querySelector("#took");
    this._spoken = element.querySelector("#spoken");
    this._bars = element.querySelector("#bars");
    this._marks = element.querySelector("#marks");
    this.#makeBars();
    this.reset();
  }

  /** Nothing is drawn. */
  reset() {
    this.marks = [];
    this.#showWords(say("ready"), say("ready_more"), "");
    this.#showBig("");
    this.#showBars(null);
    this._marks.replaceChildren();
    clearTimeout(this.#speaking);
    this._spoken.textContent = "";
  }

  /**
   * Show what `POST /read` answered; `place` says where its pixels lie on the paper.
   * @param {Reading} reading
   * @param {Place} place
   * @param {number} milliseconds
   */
  show(reading, place, milliseconds) {
    this.marks = reading.digits;
    this.place = place;
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
   * Of a table its size alone: its cells stand beside the paper.
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
   * Say why a mark is hard to read, when /explain knows.
   * @param {(Hint | null)[]} hints
   */
  hint(hints) {
    const found =
      hints.find((hint, i) => hint && isUnread(this.marks[i])) ??
      hints.find((hint, i) => hint && !this.marks[i]?.sign);
    if (found) this._detail.textContent = say(`hint_${found}`);
  }

  /** Tell a screen reader at once, as after "Recognise". */
  speakNow() {
    this.hurry = true;
  }

  /** @returns {[verdict: string, detail: string]} */
  #words() {
    if (!this.marks.length) return [say("blank"), say("blank_more")];
    const sure = this.marks.flatMap((mark) => mark.confidence ?? []);
    if (!sure.length) return [say("not_a_digit"), say("not_a_digit_more")];
    const least = Math.min(...sure);
    const words = sureness(least);
    if (this.marks.some(isUnread)) return [words, say("some_unclear")];
    if (sure.length === 1) return [words, say("percent", { percent: percent(least) })];
    return [words, say("sure_number", { percent: percent(least) })];
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
   * One digit large; several marks as buttons, so that each can be looked at, number by number.
   * @param {string} text
   */
  #showBig(text) {
    const single = text.length <= 1;
    this._big.classList.toggle("number", !single);
    this._big.dataset.text = text.length ? text : "";
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
    const lines = text.split("\n").map((line) => line.split(" ").map(word));
    this._big.replaceChildren(...lines.flatMap((words, i) => (i ? [lineBreak(), ...words] : words)));
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
    this.#showBars(mark && !mark.sign ? mark.probabilities : null);
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
  }

  /** @param {Mark} mark */
  #box(mark) {
    const box = this.#outline(mark.box);
    box.classList.toggle("unclear", isUnread(mark));
    const label = document.createElement("span");
    label.textContent =
      mark.digit === null
        ? (mark.sign ?? "?")
        : `${mark.digit} · ${say("percent", { percent: Math.floor(mark.confidence * 100) })}`;
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
   * A box in pixels of the picture that was sent, in those of the paper.
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
 * What a screen reader says of a mark.
 * @param {Mark} mark
 */
function nameOf({ digit, confidence, sign }) {
  if (sign) return say(SIGNS[sign]);
  return digit === null
    ? say("unclear_button")
    : say("digit_button", { digit, percent: percent(confidence) });
}

function lineBreak() {
  const element = document.createElement("span");
  element.style.flexBasis = "100%";
  return element;
}
