// Painting and transforming the strokes of the pen and the eraser.

/** @import { Context, Point } from "./paper.js" */

/** @typedef {{ points: Point[], width: number, erases: boolean }} Stroke */

/**
 * @param {Context} context
 * @param {Stroke} stroke
 */
export function paintStroke(context, stroke) {
  for (let i = 0; i < stroke.points.length; i++) paintPiece(context, stroke, i);
  paintTail(context, stroke);
}

/**
 * Paint the curve that point `i` adds: from the middle of the previous segment to the middle of its own.
 * @param {Context} context
 * @param {Stroke} stroke
 * @param {number} i
 */
export function paintPiece(context, stroke, i) {
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
export function paintTail(context, stroke) {
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
 * The transformed stroke; `scale` is the scale factor of `way`.
 * @param {Stroke} stroke
 * @param {DOMMatrix} way
 * @param {number} scale
 * @returns {Stroke}
 */
export function moved(stroke, way, scale) {
  const points = stroke.points.map((point) => {
    const { x, y } = way.transformPoint(point);
    return { x, y };
  });
  return { points, width: stroke.width * scale, erases: stroke.erases };
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
