#include "msa/mail/base64.h"

#include <stdbool.h>
#include <stdint.h>

#include "msa/base/err.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int digit_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (ascii_is_digit(c))
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static size_t padding_of(struct view text)
{
    size_t n = 0;
    while (n < 2 && n < text.n && text.p[text.n - 1 - n] == '=')
        n++;
    return n;
}

/* Four characters, of which the last `padding` are "=", to 3 - padding bytes. */
static bool decode_group(const char *text, size_t padding, char *dst)
{
    uint32_t bits = 0;
    for (size_t i = 0; i < 4; i++) {
        int value = i < 4 - padding ? digit_value(text[i]) : 0;
        if (value < 0)
            return false;
        bits = bits << 6 | (uint32_t)value;
    }
    if (padding > 0 && (bits & (padding == 1 ? 0xffu : 0xffffu)) != 0)
        return false;
    for (size_t i = 0; i < 3 - padding; i++)
        dst[i] = (char)(bits >> (16 - 8 * i) & 0xff);
    return true;
}

int base64_decode(struct view text, struct buf *out)
{
    if (text.n == 0)
        return MSA_OK;
    if (text.n % 4 != 0)
        return MSA_EINVAL;
    size_t padding = padding_of(text);
    size_t n = text.n / 4 * 3 - padding;
    char *dst = buf_reserve(out, n);
    if (!dst)
        return MSA_ETOOBIG;
    for (size_t at = 0; at < text.n; at += 4, dst += 3) {
        bool is_last = at + 4 == text.n;
        if (!decode_group(text.p + at, is_last ? padding : 0, dst))
            return MSA_EINVAL;
    }
    buf_commit(out, n);
    return MSA_OK;
}

int base64_encode(struct view bytes, struct buf *out)
{
    if (bytes.n > SIZE_MAX / 2)
        return MSA_ETOOBIG;
    size_t n = (bytes.n + 2) / 3 * 4;
    char *dst = buf_reserve(out, n);
    if (!dst)
        return n == 0 ? MSA_OK : MSA_ETOOBIG;
    for (size_t at = 0; at < bytes.n; at += 3, dst += 4) {
        size_t left = bytes.n - at;
        uint32_t bits = 0;
        for (size_t i = 0; i < 3; i++)
            bits = bits << 8 | (i < left ? (unsigned char)bytes.p[at + i] : 0u);
        for (size_t i = 0; i < 4; i++)
            dst[i] = i <= left ? alphabet[bits >> (18 - 6 * i) & 63] : '=';
    }
    buf_commit(out, n);
    return MSA_OK;
}
