/* struct reservation: what a message under way has used up, until its session says what
 * became of it.
 *
 * Made when the engine has let the recipients pass (before the body comes), so that many
 * sessions of one account can never use more than the limit together. Keeps the events as
 * they were decided: what is given back is taken from the windows of that time. One per
 * session; whoever owns it settles it, or drops it and leaves everything used. */
#ifndef POLICY_RESERVATION_H
#define POLICY_RESERVATION_H

#include <stdbool.h>
#include <stdint.h>

#include "msa/base/arena.h"
#include "policy/engine/engine.h"

/* Rules that others ask for and that held: by name, as a reload may put them at other places. */
struct held_rules {
    const uint32_t *names;
    size_t count;
};

struct reservation {
    uint64_t id;
    struct arena arena; /* what the events point to */
    struct event message;
    struct event content;
    bool is_message_counted; /* the counters could answer */
    bool is_content_counted;
    struct circumstances message_circumstances;
    struct circumstances content_circumstances;
    struct held_rules message_held;
    struct held_rules content_held;

    /* What the rules have said of it so far, for the end of the message. */
    bool is_held;
    bool must_align;
    int32_t score_hundredths;
    struct view pool; /* empty: none */
};

/* Of a message that `v` of these rules lets pass. NULL: out of memory. */
struct reservation *reservation_new(uint64_t id, const struct rule_set *rules, const struct event *e,
                                    const struct verdict *v);
void reservation_free(struct reservation **r);

/* The content passed, too. MSA_OK or MSA_ENOMEM with what it used up not to be given
 * back. */
int reservation_add_content(struct reservation *r, const struct rule_set *rules, const struct event *e,
                            const struct verdict *v);

/* The message was not accepted: everything goes back, by the rules that are in force now. */
void reservation_give_back(const struct reservation *r, const struct rule_set *rules,
                           struct store *store);

#endif
