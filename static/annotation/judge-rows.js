/* The rows of the judging page: which one is current, what is missing, the marks of the rail.

   The page works as a plain form; this only shows what the server will check. Parts speak to each
   other through events on the form: "judge:changed" when a value changed, "judge:current" when
   another row became current, "judge:filled" when values were put in from a draft. */
"use strict";

window.stage.part((signal) => {
  const form = document.getElementById("judgment");
  const body = document.body;
  const words = JSON.parse(document.getElementById("judge-words").textContent);
  const cjk = new RegExp(`[${words.cjk}]`, "u");
  const ratings = [...form.querySelectorAll("fieldset.rating")];
  const preferences = [...form.querySelectorAll("fieldset.preference")];
  const rows = [...form.querySelectorAll("fieldset.rating, fieldset.preference")];
  const sections = [...form.querySelectorAll("[data-section]")].map((section) => ({
    key: section.dataset.section,
    inside: rows.filter((row) => section.contains(row)),
  }));
  const wide = window.matchMedia("(min-width: 1100px)");
  const minimum = Number(form.dataset.reasonMinimum);
  const held = new Map(); // rows that wait for a picture that did not come -> its figure
  let current = null;

  const isOneAtATime = () => !wide.matches || body.matches(".one-column");
  const checked = (row) => row.querySelector("input[type=radio]:checked");
  const scoreOf = (row) => {
    const value = checked(row)?.value.replace("rule:", "") ?? "";
    return value === "" || value === "na" ? null : Number(value);
  };
  const detailOf = (row) => row.nextElementSibling?.matches(".detail") ? row.nextElementSibling : null;

  /* Length as the server measures it: no white space, a wide sign counts two and a half. */
  const weight = (text) => {
    const written = [...text.replace(/\s/gu, "")];
    return written.length + (words.cjkWeight - 1) * written.filter((sign) => cjk.test(sign)).length;
  };

  const ratingsOf = (row) => ratings.filter((one) => one.closest(".dimension") === row.closest(".dimension"));
  const howOf = (row, name) => form.elements[`${name}.${row.dataset.field.replace("preference.", "")}`];
  const button = (className, words, act) => {
    const made = document.createElement("button");
    made.type = "button";
    made.className = className;
    made.textContent = words;
    made.addEventListener("click", act);
    return made;
  };

  const reasonAsked = (row) => {
    const score = scoreOf(row);
    if (score === null || isCarried(row)) return false;
    if (row.dataset.reasonScores.split(" ").includes(String(score))) return true;
    return "differs" in row.dataset && ratingsOf(row).some((other) => {
      const theirs = scoreOf(other);
      return theirs !== null && theirs !== score;
    });
  };

  const isCarried = (row) => {
    const chosen = checked(row);
    return Boolean(chosen?.closest(".point").classList.contains("is-yours"));
  };

  const preferenceAsked = (row) => {
    const pair = row.dataset.of ? ratingsOf(row) : [];
    const lockedSides = row.closest(".dimension")?.querySelectorAll(".locked").length ?? 0;
    if (!row.dataset.of || pair.length + lockedSides < 2) return true;
    if (lockedSides || pair.some((one) => checked(one)?.value === "na")) return false;
    const scores = pair.map(scoreOf);
    if (row.dataset.rule === "asked_where_equal") return scores.includes(null) || scores[0] === scores[1];
    return true;
  };

  /* Everything still missing, in reading order: {place, name, row, focus}. */
  const missing = () => {
    const found = [];
    for (const row of rows) {
      if (row.matches(".rating")) {
        if (held.has(row)) found.push({ place: row.dataset.place, name: words.imageWaits.replace("{name}", row.dataset.name), row });
        else if (!checked(row)) found.push({ place: row.dataset.place, name: row.dataset.name, row });
        else if (reasonAsked(row)) {
          const field = detailOf(row).querySelector("[data-reason]");
          const least = Math.max(minimum, 1);
          const length = Math.floor(weight(field.value));
          if (length < least) {
            const name = words.more.replace("{n}", least - length).replace("{name}", row.dataset.name);
            found.push({ place: row.dataset.place, name, row, field });
          }
        }
      } else if (!checked(row) && preferenceAsked(row)) {
        const place = row.dataset.of ? words.preference : words.overall;
        found.push({ place, name: row.dataset.of ? row.dataset.name : words.overallPreference, row });
      }
    }
    const rationale = form.elements.rationale;
    const least = Number(form.dataset.rationaleMinimum);
    if (rationale && least) {
      const length = Math.floor(weight(rationale.value));
      if (length < least) {
        const name = words.more.replace("{n}", least - length).replace("{name}", words.why);
        found.push({ place: words.overall, name, row: rationale, field: rationale });
      }
    }
    return found;
  };

  const say = (found) => {
    const bar = document.getElementById("missing");
    const place = bar.querySelector("[data-missing-words]");
    const go = bar.querySelector("[data-go-there]");
    if (["failed", "unsaved"].includes(bar.dataset.state)) return;
    go.hidden = found.length === 0;
    if (!found.length) {
      bar.dataset.state = "ready";
      place.textContent = words.nothingMissing;
      bar.querySelector("use").setAttribute("href", "#i-check");
      return;
    }
    bar.dataset.state = "open";
    bar.querySelector("use").setAttribute("href", "#i-open");
    const groups = new Map();
    for (const one of found) groups.set(one.place, [...(groups.get(one.place) ?? []), one.name]);
    const [[where, names]] = groups;
    const strong = document.createElement("strong");
    strong.textContent = `${where}${words.colon}`;
    place.replaceChildren(strong, `${names.join(words.comma)}${words.period}`);
    place.append(found.length === 1 ? words.oneMissing : words.allMissing.replace("{n}", found.length));
    place.title = [...groups].map(([one, some]) => `${one}${words.colon}${some.join(words.comma)}`).join("\n");
  };

  const markRail = () => {
    for (const { key, inside } of sections) {
      if (key === "overall") {
        const done = inside.filter(checked).length;
        document.querySelector('[data-mark="overall"]').dataset.fill = done === inside.length ? "done" : done ? "part" : "";
        continue;
      }
      const said = [];
      for (const letter of ["", "A", "B"]) {
        const mine = inside.filter((row) => row.dataset.letter === letter);
        const mark = document.querySelector(`[data-mark="${key}${letter}"]`);
        if (!mark || !mine.length) continue;
        const done = mine.filter(checked).length;
        const state = done === 0 ? "" : done < mine.length ? "part" : mine.every(isCarried) ? "yours" : "done";
        mark.dataset.fill = state;
        said.push(`${letter} ${words.fill[state || "empty"]}`.trim());
      }
      const place = document.querySelector(`[data-mark-words="${key}"]`);
      if (place) place.textContent = said.join(words.comma);
    }
  };

  const showMeaning = (row, value) => {
    const detail = detailOf(row);
    if (!detail) return;
    const chosen = (value ?? checked(row)?.value ?? "").replace("rule:", "");
    const points = [...detail.querySelectorAll(".meanings li")];
    const known = points.some((one) => one.dataset.score === chosen);
    for (const one of points) one.classList.toggle("shown", known ? one.dataset.score === chosen : chosen !== "na");
    for (const one of document.querySelectorAll("#guideline [data-score]")) {
      one.classList.toggle("shown", one.dataset.score === chosen);
    }
  };

  const count = (field) => {
    const detail = field.closest(".detail");
    const place = (detail ?? form).querySelector(`[data-count-of="${CSS.escape(field.id)}"]`);
    if (!place) return;
    const row = detail?.previousElementSibling;
    const least = Math.max(Number(place.dataset.minimum), 1);
    const length = Math.floor(weight(field.value));
    const asked = row ? reasonAsked(row) : true;
    detail?.classList.toggle("reason-open", asked || length > 0 || "wanted" in field.dataset);
    place.textContent = asked ? words.atLeast.replace("{n}", length).replace("{least}", least) : length ? String(length) : "";
    place.dataset.enough = asked ? (length >= least ? "yes" : "no") : "";
    if (row) {
      const mark = row.querySelector("[data-row-mark]");
      mark.dataset.mark = asked && length < least ? "asked" : length ? "written" : "";
      mark.title = mark.dataset.mark ? words.marks[mark.dataset.mark] : "";
    }
  };

  /* The browser takes no more than a text may hold, and says nothing of the rest. */
  const full = (field) => {
    const said = field.parentElement.querySelector("[data-full]");
    if (field.value.length < field.maxLength) said?.remove();
    else if (!said) {
      const sentence = document.createElement("p");
      sentence.className = "label";
      sentence.dataset.full = "";
      sentence.setAttribute("role", "alert");
      sentence.textContent = words.full.replace("{n}", field.maxLength);
      field.after(sentence);
    }
  };

  const propose = (row) => {
    const place = row.querySelector("[data-proposal]");
    if (!place) return;
    const pair = ratingsOf(row);
    const scores = pair.map(scoreOf);
    const known = pair.length === 2 && !scores.includes(null) && scores[0] !== scores[1] && !checked(row);
    place.hidden = !known;
    if (!known) return;
    const key = scores[0] > scores[1] ? "a" : "b";
    const option = row.querySelector(`input[data-key="${key}"]`);
    place.replaceChildren(button("link-button", words.proposal.replace("{letter}", key.toUpperCase()), () => {
      option.checked = true;
      howOf(row, "origin").value = "proposed";
      changed(option, { keepOrigin: true });
    }));
  };

  /* One neutral question where scores and preference say opposite things; never in the way. */
  const ask = (row) => {
    const place = row.querySelector("[data-contradiction]");
    if (!place || !row.dataset.of) return;
    const pair = ratingsOf(row);
    const [a, b] = ["A", "B"].map((letter) => pair.find((one) => one.dataset.letter === letter)).map((one) => one && scoreOf(one));
    const side = checked(row)?.dataset.key.toUpperCase();
    const answer = howOf(row, "contradiction");
    const against = Number.isInteger(a) && Number.isInteger(b) && ((side === "A" && a < b) || (side === "B" && b < a));
    // Once per item: neither beside another question nor after one was answered.
    const another = preferences.some((one) => one !== row && one.dataset.of
      && (one.querySelector("[data-contradiction]").hidden === false || howOf(one, "contradiction").value !== ""));
    place.hidden = !against || answer.value !== "" || another;
    if (place.hidden) return;
    const higher = a > b ? "A" : "B";
    const text = document.createElement("p");
    text.textContent = words.contradiction
      .replace("{higher}", higher).replace("{high}", Math.max(a, b)).replace("{low}", Math.min(a, b)).replace("{side}", side);
    const answered = (how) => {
      answer.value = how;
      place.hidden = true;
      if (how === "changed") row.querySelector("input").focus();
      form.dispatchEvent(new CustomEvent("judge:changed", { detail: { target: answer } }));
    };
    place.replaceChildren(
      text,
      button("button", words.keepBoth, () => answered("kept")),
      button("button button-plain", words.change, () => answered("changed")),
    );
  };

  /* "The same for those still open", with one confirmation, and recorded as such. */
  const bulk = () => {
    const place = form.querySelector("[data-bulk]");
    if (!place) return;
    const asked = preferences.filter((row) => row.dataset.of && preferenceAsked(row));
    const open = asked.filter((row) => !checked(row));
    const given = [...new Set(asked.filter(checked).map((row) => checked(row).dataset.key))];
    place.hidden = open.length === 0 || given.length !== 1;
    if (place.hidden) return;
    const sentence = checked(asked.find(checked)).dataset.sentence;
    const names = open.map((row) => row.dataset.name).join(words.comma);
    place.replaceChildren(button("link-button", words.bulk.replace("{names}", names), () => {
      const text = document.createElement("span");
      text.textContent = words.bulkSure.replace("{names}", names).replace("{sentence}", sentence);
      const yes = button("button", words.yes, () => {
        for (const row of open) {
          row.querySelector(`input[data-key="${given[0]}"]`).checked = true;
          howOf(row, "bulk").value = "1";
        }
        changed(open[0].querySelector("input:checked"), { keepOrigin: true });
        goToMissing();
      });
      place.replaceChildren(text, yes, button("button button-plain", words.no, bulk));
      yes.focus();
    }));
  };

  /* The rows that rate images, of one side of a turn */
  const imageRows = (turn, letter) => ratings.filter(
    (row) => "images" in row.dataset && row.closest(".turn") === turn && row.dataset.letter === letter,
  );
  /* What nobody could look at is not scored: open rows wait, given answers stay. */
  const holdImageRows = (turn, letter, figure) => {
    for (const row of imageRows(turn, letter)) {
      const waits = Boolean(figure) && !checked(row);
      row.toggleAttribute("inert", waits);
      row.classList.toggle("held", waits);
      row.querySelector(".held-words")?.remove();
      held.delete(row);
      if (!waits) continue;
      held.set(row, figure);
      const sentence = document.createElement("p");
      sentence.className = "locked held-words";
      sentence.textContent = words.imageHeld;
      row.append(sentence);
    }
    refresh();
  };

  const refresh = () => {
    for (const row of ratings) {
      const field = detailOf(row)?.querySelector("[data-reason]");
      if (field) count(field);
    }
    if (form.elements.rationale) count(form.elements.rationale);
    for (const row of preferences) {
      row.classList.toggle("not-asked", !checked(row) && !preferenceAsked(row));
      propose(row);
      ask(row);
      const sentence = document.querySelector(`[data-sentence-of="${CSS.escape(row.dataset.field)}"]`);
      if (sentence) sentence.textContent = checked(row)?.dataset.sentence ?? "";
    }
    bulk();
    say(missing());
    markRail();
  };

  /* The inspector lies under the ratings. Where the window is too low for both, it lies over the last
     of them. Where it would lie over the row or the next one, the turn comes up to the header, once; what
     is still covered then comes up under the turn's head. */
  const uncover = (row) => {
    const matrix = row?.closest(".turn .matrix");
    if (!matrix || !wide.matches || !detailOf(row)) return;
    const box = (one) => one.getBoundingClientRect();
    const inspector = detailOf(row).querySelector(".inspector");
    const bar = document.getElementById("bar");
    if (box(row).top > box(bar).top) return; // not in view yet
    const sticks = () => parseFloat(getComputedStyle(matrix).top);
    const lift = (by) => matrix.style.setProperty("--lift", `${by}px`);
    const inMatrix = rows.filter((one) => matrix.contains(one) && one.offsetParent);
    const next = inMatrix[inMatrix.indexOf(row) + 1];
    const isLast = !next || next === inMatrix.at(-1); // what is offered below the last row counts too
    const after = () => (isLast ? box(matrix).bottom : box(next).bottom + 4);
    let lifted = parseInt(matrix.style.getPropertyValue("--lift"), 10) || 0;
    if (lifted && box(row.closest(".dimension")).top < sticks() + lifted) lift(lifted = 0);
    if (after() <= box(inspector).top) return;
    const over = box(matrix).bottom - (box(bar).top - 8 - inspector.offsetHeight);
    const toScroll = Math.min(over, box(matrix).top - sticks());
    if (toScroll > 0) window.scrollBy({ top: toScroll, behavior: "instant" });
    const left = Math.ceil(after() - box(inspector).top);
    if (left > 0) lift(lifted + left);
  };
  const matrices = [...form.querySelectorAll(".turn .matrix")];
  const makeRoom = () => {
    const most = parseFloat(getComputedStyle(body).getPropertyValue("--rest"));
    const [header, bar] = [".site-header", ".bar"].map((one) => document.querySelector(one).offsetHeight);
    const free = matrices.map((matrix) => {
      const heads = header + matrix.previousElementSibling.offsetHeight + 36; // and the prompt's line
      return window.innerHeight - bar - heads - 8 - matrix.offsetHeight;
    });
    matrices.forEach((matrix, place) => matrix.style.setProperty("--room", `${Math.min(most, Math.max(0, free[place]))}px`));
  };
  const sizes = new ResizeObserver(makeRoom);
  for (const matrix of matrices) sizes.observe(matrix);
  window.addEventListener("resize", makeRoom, { signal });
  signal.addEventListener("abort", () => sizes.disconnect());

  const openReason = (row) => {
    const field = row && detailOf(row)?.querySelector("[data-reason]");
    if (!field) return;
    field.dataset.wanted = "";
    count(field);
    uncover(row);
    field.focus();
  };

  /* The row keeps its place in the window, whatever opens or closes above it. */
  const setCurrent = (row) => {
    if (current === row) return;
    const before = row?.getBoundingClientRect().top;
    for (const detail of form.querySelectorAll(".detail:is(.current, .kept)")) {
      // What was open beside a preference about the whole keeps its room until one leaves both.
      const keeps = row?.matches(".preference") && row.closest(".dimension-wide")?.contains(detail);
      detail.classList.toggle("kept", Boolean(keeps));
      detail.classList.remove("current");
    }
    if (current) {
      current.classList.remove("current");
      const matrix = current.closest(".matrix");
      matrix?.classList.remove("holds-current");
      if (matrix !== row?.closest(".matrix")) matrix?.style.removeProperty("--lift");
    }
    current = row;
    const turn = row && detailOf(row) ? row.closest(".turn") : null;
    const isRight = turn?.matches(".turn-shared") || body.matches(".one-column");
    body.dataset.inspector = turn ? (isRight ? "right" : "middle") : "";
    if (row) {
      row.classList.add("current");
      row.closest(".matrix")?.classList.add("holds-current");
      detailOf(row)?.classList.remove("kept");
      detailOf(row)?.classList.add("current");
      showMeaning(row);
      const moved = row.getBoundingClientRect().top - before;
      if (moved && !row.closest(".matrix")) window.scrollBy({ top: moved, behavior: "instant" });
      uncover(row);
      for (const article of document.querySelectorAll("[data-guideline-of]")) {
        article.hidden = article.dataset.guidelineOf !== row.closest("[data-dimension]")?.dataset.dimension;
      }
    }
    form.dispatchEvent(new CustomEvent("judge:current", { detail: { row } }));
  };

  const focusRow = (row) => {
    if (held.has(row)) {
      const figure = held.get(row);
      figure.scrollIntoView({ block: "center", behavior: "instant" });
      figure.querySelector("[data-retry]").focus({ preventScroll: true });
      return;
    }
    if (row.matches("textarea")) {
      row.focus();
      return;
    }
    const side = row.dataset.letter;
    if (side && side !== body.dataset.side && isOneAtATime()) window.judge.showSide(side, row.closest("[data-section]"));
    const target = checked(row) ?? row.querySelector("input[type=radio]");
    target.focus({ preventScroll: true });
    setCurrent(row);
    const box = row.getBoundingClientRect();
    const top = 140;
    const below = row.closest(".matrix") ? row : detailOf(row) ?? row;
    if (box.top < top || below.getBoundingClientRect().bottom > window.innerHeight - 60) {
      (row.closest(".turn, .dimension-wide, .overall") ?? row).scrollIntoView({ block: "start", behavior: "instant" });
      const after = row.getBoundingClientRect();
      if (after.bottom > window.innerHeight - 60) row.scrollIntoView({ block: "center", behavior: "instant" });
    }
    uncover(row);
  };

  const goToMissing = () => {
    const found = missing();
    if (!found.length) {
      document.getElementById("submit")?.focus();
      return;
    }
    const from = current ? rows.indexOf(current) : -1;
    const own = ({ row, field }) => row === current && field && field !== document.activeElement;
    goTo(found.find((one) => own(one) || rows.indexOf(one.row) > from) ?? found[0]);
  };
  const goTo = (one) => {
    focusRow(one.row);
    if (one.field) one.field.focus();
  };

  /* From a row that was just answered to what is missing next: in this turn, then after it. Where
     one side is in view at a time, that side comes first and preferences last. */
  const goOn = (row) => {
    if (detailOf(row)?.querySelector('[data-enough="no"]')) return;
    const section = row.closest("[data-section]");
    const rank = ({ row: other }) => {
      const follows = row.compareDocumentPosition(other) & Node.DOCUMENT_POSITION_FOLLOWING;
      if (!section.contains(other)) return follows ? 4 : 5;
      if (!isOneAtATime()) return follows ? 0 : 3;
      return other.matches(".rating") ? Number(other.dataset.letter !== body.dataset.side) : 2;
    };
    const [next] = missing().filter((one) => one.row !== row).sort((one, other) => rank(one) - rank(other));
    if (next) goTo(next);
  };

  const changed = (target, { keepOrigin = false } = {}) => {
    const preference = target.closest?.("fieldset.preference");
    if (preference && !keepOrigin && target.type === "radio") {
      for (const name of ["origin", "bulk"]) {
        const how = howOf(preference, name);
        if (how) how.value = "";
      }
    }
    const bar = document.getElementById("missing");
    if (bar.dataset.state === "failed") bar.dataset.state = "open";
    refresh();
    form.dispatchEvent(new CustomEvent("judge:changed", { detail: { target } }));
  };

  /* While the pointer is down nothing may open or close under it, or the click would be lost. */
  let pressed = false;
  let pending = null;
  let leaving = false;
  const keepsRow = ".bar, .guideline, .site-header, .bulk, dialog";
  const rowOf = (target) => target.closest("fieldset.rating, fieldset.preference") ?? target.closest(".detail")?.previousElementSibling ?? null;
  document.addEventListener("pointerdown", (event) => {
    pressed = true;
    pending = null;
    leaving = Boolean(current && !rowOf(event.target) && !event.target.closest(keepsRow));
  }, { signal });
  for (const name of ["click", "pointercancel"]) {
    document.addEventListener(name, () => {
      pressed = false;
      if (pending) setCurrent(pending);
      else if (leaving && name === "click") setCurrent(null);
      pending = null;
      leaving = false;
    }, { signal });
  }
  /* A press that was no click ends at the next key. */
  document.addEventListener("keydown", () => {
    pressed = false;
  }, { capture: true, signal });
  /* Safari gives the focus to no button that is clicked. */
  document.addEventListener("click", ({ target }) => {
    if (target.matches("input[type=radio], input[type=checkbox]")) target.focus({ preventScroll: true });
  }, { signal });
  form.addEventListener("focusin", (event) => {
    const row = rowOf(event.target);
    if (!row) return;
    if (pressed) pending = row;
    else setCurrent(row);
  });
  form.addEventListener("input", (event) => {
    if (event.target.matches("textarea")) {
      count(event.target);
      full(event.target);
    }
    changed(event.target);
    const row = event.target.closest("fieldset.rating");
    if (row) showMeaning(row);
    if (row === current) uncover(row);
  });
  form.addEventListener("pointerover", (event) => {
    const point = event.target.closest(".rating .point");
    if (point && point.closest(".rating") === current) showMeaning(current, point.querySelector("input").value);
  });
  form.addEventListener("pointerout", (event) => {
    if (event.target.closest(".rating .point") && current) showMeaning(current);
  });
  document.querySelector("[data-go-there]").addEventListener("click", goToMissing);
  for (const opener of form.querySelectorAll("[data-add-reason]")) {
    opener.addEventListener("click", () => openReason(rowOf(opener)));
  }

  const fit = () => body.classList.toggle("wide", wide.matches);
  wide.addEventListener("change", fit, { signal });
  fit();
  if (!body.dataset.side) body.dataset.side = "A";
  form.addEventListener("judge:filled", refresh);
  refresh();

  window.judge = {
    form, words, rows, ratings, preferences, missing, focusRow, goToMissing, goOn, openReason, changed, refresh,
    imageRows, holdImageRows,
    current: () => current,
    rest: () => {
      document.activeElement.blur();
      setCurrent(null);
    },
    detailOf,
  };

  /* A link to a row makes it the current one. */
  const jump = (hash) => {
    const row = document.getElementById(decodeURIComponent(hash.slice(1)));
    if (row && rows.includes(row)) focusRow(row);
  };
  window.addEventListener("load", () => jump(location.hash), { signal });
  /* What a reviewer sent back says so where it stands too. */
  for (const link of document.querySelectorAll(".sent-back [data-row-link]")) {
    const row = document.getElementById(decodeURIComponent(link.hash.slice(1)));
    const head = row?.closest("[data-dimension]")?.querySelector("h3");
    row?.classList.add("is-returned");
    if (!head) continue;
    const tag = document.createElement("span");
    tag.className = "returned-tag";
    tag.textContent = [row.dataset.letter, words.returned].filter(Boolean).join(" ");
    head.append(" ", tag);
  }
  for (const link of document.querySelectorAll("[data-row-link]")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      jump(link.hash);
    }, { signal });
  }
});
