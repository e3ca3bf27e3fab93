/* The verbs. Strict where a client could be wrong: the sink is a judge. */
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "tests/tools/sink/session.h"

static bool has(const struct session *s, enum feature feature)
{
    return s->sink->has_feature[feature];
}

static bool offers_starttls(const struct session *s)
{
    return s->sink->tls && !s->stream.ssl && has(s, FEATURE_STARTTLS);
}

/* Bytes behind a command that must be the last of its group. */
static void must_be_last(struct session *s, struct view line)
{
    s->sink->counts.early_input += buf_len(&s->stream.in) > line.n + 2;
}

/* ---- hello ---- */

/* The extensions in force, one each; returns how many. `size_line` is memory for one of them. */
static size_t extensions(const struct session *s, const char *out[FEATURE_COUNT], char size_line[32])
{
    static const char *const plain[FEATURE_COUNT] = {
        [FEATURE_PIPELINING] = "PIPELINING", [FEATURE_CHUNKING] = "CHUNKING",
        [FEATURE_8BITMIME] = "8BITMIME",     [FEATURE_BINARYMIME] = "BINARYMIME",
        [FEATURE_SMTPUTF8] = "SMTPUTF8",     [FEATURE_DSN] = "DSN",
        [FEATURE_ENHANCEDSTATUSCODES] = "ENHANCEDSTATUSCODES",
    };
    size_t n = 0;
    for (int i = 0; i < FEATURE_COUNT; i++)
        if (plain[i] && has(s, (enum feature)i))
            out[n++] = plain[i];
    if (has(s, FEATURE_SIZE)) {
        snprintf(size_line, 32, "SIZE %llu", (unsigned long long)s->sink->size_max_bytes);
        out[n++] = size_line;
    }
    if (s->stream.ssl && has(s, FEATURE_REQUIRETLS))
        out[n++] = "REQUIRETLS";
    if (offers_starttls(s))
        out[n++] = "STARTTLS";
    if (s->sink->auth && has(s, FEATURE_AUTH))
        out[n++] = "AUTH PLAIN";
    return n;
}

static void ehlo(struct session *s, struct view host)
{
    const char *lines[FEATURE_COUNT];
    char size_line[32], text[1024];
    size_t count = extensions(s, lines, size_line);
    int n = snprintf(text, sizeof text, "250%csink.invalid", count > 0 ? '-' : ' ');
    for (size_t i = 0; i < count; i++)
        n += snprintf(text + n, sizeof text - (size_t)n, "\r\n250%c%s", i + 1 < count ? '-' : ' ',
                      lines[i]);
    view_to_cstr(host, s->helo, sizeof s->helo);
    message_reset(&s->message);
    s->is_esmtp = session_answer(s, PHASE_EHLO, host, text) == TAKEN;
}

static void helo(struct session *s, struct view host)
{
    view_to_cstr(host, s->helo, sizeof s->helo);
    message_reset(&s->message);
    s->is_esmtp = false;
    session_answer(s, PHASE_EHLO, host, "250 sink.invalid");
}

static void starttls(struct session *s, struct view line)
{
    if (!offers_starttls(s)) {
        session_reply(s, "502 5.5.1 not offered");
        return;
    }
    s->starts_tls = session_answer(s, PHASE_STARTTLS, VIEW_EMPTY, "220 2.0.0 go ahead") == TAKEN;
    if (s->starts_tls) {
        must_be_last(s, line);
        message_reset(&s->message);
    }
}

/* ---- AUTH PLAIN ---- */

static bool password_is_right(const struct session *s, struct view base64)
{
    unsigned char got[1024] = {0};
    char want[512];
    int pad = 0;
    if (base64.n == 0 || base64.n % 4 != 0 || base64.n > 1000)
        return false;
    for (size_t i = base64.n; i > 0 && base64.p[i - 1] == '='; i--)
        pad++;
    int n = EVP_DecodeBlock(got, (const unsigned char *)base64.p, (int)base64.n) - pad;
    int len = snprintf(want, sizeof want, "%c%s", 0, s->sink->auth);
    char *colon = strchr(want + 1, ':');
    if (n < 0 || len < 0 || !colon)
        return false;
    *colon = '\0';
    return view_eq(view_of((char *)got, (size_t)n), view_of(want, (size_t)len));
}

