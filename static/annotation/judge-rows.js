/* The rows of the judging page: which one is current, what is missing, the marks of the rail.

   The page works as a plain form; this only shows what the server will check. Parts speak to each
   other through events on the form: "judge:changed" when a value changed, "judge:current" when
   another row became current, "judge:filled" when values were put in from a draft. */
"use strict";

(() => {
  const form = document.getElementById("judgment");
  const body = document.body;
  const words = JSON.parse(document.getElementById("judge-words").textContent);
  const ratings = [...form.querySelectorAll("fieldset.rating")];
  const preferences = [...form.querySelectorAll("fieldset.preference")];
  const rows = [...form.querySelectorAll("fieldset.rating, fieldset.preference")];
  const wide = window.matchMedia("(min-width: 1100px)");
  const minimum = Number(form.dataset.reasonMinimum);
  const HEADS = 92; // the page's header and the turn's, in pixels
  let current = null;

  const checked = (row) => row.querySelector("input[type=radio]:checked");
  const scoreOf = (row) => {
    const value = checked(row)?.value.replace("rule:", "") ?? "";
    return value === "" || value === "na" ? null : Number(value);
  };
  const detailOf = (row) => row.nextElementSibling?.matches(".detail") ? row.nextElementSibling : null;

  /* Length as the server measures it: no white space, a wide sign counts two and a half. */
  const weight = (text) => {
    let length = 0;
    for (const sign of text.replace(/\s/gu, "")) {
      length += /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]/u.test(sign) ? 2.5 : 1;
    }
    return length;
  };

  const pairOf = (row) => ratings.filter(
    (other) => other !== row && other.closest(".dimension") === row.closest(".dimension"),
  );

  const reasonAsked = (row) => {
    const score = scoreOf(row);
    if (score === null || isCarried(row)) return false;
    if (row.dataset.reasonScores.split(" ").includes(String(score))) return true;
    return "differs" in row.dataset && pairOf(row).some((other) => {
      const theirs = scoreOf(other);
      return theirs !== null && theirs !== score;
    });
  };

  const isCarried = (row) => {
    const chosen = checked(row);
    return Boolean(chosen?.closest(".point").classList.contains("is-yours"));
  };

  const preferenceAsked = (row) => {
    const pair = row.dataset.of ? ratings.filter((one) => one.closest(".dimension") === row.closest(".dimension")) : [];
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
        if (!checked(row)) found.push({ place: row.dataset.place, name: row.dataset.name, row });
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
    if (bar.dataset.state === "failed") return;
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
    strong.textContent = `${where}: `;
    place.replaceChildren(strong, `${names.join(", ")}. `);
    place.append(found.length === 1 ? words.oneMissing : words.allMissing.replace("{n}", found.length));
    place.title = [...groups].map(([one, some]) => `${one}: ${some.join(", ")}`).join("\n");
  };

  const fill = (mark, state) => {
    if (mark) mark.dataset.fill = state;
  };

  const markRail = () => {
    for (const section of form.querySelectorAll("[data-section]")) {
      const key = section.dataset.section;
      if (key === "overall") {
        const all = [...section.querySelectorAll(".preference")];
        const done = all.filter(checked).length;
        fill(document.querySelector('[data-mark="overall"]'), done === all.length ? "done" : done ? "part" : "");
        continue;
      }
      const said = [];
      for (const letter of ["", "A", "B"]) {
        const mine = ratings.filter((row) => section.contains(row) && row.dataset.letter === letter);
        const mark = document.querySelector(`[data-mark="${key}${letter}"]`);
        if (!mark || !mine.length) continue;
        const done = mine.filter(checked).length;
        const state = done === 0 ? "" : done < mine.length ? "part" : mine.every(isCarried) ? "yours" : "done";
        fill(mark, state);
        said.push(`${letter} ${words.fill[state || "empty"]}`.trim());
      }
      const place = document.querySelector(`[data-mark-words="${key}"]`);
      if (place) place.textContent = said.join(", ");
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
    const place = document.querySelector(`[data-count-of="${CSS.escape(field.id)}"]`);
    if (!place) return;
    const row = field.closest(".detail")?.previousElementSibling;
    const least = Math.max(Number(place.dataset.minimum), 1);
    const length = Math.floor(weight(field.value));
    const asked = row ? reasonAsked(row) : true;
    field.closest(".detail")?.classList.toggle("reason-open", asked || length > 0 || "wanted" in field.dataset);
    place.textContent = asked ? words.atLeast.replace("{n}", length).replace("{least}", least) : length ? String(length) : "";
    place.dataset.enough = asked ? (length >= least ? "yes" : "no") : "";
    if (row) {
      const mark = row.querySelector("[data-row-mark]");
      mark.dataset.mark = asked && length < least ? "asked" : length ? "written" : "";
      mark.title = mark.dataset.mark ? words.marks[mark.dataset.mark] : "";
    }
  };

  const propose = (row) => {
    const place = row.querySelector("[data-proposal]");
    if (!place) return;
    const pair = ratings.filter((one) => one.closest(".dimension") === row.closest(".dimension"));
    const scores = pair.map(scoreOf);
    const known = pair.length === 2 && !scores.includes(null) && scores[0] !== scores[1] && !checked(row);
    place.hidden = !known;
    if (!known) return;
    const key = scores[0] > scores[1] ? "a" : "b";
    const option = row.querySelector(`input[data-key="${key}"]`);
    const button = document.createElement("button");
    button.type = "button";
    button.className = "link-button";
    button.textContent = words.proposal.replace("{letter}", key.toUpperCase());
    button.addEventListener("click", () => {
      option.checked = true;
      form.elements[`origin.${row.dataset.field.replace("preference.", "")}`].value = "proposed";
      changed(option, { keepOrigin: true });
    });
    place.replaceChildren(button);
  };

  /* One neutral question where scores and preference say opposite things; never in the way. */
  const ask = (row) => {
    const place = row.querySelector("[data-contradiction]");
    if (!place || !row.dataset.of) return;
    const pair = ratings.filter((one) => one.closest(".dimension") === row.closest(".dimension"));
    const [a, b] = ["A", "B"].map((letter) => pair.find((one) => one.dataset.letter === letter)).map((one) => one && scoreOf(one));
    const side = checked(row)?.dataset.key.toUpperCase();
    const answer = form.elements[`contradiction.${row.dataset.field.replace("preference.", "")}`];
    const against = Number.isInteger(a) && Number.isInteger(b) && ((side === "A" && a < b) || (side === "B" && b < a));
    const another = preferences.some((one) => one !== row && !one.querySelector("[data-contradiction]")?.hidden && one.querySelector("[data-contradiction]"));
    place.hidden = !against || answer.value !== "" || another;
    if (place.hidden) return;
    const higher = a > b ? "A" : "B";
    const text = document.createElement("p");
    text.textContent = words.contradiction
      .replace("{higher}", higher).replace("{high}", Math.max(a, b)).replace("{low}", Math.min(a, b)).replace("{side}", side);
    const keep = document.createElement("button");
    keep.type = "button";
    keep.className = "button";
    keep.textContent = words.keepBoth;
    keep.addEventListener("click", () => {
      answer.value = "kept";
      place.hidden = true;
      form.dispatchEvent(new CustomEvent("judge:changed", { detail: { target: answer } }));
    });
    const change = document.createElement("button");
    change.type = "button";
    change.className = "button button-plain";
    change.textContent = words.change;
    change.addEventListener("click", () => {
      answer.value = "changed";
      place.hidden = true;
      row.querySelector("input").focus();
      form.dispatchEvent(new CustomEvent("judge:changed", { detail: { target: answer } }));
    });
    place.replaceChildren(text, keep, change);
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
    const names = open.map((row) => row.dataset.name).join(", ");
    const first = document.createElement("button");
    first.type = "button";
    first.className = "link-button";
    first.textContent = words.bulk.replace("{names}", names);
    first.addEventListener("click", () => {
      const text = document.createElement("span");
      text.textContent = words.bulkSure.replace("{names}", names).replace("{sentence}", sentence);
      const yes = document.createElement("button");
      yes.type = "button";
      yes.className = "button";
      yes.textContent = words.yes;
      yes.addEventListener("click", () => {
        for (const row of open) {
          row.querySelector(`input[data-key="${given[0]}"]`).checked = true;
          form.elements[`bulk.${row.dataset.field.replace("preference.", "")}`].value = "1";
        }
        changed(open[0].querySelector("input:checked"), { keepOrigin: true });
        goToMissing();
      });
      const no = document.createElement("button");
      no.type = "button";
      no.className = "button button-plain";
      no.textContent = words.no;
      no.addEventListener("click", bulk);
      place.replaceChildren(text, yes, no);
      yes.focus();
    });
    place.replaceChildren(first);
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

  /* The turn's head comes up under the header where the inspector would cover the row. */
  const uncover = (row) => {
    const detail = detailOf(row);
    if (!detail || !wide.matches || !row.closest(".turn")) return;
    const matrix = row.closest(".matrix").getBoundingClientRect();
    const rest = detail.getBoundingClientRect().top;
    const hidden = Math.min(matrix.bottom - rest, matrix.top - HEADS);
    const needed = row.getBoundingClientRect().bottom + 40 - rest;
    const over = Math.max(hidden, needed);
    if (over > 0) window.scrollBy({ top: over, behavior: "instant" });
  };

  const openReason = (row) => {
    const field = row && detailOf(row)?.querySelector("[data-reason]");
    if (!field) return;
    field.dataset.wanted = "";
    count(field);
    field.focus();
  };

  const setCurrent = (row) => {
    if (current === row) return;
    if (current) {
      current.classList.remove("current");
      detailOf(current)?.classList.remove("current");
    }
    current = row;
    body.classList.remove("row-away");
    const turn = row && detailOf(row) ? row.closest(".turn") : null;
    body.dataset.inspector = turn ? (turn.matches(".turn-shared") ? "right" : "middle") : "";
    if (row) {
      row.classList.add("current");
      detailOf(row)?.classList.add("current");
      showMeaning(row);
      uncover(row);
      for (const article of document.querySelectorAll("[data-guideline-of]")) {
        article.hidden = article.dataset.guidelineOf !== row.closest("[data-dimension]")?.dataset.dimension;
      }
    }
    form.dispatchEvent(new CustomEvent("judge:current", { detail: { row } }));
  };

  const focusRow = (row) => {
    if (row.matches("textarea")) {
      row.focus();
      return;
    }
    const side = row.dataset.letter;
    if (side && !wide.matches) body.dataset.side = side;
    const target = checked(row) ?? row.querySelector("input[type=radio]");
    target.focus({ preventScroll: true });
    setCurrent(row);
    const box = row.getBoundingClientRect();
    const top = 140;
    if (box.top < top || box.bottom > window.innerHeight - 60) {
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
    const next = found.find((one) => rows.indexOf(one.row) > from) ?? found[0];
    focusRow(next.row);
    if (next.field) next.field.focus();
  };

  const changed = (target, { keepOrigin = false } = {}) => {
    const preference = target.closest?.("fieldset.preference");
    if (preference && !keepOrigin && target.type === "radio") {
      for (const name of ["origin", "bulk"]) {
        const how = form.elements[`${name}.${preference.dataset.field.replace("preference.", "")}`];
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
  const settle = (row) => {
    const before = row.getBoundingClientRect().top;
    setCurrent(row);
    const moved = row.getBoundingClientRect().top - before;
    if (moved && !row.closest(".matrix")) window.scrollBy({ top: moved, behavior: "instant" });
  };
  document.addEventListener("pointerdown", (event) => {
    pressed = true;
    pending = null;
    leaving = Boolean(current && !rowOf(event.target) && !event.target.closest(keepsRow));
  });
  for (const name of ["click", "pointercancel"]) {
    document.addEventListener(name, () => {
      pressed = false;
      if (pending) settle(pending);
      else if (leaving && name === "click") setCurrent(null);
      pending = null;
      leaving = false;
    });
  }
  form.addEventListener("focusin", (event) => {
    const row = rowOf(event.target);
    if (!row) return;
    if (pressed) pending = row;
    else setCurrent(row);
  });
  document.addEventListener("scroll", () => {
    if (!current) return;
    const box = current.getBoundingClientRect();
    body.classList.toggle("row-away", box.bottom < 60 || box.top > window.innerHeight - 60);
  }, { passive: true });
  form.addEventListener("input", (event) => {
    if (event.target.matches("[data-count-of], textarea")) count(event.target);
    changed(event.target);
    const row = event.target.closest("fieldset.rating");
    if (row) showMeaning(row);
  });
  form.addEventListener("pointerover", (event) => {
    const point = event.target.closest(".rating .point");
    if (point && point.closest(".rating") === current) showMeaning(current, point.querySelector("input").value);
  });
  form.addEventListener("pointerout", (event) => {
    if (event.target.closest(".rating .point") && current) showMeaning(current);
  });
  document.querySelector("[data-go-there]").addEventListener("click", goToMissing);
  for (const button of form.querySelectorAll("[data-add-reason]")) {
    button.addEventListener("click", () => openReason(rowOf(button)));
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
  const toggleGuideline = () => {
    guideline.hidden = !guideline.hidden;
    const articles = [...guideline.querySelectorAll("article")];
    if (!guideline.hidden && articles.every((one) => one.hidden) && articles[0]) articles[0].hidden = false;
  };
  for (const link of document.querySelectorAll("[data-guideline]")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      toggleGuideline();
    });
  }

  const fit = () => body.classList.toggle("wide", wide.matches);
  wide.addEventListener("change", fit);
  fit();
  if (!body.dataset.side) body.dataset.side = "A";
  form.addEventListener("judge:filled", refresh);
  refresh();

  window.judge = {
    form, words, rows, ratings, preferences, missing, focusRow, goToMissing, openReason, toggleGuideline, changed, refresh,
    current: () => current,
    rest: () => {
      document.activeElement.blur();
      setCurrent(null);
    },
    detailOf,
  };
})();
