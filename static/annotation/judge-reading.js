/* Reading: where one is, how long, what is folded, how two sides are laid out, and the keys. */
"use strict";

window.stage.part((signal) => {
  const { judge } = window;
  const { form, words } = judge;
  const { body } = document;
  const evidence = JSON.parse(form.elements.evidence.value || "{}");
  const seen = new Set(evidence.images_seen ?? []);
  const opened = new Set(evidence.images_opened ?? []);
  const active = { ...(evidence.active_ms ?? {}) };
  const sections = [...document.querySelectorAll("#judgment .turn, #whole, #overall")];
  const rail = new Map([...document.querySelectorAll("[data-rail]")].map((link) => [link.dataset.rail, link]));
  const IDLE = 60000;
  let here = sections[0]?.dataset.section;
  let lastInput = performance.now(); // a clock that nobody sets back
  let lastTick = lastInput;

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
    document.addEventListener(name, () => { lastInput = performance.now(); }, { passive: true, signal });
  }
  const ticking = setInterval(() => {
    const now = performance.now();
    const step = Math.round(now - lastTick);
    lastTick = now;
    if (document.visibilityState !== "visible" || now - lastInput > IDLE || step > 5000) return;
    const depth = /^\d+$/.test(here) ? here : "0";
    active[depth] = (active[depth] ?? 0) + step;
    write();
    const total = Object.values(active).reduce((sum, one) => sum + one, 0);
    const place = document.querySelector("[data-minutes]");
    if (place) place.textContent = String(Math.floor(Math.min(total, place.parentElement.dataset.most || Infinity) / 60000));
  }, 1000);
  signal.addEventListener("abort", () => clearInterval(ticking));

  /* Where one is */

  const place = () => {
    // A little below what sticks to the top, which is more where the rail lies there too.
    const line = body.matches(".wide") ? 160 : 210;
    let found = sections[0];
    for (const section of sections) {
      if (section.checkVisibility() && section.getBoundingClientRect().top <= line) found = section;
    }
    const last = sections.at(-1);
    const atEnd = window.scrollY > 0 && window.scrollY + window.innerHeight >= document.documentElement.scrollHeight - 2;
    if (atEnd && last?.getBoundingClientRect().top < window.innerHeight * 0.6) found = last;
    here = found?.dataset.section ?? here;
    for (const [key, link] of rail) {
      if (key !== here) link.removeAttribute("aria-current");
      else if (!link.hasAttribute("aria-current")) {
        link.setAttribute("aria-current", "true");
        // A rail longer than the screen goes along.
        const nav = link.closest("nav");
        nav.scrollTo({
          left: link.offsetLeft - (nav.clientWidth - link.offsetWidth) / 2,
          top: link.offsetTop - (nav.clientHeight - link.offsetHeight) / 2,
          behavior: "instant",
        });
      }
    }
    const now = document.querySelector("[data-turn-now]");
    if (now) now.textContent = /^\d+$/.test(here) ? here : now.closest("[data-turns]").dataset.turns;
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
  }, { passive: true, signal });
  place();

  /* The turns before: they fold once they were read and rating has begun; one key opens them and
     goes back to where one was. */

  const prefix = document.getElementById("prefix");
  prefix?.addEventListener("toggle", place);
  const keepPlace = (change, anchor) => {
    const before = anchor.getBoundingClientRect().top;
    change();
    const moved = anchor.getBoundingClientRect().top - before;
    if (moved) window.scrollBy({ top: moved, behavior: "instant" });
  };
  const sectionHere = () => sections.find((one) => one.dataset.section === here) ?? sections[0];
  form.addEventListener("judge:changed", () => {
    if (!prefix?.open || "asked" in prefix.dataset || prefix.getBoundingClientRect().bottom > 60) return;
    keepPlace(() => { prefix.open = false; }, sectionHere());
  });
  let cameFrom = null;
  judge.togglePrefix = () => {
    if (!prefix) return;
    const inView = prefix.getBoundingClientRect().bottom > 60;
    if (prefix.open && inView) {
      prefix.open = false;
      if (cameFrom) window.scrollBy({ top: cameFrom.section.getBoundingClientRect().top - cameFrom.top, behavior: "instant" });
      cameFrom = null;
      return;
    }
    const section = sectionHere();
    if (!prefix.contains(section)) cameFrom = { section, top: section.getBoundingClientRect().top };
    prefix.dataset.asked = "";
    prefix.open = true;
    prefix.scrollIntoView({ block: "start", behavior: "instant" });
  };

  for (const link of rail.values()) {
    link.addEventListener("click", () => {
      if (prefix && document.querySelector(link.hash)?.closest("#prefix")) prefix.open = true;
    });
  }

  /* The whole prompt, over the text, while its first line sticks under the heads */

  let before = null;
  judge.togglePrompt = () => {
    const section = sections.find((one) => one.matches(".prompt-gone")) ?? sectionHere();
    const line = section.querySelector("[data-prompt-line]");
    if (!section.matches(".prompt-gone")) {
      section.scrollIntoView({ block: "start", behavior: "instant" });
      return;
    }
    if (!line.querySelector(".prompts")) {
      const copy = section.querySelector(".prompts").cloneNode(true);
      for (const field of copy.querySelectorAll("input, textarea, details, [data-looked]")) field.remove();
      for (const one of copy.querySelectorAll("[id]")) one.removeAttribute("id");
      copy.tabIndex = -1;
      line.append(copy);
    }
    const isOpen = line.classList.toggle("whole-prompt");
    line.querySelector("[data-prompt-all]").setAttribute("aria-expanded", String(isOpen));
    // In the text, so that the arrows scroll it; then back to where one was.
    if (isOpen) {
      before = document.activeElement;
      line.querySelector(".prompts").focus({ preventScroll: true });
    } else before?.focus({ preventScroll: true });
  };
  for (const button of document.querySelectorAll("[data-prompt-all]")) button.addEventListener("click", judge.togglePrompt);

  /* Two sides: beside each other or one at a time, scrolling together or each by itself */

  // The next item may have been made ready before the choice of now: the document carries it on.
  const { documentElement: root } = document;
  root.dataset.oneColumn ??= form.dataset.oneColumn;
  root.dataset.scrollApart ??= form.dataset.scrollApart;
  const choices = { oneColumn: root.dataset.oneColumn === "1", scrollApart: root.dataset.scrollApart === "1" };
  const lay = () => {
    for (const name of Object.keys(choices)) root.dataset[name] = Number(choices[name]);
    body.classList.toggle("one-column", choices.oneColumn && !body.matches(".one-side"));
    body.classList.toggle("scroll-apart", choices.scrollApart && !choices.oneColumn);
    for (const box of document.querySelectorAll("[data-choice]")) box.checked = choices[box.dataset.choice];
    for (const answer of document.querySelectorAll(".turn-apart .answer")) {
      if (body.matches(".scroll-apart.wide")) answer.tabIndex = 0;
      else answer.removeAttribute("tabindex");
    }
    place();
  };
  judge.choose = (name) => {
    if (body.matches(".one-side") || !body.matches(".wide")) return;
    choices[name] = !choices[name];
    keepPlace(lay, sectionHere());
    const kept = new URLSearchParams({ one_column: Number(choices.oneColumn), scroll_apart: Number(choices.scrollApart) });
    fetch(form.dataset.columns, {
      method: "POST", body: kept, headers: { Accept: "application/json", "X-CSRFToken": form.elements.csrfmiddlewaretoken.value },
    }).catch(() => {}); // a wish about the layout, not work: the next press sends it again
  };
  judge.showSide = (side, section = sectionHere()) => keepPlace(() => { body.dataset.side = side; }, section);
  judge.flip = () => {
    if (!body.matches(".one-column") && body.matches(".wide")) return;
    judge.showSide(body.dataset.side === "A" ? "B" : "A");
  };
  for (const box of document.querySelectorAll("[data-choice]")) box.addEventListener("change", () => judge.choose(box.dataset.choice));
  for (const button of document.querySelectorAll("[data-flip]")) {
    button.addEventListener("click", () => {
      judge.flip();
      button.closest(".turn").querySelector(`.answer-${body.dataset.side} [data-flip]`)?.focus({ preventScroll: true });
    });
  }
  for (const button of document.querySelectorAll("[data-show-side]")) {
    button.addEventListener("click", () => {
      body.dataset.side = button.dataset.showSide;
      for (const other of document.querySelectorAll("[data-show-side]")) {
        other.setAttribute("aria-pressed", String(other === button));
      }
    });
  }
  new MutationObserver(() => {
    for (const button of document.querySelectorAll("[data-show-side]")) {
      button.setAttribute("aria-pressed", String(button.dataset.showSide === body.dataset.side));
    }
  }).observe(body, { attributes: true, attributeFilter: ["data-side"] });

  const guideline = document.getElementById("guideline");
  judge.toggleGuideline = () => {
    guideline.hidden = body.classList.contains("guideline-open");
    body.classList.toggle("guideline-open", !guideline.hidden);
    const articles = [...guideline.querySelectorAll("[data-guideline-of]")];
    if (!guideline.hidden && articles.every((one) => one.hidden) && articles[0]) articles[0].hidden = false;
  };
  const parts = [...guideline.querySelectorAll("[data-guideline-part]")];
  const showPart = (name) => {
    guideline.dataset.part = name;
    guideline.scrollTop = 0;
    for (const one of parts) one.setAttribute("aria-pressed", String(one.dataset.guidelinePart === name));
  };
  for (const one of parts) one.addEventListener("click", () => showPart(one.dataset.guidelinePart));
  /* Shift+G opens the guideline, then goes through its parts. */
  judge.nextGuidelinePart = () => {
    if (guideline.hidden) return judge.toggleGuideline();
    const now = parts.findIndex((one) => one.dataset.guidelinePart === guideline.dataset.part);
    return showPart(parts[(now + 1) % parts.length].dataset.guidelinePart);
  };
  for (const link of document.querySelectorAll("[data-guideline]")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      judge.toggleGuideline();
    });
  }

  lay();
  window.matchMedia("(min-width: 1100px)").addEventListener("change", lay, { signal });

  /* What is wider than its column scrolls by keys too. */
  for (const wide of document.querySelectorAll(".prose .table-scroll, .prose math[display=block]")) {
    if (wide.scrollWidth > wide.clientWidth) wide.tabIndex = 0;
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

  Object.assign(judge, { evidence: { seen, opened, write } });
});

