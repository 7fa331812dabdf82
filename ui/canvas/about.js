// The model in service, and whether the service can be reached.

import { ask, RequestError } from "./requests.js";
import { percent, say } from "./say.js";

/** @import { Model } from "./requests.js" */
/** @import { Find, Page } from "../page.d.ts" */

const AGAIN = 2000; // ms between retries while the service cannot be reached
const LOOK_EVERY = 5000; // ms between checks for a new model while the default model is in service
const LOOK_LATER = 12; // factor for the interval once a champion is in service, because it changes seldom
const DEFAULT = "default"; // the version of the model that comes with the project

export class About {
  /** @type {string | null} */
  #version = null;
  #looking = false;

  /**
   * @param {Page} element
   * @param {{ onAway: (error: RequestError) => void, onBack: () => void }} callbacks
   */
  constructor(element, { onAway, onBack }) {
    this.onAway = onAway;
    this.onBack = onBack;
    /** @type {Find} */
    this.find = (selector) => element.querySelector(selector);
    const dialog = this.find("#about");
    this.find("#about-open").addEventListener("click", () => {
      this.look();
      dialog.showModal();
    });
    this.find("#about-close").addEventListener("click", () => dialog.close());
    this.#facts(null);
    let ticks = 0;
    setInterval(() => {
      ticks += 1;
      const soon = this.#version === DEFAULT || ticks % LOOK_LATER === 0;
      if (soon && !document.hidden) this.look();
    }, LOOK_EVERY);
  }

  /**
   * An answer came from model `version`: fetch its details if it is new.
   * @param {string} version
   */
  answered(version) {
    if (version !== this.#version) this.look();
  }

  /** Fetch the details of the model, with retries until the service answers. */
  async look() {
    if (this.#looking) return;
    this.#looking = true;
    try {
      for (let away = false; ; away = true) {
        try {
          this.#show(await ask("model"));
          if (away) this.onBack();
          break;
        } catch (error) {
          if (!(error instanceof RequestError)) throw error;
          this.find(".dot").classList.add("away");
          if (!away) this.onAway(error);
          await new Promise((resolve) => setTimeout(resolve, AGAIN));
        }
      }
    } finally {
      this.#looking = false;
    }
  }

  /** @param {Model} model */
  #show(model) {
    this.#version = model.version;
    this.find(".dot").classList.remove("away");
    this.find("#about-card").hidden = !model.version; // an exported model has none
    const accuracy = model.metrics?.test_accuracy;
    this.find("#about-name").textContent = named(model);
    this.find("#about-right").textContent = accuracy ? say("model_right", { share: shown(accuracy) }) : "";
    this.#facts(model);
  }

  /** @param {Model | null} model */
  #facts(model) {
    const list = this.find("#about-facts");
    if (!model) {
      list.replaceChildren(term(say("model_away")));
      return;
    }
    const { test_accuracy, canvas_accuracy } = model.metrics ?? {};
    /** @type {[string, string | Node | 0 | null | undefined][]} */
    const facts = [
      [
        "model_version",
        model.version === DEFAULT ? say("model_default_is") : model.version || say("model_unnamed"),
      ],
      ["model_created", date(model.created)],
      ["model_test_accuracy", test_accuracy && shown(test_accuracy)],
      ["model_canvas_accuracy", canvas_accuracy && shown(canvas_accuracy)],
      ["model_commit", model.git_commit?.slice(0, 12)],
      ["model_run", model.run_link && link(model.run_link)],
    ];
    list.replaceChildren(...facts.flatMap(([name, value]) => (value ? [term(say(name)), fact(value)] : [])));
  }
}

/** @param {Model} model */
function named(model) {
  if (model.version === DEFAULT) return say("model_default");
  return model.version ? say("model", { version: model.version }) : say("model_unnamed");
}

/**
 * 0.99631 as "99.63 %".
 * @param {number} share
 */
function shown(share) {
  const two = (share * 100).toFixed(2);
  return say("percent", { percent: share < 1 && two === "100.00" ? percent(share) : two });
}

/** @param {string} created */
function date(created) {
  const day = new Date(created);
  return Number.isNaN(day.getTime()) ? created : day.toLocaleString(document.documentElement.lang || "en");
}

/**
 * MLflow runs on the page's host, so a local address is replaced by it for browsers on other machines.
 * @param {string} address
 */
function link(address) {
  const url = new URL(address);
  if (["127.0.0.1", "localhost", "[::1]"].includes(url.hostname)) url.hostname = location.hostname;
  const anchor = document.createElement("a");
  Object.assign(anchor, {
    href: url.href,
    target: "_blank",
    rel: "noopener",
    textContent: say("model_run_link"),
  });
  return anchor;
}

/** @param {string} content */
function term(content) {
  const element = document.createElement("dt");
  element.append(content);
  return element;
}

/** @param {string | Node} content */
function fact(content) {
  const element = document.createElement("dd");
  element.append(content);
  return element;
}
