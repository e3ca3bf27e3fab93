// The first page: who are you? It leads on to the page of the role.
import { $, addTexts, call, fillTexts, frame, t, take, whoAmI } from "/base.js";

addTexts({
  en: {
    title: "Sign in", login: "Mail address", password: "Mail password", go: "Sign in", staff: "For staff of the provider", token: "Token",
    token_hint: "From your administrator.", about: "The address and the password are those of your mail.",
    wrong: "The address or the password is wrong, or signing in is not possible from here now.",
    wrong_token: "This token is not valid.", empty: "Fill in both fields.", code: "Code from the app on your phone, or an emergency code", code_needed: "Now the code, please.",
  },
  ja: {
    title: "サインイン", login: "メールアドレス", password: "メールのパスワード", go: "サインイン", staff: "担当者の方", token: "トークン",
    token_hint: "管理者から受け取ったものです。", about: "メールで使っているアドレスとパスワードを入力してください。",
    wrong: "メールアドレスかパスワードが違うか、今はここからサインインできません。",
    wrong_token: "このトークンは使えません。", empty: "両方の欄に入力してください。", code: "スマートフォンのアプリのコード、または緊急用コード", code_needed: "続けて、コードを入力してください。",
  },
});

const pages = { customer: "/me/", support: "/desk/", operator: "/operator/" };

function say(text) {
  $("wrong").textContent = text;
  $("wrong").hidden = !text;
}

function goOn(session) {
  take(session);
  location.assign(pages[session.role] || "/me/");
}

async function begin(form, body, wrong) {
  const button = form.querySelector("button");
  say("");
  button.disabled = true;
  try {
    goOn(await call("POST", "/session", body));
  } catch (error) {
    const needsCode = error.problem && /code-needed$/.test(error.problem.type || "");
    say(needsCode ? t("code_needed") : error.status === 401 ? wrong : error.message);
    button.disabled = false;
    if (!needsCode) { for (const input of form.querySelectorAll("[type=password]")) input.value = ""; return; }
    $("code-field").hidden = false;
    $("code").focus();
  }
}

document.title = t("service");
fillTexts();
frame();
if (location.search === "?ended") say(t("ended"));
$("sign-in").addEventListener("submit", (event) => {
  event.preventDefault();
  const login = $("login").value.trim(), password = $("password").value;
  if (!login || !password) { say(t("empty")); return; }
  const code = $("code").value.trim();
  begin(event.target, code ? { login, password, code } : { login, password }, t("wrong"));
});
$("staff").addEventListener("submit", (event) => {
  event.preventDefault();
  begin(event.target, { token: $("token").value.trim() }, t("wrong_token"));
});
whoAmI().then((session) => (session ? goOn(session) : $("login").focus())).catch((error) => say(error.message));
