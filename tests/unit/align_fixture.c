#include "tests/unit/align_fixture.h"

#include <criterion/criterion.h>

#include <string.h>

#include "msa/base/err.h"
#include "smtp/author.h"

const struct align_who align_taro = {
    .login = VIEW_LIT("taro@example.jp"),
    .senders = VIEW_LIT("info@example.jp\n@taro.example\ndelegated:boss@example.jp\n"),
    .country = VIEW_LIT("JP"),
    .is_home = true,
    .age_ms = -1,
};

struct config *align_settings(const char *blocks)
{
    struct config *cfg;
    struct config_errors errs;
    struct buf text;
    config_errors_init(&errs);
    buf_init(&text, 10000);
    buf_add_cstr(&text,
                 ALIGN_SETTINGS);
    buf_add_cstr(&text, blocks);
    int err = config_parse_text(buf_view(&text), "test", &cfg, &errs);
    cr_assert_eq(err, MSA_OK, "%s: %s", blocks, errs.count > 0 ? errs.items[0].text : "");
    buf_fini(&text);
    config_errors_fini(&errs);
    return cfg;
}


void align_read_header(struct align_fixture *f, struct view text, struct view sender)
{
    struct view run = text, end = VIEW_LIT("\r\n");
    struct header *h = &f->txn.body.header;
    memset(f, 0, sizeof *f);
    arena_init(&f->txn.arena, TXN_ARENA_MAX);
    header_init(h, HEADER_LIMITS_DEFAULT);
    cr_assert_geq(header_feed(h, &run), 0);
    if (!h->is_complete)
        cr_assert_geq(header_feed(h, &end), 0);
    cr_assert(author_read(&f->txn));
    f->m = (struct align_message){
        .sender = sender,
        .authors = f->txn.authors,
        .header_sender = f->txn.header_sender,
        .resent = f->txn.resent,
        .shown = f->txn.shown,
        .findings = f->txn.header_findings,
    };
}

void align_forget(struct align_fixture *f)
{
    header_fini(&f->txn.body.header);
    arena_fini(&f->txn.arena);
}

struct align_answer align_judge(const struct config *cfg, const struct align_who *who,
                                 struct view text)
{
    struct align_fixture f;
    struct align_answer a;
    align_read_header(&f, text, who->login);
    align_message(cfg, who, &f.m, &a);
    align_forget(&f);
    return a;
}
