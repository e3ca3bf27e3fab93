/* msactl score train and score learn: sorted messages go to the score process in portions, then it makes a model of all it
 * has, and its progress is asked for. */
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "msa/base/err.h"
#include "msa/ctl/ctl_private.h"
#include "msa/ctl/mail_files.h"
#include "msa/mail/base64.h"

/* What score.learn takes at once. More of one message is not sent. */
#define PORTION_BYTES    (512u << 10)
#define PORTION_MESSAGES 1000u
#define FRAME_BYTES      8u
#define ASK_EVERY_NS     300000000

struct lesson {
    struct ctl *ctl;
    const char *kind;  /* of `portion` */
    json_t *portion;   /* messages not sent yet */
    size_t portion_bytes;
    json_t *total;
    size_t count;
    int rc;
};

/* ---- progress: on a terminal only ---- */

static void show_progress(const char *what, size_t n, const char *unit)
{
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r%s %zu%s \033[K", what, n, unit);
}

static void end_progress(void)
{
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r\033[K");
}

/* ---- messages ---- */

static void add_up(json_t *total, const json_t *part)
{
    static const char *const keys[] = {"messages", "added", "changed"};
    for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++)
        json_object_set_new(total, keys[k],
                            json_integer(json_integer_value(json_object_get(total, keys[k])) +
                                         json_integer_value(json_object_get(part, keys[k]))));
}

static bool send_portion(struct lesson *l)
{
    json_t *part = NULL;
    if (json_array_size(l->portion) == 0)
        return true;
    json_t *args = json_pack("{s:s, s:o}", "kind", l->kind, "messages", l->portion);
    l->portion = json_array();
    l->portion_bytes = 0;
    l->rc = ctl_call(l->ctl, "score.learn", args, &part);
    if (l->rc == CTL_EXIT_OK)
        add_up(l->total, part);
    json_decref(part);
    json_decref(args);
    show_progress("sent", l->count, " messages");
    return l->rc == CTL_EXIT_OK;
}

static bool add_message(void *arg, struct view message)
{
    struct lesson *l = arg;
    struct buf encoded;
    message = view_slice(message, 0, PORTION_BYTES);
    if ((l->portion_bytes + message.n + FRAME_BYTES > PORTION_BYTES ||
         json_array_size(l->portion) == PORTION_MESSAGES) &&
        !send_portion(l))
        return false;
    buf_init(&encoded, 4 * (PORTION_BYTES / 3 + 1));
    if (base64_encode(message, &encoded) == MSA_OK)
        json_array_append_new(l->portion, json_stringn(buf_view(&encoded).p, buf_len(&encoded)));
    buf_fini(&encoded);
    l->portion_bytes += message.n + FRAME_BYTES;
    l->count++;
    return true;
}

static bool add_file(void *arg, const char *path)
{
    struct lesson *l = arg;
    struct buf file;
    buf_init(&file, CTL_FILE_MAX);
    bool goes_on = ctl_read_whole(path, &file) == MSA_OK;
    if (!goes_on)
        l->rc = CTL_EXIT_LOCAL;
    else
        goes_on = mail_file_split(buf_view(&file), add_message, l);
    buf_fini(&file);
    return goes_on;
}

static void send_all(struct lesson *l)
{
    const struct ctl_line *line = &l->ctl->line;
    bool has_failed = false;
    for (size_t i = 0; i < line->word_count && l->rc == CTL_EXIT_OK; i++) {
        const char *word = line->words[i];
        if (strcmp(word, "--ham") == 0 || strcmp(word, "--spam") == 0) {
            (void)send_portion(l);
            l->kind = word + 2;
        } else {
            (void)mail_path_walk(word, add_file, l, &has_failed);
        }
        if (has_failed)
            l->rc = CTL_EXIT_LOCAL;
    }
    if (l->rc == CTL_EXIT_OK)
        (void)send_portion(l);
    if (l->rc == CTL_EXIT_OK && line->word_count > 0 && l->count == 0)
        l->rc = ctl_complain(CTL_EXIT_LOCAL, "there is no message in what was named");
}

/* ---- training ---- */

/* Waits for that training, or a later one. `*last_out` is a new reference. */
static int wait_for(struct ctl *ctl, json_int_t number, json_t **last_out)
{
    const struct timespec pause = {.tv_nsec = ASK_EVERY_NS};
    json_t *args = json_object();
    int rc = CTL_EXIT_OK;
    while (rc == CTL_EXIT_OK && !*last_out) {
        json_t *status = NULL;
        rc = ctl_call(ctl, "score.train-status", args, &status);
        const json_t *last = json_object_get(status, "last");
        if (json_integer_value(json_object_get(last, "number")) >= number)
            *last_out = json_incref((json_t *)(uintptr_t)last);
        else if (rc == CTL_EXIT_OK && json_is_false(json_object_get(status, "training")))
            rc = ctl_complain(CTL_EXIT_REFUSED, "the score process was started anew meanwhile: try again");
        else
            nanosleep(&pause, NULL);
        show_progress("training:", (size_t)json_integer_value(json_object_get(status, "percent")), "%");
        json_decref(status);
    }
    json_decref(args);
    return rc;
}

static int train(struct lesson *l)
{
    json_t *args = json_object(), *begun = NULL, *last = NULL;
    int rc = ctl_call(l->ctl, "score.train", args, &begun);
    if (rc == CTL_EXIT_OK)
        rc = wait_for(l->ctl, json_integer_value(json_object_get(begun, "number")), &last);
    if (last)
        json_object_set_new(l->total, "model", last);
    if (rc == CTL_EXIT_OK && !json_is_true(json_object_get(last, "ok")))
        rc = CTL_EXIT_REFUSED;
    json_decref(begun);
    json_decref(args);
    return rc;
}

int ctl_score_train(struct ctl *ctl)
{
    struct lesson l = {.ctl = ctl, .kind = "", .portion = json_array(), .total = json_object(), .rc = CTL_EXIT_OK};
    add_up(l.total, NULL);
    send_all(&l);
    if (l.rc == CTL_EXIT_OK)
        l.rc = train(&l);
    end_progress();
    if (json_object_get(l.total, "model"))
        ctl_show(ctl, l.total);
    json_decref(l.portion);
    json_decref(l.total);
    return l.rc;
}
