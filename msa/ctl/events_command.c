/* msactl events: a line for each thing that happens, as it happens. */
#include "msa/base/err.h"
#include "msa/ctl/ctl_private.h"
#include "msa/ctl/show.h"

#define LINE_MAX_BYTES 16384

struct follower {
    struct ctl *ctl;
    struct buf line; /* what has come of one */
};

/* When and what first. That the list begins is news for programs. */
static void show_event(json_t *event, struct buf *out)
{
    json_t *at_ms = json_object_get(event, "at_ms");
    json_t *o = at_ms ? json_pack("{s:O, s:O?}", "at_ms", at_ms, "kind", json_object_get(event, "kind")) : NULL;
    if (o && json_object_update_missing(o, event) == 0)
        show_done(o, out);
    json_decref(o);
}

/* Of a frame only its data are for people; whatever else stands in it they say, too. */
static void take_line(struct follower *f, struct view line)
{
    struct view data = VIEW_LIT("data: ");
    if (!view_has_prefix(line, data))
        return;
    json_t *event = json_loadb(line.p + data.n, line.n - data.n, 0, NULL);
    if (event && f->ctl->line.is_json)
        json_dumpf(event, stdout, JSON_COMPACT);
    else if (event)
        show_event(event, &f->ctl->out);
    if (event && f->ctl->line.is_json)
        fputc('\n', stdout);
    json_decref(event);
    ctl_print(stdout, &f->ctl->out);
    buf_reset(&f->ctl->out);
}

static bool on_piece(void *arg, struct view piece)
{
    struct follower *f = arg;
    while (piece.n > 0) {
        size_t n = view_find(piece, '\n');
        buf_add(&f->line, view_slice(piece, 0, n));
        if (n == piece.n)
            break;
        take_line(f, buf_view(&f->line));
        buf_reset(&f->line);
        piece = view_slice(piece, n + 1, piece.n);
    }
    return !buf_failed(&f->line) && fflush(stdout) == 0;
}

int ctl_events(struct ctl *ctl)
{
    char error[TRANSPORT_ERROR_MAX] = "";
    unsigned status = 0;
    struct follower f = {.ctl = ctl};
    buf_init(&f.line, LINE_MAX_BYTES);
    int err = transport_follow(ctl->transport, "/api/v1/events", on_piece, &f, &status, error);
    buf_fini(&f.line);
    if (err < 0)
        return ctl_complain(CTL_EXIT_LOCAL, error);
    if (status == 200)
        return ctl_complain(CTL_EXIT_LOCAL, "msad has ended the list");
    return ctl_complain(CTL_EXIT_REFUSED, "msad refuses: too many listen already, or it has just begun");
}
