/* Keys: they press what can be clicked. Never while typing, in a dialog, or while an input method
   composes; by the place of the key, so that they work on every layout. */
"use strict";

(() => {
  const judge = window.judge;
  const { form, rows } = judge;
  const single = form.dataset.singleKeys === "1";
  const typing = (target) => target.matches("textarea, select, input:not([type=radio], [type=checkbox], [type=hidden])") || target.isContentEditable;
  const choose = (input) => {
    if (!input || input.disabled) return false;
    input.checked = input.type === "checkbox" ? !input.checked : true;
    input.focus({ preventScroll: true });
    input.dispatchEvent(new Event("input", { bubbles: true }));
    return true;
  };

  const visibleRows = () => rows.filter((row) => row.offsetParent !== null && !row.disabled);
  const move = (step) => {
    const all = visibleRows();
    const at = all.indexOf(judge.current());
    const next = all[Math.min(all.length - 1, Math.max(0, at + step))];
    if (next) judge.focusRow(next);
  };

  const after = (row) => {
    // Where a reason is now asked, stay; else go to what is missing next in this turn.
    const detail = judge.detailOf(row);
    if (detail?.querySelector('[data-enough="no"]')) return;
    const found = judge.missing();
    const next = found.find((one) => rows.indexOf(one.row) > rows.indexOf(row) && one.row.offsetParent !== null);
    if (next) judge.focusRow(next.row);
  };

  const score = (row, value) => {
    const input = row.querySelector(`input[type=radio][value="${value}"]`);
    if (choose(input)) after(row);
  };

  const prefer = (key) => {
    const row = judge.current();
    const preference = row?.matches(".preference") ? row : row?.closest(".dimension")?.querySelector(".preference") ?? null;
    const target = preference ?? (document.querySelector("#overall .preference") && atOverall() ? document.querySelector("#overall .preference:last-of-type") : null);
    const option = target?.querySelector(`input[data-key="${key}"]`) ?? target?.querySelector(`input[data-key="${key.toLowerCase()}"]`);
    if (choose(option)) after(target);
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
    KeyG: () => judge.toggleGuideline(),
    KeyZ: () => judge.openNearestImage(),
    KeyO: () => {
      const prefix = document.getElementById("prefix");
      if (prefix) prefix.open = !prefix.open;
    },
    KeyC: (row) => judge.openReason(row),
    KeyS: (row, shift) => shift && document.querySelector('.bar [data-opens="skip"]')?.click(),
  };

  const digit = (event) => /^(?:Digit|Numpad)([0-9])$/.exec(event.code)?.[1];

  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229) return;
    const target = event.target;
    const command = event.ctrlKey || event.metaKey;
    if (document.querySelector("dialog[open]")) return;
    if (command && event.key === "Enter") {
      event.preventDefault();
      document.getElementById("submit")?.click();
      return;
    }
    if (command && event.code === "KeyS" && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      form.dispatchEvent(new CustomEvent("judge:save"));
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
    if (!single || target.matches("a, button, summary") && event.key === " ") return;
    if (event.key === "?") {
      event.preventDefault();
      document.querySelector('[data-opens="keys"]').click();
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
  });
})();
