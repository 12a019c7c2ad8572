// The total of a bid while it is typed: exact, in whole numbers. What counts is computed again by the server.
"use strict";
(() => {
  const SIX = 1000000n;

  // A decimal of at most six places as a whole number of millionths; null if it is none.
  function millionths(text) {
    const found = /^(\d{1,12})(?:\.(\d{0,6}))?$/.exec(text.trim().replaceAll(",", ""));
    return found && BigInt(found[1]) * SIX + BigInt((found[2] || "").padEnd(6, "0"));
  }

  function shown(minor, exponent) {
    const digits = minor.toString().padStart(exponent + 1, "0");
    const whole = digits.slice(0, digits.length - exponent).replace(/\B(?=(\d{3})+$)/g, ",");
    return exponent ? `${whole}.${digits.slice(-exponent)}` : whole;
  }

  for (const form of document.querySelectorAll("[data-total]")) {
    const exponent = Number(form.dataset.exponent);
    const unit = SIX * SIX / 10n ** BigInt(exponent); // millionths × millionths in one minor unit
    const count = () => {
      let sum = 0n, complete = true;
      for (const row of form.querySelectorAll("[data-quantity]")) {
        const price = millionths(row.querySelector("input").value);
        const quantity = millionths(row.dataset.quantity);
        const amount = price && quantity ? (2n * price * quantity + unit) / (2n * unit) : null; // rounded half up
        row.querySelector("[data-amount]").textContent = amount === null ? "–" : shown(amount, exponent);
        if (amount === null) complete = false; else sum += amount;
      }
      form.querySelector("[data-sum]").textContent = complete ? shown(sum, exponent) : "–";
    };
    form.addEventListener("input", count);
    count();
  }
})();