static void auth_response(struct session *s, struct view base64)
{
    s->state = STATE_COMMAND;
    if (password_is_right(s, base64))
        s->is_authenticated =
            session_answer(s, PHASE_AUTH, VIEW_EMPTY, "235 2.7.0 welcome") == TAKEN;
    else
        session_reply(s, "535 5.7.8 wrong");
}

static void auth(struct session *s, struct view rest)
{
    struct view mechanism = view_cut(&rest, ' ');
    if (!s->sink->auth || !has(s, FEATURE_AUTH) || s->is_authenticated || s->message.is_open) {
        session_reply(s, "503 5.5.1 no AUTH here and now");
    } else if (!view_eq_nocase(mechanism, VIEW_LIT("PLAIN"))) {
        session_reply(s, "504 5.5.4 only PLAIN");
    } else if (rest.n > 0) {
        auth_response(s, rest);
    } else {
        session_reply(s, "334 ");
        s->state = STATE_AUTH;
    }
}

/* ---- the transaction ---- */

/* "<path>" off the front of `*rest`; the parameters stay. False if it is malformed. */
static bool take_path(struct view *rest, struct view *path_out)
{
    bool is_quoted = false;
    if (rest->n == 0 || rest->p[0] != '<')
        return false;
    for (size_t i = 1; i < rest->n; i++) {
        char c = rest->p[i];
        if (c == '\\' && is_quoted)
            i++;
        else if (c == '"')
            is_quoted = !is_quoted;
        else if (c == '>' && !is_quoted) {
            *path_out = view_slice(*rest, 1, i);
            *rest = view_slice(*rest, i + 1, rest->n);
            return rest->n == 0 || rest->p[0] == ' ';
        }
    }
    return false;
}

struct param {
    const char *keyword;
    enum feature feature;
};

/* Every parameter must be one that was offered. */
static bool params_are_known(const struct session *s, struct view params,
                             const struct param *known, size_t known_count)
{
    while (params.n > 0) {
        struct view value = view_cut(&params, ' ');
        struct view keyword = view_cut(&value, '=');
        size_t i = 0;
        while (i < known_count && !view_eq_nocase(keyword, view_cstr(known[i].keyword)))
            i++;
        if (i == known_count || !has(s, known[i].feature))
            return false;
    }
    return true;
}

static bool is_too_big(const struct session *s, struct view params)
{
    uint64_t n;
    while (params.n > 0) {
        struct view word = view_cut(&params, ' ');
        if (view_has_prefix_nocase(word, VIEW_LIT("SIZE=")) &&
            (!view_parse_u64(view_slice(word, 5, word.n), UINT64_MAX, &n) ||
             n > s->sink->size_max_bytes))
            return true;
    }
    return false;
}

static void mail(struct session *s, struct view rest)
{
    static const struct param known[] = {
        {"SIZE", FEATURE_SIZE},  {"BODY", FEATURE_8BITMIME}, {"SMTPUTF8", FEATURE_SMTPUTF8},
        {"RET", FEATURE_DSN},    {"ENVID", FEATURE_DSN},     {"REQUIRETLS", FEATURE_REQUIRETLS},
        {"AUTH", FEATURE_AUTH},
    };
    struct view path;
    if (s->message.is_open) {
        session_reply(s, "503 5.5.1 nested MAIL");
        return;
    }
    if (s->sink->requires_tls && !s->stream.ssl) {
        session_reply(s, "530 5.7.0 STARTTLS first");
        return;
    }
    if (s->sink->auth && !s->is_authenticated) {
        session_reply(s, "530 5.7.0 AUTH first");
        return;
    }
    if (!s->helo[0] || !take_path(&rest, &path)) {
        session_reply(s, s->helo[0] ? "501 5.5.4 bad path" : "503 5.5.1 EHLO first");
        return;
    }
    struct view params = view_trim(rest);
    if (!params_are_known(s, params, known, sizeof known / sizeof known[0])) {
        session_reply(s, "555 5.5.4 parameter not offered");
        return;
    }
    if (is_too_big(s, params)) {
        session_reply(s, "552 5.3.4 too big");
        return;
    }
    if (session_answer(s, PHASE_MAIL, path, "250 2.1.0 ok") == TAKEN &&
        message_open(&s->message, path, params)) {
        s->sink->counts.transactions++;
        s->has_begun_body = false;
    }
}

