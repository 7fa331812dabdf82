// For slow connections: shows strokes before the page's modules are loaded, and replays all input in the same
// order when the page fires "ready". It is a plain script in the head, so it is loaded before the canvas exists.

(() => {
  const SAID_AFTER = 1500; // ms until the page says that it is still loading
  const WIDTH = 26; // initial width of the pen in main.js
  const KEYS = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", " ", "Enter", "Delete", "Backspace"];
  const ended = new AbortController();
  /** @type {(() => void)[]} */
  const deeds = [];
  /** @type {number | null} */
  let pointer = null;
  let last = { x: 0, y: 0 };
  let timer = 0;

  /** @param {() => void} deed */
  function keep(deed) {
    deeds.push(deed);
    timer ||= setTimeout(() => {
      const notice = document.querySelector("#trouble"); // its initial text is "loading"
      notice?.removeAttribute("hidden");
    }, SAID_AFTER);
  }

  /** @param {Event} event */
  function canvasOf({ target }) {
    return target instanceof HTMLCanvasElement && target.id === "canvas" ? target : null;
  }

  /** @param {PointerEvent} event */
  function move(event) {
    const canvas = canvasOf(event);
    if (!canvas || (event.pointerId !== pointer && event.type !== "pointerdown")) return;
    const box = canvas.getBoundingClientRect();
    const [x, y] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    show(canvas, { x: x * canvas.width, y: y * canvas.height }, event.type === "pointerdown");
    const { pointerId, pointerType, button, buttons } = event;
    keep(() => {
      const now = canvas.getBoundingClientRect();
      const clientX = now.left + x * now.width;
      const clientY = now.top + y * now.height;
      const again = { pointerId, pointerType, button, buttons, clientX, clientY, cancelable: true };
      canvas.dispatchEvent(new PointerEvent(event.type, again));
    });
  }

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {{ x: number, y: number }} at
   * @param {boolean} first
   */
  function show(canvas, at, first) {
    const context = canvas.getContext("2d");
    if (!context) return;
    context.lineWidth = WIDTH;
    context.lineCap = "round";
    context.beginPath();
    context.moveTo(first ? at.x : last.x, first ? at.y : last.y);
    context.lineTo(at.x, at.y);
    context.stroke();
    last = at;
    document.querySelector("#prompt")?.setAttribute("hidden", "");
  }

  /**
   * @template {keyof DocumentEventMap} Name
   * @param {Name} name
   * @param {(event: DocumentEventMap[Name]) => void} act
   */
  function listen(name, act) {
    document.addEventListener(name, act, { capture: true, passive: false, signal: ended.signal });
  }

  listen("pointerdown", (event) => {
    const canvas = canvasOf(event);
    if (!canvas || pointer !== null || (event.pointerType === "mouse" && event.button !== 0)) return;
    event.preventDefault();
    canvas.focus({ preventScroll: true });
    canvas.setPointerCapture(event.pointerId);
    pointer = event.pointerId;
    move(event);
  });
  listen("pointermove", move);
  for (const name of /** @type {const} */ (["pointerup", "pointercancel"])) {
    listen(name, (event) => {
      move(event);
      if (event.pointerId === pointer) pointer = null;
    });
  }
  listen("keydown", (event) => {
    const canvas = canvasOf(event);
    const { key, shiftKey, ctrlKey, altKey, metaKey } = event;
    if (!canvas || !KEYS.includes(key) || ctrlKey || altKey || metaKey) return;
    event.preventDefault();
    keep(() => canvas.dispatchEvent(new KeyboardEvent("keydown", { key, shiftKey, bubbles: true })));
  });
  listen("click", ({ target }) => {
    const button = target instanceof Element && target.closest(".digits button");
    if (button instanceof HTMLButtonElement) keep(() => button.click());
  });
  document.addEventListener(
    "ready",
    () => {
      ended.abort();
      clearTimeout(timer);
      for (const deed of deeds) deed();
    },
    { once: true },
  );
})();
