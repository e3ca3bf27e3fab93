#include "policy/score/content/walk.h"

#include <string.h>

#include "msa/base/err.h"

#define LINE_PEEK 1024 /* a boundary's line is shorter */
#define DASH_LINES_MAX \
    50000 /* lines that begin like a boundary and are none, before the walk gives up */
#define OPEN_MAX        (DOCUMENT_DEPTH_MAX + 1)
#define PART_FIELDS_MAX 64

struct open_part {
    uint16_t index;       /* in r->parts */
    struct view boundary; /* empty: no multipart, or its end has been seen */
    bool is_multipart;
};

struct walker {
    struct document_reader *r;
    struct source *s;
    uint64_t at; /* where it stands */
    bool is_line_start;
    bool is_in_header;
    bool is_over; /* a limit was hit, nothing more is looked for */
    unsigned dash_lines;
    struct open_part open[OPEN_MAX]; /* each inside the one before it */
    size_t open_count;
    int err;
};

static bool has_boundary(const struct walker *w)
{
    for (size_t i = w->open_count; i > 0; i--)
        if (w->open[i - 1].boundary.n > 0)
            return true;
    return false;
}

/* ---- opening and closing ---- */

/* A part inside the innermost open one, whose header comes now; false at a limit. */
static bool open_part(struct walker *w)
{
    struct document_reader *r = w->r;
    if (r->doc.part_count == DOCUMENT_PARTS_MAX) {
        r->doc.facts |= DOCUMENT_TOO_MANY_PARTS;
        w->is_over = true;
        return false;
    }
    uint16_t index = (uint16_t)r->doc.part_count++;
    uint16_t parent = w->open_count > 0 ? w->open[w->open_count - 1].index : index;
    r->parts[index] = (struct document_part){
        .parent = parent,
        .depth = (uint16_t)w->open_count,
        .offset = w->at,
    };
    if (parent != index)
        r->parts[parent].child_count++;
    w->open[w->open_count++] = (struct open_part){.index = index};
    w->is_in_header = true;
    buf_reset(&r->part_header);
    return true;
}

/* All that is inside the first `keep` open parts ends at `end`. */
static void close_parts(struct walker *w, size_t keep, uint64_t end)
{
    while (w->open_count > keep) {
        struct open_part *o = &w->open[--w->open_count];
        struct document_part *p = &w->r->parts[o->index];
        if (p->offset > end) /* nothing but the line end that belongs to the boundary */
            p->offset = end;
        p->raw_bytes = end - p->offset;
        if (o->boundary.n > 0)
            p->defects |= DOCUMENT_PART_UNCLOSED;
    }
}

/* ---- the end of a header ---- */

static bool is_in_digest(const struct walker *w, const struct document_part *p)
{
    const struct document_part *parent = &w->r->parts[p->parent];
    return parent != p && view_eq(parent->media_type, VIEW_LIT("multipart/digest"));
}

/* The innermost open part's content begins at w->at. */
static void begin_content(struct walker *w, const struct fields *f)
{
    struct open_part *o = &w->open[w->open_count - 1];
    struct document_part *p = &w->r->parts[o->index];
    w->is_in_header = false;
    w->is_line_start = true;
    p->offset = w->at;
    w->err = part_describe(w->r, p, f, is_in_digest(w, p), &o->boundary);
    o->is_multipart = p->kind == DOCUMENT_PART_MULTIPART;
    bool has_inside = o->is_multipart || p->kind == DOCUMENT_PART_MESSAGE;
    if (w->err < 0 || !has_inside)
        return;
    if (w->open_count == OPEN_MAX) {
        w->r->doc.facts |= DOCUMENT_TOO_DEEP;
        o->boundary = VIEW_EMPTY;
    } else if (p->kind == DOCUMENT_PART_MESSAGE) {
        open_part(w);
    }
}

static void end_header(struct walker *w, unsigned defects)
{
    struct document_field list[PART_FIELDS_MAX];
    struct fields f = {.list = list, .max = PART_FIELDS_MAX};
    w->r->parts[w->open[w->open_count - 1].index].defects |= defects;
    fields_split(&f, buf_view(&w->r->part_header));
    begin_content(w, &f);
}

/* No empty line comes any more. An empty header may open the message in a message. */
static void end_headers(struct walker *w)
{
    while (w->is_in_header && w->err == MSA_OK)
        end_header(w, DOCUMENT_PART_NO_HEADER_END);
}

/* ---- boundaries ---- */

/* What a line is that begins with "--": which open part's boundary, and whether the
 * closing one. */
