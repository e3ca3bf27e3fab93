#include "msa/console/postfix_request.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "msa/base/err.h"
#include "msa/mail/login.h"

static const char *const state_names[] = {
    [POSTFIX_OTHER] = "other", [POSTFIX_MAIL] = "MAIL", [POSTFIX_RCPT] = "RCPT",
    [POSTFIX_DATA] = "DATA",   [POSTFIX_END_OF_MESSAGE] = "END-OF-MESSAGE",
};

const char *postfix_state_name(enum postfix_state state)
{
    return state_names[state];
}

static enum postfix_state state_named(struct view text)
{
    for (unsigned i = POSTFIX_MAIL; i <= POSTFIX_END_OF_MESSAGE; i++)
        if (view_eq(text, view_cstr(state_names[i])))
            return (enum postfix_state)i;
    return POSTFIX_OTHER;
}

/* What one line may say. */
enum attribute { REQUEST, STATE, USERNAME, CLIENT, PORT, SENDER, RECIPIENT, INSTANCE, COUNT, SIZE, ATTRIBUTE_COUNT };

static const struct {
    const char *name;
    size_t max;
} attributes[ATTRIBUTE_COUNT] = {
    [REQUEST] = {"request", 64},
    [STATE] = {"protocol_state", 64},
    [USERNAME] = {"sasl_username", LOGIN_TYPED_MAX},
    [CLIENT] = {"client_address", 64},
    [PORT] = {"client_port", 16},
    [SENDER] = {"sender", POSTFIX_ADDRESS_MAX},
    [RECIPIENT] = {"recipient", POSTFIX_ADDRESS_MAX},
    [INSTANCE] = {"instance", POSTFIX_INSTANCE_MAX},
    [COUNT] = {"recipient_count", 20},
    [SIZE] = {"size", 20},
};

static enum attribute attribute_named(struct view name)
{
    unsigned i = 0;
    while (i < ATTRIBUTE_COUNT && !view_eq(name, view_cstr(attributes[i].name)))
        i++;
    return (enum attribute)i;
}

/* False: malformed. */
static bool take_line(struct view line, struct view values[ATTRIBUTE_COUNT], unsigned *seen)
{
    size_t at = view_find(line, '=');
    if (at == 0 || at == line.n || view_find(line, '\0') != line.n)
        return false;
    enum attribute a = attribute_named(view_slice(line, 0, at));
    if (a == ATTRIBUTE_COUNT)
        return true;
    values[a] = view_slice(line, at + 1, line.n);
    bool is_new = (*seen >> a & 1) == 0;
    *seen |= 1u << a;
    return is_new && values[a].n <= attributes[a].max;
}

static bool take_number(struct view text, uint64_t max, uint64_t *out)
{
    *out = 0;
    return text.n == 0 || view_parse_u64(text, max, out);
}

static bool fill(const struct view values[ATTRIBUTE_COUNT], struct postfix_request *out)
{
    *out = (struct postfix_request){
        .state = state_named(values[STATE]),
        .sasl_username = values[USERNAME],
        .client_address = values[CLIENT],
        .client_port = values[PORT],
        .sender = values[SENDER],
        .recipient = values[RECIPIENT],
        .instance = values[INSTANCE],
    };
    return view_eq(values[REQUEST], VIEW_LIT("smtpd_access_policy")) &&
           take_number(values[COUNT], POSTFIX_COUNT_MAX, &out->recipient_count) &&
           take_number(values[SIZE], POSTFIX_SIZE_MAX, &out->size);
}

/* The length of the first request with its empty line; 0: not here yet. */
static size_t request_bytes(struct view bytes)
{
    if (bytes.n > 0 && bytes.p[0] == '\n')
        return 1;
    for (size_t i = 0; i + 1 < bytes.n; i++) {
        i += view_find(view_slice(bytes, i, bytes.n), '\n');
        if (i + 1 < bytes.n && bytes.p[i + 1] == '\n')
            return i + 2;
    }
    return 0;
}

int postfix_request_take(struct view *bytes, struct postfix_request *out)
{
    struct view values[ATTRIBUTE_COUNT] = {{0}};
    unsigned seen = 0;
    struct view window = view_slice(*bytes, 0, bytes->n < POSTFIX_REQUEST_MAX ? bytes->n : POSTFIX_REQUEST_MAX);
    size_t n = request_bytes(window);
    if (n == 0)
        return bytes->n >= POSTFIX_REQUEST_MAX ? MSA_ETOOBIG : MSA_EAGAIN;
    struct view rest = view_slice(*bytes, 0, n - 1);
    while (rest.n > 0)
        if (!take_line(view_cut(&rest, '\n'), values, &seen))
            return MSA_EPROTO;
    if (!fill(values, out))
        return MSA_EPROTO;
    *bytes = view_slice(*bytes, n, bytes->n);
    return MSA_OK;
}
