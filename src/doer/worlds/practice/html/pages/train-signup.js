// A new account, with rules: both passwords alike and long enough, the terms accepted.
"use strict";

page((draw) => {
  const user = draw.pick(["User name", "Login", "Account name"]);
  const wanted = {
    user: `${draw.pick(WORDS)}${draw.int(10, 99)}`,
    email: anyEmail(draw),
    password: `${draw.pick(WORDS)}${draw.int(1000, 9999)}`,
    news: draw.chance(0.5),
  };
  const password = { type: "password" };
  const controls = [textbox(), textbox(), textbox("", password), textbox("", password)];
  const terms = draw.pick(["Terms of use", "House rules", "Privacy policy"]);
  const news = draw.pick(["Monthly newsletter", "Product news", "Special offers"]);
  const boxes = choices("checkbox", "", draw.shuffled([terms, news]), draw.chance(0.4) ? [news] : []);
  const problem = alertText();
  const create = () => {
    const [name, email, first, second] = controls.map((control) => control.value);
    const on = boxes.chosen();
    problem.textContent =
      !name || !email ? "Please fill in all fields."
        : first.length < 8 ? "The password needs at least 8 characters."
          : first !== second ? "The passwords are not the same."
            : !on.includes(terms) ? `Please accept: ${terms}.` : "";
    if (problem.textContent) return;
    finish({ user: name, email, password: first, news: on.includes(news) });
  };
  const said = settings(draw, [[user, wanted.user], ["Email", wanted.email], ["Password", wanted.password]]);
  const accept = wanted.news ? `Tick ${quote(terms)} and ${quote(news)}` : `Tick only ${quote(terms)}`;
  const label = draw.pick(["Create account", "Sign up", "Join"]);
  const labels = [user, "Email", "Password", "Repeat password"];
  return {
    app: anyApp(draw),
    title: "Create your account",
    instruction: draw.pick([
      `Create an account with ${said}. ${accept}.`,
      `Sign up: ${said}. ${accept} before you send the form.`,
      `Open a new account, ${said}. ${accept}, then press ${label}.`,
    ]),
    wanted,
    body: [card(
      h("div", { class: "columns" }, ...controls.map((control, at) => field(labels[at], control))),
      boxes.node, problem, row(primary(label, create)),
    )],
  };
});
