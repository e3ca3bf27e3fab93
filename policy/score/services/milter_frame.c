#include "policy/score/services/milter_frame.h"

#include "msa/base/err.h"

static uint32_t u32_at(const char *p)
{
    const unsigned char *u = (const unsigned char *)p;
    return (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 | (uint32_t)u[2] << 8 | u[3];
}

int milter_frame_parse(struct view in, struct milter_frame *out)
{
    if (in.n < 4)
        return 0;
    uint32_t n = u32_at(in.p);
    if (n == 0 || n > MILTER_FRAME_MAX - 4)
        return MSA_EPROTO;
    if (in.n - 4 < n)
        return 0;
    *out = (struct milter_frame){.command = in.p[4], .data = view_slice(in, 5, 4 + (size_t)n)};
    return (int)(4 + n);
}

void milter_frame_add(struct buf *out, char command, struct view data)
{
    uint32_t n = (uint32_t)data.n + 1;
    const char head[] = {(char)(n >> 24), (char)(n >> 16), (char)(n >> 8), (char)n, command};
    buf_append(out, head, sizeof head);
    buf_add(out, data);
}

/* ---- replies ---- */

static bool take_u32(struct view *data, uint32_t *out)
{
    if (data->n < 4)
        return false;
    *out = u32_at(data->p);
    *data = view_slice(*data, 4, data->n);
    return true;
}

static bool take_text(struct view *data, struct view *out)
{
    size_t n = view_find(*data, '\0');
    if (n == data->n)
        return false;
    *out = view_slice(*data, 0, n);
    *data = view_slice(*data, n + 1, data->n);
    return true;
}

/* "5.7.1 " at the front. */
static void drop_enhanced(struct view *text)
{
    size_t i = 0;
    for (unsigned part = 0; part < 3; part++) {
        size_t from = i;
        while (i < text->n && ascii_is_digit(text->p[i]) && i - from < 3)
            i++;
        char want = part < 2 ? '.' : ' ';
        if (i == from || i == text->n || text->p[i++] != want)
            return;
    }
    *text = view_slice(*text, i, text->n);
}

/* "550 5.7.1 text", or lines of "550-5.7.1 text" of which the first counts. */
static bool take_code(struct view *data, struct milter_reply *out)
{
    struct view all;
    uint64_t code;
    if (!take_text(data, &all) || all.n < 3 || !view_parse_u64(view_slice(all, 0, 3), 599, &code) ||
        code < 400 || (all.n > 3 && all.p[3] != ' ' && all.p[3] != '-'))
        return false;
    struct view rest = view_slice(all, 4, all.n);
    out->code = (unsigned)code;
    out->text = view_cut(&rest, '\n');
    if (out->text.n > 0 && out->text.p[out->text.n - 1] == '\r')
        out->text.n--;
    drop_enhanced(&out->text);
    return true;
}

static bool take_options(struct view *data, struct milter_reply *out)
{
    bool is_good = take_u32(data, &out->version) && take_u32(data, &out->actions) &&
                   take_u32(data, &out->protocol);
    *data = VIEW_EMPTY; /* what macros it wants: it gets all that are known */
    return is_good;
}

int milter_reply_parse(const struct milter_frame *f, struct milter_reply *out)
{
    struct view data = f->data;
    bool is_good = true;
    *out = (struct milter_reply){.command = f->command};
    switch (f->command) {
    case MILTER_OPTIONS: is_good = take_options(&data, out); break;
    case MILTER_REPLYCODE: is_good = take_code(&data, out); break;
    case MILTER_ADDHEADER:
        is_good = take_text(&data, &out->name) && take_text(&data, &out->value);
        break;
    case MILTER_INSHEADER:
    case MILTER_CHGHEADER:
        is_good = take_u32(&data, &out->index) && take_text(&data, &out->name) &&
                  take_text(&data, &out->value);
        break;
    case MILTER_QUARANTINE: is_good = take_text(&data, &out->value); break;
    case MILTER_ADDRCPT:
    case MILTER_DELRCPT:
    case MILTER_ADDRCPT_PAR:
    case MILTER_CHGFROM:
        is_good = take_text(&data, &out->name);
        data = VIEW_EMPTY; /* parameters, perhaps */
        break;
    case MILTER_REPLBODY: data = VIEW_EMPTY; break;
    case MILTER_ACCEPT:
    case MILTER_CONTINUE:
    case MILTER_DISCARD:
    case MILTER_CONN_FAIL:
    case MILTER_PROGRESS:
    case MILTER_REJECT:
    case MILTER_SHUTDOWN:
    case MILTER_SKIP:
    case MILTER_TEMPFAIL: break;
    default: is_good = false;
    }
    return is_good && data.n == 0 ? MSA_OK : MSA_EPROTO;
}
