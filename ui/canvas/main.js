// The page put together: drawing, asking, answering.

import { About } from "./about.js";
import { Answer } from "./answer.js";
import { Asking, ask, Trouble } from "./asking.js";
import { Cropper } from "./cropper.js";
import { Drawing } from "./drawing.js";
import { Keeper, kept } from "./kept.js";
import { Offer } from "./offer.js";
import { Pen } from "./pen.js";
import { placeOf, sizeOf } from "./photo.js";
import { download, Pictures } from "./pictures.js";
import { say, useText } from "./say.js";
import { Sight } from "./sight.js";
import { TableView } from "./table.js";
import { Notice } from "./trouble.js";

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
    notice.moveOn();
    keeper.changed();
    if (drawing.isBlank) forget();
    else if (drawing.isUnderWay) asking.soon();
    else asking.now();
  });
  const keeper = new Keeper(drawing);

  const answer = new Answer(element, (index) => sight.choose(index));
  const sight = new Sight(element, { answer, drawing, onHints: (hints) => answer.hint(hints) });

  const table = new TableView(element, (box) => answer.showCell(box));

  const offer = new Offer(element, {
    onThanks: (sentence) => answer.thank(sentence),
    onTrouble: (sentence) => notice.sayLasting(sentence),
  });

  /** @type {Picture | null} The photo that the question on its way is about. */
  let asked = null;
  const asking = new Asking({
    async picture() {
      const { photo } = drawing;
      try {
        const sent = await drawing.sent();
        asked = sent.photo;
        return sent;
      } catch (error) {
        if (!photo) throw error;
        drawing.takeBack(photo); // too large to be turned or cut in this browser
        notice.sayLasting(say("not_changed"));
        return drawing.sent();
      }
    },
    onBusy(busy) {
      find("#answer").ariaBusy = String(busy);
      find("#wrong").disabled = busy; // what would be said to be wrong is not the drawing's answer
    },
    onAnswer(reading, place, milliseconds, file) {
      notice.hide();
      answer.show(reading, place, milliseconds, drawing.photo !== null);
      table.show(reading, file);
      if (reading.tables.length) sight.reset();
      else sight.follow(file);
      about.answered(reading.model);
      offer.answered({ reading, file, paper: drawing.paper });
    },
    onSlow: () => notice.slow(true),
    onTrouble(trouble) {
      if (!trouble.passes && asked) drawing.takeBack(asked);
      notice.trouble(trouble, !drawing.isBlank);
      if (trouble.passes) about.look();
    },
  });

  const about = new About(element, {
    onAway: (trouble) => notice.trouble(trouble, !drawing.isBlank),
    onBack() {
      notice.hide();
      if (!drawing.isBlank) asking.now();
    },
  });

  function forget() {
    asking.forget();
    answer.reset();
    table.hide();
    sight.reset();
    offer.forget();
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
      // The browser cannot show it: the service may still read it, or say why not.
      try {
        const reading = await ask("read", file);
        notice.sayLasting(say("not_shown", { text: reading.text }));
      } catch (trouble) {
        if (!(trouble instanceof Trouble)) throw trouble;
        notice.trouble(trouble, !drawing.isBlank);
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
    asking.now();
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
  notice.hide(); // it said "loading" where that took long
  if (before) drawing.restore(before.history);
  if (before?.lost) notice.sayLasting(say("photo_not_kept"));
  element.dataset.ready = "yes";
  element.dispatchEvent(new Event("ready", { bubbles: true })); // what was done before is done now: early.js
}

/**
 * @param {Drawing} drawing
 * @param {() => void} recognise
 */
function listenToKeys(drawing, recognise) {
  document.addEventListener("keydown", (event) => {
    const key = event.key.toLowerCase();
    const onCanvas = event.target === drawing.canvas;
    if (document.querySelector("dialog:modal")) return; // what is typed there is no drawing
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
