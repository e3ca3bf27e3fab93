#include "policy/align.h"

#include <string.h>

#include "msa/mail/path.h"
#include "msa/mail/sender_pattern.h"
#include "policy/confusable.h"
#include "policy/senders.h"

struct align_who align_who_of(const struct account *account, const struct event *e, bool is_strict, char country[3])
{
    country[0] = '\0';
    if (e->place.country != COUNTRY_NONE)
        country_text(e->place.country, country);
    return (struct align_who){
        .login = account->login,
        .senders = account->senders,
        .account_class = e->account_class,
        .age_ms = e->account_age_ms,
        .country = view_cstr(country),
        .is_home = e->is_home,
        .listener = e->listener,
        .is_strict = is_strict,
    };
}

/* For those to whom no block applies. */
static const struct config_align strictest = {
    .name = "",
    .check = CONFIG_ALIGN_BOTH,
    .mismatch = CONFIG_MISMATCH_REFUSE,
    .subaddress = "+",
    .shown_addresses = CONFIG_DOUBT_SCORE,
    .lookalikes = CONFIG_DOUBT_SCORE,
    .add_score_milli = 5000,
};

static const struct {
    const char *name, *text;
} reasons[ALIGN_REASON_COUNT] = {
    [ALIGN_FINE] = {"fine", ""},
    [ALIGN_NULL_SENDER] = {"null-sender", "an empty sender may not be used here"},
    [ALIGN_ENVELOPE] = {"envelope", "this sender address is not yours"},
    [ALIGN_AMBIGUOUS] = {"ambiguous", "the header can be read in more than one way"},
    [ALIGN_NO_FROM] = {"no-from", "the message has no From field"},
    [ALIGN_BAD_FROM] = {"bad-from", "From does not hold plain addresses"},
    [ALIGN_AUTHORS] = {"authors", "several authors in From need a Sender field"},
    [ALIGN_BAD_SENDER] = {"bad-sender", "Sender does not hold one plain address"},
    [ALIGN_BAD_RESENT] = {"bad-resent",
                          "Resent-From or Resent-Sender does not hold plain addresses"},
    [ALIGN_FROM] = {"from", "the address in From is not yours"},
    [ALIGN_SENDER] = {"sender", "the address in Sender is not yours"},
    [ALIGN_RESENT] = {"resent",
                      "the address in Resent-From or Resent-Sender is not yours"},
    [ALIGN_OBSOLETE] = {"obsolete", "From has comments or white space within an address"},
    [ALIGN_SHOWN] = {"shown", "From shows an address that is not yours"},
    [ALIGN_LOOKALIKE] = {"lookalike", "From looks like somebody else's address"},
};

const char *align_reason_name(enum align_reason reason)
{
    return reason < ALIGN_REASON_COUNT ? reasons[reason].name : "?";
}

/* ---- which block
 * ----------------------------------------------------------------------------- */

static bool has_word(const struct config_strings *words, struct view wanted)
{
    for (uint32_t i = 0; i < words->count; i++)
        if (view_eq_nocase(view_cstr(words->items[i]), wanted))
            return true;
    return words->count == 0;
}

static bool age_holds(const struct config_align_when *w, int64_t age_ms)
{
    bool is_known = age_ms >= 0;
    if (w->younger_than_ms > 0 && (!is_known || age_ms >= w->younger_than_ms))
        return false;
    return w->older_than_ms == 0 || !is_known || age_ms >= w->older_than_ms;
}

static bool origin_holds(const struct config_align_when *w, const struct align_who *who)
{
    switch (w->origin) {
    case CONFIG_FROM_ANYWHERE:
        break;
    case CONFIG_FROM_HOME:
        return who->is_home;
    case CONFIG_FROM_OVERSEAS:
        return !who->is_home;
    }
    return true;
}

static bool applies(const struct config_align_when *w, const struct align_who *who)
{
    struct view listener = view_cstr(w->listener);
    return origin_holds(w, who) && has_word(&w->countries, who->country) &&
           has_word(&w->classes, who->account_class) && age_holds(w, who->age_ms) &&
           (listener.n == 0 || view_eq(listener, who->listener));
}

static const struct config_align *find_block(const struct config *cfg,
                                             const struct align_who *who)
{
    for (uint32_t i = 0; i < cfg->align_count; i++)
        if (applies(&cfg->align[i].when, who))
            return &cfg->align[i];
    return &strictest;
}

/* ---- whose address
 * --------------------------------------------------------------------------- */

struct align {
    const struct config_align *block;
    const struct align_who *who;
    char login[PATH_CANONICAL_SIZE]; /* as an address; empty if it is none */
    struct view separators;
    enum config_align_check check;
    enum config_align_mismatch mismatch;
    bool can_name; /* the session can say in Sender who it was */
    bool is_mismatch;
    struct align_answer *out;
};

