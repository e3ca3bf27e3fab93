#include "policy/score/classify/prior.h"

#include "msa/base/err.h"

#define MESSAGE_BYTES_MAX ((size_t)16 * 1024)
#define FRAME_COUNT       6
#define FRAMES_EACH       3 /* how many a text is put into */

/* "$S" is the subject, "$T" the text. */
static const char *const honest_frames[FRAME_COUNT] = {
    /* A program on a computer, plain text. */
    "From: Jane Roe <jane@example.org>\nTo: John Doe <john@example.net>\nSubject: $S\n"
    "Date: Tue, 1 Jul 2025 09:00:00 +0200\nMessage-ID: <1@example.org>\nMIME-Version: 1.0\n"
    "User-Agent: Mail\nContent-Type: text/plain; charset=UTF-8; format=flowed\n"
    "Content-Transfer-Encoding: 8bit\n\n$T\n",
    /* Webmail: the same as text and as HTML. */
    "MIME-Version: 1.0\nFrom: Jane Roe <jane.roe@gmail.com>\nDate: Tue, 1 Jul 2025 09:00:00 +0200\n"
    "Message-ID: <a@mail.gmail.com>\nSubject: $S\nTo: John Doe <john@example.net>\n"
    "Content-Type: multipart/alternative; boundary=b\n\n"
    "--b\nContent-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\n\n$T\n\n"
    "--b\nContent-Type: text/html; charset=UTF-8\nContent-Transfer-Encoding: 8bit\n\n"
    "<div dir=ltr><div>$T</div></div>\n\n--b--\n",
    /* An office program, an answer, with a picture in the signature. */
    "From: Jane Roe <jane@example.org>\nTo: John Doe <john@example.net>\nCC: Max <max@example.org>\n"
    "Subject: Re: $S\nDate: Tue, 1 Jul 2025 09:00:00 +0000\nMessage-ID: <c@mail.example.org>\n"
    "References: <x@example.net>\nIn-Reply-To: <x@example.net>\nMIME-Version: 1.0\n"
    "Content-Type: multipart/alternative; boundary=b\n\n"
    "--b\nContent-Type: text/plain; charset=utf-8\n\n$T\n\n"
    "--b\nContent-Type: text/html; charset=utf-8\n\n<html><head><meta charset=utf-8><style>p {margin:0}</style>"
    "</head><body><div><p>$T</p><p>&nbsp;</p><p><a href=\"https://www.example.org/\">www.example.org</a>"
    "<img src=\"cid:logo\" width=90 height=30></p></div></body></html>\n\n--b--\n",
    /* A letter to readers or customers: text and HTML, with pictures and links. */
    "From: Example Shop <info@example.com>\nTo: john@example.net\nSubject: $S\n"
    "Date: Tue, 1 Jul 2025 09:00:00 +0000\nMessage-ID: <d@mail.example.com>\nMIME-Version: 1.0\n"
    "Content-Type: multipart/alternative; boundary=b\n\n"
    "--b\nContent-Type: text/plain; charset=utf-8\n\n$T\nhttps://www.example.com/view\n\n"
    "--b\nContent-Type: text/html; charset=utf-8\n\n<html><head><title>$S</title></head><body><table><tr><td>"
    "<img src=\"https://www.example.com/logo.png\" width=200 height=50></td></tr><tr><td><h1>$S</h1><p>$T</p>"
    "<a href=\"https://www.example.com/news/1\">more</a> <a href=\"https://www.example.com/shop\">shop</a> "
    "<a href=\"https://www.example.com/leave?id=1234\">leave</a></td></tr></table></body></html>\n\n--b--\n",
    /* A letter of a shop or a service as HTML alone, with a button and pictures. */
    "From: Example Service <noreply@example.com>\nTo: john@example.net\nSubject: $S\n"
    "Date: Tue, 1 Jul 2025 09:00:00 +0000\nMessage-ID: <e@bounce.example.net>\nMIME-Version: 1.0\n"
    "List-Unsubscribe: <https://www.example.com/u?id=8f3ac9d1e2>\n"
    "Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"
    "<!DOCTYPE html><html><head><meta charset=utf-8><style>p {margin:0}</style></head><body bgcolor=#f4f4f4><table width=600><tr><td>"
    "<img src=\"https://img.example.com/logo.png\" width=120 alt=\"\"><h1>$S</h1><p style=\"color:#333\">$T</p>"
    "<a href=\"https://www.example.com/go/aHR0cHM6Ly9leGFtcGxlLmNvbS9s\">Open</a></td></tr><tr><td>"
    "<a href=\"https://www.example.com/c/1?utm_source=mail\"><img src=\"https://img.example.com/1.jpg\"></a>"
    "<a href=\"https://www.example.com/u?id=8f3ac9d1e2\">unsubscribe</a></td></tr></table></body></html>\n",
    /* The same without pictures. */
    "From: Example Service <info@example.com>\nTo: Jane Roe <jane@example.net>\nSubject: $S\n"
    "Date: Tue, 1 Jul 2025 09:00:00 +0000\nMessage-ID: <f@mail.example.com>\nMIME-Version: 1.0\n"
    "Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"
    "<html><body><p>$T</p><p><a href=\"https://www.example.com/my\">www.example.com</a></p></body></html>\n",
};

