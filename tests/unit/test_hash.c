#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <string.h>

#include "auth/hash.h"
#include "msa/base/err.h"

TestSuite(hash, .timeout = 30);

/* From the SHA-crypt specification, crypt_blowfish, libargon2's own tests and, for "pencil",
 * Python's crypt module over libcrypt 4.4. */
static const struct {
    enum hash_kind kind;
    char password[16];
    char text[140];
} vectors[] = {
    {HASH_SHA512_CRYPT, "Hello world!",
     "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35"
     "inz1"},
    {HASH_SHA512_CRYPT, "pencil",
     "$6$rounds=10000$saltstringsaltst$7gxjsmWBoQg0HnxKhiTW/tu.vjP7XcX6/Szx/LiWMq8.pp.02jD9hr9aAqmHep."
     "bnioaB8E.9hF77NOMIDUNM0"},
    {HASH_SHA256_CRYPT, "Hello world!", "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5"},
    {HASH_BCRYPT, "pencil", "$2b$05$CCCCCCCCCCCCCCCCCCCCC.ThbqWIWsyNQG40LT5B7LrnncmuqVy8C"},
    {HASH_BCRYPT, "pencil", "$2y$04$abcdefghijklmnopqrstuu/FyAyuZSl3DbPdvio4KrIBdz2k2yhV2"},
    {HASH_YESCRYPT, "pencil", "$y$j75$saltsaltsaltsalt$NqEh491kiRv92sczGxs7PABorTQKeT3095HgoXgjRI6"},
    {HASH_YESCRYPT, "pencil",
     "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$rPeawue/nS.5CE6nTU9GpACAbn46u5ZGm.W6wf1Q.RD"},
    {HASH_ARGON2ID, "password",
     "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"},
};

#define VECTOR_COUNT (sizeof vectors / sizeof vectors[0])

Test(hash, every_kind_knows_its_password)
{
    for (size_t i = 0; i < VECTOR_COUNT; i++) {
        struct view text = view_cstr(vectors[i].text);
        bool is_match = false;
        char why[256] = "";
        uint64_t before = hash_derivation_count();
        cr_assert(eq(int, hash_validate(text, why, sizeof why), MSA_OK), "%s: %s", vectors[i].text, why);
        cr_assert(eq(u64, hash_derivation_count(), before));
        cr_assert(eq(int, (int)hash_kind_of(text), (int)vectors[i].kind));
        cr_assert(eq(int, hash_matches(text, view_cstr(vectors[i].password), &is_match), MSA_OK));
        cr_assert(is_match, "%s", vectors[i].text);
        cr_assert(eq(int, hash_matches(text, VIEW_LIT("Pencil"), &is_match), MSA_OK));
        cr_assert(not(is_match));
        cr_assert(eq(u64, hash_derivation_count(), before + 2));
    }
}

Test(hash, a_cut_hash_is_refused_at_every_length)
{
    char why[256];
    for (size_t i = 0; i < VECTOR_COUNT; i++) {
        struct view text = view_cstr(vectors[i].text);
        size_t first_bad = vectors[i].kind == HASH_ARGON2ID ? text.n - 22 : text.n;
        for (size_t n = 0; n < first_bad; n++)
            cr_assert(eq(int, hash_validate(view_slice(text, 0, n), why, sizeof why), MSA_EINVAL),
                      "%.*s", (int)n, text.p);
    }
}

