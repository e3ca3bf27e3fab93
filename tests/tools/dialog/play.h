/* One transcript and its session. */
#ifndef TESTS_TOOLS_DIALOG_PLAY_H
#define TESTS_TOOLS_DIALOG_PLAY_H

#include <stdbool.h>
#include <stdio.h>

#include "msa/base/buf.h"
#include "msa/config/config.h"
#include "tests/common/smtp_fake.h"

#define PLAY_ERROR_MAX 1024

struct play {
    const char *path;
    bool is_bytewise;
    bool is_skipped; /* "whole:" and byte by byte do not go together */
    unsigned line_number;
    char error[PLAY_ERROR_MAX]; /* "": none */

    struct buf settings; /* configuration of the dialog */
    unsigned flags;
    char ip[64];
    char first_text[512]; /* what meets the connect question */
    size_t first;         /* bytes of it */
    struct config *config;
    struct fake fake;
    bool is_begun;
    struct buf held; /* "C-": goes with the next segment */
    struct buf message; /* the last one accepted: prepend and body */
    size_t prepend_left; /* of message */
    bool has_message;
};

void play_init(struct play *p, const char *path, bool bytewise);
void play_fini(struct play *p);
bool play_file(struct play *p); /* true: passed */

void play_fail(struct play *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* words.c: one line of a transcript. */
void play_line(struct play *p, struct view word, struct view rest);
void play_begin(struct play *p); /* makes configuration and session, once */
void play_end(struct play *p);   /* nothing may be left over */

/* answers.c: the word that says what a role answers from now on. */
void play_word_answer(struct play *p, struct view rest);

/* "\r\n\t\0\\\xHH" as bytes; "\(TEXT*N)" as TEXT N times. False when malformed. */
bool play_unescape(struct view text, struct buf *out);
bool play_matches(struct view pattern, struct view text); /* "*" any bytes, "?" one */

#endif
