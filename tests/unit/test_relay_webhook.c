#include <criterion/criterion.h>

#include "msa/base/err.h"
#include "relay/webhook.h"

TestSuite(relay_webhook, .timeout = 20);

/* From `printf '1780000000.{"a":1}' | openssl dgst -sha256 -hmac secret`. */
Test(relay_webhook, a_signature_covers_time_and_body)
{
    char out[WEBHOOK_SIGNATURE_SIZE], other[WEBHOOK_SIGNATURE_SIZE];
    cr_assert_eq(webhook_sign(VIEW_LIT("secret"), 1780000000, VIEW_LIT("{\"a\":1}"), out),
                 MSA_OK);
    cr_assert_str_eq(out,
                     "t=1780000000,v1="
                     "beb6c645b997ab516be5a8e5e2215a3394f24755b01119bf1d4cb6f7d7cf71da");
    cr_assert_eq(
        webhook_sign(VIEW_LIT("secret"), 1780000001, VIEW_LIT("{\"a\":1}"), other),
        MSA_OK);
    cr_assert_str_neq(out, other);
}
