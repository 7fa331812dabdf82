// What has been drawn, as a list of things done, so that every one of them can be undone; painted twice:
// on the canvas one sees, in its pixels, and on the sheet that is sent, always 640x480, black on white.

export const WIDTH = 640;
export const HEIGHT = 480;

export class Drawing {
  #done = [];
  #undone = [];
  #stroke = null;
  #sheet = new OffscreenCanvas(WIDTH, HEIGHT).getContext("2d", { willReadFrequently: true });
  #shown;

  constructor(canvas, onChange) {
    this.canvas = canvas;
    this.onChange = onChange;
    this.#shown = canvas.getContext("2d");
    new ResizeObserver(() => this.#fit()).observe(canvas);
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
    return !this.#visible.some((step) => step.kind === "picture" || !step.erases);
  }

  get hasPhoto() {
    return this.#visible.some((step) => step.file);
  }

  /** The ink alone, 640x480, on nothing. */
  get ink() {
    return this.#sheet.canvas;
  }

  begin(point, width, erases) {
    this.#stroke = { kind: "stroke", points: [point], width, erases };
    this.#do(this.#stroke);
  }

  extend(point) {
    if (!this.#stroke) return;
    this.#stroke.points.push(point);
    this.#onBoth((context) => paintPiece(context, this.#stroke, this.#stroke.points.length - 1));
    this.onChange();
  }

  end() {
    if (!this.#stroke) return;
    this.#onBoth((context) => paintTail(context, this.#stroke));
    this.#stroke = null;
    this.onChange();
  }

  /** Lay a picture on the paper, as large as fits; `file` is what is sent in place of the sheet. */
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
    if (!this.canUndo) return;
    this.#undone.push(this.#done.pop());
    this.#repaint();
    this.onChange();
  }

  redo() {
    if (!this.canRedo) return;
    this.#done.push(this.#undone.pop());
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
    if (only?.file) {
      const scale = only.place.width / only.image.naturalWidth;
      return { file: only.file, place: { left: only.place.left, top: only.place.top, scale } };
    }
    return { file: await this.sheet(), place: { left: 0, top: 0, scale: 1 } };
  }

  /** The drawing as a PNG, 640x480, black on white. */
  sheet() {
    const flat = new OffscreenCanvas(WIDTH, HEIGHT);
    const context = flat.getContext("2d", { alpha: false });
    context.fillStyle = "#fff";
    context.fillRect(0, 0, WIDTH, HEIGHT);
    context.drawImage(this.#sheet.canvas, 0, 0);
    return flat.convertToBlob({ type: "image/png" });
  }

  #do(step) {
    this.#undone = [];
    this.#add(step);
    this.onChange();
  }

  #add(step) {
    this.#done.push(step);
    this.#onBoth((context) => paint(context, step));
  }

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

/** The curve that point `i` adds: from the middle of the piece before to the middle of its own. */
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

function paintTail(context, stroke) {
  const { points } = stroke;
  if (points.length < 2) return;
  prepare(context, stroke);
  const start = middle(points.at(-2), points.at(-1));
  context.moveTo(start.x, start.y);
  context.lineTo(points.at(-1).x, points.at(-1).y);
  context.stroke();
  context.globalCompositeOperation = "source-over";
}

function prepare(context, stroke) {
  context.globalCompositeOperation = stroke.erases ? "destination-out" : "source-over";
  context.lineWidth = stroke.width;
  context.lineCap = context.lineJoin = "round";
  context.strokeStyle = context.fillStyle = "#000";
  context.beginPath();
}

function middle(a, b) {
  return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
}
