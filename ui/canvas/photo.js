// A picture on the paper: its original file, crop and rotation.

import { contextOf, HEIGHT, WIDTH } from "./paper.js";

/** @import { Sent } from "./requests.js" */
/** @import { Area, Context } from "./paper.js" */

/**
 * `file`: sent instead of the paper, null if the paper is sent; `part`: the visible part in pixels of the image;
 * `turns`: quarter turns to the right, 0 to 3.
 * @typedef {{ image: HTMLImageElement, file: Sent | null, part: Area, turns: number }} Picture
 */

const MARGIN = 0.8; // of the paper, for a picture without a file
const LEAST_SIDE = 8; // minimum side of a crop in image pixels; smaller ones are accidental
const LOSSLESS = ["image/png", "image/gif", "image/bmp", "image/svg+xml"];
const MOST_BYTES = 15e6; // of a PNG; the service takes 20 MiB
const QUALITY = 0.95; // of a JPEG

/**
 * The whole picture, not rotated.
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
 * The picture cropped to an area of the paper; null if the crop is too small.
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
 * Size after cropping and rotation, in image pixels.
 * @param {Picture} picture
 */
export function sizeOf({ part, turns }) {
  return turns % 2 ? { width: part.height, height: part.width } : { width: part.width, height: part.height };
}

/**
 * Position on the paper: centred, as large as fits, or `MARGIN` of that if there is no file.
 * @param {Picture} picture
 */
export function placeOf(picture) {
  const { width, height } = sizeOf(picture);
  const scale = Math.min(WIDTH / width, HEIGHT / height) * (picture.file ? 1 : MARGIN);
  return { left: (WIDTH - width * scale) / 2, top: (HEIGHT - height * scale) / 2, scale };
}

/**
 * Transform from image pixels to the paper.
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
 * The file to send: the original or, after rotation or cropping, a new one. Throws if the browser runs out of
 * memory.
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
    context.fillStyle = "#fff"; // JPEG has no transparency
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
 * Transform from image pixels to the middle of an area of this size.
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
 * Two coordinates in order, rounded and clamped to the range.
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
