// The drawing with its history, a list of papers for Undo and Redo. It is painted twice: on the visible canvas in
// screen pixels, and on the canvas that is sent, which is always 640x480, black on white.

import { contextOf, HEIGHT, WIDTH } from "./paper.js";
import { cropped, fileOf, paintPicture, placeOf, turned, wayOf, whole } from "./photo.js";
import { moved, paintPiece, paintStroke, paintTail } from "./strokes.js";

/** @import { Sent } from "./requests.js" */
/** @import { Area, Context, Point } from "./paper.js" */
/** @import { Picture } from "./photo.js" */
/** @import { Stroke } from "./strokes.js" */

export { contextOf, HEIGHT, WIDTH };

/**
 * @typedef {{ picture: Picture | null, strokes: Stroke[] }} Paper the strokes are drawn on the picture
 * @typedef {{ papers: Paper[], at: number }} History the first paper is blank; `at`: index of the visible one
 * @typedef {{ left: number, top: number, scale: number }} Place position on the paper of the picture sent
 */

/** @type {Paper} */
export const BLANK = { picture: null, strokes: [] };

export class Drawing {
  #papers = [BLANK];
  #at = 0;
  /** @type {Stroke | null} */
  #stroke = null;
  /** @type {{ picture: Picture, undone: Paper[] } | null} Redo entries that the newest picture removed. */
  #taken = null;
  #flat = contextOf(new OffscreenCanvas(WIDTH, HEIGHT), { willReadFrequently: true });
  #shown;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {() => void} onChange
   */
  constructor(canvas, onChange) {
    this.canvas = canvas;
    this.onChange = onChange;
    this.#shown = contextOf(canvas);
    new ResizeObserver(() => this.#fit()).observe(canvas);
    this.#fit();
    this.#repaint();
  }

  /** Whether a stroke has begun and not ended. */
  get isUnderWay() {
    return this.#stroke !== null;
  }

  get canUndo() {
    return this.#at > 0;
  }

  get canRedo() {
    return this.#at < this.#papers.length - 1;
  }

  /** The visible paper, which is the same object again after Undo and Redo. */
  get paper() {
    return this.#papers[this.#at];
  }

  get isBlank() {
    return !this.paper.picture && this.paper.strokes.every((stroke) => stroke.erases);
  }

  /** The photo on the paper, whose file is sent instead of the paper. */
  get photo() {
    const { picture } = this.paper;
    return picture?.file ? picture : null;
  }

  /** The ink on a transparent background, 640x480. */
  get ink() {
    return this.#flat.canvas;
  }

  /** @returns {History} */
  get history() {
    return { papers: this.#papers, at: this.#at };
  }

  /** @param {History} history */
  restore({ papers, at }) {
    this.#papers = papers;
    this.#at = at;
    this.#repaint();
    this.onChange();
  }

  /**
   * @param {Point} point
   * @param {number} width
   * @param {boolean} erases
   */
  begin(point, width, erases) {
    const stroke = { points: [point], width, erases };
    this.#stroke = stroke;
    this.#do({ ...this.paper, strokes: [...this.paper.strokes, stroke] }, () =>
      this.#onBoth((context) => paintPiece(context, stroke, 0)),
    );
  }

  /** @param {Point} point */
  extend(point) {
    const stroke = this.#stroke;
    if (!stroke) return;
    stroke.points.push(point);
    this.#onBoth((context) => paintPiece(context, stroke, stroke.points.length - 1));
    this.onChange();
  }

  end() {
    const stroke = this.#stroke;
    if (!stroke) return;
    this.#onBoth((context) => paintTail(context, stroke));
    this.#stroke = null;
    this.onChange();
  }

  /**
   * Put a picture on a new paper, as large as fits; `file` is sent instead of the paper.
   * @param {HTMLImageElement} image
   * @param {Sent | null} file
   */
  addPicture(image, file) {
    const picture = whole(image, file);
    const undone = this.#papers.slice(this.#at + 1);
    this.#do({ picture, strokes: [] });
    this.#taken = { picture, undone };
  }

  /** @param {number} quarters to the right */
  turn(quarters) {
    if (this.photo) this.#change(this.photo, turned(this.photo, quarters));
  }

  /**
   * Crop the photo to an area of the paper.
   * @param {Area} area
   */
  crop(area) {
    const part = this.photo && cropped(this.photo, area);
    if (this.photo && part) this.#change(this.photo, part);
  }

  clear() {
    this.#stroke = null;
    if (this.paper.picture || this.paper.strokes.length) this.#do(BLANK);
  }

  undo() {
    this.#stroke = null;
    if (this.canUndo) this.#go(this.#at - 1);
  }

  redo() {
    this.#stroke = null;
    if (this.canRedo) this.#go(this.#at + 1);
  }

  /**
   * Undo a picture that was refused, but keep later strokes.
   * @param {Picture} picture
   */
  takeBack(picture) {
    const first = this.#papers.findIndex((paper) => paper.picture === picture);
    if (first < 1) return;
    const before = this.#papers[first - 1];
    const under = this.#papers[first].strokes.length;
    const later = this.#papers
      .slice(first + 1)
      .map((paper) =>
        paper.picture === picture
          ? { ...before, strokes: [...before.strokes, ...paper.strokes.slice(under)] }
          : paper,
      );
    const undone = !later.length && this.#taken?.picture === picture ? this.#taken.undone : [];
    this.#papers = [...this.#papers.slice(0, first), ...later, ...undone];
    this.#go(this.#at < first ? this.#at : this.#at - 1);
  }

  /** The picture to send and its position on the paper; `photo` if it is a photo's file. */
  async sent() {
    const { photo } = this;
    if (photo?.file && !this.paper.strokes.length) {
      return { file: await fileOf(photo, photo.file), place: placeOf(photo), photo };
    }
    return { file: await this.flat(), place: { left: 0, top: 0, scale: 1 }, photo: null };
  }

  /** The drawing as a PNG, 640x480, black on white. */
  flat() {
    const flat = new OffscreenCanvas(WIDTH, HEIGHT);
    const context = contextOf(flat, { alpha: false });
    context.fillStyle = "#fff";
    context.fillRect(0, 0, WIDTH, HEIGHT);
    context.drawImage(this.#flat.canvas, 0, 0);
    return flat.convertToBlob({ type: "image/png" });
  }

  /**
   * Rotate or crop the photo together with the strokes on it.
   * @param {Picture} before
   * @param {Picture} after
   */
  #change(before, after) {
    const way = wayOf(after).multiply(wayOf(before).inverse());
    const scale = placeOf(after).scale / placeOf(before).scale;
    const strokes = this.paper.strokes.map((stroke) => moved(stroke, way, scale));
    this.#stroke = null;
    this.#do({ picture: after, strokes });
  }

  /**
   * @param {Paper} paper
   * @param {() => void} show
   */
  #do(paper, show = () => this.#repaint()) {
    this.#papers = [...this.#papers.slice(0, this.#at + 1), paper];
    this.#at++;
    show();
    this.onChange();
  }

  /** @param {number} at */
  #go(at) {
    this.#at = at;
    this.#repaint();
    this.onChange();
  }

  /** @param {(context: Context) => void} paintOn */
  #onBoth(paintOn) {
    paintOn(this.#shown);
    paintOn(this.#flat);
  }

  #repaint() {
    const { picture, strokes } = this.paper;
    this.#onBoth((context) => {
      context.clearRect(0, 0, WIDTH, HEIGHT);
      if (picture) paintPicture(context, picture, wayOf(picture));
      for (const stroke of strokes) paintStroke(context, stroke);
    });
  }

  #fit() {
    const width = Math.round(this.canvas.clientWidth * devicePixelRatio);
    const height = Math.round(this.canvas.clientHeight * devicePixelRatio);
    if (!width || (this.canvas.width === width && this.canvas.height === height)) return;
    this.canvas.width = width;
    this.canvas.height = height;
    this.#shown.setTransform(width / WIDTH, 0, 0, height / HEIGHT, 0, 0);
    this.#repaint();
  }
}
