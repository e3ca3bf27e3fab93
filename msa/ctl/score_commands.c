/* msactl score check: what the score process says of messages in files. */
#include <string.h>

#include "msa/base/err.h"
#include "msa/ctl/ctl_private.h"
#include "msa/mail/base64.h"

/* What one question can carry, as base64 within JSON. More of a file is not sent. */
#define CHECK_BYTES_MAX (512u << 10)

/* NULL after a complaint. */
static json_t *check_args(struct ctl *ctl, struct view message)
{
    struct buf encoded;
    json_t *args = ctl_command_args(&ctl->line, NULL);
    buf_init(&encoded, 4 * (CHECK_BYTES_MAX / 3 + 1));
    if (base64_encode(view_slice(message, 0, CHECK_BYTES_MAX), &encoded) == MSA_OK)
        json_object_set_new(args, "message",
                            json_stringn(buf_view(&encoded).p, buf_len(&encoded)));
    buf_fini(&encoded);
    return args;
}

static void add_file(json_t *answer, const char *name, size_t bytes)
{
    json_object_set_new(answer, "file", json_string(name));
    json_object_set_new(answer, "bytes", json_integer((json_int_t)bytes));
    json_object_set_new(answer, "bytes_looked_at",
                        json_integer((json_int_t)(bytes < CHECK_BYTES_MAX ? bytes : CHECK_BYTES_MAX)));
}

static int check_one(struct ctl *ctl, const char *name)
{
    struct buf message;
    json_t *answer = NULL;
    buf_init(&message, CTL_FILE_MAX);
    if (ctl_read_whole(name, &message) < 0) {
        buf_fini(&message);
        return CTL_EXIT_LOCAL;
    }
    json_t *args = check_args(ctl, buf_view(&message));
    int rc = ctl_call(ctl, ctl->line.command->op, args, &answer);
    if (rc == CTL_EXIT_OK) {
        add_file(answer, name, buf_len(&message));
        ctl_show(ctl, answer);
    }
    json_decref(args);
    json_decref(answer);
    buf_fini(&message);
    return rc;
}

/* All of them, whatever becomes of one. */
int ctl_score_check(struct ctl *ctl)
{
    int rc = CTL_EXIT_OK;
    for (size_t i = 0; i < ctl->line.word_count && rc != CTL_EXIT_UNREACHABLE; i++) {
        int one = check_one(ctl, ctl->line.words[i]);
        rc = one != CTL_EXIT_OK ? one : rc;
    }
    return rc;
}