/* Keys: they press what can be clicked. Never while typing, in a dialog, or while an input method
   composes; by the place of the key, so that they work on every layout. */
window.stage.part((signal) => {
  const { judge } = window;
  const { form, rows } = judge;
  const single = form.dataset.singleKeys === "1";
  const typing = (target) => target.matches("textarea, select, input:not([type=radio], [type=checkbox], [type=hidden])") || target.isContentEditable;
  const choose = (input) => {
    if (!input || input.matches(":disabled")) return false;
    input.checked = input.type === "checkbox" ? !input.checked : true;
    input.focus({ preventScroll: true });
    input.dispatchEvent(new Event("input", { bubbles: true }));
    return true;
  };

  const visibleRows = () => rows.filter((row) => row.offsetParent !== null && !row.disabled && !row.inert);
  const move = (step) => {
    const all = visibleRows();
    const at = all.indexOf(judge.current());
    const next = all[Math.min(all.length - 1, Math.max(0, at + step))];
    if (next) judge.focusRow(next);
  };

  const score = (row, value) => {
    const input = row.querySelector(`input[type=radio][value="${value}"]`);
    if (choose(input)) judge.goOn(row);
  };

  const prefer = (key) => {
    const row = judge.current();
    const preference = row?.matches(".preference") ? row : row?.closest(".dimension")?.querySelector(".preference") ?? null;
    const target = preference ?? (document.querySelector("#overall .preference") && atOverall() ? document.querySelector("#overall .preference:last-of-type") : null);
    const option = target?.querySelector(`input[data-key="${key}"]`) ?? target?.querySelector(`input[data-key="${key.toLowerCase()}"]`);
    if (choose(option)) judge.goOn(target);
  };
  const atOverall = () => document.querySelector('[data-rail="overall"]')?.hasAttribute("aria-current");

  const tag = (letter) => {
    const detail = judge.current() && judge.detailOf(judge.current());
    return choose(detail?.querySelector(`[data-shortcut="${letter}"]`));
  };

  const letters = {
    KeyN: (row) => row?.matches(".rating") && score(row, "na"),
    KeyA: (row, shift) => prefer(shift ? "A" : "a"),
    KeyB: (row, shift) => prefer(shift ? "B" : "b"),
    KeyT: () => prefer("t"),
    KeyX: () => prefer("x"),
    KeyF: () => document.querySelector('.bar [data-opens="flag"]')?.click(),
    KeyG: (_row, shift) => (shift ? judge.nextGuidelinePart() : judge.toggleGuideline()),
    KeyZ: () => judge.openNearestImage(),
    KeyL: () => judge.choose("oneColumn"),
    KeyM: () => judge.choose("scrollApart"),
    KeyO: () => judge.togglePrefix(),
    KeyP: () => judge.togglePrompt(),
    KeyV: () => judge.flip(),
    KeyC: (row) => judge.openReason(row),
    KeyQ: (row, shift) => shift ? document.querySelector("[data-asks]")?.click() : tag("Q"),
    KeyS: (row, shift) => shift && document.querySelector('.bar [data-opens="skip"]')?.click(),
  };

  /* To the next or previous picture, which Enter opens */
  const toPicture = (step) => {
    const shown = judge.figures.filter((one) => one.checkVisibility());
    const at = shown.findIndex((one) => one.contains(document.activeElement));
    const next = shown[at < 0 ? (step > 0 ? 0 : shown.length - 1) : at + step];
    if (next) judge.lead(next);
  };

  const digit = (event) => /^(?:Digit|Numpad)([0-9])$/.exec(event.code)?.[1];

  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229) return;
    const target = event.target;
    const command = event.ctrlKey || event.metaKey;
    const dialog = document.querySelector("dialog[open]");
    if (dialog) {
      // What is written in a dialog is sent as the item is.
      const send = dialog.querySelector("form:has(textarea) [type=submit]");
      if (send && command && event.key === "Enter" && typing(target)) {
        event.preventDefault();
        if (!event.repeat) send.click();
      }
      return;
    }
    if (command && event.key === "Enter") {
      event.preventDefault();
      if (!event.repeat) document.getElementById("submit")?.click();
      return;
    }
    if (command && event.code === "KeyS" && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      form.dispatchEvent(new CustomEvent("judge:save"));
      return;
    }
    if (command && event.code === "KeyZ" && !event.altKey && !typing(target)) {
      event.preventDefault();
      form.dispatchEvent(new CustomEvent("judge:undo", { detail: { again: event.shiftKey } }));
      return;
    }
    if (command && (event.code === "ArrowRight" || event.code === "ArrowLeft") && !typing(target)) {
      event.preventDefault();
      toPicture(event.code === "ArrowRight" ? 1 : -1);
      return;
    }
    if (command || event.altKey) return;
    if (event.key === "Escape" && typing(target)) {
      const row = target.closest(".detail")?.previousElementSibling;
      if (row) judge.focusRow(row);
      else target.blur();
      return;
    }
    if (typing(target)) return;
    if (event.key === "Escape") {
      judge.rest();
      return;
    }
    if (event.key === "Enter" && !target.matches("a, button, summary")) {
      event.preventDefault();
      judge.goToMissing();
      return;
    }
    const row = judge.current();
    if ((event.key === "ArrowDown" || event.key === "ArrowUp") && target.matches("fieldset input[type=radio]")) {
      event.preventDefault();
      move(event.key === "ArrowDown" ? 1 : -1);
      return;
    }
    // A key that is held down answers once.
    if (!single || event.repeat || target.matches("a, button, summary") && event.key === " ") return;
    if (event.key === "?") {
      event.preventDefault();
      document.querySelector('[data-opens="keys"]').click();
      return;
    }
    const beside = { BracketLeft: "prev", BracketRight: "next" }[event.code];
    if (beside) {
      event.preventDefault();
      document.querySelector(`.bar [rel="${beside}"]`)?.click();
      return;
    }
    const number = digit(event);
    if (number !== undefined && row?.matches(".rating") && !event.shiftKey) {
      event.preventDefault();
      score(row, number);
      return;
    }
    if ((event.code === "Minus" || event.code === "NumpadSubtract") && row?.matches(".rating")) {
      event.preventDefault();
      score(row, "-1");
      return;
    }
    const letter = /^Key([A-Z])$/.exec(event.code)?.[1];
    if (!letter) return;
    if (!event.shiftKey && !(event.code in letters) && tag(letter)) {
      event.preventDefault();
      return;
    }
    const act = letters[event.code];
    if (!act) return;
    event.preventDefault();
    act(row, event.shiftKey);
  }, { signal });
});
