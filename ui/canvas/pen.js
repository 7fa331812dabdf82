// Input by mouse, finger, tablet pen and keyboard.

import { HEIGHT, WIDTH } from "./paper.js";

/** @import { Drawing } from "./drawing.js" */

const ERASER_BUTTON = 32; // of `PointerEvent.buttons`: the other end of a tablet pen
const PALM_SECONDS = 1; // palm rejection: touches are ignored for this long after pen events
const STEP = 16;
const SMALL_STEP = 4;

export class Pen {
  erases = false;
  width = 26;
  /** @type {number | null} */
  #pointer = null;
  #penSeen = -Infinity;
  #at = { x: WIDTH / 2, y: HEIGHT / 4 };
  #down = false;

  /**
   * @param {Drawing} drawing
   * @param {HTMLElement} cursor
   */
  constructor(drawing, cursor) {
    this.drawing = drawing;
    this.canvas = drawing.canvas;
    this.cursor = cursor;
    /**
     * @template {keyof HTMLElementEventMap} Name
     * @param {Name} name
     * @param {(event: HTMLElementEventMap[Name]) => void} act
     */
    const listen = (name, act) => this.canvas.addEventListener(name, act.bind(this));
    listen("pointerdown", this.#press);
    listen("pointermove", this.#move);
    listen("pointerup", this.#release);
    listen("pointercancel", this.#release);
    listen("lostpointercapture", this.#release);
    listen("keydown", this.#key);
    listen("blur", this.#lift);
  }

  /** @param {PointerEvent} event */
  #press(event) {
    if (event.pointerType === "pen") this.#penSeen = event.timeStamp;
    const palm = event.pointerType === "touch" && event.timeStamp - this.#penSeen < PALM_SECONDS * 1000;
    if (this.#pointer !== null || palm || (event.pointerType === "mouse" && event.button !== 0)) return;
    event.preventDefault();
    this.canvas.focus({ preventScroll: true, focusVisible: false });
    this.#lift();
    this.#pointer = event.pointerId;
    try {
      this.canvas.setPointerCapture(event.pointerId);
    } catch {
      // The pointer is up again already, so its stroke is a dot.
    }
    const erases = this.erases || (event.buttons & ERASER_BUTTON) !== 0;
    this.drawing.begin(this.#point(event), this.width, erases);
  }

  /** @param {PointerEvent} event */
  #move(event) {
    if (event.pointerType === "pen") this.#penSeen = event.timeStamp;
    if (event.pointerId !== this.#pointer) return;
    const all = event.getCoalescedEvents?.() ?? [];
    for (const one of all.length ? all : [event]) this.drawing.extend(this.#point(one));
  }

  /** @param {PointerEvent} event */
  #release(event) {
    if (event.pointerId !== this.#pointer) return;
    this.#pointer = null;
    this.drawing.end();
  }

  /** @param {PointerEvent} event */
  #point(event) {
    const box = this.canvas.getBoundingClientRect();
    return {
      x: ((event.clientX - box.left) / box.width) * WIDTH,
      y: ((event.clientY - box.top) / box.height) * HEIGHT,
    };
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    /** @type {Record<string, [x: number, y: number]>} */
    const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const way = ways[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (way) {
      const step = event.shiftKey ? SMALL_STEP : STEP;
      this.#at.x = Math.min(Math.max(this.#at.x + way[0] * step, 0), WIDTH);
      this.#at.y = Math.min(Math.max(this.#at.y + way[1] * step, 0), HEIGHT);
      if (this.#down) this.drawing.extend({ ...this.#at });
    } else if (event.key === " ") {
      if (this.#down) this.#lift();
      else this.#lower();
    } else return;
    event.preventDefault();
    this.#showCursor();
  }

  #lower() {
    this.#down = true;
    this.drawing.begin({ ...this.#at }, this.width, this.erases);
  }

  #lift() {
    if (this.#down) {
      this.#down = false;
      this.drawing.end();
    }
    this.cursor.hidden = true;
  }

  #showCursor() {
    this.cursor.hidden = false;
    this.cursor.classList.toggle("down", this.#down);
    this.cursor.style.left = `${(this.#at.x / WIDTH) * 100}%`;
    this.cursor.style.top = `${(this.#at.y / HEIGHT) * 100}%`;
  }
}
