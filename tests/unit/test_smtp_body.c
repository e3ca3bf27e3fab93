#include <criterion/criterion.h>

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "msa/ipc/messages.h"
#include "smtp/body.h"

TestSuite(smtp_body, .timeout = 20);

static struct config settings_of_a_kind(void)
{
    return (struct config){
        .limits = {.header_bytes = 4096,
                   .header_field_bytes = 4096,
                   .header_field_count = 100,
                   .message_bytes = 300000,
                   .text_line_bytes = 998},
        .submission = {.remove_bcc = true},
        .queue = {.body_inline_bytes = 2000},
    };
}

static void begin(struct smtp_body *b, const struct config *c, int fd, bool is_large,
                  enum eod_mode mode)
{
    const struct body_settings settings = {.config = c, .mode = mode};
    smtp_body_init(b);
    smtp_body_begin(b, fd, is_large, &settings);
}

static int memfile(void)
{
    return memfd_create("test", MFD_CLOEXEC);
}

static void end(struct smtp_body *b)
{
    bool is_large;
    int fd = smtp_body_fini(b, &is_large);
    if (fd != -1)
        close(fd);
}

/* Feeds `text` in pieces of `piece`, growing where asked; the last step. */
static enum body_step feed(struct smtp_body *b, struct view text, size_t piece)
{
    enum body_step step = BODY_MORE;
    while (text.n > 0 && step != BODY_END) {
        struct view in = view_slice(text, 0, piece);
        size_t before = in.n;
        step = smtp_body_feed(b, &in);
        if (step == BODY_NEEDS_LARGE)
            smtp_body_switch(b, memfile());
        text = view_slice(text, before - in.n, text.n);
    }
    return step;
}

static void expect_content(struct smtp_body *b, struct view want)
{
    char got[400000];
    cr_assert(smtp_body_show(b));
    ssize_t n = pread(b->fd, got, sizeof got, 0);
    cr_assert_eq((size_t)n, want.n, "%zd bytes, not %zu", n, want.n);
    cr_assert_eq(memcmp(got, want.p, want.n), 0);
    cr_assert_eq(b->total_bytes, want.n);
}

static const struct {
    const char *name, *in, *want;
    size_t header_bytes;
} vectors[] = {
    {"header and body", "A: b\r\n\r\nx\r\n.\r\n", "A: b\r\n\r\nx\r\n", 6},
    {"dots", "A: b\r\n\r\n..\r\n.x\r\n.\r\n", "A: b\r\n\r\n.\r\nx\r\n", 6},
    {"dot in the header", "..A: b\r\n\r\n.\r\n", ".A: b\r\n\r\n", 7},
    {"no body", "A: b\r\n.\r\n", "A: b\r\n", 6},
    {"empty body", "A: b\r\n\r\n.\r\n", "A: b\r\n\r\n", 6},
    {"nothing", ".\r\n", "", 0},
    {"empty header", "\r\nx\r\n.\r\n", "\r\nx\r\n", 0},
    {"bcc goes", "A: b\r\nBcc: c\r\n d\r\nE: f\r\n\r\n.\r\n", "A: b\r\nE: f\r\n\r\n", 12},
    {"bcc first", "bcc: c\r\nE: f\r\n\r\n.\r\n", "E: f\r\n\r\n", 6},
    {"bcc last", "E: f\r\nBCC: c\r\n\r\n.\r\n", "E: f\r\n\r\n", 6},
    {"bcc alone", "BCC: c\r\n\r\n.\r\n", "\r\n", 0},
    {"bcc without a body", "E: f\r\nBCC: c\r\n.\r\n", "E: f\r\n", 6},
};

Test(smtp_body, vectors_in_pieces_of_every_size)
{
    struct config c = settings_of_a_kind();
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        struct view in = view_cstr(vectors[i].in);
        for (size_t piece = 1; piece <= in.n; piece++) {
            struct smtp_body b;
            begin(&b, &c, memfile(), false, EOD_DATA);
            cr_assert_eq(feed(&b, in, piece), BODY_END, "%s", vectors[i].name);
            cr_assert_eq(smtp_body_end(&b), BODY_SOUND, "%s", vectors[i].name);
            expect_content(&b, view_cstr(vectors[i].want));
            cr_assert_eq(b.header_bytes, vectors[i].header_bytes, "%s", vectors[i].name);
            end(&b);
        }
    }
}

