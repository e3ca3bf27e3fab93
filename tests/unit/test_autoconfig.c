/* Autoconfiguration: which address is asked about, and that nothing of a request becomes markup. */
#include <criterion/criterion.h>

#include <string.h>

#include "msa/console/autoconfig.h"

TestSuite(autoconfig, .timeout = 20);

#define HEAD "<?xml version=\"1.0\"?><Autodiscover xmlns=\"x\"><Request>"
#define TAIL "<AcceptableResponseSchema>y</AcceptableResponseSchema></Request></Autodiscover>"

static const struct {
    const char *xml, *want; /* NULL: none */
} requests[] = {
    {HEAD "<EMailAddress>taro@example.jp</EMailAddress>" TAIL, "taro@example.jp"},
    {HEAD "<a:EMailAddress>\r\n taro@example.jp </a:EMailAddress>" TAIL, "taro@example.jp"},
    {HEAD "<EMailAddress>a&amp;b&apos;c@example.jp</EMailAddress>" TAIL, "a&b'c@example.jp"},
    {HEAD "<EMailAddress></EMailAddress>" TAIL, NULL},
    {HEAD "<EMailAddress>&evil;@example.jp</EMailAddress>" TAIL, NULL},
    {HEAD "<EMailAddress>&#x41;@example.jp</EMailAddress>" TAIL, NULL},
    {HEAD "<EMailAddress>a@example.jp</EMailAddress><EMailAddress>b@example.jp</EMailAddress>" TAIL, NULL},
    {HEAD "<emailaddress>a@example.jp</emailaddress>" TAIL, NULL},
    {HEAD "<EMailAddress>a\nb@example.jp</EMailAddress>" TAIL, NULL},
    {HEAD TAIL, NULL},
    {"<EMailAddress", NULL},
    {"<EMailAddress>", NULL},
    {"", NULL},
    {"<<<<<<", NULL},
    {"no xml at all", NULL},
};

Test(autoconfig, the_address_is_found_in_what_outlook_sends)
{
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        char found[AUTOCONFIG_ADDRESS_MAX + 1];
        bool is_found = autoconfig_find_address(view_cstr(requests[i].xml), found);
        cr_assert_eq(is_found, requests[i].want != NULL, "%s", requests[i].xml);
        if (is_found)
            cr_assert_str_eq(found, requests[i].want);
    }
}

/* A cut request never names more than the whole one does. */
Test(autoconfig, no_front_of_a_request_is_another_address)
{
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        struct view xml = view_cstr(requests[i].xml);
        for (size_t n = 0; n < xml.n; n++) {
            char found[AUTOCONFIG_ADDRESS_MAX + 1];
            if (autoconfig_find_address(view_slice(xml, 0, n), found))
                cr_assert(strlen(found) <= n);
        }
    }
}

Test(autoconfig, an_address_that_is_too_long_is_none)
{
    char xml[600], found[AUTOCONFIG_ADDRESS_MAX + 1];
    for (size_t length = AUTOCONFIG_ADDRESS_MAX; length <= AUTOCONFIG_ADDRESS_MAX + 1; length++) {
        size_t n = 0;
        memcpy(xml, "<EMailAddress>", 14);
        memset(xml + 14, 'a', length);
        n = 14 + length;
        memcpy(xml + n, "</EMailAddress>", 16);
        cr_assert_eq(autoconfig_find_address(view_cstr(xml), found), length == AUTOCONFIG_ADDRESS_MAX);
    }
}

static const char *const domains[] = {"example.jp", "example.com"};
static const struct config_autoconfig settings = {
    .domains = {domains, 2}, .name = "A & B", .smtp_host = "", .imap_host = "imap.example.jp", .pop_host = "",
    .smtp_port = 465, .imap_port = 143, .pop_port = 995};

Test(autoconfig, only_sound_addresses_of_the_domains_are_ours)
{
    const char *domain = NULL;
    static const char *const ours[] = {"taro@example.jp", "a.b+c@EXAMPLE.com", "\"<x>\"@example.jp"};
    static const char *const others[] = {"taro@example.org", "taro", "@example.jp", "taro@example.jp>", "a@b@example.jp",
                                         "", "taro@sub.example.jp"};
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
        cr_assert(autoconfig_is_ours(&settings, view_cstr(ours[i]), &domain), "%s", ours[i]);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        cr_assert_not(autoconfig_is_ours(&settings, view_cstr(others[i]), &domain), "%s", others[i]);
}

Test(autoconfig, what_came_from_outside_is_never_markup)
{
    struct buf out;
    struct view address = VIEW_LIT("\"<b>&'\x01\"@example.jp");
    buf_init(&out, AUTOCONFIG_BYTES_MAX);
    autoconfig_outlook(&settings, "mail.example.jp", address, &out);
    autoconfig_apple(&settings, "mail.example.jp", address, &out);
    buf_append(&out, "", 1);
    cr_assert_not(buf_failed(&out));
    cr_assert_null(strstr(buf_view(&out).p, "<b>"));
    cr_assert_null(strchr(buf_view(&out).p, '\x01'));
    cr_assert(strstr(buf_view(&out).p, "&quot;&lt;b&gt;&amp;&apos;?&quot;@example.jp"));
    buf_fini(&out);
}

Test(autoconfig, what_is_not_offered_is_not_told)
{
    struct buf out;
    buf_init(&out, AUTOCONFIG_BYTES_MAX);
    autoconfig_thunderbird(&settings, "mail.example.jp", &out);
    buf_append(&out, "", 1);
    const char *text = buf_view(&out).p;
    cr_assert_null(strstr(text, "pop3"));
    cr_assert(strstr(text, "<displayName>A &amp; B</displayName>"));
    cr_assert(strstr(text, "<hostname>mail.example.jp</hostname>\n<port>465</port>\n<socketType>SSL</socketType>"));
    cr_assert(strstr(text, "<hostname>imap.example.jp</hostname>\n<port>143</port>\n<socketType>STARTTLS</socketType>"));
    buf_fini(&out);
}
