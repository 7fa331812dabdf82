// Entry point. Inside another page, it adds what our own document has in its head.

import { start } from "./main.js";

/** @import { Page } from "../page.d.ts" */

const STYLES = ["look", "layout", "parts", "bars", "table", "photo"];

/**
 * @param {Page} element
 * @param {Record<string, string>} text
 */
export async function begin(element, text) {
  const card = /** @type {HTMLAnchorElement} */ (element.querySelector("#about-card"));
  card.href = new URL("../ask/model/card", import.meta.url).href;
  const root = document.documentElement;
  if (!root.dataset.theme) {
    root.dataset.theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  }
  await Promise.all(STYLES.map((name) => styled(new URL(`${name}.css`, import.meta.url).href)));
  start(element, text);
}

/**
 * Resolves when the document has loaded this style sheet.
 * @param {string} address
 */
export async function styled(address) {
  const links = document.querySelectorAll("link");
  if ([...links].some((link) => link.rel === "stylesheet" && link.href === address)) return;
  const link = document.createElement("link");
  Object.assign(link, { rel: "stylesheet", href: address });
  await new Promise((resolve) => {
    link.onload = link.onerror = resolve;
    document.head.append(link);
  });
}
