// The main module: connects drawing, requests and answers.

import { About } from "./about.js";
import { Answer } from "./answer.js";
import { Cropper } from "./cropper.js";
import { Drawing } from "./drawing.js";
import { FeedbackLoader } from "./feedback_loader.js";
import { Notice } from "./notice.js";
import { Pen } from "./pen.js";
import { placeOf, sizeOf } from "./photo.js";
import { download, Pictures } from "./pictures.js";
import { ask, LiveReading, RequestError } from "./requests.js";
import { say, useText } from "./say.js";
import { Sight } from "./sight.js";
import { Keeper, kept } from "./storage.js";
import { TableView } from "./table.js";

/** @import { Find, Page, Parts } from "../page.d.ts" */
/** @import { Picture } from "./photo.js" */

/**
 * @param {Page} element
 * @param {Record<string, string>} text
 */
export async function start(element, text) {
  useText(text);
  const before = await kept();
  /** @type {Find} */
  const find = (selector) => element.querySelector(selector);
  const notice = new Notice(find("#trouble"));

  const drawing = new Drawing(find("#canvas"), () => {
    showTools();
    notice.dismiss();
    keeper.changed();
    if (drawing.isBlank) forget();
    else if (drawing.isUnderWay) live.soon();
    else live.now();
  });
  const keeper = new Keeper(drawing);

  const answer = new Answer(element, (index) => sight.choose(index));
  const sight = new Sight(element, { answer, drawing, onHints: (hints) => answer.hint(hints) });

  const table = new TableView(element, (box) => answer.showCell(box));

  const feedback = new FeedbackLoader(element, {
    onThanks: (sentence) => answer.thank(sentence),
    onError: (sentence) => notice.sayLasting(sentence),
  });

  /** @type {Picture | null} The photo of the current request. */
  let asked = null;
  const live = new LiveReading({
    async picture() {
      const { photo } = drawing;
      try {
        const sent = await drawing.sent();
        asked = sent.photo;
        return sent;
      } catch (error) {
        if (!photo) throw error;
        drawing.takeBack(photo); // too large to rotate or crop in this browser
        notice.sayLasting(say("not_changed"));
        return drawing.sent();
      }
    },
    onBusy(busy) {
      find("#answer").ariaBusy = String(busy);
      find("#wrong").disabled = busy; // the answer shown does not belong to the current drawing
    },
    onAnswer(reading, place, milliseconds, file) {
      notice.hide();
      answer.show(reading, place, milliseconds, drawing.photo !== null);
      table.show(reading, file);
      if (reading.tables.length) sight.reset();
      else sight.follow(file);
      about.answered(reading.model);
      feedback.answered({ reading, file, paper: drawing.paper });
    },
    onSlow: () => notice.slow(true),
    onError(error) {
      if (!error.isTransient && asked) drawing.takeBack(asked);
      notice.showError(error, !drawing.isBlank);
      if (error.isTransient) about.look();
    },
  });

  const about = new About(element, {
    onAway: (error) => notice.showError(error, !drawing.isBlank),
    onBack() {
      notice.hide();
      if (!drawing.isBlank) live.now();
    },
  });

  function forget() {
    live.cancel();
    answer.reset();
    table.hide();
    sight.reset();
    feedback.clear();
  }

  function showTools() {
    find("#undo").disabled = !drawing.canUndo;
    find("#redo").disabled = !drawing.canRedo;
    find("#prompt").hidden = !drawing.isBlank;
    const { photo } = drawing;
    find("#paper").classList.toggle("photo", photo !== null);
    find("#photo-tools").hidden = photo === null;
    if (photo !== shown) cropper.leave();
    shown = photo;
    if (drawing.isBlank) choose(false); // there is nothing to erase
  }

  /** @type {Picture | null} */
  let shown = null;
  const cropper = new Cropper(element, {
    photo() {
      if (!drawing.photo) return null;
      const { left, top, scale } = placeOf(drawing.photo);
      const { width, height } = sizeOf(drawing.photo);
      return { left, top, width: width * scale, height: height * scale };
    },
    onTake: (area) => drawing.crop(area),
  });
  const pen = new Pen(drawing, find("#cursor"));
  new Pictures(element, {
    onPicture(image, file) {
      drawing.addPicture(image, file);
    },
    async onFile(file) {
      // The browser cannot show it, but the service may read it or say why not.
      try {
        const reading = await ask("read", file);
        notice.sayLasting(say("not_shown", { text: reading.text }));
      } catch (error) {
        if (!(error instanceof RequestError)) throw error;
        notice.showError(error, !drawing.isBlank);
      }
    },
    onNoCamera: () => notice.sayLasting(say("no_camera")),
    onNoExample: () => notice.sayLasting(say("no_example")),
  });

  /**
   * @param {keyof Parts} selector
   * @param {() => void} act
   */
  const on = (selector, act) => find(selector).addEventListener("click", act);
  const recognise = () => {
    answer.speakNow();
    live.now();
  };
  /** @param {boolean} erases */
  const choose = (erases) => {
    pen.erases = erases;
    find("#pen").ariaPressed = String(!erases);
    find("#eraser").ariaPressed = String(erases);
    find("#paper").classList.toggle("erasing", erases);
  };
  on("#pen", () => choose(false));
  on("#eraser", () => choose(true));
  on("#undo", () => drawing.undo());
  on("#redo", () => drawing.redo());
  on("#recognise", recognise);
  on("#clear", () => drawing.clear());
  on("#turn-left", () => drawing.turn(-1));
  on("#turn-right", () => drawing.turn(1));
  on("#download", async () => download(await drawing.flat(), "drawing.png"));
  const width = find("#width");
  width.addEventListener("input", () => {
    pen.width = Number(width.value);
  });
  listenToKeys(drawing, recognise);
  listenToTheme(find("#theme"));
  showTools();
  about.look();
  notice.hide(); // it may have said "loading"
  if (before) drawing.restore(before.history);
  if (before?.lost) notice.sayLasting(say("photo_not_kept"));
  element.dataset.ready = "yes";
  element.dispatchEvent(new Event("ready", { bubbles: true })); // early.js replays the input
}

/**
 * @param {Drawing} drawing
 * @param {() => void} recognise
 */
function listenToKeys(drawing, recognise) {
  document.addEventListener("keydown", (event) => {
    const key = event.key.toLowerCase();
    const onCanvas = event.target === drawing.canvas;
    if (document.querySelector("dialog:modal")) return; // keyboard input belongs to the dialog
    if ((event.ctrlKey || event.metaKey) && key === "z" && !event.shiftKey) drawing.undo();
    else if ((event.ctrlKey || event.metaKey) && (key === "y" || key === "z")) drawing.redo();
    else if (onCanvas && key === "enter") recognise();
    else if (onCanvas && (key === "delete" || key === "backspace")) drawing.clear();
    else return;
    event.preventDefault();
  });
}

/** @param {HTMLButtonElement} button */
function listenToTheme(button) {
  const root = document.documentElement;
  const name = () => {
    button.ariaLabel = button.title = say(root.dataset.theme === "dark" ? "theme_light" : "theme_dark");
  };
  button.addEventListener("click", () => {
    root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
    localStorage.setItem("theme", root.dataset.theme);
    name();
  });
  name();
}
