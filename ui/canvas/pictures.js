// Input of pictures (upload, paste, drag and drop, camera, examples), and the download of the drawing.

import { contextOf } from "./paper.js";
import { say } from "./say.js";

/** @import { Find, Page } from "../page.d.ts" */

/** @type {{ name: string, sentence: string, digit?: string, photo?: boolean }[]} */
const EXAMPLES = [
  ...Array.from("0123456789", (digit) => ({ name: `${digit}.png`, sentence: "example", digit })),
  { name: "number.png", sentence: "example_number" },
  { name: "photo.jpg", sentence: "example_photo", photo: true },
  { name: "table.jpg", sentence: "example_table", photo: true },
];

export class Pictures {
  /**
   * `onPicture(image, file)`: a picture that the browser can show. `onFile(file)`: one that it cannot.
   * @param {Page} element
   * @param {{
   *   onPicture: (image: HTMLImageElement, file: Blob | null) => void,
   *   onFile: (file: File) => void,
   *   onNoCamera: () => void,
   *   onNoExample: () => void,
   * }} callbacks
   */
  constructor(element, { onPicture, onFile, onNoCamera, onNoExample }) {
    this.onPicture = onPicture;
    this.onFile = onFile;
    this.onNoCamera = onNoCamera;
    this.onNoExample = onNoExample;
    /** @type {Find} */
    this.find = (selector) => element.querySelector(selector);
    this.#listenToFiles(element);
    this.#listenToCamera();
    this.#showExamples();
  }

  /** @param {File} [file] */
  async take(file) {
    if (!file) return;
    let image;
    try {
      image = await loaded(URL.createObjectURL(file));
    } catch {
      this.onFile(file);
      return;
    }
    this.onPicture(image, file);
  }

  /** @param {Page} element */
  #listenToFiles(element) {
    const [file, photo, paper] = [this.find("#file"), this.find("#photo"), this.find("#paper")];
    this.find("#upload").addEventListener("click", () => file.click());
    for (const input of [file, photo]) {
      input.addEventListener("change", () => {
        this.take(input.files?.[0]);
        input.value = ""; // so that the same file can be chosen again
      });
    }
    document.addEventListener("paste", (event) => this.take(event.clipboardData?.files[0]));
    /** @param {DragEvent} event */
    const holdsFile = (event) => event.dataTransfer?.types.includes("Files");
    element.addEventListener("dragover", (event) => {
      if (!holdsFile(event)) return;
      event.preventDefault();
      paper.classList.add("dropping");
    });
    element.addEventListener("dragleave", (event) => {
      const over = /** @type {Node | null} */ (event.relatedTarget);
      if (!element.contains(over)) paper.classList.remove("dropping");
    });
    element.addEventListener("drop", (event) => {
      if (!holdsFile(event)) return;
      event.preventDefault();
      paper.classList.remove("dropping");
      this.take(event.dataTransfer?.files[0]);
    });
  }

  #listenToCamera() {
    const [dialog, video, photo] = [this.find("#shoot"), this.find("#video"), this.find("#photo")];
    this.find("#camera").addEventListener("click", async () => {
      // Without HTTPS, browsers deny the camera to a page, but a phone's file dialog offers it.
      if (!navigator.mediaDevices?.getUserMedia) return photo.click();
      try {
        video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
      } catch {
        return this.onNoCamera();
      }
      dialog.showModal();
    });
    this.find("#shoot-cancel").addEventListener("click", () => dialog.close());
    this.find("#shoot-take").addEventListener("click", async () => {
      const still = new OffscreenCanvas(video.videoWidth, video.videoHeight);
      contextOf(still).drawImage(video, 0, 0);
      const blob = await still.convertToBlob({ type: "image/jpeg", quality: 0.92 });
      dialog.close();
      this.take(new File([blob], "photo.jpg", { type: blob.type }));
    });
    dialog.addEventListener("close", () => {
      for (const track of video.srcObject?.getTracks() ?? []) track.stop();
      video.srcObject = null;
    });
  }

  #showExamples() {
    for (const { name, sentence, digit = "", photo = false } of EXAMPLES) {
      const button = document.createElement("button");
      const image = new Image();
      button.type = "button";
      button.className = photo ? "photo" : digit ? "" : "wide";
      button.title = say(sentence, { digit });
      image.crossOrigin = "anonymous"; // or the drawing could not be exported when another page embeds this one
      image.src = new URL(`examples/${name}`, import.meta.url).href;
      image.alt = button.title;
      button.append(image);
      button.addEventListener("click", () => this.#takeExample(image, photo));
      this.find("#examples").append(button);
    }
  }

  /**
   * @param {HTMLImageElement} image
   * @param {boolean} photo
   */
  async #takeExample(image, photo) {
    let picture;
    let file = null;
    try {
      // On a slow connection it may still be loading; if it failed, this is a retry.
      picture = await image.decode().then(
        () => image,
        () => loaded(image.src),
      );
      if (photo) file = await fetched(image.src);
    } catch {
      this.onNoExample();
      return;
    }
    this.onPicture(picture, file);
  }
}

/**
 * @param {Blob} blob
 * @param {string} name
 */
export function download(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

/** @param {string} address */
async function loaded(address) {
  const image = new Image();
  image.crossOrigin = "anonymous";
  image.src = address;
  await image.decode();
  return image;
}

/** @param {string} address */
async function fetched(address) {
  const response = await fetch(address);
  if (!response.ok) throw new TypeError(`${address} is not there: ${response.status}`);
  return response.blob();
}
