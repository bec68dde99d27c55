/* Keys of the pages where judgments stand side by side. Never while typing or in a dialog; by the
   place of the key, so that they work on every layout. */
"use strict";

for (const button of document.querySelectorAll("[data-raw]")) {
  button.addEventListener("click", () => {
    const answer = button.closest(".answer");
    const raw = answer.classList.toggle("shows-raw");
    button.setAttribute("aria-pressed", String(raw));
    answer.querySelector("[data-raw-text]").open = raw;
  });
}

/* On narrow screens the text of one side is in view at a time, as on the judging page. */
const sides = [...document.querySelectorAll("[data-show-side]")];
const showSide = (side) => {
  document.body.dataset.side = side;
  for (const one of sides) one.setAttribute("aria-pressed", String(one.dataset.showSide === side));
};
for (const one of sides) one.addEventListener("click", () => showSide(one.dataset.showSide));
if (sides.length) showSide("A");

(() => {
  const form = document.getElementById("review") ?? document.getElementById("decision");
  if (!form) return;
  const single = form.dataset.singleKeys === "1";
  const typing = (target) => target.matches("textarea, select, input:not([type=radio], [type=checkbox], [type=hidden])");
  const places = [...document.querySelectorAll("input[data-place]")];
  const decisions = [...document.querySelectorAll("fieldset[data-decide]")];
  const dialog = document.getElementById("return");

  const show = (element) => {
    const folded = element.closest("details:not([open])");
    if (folded) folded.open = true;
    element.focus({ preventScroll: true });
    element.scrollIntoView({ block: "center", behavior: "instant" });
  };
  const step = (all, by) => {
    if (!all.length) return;
    const at = all.indexOf(document.activeElement);
    show(all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + by))]);
  };

  /* Marking */
  const named = (input) => input.closest("label").querySelector(".visually-hidden").textContent.replace(/^: /, "");
  const list = document.querySelector("[data-marked-list]");
  const counted = document.querySelector("[data-marked-words]");
  const unmarked = counted?.textContent;
  const marked = () => {
    const chosen = places.filter((one) => one.checked);
    list?.replaceChildren(...chosen.map((one) => {
      const entry = document.createElement("li");
      entry.textContent = named(one);
      return entry;
    }));
    if (counted) counted.textContent = chosen.length ? counted.dataset.markedWords.replace("{n}", chosen.length) : unmarked;
    return chosen;
  };
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-place]")) marked();
  });
  for (const row of document.querySelectorAll(".said:has([data-place])")) {
    row.addEventListener("click", (event) => {
      if (event.target.closest("a, label, button, input, textarea") || window.getSelection().toString()) return;
      row.querySelector("[data-place]").click();
    });
  }
  const openReturn = () => {
    if (!marked().length) {
      counted.textContent = form.dataset.none;
      if (places[0] && document.activeElement?.dataset?.place === undefined) show(places[0]);
      return;
    }
    if (!dialog.open) dialog.showModal();
    document.getElementById("return-note").focus();
  };

  /* Deciding */
  const words = document.querySelector("[data-left-words]");
  const undecided = () => decisions.filter((one) => !one.querySelector(":checked"));
  const left = () => {
    if (!words) return;
    const open = undecided();
    words.textContent = open.length ? words.dataset.leftWords.replace("{n}", open.length) : words.dataset.leftNone;
  };
  const nextOpen = () => {
    const open = undecided();
    const here = decisions.indexOf(document.activeElement?.closest("fieldset"));
    const next = open.find((one) => decisions.indexOf(one) > here) ?? open[0];
    if (next) show(next.querySelector("input"));
    else show(document.getElementById("decision-reason"));
  };
  const choose = (fieldset, selector) => {
    const input = fieldset?.querySelector(selector);
    if (!input) return false;
    input.checked = true;
    input.dispatchEvent(new Event("change", { bubbles: true }));
    nextOpen();
    return true;
  };
  document.addEventListener("change", left);
  document.querySelector("[data-next-open]")?.addEventListener("click", nextOpen);

  const decide = (event) => {
    const fieldset = document.activeElement?.closest("fieldset[data-decide]");
    const number = /^(?:Digit|Numpad)([0-9])$/.exec(event.code)?.[1];
    if (number !== undefined) return choose(fieldset, `input[value="${number}"]`);
    if (event.code === "Minus") return choose(fieldset, 'input[value="-1"]');
    if (event.code === "KeyN") return choose(fieldset, 'input[value="na"]');
    const letter = /^Key([ABTX])$/.exec(event.code)?.[1];
    if (!letter) return false;
    return choose(fieldset, `input[data-key="${event.shiftKey ? letter : letter.toLowerCase()}"]`);
  };

  const act = (event) => {
    if (form.id === "decision") return decide(event);
    if (event.code === "KeyM" && document.activeElement?.matches("[data-place]")) {
      document.activeElement.click();
      return true;
    }
    if (event.code === "KeyR") {
      openReturn();
      return true;
    }
    const button = form.querySelector(`button[data-key="${event.code}"]`);
    button?.click();
    return Boolean(button);
  };

  document.addEventListener("click", (event) => {
    if (!event.target.closest('[data-opens="return"]')) return;
    event.preventDefault();
    event.stopPropagation();
    openReturn();
  }, true);

  /* One decision is sent once, however often a key repeats. */
  let sent = false;
  form.addEventListener("submit", (event) => {
    if (sent) event.preventDefault();
    sent = true;
  });
  window.addEventListener("pageshow", () => { sent = false; });

  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229 || event.repeat && /^Key[AFR]$/.test(event.code)) return;
    const command = event.ctrlKey || event.metaKey;
    if (command && event.key === "Enter") {
      event.preventDefault();
      if (form.id === "decision") form.requestSubmit();
      else if (dialog.open) document.querySelector("[data-send]").click();
      return;
    }
    if (command || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.key === "Escape" && typing(event.target)) {
      event.target.blur();
      return;
    }
    if (typing(event.target)) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const all = form.id === "review" ? places : decisions.map((one) => one.querySelector(":checked") ?? one.querySelector("input"));
      if (!all.length || event.target.matches("summary, select")) return;
      event.preventDefault();
      step(all, event.key === "ArrowDown" ? 1 : -1);
      return;
    }
    if (event.key === "Enter" && form.id === "decision" && !event.target.matches("a, button, summary")) {
      event.preventDefault();
      nextOpen();
      return;
    }
    if (single && act(event)) event.preventDefault();
  });

  if (dialog && document.querySelector('[role="alert"]') && marked().length) dialog.showModal();
  marked();
  left();
})();
