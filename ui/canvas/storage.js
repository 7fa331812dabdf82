// Saves the drawing with Undo and Redo in the session storage of this tab, so that it survives a reload.

import { BLANK } from "./drawing.js";

/** @import { Sent } from "./requests.js" */
/** @import { Drawing, History } from "./drawing.js" */
/** @import { Picture } from "./photo.js" */
/** @import { Stroke } from "./strokes.js" */

const NAME = "drawing";
const FORM = 1; // version of the format; others are not read
const WAIT = 300; // ms between the last change and saving
const MOST_PAPERS = 60; // for Undo and Redo after a reload
const MOST_BYTES = 3e6; // of all photos; browsers store about five million characters per page

/**
 * The format, which is checked before it is used. `points`: x, y, x, y, ... A picture is one of the page's
 * examples (`address`) or a file (`data`: a data URL), or has neither if it was too large.
 * @typedef {{ points: number[], width: number, erases: boolean }} KeptStroke
 * @typedef {{ address?: string, data?: string, name?: string }} KeptImage
 * @typedef {{ image: number, part: Picture["part"], turns: number }} KeptPicture
 * @typedef {{ picture: number | null, strokes: number[] }} KeptPaper
 * @typedef {{
 *   form: number, at: number,
 *   strokes: KeptStroke[], images: KeptImage[], pictures: KeptPicture[], papers: KeptPaper[],
 * }} Kept
 */

export class Keeper {
  #timer = 0;
  /** @type {WeakMap<Sent, string>} Photos as data URLs, which are made in the background. */
  #data = new WeakMap();

  /** @param {Drawing} drawing */
  constructor(drawing) {
    this.drawing = drawing;
    addEventListener("pagehide", () => this.#keep());
  }

  changed() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#keep(), WAIT);
  }

  #keep() {
    clearTimeout(this.#timer);
    const kept = packed(latest(this.drawing.history), (file) => this.#dataOf(file));
    if (store(kept)) return;
    store({ ...kept, images: kept.images.map(({ address }) => ({ address })) });
  }

  /** @param {Sent} file */
  #dataOf(file) {
    const data = this.#data.get(file);
    if (data === undefined) {
      this.#data.set(file, "");
      const reader = new FileReader();
      reader.onload = () => {
        this.#data.set(file, String(reader.result));
        this.changed();
      };
      reader.readAsDataURL(file);
    }
    return data || undefined;
  }
}

/**
 * The drawing that this tab saved, or null if there is none or it is damaged; `lost`: the photo on the paper was
 * too large to save.
 * @returns {Promise<{ history: History, lost: boolean } | null>}
 */
export async function kept() {
  try {
    const text = sessionStorage.getItem(NAME);
    return text === null ? null : await unpacked(JSON.parse(text));
  } catch {
    return null; // damaged data, or no storage in this browser
  }
}

/** @param {Kept} kept */
function store(kept) {
  try {
    sessionStorage.setItem(NAME, JSON.stringify(kept));
    return true;
  } catch {
    return false; // storage is full or not available
  }
}

/**
 * @param {History} history
 * @returns {History}
 */
function latest({ papers, at }) {
  const start = Math.max(1, Math.min(at - MOST_PAPERS / 2, papers.length - MOST_PAPERS));
  return { papers: [BLANK, ...papers.slice(start, start + MOST_PAPERS)], at: at ? at - start + 1 : 0 };
}

/**
 * @param {History} history
 * @param {(file: Sent) => string | undefined} dataOf
 * @returns {Kept}
 */
