#include "msa/mail/address.h"

#include <string.h>

#include "msa/base/err.h"
#include "msa/base/utf8.h"
#include "msa/mail/address_lex.h"
#include "msa/mail/domain.h"
#include "msa/mail/local_part.h"

/* Words before it is known what they are: "John Q. Public" turns into a name at "<" and at ":",
 * into the local part of an address at "@". Both readings are written down at once, each in a
 * scratch as long as the whole text. */
struct words {
    char *name;
    char *local;
    size_t name_n;
    size_t local_n;
    size_t word_count;
    bool starts_with_dot;
    bool ends_in_dot;
    bool is_local;    /* word *("." word) */
    bool has_dot;     /* outside quotes */
    bool had_space;   /* between two of them */
    bool had_comment;
};

/* What stands before the present place in the list. */
enum last {
    LAST_NOTHING = 0,
    LAST_MEMBER,
    LAST_COMMA,
};

struct parser {
    struct lexer lex;
    struct token token; /* the one looked at */
    struct arena *arena;
    struct address_list *list;
    struct mailbox **tail;
    size_t max_count;
    struct words words;
    char *domain;
    size_t domain_n;
    enum last last;
    bool in_group;
    bool is_stopped; /* at a syntax error, a limit or the end of memory */
    int error;
};

static void note(struct parser *p, unsigned findings)
{
    p->list->findings |= findings;
}

static void stop(struct parser *p, unsigned findings)
{
    note(p, findings);
    p->is_stopped = true;
}

static void out_of_memory(struct parser *p)
{
    p->error = MSA_ENOMEM;
    p->is_stopped = true;
}

static void advance(struct parser *p)
{
    p->token = address_lex_next(&p->lex);
    note(p, p->lex.findings);
    if (p->token.kind == TOKEN_BAD)
        p->is_stopped = true;
}

static bool is_special(const struct parser *p, char c)
{
    return p->token.kind == TOKEN_SPECIAL && p->token.text.p[0] == c;
}

static bool take_special(struct parser *p, char c)
{
    if (p->is_stopped || !is_special(p, c))
        return false;
    advance(p);
    return true;
}

/* ---- words
 * ------------------------------------------------------------------------------------- */

static void words_begin(struct words *w)
{
    w->name_n = w->local_n = w->word_count = 0;
    w->starts_with_dot = w->ends_in_dot = w->has_dot = false;
    w->had_space = w->had_comment = false;
    w->is_local = true;
}

/* One word or dot. `plain` is its text without quotes, `is_dot` a dot outside them. */
static void words_add(struct words *w, const struct token *t, struct view plain, bool is_dot)
{
    bool is_first = w->word_count == 0 && !w->has_dot;
    bool may_follow = is_dot ? w->word_count > 0 && !w->ends_in_dot : is_first || w->ends_in_dot;
    if (is_first) {
        w->starts_with_dot = is_dot;
    } else {
        w->had_space |= t->had_space;
        w->had_comment |= t->had_comment;
    }
    if (t->had_space && w->name_n > 0)
        w->name[w->name_n++] = ' ';
    if (plain.n > 0) {
        memcpy(w->name + w->name_n, plain.p, plain.n);
        memcpy(w->local + w->local_n, plain.p, plain.n);
    }
    w->name_n += plain.n;
    w->local_n += plain.n;
    w->is_local &= may_follow;
    w->word_count += !is_dot;
    w->has_dot |= is_dot;
    w->ends_in_dot = is_dot;
}

/* Reads atoms, quoted strings and dots as far as they go. */
static void read_words(struct parser *p)
{
    struct words *w = &p->words;
    words_begin(w);
    while (!p->is_stopped) {
        struct view plain = p->token.text;
        bool is_dot = is_special(p, '.');
        if (p->token.kind == TOKEN_QUOTED) /* unquoted in place: the domain's scratch is free now */
            plain = view_of(p->domain, token_unquote(p->token.text, p->domain));
        else if (p->token.kind != TOKEN_ATOM && !is_dot)
            return;
        words_add(w, &p->token, plain, is_dot);
        advance(p);
    }
}

/* ---- an address
 * -------------------------------------------------------------------------------- */

