/* A restriction: what was done to whom, why, and how it ended. The support desk reads it
 * to a customer on the telephone, so it holds the whole story: which rule, on what
 * grounds, what the client was told, who lifted it.
 *
 * Pure: the record and its form on disk. restrictions.h keeps them.
 *
 *      u8 version | u8 kind | u64 id | u64 account | i64 at_ms | i64 last_ms | u32 times
 * | i64 until_ms | i64 released_ms | u16 country | texts in the order of the struct
 *
 * Bytes that do not decode are damaged, never half believed. */
#ifndef POLICY_RESTRICTION_H
#define POLICY_RESTRICTION_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "msa/base/buf.h"
#include "msa/base/view.h"

enum restriction_kind {
    RESTRICTION_SUSPENDED =
        1,                /* the account may not sign in; stands until it is released */
    RESTRICTION_LOCKED,   /* sign-ins were shut out for a time */
    RESTRICTION_HELD,     /* messages were taken and kept back */
    RESTRICTION_LIMITED,  /* something was deferred or refused */
    RESTRICTION_OVERSEAS, /* a sign-in from abroad, which the customer has blocked */
    RESTRICTION_OWNER_LOCKED, /* as suspended, by the owner ("that was not me"), who lifts it by another password */
    RESTRICTION_KIND_COUNT
};

#define RESTRICTION_TEXT_MAX  512
#define RESTRICTION_BYTES_MAX 4096

struct restriction {
    enum restriction_kind kind;
    uint64_t id;
    uint64_t account; /* 0: of a source, not of an account */
    int64_t at_ms;
    int64_t last_ms;     /* when it came up last */
    uint32_t times;      /* how often it came up */
    int64_t until_ms;    /* 0: until somebody releases it */
    int64_t released_ms; /* 0: not released */
    uint16_t country;    /* of the client; COUNTRY_NONE */
    struct view login;
    struct view rule;    /* empty: by hand */
    struct view because; /* the rule's own sentence, or the operator's note */
    struct view grounds; /* what was counted: countries, networks, numbers, with times */
    struct view source;  /* the client's address, as the privacy settings have it */
    struct view told;    /* what the client was told */
    struct view released_by;
    struct view release_note;
};

const char *restriction_kind_name(enum restriction_kind kind);

/* Texts longer than RESTRICTION_TEXT_MAX are cut. MSA_OK or the buffer's error. */
int restriction_encode(const struct restriction *r, struct buf *out);
/* Views point into `bytes`. MSA_OK or MSA_ECORRUPT. */
int restriction_decode(struct view bytes, struct restriction *out);

/* Of a kind that shuts the account out until it is released. */
bool restriction_is_suspension(enum restriction_kind kind);

/* Shuts somebody out at `now_ms`: a suspension or a lock that was neither released nor
 * has run out. */
bool restriction_is_standing(const struct restriction *r, int64_t now_ms);

/* For people and programs; a new object, NULL when memory is out. */
json_t *restriction_json(const struct restriction *r, int64_t now_ms);

#endif
