// Small comforts of every page. A page works without them: each is an enhancement of what the server rendered.
"use strict";
(() => {
  const root = document.documentElement;

  // The server's clock: what it said when the page was made, or later through sync(), against our own.
  let offset_ms = Number(root.dataset.now) - Date.now();
  const clock = {
    now: () => Date.now() + offset_ms,
    sync: (server_ms) => { offset_ms = server_ms - Date.now(); },
  };

  function left(ms, day) {
    const seconds = Math.max(0, Math.ceil(ms / 1000));
    const pad = (value) => String(value).padStart(2, "0");
    const days = Math.floor(seconds / 86400);
    const time = [Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60, seconds % 60].map(pad).join(":");
    return days ? `${days} ${day} ${time}` : time;
  }

  function tick() {
    for (const element of document.querySelectorAll("[data-countdown]")) {
      const ms = Date.parse(element.dateTime) - clock.now();
      element.textContent = ms <= 0 ? element.dataset.ended : left(ms, element.dataset.day);
      element.classList.toggle("hp-soon", ms > 0 && ms < 300000);
      if (ms <= 0 && !element.dataset.told) {
        element.dataset.told = "1";
        element.dispatchEvent(new CustomEvent("huangpu:ended", { bubbles: true }));
      }
    }
  }

  function toast(text, kind = "info") {
    const box = document.getElementById("toasts");
    const line = document.createElement("p");
    line.className = `hp-toast hp-toast-${kind}`;
    line.textContent = text;
    box.append(line);
    setTimeout(() => line.remove(), 9000);
  }

  function setup(scope) {
    for (const button of scope.querySelectorAll("[data-toggles]")) {
      button.hidden = false;
      button.addEventListener("click", () => {
        const open = document.getElementById(button.dataset.toggles).classList.toggle("hp-open");
        button.setAttribute("aria-expanded", String(open));
      });
    }
    for (const form of scope.querySelectorAll("[data-theme-form]")) {
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        const chosen = event.submitter.value;
        if (chosen === "auto") delete root.dataset.theme; else root.dataset.theme = chosen;
        for (const one of form.querySelectorAll("button")) one.setAttribute("aria-pressed", String(one.value === chosen));
        const body = new FormData(form);
        body.set("theme", chosen);
        fetch(form.action, { method: "POST", body });
      });
    }
    for (const form of scope.querySelectorAll("[data-submit-on-change]")) {
      form.addEventListener("change", () => form.requestSubmit());
    }
    for (const input of scope.querySelectorAll("[data-bytes-max]")) {
      input.addEventListener("change", () => {
        const tooLarge = [...input.files].some((file) => file.size > Number(input.dataset.bytesMax));
        input.setCustomValidity(tooLarge ? input.dataset.tooLarge : "");
        if (tooLarge) input.reportValidity();
      });
    }
    for (const button of scope.querySelectorAll("[data-copy]")) {
      button.addEventListener("click", () => navigator.clipboard.writeText(button.dataset.copy));
    }
  }

  // A link to something folded away opens what it lies in.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    const target = link && document.getElementById((link.getAttribute("href") || "").slice(1));
    for (let fold = target && target.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
  });
  document.addEventListener("click", (event) => {
    for (const open of document.querySelectorAll(".hp-drop[open]")) if (!open.contains(event.target)) open.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const open of document.querySelectorAll(".hp-drop[open]")) { open.open = false; open.querySelector("summary").focus(); }
  });
  document.addEventListener("htmx:sendError", () => toast(document.getElementById("toasts").dataset.lost, "late"));
  document.addEventListener("htmx:load", (event) => { if (event.target !== document.body) setup(event.target); });

  setup(document);
  tick();
  setInterval(tick, 1000);
  window.huangpu = { clock, toast, left };
})();
