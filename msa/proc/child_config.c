#include "msa/proc/child_config.h"

#include <stdio.h>
#include <stdlib.h>

#include "msa/base/err.h"

#define TEXT_MAX (512u * 1024) /* chain and key as bounded in messages.def, and some */

struct child_config *child_config_new(void)
{
    struct child_config *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    for (size_t i = 0; i < CHILD_CERTIFICATES_MAX; i++)
        buf_init_secret(&c->texts[i], TEXT_MAX);
    return c;
}

void child_config_free(struct child_config **c)
{
    if (!*c)
        return;
    for (size_t i = 0; i < CHILD_CERTIFICATES_MAX; i++)
        buf_fini(&(*c)->texts[i]);
    config_free(&(*c)->config);
    free(*c);
    *c = NULL;
}

int child_config_add_certificate(struct child_config *c, const struct msg_boot_certificate *m)
{
    size_t at = c->certificate_count;
    if (m->position != at || at == CHILD_CERTIFICATES_MAX)
        return MSA_EPROTO;
    struct buf *text = &c->texts[at];
    buf_reset(text);
    buf_add(text, m->chain_pem);
    buf_add(text, m->key_pem);
    if (buf_failed(text))
        return MSA_ENOMEM;
    struct view both = buf_view(text);
    c->certificates[at] = (struct tls_certificate){
        .chain_pem = view_slice(both, 0, m->chain_pem.n),
        .key_pem = view_slice(both, m->chain_pem.n, both.n),
    };
    c->certificate_count++;
    return MSA_OK;
}

int child_config_parse(struct child_config *c, struct view text, enum config_role role,
                       char why_not[CHILD_WHY_MAX])
{
    struct config_errors errs;
    config_errors_init(&errs);
    int err = config_parse_snapshot(text, role, &c->config, &errs);
    if (err < 0) {
        const struct config_error *first = &errs.items[0];
        snprintf(why_not, CHILD_WHY_MAX, "snapshot:%u: %s", errs.count > 0 ? first->line : 0,
                 errs.count > 0 ? first->text : msa_strerror(err));
    }
    config_errors_fini(&errs);
    return err;
}
