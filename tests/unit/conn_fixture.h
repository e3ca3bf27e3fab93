/* For the tests of connections: ends that record what happens to them, in one loop with a clock that
 * stands still. */
#ifndef TESTS_UNIT_CONN_FIXTURE_H
#define TESTS_UNIT_CONN_FIXTURE_H

#include "msa/io/conn.h"

struct end {
    struct conn *c; /* NULL after on_closed */
    struct buf got; /* all input so far */
    bool is_leaving_input; /* on_input takes nothing */
    bool is_in_call;       /* a call of ours is under way: no event may come */
    void (*on_input)(struct end *e);     /* in place of collecting; NULL */
    void (*on_tls_ready)(struct end *e); /* NULL */
    int connected_count;
    int tls_ready_count;
    int input_count;
    int drained_count;
    int closed_count;
    enum conn_end end;
    char error[128];
};

extern struct loop *cf_loop;
extern const struct conn_events cf_events;

void cf_set_up(void);
void cf_tear_down(void);

/* Over a new socketpair: both ends, or one and its bare socket. */
void cf_pair(struct end *a, struct end *b);
int cf_end_and_raw(struct end *e);
void cf_accept(struct end *e, int fd);
void cf_end_fini(struct end *e);

void cf_turns(int count);
/* Turns that wait for events, until *counter is at least `want`. */
void cf_until(const int *counter, int want);
void cf_write(struct end *e, const char *text);
bool cf_has(const struct end *e, const char *text); /* what it got is just that */
void cf_raw_write(int fd, const char *text);

#endif
