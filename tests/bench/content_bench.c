/* content_bench: what it costs to read a message as a document, on one core.
 * Prints one line of JSON: microseconds of CPU for each kind of message.
 *
 *     content_bench [SECONDS] [FILE…]      FILEs are read in turn as one more kind */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "msa/base/buf.h"
#include "msa/mail/base64.h"
#include "policy/score/content/document.h"

#define MIB (1u << 20)

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "content_bench: %s\n", what);
    exit(2);
}

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- messages ---- */

#define HEAD                                                                         \
    "From: Taro Yamada <taro@example.jp>\r\nTo: hanako@example.net\r\nSubject: "     \
    "=?ISO-2022-JP?B?GyRCOzNFRBsoQg==?=\r\nDate: Mon, 1 Jun 2026 09:00:00 +0900\r\n" \
    "Message-ID: <20260601090000.1@example.jp>\r\nMIME-Version: 1.0\r\n"
#define MIXED \
    HEAD "Content-Type: multipart/mixed; boundary=\"=_part\"\r\n\r\n--=_part\r\n"

static void fill(struct buf *m, size_t until, const char *piece)
{
    while (buf_len(m) + strlen(piece) <= until)
        buf_add_cstr(m, piece);
}

static void plain(struct buf *m, size_t n)
{
    buf_add_cstr(m, HEAD "Content-Type: text/plain; charset=utf-8\r\n\r\n");
    fill(m, n,
         "The quick brown fox jumps over the lazy dog, see "
         "http://www.example.jp/fox?id=1 .\r\n");
}

static void japanese(struct buf *m, size_t n)
{
    buf_add_cstr(m, HEAD "Content-Type: text/plain; charset=ISO-2022-JP\r\n\r\n");
    fill(m, n, "\x1b$B;3ED$5$s$O8x1`$G;3$r8+$F$$$^$9!#\x1b(B http://example.jp/\r\n");
}

static void html(struct buf *m, size_t n)
{
    buf_add_cstr(m, HEAD
                 "Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: "
                 "quoted-printable\r\n\r\n");
    fill(m, n,
         "<tr><td style=3D\"color:#333;font-size:14px\"><b>Buy</b> now &amp; save, only "
         "<a =\r\n"
         "href=3D\"http://shop.example.jp/?id=3D12345\">here</a>&nbsp;today</td></"
         "tr>\r\n");
}

static void attachment(struct buf *m, size_t n)
{
    buf_add_cstr(
        m, MIXED
        "Content-Type: text/plain; charset=utf-8\r\n\r\nSee the file.\r\n--=_part\r\n"
        "Content-Type: application/pdf; name=\"a.pdf\"\r\nContent-Transfer-Encoding: "
        "base64\r\n\r\n");
    fill(m, n - 20,
         "JVBERi0xLjcKJeLjz9MKMSAwIG9iago8PC9UeXBlL0NhdGFsb2cvUGFnZXMgMiAwIFI+"
         "PgplbmRv\r\n");
    buf_add_cstr(m, "--=_part--\r\n");
}

static void base64_text(struct buf *m, size_t n)
{
    buf_add_cstr(m, HEAD "Content-Type: text/html; "
                         "charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n");
    fill(m, n,
         "PHA+"
         "VGhlIHF1aWNrIGJyb3duIGZveCBqdW1wcyBvdmVyIHRoZSBsYXp5IGRvZzwvcD48Yj54PC9i\r\n");
}

static void dashes(struct buf *m, size_t n)
{
    buf_add_cstr(m, MIXED "\r\n");
    fill(m, n, "--=_par\r\n\r\n-\r\n");
}

static const struct {
    const char *name;
    void (*make)(struct buf *m, size_t bytes);
    size_t bytes;
} kinds[] = {
    {"plain_4k", plain, 4096},
    {"japanese_4k", japanese, 4096},
    {"html_4k", html, 4096},
    {"attachment_64k", attachment, 65536},
    {"plain_10m", plain, 10 * MIB},
    {"japanese_10m", japanese, 10 * MIB},
    {"html_10m", html, 10 * MIB},
    {"base64_html_10m", base64_text, 10 * MIB},
    {"attachment_10m", attachment, 10 * MIB},
    {"dashes_10m", dashes, 10 * MIB},
};

/* ---- measuring ---- */

static int to_fd(struct view message)
{
    int fd = memfd_create("message", MFD_CLOEXEC);
    if (fd == -1 || write(fd, message.p, message.n) != (ssize_t)message.n)
        die("memfd");
    return fd;
}

/* The least of many rounds: on a busy machine the others measure the neighbours. */
static double measure(struct document_reader *r, struct view message, double seconds)
{
    const struct document *d;
    int fd = to_fd(message);
    double begin = cpu_seconds(), least = 1e9;
    size_t rounds = message.n < MIB ? 100 : 1;
    do {
        double from = cpu_seconds();
        for (size_t i = 0; i < rounds; i++)
            if (document_read_fd(r, fd, message.n, &d) < 0)
                die("document_read_fd");
        double took = (cpu_seconds() - from) / (double)rounds;
        least = took < least ? took : least;
    } while (cpu_seconds() - begin < seconds);
    close(fd);
    return least * 1e6;
}

static void measure_files(struct document_reader *r, char **paths, int count)
{
    double cpu = 0;
    uint64_t bytes = 0;
    for (int i = 0; i < count; i++) {
        static char data[4 * MIB];
        const struct document *d;
        FILE *f = fopen(paths[i], "r");
        if (!f)
            die(paths[i]);
        size_t n = fread(data, 1, sizeof data, f);
        fclose(f);
        double from = cpu_seconds();
        if (document_read(r, view_of(data, n), &d) < 0)
            die("document_read");
        cpu += cpu_seconds() - from;
        bytes += n;
    }
    printf(", \"files\": %d, \"files_mean_us\": %.1f, \"files_mean_bytes\": %llu", count,
           cpu / count * 1e6, (unsigned long long)(bytes / (unsigned)count));
}

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? strtod(argv[1], NULL) : 0.2;
    struct document_reader *r = document_reader_new();
    if (!r)
        die("out of memory");
    printf("{\"bench\": \"content\"");
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct buf m;
        buf_init(&m, kinds[i].bytes + 4096);
        kinds[i].make(&m, kinds[i].bytes);
        printf(", \"%s_us\": %.1f", kinds[i].name, measure(r, buf_view(&m), seconds));
        buf_fini(&m);
    }
    if (argc > 2)
        measure_files(r, argv + 2, argc - 2);
    printf("}\n");
    document_reader_free(r);
    return 0;
}