/* A domain token: an address does not like white space and comments in it. */
static void domain_add(struct parser *p)
{
    if (p->token.had_comment)
        note(p, ADDRESS_COMMENT_IN_ADDR);
    else if (p->token.had_space)
        note(p, ADDRESS_SPACE_IN_ADDR);
    p->domain_n += token_squeeze(p->token.text, p->domain + p->domain_n);
    advance(p);
}

/* dot-atom, obs-domain or domain-literal behind "@" (RFC 5322 section 3.4.1, 4.4). */
static void read_domain(struct parser *p)
{
    p->domain_n = 0;
    if (p->token.kind == TOKEN_LITERAL) {
        note(p, ADDRESS_LITERAL);
        domain_add(p);
        return;
    }
    while (!p->is_stopped && p->token.kind == TOKEN_ATOM) {
        domain_add(p);
        if (p->is_stopped || !is_special(p, '.'))
            return;
        domain_add(p);
    }
    if (!p->is_stopped)
        stop(p, ADDRESS_SYNTAX); /* nothing behind "@" or a dot */
}

/* obs-route, at its first "@" or ",": commas and @domains up to ":". */
static void read_route(struct parser *p)
{
    note(p, ADDRESS_ROUTE);
    while (!p->is_stopped && !is_special(p, ':')) {
        if (take_special(p, ','))
            continue;
        if (take_special(p, '@'))
            read_domain(p);
        else
            stop(p, ADDRESS_SYNTAX);
    }
    take_special(p, ':');
}

static bool has_encoded_word(struct view v)
{
    const char *start = v.n ? memmem(v.p, v.n, "=?", 2) : NULL;
    return start && memmem(start, (size_t)(v.p + v.n - start), "?=", 2);
}

static void check_domain(struct parser *p, struct view domain)
{
    char canonical[DOMAIN_SIZE];
    if (domain_canonical(domain, canonical) < 0)
        note(p, ADDRESS_BAD_DOMAIN);
}

/* Keeps what local scratch and domain scratch hold, under `name`. */
static void keep_mailbox(struct parser *p, struct view name)
{
    struct view local = view_of(p->words.local, p->words.local_n);
    size_t address_max = 2 * local.n + 2 + 1 + p->domain_n;
    if (p->list->count == p->max_count) {
        stop(p, ADDRESS_TOO_MANY);
        return;
    }
    struct mailbox *m = ARENA_NEW(p->arena, struct mailbox);
    char *text = arena_alloc(p->arena, address_max + local.n);
    if (!m || !text) {
        out_of_memory(p);
        return;
    }
    size_t local_n = local_quote(local, text);
    text[local_n] = '@';
    memcpy(text + local_n + 1, p->domain, p->domain_n);
    m->address = view_of(text, local_n + 1 + p->domain_n);
    m->domain = view_of(text + local_n + 1, p->domain_n);
    m->local = view_of(text + address_max, local.n);
    if (local.n > 0)
        memcpy(text + address_max, local.p, local.n);
    m->name = name;

    check_domain(p, m->domain);
    if (has_encoded_word(m->local) || has_encoded_word(m->domain))
        note(p, ADDRESS_ENCODED_WORD);
    *p->tail = m;
    p->tail = &m->next;
    p->list->count++;
}

/* addr-spec: the words are its local part and "@" is next. Leaves the domain in its scratch. */
static void read_addr_spec(struct parser *p)
{
    const struct words *w = &p->words;
    if (p->is_stopped)
        return;
    if (!is_special(p, '@')) {
        stop(p, w->word_count > 0 ? ADDRESS_NO_DOMAIN : ADDRESS_SYNTAX);
        return;
    }
    if (!w->is_local || w->word_count == 0 || w->ends_in_dot) {
        stop(p, ADDRESS_SYNTAX);
        return;
    }
    if (w->had_comment || p->token.had_comment)
        note(p, ADDRESS_COMMENT_IN_ADDR);
    else if (w->had_space || p->token.had_space)
        note(p, ADDRESS_SPACE_IN_ADDR);
    advance(p);
    if (!p->is_stopped)
        read_domain(p);
}