static const char *const spam_frames[FRAME_COUNT] = {
    /* HTML alone, one button. */
    "From: Service <info7731@mailer-example.top>\nTo: john@example.net\nSubject: $S\n"
    "Date: Tue, 1 Jul 2025 09:00:00 +0000\nMessage-ID: <1@h123>\nMIME-Version: 1.0\n"
    "Content-Type: text/html; charset=UTF-8\n\n<html><body><table><tr><td>"
    "<img src=\"https://cdn.secure-login77.xyz/i/logo.png\"></td></tr><tr><td>$T</td></tr><tr><td>"
    "<a href=\"https://secure-login77.xyz/verify.php?e=john@example.net&t=8f3a9c0d7b6e5a41209f\">Continue</a>"
    "</td></tr></table></body></html>\n",
    /* Text and a link. */
    "From: \"SUPPORT\" <kx83723@hotmail.com>\nTo: undisclosed-recipients:;\nSubject: $S\n"
    "Reply-To: claims.office@gmail.com\nDate: Tue, 1 Jul 2025 09:00:00 +0000\nMIME-Version: 1.0\n"
    "Content-Type: text/plain; charset=UTF-8\n\n$T\n\nhttp://bit.ly/3xQz91k\n",
    /* The link shows another host. */
    "From: Customer Care <noreply@login-example.info>\nTo: <john@example.net>\nSubject: $S\n"
    "Date: Tue, 1 Jul 2025 09:00:00 +0000\nMessage-ID: <3@vps44>\nMIME-Version: 1.0\n"
    "Content-Type: multipart/alternative; boundary=b\n\n"
    "--b\nContent-Type: text/plain; charset=UTF-8\n\n$T\n\n"
    "--b\nContent-Type: text/html; charset=UTF-8\n\n<p>$T</p><p><a href=\"http://203.0.113.9/~a/index.php?id=99\">"
    "https://www.example.com/login</a></p><span style=\"display:none\">meeting notes from last week</span>\n\n"
    "--b--\n",
    /* No more than the text. */
    "From: Jane Roe <janeroe5512@gmail.com>\nTo: john@example.net\nReply-To: jroe.office@outlook.com\n"
    "Subject: $S\nDate: Tue, 1 Jul 2025 09:00:00 +0000\nMessage-ID: <4@mail.gmail.com>\nMIME-Version: 1.0\n"
    "Content-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\n\n$T\n",
    /* The same page as an honest shop's. */
    "From: Service Center <no-reply@acc-update77.shop>\nTo: john@example.net\nSubject: $S\n"
    "Date: Tue, 1 Jul 2025 09:00:00 +0000\nMessage-ID: <e@mail.acc-update77.shop>\nMIME-Version: 1.0\n"
    "Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"
    "<!DOCTYPE html><html><head><meta charset=utf-8><style>p {margin:0}</style></head><body bgcolor=#f4f4f4><table width=600><tr><td>"
    "<img src=\"https://img.acc-update77.shop/logo.png\" width=120 alt=\"\"><h1>$S</h1><p style=\"color:#333\">$T</p>"
    "<a href=\"https://acc-update77.shop/go/aHR0cHM6Ly9leGFtcGxlLmNvbS9s\">Open</a></td></tr><tr><td>"
    "<a href=\"https://acc-update77.shop/u?id=8f3ac9d1e2\">unsubscribe</a></td></tr></table></body></html>\n",
    /* Webmail of a stolen account. */
    "MIME-Version: 1.0\nFrom: Jane Roe <jane.roe@gmail.com>\nDate: Tue, 1 Jul 2025 09:00:00 +0000\n"
    "Message-ID: <a@mail.gmail.com>\nSubject: $S\nTo: undisclosed-recipients:;\n"
    "Content-Type: multipart/alternative; boundary=b\n\n"
    "--b\nContent-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\n\n$T\n\n"
    "--b\nContent-Type: text/html; charset=UTF-8\nContent-Transfer-Encoding: 8bit\n\n"
    "<div dir=ltr><div>$T</div></div>\n\n--b--\n",
};

static int fill(const char *frame, const struct prior_text *p, struct buf *out)
{
    buf_reset(out);
    for (const char *at = frame; *at; at++) {
        if (at[0] == '$' && (at[1] == 'S' || at[1] == 'T'))
            buf_add_cstr(out, *++at == 'S' ? p->subject : p->text);
        else
            buf_add_char(out, *at);
    }
    return buf_failed(out) ? MSA_ENOMEM : MSA_OK;
}

/* One text in one frame. */
static int add_one(struct corpus *c, struct features *f, struct document_reader *r, const struct prior_text *p,
                   const char *frame, struct buf *message)
{
    const struct document *d;
    int err = fill(frame, p, message);
    if (err == MSA_OK)
        err = document_read(r, buf_view(message), &d);
    if (err == MSA_OK)
        err = features_read(f, d, r);
    return err < 0 ? err : corpus_add_features(c, f, p->is_spam, PRIOR_COST, true);
}

int prior_add(struct corpus *c, struct features *f, struct document_reader *r)
{
    struct buf message;
    buf_init(&message, MESSAGE_BYTES_MAX);
    unsigned place[2] = {0, 0};
    int err = MSA_OK;
    for (size_t i = 0; i < prior_text_count && err == MSA_OK; i++) {
        const struct prior_text *p = &prior_texts[i];
        const char *const *frames = p->is_spam ? spam_frames : honest_frames;
        unsigned first = place[p->is_spam]++;
        for (unsigned k = 0; k < FRAMES_EACH && err == MSA_OK; k++)
            err = add_one(c, f, r, p, frames[(first + k * 2 + first / FRAME_COUNT) % FRAME_COUNT], &message);
    }
    buf_fini(&message);
    return err;
}
