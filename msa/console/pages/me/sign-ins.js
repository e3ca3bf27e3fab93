// Who used the password, or tried to; and what to do about it.
import { ago, ask, call, country, el, field, get, inWords, number, own, say, t, table } from "/base.js";
import { protocolName, resultBadge } from "/sign-in-words.js";


export async function changePassword() {
  const done = await ask({ title: t("new_password"), go: t("save"),
    fields: [field("current", t("current"), { kind: "password", autocomplete: "current-password" }),
      field("password", t("chosen"), { kind: "password", autocomplete: "new-password", minlength: 8, hint: t("chosen_hint") }),
      field("again", t("again"), { kind: "password", autocomplete: "new-password" })],
    act: async (values) => {
      if (values.password !== values.again) throw new Error(t("differ"));
      await inWords({ 403: t("wrong_current"), 409: t("kept_elsewhere"), 422: t("bad_chosen") },
        () => call("PUT", own("/password"), { current: values.current, password: values.password }));
    } });
  if (!done) return;
  say(t("password_said"));
  location.reload();
}

async function notMe() {
  const done = await ask({ title: t("lock_title"), body: [el("p", {}, t("lock_about"))], go: t("lock"), danger: true, act: () => call("POST", own("/lock"), {}) });
  if (!done) return;
  say(t("locked_said"));
  await changePassword();
  location.reload();
}

export async function signInsCard() {
  const { sign_ins: list } = await get(own("/sign-ins"), { limit: 20 });
  return el("section", { class: "card", id: "sign-ins" }, el("header", {}, el("h2", {}, t("sign_ins"))), el("p", { class: "soft small" }, t("sign_ins_about")),
    table([
      { label: t("when"), cell: (s) => [ago(s.last_ms), s.times > 1 ? el("span", { class: "soft small" }, ` (${t("times", number(s.times))})`) : ""] },
      { label: t("where"), cell: (s) => [country(s.country), el("div", { class: "soft small" }, [s.network, s.address].filter(Boolean).join(" · "))] },
      { label: t("how"), cell: (s) => [protocolName(s), s.program ? el("div", { class: "soft small" }, s.program) : ""] },
      { label: t("result"), cell: resultBadge },
      { spoken: t("not_me"), cell: (s) => (s.protocol === "page" && s.result === "allowed" ? "" : el("button", { class: "plain", type: "button", onclick: notMe }, t("not_me"))) },
    ], list, t("sign_ins")));
}

export async function passwordCard() {
  return el("section", { class: "card", id: "password-card" }, el("div", { class: "setting" }, el("div", {}, el("h2", {}, t("password")), el("p", { class: "soft" }, t("password_about"))),
    el("button", { type: "button", onclick: changePassword }, t("new_password"))));
}
