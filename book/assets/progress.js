// Remembers which lessons were read to the end and which questions were answered, and shows it in the sidebar.
// It is kept in this browser's local storage and goes nowhere else; without that storage the page is as it was.

// Of two editions of the course under one address, a class's and the course itself, each has its own.
const EDITION = document.querySelector('meta[name="edition"]')?.content ?? "";
const KEY = `progress in ${EDITION}`; // {"01_self_attention": {read: true, right: [0, 2], questions: 4}, …}
const LESSON = /(\d\d_\w+)\.html/;

function storage() {
  try {
    localStorage.getItem(KEY);
    return localStorage;
  } catch {
    return null; // forbidden in this browser
  }
}

const inForm = ({ read, right, questions }) => ({
  read: read === true,
  right: Array.isArray(right) ? right : [],
  questions: Number(questions) || 0,
});

/** What was saved, in the right form whatever stood there. */
function remembered() {
  let saved = {};
  try {
    saved = JSON.parse(storage().getItem(KEY)) ?? {};
  } catch {
    // not ours: begin anew
  }
  const lessons = Object.entries(saved).filter(([name]) => LESSON.test(`${name}.html`));
  return Object.fromEntries(lessons.map(([name, lesson]) => [name, inForm(lesson ?? {})]));
}

function el(tag, properties, ...content) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...content);
  return node;
}

/** The questions of this page: each a list of its answers, which fold out. */
function questions() {
  const groups = [];
  for (const answer of document.querySelectorAll("section#check-yourself details:not(.sd-dropdown, .hide)")) {
    if (answer.previousElementSibling?.tagName === "DETAILS") groups.at(-1).push(answer);
    else groups.push([answer]);
  }
  return groups;
}

/** The text marks it, `<details class="right">`, in whatever language it is written. */
const isRight = (answer) => answer.classList.contains("right");

function change(lesson, update) {
  const all = remembered();
  all[lesson] ??= inForm({});
  update(all[lesson]);
  storage().setItem(KEY, JSON.stringify(all));
  show();
}

/** What stands beside a lesson's name: for the eye, and in words. */
function mark({ read, right, questions }) {
  const said = [read ? "read" : "", questions ? `${right.length} of ${questions} questions` : ""].filter(Boolean);
  const done = read && right.length === questions;
  return [done ? "✓" : questions ? `${right.length}/${questions}` : "…", said.join(", ")];
}

const note = el("p", { className: "course-progress-note" });
const forget = el("button", { type: "button", className: "course-progress-forget", textContent: "Forget it" });
const box = el("div", { className: "course-progress", role: "group", ariaLabel: "Your progress" }, note, forget);

function show() {
  const all = remembered();
  for (const link of document.querySelectorAll(".bd-sidebar-primary .bd-links a.reference")) {
    const lesson = LESSON.exec(link.href === `${location.href.split("#")[0]}#` ? location.pathname : link.pathname)?.[1];
    link.querySelector(".progress-mark")?.remove();
    if (!lesson || !all[lesson]) continue;
    const [short, long] = mark(all[lesson]);
    const shown = el("span", { ariaHidden: "true" }, short);
    link.append(el("span", { className: "progress-mark" }, shown, el("span", { className: "visually-hidden" }, ` (${long})`)));
  }
  const lessons = Object.values(all);
  const right = lessons.reduce((sum, { right }) => sum + right.length, 0);
  const read = lessons.filter(({ read }) => read).length;
  box.hidden = lessons.length === 0;
  note.textContent = `Lessons read: ${read}. Questions answered: ${right}. Kept in this browser only.`;
}

function watch(lesson) {
  const asked = questions();
  asked.forEach((answers, number) => {
    for (const answer of answers.filter(isRight)) {
      answer.addEventListener("toggle", () => {
        if (!answer.open) return;
        change(lesson, (mine) => {
          mine.questions = asked.length;
          if (!mine.right.includes(number)) mine.right.push(number);
        });
      });
    }
  });
  const end = document.querySelector("section#summary");
  if (!end) return;
  const seen = new IntersectionObserver(([entry]) => {
    if (!entry.isIntersecting) return;
    seen.disconnect();
    change(lesson, (mine) => {
      mine.read = true;
      mine.questions = asked.length;
    });
  });
  seen.observe(end);
}

if (storage()) {
  forget.addEventListener("click", () => {
    storage().removeItem(KEY);
    show();
    document.querySelector(".bd-sidebar-primary .bd-links a")?.focus(); // the button has gone
  });
  document.querySelector(".bd-sidebar-primary .bd-links")?.append(box);
  const lesson = LESSON.exec(location.pathname)?.[1];
  if (lesson) watch(lesson);
  addEventListener("storage", ({ key }) => key === KEY && show()); // another tab
  show();
}