/* Local parts "r450-…" and "d552-…" name the code they get, at RCPT or at the end of the data. */
static const char *code_by_name(struct view address, char letter, char reply[64])
{
    if (address.n < 5 || address.p[0] != letter || address.p[4] != '-' ||
        (address.p[1] != '4' && address.p[1] != '5') || !ascii_is_digit(address.p[2]) ||
        !ascii_is_digit(address.p[3]))
        return NULL;
    snprintf(reply, 64, "%.3s %c.2.0 by its name", address.p + 1, address.p[1]);
    return reply;
}

static void rcpt(struct session *s, struct view rest)
{
    static const struct param known[] = {{"NOTIFY", FEATURE_DSN}, {"ORCPT", FEATURE_DSN}};
    struct view path;
    char reply[64];
    if (!s->message.is_open) {
        session_reply(s, "503 5.5.1 MAIL first");
        return;
    }
    if (!take_path(&rest, &path) || path.n == 0) {
        session_reply(s, "501 5.5.4 bad path");
        return;
    }
    struct view params = view_trim(rest);
    if (!params_are_known(s, params, known, sizeof known / sizeof known[0])) {
        session_reply(s, "555 5.5.4 parameter not offered");
    } else if (s->message.rcpt_count >= s->sink->rcpt_max_count) {
        session_reply(s, "452 4.5.3 too many recipients");
    } else if (code_by_name(path, 'r', reply)) {
        session_reply(s, reply);
    } else if (session_answer(s, PHASE_RCPT, path, "250 2.1.5 ok") == TAKEN) {
        message_add_rcpt(&s->message, path, params);
    }
}

static void data(struct session *s, struct view line)
{
    if (s->message.rcpt_count == 0) {
        session_reply(s, s->message.is_open ? "554 5.5.1 no recipients" : "503 5.5.1 MAIL first");
        return;
    }
    if (s->message.is_bdat) {
        session_reply(s, "503 5.5.1 BDAT was begun");
        return;
    }
    must_be_last(s, line);
    if (session_answer(s, PHASE_DATA, VIEW_EMPTY, "354 go ahead") == TAKEN) {
        s->state = STATE_DATA;
        message_begin_body(&s->message, true);
    }
}

static void bdat(struct session *s, struct view rest)
{
    struct view size = view_cut(&rest, ' ');
    uint64_t n;
    bool is_last = view_eq_nocase(rest, VIEW_LIT("LAST"));
    if (!has(s, FEATURE_CHUNKING) || (rest.n > 0 && !is_last) ||
        !view_parse_u64(size, 1u << 30, &n)) {
        session_reply(s, "501 5.5.4 bad BDAT"); /* where the next command begins is unknown now */
        s->is_quitting = true;
        return;
    }
    s->drops_bdat = s->message.rcpt_count == 0;
    if (!s->drops_bdat && !s->message.is_bdat) {
        s->message.is_bdat = true;
        message_begin_body(&s->message, false);
    }
    s->bdat_left_bytes = n;
    s->bdat_is_last = is_last;
    s->state = STATE_BDAT;
}

/* The reply that a recipient asks for by its name, or the usual. */
static const char *reply_by_rcpt(struct session *s, char reply[64])
{
    struct rcpt *r, *tmp;
    LIST_FOREACH(r, tmp, &s->message.rcpts, struct rcpt, link) {
        if (code_by_name(view_cstr(r->address), 'd', reply))
            return reply;
    }
    return NULL;
}

