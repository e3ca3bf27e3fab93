#include "policy/senders.h"

#include <string.h>

#include "msa/base/err.h"
#include "msa/mail/sender_pattern.h"

bool senders_next(struct view *list, struct view *pattern_out)
{
    if (list->n == 0)
        return false;
    *pattern_out = view_cut(list, '\n');
    return true;
}

size_t senders_count(struct view list)
{
    size_t count = 0;
    for (size_t i = 0; i < list.n; i++)
        count += list.p[i] == '\n';
    return count;
}

/* The line of `pattern` (canonical) in the list, LF included; empty when it is not there.
 */
static struct view find(struct view list, struct view pattern)
{
    struct view one;
    const char *line = list.p;
    for (; senders_next(&list, &one); line = list.p)
        if (view_eq_nocase(one, pattern))
            return view_of(line, one.n + 1);
    return VIEW_EMPTY;
}

int senders_add(struct buf *list, struct view pattern)
{
    char canonical[SENDER_PATTERN_SIZE];
    int n = sender_pattern_parse(pattern, canonical);
    if (n < 0)
        return n == MSA_ENOMEM ? n : MSA_EINVAL;
    if (find(buf_view(list), view_of(canonical, (size_t)n)).n > 0)
        return MSA_OK;
    if (senders_count(buf_view(list)) >= SENDERS_MAX ||
        buf_len(list) + (size_t)n + 1 > SENDERS_BYTES_MAX)
        return MSA_EFULL;
    canonical[n] = '\n';
    int err = buf_append(list, canonical, (size_t)n + 1);
    return err == MSA_ETOOBIG ? MSA_EFULL : err;
}

int senders_remove(struct buf *list, struct view pattern)
{
    char canonical[SENDER_PATTERN_SIZE], kept[SENDERS_BYTES_MAX];
    int n = sender_pattern_parse(pattern, canonical);
    if (n < 0)
        return n == MSA_ENOMEM ? n : MSA_EINVAL;
    struct view all = buf_view(list), line = find(all, view_of(canonical, (size_t)n));
    if (line.n == 0)
        return MSA_ENOENT;
    size_t before = (size_t)(line.p - all.p), behind = all.n - before - line.n;
    if (behind > sizeof kept)
        return MSA_ETOOBIG;
    memcpy(kept, line.p + line.n, behind);
    buf_truncate(list, before);
    return buf_append(list, kept, behind);
}

static bool is_canonical(struct view pattern)
{
    char canonical[SENDER_PATTERN_SIZE];
    int n = sender_pattern_parse(pattern, canonical);
    return n > 0 && view_eq(view_of(canonical, (size_t)n), pattern);
}

bool senders_are_sound(struct view list)
{
    struct view rest = list, one;
    if (list.n > SENDERS_BYTES_MAX || senders_count(list) > SENDERS_MAX ||
        (list.n > 0 && list.p[list.n - 1] != '\n'))
        return false;
    while (senders_next(&rest, &one))
        if (!is_canonical(one) || find(rest, one).n > 0)
            return false;
    return true;
}

enum sender_claim senders_claim(struct view list, struct view address,
                                struct view separators)
{
    enum sender_claim best = SENDER_NOT_ALLOWED;
    struct view one;
    while (best != SENDER_IS_OWN && senders_next(&list, &one))
        if (sender_pattern_matches(one, address, separators))
            best = sender_pattern_is_delegated(one) ? SENDER_IS_DELEGATED : SENDER_IS_OWN;
    return best;
}
