/* On every page: menus that close, and failures of htmx that are said in words. */
"use strict";

document.documentElement.classList.add("js");

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
    notice.textContent = status
      ? `The server did not take this (${status}). Nothing was changed; try again.`
      : "The server did not answer. Nothing was changed; try again.";
  });
}
