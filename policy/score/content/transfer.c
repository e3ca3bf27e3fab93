#include "policy/score/content/transfer.h"

#include "msa/base/err.h"

void transfer_init(struct transfer *t, enum document_encoding encoding)
{
    *t = (struct transfer){.encoding = encoding};
}

/* ---- base64 ---- */

#define BLANK   64
#define PAD     65
#define FOREIGN 66

/* By octet: the value of RFC 4648, or one of the above. */
static const unsigned char values[256] = {
    66, 66, 66, 66, 66, 66, 66, 66, 66, 64, 64, 66, 66, 64, 66, 66, 66, 66, 66, 66,
    66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 64, 66, 66, 66, 66, 66, 66, 66,
    66, 66, 66, 62, 66, 66, 66, 63, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 66, 66,
    66, 65, 66, 66, 66, 0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14,
    15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 66, 66, 66, 66, 66, 66, 26, 27, 28,
    29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48,
    49, 50, 51, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66,
    66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66,
    66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66,
    66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66,
    66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66,
    66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66,
    66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66, 66,
};

/* The bytes of a group that was cut off or padded; one character alone is less than a
 * byte. */
static char *end_group(struct transfer *t, char *dst)
{
    t->is_malformed |= t->held == 1;
    if (t->held >= 2)
        *dst++ = (char)(t->bits >> (t->held == 2 ? 4 : 10) & 0xff);
    if (t->held == 3)
        *dst++ = (char)(t->bits >> 2 & 0xff);
    t->held = 0;
    t->bits = 0;
    return dst;
}

static char *put_value(struct transfer *t, unsigned value, char *dst)
{
    t->bits = t->bits << 6 | value;
    if (++t->held < 4)
        return dst;
    *dst++ = (char)(t->bits >> 16 & 0xff);
    *dst++ = (char)(t->bits >> 8 & 0xff);
    *dst++ = (char)(t->bits & 0xff);
    t->held = 0;
    t->bits = 0;
    return dst;
}

static int feed_base64(struct transfer *t, struct view in, struct buf *out)
{
    char *start = buf_reserve(out, in.n / 4 * 3 + 6);
    char *dst = start;
    if (!start)
        return MSA_ETOOBIG;
    const unsigned char *p = (const unsigned char *)in.p, *end = p + in.n;
    while (p < end) {
        while (t->held == 0 && end - p >= 4) { /* whole groups, which is nearly all */
            unsigned a = values[p[0]], b = values[p[1]], c = values[p[2]],
                     d = values[p[3]];
            if ((a | b | c | d) >= 64)
                break;
            *dst++ = (char)(a << 2 | b >> 4);
            *dst++ = (char)(b << 4 | c >> 2);
            *dst++ = (char)(c << 6 | d);
            p += 4;
        }
        if (p == end)
            break;
        unsigned value = values[*p++];
        if (value < 64)
            dst = put_value(t, value, dst);
        else if (value == PAD)
            dst = end_group(
                t, dst); /* texts that were encoded one by one may follow each other */
        else
            t->is_malformed |= value == FOREIGN;
    }
    buf_commit(out, (size_t)(dst - start));
    return MSA_OK;
}

/* ---- quoted-printable ---- */

enum qp_state {
    QP_TEXT,
    QP_EQUALS, /* "=" */
    QP_DIGIT,  /* "=" and one digit */
    QP_BLANK,  /* "=" and blanks, which transport may have put at the end of a line */
    QP_RETURN, /* "=" and CR */
};

/* What "=" and `c` begin. False: nothing, and `c` is to be looked at again as text. */
static bool after_equals(struct transfer *t, char c, char **dst)
{
    if (c == '\n')
        t->held = QP_TEXT;
    else if (c == '\r')
        t->held = QP_RETURN;
    else if (c == ' ' || c == '\t')
        t->held = QP_BLANK;
    else if (t->held == QP_EQUALS && ascii_hex_value(c) >= 0)
        t->held = QP_DIGIT, t->first_digit = c;
    else {
        *(*dst)++ = '=';
        t->is_malformed = true;
        t->held = QP_TEXT;
        return false;
    }
    return true;
}

static bool after_digit(struct transfer *t, char c, char **dst)
{
    int low = ascii_hex_value(c);
    t->held = QP_TEXT;
    if (low >= 0) {
        *(*dst)++ = (char)(ascii_hex_value(t->first_digit) << 4 | low);
        return true;
    }
    *(*dst)++ = '=';
    *(*dst)++ = t->first_digit;
    t->is_malformed = true;
    return false;
}

/* One character in the middle of something. */
static bool qp_step(struct transfer *t, char c, char **dst)
{
    switch ((enum qp_state)t->held) {
    case QP_EQUALS:
    case QP_BLANK:
        return after_equals(t, c, dst);
    case QP_DIGIT:
        return after_digit(t, c, dst);
    case QP_RETURN:
        t->held = QP_TEXT;
        return c == '\n';
    case QP_TEXT:
        break;
    }
    return false;
}

static int feed_qp(struct transfer *t, struct view in, struct buf *out)
{
    char *start = buf_reserve(out, in.n + 3);
    char *dst = start;
    if (!start)
        return MSA_ETOOBIG;
    for (size_t i = 0; i < in.n; i++) {
        char c = in.p[i];
        if (t->held != QP_TEXT && qp_step(t, c, &dst))
            continue;
        if (c == '=')
            t->held = QP_EQUALS;
        else
            *dst++ = c;
    }
    buf_commit(out, (size_t)(dst - start));
    return MSA_OK;
}

/* ---- */

int transfer_feed(struct transfer *t, struct view in, struct buf *out)
{
    if (in.n == 0)
        return MSA_OK;
    if (t->encoding == DOCUMENT_ENCODING_BASE64)
        return feed_base64(t, in, out);
    if (t->encoding == DOCUMENT_ENCODING_QP)
        return feed_qp(t, in, out);
    return buf_add(out, in);
}

int transfer_finish(struct transfer *t, struct buf *out)
{
    char rest[4], *end = rest;
    if (t->encoding == DOCUMENT_ENCODING_BASE64) {
        t->is_malformed |= t->held != 0; /* padding is missing */
        end = end_group(t, rest);
    } else if (t->encoding == DOCUMENT_ENCODING_QP && t->held == QP_DIGIT) {
        *end++ = '=';
        *end++ = t->first_digit;
        t->is_malformed = true;
    }
    t->held = 0;
    return buf_append(out, rest, (size_t)(end - rest));
}
