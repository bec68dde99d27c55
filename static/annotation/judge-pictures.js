/* Pictures: which were looked at, what is said where one does not come, and the viewer. */
"use strict";

window.stage.part((signal) => {
  const { judge } = window;
  const { words } = judge;
  const { body } = document;
  const { seen, opened, write } = judge.evidence;

  /* Looked at: at least half in view for a second at 300 pixels or more, or opened */

  const ENOUGH = 300;
  const figures = [...document.querySelectorAll("figure[data-image]")];
  const isLooked = (figure) => seen.has(figure.dataset.image) || opened.has(figure.dataset.image);
  const say = (figure) => {
    for (const one of document.querySelectorAll(`[data-image="${figure.dataset.image}"] [data-looked]`)) one.hidden = false;
  };
  const noticed = (figure, set) => {
    const sha = figure.dataset.image;
    if (!sha || set.has(sha)) return;
    set.add(sha);
    write();
    say(figure);
    tour();
  };
  const largeEnough = (picture) => {
    const { width, height } = picture.getBoundingClientRect();
    // A picture smaller than that in itself cannot be drawn larger.
    return Math.max(width, height) >= Math.min(ENOUGH, Number(picture.dataset.longer)) - 1;
  };
  const isVeiled = (figure) => figure.querySelector(".reveal")?.checked === false;
  const timers = new Map();
  const watch = new IntersectionObserver((changes) => {
    for (const change of changes) {
      const picture = change.target;
      const figure = picture.closest("figure");
      clearTimeout(timers.get(figure));
      if (!change.isIntersecting || change.intersectionRatio < 0.5 || !picture.complete || !picture.naturalWidth || !largeEnough(picture)) continue;
      timers.set(figure, setTimeout(() => document.visibilityState === "visible" && !isVeiled(figure) && noticed(figure, seen), 1000));
    }
  }, { threshold: [0, 0.5] });
  signal.addEventListener("abort", () => watch.disconnect());
  const again = (picture) => {
    watch.unobserve(picture);
    watch.observe(picture);
  };

  /* A stored picture that does not come: said in its place; what would rate it waits. */
  const waits = (figure) => {
    const answer = figure.closest(".answer");
    const turn = figure.closest(".turn");
    if (!answer || !turn) return;
    const failed = answer.querySelector("figure.failed");
    const letter = answer.matches(".answer-A") ? "A" : answer.matches(".answer-B") ? "B" : "";
    judge.holdImageRows(turn, letter, failed);
  };
  const failing = (figure, isSo) => {
    if (figure.classList.contains("failed") === isSo) return;
    figure.classList.toggle("failed", isSo);
    figure.querySelector("[data-failed]").hidden = !isSo;
    waits(figure);
  };
  for (const figure of figures) {
    const picture = figure.querySelector("img");
    watch.observe(picture);
    picture.addEventListener("load", () => {
      failing(figure, false);
      again(picture);
    });
    picture.addEventListener("error", () => failing(figure, true));
    if (picture.complete && picture.naturalWidth === 0 && picture.currentSrc) failing(figure, true);
    figure.querySelector(".reveal")?.addEventListener("change", () => again(picture));
    figure.querySelector("[data-retry]").addEventListener("click", () => {
      const { srcset, src } = picture;
      picture.loading = "eager";
      picture.srcset = "";
      picture.src = src;
      picture.srcset = srcset;
    });
    if (isLooked(figure)) say(figure);
  }
  for (const opener of document.querySelectorAll("[data-skip-reason]")) {
    opener.addEventListener("click", () => {
      const choice = document.querySelector(`#skip [value="${opener.dataset.skipReason}"]`);
      if (choice) choice.checked = true;
    });
  }

  const sideOf = (figure) => figure.closest(".answer-A") ? "A" : figure.closest(".answer-B") ? "B" : "";
  const nameOf = (figure) => {
    const turn = figure.closest("[data-section]")?.querySelector("h2")?.textContent ?? "";
    return [turn, sideOf(figure), figure.querySelector("img").alt].filter(Boolean).join(words.comma);
  };
  const unseen = () => figures.filter((one) => !isLooked(one) && !one.classList.contains("failed"));
  const lead = (figure) => {
    const folded = figure.closest("details:not([open])");
    if (folded) folded.open = true;
    if (sideOf(figure)) body.dataset.side = sideOf(figure);
    figure.scrollIntoView({ block: "center", behavior: "instant" });
    figure.querySelector("[data-viewer]").focus({ preventScroll: true });
  };

  /* One gentle reminder of the images nobody looked at; it never stands in the way twice. What is
     left of it stays above the bar until all were looked at or it is closed. */
  const strip = document.getElementById("unseen-left");
  let reminded = false;
  let touring = false;
  function tour() {
    const left = touring ? unseen() : [];
    strip.hidden = !left.length;
    if (left.length) strip.querySelector("[data-left]").textContent = words.imagesLeft.replace("{n}", left.length);
    else if (touring) {
      touring = false;
      if (document.activeElement.closest("figure")) document.getElementById("submit")?.focus({ preventScroll: true });
    }
  }
  let shownLast = null;
  const showNext = (figure) => {
    const left = unseen();
    shownLast = figure ?? left[(left.indexOf(shownLast) + 1) % left.length];
    touring = true;
    lead(shownLast);
    tour();
  };
  strip.querySelector("[data-show-next]").addEventListener("click", () => showNext());
  strip.querySelector("[data-left-close]").addEventListener("click", () => {
    touring = false;
    tour();
  });
  judge.remind = () => {
    const left = reminded ? [] : unseen();
    reminded = true;
    if (!left.length) return false;
    const dialog = document.getElementById("unseen");
    dialog.querySelector("[data-unseen]").replaceChildren(...left.map((figure) => {
      const line = document.createElement("li");
      const way = document.createElement("button");
      way.type = "button";
      way.className = "link-button";
      way.textContent = nameOf(figure);
      way.addEventListener("click", () => {
        dialog.close();
        showNext(figure);
      });
      line.append(way);
      return line;
    }));
    dialog.querySelector("[data-send-anyway]").onclick = () => {
      dialog.close();
      document.getElementById("submit").click();
    };
    dialog.querySelector("[data-show-next]").onclick = () => {
      dialog.close();
      showNext();
    };
    dialog.showModal();
    return true;
  };

  Object.assign(judge, { figures, sideOf, isVeiled, isLooked, lead, noteOpened: (figure) => noticed(figure, opened) });
});

