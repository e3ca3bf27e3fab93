#include "msa/mail/command.h"

#include <stddef.h>

#include "msa/base/err.h"

static const struct {
    const char *word;
    enum command_verb verb;
} verbs[] = {
    {"EHLO", COMMAND_EHLO},
    {"HELO", COMMAND_HELO},
    {"STARTTLS", COMMAND_STARTTLS},
    {"AUTH", COMMAND_AUTH},
    {"MAIL", COMMAND_MAIL},
    {"RCPT", COMMAND_RCPT},
    {"DATA", COMMAND_DATA},
    {"BDAT", COMMAND_BDAT},
    {"RSET", COMMAND_RSET},
    {"NOOP", COMMAND_NOOP},
    {"VRFY", COMMAND_VRFY},
    {"EXPN", COMMAND_EXPN},
    {"HELP", COMMAND_HELP},
    {"QUIT", COMMAND_QUIT},
    {"ETRN", COMMAND_ETRN},
    {"BURL", COMMAND_BURL},
    {"XCLIENT", COMMAND_XCLIENT},
    {"XFORWARD", COMMAND_XCLIENT},
    /* RFC 9110 section 9.3, RFC 5789, and the preface of HTTP/2 (RFC 9113 section 3.4). */
    {"GET", COMMAND_HTTP},
    {"HEAD", COMMAND_HTTP},
    {"POST", COMMAND_HTTP},
    {"PUT", COMMAND_HTTP},
    {"DELETE", COMMAND_HTTP},
    {"CONNECT", COMMAND_HTTP},
    {"OPTIONS", COMMAND_HTTP},
    {"TRACE", COMMAND_HTTP},
    {"PATCH", COMMAND_HTTP},
    {"PRI", COMMAND_HTTP},
};
#define VERBS (sizeof verbs / sizeof verbs[0])

static bool has_control(struct view line)
{
    for (size_t i = 0; i < line.n; i++)
        if ((unsigned char)line.p[i] < 0x20 || line.p[i] == 0x7f)
            return true;
    return false;
}

static enum command_verb verb_of(struct view word)
{
    for (size_t i = 0; i < VERBS; i++)
        if (view_eq_nocase(word, view_cstr(verbs[i].word)))
            return verbs[i].verb;
    return COMMAND_UNKNOWN;
}

int command_parse(struct view line, struct command *out)
{
    while (line.n > 0 && (line.p[line.n - 1] == ' ' || line.p[line.n - 1] == '\t'))
        line.n--; /* RFC 5321 section 4.1.1: tolerate white space before the CRLF */
    if (line.n == 0 || line.p[0] == ' ' || has_control(line))
        return MSA_EINVAL;
    struct view word = view_cut(&line, ' ');
    *out = (struct command){.verb = verb_of(word), .word = word, .args = view_trim(line)};
    return MSA_OK;
}

bool command_take_keyword(struct view *args, struct view keyword)
{
    if (!view_has_prefix_nocase(*args, keyword))
        return false;
    *args = view_slice(*args, keyword.n, args->n);
    while (args->n > 0 && args->p[0] == ' ')
        *args = view_slice(*args, 1, args->n);
    return true;
}

const char *command_verb_name(enum command_verb verb)
{
    for (size_t i = 0; i < VERBS && verb != COMMAND_HTTP; i++)
        if (verbs[i].verb == verb)
            return verbs[i].word;
    return verb == COMMAND_HTTP ? "HTTP" : "unknown";
}

int command_parse_bdat(struct view args, uint64_t *octets_out, bool *is_last_out)
{
    struct view size = view_cut(&args, ' ');
    bool is_last = view_eq_nocase(args, VIEW_LIT("LAST"));
    if ((args.n > 0 && !is_last) || !view_parse_u64(size, INT64_MAX, octets_out))
        return MSA_EINVAL;
    *is_last_out = is_last;
    return MSA_OK;
}
