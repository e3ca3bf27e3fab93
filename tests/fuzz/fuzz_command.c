/* A command line all the way: verb, path, parameters. */
#include <string.h>

#include "msa/mail/command.h"
#include "msa/mail/params.h"
#include "msa/mail/path.h"
#include "msa/mail/xtext.h"
#include "tests/fuzz/fuzz.h"

static void must_lie_within(struct view part, struct view whole)
{
    if (part.n > 0)
        must(part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
}

static void try_path(struct view *args, enum path_kind kind, struct view line)
{
    struct path p, again;
    char canonical[PATH_CANONICAL_SIZE], second[PATH_CANONICAL_SIZE];
    size_t before = args->n;
    if (path_parse(args, kind, 0, &p) < 0) {
        must(args->n == before);
        return;
    }
    must_lie_within(p.address, line);
    int n = path_canonical(&p, canonical);
    must(n >= 0 && (size_t)n == strlen(canonical));
    if (!p.is_null && p.domain.n > 0 && path_parse_address(view_cstr(canonical), &again) == 0) {
        must(path_canonical(&again, second) == n); /* the form of the form is itself */
        must(strcmp(canonical, second) == 0);
    }
}

static void try_params(struct view args, struct view line)
{
    struct mail_params mail;
    struct rcpt_params rcpt;
    struct view culprit;
    if (params_parse_mail(args, ~0u, &mail, &culprit) == PARAMS_OK) {
        must_lie_within(mail.envid, line);
        must(xtext_is_valid(mail.envid));
        must((mail.seen & PARAM_HOLD) != PARAM_HOLD);
    }
    must_lie_within(culprit, line);
    if (params_parse_rcpt(args, ~0u, &rcpt, &culprit) == PARAMS_OK)
        must_lie_within(rcpt.orcpt, line);
    must_lie_within(culprit, line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view line = fuzz_view(data, size);
    struct command c;
    uint64_t octets;
    bool is_last;
    if (command_parse(line, &c) < 0)
        return 0;
    must_lie_within(c.word, line);
    must_lie_within(c.args, line);
    command_parse_bdat(c.args, &octets, &is_last);
    if (command_take_keyword(&c.args, VIEW_LIT("FROM:")))
        try_path(&c.args, PATH_REVERSE, line);
    else if (command_take_keyword(&c.args, VIEW_LIT("TO:")))
        try_path(&c.args, PATH_FORWARD, line);
    try_params(c.args, line);
    return 0;
}