/* Writes a mailbox in canonical form; empty if it has none. */
static struct view canonical(struct view address, char dst[static PATH_CANONICAL_SIZE])
{
    struct path path;
    int n = path_parse_address(address, &path) < 0 ? 0 : path_canonical(&path, dst);
    if (n <= 0)
        dst[0] = '\0';
    return view_cstr(dst);
}

static void align_begin(struct align *a, const struct config *cfg,
                        const struct align_who *who, struct align_answer *out)
{
    const struct config_align *block = find_block(cfg, who);
    *a = (struct align){.block = block, .who = who, .out = out};
    a->separators = view_cstr(block->subaddress);
    a->check = who->is_strict ? CONFIG_ALIGN_BOTH : block->check;
    a->mismatch = who->is_strict ? CONFIG_MISMATCH_REFUSE : block->mismatch;
    bool is_address = canonical(who->login, a->login).n > 0;
    a->can_name = is_address && cfg->submission.sender != CONFIG_SENDER_OFF;
    *out = (struct align_answer){
        .text = "", .block = block->name, .sender_field = SENDER_KEEP};
}

static enum sender_claim block_claim(const struct align *a, struct view address)
{
    const struct config_strings *senders = &a->block->senders;
    enum sender_claim best = SENDER_NOT_ALLOWED;
    if (a->who->is_strict)
        return best;
    for (uint32_t i = 0; i < senders->count && best != SENDER_IS_OWN; i++) {
        struct view pattern = view_cstr(senders->items[i]);
        if (sender_pattern_matches(pattern, address, a->separators))
            best = sender_pattern_is_delegated(pattern) ? SENDER_IS_DELEGATED
                                                        : SENDER_IS_OWN;
    }
    return best;
}

/* A mailbox in canonical form; nothing matches one that has none. */
static enum sender_claim claim(const struct align *a, struct view address)
{
    if (sender_address_matches(view_cstr(a->login), address, a->separators))
        return SENDER_IS_OWN;
    enum sender_claim own = senders_claim(a->who->senders, address, a->separators);
    if (own == SENDER_IS_OWN)
        return own;
    enum sender_claim of_all = block_claim(a, address);
    return of_all > own ? of_all : own;
}

static bool is_allowed(const struct align *a, struct view address)
{
    return claim(a, address) != SENDER_NOT_ALLOWED;
}

/* The least claim to any of these lines. */
static enum sender_claim claim_to_all(const struct align *a, struct view lines)
{
    enum sender_claim least = SENDER_IS_OWN;
    while (lines.n > 0) {
        enum sender_claim c = claim(a, view_cut(&lines, '\n'));
        if (c < least)
            least = c;
    }
    return least;
}

/* ---- what follows
 * ---------------------------------------------------------------------------- */

static void note(struct align *a, enum align_reason reason)
{
    if (a->out->reason == ALIGN_FINE)
        a->out->reason = reason;
}

static void refuse(struct align *a, enum align_reason reason)
{
    if (a->out->is_refused)
        return;
    a->out->is_refused = true;
    a->out->reason = reason;
    a->out->text = reasons[reason].text;
}

/* Somebody else is named. To let that pass under one's own name takes a name. */
static void mismatch(struct align *a, enum align_reason reason)
{
    bool is_named = a->mismatch == CONFIG_MISMATCH_ADD_SENDER ||
                    a->mismatch == CONFIG_MISMATCH_REWRITE;
    if (a->mismatch == CONFIG_MISMATCH_REFUSE || (is_named && !a->can_name))
        refuse(a, reason);
    note(a, reason);
    a->is_mismatch = true;
}

static void doubt(struct align *a, enum config_align_doubt how, enum align_reason reason)
{
    if (how == CONFIG_DOUBT_ACCEPT)
        return;
    if (how == CONFIG_DOUBT_REFUSE)
        refuse(a, reason);
    note(a, reason);
    a->out->add_score_milli += a->block->add_score_milli;
}

/* ---- the envelope
 * ---------------------------------------------------------------------------- */

static void judge_envelope(struct align *a, struct view sender)
{
    char address[PATH_CANONICAL_SIZE];
    if (sender.n == 0) {
        if (!a->block->allow_null_sender)
            refuse(a, ALIGN_NULL_SENDER);
    } else if (a->check & CONFIG_ALIGN_ENVELOPE &&
               !is_allowed(a, canonical(sender, address))) {
        mismatch(a, ALIGN_ENVELOPE);
    }
}

void align_envelope(const struct config *cfg, const struct align_who *who,
                    struct view sender, struct align_answer *out)
{
    struct align a;
    align_begin(&a, cfg, who, out);
    judge_envelope(&a, sender);
    if (a.is_mismatch && !out->is_refused && a.mismatch == CONFIG_MISMATCH_REWRITE)
        memcpy(out->rewritten, a.login, sizeof out->rewritten);
}

