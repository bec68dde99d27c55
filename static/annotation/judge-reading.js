/* Reading: where one is, how long, which pictures were looked at, and the picture viewer. */
"use strict";

(() => {
  const { form } = window.judge;
  const evidence = JSON.parse(form.elements.evidence.value || "{}");
  const seen = new Set(evidence.images_seen ?? []);
  const opened = new Set(evidence.images_opened ?? []);
  const active = { ...(evidence.active_ms ?? {}) };
  const sections = [...document.querySelectorAll("#judgment .turn, #whole, #overall")];
  const rail = new Map([...document.querySelectorAll("[data-rail]")].map((link) => [link.dataset.rail, link]));
  const IDLE = 60000;
  let here = sections[0]?.dataset.section;
  let lastInput = Date.now();
  let lastTick = Date.now();

  const write = () => {
    form.elements.evidence.value = JSON.stringify({
      ...(evidence.first_input_at ? { first_input_at: evidence.first_input_at, last_input_at: evidence.last_input_at } : {}),
      active_ms: active,
      images_seen: [...seen],
      images_opened: [...opened],
    });
  };

  form.addEventListener("judge:changed", () => {
    evidence.first_input_at ??= new Date().toISOString();
    evidence.last_input_at = new Date().toISOString();
    write();
  });

  /* Time counts while the tab is in view and somebody is there. */
  for (const name of ["pointermove", "keydown", "scroll", "pointerdown"]) {
    document.addEventListener(name, () => { lastInput = Date.now(); }, { passive: true });
  }
  setInterval(() => {
    const now = Date.now();
    const step = now - lastTick;
    lastTick = now;
    if (document.visibilityState !== "visible" || now - lastInput > IDLE || step > 5000) return;
    const depth = /^\d+$/.test(here) ? here : "0";
    active[depth] = (active[depth] ?? 0) + step;
    write();
    const total = Object.values(active).reduce((sum, one) => sum + one, 0);
    const place = document.querySelector("[data-minutes]");
    if (place) place.textContent = String(Math.floor(total / 60000));
  }, 1000);

  /* Where one is */

  const place = () => {
    // A little below what sticks to the top, which is more where the rail lies there too.
    const line = window.innerWidth < 1100 ? 210 : 160;
    let found = sections[0];
    for (const section of sections) {
      if (section.checkVisibility() && section.getBoundingClientRect().top <= line) found = section;
    }
    here = found?.dataset.section ?? here;
    for (const [key, link] of rail) {
      if (key === here) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
    const now = document.querySelector("[data-turn-now]");
    if (now && /^\d+$/.test(here)) now.textContent = here;
    for (const section of sections) {
      const prompts = section.querySelector(".prompts");
      if (!prompts) continue;
      const box = section.getBoundingClientRect();
      // Once the heads below it have reached the header, so that the line never lies over them.
      section.classList.toggle("prompt-gone", prompts.getBoundingClientRect().bottom < 36 && box.bottom > 200);
    }
  };
  let planned = false;
  document.addEventListener("scroll", () => {
    if (planned) return;
    planned = true;
    requestAnimationFrame(() => {
      planned = false;
      place();
    });
  }, { passive: true });
  place();

  document.getElementById("prefix")?.addEventListener("toggle", place);

  for (const link of rail.values()) {
    link.addEventListener("click", () => {
      const prefix = document.getElementById("prefix");
      if (prefix && document.querySelector(link.hash)?.closest("#prefix")) prefix.open = true;
    });
  }

  /* Raw text in place of the set text */

  for (const button of document.querySelectorAll("[data-raw]")) {
    button.addEventListener("click", () => {
      const answer = button.closest(".answer");
      const raw = answer.querySelector("[data-raw-text]");
      raw.open = !raw.open;
      answer.classList.toggle("shows-raw", raw.open);
      button.setAttribute("aria-pressed", String(raw.open));
    });
  }

  /* Looked at: at least half in view for a second, or opened */

  const noticed = (figure, set) => {
    const sha = figure.dataset.image;
    if (!sha || set.has(sha)) return;
    set.add(sha);
    write();
    for (const one of document.querySelectorAll(`[data-image="${sha}"] [data-looked]`)) one.hidden = false;
  };
  const figures = [...document.querySelectorAll("figure[data-image]")];
  const timers = new Map();
  const watch = new IntersectionObserver((changes) => {
    for (const change of changes) {
      const figure = change.target.closest("figure");
      clearTimeout(timers.get(figure));
      const shown = change.isIntersecting && change.target.complete && change.target.naturalWidth > 0;
      if (shown) timers.set(figure, setTimeout(() => document.visibilityState === "visible" && noticed(figure, seen), 1000));
    }
  }, { threshold: 0.5 });
  for (const figure of figures) {
    const picture = figure.querySelector("img");
    watch.observe(picture);
    picture.addEventListener("load", () => {
      watch.unobserve(picture);
      watch.observe(picture);
    });
    picture.addEventListener("error", () => {
      figure.classList.add("failed");
    });
    if (seen.has(figure.dataset.image) || opened.has(figure.dataset.image)) figure.querySelector("[data-looked]").hidden = false;
  }

  /* Viewer */

  const viewer = document.getElementById("viewer");
  const pane = viewer.querySelector(".viewer-pane");
  const picture = pane.querySelector("img");
  let shown = 0;
  let zoom = "fit";

  const scale = () => {
    const fit = Math.min(pane.clientWidth / picture.naturalWidth, pane.clientHeight / picture.naturalHeight, 1);
    const factor = zoom === "fit" ? fit : zoom;
    picture.width = Math.max(1, Math.round(picture.naturalWidth * factor));
  };
  const open = (index) => {
    shown = (index + figures.length) % figures.length;
    const figure = figures[shown];
    const link = figure.querySelector("[data-viewer]");
    zoom = "fit";
    picture.removeAttribute("width");
    picture.src = link.href;
    picture.alt = figure.querySelector("img").alt;
    const side = figure.closest(".answer-A") ? "A, " : figure.closest(".answer-B") ? "B, " : "";
    viewer.querySelector("[data-viewer-caption]").textContent = side + figure.querySelector("img").alt;
    if (!viewer.open) viewer.showModal();
    noticed(figure, opened);
  };
  picture.addEventListener("load", scale);
  for (const [index, figure] of figures.entries()) {
    figure.querySelector("[data-viewer]").addEventListener("click", (event) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey) return;
      event.preventDefault();
      const reveal = figure.querySelector(".reveal");
      if (reveal && !reveal.checked) reveal.checked = true;
      else open(index);
    });
  }
  viewer.addEventListener("click", (event) => {
    const button = event.target.closest("[data-zoom], [data-step]");
    if (!button) return;
    if (button.dataset.step) return void open(shown + Number(button.dataset.step));
    const now = picture.width / picture.naturalWidth;
    zoom = { fit: "fit", one: 1, in: now * 1.5, out: now / 1.5 }[button.dataset.zoom];
    scale();
  });
  viewer.addEventListener("keydown", (event) => {
    const move = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (move) {
      event.preventDefault();
      open(shown + move);
    } else if (event.key === "+" || event.key === "=") viewer.querySelector('[data-zoom="in"]').click();
    else if (event.key === "-") viewer.querySelector('[data-zoom="out"]').click();
    else if (event.key === "0") viewer.querySelector('[data-zoom="fit"]').click();
    else if (event.key === "1") viewer.querySelector('[data-zoom="one"]').click();
  });
  let drag = null;
  pane.addEventListener("pointerdown", (event) => {
    drag = { x: event.clientX, y: event.clientY, left: pane.scrollLeft, top: pane.scrollTop };
    event.preventDefault();
  });
  pane.addEventListener("pointermove", (event) => {
    if (!drag) return;
    pane.scrollTo(drag.left - event.clientX + drag.x, drag.top - event.clientY + drag.y);
  });
  for (const name of ["pointerup", "pointerleave"]) pane.addEventListener(name, () => { drag = null; });

  for (const opener of document.querySelectorAll("[data-skip-reason]")) {
    opener.addEventListener("click", () => {
      const choice = document.querySelector(`#skip [value="${opener.dataset.skipReason}"]`);
      if (choice) choice.checked = true;
    });
  }

  const nameOf = (figure) => {
    const turn = figure.closest("[data-section]")?.querySelector("h2")?.textContent ?? "";
    const side = figure.closest(".answer-A") ? "A" : figure.closest(".answer-B") ? "B" : "";
    return [turn, side, figure.querySelector("img").alt].filter(Boolean).join(", ");
  };
  window.judge.unseen = () => figures
    .filter((one) => !seen.has(one.dataset.image) && !opened.has(one.dataset.image))
    .map((figure) => ({ figure, name: nameOf(figure) }));

  window.judge.openNearestImage = () => {
    const middle = window.innerHeight / 2;
    const distance = (figure) => Math.abs(figure.getBoundingClientRect().top - middle);
    const near = figures.filter((one) => one.checkVisibility()).sort((one, other) => distance(one) - distance(other))[0];
    if (near) open(figures.indexOf(near));
  };
})();
