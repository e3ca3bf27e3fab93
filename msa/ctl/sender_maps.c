#include "msa/ctl/sender_maps.h"

#include <stdbool.h>

#include "msa/mail/sender_pattern.h"

struct reader {
    const char *name;
    sender_maps_pair_fn *pair;
    void *arg;
    struct buf *errors;
    struct sender_maps_result result;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static void mistake(struct reader *r, uint32_t line, const char *what)
{
    r->result.error_count++;
    buf_addf(r->errors, "%s:%u: %s\n", r->name, line, what);
}

/* The next word, behind blanks and, between logins, commas; empty at the end. */
static struct view take_word(struct view *rest, bool at_commas)
{
    size_t from = 0, to;
    while (from < rest->n && (is_blank(rest->p[from]) || (at_commas && rest->p[from] == ',')))
        from++;
    to = from;
    while (to < rest->n && !is_blank(rest->p[to]) && !(at_commas && rest->p[to] == ','))
        to++;
    struct view word = view_slice(*rest, from, to);
    *rest = view_slice(*rest, to, rest->n);
    return word;
}

/* One line with what goes on behind it. */
static void read_entry(struct reader *r, struct view entry, uint32_t line)
{
    char sender[SENDER_PATTERN_SIZE];
    struct view key = take_word(&entry, false), login = take_word(&entry, true);
    int n = sender_pattern_parse(key, sender);
    if (n < 0) {
        mistake(r, line, "the sender is no address: write local@domain or @domain");
    } else if (login.n == 0) {
        mistake(r, line, "no login stands behind the sender");
    }
    for (; n > 0 && login.n > 0; login = take_word(&entry, true)) {
        r->pair(r->arg, login, view_of(sender, (size_t)n));
        r->result.pair_count++;
    }
}

static bool is_comment(struct view line)
{
    while (line.n > 0 && is_blank(line.p[0]))
        line = view_slice(line, 1, line.n);
    return line.n == 0 || line.p[0] == '#';
}

static void end_entry(struct reader *r, struct buf *entry, uint32_t line)
{
    if (buf_failed(entry))
        mistake(r, line, "the line is too long");
    else if (buf_len(entry) > 0)
        read_entry(r, buf_view(entry), line);
    buf_reset(entry);
}

struct sender_maps_result sender_maps_read(struct view text, const char *name,
                                           sender_maps_pair_fn *pair, void *arg,
                                           struct buf *errors)
{
    struct reader r = {.name = name, .pair = pair, .arg = arg, .errors = errors};
    struct buf entry;
    uint32_t line_number = 0, began = 0;
    buf_init(&entry, SENDER_MAPS_LINE_MAX);
    while (text.n > 0) {
        struct view line = view_cut(&text, '\n');
        line_number++;
        if (is_comment(line))
            continue;
        if (!is_blank(line.p[0])) {
            end_entry(&r, &entry, began);
            began = line_number;
        } else if (buf_len(&entry) == 0 && !buf_failed(&entry)) {
            mistake(&r, line_number, "the line goes on with one that is not there");
            continue;
        }
        buf_add(&entry, line);
    }
    end_entry(&r, &entry, began);
    buf_fini(&entry);
    return r.result;
}
