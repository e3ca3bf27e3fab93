/* The automaton: state × class of byte → state. Bytes that stand in no phrase are one class, so a row is short. */
#include "policy/score/phrases.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "msa/base/buf.h"
#include "msa/base/err.h"
#include "policy/score/fold.h"

#define NO_PHRASE UINT16_MAX

struct phrase {
    uint32_t offset; /* in `text` */
    uint16_t length;
};

struct phrases {
    struct buf text; /* all of them, folded, one behind the other */
    struct phrase items[PHRASES_MAX];
    unsigned count;
    uint8_t class_of[256];
    unsigned class_count;
    unsigned state_count;
    uint16_t *next;   /* state_count rows of class_count */
    uint16_t *phrase; /* that ends in the state, or NO_PHRASE */
    uint16_t *shorter; /* the state of its longest suffix that is a phrase; 0: none */
};

struct phrases *phrases_new(void)
{
    struct phrases *p = calloc(1, sizeof *p);
    if (p)
        buf_init(&p->text, PHRASES_BYTES_MAX);
    return p;
}

void phrases_free(struct phrases **p)
{
    if (!*p)
        return;
    buf_fini(&(*p)->text);
    free((*p)->next);
    free((*p)->phrase);
    free((*p)->shorter);
    free(*p);
    *p = NULL;
}

static struct view text_of(const struct phrases *p, unsigned number)
{
    const struct phrase *item = &p->items[number];
    return view_slice(buf_view(&p->text), item->offset, item->offset + item->length);
}

int phrases_add(struct phrases *p, struct view phrase)
{
    size_t begin = buf_len(&p->text);
    int err = p->count == PHRASES_MAX || phrase.n > UINT16_MAX ? MSA_EFULL
                                                               : fold_add(&p->text, phrase);
    if (err < 0) {
        buf_truncate(&p->text, begin);
        return err == MSA_ETOOBIG ? MSA_EFULL : err;
    }
    p->items[p->count] = (struct phrase){.offset = (uint32_t)begin,
                                         .length = (uint16_t)(buf_len(&p->text) - begin)};
    struct view folded = text_of(p, p->count);
    if (folded.n == 0)
        return MSA_EINVAL;
    for (unsigned i = 0; i < p->count; i++) {
        if (!view_eq(text_of(p, i), folded))
            continue;
        buf_truncate(&p->text, begin);
        return (int)i;
    }
    return (int)p->count++;
}

/* ---- building ---- */

static void make_classes(struct phrases *p)
{
    struct view all = buf_view(&p->text);
    p->class_count = 1; /* 0: in no phrase */
    for (size_t i = 0; i < all.n; i++) {
        uint8_t *class = &p->class_of[(unsigned char)all.p[i]];
        if (*class == 0 && p->class_count < 256)
            *class = (uint8_t)p->class_count++;
    }
}

static uint16_t *row(const struct phrases *p, unsigned state)
{
    return p->next + (size_t)state * p->class_count;
}

static void add_to_trie(struct phrases *p, unsigned number)
{
    struct view text = text_of(p, number);
    unsigned state = 0;
    for (size_t i = 0; i < text.n; i++) {
        uint16_t *next = &row(p, state)[p->class_of[(unsigned char)text.p[i]]];
        if (*next == 0)
            *next = (uint16_t)p->state_count++;
        state = *next;
    }
    p->phrase[state] = (uint16_t)number;
}

/* Breadth first: the state of the longest proper suffix of a state is nearer to the root, and done. */
static void link_states(struct phrases *p, uint16_t *queue, uint16_t *suffix)
{
    unsigned head = 0, tail = 0;
    queue[tail++] = 0;
    while (head < tail) {
        unsigned state = queue[head++];
        const uint16_t *fallback = row(p, suffix[state]);
        for (unsigned c = 0; c < p->class_count; c++) {
            unsigned child = row(p, state)[c];
            if (child == 0) {
                row(p, state)[c] = state ? fallback[c] : 0;
                continue;
            }
            suffix[child] = state ? fallback[c] : 0;
            p->shorter[child] = p->phrase[suffix[child]] != NO_PHRASE ? suffix[child]
                                                                      : p->shorter[suffix[child]];
            queue[tail++] = (uint16_t)child;
        }
    }
}

int phrases_build(struct phrases *p)
{
    size_t states = buf_len(&p->text) + 1;
    make_classes(p);
    p->next = calloc(states * p->class_count, sizeof *p->next);
    p->phrase = malloc(states * sizeof *p->phrase);
    p->shorter = calloc(states, sizeof *p->shorter);
    uint16_t *work = calloc(2 * states, sizeof *work);
    if (!p->next || !p->phrase || !p->shorter || !work) {
        free(work);
        return MSA_ENOMEM;
    }
    memset(p->phrase, 0xFF, states * sizeof *p->phrase);
    p->state_count = 1;
    for (unsigned i = 0; i < p->count; i++)
        add_to_trie(p, i);
    link_states(p, work, work + states);
    free(work);
    return MSA_OK;
}

/* ---- finding ---- */

static bool is_word(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c);
}

/* Ends before `end`. */
static bool is_whole(const struct phrases *p, unsigned number, struct view text, size_t end)
{
    size_t begin = end - p->items[number].length;
    bool is_cut_before = begin > 0 && is_word(text.p[begin]) && is_word(text.p[begin - 1]);
    bool is_cut_behind = end < text.n && is_word(text.p[end - 1]) && is_word(text.p[end]);
    return !is_cut_before && !is_cut_behind;
}

static void note(const struct phrases *p, unsigned state, struct view text, size_t end,
                 struct phrase_hits *hits)
{
    for (; state != 0; state = p->shorter[state]) {
        unsigned number = p->phrase[state];
        if (number != NO_PHRASE && is_whole(p, number, text, end))
            hits->words[number / 64] |= UINT64_C(1) << number % 64;
    }
}

void phrases_find(const struct phrases *p, struct view text, struct phrase_hits *hits)
{
    unsigned state = 0;
    for (size_t i = 0; i < text.n; i++) {
        state = row(p, state)[p->class_of[(unsigned char)text.p[i]]];
        if (p->phrase[state] != NO_PHRASE || p->shorter[state] != 0)
            note(p, state, text, i + 1, hits);
    }
}
