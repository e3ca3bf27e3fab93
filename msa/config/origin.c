/* Origins: gathered in a list while binding, sorted once, then looked up by halving. */
#include <stdio.h>
#include <stdlib.h>

#include "msa/base/err.h"
#include "msa/config/private.h"

void origin_add(struct config_private *priv, const void *object, bool is_block,
                const struct place *at, bool *is_out_of_memory)
{
    struct origin *o = ARENA_NEW(&priv->arena, struct origin);
    if (!o) {
        *is_out_of_memory = true;
        return;
    }
    *o = (struct origin){
        .next = priv->origins, .object = object, .is_block = is_block, .at = *at};
    priv->origins = o;
    priv->origin_count++;
}

static int compare(const struct origin *x, const struct origin *y)
{
    uintptr_t a = (uintptr_t)x->object, b = (uintptr_t)y->object;
    if (a != b)
        return a < b ? -1 : 1;
    return (int)x->is_block - (int)y->is_block;
}

static int compare_pointers(const void *a, const void *b)
{
    return compare(*(struct origin *const *)a, *(struct origin *const *)b);
}

int origins_sort(struct config_private *priv)
{
    priv->sorted = arena_alloc(&priv->arena, priv->origin_count * sizeof(struct origin *));
    if (!priv->sorted)
        return MSA_ENOMEM;
    size_t n = 0;
    for (struct origin *o = priv->origins; o; o = o->next)
        priv->sorted[n++] = o;
    qsort(priv->sorted, n, sizeof(struct origin *), compare_pointers);
    return MSA_OK;
}

const struct place *origin_find(const struct config_private *priv, const void *object,
                                bool is_block)
{
    const struct origin wanted = {.object = object, .is_block = is_block};
    size_t low = 0, high = priv->sorted ? priv->origin_count : 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare(&wanted, priv->sorted[middle]);
        if (order == 0)
            return &priv->sorted[middle]->at;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

void config_where(const struct config *cfg, const void *field, char out[CONFIG_WHERE_MAX])
{
    const struct place *at = origin_find(cfg->priv, field, false);
    if (at)
        snprintf(out, CONFIG_WHERE_MAX, "%s:%u:%u", at->file, at->line, at->column);
    else
        snprintf(out, CONFIG_WHERE_MAX, "default");
}