function packed({ papers, at }, dataOf) {
  const strokes = numbered(papers.flatMap((paper) => paper.strokes));
  const pictures = numbered(papers.flatMap((paper) => paper.picture ?? []));
  const images = numbered([...pictures.keys()].map((picture) => picture.image));
  const files = new Map([...pictures.keys()].map(({ image, file }) => [image, file]));
  /** @type {KeptImage[]} */
  const keptImages = [...images].map(() => ({}));
  let room = MOST_BYTES;
  // the visible paper is saved first, then the newest ones
  const seen = papers[at].picture?.image;
  for (const image of new Set([...(seen ? [seen] : []), ...[...images.keys()].reverse()])) {
    const file = files.get(image);
    if (file && file.size > room) continue;
    room -= file?.size ?? 0;
    keptImages[of(images, image)] = file ? { data: dataOf(file), name: file.name } : { address: image.src };
  }
  return {
    form: FORM,
    at,
    strokes: [...strokes.keys()].map(({ points, width, erases }) => ({
      points: points.flatMap(({ x, y }) => [hundredths(x), hundredths(y)]),
      width,
      erases,
    })),
    images: keptImages,
    pictures: [...pictures.keys()].map(({ image, part, turns }) => ({
      image: of(images, image),
      part,
      turns,
    })),
    papers: papers.map((paper) => ({
      picture: paper.picture && of(pictures, paper.picture),
      strokes: paper.strokes.map((stroke) => of(strokes, stroke)),
    })),
  };
}

/**
 * The inverse of `packed`; throws if the data is malformed.
 * @param {Kept} kept
 */
async function unpacked({ form, at, ...kept }) {
  demand(form === FORM);
  const images = await Promise.all(kept.images.map(imageOf));
  const pictures = kept.pictures.map(({ image, part, turns }) => {
    const { left, top, width, height } = part;
    demand(isPlace(image, images) && [0, 1, 2, 3].includes(turns));
    const there = images[image];
    if (!there) return null;
    demand([left, top, width, height].every(Number.isFinite));
    demand(left >= 0 && left + width <= there.image.naturalWidth && width >= 1);
    demand(top >= 0 && top + height <= there.image.naturalHeight && height >= 1);
    return { ...there, part: { left, top, width, height }, turns };
  });
  const strokes = kept.strokes.map(strokeOf);
  const papers = kept.papers.map((paper) => {
    demand(paper.picture === null || isPlace(paper.picture, pictures));
    demand(paper.strokes.every((stroke) => isPlace(stroke, strokes)));
    const picture = paper.picture === null ? null : pictures[paper.picture];
    return { picture, strokes: paper.strokes.map((stroke) => strokes[stroke]) };
  });
  demand(isPlace(at, papers) && !papers[0].picture && !papers[0].strokes.length);
  return { history: { papers, at }, lost: kept.papers[at].picture !== null && !papers[at].picture };
}

/**
 * @param {KeptStroke} stroke
 * @returns {Stroke}
 */
function strokeOf({ points: places, width, erases }) {
  demand(places.length > 0 && places.length % 2 === 0 && [...places, width].every(Number.isFinite));
  demand(width > 0 && typeof erases === "boolean");
  const points = [];
  for (let i = 0; i < places.length; i += 2) points.push({ x: places[i], y: places[i + 1] });
  return { points, width, erases };
}

/** @param {KeptImage} kept */
async function imageOf({ address, data, name = "" }) {
  const image = new Image();
  let file = null;
  if (address) {
    demand(address.startsWith(new URL("examples/", import.meta.url).href));
    image.src = address;
  } else if (data) {
    const [head, letters] = data.split(",");
    const bytes = Uint8Array.from(atob(letters), (letter) => letter.charCodeAt(0));
    file = new File([bytes], name, { type: /^data:([^;]*)/.exec(head)?.[1] });
    image.src = URL.createObjectURL(file);
  } else return null;
  await image.decode();
  return { image, file };
}

/**
 * @param {number} index
 * @param {unknown[]} list
 */
function isPlace(index, list) {
  return Number.isInteger(index) && index >= 0 && index < list.length;
}

/** @param {boolean} sound */
function demand(sound) {
  if (!sound) throw new TypeError("What was kept is damaged.");
}

/**
 * Each distinct thing with an index.
 * @template Thing
 * @param {Thing[]} things
 */
function numbered(things) {
  return new Map([...new Set(things)].map((thing, i) => [thing, i]));
}

/**
 * @template Thing
 * @param {Map<Thing, number>} numbers
 * @param {Thing} thing
 */
function of(numbers, thing) {
  return numbers.get(thing) ?? 0;
}

/** @param {number} value */
function hundredths(value) {
  return Math.round(value * 100) / 100;
}
