#include "msa/ctl/log_join.h"

#include <stdlib.h>
#include <string.h>

#include "msa/base/err.h"
#include "msa/base/list.h"
#include "msa/base/table.h"

struct item {
    struct table_entry entry;
    struct list by_age; /* the oldest first */
    struct ipaddr ip;
    char country[4];
    char *account; /* behind the key, in the same block */
    char text[];
};

struct log_join {
    struct table items;
    struct list by_age;
    size_t max;
};

struct log_join *log_join_new(size_t max)
{
    struct log_join *j = malloc(sizeof *j);
    if (!j)
        return NULL;
    table_init(&j->items);
    list_init(&j->by_age);
    j->max = max;
    return j;
}

static void drop(struct log_join *j, struct item *item)
{
    table_remove(&j->items, &item->entry);
    list_remove(&item->by_age);
    free(item);
}

void log_join_free(struct log_join **j)
{
    struct item *item, *tmp;
    if (!*j)
        return;
    LIST_FOREACH(item, tmp, &(*j)->by_age, struct item, by_age)
    drop(*j, item);
    table_fini(&(*j)->items);
    free(*j);
    *j = NULL;
}

static struct item *find(struct log_join *j, struct view key)
{
    struct table_entry *e = table_find(&j->items, key);
    return e ? CONTAINER_OF(e, struct item, entry) : NULL;
}

void log_join_put(struct log_join *j, struct view key, const struct trace_event *from)
{
    struct item *item = find(j, key);
    size_t account_size = strlen(from->account) + 1;
    if (item)
        drop(j, item);
    if (j->items.count >= j->max)
        drop(j, LIST_FIRST(&j->by_age, struct item, by_age));
    item = calloc(1, sizeof *item + key.n + account_size);
    if (!item)
        return;
    memcpy(item->text, key.p, key.n);
    item->account = item->text + key.n;
    memcpy(item->account, from->account, account_size);
    memcpy(item->country, from->country, sizeof item->country);
    item->ip = from->ip;
    item->entry.key = view_of(item->text, key.n);
    if (table_insert(&j->items, &item->entry) == MSA_OK)
        list_append(&j->by_age, &item->by_age);
    else
        free(item);
}

bool log_join_get(struct log_join *j, struct view key, struct trace_event *out)
{
    const struct item *item = find(j, key);
    if (!item)
        return false;
    out->ip = item->ip;
    memcpy(out->country, item->country, sizeof out->country);
    return view_to_cstr(view_cstr(item->account), out->account, sizeof out->account);
}

void log_join_forget(struct log_join *j, struct view key)
{
    struct item *item = find(j, key);
    if (item)
        drop(j, item);
}
