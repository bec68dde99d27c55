/* The next item, made ready while this one is judged. Its page and first pictures are fetched once
   most is answered; it is put in place of this one only after the server has taken the submission
   and said, by its stamp, that the page is still the one it would send. Else the browser loads it.
   And what is said beside an item: rest, a hold, a flag, a question to the lead. */
"use strict";

window.stage.part((signal) => {
  const { form, words, local, barSays, askToSignIn, post: send } = window.judge;
  const FRESH = 8 * 60000; // well within the lease of a prepared item
  const PICTURES = 4;
  const token = form.elements.csrfmiddlewaretoken;
  let prepared = null;
  let asking = false;

  const idle = window.requestIdleCallback ?? ((act) => setTimeout(act, 200));
  const post = (url) => fetch(url, { method: "POST", headers: { "X-CSRFToken": token.value, Accept: "application/json" }, redirect: "manual", signal });

  const read = async (response) => {
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    if (!page.getElementById("judgment")) return null;
    for (const picture of [...page.querySelectorAll("img[src]")].slice(0, PICTURES)) new Image().src = picture.getAttribute("src");
    // Made this document's own now, while nobody waits for it.
    return { item: response.headers.get("Item"), stamp: response.headers.get("Item-Stamp"), title: page.title, body: document.adoptNode(page.body), at: Date.now() };
  };

  const mostIsAnswered = () => window.judge.missing().length <= Math.max(4, window.judge.rows.length * 0.3);

  const prepare = async () => {
    if (asking || signal.aborted || !form.dataset.prepare || !mostIsAnswered()) return;
    if (prepared && Date.now() - prepared.at < FRESH) return;
    asking = true;
    try {
      const response = await post(form.dataset.prepare);
      prepared = response.status === 200 ? await read(response) : null;
      form.toggleAttribute("data-prepared", prepared !== null);
    } catch {
      prepared = null;
    } finally {
      asking = false;
    }
  };
  const soon = () => idle(prepare, { timeout: 2000 });
  form.addEventListener("judge:changed", soon);
  form.addEventListener("judge:filled", soon);
  soon();

  window.judge.preparedItem = () => prepared ? { "Prepared-Item": prepared.item } : {};

  window.judge.showPrepared = (answer) => {
    if (!prepared || !answer.stamp || prepared.stamp !== answer.stamp) return false;
    const { title, body } = prepared;
    // The token of a page made before a sign-in in place is worth nothing: this page's is carried on.
    for (const field of body.querySelectorAll('[name="csrfmiddlewaretoken"]')) field.value = token.value;
    body.querySelector("#notices").innerHTML = answer.notices;
    history.pushState(null, "", answer.next);
    document.title = title;
    window.stage.show(body);
    window.scrollTo({ top: 0, behavior: "instant" });
    document.getElementById("main").focus({ preventScroll: true });
    return true;
  };

  /* Shown without a request of its own, it is opened now. */
  const opened = async (again) => {
    const done = await post(form.dataset.opened).then((response) => response.ok, () => false);
    if (!done && !signal.aborted) setTimeout(() => opened(again * 2), again);
  };
  if (window.stage.shown) opened(2000);

  const path = location.pathname;
  window.addEventListener("popstate", () => {
    if (location.pathname !== path) location.reload();
  }, { signal });

  /* Rest, where the person asked to be reminded: gently, and never while they write or choose. */
  const rest = document.getElementById("rest");
  const after = Number(rest?.dataset.minutes ?? 0);
  let touched = 0;
  const act = () => {
    const now = Date.now();
    if (now - touched < 5000) return;
    touched = now;
    const pace = window.pace.read();
    if (!pace.last || now - pace.last > window.pace.BREAK) Object.assign(pace, { since: now, snoozed: 0 });
    window.pace.write({ ...pace, last: now });
  };

  const busy = () => document.querySelector("dialog[open]") || document.activeElement?.matches("textarea, input[type=text]");
  const remind = () => {
    const pace = window.pace.read();
    const due = window.pace.minutes(pace) >= after && Date.now() > (pace.snoozed ?? 0);
    if (!due) rest.hidden = true;
    else if (!busy() && Date.now() - touched > 1500) rest.hidden = false;
  };
  if (after) {
    for (const name of ["pointerdown", "keydown", "scroll"]) document.addEventListener(name, act, { passive: true, signal });
    act();
    const clock = setInterval(remind, 2000);
    signal.addEventListener("abort", () => clearInterval(clock));
    rest.querySelector("[data-later]").addEventListener("click", () => {
      window.pace.write({ ...window.pace.read(), snoozed: Date.now() + 10 * 60000 });
      rest.hidden = true;
    });
  }

  document.querySelector("form[data-hold]")?.addEventListener("submit", async (event) => {
    event.preventDefault();
    const place = event.target.querySelector("[data-hold-words]");
    event.submitter.disabled = true;
    const response = await send(event.target.action, "").catch(() => null);
    const answer = await response?.json().catch(() => null);
    place.textContent = answer?.message ?? words.notHeld;
    event.submitter.disabled = Boolean(response?.ok) && !answer.left;
  });

  document.querySelector("form[data-flag]")?.addEventListener("submit", async (event) => {
    event.preventDefault();
    const flag = event.target;
    const response = await send(flag.action, new URLSearchParams(new FormData(flag))).catch(() => null);
    if (!response?.ok) {
      barSays(words.notFlagged);
      return;
    }
    flag.closest("dialog").close();
    const bar = document.getElementById("missing");
    bar.dataset.state = "notice";
    bar.querySelector("[data-missing-words]").textContent = words.flagged;
    bar.querySelector("use").setAttribute("href", "#i-check");
    setTimeout(window.judge.refresh, 4000);
  });

  /* Asking the lead, beside the item. A text that did not arrive stays in the dialog, and in this
     browser; one key names one question through every try, so that a lost reply asks nothing twice. */
  const ask = document.getElementById("ask");
  if (!ask) return;
  const sheet = ask.querySelector("form");
  const question = sheet.elements.text;
  const asked = ask.querySelector("[data-ask-list]");
  let key = Math.random();
  const askSays = (sentence, name) => {
    const place = ask.querySelector("[data-ask-says]");
    place.textContent = sentence;
    place.dataset.state = name;
  };
  const keepQuestion = () => local(() => localStorage.setItem(`ask:${form.dataset.item}`, question.value));
  question.value = local(() => localStorage.getItem(`ask:${form.dataset.item}`)) ?? "";
  question.addEventListener("input", keepQuestion);

  /* It is about the row in focus, unless a text has been begun. */
  const prefill = () => {
    if (question.value.trim()) return;
    const row = window.judge.current();
    const turn = row?.closest("[data-section]")?.dataset.section ?? "";
    const wanted = [`${turn}.${row?.dataset.field?.split(".")[0]}`, turn, ""];
    const known = [...sheet.elements.place.options].map((option) => option.value);
    sheet.elements.place.value = wanted.find((value) => known.includes(value));
    sheet.elements.dimension.value = row?.closest("[data-dimension]")?.dataset.dimension ?? "";
  };
  document.addEventListener("click", async (event) => {
    if (!event.target.closest("[data-asks]")) return;
    event.preventDefault();
    prefill();
    askSays("", "");
    ask.showModal();
    question.focus();
    const response = await fetch(sheet.action, { redirect: "manual", signal }).catch(() => null);
    if (response?.ok) asked.innerHTML = await response.text();
  }, { signal });
  sheet.addEventListener("submit", async (event) => {
    event.preventDefault();
    askSays(words.sending, "");
    const response = await send(sheet.action, [...new FormData(sheet), ["key", key]]).catch(() => null);
    if (response?.ok) {
      key = Math.random();
      question.value = "";
      keepQuestion();
      asked.innerHTML = (await response.json()).list;
      askSays(words.asked, "sent");
    } else if (response && [401, 0].includes(response.status)) {
      askSays(words.askSignedOut, "failed");
      askToSignIn();
    } else askSays((await response?.json().catch(() => null))?.message ?? words.askFailed, "failed");
  });
});
