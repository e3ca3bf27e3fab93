#include "policy/notice/texts.h"

/* What a customer reads says what happened, what it means for them and what to do; never a link, which a forger of
 * such mails would send, and never the rule's threshold, which an attacker would like to know. */

#define JA_FACTS                                                                                   \
    "\n"                                                                                           \
    "  アカウント: {{login}}\n"                                                                    \
    "  日時: {{at}}\n"                                                                             \
    "  接続元の国: {{country}}\n"                                                                  \
    "  接続元: {{address}}\n"                                                                      \
    "  期限: {{until}}\n"                                                                          \
    "\n"
#define EN_FACTS                                                                                   \
    "\n"                                                                                           \
    "  Account: {{login}}\n"                                                                       \
    "  Time: {{at}}\n"                                                                             \
    "  Country of origin: {{country}}\n"                                                           \
    "  Origin: {{address}}\n"                                                                      \
    "  Until: {{until}}\n"                                                                         \
    "\n"
#define JA_ASK "ご不明な点は、サポート窓口までお問い合わせください。\n"
#define EN_ASK "If you have any questions, please contact our support desk.\n"
#define JA_PASSWORD                                                                                \
    "心当たりがない場合は、パスワードを変更し、パソコンやスマートフォンにウイルスがないかご確認ください。\n"              \
    JA_ASK
#define EN_PASSWORD                                                                                \
    "If this was not you, please change your password and check your devices for malware.\n"       \
    EN_ASK

#define JA_DESK(title)                                                                             \
    "Subject: [msad] " title ": {{login}}\n"                                                       \
    "\n" DESK_FACTS("アカウント", "日時", "規則", "理由", "根拠", "国", "接続元", "期限",          \
                    "制限番号", "担当者", "メモ")
#define EN_DESK(title)                                                                             \
    "Subject: [msad] " title ": {{login}}\n"                                                       \
    "\n" DESK_FACTS("Account", "Time", "Rule", "Because", "Grounds", "Country", "Origin", "Until", \
                    "Restriction", "Actor", "Note")
#define DESK_FACTS(login, at, rule, because, grounds, country, address, until, id, actor, note)    \
    login ": {{login}}\n" at ": {{at}}\n" rule ": {{rule}}\n" because ": {{because}}\n" grounds    \
          ": {{grounds}}\n" country ": {{country}}\n" address ": {{address}}\n" until              \
          ": {{until}}\n" id ": {{restriction}}\n" actor ": {{actor}}\n" note ": {{note}}\n"