static bool match_boundary(const struct walker *w, struct view line, size_t *which,
                           bool *is_close)
{
    struct view rest = view_slice(line, 2, line.n);
    for (size_t i = w->open_count; i > 0; i--) {
        struct view boundary = w->open[i - 1].boundary;
        if (boundary.n == 0 || !view_has_prefix(rest, boundary))
            continue;
        struct view behind = view_slice(rest, boundary.n, rest.n);
        *which = i - 1;
        *is_close = view_has_prefix(behind, VIEW_LIT("--"));
        if (*is_close || view_trim(behind).n == 0)
            return true;
    }
    return false;
}

/* The line end before a boundary belongs to it (RFC 2046 section 5.1.1). */
static uint64_t before_line_end(struct walker *w, uint64_t at)
{
    uint64_t from = at >= 2 ? at - 2 : 0;
    struct view v =
        view_slice(source_at(w->s, from, (size_t)(at - from)), 0, (size_t)(at - from));
    if (v.n == 0 || v.p[v.n - 1] != '\n')
        return at;
    return v.n == 2 && v.p[0] == '\r' ? at - 2 : at - 1;
}

/* Takes the line at w->at if it is a boundary. */
static bool take_boundary(struct walker *w)
{
    struct view line = view_slice(source_at(w->s, w->at, LINE_PEEK), 0, LINE_PEEK);
    size_t which;
    bool is_close;
    if (!view_has_prefix(line, VIEW_LIT("--")))
        return false;
    line = view_slice(line, 0, view_find(line, '\n') + 1);
    size_t taken = line.n;
    if (!match_boundary(w, view_slice(line, 0, fields_line_length(line)), &which,
                        &is_close)) {
        if (++w->dash_lines == DASH_LINES_MAX) {
            w->r->doc.facts |= DOCUMENT_TOO_MANY_PARTS;
            w->is_over = true;
        }
        return false;
    }
    end_headers(w);
    close_parts(w, which + 1, before_line_end(w, w->at));
    w->at += taken;
    w->is_line_start = true;
    w->is_in_header = false;
    if (is_close)
        w->open[which].boundary = VIEW_EMPTY;
    else
        open_part(w);
    return true;
}

/* ---- the two states ---- */

/* What mbox puts before a message, and some programs before one that they forward. */
static bool is_mbox_line(const struct walker *w, struct view line)
{
    return buf_len(&w->r->part_header) == 0 &&
           (view_has_prefix(line, VIEW_LIT("From ")) ||
            view_has_prefix(line, VIEW_LIT(">From ")));
}

/* A line of a part's header, or a piece of a long one. */
static void header_line(struct walker *w)
{
    if (w->is_line_start && take_boundary(w))
        return;
    struct view line = view_slice(source_at(w->s, w->at, LINE_PEEK), 0, LINE_PEEK);
    line = view_slice(line, 0, view_find(line, '\n') + 1);
    size_t n = fields_line_length(line);
    bool has_end = n < line.n;
    bool is_fold = line.n > 0 && (line.p[0] == ' ' || line.p[0] == '\t');
    if (w->is_line_start && has_end && n == 0) {
        w->at += line.n;
        end_header(w, 0);
    } else if (w->is_line_start && is_mbox_line(w, line)) {
        w->at += line.n;
        w->is_line_start = has_end;
    } else if (w->is_line_start && !is_fold && !fields_is_field(view_slice(line, 0, n))) {
        end_header(
            w, DOCUMENT_PART_BAD_HEADER_LINE); /* the body began without an empty line */
    } else {
        if (buf_add(&w->r->part_header, line) == MSA_ENOMEM) /* what is over its limit is not looked at */
            w->err = MSA_ENOMEM;
        w->at += line.n;
        w->is_line_start = has_end;
    }
}

/* On to the next line that begins with "--", or the end. */
static void skip_content(struct walker *w)
{
    if (w->is_line_start && take_boundary(w))
        return;
    struct view v = source_at(w->s, w->at, LINE_PEEK);
    const char *hit = v.n > 2 ? memmem(v.p, v.n, "\n--", 3) : NULL;
    w->is_line_start = hit != NULL;
    if (hit)
        w->at += (size_t)(hit - v.p) + 1;
    else if (w->at + v.n >= w->s->length || v.n <= 2)
        w->at = w->s->length;
    else
        w->at += v.n - 2;
}

static void finish(struct walker *w)
{
    end_headers(w);
    close_parts(w, 0, w->s->length);
}

int walk_parts(struct document_reader *r)
{
    struct walker w = {.r = r, .s = &r->source, .at = r->doc.body_offset};
    const struct fields top = {.list = r->fields, .count = r->doc.field_count};
    r->doc.parts = r->parts;
    r->doc.part_count = 0;
    open_part(&w);
    begin_content(&w, &top);
    while (w.err == MSA_OK && !w.is_over && w.at < w.s->length) {
        if (w.is_in_header)
            header_line(&w);
        else if (has_boundary(&w))
            skip_content(&w);
        else
            break;
    }
    finish(&w);
    return w.err;
}
