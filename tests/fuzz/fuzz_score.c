/* Any message against rules of every kind: the score is that of its findings, and the same each time. */
#include <string.h>

#include "msa/base/err.h"
#include "msa/config/config.h"
#include "policy/score/fingerprint.h"
#include "policy/score/rules.h"
#include "tests/fuzz/fuzz.h"

static const char rules_text[] =
    "score_rule A { field Subject From; matches \"*re:*#*\" \"?*free*\"; add 1.0; describe \"a\"; }"
    "score_rule B { phrases \"buy now\" \"for free\" \"無料\"; at_least 2; add 1.5; describe \"b\"; }"
    "score_rule C { link host-differs; link_host \"*.example\" \"a*b?\"; add 2.0; describe \"c\"; }"
    "score_rule D { attachment \"*.exe\"; media_type \"text/*\"; add 0.5; describe \"d\"; }"
    "score_rule E { fact html-only hidden-text; add 0.25; describe \"e\"; }"
    "score_rule F { missing Date Message-ID; min_text 1; max_links 3; add -0.5; describe \"f\"; }"
    "score_rule G { repeated Subject To; charset \"*8859*\"; add 0.1; describe \"g\"; }"
    "score_rule H { any_of A B C D; none_of E; add 3.0; describe \"h\"; }"
    "score_rule I { field X-Mailer; phrases \"bulk\"; add 0.75; describe \"i\"; }"
    "score_rule J { fact reply-elsewhere name-is-address; add 1.0; describe \"j\"; }";

static struct score_rules *rules;
static struct document_reader *reader;

static void set_up(void)
{
    struct config *config = NULL;
    struct config_errors errs;
    config_errors_init(&errs);
    must(config_parse_snapshot(view_cstr(rules_text), CONFIG_ROLE_SCORE, &config, &errs) == MSA_OK);
    config_errors_fini(&errs);
    rules = score_rules_new(config);
    reader = document_reader_new();
    must(rules && reader);
    config_free(&config);
}

static int64_t judge(struct view message, struct fingerprints *prints)
{
    const struct document *d;
    struct findings f;
    int64_t sum = 0;
    must(document_read(reader, message, &d) == MSA_OK);
    const struct score_subject subject = {.document = d, .reader = reader, .recipient_count = 1};
    findings_init(&f);
    must(score_rules_judge(rules, &subject, &f) == MSA_OK);
    for (unsigned i = 0; i < f.count; i++)
        sum += f.items[i].points_milli;
    must(sum == f.total_milli && f.count <= 10);
    findings_fini(&f);
    for (size_t i = 0; i < d->link_count; i++)
        fingerprint_add_link(prints, d->links[i].host, NULL, 0, VIEW_EMPTY);
    fingerprint_add_body(prints, d->text);
    must(prints->count <= FINGERPRINTS_MAX);
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fingerprints a = {0}, b = {0};
    if (!rules)
        set_up();
    int64_t first = judge(fuzz_view(data, size), &a), second = judge(fuzz_view(data, size), &b);
    must(first == second && a.count == b.count);
    must(memcmp(a.numbers, b.numbers, sizeof a.numbers) == 0);
    return 0;
}