/* ---- the header
 * ------------------------------------------------------------------------------ */

static size_t line_count(struct view lines)
{
    size_t count = 0;
    for (size_t i = 0; i < lines.n; i++)
        count += lines.p[i] == '\n';
    return count;
}

/* What is refused whatever the block says. */
static void judge_form(struct align *a, const struct align_message *m)
{
    static const struct {
        unsigned findings;
        enum align_reason reason;
    } forms[] = {
        {HEADER_FINDING_AMBIGUOUS | HEADER_FINDING_MANY_FROM | HEADER_FINDING_SPACED_NAME,
         ALIGN_AMBIGUOUS},
        {HEADER_FINDING_FROM_INVALID | HEADER_FINDING_FROM_ODD, ALIGN_BAD_FROM},
        {HEADER_FINDING_MANY_SENDER | HEADER_FINDING_SENDER_INVALID, ALIGN_BAD_SENDER},
        {HEADER_FINDING_RESENT_INVALID, ALIGN_BAD_RESENT},
    };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        if (m->findings & forms[i].findings)
            refuse(a, forms[i].reason);
    size_t authors = line_count(m->authors);
    bool has_from = (m->findings & HEADER_FINDING_NO_FROM) == 0;
    if (!has_from && (a->check & CONFIG_ALIGN_HEADER))
        refuse(a, ALIGN_NO_FROM); /* nobody is named, so nothing is ambiguous */
    if (has_from && authors == 0)
        refuse(a, ALIGN_BAD_FROM);
    if (authors > 1 && m->header_sender.n == 0)
        refuse(a, ALIGN_AUTHORS);
}

/* A Sender that names somebody else cannot be mended by a second one, unless the session
 * puts ours in its place. */
static bool has_foreign_sender(const struct align *a, const struct align_message *m)
{
    return m->header_sender.n > 0 && !is_allowed(a, m->header_sender);
}

static void judge_header(struct align *a, const struct align_message *m)
{
    if (!(a->check & CONFIG_ALIGN_HEADER))
        return;
    if (claim_to_all(a, m->authors) == SENDER_NOT_ALLOWED)
        mismatch(a, ALIGN_FROM);
    if (has_foreign_sender(a, m))
        mismatch(a, ALIGN_SENDER);
    if (claim_to_all(a, m->resent) == SENDER_NOT_ALLOWED)
        mismatch(a, ALIGN_RESENT);
}

/* ---- doubts
 * ---------------------------------------------------------------------------------- */

/* The login or an address listed for the account is what it is, whatever it looks like.
 */
static bool is_listed(const struct align *a, struct view address)
{
    struct view list = a->who->senders, pattern;
    bool found = sender_address_matches(view_cstr(a->login), address, a->separators);
    while (!found && senders_next(&list, &pattern))
        found = sender_address_matches(pattern, address, a->separators);
    return found;
}

static bool looks_like_other(const struct align *a, struct view address)
{
    char skeleton[CONFUSABLE_SIZE];
    int n = is_listed(a, address) ? 0 : confusable_skeleton(address, skeleton);
    return n > 0 &&
           a->who->find_lookalike(a->who->find_arg, view_of(skeleton, (size_t)n), address)
                   .n > 0;
}

static bool has_lookalike(const struct align *a, struct view lines)
{
    while (a->who->find_lookalike && lines.n > 0)
        if (looks_like_other(a, view_cut(&lines, '\n')))
            return true;
    return false;
}

static void judge_doubts(struct align *a, const struct align_message *m)
{
    if (m->findings & HEADER_FINDING_FROM_OBSOLETE)
        doubt(a, a->block->shown_addresses, ALIGN_OBSOLETE);
    if (m->findings & HEADER_FINDING_SHOWN_TOO_MANY ||
        claim_to_all(a, m->shown) == SENDER_NOT_ALLOWED)
        doubt(a, a->block->shown_addresses, ALIGN_SHOWN);
    if (has_lookalike(a, m->authors) || has_lookalike(a, m->shown))
        doubt(a, a->block->lookalikes, ALIGN_LOOKALIKE);
}

void align_message(const struct config *cfg, const struct align_who *who,
                   const struct align_message *m, struct align_answer *out)
{
    struct align a;
    align_begin(&a, cfg, who, out);
    if (has_foreign_sender(&a, m) && cfg->submission.sender != CONFIG_SENDER_REPLACE)
        a.can_name = false;
    judge_form(&a, m);
    judge_envelope(&a, m->sender);
    judge_header(&a, m);
    judge_doubts(&a, m);
    if (a.is_mismatch && a.mismatch == CONFIG_MISMATCH_SCORE)
        out->add_score_milli += a.block->add_score_milli;
    if (a.is_mismatch || claim_to_all(&a, m->authors) != SENDER_IS_OWN)
        out->sender_field = SENDER_SET_LOGIN;
}
