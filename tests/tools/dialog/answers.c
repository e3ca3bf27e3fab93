/* What the other roles answer in a transcript. */
#include "tests/tools/dialog/play.h"

static const struct {
    const char *name;
    unsigned code;
} codes[] = {
    {"allow", VERDICT_ALLOW},         {"defer", VERDICT_DEFER},
    {"refuse", VERDICT_REFUSE},       {"close", VERDICT_CLOSE},
    {"ok", AUTH_OK},                  {"bad", AUTH_BAD_CREDENTIALS},
    {"unknown", AUTH_NO_SUCH_USER},   {"disabled", AUTH_DISABLED},
    {"malformed", AUTH_MALFORMED},    {"no-mechanism", AUTH_NO_MECHANISM},
    {"unavailable", AUTH_UNAVAILABLE}, {"delivered", RELAY_DELIVERED},
    {"queued", RELAY_QUEUED},         {"refused", RELAY_REFUSED},
    {"failed", RELAY_FAILED},
};

static bool take_code(struct fake_answer *a, struct view word)
{
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (view_eq(word, view_cstr(codes[i].name))) {
            a->code = codes[i].code;
            return true;
        }
    return false;
}

static bool take_option(struct fake_answer *a, struct view key, struct view value)
{
    uint64_t n = 0;
    if (view_eq(key, VIEW_LIT("enhanced")))
        return view_to_cstr(value, a->enhanced, sizeof a->enhanced);
    if (!view_parse_u64(value, UINT32_MAX, &n))
        return false;
    if (view_eq(key, VIEW_LIT("delay")))
        a->delay_ms = (uint32_t)n;
    else if (view_eq(key, VIEW_LIT("code")))
        a->foreign_code = (uint16_t)n;
    else if (view_eq(key, VIEW_LIT("score")))
        a->score_milli = (int64_t)n;
    else if (view_eq(key, VIEW_LIT("sender_field")))
        a->sender_field = (uint8_t)n;
    else if (view_eq(key, VIEW_LIT("held")))
        a->is_held = n;
    else if (view_eq(key, VIEW_LIT("may_score")))
        a->may_score = n;
    else if (view_eq(key, VIEW_LIT("may_normalize")))
        a->may_normalize = n;
    else
        return false;
    return true;
}

/* "answer: mail refuse delay=100 | words", "answer: score lost" */
void play_word_answer(struct play *p, struct view rest)
{
    struct buf text;
    struct view words = view_cut(&rest, '|');
    int kind = fake_kind_of(view_cut(&words, ' '));
    struct fake_answer a = {.is_set = true};
    while (words.n > 0) {
        struct view value = view_cut(&words, ' ');
        struct view key = view_cut(&value, '=');
        if (view_eq(key, VIEW_LIT("lost")))
            a.is_lost = true;
        else if (key.n > 0 && !take_code(&a, key) && !take_option(&a, key, value))
            play_fail(p, "no such answer: %.*s", (int)key.n, key.p);
    }
    buf_init(&text, sizeof a.text);
    bool is_good = play_unescape(view_trim(rest), &text) &&
                   view_to_cstr(buf_view(&text), a.text, sizeof a.text) && kind >= 0;
    buf_fini(&text);
    if (is_good)
        p->fake.answers[kind] = a;
    else
        play_fail(p, "malformed answer");
}
