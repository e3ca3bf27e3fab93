#include "msa/mail/stuff.h"

#include "msa/base/err.h"

void stuff_init(struct stuff *s)
{
    *s = (struct stuff){.lines = {.state = LINE_START}};
}

int stuff_next(struct stuff *s, struct view *in, struct view *run_out)
{
    if (s->lines.facts & LINE_STRAY)
        return MSA_EINVAL;
    if (in->n == 0)
        return 0;
    size_t n = line_scan_run(&s->lines, *in, LINE_STOP_AT_DOT);
    if (s->lines.facts & LINE_STRAY)
        return MSA_EINVAL;
    if (n == 0) { /* the extra dot goes out, the body's own stays in `in` and is no longer first */
        s->lines.state = LINE_WITHIN;
        *run_out = VIEW_LIT(".");
        return 1;
    }
    *run_out = view_slice(*in, 0, n);
    *in = view_slice(*in, n, in->n);
    return 1;
}

int stuff_end(const struct stuff *s, struct view *run_out)
{
    if ((s->lines.facts & LINE_STRAY) || s->lines.state == LINE_AFTER_CR)
        return MSA_EINVAL;
    *run_out = s->lines.state == LINE_START ? VIEW_LIT(".\r\n") : VIEW_LIT("\r\n.\r\n");
    return MSA_OK;
}
