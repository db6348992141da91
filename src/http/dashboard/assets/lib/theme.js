// Light or dark: as the system says, unless the switch was used.

import { h, icon, replace } from "./dom.js";

const SLOT = "stampcard.theme";
const systemIsDark = matchMedia("(prefers-color-scheme: dark)");

export function startTheme() {
  const chosen = localStorage.getItem(SLOT);
  if (chosen) document.documentElement.dataset.theme = chosen;
  systemIsDark.addEventListener("change", announce);
}

function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : systemIsDark.matches;
}

function announce() {
  document.dispatchEvent(new CustomEvent("themechange"));
}

export function themeSwitch() {
  const element = h("button", { class: "icon-button", type: "button" });
  const show = () => {
    const other = isDark() ? "light" : "dark";
    element.setAttribute("aria-label", `Switch to ${other} colors`);
    element.title = `Switch to ${other} colors`;
    replace(element, icon(other));
  };
  element.addEventListener("click", () => {
    const theme = isDark() ? "light" : "dark";
    document.documentElement.dataset.theme = theme;
    localStorage.setItem(SLOT, theme);
    show();
    announce();
  });
  systemIsDark.addEventListener("change", show);
  show();
  return element;
}
