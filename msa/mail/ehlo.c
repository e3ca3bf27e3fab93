#include "msa/mail/ehlo.h"

#include <stddef.h>

struct word_bit {
    struct view word;
    unsigned bit;
};

static const struct word_bit capabilities[] = {
    {VIEW_LIT("PIPELINING"), EHLO_PIPELINING},
    {VIEW_LIT("SIZE"), EHLO_SIZE},
    {VIEW_LIT("8BITMIME"), EHLO_8BITMIME},
    {VIEW_LIT("SMTPUTF8"), EHLO_SMTPUTF8},
    {VIEW_LIT("DSN"), EHLO_DSN},
    {VIEW_LIT("STARTTLS"), EHLO_STARTTLS},
    {VIEW_LIT("ENHANCEDSTATUSCODES"), EHLO_ENHANCEDSTATUSCODES},
    {VIEW_LIT("CHUNKING"), EHLO_CHUNKING},
    {VIEW_LIT("BINARYMIME"), EHLO_BINARYMIME},
    {VIEW_LIT("REQUIRETLS"), EHLO_REQUIRETLS},
    {VIEW_LIT("AUTH"), EHLO_AUTH},
    {VIEW_LIT("LIMITS"), EHLO_LIMITS},
};

static const struct word_bit mechanisms[] = {
    {VIEW_LIT("PLAIN"), EHLO_AUTH_PLAIN},
    {VIEW_LIT("LOGIN"), EHLO_AUTH_LOGIN},
    {VIEW_LIT("SCRAM-SHA-1"), EHLO_AUTH_SCRAM_SHA_1},
    {VIEW_LIT("SCRAM-SHA-256"), EHLO_AUTH_SCRAM_SHA_256},
    {VIEW_LIT("SCRAM-SHA-1-PLUS"), EHLO_AUTH_SCRAM_SHA_1_PLUS},
    {VIEW_LIT("SCRAM-SHA-256-PLUS"), EHLO_AUTH_SCRAM_SHA_256_PLUS},
    {VIEW_LIT("XOAUTH2"), EHLO_AUTH_XOAUTH2},
    {VIEW_LIT("OAUTHBEARER"), EHLO_AUTH_OAUTHBEARER},
    {VIEW_LIT("CRAM-MD5"), EHLO_AUTH_CRAM_MD5},
    {VIEW_LIT("EXTERNAL"), EHLO_AUTH_EXTERNAL},
};

static unsigned bit_of(const struct word_bit *table, size_t count, struct view word)
{
    for (size_t i = 0; i < count; i++)
        if (view_eq_nocase(word, table[i].word))
            return table[i].bit;
    return 0;
}

static unsigned read_mechanisms(struct view args)
{
    unsigned found = 0;
    while (args.n > 0)
        found |= bit_of(mechanisms, sizeof mechanisms / sizeof mechanisms[0], view_cut(&args, ' '));
    return found;
}

static void read_limits(struct view args, struct ehlo *out)
{
    while (args.n > 0) {
        struct view value = view_cut(&args, ' ');
        struct view name = view_cut(&value, '=');
        if (view_eq_nocase(name, VIEW_LIT("RCPTMAX")))
            view_parse_u64(value, UINT32_MAX, &out->rcpt_max);
        else if (view_eq_nocase(name, VIEW_LIT("MAILMAX")))
            view_parse_u64(value, UINT32_MAX, &out->mail_max);
    }
}

static void read_line(struct view line, struct ehlo *out)
{
    struct view args = view_trim(line);
    struct view keyword = view_cut(&args, ' ');
    if (view_has_prefix_nocase(keyword, VIEW_LIT("AUTH="))) { /* from before RFC 4954 */
        out->capabilities |= EHLO_AUTH;
        out->mechanisms |= read_mechanisms(view_slice(keyword, 5, keyword.n));
        out->mechanisms |= read_mechanisms(args);
        return;
    }
    unsigned bit = bit_of(capabilities, sizeof capabilities / sizeof capabilities[0], keyword);
    out->capabilities |= bit;
    if (bit == EHLO_AUTH)
        out->mechanisms |= read_mechanisms(args);
    else if (bit == EHLO_SIZE)
        view_parse_u64(args, INT64_MAX, &out->size_max);
    else if (bit == EHLO_LIMITS)
        read_limits(args, out);
}

void ehlo_parse(struct view text, struct ehlo *out)
{
    *out = (struct ehlo){.capabilities = 0};
    view_cut(&text, '\n'); /* the greeting: a host that is called SIZE offers nothing by it */
    while (text.n > 0)
        read_line(view_cut(&text, '\n'), out);
}