static const char *const texts[NOTICE_LANGUAGE_COUNT][NOTICE_READER_COUNT][MATTER_KIND_COUNT] = {
    [NOTICE_JAPANESE][NOTICE_CUSTOMER] = {
        [MATTER_SUSPENDED] = "Subject: メール送信を停止しました\n\n"
            "不正利用のおそれがあるため、次のアカウントからのメール送信を停止しました。\n"
            JA_FACTS JA_PASSWORD "送信の再開は、サポート窓口で承ります。\n",
        [MATTER_HELD] = "Subject: メールの配送を保留しました\n\n"
            "確認のため、次のアカウントから送信されたメールの配送を保留しています。メールは失われていません。\n"
            JA_FACTS JA_PASSWORD,
        [MATTER_LOCKED] = "Subject: メール送信の認証を一時的に停止しました\n\n"
            "認証の失敗が続いたため、次のアカウントでのメール送信の認証を一時的に停止しました。\n"
            JA_FACTS JA_PASSWORD,
        [MATTER_OVERSEAS] = "Subject: 海外からのメール送信を遮断しました\n\n"
            "お客様の設定に従い、海外からのメール送信の認証を遮断しました。\n"
            JA_FACTS JA_PASSWORD "海外で利用される場合は、設定を変更してください。\n",
        [MATTER_RELEASED] = "Subject: メール送信の制限を解除しました\n\n"
            "次のアカウントのメール送信の制限を解除しました。現在はご利用いただけます。\n"
            JA_FACTS JA_ASK,
        [MATTER_LIMITED] = "Subject: メール送信を制限しました\n\n"
            "送信の上限に達したため、次のアカウントからのメールの一部を受け付けませんでした。\n"
            JA_FACTS JA_PASSWORD,
        [MATTER_WARNED] = "Subject: メール送信についての確認のお願い\n\n"
            "次のアカウントで、普段と異なる利用がありました。メール送信は引き続きご利用いただけます。\n"
            JA_FACTS JA_PASSWORD,
        [MATTER_LOCKED_BY_OWNER] = "Subject: お申し出によりメールの認証を停止しました\n\n"
            "「心当たりがない」とのお申し出により、次のアカウントの認証を停止し、接続を切断しました。\n"
            JA_FACTS "新しいパスワードに変更すると、再びご利用いただけます。\n" JA_ASK,
    },
    [NOTICE_ENGLISH][NOTICE_CUSTOMER] = {
        [MATTER_SUSPENDED] = "Subject: Sending of mail was stopped\n\n"
            "Somebody may be misusing this account, so it can send no mail for now.\n"
            EN_FACTS EN_PASSWORD "The support desk can let it send again.\n",
        [MATTER_HELD] = "Subject: Your mail is being held\n\n"
            "Mail sent from this account is held until it has been checked. None of it is lost.\n"
            EN_FACTS EN_PASSWORD,
        [MATTER_LOCKED] = "Subject: Signing in was locked for a time\n\n"
            "After repeated failures, signing in to send mail is locked for this account for a time.\n"
            EN_FACTS EN_PASSWORD,
        [MATTER_OVERSEAS] = "Subject: A sign-in from abroad was blocked\n\n"
            "As your settings ask, a sign-in from abroad to send mail was blocked.\n"
            EN_FACTS EN_PASSWORD "If you send mail from abroad, please change that setting.\n",
        [MATTER_RELEASED] = "Subject: Your account can send mail again\n\n"
            "The restriction on this account was lifted. It can send mail now.\n"
            EN_FACTS EN_ASK,
        [MATTER_LIMITED] = "Subject: Sending of mail was limited\n\n"
            "This account reached a limit, so some of its mail was not accepted.\n"
            EN_FACTS EN_PASSWORD,
        [MATTER_WARNED] = "Subject: Please check the use of your account\n\n"
            "This account was used in an unusual way. It can still send mail.\n"
            EN_FACTS EN_PASSWORD,
        [MATTER_LOCKED_BY_OWNER] = "Subject: Signing in was stopped at your request\n\n"
            "You told us that a sign-in was not yours, so signing in is stopped and connections were cut.\n"
            EN_FACTS "It opens again with a new password.\n" EN_ASK,
    },
    [NOTICE_JAPANESE][NOTICE_DESK] = {
        [MATTER_SUSPENDED] = JA_DESK("送信停止"),   [MATTER_HELD] = JA_DESK("配送保留"),
        [MATTER_LOCKED] = JA_DESK("認証ロック"),    [MATTER_OVERSEAS] = JA_DESK("海外遮断"),
        [MATTER_RELEASED] = JA_DESK("制限解除"),    [MATTER_LIMITED] = JA_DESK("送信制限"),
        [MATTER_WARNED] = JA_DESK("注意"),          [MATTER_LOCKED_BY_OWNER] = JA_DESK("本人による停止"),
    },
    [NOTICE_ENGLISH][NOTICE_DESK] = {
        [MATTER_SUSPENDED] = EN_DESK("suspended"),       [MATTER_HELD] = EN_DESK("held"),
        [MATTER_LOCKED] = EN_DESK("locked"),             [MATTER_OVERSEAS] = EN_DESK("overseas"),
        [MATTER_RELEASED] = EN_DESK("released"),         [MATTER_LIMITED] = EN_DESK("limited"),
        [MATTER_WARNED] = EN_DESK("warned"),             [MATTER_LOCKED_BY_OWNER] = EN_DESK("locked by owner"),
    },
};

const char *notice_language_code(enum notice_language language)
{
    return language == NOTICE_ENGLISH ? "en" : "ja";
}

struct view notice_text(enum notice_language language, enum notice_reader reader,
                        enum matter_kind kind)
{
    return view_cstr(texts[language][reader][kind]);
}
