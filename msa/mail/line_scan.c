#include "msa/mail/line_scan.h"

#include <stdint.h>
#include <string.h>

static bool has_8bit(const char *p, size_t n)
{
    uint64_t seen = 0;
    uint64_t words[4];
    for (; n >= sizeof words; p += sizeof words, n -= sizeof words) {
        memcpy(words, p, sizeof words);
        seen |= words[0] | words[1] | words[2] | words[3];
    }
    for (; n > 0; n--)
        seen |= (unsigned char)*p++;
    return (seen & UINT64_C(0x8080808080808080)) != 0;
}

/* Facts that need no lines; each is looked for until it is found once. */
static void note_bytes(struct line_scan *s, struct view v)
{
    if (!(s->facts & LINE_NUL) && memchr(v.p, '\0', v.n))
        s->facts |= LINE_NUL;
    if (!(s->facts & LINE_8BIT) && has_8bit(v.p, v.n))
        s->facts |= LINE_8BIT;
}

static void end_line(struct line_scan *s, size_t line_bytes)
{
    if (line_bytes > s->longest_line_bytes)
        s->longest_line_bytes = line_bytes;
    s->line_bytes = 0;
}

/* `n` bytes, at least one, with no LF among them: only the last may be the CR of a CRLF. */
static void read_content(struct line_scan *s, const char *p, size_t n)
{
    if (s->state == LINE_AFTER_CR)
        s->facts |= LINE_BARE_CR;
    if (!(s->facts & LINE_BARE_CR) && memchr(p, '\r', n - 1))
        s->facts |= LINE_BARE_CR;
    s->state = p[n - 1] == '\r' ? LINE_AFTER_CR : LINE_WITHIN;
    s->line_bytes += n;
}

/* An LF is next. False when it is bare and the reading stops before it. */
static bool read_lf(struct line_scan *s, unsigned stops)
{
    if (s->state == LINE_AFTER_CR) {
        end_line(s, s->line_bytes - 1);
        s->state = LINE_START;
        return true;
    }
    s->facts |= LINE_BARE_LF;
    if (stops & LINE_STOP_AT_BARE_LF)
        return false;
    s->state = LINE_WITHIN;
    s->line_bytes++;
    return true;
}

size_t line_scan_run(struct line_scan *s, struct view in, unsigned stops)
{
    size_t at = 0;
    while (at < in.n) {
        if (s->state == LINE_START && in.p[at] == '.' && (stops & LINE_STOP_AT_DOT))
            break;
        const char *lf = memchr(in.p + at, '\n', in.n - at);
        size_t content_end = lf ? (size_t)(lf - in.p) : in.n;
        if (content_end > at)
            read_content(s, in.p + at, content_end - at);
        at = content_end;
        if (!lf || !read_lf(s, stops))
            break;
        at++;
    }
    if (at > 0)
        note_bytes(s, view_slice(in, 0, at));
    return at;
}

void line_scan_finish(struct line_scan *s)
{
    if (s->state == LINE_AFTER_CR)
        s->facts |= LINE_BARE_CR;
    end_line(s, s->line_bytes);
    s->state = LINE_WITHIN;
}
