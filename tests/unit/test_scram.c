#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <string.h>

#include "auth/keyed.h"
#include "auth/scram.h"
#include "msa/base/err.h"

TestSuite(scram, .timeout = 20);

/* Python's hashlib, for the password, salt and count of RFC 7677 §3 and for one of our own. */
static const struct {
    char password[16];
    char salt[32];
    size_t salt_bytes;
    uint32_t iteration_count;
    char text[160];
} vectors[] = {
    {"pencil",
     "\x5b\x6d\x99\x68\x9d\x12\x35\x8e\xec\xa0\x4b\x14\x12\x36\xfa\x81",
     16,
     4096,
     "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
     "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="},
    {"pass\xc3\xa9",
     "0123456789abcdef",
     16,
     5000,
     "SCRAM-SHA-256$5000:MDEyMzQ1Njc4OWFiY2RlZg==$qLg8i72+jiVHzrHUNL9S5BC6405DgeJYfDsiCXWjRZI=:"
     "bhdRi+ggcMGHUpybftMdAZUjQgOIrcmvVJGWCaEDFUY="},
};

Test(scram, makes_the_verifiers_of_another_implementation)
{
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        struct scram_verifier v, parsed;
        char text[SCRAM_TEXT_MAX];
        struct view password = view_cstr(vectors[i].password);
        cr_assert(eq(int,
                     scram_make_salted(password, view_of(vectors[i].salt, vectors[i].salt_bytes),
                                       vectors[i].iteration_count, &v),
                     MSA_OK));
        cr_assert(eq(int, scram_format(&v, text), MSA_OK));
        cr_assert(eq(str, text, (char *)vectors[i].text));
        cr_assert(eq(int, scram_parse(view_cstr(text), &parsed), MSA_OK));
        cr_assert(memcmp(&parsed, &v, sizeof v) == 0);
        cr_assert(scram_matches(&parsed, password));
        cr_assert(not(scram_matches(&parsed, VIEW_LIT("pencil "))));
        cr_assert(not(scram_matches(&parsed, VIEW_EMPTY)));
    }
}

Test(scram, two_verifiers_of_one_password_differ_in_salt_and_keys)
{
    struct scram_verifier a, b;
    cr_assert(eq(int, scram_make(VIEW_LIT("pencil"), 4096, &a), MSA_OK));
    cr_assert(eq(int, scram_make(VIEW_LIT("pencil"), 4096, &b), MSA_OK));
    cr_assert(memcmp(a.salt, b.salt, SCRAM_SALT_BYTES) != 0);
    cr_assert(memcmp(a.stored_key, b.stored_key, SCRAM_KEY_BYTES) != 0);
    cr_assert(scram_matches(&a, VIEW_LIT("pencil")) && scram_matches(&b, VIEW_LIT("pencil")));
}

Test(scram, refuses_text_in_any_other_form)
{
    static const char *const texts[] = {
        "",
        "SCRAM-SHA-256$",
        "SCRAM-SHA-1$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
        "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
        /* too few and too many rounds, no number */
        "SCRAM-SHA-256$4095:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
        "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
        "SCRAM-SHA-256$200001:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY="
        ":wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
        "SCRAM-SHA-256$4096a:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
        "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
        /* no salt, a salt of 65 bytes, a salt without its padding */
        "SCRAM-SHA-256$4096:$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
        "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
        "SCRAM-SHA-256$4096:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        "AAAAAAAAAAAAAAA=$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
        "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
        "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
        /* keys of 31 and 33 bytes */
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4g==:"
        "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
        "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dUA",
        /* something behind */
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
        "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=:",
    };
    struct scram_verifier v, zero = {0};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        cr_assert(eq(int, scram_parse(view_cstr(texts[i]), &v), MSA_EINVAL), "%s", texts[i]);
        cr_assert(memcmp(&v, &zero, sizeof v) == 0);
    }
}

Test(scram, refuses_rounds_and_salts_out_of_bounds)
{
    char salt[SCRAM_SALT_MAX + 1] = {0};
    struct scram_verifier v;
    cr_assert(eq(int, scram_make(VIEW_LIT("x"), SCRAM_ITERATIONS_MIN - 1, &v), MSA_EINVAL));
    cr_assert(eq(int, scram_make(VIEW_LIT("x"), SCRAM_ITERATIONS_MAX + 1, &v), MSA_EINVAL));
    cr_assert(eq(int, scram_make_salted(VIEW_LIT("x"), VIEW_EMPTY, 4096, &v), MSA_EINVAL));
    cr_assert(eq(int, scram_make_salted(VIEW_LIT("x"), view_of(salt, sizeof salt), 4096, &v),
                 MSA_EINVAL));
}

Test(scram, a_fake_is_stable_for_a_name_and_fits_nothing)
{
    uint8_t key[32] = {1}, other_key[32] = {2};
    struct scram_verifier a, again, b, c;
    uint64_t before = scram_derivation_count();
    scram_fake(key, VIEW_LIT("nobody@example.jp"), 4096, &a);
    scram_fake(key, VIEW_LIT("nobody@example.jp"), 4096, &again);
    scram_fake(key, VIEW_LIT("nobodz@example.jp"), 4096, &b);
    scram_fake(other_key, VIEW_LIT("nobody@example.jp"), 4096, &c);
    cr_assert(eq(u64, scram_derivation_count(), before));
    cr_assert(memcmp(&a, &again, sizeof a) == 0);
    cr_assert(memcmp(a.salt, b.salt, SCRAM_SALT_BYTES) != 0);
    cr_assert(memcmp(a.salt, c.salt, SCRAM_SALT_BYTES) != 0);
    cr_assert(eq(uint, a.salt_bytes, SCRAM_SALT_BYTES));
    cr_assert(not(scram_matches(&a, VIEW_EMPTY)));
    cr_assert(not(scram_matches(&a, VIEW_LIT("nobody@example.jp"))));
    cr_assert(eq(u64, scram_derivation_count(), before + 2));
}

Test(scram, keyed_hash_frames_its_parts)
{
    static const uint8_t want[KEYED_BYTES] = {
        0xae, 0xc2, 0x6b, 0xd6, 0x4d, 0x66, 0x07, 0xa2, 0x7a, 0xfd, 0x44, 0x1b, 0xb3, 0xa2, 0x8f, 0x0a,
        0x68, 0xa3, 0xd1, 0xb7, 0x8a, 0xab, 0x02, 0x1b, 0xac, 0x36, 0x7a, 0xbd, 0x45, 0x0e, 0x86, 0xdc};
    static const uint8_t want_long[4] = {0x03, 0x04, 0xca, 0x42};
    uint8_t key[KEYED_BYTES], out[KEYED_BYTES], other[KEYED_BYTES];
    char long_part[700];
    for (size_t i = 0; i < sizeof key; i++)
        key[i] = (uint8_t)i;
    memset(long_part, 'x', sizeof long_part);
    keyed_hash(key, "purpose", VIEW_LIT("taro@example.jp"), VIEW_LIT("secret"), out);
    cr_assert(memcmp(out, want, sizeof want) == 0);
    keyed_hash(key, "p", VIEW_EMPTY, view_of(long_part, sizeof long_part), out);
    cr_assert(memcmp(out, want_long, sizeof want_long) == 0);
    /* A byte that moves from one part to the other makes another hash. */
    keyed_hash(key, "p", VIEW_LIT("ab"), VIEW_LIT("c"), out);
    keyed_hash(key, "p", VIEW_LIT("a"), VIEW_LIT("bc"), other);
    cr_assert(memcmp(out, other, sizeof out) != 0);
}