/* The picture viewer: A beside B of one turn, zoomed and moved together or each alone, with the
   turn's image dimensions below, so that one judges while one looks.

   The ratings and remarks below the panes are copies outside the form; what is entered there is
   entered in the real ones. */
window.stage.part((signal) => {
  const { judge } = window;
  const { form, words, figures } = judge;
  const viewer = document.getElementById("viewer");
  const panes = [...viewer.querySelectorAll("[data-pane]")].map((element) => ({
    element,
    picture: element.querySelector("[data-picture]"),
    mini: element.querySelector("[data-mini]"),
    frame: element.querySelector("[data-frame]"),
    foot: viewer.querySelector(`[data-foot="${element.dataset.pane}"]`),
    view: { zoom: "fit", x: 0.5, y: 0.5 },
    figure: null,
  }));
  const tied = viewer.querySelector("[data-tied]");
  const alone = viewer.querySelector("[data-alone]");
  const STEP = 1.25;
  const LARGEST = 8;
  let stops = [];
  let at = 0;
  let active = panes[0];
  let from = null;

  /* Which pictures are shown together: those at the same place of the two answers of a turn. */
  const stopsOf = () => {
    if (alone.checked) return figures.map((figure) => [figure]);
    const found = [];
    const turns = new Map();
    for (const figure of figures) {
      const turn = judge.sideOf(figure) ? figure.closest(".turn") : null;
      if (!turn) {
        found.push([figure]);
        continue;
      }
      if (!turns.has(turn)) turns.set(turn, { A: 0, B: 0, stops: [] });
      const mine = turns.get(turn);
      const side = judge.sideOf(figure);
      const index = mine[side]++;
      if (!mine.stops[index]) {
        mine.stops[index] = [null, null];
        found.push(mine.stops[index]);
      }
      mine.stops[index][side === "A" ? 0 : 1] = figure;
    }
    return found;
  };

  const clamp = (value, least, most) => Math.min(most, Math.max(least, value));
  const fitOf = ({ element, picture }) => Math.min(
    element.clientWidth / picture.naturalWidth, element.clientHeight / picture.naturalHeight, 1,
  );
  const factorOf = (pane) => (pane.view.zoom === "fit" ? fitOf(pane) : pane.view.zoom);
  const isShown = (pane) => pane.figure && pane.picture.naturalWidth > 0 && !pane.element.hidden;

  const draw = (pane) => {
    if (!isShown(pane)) return;
    const { element, picture, view, frame, mini } = pane;
    const factor = factorOf(pane);
    const width = picture.naturalWidth * factor;
    const height = picture.naturalHeight * factor;
    const share = { x: Math.min(1, element.clientWidth / width), y: Math.min(1, element.clientHeight / height) };
    view.x = clamp(view.x, share.x / 2, 1 - share.x / 2);
    view.y = clamp(view.y, share.y / 2, 1 - share.y / 2);
    picture.style.width = `${width}px`;
    picture.style.transform = `translate(${element.clientWidth / 2 - view.x * width}px, ${element.clientHeight / 2 - view.y * height}px)`;
    mini.hidden = share.x === 1 && share.y === 1;
    frame.style.left = `${100 * (view.x - share.x / 2)}%`;
    frame.style.top = `${100 * (view.y - share.y / 2)}%`;
    frame.style.width = `${100 * share.x}%`;
    frame.style.height = `${100 * share.y}%`;
  };
  const drawAll = () => {
    for (const pane of panes) draw(pane);
    if (!isShown(active)) active = panes.find(isShown) ?? active;
    viewer.querySelector("[data-factor]").textContent = isShown(active) ? `${Math.round(100 * factorOf(active))} %` : "";
    for (const button of viewer.querySelectorAll("[data-zoom=fit], [data-zoom=one]")) {
      button.setAttribute("aria-pressed", String(active.view.zoom === (button.dataset.zoom === "fit" ? "fit" : 1)));
    }
  };
  /* Change the active pane's view, and the other's with it while they are tied. */
  const turn = (change, isPossible = isShown(active)) => {
    if (!isPossible) return;
    change(active.view, active);
    if (tied.checked) for (const pane of panes) if (pane !== active) pane.view = { ...active.view };
    drawAll();
  };
  const known = { fit: "fit", one: 1 }; // also before the picture has come
  const zoom = (how) => turn((view, pane) => {
    view.zoom = known[how] ?? (how === "in" ? Math.min(LARGEST, factorOf(pane) * STEP) : Math.max(fitOf(pane) / 2, factorOf(pane) / STEP));
  }, how in known || isShown(active));
  const pan = (x, y) => turn((view, pane) => {
    const factor = factorOf(pane);
    view.x += x / (pane.picture.naturalWidth * factor);
    view.y += y / (pane.picture.naturalHeight * factor);
  });
  const canPan = () => isShown(active) && !active.mini.hidden;

  /* Below the pane: what it is, the remark, the image dimensions */

  const enter = (real, value) => {
    if (real.type === "radio") real.checked = true;
    else real.value = value;
    real.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const copyOf = (row) => {
    const copy = row.cloneNode(true);
    copy.removeAttribute("id");
    copy.classList.remove("current");
    for (const input of copy.querySelectorAll("input")) {
      const real = form.querySelector(`[name="${CSS.escape(input.name)}"][value="${CSS.escape(input.value)}"]`);
      if (input.type !== "radio") {
        input.remove();
        continue;
      }
      input.name = `viewer.${input.name}`;
      input.checked = real.checked;
      input.addEventListener("change", () => {
        enter(real);
        copy.querySelector("[data-row-mark]").dataset.mark = row.querySelector("[data-row-mark]").dataset.mark;
      });
    }
    const box = document.createElement("div");
    box.className = "viewer-row";
    const name = document.createElement("p");
    name.textContent = row.dataset.name;
    box.append(name, copy);
    return box;
  };
  const describe = (pane) => {
    const { foot, figure } = pane;
    const picture = figure.querySelector("img");
    const mine = figures.filter((one) => one.closest(".answer, .prompt") === figure.closest(".answer, .prompt"));
    foot.querySelector("[data-caption]").textContent = figure.querySelector("[data-viewer]").dataset.caption;
    foot.querySelector("[data-about]").textContent = words.imageAbout
      .replace("{n}", mine.indexOf(figure) + 1).replace("{all}", mine.length).replace("{size}", picture.dataset.size);
    const remark = foot.querySelector("textarea");
    const real = figure.querySelector(".image-remark textarea");
    remark.hidden = !real;
    remark.value = real?.value ?? "";
    remark.setAttribute("aria-label", real?.getAttribute("aria-label") ?? "");
    remark.oninput = () => {
      enter(real, remark.value);
      real.closest("details").open = true;
    };
    const rows = figure.closest(".answer") ? judge.imageRows(figure.closest(".turn"), judge.sideOf(figure)) : [];
    foot.querySelector("[data-ratings]").replaceChildren(...rows.map(copyOf));
  };

  const fill = (pane, figure, letter) => {
    const { element, picture, mini, foot } = pane;
    pane.figure = figure;
    element.dataset.state = figure ? "loading" : "none";
    element.dataset.letter = letter;
    element.querySelector("[data-chip]").className = letter ? `chip chip-${letter}` : "chip";
    element.querySelector("[data-chip]").textContent = letter;
    element.querySelector("[data-none]").textContent = figure ? "" : words.noImageHere.replace("{letter}", letter);
    foot.hidden = !figure;
    mini.hidden = true;
    picture.removeAttribute("src");
    picture.style.width = "";
    if (!figure) return;
    const veiled = judge.isVeiled(figure);
    if (veiled) element.dataset.state = "veiled";
    else {
      picture.src = figure.querySelector("[data-viewer]").href;
      picture.alt = figure.querySelector("img").alt;
      mini.querySelector("img").src = figure.querySelector("img").src;
    }
    describe(pane);
  };
  const show = () => {
    const stop = stops[at];
    const both = stop.length === 2;
    viewer.classList.toggle("both", both);
    panes[1].element.hidden = panes[1].foot.hidden = !both;
    if (both) stop.forEach((figure, index) => fill(panes[index], figure, "AB"[index]));
    else {
      fill(panes[0], stop[0], judge.sideOf(stop[0]));
      panes[1].figure = null;
    }
    active = panes.find((pane) => pane.figure) ?? panes[0];
    const known = stop.find(Boolean);
    viewer.querySelector("[data-viewer-title]").textContent = known.closest("[data-section]")?.querySelector("h2")?.textContent ?? "";
    viewer.querySelector("[data-viewer-count]").textContent = words.stop.replace("{n}", at + 1).replace("{all}", stops.length);
    for (const button of viewer.querySelectorAll("[data-step]")) button.disabled = stops.length < 2;
  };
  const step = (by) => {
    at = (at + by + stops.length) % stops.length;
    show();
  };
  const open = (figure) => {
    stops = stopsOf();
    at = Math.max(0, stops.findIndex((stop) => stop.includes(figure)));
    for (const pane of panes) pane.view = { zoom: "fit", x: 0.5, y: 0.5 };
    if (!viewer.open) {
      from = figure;
      viewer.showModal();
    }
    show();
    active = panes.find((pane) => pane.figure === figure) ?? active;
    active.element.focus({ preventScroll: true });
  };

  for (const pane of panes) {
    const { element, picture } = pane;
    picture.addEventListener("load", () => {
      element.dataset.state = "shown";
      judge.noteOpened(pane.figure);
      drawAll();
    });
    picture.addEventListener("error", () => {
      if (picture.getAttribute("src")) element.dataset.state = "failed";
    });
    element.querySelector("[data-again]").addEventListener("click", () => {
      element.dataset.state = "loading";
      picture.src = pane.figure.querySelector("[data-viewer]").href;
    });
    element.querySelector("[data-unveil]").addEventListener("click", () => {
      const reveal = pane.figure.querySelector(".reveal");
      reveal.checked = true;
      reveal.dispatchEvent(new Event("change", { bubbles: true }));
      fill(pane, pane.figure, element.dataset.letter);
    });
    const take = () => { if (isShown(pane)) active = pane; };
    element.addEventListener("focusin", take);
    let drag = null;
    element.addEventListener("pointerdown", (event) => {
      if (event.target.closest("button")) return;
      take();
      const mini = event.target.closest("[data-mini]");
      if (mini) {
        const box = mini.getBoundingClientRect();
        turn((view) => {
          view.x = (event.clientX - box.left) / box.width;
          view.y = (event.clientY - box.top) / box.height;
        });
        return;
      }
      drag = { x: event.clientX, y: event.clientY };
      element.setPointerCapture(event.pointerId);
      event.preventDefault();
      element.focus({ preventScroll: true });
    });
    element.addEventListener("pointermove", (event) => {
      if (!drag) return;
      pan(drag.x - event.clientX, drag.y - event.clientY);
      drag = { x: event.clientX, y: event.clientY };
    });
    for (const name of ["pointerup", "pointercancel"]) element.addEventListener(name, () => { drag = null; });
    element.addEventListener("dblclick", () => zoom(pane.view.zoom === "fit" ? "one" : "fit"));
    element.addEventListener("wheel", (event) => {
      event.preventDefault();
      take();
      if (event.ctrlKey || !canPan()) zoom(event.deltaY < 0 ? "in" : "out");
      else pan(event.deltaX, event.deltaY);
    }, { passive: false });
  }
  for (const figure of figures) {
    figure.querySelector("[data-viewer]").addEventListener("click", (event) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey) return;
      event.preventDefault();
      const reveal = figure.querySelector(".reveal");
      if (judge.isVeiled(figure)) {
        reveal.checked = true;
        reveal.dispatchEvent(new Event("change", { bubbles: true }));
      } else open(figure);
    });
  }
  viewer.addEventListener("click", (event) => {
    const button = event.target.closest("[data-zoom], [data-step]");
    if (button?.dataset.step) step(Number(button.dataset.step));
    else if (button) zoom(button.dataset.zoom);
  });
  tied.addEventListener("change", () => turn(() => {}));
  alone.addEventListener("change", () => {
    const figure = active.figure ?? stops[at].find(Boolean);
    open(figure);
  });
  viewer.addEventListener("close", () => {
    const figure = active.figure;
    for (const pane of panes) fill(pane, null, "");
    if (figure && figure !== from) judge.lead(figure);
  });
  window.addEventListener("resize", () => viewer.open && drawAll(), { signal });

  const typing = (target) => target.matches("textarea, select");
  viewer.addEventListener("keydown", (event) => {
    const { target } = event;
    if (event.isComposing || event.keyCode === 229 || typing(target) || event.metaKey || event.altKey) return;
    const digit = /^(?:Digit|Numpad)([0-9])$/.exec(event.code)?.[1];
    const row = target.closest(".viewer-row");
    let act = null;
    if (row) {
      const value = digit ?? { KeyN: "na", Minus: "-1", NumpadSubtract: "-1" }[event.code];
      const input = value && row.querySelector(`input[value="${value}"]`);
      if (input) act = () => input.click();
    } else if (event.code === "PageDown" || event.code === "PageUp") act = () => step(event.code === "PageDown" ? 1 : -1);
    else if (event.code === "ArrowRight" || event.code === "ArrowLeft") {
      const by = event.code === "ArrowRight" ? 1 : -1;
      act = () => (event.ctrlKey || !canPan() ? step(by) : pan(by * 80, 0));
    } else if ((event.code === "ArrowDown" || event.code === "ArrowUp") && canPan()) {
      act = () => pan(0, event.code === "ArrowDown" ? 80 : -80);
    } else if (event.key === "+" || event.key === "=" || event.code === "NumpadAdd") act = () => zoom("in");
    else if (event.key === "-" || event.code === "NumpadSubtract") act = () => zoom("out");
    else if (digit === "0") act = () => zoom("fit");
    else if (digit === "1") act = () => zoom("one");
    if (!act || (event.ctrlKey && !event.code.startsWith("Arrow"))) return;
    event.preventDefault();
    act();
  });

  judge.openNearestImage = () => {
    const middle = window.innerHeight / 2;
    const distance = (figure) => Math.abs(figure.getBoundingClientRect().top + figure.offsetHeight / 2 - middle);
    const near = figures.filter((one) => one.checkVisibility()).sort((one, other) => distance(one) - distance(other))[0];
    if (near) near.querySelector("[data-viewer]").click();
  };
});
