#include "msa/ctl/replay_input.h"

#include <errno.h>
#include <stdlib.h>

#include "msa/base/err.h"
#include "msa/ctl/log_file.h"
#include "msa/ctl/log_reader.h"

struct source {
    struct log_file *file;
    struct log_reader reader;
    struct trace_event event; /* the next one of this file */
    bool has_event;
};

struct replay_input {
    struct log_clock clock;
    struct source *sources[REPLAY_FILES_MAX];
    unsigned source_count;
    struct source *taken; /* whose event was given out last */
    uint64_t bad_line_count;
};

struct replay_input *replay_input_new(const struct log_clock *clock)
{
    struct replay_input *in = calloc(1, sizeof *in);
    if (in)
        in->clock = *clock;
    return in;
}

static void source_free(struct source *s)
{
    log_file_close(&s->file);
    log_reader_fini(&s->reader);
    free(s);
}

void replay_input_free(struct replay_input **in)
{
    if (!*in)
        return;
    for (unsigned i = 0; i < (*in)->source_count; i++)
        source_free((*in)->sources[i]);
    free(*in);
    *in = NULL;
}

/* Reads on to the next line that is an event. */
static int advance(struct replay_input *in, struct source *s)
{
    struct view line;
    int n;
    s->has_event = false;
    while ((n = log_file_next(s->file, &line)) > 0) {
        int err = log_reader_line(&s->reader, line, &s->event);
        if (err == MSA_OK) {
            s->has_event = true;
            return MSA_OK;
        }
        in->bad_line_count += err == MSA_EINVAL && line.n > 0;
    }
    return n;
}

int replay_input_add(struct replay_input *in, const char *path)
{
    if (in->source_count == REPLAY_FILES_MAX)
        return MSA_EFULL;
    struct source *s = calloc(1, sizeof *s);
    if (!s)
        return MSA_ENOMEM;
    in->sources[in->source_count++] = s;
    if (log_reader_init(&s->reader, in->clock.year) < 0)
        return MSA_ENOMEM;
    s->reader.clock = in->clock;
    s->file = log_file_open(path);
    if (s->file)
        return advance(in, s);
    int saved_errno = errno;
    in->source_count--;
    source_free(s);
    errno = saved_errno;
    return MSA_EIO;
}

int replay_input_next(struct replay_input *in, const struct trace_event **out)
{
    struct source *first = NULL;
    if (in->taken) {
        int err = advance(in, in->taken);
        if (err < 0)
            return err;
    }
    for (unsigned i = 0; i < in->source_count; i++) {
        struct source *s = in->sources[i];
        if (s->has_event && (!first || s->event.at_ms < first->event.at_ms))
            first = s;
    }
    in->taken = first;
    if (!first)
        return 0;
    *out = &first->event;
    return 1;
}

uint64_t replay_input_bad_lines(const struct replay_input *in)
{
    return in->bad_line_count;
}

unsigned replay_input_done_permille(const struct replay_input *in)
{
    uint64_t done = 0, total = 0;
    for (unsigned i = 0; i < in->source_count; i++) {
        done += log_file_done_bytes(in->sources[i]->file);
        total += log_file_total_bytes(in->sources[i]->file);
    }
    return total > 0 && done < total ? (unsigned)(done * 1000 / total) : 1000;
}
