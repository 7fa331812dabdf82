// The page's texts, all from ui/text.py, so that the page is translated in one file.

/** @type {Record<string, string>} */
let text = {};

/** @param {Record<string, string>} sentences */
export function useText(sentences) {
  text = sentences;
}

/**
 * The text called `name`, with values for its {placeholders}.
 * @param {string} name
 * @param {Record<string, string | number>} values
 */
export function say(name, values = {}) {
  return (text[name] ?? name).replace(/\{(\w+)\}/g, (blank, key) => String(values[key] ?? blank));
}

/**
 * 0.9987 as "99.9"; capped at 99.9.
 * @param {number} share
 */
export function percent(share) {
  return (Math.min(Math.floor(share * 1000 + 0.5), 999) / 10).toFixed(1);
}

/** @param {number} confidence */
export function sureness(confidence) {
  const steps = [0.5, 0.8, 0.95, 0.99].filter((step) => confidence >= step).length;
  return say(`sure_${steps + 1}`);
}
