// What the report does beyond showing itself: networks one can move in, tables one can sort and filter, copy buttons.
// The page is complete without this. Text from the evidence only ever becomes text nodes.
import { Network } from "./network.js";
import { enhance_tables } from "./tables.js";

const canvas_count_max = 8; // browsers drop the oldest WebGL context beyond about 16

function element(tag, css_class, words) {
  const made = document.createElement(tag);
  if (css_class) made.className = css_class;
  if (words !== undefined) made.textContent = words;
  return made;
}

function copy_text(words) {
  if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(words);
  const field = element("textarea", "unseen");
  field.value = words;
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  return done ? Promise.resolve() : Promise.reject(new Error("copying is not allowed"));
}

function enhance_copies() {
  for (const code of document.querySelectorAll("code.copy")) {
    if (!code.textContent) continue;
    const button = element("button", "copy-button", "Copy");
    button.type = "button";
    button.setAttribute("aria-label", "Copy " + code.textContent.slice(0, 40));
    button.addEventListener("click", () => {
      const say = (words) => {
        button.textContent = words;
        setTimeout(() => (button.textContent = "Copy"), 1500);
      };
      copy_text(code.textContent).then(() => say("Copied"), () => say("Select it by hand"));
    });
    code.after(button);
  }
}

function enhance_networks() {
  const figures = [...document.querySelectorAll("figure.network")].slice(0, canvas_count_max);
  const start = (figure) => {
    try {
      new Network(figure);
    } catch {
      // No WebGL, or not enough of it: the still picture stays.
      figure.classList.remove("is-live");
      for (const part of figure.querySelectorAll(".live, .tools")) part.remove();
    }
  };
  if (!("IntersectionObserver" in window)) {
    figures.forEach(start);
    return;
  }
  const observer = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) {
        if (!entry.isIntersecting) continue;
        observer.unobserve(entry.target);
        start(entry.target);
      }
    },
    { rootMargin: "400px" },
  );
  for (const figure of figures) observer.observe(figure);
}

function open_details_for_print() {
  let opened = [];
  window.addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    for (const details of opened) details.open = true;
  });
  window.addEventListener("afterprint", () => {
    for (const details of opened) details.open = false;
  });
}

enhance_tables();
enhance_copies();
enhance_networks();
open_details_for_print();