static struct view make_large(char *room, size_t lines, bool is_ended)
{
    size_t n = 0;
    memcpy(room, "A: b\r\n\r\n", 8);
    n = 8;
    for (size_t i = 0; i < lines; i++) {
        memset(room + n, 'a' + (int)(i % 26), 70);
        memcpy(room + n + 70, "\r\n", 2);
        n += 72;
    }
    if (is_ended)
        memcpy(room + n, ".\r\n", 3);
    return view_of(room, n + (is_ended ? 3 : 0));
}

Test(smtp_body, large_message_moves_to_a_large_descriptor)
{
    static char room[400000];
    struct config c = settings_of_a_kind();
    struct view in = make_large(room, 3000, true);
    static const size_t pieces[] = {1, 999, 4096, 16384, 65536, 300000};
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        struct smtp_body b;
        begin(&b, &c, memfile(), false, EOD_DATA);
        cr_assert_eq(feed(&b, in, pieces[i]), BODY_END);
        cr_assert(b.is_large);
        cr_assert_eq(smtp_body_end(&b), BODY_SOUND);
        expect_content(&b, view_slice(in, 0, in.n - 3));
        end(&b);
    }
}

Test(smtp_body, chunks_keep_dots_and_need_no_last_line_end)
{
    struct config c = settings_of_a_kind();
    struct smtp_body b;
    begin(&b, &c, memfile(), false, EOD_CHUNKS);
    cr_assert_eq(feed(&b, VIEW_LIT("A: b\r\n\r\n.\r\n..x"), 3), BODY_MORE);
    cr_assert_eq(smtp_body_end(&b), BODY_SOUND);
    expect_content(&b, VIEW_LIT("A: b\r\n\r\n.\r\n..x"));
    cr_assert_not(b.ends_in_crlf);
    end(&b);
}

static const struct {
    const char *name, *in;
    enum body_fault want;
} faults[] = {
    {"bare LF", "A: b\r\n\r\nx\ny\r\n.\r\n", BODY_STRAY},
    {"bare CR", "A: b\r\n\r\nx\ry\r\n.\r\n", BODY_STRAY},
    {"bare LF in the header", "A: b\nC: d\r\n\r\nx\r\n.\r\n", BODY_STRAY},
};

Test(smtp_body, faults_are_found_and_read_to_the_end)
{
    struct config c = settings_of_a_kind();
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        struct smtp_body b;
        begin(&b, &c, memfile(), false, EOD_DATA);
        cr_assert_eq(feed(&b, view_cstr(faults[i].in), 1), BODY_END);
        cr_assert_eq(smtp_body_end(&b), faults[i].want, "%s", faults[i].name);
        end(&b);
    }
}

Test(smtp_body, size_limit_stops_writing_not_reading)
{
    static char room[400000];
    struct config c = settings_of_a_kind();
    struct view in = make_large(room, 5000, true);
    struct smtp_body b;
    begin(&b, &c, memfile(), true, EOD_DATA);
    cr_assert_eq(feed(&b, in, 8192), BODY_END);
    cr_assert_eq(smtp_body_end(&b), BODY_TOO_BIG);
    cr_assert(lseek(b.fd, 0, SEEK_END) <= 300000);
    end(&b);
}

Test(smtp_body, stray_bytes_weigh_more_than_size)
{
    static char room[400000];
    struct config c = settings_of_a_kind();
    struct view in = make_large(room, 5000, true);
    room[in.n - 30] = '\n';
    struct smtp_body b;
    begin(&b, &c, memfile(), true, EOD_DATA);
    cr_assert_eq(feed(&b, in, 8192), BODY_END);
    cr_assert_eq(smtp_body_end(&b), BODY_STRAY);
    end(&b);
}

Test(smtp_body, full_disk)
{
    static char room[400000];
    struct config c = settings_of_a_kind();
    struct view in = make_large(room, 3000, true);
    struct smtp_body b;
    begin(&b, &c, open("/dev/full", O_RDWR | O_CLOEXEC), true, EOD_DATA);
    cr_assert_eq(feed(&b, in, 8192), BODY_END);
    cr_assert_eq(smtp_body_end(&b), BODY_NO_SPACE);
    end(&b);
}

