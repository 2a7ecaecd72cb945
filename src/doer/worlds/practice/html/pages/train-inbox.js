// A mail program: archive, delete, star or answer one mail. Some senders have written twice.
"use strict";

page((draw) => {
  const count = draw.int(5, 7);
  const senders = several(draw, anyPerson, count);
  if (draw.chance(0.4)) senders[count - 1] = senders[0];
  const subjects = several(draw, (d) => anyPhrase(d, 2), count);
  const mails = draw.shuffled(senders.map((from, at) => ({
    from, subject: subjects[at], text: `${anyPhrase(draw, 6)}.`, starred: false, place: "inbox", reply: "",
  })));
  const target = draw.pick(mails);
  const wanted = structuredClone(mails);
  const right = wanted[mails.indexOf(target)];
  const verb = draw.pick(["Archive", "Delete", "Star", "Reply"]);
  const text = anyPhrase(draw, draw.int(2, 3));
  if (verb === "Archive") right.place = "archive";
  if (verb === "Delete") right.place = "bin";
  if (verb === "Star") right.starred = true;
  if (verb === "Reply") right.reply = text;

  let open = null;
  const show = (mail) => () => {
    open = mail;
    view.redraw();
  };
  const put = (mail, place) => () => {
    mail.place = place;
    finish(mails);
  };
  const star = (mail) => () => {
    mail.starred = !mail.starred;
    view.redraw();
    reach(mails);
  };
  const starButton = (mail) =>
    button("Star", star(mail), { class: "small", "aria-pressed": mail.starred, "data-key": mail.subject });
  const inbox = () => mails.map((mail) => h("div", { class: "line" },
    h("span", {}, mail.from), button(mail.subject, show(mail), { class: "plain" }),
    mail.starred ? h("span", {}, "Starred") : []));
  const letter = (mail) => {
    const answer = h("textarea");
    const send = () => {
      mail.reply = answer.value;
      finish(mails);
    };
    const write = () => {
      reply.replaceWith(field("Your reply", answer), row(primary("Send", send)));
    };
    const reply = button("Reply", write);
    return [
      row(button("Back to inbox", show(null)), button("Archive", put(mail, "archive")),
        button("Delete", put(mail, "bin")), starButton(mail)),
      h("h2", {}, mail.subject), h("p", { class: "soft" }, `From ${mail.from}`), h("p", {}, mail.text),
      reply,
    ];
  };
  const view = region("section", { class: "card" }, () => (open ? letter(open) : inbox()));
  const which = draw.pick([
    `the mail ${quote(target.subject)} from ${quote(target.from)}`,
    `the message by ${quote(target.from)} about ${quote(target.subject)}`,
  ]);
  const reply = draw.pick([
    `Reply to ${which} with the text ${quote(text)}.`,
    `Answer ${which}: ${quote(text)}.`,
    `Send ${quote(text)} as the reply to ${which}.`,
  ]);
  const act = verb.toLowerCase();
  return {
    app: `${title(draw.pick(WORDS))} Mail`,
    title: "Inbox",
    instruction: verb === "Reply" ? reply : draw.pick([
      `${verb} ${which}.`, `Please ${act} ${which}.`, `Find ${which} and ${act} it.`,
    ]),
    wanted,
    body: [view.node],
  };
});
