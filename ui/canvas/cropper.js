// Cropping a photo with a frame that is drawn by mouse, finger or pen, or moved by keys.

import { HEIGHT, WIDTH } from "./paper.js";

/** @import { Page } from "../page.d.ts" */
/** @import { Area, Point } from "./paper.js" */

const STEP = 16;
const SMALL_STEP = 4;
const LEAST = 16; // pixels of the paper; a shorter drag is a tap
const FIRST = 0.8; // initial size of the frame, relative to the photo

export class Cropper {
  /** @type {Area | null} the photo's area on the paper while it is being cropped */
  #photo = null;
  /** @type {Point} */
  #from = { x: 0, y: 0 };
  /** @type {Point} */
  #to = { x: 0, y: 0 };
  /** @type {number | null} */
  #pointer = null;
  #tapped = false; // the first tap sets one corner, the second the opposite one

  /**
   * @param {Page} element
   * @param {{ photo: () => Area | null, onTake: (area: Area) => void }} callbacks
   */
  constructor(element, { photo, onTake }) {
    this.photo = photo;
    this.onTake = onTake;
    this.field = element.querySelector("#cropper");
    this.frame = element.querySelector("#crop-frame");
    this.button = element.querySelector("#crop-part");
    this.button.addEventListener("click", () => (this.#photo ? this.leave() : this.#enter()));
    /**
     * @template {keyof HTMLElementEventMap} Name
     * @param {Name} name
     * @param {(event: HTMLElementEventMap[Name]) => void} act
     */
    const listen = (name, act) => this.field.addEventListener(name, act.bind(this));
    listen("pointerdown", this.#press);
    listen("pointermove", this.#move);
    listen("pointerup", this.#release);
    listen("pointercancel", this.#forget);
    listen("keydown", this.#key);
  }

  leave() {
    if (!this.#photo) return;
    this.#photo = null;
    this.#pointer = null;
    const focused = this.field.contains(document.activeElement);
    this.field.hidden = true;
    this.button.ariaPressed = "false";
    if (focused) this.button.focus();
  }

  #enter() {
    const photo = this.photo();
    if (!photo) return;
    this.#photo = photo;
    this.#tapped = false;
    this.field.classList.remove("dragging");
    this.#whole(photo);
    this.field.hidden = false;
    this.button.ariaPressed = "true";
    this.field.focus({ preventScroll: true });
  }

  /**
   * Set the frame to its initial size.
   * @param {Area} photo
   */
  #whole({ left, top, width, height }) {
    const [x, y] = [((1 - FIRST) / 2) * width, ((1 - FIRST) / 2) * height];
    this.#span({ x: left + x, y: top + y }, { x: left + width - x, y: top + height - y });
  }

  /** @param {PointerEvent} event */
  #press(event) {
    if (this.#pointer !== null || (event.pointerType === "mouse" && event.button !== 0)) return;
    event.preventDefault();
    this.field.setPointerCapture(event.pointerId);
    this.#pointer = event.pointerId;
    this.field.classList.add("dragging");
    const at = this.#point(event);
    this.#span(this.#tapped ? this.#from : at, at);
  }

  /** @param {PointerEvent} event */
  #move(event) {
    if (event.pointerId === this.#pointer) this.#span(this.#from, this.#point(event));
  }

  /** @param {PointerEvent} event */
  #release(event) {
    if (event.pointerId !== this.#pointer) return;
    this.#pointer = null;
    const { width, height } = this.#area();
    if (width >= LEAST && height >= LEAST) this.#take();
    else this.#tapped = true;
  }

  #forget() {
    this.#pointer = null;
    this.field.classList.remove("dragging");
    if (this.#photo) this.#whole(this.#photo);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    /** @type {Record<string, [x: number, y: number]>} */
    const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const way = ways[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (way) this.#push(way, event.shiftKey);
    else if (event.key === "Enter") this.#take();
    else if (event.key === "Escape") this.leave();
    else return;
    event.preventDefault();
  }

  /**
   * Move the frame by one step, or with `grow` only its lower right corner.
   * @param {[x: number, y: number]} way
   * @param {boolean} grow
   */
  #push([x, y], grow) {
    if (!this.#photo) return;
    const { left, top, width, height } = this.#area();
    const photo = this.#photo;
    const [right, bottom] = [photo.left + photo.width, photo.top + photo.height];
    if (grow) {
      const corner = { x: left + width + x * SMALL_STEP, y: top + height + y * SMALL_STEP };
      const to = { x: between(left + LEAST, corner.x, right), y: between(top + LEAST, corner.y, bottom) };
      this.#span({ x: left, y: top }, to);
    } else {
      const from = {
        x: between(photo.left, left + x * STEP, right - width),
        y: between(photo.top, top + y * STEP, bottom - height),
      };
      this.#span(from, { x: from.x + width, y: from.y + height });
    }
  }

  #take() {
    const area = this.#area();
    this.leave();
    this.onTake(area);
  }

  /**
   * @param {Point} from
   * @param {Point} to
   */
  #span(from, to) {
    this.#from = from;
    this.#to = to;
    const { left, top, width, height } = this.#area();
    Object.assign(this.frame.style, {
      left: `${(left / WIDTH) * 100}%`,
      top: `${(top / HEIGHT) * 100}%`,
      width: `${(width / WIDTH) * 100}%`,
      height: `${(height / HEIGHT) * 100}%`,
    });
  }

  /** The frame in pixels of the paper. */
  #area() {
    const [left, top] = [Math.min(this.#from.x, this.#to.x), Math.min(this.#from.y, this.#to.y)];
    return {
      left,
      top,
      width: Math.abs(this.#to.x - this.#from.x),
      height: Math.abs(this.#to.y - this.#from.y),
    };
  }

  /**
   * The pointer's position on the photo, or the nearest point on it.
   * @param {PointerEvent} event
   */
  #point(event) {
    const box = this.field.getBoundingClientRect();
    const { left, top, width, height } = this.#photo ?? { left: 0, top: 0, width: WIDTH, height: HEIGHT };
    return {
      x: between(left, ((event.clientX - box.left) / box.width) * WIDTH, left + width),
      y: between(top, ((event.clientY - box.top) / box.height) * HEIGHT, top + height),
    };
  }
}

/**
 * @param {number} least
 * @param {number} value
 * @param {number} most
 */
function between(least, value, most) {
  return Math.min(Math.max(value, least), most);
}