Test(hash, refuses_other_kinds_and_too_much_work)
{
    static const struct {
        char text[180];
        char word[24]; /* of the reason */
    } rows[] = {
        {"", "unknown kind"},
        {"secret", "unknown kind"},
        {"$1$abc$5bD0/ODFjysjaOMoSQqEj1", "unknown kind"},
        {"ab1234567890.", "unknown kind"},
        {"*0", "unknown kind"},
        {"$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
         "unknown kind"},
        {"$6$rounds=600000$saltstring$Be98hYI/oZGKhO1nGAO4qrimvGrSefLxNVmQRB3s8db/"
         "x5TVYIztb/pbxxQKkZpgnaKsqisxSoPhJOY5jtr6S.",
         "more work"},
        {"$6$rounds=0$saltstring$Be98hYI/oZGKhO1nGAO4qrimvGrSefLxNVmQRB3s8db/"
         "x5TVYIztb/pbxxQKkZpgnaKsqisxSoPhJOY5jtr6S.",
         "more work"},
        {"$2b$15$CCCCCCCCCCCCCCCCCCCCC.ThbqWIWsyNQG40LT5B7LrnncmuqVy8C", "more work"},
        {"$2b$31$CCCCCCCCCCCCCCCCCCCCC.ThbqWIWsyNQG40LT5B7LrnncmuqVy8C", "more work"},
        {"$y$jCT$saltsaltsaltsalt$NqEh491kiRv92sczGxs7PABorTQKeT3095HgoXgjRI6", "more work"},
        {"$y$j9V$saltsaltsaltsalt$NqEh491kiRv92sczGxs7PABorTQKeT3095HgoXgjRI6", "more work"},
        {"$argon2id$v=19$m=1048576,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
         "more work"},
        {"$argon2id$v=19$m=65536,t=17,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
         "more work"},
        {"$argon2id$v=19$m=65536,t=2,p=9$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
         "more work"},
        {"$argon2id$v=16$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
         "more work"},
        {"$5$salt:string$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5", "malformed"},
        {"$5$$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5", "malformed"},
        {"$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5:0", "malformed"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char why[256] = "";
        cr_assert(eq(int, hash_validate(view_cstr(rows[i].text), why, sizeof why), MSA_EINVAL));
        cr_assert(strstr(why, rows[i].word) != NULL, "%s: %s", rows[i].text, why);
    }
}

Test(hash, work_out_of_bounds_is_never_done)
{
    bool is_match = true;
    uint64_t before = hash_derivation_count();
    cr_assert(eq(int,
                 hash_matches(VIEW_LIT("$2b$31$CCCCCCCCCCCCCCCCCCCCC."
                                       "ThbqWIWsyNQG40LT5B7LrnncmuqVy8C"),
                              VIEW_LIT("pencil"), &is_match),
                 MSA_EINVAL));
    cr_assert(not(is_match));
    cr_assert(eq(u64, hash_derivation_count(), before));
}

Test(hash, a_password_that_crypt_cannot_take_is_wrong)
{
    char text[512];
    bool is_match = true;
    struct view hash = view_cstr(vectors[3].text);
    memset(text, 'a', sizeof text);
    cr_assert(eq(int, hash_matches(hash, view_of(text, sizeof text), &is_match), MSA_OK));
    cr_assert(not(is_match));
    is_match = true;
    cr_assert(eq(int, hash_matches(hash, view_of("pencil\0x", 8), &is_match), MSA_OK));
    cr_assert(not(is_match));
}

/* Found by fuzzing: a byte that a C string cannot hold, among the parameters. */
Test(hash, a_nul_is_malformed_anywhere)
{
    for (size_t i = 0; i < VECTOR_COUNT; i++) {
        char text[160], why[256];
        size_t n = strlen(vectors[i].text);
        for (size_t at = 0; at < n; at++) {
            memcpy(text, vectors[i].text, n);
            text[at] = '\0';
            cr_assert(eq(int, hash_validate(view_of(text, n), why, sizeof why), MSA_EINVAL));
        }
    }
}

Test(hash, kinds_have_names)
{
    cr_assert(eq(str, (char *)hash_kind_name(HASH_SCRAM_SHA_256), "scram-sha-256"));
    cr_assert(eq(str, (char *)hash_kind_name(HASH_ARGON2ID), "argon2id"));
    cr_assert(eq(str, (char *)hash_kind_name((enum hash_kind)HASH_KIND_COUNT), "none"));
}
