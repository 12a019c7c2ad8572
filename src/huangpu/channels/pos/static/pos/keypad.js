// The keys of the terminal on the screen: comfort only, the field can be typed into.
for (const form of document.querySelectorAll("[data-keypad]")) {
  const field = form.querySelector("[name=amount]");
  form.querySelector(".hp-pos-keys").hidden = false;
  for (const key of form.querySelectorAll("[data-key]")) {
    key.addEventListener("click", () => {
      field.value = key.dataset.key === "back" ? field.value.slice(0, -1) : (field.value + key.dataset.key).slice(0, 14);
    });
  }
}