/* Behind "<", up to and with ">". */
static void read_angle(struct parser *p, struct view name)
{
    bool had_comment = p->token.had_comment;
    if (is_special(p, '@') || is_special(p, ','))
        read_route(p);
    had_comment |= p->token.had_comment;
    if (is_special(p, '>')) {
        stop(p, ADDRESS_SYNTAX); /* <> names nobody */
        return;
    }
    read_words(p);
    read_addr_spec(p);
    if (had_comment || p->token.had_comment)
        note(p, ADDRESS_COMMENT_IN_ADDR);
    if (p->is_stopped)
        return;
    if (!is_special(p, '>')) {
        stop(p, p->token.kind == TOKEN_END ? ADDRESS_UNCLOSED : ADDRESS_SYNTAX);
        return;
    }
    keep_mailbox(p, name);
    if (!p->is_stopped)
        advance(p);
}

/* ---- the list
 * ---------------------------------------------------------------------------------- */

/* The words before "<" are a display name: phrase or obs-phrase, which begins with a word. */
static struct view take_name(struct parser *p)
{
    const struct words *w = &p->words;
    struct view name = view_trim(view_of(w->name, w->name_n));
    if (w->starts_with_dot)
        stop(p, ADDRESS_SYNTAX);
    if (w->has_dot)
        note(p, ADDRESS_DOT_IN_NAME);
    if (view_find(name, '@') < name.n)
        note(p, ADDRESS_NAME_HAS_AT);
    struct view kept = arena_copy(p->arena, name);
    if (name.n > 0 && !kept.p)
        out_of_memory(p);
    return kept;
}

static void begin_group(struct parser *p)
{
    const struct words *w = &p->words;
    note(p, ADDRESS_GROUP);
    if (p->in_group || w->word_count == 0 || w->starts_with_dot)
        stop(p, ADDRESS_SYNTAX); /* groups do not nest, and have a name */
    p->in_group = true;
    p->last = LAST_NOTHING;
}

/* One mailbox, or the beginning of a group. */
static void read_member(struct parser *p)
{
    p->last = LAST_MEMBER;
    read_words(p);
    if (p->is_stopped)
        return;
    if (take_special(p, '<')) {
        struct view name = take_name(p);
        if (!p->is_stopped)
            read_angle(p, name);
    } else if (take_special(p, ':')) {
        begin_group(p);
    } else {
        read_addr_spec(p);
        if (!p->is_stopped)
            keep_mailbox(p, VIEW_EMPTY);
    }
}

static void read_list(struct parser *p)
{
    while (!p->is_stopped && p->token.kind != TOKEN_END) {
        if (take_special(p, ',')) {
            if (p->last != LAST_MEMBER)
                note(p, ADDRESS_EMPTY_MEMBER);
            p->last = LAST_COMMA;
        } else if (p->in_group && take_special(p, ';')) {
            if (p->last == LAST_COMMA)
                note(p, ADDRESS_EMPTY_MEMBER);
            p->in_group = false;
            p->last = LAST_MEMBER;
        } else if (p->last == LAST_MEMBER) {
            stop(p, ADDRESS_SYNTAX); /* two members without a comma */
        } else {
            read_member(p);
        }
    }
    if (p->is_stopped)
        return;
    if (p->last == LAST_COMMA)
        note(p, ADDRESS_EMPTY_MEMBER);
    if (p->in_group)
        note(p, ADDRESS_UNCLOSED);
}

static int parse(struct parser *p, struct view body)
{
    p->words.name = arena_alloc(p->arena, body.n + 1);
    p->words.local = arena_alloc(p->arena, body.n + 1);
    p->domain = arena_alloc(p->arena, body.n + 1);
    if (!p->words.name || !p->words.local || !p->domain)
        return MSA_ENOMEM;
    if (!utf8_is_valid(body))
        note(p, ADDRESS_BAD_UTF8);
    advance(p);
    read_list(p);
    if (p->list->count == 0 && !(p->list->findings & ADDRESS_GROUP))
        note(p, ADDRESS_EMPTY);
    return p->error;
}

int address_parse(struct view body, size_t max_count, struct arena *arena,
                  struct address_list *out)
{
    *out = (struct address_list){.count = 0};
    struct parser p = {
        .lex = {.in = body},
        .arena = arena,
        .list = out,
        .tail = &out->first,
        .max_count = max_count,
    };
    return parse(&p, body);
}

int mailbox_canonical(const struct mailbox *m, char dst[static PATH_CANONICAL_SIZE])
{
    struct path path;
    int err = path_parse_address(m->address, &path);
    return err < 0 ? err : path_canonical(&path, dst);
}
