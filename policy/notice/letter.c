#include "policy/notice/letter.h"

#include "msa/base/err.h"
#include "msa/base/msgid.h"
#include "msa/mail/base64.h"
#include "msa/mail/date.h"
#include "msa/mail/rfc2047.h"

#define BASE64_LINE 76

/* Printable ASCII without what would end or open something in a field; one "@". Quoted local parts are not for us. */
static const struct view specials = VIEW_LIT("<>()[],;:\\\"");

bool letter_is_address(struct view v)
{
    size_t ats = 0;
    for (size_t i = 0; i < v.n; i++) {
        char c = v.p[i];
        if (c <= 0x20 || c >= 0x7f || view_find(specials, c) < specials.n)
            return false;
        ats += c == '@';
    }
    return ats == 1 && v.n <= 254 && v.p[0] != '@' && v.p[v.n - 1] != '@';
}

static void add_field(struct buf *b, struct view name, struct view value)
{
    buf_add(b, name);
    buf_add(b, value);
    buf_add(b, VIEW_LIT("\r\n"));
}

static int add_base64(struct buf *b, struct view body)
{
    struct buf flat;
    buf_init(&flat, 2 * body.n + 4);
    int err = base64_encode(body, &flat);
    struct view left = buf_view(&flat);
    while (err == MSA_OK && left.n > 0) {
        add_field(b, VIEW_EMPTY, view_slice(left, 0, BASE64_LINE));
        left = view_slice(left, BASE64_LINE, left.n);
    }
    buf_fini(&flat);
    return err;
}

static void add_origin(struct buf *b, const struct letter *l)
{
    char date[DATE_SIZE], id[MSGID_TEXT_MAX];
    date_format(l->at_ms / 1000, l->offset_min, date);
    msgid_format(l->id, id);
    add_field(b, VIEW_LIT("Date: "), view_cstr(date));
    add_field(b, VIEW_LIT("From: "), l->from);
    add_field(b, VIEW_LIT("To: "), l->to);
    buf_addf(b, "Message-ID: <notice.%s@", id);
    buf_add(b, view_slice(l->from, view_find(l->from, '@') + 1, l->from.n));
    buf_add_cstr(b, ">\r\n");
}

int letter_write(const struct letter *l, struct buf *out)
{
    if (!letter_is_address(l->from) || !letter_is_address(l->to))
        return MSA_EINVAL;
    add_origin(out, l);
    buf_add_cstr(out, "Subject: ");
    int err = rfc2047_encode(l->subject, 9, out);
    buf_add_cstr(out, "\r\n");
    add_field(out, VIEW_LIT("Content-Language: "), l->language);
    /* RFC 3834: nobody's vacation program is to answer. */
    buf_add_cstr(out, "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
                      "Content-Type: text/plain; charset=utf-8\r\n"
                      "Content-Transfer-Encoding: base64\r\n\r\n");
    if (err == MSA_OK)
        err = add_base64(out, l->body);
    return err < 0 ? err : buf_failed(out) ? MSA_ETOOBIG : MSA_OK;
}