static bool accepts(const struct fault *f)
{
    return !f || f->action == ACTION_OK || f->action == ACTION_EARLY ||
           (f->action == ACTION_REPLY && f->text[0] == '2');
}

/* A message is recorded before its answer goes out; after-eod rules replace that answer. */
static void end_well_or_by_rule(struct session *s)
{
    char usual[64];
    struct view from = view_cstr(s->message.from);
    const struct fault *f = faults_take(&s->sink->faults, PHASE_EOD, from);
    snprintf(usual, sizeof usual, "250 2.0.0 kept as %llu",
             (unsigned long long)s->sink->counts.messages + 1);
    if (accepts(f)) {
        if (!store_message(s)) {
            session_reply(s, "451 4.3.0 cannot record it");
            return;
        }
        const struct fault *after = faults_take(&s->sink->faults, PHASE_AFTER_EOD, from);
        f = after ? after : f;
    }
    session_answer_by(s, f, usual);
}

void command_end_of_message(struct session *s)
{
    char reply[64];
    if (reply_by_rcpt(s, reply))
        session_reply(s, reply);
    else if (s->message.size_bytes > s->sink->size_max_bytes)
        session_reply(s, "552 5.3.4 too big");
    else
        end_well_or_by_rule(s);
    message_reset(&s->message);
}

/* ---- dispatch ---- */

static void rset(struct session *s)
{
    if (session_answer(s, PHASE_RSET, VIEW_EMPTY, "250 2.0.0 ok") == TAKEN)
        message_reset(&s->message);
}

static void quit(struct session *s)
{
    session_answer(s, PHASE_QUIT, VIEW_EMPTY, "221 2.0.0 bye");
    s->is_quitting = !s->is_doomed && !s->is_stuck;
}

/* "FROM:" or "TO:" off the front. */
static bool take_word(struct view *rest, struct view word)
{
    bool is_there = view_has_prefix_nocase(*rest, word);
    if (is_there)
        *rest = view_slice(*rest, word.n, rest->n);
    return is_there;
}

void command_line(struct session *s, struct view line)
{
    if (s->state == STATE_AUTH) {
        auth_response(s, line);
        return;
    }
    struct view rest = line, verb = view_cut(&rest, ' ');
    bool is_bdat = view_eq_nocase(verb, VIEW_LIT("BDAT")); /* its octets follow at once */
    bool is_group_end = view_eq_nocase(verb, VIEW_LIT("EHLO")) ||
                        view_eq_nocase(verb, VIEW_LIT("AUTH"));
    if (is_group_end || (!has(s, FEATURE_PIPELINING) && !is_bdat))
        must_be_last(s, line);
    if (view_eq_nocase(verb, VIEW_LIT("MAIL")) && take_word(&rest, VIEW_LIT("FROM:")))
        mail(s, rest);
    else if (view_eq_nocase(verb, VIEW_LIT("RCPT")) && take_word(&rest, VIEW_LIT("TO:")))
        rcpt(s, rest);
    else if (view_eq_nocase(line, VIEW_LIT("DATA")))
        data(s, line);
    else if (is_bdat)
        bdat(s, rest);
    else if (view_eq_nocase(verb, VIEW_LIT("EHLO")) && rest.n > 0)
        ehlo(s, rest);
    else if (view_eq_nocase(verb, VIEW_LIT("HELO")) && rest.n > 0)
        helo(s, rest);
    else if (view_eq_nocase(line, VIEW_LIT("STARTTLS")))
        starttls(s, line);
    else if (view_eq_nocase(verb, VIEW_LIT("AUTH")))
        auth(s, rest);
    else if (view_eq_nocase(line, VIEW_LIT("RSET")))
        rset(s);
    else if (view_eq_nocase(line, VIEW_LIT("QUIT")))
        quit(s);
    else if (view_eq_nocase(verb, VIEW_LIT("NOOP")))
        session_reply(s, "250 2.0.0 ok");
    else
        session_reply(s, "500 5.5.2 unknown or malformed command");
}
