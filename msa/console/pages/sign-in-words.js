// How a sign-in is told, to its owner and at the desk alike.
import { addTexts, badge, t } from "/base.js";

addTexts({
  en: {
    protocol_smtp: "sending (SMTP)", protocol_imap: "reading (IMAP)", protocol_pop: "reading (POP)", protocol_page: "this page", protocol_other: "another program",
    result_allowed: "allowed", "result_wrong-password": "wrong password", result_overseas: "overseas refused", result_restricted: "restricted", result_refused: "refused",
  },
  ja: {
    protocol_smtp: "送信（SMTP）", protocol_imap: "受信（IMAP）", protocol_pop: "受信（POP）", protocol_page: "このページ", protocol_other: "その他",
    result_allowed: "許可", "result_wrong-password": "パスワード違い", result_overseas: "海外拒否", result_restricted: "制限中", result_refused: "拒否",
  },
});

const looks = { allowed: "good", "wrong-password": "warn", overseas: "bad", restricted: "bad", refused: "bad" };

export const resultBadge = (s) => badge(looks[s.result] || "", t(`result_${s.result}`));
export const protocolName = (s) => t(`protocol_${s.protocol}`);