Test(smtp_body, full_disk_while_moving)
{
    static char room[400000];
    struct config c = settings_of_a_kind();
    c.queue.body_inline_bytes = 100000;
    struct view in = make_large(room, 3000, false);
    struct smtp_body b;
    begin(&b, &c, memfile(), false, EOD_DATA);
    cr_assert_eq(smtp_body_feed(&b, &in), BODY_NEEDS_LARGE);
    smtp_body_switch(&b, open("/dev/full", O_RDWR | O_CLOEXEC));
    cr_assert_eq(b.fault, BODY_NO_SPACE);
    end(&b);
}

Test(smtp_body, unused_descriptor_comes_back)
{
    struct config c = settings_of_a_kind();
    struct smtp_body b;
    bool is_large;
    int fd = memfile();
    begin(&b, &c, fd, true, EOD_DATA);
    feed(&b, VIEW_LIT("A: b\r\n\r\nx"), 100); /* still pending */
    cr_assert_eq(smtp_body_fini(&b, &is_large), fd);
    cr_assert(is_large);
    close(fd);

    fd = memfile();
    begin(&b, &c, fd, false, EOD_DATA);
    cr_assert_eq(feed(&b, VIEW_LIT("A: b\r\n\r\nx\r\n.\r\n"), 100), BODY_END);
    smtp_body_end(&b);
    cr_assert_eq(smtp_body_fini(&b, &is_large), fd, "the message stayed in memory");
    begin(&b, &c, fd, false, EOD_DATA);
    cr_assert_eq(feed(&b, VIEW_LIT("A: b\r\n\r\nx\r\n.\r\n"), 100), BODY_END);
    smtp_body_end(&b);
    cr_assert(smtp_body_show(&b));
    cr_assert_eq(smtp_body_fini(&b, &is_large), -1, "bytes went in");
}

static void expect_given(const struct config *c, size_t lines, bool is_shown, bool is_in_memory)
{
    static char room[400000];
    struct view in = make_large(room, lines, true);
    size_t n = in.n - strlen(".\r\n");
    struct smtp_body b;
    struct buf bytes;
    begin(&b, c, memfile(), false, EOD_DATA);
    cr_assert_eq(feed(&b, in, 1000), BODY_END);
    cr_assert_eq(smtp_body_end(&b), BODY_SOUND);
    if (smtp_body_is_outgrown(&b))
        smtp_body_switch(&b, memfile());
    cr_assert(!is_shown || smtp_body_show(&b));
    int fd = smtp_body_give(&b, &bytes);
    cr_assert_eq(fd == -1, is_in_memory, "%zu lines", lines);
    cr_assert_eq(buf_len(&bytes), is_in_memory ? n : 0, "%zu lines", lines);
    cr_assert(!is_in_memory || memcmp(bytes.data + bytes.start, room, n) == 0);
    if (fd != -1) {
        cr_assert_eq(lseek(fd, 0, SEEK_END), (off_t)n, "%zu lines", lines);
        close(fd);
    }
    buf_fini(&bytes);
    end(&b);
}

Test(smtp_body, small_message_is_given_as_bytes_unless_somebody_has_seen_it)
{
    struct config c = settings_of_a_kind();
    expect_given(&c, 20, false, true);
    expect_given(&c, 20, true, false);
    expect_given(&c, 30, false, false); /* above body_inline_limit */
    c.queue.body_inline_bytes = 64 * 1024;
    size_t most = (IPC_BODY_MAX - 8) / 72;
    expect_given(&c, most, false, true);
    expect_given(&c, most + 1, false, false);
}

Test(smtp_body, what_cannot_be_shown_has_no_space)
{
    struct config c = settings_of_a_kind();
    struct smtp_body b;
    begin(&b, &c, open("/dev/full", O_RDWR | O_CLOEXEC), false, EOD_DATA);
    cr_assert_eq(feed(&b, VIEW_LIT("A: b\r\n\r\nx\r\n.\r\n"), 100), BODY_END);
    cr_assert_eq(smtp_body_end(&b), BODY_SOUND);
    cr_assert(!smtp_body_show(&b));
    cr_assert_eq(b.fault, BODY_NO_SPACE);
    end(&b);
}
