/* A message as a document: whatever it is, the document is sound, and the same from
 * memory and from a descriptor. */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "msa/base/err.h"
#include "msa/base/utf8.h"
#include "policy/score/content/document.h"
#include "tests/fuzz/fuzz.h"

static void must_be_inside(const char *start, size_t n, struct view v)
{
    must(v.n == 0 || (v.p >= start && v.p + v.n <= start + n));
}

static void must_be_sound(const struct document *d, size_t size)
{
    must(utf8_is_valid(d->text) && utf8_is_valid(d->hidden_text));
    must(d->text.n <= DOCUMENT_TEXT_BYTES_MAX &&
         d->hidden_text.n <= DOCUMENT_HIDDEN_BYTES);
    must(d->part_count >= 1 && d->part_count <= DOCUMENT_PARTS_MAX &&
         d->body_offset <= size);
    must(d->field_count <= DOCUMENT_FIELDS_MAX && d->link_count <= DOCUMENT_LINKS_MAX);
    for (size_t i = 0; i < d->part_count; i++) {
        const struct document_part *p = &d->parts[i], *parent = &d->parts[p->parent];
        must(p->depth <= DOCUMENT_DEPTH_MAX && p->offset + p->raw_bytes <= size);
        must(p->media_type.n > 2 && utf8_is_valid(p->file_name));
        must(i == 0 || (p->parent < i && p->offset >= parent->offset &&
                        p->offset + p->raw_bytes <= parent->offset + parent->raw_bytes));
        must_be_inside(d->text.p, d->text.n, document_part_text(d, p));
    }
    for (size_t i = 0; i < d->link_count; i++)
        must(d->links[i].url.n > 0 && d->links[i].part < d->part_count &&
             d->links[i].shown.n <= DOCUMENT_SHOWN_BYTES_MAX);
}

/* The shape and the text of a document in few numbers. */
static uint64_t sum_of(const struct document *d)
{
    uint64_t sum =
        d->facts + 31 * d->part_count + 37 * d->link_count + 41 * d->field_count;
    for (size_t i = 0; i < d->text.n; i++)
        sum = sum * 131 + (unsigned char)d->text.p[i];
    for (size_t i = 0; i < d->part_count; i++)
        sum = sum * 131 + d->parts[i].offset + 7 * d->parts[i].raw_bytes +
              d->parts[i].defects;
    for (size_t i = 0; i < d->link_count; i++)
        sum = sum * 131 + d->links[i].flags;
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct document_reader *reader;
    static int fd = -1;
    const struct document *d;
    if (!reader) {
        reader = document_reader_new();
        fd = memfd_create("message", MFD_CLOEXEC);
    }
    must(reader && fd != -1);
    must(document_read(reader, fuzz_view(data, size), &d) == MSA_OK);
    must_be_sound(d, size);
    for (size_t i = 0; i < d->field_count && i < 20; i++) {
        struct buf shown;
        buf_init(&shown, 10000);
        must(document_decode(reader, d->fields[i].value, &shown) != MSA_EINVAL);
        must(utf8_is_valid(buf_view(&shown)));
        buf_fini(&shown);
    }
    uint64_t sum = sum_of(d);
    must(ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size);
    must(document_read_fd(reader, fd, size, &d) == MSA_OK);
    must(sum_of(d) == sum);
    return 0;
}
