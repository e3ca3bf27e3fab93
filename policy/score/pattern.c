#include "policy/score/pattern.h"

#include "msa/base/utf8.h"

/* Bytes of `text` that the piece, which has no "*", takes from its front; -1: it does not match there. */
static long take_piece(struct view piece, struct view text)
{
    size_t at = 0;
    uint32_t c;
    for (size_t i = 0; i < piece.n; i++) {
        if (at == text.n)
            return -1;
        size_t n = 1;
        if (piece.p[i] == '?')
            n = utf8_decode(view_slice(text, at, text.n), &c);
        else if (piece.p[i] == '#' ? !ascii_is_digit(text.p[at]) : piece.p[i] != text.p[at])
            return -1;
        at += n ? n : 1;
    }
    return (long)at;
}

/* Takes it from the first place where it stands. */
static bool find_piece(struct view piece, struct view *text)
{
    for (size_t from = 0; from <= text->n; from++) {
        long n = take_piece(piece, view_slice(*text, from, text->n));
        if (n < 0)
            continue;
        *text = view_slice(*text, from + (size_t)n, text->n);
        return true;
    }
    return false;
}

/* The last piece has to end where the text does. "?" takes one to four bytes, so each place where it can begin is tried:
 * one place, where there is none. */
static bool ends_in(struct view piece, struct view text)
{
    size_t most = piece.n;
    for (size_t i = 0; i < piece.n; i++)
        most += piece.p[i] == '?' ? 3 : 0;
    if (text.n < piece.n)
        return false;
    for (size_t from = text.n > most ? text.n - most : 0; from <= text.n - piece.n; from++)
        if (take_piece(piece, view_slice(text, from, text.n)) == (long)(text.n - from))
            return true;
    return false;
}

bool pattern_matches(struct view pattern, struct view text)
{
    bool has_star = view_find(pattern, '*') < pattern.n;
    struct view piece = view_cut(&pattern, '*');
    long n = take_piece(piece, text);
    if (n < 0 || !has_star)
        return n == (long)text.n;
    text = view_slice(text, (size_t)n, text.n);
    /* Each piece at its first place leaves the most to those behind it. */
    while (view_find(pattern, '*') < pattern.n)
        if (!find_piece(view_cut(&pattern, '*'), &text))
            return false;
    return ends_in(pattern, text);
}
