// What has been drawn, as a list of things done, so that every one of them can be undone; painted twice:
// on the canvas one sees, in its pixels, and on the sheet that is sent, always 640x480, black on white.

/** @import { Sent } from "./asking.js" */

export const WIDTH = 640;
export const HEIGHT = 480;

/**
 * @typedef {{ x: number, y: number }} Point
 * @typedef {{ kind: "stroke", points: Point[], width: number, erases: boolean }} Stroke
 * @typedef {{ left: number, top: number, width: number, height: number }} Area
 * @typedef {{ kind: "picture", image: HTMLImageElement, file: Sent | null, place: Area }} Picture
 * @typedef {Stroke | Picture | { kind: "clear" }} Step
 * @typedef {{ left: number, top: number, scale: number }} Place of what is sent, on the paper
 * @typedef {CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D} Context
 */

export class Drawing {
  /** @type {Step[]} */
  #done = [];
  /** @type {Step[]} */
  #undone = [];
  /** @type {Stroke | null} */
  #stroke = null;
  #sheet = contextOf(new OffscreenCanvas(WIDTH, HEIGHT), { willReadFrequently: true });
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
  }

  /** Whether a stroke has begun that has not ended. */
  get isUnderWay() {
    return this.#stroke !== null;
  }

  get canUndo() {
    return this.#done.length > 0;
  }

  get canRedo() {
    return this.#undone.length > 0;
  }

  /** What is visible: everything since the last Clear. */
  get #visible() {
    return this.#done.slice(this.#done.findLastIndex((step) => step.kind === "clear") + 1);
  }

  get isBlank() {
    return !this.#visible.some((step) => step.kind === "picture" || (step.kind === "stroke" && !step.erases));
  }

  get hasPhoto() {
    return this.#visible.some((step) => step.kind === "picture" && step.file);
  }

  /** The ink alone, 640x480, on nothing. */
  get ink() {
    return this.#sheet.canvas;
  }

  /**
   * @param {Point} point
   * @param {number} width
   * @param {boolean} erases
   */
  begin(point, width, erases) {
    this.#stroke = { kind: "stroke", points: [point], width, erases };
    this.#do(this.#stroke);
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
   * Lay a picture on the paper, as large as fits; `file` is what is sent in place of the sheet.
   * @param {HTMLImageElement} image
   * @param {Sent | null} file
   */
  addPicture(image, file) {
    const scale = Math.min(WIDTH / image.naturalWidth, HEIGHT / image.naturalHeight) * (file ? 1 : 0.8);
    const [width, height] = [image.naturalWidth * scale, image.naturalHeight * scale];
    const place = { left: (WIDTH - width) / 2, top: (HEIGHT - height) / 2, width, height };
    if (!this.isBlank) this.#add({ kind: "clear" });
    this.#do({ kind: "picture", image, file, place });
  }

  clear() {
    this.#stroke = null;
    if (this.#visible.length) this.#do({ kind: "clear" });
  }

  undo() {
    this.#stroke = null;
    const step = this.#done.pop();
    if (!step) return;
    this.#undone.push(step);
    this.#repaint();
    this.onChange();
  }

  redo() {
    const step = this.#undone.pop();
    if (!step) return;
    this.#done.push(step);
    this.#repaint();
    this.onChange();
  }

  /** Take back a picture that was refused, with the Clear that made room for it. */
  dropPicture() {
    this.#done.pop();
    if (this.#done.at(-1)?.kind === "clear") this.#done.pop();
    this.#repaint();
    this.onChange();
  }

  /** What the service gets, and where its pixels lie on the paper (in the sheet's pixels). */
  async picture() {
    const visible = this.#visible;
    const only = visible.length === 1 ? visible[0] : null;
    if (only?.kind === "picture" && only.file) {
      const scale = only.place.width / only.image.naturalWidth;
      return { file: only.file, place: { left: only.place.left, top: only.place.top, scale } };
    }
    return { file: await this.sheet(), place: { left: 0, top: 0, scale: 1 } };
  }

  /** The drawing as a PNG, 640x480, black on white. */
  sheet() {
    const flat = new OffscreenCanvas(WIDTH, HEIGHT);
    const context = contextOf(flat, { alpha: false });
    context.fillStyle = "#fff";
    context.fillRect(0, 0, WIDTH, HEIGHT);
    context.drawImage(this.#sheet.canvas, 0, 0);
    return flat.convertToBlob({ type: "image/png" });
  }

  /** @param {Step} step */
  #do(step) {
    this.#undone = [];
    this.#add(step);
    this.onChange();
  }

  /** @param {Step} step */
  #add(step) {
    this.#done.push(step);
    this.#onBoth((context) => paint(context, step));
  }

  /** @param {(context: Context) => void} paintOn */
  #onBoth(paintOn) {
    paintOn(this.#shown);
    paintOn(this.#sheet);
  }

  #repaint() {
    this.#onBoth((context) => {
      context.clearRect(0, 0, WIDTH, HEIGHT);
      for (const step of this.#visible) paint(context, step);
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

/**
 * @param {HTMLCanvasElement | OffscreenCanvas} canvas
 * @param {CanvasRenderingContext2DSettings} [settings]
 * @returns {Context}
 */
export function contextOf(canvas, settings) {
  const context = canvas.getContext("2d", settings);
  if (!context) throw new TypeError("The canvas has a context of another kind than 2d.");
  return context;
}

/**
 * @param {Context} context
 * @param {Step} step
 */
function paint(context, step) {
  if (step.kind === "clear") {
    context.clearRect(0, 0, WIDTH, HEIGHT);
  } else if (step.kind === "picture") {
    const { left, top, width, height } = step.place;
    context.imageSmoothingQuality = "high";
    context.drawImage(step.image, left, top, width, height);
  } else if (step.kind === "stroke") {
    for (let i = 0; i < step.points.length; i++) paintPiece(context, step, i);
    paintTail(context, step);
  }
}

/**
 * The curve that point `i` adds: from the middle of the piece before to the middle of its own.
 * @param {Context} context
 * @param {Stroke} stroke
 * @param {number} i
 */
function paintPiece(context, stroke, i) {
  const { points } = stroke;
  prepare(context, stroke);
  if (i === 0) {
    context.arc(points[0].x, points[0].y, stroke.width / 2, 0, 2 * Math.PI);
    context.fill();
  } else {
    const start = i === 1 ? points[0] : middle(points[i - 2], points[i - 1]);
    const end = middle(points[i - 1], points[i]);
    context.moveTo(start.x, start.y);
    context.quadraticCurveTo(points[i - 1].x, points[i - 1].y, end.x, end.y);
    context.stroke();
  }
  context.globalCompositeOperation = "source-over";
}

/**
 * @param {Context} context
 * @param {Stroke} stroke
 */
function paintTail(context, stroke) {
  const [before, last] = stroke.points.slice(-2);
  if (!last) return;
  prepare(context, stroke);
  const start = middle(before, last);
  context.moveTo(start.x, start.y);
  context.lineTo(last.x, last.y);
  context.stroke();
  context.globalCompositeOperation = "source-over";
}

/**
 * @param {Context} context
 * @param {Stroke} stroke
 */
function prepare(context, stroke) {
  context.globalCompositeOperation = stroke.erases ? "destination-out" : "source-over";
  context.lineWidth = stroke.width;
  context.lineCap = context.lineJoin = "round";
  context.strokeStyle = context.fillStyle = "#000";
  context.beginPath();
}

/**
 * @param {Point} a
 * @param {Point} b
 */
function middle(a, b) {
  return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
}
