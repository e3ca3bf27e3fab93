/* struct smtp_body: a message on its way into a descriptor that relay handed out. Dots are unstuffed, lines
 * checked and the header block gathered on the way. What fits a question to relay stays in memory until
 * somebody wants the descriptor; a small memory file takes what stays small, and is changed for a file of the
 * spool when the message outgrows it.
 *
 * A message with a fault is read on to its true end and thrown away: only there it is known where the next
 * command begins. Writes go to memory or to the page cache; nothing here waits for a disk. */
#ifndef SMTP_BODY_H
#define SMTP_BODY_H

#include <stdbool.h>
#include <stdint.h>

#include "msa/base/buf.h"
#include "msa/config/config.h"
#include "msa/mail/eod.h"
#include "msa/mail/header.h"

#define BODY_PENDING_MAX (64 * 1024)

enum body_fault {
    BODY_SOUND = 0,
    BODY_STRAY,        /* bare CR, bare LF or NUL */
    BODY_TOO_BIG,      /* limits.message_bytes */
    BODY_HEADER_TOO_BIG,
    BODY_LONG_LINE,    /* limits.text_line_bytes */
    BODY_NO_SPACE,     /* the descriptor took no more */
    BODY_NO_MEMORY,
};

struct body_settings {
    const struct config *config; /* read during smtp_body_begin only */
    enum eod_mode mode;
    bool may_normalize;
    bool may_have_long_lines;
};

struct smtp_body {
    int fd; /* owned; -1: none */
    bool is_large;
    bool is_used;    /* bytes went in or another role has seen it: never to be handed out again */
    bool is_begun;
    bool may_normalize;
    bool may_have_long_lines;
    bool remove_bcc;
    bool hold_sender; /* Sender fields stay out of the descriptor, see fixup.h */
    bool ends_in_crlf; /* known at the end */
    enum body_fault fault;
    uint64_t message_max_bytes;
    uint64_t small_max_bytes;
    uint32_t text_line_max;
    uint64_t header_bytes; /* fields in the descriptor, without the empty line */
    uint64_t total_bytes;  /* of the message so far, written or pending */
    uint64_t written_bytes;
    struct buf pending;
    struct header header;
    struct eod eod;
};

enum body_step {
    BODY_MORE = 0,    /* all input was taken */
    BODY_END,         /* the end mark was read (EOD_DATA only); what is left is behind it */
    BODY_NEEDS_LARGE, /* smtp_body_switch first, then feed again */
};

void smtp_body_init(struct smtp_body *b); /* no descriptor */

/* Takes `fd` over, empty and written by offset. */
void smtp_body_begin(struct smtp_body *b, int fd, bool is_large,
                     const struct body_settings *settings);

/* Takes bytes off the front of `*in`. */
enum body_step smtp_body_feed(struct smtp_body *b, struct view *in);

/* Moves to the large descriptor `fd`, which is the body's from here on. The small one, emptied, is
 * closed. */
void smtp_body_switch(struct smtp_body *b, int fd);

/* The message goes on without a place: NO_SPACE, and everything that follows is thrown away. */
void smtp_body_give_up(struct smtp_body *b, enum body_fault fault);

/* All of the message was fed. Says whether it is sound: then it is in memory whole, or in the descriptor. */
enum body_fault smtp_body_end(struct smtp_body *b);

/* Sound, but too big for the small descriptor that it is in: smtp_body_switch before it goes to relay. */
bool smtp_body_is_outgrown(const struct smtp_body *b);

/* Of a sound message that has ended: all of it into the descriptor, for another role to read. False: that took no
 * more. */
bool smtp_body_show(struct smtp_body *b);

/* The descriptor; or -1 and the message in `*bytes_out`, where it has not left memory. Both are the caller's from
 * here on, to close or buf_fini. */
int smtp_body_give(struct smtp_body *b, struct buf *bytes_out);

/* Frees everything. The descriptor, if nobody used it, is handed back with its kind, otherwise
 * closed and -1. The body is as after smtp_body_init. */
int smtp_body_fini(struct smtp_body *b, bool *is_large_out);

#endif
