"use strict";
// The start page: signing in and out. Everything is the API's; nothing is kept here but the token of the session.
const texts = {
  en: { title: "Mail sending service", sign_in: "Sign in", login: "Mail address", password: "Password of your mail",
    go: "Sign in", you_are: "You are signed in as", sign_out: "Sign out",
    wrong: "The address or the password is wrong, or signing in is not possible now.",
    away: "The service cannot be reached. Try again in a moment." },
  ja: { title: "メール送信サービス", sign_in: "サインイン", login: "メールアドレス", password: "メールのパスワード",
    go: "サインイン", you_are: "サインイン中:", sign_out: "サインアウト",
    wrong: "メールアドレスまたはパスワードが違うか、現在サインインできません。",
    away: "サービスに接続できません。しばらくしてからもう一度お試しください。" },
};
const language = (navigator.languages || [navigator.language]).some((l) => /^ja\b/i.test(l)) &&
  /^ja\b/i.test(navigator.language) ? "ja" : "en";
const $ = (id) => document.getElementById(id);
let csrfToken = "";

function say(id, key) { $(id).textContent = key ? texts[language][key] : ""; $(id).hidden = !key; }

function show(session) {
  csrfToken = session ? session.csrf_token : "";
  $("sign-in").hidden = Boolean(session);
  $("signed-in").hidden = !session;
  $("who").textContent = session ? session.login || session.actor : "";
}

async function call(method, path, body) {
  const headers = { "Accept": "application/json" };
  if (body) headers["Content-Type"] = "application/json";
  if (csrfToken) headers["X-CSRF-Token"] = csrfToken;
  const answer = await fetch("/api/v1" + path, { method, headers, body: body && JSON.stringify(body) });
  return { status: answer.status, body: await answer.json() };
}

async function begin(event) {
  event.preventDefault();
  const button = $("sign-in").querySelector("button");
  button.disabled = true;
  say("failed", "");
  try {
    const answer = await call("POST", "/session", { login: $("login").value.trim(), password: $("password").value });
    $("password").value = "";
    if (answer.status === 201) show(answer.body);
    else say("failed", answer.status === 401 ? "wrong" : "away");
  } catch { say("failed", "away"); }
  button.disabled = false;
}

document.documentElement.lang = language;
for (const e of document.querySelectorAll("[data-text]")) e.textContent = texts[language][e.dataset.text];
document.title = texts[language].title;
$("sign-in").addEventListener("submit", begin);
$("sign-out").addEventListener("click", async () => { await call("DELETE", "/session"); show(null); });
call("GET", "/session").then((answer) => show(answer.body.csrf_token ? answer.body : null), () => show(null));
