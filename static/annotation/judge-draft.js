/* Keeping and sending: each change is on the server within a second or two, and the page says
   "Saved" only when the server has said so. What has not arrived also lies in this browser. */
"use strict";

window.stage.part((signal) => {
  const { form, words } = window.judge;
  const state = document.getElementById("saved");
  const store = `judge:${form.dataset.item}`;
  const control = ["csrfmiddlewaretoken", "draft_version", "submission_key", "guideline_version"];
  let readOnly = form.dataset.readOnly === "1";
  const WAIT = 600; // from the first unsaved change, however much follows
  const TIMEOUT = 15000;
  const KEPT_ALIVE = 30000; // characters; browsers refuse longer ones
  const RETRIES = [2, 4, 8, 15, 30];
  let sending = false;
  let waiting = null;
  let failures = 0;
  let nextTry = 0;
  let sentBody = null;
  let submission = null;
  let submitted = null; // what it holds, as `stored` is compared
  let signedOut = false;
  let conflicting = false;

  const entries = () => [...new FormData(form)].filter(([name, value]) => !control.includes(name) && (value !== "" || name.startsWith("reason.")));
  const text = (pairs) => new URLSearchParams(pairs.filter(([name, value]) => value !== "")).toString();
  const comparable = (body) => {
    const kept = new URLSearchParams(body);
    kept.delete("evidence");
    for (const name of [...kept.keys()]) if (name.startsWith("yours.")) kept.delete(name);
    kept.sort();
    return kept.toString();
  };
  let stored = comparable(text(entries()));

  const show = (name, sentence, icon) => {
    state.dataset.state = name;
    state.querySelector("[data-saved-words]").textContent = sentence;
    state.querySelector("use").setAttribute("href", icon);
  };
  /* What the page says at rest: the last word of the server, also when a change was taken back. */
  let rest = [state.dataset.state, state.querySelector("[data-saved-words]").textContent, "#i-check"];

  /* A full or forbidden store is no matter: the server copy is the one that counts. */
  const local = (act) => {
    try {
      return act();
    } catch {
      return null;
    }
  };
  let isKeptHere = false;
  const keepHere = (body) => {
    const kept = JSON.stringify({ body, base: stored, version: form.elements.draft_version.value, at: Date.now() });
    isKeptHere = local(() => localStorage.setItem(store, kept)) !== null;
  };
  const forgetHere = () => local(() => localStorage.removeItem(store));

  const once = async (url, pairs, more) => {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), TIMEOUT);
    const body = new URLSearchParams(pairs);
    body.delete("csrfmiddlewaretoken"); // the header carries the one of now
    try {
      return await fetch(url, {
        method: "POST",
        body,
        headers: { Accept: "application/json", "X-CSRFToken": form.elements.csrfmiddlewaretoken.value, ...more },
        redirect: "manual",
        signal: stop.signal,
        keepalive: String(body).length < KEPT_ALIVE, // it arrives although the tab is closed
      });
    } finally {
      clearTimeout(timer);
    }
  };
  /* Signing in, here or in another tab, makes the page's token worth nothing: it is renewed once. */
  const post = async (url, pairs, more = {}) => {
    const response = await once(url, pairs, more);
    if (response.status !== 403) return response;
    return (await renewToken()) ? once(url, pairs, more) : new Response(null, { status: 401 });
  };
  const isTooLarge = (response) => [400, 413].includes(response.status);
  const isSignedOut = (response) => response.status === 401 || response.type === "opaqueredirect";

  const later = (seconds) => {
    clearTimeout(waiting);
    waiting = setTimeout(save, seconds * 1000);
  };
  const soon = (wait = WAIT) => {
    if (waiting === null) later(wait / 1000);
  };
  const differs = (now = text(entries())) => comparable(now) !== stored;
  const saysState = () => {
    if (differs()) show("saving", words.saving, "#i-clock");
    else show(...rest);
  };
  const savedAt = (at) => {
    const clock = new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
    rest = ["saved", words.saved.replace("{at}", clock), "#i-check"];
    saysState();
  };

  if (state.dataset.at) savedAt(state.dataset.at);

  const failed = (status) => {
    const pause = RETRIES[Math.min(failures, RETRIES.length - 1)];
    failures += 1;
    nextTry = Date.now() + pause * 1000;
    show("failed", words.notSaved, "#i-warning");
    saysWhatWaits(status === 404 ? words.someoneElse : null);
    later(pause);
  };

  const askToSignIn = () => {
    signedOut = true;
    show("signed-out", words.signedOut, "#i-lock");
    const dialog = document.getElementById("signed-out");
    if (!dialog.open) dialog.showModal();
  };

  const arrived = () => {
    failures = 0;
    if (bar.dataset.state !== "unsaved") return;
    bar.dataset.state = "open";
    window.judge.refresh();
  };

  const stored2xx = (response, body) => {
    form.elements.draft_version.value = response.headers.get("Draft-Version") ?? form.elements.draft_version.value;
    stored = comparable(body);
    sentBody = null;
    arrived();
    if (!differs()) forgetHere();
    savedAt(response.headers.get("Draft-Saved-At") ?? Date.now());
    if (response.headers.get("Seat-Held") === "no") show("failed", words.seatLost, "#i-warning");
  };

  async function save() {
    clearTimeout(waiting);
    waiting = null;
    if (readOnly || conflicting || signedOut || submission) return false;
    if (sending) {
      soon(50); // due already: it goes as soon as the one under way has arrived
      return false;
    }
    // An attempt whose outcome is unknown is sent again as it was: its own echo is no conflict.
    const body = sentBody ?? text(entries());
    if (!sentBody && comparable(body) === stored) {
      if (state.dataset.state === "saving") saysState();
      return true;
    }
    sending = true;
    sentBody = body;
    show("saving", words.saving, "#i-clock");
    try {
      const response = await post(form.dataset.draft, `${body}&draft_version=${form.elements.draft_version.value}`);
      if (response.ok) stored2xx(response, body);
      else if (isSignedOut(response)) askToSignIn();
      else if (response.status === 409) await conflict(response, body);
      else if (response.status === 422) {
        sentBody = null;
        show("failed", (await response.json()).message, "#i-warning");
      } else if (isTooLarge(response)) {
        sentBody = null;
        show("failed", words.tooLarge, "#i-warning");
      } else failed(response.status);
    } catch {
      failed();
    } finally {
      sending = false;
    }
    if (!failures && !signedOut && !conflicting && state.dataset.state === "saving" && differs()) soon();
    return state.dataset.state === "saved";
  }

  async function renewToken() {
    const response = await fetch(form.dataset.draft, { headers: { Accept: "application/json" }, redirect: "manual" });
    if (!response.ok) return null;
    const draft = await response.json();
    for (const field of document.getElementsByName("csrfmiddlewaretoken")) field.value = draft.csrf_token;
    return draft;
  }

  /* Putting values into the form */

  const fill = (body) => {
    const values = new URLSearchParams(body);
    for (const field of form.elements) {
      if (!field.name || control.includes(field.name) || field.name === "do" || field.type === "submit") continue;
      if (field.name.startsWith("yours.") || field.name === "evidence") continue;
      if (field.type === "radio" || field.type === "checkbox") field.checked = values.getAll(field.name).includes(field.value);
      else field.value = values.get(field.name) ?? "";
    }
    form.dispatchEvent(new CustomEvent("judge:filled"));
  };

  const group = (body) => {
    const values = new Map();
    for (const [name, value] of new URLSearchParams(body)) {
      if (name === "evidence" || name.startsWith("yours.") || control.includes(name)) continue;
      values.set(name, [...(values.get(name) ?? []), value]);
    }
    return values;
  };

  const same = (one, two) => JSON.stringify([...(one ?? [])].sort()) === JSON.stringify([...(two ?? [])].sort());
  const unlikeIn = (one, two) => [...new Set([...one.keys(), ...two.keys()])].filter((name) => !same(one.get(name), two.get(name)));

  const fieldOf = (name) => form.querySelector(`[name="${CSS.escape(name)}"]`);
  const rowOf = (field) => field?.closest("fieldset.rating, fieldset.preference") ?? field?.closest(".detail")?.previousElementSibling;
  const labelOf = (name) => {
    const field = fieldOf(name);
    const row = rowOf(field);
    if (field?.dataset.label) return field.dataset.label;
    if (row) return [row.dataset.place ?? words.preference, row.dataset.name].filter(Boolean).join(words.comma);
    return name;
  };

  const valueWords = (name, values) => {
    if (!values?.length) return words.empty;
    return values.map((value) => {
      const field = form.querySelector(`[name="${CSS.escape(name)}"][value="${CSS.escape(value)}"]`);
      return field?.dataset.sentence ?? field?.closest("label")?.textContent.trim().replace(/\s+/g, " ") ?? value;
    }).join(words.comma);
  };

  /* Another window saved meanwhile: both versions are shown, the person chooses. */
  async function conflict(response, mine) {
    const theirs = await response.json();
    if (theirs.version === undefined) { // skipped in another window: nothing more is kept
      sentBody = null;
      show("failed", theirs.message, "#i-warning");
      return;
    }
    if (comparable(theirs.fields) === comparable(mine)) {
      form.elements.draft_version.value = theirs.version;
      stored = comparable(mine);
      sentBody = null;
      arrived();
      if (!differs()) forgetHere();
      savedAt(theirs.saved_at);
      return;
    }
    offer(text(entries()), theirs, stored);
  }

  /* `base` is what both windows began with: a line that only one of them changed needs no asking. */
  function offer(mine, theirs, base) {
    conflicting = true;
    sentBody = null;
    const here = group(mine);
    const other = group(theirs.fields);
    const before = base === null ? null : group(base);
    const unlike = unlikeIn(here, other);
    const untouched = before ? unlike.filter((name) => same(here.get(name), before.get(name))) : [];
    const names = unlike.filter((name) => !before || !(same(here.get(name), before.get(name)) || same(other.get(name), before.get(name))));
    const dialog = document.getElementById("conflict");
    const lines = dialog.querySelector("tbody");
    lines.replaceChildren();
    dialog.querySelector("[data-conflict-words]").textContent = words.conflict.replace("{n}", names.length);
    for (const [index, name] of names.entries()) {
      const line = lines.insertRow();
      line.insertCell().textContent = labelOf(name);
      for (const [side, values] of [["here", here.get(name)], ["other", other.get(name)]]) {
        const label = document.createElement("label");
        const choice = document.createElement("input");
        choice.type = "radio";
        choice.name = `line-${index}`;
        choice.value = side;
        choice.checked = side === "here";
        label.append(choice, valueWords(name, values));
        line.insertCell().append(label);
      }
    }
    const settle = () => {
      const chosen = new URLSearchParams(mine);
      const taken = names.filter((name, index) => dialog.querySelector(`[name="line-${index}"]:checked`).value === "other");
      for (const name of [...untouched, ...taken]) {
        chosen.delete(name);
        for (const value of other.get(name) ?? []) chosen.append(name, value);
      }
      form.elements.draft_version.value = theirs.version;
      stored = comparable(theirs.fields);
      conflicting = false;
      arrived();
      if (dialog.open) dialog.close();
      fill(chosen.toString());
      savedAt(theirs.saved_at);
      later(0);
    };
    if (!names.length) {
      settle();
      return;
    }
    dialog.querySelector("[data-keep]").onclick = settle;
    for (const button of dialog.querySelectorAll("[data-take]")) {
      button.onclick = () => {
        for (const choice of dialog.querySelectorAll(`[value="${button.dataset.take}"]`)) choice.checked = true;
        settle();
      };
    }
    // Nothing is kept until a choice is made, and Escape is none: browsers close it at the third.
    dialog.oncancel = (event) => event.preventDefault();
    dialog.onclose = () => conflicting && dialog.showModal();
    show("failed", words.twoVersions, "#i-warning");
    dialog.showModal();
  }

  /* Signing in again, in place */

  /* The draft where it worked, false where name and password do not match. */
  const signIn = async (again) => {
    const page = await fetch(again.action, { redirect: "manual" });
    if (page.ok) {
      const parsed = new DOMParser().parseFromString(await page.text(), "text/html");
      const token = parsed.querySelector('[name="csrfmiddlewaretoken"]')?.value ?? "";
      const pairs = new URLSearchParams(new FormData(again));
      pairs.set("csrfmiddlewaretoken", token);
      await fetch(again.action, { method: "POST", body: pairs, headers: { "X-CSRFToken": token }, redirect: "manual" });
    }
    return (await renewToken()) ?? false;
  };
  document.querySelector("[data-sign-in]").addEventListener("submit", async (event) => {
    event.preventDefault();
    const again = event.target;
    const failure = again.querySelector("[data-sign-in-failed]");
    failure.hidden = true;
    const draft = await signIn(again).catch(() => null);
    failure.textContent = draft ? "" : draft === null ? document.documentElement.dataset.silent : failure.dataset.signInFailed;
    failure.hidden = Boolean(draft);
    if (!draft) return;
    again.elements.password.value = "";
    signedOut = false;
    document.getElementById("signed-out").close();
    // Pictures that were asked for meanwhile were refused, not lost.
    for (const retry of document.querySelectorAll("[data-retry]")) if (retry.checkVisibility()) retry.click();
    saysState();
    if (submission) send();
    else save();
  });
  document.getElementById("signed-out").addEventListener("close", () => {
    if (signedOut) show("signed-out", words.signedOut, "#i-lock");
  });
  state.addEventListener("click", () => {
    if (signedOut) document.getElementById("signed-out").showModal();
    else if (state.dataset.state === "failed" && !conflicting) save();
  });

  /* Submitting: one key and one body, kept through every retry */

  const bar = document.getElementById("missing");
  const openAgain = bar.querySelector("[data-open-again]");
  const barSays = (sentence) => {
    bar.dataset.state = "failed";
    openAgain.hidden = true;
    bar.querySelector("[data-missing-words]").textContent = sentence;
    bar.querySelector("use").setAttribute("href", "#i-warning");
  };
  const saysWhatWaits = (why) => {
    const n = Math.max(1, unlikeIn(group(text(entries())), group(stored)).length);
    const sentence = isKeptHere ? (n === 1 ? words.oneWaits : words.someWait) : words.waitUnkept;
    barSays(why ?? sentence.replace("{n}", n).replace("{s}", Math.max(1, Math.round((nextTry - Date.now()) / 1000))));
    bar.dataset.state = "unsaved";
  };
  bar.querySelector("[data-try-now]").addEventListener("click", () => save());

  async function send(tries = 0) {
    try {
      const response = await post(form.action, submission, window.judge.preparedItem());
      if (response.ok) {
        const answer = await response.json();
        stored = submitted;
        submission = null;
        if (differs()) await correct();
        else {
          forgetHere();
          if (!window.judge.showPrepared(answer)) location.assign(answer.next);
        }
        return;
      }
      if (isSignedOut(response)) return void askToSignIn();
      if (response.status >= 400 && response.status < 500 && response.status !== 429) {
        const refused = response.status === 404 ? words.someoneElse : isTooLarge(response) ? words.tooLarge : words.refused;
        const answer = await response.json().catch(() => ({ message: refused }));
        submission = null;
        saysState();
        barSays(answer.message);
        openAgain.hidden = !answer.open_again;
        const first = answer.places?.[0];
        const row = first && document.getElementById(first);
        if (row) window.judge.focusRow(row);
        return;
      }
      throw new Error(String(response.status));
    } catch {
      const pause = RETRIES[Math.min(tries, RETRIES.length - 1)];
      barSays(words.notSent.replace("{n}", pause));
      setTimeout(() => submission && send(tries + 1), pause * 1000);
    }
  }

  /* What was changed while the submission was on its way is kept, and its item stays: to be corrected. */
  async function correct() {
    await quiet();
    if (await save()) location.assign(form.action);
  }
  openAgain.addEventListener("click", correct);

  /* Set aside: saved and left in one request, and not left before it has arrived. */
  const quiet = async () => {
    while (sending) await new Promise((done) => setTimeout(done, 40));
  };
  async function leave() {
    await quiet();
    clearTimeout(waiting);
    waiting = null;
    const body = text(entries());
    try {
      const response = await post(form.action, `${body}&draft_version=${form.elements.draft_version.value}&do=leave`);
      if (isSignedOut(response)) return void askToSignIn();
      if (response.status === 409) return void save(); // which shows both versions
      const answer = await response.json();
      if (!response.ok) return void barSays(answer.message);
      stored = comparable(body);
      forgetHere();
      location.assign(answer.next);
    } catch {
      keepHere(body);
      failed();
    }
  }

  form.addEventListener("submit", (event) => {
    const doing = event.submitter?.value ?? "submit";
    if (doing === "leave") {
      event.preventDefault();
      leave();
      return;
    }
    if (doing !== "submit") return;
    event.preventDefault();
    if (submission || readOnly) return;
    const missing = window.judge.missing();
    if (missing.length) {
      window.judge.goToMissing();
      return;
    }
    if (window.judge.remind()) return;
    clearTimeout(waiting);
    submission = new URLSearchParams([...new FormData(form), ["do", "submit"]]).toString();
    submitted = comparable(text(entries()));
    show("saving", words.sending, "#i-clock");
    send();
  });

  const touched = (now) => {
    keepHere(now);
    if (failures && !submission) saysWhatWaits();
    if (readOnly || signedOut || conflicting || submission || !differs(now)) return;
    if (!failures) show("saving", words.saving, "#i-clock");
    soon();
  };

  /* The last answers taken back, and given again. What is typed in one go is one step. */
  let present = text(entries());
  let typedIn = null;
  const past = [];
  const future = [];
  form.addEventListener("judge:changed", ({ detail: { target } }) => {
    const now = text(entries());
    if (comparable(now) !== comparable(present)) {
      if (!typedIn || target !== typedIn) past.push(present);
      future.length = 0;
      present = now;
      typedIn = target.matches("textarea") ? target : null;
    }
    touched(now);
  });
  form.addEventListener("judge:undo", ({ detail: { again } }) => {
    const [from, to] = again ? [future, past] : [past, future];
    if (!from.length || readOnly || conflicting || submission) return;
    const before = present;
    to.push(before);
    typedIn = null;
    fill(from.pop());
    touched(present);
    const row = unlikeIn(group(before), group(present)).map((name) => rowOf(fieldOf(name))).find(Boolean);
    if (row) window.judge.focusRow(row);
  });
  form.addEventListener("judge:filled", () => {
    present = text(entries());
    keepHere(present);
  });
  form.addEventListener("judge:save", () => save());
  window.addEventListener("online", () => save(), { signal });
  window.addEventListener("beforeunload", (event) => {
    if (!readOnly && (submission || differs())) {
      save();
      event.preventDefault();
    }
  }, { signal });
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") save();
  }, { signal });
  /* Brought back from memory it saves nothing: Safari has emptied its fields. */
  window.addEventListener("pageshow", (event) => {
    readOnly ||= event.persisted;
  }, { signal });

  /* What this browser kept from before: the last page never heard that it arrived. */
  try {
    const kept = JSON.parse(localStorage.getItem(store) ?? "null");
    if (kept && !readOnly && comparable(kept.body) !== stored) {
      if (String(kept.version) === form.elements.draft_version.value) {
        fill(kept.body);
        later(0);
      } else {
        offer(kept.body, { fields: text(entries()), version: form.elements.draft_version.value, saved_at: Date.now() }, kept.base ?? null);
      }
    } else if (kept) forgetHere();
  } catch {
    forgetHere();
  }

  for (const link of document.querySelectorAll(".bar a[rel]")) {
    link.addEventListener("click", async (event) => {
      if (!differs() && !sending) return;
      event.preventDefault();
      await quiet();
      if (await save()) location.assign(link.href);
    });
  }

  Object.assign(window.judge, { post, local, barSays, askToSignIn });
});
