/* Account records from a damaged disk, and what stands in them: hashes, verifiers and the lines
 * that bring them. The first byte chooses which. */
#include <string.h>

#include "auth/account.h"
#include "auth/factors.h"
#include "auth/import.h"
#include "auth/scram.h"
#include "msa/base/err.h"
#include "msa/base/table.h"
#include "tests/fuzz/fuzz.h"

/* A record that decodes is the one that its fields encode to. */
static void check_record(struct view in)
{
    struct account a, zero = {0};
    struct buf again;
    buf_init(&again, ACCOUNT_RECORD_MAX);
    if (account_decode(in, &a) == MSA_OK) {
        account_encode(&a, &again);
        must(!buf_failed(&again) && view_eq(buf_view(&again), in));
        must(memchr(a.secret, '\0', sizeof a.secret) != NULL);
    } else {
        must(memcmp(&a, &zero, sizeof a) == 0);
    }
    buf_fini(&again);
}

/* Factors likewise. */
static void check_factors(struct view in)
{
    static struct factors f;
    struct buf again;
    buf_init(&again, FACTORS_RECORD_MAX);
    if (factors_decode(in, &f) == MSA_OK) {
        factors_encode(&f, &again);
        must(!buf_failed(&again) && view_eq(buf_view(&again), in));
        must(f.app_count <= FACTORS_APPS_MAX && f.recovery_count <= FACTORS_RECOVERY_MAX);
        for (size_t i = 0; i < f.app_count; i++)
            must(f.apps[i].id != 0 && memchr(f.apps[i].name, '\0', sizeof f.apps[i].name) != NULL);
    } else {
        must(f.app_count == 0 && f.totp == TOTP_NONE && !f.app_passwords_only);
    }
    buf_fini(&again);
}

/* The same with a sum that is right, so that the fields behind it are reached. */
static void check_summed(struct view in, size_t max_bytes, void (*check)(struct view record))
{
    static const uint8_t zeros[16];
    static char record[ACCOUNT_RECORD_MAX > FACTORS_RECORD_MAX ? ACCOUNT_RECORD_MAX : FACTORS_RECORD_MAX];
    if (in.n + 8 > max_bytes)
        return;
    if (in.n > 0)
        memcpy(record, in.p, in.n);
    uint64_t sum = siphash13(zeros, record, in.n);
    for (size_t i = 0; i < 8; i++)
        record[in.n + i] = (char)(sum >> (8 * i));
    check(view_of(record, in.n + 8));
}

/* A verifier that parses has one way to be written. */
static void check_verifier(struct view in)
{
    struct scram_verifier v;
    char text[SCRAM_TEXT_MAX];
    if (scram_parse(in, &v) < 0)
        return;
    must(v.salt_bytes > 0 && v.salt_bytes <= SCRAM_SALT_MAX);
    must(scram_format(&v, text) == MSA_OK);
    must(in.n < SCRAM_TEXT_MAX || strlen(text) < in.n);
}

static void check_line(struct view in)
{
    struct import_secret s;
    struct view login;
    char why[256] = "";
    int err = import_parse_line(in, &login, &s, why, sizeof why);
    if (err != MSA_OK) {
        must(err == MSA_ENOENT || why[0] != '\0');
        return;
    }
    must(login.n <= in.n && s.is_password == (s.kind == HASH_NONE));
    if (s.is_password)
        must(s.password_bytes > 0 && s.password_bytes <= sizeof s.password);
    else
        must(hash_kind_of(view_cstr(s.hash)) == s.kind);
    if (!s.is_password && s.kind != HASH_SCRAM_SHA_256)
        must(hash_validate(view_cstr(s.hash), why, sizeof why) == MSA_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct view in = fuzz_view(data + 1, size - 1);
    switch (data[0] % 6) {
    case 0: check_record(in); break;
    case 1: check_summed(in, ACCOUNT_RECORD_MAX, check_record); break;
    case 2: check_verifier(in); break;
    case 4: check_factors(in); break;
    case 5: check_summed(in, FACTORS_RECORD_MAX, check_factors); break;
    default: check_line(in); break;
    }
    return 0;
}
