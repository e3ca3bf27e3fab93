#include "msa/mail/reply.h"

#include <stdio.h>

#include "msa/base/err.h"

void reply_init(struct reply *r)
{
    *r = (struct reply){.code = 0};
    buf_init(&r->text, REPLY_TEXT_MAX);
    buf_init(&r->line, REPLY_LINE_MAX);
}

void reply_reset(struct reply *r)
{
    buf_reset(&r->text);
    buf_reset(&r->line);
    r->code = 0;
    r->enhanced = (struct enhanced_code){.class = 0};
    r->line_count = 0;
    r->error = 0;
    r->is_complete = false;
}

void reply_fini(struct reply *r)
{
    buf_fini(&r->text);
    buf_fini(&r->line);
}

/* ---- one line
 * ---------------------------------------------------------------------------------- */

/* One to three digits without leading zeros (RFC 3463 section 2). */
static bool take_number(struct view *v, uint16_t *out)
{
    size_t n = 0;
    uint64_t number;
    while (n < v->n && ascii_is_digit(v->p[n]))
        n++;
    bool has_zero_first = n > 1 && v->p[0] == '0';
    if (n > 3 || has_zero_first || !view_parse_u64(view_slice(*v, 0, n), 999, &number))
        return false;
    *v = view_slice(*v, n, v->n);
    *out = (uint16_t)number;
    return true;
}

bool enhanced_code_take(struct view *v, struct enhanced_code *out)
{
    struct view rest = *v;
    uint16_t class, subject, detail;
    if (!take_number(&rest, &class) || !view_take_char(&rest, '.') || !take_number(&rest, &subject) ||
        !view_take_char(&rest, '.') || !take_number(&rest, &detail))
        return false;
    if ((class != 2 && class != 4 && class != 5) || (rest.n > 0 && !view_take_char(&rest, ' ')))
        return false;
    *out = (struct enhanced_code){.class = (uint8_t)class, .subject = subject, .detail = detail};
    *v = rest;
    return true;
}

/* Three digits, the first two in the ranges of RFC 5321 section 4.2; 1yz is not used in SMTP. */
static int parse_code(struct view line)
{
    if (line.n < 3 || line.p[0] < '2' || line.p[0] > '5' || line.p[1] < '0' || line.p[1] > '5' ||
        !ascii_is_digit(line.p[2]))
        return MSA_EPROTO;
    return (line.p[0] - '0') * 100 + (line.p[1] - '0') * 10 + (line.p[2] - '0');
}

static int keep_text(struct reply *r, struct view text)
{
    struct enhanced_code enhanced;
    struct view rest = text;
    bool has_enhanced =
        enhanced_code_take(&rest, &enhanced) && enhanced.class == r->code / 100;
    if (has_enhanced && r->line_count == 0)
        r->enhanced = enhanced;
    if (has_enhanced)
        text = rest;
    char *dst = buf_reserve(&r->text, text.n + 1);
    if (!dst)
        return MSA_ETOOBIG;
    size_t n = 0;
    if (r->line_count > 0)
        dst[n++] = '\n';
    for (size_t i = 0; i < text.n; i++)
        dst[n++] = text.p[i] >= 0x20 && text.p[i] < 0x7f ? text.p[i] : '?';
    buf_commit(&r->text, n);
    return MSA_OK;
}

/* `line` has no CRLF. REPLY_COMPLETE behind the last line of a reply. */
static int read_line(struct reply *r, struct view line)
{
    int code = parse_code(line);
    if (code < 0 || (r->line_count > 0 && code != r->code))
        return MSA_EPROTO;
    char mark = line.n > 3 ? line.p[3] : ' '; /* a bare code is a last line, section 4.2.1 */
    if (mark != ' ' && mark != '-')
        return MSA_EPROTO;
    if (r->line_count == REPLY_LINES_MAX)
        return MSA_ETOOBIG;
    r->code = code;
    int err = keep_text(r, view_slice(line, 4, line.n));
    if (err < 0)
        return err;
    r->line_count++;
    return mark == ' ' ? REPLY_COMPLETE : REPLY_MORE;
}

/* ---- the stream
 * -------------------------------------------------------------------------------- */

static int feed(struct reply *r, struct view *in)
{
    int step = REPLY_MORE;
    while (in->n > 0 && step == REPLY_MORE) {
        size_t lf = view_find(*in, '\n');
        size_t n = lf < in->n ? lf + 1 : in->n;
        int err = buf_add(&r->line, view_slice(*in, 0, n));
        if (err < 0)
            return err;
        bool is_line = lf < in->n;
        *in = view_slice(*in, n, in->n);
        if (!is_line)
            return REPLY_MORE;
        struct view line = buf_view(&r->line);
        if (line.n < 2 || line.p[line.n - 2] != '\r')
            return MSA_EPROTO;
        step = read_line(r, view_slice(line, 0, line.n - 2));
        buf_reset(&r->line);
    }
    return step;
}

int reply_feed(struct reply *r, struct view *in)
{
    if (r->error < 0)
        return r->error;
    if (r->is_complete)
        return REPLY_COMPLETE;
    int step = feed(r, in);
    r->error = step < 0 ? step : MSA_OK;
    r->is_complete = step == REPLY_COMPLETE;
    return step;
}

struct view reply_text(const struct reply *r)
{
    return buf_view(&r->text);
}

void reply_enhanced_text(const struct reply *r, char out[static ENHANCED_TEXT_SIZE])
{
    const struct enhanced_code *e = &r->enhanced;
    if (e->class == 0)
        snprintf(out, ENHANCED_TEXT_SIZE, "%d.0.0", r->code / 100);
    else
        snprintf(out, ENHANCED_TEXT_SIZE, "%u.%u.%u", e->class, e->subject, e->detail);
}
