/* Settings, an account and messages for the tests of alignment. */
#ifndef TESTS_UNIT_ALIGN_FIXTURE_H
#define TESTS_UNIT_ALIGN_FIXTURE_H

#include "policy/align.h"
#include "smtp/txn.h"

/* Signs in as taro@example.jp, with an alias, a domain and an address of his boss. */
extern const struct align_who align_taro;

/* A configuration with these blocks behind ALIGN_SETTINGS; config_free it. */
struct config *align_settings(const char *blocks);
#define ALIGN_SETTINGS                                                                     \
    "hostname mx.example.jp;\nlistener webmail { address 127.0.0.1:587; "                  \
    "auth_without_tls yes; }\npool p { smarthost 127.0.0.1; }\n"

/* A message as the session has read it, and what it would ask. */
struct align_fixture {
    struct smtp_txn txn;
    struct align_message m;
};

/* `text` is a header section without the empty line. */
void align_read_header(struct align_fixture *f, struct view text, struct view sender);
void align_forget(struct align_fixture *f);

/* Both, with the login as the envelope's sender. */
struct align_answer align_judge(const struct config *cfg, const struct align_who *who,
                                struct view text);

#endif
