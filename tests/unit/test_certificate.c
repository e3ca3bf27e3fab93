#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <string.h>

#include "auth/direct.h"
#include "auth_fixture.h"
#include "smtp/certificate.h"

TestSuite(certificate, .timeout = 20);

static void check_map(const char *map, const char *name, const char *want)
{
    char found[64];
    cr_assert(view_to_cstr(certificate_map_find(view_cstr(map), view_cstr(name)), found, sizeof found));
    cr_assert(eq(str, found, (char *)want), "%s in %s", name, map);
}

Test(certificate, a_map_names_one_login_or_none)
{
    static const char map[] = "# LOGIN COMMON NAME\n\ntaro  Taro Yamada \r\nhana\tx\nhana Hana\n jiro Jiro\nx twice\ny twice\nalone";
    check_map(map, "Taro Yamada", "taro");
    check_map(map, "Hana", "hana");
    check_map(map, "Jiro", "jiro");
    check_map(map, "twice", "");
    check_map(map, "Taro", "");
    check_map(map, "taro yamada", "");
    check_map(map, "LOGIN COMMON NAME", "");
    check_map(map, "alone", "");
    check_map(map, "", "");
    check_map("", "x", "");
}

static struct auth_fixture f;

static enum auth_result external(const char *certificate, struct view message)
{
    struct verify v;
    verify_init(&v, &f.env, &f.rules);
    v.scope = APP_SCOPE_SMTP;
    enum auth_result result = direct_external(&v, view_cstr(certificate), message);
    verify_fini(&v);
    return result;
}

static void expect(enum auth_result is, enum auth_result want)
{
    cr_assert(eq(int, (int)is, (int)want));
}

Test(certificate, acts_for_its_owner_alone)
{
    auth_fixture_open(&f);
    auth_fixture_add(&f, "taro@example.jp", "pencil");
    auth_fixture_add(&f, "hana@example.jp", "pencil");
    auth_fixture_add(&f, "off@example.jp", "pencil");
    auth_fixture_disable(&f, "off@example.jp");
    expect(external("Taro@example.jp", VIEW_EMPTY), AUTH_OK);
    expect(external("taro@example.jp", VIEW_LIT("TARO")), AUTH_OK);
    expect(external("taro@example.jp", VIEW_LIT("hana@example.jp")), AUTH_BAD_CREDENTIALS);
    expect(external("taro@example.jp", VIEW_LIT("\xff")), AUTH_BAD_CREDENTIALS);
    expect(external("taro@example.jp", view_of("taro\0", 5)), AUTH_MALFORMED);
    expect(external("off@example.jp", VIEW_EMPTY), AUTH_DISABLED);
    expect(external("nobody@example.jp", VIEW_EMPTY), AUTH_NO_SUCH_USER);
    expect(external("@", VIEW_LIT("@")), AUTH_NO_SUCH_USER);
    auth_fixture_close(&f);
}
