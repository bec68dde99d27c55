/* On every page: menus that close, and failures of htmx that are said in words. */
"use strict";

document.documentElement.classList.add("js");

/* Times are told in this browser's zone: the server reads it here. It is no secret. */
document.cookie = `time_zone=${Intl.DateTimeFormat().resolvedOptions().timeZone}; path=/; max-age=31536000; samesite=lax`;

/* The parts of a page whose content may be replaced in place. Each starts once for every content;
   what it hangs on the document, the window or a clock ends with `signal`. */
window.stage = (() => {
  const parts = [];
  let content = new AbortController();
  return {
    shown: false, // whether the content now in place came without a page load
    part(start) {
      parts.push(start);
      start(content.signal);
    },
    show(body) {
      content.abort();
      content = new AbortController();
      this.shown = true;
      body.classList.add("arriving"); // what stands below the first turn is set after the first frame
      document.body.replaceWith(body);
      for (const start of parts) start(content.signal);
      requestAnimationFrame(() => setTimeout(() => body.classList.remove("arriving")));
    },
  };
})();

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
  const opener = event.target.closest("[data-opens]");
  if (opener) {
    event.preventDefault();
    document.getElementById(opener.dataset.opens)?.showModal();
  }
  if (event.target.closest("[data-closes]")) event.target.closest("dialog")?.close();
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-submits-itself]");
  if (form) form.requestSubmit();
});

/* Work in a row, kept in this browser: since when, and when something was last done. A break is five
   minutes without anything. */
window.pace = {
  BREAK: 5 * 60000,
  read() {
    try {
      return JSON.parse(localStorage.getItem("pace")) ?? {};
    } catch {
      return {};
    }
  },
  write(pace) {
    try {
      localStorage.setItem("pace", JSON.stringify(pace));
    } catch { /* a forbidden store: no reminder */ }
  },
  minutes(pace) {
    const rested = !pace.last || Date.now() - pace.last > this.BREAK;
    return rested ? 0 : Math.floor((Date.now() - pace.since) / 60000);
  },
};
document.addEventListener("DOMContentLoaded", () => {
  const place = document.querySelector("[data-since-break]");
  if (!place) return;
  place.hidden = false;
  place.textContent = place.dataset.sinceBreak.replace("{n}", window.pace.minutes(window.pace.read()));
});

/* A page brought back from memory is loaded again. */
addEventListener("pageshow", (event) => {
  if (event.persisted) setTimeout(() => location.reload()); // once every part has heard of it
});

/* A table that scrolls sideways can be scrolled by keys; one that fits is no stop on the way. */
function reachTables() {
  for (const wrap of document.querySelectorAll(".table-wrap")) {
    if (wrap.scrollWidth > wrap.clientWidth) wrap.tabIndex = 0;
    else wrap.removeAttribute("tabindex");
  }
}
for (const name of ["DOMContentLoaded", "htmx:afterSwap", "htmx:afterSettle"]) {
  document.addEventListener(name, reachTables);
}
addEventListener("resize", reachTables);

/* A part that asks for itself again (data-live) waits while somebody writes or marks text in it, and
   keeps what was unfolded, the focus, and how far a table was scrolled. */
const live = {
  isBusy(part) {
    const at = document.activeElement;
    if (part.contains(at) && at.matches("input, select, textarea")) return true;
    const marked = getSelection();
    if (marked && !marked.isCollapsed && part.contains(marked.anchorNode)) return true;
    const written = [...part.querySelectorAll("textarea, input:not([type=hidden])")].some((field) =>
      field.value !== field.defaultValue || (field.checked ?? false) !== (field.defaultChecked ?? false));
    return written || [...part.querySelectorAll("select")].some((field) => {
      const first = [...field.options].find((option) => option.defaultSelected) ?? field.options[0];
      return first !== undefined && !first.selected;
    });
  },
  key(element) {
    const row = element.parentElement?.closest("[id]")?.id ?? "";
    return element.id || `${row} ${element.tagName} ${element.getAttribute("href") ?? ""} ${element.textContent.trim()}`;
  },
  /* Each of some elements by its key and how many of the same key stand before it. */
  keyed(part, selector) {
    const seen = new Map();
    return [...part.querySelectorAll(selector)].map((element) => {
      const key = this.key(element);
      seen.set(key, (seen.get(key) ?? 0) + 1);
      return [`${key} ${seen.get(key)}`, element];
    });
  },
  folds: "summary",
  stops: "a, button, summary, [tabindex]",
  kept: new Map(),
  keep(part) {
    this.kept.set(part.id, {
      open: this.keyed(part, this.folds).filter(([, one]) => one.parentElement.open).map(([key]) => key),
      focus: this.keyed(part, this.stops).find(([, one]) => one === document.activeElement)?.[0],
      scrolled: [...part.querySelectorAll(".table-wrap")].map((wrap) => wrap.scrollLeft),
    });
  },
  putBack(part) {
    const kept = this.kept.get(part.id);
    if (!kept) return;
    this.kept.delete(part.id);
    for (const [key, one] of this.keyed(part, this.folds)) if (kept.open.includes(key)) one.parentElement.open = true;
    part.querySelectorAll(".table-wrap").forEach((wrap, place) => {
      wrap.scrollLeft = kept.scrolled[place] ?? 0;
    });
    reachTables();
    if (!kept.focus) return;
    const found = this.keyed(part, this.stops).find(([key]) => key === kept.focus);
    found?.[1].focus({ preventScroll: true });
  },
};
document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.target.matches?.("[data-live]") && live.isBusy(event.target)) event.preventDefault();
});
document.addEventListener("htmx:beforeSwap", (event) => {
  const part = event.detail.target;
  if (!part?.matches?.("[data-live]")) return;
  if (live.isBusy(part)) event.detail.shouldSwap = false; // begun while the answer was on its way
  else if (event.detail.shouldSwap) live.keep(part);
});
document.addEventListener("htmx:afterSettle", (event) => {
  const part = document.getElementById(event.detail.elt?.id);
  if (part?.matches("[data-live]")) live.putBack(part);
});

for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout", "htmx:swapError"]) {
  document.addEventListener(name, (event) => {
    const place = document.getElementById("main") ?? document.body;
    let notice = document.getElementById("request-failed");
    if (!notice) {
      notice = document.createElement("p");
      notice.id = "request-failed";
      notice.className = "notice notice-attention";
      notice.setAttribute("role", "alert");
      place.prepend(notice);
    }
    const status = event.detail?.xhr?.status;
    const words = document.documentElement.dataset;
    notice.textContent = status ? words.failed.replace("{status}", status) : words.silent;
  });
}
