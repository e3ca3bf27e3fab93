#include "tests/tools/sink/faults.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

static const char *const phase_names[PHASE_COUNT] = {
    [PHASE_BANNER] = "banner", [PHASE_EHLO] = "ehlo", [PHASE_STARTTLS] = "starttls",
    [PHASE_AUTH] = "auth",     [PHASE_MAIL] = "mail", [PHASE_RCPT] = "rcpt",
    [PHASE_DATA] = "data",     [PHASE_BODY] = "body", [PHASE_EOD] = "eod",
    [PHASE_RSET] = "rset",     [PHASE_QUIT] = "quit", [PHASE_AFTER_EOD] = "after-eod",
};

static const char *const action_names[ACTION_COUNT] = {
    [ACTION_OK] = "ok",           [ACTION_REPLY] = "reply", [ACTION_EARLY] = "early",
    [ACTION_HANG] = "hang",       [ACTION_DROP] = "drop",   [ACTION_RESET] = "reset",
    [ACTION_GARBAGE] = "garbage", [ACTION_LONG] = "long",   [ACTION_FLOOD] = "flood",
};

static int index_of(const char *const *names, int count, struct view word)
{
    for (int i = 0; i < count; i++)
        if (view_eq(word, view_cstr(names[i])))
            return i;
    return -1;
}

static struct view next_word(struct view *rest)
{
    *rest = view_trim(*rest);
    return view_cut(rest, ' ');
}

/* Copies TEXT, with \n for CRLF, and ends it with CRLF. */
static bool set_text(struct fault *rule, struct view text)
{
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (n + 5 > sizeof rule->text)
            return false;
        if (text.p[i] == '\\' && i + 1 < text.n && text.p[i + 1] == 'n') {
            rule->text[n++] = '\r';
            rule->text[n++] = '\n';
            i++;
        } else {
            rule->text[n++] = text.p[i];
        }
    }
    memcpy(rule->text + n, "\r\n", 3);
    return true;
}

/* "to PATTERN", "skip N", "times N", "delay MS"; false if `word` is none of them or its value is bad. */
static bool take_modifier(struct fault *rule, struct view word, struct view *rest)
{
    if (view_eq(word, VIEW_LIT("to")))
        return view_to_cstr(next_word(rest), rule->pattern, sizeof rule->pattern);
    uint64_t *number = view_eq(word, VIEW_LIT("skip"))    ? &rule->skip_count
                       : view_eq(word, VIEW_LIT("times")) ? &rule->times_count
                       : view_eq(word, VIEW_LIT("delay")) ? &rule->delay_ms
                                                          : NULL;
    return number && view_parse_u64(next_word(rest), 1u << 30, number);
}

bool faults_add(struct faults *f, struct view line, const char **why_out)
{
    struct fault rule = {.times_count = UINT64_MAX};
    struct view rest = view_trim(line), word = next_word(&rest);
    if (word.n == 0 || word.p[0] == '#')
        return true;
    int phase = index_of(phase_names, PHASE_COUNT, word), action;
    *why_out = "no such phase";
    if (phase < 0)
        return false;
    rule.phase = (enum phase)phase;
    *why_out = "neither a modifier nor an action";
    while (word = next_word(&rest), (action = index_of(action_names, ACTION_COUNT, word)) < 0)
        if (!take_modifier(&rule, word, &rest))
            return false;
    rule.action = (enum action)action;
    *why_out = "text is missing or too long";
    bool wants_text = rule.action == ACTION_REPLY || rule.action == ACTION_EARLY;
    if (wants_text != (view_trim(rest).n > 0) || (wants_text && !set_text(&rule, view_trim(rest))))
        return false;
    *why_out = "too many rules";
    if (f->count == FAULTS_MAX)
        return false;
    f->rules[f->count++] = rule;
    return true;
}

bool faults_read(struct faults *f, const char *path)
{
    char line[1024];
    const char *why;
    FILE *file = fopen(path, "re");
    bool is_ok = file != NULL;
    if (!file)
        perror(path);
    for (int number = 1; is_ok && fgets(line, sizeof line, file); number++) {
        line[strcspn(line, "\n")] = '\0';
        is_ok = faults_add(f, view_cstr(line), &why);
        if (!is_ok)
            fprintf(stderr, "%s:%d: %s: %s\n", path, number, why, line);
    }
    if (file)
        fclose(file);
    return is_ok;
}

static bool applies(const struct fault *rule, enum phase phase, struct view address)
{
    char text[512];
    if (rule->phase != phase || rule->times_count == 0)
        return false;
    if (!rule->pattern[0])
        return true;
    return view_to_cstr(address, text, sizeof text) && fnmatch(rule->pattern, text, 0) == 0;
}

const struct fault *faults_take(struct faults *f, enum phase phase, struct view address)
{
    for (unsigned i = 0; i < f->count; i++) {
        struct fault *rule = &f->rules[i];
        if (!applies(rule, phase, address))
            continue;
        if (rule->skip_count > 0) {
            rule->skip_count--;
            continue;
        }
        if (rule->times_count != UINT64_MAX)
            rule->times_count--;
        return rule;
    }
    return NULL;
}
