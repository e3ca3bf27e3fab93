/* Log lines: one event, one line, key=value, one write.
 *
 *   2026-11-23T02:13:00.123Z smtp[1] info auth-ok sess=4kq2x9d7 user=taro@example.jp ip=203.0.113.9
 *
 * Values are quoted where they hold a space, '"' or '='; any byte outside 0x21–0x7e (and the quote and the
 * backslash) leaves as \xNN, so that no client can forge a line or a terminal sequence. A
 * line longer than LOG_LINE_MAX is cut (a quoted value still gets its closing quote) and ends in " cut=1". Lines are gathered and written by log_flush,
 * which the loop calls once per turn; warnings and errors are written at once.
 *
 * The events and their keys are listed in conf/EVENTS.md; a lint test compares it with the code. */
#ifndef MSA_BASE_LOG_H
#define MSA_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "msa/base/ipaddr.h"
#include "msa/base/view.h"

#define LOG_LINE_MAX 2048

enum log_level {
    LOG_LEVEL_DEBUG = 0,
    LOG_LEVEL_INFO,
    LOG_LEVEL_WARN,  /* somebody should look at it some day */
    LOG_LEVEL_ERROR, /* somebody should look at it now */
};

enum log_target {
    LOG_TO_FD = 0, /* stderr or a file opened for append */
    LOG_TO_SYSLOG, /* a connected datagram socket to /dev/log: one line a datagram */
};

/* `role` ("smtp", "relay" …) and `index` stand in every line. */
void log_setup(const char *role, unsigned index, enum log_level lowest);
void log_set_target(enum log_target target, int fd); /* the fd stays the caller's */
void log_set_level(enum log_level lowest);
void log_flush(void);

/* A line under construction, on the caller's stack. */
struct log_line {
    enum log_level level;
    bool is_on;  /* false below the level in force: every call is a no-op */
    bool is_cut; /* ran full: nothing more goes in */
    uint16_t len;
    char text[LOG_LINE_MAX];
};

void log_begin(struct log_line *l, enum log_level level, const char *event);
void log_view(struct log_line *l, const char *key, struct view value);
void log_str(struct log_line *l, const char *key, const char *value); /* NULL: key is left out */
void log_num(struct log_line *l, const char *key, int64_t value);
void log_ip(struct log_line *l, const char *key, const struct ipaddr *value);
void log_textf(struct log_line *l, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void log_end(struct log_line *l);

/* Short form for a line with nothing but text: event plus text="…". */
void log_msg(enum log_level level, const char *event, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* For what may happen a thousand times a second and needs to be said once in `every_ms`: true when it is time again, and
 * then `*last_ms` is now. 0 there: never yet. */
bool log_is_due(int64_t *last_ms, int64_t every_ms);

#endif
