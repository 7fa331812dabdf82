// A picture on the paper: the file as it came, and which part of it is seen, turned by how much.

import { contextOf, HEIGHT, WIDTH } from "./paper.js";

/** @import { Sent } from "./asking.js" */
/** @import { Area, Context } from "./paper.js" */

/**
 * `file` is what is sent in place of the paper, null where the picture only lies on it; `part`: in pixels of
 * the image; `turns`: quarters of a turn to the right, 0 to 3.
 * @typedef {{ image: HTMLImageElement, file: Sent | null, part: Area, turns: number }} Picture
 */

const MARGIN = 0.8; // of the paper, for a picture that is not sent by itself
const LEAST_SIDE = 8; // pixels of a part that is cut out: less is a slip of the hand
const LOSSLESS = ["image/png", "image/gif", "image/bmp", "image/svg+xml"];
const MOST_BYTES = 15e6; // of a PNG; the service takes 20 MiB
const QUALITY = 0.95; // of a JPEG

/**
 * The whole of it, upright.
 * @param {HTMLImageElement} image
 * @param {Sent | null} file
 * @returns {Picture}
 */
export function whole(image, file) {
  return { image, file, part: allOf(image), turns: 0 };
}

/**
 * @param {Picture} picture
 * @param {number} quarters to the right
 * @returns {Picture}
 */
export function turned(picture, quarters) {
  return { ...picture, turns: (picture.turns + quarters + 4) % 4 };
}

/**
 * What of it lies in an area of the paper; null where that is next to nothing.
 * @param {Picture} picture
 * @param {Area} area
 * @returns {Picture | null}
 */
export function cropped(picture, { left, top, width, height }) {
  const back = wayOf(picture).inverse();
  const a = back.transformPoint({ x: left, y: top });
  const b = back.transformPoint({ x: left + width, y: top + height });
  const [x, x2] = within(a.x, b.x, picture.part.left, picture.part.width);
  const [y, y2] = within(a.y, b.y, picture.part.top, picture.part.height);
  if (x2 - x < LEAST_SIDE || y2 - y < LEAST_SIDE) return null;
  return { ...picture, part: { left: x, top: y, width: x2 - x, height: y2 - y } };
}

/**
 * Its size in its own pixels, as it lies.
 * @param {Picture} picture
 */
export function sizeOf({ part, turns }) {
  return turns % 2 ? { width: part.height, height: part.width } : { width: part.width, height: part.height };
}

/**
 * Where it lies on the paper: as large as fits, in the middle.
 * @param {Picture} picture
 */
export function placeOf(picture) {
  const { width, height } = sizeOf(picture);
  const scale = Math.min(WIDTH / width, HEIGHT / height) * (picture.file ? 1 : MARGIN);
  return { left: (WIDTH - width * scale) / 2, top: (HEIGHT - height * scale) / 2, scale };
}

/**
 * The way of its pixels onto the paper.
 * @param {Picture} picture
 */
export function wayOf(picture) {
  return onto(picture, { width: WIDTH, height: HEIGHT }, placeOf(picture).scale);
}

/**
 * @param {Context} context
 * @param {Picture} picture
 * @param {DOMMatrix} way
 */
export function paintPicture(context, { image, part: { left, top, width, height } }, way) {
  context.save();
  context.transform(way.a, way.b, way.c, way.d, way.e, way.f);
  context.imageSmoothingQuality = "high";
  context.drawImage(image, left, top, width, height, left, top, width, height);
  context.restore();
}

/** @type {WeakMap<Picture, Promise<Sent>>} */
const made = new WeakMap();

/**
 * What is sent: the file as it is or, of a picture that was turned or cut, a file with just that in it. Fails
 * where the browser has no memory for such a picture.
 * @param {Picture} picture
 * @param {Sent} file
 */
export async function fileOf(picture, file) {
  const { part, image, turns } = picture;
  const { width, height } = allOf(image);
  if (!turns && part.width === width && part.height === height) return file;
  const known = made.get(picture) ?? encoded(picture, file);
  made.set(picture, known);
  return known;
}

/**
 * @param {Picture} picture
 * @param {Sent} file
 * @returns {Promise<Sent>}
 */
async function encoded(picture, file) {
  const size = sizeOf(picture);
  const canvas = new OffscreenCanvas(size.width, size.height);
  const context = contextOf(canvas);
  const lossless = LOSSLESS.includes(file.type);
  if (!lossless) {
    context.fillStyle = "#fff"; // a JPEG knows no transparency
    context.fillRect(0, 0, size.width, size.height);
  }
  paintPicture(context, picture, onto(picture, size, 1));
  if (lossless) {
    const png = await canvas.convertToBlob({ type: "image/png" });
    if (png.size <= MOST_BYTES) return new File([png], "picture.png", { type: png.type });
  }
  const jpeg = await canvas.convertToBlob({ type: "image/jpeg", quality: QUALITY });
  return new File([jpeg], "picture.jpg", { type: jpeg.type });
}

/**
 * The way of the image's pixels into the middle of a ground of this size.
 * @param {Picture} picture
 * @param {{ width: number, height: number }} ground
 * @param {number} scale
 */
function onto({ part, turns }, ground, scale) {
  return new DOMMatrix()
    .translate(ground.width / 2, ground.height / 2)
    .rotate(90 * turns)
    .scale(scale)
    .translate(-part.left - part.width / 2, -part.top - part.height / 2);
}

/** @param {HTMLImageElement} image */
function allOf({ naturalWidth, naturalHeight }) {
  return { left: 0, top: 0, width: naturalWidth, height: naturalHeight };
}

/**
 * Two places in order, in whole pixels and not beyond the part that there is.
 * @param {number} a
 * @param {number} b
 * @param {number} start
 * @param {number} length
 */
function within(a, b, start, length) {
  const end = start + length;
  const clipped = [Math.min(a, b), Math.max(a, b)].map((at) => Math.min(Math.max(at, start), end));
  return clipped.map(Math.round);
}
