/* struct list: intrusive doubly linked list. A head and each member are a struct list; an
 * initialised member that is in no list points to itself. */
#ifndef MSA_BASE_LIST_H
#define MSA_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *next;
    struct list *prev;
};

#define LIST_INIT(name) {&(name), &(name)}

static inline void list_init(struct list *l) { l->next = l->prev = l; }
static inline bool list_is_empty(const struct list *l) { return l->next == l; }

static inline void list_insert_before(struct list *at, struct list *l)
{
    l->next = at;
    l->prev = at->prev;
    at->prev->next = l;
    at->prev = l;
}

static inline void list_append(struct list *head, struct list *l) { list_insert_before(head, l); }
static inline void list_prepend(struct list *head, struct list *l)
{
    list_insert_before(head->next, l);
}

/* Safe on a member that is in no list. */
static inline void list_remove(struct list *l)
{
    l->prev->next = l->next;
    l->next->prev = l->prev;
    list_init(l);
}

/* Moves all members of `from` to the end of `to`; `from` becomes empty. */
static inline void list_move_all(struct list *to, struct list *from)
{
    if (list_is_empty(from))
        return;
    from->next->prev = to->prev;
    to->prev->next = from->next;
    from->prev->next = to;
    to->prev = from->prev;
    list_init(from);
}

#define CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr) - offsetof(type, member)))
#define LIST_FIRST(head, type, member)                                                             \
    (list_is_empty(head) ? NULL : CONTAINER_OF((head)->next, type, member))

/* The body may remove `pos` itself, nothing else. */
#define LIST_FOREACH(pos, tmp, head, type, member)                                                 \
    for ((pos) = CONTAINER_OF((head)->next, type, member),                                         \
        (tmp) = CONTAINER_OF((pos)->member.next, type, member);                                    \
         &(pos)->member != (head);                                                                 \
         (pos) = (tmp), (tmp) = CONTAINER_OF((pos)->member.next, type, member))

#endif
