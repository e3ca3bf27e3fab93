#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "msa/base/list.h"

TestSuite(list, .timeout = 20);

struct item {
    int n;
    struct list link;
};

/* The numbers in order, as one decimal: 1, 2, 3 gives 123. */
static int digits(struct list *head)
{
    struct item *it, *tmp;
    int n = 0;
    LIST_FOREACH(it, tmp, head, struct item, link)
        n = n * 10 + it->n;
    return n;
}

static int digits_backwards(const struct list *head)
{
    int n = 0;
    for (struct list *l = head->prev; l != head; l = l->prev)
        n = n * 10 + CONTAINER_OF(l, struct item, link)->n;
    return n;
}

static struct item *first(const struct list *head)
{
    return LIST_FIRST(head, struct item, link);
}

static void fill(struct list *head, struct item *items, int from, int count)
{
    list_init(head);
    for (int i = 0; i < count; i++) {
        items[i].n = from + i;
        list_append(head, &items[i].link);
    }
}

Test(list, order_of_append_prepend_and_insert)
{
    struct list head = LIST_INIT(head);
    struct item a = {.n = 1}, b = {.n = 2}, c = {.n = 3};
    cr_assert(list_is_empty(&head));
    cr_assert(first(&head) == NULL);
    list_append(&head, &b.link);
    list_prepend(&head, &a.link);
    list_insert_before(&b.link, &c.link);
    cr_assert(eq(int, digits(&head), 132));
    cr_assert(eq(int, digits_backwards(&head), 231));
    cr_assert(first(&head) == &a);
}

Test(list, remove_is_safe_on_a_member_of_no_list)
{
    struct list head;
    struct item items[3];
    fill(&head, items, 1, 3);
    list_remove(&items[1].link);
    list_remove(&items[1].link);
    cr_assert(eq(int, digits(&head), 13));
    cr_assert(list_is_empty(&items[1].link));
    list_append(&head, &items[1].link);
    cr_assert(eq(int, digits(&head), 132));
}

Test(list, the_loop_body_may_remove_its_item)
{
    struct list head;
    struct item items[5], *it, *tmp;
    fill(&head, items, 1, 5);
    LIST_FOREACH(it, tmp, &head, struct item, link)
        if (it->n != 3)
            list_remove(&it->link);
    cr_assert(eq(int, digits(&head), 3));
    LIST_FOREACH(it, tmp, &head, struct item, link)
        list_remove(&it->link);
    cr_assert(list_is_empty(&head));
}

Test(list, move_all_keeps_order)
{
    struct list to, from, empty = LIST_INIT(empty);
    struct item a[2], b[3];
    fill(&to, a, 1, 2);
    fill(&from, b, 3, 3);
    list_move_all(&to, &from);
    cr_assert(eq(int, digits(&to), 12345));
    cr_assert(eq(int, digits_backwards(&to), 54321));
    cr_assert(list_is_empty(&from));
    list_move_all(&to, &empty);
    cr_assert(eq(int, digits(&to), 12345));
    list_move_all(&empty, &to);
    cr_assert(eq(int, digits(&empty), 12345));
    cr_assert(list_is_empty(&to));
}
