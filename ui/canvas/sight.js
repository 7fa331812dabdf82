// The network's view: the 28x28 pixels of every mark and, on demand, their influence on the answer.

import { contextOf, HEIGHT, WIDTH } from "./drawing.js";
import { ask, RequestError } from "./requests.js";
import { say } from "./say.js";

/** @import { Answer } from "./answer.js" */
/** @import { Box, Hint, Sent, View } from "./requests.js" */
/** @import { Drawing } from "./drawing.js" */
/** @import { Page } from "../page.d.ts" */

/**
 * A view with pixels and saliency as flat lists, row by row.
 * @typedef {Omit<View, "seen" | "saliency"> & { seen: number[], saliency: number[] }} Decoded
 */

const FIELD = 28;
const CALM = 250; // ms after the latest answer until the network's view is requested
const INK = 40; // of 255: darker pixels are ignored in the bounding box of the ink

export class Sight {
  #timer = 0;
  #asked = 0;
  /** @type {Decoded[]} */
  #views = [];
  #chosen = 0;
  #why = false;

  /**
   * @param {Page} element
   * @param {{ answer: Answer, drawing: Drawing, onHints: (hints: (Hint | null)[]) => void }} parts
   */
  constructor(element, { answer, drawing, onHints }) {
    this.answer = answer;
    this.drawing = drawing;
    this.onHints = onHints;
    this.tiles = element.querySelector("#tiles");
    this.empty = this.tiles.firstElementChild;
    this.marks = element.querySelector("#marks");
    this.legend = element.querySelector("#legend");
    this.button = element.querySelector("#why");
    this.button.addEventListener("click", () => this.#toggle());
    this.reset();
  }

  reset() {
    clearTimeout(this.#timer);
    this.#asked++;
    this.#views = [];
    this.#show();
  }

  /**
   * A new answer for `file`: request its view unless a newer answer follows.
   * @param {Sent} file
   */
  follow(file) {
    clearTimeout(this.#timer);
    const asked = ++this.#asked;
    this.#hideHeat();
    this.#timer = setTimeout(() => this.#ask(file, asked), CALM);
  }

  /** @param {number} index */
  choose(index) {
    this.#chosen = index;
    [...this.tiles.querySelectorAll("canvas")].forEach((tile, i) => {
      this.#outline(tile, i);
    });
  }

  /**
   * @param {Sent} file
   * @param {number} asked
   */
  async #ask(file, asked) {
    try {
      const views = await ask("explain", file);
      if (asked !== this.#asked) return;
      this.#views = await Promise.all(views.map(decoded));
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      return; // errors are shown with the answer; the view comes with the next one
    }
    if (asked !== this.#asked) return;
    this.#show();
    this.onHints(this.#views.map((view) => view.hint));
  }

  #toggle() {
    this.#why = !this.#why;
    this.button.ariaPressed = String(this.#why);
    this.legend.hidden = !this.#why;
    this.#show();
  }

  #show() {
    const tiles = this.#views.map((view, i) => {
      const tile = newCanvas(pixels(view, this.#why));
      tile.className = "tile";
      tile.role = "img";
      tile.ariaLabel = say("tile", { n: i + 1 });
      this.#outline(tile, i);
      return tile;
    });
    this.tiles.replaceChildren(...(tiles.length ? tiles : [this.empty]));
    this.#hideHeat();
    if (this.#why && this.#views.length) this.#showHeat();
  }

  /**
   * @param {HTMLCanvasElement} tile
   * @param {number} index
   */
  #outline(tile, index) {
    tile.classList.toggle("chosen", this.#views.length > 1 && index === this.#chosen);
  }

  #hideHeat() {
    this.marks.querySelector(".heat")?.remove();
  }

  /** Colour the strokes: the ink's bounding box in the 28x28 pixels corresponds to the mark's box on the paper. */
  #showHeat() {
    const heat = document.createElement("canvas");
    heat.className = "heat";
    Object.assign(heat, { width: WIDTH, height: HEIGHT });
    const context = contextOf(heat);
    for (const view of this.#views) {
      const [left, top, right, bottom] = inkBox(view.seen);
      const { x, y, width, height } = this.answer.onPaper(view.box);
      context.drawImage(
        newCanvas(heatPixels(view)),
        left,
        top,
        right - left,
        bottom - top,
        x,
        y,
        width,
        height,
      );
    }
    context.globalCompositeOperation = "destination-in";
    context.drawImage(this.drawing.ink, 0, 0);
    this.marks.append(heat);
  }
}

/**
 * @param {View} view
 * @returns {Promise<Decoded>}
 */
async function decoded(view) {
  const bytes = Uint8Array.from(atob(view.seen), (letter) => letter.charCodeAt(0));
  const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
  const context = contextOf(new OffscreenCanvas(FIELD, FIELD));
  context.drawImage(bitmap, 0, 0);
  const rgba = context.getImageData(0, 0, FIELD, FIELD).data;
  const seen = Array.from({ length: FIELD * FIELD }, (_, i) => rgba[4 * i]);
  return { ...view, seen, saliency: view.saliency.flat() };
}

/**
 * The view in grey or, with `why`, coloured by influence.
 * @param {Decoded} view
 * @param {boolean} why
 */
function pixels(view, why) {
  const image = new ImageData(FIELD, FIELD);
  view.seen.forEach((light, i) => {
    const tint = why ? colour(view.saliency[i]) : null;
    const share = tint ? tint.share : 0;
    for (let c = 0; c < 3; c++) {
      image.data[4 * i + c] = light * (1 - share) + (tint ? tint.rgb[c] : 0) * share;
    }
    image.data[4 * i + 3] = 255;
  });
  return image;
}

/** @param {Decoded} view */
function heatPixels(view) {
  const image = new ImageData(FIELD, FIELD);
  view.saliency.forEach((value, i) => {
    const { rgb, share } = colour(value);
    image.data.set([...rgb, 255 * share], 4 * i);
  });
  return image;
}

/** @param {number} value */
function colour(value) {
  const rgb = value > 0 ? [255, 122, 26] : [40, 140, 245];
  return { rgb, share: Math.min(Math.abs(value) * 1.2, 0.95) };
}

/**
 * @param {number[]} seen
 * @returns {Box}
 */
function inkBox(seen) {
  const inked = seen.flatMap((light, i) => (light > INK ? [[i % FIELD, Math.floor(i / FIELD)]] : []));
  if (!inked.length) return [0, 0, FIELD, FIELD];
  const [xs, ys] = [inked.map(([x]) => x), inked.map(([, y]) => y)];
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs) + 1, Math.max(...ys) + 1];
}

/** @param {ImageData} image */
function newCanvas(image) {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: FIELD, height: FIELD });
  contextOf(canvas).putImageData(image, 0, 0);
  return canvas;
}
